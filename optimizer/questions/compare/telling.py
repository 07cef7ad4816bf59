"""A comparison told on a terminal: the value first, then what is unlike, what moved, and by how much."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from optimizer.ground.amounts import musd, signed_musd
from optimizer.plan.figures import FIGURES
from optimizer.questions.compare.groups import GROUPS, NAMING

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.compare.comparison import Comparison, Pair

WIDTH = 110
LINES_OF_A_GROUP = 8
"""Lines of inputs told of each group; the table has all."""
COLUMNS = 8
"""Quarters shown at most: the last of each year, thinned out where there are more."""
KPIS = (
    "value_musd", "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "value_over_mining_on_musd",
    "unlevered_return", "unlevered_payback_quarter", "levered_return", "levered_payback_quarter", "capex_musd",
    "capex_committed_musd", "peak_capex_musd", "lowest_liquidity_musd", "lowest_liquidity_quarter",
    "highest_debt_musd", "interest_and_fees_musd", "lowest_dscr",
    "converted_it_mw", "contracted_it_mw", "btc_mined", "cash_cost_usd_per_btc", "btc_sold_musd",
    "machines_sold_musd", "late_contracts", "damages_musd",
)  # fmt: skip
"""Figures of the room in the order in which they are told; the tables have all."""
BY_QUARTER = {"capex_to_date": "capex to date, $M", "closing_cash": "closing cash, $M", "debt": "debt, $M"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the comparison, without trailing blanks."""
    with console.capture() as captured:
        console.print(tell(comparison))
    console.file.write("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


def tell(comparison: Comparison) -> RenderableType:
    """Every pair, and with more than two plans the KPIs of all side by side."""
    parts = [_pair(pair, comparison.names[0], comparison.names[i]) for i, pair in enumerate(comparison.pairs, start=1)]
    if len(comparison.names) > 2:
        parts += [Text("All plans side by side", style="bold"), Padding(_side_by_side(comparison), (0, 0, 1, 2))]
    return Group(*parts)


def _pair(pair: Pair, first: str, second: str) -> RenderableType:
    parts: list[RenderableType] = [_head(pair, first, second)]
    for title, body in (
        ("To know first", _bullets(pair.grounds)),
        ("Where the difference in value comes from", None if pair.bridge is None else _bridge(pair)),
        ("Decisions that moved", _bullets(pair.moved)),
        (_figures_title(pair), _kpis(pair)),
        ("Second less first, at the end of each year", _by_quarter(pair)),
        ("Inputs that differ", _inputs(pair)),
    ):
        if body is not None:
            parts += [Text(title, style="bold"), Padding(body, (0, 0, 1, 2))]
    if pair.empty:
        parts.append(Text("Nothing differs: no input, no decision, no figure.\n"))
    return Group(*parts)


# ---- value --------------------------------------------------------------------------------------------------------


def _head(pair: Pair, first: str, second: str) -> Text:
    value = pair.value
    head = Text(f"{first}  ->  {second}\n", style="bold")
    head.append(f"Plans of {_of(pair.first)} and of {_of(pair.second)}.\n", style="default")
    dated = pair.first.case.first != pair.second.case.first
    when = f" at the start of {pair.date}" if dated else ""
    words = f"Value {musd(value.first_musd)} -> {musd(value.second_musd)}{when}: {signed_musd(value.change_musd)}"
    head.append(f"{words}, {certainty(pair)}\n", style="default")
    own = [
        f"{musd(plan.value_musd)} at its own date, {plan.case.first}, grown at {_corporate(plan):g}% a year"
        for plan in (pair.first, pair.second)
        if plan.case.first != pair.date
    ]
    if own:
        which = "first" if pair.first.case.first != pair.date else "second"
        head.append(f"The {which} plan is worth {own[0]}.\n", style="default")
    return head


def _of(plan: Plan) -> str:
    return f"{plan.case.settings.name}, scenario {plan.scenario}"


def certainty(pair: Pair) -> str:
    """What the gaps of the two plans leave of the difference, in words."""
    value = pair.value
    if pair.same:
        return "the same plan."
    if value.high_musd - value.low_musd < 0.1:
        return "known to $0.1M by their bounds." if value.distinguishable else "not distinguishable."
    within = f"between {signed_musd(value.low_musd)} and {signed_musd(value.high_musd)} by their bounds"
    return f"{within}." if value.distinguishable else f"not distinguishable: {within}."


def _corporate(plan: Plan) -> float:
    return 100 * float(plan.case.settings.discount_rates["corporate"])


def _bridge(pair: Pair) -> RenderableType:
    assert pair.bridge is not None
    lines = pair.bridge.tables["lines"]
    rows = [
        (
            row.group if " and " in row.group else f"{row.group}: {row.words}", signed_musd(row.line_musd),
            _range(row.low_musd, row.high_musd), _part(row.repriced_musd), _part(row.redecided_musd),
        )
        for row in lines.itertuples()
    ]  # fmt: skip
    total = ("in all", signed_musd(float(lines["line_musd"].sum())), "", "", "")
    head = ("", "line", "by order of swapping", "re-priced", "re-decided")
    return Group(_grid([head, *rows, total], right=(1, 2, 3, 4)), Text(""), _bullets(pair.bridge.words) or Text(""))


def _range(low: float, high: float) -> str:
    return "" if abs(high - low) < 0.05 else f"{signed_musd(low)} .. {signed_musd(high)}"


def _part(amount: float) -> str:
    return "" if pd.isna(amount) else signed_musd(amount)


# ---- inputs and decisions -----------------------------------------------------------------------------------------


def _bullets(sentences: Iterable[str]) -> RenderableType | None:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(overflow="fold")
    for sentence in sentences:
        table.add_row("-", Text(sentence))
    return table if table.row_count else None


def _inputs(pair: Pair) -> RenderableType | None:
    words = {group.name: group.words for group in (*GROUPS, NAMING)}
    parts: list[RenderableType] = []
    for group in words:
        lines = [line for name, line in pair.input_lines if name == group]
        if lines:
            told = lines if len(lines) <= LINES_OF_A_GROUP + 1 else lines[:LINES_OF_A_GROUP]
            more = [] if len(told) == len(lines) else [f"and {len(lines) - len(told)} lines more (--csv, --json)"]
            parts += [Text(f"{group} ({words[group]})", style="italic"), _bullets([*told, *more]) or Text("")]
    return Group(*parts) if parts else None


# ---- figures ------------------------------------------------------------------------------------------------------


def _by_quarter(pair: Pair) -> RenderableType | None:
    shown = _quarters(pair)
    rows = [
        *_figure_rows(pair.megawatts, "use", "change_gross_mw", shown, {}),
        *_figure_rows(pair.money, "figure", "change_musd", shown, BY_QUARTER),
    ]
    if not rows:
        return None
    return _grid([("", *shown), *rows], right=tuple(range(1, len(shown) + 1)))


def _quarters(pair: Pair) -> list[str]:
    common = [str(t) for t in pair.first.case.horizon if t in pair.second.case.horizon]
    ends = [t for t in common if t.endswith("Q4")] or common
    step = -(-len(ends) // COLUMNS) if ends else 1
    return ends[::step]


def _figure_rows(
    table: pd.DataFrame, what: str, column: str, quarters: list[str], words: dict[str, str]
) -> Iterable[tuple[str, ...]]:
    known = table.set_index([what, "quarter"])[column].to_dict()
    for name in words or dict.fromkeys(table[what]):
        changes = [known.get((name, t), 0.0) for t in quarters]
        if any(abs(change) >= 0.05 for change in changes):
            label = words.get(name, f"{name}, gross MW")
            yield label, *(f"{change:+,.0f}" if abs(change) >= 0.5 else "." for change in changes)


def _figures_title(pair: Pair) -> str:
    dated = pair.first.case.first != pair.second.case.first
    return f"Key figures, values at the start of {pair.date}" if dated else "Key figures"


def _kpis(pair: Pair) -> RenderableType | None:
    known = pair.kpis.set_index("kpi")
    rows = [
        (FIGURES[name].label, _kpi(known.at[name, "first"], name), _kpi(known.at[name, "second"], name),
         _kpi_change(known, name))
        for name in KPIS
        if name in known.index
    ]  # fmt: skip
    return _grid([("", "first", "second", "change"), *rows], right=(1, 2, 3)) if rows else None


def _kpi(value: Any, name: str) -> str:
    if value is None or value != value:
        return "none"
    match FIGURES[name].unit:
        case "$M":
            return musd(float(value))
        case "a year":
            return f"{value:.1%}"
        case "quarter":
            return str(value)
        case "times":
            return f"{value:.2f}x"
    return f"{value:,.1f}".removesuffix(".0")


def _kpi_change(known: pd.DataFrame, name: str) -> str:
    change, unit = float(known.at[name, "change"]), FIGURES[name].unit
    if pd.isna(change):
        return ""
    if unit == "$M":
        return signed_musd(change)
    if unit == "times":
        return f"{change:+.2f}x"
    return f"{100 * change:+.1f} points" if unit == "a year" else f"{change:+,.1f}".removesuffix(".0")


def _side_by_side(comparison: Comparison) -> RenderableType:
    known = comparison.kpis.set_index("kpi")
    rows = [
        (FIGURES[name].label, *(_kpi(known.at[name, plan], name) for plan in comparison.names))
        for name in KPIS
        if name in known.index
    ]
    return _grid([("", *comparison.names), *rows], right=tuple(range(1, len(comparison.names) + 1)))


def _grid(rows: list[tuple[str, ...]], right: tuple[int, ...] = ()) -> Table:
    table = Table.grid(padding=(0, 2))
    for i in range(len(rows[0])):
        table.add_column(justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
