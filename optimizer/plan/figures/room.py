"""The figures of one plan: by key, and the tables that figures of contracts and sales are sums of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.business.lines import CORPORATE, discount_factor, discount_rate
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import contracts, money

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan

AT = "@"
SAME_SHARE = 1e-6
"""Parts of the rent that differ by less are the same, and the first quarter is told."""


def growth(plan: Plan, date: Quarter) -> float:
    """What a dollar at the plan's own date is at the start of `date`, at its corporate rate."""
    return 1.0 / discount_factor(discount_rate(plan.case, CORPORATE), date - plan.case.first, at_start=True)


class Room:
    """The figures of a plan. `room["capex_new_musd"]` is a number, or a text where the figure is a name or a quarter.

    A figure that does not exist in a plan is None. A value is dated at the start of the plan's first quarter, or
    at that of another quarter: `room["value_musd@2027Q1"]`.
    """

    def __init__(self, plan: Plan):
        self.plan = plan

    def __getitem__(self, key: str) -> float | str | None:
        from optimizer.plan.figures.definitions import FIGURES

        name, _, date = key.partition(AT)
        found: float | str | None = FIGURES[name].of(self)
        if date and isinstance(found, float | int):
            return found * growth(self.plan, Quarter.parse(date))
        return found

    def number(self, key: str) -> float:
        """A figure that is a number and that every plan has."""
        found = self[key]
        assert isinstance(found, float | int), key
        return float(found)

    def has(self, key: str) -> bool:
        return self[key] is not None

    # ---- what figures are sums of -----------------------------------------------------------------------------

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Tables that follow from the plan's own: rents, customer_rents, late_contracts, btc_sold and so on."""
        signed = contracts.contracts_of(self.plan)
        return {
            "rents": contracts.rents(signed),
            "customer_rents": contracts.customer_rents(self.plan, signed),
            "late_contracts": contracts.late_contracts(signed),
            "btc_sold": money.btc_sold(self.plan),
            "machines_sold": money.machines_sold(self.plan),
            "hashprices": money.hashprices(self.plan),
        }

    @cached_property
    def committed_capex_musd(self) -> float:
        return money.committed_capex(self.plan.case)

    @cached_property
    def options_musd(self) -> Mapping[str, float]:
        """What tenants' options add over doing nothing, within the horizon (`cash_flow`) and after it."""
        if self.plan.nothing is None:
            return {}
        mine, theirs = (money.value_in_options(self.plan.case, held) for held in (self.plan.tables, self.plan.nothing))
        return {name: mine[name] - theirs[name] for name in mine}

    @cached_property
    def largest_customer(self) -> pd.Series | None:
        """The row of `customer_rents` with the largest part of the rent, among the quarters that the policy binds.

        Where no policy caps a customer's part: of the last quarter in which rent is billed within the horizon.
        """
        rents, settings = self.tables["customer_rents"], self.plan.case.settings
        if rents.empty:
            return None
        since = settings.max_customer_share_from
        bound = rents["quarter"] >= str(since) if since is not None else rents["quarter"] == rents["quarter"].max()
        rents = rents[bound] if bound.any() else rents[rents["quarter"] == rents["quarter"].max()]
        return rents[rents["share"] >= rents["share"].max() - SAME_SHARE].iloc[0]


def figures_of(plan: Plan) -> Room:
    """The room of a plan, opened once: its tables are reckoned when they are first asked for."""
    held = plan.__dict__.get("_room")
    if held is None:
        held = plan.__dict__["_room"] = Room(plan)
    assert isinstance(held, Room)
    return held
