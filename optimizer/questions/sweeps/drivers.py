"""Drivers: the numbers of a case that a study moves, each with its unit, its base and the range it is moved in.

A driver names a level in the unit of the trade (hashprice in the first quarter, the mean asking rent) and moves all
numbers behind it in proportion. `drivers_of` lists those that a case has; `driver_named` finds one by its name, such as
`hashprice`, `rent colocation`, `rent of OFFER`, `power at SITE`, `capex of OPTION`, `delay of OPTION`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from optimizer.case import schema
from optimizer.case.case import Case
from optimizer.case.market import hashprice_usd_per_ph_day, price_per_it_mw_quarter
from optimizer.ground.findings import Finding, InputError
from optimizer.ground.units import musd_per_mw_quarter_from_kw_month

Change = Callable[[Case, float], Case]


@dataclass(frozen=True)
class Driver:
    """One number of a case that may be moved: `change(case, x)` is the case in which it is `x`, in `unit`.

    `low` and `high` span where studies look; outside, a program is compiled anew. `whole` drivers take whole numbers.
    """

    name: str
    words: str
    unit: str
    base: float
    low: float
    high: float
    change: Change
    whole: bool = False

    def within(self, low: float, high: float) -> Driver:
        """The same driver with another range."""
        return replace(self, low=low, high=high)


def drivers_of(case: Case, scenario: str) -> list[Driver]:
    """The drivers of a case as a whole, those that a tornado shows."""
    found = [
        _hashprice(case, scenario),
        *(_rents(case, scenario, product.product) for product in case.products),
        _power(case, scenario),
        *_capex(case),
        _delay(case, [option.option for option in case.options], "delay", "delivery of every option"),
        _rate(case, "AI", [product.product for product in case.products]),
        _budget(case),
        _setting(case, "minimum_cash_musd", "minimum cash"),
        _setting(case, "opening_cash_musd", "opening cash"),
    ]
    return [driver for driver in found if driver is not None]


def driver_named(case: Case, scenario: str, name: str) -> Driver:
    """The driver of that name. Raises InputError with the names there are."""
    everywhere = {driver.name: driver for driver in drivers_of(case, scenario)}
    if name in everywhere:
        return everywhere[name]
    makers: dict[str, tuple[Iterable[str], Callable[[str], Driver | None]]] = {
        "rent of ": (case.offer, lambda offer: _rent_of_offer(case, scenario, offer)),
        "power at ": (case.site, lambda site: _power_at(case, scenario, site)),
        "capex of ": (case.option, lambda option: _capex_of(case, option)),
        "delay of ": (
            case.option,
            lambda option: _delay(case, [option], f"delay of {option}", f"delivery of {option}"),
        ),
    }
    for start, (names, make) in makers.items():
        subject = name.removeprefix(start)
        if name.startswith(start) and subject in names:
            driver = make(subject)
            if driver is not None:
                return driver
    known = [*everywhere, *(f"{start}NAME" for start in makers)]
    raise InputError([Finding("drivers", "is no driver of this case", f"one of {', '.join(known)}", value=name)])


def _scaled(name: str, words: str, unit: str, base: float, span: float, change: Change) -> Driver | None:
    """A driver that moves numbers in proportion, by so much of its base down and up; None where there are none."""
    return Driver(name, words, unit, base, base * (1 - span), base * (1 + span), change) if base > 0 else None


# ---- markets ------------------------------------------------------------------------------------------------------


def _hashprice(case: Case, scenario: str) -> Driver | None:
    base = hashprice_usd_per_ph_day(case, scenario, case.first)

    def change(case: Case, x: float) -> Case:
        rows = [_with_hashprice(row, x / base) for row in case.bitcoin]
        return case.replace(bitcoin=rows)

    words = f"hashprice in {case.first}, later quarters in proportion (by difficulty)"
    return _scaled("hashprice", words, "$/PH/day", base, 0.3, change) if case.fleet or case.machine_markets else None


def _with_hashprice(row: schema.BitcoinMarket, factor: float) -> schema.BitcoinMarket:
    if row.hashprice_usd_per_ph_day is not None:
        return row.model_copy(update={"hashprice_usd_per_ph_day": row.hashprice_usd_per_ph_day * factor})
    assert row.difficulty_t is not None
    return row.model_copy(update={"difficulty_t": row.difficulty_t / factor})


def _rents(case: Case, scenario: str, product: str) -> Driver | None:
    """Every offer and the market of a product; the level is the mean of its offers', or of its market's."""
    offers = {offer.offer for offer in case.offers if offer.product == product}
    quoted = [_monthly(case, product, case.offer_price[scenario, offer]) for offer in offers]
    quoted = quoted or [_monthly(case, product, case.product_market[scenario, product, case.first])]
    base = fmean(quoted)

    def change(case: Case, x: float) -> Case:
        return case.replace(
            offer_prices=[_times(row, "price", x / base) if row.offer in offers else row for row in case.offer_prices],
            product_markets=[
                _times(row, "price", x / base) if row.product == product else row for row in case.product_markets
            ],
        )

    words = f"mean rent of {product}, all its offers and its market in proportion"
    return _scaled(f"rent {product}", words, "$/kW-month", base, 0.2, change)


def _monthly(case: Case, product: str, quote: schema.OfferPrice | schema.ProductMarket) -> float:
    """A quote in $/kW-month, at the hours of the first quarter and full use."""
    sold_as = case.product[product]
    musd = price_per_it_mw_quarter(quote.price, quote.price_basis, case.first, sold_as.gpus_per_it_mw, 1.0)
    return musd / musd_per_mw_quarter_from_kw_month(1.0)


def _rent_of_offer(case: Case, scenario: str, offer: str) -> Driver | None:
    quote = case.offer_price[scenario, offer]
    base = quote.price
    unit = {
        "usd_per_kw_month": "$/kW-month", "musd_per_it_mw_year": "$M/IT MW-year", "usd_per_gpu_hour": "$/GPU-hour",
    }[quote.price_basis]  # fmt: skip

    def change(case: Case, x: float) -> Case:
        rows = [_times(row, "price", x / base) if row.offer == offer else row for row in case.offer_prices]
        return case.replace(offer_prices=rows)

    return _scaled(f"rent of {offer}", f"rent that {offer} pays", unit, base, 0.5, change)


def _times(row: Any, column: str, factor: float) -> Any:
    return row.model_copy(update={column: getattr(row, column) * factor})


# ---- power --------------------------------------------------------------------------------------------------------


ENERGY_PRICES = ("tariffs", "price_steps")
"""Tables of energy prices: a tariff's, and those of its steps inside a quarter."""


