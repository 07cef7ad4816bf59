"""Slides on money: capex against budget, cash and liquidity, the bridge from doing nothing to the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from optimizer.business.lines import LINES, VALUE_LINES
from optimizer.telling.board.deck.blocks import WHOLE, Box, Chart, Paragraph, Series, Slide, Texts
from optimizer.telling.board.deck.figures import NOTHING, Figure, count
from optimizer.telling.board.deck.ledger import adds
from optimizer.telling.board.deck.pack import Pack

TIGHT_MUSD = 0.05
MARK_SHARE = 4
"""The part of a line, one in so many, that the label of a marked point keeps free to either side."""

CONTRACTS_AFTER, RESIDUALS_AFTER = "Contracts after the horizon", "Residuals at its end"
"""Steps of the bridge that together are the value after the horizon."""

# ---- capex ----------------------------------------------------------------------------------------------------------


def capex(pack: Pack) -> Slide | None:
    """Capex by quarter, and what is spent to date against the budget; None where nothing is spent."""
    budget = pack.source.due("capex_budget_musd")
    spent = pack.source.by_quarter("capex_to_date", "capex_musd", {}, pack.quarters)
    to_date = pack.source.by_quarter("capex_to_date", "to_date_musd", {}, pack.quarters)
    last = max((i for i, figure in enumerate(spent) if abs(figure.value) > 1e-9), default=-1)
    if last < 0:
        return None
    shown = range(min(len(spent), max(last + 2, 4)))
    labels, years = pack.axis([pack.quarters[i] for i in shown], 0.45)
    columns = (Series("Capex, $M", tuple(spent[i] for i in shown), "strong"),)
    by_quarter = Chart("chart:capex", "columns", labels, columns, years, alt="Capex by quarter")
    limit = Series("Budget", (budget,) * len(shown), "quiet", dashed=True)
    so_far = Series("Spent to date", tuple(to_date[i] for i in shown), "strong")
    series = _labelled(
        limit, so_far, f"budget {pack.ledger.money(budget)}", f"spent {pack.ledger.money(so_far.values[-1])}"
    )
    against = Chart("chart:budget", "lines", labels, series, years, alt="Capex to date against the budget")
    blocks = (
        (Box(0, 0, 0.48, 0.07), Texts((Paragraph("By quarter, $M", bold=True),), largest=14)),
        (Box(0, 0.08, 0.48, 0.77), by_quarter),
        (Box(0.52, 0, 0.48, 0.07), Texts((Paragraph("Since the first quarter, $M", bold=True),), largest=14)),
        (Box(0.52, 0.08, 0.48, 0.77), against),
        (Box(0, 0.88, 1, 0.12), Texts(_budget_words(pack), largest=14)),
    )
    return Slide("capex", _capex_title(pack), blocks, _capex_note(pack))


def _labelled(limit: Series, so_far: Series, budget: str, spent: str) -> tuple[Series, Series]:
    """Both lines told at their ends, in one label where they end together: elsewhere it would name another amount."""
    if _ends_apart(so_far, [limit], 1):
        return replace(limit, end_label=budget), replace(so_far, end_label=spent)
    return replace(limit, end_label=f"{budget}\n{spent}"), so_far


def _capex_title(pack: Pack) -> str:
    ledger, due = pack.ledger, pack.source.due
    committed, left = due("capex_committed_musd"), due("capex_left_musd")
    budget = ledger.money(due("capex_budget_musd"))
    head = f"Capex of {ledger.money(due('capex_musd'))}"
    if committed.value > TIGHT_MUSD:
        head = f"New capex of {ledger.money(due('capex_new_musd'))} and {ledger.money(committed)} committed before"
    plural = committed.value > TIGHT_MUSD
    if left.value < TIGHT_MUSD:
        head += f" {'take' if plural else 'takes'} all of the budget of {budget}"
    else:
        head += f" {'leave' if plural else 'leaves'} {ledger.money(left)} of the {budget} budget"
    quarter = pack.source.kpi_word("peak_capex_quarter")
    if quarter is None:
        return head
    return f"{head}; the most in a quarter is {ledger.money(due('peak_capex_musd'))}, in {ledger.word(quarter)}"


def _budget_words(pack: Pack) -> tuple[Paragraph, ...]:
    """What is spent of each year's own budget."""
    words = []
    for row in pack.source.inputs("budget_years")[:6]:
        quarters = [f"{row['year']}Q{n}" for n in range(1, 5)]
        spent = pack.source.total("capex_to_date", "capex_musd", {"quarter": quarters})
        budget = pack.ledger.money(row.figure("capex_budget_musd"))
        words.append(f"{pack.ledger.word(row.word('year'))}: {pack.ledger.money(spent)} of {budget}")
    return (Paragraph(f"Budgets of single years: {'; '.join(words)}."),) if words else ()


