"""Calendar quarters: `2027Q1`, counted, compared and measured in days and hours."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from itertools import pairwise
from typing import overload

_FORM = re.compile(r"(\d{4})Q([1-4])")


class Quarter(int):
    """A calendar quarter, stored as `4 * year + (quarter - 1)`.

    `Quarter + int` is a quarter, `Quarter - Quarter` the number of quarters between them; `str` gives `2027Q1`.
    """

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read `2027Q1`; any other form raises ValueError."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("is not a quarter; write it like 2027Q1")
        return cls(4 * int(match[1]) + int(match[2]) - 1)

    @property
    def year(self) -> int:
        return int(self) // 4

    @property
    def start(self) -> date:
        return date(self.year, 3 * (int(self) % 4) + 1, 1)

    @property
    def days(self) -> int:
        """Calendar days: 90 in 2027Q1, 91 in 2028Q1."""
        return _days(int(self))

    @property
    def hours(self) -> int:
        """Calendar hours: 2,160 in 2027Q1, 2,184 in 2028Q1."""
        return 24 * self.days

    def __add__(self, other: int) -> Quarter:
        return Quarter(int(self) + int(other))

    @overload
    def __sub__(self, other: Quarter) -> int: ...  # type: ignore[overload-overlap]

    @overload
    def __sub__(self, other: int) -> Quarter: ...

    def __sub__(self, other: int) -> int:
        """Quarters between two quarters, or the quarter `other` quarters earlier."""
        difference = int(self) - int(other)
        return difference if isinstance(other, Quarter) else Quarter(difference)

    def __str__(self) -> str:
        return f"{self.year:04d}Q{int(self) % 4 + 1}"

    __repr__ = __str__


@cache
def _days(quarter: int) -> int:
    year, first_month = quarter // 4, 3 * (quarter % 4) + 1
    return sum(calendar.monthrange(year, first_month + i)[1] for i in range(3))


def span(first: Quarter, count: int) -> tuple[Quarter, ...]:
    """`count` quarters from `first` on."""
    return tuple(first + i for i in range(count))


def spans(quarters: Iterable[Quarter]) -> str:
    """Quarters in words, those that follow each other as one: `2027Q1 to 2027Q3, 2028Q1`."""
    ordered = sorted(set(quarters))
    breaks = [i + 1 for i, (a, b) in enumerate(pairwise(ordered)) if b != a + 1]
    runs = [ordered[i:j] for i, j in zip([0, *breaks], [*breaks, len(ordered)], strict=True)] if ordered else []
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
