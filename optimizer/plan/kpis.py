"""The figures a board asks for, computed from a plan's tables and the do-nothing plan's."""

from __future__ import annotations

from math import fsum
from typing import Any

import numpy as np
import pandas as pd

from optimizer.business.lines import BUSINESS_LINES, LEVERED_LINES
from optimizer.case.case import Case
from optimizer.ground.amounts import highest, lowest
from optimizer.plan.figures.money import value_in_options
from optimizer.plan.returns import programme_flows, programme_rates, the_return
from optimizer.plan.settlement import MiningOn, Settled

Tables = dict[str, pd.DataFrame]
OVER_DOING_NOTHING = (
    "do_nothing_value_musd", "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "terminal_share",
    "do_nothing_lowest_cash_musd", "do_nothing_lowest_cash_quarter", "unlevered_return", "unlevered_payback_quarter",
    "levered_return", "levered_payback_quarter",
)  # fmt: skip


def kpis(case: Case, settled: Settled, nothing: Settled | None, mining_on: MiningOn | None = None) -> dict[str, Any]:
    """Value, value over the yardsticks, what lies after the horizon, capex, lowest cash, returns, coverage, BTC.

    Money is $M. A figure that does not exist (a return of flows that have none or several, a cost per BTC without BTC,
    anything over doing nothing where that cannot be done) is None.
    """
    plan, value_musd = settled.tables, settled.value_musd
    after = float(plan["value"]["after_musd"].sum())
    capex = plan["capex"].groupby("quarter")["musd"].sum()
    spent = len(capex) > 0 and float(capex.max()) > 0
    cash = plan["cash"]
    mining, debt = plan["mining"], plan["debt"]
    btc, cost = float(mining["btc_mined"].sum()), float(mining["mining_cash_cost_musd"].sum())
    return {
        "value_musd": value_musd,
        "value_after_horizon_musd": after,
        "value_after_firm_terms_musd": fsum(value_in_options(case, plan).values()),
        **_over_doing_nothing(case, settled, nothing, after),
        **_over_mining_on(value_musd, mining_on),
        "capex_musd": float(capex.sum()),
        "tenant_advances_musd": -_paid(plan, "tenant_capex") + 0.0,
        "advances_paid_back_musd": _paid(plan, "tenant_credits") + _paid_after(plan, "tenant_credits"),
        "capex_budget_musd": case.settings.capex_budget_musd,
        "peak_capex_musd": float(capex.max()) if spent else 0.0,
        "peak_capex_quarter": str(capex.index[highest(list(capex))]) if spent else None,
        "interest_and_fees_musd": _paid(plan, "interest", "fee"),
        "highest_debt_musd": _highest_debt(plan),
        "debt_at_end_musd": float(debt[debt["quarter"] == str(case.last)]["closing_musd"].sum()),
        **_coverage(plan),
        "btc_at_end": float(plan["btc"]["closing_btc"].iloc[-1]) if len(plan["btc"]) else 0.0,
        "machines_sold_gross_mw": float(plan["machines"]["sold_gross_mw"].sum()),
        "lowest_cash_musd": float(cash["closing_musd"].min()),
        "lowest_cash_quarter": _lowest_quarter(cash, "closing_musd"),
        "lowest_liquidity_musd": float(cash["liquidity_musd"].min()),
        "lowest_liquidity_quarter": _lowest_quarter(cash, "liquidity_musd"),
        "minimum_cash_musd": case.settings.minimum_cash_musd,
        "btc_mined": btc,
        "direct_cash_cost_usd_per_btc": _paid(plan, "mining_power", "interruptible_income") / btc * 1e6
        if btc > 0
        else None,
        "cash_cost_usd_per_btc": cost / btc * 1e6 if btc > 0 else None,
        "converted_gross_mw": float(plan["starts"]["gross_mw"].sum()),
        "converted_it_mw": float(plan["starts"]["it_mw"].sum()),
        "contracted_it_mw": float(plan["contracts"]["it_mw"].sum()),
    }


def _over_doing_nothing(case: Case, settled: Settled, nothing: Settled | None, after: float) -> dict[str, Any]:
    if nothing is None:
        return dict.fromkeys(OVER_DOING_NOTHING)
    over = settled.value_musd - nothing.value_musd
    terminal = after - float(nothing.tables["value"]["after_musd"].sum())
    cash = nothing.tables["cash"]
    figures = (
        nothing.value_musd, over, terminal, terminal / over if abs(over) > 1e-9 else None,
        float(cash["closing_musd"].min()), _lowest_quarter(cash, "closing_musd"),
        *(
            figure
            for lines in (BUSINESS_LINES, LEVERED_LINES)
            for figure in (
                the_return(programme_rates(case, settled.tables, nothing.tables, lines)),
                payback(programme_flows(case, settled.tables, nothing.tables, lines)),
            )
        ),
    )  # fmt: skip
    return dict(zip(OVER_DOING_NOTHING, figures, strict=True))


def _over_mining_on(value_musd: float, mining_on: MiningOn | None) -> dict[str, Any]:
    """What the best plan without conversions is worth, or in which quarter it breaks and how much money it lacks."""
    settled = None if mining_on is None else mining_on.settled
    return {
        "mining_on_value_musd": None if settled is None else settled.value_musd,
        "value_over_mining_on_musd": None if settled is None else value_musd - settled.value_musd,
        "mining_on_breaks_quarter": None if mining_on is None or mining_on.breaks is None else str(mining_on.breaks),
        "mining_on_short_musd": None if mining_on is None else mining_on.short_musd,
    }


def _coverage(plan: Tables) -> dict[str, Any]:
    """The lowest cover of debt service, and the least room above what lenders ask, where they test it."""
    covered = plan["coverage"].sort_values("quarter", kind="stable")
    tested = covered[covered["required_musd"] > 0]
    told: dict[str, Any] = {}
    for kpi, column in (("lowest_dscr", "dscr"), ("lowest_headroom", "headroom_musd")):
        row = None if tested.empty else tested.iloc[lowest(list(tested[column]))]
        told[kpi if column == "dscr" else f"{kpi}_musd"] = None if row is None else float(row[column])
        told[f"{kpi}_facility"] = None if row is None else str(row["facility"])
        told[f"{kpi}_quarter"] = None if row is None else str(row["quarter"])
    return told


def _lowest_quarter(cash: pd.DataFrame, column: str) -> str:
    """The first quarter whose end ties with the lowest."""
    return str(cash["quarter"].iloc[lowest(list(cash[column]))])


def _paid(plan: Tables, *lines: str) -> float:
    """What some lines of the cash-flow statement cost in all."""
    flows = plan["cash_flow"]
    return float(-flows[flows["line"].isin(lines)]["musd"].sum()) + 0.0


def _paid_after(plan: Tables, line: str) -> float:
    """What a line costs after the horizon."""
    flows = plan["after_horizon"]
    return float(-flows[flows["line"] == line]["musd"].sum()) + 0.0


def _highest_debt(plan: Tables) -> float:
    """The most owed at the end of any quarter, all facilities together."""
    return float(plan["debt"].groupby("quarter")["closing_musd"].sum().max()) if len(plan["debt"]) else 0.0


def payback(flows: pd.Series) -> str | None:
    """The quarter from which the cumulated flows stay at or above zero; None if never, or if nothing is ever spent."""
    total = flows.cumsum()
    below = np.flatnonzero(total.to_numpy() < -1e-9)
    if not len(below) or below[-1] + 1 >= len(total):
        return None
    return str(total.index[below[-1] + 1])
