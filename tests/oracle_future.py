"""One future of the markets: what a megawatt earns and costs, reckoned from the tables of a case alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter


def first_day(t: Quarter) -> date:
    year, quarter_of_year = divmod(int(t), 4)
    return date(year, 3 * quarter_of_year + 1, 1)


def days_of(t: Quarter) -> list[date]:
    begins, ends = first_day(t), first_day(t + 1)
    return [begins + timedelta(days=i) for i in range((ends - begins).days)]


def hours(t: Quarter) -> int:
    return 24 * (first_day(t + 1) - first_day(t)).days


def share_at(shares: tuple[float, ...], step: int) -> float:
    """A ramp's share: its last one holds from then on, and before its first there is nothing."""
    return 0.0 if step < 0 else shares[min(step, len(shares) - 1)]


class Future:
    """Prices, margins and rates of one scenario: $M per MW and quarter unless a name says otherwise."""

    def __init__(self, case: Case, scenario: str):
        self.case = case
        self.scenario = scenario
        own = {(option.site, option.product) for option in case.options}
        relet = {(case.option[r.option].site, r.relet_product) for r in case.rows("gpu_lives") if r.relet_product}
        self.halls = sorted(own | relet)
        self.tariffs = {(r.tariff, r.quarter): r for r in case.tariffs if r.scenario == scenario}
        self.escalators = {r.tariff: r for r in case.rows("power_escalators")}
        self.plants = {(r.site, r.quarter): r for r in case.rows("own_plants") if r.scenario == scenario}
        self.bitcoin = {r.quarter: r for r in case.bitcoin if r.scenario == scenario}
        self.steps: dict[tuple[str, Quarter], list[Any]] = {}
        for r in case.rows("price_steps"):
            if r.scenario == scenario:
                self.steps.setdefault((r.tariff, r.quarter), []).append(r)
        self.customers = {r.customer: r for r in case.rows("customers")}
        self.machine_markets = {r.asic: r for r in case.rows("machine_markets")}
        self.markets = {(r.product, r.quarter): r for r in case.product_markets if r.scenario == scenario}
        self.offer_prices = {r.offer: r for r in case.offer_prices if r.scenario == scenario}
        self.base_rates = {(r.base_rate, r.quarter): r.rate for r in case.rows("base_rates") if r.scenario == scenario}
        self.indices = {(r.index, r.quarter): r.yearly_rise for r in case.rows("indices") if r.scenario == scenario}
        self._terms: dict[str, dict[str, list[Any]]] = {}

    def terms(self, table: str, offer: str) -> list[Any]:
        """The rows that a table of contract terms has for an offer, those of other scenarios left out."""
        if table not in self._terms:
            by_offer: dict[str, list[Any]] = {}
            for row in self.case.rows(table):
                if getattr(row, "scenario", self.scenario) == self.scenario:
                    by_offer.setdefault(row.offer, []).append(row)
            self._terms[table] = by_offer
        return self._terms[table].get(offer, [])

    def term(self, table: str, offer: str) -> Any | None:
        """The one row, if any."""
        rows = self.terms(table, offer)
        assert len(rows) <= 1, f"{len(rows)} rows of {table} for {offer}"
        return rows[0] if rows else None

    # power

    def energy_price(self, tariff: str, t: Quarter) -> float:
        """$ per MWh from the grid; after the horizon that of the last quarter."""
        t = min(t, self.case.last)
        return self.tariffs[tariff, t].energy_usd_per_mwh * self.risen(tariff, t)

    def risen(self, tariff: str, t: Quarter) -> float:
        """What its escalator has made of a tariff's prices."""
        rise = self.escalators.get(tariff)
        if rise is None or t < rise.from_quarter:
            return 1.0
        return float((1 + rise.yearly_rise) ** ((t - rise.from_quarter) // 4))

    def pue(self, site: str, product: str) -> float:
        """Of the halls there that sell it, or of those that are let as it once their GPUs are gone."""
        options = [o for o in self.case.options if o.site == site]
        relet = {r.option for r in self.case.rows("gpu_lives") if r.relet_product == product}
        own = [o.pue for o in options if o.product == product]
        return (own + [o.pue for o in options if o.option in relet])[0]

    def ai_power(self, site: str, product: str, load_factor: float, t: Quarter) -> float:
        """Power of an IT MW; after the horizon at the last quarter's tariff and calendar hours."""
        name = self.case.site[site].tariff
        pue = self.pue(site, product)
        energy = load_factor * pue * hours(t) * self.energy_price(name, t)
        demand = self.tariffs[name, min(t, self.case.last)].demand_usd_per_kw_month
        return (energy + pue * demand * 1000 * 3) / 1e6

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

    def th_per_gross_mw(self, asic: str) -> float:
        machine = self.case.asic[asic]
        return 1e6 / (machine.joules_per_th * (1 + machine.overhead))

    def up_hours(self, asic: str, t: Quarter) -> float:
        """Hours that a machine runs when fed without a break, as a site's own plant does."""
        return hours(t) * self.case.asic[asic].uptime

    def prices_and_hours(self, site: str, asic: str, t: Quarter) -> list[tuple[float, float]]:
        """The grid's energy prices and the hours of each, cheapest first; the dearest ones are curtailed first."""
        name = self.case.site[site].tariff
        up, tariff = self.up_hours(asic, t), self.tariffs[name, t]
        steps = [
            (row.energy_usd_per_mwh * self.risen(name, t), row.hours_share * up)
            for row in self.steps.get((name, t), [])
        ] or [(self.energy_price(name, t), up)]
        kept, left = [], max(0.0, up - tariff.curtailed_hours)
        for price, hours_of_step in sorted(steps):
            kept.append((price, min(hours_of_step, left)))
            left -= kept[-1][1]
        return kept

    def reward_per_hour(self, asic: str, t: Quarter) -> float:
        """$ that a gross MW mines in an hour, the pool's fee off."""
        return self.hashprice(t) * self.th_per_gross_mw(asic) / 1000 / 24 * (1 - self.case.asic[asic].pool_fee)

    def grid_hours(self, site: str, asic: str, t: Quarter) -> list[tuple[float, float]]:
        """Prices and hours in which a running machine takes power: all of a plain tariff's, the steps that pay else."""
        offered = self.prices_and_hours(site, asic, t)
        if (self.case.site[site].tariff, t) not in self.steps:
            return offered
        return [(price, of_step) for price, of_step in offered if price < self.reward_per_hour(asic, t)]

    def btc_per_hour(self, asic: str, t: Quarter) -> float:
        return self.reward_per_hour(asic, t) / self.bitcoin[t].btc_usd

    def btc_on_grid(self, site: str, asic: str, t: Quarter) -> float:
        """BTC per gross MW that runs on the grid."""
        return self.btc_per_hour(asic, t) * sum(of_step for _, of_step in self.grid_hours(site, asic, t))

    def demand(self, site: str, t: Quarter) -> float:
        """$M for a gross MW billed in a quarter."""
        return self.tariffs[self.case.site[site].tariff, t].demand_usd_per_kw_month * 1000 * 3 / 1e6

    def may_run(self, site: str, t: Quarter) -> bool:
        ends = (self.case.settings.mining_ends, self.case.site[site].mining_ends)
        return all(end is None or t <= end for end in ends)

    @cached_property
    def on_grid(self) -> Mapping[tuple[str, str, Quarter], float]:
        """What a MW of machines adds by running on the grid, beside the cost of being installed."""
        return {
            (site, asic, t): self._on_grid(site, asic, t)
            for site in self.case.site
            for asic in self.case.asic
            for t in self.case.horizon
        }

    def _on_grid(self, site: str, asic: str, t: Quarter) -> float:
        reward = self.reward_per_hour(asic, t)
        gain = sum(of_step * (reward - price) for price, of_step in self.grid_hours(site, asic, t))
        interruptible = self.tariffs[self.case.site[site].tariff, t].interruptible_usd_per_mw_year / 4
        return (gain + interruptible) / 1e6 - self.demand(site, t)

    def on_plant(self, site: str, asic: str, t: Quarter) -> float:
        """The same on the site's own plant."""
        gain = self.reward_per_hour(asic, t) - self.plants[site, t].cost_usd_per_mwh
        return self.up_hours(asic, t) * gain / 1e6

    def machine_residual(self, asic: str) -> float:
        return self.case.asic[asic].residual_usd_per_th * self.th_per_gross_mw(asic) / 1e6

    def machine_price(self, asic: str, usd_per_th: float, t: Quarter) -> float:
        """$M per gross MW: a price per TH/s that follows the hashprice of the quarters to come."""
        market = self.machine_markets[asic]
        ahead = self.case.settings.market_looks_ahead_quarters
        seen = [self.hashprice(min(t + k, self.case.last)) for k in range(ahead)]
        relative = sum(seen) / ahead / market.reference_hashprice_usd_per_ph_day
        return float(usd_per_th * relative**market.elasticity * self.th_per_gross_mw(asic) / 1e6)

    def resale(self, asic: str, t: Quarter) -> float:
        """$M per gross MW sold; nothing for a class without a market."""
        market = self.machine_markets.get(asic)
        if market is None:
            return 0.0
        age = (t - self.case.first) / 4
        return self.machine_price(asic, market.resale_usd_per_th, t) * float((1 - market.yearly_decline) ** age)

    # AI

    def rent(self, price: float, basis: str, product: str, utilisation: float | None, t: Quarter) -> float:
        if basis == "usd_per_kw_month":
            return price * 1000 * 3 / 1e6
        if basis == "musd_per_it_mw_year":
            return price / 4
        gpus = self.case.product[product].gpus_per_it_mw
        assert basis == "usd_per_gpu_hour" and gpus is not None and utilisation is not None
        return price * gpus * utilisation * hours(t) / 1e6

    def market_rent(self, product: str, t: Quarter) -> float:
        """Rent of an IT MW sold uncontracted; after the horizon the last quote over that quarter's hours."""
        row = self.markets[product, min(t, self.case.last)]
        return self.rent(row.price, row.price_basis, product, self.case.product[product].utilisation, t)

    # money

    def loan_rate(self, margin: float, base_rate: str | None, t: Quarter) -> float:
        """Yearly; after the horizon at the last quarter's base rate."""
        return margin if base_rate is None else margin + self.base_rates[base_rate, min(t, self.case.last)]
