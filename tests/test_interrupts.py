"""Ctrl-C as a terminal sends it: the best plan known is kept, an earlier plan never harmed, and the prompt returns."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import DATA, ROOT
from plan_writers import beside, standing, texts_of, which

import optimizer as opt
from optimizer.ground.errors import OptimizerError
from optimizer.plan.folder import load_plan, save_plan

BITFARMS = DATA / "bitfarms_2025"
SOON_S = 5.0
"""Within which a press must bring the prompt back, on a machine that does little else."""

FIRST_PLAN = re.compile(r"best plan\s+-?\$")
When = Callable[[str, float], bool]


@dataclass(frozen=True)
class Pressed:
    """A run and its press: what the terminal had shown before it and after it, and how the run ended."""

    code: int
    before: str
    after: str
    seconds_to_end: float
    pressed_at: float | None

    @property
    def incumbent_seen(self) -> bool:
        """Whether the live line had shown a plan before the press."""
        return FIRST_PLAN.search(self.before) is not None


def press(folder: Path, when: When, *, presses: int = 1, most_s: float = 120.0) -> Pressed:
    """Solve Bitfarms on a terminal of its own, and press Ctrl-C once what it shows and the seconds gone by say so."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    command = [sys.executable, "-m", "optimizer", "solve", str(BITFARMS), "--gap", "1e-6", "-o", str(folder)]
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # type: ignore[arg-type, return-value]
    )
    os.close(slave)
    shown, pressed_at, before = "", None, ""
    try:
        while process.poll() is None:
            shown += _shown(master)
            gone = time.monotonic() - began
            if pressed_at is None and when(shown, gone):
                pressed_at, before = gone, shown
                for _ in range(presses):
                    os.killpg(process.pid, signal.SIGINT)
                    time.sleep(0.05)
            assert gone < most_s + 120, f"no end in sight:\n{shown[-2000:]}"
        ended = time.monotonic() - began
        while more := _shown(master):
            shown += more
    finally:
        process.kill()
        process.wait()
        os.close(master)
    late = ended - (ended if pressed_at is None else pressed_at)
    return Pressed(process.returncode, before, shown[len(before) :], late, pressed_at)


def _shown(terminal: int) -> str:
    """What the program has written to its terminal since; within a twentieth of a second."""
    if not select.select([terminal], [], [], 0.05)[0]:
        return ""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:
        return ""


def judge(run: Pressed, folder: Path, earlier: opt.Plan) -> str:
    """What became of the press; everything that must hold of it is asserted here."""
    assert "Traceback" not in run.after, run.after
    assert [name for name in beside(folder) if name.startswith(".")] == []
    if run.pressed_at is None or run.code == 0:
        assert load_plan(folder).status == "optimal"
        return "done before"
    assert run.code == 130, run.after
    if which(folder, {"earlier": texts_of(earlier)}) == "earlier":
        assert not run.incumbent_seen, f"a plan was known and is lost:\n{run.before[-500:]}\n{run.after}"
        return "none yet"
    kept = load_plan(folder)
    assert (kept.status, kept.word) == ("interrupted", "NOT PROVEN")
    return "kept"


def test_ctrl_c_keeps_the_best_plan_known(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    run = press(folder, _after_first_plan(0))
    assert judge(run, folder, plan) == "kept"
    assert run.seconds_to_end <= 4 * SOON_S, "a busy machine is given more time here than in the campaign"


def test_ctrl_c_twice_quits_and_leaves_the_earlier_plan(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    run = press(folder, lambda shown, _: "best plan" in shown, presses=2)
    assert (run.code, "Traceback" in run.after) == (130, False), run.after
    assert run.seconds_to_end <= 4 * SOON_S, "a busy machine is given more time here than in the campaign"
    assert standing(folder) == texts_of(plan)


@pytest.mark.campaign
def test_ctrl_c_at_random_times(plan: opt.Plan, tmp_path: Path) -> None:
    """`INTERRUPTS` (200) times, uniform over `INTERRUPT_SPAN_S` (12) seconds: every other time from the start of the
    program, else from the first plan on the live line, so that there is something to lose."""
    times = int(os.environ.get("INTERRUPTS", "200"))
    span = float(os.environ.get("INTERRUPT_SPAN_S", "12"))
    dice, seen, slowest = random.Random(int(os.environ.get("INTERRUPT_SEED", "1"))), Counter[str](), 0.0
    wrong, late = [], 0
    for number in range(times):
        with tempfile.TemporaryDirectory(dir=tmp_path) as room:
            folder = save_plan(plan, Path(room) / "plan")
            moment = dice.uniform(0, span)
            run = press(folder, _after_first_plan(moment) if number % 2 else _after_start(moment))
            try:
                became = judge(run, folder, plan)
            except (AssertionError, OptimizerError) as error:
                became = "wrong"
                wrong.append(f"{moment:.3f} s: {error}")
            seen[became] += 1
            slowest = max(slowest, run.seconds_to_end)
            late += run.seconds_to_end > SOON_S
            _record(number, moment, run, became)
    print(f"\n{times} presses over {span:g} s: {dict(seen)}, slowest end {slowest:.2f} s after the press, {late} late")
    assert not wrong, "\n".join(wrong)
    assert not late


def _after_start(seconds: float) -> When:
    return lambda _, gone: gone >= seconds


def _after_first_plan(seconds: float) -> When:
    first: list[float] = []

    def when(shown: str, gone: float) -> bool:
        if not first and FIRST_PLAN.search(shown):
            first.append(gone)
        return bool(first) and gone >= first[0] + seconds

    return when


def _record(number: int, moment: float, run: Pressed, became: str) -> None:
    if folder := os.environ.get("CAMPAIGN_RECORDS"):
        told = {
            "press": number,
            "moment_s": round(moment, 3),
            "code": run.code,
            "incumbent_seen": run.incumbent_seen,
            "seconds_to_end": round(run.seconds_to_end, 3),
            "load": round(os.getloadavg()[0], 1),
            "became": became,
            "after": "" if became != "wrong" else run.after[-1500:],
        }
        with (Path(folder) / "interrupts.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


@pytest.mark.campaign
def test_presses_over_all_commands_leave_nothing_false() -> None:
    """`PRESSES` (300) signals, each followed by a second run that must end as if nothing had been."""
    records = os.environ.get("CAMPAIGN_RECORDS")
    asked = [os.environ.get("PRESSES", "300"), "--seed", os.environ.get("INTERRUPT_SEED", "1")]
    print("\n" + presses(*asked, *(["--records", records] if records else [])))


def test_presses_in_studies_leave_nothing_false() -> None:
    """Two of those that the campaign makes by the hundred: in a study, and while scenarios are solved for one."""
    assert presses("2", "--only", "tornado", "--only", "regret of a case").rstrip().endswith(" 0 false")


def presses(*words: str) -> str:
    """Run the driver of presses in a process without threads, as it has children; what it prints."""
    command = [sys.executable, str(ROOT / "tests" / "presses.py"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
