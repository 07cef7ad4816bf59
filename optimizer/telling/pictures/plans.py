"""Pictures of a plan: megawatts by use, liquidity and capex by quarter, contracts over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from optimizer.case.schema import MINING
from optimizer.ground.amounts import TOLD_MUSD
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import Room, figures_of
from optimizer.plan.power_uses import BUILDING, IDLE, UNUSED, Use, limits_of, reach_limit, uses_there
from optimizer.plan.unused import standings
from optimizer.telling.pictures.lettering import cut, first_said, musd, number, plain, width_in
from optimizer.telling.pictures.sheet import (
    DARK,
    HATCH,
    INK,
    LINE_IN,
    MIDDLE,
    PALE,
    PAPER,
    RULE,
    SOFT,
    Rows,
    Sheet,
    finish,
    label,
    names_in,
    open_rows,
    open_sheet,
    quarter_axis,
    rows_that_fit,
    value_axis,
)
from optimizer.telling.pictures.tables import plan_source

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan

# ---- megawatts -------------------------------------------------------------------------------------------------------

MEGAWATTS_TICKS_IN = 0.42
Look = dict[str, Any]
LOOKS: dict[str, tuple[Look, ...]] = {
    "mining": ({"facecolor": PALE},),
    "idle": ({"facecolor": PAPER, "hatch": "...."},),
    "building": ({"facecolor": PAPER, "hatch": HATCH},),
    "product": (
        {"facecolor": DARK}, {"facecolor": MIDDLE}, {"facecolor": MIDDLE, "hatch": "xxxx"},
        {"facecolor": PALE, "hatch": "\\\\\\\\"}, {"facecolor": PALE, "hatch": "++++"},
    ),
    "other": ({"facecolor": PAPER, "hatch": "oooo"}, {"facecolor": PALE, "hatch": "****"}),
    "unused": ({"facecolor": PAPER, "edgecolor": RULE, "hatch": "///"},),
}  # fmt: skip
"""What each look of a use is drawn with; products and other uses take theirs in turn."""


def draw_megawatts(plan: Plan) -> Figure:
    """Gross MW stacked by quarter up to the grid limit: products below, then mining and the rest, the unused on top."""
    table, uses, limits = plan.megawatts, _in_order(plan), limits_of(plan)
    reach_limit(plan.case.horizon, {use.name: table.loc[use.name].tolist() for use in uses}, limits)
    sheet = open_sheet(_megawatts_title(plan, table, uses), plan_source(plan))
    names = names_in([*(_megawatts_name(use) for use in uses), "most 1,000, last 1,000"], 0.8, 1.3) + 0.3
    width = sheet.width - MEGAWATTS_TICKS_IN - names
    floor = sheet.bottom + 0.17
    axes = sheet.axes(sheet.left + MEGAWATTS_TICKS_IN, floor, width, sheet.top - 2 * LINE_IN - 0.05 - floor)
    for n, line in enumerate((_head(table, limits), _most_unused(plan))):
        sheet.write(sheet.left, sheet.top - (n + 0.5) * LINE_IN, cut(line, sheet.width), color=SOFT)
    axes.set_xlim(-0.5, len(table.columns) - 0.5)
    axes.set_ylim(0, max(1.0, max(limits) * 1.04))
    value_axis(axes.yaxis)
    quarter_axis(axes, [str(quarter) for quarter in table.columns], width)
    _stack(axes, table, uses)
    axes.stairs(limits, np.arange(len(limits) + 1) - 0.5, baseline=None, color=INK, linewidth=1.2)
    _list_uses(sheet, table, uses, sheet.right - names + 0.1)
    return finish(sheet)


def _in_order(plan: Plan) -> list[Use]:
    """From the bottom: products and what no list knows, what is being built, mining, machines at rest, the unused."""
    there = uses_there(plan)
    last = [use for name in (BUILDING, MINING, IDLE, UNUSED) if (use := there.get(name))]
    return [*(use for use in there.values() if use not in last), *last]


def _megawatts_title(plan: Plan, table: pd.DataFrame, uses: list[Use]) -> str:
    first, last = table.columns[0], table.columns[-1]
    told = [use for use in sorted(uses, key=lambda use: use.name != MINING) if use.name not in (IDLE, BUILDING, UNUSED)]
    moves = [f"{_megawatts_name(use)} {'goes ' if use == told[0] else ''}from {table.loc[use.name].iloc[0]:,.0f} to "
             f"{table.loc[use.name].iloc[-1]:,.0f}{' gross MW' if use == told[0] else ''}" for use in told]  # fmt: skip
    if not moves:
        return f"No site of {plan.case.settings.title} mines or serves customers."
    listed = moves[:3]
    words = ", ".join(listed[:-1]) + (" and " if len(listed) > 1 else "") + listed[-1]
    return f"Between {first} and {last}, {words}."


def _head(table: pd.DataFrame, limits: Sequence[float]) -> str:
    unused = table.loc[UNUSED]
    return (
        f"gross MW up to the grid limit (the line); unused are {unused.iloc[0]:,.0f} of {limits[0]:,.0f} at first and "
        f"{unused.iloc[-1]:,.0f} of {limits[-1]:,.0f} at last"
    )


def _most_unused(plan: Plan) -> str:
    """Why most of the unused stands so at last."""
    most = next(iter(standings(plan)), None)
    if most is None:
        return ""
    return f"{most.gross_mw:,.0f} of them at {plain(', '.join(most.sites))}: {plain(most.reason.words)}"


def _megawatts_name(use: Use) -> str:
    return plain(use.words)


def _look(use: Use) -> Look:
    looks = LOOKS[use.look.split()[0]]
    return {"edgecolor": INK, "linewidth": 0.5} | looks[use.number % len(looks)]


def _stack(axes: Any, table: pd.DataFrame, uses: list[Use]) -> None:
    edges = np.arange(len(table.columns) + 1) - 0.5
    floor = np.zeros(len(table.columns))
    for use in uses:
        top = floor + table.loc[use.name].to_numpy(float)
        look = _look(use)
        axes.stairs(top, edges, baseline=floor, fill=True, **look)
        if "hatch" not in look:
            _name_inside(axes, floor, top, use, PAPER if look["facecolor"] == DARK else INK)
        floor = top


def _name_inside(axes: Any, floor: Any, top: Any, use: Use, color: str) -> None:
    """The name of a use inside its layer, in the middle of the longest run of quarters where it is tall enough."""
    size = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())
    tall_in = (top - floor) / axes.get_ylim()[1] * size.height
    needed = width_in(_megawatts_name(use), 9.0, bold=True) + 0.1
    run = int(np.ceil(needed / size.width * len(floor)))
    rooms = [(float(top[i : i + run].min() - floor[i : i + run].max()), i) for i in range(len(floor) - run + 1)]
    if not rooms or tall_in.max() < 0.16:
        return
    room = max(one[0] for one in rooms)
    widest = [i for tall, i in rooms if tall > room - 1e-6]
    start = widest[len(widest) // 2]
    if room / axes.get_ylim()[1] * size.height < 0.16:
        return
    middle = (top[start : start + run].min() + floor[start : start + run].max()) / 2
    at = start + (run - 1) / 2
    label(axes, _megawatts_name(use), (at, middle), ha="center", va="center", color=color, weight="bold", fontsize=9)


def _list_uses(sheet: Sheet, table: pd.DataFrame, uses: list[Use], left: float) -> None:
    """In the order of the stack: a sample, the name, the most and the last megawatts."""
    each = min(0.4, (sheet.height - 2 * LINE_IN - 0.2) / max(1, len(uses)))
    for i, use in enumerate(reversed(uses)):
        y = sheet.top - 2 * LINE_IN - 0.14 - i * each
        row = table.loc[use.name]
        sheet.box(left, y - 0.05, 0.2, 0.1, **_look(use))
        words = f"most {row.max():,.0f}, last {row.iloc[-1]:,.0f}"
        sheet.write(left + 0.27, y, cut(_megawatts_name(use), sheet.right - left - 0.27))
        if each >= 2 * LINE_IN:
            sheet.write(left + 0.27, y - LINE_IN, cut(words, sheet.right - left - 0.27), color=SOFT)


# ---- money -----------------------------------------------------------------------------------------------------------

MONEY_TICKS_IN = 0.5
FINE = 4
Spot = tuple[float, float]
LIMIT = {"color": INK, "linewidth": 0.9, "linestyle": (0, (5, 2))}


def _time_axes(sheet: Sheet, quarters: list[str], *lines: str) -> Any:
    """Axes over quarters, under lines of words on what they show."""
    floor = sheet.bottom + 0.17
    width = sheet.width - MONEY_TICKS_IN - 0.05
    axes = sheet.axes(sheet.left + MONEY_TICKS_IN, floor, width, sheet.top - len(lines) * LINE_IN - 0.05 - floor)
    for i, words in enumerate(lines):
        sheet.write(sheet.left, sheet.top - (i + 0.5) * LINE_IN, cut(words, sheet.width), color=SOFT)
    axes.set_xlim(-0.6, len(quarters) - 0.4)
    quarter_axis(axes, quarters, width)
    value_axis(axes.yaxis)
    return axes


# ---- cash -----------------------------------------------------------------------------------------------------------


def draw_cash(plan: Plan) -> Figure:
    """Liquidity at the end of each quarter, its minimum, and that of doing nothing; the lowest quarter is marked."""
    cash = plan.cash.reset_index(drop=True)
    room = figures_of(plan)
    quarter = room["lowest_liquidity_quarter"]
    low, least = room.number("lowest_liquidity_musd"), room.number("minimum_cash_musd")
    lowest = list(cash["quarter"]).index(quarter)
    title = f"Liquidity is lowest at the end of {quarter}: {musd(low)} against a minimum of {musd(least)}."
    sheet = open_sheet(title, plan_source(plan))
    axes = _time_axes(sheet, list(cash["quarter"]), "liquidity at the end of the quarter, $M")
    lines = {"the plan": cash["liquidity_musd"].to_numpy(float), "minimum": cash["minimum_musd"].to_numpy(float)}
    axes.plot(lines["the plan"], color=DARK, linewidth=1.6, marker="o", markersize=2.2)
    axes.plot(lines["minimum"], **LIMIT)
    if plan.nothing is not None:
        lines["doing nothing"] = plan.nothing["cash"]["liquidity_musd"].to_numpy(float)
        axes.plot(lines["doing nothing"], color=SOFT, linewidth=1.1, linestyle=":")
    axes.axhline(0.0, color=INK, linewidth=0.5)
    axes.plot([lowest], [low], marker="v", markersize=7, color=INK, markeredgecolor=PAPER, zorder=4)
    axes.margins(y=0.14)
    side = _lower_side(lines["the plan"], lowest)
    _name_lines(axes, lines, (lowest, low), side)
    label(axes, musd(low), (lowest, low), (5 * side, 8), ha="right" if side < 0 else "left", weight="bold")
    return finish(sheet)


def _lower_side(values: Any, at: int) -> int:
    """On which side of a quarter the line stays lower, and a number above it has room: -1 left, 1 right."""
    n = len(values)
    reach = max(1, n // 7)
    left, right = values[max(0, at - reach) : at + 1].max(), values[at : at + reach + 1].max()
    if at + reach >= n or at - reach < 0:
        return -1 if at + reach >= n else 1
    return -1 if left < right else 1


def _name_lines(axes: Any, lines: dict[str, Any], lowest: Spot, side: int) -> None:
    """Each name where its line is flat and far from the others, on the side where there is room.

    The number at the lowest quarter stands above it, on its left (side -1) or its right (1).
    """
    low, high = axes.get_ylim()
    lines = {name: _finer(values) for name, values in lines.items()}
    reach = max(2, len(lines["the plan"]) // 9)
    taken: list[Spot] = [(lowest[0] * FINE + side * k * reach, lowest[1] + 0.05 * (high - low)) for k in (0, 1)]
    for name, values in lines.items():
        others = [line for other, line in lines.items() if other != name]
        if any(np.allclose(values, line) for line in others[: list(lines).index(name)]):
            continue
        at, above = _best_place(values, [*others, np.zeros(len(values))], (low, high), taken)
        taken.append((at, float(values[at]) + (0.05 if above else -0.05) * (high - low)))
        look = {"weight": "bold", "color": DARK} if name == "the plan" else {"color": SOFT}
        away, va = ((0, 4), "bottom") if above else ((0, -4), "top")
        label(axes, name, (at / FINE, values[at]), away, ha="center", va=va, **look)


def _best_place(values: Any, others: list[Any], limits: Spot, taken: list[Spot]) -> tuple[int, bool]:
    """Quarter and side for a name: near the line itself nothing else passes for some quarters around."""
    n, span = len(values), limits[1] - limits[0]
    reach = max(2, n // 9)
    best = (-np.inf, n // 2, True)
    for at in range(min(reach, n - 1), max(n - reach, min(reach, n - 1) + 1)):
        near = slice(max(0, at - reach), at + reach + 1)
        for above in (True, False):
            side = 1 if above else -1
            gaps = [_gap(side * (line[near] - values[at]), span) for line in others]
            edge = limits[1] - values[at] if above else values[at] - limits[0]
            room = min([*gaps, edge, 0.25 * span]) / span
            y = float(values[at]) + side * 0.05 * span
            crowd = sum(abs(at - x) < 2 * reach and abs(y - other) < 0.1 * span for x, other in taken)
            score = room - 1.5 * max(0.0, (side * (values[near] - values[at])).max()) / span - crowd
            if score > best[0] + 1e-9:
                best = (score, at, above)
    return best[1], best[2]


def _finer(values: Any) -> Any:
    """A line with points between its quarters, so that steep parts count too."""
    return np.interp(np.arange((len(values) - 1) * FINE + 1) / FINE, np.arange(len(values)), values)


def _gap(beyond: Any, span: float) -> float:
    """How far another line is at the nearest, where it is on this side at all."""
    return float(np.where(beyond > -0.02 * span, np.abs(beyond), np.inf).min())


# ---- capex ----------------------------------------------------------------------------------------------------------


def draw_capex(plan: Plan) -> Figure:
    """Capex of each quarter as bars, since the first as steps, and the budget that it must stay under."""
    spent = plan.capex_to_date.reset_index(drop=True)
    room = figures_of(plan)
    total, budget = room.number("capex_musd"), room.number("capex_budget_musd")
    sheet = open_sheet(_capex_title(room), plan_source(plan))
    axes = _time_axes(sheet, list(spent["quarter"]), *_capex_words(plan, spent))
    moved = spent[spent["capex_musd"].abs() > 1e-6]
    axes.bar(moved.index, moved["capex_musd"], width=0.8, facecolor=MIDDLE, edgecolor=DARK, linewidth=0.5)
    edges = np.arange(len(spent) + 1) - 0.5
    axes.stairs(spent["to_date_musd"], edges, fill=True, facecolor=PALE, alpha=0.5, zorder=0, linewidth=0)
    axes.stairs(spent["to_date_musd"], edges, baseline=None, color=DARK, linewidth=1.5)
    axes.axhline(budget, **LIMIT)
    high = max(1.0, budget, float(spent["to_date_musd"].max()), float(spent["capex_musd"].max()))
    axes.set_ylim(min(0.0, float(spent["capex_musd"].min()) * 1.1), high * 1.15)
    axes.axhline(0.0, color=INK, linewidth=0.5)
    last = len(spent) - 1
    label(axes, f"budget {musd(budget)}", (-0.3, budget), (0, 2), va="bottom")
    label(axes, f"since the first {musd(total)}", (last, total), (0, -3 if total > high / 8 else 3), ha="right",
          va="top" if total > high / 8 else "bottom", weight="bold", color=DARK)  # fmt: skip
    return finish(sheet)


def _capex_title(room: Room) -> str:
    total, left, committed = (room.number(f"capex_{name}musd") for name in ("", "left_", "committed_"))
    budget = musd(room.number("capex_budget_musd"))
    if total < TOLD_MUSD:
        return f"No capex is spent of a budget of {budget}."
    head = f"Capex of {musd(total)}"
    if committed > TOLD_MUSD:
        head += f", {musd(room.number('capex_new_musd'))} of it new and {musd(committed)} committed before,"
    return f"{head} uses the whole budget." if abs(left) < TOLD_MUSD else f"{head} leaves {musd(left)} of {budget}."


def _capex_words(plan: Plan, spent: pd.DataFrame) -> list[str]:
    """What bars and line are; with budgets of single years, what each year spends of its own."""
    room = figures_of(plan)
    peak = room["peak_capex_quarter"]
    most = f", most {musd(room.number('peak_capex_musd'))} in {peak}" if peak else ""
    words = f"$M; bars: capex of each quarter{most}; line: since the first"
    of_year = spent.groupby(spent["quarter"].str[:4])["capex_musd"].sum()
    years = [
        f"{musd(float(of_year.get(str(row.year), 0.0)))} of {musd(row.capex_budget_musd)} in {row.year}"
        for row in plan.case.budget_years
    ]
    return [words, f"budgets of single years: {', '.join(years)}"] if years else [words]


# ---- contracts -------------------------------------------------------------------------------------------------------

HEAD_IN, FLOOR_IN = LINE_IN + 0.03, 0.2
OVER = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.5}
BASES = {"usd_per_kw_month": "/kW-month", "musd_per_it_mw_year": "M/IT MW-year", "usd_per_gpu_hour": "/GPU-hour"}


def draw_contracts(plan: Plan) -> Figure:
    """A bar for each contract from delivery to end, pale where it was committed before; the horizon as a line."""
    contracts = plan.contracts.sort_values(["delivery_quarter", "end_quarter"], kind="stable")
    sheet = open_sheet(_contracts_title(plan), plan_source(plan))
    if contracts.empty:
        sheet.write(sheet.left, sheet.top - 0.2, "No contract is signed in this plan.", color=SOFT)
        return finish(sheet)
    fitting = rows_that_fit(sheet, head=HEAD_IN, floor=FLOOR_IN)
    shown = list(contracts.iloc[:fitting].itertuples())
    hidden = f"; {len(contracts) - fitting} more in the table" if len(contracts) > fitting else ""
    committed = "; pale: committed before" if any(row.decided == "committed" for row in shown) else ""
    options = any(_term_end(plan, row) < Quarter.parse(str(row.end_quarter)) for row in shown)
    hatched = "; hatched: the tenant's options" if options else ""
    words = f"from delivery to end; dashed: end of the horizon{committed}{hatched}{hidden}"
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, cut(words, sheet.width), color=SOFT)
    rows = open_rows(sheet, len(shown), head=HEAD_IN, floor=FLOOR_IN, most=0.58)
    _draw_rows(rows, shown, plan)
    return finish(sheet)


def _contracts_title(plan: Plan) -> str:
    contracts, offers = plan.contracts, len(plan.case.offers)
    if contracts.empty:
        return f"None of {offers} offers is signed."
    mw, worth, n = contracts["it_mw"].sum(), musd(contracts["value_musd"].sum()), len(contracts)
    if n == 1:
        return f"One signed contract takes {mw:,.1f} IT MW and is worth {worth} today."
    return f"{n} signed contracts take {mw:,.1f} IT MW and are worth {worth} today."


def _draw_rows(rows: Rows, shown: list[Any], plan: Plan) -> None:
    sheet, first, horizon = rows.sheet, int(plan.case.first), int(plan.case.last)
    names = names_in([text for row in shown for text in (_contracts_name(row), _detail(row))], 1.0, 2.5)
    if rows.lines == 1:
        names = names_in([_contracts_name(row) for row in shown], 1.0, 2.5)
    left, width = sheet.left + names, sheet.width - names - 0.05
    last = max(horizon, *(int(Quarter.parse(str(row.end_quarter))) for row in shown), horizon)
    axes = rows.axes(left, width)
    axes.set_xlim(-0.5, last - first + 0.5)
    quarter_axis(axes, [str(Quarter(at)) for at in range(first, last + 1)], width)
    axes.axvline(horizon - first + 0.5, color=INK, linewidth=0.9, linestyle=(0, (5, 2)), zorder=0)
    for i, row in enumerate(shown):
        rows.name(i, _contracts_name(row), names - 0.1, _detail(row))
        _draw_bar(axes, i, row, first, int(_term_end(plan, row)), width / (last - first + 1))


def _term_end(plan: Plan, row: Any) -> Quarter:
    """The last quarter of the term itself, or of the contract where that is earlier."""
    term = plan.case.term_end(str(row.offer), Quarter.parse(str(row.delivery_quarter)))
    return min(term, Quarter.parse(str(row.end_quarter)))


def _contracts_name(row: Any) -> str:
    return first_said(row.customer, row.offer)


def _detail(row: Any) -> str:
    return f"{number(row.it_mw)} IT MW {plain(row.product)}, {plain(row.site)}"


def _draw_bar(axes: Any, i: int, row: Any, first: int, term: int, quarter_in: float) -> None:
    """The bar with its price and quarters inside, or beside it where they do not fit; the tenant's options hatched."""
    start = int(Quarter.parse(str(row.delivery_quarter))) - first
    end, last = term - first, int(Quarter.parse(str(row.end_quarter))) - first
    dark = row.decided != "committed"
    axes.barh(i, end - start + 1, left=start - 0.5, height=0.6, facecolor=DARK if dark else PALE, edgecolor=DARK)
    if last > end:
        axes.barh(i, last - end, left=end + 0.5, height=0.6, facecolor=PAPER, edgecolor=DARK, hatch="///")
    price = f"${number(row.price)}{BASES.get(str(row.price_basis), '')}"
    inside, before = (end - start + 1) * quarter_in - 0.08, (start + 0.5) * quarter_in
    after = (axes.get_xlim()[1] - last - 0.5) * quarter_in
    whole = f"{price}, {row.delivery_quarter}-{Quarter(term)}"
    for words in (whole, price):
        if width_in(words) <= inside:
            label(axes, words, ((start + end) / 2, i), ha="center", va="center", color=PAPER if dark else INK)
            return
    words = whole if width_in(whole) <= max(before, after) - 0.1 else price
    if after >= before:
        label(axes, words, (last + 0.5, i), (4, 0), va="center", bbox=OVER)
    else:
        label(axes, words, (start - 0.5, i), (-4, 0), ha="right", va="center", bbox=OVER)
