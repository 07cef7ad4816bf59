"""Credit backstop: a stronger company stands behind the tenant, at a cost, and its rent is discounted as safer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Rate, Row, Share
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Maybe, Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class Backstop(Row):
    table = "backstops"
    key = ("offer",)
    required = False
    about = "What a backstop of the tenant's credit costs us, and the rate at which the backed contract is discounted."
    offer: Annotated[Name, Field(description="an offer")]
    upfront_musd_per_it_mw: Annotated[
        NotNegative, Field(description="paid at first delivery per contracted IT MW; the value of warrants given")
    ]
    rent_share: Annotated[Share, Field(description="fee, share of every bill")]
    discount_rate: Annotated[
        Rate | None, Maybe, Field(description="yearly rate for the contract's flows; blank: the product's own")
    ]


def shape(deal: Deal) -> None:
    row = deal.row(Backstop)
    if row is None:
        return
    cost = row.rent_share * deal.rent
    cost[0] += row.upfront_musd_per_it_mw
    deal.pay("backstop", -cost)
    deal.rate = row.discount_rate


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("backstops"):
        rates = case.settings.discount_rates
        own = rates.get(case.offer[row.offer].product, rates["corporate"])
        if row.discount_rate is not None and row.discount_rate > own:
            why = f"is above the {own:g} of the product without a backstop"
            yield row.finding(why, "a backed contract is no riskier: lower it, or leave it blank", "discount_rate")


TERM = Term((Backstop,), shape, check)
