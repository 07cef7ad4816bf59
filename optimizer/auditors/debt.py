"""Debt: each facility's balance from its draws and repayments, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from optimizer.auditors.books import Books, Row
from optimizer.auditors.inputs import ONE, QUARTERS, ZERO, Inputs, decimal
from optimizer.auditors.lines import CORPORATE, DEBT, EXCESS, FEE, INTEREST, PRINCIPAL
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import DOLLAR, LAST_DIGIT, TEN_CENTS
from optimizer.ground.quarters import Quarter


class Interest(NamedTuple):
    """Interest of one or more quarters, $M, and what of it exceeds the normal cost of borrowing."""

    all: Decimal = ZERO
    excess: Decimal = ZERO

    def and_also(self, more: Interest) -> Interest:
        return Interest(self.all + more.all, self.excess + more.excess)


@dataclass(frozen=True)
class Quartered:
    """One facility in one quarter, as its draws and repayments imply."""

    opening: Decimal
    drawn: Decimal
    scheduled: Decimal
    repaid: Decimal
    interest: Decimal
    excess: Decimal
    fees: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.drawn - self.repaid

    @property
    def prepaid(self) -> Decimal:
        return self.repaid - self.scheduled


Life = Mapping[Quarter, Quartered]
"""A facility from the horizon's first quarter to its maturity, which may lie after the horizon."""


# ---- a facility's life -------------------------------------------------------------------------------------


def life(books: Books, facility: Any) -> dict[Quarter, Quartered]:
    """The facility quarter by quarter; draws and repayments are the plan's, after the horizon as scheduled."""
    rows = {row["quarter"]: row for row in books.table("debt") if row["facility"] == facility.facility}
    first, last = books.case.first, books.case.last
    used = facility.drawn_musd > 0 or any(row["draws_musd"] > 0 for row in rows.values())
    shares = _shares(books.inputs, facility)
    opening = drawn = decimal(facility.drawn_musd)
    due: dict[Quarter, Decimal] = {}
    _spread(due, shares, first, opening)
    accrued, quarters = _before(books, facility), {}
    for t in range(first, max(first, facility.maturity) + 1):
        quarter = Quarter(t)
        row = rows.get(quarter)
        draw = row["draws_musd"] if row else ZERO
        drawn += draw
        for later, share in shares.items():
            due[later] = due.get(later, ZERO) + draw * share
        scheduled = due.get(quarter, ZERO)
        repaid = scheduled if quarter > last else row["repayments_musd"] if row else ZERO
        accrued = accrued.and_also(_cost(books.inputs, facility, quarter, opening + draw))
        paid = accrued if _pays_interest(facility, quarter) else Interest()
        fees = _fees(books, facility, quarter, drawn) if used else ZERO
        quarters[quarter] = Quartered(opening, draw, scheduled, repaid, paid.all, paid.excess, fees)
        accrued = Interest() if paid is accrued else accrued
        _spread(due, shares, quarter + 1, scheduled - repaid)
        opening += draw - repaid
    return quarters


def _shares(inputs: Inputs, facility: Any) -> dict[Quarter, Decimal]:
    """Shares of what is drawn that fall due, by quarter: the schedule, or all of it at maturity."""
    rows = inputs.rows_of("amortisation", "facility", facility.facility)
    return {row.quarter: decimal(row.share) for row in rows} or {facility.maturity: ONE}


def _spread(due: dict[Quarter, Decimal], shares: Mapping[Quarter, Decimal], since: Quarter, musd: Decimal) -> None:
    """Let more fall due, or less, by the shares from a quarter on, as parts of their sum.

    So does what is owed at first; so, below nothing, does what is prepaid: it lowers all that is due later.
    """
    left = {quarter: share for quarter, share in shares.items() if quarter >= since}
    whole = sum(left.values(), ZERO)
    if musd and whole:
        for quarter, share in left.items():
            due[quarter] = due.get(quarter, ZERO) + musd * share / whole


