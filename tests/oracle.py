"""The best value of a tiny case, found by trying every whole-number decision.

An independent reading of the semantics page: it takes the tables of a case and nothing else from the
optimiser, and does its own arithmetic. Each combination of construction starts and signed offers that the
integer-only rules allow is tried in turn; what is left (contract sizes, market sales, machines, cash) is a
linear program, solved by scipy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import product as all_choices

import numpy as np
from scipy.optimize import linprog

from optimizer.case import Case
from optimizer.quarters import Quarter
from optimizer.schema import Option, UseLimit

INFEASIBLE = 2
SLACK = 1e-9


@dataclass(frozen=True)
class Start:
    """Blocks of an option whose construction starts in a quarter, committed ones included."""

    option: str
    quarter: Quarter
    blocks: int


@dataclass(frozen=True)
class Contract:
    """A signed offer: where and when it is first delivered, and the sizes it may have."""

    offer: str
    site: str
    quarter: Quarter
    min_it_mw: float
    max_it_mw: float


Starts = tuple[Start, ...]
Contracts = tuple[Contract, ...]


@dataclass(frozen=True)
class Best:
    """The best combination found, and how many were tried."""

    value_musd: float
    starts: Starts
    contracts: Contracts
    tried: int


def best_value(case: Case, scenario: str) -> float | None:
    """The highest value in $M over all combinations; None when none is feasible."""
    best = best_plan(case, scenario)
    return None if best is None else best.value_musd


def best_plan(case: Case, scenario: str) -> Best | None:
    future = Future(case, scenario)
    best, tried = None, 0
    for starts, contracts in combinations(case):
        tried += 1
        value = value_of(future, starts, contracts)
        if value is not None and (best is None or value > best[0]):
            best = (value, starts, contracts)
    return None if best is None else Best(*best, tried)


def do_nothing_value(case: Case, scenario: str) -> float | None:
    """The value with commitments alone; neither minimum cash nor floors on products are enforced."""
    future = Future(case, scenario)
    starts = tuple(Start(row.option, row.quarter, row.blocks) for row in case.committed_starts)
    committed = (committed_contract(case, offer.offer) for offer in case.offers)
    contracts = tuple(contract for contract in committed if contract is not None)
    return value_of(future, starts, contracts, keep_minimum_cash=False)


# ---- calendar and small arithmetic ---------------------------------------------------------------


def first_day(t: Quarter) -> date:
    year, quarter_of_year = divmod(int(t), 4)
    return date(year, 3 * quarter_of_year + 1, 1)


def days_of(t: Quarter) -> list[date]:
    begins, ends = first_day(t), first_day(t + 1)
    return [begins + timedelta(days=i) for i in range((ends - begins).days)]


def hours(t: Quarter) -> int:
    return 24 * (first_day(t + 1) - first_day(t)).days


def share_at(shares: tuple[float, ...], step: int) -> float:
    """A ramp's share: its last one holds from then on."""
    return shares[min(step, len(shares) - 1)]


def block_it_mw(option: Option) -> float:
    return option.block_gross_mw / option.design_ratio


def site_limit(case: Case, site: str, t: Quarter) -> float:
    steps = [row for row in case.site_limits if row.site == site and row.from_quarter <= t]
    return max(steps, key=lambda row: row.from_quarter).limit_gross_mw


# ---- what blocks do ------------------------------------------------------------------------------


def usable_it_mw(case: Case, starts: Starts, site: str, product: str, t: Quarter) -> float:
    """IT MW that can be let: blocks in service times the hall ramp."""
    total = 0.0
    for start in starts:
        option = case.option[start.option]
        age = t - (start.quarter + option.lead_quarters)
        if (option.site, option.product) == (site, product) and age >= 0:
            total += start.blocks * block_it_mw(option) * share_at(case.profile[option.ramp], age)
    return total


