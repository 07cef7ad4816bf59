"""Receipts: every number put into a document, with the key of the plan it stands for, held against what was written.

A writer gives each number it shows to a `Ledger` with its place ("sheet cash, cell C7", "slide 3, table") and its key.
The written document is then read again, and `Ledger.check` says which numbers stand for nothing in the plan, which
differ from what the plan holds at the decimals shown, and which were lost.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from optimizer.business.lines import LINES
from optimizer.ground.errors import PlanError
from optimizer.plan.figures import figures_of

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.auditors.report import Report
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

How = Literal["sum", "min", "max", "count", "last"]
FIGURES = frozenset({"figures", "record", "settings", "audit"})
"""Rooms that hold figures, not tables."""


@dataclass(frozen=True)
class Key:
    """Where a number of a plan stands: a column of a table, over the rows in which some columns hold some values.

    `room` is a table of the plan (`cash`), the same of the plan that decides nothing (`nothing/cash`), a table of
    the case (`inputs/sites`), of the room of figures (`figures/rents`) or of a study (`studies/tornado/drivers`);
    or `figures`, `record` (of `plan.json`), `settings` and `audit`, where `name` is the figure itself. `how` says
    what is taken over the rows. `plan` is a run id; blank means the document's first plan. Tables with quarters may
    be asked by `year`, those with lines by their `group`, any table by the number `#` of a row.
    """

    room: str
    name: str
    where: tuple[tuple[str, str], ...] = ()
    how: How = "sum"
    plan: str = ""

    def __str__(self) -> str:
        rows = ", ".join(f"{column} {value}" for column, value in self.where)
        taken = "" if self.how == "sum" else f"{self.how} of "
        run = f"run {self.plan}: " if self.plan else ""
        return f"{run}{taken}{self.room}.{self.name}" + (f" [{rows}]" if rows else "")


@dataclass(frozen=True)
class Reckoned:
    """A number reckoned from others: their sum, the first less the rest, or the first over the second."""

    how: Literal["sum", "less", "over"]
    parts: tuple[Amount, ...]

    def __str__(self) -> str:
        word = {"sum": " + ", "less": " - ", "over": " / "}[self.how]
        return word.join(f"({part})" if isinstance(part, Reckoned) else str(part) for part in self.parts)


Amount = Key | Reckoned


def kpi(name: str, plan: str = "") -> Key:
    """The key of a figure of the room of figures."""
    return Key("figures", name, plan=plan)


def at(room: str, name: str, how: How = "sum", plan: str = "", /, **where: object) -> Key:
    """The key of a cell, or of all cells of a column that share some values: `at("cash", "net_musd", quarter=q)`."""
    return Key(room, name, tuple(sorted((column, str(value)) for column, value in where.items())), how, plan)


@dataclass(frozen=True)
class Receipt:
    """One number shown: `shown` is `scale` times what the key holds, to so many decimals."""

    place: str
    shown: float
    decimals: int
    key: Amount
    scale: float = 1.0


@dataclass
class Ledger:
    """Every number put into one document. `plans` are those it tells, by run id, the first one first."""

    plans: Mapping[str, Plan]
    studies: Mapping[str, Study] = field(default_factory=dict)
    audit: Report | None = None
    receipts: list[Receipt] = field(default_factory=list)
    _found: dict[Any, Mapping[tuple[str, ...], float]] = field(default_factory=dict, repr=False)

    def put(self, place: str, shown: float | str, key: Amount, decimals: int, scale: float = 1.0) -> None:
        """Record a number as it is shown at a place; a text is read as a number. Raises PlanError for none."""
        number = number_of(shown)
        if not math.isfinite(number):
            raise PlanError(f"{place} would show {shown!r}, which is no number ({key}). Nothing was written.")
        self.receipts.append(Receipt(place, number, decimals, key, scale))

    def show(self, place: str, key: Amount, decimals: int, scale: float = 1.0) -> str:
        """The number of a key as text with its thousands separated, recorded. Raises PlanError where there is none."""
        text = f"{self.worth(key) * scale:,.{decimals}f}"
        text = text.lstrip("-") if not text.strip("-0.,") else text
        self.put(place, text, key, decimals, scale)
        return text

    # ---- what a key holds -----------------------------------------------------------------------------------------

    def worth(self, key: Amount) -> float:
        """What the plan holds under a key. Raises PlanError where it holds no number."""
        if isinstance(key, Key):
            return self._of_key(key)
        first, *rest = (self.worth(part) for part in key.parts)
        if key.how == "over":
            if rest[0] == 0:
                raise PlanError(f"{key} is no number: it divides by nothing.")
            return first / rest[0]
        return math.fsum([first, *rest] if key.how == "sum" else [first, *(-number for number in rest)])

    def _of_key(self, key: Key) -> float:
        plan = self.plans[key.plan] if key.plan else next(iter(self.plans.values()))
        found = self._figure(plan, key) if key.room in FIGURES else self._cell(plan, key)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise PlanError(f"the plan holds no number under {key}.")
        return float(found)

    def _figure(self, plan: Plan, key: Key) -> object:
        if key.room == "figures":
            return figures_of(plan)[key.name]
        if key.room == "record":
            return plan.record().get(key.name)
        if key.room == "audit":
            return getattr(self.audit, key.name, None)
        name, _, part = key.name.partition(".")
        found = getattr(plan.case.settings, name, None)
        return found.get(part) if isinstance(found, Mapping) else found

    def _cell(self, plan: Plan, key: Key) -> object:
        columns = tuple(column for column, _ in key.where)
        index = (plan.run_id, key.room, key.name, columns, key.how)
        if index not in self._found:
            self._found[index] = _grouped(self._table(plan, key), key, columns)
        none = 0.0 if key.how in ("sum", "count") else None
        return self._found[index].get(tuple(value for _, value in key.where), none)

    def _table(self, plan: Plan, key: Key) -> pd.DataFrame:
        room, _, rest = key.room.partition("/")
        if room == "nothing" and plan.nothing is not None:
            tables: Mapping[str, pd.DataFrame] = plan.nothing
        elif room == "inputs":
            return plan.case.table(rest)
        elif room == "figures":
            tables = figures_of(plan).tables
        elif room == "studies":
            kind, _, rest = rest.partition("/")
            tables = self.studies[kind].tables
        elif room == "audit" and self.audit is not None:
            tables = {"checks": self.audit.frame}
        else:
            tables, rest = plan.tables, key.room
        if rest not in tables:
            raise PlanError(f"the plan has no table for {key}.")
        return tables[rest]

    # ---- what was written -----------------------------------------------------------------------------------------

    def check(self, read_back: Mapping[str, Iterable[float]]) -> list[str]:
        """What does not match, in sentences: place -> the numbers read there from the written document."""
        due: dict[str, list[Receipt]] = {}
        for receipt in self.receipts:
            due.setdefault(receipt.place, []).append(receipt)
        wrong: list[str] = []
        for place, numbers in read_back.items():
            wrong += self._held_against(place, list(numbers), due.pop(place, []))
        return wrong + [f"{r.place}: {r.shown:g} ({r.key}) was not found again" for rs in due.values() for r in rs]

    def _held_against(self, place: str, numbers: list[float], receipts: list[Receipt]) -> list[str]:
        left, wrong = list(receipts), []
        for number in numbers:
            match = next((r for r in left if agrees(number, r.shown, r.decimals)), None)
            if match is None:
                wrong.append(f"{place}: {number:g} stands for nothing in the plan")
                continue
            left.remove(match)
            held = self.worth(match.key) * match.scale
            if not agrees(number, held, match.decimals):
                wrong.append(f"{place}: {number:g} is shown where the plan holds {held:.12g} ({match.key})")
        return wrong + [f"{place}: {r.shown:g} ({r.key}) was not found again" for r in left]


def _grouped(table: pd.DataFrame, key: Key, columns: Sequence[str]) -> Mapping[tuple[str, ...], float]:
    """What each group of rows holds, so that ten thousand keys do not search the table ten thousand times."""
    table = _with_sums(table, columns)
    lacking = [column for column in (key.name, *columns) if column not in table.columns]
    if lacking and key.how != "count":
        raise PlanError(f"{key.room} has no column {lacking[0]} ({key}).")
    groups: dict[tuple[str, ...], list[float]] = {}
    numbers = table[key.name] if key.how != "count" else [1.0] * len(table)
    names = [table[column].astype(str) for column in columns]
    for number, *group in zip(numbers, *names, strict=True):
        groups.setdefault(tuple(group), []).append(float(number))
    return {group: _taken(key.how, found) for group, found in groups.items()}


def _with_sums(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The table with the years of its quarters, the groups of its lines or the numbers of its rows, as a key asks."""
    if "year" in columns and "year" not in table and "quarter" in table:
        table = table.assign(year=table["quarter"].astype(str).str[:4])
    if "#" in columns:
        table = table.assign(**{"#": [str(number) for number in range(len(table))]})
    if "group" in columns and "group" not in table and "line" in table:
        table = table.assign(group=[LINES[line].group for line in table["line"]])
    return table


