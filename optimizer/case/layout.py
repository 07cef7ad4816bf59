"""Writes a case as an Excel workbook to fill in: a sheet for each table, with notes, drop-downs and frozen headers."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from optimizer.case import schema
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES, Case
from optimizer.case.checks.references import kind_and_home
from optimizer.case.columns import choices_of, column_kind, column_note
from optimizer.case.folder import case_texts, cell_text
from optimizer.case.workbook import (
    NONE,
    OTHER_SHEETS,
    SETTINGS_COLUMNS,
    SETTINGS_SHEET,
    SOURCES_SHEET,
    load_workbook,
    sources_of,
)
from optimizer.files.folders import put_file
from optimizer.files.sheets import read_workbook
from optimizer.ground.errors import PlanError

LISTS_SHEET = "_lists"
"""Names that stand in several rows of their table, once each, for drop-downs."""
ROWS_OFFERED = 2_000
"""Rows below the header that have drop-downs, more where the case has more."""
BODY = 2
"""First row of data, counted from 0: header and notes come before."""
LONGEST_CELL = 32_767
BLUE, PALE, GREY = "#1F3864", "#DDE3EE", "#6B7280"
_README = (
    "Fill in the sheets: each is one table of the case; settings holds the company and its policies.",
    "Row 1 is the header, row 2 says what each column holds; both stay. Units stand in the names of columns.",
    "Cells are plain: numbers like 1250 or 0.12 (no thousands separators, no %), quarters like 2027Q1, dates like "
    "2028-04-12, yes or no. A blank is allowed only where a note says so. Sheets with a grey tab may stay empty.",
    "Hidden rows, columns and sheets, merged cells, and dates or numbers in columns of text are refused. "
    "A sheet whose name begins with _ is yours: it is not read.",
    "Then, with this file's name: optimizer check FILE, and optimizer solve FILE.",
)
_FORMATS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 14, "font_color": BLUE},
    "words": {"text_wrap": True, "valign": "top"},
    "head": {"bold": True, "font_color": "white", "bg_color": BLUE, "valign": "vcenter"},
    "note": {"italic": True, "font_size": 9, "font_color": GREY, "bg_color": PALE, "text_wrap": True, "valign": "top"},
    "text": {"num_format": "@"},
    "number": {"num_format": "General"},
    "setting": {"num_format": "General", "align": "left"},
    "aside": {"num_format": "@", "italic": True, "font_color": GREY},
}


@dataclass
class _Target:
    """The workbook being written, its formats, and the columns of names in `_lists`."""

    workbook: Any
    case: Case
    formats: Mapping[str, Any]
    lists: dict[str, str]


def write_case_workbook(case: Case, path: Path, notes: Mapping[str, str] | None = None) -> Path:
    """Write the case as a workbook that `load_case` reads back to the same case; where it stands then.

    `notes` are texts for people (`SOURCES` -> lines), each on a sheet of its own. Raises PlanError, and InputError for
    a case that cannot be read back; then nothing was written.
    """
    data = case_workbook_bytes(case, notes or {})
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / path.name
        tried.write_bytes(data)
        if case_texts(load_workbook(tried, check_units=False)) != case_texts(case):
            raise PlanError(f"{path} would not read back to the same case; please report this.")
    try:
        return put_file(path, data)
    except OSError as error:
        raise PlanError(f"{path} cannot be written: {error.strerror}.") from None


def own_sheets_in(path: Path) -> list[str]:
    """Sheets of a workbook that are no part of a case, and not what this module writes beside it."""
    ours = {SETTINGS_SHEET, LISTS_SHEET, *OTHER_SHEETS, *TABLE_NAMES}
    return [sheet.name for sheet in read_workbook(path.read_bytes()).sheets if sheet.name not in ours and sheet.cells]


def sources_in(path: Path) -> str:
    """The text of a workbook's sheet SOURCES, a line for each of its rows; empty without that sheet."""
    sheets = {sheet.name: sheet for sheet in read_workbook(path.read_bytes()).sheets}
    return sources_of(sheets[SOURCES_SHEET]) if SOURCES_SHEET in sheets else ""


