"""Debt: each facility's balance from its draws and repayments, what it costs, and what its lender asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimizer.auditors.books import Books, Row
from optimizer.auditors.inputs import ONE, QUARTERS, ZERO, Inputs, decimal
from optimizer.auditors.lines import AI_CAPEX, AI_MARGIN, CORPORATE, NO_VALUE
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import DOLLAR, LAST_DIGIT, TEN_CENTS
from optimizer.case.schema import ANY
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True)
class Quartered:
    """One facility in one quarter, as its draws and repayments imply."""

    opening: Decimal
    drawn: Decimal
    scheduled: Decimal
    repaid: Decimal
    interest: Decimal
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
    accrued, quarters = ZERO, {}
    for t in range(first, max(first, facility.maturity) + 1):
        quarter = Quarter(t)
        row = rows.get(quarter)
        draw = row["draws_musd"] if row else ZERO
        drawn += draw
        for later, share in shares.items():
            due[later] = due.get(later, ZERO) + draw * share
        scheduled = due.get(quarter, ZERO)
        repaid = scheduled if quarter > last else row["repayments_musd"] if row else ZERO
        accrued += (opening + draw) * _rate(books.inputs, facility, quarter) / QUARTERS
        pays = _pays_interest(facility, quarter, first)
        fees = _fees(books, facility, quarter, drawn) if used else ZERO
        quarters[quarter] = Quartered(opening, draw, scheduled, repaid, accrued if pays else ZERO, fees)
        accrued = ZERO if pays else accrued
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


def _rate(inputs: Inputs, facility: Any, quarter: Quarter) -> Decimal:
    if facility.base_rate is None:
        return decimal(facility.margin)
    base = inputs.row("base_rates", inputs.scenario, facility.base_rate, inputs.within(quarter))
    return decimal(base.rate) + decimal(facility.margin)


def _pays_interest(facility: Any, quarter: Quarter, first: Quarter) -> bool:
    """Every so many quarters, counted from the first for what is drawn already, and at maturity."""
    since = first if facility.drawn_musd > 0 or facility.available_first is None else facility.available_first
    every = facility.interest_every_quarters
    return bool(quarter == facility.maturity or (quarter >= since and (quarter - since) % every == every - 1))


def _fees(books: Books, facility: Any, quarter: Quarter, drawn: Decimal) -> Decimal:
    """Upfront on the commitment, unless something was drawn before; undrawn on what still could be, while it can."""
    if facility.available_first is None or quarter not in books.case.horizon:
        return ZERO
    commitment, fees = decimal(facility.commitment_musd), ZERO
    if quarter == facility.available_first and not facility.drawn_musd > 0:
        fees += decimal(facility.upfront_fee) * commitment
    if facility.available_first <= quarter <= facility.available_last:
        fees += decimal(facility.undrawn_fee) / QUARTERS * (commitment - drawn)
    return fees


def lives(books: Books) -> dict[str, dict[Quarter, Quartered]]:
    return {facility.facility: life(books, facility) for facility in books.case.rows("facilities")}


# ---- money -------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    """Interest and fees are value, principal is none. After the horizon interest goes on until maturity."""
    for facility in books.case.rows("facilities"):
        site = "" if facility.site == ANY else facility.site
        for quarter, now in life(books, facility).items():
            flows = {"interest": -now.interest, "fee": -now.fees, NO_VALUE: now.drawn - now.repaid}
            for line, musd in flows.items():
                if musd and (line != NO_VALUE or quarter <= books.case.last):
                    books.record(line, quarter, musd, CORPORATE, site, facility.facility)


# ---- rules -------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    all_lives = lives(books)
    yield _form(books)
    yield from _table(books, all_lives)
    yield from _terms(books, all_lives)
    yield from _covenants(books, all_lives)


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
    for name, quarters in all_lives.items():
        for count, (quarter, now) in enumerate(quarters.items(), start=3):
            if quarter > books.case.last:
                break
            row, tolerance = rows.get((name, quarter)), LAST_DIGIT * count
            where = f"{name} in {quarter}"
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
    for facility in books.case.rows("facilities"):
        name, commitment, drawn = facility.facility, decimal(facility.commitment_musd), decimal(facility.drawn_musd)
        for quarter, now in all_lives[name].items():
            drawn += now.drawn
            draws.at_least(name, now.drawn, ZERO, quarter)
            draws.at_most(name, now.drawn, commitment if _open(books, facility, quarter) else ZERO, quarter)
            prepays = books.decide and facility.prepayable and quarter < facility.maturity
            left = max(ZERO, now.opening + now.drawn - now.scheduled) if prepays else ZERO
            schedule.at_least(name, now.repaid, now.scheduled, quarter)
            schedule.at_most(f"{name}, ahead of schedule", now.prepaid, left, quarter)
            ends.at_least(name, now.closing, ZERO, quarter)
            if quarter == facility.maturity:
                ends.at_most(f"{name}, at maturity", now.closing, ZERO, quarter)
        draws.at_most(f"{name}, all draws", drawn, commitment)
    yield from (tally.check() for tally in (draws, schedule, ends))


def _open(books: Books, facility: Any, quarter: Quarter) -> bool:
    if not books.decide or facility.available_first is None or quarter > books.case.last:
        return False
    return bool(facility.available_first <= quarter <= facility.available_last)


# ---- what lenders ask for ----------------------------------------------------------------------------------


def _covenants(books: Books, all_lives: Mapping[str, Life]) -> Iterator[Check]:
    if not books.decide:
        return
    yield _loan_to_cost(books, all_lives)
    yield _ring_fence(books, all_lives)
    yield _coverage(books, all_lives)
    yield _cash_kept(books, all_lives)
    yield _required_offers(books, all_lives)
    yield _refinancing(books, all_lives)


def _tested(books: Books, all_lives: Mapping[str, Life], term: str) -> Iterator[tuple[Any, Quarter, Quartered]]:
    """Every quarter of the horizon in the life of every facility that has a term."""
    for facility in books.case.rows("facilities"):
        if getattr(facility, term) is not None:
            for quarter, now in all_lives[facility.facility].items():
                if quarter <= books.case.last:
                    yield facility, quarter, now


def _capex(books: Books, facility: Any, quarter: Quarter) -> Decimal:
    """AI capex of a quarter that the facility's project spends itself, received negative turned round."""
    return -books.paid(AI_CAPEX, quarter, None if facility.site == ANY else facility.site)


