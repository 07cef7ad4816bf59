"""A plan's money: liquidity against its minimum, capex against its budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from optimizer.ground.amounts import TOLD_MUSD
from optimizer.plan.figures import Room, figures_of
from optimizer.telling.pictures.lettering import cut, musd
from optimizer.telling.pictures.quarter_axis import quarter_axis
from optimizer.telling.pictures.sheet import (
    DARK,
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
from optimizer.telling.pictures.tables import plan_source

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan

TICKS_IN = 0.5
FINE = 4
Spot = tuple[float, float]
LIMIT = {"color": INK, "linewidth": 0.9, "linestyle": (0, (5, 2))}


def _time_axes(sheet: Sheet, quarters: list[str], *lines: str) -> Any:
    """Axes over quarters, under lines of words on what they show."""
    floor = sheet.bottom + 0.17
    width = sheet.width - TICKS_IN - 0.05
    axes = sheet.axes(sheet.left + TICKS_IN, floor, width, sheet.top - len(lines) * LINE_IN - 0.05 - floor)
    for i, words in enumerate(lines):
        sheet.write(sheet.left, sheet.top - (i + 0.5) * LINE_IN, cut(words, sheet.width), color=SOFT)
    axes.set_xlim(-0.6, len(quarters) - 0.4)
    quarter_axis(axes, quarters, width)
    value_axis(axes.yaxis)
    return axes


# ---- cash -----------------------------------------------------------------------------------------------------------


def draw_cash(plan: Plan) -> Figure:
    """Liquidity at the end of each quarter, its minimum, and that of doing nothing; the lowest quarter is marked."""
    cash = plan.cash.reset_index(drop=True)
    room = figures_of(plan)
    quarter = room["lowest_liquidity_quarter"]
    low, least = room.number("lowest_liquidity_musd"), room.number("minimum_cash_musd")
    lowest = list(cash["quarter"]).index(quarter)
    title = f"Liquidity is lowest at the end of {quarter}: {musd(low)} against a minimum of {musd(least)}."
    sheet = open_sheet(title, plan_source(plan))
    axes = _time_axes(sheet, list(cash["quarter"]), "liquidity at the end of the quarter, $M")
    lines = {"the plan": cash["liquidity_musd"].to_numpy(float), "minimum": cash["minimum_musd"].to_numpy(float)}
    axes.plot(lines["the plan"], color=DARK, linewidth=1.6, marker="o", markersize=2.2)
    axes.plot(lines["minimum"], **LIMIT)
    if plan.nothing is not None:
        lines["doing nothing"] = plan.nothing["cash"]["liquidity_musd"].to_numpy(float)
        axes.plot(lines["doing nothing"], color=SOFT, linewidth=1.1, linestyle=":")
    axes.axhline(0.0, color=INK, linewidth=0.5)
    axes.plot([lowest], [low], marker="v", markersize=7, color=INK, markeredgecolor=PAPER, zorder=4)
    axes.margins(y=0.14)
    side = _lower_side(lines["the plan"], lowest)
    _name_lines(axes, lines, (lowest, low), side)
    label(axes, musd(low), (lowest, low), (5 * side, 8), ha="right" if side < 0 else "left", weight="bold")
    return finish(sheet)


def _lower_side(values: Any, at: int) -> int:
    """On which side of a quarter the line stays lower, and a number above it has room: -1 left, 1 right."""
    n = len(values)
    reach = max(1, n // 7)
    left, right = values[max(0, at - reach) : at + 1].max(), values[at : at + reach + 1].max()
    if at + reach >= n or at - reach < 0:
        return -1 if at + reach >= n else 1
    return -1 if left < right else 1


def _name_lines(axes: Any, lines: dict[str, Any], lowest: Spot, side: int) -> None:
    """Each name where its line is flat and far from the others, on the side where there is room.

    The number at the lowest quarter stands above it, on its left (side -1) or its right (1).
    """
    low, high = axes.get_ylim()
    lines = {name: _finer(values) for name, values in lines.items()}
    reach = max(2, len(lines["the plan"]) // 9)
    taken: list[Spot] = [(lowest[0] * FINE + side * k * reach, lowest[1] + 0.05 * (high - low)) for k in (0, 1)]
    for name, values in lines.items():
        others = [line for other, line in lines.items() if other != name]
        if any(np.allclose(values, line) for line in others[: list(lines).index(name)]):
            continue
        at, above = _best_place(values, [*others, np.zeros(len(values))], (low, high), taken)
        taken.append((at, float(values[at]) + (0.05 if above else -0.05) * (high - low)))
        look = {"weight": "bold", "color": DARK} if name == "the plan" else {"color": SOFT}
        away, va = ((0, 4), "bottom") if above else ((0, -4), "top")
        label(axes, name, (at / FINE, values[at]), away, ha="center", va=va, **look)


def _best_place(values: Any, others: list[Any], limits: Spot, taken: list[Spot]) -> tuple[int, bool]:
    """Quarter and side for a name: near the line itself nothing else passes for some quarters around."""
    n, span = len(values), limits[1] - limits[0]
    reach = max(2, n // 9)
    best = (-np.inf, n // 2, True)
    for at in range(min(reach, n - 1), max(n - reach, min(reach, n - 1) + 1)):
        near = slice(max(0, at - reach), at + reach + 1)
        for above in (True, False):
            side = 1 if above else -1
            gaps = [_gap(side * (line[near] - values[at]), span) for line in others]
            edge = limits[1] - values[at] if above else values[at] - limits[0]
            room = min([*gaps, edge, 0.25 * span]) / span
            y = float(values[at]) + side * 0.05 * span
            crowd = sum(abs(at - x) < 2 * reach and abs(y - other) < 0.1 * span for x, other in taken)
            score = room - 1.5 * max(0.0, (side * (values[near] - values[at])).max()) / span - crowd
            if score > best[0] + 1e-9:
                best = (score, at, above)
    return best[1], best[2]


def _finer(values: Any) -> Any:
    """A line with points between its quarters, so that steep parts count too."""
    return np.interp(np.arange((len(values) - 1) * FINE + 1) / FINE, np.arange(len(values)), values)


def _gap(beyond: Any, span: float) -> float:
    """How far another line is at the nearest, where it is on this side at all."""
    return float(np.where(beyond > -0.02 * span, np.abs(beyond), np.inf).min())


# ---- capex ----------------------------------------------------------------------------------------------------------


def draw_capex(plan: Plan) -> Figure:
    """Capex of each quarter as bars, since the first as steps, and the budget that it must stay under."""
    spent = plan.capex_to_date.reset_index(drop=True)
    room = figures_of(plan)
    total, budget = room.number("capex_musd"), room.number("capex_budget_musd")
    sheet = open_sheet(_capex_title(room), plan_source(plan))
    axes = _time_axes(sheet, list(spent["quarter"]), *_capex_words(plan, spent))
    moved = spent[spent["capex_musd"].abs() > 1e-6]
    axes.bar(moved.index, moved["capex_musd"], width=0.8, facecolor=MIDDLE, edgecolor=DARK, linewidth=0.5)
    edges = np.arange(len(spent) + 1) - 0.5
    axes.stairs(spent["to_date_musd"], edges, fill=True, facecolor=PALE, alpha=0.5, zorder=0, linewidth=0)
    axes.stairs(spent["to_date_musd"], edges, baseline=None, color=DARK, linewidth=1.5)
    axes.axhline(budget, **LIMIT)
    high = max(1.0, budget, float(spent["to_date_musd"].max()), float(spent["capex_musd"].max()))
    axes.set_ylim(min(0.0, float(spent["capex_musd"].min()) * 1.1), high * 1.15)
    axes.axhline(0.0, color=INK, linewidth=0.5)
    last = len(spent) - 1
    label(axes, f"budget {musd(budget)}", (-0.3, budget), (0, 2), va="bottom")
    label(axes, f"since the first {musd(total)}", (last, total), (0, -3 if total > high / 8 else 3), ha="right",
          va="top" if total > high / 8 else "bottom", weight="bold", color=DARK)  # fmt: skip
    return finish(sheet)


def _capex_title(room: Room) -> str:
    total, left, committed = (room.number(f"capex_{name}musd") for name in ("", "left_", "committed_"))
    budget = musd(room.number("capex_budget_musd"))
    if total < TOLD_MUSD:
        return f"No capex is spent of a budget of {budget}."
    head = f"Capex of {musd(total)}"
    if committed > TOLD_MUSD:
        head += f", {musd(room.number('capex_new_musd'))} of it new and {musd(committed)} committed before,"
    return f"{head} uses the whole budget." if abs(left) < TOLD_MUSD else f"{head} leaves {musd(left)} of {budget}."


def _capex_words(plan: Plan, spent: pd.DataFrame) -> list[str]:
    """What bars and line are; with budgets of single years, what each year spends of its own."""
    room = figures_of(plan)
    peak = room["peak_capex_quarter"]
    most = f", most {musd(room.number('peak_capex_musd'))} in {peak}" if peak else ""
    words = f"$M; bars: capex of each quarter{most}; line: since the first"
    of_year = spent.groupby(spent["quarter"].str[:4])["capex_musd"].sum()
    years = [
        f"{musd(float(of_year.get(str(row.year), 0.0)))} of {musd(row.capex_budget_musd)} in {row.year}"
        for row in plan.case.budget_years
    ]
    return [words, f"budgets of single years: {', '.join(years)}"] if years else [words]
