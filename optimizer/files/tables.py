"""Strict reading of CSV and TOML: nothing is guessed, nothing repaired, every problem reported with its place."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.ground.findings import Finding

MOST_BYTES = 16 * 2**20
MOST_LINES = 200_000
TITLE_ROWS = 20
"""Lines in which a header is looked for that does not stand in the first one."""

_OTHER_KINDS = (
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or another zip file", "save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save it as CSV UTF-8"),
    (b"%PDF", "a PDF", "write it as CSV UTF-8"),
    (b"\x1f\x8b", "compressed (gzip)", "unpack it"),
    (b"PAR1", "a Parquet file", "write it as CSV UTF-8"),
    (b"\x93NUMPY", "a NumPy file, which is never read", "write it as CSV UTF-8"),
    (b"\x80\x02", "a Python pickle, which is never read", "write it as CSV UTF-8"),
    (b"\x80\x03", "a Python pickle, which is never read", "write it as CSV UTF-8"),
    (b"\x80\x04", "a Python pickle, which is never read", "write it as CSV UTF-8"),
    (b"\x80\x05", "a Python pickle, which is never read", "write it as CSV UTF-8"),
)
_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


@dataclass(frozen=True)
class RawTable:
    """A CSV file as text: `rows` are (line number, column -> cell)."""

    file: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[int, dict[str, str]], ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    header_line: int = 1


@dataclass(frozen=True)
class RawSettings:
    """A TOML file: its values, and its text to find their lines in."""

    values: dict[str, Any]
    text: str


# ---- bytes and text -------------------------------------------------------------------------------


def read_text(path: Path, file: str) -> str | Finding:
    """The file's text with line ends made `\\n`, or why it cannot be read."""
    data = read_bytes(path, file)
    if isinstance(data, Finding):
        return data
    kind = kind_of_bytes(data)
    if kind is not None:
        return Finding(file, f"is {kind[0]}, not text", kind[1])
    return _decoded(data, file)


def read_bytes(path: Path, file: str) -> bytes | Finding:
    """The file as it stands, unchanged while it was read, or why it cannot be read."""
    try:
        if not path.is_file():
            return Finding(file, f"is not a file but {_kind_of(path)}", "put the file itself there")
        data = _bytes(path)
    except OSError as error:
        return Finding(file, f"cannot be read: {error.strerror}", "check its permissions")
    if data is None:
        return Finding(file, "changed while it was read", "save and close it in the other program, then try again")
    if len(data) > MOST_BYTES:
        return Finding(file, f"is larger than {MOST_BYTES / 2**20:g} MB", "take out what is not needed")
    return data


def kind_of_bytes(data: bytes) -> tuple[str, str] | None:
    """What a file that is no text is, and how to mend it; None for what may be text."""
    return next(((kind, mend) for magic, kind, mend in _OTHER_KINDS if data.startswith(magic)), None)


def _kind_of(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return "a broken link"
    mode = path.stat().st_mode if path.exists() else 0
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device" if mode else "nothing")


def _bytes(path: Path) -> bytes | None:
    """At most one byte more than may be read; None where the file changed meanwhile."""
    with path.open("rb") as opened:
        before = os.fstat(opened.fileno())
        data = opened.read(MOST_BYTES + 1)
        after = os.fstat(opened.fileno())
    last = path.stat()
    same = {(s.st_ino, s.st_mtime_ns, s.st_size) for s in (before, after, last)}
    whole = len(data) == min(before.st_size, MOST_BYTES + 1)
    return data if len(same) == 1 and whole else None


def _decoded(data: bytes, file: str) -> str | Finding:
    mend = "save it as CSV UTF-8 (a spreadsheet: Save as; an editor: encoding UTF-8)"
    if data and data.count(0) > len(data) / 5:
        marked = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "UTF-16 without its mark")
        return Finding(file, f"is not UTF-8 (byte {data.index(0)} is NUL; it looks like {marked})", mend)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        guess = next((name for mark, name in _ENCODINGS if data.startswith(mark)), "Latin-1 or Windows-1252")
        where = f"byte {error.start}, 0x{data[error.start]:02X}; it looks like {guess}"
        line = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        return Finding(file, f"is not UTF-8 ({where})", mend, line=line)
    return text.replace("\r\n", "\n").replace("\r", "\n")


# ---- CSV --------------------------------------------------------------------------------------------


def read_csv(path: Path, file: str, known: Collection[str] = ()) -> RawTable:
    """Read one CSV file without guessing types; a row with another number of cells than the header is a finding.

    `known` are the columns that the table may have, to find a header that does not stand in the first line.
    """
    text = read_text(path, file)
    if isinstance(text, Finding):
        return RawTable(file, findings=(text,))
    lines = _lines(text, file)
    if isinstance(lines, Finding):
        return RawTable(file, findings=(lines,))
    if not lines:
        return RawTable(file, findings=(Finding(file, "is empty", "write a header and rows"),))
    top, columns = lines[0][0], [cell.strip() for cell in lines[0][1]]
    buried = buried_header(lines, known)
    findings = [Finding(file, *buried, line=top)] if buried else _header_findings(file, columns, top)
    if not findings and len(lines) == 1:
        findings.append(Finding(file, "has a header but no data rows", "write rows, or take the file away", line=top))
    if findings:
        unusable = buried or ";" in columns[0] or "\t" in lines[0][1][0]
        return RawTable(file, () if unusable else tuple(columns), findings=tuple(findings), header_line=top)
    rows = tuple(_rows(lines, columns, file, findings))
    return RawTable(file, tuple(columns), rows, tuple(findings), top)


