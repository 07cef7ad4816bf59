"""The command `optimizer`, also as `python -m optimizer`: signals are heeded before anything heavy is imported."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress

from optimizer.ground.interrupts import leave, stoppable


def main() -> None:
    gc.set_threshold(100_000)  # next to nothing of what loading makes is garbage
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no sum here is long enough for more, and threads cost a start
    with suppress(ValueError):  # outside the main thread
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what `stoppable` puts back once all is done
    with stoppable(leave):
        from optimizer.cli import run

        run()


if __name__ == "__main__":
    main()
