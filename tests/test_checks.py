"""Every check between the rows of a case finds what it is there to find, at the right row."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, mining_case

import optimizer as opt
from optimizer.case import checks
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES, Case, _parse
from optimizer.case.schema import Settings
from optimizer.case.terms import (
    TERMS,
    backstops,
    credit,
    escalation,
    extensions,
    favoured_sites,
    late_delivery,
    leases,
    prepayments,
    prerequisites,
    rent_free,
    size_tiers,
    take_or_pay,
    tenant_funding,
    tranches,
)
from optimizer.ground.findings import Finding

pytestmark = pytest.mark.core

Cells = dict[str, Any]
Change = Callable[[Case], dict[str, Any]]


def dump(case: Case, table: str) -> list[Cells]:
    return [row.model_dump() for row in case.rows(table)]


def edited(case: Case, table: str, row: int = 0, **cells: Any) -> list[dict[str, Any]]:
    """A table with some cells of one row changed."""
    rows = dump(case, table)
    assert set(cells) <= set(rows[row])
    rows[row] |= cells
    return rows


def without(case: Case, table: str, row: int = 0) -> list[Any]:
    rows = list(case.rows(table))
    del rows[row]
    return rows


def more(case: Case, table: str, **cells: Any) -> list[dict[str, Any]]:
    """A table with a copy of its last row, some cells changed, at its end."""
    rows = dump(case, table)
    return [*rows, rows[-1] | cells]


START = {"option": "north hall", "quarter": "2026Q4", "blocks": 1}
SIGNED = {"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}
POLICY = {
    "policy": "hold", "use": "colo", "site": "north", "first": "2027Q2", "last": "2028Q1", "basis": "it_mw",
    "min_mw": 2, "max_mw": 9,
}  # fmt: skip


# ---- a case with everything ---------------------------------------------------------------------------------------

QUARTERS = [f"{2027 + i // 4}Q{i % 4 + 1}" for i in range(10)]
FUTURES = ("base", "low")
MACHINE_PRICES = {
    "delivery_quarters": 1, "reference_hashprice_usd_per_ph_day": 60, "elasticity": 1, "yearly_decline": 0.2,
}  # fmt: skip
PHASES = {"offer": "phases"}


def always(**cells: Any) -> list[Cells]:
    """A row for each future and quarter."""
    return [{"scenario": future, "quarter": t} | cells for future in FUTURES for t in QUARTERS]


def loan(name: str, **cells: Any) -> Cells:
    """$30M for the company, drawn in the first five quarters, without fees or tests."""
    return {
        "facility": name, "commitment_musd": 30, "drawn_musd": 0, "available_first": "2027Q1",
        "available_last": "2028Q1", "maturity": "2029Q2", "base_rate": "SOFR", "margin": 0.04, "upfront_fee": 0,
        "undrawn_fee": 0, "interest_every_quarters": 1, "loan_to_cost": None, "minimum_cash_musd": None, "dscr": None,
        "dscr_from": None, "prepayable": False, "requires_offer": None, "refinances": None, "rank": None,
        "first_coupon": None,
    } | cells  # fmt: skip


@cache
def full_case() -> Case:
    """Ten quarters, two futures, a row in every table and a value in every column; its plan uses nearly all of it."""
    plain = mining_case(quarters=10)
    lease, miner = dump(plain, "offers")[0], dump(plain, "asics")[0]
    return plain.replace(
        opening_cash_musd=26, capex_budget_musd=200, mining_ends="2029Q1", max_blocks_under_construction=3,
        max_it_mw_under_construction=30, max_customer_share=0.95, max_customer_share_from="2028Q3",
        scenarios=[{"scenario": future, "description": f"the {future} one"} for future in FUTURES],
        sites=edited(plain, "sites", mining_ends="2029Q1"),
        asics=[
            miner | {"retires_after": "2028Q4", "th_per_unit": 200, "bought": "2025Q1", "life_quarters": 17},
            miner | {"asic": "new", "joules_per_th": 15},
        ],
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 15}, {"site": "south", "asic": "miner", "units": 2000}],
        machine_markets=[
            {"asic": "miner", "resale_usd_per_th": 3, "purchase_usd_per_th": None, "moving_cost_musd_per_gross_mw": 0.1,
             "max_sales_mw_per_quarter": 20}
            | MACHINE_PRICES,
            {"asic": "new", "resale_usd_per_th": 8, "purchase_usd_per_th": 10, "moving_cost_musd_per_gross_mw": None}
            | MACHINE_PRICES,
        ],
        power_escalators=[{"tariff": "north", "from_quarter": "2027Q1", "yearly_rise": 0.02}],
        price_steps=[
            row | {"step": step, "hours_share": share, "energy_usd_per_mwh": price}
            for row in always(tariff="north")
            for step, share, price in ((1, 0.9, 36), (2, 0.1, 76))
        ],
        ratchets=[{"site": "south", "ratchet_share": 0.5, "ratchet_quarters": 2, "highest_before_gross_mw": 5}],
        grid_groups=[{"group": "feeder", "site": "north"}, {"group": "feeder", "site": "south"}],
        grid_group_limits=[{"group": "feeder", "from_quarter": "2027Q1", "limit_gross_mw": 48}],
        own_plants=always(site="south", capacity_mw=3, cost_usd_per_mwh=20),
        offers=[lease, lease | MORE_OF_PHASES],
        offer_sites=[{"offer": "lease", "site": "north"}, PHASES | {"site": "north"}, PHASES | {"site": "south"}],
        customers=[
            {"customer": "Bob", "yearly_default": 0.05, "relet_quarters": 2, "relet_rent_share": 0.8,
             "recovered_share": 0.2},
        ],
        committed_starts=[START],
        committed_contracts=[SIGNED],
        obligations=[{"quarter": "2027Q2", "name": "notes of 2024", "kind": "interest", "musd": 2}],
        budget_years=[{"year": 2027, "capex_budget_musd": 150}],
        use_limits=[POLICY],
        allow=[{"file": "*", "column": "*", "row": "*", "reason": "toy numbers"}],
        **markets_of_futures(plain),
        **halls_with_gpus(plain),
        **TERMS_OF_PHASES,
        **TREASURY,
    )  # fmt: skip


def markets_of_futures(plain: Case) -> dict[str, list[Cells]]:
    """The low future gives difficulty instead of hashprice; BTC rises late, so that it is worth holding."""
    tables = {
        name: [row | {"scenario": future} for future in FUTURES for row in dump(plain, name)]
        for name in ("tariffs", "bitcoin", "product_markets", "offer_prices")
    }
    for i, row in enumerate(tables["bitcoin"]):
        row["btc_usd"] = 100_000 if i % 10 < 6 else 120_000
        if row["scenario"] == "low":
            row |= {"hashprice_usd_per_ph_day": None, "difficulty_t": 140, "fees_btc_per_block": 0.1}
    gpu_hours = {"product": "gpu", "price": 3.5, "price_basis": "usd_per_gpu_hour"}
    tables["product_markets"] += [row | gpu_hours for row in tables["product_markets"]]
    tables["offer_prices"] += [row | PHASES | {"price": 210} for row in tables["offer_prices"]]
    return tables


def halls_with_gpus(plain: Case) -> dict[str, list[Cells]]:
    colo, (north, south) = dump(plain, "products")[0], dump(plain, "options")
    return {
        "products": [
            colo | {"residual_life_quarters": 60},
            colo | {"product": "gpu", "kind": "gpu_service", "power_passed_through": False},
        ],
        "options": [
            north | {"max_blocks": 2},
            south,
            south | {"option": "gpu hall", "product": "gpu", "gpu_musd_per_it_mw": 9, "block_gross_mw": 2.8},
        ],
        "deposits": [{"option": "north hall", "quarters_before": 1, "share": 0.1}],
        "gpu_lives": [
            {"option": "gpu hall", "life_quarters": 4, "residual_share": 0.2, "refresh_musd_per_it_mw": 3,
             "relet_product": "colo", "refit_musd_per_it_mw": 0.2},
        ],
    }  # fmt: skip


MORE_OF_PHASES = PHASES | {
    "customer": "Bob", "min_it_mw": 4, "max_it_mw": 8, "window_first": "2027Q3", "window_last": "2028Q2",
    "term_quarters": 12, "price_base_quarter": "2027Q1", "power_passed_through": False, "ramp": "half then full",
    "utilisation": 0.9, "exclusive_group": "either", "sign_by": "2027Q4",
}  # fmt: skip
TERMS_OF_PHASES: dict[str, list[Cells]] = {
    "indices": always(index="cpi", yearly_rise=0.03),
    "index_escalators": [PHASES | {"index": "cpi", "floor": 0.01, "cap": 0.05}],
    "site_prices": [PHASES | {"site": "south", "price_share": 0.97}],
    "price_tiers": [PHASES | {"up_to_it_mw": 6, "price_share": 1}, PHASES | {"up_to_it_mw": 8, "price_share": 0.95}],
    "tranches": [PHASES | {"quarters_after": 0, "share": 0.5}, PHASES | {"quarters_after": 2, "share": 0.5}],
    "extensions": [PHASES | {"step": 1, "quarters": 4, "price_share": 0.4}],
    "usage": [PHASES | {"scenario": future, "taken_share": 0.8} for future in FUTURES],
    "take_or_pay": [PHASES | {"floor_share": 0.9}],
    "rent_free": [PHASES | {"quarters": 1}],
    "prepayments": [PHASES | {"rent_share": 0.1, "paid_quarters_before": 1, "credited_after_month": 6}],
    "tenant_funding": [PHASES | {"musd_per_it_mw": 0.5, "paid_quarters_before": 1, "credit_share": 0.3, "rate": 0.08}],
    "backstops": [PHASES | {"upfront_musd_per_it_mw": 0.05, "rent_share": 0.02, "yearly_default": 0.01}],
    "leases": [PHASES | {"kind": "gross", "cost_musd_per_it_mw_year": 0.1, "cost_growth": 0.03}],
    "late_delivery": [
        PHASES | {"deadline": "2027Q4", "damages_musd_per_it_mw_quarter": 0.1, "walk_away_quarters": 4},
    ],
    "prerequisites": [PHASES | {"requires": "lease"}],
}  # fmt: skip
TREASURY: dict[str, Any] = {
    "cash_rate": 0.02, "btc_held": 20, "btc_liquidity_share": 0.5, "btc_rule": "schedule", "minimum_btc": 2,
    "max_btc_sales_per_quarter": 50, "end_coverage": 2, "market_looks_ahead_quarters": 4,
    "allow_planned_lateness": True,
    "discount_rates": {"corporate": 0.08, "mining": 0.15, "colo": 0.1, "debt": 0.07},
    "tax_rate": 0.21, "tax_losses_musd": 4, "tax_loss_use": 0.8,
    "depreciation": [{"line": "facility_capex", "quarters": 20}, {"line": "machine_purchases", "quarters": 8}],
    "base_rates": always(base_rate="SOFR", rate=0.04),
    "facilities": [
        loan("note", commitment_musd=20, drawn_musd=20, available_first=None, available_last=None, base_rate=None,
             maturity="2028Q4", margin=0.11, interest_every_quarters=2, prepayable=True, first_coupon="2027Q2", rank=2),
        loan("project loan", upfront_fee=0.01, undrawn_fee=0.005, loan_to_cost=0.9,
             minimum_cash_musd=5, dscr=1.2, dscr_from="2028Q4", requires_offer="phases"),
        loan("new note", commitment_musd=15, available_last="2028Q4", maturity="2030Q4", base_rate=None, margin=0.06,
             prepayable=True, refinances="note"),
    ],
    "btc_schedule": [{"quarter": "2027Q2", "btc": 5}],
    "collateral": [{"facility": "project loan", "option": "south hall"}],
    "amortisation": [
        {"facility": "project loan", "quarter": t, "share": 0.25} for t in ("2028Q3", "2028Q4", "2029Q1", "2029Q2")
    ],
}  # fmt: skip


# ---- what breaks a case -------------------------------------------------------------------------------------------


def policy(**cells: Any) -> Change:
    return lambda _: {"use_limits": [POLICY | cells]}


def option(**cells: Any) -> Change:
    return lambda case: {"options": edited(case, "options", **cells)}


def offer(**cells: Any) -> Change:
    return lambda case: {"offers": edited(case, "offers", **cells)}


def started(**cells: Any) -> Change:
    return lambda _: {"committed_starts": [START | cells]}


def signed(**cells: Any) -> Change:
    return lambda _: {"committed_contracts": [SIGNED | cells]}


def site_edit(**cells: Any) -> Change:
    return lambda case: {"sites": edited(case, "sites", **cells)}


def edit(table: str, row: int = 0, **cells: Any) -> Change:
    return lambda case: {table: edited(case, table, row, **cells)}


def drop(table: str, row: int = 0) -> Change:
    return lambda case: {table: without(case, table, row)}


def add(table: str, **cells: Any) -> Change:
    return lambda case: {table: more(case, table, **cells)}


def settings(**values: Any) -> Change:
    return lambda _: values


GPU_HOURS = {"price_basis": "usd_per_gpu_hour"}
C = checks
Broken = tuple[Callable[..., Any], str, str, Change]
PLAIN_BROKEN: list[Broken] = [
    (C.required_tables_have_rows, "asics.csv", "no rows", lambda c: {"asics": [], "fleet": []}),
    (C.keys_are_unique, "sites.csv", "stands twice", lambda c: {"sites": [*c.sites, c.sites[0].model_dump()]}),
    (C.names_do_not_look_alike, "sites.csv", "'north'", lambda c: {"sites": more(c, "sites", site="North")}),
    *((C.product_names_are_free, "products.csv", "reserved",
       lambda c, name=name: {"products": more(c, "products", product=name)})
      for name in ("mining", "corporate", "machines_idle", "construction", "unused")),
    (C.one_name_is_one_thing, "obligations.csv", "name in options.csv too",
     lambda c: {"obligations": [{"quarter": c.first, "name": c.options[0].option, "kind": "fee", "musd": 1}]}),
    (C.references_exist, "fleet.csv", "no asic", lambda c: {"fleet": edited(c, "fleet", asic="S99")}),
    (C.references_exist, "options.csv", "no profile", option(facility_curve="steps")),
    (C.references_exist, "offers.csv", "no product", offer(product="gpu")),
    (C.references_exist, "sites.csv", "no tariff", site_edit(tariff="Hydro")),
    (C.references_exist, "committed_starts.csv", "no option", started(option="east hall")),
    (C.references_exist, "committed_contracts.csv", "no offer", signed(offer="rent")),
    (C.references_exist, "use_limits.csv", "no site", policy(site="east")),
    (C.use_limits_name_uses, "use_limits.csv", "neither mining nor a product", policy(use="gold")),
    (C.discount_rates_name_lines, "case.toml", "no rate for `corporate`",
     lambda _: {"discount_rates": {"mining": 0.1}}),
    (C.discount_rates_name_lines, "case.toml", "no business line",
     lambda _: {"discount_rates": {"corporate": 0.1, "gold": 0.1}}),
    (C.every_site_has_a_limit, "sites.csv", "no grid limit", lambda c: {"site_limits": without(c, "site_limits", 1)}),
    (C.every_site_has_a_limit, "sites.csv", "no grid limit before 2027Q2",
     lambda c: {"site_limits": edited(c, "site_limits", from_quarter="2027Q2")}),
    (C.every_quarter_is_there, "bitcoin.csv", "lacks 1 of 6 quarters for base: 2027Q3",
     lambda c: {"bitcoin": without(c, "bitcoin", 2)}),
    (C.every_quarter_is_there, "tariffs.csv", "for base, south: 2028Q2",
     lambda c: {"tariffs": without(c, "tariffs", -1)}),
    (C.every_quarter_is_there, "product_markets.csv", "for base, colo: 2027Q1",
     lambda c: {"product_markets": without(c, "product_markets")}),
    (C.every_quarter_is_there, "overheads.csv", "lacks 1 of 6 quarters: 2028Q2",
     lambda c: {"overheads": without(c, "overheads", -1)}),
    (C.every_quarter_is_there, "overheads.csv", "lacks 1 of 7 quarters: 2028Q3", lambda _: {"quarters": 7}),
    (C.every_offer_has_a_price, "offers.csv", "no price in scenario 'base'", lambda _: {"offer_prices": []}),
    (C.hashprice_can_be_known, "bitcoin.csv", "needs either",
     lambda c: {"bitcoin": edited(c, "bitcoin", hashprice_usd_per_ph_day=None, difficulty_t=140)}),
    (C.hashprice_can_be_known, "bitcoin.csv", "needs either",
     lambda c: {"bitcoin": edited(c, "bitcoin", difficulty_t=140)}),
    (C.profiles_are_whole, "profiles.csv", "does not count its steps",
     lambda c: {"profiles": edited(c, "profiles", -1, step=2)}),
    (C.curves_sum_to_one, "options.csv", "sum to 0.999999, not 1",
     lambda c: {"profiles": edited(c, "profiles", 1, share=0.299999)}),
    (C.curves_sum_to_one, "options.csv", "spends over 2 quarters, longer than the lead time of 1",
     option(lead_quarters=1)),
    (C.ramps_end_at_one, "offers.csv", "last share is 0.7", offer(ramp="two steps")),
    (C.ramps_end_at_one, "options.csv", "last share is 0.7", option(ramp="two steps")),
    (C.gpu_hours_can_be_priced, "offer_prices.csv", "needs utilisation",
     lambda c: {"offer_prices": edited(c, "offer_prices", **GPU_HOURS)}),
    (C.gpu_hours_can_be_priced, "product_markets.csv", "needs its utilisation",
     lambda c: {"product_markets": edited(c, "product_markets", 3, **GPU_HOURS),
                "products": edited(c, "products", utilisation=None)}),
    (C.machines_fit_their_sites, "sites.csv", "30.1 gross MW of machines and a grid limit of 30",
     lambda c: {"fleet": edited(c, "fleet", gross_mw=30.1)}),
    (C.options_make_sense, "options.csv", "above the design ratio", option(pue=1.51)),
    (C.options_make_sense, "options.csv", "differs from 1.2",
     lambda c: {"options": [*c.options, c.options[0].model_dump() | {"option": "annex", "pue": 1.3}]}),
    (C.options_make_sense, "options.csv", "later than service", option(mining_stops_quarters=3)),
    (C.options_make_sense, "options.csv", "out of order", option(facility_low_musd_per_it_mw=3.1)),
    (C.horizon_is_long_enough, "case.toml", "AI value would be zero", option(lead_quarters=6)),
    (C.offers_make_sense, "offers.csv", "above the largest size", offer(min_it_mw=8.1)),
    (C.offers_make_sense, "offers.csv", "after the window's end", offer(window_first="2028Q1", window_last="2027Q4")),
    (C.offers_make_sense, "offers.csv", "after the first possible delivery", offer(price_base_quarter="2027Q2")),
    (C.use_limits_make_sense, "use_limits.csv", "neither floor nor ceiling", policy(min_mw=None, max_mw=None)),
    (C.use_limits_make_sense, "use_limits.csv", "above the ceiling", policy(min_mw=10)),
    (C.use_limits_make_sense, "use_limits.csv", "after its last quarter", policy(first="2028Q2")),
    (C.use_limits_make_sense, "use_limits.csv", "no meaning for mining", policy(use="mining")),
    (C.customer_share_is_whole, "case.toml", "needs both", lambda _: {"max_customer_share": 0.5}),
    (C.customer_share_is_whole, "case.toml", "needs both", lambda _: {"max_customer_share_from": "2027Q2"}),
    (C.commitments_are_possible, "committed_starts.csv", "not eligible",
     lambda c: {"committed_starts": [START], "sites": edited(c, "sites", max_rack_kw=79)}),
    (C.commitments_are_possible, "committed_starts.csv", "only after the horizon", started(quarter="2028Q1")),
    (C.commitments_are_possible, "committed_starts.csv", "at most 1", started(blocks=2)),
    (C.commitments_are_possible, "committed_contracts.csv", "does not accept", signed(site="south")),
    (C.commitments_are_possible, "committed_contracts.csv", "outside the offer's size", signed(it_mw=7)),
    (C.commitments_are_possible, "committed_contracts.csv", "outside the offer's window", signed(quarter="2026Q4")),
    # 8 IT MW at $3M, of which 30% were spent before the horizon and 70% are spent in it: $16.8M
    (C.committed_spending_fits, "case.toml", "below the $16.8M",
     lambda _: {"committed_starts": [START], "capex_budget_musd": 16.7}),
    # a tenth was paid a quarter earlier still: 70% of $21.6M
    (C.committed_spending_fits, "case.toml", "below the $15.1M",
     lambda _: {"committed_starts": [START], "capex_budget_musd": 15.1,
                "deposits": [{"option": "north hall", "quarters_before": 1, "share": 0.1}]}),
]  # fmt: skip

FULL_BROKEN: list[Broken] = [
    (C.every_quarter_is_there, "base_rates.csv quarter", "lacks 1 of 10 quarters for low, SOFR: 2029Q2",
     drop("base_rates", -1)),
    (C.every_quarter_is_there, "own_plants.csv quarter", "for base, south: 2027Q1", drop("own_plants")),
    (C.every_quarter_is_there, "indices.csv quarter", "for base, cpi: 2027Q1", drop("indices")),
    (C.fleet_is_counted_once, "fleet.csv gross_mw", "either gross_mw or units", edit("fleet", gross_mw=None)),
    (C.fleet_is_counted_once, "fleet.csv gross_mw", "either gross_mw or units", edit("fleet", units=7)),
    (C.fleet_is_counted_once, "fleet.csv units", "'miner' has no th_per_unit", edit("asics", th_per_unit=None)),
    # 2,100 machines of 200 TH/s, 20 J/TH and 4% overhead draw 8.736 MW, and the hundred of another class 0.416
    (C.machines_fit_their_sites, "sites.csv site", "9.152 gross MW of machines and a grid limit of 9",
     lambda c: {"fleet": [{"site": "south", "asic": "miner", "units": 2100},
                          {"site": "south", "asic": "new", "units": 100}],
                "asics": edited(c, "asics", 1, th_per_unit=200, joules_per_th=20),
                "site_limits": edited(c, "site_limits", 1, limit_gross_mw=9)}),
    (C.commitments_are_possible, "committed_contracts.csv offer", "second contract of the exclusive group 'either'",
     lambda c: {"offers": edited(c, "offers", exclusive_group="either"),
                "committed_contracts": [SIGNED, PHASES | {"site": "south", "quarter": "2028Q1", "it_mw": 5}]}),
    (C.commitments_are_possible, "committed_contracts.csv site", "no option for gpu, so nothing can ever serve",
     edit("offers", product="gpu")),
    (C.machine_markets_make_sense, "machine_markets.csv resale_usd_per_th", "above the purchase price of 10",
     edit("machine_markets", 1, resale_usd_per_th=10.1)),
    (C.machine_markets_make_sense, "asics.csv bought", "both bought and life_quarters",
     edit("asics", bought=None)),
    (C.machine_markets_make_sense, "asics.csv bought", "both bought and life_quarters",
     edit("asics", life_quarters=None)),
    (C.deposits_make_sense, "deposits.csv share", "brings the deposits of 'north hall' to 1.05 of facility capex",
     add("deposits", quarters_before=2, share=0.95)),
    (C.gpu_lives_make_sense, "gpu_lives.csv option", "has no GPUs of ours",
     edit("gpu_lives", option="south hall", relet_product="gpu")),
    (C.gpu_lives_make_sense, "gpu_lives.csv relet_product", "needs both relet_product and refit",
     edit("gpu_lives", refit_musd_per_it_mw=None)),
    (C.gpu_lives_make_sense, "gpu_lives.csv relet_product", "what the hall was sold as with its GPUs",
     edit("gpu_lives", relet_product="gpu")),
    (C.grid_groups_have_limits, "grid_groups.csv group", "has no limit in 2027Q1",
     edit("grid_group_limits", from_quarter="2027Q2")),
    (C.grid_groups_have_limits, "grid_group_limits.csv group", "gross MW of machines and a shared limit of 20",
     edit("grid_group_limits", limit_gross_mw=20)),
    (C.price_steps_are_whole, "price_steps.csv hours_share", "to 0.95 of the quarter, not 1",
     edit("price_steps", 1, hours_share=0.05)),
    (C.price_steps_are_whole, "price_steps.csv energy_usd_per_mwh", "averages to 41 in 2027Q1 with the other steps",
     edit("price_steps", 1, energy_usd_per_mwh=86)),
    (C.offers_make_sense, "offers.csv sign_by", "after the last possible delivery 2028Q2",
     edit("offers", 1, sign_by="2028Q3")),
    (C.facilities_make_sense, "facilities.csv drawn_musd", "above the commitment of 20",
     edit("facilities", drawn_musd=20.1)),
    (C.facilities_make_sense, "facilities.csv available_first", "both available_first and available_last",
     edit("facilities", 1, available_last=None)),
    (C.facilities_make_sense, "facilities.csv available_first", "both available_first and available_last",
     edit("facilities", 1, available_first=None)),
    (C.facilities_make_sense, "facilities.csv available_first", "after available_last 2028Q1",
     edit("facilities", 1, available_first="2028Q2")),
    (C.facilities_make_sense, "facilities.csv maturity", "not after the last draw in 2028Q4",
     edit("facilities", 2, maturity="2028Q4")),
    (C.facilities_make_sense, "facilities.csv maturity", "before the horizon", edit("facilities", maturity="2026Q4")),
    (C.facilities_make_sense, "facilities.csv dscr", "both dscr and dscr_from", edit("facilities", 1, dscr=None)),
    (C.facilities_make_sense, "facilities.csv dscr", "both dscr and dscr_from", edit("facilities", 1, dscr_from=None)),
    (C.facilities_make_sense, "facilities.csv loan_to_cost", "whose capex lies before the horizon",
     edit("facilities", loan_to_cost=0.5)),
    (C.facilities_make_sense, "facilities.csv interest_every_quarters", "no first_coupon says in which",
     edit("facilities", first_coupon=None)),
    (C.collateral_is_whole, "collateral.csv option", "shares a site and product with 'south annex'",
     lambda c: {"options": [*dump(c, "options"), dump(c, "options")[1] | {"option": "south annex"}]}),
    (C.facilities_make_sense, "facilities.csv refinances", "drawn only to refinance another",
     edit("facilities", 2, refinances="new note")),
    (C.amortisation_is_whole, "amortisation.csv facility", "repaid by 0.95 in all, not 1",
     edit("amortisation", share=0.2)),
    (C.amortisation_is_whole, "amortisation.csv facility", "repaid by 0 in all, not 1",
     lambda _: {"amortisation": [{"facility": "note", "quarter": "2028Q4", "share": 0}]}),
    (C.amortisation_is_whole, "amortisation.csv facility", "last time in 2029Q1, not at its maturity 2029Q2",
     edit("amortisation", 3, quarter="2028Q2")),
    (C.amortisation_is_whole, "amortisation.csv quarter", "while it can still be drawn, until 2028Q1",
     edit("amortisation", quarter="2028Q1")),
    (C.treasury_settings_are_whole, "case.toml btc_liquidity_share", "without btc_held or btc_rule",
     lambda _: {"btc_held": None, "btc_rule": "sell_mined", "btc_schedule": [], "minimum_btc": None,
                "max_btc_sales_per_quarter": None}),
    (C.treasury_settings_are_whole, "case.toml minimum_btc", "above the 20 BTC held", settings(minimum_btc=21)),
    (C.treasury_settings_are_whole, "case.toml btc_rule", "needs the table btc_schedule",
     lambda _: {"btc_schedule": []}),
    (C.treasury_settings_are_whole, "case.toml btc_rule", "does not follow the table btc_schedule",
     settings(btc_rule="free")),
    (C.treasury_settings_are_whole, "btc_schedule.csv btc", "brings BTC sold to 19, more than the 20 held leave",
     edit("btc_schedule", btc=19)),
    (C.treasury_settings_are_whole, "btc_schedule.csv btc", "above max_btc_sales_per_quarter of 3",
     settings(max_btc_sales_per_quarter=3)),
    (C.treasury_settings_are_whole, "case.toml tax_losses_musd", "without tax_rate", settings(tax_rate=None)),
    (C.treasury_settings_are_whole, "case.toml discount_rates.corporate", "all one when losses are set against profits",
     settings(discount_rates={"corporate": 0.0, "mining": 0.1, "colo": 0.1})),
    (C.treasury_settings_are_whole, "case.toml tax_loss_use", "without tax_rate", settings(tax_rate=None)),
    (escalation.check, "index_escalators.csv floor", "above the cap of 0.05", edit("index_escalators", floor=0.06)),
    (escalation.check, "index_escalators.csv offer", "fixed escalator of 0.02 beside the index",
     edit("offers", 1, escalator=0.02)),
    (escalation.check, "index_escalators.csv offer", "quoted for 2026Q4, before the index begins in 2027Q1",
     edit("offers", 1, price_base_quarter="2026Q4")),
    (favoured_sites.check, "site_prices.csv site", "not accepted by 'lease'", edit("site_prices", offer="lease")),
    (size_tiers.check, "price_tiers.csv price_share", "not below the 1 of sizes up to 6 IT MW",
     edit("price_tiers", 1, price_share=1)),
    (size_tiers.check, "price_tiers.csv up_to_it_mw", "not the offer's largest size of 8",
     edit("price_tiers", 1, up_to_it_mw=7.9)),
    (tranches.check, "tranches.csv offer", "sum to 0.9, not 1", edit("tranches", share=0.4)),
    (tranches.check, "tranches.csv offer", "no tranche at first delivery", edit("tranches", quarters_after=1)),
    (tranches.check, "tranches.csv quarters_after", "not within the term of 12 quarters",
     edit("tranches", 1, quarters_after=12)),
    (extensions.check, "extensions.csv step", "follows no option 1", edit("extensions", step=2)),
    (extensions.check, "extensions.csv step", "follows no option 2", add("extensions", step=3)),
    (rent_free.check, "rent_free.csv quarters", "all of the term of", edit("rent_free", quarters=20)),
    (take_or_pay.check, "usage.csv offer", "in some scenarios, but not in low", drop("usage", 1)),
    (prepayments.check, "prepayments.csv rent_share", "more than the 83.3% of the term that is left after month 6",
     edit("prepayments", rent_share=0.84)),
    (prepayments.check, "prepayments.csv rent_share", "more than the 0.0% of the term that is left after month 39",
     edit("prepayments", credited_after_month=39)),
    (tenant_funding.check, "tenant_funding.csv credit_share", "never be repaid",
     edit("tenant_funding", credit_share=0)),
    (backstops.check, "backstops.csv yearly_default", "above the 0.05 of 'Bob' without a backstop",
     edit("backstops", yearly_default=0.051)),
    (backstops.check, "backstops.csv offer", "backs 'Bob', whose own chance of default is not known",
     lambda _: {"customers": []}),
    (leases.check, "leases.csv kind", "does not pass its power through", edit("leases", kind="triple_net")),
    (late_delivery.check, "late_delivery.csv deadline", "before the first possible delivery in 2027Q3",
     edit("late_delivery", deadline="2027Q2", walk_away_quarters=6)),
    (late_delivery.check, "late_delivery.csv walk_away_quarters",
     "leave after 2028Q1, but the window reaches to 2028Q2",
     edit("late_delivery", walk_away_quarters=1)),
    (prerequisites.check, "prerequisites.csv requires", "needs 'lease' in turn",
     add("prerequisites", offer="lease", requires="phases")),
    (prerequisites.check, "prerequisites.csv requires", "needs 'phases' in turn",
     edit("prerequisites", requires="phases")),
]  # fmt: skip

PLAIN_NOTED: list[Broken] = [
    (C.names_are_used, "asics.csv", "is used by no site's fleet", lambda c: {"asics": more(c, "asics", asic="spare")}),
    (C.every_quarter_is_there, "bitcoin.csv", "has a row outside",
     lambda c: {"bitcoin": more(c, "bitcoin", quarter="2028Q3")}),
    (C.options_make_sense, "options.csv", "lacks firm power", site_edit(fibre="no")),
    (C.options_make_sense, "options.csv", "lies past 2028Q2", option(earliest="2028Q1")),
    (C.offers_make_sense, "offers.csv", "can never be signed", lambda _: {"offer_sites": []}),
    (C.dated_rows_lie_in_the_horizon, "obligations.csv", "lies outside the horizon",
     lambda _: {"obligations": [{"quarter": "2050Q1", "name": "note", "kind": "fee", "musd": 1}]}),
    (C.dated_rows_lie_in_the_horizon, "budget_years.csv", "lies outside the horizon",
     lambda _: {"budget_years": [{"year": 2050, "capex_budget_musd": 1}]}),
]  # fmt: skip


FULL_NOTED: list[Broken] = [
    (credit.check, "customers.csv customer", "is the customer of no offer",
     add("customers", customer="Eve")),
    (C.facilities_make_sense, "facilities.csv facility", "neither drawn nor can it be",
     edit("facilities", drawn_musd=0)),
    (C.treasury_settings_are_whole, "depreciation.csv line", "the case gives no tax_rate",
     settings(tax_rate=None, tax_losses_musd=None, tax_loss_use=None)),
    (C.every_quarter_is_there, "base_rates.csv", "has a row outside", add("base_rates", quarter="2029Q3")),
    (C.every_quarter_is_there, "indices.csv", "has a row outside", add("indices", quarter="2029Q3")),
    (C.every_quarter_is_there, "own_plants.csv", "has a row outside", add("own_plants", quarter="2029Q3")),
    (C.names_are_used, "asics.csv", "is used by no site's fleet",
     lambda c: {"machine_markets": edited(c, "machine_markets", 1, purchase_usd_per_th=None)}),
]  # fmt: skip


@cache
def plain_case() -> Case:
    return mining_case()


BROKEN = [(plain_case, *entry) for entry in PLAIN_BROKEN] + [(full_case, *entry) for entry in FULL_BROKEN]
NOTED = [(plain_case, *entry) for entry in PLAIN_NOTED] + [(full_case, *entry) for entry in FULL_NOTED]
COLUMNS = ("base", "check", "place", "words", "change")
GROUPS = ("_IDENTITY", "_REFERENCES", "_COMPLETENESS", "_BUSINESS")


def identity(entry: Any) -> str:
    """A check's name; the checks of terms are named after their term."""
    if not callable(entry) or entry.__name__.endswith(("<lambda>", "_case")):
        return ""
    return entry.__module__.rpartition(".")[2] if entry.__name__ == "check" else entry.__name__


