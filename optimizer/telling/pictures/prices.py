"""Prices of the rules: what a little more of each is worth by solving again, and the duals beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import cut, missing, plain, signed_musd, width_in, with_unit, wrap
from optimizer.telling.pictures.rows import names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import (
    DARK,
    HATCH,
    INK,
    LINE_IN,
    MIDDLE,
    PALE,
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

DUALS_IN, HEAD_IN = 1.95, LINE_IN + 0.05
KEEPS = {"facecolor": PALE, "edgecolor": DARK, "linewidth": 0.6}
MOVES = {"facecolor": MIDDLE, "edgecolor": DARK, "linewidth": 0.6, "hatch": HATCH}


def draw_prices(study: Study) -> Figure:
    """Left, each step with the change of value, hatched where decisions move; right, the duals worth most."""
    changes = ("value_change_low_musd", "value_change_high_musd")
    steps = table_of(study, "steps", "words", "unit", "change", *changes, "moves")
    duals = table_of(study, "duals", "rule", "place", "quarter", "words", "unit", "dual_musd_per_unit", "limit")
    sheet = open_sheet(study.title, source_of(study))
    split = sheet.right - DUALS_IN
    _draw_steps(replace(sheet, right=split - 0.12), steps)
    sheet.rule((split - 0.04, split - 0.04), (sheet.bottom, sheet.top))
    _list_duals(replace(sheet, left=split + 0.04), duals)
    return finish(sheet)


# ---- steps ----------------------------------------------------------------------------------------------------------


def _draw_steps(sheet: Sheet, steps: pd.DataFrame) -> None:
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, "solved again; hatched: decisions move", color=SOFT)
    fitting = rows_that_fit(sheet, head=HEAD_IN, least=2 * LINE_IN + 0.04)
    shown = [row for _, row in steps.iloc[:fitting].iterrows()]
    if len(steps) > fitting:
        sheet.write(sheet.right, sheet.top - LINE_IN / 2, f"{len(steps) - fitting} more", color=SOFT, ha="right")
    rows = open_rows(sheet, len(shown), head=HEAD_IN, most=0.46)
    names = names_in([text for row in shown for text in (row["words"], _change(row))], 0.9, 1.75)
    left = sheet.left + names
    axes = rows.axes(left, sheet.right - left)
    known = [0.0, *(side for row in shown for side in _sides(row) if not missing(side))]
    room = max((width_in(_step_words(row)) for row in shown), default=0.5) + 0.1
    axes.set_xlim(*fit(min(known), max(known), sheet.right - left, room if min(known) < 0 else 0.05, room))
    value_axis(axes.xaxis, 3)
    axes.set_xlabel("change of value, $M", labelpad=1)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    for i, row in enumerate(shown):
        rows.name(i, row["words"], names - 0.08, _change(row))
        _draw_step(axes, i, row)


def _sides(row: Any) -> tuple[float, float]:
    return float(row["value_change_low_musd"]), float(row["value_change_high_musd"])


def _moves(row: Any) -> bool:
    return str(row["moves"]).lower() in ("yes", "true")


def _change(row: Any) -> str:
    """`+5 MW: a third block`, the step and what moves with it."""
    change = row["change"]
    words = "" if missing(change) else f"{'+' if change >= 0 else ''}{with_unit(change, row['unit'])}"
    moved = plain(row.get("what_moves")) if _moves(row) else ""
    return ": ".join(part for part in (words, moved) if part)


def _either_sign(row: Any) -> bool:
    """Whether the two gaps leave open if the value rises or falls."""
    low, high = _sides(row)
    return low < -0.05 and high > 0.05


def _step_words(row: Any) -> str:
    low, high = _sides(row)
    if missing(low + high):
        return why_none(row.get("what_moves"))
    return f"{signed_musd(low)} to {signed_musd(high)}" if _either_sign(row) else signed_musd((low + high) / 2)


def _draw_step(axes: Any, i: int, row: Any) -> None:
    low, high = _sides(row)
    if missing(low + high):
        label(axes, why_none(row.get("what_moves")), (0, i), (4, 0), va="center", color=SOFT)
        return
    middle = (low + high) / 2
    if not _either_sign(row):
        axes.barh(i, middle, height=0.55, **(MOVES if _moves(row) else KEEPS))
    axes.plot([low, high], [i, i], color=INK, linewidth=1.0, marker="|", markersize=5)
    side, end, ha = (1, high, "left") if middle >= 0 else (-1, low, "right")
    label(axes, _step_words(row), (end, i), (4 * side, 0), va="center", ha=ha)


# ---- duals ----------------------------------------------------------------------------------------------------------


def _list_duals(sheet: Sheet, duals: pd.DataFrame) -> None:
    """The rules worth most, two lines each; the quarters of a rule at a place are one, with the sum of their duals."""
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, "duals, at these whole decisions", color=SOFT)
    y = sheet.top - HEAD_IN
    prices = _summed(duals)
    for words, price in prices:
        lines = wrap(words, sheet.width, 2)
        if y - (len(lines) + 1) * LINE_IN < sheet.bottom:
            break
        for line in lines:
            sheet.write(sheet.left, y - LINE_IN / 2, line)
            y -= LINE_IN
        sheet.write(sheet.left, y - LINE_IN / 2, cut(price, sheet.width, bold=True), bold=True)
        y -= LINE_IN + 0.05
    if not prices:
        sheet.write(sheet.left, y - LINE_IN / 2, "none binds")


def _summed(duals: pd.DataFrame) -> list[tuple[str, str]]:
    binding = duals[duals["dual_musd_per_unit"].abs() > 0]
    binding = binding.assign(
        limit=binding["limit"].fillna(1.0),
        **{name: binding[name].map(plain) for name in ("rule", "place", "quarter", "words", "unit")},
    )
    found = []
    for _, group in binding.groupby(["rule", "place", "words", "unit"], sort=False):
        row, dual = group.iloc[0], float(group["dual_musd_per_unit"].sum())
        quarters = [quarter for quarter in group["quarter"] if quarter]
        when = quarters[0] if len(quarters) == 1 else f"{len(quarters)} quarters" if quarters else ""
        place = "" if row["place"] in row["words"] else row["place"]
        words = ", ".join(part for part in (row["words"], place, when) if part)
        worth = abs(dual) * max(abs(float(group["limit"].mean())), 1e-9)
        found.append((worth, words, f"{_fine(dual)} per {row['unit']}"))
    return [(words, price) for _, words, price in sorted(found, key=lambda one: -one[0])]


def _fine(amount: float) -> str:
    """`+$0.042M`: duals are small, so three digits count."""
    return f"{'-' if amount < 0 else '+'}${abs(amount):,.3g}M"
