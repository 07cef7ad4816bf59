"""Commands that write what a board sees."""

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
