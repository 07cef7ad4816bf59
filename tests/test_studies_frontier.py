"""The frontier: more of a limit is never worth less, each point is the plan that its own case has."""

from __future__ import annotations

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
from optimizer.questions.studies import plans
from optimizer.questions.studies.frontier import frontier, limited
from optimizer.questions.sweeps.runner import Sweep, workers

EXACT = 1e-6


@pytest.fixture(scope="module")
def solved(washington: Case) -> opt.Plan:
    return solved_once(washington)


@pytest.mark.parametrize("count", [3, pytest.param(4, marks=pytest.mark.campaign)])
def test_value_never_falls_with_budget_nor_rises_with_the_minimum_of_cash(count: int) -> None:
    """On random cases, within the gaps: no plan is worth more than the bound of a point with more freedom."""
    told = 0
    for seed, case, plan in solvable(count):
        study = frontier(plan, [share * case.settings.capex_budget_musd for share in (0.3, 0.6, 1.5)], gap=1e-3)
        for name, order in (("points", 1), ("cash", -1)):
            table = study.tables[name].dropna(subset=["value_musd"])[::order].reset_index(drop=True)
            for i in range(len(table)):
                freer = table["bound_musd"][i:].min()
                assert table["value_musd"][i] <= freer + EXACT, (seed, name, i)
                told += 1
    assert told >= 12


def test_each_point_is_the_plan_of_its_own_case(solved: opt.Plan, washington: Case) -> None:
    """Solved by itself it has the same value, capex and lowest cash; the case's own budget gives the plan itself."""
    table = frontier(solved, [60, 100], minima=[]).tables["points"].set_index("budget_musd")
    assert list(table.index) == [60, 100, 128]
    for budget, row in table.iterrows():
        plan = opt.solve(washington.replace(capex_budget_musd=budget))
        figures = [plan.value_musd, plan.kpis["capex_musd"], plan.kpis["lowest_cash_musd"]]
        assert [row["value_musd"], row["capex_musd"], row["lowest_cash_musd"]] == pytest.approx(figures, rel=EXACT)
        assert row["capex_musd"] <= budget + EXACT
    slope = (table["value_musd"][128] - table["value_musd"][100]) / 28
    assert table["marginal_musd"][128] == pytest.approx(slope)


@pytest.mark.core
def test_a_flat_stretch_keeps_its_ends_only(solved: opt.Plan) -> None:
    study = frontier(solved, [128, 150, 170, 200], minima=[])
    assert list(study.tables["points"]["budget_musd"]) == [128, 200]
    assert study.title.startswith("A budget above $128.0M adds nothing up to $200.0M")
    assert study.tables["cash"].empty


def test_a_limit_without_a_plan_says_why(solved: opt.Plan) -> None:
    """No plan has more cash at the end of the first quarter than there was, less what must be paid."""
    study = frontier(solved, [128], minima=[50, 900])
    row = study.tables["cash"].set_index("minimum_musd").loc[900]
    assert row["value_musd"] != row["value_musd"]
    assert "cash at the end of a quarter" in row["decisions"]
    assert any("no plan at a minimum of cash of $900.0M" in words for words in study.words)


def test_budgets_of_years_move_with_the_budget(washington: Case) -> None:
    case = washington.replace(budget_years=[{"year": 2026, "capex_budget_musd": 64}])
    assert limited(case, "budget_musd", 64.0).budget_years[0].capex_budget_musd == 32


def test_plans_stay_on_disk_and_are_not_solved_twice(
    solved: opt.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off in the middle of a line, it goes on with what is missing."""
    first = frontier(solved, [60, 100], minima=[], sweep=Sweep(folder=tmp_path))
    file = tmp_path / "plans.jsonl"
    file.write_text(file.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    again: list[float] = []
    solve_one = plans._solve
    monkeypatch.setattr(plans, "_solve", lambda case, *rest: again.append(case) or solve_one(case, *rest))
    second = frontier(solved, [60, 100], minima=[], sweep=Sweep(folder=tmp_path))
    assert len(again) == 1
    assert second.tables["points"].equals(first.tables["points"])


def test_workers_solve_what_this_process_solves(solved: opt.Plan) -> None:
    here = frontier(solved, [60], minima=[]).tables["points"]
    with workers(2) as pool:
        there = frontier(solved, [60], minima=[], sweep=Sweep(pool)).tables["points"]
    assert there.equals(here)


def test_odd_limits_are_refused(solved: opt.Plan, run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="budgets '-1' cannot be a limit"):
        frontier(solved, [-1])
    folder = opt.save_plan(solved, tmp_path / "plan")
    code, _, err = run("frontier", folder, "--budgets", "100;200", "-j", "1")
    assert code == 2
    assert "is no list of numbers" in err


def test_a_case_whose_budget_is_nothing(washington: Case) -> None:
    """Without a budget there is no share of it to try, and no error either."""
    case: Any = washington.replace(capex_budget_musd=0)
    try:
        plan = opt.solve(case)
    except Infeasible:
        pytest.skip("commitments need a budget")
    assert list(frontier(plan, minima=[]).tables["points"]["budget_musd"]) == [0]
