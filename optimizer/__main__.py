"""The command `optimizer`, also as `python -m optimizer`: signals are heeded before anything heavy is imported."""

from __future__ import annotations

from optimizer.interrupts import leave, stoppable


def main() -> None:
    with stoppable(leave):
        from optimizer.cli import run

        run()


if __name__ == "__main__":
    main()
