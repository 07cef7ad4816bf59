"""The treasury: every stream of cash, the BTC held, and the liquidity that must remain."""

from __future__ import annotations

import numpy as np
from pyomo.core import Binary, ConcreteModel, NonNegativeReals, Var

from optimizer.debt import outstanding
from optimizer.lines import CORPORATE
from optimizer.ports import Amounts, Decision, Linear, Ports
from optimizer.quarters import Quarter
from optimizer.rows import at_most, hold, member
from optimizer.tax import add_tax_payments, add_tax_rows
from optimizer.units import musd_from_usd

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


def add_treasury(m: ConcreteModel, ports: Ports) -> None:
    """BTC held, tax, the cash of each quarter, and closing cash, $M: all quarters' cash so far and its interest.

    Without new decisions no minimum of cash is enforced: a company that only goes on may run short, and a plan says so.
    """
    case, w = ports.case, ports.scenario
    _hold_btc(m, ports)
    add_tax_payments(m, ports)
    m.closing_cash = _bank(ports, _net_cash(m, ports))
    add_tax_rows(m, ports)
    hold(m, btc_only_from_mining, list(m.H))
    m.keeps = Var([] if ports.decide else list(m.H), domain=Binary)
    hold(m, btc_kept_only_with_cash_at_hand, list(m.keeps))
    hold(m, no_btc_kept_without, list(m.keeps))
    if ports.decide:
        hold(m, minimum_liquidity, ((t, w) for t in case.horizon))
        hold(m, cash_never_negative, ((t, w) for t in case.horizon if case.settings.btc_liquidity_share))
        m.outstanding = outstanding(m)
        hold(m, minimum_cash_of_a_facility, list(m.outstanding))


# ---- BTC ----------------------------------------------------------------------------------------------------------


def _hold_btc(m: ConcreteModel, ports: Ports) -> None:
    """`H[t,w]` BTC held at the end of t; what is no longer held was sold at the quarter's price. Recourse."""
    case, w, held = ports.case, ports.scenario, ports.case.settings.btc_held or 0.0
    keeps = held > 0 or case.settings.hold_mined_btc
    most, bounds = held, {}
    for t in case.horizon:
        most += ports.btc_mined[t].range()[1] if case.settings.hold_mined_btc else 0.0
        bounds[t, w] = (0.0, most)
    m.H = Var(list(bounds) if keeps else [], domain=NonNegativeReals, bounds=lambda m, t, w: bounds[t, w])
    if not keeps:
        return
    _pay(ports, "btc_sales", 1, case.first, held * btc_musd(ports, case.first))
    for t in case.horizon:
        _pay(ports, "btc_sales", m.H[t, w], t, -btc_musd(ports, t))
        if t < case.last:
            _pay(ports, "btc_sales", m.H[t, w], t + 1, btc_musd(ports, t + 1))
    _pay(ports, "residual", m.H[case.last, w], case.last + 1, btc_musd(ports, case.last))


def _pay(ports: Ports, line: str, decision: object, t: Quarter, musd: float) -> None:
    ports.pay(line, CORPORATE, "", "BTC held", decision, t, [musd])


def btc_musd(ports: Ports, t: Quarter) -> float:
    """The market price of one BTC, $M."""
    return musd_from_usd(ports.case.bitcoin_market[ports.scenario, t].btc_usd)


