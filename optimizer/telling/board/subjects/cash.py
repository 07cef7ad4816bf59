"""Cash and liquidity against their minimum; debt; the cash-flow statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from optimizer.business.lines import LINES
from optimizer.telling.board.blocks import WHOLE, Chart, Paragraph, Section, Series, Slide, Table, Texts
from optimizer.telling.board.figures import count
from optimizer.telling.board.ledger import NOT_ADDING, adds
from optimizer.telling.board.pack import Pack

TIGHT_MUSD = 0.05
MARK_SHARE = 4
"""The part of a line, one in so many, that the label of a marked point keeps free to either side."""
LABEL_SHARE = 0.2
"""Of a chart's height, what a label of two lines needs beside its line."""
AXIS_SHARE = 0.05
"""Of a chart's height, what its axis goes on beyond the highest and lowest values."""
NOTE = "At the end of each quarter, $M. Liquidity is cash and the share of BTC held that counts."


def cash(pack: Pack) -> Slide:
    """Liquidity and its minimum by quarter, the lowest quarter marked, and cash if nothing were done."""
    return Slide("cash", _title(pack), ((WHOLE, _chart(pack)),), NOTE)


def cash_section(pack: Pack) -> Section:
    """The same, and what doing nothing would come to."""
    said = [Paragraph(NOTE, quiet=True)]
    lowest, rows = (
        pack.source.kpi("do_nothing_lowest_cash_musd"),
        pack.source.rows("cash", nothing=pack.plan.nothing is not None),
    )
    if lowest is not None:
        short = next((row for row in rows if row["closing_musd"] < row["minimum_musd"] - 1e-6), None)
        below = "" if short is None else f"; it is below the minimum from {pack.ledger.word(short.word('quarter'))}"
        when = pack.when("do_nothing_lowest_cash_quarter")
        said.insert(
            0, Paragraph(f"Doing nothing, cash is lowest at the end of {when}: {pack.ledger.money(lowest)}{below}.")
        )
    return Section("cash", "Cash and liquidity", _title(pack), (_chart(pack), Texts(tuple(said))))


def _chart(pack: Pack) -> Chart:
    source, ledger = pack.source, pack.ledger
    liquidity, closing, least = (
        source.by_quarter("cash", f"{name}_musd", {}, pack.quarters) for name in ("liquidity", "closing", "minimum")
    )
    lowest = pack.quarters.index(str(pack.room["lowest_liquidity_quarter"]))
    at_end = lowest == len(liquidity) - 1
    mark = (
        lowest,
        "" if at_end else f"lowest: {pack.money('lowest_liquidity_musd')} in {pack.quarter(pack.quarters[lowest])}",
    )
    series = [Series("Liquidity", liquidity, "strong", labels=(mark,))]
    if any(abs(a.value - b.value) > TIGHT_MUSD for a, b in zip(liquidity, closing, strict=True)):
        series.append(Series("Cash without BTC", closing, "middle"))
    series.append(Series("Minimum", least, "bad", dashed=True))
    if pack.plan.nothing is not None:
        idle = source.by_quarter("cash", "closing_musd", {}, pack.quarters, nothing=True)
        series.append(Series("Cash if nothing is done", idle, "quiet", dashed=True))
    series[0] = replace(series[0], labels_below=_freer_below(series[0], series[1:], lowest))
    ends = [f"{one.name}\n{ledger.money(one.values[-1])}" for one in series]
    ends[0] += ", its lowest" if at_end else ""
    for i, one in enumerate(series):
        series[i] = ended(one, ends[i], series[:i], series[i + 1 :])
    lines = tuple(series)
    return pack.over_time(
        "cash", "lines", lines, "Liquidity at the end of each quarter", "$M at the end of the quarter"
    )


def _freer_below(series: Series, others: Sequence[Series], i: int) -> bool:
    """Whether a point has more room below than above, to the next line or the chart's edge; lines it is on aside."""
    here, values = series.values[i].value, [figure.value for one in (series, *others) for figure in one.values]
    near = 0.02 * (max(values) - min(values))
    there = [one.values[i].value for one in others if abs(one.values[i].value - here) > near]
    above = min([max(values), *(value for value in there if value > here)])
    below = max([min(0.0, *values), *(value for value in there if value <= here)])
    return here - below > above - here


def ended(series: Series, label: str, before: Sequence[Series], after: Sequence[Series] = ()) -> Series:
    """The series with a label of its end there, or where it is freest of all others, if it ends with one before it."""
    if ends_apart(series, before, 2):
        return replace(series, end_label=label)
    level = all(abs(figure.value - series.values[-1].value) < TIGHT_MUSD for figure in series.values)
    said = label if level else f"{label} at the end"
    return replace(series, end_label=said, label_at=_freest(series, (*before, *after)))


def ends_apart(series: Series, others: Sequence[Series], lines: int) -> bool:
    """Whether the series' end is its label's lines of text away from that of every series that comes before it."""
    values = [figure.value for one in (series, *others) for figure in one.values]
    line = 0.05 * lines * (max(values) - min(values))
    return all(abs(series.values[-1].value - one.values[-1].value) > line for one in others)


