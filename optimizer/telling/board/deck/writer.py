"""A deck assembled from its slides: drawn, given its properties, and packed so that equal plans give equal bytes."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, time
from textwrap import shorten
from typing import Any

from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls

from optimizer.telling.board.blocks import Block, Cards, Chart, Gantt, Keys, Slide, Table, Texts
from optimizer.telling.board.deck.charts import add_chart, refill_chart
from optimizer.telling.board.deck.drawing import Pen
from optimizer.telling.board.deck.layout import EMU_PER_PT, Frame, Place
from optimizer.telling.board.figures import Figure
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.receipts import input_hash

SMALLEST_TITLE = 18.0
FOOT_PT = 10.5
NOTE_PT = 12.0
LONGEST_KEYS = 400
"""Characters of the keys of a chart in the notes; the ledger holds them whole."""


def assemble(frame: Frame, pack: Pack, slides: tuple[Slide, ...]) -> bytes:
    """The bytes of the presentation. Slides of a template that hold a chart of ours by name are filled, others go."""
    presentation = frame.presentation
    own = _template_slides(presentation, slides)
    for number, slide in enumerate(slides, 1):
        page = own.get(slide.name) or presentation.slides.add_slide(frame.layout)
        _put_last(presentation, page)
        _draw(frame, page, pack, slide, number)
    _rename(presentation)
    _set_properties(presentation, pack)
    stream = io.BytesIO()
    presentation.save(stream)
    return _packed(stream.getvalue())


# ---- slides ---------------------------------------------------------------------------------------------------------


def _template_slides(presentation: Any, slides: tuple[Slide, ...]) -> dict[str, Any]:
    """The template's slides that hold a chart named like one of ours, by our slide's name; its other slides go."""
    owner = {block.name: slide.name for slide in slides for _, block in slide.blocks if isinstance(block, Chart)}
    kept: dict[str, Any] = {}
    for page in list(presentation.slides):
        names = [owner[shape.name] for shape in page.shapes if shape.name in owner and shape.has_chart]
        if names and names[0] not in kept:
            kept[names[0]] = page
        else:
            _remove(presentation, page)
    _rename(presentation)
    return kept


def _rename(presentation: Any) -> None:
    """Number the slides' parts in their order, so that a new one finds its name free."""
    presentation.part.rename_slide_parts([entry.rId for entry in presentation.slides._sldIdLst])


def _remove(presentation: Any, page: Any) -> None:
    ids = presentation.slides._sldIdLst
    entry = next(entry for entry in ids if presentation.part.related_part(entry.rId) is page.part)
    presentation.part.drop_rel(entry.rId)
    ids.remove(entry)


def _put_last(presentation: Any, page: Any) -> None:
    ids = presentation.slides._sldIdLst
    entry = next(entry for entry in ids if presentation.part.related_part(entry.rId) is page.part)
    ids.append(entry)


def _draw(frame: Frame, page: Any, pack: Pack, slide: Slide, number: int) -> None:
    pen = Pen(frame, page, pack.ledger, number)
    for holder in list(page.placeholders):
        if holder.placeholder_format.type not in (1, 3) and holder.has_text_frame and not holder.text_frame.text:
            holder._element.getparent().remove(holder._element)  # an empty one asks for a text to be added
    _title(frame, page, pen, slide)
    body = frame.body
    if slide.note:
        high = int(
            frame.lines(pack.ledger.plain(slide.note), NOTE_PT, body.width / EMU_PER_PT) * NOTE_PT * 1.25 * EMU_PER_PT
        )
        spot = Place(body.left, body.top + body.height - high, body.width, high)
        pen.text(spot, slide.note, NOTE_PT, role="dk2", name="note")
        body = Place(body.left, body.top, body.width, body.height - high - 6 * EMU_PER_PT)
    theirs = {shape.name: shape for shape in page.shapes if shape.has_chart}
    for place, block in _places(body, pen, slide):
        if isinstance(block, Chart) and block.name in theirs:
            refill_chart(theirs[block.name], block, pack.ledger, number)
        elif not theirs:
            _draw_block(frame, page, pen, place, block)
    _foot(frame, page, pen, pack, number)
    _receipts(page, pack, number)


def _places(body: Place, pen: Pen, slide: Slide) -> list[tuple[Place, Block]]:
    """Where each block goes; keys that need more lines than they have room for push down what stands below them."""
    places = [(body.part(box), block) for box, block in slide.blocks]
    for keys, block in places:
        if isinstance(block, Keys):
            more = max(0, pen.keys_height(keys, block) - keys.height)
            below = keys.top + keys.height
            places = [(_lowered(place, more) if place.top >= below else place, one) for place, one in places]
    return places


def _lowered(place: Place, by: int) -> Place:
    return Place(place.left, place.top + by, place.width, place.height - by)


def _draw_block(frame: Frame, page: Any, pen: Pen, place: Place, block: Block) -> None:
    if isinstance(block, Chart):
        add_chart(frame, page.shapes, place, block, pen.ledger, pen.number)
    elif isinstance(block, Texts):
        pen.texts(place, block)
    elif isinstance(block, Cards):
        pen.cards(place, block)
    elif isinstance(block, Keys):
        pen.keys(place, block)
    elif isinstance(block, Table):
        pen.table(place, block)
    elif isinstance(block, Gantt):
        pen.gantt(place, block)


