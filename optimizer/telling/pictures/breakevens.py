"""Break-evens: how far each number must move for the decision to turn, the nearest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import cut, first_said, missing, plain, width_in, with_unit, wrap
from optimizer.telling.pictures.rows import Rows, names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import DARK, INK, LINE_IN, PAPER, SOFT, finish, fit, label, open_sheet, value_axis
from optimizer.telling.pictures.tables import source_of, table_of

if TYPE_CHECKING:
    from optimizer.questions.studies.study import Study

NUMBERS_IN, HEAD_IN = 1.6, LINE_IN + 0.03
COLUMNS = (
    "subject", "question", "driver", "unit", "base", "below", "above", "decision_below", "decision_above", "found",
    "words",
)  # fmt: skip


def draw_breakevens(study: Study) -> Figure:
    """Each row: the question, the break-even and its base, and how far apart they are in per cent of the base."""
    table = table_of(study, "breakevens", *COLUMNS)
    asked = sorted((row for _, row in table.iterrows()), key=_nearness)
    sheet = open_sheet(study.title, source_of(study))
    fitting = rows_that_fit(sheet, head=HEAD_IN, least=2 * LINE_IN + 0.04)
    rows = open_rows(sheet, min(len(asked), fitting), head=HEAD_IN, most=0.46)
    shown, hidden = asked[:fitting], len(asked) - fitting
    names = names_in([text for row in shown for text in (_subject(row, 9.0), _question(row))], 1.2, 2.6)
    y = sheet.top - LINE_IN / 2
    sheet.write(sheet.left + names, y, "turns at", color=SOFT)
    sheet.write(sheet.right, y, "distance from base, %", color=SOFT, ha="right")
    if hidden > 0:
        sheet.write(sheet.left, y, f"{hidden} more in the table", color=SOFT)
    _draw_rows(rows, shown, names)
    return finish(sheet)


def _found(row: Any) -> bool:
    return str(row["found"]).lower() in ("yes", "true") and not missing(row["below"]) and not missing(row["above"])


def _far(row: Any) -> float:
    """Distance of the break-even from the base in per cent of the base; NaN where there is none."""
    base = row["base"]
    if not _found(row) or missing(base) or base == 0:
        return float("nan")
    return 100 * float((row["below"] + row["above"]) / 2 - base) / abs(float(base))


def _sides(row: Any) -> list[float]:
    """The two sides that were solved, in per cent of the base."""
    return [100 * float(row[side] - row["base"]) / abs(float(row["base"])) for side in ("below", "above")]


def _nearness(row: Any) -> tuple[int, float]:
    far = _far(row)
    return (0, abs(far)) if not missing(far) else (1 if _found(row) else 2, 0.0)


def _draw_rows(rows: Rows, shown: list[Any], names: float) -> None:
    sheet = rows.sheet
    left = sheet.left + names + NUMBERS_IN
    axes = rows.axes(left, sheet.right - left)
    far = [0.0, *(side for row in shown if not missing(_far(row)) for side in _sides(row))]
    axes.set_xlim(*fit(min(far), max(far), sheet.right - left, 0.42 if min(far) < 0 else 0.05, 0.42))
    value_axis(axes.xaxis, 4)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    for i, row in enumerate(shown):
        rows.name(i, _subject(row, names - 0.1), names - 0.1, _question(row))
        _write_numbers(rows, i, row, sheet.left + names)
        if not missing(_far(row)):
            _draw_distance(axes, i, row)


def _subject(row: Any, room: float) -> str:
    """`Sharon: mines below, stops above`, or the subject alone where the decisions are too long or do not turn."""
    subject, below, above = (plain(row[name]) for name in ("subject", "decision_below", "decision_above"))
    words = f"{subject}: {below} below, {above} above"
    fits = width_in(words) <= min(room, 2.65)
    return words if _found(row) and subject and below and above and fits else subject


def _question(row: Any) -> str:
    return first_said(row["question"], row["driver"])


def _write_numbers(rows: Rows, i: int, row: Any, x: float) -> None:
    sheet, room, y = rows.sheet, NUMBERS_IN - 0.08, rows.y(i)
    if not _found(row):
        words = first_said(row["words"], "not found")
        if width_in(words) > 1.9 * room:  # a sentence takes the room of the axes too
            room = sheet.right - x
            sheet.box(x - 0.03, y - rows.each / 2, room + 0.03, rows.each, facecolor=PAPER, linewidth=0)
        lines = wrap(words, room, 2)
        for j, line in enumerate(lines):
            sheet.write(x, y + (len(lines) - 1) * LINE_IN / 2 - j * LINE_IN, line, color=SOFT)
        return
    turns = _turns(row, room)
    sheet.write(x, y + LINE_IN / 2, cut(turns, room, bold=True), bold=True)
    sheet.write(x, y - LINE_IN / 2, cut(f"base {with_unit(row['base'], row['unit'])}", room), color=SOFT)


def _turns(row: Any, room: float) -> str:
    """Both sides that were solved, `$52.1 to $52.4/PH/day`; the middle alone where both do not fit."""
    unit = plain(row["unit"])
    low, high = sorted((float(row["below"]), float(row["above"])))
    both = f"{with_unit(low, '$' if unit.startswith('$') else '')} to {with_unit(high, unit)}"
    return both if width_in(both, bold=True) <= room else with_unit((low + high) / 2, unit)


def _draw_distance(axes: Any, i: int, row: Any) -> None:
    far, sides = _far(row), _sides(row)
    axes.plot([0, far], [i, i], color=DARK, linewidth=1.2)
    axes.plot(sides, [i, i], color=DARK, linewidth=5)
    axes.plot([far], [i], marker="o", color=DARK, markersize=4.5)
    words = f"{far:+.0f}%" if abs(far) >= 9.95 else f"{far:+.1f}%"
    side, end, ha = (5, max(sides), "left") if far >= 0 else (-5, min(sides), "right")
    label(axes, words, (end, i), (side, 0), ha=ha, va="center")
