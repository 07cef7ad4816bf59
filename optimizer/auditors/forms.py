"""The form of a plan's tables: their columns, names that the case knows, quarters, finite numbers, no row twice.

What is computed again is computed from these tables, so nothing is when their form does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from decimal import Decimal

from optimizer.auditors.books import ZERO, Books, Row
from optimizer.auditors.lines import CASH_ONLY, COMPANY, CORPORATE, LINES, MINING, VALUE_ONLY
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import WATT
from optimizer.ground.power import USES
from optimizer.ground.quarters import Quarter
from optimizer.plan.tables import NUMERIC, TABLES

COLUMNS = {name: table.columns for name, table in TABLES.items()}
KEYS = {name: table.key for name, table in TABLES.items() if table.key}

RATIOS = ("dscr", "llcr", "plcr")
MAY_BE_BLANK = ("direct_cash_cost_usd_per_btc", "total_cash_cost_usd_per_btc", *RATIOS)
"""A quarter in which nothing is mined has no cost per BTC, one in which nothing is owed no coverage."""


def well_formed(books: Books) -> tuple[Check, ...]:
    """The checks of form; any that fails makes a further audit pointless."""
    tables = _tables(books)
    return (tables, _cells(books), _lines(books), _unique(books)) if tables.clean else (tables,)


def _tables(books: Books) -> Check:
    tally = Tally(
        "identity", "tables", "Every table of a plan is there, with its columns, and no other.", "so or not", ZERO
    )  # fmt: skip
    for name in {**COLUMNS, **books.tables}:
        tally.same(f"{name}: columns", books.columns.get(name), tuple(COLUMNS.get(name, "").split()))
    return tally.check()


def _cells(books: Books) -> Check:
    """Names that the case has, quarters where quarters stand, numbers where numbers stand."""
    tally = Tally(
        "domain", "cells", "Every name in a table is one of the case's, every number finite, every quarter a quarter.",
        "so or not", ZERO,
    )  # fmt: skip
    known = _known(books)
    for name, rows in books.tables.items():
        tests = [(column, _test(name, column, known)) for column in COLUMNS.get(name, "").split()]
        for place, row in enumerate(rows, start=1):
            tally.rows += len(tests)
            for column, holds in tests:
                if column not in row or not holds(row[column]):
                    tally.rows -= 1
                    tally.holds(f"{name}, row {place}, {column}: {row.get(column)!r} cannot be", False)
    return tally.check()


def _known(books: Books) -> dict[str, Collection[str]]:
    """Words that each column of names may hold."""
    row = books.case.rows
    sites, products = {r.site for r in row("sites")}, {r.product for r in row("products")}
    asics, options = {r.asic for r in row("asics")}, {r.option for r in row("options")}
    offers, loans = {r.offer for r in row("offers")}, {r.facility for r in row("facilities")}
    lines = {line for names in LINES.values() for line in names}
    owed, tariffs = {r.name for r in row("obligations")}, {r.tariff for r in row("sites")}
    return {
        "scenario": {books.scenario},
        "site": sites | {""},
        "product": products | {MINING},
        "business": products | {MINING, CORPORATE},
        "asic": asics,
        "option": options,
        "offer": offers,
        "facility": loans,
        "customer": {r.customer for r in row("offers")},
        "price_basis": {"usd_per_kw_month", "musd_per_it_mw_year", "usd_per_gpu_hour"},
        "decided": {"new", "committed"},
        "side": {"source", "use"},
        "line": lines,
        "item": lines | {"cash", "debt_drawn", "debt_repaid"},
        "use": products | {use.name for use in USES},
        "detail": asics | options | {""},
        "source": asics | options | offers | loans | products | tariffs | owed | COMPANY,
    }


def _test(table: str, column: str, known: dict[str, Collection[str]]) -> Callable[[object], bool]:
    if NUMERIC.fullmatch(column) or column in MAY_BE_BLANK:
        blank = column in MAY_BE_BLANK
        return lambda cell: isinstance(cell, Decimal) and (cell.is_finite() or (blank and cell.is_nan()))
    if column.endswith("quarter"):
        return lambda cell: isinstance(cell, Quarter)
    words = known[column]
    return lambda cell: cell in words


def _lines(books: Books) -> Check:
    """Lines stand with their business, and flows with their side of the horizon."""
    tally = Tally(
        "domain", "lines",
        "Every flow stands in its business, within the horizon or after it, and is something.", "so or not", ZERO,
    )  # fmt: skip
    last = books.case.last
    for name in ("cash_flow", "value", "value_only", "after_horizon", "capex"):
        for row in books.tables.get(name, ()):
            business = row["product"] if name == "capex" else row["business"]
            kind = business if business in (MINING, CORPORATE) else "product"
            tally.holds(f"{name}: {row['line']} of {business}", row["line"] in LINES[kind])
            value, cash = row["line"] not in CASH_ONLY, row["line"] not in VALUE_ONLY
            if name == "value":
                tally.holds(f"value: {row['line']} is value", value)
                continue
            tally.holds(f"{name}: {row['line']} belongs there", _belongs(name, value=value, cash=cash))
            tally.holds(f"{name}: {row['line']} in {row['quarter']} of nothing", row["musd"] != ZERO)
            if isinstance(row["quarter"], Quarter):
                within = books.case.first <= row["quarter"] <= last
                fits = row["quarter"] > last if name == "after_horizon" else within
                tally.holds(f"{name}: {row['line']} in {row['quarter']}", fits)
    return tally.check()


def _belongs(table: str, *, value: bool, cash: bool) -> bool:
    """Cash stands in the statement, what is value only beside it, and all of both after the horizon."""
    if table == "value_only":
        return value and not cash
    return cash or table == "after_horizon"


def _unique(books: Books) -> Check:
    tally = Tally("domain", "unique_rows", "No row of a table stands there twice.", "rows", ZERO)
    for name, key in KEYS.items():
        columns, seen = key.split(), set()
        for row in books.tables.get(name, ()):
            identity = tuple(row.get(column) for column in columns)
            if identity in seen:
                tally.holds(f"{name}: {_told(row, columns)}", False)
            seen.add(identity)
        tally.rows += len(seen)
    return tally.check()


def _told(row: Row, columns: list[str]) -> str:
    return ", ".join(str(row.get(column)) for column in columns if row.get(column))


def record(books: Books) -> None:
    """Form moves no money."""


def checks(books: Books) -> Iterator[Check]:
    """Megawatts and blocks are never negative."""
    tally = Tally("domain", "not_negative", "Megawatts, blocks and BTC are never negative.", "MW, blocks or BTC", WATT)
    for name, rows in books.tables.items():
        columns = [c for c in COLUMNS[name].split() if c.endswith(("_mw", "blocks", "_btc", "btc_mined"))]
        columns = [c for c in columns if c not in MAY_BE_BLANK]
        for row in rows:
            for column in columns:
                tally.at_least(f"{name}: {column}", row[column], ZERO)
    yield tally.check()
