"""Keys: where in a plan a number stands. Deck, workbook and page write one language, and ask for numbers by it.

In words a key is `ROOM/NAME?FILTER&FILTER`, the sum of a column over the rows that the filters leave, or `ROOM/NAME`
for a single figure: `cash/closing_musd?quarter=2032Q4`, `figures/value_musd`. A filter compares a column with `=`,
`<=` or `>`; `NAME!count`, `!distinct`, `!max`, `!min` and `!last` take another figure than the sum. Before it stands
the plan where a document tells several (`p2/cash/...`). Keys are reckoned with by ` + `, ` - `, ` / ` and parentheses;
`(...) x 100` is so many times as much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from optimizer.business.lines import LINES
from optimizer.ground.errors import PlanError
from optimizer.plan.decisions import decisions_of, moved
from optimizer.plan.figures import figures_of

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.auditors.report import Report
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

How = Literal["sum", "min", "max", "count", "distinct", "last"]
FIGURES = frozenset({"figures", "record", "settings", "audit"})
"""Rooms that hold figures, not tables."""
_PATHS = frozenset({"record", "settings"})
"""Rooms whose figures may lie deeper: `settings/discount_rates/mining`."""
_RESERVED = re.compile(r"[%*&=?!<>/()\s\"']")
_FILTER = re.compile(r"(\w+)(<=|>|=)(.*)", re.DOTALL)
_TOKEN = re.compile(r"[()]|[^\s()]+")
_SIGNS = {"+": "sum", "-": "less", "/": "over", "x": "times"}
_ESCAPED = re.compile(r"%([0-9A-F]{2,6});")


@dataclass(frozen=True)
class Key:
    """Where a number of a plan stands: a column of a table, over the rows in which some columns hold some values.

    `room` is a table of the plan (`cash`), the same of the plan that decides nothing (`nothing/cash`), a table of
    the case (`inputs/sites`), of the room of figures (`figures/rents`), of a study (`studies/tornado/drivers`) or of
    the audit (`audit/checks`), or `moved`, the decisions in which a plan differs from the document's first; or
    `figures`, `record` (of `plan.json`), `settings`, `audit` and a study's `about`, where `name` is the figure itself.
    `how` says what is taken over the rows. `plan` is the document's name for a plan; blank means its first. A column
    of `where` that ends with `<=` or `>` is compared so. Tables with quarters may be asked by `year`, those with lines
    by their `group`, any table by the number of a `row`.
    """

    room: str
    name: str
    where: tuple[tuple[str, str], ...] = ()
    how: How = "sum"
    plan: str = ""

    def __str__(self) -> str:
        place = "/".join(part for part in (self.plan, self.room, self.name) if part)
        filters = (f"{column}{'' if _is_bound(column) else '='}{encoded(value)}" for column, value in self.where)
        return place + ("" if self.how == "sum" else f"!{self.how}") + ("?" if self.where else "") + "&".join(filters)


@dataclass(frozen=True)
class Reckoned:
    """A number reckoned from others: their sum, the first less the rest, the first over the second, or how many.

    It is then taken `times` so much: 100 for percent, -1 for the other sign. What is counted need hold no number, only
    stand in the plan: rows that a document leaves out, sites that mine.
    """

    how: Literal["sum", "less", "over", "count"]
    parts: tuple[Amount, ...]
    times: float = 1.0

    def __str__(self) -> str:
        parts = [f"({part})" if isinstance(part, Reckoned) else str(part) for part in self.parts]
        if self.how == "count":
            told = f"count of {' and '.join(parts)}" if parts else "none"
        else:
            told = {"sum": " + ", "less": " - ", "over": " / "}[self.how].join(parts) or "none"
        return told if self.times == 1 else f"({told}) x {self.times:g}"


Amount = Key | Reckoned


def kpi(name: str, plan: str = "") -> Key:
    """The key of a figure of the room of figures."""
    return Key("figures", name, plan=plan)


def at(room: str, name: str, how: How = "sum", plan: str = "", /, **where: object) -> Key:
    """The key of a cell, or of all cells of a column that share some values: `at("cash", "net_musd", quarter=q)`."""
    return Key(room, name, tuple(sorted((column, str(value)) for column, value in where.items())), how, plan)


def encoded(value: object) -> str:
    """A text without the signs that mean something in a key."""
    return _RESERVED.sub(lambda sign: f"%{ord(sign.group()):02X};", str(value))


def decoded(text: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code.group(1), 16)), text)


def read_key(text: str, plans: Iterable[str] = ()) -> Amount:
    """The key that words mean, where documents call their plans so. Raises PlanError for what is none."""
    tokens = _TOKEN.findall(text)
    try:
        amount = _read_amount(tokens, plans)
    except (IndexError, ValueError):
        tokens = [text]
    if tokens:
        raise PlanError(f"{text!r} is no key of a plan.")
    return amount


def _read_amount(tokens: list[str], plans: Iterable[str]) -> Amount:
    """What is added, subtracted and divided, from the left to the right; `x` multiplies by a number."""
    amount = _read_part(tokens, plans)
    while tokens and tokens[0] in _SIGNS:
        how = _SIGNS[tokens.pop(0)]
        if how == "times":
            amount = Reckoned("sum", (amount,), float(tokens.pop(0)))
        else:
            amount = Reckoned(cast(Any, how), (amount, _read_part(tokens, plans)))
    return amount


def _read_part(tokens: list[str], plans: Iterable[str]) -> Amount:
    first = tokens.pop(0)
    if first == "none":
        return Reckoned("sum", ())
    if first == "count":
        counted = []
        while tokens and tokens[0] in ("of", "and"):
            tokens.pop(0)
            counted.append(_read_part(tokens, plans))
        return Reckoned("count", tuple(counted))
    if first != "(":
        return _read_term(first, plans)
    inner = _read_amount(tokens, plans)
    if tokens.pop(0) != ")":
        raise ValueError
    return inner


def _read_term(term: str, plans: Iterable[str]) -> Key:
    path, _, filters = term.partition("?")
    plan, _, inner = path.partition("/")
    plan, path = (plan, inner) if plan in plans else ("", path)
    path, _, how = path.partition("!")
    head, _, tail = path.partition("/")
    room, _, name = path.rpartition("/")
    if head in _PATHS:
        room, name = head, tail
    where = tuple(_read_filter(told, term) for told in filters.split("&") if told)
    if not room or (how or "sum") not in _TAKEN:
        raise PlanError(f"{term!r} is no key of a plan.")
    return Key(room, name, where, cast(How, how or "sum"), plan)


def _read_filter(told: str, term: str) -> tuple[str, str]:
    match = _FILTER.fullmatch(told)
    if match is None:
        raise PlanError(f"{term!r} is no key of a plan.")
    column, sign, value = match.groups()
    return column + (sign if sign != "=" else ""), decoded(value)


def _is_bound(column: str) -> bool:
    return column.endswith(("<=", ">"))


# ---- what plans hold ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What a key can ask of one plan: the plan itself, its studies by the name that keys call them, its audit."""

    plan: Plan
    studies: Mapping[str, Study] = field(default_factory=dict)
    audit: Report | None = None

    def figure(self, room: str, name: str) -> object:
        """A single figure of a room."""
        if room == "figures":
            return figures_of(self.plan)[name]
        if room == "record":
            return _walked(self.plan.record(), name)
        if room == "settings":
            return _walked(dict(self.plan.case.settings), name)
        if name == "rules" and self.audit is not None:
            return len({check.name for check in self.audit.every})
        return getattr(self.audit, name, None)

    def table(self, room: str) -> pd.DataFrame:
        """A table. Raises KeyError where the plan has none of that name."""
        head, _, rest = room.partition("/")
        if head == "inputs":
            return self.plan.case.table(rest)
        if head == "studies":
            kind, _, name = rest.partition("/")
            return self.studies[kind].tables[name]
        if head == "figures":
            return figures_of(self.plan).tables[rest]
        if room == "audit/checks" and self.audit is not None:
            return self.audit.frame
        return (self.plan.nothing or {})[rest] if head == "nothing" else self.plan.tables[room]