def _taken(how: How, numbers: Sequence[float]) -> float:
    match how:
        case "sum":
            return math.fsum(numbers)
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
        case "count":
            return float(len(numbers))
        case "last":
            return numbers[-1]


def input_hash(plan: Plan) -> str:
    """Twelve hexadecimal digits over the names and hashes of all inputs."""
    hashes: Mapping[str, str] = plan.provenance["inputs_sha256"]
    return hashlib.sha256("".join(f"{name} {hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest()[:12]


def agrees(shown: float, held: float, decimals: int) -> bool:
    """Whether a number rounded to so many decimals is what is held, with the room that a tie needs."""
    return abs(shown - held) <= 0.5 * 10.0**-decimals + 1e-9 * max(1.0, abs(held))


def adds_up(parts: Iterable[float], total: float, decimals: int) -> bool:
    """Whether rounded parts add to the rounded total; where not, a document says that figures may not add."""
    return abs(math.fsum(round(part, decimals) for part in parts) - round(total, decimals)) < 0.5 * 10.0**-decimals


# ---- numbers in texts ---------------------------------------------------------------------------------------------

_NO_NUMBERS = re.compile(r"\b\d{4}Q[1-4]\b|\b\d{4}-\d{2}-\d{2}\b|\b\d+\.\d+\.\d+\b")
"""Quarters, dates and versions."""
_NUMBER = re.compile(r"(?<![\w.])([-\u2212]?)[$\u20ac]?(\d[\d,]*(?:\.\d+)?)")


def number_of(shown: float | str) -> float:
    """The number that a text shows: `-$1,234.5M` is -1234.5; nan where it shows none or several."""
    if not isinstance(shown, str):
        return float(shown)
    numbers = numbers_in(shown)
    return numbers[0] if len(numbers) == 1 else math.nan


def numbers_in(text: str, names: Iterable[str] = ()) -> list[float]:
    """The numbers that a text shows, without those in quarters, dates, versions and in the given names."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ") if name else text
    found = _NUMBER.findall(_NO_NUMBERS.sub(" ", text))
    return [float(digits.replace(",", "")) * (-1 if sign else 1) for sign, digits in found]
