"""Company templates made here: themes of Office, dark and narrow pages, few layouts, .potx; and where texts overlap."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.opc.constants import RELATIONSHIP_TYPE as RT
from pptx.oxml import parse_xml
from pptx.oxml.ns import nsdecls
from pptx.util import Inches

OFFICE_2007 = "000000 FFFFFF 1F497D EEECE1 4F81BD C0504D 9BBB59 8064A2 4BACC6 F79646"
OFFICE_2013 = "000000 FFFFFF 44546A E7E6E6 4472C4 ED7D31 A5A5A5 FFC000 5B9BD5 70AD47"
OFFICE_2023 = "000000 FFFFFF 0E2841 E8E8E8 156082 E97132 196B24 0F9ED5 A02B93 4EA72E"
MIDNIGHT = "101820 FFFFFF 16324F D9E2EC 2EC4B6 FF9F1C E71D36 8D99AE 5C677D CBF3F0"
GREYS = "000000 FFFFFF 333333 EEEEEE 222222 444444 666666 888888 AAAAAA CCCCCC"
NAMES = ("dk1", "lt1", "dk2", "lt2", *(f"accent{n}" for n in range(1, 7)))


def dressed(colours: str, *, wide: bool = True, face: str = "Calibri") -> Any:
    """python-pptx's own presentation in other colours, its page 16:9 where `wide`."""
    presentation = Presentation()
    if wide:
        _widened(presentation)
    theme = presentation.slide_master.part.part_related_by(RT.THEME)
    text = theme.blob.decode()
    for name, rgb in zip(NAMES, colours.split(), strict=True):
        text = re.sub(rf"(<a:{name}>).*?(</a:{name}>)", rf'\g<1><a:srgbClr val="{rgb}"/>\g<2>', text, flags=re.DOTALL)
    theme._blob = text.replace('typeface="Calibri"', f'typeface="{face}"').encode()
    return presentation


def _widened(presentation: Any) -> None:
    by = 12192000 / presentation.slide_width
    presentation.slide_width = 12192000
    for host in (*presentation.slide_layouts, presentation.slide_master):  # layouts first: they inherit places
        for shape in host.shapes:
            left, top, width, height = shape.left, shape.top, shape.width, shape.height
            shape.left, shape.top, shape.width, shape.height = round(left * by), top, round(width * by), height


def dark(presentation: Any) -> Any:
    """The master's background and letters exchanged: its map of colours calls the dark one `bg1`."""
    colours = presentation.slide_master._element.find("{*}clrMap")
    for name, colour in (("bg1", "dk1"), ("tx1", "lt1"), ("bg2", "dk2"), ("tx2", "lt2")):
        colours.set(name, colour)
    return presentation


def painted(presentation: Any, rgb: str) -> Any:
    """A background of its own on the master, whose letters stay as they were but for the title's."""
    master = presentation.slide_master._element.cSld
    old = master.find("{*}bg")
    if old is not None:
        master.remove(old)
    master.insert(0, parse_xml(
        f'<p:bg {nsdecls("p", "a")}><p:bgPr><a:solidFill><a:srgbClr val="{rgb}"/></a:solidFill><a:effectLst/></p:bgPr>'
        f"</p:bg>"
    ))  # fmt: skip
    return presentation


def only(presentation: Any, number: int) -> Any:
    """All layouts but one taken away."""
    for n, layout in list(enumerate(presentation.slide_layouts)):
        if n != number:
            presentation.slide_layouts.remove(layout)
    return presentation


def with_logo(presentation: Any) -> Any:
    """A band with a logo across the foot of the master, and a bar at its top."""
    master, wide, high = presentation.slide_master, presentation.slide_width, presentation.slide_height
    for left, top, width, height in ((0, high - Inches(0.9), wide, Inches(0.9)), (0, 0, wide, Inches(0.3))):
        band = parse_xml(
            f'<p:sp {nsdecls("p", "a")}><p:nvSpPr><p:cNvPr id="{90 + top % 7}" name="band"/><p:cNvSpPr/><p:nvPr/>'
            f'</p:nvSpPr><p:spPr><a:xfrm><a:off x="{left}" y="{top}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
            f'<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:schemeClr val="accent1"/></a:solidFill>'
            f"</p:spPr></p:sp>"
        )
        master.shapes._spTree.insert(2, band)
    return presentation


TEMPLATES: dict[str, Callable[[], Any]] = {
    "office 2007": lambda: dressed(OFFICE_2007),
    "office 2013": lambda: dressed(OFFICE_2013),
    "office 2023": lambda: dressed(OFFICE_2023, face="Aptos"),
    "dark": lambda: dark(dressed(MIDNIGHT)),
    "painted": lambda: painted(dressed(OFFICE_2013), "101820"),
    "greys": lambda: dressed(GREYS, face="Verdana"),
    "narrow": lambda: dressed(OFFICE_2013, wide=False),
    "one layout": lambda: only(dressed(OFFICE_2013), 5),
    "title below": lambda: only(dressed(OFFICE_2013), 2),
    "logo": lambda: with_logo(dressed(OFFICE_2023)),
}  # fmt: skip
"""Templates that a deck can be written in."""


def saved(presentation: Any, path: Path) -> Path:
    """The template as a file; one whose name ends with .potx is marked as a template inside, as PowerPoint does."""
    stream = io.BytesIO()
    presentation.save(stream)
    if path.suffix != ".potx":
        path.write_bytes(stream.getvalue())
        return path
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "[Content_Types].xml":
                data = data.replace(b"presentationml.presentation.main+xml", b"presentationml.template.main+xml")
            new.writestr(name, data)
    return path


# ---- what overlaps --------------------------------------------------------------------------------------------------


def overlaps(path: Path) -> Iterator[str]:
    """Every pair of boxes of a slide, with texts or charts in them, that lie over each other or off the page."""
    presentation = Presentation(str(path))
    page = (0, 0, presentation.slide_width, presentation.slide_height)
    for number, slide in enumerate(presentation.slides, 1):
        boxes = [(shape.name, _box(shape)) for shape in slide.shapes if _tells(shape)]
        boxes += [(f"master's {shape.name}", _box(shape)) for shape in slide.slide_layout.slide_master.shapes
                  if shape.name == "band"]  # fmt: skip
        for (one, a), (other, b) in combinations(boxes, 2):
            if _shared(a, b) > 40_000 and not (one.startswith("bar") or other.startswith("bar")):
                yield f"slide {number}: {one} lies over {other}"
        for name, box in boxes:
            if box[0] < page[0] or box[1] < page[1] or box[2] > page[2] or box[3] > page[3]:
                yield f"slide {number}: {name} leaves the page"


def _tells(shape: Any) -> bool:
    return shape.has_chart or shape.has_table or (shape.has_text_frame and bool(shape.text_frame.text.strip()))


def _box(shape: Any) -> tuple[int, int, int, int]:
    return shape.left, shape.top, shape.left + shape.width, shape.top + shape.height


def _shared(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> int:
    """The smaller side of what two boxes have in common, EMU."""
    return min(min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))
