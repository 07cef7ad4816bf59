"""Commands that set other decisions and other futures against a plan: alternatives, regret."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.commands.common import PlanFolder, load
from optimizer.commands.studying import AsJson, Gap, Jobs, finish_study, interruptible, study_plan, sweeping

if TYPE_CHECKING:
    from optimizer.case.case import Case
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.questions.sweeps.runner import Sweep

app = typer.Typer(rich_markup_mode=None)


@app.command()
def alternatives(
    plan: PlanFolder,
    within: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="What may be given up, as a share of the value over doing nothing.")
    ] = 0.02,
    time_limit: Annotated[
        float, typer.Option(min=1.0, max=1e6, help="Seconds for each search of the plan that differs most.")
    ] = 120.0,
    jobs: Jobs = None,
    gap: Gap = 1e-4,
    as_json: AsJson = False,
) -> None:
    """Find plans almost as good that decide otherwise, and prove what all such plans have in common."""

    def make(plan: Plan, sweep: Sweep) -> Study:
        from optimizer.questions.studies.alternatives import alternatives as study

        return study(plan, within, gap=gap, time_limit=time_limit, sweep=sweep)

    study_plan(plan, "alternatives", jobs, as_json, make)


@app.command()
def regret(
    folders: Annotated[list[Path], typer.Argument(metavar="PLAN...", help="Plan folders; or one case.")],
    all_scenarios: Annotated[
        bool, typer.Option("--all-scenarios", help="Solve every scenario of a case, or all others of a plan's, first.")
    ] = False,
    scenario: Annotated[
        list[str] | None, typer.Option(help="A scenario to hold plans in, instead of all; may be repeated.")
    ] = None,
    jobs: Jobs = None,
    gap: Gap = 1e-4,
    as_json: AsJson = False,
) -> None:
    """Hold each plan's decisions under every scenario: values, regrets, missing money, and what can wait."""
    from optimizer.ground.interrupts import told_when_left
    from optimizer.questions.studies.regret import regret as study

    if all_scenarios:
        with told_when_left("Interrupted. The plans solved so far are kept; the same command goes on with them."):
            folders = _solved(folders, gap)
    plans, place = [_plan(folder) for folder in folders], folders[0] / "studies" / "regret"
    with interruptible(place):
        with sweeping(place, jobs) as sweep:
            made = study(plans, scenario, names=_names(folders, plans), gap=gap, sweep=sweep)
        finish_study(made, place, as_json)


def _plan(folder: Path) -> Plan:
    from optimizer.ground.errors import PlanError
    from optimizer.plan.folder import load_plan

    if _is_case(folder):
        raise PlanError(f"{folder} is a case; add --all-scenarios to solve all its scenarios first.")
    return load_plan(folder)


def _names(folders: list[Path], plans: list[Plan]) -> list[str] | None:
    """Plans are called by their folders where their scenarios do not tell them apart."""
    told_apart = (
        len({plan.scenario for plan in plans}) == len(plans) and len({p.case.settings.name for p in plans}) == 1
    )
    return None if told_apart else [folder.resolve().name for folder in folders]


def _is_case(folder: Path) -> bool:
    return folder.suffix == ".xlsx" or (folder / "case.toml").exists()


def _solved(folders: list[Path], gap: float) -> list[Path]:
    """A plan folder for each scenario of a case, in its usual place; a plan of these inputs that is there is kept.

    Of a plan, its own folder and one for each other scenario of its case.
    """
    from optimizer.ground.errors import PlanError
    from optimizer.ground.interrupts import give_up, nothing_to_keep
    from optimizer.plan.folder import load_plan, save_plan
    from optimizer.plan.places import default_folder, refuse_unwritable
    from optimizer.questions.planner import solve

    if len(folders) != 1:
        raise PlanError("--all-scenarios solves the scenarios of one case; name it, or one plan of it, alone.")
    plan = None if _is_case(folders[0]) else load_plan(folders[0])
    case, places = (load(folders[0]), []) if plan is None else (plan.case, [folders[0]])
    for row in case.scenarios:
        if plan is not None and row.scenario == plan.scenario:
            continue
        place = default_folder(case.settings.name, row.scenario)
        if _there(place, case, row.scenario, gap):
            places.append(place)
            continue
        refuse_unwritable(place)
        print(f"Solving scenario {row.scenario} ...", file=sys.stderr)
        with nothing_to_keep():
            solved = solve(case, row.scenario, gap=gap)
        if solved.status == "interrupted":
            give_up()
        places.append(save_plan(solved, place))
    return places


def _there(place: Path, case: Case, scenario: str, gap: float) -> bool:
    """Whether a folder holds a plan of the case as it is, solved as closely: it may be proven, or have studies."""
    from optimizer.ground.errors import PlanError
    from optimizer.ground.findings import InputError
    from optimizer.plan.folder import load_plan, stale_inputs

    try:
        plan = load_plan(place)
    except (PlanError, InputError):
        return False
    return plan.scenario == scenario and plan.status == "optimal" and plan.gap <= gap and not stale_inputs(plan, case)