def _freest(series: Series, others: Sequence[Series]) -> tuple[int, str]:
    """The point, not near the ends nor another label, and the side of it with most room for a label."""
    last = len(series.values) - 1
    start = max(1, last // 6)
    inner = range(start, max(last - start, start) + 1)
    taken = [i for one in others for i, text in one.labels if text]
    taken += [one.label_at[0] for one in others if one.label_at]
    free = [i for i in inner if all(abs(i - mark) > last // MARK_SHARE for mark in taken)] or list(inner)
    places = [(i, side) for i in reversed(free) for side in ("above", "below")]
    return max(places, key=lambda place: _room(series, others, *place))


def _room(series: Series, others: Sequence[Series], i: int, side: str) -> float:
    """From a point to the next line over its label, at most what a label needs, less what its own line climbs there."""
    half, here, up = len(series.values) // 10, series.values[i].value, 1 if side == "above" else -1
    near = slice(max(0, i - half), i + half + 1)
    values = [figure.value for one in (series, *others) for figure in one.values]
    low, high = min(0.0, *values), max(values)
    room = min(LABEL_SHARE * (high - low), (high - here if up > 0 else here - low) + AXIS_SHARE * (high - low))
    for one in others:
        away = [up * (figure.value - here) for figure in one.values[near]]
        if max(away) >= 0:
            room = min(room, max(0.0, min(away)))
    return room - max(up * (figure.value - here) for figure in series.values[near])


def _title(pack: Pack) -> str:
    ledger, source = pack.ledger, pack.source
    liquidity = source.by_quarter("cash", "liquidity_musd", {}, pack.quarters)
    least, low, room = (source.due(name) for name in ("minimum_cash_musd", "lowest_liquidity_musd", "headroom_musd"))
    when = pack.quarter(pack.room["lowest_liquidity_quarter"])
    head = f"Liquidity is lowest at the end of {when} with {ledger.money(low)}"
    at_least = [figure.amount for figure in liquidity if figure.value - least.value < TIGHT_MUSD]
    if room.value >= TIGHT_MUSD:
        return f"{head}, {ledger.money(room)} above the minimum"
    if len(at_least) == 1:
        return f"{head}: the minimum, and no dollar more"
    return f"{head}, and stands at the minimum in {ledger.whole(count(filter(None, at_least)))} quarters"


# ---- debt -----------------------------------------------------------------------------------------------------------


def debt_section(pack: Pack) -> Section:
    """What is owed by facility and quarter, and what it costs."""
    names = pack.source.cells("debt", "facility", {})
    if not names:
        return Section("debt", "Debt", "The company has no debt and no facility to draw on")
    most, end, cost = (pack.money(f"{name}_musd") for name in ("highest_debt", "debt_at_end", "interest_and_fees"))
    title = f"Debt is at most {most}, and {end} at the end of the horizon; interest and fees come to {cost}"
    word = {name: pack.ledger.word(pack.source.word("inputs/facilities.facility", name)) for name in names}
    paths = [
        (name, pack.source.by_quarter("debt", "closing_musd", {"facility": name}, pack.quarters)) for name in names
    ]
    owed = [(name, path) for name, path in paths if max(figure.value for figure in path) > 1e-6]
    series = [Series(word[name], path, f"product {n}") for n, (name, path) in enumerate(owed)]
    alt, unit = "Debt by facility and quarter, $M", "$M owed at the end of the quarter"
    charts = (pack.over_time("debt", "stacked columns", series, alt, unit),) if series else ()
    columns = {"draws_musd": "drawn", "repayments_musd": "repaid", "interest_musd": "interest", "fees_musd": "fees"}
    totals = [[pack.source.total("debt", column, where) for column in columns]
              for where in (*({"facility": name} for name in names), {})]  # fmt: skip
    rows = tuple(
        (name, *map(pack.ledger.fixed, row))
        for name, row in zip((*word.values(), "all facilities"), totals, strict=True)
    )
    table = Table("table:debt", ("facility", *columns.values()), rows, strong=frozenset({len(names)}),
                  caption="Debt over the horizon, $M")  # fmt: skip
    return Section("debt", "Debt", title, (*charts, table))


# ---- the statement --------------------------------------------------------------------------------------------------


def statement_section(pack: Pack) -> Section:
    """The cash-flow statement by year, and by quarter for those who want it."""
    source, money = pack.source, pack.ledger.money
    opening = source.total("cash", "opening_musd", {"quarter": pack.quarters[0]})
    closing = source.total("cash", "closing_musd", {"quarter": pack.quarters[-1]})
    title = f"Cash goes from {money(opening)} to {money(closing)} over the horizon"
    years = tuple(dict.fromkeys(quarter[:4] for quarter in pack.quarters))
    tables = (_statement(pack, years, "year"), _statement(pack, pack.quarters, "quarter"))
    return Section("statement", "Cash-flow statement", title, tables)


def _statement(pack: Pack, spans: tuple[str, ...], by: str) -> Table:
    """Lines by year or quarter, with the net flow, which is the change of cash."""
    there = set(pack.source.table("cash_flow")["line"])
    lines = {
        name: pack.source.by_quarter("cash_flow", "musd", {"line": name}, spans, by) for name in LINES if name in there
    }
    net = pack.source.by_quarter("cash", "net_musd", {}, spans, by)
    rows = [(LINES[name].words, *map(pack.ledger.fixed, path)) for name, path in lines.items()]
    rows.append(("net", *map(pack.ledger.fixed, net)))
    unlike = any(adds(column[:-1], column[-1]) for column in zip(*lines.values(), net, strict=True))
    caption = f"Cash flow by {by}, $M; received positive, paid negative. {NOT_ADDING if unlike else ''}".rstrip()
    return Table(f"table:{by}", ("line",), tuple(rows), strong=frozenset({len(lines)}), caption=caption, keys=spans,
                 folded=by == "quarter")  # fmt: skip
