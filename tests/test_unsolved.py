"""An interrupt, a limit or a fault is never an answer: not in a journal, not in a study, not before a board."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytest
from conftest import Run
from matplotlib.text import Text

import optimizer as opt
from optimizer.commands import studying
from optimizer.files.folders import hand_out
from optimizer.files.journal import Journal
from optimizer.ground import interrupts
from optimizer.ground.errors import NoPlan, PlanError, SolverFault, WorkerLost
from optimizer.plan.folder import save_plan
from optimizer.questions import planner
from optimizer.questions.compare import stages
from optimizer.questions.compare.bridge import bridge, bridge_place, keep_bridge, kept_bridge
from optimizer.questions.searches import do_nothing
from optimizer.questions.studies.alternatives import alternatives
from optimizer.questions.studies.breakevens import breakevens, turns_of
from optimizer.questions.studies.frontier import frontier
from optimizer.questions.studies.limits import limits_of
from optimizer.questions.studies.prices import prices
from optimizer.questions.studies.regret import regret
from optimizer.questions.studies.study import OLDER, Study, load_study, save_study
from optimizer.questions.studies.switching_map import switching_map
from optimizer.questions.studies.tornado import tornado
from optimizer.questions.sweeps import guard, runner
from optimizer.questions.sweeps.drivers import drivers_of
from optimizer.questions.sweeps.runner import Sweep, workers
from optimizer.solver import SolverOptions
from optimizer.telling.board.deck import write_deck
from optimizer.telling.board.page import open_plans
from optimizer.telling.board.workbook import write_workbook
from optimizer.telling.pictures import picture_of

Make = Callable[[opt.Plan, Sweep], Study]

KINDS: dict[str, Make] = {
    "tornado": lambda plan, sweep: tornado(plan, drivers_of(plan.case, plan.scenario)[:3], gap=0.0, sweep=sweep),
    "breakevens": lambda plan, sweep: breakevens(
        plan, turns_of(plan, offers=["lease"]), grid=5, tolerance=0.05, gap=0.0, sweep=sweep
    ),
    "map": lambda plan, sweep: switching_map(plan, points=(3, 2), gap=0.0, sweep=sweep),
    "prices": lambda plan, sweep: prices(plan, list(limits_of(plan.case, plan.scenario))[:2], gap=0.0, sweep=sweep),
    "alternatives": lambda plan, sweep: alternatives(plan, 0.5, gap=0.0, sweep=sweep),
    "regret": lambda plan, sweep: regret([plan, another(plan)], names=["one", "two"], gap=0.0, sweep=sweep),
    "frontier": lambda plan, sweep: frontier(plan, [700.0, 800.0], minima=[], gap=0.0, sweep=sweep),
}
FAILURES: dict[str, tuple[str, Callable[[], Exception]]] = {
    "time": ("out of time", lambda: NoPlan("The time limit of 1 s came", float("inf"))),
    "memory": ("not solved", lambda: NoPlan("The solver ran out of memory", float("inf"), out_of_time=False)),
    "fault": ("not solved", lambda: SolverFault("the plan does not survive rounding")),
}
FALSE_WORDS = ("no plan keeps", "cannot be kept", "cannot be taken", "no plan at", "there is no plan", "no plan of its")


def another(plan: opt.Plan) -> opt.Plan:
    return replace(plan, case=plan.case.replace(title="Another"))


class Failing:
    """Solves that fail from the second on, or from a later one; `failure` is raised instead of an answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failure: Callable[[], Exception], after: int = 1):
        self.failure, self.left, self.failed = failure, after, 0
        solves = ((runner, "solve_program"), (planner, "solve"), (stages, "solve_model"), (stages, "solve_program"))
        for module, name in solves:
            monkeypatch.setattr(module, name, self._instead(getattr(module, name)))

    def _instead(self, solve: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                self.failed += 1
                raise self.failure()
            return solve(*args, **options)

        return failing


@pytest.fixture(scope="module")
def undisturbed(plan: opt.Plan) -> Callable[[str], Study]:
    made: dict[str, Study] = {}

    def of(kind: str) -> Study:
        if kind not in made:
            made[kind] = KINDS[kind](plan, Sweep())
        return made[kind]

    return of


def same(one: Study, other: Study) -> None:
    """Two studies tell the same; of answers that are as good to the last digit either may be told."""
    assert (one.title, one.unsolved) == (other.title, other.unsolved)
    for name, table in other.tables.items():
        pd.testing.assert_frame_equal(one.tables[name], table, rtol=1e-6, atol=1e-6)


def kept_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]


