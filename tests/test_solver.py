"""What reaches HiGHS, and what is made of every way in which it can end."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from conftest import mining_case
from pyomo.environ import ConcreteModel, Constraint, Integers, Objective, Reals, Var, maximize
from test_checks import POLICY

import optimizer as opt
from optimizer import solver
from optimizer.business.model import build_model
from optimizer.case.case import Case
from optimizer.ground.errors import SolverFault
from optimizer.plan.folder import save_plan
from optimizer.questions import planner, searches
from optimizer.solver import Progress, SolverOptions, highs
from optimizer.solver.models import compile_model, solve_model


class Inside:
    """A solver's process that is none: the same jobs, carried out in this process, so that a test can look on."""

    def run(self, job: Any, *, tell: Any = None, time_limit: Any = None, stop: Any = lambda: False) -> Any:
        asked = threading.Event()
        if stop():
            asked.set()
        return highs.carry_out(job, tell or (lambda _: None), asked)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "solver_process", lambda *_: nullcontext(Inside()))


@pytest.fixture
def loaded(inside: None, monkeypatch: pytest.MonkeyPatch) -> list[highspy.Highs]:
    """The Highs objects that a solve makes, in order: do-nothing and its clean-up, then the search and its own."""
    made: list[highspy.Highs] = []
    load = highs.load

    def spy(*arguments: Any) -> highspy.Highs:
        made.append(load(*arguments))
        return made[-1]

    monkeypatch.setattr(highs, "load", spy)
    return made


def toy(
    *, coefficient: float = 1.0, cost: float = 2.0, upper: float | None = 5.0, right: float = 3.5, domain: Any = Reals
) -> ConcreteModel:
    """Maximise 2x + y with x + y <= 3.5, 0 <= x <= 5, 0 <= y <= 1: worth 7."""
    m = ConcreteModel()
    m.x = Var(bounds=(0, upper), domain=domain)
    m.y = Var(bounds=(0, 1))
    m.purse = Constraint(expr=coefficient * m.x + m.y <= right)
    m.value = Objective(expr=cost * m.x + m.y, sense=maximize)
    return m


# ---- options ------------------------------------------------------------------------------------------------------


def test_gap_time_limit_seed_and_threads_reach_the_solver(case: Case, loaded: list[highspy.Highs]) -> None:
    opt.solve(case, gap=0.0123, time_limit=41.5, seed=17, threads=2)
    wanted = {"mip_rel_gap": 0.0123, "mip_abs_gap": 0.0, "time_limit": 41.5, "random_seed": 17, "threads": 2}
    assert {name: loaded[4].getOptionValue(name)[1] for name in wanted} == wanted


def test_unless_told_otherwise_one_thread_small_gap_and_no_limit(case: Case, loaded: list[highspy.Highs]) -> None:
    opt.solve(case)
    wanted = {"mip_rel_gap": 1e-4, "mip_abs_gap": 0.0, "time_limit": math.inf, "random_seed": 0, "threads": 1}
    assert {name: loaded[4].getOptionValue(name)[1] for name in wanted} == wanted


def test_the_clean_up_and_the_do_nothing_plan_are_not_cut_short(case: Case, loaded: list[highspy.Highs]) -> None:
    opt.solve(case, gap=0.5, time_limit=60)
    assert len(loaded) == 6
    others = [*loaded[:4], loaded[5]]
    assert all(other.getOptionValue("time_limit")[1] >= 60 for other in others)
    assert all(other.getOptionValue("mip_rel_gap")[1] <= 1e-4 for other in others)


@pytest.mark.parametrize("option", [{"gap": -1.0}, {"seed": -1}, {"threads": -5}, {"time_limit": -1.0}])
def test_an_option_that_the_solver_does_not_take_is_a_fault(option: dict[str, Any]) -> None:
    with pytest.raises(SolverFault, match="was not taken"):
        solve_model(toy(), SolverOptions(**option))


def test_threads_may_change_from_solve_to_solve() -> None:
    assert [solve_model(toy(), SolverOptions(threads=threads)).value for threads in (1, 2, 1)] == [7, 7, 7]


def test_the_log_is_kept(plan: opt.Plan) -> None:
    assert "HiGHS" in plan.log
    assert "Optimal" in plan.log


def test_the_options_are_told_with_the_plan(case: Case) -> None:
    told = opt.solve(case, gap=0.02, time_limit=50, seed=3, threads=1).provenance
    assert told["options"] == {"gap": 0.02, "time_limit_s": 50, "seed": 3, "threads": 1}
    assert told["solver"] == f"HiGHS {highspy.Highs().version()}"


# ---- what may not reach the solver ----------------------------------------------------------------------------------


@pytest.mark.core
def test_the_toy_is_worth_seven() -> None:
    answer = solve_model(toy(), SolverOptions())
    assert (answer.status, answer.value, answer.bound) == ("optimal", 7, 7)


