"""Ports: all that a use of power shows to the rest of the model.

A use takes megawatts and returns dollars. It writes the megawatts into stocks (steps up and down, by quarter) and the
dollars into streams (what one unit of a decision pays from a quarter on, past the horizon if a contract runs on). The
master model balances the stocks and the treasury and knows nothing else about a use.

Here-and-now decisions carry no scenario. Streams do: the same decision pays differently in each future.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pyomo.core.expr.numeric_expr import LinearExpression

from optimizer.case import Case
from optimizer.lines import LINES, discount_factor, discount_rate
from optimizer.quarters import Quarter

NEGLIGIBLE = 1e-9
"""Coefficients below this are left out; the solver would drop them silently."""

Amounts = npt.NDArray[np.float64]
"""$M by quarter."""

LONGEST_VIEW = 60 + 120 + 600 + 1
"""Quarters from the start of the longest horizon to the end of the longest contract signed in it, extended."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens in one quarter, where the variables say what has happened so far: `after - before`.

    Either may be a number: the state before the first quarter in which anything can happen.
    """

    after: Any
    before: Any


def steps(states: Mapping[Any, Any]) -> dict[Any, Step]:
    """The step of each state since the quarter before; states are keyed by quarter last, and start from nothing."""
    known = dict(states.items())
    return {(*key, t): Step(state, known.get((*key, t - 1), 0)) for (*key, t), state in known.items()}


Decision = Any
"""A Pyomo variable, a Step between two of them, or a number where the decision was taken already."""


class Linear:
    """A linear expression that grows term by term; terms that cancel are gone."""

    __slots__ = ("_terms", "constant")

    def __init__(self, constant: float = 0.0):
        self._terms: dict[int, tuple[float, Any]] = {}
        self.constant = constant

    def add(self, coefficient: float, decision: Decision) -> Linear:
        if isinstance(decision, Step):
            return self.add(coefficient, decision.after).add(-coefficient, decision.before)
        if isinstance(decision, int | float):
            self.constant += coefficient * decision
        else:
            sofar = self._terms.get(id(decision))
            total = coefficient if sofar is None else sofar[0] + coefficient
            self._terms[id(decision)] = (total, decision)
        return self

    def extend(self, other: Linear, factor: float = 1.0) -> Linear:
        for coefficient, decision in other._terms.values():
            self.add(factor * coefficient, decision)
        self.constant += factor * other.constant
        return self

    @property
    def terms(self) -> list[tuple[float, Any]]:
        return [(c, x) for c, x in self._terms.values() if abs(c) > NEGLIGIBLE]

    @property
    def expression(self) -> Any:
        terms = self.terms
        return LinearExpression(
            linear_coefs=[float(c) for c, _ in terms],
            linear_vars=[x for _, x in terms],
            constant=float(self.constant),
        )

    @property
    def is_constant(self) -> bool:
        return not self.terms

    def range(self) -> tuple[float, float]:
        """Least and greatest value within the bounds of its decisions."""
        low = high = self.constant
        for c, x in self._terms.values():
            ends = (c * x.lb, c * x.ub)
            low, high = low + min(ends), high + max(ends)
        return low, high


@dataclass(frozen=True, slots=True)
class Stream:
    """Dollars that one unit of a decision returns, quarter by quarter.

    `amounts[i]` is $M per unit in quarter `first + i`: positive received, negative paid.
    """

    line: str
    business: str
    site: str
    source: str
    decision: Decision
    first: Quarter
    amounts: Amounts
    rate: float | None = None
    """Yearly discount rate where it is not the business line's own."""


class Stock:
    """Megawatts or blocks that steps raise and lower, held by key and quarter."""

    def __init__(self, case: Case):
        self._first, self._last = case.first, case.last
        self._steps: dict[Hashable, dict[Quarter, Linear]] = {}
        self._levels: dict[Hashable, dict[Quarter, Linear]] = {}

    @property
    def keys(self) -> list[Any]:
        return list(self._steps)

    def step(self, key: Hashable, quarter: Quarter, coefficient: float, decision: Decision) -> None:
        """Raise the stock of `key` by `coefficient x decision` from `quarter` on, or from the horizon's start."""
        steps = self._steps.setdefault(key, {}).setdefault(max(quarter, self._first), Linear())
        steps.add(coefficient, decision)
        self._levels.pop(key, None)

    def level(self, key: Hashable, quarter: Quarter) -> Linear:
        """The stock of `key` in a quarter: all its steps so far."""
        levels = self._levels.setdefault(key, {})
        if quarter not in levels:
            steps, last = self._steps.get(key, {}), max(self._last, quarter)
            level = Linear()
            for t in range(self._first, last + 1):
                if t in steps:
                    level = Linear().extend(level).extend(steps[Quarter(t)])
                levels[Quarter(t)] = level
        return levels[quarter]

    def steps_after_horizon(self, key: Hashable) -> list[Quarter]:
        """Quarters past the horizon in which the stock of `key` changes."""
        return sorted(t for t in self._steps.get(key, {}) if t > self._last)


