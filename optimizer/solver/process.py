"""The solver's own process, from both ends: started once, fed with jobs, stopped in good time, killed if need be.

Jobs go in as lines of JSON and events come back the same way; matrices and vectors lie in files of the job's folder.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from optimizer.errors import SolverFault

GRACE_S = 10.0
"""How long a solver may go on after its time limit before it is killed."""
PATIENCE_S = 2.0
"""How long a solver may go on after it was asked to stop."""
START_S = 120.0
WATCH_S = 0.05

Event = dict[str, Any]
Tell = Callable[[Event], None]
CarryOut = Callable[[Event, Tell, threading.Event], Event]


@dataclass(frozen=True)
class Killed:
    """How a solver's process ended before it had answered: out of memory, stopped when asked, late, or by a fault."""

    why: str
    how: Literal["memory", "stopped", "late", "fault"]


class SolverProcess:
    """One process that solves, `module` being what it runs; it ends with the process that made it."""

    def __init__(self, module: str, memory_gb: float):
        self.memory_gb = memory_gb
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, repr(memory_gb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": _import_path()},
            start_new_session=True,
        )
        self._said: list[str] = []
        self._readers = [threading.Thread(target=t, daemon=True) for t in (self._read_events, self._read_complaints)]
        for reader in self._readers:
            reader.start()
        try:
            hello = self._next(START_S)
        except BaseException:
            self.kill()
            raise
        if hello is None or hello["event"] != "ready" or hello["unfit"]:
            self.kill()
            why = hello["unfit"] if hello else f"the solver's process does not start: {self._complaint()}"
            raise SolverFault(str(why))
        self.version: str = hello["version"]

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(
        self,
        job: dict[str, Any],
        *,
        tell: Tell | None = None,
        time_limit: float | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Event | Killed:
        """Send a job and wait for its answer; `tell` hears of every event before."""
        if stop():
            return Killed("interrupted", "stopped")
        self._send(json.dumps(job))
        deadline = None if time_limit is None else time.monotonic() + time_limit + GRACE_S
        asked = False
        while True:
            event = self._next(WATCH_S)
            if event is not None and event["event"] == "done":
                return Killed(self._memory_words(), "memory") if "out_of_memory" in event else event
            if event is not None and tell is not None:
                tell(event)
            if event is None and not self.alive:
                return self._post_mortem()
            if stop() and not asked:
                asked = True
                self._send("stop")
                deadline = time.monotonic() + PATIENCE_S
            if deadline is not None and time.monotonic() > deadline:
                self.kill()
                return Killed("interrupted", "stopped") if asked else Killed("the time limit came first", "late")

    def kill(self) -> None:
        """End it, if it has not ended, and leave nothing open."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        with suppress(BrokenPipeError):
            self._process.__exit__(None, None, None)

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _next(self, seconds: float) -> Event | None:
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def _read_events(self) -> None:
        for line in _lines(self._process.stdout):
            self._events.put(json.loads(line))
        self._events.put(None)

    def _read_complaints(self) -> None:
        for line in _lines(self._process.stderr):
            self._said = [*self._said[-19:], line.rstrip()]

    def _complaint(self) -> str:
        return self._said[-1] if self._said else "it says nothing"

    def _post_mortem(self) -> Killed:
        code = self._process.wait()
        said = " ".join(self._said)
        if "bad_alloc" in said or "MemoryError" in said or code == -9:
            return Killed(self._memory_words(), "memory")
        return Killed(f"the solver ended with code {code} ({self._complaint()})", "fault")

    def _memory_words(self) -> str:
        return f"the solver ran out of its {self.memory_gb:.3g} GB of memory"


def _lines(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _import_path() -> str:
    """Where this program itself was imported from, first of all."""
    home = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])


_idle: list[tuple[int, str, SolverProcess]] = []
_guard = threading.Lock()


@contextmanager
def solver_process(module: str, memory_gb: float) -> Iterator[SolverProcess]:
    """A process for a solver, nobody else's meanwhile: an idle one if there is any, else a new one."""
    with _guard:
        fit = [kept for kept in _idle if kept[:2] == (os.getpid(), module) and kept[2].memory_gb == memory_gb]
        if fit:
            _idle.remove(fit[0])
    if fit and not fit[0][2].alive:
        fit.pop()[2].kill()
    process = fit[0][2] if fit else SolverProcess(module, memory_gb)
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    if not process.alive:
        process.kill()
    else:
        with _guard:
            _idle.append((os.getpid(), module, process))


@atexit.register
def _dismiss() -> None:
    for pid, _, process in _idle:
        if pid == os.getpid():
            process.kill()


# ---- the other end ------------------------------------------------------------------------------------------------


def serve(carry_out: CarryOut, *, version: str, unfit: str | None) -> None:
    """Be a solver's process: take jobs from standard input until it is closed.

    Ctrl-C is the business of whoever started it. What a library prints goes to standard error.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    _cap_memory(float(sys.argv[1]))
    jobs: queue.Queue[Event | None] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(jobs, stop), daemon=True).start()

    def tell(event: Event) -> None:
        channel.write(json.dumps(event) + "\n")

    tell({"event": "ready", "version": version, "unfit": unfit})
    while (job := jobs.get()) is not None:
        try:
            tell({"event": "done"} | carry_out(job, tell, stop))
        except MemoryError:
            tell({"event": "done", "out_of_memory": True})


def _listen(jobs: queue.Queue[Event | None], stop: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "stop":
            stop.set()
        else:
            stop.clear()
            jobs.put(json.loads(line))
    jobs.put(None)
    stop.set()


def _cap_memory(gigabytes: float) -> None:
    """No more address space than this, where the system can hold a process to it."""
    try:
        import resource
    except ImportError:
        return
    size = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def physical_memory_gb() -> float:
    """Memory of this machine; 8 where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return 8.0
