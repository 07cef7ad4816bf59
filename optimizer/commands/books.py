"""Commands around Excel workbooks: a case as a workbook and back, and a plan as a workbook."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from optimizer.commands.common import CaseFolder

app = typer.Typer(rich_markup_mode=None)


def starter_book(name: Path) -> None:
    """Write the starter case as a workbook. Raises PlanError where there is something of that name."""
    from importlib.resources import as_file, files

    from optimizer.case.folder import load_case
    from optimizer.case.saving import save_case

    book = name if name.suffix.lower() == ".xlsx" else name.with_name(f"{name.name}.xlsx")
    _refuse_existing(book)
    with as_file(files("optimizer") / "starter") as starter:
        written = save_case(load_case(starter), book, sources=_sources_of(starter))
    print(f"{written} holds a small case, a sheet for each table. Edit it, then: optimizer check {written}")


@app.command()
def convert(
    case: CaseFolder,
    target: Annotated[Path, typer.Argument(help="Workbook (.xlsx) to write from a folder, or folder from a workbook.")],
) -> None:
    """Write a case folder as an Excel workbook, or a workbook as a folder; the case stays the same.

    SOURCES.md goes along as a sheet and comes back as a file; notes in case.toml do not.
    """
    from optimizer.case.folder import load_case
    from optimizer.case.layout import sources_in
    from optimizer.case.saving import save_case
    from optimizer.case.workbook import is_book
    from optimizer.ground.errors import PlanError

    loaded = load_case(case)
    from_book = is_book(case)
    if from_book and target.suffix.lower() == ".xlsx":
        raise PlanError(f"{case} is a workbook already; name the folder that it is to become.")
    book = target if target.suffix.lower() == ".xlsx" or from_book else target.with_name(f"{target.name}.xlsx")
    _refuse_existing(book)
    if from_book:
        save_case(loaded, target, sources=sources_in(case))
        print(f"{target} holds the case of {case}, a file for each table.")
        return
    print(f"{save_case(loaded, book, sources=_sources_of(case))} holds the case of {case}, a sheet for each table.")


def _sources_of(case: Path) -> str:
    """The text of the list of sources beside a case; empty without one. Raises InputError where it is no text."""
    from optimizer.case.origins import NAME
    from optimizer.files.tables import read_text
    from optimizer.ground.findings import Finding, InputError

    text = read_text(case / NAME, NAME) if (case / NAME).exists() else ""
    if isinstance(text, Finding):
        raise InputError([text])
    return text


def _refuse_existing(path: Path) -> None:
    from optimizer.ground.errors import PlanError

    if path.exists():
        raise PlanError(f"{path} exists already; name a new one.")


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
