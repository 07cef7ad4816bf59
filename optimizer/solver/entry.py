"""The solver's end of its process, run by its path: `python -P entry.py MODULE MEMORY_GB`.

The two channels to whoever started it are moved out of reach before any library is imported. Whatever is printed from
then on, by Python or by C, at import or later, goes to standard error; who reads standard input finds it empty. What
was printed even earlier (by a start-up file of the interpreter) carries no MARK and is passed over by the other end.
Nothing but the standard library is imported here, and no more of it than is needed.

A solver's module has `version()`, `unfit(live)` (why it must not be used, None if it may; `live` is called between its
tests) and `carry_out(job, tell, stop)`.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

Event = dict[str, Any]
Tell = Callable[[Event], None]
Live = Callable[[], None]

MARK = b"\x1eoptimizer "
"""What every event begins with, on a line of its own."""
BEAT_S = 0.5
"""How often a process tells, until it is ready, how far it is."""


def main() -> None:
    """Be a solver's process: load the module, say how it is, take jobs until there are no more.

    Ctrl-C is the business of whoever started it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = _channels()
    tell = _teller(outgoing)
    solver, hello = _ready(sys.argv[1], tell)
    _cap_memory(float(sys.argv[2]))
    jobs: queue.Queue[Event | None] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(incoming, jobs, stop), daemon=True).start()
    tell(hello)
    while (job := jobs.get()) is not None:
        try:
            tell({"event": "done"} | solver.carry_out(job, tell, stop))
        except MemoryError:
            tell({"event": "done", "out_of_memory": True})


def _channels() -> tuple[int, int]:
    """Copies of standard input and output that nothing else knows; the originals lead nowhere and to standard error."""
    channels = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return channels


def _teller(channel: int) -> Tell:
    """A function that sends an event, from any thread, whole."""
    stream, one_at_a_time = os.fdopen(channel, "wb"), threading.Lock()

    def tell(event: Event) -> None:
        with one_at_a_time:
            stream.write(b"\n" + MARK + json.dumps(event).encode() + b"\n")
            stream.flush()

    return tell


def _ready(module: str, tell: Tell) -> tuple[Any, Event]:
    """The solver's module, and what there is to say of it; whatever it raises is a reason not to use it."""
    hello: Event = {"event": "ready", "version": "", "unfit": None, "missing": None}
    with _beating(tell) as live:
        try:
            solver = import_module(module)
            return solver, hello | {"version": solver.version(), "unfit": solver.unfit(live)}
        except (Exception, SystemExit) as error:
            return None, hello | {"missing": f"{type(error).__name__}: {error}"}


@contextmanager
def _beating(tell: Tell) -> Iterator[Live]:
    """While it lasts, tell twice a second how far the start is: a number that grows unless something hangs."""
    tested, over = 0, threading.Event()

    def live() -> None:
        nonlocal tested
        tested += 1

    def beat() -> None:
        while not over.wait(BEAT_S):
            tell({"event": "starting", "so_far": len(sys.modules) + tested})

    heart = threading.Thread(target=beat, daemon=True)
    tell({"event": "starting", "so_far": 0})
    heart.start()
    try:
        yield live
    finally:
        over.set()
        heart.join()


def _listen(channel: int, jobs: queue.Queue[Event | None], stop: threading.Event) -> None:
    with os.fdopen(channel, "rb") as lines:
        for line in lines:
            if line.strip() == b"stop":
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


if __name__ == "__main__":
    main()
