"""Figures and words of a plan, each with the key that says where it stands. Deck and page show nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from optimizer.plan.figures import figures_of
from optimizer.plan.figures.room import AT
from optimizer.telling.board.keys import Amount, Key, Reckoned, at, with_sums

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.figures import Part, Room
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

Where = Mapping[str, object]


@dataclass(frozen=True)
class Figure:
    """A number and the key of the plan or study that it is; sums, differences and ratios carry their keys along.

    Only the number of a page has no key.
    """

    amount: Amount | None
    value: float

    @property
    def key(self) -> str:
        """The key in words."""
        return str(self.amount or "page")

    def __add__(self, other: Figure) -> Figure:
        return self._with(other, "sum", self.value + other.value)

    def __sub__(self, other: Figure) -> Figure:
        return self._with(other, "less", self.value - other.value)

    def __neg__(self) -> Figure:
        return self.times(-1)

    def __abs__(self) -> Figure:
        return self if self.value >= 0 else -self

    def per(self, other: Figure) -> Figure:
        """The share that this is of another figure."""
        return self._with(other, "over", self.value / other.value)

    def times(self, factor: float) -> Figure:
        """The figure in another unit."""
        return Figure(Reckoned("sum", (_keyed(self),), factor), self.value * factor)

    def _with(self, other: Figure, how: Literal["sum", "less", "over"], value: float) -> Figure:
        return Figure(Reckoned(how, (_keyed(self), _keyed(other))), value)


def _keyed(figure: Figure) -> Amount:
    assert figure.amount is not None
    return figure.amount


NOTHING = Figure(Reckoned("sum", ()), 0.0)
GAP = Figure(None, math.nan)
"""Where a line has no number, and goes on over the place."""


def count(rows: Iterable[Row | Amount]) -> Figure:
    """How many rows of the plan, or how many of its figures, are meant."""
    keys = tuple(row.amount(next(iter(row.cells))) if isinstance(row, Row) else row for row in rows)
    return Figure(Reckoned("count", keys), float(len(keys)))


@dataclass(frozen=True)
class Word:
    """A text of the plan or study (a name, a quarter, a sentence) and where it is from; its key where it has one."""

    key: str
    text: str
    amount: Key | None = None


@dataclass(frozen=True)
class Row:
    """One row of a table; `room`, `number` and the plan of the `run` say where it stands."""

    cells: Mapping[str, Any]
    room: str
    number: int
    run: str = ""

    def figure(self, column: str) -> Figure:
        return Figure(self.amount(column), float(self.cells[column]))

    def amount(self, column: str) -> Key:
        """The key of a cell."""
        return Key(self.room, column, (("row", str(self.number)),), plan=self.run)

    def word(self, column: str) -> Word:
        return Word(str(self.amount(column)), text_of(self.cells[column]), self.amount(column))

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    def has(self, column: str) -> bool:
        """Whether a number stands there."""
        cell = self.cells.get(column)
        return cell is not None and bool(cell == cell)


def text_of(cell: object) -> str:
    """A cell as one line of text; a missing one is empty."""
    return "" if cell is None or cell != cell else " ".join(str(cell).split())


def rows_of(table: pd.DataFrame, room: str, where: Where | None = None, run: str = "") -> list[Row]:
    """The rows of a table where each named column holds the value (or one of the values) given."""
    numbered = table.reset_index(drop=True)
    chosen = numbered[_mask(numbered, where or {})]
    records = zip(chosen.index, chosen.to_dict("records"), strict=True)
    return [Row({str(k): v for k, v in record.items()}, room, n, run) for n, record in records]


def _mask(table: pd.DataFrame, where: Where) -> pd.Series:
    import pandas as pd

    mask = pd.Series(True, index=table.index)
    for column, wanted in where.items():
        cells = table[column].astype(str) if column == "quarter" else table[column]
        mask &= cells.isin(_several(wanted))
    return mask


def _several(wanted: object) -> list[object]:
    """The values that a filter lets through."""
    return list(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, str) else [wanted]


class Source:
    """The figures of one plan, called `name` where several are told together; `run` then begins its keys."""

    def __init__(self, plan: Plan, name: str = "", run: str = ""):
        self.plan, self.name = plan, name
        self.run = run or (plan.run_id if name else "")

    def _key(self, words: str) -> str:
        return f"{self.name}: {words}" if self.name else words

    def kpi(self, name: str, date: str = "") -> Figure | None:
        """A figure of the room, a value at a date other than the plan's own; None where the plan has none."""
        return self.due(name, date) if self._told.has(name) else None

    def due(self, name: str, date: str = "") -> Figure:
        """A figure of the room that every plan has."""
        key = f"{name}{AT}{date}" if date else name
        return self._figure("figures", key, self._told.number(key))

    @property
    def _told(self) -> Room:
        return figures_of(self.plan)

    def part(self, part: Part) -> Figure:
        """A number of a sentence of the room."""
        assert isinstance(part.value, float | int)
        return self._sum(f"figures/{part.table}", part.column, dict(part.where), float(part.value))

    def _figure(self, room: str, name: str, value: float) -> Figure:
        return Figure(Key(room, name, plan=self.run), value)

    def kpi_word(self, name: str) -> Word | None:
        value = self._told[name]
        return None if value is None else self._word("figures", name, str(value))

    def _word(self, room: str, name: str, text: str) -> Word:
        key = Key(room, name, plan=self.run)
        return Word(str(key), text, key)

    def setting(self, name: str) -> Figure:
        return self._figure("settings", name, float(getattr(self.plan.case.settings, name)))

    def setting_word(self, name: str) -> Word:
        return self._word("settings", name, text_of(getattr(self.plan.case.settings, name)))

    def field(self, name: str) -> Figure:
        """A figure of the plan itself: value, bound, gap; one that lies deeper by its path."""
        held: Any = self.plan.record()
        for part in name.split("/"):
            held = held[part]
        return self._figure("record", name, float(held))

    def word(self, key: str, text: object) -> Word:
        """A text of the plan that stands outside its tables."""
        return Word(self._key(key), text_of(text))

    def table(self, name: str, *, nothing: bool = False) -> pd.DataFrame:
        """A table of the plan, or of the room of figures (`figures/rents`), with its years and groups of lines."""
        if name.startswith("figures/"):
            return with_sums(self._told.tables[name.removeprefix("figures/")])
        return with_sums((self.plan.nothing or {})[name] if nothing else self.plan.tables[name])

    def cells(self, room: str, column: str, where: Where) -> list[str]:
        """The different cells of a column of the plan, or of an input table (`inputs/sites`), as texts."""
        head, _, name = room.partition("/")
        table = self.plan.case.table(name) if head == "inputs" else self.table(room)
        return list(dict.fromkeys(table[_mask(table, where)][column].astype(str)))

    def rows(self, table: str, where: Where | None = None, *, nothing: bool = False) -> list[Row]:
        room = f"nothing/{table}" if nothing else table
        return rows_of(self.table(table, nothing=nothing), room, where, self.run)

    def inputs(self, table: str, where: Where | None = None) -> list[Row]:
        """The rows of an input table."""
        return rows_of(self.plan.case.table(table), f"inputs/{table}", where, self.run)

    def total(self, table: str, column: str, where: Where | None = None, *, nothing: bool = False) -> Figure:
        """The sum of a column over the rows that are meant; 0 where there is none."""
        cells = self.table(table, nothing=nothing).reset_index(drop=True)
        value = float(cells[_mask(cells, where or {})][column].sum(skipna=False)) + 0.0
        return self._sum(f"nothing/{table}" if nothing else table, column, where or {}, value)

    def by_quarter(
        self,
        table: str,
        column: str,
        where: Where,
        quarters: Sequence[str],
        by: str = "quarter",
        *,
        nothing: bool = False,
    ) -> tuple[Figure, ...]:  # fmt: skip
        """`total` for each of many quarters, or years, in one pass."""
        cells, room = self.table(table, nothing=nothing), f"nothing/{table}" if nothing else table
        sums = cells[_mask(cells, where)].groupby(by)[column].sum(min_count=1)
        sums.index = sums.index.astype(str)
        return tuple(
            self._sum(room, column, {**where, by: quarter}, float(sums.get(quarter, 0.0)) + 0.0) for quarter in quarters
        )

    def limits(self, quarters: Sequence[str]) -> tuple[Figure, ...]:
        """Grid limit of all sites together in each quarter, gross MW: the step of each site that holds then."""
        steps = self.plan.case.site_limits
        last: dict[str, dict[str, int]] = {quarter: {} for quarter in quarters}
        for n, step in sorted(enumerate(steps), key=lambda one: one[1].from_quarter):
            for quarter in quarters:
                if str(step.from_quarter) <= quarter:
                    last[quarter][step.site] = n
        return tuple(self._limit(sorted(last[quarter].values())) for quarter in quarters)

    def _limit(self, rows: Sequence[int]) -> Figure:
        keys = tuple(at("inputs/site_limits", "limit_gross_mw", "sum", self.run, row=n) for n in rows)
        value = sum(self.plan.case.site_limits[n].limit_gross_mw for n in rows)
        return Figure(Reckoned("sum", keys), value)

    def _sum(self, room: str, column: str, where: Where, value: float) -> Figure:
        return Figure(_amount(room, column, where, self.run), value)


def _amount(room: str, column: str, where: Where, run: str) -> Amount:
    """The sum as keys: one for each combination of the values that the filters let through."""
    told = sorted((name, [str(one) for one in _several(wanted)]) for name, wanted in where.items())
    combinations = list(product(*([(name, one) for one in wanted] for name, wanted in told)))
    keys = tuple(Key(room, column, combination, plan=run) for combination in combinations)
    return keys[0] if len(keys) == 1 else Reckoned("sum", keys)


def study_rows(study: Study, table: str, name: str = "", run: str = "") -> list[Row]:
    """The rows of a study's table; `name` tells studies of one kind apart."""
    return rows_of(study.tables[table], f"studies/{name or study.kind}/{table}", run=run)


def about_figure(study: Study, name: str, of: str = "", run: str = "") -> Figure:
    """A figure that a study says about itself; `of` tells studies of one kind apart."""
    return Figure(Key(f"studies/{of or study.kind}/about", name, plan=run), float(study.about[name]))