@pytest.mark.parametrize(
    "change",
    [
        {"coefficient": math.nan}, {"coefficient": math.inf}, {"coefficient": 1e10}, {"coefficient": 1e-10},
        {"cost": math.nan}, {"cost": math.inf}, {"upper": None}, {"upper": math.inf},
        {"right": math.nan},
        {"right": math.inf},
    ],
    ids=str,
)  # fmt: skip
def test_a_model_with_unsound_numbers_is_refused(change: dict[str, Any]) -> None:
    """HiGHS takes NaN without a word and Pyomo drops rows; an endless variable could make the model unbounded."""
    with pytest.raises(SolverFault):
        solve_model(toy(**change), SolverOptions())


@pytest.mark.parametrize("decide", [True, False])
def test_no_variable_of_a_case_is_endless(washington: Case, decide: bool) -> None:
    program, _, _ = compile_model(build_model(washington, "base", decide=decide))
    assert np.isfinite(program.lower).all()
    assert np.isfinite(program.upper).all()


@pytest.mark.core
def test_a_row_lost_on_the_way_is_a_fault(inside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highspy.Highs, "getNumRow", lambda highs: 0)
    with pytest.raises(SolverFault, match="not what was built"):
        solve_model(toy(), SolverOptions())


BOTH_HALLS = POLICY | {"site": "*", "first": "2027Q3", "min_mw": 13, "max_mw": None}

# ---- ways to end ----------------------------------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"minimum_cash_musd": 100_000}, {"minimum_liquidity"}),
        ({"use_limits": [BOTH_HALLS], "capex_budget_musd": 30}, {"use_floor", "capex_budget"}),
    ],
    ids=["liquidity", "floor_against_budget"],
)
def test_an_infeasible_case_names_the_rules_that_clash(case: Case, change: dict[str, Any], rules: set[str]) -> None:
    """Each hall alone is within the budget of $30M, both together cost $39M."""
    with pytest.raises(opt.Infeasible) as infeasible:
        opt.solve(case.replace(**change))
    assert infeasible.value.exit_code == 3
    assert rules <= {clash.rule for clash in infeasible.value.clashes}
    for clash in infeasible.value.clashes:
        assert clash.row.startswith(f"{clash.rule}[")
        assert clash.sentence in str(infeasible.value)


def test_a_clash_of_whole_blocks_alone_is_called_so(case: Case) -> None:
    """A block is 12 gross MW; half of one would keep the policy."""
    half = POLICY | {
        "site": "north",
        "basis": "gross_mw",
        "first": "2028Q1",
        "last": "2028Q2",
        "min_mw": 6,
        "max_mw": 8,
    }
    with pytest.raises(opt.Infeasible, match="once blocks and contracts are whole") as infeasible:
        opt.solve(case.replace(use_limits=[half]))
    assert infeasible.value.clashes == ()


def test_a_rule_between_numbers_alone_can_be_infeasible(case: Case) -> None:
    """A floor of 1 MW before any hall can be in service has no variable left in it."""
    early = POLICY | {"first": "2027Q1", "last": "2027Q1", "min_mw": 1}
    with pytest.raises(opt.Infeasible, match=r"use_floor\[hold,2027Q1\]"):
        opt.solve(case.replace(use_limits=[early]))


@pytest.mark.parametrize("name", ["hold", "O'Brien's floor"])
def test_a_rule_between_numbers_alone_is_told_in_words(case: Case, name: str) -> None:
    early = POLICY | {"policy": name, "first": "2027Q1", "last": "2027Q1", "min_mw": 1}
    with pytest.raises(opt.Infeasible) as infeasible:
        opt.solve(case.replace(use_limits=[early]))
    (clash,) = infeasible.value.clashes
    assert name in clash.row
    assert clash.sentence


def test_a_limit_before_the_first_plan_is_no_plan(case: Case) -> None:
    with pytest.raises(opt.NoPlan, match=r"time limit of 0 s came before a first plan") as none:
        opt.solve(case, time_limit=0)
    assert none.value.exit_code == 4


