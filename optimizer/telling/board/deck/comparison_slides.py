"""Slides that hold the plan against others: figures side by side, megawatts, what moved, the bridge between values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from optimizer.plan.decisions import decisions_of, moved
from optimizer.plan.figures import FIGURES
from optimizer.plan.power_uses import UNUSED
from optimizer.telling.board.deck.blocks import Box, Chart, Paragraph, Series, Slide, Table, Texts
from optimizer.telling.board.deck.figures import Figure, Source, Word, about_figure, count, study_rows
from optimizer.telling.board.deck.ledger import adds
from optimizer.telling.board.deck.money_slides import Step, bridge_chart, ended
from optimizer.telling.board.deck.pack import Pack, bridge_name
from optimizer.telling.board.keys import Key

if TYPE_CHECKING:
    from optimizer.questions.studies.study import Study

MOST_PLANS = 4
MOST_MOVED, MOST_QUARTERS = 7, 16

_FIGURES = (
    "value_musd", "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "capex_musd",
    "capex_committed_musd", "capex_budget_musd", "lowest_liquidity_musd", "highest_debt_musd", "btc_sold_musd",
)  # fmt: skip
_MEGAWATTS = ("converted_gross_mw", "contracted_it_mw", "machines_sold_gross_mw")


def comparison_slides(pack: Pack) -> tuple[Slide, ...]:
    """Figures side by side; then for each other plan what is decided otherwise, and the bridge where there is one."""
    if not pack.others:
        return ()
    slides = [_side_by_side(pack)]
    for n, other in enumerate(pack.others, 1):
        slides.append(_what_moved(pack, other, n))
        if study := pack.bridges.get(other.plan.run_id):
            slides.append(_value_bridge(pack, other, n, study))
    return tuple(slides)


def name_of(pack: Pack, source: Source) -> str:
    return pack.ledger.word(Word("name of the plan", source.name))


def quoted(pack: Pack, source: Source) -> str:
    """The name of a plan inside a sentence."""
    return f"“{name_of(pack, source)}”"


# ---- side by side ---------------------------------------------------------------------------------------------------


def _side_by_side(pack: Pack) -> Slide:
    ledger, shown = pack.ledger, (pack.source, *pack.others)[:MOST_PLANS]
    rows = [_row(pack, name, shown, ledger.money) for name in _FIGURES]
    rows += [_row(pack, name, shown, ledger.number) for name in _MEGAWATTS]
    rows.append(("Unused at last, gross MW", *(ledger.number(_unused(source)) for source in shown)))
    rows.append(_row(pack, "unlevered_return", shown, lambda f: ledger.percent(f, 1)))
    rows.append(("Status", *(ledger.word(source.word("plan.json word", source.plan.word)) for source in shown)))
    width = 0.66 / len(shown)
    table = Table(
        "table:comparison", ("", *(name_of(pack, source) for source in shown)), tuple(rows),
        (0.34, *(width for _ in shown)), "l" + "r" * len(shown), strong=frozenset({0}), largest=16,
    )  # fmt: skip
    left_out = len(pack.others) + 1 - len(shown)
    told = ledger.whole(count(Key("record", "value_musd", plan=source.run) for source in pack.others[MOST_PLANS - 1 :]))
    note = f"{told} more plans are not shown. " if left_out else ""
    return Slide(
        "comparison", _comparison_title(pack, pack.others[0]), ((Box(0, 0, 1, 1), table),), note + _basis(pack)
    )


def _unused(source: Source) -> Figure:
    return source.total("allocation", "gross_mw", {"use": UNUSED, "quarter": str(source.plan.case.last)})


def _row(pack: Pack, name: str, sources: tuple[Source, ...], told: Callable[[Figure], str]) -> tuple[str, ...]:
    """A figure of each plan under its own name; present values at the one date of all plans."""
    date = _date(pack) if FIGURES[name].dated else ""
    figures = [(source, source.kpi(name, date)) for source in sources]
    cells = (source.plan.missing(name) if figure is None else told(figure) for source, figure in figures)
    return (FIGURES[name].label, *cells)


def _comparison_title(pack: Pack, other: Source) -> str:
    ledger, late = pack.ledger, other.plan.case.first - pack.plan.case.first
    if late:
        begins = f"{quoted(pack, other)} begins {ledger.whole(abs(_first(other) - _first(pack.source)))} quarters"
        than = f"{'later' if late > 0 else 'earlier'} than {quoted(pack, pack.source)}"
        return f"{begins} {than}: compare decisions, not values"
    difference = other.due("value_musd") - pack.source.due("value_musd")
    room = pack.plan.gap_musd + other.plan.gap_musd
    theirs, ours = quoted(pack, other), quoted(pack, pack.source)
    if abs(difference.value) <= max(room, 0.05):
        return f"{theirs} and {ours} cannot be told apart by their value"
    more = "more" if difference.value > 0 else "less"
    return f"{theirs} is worth {ledger.money(abs(difference))} {more} than {ours}, this plan"


def _first(source: Source) -> Figure:
    """The first quarter of a plan, as a count of quarters."""
    return Figure(Key("settings", "first_quarter", plan=source.run), float(source.plan.case.first))


def _basis(pack: Pack) -> str:
    """What must be known before values are held side by side."""
    date = _date(pack)
    if not date:
        return "Money in $M, values dated at the start of the first quarter."
    starts = ", ".join(
        f"{name_of(pack, source)} {pack.ledger.word(source.word('case.toml first_quarter', source.plan.case.first))}"
        for source in (pack.source, *pack.others)[:MOST_PLANS]
    )
    one = f"Values are brought to one date, the start of {pack.quarter(date)}, at each plan's corporate rate"
    return f"{one}; the plans begin at different times ({starts}), and have other quarters behind them."


def _date(pack: Pack) -> str:
    """The quarter at whose start all plans are valued, the latest first quarter; blank where all begin together."""
    firsts = {source.plan.case.first for source in (pack.source, *pack.others)}
    return str(max(firsts)) if len(firsts) > 1 else ""


# ---- what moved -----------------------------------------------------------------------------------------------------


def _what_moved(pack: Pack, other: Source, number: int) -> Slide:
    sentences = moved(decisions_of(pack.plan), decisions_of(other.plan))
    word, ledger = pack.ledger.word, pack.ledger
    shown = [
        Paragraph(word(other.word("decisions that moved", text.replace(" -> ", " → "))), bullet=True)
        for text in sentences[:MOST_MOVED]
    ]
    if len(sentences) > MOST_MOVED:
        rest = ledger.whole(
            _moves(other, len(sentences)) - count(Key("moved", "decisions", plan=other.run) for _ in shown)
        )
        shown.append(Paragraph(f"and {rest} more", bullet=True))
    head = Paragraph(f"Decided otherwise in {quoted(pack, other)}", bold=True)
    texts = Texts((head, *shown) if shown else (head, Paragraph("nothing")), largest=15)
    charts = _ai_lines(pack, other)
    blocks = ((Box(0, 0, 0.46 if charts else 1, 1), texts), *charts)
    return Slide(f"moved {number}", _moved_title(pack, other, len(sentences)), blocks)


def _moves(other: Source, number: int) -> Figure:
    return Figure(Key("moved", "decisions", how="count", plan=other.run), float(number))


def _moved_title(pack: Pack, other: Source, number: int) -> str:
    ledger, ours, theirs = pack.ledger, quoted(pack, pack.source), quoted(pack, other)
    if number == 0:
        return f"{theirs} decides what {ours} decides"
    told = ledger.whole(_moves(other, number))
    differ = f"{told} {'decision differs' if number == 1 else 'decisions differ'}"
    mine, others = pack.source.due("converted_gross_mw"), other.due("converted_gross_mw")
    if abs(mine.value - others.value) < 1e-6:
        return f"{theirs} and {ours} both convert {ledger.number(mine)} gross MW; {differ}"
    return f"{theirs} converts {ledger.number(others)} gross MW where {ours} converts {ledger.number(mine)}; {differ}"


def _ai_lines(pack: Pack, other: Source) -> tuple[tuple[Box, Texts | Chart], ...]:
    """AI megawatts of both plans over the quarters that they share."""
    theirs = set(map(str, other.plan.case.horizon))
    quarters = tuple(quarter for quarter in pack.quarters if quarter in theirs)
    if len(quarters) < 2:
        return ()
    by_year = len(quarters) > MOST_QUARTERS
    if by_year:
        quarters = tuple(quarter for quarter in quarters if quarter.endswith("Q4"))
    series: list[Series] = []
    for source, role in ((pack.source, "strong"), (other, "other 0")):
        uses = tuple(row.product for row in source.plan.case.products)
        path = source.by_quarter("allocation", "gross_mw", {"use": uses}, quarters)
        label = f"{name_of(pack, source)}\n{pack.ledger.number(path[-1])} MW"
        line = Series(name_of(pack, source), path, role, dashed=source is other)
        series.append(ended(line, label, series))
    labels, years = pack.axis(quarters, 0.45)
    if by_year:
        labels, years = years_of(pack, quarters), ()
    chart = Chart("chart:comparison", "lines", labels, tuple(series), years, alt="AI capacity of both plans, gross MW")
    when = " at the end of each year" if by_year else ""
    caption = Texts((Paragraph(f"AI capacity in service{when}, gross MW", bold=True),), largest=14)
    return (Box(0.5, 0, 0.5, 0.07), caption), (Box(0.5, 0.08, 0.5, 0.92), chart)


def years_of(pack: Pack, quarters: tuple[str, ...]) -> tuple[str, ...]:
    """The years of quarters, one for each."""
    word, source = pack.ledger.word, pack.source
    short = len(quarters) > 10
    return tuple(word(source.word("calendar year", f"’{q[2:4]}" if short else q[:4])) for q in quarters)


# ---- the bridge between two values ----------------------------------------------------------------------------------


def _value_bridge(pack: Pack, other: Source, number: int, study: Study) -> Slide:
    """What made the difference, by groups of inputs, from the study of that kind."""
    ledger, rows = pack.ledger, study_rows(study, "lines", bridge_name(other.plan.run_id))
    of = bridge_name(other.plan.run_id)
    start, end = (about_figure(study, f"{side}_value_musd", of) for side in ("from", "to"))
    forward = str(study.about.get("from_run_id")) == pack.plan.run_id
    first, last = (pack.source, other) if forward else (other, pack.source)
    changes = [
        Step(ledger.word(row.word("group")), row.figure("line_musd")) for row in rows if abs(row["line_musd"]) > 0.005
    ]
    steps = (Step(name_of(pack, first), start, True), *changes, Step(name_of(pack, last), end, True))
    best = max(rows, key=lambda row: abs(float(row["line_musd"])))
    word = ledger.word(best.word("words") if str(best["words"]) else best.word("group"))
    way = f"from {ledger.money(start)} to {ledger.money(end)}"
    title = f"The largest step {way} is {ledger.signed(best.figure('line_musd'))}: {word}"
    note = adds([step.figure for step in steps[:-1]], end)
    told = "Each step is the mean of two orders in which the groups of inputs are exchanged and decided anew."
    if date := study.about.get("date"):
        told += f" Values are dated at {ledger.word(Word('studies/bridge/about.date', str(date)))}."
        for source, figure in ((first, start), (last, end)):
            if str(source.plan.case.first) != str(date):
                own = f"{ledger.money(source.due('value_musd'))} of {quoted(pack, source)} at its own start"
                told += f" The {own} are {ledger.money(figure)} then."
    chart = bridge_chart(pack, f"chart:bridge {number}", steps)
    return Slide(f"bridge {number}", title, ((Box(0, 0, 1, 1), chart),), f"{told} {note}".strip())
