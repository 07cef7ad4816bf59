"""The sheets of megawatts: uses of power by quarter and site, AI capacity, the mining fleet."""

from __future__ import annotations

from optimizer.plan.power_uses import UNUSED, Use, limits_of, reach_limit, uses_of
from optimizer.plan.unused import reasons_of
from optimizer.telling.board.keys import Key, at
from optimizer.telling.board.workbook.book import COLOURS, HEAD_ROWS, INK, Sheet, Workbook
from optimizer.telling.board.workbook.charts import Series, add_chart
from optimizer.telling.board.workbook.tables import letters, span, write_frame, write_grid

LOOKS = {
    "mining": COLOURS[0], "idle": COLOURS[1], "building": COLOURS[2], "unused": COLOURS[8],
    **{f"product {n}": COLOURS[3 + n] for n in range(5)}, "other 0": "#C2378F", "other 1": "#33475B",
}  # fmt: skip
"""The colour of each look of a use; products and other uses take theirs in turn."""


def write_megawatts(desk: Workbook) -> None:
    """Gross MW by use, all sites together as sums over the rows by site below; then IT MW of AI capacity."""
    sheet = desk.add("MW", "Gross MW by use: what each site's power goes to")
    plan, ledger = desk.plan, desk.ledger
    quarters = list(plan.cash["quarter"])
    uses = uses_in_order(desk)
    head, left = HEAD_ROWS + 1, 2
    right = left + len(quarters) - 1
    by_site = _site_rows(desk, uses)
    below = head + len(uses) + 6
    first, last = below + 1, below + len(by_site)
    sheet.text(HEAD_ROWS, 0, "All sites", "section")
    sheet.heads(head, 0, ["Use", "", *quarters], left)
    for row, use in enumerate(uses, head + 1):
        told = uses_of(plan)[use]
        sheet.text(row, 0, told.words if told.named else told.words.capitalize())
        sheet.text(row, 1, use, "note")
        for column, quarter in enumerate(quarters, left):
            key = at("allocation", "gross_mw", use=use, quarter=quarter)
            letter = letters(column)
            formula = f"=SUMIF($B${first + 1}:$B${last + 1},$B{row + 1},{letter}${first + 1}:{letter}${last + 1})"
            sheet.formula(row, column, formula, ledger.worth(key), key, "mw")
    total = head + 1 + len(uses)
    sheet.text(total, 0, "Grid limit of all sites", "strong")
    sheet.text(total, 1, "", "strong")
    for column, quarter in enumerate(quarters, left):
        key = at("allocation", "gross_mw", quarter=quarter)
        sheet.formula(total, column, f"=SUM({span(column, head + 1, total - 1)})", ledger.worth(key), key, "mw total")
        desk.tie(f"Gross MW of {quarter}", sheet.cell(total, column), key)
    desk.places["MW"] = head
    sheet.text(below - 1, 0, "By site", "section")
    held: dict[tuple[tuple[str, ...], str], float] = {}
    for row_ in plan.allocation.itertuples():
        place = ((str(row_.site), str(row_.use)), str(row_.quarter))
        held[place] = held.get(place, 0.0) + float(row_.gross_mw)
    write_grid(
        sheet, below, by_site, ["Site", "Use"], quarters, held,
        lambda label, quarter: at("allocation", "gross_mw", site=label[0], use=label[1], quarter=quarter), "mw",
    )  # fmt: skip
    sheet.at.autofilter(below, 0, last, right)
    below = _write_unused(sheet, last + 3)
    _write_capacity(sheet, below, quarters)
    sheet.at.set_column(0, 0, 30)
    sheet.at.set_column(1, 1, 16)
    sheet.at.set_column(left, right, 7.5)
    sheet.at.freeze_panes(HEAD_ROWS, left)
    sheet.at.repeat_columns(0, 1)
    sheet.at.fit_to_pages(max(1, round(len(quarters) / 16)), 0)


def uses_in_order(desk: Workbook) -> list[str]:
    """Uses of power in the order of reading."""
    there = set(desk.plan.allocation["use"])
    return [use for use in uses_of(desk.plan) if use in there]


def _site_rows(desk: Workbook, uses: list[str]) -> list[tuple[str, ...]]:
    there = set(desk.plan.allocation[["site", "use"]].itertuples(index=False, name=None))
    return [(site.site, use) for site in desk.plan.case.sites for use in uses if (site.site, use) in there]


