"""A case as a folder: `case.toml` and one CSV file for each table."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from optimizer.case import schema
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES, Case, _nearest, assemble
from optimizer.case.columns import column_kind, fitting_rows, number_text
from optimizer.case.origins import NAME as SOURCES
from optimizer.case.origins import idle_origins
from optimizer.case.workbook import SETTINGS_FILE, is_workbook, load_workbook
from optimizer.files.tables import kind_of_bytes, line_of, read_csv, read_text, read_toml
from optimizer.ground.findings import Finding, InputError

OTHER_FILES = (SOURCES, "README.md")
_LOCKS = ("~$", ".~lock.")


def load_case(folder: str | Path, *, check_units: bool = True) -> Case:
    """Read and check a case folder or workbook. Raises InputError with every problem of every file in one pass.

    `check_units` also refuses numbers whose size does not fit their unit, unless `allow.csv` says that they are meant,
    and promises that no plan could keep; and it notes what is odd.
    """
    if is_workbook(folder):
        return load_workbook(Path(folder), check_units=check_units)
    if problem := _no_folder(folder):
        raise InputError([problem])
    folder = Path(folder)
    try:
        findings: list[Finding] = _stray_files(folder)
    except OSError as error:
        raise InputError([Finding(str(folder), f"cannot be read: {error.strerror}", "check its permissions")]) from None
    settings = read_toml(folder / SETTINGS_FILE, SETTINGS_FILE)
    tables = {name: _read_table(folder, name, row_type, findings) for name, row_type in TABLE_TYPES.items()}
    if isinstance(settings, Finding):
        return assemble(None, tables, [settings, *findings], from_files=check_units)
    findings += _quoted_numbers(settings.values)
    try:
        case = assemble(settings.values, tables, findings, from_files=check_units)
    except InputError as error:
        raise InputError(_with_lines(error.findings, settings.text)) from None
    notes = [*_with_lines(case.warnings, settings.text), *(_notes_on_sources(case, folder) if check_units else ())]
    object.__setattr__(case, "warnings", tuple(notes))
    return case


def _notes_on_sources(case: Case, folder: Path) -> Iterator[Finding]:
    """Rows of SOURCES.md that speak of nothing in the case; the file may be absent."""
    if (folder / SOURCES).exists():
        text = read_text(folder / SOURCES, SOURCES)
        yield from [replace(text, severity="warning")] if isinstance(text, Finding) else idle_origins(case, text)


def _quoted_numbers(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Numbers that TOML holds as texts: nothing is guessed from what stands in quotes."""
    for name, info in schema.Settings.model_fields.items():
        held = values.get(name)
        inside = held.values() if isinstance(held, dict) else [held] if column_kind(info) == "number" else []
        for value in inside:
            if isinstance(value, str):
                yield Finding(
                    SETTINGS_FILE, "is a text", "write the number without quotes", column=name, value=value[:100]
                )


def _with_lines(findings: Iterable[Finding], text: str) -> Iterator[Finding]:
    """Findings about settings get the line of `case.toml` that gives the setting."""
    for finding in findings:
        name = finding.column or finding.value.partition(",")[0]
        lacks = finding.file == SETTINGS_FILE and finding.line is None and name
        yield replace(finding, line=line_of(text, name)) if lacks else finding


