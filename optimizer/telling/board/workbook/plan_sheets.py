"""The sheets of what is decided: the summary, megawatts by use, contracts and halls, what is sold, the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.case.schema import MINING
from optimizer.ground.amounts import margin_musd
from optimizer.plan.figures import FIGURES, figures_of, sales_and_delays
from optimizer.plan.power_uses import UNUSED, Use, limits_of, reach_limit, uses_of
from optimizer.plan.unused import reasons_of
from optimizer.telling.board.keys import Key, at, kpi
from optimizer.telling.board.subjects.figures import IN_THE_WORKBOOK
from optimizer.telling.board.tables import Data, refused_table, signed_table, sold_tables, starts_table
from optimizer.telling.board.workbook.charts import CHART_ROWS, Series, add_chart
from optimizer.telling.board.workbook.money_sheets import add_capex_chart, add_liquidity_chart
from optimizer.telling.board.workbook.sheets import COLOURS, HEAD_HEIGHT, HEAD_ROWS, INK, Sheet, Workbook
from optimizer.telling.board.workbook.tables import letters, section, span, write_grid, write_table

if TYPE_CHECKING:
    import pandas as pd

LEAST_TOLD_MUSD = 1e-6
"""A dollar: a margin below it is told in words."""
LOOKS = {
    "$M": "musd", "gross MW": "mw", "IT MW": "mw", "BTC": "count", "$": "count", "contracts": "count",
    "a year": "share", "share": "share", "times": "times",
}  # fmt: skip
"""The format of a figure by its unit."""
USES = {
    "mining": COLOURS[0], "idle": COLOURS[1], "building": COLOURS[2], "unused": COLOURS[8],
    **{f"product {n}": COLOURS[3 + n] for n in range(5)}, "other 0": "#C2378F", "other 1": "#33475B",
}  # fmt: skip
"""The colour of each look of a use; products and other uses take theirs in turn."""

# ---- summary --------------------------------------------------------------------------------------------------------


def write_summary(desk: Workbook) -> Sheet:
    """The figures of the plan, each a named cell, and the decision for each site. Charts come when their sheets are."""
    sheet = desk.add("summary", "Summary of the plan")
    plan, gap = desk.plan, HEAD_ROWS + 2 + len(IN_THE_WORKBOOK)
    sheet.text(HEAD_ROWS, 0, "Figures", "section")
    for column, words in enumerate(("", "Value", "Unit", "Quarter")):
        sheet.text(HEAD_ROWS + 1, column, words, "head right" if column == 1 else "head")
    for row, name in enumerate(IN_THE_WORKBOOK, HEAD_ROWS + 2):
        _write_figure(sheet, row, name)
    sheet.text(gap, 0, "Most that another plan could be worth above this one")
    if plan.gap_musd < LEAST_TOLD_MUSD:
        sheet.text(gap, 1, margin_musd(plan.gap_musd), "note")
    else:
        sheet.number(gap, 1, Key("record", "gap_musd"), "fine")
    sheet.text(gap, 2, "$M", "note")
    sheet.text(gap, 3, plan.status_words, "note")
    _write_sites(sheet, _write_sales(sheet, gap + 2))
    sheet.widths(42, *[14] * 6, 3, last=7)
    sheet.at.fit_to_pages(1, 1)
    sheet.at.freeze_panes(HEAD_ROWS, 0)
    return sheet


def _write_figure(sheet: Sheet, row: int, name: str) -> None:
    """A figure of the room with its unit and its quarter; a number is a named cell."""
    plan, room, known = sheet.desk.plan, figures_of(sheet.desk.plan), FIGURES[name]
    found = room[name]
    sheet.text(row, 0, known.words)
    if isinstance(found, float | int):
        sheet.number(row, 1, kpi(name), LOOKS[known.unit])
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


def _write_sites(sheet: Sheet, row: int) -> None:
    """For each site what mines, until when, and what is converted."""
    plan, quarters = sheet.desk.plan, sheet.desk.quarters
    sheet.text(row, 0, "Decision by site", "section")
    heads = ["Site", "Mines at first, gross MW", "Mines to", "Converted, gross MW", "Converted, IT MW", "First service",
             "Contracted, IT MW"]  # fmt: skip
    head = row + 1
    for column, words in enumerate(heads):
        sheet.text(head, column, words, "head" if column in (0, 2, 5) else "head right")
    sheet.at.set_row(head, HEAD_HEIGHT)
    mined = plan.allocation[(plan.allocation["use"] == MINING) & (plan.allocation["gross_mw"] > 0)]
    for number, site in enumerate(plan.case.sites, head + 1):
        name = site.site
        sheet.text(number, 0, name)
        sheet.text(number, 2, _edge(mined, name, "quarter", "max"), "text")
        sheet.text(number, 5, _edge(plan.starts, name, "service_quarter", "min"))
        for column, key in _site_keys(name, quarters[0]).items():
            sheet.number(number, column, key, "mw")
    last = head + len(plan.case.sites)
    sums = _site_keys("", quarters[0])
    sheet.fill(last + 1, "Total", [column for column in range(1, len(heads)) if column not in sums])
    for column, key in sums.items():
        sheet.formula(last + 1, column, f"=SUM({span(column, head + 1, last)})", key, "mw total")
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


def _edge(table: pd.DataFrame, site: str, column: str, which: str) -> str:
    """The first or the last quarter of a site."""
    quarters = table[table["site"] == site][column]
    return str(getattr(quarters, which)()) if len(quarters) else "never"


def add_summary_charts(sheet: Sheet) -> None:
    """The three charts of a board page, from the sheets that hold their numbers."""
    sheets = sheet.desk.sheets
    add_megawatts_chart(sheet, sheets["MW"], HEAD_ROWS, 8)
    add_liquidity_chart(sheet, sheets["liquidity"], HEAD_ROWS + CHART_ROWS, 8)
    add_capex_chart(sheet, sheets["capex"], HEAD_ROWS + 2 * CHART_ROWS, 8)


# ---- megawatts ------------------------------------------------------------------------------------------------------


def write_megawatts(desk: Workbook) -> None:
    """Gross MW by use, all sites together as sums over the rows by site below; then IT MW of AI capacity."""
    sheet = desk.add("MW", "Gross MW by use: what each site's power goes to")
    plan, quarters, uses = desk.plan, desk.quarters, uses_in_order(desk)
    head = HEAD_ROWS + 1
    there = set(plan.allocation[["site", "use"]].itertuples(index=False, name=None))
    by_site = [(site.site, use) for site in plan.case.sites for use in uses if (site.site, use) in there]
    below = head + len(uses) + 6
    first, last = below + 1, below + len(by_site)
    sheet.text(HEAD_ROWS, 0, "All sites", "section")
    sheet.heads(head, 0, ["Use", "", *quarters], 2)
    total = head + 1 + len(uses)
    sheet.fill(total, "Grid limit of all sites", [1])
    for row, use in enumerate(uses, head + 1):
        told = uses_of(plan)[use]
        sheet.text(row, 0, told.words if told.named else told.words.capitalize())
        sheet.text(row, 1, use, "note")
    for column, quarter in enumerate(quarters, 2):
        cells = f"{letters(column)}${first + 1}:{letters(column)}${last + 1}"
        for row, use in enumerate(uses, head + 1):
            formula = f"=SUMIF($B${first + 1}:$B${last + 1},$B{row + 1},{cells})"
            sheet.formula(row, column, formula, at("allocation", "gross_mw", use=use, quarter=quarter), "mw")
        key = at("allocation", "gross_mw", quarter=quarter)
        sheet.formula(total, column, f"=SUM({span(column, head + 1, total - 1)})", key, "mw total")
        desk.tie(f"Gross MW of {quarter}", sheet.cell(total, column), key)
    desk.places["MW"] = head
    sheet.text(below - 1, 0, "By site", "section")
    write_grid(
        sheet, below, by_site, ["Site", "Use"], quarters,
        lambda label, quarter: at("allocation", "gross_mw", site=label[0], use=label[1], quarter=quarter), "mw",
    )  # fmt: skip
    sheet.at.autofilter(below, 0, last, 1 + len(quarters))
    _write_capacity(sheet, _write_unused(sheet, last + 3))
    sheet.widths(30, 16, 7.5, last=1 + len(quarters))
    sheet.wide(2)


def uses_in_order(desk: Workbook) -> list[str]:
    """Uses of power in the order of reading."""
    there = set(desk.plan.allocation["use"])
    return [use for use in uses_of(desk.plan) if use in there]


def _write_unused(sheet: Sheet, row: int) -> int:
    """What stands unused at each site and why, as the reasons change; the row below."""
    reasons = reasons_of(sheet.desk.plan)
    if not reasons:
        return row
    sheet.text(row, 0, "Unused up to the grid limit, and why", "section")
    sheet.heads(row + 1, 0, ["Site", "Quarters", "MW", "Why"], 2)
    for number, reason in enumerate(reasons, row + 2):
        sheet.text(number, 0, reason.site)
        sheet.text(number, 1, f"{reason.first} to {reason.last}")
        sheet.number(number, 2, at("allocation", "gross_mw", use=UNUSED, site=reason.site, quarter=reason.last), "mw")
        sheet.text(number, 3, reason.words)
    return row + len(reasons) + 4


def _write_capacity(sheet: Sheet, row: int) -> None:
    """IT MW in service, usable, contracted, sold at market and vacant, by site and product."""
    capacity, quarters = sheet.desk.plan.capacity, sheet.desk.quarters
    sheet.text(row, 0, "AI capacity, IT MW", "section")
    if capacity.empty:
        sheet.text(row + 1, 0, "No AI capacity comes into service in this plan.")
        return
    places = list(dict.fromkeys(capacity[["site", "product"]].itertuples(index=False, name=None)))
    number = row + 1
    sheet.heads(number, 0, ["Site and product", "", *quarters], 2)
    for part in ("in_service", "contracted", "market", "vacant"):
        name, words = f"{part}_it_mw", "sold at market" if part == "market" else part.replace("_", " ")
        first = number + 1
        for number, (site, product) in enumerate(places, first):
            sheet.text(number, 0, f"{site}, {product}")
            sheet.text(number, 1, words)
            for column, quarter in enumerate(quarters, 2):
                sheet.number(number, column, at("capacity", name, site=site, product=product, quarter=quarter), "mw")
        number = first + len(places)
        sheet.fill(number, f"All, {words}", [1])
        for column, quarter in enumerate(quarters, 2):
            total = f"=SUM({span(column, first, number - 1)})"
            sheet.formula(number, column, total, at("capacity", name, quarter=quarter), "mw total")


def add_megawatts_chart(where: Sheet, megawatts: Sheet, row: int, column: int) -> None:
    """Gross MW by use, stacked to what the grid gives."""
    desk = megawatts.desk
    plan, head, wide = desk.plan, desk.places["MW"], (2, 1 + len(desk.quarters))
    uses = uses_in_order(desk)
    reach_limit(plan.case.horizon, {use: plan.megawatts.loc[use].tolist() for use in uses}, limits_of(plan))
    series = [
        Series(megawatts, (number, number), wide, number, 0, colour_of(uses_of(plan)[use]), hatched=use == UNUSED)
        for number, use in enumerate(uses, head + 1)
    ]
    total = head + 1 + len(uses)
    limit = Series(megawatts, (total, total), wide, total, 0, INK)
    add_chart(where, row, column, "Gross MW by use", series, [limit], (megawatts, (head, head), wide), stacked=True)


def colour_of(use: Use) -> str:
    """The colour of a use; of each kind the first colours are used again where there are more."""
    kind = use.look.split()[0]
    looks = [colour for look, colour in USES.items() if look.split()[0] == kind]
    return looks[use.number % len(looks)]


# ---- contracts, sales, the fleet ------------------------------------------------------------------------------------


def write_contracts(desk: Workbook) -> None:
    """Signed offers with size, price and value; below them the refused ones and the construction starts."""
    sheet = desk.add("contracts", "Contracts: signed and refused offers, and the halls that serve them")
    signed = signed_table(desk.plan)
    row = section(sheet, HEAD_ROWS, signed, "No offer is signed.")
    row = section(sheet, row, refused_table(desk.plan), "No offer is refused.")
    section(sheet, row, starts_table(desk.plan), "Nothing is built.")
    sheet.widths(30, 24, 15, last=14)
    basis = list(signed.frame.columns).index("price_basis")
    sheet.at.set_column(basis, basis, 22)
    sheet.at.freeze_panes(HEAD_ROWS, 1)


def write_sold(desk: Workbook) -> None:
    """BTC and machines sold by quarter, contracts that are late, and what contracts are billed in their first year."""
    shown = sold_tables(desk.plan)
    if shown:
        sheet, row = desk.add("sold and billed", "What is sold, what is late, and first years' rents"), HEAD_ROWS
        for one in shown:
            row = section(sheet, row, one, "")
        sheet.widths(26, 18, last=6)
        sheet.at.freeze_panes(HEAD_ROWS, 0)


def write_fleet(desk: Workbook) -> None:
    """Mining by quarter with its cost per BTC; machines moved, bought and sold; BTC held."""
    sheet = desk.add("fleet", "The mining fleet, what it mines and what a BTC costs")
    plan, row = desk.plan, HEAD_ROWS
    sheet.widths(24, 13, last=12)
    parts = (
        ("Mining by quarter", "mining", ("quarter",), ("btc_mined", "mining_cash_cost_musd"),
         ("direct_cash_cost_usd_per_btc", "total_cash_cost_usd_per_btc")),
        ("Machines bought, moved, sold and retired", "machines", ("quarter", "site", "asic"),
         ("bought_gross_mw", "moved_away_gross_mw", "sold_gross_mw", "retired_gross_mw"), ()),
        ("BTC held by the treasury", "btc", ("quarter",), ("mined_btc", "sold_btc"), ()),
        ("Machines on a site's own plant", "own_plants", ("quarter", "site", "asic"), (), ()),
    )  # fmt: skip
    for title, name, keys, totals, missing in parts:
        table = plan.tables[name].drop(columns="scenario")
        if table.empty:
            continue
        numeric = tuple(column for column in table.columns if column not in keys)
        sheet.text(row, 0, title, "section")
        data = Data(title, name, table, keys, numeric, totals=dict.fromkeys(totals, ""), missing=missing)
        written = write_table(sheet, row + 1, data)
        for column in totals:
            desk.tie(f"{title}: {column}", sheet.cell(written.last, written.columns[column]), Key(name, column))
        row = written.below + 1
    if row == HEAD_ROWS:
        sheet.text(row, 0, "No machines in this plan.")
    sheet.at.freeze_panes(HEAD_ROWS, 1)
