"""Keys: where in a plan a number stands. The page writes them, and its receipts look every number up again by them.

A key is `PLAN/TABLE/COLUMN?FILTER&FILTER`, the sum of a column over the rows that the filters leave, or
`PLAN/NAME` for a single figure: `p1/cash/closing_musd?quarter=2032Q4`, `p1/figures/value_musd`. A filter compares a
column with `=`, `<=` or `>`; `COLUMN!rows`, `!distinct`, `!max` and `!min` take another figure than the sum; keys are
added and subtracted with ` + ` and ` - `.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]

_RESERVED = re.compile(r"[%*&=?!<>/\s\"']")
_FILTER = re.compile(r"(\w+)(<=|>|=)(.*)", re.DOTALL)
_ESCAPED = re.compile(r"%([0-9A-F]{2,6});")


def at(place: str, **filters: object) -> str:
    """A place in a plan, with the values that columns must have there: `at("cash/net_musd", quarter="2032Q4")`."""
    return f"{place}?" + "&".join(f"{column}={encoded(value)}" for column, value in filters.items())


def encoded(value: object) -> str:
    """A text without the signs that mean something in a key."""
    return _RESERVED.sub(lambda sign: f"%{ord(sign.group()):02X};", str(value))


def decoded(text: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code.group(1), 16)), text)


@dataclass(frozen=True)
class Source:
    """What one plan holds: tables as rows, and single figures, by their place."""

    tables: Mapping[str, Sequence[Row]]
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Keys:
    """The plans of a page by the names that keys call them (`p1`, `p2`)."""

    sources: Mapping[str, Source]
    _indices: dict[tuple[str, str, tuple[str, ...]], dict[tuple[str, ...], list[Any]]] = field(
        default_factory=dict, compare=False
    )

    def value(self, key: str) -> float:
        """The number that a key names. Raises KeyError where the plans hold none."""
        total, sign = 0.0, 1.0
        for part in re.split(r" ([+-]) ", key):
            if part in ("+", "-"):
                sign = 1.0 if part == "+" else -1.0
            else:
                total += sign * self._term(part)
        return total

    def _term(self, term: str) -> float:
        place, _, filters = term.partition("?")
        plan, _, path = place.partition("/")
        source = self.sources[plan]
        if path in source.figures and not filters:
            return float(source.figures[path])
        table, _, column = path.rpartition("/")
        if table not in source.tables:
            raise KeyError(term)
        column, _, how = column.partition("!")
        return _FIGURES[how or "sum"](self._cells(plan, table, column, filters))

    def _cells(self, plan: str, table: str, column: str, filters: str) -> list[Any]:
        """The cells of a column in the rows that the filters leave; rows are found by an index of the columns asked."""
        asked = [_filter(told) for told in filters.split("&") if told]
        same = [(name, value) for name, sign, value in asked if sign == "="]
        others = [one for one in asked if one[1] != "="]
        columns = tuple(name for name, _ in same)
        index = self._index(plan, table, columns)
        rows = index.get(tuple(value for _, value in same), [])
        return [row.get(column) for row in rows if all(_holds(row, *one) for one in others)]

    def _index(self, plan: str, table: str, columns: tuple[str, ...]) -> dict[tuple[str, ...], list[Any]]:
        place = (plan, table, columns)
        if place not in self._indices:
            index: dict[tuple[str, ...], list[Any]] = {}
            for row in self.sources[plan].tables[table]:
                index.setdefault(tuple(str(row[name]) for name in columns), []).append(row)
            self._indices[place] = index
        return self._indices[place]


def _filter(told: str) -> tuple[str, str, str]:
    match = _FILTER.fullmatch(told)
    if match is None:
        raise KeyError(told)
    return match.group(1), match.group(2), decoded(match.group(3))


def _holds(row: Row, column: str, sign: str, value: str) -> bool:
    cell = str(row[column])
    return cell <= value if sign == "<=" else cell > value


def _numbers(cells: Iterable[Any]) -> list[float]:
    return [float(cell) for cell in cells]


_FIGURES: dict[str, Callable[[list[Any]], float]] = {
    "sum": lambda cells: math.fsum(_numbers(cells)),
    "max": lambda cells: max(_numbers(cells)),
    "min": lambda cells: min(_numbers(cells)),
    "rows": lambda cells: float(len(cells)),
    "distinct": lambda cells: float(len({str(cell) for cell in cells})),
}