def _lines(text: str, file: str) -> list[tuple[int, list[str]]] | Finding:
    """The lines that hold anything but blanks and commas, with their numbers; a quoted cell may span several."""
    if text.count("\n") > MOST_LINES:
        return Finding(file, f"has more than {MOST_LINES:,} lines", "take out what is not needed")
    reader = csv.reader(io.StringIO(text), strict=True)
    lines: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                lines.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        return _csv_finding(str(error), file, start)
    return lines


def _csv_finding(error: str, file: str, line: int) -> Finding:
    if "EOF" in error or "end of data" in error:
        return Finding(file, "opens a quote that is never closed", "close or double the quote", line=line)
    if "field limit" in error:
        return Finding(file, "has a cell longer than 131,072 characters", "close or double its quote", line=line)
    if "expected after" in error:
        return Finding(file, "goes on after a closing quote", "double the quotes inside the cell", line=line)
    return Finding(file, f"is not CSV: {error}", "mend that line", line=line)


def meant_by(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """The known name behind each that differs from it only in capitals, spaces, signs or a unit in brackets."""
    ours = {_letters(name): name for name in known}
    meant = {name: ours.get(_letters(name)) or ours.get(_letters(re.sub(_BRACKETS, "", name))) for name in names}
    return {name: known_name for name, known_name in meant.items() if known_name and name != known_name}


_BRACKETS = r"\(.*?\)|\[.*?\]|\{.*?\}"


def _letters(name: str) -> str:
    """A name's letters and digits alone, small: what is left of it however it is set."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def spelling(file: str, meant: Mapping[str, str], line: int | None = None) -> Finding:
    """One sentence on all names that are only spelt otherwise than in the case format."""
    capitals = all(name.upper() == name for name in meant)
    subject = "stands in capitals" if capitals else "is not spelt as in the case format"
    mend = f"write it as the docs do: {', '.join(meant.values())}"
    return Finding(file, subject, mend, line=line, value=", ".join(meant))


def buried_header(lines: list[tuple[int, list[str]]], known: Collection[str]) -> tuple[str, str] | None:
    """Why and mend where a title, a note or a comment stands above the header."""
    if _named(lines[0][1], known):
        return None
    for number, cells in lines[1:TITLE_ROWS]:
        if _named(cells, known) * 2 > len(cells):
            return f"begins with other lines; its header seems to be line {number}", "take away what stands above it"
    return None


def _named(cells: Iterable[str], known: Collection[str]) -> int:
    """How many cells name a known column, however it is spelt."""
    names = {cell.strip() for cell in cells}
    return len(names & set(known)) + len(meant_by(names, known))


def _header_findings(file: str, columns: list[str], line: int) -> list[Finding]:
    for mark, why in ((";", "semicolons (a European export)"), ("\t", "tabs")):
        if len(columns) == 1 and mark in columns[0]:
            mend = "separate cells by commas and write decimals with a point"
            return [Finding(file, f"is separated by {why}", mend, line=line)]
    findings = []
    if "" in columns:
        why = f"has an empty header cell (the {columns.index('') + 1}th)"
        findings.append(Finding(file, why, "name the column or take the trailing comma away", line=line))
    doubled = sorted({c for c in columns if c and columns.count(c) > 1})
    findings += [Finding(file, "stands twice in the header", "keep one", line=line, column=c) for c in doubled]
    return findings


def _rows(
    lines: list[tuple[int, list[str]]], columns: list[str], file: str, findings: list[Finding]
) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in lines[1:]:
        if len(cells) == len(columns):
            yield number, dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        elif cells[0].lstrip().startswith("#"):
            findings.append(Finding(file, "is a comment", "keep comments in README.md or SOURCES.md", line=number))
        else:
            why = f"has {len(cells)} cells where the header has {len(columns)}"
            findings.append(Finding(file, why, "add or take away commas", line=number))


# ---- TOML -------------------------------------------------------------------------------------------


def read_toml(path: Path, file: str) -> RawSettings | Finding:
    """The TOML file's top level, or why it cannot be read."""
    text = read_text(path, file)
    if isinstance(text, Finding):
        return text
    try:
        return RawSettings(tomllib.loads(text), text)
    except ValueError as error:
        at = re.search(r" ?\(at line (\d+), column (\d+)\)", str(error))
        why = str(error).replace(at[0], f" (column {at[2]})") if at else str(error)
        why = re.sub("Cannot overwrite a value|Cannot declare .* twice", "a key is given twice", why)
        return Finding(file, f"is not valid TOML: {why}", "mend that line", line=int(at[1]) if at else None)
    except RecursionError:
        return Finding(file, "is nested too deeply", "keep to the keys of the case format")


def line_of(text: str, name: str) -> int | None:
    """The line in which a TOML text gives a key, named by its path: `capex_budget_musd`, `discount_rates.mining`."""
    section = ""
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            section = f"{header[1]}."
            lines.setdefault(header[1], number)
        elif key := re.match(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*=""", line):
            lines.setdefault(section + next(part for part in key.groups() if part is not None), number)
    while name and name not in lines:
        name = name.rpartition(".")[0]
    return lines.get(name)
