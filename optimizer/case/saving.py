"""A case written by a script or a command, as a folder or as a workbook: whole or not at all, and read back at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from optimizer.case.case import TABLE_NAMES, Case
from optimizer.case.folder import case_texts, load_case
from optimizer.case.layout import own_sheets_in, sources_in, write_case_workbook
from optimizer.case.origins import NAME as SOURCES
from optimizer.case.workbook import SETTINGS_FILE
from optimizer.files.folders import fresh_folder, put_in_place, sync_all, write_file, writing
from optimizer.files.sheets import WorkbookError
from optimizer.ground.errors import PlanError

BOOK = ".xlsx"


def save_case(case: Case, target: str | Path, *, sources: str | None = None) -> Path:
    """Write a case as a folder, or as a workbook where `target` ends in `.xlsx`; where it stands then.

    `load_case` reads the same case back from it, with the same hash of every input; that is tried before anything is
    put in place. Numbers keep every digit. Sizes that do not fit their unit are looked at by `load_case`, not here.

    A case that stands there is replaced in one step: killed at any moment, the earlier one is there or the new one.
    Comments in `case.toml` are lost, and so is the layout of a workbook; tables that the case does not use are taken
    away. `SOURCES.md` (in a workbook the sheet SOURCES) stays as it is unless `sources` is its new text; in a folder
    every other file stays too.

    Raises PlanError where something else stands there or the disk does not take it, InputError for a case that cannot
    be read back (a required table without rows).
    """
    target = Path(target)
    try:
        if target.suffix.lower() == BOOK:
            return _save_workbook(case, target, sources)
        return _save_folder(case, target.resolve() if target.name in ("", "..") else target, sources)
    except OSError as error:
        raise PlanError(f"{target} cannot be written: {error.strerror}.") from None


def _save_workbook(case: Case, workbook: Path, sources: str | None) -> Path:
    if os.path.lexists(workbook):
        try:
            own, kept = own_sheets_in(workbook), sources_in(workbook)
        except WorkbookError as error:
            raise PlanError(f"{workbook} {error.why}; name another file.") from None
        if own:
            raise PlanError(f"{workbook} holds sheets that are no part of a case ({', '.join(own[:3])}); name another.")
        sources = kept if sources is None else sources
    workbook.parent.mkdir(parents=True, exist_ok=True)
    return write_case_workbook(case, workbook, {"SOURCES": sources} if sources else {})


def _save_folder(case: Case, folder: Path, sources: str | None) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with writing(folder):
        if why := _unfit(folder):
            raise PlanError(f"{folder} {why}")
        texts = case_texts(case) | ({SOURCES: sources} if sources else {})
        fresh = fresh_folder(folder)
        try:
            for name, text in texts.items():
                write_file(fresh / name, text.encode())
            if case_texts(load_case(fresh, check_units=False)) != case_texts(case):
                raise PlanError(f"{folder} would not read back to the same case; please report this.")
            sync_all([*(fresh / name for name in texts), fresh])
            put_in_place(fresh, folder, {SETTINGS_FILE, *(f"{name}.csv" for name in TABLE_NAMES), *texts}.__contains__)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _unfit(folder: Path) -> str:
    """Why a case may not be written over what stands there."""
    if folder.is_symlink():
        return f"is a link to {folder.readlink()}; name that folder itself."
    if (folder.parent / "plan.json").exists():
        return "lies in the folder of a plan, which holds what it was solved from; name another folder."
    if not folder.exists():
        return ""
    if not folder.is_dir():
        return f"is a file, not a folder; name another, or a workbook ({BOOK})."
    if Path.cwd().is_relative_to(folder.resolve()):
        return "is the folder this program was started in; start it elsewhere, or name another."
    if any(folder.iterdir()) and not (folder / SETTINGS_FILE).exists():
        return "holds something that is not a case; name another folder."
    return ""
