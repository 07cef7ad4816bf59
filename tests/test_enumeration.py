"""The optimiser against an oracle that tries every combination of starts and signings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

import oracle
import pytest
from small_cases import scenario_of, small_case
from small_features import FEATURES, present

import optimizer as opt
from optimizer.case.case import Case

QUICK = [*range(20), 459]
CAMPAIGN = range(20, 500)
TOLERANCE = 1e-6


@cache
def best_of(seed: int) -> oracle.Best | None:
    return oracle.best_plan(small_case(seed), scenario_of(seed))


def optimised(case: Case, scenario: str, gap: float = 1e-9) -> opt.Plan | None:
    try:
        return opt.solve(case, scenario=scenario, gap=gap, time_limit=60, seed=1)
    except opt.Infeasible:
        return None


def agree(seed: int) -> None:
    case, scenario = small_case(seed), scenario_of(seed)
    best, plan = best_of(seed), optimised(case, scenario)
    if best is None or plan is None:
        assert best is None and plan is None
        return
    assert plan.status == "optimal"
    assert plan.value_musd == pytest.approx(best.value_musd, rel=TOLERANCE, abs=TOLERANCE)
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


@pytest.mark.core
@pytest.mark.parametrize("seed", QUICK[:6])
def test_the_true_best_lies_between_a_loose_plan_and_its_bound(seed: int) -> None:
    """With a gap of 30% allowed, the plan may be worse than the best one, but its bound may not be below that."""
    case, scenario = small_case(seed), scenario_of(seed)
    best, plan = best_of(seed), optimised(case, scenario, gap=0.3)
    assert (best is None) == (plan is None)
    if best is not None and plan is not None:
        slack = TOLERANCE * max(1, abs(best.value_musd))
        assert plan.value_musd <= best.value_musd + slack
        assert best.value_musd <= plan.bound_musd + slack
        assert plan.bound_musd - plan.value_musd <= 0.3 * max(abs(plan.value_musd), abs(plan.bound_musd)) + slack


@pytest.mark.campaign
def test_every_feature_is_exercised(capsys: pytest.CaptureFixture[str]) -> None:
    """Each feature is in many cases of the campaign, and the best plan makes use of it in some; prints how often."""
    had, used = census(CAMPAIGN)
    with capsys.disabled():
        print(f"\n{'feature':<32}{'present':>9}{'active':>9}   of {len(CAMPAIGN)} cases")
        print("\n".join(f"{name:<32}{had[name]:>9}{used[name]:>9}" for name in FEATURES))
    assert not [name for name in FEATURES if had[name] < len(CAMPAIGN) / 25 or used[name] < 1]


def census(seeds: Iterable[int]) -> tuple[Counter[str], Counter[str]]:
    """In how many cases each feature is present, and in how many it is active in the best plan too."""
    had: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for seed in seeds:
        features, best = present(small_case(seed)), best_of(seed)
        had.update(features)
        active = set() if best is None else {"", *best.active}
        used.update(name for name in features if FEATURES[name][1] in active)
    return had, used
