"""Scripts without a main guard, which every worker process would run again: refused before the first one begins."""

from __future__ import annotations

import ast
import multiprocessing
import os
import sys
from pathlib import Path

from optimizer.ground.errors import WorkerLost

GUARDED_BY = ("__name__", "parent_process", "current_process")
"""Names by which a script finds out whether it is the one that was started."""
GUARD = 'if __name__ == "__main__":'


def refuse_unguarded_script() -> None:
    """Raises WorkerLost where the script that runs now spreads work over processes outside a main guard.

    A worker begins by importing that script. One that comes here while it does so ends without a word: the first
    process says what happened.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(1)
    script, line = _running_script()
    if script is None or _is_guarded(script, line):
        return
    raise WorkerLost(
        f"{script.name}, line {line}: every worker process would run this script again. Put what it does under "
        f"`{GUARD}`, and only imports and functions above it."
    )


def _running_script() -> tuple[Path | None, int]:
    """The script that was started, and its line outside all functions that runs now; none in a notebook or with -c."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            path = Path(frame.f_code.co_filename)
            return (path if path.is_file() else None), frame.f_lineno
    return None, 0


def _is_guarded(script: Path, line: int) -> bool:
    """Whether the statement at a line, or one before it, asks if this is the script that was started."""
    try:
        statements = ast.parse(script.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return True
    asked = [
        node.test for one in statements if one.lineno <= line for node in ast.walk(one) if isinstance(node, ast.If)
    ]
    return any(_name(node) in GUARDED_BY for test in asked for node in ast.walk(test))


def _name(node: ast.AST) -> str:
    return getattr(node, "id", "") or getattr(node, "attr", "")
