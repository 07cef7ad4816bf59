"""Figures of money: capex that is new and that was committed, what tenants' options are worth, what is sold."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

from optimizer.business.lines import LINES, discount_factor, rate_of_line
from optimizer.business.outlays import outlays_of_block
from optimizer.case.market import hashprice_usd_per_ph_day, resale_musd
from optimizer.ground.quarters import Quarter
from optimizer.ground.units import musd_from_usd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from optimizer.case.case import Case
    from optimizer.plan.plan import Plan

LEAST_BTC, LEAST_MW = 1e-6, 1e-6
"""What is less is the solver's noise."""

# ---- capex --------------------------------------------------------------------------------------------------------


def committed_capex(case: Case) -> float:
    """$M within the horizon of starts that were decided before, whatever tenants advance of it."""
    spent: list[float] = []
    for row in case.committed_starts:
        for _, first, amounts in outlays_of_block(case, case.option[row.option], row.quarter):
            spent += [row.blocks * float(a) for i, a in enumerate(amounts) if case.first <= first + i <= case.last]
    begun: dict[str, Quarter] = {}
    for row in case.committed_starts:
        begun[row.option] = min(row.quarter, begun.get(row.option, row.quarter))
    return fsum(spent) + fsum(
        case.option[o].mobilisation_musd for o, t in begun.items() if case.first <= t <= case.last
    )


# ---- tenants' options ---------------------------------------------------------------------------------------------


def value_in_options(case: Case, tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Present value, $M, of what contracts earn in quarters that only tenants' options add.

    It is told for each table of flows apart: `cash_flow` within the horizon, `after_horizon` after it.
    """
    ends = {
        row.offer: case.term_end(row.offer, Quarter.parse(row.delivery_quarter))
        for row in tables["contracts"].itertuples()
    }
    return {
        name: fsum(worth for source, quarter, worth in contract_flows(case, tables, name) if quarter > ends[source])
        for name in ("cash_flow", "after_horizon")
    }


def contract_flows(case: Case, tables: Mapping[str, pd.DataFrame], name: str) -> Iterator[tuple[str, Quarter, float]]:
    """What contracts earn by a table of flows: the contract, the quarter, the present value, $M."""
    signed = set(tables["contracts"]["offer"])
    for row in tables[name].itertuples():
        if LINES[row.line].group == "AI margin" and row.source in signed:
            quarter = Quarter.parse(row.quarter)
            factor = discount_factor(rate_of_line(case, row.line, row.business), quarter - case.first)
            yield row.source, quarter, row.musd * factor


# ---- what is sold -------------------------------------------------------------------------------------------------


def btc_sold(plan: Plan) -> pd.DataFrame:
    """BTC by which the treasury falls in a quarter, and what they bring at its price, $M.

    BTC that are sold as they are mined are mining revenue, and no sale of what is held.
    """
    import pandas as pd

    rows = []
    for row in plan.btc.itertuples():
        fallen = row.opening_btc - row.closing_btc
        if fallen > LEAST_BTC:
            price = plan.case.bitcoin_market[plan.scenario, Quarter.parse(row.quarter)].btc_usd
            rows.append((row.quarter, fallen, fallen * musd_from_usd(price)))
    return pd.DataFrame(rows, columns=["quarter", "sold_btc", "musd"])


def hashprices(plan: Plan) -> pd.DataFrame:
    """Hashprice of each quarter, given or following from price and difficulty, $ per PH and day."""
    import pandas as pd

    case = plan.case
    told = [t for t in case.horizon if (plan.scenario, t) in case.bitcoin_market]
    rows = [(str(t), hashprice_usd_per_ph_day(case, plan.scenario, t)) for t in told]
    return pd.DataFrame(rows, columns=["quarter", "usd_per_ph_day"])


def machines_sold(plan: Plan) -> pd.DataFrame:
    """Machines sold by class and quarter, gross MW, and what they bring, $M."""
    import pandas as pd

    rows = []
    sums = plan.machines.groupby(["asic", "quarter"], sort=False)["sold_gross_mw"].sum()
    for (asic, quarter), mw in sums.items():
        if mw > LEAST_MW:
            case, market = plan.case, plan.case.machine_market[asic]
            price = resale_musd(case, plan.scenario, case.asic[asic], market, Quarter.parse(quarter))
            rows.append((asic, quarter, float(mw), float(mw) * price))
    return pd.DataFrame(rows, columns=["asic", "quarter", "sold_gross_mw", "musd"])
