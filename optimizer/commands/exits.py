"""How the program ends: its exit codes, and a word on the way out."""

from __future__ import annotations

import sys
from typing import NoReturn

EXIT_INPUT, EXIT_INFEASIBLE, EXIT_NOT_PROVEN, EXIT_REFUSED, EXIT_FILES, EXIT_INTERRUPTED = 2, 3, 5, 6, 7, 130


def fail(words: str, code: int) -> NoReturn:
    print(words, file=sys.stderr)
    sys.exit(code)
