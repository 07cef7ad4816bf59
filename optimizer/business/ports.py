"""Ports: all that a use of power shows to the rest of the model.

A use takes megawatts and returns dollars. It writes the megawatts into stocks (steps up and down, by quarter) and the
dollars into streams (what one unit of a decision pays from a quarter on, past the horizon if a contract runs on). The
master model balances the stocks and the treasury and knows nothing else about a use.

Ports are of two kinds. What here-and-now decisions show is shared by every future; what a future makes of them, the
same decision paying differently in each, is an outcome.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pyomo.core.expr.numeric_expr import LinearExpression

from optimizer.business.lines import LINES, discount_factor, rate_of_line
from optimizer.case.case import Case
from optimizer.ground.errors import HouseFault
from optimizer.ground.quarters import Quarter

NEGLIGIBLE = 1e-9
"""Coefficients below this are left out; the solver would drop them silently."""

Amounts = npt.NDArray[np.float64]
"""$M by quarter."""

LONGEST_VIEW = 60 + 120 + 600 + 1
"""Quarters from the start of the longest horizon to the end of the longest contract signed in it, extended."""


def power_price(case: Case, site: str) -> Price:
    """The energy price that a site pays."""
    return "power", case.site[site].tariff


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

Hall = tuple[str, str]
"""A site and a product: all halls there that serve it."""

Price = tuple[str, ...]
"""A price that moves by quarter, by kind and name: `("power", tariff)`, `("hashprice",)`, `("market", product)`, ..."""
PRICES = ("power", "hashprice", "machines", "btc", "market", "base_rate")
"""The kinds of prices that there are."""


READ_TOO_EARLY = (
    "A port was read before all had been written to it. A use stands behind those it reads in USES of "
    "business/uses/__init__.py."
)


class Linear:
    """A linear expression that grows term by term; terms that cancel are gone.

    Once another has taken it in, it grows no more: what came later would be missing there.
    """

    __slots__ = ("_taken", "_terms", "constant")

    def __init__(self, constant: float = 0.0):
        self._terms: dict[int, tuple[float, Any]] = {}
        self._taken = False
        self.constant = constant

    def add(self, coefficient: float, decision: Decision) -> Linear:
        if self._taken:
            raise HouseFault(READ_TOO_EARLY)
        if isinstance(decision, Step):
            return self.add(coefficient, decision.after).add(-coefficient, decision.before)
        if isinstance(decision, (int, float)):  # asked a million times in a study; a union takes twice as long
            self.constant += coefficient * decision
        else:
            sofar = self._terms.get(id(decision))
            total = coefficient if sofar is None else sofar[0] + coefficient
            self._terms[id(decision)] = (total, decision)
        return self

    def extend(self, other: Linear, factor: float = 1.0) -> Linear:
        """Take in another. Its terms are variables already, each once, so they are added in one go."""
        other._taken = True
        if self._taken and other._terms:
            raise HouseFault(READ_TOO_EARLY)
        mine = self._terms
        for key, (coefficient, decision) in other._terms.items():
            sofar = mine.get(key)
            more = factor * coefficient
            mine[key] = (more if sofar is None else sofar[0] + more, decision)
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
        return not any(abs(c) > NEGLIGIBLE for c, _ in self._terms.values())

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

    `amounts[i]` is $M per unit in quarter `first + i`: positive received, negative paid. `follows` names the price that
    the amounts are a multiple of, quarter by quarter; none where no market moves them.
    """

    line: str
    business: str
    site: str
    source: str
    decision: Decision
    first: Quarter
    amounts: Amounts
    follows: Price | None = None


@dataclass(frozen=True, slots=True)
class Rise:
    """A step of a stock: `coefficient x decision` more from `quarter` on. A delay of `option` moves it."""

    quarter: Quarter
    coefficient: float
    decision: Decision
    option: str = ""


