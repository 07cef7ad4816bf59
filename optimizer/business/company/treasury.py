"""The treasury: every stream of cash, the BTC held, and the liquidity that must remain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pyomo.core import Binary, Block, ConcreteModel, NonNegativeReals, Var

from optimizer.business.company.lenders import outstanding
from optimizer.business.company.tax import add_tax
from optimizer.business.lines import CORPORATE
from optimizer.business.ports import Amounts, Decision, Linear, OutcomePorts, Price, SharedPorts
from optimizer.business.readout import DECIMALS, Reading, Tables, frame
from optimizer.business.rows import SKIP, at_most, hold, member
from optimizer.ground.quarters import Quarter
from optimizer.ground.units import musd_from_usd

BTC: Price = ("btc",)
SIGNS = {"interest": -1, "fee": -1, "principal": -1, "asset_sale": 1}


def add_company(m: ConcreteModel) -> None:
    """What the company pays and receives whatever it decides: G&A and dated obligations."""
    case, ports = m.case, m.ports
    for row in case.overheads:
        if row.quarter in case.horizon:
            ports.pay("g_and_a", CORPORATE, "", "G&A", 1, row.quarter, [-row.g_and_a_musd])
    for owed in case.obligations:
        if owed.quarter in case.horizon:
            ports.pay(owed.kind, CORPORATE, "", owed.name, 1, owed.quarter, [SIGNS[owed.kind] * owed.musd])


def bring_in(ports: SharedPorts, added: Decision) -> None:
    """A dollar more of opening cash, with the interest that it earns in the first quarter."""
    for line, musd in (("principal", 1.0), ("cash_interest", (ports.case.settings.cash_rate or 0.0) / 4)):
        ports.pay(line, CORPORATE, "", "new money", added, ports.case.first, [musd])


def add_treasury(b: Block) -> None:
    """BTC held, tax, the cash of each quarter, and closing cash, $M: all quarters' cash so far and its interest.

    Without new decisions no minimum of cash is enforced: a company that only goes on may run short, and a plan says so.
    """
    ports = b.ports
    case, w = ports.case, ports.scenario
    _hold_btc(b, ports)
    add_tax(b)
    b.closing_cash = _bank(ports, _net_cash(b, ports))
    hold(b, btc_only_from_mining, list(b.H))
    hold(b, btc_sold_at_most, list(b.H))
    b.outstanding = outstanding(b)
    hold(b, minimum_cash_of_a_facility, list(b.outstanding))
    _go_on_with_btc(b)
    if ports.shared.decide:
        hold(b, minimum_liquidity, ((t, w) for t in case.horizon))
        hold(b, cash_never_negative, ((t, w) for t in case.horizon if case.settings.btc_liquidity_share))


# ---- BTC ----------------------------------------------------------------------------------------------------------


def _hold_btc(b: Block, ports: OutcomePorts) -> None:
    """`H[t,w]` BTC held at the end of t; what is no longer held was sold at the quarter's price. Recourse.

    They are no value, so that nothing is gained by waiting for a price.
    """
    case, w, held = ports.case, ports.scenario, ports.case.settings.btc_held or 0.0
    keeps = held > 0 or case.settings.btc_rule == "free"
    bounds = _bounds_of_btc(ports, held) if keeps else {}
    b.H = Var([(t, w) for t in bounds], domain=NonNegativeReals, bounds=lambda b, t, w: bounds[t])
    if not keeps:
        return
    _pay(ports, "btc_sales", 1, case.first, held * btc_musd(ports, case.first))
    for t in case.horizon:
        _pay(ports, "btc_sales", b.H[t, w], t, -btc_musd(ports, t))
        if t < case.last:
            _pay(ports, "btc_sales", b.H[t, w], t + 1, btc_musd(ports, t + 1))


def _bounds_of_btc(ports: OutcomePorts, held: float) -> dict[Quarter, tuple[float, float]]:
    """Least and most BTC held at each quarter's end: the policy's minimum, all that can be kept; or a schedule."""
    case, settings, bounds = ports.case, ports.case.settings, {}
    least, most, due = settings.minimum_btc or 0.0, held, {row.quarter: row.btc for row in case.btc_schedule}
    for t in case.horizon:
        most += ports.btc_mined[t].range()[1] if settings.btc_rule == "free" else 0.0
        if settings.btc_rule == "schedule":
            most = max(least, most - due.get(t, 0.0))
        bounds[t] = (most if settings.btc_rule == "schedule" else least, most)
    return bounds


def _pay(ports: OutcomePorts, line: str, decision: object, t: Quarter, musd: float) -> None:
    ports.pay(line, CORPORATE, "", "BTC held", decision, t, [musd], follows=BTC)


def btc_musd(ports: OutcomePorts, t: Quarter) -> float:
    """The market price of one BTC, $M."""
    return musd_from_usd(ports.case.bitcoin_market[ports.scenario, t].btc_usd)


def _growth(b: Block, t: Quarter, w: str) -> Linear:
    """What is held at a quarter's end beyond what was held at its start, BTC."""
    growth = Linear().add(1, b.H[t, w])
    return growth.add(-1, b.H[t - 1, w] if t > b.case.first else b.case.settings.btc_held or 0.0)


