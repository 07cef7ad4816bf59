"""Native charts over ranges of the workbook's own sheets: columns with lines above them, a tornado's bars, a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from optimizer.telling.board.workbook.sheets import INK, LINE, Sheet

Cells = tuple[Sheet, tuple[int, int], tuple[int, int]]
WIDTH, HEIGHT = 720, 330
CHART_ROWS = 17
"""Rows of usual height that a chart covers."""
_VALUES = {
    "num_format": "#,##0", "num_font": {"size": 9}, "line": {"none": True},
    "major_gridlines": {"visible": True, "line": {"color": LINE, "width": 0.5}},
}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """One series: rows and columns (first, last) of its numbers, and the cell of its name."""

    sheet: Sheet
    rows: tuple[int, int]
    columns: tuple[int, int]
    name_row: int
    name_column: int
    colour: str
    dashed: bool = False
    hatched: bool = False


def add_chart(
    where: Sheet,
    row: int,
    column: int,
    title: str,
    columns: Sequence[Series],
    lines: Sequence[Series],
    categories: Cells,
    *,
    stacked: bool = False,
) -> None:
    """Put a chart with its corner at a cell. The title is the program's own words, never a user's."""
    book = where.desk.book
    bars = book.add_chart({"type": "column", "subtype": "stacked"} if stacked else {"type": "column"})
    over = book.add_chart({"type": "line"})
    for series in columns:
        bars.add_series(_of(series, categories) | _fill(series) | {"gap": 30 if stacked else 60})
    for series in lines:
        look: dict[str, Any] = {"color": series.colour, "width": 2}
        over.add_series(_of(series, categories) | {"line": look | ({"dash_type": "dash"} if series.dashed else {})})
    chart = bars if columns else over
    if columns and lines:
        bars.combine(over)
    chart.set_x_axis({"num_font": {"size": 8, "rotation": -90}, "interval_unit": 2, "label_position": "low"})
    chart.set_y_axis(_VALUES)
    _finish(chart, where, row, column, title, 11)


def _fill(series: Series) -> dict[str, Any]:
    if not series.hatched:
        return {"fill": {"color": series.colour}}
    return {"pattern": {"pattern": "light_upward_diagonal", "fg_color": series.colour, "bg_color": "white"},
            "border": {"color": series.colour, "width": 0.5}}  # fmt: skip


def _finish(chart: Any, where: Sheet, row: int, column: int, title: str, columns: int) -> None:
    """The look that all charts share, at a cell, over so many of the sheet's columns."""
    chart.set_title({"name": title, "name_font": {"size": 12, "color": INK}, "overlay": False})
    chart.set_legend({"position": "bottom", "font": {"size": 9}})
    chart.set_size({"width": WIDTH, "height": HEIGHT})
    chart.show_blanks_as("gap")
    where.reach(row + CHART_ROWS - 1, column + columns)
    where.at.insert_chart(row, column, chart, {"object_position": 2, "description": title})


def add_bars(where: Sheet, row: int, column: int, title: str, bars: Sequence[Series], categories: Cells) -> None:
    """A tornado: bars to either side of nothing, the first category on top."""
    chart = where.desk.book.add_chart({"type": "bar"})
    for series in bars:
        chart.add_series(_of(series, categories) | {"fill": {"color": series.colour}, "gap": 40, "overlap": 100})
    chart.set_y_axis({"reverse": True, "label_position": "low", "num_font": {"size": 9}})  # of a bar chart, categories
    chart.set_x_axis({"label_position": "low", **_VALUES})
    _finish(chart, where, row, column, title, 5)


def add_curve(where: Sheet, row: int, column: int, title: str, curve: Series, across: Cells, x_title: str) -> None:
    """Points joined by lines, each at its own distance along the axis."""
    chart = where.desk.book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    look = {"line": {"color": curve.colour, "width": 2}, "marker": {"type": "circle", "size": 6}}
    chart.add_series(_of(curve, across) | look)
    small = {"size": 9, "bold": False}
    chart.set_x_axis(
        {"name": x_title, "name_font": small, "num_format": "#,##0", "num_font": small, "label_position": "low"}
    )
    chart.set_y_axis(_VALUES)
    _finish(chart, where, row, column, title, 5)


def _of(series: Series, categories: Cells) -> dict[str, Any]:
    sheet, rows, columns = categories
    return {
        "name": [series.sheet.name, series.name_row, series.name_column],
        "categories": [sheet.name, rows[0], columns[0], rows[1], columns[1]],
        "values": [series.sheet.name, series.rows[0], series.columns[0], series.rows[1], series.columns[1]],
    }
