"""The sheets of decisions: contracts signed and refused, construction starts, the summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.case.schema import MINING
from optimizer.ground.amounts import margin_musd
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import FIGURES, figures_of, sales_and_delays
from optimizer.telling.board.keys import Key, at, kpi
from optimizer.telling.board.workbook.book import HEAD_HEIGHT, HEAD_ROWS, Sheet, Workbook
from optimizer.telling.board.workbook.charts import CHART_ROWS
from optimizer.telling.board.workbook.money import add_capex_chart, add_liquidity_chart
from optimizer.telling.board.workbook.power import add_megawatts_chart
from optimizer.telling.board.workbook.tables import span, write_frame

if TYPE_CHECKING:
    import pandas as pd


def write_contracts(desk: Workbook) -> None:
    """Signed offers with size, price and value; below them the refused ones and the construction starts."""
    sheet = desk.add("contracts", "Contracts: signed and refused offers, and the halls that serve them")
    plan, row = desk.plan, HEAD_ROWS
    signed = plan.contracts.drop(columns="scenario")
    begins = zip(signed["offer"], map(Quarter.parse, signed["delivery_quarter"]), strict=True)
    terms = [str(plan.case.term_end(str(offer), quarter)) for offer, quarter in begins]
    signed.insert(list(signed.columns).index("end_quarter"), "term_ends", terms)
    sheet.text(row, 0, "Signed", "section")
    if signed.empty:
        sheet.text(row + 1, 0, "No offer is signed.")
        row += 3
    else:
        numeric = ["it_mw", "price", "value_musd"]
        written = write_frame(
            sheet, row + 1, signed, "contracts", ["offer"], columns=list(signed.columns), numeric=numeric,
            totals=["it_mw", "value_musd"], heads={"end_quarter": "Ends, options of the tenant used"},
        )  # fmt: skip
        desk.tie("Contracted IT MW", sheet.cell(written.last, written.columns["it_mw"]), kpi("contracted_it_mw"))
        row = written.below
    row = _write_refused(sheet, row, set(signed["offer"]))
    starts = plan.starts.drop(columns="scenario")
    sheet.text(row, 0, "Construction starts", "section")
    if starts.empty:
        sheet.text(row + 1, 0, "Nothing is built.")
    else:
        numeric = ["blocks", "gross_mw", "it_mw", "facility_capex_musd", "gpu_capex_musd"]
        keys = ["option", "site", "start_quarter", "decided"]
        written = write_frame(
            sheet, row + 1, starts, "starts", keys, columns=list(starts.columns), numeric=numeric,
            totals=["gross_mw", "it_mw", "facility_capex_musd", "gpu_capex_musd"],
        )  # fmt: skip
        for name in ("gross_mw", "it_mw"):
            desk.tie(f"Converted {name}", sheet.cell(written.last, written.columns[name]), kpi(f"converted_{name}"))
    sheet.at.set_column(0, 0, 30)
    sheet.at.set_column(1, 1, 24)
    sheet.at.set_column(2, 14, 15)
    basis = list(signed.columns).index("price_basis")
    sheet.at.set_column(basis, basis, 22)
    sheet.at.freeze_panes(HEAD_ROWS, 1)


def _write_refused(sheet: Sheet, row: int, signed: set[str]) -> int:
    """The offers that the plan leaves unsigned; the next free row."""
    case = sheet.desk.plan.case
    frame = case.table("offers")
    refused = frame[~frame["offer"].isin(signed)]
    sheet.text(row, 0, "Refused", "section")
    if refused.empty:
        sheet.text(row + 1, 0, "No offer is refused.")
        return row + 3
    columns = ["offer", "customer", "product", "min_it_mw", "max_it_mw", "window_first", "window_last"]
    columns = [*(column for column in columns if column in refused.columns), "sites"]
    refused = refused.assign(sites=[", ".join(case.sites_of_offer[offer]) for offer in refused["offer"]])
    written = write_frame(
        sheet, row + 1, refused, "inputs/offers", ["offer"], columns=columns, numeric=["min_it_mw", "max_it_mw"],
        heads={"sites": "Sites that would do"}, name="refused_offers",
    )  # fmt: skip
    return written.below


LEAST_TOLD_MUSD = 1e-6
"""A dollar: a margin below it is told in words."""

# ---- summary --------------------------------------------------------------------------------------------------------

_FIGURES = (
    "value_over_do_nothing_musd", "within_over_do_nothing_musd", "options_within_over_do_nothing_musd",
    "terminal_value_over_do_nothing_musd", "options_over_do_nothing_musd", "value_musd", "do_nothing_value_musd",
    "capex_new_musd", "capex_committed_musd", "capex_musd", "tenant_advances_musd", "capex_budget_musd",
    "peak_capex_musd", "lowest_liquidity_musd", "minimum_cash_musd", "headroom_musd", "lowest_cash_musd",
    "do_nothing_lowest_cash_musd", "highest_debt_musd", "debt_at_end_musd", "debt_drawn_musd",
    "interest_and_fees_musd", "unlevered_return", "new_gross_mw", "committed_gross_mw", "converted_gross_mw",
    "converted_it_mw", "contracted_it_mw", "first_year_rent_musd", "largest_customer", "largest_customer_share",
    "btc_mined", "cash_cost_usd_per_btc", "btc_sold", "btc_sold_musd", "machines_sold_gross_mw",
    "machines_sold_musd", "late_contracts", "damages_musd",
)  # fmt: skip
"""Figures of the room, under the names that it has for them, in the order of reading."""
LOOKS = {
    "$M": "musd", "gross MW": "mw", "IT MW": "mw", "BTC": "count", "$": "count", "contracts": "count",
    "a year": "share", "share": "share",
}  # fmt: skip
"""The format of a figure by its unit."""


def write_summary(desk: Workbook) -> Sheet:
    """The figures of the plan, each a named cell, and the decision for each site. Charts come when their sheets are."""
    sheet = desk.add("summary", "Summary of the plan")
    plan, row = desk.plan, HEAD_ROWS
    sheet.text(row, 0, "Figures", "section")
    for column, words in enumerate(("", "Value", "Unit", "Quarter")):
        sheet.text(row + 1, column, words, "head right" if column == 1 else "head")
    for row, name in enumerate(_FIGURES, HEAD_ROWS + 2):
        _write_figure(sheet, row, name)
    gap = HEAD_ROWS + 2 + len(_FIGURES)
    sheet.text(gap, 0, "Most that another plan could be worth above this one")
    if plan.gap_musd < LEAST_TOLD_MUSD:
        sheet.text(gap, 1, margin_musd(plan.gap_musd), "note")
    else:
        sheet.number(gap, 1, plan.gap_musd, Key("record", "gap_musd"), "fine")
    sheet.text(gap, 2, "$M", "note")
    sheet.text(gap, 3, plan.status_words, "note")
    _write_sites(sheet, _write_sales(sheet, gap + 2))
    sheet.at.set_column(0, 0, 42)
    sheet.at.set_column(1, 6, 14)
    sheet.at.set_column(7, 7, 3)
    sheet.at.fit_to_pages(1, 1)
    sheet.at.freeze_panes(HEAD_ROWS, 0)
    return sheet


def _write_figure(sheet: Sheet, row: int, name: str) -> None:
    """A figure of the room with its unit and its quarter; a number is a named cell."""
    plan, room, known = sheet.desk.plan, figures_of(sheet.desk.plan), FIGURES[name]
    found = room[name]
    sheet.text(row, 0, known.words)
    if isinstance(found, float | int):
        sheet.number(row, 1, found, kpi(name), LOOKS[known.unit])
        sheet.desk.book.define_name(name, f"={sheet.cell(row, 1)}")
    else:
        sheet.text(row, 1, plan.missing(name) if found is None else found, "note")
    sheet.text(row, 2, "" if known.unit in ("name", "share") else known.unit, "note")
    quarter = room[known.when] if known.when else None
    told = "paid back " if known.when == "unlevered_payback_quarter" else ""
    sheet.text(row, 3, f"{told}{quarter}" if quarter else "", "note")


def _write_sales(sheet: Sheet, row: int) -> int:
    """What is sold and delivered late, in the words of every report; the next free row."""
    told = sales_and_delays(figures_of(sheet.desk.plan))
    if not told:
        return row
    sheet.text(row, 0, "Sold, and delivered late", "section")
    for number, one in enumerate(told, row + 1):
        sheet.text(number, 0, f"{one.verb} {one.text}")
    return row + len(told) + 2


def write_sold(desk: Workbook) -> None:
    """BTC and machines sold by quarter, contracts that are late, and what contracts are billed in their first year."""
    tables = figures_of(desk.plan).tables
    shown = [one for one in _SOLD if not tables[one.table].empty]
    if not shown:
        return
    sheet, row = desk.add("sold and billed", "What is sold, what is late, and first years' rents"), HEAD_ROWS
    for one in shown:
        sheet.text(row, 0, one.words, "section")
        frame = tables[one.table]
        written = write_frame(
            sheet, row + 1, frame, f"figures/{one.table}", one.keys, columns=list(frame.columns), numeric=one.numeric,
            totals=list(one.totals), name=one.table,
        )  # fmt: skip
        for column, figure in one.totals.items():
            desk.tie(FIGURES[figure].words, sheet.cell(written.last, written.columns[column]), kpi(figure))
        row = written.below
    sheet.at.set_column(0, 0, 26)
    sheet.at.set_column(1, 6, 18)
    sheet.at.freeze_panes(HEAD_ROWS, 0)


@dataclass(frozen=True)
class _Sold:
    """A table of the room of figures: its columns of numbers, what tells its rows apart, and the figures it adds to."""

    table: str
    words: str
    keys: tuple[str, ...]
    numeric: tuple[str, ...]
    totals: Mapping[str, str]


_SOLD = (
    _Sold("btc_sold", "BTC sold from the treasury", ("quarter",), ("sold_btc", "musd"),
          {"sold_btc": "btc_sold", "musd": "btc_sold_musd"}),
    _Sold("machines_sold", "Mining machines sold, by class", ("asic", "quarter"), ("sold_gross_mw", "musd"),
          {"sold_gross_mw": "machines_sold_gross_mw", "musd": "machines_sold_musd"}),
    _Sold("late_contracts", "Contracts delivered late", ("offer",), ("quarters", "damages_musd"),
          {"damages_musd": "damages_musd"}),
    _Sold("rents", "What each contract is billed in its first four quarters", ("offer",), ("first_year_rent_musd",),
          {"first_year_rent_musd": "first_year_rent_musd"}),
)  # fmt: skip


def _write_sites(sheet: Sheet, row: int) -> None:
    """For each site what mines, until when, and what is converted."""
    plan, ledger = sheet.desk.plan, sheet.desk.ledger
    sheet.text(row, 0, "Decision by site", "section")
    heads = ["Site", "Mines at first, gross MW", "Mines to", "Converted, gross MW", "Converted, IT MW", "First service",
             "Contracted, IT MW"]  # fmt: skip
    head, quarters = row + 1, list(plan.cash["quarter"])
    for column, words in enumerate(heads):
        sheet.text(head, column, words, "head" if column in (0, 2, 5) else "head right")
    sheet.at.set_row(head, HEAD_HEIGHT)
    mined = plan.allocation[(plan.allocation["use"] == MINING) & (plan.allocation["gross_mw"] > 0)]
    for number, site in enumerate(plan.case.sites, head + 1):
        name = site.site
        sheet.text(number, 0, name)
        sheet.text(number, 2, _last(mined, name), "text")
        served = plan.starts[plan.starts["site"] == name]["service_quarter"]
        sheet.text(number, 5, str(served.min()) if len(served) else "never")
        for column, key in _site_keys(name, quarters[0]).items():
            sheet.number(number, column, ledger.worth(key), key, "mw")
    last = head + len(plan.case.sites)
    sheet.text(last + 1, 0, "Total", "strong")
    for column in range(1, len(heads)):
        sums = _site_keys("", quarters[0])
        if column in sums:
            cells = span(column, head + 1, last)
            sheet.formula(last + 1, column, f"=SUM({cells})", ledger.worth(sums[column]), sums[column], "mw total")
        else:
            sheet.text(last + 1, column, "", "strong")
    for column, name in ((3, "converted_gross_mw"), (4, "converted_it_mw"), (6, "contracted_it_mw")):
        sheet.desk.tie(f"Summary: {name}", sheet.cell(last + 1, column), kpi(name))


def _site_keys(site: str, first: str) -> dict[int, Key]:
    """The receipts of a site's numbers by column; of all sites together where it is blank."""
    where = {"site": site} if site else {}
    return {
        1: at("allocation", "gross_mw", use=MINING, quarter=first, **where),
        3: at("starts", "gross_mw", **where),
        4: at("starts", "it_mw", **where),
        6: at("contracts", "it_mw", **where),
    }


def _last(mined: pd.DataFrame, site: str) -> str:
    quarters = mined[mined["site"] == site]["quarter"]
    return str(quarters.max()) if len(quarters) else "never"


def add_summary_charts(sheet: Sheet) -> None:
    """The three charts of a board page, from the sheets that hold their numbers."""
    sheets = sheet.desk.sheets
    add_megawatts_chart(sheet, sheets["MW"], HEAD_ROWS, 8)
    add_liquidity_chart(sheet, sheets["liquidity"], HEAD_ROWS + CHART_ROWS, 8)
    add_capex_chart(sheet, sheets["capex"], HEAD_ROWS + 2 * CHART_ROWS, 8)