def told(findings: tuple[Finding, ...], place: str, words: str) -> list[Finding]:
    """The findings at a place (a file, and a column where it is named) that say these words."""
    file, _, column = place.partition(" ")
    return [f for f in findings if f.file == file and column in ("", f.column) and words in f.why]


@pytest.mark.parametrize(COLUMNS, BROKEN, ids=identity)
def test_a_broken_case_is_refused(
    base: Callable[[], Case], check: Callable[..., Any], place: str, words: str, change: Change
) -> None:
    with pytest.raises(opt.InputError) as refused:
        base().replace(**change(base()))
    found = told(refused.value.findings, place, words)
    assert any(f.severity == "error" and f.mend for f in found), str(refused.value)


@pytest.mark.parametrize(COLUMNS, NOTED, ids=identity)
def test_an_odd_case_is_noted(
    base: Callable[[], Case], check: Callable[..., Any], place: str, words: str, change: Change
) -> None:
    warnings = base().replace(**change(base())).warnings
    assert told(warnings, place, words), warnings
    assert all(f.severity == "warning" for f in warnings)


def test_every_check_has_a_case_that_fails_it() -> None:
    """Those of the case, and in the place of `terms_make_sense` those of every term."""
    demanded = {check for group in GROUPS for check in getattr(checks, group)} | {term.check for term in TERMS}
    assert demanded - {checks.terms_make_sense} == {check for _, check, *_ in [*BROKEN, *NOTED]}