class Stock:
    """Megawatts or blocks that steps raise and lower, held by key and quarter."""

    def __init__(self, case: Case):
        self._case = case
        self._rises: dict[Hashable, list[Rise]] = {}
        self._levels: dict[Hashable, dict[Quarter, Linear]] = {}

    @property
    def keys(self) -> list[Any]:
        return list(self._rises)

    def step(
        self, key: Hashable, quarter: Quarter, coefficient: float, decision: Decision, *, option: str = ""
    ) -> None:
        """Raise the stock of `key` by `coefficient x decision` from `quarter` on, or from the horizon's start.

        `option` is the conversion whose delay would delay this step.
        """
        if key in self._levels:
            raise HouseFault(READ_TOO_EARLY)
        self._rises.setdefault(key, []).append(Rise(quarter, coefficient, decision, option))

    def level(self, key: Hashable, quarter: Quarter) -> Linear:
        """The stock of `key` in a quarter: all its steps so far."""
        levels = self._levels.setdefault(key, {})
        if quarter not in levels:
            first, steps = self._case.first, self._steps(key)
            level = Linear()
            for t in range(first, max(self._case.last, quarter) + 1):
                if t in steps:
                    level = Linear().extend(level).extend(steps[Quarter(t)])
                levels[Quarter(t)] = level
        return levels[quarter]

    def _steps(self, key: Hashable) -> dict[Quarter, Linear]:
        steps: dict[Quarter, Linear] = {}
        for rise in self._rises.get(key, ()):
            at = max(rise.quarter, self._case.first)
            steps.setdefault(at, Linear()).add(rise.coefficient, rise.decision)
        return steps

    def steps_after_horizon(self, key: Hashable) -> list[Quarter]:
        """Quarters past the horizon in which the stock of `key` changes."""
        return sorted({rise.quarter for rise in self._rises.get(key, ()) if rise.quarter > self._case.last})

    def delayed(self, quarters: Mapping[str, int]) -> Stock:
        """The same stock where the halls of some options come so many quarters later."""
        later = Stock(self._case)
        for key, rises in self._rises.items():
            for rise in rises:
                at = rise.quarter + quarters.get(rise.option, 0)
                later.step(key, at, rise.coefficient, rise.decision, option=rise.option)
        return later


class Streams:
    """Streams of dollars, and what they come to."""

    def __init__(self, case: Case):
        self.case = case
        self.streams: list[Stream] = []

    def pay(
        self, line: str, business: str, site: str, source: str, decision: Decision, first: Quarter,
        amounts: Sequence[float] | Amounts, follows: Price | None = None,
    ) -> None:  # fmt: skip
        """Let one unit of `decision` pay `amounts` ($M, + received) on a line from quarter `first` on.

        What falls before the horizon is sunk and left out.
        """
        _refuse_unknown(line, follows)
        sunk = max(0, self.case.first - first)
        flows = np.asarray(amounts, dtype=float)[sunk:]
        if flows.any():
            self.streams.append(Stream(line, business, site, source, decision, first + sunk, flows, follows))

    def present_value(self, stream: Stream) -> float:
        return float(stream.amounts @ self.discounts(stream))

    def discounts(self, stream: Stream) -> Amounts:
        """Discount factors of a stream's quarters."""
        offset = stream.first - self.case.first
        rate = rate_of_line(self.case, stream.line, stream.business)
        return _discount_table(rate, LINES[stream.line].at_start)[offset : offset + len(stream.amounts)]

    def stand_free(
        self, product: str, site: str, source: str, decision: Decision, steps: Iterable[tuple[Quarter, float]]
    ) -> None:
        """Let a unit of `decision` free so many IT MW of a product from quarters on: each step is worth its residual.

        What stands free at the horizon's end is worth the residual of that day, whenever it came; each later step that
        of its own first day.
        """
        end, free = self.case.last + 1, defaultdict[Quarter, float](float)
        for quarter, it_mw in steps:
            free[max(quarter, end)] += it_mw
        for quarter, it_mw in free.items():
            musd = self.case.residual_musd_per_it_mw(product, quarter) * it_mw
            self.pay("residual", product, site, source, decision, quarter, [musd])

    def worth(self) -> Linear:
        """Discounted value of these streams, after the horizon too, $M."""
        value = Linear()
        for stream in self.streams:
            if LINES[stream.line].in_value:
                value.add(self.present_value(stream), stream.decision)
        return value


class SharedPorts(Streams):
    """What here-and-now decisions show, the same in every future: megawatts of machines and halls, and their dollars.

    With `decide` false the company takes no new decision: what it is committed to goes on, machines run or idle.
    With `adjustable` nothing is left out because of a price, so that the numbers of the model follow prices in
    straight lines and other prices need no other model.
    """

    def __init__(self, case: Case, scenarios: Sequence[str], *, decide: bool = True, adjustable: bool = False):
        super().__init__(case)
        self.scenarios, self.decide, self.adjustable = tuple(scenarios), decide, adjustable
        self.taken_gross_mw, self.usable_it_mw = Stock(case), Stock(case)
        self.service_gross_mw, self.service_it_mw = Stock(case), Stock(case)
        self.building_it_mw, self.building_blocks = Stock(case), Stock(case)
        self.installed_gross_mw: dict[tuple[str, Quarter], Linear] = defaultdict(Linear)


