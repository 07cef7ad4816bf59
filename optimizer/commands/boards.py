"""Commands that write what a board sees: deck, workbook, page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from optimizer.commands.common import PlanFolder, load

app = typer.Typer(rich_markup_mode=None)


@app.command()
def deck(
    plan: PlanFolder,
    output: Annotated[Path, typer.Option("-o", "--output", help="The presentation to write.")] = Path("board.pptx"),
    against: Annotated[
        list[Path] | None, typer.Option(metavar="PLAN", help="A plan to compare with; may be given again.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="PPTX", help="A company's template: its layouts, fonts and colours.")
    ] = None,
    of: Annotated[
        Path | None, typer.Option("--case", metavar="CASE", help="Refuse a plan that this case has moved on from.")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The SOURCES.md that tells where the inputs come from.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Stamp each slide where the deck would be refused: edited, stale, failed.")
    ] = False,
) -> None:
    """Write the board deck of a plan: native slides and charts, each number with its receipt."""
    from optimizer.telling.board.deck import write_deck

    case = None if of is None else load(of)
    deck = write_deck(
        plan, output, against=against or (), template=template, case=case, sources=sources, force=force
    )  # fmt: skip
    for number, title in enumerate(deck.titles, 1):
        print(f"{number:3}  {title}")
    for stamp in deck.stamps:
        print(f"note: every slide is stamped {stamp}", file=sys.stderr)
    if deck.missing:
        print("Left out, because the study was not made:\n  " + "\n  ".join(deck.missing), file=sys.stderr)
    print(f"Deck written to {deck.path}: {len(deck.titles)} slides, {deck.numbers} numbers traced")


@app.command()
def workbook(
    plans: Annotated[
        list[Path], typer.Argument(metavar="PLAN...", help="A plan folder, and others to compare it with.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Workbook to write.")] = Path("plan.xlsx"),
    of: Annotated[
        Path | None, typer.Option("--case", help="The case the plan is of: refused where it has changed since.")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="List of sources; SOURCES.md of the plan or of --case unless named.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Stamp every sheet instead of refusing.")] = False,
) -> None:
    """Write a plan as an Excel workbook: live totals that tie, native charts, the inputs and the audit."""
    from optimizer.case.folder import load_case
    from optimizer.telling.board.workbook import write_workbook

    case = None if of is None else load_case(of)
    beside = None if of is None else of / "SOURCES.md"
    listing = sources or (beside if beside is not None and beside.is_file() else None)
    written = write_workbook(plans, output, case=case, sources=listing, force=force)
    for stamp in written.stamps:
        print(f"stamped: {stamp}", file=sys.stderr)
    print(
        f"{written.path}: {len(written.sheets)} sheets, {written.numbers:,} numbers, each the plan's; "
        f"{written.checks} checks, none fails."
    )


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
    from optimizer.telling.board.page import open_plans
    from optimizer.telling.board.page.writing import write_page

    if output.is_dir() or not output.parent.is_dir():
        raise PlanError(f"{output} cannot be written: name a file in a folder that exists, with -o.")
    packs = open_plans(plans, force=force, cases=of or [])
    receipts = write_page(packs, output)
    print(
        f"{output}: {len(packs)} {'plan' if len(packs) == 1 else 'plans'}, {receipts.numbers:,} numbers read back and "
        f"held against {'it' if len(packs) == 1 else 'them'}, {output.stat().st_size / 1e3:,.0f} kB."
    )
