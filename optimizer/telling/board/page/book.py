"""A plan with all that the page tells of it: its audit, its studies, and every figure by its key."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from markupsafe import Markup

from optimizer.business.lines import Group
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES
from optimizer.case.folder import cell_text
from optimizer.case.schema import Settings
from optimizer.ground.errors import PlanError
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import Part, Room, Sentence, figures_of
from optimizer.plan.unused import reasons_of
from optimizer.telling.board.keys import Told
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.numbers import Name, Number, Style, words

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.auditors.report import Report
    from optimizer.case.origins import Origin
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Book:
    """One plan of the page under the name that its keys begin with.

    `studies` are those of this very plan by kind; `left_out` says of every other why it is not shown. `stamps` say what
    forbids to trust the plan, where it is shown all the same. `origins` tells where the inputs come from. `date` is the
    quarter at whose start values are compared, where plans of the page begin at different times.
    """

    id: str
    plan: Plan
    report: Report
    studies: Mapping[str, Study] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    stamps: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    date: str = ""

    @property
    def quarters(self) -> list[str]:
        return [str(quarter) for quarter in self.plan.case.horizon]

    @property
    def room(self) -> Room:
        """The room of the plan's figures."""
        return figures_of(self.plan)

    @cached_property
    def input_hash(self) -> str:
        """Twelve hexadecimal digits over the hashes of all inputs."""
        hashes = self.plan.provenance.get("inputs_sha256", {})
        whole = "".join(f"{name} {digest}\n" for name, digest in sorted(hashes.items()))
        return hashlib.sha256(whole.encode()).hexdigest()[:12]

    # ---- numbers --------------------------------------------------------------------------------------------

    def number(self, value: float, place: str, style: Style = "plain", decimals: int = 1) -> Number:
        """A number that stands at a place of this plan."""
        return Number(float(value), f"{self.id}/{place}", style, decimals)

    def mw(self, value: float, place: str) -> Number:
        """Megawatts in a sentence: without decimals where they are whole."""
        return self.number(value, place, decimals=0 if abs(value - round(value)) < 1e-6 else 1)

    def kpi_mw(self, name: str) -> Number:
        """A figure of the room in MW."""
        return self.mw(self.room.number(name), f"figures/{name}")

    def kpi(self, name: str, style: Style = "musd", decimals: int = 1) -> Number:
        """A figure of the room that is there; see `has`."""
        return self.number(self.room.number(name), f"figures/{name}", style, decimals)

    def has(self, name: str) -> bool:
        """Whether the plan has a figure of the room: some do not exist in some plans."""
        return self.room.has(name)

    def quarter(self, name: str) -> Name:
        """A figure of the room that is a quarter."""
        return Name(str(self.room[name]))

    def sentence(self, told: Sentence) -> Markup:
        """A sentence of the room of figures, its numbers with their keys."""
        return words(told.words, *map(self._part, told.parts))

    def _part(self, part: Part) -> Name | Number:
        if isinstance(part.value, str):
            return Name(part.value)
        place = f"figures/{part.table}/{part.column}"
        place = at(place, **dict(part.where)) if part.where else place
        if part.unit == "$M":
            return self.number(part.value, place, "musd")
        return self.mw(part.value, place) if part.unit == "MW" else self.number(part.value, place, decimals=0)

    def count(self, rows: Sequence[object], table: str) -> Number:
        """How many rows a table has."""
        return self.number(len(rows), f"{table}/row!count", decimals=0)

    def many(self, rows: Sequence[object], table: str, one: str) -> Markup:
        """`1 site`, `11 sites`."""
        return words("{} {}", self.count(rows, table), one if len(rows) == 1 else f"{one}s")

    # ---- what the keys mean ---------------------------------------------------------------------------------

    def told(self) -> Told:
        """What the keys of this plan's numbers ask."""
        return Told(self.plan, self.studies, self.report)

    def _tables(self) -> Iterator[pd.DataFrame]:
        """Every table that the plan, its figures, its audit and its studies hold."""
        studies = (study.tables for study in self.studies.values())
        for tables in (self.plan.tables, self.plan.nothing or {}, self.room.tables, *studies):
            yield from tables.values()
        yield self.report.frame

    def texts(self) -> Iterator[str]:
        """Every text of the plan: what a name on the page may say."""
        yield from _texts(self.plan.record())
        yield from (self.plan.run_id, self.input_hash, self.plan.word, self.plan.status_words, *self.stamps)
        yield from _texts(self.plan.case.settings.model_dump())
        yield from (about(name) for name in type(self.plan.case.settings).model_fields)
        yield from (TABLE_TYPES[name].about for name in TABLE_NAMES)
        yield from (str(self.plan.case.settings.as_of), *(str(day) for day in self.plan.case.settings.halvings))
        yield from (year for quarter in self.quarters for year in (quarter, quarter[:4]))
        yield from get_args(Group)
        for table in self._tables():
            yield from map(str, table.columns)
            yield from (text for column in table.columns for text in _texts(list(table[column])))
            yield from (str(quarter)[:4] for quarter in table.get("quarter", ()))
        yield from (text for _, rows in case_tables(self.plan) for row in rows for text in _texts(row))
        for study in self.studies.values():
            yield from (study.title, *study.words)
            yield from _texts(study.about)
        yield from (text for reason in reasons_of(self.plan) for text in (reason.hall, reason.machines))
        yield from self.plan.edited
        yield from (cell for origin in self.origins for cell in origin.cells)


def about(setting: str) -> str:
    """What a setting is, as the schema says it."""
    return str(Settings.model_fields[setting].description).replace("`", "")


def case_tables(plan: Plan) -> Iterator[tuple[str, list[Row]]]:
    """The input tables that hold anything; cells that are no numbers as they stand in the file."""
    for name in TABLE_NAMES:
        rows = [row.model_dump() for row in plan.case.rows(name)]
        if rows:
            yield name, [_case_row(number, row) for number, row in enumerate(rows)]


def _case_row(number: int, row: Mapping[str, Any]) -> Row:
    cells = {column: cell if is_number(cell) else cell_text(cell) for column, cell in row.items()}
    year = {"year": str(cells["quarter"])[:4]} if "quarter" in cells else {}
    return {**cells, **year, "row": number}


def is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool | Quarter)


def _texts(held: Any) -> Iterator[str]:
    """Every name and text in nested dictionaries and lists."""
    if isinstance(held, Mapping):
        yield from (str(name) for name in held)
        yield from (text for inner in held.values() for text in _texts(inner))
    elif isinstance(held, list | tuple):
        yield from (text for inner in held for text in _texts(inner))
    elif held is not None and not is_number(held):
        yield str(held)


def finite(cells: Iterable[Any], what: str) -> list[float]:
    """Numbers for a chart. Raises PlanError where one is none."""
    numbers = [float(cell) for cell in cells]
    if not all(math.isfinite(number) for number in numbers):
        raise PlanError(f"The page is not written: {what} holds something that is no finite number.")
    return numbers