def rate(inputs: Inputs, facility: Any, quarter: Quarter) -> Decimal:
    """The yearly rate of a quarter: the base rate with its margin; after the horizon the last quarter's."""
    if facility.base_rate is None:
        return decimal(facility.margin)
    base = inputs.row("base_rates", inputs.scenario, facility.base_rate, inputs.within(quarter))
    return decimal(base.rate) + decimal(facility.margin)


def _cost(inputs: Inputs, facility: Any, quarter: Quarter, musd: Decimal) -> Interest:
    """A quarter's interest on a balance, and what of it exceeds the normal cost of borrowing, where that is told.

    While more could be drawn a dollar drawn costs no less than one undrawn, or drawing would save the fee on it.
    """
    yearly, normal = rate(inputs, facility, quarter), inputs.case.settings.discount_rates.get(DEBT)
    excess = ZERO if normal is None else max(ZERO, yearly - decimal(normal))
    if _available(facility, quarter):
        excess = max(excess, decimal(facility.undrawn_fee))
    return Interest(musd * yearly / QUARTERS, musd * excess / QUARTERS)


def _available(facility: Any, quarter: Quarter) -> bool:
    """Whether the terms let it be drawn in a quarter."""
    return facility.available_first is not None and bool(facility.available_first <= quarter <= facility.available_last)


def _pays_interest(facility: Any, quarter: Quarter) -> bool:
    """In every so many quarters, counted both ways from one that has a coupon, and at maturity."""
    every = facility.interest_every_quarters
    return bool(quarter == facility.maturity or every == 1 or (quarter - facility.first_coupon) % every == 0)


def _before(books: Books, facility: Any) -> Interest:
    """Interest that stands at the start: that of the quarters since the last coupon before, at the first one's rate."""
    first, every = books.case.first, facility.interest_every_quarters
    since = 0 if every == 1 else (first - facility.first_coupon - 1) % every
    owed, found = decimal(facility.drawn_musd), Interest()
    for back in range(since):
        found = found.and_also(_cost(books.inputs, facility, first - 1 - back, owed))
    return found


def _fees(books: Books, facility: Any, quarter: Quarter, drawn: Decimal) -> Decimal:
    """Upfront on the commitment, unless something was drawn before; undrawn on what still could be, while it can."""
    if facility.available_first is None or quarter not in books.case.horizon:
        return ZERO
    commitment, fees = decimal(facility.commitment_musd), ZERO
    if quarter == facility.available_first and not facility.drawn_musd > 0:
        fees += decimal(facility.upfront_fee) * commitment
    if _available(facility, quarter):
        fees += decimal(facility.undrawn_fee) / QUARTERS * (commitment - drawn)
    return fees


def lives(books: Books) -> dict[str, dict[Quarter, Quartered]]:
    return {facility.facility: life(books, facility) for facility in books.case.rows("facilities")}


def quarterly(books: Books, all_lives: Mapping[str, Life]) -> Iterator[tuple[Any, Quarter, Quartered]]:
    """Every quarter in the life of every facility."""
    for facility in books.case.rows("facilities"):
        for quarter, now in all_lives[facility.facility].items():
            yield facility, quarter, now


# ---- money -------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    """Interest and principal to maturity, also after the horizon; of interest only what exceeds the normal is value."""
    for facility, quarter, now in quarterly(books, lives(books)):
        flows = {INTEREST: -now.interest, EXCESS: -now.excess, FEE: -now.fees, PRINCIPAL: now.drawn - now.repaid}
        for line, musd in flows.items():
            if musd:
                books.record(line, quarter, musd, CORPORATE, source=facility.facility)


# ---- rules -------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    yield _form(books)
    all_lives = lives(books)
    yield from _table(books, all_lives)
    yield from _terms(books, all_lives)


