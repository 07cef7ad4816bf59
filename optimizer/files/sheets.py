"""Strict reading of an Excel workbook (.xlsx): cells as they stand in the file, and what is odd about their sheets.

Read straight from the parts of the file, within stated sizes and without document types or entities. A reader made for
all workbooks would repair, guess and unpack first.
"""

from __future__ import annotations

import ast
import io
import operator
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import IO, Literal
from xml.etree.ElementTree import Element, ParseError

MOST_UNPACKED = 64 * 2**20
MOST_RATIO = 200
"""Times that a part larger than a MB may grow when it is unpacked; plain tables grow 5 to 40 times."""
MOST_PARTS = 2_000
MOST_CELLS = 2_000_000

Kind = Literal["text", "number", "date", "truth", "error", "unsaved", "dummy"]
"""`unsaved` is a formula without a saved result, `dummy` one whose saved 0 stands in for a result."""


SURELY_ANOTHER = 1e-6
"""A result further from 0 is no rounding of it."""
_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip

_DAMAGE = (
    ParseError,
    ValueError,
    LookupError,
    StopIteration,
    ArithmeticError,
    RuntimeError,
    EOFError,
    OSError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What damaged files make the standard library raise."""


class WorkbookError(Exception):
    """The workbook cannot be read: why, and how to mend it."""

    def __init__(self, why: str, mend: str):
        self.why, self.mend = why, mend
        super().__init__(why)


@dataclass(frozen=True)
class Cell:
    """A cell that holds something: `text` is a text, a number's digits, the serial of a date or an error's name."""

    kind: Kind
    text: str
    formula: str | None = None


@dataclass
class Sheet:
    """One sheet: cells by (row, column), both counted from 1, and what of it a reader would not see.

    `uncalculated`: it asks to be calculated when it is opened, so that no spreadsheet has done so before.
    """

    name: str
    hidden: bool = False
    uncalculated: bool = False
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Workbook:
    """A workbook: its sheets in their order, and the day that serial 0 stands for."""

    sheets: tuple[Sheet, ...]
    from_1904: bool = False


def read_workbook(data: bytes) -> Workbook:
    """Every cell of every sheet of a workbook given as bytes. Raises WorkbookError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive, _sizes(archive))
    except WorkbookError:
        raise
    except _DAMAGE as error:
        if type(error).__module__.startswith("defusedxml"):
            why = "holds a document type or entities, which no spreadsheet writes"
        else:
            why = f"is damaged ({str(error)[:100] or type(error).__name__})"
        raise WorkbookError(why, "save it anew in Excel") from None


def _sizes(archive: zipfile.ZipFile) -> dict[str, int]:
    """Declared sizes of the parts, by name, before anything is unpacked. Raises WorkbookError."""
    parts = archive.infolist()
    mend = "take out what is not needed"
    if len(parts) > MOST_PARTS or len({part.filename for part in parts}) < len(parts):
        raise WorkbookError(f"has more than {MOST_PARTS:,} parts, or a part twice", "save it anew in Excel")
    if any(part.flag_bits & 1 for part in parts):
        raise WorkbookError("is encrypted", "save it without a password")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED:
        raise WorkbookError(f"would unpack to {unpacked / 2**20:,.0f} MB, more than {MOST_UNPACKED / 2**20:.0f}", mend)
    for part in parts:
        if part.file_size > 2**20 and part.file_size > MOST_RATIO * max(part.compress_size, 1):
            times = part.file_size / max(part.compress_size, 1)
            raise WorkbookError(f"unpacks to {times:,.0f} times its size (at most {MOST_RATIO})", mend)
    return {part.filename: part.file_size for part in parts}


def _read(archive: zipfile.ZipFile, sizes: Mapping[str, int]) -> Workbook:
    if "xl/workbook.bin" in sizes:
        raise WorkbookError("is a binary workbook (.xlsb)", "save it as Excel workbook (.xlsx)")
    if "content.xml" in sizes:
        raise WorkbookError("is a LibreOffice document", "save it as Excel workbook (.xlsx)")
    if "_rels/.rels" not in sizes:
        raise WorkbookError("is a zip file, not a workbook", "name a workbook (.xlsx) or a case folder")
    main = next((path for kind, path in _relations(archive, "").values() if kind == "officeDocument"), "")
    root = _tree(archive, main)
    if _tag(root) != "workbook":
        raise WorkbookError("is no workbook", "name a workbook (.xlsx) or a case folder")
    related = _relations(archive, main)
    targets = dict(related.values())
    texts = list(_shared_texts(archive, targets["sharedStrings"])) if "sharedStrings" in targets else []
    dated = _date_styles(archive, targets["styles"]) if "styles" in targets else set()
    sheets = []
    for element in root.iter():
        if _tag(element) == "sheet":
            link = next(value for name, value in element.items() if name.endswith("}id"))
            sheet = Sheet(element.get("name", ""), element.get("state", "visible") != "visible")
            if related[link][0] == "worksheet":
                _fill(sheet, archive, related[link][1], texts, dated)
            sheets.append(sheet)
    _mark_dummies(root, sheets)
    settings = _first(root, "workbookPr")
    return Workbook(tuple(sheets), settings is not None and settings.get("date1904") in ("1", "true", "on"))


