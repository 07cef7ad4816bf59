"""Commands that set plans side by side: compare."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.commands.common import PlanFolder

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from optimizer.questions.compare import Comparison, Pair
    from optimizer.questions.studies.study import Study

app = typer.Typer(rich_markup_mode=None)


@app.command()
def compare(
    first: PlanFolder,
    others: Annotated[list[Path], typer.Argument(metavar="PLAN...", help="Plans to compare with the first.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write every table as CSV into a new folder.")
    ] = None,
    bridge: Annotated[
        bool, typer.Option("--bridge", help="Attribute the difference in value to groups of inputs; solves many times.")
    ] = False,
    gap: Annotated[float, typer.Option(min=0.0, max=1.0, help="Relative gap of each solve of the bridge.")] = 1e-4,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Solves of the bridge at a time.")] = 1,
    inspect: Annotated[bool, typer.Option("--inspect", help="Compare plans even if their files were edited.")] = False,
) -> None:
    """Say what differs between plans: inputs, decisions, figures, and with --bridge where the value goes.

    A bridge is kept in the second plan's folder and told from there the next time; one that was killed goes on.
    """
    from optimizer.plan.folder import load_plan
    from optimizer.questions.compare.comparison import compare_plans, with_bridges

    plans = [load_plan(folder, inspect=inspect) for folder in (first, *others)]
    comparison = compare_plans(plans, [folder.resolve().name for folder in (first, *others)])
    bridges = [
        _bridge(pair, folder, jobs, gap if bridge else None)
        for pair, folder in zip(comparison.pairs, others, strict=True)
    ]
    comparison = with_bridges(comparison, bridges)
    if csv is not None:
        _write(comparison, csv)
    if as_json:
        print(json.dumps(comparison.record(), indent=2, allow_nan=False))
        return
    from rich.console import Console

    from optimizer.questions.compare.telling import WIDTH, print_comparison

    print_comparison(comparison, Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))


def _bridge(pair: Pair, folder: Path, jobs: int, gap: float | None) -> Study | None:
    """The bridge that the second plan's folder keeps; solved where there is none to this gap and one is asked for."""
    from optimizer.commands.studying import interruptible
    from optimizer.questions.compare.bridge import bridge, bridge_place, keep_bridge, kept_bridge

    if pair.first.edited or pair.second.edited:
        return None
    known = kept_bridge(pair.first, pair.second, folder)
    if gap is None or pair.same or (known is not None and known.about["gap"] == gap):
        return known
    with interruptible(bridge_place(pair.first, folder)), _progress() as progress, _executor(jobs) as executor:
        study = bridge(pair.first, pair.second, gap=gap, executor=executor, folder=folder, progress=progress)
        keep_bridge(study, folder)
    return study


@contextmanager
def _executor(jobs: int) -> Iterator[Executor | None]:
    """Processes to solve in; none where one solve at a time is asked for."""
    if jobs == 1:
        yield None
        return
    from optimizer.questions.sweeps.runner import workers

    with workers(jobs) as executor:
        yield executor


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A live line with how many solves are done, on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("Reading the plans ...") as status:
        yield lambda done, begun: status.update(f"Bridge: {done} of {begun} solves begun so far are done")


def _write(comparison: Comparison, folder: Path) -> None:
    """Every table as CSV, into a folder that is new or empty."""
    from optimizer.files.folders import write_file
    from optimizer.ground.errors import PlanError
    from optimizer.ground.interrupts import now_written
    from optimizer.plan.texts import table_text

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise PlanError(f"{folder} holds files already; name a new folder.")
        now_written(folder)
        for name, table in comparison.tables.items():
            write_file(folder / f"{name}.csv", table_text(table).encode())
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
