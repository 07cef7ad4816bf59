"""Mining: machines that are installed, moved, sold and bought, and run whenever running beats idling."""

from __future__ import annotations

from dataclasses import replace

from pyomo.core import ConcreteModel, NonNegativeReals, Var

from optimizer.lines import discount_factor, discount_rate
from optimizer.market import (
    MiningEconomics,
    mining_economics,
    mining_has_ended,
    own_plant_economics,
    purchase_musd,
    resale_musd,
)
from optimizer.ports import Linear, Ports
from optimizer.quarters import Quarter
from optimizer.rows import SKIP, at_most, hold
from optimizer.schema import MINING, Asic
from optimizer.units import musd_from_usd, th_per_gross_mw


def add_mining(m: ConcreteModel, ports: Ports) -> None:
    """Machines `g[a,s,t]` installed, gross MW; `going` and `coming` between sites, `bought` from the market.

    What leaves and does not go to another site is sold. Running is no variable: the better of running and idling.
    Only where prices are to be swapped later it is one, `x[a,s,t,w]`, and left to the solver.
    """
    case = ports.case
    m.opening = {(row.asic, row.site): case.fleet_gross_mw(row) for row in case.fleet}
    index = [(a, s, t) for a, s in _homes(ports) for t in _worth_keeping(ports, case.asic[a], s)]
    m.g = Var(index, domain=NonNegativeReals, bounds=lambda m, a, s, t: (0, _most(ports, m.opening, a, s)))
    _trade(m, ports, index)
    m.x = Var(_choosable(ports, index), domain=NonNegativeReals, bounds=lambda m, a, s, t, w: (0, m.g[a, s, t].ub))
    for a, s, t in index:
        ports.installed_gross_mw[s, t].add(1, m.g[a, s, t])
        economics = mining_economics(case, ports.scenario, s, case.asic[a], t)
        if (a, s, t, ports.scenario) in m.x:
            _choose_to_run(ports, s, a, t, m, economics)
        else:
            _run(ports, s, a, t, m.g[a, s, t], economics)
        if t == case.last:
            ports.pay("residual", MINING, s, a, m.g[a, s, t], t + 1, [_residual(case.asic[a])])
    _burn(m, ports, index)
    hold(m, machines_come_from_somewhere, dict.fromkeys([*index, *m.going]))


def _homes(ports: Ports) -> list[tuple[str, str]]:
    """Classes and the sites where they can stand: where they are, and anywhere if they can be moved or bought."""
    case = ports.case
    homes = dict.fromkeys((row.asic, row.site) for row in case.fleet)
    for row in case.machine_markets:
        if _buyable(ports, row.asic) or _movable(ports, row.asic):
            homes |= dict.fromkeys((row.asic, s.site) for s in case.sites)
    return list(homes)


def _movable(ports: Ports, a: str) -> bool:
    market = ports.case.machine_market.get(a)
    there = any(row.asic == a for row in ports.case.fleet) or _buyable(ports, a)
    return ports.decide and there and market is not None and market.moving_cost_musd_per_gross_mw is not None


def _buyable(ports: Ports, a: str) -> bool:
    market = ports.case.machine_market.get(a)
    return ports.decide and market is not None and market.purchase_usd_per_th is not None


def _most(ports: Ports, opening: dict[tuple[str, str], float], a: str, s: str) -> float:
    """The most gross MW of a class that can stand at a site: those there, all there are, or what the grid allows."""
    here = opening.get((a, s), 0.0)
    limit = max(here, *(ports.case.limit_gross_mw[s, t] for t in ports.case.horizon))
    if _buyable(ports, a):
        return limit
    return min(limit, sum(mw for (asic, _), mw in opening.items() if asic == a)) if _movable(ports, a) else here


def _trade(m: ConcreteModel, ports: Ports, index: list[tuple[str, str, Quarter]]) -> None:
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
    for a, s, t in buying:
        price = purchase_musd(case, ports.scenario, case.asic[a], markets[a], t)
        ports.pay("machine_purchases", MINING, s, a, m.buying[a, s, t], t, [-price])
    _sell(m, ports, index)
    hold(m, moves_arrive, dict.fromkeys((a, t) for a, _, t in [*before, *((a, s, t - 1) for a, s, t in after)]))


