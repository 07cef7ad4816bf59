"""Geometry of charts in percent, so that they fit any width with letters of one size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optimizer.plan.plan import Plan
from optimizer.plan.power_uses import Use, uses_of
from optimizer.telling.board.page.blocks import Path, Rect, Tick

LOOKS = 6
"""Products, facilities and the like take their look in turn from so many."""
UNLISTED = 2
"""Looks that uses take which no list knows."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """A vertical axis from a round value to a round value."""

    low: float
    high: float
    step: float

    def at(self, value: float) -> float:
        """Percent from the top."""
        return (self.high - value) / (self.high - self.low) * 100

    @property
    def ticks(self) -> tuple[Tick, ...]:
        first, last = round(self.low / self.step), round(self.high / self.step)
        values = [round(n * self.step, 9) for n in range(first, last + 1)]
        return tuple(Tick(self.at(value), value + 0.0, minor=n % 2 == 1) for n, value in enumerate(values))


def axis(values: Iterable[float]) -> Axis:
    """An axis that holds zero and all values, with four to seven round steps."""
    values = [0.0, *values]
    low, high = min(values), max(values)
    if high - low <= 0:
        return Axis(0.0, 1.0, 0.5)
    rough = (high - low) / 4.5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))
    return Axis(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step)


def stacked(series: Sequence[tuple[str, Sequence[float]]], scale: Axis, gap: float = 0.16) -> list[Rect]:
    """Columns of several looks on top of each other; negative amounts go down from zero."""
    columns = max((len(values) for _, values in series), default=0)
    up, down = [0.0] * columns, [0.0] * columns
    rects = []
    for look, values in series:
        for i, value in enumerate(values):
            if abs(value) > 1e-9:
                base = (up if value > 0 else down)[i]
                (up if value > 0 else down)[i] = base + value
                top, foot = scale.at(max(base, base + value)), scale.at(min(base, base + value))
                rects.append(Rect((i + gap / 2) / columns * 100, top, (1 - gap) / columns * 100, foot - top, look))
    return rects


def line(values: Sequence[float], scale: Axis, look: str) -> Path:
    """A line through the middles of the columns."""
    return Path([(i + 0.5, scale.at(value)) for i, value in enumerate(values)], look)


def steps(values: Sequence[float], scale: Axis, look: str) -> Path:
    """A line that keeps to each value over the whole of its column."""
    return Path([(i + side, scale.at(value)) for i, value in enumerate(values) for side in (0.0, 1.0)], look)


def years(quarters: Sequence[str]) -> tuple[Tick, ...]:
    """A tick where each year begins."""
    starts = [i for i, quarter in enumerate(quarters) if i == 0 or quarter.endswith("Q1")]
    few = len(starts) // 9 + 1
    return tuple(
        Tick(i / len(quarters) * 100, text=quarters[i][:4], minor=bool(n % (2 * few)))
        for n, i in enumerate(starts)
        if n % few == 0 and (i + 2 < len(quarters) or i == 0)
    )


def looks(plan: Plan) -> Mapping[str, str]:
    """The look of each use of power; a product keeps its look in every chart."""
    return {name: _look(use) for name, use in uses_of(plan).items()}


def _look(use: Use) -> str:
    if " " not in use.look:
        return use.look
    return f"p{use.number % LOOKS}" if use.look.startswith("product") else f"x{use.number % UNLISTED}"
