"""Nothing is missing: every quarter, price, share and unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.telling import SHARE_TOLERANCE, at
from optimizer.ground.findings import Finding
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case


def every_site_has_a_limit(case: Case) -> Iterator[Finding]:
    first = case.settings.first_quarter
    starts: dict[str, list[Quarter]] = {}
    for row in case.site_limits:
        starts.setdefault(row.site, []).append(row.from_quarter)
    for site in case.sites:
        if not starts.get(site.site):
            yield at(site, "has no grid limit", "add it to site_limits.csv", "site", site.site)
        elif min(starts[site.site]) > first:
            why = f"has no grid limit before {min(starts[site.site])}, but the horizon begins in {first}"
            yield at(site, why, "add a step to site_limits.csv", "site", site.site)


def every_quarter_is_there(case: Case) -> Iterator[Finding]:
    scenarios = [row.scenario for row in case.scenarios]
    yield from _gaps(case, case.bitcoin, ((w,) for w in scenarios))
    yield from _gaps(case, case.tariffs, ((w, p) for w in scenarios for p in _unique(r.tariff for r in case.tariffs)))
    yield from _gaps(case, case.product_markets, ((w, p.product) for w in scenarios for p in case.products))
    yield from _gaps(case, case.overheads, [()])
    for rows in case.every_table:
        if rows and not rows[0].required and (rows[0].key[0], rows[0].key[-1]) == ("scenario", "quarter"):
            names = _unique(str(row.identity()[1]) for row in rows)
            yield from _gaps(case, rows, ((w, name) for w in scenarios for name in names))


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _gaps(case: Case, rows: tuple[schema.Row, ...], series: Iterable[tuple[str, ...]]) -> Iterator[Finding]:
    there = {row.identity() for row in rows}
    file = f"{rows[0].table}.csv"
    for name in series:
        missing = [t for t in case.horizon if (*name, t) not in there]
        if missing:
            what = f" for {', '.join(name)}" if name else ""
            listed = ", ".join(map(str, missing[:4])) + (" ..." if len(missing) > 4 else "")
            why = f"lacks {len(missing)} of {len(case.horizon)} quarters{what}: {listed}"
            yield Finding(file, why, "add a row for each", column="quarter")
    outside = sum(row.identity()[-1] not in case.horizon for row in rows)
    if outside:
        rows_words = "a row" if outside == 1 else f"{outside} rows"
        yield Finding(file, f"has {rows_words} outside the horizon, not used", severity="warning")


def every_offer_has_a_price(case: Case) -> Iterator[Finding]:
    for offer in case.offers:
        for scenario in case.scenarios:
            if (scenario.scenario, offer.offer) not in case.offer_price:
                why = f"has no price in scenario {scenario.scenario!r}"
                yield at(offer, why, "add it to offer_prices.csv", "offer", offer.offer)


def hashprice_can_be_known(case: Case) -> Iterator[Finding]:
    for row in case.bitcoin:
        given = row.hashprice_usd_per_ph_day is not None
        parts = [row.difficulty_t is not None, row.fees_btc_per_block is not None]
        if (given and any(parts)) or (not given and not all(parts)):
            why = "needs either hashprice_usd_per_ph_day, or both difficulty_t and fees_btc_per_block"
            yield at(row, why, "fill one and leave the other blank", "hashprice_usd_per_ph_day")


def profiles_are_whole(case: Case) -> Iterator[Finding]:
    steps: dict[str, list[schema.Profile]] = {}
    for row in case.profiles:
        steps.setdefault(row.profile, []).append(row)
    for name, rows in steps.items():
        if sorted(row.step for row in rows) != list(range(len(rows))):
            yield at(rows[0], "does not count its steps 0, 1, 2, ...", "number them without gaps", "profile", name)


def curves_sum_to_one(case: Case) -> Iterator[Finding]:
    for option in case.options:
        for column in ("facility_curve", "gpu_curve"):
            shares = case.profile[getattr(option, column)]
            if abs(sum(shares) - 1) > SHARE_TOLERANCE:
                why = f"is used as a spending curve, but its shares sum to {sum(shares):.10g}, not 1"
                yield at(option, why, "mend profiles.csv", column, getattr(option, column))
            if len(shares) > option.lead_quarters:
                why = f"spends over {len(shares)} quarters, longer than the lead time of {option.lead_quarters}"
                yield at(option, why, "end the curve by the start of service", column, getattr(option, column))


def ramps_end_at_one(case: Case) -> Iterator[Finding]:
    ramped: tuple[schema.Option | schema.Offer, ...] = (*case.options, *case.offers)
    for row in ramped:
        shares = case.profile[row.ramp]
        if shares[-1] != 1:
            why = f"is used as a ramp, but its last share is {shares[-1]:g}, not 1"
            yield at(row, why, "mend profiles.csv", "ramp", row.ramp)


def gpu_hours_can_be_priced(case: Case) -> Iterator[Finding]:
    for price in case.offer_prices:
        offer = case.offer[price.offer]
        gpus = case.product[offer.product].gpus_per_it_mw
        if price.price_basis == "usd_per_gpu_hour" and (offer.utilisation is None or gpus is None):
            why = f"prices {offer.offer!r} by the GPU-hour, which needs utilisation and its product's gpus_per_it_mw"
            yield at(price, why, "fill both", "price_basis", price.price_basis)
    for market in case.product_markets:
        product = case.product[market.product]
        if market.price_basis == "usd_per_gpu_hour" and None in (product.utilisation, product.gpus_per_it_mw):
            why = f"prices {product.product!r} by the GPU-hour, which needs its utilisation and gpus_per_it_mw"
            yield at(market, why, "fill both in products.csv", "price_basis", market.price_basis)


def fleet_is_counted_once(case: Case) -> Iterator[Finding]:
    for row in case.fleet:
        if (row.units is None) == (row.gross_mw is None):
            yield at(row, "needs either gross_mw or units", "fill one and leave the other blank", "gross_mw")
        elif row.units is not None and case.asic[row.asic].th_per_unit is None:
            why = f"counts machines, but {row.asic!r} has no th_per_unit"
            yield at(row, why, "fill it in asics.csv, or give gross_mw", "units", row.units)


def halvings_lie_ahead(case: Case) -> Iterator[Finding]:
    """`subsidy_btc` is what a block brings before the first date: a date gone by would halve it once more."""
    dates = case.settings.halvings
    for before, day in zip([None, *dates], dates, strict=False):
        if day <= case.first.start:
            why = f"lies before {case.first}, and subsidy_btc is the subsidy from its first day on"
            yield Finding("case.toml", why, "keep only halvings to come", column="halvings", value=str(day))
        if before is not None and day <= before:
            why = f"does not come after {before}"
            yield Finding("case.toml", why, "give each halving once, in order", column="halvings", value=str(day))
