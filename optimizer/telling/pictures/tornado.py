"""The tornado: each driver low and high, decided again (wide) and with the plan's decisions kept (narrow)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import first_said, missing, number, plain, signed_musd, width_in, with_unit
from optimizer.telling.pictures.rows import Rows, key, names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import (
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
    fit,
    label,
    open_sheet,
    value_axis,
)
from optimizer.telling.pictures.tables import source_of, table_of, why_none

if TYPE_CHECKING:
    from optimizer.questions.studies.study import Study

HEAD_IN = 0.2
COLUMNS = (
    "driver", "words", "unit", "low", "base", "high", "value_low_musd", "value_high_musd", "kept_low_musd",
    "kept_high_musd",
)  # fmt: skip
ENDS = ("low", "high")
SHORT_UNITS = ("", "%", "$", "x")
EDGE = {"edgecolor": DARK, "linewidth": 0.6}
LOOKS = {"low": EDGE | {"facecolor": PALE, "hatch": HATCH}, "high": EDGE | {"facecolor": MIDDLE}}


def draw_tornado(study: Study) -> Figure:
    """Bars from the base value to each end, the widest span on top, every end with the setting and what it changes."""
    drivers = table_of(study, "drivers", *COLUMNS)
    values = drivers[["value_low_musd", "value_high_musd"]]
    spans = (values.max(axis=1) - values.min(axis=1)).fillna(-1.0)
    order = list(spans.sort_values(ascending=False, kind="stable").index)
    sheet = open_sheet(study.title, source_of(study))
    shown = order[: rows_that_fit(sheet, head=HEAD_IN)]
    rows = open_rows(sheet, len(shown), head=HEAD_IN)
    _draw_key(sheet, len(order) - len(shown))
    _draw_bars(rows, [drivers.loc[i] for i in shown], _base(study, drivers))
    return finish(sheet)


def _base(study: Study, drivers: Any) -> float:
    """Value at the base; where the study does not say it, the middle of what was solved."""
    base = study.about.get("value_musd")
    if base is not None and not missing(base):
        return float(base)
    middle = float(drivers[["value_low_musd", "value_high_musd"]].stack().mean())
    return 0.0 if missing(middle) else middle


def _draw_key(sheet: Sheet, hidden: int) -> None:
    entries: list[tuple[str, dict[str, Any]]] = [
        ("driver low", LOOKS["low"]), ("driver high", LOOKS["high"]),
        ("decisions kept", {"facecolor": INK, "height": 0.03}),
    ]  # fmt: skip
    key(sheet, sheet.top - LINE_IN / 2, entries, sheet.left)
    if hidden:
        sheet.write(sheet.right, sheet.top - LINE_IN / 2, f"{hidden} more move less", color=SOFT, ha="right")


def _draw_bars(rows: Rows, drivers: list[Any], base: float) -> None:
    sheet = rows.sheet
    named = [_name(row, rows.lines) for row in drivers]
    names = names_in(named, 0.9, 2.0)
    left = sheet.left + names
    axes = rows.axes(left, sheet.right - left)
    known = [base, *(value for row in drivers for value in _reach(row))]
    room = max((width_in(_end_words(row, end, base)) for row in drivers for end in ENDS), default=0.0) + 0.08
    axes.set_xlim(*fit(min(known), max(known), sheet.right - left, room, room))
    value_axis(axes.xaxis)
    axes.set_xlabel("value of the plan, $M", labelpad=1)
    axes.axvline(base, color=INK, linewidth=0.8)
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
            axes.barh(i, kept - base, left=base, height=0.15, facecolor=INK, edgecolor=PAPER, linewidth=0.4)
    for end, side in _sides(row, base).items():
        known = [base, *_reach(row)]
        at, ha = (max(known), "left") if side > 0 else (min(known), "right")
        label(axes, _end_words(row, end, base), (at, i), (3 * side, 0), ha=ha, va="center")


def _sides(row: Any, base: float) -> dict[str, int]:
    """On which side each end is labelled: the lower value at the left."""
    low, high = (base if missing(row[f"value_{end}_musd"]) else row[f"value_{end}_musd"] for end in ENDS)
    return {"low": -1, "high": 1} if low <= high else {"low": 1, "high": -1}


def _end_words(row: Any, end: str, base: float) -> str:
    """`35: -$4.1M`, the setting and what it changes; `no plan` where none keeps every rule, or that it is not known."""
    unit, value = plain(row["unit"]), row[f"value_{end}_musd"]
    setting = with_unit(row[end], unit) if unit in SHORT_UNITS else number(row[end])
    return f"{setting}: {why_none(row.get(f'moves_at_{end}')) if missing(value) else signed_musd(value - base)}"
