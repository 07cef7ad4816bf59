"""Prices of the rules: duals against finite differences, steps against solves from scratch."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from shared import solved_once
from test_sweeps import solvable

import optimizer as opt
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import decisions_of
from optimizer.questions.studies.limits import Limit, limits_of
from optimizer.questions.studies.prices import prices
from optimizer.questions.studies.study import load_study
from optimizer.questions.sweeps.family import Compiled, compile_case
from optimizer.questions.sweeps.holding import at_values, whole_numbers
from optimizer.questions.sweeps.marginal import worth_to_first_order
from optimizer.questions.sweeps.runner import Landed, Question, answer

EXACT = 1e-6
ROOM = 2e-6
"""Of values in $M, that come from programs solved to 1e-7."""


def compiled_at(case: Case, limit: Limit, amount: float) -> Compiled | None:
    try:
        return compile_case(limit.change(case, amount), "base")
    except (InputError, Infeasible):
        return None


def relaxed(compiled: Compiled) -> Compiled:
    program = compiled.program
    return replace(compiled, program=replace(program, integers=np.zeros_like(program.integers)))


def same_matrix(a: Compiled, b: Compiled) -> bool:
    return a.columns == b.columns and a.rows == b.rows and abs(a.matrix - b.matrix).max() == 0


@pytest.mark.parametrize("count", [6, pytest.param(8, marks=pytest.mark.campaign)])
def test_duals_of_relaxed_programs_lie_between_finite_differences(count: int) -> None:
    """On random cases with whole numbers let go: one side worth no more, the other no less, for every limit."""
    tried = 0
    for seed, case, _ in solvable(count):
        base = relaxed(compile_case(case, "base"))
        landed = answer(Question(base.program, gap=0.0))
        for limit in limits_of(case, "base"):
            if limit.whole:
                continue
            amount = limit.step / 50
            more, less = (compiled_at(case, limit, sign * amount) for sign in (1, -1))
            if more is None or less is None or not (same_matrix(base, more) and same_matrix(base, less)):
                continue
            worth = sum(worth_to_first_order(base, landed, relaxed(more)).values())
            gained, lost = (answer(Question(relaxed(side).program, gap=0.0)) for side in (more, less))
            assert gained.value_musd - landed.value_musd <= worth + ROOM, (seed, limit.rule, limit.place)
            if lost.has_plan:
                assert worth <= landed.value_musd - lost.value_musd + ROOM, (seed, limit.rule, limit.place)
            tried += 1
    assert tried > 40


def held(base: Compiled, landed: Landed, other: Compiled) -> Landed:
    fixed = at_values(other, whole_numbers(base, landed.vector))
    assert fixed is not None
    return answer(Question(fixed.program, gap=0.0))


@pytest.mark.parametrize("count", [6, pytest.param(8, marks=pytest.mark.campaign)])
def test_what_a_price_says_is_what_a_little_more_is_worth(count: int) -> None:
    """With whole decisions held: half of the amount at which duals are read gives at least their slope, and no more
    than the slope on the tighter side; the quarters of a price add up to it."""
    binding = 0
    for seed, case, plan in solvable(count):
        limits = [limit for limit in limits_of(case, "base") if not limit.whole]
        study = prices(plan, limits, gap=0.0)
        base = compile_case(case, "base")
        landed = answer(Question(base.program, gap=0.0))
        duals = study.tables["duals"].groupby(["rule", "place"])["dual_musd_per_unit"].sum()
        by_name = {(limit.rule, limit.place): limit for limit in limits}
        for row in study.tables["prices"].itertuples():
            limit = by_name[row.rule, row.place]
            price = row.dual_musd_per_unit
            if price != price:
                continue
            assert duals[limit.rule, limit.place] == pytest.approx(price, abs=EXACT)
            other = compiled_at(case, limit, limit.step / 20)
            if other is None or not same_matrix(base, other):
                continue
            slope = (held(base, landed, other).value_musd - landed.value_musd) / (limit.step / 20)
            room = ROOM / abs(limit.step / 20)
            easier, tighter = (
                (price, row.tighter_musd_per_unit) if limit.step > 0 else (-price, -row.tighter_musd_per_unit)
            )
            slope *= np.sign(limit.step)
            assert slope >= easier - room, (seed, limit.rule, limit.place)
            if tighter == tighter:
                assert slope <= tighter + room, (seed, limit.rule, limit.place)
            binding += abs(price) > EXACT
    assert binding >= 5


@pytest.mark.parametrize("count", [4, pytest.param(5, marks=pytest.mark.campaign)])
def test_steps_are_differences_of_true_optima(count: int) -> None:
    """On random cases: each step solved from scratch, its value in the interval, its decisions as told."""
    told = 0
    for seed, case, plan in solvable(count):
        limits = limits_of(case, "base")
        limits = random.Random(seed).sample(limits, min(4, len(limits)))
        study = prices(plan, limits, gap=0.0)
        by_name = {(limit.rule, limit.place): limit for limit in limits}
        for row in study.tables["steps"].itertuples():
            limit = by_name[row.rule, row.place]
            try:
                other = opt.solve(limit.change(case, row.change), gap=0.0)
            except (Infeasible, InputError):
                assert row.moves == "", (seed, row.rule)
                continue
            gain = other.value_musd - plan.value_musd
            assert row.value_change_low_musd - ROOM <= gain <= row.value_change_high_musd + ROOM, (seed, row.rule)
            assert row.value_change_low_musd >= 0, (seed, row.rule)
            before, after = decisions_of(plan), decisions_of(other)
            if row.moves == "no" and gain > ROOM:
                assert [(s.option, s.quarter) for s in before.starts] == [(s.option, s.quarter) for s in after.starts]
            told += 1
    assert told >= 12


def test_the_exclusive_group_of_washington(washington: Case) -> None:
    """A known one: with both anchors signed the case is worth what it is without the group; the title says it."""
    plan = solved_once(washington)
    free = washington.replace(offers=[row.model_copy(update={"exclusive_group": None}) for row in washington.offers])
    study = prices(
        plan, [one for one in limits_of(washington, "base") if one.rule in ("exclusive_group", "site_power")]
    )
    [row] = study.tables["steps"].query("rule == 'exclusive_group'").to_dict("records")
    gain = opt.solve(free).value_musd - plan.value_musd
    assert row["value_change_low_musd"] == pytest.approx(gain, abs=0.02)
    assert row["moves"] == "yes"
    assert "neocloud-b-half signed" in row["what_moves"]
    assert study.title == "Exclusive group anchor, waived: +$9.3M of value."


@pytest.mark.core
def test_a_corner_has_two_prices(washington: Case) -> None:
    """Six blocks fill the grid limit to the last megawatt: one more is worth some mining, one less no plan at all."""
    plan = solved_once(washington)
    [limit] = [limit for limit in limits_of(washington, "base") if limit.rule == "site_power"]
    [row] = prices(plan, [limit]).tables["prices"].to_dict("records")
    assert 0.1 < row["dual_musd_per_unit"] < 0.5
    assert row["tighter_musd_per_unit"] != row["tighter_musd_per_unit"]


def test_a_budget_step_finds_where_decisions_move(washington: Case) -> None:
    """With $120M the next block needs some $8M more: the first change is found and both sides are true."""
    case = washington.replace(capex_budget_musd=120)
    plan = opt.solve(case)
    [limit] = [limit for limit in limits_of(case, "base") if limit.rule == "capex_budget"]
    study = prices(plan, [limit])
    moved = study.tables["steps"].query("moves == 'yes'").iloc[0]
    assert 0 < moved["change"] <= 10
    assert "Moses Lake" in moved["what_moves"]
    assert decisions_of(opt.solve(limit.change(case, moved["change"]))).starts != decisions_of(plan).starts
    assert decisions_of(opt.solve(limit.change(case, moved["change"] - 2.5))).starts == decisions_of(plan).starts
    assert study.title.startswith("Capex budget, +$10M: +$")
    assert "decisions move at +$" in study.title


def test_the_command_tells_and_keeps(run: Run, washington: Case, tmp_path: Path) -> None:
    """Of a case without any offer, too."""
    tables = ("offers", "offer_prices", "offer_sites", "extensions", "prepayments")
    bare = washington.replace(**{table: [] for table in tables})
    folder = opt.save_plan(opt.solve(bare), tmp_path / "plan")
    code, out, _ = run("prices", folder, "-j", "1")
    assert code == 0
    assert "worth" in out
    study = load_study(folder / "studies" / "prices")
    assert set(study.tables) == {"duals", "prices", "steps"}
    assert study.tables["duals"]["dual_musd_per_unit"].dtype == float
