"""Commands that make one plan of a case, and look at it: solve, show, audit, explain."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.commands.common import CaseFolder, Changes, PlanFolder, changed, load
from optimizer.commands.exits import EXIT_INFEASIBLE, EXIT_INTERRUPTED, EXIT_NOT_PROVEN, EXIT_REFUSED, fail

if TYPE_CHECKING:
    from optimizer.case.case import Case
    from optimizer.plan.plan import Plan

app = typer.Typer(rich_markup_mode=None)


class Second(StrEnum):
    """How a plan is proven a second time."""

    CUT_OFF = "cut-off"
    SCIP = "scip"


@app.command()
def solve(
    case: CaseFolder,
    scenario: Annotated[str | None, typer.Option(help="Scenario to solve; the case's first unless named.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Plan folder; results/CASE-SCENARIO unless named.")
    ] = None,
    gap: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Relative gap at which a plan counts as optimal.")
    ] = 1e-4,
    prove: Annotated[
        bool,
        typer.Option("--prove", help="For the board: gap 1e-6, and a second search that must find nothing better."),
    ] = False,
    second: Annotated[
        Second, typer.Option(help="The second search: HiGHS on another road, or SCIP (extra `scip`).")
    ] = Second.CUT_OFF,
    time_limit: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds after which the best plan is taken.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.5, help="GB that the solver may use; 80% of the machine's unless named.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2_147_483_647, help="Seed of the search.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads of the search.")] = 1,
    change: Changes = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plan.json instead of the summary.")] = False,
) -> None:
    """Find the plan of most value, write it as a folder, and tell it."""
    from optimizer.ground.errors import Infeasible, PlanError
    from optimizer.ground.interrupts import let_go, stoppable
    from optimizer.plan.folder import save_plan
    from optimizer.plan.places import default_folder, refuse_unwritable
    from optimizer.questions.planner import solve as solve_case

    loaded = changed(load(case), change or [])
    folder = output or default_folder(loaded.settings.name, scenario or loaded.scenarios[0].scenario)
    if folder.resolve().is_relative_to(case.resolve()):
        raise PlanError(f"{folder} would lie inside the case; start this elsewhere, or name another with -o.")
    refuse_unwritable(folder)
    try:
        with stoppable() as asked_to_stop, _progress() as progress:
            plan = solve_case(
                loaded, scenario, gap=gap, prove=prove, second=second.value, time_limit=time_limit, memory_gb=memory,
                seed=seed, threads=threads, progress=progress,
            )  # fmt: skip
            folder = save_plan(plan, folder)
            unproven = prove and asked_to_stop() and plan.word != "PROVEN"
    except Infeasible as none:
        print("No plan keeps every rule of this case. Looking for the reason and the ways out ...", file=sys.stderr)
        let_go()
        fail(_why_not(none, loaded, scenario, seed, threads), none.exit_code)
    _tell(plan, as_json)
    print(f"Plan written to {folder}", file=sys.stderr if as_json else sys.stdout)
    codes = {"optimal": 0, "limit": EXIT_NOT_PROVEN, "interrupted": EXIT_INTERRUPTED}
    raise typer.Exit(EXIT_INTERRUPTED if unproven else codes[plan.status])


@app.command()
def show(
    plan: PlanFolder,
    as_json: Annotated[bool, typer.Option("--json", help="Print plan.json instead.")] = False,
    inspect: Annotated[bool, typer.Option("--inspect", help="Tell it even if its files were edited.")] = False,
) -> None:
    """Tell a solved plan again, from its folder."""
    from optimizer.plan.folder import load_plan

    loaded = load_plan(plan, inspect=inspect)
    for edit in loaded.edited:
        print(f"note: {edit}", file=sys.stderr)
    _tell(loaded, as_json)


@app.command()
def audit(
    plan: PlanFolder,
    as_json: Annotated[bool, typer.Option("--json", help="Print every check as JSON.")] = False,
    inspect: Annotated[bool, typer.Option("--inspect", help="Audit it even if its files were edited.")] = False,
    of: Annotated[
        Path | None, typer.Option("--case", help="Audit it as a plan of this case, not of the inputs it carries.")
    ] = None,
) -> None:
    """Compute every number of a plan again, from its inputs and decisions, by code that never met the model."""
    from optimizer.plan.folder import load_plan
    from optimizer.questions.searches import audit_whole

    loaded = load_plan(plan, inspect=inspect)
    report = audit_whole(loaded.case if of is None else load(of), loaded)
    print(report.to_json() if as_json else f"{loaded.word}, run {loaded.run_id}\n{report.summary()}")
    if not report.clean:
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def explain(
    case: CaseFolder,
    scenario: Annotated[str | None, typer.Option(help="Scenario; the case's first unless named.")] = None,
    time_limit: Annotated[float, typer.Option(min=1.0, max=1e6, help="Seconds for all of it.")] = 300.0,
    change: Changes = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print rules, tags and ways out as JSON.")] = False,
) -> None:
    """Say which rules of an infeasible case conflict, and the cheapest ways out, each solved and true."""
    from optimizer.questions.conflicts import explain as explain_case

    loaded = changed(load(case), change or [])
    conflict = explain_case(loaded, scenario, time_limit=time_limit)
    if conflict is not None:
        print(conflict.to_json() if as_json else conflict.report(), end="" if as_json else "\n")
        raise typer.Exit(EXIT_INFEASIBLE)
    if as_json:
        told = {"case": loaded.settings.name, "scenario": loaded.scenario_named(scenario), "feasible": True}
        print(json.dumps(told, indent=2))
    else:
        print("A plan keeps every rule of this case: optimizer solve finds the best one.")


def _why_not(none: Any, case: Case, scenario: str | None, seed: int, threads: int) -> str:
    """The conflict of an infeasible case in words; what the solver said itself where there is no time for more."""
    from optimizer.ground.errors import NoPlan, SolverFault
    from optimizer.questions.conflicts import explain as explain_case

    try:
        conflict = explain_case(case, scenario, seed=seed, threads=threads)
    except NoPlan:
        return str(none)
    if conflict is None:
        raise SolverFault("it says that no plan keeps every rule, and that one does when asked again")
    return conflict.report()


def _tell(plan: Plan, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plan.record(), indent=2, allow_nan=False))
        return
    from rich.console import Console

    from optimizer.telling.summary import WIDTH, print_summary

    print_summary(plan, Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))


@contextmanager
def _progress() -> Iterator[Callable[[Any], None] | None]:
    """A live line with incumbent, bound and gap on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    from optimizer.ground.amounts import musd

    with Console(stderr=True).status("Reading the model ...") as status:

        def tell(state: Any) -> None:
            value = musd(state.value_musd) if abs(state.value_musd) < 1e15 else "none yet"
            bound = musd(state.bound_musd) if abs(state.bound_musd) < 1e15 else "none yet"
            gap = f"{state.gap:.3%}" if state.gap < 10 else "open"
            status.update(
                f"{state.seconds:5.0f} s   best plan {value}   bound {bound}   gap {gap}   (Ctrl-C keeps the best)"
            )

        yield tell