def stop_at_first_plan(seen: list[Progress]) -> Callable[[Progress], None]:
    """Press Ctrl-C when the first plan is reported."""

    def watch(state: Progress) -> None:
        if not seen and math.isfinite(state.value_musd):
            seen.append(state)
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def test_an_interrupt_keeps_the_best_plan_and_says_so(washington: Case) -> None:
    seen: list[Progress] = []
    before = signal.getsignal(signal.SIGINT)
    plan = opt.solve(washington, gap=0.0, progress=stop_at_first_plan(seen))
    assert plan.status == "interrupted"
    assert plan.status_words.startswith("NOT PROVEN: interrupted, gap ")
    assert plan.value_musd >= seen[0].value_musd - 1e-6
    assert plan.bound_musd > plan.value_musd, "stopped short of a proof"
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_before_the_first_plan_is_no_plan(washington: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM comes as the search begins; HiGHS asks at its first pause whether to stop."""
    search = searches.solve_model

    def interrupted(model: ConcreteModel, options: SolverOptions, *progress: Any) -> solver.Answer:
        if options.log is not None:
            os.kill(os.getpid(), signal.SIGTERM)
        return search(model, options, *progress)

    monkeypatch.setattr(searches, "solve_model", interrupted)
    with pytest.raises(opt.NoPlan, match="interrupted before a first plan") as none:
        opt.solve(washington)
    assert none.value.exit_code == 130


def test_an_interrupt_before_the_search_stops_at_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to keep yet."""
    monkeypatch.setattr(planner, "build_model", lambda *_, **__: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        opt.solve(case)


def test_a_solve_outside_the_main_thread_works(case: Case, plan: opt.Plan) -> None:
    values: list[float] = []
    worker = threading.Thread(target=lambda: values.append(opt.solve(case).value_musd))
    worker.start()
    worker.join()
    assert values == [plan.value_musd]


@pytest.mark.parametrize("status", ["kUnbounded", "kUnboundedOrInfeasible", "kSolveError", "kNotset"])
def test_any_other_status_is_a_fault(inside: None, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    told = getattr(highspy.HighsModelStatus, status)
    monkeypatch.setattr(highspy.Highs, "getModelStatus", lambda highs: told)
    with pytest.raises(SolverFault, match="ended with status"):
        solve_model(toy(), SolverOptions())


def test_a_value_that_the_flows_do_not_bear_out_is_a_fault(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def boast(*arguments: Any) -> solver.Answer:
        answer = solve_model(*arguments)
        object.__setattr__(answer, "value", answer.value + 0.001)
        return answer

    monkeypatch.setattr(searches, "solve_model", boast)
    with pytest.raises(SolverFault, match="the solver's objective says"):
        opt.solve(case)


def test_an_unknown_scenario_is_an_input_error(case: Case) -> None:
    with pytest.raises(opt.InputError, match=r"'bull' is no scenario of this case\. Mend: choose one of base"):
        opt.solve(case, scenario="bull")


def test_a_plan_without_a_single_flow_can_be_told() -> None:
    quiet = mining_case().replace(fleet=[], capex_budget_musd=0)
    assert (
        opt.solve(quiet.replace(overheads=[{"quarter": t, "g_and_a_musd": 0} for t in quiet.horizon])).value_musd == 0
    )


# ---- the answer -----------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_same_seed_same_bytes(washington: Case, tmp_path: Path) -> None:
    plans = [opt.solve(washington, seed=5) for _ in range(2)]
    for plan, name in zip(plans, ("one", "two"), strict=True):
        save_plan(plan, tmp_path / name)
    assert plans[0].run_id == plans[1].run_id
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path / "two") for p in (tmp_path / "two").rglob("*") if p.is_file())
    for file in files:
        if file.name not in ("run.json", "solver.log", "manifest.json"):
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_integers_in_the_tables_are_whole(washington: Case) -> None:
    plan = opt.solve(washington, gap=0.05)
    assert len(plan.starts), "a plan that starts nothing shows nothing"
    assert (plan.starts["blocks"] % 1 == 0).all()
    assert (plan.starts["gross_mw"] == 3 * plan.starts["blocks"]).all()


@pytest.mark.parametrize("decide", [True, False])
def test_whole_decisions_of_an_answer_are_whole(case: Case, decide: bool) -> None:
    model = build_model(case, "base", decide=decide)
    answer = solve_model(model, SolverOptions())
    whole = [answer(x) for x in model.component_data_objects(Var) if x.is_integer() and id(x) in answer.values]
    assert len(whole) == answer.program.integers.sum()
    assert all(value.is_integer() for value in whole)


def test_nearly_whole_numbers_are_rounded_and_the_rest_is_solved_again(tmp_path: Path) -> None:
    """Half of y is all that a whole x of 3 leaves room for."""
    program, _, columns = compile_model(toy(domain=Integers))
    nearly = np.array([2.9999999 if x.name == "x" else 0.2 for x in columns])
    told = highs.polish(program, nearly, {}, tmp_path)
    clean = np.load(tmp_path / "clean.npy")
    assert {x.name: value for x, value in zip(columns, clean, strict=True)} == {"x": 3, "y": 0.5}
    assert told == {"clean": True, "value": 6.5}


def test_progress_tells_value_bound_and_gap(washington: Case) -> None:
    told: list[Progress] = []
    plan = opt.solve(washington, progress=told.append)
    found = [state for state in told if math.isfinite(state.value_musd)]
    assert found[-1].value_musd == pytest.approx(plan.value_musd, rel=1e-6)
    assert all(state.bound_musd >= state.value_musd - 1e-6 for state in found)
    assert all(later.seconds >= earlier.seconds for earlier, later in pairwise(told))
