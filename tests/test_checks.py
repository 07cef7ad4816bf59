"""Every check between the rows of a case finds what it is there to find, at the right row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest import DATA, mining_case

import optimizer as opt
from optimizer import checks
from optimizer.case import Case
from optimizer.findings import Finding

Change = Callable[[Case], dict[str, Any]]


def edited(case: Case, table: str, row: int = 0, **cells: Any) -> list[dict[str, Any]]:
    """A table with some cells of one row changed."""
    rows = [old.model_dump() for old in getattr(case, table)]
    assert set(cells) <= set(rows[row])
    rows[row] |= cells
    return rows


def without(case: Case, table: str, row: int = 0) -> list[Any]:
    rows = list(getattr(case, table))
    del rows[row]
    return rows


def more(case: Case, table: str, **cells: Any) -> list[dict[str, Any]]:
    """A table with a copy of its last row, some cells changed, at its end."""
    rows = [old.model_dump() for old in getattr(case, table)]
    return [*rows, rows[-1] | cells]


START = {"option": "north hall", "quarter": "2026Q4", "blocks": 1}
SIGNED = {"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}
POLICY = {
    "policy": "hold", "use": "colo", "site": "north", "first": "2027Q2", "last": "2028Q1", "basis": "it_mw",
    "min_mw": 2, "max_mw": 9,
}  # fmt: skip


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


GPU_HOURS = {"price_basis": "usd_per_gpu_hour"}
C = checks
BROKEN: list[tuple[Callable[..., Any], str, str, Change]] = [
    (C.required_tables_have_rows, "asics.csv", "no rows", lambda c: {"asics": [], "fleet": []}),
    (C.keys_are_unique, "sites.csv", "stands twice", lambda c: {"sites": [*c.sites, c.sites[0].model_dump()]}),
    (C.names_do_not_look_alike, "sites.csv", "'north'", lambda c: {"sites": more(c, "sites", site="North")}),
    (C.product_names_are_free, "products.csv", "reserved",
     lambda c: {"products": more(c, "products", product="mining")}),
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
]  # fmt: skip

NOTED: list[tuple[Callable[..., Any], str, str, Change]] = [
    (C.names_are_used, "asics.csv", "is used by no site's fleet", lambda c: {"asics": more(c, "asics", asic="spare")}),
    (C.every_quarter_is_there, "bitcoin.csv", "has 1 rows outside",
     lambda c: {"bitcoin": more(c, "bitcoin", quarter="2028Q3")}),
    (C.options_make_sense, "options.csv", "lacks firm power", site_edit(fibre="no")),
    (C.options_make_sense, "options.csv", "lies past 2028Q2", option(earliest="2028Q1")),
    (C.offers_make_sense, "offers.csv", "can never be signed", lambda _: {"offer_sites": []}),
    (C.dated_rows_lie_in_the_horizon, "obligations.csv", "lies outside the horizon",
     lambda _: {"obligations": [{"quarter": "2050Q1", "name": "note", "kind": "fee", "musd": 1}]}),
    (C.dated_rows_lie_in_the_horizon, "budget_years.csv", "lies outside the horizon",
     lambda _: {"budget_years": [{"year": 2050, "capex_budget_musd": 1}]}),
]  # fmt: skip


def identity(entry: Any) -> str:
    return entry.__name__ if callable(entry) and entry.__name__ != "<lambda>" else ""


@pytest.mark.parametrize(("check", "file", "words", "change"), BROKEN, ids=identity)
def test_a_broken_case_is_refused(case: Case, check: Callable[..., Any], file: str, words: str, change: Change) -> None:
    with pytest.raises(opt.InputError) as refused:
        case.replace(**change(case))
    told = [f for f in refused.value.findings if f.severity == "error"]
    assert any(f.file == file and words in f.why and f.mend for f in told), str(refused.value)


@pytest.mark.parametrize(("check", "file", "words", "change"), NOTED, ids=identity)
def test_an_odd_case_is_noted(case: Case, check: Callable[..., Any], file: str, words: str, change: Change) -> None:
    warnings = case.replace(**change(case)).warnings
    assert any(f.file == file and words in f.why for f in warnings), warnings
    assert all(f.severity == "warning" for f in warnings)


def test_every_check_has_a_case_that_fails_it() -> None:
    groups = (checks._IDENTITY, checks._REFERENCES, checks._COMPLETENESS, checks._BUSINESS)
    assert {check for group in groups for check in group} == {check for check, *_ in [*BROKEN, *NOTED]}


@pytest.mark.parametrize(("check", "file", "words", "change"), BROKEN, ids=identity)
def test_the_named_check_is_the_one_that_finds_it(
    case: Case, check: Callable[..., Any], file: str, words: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its check the case would pass that point: no other check says the same."""
    for name in ("_IDENTITY", "_REFERENCES", "_COMPLETENESS", "_BUSINESS"):
        monkeypatch.setattr(checks, name, tuple(c for c in getattr(checks, name) if c is not check))
    told: tuple[Finding, ...] = ()
    try:
        case.replace(**change(case))
    except opt.InputError as refused:
        told = refused.findings
    except (LookupError, ValueError, TypeError):
        pass  # later checks stand on the earlier ones
    assert not any(f.file == file and words in f.why for f in told)


def test_the_case_of_these_tests_is_sound() -> None:
    assert mining_case().warnings == ()


@pytest.mark.parametrize("name", ["bitfarms_2025", "keel_2026", "washington_2025"])
def test_a_shipped_case_loads(name: str) -> None:
    case = opt.load_case(DATA / name)
    assert case.settings.name == name
    assert not any(f.severity == "error" for f in case.warnings)