def handed_over_gross_mw(case: Case, starts: Starts, site: str, t: Quarter) -> float:
    """Gross MW that blocks have taken from the site's limit."""
    total = 0.0
    for start in starts:
        option = case.option[start.option]
        if option.site == site and start.quarter + option.mining_stops_quarters <= t:
            total += start.blocks * option.block_gross_mw
    return total


def in_service_mw(case: Case, starts: Starts, limit: UseLimit, t: Quarter) -> float:
    """What a floor or ceiling on a product counts: full blocks in service, gross or IT."""
    total = 0.0
    for start in starts:
        option = case.option[start.option]
        here = option.product == limit.use and limit.site in ("*", option.site)
        if here and start.quarter + option.lead_quarters <= t:
            size = option.block_gross_mw if limit.basis == "gross_mw" else block_it_mw(option)
            total += start.blocks * size
    return total


def under_construction(case: Case, starts: Starts, t: Quarter) -> tuple[int, float]:
    """Blocks and IT MW that are being built in a quarter, all sites together."""
    building = [s for s in starts if s.quarter <= t < s.quarter + case.option[s.option].lead_quarters]
    blocks = sum(start.blocks for start in building)
    return blocks, sum(start.blocks * block_it_mw(case.option[start.option]) for start in building)


def capex(case: Case, starts: Starts) -> dict[tuple[str, Quarter], float]:
    """$M by product and quarter, within the horizon; what was spent before it is sunk."""
    spent: dict[tuple[str, Quarter], float] = {}

    def spend(product: str, t: Quarter, musd: float) -> None:
        if case.first <= t <= case.last:
            spent[product, t] = spent.get((product, t), 0.0) + musd

    for start in starts:
        option = case.option[start.option]
        it_mw = start.blocks * block_it_mw(option)
        facility = getattr(option, f"facility_{case.settings.capex_level}_musd_per_it_mw")
        for rate, curve in ((facility, option.facility_curve), (option.gpu_musd_per_it_mw, option.gpu_curve)):
            for k, share in enumerate(case.profile[curve]):
                spend(option.product, start.quarter + k, it_mw * rate * share)
    for name in {start.option for start in starts}:
        first = min(start.quarter for start in starts if start.option == name)
        spend(case.option[name].product, first, case.option[name].mobilisation_musd)
    return spent


# ---- every combination that the integer-only rules allow -----------------------------------------


def combinations(case: Case) -> Iterator[tuple[Starts, Contracts]]:
    for starts in all_starts(case):
        for contracts in all_contracts(case, starts):
            yield starts, contracts


def all_starts(case: Case) -> Iterator[Starts]:
    for choice in all_choices(*(starts_of_option(case, option) for option in case.options)):
        starts = tuple(start for of_option in choice for start in of_option)
        if starts_allowed(case, starts):
            yield starts


def starts_of_option(case: Case, option: Option) -> list[Starts]:
    """Every way to start blocks of one option: the committed ones, and new ones where it allows them."""
    committed = {row.quarter: row.blocks for row in case.committed_starts if row.option == option.option}
    room = option.max_blocks - sum(committed.values())
    open_to = [t for t in case.horizon if start_allowed(case, option, t)]
    patterns = []
    for new in all_choices(range(room + 1), repeat=len(open_to)):
        if sum(new) <= room:
            blocks = dict(committed)
            for t, count in zip(open_to, new, strict=True):
                blocks[t] = blocks.get(t, 0) + count
            patterns.append(tuple(Start(option.option, t, count) for t, count in blocks.items() if count))
    return patterns


def start_allowed(case: Case, option: Option, t: Quarter) -> bool:
    site = case.site[option.site]
    fits_site = site.firm_power and site.fibre and option.rack_kw <= site.max_rack_kw
    return fits_site and t >= option.earliest and t + option.lead_quarters <= case.last


