"""Lease kinds of colocation: who pays the building's operating cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from optimizer.case.schema.base import NotNegative, Rate, Row
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground import units
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class Lease(Row):
    table = "leases"
    key = ("offer",)
    required = False
    about = (
        "Who pays a building's taxes, insurance and upkeep, on top of `operating_cost_share`. Triple net: the tenant. "
        "Modified gross: the landlord pays the first year's cost, the tenant every rise of it. Gross: the landlord."
    )
    offer: Annotated[Name, Field(description="an offer")]
    kind: Annotated[Literal["triple_net", "modified_gross", "gross"], Field(description="the kind of lease")]
    cost_musd_per_it_mw_year: Annotated[NotNegative, Field(description="the building's cost in the first year")]
    cost_growth: Annotated[Rate, Field(description="yearly rise of that cost, taken every four quarters")]


def shape(deal: Deal) -> None:
    """Per held IT MW: nothing, the first year's cost, or the cost as it rises."""
    row = deal.row(Lease)
    if row is None or row.kind == "triple_net":
        return
    first_year = units.musd_per_mw_quarter_from_mw_year(row.cost_musd_per_it_mw_year)
    growth = row.cost_growth if row.kind == "gross" else 0.0
    deal.pay("lease_cost", -first_year * (1 + growth) ** (np.arange(deal.length) // 4) * deal.held[: deal.length])


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("leases"):
        if row.kind == "triple_net" and not case.offer[row.offer].power_passed_through:
            why = "is triple net, but the offer does not pass its power through"
            yield row.finding(why, "write power_passed_through yes, or another kind", "kind")


TERM = Term((Lease,), shape, check)
