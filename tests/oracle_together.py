"""The best value of a small case in two futures at once, found by trying every start and every signing.

Each future keeps its own books, as in `oracle`; what is decided before they part (machines, sizes, GPU refreshes) is
the same number in both, and the mean of their values is sought.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from oracle import Common, combinations
from oracle_program import FIXED, Program, Terms

from optimizer.case.case import Case


def best_mean(case: Case, likely: Mapping[str, float]) -> float | None:
    """The highest mean value in $M over all combinations; None when none is feasible in every future."""
    futures = [Common(case, scenario, decide=True) for scenario in likely]
    best: float | None = None
    for starts, contracts in combinations(case):
        apart = [common.program(starts, contracts) for common in futures]
        found = joined(case, apart, list(likely.values())).best(-math.inf if best is None else best)
        if found is not None:
            best = found.value_musd
    return best


def joined(case: Case, apart: list[Program], probabilities: list[float]) -> Program:
    """Programs side by side, their values weighed, what is decided now tied."""
    whole = Program(case)
    first_now: list[int] = []
    for program, probability in zip(apart, probabilities, strict=True):
        begin = len(whole.low)
        for name in ("low", "high", "whole", "words"):
            getattr(whole, name).extend(getattr(program, name))
        whole.rows += [(_moved(terms, begin), low, high, word) for terms, low, high, word in program.rows]
        for column, musd in _moved(program.worth, begin).items():
            whole.worth[column] = whole.worth.get(column, 0.0) + probability * musd
        now = [begin + column for column in program.now]
        first_now = first_now or now
        if now != first_now:
            for a, b in zip(first_now, now, strict=True):
                whole.equal({a: 1.0, b: -1.0}, 0.0)
    return whole


def _moved(terms: Terms, by: int) -> dict[int, float]:
    """The same terms for columns that stand further on; in rows the constant is in the limits already."""
    return {column if column == FIXED else column + by: value for column, value in terms.items()}
