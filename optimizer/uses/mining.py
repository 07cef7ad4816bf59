"""Mining: machines installed at a site, run whenever running beats idling."""

from __future__ import annotations

from pyomo.environ import ConcreteModel, NonNegativeReals, Var

from optimizer.lines import discount_factor
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
    index = [(a, s, t) for (a, s) in fleet for t in _worth_keeping(ports, case.asic[a], s)]
    m.g = Var(index, domain=NonNegativeReals, bounds=lambda m, a, s, t: (0, fleet[a, s]))
    hold(m, machines_only_leave, index)
    for a, s, t in index:
        ports.installed_gross_mw[s, t].add(1, m.g[a, s, t])
        for line, musd in _flows(ports, case.asic[a], s, t).items():
            ports.pay(line, MINING, s, a, m.g[a, s, t], t, [musd])
        if t == case.last:
            ports.pay("residual", MINING, s, a, m.g[a, s, t], t + 1, [_residual(case.asic[a])])


def _worth_keeping(ports: Ports, asic: Asic, s: str) -> list[Quarter]:
    """Quarters in which a machine may be installed: fit to run, and not already past any use.

    Past use: from there on no quarter pays, so keeping the machine costs cash in each, and its residual is worth less
    than that. Leaving it out then loses nothing, unless a policy's floor on mining counts it.
    """
    case = ports.case
    fit = [t for t in case.horizon if asic.retires_after is None or t <= asic.retires_after]
    floors = [row.last for row in case.use_limits if row.use == MINING and row.min_mw]
    at_end = discount_factor(case, MINING, case.last + 1, at_start=True) if fit[-1:] == [case.last] else 0.0
    ahead = _residual(asic) * at_end
    for t in reversed(fit):
        net = sum(_flows(ports, asic, s, t).values())
        ahead += net * discount_factor(case, MINING, t)
        if net > 0 or ahead > 0 or any(t <= last for last in floors):
            return [q for q in fit if q <= t]
    return []


def _flows(ports: Ports, asic: Asic, s: str, t: Quarter) -> dict[str, float]:
    """What one installed gross MW pays in a quarter, by line, $M."""
    economics = mining_economics(ports.case, ports.scenario, s, asic, t)
    flows = {"mining_site_cost": -economics.site_cost}
    if economics.runs:
        flows |= {
            "mining_revenue": economics.revenue,
            "mining_power": -economics.power,
            "interruptible_income": economics.interruptible,
        }
    return flows


def _residual(asic: Asic) -> float:
    """What one gross MW of machines is worth at the horizon's end, $M."""
    return musd_from_usd(asic.residual_usd_per_th * th_per_gross_mw(asic.joules_per_th, asic.overhead))


def machines_only_leave(m: ConcreteModel, a: str, s: str, t: Quarter) -> object:
    r"""Machines taken out of a site do not come back.

    Math: g_{a,s,t} \le g_{a,s,t-1}, \quad g_{a,s,0} \le G_{a,s}
    Unit: gross MW
    Source: the inventory of machines
    Kind: physical
    """
    before = (a, s, t - 1)
    return m.g[a, s, t] <= m.g[before] if before in m.g else SKIP
