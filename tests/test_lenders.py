"""Which sets of loans need a row of their own: no fewer than a flow of loans to halls asks for, and no more."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from optimizer.business.company.lenders import needed_sets, shared


@pytest.mark.parametrize("seed", range(60))
def test_what_loans_may_owe_together_is_what_can_flow_to_halls(seed: int) -> None:
    """Loans that hold some of four halls, against a program that gives each loan its part of each hall: balances pass
    the rows of the model exactly if there is such a way to split them.
    """
    rng = random.Random(seed)
    halls = {("site", f"hall {i}"): float(rng.randint(1, 9)) for i in range(4)}
    shares = {
        f"loan {i}": dict.fromkeys(rng.sample(list(halls), rng.randint(1, 4)), rng.choice([0.25, 0.4, 0.6, 0.85]))
        for i in range(rng.randint(2, 5))
    }
    for supersets_count in (True, False):
        rows = [*((f,) for f in shares), *needed_sets(shares, supersets_count=supersets_count)]
        for _ in range(25):
            owed = {f: rng.random() * 1.05 * sum(s * halls[g] for g, s in held.items()) for f, held in shares.items()}
            room = [
                sum(s * halls[g] for g, s in shared(shares, row).items()) - sum(owed[f] for f in row) for row in rows
            ]
            assert (min(room) >= 0) == _can_be_split(shares, halls, owed)


def _can_be_split(shares: dict[str, dict[Any, float]], halls: dict[Any, float], owed: dict[str, float]) -> bool:
    """Whether each loan can be given its balance on halls, within its share of each and each hall within its cost."""
    cells = [(f, g) for f, held in shares.items() for g in held]
    of_loans = np.array([[float(f == name) for f, _ in cells] for name in shares])
    of_halls = np.array([[float(g == name) for _, g in cells] for name in halls])
    split = linprog(
        np.zeros(len(cells)), A_ub=of_halls, b_ub=list(halls.values()), A_eq=of_loans, b_eq=list(owed.values()),
        bounds=[(0, shares[f][g] * halls[g]) for f, g in cells],
    )  # fmt: skip
    return bool(split.status == 0)


def test_only_sets_that_say_more_than_their_parts_have_a_row() -> None:
    """Two loans of 40% never reach a hall's cost, nor do loans of different halls; of three like loans of 60% the three
    say all that two do.
    """
    hall, other = ("north", "colo"), ("south", "colo")
    assert needed_sets({"a": {hall: 0.4}, "b": {hall: 0.4}}, supersets_count=True) == []
    assert needed_sets({"a": {hall: 0.8}, "b": {other: 0.8}}, supersets_count=True) == []
    like = {name: {hall: 0.6} for name in "abc"}
    assert needed_sets(like, supersets_count=True) == [("a", "b", "c")]
    assert needed_sets(like, supersets_count=False) == [*combinations("abc", 2), ("a", "b", "c")]
