"""Mining: machines installed at a site, run whenever running beats idling."""

from __future__ import annotations

from pyomo.environ import ConcreteModel, NonNegativeReals, Var

from optimizer.market import mining_economics
from optimizer.ports import Ports
from optimizer.quarters import Quarter
from optimizer.rows import SKIP, hold
from optimizer.schema import MINING, Asic
from optimizer.units import musd_from_usd, th_per_gross_mw


def add_mining(m: ConcreteModel, ports: Ports) -> None:
    """Machines `g[a,s,t]` installed, gross MW. Running is no variable: the better of running and idling."""
    case = ports.case
    fleet = {(row.asic, row.site): row.gross_mw for row in case.fleet}
    index = [(a, s, t) for (a, s) in fleet for t in case.horizon if _fit(case.asic[a], t)]
    m.g = Var(index, domain=NonNegativeReals, bounds=lambda m, a, s, t: (0, fleet[a, s]))
    hold(m, machines_only_leave, index)
    for a, s, t in index:
        ports.installed_gross_mw[s, t].add(1, m.g[a, s, t])
        _pay(ports, case.asic[a], s, t, m.g[a, s, t])


def machines_only_leave(m: ConcreteModel, a: str, s: str, t: Quarter) -> object:
    r"""Machines taken out of a site do not come back.

    Math: g_{a,s,t} \le g_{a,s,t-1}, \quad g_{a,s,0} \le G_{a,s}
    Unit: gross MW
    Source: the inventory of machines
    Kind: physical
    """
    before = (a, s, t - 1)
    return m.g[a, s, t] <= m.g[before] if before in m.g else SKIP


def _fit(asic: Asic, t: Quarter) -> bool:
    return asic.retires_after is None or t <= asic.retires_after


def _pay(ports: Ports, asic: Asic, s: str, t: Quarter, decision: object) -> None:
    case = ports.case
    economics = mining_economics(case, ports.scenario, s, asic, t)
    flows = {"mining_site_cost": -economics.site_cost}
    if economics.runs:
        flows |= {
            "mining_revenue": economics.revenue,
            "mining_power": -economics.power,
            "interruptible_income": economics.interruptible,
        }
    for line, musd in flows.items():
        ports.pay(line, MINING, s, asic.asic, decision, t, [musd])
    if t == case.last:
        worth = musd_from_usd(asic.residual_usd_per_th * th_per_gross_mw(asic.joules_per_th, asic.overhead))
        ports.pay("residual", MINING, s, asic.asic, decision, case.last + 1, [worth])
