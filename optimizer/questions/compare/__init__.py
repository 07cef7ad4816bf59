"""Comparing plans: inputs that differ, decisions that moved, figures by quarter, and where the difference is from."""

from __future__ import annotations

import sys
from types import ModuleType

from optimizer.plan.plan import Plan
from optimizer.questions.compare.comparison import Comparison, Pair, Span, compare_plans


def compare(first: Plan, second: Plan, *more: Plan) -> Comparison:
    """Compare plans, each against the first: inputs, decisions, megawatts, money, KPIs, values with their bounds.

    Nothing is solved; `optimizer.questions.compare.bridge` does that. Raises PlanError for plans in different money.
    """
    return compare_plans((first, second, *more))


class _CallableModule(ModuleType):
    """Lets `opt.compare(a, b)` work: importing this package puts the module itself under that name."""

    def __call__(self, first: Plan, second: Plan, *more: Plan) -> Comparison:
        return compare(first, second, *more)


sys.modules[__name__].__class__ = _CallableModule

__all__ = ["Comparison", "Pair", "Span", "compare"]
