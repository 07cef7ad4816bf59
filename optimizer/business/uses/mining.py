"""Mining: machines that are installed run whenever running beats idling, on the grid or on a site's own plant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import fsum

import pandas as pd
from pyomo.core import Block, ConcreteModel, NonNegativeReals, Var

from optimizer.business.machines import add_machines, machines_table, trade_machines
from optimizer.business.ports import Linear, OutcomePorts, Price, power_price
from optimizer.business.readout import DECIMALS, NOISE, Megawatts, Reading, Tables, frame
from optimizer.business.rows import at_most, hold
from optimizer.case.case import Case
from optimizer.case.market import (
    MiningEconomics,
    mining_economics,
    mining_has_ended,
    own_plant_economics,
    steps_of_running,
)
from optimizer.case.schema import MINING
from optimizer.ground.power import IDLE
from optimizer.ground.quarters import Quarter

HASHPRICE: Price = ("hashprice",)


def decide(m: ConcreteModel) -> None:
    """Machines are installed, moved, sold and bought here and now."""
    add_machines(m)


def happen(b: Block) -> None:
    """Machines run whenever running beats idling: no variable, the better of the two is known before the solve.

    Where a ratchet remembers what ran, or prices are to be swapped later, it is one, `x[a,s,t,w]`, and left to the
    solver; where prices are to be swapped and move within the quarter, so is each step, `in_step[a,s,t,w,i]`.
    """
    m, ports = b.model(), b.ports
    case, index = ports.case, list(m.g)
    b.x = Var(_choosable(ports, index), domain=NonNegativeReals, bounds=lambda b, a, s, t, w: (0, m.g[a, s, t].ub))
    b.in_step = Var(_steps(ports, b.x), domain=NonNegativeReals, bounds=lambda b, a, s, t, w, i: (0, m.g[a, s, t].ub))
    for a, s, t in index:
        economics = mining_economics(case, ports.scenario, s, case.asic[a], t)
        if (a, s, t, ports.scenario) in b.x:
            _choose(b, s, a, t, economics)
        elif economics.runs:
            _run(ports, s, a, t, m.g[a, s, t], economics)
    hold(b, runs_in_a_step_of_its_quarter, b.in_step)
    trade_machines(b)
    _burn(b, index)


# ---- read out -------------------------------------------------------------------------------------------------------


def megawatts(r: Reading) -> Iterator[Megawatts]:
    """Machines that run and machines that stand idle."""
    for a, s, t in r.m.g:
        installed = round(r.read(r.m.g[a, s, t]), DECIMALS)
        running = min(installed, round(_running_mw(r, a, s, t), DECIMALS))
        yield s, t, MINING, a, running
        yield s, t, IDLE, a, installed - running


def read_out(r: Reading) -> Tables:
    return {"mining": _mining(r), "machines": machines_table(r), "own_plants": _own_plants(r)}


def _running_mw(r: Reading, a: str, s: str, t: Quarter) -> float:
    """Gross MW of a class that run: all installed where the grid pays or those chosen, and what the own plant feeds.

    What runs in some step of a quarter runs, and so does what the grid pays to stand ready.
    """
    if (a, s, t, r.scenario) in r.b.x:
        return r.read(r.b.x[a, s, t, r.scenario]) + r.at(r.b.b, a, s, t, r.scenario)
    if mining_economics(r.case, r.scenario, s, r.case.asic[a], t).runs:
        return r.read(r.m.g[a, s, t])
    return r.at(r.b.b, a, s, t, r.scenario)


def _own_plants(r: Reading) -> pd.DataFrame:
    """Machines that run on a site's own plant."""
    rows = [(w, t, s, a, r.read(b)) for (a, s, t, w), b in r.b.b.items() if r.read(b) > NOISE]
    return frame(rows, "scenario quarter site asic on_own_plant_gross_mw")


