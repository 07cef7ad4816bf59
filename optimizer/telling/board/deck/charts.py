"""Native charts: made, or a template's own refilled; their workbooks hold the plotted series as numbers and texts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.chart import XL_LABEL_POSITION as P
from pptx.enum.dml import MSO_LINE, MSO_PATTERN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn
from pptx.util import Pt
from xlsxwriter import Workbook

from optimizer.telling.board.blocks import Chart, Series, reach
from optimizer.telling.board.deck.layout import EMU_PER_PT, Frame, Place
from optimizer.telling.board.ledger import Ledger

TEXT_PT = 12
BESIDE_BARS = 0.13
"""Room for a label beside a bar, as a share of all bars' width."""


def add_chart(frame: Frame, shapes: Any, place: Place, chart: Chart, ledger: Ledger, number: int) -> None:
    """A new chart in its place, styled; `number` is that of the slide."""
    kinds = {
        "stacked columns": XL_CHART_TYPE.COLUMN_STACKED, "columns": XL_CHART_TYPE.COLUMN_CLUSTERED,
        "lines": XL_CHART_TYPE.LINE, "bars": XL_CHART_TYPE.BAR_CLUSTERED,
    }  # fmt: skip
    data = _chart_data(chart, ledger, number)
    shape = shapes.add_chart(kinds[chart.kind], place.left, place.top, place.width, place.height, data)
    shape.name = chart.name
    _describe(shape, chart.alt)
    made = shape.chart
    _fill_workbook(made, data, chart)
    if chart.limit:
        _draw_as_line(made)
        _style_limit(frame, made.plots[1].series[0], chart.limit)
    _style(frame, made, chart)
    _style_axes(frame, made, chart)
    for series, spec in zip(made.plots[0].series, chart.series, strict=True):
        _style_series(frame, series, spec, chart, ledger, number)
    if chart.kind == "lines":
        made._chartSpace.chart.find(qn("c:dispBlanksAs")).set("val", "span")
        _room_for_labels(frame, made, chart, place, ledger)
    if chart.kind == "bars":
        _room_beside_bars(made, chart)


def refill_chart(shape: Any, chart: Chart, ledger: Ledger, number: int) -> None:
    """Put a chart's figures into a template's chart, whose styling stays. Columns are all that it fills."""
    if chart.limit:
        reach(chart, ledger)
        chart = replace(chart, limit=None)
    for line in shape.chart._chartSpace.xpath("c:chart/c:plotArea[c:barChart]/c:lineChart"):
        line.getparent().remove(line)
    data = _chart_data(chart, ledger, number)
    shape.chart.replace_data(data)
    _fill_workbook(shape.chart, data, chart)


def _chart_data(chart: Chart, ledger: Ledger, number: int) -> Any:
    data = CategoryChartData(number_format=chart.number_format)
    _add_categories(data, chart, ledger, number)
    if chart.limit:
        reach(chart, ledger)
    for series in (*chart.series, *([chart.limit] if chart.limit else [])):
        name = ledger.set_down(number, series.name)
        data.add_series(name, ledger.plot(number, chart.name, name, series.values))
    return data


def _add_categories(data: Any, chart: Chart, ledger: Ledger, number: int) -> None:
    """Categories in one level, or below their groups; a category may have two lines, each set down."""
    parent, before = None, None
    for i, marked in enumerate(chart.categories):
        text = "\n".join(ledger.set_down(number, line) for line in marked.split("\n"))
        if not chart.groups:
            data.add_category(text)
            continue
        group = ledger.set_down(number, chart.groups[i])
        if parent is None or group != before:
            parent, before = data.add_category(group), group
        parent.add_sub_category(text)


