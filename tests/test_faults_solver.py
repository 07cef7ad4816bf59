"""What the solver may do wrong, by the numbers of docs/faults.md, and what is made of it."""

from __future__ import annotations

import dataclasses
import errno
import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pytest
from pyomo.environ import ConcreteModel, Constraint, Integers, Objective, Var, maximize

import optimizer as opt
from optimizer import solver
from optimizer.business.model import build_model
from optimizer.case.case import Case
from optimizer.commands import root
from optimizer.ground.errors import (
    AuditFault,
    Clash,
    HouseFault,
    Infeasible,
    NoPlan,
    NoSolver,
    OptimizerError,
    PlanError,
    SolverFault,
    WorkerLost,
)
from optimizer.ground.findings import Finding, InputError
from optimizer.ground.interrupts import hold, stoppable
from optimizer.questions import planner, searches
from optimizer.questions.sweeps.runner import Question, answer
from optimizer.solver import Answer, SolverOptions, highs, process
from optimizer.solver.models import compile_model, solve_model
from optimizer.solver.proof import prove

ROOT = Path(__file__).resolve().parents[1]


def knapsack() -> ConcreteModel:
    """Maximise 5a + 4b + c under 2a + 3b <= 7 and c <= 1: a = 3 and c = 1 are worth 16."""
    m = ConcreteModel()
    m.a, m.b = Var(bounds=(0, 3), domain=Integers), Var(bounds=(0, 3), domain=Integers)
    m.c = Var(bounds=(0, 1))
    m.room = Constraint(expr=2 * m.a + 3 * m.b <= 7)
    m.value = Objective(expr=5 * m.a + 4 * m.b + m.c, sense=maximize)
    return m


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make HiGHS's process a misbehaving one; with `found`, it has found a plan by then."""

    def misbehave(how: str, found: list[float] | None = None, tmp_path: Path | None = None) -> None:
        monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
        monkeypatch.setenv("STUB_SOLVER", how)
        if found is not None and tmp_path is not None:
            np.save(tmp_path / "vector.npy", np.array(found))
            monkeypatch.setenv("STUB_VECTOR", str(tmp_path / "vector.npy"))
        monkeypatch.setattr(solver, "HIGHS", "stub_solvers")
        monkeypatch.setattr(process, "GRACE_S", 0.3)
        monkeypatch.setattr(process, "PATIENCE_S", 0.3)
        monkeypatch.setattr(process, "_idle", [])

    return misbehave


