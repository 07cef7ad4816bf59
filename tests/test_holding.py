"""The same decisions kept have one meaning: whoever asks gets the same number."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import pytest
from small_cases import scenario_of, small_case
from test_hand_contracts import gpu_case, market

import optimizer as opt
from optimizer.case.case import TABLE_NAMES, Case
from optimizer.questions.compare.stages import kept
from optimizer.questions.sweeps.family import compile_case
from optimizer.questions.sweeps.holding import Taken, hold, taken_by, taken_in
from optimizer.questions.sweeps.runner import Question, answer
from optimizer.solver import SolverOptions

SEEDS = (2, 3, 4, 8, 10)
DEAR, CHEAP = 800, 20
EXACTLY = SolverOptions(gap=0.0)


def renewed_case() -> Case:
    """A hall whose GPUs are renewed where the market pays $800 per kW-month (`base`), and would not be at $20 (`low`).

    The hall's start is committed, so that only the renewal is open.
    """
    case = gpu_case(
        0.5,
        offers=[],
        offer_prices=[],
        offer_sites=[],
        product_markets=market(DEAR, depth=8),
        committed_starts=[{"option": "north hall", "quarter": "2027Q1", "blocks": 1}],
    )
    tables = {}
    for name in TABLE_NAMES:
        rows = case.rows(name)
        if rows and hasattr(rows[0], "scenario"):
            price = {"price": CHEAP} if name == "product_markets" else {}
            tables[name] = [*rows, *(row.model_copy(update={"scenario": "low"} | price) for row in rows)]
    return case.replace(**tables)


def held_value(case: Case, scenario: str, taken: Taken) -> float:
    held = hold(taken, compile_case(case, scenario), case, scenario)
    return float("nan") if isinstance(held, str) else answer(Question(held.program, gap=0.0)).value_musd


def test_a_renewal_is_part_of_the_decisions_that_are_kept() -> None:
    """Bridge, regret and sweeps say the same of GPUs that are renewed though it no longer pays; to renew them costs
    more than their last quarter brings, so to be free of it would be worth more.
    """
    case = renewed_case()
    plan = opt.solve(case, "base", gap=1e-9)
    assert plan.refreshes["blocks"].tolist() == [1.0]
    taken = taken_by(plan)
    by_bridge = kept(case, "low", taken, EXACTLY)
    study = opt.regret([plan], ["low"], gap=1e-9)
    by_regret = float(study.tables["values"]["value_musd"].iloc[0])
    assert by_bridge == pytest.approx(by_regret, abs=1e-6)
    assert by_bridge == pytest.approx(held_value(case, "low", taken), abs=1e-6)
    let_die = held_value(case, "low", replace(taken, refreshed={}))
    assert let_die > by_regret + 1, "to count the renewal as open would flatter the plan"


@pytest.mark.parametrize("seed", SEEDS)
def test_decisions_are_the_same_from_tables_and_from_an_answer(seed: int) -> None:
    """A plan's tables and the vector of the program they come from hold the same decisions, worth the plan's value."""
    case, scenario = small_case(seed), scenario_of(seed)
    plan = opt.solve(case, scenario, gap=1e-9)
    taken, compiled = taken_by(plan), compile_case(case, scenario)
    held = hold(taken, compiled, case, scenario)
    assert not isinstance(held, str), held
    landed = answer(Question(held.program, gap=0.0))
    assert landed.value_musd == pytest.approx(plan.value_musd, rel=1e-6, abs=1e-6)
    again = taken_in(case, scenario, compiled, landed.vector)
    for name in ("starts", "refreshed", "tiers"):
        assert getattr(again, name) == getattr(taken, name)
    for name in ("signed", "installed", "going", "coming", "buying"):
        mine, theirs = getattr(taken, name), getattr(again, name)
        assert {k: v for k, v in theirs.items() if v > 1e-6} == pytest.approx(
            {k: v for k, v in mine.items() if v > 1e-6}, abs=1e-6
        )


def test_what_cannot_be_kept_says_why() -> None:
    case = renewed_case()
    taken = taken_by(opt.solve(case, "base", gap=1e-9))
    elsewhere = case.replace(committed_starts=[])
    compiled = compile_case(elsewhere, "base")
    far = {("north hall", case.last): 1}
    why = hold(replace(taken, starts=far), compiled, elsewhere, "base")
    assert isinstance(why, str) and why
    early = hold(replace(taken, refreshed={("north hall", 7, case.first): 1}), compile_case(case, "base"), case, "base")
    assert early == "the GPUs of north hall started in 2027Q1 cannot be renewed a 7. time"
    assert isnan(kept(elsewhere, "base", replace(taken, starts=far), EXACTLY))  # type: ignore[arg-type]
