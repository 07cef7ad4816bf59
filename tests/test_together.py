"""Several futures in one model: the same decisions in all of them, the mean of their values, no two ever added."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oracle_together import best_mean
from small_cases import small_case

import optimizer as opt
from optimizer.business.model import build_model
from optimizer.case.case import TABLE_NAMES, Case
from optimizer.ground.errors import Infeasible
from optimizer.plan.outlook import Outlook
from optimizer.plan.settlement import settle
from optimizer.questions.planner import solve_together
from optimizer.solver import SolverOptions
from optimizer.solver.models import solve_model

QUICK = range(3)
CAMPAIGN = range(3, 240)
TOLERANCE = 1e-6
EXACTLY = SolverOptions(gap=0.0)


def value_of(case: Case, scenarios: str | dict[str, float]) -> float | None:
    try:
        return solve_model(build_model(case, scenarios), EXACTLY).value
    except Infeasible:
        return None


def near(value: float | None, other: float | None) -> None:
    if value is None or other is None:
        assert value is other
    else:
        assert value == pytest.approx(other, rel=TOLERANCE, abs=TOLERANCE)


def agree(seed: int) -> None:
    """Two unlike futures, likelier one or the other."""
    likely = {"base": 0.3 + 0.1 * (seed % 5), "other": 0.7 - 0.1 * (seed % 5)}
    near(value_of(small_case(seed), likely), best_mean(small_case(seed), likely))


@pytest.mark.parametrize("seed", QUICK)
def test_the_mean_of_two_futures_is_the_best_of_all_combinations(seed: int) -> None:
    agree(seed)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", CAMPAIGN)
def test_the_mean_of_two_futures_is_the_best_of_all_combinations_campaign(seed: int) -> None:
    agree(seed)


def twice(case: Case, scenario: str) -> Case:
    """The case with one scenario only, and the same again under another name."""
    tables = {}
    for name in TABLE_NAMES:
        rows = case.rows(name)
        if rows and hasattr(rows[0], "scenario"):
            kept = [row for row in rows if row.scenario == scenario]
            tables[name] = [*kept, *(row.model_copy(update={"scenario": "again"}) for row in kept)]
    return case.replace(**tables)


@pytest.mark.parametrize("seed", QUICK)
def test_two_equal_futures_are_worth_what_one_is(seed: int) -> None:
    case = twice(small_case(seed), "base")
    near(value_of(case, {"base": 0.25, "again": 0.75}), value_of(case, "base"))


def test_probabilities_must_be_some() -> None:
    for odd in ({"base": 0.5}, {"base": 1.5, "other": -0.5}):
        with pytest.raises(ValueError, match="sum to 1"):
            build_model(small_case(0), odd)


# ---- an outlook: decisions and outcomes -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outlook() -> Outlook:
    """A case whose two futures are unlike, decided for both."""
    return solve_together(small_case(3), {"base": 0.4, "other": 0.6}, gap=0.0)


def test_outcomes_are_plans_that_the_audit_finds_clean(outlook: Outlook) -> None:
    for scenario, plan in outlook.outcomes.items():
        assert plan.scenario == scenario
        assert opt.audit(plan.case, plan).clean
        assert set(plan.cash["scenario"]) == {scenario}
    values = {name: plan.value_musd for name, plan in outlook.outcomes.items()}
    assert values["base"] != pytest.approx(values["other"])
    assert outlook.value_musd == pytest.approx(0.4 * values["base"] + 0.6 * values["other"])
    assert outlook.value_musd == pytest.approx(best_mean(small_case(3), {"base": 0.4, "other": 0.6}), abs=1e-6)


def test_no_plan_of_one_future_is_worth_less_there(outlook: Outlook) -> None:
    """Who knows which future comes is never worse off than who decides for both."""
    for scenario, plan in outlook.outcomes.items():
        assert opt.solve(plan.case, scenario, gap=1e-9).value_musd >= plan.value_musd - TOLERANCE


def test_nothing_adds_two_scenarios_together(outlook: Outlook) -> None:
    """Tables of two scenarios put into one plan: no sum is told, and nothing that is told of plans takes it."""
    import pandas as pd

    base, other = outlook.outcomes["base"], outlook.outcomes["other"]
    mixed = {name: pd.concat([base.tables[name], other.tables[name]], ignore_index=True) for name in base.tables}
    plan = replace(base, tables=mixed)
    for told in ("statement", "megawatts"):
        with pytest.raises(ValueError, match="never added together"):
            getattr(plan, told)
    assert not opt.audit(plan.case, plan).clean, "so no document is made of it"
    with pytest.raises(ValueError, match="name the one to settle"):
        settle(build_model(base.case, {"base": 0.5, "other": 0.5}), lambda _: 0.0)


def test_outcomes_of_unlike_decisions_are_no_outlook(outlook: Outlook) -> None:
    case = outlook.outcomes["base"].case
    alone = {name: opt.solve(case, name, gap=1e-9) for name in outlook.outcomes}
    with pytest.raises(ValueError, match="do not share their decisions"):
        Outlook(outlook.probabilities, alone, "optimal", outlook.bound_musd)
    swapped = {"base": outlook.outcomes["other"], "other": outlook.outcomes["base"]}
    with pytest.raises(ValueError, match="is that of scenario"):
        Outlook(outlook.probabilities, swapped, "optimal", outlook.bound_musd)
