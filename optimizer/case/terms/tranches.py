"""Tranches: a contract delivered in parts, each billed from its own delivery, all ending together."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from optimizer.case.schema.base import Row, Share
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name, Whole
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case

SHARE_TOLERANCE = 1e-9


class Tranche(Row):
    table = "tranches"
    key = ("offer", "quarters_after")
    required = False
    about = "Parts in which a contract is delivered. An offer without rows is delivered whole."
    offer: Annotated[Name, Field(description="an offer")]
    quarters_after: Annotated[Whole, Field(ge=0, le=60, description="quarters after first delivery; the first part: 0")]
    share: Annotated[Share, Field(gt=0, description="share of the contracted MW; they sum to 1")]


def tranches_of(deal: Deal) -> list[tuple[int, float]]:
    """Quarters after first delivery and share of each tranche in its order; a contract without tranches is one."""
    rows = sorted(deal.rows(Tranche), key=lambda row: row.quarters_after)
    return [(row.quarters_after, row.share) for row in rows] or [(0, 1.0)]


def shape(deal: Deal) -> None:
    """`held_j = sum of shares delivered by j`; each part has its own ramp."""
    rows = deal.rows(Tranche)
    if not rows or deal.part is not None:
        return
    reach = len(deal.held)
    quarters = np.arange(reach)
    deal.held = np.sum([row.share * (quarters >= row.quarters_after) for row in rows], axis=0)
    deal.billed = np.sum([row.share * deal.ramp_from(row.quarters_after, reach) for row in rows], axis=0)
    deal.drawn = deal.billed.copy()


def check(case: Case) -> Iterator[Finding]:
    for offer in case.offers:
        rows = case.of_offer(Tranche, offer.offer)
        if not rows:
            continue
        if abs(fsum(row.share for row in rows) - 1) > SHARE_TOLERANCE:
            total = fsum(row.share for row in rows)
            yield rows[0].finding(f"has tranches that sum to {total:.10g}, not 1", "correct the shares", "offer")
        if min(row.quarters_after for row in rows) != 0:
            yield rows[0].finding("has no tranche at first delivery", "let the first part come after 0", "offer")
        for row in rows:
            if row.quarters_after >= offer.term_quarters:
                why = f"is not within the term of {offer.term_quarters} quarters"
                yield row.finding(why, "deliver it before the contract ends", "quarters_after")


TERM = Term((Tranche,), shape, check)
