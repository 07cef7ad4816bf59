"""Machines: the inventory of each class, where it stands, and its market: moved, sold, bought, or left to retire."""

from __future__ import annotations

from math import fsum
from typing import Any

import pandas as pd
from pyomo.core import Block, ConcreteModel, NonNegativeReals, Var

from optimizer.business.lines import discount_factor, discount_rate
from optimizer.business.ports import Linear, SharedPorts
from optimizer.business.readout import NOISE, Reading, frame
from optimizer.business.rows import SKIP, at_most, hold
from optimizer.case.case import Case
from optimizer.case.market import mining_economics, own_plant_economics, purchase_musd, resale_musd
from optimizer.case.schema import MINING, Asic, MachineMarket
from optimizer.ground.quarters import Quarter
from optimizer.ground.units import musd_from_usd, musd_per_mw_quarter_from_mw_year, th_per_gross_mw


def add_machines(m: ConcreteModel) -> None:
    """Machines `g[a,s,t]` installed, gross MW; `going` and `coming` between sites, `buying` from the market.

    What leaves and does not go to another site is sold. A machine may stand wherever some future makes it worth while.
    """
    case, ports = m.case, m.ports
    m.opening = {(row.asic, row.site): case.fleet_gross_mw(row) for row in case.fleet}
    index = [(a, s, t) for a, s in _homes(ports) for t in _worth_keeping_in_some(ports, case.asic[a], s)]
    m.g = Var(index, domain=NonNegativeReals, bounds=lambda m, a, s, t: (0, _most(ports, m.opening, a, s)))
    _trade(m, ports, index)
    for a, s, t in index:
        ports.installed_gross_mw[s, t].add(1, m.g[a, s, t])
        ports.pay("mining_site_cost", MINING, s, a, m.g[a, s, t], t, [-site_cost_musd(case, s)])
        if t == case.last:
            ports.pay("residual", MINING, s, a, m.g[a, s, t], t + 1, [_residual(case.asic[a])])
    hold(m, machines_come_from_somewhere, dict.fromkeys([*index, *m.going]))


def trade_machines(b: Block) -> None:
    """What is bought is paid, and what is neither installed nor on its way is sold, at the quarter's price.

    Where the market takes no more in a quarter, `scrapped[a,s,t]` leaves for nothing; recourse, since it follows from
    what leaves.
    """
    m, ports = b.model(), b.ports
    case, w = ports.case, ports.scenario
    for a, s, t in m.buying:
        price = purchase_musd(case, w, case.asic[a], case.machine_market[a], t)
        ports.pay("machine_purchases", MINING, s, a, m.buying[a, s, t], t, [-price], follows=("machines", a))
    capped = [key for key in _saleable(m) if case.machine_market[key[0]].max_sales_mw_per_quarter is not None]
    b.scrapped = Var(capped, domain=NonNegativeReals, bounds=lambda b, a, s, t: (0, _most_at_hand(m, a, s, t)))
    for a, s, t in _saleable(m):
        price = resale_musd(case, w, case.asic[a], case.machine_market[a], t)
        for coefficient, decision in _sold(b, a, s, t):
            sold = [coefficient * price]
            ports.pay("machine_sales", MINING, s, a, decision, t, sold, follows=("machines", a))
    hold(b, scrapped_of_what_leaves, capped)
    hold(b, machine_market_depth, dict.fromkeys((a, t) for a, _, t in capped))


def _saleable(m: ConcreteModel) -> list[tuple[str, str, Quarter]]:
    """Classes, sites and quarters from which machines may be sold: a market for them, fit to run."""
    return [
        (a, s, t)
        for a, s in homes_of_machines(m)
        if a in m.case.machine_market
        for t in m.case.horizon
        if _fit(m.ports, a, t)
    ]


def _most_at_hand(m: ConcreteModel, a: str, s: str, t: Quarter) -> float:
    """The most of a class that may leave a site in a quarter, gross MW."""
    at_hand = left_over(m, a, s, t)
    return fsum(c * (x if isinstance(x, int) else x.ub) for c, x in at_hand if c > 0)


def _sold(b: Block, a: str, s: str, t: Quarter) -> list[tuple[float, Any]]:
    """What of a class is sold from a site, gross MW: all that leaves but what is scrapped."""
    scrapped = [(-1.0, b.scrapped[a, s, t])] if (a, s, t) in b.scrapped else []
    return [*left_over(b.model(), a, s, t), *scrapped]


