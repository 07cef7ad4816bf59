"""Places, fonts and colours: the plain look of the program's own, or a company's template."""

from __future__ import annotations

import colorsys
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.oxml.ns import qn

from optimizer.ground.errors import PlanError
from optimizer.telling.board.blocks import Box
from optimizer.telling.board.deck.palette import Palette, contrast

EMU_PER_PT = 12700
WIDE, HIGH = 12192000, 6858000
SMALLEST = 12.0
LEAST_HIGH, LEAST_WIDE = 0.5, 0.6
"""Shares of the page that must be free for what a slide shows."""

_THEME = {
    "dk1": "1F2933", "lt1": "FFFFFF", "dk2": "334155", "lt2": "EEF1F4", "accent1": "1F4E79", "accent2": "E0A030",
    "accent3": "3E9C8F", "accent4": "7B5EA7", "accent5": "94A0AD", "accent6": "B23A2E", "hlink": "1F4E79",
    "folHlink": "7B5EA7",
}  # fmt: skip
"""The program's own colours: one for each use of power, of different lightness, so that they part in grey as well."""


@dataclass(frozen=True)
class Place:
    """A rectangle on a slide, in EMU."""

    left: int
    top: int
    width: int
    height: int

    def part(self, box: Box) -> Place:
        return Place(
            self.left + round(box.left * self.width), self.top + round(box.top * self.height),
            round(box.width * self.width), round(box.height * self.height),
        )  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """A presentation to draw in: the layout that slides take, where body and footer go, and its colours."""

    presentation: Any
    layout: Any
    title: Place
    title_pt: float
    body: Place
    foot: Place
    palette: Palette
    face: float = 1.0
    title_reads: bool = True
    """Whether the template's own titles can be read on its background."""

    @property
    def has_room(self) -> bool:
        """Whether what a slide shows fits between its title and its footer."""
        wide, high = self.presentation.slide_width, self.presentation.slide_height
        return bool(self.body.height >= LEAST_HIGH * high and self.body.width >= LEAST_WIDE * wide)

    def width_pt(self, text: str, size: float, *, bold: bool = False) -> float:
        """About how wide a line of text is in the theme's face, in points."""
        return text_width_pt(text, size * self.face, bold=bold)

    def lines(self, text: str, size: float, width_pt: float, *, bold: bool = False) -> int:
        """Lines that a text takes in the theme's face."""
        return count_lines(text, size * self.face, width_pt, bold=bold)


# ---- the program's own look, or a template --------------------------------------------------------------------------


def open_frame(template: Path | None) -> Frame:
    """An empty presentation, or the template's. Raises PlanError where the template is none or has no room."""
    if template is None:
        presentation = Presentation()
        _dress(presentation)
        return _frame(presentation, presentation.slide_layouts[0])
    try:
        presentation = Presentation(_as_presentation(template))
        frames = [_frame(presentation, layout) for layout in presentation.slide_layouts]
    except Exception as error:  # whatever python-pptx and zipfile raise for a file that is no presentation
        raise PlanError(f"{template} cannot be used as a template: {error}.") from None
    return _roomiest(template, frames)


