"""Switching maps: every point a value and a bound of its own, regions that can be read, ties told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shared import solved_once
from test_sweeps import solvable

import optimizer as opt
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible, PlanError
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import Decisions, Start, decisions_of
from optimizer.questions.studies.alternatives import alternatives
from optimizer.questions.studies.regions import divide
from optimizer.questions.studies.study import load_study, save_study
from optimizer.questions.studies.switching_map import switching_map
from optimizer.questions.sweeps import runner
from optimizer.questions.sweeps.drivers import driver_named, drivers_of
from optimizer.questions.sweeps.runner import Landed, Question, Sweep, answer

GAP = 1e-4


@pytest.mark.parametrize("count", [3, pytest.param(5, marks=pytest.mark.campaign)])
def test_every_point_is_what_its_variant_is_worth_solved_from_scratch(count: int) -> None:
    """On random cases, over random pairs of drivers: between value and bound lies the best of the variant."""
    checked = 0
    for seed, case, plan in solvable(count):
        drivers = [driver for driver in drivers_of(case, "base") if driver.low < driver.high]
        x, y = drivers[seed % len(drivers)], drivers[(seed + 3) % len(drivers)]
        study = switching_map(plan, x, y, points=(3, 2), gap=GAP)
        for point in study.tables["points"].itertuples():
            try:
                best = opt.solve(y.change(x.change(case, point.x), point.y), gap=1e-6)
            except Infeasible:
                assert point.region == "" and point.words, (seed, point)
                continue
            except InputError:
                assert point.words, (seed, point)
                continue
            slack = 1e-5 * max(1.0, abs(best.value_musd))
            assert best.value_musd - slack <= point.bound_musd, (seed, point)
            assert point.value_musd <= best.bound_musd + slack, (seed, point)
            room = GAP * max(abs(point.value_musd), abs(plan.value_musd))
            assert point.bound_musd - point.value_musd <= room + slack, (seed, point)
            checked += 1
    assert checked >= 15


def test_regions_of_a_shipped_case(washington: Case, tmp_path: Path) -> None:
    """The letters cover all points, the plan itself is in one of the regions, the study reads back."""
    plan = solved_once(washington)
    study = switching_map(plan, points=(5, 4))
    points, regions = study.tables["points"], study.tables["regions"]
    assert (study.about["x_driver"], study.about["y_driver"]) == ("hashprice", "rent colocation")
    assert points.groupby("region").size().to_dict() == dict(zip(regions["region"], regions["plans"], strict=True))
    assert len(points) == 20 and len(regions) >= 2
    own = "; ".join(decisions_of(plan).words())
    assert own in set(study.tables["decisions"]["words"])
    assert (points["value_musd"] <= points["bound_musd"]).all()
    back = load_study(save_study(study, tmp_path / "map"))
    assert back.tables["points"]["value_musd"].tolist() == points["value_musd"].tolist()
    assert back.tables["points"]["decided"].tolist() == points["decided"].tolist()


def test_a_map_goes_on_with_the_points_that_are_missing(
    washington: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off after five answers, the second run solves the others and gives the same table."""
    plan, solved = solved_once(washington), []

    def counting(question: Question) -> Landed:
        if len(solved) == 5 and not resumed:
            raise KeyboardInterrupt
        solved.append(question.key)
        return answer(question)

    resumed = False
    monkeypatch.setattr(runner, "answer", counting)
    with pytest.raises(KeyboardInterrupt):
        switching_map(plan, points=(3, 3), sweep=Sweep(folder=tmp_path))
    resumed = True
    again = switching_map(plan, points=(3, 3), sweep=Sweep(folder=tmp_path))
    assert len(solved) == len(set(solved))
    afresh = switching_map(plan, points=(3, 3), gap=1e-3)
    assert again.tables["points"]["region"].tolist() == afresh.tables["points"]["region"].tolist()


@pytest.mark.core
def test_points_without_a_plan_say_why(case: Case, plan: opt.Plan) -> None:
    """A minimum of more cash than there is: no value and no region there, and a sentence for it."""
    cash = driver_named(case, "base", "minimum cash").within(0.0, 2 * case.settings.opening_cash_musd)
    study = switching_map(plan, cash, points=(3, 2))
    points = study.tables["points"]
    assert (points["value_musd"].isna() == (points["words"] != "")).all()
    assert points[points["value_musd"].isna()]["x"].unique().tolist() == [cash.high]
    assert set(points[points["value_musd"].isna()]["region"]) == {""}
    assert any("At 2 points there is no plan" in sentence for sentence in study.words)


def test_axes_that_make_no_map_are_refused(case: Case, plan: opt.Plan) -> None:
    with pytest.raises(InputError, match="hashprice"):
        switching_map(plan, "the weather")
    with pytest.raises(PlanError, match="Both axes"):
        switching_map(plan, "hashprice", "hashprice")
    with pytest.raises(PlanError, match="two points"):
        switching_map(plan, points=(1, 5))


def decided(*quarters: str, mw: float = 10.0) -> Decisions:
    return Decisions(tuple(Start("north", f"hall {q}", "colo", q, q, mw, 1, mw, False) for q in quarters), ())


@pytest.mark.core
def test_regions_merge_only_as_far_as_they_must() -> None:
    """Three plans by their quarters are three regions; twelve are one region of the same megawatts."""
    few = [decided("2026Q1"), decided("2026Q2"), decided("2026Q3"), decided("2026Q1")]
    grain, regions = divide(few)
    assert "quarter and size" in grain.words
    assert [(region.letter, region.points) for region in regions] == [("A", (0, 3)), ("B", (1,)), ("C", (2,))]
    many = [decided(f"20{i}Q1") for i in range(26, 38)]
    grain, regions = divide([*many, None, decided("2030Q1", mw=25.0)])
    assert "whatever the quarters" in grain.words
    assert [(region.name, len(region.points)) for region in regions] == [
        ("north 10 MW colo", 12),
        ("north 25 MW colo", 1),
    ]
    assert divide([None, None])[1] == []


def test_a_value_below_zero_has_its_minus_before_the_dollar(case: Case) -> None:
    """The map and the alternatives of a company whose overheads eat what it earns; one decision is not `decisions`."""
    costly = solved_once(
        case.replace(overheads=[row.model_copy(update={"g_and_a_musd": 90.0}) for row in case.overheads])
    )
    assert costly.value_musd < 0
    power, hashprice = (driver_named(costly.case, "base", name) for name in ("power", "hashprice"))
    studies = switching_map(costly, power, hashprice, points=(2, 2), gap=GAP), alternatives(costly, 0.02, gap=GAP)
    said = " ".join([*(study.title for study in studies), *(words for study in studies for words in study.words)])
    assert "-$" in said and "$-" not in said
    assert not re.search(r"\b1 different|\b1 decisions", said)