def _mining(r: Reading) -> pd.DataFrame:
    """Machines and BTC of each quarter, and what a BTC cost: direct (power), and in total (site cost and G&A)."""
    paid = r.within.groupby(["quarter", "line"])["musd"].sum()
    rows = []
    for t in r.case.horizon:
        here = [(a, s) for a, s, quarter in r.m.g if quarter == t]
        installed = fsum(r.read(r.m.g[a, s, t]) for a, s in here)
        running = fsum(_running_mw(r, a, s, t) for a, s in here)
        own = fsum(r.read(b) for (_, _, q, _), b in r.b.b.items() if q == t)
        btc = r.sum_of(r.ports.btc_mined[t])
        power, site, company = (
            -fsum(float(paid.get((int(t), line), 0.0)) for line in lines)
            for lines in (("mining_power", "interruptible_income"), ("mining_site_cost",), ("g_and_a",))
        )
        per_btc = 1e6 / btc if btc > NOISE else float("nan")
        costs = (power + site, power * per_btc, (power + site + company) * per_btc)
        rows.append((r.scenario, t, installed, running, own, btc, *costs))
    costs_per_btc = "direct_cash_cost_usd_per_btc total_cash_cost_usd_per_btc"
    columns = (
        f"installed_gross_mw running_gross_mw on_own_plant_gross_mw btc_mined mining_cash_cost_musd {costs_per_btc}"
    )
    return frame(rows, f"scenario quarter {columns}")


def _run(ports: OutcomePorts, s: str, a: str, t: Quarter, decision: object, economics: MiningEconomics) -> None:
    """What one running gross MW pays in a quarter, by line, and the BTC it mines."""
    for line, musd, follows in _running_flows(ports.case, s, economics):
        ports.pay(line, MINING, s, a, decision, t, [musd], follows=follows)
    ports.btc_mined[t].add(economics.btc, decision)


def _running_flows(case: Case, s: str, economics: MiningEconomics) -> list[tuple[str, float, Price | None]]:
    return [
        ("mining_revenue", economics.revenue, HASHPRICE),
        ("mining_power", -economics.energy, power_price(case, s)),
        ("mining_power", -economics.demand, None),
        ("interruptible_income", economics.interruptible, None),
    ]


def _choosable(ports: OutcomePorts, index: list[tuple[str, str, Quarter]]) -> list[tuple[str, str, Quarter, str]]:
    """Where running is left to the solver: under a ratchet, and everywhere where prices may be swapped.

    Where BTC are kept machines would run at a loss for them: there it is none but under a ratchet, and only of what
    earns its energy.
    """
    case, w = ports.case, ports.scenario
    swapped = ports.shared.adjustable and case.settings.btc_rule != "free"

    def may_run(a: str, s: str, t: Quarter) -> bool:
        earns = s in case.ratchet and mining_economics(case, w, s, case.asic[a], t).margin_beside_demand > 0
        return (swapped or earns) and not mining_has_ended(case, s, t)

    return [(a, s, t, w) for a, s, t in index if may_run(a, s, t)]


def _steps(ports: OutcomePorts, x: Var) -> list[tuple[str, str, Quarter, str, int]]:
    """Price steps that running is left to the solver in; where prices stay, those that pay are known."""
    if not ports.shared.adjustable or ports.case.settings.btc_rule == "free":
        return []
    return [(a, s, t, w, i) for a, s, t, w in x for i, _ in enumerate(ports.case.site_steps(w, s, t))]


def _choose(b: Block, s: str, a: str, t: Quarter, economics: MiningEconomics) -> None:
    """What one gross MW pays that is chosen to run: in the steps that pay, or in those chosen too."""
    ports = b.ports
    key = (a, s, t, ports.scenario)
    if (*key, 0) not in b.in_step:
        _run(ports, s, a, t, b.x[key], economics)
        return
    _run(ports, s, a, t, b.x[key], replace(economics, revenue=0.0, energy=0.0, btc=0.0, run_hours=0.0))
    for i, step in enumerate(steps_of_running(ports.case, ports.scenario, s, ports.case.asic[a], t)):
        running = MiningEconomics(step.revenue, step.energy, 0.0, 0.0, step.btc, step.run_hours, True)
        _run(ports, s, a, t, b.in_step[*key, i], running)


