"""Blocks as a page draws them: texts with their keys, tables, and charts as shapes in percent that fit any width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from optimizer.telling.board.blocks import (
    Bars,
    Chart,
    Gantt,
    Grid,
    Paragraph,
    Points,
    Section,
    Series,
    Strips,
    Table,
    Texts,
    reach,
)  # fmt: skip
from optimizer.telling.board.figures import GAP, Figure
from optimizer.telling.board.ledger import LEFT_TO_RIGHT, Ledger, Receipt

Drawn = dict[str, Any]
LOOKS = 6
"""Products, facilities and the like take their look in turn from so many."""
_FILLS = {"strong": "capex", "middle": "side-low", "good": "up", "bad": "down", "level": "total", "lead": "side-high"}
_LINES = {
    "strong": "line-main", "middle": "line-second", "bad": "line-limit", "quiet": "line-nothing",
    "product 2": "line-third", "product 3": "line-fourth",
}  # fmt: skip
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

# ---- texts and tables -----------------------------------------------------------------------------------------------


def html(ledger: Ledger, marked: str, element: str = "") -> Markup:
    """A marked text with the key of each number beside it, and each name set apart so that its script keeps its way.

    `element` is `tspan` inside a drawing.
    """
    return Markup("").join(_html_of(part, element) for part in ledger.parts(marked))


def _html_of(part: str | Receipt, element: str) -> Markup:
    if isinstance(part, str):
        return escape(part)
    if part.value is None:
        name, text = element or "bdi", part.text.strip(LEFT_TO_RIGHT)
        return Markup("<{0} data-text>{1}</{0}>").format(name, text)
    decimals = Markup("") if part.decimals == 1 else Markup(' data-decimals="{}"').format(part.decimals)
    opening = Markup("tspan" if element else 'span class="n"')
    return Markup('<{} data-key="{}"{}>{}</{}>').format(opening, part.key, decimals, part.text, element or "span")


def sentence(ledger: Ledger, title: str) -> Markup:
    """A title with its full stop, which slides go without."""
    return html(ledger, title if title.endswith(".") or ledger.plain(title).endswith(".") else f"{title}.")


def words(ledger: Ledger, block: Texts) -> list[Drawn]:
    """Paragraphs, those of one kind together."""
    kinds = groupby(block.paragraphs, lambda one: (one.bullet, one.quiet))
    return [
        {"kind": "words", "bullets": bullet, "note": quiet, "sentences": [_sentence(ledger, one) for one in paragraphs]}
        for (bullet, quiet), paragraphs in kinds
    ]


def _sentence(ledger: Ledger, paragraph: Paragraph) -> Markup:
    told = html(ledger, paragraph.text)
    told = Markup("<strong>{}</strong>").format(told) if paragraph.bold else told
    return Markup('<span class="{}">{}</span>').format(paragraph.units, told) if paragraph.units else told


def table(ledger: Ledger, one: Table, name: str = "") -> Drawn:
    """A table; where the keys of a row differ only by those of the columns, the row says them once."""
    aligns = one.aligns or "l" + "r" * (len(one.keys) or len(one.head) - 1)
    heads = [_bdi(key) for key in one.keys] if one.keys else [html(ledger, head) for head in one.head[1:]]
    keys = (*one.keys, *("" for _ in heads[len(one.keys) :]))
    columns = [
        {"heading": head, "key": key, "number": side == "r"}
        for head, key, side in zip(heads, keys, aligns[1:], strict=True)
    ]
    rows = [_row(ledger, one, i) for i in range(len(one.rows))]
    return {
        "kind": "table", "id": name, "caption": html(ledger, one.caption), "units": one.units, "folded": one.folded,
        "corner": html(ledger, one.head[0]) or "item", "columns": columns, "rows": rows, "sortable": not one.keys,
    }  # fmt: skip


def _bdi(text: str) -> Markup:
    return Markup("<bdi data-text>{}</bdi>").format(text)


def _row(ledger: Ledger, one: Table, i: int) -> Drawn:
    heading, *cells = one.rows[i]
    key = _row_key(ledger, cells, one.keys)
    told = [Markup(escape(ledger.plain(cell))) if key else html(ledger, cell) for cell in cells]
    return {
        "heading": html(ledger, heading), "key": key, "cells": told, "total": i in one.strong,
        "zeros": [ledger.plain(cell) == "0.0" for cell in cells], "group": one.groups[i] if one.groups else "",
        "use": look(one.looks[i]) if one.looks else "",
    }  # fmt: skip


def _row_key(ledger: Ledger, cells: Sequence[str], keys: Sequence[str]) -> str:
    """The key of a row's cells with `*` for that of the column; blank where they have no such key in common."""
    parts = [[part for part in ledger.parts(cell) if part] for cell in cells]
    found = [one[0] for one in parts if len(one) == 1 and isinstance(one[0], Receipt) and one[0].decimals == 1]
    if not keys or len(found) < len(cells) or any(one.value is None for one in found):
        return ""
    shared = found[0].key.replace(keys[0], "*")
    whole = all(composed(shared, key) == one.key for key, one in zip(keys, found, strict=True))
    return shared if whole else ""