def _power(case: Case, scenario: str) -> Driver | None:
    """Every tariff; the level is the mean of the sites' first energy prices, weighted by their limits."""
    weights = [case.limit_gross_mw[site.site, case.first] for site in case.sites]
    prices = [case.tariff[scenario, site.tariff, case.first].energy_usd_per_mwh for site in case.sites]
    total = sum(weights)
    base = sum(w * p for w, p in zip(weights, prices, strict=True)) / total if total else 0.0

    def change(case: Case, x: float) -> Case:
        return case.replace(**{
            table: [_times(row, "energy_usd_per_mwh", x / base) for row in case.rows(table)] for table in ENERGY_PRICES
        })  # fmt: skip

    words = f"mean energy price of all sites in {case.first}, every tariff and quarter in proportion"
    return _scaled("power", words, "$/MWh", base, 0.25, change)


def _power_at(case: Case, scenario: str, site: str) -> Driver | None:
    """One site's energy price; a tariff that it shares with others is given a twin of its own."""
    tariff = case.site[site].tariff
    base = case.tariff[scenario, tariff, case.first].energy_usd_per_mwh
    own = f"{tariff} at {site}"[:100]

    def change(case: Case, x: float) -> Case:
        shared = any(row.tariff == tariff and row.site != site for row in case.sites)
        apart: dict[str, Any] = {"tariff": own}
        tables = {"sites": [row.model_copy(update=apart) if row.site == site else row for row in case.sites]}
        for table in (*ENERGY_PRICES, "power_escalators"):
            rows: Sequence[Any] = case.rows(table)
            moved = [row.model_copy(update=apart) for row in rows if row.tariff == tariff]
            if table in ENERGY_PRICES:
                moved = [_times(row, "energy_usd_per_mwh", x / base) for row in moved]
            tables[table] = [*(row for row in rows if shared or row.tariff != tariff), *moved]
        return case.replace(**tables)

    return _scaled(
        f"power at {site}", f"energy price at {site} in {case.first}, later quarters in proportion", "$/MWh", base, 0.8,
        change,
    )  # fmt: skip


