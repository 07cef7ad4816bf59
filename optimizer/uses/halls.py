"""Halls: conversions of a site's megawatts, in whole blocks, and what they cost."""

from __future__ import annotations

from math import inf

import numpy as np
from pyomo.environ import Binary, ConcreteModel, NonNegativeIntegers, Var

from optimizer.case import Case
from optimizer.ports import Decision, Linear, Ports, Step, steps
from optimizer.quarters import Quarter
from optimizer.rows import at_most, hold
from optimizer.schema import Option


def add_halls(m: ConcreteModel, ports: Ports) -> None:
    """Blocks `N[o,t]` started by the end of t; the blocks `n[o,t]` that start in t are its steps."""
    case = ports.case
    committed = {(row.option, row.quarter): row.blocks for row in case.committed_starts}
    index = [(o.option, t) for o in case.options for t in _open_quarters(ports, o)]
    m.N = Var(index, domain=NonNegativeIntegers, bounds=lambda m, o, t: (0, most_blocks(case, case.option[o])))
    m.n = _starts(m, ports, committed)
    hold(m, starts_are_never_undone, index)
    for (name, t), blocks in m.n.items():
        _take_and_supply(ports, case.option[name], t, blocks)
    _mobilise(m, ports, index)


def _starts(
    m: ConcreteModel, ports: Ports, committed: dict[tuple[str, Quarter], int]
) -> dict[tuple[str, Quarter], Decision]:
    """Blocks that start in each quarter: a step of `N`, or a number where that is decided already."""
    starts: dict[tuple[str, Quarter], Decision] = {}
    for option in ports.case.options:
        sofar: Decision = 0
        for (name, t), blocks in sorted(committed.items()):
            if name == option.option and (name, t) not in m.N:
                starts[name, t] = blocks
                sofar += blocks
        for key in m.N:
            if key[0] == option.option:
                starts[key] = Step(m.N[key], sofar)
                sofar = m.N[key]
    return starts


def most_blocks(case: Case, option: Option) -> int:
    """The most blocks that the option and the site's grid limit leave room for; commitments stand."""
    committed = sum(row.blocks for row in case.committed_starts if row.option == option.option)
    limit = max(case.limit_gross_mw[option.site, t] for t in case.horizon)
    return max(committed, min(option.max_blocks, int(limit / option.block_gross_mw + 1e-9)))


def affordable_blocks(case: Case, option: Option) -> int:
    """The most blocks that the capex budget pays for, beside what was sunk before the horizon."""
    cost = case.it_mw_of_block(option) * (case.facility_musd_per_it_mw(option) + option.gpu_musd_per_it_mw)
    sunk = sum(r.blocks for r in case.committed_starts if r.option == option.option and r.quarter < case.first)
    paid = case.settings.capex_budget_musd / cost if cost > 0 else inf
    return int(min(most_blocks(case, option), sunk + paid + 1e-9))


def _open_quarters(ports: Ports, option: Option) -> list[Quarter]:
    """Quarters in which new blocks may start: not before `earliest`, and in service within the horizon."""
    case = ports.case
    if not (ports.decide and case.eligible(option) and most_blocks(case, option)):
        return []
    return [t for t in case.horizon if option.earliest <= t <= case.last - option.lead_quarters]


