"""Machines: installed, run on the grid or on a site's own plant, sold, moved and bought."""

from __future__ import annotations

from dataclasses import dataclass, field

from oracle_future import Future, hours
from oracle_program import FIXED, Program

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

Place = tuple[str, str, Quarter]


@dataclass
class Fleet:
    """Columns by site, class and quarter, and the BTC mined by quarter as sums of columns."""

    installed: dict[Place, int] = field(default_factory=dict)
    mined: dict[Quarter, dict[int, float]] = field(default_factory=dict)

    def at(self, site: str, t: Quarter) -> dict[int, float]:
        """One for each column of machines installed at the site (`*`: anywhere) in the quarter."""
        return {column: 1.0 for (name, _, q), column in self.installed.items() if q == t and site in ("*", name)}


def opening_gross_mw(case: Case) -> dict[tuple[str, str], float]:
    """Machines by site and class; units are weighed with their TH/s and efficiency."""
    opening = {}
    for row in case.fleet:
        machine = case.asic[row.asic]
        if row.gross_mw is not None:
            opening[row.site, row.asic] = row.gross_mw
        else:
            assert row.units is not None and machine.th_per_unit is not None
            watts = row.units * machine.th_per_unit * machine.joules_per_th
            opening[row.site, row.asic] = watts * (1 + machine.overhead) / 1e6
    return opening


def last_fit_quarter(case: Case, asic: str) -> Quarter:
    machine = case.asic[asic]
    ends = [case.last] if machine.retires_after is None else [case.last, machine.retires_after]
    if machine.bought is not None and machine.life_quarters is not None:
        ends.append(machine.bought + machine.life_quarters - 1)
    return min(ends)


def add_mining(program: Program, future: Future, *, decide: bool) -> Fleet:
    fleet = Fleet(mined={t: {} for t in future.case.horizon})
    for asic in future.case.asic:
        add_class(program, future, fleet, asic, decide=decide)
    program.now += range(len(program.low))
    add_plants(program, future, fleet)
    add_use_limits(program, future.case, fleet, decide=decide)
    return fleet


def add_class(program: Program, future: Future, fleet: Fleet, asic: str, *, decide: bool) -> None:
    """Machines of a class: what is installed stays, leaves by sale or by move, or retires."""
    case, market = future.case, future.machine_markets.get(asic)
    opening = {site: mw for (site, a), mw in opening_gross_mw(case).items() if a == asic}
    sites = list(case.site) if market is not None and decide else list(opening)
    fit = [t for t in case.horizon if t <= last_fit_quarter(case, asic)]
    moved_in, moved_out = add_moves(program, future, asic, sites, fit) if decide else ({}, {})
    bought = add_purchases(program, future, asic, sites, fit) if decide else {}
    for site in sites:
        before: dict[int, float] = {FIXED: opening.get(site, 0.0)}
        for t in fit:
            installed = add_installed(program, future, fleet, site, asic, t)
            left = program.column(word="" if market is None else "machines sold")
            program.book("machine_sales", t, {left: future.resale(asic, t)}, future.discount_rate("mining"))
            balance = {installed: 1.0, left: 1.0} | {column: -value for column, value in before.items()}
            for columns, sign in ((moved_in, -1.0), (moved_out, 1.0), (bought, -1.0)):
                if (site, t) in columns:
                    balance[columns[site, t]] = sign
            program.equal(balance, 0.0)
            before = {installed: 1.0}


def add_installed(program: Program, future: Future, fleet: Fleet, site: str, asic: str, t: Quarter) -> int:
    """Machines installed, running on the grid wherever that earns."""
    case, rate = future.case, future.discount_rate("mining")
    column = fleet.installed[site, asic, t] = program.column()
    program.book("site_cost", t, {column: -case.site[site].mining_cost_musd_per_gross_mw_year / 4}, rate)
    if runs_on_grid(future, site, asic, t):
        program.book("mining", t, {column: future.on_grid[site, asic, t]}, rate)
        fleet.mined[t][column] = future.btc_mined(site, asic, t)
    if t == case.last:
        program.leave({column: future.machine_residual(asic)}, rate)
    return column


def runs_on_grid(future: Future, site: str, asic: str, t: Quarter) -> bool:
    return future.may_run(site, t) and future.on_grid[site, asic, t] > 0


Columns = dict[tuple[str, Quarter], int]


def add_moves(
    program: Program, future: Future, asic: str, sites: list[str], fit: list[Quarter]
) -> tuple[Columns, Columns]:
    """Machines that leave a site in one quarter reach a site in the next."""
    market = future.machine_markets.get(asic)
    arrived: Columns = {}
    left: Columns = {}
    if market is None or market.moving_cost_musd_per_gross_mw is None:
        return arrived, left
    for t in fit[:-1]:
        for site in sites:
            left[site, t] = program.column(word="machines moved")
            cost = {left[site, t]: -market.moving_cost_musd_per_gross_mw}
            program.book("mining_moves", t, cost, future.discount_rate("mining"))
            arrived[site, t + 1] = program.column()
        underway = {left[site, t]: 1.0 for site in sites} | {arrived[site, t + 1]: -1.0 for site in sites}
        program.equal(underway, 0.0)
    return arrived, left


def add_purchases(program: Program, future: Future, asic: str, sites: list[str], fit: list[Quarter]) -> Columns:
    """Machines bought, by the quarter in which they arrive."""
    market = future.machine_markets.get(asic)
    arrived: Columns = {}
    if market is None or market.purchase_usd_per_th is None:
        return arrived
    for site in sites:
        for t in fit:
            paid = t - market.delivery_quarters
            if paid < future.case.first:
                continue
            arrived[site, t] = program.column(word="machines bought")
            price = future.machine_price(asic, market.purchase_usd_per_th, paid)
            program.book("machine_purchases", paid, {arrived[site, t]: -price}, future.discount_rate("mining"), site)
    return arrived


def add_plants(program: Program, future: Future, fleet: Fleet) -> None:
    """Machines that run on a site's own plant instead of what they would best do on the grid."""
    rate = future.discount_rate("mining")
    for (site, t), plant in future.plants.items():
        if t not in fleet.mined or not future.may_run(site, t):
            continue
        load = {}
        for (name, asic, quarter), installed in fleet.installed.items():
            if (name, quarter) != (site, t):
                continue
            fed = program.column(word="run on own plant")
            program.at_most({fed: 1.0, installed: -1.0}, 0.0)
            load[fed] = future.run_hours(site, asic, t) / hours(t)
            gain, btc = future.on_plant(site, asic, t), future.btc_mined(site, asic, t)
            if runs_on_grid(future, site, asic, t):
                gain, btc = gain - future.on_grid[site, asic, t], 0.0
            program.book("mining", t, {fed: gain}, rate)
            fleet.mined[t][fed] = btc
        program.at_most(load, plant.capacity_mw, "own plant full")


def add_use_limits(program: Program, case: Case, fleet: Fleet, *, decide: bool) -> None:
    """Doing nothing keeps a floor as far as the machines that are there are fit to."""
    opening = opening_gross_mw(case)
    for limit in case.use_limits:
        for t in case.horizon:
            if limit.use == "mining" and limit.first <= t <= limit.last:
                if limit.min_mw is not None:
                    fit = [
                        mw
                        for (s, a), mw in opening.items()
                        if limit.site in ("*", s) and t <= last_fit_quarter(case, a)
                    ]
                    program.at_least(fleet.at(limit.site, t), limit.min_mw if decide else min(limit.min_mw, sum(fit)))
                if limit.max_mw is not None:
                    program.at_most(fleet.at(limit.site, t), limit.max_mw)
