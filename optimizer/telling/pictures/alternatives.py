"""Near-best plans: which decisions each makes, and what it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import cut, first_said, missing, tenths
from optimizer.telling.pictures.rows import Rows, key, names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import (
    DARK,
    HATCH,
    INK,
    LINE_IN,
    PALE,
    PAPER,
    RULE,
    SOFT,
    Sheet,
    finish,
    open_sheet,
)
from optimizer.telling.pictures.tables import source_of, table_of

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.questions.studies.study import Study

SHARE_IN, CELL_IN, HEAD_IN = 0.55, 0.36, 3 * LINE_IN + 0.07
MADE = {"facecolor": DARK, "edgecolor": DARK, "linewidth": 0.6}
OTHERWISE = {"facecolor": PALE, "edgecolor": DARK, "linewidth": 0.6, "hatch": HATCH}
NOT_MADE = {"facecolor": PAPER, "edgecolor": RULE, "linewidth": 0.6}


@dataclass(frozen=True)
class _Columns:
    """The columns of the plans: their numbers, the left edge of the first, and the width of each, in inches."""

    numbers: list[float]
    left: float
    each: float


def draw_alternatives(study: Study) -> Figure:
    """Decisions by plans: full where made as in the plan, hatched where made otherwise, empty where not made."""
    plans = table_of(study, "alternatives", "number", "gives_up_musd").sort_values("number", kind="stable")
    made = table_of(study, "decisions", "number", "decision", "words")
    shares = table_of(study, "shares", "decision", "words", "share")
    shares = shares.sort_values("share", ascending=False, kind="stable")
    sheet = open_sheet(study.title, source_of(study))
    fitting = rows_that_fit(sheet, head=HEAD_IN, floor=0.02)
    hidden = max(0, len(shares) - fitting)
    shown = shares.iloc[: fitting - 1 if hidden else None]
    rows = open_rows(sheet, len(shown) + (1 if hidden else 0), head=HEAD_IN, floor=0.02, most=0.3)
    wide = max(2.0, sheet.width - SHARE_IN - len(plans) * CELL_IN)
    names = names_in((first_said(row["words"], row["decision"]) for _, row in shown.iterrows()), 1.0, wide)
    unseen = len(plans) - int((sheet.width - names - SHARE_IN) / CELL_IN + 1e-6)
    if unseen > 0:
        sheet.write(sheet.right, sheet.top - LINE_IN / 2, f"{unseen} more in the table", ha="right", color=SOFT)
        plans = plans.iloc[:-unseen]
    each = min(0.55, (sheet.width - names - SHARE_IN) / max(1, len(plans)))
    _draw_heads(sheet, plans, sheet.left + names, each)
    _draw_cells(rows, shown, _Columns(list(plans["number"]), sheet.left + names, each), _words(made))
    if hidden:
        sheet.write(sheet.left, rows.y(len(shown)), f"and {hidden + 1} more decisions", color=SOFT)
    return finish(sheet)


def _words(made: pd.DataFrame) -> dict[tuple[float, str], str]:
    return {(row["number"], row["decision"]): str(row["words"]) for _, row in made.iterrows()}


def _draw_heads(sheet: Sheet, plans: pd.DataFrame, left: float, each: float) -> None:
    y = sheet.top - LINE_IN / 2
    entries: list[tuple[str, dict[str, Any]]] = [
        ("as in plan 1", MADE), ("made otherwise", OTHERWISE), ("not made", NOT_MADE | {"edgecolor": SOFT}),
    ]  # fmt: skip
    key(sheet, y, entries, sheet.left)
    sheet.write(sheet.left, y - LINE_IN - 0.03, "plan", color=SOFT)
    sheet.write(sheet.left, y - 2 * LINE_IN - 0.03, "gives up, $M", color=SOFT)
    for j, (_, plan) in enumerate(plans.iterrows()):
        x = left + (j + 0.5) * each
        sheet.write(x, y - LINE_IN - 0.03, f"{plan['number']:.0f}", ha="center", bold=True)
        sheet.write(x, y - 2 * LINE_IN - 0.03, tenths(plan["gives_up_musd"]), ha="center")
    sheet.write(sheet.right, y - LINE_IN - 0.03, "share", ha="right", color=SOFT)
    sheet.write(sheet.right, y - 2 * LINE_IN - 0.03, "of plans", ha="right", color=SOFT)


def _draw_cells(rows: Rows, shown: pd.DataFrame, columns: _Columns, words: dict[tuple[float, str], str]) -> None:
    sheet = rows.sheet
    first = min(columns.numbers, default=1)
    tall = min(0.16, rows.each - 0.03)
    for i, (_, row) in enumerate(shown.iterrows()):
        decision = row["decision"]
        sheet.write(sheet.left, rows.y(i), cut(first_said(row["words"], decision), columns.left - sheet.left - 0.1))
        for j, number in enumerate(columns.numbers):
            mine = words.get((number, decision))
            look = NOT_MADE if mine is None else MADE if mine == words.get((first, decision)) else OTHERWISE
            x = columns.left + j * columns.each + 0.04
            sheet.box(x, rows.y(i) - tall / 2, columns.each - 0.08, tall, **look)
        share = row["share"]
        rows.cell(i, sheet.right, "" if missing(share) else f"{share:.0%}", bold=share == 1, color=INK)
