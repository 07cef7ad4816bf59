"""Tenant-funded capex: the tenant pays part of the hall and is repaid by credits on its rent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from optimizer.case.schema.base import Positive, Rate, Row, Share
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name, Whole
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class TenantFunding(Row):
    table = "tenant_funding"
    key = ("offer",)
    required = False
    about = (
        "Capex that the tenant pays, repaid by credits on its rent; what the firm term does not repay is forgiven. "
        "Budgets count capex whatever tenants pay of it."
    )
    offer: Annotated[Name, Field(description="an offer")]
    musd_per_it_mw: Annotated[Positive, Field(le=100, description="what the tenant pays per contracted IT MW")]
    paid_quarters_before: Annotated[
        Whole, Field(ge=0, le=20, description="quarters before first delivery in which it is received")
    ]
    credit_share: Annotated[Share, Field(description="largest share of a bill that is credited")]
    rate: Annotated[Rate, Field(ge=0, description="yearly interest on what is not yet repaid")]


def shape(deal: Deal) -> None:
    """Each quarter of the firm term `balance x (1 + rate/4)`, less a credit of `min(balance, credit_share x rent)`.

    Advance and credits are those of the contract as planned, whatever of it is late.
    """
    row = deal.row(TenantFunding)
    if row is None or deal.part is not None:
        return
    deal.receive("tenant_capex", row.paid_quarters_before, row.musd_per_it_mw)
    balance, credits = row.musd_per_it_mw, np.zeros(deal.firm)
    for j, rent in enumerate(deal.rent[: deal.firm]):
        balance *= 1 + row.rate / 4
        credits[j] = min(balance, row.credit_share * float(rent))
        balance -= credits[j]
    deal.pay("tenant_credits", -credits)


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("tenant_funding"):
        if row.credit_share == 0:
            why = "is 0: the tenant would never be repaid"
            yield row.finding(why, "credit a share, or lower the offer's price instead", "credit_share")


TERM = Term((TenantFunding,), shape, check)