@dataclass(eq=False)
class Ports:
    """Where the uses of power meet the master model, for one scenario.

    With `decide` false the company takes no new decision: what it is committed to goes on, machines run or idle.
    With `adjustable` nothing is left out because of a price, so that the numbers of the model follow prices in
    straight lines and other prices need no other model.
    """

    case: Case
    scenario: str
    decide: bool = True
    adjustable: bool = False
    taken_gross_mw: Stock = field(init=False)
    usable_it_mw: Stock = field(init=False)
    signed_it_mw: Stock = field(init=False)
    service_gross_mw: Stock = field(init=False)
    service_it_mw: Stock = field(init=False)
    building_it_mw: Stock = field(init=False)
    building_blocks: Stock = field(init=False)
    installed_gross_mw: dict[tuple[str, Quarter], Linear] = field(init=False)
    market_it_mw: dict[tuple[str, str, Quarter], Linear] = field(init=False)
    rent: dict[tuple[str, Quarter], Linear] = field(init=False)
    market_rent: dict[Quarter, Linear] = field(init=False)
    btc_mined: dict[Quarter, Linear] = field(init=False)
    streams: list[Stream] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in (
            "taken_gross_mw", "usable_it_mw", "signed_it_mw", "service_gross_mw", "service_it_mw",
            "building_it_mw", "building_blocks",
        ):  # fmt: skip
            setattr(self, name, Stock(self.case))
        self.installed_gross_mw = defaultdict(Linear)
        self.market_it_mw = defaultdict(Linear)
        self.rent = defaultdict(Linear)
        self.market_rent = defaultdict(Linear)
        self.btc_mined = defaultdict(Linear)

    @property
    def halls(self) -> list[tuple[str, str]]:
        """Sites and products with capacity or contracts."""
        return list(dict.fromkeys([*self.usable_it_mw.keys, *self.signed_it_mw.keys]))

    def pay(
        self, line: str, business: str, site: str, source: str, decision: Decision, first: Quarter,
        amounts: Sequence[float] | Amounts, rate: float | None = None,
    ) -> None:  # fmt: skip
        """Let one unit of `decision` pay `amounts` ($M, + received) on a line from quarter `first` on.

        What falls before the horizon is sunk and left out.
        """
        sunk = max(0, self.case.first - first)
        flows = np.asarray(amounts, dtype=float)[sunk:]
        if flows.any():
            self.streams.append(Stream(line, business, site, source, decision, first + sunk, flows, rate))

    def cash(self) -> dict[Quarter, Linear]:
        """Net cash of each quarter of the horizon, $M."""
        return self._by_quarter(self._merged(s for s in self.streams if LINES[s.line].in_cash))

    def flow(self, lines: Sequence[str], site: str | None = None) -> dict[Quarter, Linear]:
        """What some lines pay in each quarter of the horizon, at one site or everywhere, $M."""
        return self._by_quarter(
            self._merged(s for s in self.streams if s.line in lines and (site is None or s.site == site))
        )

    def _merged(self, streams: Iterable[Stream]) -> list[tuple[Decision, Amounts]]:
        merged: dict[int, tuple[Decision, Amounts]] = {}
        for stream in streams:
            _, total = merged.setdefault(id(stream.decision), (stream.decision, np.zeros(len(self.case.horizon))))
            _overlay(total, stream, self.case.first)
        return list(merged.values())

    def _by_quarter(self, merged: Iterable[tuple[Decision, Amounts]]) -> dict[Quarter, Linear]:
        flow = {t: Linear() for t in self.case.horizon}
        for decision, total in merged:
            for i in np.flatnonzero(total):
                flow[self.case.first + int(i)].add(float(total[i]), decision)
        return flow

    def value(self) -> Linear:
        """Discounted value of all streams, after the horizon too, $M."""
        value = Linear()
        for stream in self.streams:
            if LINES[stream.line].in_value:
                value.add(self.present_value(stream), stream.decision)
        return value

    def present_value(self, stream: Stream) -> float:
        return float(stream.amounts @ self.discounts(stream))

    def discounts(self, stream: Stream) -> Amounts:
        """Discount factors of a stream's quarters; a residual is dated at the horizon's end."""
        at_start = not LINES[stream.line].in_cash
        offset = stream.first - self.case.first
        rate = discount_rate(self.case, stream.business) if stream.rate is None else stream.rate
        return _discount_table(rate, at_start)[offset : offset + len(stream.amounts)]


@cache
def _discount_table(rate: float, at_start: bool) -> Amounts:
    return np.array([discount_factor(rate, i, at_start=at_start) for i in range(LONGEST_VIEW)])


def _overlay(total: Amounts, stream: Stream, first: Quarter) -> None:
    offset = stream.first - first
    begin, end = max(0, offset), min(len(total), offset + len(stream.amounts))
    if begin < end:
        total[begin:end] += stream.amounts[begin - offset : end - offset]
