"""The return of the AI programme: every yearly rate at which what it adds to doing nothing is worth nothing.

Flows that change sign more than once may have several such rates, however close, and then none of them is the return.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from optimizer.business.lines import VALUE_LINES
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.case import Case

LOWEST, HIGHEST = -0.9, 10.0
"""Yearly rates between which returns are looked for."""
A_DOLLAR = 1e-6
"""$M; a quarter in which the programme adds less adds nothing."""
NARROW = 1e-4
"""Width, in ln(1 + rate), of a piece that is not halved again where its worth cannot be told from nothing."""
ROUNDING = 1e-14
"""Share of all discounted flows that their sum may hide."""

Tables = Mapping[str, "pd.DataFrame"]
Turn = Literal["falls", "rises", "touches"]


@dataclass(frozen=True)
class Rate:
    """A yearly rate at which flows are worth nothing, and what their worth does there as the rate grows."""

    yearly: float
    turn: Turn


# ---- the programme's flows ----------------------------------------------------------------------------------


def value_flows(tables: Tables) -> pd.Series:
    """Undiscounted value flow of each quarter, within and after the horizon, $M, indexed by quarter.

    Residuals stand in the first quarter after the horizon.
    """
    import pandas as pd

    both = pd.concat([tables["cash_flow"], tables["after_horizon"]])
    counted = both[both["line"].isin(VALUE_LINES)]
    return counted.groupby("quarter")["musd"].sum().sort_index()


def programme_flows(case: Case, plan: Tables, nothing: Tables) -> pd.Series:
    """What the plan's value flows add to do-nothing's, quarter by quarter to the end of the last contract, $M."""
    difference = value_flows(plan).sub(value_flows(nothing), fill_value=0.0)
    if difference.empty:
        return difference
    last = Quarter.parse(str(difference.index.max()))
    quarters = [str(case.first + i) for i in range(last - case.first + 1)]
    return difference.reindex(quarters, fill_value=0.0)


def programme_rates(case: Case, plan: Tables, nothing: Tables) -> tuple[Rate, ...]:
    """Every rate at which the programme is worth nothing, flows taken mid-quarter and residuals on their first day."""
    flows = programme_flows(case, plan, nothing).to_numpy()
    left = _residual(plan) - _residual(nothing)
    musd = np.append(flows, left)
    if left:
        musd[len(case.horizon)] -= left
    years = np.append(np.arange(len(flows)) + 0.5, len(case.horizon)) / 4
    return rates(musd, years)


def _residual(tables: Tables) -> float:
    """What is left at the horizon's end, $M, dated at the first day after it."""
    after = tables["after_horizon"]
    return float(after[after["line"] == "residual"]["musd"].sum())


def the_return(found: tuple[Rate, ...]) -> float | None:
    """The yearly return: the only rate there is, if the worth falls through nothing there.

    Where it rises, money came first and its cost later: that rate is no return.
    """
    return found[0].yearly if len(found) == 1 and found[0].turn == "falls" else None


# ---- every rate ---------------------------------------------------------------------------------------------


def rates(musd: np.ndarray, years: np.ndarray) -> tuple[Rate, ...]:
    """Every rate between LOWEST and HIGHEST at which flows are worth nothing, lowest first.

    Intervals of ln(1 + rate) are halved until each holds no rate or, its worth being monotone there, at most one;
    what stays open is a rate at which the worth touches nothing, or rates too close to be told apart.
    """
    counted = np.abs(musd) >= A_DOLLAR
    worth = _Worth(musd[counted], years[counted])
    if worth.of_one_sign:
        return ()
    low, high = np.log1p(LOWEST), np.log1p(HIGHEST)
    pieces = _joined(_isolated(worth, low, high))
    return tuple(Rate(float(np.expm1(at)), turn) for at, turn in (worth.turn(*piece) for piece in pieces) if turn)


def _isolated(worth: _Worth, low: float, high: float) -> Iterator[tuple[float, float, bool]]:
    """Intervals that may hold a rate, in order: low end, high end, and whether the worth is monotone between."""
    waiting = [(low, high)]
    while waiting:
        low, high = waiting.pop()
        middle, half = (low + high) / 2, (high - low) / 2
        here, noise, slope, bend = worth.around(middle, half)
        if abs(here) > noise + abs(slope) * half + bend * half**2 / 2:
            continue
        monotone = abs(slope) > bend * half
        if monotone or (abs(here) <= noise and high - low < NARROW):
            yield low, high, monotone
        else:
            waiting += [(middle, high), (low, middle)]


def _joined(pieces: Iterator[tuple[float, float, bool]]) -> Iterator[tuple[float, float, bool]]:
    """Neighbours that stayed open are one piece."""
    last: tuple[float, float, bool] | None = None
    for low, high, monotone in pieces:
        if last is not None and not monotone and not last[2] and low == last[1]:
            last = (last[0], high, False)
            continue
        if last is not None:
            yield last
        last = (low, high, monotone)
    if last is not None:
        yield last


@dataclass(frozen=True)
class _Worth:
    """What flows of some years are worth on the first day, by ln(1 + rate)."""

    musd: np.ndarray
    years: np.ndarray

    @property
    def of_one_sign(self) -> bool:
        return bool((self.musd >= 0).all() or (self.musd <= 0).all())

    def gains(self, at: float) -> bool:
        return float(self.musd @ np.exp(-at * self.years)) >= 0

    def around(self, at: float, half: float) -> tuple[float, float, float, float]:
        """The worth, what of it may be rounding, its slope, and the most that its bend is within `half` of a place.

        It is dated at the middle of the flows, which moves no rate and keeps slope and bend small.
        """
        weights = self.musd * np.exp(-at * self.years)
        sizes = np.abs(weights)
        away = self.years - sizes @ self.years / sizes.sum()
        bend = sizes @ (away**2 * np.exp(half * np.abs(away)))
        return float(weights.sum()), ROUNDING * float(sizes.sum()), -float(weights @ away), float(bend)

    def turn(self, low: float, high: float, monotone: bool) -> tuple[float, Turn | None]:
        """Where in a piece the worth is nothing, and what it does there; None where it does not come to nothing."""
        before, after = self.gains(low), self.gains(high)
        if before == after:
            return (low + high) / 2, None if monotone else "touches"
        while high - low > 1e-14 * max(1.0, abs(low)):
            middle = (low + high) / 2
            low, high = (middle, high) if self.gains(middle) == before else (low, middle)
        return (low + high) / 2, "falls" if before else "rises"
