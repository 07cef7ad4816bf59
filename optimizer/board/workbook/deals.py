"""The sheets of decisions: contracts signed and refused, construction starts, the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.amounts import margin_musd
from optimizer.board.receipts import Key, at, kpi
from optimizer.board.workbook.book import HEAD_HEIGHT, HEAD_ROWS, Sheet, Workbook
from optimizer.board.workbook.charts import CHART_ROWS
from optimizer.board.workbook.money import add_capex_chart, add_liquidity_chart
from optimizer.board.workbook.power import add_megawatts_chart
from optimizer.board.workbook.tables import span, write_frame
from optimizer.quarters import Quarter
from optimizer.schema import MINING

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
    ("Value over doing nothing", "value_over_do_nothing_musd", "$M", "musd", ""),
    ("of which after the horizon", "terminal_value_over_do_nothing_musd", "$M", "musd", ""),
    ("Value of the plan", "value_musd", "$M", "musd", ""),
    ("Value of doing nothing", "do_nothing_value_musd", "$M", "musd", ""),
    ("Capex within the horizon", "capex_musd", "$M", "musd", ""),
    ("Capex budget", "capex_budget_musd", "$M", "musd", ""),
    ("Most capex in a quarter", "peak_capex_musd", "$M", "musd", "peak_capex_quarter"),
    ("Lowest liquidity", "lowest_liquidity_musd", "$M", "musd", "lowest_liquidity_quarter"),
    ("Lowest cash", "lowest_cash_musd", "$M", "musd", "lowest_cash_quarter"),
    ("Minimum liquidity", "minimum_cash_musd", "$M", "musd", ""),
    ("Lowest cash when doing nothing", "do_nothing_lowest_cash_musd", "$M", "musd", "do_nothing_lowest_cash_quarter"),
    ("Most debt", "highest_debt_musd", "$M", "musd", ""),
    ("Debt at the end", "debt_at_end_musd", "$M", "musd", ""),
    ("Interest and fees", "interest_and_fees_musd", "$M", "musd", ""),
    ("Return of the AI programme, a year", "ai_programme_irr", "", "share", "ai_programme_payback_quarter"),
    ("Converted", "converted_gross_mw", "gross MW", "mw", ""),
    ("Converted", "converted_it_mw", "IT MW", "mw", ""),
    ("Contracted", "contracted_it_mw", "IT MW", "mw", ""),
    ("BTC mined", "btc_mined", "BTC", "count", ""),
    ("Cash cost of a BTC, power and sites", "cash_cost_usd_per_btc", "$", "count", ""),
)
"""Words, figure, unit, format, and the figure that says its quarter."""


def write_summary(desk: Workbook) -> Sheet:
    """The figures of the plan, each a named cell, and the decision for each site. Charts come when their sheets are."""
    sheet = desk.add("summary", "Summary of the plan")
    plan, row = desk.plan, HEAD_ROWS
    sheet.text(row, 0, "Figures", "section")
    for column, words in enumerate(("", "Value", "Unit", "Quarter")):
        sheet.text(row + 1, column, words, "head right" if column == 1 else "head")
    for row, (words, name, unit, look, when) in enumerate(_FIGURES, HEAD_ROWS + 2):
        sheet.text(row, 0, words)
        value = plan.kpis.get(name)
        if value is None:
            sheet.text(row, 1, plan.missing(name), "note")
        else:
            sheet.number(row, 1, value, kpi(name), look)
            desk.book.define_name(name, f"={sheet.cell(row, 1)}")
        sheet.text(row, 2, unit, "note")
        quarter = plan.kpis.get(when)
        told = "paid back " if when == "ai_programme_payback_quarter" else ""
        sheet.text(row, 3, f"{told}{quarter}" if quarter else "", "note")
    gap = row + 1
    sheet.text(gap, 0, "Most that another plan could be worth above this one")
    if plan.gap_musd < LEAST_TOLD_MUSD:
        sheet.text(gap, 1, margin_musd(plan.gap_musd), "note")
    else:
        sheet.number(gap, 1, plan.gap_musd, Key("record", "gap_musd"), "fine")
    sheet.text(gap, 2, "$M", "note")
    sheet.text(gap, 3, plan.status_words, "note")
    _write_sites(sheet, gap + 2)
    sheet.at.set_column(0, 0, 42)
    sheet.at.set_column(1, 6, 14)
    sheet.at.set_column(7, 7, 3)
    sheet.at.fit_to_pages(1, 1)
    sheet.at.freeze_panes(HEAD_ROWS, 0)
    return sheet


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
