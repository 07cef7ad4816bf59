"""How far apart plans are in what they decide, in MW, and the program that looks for the plan farthest from others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.case.case import Case
from optimizer.case.terms.size_tiers import tiers_of
from optimizer.questions.sweeps.altered import NewColumn, NewRow, maximising, with_columns, with_rows
from optimizer.questions.sweeps.family import Compiled
from optimizer.solver.program import Floats

SAME_MW = 1e-6
METRICS = {
    "site": "gross MW of each product at each site",
    "product": "gross MW of each product",
    "customer": "IT MW signed with each customer",
    "everything": "gross MW by site, product and year of the start, and IT MW signed with each customer",
}
"""What plans are told apart by; a distance is the sum over all of these of what differs, in MW."""


@dataclass(frozen=True)
class Amount:
    """MW that a plan decides on something: coefficients of columns by their place, and what it may be at all."""

    terms: Mapping[int, float]
    low: float
    high: float
    weight: float = 1.0

    def of(self, vector: Floats) -> float:
        return float(sum(coefficient * vector[i] for i, coefficient in self.terms.items()))


def amounts(case: Case, compiled: Compiled, metric: str) -> list[Amount]:
    """What a metric of `METRICS` counts."""
    ways: dict[str, Callable[[Case, Compiled], list[Amount]]] = {
        "site": lambda case, compiled: _converted(case, compiled, lambda o: (case.option[o].site, _product(case, o))),
        "product": lambda case, compiled: _converted(case, compiled, lambda o: _product(case, o)),
        "customer": _signed,
        "everything": lambda case, compiled: [*_started_by_year(case, compiled), *_signed(case, compiled)],
    }
    return [amount for amount in ways[metric](case, compiled) if amount.high - amount.low > SAME_MW]


def distance(counted: Sequence[Amount], a: Floats, b: Floats) -> float:
    """MW in which two vectors differ."""
    return sum(amount.weight * abs(amount.of(a) - amount.of(b)) for amount in counted)


def farthest(compiled: Compiled, counted: Sequence[Amount], found: Sequence[Floats]) -> Compiled:
    """The program whose best vector is as far as can be from the nearest of those found; its value is that distance.

    A distance is a sum of absolute differences. Where a plan found stands at an end of what can be, the difference has
    one direction; elsewhere a binary chooses it.
    """
    most = sum(amount.weight * (amount.high - amount.low) for amount in counted)
    columns, rows = [NewColumn(("distance", (None,)), most)], []
    reached = compiled.program.size[1]
    for p, vector in enumerate(found):
        least: dict[int, float] = {reached: 1.0}
        constant = 0.0
        for i, amount in enumerate(counted):
            at = amount.of(vector)
            up, down = amount.high - at, at - amount.low
            if min(up, down) <= SAME_MW:
                sign = 1.0 if down <= SAME_MW else -1.0
                for place, coefficient in amount.terms.items():
                    least[place] = least.get(place, 0.0) - sign * amount.weight * coefficient
                constant -= sign * amount.weight * at
                continue
            apart, above = reached + len(columns), reached + len(columns) + 1
            columns += [
                NewColumn(("apart", (p, i)), max(up, down)),
                NewColumn(("above", (p, i)), 1.0, whole=True),
            ]
            rows += _absolute((p, i), amount, at, apart, above)
            least[apart] = -amount.weight
        rows.append(NewRow(("no_farther_than", (p,)), least, high=constant))
    return maximising(with_rows(with_columns(compiled, columns), rows), {reached: 1.0})


def _absolute(key: tuple[int, int], amount: Amount, at: float, apart: int, above: int) -> list[NewRow]:
    """`apart` is no more than the amount lies above `at`, where `above` is 1, or below it, where that is 0."""
    up, down = 2 * (amount.high - at), 2 * (at - amount.low)
    over = {place: -coefficient for place, coefficient in amount.terms.items()}
    return [
        NewRow(("apart_above", key), {**over, apart: 1.0, above: down}, high=down - at),
        NewRow(("apart_below", key), {**amount.terms, apart: 1.0, above: -up}, high=at),
    ]


# ---- what is counted ----------------------------------------------------------------------------------------------


def last_states(compiled: Compiled, component: str) -> dict[tuple[Hashable, ...], int]:
    """Of states that only grow, the place of the last of each: key without its quarter -> column."""
    last: dict[tuple[Hashable, ...], tuple[int, int]] = {}
    for i in compiled.where(component):
        *key, t = compiled.columns[i][1]
        last[tuple(key)] = max(last.get(tuple(key), (0, 0)), (int(t), int(i)))
    return {key: i for key, (_, i) in last.items()}


def _product(case: Case, option: str) -> str:
    return case.option[option].product


def _converted(case: Case, compiled: Compiled, group: Callable[[str], Hashable]) -> list[Amount]:
    """Gross MW converted by the end, of the options of each group together."""
    groups: dict[Hashable, dict[int, float]] = defaultdict(dict)
    for (option,), i in last_states(compiled, "N").items():
        groups[group(str(option))][i] = case.option[str(option)].block_gross_mw
    return [_amount(compiled, terms) for terms in groups.values()]


def _started_by_year(case: Case, compiled: Compiled) -> list[Amount]:
    """Gross MW of each option started by the end of each year; all years together weigh as much as one amount."""
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for i in compiled.where("N"):
        option, t = compiled.columns[i][1]
        ends[option, t.year] = max(ends.get((option, t.year), (0, 0)), (int(t), int(i)))
    weight = 1 / max(1, len({year for _, year in ends}))
    return [_amount(compiled, {i: case.option[option].block_gross_mw}, weight) for (option, _), (_, i) in ends.items()]


def _signed(case: Case, compiled: Compiled) -> list[Amount]:
    """IT MW newly signed with each customer."""
    customers: dict[str, dict[int, float]] = defaultdict(dict)
    sizes = last_states(compiled, "Q")
    for key, i in last_states(compiled, "Y").items():
        offer = case.offer[str(key[0])]
        if key in sizes:
            customers[offer.customer][sizes[key]] = 1.0
        else:
            customers[offer.customer][i] = tiers_of(case, offer)[int(str(key[1]))][0]
    return [_amount(compiled, terms) for terms in customers.values()]


def _amount(compiled: Compiled, terms: Mapping[int, float], weight: float = 1.0) -> Amount:
    p = compiled.program
    ends: Iterable[tuple[float, float]] = ((c * p.lower[i], c * p.upper[i]) for i, c in terms.items())
    lows, highs = zip(*ends, strict=True)
    return Amount(terms, float(np.sum(lows)), float(np.sum(highs)), weight)
