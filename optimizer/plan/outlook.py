"""An outlook: one set of decisions and what it comes to in several scenarios. No figure of two scenarios is ever added.

Each outcome is a plan of one scenario, which audit, documents and tables read as any other; all that they share is what
is decided here and now, and the one figure over all of them is the mean of their values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from optimizer.plan.plan import Plan, Status

if TYPE_CHECKING:
    import pandas as pd

SAME = 1e-6
"""Megawatts and blocks that differ by less are the same."""

DECIDED = {
    "starts": ("option start_quarter decided", "blocks"),
    "refreshes": ("option start_quarter refresh_quarter", "blocks"),
    "contracts": ("offer site delivery_quarter decided", "it_mw"),
    "machines": ("quarter site asic", "bought_gross_mw arrived_gross_mw moved_away_gross_mw"),
}
"""Tables of what is decided here and now: what tells their rows apart, and how much of it."""


@dataclass(frozen=True)
class Outlook:
    """The same decisions in several scenarios, by name.

    `probabilities` sum to 1; `bound_musd` is the most that any decisions could be worth in the mean. Raises ValueError
    where the outcomes are not those of one set of decisions.
    """

    probabilities: Mapping[str, float]
    outcomes: Mapping[str, Plan]
    status: Status
    bound_musd: float

    def __post_init__(self) -> None:
        first, *others = self.outcomes.values()
        for name, plan in self.outcomes.items():
            if plan.scenario != name or name not in self.probabilities:
                raise ValueError(f"the outcome called {name} is that of scenario {plan.scenario}")
        for other in others:
            if unlike := differing(first, other):
                raise ValueError(f"{first.scenario} and {other.scenario} do not share their decisions: {unlike} differ")

    @property
    def value_musd(self) -> float:
        """The mean of the outcomes' values, $M."""
        return fsum(self.probabilities[name] * plan.value_musd for name, plan in self.outcomes.items())

    @property
    def gap_musd(self) -> float:
        """Most that any decisions could be worth above these in the mean, $M."""
        return max(0.0, self.bound_musd - self.value_musd)


def differing(a: Plan, b: Plan) -> str:
    """Which tables of decisions differ between two plans; nothing where both decide the same here and now."""
    unlike = [name for name, (key, columns) in DECIDED.items() if not _alike(a, b, name, key.split(), columns.split())]
    return ", ".join([*unlike, *(["allocation"] if not _same(_installed(a), _installed(b)) else [])])


def _alike(a: Plan, b: Plan, name: str, key: list[str], columns: list[str]) -> bool:
    mine, theirs = (plan.tables[name].groupby(key)[columns].sum() for plan in (a, b))
    return _same(mine, theirs)


def _installed(plan: Plan) -> pd.DataFrame:
    """Machines at each site, whether they run or not."""
    from optimizer.case.schema import MINING
    from optimizer.plan.power_uses import IDLE

    there = plan.allocation[plan.allocation["use"].isin([MINING, IDLE])]
    return there.groupby(["quarter", "site", "detail"])[["gross_mw"]].sum()


def _same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Equal in every number, what is missing being nothing."""
    difference = a.sub(b, fill_value=0.0)
    return bool((difference.abs() <= SAME).all(axis=None))
