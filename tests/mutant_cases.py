"""The cases on which planted bugs must show: random ones, those solved by hand, and some made to trip a single bug."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

import pytest
from hand_cases import Row, asic, hand_case, lease_case, machine_market, q, two_leases

import optimizer as opt
from optimizer.ground.quarters import Quarter

DATA = Path(__file__).parents[1] / "data"
SEEDS = (2, 3, 4, 8, 10, 11, 13, 16, 18, 19, 21, 22, 24, 26, 31, 41, 44, 50)
"""Random cases, from those of `test_enumeration.py`."""
SOLVED_BY_HAND = (
    "gpu_hours_follow_the_calendar 0",
    "a_halving_inside_a_quarter_counts_by_days 0",
    "residuals_are_dated_at_the_end_of_the_horizon 0",
    "one_customer_pays_at_most_its_share_of_the_rent 0",
    "a_yearly_budget_is_checked_on_spending 0",
    "a_yearly_budget_is_checked_on_spending 1",
    "committed_work_before_the_horizon_is_sunk_but_served 0",
    "power_after_the_horizon_costs_the_last_tariff_and_calendar_hours 0",
    "work_begun_before_the_horizon_counts_as_under_construction 0",
    "a_plan_exists_though_doing_nothing_would_break_a_policy 0",
    "mobilisation_is_paid_once_in_the_first_start_quarter 0",
    "a_floor_on_a_product_counts_blocks_in_service 0",
    "half_a_hall_is_usable_in_its_first_quarter_and_half_a_lease_is_billed 0",
    "terms_work_on_each_other_in_their_order 0",
    "no_start_whose_service_lies_past_the_horizon 0",
    "no_start_whose_service_lies_past_the_horizon 1",
    "a_contract_may_be_short_while_its_hall_ramps 1",
    "a_contract_past_the_tenants_patience_may_not_be_short 0",
    "late_delivery_pays_damages_on_all_megawatts_until_the_tenant_walks_away 0",
    "a_tenant_extends_while_its_price_is_no_higher_than_the_market 0",
    "a_tenant_extends_while_its_price_is_no_higher_than_the_market 1",
    "an_offer_may_require_another 1",
    "a_lease_is_served_only_where_its_customer_accepts 0",
    "twins_leave_a_third_site_alone 0",
    "a_customers_share_is_capped_from_its_quarter_on 0",
    "less_than_one_btc_has_its_cost_too 0",
    "steps_of_the_grid_count_by_their_quarters_not_by_their_rows 0",
    "gpus_are_refreshed_where_that_pays 1",
    "gpus_are_refreshed_again_and_again 0",
    "gpus_in_service_before_the_horizon_age_from_their_service 0",
    "a_prepayment_is_received_early_and_credited_back 1",
    "a_tenants_money_lowers_capex_and_is_credited_on_its_rent 0",
    "the_three_kinds_of_lease_leave_different_costs_with_the_landlord 1",
    "the_three_kinds_of_lease_leave_different_costs_with_the_landlord 2",
    "deposits_are_paid_before_the_start_and_need_time 0",
    "a_price_follows_its_index_between_floor_and_cap 0",
    "budgets_count_capex_net_of_the_tenants_money 0",
    "the_whole_contract_pays_the_price_of_its_tier 1",
    "machines_are_bought_within_grid_budget_and_cash 1",
    "machines_move_in_place_of_weaker_ones_where_that_pays 0",
    "an_own_plant_feeds_machines_up_to_its_capacity 0",
    "units_of_machines_become_megawatts_at_the_wall 0",
    "a_machine_is_fit_for_its_life_or_until_it_retires 0",
    "a_machine_is_fit_for_its_life_or_until_it_retires 2",
    "a_machine_bought_at_once_may_be_sent_on_at_once 0",
    "machines_that_retire_fetch_nothing_so_the_last_fit_quarter_is_the_last_to_sell 0",
    "the_resale_price_follows_hashprice_and_declines_with_age 0",
    "cash_cost_per_btc_direct_and_total 0",
    "a_loan_is_drawn_as_far_as_the_project_lacks_cash 1",
    "interest_is_a_base_rate_and_a_spread_and_goes_on_after_the_horizon 0",
    "fees_are_paid_on_the_commitment_and_on_what_is_not_drawn 0",
    "interest_every_two_quarters_is_paid_for_both 0",
    "each_draw_is_repaid_by_the_shares_of_the_schedule 0",
    "a_loan_is_prepaid_from_all_free_cash 0",
    "a_prepayment_lowers_what_accrues_until_the_next_interest_date 0",
    "a_company_repays_what_it_owes_and_pays_for_what_it_left_undrawn 0",
    "a_loan_is_limited_to_a_share_of_the_cost 1",
    "loan_to_cost_is_net_of_the_tenants_money 0",
    "debt_service_cover_counts_scheduled_repayments 0",
    "debt_service_cover_counts_scheduled_repayments 1",
    "a_tenants_prepayment_is_no_margin 0",
    "a_secured_loan_is_covered_by_its_halls_alone 0",
    "a_lender_may_ask_for_a_signed_lease 0",
    "a_dear_note_is_refinanced_at_once 0",
    "cash_earns_interest_on_what_the_quarter_opens_with 0",
    "bitcoin_may_count_as_liquidity 1",
    "mined_bitcoin_is_kept_where_the_policy_allows 0",
    "tax_is_paid_on_income_less_depreciation_and_losses 0",
    "tax_is_on_the_business_and_not_on_how_it_is_paid_for 0",
    "mining_is_taxed_and_machines_are_written_off 0",
    "cash_covenants_hold_while_the_loan_is_outstanding 1",
    "two_loans_on_one_hall_share_its_cost 1",
    "three_loans_that_overlap_owe_no_more_than_all_halls_cost 1",
    "a_junior_lender_counts_the_senior_one_and_not_the_other_way 1",
    "a_balloon_is_refinanced_and_not_served 0",
    "what_a_loan_costs_above_the_normal_is_value_and_no_more 0",
    "what_is_owed_at_the_end_is_covered_by_what_is_still_to_come 1",
)
"""Tests whose case is solved, with the number of their parameters."""

ParameterSet = type(pytest.param())
HAND = ("test_hand_solved", "test_hand_contracts", "test_hand_fleet", "test_hand_treasury", "test_hand_lenders")


@dataclass(frozen=True)
class Trial:
    """A case in plain words, so that it can be made again by a program that was changed."""

    name: str
    scenario: str
    settings: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]


def trial(name: str, case: opt.Case, scenario: str) -> Trial:
    from optimizer.case.case import TABLE_NAMES

    tables = {table: [_plain(row.model_dump()) for row in case.rows(table)] for table in TABLE_NAMES}
    return Trial(name, scenario, _plain(case.settings.model_dump()), tables)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(cell) if isinstance(cell, Quarter) else cell for name, cell in row.items()}


class Harvested(Exception):
    """A test asked for a case to be solved; that is all we want of it."""

    def __init__(self, case: opt.Case, scenario: str):
        self.case, self.scenario = case, scenario


def by_hand() -> Iterator[Trial]:
    """The first case that each test with a sum done by hand solves."""

    def harvest(case: opt.Case, scenario: str | None = None, **_: Any) -> None:
        raise Harvested(case, scenario or case.rows("scenarios")[0].scenario)

    solve = opt.solve
    try:
        opt.solve = harvest  # type: ignore[assignment]
        for module in map(importlib.import_module, HAND):
            for name, test in inspect.getmembers(module, inspect.isfunction):
                if name.startswith("test_"):
                    yield from _harvest(name, test)
    finally:
        opt.solve = solve


def _harvest(name: str, test: Callable[..., None]) -> Iterator[Trial]:
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    choices = [[_arguments(mark.args[0], row) for row in mark.args[1]] for mark in marks]
    for i, chosen in enumerate(product(*choices)):
        arguments = {key: value for part in chosen for key, value in part.items()}
        if set(arguments) != set(inspect.signature(test).parameters):
            continue
        try:
            test(**arguments)
        except Harvested as found:
            yield trial(f"{name.removeprefix('test_')} {i}", found.case, found.scenario)


def _arguments(names: Any, row: Any) -> dict[str, Any]:
    """Arguments by name, from one row of a parametrised test."""
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    values = row.values if isinstance(row, ParameterSet) else row if len(names) > 1 else [row]
    return dict(zip(names, values, strict=True))


def trials() -> list[Trial]:
    """The fixed set of cases: random ones and those solved by hand in turn, and a shipped one."""
    from small_cases import scenario_of, small_case

    known = {made.name: made for made in by_hand()}
    seeds = [trial(f"small case {seed}", small_case(seed), scenario_of(seed)) for seed in SEEDS]
    shipped = opt.load_case(DATA / "washington_2025")
    others = [*(known[name] for name in SOLVED_BY_HAND), *made_for_it(), trial("washington_2025", shipped, "base")]
    return [made for pair in zip_longest(seeds, others) for made in pair if made is not None]


# ---- made to trip a single bug ------------------------------------------------------------------------------------


CHEAP_HALL = {"facility_base_musd_per_it_mw": 1, "facility_low_musd_per_it_mw": 0.5, "max_blocks": [1, 0]}


def fleet(site: str, gross_mw: float) -> list[Row]:
    return [{"site": site, "asic": "miner", "gross_mw": gross_mw}]


def made_for_it() -> Iterator[Trial]:
    """Cases that were missing: each was made for planted bugs that had survived all others."""
    for name, case in _extended():
        yield trial(name, case, "base")
    for name, case in _of_twins():
        yield trial(name, case, "base")
    for name, case in _of_machines():
        yield trial(name, case, "base")
    last = {"max_customer_share": 0.65, "max_customer_share_from": q(5)}
    yield trial("a customer's share counts in the last quarter", hand_case(fleet=[], **last, **two_leases()), "base")
    halved = {"hashprice_usd_per_ph_day": None, "difficulty_t": 60, "fees_btc_per_block": 0.15}
    first_day = {"bitcoin": halved, "halvings": ["2027-07-01"], "fleet": fleet("north", 25)}
    yield trial("a halving on the first day of a quarter", hand_case(**first_day), "base")
    parts = [{"offer": "lease", "quarters_after": after, "share": 0.5} for after in (0, 6)]
    two_blocks = {"options": {"max_blocks": [2, 0]}, "tranches": parts}
    grows = lease_case({"min_it_mw": 16, "max_it_mw": 16}, **two_blocks)
    yield trial("a tranche follows after the horizon", grows, "base")
    gpus: Row = {"option": "north hall", "life_quarters": 1, "residual_share": 0.2, "refresh_musd_per_it_mw": None}
    short = lease_case(
        offers=[], offer_prices=[], offer_sites=[], gpu_lives=[gpus], product_markets={"price": 4000, "depth_it_mw": 8},
        options={"gpu_musd_per_it_mw": 0.5, "max_blocks": [1, 0], "ramp": "half then full"},
    )  # fmt: skip
    yield trial("GPUs die before their hall is full", short, "base")
    given = {"facility_base_musd_per_it_mw": 0, "facility_low_musd_per_it_mw": 0, "mobilisation_musd": [2, 0]}
    yield trial("a hall costs its mobilisation alone", lease_case(options=given), "base")
    mobilised = {"mobilisation_musd": [2, 0], "earliest": "2028Q2", "max_blocks": 2}
    starts = [{"option": "north hall", "quarter": q(t), "blocks": 1} for t in (1, 0)]
    yield trial("two starts were committed", hand_case(options=mobilised, committed_starts=starts), "base")


def _extended() -> Iterator[tuple[str, opt.Case]]:
    step: Row = {"offer": "lease", "step": 1, "quarters": 4, "price_share": 0.9}
    tie = {"offer_prices": {"price": 177.7}, "product_markets": {"price": 159.93}}
    yield "an extension at the price of the market", lease_case({"term_quarters": 6}, extensions=[step], **tie)
    for name, usual, then in (("low", 185, 150), ("high", 150, 185)):
        quotes = {"price": [usual] * 4 + [then] + [usual]}
        case = lease_case({"term_quarters": 2}, extensions=[step], product_markets=quotes, options=CHEAP_HALL)
        yield f"an extension asked for in a quarter of {name} prices", case
    indices = [
        {"scenario": "base", "index": index, "quarter": q(t), "yearly_rise": rise}
        for index, rise in (("cpi", 0.04), ("wages", 0.07)) for t in range(6)
    ]  # fmt: skip
    rising = [{"offer": "lease", "index": "cpi", "floor": 0.01, "cap": 0.09}]
    yield "two indices", lease_case(indices=indices, index_escalators=rising)


def _of_twins() -> Iterator[tuple[str, opt.Case]]:
    """Two sites alike in everything, and a lease for either; then something that sets one of them apart."""
    option = ("block_gross_mw", "max_blocks", "design_ratio", "pue")
    alike: dict[str, Any] = {
        "sites": {"tariff": "north", "mining_cost_musd_per_gross_mw_year": 0.05},
        "site_limits": {"limit_gross_mw": 30},
        "options": dict(zip(option, (12, 1, 1.5, 1.2), strict=True)),
        "offer_sites": [{"offer": "lease", "site": site} for site in ("north", "south")],
    }
    yield "twin sites", lease_case(**alike)
    start = [{"option": "south hall", "quarter": q(0), "blocks": 1}]
    yield "the second of two twins is begun", lease_case(committed_starts=start, **alike)
    policy = {"policy": "small", "use": "colo", "site": "north", "first": q(0), "last": q(5), "basis": "it_mw"}
    ceiling = [policy | {"min_mw": None, "max_mw": 5}]
    yield "the first of two twins may not be used", lease_case(use_limits=ceiling, **alike)


def _of_machines() -> Iterator[tuple[str, opt.Case]]:
    earning: Row = {"fleet": fleet("north", 25), "bitcoin": {"hashprice_usd_per_ph_day": 60}}
    yield (
        "mining ends at a site before the company's",
        hand_case(mining_ends=q(3), sites={"mining_ends": [q(1), q(4)]}, bitcoin={"hashprice_usd_per_ph_day": 60}),
    )
    floor: Row = {"policy": "floor", "use": "mining", "site": "north", "first": q(0), "last": q(9)}
    floor |= {"basis": "gross_mw", "min_mw": 28, "max_mw": None}
    dear = machine_market(purchase_usd_per_th=60)
    yield "a floor asks for machines to be bought", hand_case(use_limits=[floor], machine_markets=[dear], **earning)
    low = [floor | {"min_mw": 10}]
    yield "a floor keeps machines that only cost", hand_case(use_limits=low, fleet=fleet("north", 25))
    market = [machine_market()]
    kept = {"bitcoin": {"hashprice_usd_per_ph_day": [60] * 5 + [1]}, "asics": [asic(residual_usd_per_th=0.9)]}
    yield "machines worth more than they fetch", hand_case(machine_markets=market, fleet=fleet("north", 25), **kept)
    market = [machine_market(purchase_usd_per_th=1, moving_cost_musd_per_gross_mw=0.01)]
    nowhere: Row = {"fleet": [], "asics": [asic(retires_after=q(1))], "bitcoin": {"hashprice_usd_per_ph_day": 60}}
    yield "machines that are nowhere yet", hand_case(machine_markets=market, **nowhere)
    idle = {"bitcoin": {"hashprice_usd_per_ph_day": [60] * 5 + [1]}, "asics": [asic(residual_usd_per_th=0.3)]}
    yield "machines idle for their residual", hand_case(fleet=fleet("north", 25), **idle)
