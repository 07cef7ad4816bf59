"""Sweeps: one compilation, many numbers; answers that land, stay, and are never asked twice."""

from __future__ import annotations

import errno
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from shared import solved_once
from tiny_cases import tiny_case

import optimizer as opt
from optimizer.case.case import Case
from optimizer.files.journal import Journal
from optimizer.ground.errors import Infeasible, PlanError
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import decisions_of
from optimizer.questions.sweeps import runner
from optimizer.questions.sweeps.drivers import Driver, driver_named, drivers_of
from optimizer.questions.sweeps.family import Family, compile_case
from optimizer.questions.sweeps.reading import decisions_in
from optimizer.questions.sweeps.runner import Landed, Question, Sweep, answer

EXACT = 1e-6


def solvable(count: int) -> Iterator[tuple[int, Case, opt.Plan]]:
    """Random cases that have a plan, with it."""
    found = 0
    for seed in range(10 * count):
        case = tiny_case(seed)
        try:
            plan = solved_once(case, gap=0.0)
        except Infeasible:
            continue
        yield seed, case, plan
        found += 1
        if found == count:
            return


@pytest.fixture(scope="module")
def solved() -> list[tuple[int, Case, opt.Plan]]:
    return list(solvable(12))


def test_an_adjustable_model_finds_the_same_value_and_decisions(solved: list[tuple[int, Case, opt.Plan]]) -> None:
    """Nothing pruned, running left to the solver: a model that prunes wrongly, or runs at a loss, would differ."""
    for seed, case, plan in solved:
        compiled = compile_case(case, "base")
        landed = answer(Question(compiled.program, gap=0.0))
        assert landed.value_musd == pytest.approx(plan.value_musd, rel=EXACT, abs=EXACT), seed
        assert decisions_in(case, "base", compiled, landed.vector) == decisions_of(plan), seed


def test_a_family_gives_the_program_that_compiling_the_variant_gives(solved: list[tuple[int, Case, opt.Plan]]) -> None:
    """At random points of random boxes the value is that of the case with those numbers, solved from scratch."""
    for seed, case, _ in solved:
        rng = random.Random(seed)
        drivers = rng.sample([d for d in drivers_of(case, "base") if not d.whole], 3)
        family = Family(case, "base", drivers)
        point = {d.name: rng.uniform(d.low, d.high) for d in drivers}
        try:
            variant = family.variant(point)
        except InputError:
            continue
        swapped = answer(Question(family.at(point).program, gap=0.0))
        afresh = answer(Question(compile_case(variant, "base", adjustable=False).program, gap=0.0))
        assert swapped.outcome == afresh.outcome, (seed, point)
        assert swapped.value_musd == pytest.approx(afresh.value_musd, rel=EXACT, abs=EXACT, nan_ok=True), (seed, point)


@pytest.mark.core
def test_prices_of_a_shipped_case_are_swapped_without_compiling(washington: Case) -> None:
    """Hashprice and rent lie on straight lines: after five models for the box no point needs another."""
    drivers = [driver_named(washington, "base", name) for name in ("hashprice", "rent colocation")]
    family = Family(washington, "base", drivers)
    learned = family.compilations
    for x in np.linspace(0.0, 1.0, 7):
        family.at({d.name: d.low + float(x) * (d.high - d.low) for d in drivers})
    assert family.compilations == learned <= 6


def test_a_driver_that_bends_is_compiled_at_its_value(washington: Case) -> None:
    """A discount rate bends every number: the straight line between two of them would be wrong."""
    driver = driver_named(washington, "base", "discount rate AI")
    family = Family(washington, "base", [driver])
    between = answer(Question(family.at({driver.name: driver.low + 0.3 * (driver.high - driver.low)}).program))
    rates = {"colocation": washington.settings.discount_rates["colocation"] - 0.02 + 0.3 * 0.04}
    rates["gpuaas"] = washington.settings.discount_rates["gpuaas"] - 0.02 + 0.3 * 0.04
    moved = washington.replace(discount_rates=washington.settings.discount_rates | rates)
    assert between.value_musd == pytest.approx(opt.solve(moved).value_musd, rel=1e-4)


def test_an_unknown_driver_is_refused_with_the_names_there_are(washington: Case) -> None:
    with pytest.raises(InputError, match="hashprice"):
        driver_named(washington, "base", "hash price")


def questions(case: Case, driver: Driver, count: int) -> list[Question]:
    family = Family(case, "base", [driver])
    return [Question(family.at({driver.name: float(x)}).program) for x in np.linspace(driver.low, driver.high, count)]


def test_answers_stay_on_disk_and_are_not_asked_twice(
    washington: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that was cut off, its last line torn, goes on with what is missing and no more."""
    asked = questions(washington, driver_named(washington, "base", "hashprice"), 4)
    first = Sweep(folder=tmp_path).ask(asked[:3])
    file = tmp_path / "answers.jsonl"
    file.write_text(file.read_text()[:-40], encoding="utf-8")
    solved: list[str] = []
    monkeypatch.setattr(runner, "answer", lambda question: solved.append(question.key) or answer(question))
    again = Sweep(folder=tmp_path).ask(asked)
    assert solved == [asked[2].key, asked[3].key]
    assert [a.value_musd for a in again[:3]] == [a.value_musd for a in first]
    assert len(file.read_text().splitlines()) == 5  # three whole, one torn, two new


def test_a_line_cut_off_by_a_full_disk_costs_no_other_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "lines")
    journal.add("one")

    def full(_: int) -> None:
        with (tmp_path / "lines").open("r+") as file:
            file.truncate(6)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as now:
        now.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            journal.add("two")
    journal.add("three")
    assert list(journal.lines()) == ["one", "tw", "three"]
    again = Journal(tmp_path / "lines")
    again.add("four")
    assert list(again.lines()) == ["one", "tw", "three", "four"]


def test_a_sweep_that_meets_a_full_disk_says_so(
    washington: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "add", full)
    asked = questions(washington, driver_named(washington, "base", "hashprice"), 2)
    with pytest.raises(PlanError, match=r"cannot be written: No space left .* What landed before is kept"):
        Sweep(folder=tmp_path).ask(asked)


def test_an_answer_reads_back_exactly(washington: Case) -> None:
    landed = answer(questions(washington, driver_named(washington, "base", "hashprice"), 2)[0])
    back = Landed.of(json.loads(json.dumps(landed.record(), allow_nan=False)))
    assert (back.value_musd, back.bound_musd, back.outcome) == (landed.value_musd, landed.bound_musd, landed.outcome)
    assert np.array_equal(back.vector, landed.vector)
    assert np.array_equal(back.row_duals, landed.row_duals)


def test_workers_give_what_this_process_gives(washington: Case) -> None:
    asked = questions(washington, driver_named(washington, "base", "power"), 5)
    told: list[tuple[int, int]] = []
    with runner.workers(2) as pool:
        there = Sweep(pool, tell=lambda done, of: told.append((done, of))).ask(
            asked, lambda i, done: max(done, default=None)
        )
    here = Sweep().ask(asked)
    assert [a.value_musd for a in there] == pytest.approx([a.value_musd for a in here], rel=1e-9)
    assert told[-1] == (5, 5)
