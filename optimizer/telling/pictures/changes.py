"""Pictures of what moves a value: the tornado, prices of the rules, break-evens, the bridge between two plans."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures import sheet as on
from optimizer.telling.pictures.lettering import (
    cut,
    first_said,
    missing,
    number,
    plain,
    signed_musd,
    tenths,
    width_in,
    with_unit,
    wrap,
)
from optimizer.telling.pictures.tables import source_of, table_of, why_none

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.questions.studies.study import Study

# ---- tornado ---------------------------------------------------------------------------------------------------------

TORNADO_HEAD_IN = 0.2
TORNADO_COLUMNS = (
    "driver", "words", "unit", "low", "base", "high", "value_low_musd", "value_high_musd", "kept_low_musd",
    "kept_high_musd",
)  # fmt: skip
ENDS = ("low", "high")
SHORT_UNITS = ("", "%", "$", "x")
EDGE = {"edgecolor": on.DARK, "linewidth": 0.6}
LOOKS = {"low": EDGE | {"facecolor": on.PALE, "hatch": on.HATCH}, "high": EDGE | {"facecolor": on.MIDDLE}}


def draw_tornado(study: Study) -> Figure:
    """Bars from the base value to each end, the widest span on top, every end with the setting and what it changes."""
    drivers = table_of(study, "drivers", *TORNADO_COLUMNS)
    values = drivers[["value_low_musd", "value_high_musd"]]
    spans = (values.max(axis=1) - values.min(axis=1)).fillna(-1.0)
    order = list(spans.sort_values(ascending=False, kind="stable").index)
    sheet = on.open_sheet(study.title, source_of(study))
    shown = order[: on.rows_that_fit(sheet, head=TORNADO_HEAD_IN)]
    rows = on.open_rows(sheet, len(shown), head=TORNADO_HEAD_IN)
    _draw_key(sheet, len(order) - len(shown))
    _draw_bars(rows, [drivers.loc[i] for i in shown], _base(study, drivers))
    return on.finish(sheet)


def _base(study: Study, drivers: Any) -> float:
    """Value at the base; where the study does not say it, the middle of what was solved."""
    base = study.about.get("value_musd")
    if base is not None and not missing(base):
        return float(base)
    middle = float(drivers[["value_low_musd", "value_high_musd"]].stack().mean())
    return 0.0 if missing(middle) else middle


def _draw_key(sheet: on.Sheet, hidden: int) -> None:
    entries: list[tuple[str, dict[str, Any]]] = [
        ("driver low", LOOKS["low"]), ("driver high", LOOKS["high"]),
        ("decisions kept", {"facecolor": on.INK, "height": 0.03}),
    ]  # fmt: skip
    on.key(sheet, sheet.top - on.LINE_IN / 2, entries, sheet.left)
    if hidden:
        sheet.write(sheet.right, sheet.top - on.LINE_IN / 2, f"{hidden} more move less", color=on.SOFT, ha="right")


def _draw_bars(rows: on.Rows, drivers: list[Any], base: float) -> None:
    sheet = rows.sheet
    named = [_name(row, rows.lines) for row in drivers]
    names = on.names_in(named, 0.9, 2.0)
    left = sheet.left + names
    axes = rows.axes(left, sheet.right - left)
    known = [base, *(value for row in drivers for value in _reach(row))]
    room = max((width_in(_tornado_end_words(row, end, base)) for row in drivers for end in ENDS), default=0.0) + 0.08
    axes.set_xlim(*on.fit(min(known), max(known), sheet.right - left, room, room))
    on.value_axis(axes.xaxis)
    axes.set_xlabel("value of the plan, $M", labelpad=1)
    axes.axvline(base, color=on.INK, linewidth=0.8)
    for i, row in enumerate(drivers):
        rows.name(i, named[i], names - 0.1, _base_words(row))
        _draw_row(axes, i, row, base)


def _name(row: Any, lines: int) -> str:
    """The driver; with its unit, where there is no second line for it and the ends do not say it."""
    words, unit = first_said(row["words"], row["driver"]), plain(row["unit"])
    return words if lines > 1 or unit in SHORT_UNITS else f"{words}, {unit}"


def _base_words(row: Any) -> str:
    unit = plain(row["unit"])
    return unit if missing(row["base"]) else f"base {with_unit(row['base'], unit)}"


def _reach(row: Any) -> list[float]:
    values = [row[f"{how}_{end}_musd"] for how in ("value", "kept") for end in ENDS]
    return [value for value in values if not missing(value)]


def _draw_row(axes: Any, i: int, row: Any, base: float) -> None:
    for end in sorted(ENDS, key=lambda end: -abs(row[f"value_{end}_musd"] - base)):
        value = row[f"value_{end}_musd"]
        if not missing(value):
            axes.barh(i, value - base, left=base, height=0.66, **LOOKS[end])
    for end in ENDS:
        kept = row[f"kept_{end}_musd"]
        if not missing(kept):
            axes.barh(i, kept - base, left=base, height=0.15, facecolor=on.INK, edgecolor=on.PAPER, linewidth=0.4)
    for end, side in _tornado_sides(row, base).items():
        known = [base, *_reach(row)]
        at, ha = (max(known), "left") if side > 0 else (min(known), "right")
        on.label(axes, _tornado_end_words(row, end, base), (at, i), (3 * side, 0), ha=ha, va="center")


def _tornado_sides(row: Any, base: float) -> dict[str, int]:
    """On which side each end is labelled: the lower value at the left."""
    low, high = (base if missing(row[f"value_{end}_musd"]) else row[f"value_{end}_musd"] for end in ENDS)
    return {"low": -1, "high": 1} if low <= high else {"low": 1, "high": -1}


def _tornado_end_words(row: Any, end: str, base: float) -> str:
    """`35: -$4.1M`, the setting and what it changes; `no plan` where none keeps every rule, or that it is not known."""
    unit, value = plain(row["unit"]), row[f"value_{end}_musd"]
    setting = with_unit(row[end], unit) if unit in SHORT_UNITS else number(row[end])
    return f"{setting}: {why_none(row.get(f'moves_at_{end}')) if missing(value) else signed_musd(value - base)}"


# ---- prices ----------------------------------------------------------------------------------------------------------

DUALS_IN, PRICES_HEAD_IN = 1.95, on.LINE_IN + 0.05
KEEPS = {"facecolor": on.PALE, "edgecolor": on.DARK, "linewidth": 0.6}
MOVES = {"facecolor": on.MIDDLE, "edgecolor": on.DARK, "linewidth": 0.6, "hatch": on.HATCH}


def draw_prices(study: Study) -> Figure:
    """Left, each step with the change of value, hatched where decisions move; right, the duals worth most."""
    changes = ("value_change_low_musd", "value_change_high_musd")
    steps = table_of(study, "steps", "words", "unit", "change", *changes, "moves")
    duals = table_of(study, "duals", "rule", "place", "quarter", "words", "unit", "dual_musd_per_unit", "limit")
    sheet = on.open_sheet(study.title, source_of(study))
    split = sheet.right - DUALS_IN
    _prices_draw_steps(replace(sheet, right=split - 0.12), steps)
    sheet.rule((split - 0.04, split - 0.04), (sheet.bottom, sheet.top))
    _list_duals(replace(sheet, left=split + 0.04), duals)
    return on.finish(sheet)


# ---- steps ----------------------------------------------------------------------------------------------------------


def _prices_draw_steps(sheet: on.Sheet, steps: pd.DataFrame) -> None:
    sheet.write(sheet.left, sheet.top - on.LINE_IN / 2, "solved again; hatched: decisions move", color=on.SOFT)
    fitting = on.rows_that_fit(sheet, head=PRICES_HEAD_IN, least=2 * on.LINE_IN + 0.04)
    shown = [row for _, row in steps.iloc[:fitting].iterrows()]
    if len(steps) > fitting:
        sheet.write(sheet.right, sheet.top - on.LINE_IN / 2, f"{len(steps) - fitting} more", color=on.SOFT, ha="right")
    rows = on.open_rows(sheet, len(shown), head=PRICES_HEAD_IN, most=0.46)
    names = on.names_in([text for row in shown for text in (row["words"], _change(row))], 0.9, 1.75)
    left = sheet.left + names
    axes = rows.axes(left, sheet.right - left)
    known = [0.0, *(side for row in shown for side in _prices_sides(row) if not missing(side))]
    room = max((width_in(_step_words(row)) for row in shown), default=0.5) + 0.1
    axes.set_xlim(*on.fit(min(known), max(known), sheet.right - left, room if min(known) < 0 else 0.05, room))
    on.value_axis(axes.xaxis, 3)
    axes.set_xlabel("change of value, $M", labelpad=1)
    axes.axvline(0.0, color=on.INK, linewidth=0.8)
    for i, row in enumerate(shown):
        rows.name(i, row["words"], names - 0.08, _change(row))
        _prices_draw_step(axes, i, row)


def _prices_sides(row: Any) -> tuple[float, float]:
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
    low, high = _prices_sides(row)
    return low < -0.05 and high > 0.05


def _step_words(row: Any) -> str:
    low, high = _prices_sides(row)
    if missing(low + high):
        return why_none(row.get("what_moves"))
    return f"{signed_musd(low)} to {signed_musd(high)}" if _either_sign(row) else signed_musd((low + high) / 2)


def _prices_draw_step(axes: Any, i: int, row: Any) -> None:
    low, high = _prices_sides(row)
    if missing(low + high):
        on.label(axes, why_none(row.get("what_moves")), (0, i), (4, 0), va="center", color=on.SOFT)
        return
    middle = (low + high) / 2
    if not _either_sign(row):
        axes.barh(i, middle, height=0.55, **(MOVES if _moves(row) else KEEPS))
    axes.plot([low, high], [i, i], color=on.INK, linewidth=1.0, marker="|", markersize=5)
    side, end, ha = (1, high, "left") if middle >= 0 else (-1, low, "right")
    on.label(axes, _step_words(row), (end, i), (4 * side, 0), va="center", ha=ha)


# ---- duals ----------------------------------------------------------------------------------------------------------


def _list_duals(sheet: on.Sheet, duals: pd.DataFrame) -> None:
    """The rules worth most, two lines each; the quarters of a rule at a place are one, with the sum of their duals."""
    sheet.write(sheet.left, sheet.top - on.LINE_IN / 2, "duals, at these whole decisions", color=on.SOFT)
    y = sheet.top - PRICES_HEAD_IN
    prices = _summed(duals)
    for words, price in prices:
        lines = wrap(words, sheet.width, 2)
        if y - (len(lines) + 1) * on.LINE_IN < sheet.bottom:
            break
        for line in lines:
            sheet.write(sheet.left, y - on.LINE_IN / 2, line)
            y -= on.LINE_IN
        sheet.write(sheet.left, y - on.LINE_IN / 2, cut(price, sheet.width, bold=True), bold=True)
        y -= on.LINE_IN + 0.05
    if not prices:
        sheet.write(sheet.left, y - on.LINE_IN / 2, "none binds")


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


# ---- breakevens ------------------------------------------------------------------------------------------------------

NUMBERS_IN, BREAKEVENS_HEAD_IN = 1.6, on.LINE_IN + 0.03
BREAKEVENS_COLUMNS = (
    "subject", "question", "driver", "unit", "base", "below", "above", "decision_below", "decision_above", "found",
    "words",
)  # fmt: skip


def draw_breakevens(study: Study) -> Figure:
    """Each row: the question, the break-even and its base, and how far apart they are in per cent of the base."""
    table = table_of(study, "breakevens", *BREAKEVENS_COLUMNS)
    asked = sorted((row for _, row in table.iterrows()), key=_nearness)
    sheet = on.open_sheet(study.title, source_of(study))
    fitting = on.rows_that_fit(sheet, head=BREAKEVENS_HEAD_IN, least=2 * on.LINE_IN + 0.04)
    rows = on.open_rows(sheet, min(len(asked), fitting), head=BREAKEVENS_HEAD_IN, most=0.46)
    shown, hidden = asked[:fitting], len(asked) - fitting
    names = on.names_in([text for row in shown for text in (_subject(row, 9.0), _question(row))], 1.2, 2.6)
    y = sheet.top - on.LINE_IN / 2
    sheet.write(sheet.left + names, y, "turns at", color=on.SOFT)
    sheet.write(sheet.right, y, "distance from base, %", color=on.SOFT, ha="right")
    if hidden > 0:
        sheet.write(sheet.left, y, f"{hidden} more in the table", color=on.SOFT)
    _draw_rows(rows, shown, names)
    return on.finish(sheet)


def _found(row: Any) -> bool:
    return str(row["found"]).lower() in ("yes", "true") and not missing(row["below"]) and not missing(row["above"])


def _far(row: Any) -> float:
    """Distance of the break-even from the base in per cent of the base; NaN where there is none."""
    base = row["base"]
    if not _found(row) or missing(base) or base == 0:
        return float("nan")
    return 100 * float((row["below"] + row["above"]) / 2 - base) / abs(float(base))


def _breakevens_sides(row: Any) -> list[float]:
    """The two sides that were solved, in per cent of the base."""
    return [100 * float(row[side] - row["base"]) / abs(float(row["base"])) for side in ("below", "above")]


def _nearness(row: Any) -> tuple[int, float]:
    far = _far(row)
    return (0, abs(far)) if not missing(far) else (1 if _found(row) else 2, 0.0)


def _draw_rows(rows: on.Rows, shown: list[Any], names: float) -> None:
    sheet = rows.sheet
    left = sheet.left + names + NUMBERS_IN
    axes = rows.axes(left, sheet.right - left)
    far = [0.0, *(side for row in shown if not missing(_far(row)) for side in _breakevens_sides(row))]
    axes.set_xlim(*on.fit(min(far), max(far), sheet.right - left, 0.42 if min(far) < 0 else 0.05, 0.42))
    on.value_axis(axes.xaxis, 4)
    axes.axvline(0.0, color=on.INK, linewidth=0.8)
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


def _write_numbers(rows: on.Rows, i: int, row: Any, x: float) -> None:
    sheet, room, y = rows.sheet, NUMBERS_IN - 0.08, rows.y(i)
    if not _found(row):
        words = first_said(row["words"], "not found")
        if width_in(words) > 1.9 * room:  # a sentence takes the room of the axes too
            room = sheet.right - x
            sheet.box(x - 0.03, y - rows.each / 2, room + 0.03, rows.each, facecolor=on.PAPER, linewidth=0)
        lines = wrap(words, room, 2)
        for j, line in enumerate(lines):
            sheet.write(x, y + (len(lines) - 1) * on.LINE_IN / 2 - j * on.LINE_IN, line, color=on.SOFT)
        return
    turns = _turns(row, room)
    sheet.write(x, y + on.LINE_IN / 2, cut(turns, room, bold=True), bold=True)
    sheet.write(x, y - on.LINE_IN / 2, cut(f"base {with_unit(row['base'], row['unit'])}", room), color=on.SOFT)


def _turns(row: Any, room: float) -> str:
    """Both sides that were solved, `$52.1 to $52.4/PH/day`; the middle alone where both do not fit."""
    unit = plain(row["unit"])
    low, high = sorted((float(row["below"]), float(row["above"])))
    both = f"{with_unit(low, '$' if unit.startswith('$') else '')} to {with_unit(high, unit)}"
    return both if width_in(both, bold=True) <= room else with_unit((low + high) / 2, unit)


def _draw_distance(axes: Any, i: int, row: Any) -> None:
    far, sides = _far(row), _breakevens_sides(row)
    axes.plot([0, far], [i, i], color=on.DARK, linewidth=1.2)
    axes.plot(sides, [i, i], color=on.DARK, linewidth=5)
    axes.plot([far], [i], marker="o", color=on.DARK, markersize=4.5)
    words = f"{far:+.0f}%" if abs(far) >= 9.95 else f"{far:+.1f}%"
    side, end, ha = (5, max(sides), "left") if far >= 0 else (-5, min(sides), "right")
    on.label(axes, words, (end, i), (side, 0), ha=ha, va="center")


# ---- bridge ----------------------------------------------------------------------------------------------------------

BRIDGE_COLUMNS = ("group", "words", "line_musd", "low_musd", "high_musd", "repriced_musd", "redecided_musd")
REPRICED = {"facecolor": on.MIDDLE, "edgecolor": on.DARK, "linewidth": 0.6}
REDECIDED = {"facecolor": on.PALE, "edgecolor": on.DARK, "linewidth": 0.6, "hatch": on.HATCH}


def draw_bridge(study: Study) -> Figure:
    """A waterfall in rows: solid what prices did to the old decisions, hatched what deciding again added.

    The whisker of a line runs over the orders in which the groups can be changed.
    """
    lines = table_of(study, "lines", *BRIDGE_COLUMNS)
    sheet = on.open_sheet(study.title, source_of(study))
    steps = [row for _, row in lines.iterrows()]
    room = on.rows_that_fit(sheet, head=on.LINE_IN + 0.03) - 2
    if len(steps) > room:
        steps = [*steps[: room - 1], _rest(lines.iloc[room - 1 :])]
    rows = on.open_rows(sheet, len(steps) + 2, head=on.LINE_IN + 0.03)
    columns = [sheet.right - 1.68, sheet.right - 0.88, sheet.right]
    right = columns[0] - 0.6
    y = sheet.top - on.LINE_IN / 2
    sheet.write(columns[0], y, "line, $M", ha="right", color=on.SOFT)
    for x, words, look in ((columns[1], "re-priced", REPRICED), (columns[2], "re-decided", REDECIDED)):
        on.key(sheet, y, [(words, look)], x - 0.25 - width_in(words))
    sheet.write(sheet.left, y, "whisker: by the order in which groups change", color=on.SOFT)
    named = [
        _bridge_end_words(study, "from"),
        _bridge_end_words(study, "to"),
        *(first_said(row["words"], row["group"]) for row in steps),
    ]
    names = on.names_in(named, 0.9, 1.75)
    _draw_ends(rows, study, columns[0], names)
    _bridge_draw_steps(rows, steps, study, (sheet.left + names, right), columns)
    return on.finish(sheet)


def _rest(lines: Any) -> dict[str, Any]:
    sums = lines[["line_musd", "low_musd", "high_musd", "repriced_musd", "redecided_musd"]].sum()
    return {"group": "rest", "words": f"{len(lines)} more lines", **sums, "low_musd": None, "high_musd": None}


def _ends(study: Study) -> tuple[float, float]:
    """Both values; NaN where the study does not say one."""
    values = (study.about.get(f"{end}_value_musd") for end in ("from", "to"))
    first, last = (float("nan") if value is None else float(value) for value in values)
    return first, last


def _bridge_end_words(study: Study, end: str) -> str:
    """What the study calls this end, or else its run id."""
    told = study.about.get
    return first_said(told(f"{end}_words"), told(f"{end}_case"), f"{end} {told(f'{end}_run_id', '')}")


def _draw_ends(rows: on.Rows, study: Study, column: float, room: float) -> None:
    for i, end, value in zip((0, rows.count - 1), ("from", "to"), _ends(study), strict=True):
        rows.name(i, _bridge_end_words(study, end), room - 0.1)
        rows.cell(i, column, tenths(value), bold=True)


def _bridge_draw_steps(
    rows: on.Rows, steps: list[Any], study: Study, edges: tuple[float, float], columns: list[float]
) -> None:
    start, end = _ends(study)
    left, right = edges
    axes = rows.axes(left, right - left)
    at = 0.0 if missing(start) else start
    reach = [at, *([] if missing(end) else [end])]
    for i, row in enumerate(steps, start=1):
        rows.name(i, first_said(row["words"], row["group"]), left - rows.sheet.left - 0.1)
        for x, name in zip(columns, ("line_musd", "repriced_musd", "redecided_musd"), strict=True):
            rows.cell(i, x, tenths(row[name], "+"), bold=name == "line_musd")
        reach += _bridge_draw_step(axes, i, row, at)
        at += 0.0 if missing(row["line_musd"]) else row["line_musd"]
    _draw_totals(axes, rows, (start, end), reach, right - left)
    axes.plot([at, at], [rows.count - 2 + 0.3, rows.count - 1.3], color=on.SOFT, linewidth=0.6)
    on.value_axis(axes.xaxis, 4)
    axes.set_xlabel("value, $M", labelpad=1)


def _draw_totals(axes: Any, rows: on.Rows, ends: tuple[float, float], reach: list[float], width: float) -> None:
    """Both values as bars from zero; as marks, where a bar from zero would leave no room for the lines between."""
    span = max(reach) - min(reach)
    from_zero = max(abs(value) for value in reach) <= 4 * span
    reach = [*reach, 0.0] if from_zero else reach
    axes.set_xlim(*on.fit(min(reach), max(reach), width, 0.05, 0.05))
    for i, value in zip((0, rows.count - 1), ends, strict=True):
        if missing(value):
            continue
        if from_zero:
            axes.barh(i, value, height=0.6, facecolor=on.DARK, edgecolor=on.DARK)
        else:
            axes.plot([value], [i], color=on.DARK, marker="D", markersize=5)
    if from_zero:
        axes.axvline(0.0, color=on.INK, linewidth=0.6)


def _bridge_draw_step(axes: Any, i: int, row: Any, at: float) -> list[float]:
    """Two half bars from where the line before ended, and the whisker; returns how far they reach."""
    axes.plot([at, at], [i - 0.7, i - 0.31], color=on.SOFT, linewidth=0.6)
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
    axes.plot([low, high], [i, i], color=on.INK, linewidth=1.0, marker="|", markersize=5)
    return [*ends, low, high]
