"""Company templates: themes of Office, dark pages, narrow ones, few layouts, .potx: no overlaps, all can be read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pptx import Presentation
from pptx.util import Inches
from templates import (
    GREYS,
    MIDNIGHT,
    NAMES,
    OFFICE_2007,
    OFFICE_2013,
    OFFICE_2023,
    TEMPLATES,
    dressed,
    only,
    overlaps,
    painted,
    saved,
    with_logo,
)

import optimizer as opt
from optimizer.ground.errors import PlanError
from optimizer.plan.folder import save_plan
from optimizer.telling.board.deck import write_deck
from optimizer.telling.board.deck.layout import open_frame
from optimizer.telling.board.deck.palette import APART, SEEN, SERIES, Palette, contrast, distance, hue_gap
from optimizer.telling.board.deck.reading import find_problems
from optimizer.telling.board.deck.story import tell
from optimizer.telling.board.deck.writer import assemble
from optimizer.telling.board.figures import Source
from optimizer.telling.board.ledger import Ledger
from optimizer.telling.board.pack import Pack

THEMES = {"2007": OFFICE_2007, "2013": OFFICE_2013, "2023": OFFICE_2023, "midnight": MIDNIGHT, "greys": GREYS}
GROUNDS = ("FFFFFF", "000000", "101820", "F2F2F2", "1F4E79", "808080")


@pytest.fixture(scope="module")
def report(plan: opt.Plan) -> Any:
    return opt.audit(plan.case, plan)


def in_template(plan: opt.Plan, report: Any, template: Path) -> Path:
    """A deck of the plan in a template, held against its ledger."""
    pack = Pack(Source(plan), Ledger(), report)
    slides = tell(pack)
    data = assemble(open_frame(template), pack, slides)
    assert not list(find_problems(data, pack.ledger, len(slides)))
    path = template.with_name(f"deck of {template.stem}.pptx")
    path.write_bytes(data)
    return path


# ---- decks in templates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_overlaps_and_every_letter_can_be_read(name: str, plan: opt.Plan, report: Any, tmp_path: Path) -> None:
    template = saved(TEMPLATES[name](), tmp_path / f"{name}.pptx")
    deck = in_template(plan, report, template)
    assert not list(overlaps(deck))
    palette = open_frame(template).palette
    for role in ("text", "dk2", "strong"):
        assert contrast(palette.of(role).shown, palette.background) >= 3
    assert all(contrast(rgb, palette.background) >= 3 for rgb in _letters(deck, palette))


def _letters(deck: Path, palette: Palette) -> Iterator[str]:
    """What is seen of the colours that titles, texts and cells are written in; a bar's texts stand on its own fill."""
    for slide in Presentation(str(deck)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame and not shape.name.startswith("TextBox"):
                for run in (run for paragraph in shape.text_frame.paragraphs for run in paragraph.runs):
                    yield _seen(run.font.color, palette)


def _seen(colour: Any, palette: Palette) -> str:
    if colour.type is None:  # the template's own
        return palette.of("text").shown if palette.background != "101820" else palette.slots["tx1"]
    if colour.type == 1:
        return str(colour.rgb)
    names = {13: "tx1", 14: "bg1", 15: "tx2", 16: "bg2", **{n + 4: f"accent{n}" for n in range(1, 7)}}
    return palette.slots[names[int(colour.theme_color)]]


def test_a_template_file_of_powerpoint_opens(plan: opt.Plan, report: Any, tmp_path: Path) -> None:
    template = saved(dressed(OFFICE_2023), tmp_path / "company.potx")
    with pytest.raises(ValueError, match="not a PowerPoint file"):
        Presentation(str(template))
    deck = in_template(plan, report, template)
    with zipfile.ZipFile(deck) as archive:
        types = archive.read("[Content_Types].xml")
    assert b"presentation.main+xml" in types and b"template.main+xml" not in types


def test_the_command_takes_a_template_of_powerpoint(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    template = saved(dressed(OFFICE_2013), tmp_path / "company.potx")
    deck = write_deck(folder, tmp_path / "a.pptx", template=template)
    assert len(Presentation(str(deck.path)).slides) == len(deck.titles)


@pytest.mark.parametrize(("number", "wide"), [(0, False), (0, True), (7, True)])
def test_a_template_without_room_is_told_before_anything_overlaps(number: int, wide: bool, tmp_path: Path) -> None:
    presentation = only(dressed(OFFICE_2013, wide=wide), number)
    presentation.slide_layouts[0].name = "Titelfolie"
    template = saved(presentation, tmp_path / "company.pptx")
    with pytest.raises(PlanError, match=r"no room for a deck.*'Titelfolie'.*% of the page's height.*Title Only"):
        open_frame(template)


def test_a_layout_with_room_is_taken_before_one_without(tmp_path: Path) -> None:
    frame = open_frame(saved(dressed(OFFICE_2023), tmp_path / "company.pptx"))
    assert frame.layout.name == "Title Only" and frame.has_room


def test_bands_of_the_master_are_kept_free(tmp_path: Path) -> None:
    plain = open_frame(saved(dressed(OFFICE_2023), tmp_path / "plain.pptx"))
    banded = open_frame(saved(with_logo(dressed(OFFICE_2023)), tmp_path / "banded.pptx"))
    band = plain.presentation.slide_height - Inches(0.9)
    assert plain.foot.top + plain.foot.height > band >= banded.foot.top + banded.foot.height
    assert banded.body.top + banded.body.height <= banded.foot.top


def test_a_page_that_a_picture_of_one_colour_covers_has_that_background(tmp_path: Path) -> None:
    presentation = dressed(OFFICE_2013)
    assert open_frame(saved(presentation, tmp_path / "a.pptx")).palette.background == "FFFFFF"
    dark = open_frame(saved(painted(presentation, "101820"), tmp_path / "b.pptx"))
    assert dark.palette.background == "101820" and dark.palette.dark and not dark.title_reads


def test_overlaps_are_found(tmp_path: Path) -> None:
    presentation = Presentation()
    page = presentation.slides.add_slide(presentation.slide_layouts[6])
    for n, (left, top) in enumerate(((1, 1), (2, 1.5), (8, 1))):
        box = page.shapes.add_textbox(Inches(left), Inches(top), Inches(3), Inches(1))
        box.name, box.text_frame.text = f"box {n}", "words"
    stream = io.BytesIO()
    presentation.save(stream)
    (tmp_path / "a.pptx").write_bytes(stream.getvalue())
    assert list(overlaps(tmp_path / "a.pptx")) == [
        "slide 1: box 0 lies over box 1", "slide 1: box 2 leaves the page"
    ]  # fmt: skip


# ---- colours --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[(theme, ground) for theme in THEMES for ground in GROUNDS], ids="/".join)
def palette(request: pytest.FixtureRequest) -> Palette:
    theme, ground = request.param
    colours = dict(zip(NAMES, THEMES[theme].split(), strict=True))
    slots = {"tx1": colours["dk1"], "bg1": colours["lt1"], "tx2": colours["dk2"], "bg2": colours["lt2"]}
    return Palette(slots | {name: rgb for name, rgb in colours.items() if name.startswith("accent")}, ground)


def test_gains_are_green_and_losses_red_in_every_theme(palette: Palette) -> None:
    good, bad = palette.of("good").shown, palette.of("bad").shown
    assert hue_gap(good, 130) <= 60 and hue_gap(bad, 0) <= 20
    assert distance(good, bad) >= APART


def test_letters_lines_and_fills_are_seen_on_every_background(palette: Palette) -> None:
    ground = palette.background
    assert contrast(palette.of("text").shown, ground) >= min(4.5, contrast("000000", ground))
    assert 1.02 <= contrast(palette.of("grid").shown, ground) < contrast(palette.of("text").shown, ground)
    for role in SERIES:
        fill = palette.of(role).shown
        assert contrast(fill, ground) >= SEEN
        assert contrast(palette.of(palette.ink(role)).shown, fill) >= 2


def test_fills_of_one_chart_are_told_apart(palette: Palette) -> None:
    fills = [palette.of(role).shown for role in SERIES]
    assert all(distance(a, b) >= APART for i, a in enumerate(fills) for b in fills[:i])


def test_the_programs_own_look_uses_its_own_theme() -> None:
    palette = open_frame(None).palette
    roles = ("product 0", "mining", "product 1", "product 2", "idle", "good", "bad", "quiet")
    slots = [palette.of(role).slot for role in roles]
    assert slots == [f"accent{n}" for n in (1, 2, 3, 4, 5, 3, 6, 5)]
