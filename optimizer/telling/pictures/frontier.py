"""The frontier: value against the capex budget, with its bound, and what one more dollar of budget adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import first_said, wrap
from optimizer.telling.pictures.letters import letters
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
    fit,
    label,
    open_sheet,
    value_axis,
)
from optimizer.telling.pictures.tables import source_of, table_of, why_none

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.questions.studies.study import Study

KEY_IN, TICKS_IN, LOWER_IN, GAP_IN, HEAD_IN = 1.9, 0.42, 0.62, 0.1, 0.16


def draw_frontier(study: Study) -> Figure:
    """Value with its band up to the bound above, marginal value below; a letter where the decisions change."""
    points = table_of(study, "points", "budget_musd", "value_musd", "bound_musd", "decisions")
    points = points.sort_values("budget_musd", kind="stable").reset_index(drop=True)
    sheet = open_sheet(study.title, source_of(study))
    solved = points[points["value_musd"].notna()].reset_index(drop=True)
    width = sheet.width - KEY_IN - TICKS_IN
    left, floor = sheet.left + TICKS_IN, sheet.bottom + 0.3
    lower = sheet.axes(left, floor, width, LOWER_IN)
    bottom = floor + LOWER_IN + GAP_IN + HEAD_IN
    upper = sheet.axes(left, bottom, width, sheet.top - HEAD_IN - bottom)
    points = points[points["budget_musd"].notna()]
    budgets = points["budget_musd"]
    limits = fit(float(budgets.min()), float(budgets.max()), width, 0.12, 0.12) if len(points) else (0.0, 1.0)
    for axes in (upper, lower):
        axes.set_xlim(*limits)
    sheet.write(sheet.left, sheet.top - 0.06, "value of the plan, $M; band: up to its bound", color=SOFT)
    sheet.write(sheet.left, floor + LOWER_IN + 0.08, "value that each further $ of budget adds, $", color=SOFT)
    _draw_values(upper, solved, sheet, study)
    _draw_marginal(lower, solved)
    _mark_unsolved(upper, points)
    return finish(sheet)


def _draw_values(axes: Any, points: pd.DataFrame, sheet: Sheet, study: Study) -> None:
    budgets, values = points["budget_musd"], points["value_musd"]
    bounds = points["bound_musd"].fillna(values)
    axes.fill_between(budgets, values, bounds, facecolor=PALE, edgecolor=MIDDLE, linewidth=0.5)
    axes.plot(budgets, values, color=DARK, linewidth=1.3, marker="o", markersize=2.6)
    changes = [i for i in points.index if i == 0 or points["decisions"][i] != points["decisions"][i - 1]]
    named = dict(zip(dict.fromkeys(points["decisions"]), letters(), strict=False))
    for i in changes:
        axes.plot(budgets[i], values[i], marker="o", color=INK, markerfacecolor=PAPER, markersize=4.5, zorder=3)
        at = budgets[i], values[i]
        falls = (i + 1 < len(points) and values[i + 1] < values[i]) or (i > 0 and values[i] < values[i - 1])
        away, ha = ((0, 4), "center") if i == 0 else ((2, 3), "left") if falls else ((-2, 3), "right")
        label(axes, named[points["decisions"][i]], at, away, ha=ha, va="bottom", weight="bold")
    axes.margins(y=0.16)
    value_axis(axes.yaxis, 4)
    value_axis(axes.xaxis, 5)
    axes.tick_params(labelbottom=False)
    asked = study.about.get("budget_musd")
    low, high = axes.get_xlim()
    if asked is not None and low <= asked <= high:
        axes.axvline(asked, color=SOFT, linewidth=0.8, linestyle=(0, (4, 2)))
        side, ha = (-2, "right") if asked > (low + high) / 2 else (2, "left")
        look = {"xycoords": axes.get_xaxis_transform(), "ha": ha, "color": SOFT}
        label(axes, "budget of the plan", (asked, 0), (side, 2), **look)
    _list_decisions(sheet, named)


def _list_decisions(sheet: Sheet, named: dict[str, str]) -> None:
    left, y = sheet.right - KEY_IN + 0.12, sheet.top - 0.06
    sheet.write(left, y, "decisions", color=SOFT)
    room = int((y - sheet.bottom) / LINE_IN)
    each = max(1, min(4, room // max(1, len(named))))
    listed = list(named.items())
    if len(listed) > room:
        sheet.write(left, y - room * LINE_IN, f"and {len(listed) - room + 1} more", color=SOFT)
        listed = listed[: room - 1]
    for words, letter in listed:
        y -= 0.02 if each > 1 else 0.0
        sheet.write(left, y - LINE_IN, letter, bold=True)
        for line in wrap(first_said(words, "none"), sheet.right - left - 0.2, each):
            y -= LINE_IN
            sheet.write(left + 0.2, y, line)


def _draw_marginal(axes: Any, points: pd.DataFrame) -> None:
    """Between two budgets, the rise of the value over the rise of the budget."""
    budgets, values = points["budget_musd"].to_numpy(), points["value_musd"].to_numpy()
    steps = [
        (budgets[i], budgets[i + 1], (values[i + 1] - values[i]) / (budgets[i + 1] - budgets[i]))
        for i in range(len(points) - 1) if budgets[i + 1] > budgets[i]
    ]  # fmt: skip
    for low, high, slope in steps:
        axes.bar(low, slope, width=high - low, align="edge", facecolor=MIDDLE, edgecolor=PAPER, linewidth=0.5)
        if len(steps) <= 14 and abs(slope) >= 0.005:
            away, va = ((0, 1), "bottom") if slope > 0 else ((0, -1), "top")
            label(axes, f"{slope:.2f}", ((low + high) / 2, slope), away, ha="center", va=va)
    axes.axhline(0.0, color=INK, linewidth=0.6)
    if not steps:
        label(axes, "one budget only", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=SOFT)
    slopes = [0.0, *(slope for *_, slope in steps)]
    axes.set_ylim(*fit(min(slopes), max(slopes), LOWER_IN, 0.15 if min(slopes) < 0 else 0.0, 0.15))
    value_axis(axes.yaxis, 2)
    value_axis(axes.xaxis, 5)
    axes.set_xlabel("capex budget, $M", labelpad=1)


def _mark_unsolved(axes: Any, points: pd.DataFrame) -> None:
    for _, row in points[points["value_musd"].isna()].iterrows():
        budget, words = row["budget_musd"], why_none(row["decisions"])
        label(axes, words, (budget, 0.02), xycoords=axes.get_xaxis_transform(), rotation=90, ha="center", color=SOFT)
