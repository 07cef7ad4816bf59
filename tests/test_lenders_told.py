"""Lenders as reports tell them: cover by quarter with its gaps, what is asked, what secures them; and the cards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import mining_case
from openpyxl import load_workbook
from shared import solved_once
from told_cases import committed_case

import optimizer as opt
from optimizer.plan.folder import save_plan
from optimizer.telling.board.blocks import Chart, Table
from optimizer.telling.board.deck.reading import _same
from optimizer.telling.board.figures import GAP, NOTHING
from optimizer.telling.board.pack import Pack, alone
from optimizer.telling.board.page.drawing import chart as drawn
from optimizer.telling.board.subjects.contracts import contracts_section
from optimizer.telling.board.subjects.decision import cards, decision
from optimizer.telling.board.subjects.lenders import lenders, lenders_of, lenders_section
from optimizer.telling.board.workbook import write_workbook


@pytest.fixture(scope="module")
def told() -> opt.Plan:
    """Notes of $20M at 6% whose holders are paid, and test their cover, in the fourth quarter of the year alone."""
    return solved_once(committed_case())


def lines_of(pack: Pack) -> dict[str, list[float | None]]:
    """The lines of the slide's chart by their plain names; None for a gap."""
    slide = lenders(pack)
    assert slide is not None
    [chart] = [block for _, block in slide.blocks if isinstance(block, Chart)]
    return {
        pack.ledger.plain(line.name): [None if one is GAP else one.value for one in line.values]
        for line in chart.series
    }


@pytest.mark.core
def test_cover_is_told_where_there_is_service_and_nowhere_else(told: opt.Plan) -> None:
    """Service is 1.2 in 2027Q4; a nought in the other quarters would be a breach that is none."""
    [row] = told.tables["coverage"][told.tables["coverage"]["service_musd"] > 0].itertuples()
    assert (row.quarter, row.service_musd, row.required_musd) == ("2027Q4", pytest.approx(1.2), pytest.approx(1.8))
    lines = lines_of(alone(told))
    assert lines == {"notes": [pytest.approx(row.margin_musd / 1.2)], "notes asks": [1.5]}


def test_the_table_says_what_secures_and_what_is_least(told: opt.Plan) -> None:
    pack = alone(told)
    section = lenders_section(pack)
    assert section is not None
    table = next(block for block in section.blocks if isinstance(block, Table))
    [cells] = [tuple(map(pack.ledger.plain, row)) for row in table.rows]
    dscr, room = told.kpis["lowest_dscr"], told.kpis["lowest_headroom_musd"]
    assert cells[:6] == ("notes", "the company", "senior", "20.0", "20.0", "1.5x from 2027Q4")
    assert cells[6:8] == (f"{dscr:.2f}x, 2027Q4", f"{room:.1f}, 2027Q4") and cells[8].endswith("x, 2027Q4")
    assert pack.ledger.plain(section.title).startswith(f"DSCR is lowest in 2027Q4, {dscr:.2f}x for notes")


def test_facilities_that_share_their_halls_are_one_line() -> None:
    case = committed_case()
    notes = case.table("facilities").to_dict("records")[0]
    second = notes | {
        "facility": "other notes",
        "commitment_musd": 5.0,
        "drawn_musd": 5.0,
        "dscr": None,
        "dscr_from": None,
    }
    lines = lines_of(alone(solved_once(case.replace(facilities=[notes, second]))))
    assert set(lines) == {"Company", "notes asks"}


def test_without_a_balance_there_is_no_slide_no_section_and_no_sheet(tmp_path: Path) -> None:
    plan = solved_once(mining_case())
    assert not lenders_of(alone(plan).source)
    assert lenders(alone(plan)) is None and lenders_section(alone(plan)) is None
    written = write_workbook([save_plan(plan, tmp_path / "plan")], tmp_path / "book.xlsx")
    assert "lenders" not in written.sheets


