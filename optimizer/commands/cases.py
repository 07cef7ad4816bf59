"""Commands around a case: init, convert, check."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from optimizer.commands.common import CaseFolder

app = typer.Typer(rich_markup_mode=None)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make, or workbook (.xlsx).")],
    xlsx: Annotated[bool, typer.Option("--xlsx", help="Write an Excel workbook, a sheet for each table.")] = False,
) -> None:
    """Write an annotated starter case to begin your own company from."""
    from importlib.resources import as_file, files

    from optimizer.ground.errors import PlanError
    from optimizer.ground.interrupts import now_written

    if xlsx or folder.suffix.lower() == ".xlsx":
        return _starter_workbook(folder)
    if folder.exists():
        raise PlanError(f"{folder} exists already; name a new folder.")
    try:
        with as_file(files("optimizer") / "starter") as starter:
            now_written(folder)
            shutil.copytree(starter, folder)
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    print(f"{folder} holds a small case with notes in case.toml. Edit it, then: optimizer check {folder}")
    return None


def _starter_workbook(name: Path) -> None:
    """Write the starter case as a workbook. Raises PlanError where there is something of that name."""
    from importlib.resources import as_file, files

    from optimizer.case.folder import load_case
    from optimizer.case.saving import save_case

    workbook = name if name.suffix.lower() == ".xlsx" else name.with_name(f"{name.name}.xlsx")
    _refuse_existing(workbook)
    with as_file(files("optimizer") / "starter") as starter:
        written = save_case(load_case(starter), workbook, sources=_sources_of(starter))
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
    from optimizer.case.workbook import is_workbook
    from optimizer.ground.errors import PlanError

    loaded = load_case(case)
    from_workbook = is_workbook(case)
    if from_workbook and target.suffix.lower() == ".xlsx":
        raise PlanError(f"{case} is a workbook already; name the folder that it is to become.")
    workbook = target if target.suffix.lower() == ".xlsx" or from_workbook else target.with_name(f"{target.name}.xlsx")
    _refuse_existing(workbook)
    if from_workbook:
        save_case(loaded, target, sources=sources_in(case))
        print(f"{target} holds the case of {case}, a file for each table.")
        return
    print(f"{save_case(loaded, workbook, sources=_sources_of(case))} holds the case of {case}, a sheet for each table.")


@app.command()
def check(case: CaseFolder) -> None:
    """Report every problem of a case at once, without solving it."""
    from optimizer.case.folder import load_case

    loaded = load_case(case)
    for warning in loaded.warnings:
        print(f"note: {warning}", file=sys.stderr)
    settings = loaded.settings
    kinds = {"site": loaded.sites, "option": loaded.options, "offer": loaded.offers}
    counts = ", ".join(f"{len(rows)} {kind}{'' if len(rows) == 1 else 's'}" for kind, rows in kinds.items())
    print(
        f"{settings.name}: {counts}, "
        f"{loaded.first} to {loaded.last}, scenarios {', '.join(row.scenario for row in loaded.scenarios)}. "
        "No problem found."
    )


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
