"""Policies and budgets: what the company allows itself, whatever it would pay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from optimizer.auditors.books import Books
from optimizer.auditors.halls import batches
from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.lines import CAPEX, MINING, PAID_BY_CUSTOMERS
from optimizer.auditors.machines import fit, installed, opening_gross_mw
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import DOLLAR, WATT
from optimizer.case.schema import ANY
from optimizer.ground.quarters import Quarter


def record(books: Books) -> None:
    """None: policies cost nothing."""


def checks(books: Books) -> Iterator[Check]:
    yield _use_limits(books)
    yield _construction(books)
    yield _budget(books)
    yield _yearly_budgets(books)
    yield _exclusive_groups(books)
    if books.decide:
        yield _customer_share(books)


# ---- megawatts ---------------------------------------------------------------------------------------------


def _use_limits(books: Books) -> Check:
    tally = Tally(
        "rules",
        "floors_and_ceilings",
        "A use keeps between the floor and the ceiling that a policy sets; doing nothing keeps the floors it can.",
        "MW",
        WATT,
    )
    machines = _machines_by_site(books)
    for row in books.case.rows("use_limits"):
        for quarter in books.case.horizon:
            if row.first <= quarter <= row.last:
                used = _used(books, row, quarter, machines)
                if row.min_mw is not None:
                    tally.at_least(row.policy, used, _floor(books, row, quarter), quarter)
                if row.max_mw is not None:
                    tally.at_most(row.policy, used, decimal(row.max_mw), quarter)
    return tally.check()


def _machines_by_site(books: Books) -> dict[tuple[str, Quarter], Decimal]:
    megawatts: dict[tuple[str, Quarter], Decimal] = {}
    for (site, _, quarter), gross_mw in installed(books).items():
        megawatts[site, quarter] = megawatts.get((site, quarter), ZERO) + gross_mw
    return megawatts


def _used(books: Books, limit: Any, quarter: Quarter, machines: Mapping[tuple[str, Quarter], Decimal]) -> Decimal:
    """Machines installed, or capacity in service, ramp aside."""
    if limit.use == MINING:
        sites = [row.site for row in books.case.rows("sites") if limit.site in (ANY, row.site)]
        return sum((machines.get((site, quarter), ZERO) for site in sites), ZERO)
    total = ZERO
    for batch in batches(books):
        if limit.site in (ANY, batch.option.site):
            per_block = batch.it_mw_per_block if limit.basis == "it_mw" else decimal(batch.option.block_gross_mw)
            total += batch.in_service(quarter).get(limit.use, ZERO) * per_block
    return total


def _floor(books: Books, limit: Any, quarter: Quarter) -> Decimal:
    """The policy's floor; without decisions no more than the machines there are, and none on products."""
    floor = decimal(limit.min_mw)
    if books.decide:
        return floor
    if limit.use != MINING:
        return ZERO
    sites = [row.site for row in books.case.rows("sites") if limit.site in (ANY, row.site)]
    classes = [asic for asic in books.case.rows("asics") if fit(asic, quarter)]
    return min(floor, sum((opening_gross_mw(books.inputs, s, a) for s in sites for a in classes), ZERO))


def starts(books: Books) -> Iterator[tuple[Any, Quarter, Decimal]]:
    """Option, start quarter and blocks of every start of the plan, committed ones included."""
    for row in books.table("starts"):
        option = books.inputs.row("options", row["option"])
        if option is not None:
            yield option, row["start_quarter"], row["blocks"]


def _construction(books: Books) -> Check:
    tally = Tally(
        "rules",
        "construction_at_once",
        "No more is under construction at once than the company can manage.",
        "blocks or IT MW",
        WATT,
    )
    settings = books.case.settings
    for quarter in books.case.horizon:
        under_way = [(o, blocks) for o, start, blocks in starts(books) if start <= quarter < start + o.lead_quarters]
        if settings.max_blocks_under_construction is not None:
            blocks = sum((blocks for _, blocks in under_way), ZERO)
            tally.at_most("blocks", blocks, decimal(settings.max_blocks_under_construction), quarter)
        if settings.max_it_mw_under_construction is not None:
            it_mw = sum((n * decimal(o.block_gross_mw) / decimal(o.design_ratio) for o, n in under_way), ZERO)
            tally.at_most("IT MW", it_mw, decimal(settings.max_it_mw_under_construction), quarter)
    return tally.check()


# ---- money -------------------------------------------------------------------------------------------------


def _spent(books: Books, quarter: Quarter) -> Decimal:
    """Gross: what tenants advance is a loan of theirs and leaves the company's capex what it is."""
    return -books.paid(CAPEX, quarter)


def _budget(books: Books) -> Check:
    tally = Tally(
        "rules",
        "capex_budget",
        "Capex of the horizon stays within the budget, whatever tenants advance of it.",
        "$M",
        DOLLAR,
    )
    whole = sum((_spent(books, quarter) for quarter in books.case.horizon), ZERO)
    tally.at_most("the horizon", whole, decimal(books.case.settings.capex_budget_musd))
    return tally.check()


def _yearly_budgets(books: Books) -> Check:
    tally = Tally(
        "rules",
        "yearly_budgets",
        "Capex of a calendar year that has a budget stays within it, whatever tenants advance of it.",
        "$M",
        DOLLAR,
    )
    for row in books.case.rows("budget_years"):
        quarters = [quarter for quarter in books.case.horizon if quarter.year == row.year]
        spent = sum((_spent(books, quarter) for quarter in quarters), ZERO)
        if quarters:
            tally.at_most(f"{row.year}", spent, decimal(row.capex_budget_musd))
    return tally.check()


def _customer_share(books: Books) -> Check:
    tally = Tally(
        "rules",
        "customer_share",
        "No customer pays a larger share of a quarter's rent and market sales than the policy allows.",
        "$M",
        DOLLAR,
    )
    settings = books.case.settings
    if settings.max_customer_share is None:
        return tally.check()
    begins = settings.max_customer_share_from or books.case.first
    customers = {row.offer: row.customer for row in books.case.rows("offers")}
    paid: dict[tuple[str, Quarter], Decimal] = {}
    for flow in books.flows:
        if flow.line == "rent" and begins <= flow.quarter <= books.case.last:
            key = customers.get(flow.source, flow.source), flow.quarter
            paid[key] = paid.get(key, ZERO) + flow.musd
    for (customer, quarter), musd in paid.items():
        whole = books.paid(PAID_BY_CUSTOMERS, quarter)
        tally.at_most(customer, musd, decimal(settings.max_customer_share) * whole, quarter)
    return tally.check()


# ---- contracts -----------------------------------------------------------------------------


def _exclusive_groups(books: Books) -> Check:
    tally = Tally(
        "rules",
        "exclusive_groups",
        "Of the offers of an exclusive group at most one is signed, a commitment counted.",
        "offers",
        ZERO,
    )
    signed: dict[str, int] = {}
    for row in books.table("contracts"):
        offer = books.inputs.row("offers", row["offer"])
        if offer is not None and offer.exclusive_group is not None:
            signed[offer.exclusive_group] = signed.get(offer.exclusive_group, 0) + 1
    for group in dict.fromkeys(row.exclusive_group for row in books.case.rows("offers")):
        if group is not None:
            tally.at_most(group, Decimal(signed.get(group, 0)), Decimal(1))
    return tally.check()
