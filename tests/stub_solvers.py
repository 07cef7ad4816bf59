"""Solvers that misbehave, run as processes by name: `stub_solvers` does what STUB_SOLVER says."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.solver.entry import Event, Live, Tell
from optimizer.solver.program import Program


def find_something(job: Event, tell: Tell) -> None:
    """Put the plan that the test left beside the program where an improving plan belongs, and tell of it."""
    folder = Path(job["folder"])
    vector = Path(os.environ["STUB_VECTOR"])
    if vector.exists() and not (folder / "improving.npy").exists():
        shutil.copyfile(vector, folder / "improving.npy")
    program = Program.load(folder / "program.npz")
    value = float(program.cost @ np.load(vector) + program.offset[0])
    tell({"event": "progress", "seconds": 0.1, "value": value, "bound": value + 5})


def hang(*_: Any) -> Event:
    time.sleep(600)
    return {}


def crash(*_: Any) -> Event:
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def be_killed(*_: Any) -> Event:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def take_memory(*_: Any) -> Event:
    return {"length": len(np.ones(2**37))}


def stumble(*_: Any) -> Event:
    raise ValueError("the solver tripped over itself")


ENDINGS = {"hang": hang, "crash": crash, "be_killed": be_killed, "take_memory": take_memory, "stumble": stumble}


def carry_out(job: Event, tell: Tell, stop: threading.Event) -> Event:
    """Misbehave in a search; what was found before is polished by HiGHS as ever."""
    if job["task"] != "search":
        from optimizer.solver import highs

        return highs.carry_out(job, tell, stop)
    if "STUB_VECTOR" in os.environ:
        find_something(job, tell)
    return ENDINGS[os.environ["STUB_SOLVER"]]()


def version() -> str:
    return "0"


def unfit(live: Live) -> str | None:
    return os.environ.get("STUB_UNFIT")