def _as_presentation(template: Path) -> BinaryIO:
    """The file's bytes, a template (.potx, .potm) marked as the presentation that it would open as."""
    stream = io.BytesIO()
    with zipfile.ZipFile(template) as old, zipfile.ZipFile(stream, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "[Content_Types].xml":
                data = re.sub(rb"application/[^\"]*(template|slideshow)[^\"]*\.main\+xml", _PRESENTATION, data)
            new.writestr(entry.filename, data)
    stream.seek(0)
    return stream


_PRESENTATION = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"


def _roomiest(template: Path, frames: list[Frame]) -> Frame:
    """The frame of the layout with a title and as little else as possible that has room for a slide's message."""
    if not frames:
        raise PlanError(f"{template} cannot be used as a template: it has no slide layout.")
    roomy = [frame for frame in frames if frame.has_room]
    if not roomy:
        best = max(frames, key=lambda frame: frame.body.height * frame.body.width)
        high, wide = best.presentation.slide_height, best.presentation.slide_width
        raise PlanError(
            f"{template} has no room for a deck: its roomiest layout, {best.layout.name!r}, leaves free "
            f"{max(best.body.height, 0) / high:.0%} of the page's height and {max(best.body.width, 0) / wide:.0%} of "
            f"its width, and texts and charts would overlap. Add a layout with a title at the top and nothing below it "
            f"(PowerPoint calls it 'Title Only'): {LEAST_HIGH:.0%} of the height and {LEAST_WIDE:.0%} of the width "
            f"must be free."
        )
    return min(roomy, key=lambda frame: _burden(frame.layout))


def _frame(presentation: Any, layout: Any) -> Frame:
    wide, high = presentation.slide_width, presentation.slide_height
    margin = wide // 22
    holder = next((p for p in layout.placeholders if p.placeholder_format.type in (1, 3)), None)
    title = Place(margin, high // 20, wide - 2 * margin, high // 8)
    if holder is not None and holder.width:
        title = Place(holder.left, holder.top, holder.width, holder.height)
    foot = Place(title.left, high - high // 15, title.width, high // 22)
    for shape in layout.placeholders:
        if shape.placeholder_format.type in (13, 15, 16) and shape.top and shape.top > high * 0.7:
            foot = Place(title.left, min(shape.top, foot.top), title.width, max(shape.height, high // 25))
    fixtures = _fixtures(layout, wide, high)
    foot = _above(foot, fixtures)
    top = title.top + title.height + high // 60
    if title.top > high // 2:
        top = high // 15
    end = min(foot.top, title.top if title.top > high // 2 else foot.top) - high // 40
    body = _free_of(Place(title.left, top, title.width, end - top), fixtures)
    palette = _palette(layout, wide, high)
    reads = _title_reads(layout, palette)
    return Frame(presentation, layout, title, _title_pt(layout), body, foot, palette, _face(layout), reads)


# ---- what a layout holds beside its placeholders --------------------------------------------------------------------


def _fixtures(layout: Any, wide: int, high: int) -> list[Place]:
    """Logos, bands and the like of layout and master; what covers most of the page is its background."""
    return [place for shape in _drawn(layout) if (place := _place_of(shape)) and not _covers(place, wide, high)]


def _drawn(layout: Any) -> list[Any]:
    """What the layout and, unless it hides it, its master draw on every slide."""
    hosts = [layout] if layout._element.get("showMasterSp") == "0" else [layout.slide_master, layout]
    return [shape for host in hosts for shape in host.shapes if not shape.is_placeholder]


def _place_of(shape: Any) -> Place | None:
    sides = (shape.left, shape.top, shape.width, shape.height)
    return None if None in sides else Place(*sides)


def _covers(place: Place, wide: int, high: int) -> bool:
    across = min(place.left + place.width, wide) - max(place.left, 0)
    down = min(place.top + place.height, high) - max(place.top, 0)
    return across * down >= 0.6 * wide * high


def _meet(a: Place, b: Place) -> bool:
    return (a.left < b.left + b.width and b.left < a.left + a.width
            and a.top < b.top + b.height and b.top < a.top + a.height)  # fmt: skip


def _above(foot: Place, fixtures: list[Place]) -> Place:
    """The line of the footer, raised above what lies there already."""
    for fixture in sorted(fixtures, key=lambda place: -place.top):
        if _meet(foot, fixture):
            foot = Place(foot.left, fixture.top - foot.height, foot.width, foot.height)
    return foot


def _free_of(body: Place, fixtures: list[Place]) -> Place:
    """The body cut back, at the side that costs least, by whatever lies in it."""
    for fixture in fixtures:
        if _meet(body, fixture):
            right, bottom = body.left + body.width, body.top + body.height
            low, far = fixture.top + fixture.height, fixture.left + fixture.width
            cuts = (
                Place(body.left, body.top, body.width, fixture.top - body.top),
                Place(body.left, low, body.width, bottom - low),
                Place(body.left, body.top, fixture.left - body.left, body.height),
                Place(far, body.top, right - far, body.height),
            )
            body = max(cuts, key=lambda cut: max(cut.width, 0) * max(cut.height, 0))
    return body


def _burden(layout: Any) -> tuple[bool, int, bool]:
    """How far a layout is from a title and free space: no title, other placeholders, a title in its middle."""
    kinds = _kinds(layout)
    return not {1, 3} & {*kinds}, sum(kind not in (1, 3, 13, 15, 16) for kind in kinds), 3 in kinds


def _kinds(layout: Any) -> list[int]:
    return [int(p.placeholder_format.type) for p in layout.placeholders]


def _dress(presentation: Any) -> None:
    """Make python-pptx's own template ours: 16:9, our colours, titles at the left, one layout, no leftovers."""
    presentation.slide_width, presentation.slide_height = WIDE, HIGH
    master = presentation.slide_master
    keep = presentation.slide_layouts[5]
    for layout in list(presentation.slide_layouts):
        if layout is not keep:
            presentation.slide_layouts.remove(layout)
    _dress_theme(master.part)
    for host in (master, keep):
        for shape in list(host.placeholders):
            _place_holder(shape)
    _dress_titles(master)
    _drop_leftovers(presentation)
    keep.name = "Title and space"


def _dress_theme(part: Any) -> None:
    theme = part.part_related_by(RT.THEME)
    text = theme.blob.decode("utf-8")
    for name, colour in _THEME.items():
        text = re.sub(
            rf"(<a:{name}>).*?(</a:{name}>)", rf'\g<1><a:srgbClr val="{colour}"/>\g<2>', text, flags=re.DOTALL
        )
    theme._blob = re.sub(r'(<a:clrScheme name=")[^"]*', r"\g<1>Quiet", text).encode("utf-8")


def _place_holder(shape: Any) -> None:
    left, right = WIDE // 22, WIDE - WIDE // 22
    kind = int(shape.placeholder_format.type)
    top, height = HIGH - 400000, 270000
    places = {
        1: (left, 330000, right - left, 880000),
        13: (right - 700000, top, 700000, height),
        15: (left, top, right - left - 800000, height),
        2: (left, 1400000, right - left, HIGH - 2000000),
    }
    if kind in places:
        shape.left, shape.top, shape.width, shape.height = places[kind]
    else:
        shape._element.getparent().remove(shape._element)


def _dress_titles(master: Any) -> None:
    """Titles at the left, bottom-aligned above the body, in 26 points."""
    style = master._element.find(qn("p:txStyles")).find(qn("p:titleStyle")).find(qn("a:lvl1pPr"))
    style.set("algn", "l")
    defaults = style.find(qn("a:defRPr"))
    defaults.set("sz", "2600")
    defaults.set("b", "1")
    for shape in master.placeholders:
        if int(shape.placeholder_format.type) == 1:
            shape._element.txBody.find(qn("a:bodyPr")).set("anchor", "b")
            for side in ("lIns", "rIns"):
                shape._element.txBody.find(qn("a:bodyPr")).set(side, "0")


def _drop_leftovers(presentation: Any) -> None:
    """The picture and the printer of whoever made python-pptx's template."""
    for rels in (presentation.part.rels, presentation.part.package._rels):
        for key, rel in list(rels.items()):
            if rel.reltype.endswith(("/thumbnail", "/printerSettings")):
                rels.pop(key)


# ---- themes ---------------------------------------------------------------------------------------------------------


def _theme(layout: Any) -> str:
    theme: bytes = layout.slide_master.part.part_related_by(RT.THEME).blob
    return theme.decode("utf-8", "replace")


def _palette(layout: Any, wide: int, high: int) -> Palette:
    """The theme's colours by the slots that the layout's map gives them, and what it has behind its texts."""
    theme, found = _theme(layout), dict(_THEME)
    for name in _THEME:
        match = re.search(rf"<a:{name}>.*?(?:srgbClr val|lastClr)=\"([0-9A-Fa-f]{{6}})\"", theme, re.DOTALL)
        if match:
            found[name] = match[1].upper()
    own = layout._element.xpath("./p:clrMapOvr/a:overrideClrMapping")
    told = (own or layout.slide_master._element.xpath("./p:clrMap"))[0]
    names = ("tx1", "bg1", "tx2", "bg2", *(f"accent{n}" for n in range(1, 7)))
    slots = {name: found[told.get(name, name)] for name in names}
    return Palette(slots, _background(layout, slots | found, wide, high))


def _title_reads(layout: Any, palette: Palette) -> bool:
    """Whether titles, in the colour that the layout or the master gives them, stand out from the background."""
    holders = [p._element for host in (layout, layout.slide_master) for p in host.placeholders
               if p.placeholder_format.type in (1, 3)]  # fmt: skip
    own = [fill for p in holders for fill in p.xpath(".//a:lstStyle/a:lvl1pPr/a:defRPr/a:solidFill/*")]
    style = layout.slide_master._element.xpath("./p:txStyles/p:titleStyle/a:lvl1pPr/a:defRPr/a:solidFill/*")
    told = next((rgb for fill in (*own, *style) if (rgb := _colour_of(fill, palette.slots))), palette.slots["tx1"])
    return contrast(told, palette.background) >= 3


def _background(layout: Any, colours: Mapping[str, str], wide: int, high: int) -> str:
    """The colour behind a layout's texts: of a shape that covers the page, its own background, or its master's."""
    covers = [
        shape._element.spPr for shape in _drawn(layout)
        if hasattr(shape._element, "spPr") and (place := _place_of(shape)) and _covers(place, wide, high)
    ]  # fmt: skip
    backs = [back for host in (layout, layout.slide_master) for back in host._element.xpath("./p:cSld/p:bg")]
    for fill in (*reversed(covers), *backs):
        if (rgb := _filled_with(fill, colours)) is not None:
            return rgb
    return colours["bg1"]


def _filled_with(fill: Any, colours: Mapping[str, str]) -> str | None:
    """The colour of a fill, of a gradient the mean of its stops; None for a picture or where there is none."""
    found = fill.xpath("./a:solidFill/* | ./p:bgPr/a:solidFill/* | .//a:gs/* | ./p:bgRef/*")
    shown = [rgb for colour in found if (rgb := _colour_of(colour, colours))]
    if not shown:
        return None
    parts = [[int(rgb[i : i + 2], 16) for rgb in shown] for i in (0, 2, 4)]
    return "".join(f"{round(sum(part) / len(part)):02X}" for part in parts)


def _colour_of(element: Any, colours: Mapping[str, str]) -> str | None:
    """What a colour's element says, made lighter or darker as it asks; None for kinds that are not read."""
    base = element.get("val") if element.tag.endswith("srgbClr") else element.get("lastClr")
    base = base or colours.get(element.get("val", ""))
    if base is None:
        return None
    share = {kind: [int(v) / 100_000 for v in element.xpath(f"./a:{kind}/@val")] for kind in ("lumMod", "lumOff")}
    hue, light, saturation = colorsys.rgb_to_hls(*(int(base[i : i + 2], 16) / 255 for i in (0, 2, 4)))
    light = min(1.0, light * (share["lumMod"] or [1.0])[0] + (share["lumOff"] or [0.0])[0])
    return "".join(f"{round(part * 255):02X}" for part in colorsys.hls_to_rgb(hue, light, saturation))


_FACES = {
    "calibri": 1.0, "carlito": 1.0, "times new roman": 1.0, "garamond": 0.95, "arial narrow": 0.95, "aptos": 1.06,
    "cambria": 1.06, "arial": 1.12, "helvetica": 1.12, "segoe ui": 1.12, "open sans": 1.18, "georgia": 1.18,
    "trebuchet ms": 1.12, "tahoma": 1.12, "century gothic": 1.2, "verdana": 1.3,
}  # fmt: skip
"""How wide a face is against Calibri; one that is not here is taken for a wide one."""


def _face(layout: Any) -> float:
    """The wider of the theme's two faces, against Calibri."""
    names = re.findall(r"<a:(?:major|minor)Font>\s*<a:latin typeface=\"([^\"]*)\"", _theme(layout))
    return max((_FACES.get(name.lower(), 1.18) for name in names), default=1.18)


def _title_pt(layout: Any) -> float:
    """The size of titles: the layout's own, the master's title's, or the master's style of titles."""
    master = layout.slide_master
    holders = [p for host in (layout, master) for p in host.placeholders if p.placeholder_format.type in (1, 3)]
    own = [size for p in holders for size in p._element.xpath(".//a:lstStyle/a:lvl1pPr/a:defRPr/@sz")]
    style = master._element.xpath("./p:txStyles/p:titleStyle/a:lvl1pPr/a:defRPr/@sz")
    return int([*own, *style, "2800"][0]) / 100


# ---- how much room a text needs -------------------------------------------------------------------------------------

_WIDTHS = (
    23, 33, 40, 50, 51, 71, 68, 22, 30, 30, 50, 50, 25, 31, 25, 39, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51, 27, 27,
    50, 50, 50, 46, 89, 58, 54, 53, 62, 49, 46, 63, 62, 25, 32, 52, 42, 85, 65, 66, 52, 67, 54, 46, 49, 64, 57, 89,
    52, 49, 47, 31, 39, 31, 50, 50, 29, 48, 53, 42, 53, 50, 31, 47, 53, 23, 24, 45, 23, 80, 53, 53, 53, 53, 35, 39,
    33, 53, 45, 71, 43, 45, 40, 31, 46, 31, 50,
)  # fmt: skip
"""Advance of the signs from blank to tilde in hundredths of the size, for Calibri and its twin Carlito."""
ROOM = 1.03
"""Texts are taken for so much wider than they are: other faces are."""


def text_width_pt(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a line is, in points; a little more rather than less."""
    hundredths = sum(map(_sign_width, text))
    return hundredths / 100 * size * ROOM * (1.04 if bold else 1.0)


def _sign_width(sign: str) -> int:
    if " " <= sign <= "~":
        return _WIDTHS[ord(sign) - 32]
    if unicodedata.category(sign) in ("Cf", "Mn", "Cc"):
        return 0
    return 100 if unicodedata.east_asian_width(sign) in "WF" or sign == "→" else 58


def count_lines(text: str, size: float, width_pt: float, *, bold: bool = False) -> int:
    """Lines that a text takes when it is wrapped at blanks; a long word is broken."""
    lines, used, blank = 1, 0.0, text_width_pt(" ", size)
    for word in text.split():
        wide = text_width_pt(word, size, bold=bold)
        if used and used + blank + wide > width_pt:
            lines, used = lines + 1, 0.0
        while wide > width_pt:
            lines, wide = lines + 1, wide - width_pt
        used += wide + (blank if used else 0.0)
    return lines
