"""The tables of a plan: what each holds, its columns, and what tells its rows apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMERIC = re.compile(r".*(_mw|musd|blocks|tranche|factor|_btc|btc_mined|price|dscr|llcr|plcr)$")
"""Columns of plan tables that hold numbers; all others hold text."""


@dataclass(frozen=True)
class Table:
    """One table of a plan. No two rows share what stands in the columns of `key`; without a key rows may repeat."""

    about: str
    columns: str
    key: str = ""


TABLES: dict[str, Table] = {
    "allocation": Table(
        "gross MW of each site by use and quarter; the uses of a site add up to its grid limit",
        "scenario site quarter use detail gross_mw",
        "site quarter use detail",
    ),
    "capacity": Table(
        "IT MW of each site and product by quarter: in service, usable, contracted, sold at market, vacant",
        "scenario site product quarter in_service_it_mw usable_it_mw contracted_it_mw market_it_mw vacant_it_mw",
        "site product quarter",
    ),
    "starts": Table(
        "construction starts, with hand-over, first quarter of service and total capex",
        "scenario option site product start_quarter blocks gross_mw it_mw handover_quarter "
        "service_quarter facility_capex_musd gpu_capex_musd decided",
        "option start_quarter decided",
    ),
    "contracts": Table(
        "signed offers, with the last quarter to accept them, delivery, end, size and what they are worth",
        "scenario offer customer product site sign_by_quarter delivery_quarter end_quarter it_mw price price_basis "
        "value_musd decided",
        "offer",
    ),
    "capex": Table(
        "capex spent by source (option or class of machines), line and quarter, whatever tenants advance of it",
        "scenario quarter site source product line musd",
    ),
    "capex_to_date": Table(
        "capex of each quarter and since the first, and what tenants advance of it",
        "scenario quarter capex_musd advanced_musd to_date_musd",
        "quarter",
    ),
    "sources_and_uses": Table(
        "where each quarter's money came from and went; `cash` is the change of closing cash",
        "scenario quarter side item musd",
        "quarter side item",
    ),
    "cash_flow": Table(
        "every cash line by quarter, business line, site and source; received positive, paid negative",
        "scenario quarter line business site source musd",
        "quarter line business site source",
    ),
    "cash": Table(
        "opening cash, net flow, closing cash, liquidity (with the BTC that count) and its minimum, by quarter",
        "scenario quarter opening_musd net_musd closing_musd liquidity_musd minimum_musd",
        "quarter",
    ),
    "value": Table(
        "present value by line and business line, within and after the horizon",
        "scenario line business within_musd after_musd",
        "line business",
    ),
    "value_only": Table(
        "flows of the horizon that are value and no cash (interest above its normal cost), with discount factors",
        "scenario quarter line business site source musd factor",
    ),
    "after_horizon": Table(
        "flows after the horizon: contracts and debt running to their own end, and residuals, with discount factors",
        "scenario quarter line business site source musd factor",
    ),
    "mining": Table(
        "machines installed, running, on own plants; BTC mined, direct (power) and total cash cost of one",
        "scenario quarter installed_gross_mw running_gross_mw on_own_plant_gross_mw btc_mined "
        "mining_cash_cost_musd direct_cash_cost_usd_per_btc total_cash_cost_usd_per_btc",
        "quarter",
    ),
    "machines": Table(
        "machines bought, arrived, moved away, sold and retired, by site, class and quarter",
        "scenario quarter site asic bought_gross_mw arrived_gross_mw moved_away_gross_mw sold_gross_mw "
        "retired_gross_mw",
        "quarter site asic",
    ),
    "btc": Table(
        "BTC held by the treasury: opening, mined, sold, closing, by quarter",
        "scenario quarter opening_btc mined_btc sold_btc closing_btc market_value_musd",
        "quarter",
    ),
    "debt": Table(
        "roll-forward of each facility: opening + draws - repayments = closing; interest and fees paid",
        "scenario facility quarter opening_musd draws_musd repayments_musd closing_musd interest_musd fees_musd",
        "facility quarter",
    ),
    "coverage": Table(
        "how far the halls that secure a facility pay for it: their AI margin, the debt service that its cover counts, "
        "what its lender asks for, and cover of the quarter (dscr), to maturity (llcr), to the last contract (plcr)",
        "scenario facility quarter margin_musd service_musd required_musd headroom_musd dscr llcr plcr",
        "facility quarter",
    ),
    "late": Table(
        "IT MW of contracts that are delivered late, by tranche (the first is 0) and quarter",
        "scenario offer tranche site quarter missing_it_mw",
        "offer tranche quarter",
    ),
    "refreshes": Table(
        "GPUs replaced in halls that go on serving",
        "scenario option site start_quarter refresh_quarter blocks it_mw",
        "option start_quarter refresh_quarter",
    ),
    "own_plants": Table(
        "gross MW of machines that run on a site's own plant, by class and quarter",
        "scenario quarter site asic on_own_plant_gross_mw",
        "quarter site asic",
    ),
}
"""Every table, each read out by one use or one part of the company. Capex and flows after the horizon may repeat."""
