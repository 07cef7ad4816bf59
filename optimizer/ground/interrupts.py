"""Ctrl-C and SIGTERM: at once while there is nothing to keep; then in good order, keeping the best plan."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from optimizer.ground.errors import PlanError

EXIT_INTERRUPTED = 130
SHOW_CURSOR = "\x1b[?25h"

_asked = threading.Event()
_holding = threading.Event()
_watching = False
_workspaces: set[Path] = set()
_farewells: list[str] = []
_written: list[Path] = []


def _raise() -> NoReturn:
    raise KeyboardInterrupt


_quit: Callable[[], NoReturn] = _raise


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder for a while, gone afterwards even if the process is left by a signal. Raises PlanError for none."""
    import tempfile  # `--help` does without

    try:
        folder = tempfile.TemporaryDirectory(prefix="optimizer-")
    except OSError as error:
        why = f"There is no folder for files that are needed for a while ({error.strerror})"
        raise PlanError(f"{why}. Mend: name one that can be written in TMPDIR.") from None
    with folder as name:
        _workspaces.add(Path(name))
        try:
            yield Path(name)
        finally:
            _workspaces.discard(Path(name))


@contextmanager
def stoppable(quit_now: Callable[[], NoReturn] | None = None) -> Iterator[Callable[[], bool]]:
    """While it lasts, and once there is something to keep, the first signal only makes the given function true.

    Before `hold` is called, and at the second signal, `quit_now` is called: KeyboardInterrupt unless given. Used inside
    another, it shares the other's answer. Outside the main thread signals are left alone.
    """
    global _watching, _quit
    if _watching or threading.current_thread() is not threading.main_thread():
        yield _asked.is_set if _watching else lambda: False
        return

    def ask(*_: object) -> None:
        if _asked.is_set() or not _holding.is_set():
            give_up()
        _asked.set()

    before = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    _watching, _quit = True, quit_now or _raise
    try:
        yield _asked.is_set
    finally:
        _watching, _quit = False, _raise
        _asked.clear()
        _holding.clear()
        _written.clear()
        for name, handler in before.items():
            signal.signal(name, handler)


def hold() -> None:
    """From here on, until the outermost `stoppable` ends, a first signal is kept and not raised."""
    _holding.set()


def let_go() -> None:
    """There is nothing to keep any more: a signal that was kept so far ends the work now, the next one at once."""
    _holding.clear()
    if _asked.is_set():
        give_up()


@contextmanager
def nothing_to_keep() -> Iterator[None]:
    """A solve inside holds its best plan for nobody: a signal that came meanwhile ends the work after it."""
    try:
        yield
    finally:
        let_go()


def give_up() -> NoReturn:
    """End work that was found to be interrupted, as the signal itself would have ended it, which is heeded thereby."""
    _holding.clear()
    _asked.clear()
    _quit()


def obey_parent() -> None:
    """A process that works for another one heeds no Ctrl-C, which reaches all of a terminal: the other one ends it."""
    global _watching
    _watching = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def told_when_left(words: str) -> Iterator[None]:
    """While it lasts, what `leave` says: work that keeps what it has done says where."""
    _farewells.append(words)
    try:
        yield
    finally:
        _farewells.pop()


def now_written(path: Path) -> None:
    """What stands on the disk from here on, so that `leave` does not say that nothing was written."""
    if _watching and path not in _written:
        _written.append(path)


def _farewell() -> str:
    written = ", ".join(map(str, _written))
    plain = f"Interrupted. Written before: {written}." if written else "Interrupted; nothing was written."
    return _farewells[-1] if _farewells else plain


def leave() -> NoReturn:
    """End this process with a sentence. An exception would not do: libraries swallow some that come while they load."""
    cursor = SHOW_CURSOR if sys.stderr.isatty() else ""
    for folder in _workspaces:
        shutil.rmtree(folder, ignore_errors=True)
    os.write(2, f"{cursor}\n{_farewell()}\n".encode(errors="replace"))
    os._exit(EXIT_INTERRUPTED)
