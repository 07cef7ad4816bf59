"""Halls: conversions of a site's megawatts, in whole blocks, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

import numpy as np
import pandas as pd
from pyomo.core import Binary, Block, ConcreteModel, NonNegativeIntegers, Var

from optimizer.business.outlays import outlays_of_block
from optimizer.business.ports import Decision, Linear, SharedPorts, Step, steps
from optimizer.business.readout import Megawatts, Reading, Tables, frame
from optimizer.business.rows import at_most, hold, member
from optimizer.case.case import Case
from optimizer.case.schema import GpuLife, Option
from optimizer.ground.power import BUILDING
from optimizer.ground.quarters import Quarter

"""The use of power that a hall is between its hand-over and its service."""


def decide(m: ConcreteModel) -> None:
    """Blocks `N[o,t]` started by the end of t; the blocks `n[o,t]` that start in t are its steps."""
    case, ports = m.case, m.ports
    committed = {(row.option, row.quarter): row.blocks for row in case.committed_starts}
    index = [(o.option, t) for o in case.options for t in _open_quarters(ports, o)]
    m.most = {o.option: most_blocks(case, o) for o in case.options}
    m.N = Var(index, domain=NonNegativeIntegers, bounds=lambda m, o, t: (0, m.most[o]))
    m.n = _starts(m, ports, committed)
    hold(m, starts_are_never_undone, index)
    m.r = Var(_refreshes(m, ports), domain=NonNegativeIntegers, bounds=lambda m, o, t, i: (0, m.most[o]))
    for (name, t), blocks in m.n.items():
        _take_and_supply(ports, case.option[name], t, blocks)
        _serve(m, ports, case.option[name], t, blocks)
    hold(m, refreshed_after_a_life, list(m.r))
    _mobilise(m, ports, index)


def happen(b: Block) -> None:
    """No future changes what a hall costs or holds."""


# ---- read out -------------------------------------------------------------------------------------------------------


def megawatts(r: Reading) -> Iterator[Megawatts]:
    """Halls from their hand-over on: under construction, then the product that they serve."""
    taken: dict[tuple[str, Quarter, str, str], float] = {}
    for (name, start), blocks in r.started.items():
        option = r.case.option[name]
        for t in r.case.horizon:
            if t >= start + option.mining_stops_quarters:
                relet = _relet_blocks(r, option, start, blocks, t)
                use = option.product if t >= start + option.lead_quarters else BUILDING
                for serving, count in ((use, blocks - relet), (_relet_product(r.case, option), relet)):
                    if count:
                        key = (option.site, t, serving, name)
                        taken[key] = taken.get(key, 0.0) + count * option.block_gross_mw
    for (site, t, use, name), mw in taken.items():
        yield site, t, use, name, mw


def _relet_product(case: Case, option: Option) -> str:
    """What its blocks are let as once their GPUs are gone; its own product where nothing."""
    life = case.gpu_life.get(option.option)
    return option.product if life is None or life.relet_product is None else life.relet_product


def _relet_blocks(r: Reading, option: Option, start: Quarter, blocks: int, t: Quarter) -> int:
    """Of the blocks started in a quarter, those whose GPUs were gone by `t` and not renewed."""
    life = r.case.gpu_life.get(option.option)
    if life is None or life.relet_product is None:
        return 0
    age = (t - start - option.lead_quarters) // life.life_quarters
    renewed = r.at(r.m.r, option.option, start, age) if age > 0 else float(blocks)
    return blocks - round(renewed)


def read_out(r: Reading) -> Tables:
    return {"starts": _started_table(r), "refreshes": _refreshed_table(r)}


def _started_table(r: Reading) -> pd.DataFrame:
    rows = []
    for (name, t), blocks, kind in _batches(r):
        option = r.case.option[name]
        gross, it_mw = blocks * option.block_gross_mw, blocks * r.case.it_mw_of_block(option)
        facility, gpus = it_mw * r.case.facility_musd_per_it_mw(option), it_mw * option.gpu_musd_per_it_mw
        handover, service = t + option.mining_stops_quarters, t + option.lead_quarters
        place = (r.scenario, name, option.site, option.product, t)
        rows.append((*place, blocks, gross, it_mw, handover, service, facility, gpus, kind))
    columns = "blocks gross_mw it_mw handover_quarter service_quarter facility_capex_musd gpu_capex_musd decided"
    return frame(rows, f"scenario option site product start_quarter {columns}")


def _batches(r: Reading) -> Iterator[tuple[tuple[str, Quarter], int, str]]:
    """Starts in their order; blocks that were committed stand apart from those that join them."""
    committed = {(row.option, row.quarter): row.blocks for row in r.case.committed_starts}
    for key, blocks in sorted(r.started.items(), key=lambda item: (item[0][1], item[0][0])):
        decided = committed.get(key, 0)
        for part, kind in ((decided, "committed"), (blocks - decided, "new")):
            if part:
                yield key, part, kind


def _refreshed_table(r: Reading) -> pd.DataFrame:
    """GPUs replaced in halls that go on."""
    rows = []
    for (o, start, i), refreshed in r.m.r.items():
        blocks = round(r.read(refreshed))
        if blocks:
            option = r.case.option[o]
            renewed = start + option.lead_quarters + i * r.case.gpu_life[o].life_quarters
            rows.append((r.scenario, o, option.site, start, renewed, blocks, blocks * r.case.it_mw_of_block(option)))
    return frame(rows, "scenario option site start_quarter refresh_quarter blocks it_mw")


# ---- starts ---------------------------------------------------------------------------------------------------------


def _starts(
    m: ConcreteModel, ports: SharedPorts, committed: dict[tuple[str, Quarter], int]
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
    paid = inf if cost <= 0 else case.settings.capex_budget_musd / cost
    return int(min(most_blocks(case, option), sunk + paid + 1e-9))


def _open_quarters(ports: SharedPorts, option: Option) -> list[Quarter]:
    """Quarters in which new blocks may start: not before `earliest`, and in service within the horizon."""
    case = ports.case
    if not (ports.decide and case.eligible(option) and most_blocks(case, option)):
        return []
    return [t for t in case.horizon if case.earliest_start(option) <= t <= case.last - option.lead_quarters]


def _take_and_supply(ports: SharedPorts, option: Option, start: Quarter, blocks: Decision) -> None:
    case, site, product = ports.case, option.site, option.product
    it_mw, gross_mw = case.it_mw_of_block(option), option.block_gross_mw
    handover, service = start + option.mining_stops_quarters, start + option.lead_quarters
    late = option.option
    ports.taken_gross_mw.step(site, handover, gross_mw, blocks)
    for stock, size in ((ports.building_blocks, 1.0), (ports.building_it_mw, it_mw)):
        stock.step("all", start, size, blocks)
        stock.step("all", service, -size, blocks, option=late)
    ports.service_gross_mw.step((site, product), service, gross_mw, blocks, option=late)
    ports.service_it_mw.step((site, product), service, it_mw, blocks, option=late)
    for line, first, amounts in outlays_of_block(case, option, start):
        ports.pay(line, product, site, option.option, blocks, first, -amounts)


# ---- service and the life of GPUs ---------------------------------------------------------------------------------


def lives(case: Case, option: Option, start: Quarter) -> list[Quarter]:
    """First quarters of the lives of a block's GPUs, as far as they could be refreshed in the horizon."""
    first, life = start + option.lead_quarters, case.gpu_life.get(option.option)
    if life is None:
        return [first]
    dead_before = first + life.life_quarters < case.first
    if life.refresh_musd_per_it_mw is None or dead_before:
        return [first]
    renewals = max(0, (case.last - first) // life.life_quarters)
    return [first + i * life.life_quarters for i in range(renewals + 1)]


def _refreshes(m: ConcreteModel, ports: SharedPorts) -> list[tuple[str, Quarter, int]]:
    """Option, start and number of each refresh that can be decided; halls that are there already may go on serving."""
    case = ports.case
    return [
        (name, start, i)
        for name, start in m.n
        for i, begins in enumerate(lives(case, case.option[name], start))
        if i > 0
    ]


def _serve(m: ConcreteModel, ports: SharedPorts, option: Option, start: Quarter, blocks: Decision) -> None:
    """Usable capacity: ramped up once; at the end of each life of GPUs refreshed, let as another product, or gone."""
    case, it_mw = ports.case, ports.case.it_mw_of_block(option)
    ramp, life = case.profile[option.ramp], case.gpu_life.get(option.option)
    for i, begins in enumerate(lives(case, option, start)):
        decision = blocks if i == 0 else member(m.r, (option.option, start, i), 0)
        shares = ramp if i == 0 else (1.0,)
        if life is None:
            _supply(ports, option, begins, shares, None, it_mw, decision)
            continue
        ends = begins + life.life_quarters
        _supply(ports, option, begins, shares, ends, it_mw, decision)
        cost = option.gpu_musd_per_it_mw if i == 0 else life.refresh_musd_per_it_mw or 0.0
        pay = (option.product, option.site, option.option, decision)
        if i > 0:
            ports.pay("gpu_capex", *pay, begins, [-cost * it_mw])
        ports.pay("gpu_sales", *pay, ends, [life.residual_share * cost * it_mw])
        if life.relet_product is not None:
            _relet(ports, option, life, ends, it_mw, decision)
            if i > 0:
                _relet(ports, option, life, begins, -it_mw, decision)


def _supply(
    ports: SharedPorts, option: Option, begins: Quarter, shares: Sequence[float], ends: Quarter | None, it_mw: float,
    decision: Decision,
) -> None:  # fmt: skip
    """IT MW usable by share from a quarter on, to the quarter before `ends`; what stands free is worth its residual."""
    span = len(shares) if ends is None else min(len(shares), ends - begins)
    steps = [(begins + j, it_mw * float(rise)) for j, rise in enumerate(np.diff(shares[:span], prepend=0.0))]
    if ends is not None:
        steps.append((ends, -it_mw * shares[span - 1]))
    _open(ports, option, option.product, decision, steps)


def _relet(
    ports: SharedPorts, option: Option, life: GpuLife, begins: Quarter, it_mw: float, decision: Decision
) -> None:
    """Blocks that serve another product, refitted, from a quarter on; taken back where `it_mw` is negative."""
    assert life.relet_product is not None
    _open(ports, option, life.relet_product, decision, [(begins, it_mw)])
    for stock, size in ((ports.service_gross_mw, it_mw * option.design_ratio), (ports.service_it_mw, it_mw)):
        stock.step((option.site, option.product), begins, -size, decision, option=option.option)
        stock.step((option.site, life.relet_product), begins, size, decision, option=option.option)
    refit = -it_mw * (life.refit_musd_per_it_mw or 0.0)
    ports.pay("facility_capex", life.relet_product, option.site, option.option, decision, begins, [refit])


def _open(
    ports: SharedPorts, option: Option, product: str, decision: Decision, steps: Sequence[tuple[Quarter, float]]
) -> None:
    """Usable IT MW of a product in steps, worth their residual where no contract takes them."""
    for quarter, it_mw in steps:
        ports.usable_it_mw.step((option.site, product), quarter, it_mw, decision, option=option.option)
    ports.stand_free(product, option.site, option.option, decision, steps)


def refreshed_after_a_life(m: ConcreteModel, o: str, t: Quarter, i: int) -> object:
    r"""GPUs are refreshed only in blocks that have run to the end of the life before.

    Math: r_{o,t,i} \le r_{o,t,i-1}, \quad r_{o,t,0} = n_{o,t}
    Unit: blocks
    Source: the halls
    Kind: physical
    """
    before = member(m.r, (o, t, i - 1), m.n[o, t])
    return at_most(Linear().add(1, m.r[o, t, i]).add(-1, before), 0)


def _mobilise(m: ConcreteModel, ports: SharedPorts, index: list[tuple[str, Quarter]]) -> None:
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


def _pay_mobilisation(ports: SharedPorts, option: Option, t: Quarter, decision: Decision) -> None:
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
    most = m.most[o] if m.ports.adjustable else affordable_blocks(m.case, m.case.option[o])
    return m.N[o, t] <= most * m.F[o, t]


def mobilised_with_a_block(m: ConcreteModel, o: str, t: Quarter) -> object:
    r"""Mobilisation is paid in a quarter in which a block starts, never ahead of it.

    Math: m_{o,t} \le n_{o,t}
    Unit: blocks
    Source: the construction contract
    Kind: physical
    """
    return at_most(Linear().add(1, m.f[o, t]).add(-1, m.n[o, t]), 0)