def case_workbook_bytes(case: Case, notes: Mapping[str, str]) -> bytes:
    """The workbook as bytes; equal cases and notes give equal bytes."""
    import xlsxwriter

    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    as_of = case.settings.as_of
    workbook.set_properties(
        {"title": case.settings.title, "author": "", "created": datetime(as_of.year, as_of.month, as_of.day)}
    )
    target = _Target(workbook, case, {name: workbook.add_format(dict(look)) for name, look in _FORMATS.items()}, {})
    _write_readme(target)
    _write_settings(target)
    for name in TABLE_NAMES:
        _write_table(target, name)
    for name, text in notes.items():
        _write_lines(target, name, text.splitlines())
    _write_lists(target)
    workbook.close()
    return buffer.getvalue()


# ---- sheets for people --------------------------------------------------------------------------------------------


def _write_readme(target: _Target) -> None:
    sheet = target.workbook.add_worksheet("README")
    sheet.hide_gridlines(2)
    _print_wide(sheet, 0, 0)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    _text(sheet, 0, 0, target.case.settings.title, target.formats["title"])
    row = 2
    for words in _README:
        _text(sheet, row, 1, words, target.formats["words"])
        sheet.set_row(row, 15 * (1 + len(words) // 95))
        row += 1
    for column, words in enumerate(("sheet", "what it holds")):
        _text(sheet, row + 1, column, words, target.formats["head"])
    listed = [(SETTINGS_SHEET, "The company, the horizon, its money and its policies.")]
    listed += [(name, TABLE_TYPES[name].about) for name in TABLE_NAMES]
    for number, (name, about) in enumerate(listed, row + 2):
        sheet.write_url(number, 0, f"internal:'{name}'!A1", string=name)
        _text(sheet, number, 1, about, target.formats["words"])
        sheet.set_row(number, 15 * (1 + len(about) // 95))


def _write_lines(target: _Target, name: str, lines: Iterable[str]) -> None:
    sheet = target.workbook.add_worksheet(name)
    sheet.set_column(0, 0, 160)
    for row, line in enumerate(lines):
        _text(sheet, row, 0, line, target.formats["text"])


def _write_lists(target: _Target) -> None:
    sheet = target.workbook.get_worksheet_by_name(LISTS_SHEET)
    if sheet is not None:
        sheet.hide()


# ---- settings and tables ------------------------------------------------------------------------------------------


def _write_settings(target: _Target) -> None:
    sheet = target.workbook.add_worksheet(SETTINGS_SHEET)
    for column, (name, width) in enumerate(zip(SETTINGS_COLUMNS, (34, 60, 90), strict=True)):
        _text(sheet, 0, column, name, target.formats["head"])
        sheet.set_column(column, column, width, target.formats["text"])
    sheet.freeze_panes(1, 1)
    _print_wide(sheet, 0, 0)
    row = 1
    for name, info in schema.Settings.model_fields.items():
        value = target.case.settings.model_dump()[name]
        entries = {f"{name}.{part}": held for part, held in value.items()} if isinstance(value, dict) else {name: value}
        for entry, held in entries.items():
            _text(sheet, row, 0, entry, target.formats["text"])
            _value(target, sheet, row, 1, _listed(held), "setting")
            _text(sheet, row, 2, column_note(info), target.formats["aside"])
            _offer(target, sheet, info, (row, 1, row))
            row += 1


def _print_wide(sheet: Any, first: int, last: int) -> None:
    """Printed landscape, as wide as a page, with its headers on every page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(first, last)
    sheet.set_footer("&L&A&RPage &P of &N")


def _listed(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return ", ".join(map(str, value)) or NONE


def _write_table(target: _Target, name: str) -> None:
    row_type, rows = TABLE_TYPES[name], target.case.rows(name)
    sheet = target.workbook.add_worksheet(name)
    if not row_type.required and not rows:
        sheet.set_tab_color("#C0C4CC")
    sheet.freeze_panes(BODY, len(row_type.key) if len(row_type.key) < 3 else 1)
    tallest = 1
    last = max(ROWS_OFFERED, len(rows) + ROWS_OFFERED // 2)
    for column, (field, info) in enumerate(row_type.model_fields.items()):
        width = min(34, max(14, len(field) + 2))
        look = target.formats["number" if column_kind(info) == "number" else "text"]
        sheet.set_column(column, column, width, look)
        _text(sheet, 0, column, field, target.formats["head"])
        _text(sheet, 1, column, column_note(info), target.formats["note"])
        tallest = max(tallest, 1 + len(column_note(info)) // width)
        _offer(target, sheet, info, (BODY, column, last), field)
    _print_wide(sheet, 0, 1)
    sheet.set_row(0, 20)
    sheet.set_row(1, 12.5 * tallest + 4)
    for number, row in enumerate(rows, BODY):
        for column, held in enumerate(row.model_dump().values()):
            _value(target, sheet, number, column, held)


def _value(target: _Target, sheet: Any, row: int, column: int, held: Any, look: str = "number") -> None:
    """A value as a number where Excel keeps it exactly, else as text, which is read by the same grammar."""
    if held is None:
        return
    if type(held) in (int, float) and float(f"{held:.16G}") == held:
        sheet.write_number(row, column, held, target.formats[look])
    else:
        _text(sheet, row, column, cell_text(held), target.formats["text"])


def _text(sheet: Any, row: int, column: int, words: str, look: Any) -> None:
    if len(words) > LONGEST_CELL:
        raise PlanError(f"A text of {len(words):,} characters does not fit a cell of a workbook ({words[:40]}...).")
    sheet.write_string(row, column, words, look)


# ---- drop-downs ---------------------------------------------------------------------------------------------------


def _offer(target: _Target, sheet: Any, info: FieldInfo, cells: tuple[int, int, int], field: str = "") -> None:
    """A drop-down for a column of set words, or of names that another table lists."""
    first, column, last = cells
    choices = choices_of(info)
    kind, home = kind_and_home(field)
    if choices:
        words = f"Choose one of: {', '.join(choices)}"[:250]
        listed = {"source": list(choices), "error_title": "Not in the list", "error_message": words}
    elif home in TABLE_TYPES and kind in TABLE_TYPES[home].model_fields and (sheet.name != home or field != kind):
        alone = TABLE_TYPES[home].key == (kind,)
        source = f"='{home}'!$A${BODY + 1}:$A${ROWS_OFFERED}" if alone else _listed_names(target, home, kind)
        message = f"No {kind} of that name is listed. Names are listed in the sheet {home}."
        listed = {"source": source, "error_type": "warning", "error_title": "Unknown name", "error_message": message}
    else:
        return
    sheet.data_validation(first, column, last, column, {"validate": "list", "ignore_blank": True, **listed})


def _listed_names(target: _Target, home: str, kind: str) -> str:
    """The range of `_lists` that holds each name of a table once."""
    if home not in target.lists:
        sheet = target.workbook.get_worksheet_by_name(LISTS_SHEET) or target.workbook.add_worksheet(LISTS_SHEET)
        column = len(target.lists)
        names = dict.fromkeys(str(getattr(row, kind)) for row in target.case.rows(home))
        for row, name in enumerate([kind, *names]):
            _text(sheet, row, column, name, target.formats["text"])
        letter = chr(65 + column)
        target.lists[home] = f"='{LISTS_SHEET}'!${letter}$2:${letter}${max(2, len(names) + 1)}"
    return target.lists[home]
