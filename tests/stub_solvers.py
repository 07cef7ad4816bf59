"""Solvers that misbehave, run as processes by name: `stub_solvers` begins as
STUB_BEGINS says, and does with a job what STUB_SOLVER says."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
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
    how = os.environ["STUB_SOLVER"]
    if how == "noise":
        make_noise()
    if job["task"] != "search" or how == "noise":
        from optimizer.solver import highs

        return highs.carry_out(job, tell, stop)
    if "STUB_VECTOR" in os.environ:
        find_something(job, tell)
    return ENDINGS[how]()


def version() -> str:
    return "0"


def unfit(live: Live) -> str | None:
    return os.environ.get("STUB_UNFIT")


# ---- how they begin ---------------------------------------------------------------------------------------------


def make_noise() -> None:
    """Print what a library might: by Python and by C, to both streams, without line ends, no text, and much."""
    print("Welcome to a solver", end="")
    print('\x1eoptimizer {"event": "done"}', flush=True)
    for stream in (1, 2):
        os.write(stream, b'{"event": "ready"}\n\xff\xfe\x00 half a line')
        os.write(stream, b"\n" + b"x" * (1 << 21))
    assert sys.stdin.read() == "", "the jobs are for the process alone"


def hold_everything() -> None:
    """Sleep in C without letting any other thread of Python run."""
    ctypes.PyDLL(None).sleep(600)


def leave_a_child() -> None:
    """Start a process that holds both streams open, and end."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    raise ImportError("half of it is missing")


def run_for_ever() -> None:
    while True:
        pass


def lack_a_module() -> None:
    raise ModuleNotFoundError("No module named 'highspy'", name="highspy")


BEGINNINGS = {
    "noise": make_noise,
    "sleep": lambda: time.sleep(600),
    "hold": hold_everything,
    "run": run_for_ever,
    "child": leave_a_child,
    "leave": lambda: sys.exit("no licence"),
    "crash": crash,
    "lack": lack_a_module,
}
BEGINNINGS.get(os.environ.get("STUB_BEGINS", ""), lambda: None)()
