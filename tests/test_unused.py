"""Why megawatts stand unused: each rule alone on a tiny case, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from small_cases import scenario_of, small_case, tiny_case

import optimizer as opt
from optimizer.case.case import Case
from optimizer.plan import unused
from optimizer.plan.unused import HALL_RULES, MACHINE_RULES, Facts, Spot, reasons_of, standings

ROOT = Path(__file__).parents[1]
Change = dict[str, Any]

LOW_RENT: Change = {"offer_prices": {"price": 5}}
EARNS: Change = {"bitcoin": {"hashprice_usd_per_ph_day": 60}}
NO_OFFER: Change = {"offers": [], "offer_prices": [], "offer_sites": []}
MARKET: Change = {"asic": "miner", "resale_usd_per_th": 1, "purchase_usd_per_th": None, "delivery_quarters": 2,
                  "reference_hashprice_usd_per_ph_day": 50, "elasticity": 1, "yearly_decline": 0,
                  "moving_cost_musd_per_gross_mw": None}  # fmt: skip


def ceiling(use: str, most: float, **more: object) -> Change:
    row = {"policy": f"at most {use}", "use": use, "site": "*", "first": "2027Q1", "last": "2028Q2",
           "basis": "gross_mw", "min_mw": None, "max_mw": most} | more  # fmt: skip
    return {"use_limits": [row]}


def shared(limit: float) -> Change:
    """What north and south may draw together."""
    return {"grid_groups": [{"group": "feeder", "site": site} for site in ("north", "south")],
            "grid_group_limits": [{"group": "feeder", "from_quarter": "2027Q1", "limit_gross_mw": limit}]}  # fmt: skip


# ---- halls ----------------------------------------------------------------------------------------------------------

HALLS: list[tuple[Callable[[Spot], str], Change, str, int, str]] = [
    (unused.shared_limit, LOW_RENT | EARNS | shared(41), "south", 5, "shares with other sites is reached (feeder)"),
    (unused.waits_for_halls, {"fleet": []} | shared(12), "south", 0, "this plan builds"),
    (unused.below_a_block, {"fleet": []} | shared(18), "south", 5, "less is left than one block"),
    (unused.waits_for_halls, {"site_limits": {"limit_gross_mw": [12, 20]}, "fleet": []}, "north", 0,
     "this plan builds"),
    (unused.no_option, LOW_RENT | {"options": {"site": "north", "pue": 1.2}}, "south", 5, "no option converts"),
    (unused.not_eligible, LOW_RENT | {"sites": {"fibre": False}}, "north", 5, "not eligible, without fibre"),
    (unused.not_eligible, LOW_RENT | {"options": {"rack_kw": 150}}, "north", 5, "cooling for such dense racks"),
    (unused.not_eligible, LOW_RENT | {"sites": {"firm_power": False, "fibre": False}}, "north", 5,
     "without firm power and fibre"),
    (unused.after_the_horizon, {"options": {"earliest": "2028Q1"}}, "north", 5, "within the horizon"),
    (unused.too_early, LOW_RENT | {"options": {"earliest": "2027Q3"}}, "north", 2, "before 2027Q4"),
    (unused.all_built, {}, "north", 5, "every block"),
    (unused.below_a_block, LOW_RENT | {"site_limits": {"limit_gross_mw": [11, 20]}, "fleet": []}, "north", 5,
     "less is left than one block"),
    (unused.no_offer, {}, "south", 5, "no offer accepts this site"),
    (unused.no_offer, {"product_markets": {"depth_it_mw": 2, "price": 1}}, "south", 5,
     "for the market alone none adds"),
    (unused.all_signed, {"offer_sites": [{"offer": "lease", "site": s} for s in ("north", "south")],
                         "options": {"block_gross_mw": [12, 14]}, "offers": {"min_it_mw": 8}},
     "south", 5, "every offer that accepts this site is signed"),
    (unused.none_fits, {"offers": {"min_it_mw": 90, "max_it_mw": 90}}, "north", 5, "could be served (lease)"),
    (unused.none_fits, LOW_RENT | {"offers": {"window_last": "2027Q1"}}, "north", 5, "could be served (lease)"),
    (unused.policy_ceiling, ceiling("colo", 11), "north", 5, "at most colo"),
    (unused.policy_ceiling, {"max_blocks_under_construction": 0}, "north", 5, "under construction at once"),
    (unused.policy_ceiling, {"max_it_mw_under_construction": 7}, "north", 5, "under construction at once"),
    (unused.no_budget, {"capex_budget_musd": 10}, "north", 5, "no budget"),
    (unused.refused, LOW_RENT, "north", 5, "no gain within money and policies (lease)"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "change", "site", "quarter", "words"), HALLS)
def test_why_no_hall(rule: Callable[[Spot], str], change: Change, site: str, quarter: int, words: str) -> None:
    _told_first(HALL_RULES, rule, tiny_case(**change), site, quarter, words)


# ---- machines -------------------------------------------------------------------------------------------------------

MACHINES: list[tuple[Callable[[Spot], str], Change, str, int, str]] = [
    (unused.shared_limit, EARNS | shared(41), "south", 3, "shares with other sites is reached (feeder)"),
    (unused.mining_ended, EARNS | {"mining_ends": "2027Q2"}, "south", 3, "after 2027Q2"),
    (unused.mining_ended, EARNS | {"sites": {"mining_ends": [None, "2027Q2"]}}, "south", 3, "after 2027Q2"),
    (unused.no_machines, EARNS | {"fleet": [{"site": "north", "asic": "miner", "gross_mw": 5}]}, "south", 3,
     "none are here, and none can be moved or bought"),
    (unused.worn_out, EARNS | {"asics": {"retires_after": "2027Q2"}}, "south", 3, "fit to run"),
    (unused.not_worth_running, {}, "south", 3, "none earns its power"),
    (unused.mining_ceiling, EARNS | ceiling("mining", 9), "south", 3, "at most mining"),
    (unused.none_arrived, EARNS | {"machine_markets": [MARKET | {"purchase_usd_per_th": 900}]}, "south", 0,
     "before 2027Q3"),
    (unused.all_installed, EARNS, "south", 3, "all that are owned are installed"),
    (unused.adds_no_value, EARNS | {"machine_markets": [MARKET | {"purchase_usd_per_th": 900}]}, "south", 5,
     "adds no value"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "change", "site", "quarter", "words"), MACHINES)
def test_why_no_machines(rule: Callable[[Spot], str], change: Change, site: str, quarter: int, words: str) -> None:
    _told_first(MACHINE_RULES, rule, tiny_case(**NO_OFFER, **change), site, quarter, words)


def _told_first(
    rules: tuple[Callable[[Spot], str], ...], rule: Callable[[Spot], str], case: Case, site: str, quarter: int,
    words: str,
) -> None:  # fmt: skip
    """The rule holds there and tells these words, and no rule that is asked before it holds."""
    facts = Facts(opt.solve(case))
    t = case.horizon[quarter]
    assert facts.unused_mw[site, str(t)] > 1, "nothing stands unused there"
    holding = next(one for one in rules if one(Spot(facts, site, t)))
    assert holding is rule
    assert words in rule(Spot(facts, site, t))


def test_every_rule_is_tried_alone() -> None:
    assert {rule for rule, *_ in HALLS} == set(HALL_RULES)
    assert {rule for rule, *_ in MACHINES} == set(MACHINE_RULES)


# ---- all together ---------------------------------------------------------------------------------------------------


def test_a_plan_that_is_not_proven_best_claims_no_reason_of_value() -> None:
    plan = replace(opt.solve(tiny_case(**LOW_RENT)), status="limit")
    words = " ".join(reason.words for reason in reasons_of(plan))
    assert "offers refused (lease)" in words and "gain" not in words and "value" not in words


@pytest.mark.parametrize("seed", range(6))
def test_each_unused_megawatt_of_random_cases_has_exactly_one_reason(seed: int) -> None:
    try:
        plan = opt.solve(small_case(seed), scenario_of(seed))
    except opt.Infeasible:
        pytest.skip("no plan keeps every rule")
    reasons = reasons_of(plan)
    told = [(r.site, str(t)) for r in reasons for t in plan.case.horizon if r.first <= t <= r.last]
    table = plan.allocation[plan.allocation["use"] == "unused"]
    there = {(row.site, str(row.quarter)) for row in table.itertuples() if row.gross_mw > 1e-6}
    assert sorted(told) == sorted(there)
    assert all(reason.hall and reason.machines for reason in reasons)
    assert all(a.words != b.words for a, b in pairwise(reasons) if (a.site, a.last + 1) == (b.site, b.first))
    last = [one for one in standings(plan) if one.quarter == plan.case.last]
    at_last = table[table["quarter"].astype(str) == str(plan.case.last)]["gross_mw"].sum()
    assert sum(one.gross_mw for one in last) == pytest.approx(float(at_last), abs=1e-4)


def test_the_page_on_megawatts_tells_every_rule_in_its_order() -> None:
    text = (ROOT / "docs/megawatts.md").read_text(encoding="utf-8")
    for rules in (HALL_RULES, MACHINE_RULES):
        places = [text.find(f"| `{rule.__name__}` | {' '.join((rule.__doc__ or '').split())} |") for rule in rules]
        assert -1 not in places and places == sorted(places)
