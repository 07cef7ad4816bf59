"""Ctrl-C and SIGTERM at random moments over all commands: what is left behind is never false, and can be gone on with.

Each press starts a command in a room of its own, sends the signal at a moment drawn over the time that the command
takes, judges what it left, and runs the command again, which must end as one that nothing disturbed. Most commands run
in a child of a process that has imported the program already, so that moments fall into the work and not into the
start; every tenth is started as a user starts it. `python tests/presses.py 300 --records FOLDER` runs it by hand.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PLAN, OTHER = "plan", "other"
STUDY_JOBS = (1, 1, 2)
"""Solves at a time of studies, in turns: with one of them everything happens in the process that is pressed."""
COLD_EVERY = 10
MOST_S = 300.0

COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check", "case"),
    "show": ("show", PLAN),
    "audit": ("audit", PLAN),
    "solve": ("solve", "case", "-o", "made"),
    "prove": ("solve", "case", "-o", "made", "--prove"),
    "explain": ("explain", "poor"),
    "tornado": ("tornado", PLAN, "--gap", "0", "--driver", "power", "--driver", "hashprice"),
    "breakevens": ("breakevens", PLAN, "--gap", "0", "--offer", "lease", "--grid", "3", "--tolerance", "0.1"),
    "map": ("map", PLAN, "--gap", "0", "--points", "3"),
    "frontier": ("frontier", PLAN, "--gap", "0", "--budgets", "20,30", "--no-cash"),
    "prices": ("prices", PLAN, "--gap", "0"),
    "alternatives": ("alternatives", PLAN, "--gap", "0"),
    "regret": ("regret", PLAN, OTHER, "--gap", "0"),
    "regret of a case": ("regret", "case", "--all-scenarios", "--gap", "0"),
    "bridge": ("compare", PLAN, OTHER, "--bridge", "--gap", "0"),
    "deck": ("deck", PLAN, "-o", "board.pptx"),
    "workbook": ("workbook", PLAN, "-o", "plan.xlsx"),
    "page": ("page", PLAN, "-o", "plan.html"),
}
WITH_JOBS = {
    "tornado",
    "breakevens",
    "map",
    "frontier",
    "prices",
    "alternatives",
    "regret",
    "regret of a case",
    "bridge",
}
STUDIED = ("plan/studies", "other/studies", "results")
ENDS = {"explain": 3}
"""Exit codes of commands that were not disturbed, where that is not 0."""

MODULES = (
    "optimizer.cli", "optimizer.questions.planner", "optimizer.questions.conflicts",
    "optimizer.questions.compare.bridge", "optimizer.questions.compare.telling",
    "optimizer.questions.studies.tornado", "optimizer.questions.studies.breakevens",
    "optimizer.questions.studies.switching_map", "optimizer.questions.studies.frontier",
    "optimizer.questions.studies.prices", "optimizer.questions.studies.alternatives",
    "optimizer.questions.studies.regret", "optimizer.questions.studies.telling", "optimizer.telling.pictures",
    "optimizer.telling.board.deck", "optimizer.telling.board.workbook", "optimizer.telling.board.page.writing",
    "optimizer.telling.summary", "optimizer.plan.folder",
)  # fmt: skip
"""What commands import once they run."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, how long it took, and what it said on standard error."""

    code: int
    seconds: float
    said: str


@dataclass(frozen=True)
class Whole:
    """What a command leaves that nothing disturbed, and how long that takes."""

    seconds: float
    left: Mapping[str, Any]
    answers: Mapping[str, Any]


# ---- rooms -----------------------------------------------------------------------------------------------------------


def furnish(room: Path) -> None:
    """A case with two scenarios, plans of it and of a dearer one, and a case without a plan."""
    from conftest import mining_case

    import optimizer as opt
    from optimizer.case.folder import write_case
    from optimizer.plan.folder import save_plan

    case = two_scenarios(mining_case())
    power = [row.model_copy(update={"energy_usd_per_mwh": row.energy_usd_per_mwh * 1.1}) for row in case.tariffs]
    rents = [row.model_copy(update={"price": row.price * 1.05}) for row in case.offer_prices]
    write_case(case, room / "case")
    write_case(case.replace(minimum_cash_musd=5000.0), room / "poor")
    save_plan(opt.solve(case, gap=0.0), room / PLAN)
    save_plan(opt.solve(case.replace(tariffs=power, offer_prices=rents), gap=0.0), room / OTHER)


def two_scenarios(case: Any) -> Any:
    """The case with a second scenario, in which hashprice and rents are lower."""
    low = {"scenario": "low"}
    return case.replace(
        scenarios=[*case.scenarios, case.scenarios[0].model_copy(update=low)],
        bitcoin=[*case.bitcoin, *(r.model_copy(update=low | {"hashprice_usd_per_ph_day": 50.0}) for r in case.bitcoin)],
        tariffs=[*case.tariffs, *(row.model_copy(update=low) for row in case.tariffs)],
        product_markets=[*case.product_markets, *(row.model_copy(update=low) for row in case.product_markets)],
        offer_prices=[
            *case.offer_prices, *(r.model_copy(update=low | {"price": r.price * 0.8}) for r in case.offer_prices)
        ],
    )  # fmt: skip


