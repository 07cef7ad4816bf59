"""The bridge: from the value of one plan to that of another, line by line, re-priced and re-decided apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import first_said, missing, tenths, width_in
from optimizer.telling.pictures.rows import Rows, key, names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import (
    DARK,
    HATCH,
    INK,
    LINE_IN,
    MIDDLE,
    PALE,
    SOFT,
    finish,
    fit,
    open_sheet,
    value_axis,
)
from optimizer.telling.pictures.tables import source_of, table_of

if TYPE_CHECKING:
    from optimizer.questions.studies.study import Study

COLUMNS = ("group", "words", "line_musd", "low_musd", "high_musd", "repriced_musd", "redecided_musd")
REPRICED = {"facecolor": MIDDLE, "edgecolor": DARK, "linewidth": 0.6}
REDECIDED = {"facecolor": PALE, "edgecolor": DARK, "linewidth": 0.6, "hatch": HATCH}


def draw_bridge(study: Study) -> Figure:
    """A waterfall in rows: solid what prices did to the old decisions, hatched what deciding again added.

    The whisker of a line runs over the orders in which the groups can be changed.
    """
    lines = table_of(study, "lines", *COLUMNS)
    sheet = open_sheet(study.title, source_of(study))
    steps = [row for _, row in lines.iterrows()]
    room = rows_that_fit(sheet, head=LINE_IN + 0.03) - 2
    if len(steps) > room:
        steps = [*steps[: room - 1], _rest(lines.iloc[room - 1 :])]
    rows = open_rows(sheet, len(steps) + 2, head=LINE_IN + 0.03)
    columns = [sheet.right - 1.68, sheet.right - 0.88, sheet.right]
    right = columns[0] - 0.6
    y = sheet.top - LINE_IN / 2
    sheet.write(columns[0], y, "line, $M", ha="right", color=SOFT)
    for x, words, look in ((columns[1], "re-priced", REPRICED), (columns[2], "re-decided", REDECIDED)):
        key(sheet, y, [(words, look)], x - 0.25 - width_in(words))
    sheet.write(sheet.left, y, "whisker: by the order in which groups change", color=SOFT)
    named = [
        _end_words(study, "from"),
        _end_words(study, "to"),
        *(first_said(row["words"], row["group"]) for row in steps),
    ]
    names = names_in(named, 0.9, 1.75)
    _draw_ends(rows, study, columns[0], names)
    _draw_steps(rows, steps, study, (sheet.left + names, right), columns)
    return finish(sheet)


def _rest(lines: Any) -> dict[str, Any]:
    sums = lines[["line_musd", "low_musd", "high_musd", "repriced_musd", "redecided_musd"]].sum()
    return {"group": "rest", "words": f"{len(lines)} more lines", **sums, "low_musd": None, "high_musd": None}


def _ends(study: Study) -> tuple[float, float]:
    """Both values; NaN where the study does not say one."""
    values = (study.about.get(f"{end}_value_musd") for end in ("from", "to"))
    first, last = (float("nan") if value is None else float(value) for value in values)
    return first, last


def _end_words(study: Study, end: str) -> str:
    """What the study calls this end, or else its run id."""
    told = study.about.get
    return first_said(told(f"{end}_words"), told(f"{end}_case"), f"{end} {told(f'{end}_run_id', '')}")


def _draw_ends(rows: Rows, study: Study, column: float, room: float) -> None:
    for i, end, value in zip((0, rows.count - 1), ("from", "to"), _ends(study), strict=True):
        rows.name(i, _end_words(study, end), room - 0.1)
        rows.cell(i, column, tenths(value), bold=True)


def _draw_steps(rows: Rows, steps: list[Any], study: Study, edges: tuple[float, float], columns: list[float]) -> None:
    start, end = _ends(study)
    left, right = edges
    axes = rows.axes(left, right - left)
    at = 0.0 if missing(start) else start
    reach = [at, *([] if missing(end) else [end])]
    for i, row in enumerate(steps, start=1):
        rows.name(i, first_said(row["words"], row["group"]), left - rows.sheet.left - 0.1)
        for x, name in zip(columns, ("line_musd", "repriced_musd", "redecided_musd"), strict=True):
            rows.cell(i, x, tenths(row[name], "+"), bold=name == "line_musd")
        reach += _draw_step(axes, i, row, at)
        at += 0.0 if missing(row["line_musd"]) else row["line_musd"]
    _draw_totals(axes, rows, (start, end), reach, right - left)
    axes.plot([at, at], [rows.count - 2 + 0.3, rows.count - 1.3], color=SOFT, linewidth=0.6)
    value_axis(axes.xaxis, 4)
    axes.set_xlabel("value, $M", labelpad=1)


def _draw_totals(axes: Any, rows: Rows, ends: tuple[float, float], reach: list[float], width: float) -> None:
    """Both values as bars from zero; as marks, where a bar from zero would leave no room for the lines between."""
    span = max(reach) - min(reach)
    from_zero = max(abs(value) for value in reach) <= 4 * span
    reach = [*reach, 0.0] if from_zero else reach
    axes.set_xlim(*fit(min(reach), max(reach), width, 0.05, 0.05))
    for i, value in zip((0, rows.count - 1), ends, strict=True):
        if missing(value):
            continue
        if from_zero:
            axes.barh(i, value, height=0.6, facecolor=DARK, edgecolor=DARK)
        else:
            axes.plot([value], [i], color=DARK, marker="D", markersize=5)
    if from_zero:
        axes.axvline(0.0, color=INK, linewidth=0.6)


def _draw_step(axes: Any, i: int, row: Any, at: float) -> list[float]:
    """Two half bars from where the line before ended, and the whisker; returns how far they reach."""
    axes.plot([at, at], [i - 0.7, i - 0.31], color=SOFT, linewidth=0.6)
    line, repriced, redecided = (row[f"{name}_musd"] for name in ("line", "repriced", "redecided"))
    if missing(line):
        return []
    if missing(repriced) or missing(redecided):
        axes.barh(i, line, left=at, height=0.6, **REPRICED)
        ends = [at + line]
    else:
        axes.barh(i - 0.15, repriced, left=at, height=0.3, **REPRICED)
        axes.barh(i + 0.15, redecided, left=at + repriced, height=0.3, **REDECIDED)
        ends = [at + repriced, at + repriced + redecided]
    if missing(row["low_musd"]) or missing(row["high_musd"]):
        return ends
    low, high = at + row["low_musd"], at + row["high_musd"]
    if high - low < 1e-9:
        return ends
    axes.plot([low, high], [i, i], color=INK, linewidth=1.0, marker="|", markersize=5)
    return [*ends, low, high]
