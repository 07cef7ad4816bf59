"""A case as an Excel workbook: one sheet for each table, the sheet `settings` for `case.toml`; read as strictly as CSV.

Row 1 of a sheet is its header. A row below it in which every cell begins with `#` holds notes. Findings name sheet and
cell.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from optimizer.case import schema
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES, Case, _nearest, assemble
from optimizer.case.columns import NOTE, ColumnKind, column_kind, column_note, fitting_rows, number_text
from optimizer.case.origins import NAME as SOURCES
from optimizer.case.origins import idle_origins
from optimizer.files.sheets import Cell, Sheet, Workbook, WorkbookError, column_letters, day_of, is_zero, read_workbook
from optimizer.files.tables import RawTable, buried_header, kind_of_bytes, read_bytes
from optimizer.ground.findings import Finding, InputError

SETTINGS_FILE = "case.toml"
SETTINGS_SHEET = "settings"
SETTINGS_COLUMNS = ("setting", "value", "note")
SOURCES_SHEET = "SOURCES"
OTHER_SHEETS = ("README", SOURCES_SHEET)
NONE = "none"
"""How a list of nothing is written in a cell, which a blank would leave out."""

CALCULATE = "open and save it in a spreadsheet (LibreOffice calculates on Ctrl+Shift+F9)"
NO_RESULT = ("unsaved", "dummy")
"""Kinds of cells with a formula and without its result."""
_BELONGS = {
    "text": "text",
    "number": "a number",
    "quarter": "a quarter like 2027Q1",
    "date": "a date",
    "yes or no": "yes or no",
}


@dataclass
class _Places:
    """Where the columns and settings of a case stand in its workbook."""

    workbook: str
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, int] = field(default_factory=dict)


def is_workbook(path: str | Path) -> bool:
    """Whether this is a file that is, or is named like, an Excel workbook."""
    path = Path(path)
    try:
        if not path.is_file():
            return False
        with path.open("rb") as opened:
            return opened.read(4) == b"PK\x03\x04" or path.suffix.lower() in (".xlsx", ".xlsm")
    except (OSError, ValueError):
        return False


def load_workbook(path: Path, *, check_units: bool = True) -> Case:
    """Read and check a workbook case. Raises InputError with every problem of every sheet in one pass."""
    workbook = _opened(path)
    if isinstance(workbook, Finding):
        raise InputError([workbook])
    places = _Places(path.name)
    findings = _stray_sheets(workbook)
    sheets = {sheet.name: sheet for sheet in workbook.sheets}
    settings = _settings(sheets, workbook, places, findings)
    tables = {
        name: _table(sheets.get(name), name, kind, workbook, places, findings) for name, kind in TABLE_TYPES.items()
    }
    try:
        case = assemble(settings, tables, findings, from_files=check_units)
    except InputError as error:
        raise InputError(_in_sheets(error.findings, places)) from None
    listed = sources_of(sheets[SOURCES_SHEET]) if check_units and SOURCES_SHEET in sheets else ""
    notes = [*case.warnings, *idle_origins(case, listed)]
    object.__setattr__(case, "warnings", tuple(_in_sheets(notes, places)))
    return case


def sources_of(sheet: Sheet) -> str:
    """The text of a list of sources, a line for each row of its sheet."""
    lines = {row: cell.text for (row, column), cell in sorted(sheet.cells.items()) if column == 1}
    return "".join(f"{lines.get(row, '')}\n" for row in range(1, max(lines, default=0) + 1))


def _opened(path: Path) -> Workbook | Finding:
    for lock in (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")):
        if lock.exists():
            return Finding(path.name, f"is open in a spreadsheet ({lock.name})", "save and close it there")
    data = read_bytes(path, path.name)
    if isinstance(data, Finding):
        return data
    if data[:4] != b"PK\x03\x04":
        kind = kind_of_bytes(data)
        mend = "save it as Excel workbook (.xlsx), without a password"
        return Finding(path.name, f"is {kind[0] if kind else 'no workbook, whatever its name says'}", mend)
    try:
        return read_workbook(data)
    except WorkbookError as error:
        return Finding(path.name, error.why, error.mend)


# ---- sheets -------------------------------------------------------------------------------------------------------


def _stray_sheets(workbook: Workbook) -> list[Finding]:
    """Sheets that are no table, twice there, hidden or merged; those that begin with `_` are the user's own."""
    known = [SETTINGS_SHEET, *TABLE_NAMES]
    findings, seen = [], set()
    for sheet in workbook.sheets:
        file = _file_of(sheet.name)
        if sheet.name in seen:
            findings.append(Finding(file, "stands twice in the workbook", "keep one"))
        seen.add(sheet.name)
        if sheet.name in OTHER_SHEETS or sheet.name.startswith("_") or not (sheet.cells or sheet.name in known):
            continue
        if sheet.name not in known:
            mend = f"{_nearest(sheet.name, known).rstrip('?')}, or begin its name with _"
            findings.append(Finding(f"sheet {sheet.name}", "is no table of a case", mend))
            continue
        findings += [Finding(file, f"{why}", mend) for why, mend in _unseen(sheet)]
    return findings


