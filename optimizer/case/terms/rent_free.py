"""Rent-free quarters: the landlord asks no rent at first, while the tenant moves in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from optimizer.case.schema.base import Quarters, Row
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class RentFree(Row):
    table = "rent_free"
    key = ("offer",)
    required = False
    about = (
        "Quarters at the start of a contract in which no rent is billed; capacity is held and power drawn as ever. "
        "What is delivered late has as many of them as it would have had in time."
    )
    offer: Annotated[Name, Field(description="an offer")]
    quarters: Annotated[Quarters, Field(le=20, description="quarters without rent, from first delivery on")]


def shape(deal: Deal) -> None:
    """`billed_j = 0` in the first quarters, for a late part in as many after its arrival; the price's clock runs."""
    row = deal.row(RentFree)
    if row is not None:
        ends = deal.arrival + max(0, row.quarters - deal.due)
        deal.billed = np.where(np.arange(len(deal.billed)) < ends, 0.0, deal.billed)


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("rent_free"):
        term = case.offer[row.offer].term_quarters
        if row.quarters >= term:
            yield row.finding(f"is all of the term of {term} quarters", "ask rent for part of it", "quarters")


TERM = Term((RentFree,), shape, check)
