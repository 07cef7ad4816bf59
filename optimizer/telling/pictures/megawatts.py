"""Megawatts by use and quarter, stacked, each use named where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from optimizer.case.schema import MINING
from optimizer.plan.power_uses import BUILDING, IDLE, UNUSED, Use, limits_of, reach_limit, uses_there
from optimizer.plan.unused import standings
from optimizer.telling.pictures.lettering import cut, plain, width_in
from optimizer.telling.pictures.quarter_axis import quarter_axis
from optimizer.telling.pictures.rows import names_in
from optimizer.telling.pictures.sheet import (
    DARK,
    HATCH,
    INK,
    LINE_IN,
    MIDDLE,
    PALE,
    PAPER,
    RULE,
    SOFT,
    Sheet,
    finish,
    label,
    open_sheet,
    value_axis,
)  # fmt: skip
from optimizer.telling.pictures.tables import plan_source

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan

TICKS_IN = 0.42
Look = dict[str, Any]
LOOKS: dict[str, tuple[Look, ...]] = {
    "mining": ({"facecolor": PALE},),
    "idle": ({"facecolor": PAPER, "hatch": "...."},),
    "building": ({"facecolor": PAPER, "hatch": HATCH},),
    "product": (
        {"facecolor": DARK}, {"facecolor": MIDDLE}, {"facecolor": MIDDLE, "hatch": "xxxx"},
        {"facecolor": PALE, "hatch": "\\\\\\\\"}, {"facecolor": PALE, "hatch": "++++"},
    ),
    "other": ({"facecolor": PAPER, "hatch": "oooo"}, {"facecolor": PALE, "hatch": "****"}),
    "unused": ({"facecolor": PAPER, "edgecolor": RULE, "hatch": "///"},),
}  # fmt: skip
"""What each look of a use is drawn with; products and other uses take theirs in turn."""


def draw_megawatts(plan: Plan) -> Figure:
    """Gross MW stacked by quarter up to the grid limit: products below, then mining and the rest, the unused on top."""
    table, uses, limits = plan.megawatts, _in_order(plan), limits_of(plan)
    reach_limit(plan.case.horizon, {use.name: table.loc[use.name].tolist() for use in uses}, limits)
    sheet = open_sheet(_title(plan, table, uses), plan_source(plan))
    names = names_in([*(_name(use) for use in uses), "most 1,000, last 1,000"], 0.8, 1.3) + 0.3
    width = sheet.width - TICKS_IN - names
    floor = sheet.bottom + 0.17
    axes = sheet.axes(sheet.left + TICKS_IN, floor, width, sheet.top - 2 * LINE_IN - 0.05 - floor)
    for n, line in enumerate((_head(table, limits), _most_unused(plan))):
        sheet.write(sheet.left, sheet.top - (n + 0.5) * LINE_IN, cut(line, sheet.width), color=SOFT)
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(0, max(1.0, max(limits) * 1.04))
    value_axis(axes.yaxis)
    quarter_axis(axes, [str(quarter) for quarter in table.columns], width)
    _stack(axes, table, uses)
    axes.stairs(limits, np.arange(len(limits) + 1) - 0.5, baseline=None, color=INK, linewidth=1.2)
    _list_uses(sheet, table, uses, sheet.right - names + 0.1)
    return finish(sheet)


def _in_order(plan: Plan) -> list[Use]:
    """From the bottom: products and what no list knows, what is being built, mining, machines at rest, the unused."""
    there = uses_there(plan)
    last = [use for name in (BUILDING, MINING, IDLE, UNUSED) if (use := there.get(name))]
    return [*(use for use in there.values() if use not in last), *last]


def _title(plan: Plan, table: pd.DataFrame, uses: list[Use]) -> str:
    first, last = table.columns[0], table.columns[-1]
    told = [use for use in sorted(uses, key=lambda use: use.name != MINING) if use.name not in (IDLE, BUILDING, UNUSED)]
    moves = [f"{_name(use)} {'goes ' if use == told[0] else ''}from {table.loc[use.name].iloc[0]:,.0f} to "
             f"{table.loc[use.name].iloc[-1]:,.0f}{' gross MW' if use == told[0] else ''}" for use in told]  # fmt: skip
    if not moves:
        return f"No site of {plan.case.settings.title} mines or serves customers."
    listed = moves[:3]
    words = ", ".join(listed[:-1]) + (" and " if len(listed) > 1 else "") + listed[-1]
    return f"Between {first} and {last}, {words}."


def _head(table: pd.DataFrame, limits: Sequence[float]) -> str:
    unused = table.loc[UNUSED]
    return (
        f"gross MW up to the grid limit (the line); unused are {unused.iloc[0]:,.0f} of {limits[0]:,.0f} at first and "
        f"{unused.iloc[-1]:,.0f} of {limits[-1]:,.0f} at last"
    )


def _most_unused(plan: Plan) -> str:
    """Why most of the unused stands so at last."""
    most = next(iter(standings(plan)), None)
    if most is None:
        return ""
    return f"{most.gross_mw:,.0f} of them at {plain(', '.join(most.sites))}: {plain(most.reason.words)}"


def _name(use: Use) -> str:
    return plain(use.words)


def _look(use: Use) -> Look:
    looks = LOOKS[use.look.split()[0]]
    return {"edgecolor": INK, "linewidth": 0.5} | looks[use.number % len(looks)]


def _stack(axes: Any, table: pd.DataFrame, uses: list[Use]) -> None:
    edges = np.arange(len(table.columns) + 1) - 0.5
    floor = np.zeros(len(table.columns))
    for use in uses:
        top = floor + table.loc[use.name].to_numpy(float)
        look = _look(use)
        axes.stairs(top, edges, baseline=floor, fill=True, **look)
        if "hatch" not in look:
            _name_inside(axes, floor, top, use, PAPER if look["facecolor"] == DARK else INK)
        floor = top


def _name_inside(axes: Any, floor: Any, top: Any, use: Use, color: str) -> None:
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


def _list_uses(sheet: Sheet, table: pd.DataFrame, uses: list[Use], left: float) -> None:
    """In the order of the stack: a sample, the name, the most and the last megawatts."""
    each = min(0.4, (sheet.height - 2 * LINE_IN - 0.2) / max(1, len(uses)))
    for i, use in enumerate(reversed(uses)):
        y = sheet.top - 2 * LINE_IN - 0.14 - i * each
        row = table.loc[use.name]
        sheet.box(left, y - 0.05, 0.2, 0.1, **_look(use))
        words = f"most {row.max():,.0f}, last {row.iloc[-1]:,.0f}"
        sheet.write(left + 0.27, y, cut(_name(use), sheet.right - left - 0.27))
        if each >= 2 * LINE_IN:
            sheet.write(left + 0.27, y - LINE_IN, cut(words, sheet.right - left - 0.27), color=SOFT)
