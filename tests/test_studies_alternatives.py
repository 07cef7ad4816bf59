"""Near-best alternatives: as far as can be, whole, audited, and what all of them share proven, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import oracle
import pytest
from shared import solved_once
from test_sweeps import solvable

import optimizer as opt
from optimizer.case.case import Case
from optimizer.plan.decisions import decisions_of
from optimizer.questions.studies.alternatives import DISTANCE_GAP, TRIVIAL, NearBest, alternatives
from optimizer.questions.studies.choices import choices_of
from optimizer.questions.studies.distances import amounts, distance, farthest
from optimizer.questions.studies.study import load_study, save_study
from optimizer.questions.sweeps.altered import worth_at_least
from optimizer.questions.sweeps.holding import as_columns, hold, taken_by
from optimizer.questions.sweeps.runner import Question, Sweep, answer

WITHIN = 0.25
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Combined:
    """One combination that the oracle tried: what it is worth at best, and what it starts and signs."""

    value_musd: float
    starts: oracle.Starts
    contracts: oracle.Contracts


def every_combination(case: Case) -> Iterator[Combined]:
    common = oracle.Common(case, "base", decide=True)
    for starts, contracts in oracle.combinations(case):
        found = common.program(starts, contracts).best(-np.inf)
        if found is not None:
            yield Combined(found.value_musd, starts, contracts)


@pytest.fixture(scope="module")
def solved() -> list[tuple[int, Case, opt.Plan]]:
    return list(solvable(8))


def test_a_plan_held_by_its_tables_is_worth_what_it_was(solved: list[tuple[int, Case, opt.Plan]]) -> None:
    """Every here-and-now decision is read from the tables and held; a decision read wrongly would cost or not fit."""
    from optimizer.questions.sweeps.family import compile_case

    for seed, case, plan in solved:
        held = hold(taken_by(plan), compile_case(case, "base"), case, "base")
        assert not isinstance(held, str), (seed, held)
        landed = answer(Question(held.program, gap=0.0))
        assert landed.value_musd == pytest.approx(plan.value_musd, rel=TOLERANCE, abs=TOLERANCE), seed


def test_no_near_best_plan_is_farther_than_the_one_found(solved: list[tuple[int, Case, opt.Plan]]) -> None:
    """Of all combinations within the share, the farthest by site is as far as the search says, and no farther."""
    for seed, case, plan in solved:
        near = NearBest(plan, WITHIN, 1e-6, None, Sweep())
        counted = amounts(case, near.compiled, "site")
        if not counted:
            continue
        here = as_columns(taken_by(plan), near.compiled, case)
        program = farthest(worth_at_least(near.compiled, near.least_musd), counted, [here])
        landed = answer(Question(program.program, 1e-9))
        tied = [c for c in every_combination(case) if c.value_musd >= near.least_musd + TOLERANCE]
        loose = [c for c in every_combination(case) if c.value_musd >= near.least_musd - TOLERANCE]
        low, high = (max((apart(case, plan, c) for c in some), default=0.0) for some in (tied, loose))
        assert low - TOLERANCE <= landed.value_musd <= high + TOLERANCE, seed
        assert distance(counted, here, landed.vector) == pytest.approx(landed.value_musd, abs=1e-4), seed


def apart(case: Case, plan: opt.Plan, other: Combined) -> float:
    """Gross MW by site and product in which a combination differs from a plan."""
    mw: dict[tuple[str, str], float] = {}
    for start in decisions_of(plan).starts:
        mw[start.site, start.product] = mw.get((start.site, start.product), 0.0) + start.gross_mw
    for begun in other.starts:
        option = case.option[begun.option]
        key = option.site, option.product
        mw[key] = mw.get(key, 0.0) - begun.blocks * option.block_gross_mw
    return sum(map(abs, mw.values()))


def test_alternatives_are_whole_audited_near_and_different(solved: list[tuple[int, Case, opt.Plan]]) -> None:
    others = 0
    for seed, case, plan in solved:
        near = NearBest(plan, 10 * WITHIN, 1e-6, None, Sweep())
        found, _ = near.find()
        for one in found[1:]:
            others += 1
            assert opt.audit(case, one.plan).clean, seed
            assert near.least_musd - TOLERANCE <= one.plan.value_musd <= plan.bound_musd + TOLERANCE, seed
            assert one.distance_mw > TRIVIAL * plan.kpis["converted_gross_mw"] * (1 - DISTANCE_GAP), seed
            assert decisions_of(one.plan) != decisions_of(plan), seed
    assert others >= 2


def test_what_every_plan_within_the_share_takes_is_told_truly(solved: list[tuple[int, Case, opt.Plan]]) -> None:
    """A verdict on every plan holds for every combination there is; one on some plans has a combination as witness."""
    judged = 0
    for seed, case, plan in solved:
        near = NearBest(plan, WITHIN, 1e-6, None, Sweep())
        inside = [c for c in every_combination(case) if c.value_musd >= near.least_musd + TOLERANCE]
        for verdict in near.judge(near.find()[0][:1]):
            taken = [
                any(s.option in verdict.choice.options for s in c.starts)
                or any(c.offer == verdict.choice.offer for c in c.contracts)
                for c in inside
            ]
            judged += 1
            if verdict.words.startswith("in every"):
                assert all(taken), (seed, verdict)
            elif verdict.words.startswith("in no"):
                assert not any(taken), (seed, verdict)
            elif verdict.words.startswith(("not in every", "in some")):
                assert verdict.otherwise_musd >= near.least_musd - TOLERANCE, (seed, verdict)
    assert judged >= 12


def test_the_study_of_a_shipped_case(washington: Case, tmp_path: object) -> None:
    """At a wide share another hall size is good enough; that the site converts is in every plan, and proven so."""
    plan = solved_once(washington)
    study = alternatives(plan, 0.3)
    shares = study.tables["shares"].set_index("decision")
    assert shares.loc["convert Moses Lake", "verdict"].startswith("in every plan within 30%")
    assert shares.loc["convert Moses Lake", "otherwise_bound_musd"] < study.about["least_musd"]
    assert "Moses Lake converts" in study.title
    table = study.tables["alternatives"]
    assert list(table["number"]) == list(range(1, len(table) + 1)) and len(table) >= 3
    assert (table["gives_up_musd"] <= study.about["within_musd"] + TOLERANCE).all()
    assert study.about["run_id"] == plan.run_id
    back = load_study(save_study(study, f"{tmp_path}/alternatives"))
    assert back.record() == study.record()
    assert list(back.tables["shares"]["verdict"]) == list(shares["verdict"])


@pytest.mark.core
def test_a_case_with_nothing_to_decide_has_no_alternative(case: Case) -> None:
    bare = case.replace(options=[], offers=[], offer_prices=[], offer_sites=[])
    study = alternatives(opt.solve(bare))
    assert len(study.tables["alternatives"]) == 1
    assert choices_of(bare) == [] and len(study.tables["shares"]) == 0
    assert "no other plan was found" in study.title