def _capex_note(pack: Pack) -> str:
    paid, what = pack.source.due("tenant_advances_musd"), "Capex within the horizon, committed before and new"
    if abs(paid.value) < TIGHT_MUSD:
        return f"{what}."
    words = f"{what}, of which tenants advance {pack.ledger.money(paid)}"
    lines = {"line": "tenant_credits"}
    back = pack.source.total("cash_flow", "musd", lines) + pack.source.total("after_horizon", "musd", lines)
    if back.value < -TIGHT_MUSD:
        words += f" and take back as {pack.ledger.money(-back)} of credits on their rent, interest included"
    spent = pack.source.by_quarter("capex_to_date", "capex_musd", {}, pack.quarters)
    below = any(figure.value < -TIGHT_MUSD for figure in spent)
    return f"{words}.{' Below zero, they pay more than is spent.' if below else ''}"


# ---- cash -----------------------------------------------------------------------------------------------------------


def cash(pack: Pack) -> Slide:
    """Liquidity and its minimum by quarter, the lowest quarter marked, and cash if nothing were done."""
    source, ledger = pack.source, pack.ledger
    liquidity = source.by_quarter("cash", "liquidity_musd", {}, pack.quarters)
    closing = source.by_quarter("cash", "closing_musd", {}, pack.quarters)
    least = source.by_quarter("cash", "minimum_musd", {}, pack.quarters)
    lowest = pack.quarters.index(str(pack.room["lowest_liquidity_quarter"]))
    at_end = lowest == len(liquidity) - 1
    low = ledger.money(source.due("lowest_liquidity_musd"))
    mark = (lowest, "" if at_end else f"lowest: {low} in {pack.quarter(pack.quarters[lowest])}")
    series = [Series("Liquidity", liquidity, "strong", labels=(mark,))]
    if any(abs(a.value - b.value) > TIGHT_MUSD for a, b in zip(liquidity, closing, strict=True)):
        series.append(Series("Cash without BTC", closing, "middle"))
    series.append(Series("Minimum", least, "bad", dashed=True))
    if pack.plan.nothing is not None:
        rows = source.rows("cash", nothing=True)
        series.append(
            Series("Cash if nothing is done", tuple(row.figure("closing_musd") for row in rows), "quiet", dashed=True)
        )
    series[0] = replace(series[0], labels_below=_freer_below(series[0], series[1:], lowest))
    labels, years = pack.axis(pack.quarters)
    ends = [f"{one.name}\n{ledger.money(one.values[-1])}" for one in series]
    ends[0] += ", its lowest" if at_end else ""
    lines = tuple(ended(one, ends[i], series[:i]) for i, one in enumerate(series))
    chart = Chart("chart:cash", "lines", labels, lines, years, alt="Liquidity at the end of each quarter")
    note = "At the end of each quarter, $M. Liquidity is cash and the share of BTC held that counts."
    return Slide("cash", _cash_title(pack, liquidity), ((WHOLE, chart),), note)


