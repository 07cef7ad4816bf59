"""The textbook model: the same rules, written the way a competent analyst writes them first.

It stands beside the optimizer for two reasons: the same optimum from two hands is a test of both, and its time is what
a better formulation is measured against. It takes only the data of a case; prices, margins and algebra are its own.
Variables over full sets, one constraint rule for each business rule, cumulative sums written out, big-M links.

From a shell: `python -m benchmarks.textbook FOLDER [--scenario base] [--gap 0.001] [--time-limit 300]`.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from optimizer.case.case import Case
from optimizer.case.folder import load_case
from optimizer.ground.quarters import Quarter

Key = tuple[str, str]


class Figures:
    """What a megawatt of each use earns and costs in each quarter, in $M, computed from the tables."""

    def __init__(self, case: Case, scenario: str) -> None:
        self.case, self.scenario = case, scenario

    # ---- discounting ----------------------------------------------------------------------------------------

    def rate(self, line: str) -> float:
        rates = self.case.settings.discount_rates
        return rates.get(line, rates["corporate"])

    def factor(self, line: str, t: Quarter) -> float:
        return (1 + self.rate(line)) ** -((t - self.case.first + 0.5) / 4)

    def final_factor(self, line: str) -> float:
        return (1 + self.rate(line)) ** -(len(self.case.horizon) / 4)

    # ---- mining ---------------------------------------------------------------------------------------------

    def subsidy(self, t: Quarter) -> float:
        """Average block subsidy over the days of the quarter."""
        days = [t.start + timedelta(days=i) for i in range(t.days)]
        return sum(self._subsidy_on(day) for day in days) / len(days)

    def _subsidy_on(self, day: date) -> float:
        passed = sum(1 for halving in self.case.settings.halvings if halving <= day)
        return self.case.settings.subsidy_btc * 0.5**passed

    @cached_property
    def hashprice(self) -> dict[Quarter, float]:
        prices = {}
        for t in self.case.horizon:
            row = self.case.bitcoin_market[self.scenario, t]
            if row.hashprice_usd_per_ph_day is not None:
                prices[t] = row.hashprice_usd_per_ph_day
            else:
                reward = self.subsidy(t) + row.fees_btc_per_block
                hashes_per_block = row.difficulty_t * 1e12 * 2**32
                prices[t] = 1e15 * 86400 / hashes_per_block * reward * row.btc_usd
        return prices

    @cached_property
    def running_margin(self) -> dict[tuple[str, str, Quarter], float]:
        """$M per running gross MW, before the cost of keeping machines installed; by site, class and quarter."""
        return {
            (s.site, a.asic, t): self._running_margin(s.site, a.asic, t)
            for s in self.case.sites
            for a in self.case.asics
            for t in self.case.horizon
        }

    def _running_margin(self, site: str, asic: str, t: Quarter) -> float:
        machine, power = self.case.asic[asic], self.case.site_price(self.scenario, site, t)
        hours = max(0.0, t.hours * machine.uptime - power.curtailed_hours)
        petahash = 1000 / (machine.joules_per_th * (1 + machine.overhead))
        revenue = self.hashprice[t] * petahash * hours / 24 * (1 - machine.pool_fee)
        energy = hours * power.energy_usd_per_mwh
        demand = power.demand_usd_per_kw_month * 3000
        return (revenue - energy - demand + power.interruptible_usd_per_mw_year / 4) / 1e6

    # ---- AI -------------------------------------------------------------------------------------------------

    def unit_rent(self, product: str, price: float, basis: str, utilisation: float | None, t: Quarter) -> float:
        """$M of rent for one IT MW in one quarter."""
        if basis == "usd_per_kw_month":
            return price * 3 * 1000 / 1e6
        if basis == "musd_per_it_mw_year":
            return price / 4
        gpus = self.case.product[product].gpus_per_it_mw
        return price * gpus * utilisation * t.hours / 1e6

    def unit_power(self, site: str, product: str, load_factor: float, t: Quarter) -> float:
        """$M of power for one IT MW in one quarter; after the horizon at the last quarter's tariff."""
        power, pue = self.case.site_price(self.scenario, site, t), self.case.pue.get((site, product), 1.0)
        energy = pue * load_factor * t.hours * power.energy_usd_per_mwh
        return (energy + pue * power.demand_usd_per_kw_month * 3000) / 1e6

    def offer_rent(self, name: str, start: Quarter, t: Quarter) -> float:
        """Rent per contracted IT MW in quarter t of a contract first delivered in `start`; zero outside its term."""
        offer, price = self.case.offer[name], self.case.offer_price[self.scenario, name]
        age = t - start
        if not 0 <= age < offer.term_quarters:
            return 0.0
        escalated = age if offer.price_base_quarter is None else t - offer.price_base_quarter
        unit = self.unit_rent(offer.product, price.price, price.price_basis, offer.utilisation, t)
        return unit * (1 + offer.escalator) ** (escalated // 4) * self.offer_ramp(name, age)

    def offer_ramp(self, name: str, age: int) -> float:
        ramp = self.case.profile[self.case.offer[name].ramp]
        return ramp[min(age, len(ramp) - 1)]

    def offer_margin(self, name: str, site: str, start: Quarter, t: Quarter) -> float:
        """Rent less operating cost and power, per contracted IT MW."""
        offer, age = self.case.offer[name], t - start
        if not 0 <= age < offer.term_quarters:
            return 0.0
        margin = (1 - offer.operating_cost_share) * self.offer_rent(name, start, t)
        if not offer.power_passed_through:
            margin -= self.offer_ramp(name, age) * self.unit_power(site, offer.product, offer.load_factor, t)
        return margin

    def offer_value_after(self, name: str, site: str, start: Quarter) -> float:
        """Discounted margin of the contract's quarters after the horizon, per IT MW."""
        offer = self.case.offer[name]
        later = [start + j for j in range(offer.term_quarters) if start + j > self.case.last]
        return sum(self.factor(offer.product, t) * self.offer_margin(name, site, start, t) for t in later)

    def market_rent(self, product: str, t: Quarter) -> float:
        row = self.case.product_market[self.scenario, product, t]
        return self.unit_rent(product, row.price, row.price_basis, self.case.product[product].utilisation, t)

    def market_margin(self, site: str, product: str, t: Quarter) -> float:
        terms = self.case.product[product]
        margin = (1 - terms.operating_cost_share) * self.market_rent(product, t)
        if not terms.power_passed_through:
            margin -= self.unit_power(site, product, terms.load_factor, t)
        return margin

    # ---- capex ----------------------------------------------------------------------------------------------

    def block_capex(self, name: str, age: int) -> float:
        """$M that one block spends in its age-th quarter since start."""
        option = self.case.option[name]
        it_mw = option.block_gross_mw / option.design_ratio
        rates = ((option.facility_curve, self.case.facility_musd_per_it_mw(option)),
                 (option.gpu_curve, option.gpu_musd_per_it_mw))  # fmt: skip
        curves = [(self.case.profile[curve], rate) for curve, rate in rates]
        return sum(it_mw * rate * shares[age] for shares, rate in curves if 0 <= age < len(shares))


class _Sets:
    """Index sets and what is fixed from before: committed starts and contracts."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.quarters = list(case.horizon)
        self.sites = [row.site for row in case.sites]
        self.asics = [row.asic for row in case.asics]
        self.products = [row.product for row in case.products]
        self.options = [row.option for row in case.options]
        self.offer_sites = [(offer.offer, s) for offer in case.offers for s in case.sites_of_offer[offer.offer]]
        self.committed = {row.offer: row for row in case.committed_contracts}
        self.old_starts: dict[str, dict[Quarter, int]] = {}
        self.due_starts: dict[tuple[str, Quarter], int] = {}
        for row in case.committed_starts:
            if row.quarter < case.first:
                self.old_starts.setdefault(row.option, {})[row.quarter] = row.blocks
            else:
                self.due_starts[row.option, row.quarter] = row.blocks

    def old_contract(self, offer: str, site: str) -> Any:
        """The committed contract of this offer at this site, if first delivered before the horizon."""
        row = self.committed.get(offer)
        return row if row is not None and row.site == site and row.quarter < self.case.first else None

    def may_start(self, name: str, t: Quarter) -> bool:
        option = self.case.option[name]
        if self.due_starts.get((name, t)):
            return True
        in_time = option.earliest <= t and t + option.lead_quarters <= self.case.last
        return in_time and self.case.eligible(option)

    def may_sign(self, name: str, site: str, t: Quarter) -> bool:
        offer, fixed = self.case.offer[name], self.committed.get(name)
        if fixed is not None:
            return (site, t) == (fixed.site, fixed.quarter)
        return offer.window_first <= t <= offer.window_last


class _Builder:
    """Fills one ConcreteModel, rule by rule."""

    def __init__(self, case: Case, scenario: str) -> None:
        self.case, self.figures, self.sets = case, Figures(case, scenario), _Sets(case)
        self.model = pyo.ConcreteModel(name=case.settings.name)

    def build(self) -> pyo.ConcreteModel:
        for step in (
            self.variables, self.start_rules, self.fleet_rules, self.power_rules, self.offer_rules, self.capacity_rules,
            self.capex_rules, self.policy_rules, self.customer_rules, self.cash_rules, self.value,
        ):  # fmt: skip
            step()
        return self.model

    # ---- variables ------------------------------------------------------------------------------------------

    def variables(self) -> None:
        m, sets = self.model, self.sets
        m.T = pyo.Set(initialize=sets.quarters, ordered=True)
        m.S = pyo.Set(initialize=sets.sites, ordered=True)
        m.A = pyo.Set(initialize=sets.asics, ordered=True)
        m.P = pyo.Set(initialize=sets.products, ordered=True)
        m.O = pyo.Set(initialize=sets.options, ordered=True)
        m.CS = pyo.Set(initialize=sets.offer_sites, dimen=2, ordered=True)
        m.n = pyo.Var(m.O, m.T, domain=pyo.NonNegativeIntegers)
        m.begun = pyo.Var(m.O, m.T, domain=pyo.Binary)
        m.y = pyo.Var(m.CS, m.T, domain=pyo.Binary)
        m.q = pyo.Var(m.CS, m.T, domain=pyo.NonNegativeReals)
        m.h = pyo.Var(m.S, m.P, m.T, domain=pyo.NonNegativeReals)
        m.g = pyo.Var(m.A, m.S, m.T, domain=pyo.NonNegativeReals)
        m.x = pyo.Var(m.A, m.S, m.T, domain=pyo.NonNegativeReals)
        m.cash = pyo.Var(m.T, domain=pyo.Reals)

    # ---- conversions ----------------------------------------------------------------------------------------

    def start_rules(self) -> None:
        m, case, sets = self.model, self.case, self.sets

        def allowed(m: Any, o: str, t: Quarter) -> Any:
            return pyo.Constraint.Skip if sets.may_start(o, t) else m.n[o, t] == 0

        def due(m: Any, o: str, t: Quarter) -> Any:
            blocks = sets.due_starts.get((o, t), 0)
            return m.n[o, t] >= blocks if blocks else pyo.Constraint.Skip

        def most(m: Any, o: str) -> Any:
            return sum(m.n[o, t] for t in m.T) + self.old_blocks(o) <= case.option[o].max_blocks

        def link(m: Any, o: str, t: Quarter) -> Any:
            return m.n[o, t] <= case.option[o].max_blocks * m.begun[o, t]

        def stays_begun(m: Any, o: str, t: Quarter) -> Any:
            if self.old_blocks(o):
                return m.begun[o, t] == 1
            return pyo.Constraint.Skip if t == case.first else m.begun[o, t] >= m.begun[o, t - 1]

        def begins_with_a_block(m: Any, o: str, t: Quarter) -> Any:
            return pyo.Constraint.Skip if self.old_blocks(o) else self.first_start(o, t) <= m.n[o, t]

        m.allowed_starts = pyo.Constraint(m.O, m.T, rule=allowed)
        m.due_starts = pyo.Constraint(m.O, m.T, rule=due)
        m.most_blocks = pyo.Constraint(m.O, rule=most)
        m.start_needs_begun = pyo.Constraint(m.O, m.T, rule=link)
        m.stays_begun = pyo.Constraint(m.O, m.T, rule=stays_begun)
        m.begins_with_a_block = pyo.Constraint(m.O, m.T, rule=begins_with_a_block)

    def old_blocks(self, o: str) -> int:
        return sum(self.sets.old_starts.get(o, {}).values())

    def first_start(self, o: str, t: Quarter) -> Any:
        """One in the option's first start quarter; an option started before the horizon has none."""
        if self.old_blocks(o):
            return 0
        m = self.model
        return m.begun[o, t] - (m.begun[o, t - 1] if t > self.case.first else 0)

    def starts(self, o: str) -> Iterator[tuple[Quarter, Any]]:
        """Every start quarter of an option, before the horizon and in it, with its blocks."""
        yield from self.sets.old_starts.get(o, {}).items()
        for k in self.model.T:
            yield k, self.model.n[o, k]

    def started(self, o: str, t: Quarter, lag: int) -> Any:
        """Blocks of an option started at least `lag` quarters before t."""
        return sum(blocks for k, blocks in self.starts(o) if k <= t - lag)

    def options_at(self, s: str, p: str | None = None) -> list[Any]:
        return [o for o in self.case.options if o.site == s and p in (None, o.product)]

    # ---- mining ---------------------------------------------------------------------------------------------

    def fleet_rules(self) -> None:
        m, case = self.model, self.case
        opening = {(row.asic, row.site): row.gross_mw for row in case.fleet}

        def installed(m: Any, a: str, s: str, t: Quarter) -> Any:
            before = m.g[a, s, t - 1] if t > case.first else opening.get((a, s), 0)
            return m.g[a, s, t] <= before

        def retired(m: Any, a: str, s: str, t: Quarter) -> Any:
            last = case.asic[a].retires_after
            return m.g[a, s, t] == 0 if last is not None and t > last else pyo.Constraint.Skip

        def running(m: Any, a: str, s: str, t: Quarter) -> Any:
            return m.x[a, s, t] <= m.g[a, s, t]

        def ended(m: Any, a: str, s: str, t: Quarter) -> Any:
            last = case.mining_ends(s)
            return m.x[a, s, t] == 0 if last is not None and t > last else pyo.Constraint.Skip

        m.installed = pyo.Constraint(m.A, m.S, m.T, rule=installed)
        m.retired = pyo.Constraint(m.A, m.S, m.T, rule=retired)
        m.running = pyo.Constraint(m.A, m.S, m.T, rule=running)
        m.mining_ended = pyo.Constraint(m.A, m.S, m.T, rule=ended)

    def power_rules(self) -> None:
        m, case = self.model, self.case

        def power(m: Any, s: str, t: Quarter) -> Any:
            halls = sum(
                o.block_gross_mw * self.started(o.option, t, o.mining_stops_quarters) for o in self.options_at(s)
            )
            return sum(m.g[a, s, t] for a in m.A) + halls <= case.limit_gross_mw[s, t]

        m.site_power = pyo.Constraint(m.S, m.T, rule=power)

    # ---- offers and capacity --------------------------------------------------------------------------------

    def offer_rules(self) -> None:
        m, case, sets = self.model, self.case, self.sets

        def allowed(m: Any, c: str, s: str, t: Quarter) -> Any:
            return pyo.Constraint.Skip if sets.may_sign(c, s, t) else m.y[c, s, t] == 0

        def largest(m: Any, c: str, s: str, t: Quarter) -> Any:
            return m.q[c, s, t] <= case.offer[c].max_it_mw * m.y[c, s, t]

        def smallest(m: Any, c: str, s: str, t: Quarter) -> Any:
            return m.q[c, s, t] >= case.offer[c].min_it_mw * m.y[c, s, t]

        m.allowed_signings = pyo.Constraint(m.CS, m.T, rule=allowed)
        m.largest_size = pyo.Constraint(m.CS, m.T, rule=largest)
        m.smallest_size = pyo.Constraint(m.CS, m.T, rule=smallest)
        m.signed_once = pyo.Constraint([o.offer for o in case.offers], rule=lambda m, c: self._once([c]))
        m.exclusive = pyo.Constraint(list(self._groups()), rule=lambda m, name: self._once(self._groups()[name]))
        m.committed = pyo.ConstraintList()
        for name, row in sets.committed.items():
            if row.quarter >= case.first:
                m.committed.add(m.y[name, row.site, row.quarter] == 1)
                m.committed.add(m.q[name, row.site, row.quarter] == row.it_mw)

    def _groups(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for row in self.case.offers:
            if row.exclusive_group is not None:
                groups.setdefault(row.exclusive_group, []).append(row.offer)
        return groups

    def _once(self, offers: list[str]) -> Any:
        """At most one signature among these offers; those signed before the horizon count."""
        m = self.model
        new = [m.y[c, s, t] for c, s in m.CS if c in offers for t in m.T]
        old = sum(1 for c, s in m.CS if c in offers and self.sets.old_contract(c, s))
        return sum(new) <= 1 - old if new else pyo.Constraint.Feasible

    def contracts(self, c: str, s: str) -> Iterator[tuple[Quarter, Any]]:
        """First delivery quarters of an offer at a site with the IT MW delivered from then on."""
        old = self.sets.old_contract(c, s)
        if old is not None:
            yield old.quarter, old.it_mw
        for k in self.model.T:
            yield k, self.model.q[c, s, k]

    def contracted(self, s: str, p: str, t: Quarter) -> Any:
        offers = [(c, self.case.offer[c]) for c, site in self.model.CS if site == s]
        return sum(
            mw
            for c, offer in offers
            if offer.product == p
            for k, mw in self.contracts(c, s)
            if k <= t < k + offer.term_quarters
        )

    def usable(self, s: str, p: str, t: Quarter) -> Any:
        """IT MW in service at a site for a product, hall ramps applied."""
        total: Any = 0
        for o in self.options_at(s, p):
            ramp = self.case.profile[o.ramp]
            for k, blocks in self.starts(o.option):
                age = t - (k + o.lead_quarters)
                if age >= 0:
                    total += o.block_gross_mw / o.design_ratio * ramp[min(age, len(ramp) - 1)] * blocks
        return total

    def capacity_rules(self) -> None:
        m, case = self.model, self.case

        def capacity(m: Any, s: str, p: str, t: Quarter) -> Any:
            return self.contracted(s, p, t) + m.h[s, p, t] <= self.usable(s, p, t)

        def depth(m: Any, p: str, t: Quarter) -> Any:
            most = case.product_market[self.figures.scenario, p, t].depth_it_mw
            return sum(m.h[s, p, t] for s in m.S) <= most

        m.capacity = pyo.Constraint(m.S, m.P, m.T, rule=capacity)
        m.market_depth = pyo.Constraint(m.P, m.T, rule=depth)

    # ---- capex and policies ---------------------------------------------------------------------------------

    def capex(self, p: str, t: Quarter) -> Any:
        """Everything spent in a quarter on the options of a product."""
        options = [o for o in self.case.options if o.product == p]
        blocks = sum(
            self.figures.block_capex(o.option, t - k) * number
            for o in options
            for k, number in self.starts(o.option)
            if k <= t
        )
        return blocks + sum(o.mobilisation_musd * self.first_start(o.option, t) for o in options)

    def capex_rules(self) -> None:
        m, case = self.model, self.case
        m.spent = pyo.Var(m.P, m.T, domain=pyo.Reals)
        m.capex = pyo.Constraint(m.P, m.T, rule=lambda m, p, t: m.spent[p, t] == self.capex(p, t))
        total = sum(m.spent[p, t] for p in m.P for t in m.T)
        m.budget = pyo.Constraint(expr=total <= case.settings.capex_budget_musd)
        m.year_budgets = pyo.ConstraintList()
        for row in case.budget_years:
            quarters = [t for t in m.T if t.year == row.year]
            if quarters:
                spent = sum(m.spent[p, t] for p in m.P for t in quarters)
                m.year_budgets.add(spent <= row.capex_budget_musd)

    def policy_rules(self) -> None:
        m, case, settings = self.model, self.case, self.case.settings
        m.use_limits = pyo.ConstraintList()
        for row in case.use_limits:
            for t in m.T:
                if row.first <= t <= row.last:
                    self._limit_use(self._use(row, t), row)
        blocks, it_mw = settings.max_blocks_under_construction, settings.max_it_mw_under_construction
        m.construction = pyo.ConstraintList()
        for t in m.T:
            if blocks is not None and case.options:
                self._add(m.construction, self._building(t, lambda o: 1.0), blocks)
            if it_mw is not None and case.options:
                self._add(m.construction, self._building(t, case.it_mw_of_block), it_mw)

    def _use(self, row: Any, t: Quarter) -> Any:
        m, case = self.model, self.case
        sites = self.sets.sites if row.site == "*" else [row.site]
        if row.use == "mining":
            return sum(m.g[a, s, t] for a in m.A for s in sites)
        options = [o for s in sites for o in self.options_at(s, row.use)]
        return sum(
            (case.it_mw_of_block(o) if row.basis == "it_mw" else o.block_gross_mw)
            * self.started(o.option, t, o.lead_quarters)
            for o in options
        )

    def _limit_use(self, use: Any, row: Any) -> None:
        if row.max_mw is not None:
            self._add(self.model.use_limits, use, row.max_mw)
        if row.min_mw is not None:
            self._add(self.model.use_limits, -use, -row.min_mw)

    @staticmethod
    def _add(rows: Any, left: Any, most: float) -> None:
        """left <= most, also where nothing in it can be chosen."""
        if isinstance(left, int | float):
            rows.add(pyo.Constraint.Feasible if left <= most + 1e-9 else pyo.Constraint.Infeasible)
        else:
            rows.add(left <= most)

    def _building(self, t: Quarter, size: Callable[[Any], float]) -> Any:
        return sum(
            size(o) * blocks
            for o in self.case.options
            for k, blocks in self.starts(o.option)
            if k <= t < k + o.lead_quarters
        )

    def customer_rules(self) -> None:
        m, case, settings = self.model, self.case, self.case.settings
        share = settings.max_customer_share
        m.customer_share = pyo.ConstraintList()
        if share is None:
            return
        customers = sorted({row.customer for row in case.offers})
        for t in m.T:
            if t < settings.max_customer_share_from:
                continue
            market = sum(self.figures.market_rent(p, t) * m.h[s, p, t] for s in m.S for p in m.P)
            rents = {name: self.rent_of(name, t) for name in customers}
            total = sum(rents.values()) + market
            for name in customers:
                self._add(m.customer_share, rents[name] - share * total, 0.0)

    def rent_of(self, customer: str, t: Quarter) -> Any:
        pairs = [(c, s) for c, s in self.model.CS if self.case.offer[c].customer == customer]
        return sum(self.figures.offer_rent(c, k, t) * mw for c, s in pairs for k, mw in self.contracts(c, s) if k <= t)

    # ---- money ----------------------------------------------------------------------------------------------

    def mining_margin(self, t: Quarter) -> Any:
        m, case = self.model, self.case
        running = sum(self.figures.running_margin[s, a, t] * m.x[a, s, t] for a in m.A for s in m.S)
        kept = sum(case.site[s].mining_cost_musd_per_gross_mw_year / 4 * m.g[a, s, t] for a in m.A for s in m.S)
        return running - kept

    def ai_margin(self, p: str, t: Quarter) -> Any:
        m, case = self.model, self.case
        signed = sum(
            self.figures.offer_margin(c, s, k, t) * mw
            for c, s in m.CS
            if case.offer[c].product == p
            for k, mw in self.contracts(c, s)
            if k <= t
        )
        return signed + sum(self.figures.market_margin(s, p, t) * m.h[s, p, t] for s in m.S)

    def fixed_payments(self, t: Quarter, value: bool) -> float:
        """G&A and obligations, less receipts; principal counts for cash only."""
        paid = sum(row.g_and_a_musd for row in self.case.overheads if row.quarter == t)
        for row in self.case.obligations:
            if row.quarter == t and not (value and row.kind == "principal"):
                paid += -row.musd if row.kind == "asset_sale" else row.musd
        return paid

    def cash_rules(self) -> None:
        m, settings = self.model, self.case.settings
        m.mining = pyo.Var(m.T, domain=pyo.Reals)
        m.ai = pyo.Var(m.P, m.T, domain=pyo.Reals)
        m.mining_is = pyo.Constraint(m.T, rule=lambda m, t: m.mining[t] == self.mining_margin(t))
        m.ai_is = pyo.Constraint(m.P, m.T, rule=lambda m, p, t: m.ai[p, t] == self.ai_margin(p, t))

        def balance(m: Any, t: Quarter) -> Any:
            before = m.cash[t - 1] if t > self.case.first else settings.opening_cash_musd
            products = sum(m.ai[p, t] - m.spent[p, t] for p in m.P)
            return m.cash[t] == before + m.mining[t] + products - self.fixed_payments(t, value=False)

        m.cash_balance = pyo.Constraint(m.T, rule=balance)
        m.minimum_cash = pyo.Constraint(m.T, rule=lambda m, t: m.cash[t] >= settings.minimum_cash_musd)

    def value(self) -> None:
        m, figures = self.model, self.figures
        in_horizon = sum(
            figures.factor("mining", t) * m.mining[t]
            + sum(figures.factor(p, t) * (m.ai[p, t] - m.spent[p, t]) for p in m.P)
            - figures.factor("corporate", t) * self.fixed_payments(t, value=True)
            for t in m.T
        )
        m.value = pyo.Objective(expr=in_horizon + self.after_horizon(), sense=pyo.maximize)

    def after_horizon(self) -> Any:
        m, case, figures, last = self.model, self.case, self.figures, self.case.last
        contracts = sum(figures.offer_value_after(c, s, k) * mw for c, s in m.CS for k, mw in self.contracts(c, s))
        halls = sum(
            figures.final_factor(p) * case.product[p].residual_musd_per_it_mw
            * (self.usable(s, p, last) - self.contracted(s, p, last))
            for s in m.S for p in m.P
        )  # fmt: skip
        machines = sum(figures.final_factor("mining") * self._resale(a) * m.g[a, s, last] for a in m.A for s in m.S)
        return contracts + halls + machines

    def _resale(self, a: str) -> float:
        row = self.case.asic[a]
        terahash = 1e6 / (row.joules_per_th * (1 + row.overhead))
        return row.residual_usd_per_th * terahash / 1e6


def build(case: Case, scenario: str) -> pyo.ConcreteModel:
    """The textbook model of one scenario of a case."""
    return _Builder(case, scenario).build()


def solve(model: pyo.ConcreteModel, gap: float, time_limit: float) -> tuple[float, float, float]:
    """Value, bound and seconds of the solver call, passing the model to HiGHS included.

    Without a plan the value is minus infinity; where there can be none, so is the bound.
    """
    start = time.perf_counter()
    solver = pyo.SolverFactory("appsi_highs")
    solver.options["mip_rel_gap"] = gap
    results = solver.solve(model, load_solutions=False, timelimit=time_limit)
    seconds = time.perf_counter() - start
    found, ended = results.problem[0], results.solver.termination_condition
    if ended == pyo.TerminationCondition.infeasible:
        return -math.inf, -math.inf, seconds
    return float(found.lower_bound), float(found.upper_bound), seconds


def size(model: pyo.ConcreteModel) -> dict[str, int]:
    """Rows, columns, nonzeros and integer columns of the model as it is handed over."""
    rows = list(model.component_data_objects(pyo.Constraint, active=True))
    columns = list(model.component_data_objects(pyo.Var))
    nonzeros = sum(len(list(identify_variables(row.body))) for row in rows)
    integers = sum(not column.is_continuous() for column in columns)
    return {"rows": len(rows), "columns": len(columns), "nonzeros": nonzeros, "integers": integers}


def main() -> None:
    parser = argparse.ArgumentParser(description="Solve a case folder with the textbook model.")
    parser.add_argument("folder")
    parser.add_argument("--scenario", default="base")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time-limit", type=float, default=300.0)
    given = parser.parse_args()
    case = load_case(given.folder, check_units=False)
    start = time.perf_counter()
    model = build(case, given.scenario)
    built = time.perf_counter() - start
    value, bound, seconds = solve(model, given.gap, given.time_limit)
    print(f"value {value:.4f} $M  bound {bound:.4f}  build {built:.2f} s  solve {seconds:.2f} s")


if __name__ == "__main__":
    main()
