"""Figures of two plans by quarter, and their KPIs: what differs, as tidy tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from optimizer.plan.figures import FIGURES, figures_of
from optimizer.plan.figures.room import AT

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

NOISE = 1e-6
"""What differs by less than a watt or a dollar is the same."""


def megawatt_changes(a: Plan, b: Plan) -> pd.DataFrame:
    """Gross MW by use and quarter that differ: quarter, use, first, second, change."""
    return _changes(a, b, _megawatts, "use", "gross_mw")


def money_changes(a: Plan, b: Plan) -> pd.DataFrame:
    """Capex, cash, liquidity and debt by quarter that differ: quarter, figure, first, second, change, $M."""
    return _changes(a, b, _money, "figure", "musd")


def kpi_changes(a: Plan, b: Plan) -> pd.DataFrame:
    """Figures of the room that differ, values at one date: kpi, first, second, and the change of those in numbers."""
    rows: list[tuple[str, Any, Any, float]] = []
    for name, (was, now) in _figures([a, b]).items():
        change = float(now - was) if _is_number(was) and _is_number(now) else float("nan")
        if was != now and not abs(change) <= NOISE * 1e-3 * (abs(was) + 1.0 if _is_number(was) else 1.0):
            rows.append((name, was, now, change))
    return pd.DataFrame(rows, columns=["kpi", "first", "second", "change"]).astype({"change": float})


def kpi_table(plans: Sequence[Plan], names: Sequence[str]) -> pd.DataFrame:
    """Every figure of the room of several plans side by side, values at one date, a column for each plan."""
    figures = _figures(plans)
    columns = {name: [told[i] for told in figures.values()] for i, name in enumerate(names)}
    return pd.DataFrame({"kpi": list(figures)} | columns, dtype=object)


def date_of_values(plans: Sequence[Plan]) -> str:
    """The quarter at whose start values are held side by side, the latest first quarter; blank where all are one."""
    firsts = {plan.case.first for plan in plans}
    return str(max(firsts)) if len(firsts) > 1 else ""


def _figures(plans: Sequence[Plan]) -> dict[str, tuple[Any, ...]]:
    """Each figure of the room for each plan; a present value at the date of them all."""
    date = date_of_values(plans)
    told = {name: f"{name}{AT}{date}" if date and known.dated else name for name, known in FIGURES.items()}
    return {name: tuple(figures_of(plan)[key] for plan in plans) for name, key in told.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _changes(a: Plan, b: Plan, read: Callable[[Plan], pd.Series], what: str, unit: str) -> pd.DataFrame:
    """Figures of both plans side by side; one that a plan has no quarter for is missing, and so is its change."""
    both = pd.concat({"first": read(a), "second": read(b)}, axis=1)
    for name, plan in (("first", a), ("second", b)):
        mine = both.index.get_level_values("quarter").isin([str(t) for t in plan.case.horizon])
        both.loc[mine & both[name].isna(), name] = 0.0
    both["change"] = both["second"] - both["first"]
    differs = both[
        ~(both["change"].abs() <= NOISE) & ~(both[["first", "second"]].fillna(0.0).abs() <= NOISE).all(axis=1)
    ]
    table = differs.rename(columns=lambda name: f"{name}_{unit}").reset_index()
    return table.rename(columns={"what": what}).sort_values(["quarter", what], kind="stable", ignore_index=True)


def _megawatts(plan: Plan) -> pd.Series:
    sums = plan.allocation.groupby(["quarter", "use"], sort=False)["gross_mw"].sum()
    return sums.rename_axis(["quarter", "what"])


def _money(plan: Plan) -> pd.Series:
    debt = (
        plan.debt.groupby("quarter")["closing_musd"].sum().reindex([str(t) for t in plan.case.horizon], fill_value=0.0)
    )
    capex, cash = plan.capex_to_date.set_index("quarter"), plan.cash.set_index("quarter")
    parts = {
        "capex": capex["capex_musd"], "capex_to_date": capex["to_date_musd"], "closing_cash": cash["closing_musd"],
        "liquidity": cash["liquidity_musd"], "debt": debt,
    }  # fmt: skip
    return pd.concat(parts).swaplevel().rename_axis(["quarter", "what"])