def composed(row: str, column: str) -> str:
    """The key of a cell: its row's key with the column in the place of each `*`."""
    return row.replace("*", column)


# ---- axes and shapes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rect:
    """A rectangle in percent of the plot, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True)
class Tick:
    """A round value or a text of an axis, at so many percent of it; `minor` ticks go where there is little room."""

    at: float
    value: float = 0.0
    text: str = ""
    minor: bool = False

    @property
    def label(self) -> str:
        decimals = next((n for n in (0, 2, 3, 4) if abs(round(self.value, n) - self.value) < 1e-9), 6)
        return f"{self.value:,.{decimals}f}".replace("-", "\u2212")


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
    for name, values in series:
        for i, value in enumerate(values):
            if abs(value) > 1e-9:
                base = (up if value > 0 else down)[i]
                (up if value > 0 else down)[i] = base + value
                top, foot = scale.at(max(base, base + value)), scale.at(min(base, base + value))
                rects.append(Rect((i + gap / 2) / columns * 100, top, (1 - gap) / columns * 100, foot - top, name))
    return rects


def look(role: str, line: bool = False) -> str:
    """The class of the style sheet for a role of the palette."""
    kind, _, number = role.partition(" ")
    if line:
        return _LINES.get(role, "line-second")
    if role.endswith(" later"):
        return "after"
    if kind in ("product", "unlisted"):
        return f"{'p' if kind == 'product' else 'x'}{int(number) % LOOKS}"
    return _FILLS.get(role, role)


def time_ticks(keys: Sequence[str]) -> list[Tick]:
    """A tick where each year begins, of quarters or of years."""
    starts = [i for i, key in enumerate(keys) if i == 0 or key.endswith("Q1") or "Q" not in key]
    few, last = len(starts) // 9 + 1, 2 if "Q" in keys[-1] else 1
    return [
        Tick(i / len(keys) * 100, text=keys[i][:4], minor=bool(n % (2 * few)))
        for n, i in enumerate(starts)
        if n % few == 0 and (i + last < len(keys) or i == 0)
    ]


# ---- charts ---------------------------------------------------------------------------------------------------------


def chart(ledger: Ledger, one: Chart, name: str) -> Drawn:
    """Columns or lines over time; the table holds every number, and hovering reads them from there."""
    if one.limit:
        reach(one, ledger)
    lines = [*([one.limit] if one.limit else []), *(one.series if one.kind == "lines" else [])]
    columns = [] if one.kind == "lines" else list(one.series)
    sums = [sum(v for v in at if side * v > 0) for at in zip(*map(_values, columns), strict=True) for side in (1, -1)]
    named = [*((look(series.role), series) for series in columns), *((_line(series), series) for series in lines)]
    scale = axis([*sums, *(value for series in lines for value in _values(series) if not math.isnan(value))])
    return {
        "kind": "chart", "id": name, "unit": one.unit, "columns": len(one.keys), "y_ticks": scale.ticks,
        "x_ticks": time_ticks(one.keys), "zero": scale.at(0), "units": one.units,
        "legend": [(name, html(ledger, series.name)) for name, series in named],
        "rects": stacked([(look(series.role), _values(series)) for series in columns], scale),
        "paths": [(_line(series), _points(series, scale)) for series in lines],
        "marks": [mark for series in one.series for mark in _marks(ledger, series, scale)],
        "table": table(ledger, _behind(ledger, one), f"{name}-table"),
    }  # fmt: skip


def _values(series: Series) -> list[float]:
    return [figure.value for figure in series.values]


def _line(series: Series) -> str:
    return "line-grid" if series.role == "level" else look(series.role, line=True)


def _points(series: Series, scale: Axis) -> list[tuple[float, float]]:
    """Through the middles of the columns, gaps left out; a limit keeps to each value over the whole of its column."""
    sides = (0.0, 1.0) if series.role in ("level", "bad") else (0.5,)
    there = [(i, value) for i, value in enumerate(_values(series)) if not math.isnan(value)]
    return [(i + side, scale.at(value)) for i, value in there for side in sides]


def _marks(ledger: Ledger, series: Series, scale: Axis) -> list[Drawn]:
    marks = []
    for i, marked in series.labels:
        x = (i + 0.5) / len(series.values) * 100
        anchor = "start" if x < 25 else "end" if x > 75 else "middle"
        marks.append({"x": x, "y": scale.at(series.values[i].value), "label": html(ledger, marked, "tspan"),
                      "anchor": anchor})  # fmt: skip
    return marks


def _behind(ledger: Ledger, one: Chart) -> Table:
    """The table of a chart: a row for each series."""
    series = [*one.series, *([one.limit] if one.limit else [])]
    rows = tuple((one_.name, *(_told(ledger, one, figure) for figure in one_.values)) for one_ in series)
    strong = frozenset({len(rows) - 1}) if one.limit else frozenset()
    return Table(
        one.name, ("", *one.keys), rows, strong=strong, caption=one.alt, keys=one.keys, units=one.units, folded=True
    )


def _told(ledger: Ledger, one: Chart, figure: Figure) -> str:
    return "" if figure is GAP else ledger.fixed(figure, one.decimals)


def strips(ledger: Ledger, one: Strips, name: str) -> Drawn:
    """Uses stacked over time in a row for each site, up to the most that it has."""
    drawn = []
    for n, (site, beside, uses) in enumerate(one.rows):
        most = max(map(sum, zip(*([figure.value for figure in path] for _, path in uses), strict=True)))
        series = [(look(role), [figure.value for figure in path]) for role, path in uses]
        rects = _joined(stacked(series, Axis(0.0, most, most), gap=0.0))
        drawn.append({"name": html(ledger, site), "beside": html(ledger, beside), "rects": rects, "group": f"g{n}"})
    return _rows(ledger, name, drawn, one.table.keys, one.legend, one.table) | {"tall": False}


def _rows(
    ledger: Ledger,
    name: str,
    drawn: Sequence[Drawn],
    keys: Sequence[str],
    legend: Sequence[tuple[str, str]],
    behind: Table,
) -> Drawn:
    return {
        "kind": "strips", "id": name, "columns": len(keys), "x_ticks": time_ticks(keys), "strips": drawn,
        "legend": [(look(role), html(ledger, told)) for role, told in legend], "units": behind.units,
        "table": table(ledger, behind, f"{name}-table"), "tall": True,
    }  # fmt: skip


def _joined(rects: Sequence[Rect]) -> list[Rect]:
    """Neighbours of one look and height as one rectangle."""
    joined: list[Rect] = []
    for rect in rects:
        last = joined[-1] if joined else rect
        same = (last.look, round(last.y, 6), round(last.height, 6)) == (
            rect.look,
            round(rect.y, 6),
            round(rect.height, 6),
        )
        if joined and same and abs(last.x + last.width - rect.x) < 1e-6:
            joined[-1] = Rect(last.x, last.y, last.width + rect.width, last.height, last.look)
        else:
            joined.append(rect)
    return joined


def gantt(ledger: Ledger, one: Gantt, name: str) -> Drawn:
    """Bars over time, each told beside its name; the end of the horizon as a line."""
    assert one.table is not None
    drawn = []
    for lane in one.lanes:
        spans = [(bar.first, bar.last + 1 - bar.first, look(bar.role)) for bar in lane.bars]
        rects = [Rect(at / one.steps * 100, 12, wide / one.steps * 100, 76, role) for at, wide, role in spans]
        if 0 < one.end < one.steps:
            rects.append(Rect(one.end / one.steps * 100, 0, 0.3, 100, "horizon"))
        beside = "; ".join(bar.texts[0] for bar in lane.bars)
        drawn.append({"name": html(ledger, lane.label), "beside": html(ledger, beside), "rects": rects, "group": ""})
    return _rows(ledger, name, drawn, one.keys, one.legend, one.table)


def bars(ledger: Ledger, one: Bars) -> Drawn:
    """A table whose rows have a horizontal bar around a line: a bridge, a tornado."""
    ends = [one.line, *(end for _, stretches, _ in one.rows for low, high, _ in stretches for end in (low, high))]
    low, span = min(ends), (max(ends) - min(ends)) or 1.0
    line = Rect((one.line - low) / span * 100, 0, 0.25, 100, "zero")
    rows = [
        {
            "name": html(ledger, told), "cells": [html(ledger, cell) for cell in cells], "total": i in one.strong,
            "rects": [line, *(Rect((min(a, b) - low) / span * 100, 18, abs(b - a) / span * 100, 64, look(role))
                              for a, b, role in stretches)],
        }
        for i, (told, stretches, cells) in enumerate(one.rows)
    ]  # fmt: skip
    return {
        "kind": "bars",
        "caption": html(ledger, one.caption),
        "corner": one.head[0],
        "headings": one.head[1:],
        "rows": rows,
    }


def points(ledger: Ledger, one: Points, name: str) -> Drawn:
    """Values over an axis of their own, each a point; the table holds the numbers."""
    across, up = axis(x for x, _ in one.points), axis(y for _, y in one.points)
    ticks = [Tick(100 - tick.at, tick.value, minor=tick.minor) for tick in across.ticks]
    marks = [{"x": 100 - across.at(x), "y": up.at(y), "label": "", "anchor": "middle"} for x, y in one.points]
    return {
        "kind": "chart", "id": name, "unit": one.unit, "columns": 0, "y_ticks": up.ticks, "x_ticks": ticks, "rects": [],
        "zero": up.at(0), "units": "", "legend": [("point", one.legend)], "paths": [], "marks": marks,
        "table": table(ledger, one.table),
    }  # fmt: skip


def grid(ledger: Ledger, one: Grid) -> Drawn:
    """A map over two inputs: a letter in each cell, the case as it is framed."""
    rows = [
        {
            "heading": html(ledger, head),
            "cells": [(html(ledger, told), look(role) if role else "", base) for told, role, base in cells],
        }
        for head, cells in one.rows
    ]
    heads = [html(ledger, head) for head in one.head]
    return {"kind": "grid", "caption": html(ledger, one.caption), "columns": heads, "rows": rows}


def section(ledger: Ledger, one: Section, prefix: str) -> Drawn:
    """A section under its topic."""
    drawn: list[Drawn] = []
    for block in one.blocks:
        if isinstance(block, Texts):
            drawn += words(ledger, block)
        elif isinstance(block, Chart):
            drawn.append(chart(ledger, block, f"{prefix}-{block.name.removeprefix('chart:')}"))
        elif isinstance(block, Table):
            drawn.append(table(ledger, block))
        elif isinstance(block, Bars):
            drawn.append(bars(ledger, block))
        elif isinstance(block, Strips):
            drawn.append(strips(ledger, block, f"{prefix}-{block.name}"))
        elif isinstance(block, Gantt):
            drawn.append(gantt(ledger, block, f"{prefix}-{block.name}"))
        elif isinstance(block, Grid):
            drawn.append(grid(ledger, block))
        elif isinstance(block, Points):
            drawn.append(points(ledger, block, f"{prefix}-{block.name}"))
    return {"id": one.name, "topic": one.topic, "message": sentence(ledger, one.title), "blocks": drawn}
