"""Machines: installed, run on the grid or on a site's own plant, sold, moved and bought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from oracle_future import Future
from oracle_program import FIXED, Program, total

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

Place = tuple[str, str, Quarter]
Drawn = Callable[[str, Quarter], dict[int, float]]
"""Gross MW that AI load draws at a site in a quarter."""


@dataclass
class Fleet:
    """Columns by site, class and quarter, and the BTC mined by quarter as sums of columns."""

    installed: dict[Place, int] = field(default_factory=dict)
    fed: dict[Place, int] = field(default_factory=dict)
    running: dict[Place, int] = field(default_factory=dict)
    mined: dict[Quarter, dict[int, float]] = field(default_factory=dict)

    def at(self, site: str, t: Quarter) -> dict[int, float]:
        """One for each column of machines installed at the site (`*`: anywhere) in the quarter."""
        return {column: 1.0 for (name, _, q), column in self.installed.items() if q == t and site in ("*", name)}

    def on_grid(self, site: str, t: Quarter) -> dict[int, float]:
        """Gross MW that run on the grid at a site where that is a decision."""
        return {column: 1.0 for (name, _, q), column in self.running.items() if (name, q) == (site, t)}


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
    add_running(program, future, fleet)
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
    sold: dict[Quarter, list[int]] = {}
    for site in sites:
        before: dict[int, float] = {FIXED: opening.get(site, 0.0)}
        for t in fit:
            installed = add_installed(program, future, fleet, site, asic, t)
            left = program.column(word="" if market is None else "machines sold")
            scrapped = program.column(word="" if market is None else "machines scrapped")
            program.book("machine_sales", t, {left: future.resale(asic, t)}, "mining")
            sold.setdefault(t, []).append(left)
            balance = {installed: 1.0, left: 1.0, scrapped: 1.0} | {column: -value for column, value in before.items()}
            for columns, sign in ((moved_in, -1.0), (moved_out, 1.0), (bought, -1.0)):
                if (site, t) in columns:
                    balance[columns[site, t]] = sign
            program.equal(balance, 0.0)
            before = {installed: 1.0}
    if market is not None and market.max_sales_mw_per_quarter is not None:
        for columns in sold.values():
            program.at_most(dict.fromkeys(columns, 1.0), market.max_sales_mw_per_quarter)


def add_installed(program: Program, future: Future, fleet: Fleet, site: str, asic: str, t: Quarter) -> int:
    """Machines installed, running on the grid wherever that earns, but where what runs there is remembered."""
    case = future.case
    column = fleet.installed[site, asic, t] = program.column(
        word="some hours" if some_hours(future, site, asic, t) else ""
    )
    program.book("site_cost", t, {column: -case.site[site].mining_cost_musd_per_gross_mw_year / 4}, "mining")
    if runs_by_itself(future, site, asic, t):
        program.book("mining", t, {column: future.on_grid[site, asic, t]}, "mining")
        fleet.mined[t][column] = future.btc_on_grid(site, asic, t)
    if t == case.last:
        program.leave(t + 1, {column: future.machine_residual(asic)}, "mining")
    return column


def some_hours(future: Future, site: str, asic: str, t: Quarter) -> bool:
    """Whether a machine runs in some of a quarter's hours and stands in others for their price."""
    taken = sum(of_step for _, of_step in future.grid_hours(site, asic, t))
    offered = sum(of_step for _, of_step in future.prices_and_hours(site, asic, t))
    return runs_on_grid(future, site, asic, t) and 0 < taken < offered - 1e-6


def remembers(future: Future, site: str) -> bool:
    return any(row.site == site for row in future.case.rows("ratchets"))


def runs_by_itself(future: Future, site: str, asic: str, t: Quarter) -> bool:
    """Whether machines run without a decision: they do where it earns, and costs nothing in later quarters."""
    return runs_on_grid(future, site, asic, t) and not remembers(future, site)


def add_running(program: Program, future: Future, fleet: Fleet) -> None:
    """At a site whose demand charge remembers, how much runs on the grid is a decision."""
    for place, installed in fleet.installed.items():
        site, asic, t = place
        if not remembers(future, site) or not future.may_run(site, t):
            continue
        column = fleet.running[place] = program.column()
        fed = {fleet.fed[place]: 1.0} if place in fleet.fed else {}
        program.at_most({column: 1.0, installed: -1.0} | fed, 0.0)
        program.book("mining", t, {column: future.on_grid[place]}, "mining")
        fleet.mined[t][column] = future.btc_on_grid(site, asic, t)


def add_ratchets(program: Program, future: Future, fleet: Fleet, drawn: Drawn) -> None:
    """Demand that is billed above a quarter's own: a share of the highest of the quarters before it."""
    case = future.case
    for row in case.rows("ratchets"):
        demand = {t: total([fleet.on_grid(row.site, t), drawn(row.site, t)]) for t in case.horizon}
        for t in case.horizon:
            above = program.column(word="billed on former demand")
            program.book("ratchet", t, {above: -future.demand(row.site, t)}, "mining")
            for q in (t - k for k in range(1, row.ratchet_quarters + 1)):
                before = demand[q] if q >= case.first else {FIXED: row.highest_before_gross_mw}
                program.at_most(
                    total([total([before], row.ratchet_share), {above: -1.0}, total([demand[t]], -1.0)]), 0.0
                )


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
            program.book("mining_moves", t, cost, "mining")
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
            program.book("machine_purchases", paid, {arrived[site, t]: -price}, "mining")
    return arrived


def add_plants(program: Program, future: Future, fleet: Fleet) -> None:
    """Machines that run on a site's own plant instead of what they would best do on the grid."""
    for (site, t), plant in future.plants.items():
        if t not in fleet.mined or not future.may_run(site, t):
            continue
        load = {}
        for (name, asic, quarter), installed in fleet.installed.items():
            if (name, quarter) != (site, t):
                continue
            fed = fleet.fed[name, asic, quarter] = program.column(word="run on own plant")
            program.at_most({fed: 1.0, installed: -1.0}, 0.0)
            load[fed] = future.case.asic[asic].uptime
            gain, btc = future.on_plant(site, asic, t), future.btc_per_hour(asic, t) * future.up_hours(asic, t)
            if runs_by_itself(future, site, asic, t):
                gain, btc = gain - future.on_grid[site, asic, t], btc - future.btc_on_grid(site, asic, t)
            program.book("mining", t, {fed: gain}, "mining")
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