def starts_allowed(case: Case, starts: Starts) -> bool:
    """The rules on starts alone: power, construction caps, budgets, floors and ceilings on products."""
    return (
        all(
            handed_over_gross_mw(case, starts, site.site, t) <= site_limit(case, site.site, t) + SLACK
            for site in case.sites
            for t in case.horizon
        )
        and construction_allowed(case, starts)
        and budget_kept(case, starts)
        and products_within_limits(case, starts)
    )


def construction_allowed(case: Case, starts: Starts) -> bool:
    most_blocks = case.settings.max_blocks_under_construction
    most_it_mw = case.settings.max_it_mw_under_construction
    for t in case.horizon:
        blocks, it_mw = under_construction(case, starts, t)
        if most_blocks is not None and blocks > most_blocks:
            return False
        if most_it_mw is not None and it_mw > most_it_mw + SLACK:
            return False
    return True


def budget_kept(case: Case, starts: Starts) -> bool:
    spent = capex(case, starts)
    if sum(spent.values()) > case.settings.capex_budget_musd + SLACK:
        return False
    for row in case.budget_years:
        in_year = sum(musd for (_, t), musd in spent.items() if first_day(t).year == row.year)
        if in_year > row.capex_budget_musd + SLACK:
            return False
    return True


def products_within_limits(case: Case, starts: Starts) -> bool:
    for limit in case.use_limits:
        if limit.use == "mining":
            continue
        for t in case.horizon:
            if limit.first <= t <= limit.last:
                mw = in_service_mw(case, starts, limit, t)
                if limit.min_mw is not None and mw < limit.min_mw - SLACK:
                    return False
                if limit.max_mw is not None and mw > limit.max_mw + SLACK:
                    return False
    return True


def all_contracts(case: Case, starts: Starts, decided: Contracts = (), seen: int = 0) -> Iterator[Contracts]:
    """Every way to sign or refuse the offers, one after the other; the first `seen` ones are decided."""
    if seen == len(case.offers):
        yield decided
        return
    for choice in choices_of_offer(case, case.offers[seen].offer):
        contracts = decided if choice is None else (*decided, choice)
        if choice is None or (fits(case, starts, contracts, choice) and exclusive(case, contracts)):
            yield from all_contracts(case, starts, contracts, seen + 1)


def choices_of_offer(case: Case, name: str) -> list[Contract | None]:
    """Refuse, or sign for a site and a quarter of the window; a committed offer leaves no choice."""
    committed = committed_contract(case, name)
    if committed is not None:
        return [committed]
    offer = case.offer[name]
    sites = [row.site for row in case.offer_sites if row.offer == name]
    window = [t for t in case.horizon if offer.window_first <= t <= offer.window_last]
    return [None, *(Contract(name, s, t, offer.min_it_mw, offer.max_it_mw) for s in sites for t in window)]


def committed_contract(case: Case, name: str) -> Contract | None:
    for row in case.committed_contracts:
        if row.offer == name:
            return Contract(name, row.site, row.quarter, row.it_mw, row.it_mw)
    return None


def delivered(case: Case, contract: Contract, t: Quarter) -> bool:
    return contract.quarter <= t < contract.quarter + case.offer[contract.offer].term_quarters


def fits(case: Case, starts: Starts, contracts: Contracts, newest: Contract) -> bool:
    """Whether the contracts' smallest sizes fit the usable capacity where the newest one is delivered."""
    product = case.offer[newest.offer].product
    same_halls = [c for c in contracts if c.site == newest.site and case.offer[c.offer].product == product]
    return all(
        sum(c.min_it_mw for c in same_halls if delivered(case, c, t))
        <= usable_it_mw(case, starts, newest.site, product, t) + SLACK
        for t in case.horizon
        if delivered(case, newest, t)
    )


def exclusive(case: Case, contracts: Contracts) -> bool:
    groups = [case.offer[c.offer].exclusive_group for c in contracts]
    named = [group for group in groups if group is not None]
    return len(named) == len(set(named))