def machines_table(r: Reading) -> pd.DataFrame:
    """What came to a site and what left it, by class and quarter, where anything did."""
    rows, saleable = [], set(_saleable(r.m))
    for a, s in homes_of_machines(r.m):
        for t in r.case.horizon:
            traded = [r.at(variable, a, s, t) for variable in (r.m.buying, r.m.coming, r.m.going)]
            left = fsum(c * r.of(x) for c, x in left_over(r.m, a, s, t))
            if max(*traded, left) > NOISE:
                retired = r.at(r.b.scrapped, a, s, t) if (a, s, t) in saleable else left
                rows.append((r.scenario, t, s, a, *traded, left - retired, retired))
    columns = "bought_gross_mw arrived_gross_mw moved_away_gross_mw sold_gross_mw retired_gross_mw"
    return frame(rows, f"scenario quarter site asic {columns}")


def site_cost_musd(case: Case, s: str) -> float:
    """What one installed gross MW costs in a quarter, run or idle, $M."""
    return musd_per_mw_quarter_from_mw_year(case.site[s].mining_cost_musd_per_gross_mw_year)


# ---- where they can stand ---------------------------------------------------------------------------------------


def _homes(ports: SharedPorts) -> list[tuple[str, str]]:
    """Classes and the sites where they can stand: where they are, and anywhere if they can be moved or bought."""
    case = ports.case
    homes = dict.fromkeys((row.asic, row.site) for row in case.fleet)
    for row in case.machine_markets:
        if _buyable(ports, row.asic) or _movable(ports, row.asic):
            homes |= dict.fromkeys((row.asic, s.site) for s in case.sites)
    return list(homes)


def _movable(ports: SharedPorts, a: str) -> bool:
    market = ports.case.machine_market.get(a)
    there = any(row.asic == a for row in ports.case.fleet) or _buyable(ports, a)
    return ports.decide and there and market is not None and market.moving_cost_musd_per_gross_mw is not None


def _buyable(ports: SharedPorts, a: str) -> bool:
    market = ports.case.machine_market.get(a)
    return ports.decide and market is not None and market.purchase_usd_per_th is not None


def _most(ports: SharedPorts, opening: dict[tuple[str, str], float], a: str, s: str) -> float:
    """The most gross MW of a class that can stand at a site: those there, all there are, or what the grid allows."""
    here = opening.get((a, s), 0.0)
    limit = max(here, *(ports.case.limit_gross_mw[s, t] for t in ports.case.horizon))
    if _buyable(ports, a):
        return limit
    return min(limit, sum(mw for (asic, _), mw in opening.items() if asic == a)) if _movable(ports, a) else here


def _trade(m: ConcreteModel, ports: SharedPorts, index: list[tuple[str, str, Quarter]]) -> None:
    """Moves and purchases where the class has a market for them, and the sale of what leaves."""
    case, there = ports.case, set(index)
    markets = case.machine_market
    moving = [key for key in index if _movable(ports, key[0])]
    after = [(a, s, t) for a, s, t in moving if t > case.first]
    before = [
        (a, s, t)
        for a, s, t in _standing(m, ports, moving)
        if any((a, site.site, t + 1) in there for site in case.sites)
    ]
    buying = [
        (a, s, t - markets[a].delivery_quarters)
        for a, s, t in index
        if _buyable(ports, a) and t - markets[a].delivery_quarters >= case.first
    ]  # fmt: skip
    bounds = {(a, s): (0.0, _most(ports, m.opening, a, s)) for a, s, _ in index}
    m.going = Var(before, domain=NonNegativeReals, bounds=lambda m, a, s, t: bounds[a, s])
    m.coming = Var(after, domain=NonNegativeReals, bounds=lambda m, a, s, t: bounds[a, s])
    m.buying = Var(buying, domain=NonNegativeReals, bounds=lambda m, a, s, t: bounds[a, s])
    for a, s, t in before:
        ports.pay(
            "mining_moves", MINING, s, a, m.going[a, s, t], t, [-(markets[a].moving_cost_musd_per_gross_mw or 0.0)]
        )
    hold(m, moves_arrive, dict.fromkeys((a, t) for a, _, t in [*before, *((a, s, t - 1) for a, s, t in after)]))


