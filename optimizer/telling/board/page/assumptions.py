"""The assumptions behind a plan: settings and every input table, prices by quarter shortened to their range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from optimizer.case.case import TABLE_TYPES
from optimizer.case.origins import HEADS
from optimizer.telling.board.keys import encoded
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import Column, Line, Section, Table, Words
from optimizer.telling.board.page.book import Book, Row, about, case_tables, is_number
from optimizer.telling.board.page.numbers import Name, Number, words

MOST_ROWS = 80
NOT_SET = "not set"


def assumptions(book: Book) -> Section:
    """Every input of the case; the plan's folder holds them in full."""
    case = book.plan.case
    message = words(
        "The case holds {}, {} and {}, as known on {}.", book.many(case.sites, "inputs/sites", "site"),
        _many(book, case.options, "option"), _many(book, case.offers, "offer"), Name(str(case.settings.as_of)),
    )  # fmt: skip
    tables = (*_origins(book), _settings(book), *_tables(book))
    return Section("assumptions", "Assumptions", message, tables)


def _origins(book: Book) -> tuple[Table | Words, ...]:
    """Where each input comes from and how sure it is, in the words of the case's own file."""
    if not book.origins:
        told = "Where each number comes from, and how sure it is, stands in the sources of the case, if it keeps any; "
        return (Words([told + "named with --case they are told here."], note=True),)
    rows = [
        Line(Name(first), "", [Name(cell) if cell else NOT_SET for cell in rest])
        for first, *rest in (origin.cells for origin in book.origins)
    ]
    caption = Markup("<strong>sources</strong> Where each number comes from, and how sure it is.")
    first, *heads = HEADS
    return (Table(caption, [Column(name, number=False) for name in heads], rows, first, folded=True),)


def _many(book: Book, rows: Sequence[object], what: str) -> object:
    return book.many(rows, f"inputs/{what}s", what) if rows else f"no {what}"


def exact(book: Book, value: float, place: str) -> Number:
    """A number with all its decimals, as the case holds it."""
    digits = f"{value:.10f}".rstrip("0").partition(".")[2]
    return book.number(value, place, decimals=len(digits))


# ---- settings -----------------------------------------------------------------------------------------------------


def _settings(book: Book) -> Table:
    settings = book.plan.case.settings
    rows = []
    for name in type(settings).model_fields:
        held = getattr(settings, name)
        parts = held.items() if isinstance(held, Mapping) else [("", held)]
        rows += [Line(_setting_name(name, part), "", [_setting(book, name, part, value), Name(about(name))])
                 for part, value in parts if value is not None]  # fmt: skip
    caption = Markup("<strong>settings</strong> The company, its horizon, its money and its policies.")
    columns = [Column("value", number=False), Column("what it is", number=False)]
    return Table(caption, columns, rows, "setting", folded=True)


def _setting_name(name: str, part: str) -> Markup:
    return words("{}, {}", name, Name(part)) if part else words("{}", name)


def _setting(book: Book, name: str, part: str, value: Any) -> object:
    if is_number(value):
        return exact(book, float(value), f"settings/{name}" + (f"/{encoded(part)}" if part else ""))
    if isinstance(value, list | tuple):
        return Markup(", ").join(words("{}", Name(str(one))) for one in value) if value else NOT_SET
    return Name(str(value))


# ---- tables -------------------------------------------------------------------------------------------------------


def _tables(book: Book) -> list[Table]:
    """One table for each of the case, without the columns in which nothing stands."""
    shown = []
    for name, rows in case_tables(book.plan):
        columns = [c for c in rows[0] if c not in ("row", "year") and any(row[c] not in ("", None) for row in rows)]
        by_quarter = "quarter" in columns and len(rows) > MOST_ROWS // 4
        shown.append(_ranges(book, name, rows, columns) if by_quarter else _rows(book, name, rows, columns))
    return shown


def _rows(book: Book, name: str, rows: Sequence[Row], columns: Sequence[str]) -> Table:
    first, *rest = columns
    numeric = [all(is_number(row[column]) for row in rows) for column in rest]
    lines = [
        Line(_told(book, name, n, first, row[first]), "", [_told(book, name, n, c, row[c]) for c in rest])
        for n, row in enumerate(rows)
    ]
    headings = [Column(_heading(c), number=is_numeric) for c, is_numeric in zip(rest, numeric, strict=True)]
    return Table(_caption(name), headings, lines, _heading(first), folded=True, sortable=True)


def _told(book: Book, name: str, row: int, column: str, value: Any) -> object:
    if is_number(value):
        return exact(book, float(value), at(f"inputs/{name}/{column}", row=row))
    return Name(str(value)) if value not in ("", None) else NOT_SET


def _ranges(book: Book, name: str, rows: Sequence[Row], columns: Sequence[str]) -> Table:
    """A table by quarter as the first, least, most and last of each of its numbers."""
    numeric = [c for c in columns if any(is_number(row[c]) for row in rows) and all(is_number(row[c]) or row[c] in
               ("", None) for row in rows)]  # fmt: skip
    names = [c for c in columns if c not in numeric and c != "quarter"]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[c] for c in names), []).append(row)
    lines = []
    for place, members in groups.items():
        for column in numeric:
            told = [row for row in members if is_number(row[column])]
            if told:
                lines.append(_range(book, name, dict(zip(names, place, strict=True)), column, told))
    headings = [*(Column(_heading(c), number=False) for c in names), Column("first"), Column("least"), Column("most"),
                Column("last")]  # fmt: skip
    return Table(_caption(name), headings, lines, "number", folded=True, sortable=True)


def _range(book: Book, name: str, where: Mapping[str, Any], column: str, rows: Sequence[Row]) -> Line:
    rows = sorted(rows, key=lambda row: str(row["quarter"]))
    least, most = min(rows, key=lambda row: row[column]), max(rows, key=lambda row: row[column])
    cells = [exact(book, float(row[column]), at(f"inputs/{name}/{column}", row=row["row"]))
             for row in (rows[0], least, most, rows[-1])]  # fmt: skip
    return Line(
        _heading(column), "", [*(Name(str(v)) if v not in ("", None) else NOT_SET for v in where.values()), *cells]
    )


def _caption(name: str) -> Markup:
    """The name of a table and what it is about."""
    return words("<strong>{}</strong> {}", _heading(name), Name(TABLE_TYPES[name].about))


def _heading(column: str) -> str:
    """The name of a column or table as words."""
    return column.replace("_", " ")
