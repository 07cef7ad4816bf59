"""What lenders ask for: a share of cost, cash kept, contracts signed, and that the end is covered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from optimizer.auditors.books import Books
from optimizer.auditors.collateral import Booked, Hall, Pledges
from optimizer.auditors.debt import Life, Quartered, lives, quarterly
from optimizer.auditors.inputs import ONE, ZERO, decimal
from optimizer.auditors.lines import AI_CAPEX, CAPEX, CUSTOMERS, DEBT, EARNED, RESIDUAL
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import DOLLAR
from optimizer.ground.quarters import Quarter

STILL_TO_COME = frozenset({*EARNED, *CUSTOMERS, *CAPEX, "gpu_sales", "tax", RESIDUAL})
"""Lines that cover, after the horizon, what is owed at its end."""


def record(books: Books) -> None:
    """None: what lenders ask for moves no money."""


def checks(books: Books) -> Iterator[Check]:
    if not books.decide:
        return
    all_lives = lives(books)
    costs, pledges = Booked(books, AI_CAPEX), Pledges(books)
    yield _loan_to_cost(books, all_lives, costs, pledges)
    yield _joint_loan_to_cost(books, all_lives, costs, pledges)
    yield from _draws(books, all_lives, costs, pledges)
    yield _cash_kept(books, all_lives)
    yield _required_offers(books, all_lives, pledges)
    yield _refinancing(books, all_lives)
    yield _owed_at_the_end(books, all_lives)


def _tested(books: Books, all_lives: Mapping[str, Life], term: str) -> Iterator[tuple[Any, Quarter, Quartered]]:
    """Every quarter of the horizon in the life of every facility that has a term."""
    for facility, quarter, now in quarterly(books, all_lives):
        if getattr(facility, term) is not None and quarter <= books.case.last:
            yield facility, quarter, now


def _to_date(books: Books, costs: Booked, hall: Hall, quarter: Quarter) -> Decimal:
    """What a hall has cost from the first quarter to this one, tenants' advances taken off."""
    return -sum((costs.of(hall, Quarter(t)) for t in range(books.case.first, quarter + 1)), ZERO)


# ---- a share of cost ---------------------------------------------------------------------------------------


def _loan_to_cost(books: Books, all_lives: Mapping[str, Life], costs: Booked, pledges: Pledges) -> Check:
    tally = Tally(
        "rules",
        "loan_to_cost",
        "What is owed is at most its share of what its halls have cost so far, tenants' advances taken off.",
        "$M",
        DOLLAR,
    )
    for facility, quarter, now in _tested(books, all_lives, "loan_to_cost"):
        halls = pledges.halls(facility.facility, costs)
        cost = sum((_to_date(books, costs, hall, quarter) for hall in halls), ZERO)
        tally.at_most(facility.facility, now.closing, max(ZERO, decimal(facility.loan_to_cost) * cost), quarter)
    return tally.check()


def _joint_loan_to_cost(books: Books, all_lives: Mapping[str, Life], costs: Booked, pledges: Pledges) -> Check:
    """A hall carries each lender's share of its cost, and never more than its cost."""
    tally = Tally(
        "rules",
        "joint_loan_to_cost",
        "Facilities with halls in common owe together at most their shares of each hall's cost, none of it twice.",
        "$M",
        DOLLAR,
    )
    for quarter in books.case.horizon:
        owed = _amounts(books, all_lives, quarter, "closing")
        names = [name for name in owed if pledges.facilities[name].loan_to_cost is not None]
        for chosen in pledges.chained(names):
            together = sum((owed[name] for name in chosen), ZERO)
            lent = sum((_lent(books, costs, pledges, chosen, hall, quarter) for hall in costs.halls), ZERO)
            tally.at_most(" and ".join(chosen), together, max(ZERO, lent), quarter)
    return tally.check()


def _lent(
    books: Books, costs: Booked, pledges: Pledges, chosen: Iterable[str], hall: Hall, quarter: Quarter
) -> Decimal:
    """The most that some facilities together lend on one hall."""
    holders = [pledges.facilities[name] for name in chosen if hall in pledges.halls(name, costs)]
    share = min(ONE, sum((decimal(facility.loan_to_cost) for facility in holders), ZERO))
    return share * _to_date(books, costs, hall, quarter)


