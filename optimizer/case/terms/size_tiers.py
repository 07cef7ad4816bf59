"""Price tiers: larger contracts pay less per MW, on the whole contract."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.schema import Offer
from optimizer.case.schema.base import Positive, Row
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class PriceTier(Row):
    table = "price_tiers"
    key = ("offer", "up_to_it_mw")
    required = False
    about = "Price by size: a contract pays, on all its MW, the price of the first tier that is large enough for it."
    offer: Annotated[Name, Field(description="an offer")]
    up_to_it_mw: Annotated[Positive, Field(description="largest size of the tier; the last tier ends at `max_it_mw`")]
    price_share: Annotated[Positive, Field(le=1, description="factor on the price; falls as sizes rise")]


def tiers_of(case: Case, offer: Offer) -> list[tuple[float, float, float]]:
    """Smallest size, largest size and price share of each tier; an offer without tiers has one."""
    rows = sorted(case.of_offer(PriceTier, offer.offer), key=lambda row: row.up_to_it_mw)
    if not rows:
        return [(offer.min_it_mw, offer.max_it_mw, 1.0)]
    edges = [offer.min_it_mw, *(row.up_to_it_mw for row in rows)]
    return [
        (max(below, offer.min_it_mw), row.up_to_it_mw, row.price_share)
        for below, row in zip(edges, rows, strict=False)
        if row.up_to_it_mw >= offer.min_it_mw
    ]


def shape(deal: Deal) -> None:
    deal.reprice(tiers_of(deal.case, deal.offer)[deal.tier][2])


def check(case: Case) -> Iterator[Finding]:
    for offer in case.offers:
        rows = sorted(case.of_offer(PriceTier, offer.offer), key=lambda row: row.up_to_it_mw)
        for small, large in pairwise(rows):
            if large.price_share >= small.price_share:
                why = f"is not below the {small.price_share:g} of sizes up to {small.up_to_it_mw:g} IT MW"
                yield large.finding(why, "let prices fall as sizes rise, or make it two offers", "price_share")
        if rows and rows[-1].up_to_it_mw != offer.max_it_mw:
            why = f"is not the offer's largest size of {offer.max_it_mw:g} IT MW"
            yield rows[-1].finding(why, "end the last tier there", "up_to_it_mw")


TERM = Term((PriceTier,), shape, check)
