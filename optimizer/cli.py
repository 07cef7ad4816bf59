"""The command line from outside: a run of it, with a sentence and an exit code for everything that can go wrong.

What is asked first is answered at once: the page of `--help` lies written (docs/generate.py), and nothing is imported
to print it. Heavy imports stay inside the commands.
"""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path
from typing import Any, NoReturn

from optimizer.commands.exits import EXIT_FILES, EXIT_INPUT, fail

HELP = Path(__file__).with_name("help.txt")


def run() -> None:
    """Run the command line; every error of the program becomes its sentence and its exit code."""
    from optimizer.ground.errors import OptimizerError
    from optimizer.ground.findings import InputError

    _ready_streams()
    try:
        _tell_help() if sys.argv[1:] == ["--help"] else _command()
    except InputError as error:
        fail(f"{error.report()}\n{_count(error.findings)}", EXIT_INPUT)
    except OptimizerError as error:
        fail(f"{error}{_kept(error)}", error.exit_code)
    except OSError as error:
        fail(_refused(error), EXIT_FILES)


def _refused(error: OSError) -> str:
    """What the system refused that nobody below has told of: a file that it names, the output, or neither."""
    why = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {why}."
    if not _output_fails(error):
        return f"The system refuses what this takes: {why}."
    sys.stdout = None
    return f"The output cannot be written: {why}."


def _output_fails(error: OSError) -> bool:
    """Whether it is standard output that fails: nothing else here breaks a pipe, and what waits in it fails again."""
    if isinstance(error, BrokenPipeError) or error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
        return True
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        return True
    return False


def _tell_help() -> NoReturn:
    print(HELP.read_text(encoding="utf-8"), end="", flush=True)
    sys.exit(0)


def _command() -> None:
    from optimizer.commands.root import app

    app()
    sys.stdout.flush()


def _ready_streams() -> None:
    """Signs that a terminal or a file cannot show become question marks; a closed stream swallows what it is given."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _kept(error: Any) -> str:
    """Where the evidence of a refused answer lies, for a bug report."""
    evidence = getattr(error, "evidence", None)
    return f"\nModel, vector and log are kept in {evidence} for a bug report." if evidence else ""


def _count(findings: tuple[Any, ...]) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    return f"{errors} {'problem' if errors == 1 else 'problems'} to mend; nothing was solved."
