"""Places, fonts and colours: the plain look of the program's own, or a company's template."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optimizer.board.deck.blocks import Box
from optimizer.errors import PlanError

EMU_PER_PT = 12700
EMU_PER_INCH = 914400
WIDE, HIGH = 12192000, 6858000
SMALLEST = 12.0

_THEME = {
    "dk1": "1F2933", "lt1": "FFFFFF", "dk2": "334155", "lt2": "EEF1F4", "accent1": "1F4E79", "accent2": "E0A030",
    "accent3": "3E9C8F", "accent4": "7B5EA7", "accent5": "94A0AD", "accent6": "B23A2E", "hlink": "1F4E79",
    "folHlink": "7B5EA7",
}  # fmt: skip
"""The program's own colours: one for each use of power, of different lightness, so that they part in grey as well."""

ROLES = {
    "mining": "accent2", "idle": "accent5", "building": "accent5", "unlisted 0": "accent4", "unlisted 1": "accent6",
    "product 0": "accent1",
    "product 1": "accent3", "product 2": "accent4", "product 3": "accent6", "product 0 later": "accent1",
    "product 1 later": "accent3", "product 2 later": "accent4", "product 3 later": "accent6",
    "unused": "lt2", "level": "dk2", "good": "accent3", "bad": "accent6", "strong": "accent1", "middle": "accent3",
    "quiet": "accent5", "text": "dk1", "lt1": "lt1", "dk2": "dk2", "other 0": "accent2",
}  # fmt: skip
"""Which colour of the theme a role has."""

LIGHTER = {"building": 0.6, **{f"product {n} later": 0.55 for n in range(4)}}
"""Roles whose colour is lightened, by how much; what is being built also has a line around it."""


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
    """A presentation to draw in: the layout that slides take, where body and footer go, and the theme's colours."""

    presentation: Any
    layout: Any
    title: Place
    title_pt: float
    body: Place
    foot: Place
    colours: dict[str, str]
    face: float = 1.0

    def rgb(self, role: str) -> str:
        return self.colours[ROLES.get(role, "dk1")]

    def ink(self, role: str) -> str:
        """The role of the text that reads best on a fill of this role."""
        fill = _lightness(self.rgb(role), LIGHTER.get(role, 0.0))
        return max(("text", "lt1"), key=lambda ink: abs(fill - _lightness(self.rgb(ink))))

    def width_pt(self, text: str, size: float, *, bold: bool = False) -> float:
        """About how wide a line of text is in the theme's face, in points."""
        return text_width_pt(text, size * self.face, bold=bold)

    def lines(self, text: str, size: float, width_pt: float, *, bold: bool = False) -> int:
        """Lines that a text takes in the theme's face."""
        return count_lines(text, size * self.face, width_pt, bold=bold)


def _lightness(rgb: str, lighter: float = 0.0) -> float:
    """From 0 (black) to 1 (white), as the eye weighs red, green and blue."""
    red, green, blue = (int(rgb[i : i + 2], 16) / 255 for i in (0, 2, 4))
    plain = 0.299 * red + 0.587 * green + 0.114 * blue
    return plain + lighter * (1 - plain)


# ---- the program's own look, or a template --------------------------------------------------------------------------


def open_frame(template: Path | None) -> Frame:
    """An empty presentation, or the template's. Raises PlanError where the template is none."""
    from pptx import Presentation

    if template is None:
        presentation = Presentation()
        _dress(presentation)
        layout = presentation.slide_layouts[0]
    else:
        try:
            presentation = Presentation(str(template))
            layout = _plainest(presentation)
        except Exception as error:  # whatever python-pptx and zipfile raise for a file that is no presentation
            raise PlanError(f"{template} cannot be used as a template: {error}.") from None
    return _frame(presentation, layout)


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
    top = title.top + title.height + high // 60
    if title.top > high // 2:
        top = high // 15
    end = min(foot.top, title.top if title.top > high // 2 else foot.top) - high // 40
    body = Place(title.left, top, title.width, end - top)
    return Frame(presentation, layout, title, _title_pt(layout), body, foot, _theme_colours(layout), _face(layout))


def _plainest(presentation: Any) -> Any:
    """The layout with a title and as little else as possible."""
    layouts = list(presentation.slide_layouts)
    if not layouts:
        raise PlanError("it has no slide layout")

    def burden(layout: Any) -> tuple[bool, int]:
        kinds = [p.placeholder_format.type for p in layout.placeholders]
        return 1 not in kinds and 3 not in kinds, sum(kind not in (1, 3, 13, 15, 16) for kind in kinds)

    return min(layouts, key=lambda layout: (burden(layout)[0], burden(layout)[1], 3 in _kinds(layout)))


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
    from pptx.opc.constants import RELATIONSHIP_TYPE as RT

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
    from pptx.oxml.ns import qn

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


def _theme_colours(layout: Any) -> dict[str, str]:
    """The theme's colours by name, RRGGBB."""
    from pptx.opc.constants import RELATIONSHIP_TYPE as RT

    text = layout.slide_master.part.part_related_by(RT.THEME).blob.decode("utf-8", "replace")
    found = dict(_THEME)
    for name in _THEME:
        match = re.search(rf"<a:{name}>.*?(?:srgbClr val|lastClr)=\"([0-9A-Fa-f]{{6}})\"", text, re.DOTALL)
        if match:
            found[name] = match[1].upper()
    return found


_FACES = {
    "calibri": 1.0, "carlito": 1.0, "times new roman": 1.0, "garamond": 0.95, "arial narrow": 0.95, "aptos": 1.06,
    "cambria": 1.06, "arial": 1.12, "helvetica": 1.12, "segoe ui": 1.12, "open sans": 1.18, "georgia": 1.18,
    "trebuchet ms": 1.12, "tahoma": 1.12, "century gothic": 1.2, "verdana": 1.3,
}  # fmt: skip
"""How wide a face is against Calibri; one that is not here is taken for a wide one."""


def _face(layout: Any) -> float:
    """The wider of the theme's two faces, against Calibri."""
    from pptx.opc.constants import RELATIONSHIP_TYPE as RT

    text = layout.slide_master.part.part_related_by(RT.THEME).blob.decode("utf-8", "replace")
    names = re.findall(r"<a:(?:major|minor)Font>\s*<a:latin typeface=\"([^\"]*)\"", text)
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