def _unseen(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """What of a sheet its reader does not see, or sees elsewhere than it stands."""
    if sheet.hidden and sheet.cells:
        yield "is hidden", "show it, or delete it"
    rows = sorted(sheet.hidden_rows & {row for row, _ in sheet.cells})
    if rows:
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield f"hides row {rows[0]}{more}, by hand or by a filter", "show the rows, or delete them"
    columns = sorted(sheet.hidden_columns & {column for _, column in sheet.cells})
    if columns:
        yield f"hides column {', '.join(map(column_letters, columns))}", "show it, or delete it"
    for merged in sheet.merged:
        yield f"has merged cells ({merged})", "unmerge them and fill each cell"


def _file_of(sheet: str) -> str:
    return SETTINGS_FILE if sheet == SETTINGS_SHEET else f"{sheet}.csv"


def _grid(sheet: Sheet) -> list[tuple[int, dict[int, Cell]]]:
    """The rows that hold anything: row number and its cells by column."""
    rows: dict[int, dict[int, Cell]] = {}
    for (row, column), cell in sorted(sheet.cells.items()):
        if cell.text.strip() or cell.kind in NO_RESULT:
            rows.setdefault(row, {})[column] = cell
    return list(rows.items())


def _table(
    sheet: Sheet | None,
    name: str,
    row_type: type[schema.Row],
    workbook: Workbook,
    places: _Places,
    findings: list[Finding],
) -> Any:
    file = f"{name}.csv"
    grid = _grid(sheet) if sheet else []
    if sheet is None or not grid:
        if row_type.required:
            why = "is missing" if sheet is None else "is empty"
            findings.append(Finding(file, why, f"write the table {name} (docs/case-format.md)"))
        return ()
    findings += _formula_note(sheet, file)
    columns = _header(grid, list(row_type.model_fields), file, findings)
    if columns is None:
        return ()
    places.columns[file] = {name: column_letters(number) for number, name in columns.items()}
    body = _without_notes(grid[1:], columns, row_type.model_fields, file, findings)
    if not body and row_type.required:
        findings.append(Finding(file, "has a header but no data rows", "write rows"))
    kinds = {name: column_kind(info) for name, info in row_type.model_fields.items()}
    raw: list[Finding] = []
    rows = tuple(_rows(body, columns, kinds, workbook, file, raw))
    read = RawTable(file, tuple(columns.values()), rows, tuple(raw), grid[0][0])
    return fitting_rows(read, row_type, findings)


def _header(
    grid: list[tuple[int, dict[int, Cell]]], known: list[str], file: str, findings: list[Finding]
) -> dict[int, str] | None:
    """Names of the columns by their number; None where they cannot be told."""
    lines = [(row, [cell.text for cell in cells.values()]) for row, cells in grid]
    if buried := buried_header(lines, known):
        findings.append(Finding(file, buried[0].replace("line", "row"), buried[1], line=grid[0][0]))
        return None
    row, cells = grid[0]
    if row != 1:
        findings.append(Finding(file, "has its header below the first row", "take the rows above it away", line=row))
    columns = {number: cell.text.strip() for number, cell in cells.items()}
    names = list(columns.values())
    doubled = sorted({name for name in names if names.count(name) > 1})
    findings += [Finding(file, "stands twice in the header", "keep one", line=row, column=name) for name in doubled]
    return None if doubled else columns


def _without_notes(
    body: list[tuple[int, dict[int, Cell]]],
    columns: Mapping[int, str],
    fields: Mapping[str, FieldInfo],
    file: str,
    findings: list[Finding],
) -> list[tuple[int, dict[int, Cell]]]:
    """The rows below the header without the row of notes, if there is one."""
    if not body or not all(
        number in body[0][1] and body[0][1][number].text.lstrip().startswith(NOTE) for number in columns
    ):
        return body
    row, cells = body[0]
    ours = {column_note(info) for info in fields.values()}
    if not {cells[number].text for number in columns} <= ours:
        why = f"is read as a row of notes, since each of its cells begins with {NOTE}"
        findings.append(Finding(file, why, line=row, severity="warning"))
    return body[1:]


def _rows(
    body: list[tuple[int, dict[int, Cell]]],
    columns: Mapping[int, str],
    kinds: Mapping[str, ColumnKind],
    workbook: Workbook,
    file: str,
    findings: list[Finding],
) -> Iterator[tuple[int, dict[str, str]]]:
    for row, cells in body:
        whole = True
        for number in sorted(set(cells) - set(columns)):
            where = f"{column_letters(number)}{row}"
            why = f"has a cell under no header ({where})"
            findings.append(Finding(file, why, "name its column or clear it", line=row, value=cells[number].text))
            whole = False
        record = {}
        for number, name in columns.items():
            told = _told(cells.get(number), kinds.get(name, "text"), workbook)
            if isinstance(told, tuple):
                findings.append(Finding(file, *told, line=row, column=name, value=cells[number].text[:100]))
                whole = False
            else:
                record[name] = told
        if whole:
            yield row, record


def _told(cell: Cell | None, kind: ColumnKind, workbook: Workbook) -> str | tuple[str, str]:
    """A cell as the text that a CSV file would hold, or why it cannot be taken and how to mend it."""
    if cell is None:
        return ""
    mend = f"format the cell as {'number' if kind == 'number' else 'text'} and write {_BELONGS[kind]} again"
    formula = f"(={(cell.formula or '')[:60]})"
    match cell.kind:
        case "text":
            return cell.text.strip()
        case "number" if kind == "number":
            return number_text(float(cell.text))
        case "date" if kind == "date":
            day = day_of(cell, workbook)
            return (f"is no day of the calendar{_calendar(workbook)}", mend) if day is None else str(day)
        case "error":
            return "is an error of a formula", "mend the formula, or write the value"
        case "unsaved":
            return f"is a formula with no saved value {formula}", CALCULATE
        case "dummy":
            return f"stands for the result of a formula that no spreadsheet has calculated {formula}", CALCULATE
        case "truth":
            return f"is a switch where {_BELONGS[kind]} belongs", mend
        case "number":
            return f"is a number where {_BELONGS[kind]} belongs", mend
        case _:
            day = day_of(cell, workbook)
            told = f" ({day})" if day else ""
            return f"is a date{told} where {_BELONGS[kind]} belongs", mend


def _calendar(workbook: Workbook) -> str:
    return " of 1904 that this workbook uses" if workbook.from_1904 else ""


def _formula_note(sheet: Sheet, file: str) -> Iterator[Finding]:
    saved = sorted(
        place for place, cell in sheet.cells.items() if cell.formula is not None and cell.kind not in NO_RESULT
    )
    if saved:
        row, column = saved[0]
        count = "a formula" if len(saved) == 1 else f"{len(saved)} formulas, the first"
        zeros = (
            ", which is 0 throughout: is it calculated?" if all(is_zero(sheet.cells[place]) for place in saved) else ""
        )
        why = f"holds {count} in {column_letters(column)}{row}; what the workbook saved of them is read{zeros}"
        yield Finding(file, why, severity="warning")


# ---- settings -----------------------------------------------------------------------------------------------------


def _settings(
    sheets: Mapping[str, Sheet], workbook: Workbook, places: _Places, findings: list[Finding]
) -> dict[str, Any] | None:
    sheet = sheets.get(SETTINGS_SHEET)
    grid = _grid(sheet) if sheet else []
    if sheet is None or not grid:
        findings.append(Finding(SETTINGS_FILE, "is missing", "write the settings (docs/case-format.md)"))
        return None
    findings += _formula_note(sheet, SETTINGS_FILE)
    columns = _header(grid, list(SETTINGS_COLUMNS), SETTINGS_FILE, findings) or {}
    at = {name: number for number, name in columns.items()}
    if not {"setting", "value"} <= set(at) or set(at) > set(SETTINGS_COLUMNS):
        findings.append(Finding(SETTINGS_FILE, "has no header setting, value, note", "write it in row 1", line=1))
        return None
    places.columns[SETTINGS_FILE] = {"value": column_letters(at["value"])}
    values: dict[str, Any] = {}
    for row, cells in grid[1:]:
        name = cells[at["setting"]].text.strip() if at["setting"] in cells else ""
        if not name or name in places.settings:
            why = "stands twice" if name else "names no setting"
            findings.append(Finding(SETTINGS_FILE, f"{why} (row {row})", "keep one row for each", value=name))
            continue
        places.settings[name] = row
        if at["value"] in cells:
            _set(values, name, cells[at["value"]], workbook, findings)
    return values


def _set(values: dict[str, Any], name: str, cell: Cell, workbook: Workbook, findings: list[Finding]) -> None:
    group, dot, part = name.partition(".")
    info = schema.Settings.model_fields.get(group)
    unknown: ColumnKind = "number" if cell.kind == "number" else "text"
    told = _told(cell, unknown if info is None else column_kind(info), workbook)
    if isinstance(told, tuple):
        findings.append(Finding(SETTINGS_FILE, *told, column=name, value=cell.text[:100]))
    elif dot:
        held = values.setdefault(group, {})
        if isinstance(held, dict):
            held[part] = told
    elif info is not None and typing.get_origin(info.annotation) is tuple:
        values[name] = [] if told == NONE else [item.strip() for item in told.split(",")]
    else:
        values[name] = told


# ---- findings -----------------------------------------------------------------------------------------------------


def _in_sheets(findings: Iterable[Finding], places: _Places) -> Iterator[Finding]:
    """Findings by file, line and column told by workbook, sheet and cell."""
    for finding in findings:
        yield replace(
            finding,
            file=f"{places.workbook}, {_place(finding, places)}",
            line=None,
            why=_in_words(finding.why),
            mend=_in_words(finding.mend),
        )


def _place(finding: Finding, places: _Places) -> str:
    if finding.file == SETTINGS_FILE:
        name = finding.column
        while name and name not in places.settings:
            name = name.rpartition(".")[0]
        row = places.settings.get(name, finding.line)
        letter = places.columns.get(SETTINGS_FILE, {}).get("value", "") if name else ""
        return _cell_words(SETTINGS_SHEET, letter, row)
    if finding.file == SOURCES:
        return _cell_words(SOURCES_SHEET, "A", finding.line)
    if not finding.file.endswith(".csv"):
        return finding.file
    letters = places.columns.get(finding.file, {})
    letter = letters.get(finding.column.partition(",")[0], "")
    return _cell_words(finding.file.removesuffix(".csv"), letter, finding.line)


def _cell_words(sheet: str, letter: str, row: int | None) -> str:
    if row is None:
        return f"sheet {sheet}"
    return f"sheet {sheet}, cell {letter}{row}" if letter else f"sheet {sheet}, row {row}"


def _in_words(words: str) -> str:
    words = re.sub(rf"\b({'|'.join(TABLE_NAMES)})\.csv", r"sheet \1", words.replace(SETTINGS_FILE, "sheet settings"))
    return re.sub(r"\bline (\d+)", r"row \1", words)
