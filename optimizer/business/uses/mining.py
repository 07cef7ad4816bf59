"""Mining: machines that are installed, moved, sold and bought, and run whenever running beats idling."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum

import pandas as pd
from pyomo.core import Block, ConcreteModel, NonNegativeReals, Var

from optimizer.business.lines import discount_factor, discount_rate
from optimizer.business.ports import Linear, OutcomePorts, Price, SharedPorts, power_price
from optimizer.business.readout import DECIMALS, NOISE, Megawatts, Reading, Tables, frame
from optimizer.business.rows import SKIP, at_most, hold
from optimizer.case.case import Case
from optimizer.case.market import (
    MiningEconomics,
    mining_economics,
    mining_has_ended,
    own_plant_economics,
    purchase_musd,
    resale_musd,
)
from optimizer.case.schema import MINING, Asic
from optimizer.ground.power import IDLE
from optimizer.ground.quarters import Quarter
from optimizer.ground.units import musd_from_usd, musd_per_mw_quarter_from_mw_year, th_per_gross_mw

"""The use of power that machines are which stand and do not run."""
HASHPRICE: Price = ("hashprice",)


def decide(m: ConcreteModel) -> None:
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


def happen(b: Block) -> None:
    """Machines run whenever running beats idling: no variable, the better of the two is known before the solve.

    Only where prices are to be swapped later it is one, `x[a,s,t,w]`, and left to the solver.
    """
    m, ports = b.model(), b.ports
    case, index = ports.case, list(m.g)
    b.x = Var(_choosable(ports, index), domain=NonNegativeReals, bounds=lambda b, a, s, t, w: (0, m.g[a, s, t].ub))
    for a, s, t in index:
        economics = mining_economics(case, ports.scenario, s, case.asic[a], t)
        chosen = (a, s, t, ports.scenario) in b.x
        if chosen or economics.runs:
            _run(ports, s, a, t, b.x[a, s, t, ports.scenario] if chosen else m.g[a, s, t], economics)
    _buy_and_sell(m, ports)
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
    return {"mining": _mining(r), "machines": _machines(r), "own_plants": _own_plants(r)}


def _running_mw(r: Reading, a: str, s: str, t: Quarter) -> float:
    """Gross MW of a class that run: all installed where the grid pays or those chosen, and what the own plant feeds."""
    if (a, s, t, r.scenario) in r.b.x:
        return r.read(r.b.x[a, s, t, r.scenario]) + r.at(r.b.b, a, s, t, r.scenario)
    if mining_economics(r.case, r.scenario, s, r.case.asic[a], t).runs:
        return r.read(r.m.g[a, s, t])
    return r.at(r.b.b, a, s, t, r.scenario)


def _machines(r: Reading) -> pd.DataFrame:
    """What came to a site and what left it, by class and quarter, where anything did."""
    rows = []
    for a, s in dict.fromkeys([*r.m.opening, *((a, s) for a, s, _ in r.m.g)]):
        for t in r.case.horizon:
            traded = [r.at(variable, a, s, t) for variable in (r.m.buying, r.m.coming, r.m.going)]
            left = fsum(c * r.of(x) for c, x in left_over(r.m, a, s, t))
            if max(*traded, left) > NOISE:
                sold = left if a in r.case.machine_market and _fit(r.m.ports, a, t) else 0.0
                rows.append((r.scenario, t, s, a, *traded, sold, left - sold))
    columns = "bought_gross_mw arrived_gross_mw moved_away_gross_mw sold_gross_mw retired_gross_mw"
    return frame(rows, f"scenario quarter site asic {columns}")


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


# ---- machines -------------------------------------------------------------------------------------------------------


def site_cost_musd(case: Case, s: str) -> float:
    """What one installed gross MW costs in a quarter, run or idle, $M."""
    return musd_per_mw_quarter_from_mw_year(case.site[s].mining_cost_musd_per_gross_mw_year)


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


def _buy_and_sell(m: ConcreteModel, ports: OutcomePorts) -> None:
    """What is bought is paid, and what is neither installed nor on its way is sold, at the quarter's price."""
    case, w = ports.case, ports.scenario
    for a, s, t in m.buying:
        price = purchase_musd(case, w, case.asic[a], case.machine_market[a], t)
        ports.pay("machine_purchases", MINING, s, a, m.buying[a, s, t], t, [-price], follows=("machines", a))
    for a, s in homes_of_machines(m):
        market = case.machine_market.get(a)
        if market is None:
            continue
        for t in case.horizon:
            if _fit(ports.shared, a, t):
                price = resale_musd(case, w, case.asic[a], market, t)
                for coefficient, decision in left_over(m, a, s, t):
                    sold = [coefficient * price]
                    ports.pay("machine_sales", MINING, s, a, decision, t, sold, follows=("machines", a))