@pytest.mark.core
def test_fault_100_a_false_infeasible_is_found_out(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first search of the case itself says that there is no plan; the second finds one."""
    search = solver.search

    def false_alarm(program: Any, options: SolverOptions, *rest: Any, **more: Any) -> Any:
        if options.log is not None:
            return {"status": "kInfeasible", "conflict": []}
        return search(program, options, *rest, **more)

    monkeypatch.setattr(solver, "search", false_alarm)
    with pytest.raises(SolverFault, match="says that no plan keeps every rule, and then finds one") as fault:
        opt.solve(case)
    assert fault.value.exit_code == 6


def test_fault_101_an_unbounded_model_never_reaches_the_solver() -> None:
    endless = knapsack()
    endless.c.setub(None)
    with pytest.raises(SolverFault, match="not finite"):
        solve_model(endless, SolverOptions())


def test_fault_102_a_limit_before_the_first_plan_leaves_no_plan(case: Case, tmp_path: Path) -> None:
    with pytest.raises(opt.NoPlan, match="Nothing was written") as none:
        opt.solve(case, time_limit=0)
    assert none.value.exit_code == 4


def test_fault_103_a_limit_after_the_first_plan_is_not_proven(stub: Any, tmp_path: Path) -> None:
    stub("hang", [2, 0, 0], tmp_path)
    answer = solve_model(knapsack(), SolverOptions(time_limit=0.1))
    assert (answer.status, answer.value, answer.bound) == ("limit", 11, 15)


def test_fault_104_a_second_search_that_finds_better_refuses_the_plan() -> None:
    """The answer pretends that 14 is the best; the cut-off search finds 16."""
    answer = solve_model(knapsack(), SolverOptions())
    assert prove(answer, SolverOptions()).holds is True
    for second in ("cut-off", "scip"):
        with pytest.raises(SolverFault, match=r"found a plan worth 16"):
            prove(dataclasses.replace(answer, value=14.0), SolverOptions(), second)  # type: ignore[arg-type]


def test_a_proof_by_scip_holds_and_names_its_version() -> None:
    proof = prove(solve_model(knapsack(), SolverOptions()), SolverOptions(), "scip")
    assert proof.holds is True
    assert proof.words.startswith("SCIP ")


@pytest.mark.parametrize("second", ["cut-off", "scip"])
def test_a_proof_of_what_cannot_be_is_refused(second: Any) -> None:
    """The answer's own plan must keep every row of the program that the second search is given."""
    answer = solve_model(knapsack(), SolverOptions())
    impossible = dataclasses.replace(answer.program, row_upper=np.array([-1.0]), lower=np.array([0.0, 0.0, 0.0]))
    with pytest.raises(SolverFault, match="the plan breaks room by 7"):
        prove(dataclasses.replace(answer, program=impossible), SolverOptions(), second)


def test_a_plan_that_scip_holds_to_be_too_good_is_refused() -> None:
    """The value told is 20, nothing is worth more than 16."""
    answer = dataclasses.replace(solve_model(knapsack(), SolverOptions()), value=20.0)
    with pytest.raises(SolverFault, match="no plan is worth more than 16"):
        prove(answer, SolverOptions(), "scip")


def test_a_cut_off_that_does_not_even_find_the_plan_proves_nothing() -> None:
    answer = dataclasses.replace(solve_model(knapsack(), SolverOptions()), value=20.0)
    proof = prove(answer, SolverOptions())
    assert (proof.holds, proof.words) == (None, "the second search did not find the plan itself")


def test_costs_too_small_for_a_row_do_not_spoil_a_proof() -> None:
    model = knapsack()
    model.d = Var(bounds=(0, 1))
    model.value.expr += 1e-10 * model.d
    answer = solve_model(model, SolverOptions())
    assert prove(answer, SolverOptions()).holds is True


def test_a_second_search_without_an_end_proves_nothing(stub: Any) -> None:
    answer = solve_model(knapsack(), SolverOptions())
    stub("hang")
    assert prove(answer, SolverOptions(time_limit=0.1)).holds is None


def test_fault_105_a_plan_that_fails_its_audit_is_refused_and_its_model_kept(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = planner.settle_tied

    def alter(model: Any, answer: Answer) -> Any:
        settled = settle(model, answer)
        settled.tables["cash"].loc[3, "closing_musd"] += 1.0
        return settled

    monkeypatch.setattr(planner, "settle_tied", alter)
    with pytest.raises(AuditFault) as fault:
        opt.solve(case)
    assert fault.value.exit_code == 6
    assert fault.value.evidence is not None
    kept = {file.name for file in fault.value.evidence.iterdir()}
    assert {"model.mps", "program.npz", "vector.npy", "solver.log", "audit.json"} <= kept


@pytest.mark.parametrize("status", ["kSolveError", "kNotset", "kUnknown"])
def test_fault_106_a_status_not_on_the_list_is_refused(status: str) -> None:
    found = {"status": status, "has_plan": True, "stopped": False}
    with pytest.raises(SolverFault, match="ended with status"):
        solver._status(found, SolverOptions())


@pytest.mark.core
def test_a_plan_proven_twice_says_so_and_one_with_a_wide_gap_does_not(case: Case) -> None:
    plan = opt.solve(case, prove=True)
    assert (plan.word, plan.proof["doing_nothing"]) == ("PROVEN", True)
    wide = dataclasses.replace(plan, bound_musd=plan.bound_musd + 1)
    assert wide.word.startswith("GAP ")
    assert not opt.audit(case, wide).clean, "its gap is wider than was asked for"
    boast = dataclasses.replace(plan, proof=plan.proof | {"margin_musd": 5.0})
    assert not opt.audit(case, boast).clean


def test_fault_105_what_a_second_search_refuses_leaves_its_model(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def better(*_: Any) -> Any:
        raise SolverFault("a second search found a plan worth more")

    monkeypatch.setattr(searches, "prove", better)
    with pytest.raises(SolverFault) as fault:
        opt.solve(case, prove=True)
    assert fault.value.evidence is not None
    assert (fault.value.evidence / "model.mps").exists()


@pytest.mark.parametrize(("constant", "second"), [("HIGHS", "cut-off"), ("SCIP", "scip")])
def test_a_solver_is_asked_for_before_anything_is_built(
    constant: str, second: Any, case: Case, stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub("hang")
    monkeypatch.setattr(solver, "HIGHS", "optimizer.solver.highs")
    monkeypatch.setattr(solver, constant, "no_such_solver")
    monkeypatch.setattr(searches, "build_model", lambda *_, **__: pytest.fail("nothing may be built"))
    with pytest.raises(NoSolver, match="no_such_solver cannot be loaded") as none:
        opt.solve(case, prove=True, second=second)
    assert none.value.exit_code == 6


def test_fault_106_an_objective_that_is_no_number_is_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    search = solver.search

    def wrong(*arguments: Any, **more: Any) -> Any:
        return search(*arguments, **more) | {"value": math.nan}

    monkeypatch.setattr(solver, "search", wrong)
    with pytest.raises(SolverFault):
        solve_model(knapsack(), SolverOptions())


def test_fault_107_a_solver_that_hangs_is_killed_and_its_best_plan_kept(stub: Any, tmp_path: Path) -> None:
    stub("hang", [1, 1, 0], tmp_path)
    began = time.monotonic()
    answer = solve_model(knapsack(), SolverOptions(time_limit=0.2))
    assert time.monotonic() - began < 30
    assert (answer.status, answer.value) == ("limit", 10), "a = b = 1, and the rest as good as it gets"


def test_fault_107_a_solver_that_hangs_without_a_plan_is_no_plan(stub: Any) -> None:
    stub("hang")
    with pytest.raises(opt.NoPlan, match="before a first plan"):
        solve_model(knapsack(), SolverOptions(time_limit=0.2))


def test_fault_108_a_solver_out_of_memory_says_so(stub: Any) -> None:
    stub("take_memory")
    with pytest.raises(opt.NoPlan, match="ran out of its 4 GB of memory, with 1 rows, 3 columns and 2") as none:
        solve_model(knapsack(), SolverOptions(memory_gb=4.0))
    assert none.value.exit_code == 4


def test_fault_108_a_solver_out_of_memory_keeps_its_best_plan(stub: Any, tmp_path: Path) -> None:
    stub("take_memory", [1, 1, 0], tmp_path)
    answer = solve_model(knapsack(), SolverOptions(memory_gb=4.0))
    assert (answer.status, answer.value) == ("limit", 10)


def test_fault_108_a_solver_that_the_system_killed_keeps_its_best_plan(stub: Any, tmp_path: Path) -> None:
    stub("be_killed", [1, 1, 0], tmp_path)
    answer = solve_model(knapsack(), SolverOptions())
    assert (answer.status, answer.value) == ("limit", 10)
    assert answer.ended.startswith("the solver ran out of its ")


@pytest.mark.core
def test_fault_109_a_crash_of_the_solver_is_a_sentence(stub: Any) -> None:
    stub("crash")
    with pytest.raises(SolverFault, match=r"ended with code -11") as fault:
        solve_model(knapsack(), SolverOptions())
    assert fault.value.evidence is not None
    assert (fault.value.evidence / "program.npz").exists()


def test_fault_109_a_crash_is_no_time_limit_even_if_a_plan_was_found(stub: Any, tmp_path: Path) -> None:
    stub("crash", [1, 1, 0], tmp_path)
    with pytest.raises(SolverFault, match="ended with code -11"):
        solve_model(knapsack(), SolverOptions())


def test_fault_109_an_error_in_the_solver_s_process_is_told(stub: Any) -> None:
    stub("stumble")
    with pytest.raises(SolverFault, match="the solver tripped over itself"):
        solve_model(knapsack(), SolverOptions())


def test_a_crash_does_not_spoil_the_next_solve(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stub("crash")
    with pytest.raises(SolverFault):
        solve_model(knapsack(), SolverOptions())
    monkeypatch.setattr(solver, "HIGHS", "optimizer.solver.highs")
    assert solve_model(knapsack(), SolverOptions()).value == 16


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_faults_110_and_111_a_signal_stops_even_a_solver_that_does_not_listen(
    name: signal.Signals, stub: Any, tmp_path: Path
) -> None:
    stub("hang", [1, 1, 0], tmp_path)
    began = time.monotonic()
    with stoppable():
        hold()
        answer = solve_model(knapsack(), SolverOptions(), progress=lambda _: os.kill(os.getpid(), name))
    assert (answer.status, answer.value) == ("interrupted", 10)
    assert time.monotonic() - began < 20


def test_fault_110_pressed_twice_it_quits(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first press comes once the solver has its job, the second once it was asked to stop."""
    stub("hang")
    send, sent = process.SolverProcess._send, []

    def send_and_press(to: process.SolverProcess, line: str) -> None:
        send(to, line)
        sent.append(line)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(process.SolverProcess, "_send", send_and_press)
    monkeypatch.setattr(process, "PATIENCE_S", 60.0)
    with pytest.raises(KeyboardInterrupt), stoppable():
        hold()
        solve_model(knapsack(), SolverOptions())
    assert [line == "stop" for line in sent] == [False, True]


@pytest.mark.parametrize(
    ("minor", "told"), [(14, "gives wrong answers"), (17, "is newer than what this program was tried with")]
)
def test_fault_112_a_version_not_tried_or_known_to_be_wrong_is_refused(
    minor: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert highs.unfit(lambda: None) is None
    monkeypatch.setattr(highspy.Highs, "versionMinor", lambda _: minor)
    assert told in str(highs.unfit(lambda: None))


def test_what_is_to_be_installed_is_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert process.SOLVERS[solver.HIGHS][1] in project["dependencies"]
    assert [process.SOLVERS[solver.SCIP][1]] == project["optional-dependencies"]["scip"]
    oldest, untried = (".".join(map(str, version)) for version in (highs.OLDEST_SOUND, highs.UNTRIED))
    assert process.SOLVERS[solver.HIGHS][1] == f"highspy>={oldest},<{untried.removesuffix('.0')}"


def test_fault_112_an_unfit_solver_is_never_given_a_job(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stub("hang")
    monkeypatch.setenv("STUB_UNFIT", "HiGHS 0.0 gives wrong answers")
    with pytest.raises(NoSolver, match=r"HiGHS 0\.0 gives wrong answers") as fault:
        solve_model(knapsack(), SolverOptions())
    assert fault.value.exit_code == 6


# ---- a solver that cannot be used, and one that prints ------------------------------------------------------------

BEGINNINGS = {
    "sleep": "hangs as it begins",
    "hold": "hangs as it begins",
    "run": "hangs as it begins",
    "child": r"cannot be loaded \(ImportError: half of it is missing\)",
    "leave": r"cannot be loaded \(SystemExit: no licence\)",
    "lack": r"cannot be loaded \(ModuleNotFoundError: No module named 'highspy'\)",
    "crash": "ends as it begins, with code -11",
}


def test_a_solver_that_hangs_as_it_begins_is_named_in_five_seconds() -> None:
    assert (process.QUIET_BEATS + 1) * process.BEAT_S < 5


@pytest.mark.parametrize("how", BEGINNINGS)
def test_a_solver_that_does_not_begin_is_named_and_leaves_nothing(
    how: str, stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub("hang")
    monkeypatch.setenv("STUB_BEGINS", how)
    monkeypatch.setattr(process, "QUIET_BEATS", 3)
    threads = threading.active_count()
    began = time.monotonic()
    with pytest.raises(NoSolver, match=BEGINNINGS[how]) as none:
        solve_model(knapsack(), SolverOptions())
    assert time.monotonic() - began < 30
    assert none.value.exit_code == 6
    assert "Traceback" not in str(none.value)
    assert threading.active_count() == threads


def test_a_solver_that_is_not_there_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its package is broken: a part of it does not load."""
    (tmp_path / "highspy.py").write_text("raise ImportError('a library of it is missing')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(NoSolver) as none:
        process.SolverProcess(solver.HIGHS, 4.0)
    assert str(none.value) == (
        "The solver cannot be used: HiGHS cannot be loaded (ImportError: a library of it is missing). "
        'Mend: pip install --force-reinstall "highspy>=1.15.1,<1.17".'
    )


def test_a_solver_that_prints_at_any_time_is_understood(
    stub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first line of the program, as it loads, and with every job; what it says badly goes nowhere."""
    stub("noise")
    (tmp_path / "sitecustomize.py").write_text("print('half a banner', end='', flush=True)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT / "tests")]))
    monkeypatch.setenv("STUB_BEGINS", "noise")
    assert [solve_model(knapsack(), SolverOptions()).value for _ in range(2)] == [16, 16]


@pytest.mark.parametrize(
    ("executable", "told"),
    [("plain", "Permission denied. Mend: let that file be run"), ("none", "No such file or directory. Mend: make the")],
)
def test_an_interpreter_that_cannot_be_run_is_named(
    executable: str, told: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").write_text("#!/bin/sh", encoding="utf-8")
    monkeypatch.setattr(sys, "executable", str(tmp_path / executable))
    monkeypatch.setattr(process, "_idle", [])
    code, out, err = run("solve", ROOT / "data" / "washington_2025", "-o", tmp_path / "plan")
    assert (code, out) == (6, "")
    assert f"The solver cannot be used: its process could not be started, {tmp_path / executable}: {told}" in err
    assert not (tmp_path / "plan").exists()


def test_an_absent_solver_is_no_answer_of_a_sweep(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was never asked must not be kept as what was found."""
    stub("hang")
    monkeypatch.setenv("STUB_BEGINS", "lack")
    program, _, _ = compile_model(knapsack())
    with pytest.raises(NoSolver):
        answer(Question(program))


ERRORS = [
    NoSolver("it hangs"),
    SolverFault("it boasts"),
    NoPlan("The time limit came", 7.0, interrupted=True),
    Infeasible([Clash("liquidity", "liquidity[1]", "Cash stays above its floor.")]),
    AuditFault("cash[3] is off"),
    PlanError("plan cannot be read."),
    WorkerLost("A worker is gone."),
    HouseFault("a line is not in the table of lines"),
    InputError([Finding("sites.csv", "is missing", "add it")]),
]


def test_every_error_is_among_those_that_are_sent() -> None:
    assert {*OptimizerError.__subclasses__(), InputError} == set(map(type, ERRORS))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_go_from_process_to_process_as_they_are(error: Exception) -> None:
    """A worker's error that could not be made again would be told as the death of the worker."""
    got = pickle.loads(pickle.dumps(error))
    assert (type(got), str(got), vars(got)) == (type(error), str(error), vars(error))


def test_no_room_for_what_a_solver_reads_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(solver.Program, "save", full)
    with pytest.raises(NoSolver, match=r"what it is to read cannot be written in .*: No space left on device"):
        solve_model(knapsack(), SolverOptions())
    assert solver.keep_evidence(compile_model(knapsack())[0], None, None) is None


def test_no_folder_for_what_is_needed_for_a_while_is_a_sentence(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    code, _, err = run("solve", ROOT / "data" / "washington_2025")
    assert code == 7
    assert "There is no folder for files that are needed for a while" in err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "some.file"), "some.file: Permission denied."),
        (BlockingIOError(errno.EAGAIN, "Try again"), "The system refuses what this takes: Try again."),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "The output cannot be written: Broken pipe."),
        (OSError(errno.ENOSPC, "No space left on device"), "The output cannot be written: No space left on device."),
    ],
)
def test_what_the_system_refuses_is_not_laid_to_the_output(
    error: OSError, told: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(root, "app", refuse)
    code, _, err = run()
    assert (code, err.strip()) == (7, told)


def test_fault_113_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    answer = solve_model(knapsack(), SolverOptions(log=tmp_path / "no" / "such" / "folder" / "solver.log"))
    assert answer.value == 16


def test_fault_113_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    """`optimizer check ... | true`."""
    command = f"{sys.executable} -m optimizer check data/washington_2025 | true"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_fault_114_threads_may_change_between_solves_of_one_process() -> None:
    assert [solve_model(knapsack(), SolverOptions(threads=n)).value for n in (1, 2, 1)] == [16, 16, 16]


@pytest.mark.parametrize("seed", [1, 2])
def test_fault_115_identical_sites_are_used_in_the_order_of_the_tables(case: Case, seed: int) -> None:
    """Another search ends with the same megawatts."""
    first, other = opt.solve(case), opt.solve(case, seed=seed)
    assert first.allocation.equals(other.allocation)


def test_answers_are_the_same_in_any_order_of_rows_and_columns(case: Case) -> None:
    """What the second search relies on."""
    answer = solve_model(build_model(case, "base"), SolverOptions(gap=0.0))
    shuffled = answer.program.shuffled(7)
    assert shuffled.size == answer.program.size
    assert not np.array_equal(shuffled.cost, answer.program.cost)
    order = {name: j for j, name in enumerate(answer.program.column_names.tolist())}
    vector = np.array([answer.vector[order[name]] for name in shuffled.column_names.tolist()])
    assert float(shuffled.cost @ vector + shuffled.offset[0]) == pytest.approx(answer.value)
