"""Ratchets: demand charges that remember. A quarter is billed on a share of the highest demand of those before it."""

from __future__ import annotations

from pyomo.core import Block, NonNegativeReals, Var

from optimizer.business.ports import Linear, OutcomePorts
from optimizer.business.rows import at_most, hold
from optimizer.case.schema import MINING
from optimizer.ground.quarters import Quarter
from optimizer.ground.units import musd_per_mw_quarter_from_kw_month


def add_ratchets(b: Block) -> None:
    """Gross MW `above[s,t]` that are billed and not drawn, paid at the site's demand charge; after all uses.

    It goes down as far as the bills of the quarters looked back at allow, since each megawatt costs.
    """
    ports: OutcomePorts = b.ports
    case, w = ports.case, ports.scenario
    charged = [
        (s, t) for s in case.ratchet for t in case.horizon if case.site_price(w, s, t).demand_usd_per_kw_month > 0
    ]
    b.demand = {(s, t): _demand(b, s, t) for s in case.ratchet for t in case.horizon}
    most = {s: max(_remembered(b, s, t) for t in case.horizon) for s in case.ratchet}
    b.above = Var(charged, domain=NonNegativeReals, bounds=lambda b, s, t: (0, most[s]))
    for s, t in charged:
        tariff = case.site_price(w, s, t)
        charge = musd_per_mw_quarter_from_kw_month(tariff.demand_usd_per_kw_month)
        ports.pay("mining_power", MINING, s, tariff.tariff, b.above[s, t], t, [-charge])
    hold(b, billed_demand, [(s, t, q) for s, t in charged for q in _looked_back_at(b, s, t)])


def _demand(b: Block, s: str, t: Quarter) -> Linear:
    """Gross MW that a site draws in a quarter: machines that run on the grid, and AI load at its PUE."""
    running = Linear()
    for a, site, quarter, w in b.x:
        if (site, quarter) == (s, t):
            running.add(1, b.x[a, site, quarter, w])
    return running.extend(b.ports.metered_gross_mw[s, t])


def _looked_back_at(b: Block, s: str, t: Quarter) -> list[Quarter]:
    """Quarters whose demand a bill looks back at, those before the horizon as the one before it."""
    quarters = (t - i for i in range(1, b.case.ratchet[s].ratchet_quarters + 1))
    return list(dict.fromkeys(max(q, b.case.first - 1) for q in quarters))


def _remembered(b: Block, s: str, t: Quarter) -> float:
    """The most that is billed in a quarter for demand of those before."""
    ratchet = b.case.ratchet[s]
    most = [b.demand[s, q].range()[1] if q >= b.case.first else ratchet.highest_before_gross_mw
            for q in _looked_back_at(b, s, t)]  # fmt: skip
    return float(ratchet.ratchet_share * max(most))


def billed_demand(b: Block, s: str, t: Quarter, q: Quarter) -> object:
    r"""Billed demand is no less than the ratchet's share of the demand of any quarter that it looks back at.

    Math: P_{s,t,w} + \mathrm{above}_{s,t,w} \ge \sigma_s \, P_{s,q,w}, \quad t - k_s \le q < t
    Unit: gross MW
    Source: the site's tariff
    Kind: physical
    """
    ratchet = b.case.ratchet[s]
    short = Linear().extend(b.demand[s, t], -1).add(-1, b.above[s, t])
    if q < b.case.first:
        short.constant += ratchet.ratchet_share * ratchet.highest_before_gross_mw
    else:
        short.extend(b.demand[s, q], ratchet.ratchet_share)
    return at_most(short, 0)
