"""Pictures of every kind of study and of a plan: whole for usual and for nasty tables, nothing on top of another text,
nothing outside, no text read as a formula, the same bytes each time."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pictured_studies as made
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from nasty_studies import CASES
from pictured_studies import NAN, NASTY, USUAL
from shared import shipped, solved_once

from optimizer.ground.errors import PlanError
from optimizer.plan.plan import Plan
from optimizer.questions.studies.study import Study
from optimizer.telling.pictures import picture_bytes, picture_of, pictures_of, save_picture
from optimizer.telling.pictures.lettering import cut, plain, width_in, with_unit, wrap
from optimizer.telling.pictures.sheet import DARK, MIDDLE, PALE, PAPER, drawing


def texts_of(figure: Figure) -> list[tuple[str, Any]]:
    """Every text that is drawn, with its box in dots."""
    canvas = FigureCanvasAgg(figure)
    with drawing():
        canvas.draw()
        renderer = canvas.get_renderer()
        shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
        unseen = unseen_ticks(figure)
        return [(text.get_text(), text.get_window_extent(renderer)) for text in shown if id(text) not in unseen]


def unseen_ticks(figure: Figure) -> set[int]:
    """Identities of the labels of ticks outside the limits of their axis, which are not drawn."""
    unseen = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.majorTicks:
            if not low <= tick.get_loc() <= high:
                unseen |= {id(tick.label1), id(tick.label2)}
    return unseen


def collisions(figure: Figure) -> list[str]:
    """Texts outside the figure, and pairs of texts on top of each other; half a point of touch is none."""
    texts, (width, height) = texts_of(figure), figure.canvas.get_width_height()
    slack = 1.0
    found = [f"{text!r} runs out" for text, box in texts
             if box.x0 < -slack or box.y0 < -slack or box.x1 > width + slack or box.y1 > height + slack]  # fmt: skip
    for (one, a), (two, b) in combinations(texts, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        if across > 1.5 and up > 2.5:
            found.append(f"{one!r} lies on {two!r}")
    return found


@pytest.mark.parametrize("name", CASES)
def test_no_text_runs_out_or_lies_on_another(name: str) -> None:
    """Nor is any smaller than 8 points; and the SVG is one that XML can read, its letters letters."""
    figure = picture_of(CASES[name]())
    assert not collisions(figure)
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 8.0
    root = ElementTree.fromstring(picture_bytes(figure, "svg"))
    assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}text")) >= 1


@pytest.mark.parametrize("kind", USUAL)
def test_equal_studies_give_equal_bytes(kind: str, tmp_path: Path) -> None:
    """Drawn twice, and drawn under a user's own style: the same files. The user's style is back afterwards."""
    with matplotlib.rc_context({"font.size": 30, "text.usetex": True, "svg.fonttype": "path", "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        save_picture(picture_of(USUAL[kind]()), tmp_path / "under.a.style")
        assert dict(matplotlib.rcParams) == before
    save_picture(picture_of(USUAL[kind]()), tmp_path / "plain")
    for suffix in ("svg", "png"):
        assert (tmp_path / f"plain.{suffix}").read_bytes() == (tmp_path / f"under.a.style.{suffix}").read_bytes()
    png = (tmp_path / "plain.png").read_bytes()
    assert [int.from_bytes(png[at : at + 4], "big") for at in (16, 20)] == [1320, 748]  # 6 by 3.4 inches
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "plain.png", "plain.svg", "under.a.style.png", "under.a.style.svg",
    ]  # fmt: skip


def test_texts_are_never_formulas() -> None:
    """Dollars, underscores and signs of markup come out as they are."""
    study = made.tornado(
        [("a", r"$x_1$ & <b> \frac{1}{2}", "%", 1.0, 2.0, 3.0, 90.0, 150.0, NAN, NAN)], title="Is $a_1$ > $b$?"
    )
    svg = picture_bytes(picture_of(study), "svg")
    words = ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert r"$x_1$ & <b> \frac{1}{2}" in words
    assert "Is $a_1$ > $b$?" in words


def test_pictures_need_no_pyplot() -> None:
    """pyplot keeps figures and looks for a screen; neither is wanted."""
    code = "import sys, optimizer.telling.pictures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_shades_differ_in_grey() -> None:
    """Printed without colour, neighbours in the order of shades are a fifth of the way from black to white apart."""
    greys = sorted(float(np.dot(to_rgb(shade), (0.299, 0.587, 0.114))) for shade in (PAPER, PALE, MIDDLE, DARK))
    assert min(np.diff(greys)) > 0.12


def test_a_study_that_is_not_whole_is_refused_in_a_sentence(tmp_path: Path) -> None:
    study = made.tornado()
    for broken, words in (
        (Study("waterfall", "T", (), study.tables, {}), "no picture of a study of kind 'waterfall'"),
        (Study("tornado", "T", (), {}, {}), "no table drivers"),
        (Study("tornado", "T", (), {"drivers": study.tables["drivers"].drop(columns="high")}, {}), "no column high"),
    ):
        with pytest.raises(PlanError, match=words):
            picture_of(broken)
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match=r"cannot be written: .*file is no folder"):
        save_picture(picture_of(study), tmp_path / "file" / "picture")


# ---- letters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*NASTY, "e\u0301" * 40, "\u202eright to left\u202c" * 9, "\ud800 half a letter"])
def test_cut_texts_fit_and_stay_texts(text: str) -> None:
    """Cut to any room a text is as wide at most, loses only its end, and no letter loses its accent."""
    whole = plain(text)
    assert not set(whole) & set("\n\t\u202e\ud800")
    for room in (0.2, 0.5, 1.0, 2.0):
        short = cut(text, room)
        assert width_in(short) <= room or short == "…"
        assert short == whole or whole.startswith(short[:-1])
        assert not (short.endswith("e…") and "\u0301" in text)
        assert all(width_in(line) <= room or line == "…" for line in wrap(text, room, 3))


def test_wrapped_lines_hold_every_word_and_are_about_equal() -> None:
    title = "Hashprice moves the value most: between $41.0M and $229.0M, against $115.0M at the base."
    lines = wrap(title, 5.8, 3, 10.0, bold=True)
    assert " ".join(lines) == title
    widths = [width_in(line, 10.0, bold=True) for line in lines]
    assert min(widths) > 0.6 * max(widths)


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [(47.35, "$/MWh", "$47.35/MWh"), (-5.0, "$M", "-$5M"), (12.0, "%", "12%"), (2.0, "IT MW", "2 IT MW"),
     (95_000.0, "$", "$95,000"), (NAN, "$M", "none"), (3.0, "", "3")],
)  # fmt: skip
def test_numbers_carry_their_unit(amount: float, unit: str, words: str) -> None:
    assert with_unit(amount, unit) == words


# ---- plans --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan() -> Plan:
    return solved_once(shipped("washington_2025"))


@pytest.mark.core
def test_a_plan_has_four_pictures(plan: Plan) -> None:
    pictures = pictures_of(plan)
    assert list(pictures) == ["megawatts", "cash", "capex", "contracts"]
    for name, figure in pictures.items():
        assert not collisions(figure), name
        assert picture_bytes(figure, "png") == picture_bytes(pictures_of(plan)[name], "png")


@pytest.mark.core
def test_titles_of_a_plan_say_its_figures(plan: Plan) -> None:
    """A changed plan changes its title: none is canned."""
    titles = {name: figure.get_label() for name, figure in pictures_of(plan).items()}
    k = plan.kpis
    assert f"${k['lowest_liquidity_musd']:,.1f}M" in titles["cash"]
    assert f"${k['capex_musd']:,.1f}M" in titles["capex"]
    assert str(plan.contracts["end_quarter"].max()) in titles["contracts"]


@pytest.mark.core
def test_a_plan_without_contracts_or_conversions_is_drawn(plan: Plan) -> None:
    """The plan that decides nothing, told as a plan."""
    assert plan.nothing is not None
    from dataclasses import replace

    kpis = dict(plan.kpis) | {"capex_musd": 0.0}
    idle = replace(plan, tables=plan.nothing, nothing=None, kpis=kpis)
    pictures = pictures_of(idle)
    assert not [words for figure in pictures.values() for words in collisions(figure)]
    assert pictures["contracts"].get_label().startswith("None of")
