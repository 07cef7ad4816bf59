"""Megawatts told whole: every use and the unused up to the grid limit, in summary, deck, page, workbook and picture."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from pptx import Presentation
from rich.console import Console

import optimizer as opt
from optimizer.ground.errors import PlanError
from optimizer.plan.folder import save_plan
from optimizer.plan.power_uses import limits_of, reach_limit, uses_of, uses_there
from optimizer.telling.board.deck import write_deck
from optimizer.telling.board.page import open_plans
from optimizer.telling.board.page.writing import write_page
from optimizer.telling.board.workbook import write_workbook
from optimizer.telling.pictures.gallery import pictures_of
from optimizer.telling.summary import WIDTH, print_summary

NEW_USE = "district heat"
"""A use that no list of the program knows."""


def with_another_use(plan: opt.Plan, mw: float = 1.5) -> opt.Plan:
    """The plan with some of what it leaves unused, at each site and quarter that has so much, given to a new use."""
    table = plan.allocation.copy()
    free = (table["use"] == "unused") & (table["gross_mw"] > mw)
    assert free.any()
    taken = table[free].assign(use=NEW_USE, detail="pipe", gross_mw=mw)
    table.loc[free, "gross_mw"] -= mw
    return changed(plan, pd.concat([table, taken], ignore_index=True))


def changed(plan: opt.Plan, allocation: pd.DataFrame) -> opt.Plan:
    return replace(plan, tables={**plan.tables, "allocation": allocation})


def told(plan: opt.Plan) -> str:
    """What the terminal says."""
    out = io.StringIO()
    print_summary(plan, Console(width=WIDTH, highlight=False, file=out))
    return out.getvalue()


@pytest.fixture(scope="module")
def other_plan(plan: opt.Plan) -> opt.Plan:
    return with_another_use(plan)


@pytest.fixture(scope="module")
def other_folder(other_plan: opt.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_plan(other_plan, tmp_path_factory.mktemp("plans") / "other")


def test_one_table_knows_every_use_in_its_order(other_plan: opt.Plan) -> None:
    uses = uses_of(other_plan)
    products = [row.product for row in other_plan.case.products]
    assert list(uses) == ["mining", "machines_idle", "construction", *products, NEW_USE, "unused"]
    assert set(other_plan.allocation["use"]) <= set(uses)
    assert len({use.look for use in uses.values()}) == len(uses)
    assert list(uses_there(other_plan))[-2:] == [NEW_USE, "unused"]


# ---- a use that no list knows ---------------------------------------------------------------------------------------


def test_the_terminal_shows_an_unlisted_use_and_the_unused_up_to_the_limit(other_plan: opt.Plan) -> None:
    lines = [line.split() for line in told(other_plan).split("Gross MW by quarter")[1].splitlines()]
    lasts = {line[0]: float(line[-1]) for line in lines if line and line[-1].replace(",", "").isdigit()}
    uses = {"mining", "district", "unused", *(row.product for row in other_plan.case.products)}
    assert uses <= set(lasts)
    assert lasts["grid"] == limits_of(other_plan)[-1]
    shown = sum(mw for name, mw in lasts.items() if name != "grid")
    assert shown == pytest.approx(lasts["grid"], abs=len(lasts) / 2)


def test_the_deck_shows_an_unlisted_use_and_reaches_the_limit(other_plan: opt.Plan, other_folder: Path) -> None:
    deck = write_deck(other_folder, other_folder / "board.pptx", force=True)
    page = Presentation(str(deck.path)).slides[1]
    chart = next(shape.chart for shape in page.shapes if shape.has_chart)
    columns, line = chart.plots
    series = {one.name: list(one.values) for one in columns.series}
    assert NEW_USE in series and "Unused" in series
    assert [sum(values) for values in zip(*series.values(), strict=True)] == pytest.approx(list(limits_of(other_plan)))
    assert list(line.series[0].values) == pytest.approx(list(limits_of(other_plan)))
    assert any(NEW_USE in shape.text_frame.text for shape in page.shapes if shape.has_text_frame)


def test_the_page_shows_an_unlisted_use_and_the_limit(other_folder: Path) -> None:
    write_page(open_plans([other_folder], force=True), other_folder / "plan.html")
    text = (other_folder / "plan.html").read_text(encoding="utf-8")
    part = text.split('<section id="p1-megawatts"')[1].split("</section>")[0]
    assert f"<bdi data-text>{NEW_USE}</bdi>" in part
    assert 'class="f x0"' in part and 'class="f unused"' in part and "line-grid" in part
    assert "grid limit of all sites" in part


def test_the_workbook_shows_an_unlisted_use_and_the_limit(other_plan: opt.Plan, other_folder: Path) -> None:
    done = write_workbook([other_folder], other_folder / "plan.xlsx", force=True)
    book = openpyxl.load_workbook(done.path, data_only=True)
    rows = list(book["MW"].iter_rows(min_row=7, values_only=True))
    above = {str(row[0]): list(row[2:]) for row in rows[:9] if row[0]}
    assert NEW_USE in above
    quarters = len(other_plan.case.horizon)
    for name, limits in (("Grid limit of all sites", limits_of(other_plan)), (NEW_USE, None)):
        total = [float(cell) for cell in above[name][:quarters]]
        assert total == pytest.approx(list(limits)) if limits else sum(total) > 0


def test_the_picture_shows_an_unlisted_use_and_the_unused(other_plan: opt.Plan) -> None:
    picture = pictures_of(other_plan)["megawatts"]
    texts = [text.get_text() for text in picture.findobj(lambda one: hasattr(one, "get_text"))]
    assert any(NEW_USE in text for text in texts) and any(text.startswith("Unused") for text in texts)


# ---- a stack that does not reach the limit --------------------------------------------------------------------------


def without(use: str) -> Callable[[opt.Plan], opt.Plan]:
    return lambda plan: changed(plan, plan.allocation[plan.allocation["use"] != use].reset_index(drop=True))


@pytest.fixture(scope="module", params=["mining", "unused"])
def short(request: pytest.FixtureRequest, plan: opt.Plan) -> opt.Plan:
    """A plan from whose allocation one use was lost."""
    return without(str(request.param))(plan)


@pytest.fixture(scope="module")
def short_folder(short: opt.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_plan(short, tmp_path_factory.mktemp("plans") / "short")


@pytest.mark.parametrize("write", [
    lambda place: write_deck(place, place / "a.pptx", force=True),
    lambda place: write_page(open_plans([place], force=True), place / "a.html"),
    lambda place: write_workbook([place], place / "a.xlsx", force=True),
])  # fmt: skip
def test_a_document_whose_stack_falls_short_of_the_limit_is_refused(
    short_folder: Path, write: Callable[[Path], object]
) -> None:
    with pytest.raises(PlanError, match=r"chart of megawatts is not drawn: in .* adds up to .* grid limit is"):
        write(short_folder)


def test_a_picture_whose_stack_falls_short_is_refused_and_the_terminal_says_so(short: opt.Plan) -> None:
    with pytest.raises(PlanError, match="chart of megawatts is not drawn"):
        pictures_of(short)
    assert "adds up to" in " ".join(told(short).split())


def test_a_series_too_many_is_refused_as_one_too_few() -> None:
    reach_limit(["2026Q1"], {"mining": [7.0], "unused": [3.0]}, [10.0])
    for series in ({"mining": [7.0]}, {"mining": [7.0], "unused": [3.0], "again": [3.0]}):
        with pytest.raises(PlanError, match="in 2026Q1"):
            reach_limit(["2026Q1"], series, [10.0])