def btc_only_from_mining(b: Block, t: Quarter, w: str) -> object:
    r"""BTC held only fall, or grow by what was mined where the treasury may keep it.

    Math: H_{t,w} \le H_{t-1,w} + \mathrm{mined}_{t,w}, \quad H_{-1,w} = H_0
    Unit: BTC
    Source: the treasury's policy
    Kind: physical
    """
    growth = _growth(b, t, w)
    if b.case.settings.btc_rule == "free":
        growth.extend(b.ports.btc_mined[t], -1)
    return at_most(growth, 0)


def btc_sold_at_most(b: Block, t: Quarter, w: str) -> object:
    r"""No more BTC are sold from the treasury in a quarter than the policy allows.

    Math: H_{t-1,w} - H_{t,w} \le \overline{S}
    Unit: BTC
    Source: the treasury's policy
    Kind: negotiable
    """
    most = b.case.settings.max_btc_sales_per_quarter
    return SKIP if most is None else at_most(Linear().extend(_growth(b, t, w), -1), most)


def _go_on_with_btc(b: Block) -> None:
    """A company that only goes on sells BTC when cash is short, and no more than that: nothing of it is a decision.

    `keeps[t,w]`: whether it need not sell all that it may; `sells[t,w]`: whether it sells; `sells_most[t,w]`: whether
    all that a quarter's policy allows.
    """
    settings = b.case.settings
    free = [] if b.ports.shared.decide or settings.btc_rule == "schedule" else list(b.H)
    capped = free if settings.max_btc_sales_per_quarter is not None else []
    b.keeps, b.sells = Var(free, domain=Binary), Var(free, domain=Binary)
    b.sells_most = Var(capped, domain=Binary)
    hold(b, btc_kept_only_with_cash_at_hand, free)
    hold(b, no_btc_kept_without, free)
    hold(b, btc_sold_only_for_cash, free)
    hold(b, cash_no_higher_for_btc_sold, free)
    hold(b, all_that_may_be_sold, capped)


def _least_btc(b: Block) -> float:
    return b.case.settings.minimum_btc or 0.0


def btc_kept_only_with_cash_at_hand(b: Block, t: Quarter, w: str) -> object:
    r"""A company that only goes on sells its BTC before it lets cash fall below the minimum.

    Math: C_{t,w} \ge C^{\min} - (C^{\min} - \underline{C}_t)(1 - K_{t,w})
    Unit: $M
    Source: what doing nothing means
    Kind: physical
    """
    least = min(b.case.settings.minimum_cash_musd, b.closing_cash[t].range()[0])
    spare = b.case.settings.minimum_cash_musd - least
    return at_most(Linear(least).add(spare, b.keeps[t, w]).extend(b.closing_cash[t], -1), 0)


def no_btc_kept_without(b: Block, t: Quarter, w: str) -> object:
    r"""What need not be kept, in a company that only goes on, is sold, as far as its policy lets it.

    Math: H_{t,w} \le \underline{H} + (\overline{H}_t - \underline{H}) (K_{t,w} + A_{t,w})
    Unit: BTC
    Source: what doing nothing means
    Kind: physical
    """
    spare = _least_btc(b) - b.H[t, w].ub
    kept = Linear().add(1, b.H[t, w]).add(spare, b.keeps[t, w]).add(spare, member(b.sells_most, (t, w), 0))
    return at_most(kept, _least_btc(b))


def all_that_may_be_sold(b: Block, t: Quarter, w: str) -> object:
    r"""A company that only goes on sells all that its policy allows in a quarter, or is not said to.

    Math: H_{t-1,w} - H_{t,w} \ge \overline{S} A_{t,w} - (1 - A_{t,w}) \overline{M}_t
    Unit: BTC
    Source: what doing nothing means
    Kind: physical
    """
    most, grown = b.case.settings.max_btc_sales_per_quarter or 0.0, max(0.0, _growth(b, t, w).range()[1])
    return at_most(_growth(b, t, w).add(most + grown, b.sells_most[t, w]), grown)


def btc_sold_only_for_cash(b: Block, t: Quarter, w: str) -> object:
    r"""A company that only goes on holds its BTC in a quarter in which it sells none.

    Math: H_{t-1,w} + \mathrm{mined}_{t,w} - H_{t,w} \le \overline{H}_t \, S_{t,w}
    Unit: BTC
    Source: what doing nothing means
    Kind: physical
    """
    sold = Linear().extend(_growth(b, t, w), -1)
    if b.case.settings.btc_rule == "free":
        sold.extend(b.ports.btc_mined[t])
    return at_most(sold.add(-max(0.0, sold.range()[1]), b.sells[t, w]), 0)


