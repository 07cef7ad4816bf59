"""Favoured sites: a tenant pays more at the site it likes best, less at the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.schema.base import Positive, Row
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class SitePrice(Row):
    table = "site_prices"
    key = ("offer", "site")
    required = False
    about = "What an offer pays at one site relative to its price. Sites without a row pay the price itself."
    offer: Annotated[Name, Field(description="an offer")]
    site: Annotated[Name, Field(description="a site that it accepts")]
    price_share: Annotated[Positive, Field(le=3, description="factor on the price there: 1.05 at a favoured site")]


def shape(deal: Deal) -> None:
    for row in deal.rows(SitePrice):
        if row.site == deal.site:
            deal.reprice(row.price_share)


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("site_prices"):
        if row.site not in case.sites_of_offer[row.offer]:
            yield row.finding(f"is not accepted by {row.offer!r}", "add it to offer_sites.csv", "site")


TERM = Term((SitePrice,), shape, check)
