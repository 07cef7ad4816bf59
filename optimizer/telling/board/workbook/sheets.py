"""One workbook being written: its formats, its sheets, the receipt of every number, and the checks that tie totals.

All that a user named is written as a string, never handed to a function that could take it for a formula or a link.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from optimizer.ground.errors import PlanError
from optimizer.telling.board.keys import Amount
from optimizer.telling.board.receipts import Receipts

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

LONGEST_CELL = 32_767
LONGEST_SHEET = 31
HEAD_ROWS = 5
"""Rows at the top of every sheet: title, case, status, checks, a blank one."""
HEAD_HEIGHT = 28
FILTERED_FROM = 12
"""Rows from which on a table has buttons to filter and sort it."""
STORED = 9
"""Decimals to which a cell holds the plan's number; the format of the cell shows fewer."""

INK, DARK, PALE, LINE, RED, GREEN = "#1F2937", "#1F3864", "#EEF2F8", "#C5CCD8", "#B42318", "#16704A"
COLOURS = ("#E08A1E", "#F2C078", "#9AA3B2", "#1F5FA8", "#3E9C8F", "#7A5BA6", "#B5485D", "#5C6B34", "#D9DEE7")
_UNFIT = re.compile("[\ufffe\uffff]")
"""What XML forbids and cannot be escaped either."""
_NUMBERS: Mapping[str, str] = {
    "musd": '#,##0.0;[Red]-#,##0.0;"–"',
    "mw": '#,##0.0;[Red]-#,##0.0;"–"',
    "count": '#,##0;[Red]-#,##0;"–"',
    "price": "#,##0.00##;[Red]-#,##0.00##;0",
    "times": "0.00",
    "share": "0.0%;[Red]-0.0%;0.0%",
    "fine": "#,##0.000000",
    "plain": "General",
    "tiny": "0.0E+00",
}
_HEAD = {"bold": True, "font_color": "white", "bg_color": DARK, "text_wrap": True, "valign": "vcenter"}
_TOTAL = {"bold": True, "top": 1, "top_color": LINE, "bg_color": PALE}
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "title": {"bold": True, "font_size": 15, "font_color": DARK},
    "case": {"font_color": INK},
    "stamp": {"bold": True, "font_color": RED},
    "section": {"bold": True, "font_size": 11, "font_color": DARK, "bottom": 1, "bottom_color": DARK},
    "head": {"align": "left", "indent": 1, **_HEAD},
    "head right": {"align": "right", **_HEAD},
    "head right beside a button": {"align": "right", "indent": 2, **_HEAD},
    "text": {"num_format": "@", "valign": "top", "align": "left", "indent": 1},
    "wrapped": {"num_format": "@", "text_wrap": True, "valign": "top", "align": "left", "indent": 1},
    "note": {"italic": True, "font_color": "#6B7280", "num_format": "@", "valign": "top", "align": "left", "indent": 1},
    "none": {"italic": True, "font_color": "#6B7280", "num_format": "@", "valign": "top", "align": "right"},
    "strong": {"num_format": "@", "valign": "top", "align": "left", "indent": 1, **_TOTAL},
    "good": {"bold": True, "font_color": GREEN, "num_format": "0", "align": "left"},
    "low": {"bg_color": "#FBE3C4", "bold": True},
    "bad": {"bold": True, "font_color": "white", "bg_color": RED},
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """A total of the workbook that must be the plan's: where it stands, what the plan holds, and the room for error."""

    words: str
    cell: str
    key: Amount
    tolerance: float


