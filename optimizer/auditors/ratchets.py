"""Demand that is remembered: what a site's utility bills above what the site draws."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.auditors.books import Books
from optimizer.auditors.contracts import contracts
from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.machines import RUNNING, installed
from optimizer.ground.quarters import Quarter

Place = tuple[str, Quarter]
"""A site and a quarter."""


def metered_mw(books: Books) -> dict[Place, Decimal]:
    """Gross MW that the utility meters: machines that run on the grid, and AI load, whoever pays for its power."""
    drawn: dict[Place, Decimal] = {}

    def add(site: str, quarter: Quarter, gross_mw: Decimal) -> None:
        drawn[site, quarter] = drawn.get((site, quarter), ZERO) + gross_mw

    for (site, _, quarter), gross_mw in installed(books, (RUNNING,)).items():
        add(site, quarter, gross_mw)
    for row in books.table("own_plants"):
        add(row["site"], row["quarter"], -row["on_own_plant_gross_mw"])
    for row in books.table("capacity"):
        add(row["site"], row["quarter"], row["market_it_mw"] * books.inputs.pue(row["site"], row["product"]))
    for contract in contracts(books):
        pue = books.inputs.pue(contract.bill.site, contract.bill.offer.product)
        for quarter in books.case.horizon:
            add(contract.bill.site, quarter, contract.drawn_it_mw(quarter) * pue)
    return drawn


def billed_above_mw(books: Books, ratchet: Any, drawn: dict[Place, Decimal]) -> dict[Quarter, Decimal]:
    """Gross MW billed above those metered: the remembered share of the highest of the quarters before."""
    above, before = {}, decimal(ratchet.highest_before_gross_mw)
    for t in books.case.horizon:
        earlier = (Quarter(t - back) for back in range(1, ratchet.ratchet_quarters + 1))
        highest = max(drawn.get((ratchet.site, e), ZERO) if e >= books.case.first else before for e in earlier)
        above[t] = max(ZERO, decimal(ratchet.ratchet_share) * highest - drawn.get((ratchet.site, t), ZERO))
    return above


def billed_above_musd(books: Books) -> dict[Place, Decimal]:
    """$M that sites with a memory pay for demand that they no longer have, where they pay any."""
    rows = books.case.rows("ratchets")
    drawn = metered_mw(books) if rows else {}
    bills = {
        (row.site, quarter): gross_mw * books.inputs.demand_musd_per_mw(row.site, quarter)
        for row in rows
        for quarter, gross_mw in billed_above_mw(books, row, drawn).items()
    }
    return {place: musd for place, musd in bills.items() if musd}
