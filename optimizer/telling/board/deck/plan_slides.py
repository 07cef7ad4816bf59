"""Slides on what is decided: the decision asked for, megawatts by use, where and when."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.case.schema import MINING
from optimizer.ground.amounts import TOLD_MUSD
from optimizer.plan.figures import sales_and_delays
from optimizer.plan.power_uses import UNUSED, uses_there
from optimizer.plan.unused import Standing, standings
from optimizer.telling.board.deck.blocks import (
    WHOLE,
    Bar,
    Box,
    Cards,
    Chart,
    Gantt,
    Keys,
    Lane,
    Paragraph,
    Series,
    Slide,
    Table,
    Texts,
)
from optimizer.telling.board.deck.contract_slide import span_words
from optimizer.telling.board.deck.figures import Figure, Row, count
from optimizer.telling.board.deck.ledger import listed
from optimizer.telling.board.deck.pack import Pack

MOST_DECISIONS = 8
SHOWN_MW = 0.05
"""Gross MW unused below which a title does not tell them."""
LANES = 17
"""Lanes of bars that one slide holds at twelve points."""


# ---- the decision ---------------------------------------------------------------------------------------------------


def decision(pack: Pack) -> Slide:
    """What the board is asked to approve, and what it brings."""
    asked = _asked(pack)
    words = Paragraph("The board is asked to approve", bold=True)
    blocks = ((Box(0, 0, 0.56, 1), Texts((words, *asked))), (Box(0.61, 0, 0.39, 1), _cards(pack)))
    return Slide("decision", decision_title(pack), blocks, nothing_fails(pack))


def decision_title(pack: Pack) -> str:
    """The decision in one sentence with what it is worth."""
    ledger, source = pack.ledger, pack.source
    over, value = source.kpi("value_over_do_nothing_musd"), source.due("value_musd")
    new = source.rows("starts", {"decided": "new"})
    if not new:
        further = "further " if len(source.table("starts")) else ""
        if over is None:
            return f"No {further}conversion is proposed: the plan is worth {ledger.money(value)}"
        return f"No {further}conversion is proposed: the plan {_against_nothing(pack, over)}"
    what = f"Converting {ledger.number(source.due('new_gross_mw'))} gross MW at {_site_names(pack, new)}"
    if over is None:
        return f"{what} gives a plan worth {ledger.money(value)}; doing nothing is no choice here"
    return f"{what} {_against_nothing(pack, over)}"


def _against_nothing(pack: Pack, over: Figure) -> str:
    if abs(over.value) < 0.05:
        return "is worth as much as doing nothing"
    if over.value > 0:
        return f"adds {pack.ledger.money(over)} over doing nothing"
    return f"is worth {pack.ledger.money(-over)} less than doing nothing{_which_fails(pack)}"


def _which_fails(pack: Pack) -> str:
    lowest, least = pack.source.kpi("do_nothing_lowest_cash_musd"), pack.source.due("minimum_cash_musd")
    return ", which runs out of cash" if lowest is not None and lowest.value < least.value - 1e-6 else ""


def nothing_fails(pack: Pack) -> str:
    """That doing nothing, though it is what the plan is held against, would not keep the minimum; else nothing."""
    rows = [] if pack.plan.nothing is None else pack.source.rows("cash", nothing=True)
    short = [row for row in rows if row["closing_musd"] < row["minimum_musd"] - 1e-6]
    if not short:
        return ""
    lowest = min(short, key=lambda row: float(row["closing_musd"]))
    since, by = pack.ledger.word(short[0].word("quarter")), pack.ledger.word(lowest.word("quarter"))
    return (
        f"Doing nothing is a yardstick, not a way out: its cash falls below the minimum in {since} and to "
        f"{pack.ledger.money(lowest.figure('closing_musd'))} by {by}."
    )


def _site_names(pack: Pack, starts: list[Row]) -> str:
    names = list({str(row["site"]): pack.ledger.word(row.word("site")) for row in starts}.values())
    if len(names) > 3:
        return f"{pack.ledger.whole(count({str(row['site']): row for row in starts}.values()))} sites"
    return listed(names)


def _asked(pack: Pack) -> tuple[Paragraph, ...]:
    """Starts and signings in the order of their quarters, then the money."""
    source, ledger = pack.source, pack.ledger
    options: dict[str, list[Row]] = {}
    for row in source.rows("starts", {"decided": "new"}):
        options.setdefault(str(row["option"]), []).append(row)
    dated = [(str(rows[0]["start_quarter"]), 0, _starts_words(pack, rows), rows[0]) for rows in options.values()]
    dated += [
        (str(row["delivery_quarter"]), 1, _signing_words(pack, row), row)
        for row in source.rows("contracts", {"decided": "new"})
    ]
    dated.sort(key=lambda entry: entry[:2])
    words = [text for _, _, text, _ in dated]
    if not words:
        words = [_mining_words(pack)]
    rest = len(words) - MOST_DECISIONS
    if rest > 0:
        left = ledger.whole(count(row for *_, row in dated[MOST_DECISIONS:]))
        words = [*words[:MOST_DECISIONS], f"and {left} more starts and contracts, listed on the slides that follow"]
    return tuple(Paragraph(text, bullet=True) for text in (*words, *_money_asked(pack)))


def _mining_words(pack: Pack) -> str:
    uses = pack.source.total("allocation", "gross_mw", {"use": MINING, "quarter": pack.quarters[0]})
    when = pack.quarter(pack.quarters[0])
    if uses.value <= SHOWN_MW:
        return f"Start no hall; nothing mines in {when}"
    return f"Keep mining with {pack.ledger.number(uses)} gross MW in {when}, and start no hall"


def _starts_words(pack: Pack, rows: list[Row]) -> str:
    """All starts of an option in one sentence."""
    word, number, first, last = pack.ledger.word, pack.ledger.number, rows[0], rows[-1]
    gross, it = (sum((row.figure(c) for row in rows[1:]), first.figure(c)) for c in ("gross_mw", "it_mw"))
    what = f"{word(first.word('site'))}: {number(gross)} gross MW ({number(it)} IT MW) to {word(first.word('product'))}"
    start, service = word(first.word("start_quarter")), word(first.word("service_quarter"))
    if len(rows) == 1:
        return f"{what}, start {start}, in service {service}"
    steps = pack.ledger.whole(count(rows))
    starts = f"starts {start} to {word(last.word('start_quarter'))}"
    return f"{what} in {steps} steps, {starts}, in service {service} to {word(last.word('service_quarter'))}"


def _signing_words(pack: Pack, row: Row) -> str:
    word = pack.ledger.word
    return (
        f"Sign {word(row.word('customer'))}: {pack.ledger.number(row.figure('it_mw'))} IT MW at "
        f"{word(row.word('site'))}, {span_words(pack, row)}"
    )


def _money_asked(pack: Pack) -> Iterator[str]:
    source, ledger = pack.source, pack.ledger
    new, committed = source.due("capex_new_musd"), source.due("capex_committed_musd")
    if new.value > TOLD_MUSD:
        last = str(source.table("capex")["quarter"].astype(str).max())
        before = f", beside {ledger.money(committed)} committed before" if committed.value > TOLD_MUSD else ""
        yield f"Spend {ledger.money(new)} of new capex{before}, the last of it in {pack.quarter(last)}"
    drawn = source.due("debt_drawn_musd")
    if drawn.value > TOLD_MUSD:
        rows = source.rows("debt")
        names = {str(row["facility"]): ledger.word(row.word("facility")) for row in rows if row["draws_musd"] > 0.05}
        yield f"Draw {ledger.money(drawn)} of {listed(list(names.values()), 2, 'other facilities')}"
    yield from (f"{one.verb} {pack.sentence(one)}" for one in sales_and_delays(pack.room))


def _cards(pack: Pack) -> Cards:
    source, ledger = pack.source, pack.ledger
    over, after = source.kpi("value_over_do_nothing_musd"), source.kpi("terminal_value_over_do_nothing_musd")
    last, least = pack.quarter(pack.quarters[-1]), ledger.money(source.due("minimum_cash_musd"))
    cards = []
    if over is not None and after is not None:
        cards.append((ledger.money(over), "value over doing nothing"))
        cards.append((ledger.money(after), _after_words(pack, last)))
    else:
        cards.append((ledger.money(source.due("value_musd")), "value of the plan"))
        cards.append((ledger.money(source.due("value_after_horizon_musd")), f"of it comes after {last}"))
    cards.append((ledger.money(source.due("capex_new_musd")), _capex_card(pack)))
    quarter = source.kpi_word("lowest_liquidity_quarter")
    when = f" at the end of {ledger.word(quarter)}" if quarter else ""
    cards.append((ledger.money(source.due("lowest_liquidity_musd")), f"lowest liquidity{when}; minimum {least}"))
    return Cards((*cards, *_return_cards(pack)))


def _capex_card(pack: Pack) -> str:
    """What the new capex comes to with what was committed before, and the budget that both share."""
    source, money = pack.source, pack.ledger.money
    committed, paid = source.due("capex_committed_musd"), source.due("tenant_advances_musd")
    net = f", {money(paid)} of it advanced by tenants" if paid.value > TOLD_MUSD else ""
    budget = money(source.due("capex_budget_musd"))
    if committed.value <= TOLD_MUSD:
        return f"new capex{net}, of a budget of {budget}"
    whole = money(source.due("capex_musd"))
    return f"new capex{net}; with {money(committed)} committed before, {whole} of a budget of {budget}"


def _after_words(pack: Pack, last: str) -> str:
    """What of the value over doing nothing comes after the horizon, and where it is more than all, what before."""
    within = pack.source.due("within_over_do_nothing_musd")
    if within.value >= 0:
        return f"of it comes after {last}"
    return f"of it comes after {last}, {pack.ledger.money(-within)} less until then"


def _return_cards(pack: Pack) -> Iterator[tuple[str, str]]:
    if not len(pack.source.table("starts")):
        return
    rate, paid = pack.source.kpi("unlevered_return"), pack.source.kpi_word("unlevered_payback_quarter")
    if rate is not None:
        yield pack.ledger.percent(rate, 1), "a year, return of the programme over doing nothing"
    elif len(pack.source.plan.programme_rates) > 1:
        yield "several", "rates of return fit the programme, none alone"
    if paid is not None:
        yield pack.ledger.word(paid), "is when the programme has paid back"


# ---- megawatts ------------------------------------------------------------------------------------------------------


def megawatts(pack: Pack) -> Slide:
    """Gross MW by use and quarter, stacked up to the grid limit; what is unused stands on top."""
    uses = list(uses_there(pack.plan))
    series = tuple(Series(pack.use_words(use), _path(pack, use), pack.role(use)) for use in uses)
    keys = tuple((pack.role(use), _path_words(pack, use)) for use in uses)
    labels, years = pack.axis(pack.quarters)
    limit = Series("Grid limit of all sites", pack.source.limits(pack.quarters), "level")
    alt = "Gross MW by use and quarter, up to the grid limit of all sites"
    chart = Chart("chart:megawatts", "stacked columns", labels, series, years, limit, gap=25, alt=alt)
    note = "Gross MW at the meter by quarter; the line is the grid limit of all sites."
    blocks = ((Box(0, 0, 1, 0.1), Keys(keys)), (Box(0, 0.11, 1, 0.89), chart))
    return Slide("megawatts", _megawatts_title(pack), blocks, note)


def unused(pack: Pack) -> Slide | None:
    """What stands unused at last, by site and why; like sites share a line."""
    standing = standings(pack.plan)
    if not standing:
        return None
    word, number, source = pack.ledger.word, pack.ledger.number, pack.source
    rows = tuple(
        (
            listed([word(source.word("inputs/sites.site", site)) for site in one.sites], 12) + _until(pack, one),
            number(_unused_of(pack, one)),
            word(source.word("reason of no hall", one.reason.hall)),
            word(source.word("reason of no machines", one.reason.machines)),
        )
        for one in standing
    )  # fmt: skip
    head = ("Site", "Gross MW", "Why no hall", "Why no machines")
    table = Table("table:unused", head, rows, (0.24, 0.1, 0.4, 0.26), "lrll", largest=14)
    limits = source.limits(pack.quarters)
    note = (
        f"Unused is what no use takes of the grid limit; that limit is {number(limits[0])} gross MW at first and "
        f"{number(limits[-1])} at last, and what lies above it is not energised yet."
    )
    return Slide("unused", _unused_title(pack, standing), ((WHOLE, table),), note)


def _until(pack: Pack, one: Standing) -> str:
    return "" if one.quarter == pack.plan.case.last else f", until {pack.quarter(one.quarter)}"


def _unused_of(pack: Pack, one: Standing) -> Figure:
    return pack.source.total("allocation", "gross_mw", {"use": UNUSED, "site": one.sites, "quarter": str(one.quarter)})


def _unused_title(pack: Pack, standing: tuple[Standing, ...]) -> str:
    word, number, most = pack.ledger.word, pack.ledger.number, standing[0]
    sites = listed([word(pack.source.word("inputs/sites.site", site)) for site in most.sites], 3, "others")
    at_last = _path(pack, UNUSED)[-1]
    if at_last.value <= SHOWN_MW:
        return f"In {pack.quarter(pack.quarters[-1])} no megawatt stands unused; before, some did"
    return (
        f"{number(at_last)} gross MW stand unused at last, most of them, {number(_unused_of(pack, most))}, at {sites}"
    )


def _path(pack: Pack, use: str | tuple[str, ...]) -> tuple[Figure, ...]:
    return pack.source.by_quarter("allocation", "gross_mw", {"use": use}, pack.quarters)


def _path_words(pack: Pack, use: str) -> str:
    path, number = _path(pack, use), pack.ledger.number
    words = f"{pack.use_words(use)}: {number(path[0])} at first"
    most = max(path, key=lambda figure: figure.value)
    if most.value > max(path[0].value, path[-1].value) + 1e-9:
        words += f", {number(most)} at most"
    return f"{words}, {number(path[-1])} at last"


def _megawatts_title(pack: Pack) -> str:
    number, ai = pack.ledger.number, _path(pack, pack.products)
    mining = _path(pack, MINING)
    most = max(ai, key=lambda figure: figure.value)
    if most.value < 1e-9 and max(figure.value for figure in mining) <= SHOWN_MW:
        return "No megawatt is converted, and nothing mines"
    if most.value < 1e-9:
        ends = f"{number(mining[0])} gross MW at first and {number(mining[-1])} at last"
        return f"No megawatt is converted: mining runs {ends}"
    when = pack.quarter(pack.quarters[ai.index(most)])
    grown = f"AI capacity grows from {number(ai[0])} to {number(most)} gross MW by {when}"
    if most.value <= ai[0].value + 1e-9:
        grown = f"AI capacity stays at {number(ai[0])} gross MW"
    unused, limit = _path(pack, UNUSED)[-1], pack.source.limits(pack.quarters[-1:])[0]
    if unused.value > SHOWN_MW:
        return f"{grown}; of {number(limit)} MW at the grid, {number(unused)} stand unused at last"
    return f"{grown}{_mining_path_words(pack, mining)}"


def _mining_path_words(pack: Pack, mining: tuple[Figure, ...]) -> str:
    number, on = pack.ledger.number, [i for i, figure in enumerate(mining) if figure.value > 1e-9]
    if not on:
        return "; nothing mines"
    if on[-1] + 1 < len(mining):
        return f"; mining, {number(mining[on[0]])} MW at first, ends after {pack.quarter(pack.quarters[on[-1]])}"
    return f" while mining goes from {number(mining[0])} to {number(mining[-1])} MW"


# ---- where and when -------------------------------------------------------------------------------------------------


def where_and_when(pack: Pack) -> tuple[Slide, ...]:
    """Bars by site and use; sites that convert come first, a site's bars stay on one slide; none without any bar."""
    sites = _sites_in_order(pack)
    if not sites:
        return ()
    pages = _pages([_site_lanes(pack, site) for site in sites])
    ticks = tuple((i, pack.quarter(q)) for i, q in enumerate(pack.quarters) if i % _tick_step(len(pack.quarters)) == 0)
    rest = [row for row in pack.source.inputs("sites") if row["site"] not in sites]
    told = pack.ledger.whole(count(rest))
    neither = "site neither mines nor converts" if len(rest) == 1 else "sites neither mine nor convert"
    note = f"Numbers are gross MW. {told} {neither}." if rest else "Numbers are gross MW."
    title = _where_title(pack)
    return tuple(
        Slide(
            f"where {n}" if n else "where", f"{title}{' (continued)' if n else ''}",
            ((WHOLE, Gantt("gantt:where", len(pack.quarters), ticks, tuple(lanes), label_share=0.21)),), note,
        )
        for n, lanes in enumerate(pages)
    )  # fmt: skip


