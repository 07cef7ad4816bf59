"""A finished page read again: every number in it is held against the plan by its key.

A number stands in an element with `data-key`, or in a cell of a table whose row and column make the key, or is the
label of an axis. Everything else that people read (texts, labels, titles) holds no digit unless it is word for word a
text of the plan. The figures that the page keeps for its receipts are exactly those of the plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, get_args

from optimizer.business.lines import Group
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES
from optimizer.case.folder import cell_text
from optimizer.ground.errors import PlanError
from optimizer.ground.quarters import Quarter
from optimizer.plan.unused import reasons_of
from optimizer.telling.board.keys import Answers
from optimizer.telling.board.ledger import LEFT_TO_RIGHT, plain_text
from optimizer.telling.board.page.drawing import composed
from optimizer.telling.board.tables import input_table, provenance, refused_table, settings_of, signed_table

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.telling.board.pack import Pack

_NUMBER = re.compile(r"([−+]?)\$?([\d,]+(?:\.\d+)?)(M|%)?")
_SPAN = re.compile(r"\d{4}(Q[1-4])?")
_DIGIT = re.compile(r"\d")
_VOID = {"meta", "br", "input", "link", "hr", "img", "rect", "line", "polyline", "circle", "path", "col", "wbr"}
_READ = ("aria-label", "title", "alt", "label", "aria-description", "placeholder")
_SEPARATOR = " · "


@dataclass
class _Open:
    """An element that is open while the file is read."""

    tag: str
    attributes: Mapping[str, str]
    text: list[str] = field(default_factory=list)
    column: int = -1


@dataclass
class _Grid:
    """The table that is open: the keys of its columns, of its row, and its decimals."""

    decimals: int
    columns: list[str] = field(default_factory=list)
    row: str = ""
    cell: int = 0


class _Reader(HTMLParser):
    """Collects the numbers with their keys, the texts that claim to be of the plan, and everything else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.numbers: list[tuple[str, str, int]] = []
        self.axes: list[list[tuple[str, str]]] = []
        self.headings: list[tuple[str, str]] = []
        self.claimed: list[str] = []
        self.others: list[str] = []
        self.data = ""
        self.css = ""
        self._open: list[_Open] = []
        self._grid: _Grid | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.others += [attributes[name] for name in _READ if name in attributes]
        if tag not in _VOID:
            self._open.append(_Open(tag, attributes))
        self._enter(tag, attributes)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.others += [value or "" for name, value in attrs if name in _READ]

    def _enter(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "svg":
            self.axes.append([])
        elif tag == "table":
            self._grid = _Grid(int(attributes.get("data-decimals", "1")))
        elif self._grid and tag == "tr":
            self._grid.row, self._grid.cell = attributes.get("data-row", ""), 0
        elif self._grid and tag in ("td", "th"):
            if tag == "th" and not self._grid.row:
                self._grid.columns.append(attributes.get("data-col", ""))
            self._open[-1].column = self._grid.cell
            self._grid.cell += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self._open or self._open[-1].tag != tag:
            raise PlanError(f"The page is not written: its markup does not close ({tag}).")
        self._leave(self._open.pop())
        if tag == "table":
            self._grid = None

    def _leave(self, element: _Open) -> None:
        text = "".join(element.text)
        if "data-key" in element.attributes:
            decimals = int(element.attributes.get("data-decimals", "1"))
            self.numbers.append((element.attributes["data-key"], text, decimals))
        elif "data-text" in element.attributes:
            self.claimed.append(text)
            if self._open and _SPAN.fullmatch(self._open[-1].attributes.get("data-col", "")):
                self.headings.append((self._open[-1].attributes["data-col"], text))
        elif "data-tick" in element.attributes:
            side = "y" if element.attributes.get("x") == "100%" else "x"
            self.axes[-1].append((element.attributes[side], text))
        elif element.tag == "script":
            self.data += text if element.attributes.get("type") == "application/json" else ""
        elif element.tag == "style":
            self.css += text
        elif element.tag == "td" and self._grid and self._grid.row and _DIGIT.search(text):
            key = composed(self._grid.row, self._grid.columns[element.column])
            self.numbers.append((key, text, self._grid.decimals))
        else:
            self.others.append(text)

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1].text.append(data)
        else:
            self.others.append(data)


@dataclass(frozen=True)
class Receipts:
    """What was found: how many numbers, texts of the plan and axis labels were held against the plan."""

    numbers: int
    texts: int
    ticks: int


