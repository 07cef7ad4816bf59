"""Commands that set plans side by side: compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.commands.common import PlanFolder

if TYPE_CHECKING:
    from optimizer.compare import Comparison

app = typer.Typer()


@app.command()
def compare(
    first: PlanFolder,
    others: Annotated[list[Path], typer.Argument(metavar="PLAN...", help="Plans to compare with the first.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write every table as CSV into a new folder.")
    ] = None,
    inspect: Annotated[bool, typer.Option("--inspect", help="Compare plans even if their files were edited.")] = False,
) -> None:
    """Say what differs between plans: inputs, decisions, figures, and how sure the difference in value is."""
    from optimizer.compare import compare as compare_plans
    from optimizer.plan_files import load_plan

    plans = [load_plan(folder, inspect=inspect) for folder in (first, *others)]
    comparison = compare_plans(*plans)
    if csv is not None:
        _write(comparison, csv)
    if as_json:
        print(json.dumps(comparison.record(), indent=2, allow_nan=False))
        return
    from rich.console import Console

    from optimizer.compare.telling import WIDTH, print_comparison

    print_comparison(comparison, Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False))


def _write(comparison: Comparison, folder: Path) -> None:
    """Every table as CSV, into a folder that is new or empty."""
    from optimizer.errors import PlanError
    from optimizer.folders import write_file
    from optimizer.plan_texts import table_text

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise PlanError(f"{folder} holds files already; name a new folder.")
        for name, table in comparison.tables.items():
            write_file(folder / f"{name}.csv", table_text(table).encode())
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