def _pages(sites: list[list[Lane]]) -> list[list[Lane]]:
    """Lanes spread over as few slides as hold them, about evenly, a site's lanes together."""
    lanes = sum(map(len, sites))
    most = -(-lanes // max(1, -(-lanes // LANES)))
    pages: list[list[Lane]] = [[]]
    for site in sites:
        if pages[-1] and len(pages[-1]) + len(site) > max(most, LANES if len(pages) * LANES >= lanes else most):
            pages.append([])
        pages[-1] += site
    return pages


def _tick_step(quarters: int) -> int:
    return 4 if quarters > 12 else 2 if quarters > 8 else 1


def _sites_in_order(pack: Pack) -> list[str]:
    """Converting sites by their first start, then those that only mine, in the order of the case."""
    starts = pack.source.table("starts")
    first = {str(site): str(rows["start_quarter"].astype(str).min()) for site, rows in starts.groupby("site")}
    used = pack.source.table("allocation")
    busy = set(used[(used["use"] != UNUSED) & (used["gross_mw"] > 1e-9)]["site"])
    sites = [site.site for site in pack.plan.case.sites if site.site in busy]
    return sorted(sites, key=lambda site: first.get(site, "9999"))


def _site_lanes(pack: Pack, site: str) -> list[Lane]:
    source = pack.source
    label = pack.ledger.word(next(row for row in source.inputs("sites", {"site": site})).word("site"))
    lanes = []
    for use in pack.uses:
        if use == UNUSED:
            continue
        path = source.by_quarter("allocation", "gross_mw", {"use": use, "site": site}, pack.quarters)
        if bars := _bars(pack, use, path):
            lanes.append(Lane(label, bars))
    return lanes


def _bars(pack: Pack, use: str, path: tuple[Figure, ...]) -> tuple[Bar, ...]:
    """A bar for each stretch of quarters in which the use takes power; its text tells first and last."""
    words = "" if pack.uses[use].named else pack.uses[use].verb
    bars, begun = [], None
    for i, figure in enumerate((*path, None)):
        on = figure is not None and figure.value > 1e-9
        if on and begun is None:
            begun = i
        elif not on and begun is not None:
            what = words or pack.use_words(use)
            stretch = _stretch_words(pack, path[begun:i])
            bars.append(Bar(begun, i - 1, pack.role(use), (f"{what} {stretch}", stretch)))
            begun = None
    return tuple(bars)


def _stretch_words(pack: Pack, path: tuple[Figure, ...]) -> str:
    number = pack.ledger.number
    steps = [path[0]]
    for figure in path:
        if abs(figure.value - steps[-1].value) > 1e-9:
            steps.append(figure)
    if len(steps) > 3:
        steps = [steps[0], steps[-1]]
    return " → ".join(number(figure) for figure in steps)


def _where_title(pack: Pack) -> str:
    ledger, source = pack.ledger, pack.source
    starts = source.rows("starts")
    if not starts:
        mining = {row["site"]: row for row in source.rows("allocation", {"use": MINING}) if row["gross_mw"] > 1e-9}
        told = ledger.whole(count(mining.values()))
        return f"{told} {'site mines' if len(mining) == 1 else 'sites mine'} and none converts"
    last = max(starts, key=lambda row: str(row["service_quarter"]))
    if len(starts) == 1:
        begins, serves = ledger.word(last.word("start_quarter")), ledger.word(last.word("service_quarter"))
        return f"{ledger.word(last.word('site'))} starts in {begins} and is in service in {serves}"
    soonest = min(str(row["start_quarter"]) for row in starts)
    first = {row["site"]: row for row in starts if row["start_quarter"] == soonest}
    sites = listed([ledger.word(row.word("site")) for row in first.values()], 2, "others")
    when = ledger.word(next(iter(first.values())).word("start_quarter"))
    head = f"{sites} {'starts' if len(first) == 1 else 'start'} first, in {when}"
    return f"{head}; the last hall is in service in {ledger.word(last.word('service_quarter'))}"
