"""A plan told to a director: decisions in words, money, and megawatts by quarter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from optimizer.case.schema import MINING
from optimizer.ground.amounts import TOLD_MUSD, musd
from optimizer.ground.errors import PlanError
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import figures_of, sales_and_delays
from optimizer.plan.power_uses import limits_of, reach_limit, uses_there
from optimizer.plan.unused import standings

if TYPE_CHECKING:
    from optimizer.plan.figures import Room
    from optimizer.plan.plan import Plan

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 110


def print_summary(plan: Plan, console: Console) -> None:
    """Print the summary; in a pipe it is the same words without trailing blanks."""
    with console.capture() as captured:
        console.print(summary(plan))
    lines = captured.get().splitlines()
    console.file.write("\n".join(line.rstrip() for line in lines) + "\n")


def summary(plan: Plan) -> RenderableType:
    """Headline, decisions by site, signed offers, money, and the megawatt chart."""
    settings = plan.case.settings
    head = Text(f"{settings.title}\n", style="bold")
    head.append(f"Scenario {plan.scenario}. {plan.status_words}.\n", style="default")
    parts: list[RenderableType] = [head]
    for title, body in (
        ("Decision by site", _decisions(plan)),
        ("Signed offers", _offers(plan)),
        ("Sold, and delivered late", _sold(plan)),
        ("Money", _money(plan)),
        ("Gross MW by quarter", _chart(plan)),
    ):
        if body is not None:
            parts += [Text(title, style="bold"), Padding(body, (0, 0, 1, 2))]
    return Group(*parts)


def _grid(rows: Iterable[tuple[str, ...]], right: tuple[int, ...] = ()) -> Table:
    rows = list(rows)
    table = Table.grid(padding=(0, 2))
    for i in range(len(rows[0])):
        table.add_column(justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


# ---- decisions ----------------------------------------------------------------------------------------------------


def _decisions(plan: Plan) -> RenderableType:
    return _grid((site.site, _fate(plan, site.site)) for site in plan.case.sites)


def _fate(plan: Plan, site: str) -> str:
    starts = plan.starts[plan.starts["site"] == site]
    words = [_start_words(row) for row in starts.itertuples()]
    mined = plan.allocation[(plan.allocation["site"] == site) & (plan.allocation["use"] == MINING)]
    if len(mined):
        by_quarter = mined.groupby("quarter", sort=False)["gross_mw"].sum()
        first, last = by_quarter.index[0], by_quarter.index[-1]
        span = f"to {last}" if first == str(plan.case.first) else f"{first} to {last}"
        words.append(f"mines {span} ({by_quarter.iloc[0]:g} gross MW at first, {by_quarter.iloc[-1]:g} at last)")
    return "; ".join(words) if words else "neither mines nor converts"


def _start_words(row: Any) -> str:
    decided = " (committed)" if row.decided == "committed" else ""
    return (
        f"{row.gross_mw:g} gross MW ({row.it_mw:.1f} IT) become {row.product}, "
        f"start {row.start_quarter}, in service {row.service_quarter}{decided}"
    )


def _offers(plan: Plan) -> RenderableType:
    rows = [
        (
            row.offer, row.customer, f"{row.it_mw:.1f} IT MW {row.product} at {row.site}",
            f"{row.delivery_quarter}-{min(_term_end(plan, row), Quarter.parse(row.end_quarter))}",
            _price(row.price, row.price_basis),
        )
        for row in plan.contracts.itertuples()
    ]  # fmt: skip
    refused = Text(f"{len(plan.case.offers) - len(rows)} of {len(plan.case.offers)} refused")
    return Group(*([_grid(rows)] if rows else [Text("none")]), *_options_used(plan), refused)


def _options_used(plan: Plan) -> list[Text]:
    """How far tenants extend, where their options' prices are no higher than the market's."""
    used = [
        f"{row.offer} to {row.end_quarter}"
        for row in plan.contracts.itertuples()
        if Quarter.parse(row.end_quarter) > _term_end(plan, row)
    ]
    return [Text(f"Extended by the tenant's options: {', '.join(used)}")] if used else []


def _term_end(plan: Plan, row: Any) -> Quarter:
    return plan.case.term_end(str(row.offer), Quarter.parse(row.delivery_quarter))


def _price(price: float, basis: object) -> str:
    words = {"usd_per_kw_month": "/kW-month", "musd_per_it_mw_year": "M/IT MW-yr", "usd_per_gpu_hour": "/GPU-hour"}
    return f"${price:g}{words[str(basis)]}"


# ---- money --------------------------------------------------------------------------------------------------------


def _money(plan: Plan) -> RenderableType:
    room = figures_of(plan)
    rows = [
        *_value_rows(room), ("Capex", _musd(room, "capex_musd"), _capex_words(room)), _liquidity_row(room),
        *_debt_rows(plan, room), *_do_nothing_rows(plan, room), _btc_row(room),
    ]  # fmt: skip
    return _grid(rows, right=(1,))


def _musd(room: Room, key: str) -> str:
    return musd(room.number(key))


def _value_rows(room: Room) -> list[tuple[str, str, str]]:
    value = _musd(room, "value_musd")
    if not room.has("do_nothing_value_musd"):
        first = ("Value of the plan", value, "doing nothing keeps neither commitments nor policies: no comparison")
    else:
        first = ("Value over doing nothing", _musd(room, "value_over_do_nothing_musd"), _terminal_words(room))
    over = [first]
    if room.has("value_over_mining_on_musd"):
        words = "over the best plan without new halls that keeps every rule"
        over.append(("Value over mining on", _musd(room, "value_over_mining_on_musd"), words))
    elif room.has("mining_on_breaks_quarter"):
        words = f"without new halls the minimum breaks in {room['mining_on_breaks_quarter']}"
        over.append(
            ("Mining on", "no plan", f"{words}; {_musd(room, 'mining_on_short_musd')} more at the start would do")
        )
    if room.has("do_nothing_value_musd"):
        over.append(("Value of the plan", value, f"doing nothing: {_musd(room, 'do_nothing_value_musd')}"))
    return over


def _terminal_words(room: Room) -> str:
    within, after = (_musd(room, f"{part}_over_do_nothing_musd") for part in ("within", "terminal_value"))
    words = f"of which {within} within the horizon and {after} after it"
    share = room["terminal_share"]
    if isinstance(share, float) and room.number("value_over_do_nothing_musd") > 0:
        words += f" ({share:.0%})"
    options = room.number("options_over_do_nothing_musd")
    return words if options < TOLD_MUSD else f"{words}; {musd(options)} of that in tenants' options"


def _capex_words(room: Room) -> str:
    """New and committed, what tenants pay, the budget and the most in a quarter."""
    words = []
    if room.number("capex_committed_musd") > TOLD_MUSD:
        words.append(f"new {_musd(room, 'capex_new_musd')}, committed before {_musd(room, 'capex_committed_musd')}")
    if room.number("tenant_advances_musd") > TOLD_MUSD:
        words.append(f"tenants advance {_musd(room, 'tenant_advances_musd')} of it")
    peak = room["peak_capex_quarter"]
    most = f"most in one quarter {_musd(room, 'peak_capex_musd')} ({peak})" if peak else "none of it spent"
    return "; ".join([*words, f"budget {_musd(room, 'capex_budget_musd')}, {most}"])


def _liquidity_row(room: Room) -> tuple[str, str, str]:
    words = f"at the end of {room['lowest_liquidity_quarter']}; minimum {_musd(room, 'minimum_cash_musd')}; "
    cash = f"cash alone {_musd(room, 'lowest_cash_musd')}, {room['lowest_cash_quarter']}"
    return "Lowest liquidity", _musd(room, "lowest_liquidity_musd"), words + cash


def _do_nothing_rows(plan: Plan, room: Room) -> list[tuple[str, str, str]]:
    if not room.has("do_nothing_value_musd"):
        return []
    lowest = "Doing nothing: lowest cash", _musd(room, "do_nothing_lowest_cash_musd"), _do_nothing_words(plan, room)
    if room["unlevered_return"] is None and not len(plan.starts):
        return [lowest, ("Return of the programme", plan.missing("unlevered_return"), "the plan has no such programme")]
    returns = (
        ("Return of the programme", "unlevered", plan.programme_rates, "a year, over doing nothing"),
        ("Return to shareholders", "levered", plan.levered_rates, "a year, after lenders' and customers' money"),
    )
    return [lowest, *(_return_row(plan, room, *one) for one in returns)]


def _return_row(
    plan: Plan, room: Room, label: str, kind: str, rates: Sequence[float], words: str
) -> tuple[str, str, str]:
    rate, payback = room[f"{kind}_return"], room[f"{kind}_payback_quarter"]
    several = [f"{one:.1%}" for one in rates] if rate is None else []
    told = f"{', '.join(several[:-1])} and {several[-1]}, none alone; " if len(several) > 1 else ""
    figure = plan.missing(f"{kind}_return") if rate is None else f"{rate:.1%}"
    return label, figure, f"{words}; {told}" + (f"paid back in {payback}" if payback else "not paid back")


def _debt_rows(plan: Plan, room: Room) -> list[tuple[str, str, str]]:
    if not plan.case.facilities:
        return []
    drawn = plan.debt.groupby("facility", sort=False)["draws_musd"].sum()
    words = ", ".join(f"{musd(amount)} of {name}" for name, amount in drawn.items() if amount > TOLD_MUSD)
    cost = f"interest and fees {_musd(room, 'interest_and_fees_musd')}"
    return [
        ("Most debt", _musd(room, "highest_debt_musd"), f"{_musd(room, 'debt_at_end_musd')} at the end; {cost}"),
        ("Drawn", _musd(room, "debt_drawn_musd"), words or "nothing new"),
        *_cover_rows(room),
    ]


def _cover_rows(room: Room) -> list[tuple[str, str, str]]:
    """The least cover of debt service that a lender will test, and the least room above what it asks."""
    if not room.has("lowest_dscr"):
        return []
    where = f"{room['lowest_dscr_facility']}, {room['lowest_dscr_quarter']}"
    least = f"{_musd(room, 'lowest_headroom_musd')} above what is asked"
    return [
        (
            "Lowest cover", f"{room.number('lowest_dscr'):.2f}x",
            f"of debt service: {where}; least room {least}: {room['lowest_headroom_facility']}, "
            f"{room['lowest_headroom_quarter']}",
        ),
    ]  # fmt: skip


def _btc_row(room: Room) -> tuple[str, str, str]:
    cost, direct = room["cash_cost_usd_per_btc"], room["direct_cash_cost_usd_per_btc"]
    words = "none mined" if cost is None else f"at ${cost:,.0f} each for power and sites, of which power ${direct:,.0f}"
    return "BTC mined", f"{room['btc_mined']:,.0f}", words


def _do_nothing_words(plan: Plan, room: Room) -> str:
    if plan.nothing is None:
        return ""
    cash = plan.nothing["cash"]
    short = cash[cash["closing_musd"] < cash["minimum_musd"]]
    words = f"at the end of {room['do_nothing_lowest_cash_quarter']}"
    return words if short.empty else f"{words}; below the minimum from {short['quarter'].iloc[0]}"


def _sold(plan: Plan) -> RenderableType | None:
    """What is sold and what is delivered late, in the words of every report; nothing where nothing is."""
    told = sales_and_delays(figures_of(plan))
    return Group(*(Text(f"{one.verb} {one.text}") for one in told)) if told else None


# ---- megawatts ----------------------------------------------------------------------------------------------------


def _chart(plan: Plan) -> RenderableType:
    """Every use and the unused as small bars up to the grid limit, the scale of them all."""
    table = plan.megawatts
    quarters = list(table.columns)
    limits = limits_of(plan)
    head = f"{quarters[0]}{quarters[-1]:>{max(1, len(quarters) - len(quarters[0]))}}"
    rows: list[tuple[str, ...]] = [("", head, "first", "most", "last")]
    series = {use.words: table.loc[name].tolist() for name, use in uses_there(plan).items()}
    for words, values in (*series.items(), ("grid limit", limits)):
        figures = (f"{mw:,.0f}" for mw in (values[0], max(values), values[-1]))
        rows.append((words, _bars(values, max(limits, default=0.0)), *figures))
    return Group(_grid(rows, right=(2, 3, 4)), *_short_of_limit(plan, series), *_unused(plan))


def _unused(plan: Plan) -> list[RenderableType]:
    """What stands unused at last, by site and why; where nothing does then, until when."""
    rows = []
    for one in standings(plan):
        when = one.quarter if one.quarter == plan.case.last else f"until {one.quarter}"
        rows.append((f"{one.gross_mw:,.0f}", f"{', '.join(one.sites)}, {when}: {one.reason.words}"))
    return [Text(), Text("Gross MW unused at last, by site and why"), _grid(rows, right=(0,))] if rows else []


def _short_of_limit(plan: Plan, series: Mapping[str, Sequence[float]]) -> list[Text]:
    """A sentence where the uses of an edited plan do not add up to the grid limit."""
    try:
        reach_limit(plan.case.horizon, series, limits_of(plan))
    except PlanError as error:
        return [Text(str(error), style="bold")]
    return []


def _bars(values: Sequence[float], top: float) -> str:
    steps = len(BARS) - 1
    return "".join(BARS[0 if mw <= 0 else max(1, round(mw / (top or 1.0) * steps))] for mw in values)
