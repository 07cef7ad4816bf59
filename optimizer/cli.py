"""The command line. Heavy imports stay inside the commands, so that `--help` answers at once."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from optimizer.case import Case
    from optimizer.plan import Plan

app = typer.Typer(
    name="optimizer",
    help="How many megawatts at each site keep mining, and how many become AI capacity, quarter by quarter.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

EXIT_INPUT, EXIT_NOT_PROVEN, EXIT_INTERRUPTED = 2, 5, 130

CaseFolder = Annotated[Path, typer.Argument(metavar="CASE", help="A case folder.")]
PlanFolder = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan folder.")]


def main() -> None:
    """Run the command line; every error of the program becomes its sentence and its exit code."""
    from optimizer.errors import OptimizerError
    from optimizer.findings import InputError

    try:
        app()
    except InputError as error:
        _fail(f"{error.report()}\n{_count(error.findings)}", EXIT_INPUT)
    except OptimizerError as error:
        _fail(str(error), error.exit_code)


def _fail(words: str, code: int) -> NoReturn:
    print(words, file=sys.stderr)
    sys.exit(code)


def _count(findings: tuple[Any, ...]) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    return f"{errors} {'problem' if errors == 1 else 'problems'} to mend; nothing was solved."


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Write an annotated starter case to begin your own company from."""
    from optimizer.errors import PlanError

    if folder.exists():
        raise PlanError(f"{folder} exists already; name a new folder.")
    try:
        with as_file(files("optimizer") / "starter") as starter:
            shutil.copytree(starter, folder)
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    print(f"{folder} holds a small case with notes in case.toml. Edit it, then: optimizer check {folder}")


@app.command()
def check(case: CaseFolder) -> None:
    """Report every problem of a case at once, without solving it."""
    from optimizer.case_files import load_case

    loaded = load_case(case)
    for warning in loaded.warnings:
        print(f"note: {warning}", file=sys.stderr)
    settings = loaded.settings
    print(
        f"{settings.name}: {len(loaded.sites)} sites, {len(loaded.options)} options, {len(loaded.offers)} offers, "
        f"{loaded.first} to {loaded.last}, scenarios {', '.join(row.scenario for row in loaded.scenarios)}. "
        "No problem found."
    )


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
    time_limit: Annotated[
        float | None, typer.Option(min=0.0, help="Seconds after which the best plan is taken.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2_147_483_647, help="Seed of the search.")] = 0,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads of the search.")] = 1,
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting of case.toml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plan.json instead of the summary.")] = False,
) -> None:
    """Find the plan of most value, write it as a folder, and tell it."""
    from optimizer.plan_files import refuse_unwritable, save_plan
    from optimizer.planner import solve as solve_case

    loaded = _changed(_load(case), change or [])
    name = f"{loaded.settings.name}-{scenario or loaded.scenarios[0].scenario}"
    folder = output or Path("results") / re.sub(r"[^\w.-]+", "_", name)
    refuse_unwritable(folder)
    with _progress() as progress:
        plan = solve_case(
            loaded, scenario, gap=gap, time_limit=time_limit, seed=seed, threads=threads, progress=progress
        )
    save_plan(plan, folder)
    _tell(plan, as_json)
    print(f"Plan written to {folder}", file=sys.stderr if as_json else sys.stdout)
    codes = {"optimal": 0, "limit": EXIT_NOT_PROVEN, "interrupted": EXIT_INTERRUPTED}
    raise typer.Exit(codes[plan.status])


@app.command()
def show(
    plan: PlanFolder,
    as_json: Annotated[bool, typer.Option("--json", help="Print plan.json instead.")] = False,
) -> None:
    """Tell a solved plan again, from its folder."""
    from optimizer.plan_files import load_plan

    _tell(load_plan(plan), as_json)


def _load(folder: Path) -> Case:
    from optimizer.case_files import load_case

    loaded = load_case(folder)
    if loaded.warnings:
        notes = "1 note" if len(loaded.warnings) == 1 else f"{len(loaded.warnings)} notes"
        print(f"{notes} on this case: optimizer check {folder}", file=sys.stderr)
    return loaded


def _changed(case: Case, changes: list[str]) -> Case:
    """The case with `name=value` settings changed; a value is read as TOML, or as text where that fails."""
    import tomllib

    from optimizer.findings import Finding, InputError
    from optimizer.schema import Settings

    values: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals or name not in Settings.model_fields:
            why = "is no setting of case.toml" if equals else "is not of the form NAME=VALUE"
            raise InputError([Finding("--set", why, "see docs/case-format.md", value=change)])
        try:
            values[name] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            values[name] = text
    return case.replace(**values) if values else case


def _tell(plan: Plan, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plan.record(), indent=2, allow_nan=False))
        return
    from rich.console import Console

    from optimizer.summary import WIDTH, print_summary

    print_summary(plan, Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))


@contextmanager
def _progress() -> Iterator[Callable[[Any], None] | None]:
    """A live line with incumbent, bound and gap on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    from optimizer.summary import musd

    with Console(stderr=True).status("Reading the model ...") as status:

        def tell(state: Any) -> None:
            value = musd(state.value_musd) if abs(state.value_musd) < 1e15 else "none yet"
            bound = musd(state.bound_musd) if abs(state.bound_musd) < 1e15 else "none yet"
            gap = f"{state.gap:.3%}" if state.gap < 10 else "open"
            status.update(
                f"{state.seconds:5.0f} s   best plan {value}   bound {bound}   gap {gap}   (Ctrl-C keeps the best)"
            )

        yield tell
