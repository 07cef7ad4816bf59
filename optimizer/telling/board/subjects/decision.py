"""The decision: what the board is asked to approve, what it brings, and what becomes of each site."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.case.schema import MINING
from optimizer.ground.amounts import TOLD_MUSD
from optimizer.plan.figures import sales_and_delays
from optimizer.telling.board.blocks import Box, Cards, Paragraph, Section, Slide, Texts
from optimizer.telling.board.figures import Figure, Row, count
from optimizer.telling.board.ledger import listed
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.subjects.contracts import offers_signed, span_words
from optimizer.telling.board.subjects.figures import figures_table
from optimizer.telling.board.subjects.megawatts import SHOWN_MW
from optimizer.telling.board.tables import sold_tables, written

MOST_DECISIONS = 8


def decision(pack: Pack) -> Slide:
    """What the board is asked to approve, and what it brings."""
    words = Paragraph("The board is asked to approve", bold=True)
    blocks = ((Box(0, 0, 0.56, 1), Texts((words, *_asked(pack)))), (Box(0.61, 0, 0.39, 1), cards(pack)))
    return Slide("decision", decision_title(pack), blocks, nothing_fails(pack))


def decision_title(pack: Pack) -> str:
    """The decision in one sentence with what it is worth."""
    over, value = pack.source.kpi("value_over_do_nothing_musd"), pack.money("value_musd")
    new = pack.source.rows("starts", {"decided": "new"})
    if not new:
        further = "further " if len(pack.source.table("starts")) else ""
        if over is None:
            return f"No {further}conversion is proposed: the plan is worth {value}; {_no_choice(pack)}"
        return f"No {further}conversion is proposed: the plan {_against_nothing(pack, over)}"
    what = f"Converting {pack.mw('new_gross_mw')} gross MW at {_site_names(pack, new)}"
    if over is None:
        return f"{what} gives a plan worth {value}; {_no_choice(pack)}"
    return f"{what} {_against_nothing(pack, over)}"


def _no_choice(pack: Pack) -> str:
    return "doing nothing keeps neither commitments nor policies"


def _against_nothing(pack: Pack, over: Figure) -> str:
    if abs(over.value) < 0.05:
        return "is worth as much as doing nothing"
    if over.value > 0:
        further = pack.source.kpi("value_over_mining_on_musd")
        beside = "" if further is None else f", {pack.ledger.money(further)} over mining on"
        return f"adds {pack.ledger.money(over)} over doing nothing{beside}"
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
    return listed(names) if len(names) <= 3 else pack.many("starts", "site", "site", decided="new")


def _asked(pack: Pack) -> tuple[Paragraph, ...]:
    """Starts and signings in the order of their quarters, then the money."""
    options: dict[str, list[Row]] = {}
    for row in pack.source.rows("starts", {"decided": "new"}):
        options.setdefault(str(row["option"]), []).append(row)
    dated = [(str(rows[0]["start_quarter"]), 0, _starts_words(pack, rows), rows[0]) for rows in options.values()]
    dated += [
        (str(row["delivery_quarter"]), 1, _signing_words(pack, row), row)
        for row in pack.source.rows("contracts", {"decided": "new"})
    ]
    dated.sort(key=lambda entry: entry[:2])
    words = [text for _, _, text, _ in dated] or [_mining_words(pack)]
    if len(words) > MOST_DECISIONS:
        left = pack.ledger.whole(count(row for *_, row in dated[MOST_DECISIONS:]))
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
        f"{word(row.word('site'))}, {span_words(pack, row)}; sign by {word(row.word('sign_by_quarter'))}"
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
        rows = [row for row in source.rows("debt") if row["draws_musd"] > 0.05]
        names = {str(row["facility"]): ledger.word(row.word("facility")) for row in rows}
        yield f"Draw {ledger.money(drawn)} of {listed(list(names.values()), 2, 'other facilities')}"
    yield from (f"{one.verb} {pack.sentence(one)}" for one in sales_and_delays(pack.room))


# ---- the figures set large ------------------------------------------------------------------------------------------


def cards(pack: Pack) -> Cards:
    """The figures that a board asks for first."""
    last, over = pack.quarter(pack.quarters[-1]), pack.source.kpi("value_over_do_nothing_musd")
    if over is not None and pack.source.kpi("terminal_value_over_do_nothing_musd") is not None:
        value = (pack.ledger.money(over), "value over doing nothing")
        after = (pack.money("terminal_value_over_do_nothing_musd"), _after_words(pack, last))
    else:
        value = (pack.money("value_musd"), "value of the plan")
        after = (pack.money("value_after_horizon_musd"), f"of it comes after {last}")
    quarter = pack.when("lowest_liquidity_quarter")
    when = f" at the end of {quarter}" if quarter else ""
    lowest = f"lowest liquidity{when}; minimum {pack.money('minimum_cash_musd')}"
    shown = (
        (value[0], f"{value[1]}{_mining_on_words(pack)}"),
        (after[0], f"{after[1]}{_firm_words(pack)}"),
        (pack.money("capex_new_musd"), _capex_card(pack)),
        (pack.money("lowest_liquidity_musd"), lowest),
    )
    return Cards((*shown, *return_cards(pack)))


def _mining_on_words(pack: Pack) -> str:
    """Beside the value: that over the best plan without new halls, or where there is none when it breaks."""
    over, short = pack.source.kpi("value_over_mining_on_musd"), pack.source.kpi("mining_on_short_musd")
    if over is not None:
        return f"; {pack.ledger.money(over)} over mining on"
    if short is None:
        return ""
    return f"; mining on breaks in {pack.when('mining_on_breaks_quarter')}, {pack.ledger.money(short)} short"


def _firm_words(pack: Pack) -> str:
    """What of the plan's value comes after tenants' firm terms."""
    options = pack.source.due("value_after_firm_terms_musd")
    return f"; {pack.ledger.money(options)} after firm terms" if options.value > TOLD_MUSD else ""


def _capex_card(pack: Pack) -> str:
    """New capex beside what was committed before, the budget of both, and what tenants advance and are paid back."""
    committed, paid = (pack.source.due(name) for name in ("capex_committed_musd", "tenant_advances_musd"))
    budget, whole = pack.money("capex_budget_musd"), pack.money("capex_musd")
    before = f"; {whole} with what was committed before" if committed.value > TOLD_MUSD else ""
    words = f"new capex{before}; budget {budget}"
    if paid.value <= TOLD_MUSD:
        return words
    out = f"{pack.ledger.money(paid)} advanced by tenants, paid back as {pack.money('advances_paid_back_musd')}"
    return f"{words}; {out}"


def _after_words(pack: Pack, last: str) -> str:
    """What of the value over doing nothing comes after the horizon, and where it is more than all, what before."""
    within = pack.source.due("within_over_do_nothing_musd")
    if within.value >= 0:
        return f"of it comes after {last}"
    return f"of it comes after {last}, {pack.ledger.money(-within)} less until then"


def return_cards(pack: Pack) -> Iterator[tuple[str, str]]:
    """The programme's return and the shareholders', each with its pay-back; nothing where there is no programme."""
    if not len(pack.source.table("starts")):
        return
    plan = pack.source.plan
    for kind, whose, every in (
        ("unlevered", "return of the programme over doing nothing", plan.programme_rates),
        ("levered", "return to shareholders", plan.levered_rates),
    ):
        rate, quarter = pack.source.kpi(f"{kind}_return"), pack.when(f"{kind}_payback_quarter")
        paid = f"; paid back in {quarter}" if quarter else "; not paid back"
        if rate is not None:
            yield pack.ledger.percent(rate, 1), f"a year, {whose}{paid}"
        else:
            several = "rates fit the " if len(every) > 1 else ""
            yield plan.missing(f"{kind}_return"), f"{several}{whose}{', none alone' if several else ''}{paid}"


def tiles(pack: Pack) -> Cards:
    """The same on a page, which also sets the megawatts large."""
    committed = pack.source.due("committed_gross_mw")
    before = f", {pack.ledger.number(committed)} of them committed before" if committed.value > 0 else ""
    it, signed = pack.mw("converted_it_mw"), pack.mw("contracted_it_mw")
    told = f"gross become AI capacity{before}: {it} IT MW, {signed} of them under contract"
    shown = cards(pack).cards
    return Cards((*shown, (f"{pack.mw('converted_gross_mw')} MW", told)))


# ---- by site --------------------------------------------------------------------------------------------------------


def decisions_section(pack: Pack) -> Section:
    """The decision by site, in words; what is spent, drawn, sold and late; what is refused."""
    sites = pack.many("inputs/sites", "site", "site")
    if len(pack.source.table("starts")):
        title = f"Work starts at {pack.many('starts', 'site')} of {sites}; {offers_signed(pack)}"
    else:
        title = f"Of {sites}, none is converted"
    by_site = [f"{pack.site(row.site)}: {fate(pack, row.site)}" for row in pack.plan.case.sites]
    bullets = (*(Paragraph(text, bullet=True) for text in (*by_site, *_money_asked(pack))), *_refused(pack))
    sold = (written(pack, one) for one in sold_tables(pack.plan))
    return Section("decision", "The decision by site", title, (Texts(bullets), figures_table(pack), *sold))


def _refused(pack: Pack) -> tuple[Paragraph, ...]:
    signed = set(pack.plan.contracts["offer"])
    refused = [row.word("offer") for row in pack.source.inputs("offers") if row["offer"] not in signed]
    words = listed([pack.ledger.word(offer) for offer in refused], len(refused)) if refused else ""
    return (Paragraph(f"Refused: {words}.", quiet=True),) if refused else ()


def fate(pack: Pack, site: str) -> str:
    """What a plan decides at a site, in words."""
    parts = [_start_words(pack, row) for row in pack.source.rows("starts", {"site": site})]
    path = pack.source.by_quarter("allocation", "gross_mw", {"site": site, "use": MINING}, pack.quarters)
    on = [i for i, figure in enumerate(path) if figure.value > 1e-6]
    if on:
        number, quarters = pack.ledger.number, pack.quarters
        last = "the end of the horizon" if on[-1] + 1 == len(quarters) else pack.quarter(quarters[on[-1]])
        parts.append(f"mines to {last} ({number(path[on[0]])} gross MW at first, {number(path[on[-1]])} at last)")
    return "; ".join(parts) or "neither mines nor converts"


def _start_words(pack: Pack, row: Row) -> str:
    word, number = pack.ledger.word, pack.ledger.number
    gross, it = number(row.figure("gross_mw")), number(row.figure("it_mw"))
    start, service = (word(row.word(f"{name}_quarter")) for name in ("start", "service"))
    committed = " (committed)" if row["decided"] == "committed" else ""
    return (
        f"{gross} gross MW ({it} IT) become {word(row.word('product'))}, start {start}, in service {service}{committed}"
    )
