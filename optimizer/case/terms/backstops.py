"""Credit backstop: a stronger company stands behind the tenant, at a cost, and default becomes less likely."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.schema.base import NotNegative, Row, Share
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class Backstop(Row):
    table = "backstops"
    key = ("offer",)
    required = False
    about = "What a backstop of the tenant's credit costs us, and the chance of default that is left with it."
    offer: Annotated[Name, Field(description="an offer")]
    upfront_musd_per_it_mw: Annotated[
        NotNegative, Field(description="paid at first delivery per contracted IT MW; the value of warrants given")
    ]
    rent_share: Annotated[Share, Field(description="fee, share of every bill")]
    yearly_default: Annotated[
        Share,
        Field(description="chance that tenant and backer both fail within a year; replaces the customer's"),
    ]


def shape(deal: Deal) -> None:
    row = deal.row(Backstop)
    if row is None:
        return
    cost = row.rent_share * deal.rent
    cost[0] += row.upfront_musd_per_it_mw
    deal.pay("backstop", -cost)


def check(case: Case) -> Iterator[Finding]:
    defaults = {row.customer: row.yearly_default for row in case.customers}
    for row in case.rows("backstops"):
        customer = case.offer[row.offer].customer
        if customer not in defaults:
            why = f"backs {customer!r}, whose own chance of default is not known"
            yield row.finding(why, "add the customer to customers.csv", "offer")
        elif row.yearly_default > defaults[customer]:
            why = f"is above the {defaults[customer]:g} of {customer!r} without a backstop"
            yield row.finding(why, "a backed contract is no riskier: lower it", "yearly_default")


TERM = Term((Backstop,), shape, check)