# ---- running a command -----------------------------------------------------------------------------------------------


def start(argv: Sequence[str], room: Path, *, cold: bool) -> int:
    """Begin a command in a process group of its own, its standard error going to a file; its process id."""
    if cold:
        with (room / ".said").open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "optimizer", *argv], cwd=room, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)}, preexec_fn=_as_in_a_terminal,
            ).pid  # fmt: skip
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setsid()
        os.chdir(room)
        for target, path in ((0, os.devnull), (1, os.devnull), (2, str(room / ".said"))):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), target)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        _as_in_a_terminal()
        code = _be_the_program(argv)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _as_in_a_terminal() -> None:
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler if name == signal.SIGINT else signal.SIG_DFL)


def _be_the_program(argv: Sequence[str]) -> int:
    from optimizer.__main__ import main

    sys.argv = ["optimizer", *argv]
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def run(argv: Sequence[str], room: Path, *, cold: bool = False, press: Callable[[int], None] | None = None) -> Ended:
    """Run a command to its end; `press` is called with its process id once it has begun."""
    (room / ".said").unlink(missing_ok=True)
    began = time.monotonic()
    pid = start(argv, room, cold=cold)
    if press is not None:
        press(pid)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() - began > MOST_S:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return Ended(-99, MOST_S, "no end in sight")
        time.sleep(0.01)
    seconds, said = time.monotonic() - began, room / ".said"
    return Ended(os.waitstatus_to_exitcode(status), seconds, said.read_text() if said.exists() else "")


# ---- what is left ----------------------------------------------------------------------------------------------------