def _take_and_supply(ports: Ports, option: Option, start: Quarter, blocks: Decision) -> None:
    case, site, product = ports.case, option.site, option.product
    it_mw, gross_mw = case.it_mw_of_block(option), option.block_gross_mw
    handover, service = start + option.mining_stops_quarters, start + option.lead_quarters
    ports.taken_gross_mw.step(site, handover, gross_mw, blocks)
    for stock, size in ((ports.building_blocks, 1.0), (ports.building_it_mw, it_mw)):
        stock.step("all", start, size, blocks)
        stock.step("all", service, -size, blocks)
    ports.service_gross_mw.step((site, product), service, gross_mw, blocks)
    ports.service_it_mw.step((site, product), service, it_mw, blocks)
    ramp = case.profile[option.ramp]
    for j, rise in enumerate(np.diff(ramp, prepend=0.0)):
        ports.usable_it_mw.step((site, product), service + j, it_mw * float(rise), blocks)
    usable_at_end = it_mw * ramp[min(case.last - service, len(ramp) - 1)]
    worth = case.product[product].residual_musd_per_it_mw * usable_at_end
    ports.pay("residual", product, site, option.option, blocks, case.last + 1, [worth])
    facility = case.facility_musd_per_it_mw(option) * it_mw * np.array(case.profile[option.facility_curve])
    gpus = option.gpu_musd_per_it_mw * it_mw * np.array(case.profile[option.gpu_curve])
    ports.pay("facility_capex", product, site, option.option, blocks, start, -facility)
    ports.pay("gpu_capex", product, site, option.option, blocks, start, -gpus)


def _mobilise(m: ConcreteModel, ports: Ports, index: list[tuple[str, Quarter]]) -> None:
    """Mobilisation follows the first start; where a commitment came before any new start could, it is a datum."""
    case = ports.case
    begun: dict[str, Quarter] = {}
    for row in case.committed_starts:
        if (row.option, row.quarter) not in m.N:
            begun[row.option] = min(row.quarter, begun.get(row.option, row.quarter))
    for name, t in begun.items():
        _pay_mobilisation(ports, case.option[name], t, 1)
    priced = [(o, t) for o, t in index if case.option[o].mobilisation_musd > 0 and o not in begun]
    m.F = Var(priced, domain=Binary)
    m.f = steps(m.F)
    for (name, t), first_start in m.f.items():
        _pay_mobilisation(ports, case.option[name], t, first_start)
    hold(m, mobilised_once, priced)
    hold(m, no_block_before_mobilisation, priced)
    hold(m, mobilised_with_a_block, priced)


def _pay_mobilisation(ports: Ports, option: Option, t: Quarter, decision: Decision) -> None:
    musd = -option.mobilisation_musd
    ports.pay("mobilisation", option.product, option.site, option.option, decision, t, [musd])


def starts_are_never_undone(m: ConcreteModel, o: str, t: Quarter) -> object:
    r"""A block once started is never undone, and blocks already decided do start.

    Math: n_{o,t} = N_{o,t} - N_{o,t-1} \ge \underline{n}_{o,t}, \quad N_{o,t} \le N_o
    Unit: blocks
    Source: the option's design and the company's commitments
    Kind: physical
    """
    committed = sum(row.blocks for row in m.case.committed_starts if (row.option, row.quarter) == (o, t))
    return at_most(Linear(committed).add(-1, m.n[o, t]), 0)


def mobilised_once(m: ConcreteModel, o: str, t: Quarter) -> object:
    r"""Mobilisation and permits of an option are paid at most once.

    Math: m_{o,t} = M_{o,t} - M_{o,t-1} \ge 0, \quad z_o = M_{o,T} \le 1
    Unit: none
    Source: the construction contract
    Kind: physical
    """
    return at_most(Linear().add(-1, m.f[o, t]), 0)


def no_block_before_mobilisation(m: ConcreteModel, o: str, t: Quarter) -> object:
    r"""No block of an option starts before its mobilisation is paid.

    Math: N_{o,t} \le \min(N_o, \text{blocks that the budget pays}) \, M_{o,t}
    Unit: blocks
    Source: the construction contract
    Kind: physical
    """
    return m.N[o, t] <= affordable_blocks(m.case, m.case.option[o]) * m.F[o, t]


def mobilised_with_a_block(m: ConcreteModel, o: str, t: Quarter) -> object:
    r"""Mobilisation is paid in a quarter in which a block starts, never ahead of it.

    Math: m_{o,t} \le n_{o,t}
    Unit: blocks
    Source: the construction contract
    Kind: physical
    """
    return at_most(Linear().add(1, m.f[o, t]).add(-1, m.n[o, t]), 0)
