"""Prepayment: a share of the rent paid ahead, and credited against later bills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from optimizer.case.schema.base import Row, Share
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name, Whole
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case

TOLERANCE = 1e-9


class Prepayment(Row):
    table = "prepayments"
    key = ("offer",)
    required = False
    about = "Rent paid ahead of delivery and credited back from a month of the contract on, in proportion to the bills."
    offer: Annotated[Name, Field(description="an offer")]
    rent_share: Annotated[Share, Field(description="share of the firm term's rent that is prepaid")]
    paid_quarters_before: Annotated[
        Whole, Field(ge=0, le=20, description="quarters before first delivery in which it is received")
    ]
    credited_after_month: Annotated[
        Whole, Field(ge=0, multiple_of=3, description="months of delivery before the first credit, whole quarters")
    ]


def shape(deal: Deal) -> None:
    """`P = share x rent of the firm term`; credits are `P x rent_j / rent from that month on`.

    What is late pays ahead of its own delivery and is credited from as many months after it.
    """
    row = deal.row(Prepayment)
    if row is None:
        return
    rent = deal.rent[: deal.firm]
    prepaid = row.rent_share * float(rent.sum())
    credited = np.where(np.arange(deal.firm) >= deal.put_off + row.credited_after_month // 3, rent, 0.0)
    if not credited.any():
        return
    deal.receive("prepayments", row.paid_quarters_before, prepaid)
    deal.pay("prepayments", -prepaid * credited / float(credited.sum()))


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("prepayments"):
        term = case.offer[row.offer].term_quarters
        left = max(0.0, 1 - row.credited_after_month / 3 / term)
        if row.rent_share > left + TOLERANCE:
            why = f"is more than the {left:.1%} of the term that is left after month {row.credited_after_month}"
            yield row.finding(why, "prepay less, or credit it sooner", "rent_share")


TERM = Term((Prepayment,), shape, check)