def btc_only_from_mining(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""BTC held only fall, or grow by what was mined where the treasury keeps it.

    Math: H_{t,w} \le H_{t-1,w} + \mathrm{mined}_{t,w}, \quad H_{-1,w} = H_0
    Unit: BTC
    Source: the treasury's policy
    Kind: physical
    """
    settings = m.case.settings
    growth = Linear().add(1, m.H[t, w])
    if t > m.case.first:
        growth.add(-1, m.H[t - 1, w])
    if settings.hold_mined_btc:
        growth.extend(m.ports.btc_mined[t], -1)
    return at_most(growth, (settings.btc_held or 0.0) if t == m.case.first else 0.0)


def btc_kept_only_with_cash_at_hand(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""A company that only goes on sells its BTC before it lets cash fall below the minimum.

    Math: C_{t,w} \ge C^{\min} - (C^{\min} - \underline{C}_t)(1 - K_{t,w})
    Unit: $M
    Source: what doing nothing means
    Kind: physical
    """
    least = min(m.case.settings.minimum_cash_musd, m.closing_cash[t].range()[0])
    spare = m.case.settings.minimum_cash_musd - least
    return at_most(Linear(least).add(spare, m.keeps[t, w]).extend(m.closing_cash[t], -1), 0)


def no_btc_kept_without(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""What is not kept, in a company that only goes on, is sold.

    Math: H_{t,w} \le \overline{H}_t K_{t,w}
    Unit: BTC
    Source: what doing nothing means
    Kind: physical
    """
    return at_most(Linear().add(1, m.H[t, w]).add(-m.H[t, w].ub, m.keeps[t, w]), 0)


# ---- cash ---------------------------------------------------------------------------------------------------------


def _net_cash(m: ConcreteModel, ports: Ports) -> dict[Quarter, Decision]:
    """`X[t,w]`, $M: all cash of a quarter but interest on cash. One column for hundreds in the rows of closing cash."""
    w = ports.scenario
    m.flows = ports.cash()
    ranges = {(t, w): flow.range() for t, flow in m.flows.items() if not flow.is_constant}
    m.X = Var(list(ranges), bounds=lambda m, t, w: ranges[t, w])
    hold(m, net_cash, list(m.X))
    return {t: member(m.X, (t, w), flow.constant) for t, flow in m.flows.items()}


def net_cash(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""The cash of a quarter is what every decision brings or costs in it.

    Math: X_{t,w} = \sum_l \mathrm{cash}_{l,t,w}
    Unit: $M
    Source: the cash-flow statement
    Kind: physical
    """
    return Linear().add(1, m.X[t, w]).extend(m.flows[t], -1).expression == 0


def _bank(ports: Ports, net: dict[Quarter, Decision]) -> dict[Quarter, Linear]:
    """Closing cash of each quarter, $M; each quarter's opening cash earns interest, compounding."""
    rate = (ports.case.settings.cash_rate or 0.0) / 4
    growth: Amounts = (1 + rate) ** np.arange(len(ports.case.horizon), dtype=float)
    if rate:
        _earn(ports, 1, ports.case.first, rate * ports.case.settings.opening_cash_musd * growth)
        for i, (t, decision) in enumerate(net.items()):
            _earn(ports, decision, t + 1, rate * growth[: len(growth) - i - 1])
    closing, sofar = {}, Linear(ports.case.settings.opening_cash_musd)
    for t, decision in net.items():
        sofar = Linear().extend(sofar, 1 + rate).add(1, decision)
        closing[t] = sofar
    return closing


def _earn(ports: Ports, decision: Decision, first: Quarter, amounts: Amounts) -> None:
    ports.pay("cash_interest", CORPORATE, "", "cash", decision, first, amounts)


def minimum_liquidity(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""Cash at the end of a quarter, and the share of BTC held that counts, never fall below the minimum.

    Math: C_0 (1 + i)^{t+1} + \sum_{k \le t} (1 + i)^{t-k} X_{k,w} + \beta \, p_{t,w} H_{t,w} \ge C^{\min}
    Unit: $M
    Source: the treasury's policy
    Kind: negotiable
    """
    settings = m.case.settings
    short = Linear(settings.minimum_cash_musd).extend(m.closing_cash[t], -1)
    if (t, w) in m.H:
        short.add(-(settings.btc_liquidity_share or 0.0) * btc_musd(m.ports, t), m.H[t, w])
    return at_most(short, 0)


def cash_never_negative(m: ConcreteModel, t: Quarter, w: str) -> object:
    r"""However much BTC counts as liquidity, the bank account is never overdrawn.

    Math: C_{t,w} \ge 0
    Unit: $M
    Source: the bank
    Kind: physical
    """
    return at_most(Linear().extend(m.closing_cash[t], -1), 0)


def minimum_cash_of_a_facility(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""While a facility is outstanding at the end of a quarter, cash is no lower than its lender asks.

    Math: C_{t,w} \ge C^{\min}_f \, O_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    asked = m.case.facility[f].minimum_cash_musd
    return at_most(Linear().add(asked, m.outstanding[f, t, w]).extend(m.closing_cash[t], -1), 0)