class OutcomePorts(Streams):
    """What one future makes of the decisions: megawatts signed and sold, rent, BTC, and dollars.

    Its sums of dollars hold the shared streams too: they flow in every future.
    """

    def __init__(self, shared: SharedPorts, scenario: str):
        super().__init__(shared.case)
        self.shared, self.scenario = shared, scenario
        self.signed_it_mw = Stock(shared.case)
        self.market_it_mw: dict[tuple[str, str, Quarter], Linear] = defaultdict(Linear)
        self.rent: dict[tuple[str, Quarter], Linear] = defaultdict(Linear)
        self.market_rent: dict[Quarter, Linear] = defaultdict(Linear)
        self.btc_mined: dict[Quarter, Linear] = defaultdict(Linear)
        self.metered_gross_mw: dict[tuple[str, Quarter], Linear] = defaultdict(Linear)
        """Demand of AI load at sites whose ratchet remembers it."""

    def meter(
        self, site: str, product: str, decision: Decision, first: Quarter, it_mw: Sequence[float] | Amounts
    ) -> None:
        """Let one unit of `decision` draw so many IT MW from quarter `first` on, measured at the site's meter."""
        if site not in self.case.ratchet:
            return
        for i, mw in enumerate(it_mw):
            self.metered_gross_mw[site, first + i].add(self.case.pue[site, product] * float(mw), decision)

    @property
    def halls(self) -> list[tuple[str, str]]:
        """Sites and products with capacity or contracts."""
        return list(dict.fromkeys([*self.shared.usable_it_mw.keys, *self.signed_it_mw.keys]))

    @property
    def all_streams(self) -> list[Stream]:
        """Every dollar of this future: that of the shared decisions, and its own."""
        return [*self.shared.streams, *self.streams]

    def cash(self) -> dict[Quarter, Linear]:
        """Net cash of each quarter of the horizon, $M."""
        return self._by_quarter(self._merged(s for s in self.all_streams if LINES[s.line].in_cash))

    def flow(self, lines: Sequence[str]) -> dict[Quarter, Linear]:
        """What some lines pay in each quarter of the horizon, $M."""
        return self._by_quarter(self._merged(s for s in self.all_streams if s.line in lines))

    def flow_by_hall(self, lines: Sequence[str]) -> dict[Hall, dict[Quarter, Linear]]:
        """What some lines pay in each quarter of the horizon at each site for each product, $M."""
        streams: dict[Hall, list[Stream]] = defaultdict(list)
        for stream in self.all_streams:
            if stream.line in lines:
                streams[stream.site, stream.business].append(stream)
        return {hall: self._by_quarter(self._merged(paid)) for hall, paid in streams.items()}

    def worth_at_the_end(self, lines: Sequence[str], rate: float) -> Linear:
        """What some lines still pay after the horizon, worth at a yearly rate on the day after it, $M."""
        worth, end = Linear(), self.case.last + 1
        for stream in self.all_streams:
            late = stream.amounts[max(0, end - stream.first) :]
            if stream.line in lines and late.any():
                begins = max(stream.first, end) - end
                factors = _discount_table(rate, LINES[stream.line].at_start)[begins : begins + len(late)]
                worth.add(float(late @ factors), stream.decision)
        return worth

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


def _refuse_unknown(line: str, follows: Price | None) -> None:
    """A line or a price that nobody knows would be left out of cash, value or a future's prices."""
    if line not in LINES:
        raise HouseFault(f"Nothing is paid on the line {line!r} before it stands in LINES of business/lines.py.")
    if follows is not None and follows[0] not in PRICES:
        raise HouseFault(f"No amount follows the price {follows} before {follows[0]!r} stands in PRICES of ports.py.")


@cache
def _discount_table(rate: float, at_start: bool) -> Amounts:
    return np.array([discount_factor(rate, i, at_start=at_start) for i in range(LONGEST_VIEW)])


def _overlay(total: Amounts, stream: Stream, first: Quarter) -> None:
    offset = stream.first - first
    begin, end = max(0, offset), min(len(total), offset + len(stream.amounts))
    if begin < end:
        total[begin:end] += stream.amounts[begin - offset : end - offset]
