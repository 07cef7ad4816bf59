"""Take-or-pay: a tenant that takes less than it contracted still pays for a floor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.schema.base import Row, Share
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class Usage(Row):
    table = "usage"
    key = ("scenario", "offer")
    required = False
    about = "How much of its contract a tenant takes, in each scenario. An offer without rows is taken in full."
    scenario: Annotated[Name, Field(description="a scenario")]
    offer: Annotated[Name, Field(description="an offer")]
    taken_share: Annotated[Share, Field(description="share of the contracted MW that it uses")]


class TakeOrPay(Row):
    table = "take_or_pay"
    key = ("offer",)
    required = False
    about = "The share of its contract that a tenant pays for even if it takes less. Without a row: what it takes."
    offer: Annotated[Name, Field(description="an offer")]
    floor_share: Annotated[Share, Field(description="share billed at least")]


def shape(deal: Deal) -> None:
    """`billed x max(taken, floor)`, `drawn x taken`; the capacity stays bound."""
    usage, floor = deal.row(Usage), deal.row(TakeOrPay)
    taken = 1.0 if usage is None else usage.taken_share
    deal.billed = deal.billed * max(taken, 0.0 if floor is None else floor.floor_share)
    deal.drawn = deal.drawn * taken


def check(case: Case) -> Iterator[Finding]:
    scenarios = {row.scenario for row in case.scenarios}
    for offer in case.offers:
        rows = case.of_offer(Usage, offer.offer)
        missing = sorted(scenarios - {row.scenario for row in rows})
        if rows and missing:
            why = f"has a usage in some scenarios, but not in {', '.join(missing)}"
            yield rows[0].finding(why, "add a row for each", "offer")


TERM = Term((Usage, TakeOrPay), shape, check)
