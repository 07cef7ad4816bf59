"""Pictures of a plan: the charts that deck and page show, drawn for paper; readable in black and white."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from optimizer.telling.board.blocks import Chart, Gantt, Section, Series, reach
from optimizer.telling.board.pack import Pack, alone
from optimizer.telling.board.subjects.capex import capex_section
from optimizer.telling.board.subjects.cash import cash_section
from optimizer.telling.board.subjects.contracts import contracts_section
from optimizer.telling.board.subjects.megawatts import megawatts_section, most_unused
from optimizer.telling.pictures import sheet as on
from optimizer.telling.pictures.lettering import cut, plain, wrap
from optimizer.telling.pictures.sheet import DARK, INK, LINE_IN, MIDDLE, PALE, PAPER, SOFT, Sheet
from optimizer.telling.pictures.tables import plan_source

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

TICKS_IN, KEY_IN = 0.45, 1.55
Look = dict[str, Any]
OVER = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
FILLS: dict[str, tuple[Look, ...]] = {
    "mining": ({"facecolor": PALE},), "idle": ({"facecolor": PAPER, "hatch": "...."},),
    "building": ({"facecolor": PAPER, "hatch": "xxxxxx"},), "strong": ({"facecolor": MIDDLE, "edgecolor": DARK},),
    "product": (
        {"facecolor": DARK}, {"facecolor": MIDDLE}, {"facecolor": MIDDLE, "hatch": "||||"},
        {"facecolor": PALE, "hatch": "\\\\\\\\"},
    ),
    "unlisted": ({"facecolor": PAPER, "hatch": "oooo"}, {"facecolor": PALE, "hatch": "****"}),
    "unused": ({"facecolor": PAPER, "edgecolor": on.RULE, "hatch": "///"},),
}  # fmt: skip
"""What each role is filled with; products and other uses take theirs in turn."""
LINES: dict[str, Look] = {
    "strong": {"color": DARK, "linewidth": 1.6}, "middle": {"color": MIDDLE, "linewidth": 1.3},
    "bad": {"color": INK, "linewidth": 0.9, "linestyle": (0, (5, 2))}, "level": {"color": INK, "linewidth": 1.2},
    "quiet": {"color": SOFT, "linewidth": 1.1, "linestyle": ":"},
}  # fmt: skip


def draw_megawatts(plan: Plan) -> Figure:
    """Gross MW by use, stacked up to the grid limit; why most of the unused stands so."""
    pack = alone(plan)
    told = megawatts_section(pack)
    chart = next(chart for chart in _charts(told) if chart.units == "gross")
    reach(chart, pack.ledger)
    return _draw(pack, told, [chart], "gross MW up to the grid limit", most_unused(pack))


def draw_cash(plan: Plan) -> Figure:
    """Liquidity at the end of each quarter, its minimum, and that of doing nothing; the lowest quarter is marked."""
    pack = alone(plan)
    told = cash_section(pack)
    return _draw(
        pack, told, [block for block in told.blocks if isinstance(block, Chart)], "$M at the end of the quarter"
    )


def draw_capex(plan: Plan) -> Figure:
    """Capex of each quarter as columns, since the first as a line, and the budget that it must stay under."""
    pack = alone(plan)
    told = capex_section(pack)
    return _draw(pack, told, _charts(told), "$M; columns: capex of each quarter; line: since the first")


def draw_contracts(plan: Plan) -> Figure:
    """A bar for each contract from delivery to end, the tenant's options hatched; the horizon as a line."""
    pack = alone(plan)
    told = contracts_section(pack)
    sheet = _open(pack, told)
    timeline = next((block for block in told.blocks if isinstance(block, Gantt)), None)
    if timeline is None:
        sheet.write(sheet.left, sheet.top - 0.2, "No contract is signed in this plan.", color=SOFT)
    else:
        _draw_timeline(pack, sheet, timeline)
    return on.finish(sheet)


def _charts(told: Section) -> list[Chart]:
    return [block for block in told.blocks if isinstance(block, Chart)]


def _open(pack: Pack, told: Section) -> Sheet:
    return on.open_sheet(f"{_said(pack, told.title)}.", plan_source(pack.plan))


def _said(pack: Pack, marked: str) -> str:
    return plain(pack.ledger.plain(marked))


# ---- over quarters --------------------------------------------------------------------------------------------------


def _draw(pack: Pack, told: Section, charts: Sequence[Chart], *notes: str) -> Figure:
    """Columns and lines of charts on one pair of axes, each told beside them, under words on what they show."""
    sheet = _open(pack, told)
    notes = tuple(_said(pack, note) for note in notes if note)
    for n, note in enumerate(notes):
        sheet.write(sheet.left, sheet.top - (n + 0.5) * LINE_IN, cut(note, sheet.width), color=SOFT)
    if not charts:
        return on.finish(sheet)
    top, floor, keys = sheet.top - len(notes) * LINE_IN - 0.05, sheet.bottom + 0.17, charts[0].keys
    width = sheet.width - TICKS_IN - KEY_IN
    axes = sheet.axes(sheet.left + TICKS_IN, floor, width, top - floor)
    axes.set_xlim(-0.6, len(keys) - 0.4)
    on.quarter_axis(axes, keys, width)
    on.value_axis(axes.yaxis)
    columns = [series for chart in charts if chart.kind != "lines" for series in chart.series]
    limits = [chart.limit for chart in charts if chart.limit]
    lines = [*limits, *(series for chart in charts if chart.kind == "lines" for series in chart.series)]
    _stack(axes, columns)
    for series in lines:
        _line(pack, axes, series, len(keys))
    axes.axhline(0.0, color=INK, linewidth=0.5)
    if not columns:
        axes.margins(y=0.14)
    _list(pack, sheet, top, [*((series, False) for series in reversed(columns)), *((series, True) for series in lines)])
    return on.finish(sheet)


