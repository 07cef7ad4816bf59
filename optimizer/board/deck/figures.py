"""Figures and words of a plan, each with the key that says where it stands. A deck shows nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan import Plan
    from optimizer.studies.study import Study

Where = Mapping[str, object]


@dataclass(frozen=True)
class Figure:
    """A number and the key of the plan or study that it is; sums and ratios carry their keys along."""

    key: str
    value: float

    def __add__(self, other: Figure) -> Figure:
        return Figure(f"{self.key} + {other.key}", self.value + other.value)

    def __sub__(self, other: Figure) -> Figure:
        return Figure(f"{self.key} - ({other.key})", self.value - other.value)

    def __neg__(self) -> Figure:
        return Figure(f"-({self.key})", -self.value)

    def __abs__(self) -> Figure:
        return Figure(f"|{self.key}|", abs(self.value))

    def per(self, other: Figure) -> Figure:
        """The share that this is of another figure."""
        return Figure(f"({self.key}) / ({other.key})", self.value / other.value)

    def times(self, factor: float, words: str) -> Figure:
        """The figure in another unit; `words` name the factor."""
        return Figure(f"({self.key}) x {words}", self.value * factor)


@dataclass(frozen=True)
class Word:
    """A text of the plan or study (a name, a quarter, a sentence) and its key."""

    key: str
    text: str


@dataclass(frozen=True)
class Row:
    """One row of a table, with the key that its cells begin with."""

    key: str
    cells: Mapping[str, Any]

    def figure(self, column: str) -> Figure:
        return Figure(f"{self.key}.{column}", float(self.cells[column]))

    def word(self, column: str) -> Word:
        return Word(f"{self.key}.{column}", text_of(self.cells[column]))

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    def has(self, column: str) -> bool:
        """Whether a number stands there."""
        return column in self.cells and self.cells[column] == self.cells[column]


def text_of(cell: object) -> str:
    """A cell as one line of text; a missing one is empty."""
    return "" if cell is None or cell != cell else " ".join(str(cell).split())


def rows_of(table: pd.DataFrame, key: str, where: Where | None = None) -> list[Row]:
    """The rows of a table where each named column holds the value (or one of the values) given."""
    numbered = table.reset_index(drop=True)
    chosen = numbered[_mask(numbered, where or {})]
    records = zip(chosen.index, chosen.to_dict("records"), strict=True)
    return [Row(f"{key}[{place + 1}]", {str(k): v for k, v in record.items()}) for place, record in records]


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
    """The figures of one plan. `name` begins its keys where several plans are told together."""

    def __init__(self, plan: Plan, name: str = ""):
        self.plan, self.name = plan, name
        self._prefix = f"{name}: " if name else ""

    def _key(self, words: str) -> str:
        return self._prefix + words

    def kpi(self, name: str) -> Figure | None:
        """A KPI; None where the plan has none."""
        value = self.plan.kpis[name]
        return None if value is None else Figure(self._key(f"kpis.{name}"), float(value))

    def due(self, name: str) -> Figure:
        """A KPI that every plan has."""
        return Figure(self._key(f"kpis.{name}"), float(self.plan.kpis[name]))

    def kpi_word(self, name: str) -> Word | None:
        value = self.plan.kpis[name]
        return None if value is None else Word(self._key(f"kpis.{name}"), str(value))

    def setting(self, name: str) -> Figure:
        return Figure(self._key(f"case.toml {name}"), float(getattr(self.plan.case.settings, name)))

    def setting_word(self, name: str) -> Word:
        return Word(self._key(f"case.toml {name}"), text_of(getattr(self.plan.case.settings, name)))

    def field(self, name: str) -> Figure:
        """A figure of the plan itself: value, bound, gap."""
        return Figure(self._key(f"plan.json {name}"), float(getattr(self.plan, name)))

    def word(self, key: str, text: object) -> Word:
        """A text of the plan that stands outside its tables."""
        return Word(self._key(key), text_of(text))

    def count(self, words: str, number: int) -> Figure:
        """How many of something the plan has; `words` say of what."""
        return Figure(self._key(f"count of {words}"), float(number))

    def table(self, name: str, *, nothing: bool = False) -> pd.DataFrame:
        return (self.plan.nothing or {})[name] if nothing else self.plan.tables[name]

    def rows(self, table: str, where: Where | None = None, *, nothing: bool = False) -> list[Row]:
        name = f"do_nothing/{table}" if nothing else table
        return rows_of(self.table(table, nothing=nothing), self._key(name), where)

    def inputs(self, table: str, where: Where | None = None) -> list[Row]:
        """The rows of an input table."""
        return rows_of(self.plan.case.table(table), self._key(f"inputs/{table}"), where)

    def total(self, table: str, column: str, where: Where | None = None, *, nothing: bool = False) -> Figure:
        """The sum of a column over the rows that are meant; 0 where there is none."""
        cells = self.table(table, nothing=nothing)
        chosen = cells.reset_index(drop=True)[_mask(cells.reset_index(drop=True), where or {})][column]
        name = f"do_nothing/{table}" if nothing else table
        return Figure(self._key(f"sum {name}{_filter(where or {})}.{column}"), float(chosen.sum()) + 0.0)

    def by_quarter(self, table: str, column: str, where: Where, quarters: Sequence[str]) -> tuple[Figure, ...]:
        """`total` for each of many quarters, in one pass."""
        cells = self.table(table).reset_index(drop=True)
        sums = cells[_mask(cells, where)].groupby("quarter")[column].sum()
        sums.index = sums.index.astype(str)
        key = f"sum {table}{_filter(where)}"
        return tuple(
            Figure(self._key(f"{key}[quarter={quarter}].{column}"), float(sums.get(quarter, 0.0)) + 0.0)
            for quarter in quarters
        )


def study_rows(study: Study, table: str) -> list[Row]:
    """The rows of a study's table."""
    return rows_of(study.tables[table], f"studies/{study.kind}/{table}")


def about_figure(study: Study, name: str) -> Figure:
    return Figure(f"studies/{study.kind}/about.{name}", float(study.about[name]))


def _filter_words(wanted: object) -> str:
    values = [str(value) for value in _several(wanted)]
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}" if values else "nothing"


def _filter(where: Where) -> str:
    told = (f"{column}={_filter_words(wanted)}" for column, wanted in where.items())
    return f"[{', '.join(told)}]" if where else ""
