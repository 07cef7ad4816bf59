"""Plans held against each other: figures side by side, what is decided otherwise, the bridge between their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.plan.decisions import decisions_of, moved
from optimizer.plan.figures import FIGURES
from optimizer.plan.power_uses import UNUSED
from optimizer.telling.board.blocks import WHOLE, Box, Chart, Paragraph, Section, Series, Slide, Table, Texts
from optimizer.telling.board.figures import Figure, Source, Word, count
from optimizer.telling.board.keys import Key
from optimizer.telling.board.ledger import adds, listed
from optimizer.telling.board.pack import Pack, bridge_name
from optimizer.telling.board.subjects.bridge import Rung, bridge_chart
from optimizer.telling.board.subjects.cash import ended
from optimizer.telling.board.subjects.decision import fate
from optimizer.telling.board.subjects.figures import COMPARED, ON_A_SLIDE
from optimizer.telling.board.subjects.studies import study_table

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

MOST_PLANS = 4
MOST_MOVED, MOST_QUARTERS = 7, 16


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


def comparison_section(packs: Sequence[Pack]) -> Section:
    """The plans of a page side by side, how sure their difference is, and the sites at which they decide otherwise."""
    first, others = packs[0], packs[1:]
    sources = tuple(one.source for one in packs)
    table = _figures(first, sources, (*COMPARED[:-1], None, COMPARED[-1]))
    blocks = (
        table,
        *_certainty(first, others[0].source),
        *(b for one in others for b in _bridge_tables(first, one)),
        *_sites(packs),
    )
    return Section("comparison", "Comparison", _title(first, others[0].source), blocks)


def date_of(plans: Sequence[Plan]) -> str:
    """The quarter at whose start all plans are valued, the latest first quarter; blank where all begin together."""
    firsts = {plan.case.first for plan in plans}
    return str(max(firsts)) if len(firsts) > 1 else ""


def name_of(pack: Pack, source: Source) -> str:
    return pack.ledger.word(Word("name of the plan", source.name))


def quoted(pack: Pack, source: Source) -> str:
    """The name of a plan inside a sentence."""
    return f"“{name_of(pack, source)}”"


# ---- side by side ---------------------------------------------------------------------------------------------------


def _side_by_side(pack: Pack) -> Slide:
    ledger, every = pack.ledger, (pack.source, *pack.others)
    shown = every[:MOST_PLANS]
    table = _figures(pack, shown, (*ON_A_SLIDE, None, "unlevered_return", "levered_return"))
    left_out = len(every) - len(shown)
    told = ledger.whole(count(Key("record", "value_musd", plan=source.run) for source in pack.others[MOST_PLANS - 1 :]))
    note = f"{told} more plans are not shown. " if left_out else ""
    return Slide("comparison", _title(pack, pack.others[0]), ((WHOLE, table),), note + _basis(pack, shown))


def _figures(pack: Pack, sources: Sequence[Source], names: Sequence[str | None]) -> Table:
    """Figures of each plan under their own names, present values at the one date of all; None is what stands unused."""
    word, date = pack.ledger.word, date_of([source.plan for source in sources])
    rows = [_row(pack, name, sources, date) if name else _unused_row(pack, sources) for name in names]
    rows.append(("Status", *(word(source.word("plan.json word", source.plan.word)) for source in sources)))
    width = 0.66 / len(sources)
    return Table(
        "table:comparison", ("", *(name_of(pack, source) for source in sources)), tuple(rows),
        (0.34, *(width for _ in sources)), "l" + "r" * len(sources), frozenset({0}), caption="The plans side by side",
    )  # fmt: skip


def _unused_row(pack: Pack, sources: Sequence[Source]) -> tuple[str, ...]:
    return ("Unused at last, gross MW", *(pack.ledger.number(_unused(source)) for source in sources))


def _unused(source: Source) -> Figure:
    return source.total("allocation", "gross_mw", {"use": UNUSED, "quarter": str(source.plan.case.last)})


def _row(pack: Pack, name: str, sources: Sequence[Source], date: str) -> tuple[str, ...]:
    """A figure of each plan; words where a plan has none."""
    known, figures = (
        FIGURES[name],
        [(source, source.kpi(name, date if FIGURES[name].dated else "")) for source in sources],
    )
    return (
        known.label,
        *(source.plan.missing(name) if f is None else _shown(pack, known.unit, f) for source, f in figures),
    )


def _shown(pack: Pack, unit: str, figure: Figure) -> str:
    if unit == "a year":
        return pack.ledger.percent(figure, 1)
    if unit == "times":
        return f"{pack.ledger.fixed(figure, 2)}x"
    return pack.ledger.money(figure) if unit == "$M" else pack.ledger.number(figure, 0 if unit == "BTC" else 1)


def _title(pack: Pack, other: Source) -> str:
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
    return f"{theirs} is worth {ledger.money(abs(difference))} {more} than {ours}{', this plan' if pack.others else ''}"


def _first(source: Source) -> Figure:
    """The first quarter of a plan, as a count of quarters."""
    return Figure(Key("settings", "first_quarter", plan=source.run), float(source.plan.case.first))


def _basis(pack: Pack, sources: Sequence[Source]) -> str:
    """What must be known before values are held side by side."""
    date = date_of([source.plan for source in sources])
    if not date:
        return "Money in $M, values dated at the start of the first quarter."
    starts = ", ".join(
        f"{name_of(pack, source)} {pack.ledger.word(source.word('case.toml first_quarter', source.plan.case.first))}"
        for source in sources
    )
    one = f"Values are brought to one date, the start of {pack.quarter(date)}, at each plan's corporate rate"
    return f"{one}; the plans begin at different times ({starts}), and have other quarters behind them."


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
    chart = pack.over_time(
        "comparison", "lines", series, "AI capacity of both plans, gross MW", quarters=quarters, share=0.45
    )
    if by_year:
        chart = replace(chart, categories=years_of(pack, quarters), groups=())
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
    of = bridge_name(other.plan.run_id)
    ledger, rows = pack.ledger, pack.study_rows(of, "lines")
    start, end = (pack.study_about(of, f"{side}_value_musd") for side in ("from", "to"))
    forward = str(study.about.get("from_run_id")) == pack.plan.run_id
    first, last = (pack.source, other) if forward else (other, pack.source)
    changes = [
        Rung(ledger.word(row.word("group")), row.figure("line_musd")) for row in rows if abs(row["line_musd"]) > 0.005
    ]
    rungs = (Rung(name_of(pack, first), start, True), *changes, Rung(name_of(pack, last), end, True))
    best = max(rows, key=lambda row: abs(float(row["line_musd"])))
    word = ledger.word(best.word("words") if str(best["words"]) else best.word("group"))
    way = f"from {ledger.money(start)} to {ledger.money(end)}"
    title = f"The largest step {way} is {ledger.signed(best.figure('line_musd'))}: {word}"
    note = adds([rung.figure for rung in rungs[:-1]], end)
    told = "Each step is the mean of two orders in which the groups of inputs are exchanged and decided anew."
    if date := study.about.get("date"):
        told += f" Values are dated at {ledger.word(Word('studies/bridge/about.date', str(date)))}."
        for source, figure in ((first, start), (last, end)):
            if str(source.plan.case.first) != str(date):
                own = f"{ledger.money(source.due('value_musd'))} of {quoted(pack, source)} at its own start"
                told += f" The {own} are {ledger.money(figure)} then."
    chart = bridge_chart(pack, f"chart:bridge {number}", rungs)
    return Slide(f"bridge {number}", title, ((Box(0, 0, 1, 1), chart),), f"{told} {note}".strip())


# ---- on a page ------------------------------------------------------------------------------------------------------


def _certainty(pack: Pack, other: Source) -> tuple[Texts, ...]:
    """How sure the difference of two rival plans is: it lies between what their gaps leave open."""
    mine = pack.source
    told = _basis(pack, (mine, other))
    ours, theirs = ((plan.scenario, plan.case.settings.name) for plan in (pack.plan, other.plan))
    if not date_of([pack.plan, other.plan]) and ours == theirs:
        low, high = (
            other.field(name) - mine.field(of)
            for name, of in (("value_musd", "bound_musd"), ("bound_musd", "value_musd"))
        )
        ends = f"{pack.ledger.money(low)} to {pack.ledger.money(high)}"
        names = f"{quoted(pack, other)} and {quoted(pack, mine)}"
        told = f"With the gaps of both, the best plans of {names} differ by {ends}. {told}"
    elif ours != theirs:
        told = f"Plans of different markets or companies show what each would lead to, they are not rivals. {told}"
    return (Texts((Paragraph(told, quiet=True),)),)


def _bridge_tables(first: Pack, other: Pack) -> list[Texts | Table]:
    """Why the value of a plan is another than the first's, where that was studied."""
    columns = {"words": "what differs", "line_musd": "$M", "low_musd": "at least", "high_musd": "at most",
               "repriced_musd": "old decisions, new inputs", "redecided_musd": "decided again"}  # fmt: skip
    kind = bridge_name(first.plan.run_id)
    if kind not in other.named_studies:
        return []
    study, word = other.named_studies[kind], other.ledger.word
    told = Texts(tuple(Paragraph(word(other.source.word(kind, words))) for words in (study.title, *study.words)))
    return [told, *study_table(other, kind, "lines", columns, "By groups of inputs")]


def _sites(packs: Sequence[Pack]) -> list[Table | Texts]:
    """What each plan decides at the sites where they differ, and where they do not."""
    plain, every = (
        packs[0].ledger.plain,
        list(dict.fromkeys(row.site for pack in packs for row in pack.plan.case.sites)),
    )
    told = {site: tuple(_fate(pack, site) for pack in packs) for site in every}
    same = [packs[0].site(site) for site, fates in told.items() if len(set(map(plain, fates))) == 1]
    rows = tuple((packs[0].site(site), *fates) for site, fates in told.items() if len(set(map(plain, fates))) > 1)
    heads = ("site", *(name_of(pack, pack.source) for pack in packs))
    caption = "Sites at which the plans decide otherwise"
    shown: list[Table | Texts] = (
        [Table("table:sites", heads, rows, aligns="l" * len(heads), caption=caption)] if rows else []
    )
    alike = Paragraph(f"Decided alike in each plan: {listed(same, len(same))}." if same else "", quiet=True)
    return [*shown, Texts((alike,))] if same else shown


def _fate(pack: Pack, site: str) -> str:
    return fate(pack, site) if site in pack.plan.case.site else "not a site of this case"
