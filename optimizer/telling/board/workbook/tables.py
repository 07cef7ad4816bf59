"""Tables and grids as ranges of a sheet, each number with its receipt, totals as live formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xlsxwriter.utility import xl_col_to_name

from optimizer.plan.figures import FIGURES
from optimizer.telling.board.keys import Amount, Key, kpi
from optimizer.telling.board.tables import NONE, Data, look_of
from optimizer.telling.board.workbook.sheets import HEAD_HEIGHT, Sheet, is_missing

Live = Mapping[str, Callable[[int, Mapping[str, str]], str]]
"""Columns as formulas of a line of the sheet (counted from 1) and the letters of the columns."""


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


def letters(column: int) -> str:
    return str(xl_col_to_name(column))


def span(column: int, first: int, last: int) -> str:
    """`C8:C12` for rows counted from 0."""
    return f"{letters(column)}{first + 1}:{letters(column)}{last + 1}"


def across(row: int, first: int, last: int) -> str:
    """`C8:M8` for columns and a row counted from 0."""
    return f"{letters(first)}{row + 1}:{letters(last)}{row + 1}"


def section(sheet: Sheet, row: int, one: Data, none: str, live: Live | None = None) -> int:
    """A table under its title, its sums tied to the figures that they are; `none` where it is empty. The row below."""
    sheet.text(row, 0, one.title, "section")
    if one.frame.empty:
        sheet.text(row + 1, 0, none)
        return row + 3
    written = write_table(sheet, row + 1, one, live)
    for column, figure in one.totals.items():
        if figure:
            key = Key("audit", figure) if one.room == "audit/checks" else kpi(figure)
            words = FIGURES[figure].words if figure in FIGURES else "Rows audited"
            sheet.desk.tie(words, sheet.cell(written.last, written.columns[column]), key)
    return written.below


def write_table(sheet: Sheet, row: int, one: Data, live: Live | None = None) -> Written:
    """A table from a row on: texts as strings, numbers with the receipt of their row, totals below."""
    at = {field: letters(column) for column, field in enumerate(one.shown)}
    places = {field: number for number, field in enumerate(one.shown)}
    words = [one.head(field) for field in one.shown]
    for field, told in zip(one.shown, words, strict=True):
        sheet.text(row, places[field], told, "head right" if field in one.numeric else "head")
    sheet.at.set_row(row, HEAD_HEIGHT)
    for number, record in enumerate(one.frame.to_dict("records"), row + 1):
        where = tuple(sorted((key, str(record[key])) for key in one.keys))
        for field, column in places.items():
            value, key = record[field], Key(one.room, field, where)
            if field not in one.numeric:
                sheet.text(number, column, "" if is_missing(value) else str(value))
            elif is_missing(value) and field in one.missing:
                sheet.text(number, column, NONE, "none")
            elif live and field in live:
                sheet.formula(number, column, live[field](number + 1, at), key, look_of(field))
            else:
                sheet.number(number, column, key, look_of(field))
    last = row + len(one.frame)
    if len(one.frame):
        sheet.table(one.name or one.room, row, last, words, [field in one.numeric for field in one.shown])
    if one.totals and len(one.frame):
        last += 1
        for field, column in places.items():
            if field in one.totals:
                total = f"=SUM({span(column, row + 1, last - 1)})"
                sheet.formula(last, column, total, Key(one.room, field), f"{look_of(field)} total")
            else:
                sheet.text(last, column, "Total" if column == 0 else "", "strong")
    return Written(row, row + 1, last, places)


def write_grid(
    sheet: Sheet, row: int, labels: Sequence[tuple[str, ...]], heads: Sequence[str], quarters: Sequence[str],
    key: Callable[[tuple[str, ...], str], Amount], look: str,
) -> Written:  # fmt: skip
    """Rows of labels by quarters: `key(label, quarter)` is the receipt of a cell."""
    sheet.heads(row, 0, [*heads, *quarters], len(heads))
    for number, label in enumerate(labels, row + 1):
        for column, words in enumerate(label):
            sheet.text(number, column, words)
        for column, quarter in enumerate(quarters, len(heads)):
            sheet.number(number, column, key(label, quarter), look)
    return Written(row, row + 1, row + len(labels), {q: len(heads) + n for n, q in enumerate(quarters)})


def write_sums(sheet: Sheet, grid: Written, words: str, key: Callable[[str], Amount], look: str) -> int:
    """The sum of each column of a grid below it; its row."""
    row = grid.last + 1
    sheet.fill(row, words, range(1, min(grid.columns.values())))
    for quarter, column in grid.columns.items():
        sheet.formula(row, column, f"=SUM({span(column, grid.first, grid.last)})", key(quarter), look)
    return row
