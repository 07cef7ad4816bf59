"""A case as a folder: `case.toml` and one CSV file for each table."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from datetime import date
from pathlib import Path
from typing import Any

from optimizer import schema
from optimizer.case import TABLE_NAMES, TABLE_TYPES, Case, _nearest, assemble
from optimizer.findings import Finding, InputError
from optimizer.tables import read_csv, read_toml

SETTINGS_FILE = "case.toml"
OTHER_FILES = ("SOURCES.md", "README.md")


def load_case(folder: str | Path) -> Case:
    """Read and check a case folder. Raises InputError with every problem of every file in one pass."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError([Finding(str(folder), "is not a case folder", "name a folder that holds case.toml")])
    try:
        findings: list[Finding] = _stray_files(folder)
    except OSError as error:
        raise InputError([Finding(str(folder), f"cannot be read: {error.strerror}", "check its permissions")]) from None
    settings = read_toml(folder / SETTINGS_FILE, SETTINGS_FILE)
    tables = {name: _read_table(folder, name, row_type, findings) for name, row_type in TABLE_TYPES.items()}
    if isinstance(settings, Finding):
        return assemble(None, tables, [settings, *findings])
    return assemble(settings, tables, findings)


def _read_table(folder: Path, name: str, row_type: type[schema.Row], findings: list[Finding]) -> Any:
    file = f"{name}.csv"
    if not os.path.lexists(folder / file):
        if row_type.required:
            findings.append(Finding(file, "is missing", f"write the table {name} (docs/case-format.md)"))
        return ()
    raw = read_csv(folder / file, file)
    known = list(row_type.model_fields)
    needed = [name for name, info in row_type.model_fields.items() if info.is_required()]
    absent = [c for c in needed if c not in raw.columns] if raw.columns else []
    extra = [c for c in raw.columns if c and c not in known]
    findings += [Finding(file, "is a missing column", _nearest_hint(c, extra), line=1, column=c) for c in absent]
    findings += [Finding(file, "is an unknown column", _nearest(c, known), line=1, column=c) for c in extra]
    if absent or extra:
        findings += [finding for finding in raw.findings if finding.line == 1]
        return ()
    findings += raw.findings
    return raw.rows


def _nearest_hint(name: str, candidates: list[str]) -> str:
    hint = _nearest(name, candidates)
    return f"add it, or {hint.replace('did you mean', 'rename')[:-1]} to it" if "mean" in hint else "add it"


def _stray_files(folder: Path) -> list[Finding]:
    allowed = {SETTINGS_FILE, *OTHER_FILES, *(f"{name}.csv" for name in TABLE_NAMES)}
    strays = sorted(p.name for p in folder.iterdir() if p.name not in allowed and not p.name.startswith("."))
    known = sorted(allowed)
    return [Finding(name, "is no file of a case", _nearest(name, known)) for name in strays]


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
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def settings_text(settings: schema.Settings) -> str:
    lines, tables = [], []
    for name, value in settings.model_dump().items():
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
