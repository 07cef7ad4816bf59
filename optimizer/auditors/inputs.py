"""The inputs of one scenario as the accountant looks them up: exact decimals, by name and by quarter."""

from __future__ import annotations

import calendar
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from optimizer.auditors.lines import AT_DEBT, CORPORATE, DEBT
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

ZERO, ONE = Decimal(0), Decimal(1)
MONTHS, QUARTERS, KW, MILLION = Decimal(3), Decimal(4), Decimal(1000), Decimal(1_000_000)
RESIDUAL_LIFE = 120
"""Quarters over which a residual falls to nothing, where a product says nothing else."""


def decimal(number: float | int | str | None) -> Decimal:
    """The number as its owner wrote it: 0.1 is a tenth, not its binary neighbour. A blank counts as zero."""
    return ZERO if number is None else Decimal(str(number))


def hours(quarter: Quarter) -> int:
    """Calendar hours of a quarter."""
    year, first = quarter.year, 3 * (int(quarter) % 4) + 1
    return 24 * sum(calendar.monthrange(year, month)[1] for month in range(first, first + 3))


def power(base: Decimal, exponent: Decimal) -> Decimal:
    """`base ** exponent` to fifty digits."""
    return base**exponent


class Inputs:
    """Looks rows up by key and works out what hangs on inputs alone: discount factors, power prices, quotes."""

    def __init__(self, case: Case, scenario: str):
        self.case, self.scenario = case, scenario
        self._by_key: dict[str, dict[tuple[Hashable, ...], Any]] = {}
        self._groups: dict[tuple[str, str], dict[Hashable, list[Any]]] = {}
        self._factors: dict[tuple[Decimal, int], Decimal] = {}
        self._eighths: dict[Decimal, Decimal] = {}
        self._hours: dict[Quarter, Decimal] = {}
        self._profiles: dict[str, tuple[Decimal, ...]] = {}
        self._energy: dict[tuple[str, Quarter], Decimal] = {}
        self._steps: dict[tuple[str, Quarter], list[tuple[Decimal, Decimal]]] | None = None

    # ---- rows ------------------------------------------------------------------------------------------------

    def row(self, table: str, *key: Hashable) -> Any:
        """The row of an input table with this key, in the order of the table's key columns; None without one."""
        if table not in self._by_key:
            self._by_key[table] = {row.identity(): row for row in self.case.rows(table)}
        return self._by_key[table].get(key)

    def rows_of(self, table: str, column: str, value: Hashable) -> list[Any]:
        """All rows of an input table with a value in a column, in their order."""
        if (table, column) not in self._groups:
            groups: dict[Hashable, list[Any]] = {}
            for row in self.case.rows(table):
                groups.setdefault(getattr(row, column), []).append(row)
            self._groups[table, column] = groups
        return self._groups[table, column].get(value, [])

    def profile(self, name: str) -> tuple[Decimal, ...]:
        """Shares of a curve or ramp, step by step."""
        if name not in self._profiles:
            steps = sorted((row.step, decimal(row.share)) for row in self.rows_of("profiles", "profile", name))
            self._profiles[name] = tuple(share for _, share in steps)
        return self._profiles[name]

    def ramped(self, name: str, step: int) -> Decimal:
        """A ramp's share after `step` quarters: nothing before, its last share from then on."""
        shares = self.profile(name)
        return ZERO if step < 0 else shares[min(step, len(shares) - 1)]

    # ---- time ------------------------------------------------------------------------------------------------

    def hours(self, quarter: Quarter) -> Decimal:
        if quarter not in self._hours:
            self._hours[quarter] = Decimal(hours(quarter))
        return self._hours[quarter]

    def within(self, quarter: Quarter) -> Quarter:
        """The quarter itself, or the horizon's nearest: what is quoted last holds from then on."""
        return min(max(quarter, self.case.first), self.case.last)

    def rate(self, business: str) -> Decimal:
        """The yearly discount rate of a business line: its own, or the corporate one."""
        rates = self.case.settings.discount_rates
        return decimal(rates.get(business, rates[CORPORATE]))

    def rate_of(self, line: str, business: str) -> Decimal:
        """The yearly rate at which a line is discounted: money lent at what borrowing costs, all else by business."""
        return self.rate(DEBT if line in AT_DEBT else business)

    def factor(self, rate: Decimal, quarter: Quarter, *, at_start: bool = False) -> Decimal:
        """`(1 + r) ** -((t + 0.5) / 4)`, t counted from the first quarter; with `at_start` `(1 + r) ** -(t / 4)`."""
        eighths = 2 * (int(quarter) - int(self.case.first)) + (0 if at_start else 1)
        if (rate, eighths) not in self._factors:
            if rate not in self._eighths:
                self._eighths[rate] = (1 + rate) ** (ONE / 8)
            self._factors[rate, eighths] = self._eighths[rate] ** -eighths
        return self._factors[rate, eighths]

    # ---- power -----------------------------------------------------------------------------------------------

    def tariff(self, site: str, quarter: Quarter) -> Any:
        """The tariff row that a site buys under; after the horizon the last quarter's."""
        name = self.row("sites", site).tariff
        return self.row("tariffs", self.scenario, name, self.within(quarter))

    def energy_usd_per_mwh(self, site: str, quarter: Quarter) -> Decimal:
        """Energy price of a site, with the yearly rise of its tariff; after the horizon the last quarter's."""
        quarter = self.within(quarter)
        if (site, quarter) not in self._energy:
            given = self.tariff(site, quarter)
            self._energy[site, quarter] = decimal(given.energy_usd_per_mwh) * self.risen(given.tariff, quarter)
        return self._energy[site, quarter]

    def risen(self, tariff: str, quarter: Quarter) -> Decimal:
        """The factor by which a tariff's given prices have risen by a quarter, those of its steps too."""
        rise = self.row("power_escalators", tariff)
        if rise is None:
            return ONE
        years: int = max(0, (quarter - rise.from_quarter) // 4)
        return (1 + decimal(rise.yearly_rise)) ** years

    def price_steps(self, site: str, quarter: Quarter) -> list[tuple[Decimal, Decimal]]:
        """Share of the hours and energy price of each step of a quarter, the dearest first; none where it is flat."""
        tariff = self.tariff(site, quarter).tariff
        if self._steps is None:
            self._steps = {}
            for row in self.case.rows("price_steps"):
                if row.scenario == self.scenario:
                    price = decimal(row.energy_usd_per_mwh) * self.risen(row.tariff, row.quarter)
                    self._steps.setdefault((row.tariff, row.quarter), []).append((decimal(row.hours_share), price))
            for steps in self._steps.values():
                steps.sort(key=lambda step: -step[1])
        return self._steps.get((tariff, quarter), [])

    def demand_musd_per_mw(self, site: str, quarter: Quarter) -> Decimal:
        """Demand charge of a gross MW in a quarter: $ per kW-month for three months."""
        return decimal(self.tariff(site, quarter).demand_usd_per_kw_month) * KW * MONTHS / MILLION

    def pue(self, site: str, product: str) -> Decimal:
        """Energy at the meter per energy at the servers: that of the options that sell the product at the site.

        Without one, that of the halls which are let so once their GPUs are gone.
        """
        here = self.rows_of("options", "site", site)
        own = [row for row in here if row.product == product]
        lives = {row.option for row in self.rows_of("gpu_lives", "relet_product", product)}
        options = own or [row for row in here if row.option in lives]
        return decimal(options[0].pue) if options else ONE

    def ai_power_musd(self, site: str, product: str, load_factor: float, quarter: Quarter) -> Decimal:
        """What power for one IT MW costs in a quarter: energy at the load factor, the demand charge in full."""
        energy = decimal(load_factor) * self.hours(quarter) * self.energy_usd_per_mwh(site, quarter) / MILLION
        return self.pue(site, product) * (energy + self.demand_musd_per_mw(site, quarter))

    # ---- what is left ----------------------------------------------------------------------------------------

    def residual_musd_per_it_mw(self, product: str, quarter: Quarter) -> Decimal:
        """What an IT MW that stands free is worth at the start of a quarter; it falls by the calendar to nothing."""
        row = self.row("products", product)
        life = Decimal(RESIDUAL_LIFE if row.residual_life_quarters is None else row.residual_life_quarters)
        return decimal(row.residual_musd_per_it_mw) * max(ZERO, 1 - Decimal(quarter - self.case.first) / life)

    # ---- quotes ----------------------------------------------------------------------------------------------

    def musd_per_quarter(
        self, price: Decimal, basis: str, product: str, utilisation: float | None, quarter: Quarter
    ) -> Decimal:
        """A quoted price as $M per IT MW in a quarter: months by three, years by a quarter, hours by the calendar."""
        if basis == "usd_per_kw_month":
            return price * KW * MONTHS / MILLION
        if basis == "musd_per_it_mw_year":
            return price / QUARTERS
        gpus = decimal(self.row("products", product).gpus_per_it_mw)
        return price * gpus * decimal(utilisation) * self.hours(quarter) / MILLION

    def market_musd_per_quarter(self, product: str, quarter: Quarter) -> Decimal:
        """What an IT MW fetches uncontracted in a quarter; after the horizon by the last quarter's quote."""
        quote = self.row("product_markets", self.scenario, product, self.within(quarter))
        utilisation = self.row("products", product).utilisation
        return self.musd_per_quarter(decimal(quote.price), quote.price_basis, product, utilisation, quarter)
