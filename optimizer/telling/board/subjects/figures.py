"""The figures of a plan in the order in which reports tell them: what is added here stands in all of them.

`money_lines` are told by the terminal, a slide and a page; `IN_THE_WORKBOOK`, `COMPARED` and `ON_A_SLIDE` name figures
of the room, under the words that `plan/figures/definitions.py` has for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.ground.amounts import TOLD_MUSD
from optimizer.telling.board.blocks import WHOLE, Slide, Table
from optimizer.telling.board.ledger import listed
from optimizer.telling.board.pack import Pack

Line = tuple[str, str, str]
"""What it is, how much, and what must be known beside it; the last two are marked."""

IN_THE_WORKBOOK = (
    "value_over_do_nothing_musd", "within_over_do_nothing_musd", "options_within_over_do_nothing_musd",
    "terminal_value_over_do_nothing_musd", "options_over_do_nothing_musd", "value_over_mining_on_musd", "value_musd",
    "value_after_firm_terms_musd",
    "do_nothing_value_musd", "mining_on_value_musd", "mining_on_breaks_quarter", "mining_on_short_musd",
    "capex_new_musd", "capex_committed_musd", "capex_musd", "tenant_advances_musd", "advances_paid_back_musd",
    "capex_budget_musd",
    "peak_capex_musd", "lowest_liquidity_musd", "minimum_cash_musd", "headroom_musd", "lowest_cash_musd",
    "do_nothing_lowest_cash_musd", "highest_debt_musd", "debt_at_end_musd", "debt_drawn_musd",
    "interest_and_fees_musd", "lowest_dscr", "lowest_dscr_facility", "lowest_dscr_quarter", "lowest_headroom_musd",
    "lowest_headroom_facility", "lowest_headroom_quarter", "unlevered_return", "unlevered_payback_quarter",
    "levered_return", "levered_payback_quarter", "new_gross_mw", "committed_gross_mw", "converted_gross_mw",
    "converted_it_mw", "contracted_it_mw", "first_year_rent_musd", "largest_customer", "largest_customer_share",
    "btc_mined", "cash_cost_usd_per_btc", "btc_sold", "btc_sold_musd", "machines_sold_gross_mw",
    "machines_sold_musd", "late_contracts", "damages_musd",
)  # fmt: skip
"""On the summary of a workbook, each a named cell."""
COMPARED = (
    "value_musd", "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "do_nothing_value_musd",
    "capex_musd", "capex_committed_musd", "capex_budget_musd", "lowest_liquidity_musd", "lowest_cash_musd",
    "highest_debt_musd", "debt_at_end_musd", "interest_and_fees_musd", "btc_sold_musd", "damages_musd",
    "converted_gross_mw", "converted_it_mw", "contracted_it_mw", "machines_sold_gross_mw", "btc_mined",
    "unlevered_return", "levered_return", "lowest_dscr",
)  # fmt: skip
"""Held side by side by page and workbook."""
ON_A_SLIDE = (
    "value_musd", "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "capex_musd",
    "capex_committed_musd", "capex_budget_musd", "lowest_liquidity_musd", "highest_debt_musd", "btc_sold_musd",
    "converted_gross_mw", "contracted_it_mw", "machines_sold_gross_mw",
)  # fmt: skip
"""Those that a slide has room for."""


def figures_slide(pack: Pack) -> Slide:
    """The figures of the plan, each with what must be known beside it."""
    title = f"The plan in figures: it is worth {pack.money('value_musd')}, with {pack.money('capex_musd')} of capex"
    return Slide("figures", title, ((WHOLE, figures_table(pack)),))


def figures_table(pack: Pack) -> Table:
    heads, caption = ("Figure", "Amount", "Beside it"), "The plan in figures"
    return Table(
        "table:figures", heads, tuple(money_lines(pack)), (0.24, 0.14, 0.62), "lrl", largest=14, caption=caption
    )


def money_lines(pack: Pack) -> list[Line]:
    """Value over the yardsticks, capex, liquidity, debt and its cover, doing nothing, returns, BTC mined."""
    capex = ("Capex", pack.money("capex_musd"), _capex(pack))
    return [*_value(pack), capex, _liquidity(pack), *_debt(pack), *_against_nothing(pack), _btc(pack)]


def _value(pack: Pack) -> list[Line]:
    value, nothing = pack.money("value_musd"), pack.source.kpi("do_nothing_value_musd")
    if nothing is None:
        words = "doing nothing keeps neither commitments nor policies: no comparison"
        return [("Value of the plan", value, words), *_mining_on(pack)]
    over = pack.money("value_over_do_nothing_musd")
    beside, options = f"doing nothing: {pack.ledger.money(nothing)}", pack.source.due("value_after_firm_terms_musd")
    if options.value > TOLD_MUSD:
        beside += f"; {pack.ledger.money(options)} of it after firm terms"
    first = ("Value over doing nothing", over, _after(pack))
    return [first, *_mining_on(pack), ("Value of the plan", value, beside)]


def _mining_on(pack: Pack) -> list[Line]:
    """The third yardstick: the best plan without new halls that keeps every rule, or where none does."""
    over, short = pack.source.kpi("value_over_mining_on_musd"), pack.source.kpi("mining_on_short_musd")
    if over is not None:
        words = "over the best plan without new halls and contracts that keeps every rule"
        return [("Value over mining on", pack.ledger.money(over), words)]
    if short is None:
        return []
    breaks = f"without new halls the minimum of cash breaks in {pack.when('mining_on_breaks_quarter')}"
    return [("Mining on", "no plan", f"{breaks}; {pack.ledger.money(short)} more at the start would mend it")]


def _after(pack: Pack) -> str:
    within, after = (pack.money(f"{part}_over_do_nothing_musd") for part in ("within", "terminal_value"))
    words = f"of which {within} within the horizon and {after} after it"
    share, options = pack.source.kpi("terminal_share"), pack.source.due("options_over_do_nothing_musd")
    if share is not None and pack.source.due("value_over_do_nothing_musd").value > 0:
        words += f" ({pack.ledger.percent(share)})"
    return words if options.value < TOLD_MUSD else f"{words}; {pack.ledger.money(options)} of that in tenants' options"


def _capex(pack: Pack) -> str:
    """New and committed, what tenants pay, the budget and the most in a quarter."""
    words = []
    if pack.source.due("capex_committed_musd").value > TOLD_MUSD:
        words.append(f"new {pack.money('capex_new_musd')}, committed before {pack.money('capex_committed_musd')}")
    if pack.source.due("tenant_advances_musd").value > TOLD_MUSD:
        back = pack.money("advances_paid_back_musd")
        words.append(f"{pack.money('tenant_advances_musd')} of it advanced by tenants, paid back as {back}")
    peak = pack.when("peak_capex_quarter")
    most = f"most in one quarter {pack.money('peak_capex_musd')} ({peak})" if peak else "none of it spent"
    return "; ".join([*words, f"budget {pack.money('capex_budget_musd')}, {most}"])


def _liquidity(pack: Pack) -> Line:
    when = f"at the end of {pack.when('lowest_liquidity_quarter')}; minimum {pack.money('minimum_cash_musd')}"
    cash = f"cash alone {pack.money('lowest_cash_musd')}, {pack.when('lowest_cash_quarter')}"
    return "Lowest liquidity", pack.money("lowest_liquidity_musd"), f"{when}; {cash}"


def _debt(pack: Pack) -> list[Line]:
    if not pack.plan.case.facilities:
        return []
    each = [(name, pack.source.total("debt", "draws_musd", {"facility": name}))
            for name in pack.source.cells("debt", "facility", {})]  # fmt: skip
    drawn = [f"{pack.ledger.money(amount)} of {pack.ledger.word(pack.source.word('inputs/facilities', name))}"
             for name, amount in each if amount.value > TOLD_MUSD]  # fmt: skip
    end = f"{pack.money('debt_at_end_musd')} at the end; interest and fees {pack.money('interest_and_fees_musd')}"
    return [
        ("Most debt", pack.money("highest_debt_musd"), end),
        ("Drawn", pack.money("debt_drawn_musd"), ", ".join(drawn) or "nothing new"),
        *_cover(pack),
    ]


def _cover(pack: Pack) -> list[Line]:
    """The least cover of debt service that a lender will test, and the least room above what one asks."""
    least, room = pack.source.kpi("lowest_dscr"), pack.source.kpi("lowest_headroom_musd")
    if least is None or room is None:
        return []
    cover, margin = (
        f"{pack.when(f'{name}_facility')}, {pack.when(f'{name}_quarter')}"
        for name in ("lowest_dscr", "lowest_headroom")
    )
    words = f"of debt service, {cover}; least room above what is asked {pack.ledger.money(room)}, {margin}"
    return [("Lowest cover", f"{pack.ledger.number(least, 2)}x", words)]


def _against_nothing(pack: Pack) -> list[Line]:
    nothing = pack.source.kpi("do_nothing_lowest_cash_musd")
    if nothing is None:
        return []
    short = [row for row in pack.source.rows("cash", nothing=True) if row["closing_musd"] < row["minimum_musd"]]
    below = f"; below the minimum from {pack.ledger.word(short[0].word('quarter'))}" if short else ""
    when = f"at the end of {pack.when('do_nothing_lowest_cash_quarter')}{below}"
    return [("Doing nothing: lowest cash", pack.ledger.money(nothing), when), *_returns(pack)]


def _returns(pack: Pack) -> list[Line]:
    """The business's return, and the shareholders'."""
    plan = pack.plan
    if pack.source.kpi("unlevered_return") is None and not len(plan.starts):
        return [("Return of the programme", plan.missing("unlevered_return"), "the plan has no such programme")]
    of_all, of_owners = "a year, over doing nothing", "a year, after lenders' and customers' money"
    return [
        _return(pack, "Return of the programme", "unlevered", plan.programme_rates, of_all),
        _return(pack, "Return to shareholders", "levered", plan.levered_rates, of_owners),
    ]


def _return(pack: Pack, label: str, kind: str, every: Sequence[float], words: str) -> Line:
    rate, plan = pack.source.kpi(f"{kind}_return"), pack.plan
    several = [] if rate is not None else every
    told = [pack.ledger.word(pack.source.word("programme_rates", f"{one:.1%}")) for one in several]
    rates = f"{listed(told, len(told))}, none alone; " if len(told) > 1 else ""
    quarter = pack.when(f"{kind}_payback_quarter")
    paid = f"paid back in {quarter}" if quarter else "not paid back"
    shown = plan.missing(f"{kind}_return") if rate is None else pack.ledger.percent(rate, 1)
    return label, shown, f"{words}; {rates}{paid}"


def _btc(pack: Pack) -> Line:
    cost, direct = (pack.source.kpi(f"{name}_usd_per_btc") for name in ("cash_cost", "direct_cash_cost"))
    words = "none mined"
    if cost is not None and direct is not None:
        power = pack.ledger.dollars(direct)
        words = f"at {pack.ledger.dollars(cost)} each for power and sites, of which power {power}"
    return "BTC mined", pack.ledger.whole(pack.source.due("btc_mined")), words
