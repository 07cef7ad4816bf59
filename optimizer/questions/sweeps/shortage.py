"""Programs in which money may be missing: what would have to be found, quarter by quarter, for the rest to hold."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from optimizer.ground.quarters import Quarter
from optimizer.questions.sweeps.altered import NewColumn, NewRow, maximising, with_columns, with_rows
from optimizer.questions.sweeps.family import Compiled
from optimizer.solver.program import Floats

LIQUIDITY = ("minimum_liquidity", "cash_never_negative", "minimum_cash_of_a_facility", "owed_at_the_end")
"""Rules that a want of money breaks, the quarter being the last but one of their index."""
MISSING = "missing"
ROOM_MUSD = 1e-6
"""How much more than the least may be missing, so that the least is not missed by a rounding."""


def elastic(compiled: Compiled) -> Compiled:
    """The program with a column for each quarter, $M: what its rules of liquidity may be short of there."""
    rows: dict[Quarter, dict[int, float]] = defaultdict(dict)
    most: dict[Quarter, float] = defaultdict(float)
    lowest, highest = _activities(compiled)
    p = compiled.program
    for i, (rule, index) in enumerate(compiled.rows):
        if rule in LIQUIDITY:
            t = index[-2]
            above = bool(np.isfinite(p.row_upper[i]))
            rows[t][i] = -1.0 if above else 1.0
            short = highest[i] - p.row_upper[i] if above else p.row_lower[i] - lowest[i]
            most[t] = max(most[t], float(short))
    columns = [NewColumn((MISSING, (t,)), max(0.0, most[t]), terms=rows[t]) for t in sorted(rows)]
    return with_columns(compiled, columns)


def least_missing(compiled: Compiled) -> Compiled:
    """Of an elastic program: the least that can be missing, all quarters together; its value is minus that, $M."""
    return maximising(compiled, dict.fromkeys(map(int, compiled.where(MISSING)), -1.0))


def missing_no_more(compiled: Compiled, musd: float) -> Compiled:
    """Of an elastic program: no more is missing, all quarters together, than so much, $M."""
    terms = dict.fromkeys(map(int, compiled.where(MISSING)), 1.0)
    return with_rows(compiled, [NewRow(("missing_in_all", (None,)), terms, high=musd + ROOM_MUSD)])


def missing_in(compiled: Compiled, vector: Floats) -> dict[Quarter, float]:
    """What is missing in each quarter of an answer, $M."""
    return {compiled.columns[i][1][0]: float(vector[i]) for i in compiled.where(MISSING) if vector[i] > 10 * ROOM_MUSD}


def _activities(compiled: Compiled) -> tuple[Floats, Floats]:
    """The least and the most that each row can come to."""
    p = compiled.program
    by_rows = compiled.matrix.tocsr()
    positive, negative = by_rows.maximum(0), by_rows.minimum(0)
    return positive @ p.lower + negative @ p.upper, positive @ p.upper + negative @ p.lower
