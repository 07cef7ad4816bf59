"""Megawatts by use and quarter, stacked, each use named where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from optimizer.pictures.lettering import cut, plain, width_in
from optimizer.pictures.quarter_axis import quarter_axis
from optimizer.pictures.rows import names_in
from optimizer.pictures.sheet import (
    DARK,
    HATCH,
    INK,
    LINE_IN,
    MIDDLE,
    PALE,
    PAPER,
    SOFT,
    Sheet,
    finish,
    label,
    open_sheet,
    value_axis,
)  # fmt: skip
from optimizer.pictures.tables import plan_source
from optimizer.schema import MINING

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan import Plan

TICKS_IN = 0.42
IDLE, BUILT, UNUSED = "machines_idle", "construction", "unused"
NAMES = {IDLE: "machines at rest"}
Look = dict[str, Any]
LOOKS: dict[str, Look] = {
    MINING: {"facecolor": PALE}, IDLE: {"facecolor": PAPER, "hatch": "...."},
    BUILT: {"facecolor": PAPER, "hatch": HATCH},
}  # fmt: skip
PRODUCT_LOOKS: tuple[Look, ...] = (
    {"facecolor": DARK}, {"facecolor": MIDDLE}, {"facecolor": MIDDLE, "hatch": "xxxx"},
    {"facecolor": PALE, "hatch": "\\\\\\\\"}, {"facecolor": PALE, "hatch": "++++"},
)  # fmt: skip


def draw_megawatts(plan: Plan) -> Figure:
    """Gross MW in use, stacked by quarter: products below, what is built, mining above; the unused is told in words."""
    table = plan.megawatts
    uses = _in_order(table)
    sheet = open_sheet(_title(plan, table, uses), plan_source(plan))
    names = names_in([*(_name(use) for use in uses), "most 1,000, last 1,000"], 0.8, 1.3) + 0.3
    width = sheet.width - TICKS_IN - names
    floor = sheet.bottom + 0.17
    axes = sheet.axes(sheet.left + TICKS_IN, floor, width, sheet.top - LINE_IN - 0.05 - floor)
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, _head(table), color=SOFT)
    top = max(1.0, float(table.loc[uses].sum().max()) * 1.04)
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(0, top)
    value_axis(axes.yaxis)
    quarter_axis(axes, [str(quarter) for quarter in table.columns], width)
    looks = _looks(uses)
    _stack(axes, table, uses, looks)
    _list_uses(sheet, table, uses, looks, sheet.right - names + 0.1)
    return finish(sheet)


def _in_order(table: pd.DataFrame) -> list[str]:
    """From the bottom: products, what is being built, mining, machines at rest; only what ever draws power."""
    products = [use for use in table.index if use not in (MINING, IDLE, BUILT, UNUSED)]
    return [use for use in (*products, BUILT, MINING, IDLE) if use in table.index and table.loc[use].max() > 1e-6]


def _title(plan: Plan, table: pd.DataFrame, uses: list[str]) -> str:
    first, last = table.columns[0], table.columns[-1]
    told = [use for use in sorted(uses, key=lambda use: use != MINING) if use not in (BUILT, IDLE)]
    moves = [f"{_name(use)} {'goes ' if use == told[0] else ''}from {table.loc[use].iloc[0]:,.0f} to "
             f"{table.loc[use].iloc[-1]:,.0f}{' gross MW' if use == told[0] else ''}" for use in told]  # fmt: skip
    if not moves:
        return f"No site of {plan.case.settings.title} mines or serves customers."
    listed = moves[:3]
    words = ", ".join(listed[:-1]) + (" and " if len(listed) > 1 else "") + listed[-1]
    return f"Between {first} and {last}, {words}."


def _head(table: pd.DataFrame) -> str:
    if UNUSED not in table.index:
        return "gross MW in use"
    unused = table.loc[UNUSED]
    return f"gross MW in use; unused are {unused.iloc[0]:,.0f} at first and {unused.iloc[-1]:,.0f} at last"


def _name(use: str) -> str:
    return plain(NAMES.get(use, use))


def _looks(uses: list[str]) -> dict[str, Look]:
    products = [use for use in uses if use not in LOOKS]
    looks = LOOKS | {use: PRODUCT_LOOKS[i % len(PRODUCT_LOOKS)] for i, use in enumerate(products)}
    return {use: {"edgecolor": INK, "linewidth": 0.5} | look for use, look in looks.items()}


def _stack(axes: Any, table: pd.DataFrame, uses: list[str], looks: dict[str, Look]) -> None:
    edges = np.arange(len(table.columns) + 1) - 0.5
    floor = np.zeros(len(table.columns))
    for use in uses:
        top = floor + table.loc[use].to_numpy(float)
        axes.stairs(top, edges, baseline=floor, fill=True, **looks[use])
        if "hatch" not in looks[use]:
            _name_inside(axes, floor, top, use, PAPER if looks[use]["facecolor"] == DARK else INK)
        floor = top


def _name_inside(axes: Any, floor: Any, top: Any, use: str, color: str) -> None:
    """The name of a use inside its layer, in the middle of the longest run of quarters where it is tall enough."""
    size = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())
    tall_in = (top - floor) / axes.get_ylim()[1] * size.height
    needed = width_in(_name(use), 9.0, bold=True) + 0.1
    run = int(np.ceil(needed / size.width * len(floor)))
    rooms = [(float(top[i : i + run].min() - floor[i : i + run].max()), i) for i in range(len(floor) - run + 1)]
    if not rooms or tall_in.max() < 0.16:
        return
    room = max(one[0] for one in rooms)
    widest = [i for tall, i in rooms if tall > room - 1e-6]
    start = widest[len(widest) // 2]
    if room / axes.get_ylim()[1] * size.height < 0.16:
        return
    middle = (top[start : start + run].min() + floor[start : start + run].max()) / 2
    at = start + (run - 1) / 2
    label(axes, _name(use), (at, middle), ha="center", va="center", color=color, weight="bold", fontsize=9)


def _list_uses(sheet: Sheet, table: pd.DataFrame, uses: list[str], looks: dict[str, Look], left: float) -> None:
    """In the order of the stack: a sample, the name, the most and the last megawatts."""
    each = min(0.4, (sheet.height - LINE_IN - 0.2) / max(1, len(uses)))
    for i, use in enumerate(reversed(uses)):
        y = sheet.top - LINE_IN - 0.14 - i * each
        row = table.loc[use]
        sheet.box(left, y - 0.05, 0.2, 0.1, **looks[use])
        words = f"most {row.max():,.0f}, last {row.iloc[-1]:,.0f}"
        sheet.write(left + 0.27, y, cut(_name(use), sheet.right - left - 0.27))
        if each >= 2 * LINE_IN:
            sheet.write(left + 0.27, y - LINE_IN, cut(words, sheet.right - left - 0.27), color=SOFT)