def _standing(
    m: ConcreteModel, ports: SharedPorts, index: list[tuple[str, str, Quarter]]
) -> list[tuple[str, str, Quarter]]:
    """Quarters in which machines could leave a site: wherever some stood the quarter before, or are bought at once."""
    fit = {(a, s): [t for asic, site, t in index if (asic, site) == (a, s)] for a, s, _ in index}
    leaving = []
    for (a, s), quarters in fit.items():
        at_once = _buyable(ports, a) and ports.case.machine_market[a].delivery_quarters == 0
        begins = [quarters[0]] if (a, s) in m.opening or at_once else []
        leaving += [(a, s, t) for t in [*begins, *(q + 1 for q in quarters)] if _fit(ports, a, t)]
    return list(dict.fromkeys(leaving))


def _fit(ports: SharedPorts, a: str, t: Quarter) -> bool:
    ends = ports.case.asic[a].fit_until
    return t <= ports.case.last and (ends is None or t <= ends)


def homes_of_machines(m: ConcreteModel) -> list[tuple[str, str]]:
    """Classes and sites where machines stand at first or may stand."""
    return list(dict.fromkeys((a, s) for a, s, _ in m.g) | dict.fromkeys(m.opening))


def left_over(m: ConcreteModel, a: str, s: str, t: Quarter) -> list[tuple[float, Any]]:
    """What was at hand of a class at a site and is neither installed nor on its way, gross MW: `h - g`."""
    market = m.case.machine_market.get(a)
    lag = 0 if market is None else market.delivery_quarters
    at_hand: list[tuple[float, Any]] = []
    if t == m.case.first and (a, s) in m.opening:
        at_hand.append((m.opening[a, s], 1))
    for sign, variable, key in (
        (1.0, m.g, (a, s, t - 1)), (1.0, m.coming, (a, s, t)), (1.0, m.buying, (a, s, t - lag)),
        (-1.0, m.going, (a, s, t)), (-1.0, m.g, (a, s, t)),
    ):  # fmt: skip
        if key in variable:
            at_hand.append((sign, variable[key]))
    return at_hand


# ---- what is worth keeping --------------------------------------------------------------------------------------


def _worth_keeping_in_some(ports: SharedPorts, asic: Asic, s: str) -> list[Quarter]:
    """Quarters in which a machine is worth keeping in some future."""
    kept = {t for w in ports.scenarios for t in _worth_keeping(ports, w, asic, s)}
    return sorted(kept)


def _worth_keeping(ports: SharedPorts, w: str, asic: Asic, s: str) -> list[Quarter]:
    """Quarters in which a machine may be installed: fit to run, and not already past any use.

    Past use: from there on keeping it, wherever it stands, earns no more than selling it at once, counted both
    discounted and in cash. A machine on its way stands nowhere and costs its move alone, and may be sold where it
    arrives. Leaving it out then loses nothing, unless a policy's floor on mining counts it, BTC mined may be kept for a
    better price, tax takes part of a sale, the market takes only so many at once, or a ratchet bills its demand whether
    it runs or not. What it is worth at the end may carry debt, as its cash would.
    """
    case = ports.case
    fit = [t for t in case.horizon if asic.fit_until is None or t <= asic.fit_until]
    floors = [row.last for row in case.use_limits if row.use == MINING and row.min_mw]
    market = case.machine_market.get(asic.asic)
    sites = [x.site for x in case.sites] if ports.decide and market is not None else [s]
    if ports.adjustable or _may_serve_otherwise(case, market, sites):
        return fit
    rate = discount_rate(case, MINING)
    left = _residual(asic) if fit[-1:] == [case.last] else 0.0
    ahead = left * discount_factor(rate, len(case.horizon), at_start=True)
    carries = 1.0 if case.settings.end_coverage is None else case.settings.end_coverage
    cash, moves = (left * carries if case.facilities else 0.0), _movable(ports, asic.asic)
    for t in reversed(fit):
        net = max(_best_margin(case, w, asic, site, t) for site in sites)
        if moves and market is not None:
            net = max(net, -(market.moving_cost_musd_per_gross_mw or 0.0))
        factor = discount_factor(rate, t - case.first)
        ahead, cash = ahead + net * factor, cash + net
        price = 0.0 if market is None else resale_musd(case, w, asic, market, t)
        if ahead > price * factor or cash > price or any(t <= last for last in floors):
            return [q for q in fit if q <= t + moves]
        ahead, cash = price * factor, price
    return []


