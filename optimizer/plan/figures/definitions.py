"""Every figure that reports tell: its key, the words it goes by everywhere, its unit, and what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.plan.figures.room import Room

DECIMALS = 6
"""Differences are kept to a dollar: what is smaller is the solver's noise."""
Of = Callable[["Room"], Any]


@dataclass(frozen=True)
class Definition:
    """One figure. `when` is the figure that says its quarter; `dated` figures are present values, at a date."""

    key: str
    words: str
    unit: str
    meaning: str
    of: Of
    when: str = ""
    dated: bool = False

    @property
    def label(self) -> str:
        """The words, with the unit where neither they nor the figure's numbers say it."""
        said = self.unit in ("$M", "a year", "share", "quarter", "name") or self.unit in self.words
        return self.words if said else f"{self.words}, {self.unit}"


def _kpi(key: str, words: str, unit: str, meaning: str, when: str = "", dated: bool = False) -> Definition:
    """A figure that the plan's folder holds and its audit reckons again."""
    return Definition(key, words, unit, meaning, lambda room: room.plan.kpis.get(key), when, dated)


def _difference(first: str, *others: str) -> Of:
    def of(room: Room) -> float | None:
        if not all(room.has(key) for key in (first, *others)):
            return None
        return round(room.number(first) - sum(room.number(key) for key in others), DECIMALS) + 0.0

    return of


def _total(table: str, column: str, **where: str) -> Of:
    def of(room: Room) -> float:
        frame = room.tables[table] if table in room.tables else room.plan.tables[table]
        for name, wanted in where.items():
            frame = frame[frame[name] == wanted]
        return float(frame[column].sum()) + 0.0

    return of


def _largest(column: str) -> Of:
    def of(room: Room) -> Any:
        row = room.largest_customer
        return None if row is None else row[column]

    return of


