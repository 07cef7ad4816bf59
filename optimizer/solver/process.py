"""The solver's own process, started once, fed with jobs, stopped in good time, killed if need be.

Jobs go in as lines of JSON and events come back as marked ones; matrices and vectors lie in files of the job's folder.
The other end is `entry`.
"""

from __future__ import annotations

import atexit
import errno
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

from optimizer.ground.errors import NoSolver
from optimizer.solver import entry
from optimizer.solver.entry import BEAT_S, MARK, Event, Tell

GRACE_S = 10.0
"""How long a solver may go on after its time limit before it is killed."""
PATIENCE_S = 2.0
"""How long a solver may go on after it was asked to stop."""
QUIET_BEATS = 7
"""How often a solver's process that begins may be found as far as before. A slow one loads something every time."""
WATCH_S = 0.05
CHUNK = 1 << 16
LONGEST_COMPLAINT = 300

SOLVERS = {
    "optimizer.solver.highs": ("HiGHS", "highspy>=1.15.1,<1.17"),
    "optimizer.solver.scip": ("SCIP", "pyscipopt>=6,<7"),
}
"""What each solver is called, and what to install for it: the releases that were tried."""
MENDS = {
    errno.EACCES: "let that file be run; a disk mounted noexec does not let it",
    errno.ENOENT: "make the environment again that this program runs in",
    errno.EAGAIN: "end some processes, or let this user have more of them",
    errno.ENOMEM: "give the machine more memory, or end what takes it",
}
"""What to do where a process cannot be started, by what the system says."""


@dataclass(frozen=True)
class Killed:
    """How a solver's process ended before it had answered: out of memory, stopped when asked, late, or by a fault."""

    why: str
    how: Literal["memory", "stopped", "late", "fault"]


class SolverProcess:
    """One process that solves, `module` being what it runs; it ends with the process that made it.

    Raises NoSolver, within seconds, where it does not start or is not fit to be used.
    """

    def __init__(self, module: str, memory_gb: float):
        self.memory_gb = memory_gb
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._said = b""
        self._process = _started(module, memory_gb)
        self._readers = [threading.Thread(target=t, daemon=True) for t in (self._read_events, self._read_complaints)]
        for reader in self._readers:
            reader.start()
        try:
            self.version = self._hello(module)
        except BaseException:
            self.kill()
            raise
        self._said = b""

    def _hello(self, module: str) -> str:
        """The version that a solver says it has once it is ready. Patience is for a slow start, not for a hang."""
        quiet, so_far = 0, -1
        while quiet < QUIET_BEATS:
            event = self._next(BEAT_S)
            if event is None and not self.alive:
                how = f"ends as it begins, with code {self._heard_out()}"
                raise NoSolver(_stumbles(module, how, self._complaint()))
            if event is not None and event["event"] == "ready":
                return _fit(module, event)
            quiet += 1
            if event is not None and event["so_far"] != so_far:
                quiet, so_far = 0, event["so_far"]
        how = f"hangs as it begins, {QUIET_BEATS * BEAT_S:g} s without a sign of life"
        raise NoSolver(_stumbles(module, how, self._complaint()))

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
            if event is None and not self.alive:
                self._heard_out()
                event = self._next(0)
                if event is None:
                    return self._post_mortem()
            if event is not None and event["event"] == "done":
                return Killed(self._memory_words(), "memory") if "out_of_memory" in event else event
            if event is not None and tell is not None:
                tell(event)
            if stop() and not asked:
                asked = True
                self._send("stop")
                deadline = time.monotonic() + PATIENCE_S
            if deadline is not None and time.monotonic() > deadline:
                self.kill()
                return Killed("interrupted", "stopped") if asked else Killed("the time limit came first", "late")

    def kill(self) -> None:
        """End it and all that it started, if it has not ended, and leave nothing open."""
        if self.alive:
            self._kill_group()
        self._heard_out()
        if not any(reader.is_alive() for reader in self._readers):
            with suppress(OSError):
                self._process.__exit__(None, None, None)

    def _heard_out(self) -> int:
        """The code that it ended with, once all is read that it has said."""
        code = self._process.wait()
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def _kill_group(self) -> None:
        """What a solver has started would hold its channels open; where there are groups it ends with it."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def _send(self, line: str) -> None:
        with suppress(OSError):
            _open(self._process.stdin).write(line.encode() + b"\n")
            _open(self._process.stdin).flush()

    def _next(self, seconds: float) -> Event | None:
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def _read_events(self) -> None:
        """Events are on lines that begin with a mark; whatever else is printed, or cut short by a kill, is none."""
        for line in _open(self._process.stdout):
            if line.startswith(MARK):
                with suppress(ValueError):
                    self._events.put(json.loads(line[len(MARK) :]))
        self._events.put(None)

    def _read_complaints(self) -> None:
        """Keep the end of what is said, of however much, with line ends or without."""
        while chunk := os.read(_open(self._process.stderr).fileno(), CHUNK):
            self._said = (self._said + chunk)[-CHUNK:]

    def _complaint(self) -> str:
        """The last line of what was said that holds anything to be read."""
        lines = ("".join(filter(str.isprintable, line)).strip() for line in self._text().splitlines())
        said = [line for line in lines if line]
        return said[-1][-LONGEST_COMPLAINT:] if said else "it says nothing"

    def _text(self) -> str:
        return self._said.decode(errors="replace")

    def _post_mortem(self) -> Killed:
        code, said = self._heard_out(), self._text()
        if "bad_alloc" in said or "MemoryError" in said or code == -9:
            return Killed(self._memory_words(), "memory")
        return Killed(f"the solver ended with code {code} ({self._complaint()})", "fault")

    def _memory_words(self) -> str:
        return f"the solver ran out of its {self.memory_gb:.3g} GB of memory"


def _started(module: str, memory_gb: float) -> subprocess.Popen[bytes]:
    """A process at the solver's door. It hears no Ctrl-C: its group is its own. Raises NoSolver."""
    python = sys.executable or "python"
    try:
        return subprocess.Popen(
            [python, "-P", str(Path(entry.__file__)), module, repr(memory_gb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": _import_path()},
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        mend = f". Mend: {MENDS[error.errno]}" if error.errno in MENDS else ""
        raise NoSolver(f"its process could not be started, {python}: {error.strerror}{mend}") from None


def _fit(module: str, hello: Event) -> str:
    """The version of a solver that may be used. Raises NoSolver for one that cannot be loaded, or is known to err."""
    if hello["missing"]:
        raise NoSolver(f"{_name(module)} cannot be loaded ({hello['missing']}){_install(module)}")
    if hello["unfit"]:
        raise NoSolver(f"{hello['unfit']}{_install(module)}")
    return str(hello["version"])


def _stumbles(module: str, how: str, complaint: str) -> str:
    return f"the process of {_name(module)} {how} ({complaint}){_install(module)}"


def _name(module: str) -> str:
    return SOLVERS[module][0] if module in SOLVERS else module


def _install(module: str) -> str:
    return f'. Mend: pip install --force-reinstall "{SOLVERS[module][1]}"' if module in SOLVERS else ""


def _open(stream: IO[bytes] | None) -> IO[bytes]:
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


def physical_memory_gb() -> float:
    """Memory of this machine; 8 where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return 8.0