def check(page: str, answers: Answers, texts: Collection[str]) -> Receipts:
    """Hold every number of a finished page against the plans. Raises PlanError with the first that does not hold."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    wrong = next(_wrong(reader, answers, set(map(_one_line, texts))), None)
    if wrong is not None:
        raise PlanError(f"The page is not written: {wrong}.")
    return Receipts(len(reader.numbers), len(reader.claimed), sum(map(len, reader.axes)))


def _wrong(reader: _Reader, answers: Answers, texts: set[str]) -> Iterator[str]:
    kept = _kept(reader.data)
    if len(kept) != len(reader.numbers):
        yield f"it keeps {len(kept)} figures for {len(reader.numbers)} numbers"
    for (key, text, decimals), figure in zip(reader.numbers, kept, strict=False):
        yield from _wrong_number(key, text, decimals, figure, answers)
    for text in reader.claimed:
        if _one_line(text) not in texts and not all(part in texts for part in text.split(_SEPARATOR)):
            yield f"{text!r} is called a text of the plan and is none"
    for column, text in reader.headings:
        if column != text:
            yield f"{text!r} heads the column of {column}"
    for axis in reader.axes:
        yield from _wrong_axis(axis)
    for text in reader.others:
        if _DIGIT.search(text) and not all(not _DIGIT.search(p) or p in texts for p in text.split(_SEPARATOR)):
            yield f"{' '.join(text.split())!r} holds a number without a key"


def _kept(data: str) -> list[float]:
    """The figures that a page keeps for its receipts; none where they cannot be read."""
    try:
        return list(json.loads(data)["numbers"])
    except (ValueError, KeyError, TypeError):
        return []


def _wrong_axis(axis: list[tuple[str, str]]) -> Iterator[str]:
    """The labels of an axis are numbers, and lie as far apart as they are."""
    ticks = [(float(at.rstrip("%")), parsed(text)) for at, text in axis]
    values = [value for _, value in ticks if value is not None]
    if len(values) < len(ticks):
        yield f"{axis} labels an axis with what is no number"
    elif len(ticks) > 2:
        (first, low), (last, high) = (ticks[0][0], values[0]), (ticks[-1][0], values[-1])
        for (at, _), value in zip(ticks, values, strict=True):
            if abs((at - first) * (high - low) - (value - low) * (last - first)) > 1e-3 * abs(high - low):
                yield f"{value:g} does not lie where it should on its axis"


def _wrong_number(key: str, text: str, decimals: int, figure: float, answers: Answers) -> Iterator[str]:
    try:
        value = answers.read(key)
    except PlanError:
        yield f"{text!r} has a key that the plan does not know ({key})"
        return
    if abs(figure - value) > 1e-9 * max(1.0, abs(value)):
        yield f"the figure kept for {key} is {figure}, the plan holds {value}"
    shown = parsed(text)
    if shown is None or len(text.partition(".")[2].rstrip("M%")) != decimals:
        yield f"{text!r} is not a number with {decimals} decimals ({key})"
    elif abs(shown - value) > 0.5 * 10**-decimals + 1e-9 * max(1.0, abs(value)):
        yield f"{text!r} is shown for {key}, the plan holds {value}"


def parsed(text: str) -> float | None:
    """The number that a text shows; None where it is no number as the page writes them."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    return float(match.group(2).replace(",", "")) * (-1 if match.group(1) == "−" else 1)


def page_numbers(page: str) -> list[str]:
    """The keys of all numbers of a page, in the order in which they stand."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return [key for key, _, _ in reader.numbers]


# ---- what a name on the page may say --------------------------------------------------------------------------------


def _one_line(text: str) -> str:
    return plain_text(text).strip(LEFT_TO_RIGHT)


def texts_of(pack: Pack) -> Iterator[str]:
    """Every text of a plan, its case, its audit and its studies."""
    plan, settings = pack.plan, pack.plan.case.settings
    yield from _texts(plan.record())
    yield from (pack.source.name, plan.word, plan.status_words, *pack.stamps, *plan.edited, *get_args(Group))
    yield from (text for row in settings_of(plan) for text in map(str, row))
    yield from (told for _, told in provenance(plan))
    yield from (f"{rate:.1%}" for rate in plan.programme_rates)
    yield from (name for rate in settings.discount_rates for name in (rate, f"discount_rates.{rate}"))
    yield from (f"{name}: {TABLE_TYPES[name].about}" for name in TABLE_NAMES)
    yield from (str(day) for day in (settings.as_of, *settings.halvings))
    yield from (year for quarter in pack.quarters for year in (quarter, quarter[:4]))
    yield from ("yes", "no", "holds", "FAILS")
    for table in _tables(pack):
        yield from map(str, table.columns)
        yield from (text for column in table.columns for text in _texts(list(table[column])))
        yield from (str(quarter)[:4] for quarter in table.get("quarter", ()))
    yield from (
        cell_text(cell) for name in TABLE_NAMES for row in plan.case.rows(name) for cell in row.model_dump().values()
    )
    for study in pack.named_studies.values():
        yield from (study.title, *study.words)
        yield from _texts(study.about)
    yield from (text for reason in reasons_of(plan) for text in (reason.hall, reason.machines))
    yield from (cell for origin in pack.origins for cell in origin.cells)


def _tables(pack: Pack) -> Iterator[pd.DataFrame]:
    """Every table that the plan, its figures, its audit and its studies hold."""
    studies = (study.tables for study in pack.named_studies.values())
    for tables in (pack.plan.tables, pack.plan.nothing or {}, pack.room.tables, *studies):
        yield from tables.values()
    yield pack.audit.frame
    yield signed_table(pack.plan).frame
    yield refused_table(pack.plan).frame
    yield from (one.frame for name in TABLE_NAMES if (one := input_table(pack.plan, name, every=True)) is not None)


def _texts(held: Any) -> Iterator[str]:
    """Every name and text in nested dictionaries and lists."""
    if isinstance(held, Mapping):
        yield from (str(name) for name in held)
        yield from (text for inner in held.values() for text in _texts(inner))
    elif isinstance(held, list | tuple):
        yield from (text for inner in held for text in _texts(inner))
    elif held is not None and (isinstance(held, bool | Quarter) or not isinstance(held, int | float)):
        yield str(held)