# ---- one future of the markets -------------------------------------------------------------------


class Future:
    """What a megawatt earns and costs in one scenario, $M per MW and quarter."""

    def __init__(self, case: Case, scenario: str):
        self.case = case
        self.scenario = scenario
        self.halls = sorted({(option.site, option.product) for option in case.options})
        self.tariffs = {(r.tariff, r.quarter): r for r in case.tariffs if r.scenario == scenario}
        self.bitcoin = {r.quarter: r for r in case.bitcoin if r.scenario == scenario}
        self.markets = {(r.product, r.quarter): r for r in case.product_markets if r.scenario == scenario}
        self.offer_prices = {r.offer: r for r in case.offer_prices if r.scenario == scenario}
        self._contracts: dict[Contract, tuple[dict[Quarter, float], dict[Quarter, float]]] = {}

    def discount(self, line: str, t: Quarter) -> float:
        return float((1 + self.rate(line)) ** -((t - self.case.first + 0.5) / 4))

    def discount_at_end(self, line: str) -> float:
        return float((1 + self.rate(line)) ** -(len(self.case.horizon) / 4))

    def rate(self, line: str) -> float:
        rates = self.case.settings.discount_rates
        return rates[line] if line in rates else rates["corporate"]

    # mining

    def subsidy_btc(self, t: Quarter) -> float:
        """The block subsidy, averaged over the days of the quarter; a halving day has the new one."""
        days = days_of(t)
        halvings_by = [sum(1 for halving in self.case.settings.halvings if halving <= day) for day in days]
        return self.case.settings.subsidy_btc * sum(0.5**n for n in halvings_by) / len(days)

    def hashprice(self, t: Quarter) -> float:
        """$ per PH/s and day."""
        row = self.bitcoin[t]
        if row.hashprice_usd_per_ph_day is not None:
            return row.hashprice_usd_per_ph_day
        assert row.difficulty_t is not None and row.fees_btc_per_block is not None
        blocks_per_ph_day = 1e15 * 86400 / (row.difficulty_t * 1e12 * 2**32)
        return blocks_per_ph_day * (self.subsidy_btc(t) + row.fees_btc_per_block) * row.btc_usd

    def ph_per_gross_mw(self, asic: str) -> float:
        machine = self.case.asic[asic]
        return 1e6 / (machine.joules_per_th * 1000 * (1 + machine.overhead))

    @cached_property
    def running(self) -> Mapping[tuple[str, str, Quarter], float]:
        """What a running MW of machines adds, beside the cost of being installed."""
        fleet = [(row.site, row.asic) for row in self.case.fleet]
        return {(s, a, t): self._running(s, a, t) for s, a in fleet for t in self.case.horizon}

    def _running(self, site: str, asic: str, t: Quarter) -> float:
        machine = self.case.asic[asic]
        tariff = self.tariffs[self.case.site[site].tariff, t]
        run_hours = max(0.0, hours(t) * machine.uptime - tariff.curtailed_hours)
        reward = self.hashprice(t) * self.ph_per_gross_mw(asic) * run_hours / 24 * (1 - machine.pool_fee)
        power = run_hours * tariff.energy_usd_per_mwh + tariff.demand_usd_per_kw_month * 1000 * 3
        return (reward - power + tariff.interruptible_usd_per_mw_year / 4) / 1e6

    def machine_residual(self, asic: str) -> float:
        return self.case.asic[asic].residual_usd_per_th * self.ph_per_gross_mw(asic) * 1000 / 1e6

    # AI

    def rent(self, price: float, basis: str, product: str, utilisation: float | None, t: Quarter) -> float:
        if basis == "usd_per_kw_month":
            return price * 1000 * 3 / 1e6
        if basis == "musd_per_it_mw_year":
            return price / 4
        gpus = self.case.product[product].gpus_per_it_mw
        assert basis == "usd_per_gpu_hour" and gpus is not None and utilisation is not None
        return price * gpus * utilisation * hours(t) / 1e6

    def power(self, site: str, product: str, load_factor: float, t: Quarter) -> float:
        """Power of an IT MW; after the horizon at the last quarter's tariff and calendar hours."""
        tariff = self.tariffs[self.case.site[site].tariff, min(t, self.case.last)]
        pue = next(o.pue for o in self.case.options if (o.site, o.product) == (site, product))
        energy = load_factor * pue * hours(t) * tariff.energy_usd_per_mwh
        return (energy + pue * tariff.demand_usd_per_kw_month * 1000 * 3) / 1e6

    @cached_property
    def market_rent(self) -> Mapping[tuple[str, Quarter], float]:
        """Rent of an IT MW sold uncontracted, by product."""
        rents = {}
        for (name, t), row in self.markets.items():
            utilisation = self.case.product[name].utilisation
            rents[name, t] = self.rent(row.price, row.price_basis, name, utilisation, t)
        return rents

    @cached_property
    def market_margin(self) -> Mapping[tuple[str, str, Quarter], float]:
        """What an IT MW sold uncontracted adds, by site and product."""
        return {(s, p, t): self._market_margin(s, p, t) for s, p in self.halls for t in self.case.horizon}

    def _market_margin(self, site: str, name: str, t: Quarter) -> float:
        terms = self.case.product[name]
        margin = self.market_rent[name, t] * (1 - terms.operating_cost_share)
        return margin if terms.power_passed_through else margin - self.power(site, name, terms.load_factor, t)

    def contract(self, contract: Contract) -> tuple[dict[Quarter, float], dict[Quarter, float]]:
        """Rent and margin of a contracted IT MW in each quarter from the horizon's start on."""
        if contract not in self._contracts:
            offer = self.case.offer[contract.offer]
            quarters = [contract.quarter + j for j in range(offer.term_quarters)]
            inside = [t for t in quarters if t >= self.case.first]
            rent = {t: self._contract_rent(contract, t) for t in inside}
            margin = {t: rent[t] - self._contract_cost(contract, t, rent[t]) for t in inside}
            self._contracts[contract] = rent, margin
        return self._contracts[contract]

    def _billed(self, contract: Contract, t: Quarter) -> float:
        return share_at(self.case.profile[self.case.offer[contract.offer].ramp], t - contract.quarter)

    def _contract_rent(self, contract: Contract, t: Quarter) -> float:
        offer, price = self.case.offer[contract.offer], self.offer_prices[contract.offer]
        base = contract.quarter if offer.price_base_quarter is None else offer.price_base_quarter
        rent = self.rent(price.price, price.price_basis, offer.product, offer.utilisation, t)
        return rent * (1 + offer.escalator) ** ((t - base) // 4) * self._billed(contract, t)

    def _contract_cost(self, contract: Contract, t: Quarter, rent: float) -> float:
        offer = self.case.offer[contract.offer]
        cost = offer.operating_cost_share * rent
        if offer.power_passed_through:
            return cost
        power = self.power(contract.site, offer.product, offer.load_factor, t)
        return cost + self._billed(contract, t) * power


# ---- what is left once starts and contracts are chosen -------------------------------------------


class Program:
    """A linear program: columns are decisions with a flow of money, rows are rules, fixed money is added."""

    def __init__(self, future: Future):
        self.future = future
        self.case = future.case
        self.bounds: list[tuple[float, float | None]] = []
        self.values: list[float] = []
        self.flows: list[Mapping[Quarter, float]] = []
        self.rows: list[tuple[Mapping[int, float], float]] = []
        self.fixed_value = 0.0
        self.fixed_cash = dict.fromkeys(self.case.horizon, 0.0)

    def fixed(self, line: str, t: Quarter, musd: float, *, is_value: bool = True) -> None:
        self.fixed_cash[t] += musd
        if is_value:
            self.fixed_value += musd * self.future.discount(line, t)

    def column(
        self,
        line: str,
        flow: Mapping[Quarter, float],
        low: float,
        high: float | None,
        at_end: float = 0.0,
    ) -> int:
        """A decision from low to high; each unit moves `flow` by quarter and leaves `at_end` as residual."""
        value = sum(musd * self.future.discount(line, t) for t, musd in flow.items())
        self.values.append(value + at_end * self.future.discount_at_end(line))
        self.flows.append(flow)
        self.bounds.append((low, high))
        return len(self.bounds) - 1

    def at_most(self, terms: Mapping[int, float], limit: float) -> None:
        self.rows.append((terms, limit))

    def at_least(self, terms: Mapping[int, float], limit: float) -> None:
        self.rows.append(({column: -factor for column, factor in terms.items()}, -limit))

    def minimum_cash(self) -> None:
        cash = self.case.settings.opening_cash_musd
        moved: dict[int, float] = {}
        for t in self.case.horizon:
            cash += self.fixed_cash[t]
            for column, flow in enumerate(self.flows):
                if t in flow:
                    moved[column] = moved.get(column, 0.0) + flow[t]
            self.at_least(dict(moved), self.case.settings.minimum_cash_musd - cash)

    def best(self) -> float | None:
        """The highest value, or None when no values of the columns keep every row."""
        limits = np.array([limit for _, limit in self.rows])
        if not self.bounds:
            return self.fixed_value if bool((limits >= -SLACK).all()) else None
        matrix = np.zeros((len(self.rows), len(self.bounds)))
        for i, (terms, _) in enumerate(self.rows):
            matrix[i, list(terms)] = list(terms.values())
        solved = linprog(-np.array(self.values), A_ub=matrix, b_ub=limits, bounds=self.bounds, method="highs")
        if solved.status == INFEASIBLE:
            return None
        assert solved.success and solved.fun is not None, solved.message
        return self.fixed_value - float(solved.fun)


def value_of(future: Future, starts: Starts, contracts: Contracts, *, keep_minimum_cash: bool = True) -> float | None:
    """The best value in $M with exactly these starts and contracts; None when no plan has them."""
    program = Program(future)
    add_fixed_money(program, starts)
    add_mining(program, starts)
    add_ai(program, starts, contracts)
    if keep_minimum_cash:
        program.minimum_cash()
    return program.best()


def add_fixed_money(program: Program, starts: Starts) -> None:
    case = program.case
    for row in case.overheads:
        if row.quarter in case.horizon:
            program.fixed("corporate", row.quarter, -row.g_and_a_musd)
    for owed in case.obligations:
        if owed.quarter in case.horizon:
            sign = 1 if owed.kind == "asset_sale" else -1
            program.fixed("corporate", owed.quarter, sign * owed.musd, is_value=owed.kind != "principal")
    for (product, t), musd in capex(case, starts).items():
        program.fixed(product, t, -musd)


def add_mining(program: Program, starts: Starts) -> None:
    case = program.case
    installed = {
        (row.site, row.asic, t): add_machines(program, row.site, row.asic, row.gross_mw, t)
        for row in case.fleet
        for t in case.horizon
    }
    for (name, asic, t), column in installed.items():
        if t > case.first:
            program.at_most({column: 1.0, installed[name, asic, t - 1]: -1.0}, 0.0)
    for t in case.horizon:
        for site in case.sites:
            blocks = handed_over_gross_mw(case, starts, site.site, t)
            program.at_most(machines_at(installed, site.site, t), site_limit(case, site.site, t) - blocks)
        for limit in case.use_limits:
            if limit.use == "mining" and limit.first <= t <= limit.last:
                machines = machines_at(installed, limit.site, t)
                if limit.min_mw is not None:
                    program.at_least(machines, limit.min_mw)
                if limit.max_mw is not None:
                    program.at_most(machines, limit.max_mw)


def machines_at(installed: Mapping[tuple[str, str, Quarter], int], site: str, t: Quarter) -> dict[int, float]:
    """One for each column of machines installed at the site (`*`: anywhere) in the quarter."""
    return {column: 1.0 for (name, _, q), column in installed.items() if q == t and site in ("*", name)}


def add_machines(program: Program, site: str, asic: str, fleet_mw: float, t: Quarter) -> int:
    """Columns for the machines installed and for those that run; returns the first."""
    case, future = program.case, program.future
    retires = case.asic[asic].retires_after
    most = 0.0 if retires is not None and t > retires else fleet_mw
    upkeep = case.site[site].mining_cost_musd_per_gross_mw_year / 4
    at_end = future.machine_residual(asic) if t == case.last else 0.0
    installed = program.column("mining", {t: -upkeep}, 0.0, most, at_end)
    ends = [end for end in (case.settings.mining_ends, case.site[site].mining_ends) if end is not None]
    may_run = all(t <= end for end in ends)
    earned = {t: future.running[site, asic, t]}
    running = program.column("mining", earned, 0.0, most if may_run else 0.0)
    program.at_most({running: 1.0, installed: -1.0}, 0.0)
    return installed


def add_ai(program: Program, starts: Starts, contracts: Contracts) -> None:
    case, future = program.case, program.future
    sizes = {contract: add_contract(program, contract) for contract in contracts}
    sales = {
        (site, name, t): program.column(name, {t: future.market_margin[site, name, t]}, 0.0, None)
        for site, name in future.halls
        for t in case.horizon
    }
    for (site, name, t), sold in sales.items():
        here = [c for c in contracts if c.site == site and case.offer[c.offer].product == name]
        let = {sizes[c]: 1.0 for c in here if delivered(case, c, t)}
        program.at_most(let | {sold: 1.0}, usable_it_mw(case, starts, site, name, t))
    for product in case.products:
        name = product.product
        usable_at_end = sum(usable_it_mw(case, starts, site.site, name, case.last) for site in case.sites)
        residual = product.residual_musd_per_it_mw * future.discount_at_end(name)
        program.fixed_value += usable_at_end * residual
        for t in case.horizon:
            sold_anywhere = {c: 1.0 for (_, p, quarter), c in sales.items() if (p, quarter) == (name, t)}
            program.at_most(sold_anywhere, future.markets[name, t].depth_it_mw)
    add_customer_share(program, sizes, sales)


def add_contract(program: Program, contract: Contract) -> int:
    """The column of a contract's size. What it holds in the last quarter has no residual."""
    case = program.case
    product = case.offer[contract.offer].product
    _, margin = program.future.contract(contract)
    holds_at_end = delivered(case, contract, case.last)
    at_end = -case.product[product].residual_musd_per_it_mw if holds_at_end else 0.0
    return program.column(product, margin, contract.min_it_mw, contract.max_it_mw, at_end)


def add_customer_share(
    program: Program, sizes: Mapping[Contract, int], sales: Mapping[tuple[str, str, Quarter], int]
) -> None:
    case, future = program.case, program.future
    share, since = case.settings.max_customer_share, case.settings.max_customer_share_from
    if share is None or since is None:
        return
    for t in case.horizon:
        if t < since:
            continue
        rents = {contract: future.contract(contract)[0].get(t, 0.0) for contract in sizes}
        market = {col: future.market_rent[p, t] for (_, p, quarter), col in sales.items() if quarter == t}
        for customer in {case.offer[contract.offer].customer for contract in sizes}:
            terms = {column: -share * rent for column, rent in market.items()}
            for contract, column in sizes.items():
                own = 1.0 if case.offer[contract.offer].customer == customer else 0.0
                terms[column] = (own - share) * rents[contract]
            program.at_most(terms, 0.0)