@dataclass
class Workbook:
    """The file being written. `plans` in the order given, by run id; `status` and `stamps` stand on every sheet."""

    plan: Plan
    ledger: Receipts
    status: str
    stamps: tuple[str, ...]
    input_hash: str
    buffer: io.BytesIO = field(default_factory=io.BytesIO)
    book: Any = None
    looks: dict[str, Any] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    zeros: set[str] = field(default_factory=set)
    """Cells that hold differences and counts of failures: each must be 0."""
    formulas: set[str] = field(default_factory=set)
    """Cells that hold a live formula; no other cell may."""
    tolerances: set[str] = field(default_factory=set)
    """Cells that hold the room for error of a check, which stands for nothing in the plan."""
    tables: list[str] = field(default_factory=list)
    """Names of Excel's tables."""
    places: dict[str, int] = field(default_factory=dict)
    """Rows that charts of other sheets refer to."""

    def __post_init__(self) -> None:
        import xlsxwriter

        options = {
            "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
            "default_format_properties": {"font_size": 10},
        }  # fmt: skip
        self.book = xlsxwriter.Workbook(self.buffer, options)
        self.looks = {name: self.book.add_format({"font_size": 10, **look}) for name, look in _LOOKS.items()}
        for name, shape in _NUMBERS.items():
            plain = {"num_format": shape, "font_size": 10, "valign": "top"}
            self.looks[name] = self.book.add_format(plain)
            self.looks[f"{name} total"] = self.book.add_format(plain | _TOTAL)

    @property
    def quarters(self) -> list[str]:
        return list(self.plan.cash["quarter"])

    def add(self, name: str, title: str) -> Sheet:
        """A new sheet with the head that every sheet has. Names are made safe and distinct."""
        safe = sheet_name(name, self.sheets)
        sheet = Sheet(self, safe, self.book.add_worksheet(safe))
        self.sheets[safe] = sheet
        sheet.text(0, 0, title, "title")
        sheet.text(1, 0, about(self.plan), "case")
        sheet.text(2, 0, f"{self.status}   run {self.plan.run_id}   inputs {self.input_hash}", "case")
        if self.stamps:
            sheet.text(0, 3, "   ".join(self.stamps), "stamp")
        sheet.text(3, 0, "Checks that fail", "case")
        sheet.zero(3, 1, "=checks", "good")
        sheet.at.conditional_format(
            3, 1, 3, 1, {"type": "cell", "criteria": "!=", "value": 0, "format": self.looks["bad"]}
        )
        _set_print(sheet)
        return sheet

    def tie(self, words: str, cell: str, key: Amount, tolerance: float = 1e-6) -> None:
        """Have a cell's total checked against the plan, in the file and before it is handed out."""
        self.checks.append(Check(words, cell, key, tolerance))

    def finish(self) -> bytes:
        """The file's bytes. Nothing can be written after."""
        for sheet in self.sheets.values():
            sheet.at.print_area(0, 0, sheet.last_row, sheet.last_column)
        settings = self.plan.case.settings
        day = datetime(settings.as_of.year, settings.as_of.month, settings.as_of.day)
        self.book.set_properties(
            {
                "title": f"{settings.title}: plan of scenario {self.plan.scenario}"[:255],
                "subject": "Megawatts, money and contracts by quarter", "created": day,
                "author": f"mw-allocation-optimizer {self.plan.provenance.get('optimizer')}",
                "comments": f"{self.status}; run {self.plan.run_id}; inputs {self.input_hash}",
            }
        )  # fmt: skip
        for name, value in (("run", self.plan.run_id), ("inputs", self.input_hash), ("status", self.status)):
            self.book.set_custom_property(name, value, "text")
        self.book.close()
        return self.buffer.getvalue()


def about(plan: Plan) -> str:
    """What a sheet says of its numbers: whose they are, in what money, and that they are shown rounded."""
    settings = plan.case.settings
    money = f"Money in $M, {settings.money_basis}; shown rounded, so figures may not add up as shown."
    return f"{settings.title}. Scenario {plan.scenario}. {money}"


def _set_print(sheet: Sheet) -> None:
    """Landscape, as wide as a page, with who and what at its foot."""
    desk = sheet.desk
    stamp = "  ".join(desk.stamps) + "  " if desk.stamps else ""
    foot = f"{stamp}{desk.status}   run {desk.plan.run_id}   inputs {desk.input_hash}".replace("&", "&&")
    sheet.at.set_landscape()
    sheet.at.set_paper(9)
    sheet.at.fit_to_pages(1, 0)
    sheet.at.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.at.set_footer(f"&L&8{foot}&R&8&A, page &P of &N")
    sheet.at.hide_gridlines(2)


