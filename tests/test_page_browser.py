"""The page in headless Chromium: quiet, alone, usable by pointer and keys at any width, and whole on paper.

Needs Chromium and the package `playwright`; skipped where either is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from page_studies import made_studies

import optimizer as opt
from optimizer.plan.folder import save_plan
from optimizer.questions.studies.study import save_study
from optimizer.telling.board.page import open_plans
from optimizer.telling.board.page.writing import write_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.campaign, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")]
playwright = pytest.importorskip("playwright.sync_api") if CHROMIUM else None

WIDTHS = (360, 768, 1440)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two scenarios of a shipped case, the first with studies."""
    room = tmp_path_factory.mktemp("page")
    case = opt.load_case(ROOT / "data/washington_2025")
    for scenario in ("base", "headline"):
        plan = opt.solve(case, scenario)
        save_plan(plan, room / scenario)
        for study in made_studies(plan) if scenario == "base" else ():
            save_study(study, room / "base/studies" / study.kind)
    write_page(open_plans([room / "base", room / "headline"]), room / "plan.html")
    return room / "plan.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        yield play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def tab(browser: Any, file: Path) -> Iterator[Any]:
    """The page open at a phone's width; the test fails if the console speaks or anything is asked for."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.url != file.as_uri() else None)
    page.goto(file.as_uri())
    yield page
    assert not wrong
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_runs_out_of_the_page(tab: Any, width: int, theme: str) -> None:
    """At each width, in both units and with every table open, the page is no wider than the window."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=theme)
    for unit in ("gross", "it"):
        tab.evaluate(f"document.querySelector('input[value={unit}]').click()")
        tab.evaluate("document.querySelector('#fold-all').click()")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        cut = tab.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, p, li, dd, dt, button, select')].filter("
            "e => e.offsetParent && !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1).length"
        )
        assert cut == 0


def test_texts_do_not_lie_on_each_other(tab: Any) -> None:
    """No two labels of one axis overlap at any width."""
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        clashes = tab.evaluate(
            """[...document.querySelectorAll('.axis-x, .axis-y')].filter((axis) => {
              const boxes = [...axis.querySelectorAll('text')].map((t) => t.getBoundingClientRect())
                .filter((b) => b.width > 0);
              return boxes.some((a, i) => boxes.slice(i + 1).some((b) =>
                a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
            }).length"""
        )
        assert clashes == 0, width


def test_the_plan_and_its_scenario_can_be_chosen(tab: Any) -> None:
    headline = tab.inner_text("article:not([hidden]) h2")
    assert tab.locator("#plan option").all_inner_texts() == ["base", "headline"]
    tab.select_option("#plan", "p2")
    assert tab.locator("article:visible").count() == 1
    assert tab.inner_text("article:not([hidden]) h2") != headline
    assert tab.locator(".inputs:visible").count() == 1
    tab.goto(tab.url + "#p1-cash")
    assert tab.inner_text("article:not([hidden]) h2") == headline


def test_units_colours_and_tables_answer(tab: Any) -> None:
    assert tab.locator("#p1-megawatts-chart").is_visible()
    tab.locator("input[value=it]").check(force=True)
    assert tab.locator("#p1-mw-it-chart").is_visible()
    assert not tab.locator("#p1-megawatts-chart").is_visible()
    assert not tab.locator("#options").is_visible()
    tab.click("#more")
    ground = "getComputedStyle(document.body).backgroundColor"
    tab.locator("input[value=dark]").check(force=True)
    dark = tab.evaluate(ground)
    tab.locator("input[value=light]").check(force=True)
    assert tab.evaluate(ground) != dark
    fold = tab.locator("#p1-cash-table .fold")
    assert not tab.locator("#p1-cash-table table").is_visible()
    fold.press("Enter")
    assert tab.locator("#p1-cash-table table").is_visible()
    assert fold.get_attribute("aria-expanded") == "true"


def test_tables_sort_by_number_and_back(tab: Any) -> None:
    tab.click("#more")
    tab.click("#fold-all")
    table = tab.locator("#p1-frontier .sortable")
    heading = table.locator("thead button").nth(0)
    cells = lambda: [float(text) for text in table.locator("tbody th").all_inner_texts()]  # noqa: E731
    heading.click()
    assert cells() == sorted(cells())
    heading.click()
    assert cells() == sorted(cells(), reverse=True)
    assert table.locator("thead th").nth(0).get_attribute("aria-sort") == "descending"


def test_values_are_told_under_the_pointer_and_the_arrow_keys(tab: Any) -> None:
    plot = tab.locator("#p1-cash-chart")
    plot.scroll_into_view_if_needed()
    plot.hover(position={"x": 2, "y": 60})
    first = tab.inner_text("#tip")
    assert first.startswith("2026Q1") and "Minimum" in first
    tab.mouse.move(0, 0)
    assert not tab.locator("#tip").is_visible()
    plot.focus()
    tab.keyboard.press("ArrowLeft")
    assert tab.inner_text("#tip") == first
    tab.keyboard.press("End")
    assert tab.inner_text("#tip").startswith("2032Q4")
    tab.keyboard.press("Escape")
    assert not tab.locator("#tip").is_visible()
    tab.focus("#p1-sites-gross-chart")
    tab.keyboard.press("ArrowRight")
    assert "Moses Lake" in tab.inner_text("#tip")


def test_a_receipt_says_where_a_number_stands(tab: Any) -> None:
    tab.click("#more")
    tab.check("#receipts")
    tab.locator("article:visible .tiles .n").first.click()
    told = tab.inner_text("#receipt")
    assert "p1/figures/value_over_do_nothing_musd" in told and "run " in told
    tab.keyboard.press("Escape")
    assert not tab.locator("#receipt").is_visible()
    figures = tab.evaluate("JSON.parse(document.querySelector('#data').textContent).numbers.length")
    assert tab.locator(".has-receipt").count() == figures


def test_focus_is_seen_and_reaches_every_control(tab: Any) -> None:
    seen = set()
    for _ in range(12):
        tab.keyboard.press("Tab")
        seen.add(tab.evaluate("(e => e.id || e.name || e.className)(document.activeElement)"))
        focused = "(e => e.matches('fieldset input') ? e.nextElementSibling : e)(document.activeElement)"
        assert tab.evaluate(f"getComputedStyle({focused}).outlineWidth") == "3px"
    assert {"plan", "units", "more"} <= seen


def test_paper_shows_everything(tab: Any, tmp_path: Path) -> None:
    tab.pdf(path=tmp_path / "plan.pdf", prefer_css_page_size=True)
    assert (tmp_path / "plan.pdf").stat().st_size > 50_000
    tab.emulate_media(media="print")
    other_units = tab.locator("article:visible .it table").count()
    tables = tab.locator("article:visible table").count() - other_units
    assert tab.locator("article:visible table:visible").count() == tables
    assert not tab.locator(".controls").is_visible()


def test_without_its_script_everything_is_open(browser: Any, file: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(file.as_uri())
    assert page.locator("article").count() == page.locator("article:visible").count() == 2
    assert not page.locator("#controls").is_visible()
    assert page.locator("#p1-cash-table table").is_visible()
