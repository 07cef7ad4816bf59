"""Small programs that releases of solvers have got wrong, each with its answer; who fails one is not used.

They are written after the descriptions of mended faults and of random ones that older releases still have; each is of
another kind. `docs/solvers.md` tells which release fails which; a test tries every whole number and every vertex.
What an installed solver has passed is remembered in the user's cache, so that a normal start pays for one small file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np

from optimizer.solver.program import Program

Row = tuple[float, Mapping[int, float], float]
Column = tuple[float, float, float, bool]
Solve = Callable[[Program, bool], float | str]
"""The best value of a program, or the word for why there is none; with presolve or without."""

NONE = "kInfeasible"
NEAR = 1e-4
"""How far a value may be from the right one, relative: solvers let rows be off by a millionth. No wrong one is near."""
WHOLE, PART = True, False


@dataclass(frozen=True)
class Canary:
    """Maximise the columns' worth; a column is its worth, least, most and whether it is whole.

    A row is its least, its coefficients by column, and its most. `answer` is what the best is worth, or NONE.
    """

    kind: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    answer: float | str

    def program(self) -> Program:
        """The same as matrices."""
        worth, low, high, whole = (np.array(part) for part in zip(*self.columns, strict=True))
        entries = [
            [(i, row[1][j]) for i, row in enumerate(self.rows) if row[1].get(j)] for j in range(len(self.columns))
        ]
        flat = [entry for column in entries for entry in column]
        return Program(
            cost=worth.astype(float), offset=np.zeros(1), lower=low.astype(float), upper=high.astype(float),
            row_lower=np.array([row[0] for row in self.rows], dtype=float),
            row_upper=np.array([row[2] for row in self.rows], dtype=float),
            starts=np.cumsum([0, *map(len, entries)]).astype(np.int32),
            indices=np.array([i for i, _ in flat], dtype=np.int32), entries=np.array([v for _, v in flat], dtype=float),
            integers=whole.astype(bool),
            row_names=np.array([f"r{i}" for i in range(len(self.rows))], dtype=np.str_),
            column_names=np.array([f"x{j}" for j in range(len(self.columns))], dtype=np.str_),
        )  # fmt: skip


def _least(*columns: Column) -> tuple[Column, ...]:
    """Columns with costs instead of worth."""
    return tuple((-cost, low, high, whole) for cost, low, high, whole in columns)


CANARIES = (
    Canary(
        "a cheap singleton beside a whole number",
        _least((2, 0, 30, PART), (7, 0, 9, WHOLE)),
        ((12.3, {0: 1, 1: 2}, inf),),
        -24.6,
    ),
    Canary(
        "a whole number beside a singleton with a floor",
        _least((5, 0, 15, WHOLE), (3, 6, 15, PART)),
        ((16.4, {0: 1, 1: 1}, inf),),
        -53.2,
    ),
    Canary(
        "a big-M row under a dear yes or no",
        _least((0, 0, 40, PART), (3, 0, 40, PART), (500, 0, 1, WHOLE)),
        ((24, {0: 1, 1: 1}, 24), (-inf, {0: 1, 2: -60}, 0)),
        -72.0,
    ),
    Canary(
        "big-M rows that exclude each other, with unlike losses",
        _least((0, 0, 1, WHOLE), (0, 0, 1, WHOLE), *[(0, 0, 90, PART)] * 2, (9, 0, 60, PART), (7, 0, 50, PART)),
        (
            (-inf, {2: 1, 0: -90}, 0), (-inf, {3: 1, 1: -90}, 0),
            (60, {2: 1, 4: 1}, 60), (50, {3: 1, 5: 1}, 50), (-inf, {0: 1, 1: 1}, 1),
        ),
        -350.0,
    ),
    Canary(
        "a distance that a whole number has to keep",
        _least((50, 0, 9, PART), (0.1, 0, 9, PART), (0, 0, 9, WHOLE)),
        ((5, {0: 1, 2: 1}, 5), (-inf, {2: 1, 1: -1}, 0), (0.7, {2: 1}, inf), (-inf, {2: 1}, 5)),
        -0.5,
    ),
    Canary(
        "an equation of a whole number and a part that may be negative",
        _least((1, 0, 4, PART), (3, -1, 1, PART), (8, 0, inf, WHOLE)),
        ((-inf, {0: 1, 1: 1}, 6), (10, {0: 1, 2: 1}, inf), (7, {1: -1, 2: 1}, 7)),
        -49.0,
    ),
    Canary(
        "an equation that makes a part whole",
        _least((0, 0, 6, WHOLE), (1, 0, 6, WHOLE), (0, 0, 6, PART), (0, 0, 9, WHOLE)),
        ((0, {1: 1, 2: -1}, inf), (0, {0: 1, 2: 1, 3: -1}, 0), (-inf, {2: 40, 3: 1}, 9)),
        0.0,
    ),
    Canary(
        "a row that binds nothing",
        ((2, 0, 4, WHOLE), (1, 0, 3.5, PART)),
        ((-inf, {0: 1, 1: 1}, inf), (-inf, {0: 2, 1: 1}, 7.2)),
        7.2,
    ),
    Canary(
        "an endless column under two rows",
        _least((-1, -inf, inf, PART), (1, -inf, inf, WHOLE)),
        ((0.3, {0: -1, 1: 1}, inf), (0.3, {0: 1, 1: 1}, inf)),
        -0.3,
    ),
    Canary(
        "rows of decimals that leave little room",
        ((-3, 0, 10, PART), (5, 0, 10, WHOLE), (-7, -20, 10, WHOLE)),
        (
            (197.6, {0: 4.4, 1: 1.0, 2: -10.9}, inf), (-180.5, {1: 0.1, 2: 10.5}, inf),
            (-inf, {0: -14.1, 1: 19.2}, 184.5), (-inf, {0: 10.5, 2: -1.3}, 30.0),
        ),
        167.404255,
    ),
    Canary(
        "an LP of ranges without a choice",
        ((7, -80, 40, PART), (-1, -50, 90, PART), (-3, -40, 90, PART), (0, -50, 90, PART)),
        (
            (-inf, {0: 2, 3: -7}, -60), (-60, {2: -4}, -30),
            (50, {0: -9, 2: 5}, 70), (-inf, {2: -2, 3: 8}, 50),
        ),
        24.444444,
    ),
    Canary(
        "an LP whose first corner has many names",
        _least((-0.75, 0, inf, PART), (20, 0, inf, PART), (-0.5, 0, inf, PART), (6, 0, inf, PART)),
        (
            (-inf, {0: 0.25, 1: -8, 2: -1, 3: 9}, 0), (-inf, {0: 0.5, 1: -12, 2: -0.5, 3: 3}, 0),
            (-inf, {2: 1}, 1),
        ),
        1.25,
    ),
    Canary(
        "an equation that only halves could keep",
        ((1, 0, 9, WHOLE), (1, 0, 9, WHOLE), (1, 0, 1, WHOLE)),
        ((7, {0: 2, 1: 2, 2: 2}, 7),),
        NONE,
    ),
    Canary(
        "an odd ring of pairs that exclude each other",
        ((1, 0, 1, WHOLE),) * 5,
        tuple((-inf, {i: 1, (i + 1) % 5: 1}, 1) for i in range(5)),
        2.0,
    ),
    Canary(
        "twins in each of which two do not fit together",
        ((3, 0, 1, WHOLE),) * 3 + ((2, 0, 1, WHOLE),) * 3,
        (*((-inf, {i: 5, i + 3: 4}, 7) for i in range(3)), (-inf, {0: 1, 1: 1, 2: 1}, 2)),
        8.0,
    ),
    Canary(
        "nothing left once bounds have met",
        ((4, 3, 3, WHOLE), (1, 0, 10, WHOLE), (-2, 0, 1, WHOLE)),
        ((-inf, {0: 2, 1: 3, 2: -4}, 13), (0, {1: 1, 2: -2}, inf)),
        14.0,
    ),
)  # fmt: skip
"""No program of a case has an endless column; the fault that some of these show is not one of endless columns alone."""


SPARED = {("HiGHS", "1.15.1"): "an equation that makes a part whole"}
"""What one release is known to get wrong and is used all the same: no program of a case has shown it, of 25,000 that
were compared with SCIP. `constraints.txt` installs a release that gets all right."""


def failure(solver: str, version: str, library: Path, solve: Solve, live: Callable[[], None]) -> str | None:
    """What an installed solver gets wrong, as a sentence; None where it passes, or passed when it was first tried."""
    record = _record(solver, version, library)
    if _remembered(record):
        return None
    for canary, presolve in ((canary, presolve) for canary in CANARIES for presolve in (True, False)):
        live()
        said = solve(canary.program(), presolve)
        if not _right(said, canary.answer) and SPARED.get((solver, version)) != canary.kind:
            how = "" if presolve else ", without presolve"
            return f"{solver} {version} says {_told(said)} where {_told(canary.answer)} is right ({canary.kind}{how})"
    _remember(record)
    return None


def _right(said: float | str, answer: float | str) -> bool:
    if isinstance(said, str) or isinstance(answer, str):
        return said == answer
    return abs(said - answer) <= NEAR * max(1.0, abs(answer))


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


# ---- what is remembered -----------------------------------------------------------------------------------------


def _record(solver: str, version: str, library: Path) -> str:
    """All that the outcome follows from: the solver's version, its file, and these programs."""
    file = library.stat()
    programs = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    known = {"solver": solver, "version": version, "library": str(library), "programs": programs}
    return json.dumps(known | {"bytes": file.st_size, "changed_ns": file.st_mtime_ns}, sort_keys=True)


def _file(record: str) -> Path:
    return cache_folder() / f"passed-{hashlib.sha256(record.encode()).hexdigest()[:24]}.json"


def _remembered(record: str) -> bool:
    """Whether this very record was left; a file that cannot be read, or says anything else, is no record."""
    try:
        return _file(record).read_bytes() == record.encode()
    except (OSError, RuntimeError):
        return False


def _remember(record: str) -> None:
    """Leave the record, whole or not at all. Where it cannot be left the programs are solved every time."""
    try:
        file = _file(record)
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(record.encode())
        fresh.replace(file)
    except (OSError, RuntimeError):
        return


def cache_folder() -> Path:
    """Where this user's programs keep what they can do without. Raises RuntimeError where there is no home."""
    name = "mw-allocation-optimizer"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / name
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / name
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / name
