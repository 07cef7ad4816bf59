"""Extension options: the tenant may go on at its own price, and does when the market is no cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.market import market_price_per_it_mw_quarter
from optimizer.case.schema.base import Positive, Quarters, Row
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name, Whole
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


EQUAL = 1e-12
"""Relative room within which two prices are the same: 177.7 x 0.9 is 159.93, though not in binary."""


class Extension(Row):
    table = "extensions"
    key = ("offer", "step")
    required = False
    about = (
        "Options of the tenant to extend its contract. It takes one when the price it would then pay is at most the "
        "market's, the last quarter's quote after the horizon."
    )
    offer: Annotated[Name, Field(description="an offer")]
    step: Annotated[Whole, Field(ge=1, le=10, description="1 for the first option, 2 for the one after it, ...")]
    quarters: Annotated[Quarters, Field(le=60, description="length of the extension")]
    price_share: Annotated[Positive, Field(le=3, description="factor on the contract's own price, escalated on")]


def shape(deal: Deal) -> None:
    """`taken <=> earlier one taken and price_share x price <= market price` in the extension's first quarter."""
    for row in sorted(deal.rows(Extension), key=lambda row: row.step):
        begins, ends = deal.length, deal.length + row.quarters
        market = market_price_per_it_mw_quarter(deal.case, deal.scenario, deal.offer.product, deal.delivery + begins)
        if row.price_share * deal.price[begins] > market * (1 + EQUAL):
            return
        deal.price[begins:ends] *= row.price_share
        deal.length = ends


def check(case: Case) -> Iterator[Finding]:
    for offer in case.offers:
        rows = sorted(case.of_offer(Extension, offer.offer), key=lambda row: row.step)
        for i, row in enumerate(rows, start=1):
            if row.step != i:
                yield row.finding(f"follows no option {i}", "number the options from 1 on", "step")
                break


TERM = Term((Extension,), shape, check)
