"""Values of different dates at one date: growth at the corporate rate, and what a plan took in quarters gone by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.business.lines import VALUE_LINES, discount_factor, rate_of_line
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures.room import growth

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan


def common_date(a: Plan, b: Plan) -> Quarter:
    """The quarter at whose start both plans are valued: the later of their first quarters."""
    return max(a.case.first, b.case.first)


def taken_before(plan: Plan, date: Quarter) -> float:
    """Value that the plan takes in its quarters before `date`, $M at `date`.

    Its flows in them, discounted to the plan's date at the rate of their business line, then brought to `date`.
    """
    flows = plan.cash_flow[plan.cash_flow["line"].isin(VALUE_LINES)]
    total = 0.0
    for row in flows.itertuples():
        t = Quarter.parse(row.quarter)
        if t < date:
            rate = rate_of_line(plan.case, row.line, row.business)
            total += row.musd * discount_factor(rate, t - plan.case.first)
    for row in plan.tables["value_only"].itertuples():
        if Quarter.parse(row.quarter) < date:
            total += row.musd * row.factor
    return total * growth(plan, date)
