"""The treasury: every stream of cash, quarter by quarter, and the liquidity that must remain."""

from __future__ import annotations

from pyomo.environ import ConcreteModel, Var

from optimizer.lines import CORPORATE
from optimizer.ports import Linear, Ports
from optimizer.quarters import Quarter
from optimizer.rows import hold

SIGNS = {"interest": -1, "fee": -1, "principal": -1, "asset_sale": 1}


def add_company(m: ConcreteModel, ports: Ports) -> None:
    """What the company pays and receives whatever it decides: G&A and dated obligations."""
    case = ports.case
    for row in case.overheads:
        if row.quarter in case.horizon:
            ports.pay("g_and_a", CORPORATE, "", "G&A", 1, row.quarter, [-row.g_and_a_musd])
    for owed in case.obligations:
        if owed.quarter in case.horizon:
            ports.pay(owed.kind, CORPORATE, "", owed.name, 1, owed.quarter, [SIGNS[owed.kind] * owed.musd])


def add_treasury(m: ConcreteModel) -> None:
    """Closing cash `cash[t,w]`, $M, rolled forward and kept above the minimum.

    Without new decisions the minimum is not enforced: a company that only goes on may run short, and a plan says so.
    """
    index = [(t, m.ports.scenario) for t in m.case.horizon]
    m.net_cash = m.ports.cash()
    bounds = _cash_bounds(m)
    m.cash = Var(index, bounds=lambda m, t, w: bounds[t])
    hold(m, cash_rolls_forward, index)
    if m.ports.decide:
        hold(m, minimum_liquidity, index)


def _cash_bounds(m: ConcreteModel) -> dict[Quarter, tuple[float, float]]:
    """Cash can neither fall below paying everything nor rise above receiving everything."""
    low = high = m.case.settings.opening_cash_musd
    bounds = {}
    for t, net in m.net_cash.items():
        least, most = net.range()
        low, high = low + least, high + most
        bounds[t] = (low - 1.0, high + 1.0)
    return bounds


def cash_rolls_forward(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""Closing cash is opening cash plus everything received less everything paid in the quarter.

    Math: C_{t,w} = C_{t-1,w} + \sum_{\mathrm{lines}} \mathrm{cash}_{\mathrm{line},t,w}
    Unit: $M
    Source: the cash-flow statement
    Kind: physical
    """
    flow = Linear().extend(m.net_cash[t])
    if t == m.case.first:
        flow.constant += m.case.settings.opening_cash_musd
    else:
        flow.add(1, m.cash[t - 1, w])
    return m.cash[t, w] == flow.expression


def minimum_liquidity(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""Cash at the end of a quarter never falls below the minimum.

    Math: C_{t,w} \ge C^{\min}
    Unit: $M
    Source: loan covenants and the treasury's policy
    Kind: negotiable
    """
    return m.cash[t, w] >= m.case.settings.minimum_cash_musd