@pytest.mark.parametrize(COLUMNS, BROKEN, ids=identity)
def test_the_named_check_is_the_one_that_finds_it(
    base: Callable[[], Case], check: Callable[..., Any], place: str, words: str, change: Change,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Without its check the case would pass that point: no other check says the same."""
    for name in GROUPS:
        monkeypatch.setattr(checks, name, tuple(c for c in getattr(checks, name) if c is not check))
    monkeypatch.setattr(checks.business, "TERMS", tuple(term for term in TERMS if term.check is not check))
    findings: tuple[Finding, ...] = ()
    try:
        base().replace(**change(base()))
    except opt.InputError as refused:
        findings = refused.findings
    except (LookupError, ValueError, TypeError, AssertionError):
        pass  # later checks stand on the earlier ones
    assert not told(findings, place, words)


def test_a_blank_is_not_told_as_a_word() -> None:
    """Of columns that need each other the finding may stand at the blank one; its value is blank, not `None`."""
    for change in (edit("asics", bought=None), edit("facilities", 1, available_first=None, dscr=None)):
        with pytest.raises(opt.InputError) as refused:
            full_case().replace(**change(full_case()))
        assert "None" not in {f.value for f in refused.value.findings}


@pytest.mark.parametrize("shares", [(0.33, 0.56, 0.11), (0.7, 0.2, 0.1), (1,)])
def test_deposits_may_be_all_of_it(shares: tuple[float, ...]) -> None:
    """Shares whose sum is 1 but for the last bit of a float."""
    rows = [{"option": "north hall", "quarters_before": i, "share": share} for i, share in enumerate(shares, start=1)]
    assert full_case().replace(deposits=rows).warnings == ()


def test_all_that_credits_can_repay_may_be_prepaid(case: Case) -> None:
    """A term of 5 quarters credited after 12 months leaves one, which 20% of the rent just fills."""
    terms = [{"offer": "lease", "rent_share": 0.2, "paid_quarters_before": 1, "credited_after_month": 12}]
    assert case.replace(offers=edited(case, "offers", term_quarters=5), prepayments=terms).warnings == ()


def test_the_cases_of_these_tests_are_sound() -> None:
    assert mining_case().warnings == full_case().warnings == ()


# ---- every table --------------------------------------------------------------------------------------------------


def references() -> list[tuple[str, str, str]]:
    """Table, column and what it names, for every column that names a row of another table."""
    homes = {
        TABLE_TYPES[name].key[-1]: name for name in ("sites", "asics", "products", "options", "offers", "scenarios")
    }
    homes |= {"tariff": "tariffs", "profile": "profiles", "index": "indices", "base_rate": "base_rates",
              "facility": "facilities"}  # fmt: skip
    kinds = dict.fromkeys(("facility_curve", "gpu_curve", "ramp"), "profile")
    kinds |= {"requires": "offer", "requires_offer": "offer", "refinances": "facility"}
    return [
        (table, column, kinds.get(column, column))
        for table, row_type in TABLE_TYPES.items()
        for column in row_type.model_fields
        if (kinds.get(column, column) in homes and homes[kinds.get(column, column)] != table) or column == "refinances"
    ]


@pytest.mark.parametrize(("table", "column", "kind"), references())
def test_a_name_that_is_nowhere_is_refused(table: str, column: str, kind: str) -> None:
    with pytest.raises(opt.InputError) as refused:
        full_case().replace(**edit(table, **{column: "nowhere"})(full_case()))
    (found,) = told(refused.value.findings, f"{table}.csv {column}", f"is no {kind.replace('_', ' ')} of this case")
    assert (found.value, found.severity) == ("nowhere", "error")
    assert found.mend.startswith("add it to ")


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_a_row_that_stands_twice_is_refused(table: str) -> None:
    row = full_case().rows(table)[0]
    with pytest.raises(opt.InputError) as refused:
        full_case().replace(**{table: [*full_case().rows(table), row.model_dump()]})
    assert told(refused.value.findings, f"{table}.csv {', '.join(row.key)}", "stands twice")


# ---- one cell -----------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, str, Any, str]] = [
    ("index_escalators", "floor", 1.1, "must be at most 1"),
    ("index_escalators", "cap", -1, "must be above -1"),
    ("take_or_pay", "floor_share", 1.1, "must be at most 1"),
    ("take_or_pay", "floor_share", "90%", "a percentage is written as a share"),
    ("usage", "taken_share", -0.1, "must be at least 0"),
    ("price_tiers", "price_share", 1.05, "must be at most 1"),
    ("price_tiers", "up_to_it_mw", 0, "must be above 0"),
    ("site_prices", "price_share", 105, "must be at most 3"),
    ("tranches", "quarters_after", -1, "must be at least 0"),
    ("tranches", "share", 50, "must be at most 1"),
    ("extensions", "step", 0, "must be at least 1"),
    ("extensions", "quarters", 61, "must be at most 60"),
    ("extensions", "price_share", 0, "must be above 0"),
    ("prepayments", "credited_after_month", 5, "multiple of 3"),
    ("prepayments", "credited_after_month", -3, "must be at least 0"),
    ("prepayments", "paid_quarters_before", 1.5, "is not a whole number"),
    ("tenant_funding", "musd_per_it_mw", 500_000, "must be at most 100"),
    ("tenant_funding", "rate", -0.01, "must be at least 0"),
    ("backstops", "yearly_default", 9, "must be at most 1"),
    ("customers", "yearly_default", 1, "must be below 1"),
    ("customers", "relet_quarters", 21, "must be at most 20"),
    ("price_steps", "hours_share", 0, "must be above 0"),
    ("ratchets", "ratchet_quarters", 0, "must be at least 1"),
    ("facilities", "rank", 0, "must be at least 1"),
    ("products", "residual_life_quarters", 0, "must be at least 1"),
    ("backstops", "rent_share", "", "is blank"),
    ("leases", "kind", "net", "is not one of 'triple_net', 'modified_gross' or 'gross'"),
    ("late_delivery", "deadline", "2027-12", "is not a quarter"),
    ("late_delivery", "walk_away_quarters", 21, "must be at most 20"),
    ("offers", "term_quarters", 0, "must be at least 1"),
    ("asics", "life_quarters", 0, "must be at least 1"),
    ("asics", "th_per_unit", 0, "must be above 0"),
    ("asics", "bought", "2025", "is not a quarter"),
    ("fleet", "units", -5, "must be above 0"),
    ("machine_markets", "delivery_quarters", 13, "must be at most 12"),
    ("machine_markets", "yearly_decline", 1, "must be below 1"),
    ("machine_markets", "elasticity", 6, "must be at most 5"),
    ("machine_markets", "purchase_usd_per_th", 0, "must be above 0"),
    ("own_plants", "cost_usd_per_mwh", 0.02e6, "must be at most 1000"),
    ("deposits", "quarters_before", 0, "must be at least 1"),
    ("gpu_lives", "refresh_musd_per_it_mw", 0, "must be above 0"),
    ("gpu_lives", "life_quarters", 2.5, "is not a whole number"),
    ("facilities", "interest_every_quarters", 5, "must be at most 4"),
    ("facilities", "prepayable", "maybe", "is neither yes nor no"),
    ("facilities", "upfront_fee", 1.5, "must be at most 1"),
    ("facilities", "dscr", -1, "must be at least 0"),
    ("facilities", "maturity", None, "is blank"),
    ("amortisation", "share", 1.1, "must be at most 1"),
    ("depreciation", "line", "rent", "is not one of 'facility_capex', 'gpu_capex', 'mobilisation' or"),
    ("depreciation", "quarters", 0, "must be at least 1"),
    ("base_rates", "rate", 4.5, "must be at most 1"),
    ("case", "allow_planned_lateness", "maybe", "is neither yes nor no"),
    ("case", "allow_planned_lateness", 1, "is neither yes nor no"),
    ("case", "btc_rule", "hold", "is not one of 'sell_mined', 'schedule' or 'free'"),
    ("case", "market_looks_ahead_quarters", 0, "must be at least 1"),
    ("case", "cash_rate", 4.5, "must be at most 1"),
    ("case", "btc_held", -1, "must be at least 0"),
    ("case", "btc_liquidity_share", 1.5, "must be at most 1"),
    ("case", "tax_rate", 21, "must be at most 1"),
    ("case", "tax_losses_musd", -4, "must be at least 0"),
    ("case", "tax_loss_use", "80%", "a percentage is written as a share"),
]


@pytest.mark.parametrize(("table", "column", "value", "words"), WRONG)
def test_a_wrong_cell_is_refused_in_plain_words(table: str, column: str, value: Any, words: str) -> None:
    change = {column: value} if table == "case" else edit(table, **{column: value})(full_case())
    with pytest.raises(opt.InputError) as refused:
        full_case().replace(**change)
    file = "case.toml" if table == "case" else f"{table}.csv"
    (found,) = refused.value.findings
    assert (found.file, found.column, found.value) == (file, column, "" if value is None else str(value))
    assert words in found.why + found.mend
    assert found.mend


ODD_VALUES = ["", " ", "x", "*", "\u200b", "yes", "2027Q1", "2028-04-12", -1, 0, 1, 5, 2.5, 1e12, 1e99, float("nan"),
              None, True, [], {}, b"x", ["x"], {"x": 5}, object()]  # fmt: skip


@pytest.mark.parametrize("table", [*TABLE_NAMES, "case"])
def test_no_wrong_cell_is_told_in_the_words_of_a_library(table: str) -> None:
    """Whatever stands in a cell, it is accepted or refused in words that its owner knows."""
    model = Settings if table == "case" else TABLE_TYPES[table]
    good = full_case().settings.model_dump() if table == "case" else dump(full_case(), table)[0]
    findings: list[Finding] = []
    for column in model.model_fields:
        for value in ODD_VALUES:
            _parse(model, good | {column: value}, table, None, findings)
    assert findings
    assert not {(f.column, f.why, f.value) for f in findings if "case-format.md" in f.mend}


# ---- what ships ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bitfarms_2025", "keel_2026", "washington_2025"])
def test_a_shipped_case_loads(name: str) -> None:
    case = opt.load_case(DATA / name)
    assert case.settings.name == name
    assert not any(f.severity == "error" for f in case.warnings)


@pytest.mark.parametrize(("patience", "allowed", "noted"), [(20, True, True), (19, True, False), (20, False, False)])
def test_a_contract_that_may_end_undelivered_is_noted(folder: Path, patience: int, allowed: bool, noted: bool) -> None:
    """A tenant as patient as its contract is long (20 quarters) could be signed for its money alone, never served,
    where a plan may be late on purpose.
    """
    header = "offer,deadline,damages_musd_per_it_mw_quarter,walk_away_quarters\n"
    (folder / "late_delivery.csv").write_text(f"{header}enterprise-c-suite,2027Q2,0.1,{patience}\n")
    settings = (folder / "case.toml").read_text()
    (folder / "case.toml").write_text(f"allow_planned_lateness = {str(allowed).lower()}\n{settings}")
    notes = [note for note in opt.load_case(folder).warnings if "never delivered" in note.why]
    assert bool(notes) == noted


@pytest.mark.parametrize(("sign_by", "noted"), [("2025Q4", True), ("2026Q1", False), ("", False)])
def test_an_offer_that_ended_before_the_case_is_noted(folder: Path, sign_by: str, noted: bool) -> None:
    """Washington begins with 2026Q1; what could be accepted until the quarter before it cannot be signed any more."""
    header, *rows = (folder / "offers.csv").read_text().splitlines()
    ends = [sign_by if row.startswith("enterprise-c-suite,") else "" for row in rows]
    lines = [f"{header},sign_by", *(f"{row},{end}" for row, end in zip(rows, ends, strict=True))]
    (folder / "offers.csv").write_text("\n".join(lines) + "\n")
    notes = [note for note in opt.load_case(folder).warnings if "can no longer be signed" in note.why]
    assert [note.value for note in notes] == ([sign_by] if noted else [])


# ---- older formats ------------------------------------------------------------------------------------------------


def test_a_case_of_an_older_format_is_told_every_word_that_changed(tmp_path: Path) -> None:
    """One sentence for each, also where the old column cannot be read any more: nothing keeps its old meaning."""
    from optimizer.case.checks.formats import CHANGED
    from optimizer.case.folder import write_case

    write_case(full_case(), tmp_path)
    toml = (tmp_path / "case.toml").read_text("utf-8")
    toml = toml.replace("format = 2", "format = 1").replace("cash_rate", "hold_mined_btc = true\ncash_rate")
    (tmp_path / "case.toml").write_text(toml)
    loans = (tmp_path / "facilities.csv").read_text("utf-8").splitlines()
    (tmp_path / "facilities.csv").write_text("\n".join([f"{loans[0]},site", *(f"{line},*" for line in loans[1:])]))
    with pytest.raises(opt.InputError) as refused:
        opt.load_case(tmp_path)
    told = [(finding.file, finding.column) for finding in refused.value.findings]
    assert told == [("case.toml", "format"), *((file, column) for file, column, *_ in CHANGED)]
    assert all(finding.mend for finding in refused.value.findings)