# ---- capex, delivery and money ------------------------------------------------------------------------------------


def _capex(case: Case) -> list[Driver | None]:
    facility = [case.facility_musd_per_it_mw(option) for option in case.options]
    gpus = [option.gpu_musd_per_it_mw for option in case.options if option.gpu_musd_per_it_mw]
    names = {option.option for option in case.options}
    return [
        _cost_driver("facility capex", "mean facility capex of all options", facility, names, _FACILITY, 0.16),
        _cost_driver("gpu capex", "mean GPU capex of the options that buy GPUs", gpus, names, _GPUS, 0.15),
    ]


_FACILITY = tuple(f"facility_{level}_musd_per_it_mw" for level in ("low", "base", "high"))
_GPUS = ("gpu_musd_per_it_mw",)


def _cost_driver(
    name: str, words: str, levels: Sequence[float], options: set[str], columns: Sequence[str], span: float
) -> Driver | None:
    if not levels:
        return None
    base = fmean(levels)

    def change(case: Case, x: float) -> Case:
        rows = [
            row.model_copy(update={column: getattr(row, column) * (x / base) for column in columns})
            if row.option in options
            else row
            for row in case.options
        ]
        return case.replace(options=rows)

    return _scaled(name, f"{words}, in proportion", "$M/IT MW", base, span, change)


def _capex_of(case: Case, option: str) -> Driver | None:
    level = case.facility_musd_per_it_mw(case.option[option])
    return _cost_driver(f"capex of {option}", f"facility capex of {option}", [level], {option}, _FACILITY, 0.6)


def _delay(case: Case, options: Sequence[str], name: str, words: str) -> Driver | None:
    """Halls that take longer; a delay that comes makes contracts late that nobody would have planned so."""
    late = set(options)
    if not late:
        return None

    def change(case: Case, x: float) -> Case:
        rows = [
            row.model_copy(update={"lead_quarters": row.lead_quarters + round(x)}) if row.option in late else row
            for row in case.options
        ]
        return case.replace(options=rows, allow_planned_lateness=case.settings.allow_planned_lateness or round(x) > 0)

    return Driver(name, f"quarters by which {words} takes longer", "quarters", 0.0, 0.0, 4.0, change, whole=True)


def _rate(case: Case, name: str, lines: Sequence[str]) -> Driver | None:
    """Discount rates of some business lines; the level is their mean."""
    rates = case.settings.discount_rates
    levels = {line: rates.get(line, rates["corporate"]) for line in lines}
    if not levels:
        return None
    base = fmean(levels.values())

    def change(case: Case, x: float) -> Case:
        moved = {line: max(0.0, level + x - base) for line, level in levels.items()}
        return case.replace(discount_rates=case.settings.discount_rates | moved)

    words = f"mean discount rate of {' and '.join(lines)}, each moved by as much"
    return Driver(f"discount rate {name}", words, "a year", base, max(0.0, base - 0.02), base + 0.02, change)


def _budget(case: Case) -> Driver | None:
    base = case.settings.capex_budget_musd

    def change(case: Case, x: float) -> Case:
        years = [_times(row, "capex_budget_musd", x / base) for row in case.budget_years]
        return case.replace(capex_budget_musd=x, budget_years=years)

    words = "capex budget" + (", the years' budgets in proportion" if case.budget_years else "")
    return _scaled("capex budget", words, "$M", base, 0.2, change)


def _setting(case: Case, name: str, words: str) -> Driver | None:
    base = float(getattr(case.settings, name))

    def change(case: Case, x: float) -> Case:
        return case.replace(**{name: x})

    return _scaled(words, words, "$M", base, 0.2, change)
