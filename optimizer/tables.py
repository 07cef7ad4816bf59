"""Strict reading of CSV and TOML: nothing is guessed, nothing repaired, every problem reported with its place."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.findings import Finding

MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class RawTable:
    """A CSV file as text: `rows` are (line number, column -> cell)."""

    file: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[int, dict[str, str]], ...] = ()
    findings: tuple[Finding, ...] = field(default=())


def read_text(path: Path, file: str) -> str | Finding:
    """The file's text with line ends made `\\n`, or why it cannot be read."""
    try:
        if not path.is_file():
            return Finding(file, "is not a file", "put the table there")
        if path.stat().st_size > MOST_BYTES:
            return Finding(file, f"is larger than {MOST_BYTES // 2**20} MB", "split it or take out what is not needed")
        data = path.read_bytes()
    except OSError as error:
        return Finding(file, f"cannot be read: {error.strerror}", "check its permissions")
    if data[:2] in (b"PK", b"\xd0\xcf"):
        return Finding(file, "is a workbook, not text", "save it as CSV UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        guess = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "Latin-1 or Windows-1252"
        return Finding(file, f"is not UTF-8 (byte {error.start}; it looks like {guess})", "save it as CSV UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_csv(path: Path, file: str) -> RawTable:
    """Read one CSV file without guessing types; a row with another number of cells than the header is a finding."""
    text = read_text(path, file)
    if isinstance(text, Finding):
        return RawTable(file, findings=(text,))
    reader = csv.reader(io.StringIO(text), strict=True)
    lines: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        why = "opens a quote that is never closed" if "EOF" in str(error) or "end of data" in str(error) else str(error)
        return RawTable(file, findings=(Finding(file, why, "close or double the quote", line=start),))
    lines = [(number, cells) for number, cells in lines if cells]
    if not lines:
        return RawTable(file, findings=(Finding(file, "is empty", "write a header and rows"),))
    columns = [cell.strip() for cell in lines[0][1]]
    findings = _header_findings(file, columns)
    if not findings and len(lines) == 1:
        findings.append(Finding(file, "has a header but no data rows", "write rows, or take the file away", line=1))
    if findings:
        return RawTable(file, () if ";" in columns[0] else tuple(columns), findings=tuple(findings))
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(columns):
            why = f"has {len(cells)} cells where the header has {len(columns)}"
            findings.append(Finding(file, why, "add or take away commas", line=number))
            continue
        rows.append((number, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    return RawTable(file, tuple(columns), tuple(rows), tuple(findings))


def _header_findings(file: str, columns: list[str]) -> list[Finding]:
    if len(columns) == 1 and ";" in columns[0]:
        why = "is separated by semicolons (a European export)"
        return [Finding(file, why, "separate cells by commas and write decimals with a point", line=1)]
    findings = []
    if "" in columns:
        why = f"has an empty header cell (the {columns.index('') + 1}th)"
        findings.append(Finding(file, why, "name the column or take the trailing comma away", line=1))
    doubled = sorted({c for c in columns if c and columns.count(c) > 1})
    findings += [Finding(file, "stands twice in the header", "keep one", line=1, column=c) for c in doubled]
    return findings


def read_toml(path: Path, file: str) -> dict[str, Any] | Finding:
    """The TOML file's top level, or why it cannot be read."""
    text = read_text(path, file)
    if isinstance(text, Finding):
        return text
    try:
        return tomllib.loads(text)
    except ValueError as error:
        return Finding(file, f"is not valid TOML: {error}", "mend it at that line")
    except RecursionError:
        return Finding(file, "is nested too deeply", "keep to the keys of the case format")
