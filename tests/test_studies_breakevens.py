"""Break-evens: both sides are solved again from scratch, and decide as the study says."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from shared import solved_once
from test_sweeps import solvable

import optimizer as opt
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import decisions_of
from optimizer.questions.studies.breakevens import RUNNING, Turn, _Scan, breakevens, turns_of
from optimizer.questions.sweeps.drivers import driver_named
from optimizer.questions.sweeps.family import compile_case
from optimizer.questions.sweeps.reading import mining_in
from optimizer.questions.sweeps.runner import Question, answer

TOLERANCE = 0.02
EXACT = 1e-6


def decided(plan: opt.Plan, turn: Turn) -> str:
    """What a plan decides about the subject of a turn, in the study's words, read from the plan's own tables."""
    decisions, name = decisions_of(plan), turn.subject
    if turn.driver.name.startswith("rent of "):
        return "signed" if any(one.offer == name for one in decisions.signed) else "refused"
    if turn.driver.name.startswith(("capex of ", "delay of ")):
        return "built" if any(one.option == name for one in decisions.starts) else "not built"
    if "converts" in turn.question:
        return "converts" if any(one.site == name for one in decisions.starts) else "does not convert"
    last = decisions.mining.get(name)
    return "does not mine" if last is None else f"mines to {last}"


def solved_at(case: Case, turn: Turn, x: float) -> opt.Plan | None:
    try:
        return opt.solve(turn.driver.change(case, x), gap=0.0)
    except (Infeasible, InputError):
        return None


@pytest.mark.parametrize("count", [4, pytest.param(8, marks=pytest.mark.campaign)])
def test_both_sides_decide_as_the_study_says(count: int) -> None:
    """On random cases, for sites, offers and options: solved from scratch, with the model that knows its prices."""
    found = 0
    for seed, case, plan in solvable(count):
        asked = turns_of(
            plan,
            sites=[row.site for row in case.sites], offers=list(case.offer), options=list(case.option),
        )  # fmt: skip
        asked = random.Random(seed).sample(asked, min(4, len(asked)))
        table = breakevens(plan, asked, tolerance=TOLERANCE, grid=5, gap=0.0).tables["breakevens"]
        for turn, row in zip([t for t in asked if t.driver.low < t.driver.high], table.itertuples(), strict=True):
            assert row.state == decided(plan, turn), (seed, turn.question)
            if row.found == "no":
                continue
            found += 1
            width = 1.0 if turn.driver.whole else TOLERANCE * turn.driver.base
            assert row.above - row.below <= width * (1 + 1e-6), (seed, turn.question)
            for side in ("below", "above"):
                x, words = getattr(row, side), getattr(row, f"decision_{side}")
                other, value = solved_at(case, turn, x), getattr(row, f"value_{side}_musd")
                if other is None:
                    assert words == "no plan", (seed, turn.question, x)
                else:
                    assert value == pytest.approx(other.value_musd, rel=EXACT, abs=EXACT), (seed, turn.question, x)
                    assert words == decided(other, turn), (seed, turn.question, x)
    assert found >= 3


def test_the_rent_at_which_the_anchor_is_dropped(washington: Case) -> None:
    """A known one: the whole hall is signed at 1.85 and no longer at 1.66 $M/IT MW-year; the title says so."""
    plan = solved_once(washington)
    study = breakevens(plan, turns_of(plan, offers=["ai-lab-a-whole-hall"]))
    [row] = study.tables["breakevens"].to_dict("records")
    assert (row["decision_below"], row["decision_above"], row["found"]) == ("refused", "signed", "yes")
    assert 1.6 < row["below"] < row["above"] < 1.7
    assert row["above"] - row["below"] <= 0.0185
    assert "nearest to turning" in study.title


def stepping(turns: Callable[[float], str], driver: str) -> Callable[[Case], Turn]:
    """A turn whose decision is an arbitrary function of the driver, to try the search itself."""

    def make(case: Case) -> Turn:
        moved = driver_named(case, "base", driver)
        return Turn("it", "where it turns", moved, lambda reply: turns(driver_named(reply.case, "base", driver).base))

    return make


def test_of_several_turns_the_nearest_is_told_and_the_others_named(
    washington: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision made up for the search: whether it is as good at the base has no meaning, and is not asked."""
    monkeypatch.setattr(_Scan, "_doubt", lambda self, turns: None)
    plan = solved_once(washington)
    [row] = breakevens(
        plan, [stepping(lambda x: "in" if 36 < x < 40 or x > 48 else "out", "hashprice")(washington)], grid=13
    ).tables["breakevens"].to_dict("records")  # fmt: skip
    assert row["below"] <= 40 <= row["above"]
    assert row["words"].count("between") == 2


