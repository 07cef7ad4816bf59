"""Late delivery: damages for what is missing after the deadline, and a limit past which the tenant may leave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from optimizer.case.schema import Offer
from optimizer.case.schema.base import NotNegative, Row
from optimizer.case.terms.deal import Deal, Payment, Term
from optimizer.ground.cells import Name, QuarterCell, Whole
from optimizer.ground.findings import Finding
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case


class LateDelivery(Row):
    table = "late_delivery"
    key = ("offer",)
    required = False
    about = (
        "What late delivery costs. A tranche that is due at the deadline or after it may be missing in part up to the "
        "limit; past it no plan relies on the tenant's patience. New contracts are late only where "
        "`allow_planned_lateness` is yes. Offers without a row are delivered whole and within their window."
    )
    offer: Annotated[Name, Field(description="an offer")]
    deadline: Annotated[QuarterCell, Field(description="first quarter in which what is missing pays damages")]
    damages_musd_per_it_mw_quarter: Annotated[
        NotNegative, Field(description="damages for each contracted IT MW that is missing, each quarter")
    ]
    walk_away_quarters: Annotated[
        Whole, Field(ge=0, le=20, description="quarters after the deadline in which something may be missing")
    ]


def shape(deal: Deal) -> None:
    """Damages on the whole contract in every quarter from the deadline to first delivery."""
    row = deal.row(LateDelivery)
    if row is not None and deal.part is None and deal.delivery > row.deadline:
        late = deal.delivery - row.deadline
        deal.payments.append(Payment("damages", row.deadline, np.full(late, -row.damages_musd_per_it_mw_quarter)))


def may_be_late(deal: Deal) -> bool:
    """Whether a plan may count on the tenant's patience: what is signed already may be late, new ones where allowed."""
    return deal.committed or deal.case.settings.allow_planned_lateness


def last_delivery(case: Case, offer: Offer) -> Quarter:
    """The last quarter in which a new contract may begin: its window's, or its deadline where no plan may be late."""
    rows = () if case.settings.allow_planned_lateness else case.of_offer(LateDelivery, offer.offer)
    return min([offer.window_last, *(row.deadline for row in rows)])


def missing_quarters(deal: Deal, due: int) -> list[Quarter]:
    """Quarters of the horizon in which a tranche, due some quarters after first delivery, may still be missing.

    Late is what was due at the deadline or after it, until the tenant might leave or the contract ends.
    """
    row, begins = deal.row(LateDelivery), deal.delivery + due
    if row is None or not may_be_late(deal) or begins < row.deadline:
        return []
    limit = min(row.deadline + row.walk_away_quarters, deal.delivery + deal.length, deal.case.last + 1)
    return [Quarter(t) for t in range(max(begins, deal.case.first), limit)]


def damages(deal: Deal) -> float:
    """$M for one contracted IT MW missing in a quarter after the deadline."""
    row = deal.row(LateDelivery)
    return 0.0 if row is None else row.damages_musd_per_it_mw_quarter


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("late_delivery"):
        offer = case.offer[row.offer]
        patience = row.deadline + row.walk_away_quarters
        if row.deadline < offer.window_first:
            why = f"is before the first possible delivery in {offer.window_first}"
            yield row.finding(why, "move the deadline or the window", "deadline")
        if offer.window_last > patience:
            why = f"lets the tenant leave after {patience}, but the window reaches to {offer.window_last}"
            yield row.finding(why, "shorten the window or lengthen the limit", "walk_away_quarters")


TERM = Term((LateDelivery,), shape, check)
