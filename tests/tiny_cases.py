"""Random problems that are small enough to solve by the thousand: cases to enumerate, and bare programs.

A tiny case is a small case (`small_cases`, with all its features) of so few combinations of starts and signings that
trying them all takes milliseconds. A bare program has the shape of the model, but not its care: columns without upper
bounds, and now and then a minimum for what nothing forces to be built. It is there to catch a solver, not the model.
"""

from __future__ import annotations

import random
from functools import lru_cache
from itertools import count, islice
from math import inf

import numpy as np
import oracle
from other_solvers import Matrices
from scipy.sparse import csr_array
from small_cases import Draw, in_need_of_money, start_patterns

from optimizer.case.case import Case

FEWEST_COMBINATIONS = 2
MOST_COMBINATIONS = 30
MOST_START_PATTERNS = 40


@lru_cache(1_000)
def tiny_case(seed: int, scenario: str = "base") -> Case:
    """A random case of 2 to 30 combinations; the same seed always gives the same case."""
    for attempt in count():
        rng = random.Random(f"tiny case {seed}, attempt {attempt}")
        case = Draw(rng).case()
        if start_patterns(case) > MOST_START_PATTERNS:
            continue
        tried = sum(1 for _ in islice(oracle.combinations(case), MOST_COMBINATIONS + 1))
        if FEWEST_COMBINATIONS <= tried <= MOST_COMBINATIONS:
            return in_need_of_money(case, scenario, rng)
    raise AssertionError("unreachable")


def wide_case(seed: int, scenario: str = "base") -> Case:
    """A random case of any number of combinations: harder to search, and too many to try them all."""
    rng = random.Random(f"wide case {seed}")
    return in_need_of_money(Draw(rng).case(), scenario, rng)


class Bare:
    """A bare program in the making, row by row."""

    def __init__(self) -> None:
        self.columns: list[tuple[float, float, float, bool]] = []
        self.rows: list[tuple[float, dict[int, float], float]] = []

    def column(self, high: float, worth: float, *, whole: bool) -> int:
        self.columns.append((0.0, high, worth, whole))
        return len(self.columns) - 1

    def at_most(self, terms: dict[int, float], most: float) -> None:
        self.rows.append((-inf, terms, most))

    def at_least(self, least: float, terms: dict[int, float]) -> None:
        self.rows.append((least, terms, inf))

    def matrices(self) -> Matrices:
        low, high, cost, whole = (np.array(column) for column in zip(*self.columns, strict=True))
        cells = [(i, j, value) for i, (_, terms, _) in enumerate(self.rows) for j, value in terms.items()]
        i, j, values = (np.array(part) for part in zip(*cells, strict=True))
        rows = csr_array((values.astype(float), (i, j)), shape=(len(self.rows), len(self.columns)))
        row_low, row_high = np.array([r[0] for r in self.rows]), np.array([r[2] for r in self.rows])
        return Matrices(0.0, cost.astype(float), low, high, whole.astype(bool), rows, row_low, row_high)


def bare_program(seed: int) -> Matrices:
    """Blocks and megawatts sold, by site and quarter: big-M links, minimum sizes, one budget, one exclusive group."""
    rng, bare = random.Random(f"bare program {seed}"), Bare()
    bounded = rng.random() < 0.5
    costs: dict[int, float] = {}
    signed: list[int] = []
    for _ in range(rng.randint(1, 3)):
        block, room = rng.choice([1, 2, 2.5, 3, 4, 4.5]), rng.randint(1, 4)
        built: dict[int, float] = {}
        for _ in range(rng.randint(1, 3)):
            started = bare.column(room, -rng.choice([0, 1, 2, 3, 5]), whole=True)
            deal = bare.column(1, -rng.choice([0, 1, 3, 7]), whole=True)
            sold = bare.column(block * room if bounded else inf, rng.choice([1, 1.5, 2, 3, 5]), whole=False)
            costs[started] = rng.randint(1, 6)
            signed.append(deal)
            built[started] = -block
            bare.at_most({sold: 1.0, deal: -block * room}, 0.0)
            bare.at_most({sold: 1.0, **built}, 0.0)
            if rng.random() < 0.4:
                bare.at_most({deal: rng.choice([0.5, 1.0, 1.5, 2.0]), sold: -1.0}, 0.0)
            if rng.random() < 0.3:
                bare.at_least(rng.choice([0.5, 1.5, 4.5]), {sold: 1.0, started: 1.0})
    bare.at_most(costs, rng.choice([4, 6.5, 9, 12]))
    if rng.random() < 0.7:
        bare.at_most(dict.fromkeys(rng.sample(signed, rng.randint(1, len(signed))), 1.0), 1.0)
    return bare.matrices()