def left_in(room: Path) -> dict[str, Any]:
    """All that a board could be told from: studies, plans, documents; each as far as it must be the same again."""
    from optimizer.plan.folder import load_plan
    from optimizer.questions.studies.study import load_study

    found: dict[str, Any] = {}
    studies = {file.parent for root in STUDIED for file in (room / root).rglob("study.json")}
    for place in sorted(place for place in studies if not place.name.startswith(".")):  # the next writer clears those
        study = load_study(place)
        found[str(place.relative_to(room))] = (study.title, study.unsolved, study.tables)
    for place in sorted({file.parent for root in ("made", "results") for file in (room / root).rglob("plan.json")}):
        plan = load_plan(place)
        found[str(place.relative_to(room))] = (plan.status, round(plan.value_musd, 6))
    for name in ("board.pptx", "plan.xlsx"):
        if (room / name).exists():
            found[name] = zipfile.ZipFile(room / name).testzip() is None
    if (room / "plan.html").exists():
        found["plan.html"] = (room / "plan.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
    return found


def answers_in(room: Path) -> dict[str, Any]:
    """What is kept of answers, by file and key: outcome and value. A line cut short is none."""
    kept: dict[str, Any] = {}
    for file in sorted(path for root in STUDIED for path in (room / root).rglob("*.jsonl")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            record = one.get("record", one)
            value = record.get("value_musd", record.get("value", record.get("kept", "")))
            told = record.get("outcome") or record.get("why") or "answered"
            kept[f"{file.name} {one['key']}"] = (told, value)
    return kept


def kept_in(room: Path) -> dict[str, Any]:
    """Everything that a run may have left: what can be told from, and answers that the next run goes on with."""
    return left_in(room) | answers_in(room)


def unlike(one: Any, other: Any) -> bool:
    """Whether two things that were left are not the same."""
    import pandas as pd

    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) != len(other) or any(unlike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() != other.keys() or any(unlike(one[name], other[name]) for name in one)
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        try:
            pd.testing.assert_frame_equal(one, other, rtol=1e-6, atol=1e-6)
        except AssertionError:
            return True
        return False
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > 1e-6 * max(1.0, abs(other)) and one == one
    return bool(one != other)


def false_in(room: Path, whole: Whole) -> list[str]:
    """What an interrupted command left that one without a press does not leave: nothing may be."""
    wrong = []
    for name, there in left_in(room).items():
        stopped = isinstance(there[0], str) and there[0] == "interrupted" if isinstance(there, tuple) else False
        if not stopped and (name not in whole.left or unlike(there, whole.left[name])):
            wrong.append(f"{name} is not as without a press")
    for key, kept in answers_in(room).items():
        if key in whole.answers and unlike(kept, whole.answers[key]):
            wrong.append(f"{key} keeps {kept}, and {whole.answers[key]} is right")
        if kept[0] in ("limit", "fault"):
            wrong.append(f"{key} keeps {kept[0]}")
    return wrong


# ---- presses ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Press:
    """One press: of which command, with how many solves at a time, started how, by which signal, when, and to whom."""

    number: int
    command: str
    jobs: int
    cold: bool
    name: signal.Signals
    share: float
    group: bool

    @property
    def argv(self) -> list[str]:
        return [*COMMANDS[self.command], *(["--jobs", str(self.jobs)] if self.command in WITH_JOBS else [])]


def drawn(count: int, seed: int, only: Sequence[str] = ()) -> list[Press]:
    """Presses of commands in turns, studies as often again; moments are shares of the time that a command takes."""
    dice, presses = random.Random(seed), []
    names = list(only) or [*COMMANDS, *sorted(WITH_JOBS)]
    for number in range(count):
        presses.append(
            Press(
                number,
                names[number % len(names)],
                dice.choice(STUDY_JOBS),
                number % COLD_EVERY == COLD_EVERY - 1,
                dice.choice((signal.SIGINT, signal.SIGTERM)),
                dice.uniform(0.0, 1.05),
                dice.random() < 0.7,
            )
        )
    return presses


def judge(press: Press, template: Path, whole: Whole, seconds: float) -> tuple[str, list[str]]:
    """Press, and see what became of it: a word, and everything that is wrong."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(shutil.copytree(template, Path(name) / "room"))

        def send(pid: int) -> None:
            time.sleep(press.share * seconds)
            with suppress(ProcessLookupError):
                (os.killpg if press.group else os.kill)(pid, press.name)

        ended = run(press.argv, room, cold=press.cold, press=send)
        wrong = []
        if "Traceback" in ended.said and not _too_early(press, ended):
            wrong.append(f"a traceback: {ended.said[-1500:]}")
        done = ended.code == ENDS.get(press.command, 0)
        if ended.code != 130 and not done and not _too_early(press, ended):
            wrong.append(f"exit code {ended.code}: {ended.said[-500:]}")
        wrong += false_in(room, whole)
        if "nothing was written" in ended.said and unlike(kept_in(room), kept_in(template)):
            wrong.append("it says that nothing was written, and something was")
        if done and unlike(left_in(room), whole.left):
            wrong.append("it says that it is done, and is not")
        again = run(press.argv, room)
        if again.code != ENDS.get(press.command, 0):
            wrong.append(f"the second run ends with {again.code}: {again.said[-500:]}")
        elif unlike(left_in(room), whole.left):
            wrong.append("the second run leaves something else")
        if leftovers := [p.name for p in room.rglob(".*") if p.name not in (".said",)]:
            wrong.append(f"left over: {leftovers}")
    return "done before" if done else "too early" if _too_early(press, ended) else "interrupted", wrong


def _too_early(press: Press, ended: Ended) -> bool:
    """Whether a signal came before the first line of the program ran: Python's own end, and nothing was begun."""
    return press.cold and (ended.code in (-press.name, 1) or "KeyboardInterrupt" in ended.said) and press.share < 0.5


def campaign(presses: Sequence[Press], records: Path | None = None) -> tuple[Counter[str], list[str]]:
    """What became of presses, and everything that was wrong."""
    _warm()
    with tempfile.TemporaryDirectory() as name:
        template = Path(name) / "template"
        template.mkdir()
        _apart(lambda: furnish(template))
        wholes = {key: _undisturbed(key, template) for key in dict.fromkeys(press.command for press in presses)}
        seen, faults = Counter[str](), []

        for press in presses:
            whole, began = wholes[press.command], time.monotonic()
            became, wrong = judge(press, template, whole, whole.seconds * (3 if press.cold else 1))
            seen[became] += 1
            faults.extend(f"press {press.number}, {press.argv}, {press.name.name}: {words}" for words in wrong)
            if records is not None:
                told = {"press": press.number, "argv": press.argv, "cold": press.cold, "signal": press.name.name,
                        "group": press.group, "share": round(press.share, 3), "became": became, "wrong": wrong,
                        "seconds": round(time.monotonic() - began, 2)}  # fmt: skip
                with (records / "presses.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(told) + "\n")
    return seen, faults


def _warm() -> None:
    """Import what commands import, but solve nothing: a process with threads should have no children."""
    for module in MODULES:
        importlib.import_module(module)


def _undisturbed(command: str, template: Path) -> Whole:
    """The command run once for its time and once for what it leaves."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(shutil.copytree(template, Path(name) / "room"))
        argv = Press(0, command, 1, False, signal.SIGINT, 0.0, False).argv
        ended = run(argv, room)
        assert ended.code == ENDS.get(command, 0), (command, ended)
        return Whole(ended.seconds, left_in(room), answers_in(room))


def _apart(work: Callable[[], None]) -> None:
    """Do something in a child, so that this process has no solver and no threads when it has children later."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=Path)
    parser.add_argument("--only", action="append", choices=list(COMMANDS), default=[])
    given = parser.parse_args()
    seen, faults = campaign(drawn(given.count, given.seed, given.only), given.records)
    print(f"{given.count} presses: {dict(seen)}, {len(faults)} false")
    print("\n".join(faults))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
