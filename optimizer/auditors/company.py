"""The company around its sites: overheads, and payments and receipts that are already owed."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.auditors.books import Books
from optimizer.auditors.inputs import decimal
from optimizer.auditors.lines import CORPORATE, G_AND_A
from optimizer.auditors.report import Check


def record(books: Books) -> None:
    """G&A of each quarter, and dated obligations of the horizon: all but asset sales are paid.

    What each is worth follows from its line: interest and principal move cash only.
    """
    horizon = set(books.case.horizon)
    for row in books.case.rows("overheads"):
        if row.quarter in horizon:
            books.record("g_and_a", row.quarter, -decimal(row.g_and_a_musd), CORPORATE, source=G_AND_A)
    for row in books.case.rows("obligations"):
        if row.quarter in horizon:
            musd = decimal(row.musd) if row.kind == "asset_sale" else -decimal(row.musd)
            books.record(row.kind, row.quarter, musd, CORPORATE, source=row.name)


def checks(books: Books) -> Iterator[Check]:
    """None: `flows` compares these flows with the statement."""
    yield from ()