def _standing(m: ConcreteModel, ports: Ports, index: list[tuple[str, str, Quarter]]) -> list[tuple[str, str, Quarter]]:
    """Quarters in which machines could leave a site: wherever some stood the quarter before, or are bought at once."""
    fit = {(a, s): [t for asic, site, t in index if (asic, site) == (a, s)] for a, s, _ in index}
    leaving = []
    for (a, s), quarters in fit.items():
        at_once = _buyable(ports, a) and ports.case.machine_market[a].delivery_quarters == 0
        begins = [quarters[0]] if (a, s) in m.opening or at_once else []
        leaving += [(a, s, t) for t in [*begins, *(q + 1 for q in quarters)] if _fit(ports, a, t)]
    return list(dict.fromkeys(leaving))


def _fit(ports: Ports, a: str, t: Quarter) -> bool:
    ends = ports.case.asic[a].fit_until
    return t <= ports.case.last and (ends is None or t <= ends)


def _sell(m: ConcreteModel, ports: Ports, index: list[tuple[str, str, Quarter]]) -> None:
    """What is no longer installed, and did not go elsewhere, is sold at the quarter's price."""
    for a, s in dict.fromkeys((a, s) for a, s, _ in index) | dict.fromkeys(m.opening):
        market = ports.case.machine_market.get(a)
        if market is None:
            continue
        for t in ports.case.horizon:
            if _fit(ports, a, t):
                price = resale_musd(ports.case, ports.scenario, ports.case.asic[a], market, t)
                for coefficient, decision in left_over(m, a, s, t):
                    ports.pay("machine_sales", MINING, s, a, decision, t, [coefficient * price])


def left_over(m: ConcreteModel, a: str, s: str, t: Quarter) -> list[tuple[float, object]]:
    """What was at hand of a class at a site and is neither installed nor on its way, gross MW: `h - g`."""
    market = m.case.machine_market.get(a)
    lag = 0 if market is None else market.delivery_quarters
    at_hand: list[tuple[float, object]] = []
    if t == m.case.first and (a, s) in m.opening:
        at_hand.append((m.opening[a, s], 1))
    for sign, variable, key in (
        (1.0, m.g, (a, s, t - 1)), (1.0, m.coming, (a, s, t)), (1.0, m.buying, (a, s, t - lag)),
        (-1.0, m.going, (a, s, t)), (-1.0, m.g, (a, s, t)),
    ):  # fmt: skip
        if key in variable:
            at_hand.append((sign, variable[key]))
    return at_hand


def _run(ports: Ports, s: str, a: str, t: Quarter, decision: object, economics: MiningEconomics) -> None:
    """What one installed gross MW pays in a quarter, by line, and the BTC it mines."""
    for line, musd in _flows(economics).items():
        ports.pay(line, MINING, s, a, decision, t, [musd])
    if economics.runs:
        ports.btc_mined[t].add(economics.btc, decision)


def _flows(economics: MiningEconomics) -> dict[str, float]:
    return {"mining_site_cost": -economics.site_cost} | (_running_flows(economics) if economics.runs else {})


def _running_flows(economics: MiningEconomics) -> dict[str, float]:
    return {
        "mining_revenue": economics.revenue,
        "mining_power": -economics.power,
        "interruptible_income": economics.interruptible,
    }


def _choosable(ports: Ports, index: list[tuple[str, str, Quarter]]) -> list[tuple[str, str, Quarter, str]]:
    """Where running is left to the solver. Not where BTC are kept: there machines would run at a loss for them."""
    if not ports.adjustable or ports.case.settings.hold_mined_btc:
        return []
    return [(a, s, t, ports.scenario) for a, s, t in index if not mining_has_ended(ports.case, s, t)]


def _choose_to_run(ports: Ports, s: str, a: str, t: Quarter, m: ConcreteModel, economics: MiningEconomics) -> None:
    """The same as `_run`, with what runs apart from what is installed."""
    running = m.x[a, s, t, ports.scenario]
    ports.pay("mining_site_cost", MINING, s, a, m.g[a, s, t], t, [-economics.site_cost])
    for line, musd in _running_flows(economics).items():
        ports.pay(line, MINING, s, a, running, t, [musd])
    ports.btc_mined[t].add(economics.btc, running)


