"""The command `optimizer`, also as `python -m optimizer`: signals are heeded before anything heavy is imported."""

from __future__ import annotations

import signal
from contextlib import suppress

from optimizer.interrupts import leave, stoppable


def main() -> None:
    with suppress(ValueError):  # outside the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what `stoppable` puts back once all is done
    with stoppable(leave):
        from optimizer.cli import run

        run()


if __name__ == "__main__":
    main()