def _loan_to_cost(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "loan_to_cost",
        "What is owed is at most its share of the AI capex so far, tenants' money taken off.",
        "$M",
        DOLLAR,
    )
    spent: dict[str, Decimal] = {}
    for facility, quarter, now in _tested(books, all_lives, "loan_to_cost"):
        to_date = spent.get(facility.facility, ZERO) + _capex(books, facility, quarter)
        spent[facility.facility] = to_date
        allowed = max(ZERO, decimal(facility.loan_to_cost) * to_date)
        tally.at_most(facility.facility, now.closing, allowed, quarter)
    return tally.check()


def _ring_fence(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "ring_fence",
        "A project's loan pays for the project: what is drawn in a quarter is at most its site's capex of the quarter.",
        "$M",
        DOLLAR,
    )
    for facility, quarter, now in _tested(books, all_lives, "site"):
        if facility.site != ANY:
            tally.at_most(facility.facility, now.drawn, max(ZERO, _capex(books, facility, quarter)), quarter)
    return tally.check()


def _coverage(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "debt_coverage",
        "From its first test on, AI margin covers the debt service of a facility that is used as often as agreed.",
        "$M",
        DOLLAR,
    )
    drawn = {name for name, quarters in all_lives.items() if any(now.drawn > 0 for now in quarters.values())}
    for facility, quarter, now in _tested(books, all_lives, "dscr"):
        used = facility.drawn_musd > 0 or facility.facility in drawn
        if used and facility.dscr_from <= quarter < facility.maturity:
            margin = books.paid(AI_MARGIN, quarter, None if facility.site == ANY else facility.site)
            service = now.interest + now.scheduled
            tally.at_least(facility.facility, margin, decimal(facility.dscr) * service, quarter)
    return tally.check()


def _cash_kept(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "lenders_cash",
        "While a facility is outstanding at a quarter's end, the cash that its lender asks for is there.",
        "$M",
        DOLLAR,
    )
    cash = {row["quarter"]: row["closing_musd"] for row in books.table("cash")}
    for facility, quarter, now in _tested(books, all_lives, "minimum_cash_musd"):
        if quarter in cash and now.closing > DOLLAR:
            tally.at_least(facility.facility, cash[quarter], decimal(facility.minimum_cash_musd), quarter)
    return tally.check()


def _required_offers(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "required_contract",
        "A loan against a contract is drawn only where the contract is signed, at the project's site if it has one.",
        "$M",
        DOLLAR,
    )
    signed = {(row["offer"], row["site"]) for row in books.table("contracts")}
    for facility in books.case.rows("facilities"):
        if facility.requires_offer is None:
            continue
        there = any(o == facility.requires_offer and facility.site in (ANY, s) for o, s in signed)
        drawn = sum((now.drawn for now in all_lives[facility.facility].values()), ZERO)
        tally.at_most(facility.facility, drawn, decimal(facility.commitment_musd) if there else ZERO)
    return tally.check()


def _refinancing(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "refinancing",
        "A refinancing is drawn only for what its predecessor repays in the same quarter.",
        "$M",
        DOLLAR,
    )
    for facility, quarter, now in _tested(books, all_lives, "refinances"):
        replaced = all_lives[facility.refinances].get(quarter)
        tally.at_most(facility.facility, now.drawn, ZERO if replaced is None else replaced.repaid, quarter)
    return tally.check()