def _burn(m: ConcreteModel, ports: Ports, index: list[tuple[str, str, Quarter]]) -> None:
    """Gross MW `b[a,s,t,w]` that run on the site's own plant, where that beats the grid and idling; recourse."""
    case, w = ports.case, ports.scenario
    gains = {}
    for a, s, t in index:
        own = own_plant_economics(case, w, s, case.asic[a], t)
        grid = mining_economics(case, w, s, case.asic[a], t)
        if own is None or case.own_plant[w, s, t].capacity_mw == 0:
            continue
        chosen = (a, s, t, w) in m.x
        if chosen or case.settings.hold_mined_btc or own.margin > (grid.margin if grid.runs else 0.0):
            gains[a, s, t, w] = (own, replace(grid, runs=False) if chosen else grid)
    m.b = Var(list(gains), domain=NonNegativeReals, bounds=lambda m, a, s, t, w: (0, m.g[a, s, t].ub))
    for (a, s, t, _), (own, grid) in gains.items():
        burning = m.b[a, s, t, w]
        instead = _flows(grid)
        for line, musd in (
            ("mining_revenue", own.revenue),
            ("mining_power", -own.power),
            ("interruptible_income", 0.0),
        ):
            ports.pay(line, MINING, s, a, burning, t, [musd - instead.get(line, 0.0)])
        if not grid.runs:
            ports.btc_mined[t].add(own.btc, burning)
    hold(m, own_power_to_installed_machines, dict.fromkeys([*gains, *m.x]))
    hold(m, own_plant_capacity, dict.fromkeys((s, t, w) for _, s, t, w in gains))


def _worth_keeping(ports: Ports, asic: Asic, s: str) -> list[Quarter]:
    """Quarters in which a machine may be installed: fit to run, and not already past any use.

    Past use: from there on keeping it, wherever it stands, earns no more than selling it at once, counted both
    discounted and in cash. A machine on its way stands nowhere and costs its move alone, and may be sold where it
    arrives. Leaving it out then loses nothing, unless a policy's floor on mining counts it, BTC mined may be kept for a
    better price, or tax takes part of a sale.
    """
    case = ports.case
    fit = [t for t in case.horizon if asic.fit_until is None or t <= asic.fit_until]
    if ports.adjustable or case.settings.hold_mined_btc or case.settings.tax_rate:
        return fit
    floors = [row.last for row in case.use_limits if row.use == MINING and row.min_mw]
    market = case.machine_market.get(asic.asic)
    sites = [x.site for x in case.sites] if ports.decide and market is not None else [s]
    rate = discount_rate(case, MINING)
    ahead = (
        _residual(asic) * discount_factor(rate, len(case.horizon), at_start=True) if fit[-1:] == [case.last] else 0.0
    )
    cash, moves = 0.0, _movable(ports, asic.asic)
    for t in reversed(fit):
        net = max(_best_margin(ports, asic, site, t) for site in sites)
        if moves and market is not None:
            net = max(net, -(market.moving_cost_musd_per_gross_mw or 0.0))
        factor = discount_factor(rate, t - case.first)
        ahead, cash = ahead + net * factor, cash + net
        price = 0.0 if market is None else resale_musd(case, ports.scenario, asic, market, t)
        if ahead > price * factor or cash > price or any(t <= last for last in floors):
            return [q for q in fit if q <= t + moves]
        ahead, cash = price * factor, price
    return []


def _best_margin(ports: Ports, asic: Asic, s: str, t: Quarter) -> float:
    grid = mining_economics(ports.case, ports.scenario, s, asic, t)
    own = own_plant_economics(ports.case, ports.scenario, s, asic, t)
    return max(grid.margin if grid.runs else 0.0, 0.0 if own is None else own.margin, 0.0) - grid.site_cost


def _residual(asic: Asic) -> float:
    """What one gross MW of machines is worth at the horizon's end, $M."""
    return musd_from_usd(asic.residual_usd_per_th * th_per_gross_mw(asic.joules_per_th, asic.overhead))


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


def own_power_to_installed_machines(m: ConcreteModel, a: str, s: str, t: Quarter, w: str) -> object:
    r"""Only installed machines run on a site's own plant.

    Math: b_{a,s,t,w} \le g_{a,s,t}
    Unit: gross MW
    Source: the site
    Kind: physical
    """
    running = Linear().add(-1, m.g[a, s, t])
    for variable in (m.b, m.x):
        if (a, s, t, w) in variable:
            running.add(1, variable[a, s, t, w])
    return at_most(running, 0)


def own_plant_capacity(m: ConcreteModel, s: str, t: Quarter, w: str) -> object:
    r"""Machines draw no more from a site's own plant, on average over the quarter, than it delivers.

    Math: \sum_a b_{a,s,t,w} \, \mathrm{run}_{a,s,t} / \mathrm{hours}_t \le \overline{P}_{s,t,w}
    Unit: MW, average over the quarter
    Source: the plant
    Kind: physical
    """
    drawn = Linear()
    for asic in m.case.asics:
        if (asic.asic, s, t, w) in m.b:
            run = mining_economics(m.case, w, s, asic, t).run_hours
            drawn.add(run / t.hours, m.b[asic.asic, s, t, w])
    return at_most(drawn, m.case.own_plant[w, s, t].capacity_mw)