def test_what_is_as_good_at_the_base_turns_nothing(washington: Case) -> None:
    """Two equal offers: which one is signed is chance, and a number that moves both turns nothing."""
    twin = washington.offer["ai-lab-a-whole-hall"].model_copy(update={"offer": "twin"})
    prices = [row for row in washington.offer_prices if row.offer == "ai-lab-a-whole-hall"]
    case = washington.replace(
        offers=[*washington.offers, twin],
        offer_prices=[*washington.offer_prices, *(row.model_copy(update={"offer": "twin"}) for row in prices)],
        offer_sites=[*washington.offer_sites, *({"offer": "twin", "site": row.site} for row in washington.offer_sites
                                                if row.offer == "ai-lab-a-whole-hall")],
        extensions=[*washington.rows("extensions"), *(row.model_copy(update={"offer": "twin"})
                    for row in washington.rows("extensions") if row.offer == "ai-lab-a-whole-hall")],
    )  # fmt: skip
    plan = opt.solve(case)
    driver = driver_named(case, "base", "discount rate AI")
    asked = turns_of(plan, offers=["twin", "ai-lab-a-whole-hall"])
    table = breakevens(plan, [Turn(t.subject, "signed", driver, t.state) for t in asked], grid=5).tables["breakevens"]
    assert list(table["found"]) == ["no", "no"]
    assert set(table["state"]) == {"signed", "refused"}


def test_what_the_plan_itself_decides_turns_nothing(washington: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case solved again mines to another quarter than the plan, which is as good; below $36 it does what the plan
    does, with other decisions that would be worse at the base. That is no turn; what it does above $48 is one.
    """
    monkeypatch.setattr(_Scan, "_doubt", lambda self, turns: None)
    plan = solved_once(washington)
    own = decisions_of(plan).mining.get("Moses Lake")
    states = {False: "mines to 2030Q1", True: "does not mine" if own is None else f"mines to {own}"}
    for beyond, found in ("mines to 2030Q1", "no"), ("mines to 2031Q1", "yes"):
        made = stepping(lambda x, beyond=beyond: beyond if x > 48 else states[x < 36], "hashprice")(washington)
        turn = replace(made, subject="Moses Lake", recourse=RUNNING)
        [row] = breakevens(plan, [turn], grid=13).tables["breakevens"].to_dict("records")
        assert row["found"] == found
        assert not row["below"] < 40


@pytest.mark.core
def test_where_nothing_turns_it_says_so(washington: Case) -> None:
    plan = solved_once(washington)
    study = breakevens(plan, [stepping(lambda x: "in", "hashprice")(washington)])
    [row] = study.tables["breakevens"].to_dict("records")
    assert row["found"] == "no"
    assert row["below"] != row["below"]
    assert "in at every hashprice tried from 27" in row["words"]
    assert study.title == "No decision that was asked about turns within the ranges tried."
    assert breakevens(plan, []).title == "There is no decision in this plan that a number could turn."


def test_mining_is_read_from_answers_as_from_plans() -> None:
    """The last quarter of mining of every site, by the adjustable program and by the plan's own tables."""
    for seed, case, plan in solvable(12):
        compiled = compile_case(case, "base")
        landed = answer(Question(compiled.program, gap=0.0))
        assert mining_in(case, "base", compiled, landed.vector) == decisions_of(plan).mining, seed


def test_an_unknown_name_is_refused(run: Run, washington: Case, tmp_path: Path) -> None:
    folder = opt.save_plan(solved_once(washington), tmp_path / "plan")
    code, _, err = run("breakevens", folder, "--offer", "=1+1", "-j", "1")
    assert code == 2
    assert "'=1+1' is not in this case" in err
    with pytest.raises(InputError):
        turns_of(opt.load_plan(folder), sites=["Moses"])


def test_the_command_tells_and_keeps(run: Run, washington: Case, tmp_path: Path) -> None:
    folder = opt.save_plan(solved_once(washington), tmp_path / "plan")
    code, out, _ = run("breakevens", folder, "--option", "moses-lake-colocation", "--grid", "3", "-j", "1")
    assert code == 0
    assert "built at delay of moses-lake-colocation 4, not built at 5" in out
    names: set[Any] = {path.name for path in (folder / "studies" / "breakevens").iterdir()}
    assert names >= {"breakevens.csv", "breakevens.png", "breakevens.svg", "study.json", "answers.jsonl"}