def _burn(b: Block, index: list[tuple[str, str, Quarter]]) -> None:
    """Gross MW `b[a,s,t,w]` that run on the site's own plant, where that beats the grid and idling; recourse."""
    m, ports = b.model(), b.ports
    case, w = ports.case, ports.scenario
    gains = {}
    for a, s, t in index:
        own = own_plant_economics(case, w, s, case.asic[a], t)
        grid = mining_economics(case, w, s, case.asic[a], t)
        if own is None or case.own_plant[w, s, t].capacity_mw == 0:
            continue
        chosen = (a, s, t, w) in b.x
        instead = grid if grid.runs and not chosen else None
        better = own.margin > (0.0 if instead is None else instead.margin)
        if chosen or case.settings.btc_rule == "free" or better:
            gains[a, s, t, w] = (own, instead)
    b.b = Var(list(gains), domain=NonNegativeReals, bounds=lambda b, a, s, t, w: (0, m.g[a, s, t].ub))
    for (a, s, t, _), (own, instead) in gains.items():
        _burn_instead(ports, s, a, t, b.b[a, s, t, w], own, instead)
    hold(b, own_power_to_installed_machines, dict.fromkeys([*gains, *b.x]))
    hold(b, own_plant_capacity, dict.fromkeys((s, t, w) for _, s, t, w in gains))


def _burn_instead(
    ports: OutcomePorts, s: str, a: str, t: Quarter, decision: object, own: MiningEconomics,
    grid: MiningEconomics | None,
) -> None:  # fmt: skip
    """What a gross MW pays on the plant, less what it would have paid on the grid, where it would have run there."""
    ports.pay("mining_power", MINING, s, a, decision, t, [-own.power])
    ports.pay("mining_revenue", MINING, s, a, decision, t, [own.revenue], follows=HASHPRICE)
    ports.btc_mined[t].add(own.btc, decision)
    if grid is not None:
        for line, musd, follows in _running_flows(ports.case, s, grid):
            ports.pay(line, MINING, s, a, decision, t, [-musd], follows=follows)
        ports.btc_mined[t].add(-grid.btc, decision)


def runs_in_a_step_of_its_quarter(b: Block, a: str, s: str, t: Quarter, w: str, i: int) -> object:
    r"""Machines run in a price step of a quarter in which they draw power at all; where steps are left to the solver.

    Math: x_{a,s,t,w,i} \le x_{a,s,t,w}
    Unit: gross MW
    Source: the tariff
    Kind: physical
    """
    return b.in_step[a, s, t, w, i] <= b.x[a, s, t, w]


def own_power_to_installed_machines(b: Block, a: str, s: str, t: Quarter, w: str) -> object:
    r"""Only installed machines run on a site's own plant.

    Math: b_{a,s,t,w} \le g_{a,s,t}
    Unit: gross MW
    Source: the site
    Kind: physical
    """
    running = Linear().add(-1, b.model().g[a, s, t])
    for variable in (b.b, b.x):
        if (a, s, t, w) in variable:
            running.add(1, variable[a, s, t, w])
    return at_most(running, 0)


def own_plant_capacity(b: Block, s: str, t: Quarter, w: str) -> object:
    r"""Machines draw no more from a site's own plant, on average over the quarter, than it delivers.

    Math: \sum_a b_{a,s,t,w} \, \mathrm{uptime}_a \le \overline{P}_{s,t,w}
    Unit: MW, average over the quarter
    Source: the plant
    Kind: physical
    """
    drawn = Linear()
    for asic in b.case.asics:
        if (asic.asic, s, t, w) in b.b:
            drawn.add(asic.uptime, b.b[asic.asic, s, t, w])
    return at_most(drawn, b.case.own_plant[w, s, t].capacity_mw)
