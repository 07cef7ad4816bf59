"""Charts in rows: a name at the left of each row, bars or marks on axes beside it, numbers in columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from optimizer.telling.pictures.lettering import plain, width_in, wrap
from optimizer.telling.pictures.sheet import INK, LINE_IN, SIZE, SOFT, Sheet

FLOOR_IN = 0.3
"""Room under the rows for the ticks of the axis and its unit."""


@dataclass(frozen=True)
class Rows:
    """So many rows of equal height, the first on top, between two heights of a sheet in inches."""

    sheet: Sheet
    count: int
    bottom: float
    top: float

    @property
    def each(self) -> float:
        return (self.top - self.bottom) / max(1, self.count)

    @property
    def lines(self) -> int:
        """How many lines of text a row holds."""
        return max(1, int((self.each - 0.04) / LINE_IN))

    def y(self, row: float) -> float:
        """Middle of a row, in inches."""
        return self.top - (row + 0.5) * self.each

    def axes(self, left: float, width: float) -> Any:
        """Axes whose y is the number of the row, downwards."""
        axes = self.sheet.axes(left, self.bottom, width, self.top - self.bottom)
        axes.set_ylim(max(1, self.count) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines[["left"]].set_visible(False)
        return axes

    def name(self, row: int, words: object, room: float, detail: object = "") -> None:
        """The name of a row, and under it fainter lines, where there is room for more than one."""
        told = bool(plain(detail)) and self.lines > 1
        named = wrap(words, room, 1 if told else min(2, self.lines))
        more = wrap(detail, room, self.lines - 1) if told else []
        lines = [(line, INK) for line in named] + [(line, SOFT) for line in more]
        for i, (line, color) in enumerate(lines):
            y = self.y(row) + (len(lines) - 1) * LINE_IN / 2 - i * LINE_IN
            self.sheet.write(self.sheet.left, y, line, color=color)

    def cell(self, row: float, x: float, text: str, *, bold: bool = False, color: str = INK) -> None:
        """A number in a column that ends at x."""
        self.sheet.write(x, self.y(row), text, ha="right", bold=bold, color=color)


def open_rows(sheet: Sheet, count: int, *, head: float = 0.0, floor: float = FLOOR_IN, most: float = 0.42) -> Rows:
    """Rows in the free part of a sheet, under a head of so many inches; few rows stay together at the top."""
    top = sheet.top - head
    bottom = sheet.bottom + floor
    return Rows(sheet, count, max(bottom, top - max(1, count) * most), top)


def rows_that_fit(sheet: Sheet, *, head: float = 0.0, floor: float = FLOOR_IN, least: float = LINE_IN + 0.02) -> int:
    """How many rows of the least height there is room for."""
    return max(1, int((sheet.height - head - floor) / least))


def names_in(names: Iterable[object], least: float, most: float) -> float:
    """How many inches to keep for names: what the longest needs, between two limits."""
    return min(most, max(least, 0.12 + max((width_in(plain(name)) for name in names), default=0.0)))


def key(sheet: Sheet, y: float, entries: list[tuple[str, dict[str, Any]]], left: float) -> None:
    """A line of samples with their words: (words, look of the box; a `height` makes it thin)."""
    for words, look in entries:
        height = look.get("height", 0.09)
        sheet.box(left, y - height / 2, 0.2, height, **{k: value for k, value in look.items() if k != "height"})
        sheet.write(left + 0.25, y, words)
        left += 0.25 + width_in(words, SIZE) + 0.15