def cash_no_higher_for_btc_sold(b: Block, t: Quarter, w: str) -> object:
    r"""A company that only goes on sells no more BTC than bring its cash back to the minimum.

    Math: C_{t,w} \le C^{\min} + (\overline{C}_t - C^{\min})(1 - S_{t,w})
    Unit: $M
    Source: what doing nothing means
    Kind: physical
    """
    least = b.case.settings.minimum_cash_musd
    most = max(least, b.closing_cash[t].range()[1])
    return at_most(Linear(-most).extend(b.closing_cash[t]).add(most - least, b.sells[t, w]), 0)


# ---- cash ---------------------------------------------------------------------------------------------------------


def _net_cash(b: Block, ports: OutcomePorts) -> dict[Quarter, Decision]:
    """`X[t,w]`, $M: all cash of a quarter but interest on cash. One column for hundreds in the rows of closing cash."""
    w = ports.scenario
    b.flows = ports.cash()
    ranges = {(t, w): flow.range() for t, flow in b.flows.items() if not flow.is_constant}
    b.X = Var(list(ranges), bounds=lambda b, t, w: ranges[t, w])
    hold(b, net_cash, list(b.X))
    return {t: member(b.X, (t, w), flow.constant) for t, flow in b.flows.items()}


def net_cash(b: Block, t: Quarter, w: str) -> object:
    r"""The cash of a quarter is what every decision brings or costs in it.

    Math: X_{t,w} = \sum_l \mathrm{cash}_{l,t,w}
    Unit: $M
    Source: the cash-flow statement
    Kind: physical
    """
    return Linear().add(1, b.X[t, w]).extend(b.flows[t], -1).expression == 0


def _bank(ports: OutcomePorts, net: dict[Quarter, Decision]) -> dict[Quarter, Linear]:
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


def _earn(ports: OutcomePorts, decision: Decision, first: Quarter, amounts: Amounts) -> None:
    ports.pay("cash_interest", CORPORATE, "", "cash", decision, first, amounts)


def minimum_liquidity(b: Block, t: Quarter, w: str) -> object:
    r"""Cash at the end of a quarter, and the share of BTC held that counts, never fall below the minimum.

    Math: C_0 (1 + i)^{t+1} + \sum_{k \le t} (1 + i)^{t-k} X_{k,w} + \beta \, p_{t,w} H_{t,w} \ge C^{\min}
    Unit: $M
    Source: the treasury's policy
    Kind: negotiable
    """
    settings = b.case.settings
    short = Linear(settings.minimum_cash_musd).extend(b.closing_cash[t], -1)
    if (t, w) in b.H:
        short.add(-(settings.btc_liquidity_share or 0.0) * btc_musd(b.ports, t), b.H[t, w])
    return at_most(short, 0)


def cash_never_negative(b: Block, t: Quarter, w: str) -> object:
    r"""However much BTC counts as liquidity, the bank account is never overdrawn.

    Math: C_{t,w} \ge 0
    Unit: $M
    Source: the bank
    Kind: physical
    """
    return at_most(Linear().extend(b.closing_cash[t], -1), 0)


def minimum_cash_of_a_facility(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""While a facility is outstanding at the end of a quarter, cash is no lower than its lender asks.

    Math: C_{t,w} \ge C^{\min}_f \, O_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    asked = b.case.facility[f].minimum_cash_musd
    return at_most(Linear().add(asked, b.outstanding[f, t, w]).extend(b.closing_cash[t], -1), 0)


# ---- read out -------------------------------------------------------------------------------------------------------


def read_out(r: Reading) -> Tables:
    return {"cash": _cash(r), "btc": _btc(r)}


def _cash(r: Reading) -> pd.DataFrame:
    opening, rows = r.case.settings.opening_cash_musd, []
    net = r.within.groupby("quarter")["musd"].sum()
    for t in r.case.horizon:
        flow = round(float(net.get(int(t), 0.0)), DECIMALS)
        closing = round(opening + flow, DECIMALS)
        liquidity = closing + _counted_btc(r, t)
        rows.append((r.scenario, t, opening, flow, closing, liquidity, r.case.settings.minimum_cash_musd))
        opening = closing
    return frame(rows, "scenario quarter opening_musd net_musd closing_musd liquidity_musd minimum_musd")


def _counted_btc(r: Reading, t: Quarter) -> float:
    """$M of the BTC held at the end of a quarter that count as liquidity."""
    return (r.case.settings.btc_liquidity_share or 0.0) * r.at(r.b.H, t, r.scenario) * btc_musd(r.ports, t)


def _btc(r: Reading) -> pd.DataFrame:
    """BTC held at the end of each quarter."""
    rows, held = [], r.case.settings.btc_held or 0.0
    for t, w in r.b.H:
        now, mined = r.read(r.b.H[t, w]), r.sum_of(r.ports.btc_mined[t])
        rows.append((w, t, held, mined, held + mined - now, now, now * btc_musd(r.ports, t)))
        held = now
    return frame(rows, "scenario quarter opening_btc mined_btc sold_btc closing_btc market_value_musd")