def _write_unused(sheet: Sheet, row: int) -> int:
    """What stands unused at each site and why, as the reasons change; the row below."""
    desk = sheet.desk
    reasons = reasons_of(desk.plan)
    if not reasons:
        return row
    sheet.text(row, 0, "Unused up to the grid limit, and why", "section")
    sheet.heads(row + 1, 0, ["Site", "Quarters", "MW", "Why"], 2)
    for number, reason in enumerate(reasons, row + 2):
        sheet.text(number, 0, reason.site)
        sheet.text(number, 1, f"{reason.first} to {reason.last}")
        key = at("allocation", "gross_mw", use=UNUSED, site=reason.site, quarter=reason.last)
        sheet.number(number, 2, desk.ledger.worth(key), key, "mw")
        sheet.text(number, 3, reason.words)
    return row + len(reasons) + 4


def _write_capacity(sheet: Sheet, row: int, quarters: list[str]) -> None:
    """IT MW in service, usable, contracted, sold at market and vacant, by site and product."""
    capacity = sheet.desk.plan.capacity
    sheet.text(row, 0, "AI capacity, IT MW", "section")
    if capacity.empty:
        sheet.text(row + 1, 0, "No AI capacity comes into service in this plan.")
        return
    measures = {"in_service_it_mw": "in service", "contracted_it_mw": "contracted", "market_it_mw": "sold at market",
                "vacant_it_mw": "vacant"}  # fmt: skip
    head = row + 1
    sheet.heads(head, 0, ["Site and product", "", *quarters], 2)
    number = head + 1
    for name, words in measures.items():
        first = number
        for site, product in dict.fromkeys(capacity[["site", "product"]].itertuples(index=False, name=None)):
            sheet.text(number, 0, f"{site}, {product}")
            sheet.text(number, 1, words)
            for column, quarter in enumerate(quarters, 2):
                key = at("capacity", name, site=site, product=product, quarter=quarter)
                sheet.number(number, column, sheet.desk.ledger.worth(key), key, "mw")
            number += 1
        sheet.text(number, 0, f"All, {words}", "strong")
        sheet.text(number, 1, "", "strong")
        for column, quarter in enumerate(quarters, 2):
            key = at("capacity", name, quarter=quarter)
            cells = span(column, first, number - 1)
            sheet.formula(number, column, f"=SUM({cells})", sheet.desk.ledger.worth(key), key, "mw total")
        number += 1


def add_megawatts_chart(where: Sheet, megawatts: Sheet, row: int, column: int) -> None:
    """Gross MW by use, stacked to what the grid gives."""
    desk = megawatts.desk
    plan, head, across = desk.plan, desk.places["MW"], (2, 1 + len(desk.plan.cash))
    uses = uses_in_order(desk)
    table = plan.megawatts
    reach_limit(plan.case.horizon, {use: table.loc[use].tolist() for use in uses}, limits_of(plan))
    series = [
        Series(megawatts, (number, number), across, number, 0, colour_of(uses_of(plan)[use]), hatched=use == UNUSED)
        for number, use in enumerate(uses, head + 1)
    ]
    total = head + 1 + len(uses)
    limit = Series(megawatts, (total, total), across, total, 0, INK)
    add_chart(where, row, column, "Gross MW by use", series, [limit], (megawatts, (head, head), across), stacked=True)


def colour_of(use: Use) -> str:
    """The colour of a use; of each kind the first colours are used again where there are more."""
    kind = use.look.split()[0]
    looks = [colour for look, colour in LOOKS.items() if look.split()[0] == kind]
    return looks[use.number % len(looks)]


def write_fleet(desk: Workbook) -> None:
    """Mining by quarter with its cost per BTC; machines moved, bought and sold; BTC held."""
    sheet = desk.add("fleet", "The mining fleet, what it mines and what a BTC costs")
    plan, row = desk.plan, HEAD_ROWS
    sheet.at.set_column(0, 0, 24)
    sheet.at.set_column(1, 12, 13)
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
        numeric = [column for column in table.columns if column not in keys]
        sheet.text(row, 0, title, "section")
        written = write_frame(
            sheet, row + 1, table, name, keys, columns=list(table.columns), numeric=numeric, totals=totals,
            missing=missing,
        )  # fmt: skip
        for column in totals:
            desk.tie(f"{title}: {column}", sheet.cell(written.last, written.columns[column]), Key(name, column))
        row = written.below + 1
    if row == HEAD_ROWS:
        sheet.text(row, 0, "No machines in this plan.")
    sheet.at.freeze_panes(HEAD_ROWS, 1)
