"""Regret: plans held under every scenario, what money is missing where they cannot be, what all scenarios share."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DATA, Run, mining_case
from shared import solved_once
from tiny_cases import tiny_case

import optimizer as opt
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import Decisions, Signing, Start
from optimizer.questions.studies.regret import Cross, regret
from optimizer.questions.studies.shared import shared_decisions
from optimizer.questions.studies.study import load_study, save_study
from optimizer.questions.sweeps.runner import Sweep

EXACT = 1e-5


def two_futures(count: int) -> list[tuple[int, list[opt.Plan]]]:
    """Random cases with a plan for each of their two scenarios."""
    found: list[tuple[int, list[opt.Plan]]] = []
    for seed in range(10 * count):
        case = tiny_case(seed)
        try:
            plans = [opt.solve(case, row.scenario, gap=0.0) for row in case.scenarios]
        except Infeasible:
            continue
        found.append((seed, plans))
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("count", [5, pytest.param(8, marks=pytest.mark.campaign)])
def test_a_plan_regrets_nothing_at_home_and_beats_no_scenario_s_own_best(count: int) -> None:
    """Values held are exact: equal at home, at most the best elsewhere; what is missing is missing for good."""
    away = 0
    for seed, plans in two_futures(count):
        cross = Cross(plans, None, 0.0, Sweep())
        for plan, name in zip(plans, cross.names, strict=True):
            for scenario in cross.scenarios:
                cell, best = cross.cells[name, scenario], cross.best[scenario]
                if scenario == plan.scenario:
                    assert cell.value_musd == pytest.approx(plan.value_musd, rel=EXACT, abs=EXACT), seed
                    assert (
                        cell.short_musd == 0 and cross.regret(name, scenario)[1] <= EXACT * abs(plan.value_musd) + EXACT
                    )
                elif cell.short_musd == 0:
                    away += 1
                    assert cell.value_musd <= best.bound_musd + EXACT * max(1.0, abs(best.bound_musd)), seed
        assert [best.value_musd for best in cross.best.values()] == pytest.approx(
            [plan.value_musd for plan in plans], rel=EXACT, abs=EXACT
        )
    assert away >= 3


@pytest.mark.core
def test_what_is_missing_is_what_a_poorer_company_lacks() -> None:
    """The plan of a rich variant, held in the case itself: short by just as much as the case has less, each quarter."""
    case = mining_case()
    plan = opt.solve(case)
    assert len(plan.starts)
    lowest = plan.kpis["lowest_cash_musd"]
    spare = lowest - case.settings.minimum_cash_musd
    poor = case.replace(opening_cash_musd=case.settings.opening_cash_musd - spare - 3.0)
    other = opt.solve(poor)
    study = regret([other, plan], sweep=Sweep())
    values = study.tables["values"]
    assert values["short_musd"].tolist() == pytest.approx([0.0, 3.0], abs=1e-4)
    assert values["value_musd"].iloc[1] == pytest.approx(plan.value_musd, rel=EXACT)
    assert f"$3.0M of liquidity is missing in {plan.kpis['lowest_cash_quarter']}" in values["words"].iloc[1]
    assert any("$3.0M of liquidity is missing" in sentence for sentence in study.words)
    assert list(study.tables["plans"]["words"]) == ["", "liquidity is missing in base"]


def test_a_plan_that_cannot_be_taken_at_all_says_why() -> None:
    """An offer that this variant does not have: no value, and the decision named."""
    case = mining_case()
    plan = opt.solve(case)
    assert list(plan.contracts["offer"]) == ["lease"]
    without = case.replace(offers=[], offer_prices=[], offer_sites=[])
    study = regret([opt.solve(without), plan])
    row = study.tables["values"].iloc[1]
    assert row["value_musd"] != row["value_musd"] and row["short_musd"] != row["short_musd"]
    assert "lease" in row["words"]
    assert study.tables["plans"]["words"].iloc[1] == "cannot be kept in base"
    regrets = study.tables["regret"].set_index("plan")["regret_musd"]
    assert regrets.iloc[0] == 0 and regrets.iloc[1] != regrets.iloc[1]  # no regret is told where there is no value


def start(quarter: str, mw: float) -> Start:
    return Start("north", "north hall", "colo", quarter, quarter, mw, 1, mw, False)


@pytest.mark.core
def test_the_part_of_a_start_that_all_scenarios_take_is_committed_now() -> None:
    """12 MW against 18 in the same quarter: 12 now, 6 can wait; a contract signed otherwise waits with a note."""
    lease = Signing("lease", "north", "2027Q1", 8.0, "Ada", "colo", "2032Q1", False)
    later = Signing("lease", "north", "2027Q3", 8.0, "Ada", "colo", "2032Q3", False)
    rows = shared_decisions(
        {"up": Decisions((start("2026Q1", 18.0),), (lease,)), "down": Decisions((start("2026Q1", 12.0),), (later,))}
    )
    told = {row[1]: (row[2], row[3]) for row in rows}
    assert told["north: 12 gross MW become colo, start 2026Q1, in service 2026Q1"] == ("up, down", "commit now")
    assert told["north: further 6 gross MW become colo, start 2026Q1, in service 2026Q1"] == ("up", "wait")
    assert [row[3] for row in rows] == ["commit now", "wait", "wait", "wait"]
    assert sum("each in its own way" in row[1] for row in rows) == 2


def test_scenarios_are_those_named_and_known(washington: Case, tmp_path: object) -> None:
    plan = solved_once(washington)
    with pytest.raises(InputError, match="gpu_up"):
        opt.regret([plan], ["gpu down"])
    with pytest.raises(InputError, match="name a plan"):
        opt.regret([])
    study = opt.regret([plan], ["headline", "base"])
    assert list(study.tables["values"]["scenario"]) == ["headline", "base"]
    assert "commit now" in set(study.tables["decisions"]["verdict"])
    back = load_study(save_study(study, f"{tmp_path}/regret"))
    assert back.tables["values"]["value_musd"].tolist() == study.tables["values"]["value_musd"].tolist()


def test_all_scenarios_keeps_the_plans_that_are_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proven plan in its usual place is used, not replaced by a draft that would orphan its studies."""
    monkeypatch.chdir(tmp_path)
    assert run("solve", DATA / "washington_2025", "--prove")[0] == 0
    proven = Path("results/washington_2025-base/plan.json").read_bytes()
    code, _, err = run("regret", DATA / "washington_2025", "--all-scenarios", "-j", "1")
    assert code == 0, err
    assert "Solving scenario base" not in err and "Solving scenario headline" in err
    assert Path("results/washington_2025-base/plan.json").read_bytes() == proven


def test_all_scenarios_of_a_plan_are_solved_beside_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own is there; the study is kept with it."""
    monkeypatch.chdir(tmp_path)
    assert run("solve", DATA / "washington_2025", "--scenario", "gpu_up", "-o", "mine")[0] == 0
    code, _, err = run("regret", "mine", "--all-scenarios", "-j", "1")
    assert code == 0, err
    assert [word for word in ("base", "headline", "gpu_up") if f"Solving scenario {word}" in err] == [
        "base",
        "headline",
    ]
    values = load_study(Path("mine/studies/regret")).tables["values"]
    assert list(dict.fromkeys(values["plan"])) == ["gpu_up", "base", "headline"]