def false_words(study: Study, whole: Study) -> list[str]:
    """Sentences and cells that tell of no plan, and do not stand in the study that nothing disturbed."""
    said = {*whole.words, *(str(cell) for table in whole.tables.values() for cell in table.to_numpy().ravel())}
    told = [study.title, *study.words]
    told += [str(cell) for table in study.tables.values() for cell in table.to_numpy().ravel()]
    return [words for words in told if words not in said and any(false in words for false in FALSE_WORDS)]


# ---- limits and faults -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("kind", KINDS)
def test_fault_150_what_is_not_solved_is_told_as_that_and_solved_the_next_time(
    plan: opt.Plan, undisturbed: Callable[[str], Study], tmp_path: Path, kind: str, how: str
) -> None:
    word, failure = FAILURES[how]
    whole = undisturbed(kind)
    with pytest.MonkeyPatch.context() as patched:
        failing = Failing(patched, failure, after=0 if kind == "frontier" else 1)
        study = KINDS[kind](plan, Sweep(folder=tmp_path))
    assert failing.failed
    assert study.unsolved and all(words.startswith(f"{word}: ") for words in study.unsolved)
    assert study.title.startswith("Unfinished: ") and word in study.title
    assert study.words[0].startswith(f"Unanswered: {word}: ")
    assert false_words(study, whole) == []
    assert {line["record"]["outcome"] for line in kept_lines(tmp_path)} <= {"optimal", "infeasible"}
    back = load_study(save_study(study, tmp_path / "study"))
    assert back.unsolved == study.unsolved
    shown = " ".join(text.get_text() for text in picture_of(back).findobj(Text))
    assert "Unfinished" in shown and "no plan" not in shown
    same(KINDS[kind](plan, Sweep(folder=tmp_path)), whole)


@pytest.mark.parametrize("how", FAILURES)
def test_a_study_does_not_begin_where_its_plan_s_own_case_is_not_solved(plan: opt.Plan, how: str) -> None:
    word, failure = FAILURES[how]
    with pytest.MonkeyPatch.context() as patched:
        Failing(patched, failure, after=0)
        with pytest.raises(NoPlan, match=f"own case, solved again, came to no end \\({word}"):
            KINDS["tornado"](plan, Sweep())


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_bridge_out_of_time_is_told_as_that_and_solved_the_next_time(
    plan: opt.Plan, tmp_path: Path, after: int
) -> None:
    other = changed(plan)
    whole = bridge(plan, other)
    with pytest.MonkeyPatch.context() as patched:
        Failing(patched, FAILURES["time"][1], after)
        study = bridge(plan, other, folder=tmp_path)
    assert study.unsolved and "out of time" in study.title
    assert false_words(study, whole) == []
    keep_bridge(study, tmp_path)
    assert kept_bridge(plan, other, tmp_path) is None
    same(bridge(plan, other, folder=tmp_path), whole)
    assert len(kept_lines(bridge_place(plan, tmp_path))) == len(set(map(str, kept_lines(bridge_place(plan, tmp_path)))))


def changed(plan: opt.Plan) -> opt.Plan:
    """The plan of a case with other power prices and another lease."""
    case = plan.case
    tariffs = [row.model_copy(update={"energy_usd_per_mwh": row.energy_usd_per_mwh * 0.9}) for row in case.tariffs]
    rents = [row.model_copy(update={"price": row.price * 1.1}) for row in case.offer_prices]
    return opt.solve(case.replace(tariffs=tariffs, offer_prices=rents))


