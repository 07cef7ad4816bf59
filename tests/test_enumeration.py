"""The optimiser against an oracle that tries every combination of starts and signings."""

from __future__ import annotations

import oracle
import pytest
from small_cases import small_case

import optimizer as opt
from optimizer.case import Case

QUICK = range(30)
CAMPAIGN = range(30, 400)
TOLERANCE = 1e-6


def scenario_of(seed: int) -> str:
    """Even seeds look at the base scenario, odd ones at the other."""
    return "base" if seed % 2 == 0 else "other"


def optimised(case: Case, scenario: str, gap: float = 1e-9) -> opt.Plan | None:
    try:
        return opt.solve(case, scenario=scenario, gap=gap, time_limit=60, seed=1)
    except opt.Infeasible:
        return None


def agree(seed: int) -> None:
    case, scenario = small_case(seed), scenario_of(seed)
    best, plan = oracle.best_value(case, scenario), optimised(case, scenario)
    if best is None or plan is None:
        assert best is None and plan is None
        return
    assert plan.status == "optimal"
    assert plan.value_musd == pytest.approx(best, rel=TOLERANCE, abs=TOLERANCE)
    nothing = oracle.do_nothing_value(case, scenario)
    if nothing is not None:
        assert plan.kpis["do_nothing_value_musd"] == pytest.approx(nothing, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("seed", QUICK)
def test_the_optimiser_finds_the_best_of_all_combinations(seed: int) -> None:
    agree(seed)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", CAMPAIGN)
def test_the_optimiser_finds_the_best_of_all_combinations_campaign(seed: int) -> None:
    agree(seed)


@pytest.mark.parametrize("seed", QUICK[:6])
def test_the_true_best_lies_between_a_loose_plan_and_its_bound(seed: int) -> None:
    """With a gap of 30% allowed, the plan may be worse than the best one, but its bound may not be below that."""
    case, scenario = small_case(seed), scenario_of(seed)
    best, plan = oracle.best_value(case, scenario), optimised(case, scenario, gap=0.3)
    assert (best is None) == (plan is None)
    if best is not None and plan is not None:
        slack = TOLERANCE * max(1, abs(best))
        assert plan.value_musd <= best + slack
        assert best <= plan.bound_musd + slack
        assert plan.bound_musd - plan.value_musd <= 0.3 * max(abs(plan.value_musd), abs(plan.bound_musd)) + slack
