"""Commands that move the numbers of a case: tornado, breakevens, map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.commands.common import PlanFolder
from optimizer.commands.studying import AsJson, Gap, Jobs, study_plan

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.questions.sweeps.drivers import Driver
    from optimizer.questions.sweeps.runner import Sweep

app = typer.Typer(rich_markup_mode=None)

Axis = Annotated[
    str | None, typer.Option(metavar="NAME[=LOW:HIGH]", help="A driver, with its range if not the usual one.")
]


@app.command()
def tornado(
    plan: PlanFolder,
    driver: Annotated[
        list[str] | None,
        typer.Option(
            "--driver", metavar="NAME[=LOW:HIGH]", help="A driver instead of those of the whole case; may be repeated."
        ),
    ] = None,
    jobs: Jobs = None,
    gap: Gap = 1e-4,
    as_json: AsJson = False,
) -> None:
    """Move each driver low and high, one at a time: what the plan is worth, decided again and decisions kept."""

    def make(plan: Plan, sweep: Sweep) -> Study:
        from optimizer.questions.studies.tornado import drivers_given
        from optimizer.questions.studies.tornado import tornado as study

        return study(plan, drivers_given(plan, driver) if driver else None, gap=gap, sweep=sweep)

    study_plan(plan, "tornado", jobs, as_json, make)


@app.command()
def breakevens(
    plan: PlanFolder,
    site: Annotated[list[str] | None, typer.Option("--site", help="A site; may be repeated.")] = None,
    offer: Annotated[list[str] | None, typer.Option("--offer", help="An offer; may be repeated.")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", help="An option; may be repeated.")] = None,
    tolerance: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="How far apart the two sides may be, as a share of the base.")
    ] = 0.01,
    grid: Annotated[int, typer.Option(min=3, max=101, help="Numbers of each driver that are tried first.")] = 9,
    jobs: Jobs = None,
    gap: Gap = 1e-4,
    as_json: AsJson = False,
) -> None:
    """Find the numbers at which decisions turn: hashprice, power, rent, capex or delay, both sides solved.

    Without --site, --offer or --option: hashprice for every site, rent for every offer, capex for every option.
    """

    def make(plan: Plan, sweep: Sweep) -> Study:
        from optimizer.questions.studies.breakevens import breakevens as study
        from optimizer.questions.studies.breakevens import turns_of

        turns = turns_of(plan, sites=site or (), offers=offer or (), options=option or ())
        return study(plan, turns, tolerance=tolerance, grid=grid, gap=gap, sweep=sweep)

    study_plan(plan, "breakevens", jobs, as_json, make)


@app.command("map")
def switching_map(
    plan: PlanFolder,
    x: Axis = None,
    y: Axis = None,
    points: Annotated[int, typer.Option(min=2, max=200, help="Points along each axis.")] = 20,
    jobs: Jobs = None,
    gap: Gap = 1e-3,
    as_json: AsJson = False,
) -> None:
    """Solve the case over two inputs, hashprice and rent unless named: which decisions win where, and their value."""

    def make(plan: Plan, sweep: Sweep) -> Study:
        from optimizer.questions.studies.switching_map import switching_map as study

        return study(plan, _driver(plan, x), _driver(plan, y), points=(points, points), gap=gap, sweep=sweep)

    study_plan(plan, "map", jobs, as_json, make)


def _driver(plan: Plan, text: str | None) -> Driver | None:
    from optimizer.questions.studies.tornado import drivers_given

    return None if text is None else drivers_given(plan, [text])[0]
