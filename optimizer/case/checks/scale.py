"""Numbers that only their neighbours show to be in another unit: rents by the year, overhead by the megawatt, jumps.

A column of rents or of overhead has no size of its own; a rent by the IT MW and year has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.bands import BANDS, MUSD, Band, Mistakes, Oddity, odd, odd_setting, out_of
from optimizer.ground import units
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case

OVERHEAD = Band(
    0.018, 0.11, "$M a quarter for each gross MW energised at the start", "miners spend 0.02 to 0.07",
    (*MUSD, (4, "$M a year"), (1 / 3, "$M a month"), (12, "$M of twelve quarters")),
)  # fmt: skip
_RENT: Mistakes = (
    (12, "a price per kW-year"), (1e3, "a price per MW"), (1e-3, "thousands of dollars"), (0.25, "a price per quarter"),
    (1 / 12, "a price per month"), (4, "four times the price"), (1e6, "dollars"),
)  # fmt: skip
RENTS = {
    "colocation": Band(0.7, 4.5, "$M per IT MW and year", "hosting is let at 1.1 to 2.4", _RENT),
    "gpu_service": Band(3, 18, "$M per IT MW and year", "GPU services are let at 9 to 14", _RENT),
}
GPU_HOUR = Band(
    0.35, 7, "$ per GPU-hour", "GPUs are let at 0.9 to 5",
    ((8, "a price per node of eight GPUs"), (100, "cents"), (730, "a price per month"), (24, "a price per day")),
)  # fmt: skip
GPU_PRICE = Band(12_000, 200_000, "$ for each GPU", "a GPU with its share of network costs 25,000 to 80,000")
TERMS = {
    "colocation": Band(12, 100, "quarters", "hosting is let for 5 to 25 years", ((0.25, "years"),)),
    "gpu_service": Band(4, 60, "quarters", "GPU services are let for 1 to 7 years", ((0.25, "years"),)),
}
REVENUE = Band(12, 450, "$ of mining revenue per MWh", "30 to 250 were earned since 2020")
DIFFICULTY = Band(15, 4_000, "trillions of difficulty behind this hashprice", "it was 127 to 156 in 2025 and 2026")
JUMPS = {
    ("overheads", "g_and_a_musd"): 2.5,
    ("bitcoin", "btc_usd"): 3,
    ("bitcoin", "difficulty_t"): 3,
    ("bitcoin", "hashprice_usd_per_ph_day"): 4,
    ("product_markets", "price"): 3,
    ("tariffs", "energy_usd_per_mwh"): 5,
    ("tariffs", "demand_usd_per_kw_month"): 5,
}
"""Largest factor between a quarter's number and the next one's."""

MOST_CAPEX_PER_MW = 60
MOST_CASH_PER_MW = 150
MOST_DEBT_PER_MW = 100


def odd_scales(case: Case) -> Iterator[Oddity]:
    """Every number that does not fit those beside it."""
    for look in LOOKS:
        yield from look(case)


def largest_mw(case: Case, sites: Iterable[str] | None = None) -> float:
    """The largest sum of grid limits that some sites, or all, have in a quarter. Gross MW."""
    names = [row.site for row in case.sites] if sites is None else list(sites)
    return max(sum(case.limit_gross_mw[name, t] for name in names) for t in case.horizon)


def _overhead(case: Case) -> Iterator[Oddity]:
    energised = sum(case.limit_gross_mw[row.site, case.first] for row in case.sites)
    for row in case.overheads if energised else ():
        each = row.g_and_a_musd / energised
        if not OVERHEAD.holds(each):
            guess = OVERHEAD.guess(each)
            yield odd(row, "g_and_a_musd", f"is {each:.3g} for each of {energised:g} MW: {_outside(OVERHEAD)}", guess)


def _outside(band: Band) -> str:
    return out_of(band).removeprefix("is ")


def _rents(case: Case) -> Iterator[Oddity]:
    for row in case.offer_prices:
        yield from _rent(case, row, case.offer[row.offer].product)
    for market in case.product_markets:
        yield from _rent(case, market, market.product)


def _rent(case: Case, row: schema.OfferPrice | schema.ProductMarket, product: str) -> Iterator[Oddity]:
    if row.price_basis == "usd_per_gpu_hour":
        if not GPU_HOUR.holds(row.price):
            yield odd(row, "price", out_of(GPU_HOUR), GPU_HOUR.guess(row.price))
        return
    band = RENTS[case.product[product].kind]
    monthly = row.price_basis == "usd_per_kw_month"
    yearly = row.price * 12 / units.KW_PER_MW if monthly else row.price
    if not band.holds(yearly):
        yield odd(row, "price", f"in {row.price_basis} {out_of(band)}", _guessed_price(band, yearly, row.price))


def _guessed_price(band: Band, yearly: float, price: float) -> str:
    """What the price looks like, in its own basis."""
    for factor, words in band.mistakes:
        if band.low <= yearly / factor <= band.high:
            return f"; it looks like {words}, which would make {price / factor:.6g}"
    return ""


def _contracts(case: Case) -> Iterator[Oddity]:
    for row in case.offers:
        band = TERMS[case.product[row.product].kind]
        if not band.holds(row.term_quarters):
            yield odd(row, "term_quarters", out_of(band), band.guess(row.term_quarters))
        there = max((largest_mw(case, [site]) for site in case.sites_of_offer[row.offer]), default=0.0)
        for column, times in (("min_it_mw", 3), ("max_it_mw", 20)):
            if there and getattr(row, column) > times * there:
                yield odd(row, column, f"is far above the {there:g} gross MW of its largest site", _looks_like_kw())


def _looks_like_kw() -> str:
    return "; it looks like kW"


def _halls(case: Case) -> Iterator[Oddity]:
    for row in case.options:
        there = largest_mw(case, [row.site])
        if there and row.block_gross_mw > 3 * there:
            yield odd(row, "block_gross_mw", f"is far above the {there:g} MW of its site", _looks_like_kw())
        capex = row.max_blocks * case.it_mw_of_block(row) * row.facility_high_musd_per_it_mw
        if row.mobilisation_musd > 0.6 * capex > 0:
            why = f"is out of proportion to the ${capex:,.0f}M that all blocks cost"
            yield odd(row, "mobilisation_musd", why)
        yield from _residual(case, row)
        gpus = case.product[row.product].gpus_per_it_mw
        if gpus and row.gpu_musd_per_it_mw:
            each = row.gpu_musd_per_it_mw / gpus * units.USD_PER_MUSD
            if not GPU_PRICE.holds(each):
                why = f"makes {each:,.0f} $ for each of {gpus:g} GPUs: {_outside(GPU_PRICE)}"
                yield odd(row, "gpu_musd_per_it_mw", why)


def _hall_musd_per_it_mw(case: Case, option: schema.Option) -> float:
    """What an IT MW of a hall costs; with its GPUs where no row of `gpu_lives` gives them a worth of their own."""
    gpus = 0.0 if option.option in case.gpu_life else option.gpu_musd_per_it_mw
    return case.facility_musd_per_it_mw(option) + gpus


def _residual(case: Case, option: schema.Option) -> Iterator[Oddity]:
    """A hall that is worth more at the end than it cost would be built for its residual alone."""
    product, cost = case.product[option.product], _hall_musd_per_it_mw(case, option)
    if product.residual_musd_per_it_mw > cost:
        level = f"at the {case.settings.capex_level} level"
        why = f"is more than the {cost:g} that an IT MW of {option.option!r} costs to build {level} (options.csv)"
        yield odd(product, "residual_musd_per_it_mw", why, mend="say what a used hall is worth")


def _tenants(case: Case) -> Iterator[Oddity]:
    """A tenant that pays for more than the hall would make building it pay at once."""
    for row in case.rows("tenant_funding"):
        sites = case.sites_of_offer[row.offer]
        halls = [o for o in case.options if o.product == case.offer[row.offer].product and o.site in sites]
        dearest = max(halls, key=lambda hall: _hall_musd_per_it_mw(case, hall), default=None)
        if dearest and row.musd_per_it_mw > (cost := _hall_musd_per_it_mw(case, dearest)):
            why = f"is more than the {cost:g} that an IT MW of {dearest.option!r}, its dearest hall, costs to build"
            yield odd(row, "musd_per_it_mw", why, mend="say what part of the hall the tenant pays")


def _money(case: Case) -> Iterator[Oddity]:
    settings, mw = case.settings, largest_mw(case)
    overhead = median(row.g_and_a_musd for row in case.overheads)
    budget, cash, least = settings.capex_budget_musd, settings.opening_cash_musd, settings.minimum_cash_musd
    if mw and budget > MOST_CAPEX_PER_MW * mw:
        yield odd_setting("capex_budget_musd", budget, _per_mw(budget, mw, MOST_CAPEX_PER_MW), _thousands(budget))
    blocks = [
        case.it_mw_of_block(o) * (case.facility_musd_per_it_mw(o) + o.gpu_musd_per_it_mw)
        for o in case.options
    ]  # fmt: skip
    if 0 < budget < min(blocks, default=0) / 20:
        why = f"pays for no part of the cheapest block, which costs ${min(blocks):,.1f}M"
        yield odd_setting("capex_budget_musd", budget, why, _billions(budget))
    if mw and cash > MOST_CASH_PER_MW * mw:
        yield odd_setting("opening_cash_musd", cash, _per_mw(cash, mw, MOST_CASH_PER_MW), _thousands(cash))
    if 0 < cash < max(0.3 * overhead, least / 5):
        why = f"lies far below the minimum cash of {least:g} or a quarter's overhead of {overhead:g}"
        yield odd_setting("opening_cash_musd", cash, why, _billions(cash))
    if least > 5 * max(cash, budget) > 0:
        why = f"is far above the opening cash of {cash:g} and the budget of {budget:g}"
        yield odd_setting("minimum_cash_musd", least, why, _thousands(least))
    if 0 < least < 0.1 * overhead:
        why = f"lasts for no week of the overhead of {overhead:g} a quarter"
        yield odd_setting("minimum_cash_musd", least, why, _billions(least))
    losses = settings.tax_losses_musd
    if losses and mw and losses > MOST_DEBT_PER_MW * mw:
        yield odd_setting("tax_losses_musd", losses, _per_mw(losses, mw, MOST_DEBT_PER_MW), _thousands(losses))


def _per_mw(musd: float, mw: float, most: float) -> str:
    return f"is {musd / mw:,.3g} $M for each of {mw:g} gross MW, above {most:g}"


def _thousands(musd: float) -> str:
    return f"; it looks like thousands of dollars, which would make {musd / 1e3:.6g}"


def _billions(musd: float) -> str:
    return f"; it looks like billions of dollars, which would make {musd * 1e3:.6g}"


def _payments(case: Case) -> Iterator[Oddity]:
    settings, mw = case.settings, largest_mw(case)
    means = settings.capex_budget_musd + max(0.0, settings.opening_cash_musd)
    for year in case.budget_years:
        musd, total = year.capex_budget_musd, settings.capex_budget_musd
        if musd > 20 * total > 0:
            yield odd(year, "capex_budget_musd", f"is far above the whole budget of {total:g}", _thousands(musd))
        if 0 < musd < total / 200:
            yield odd(year, "capex_budget_musd", f"is next to nothing of the budget of {total:g}", _billions(musd))
    for payment in case.obligations:
        if payment.musd > 3 * means > 0:
            yield odd(payment, "musd", f"is far above all cash and budget, {means:g}", _thousands(payment.musd))
    for loan in case.facilities:
        for column in ("commitment_musd", "drawn_musd"):
            musd = getattr(loan, column)
            if mw and musd > MOST_DEBT_PER_MW * mw:
                yield odd(loan, column, _per_mw(musd, mw, MOST_DEBT_PER_MW), _thousands(musd))
        if (loan.minimum_cash_musd or 0) > 5 * means > 0:
            yield odd(loan, "minimum_cash_musd", f"is far above all cash and budget, {means:g}",
                      _thousands(loan.minimum_cash_musd or 0))  # fmt: skip


def _policies(case: Case) -> Iterator[Oddity]:
    mw = largest_mw(case)
    most = case.settings.max_it_mw_under_construction
    if mw and most is not None and most > 10 * mw:
        why = f"is far above the {mw:g} gross MW of all sites"
        yield odd_setting("max_it_mw_under_construction", most, why, _looks_like_kw())
    for row in case.use_limits if mw else ():
        for column in ("min_mw", "max_mw"):
            value = getattr(row, column)
            if value is not None and value > 5 * mw:
                yield odd(row, column, f"is far above the {mw:g} gross MW of all sites", _looks_like_kw())
            elif value is not None and 0 < value < 0.3:
                yield odd(row, column, "is less than any hall or container draws", MW_AS_GW)
    for market in case.product_markets if mw else ():
        if market.depth_it_mw > 4 * mw:
            yield odd(market, "depth_it_mw", f"is far above the {mw:g} gross MW of all sites", _looks_like_kw())


MW_AS_GW = "; it looks like GW"


def _mining(case: Case) -> Iterator[Oddity]:
    for row in case.bitcoin:
        if row.hashprice_usd_per_ph_day:
            behind = (
                units.hashprice_usd_per_ph_day(row.btc_usd, 1, case.settings.subsidy_btc, 0)
                / row.hashprice_usd_per_ph_day
            )
            if not DIFFICULTY.low / 8 <= behind <= DIFFICULTY.high:
                why = f"means {behind:,.3g} {DIFFICULTY.unit} at {row.btc_usd:,g} $ a BTC ({DIFFICULTY.why})"
                yield odd(row, "hashprice_usd_per_ph_day", why)
    for market in case.machine_markets:
        asic = case.asic[market.asic]
        if market.purchase_usd_per_th is not None and asic.residual_usd_per_th > market.purchase_usd_per_th:
            why = f"is more than the {market.purchase_usd_per_th:g} that such a machine costs new (machine_markets.csv)"
            yield odd(asic, "residual_usd_per_th", why, mend="say what a used machine is worth")
        if asic.residual_usd_per_th > 3 * market.resale_usd_per_th > 0:
            why = f"is far above the {market.resale_usd_per_th:g} that such a machine sells for today"
            yield odd(asic, "residual_usd_per_th", why, "; it looks like dollars per machine")
    yield from _revenue(case)


def _revenue(case: Case) -> Iterator[Oddity]:
    """What a MWh of the fleet earns in the first quarter; in later ones it may be next to nothing."""
    base = case.scenarios[0].scenario
    market = case.bitcoin_market[base, case.first]
    hashprice = market.hashprice_usd_per_ph_day
    if hashprice is None:
        hashprice = units.hashprice_usd_per_ph_day(
            market.btc_usd, market.difficulty_t or 1, case.settings.subsidy_btc, market.fees_btc_per_block or 0
        )
    for asic in case.asics if BANDS["bitcoin", "hashprice_usd_per_ph_day"].holds(hashprice) else ():
        earned = hashprice / 24 * units.ph_per_gross_mw(asic.joules_per_th, asic.overhead)
        if not REVENUE.low <= earned <= REVENUE.high:
            why = f"makes {earned:,.3g} {REVENUE.unit} in {case.first}, outside {REVENUE.low:g} to {REVENUE.high:g}"
            yield odd(asic, "joules_per_th", f"{why} ({REVENUE.why})")


def _jumps(case: Case) -> Iterator[Oddity]:
    for (table, column), most in JUMPS.items():
        series: dict[tuple[object, ...], list[tuple[Quarter, float, schema.Row]]] = {}
        for row in case.rows(table):
            value = getattr(row, column)
            if value is not None and value > 0:
                series.setdefault(row.identity()[:-1], []).append((row.quarter, value, row))
        for cells in series.values():
            yield from _jumps_of(sorted(cells, key=lambda cell: cell[0]), column, most)


def _jumps_of(cells: list[tuple[Quarter, float, schema.Row]], column: str, most: float) -> Iterator[Oddity]:
    """Numbers that are far from the one before."""
    for (_, before, _), (_, value, row) in pairwise(cells):
        ratio = value / before
        if not 1 / most <= ratio <= most:
            yield odd(row, column, f"is {ratio:.3g} times the {before:g} of the quarter before")


def _curtailment(case: Case) -> Iterator[Oddity]:
    for row in case.tariffs:
        if row.curtailed_hours > row.quarter.hours:
            yield odd(row, "curtailed_hours", f"is more than the {row.quarter.hours:,} hours of {row.quarter}")


LOOKS: tuple[Callable[[Case], Iterator[Oddity]], ...] = (
    _overhead, _rents, _contracts, _halls, _tenants, _money, _payments, _policies, _mining, _jumps, _curtailment,
)  # fmt: skip