def test_the_command_says_by_its_exit_code_that_something_is_not_solved(
    plan: opt.Plan, run: Run, tmp_path: Path
) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    with pytest.MonkeyPatch.context() as patched:
        Failing(patched, FAILURES["time"][1])
        code, out, _ = run("tornado", folder, "-j", 1, "--driver", "power")
    assert code == 5
    assert out.startswith("Unfinished: ")
    code, out, _ = run("tornado", folder, "-j", 1, "--driver", "power")
    assert code == 0
    assert "Unfinished" not in out


# ---- interrupts ------------------------------------------------------------------------------------------------------


def interrupted() -> Exception:
    return NoPlan("The search was interrupted", float("inf"), interrupted=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [1, 2])
def test_fault_149_an_interrupt_ends_a_study_and_is_not_kept(
    plan: opt.Plan, undisturbed: Callable[[str], Study], tmp_path: Path, kind: str, after: int
) -> None:
    """What landed before is there, and the second run gives the study of an undisturbed one."""
    with pytest.MonkeyPatch.context() as patched:
        failing = Failing(patched, interrupted, after=min(after, 1) if kind == "frontier" else after)
        with pytest.raises(KeyboardInterrupt):
            KINDS[kind](plan, Sweep(folder=tmp_path))
    assert failing.failed == 1, "nothing is asked after an interrupt"
    assert {line["record"]["outcome"] for line in kept_lines(tmp_path)} <= {"optimal", "infeasible"}
    assert not (tmp_path / "study.json").exists()
    same(KINDS[kind](plan, Sweep(folder=tmp_path)), undisturbed(kind))


@pytest.mark.parametrize("kind", ["tornado", "frontier"])
def test_the_best_plan_of_an_interrupted_search_is_no_answer(plan: opt.Plan, tmp_path: Path, kind: str) -> None:
    """A search that had found a plan when it was interrupted says so by its status."""
    solve_program, solve = runner.solve_program, planner.solve
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "solve_program", lambda *a, **o: replace(solve_program(*a, **o), status="interrupted"))
        patched.setattr(planner, "solve", lambda *a, **o: replace(solve(*a, **o), status="interrupted"))
        with pytest.raises(KeyboardInterrupt):
            KINDS[kind](plan, Sweep(folder=tmp_path))
    assert kept_lines(tmp_path) == []


@pytest.mark.parametrize("after", [0, 2])
def test_an_interrupted_bridge_keeps_nothing_false(plan: opt.Plan, tmp_path: Path, after: int) -> None:
    other = changed(plan)
    with pytest.MonkeyPatch.context() as patched:
        Failing(patched, interrupted, after)
        with pytest.raises(KeyboardInterrupt):
            bridge(plan, other, folder=tmp_path)
    assert len(kept_lines(bridge_place(plan, tmp_path))) == after
    same(bridge(plan, other, folder=tmp_path), bridge(plan, other))


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    yield lambda: os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_that_was_put_off_during_a_solve_ends_the_work_after_it(ctrl_c: Callable[[], None]) -> None:
    """`hold` lasts as long as the command; work that keeps no plan must not go on with a signal in its pocket."""
    with interrupts.stoppable() as asked:
        with pytest.raises(KeyboardInterrupt), interrupts.nothing_to_keep():
            interrupts.hold()
            ctrl_c()
            assert asked()
        assert not asked()
        with interrupts.nothing_to_keep():
            interrupts.hold()
        with pytest.raises(KeyboardInterrupt):
            ctrl_c()


def test_doing_nothing_that_is_interrupted_ends_as_an_interrupt(plan: opt.Plan) -> None:
    from optimizer.questions import searches

    search = searches.search
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(searches, "search", lambda *a: replace(search(*a), status="interrupted", ended="interrupted"))
        with pytest.raises(NoPlan) as none:
            do_nothing(plan.case, plan.scenario, SolverOptions(), None)
    assert none.value.exit_code == 130