_ALL = (
    # ---- value
    _kpi("value_over_do_nothing_musd", "Value over doing nothing", "$M",
         "Value of the plan less that of doing nothing, which keeps the commitments: what the new decisions are worth.",
         dated=True),
    Definition("within_over_do_nothing_musd", "of it within the horizon", "$M",
               "Value over doing nothing of flows within the horizon.",
               _difference("value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd"), dated=True),
    Definition("options_within_over_do_nothing_musd", "of that in tenants' options used within it", "$M",
               "Value over doing nothing, within the horizon, of quarters that only tenants' options to extend add.",
               lambda room: room.options_musd.get("cash_flow"), dated=True),
    _kpi("terminal_value_over_do_nothing_musd", "of it after the horizon", "$M",
         "Value over doing nothing of flows after the horizon: contracts to their own end, and residual values.",
         dated=True),
    _kpi("terminal_share", "Part of it after the horizon", "share", "What comes after the horizon, of that value."),
    Definition("options_over_do_nothing_musd", "of that in tenants' options", "$M",
               "Value over doing nothing, after the horizon, of quarters that only tenants' options to extend add.",
               lambda room: room.options_musd.get("after_horizon"), dated=True),
    _kpi("value_musd", "Value of the plan", "$M",
         "Present value of what megawatts, people and taxes bring and cost, and of what money costs beyond a fair "
         "price, at the start of the first quarter.", dated=True),
    _kpi("value_after_horizon_musd", "Value of the plan, of it after the horizon", "$M",
         "Present value of the plan's flows after the horizon; nothing is taken off for doing nothing.", dated=True),
    _kpi("do_nothing_value_musd", "Value of doing nothing", "$M",
         "Value of the plan that decides nothing new and keeps the commitments.", dated=True),
    _kpi("value_after_firm_terms_musd", "Value of the plan, of it after firm terms", "$M",
         "Present value of what contracts earn in quarters that only their tenants' options to extend add.",
         dated=True),
    _kpi("mining_on_value_musd", "Value of mining on", "$M",
         "Value of the best plan that converts and signs nothing new and keeps every rule, the minimum of liquidity "
         "included.", dated=True),
    _kpi("value_over_mining_on_musd", "Value over mining on", "$M", "Value of the plan less that of mining on.",
         dated=True),
    _kpi("mining_on_breaks_quarter", "Mining on breaks in", "quarter",
         "Where no plan without new halls keeps every rule for lack of money: the first quarter that falls short."),
    _kpi("mining_on_short_musd", "Mining on lacks", "$M",
         "The least cash more at the start with which a plan without new halls keeps every rule.",
         when="mining_on_breaks_quarter"),
    # ---- capex
    _kpi("capex_musd", "Capex", "$M",
         "Capex within the horizon, committed before or new, whatever tenants advance of it.",
         when="peak_capex_quarter"),
    Definition("capex_new_musd", "New capex", "$M",
               "Capex within the horizon that this plan decides: all of it less what was committed before.",
               _difference("capex_musd", "capex_committed_musd")),
    Definition("capex_committed_musd", "Committed capex", "$M",
               "Capex within the horizon of starts decided before.",
               lambda room: room.committed_capex_musd),
    _kpi("tenant_advances_musd", "Advanced by tenants", "$M",
         "What tenants advance towards capex within the horizon: money lent to the company."),
    _kpi("advances_paid_back_musd", "Paid back to tenants", "$M",
         "Rent that is credited to tenants for what they advanced, to the end of their contracts."),
    _kpi("capex_budget_musd", "Capex budget", "$M", "The most capex that the horizon may have, new and committed."),
    Definition("capex_left_musd", "Left of the capex budget", "$M", "Capex budget less capex, new and committed.",
               _difference("capex_budget_musd", "capex_musd")),
    _kpi("peak_capex_musd", "Most capex in a quarter", "$M", "The most capex of one quarter, new and committed.",
         when="peak_capex_quarter"),
    _kpi("peak_capex_quarter", "Quarter of most capex", "quarter", "The first quarter that ties with the most capex."),
    # ---- liquidity and debt
    _kpi("lowest_liquidity_musd", "Lowest liquidity", "$M",
         "The lowest liquidity at the end of a quarter: cash, and BTC held so far as they count.",
         when="lowest_liquidity_quarter"),
    _kpi("lowest_liquidity_quarter", "Quarter of lowest liquidity", "quarter",
         "The first quarter whose end ties with the lowest liquidity, to a thousand dollars."),
    Definition("headroom_musd", "Lowest liquidity above the minimum", "$M", "Lowest liquidity less the minimum.",
               _difference("lowest_liquidity_musd", "minimum_cash_musd"), when="lowest_liquidity_quarter"),
    _kpi("minimum_cash_musd", "Minimum liquidity", "$M", "Liquidity that the company keeps at every quarter's end."),
    _kpi("lowest_cash_musd", "Lowest cash", "$M", "The lowest cash at the end of a quarter, without BTC.",
         when="lowest_cash_quarter"),
    _kpi("lowest_cash_quarter", "Quarter of lowest cash", "quarter",
         "The first quarter whose end ties with the lowest cash, to a thousand dollars."),
    _kpi("do_nothing_lowest_cash_musd", "Lowest cash when doing nothing", "$M",
         "The lowest cash at the end of a quarter if nothing is decided.", when="do_nothing_lowest_cash_quarter"),
    _kpi("do_nothing_lowest_cash_quarter", "Quarter of lowest cash when doing nothing", "quarter",
         "The first quarter whose end ties with the lowest cash of doing nothing."),
    _kpi("highest_debt_musd", "Most debt", "$M", "The most owed on all facilities together at the end of a quarter."),
    _kpi("debt_at_end_musd", "Debt at the end", "$M", "What is owed at the end of the horizon."),
    Definition("debt_drawn_musd", "Debt drawn", "$M", "What is drawn on all facilities within the horizon.",
               _total("debt", "draws_musd")),
    _kpi("interest_and_fees_musd", "Interest and fees", "$M", "Interest, coupons and fees paid within the horizon."),
    # ---- return
    _kpi("unlevered_return", "Return of the programme", "a year",
         "The yearly rate at which what the plan's business adds to doing nothing is worth nothing, however it is paid "
         "for.", when="unlevered_payback_quarter"),
    _kpi("unlevered_payback_quarter", "Paid back in", "quarter",
         "The quarter from which on what its business has added to doing nothing, undiscounted, stays positive."),
    _kpi("levered_return", "Return to shareholders", "a year",
         "The same after lenders' and customers' money: draws, repayments, interest, fees, advances and credits.",
         when="levered_payback_quarter"),
    _kpi("levered_payback_quarter", "Paid back to shareholders in", "quarter",
         "The quarter from which on what is left for shareholders, undiscounted, stays positive."),
    # ---- lenders
    _kpi("lowest_dscr", "Lowest cover of debt service", "times",
         "The least AI margin over debt service of any facility and quarter in which its lender tests it: its own "
         "service and that of all loans that rank equal or before it on the same halls.", when="lowest_dscr_quarter"),
    _kpi("lowest_dscr_facility", "Facility of lowest cover", "name", "The facility that has it."),
    _kpi("lowest_dscr_quarter", "Quarter of lowest cover", "quarter", "The first quarter that has it."),
    _kpi("lowest_headroom_musd", "Least room above a lender's cover", "$M",
         "The least AI margin above what a lender's test of cover asks, of any facility and quarter.",
         when="lowest_headroom_quarter"),
    _kpi("lowest_headroom_facility", "Facility of least room", "name", "The facility that has it."),
    _kpi("lowest_headroom_quarter", "Quarter of least room", "quarter", "The first quarter that has it."),
    # ---- megawatts
    Definition("new_gross_mw", "New starts", "gross MW", "Gross MW of halls whose start this plan decides.",
               _total("starts", "gross_mw", decided="new")),
    Definition("new_it_mw", "New starts, in IT MW", "IT MW", "IT MW of halls whose start this plan decides.",
               _total("starts", "it_mw", decided="new")),
    Definition("committed_gross_mw", "Starts committed before", "gross MW", "Gross MW of halls committed before.",
               _total("starts", "gross_mw", decided="committed")),
    _kpi("converted_gross_mw", "Becomes AI capacity", "gross MW",
         "Gross MW of all halls that are started, committed before or new."),
    _kpi("converted_it_mw", "Becomes AI capacity, in IT MW", "IT MW",
         "IT MW of all halls that are started, committed before or new."),
    _kpi("contracted_it_mw", "Under contract", "IT MW",
         "IT MW of all contracts, committed before or new."),
    # ---- contracts
    Definition("first_year_rent_musd", "Rent of contracts' first years", "$M",
               "What contracts are billed in their first four quarters, each from its own delivery, added up.",
               _total("rents", "first_year_rent_musd")),
    Definition("largest_customer", "Largest customer", "name",
               "The customer with the largest part of a quarter's rent, market sales included, among those in which a "
               "policy caps that part; without one, in the last quarter of the horizon with rent.",
               _largest("customer"), when="largest_customer_quarter"),
    Definition("largest_customer_share", "Its part of the rent", "share",
               "Rent of the largest customer in that quarter over all rent of it, market sales included.",
               _largest("share"), when="largest_customer_quarter"),
    Definition("largest_customer_quarter", "Quarter of that part", "quarter",
               "The quarter in which that part is largest.",
               _largest("quarter")),
    Definition("largest_customer_rent_musd", "Its rent in that quarter", "$M", "What it is billed in that quarter.",
               _largest("rent_musd"), when="largest_customer_quarter"),
    Definition("all_rent_musd", "All rent in that quarter", "$M",
               "What all contracts and the market pay in that quarter.",
               _largest("all_rent_musd"), when="largest_customer_quarter"),
    Definition("late_contracts", "Contracts delivered late", "contracts",
               "Contracts that the plan delivers after their deadline, in whole or in part.",
               lambda room: float(len(room.tables["late_contracts"]))),
    Definition("damages_musd", "Damages for late delivery", "$M", "Damages paid for it within the horizon.",
               _total("late_contracts", "damages_musd")),
    # ---- mining, and what is sold
    _kpi("btc_mined", "BTC mined", "BTC", "BTC mined within the horizon."),
    _kpi("direct_cash_cost_usd_per_btc", "Power of a BTC", "$",
         "Power of mining, less income for interruptible load, for each BTC."),
    _kpi("cash_cost_usd_per_btc", "Cash cost of a BTC, power and sites", "$", "Power and sites of mining for a BTC."),
    Definition("btc_sold", "BTC sold from the treasury", "BTC",
               "BTC by which the treasury falls, quarter by quarter; BTC sold as they are mined are revenue.",
               _total("btc_sold", "sold_btc")),
    Definition("btc_sold_musd", "Brought by BTC sold from the treasury", "$M",
               "What they bring, at the price of the quarter in which they are sold.", _total("btc_sold", "musd")),
    _kpi("btc_at_end", "BTC held at the end", "BTC", "BTC in the treasury at the end of the horizon."),
    _kpi("machines_sold_gross_mw", "Mining machines sold", "gross MW", "Gross MW of mining machines sold."),
    Definition("machines_sold_musd", "Brought by mining machines sold", "$M",
               "What they bring, at the price of the quarter in which they are sold.", _total("machines_sold", "musd")),
)  # fmt: skip

FIGURES: dict[str, Definition] = {one.key: one for one in _ALL}
