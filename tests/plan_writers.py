"""What the tests of plan folders share: two plans, what stands in a folder, and writers that are killed."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import optimizer as opt
from optimizer.files import folders
from optimizer.ground.errors import PlanError
from optimizer.plan.folder import folder_texts, save_plan

NOTE = b"what the board said\n"


def texts_of(plan: opt.Plan) -> dict[str, bytes]:
    """Every file a plan's folder holds: path -> bytes."""
    return {name: text.encode() for name, text in folder_texts(plan).items()}


def standing(folder: Path) -> dict[str, bytes]:
    """Every file that stands in a folder, as a person finds it: nothing is put right by looking."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def which(folder: Path, plans: Mapping[str, dict[str, bytes]]) -> str:
    """The name of the plan that stands there, whole and beside notes alone; else `nothing` or `torn`."""
    if not folder.exists():
        return "nothing"
    found = {name: data for name, data in standing(folder).items() if not name.startswith("notes")}
    return next((name for name, texts in plans.items() if texts == found), "torn")


def beside(folder: Path) -> list[str]:
    """What stands beside a plan folder: locks and leftovers of killed writers."""
    return sorted(path.name for path in folder.parent.iterdir() if path != folder)


def forked(work: Callable[[], object]) -> tuple[int, int]:
    """Do some work in a child process that begins when it is released: (process id, its pipe).

    The child ends with 0; with 7 after a PlanError, and with 1 after anything else.
    """
    reading, going = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads; the child only writes files
        child = os.fork()
    if child:
        os.close(reading)
        return child, going
    code = 1
    try:
        os.close(going)
        os.read(reading, 1)
        work()
        code = 0
    except PlanError:
        code = 7
    finally:
        os._exit(code)


def release(pipe: int) -> None:
    """Let a forked child begin."""
    os.write(pipe, b"!")
    os.close(pipe)


def ended(child: int) -> int:
    """Wait for a child: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(work: Callable[[], object], seconds: float) -> int:
    """Do some work in a child and SIGKILL it so long after its start; its exit code, -9 if it was not done."""
    child, going = forked(work)
    release(going)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        time.sleep(0.0002)
    os.kill(child, signal.SIGKILL)
    return ended(child)


FILE_EVENTS = ("open", "os.", "shutil.", "fcntl.", "tempfile.")


def killed_at_step(work: Callable[[], object], step: int) -> int:
    """Do some work in a child that kills itself at its n-th touch of the file system; its exit code."""
    left = [step]

    def count(event: str, _: object) -> None:
        if event.startswith(FILE_EVENTS):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    def watched() -> None:
        sys.addaudithook(count)
        work()

    child, going = forked(watched)
    release(going)
    return ended(child)


def steps_of(work: Callable[[], object]) -> int:
    """How often some work touches the file system."""
    reading, writing = os.pipe()

    def watched() -> None:
        seen = [0]
        sys.addaudithook(lambda event, _: seen.__setitem__(0, seen[0] + event.startswith(FILE_EVENTS)))
        work()
        os.write(writing, str(seen[0]).encode())

    child, going = forked(watched)
    release(going)
    os.close(writing)
    told = os.read(reading, 100)
    os.close(reading)
    assert ended(child) == 0
    return int(told)


@contextmanager
def swapping(way: str) -> Iterator[None]:
    """Replace folders in one call of the system (`exchange`), or as a disk without that call makes it (`renames`)."""

    def no_exchange(*_: object) -> None:
        raise NotImplementedError

    real = folders._exchange
    if way == "renames":
        folders._exchange = no_exchange
    try:
        yield
    finally:
        folders._exchange = real


def another(plan: opt.Plan) -> opt.Plan:
    """A plan of the same case that differs in a figure, a table and an input, and has no plan beside it."""
    cash = plan.tables["cash"].assign(net_musd=plan.tables["cash"]["net_musd"] + 1.5)
    case = plan.case.replace(title="Another")
    return replace(plan, case=case, value_musd=plan.value_musd - 1, tables={**plan.tables, "cash": cash}, nothing=None)


def write_with_note(plan: opt.Plan, folder: Path) -> None:
    save_plan(plan, folder)
    (folder / "notes").mkdir(exist_ok=True)
    (folder / "notes" / "board.txt").write_bytes(NOTE)