# ---- parts --------------------------------------------------------------------------------------------------------


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _first(root: Element, tag: str) -> Element | None:
    return next((element for element in root.iter() if _tag(element) == tag), None)


def _tree(archive: zipfile.ZipFile, path: str) -> Element:
    from defusedxml.ElementTree import fromstring

    root: Element = fromstring(archive.read(path), forbid_dtd=True)
    return root


def _relations(archive: zipfile.ZipFile, path: str) -> dict[str, tuple[str, str]]:
    """What a part refers to inside the file: id -> (kind, path)."""
    folder, _, name = path.rpartition("/")
    listed = f"{folder}/_rels/{name}.rels".lstrip("/")
    if listed not in archive.namelist():
        return {}
    found = {}
    for element in _tree(archive, listed):
        if element.get("TargetMode") != "External":
            target = element.get("Target", "")
            full = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
            found[element.get("Id", "")] = (element.get("Type", "").rpartition("/")[2], full)
    return found


def _shared_texts(archive: zipfile.ZipFile, path: str) -> Iterator[str]:
    for item in _tree(archive, path):
        yield _text(item)


def _text(item: Element) -> str:
    """The text of a cell or a shared string, without readings of it in another script (`rPh`)."""
    parts = []
    for element in item:
        if _tag(element) == "t":
            parts.append(element.text or "")
        elif _tag(element) == "r":
            parts += [run.text or "" for run in element if _tag(run) == "t"]
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), "".join(parts))