def _walked(held: object, path: str) -> object:
    """What lies under a path in nested dictionaries; None where nothing does."""
    for name in path.split("/"):
        held = held.get(decoded(name)) if isinstance(held, Mapping) else None
    return held


@dataclass
class Answers:
    """What the plans of a document hold under keys. `plans` are those it tells, by name, the first one first."""

    plans: Mapping[str, Told]
    _tables: dict[Any, pd.DataFrame] = field(default_factory=dict, repr=False)
    _groups: dict[Any, Mapping[tuple[str, ...], list[Any]]] = field(default_factory=dict, repr=False)

    def read(self, text: str) -> float:
        """What is held under a key in words. Raises PlanError where there is no number."""
        return self.worth(read_key(text, self.plans))

    def worth(self, key: Amount) -> float:
        """What the plan holds under a key. Raises PlanError where it holds no number."""
        if isinstance(key, Key):
            return self._of_key(key)
        if key.how == "count":
            return key.times * sum(map(self._stands, key.parts))
        numbers = [self.worth(part) for part in key.parts]
        if key.how == "over":
            if numbers[1] == 0:
                raise PlanError(f"{key} is no number: it divides by nothing.")
            return key.times * numbers[0] / numbers[1]
        signed = numbers if key.how == "sum" else [*numbers[:1], *(-number for number in numbers[1:])]
        return key.times * math.fsum(signed)

    def _stands(self, key: Amount) -> bool:
        """Whether what is counted stands in the plan: a cell or a figure of any kind, or a number."""
        if not isinstance(key, Key):
            return math.isfinite(self.worth(key))
        if key.room in FIGURES:
            return self._found(key) is not None
        return self.worth(replace(key, how="count")) > 0

    def _of_key(self, key: Key) -> float:
        try:
            found = self._found(key)
        except (KeyError, ValueError, TypeError):
            found = None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise PlanError(f"the plan holds no number under {key}.")
        return float(found)

    def _found(self, key: Key) -> object:
        name = key.plan or next(iter(self.plans))
        head, _, rest = key.room.partition("/")
        if key.room == "moved":
            return _TAKEN[key.how](self._moved(name))
        if key.room in FIGURES:
            return self.plans[name].figure(key.room, key.name)
        if head == "studies" and rest.endswith("/about"):
            return _walked(self.plans[name].studies[rest.removesuffix("/about")].about, key.name)
        same = [(column, value) for column, value in key.where if not _is_bound(column)]
        bounds = tuple((column, value) for column, value in key.where if _is_bound(column))
        groups = self._grouped(name, key, tuple(column for column, _ in same), bounds)
        cells = groups.get(tuple(value for _, value in same), [])
        return _TAKEN[key.how](cells) if cells or key.how in ("sum", "count", "distinct") else None

    def _moved(self, name: str) -> list[str]:
        """What a plan decides otherwise than the document's first, in sentences."""
        first = next(iter(self.plans.values()))
        return moved(decisions_of(first.plan), decisions_of(self.plans[name].plan))

    def _grouped(
        self, plan: str, key: Key, columns: tuple[str, ...], bounds: tuple[tuple[str, str], ...]
    ) -> Mapping[tuple[str, ...], list[Any]]:
        """The cells of each group of rows, so that ten thousand keys do not search a table ten thousand times."""
        asked = (plan, key.room, key.name, columns, bounds)
        if asked not in self._groups:
            table = self._bounded(plan, key.room, bounds)
            groups: dict[tuple[str, ...], list[Any]] = {}
            names = [table[column].astype(str) for column in columns]
            for cell, *group in zip(table[key.name], *names, strict=True):
                groups.setdefault(tuple(group), []).append(cell)
            self._groups[asked] = groups
        return self._groups[asked]

    def _bounded(self, plan: str, room: str, bounds: tuple[tuple[str, str], ...]) -> pd.DataFrame:
        """The rows of a table that lie within bounds, with the columns that any table may be asked by."""
        if (plan, room) not in self._tables:
            self._tables[plan, room] = with_sums(self.plans[plan].table(room))
        table = self._tables[plan, room]
        for bound, value in bounds:
            cells = table[bound.rstrip("<=>")].astype(str)
            table = table[cells <= value] if bound.endswith("<=") else table[cells > value]
        return table


def with_sums(table: pd.DataFrame) -> pd.DataFrame:
    """A table with the years of its quarters, the groups of its lines and the numbers of its rows."""
    more: dict[str, object] = {"row": range(len(table))}
    if "year" not in table and "quarter" in table:
        more["year"] = table["quarter"].astype(str).str[:4]
    if "group" not in table and "line" in table and set(table["line"]) <= LINES.keys():
        more["group"] = [LINES[line].group for line in table["line"]]
    return table.assign(**more)


def _numbers(cells: Sequence[Any]) -> list[float]:
    return [float(cell) for cell in cells]


_TAKEN: Mapping[str, Callable[[Sequence[Any]], float]] = {
    "sum": lambda cells: math.fsum(_numbers(cells)),
    "min": lambda cells: min(_numbers(cells)),
    "max": lambda cells: max(_numbers(cells)),
    "count": lambda cells: float(len(cells)),
    "distinct": lambda cells: float(len({str(cell) for cell in cells})),
    "last": lambda cells: float(cells[-1]),
}
