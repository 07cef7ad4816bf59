"""Comparing plans: inputs that differ, decisions that moved, figures by quarter, and where the difference is from."""

from __future__ import annotations

from optimizer.plan.plan import Plan
from optimizer.questions.compare.comparison import Comparison, Pair, Span, compare_plans


def compare(first: Plan, second: Plan, *more: Plan) -> Comparison:
    """Compare plans, each against the first: inputs, decisions, megawatts, money, KPIs, values with their bounds.

    Nothing is solved; `optimizer.questions.compare.bridge` does that. Raises PlanError for plans in different money.
    """
    return compare_plans((first, second, *more))


__all__ = ["Comparison", "Pair", "Span", "compare"]