def _form(books: Books) -> Check:
    tally = Tally(
        "domain",
        "debt_rows",
        "Each row of debt names a facility and a quarter of its life in the horizon once; no amount is below zero.",
        "rows",
        ZERO,
    )
    rows = books.table("debt")
    seen = Counter((row["facility"], row["quarter"]) for row in rows)
    columns = ("opening_musd", "draws_musd", "repayments_musd", "closing_musd")
    for row in rows:
        facility, quarter = books.inputs.row("facilities", row["facility"]), row["quarter"]
        known = facility is not None and quarter in books.case.horizon and quarter <= facility.maturity
        told = all(row[name] >= -DOLLAR for name in columns) and row["scenario"] == books.scenario
        tally.holds(f"{row['facility']} in {quarter}", known and told and seen[row["facility"], quarter] == 1)
    return tally.check()


def _table(books: Books, all_lives: Mapping[str, Life]) -> Iterator[Check]:
    """The table of debt, column by column, for all quarters of every facility."""
    rolls = Tally(
        "roll-forward",
        "debt_roll_forward",
        "Each facility opens with what it closed with, and closes with that plus draws less repayments.",
        "$M",
        LAST_DIGIT,
    )
    costs = Tally("cash", "interest_and_fees", "Interest and fees are those of the facility's terms.", "$M", TEN_CENTS)
    rows: dict[tuple[str, Quarter], Row] = {(row["facility"], row["quarter"]): row for row in books.table("debt")}
    for facility, quarter, now in quarterly(books, all_lives):
        if quarter > books.case.last:
            continue
        row, tolerance = rows.get((facility.facility, quarter)), LAST_DIGIT * (quarter - books.case.first + 3)
        where = f"{facility.facility} in {quarter}"
        stated = (row["opening_musd"], row["closing_musd"]) if row else (ZERO, ZERO)
        rolls.equal(f"opening of {where}", stated[0], now.opening, tolerance)
        rolls.equal(f"closing of {where}", stated[1], now.closing, tolerance)
        costs.equal(f"interest of {where}", row["interest_musd"] if row else ZERO, now.interest)
        costs.equal(f"fees of {where}", row["fees_musd"] if row else ZERO, now.fees)
    yield rolls.check()
    yield costs.check()


def _terms(books: Books, all_lives: Mapping[str, Life]) -> Iterator[Check]:
    draws = Tally(
        "rules", "debt_draws", "A facility is drawn in its quarters only, up to its commitment.", "$M", DOLLAR
    )
    schedule = Tally(
        "rules",
        "debt_repayments",
        "Each quarter repays what is scheduled, more only where the facility may be prepaid, before its maturity.",
        "$M",
        DOLLAR,
    )
    ends = Tally("rules", "debt_balance", "No balance is negative, none is left after maturity.", "$M", DOLLAR)
    for facility, quarter, now in quarterly(books, all_lives):
        name, commitment = facility.facility, decimal(facility.commitment_musd)
        draws.at_least(name, now.drawn, ZERO, quarter)
        draws.at_most(name, now.drawn, commitment if _open(books, facility, quarter) else ZERO, quarter)
        prepays = books.decide and facility.prepayable and quarter < facility.maturity
        left = max(ZERO, now.opening + now.drawn - now.scheduled) if prepays else ZERO
        schedule.at_least(name, now.repaid, now.scheduled, quarter)
        schedule.at_most(f"{name}, ahead of schedule", now.prepaid, left, quarter)
        ends.at_least(name, now.closing, ZERO, quarter)
        if quarter == facility.maturity:
            ends.at_most(f"{name}, at maturity", now.closing, ZERO, quarter)
    for facility in books.case.rows("facilities"):
        drawn = sum((now.drawn for now in all_lives[facility.facility].values()), decimal(facility.drawn_musd))
        draws.at_most(f"{facility.facility}, all draws", drawn, decimal(facility.commitment_musd))
    yield from (tally.check() for tally in (draws, schedule, ends))


def _open(books: Books, facility: Any, quarter: Quarter) -> bool:
    return books.decide and quarter <= books.case.last and _available(facility, quarter)
