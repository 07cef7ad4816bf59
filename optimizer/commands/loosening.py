"""Commands that loosen and tighten limits: prices, frontier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.commands.common import PlanFolder
from optimizer.commands.studying import AsJson, Gap, Jobs, study_plan

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.questions.sweeps.runner import Sweep

app = typer.Typer(rich_markup_mode=None)


@app.command()
def prices(plan: PlanFolder, jobs: Jobs = None, gap: Gap = 1e-4, as_json: AsJson = False) -> None:
    """Say what a little more of every limit is worth: by duals with decisions kept, and by solving again."""

    def make(plan: Plan, sweep: Sweep) -> Study:
        from optimizer.questions.studies.prices import prices as study

        return study(plan, gap=gap, sweep=sweep)

    study_plan(plan, "prices", jobs, as_json, make)


@app.command()
def frontier(
    plan: PlanFolder,
    budgets: Annotated[
        str | None, typer.Option("--budgets", metavar="$M,$M,...", help="Capex budgets; 40% to 160% unless named.")
    ] = None,
    minima: Annotated[
        str | None, typer.Option("--minima", metavar="$M,$M,...", help="Minima of cash; up from none unless named.")
    ] = None,
    cash: Annotated[bool, typer.Option("--cash/--no-cash", help="Whether minima of cash are tried too.")] = True,
    jobs: Jobs = None,
    gap: Gap = 1e-4,
    as_json: AsJson = False,
) -> None:
    """Solve the case at other capex budgets and minima of cash: value against the limit, each point a whole plan."""

    def make(plan: Plan, sweep: Sweep) -> Study:
        from optimizer.questions.studies.frontier import frontier as study

        tried = _numbers("--minima", minima) if cash else []
        return study(plan, _numbers("--budgets", budgets), minima=tried, gap=gap, sweep=sweep)

    study_plan(plan, "frontier", jobs, as_json, make)


def _numbers(option: str, text: str | None) -> list[float] | None:
    """Numbers with commas between them."""
    from optimizer.ground.findings import Finding, InputError

    try:
        return None if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        why = "is no list of numbers with commas between them"
        raise InputError(
            [Finding("command line", why, "such as 100,200,300", column=option, value=text or "")]
        ) from None
