"""Debt: each facility's balance from its draws and repayments, what it costs, and what its lender asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimizer.audit.books import Books, Row
from optimizer.audit.company import CORPORATE
from optimizer.audit.inputs import ONE, QUARTERS, ZERO, Inputs, decimal
from optimizer.audit.report import Check, Tally
from optimizer.quarters import Quarter
from optimizer.schema import ANY

CAPEX = ("facility_capex", "gpu_capex", "mobilisation", "tenant_capex")
"""What a lender lends against: the AI programme's capex, less what tenants pay."""
AI_MARGIN = (
    "rent",
    "market_sales",
    "ai_power",
    "ai_operating_cost",
    "lease_cost",
    "tenant_credits",
    "damages",
    "backstop",
)
"""What serves debt: all of the AI margin but prepayments."""
ROUNDED = Decimal("1e-9")
A_DOLLAR = Decimal("1e-6")
CENTS = Decimal("1e-7")


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
    due = _scheduled_opening(shares, opening, first)
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
        _lower(due, shares, quarter, repaid - scheduled)
        opening += draw - repaid
    return quarters


def _shares(inputs: Inputs, facility: Any) -> dict[Quarter, Decimal]:
    """Shares of what is drawn that fall due, by quarter: the schedule, or all of it at maturity."""
    rows = inputs.rows_of("amortisation", "facility", facility.facility)
    return {row.quarter: decimal(row.share) for row in rows} or {facility.maturity: ONE}


def _scheduled_opening(shares: Mapping[Quarter, Decimal], opening: Decimal, first: Quarter) -> dict[Quarter, Decimal]:
    """What is already owed falls due by the shares that are left, as parts of their sum."""
    left = {quarter: share for quarter, share in shares.items() if quarter >= first}
    whole = sum(left.values(), ZERO)
    return {quarter: opening * share / whole for quarter, share in left.items()} if whole else {}


def _lower(due: dict[Quarter, Decimal], shares: Mapping[Quarter, Decimal], quarter: Quarter, prepaid: Decimal) -> None:
    """A prepayment lowers what falls due later, in proportion to the shares of later quarters."""
    later = {q: share for q, share in shares.items() if q > quarter}
    whole = sum(later.values(), ZERO)
    if prepaid and whole:
        for q, share in later.items():
            due[q] = due.get(q, ZERO) - prepaid * share / whole


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
            flows = {"interest": -now.interest, "fee": -now.fees, "principal": now.drawn - now.repaid}
            for line, musd in flows.items():
                if musd and (line != "principal" or quarter <= books.case.last):
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
        told = all(row[name] >= -A_DOLLAR for name in columns) and row["scenario"] == books.scenario
        tally.holds(f"{row['facility']} in {quarter}", known and told and seen[row["facility"], quarter] == 1)
    return tally.check()


def _table(books: Books, all_lives: Mapping[str, Life]) -> Iterator[Check]:
    """The table of debt, column by column, for all quarters of every facility."""
    rolls = Tally(
        "roll-forward",
        "debt_roll_forward",
        "Each facility opens with what it closed with, and closes with that plus draws less repayments.",
        "$M",
        ROUNDED,
    )
    costs = Tally("cash", "interest_and_fees", "Interest and fees are those of the facility's terms.", "$M", CENTS)
    rows: dict[tuple[str, Quarter], Row] = {(row["facility"], row["quarter"]): row for row in books.table("debt")}
    for name, quarters in all_lives.items():
        for count, (quarter, now) in enumerate(quarters.items(), start=3):
            if quarter > books.case.last:
                break
            row, tolerance = rows.get((name, quarter)), ROUNDED * count
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
        "rules", "debt_draws", "A facility is drawn in its quarters only, up to its commitment.", "$M", A_DOLLAR
    )
    schedule = Tally(
        "rules",
        "debt_repayments",
        "Each quarter repays what is scheduled, more only where the facility may be prepaid, before its maturity.",
        "$M",
        A_DOLLAR,
    )
    ends = Tally("rules", "debt_balance", "No balance is negative, none is left after maturity.", "$M", A_DOLLAR)
    for facility in books.case.rows("facilities"):
        drawn = decimal(facility.drawn_musd)
        for quarter, now in all_lives[facility.facility].items():
            where = f"{facility.facility} in {quarter}"
            drawn += now.drawn
            draws.at_least(where, now.drawn, ZERO)
            draws.at_most(
                where, now.drawn, decimal(facility.commitment_musd) if _open(books, facility, quarter) else ZERO
            )
            prepays = books.decide and facility.prepayable and quarter < facility.maturity
            schedule.at_least(where, now.repaid, now.scheduled)
            schedule.at_most(
                where, now.prepaid, max(ZERO, now.opening + now.drawn - now.scheduled) if prepays else ZERO
            )
            ends.at_least(where, now.closing, ZERO)
            if quarter == facility.maturity:
                ends.at_most(f"{where}, maturity", now.closing, ZERO)
        draws.at_most(f"{facility.facility}, all draws", drawn, decimal(facility.commitment_musd))
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


