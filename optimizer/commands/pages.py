"""The command that tells plans as one page: page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None)


@app.command()
def page(
    plans: Annotated[
        list[Path], typer.Argument(metavar="PLAN...", help="Plan folders, each to be chosen on the page.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The page.")] = Path("plan.html"),
    of: Annotated[
        list[Path] | None,
        typer.Option(
            "--case",
            metavar="CASE",
            help="A case of the plans: its sources are told, and plans of other inputs refused.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Show edited, stale or failing plans all the same, with a stamp.")
    ] = False,
) -> None:
    """Tell plans as one self-contained page to read, explore and print; it needs no network."""
    from optimizer.ground.errors import PlanError
    from optimizer.telling.board.page import open_books
    from optimizer.telling.board.page.writing import write_page

    if output.is_dir() or not output.parent.is_dir():
        raise PlanError(f"{output} cannot be written: name a file in a folder that exists, with -o.")
    books = open_books(plans, force=force, cases=of or [])
    receipts = write_page(books, output)
    print(
        f"{output}: {len(books)} {'plan' if len(books) == 1 else 'plans'}, {receipts.numbers:,} numbers read back and "
        f"held against {'it' if len(books) == 1 else 'them'}, {output.stat().st_size / 1e3:,.0f} kB."
    )