def _freer_below(series: Series, others: Sequence[Series], i: int) -> bool:
    """Whether a point has more room below than above, to the next line or the chart's edge; lines it is on aside."""
    here, values = series.values[i].value, [figure.value for one in (series, *others) for figure in one.values]
    near = 0.02 * (max(values) - min(values))
    there = [one.values[i].value for one in others if abs(one.values[i].value - here) > near]
    above = min([max(values), *(value for value in there if value > here)])
    below = max([min(0.0, *values), *(value for value in there if value <= here)])
    return here - below > above - here


def ended(series: Series, label: str, others: Sequence[Series], lines: int = 2) -> Series:
    """The series with a label of its end there, or where it is farthest from the others, if they end together."""
    if _ends_apart(series, others, lines):
        return replace(series, end_label=label)
    level = all(abs(figure.value - series.values[-1].value) < TIGHT_MUSD for figure in series.values)
    said = label if level else f"{label} at the end"
    return replace(series, end_label=said, label_at=_freest(series, others))


def _ends_apart(series: Series, others: Sequence[Series], lines: int) -> bool:
    """Whether the series' end is its label's lines of text away from that of every series that comes before it."""
    values = [figure.value for one in (series, *others) for figure in one.values]
    line = 0.05 * lines * (max(values) - min(values))
    return all(abs(series.values[-1].value - one.values[-1].value) > line for one in others)