_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Number formats of Excel itself that show dates and times."""


def _date_styles(archive: zipfile.ZipFile, path: str) -> set[str]:
    """Styles of cells that show a number as a date or a time."""
    root = _tree(archive, path)
    formats = {
        element.get("numFmtId"): element.get("formatCode", "") for element in root.iter() if _tag(element) == "numFmt"
    }
    dates = {code for code, shape in formats.items() if re.search("[ymdhs]", _bare(shape), re.IGNORECASE)}
    used = next((list(element) for element in root if _tag(element) == "cellXfs"), [])
    return {
        str(number)
        for number, style in enumerate(used)
        if (code := style.get("numFmtId", "0")) in dates or (code.isdecimal() and int(code) in _DATES)
    }


def _bare(shape: str) -> str:
    """A number format without its quoted texts, colours and conditions."""
    return re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|General', "", shape)


# ---- cells --------------------------------------------------------------------------------------------------------


def _fill(sheet: Sheet, archive: zipfile.ZipFile, path: str, texts: list[str], dated: set[str]) -> None:
    with archive.open(path) as opened:
        row = 0
        for element in _finished(opened):
            match _tag(element):
                case "row":
                    row = _fill_row(sheet, element, row, texts, dated)
                    element.clear()
                case "col" if _is_on(element, "hidden") or element.get("width") == "0":
                    first, last = int(element.get("min", "1")), min(int(element.get("max", "1")), 16_384)
                    sheet.hidden_columns.update(range(first, last + 1))
                case "sheetCalcPr":
                    sheet.uncalculated = _is_on(element, "fullCalcOnLoad")
                case "mergeCell":
                    sheet.merged.append(element.get("ref", ""))


def _finished(opened: IO[bytes]) -> Iterator[Element]:
    from defusedxml.ElementTree import iterparse

    for _, element in iterparse(opened, forbid_dtd=True):
        yield element


def _is_on(element: Element, name: str) -> bool:
    return element.get(name, "0") in ("1", "true", "on")


def _fill_row(sheet: Sheet, element: Element, before: int, texts: list[str], dated: set[str]) -> int:
    row = int(element.get("r", before + 1))
    column = 0
    for child in element:
        if _tag(child) != "c":
            continue
        place = child.get("r")
        column = column_number(re.sub(r"\d+", "", place)) if place else column + 1
        cell = _cell(child, texts, dated)
        if cell is not None:
            sheet.cells[row, column] = cell
    if _is_on(element, "hidden") or element.get("ht") == "0":
        sheet.hidden_rows.add(row)
    if len(sheet.cells) > MOST_CELLS:
        raise WorkbookError(f"has more than {MOST_CELLS:,} cells in a sheet", "take out what is not needed")
    return row


def _cell(element: Element, texts: list[str], dated: set[str]) -> Cell | None:
    """What a cell holds; None for one that is blank or only has a look."""
    parts: dict[str, Element] = {_tag(child): child for child in element}
    formula = (parts["f"].text or "") if "f" in parts else None
    kind = element.get("t", "n")
    if kind == "inlineStr":
        held = _text(parts["is"]) if "is" in parts else ""
    else:
        held = (parts["v"].text or "") if "v" in parts else ""
    if kind == "s":
        held = texts[int(held)] if held else ""
    elif kind == "str":
        held = re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), held)
    if held == "":
        return None if formula is None or kind == "str" else Cell("unsaved", "", formula)
    kinds: dict[str, Kind] = {"b": "truth", "e": "error", "d": "date", "n": "number"}
    told = kinds.get(kind, "text")
    if told == "number" and element.get("s") in dated:
        told = "date"
    return Cell(told, held, formula)


def column_letters(column: int) -> str:
    """`A` for 1, `AB` for 28."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def day_of(cell: Cell, workbook: Workbook) -> date | None:
    """The day that a date cell holds; None for a time of a day, or for what is no day of its calendar."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}(T00:00:00(\.0+)?Z?)?", cell.text):
        return date.fromisoformat(cell.text[:10])
    try:
        serial = float(cell.text)
    except ValueError:
        return None
    first = 0 if workbook.from_1904 else 61  # 1900 was no leap year, which Excel does not know
    if not serial.is_integer() or not first <= serial < 2_958_466:
        return None
    return (date(1904, 1, 1) if workbook.from_1904 else date(1899, 12, 30)) + timedelta(days=int(serial))


# ---- formulas that nobody calculated ------------------------------------------------------------------------------


def _mark_dummies(root: Element, sheets: list[Sheet]) -> None:
    """Tell a saved 0 that is the result of a formula from one that only fills its place.

    Programs that write workbooks without calculating them put 0 where a result belongs, and ask for a calculation when
    the file is opened; a spreadsheet that has calculated takes that request away as it saves. A file that says nothing
    of calculation, which every spreadsheet does, is trusted where any of its formulas has another result than 0.
    """
    asked = _first(root, "calcPr")
    unsure = _is_on(asked, "fullCalcOnLoad") if asked is not None else not any(map(_has_result, _cells(sheets)))
    for sheet in sheets:
        for place, cell in sheet.cells.items():
            if is_zero(cell) and (unsure or sheet.uncalculated or _surely_not_zero(cell.formula or "", sheet, sheets)):
                sheet.cells[place] = Cell("dummy", cell.text, cell.formula)


def _cells(sheets: list[Sheet]) -> Iterator[Cell]:
    return (cell for sheet in sheets for cell in sheet.cells.values())


def _has_result(cell: Cell) -> bool:
    return cell.formula is not None and cell.kind != "unsaved" and not is_zero(cell)


def is_zero(cell: Cell) -> bool:
    """Whether what is saved of a formula is the number 0, whatever its cell is formatted as."""
    zero = cell.kind in ("number", "date") and re.fullmatch(r"-?0(\.0*)?", cell.text)
    return cell.formula is not None and bool(zero)


_PLACE = re.compile(r"(?:('[^']+'|(?<![\w.])\w+)!|(?<![\w.!:$]))\$?([A-Z]{1,3})\$?([1-9]\d*)\b")
"""A cell in a formula, with or without its sheet."""


def _surely_not_zero(formula: str, here: Sheet, sheets: list[Sheet]) -> bool:
    """Whether plain arithmetic on numbers, written out or in cells, does not come to 0; False where that is open.

    A spreadsheet that keeps saved results as they are (LibreOffice does, unless told otherwise) hands dummies on.
    """
    named = {sheet.name: sheet for sheet in sheets}

    def number(found: re.Match[str]) -> str:
        sheet = named.get(found[1].strip("'")) if found[1] else here
        cell = sheet.cells.get((int(found[3]), column_number(found[2]))) if sheet else None
        return f"({cell.text})" if cell is not None and cell.kind == "number" and cell.formula is None else "?"

    plain = _PLACE.sub(number, formula)
    if not re.fullmatch(r"[\d.eE+\-*/() ]{1,500}", plain):
        return False
    try:
        return abs(_result(ast.parse(plain.strip(), mode="eval").body)) > SURELY_ANOTHER
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return False


def _result(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=inner):
            return -_result(inner) if isinstance(sign, ast.USub) else _result(inner)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATIONS:
            return _OPERATIONS[type(operation)](_result(left), _result(right))
        case _:
            raise ValueError("is more than plain arithmetic")