def test_a_sheet_has_the_cover_of_every_quarter(told: opt.Plan, tmp_path: Path) -> None:
    write_workbook([save_plan(told, tmp_path / "plan")], tmp_path / "book.xlsx")
    rows = list(load_workbook(tmp_path / "book.xlsx", data_only=True)["lenders"].iter_rows(values_only=True))
    held = {row[1]: row[2:7] for row in rows if row[0] == "notes" and str(row[1])[:2] == "20"}
    for row in told.tables["coverage"].itertuples():
        margin, service, required, headroom, dscr = held[row.quarter]
        assert (margin, service, required) == pytest.approx((row.margin_musd, row.service_musd, row.required_musd))
        assert headroom == pytest.approx(margin - required)
        assert dscr == ("none" if service == 0 else pytest.approx(row.dscr))


def test_a_gap_is_neither_a_number_nor_left_out(told: opt.Plan) -> None:
    """A number in the place of a gap, or a gap in that of a number, is found out; a page draws and writes neither."""
    assert _same([None, 0.0], (GAP, NOTHING))
    assert not _same([0.0, 0.0], (GAP, NOTHING)) and not _same([None, None], (GAP, NOTHING)) and not _same([], (GAP,))
    pack = alone(told)
    slide = lenders(pack)
    assert slide is not None
    [chart] = [block for _, block in slide.blocks if isinstance(block, Chart)]
    cover = chart.series[0]
    wider = replace(chart, series=(replace(cover, values=(GAP, *cover.values)),), keys=("2027Q3", "2027Q4"))
    page = drawn(pack.ledger, wider, "dscr")
    [(_, points)] = page["paths"]
    assert len(points) == 1 and points[0][0] == 1.5
    assert str(page["table"]["rows"][0]["cells"][0]) == ""


# ---- the decision and its contracts ---------------------------------------------------------------------------------


def plain_cards(plan: opt.Plan) -> dict[str, str]:
    pack = alone(plan)
    return {pack.ledger.plain(caption): pack.ledger.plain(figure) for figure, caption in cards(pack).cards}


def test_cards_name_both_returns_and_what_tenants_lend(told: opt.Plan) -> None:
    """$31.8M are spent whatever tenants advance of it; capex net of that would be 29.8."""
    captions = plain_cards(told)
    [capex] = [words for words in captions if words.startswith("new capex")]
    assert captions[capex] == "$15.0M" and "$31.8M with what was committed before; budget $60.0M" in capex
    assert "$2.0M advanced by tenants, paid back as $2.1M" in capex
    for kind, words in (
        ("unlevered", "return of the programme over doing nothing"),
        ("levered", "return to shareholders"),
    ):
        paid = told.kpis[f"{kind}_payback_quarter"]
        assert captions[f"a year, {words}; paid back in {paid}"] == f"{told.kpis[f'{kind}_return']:.1%}"


def test_mining_on_is_told_by_its_value_or_by_where_it_breaks(told: opt.Plan) -> None:
    """Beside the value over doing nothing, on the same card."""
    kept = replace(told, kpis=told.kpis | {"mining_on_value_musd": 60.0, "value_over_mining_on_musd": 23.4})
    assert "value over doing nothing; $23.4M over mining on" in plain_cards(kept)
    broken = replace(told, kpis=told.kpis | {"mining_on_breaks_quarter": "2027Q4", "mining_on_short_musd": 7.5})
    assert "value over doing nothing; mining on breaks in 2027Q4, $7.5M short" in plain_cards(broken)


def test_what_is_asked_says_by_when_to_sign(told: opt.Plan) -> None:
    pack = alone(told)
    said = [pack.ledger.plain(one.text) for one in decision(pack).blocks[0][1].paragraphs]
    [signing] = [words for words in said if words.startswith("Sign ")]
    [row] = told.contracts[told.contracts["decided"] == "new"].itertuples()
    assert signing.endswith(f"; sign by {row.sign_by_quarter}")


def test_the_expected_loss_of_contracts_is_told(told: opt.Plan) -> None:
    """The sum to the contract's own end, after the horizon too; the horizon's alone would be less."""
    within, after = (
        float(-flows[flows["line"] == "expected_loss"]["musd"].sum()) for flows in (told.cash_flow, told.after_horizon)
    )
    assert within > 0.01 and after > 0.1
    pack = alone(told)
    said = [pack.ledger.plain(one.text) for one in contracts_section(pack).blocks[-1].paragraphs]
    assert f"expected to cost ${within + after:.1f}M over their contracts" in " ".join(said)