@dataclass
class Sheet:
    """One sheet: `at` is the writer's own, rows and columns count from 0."""

    desk: Workbook
    name: str
    at: Any
    last_row: int = 0
    last_column: int = 0

    def cell(self, row: int, column: int) -> str:
        """`'cash flow'!$C$7`, as a formula of another sheet refers to it."""
        from xlsxwriter.utility import xl_rowcol_to_cell

        return f"{quoted(self.name)}!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"

    def place(self, row: int, column: int) -> str:
        """How receipts name a cell: `cash flow, cell C7`."""
        return place_of(self.name, row, column)

    def text(self, row: int, column: int, words: str, look: str = "text") -> None:
        if len(words) > LONGEST_CELL:
            raise PlanError(f"A text of {len(words):,} characters does not fit a cell of a workbook ({words[:40]}...).")
        if words != words.encode("utf-8", "ignore").decode() or _UNFIT.search(words):
            raise PlanError(f"A text holds a character that no workbook can hold ({words[:40]!r}).")
        if words:
            self.desk.texts[self.place(row, column)] = words
        self.reach(row, column)
        self.at.write_string(row, column, words, self.desk.looks[look])

    def number(self, row: int, column: int, key: Amount, look: str = "musd") -> None:
        """The number of a key, stored with its receipt. Raises PlanError where there is none."""
        value = self.desk.ledger.worth(key) + 0.0
        self.desk.ledger.put(self.place(row, column), value, key, STORED)
        self.reach(row, column)
        self.at.write_number(row, column, value, self.desk.looks[look])

    def formula(self, row: int, column: int, formula: str, key: Amount, look: str = "musd total") -> None:
        """A live formula with its receipt, saved with its value for readers that do not calculate."""
        value = self.desk.ledger.worth(key) + 0.0
        self.desk.ledger.put(self.place(row, column), value, key, 6)
        self.desk.formulas.add(self.place(row, column))
        self.reach(row, column)
        self.at.write_formula(row, column, formula, self.desk.looks[look], value)

    def fill(self, row: int, words: str, columns: Iterable[int], look: str = "strong") -> None:
        """A label in the first column, and blank cells of the same look."""
        self.text(row, 0, words, look)
        for column in columns:
            self.text(row, column, "", look)

    def widths(self, first: float, *others: float, last: int = 24) -> None:
        """Widths of columns from the first on; those after the ones named are as wide as the last of them."""
        for column, wide in enumerate((first, *others[:-1])):
            self.at.set_column(column, column, wide)
        self.at.set_column(len(others), max(last, len(others)), others[-1])

    def zero(self, row: int, column: int, formula: str, look: str) -> None:
        """A live formula that is 0 where all is well."""
        self.desk.zeros.add(self.place(row, column))
        self.desk.formulas.add(self.place(row, column))
        self.at.write_formula(row, column, formula, self.desk.looks[look], 0)

    def reach(self, row: int, column: int) -> None:
        """Count a cell into what is printed."""
        self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, column)

    def table(self, name: str, head: int, last: int, heads: Sequence[str], numeric: Sequence[bool]) -> None:
        """Rows that are written already, from column 0 on, become a table of Excel's; a long one can be filtered.

        `name` is made fit for Excel; heads must differ from each other.
        """
        buttons = last - head >= FILTERED_FROM
        right = "head right beside a button" if buttons else "head right"
        columns = [
            {"header": words, "header_format": self.desk.looks[right if is_number else "head"]}
            for words, is_number in zip(heads, numeric, strict=True)
        ]
        name = "table_" + re.sub(r"[^A-Za-z0-9_]", "_", name)[:200]
        number = sum(other.split(".")[0] == name.casefold() for other in self.desk.tables)
        self.desk.tables.append(f"{name.casefold()}.{number}")
        options = {"name": f"{name}.{number}" if number else name, "style": None, "autofilter": buttons}
        if self.at.add_table(head, 0, last, len(columns) - 1, options | {"columns": columns}):
            raise PlanError(f"{self.place(head, 0)}: its headers ({', '.join(heads)}) cannot head a table of Excel's.")

    def heads(self, row: int, column: int, words: Sequence[str], numbers_from: int = 0) -> None:
        """A row of column headers; those of numbers stand at the right."""
        for number, word in enumerate(words):
            self.text(row, column + number, word, "head right" if number >= numbers_from else "head")
        if max(map(len, words)) > 10:
            self.at.set_row(row, HEAD_HEIGHT)

    def wide(self, columns: int) -> None:
        """A sheet of quarters: its first columns stay in sight, and paper holds some sixteen quarters a page."""
        self.at.freeze_panes(HEAD_ROWS, columns)
        self.at.repeat_columns(0, columns - 1)
        self.at.fit_to_pages(max(1, round(len(self.desk.quarters) / 16)), 0)

    def freeze(self, row: int, columns: int) -> None:
        """Keep the rows above and the first columns in sight, and repeat the header row on paper."""
        self.at.freeze_panes(row, columns)
        self.at.repeat_rows(row - 1)


def place_of(sheet: str, row: int, column: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return f"{sheet}, cell {xl_rowcol_to_cell(row, column)}"


def quoted(sheet: str) -> str:
    """A sheet's name as formulas write it."""
    doubled = sheet.replace("'", "''")
    return f"'{doubled}'"


def sheet_name(name: str, taken: Mapping[str, object]) -> str:
    """A name that a sheet may have and no other sheet has: at most 31 characters, none reserved."""
    clean = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name).strip().strip("'") or "sheet"
    if clean.casefold() == "history":  # which Excel keeps for itself
        clean = "history_"
    used = {other.casefold() for other in taken}
    safe, number = _cut(clean, LONGEST_SHEET), 2
    while safe.casefold() in used:
        mark = f" {number}"
        safe, number = _cut(clean, LONGEST_SHEET - len(mark)) + mark, number + 1
    return safe


def _cut(name: str, longest: int) -> str:
    """At most so many characters as Excel counts them, in units of UTF-16."""
    kept = name.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")
    return kept.rstrip(" '") or "sheet"


def is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