def _title(frame: Frame, page: Any, pen: Pen, slide: Slide) -> None:
    """The message, in the layout's own title where it has one, smaller where it would take more than its room."""
    holder = page.shapes.title
    size, wide = frame.title_pt, frame.title.width / EMU_PER_PT - 6

    def fits(text: str, points: float) -> bool:
        lines = frame.lines(text, points, wide, bold=True)
        return lines <= 2 and lines * points * 1.2 <= max(frame.title.height / EMU_PER_PT, points * 1.2)

    while size > SMALLEST_TITLE and not fits(pen.ledger.plain(slide.title), size):
        size -= 1
    marked = pen.ledger.fitted(slide.title, lambda text: fits(text, size))
    if holder is None:
        pen.text(frame.title, marked, size, bold=True, anchor="bottom")
        return
    holder.text_frame.text = pen.say(marked)
    for run in holder.text_frame.paragraphs[0].runs:
        if size < frame.title_pt:
            run.font.size = int(size * EMU_PER_PT)
        if not frame.title_reads:
            frame.palette.of("text").put(run.font.color)


def _foot(frame: Frame, page: Any, pen: Pen, pack: Pack, number: int) -> None:
    """Run id, input hash and status word at the left, the page at the right; stamps between them, in warning colour."""
    word, source, place = pack.ledger.word, pack.source, frame.foot
    left = (
        f"Run {word(source.word('run id', pack.plan.run_id))}   "
        f"inputs {word(source.word('input hash', input_hash(pack.plan)))}"
        f"   {word(source.word('plan.json word', pack.plan.word))}"
    )
    pen.text(
        Place(place.left, place.top, int(place.width * 0.62), place.height), left, FOOT_PT, role="dk2", name="footer"
    )
    if pack.stamps:
        stamp = word(source.word("stamps", "; ".join(pack.stamps)))
        spot = Place(place.left + int(place.width * 0.5), place.top, int(place.width * 0.42), place.height)
        pen.text(spot, stamp, FOOT_PT + 1.5, bold=True, role="bad", align="right", name="stamp")
    page_number = pack.ledger.whole(Figure(None, float(number)))
    spot = Place(place.left + int(place.width * 0.93), place.top, place.width - int(place.width * 0.93), place.height)
    _as_field(pen.text(spot, page_number, FOOT_PT, role="dk2", align="right", name="page"))


def _as_field(box: Any) -> None:
    """Make a page number follow its slide when slides are moved."""
    run = box.text_frame.paragraphs[0].runs[0]._r
    field = parse_xml(f'<a:fld {nsdecls("a")} id="{{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}}" type="slidenum"/>')
    run.addprevious(field)
    for child in list(run):
        field.append(child)
    run.getparent().remove(run)


def _receipts(page: Any, pack: Pack, number: int) -> None:
    """In the speaker's notes: where each number of the slide stands in the plan."""
    seen: dict[str, str] = {}
    for line in list(pack.ledger.lines.get(number, {}).values()):
        for receipt in line.receipts:
            if receipt.value is not None and receipt.key != "page":
                seen.setdefault(receipt.text, receipt.key)
    charts = pack.ledger.plots.get(number, {})
    texts = ["Where each number stands in the plan"]
    word = pack.ledger.word
    for text, key in seen.items():
        texts.append(f"{word(pack.source.word(key, text))}: {word(pack.source.word('key', key))}")
    for name, series in charts.items():
        keys = word(pack.source.word("key", _common(tuple(figure.key for _, figures in series for figure in figures))))
        texts.append(f"{word(pack.source.word('chart', name))}: {keys}")
    frame = page.notes_slide.notes_text_frame
    if frame is not None:
        frame.text = "\n".join(pack.ledger.set_down(number, text) for text in texts)


def _common(keys: tuple[str, ...]) -> str:
    """Keys of a chart in short: quarters and row numbers taken out, and no more than a few lines of them."""
    short = {re.sub(r"[?&](quarter=\d{4}Q\d|row=\d+)", "", key) for key in keys if key != "none"}
    return shorten("; ".join(sorted(short)[:4]), LONGEST_KEYS, placeholder=" …")


# ---- the file -------------------------------------------------------------------------------------------------------


def _set_properties(presentation: Any, pack: Pack) -> None:
    """Who, what and when, on purpose: nothing of whoever made a template, no name of a person or a machine."""
    settings, core = pack.plan.case.settings, presentation.core_properties
    program = f"mw-allocation-optimizer {pack.plan.provenance['optimizer']}"
    when = datetime.combine(settings.as_of, time())
    core.author = core.last_modified_by = program
    core.title = settings.title[:255]
    core.subject = f"Scenario {pack.plan.scenario}"[:255]
    core.keywords = f"run {pack.plan.run_id}, inputs {input_hash(pack.plan)}"
    core.comments = "; ".join((pack.plan.word, *pack.stamps))[:255]
    core.category, core.content_status, core.language, core.version, core.identifier = (
        "",
        pack.plan.word[:255],
        "en-US",
        "",
        "",
    )
    core.created = core.modified = when
    core.revision = 1
    for printed in core._element.findall("{*}lastPrinted"):
        core._element.remove(printed)
    _plain_app(presentation)


def _plain_app(presentation: Any) -> None:
    for rel in presentation.part.package._rels.values():
        if rel.reltype.endswith("/extended-properties"):
            rel.target_part._blob = (
                b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
                b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
                b"<Application>mw-allocation-optimizer</Application></Properties>"
            )


def _packed(data: bytes) -> bytes:
    """The same package with the earliest date that a zip knows on every part."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, old.read(name))
    return stream.getvalue()
