"""Tables of a plan, a case or a study as ranges of a sheet, each number with its receipt, totals as live formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optimizer.telling.board.keys import Key
from optimizer.telling.board.workbook.book import HEAD_HEIGHT, Sheet, is_missing

if TYPE_CHECKING:
    import pandas as pd

NONE = "none"
"""What a cell says where the plan says that there is no number."""
_UNITS = (
    ("_usd_per_btc", "$ per BTC"), ("_gross_mw", "gross MW"), ("_it_mw", "IT MW"), ("_musd", "$M"), ("_btc", "BTC"),
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """Where a table came to stand: rows of its header, first and last row of data, and columns by name."""

    head: int
    first: int
    last: int
    columns: Mapping[str, int]

    @property
    def below(self) -> int:
        return self.last + 2


def head_of(column: str) -> str:
    """`closing_musd` as people read it: `Closing, $M`."""
    for suffix, unit in _UNITS:
        if column.endswith(suffix):
            words = column.removesuffix(suffix).replace("_", " ").strip()
            return f"{words[:1].upper()}{words[1:]}, {unit}" if words else unit
    known = {"musd": "$M", "gross_mw": "Gross MW", "it_mw": "IT MW", "btc_mined": "BTC mined"}
    return known.get(column, column.replace("_", " ").capitalize())


def look_of(column: str) -> str:
    """The number format that fits a column's unit."""
    if column in ("worst", "tolerance"):
        return "tiny"
    if column.endswith(("musd", "_usd")):
        return "musd"
    if column.endswith(("_mw", "mw")):
        return "mw"
    if column.endswith(("btc_mined", "_btc", "usd_per_btc", "blocks", "plans", "rows", "number", "breaches")):
        return "count"
    return "share" if column == "share" else "price"


def letters(column: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


def span(column: int, first: int, last: int) -> str:
    """`C8:C12` for rows counted from 0."""
    return f"{letters(column)}{first + 1}:{letters(column)}{last + 1}"


def write_frame(
    sheet: Sheet,
    row: int,
    frame: pd.DataFrame,
    room: str,
    keys: Sequence[str],
    *,
    columns: Sequence[str],
    numeric: Sequence[str],
    totals: Sequence[str] = (),
    missing: Sequence[str] = (),
    heads: Mapping[str, str] | None = None,
    live: Mapping[str, Callable[[int, Mapping[str, str]], str]] | None = None,
    plan: str = "",
    name: str = "",
) -> Written:
    """A table from a row on: texts as strings, numbers with the receipt of their row, totals below.

    `keys` are the columns that tell rows apart; `missing` those whose number may be missing, which is said. `live`
    gives columns as formulas of a line of the sheet (counted from 1) and the letters of the columns. `name` is that of
    Excel's table where another has the room's.
    """
    at = {field: letters(column) for column, field in enumerate(columns)}
    places = {field: number for number, field in enumerate(columns)}
    words = [(heads or {}).get(field, head_of(field)) for field in columns]
    for field, told in zip(columns, words, strict=True):
        sheet.text(row, places[field], told, "head right" if field in numeric else "head")
    sheet.at.set_row(row, HEAD_HEIGHT)
    for number, record in enumerate(frame.to_dict("records"), row + 1):
        where = tuple(sorted((key, str(record[key])) for key in keys))
        for field, column in places.items():
            value = record[field]
            if field not in numeric:
                sheet.text(number, column, "" if is_missing(value) else str(value))
            elif is_missing(value) and field in missing:
                sheet.text(number, column, NONE, "none")
            elif live and field in live:
                key = Key(room, field, where, plan=plan)
                sheet.formula(number, column, live[field](number + 1, at), value, key, look_of(field))
            else:
                sheet.number(number, column, value, Key(room, field, where, plan=plan), look_of(field))
    written = Written(row, row + 1, row + len(frame), places)
    if len(frame):
        sheet.table(name or room, written.head, written.last, words, [field in numeric for field in columns])
    if totals and len(frame):
        _write_totals(sheet, written, frame, room, totals, plan)
        return Written(row, row + 1, row + len(frame) + 1, places)
    return written


def _write_totals(
    sheet: Sheet, written: Written, frame: pd.DataFrame, room: str, totals: Sequence[str], plan: str
) -> None:
    below = written.last + 1
    for name, column in written.columns.items():
        if name in totals:
            value = math.fsum(frame[name])
            cells = span(column, written.first, written.last)
            sheet.formula(below, column, f"=SUM({cells})", value, Key(room, name, plan=plan), f"{look_of(name)} total")
        else:
            sheet.text(below, column, "Total" if column == min(written.columns.values()) else "", "strong")


def write_grid(
    sheet: Sheet,
    row: int,
    labels: Sequence[tuple[str, ...]],
    heads: Sequence[str],
    quarters: Sequence[str],
    cells: Mapping[tuple[tuple[str, ...], str], float],
    key: Any,
    look: str,
) -> Written:
    """Rows of labels by quarters: `key(labels, quarter)` is the receipt of a cell; what is not in `cells` is 0."""
    sheet.heads(row, 0, [*heads, *quarters], len(heads))
    for number, label in enumerate(labels, row + 1):
        for column, words in enumerate(label):
            sheet.text(number, column, words)
        for column, quarter in enumerate(quarters, len(heads)):
            sheet.number(number, column, cells.get((label, quarter), 0.0), key(label, quarter), look)
    return Written(row, row + 1, row + len(labels), {q: len(heads) + n for n, q in enumerate(quarters)})