def _capex(books: Books, facility: Any, quarter: Quarter) -> Decimal:
    """AI capex of a quarter that the facility's project spends itself, received negative turned round."""
    return -books.paid(CAPEX, quarter, None if facility.site == ANY else facility.site)


def _loan_to_cost(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "loan_to_cost",
        "What is owed is at most its share of the AI capex so far, tenants' money taken off.",
        "$M",
        A_DOLLAR,
    )
    for facility in books.case.rows("facilities"):
        if facility.loan_to_cost is None:
            continue
        spent = ZERO
        for quarter in books.case.horizon:
            spent += _capex(books, facility, quarter)
            now = all_lives[facility.facility].get(quarter)
            if now is not None:
                allowed = max(ZERO, decimal(facility.loan_to_cost) * spent)
                tally.at_most(f"{facility.facility} in {quarter}", now.closing, allowed)
    return tally.check()


def _ring_fence(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "ring_fence",
        "A project's loan pays for the project: what is drawn in a quarter is at most its site's capex of the quarter.",
        "$M",
        A_DOLLAR,
    )
    for facility in books.case.rows("facilities"):
        if facility.site != ANY:
            for quarter, now in all_lives[facility.facility].items():
                if quarter <= books.case.last:
                    allowed = max(ZERO, _capex(books, facility, quarter))
                    tally.at_most(f"{facility.facility} in {quarter}", now.drawn, allowed)
    return tally.check()


def _coverage(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "debt_coverage",
        "From its first test on, AI margin covers the debt service of a facility that is used as often as agreed.",
        "$M",
        A_DOLLAR,
    )
    for facility in books.case.rows("facilities"):
        quarters = all_lives[facility.facility]
        used = facility.drawn_musd > 0 or any(now.drawn > 0 for now in quarters.values())
        if facility.dscr is None or not used:
            continue
        site = None if facility.site == ANY else facility.site
        for quarter, now in quarters.items():
            if quarter <= books.case.last and facility.dscr_from <= quarter < facility.maturity:
                service = now.interest + now.scheduled
                margin = books.paid(AI_MARGIN, quarter, site)
                tally.at_least(f"{facility.facility} in {quarter}", margin, decimal(facility.dscr) * service)
    return tally.check()


def _cash_kept(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "lenders_cash",
        "While a facility is outstanding at a quarter's end, the cash that its lender asks for is there.",
        "$M",
        A_DOLLAR,
    )
    cash = {row["quarter"]: row["closing_musd"] for row in books.table("cash")}
    for facility in books.case.rows("facilities"):
        if facility.minimum_cash_musd is None:
            continue
        for quarter, now in all_lives[facility.facility].items():
            if quarter in cash and now.closing > A_DOLLAR:
                tally.at_least(f"{facility.facility} in {quarter}", cash[quarter], decimal(facility.minimum_cash_musd))
    return tally.check()


def _required_offers(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "required_contract",
        "A loan against a contract is drawn only where the contract is signed, at the project's site if it has one.",
        "$M",
        A_DOLLAR,
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
        A_DOLLAR,
    )
    for facility in books.case.rows("facilities"):
        if facility.refinances is None:
            continue
        replaced = all_lives[facility.refinances]
        for quarter, now in all_lives[facility.facility].items():
            repaid = replaced[quarter].repaid if quarter in replaced else ZERO
            if quarter <= books.case.last:
                tally.at_most(f"{facility.facility} in {quarter}", now.drawn, repaid)
    return tally.check()