def _amounts(books: Books, all_lives: Mapping[str, Life], quarter: Quarter, what: str) -> dict[str, Decimal]:
    """What each facility draws or owes in a quarter, where it is more than nothing."""
    found = {name: getattr(life[quarter], what) for name, life in all_lives.items() if quarter in life}
    return {name: musd for name, musd in found.items() if musd > 0}


def _draws(books: Books, all_lives: Mapping[str, Life], costs: Booked, pledges: Pledges) -> Iterator[Check]:
    alone = Tally(
        "rules",
        "ring_fence",
        "What is drawn against halls in a quarter is at most what they cost in it, tenants' advances taken off.",
        "$M",
        DOLLAR,
    )
    joint = Tally(
        "rules",
        "joint_draws",
        "Facilities with halls in common draw together at most what these cost in the quarter.",
        "$M",
        DOLLAR,
    )
    for quarter in books.case.horizon:
        drawn = {n: m for n, m in _amounts(books, all_lives, quarter, "drawn").items() if n in pledges.secured}
        for name, musd in drawn.items():
            alone.at_most(name, musd, _spent(costs, pledges.secured[name], quarter), quarter)
        for chosen in pledges.chained(list(drawn)):
            halls = frozenset().union(*(pledges.secured[name] for name in chosen))
            together = sum((drawn[name] for name in chosen), ZERO)
            joint.at_most(" and ".join(chosen), together, _spent(costs, halls, quarter), quarter)
    yield alone.check()
    yield joint.check()


def _spent(costs: Booked, halls: frozenset[Hall], quarter: Quarter) -> Decimal:
    return max(ZERO, -costs.together(halls, quarter))


# ---- cash, contracts, predecessors -------------------------------------------------------------------------


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


def _required_offers(books: Books, all_lives: Mapping[str, Life], pledges: Pledges) -> Check:
    tally = Tally(
        "rules",
        "required_contract",
        "A loan against a contract is drawn only where the contract is signed, in a hall that secures it if any does.",
        "$M",
        DOLLAR,
    )
    signed = {(row["offer"], row["site"], row["product"]) for row in books.table("contracts")}
    for facility in books.case.rows("facilities"):
        if facility.requires_offer is None:
            continue
        halls = pledges.secured.get(facility.facility)
        there = any(o == facility.requires_offer and (halls is None or (s, p) in halls) for o, s, p in signed)
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


# ---- the end -----------------------------------------------------------------------------------------------


def still_to_come(books: Books) -> Decimal:
    """What halls, contracts, taxes and residuals bring after the horizon, at its end, at the cost of debt, $M."""
    rate, last = books.rate(DEBT), books.case.last
    rise = books.factor(rate, last + 1, at_start=True)
    later = (flow for flow in books.flows if flow.quarter > last and flow.line in STILL_TO_COME)
    return sum(
        (flow.musd * books.factor(rate, flow.quarter, at_start=flow.line == RESIDUAL) / rise for flow in later), ZERO
    )


def _owed_at_the_end(books: Books, all_lives: Mapping[str, Life]) -> Check:
    tally = Tally(
        "rules",
        "owed_at_the_end",
        "What who borrows owes at the horizon's end, less cash above the minimum, is covered by what is still to come.",
        "$M",
        DOLLAR,
    )
    last, settings = books.case.last, books.case.settings
    if any(row["draws_musd"] > DOLLAR for row in books.table("debt")):
        owed = sum((life[last].closing for life in all_lives.values() if last in life), ZERO)
        cash = sum((row["closing_musd"] for row in books.table("cash") if row["quarter"] == last), ZERO)
        share = ONE if settings.end_coverage is None else decimal(settings.end_coverage)
        spare = cash - decimal(settings.minimum_cash_musd)
        tally.at_most("all facilities", owed - spare, share * still_to_come(books), last)
    return tally.check()
