"""Deck, page, workbook, pictures and terminal of one plan: every figure that they share is told alike."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import DATA
from openpyxl import load_workbook
from pptx import Presentation
from rich.console import Console
from told_cases import committed_case

import optimizer as opt
from optimizer.ground.amounts import musd
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import FIGURES, figures_of, sales_and_delays
from optimizer.plan.folder import save_plan
from optimizer.telling.board.deck import gather as gather_deck
from optimizer.telling.board.deck import write_deck
from optimizer.telling.board.deck.story import tell
from optimizer.telling.board.ledger import MINUS
from optimizer.telling.board.page import open_plans
from optimizer.telling.board.page.reading import _Reader, parsed
from optimizer.telling.board.page.writing import write_page
from optimizer.telling.board.receipts import agrees
from optimizer.telling.board.workbook import write_workbook
from optimizer.telling.pictures.gallery import pictures_of
from optimizer.telling.pictures.sheet import picture_bytes
from optimizer.telling.summary import print_summary

SOLD = {"btc_sold", "btc_sold_musd", "machines_sold_gross_mw", "machines_sold_musd", "damages_musd"}
IN_ALL = {
    "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "capex_musd", "capex_new_musd",
    "capex_committed_musd", "capex_budget_musd", "lowest_liquidity_musd", "minimum_cash_musd", "unlevered_return",
    "levered_return", "tenant_advances_musd", "advances_paid_back_musd", "value_after_firm_terms_musd", "lowest_dscr",
    "lowest_headroom_musd",
}  # fmt: skip
"""Figures without which no report of a plan with commitments is whole."""


@dataclass(frozen=True)
class Told:
    """A figure as a report shows it: its number, and to how many decimals."""

    report: str
    key: str
    number: float
    decimals: int


@dataclass(frozen=True)
class Reports:
    """All reports of one plan: the figures by key, and the texts."""

    plan: opt.Plan
    told: tuple[Told, ...]
    texts: dict[str, str]


def reports_of(plan: opt.Plan, folder: Path) -> Reports:
    place = save_plan(plan, folder / "plan")
    told = [*of_deck(place, folder), *of_page(place, folder), *of_workbook(place, folder)]
    return Reports(plan, tuple(told), dict(texts_of(plan, folder)))


def of_deck(place: Path, folder: Path) -> Iterator[Told]:
    """The written deck is held against its ledger as it is written; here is what that ledger says."""
    write_deck(place, folder / "board.pptx")
    pack = gather_deck(place, [], None, None, False)
    tell(pack)
    for receipt in pack.ledger.receipts:
        key = receipt.key.split(")")[0].strip("(")
        if receipt.value is not None and key.removeprefix("figures/") in FIGURES:
            number = float(re.sub(r"[^\d.]", "", receipt.text)) * (-1 if receipt.text.startswith(MINUS) else 1)
            yield Told("deck", key.removeprefix("figures/"), number, receipt.decimals)


def of_page(place: Path, folder: Path) -> Iterator[Told]:
    write_page(open_plans([place]), folder / "page.html")
    reader = _Reader()
    reader.feed((folder / "page.html").read_text(encoding="utf-8"))
    for key, text, decimals in reader.numbers:
        name = key.split(")")[0].strip("(").removeprefix("p1/figures/")
        if name in FIGURES:
            number = parsed(text)
            assert number is not None
            yield Told("page", name, number, decimals)


def of_workbook(place: Path, folder: Path) -> Iterator[Told]:
    """Named cells of the summary, read by another reader."""
    write_workbook([place], folder / "book.xlsx")
    book = load_workbook(folder / "book.xlsx", data_only=True)
    for name, defined in book.defined_names.items():
        if name in FIGURES:
            [(sheet, cell)] = defined.destinations
            words = book[sheet].cell(row=book[sheet][cell].row, column=1).value
            assert words == FIGURES[name].words
            yield Told("workbook", name, float(book[sheet][cell].value), 9)


def texts_of(plan: opt.Plan, folder: Path) -> Iterator[tuple[str, str]]:
    """What each report says, as plain text."""
    yield "terminal", terminal(plan)
    slides = Presentation(str(folder / "board.pptx")).slides
    yield "deck", "\n".join(t.text or "" for page in slides for t in page.part._element.iter("{*}t"))
    page = (folder / "page.html").read_text(encoding="utf-8")
    body = page[page.index("<main") : page.index("<script")]
    yield "page", re.sub(r"<[^>]+>", "", body)
    cells = load_workbook(folder / "book.xlsx", data_only=True)["summary"].iter_rows(values_only=True)
    yield "workbook", "\n".join(str(cell) for row in cells for cell in row if cell is not None)
    for name, figure in pictures_of(plan).items():
        svg = picture_bytes(figure, "svg").decode("utf-8")
        yield f"picture {name}", "\n".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))


def terminal(plan: opt.Plan) -> str:
    stream = io.StringIO()
    print_summary(plan, Console(file=stream, width=400, highlight=False))
    return stream.getvalue()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    return reports_of(opt.solve(committed_case()), tmp_path_factory.mktemp("reports"))


# ---- what must hold -----------------------------------------------------------------------------------------------


def disagreements(reports: Reports) -> list[str]:
    """Figures that a report tells otherwise than the room, or whose quarter or words it lacks."""
    room = figures_of(reports.plan)
    wrong = []
    for told in reports.told:
        held = room.number(told.key) * (100 if FIGURES[told.key].unit in ("a year", "share") else 1)
        held /= 100 if told.report == "workbook" and FIGURES[told.key].unit in ("a year", "share") else 1
        if not agrees(abs(told.number), abs(held), told.decimals):
            wrong.append(f"{told.report} tells {told.key} as {told.number}, the room as {held}")
    for report, text in reports.texts.items():
        for wanted in wanted_of(reports.plan, report):
            if wanted not in text:
                wrong.append(f"{report} lacks {wanted!r}")
    return wrong


def wanted_of(plan: opt.Plan, report: str) -> Iterator[str]:
    """Amounts, quarters and sentences that a report must say word for word."""
    room = figures_of(plan)
    minus = MINUS if report in ("deck", "page") else "-"
    money = {key: musd(room.number(key)).replace("-", minus) for key in IN_ALL if FIGURES[key].unit == "$M"}
    if report == "picture cash":
        yield f"Liquidity is lowest at the end of {room['lowest_liquidity_quarter']}"
        yield money["lowest_liquidity_musd"]
    elif report == "picture capex":
        yield from (money[f"capex_{name}musd"] for name in ("", "new_", "committed_"))
    elif not report.startswith("picture"):
        yield str(room["lowest_liquidity_quarter"])
        yield from (str(room[f"{kind}_payback_quarter"]) for kind in ("unlevered", "levered"))
        yield from (str(room[f"lowest_{name}"]) for name in ("dscr_facility", "dscr_quarter", "headroom_quarter"))
        yield from (one.text for one in sales_and_delays(room))
        if report != "workbook":
            yield from money.values()
    if report in ("deck", "page"):
        new = plan.starts[plan.starts["decided"] == "new"]["site"].unique()
        yield f"Converting {room.number('new_gross_mw'):g} gross MW at {' and '.join(new)} adds"


def test_every_report_tells_every_figure_alike(reports: Reports) -> None:
    assert disagreements(reports) == []


def test_no_report_lacks_what_a_board_must_know(reports: Reports) -> None:
    """New and committed capex apart, what is sold, what comes after the horizon: in deck, page and workbook."""
    by_report = {name: {one.key for one in reports.told if one.report == name} for name in ("deck", "page", "workbook")}
    for name, keys in by_report.items():
        assert keys >= IN_ALL, name
    assert by_report["workbook"] >= SOLD
    shared = set.union(*by_report.values())
    assert len([key for key in shared if sum(key in keys for keys in by_report.values()) > 1]) >= 20


def test_one_plan_has_one_value_after_the_horizon(reports: Reports) -> None:
    """What the whole plan, nothing taken off, has after it stands in no report but the workbook's sheet of value."""
    room = figures_of(reports.plan)
    assert abs(room.number("value_after_horizon_musd") - room.number("terminal_value_over_do_nothing_musd")) > 1
    other = musd(room.number("value_after_horizon_musd"))
    for report, text in reports.texts.items():
        assert other not in text, report


def test_a_report_that_says_otherwise_is_found_out(reports: Reports) -> None:
    room = figures_of(reports.plan)
    gross = Told("deck", "capex_new_musd", room.number("capex_musd"), 1)
    assert len(disagreements(Reports(reports.plan, (gross,), {}))) == 1
    later = Quarter.parse(str(room["lowest_liquidity_quarter"])) + 1
    silent = {"picture cash": f"Liquidity is lowest at the end of {later}"}
    assert len(disagreements(Reports(reports.plan, (), silent))) == 2


@pytest.mark.campaign
def test_the_reports_of_the_case_with_everything_agree(tmp_path: Path) -> None:
    plan = opt.solve(opt.load_case(DATA / "keel_2026"))
    assert not math.isclose(plan.kpis["capex_musd"], figures_of(plan).number("capex_new_musd"))
    assert disagreements(reports_of(plan, tmp_path)) == []
