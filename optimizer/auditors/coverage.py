"""Coverage: how often the margin of a facility's halls pays its debt service, and what is to come the balance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimizer.auditors.books import Books, Row
from optimizer.auditors.collateral import Booked, Pledges
from optimizer.auditors.debt import Life, lives, rate
from optimizer.auditors.inputs import ONE, QUARTERS, ZERO, decimal
from optimizer.auditors.lines import AI_MARGIN
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import DOLLAR, LAST_DIGIT, TEN_CENTS
from optimizer.ground.quarters import Quarter

NONE = Decimal("NaN")
"""A ratio to nothing."""


@dataclass(frozen=True)
class Cover:
    """One facility in one quarter: margin of its halls, service and balance of all that rank equal or before it there.

    `required` is what the test asks for, nothing where none is made; `llcr` and `plcr` are what margin is still to
    come until its maturity, and until the last contract's end, at its own rate, over the balance.
    """

    margin: Decimal
    service: Decimal
    required: Decimal
    balance: Decimal
    llcr: Decimal
    plcr: Decimal

    @property
    def headroom(self) -> Decimal:
        return self.margin - self.required

    @property
    def dscr(self) -> Decimal:
        return self.margin / self.service if self.service else NONE


class Coverage:
    """The cover of every facility, from the flows recorded."""

    def __init__(self, books: Books):
        self.books = books
        self.lives: dict[str, Life] = dict(lives(books))
        self.margins = Booked(books, AI_MARGIN)
        self.pledges = Pledges(books)

    def owed(self, name: str, quarter: Quarter) -> Decimal:
        """What a facility owes in a quarter, before it repays."""
        now = self.lives[name].get(quarter)
        return ZERO if now is None else now.opening + now.drawn

    def service(self, name: str, quarter: Quarter) -> Decimal:
        """Interest paid and repayment due in a quarter; what is due at maturity is refinanced, not served."""
        now = self.lives[name].get(quarter)
        if now is None:
            return ZERO
        return now.interest + (ZERO if quarter == self.pledges.facilities[name].maturity else now.scheduled)

    def tested(self, facility: Any, quarter: Quarter) -> bool:
        """Whether a facility is tested in a quarter: from its first test until its maturity, while it is owed."""
        if facility.dscr is None or not facility.dscr_from <= quarter < facility.maturity:
            return False
        return self.owed(facility.facility, quarter) > DOLLAR

    def margin(self, facility: Any, quarter: Quarter) -> Decimal:
        return self.margins.together(self.pledges.halls(facility.facility, self.margins), quarter)

    def to_come(self, facility: Any, since: Quarter, until: Quarter) -> Decimal:
        """Margins of its halls from one quarter to another, discounted at its own rate, each at its quarter's end."""
        worth = ZERO
        for t in range(until, since - 1, -1):
            quarter = Quarter(t)
            worth = (worth + self.margin(facility, quarter)) / (
                ONE + rate(self.books.inputs, facility, quarter) / QUARTERS
            )
        return worth

    def cover(self, facility: Any, quarter: Quarter) -> Cover:
        counted = self.pledges.counted_with(facility)
        service = sum((self.service(name, quarter) for name in counted), ZERO)
        balance = sum((self.owed(name, quarter) for name in counted), ZERO)
        asked = decimal(facility.dscr) if self.tested(facility, quarter) else ZERO
        life, project = (self.to_come(facility, quarter, end) for end in (facility.maturity, self.margins.last))
        ratios = (life / balance, project / balance) if balance else (NONE, NONE)
        return Cover(self.margin(facility, quarter), service, asked * service, balance, *ratios)


def record(books: Books) -> None:
    """None: coverage moves no money."""


def checks(books: Books) -> Iterator[Check]:
    coverage = Coverage(books)
    if books.decide:
        yield _covered(books, coverage)
    yield from _table(books, coverage)


def _covered(books: Books, coverage: Coverage) -> Check:
    tally = Tally(
        "rules",
        "debt_coverage",
        "The margin of its halls covers, as often as agreed, the service of a facility and of all equal or before it.",
        "$M",
        DOLLAR,
    )
    for facility in books.case.rows("facilities"):
        for quarter in books.case.horizon:
            if coverage.tested(facility, quarter):
                cover = coverage.cover(facility, quarter)
                tally.at_least(facility.facility, cover.margin, cover.required, quarter)
    return tally.check()


def _table(books: Books, coverage: Coverage) -> Iterator[Check]:
    """The table of coverage, column by column, for every quarter in which something is owed."""
    money = Tally(
        "cash",
        "coverage_table",
        "Margin, service and headroom stand for each facility and quarter in which it owes anything, and nowhere else.",
        "$M",
        TEN_CENTS,
    )
    ratios = Tally(
        "value",
        "coverage_ratios",
        "DSCR is margin over service; LLCR and PLCR are margins to come over the balance.",
        "times",
        LAST_DIGIT,
    )
    rows = {(row["facility"], row["quarter"]): row for row in books.table("coverage")}
    for facility in books.case.rows("facilities"):
        for quarter in books.case.horizon:
            row = rows.pop((facility.facility, quarter), None)
            owed, where = coverage.owed(facility.facility, quarter), f"{facility.facility} in {quarter}"
            if row is not None and owed > -DOLLAR:
                _compare(money, ratios, where, row, coverage.cover(facility, quarter))
            else:
                money.at_most(f"{where}, no row", owed, ZERO)
    for name, quarter in rows:
        money.holds(f"{name} in {quarter}: no such row is due", False)
    yield money.check()
    yield ratios.check()


def _compare(money: Tally, ratios: Tally, where: str, row: Row, cover: Cover) -> None:
    money.at_least(f"balance of {where}", cover.balance, LAST_DIGIT)
    for name in ("margin", "service", "required", "headroom"):
        money.equal(f"{name} of {where}", row[f"{name}_musd"], getattr(cover, name))
    for name, over in (("dscr", cover.service), ("llcr", cover.balance), ("plcr", cover.balance)):
        stated, due = row[name], getattr(cover, name)
        if over <= TEN_CENTS:
            ratios.holds(f"{name} of {where}, blank", over > 0 or stated.is_nan())
        else:
            ratios.equal(f"{name} of {where}", stated, due, LAST_DIGIT + TEN_CENTS * (ONE + abs(due)) / over)
