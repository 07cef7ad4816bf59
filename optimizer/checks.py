"""What must hold between the rows of a case. Each check yields findings; none repairs anything."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer import schema
from optimizer.findings import Finding, as_told
from optimizer.quarters import Quarter
from optimizer.terms import TERMS

if TYPE_CHECKING:
    from optimizer.case import Case

SHARE_TOLERANCE = 1e-9
LONGEST_MATURITY = 200
MW_TOLERANCE = 1e-9
_LATIN = str.maketrans("авекмнорстухіѕјαβεικνορτυχ", "abekmhopctyxisjabeikvoptux")
"""Small Cyrillic and Greek letters that look like Latin ones."""


def check_case(case: Case) -> list[Finding]:
    """All findings about the case as a whole; later checks run only where the earlier ones left something to check."""
    findings: list[Finding] = []
    for group in (_IDENTITY, _REFERENCES, _COMPLETENESS, _BUSINESS):
        for check in group:
            findings += check(case)
        if any(finding.severity == "error" for finding in findings):
            break
    return findings


def _at(row: schema.Row, why: str, mend: str, column: str = "", value: object = "") -> Finding:
    return Finding(f"{row.table}.csv", why, mend, line=row.file_line, column=column, value=as_told(value))


def _note(row: schema.Row, why: str, mend: str = "", column: str = "", value: object = "") -> Finding:
    return replace(_at(row, why, mend, column, value), severity="warning")


def _rows(case: Case) -> Iterator[tuple[schema.Row, ...]]:
    yield from case.every_table


# ---- identity -----------------------------------------------------------------------------------------------


def required_tables_have_rows(case: Case) -> Iterator[Finding]:
    for row_type in schema.TABLES:
        if row_type.required and not getattr(case, row_type.table):
            yield Finding(f"{row_type.table}.csv", "has no rows", "write at least one")


def keys_are_unique(case: Case) -> Iterator[Finding]:
    for rows in _rows(case):
        seen: dict[tuple[object, ...], schema.Row] = {}
        for row in rows:
            earlier = seen.setdefault(row.identity(), row)
            if earlier is not row:
                where = f"stands already in line {earlier.file_line}" if earlier.file_line else "stands twice"
                yield _at(row, where, "keep one", ", ".join(row.key), ", ".join(map(str, row.identity())))


def names_do_not_look_alike(case: Case) -> Iterator[Finding]:
    for rows in _rows(case):
        if not rows or len(rows[0].key) != 1:
            continue
        seen: dict[str, schema.Row] = {}
        for row in rows:
            name = str(row.identity()[0])
            folded = " ".join(unicodedata.normalize("NFKC", name).casefold().translate(_LATIN).split())
            earlier = seen.setdefault(folded, row)
            if earlier is not row and earlier.identity() != row.identity():
                why = f"differs from {str(earlier.identity()[0])!r} only in case, spacing or look-alike letters"
                yield _at(row, why, "use one spelling", row.key[0], name)


def one_name_is_one_thing(case: Case) -> Iterator[Finding]:
    """Statements tell flows by the name of what pays them."""
    named = ("asics", "products", "options", "offers", "facilities", "obligations")
    owner: dict[str, str] = {}
    for table in named:
        for row in case.rows(table):
            name = row.name if table == "obligations" else row.identity()[0]
            if owner.setdefault(name, table) != table:
                column = "name" if table == "obligations" else row.key[0]
                yield _at(row, f"is a name in {owner[name]}.csv too", "call one of them otherwise", column, name)


def product_names_are_free(case: Case) -> Iterator[Finding]:
    for row in case.products:
        if row.product in (schema.MINING, "corporate"):
            yield _at(row, "is a reserved word", "choose another name", "product", row.product)


# ---- references ---------------------------------------------------------------------------------------------


def references_exist(case: Case) -> Iterator[Finding]:
    known = {
        "scenario": {row.scenario for row in case.scenarios},
        "site": {row.site for row in case.sites},
        "tariff": {row.tariff for row in case.tariffs},
        "asic": {row.asic for row in case.asics},
        "product": {row.product for row in case.products},
        "option": {row.option for row in case.options},
        "offer": {row.offer for row in case.offers},
        "profile": {row.profile for row in case.profiles},
        "facility": {row.facility for row in case.facilities},
        "base_rate": {row.base_rate for row in case.base_rates},
        "index": {row.index for row in case.rows("indices")},
    }
    aliases = {
        "facility_curve": "profile", "gpu_curve": "profile", "ramp": "profile",
        "requires": "offer", "requires_offer": "offer", "refinances": "facility",
    }  # fmt: skip
    homes = {"bitcoin": "bitcoin", "index": "indices", "facility": "facilities"}
    for rows in _rows(case):
        for row in rows:
            for column in type(row).model_fields:
                kind = aliases.get(column, column)
                home = homes.get(kind, f"{kind}s")
                if kind not in known or (row.table == home and column in row.key):
                    continue
                value = getattr(row, column)
                if value is not None and value not in known[kind] and value != schema.ANY:
                    yield _at(
                        row, f"is no {kind.replace('_', ' ')} of this case", f"add it to {home}.csv", column, value
                    )


def use_limits_name_uses(case: Case) -> Iterator[Finding]:
    uses = {schema.MINING, *(row.product for row in case.products)}
    for row in case.use_limits:
        if row.use not in uses:
            yield _at(row, "is neither mining nor a product", "name one of them", "use", row.use)


def discount_rates_name_lines(case: Case) -> Iterator[Finding]:
    lines = {"corporate", schema.MINING, *(row.product for row in case.products)}
    rates = case.settings.discount_rates
    if "corporate" not in rates:
        yield Finding("case.toml", "has no rate for `corporate`", "add it", column="discount_rates")
    for name in sorted(set(rates) - lines):
        yield Finding(
            "case.toml", "is no business line", f"use one of {', '.join(sorted(lines))}",
            column="discount_rates", value=name,
        )  # fmt: skip


def names_are_used(case: Case) -> Iterator[Finding]:
    used = {
        "tariffs": ({row.tariff for row in case.tariffs}, {row.tariff for row in case.sites}, "site"),
        "asics": (
            {row.asic for row in case.asics},
            {row.asic for row in case.fleet} | {r.asic for r in case.machine_markets if r.purchase_usd_per_th},
            "site's fleet",
        ),
        "offers": (
            {row.offer for row in case.offers},
            {row.offer for row in case.offer_sites},
            "site (offer_sites)",
        ),
    }
    for table, (names, users, what) in used.items():
        for name in sorted(names - users):
            yield Finding(f"{table}.csv", f"is used by no {what}", value=name, severity="warning")


# ---- completeness -------------------------------------------------------------------------------------------


def every_site_has_a_limit(case: Case) -> Iterator[Finding]:
    first = case.settings.first_quarter
    starts: dict[str, list[Quarter]] = {}
    for row in case.site_limits:
        starts.setdefault(row.site, []).append(row.from_quarter)
    for site in case.sites:
        if not starts.get(site.site):
            yield _at(site, "has no grid limit", "add it to site_limits.csv", "site", site.site)
        elif min(starts[site.site]) > first:
            why = f"has no grid limit before {min(starts[site.site])}, but the horizon begins in {first}"
            yield _at(site, why, "add a step to site_limits.csv", "site", site.site)


def every_quarter_is_there(case: Case) -> Iterator[Finding]:
    scenarios = [row.scenario for row in case.scenarios]
    yield from _gaps(case, case.bitcoin, ((w,) for w in scenarios))
    yield from _gaps(case, case.tariffs, ((w, p) for w in scenarios for p in _unique(r.tariff for r in case.tariffs)))
    yield from _gaps(case, case.product_markets, ((w, p.product) for w in scenarios for p in case.products))
    yield from _gaps(case, case.overheads, [()])
    for rows in (case.base_rates, case.own_plants, case.rows("indices")):
        if rows:
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
                yield _at(offer, why, "add it to offer_prices.csv", "offer", offer.offer)


def hashprice_can_be_known(case: Case) -> Iterator[Finding]:
    for row in case.bitcoin:
        given = row.hashprice_usd_per_ph_day is not None
        parts = [row.difficulty_t is not None, row.fees_btc_per_block is not None]
        if (given and any(parts)) or (not given and not all(parts)):
            why = "needs either hashprice_usd_per_ph_day, or both difficulty_t and fees_btc_per_block"
            yield _at(row, why, "fill one and leave the other blank", "hashprice_usd_per_ph_day")


def profiles_are_whole(case: Case) -> Iterator[Finding]:
    steps: dict[str, list[schema.Profile]] = {}
    for row in case.profiles:
        steps.setdefault(row.profile, []).append(row)
    for name, rows in steps.items():
        if sorted(row.step for row in rows) != list(range(len(rows))):
            yield _at(rows[0], "does not count its steps 0, 1, 2, ...", "number them without gaps", "profile", name)


def curves_sum_to_one(case: Case) -> Iterator[Finding]:
    for option in case.options:
        for column in ("facility_curve", "gpu_curve"):
            shares = case.profile[getattr(option, column)]
            if abs(sum(shares) - 1) > SHARE_TOLERANCE:
                why = f"is used as a spending curve, but its shares sum to {sum(shares):.10g}, not 1"
                yield _at(option, why, "mend profiles.csv", column, getattr(option, column))
            if len(shares) > option.lead_quarters:
                why = f"spends over {len(shares)} quarters, longer than the lead time of {option.lead_quarters}"
                yield _at(option, why, "end the curve by the start of service", column, getattr(option, column))


def ramps_end_at_one(case: Case) -> Iterator[Finding]:
    ramped: tuple[schema.Option | schema.Offer, ...] = (*case.options, *case.offers)
    for row in ramped:
        shares = case.profile[row.ramp]
        if shares[-1] != 1:
            why = f"is used as a ramp, but its last share is {shares[-1]:g}, not 1"
            yield _at(row, why, "mend profiles.csv", "ramp", row.ramp)


def gpu_hours_can_be_priced(case: Case) -> Iterator[Finding]:
    for price in case.offer_prices:
        offer = case.offer[price.offer]
        gpus = case.product[offer.product].gpus_per_it_mw
        if price.price_basis == "usd_per_gpu_hour" and (offer.utilisation is None or gpus is None):
            why = f"prices {offer.offer!r} by the GPU-hour, which needs utilisation and its product's gpus_per_it_mw"
            yield _at(price, why, "fill both", "price_basis", price.price_basis)
    for market in case.product_markets:
        product = case.product[market.product]
        if market.price_basis == "usd_per_gpu_hour" and None in (product.utilisation, product.gpus_per_it_mw):
            why = f"prices {product.product!r} by the GPU-hour, which needs its utilisation and gpus_per_it_mw"
            yield _at(market, why, "fill both in products.csv", "price_basis", market.price_basis)


def fleet_is_counted_once(case: Case) -> Iterator[Finding]:
    for row in case.fleet:
        if (row.units is None) == (row.gross_mw is None):
            yield _at(row, "needs either gross_mw or units", "fill one and leave the other blank", "gross_mw")
        elif row.units is not None and case.asic[row.asic].th_per_unit is None:
            why = f"counts machines, but {row.asic!r} has no th_per_unit"
            yield _at(row, why, "fill it in asics.csv, or give gross_mw", "units", row.units)


# ---- business -----------------------------------------------------------------------------------------------


def machines_fit_their_sites(case: Case) -> Iterator[Finding]:
    for site in case.sites:
        installed = sum(case.fleet_gross_mw(row) for row in case.fleet if row.site == site.site)
        limit = case.limit_gross_mw[site.site, case.first]
        if installed > limit + MW_TOLERANCE:
            why = f"has {installed:g} gross MW of machines and a grid limit of {limit:g} in {case.first}"
            yield _at(site, why, "correct fleet.csv or site_limits.csv", "site", site.site)


def options_make_sense(case: Case) -> Iterator[Finding]:
    ratios: dict[tuple[str, str], schema.Option] = {}
    for row in case.options:
        if row.pue > row.design_ratio:
            why = f"is above the design ratio {row.design_ratio:g}: more energy than power was reserved for"
            yield _at(row, why, "check which is which", "pue", row.pue)
        same = ratios.setdefault((row.site, row.product), row)
        if same.pue != row.pue:
            why = f"differs from {same.pue:g} of {same.option!r}, which serves the same product at the same site"
            yield _at(row, why, "use one PUE, or name a second product", "pue", row.pue)
        if row.mining_stops_quarters > row.lead_quarters:
            why = f"is later than service, which begins {row.lead_quarters} quarters after start"
            yield _at(row, why, "hand over by then", "mining_stops_quarters", row.mining_stops_quarters)
        levels = [
            row.facility_low_musd_per_it_mw,
            row.facility_base_musd_per_it_mw,
            row.facility_high_musd_per_it_mw,
        ]
        if levels != sorted(levels):
            yield _at(
                row,
                "has low, base and high facility capex out of order",
                "order them",
                "facility_base_musd_per_it_mw",
            )
        if not case.eligible(row):
            why = "can never start: its site lacks firm power, fibre or rack density"
            yield _note(row, why, column="option", value=row.option)
        elif case.earliest_start(row) + row.lead_quarters > case.last and not _committed(case, row.option):
            why = f"can never start: service after {row.lead_quarters} quarters of building lies past {case.last}"
            yield _note(row, why, "lengthen the horizon", "option", row.option)


def dated_rows_lie_in_the_horizon(case: Case) -> Iterator[Finding]:
    for row in case.obligations:
        if row.quarter not in case.horizon:
            yield _note(row, "lies outside the horizon and is not counted", column="quarter", value=row.quarter)
    years = {t.year for t in case.horizon}
    for budget in case.budget_years:
        if budget.year not in years:
            yield _note(budget, "lies outside the horizon and is not counted", column="year", value=budget.year)


def horizon_is_long_enough(case: Case) -> Iterator[Finding]:
    longest = max((row.lead_quarters for row in case.options), default=0)
    if longest >= case.settings.quarters:
        yield Finding(
            "case.toml", f"is no longer than the longest lead time ({longest}): AI value would be zero by construction",
            "lengthen the horizon", column="quarters", value=str(case.settings.quarters),
        )  # fmt: skip


def _committed(case: Case, option: str) -> bool:
    return any(row.option == option for row in case.committed_starts)


def offers_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.offers:
        if row.min_it_mw > row.max_it_mw:
            yield _at(row, f"is above the largest size {row.max_it_mw:g}", "swap them", "min_it_mw", row.min_it_mw)
        if row.window_first > row.window_last:
            yield _at(
                row,
                f"is after the window's end {row.window_last}",
                "swap them",
                "window_first",
                row.window_first,
            )
        if row.price_base_quarter is not None and row.price_base_quarter > row.window_first:
            why = f"is after the first possible delivery {row.window_first}"
            yield _at(
                row,
                why,
                "quote the price for a quarter before it",
                "price_base_quarter",
                row.price_base_quarter,
            )
        served = {o.site for o in case.options if o.product == row.product and case.eligible(o)}
        if not served & set(case.sites_of_offer[row.offer]):
            why = f"can never be signed: no site that it accepts can be converted to {row.product}"
            yield _note(row, why, column="offer", value=row.offer)


def terms_make_sense(case: Case) -> Iterator[Finding]:
    for term in TERMS:
        yield from term.check(case)


def machine_markets_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.machine_markets:
        if row.purchase_usd_per_th is not None and row.resale_usd_per_th > row.purchase_usd_per_th:
            why = f"is above the purchase price of {row.purchase_usd_per_th:g}: buying to sell would make money"
            yield _at(row, why, "swap them", "resale_usd_per_th", row.resale_usd_per_th)
    for asic in case.asics:
        if (asic.bought is None) != (asic.life_quarters is None):
            yield _at(asic, "needs both bought and life_quarters", "fill both or neither", "bought", asic.bought)


def deposits_make_sense(case: Case) -> Iterator[Finding]:
    shares: dict[str, float] = {}
    for row in case.deposits:
        shares[row.option] = shares.get(row.option, 0.0) + row.share
        if shares[row.option] > 1 + SHARE_TOLERANCE:
            why = f"brings the deposits of {row.option!r} to {shares[row.option]:g} of facility capex"
            yield _at(row, why, "keep them within 1", "share", row.share)


def gpu_lives_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.gpu_lives:
        option = case.option[row.option]
        if option.gpu_musd_per_it_mw == 0:
            why = "has no GPUs of ours (gpu_musd_per_it_mw is 0)"
            yield _at(row, why, "take the row away, or give their capex in options.csv", "option", row.option)


def facilities_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.facilities:
        if row.drawn_musd > row.commitment_musd:
            why = f"is above the commitment of {row.commitment_musd:g}"
            yield _at(row, why, "correct one of them", "drawn_musd", row.drawn_musd)
        yield from _dates_of_a_facility(case, row)
        if (row.dscr is None) != (row.dscr_from is None):
            yield _at(row, "needs both dscr and dscr_from", "fill both or neither", "dscr", row.dscr)
        if row.loan_to_cost is not None and row.drawn_musd > 0:
            why = "cannot be tested on a balance whose capex lies before the horizon"
            yield _at(row, why, "leave it blank", "loan_to_cost", row.loan_to_cost)
        if row.refinances is not None and case.facility[row.refinances].refinances is not None:
            why = "is itself drawn only to refinance another"
            yield _at(row, why, "name a facility that is drawn for something else", "refinances", row.refinances)


def _dates_of_a_facility(case: Case, row: schema.Facility) -> Iterator[Finding]:
    first, last = row.available_first, row.available_last
    if (first is None) != (last is None):
        why = "needs both available_first and available_last"
        yield _at(row, why, "fill both, or neither where it cannot be drawn", "available_first", first)
    elif first is not None and last is not None and first > last:
        yield _at(row, f"is after available_last {last}", "swap them", "available_first", first)
    if last is not None and row.maturity <= last:
        yield _at(row, f"is not after the last draw in {last}", "correct one of them", "maturity", row.maturity)
    if row.maturity > case.last + LONGEST_MATURITY:
        why = f"lies more than {LONGEST_MATURITY} quarters after the horizon"
        yield _at(row, why, "check the year", "maturity", row.maturity)
    if row.maturity < case.first:
        yield _at(row, "lies before the horizon", "take the repaid facility away", "maturity", row.maturity)
    if first is None and row.drawn_musd == 0:
        yield _note(row, "is neither drawn nor can it be", "fill available_first", "facility", row.facility)


def amortisation_is_whole(case: Case) -> Iterator[Finding]:
    for facility in case.facilities:
        rows = [row for row in case.amortisation if row.facility == facility.facility]
        if not rows:
            continue
        total = sum(row.share for row in rows)
        if abs(total - 1) > SHARE_TOLERANCE:
            why = f"is repaid by {total:.10g} in all, not 1"
            yield _at(rows[0], why, "correct the shares", "facility", facility.facility)
        final = max((row.quarter for row in rows if row.share > 0), default=None)
        if final is not None and final != facility.maturity:
            why = f"is repaid for the last time in {final}, not at its maturity {facility.maturity}"
            yield _at(rows[0], why, "correct one of them", "facility", facility.facility)
        for row in rows:
            if facility.available_last is not None and row.quarter <= facility.available_last and row.share > 0:
                why = f"is repaid while it can still be drawn, until {facility.available_last}"
                yield _at(row, why, "start repaying after that", "quarter", row.quarter)


def borrowing_is_never_idle_income(case: Case) -> Iterator[Finding]:
    """Cash that earns more than a loan costs would make the plan borrow for nothing."""
    earned = case.settings.cash_rate or 0.0
    for row in case.facilities:
        if not row.can_be_drawn or row.drawn_musd >= row.commitment_musd:
            continue
        floating = [r.rate for r in case.base_rates if r.base_rate == row.base_rate]
        cheapest = row.margin + min(floating, default=0.0)
        if earned >= cheapest and (earned > 0 or cheapest < 0):
            why = f"makes this loan cost {cheapest:.2%} a year where cash earns {earned:.2%}: idle debt would be income"
            yield _at(row, why, "correct the rate, or cash_rate in case.toml", "margin", row.margin)


def treasury_settings_are_whole(case: Case) -> Iterator[Finding]:
    settings = case.settings
    holds = bool(settings.btc_held or settings.hold_mined_btc)
    needs = {
        "btc_liquidity_share": ("btc_held or hold_mined_btc", holds),
        "tax_losses_musd": ("tax_rate", settings.tax_rate is not None),
        "tax_loss_use": ("tax_rate", settings.tax_rate is not None),
    }
    for name, (other, there) in needs.items():
        value = getattr(settings, name)
        if value is not None and not there:
            yield Finding(
                "case.toml", f"has no meaning without {other}", "add that, or take this away",
                column=name, value=f"{value:g}",
            )  # fmt: skip
    for row in case.depreciation:
        if settings.tax_rate is None:
            yield _note(row, "has no effect: the case gives no tax_rate", column="line", value=row.line)
            break


def use_limits_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.use_limits:
        if row.min_mw is None and row.max_mw is None:
            yield _at(row, "sets neither floor nor ceiling", "fill min_mw or max_mw", "policy", row.policy)
        if row.min_mw is not None and row.max_mw is not None and row.min_mw > row.max_mw:
            yield _at(row, f"is above the ceiling {row.max_mw:g}", "swap them", "min_mw", row.min_mw)
        if row.first > row.last:
            yield _at(row, f"is after its last quarter {row.last}", "swap them", "first", row.first)
        if row.use == schema.MINING and row.basis != "gross_mw":
            yield _at(
                row,
                "has no meaning for mining, which is measured at the meter",
                "write gross_mw",
                "basis",
                row.basis,
            )


def customer_share_is_whole(case: Case) -> Iterator[Finding]:
    share, since = case.settings.max_customer_share, case.settings.max_customer_share_from
    if (share is None) != (since is None):
        why = "needs both max_customer_share and max_customer_share_from"
        yield Finding("case.toml", why, "give both or neither", column="max_customer_share")


def commitments_are_possible(case: Case) -> Iterator[Finding]:
    blocks: dict[str, int] = {}
    for row in case.committed_starts:
        option = case.option[row.option]
        blocks[row.option] = blocks.get(row.option, 0) + row.blocks
        if not case.eligible(option):
            yield _at(
                row,
                "is committed at a site that is not eligible for it",
                "correct sites.csv",
                "option",
                row.option,
            )
        if row.quarter + option.lead_quarters > case.last:
            why = f"would be in service only after the horizon ends in {case.last}"
            yield _at(row, why, "lengthen the horizon", "quarter", row.quarter)
        if blocks[row.option] > option.max_blocks:
            why = f"makes {blocks[row.option]} blocks where the option has at most {option.max_blocks}"
            yield _at(row, why, "raise max_blocks", "blocks", row.blocks)
    groups: dict[str, schema.CommittedContract] = {}
    for contract in case.committed_contracts:
        offer = case.offer[contract.offer]
        if offer.exclusive_group and groups.setdefault(offer.exclusive_group, contract) is not contract:
            why = f"is the second contract of the exclusive group {offer.exclusive_group!r}"
            yield _at(contract, why, "commit one of the group", "offer", contract.offer)
        if not any((o.site, o.product) == (contract.site, offer.product) for o in case.options):
            why = f"has no option for {offer.product}, so nothing can ever serve this contract"
            yield _at(contract, why, "add the hall to options.csv", "site", contract.site)
        if contract.site not in case.sites_of_offer[contract.offer]:
            yield _at(contract, "does not accept this site", "add it to offer_sites.csv", "site", contract.site)
        if not offer.min_it_mw <= contract.it_mw <= offer.max_it_mw:
            why = f"is outside the offer's size of {offer.min_it_mw:g} to {offer.max_it_mw:g} IT MW"
            yield _at(contract, why, "correct one of them", "it_mw", contract.it_mw)
        if not offer.window_first <= contract.quarter <= min(offer.window_last, case.last):
            why = f"is outside the offer's window {offer.window_first} to {offer.window_last} or the horizon"
            yield _at(contract, why, "correct one of them", "quarter", contract.quarter)


def committed_spending_fits(case: Case) -> Iterator[Finding]:
    spent = 0.0
    for row in case.committed_starts:
        option = case.option[row.option]
        it_mw = row.blocks * option.block_gross_mw / option.design_ratio
        facility = it_mw * case.facility_musd_per_it_mw(option)
        ordered = [deposit for deposit in case.deposits if deposit.option == row.option]
        spent += sum(facility * d.share for d in ordered if row.quarter - d.quarters_before >= case.first)
        for curve, musd in (
            (option.facility_curve, facility * (1 - sum(d.share for d in ordered))),
            (option.gpu_curve, it_mw * option.gpu_musd_per_it_mw),
        ):
            spent += sum(musd * w for k, w in enumerate(case.profile[curve]) if row.quarter + k >= case.first)
    if spent > case.settings.capex_budget_musd + 1e-6 and not case.rows("tenant_funding"):
        yield Finding(
            "case.toml", f"is below the ${spent:,.1f}M that commitments spend within the horizon",
            f"raise it by ${spent - case.settings.capex_budget_musd:,.1f}M or more",
            column="capex_budget_musd", value=f"{case.settings.capex_budget_musd:g}",
        )  # fmt: skip


_Check = Callable[["Case"], Iterable[Finding]]
_IDENTITY: tuple[_Check, ...] = (
    required_tables_have_rows, keys_are_unique, names_do_not_look_alike, product_names_are_free,
    one_name_is_one_thing,
)  # fmt: skip
_REFERENCES: tuple[_Check, ...] = (
    references_exist, use_limits_name_uses, discount_rates_name_lines, names_are_used,
)  # fmt: skip
_COMPLETENESS: tuple[_Check, ...] = (
    every_site_has_a_limit, every_quarter_is_there, every_offer_has_a_price, hashprice_can_be_known,
    profiles_are_whole, curves_sum_to_one, ramps_end_at_one, gpu_hours_can_be_priced, fleet_is_counted_once,
)  # fmt: skip
_BUSINESS: tuple[_Check, ...] = (
    machines_fit_their_sites, options_make_sense, dated_rows_lie_in_the_horizon, horizon_is_long_enough,
    offers_make_sense, use_limits_make_sense, customer_share_is_whole, commitments_are_possible,
    committed_spending_fits, terms_make_sense, machine_markets_make_sense, deposits_make_sense, gpu_lives_make_sense,
    facilities_make_sense, amortisation_is_whole, borrowing_is_never_idle_income, treasury_settings_are_whole,
)  # fmt: skip