# ---- what older versions kept ----------------------------------------------------------------------------------------


def test_answers_that_an_older_version_kept_are_asked_again(
    plan: opt.Plan, undisturbed: Callable[[str], Study], tmp_path: Path
) -> None:
    """Its lines have no version, and an interrupt may stand among them as `fault`."""
    with pytest.MonkeyPatch.context() as patched:
        seen: list[runner.Landed] = []
        answer = runner.answer
        patched.setattr(runner, "answer", lambda question: seen.append(answer(question)) or seen[-1])
        KINDS["tornado"](plan, Sweep())
    nan = {"value_musd": "nan", "bound_musd": "inf"}
    none = {name: {"length": 0, "places": [], "values": []} for name in ("vector", "row_duals")}
    why = "The search was interrupted before a first plan was found. Nothing was written."
    lines = [{"key": one.key, "outcome": "fault", "seconds": 0.1, "why": why} | nan | none for one in seen]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    same(KINDS["tornado"](plan, Sweep(folder=tmp_path)), undisturbed("tornado"))


def test_plans_that_an_older_version_kept_are_solved_again(
    plan: opt.Plan, undisturbed: Callable[[str], Study], tmp_path: Path
) -> None:
    KINDS["frontier"](plan, Sweep(folder=tmp_path))
    file = tmp_path / "plans.jsonl"
    keys = [line["key"] for line in kept_lines(tmp_path) if "outcome" in line["record"]]
    old = [{"key": key, "record": {"why": "The search was interrupted before a first plan was found."}} for key in keys]
    file.write_text("".join(json.dumps(line) + "\n" for line in old), encoding="utf-8")
    same(KINDS["frontier"](plan, Sweep(folder=tmp_path)), undisturbed("frontier"))


@pytest.fixture
def older(plan: opt.Plan, undisturbed: Callable[[str], Study], tmp_path: Path) -> Path:
    """A plan with a study as version 0.4.0 wrote it, which may hold interrupts as answers."""
    folder = save_plan(plan, tmp_path / "plan")
    place = save_study(undisturbed("tornado"), folder / "studies" / "tornado")
    record = json.loads((place / "study.json").read_text())
    del record["unsolved"]
    (place / "study.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("write", "name"),
    [(write_deck, "board.pptx"), (lambda plan, *rest, **how: write_workbook([plan], *rest, **how), "plan.xlsx")],
    ids=["deck", "workbook"],
)
def test_fault_151_no_board_is_told_a_study_that_may_hold_an_interrupt(
    older: Path, tmp_path: Path, write: Callable[..., Any], name: str
) -> None:
    out = tmp_path / name
    with pytest.raises(PlanError, match=r"tornado is not whole \(not solved: .* Make it again, take it away"):
        write(older, out)
    assert "UNFINISHED STUDY: TORNADO" in write(older, out, force=True).stamps


def test_what_a_killed_write_of_a_study_left_is_told_nobody(
    plan: opt.Plan, undisturbed: Callable[[str], Study], tmp_path: Path
) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    (folder / "studies").mkdir()
    place = save_study(undisturbed("tornado"), folder / "studies" / "tornado")
    place.rename(place.with_name(".tornado.new-0123abcd"))
    before = write_workbook([folder], tmp_path / "with.xlsx").numbers
    shutil.rmtree(folder / "studies")
    assert write_workbook([folder], tmp_path / "without.xlsx").numbers == before


def test_a_page_says_that_a_study_is_not_whole(older: Path) -> None:
    [book] = open_plans([older])
    assert "tornado" not in book.studies
    assert book.left_out["tornado"] == f"the one beside this plan is not whole: {OLDER}"


# ---- workers and disks -----------------------------------------------------------------------------------------------