def _freest(series: Series, others: Sequence[Series]) -> tuple[int, str]:
    """The point, not near the ends, at which the nearest other series is farthest; and the side without it."""
    last = len(series.values) - 1
    start = max(1, last // 6)
    inner = range(start, max(last - start, start) + 1)

    def gap(i: int) -> float:
        return min((abs(one.values[i].value - series.values[i].value) for one in others), default=0.0)

    marked = [i for one in others for i, text in one.labels if text]
    free = [i for i in inner if all(abs(i - mark) > last // MARK_SHARE for mark in marked)] or list(inner)
    best = max(reversed(free), key=gap)
    here = series.values[best].value
    values = [figure.value for one in (series, *others) for figure in one.values]
    over = [one.values[best].value - here for one in others if one.values[best].value >= here]
    return best, "above" if min(over, default=1e9) > 0.09 * (max(values) - min(values)) else "below"


def _cash_title(pack: Pack, liquidity: Sequence[Figure]) -> str:
    ledger, source = pack.ledger, pack.source
    least, low, room = (source.due(name) for name in ("minimum_cash_musd", "lowest_liquidity_musd", "headroom_musd"))
    when = pack.quarter(pack.room["lowest_liquidity_quarter"])
    head = f"Liquidity is lowest at the end of {when} with {ledger.money(low)}"
    at_least = [figure.amount for figure in liquidity if figure.value - least.value < TIGHT_MUSD]
    if room.value >= TIGHT_MUSD:
        return f"{head}, {ledger.money(room)} above the minimum"
    if len(at_least) == 1:
        return f"{head}: the minimum, and no dollar more"
    return f"{head}, and stands at the minimum in {ledger.whole(count(filter(None, at_least)))} quarters"


# ---- the bridge -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One bar of a bridge: a level (both ends count from zero) or a change."""

    words: str
    figure: Figure
    is_level: bool = False


def bridge(pack: Pack) -> Slide | None:
    """From the value of doing nothing to the plan's, by groups of lines; None where doing nothing is no choice."""
    nothing, value = pack.source.kpi("do_nothing_value_musd"), pack.source.due("value_musd")
    over = pack.source.kpi("value_over_do_nothing_musd")
    if nothing is None or over is None:
        return None
    changes = _changes(pack)
    steps = (Step("Doing nothing", nothing, True), *changes, Step("The plan", value, True))
    chart = bridge_chart(pack, "chart:bridge", steps)
    parts = [step.figure for step in steps[:-1]]
    last = pack.quarter(pack.quarters[-1])
    first = pack.quarter(pack.quarters[0])
    told = f"Present values at the start of {first}, $M, of flows to {last} where nothing else is said."
    if {CONTRACTS_AFTER, RESIDUALS_AFTER} <= {step.words for step in changes}:
        told += f" What comes after {last} is the two steps before the last."
    note = f"{told} {adds(parts, value)}"
    return Slide("bridge", _bridge_title(pack, changes, over), ((WHOLE, chart),), note.strip())


def _changes(pack: Pack) -> tuple[Step, ...]:
    """What the plan adds to doing nothing, by group within the horizon; then what comes after it, in its two parts."""
    groups: dict[str, list[str]] = {}
    for name in VALUE_LINES:
        groups.setdefault(LINES[name].group, []).append(name)
    steps = []
    for group, names in groups.items():
        if group != "residual":
            words = group[0].upper() + group[1:]
            steps.append(Step(words, _difference(pack, "within_musd", tuple(names))))
    residual = tuple(groups["residual"])
    running = tuple(name for name in VALUE_LINES if name not in residual)
    steps += [
        Step(CONTRACTS_AFTER, _difference(pack, "after_musd", running)),
        Step(RESIDUALS_AFTER, _difference(pack, "after_musd", residual)),
    ]
    return tuple(step for step in steps if abs(step.figure.value) >= 0.005)


def _difference(pack: Pack, column: str, lines: tuple[str, ...]) -> Figure:
    where = {"line": lines}
    return pack.source.total("value", column, where) - pack.source.total("value", column, where, nothing=True)


def bridge_chart(pack: Pack, name: str, steps: Sequence[Step]) -> Chart:
    """A waterfall of stacked columns: an unseen base, and what is seen above and below zero."""
    ends, level = [], NOTHING
    for step in steps:
        start = NOTHING if step.is_level else level
        level = step.figure if step.is_level else level + step.figure
        ends.append((min(start, level, key=_value), max(start, level, key=_value)))
    categories = tuple(f"{step.words}\n{_amount(pack, step)}" for step in steps)
    roles = tuple("level" if step.is_level else "good" if step.figure.value > 0 else "bad" for step in steps)
    base = [high if high.value < 0 else low if low.value > 0 else NOTHING for low, high in ends]
    above = [_above(high) - _above(low) for low, high in ends]
    below = [_below(low) - _below(high) for low, high in ends]
    series = (
        Series("Base", tuple(base), "none", hidden=True),
        Series("Above zero", tuple(above), "level", roles=roles),
        Series("Below zero", tuple(below), "level", roles=roles),
    )
    size = 14 if len(steps) <= 8 else 12
    return Chart(name, "stacked columns", categories, series, gap=35, category_pt=size, alt="Bridge between two values")


def _value(figure: Figure) -> float:
    return figure.value


def _above(figure: Figure) -> Figure:
    return figure if figure.value > 0 else NOTHING


def _below(figure: Figure) -> Figure:
    return figure if figure.value < 0 else NOTHING


def _amount(pack: Pack, step: Step) -> str:
    return pack.ledger.money(step.figure) if step.is_level else pack.ledger.signed(step.figure)


def _bridge_title(pack: Pack, changes: Sequence[Step], over: Figure) -> str:
    ledger = pack.ledger
    if not changes:
        return f"The plan and doing nothing are worth the same, {ledger.money(pack.source.due('value_musd'))}"
    verb = "gains" if over.value >= 0 else "loses"
    within, after = (pack.source.due(f"{part}_over_do_nothing_musd") for part in ("within", "terminal_value"))
    parts = f"{ledger.signed(within)} to {pack.quarter(pack.quarters[-1])} and {ledger.signed(after)} after it"
    return f"In present value the plan {verb} {ledger.money(abs(over))} over doing nothing: {parts}"