def _values(series: Series) -> Any:
    return np.array([figure.value for figure in series.values])


def _look(role: str) -> Look:
    kind, _, number = role.partition(" ")
    looks = FILLS[kind]
    return {"edgecolor": INK, "linewidth": 0.5} | looks[int(number or 0) % len(looks)]


def _stack(axes: Any, columns: Sequence[Series]) -> None:
    floor = 0.0
    for series in columns:
        top = floor + _values(series)
        edges = np.arange(len(top) + 1) - 0.5
        axes.stairs(top, edges, baseline=floor, fill=True, **_look(series.role))
        floor = top


def _line(pack: Pack, axes: Any, series: Series, many: int) -> None:
    """A line through the quarters, a limit in steps; what is marked on it is told."""
    if series.role in ("level", "bad"):
        axes.stairs(_values(series), np.arange(many + 1) - 0.5, baseline=None, **LINES[series.role])
    else:
        axes.plot(_values(series), **LINES[series.role])
    for at, words in series.labels:
        if words:
            value, side = series.values[at].value, -1 if at > many / 2 else 1
            axes.plot([at], [value], marker="v", markersize=7, color=INK, markeredgecolor=PAPER, zorder=4)
            beside = "right" if side < 0 else "left"
            up = (-12, "top") if series.labels_below else (8, "bottom")
            look = {"ha": beside, "va": up[1], "weight": "bold", "bbox": OVER}
            on.label(axes, _said(pack, words), (at, value), (5 * side, up[0]), **look)


def _list(pack: Pack, sheet: Sheet, top: float, entries: Sequence[tuple[Series, bool]]) -> None:
    """At the right, a sample of each series with its name and how it ends: of columns the most and the last."""
    left, y = sheet.right - KEY_IN + 0.1, top - 0.1
    each = min(0.45, (top - sheet.bottom) / max(1, len(entries)))
    for series, is_line in entries:
        if is_line:
            sheet.rule((left, left + 0.2), (y, y), **LINES[series.role])
        else:
            sheet.box(left, y - 0.05, 0.2, 0.1, **_look(series.role))
        said = [_said(pack, series.name), "" if is_line else _ends(series)]
        if series.end_label:
            said = pack.ledger.plain(series.end_label).split("\n")
        lines = [line for part in said if part for line in wrap(part, KEY_IN - 0.38, 2)]
        for n, line in enumerate(lines[: max(1, int(each / LINE_IN))]):
            sheet.write(left + 0.27, y - n * LINE_IN, line, color=SOFT if n else INK)
        y -= each


def _ends(series: Series) -> str:
    values = _values(series)
    return f"most {values.max():,.0f}, last {values[-1]:,.0f}"


# ---- contracts ------------------------------------------------------------------------------------------------------


def _draw_timeline(pack: Pack, sheet: Sheet, one: Gantt) -> None:
    head = LINE_IN + 0.03
    fitting = on.rows_that_fit(sheet, head=head, floor=0.2)
    shown, hidden = one.lanes[:fitting], len(one.lanes) - fitting
    options = "; hatched: the tenant's options" if any(len(lane.bars) > 1 for lane in shown) else ""
    more = f"; {hidden} more in the table" if hidden > 0 else ""
    words = f"from delivery to end; dashed: end of the horizon{options}{more}"
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, cut(words, sheet.width), color=SOFT)
    rows = on.open_rows(sheet, len(shown), head=head, floor=0.2, most=0.58)
    told = [(_said(pack, lane.label), _said(pack, lane.bars[0].texts[0])) for lane in shown]
    names = on.names_in((part for pair in told for part in pair), 1.0, 2.5)
    left, width = sheet.left + names, sheet.width - names - 0.05
    axes = rows.axes(left, width)
    axes.set_xlim(-0.5, one.steps - 0.5)
    on.quarter_axis(axes, one.keys, width)
    axes.axvline(one.end - 0.5, color=INK, linewidth=0.9, linestyle=(0, (5, 2)), zorder=0)
    for i, (lane, (name, detail)) in enumerate(zip(shown, told, strict=True)):
        rows.name(i, name, names - 0.1, detail)
        for bar in lane.bars:
            look = (
                {"facecolor": PAPER, "edgecolor": DARK, "hatch": "///"}
                if bar.role.endswith(" later")
                else _look(bar.role)
            )
            axes.barh(i, bar.last + 1 - bar.first, left=bar.first - 0.5, height=0.6, **look)