def die(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_fault_152_a_worker_that_dies_is_told_in_a_sentence(tmp_path: Path) -> None:
    told = r"A worker process ended before it had answered.*What landed before is kept"
    with pytest.raises(WorkerLost, match=told), workers(1) as pool:
        pool.submit(die, None).result()


UNGUARDED = """\
import sys
import optimizer as opt
from optimizer.questions.sweeps.runner import workers
print("the script runs")
with workers(2) as pool:
    print(pool.submit(len, "four").result())
"""


def test_fault_153_a_script_without_a_main_guard_is_told_what_to_write(tmp_path: Path) -> None:
    script = tmp_path / "spread.py"
    script.write_text(UNGUARDED, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert done.returncode == 1
    assert done.stdout == "the script runs\n"
    assert "spread.py, line 5: every worker process would run this script again. Put what it does under" in done.stderr
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    assert "BrokenProcessPool" not in done.stderr


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ('import x\nif __name__ == "__main__":\n    go()\n', True),
        ('if __name__ != "__main__":\n    raise SystemExit\n\ngo()\n', True),
        ("import multiprocessing as m\nif m.parent_process() is None:\n    go()\n", True),
        ("log = get(__name__)\n\ndef main():\n    if x: pass\n\nmain()\n", False),
        ('go()\nif __name__ == "__main__":\n    pass\n', False),
    ],
)
def test_a_guard_is_seen(tmp_path: Path, text: str, guarded: bool) -> None:
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    line = next(n for n, one in enumerate(text.splitlines(), 1) if one.strip() in ("go()", "main()"))
    assert guard._is_guarded(script, line) is guarded


@pytest.mark.parametrize("kind", ["tornado", "frontier"])
def test_fault_154_a_disk_that_is_full_ends_a_study_with_a_sentence(plan: opt.Plan, tmp_path: Path, kind: str) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Journal, "add", full)
        with pytest.raises(PlanError, match=r"cannot be written: No space left .*What landed before is kept"):
            KINDS[kind](plan, Sweep(folder=tmp_path))
    assert kept_lines(tmp_path) == []


class Left(BaseException):
    """The process would have ended here."""


def said_when_left(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], work: Callable[[], object]
) -> str:
    """What a command says whose signal comes after the work is done."""

    def gone(code: int) -> NoReturn:
        raise Left(code)

    with monkeypatch.context() as patched, pytest.raises(Left), interrupts.stoppable(interrupts.leave):
        patched.setattr(os, "_exit", gone)
        work()
        os.kill(os.getpid(), signal.SIGINT)
    return capfd.readouterr().err


def test_who_is_interrupted_after_something_was_written_is_not_told_that_nothing_was(
    plan: opt.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A plan, a plan in place of an earlier one, a case, a workbook, a document; and nothing, which is said so too."""
    case, folder, book = tmp_path / "case", tmp_path / "plan", tmp_path / "case.xlsx"
    works: dict[Path, Callable[[], object]] = {
        folder: lambda: [save_plan(plan, folder) for _ in range(2)],
        case: lambda: opt.save_case(plan.case, case),
        book: lambda: opt.save_case(plan.case, book),
        tmp_path / "board.pptx": lambda: hand_out(tmp_path / "board.pptx", b"slides"),
    }
    for path, work in works.items():
        assert said_when_left(monkeypatch, capfd, work).strip() == f"Interrupted. Written before: {path}."
    assert said_when_left(monkeypatch, capfd, lambda: None).strip() == "Interrupted; nothing was written."


@pytest.mark.parametrize("step", ["keep_study", "tell_study"])
def test_a_study_that_is_interrupted_once_all_is_solved_says_that_its_answers_are_kept(
    plan: opt.Plan, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def pressed(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    folder = save_plan(plan, tmp_path / "plan")
    monkeypatch.setattr(studying, step, pressed)
    code, out, err = run("tornado", folder, "-j", 1, "--driver", "power")
    assert (code, out) == (130, "")
    assert "The answers so far are kept in" in err
    assert kept_lines(folder / "studies" / "tornado")