def _fill_workbook(chart: Any, data: Any, spec: Chart) -> None:
    """The chart's workbook written anew: texts as texts whatever they begin with, and the same bytes each time."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = Workbook(stream, options)
    workbook.set_properties({"title": spec.name, "created": datetime(2000, 1, 1)})
    sheet = workbook.add_worksheet("Sheet1")
    levels = list(data.categories.levels)
    for column, level in enumerate(reversed(levels)):
        for i, text in level:
            sheet.write_string(i + 1, column, str(text))
    for j, series in enumerate(data, len(levels)):
        sheet.write_string(0, j, series.name)
        for i, value in enumerate(series.values):
            if value is not None:
                sheet.write_number(i + 1, j, value)
    workbook.close()
    chart.part.chart_workbook.update_from_xlsx_blob(stream.getvalue())


# ---- styling --------------------------------------------------------------------------------------------------------


def _style(frame: Frame, chart: Any, spec: Chart) -> None:
    chart.has_legend = False
    chart.has_title = False
    chart.font.size = Pt(TEXT_PT)
    frame.palette.of("text").put(chart.font.color)
    plot = chart.plots[0]
    if spec.kind != "lines":
        plot.gap_width = spec.gap
        plot.overlap = 100 if spec.kind in ("stacked columns", "bars") else -10
    plot.vary_by_categories = False


def _style_axes(frame: Frame, chart: Any, spec: Chart) -> None:
    values, categories = chart.value_axis, chart.category_axis
    values.visible = spec.axis
    values.has_major_gridlines = spec.axis
    if spec.axis:
        frame.palette.of("grid").put(values.major_gridlines.format.line.color)
        values.major_gridlines.format.line.width = Pt(0.75)
        values.format.line.fill.background()
        values.tick_labels.number_format, values.tick_labels.number_format_is_linked = spec.number_format, False
    values.major_tick_mark = values.minor_tick_mark = XL_TICK_MARK.NONE
    categories.major_tick_mark = categories.minor_tick_mark = XL_TICK_MARK.NONE
    categories.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    frame.palette.of("quiet").put(categories.format.line.color)
    if spec.kind == "bars":
        categories.reverse_order = True
    categories.tick_labels.font.size = Pt(spec.category_pt)
    categories._element.txPr.find(qn("a:bodyPr")).set("rot", "0")


def _draw_as_line(chart: Any) -> None:
    """Take the last series out of the columns and draw it as a line over them, on the same axes."""
    bars = chart._chartSpace.chart.plotArea.find(qn("c:barChart"))
    series = bars.findall(qn("c:ser"))[-1]
    lines = parse_xml(f'<c:lineChart {nsdecls("c")}><c:grouping val="standard"/><c:varyColors val="0"/></c:lineChart>')
    bars.addnext(lines)
    for columns_only in series.findall(qn("c:invertIfNegative")):
        series.remove(columns_only)
    lines.append(series)
    series.append(parse_xml(f'<c:smooth {nsdecls("c")} val="0"/>'))
    lines.append(parse_xml(f'<c:marker {nsdecls("c")} val="1"/>'))
    lines.extend(deepcopy(axis) for axis in bars.findall(qn("c:axId")))


def _style_limit(frame: Frame, series: Any, spec: Series) -> None:
    frame.palette.of(spec.role).put(series.format.line.color)
    series.format.line.width = Pt(1.5)
    series.marker.style = XL_MARKER_STYLE.NONE


def paint(frame: Frame, fill: Any, role: str) -> None:
    """Fill with the role's colour, or with none."""
    if role == "none":
        fill.background()
        return
    if role == "unused":
        _hatch(frame, fill)
        return
    fill.solid()
    frame.palette.of(role).put(fill.fore_color)


def _hatch(frame: Frame, fill: Any) -> None:
    """Quiet strokes on nothing: what no use takes."""
    fill.patterned()
    fill.pattern = MSO_PATTERN.LIGHT_UPWARD_DIAGONAL
    frame.palette.of("quiet").put(fill.fore_color)
    frame.palette.of("lt1").put(fill.back_color)


def _style_series(frame: Frame, series: Any, spec: Series, chart: Chart, ledger: Ledger, number: int) -> None:
    if chart.kind == "lines":
        _style_line(frame, series, spec, ledger, number)
        return
    series.invert_if_negative = False
    paint(frame, series.format.fill, "none" if spec.hidden else spec.role)
    if spec.role == "building":
        frame.palette.of("quiet").put(series.format.line.color)
    for i, role in enumerate(spec.roles):
        paint(frame, series.points[i].format.fill, role)
    if chart.value_labels and not spec.hidden:
        labels = series.data_labels
        labels.show_value = True
        labels.number_format, labels.number_format_is_linked = chart.value_labels, False
    for i, marked in spec.labels:
        _label(
            frame, series, i, _lines(ledger, number, marked), spec.role, "above" if chart.kind != "bars" else "beside"
        )


