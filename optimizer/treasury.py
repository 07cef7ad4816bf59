"""The treasury: every stream of cash, quarter by quarter, and the liquidity that must remain."""

from __future__ import annotations

from pyomo.environ import ConcreteModel

from optimizer.lines import CORPORATE
from optimizer.ports import Linear, Ports
from optimizer.quarters import Quarter
from optimizer.rows import at_most, hold

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
    """Closing cash, $M, as an expression of every decision so far, kept above the minimum in every quarter.

    Without new decisions the minimum is not enforced: a company that only goes on may run short, and a plan says so.
    """
    m.closing_cash = _closing_cash(m)
    if m.ports.decide:
        hold(m, minimum_liquidity, ((t, m.ports.scenario) for t in m.case.horizon))


def _closing_cash(m: ConcreteModel) -> dict[Quarter, Linear]:
    closing, sofar = {}, Linear(m.case.settings.opening_cash_musd)
    for t, net in m.ports.cash().items():
        sofar = Linear().extend(sofar).extend(net)
        closing[t] = sofar
    return closing


def minimum_liquidity(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""Cash at the end of a quarter never falls below the minimum.

    Math: C_{t,w} = C_0 + \sum_{k \le t} \sum_{\mathrm{lines}} \mathrm{cash}_{\mathrm{line},k,w} \ge C^{\min}
    Unit: $M
    Source: loan covenants and the treasury's policy
    Kind: negotiable
    """
    return at_most(Linear(m.case.settings.minimum_cash_musd).extend(m.closing_cash[t], -1), 0)