def _no_folder(folder: str | Path) -> Finding | None:
    """Why this is no folder to read a case from."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(folder)):
        return Finding(
            str(folder), "is an address; a case is read from this machine", "copy it here and name its folder"
        )
    path = Path(folder)
    mend = f"name a folder that holds {SETTINGS_FILE}"
    try:
        if path.is_dir():
            return _plan_instead(path)
        with path.open("rb") if path.is_file() else io.BytesIO() as opened:
            kind = kind_of_bytes(opened.read(8))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its name holds NUL"
        return Finding(str(folder), f"cannot be read: {why}", mend)
    if kind is not None:
        return Finding(str(folder), f"is {kind[0]}, not a case folder", f"save each sheet as CSV UTF-8 and {mend}")
    return Finding(str(folder), "is not a case folder", mend)


def _plan_instead(folder: Path) -> Finding | None:
    """That a folder holds a plan where a case is wanted."""
    if not (folder / "plan.json").is_file() or (folder / SETTINGS_FILE).exists():
        return None
    return Finding(
        str(folder), "is a plan, not a case", f"name the case that it was solved from, or {folder / 'inputs'}"
    )


def _read_table(folder: Path, name: str, row_type: type[schema.Row], findings: list[Finding]) -> Any:
    file = f"{name}.csv"
    if not os.path.lexists(folder / file):
        if row_type.required:
            findings.append(Finding(file, "is missing", f"write the table {name} (docs/case-format.md)"))
        return ()
    return fitting_rows(read_csv(folder / file, file, list(row_type.model_fields)), row_type, findings)


def _stray_files(folder: Path) -> list[Finding]:
    known = sorted({SETTINGS_FILE, *OTHER_FILES, *(f"{name}.csv" for name in TABLE_NAMES)})
    return [
        _stray(name, known)
        for name in sorted(path.name for path in folder.iterdir())
        if name not in known and (name.startswith(_LOCKS) or not name.startswith("."))
    ]


def _stray(name: str, known: list[str]) -> Finding:
    if name.startswith(_LOCKS):
        return Finding(name, "shows that a spreadsheet has this folder's file open", "save and close it there")
    kinds = {".xlsx": "an Excel workbook", ".xls": "an Excel workbook", ".ods": "a LibreOffice workbook"}
    kind = kinds.get(Path(name).suffix.lower())
    if kind is not None:
        table = _nearest(f"{Path(name).stem}.csv", known)
        return Finding(
            name,
            f"is {kind}, which is not read inside a case folder",
            f"save each sheet as CSV UTF-8 ({table.rstrip('?')}?)",
        )
    return Finding(name, "is no file of a case", _nearest(name, known))


def case_texts(case: Case) -> dict[str, str]:
    """Every file of the case in its canonical form: equal cases give equal texts."""
    texts = {SETTINGS_FILE: settings_text(case.settings)}
    for name in TABLE_NAMES:
        rows = case.rows(name)
        if rows:
            texts[f"{name}.csv"] = _csv_text(TABLE_TYPES[name], rows)
    return texts


def write_case(case: Case, folder: str | Path) -> None:
    """Write the case as a folder that `load_case` reads back to the same case."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in case_texts(case).items():
        (folder / file).write_text(text, encoding="utf-8", newline="\n")


def input_hashes(case: Case) -> dict[str, str]:
    """SHA-256 of the canonical text of every input file."""
    return {file: hashlib.sha256(text.encode()).hexdigest() for file, text in sorted(case_texts(case).items())}


def _csv_text(row_type: type[schema.Row], rows: tuple[schema.Row, ...]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    columns = [
        name
        for name, info in row_type.model_fields.items()
        if info.is_required() or any(getattr(row, name) != info.default for row in rows)
    ]
    writer.writerow(columns)
    for row in rows:
        cells = row.model_dump()
        writer.writerow([cell_text(cells[name]) for name in columns])
    return buffer.getvalue()


def cell_text(value: Any) -> str:
    """One value as a cell: shortest decimal that reads back exactly, blank for None."""
    if value is None:
        return ""
    return number_text(value) if isinstance(value, float) else str(value)


def settings_text(settings: schema.Settings) -> str:
    """`case.toml`, without what may be left out and is."""
    lines, tables = [], []
    for name, value in settings.model_dump(exclude_defaults=True).items():
        if isinstance(value, dict):
            tables += ["", f"[{name}]", *(f"{_toml(k)} = {_toml(v)}" for k, v in value.items())]
        elif value is not None:
            lines.append(f"{name} = {_toml(value)}")
    return "\n".join(lines + tables) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, date) or (isinstance(value, int | float) and not hasattr(value, "days")):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
