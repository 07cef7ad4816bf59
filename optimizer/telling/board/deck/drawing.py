"""Texts, tables and bars on a slide. Every text is set down in the ledger first, and drawn as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls, qn

from optimizer.telling.board.blocks import Bar, Cards, Gantt, Keys, Lane, Paragraph, Table, Texts
from optimizer.telling.board.deck.charts import paint
from optimizer.telling.board.deck.layout import EMU_PER_PT, SMALLEST, Frame, Place
from optimizer.telling.board.ledger import Ledger

CELL_PT = 7
"""Room at the left and the right of a table's cell."""
KEY_PT = 14.0
"""Size of the words beside squares of colour."""
LINE = 1.22
"""Height of a line over its size."""
CUT = Paragraph("and more that does not fit here", quiet=True)


class Pen:
    """Draws on one slide."""

    def __init__(self, frame: Frame, slide: Any, ledger: Ledger, number: int):
        self.frame, self.slide, self.ledger, self.number = frame, slide, ledger, number

    def say(self, marked: str) -> str:
        return self.ledger.set_down(self.number, marked)

    # ---- texts ------------------------------------------------------------------------------------------------------

    def text(
        self, place: Place, marked: str, size: float, *,
        bold: bool = False, role: str = "text", align: str = "left", anchor: str = "top", name: str = "",
    ) -> Any:  # fmt: skip
        """One paragraph in a box of its own."""
        box = self.slide.shapes.add_textbox(place.left, place.top, place.width, place.height)
        if name:
            box.name = name
        self._ready(box.text_frame, anchor)
        self._write(box.text_frame.paragraphs[0], self.say(marked), size, bold=bold, role=role, align=align)
        return box

    def texts(self, place: Place, block: Texts) -> None:
        """Paragraphs in one box, in the largest size that fits."""
        size, paragraphs = self._fitting(place, block)
        box = self.slide.shapes.add_textbox(place.left, place.top, place.width, place.height)
        self._ready(box.text_frame, "top")
        for i, paragraph in enumerate(paragraphs):
            target = box.text_frame.paragraphs[0] if i == 0 else box.text_frame.add_paragraph()
            role = "dk2" if paragraph.quiet else "text"
            self._write(target, self.say(paragraph.text), size, bold=paragraph.bold, role=role, align="left")
            target.space_after = int(size * 0.45 * EMU_PER_PT)
            if paragraph.bullet:
                _bullet(target, size)

    def _fitting(self, place: Place, block: Texts) -> tuple[float, list[Paragraph]]:
        """The size that fits, and the paragraphs; where the last do not fit in any size, a line that says so."""
        kept, tail, size = list(block.paragraphs), list[Paragraph](), block.largest
        room = place.height / EMU_PER_PT
        while size > SMALLEST and self._height(kept, size, place) > room:
            size -= 0.5
        while len(kept) > 1 and self._height([*kept, *tail], size, place) > room:
            kept.pop()
            while len(kept) > 1 and kept[-1].bold:  # a heading does not stand alone
                kept.pop()
            tail = [CUT]
        return size, [*kept, *tail]

    def _height(self, paragraphs: Sequence[Paragraph], size: float, place: Place) -> float:
        wide = place.width / EMU_PER_PT - 4
        lines = [
            self.frame.lines(self.ledger.plain(p.text), size, wide - (size if p.bullet else 0), bold=p.bold)
            for p in paragraphs
        ]
        return sum(lines) * size * LINE + len(lines) * size * 0.45

    def _ready(self, frame: Any, anchor: str) -> None:
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.vertical_anchor = {"top": MSO_ANCHOR.TOP, "middle": MSO_ANCHOR.MIDDLE, "bottom": MSO_ANCHOR.BOTTOM}[
            anchor
        ]

    def _write(
        self, paragraph: Any, text: str, size: float, *, bold: bool = False, role: str = "text", align: str = "left"
    ) -> None:
        run = paragraph.add_run()
        run.text = text
        run.font.size = int(size * EMU_PER_PT)
        run.font.bold = bold
        self.frame.palette.of(role).put(run.font.color)
        paragraph.alignment = {"left": PP_ALIGN.LEFT, "right": PP_ALIGN.RIGHT, "center": PP_ALIGN.CENTER}[align]

    # ---- cards and keys ---------------------------------------------------------------------------------------------

    def cards(self, place: Place, block: Cards) -> None:
        """Figures over their captions in a grid, with a line above each; each row as high as its captions ask."""
        gap = place.width // 20
        wide = (place.width - gap * (block.columns - 1)) // block.columns
        rows = [block.cards[i : i + block.columns] for i in range(0, len(block.cards), block.columns)]
        big, small, heights = self._card_sizes(rows, wide, place.height)
        top = place.top
        for row, high in zip(rows, heights, strict=True):
            for column, (figure, caption) in enumerate(row):
                left, size = place.left + column * (wide + gap), big
                self.rule(left, top, wide)
                while size > 16 and self.frame.width_pt(self.ledger.plain(figure), size, bold=True) > wide / EMU_PER_PT:
                    size -= 1
                edge, head = 4 * EMU_PER_PT, int((1.35 * big + 4) * EMU_PER_PT)
                self.text(Place(left, top + edge, wide, head - edge), figure, size, bold=True, role="strong")
                self.text(Place(left, top + head, wide, high - head - edge), caption, small)
            top += high

    def _card_sizes(
        self, rows: Sequence[Sequence[tuple[str, str]]], wide: int, room: int
    ) -> tuple[float, float, list[int]]:
        """Sizes of figures and captions, the largest that fit, and the heights of the rows."""
        for big, small in ((32.0, 14.0), (28.0, 13.0), (26.0, 12.0), (22.0, 12.0), (18.0, 12.0)):
            lines = [max(self._caption_lines(caption, small, wide) for _, caption in row) for row in rows]
            heights = [int((1.35 * big + 12 + many * small * LINE) * EMU_PER_PT) for many in lines]
            if sum(heights) <= room:
                break
        spare = max(0, room - sum(heights)) // max(1, len(rows))
        return big, small, [high + min(spare, 26 * EMU_PER_PT) for high in heights]

    def _caption_lines(self, caption: str, size: float, wide: int) -> int:
        return self.frame.lines(self.ledger.plain(caption), size, wide / EMU_PER_PT)

    def rule(self, left: int, top: int, width: int, role: str = "quiet") -> None:
        self._line(left, top, left + width, top, role)

    def _line(self, left: int, top: int, right: int, bottom: int, role: str) -> None:
        """A plain line: without the style that gives lines a shadow in some themes."""
        line = self.slide.shapes.add_connector(1, left, top, right, bottom)
        style = line._element.find(qn("p:style"))
        if style is not None:
            line._element.remove(style)
        self.frame.palette.of(role).put(line.line.color)
        line.line.width = EMU_PER_PT

    def keys(self, place: Place, block: Keys) -> None:
        """Squares of colour with their words, wrapped into further lines where one is too short."""
        for (role, marked), (left, top, wide) in zip(block.items, self._key_places(place, block), strict=True):
            side = int(KEY_PT * 0.8 * EMU_PER_PT)
            self.rectangle(Place(left, top + side // 4, side, side), role, "key")
            words = Place(left + int(side * 1.5), top, wide - int(side * 1.5), int(KEY_PT * LINE * EMU_PER_PT))
            self.text(words, marked, KEY_PT)

    def keys_height(self, place: Place, block: Keys) -> int:
        """Height of the lines that the keys take there, in EMU."""
        lines = {top for _, top, _ in self._key_places(place, block)}
        return max(lines, default=place.top) - place.top + int(KEY_PT * 1.5 * EMU_PER_PT)

    def _key_places(self, place: Place, block: Keys) -> list[tuple[int, int, int]]:
        """Left, top and width of each key with its words, line by line."""
        left, top, places = place.left, place.top, []
        for _, marked in block.items:
            wide = int((self.frame.width_pt(self.ledger.plain(marked), KEY_PT) + 30) * EMU_PER_PT)
            if left > place.left and left + wide > place.left + place.width:
                left, top = place.left, top + int(KEY_PT * 1.5 * EMU_PER_PT)
            places.append((left, top, min(wide, place.width)))
            left += wide + int(10 * EMU_PER_PT)
        return places

    def rectangle(self, place: Place, role: str, name: str) -> Any:
        shape = self.slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, place.left, place.top, place.width, place.height)
        shape.name = name
        style = shape._element.find(qn("p:style"))
        if style is not None:
            shape._element.remove(style)
        paint(self.frame, shape.fill, role)
        if role in ("building", "unused"):
            self.frame.palette.of("quiet").put(shape.line.color)
            shape.line.width = int(0.75 * EMU_PER_PT)
        else:
            shape.line.fill.background()
        return shape

    # ---- tables -----------------------------------------------------------------------------------------------------

    def table(self, place: Place, block: Table) -> None:
        """A native table, in the largest size that fits; rows past the room are counted in its last line."""
        widths = [round(share * place.width / sum(block.widths)) for share in block.widths]
        size, rows = self._table_rows(place, block, widths)
        high = [int(self._row_pt(row, size, widths) * EMU_PER_PT) for row in (block.head, *rows)]
        shape = self.slide.shapes.add_table(len(rows) + 1, len(widths), place.left, place.top, sum(widths), sum(high))
        shape.name = block.name
        _plain_table(shape)
        for column, wide in zip(shape.table.columns, widths, strict=True):
            column.width = wide
        for i, row in enumerate((block.head, *rows)):
            shape.table.rows[i].height = high[i]
            for j, marked in enumerate(row):
                bold = i == 0 or i - 1 in block.strong
                align = "right" if block.aligns[j] == "r" else "left"
                self._cell(shape.table.cell(i, j), marked, size, align, bold=bold, head=i == 0)

    def _table_rows(
        self, place: Place, block: Table, widths: Sequence[int]
    ) -> tuple[float, tuple[tuple[str, ...], ...]]:
        room = place.height / EMU_PER_PT
        size = block.largest
        while size > SMALLEST and self._table_pt(block, block.rows, size, widths) > room:
            size -= 0.5
        rows = block.rows
        while len(rows) > 1 and self._table_pt(block, rows, size, widths) > room:
            rows = rows[:-1]
        left = len(block.rows) - len(rows)
        if left:
            hidden = block.rows[-left - 1 :]
            more = " ".join(filter(None, ("and", self.ledger.rows(hidden), "more")))
            rows = (*rows[:-1], (more, *("" for _ in widths[1:])))
        return size, rows

    def _table_pt(self, block: Table, rows: Sequence[Sequence[str]], size: float, widths: Sequence[int]) -> float:
        return sum(self._row_pt(row, size, widths) for row in (block.head, *rows))

    def _row_pt(self, row: Sequence[str], size: float, widths: Sequence[int]) -> float:
        lines = max(
            self.frame.lines(self.ledger.plain(text), size, wide / EMU_PER_PT - 2 * CELL_PT - 2)
            for text, wide in zip(row, widths, strict=True)
        )
        return lines * size * LINE + 5 + (size - SMALLEST)

    def _cell(self, cell: Any, marked: str, size: float, align: str, *, bold: bool, head: bool) -> None:
        cell.margin_left = cell.margin_right = CELL_PT * EMU_PER_PT
        cell.margin_top = cell.margin_bottom = 2 * EMU_PER_PT
        cell.vertical_anchor = MSO_ANCHOR.MIDDLE
        cell.fill.background()
        paragraph = cell.text_frame.paragraphs[0]
        if marked:
            self._write(paragraph, self.say(marked), size, bold=bold, role="dk2" if head else "text", align=align)
        else:
            paragraph.font.size = int(size * EMU_PER_PT)
        _border(self.frame, cell, "dk2" if head else "quiet", 1.25 if head else 0.5)

    # ---- bars over time ---------------------------------------------------------------------------------------------

    def gantt(self, place: Place, block: Gantt) -> None:
        """Bars in lanes under a line of ticks; a text stands in its bar, or beside it where the bar is short."""
        labels = int(place.width * block.label_share)
        left, step = place.left + labels, (place.width - labels) / block.steps
        head = 20 * EMU_PER_PT
        high = min((place.height - head) // max(len(block.lanes), 1), 40 * EMU_PER_PT)
        bottom = place.top + head + high * len(block.lanes)
        for i, marked in block.ticks:
            x = left + round(i * step)
            self._line(x, place.top + head, x, bottom, "grid")
            self.text(Place(x + 2 * EMU_PER_PT, place.top, 60 * EMU_PER_PT, head), marked, 12, role="dk2")
        before = None
        for n, lane in enumerate(block.lanes):
            top = place.top + head + n * high
            if lane.label != before:
                self.rule(place.left, top, place.width, "grid")
                self._lane_label(Place(place.left, top, labels - 8 * EMU_PER_PT, high), lane)
            before = lane.label
            self._bars(Place(left, top, place.width - labels, high), lane, step)

    def _lane_label(self, place: Place, lane: Lane) -> None:
        wide = place.width / EMU_PER_PT
        label = self.ledger.fitted(lane.label, lambda text: self.frame.width_pt(text, 12.5, bold=True) <= wide)
        self.text(place, label, 12.5, bold=True, anchor="middle")

    def _bars(self, place: Place, lane: Lane, step: float) -> None:
        inset = place.height // 8
        for n, bar in enumerate(lane.bars):
            left = place.left + round(bar.first * step)
            wide = max(round((bar.last + 1 - bar.first) * step), 2 * EMU_PER_PT)
            box = Place(left, place.top + inset, wide, place.height - 2 * inset)
            self.rectangle(box, bar.role, f"bar: {n + 1}")
            after = lane.bars[n + 1].first if n + 1 < len(lane.bars) else None
            right = place.left + (place.width if after is None else round(after * step))
            self._bar_text(box, right, bar)

    def _bar_text(self, box: Place, right: int, bar: Bar) -> None:
        """The first text that fits into the bar or beside it, whole; failing that, the first with its names cut."""
        pad = 3 * EMU_PER_PT
        inside, beside = (box.width - 2 * pad) / EMU_PER_PT, (right - box.left - box.width - pad) / EMU_PER_PT
        room = max(inside, beside)

        def fits(text: str) -> bool:
            return self.frame.width_pt(text, SMALLEST) <= room

        whole = [marked for marked in bar.texts if fits(self.ledger.plain(marked))]
        cut = [
            marked
            for marked in (self.ledger.fitted(text, fits) for text in bar.texts)
            if fits(self.ledger.plain(marked))
        ]
        if not whole and not cut:
            return
        marked = (whole or cut)[0]
        if self.frame.width_pt(self.ledger.plain(marked), SMALLEST) <= inside:
            spot = Place(box.left + pad, box.top, box.width - 2 * pad, box.height)
            self.text(spot, marked, SMALLEST, role=self.frame.palette.ink(bar.role), anchor="middle")
        else:
            spot = Place(box.left + box.width + pad, box.top, int(beside * EMU_PER_PT), box.height)
            self.text(spot, marked, SMALLEST, anchor="middle")


def _bullet(paragraph: Any, size: float) -> None:
    properties = paragraph._p.get_or_add_pPr()
    indent = int(size * 0.9 * EMU_PER_PT)
    properties.set("marL", str(indent))
    properties.set("indent", str(-indent))
    properties.append(parse_xml(f'<a:buFont {nsdecls("a")} typeface="Arial"/>'))
    properties.append(parse_xml(f'<a:buChar {nsdecls("a")} char="•"/>'))


def _plain_table(shape: Any) -> None:
    """No banding and no style but our lines."""
    table = shape.table
    table.horz_banding = False
    table.first_row = True
    style = shape._element.graphic.graphicData.tbl.tblPr.find(qn("a:tableStyleId"))
    if style is not None:
        style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


def _border(frame: Frame, cell: Any, role: str, width: float) -> None:
    line = parse_xml(
        f'<a:lnB {nsdecls("a")} w="{int(width * EMU_PER_PT)}"><a:solidFill>'
        f"{frame.palette.of(role).xml}</a:solidFill></a:lnB>"
    )
    properties = cell._tc.get_or_add_tcPr()
    properties.insert(0, line)
