"""Rules bite: without them some shipped case is worth more. This proves that the data exercises the rule.

Rules of single terms and loans that no base plan of a shipped case leans on bite in the cases solved by hand.

Quick ones run on the smallest case; the others are a campaign.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import optimizer as opt
from optimizer.business.model import build_model, component
from optimizer.solver import Answer, SolverOptions
from optimizer.solver.models import solve_model

DATA = Path(__file__).parents[1] / "data"
GAP = 5e-4
CERTAIN_MUSD = 0.2

slow = pytest.mark.campaign


@cache
def case_of(name: str) -> opt.Case:
    return opt.load_case(DATA / name)


def solved(case: opt.Case, scenario: str, without: str = "") -> Answer:
    model = build_model(case, scenario)
    if without:
        component(model, without).deactivate()
    return solve_model(model, SolverOptions(gap=GAP, time_limit=600))


@cache
def with_all_rules(name: str, scenario: str) -> Answer:
    return solved(case_of(name), scenario)


def assert_worth_more(freed: Answer, name: str, scenario: str) -> None:
    assert freed.value > with_all_rules(name, scenario).bound + CERTAIN_MUSD


@pytest.mark.parametrize(
    ("rule", "name", "scenario"),
    [
        ("site_power", "washington_2025", "base"),
        ("it_capacity", "washington_2025", "base"),
        ("capex_budget", "washington_2025", "gpu_up"),
        ("exclusive_group", "washington_2025", "base"),
        ("at_most_the_largest_size", "washington_2025", "base"),
        ("no_block_before_mobilisation", "washington_2025", "base"),
        pytest.param("capex_budget", "bitfarms_2025", "base", marks=slow),
        pytest.param("capex_budget_of_a_year", "keel_2026", "base", marks=slow),
        pytest.param("it_mw_under_construction", "keel_2026", "base", marks=slow),
        pytest.param("use_ceiling", "bitfarms_2025", "base", marks=slow),
        pytest.param("use_floor", "bitfarms_2025", "base", marks=slow),
        pytest.param("minimum_liquidity", "keel_2026", "base", marks=slow),
        pytest.param("minimum_liquidity", "bitfarms_2025", "base", marks=slow),
        pytest.param("machines_come_from_somewhere", "bitfarms_2025", "base", marks=slow),
        pytest.param("commitment", "keel_2026", "base", marks=slow),
        pytest.param("moves_arrive", "bitfarms_2025", "base", marks=slow),
    ],
)
def test_rule_bites(rule: str, name: str, scenario: str) -> None:
    assert_worth_more(solved(case_of(name), scenario, without=rule), name, scenario)


@slow
def test_customer_share_bites() -> None:
    """On a stated variant: at most 40% of rent from one customer, where the case itself says 42%."""
    strict = case_of("bitfarms_2025").replace(max_customer_share=0.40)
    freed = solved(strict, "base", without="customer_share")
    assert freed.value > solved(strict, "base").bound + CERTAIN_MUSD


@slow
def test_treasury_binds_and_a_higher_minimum_changes_a_decision() -> None:
    """On a stated variant, $450M of cash at first: liquidity sits at its minimum; at $75M other leases are signed."""
    poor = case_of("bitfarms_2025").replace(opening_cash_musd=450)
    plan, careful = opt.solve(poor, gap=GAP), opt.solve(poor.replace(minimum_cash_musd=75), gap=GAP)
    for solved_plan, minimum in ((plan, 50), (careful, 75)):
        assert solved_plan.kpis["lowest_liquidity_musd"] == pytest.approx(minimum, abs=1e-6)
    assert careful.bound_musd < plan.value_musd
    assert signed(careful) != signed(plan)
    assert careful.kpis["capex_musd"] < plan.kpis["capex_musd"]


def signed(plan: opt.Plan) -> list[tuple[str, float]]:
    return [(row.offer, round(row.it_mw, 3)) for row in plan.contracts.itertuples()]


def sooner(case: opt.Case) -> opt.Case:
    """Blocks in service a quarter sooner, for the same spending."""
    rows = [o.model_dump() | {"lead_quarters": o.lead_quarters - 1} for o in case.options]
    curves = [p.model_dump() for p in case.profiles]
    for row in rows:
        row["facility_curve"] = row["gpu_curve"] = "at once"
    at_once = {"profile": "at once", "step": 0, "share": 1}
    return case.replace(options=rows, profiles=[*curves, at_once])


def at_once(case: opt.Case) -> opt.Case:
    """The spending of `sooner` with today's lead time, so that the two differ in nothing else."""
    rows = [o.model_dump() | {"facility_curve": "at once", "gpu_curve": "at once"} for o in case.options]
    curves = [p.model_dump() for p in case.profiles]
    return case.replace(options=rows, profiles=[*curves, {"profile": "at once", "step": 0, "share": 1}])


def wide_windows(case: opt.Case) -> opt.Case:
    window = {"window_first": case.first, "window_last": case.last, "price_base_quarter": None}
    return case.replace(offers=[o.model_dump() | window for o in case.offers])


def deep_market(case: opt.Case) -> opt.Case:
    return case.replace(product_markets=[p.model_dump() | {"depth_it_mw": 1000} for p in case.product_markets])


def mining_goes_on(case: opt.Case) -> opt.Case:
    return case.replace(mining_ends=None)


def all_eligible(case: opt.Case) -> opt.Case:
    good = {"firm_power": True, "fibre": True, "max_rack_kw": 200}
    return case.replace(sites=[s.model_dump() | good for s in case.sites])


@pytest.mark.parametrize(
    ("change", "name", "scenario"),
    [
        (wide_windows, "washington_2025", "base"),
        (deep_market, "washington_2025", "base"),
        pytest.param(mining_goes_on, "bitfarms_2025", "hashprice_up", marks=slow),
        pytest.param(all_eligible, "bitfarms_2025", "base", marks=slow),
    ],
)
def test_datum_bites(change: Callable[[opt.Case], opt.Case], name: str, scenario: str) -> None:
    """Rules that are built into the sets of the model: windows, the end of mining, eligibility."""
    assert_worth_more(solved(change(case_of(name)), scenario), name, scenario)


@slow
def test_signing_once_bites() -> None:
    """On a stated variant: with money for more halls the company would sign an offer at two sites."""
    free = {"max_customer_share": None, "max_customer_share_from": None, "max_it_mw_under_construction": None}
    rich = case_of("bitfarms_2025").replace(capex_budget_musd=3000, opening_cash_musd=3000, budget_years=[], **free)
    twice = solved(rich, "base", without="signed_at_most_once")
    assert twice.value > solved(rich, "base").bound + CERTAIN_MUSD


@pytest.mark.core
def test_lead_time_bites() -> None:
    case = case_of("washington_2025")
    assert solved(sooner(case), "base").value > solved(at_once(case), "base").bound + CERTAIN_MUSD
