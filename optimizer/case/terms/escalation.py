"""Escalation by an index: the price rises each year with an index, between a floor and a cap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from optimizer.case.schema.base import Rate, Row
from optimizer.case.terms.deal import Deal, Term
from optimizer.ground.cells import Name, QuarterCell
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class Index(Row):
    table = "indices"
    key = ("scenario", "index", "quarter")
    required = False
    about = "Paths of price indices. For each index, one row for each scenario and quarter of the horizon."
    scenario: Annotated[Name, Field(description="a scenario")]
    index: Annotated[Name, Field(description="its name, as offers use it")]
    quarter: Annotated[QuarterCell, Field(description="the quarter")]
    yearly_rise: Annotated[Rate, Field(description="rise over the year that ends in this quarter")]


class IndexEscalator(Row):
    table = "index_escalators"
    key = ("offer",)
    required = False
    about = "Offers whose price rises with an index every four quarters, instead of by a fixed `escalator`."
    offer: Annotated[Name, Field(description="an offer, whose `escalator` is 0")]
    index: Annotated[Name, Field(description="an index of `indices.csv`")]
    floor: Annotated[Rate, Field(description="least yearly rise")]
    cap: Annotated[Rate, Field(description="largest yearly rise")]


def shape(deal: Deal) -> None:
    """`p0 x product over the anniversaries of (1 + index rise, between floor and cap)`."""
    row = deal.row(IndexEscalator)
    if row is None:
        return
    rises = {
        r.quarter: r.yearly_rise
        for r in deal.case.rows("indices")
        if (r.scenario, r.index) == (deal.scenario, row.index)
    }
    reach = len(deal.price)
    years = max((t - deal.base) // 4 for t in deal.quarters(reach))
    levels = [1.0]
    for year in range(1, years + 1):
        rise = rises[min(deal.base + 4 * year, deal.case.last)]
        levels.append(levels[-1] * (1 + min(max(rise, row.floor), row.cap)))
    deal.price = deal.quoted(reach) * np.array([levels[(t - deal.base) // 4] for t in deal.quarters(reach)])


def check(case: Case) -> Iterator[Finding]:
    for row in case.rows("index_escalators"):
        offer = case.offer[row.offer]
        if row.floor > row.cap:
            yield row.finding(f"is above the cap of {row.cap:g}", "swap them", "floor")
        if offer.escalator:
            why = f"has a fixed escalator of {offer.escalator:g} beside the index"
            yield row.finding(why, "write 0 in offers.csv, or take this row away", "offer")
        for contract in case.committed_contracts:
            if contract.offer == row.offer and offer.price_base_quarter is None and contract.quarter + 4 < case.first:
                why = f"has been delivered since {contract.quarter}: its price rose before the index begins"
                yield row.finding(why, "give price_base_quarter in the horizon, and the price it has by then", "offer")
        if offer.price_base_quarter is not None and offer.price_base_quarter < case.first:
            why = f"has its price quoted for {offer.price_base_quarter}, before the index begins in {case.first}"
            yield row.finding(why, "quote the price for a quarter of the horizon", "offer")


TERM = Term((Index, IndexEscalator), shape, check)
