"""Tax on profits, with losses carried forward and straight-line depreciation; off unless the case gives a rate."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from pyomo.core import Block, NonNegativeReals, Var

from optimizer.business.lines import CAPEX_LINES, CORPORATE, UNTAXED_LINES
from optimizer.business.ports import Amounts, Linear, OutcomePorts, Stream
from optimizer.business.rows import at_most, hold
from optimizer.ground.quarters import Quarter


def add_tax(b: Block) -> None:
    """`profit[t,w]`, `loss[t,w]` and `offset[t,w]` in $M: what is taxed, carried forward and used up; recourse.

    To the last quarter in which anything is earned or deducted, after the horizon too. Every stream that is taxed must
    be known by now.
    """
    ports = b.ports
    case, w = ports.case, ports.scenario
    b.income = _income_by_quarter(ports) if case.settings.tax_rate else {}
    taxed = [(t, w) for t in b.income]
    most = _most_income(ports) if taxed else 0.0
    b.profit = Var(taxed, domain=NonNegativeReals, bounds=(0, most))
    b.loss = Var(taxed, domain=NonNegativeReals, bounds=(0, most))
    b.offset = Var(taxed, domain=NonNegativeReals, bounds=(0, most))
    for t, _ in taxed:
        _pay(ports, b.profit[t, w], t, [-(case.settings.tax_rate or 0.0)])
        _pay(ports, b.offset[t, w], t, [case.settings.tax_rate or 0.0])
    hold(b, profit_or_loss, taxed)
    hold(b, losses_offset_a_share, taxed)
    hold(b, losses_used_once, taxed)


def _income_by_quarter(ports: OutcomePorts) -> dict[Quarter, Linear]:
    """Taxable income of each quarter of the horizon, and of those after it in which there is any, $M."""
    taxable = _taxable(ports)
    span = max([len(ports.case.horizon), *(len(amounts) for _, amounts in taxable)])
    income = {ports.case.first + i: Linear() for i in range(span)}
    for decision, amounts in taxable:
        for i in np.flatnonzero(amounts):
            income[ports.case.first + int(i)].add(float(amounts[i]), decision)
    return income


def _pay(ports: OutcomePorts, decision: object, t: Quarter, amounts: list[float] | Amounts) -> None:
    ports.pay("tax", CORPORATE, "", "tax", decision, t, amounts)


def _taxable(ports: OutcomePorts) -> list[tuple[object, Amounts]]:
    """Taxable income by decision, quarter by quarter from the first on, depreciation deducted."""
    lives: dict[str, int] = {row.line: row.quarters for row in ports.case.depreciation}
    flows: dict[int, list[Stream]] = defaultdict(list)
    for stream in ports.all_streams:
        if stream.line not in UNTAXED_LINES or stream.line in lives:
            flows[id(stream.decision)].append(stream)
    return [(streams[0].decision, _income(ports, streams, lives)) for streams in flows.values()]


def _income(ports: OutcomePorts, streams: list[Stream], lives: dict[str, int]) -> Amounts:
    ends = [stream.first - ports.case.first + len(stream.amounts) + lives.get(stream.line, 1) for stream in streams]
    income = np.zeros(max(len(ports.case.horizon), *ends))
    for stream in streams:
        amounts = stream.amounts
        if stream.line in CAPEX_LINES:
            amounts = np.convolve(amounts, np.full(lives[stream.line], 1 / lives[stream.line]))
        begins = stream.first - ports.case.first
        income[begins : begins + len(amounts)] += amounts
    return income


def _most_income(ports: OutcomePorts) -> float:
    """More than any quarter's income could be: every flow at its largest."""
    total = ports.case.settings.tax_losses_musd or 0.0
    for decision, amounts in _taxable(ports):
        largest = (
            abs(decision) if isinstance(decision, int | float) else max(map(abs, Linear().add(1, decision).range()))
        )
        total += largest * float(np.abs(amounts).max(initial=0.0))
    return 2 * total + 1


def _sum(b: Block, variable: Var, w: str, by: Quarter) -> Linear:
    total = Linear()
    for t, scenario in variable:
        if t <= by and scenario == w:
            total.add(1, variable[t, scenario])
    return total


def profit_or_loss(b: Block, t: Quarter, w: str) -> object:
    r"""A quarter's taxable income is a profit or a loss.

    Math: \mathrm{income}_{t,w} - \mathrm{depreciation}_{t,w} = P_{t,w} - L_{t,w}
    Unit: $M
    Source: tax law
    Kind: physical
    """
    balance = Linear().extend(b.income[t]).add(-1, b.profit[t, w]).add(1, b.loss[t, w])
    return balance.expression == 0


def losses_offset_a_share(b: Block, t: Quarter, w: str) -> object:
    r"""Losses carried forward offset no more than a share of a quarter's profit.

    Math: U_{t,w} \le \kappa \, P_{t,w}
    Unit: $M
    Source: tax law
    Kind: physical
    """
    share = b.case.settings.tax_loss_use
    return at_most(Linear().add(1, b.offset[t, w]).add(-(1.0 if share is None else share), b.profit[t, w]), 0)


def losses_used_once(b: Block, t: Quarter, w: str) -> object:
    r"""No more losses are used than were made in earlier quarters.

    Math: \sum_{k \le t} U_{k,w} \le B_0 + \sum_{k < t} L_{k,w}
    Unit: $M
    Source: tax law
    Kind: physical
    """
    used = _sum(b, b.offset, w, t).extend(_sum(b, b.loss, w, t - 1), -1)
    return at_most(used, b.case.settings.tax_losses_musd or 0.0)