def homes_of_machines(m: ConcreteModel) -> list[tuple[str, str]]:
    """Classes and sites where machines stand at first or may stand."""
    return list(dict.fromkeys((a, s) for a, s, _ in m.g) | dict.fromkeys(m.opening))


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
    """Where running is left to the solver. Not where BTC are kept: there machines would run at a loss for them."""
    if not ports.shared.adjustable or ports.case.settings.btc_rule == "free":
        return []
    return [(a, s, t, ports.scenario) for a, s, t in index if not mining_has_ended(ports.case, s, t)]


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
    if grid is None:
        ports.pay("mining_revenue", MINING, s, a, decision, t, [own.revenue], follows=HASHPRICE)
        ports.btc_mined[t].add(own.btc, decision)
        return
    for line, musd, follows in _running_flows(ports.case, s, grid):
        if line != "mining_revenue":
            ports.pay(line, MINING, s, a, decision, t, [-musd], follows=follows)


def _worth_keeping_in_some(ports: SharedPorts, asic: Asic, s: str) -> list[Quarter]:
    """Quarters in which a machine is worth keeping in some future."""
    kept = {t for w in ports.scenarios for t in _worth_keeping(ports, w, asic, s)}
    return sorted(kept)


def _worth_keeping(ports: SharedPorts, w: str, asic: Asic, s: str) -> list[Quarter]:
    """Quarters in which a machine may be installed: fit to run, and not already past any use.

    Past use: from there on keeping it, wherever it stands, earns no more than selling it at once, counted both
    discounted and in cash. A machine on its way stands nowhere and costs its move alone, and may be sold where it
    arrives. Leaving it out then loses nothing, unless a policy's floor on mining counts it, BTC mined may be kept for a
    better price, or tax takes part of a sale.
    """
    case = ports.case
    fit = [t for t in case.horizon if asic.fit_until is None or t <= asic.fit_until]
    if ports.adjustable or case.settings.btc_rule == "free" or case.settings.tax_rate:
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


def _best_margin(case: Case, w: str, asic: Asic, s: str, t: Quarter) -> float:
    grid = mining_economics(case, w, s, asic, t)
    own = own_plant_economics(case, w, s, asic, t)
    best = max(grid.margin if grid.runs else 0.0, 0.0 if own is None else own.margin, 0.0)
    return best - site_cost_musd(case, s)


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

    Math: \sum_a b_{a,s,t,w} \, \mathrm{run}_{a,s,t} / \mathrm{hours}_t \le \overline{P}_{s,t,w}
    Unit: MW, average over the quarter
    Source: the plant
    Kind: physical
    """
    drawn = Linear()
    for asic in b.case.asics:
        if (asic.asic, s, t, w) in b.b:
            run = mining_economics(b.case, w, s, asic, t).run_hours
            drawn.add(run / t.hours, b.b[asic.asic, s, t, w])
    return at_most(drawn, b.case.own_plant[w, s, t].capacity_mw)