def _style_line(frame: Frame, series: Any, spec: Series, ledger: Ledger, number: int) -> None:
    line = series.format.line
    frame.palette.of(spec.role).put(line.color)
    line.width = Pt(1.5 if spec.dashed else 2.5)
    if spec.dashed:
        line.dash_style = MSO_LINE.DASH
    series.smooth = False
    series.marker.style = XL_MARKER_STYLE.NONE
    for i, marked in spec.labels:
        marker = series.points[i].marker
        marker.style, marker.size = XL_MARKER_STYLE.CIRCLE, 9
        paint(frame, marker.format.fill, spec.role)
        if marked:
            where = "below" if spec.labels_below else "above"
            _label(frame, series, i, _lines(ledger, number, marked), spec.role, where)
            _shift_label(series.points[i], _steeper_side(spec, i), 0.08 if spec.labels_below else -0.08)
    if spec.end_label:
        point, where = spec.label_at or (len(spec.values) - 1, "right")
        _label(frame, series, point, _lines(ledger, number, spec.end_label), spec.role, where)


def _lines(ledger: Ledger, number: int, marked: str) -> list[str]:
    return [ledger.set_down(number, line) for line in marked.split("\n")]


def _label(frame: Frame, series: Any, point: int, lines: Sequence[str], role: str, where: str) -> None:
    label = series.points[point].data_label
    written = label.text_frame
    written.text = "\n".join(lines)
    for paragraph in written.paragraphs:
        paragraph.font.size = Pt(TEXT_PT)
        paragraph.font.bold = where == "above" and role == "strong"
        frame.palette.of("text").put(paragraph.font.color)
    label.position = {"above": P.ABOVE, "below": P.BELOW, "right": P.RIGHT, "beside": P.OUTSIDE_END}[where]


def _steeper_side(spec: Series, i: int) -> int:
    """Where a label leans: away from the ends of the line, and from the side on which the line is higher."""
    near = max(1, len(spec.values) // 8)
    if i < near or i >= len(spec.values) - near:
        return 1 if i < len(spec.values) // 2 else -1
    before, after = (
        max(figure.value for figure in part) for part in (spec.values[max(0, i - 4) : i + 1], spec.values[i : i + 5])
    )
    return 1 if before >= after else -1


def _shift_label(point: Any, side: int, down: float) -> None:
    """Move the label of a point aside and down (or up, where negative), as shares of the chart's size."""
    label = point.data_label._get_or_add_dLbl()
    label.find(qn("c:idx")).addnext(
        parse_xml(
            f'<c:layout {nsdecls("c")}><c:manualLayout><c:x val="{0.07 * side}"/><c:y val="{down}"/>'
            f"</c:manualLayout></c:layout>"
        )
    )


def _room_beside_bars(chart: Any, spec: Chart) -> None:
    """An axis longer than its bars at both ends, so that the labels at their ends meet no category."""
    values = [figure.value for series in spec.series for figure in series.values]
    low, high = min(*values, 0.0), max(*values, 0.0)
    room = BESIDE_BARS * ((high - low) or 1.0)
    chart.value_axis.minimum_scale, chart.value_axis.maximum_scale = low - room, high + room


def _room_for_labels(frame: Frame, chart: Any, spec: Chart, place: Place, ledger: Ledger) -> None:
    """Leave the right of the plot free for the labels at the lines' ends."""
    ends = [line for s in spec.series if not s.label_at for line in ledger.plain(s.end_label).split("\n")]
    longest = max((frame.width_pt(line, TEXT_PT) for line in ends), default=0.0)
    wide = place.width / EMU_PER_PT
    left = 50 / wide
    right = min(0.45, (longest + 14) / wide)
    layout = parse_xml(
        f'<c:layout {nsdecls("c")}><c:manualLayout><c:layoutTarget val="inner"/><c:xMode val="edge"/>'
        f'<c:yMode val="edge"/><c:x val="{left:.4f}"/><c:y val="0.04"/><c:w val="{1 - left - right:.4f}"/>'
        f'<c:h val="0.84"/></c:manualLayout></c:layout>'
    )
    area = chart._chartSpace.chart.find(qn("c:plotArea"))
    old = area.find(qn("c:layout"))
    if old is not None:
        area.remove(old)
    area.insert(0, layout)


def _describe(shape: Any, words: str) -> None:
    """The text that a screen reader says for a shape."""
    shape._element.nvGraphicFramePr.cNvPr.set("descr", words)
