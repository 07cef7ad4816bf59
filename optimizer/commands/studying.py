"""What every command that studies a plan shares: its options, keeping answers and the study, telling it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.commands.exits import EXIT_INTERRUPTED, EXIT_NOT_PROVEN, fail

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.questions.sweeps.runner import Sweep, Tell

Jobs = Annotated[
    int | None, typer.Option("-j", "--jobs", min=1, max=256, help="Solves at a time; one for each core unless named.")
]
Gap = Annotated[float, typer.Option(min=0.0, max=1.0, help="Relative gap of each solve.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the study as JSON instead of telling it.")]
Make = Callable[["Plan", "Sweep"], "Study"]


def study_plan(folder: Path, kind: str, jobs: int | None, as_json: bool, make: Make) -> None:
    """Read a plan, make a study of it, keep it in `PLAN/studies/KIND` with its tables and picture, and tell it.

    Answers land in `answers.jsonl` there one by one, so that a study that was killed goes on with what is missing.
    """
    from optimizer.plan.folder import load_plan
    from optimizer.questions.studies.study import refuse_unknown_kind

    refuse_unknown_kind(kind)
    plan, place = load_plan(folder), folder / "studies" / kind
    with interruptible(place):
        with sweeping(place, jobs) as sweep:
            study = make(plan, sweep)
        finish_study(study, place, as_json)


def finish_study(study: Study, place: Path, as_json: bool) -> None:
    """Keep a study and tell it. Where something in it came to no answer, the exit code says so too."""
    keep_study(study, place)
    tell_study(study, as_json)
    print(f"Study written to {place}", file=sys.stderr if as_json else sys.stdout)
    if study.unsolved:
        raise typer.Exit(EXIT_NOT_PROVEN)


@contextmanager
def interruptible(place: Path) -> Iterator[None]:
    """While it lasts, Ctrl-C ends the program with the word that what has landed is kept."""
    from optimizer.ground.interrupts import told_when_left

    words = f"Interrupted. The answers so far are kept in {place}; the same command goes on with them."
    try:
        with told_when_left(words):
            yield
    except KeyboardInterrupt:
        fail(words, EXIT_INTERRUPTED)


@contextmanager
def sweeping(place: Path, jobs: int | None) -> Iterator[Sweep]:
    """A sweep that keeps its answers in a folder, with as many workers as asked for and a progress bar."""
    from optimizer.ground.errors import PlanError
    from optimizer.questions.sweeps.runner import Sweep, workers

    count = jobs or os.cpu_count() or 1
    with progress() as tell, workers(count) if count > 1 else nullcontext() as executor:
        try:
            sweep = Sweep(executor, place, tell, at_once=2 * count)
        except OSError as error:
            raise PlanError(f"{place} cannot be written: {error.strerror}.") from None
        yield sweep


@contextmanager
def progress() -> Iterator[Tell | None]:
    """A bar of answers landed on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("solving"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("solving", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def keep_study(study: Study, place: Path) -> None:
    """Write the study's tables, and its picture as SVG and PNG."""
    from optimizer.questions.studies.study import save_study
    from optimizer.telling.pictures import picture_of, save_picture

    save_study(study, place)
    save_picture(picture_of(study), place / study.kind)


def tell_study(study: Study, as_json: bool) -> None:
    """Print a study in words and tables, or as JSON: its record, and its tables as rows."""
    if as_json:
        tables = {name: json.loads(table.to_json(orient="records")) for name, table in study.tables.items()}
        print(json.dumps(study.record() | {"tables": tables}, indent=2, allow_nan=False))
        return
    from rich.console import Console

    from optimizer.questions.studies.telling import WIDTH, print_study

    print_study(study, Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))