def _may_serve_otherwise(case: Case, market: MachineMarket | None, sites: list[str]) -> bool:
    """Whether a machine may be worth keeping for more than what it earns and fetches."""
    capped = market is not None and market.max_sales_mw_per_quarter is not None
    remembered = any(site in case.ratchet for site in sites)
    return case.settings.btc_rule == "free" or bool(case.settings.tax_rate) or capped or remembered


def _best_margin(case: Case, w: str, asic: Asic, s: str, t: Quarter) -> float:
    grid = mining_economics(case, w, s, asic, t)
    own = own_plant_economics(case, w, s, asic, t)
    best = max(grid.margin if grid.runs else 0.0, 0.0 if own is None else own.margin, 0.0)
    return best - site_cost_musd(case, s)


def _residual(asic: Asic) -> float:
    """What one gross MW of machines is worth at the horizon's end, $M."""
    return musd_from_usd(asic.residual_usd_per_th * th_per_gross_mw(asic.joules_per_th, asic.overhead))


# ---- rules ------------------------------------------------------------------------------------------------------


def machines_come_from_somewhere(m: ConcreteModel, a: str, s: str, t: Quarter) -> object:
    r"""Machines at a site were there before, came from another site, or were bought; what leaves goes away or is sold.

    Math: g_{a,s,t} \le g_{a,s,t-1} + \mathrm{coming}_{a,s,t} + \mathrm{bought}_{a,s,t-\ell} - \mathrm{going}_{a,s,t}
    Unit: gross MW
    Source: the inventory of machines
    Kind: physical
    """
    balance = Linear()
    for coefficient, decision in left_over(m, a, s, t):
        balance.add(-coefficient, decision)
    return SKIP if _bounded_by_the_inventory(m, a, s, t) else at_most(balance, 0)


def _bounded_by_the_inventory(m: ConcreteModel, a: str, s: str, t: Quarter) -> bool:
    """Whether the upper bound of the first `g` says it already."""
    only = (a, s, t) in m.g and not any((a, s, t) in variable for variable in (m.going, m.coming, m.buying))
    return t == m.case.first and only and m.g[a, s, t].ub <= m.opening.get((a, s), 0.0)


def moves_arrive(m: ConcreteModel, a: str, t: Quarter) -> object:
    r"""Machines that go in one quarter stand at another site the next; in between they are nowhere.

    Math: \sum_s \mathrm{going}_{a,s,t} = \sum_s \mathrm{coming}_{a,s,t+1}
    Unit: gross MW
    Source: the inventory of machines
    Kind: physical
    """
    balance = Linear()
    for variable, quarter, sign in ((m.going, t, 1.0), (m.coming, t + 1, -1.0)):
        for site in m.case.sites:
            if (a, site.site, quarter) in variable:
                balance.add(sign, variable[a, site.site, quarter])
    return balance.expression == 0


def scrapped_of_what_leaves(b: Block, a: str, s: str, t: Quarter) -> object:
    r"""No more machines are scrapped than leave a site without going to another.

    Math: \mathrm{scrapped}_{a,s,t,w} \le h_{a,s,t} - g_{a,s,t}
    Unit: gross MW
    Source: the inventory of machines
    Kind: physical
    """
    left = Linear()
    for coefficient, decision in _sold(b, a, s, t):
        left.add(-coefficient, decision)
    return at_most(left, 0)


def machine_market_depth(b: Block, a: str, t: Quarter) -> object:
    r"""The market takes no more machines of a class in a quarter than its depth; the rest may be scrapped.

    Math: \sum_s \left( h_{a,s,t} - g_{a,s,t} - \mathrm{scrapped}_{a,s,t,w} \right) \le \overline{S}_a
    Unit: gross MW
    Source: the market for machines
    Kind: physical
    """
    sold = Linear()
    for asic, site, quarter in b.scrapped:
        if (asic, quarter) == (a, t):
            for coefficient, decision in _sold(b, a, site, t):
                sold.add(coefficient, decision)
    return at_most(sold, b.case.machine_market[a].max_sales_mw_per_quarter)
