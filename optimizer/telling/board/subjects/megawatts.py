"""Megawatts by use over time, what stands unused and why, and where and when sites change their use."""

from __future__ import annotations

from optimizer.case.schema import MINING
from optimizer.plan.power_uses import BUILDING, UNUSED, uses_there
from optimizer.plan.unused import Standing, reasons_of, standings
from optimizer.telling.board.blocks import (
    WHOLE,
    Bar,
    Box,
    Chart,
    Gantt,
    Keys,
    Lane,
    Paragraph,
    Section,
    Series,
    Slide,
    Strips,
    Table,
    Texts,
)  # fmt: skip
from optimizer.telling.board.figures import NOTHING, Figure, Row, count
from optimizer.telling.board.keys import Key
from optimizer.telling.board.ledger import listed
from optimizer.telling.board.pack import Pack

SHOWN_MW = 0.05
"""Gross MW unused below which a title does not tell them."""
LANES = 17
"""Lanes of bars that one slide holds at twelve points."""

# ---- megawatts ------------------------------------------------------------------------------------------------------


def megawatts(pack: Pack) -> Slide:
    """Gross MW by use and quarter, stacked up to the grid limit; what is unused stands on top."""
    uses = list(uses_there(pack.plan))
    keys = tuple((pack.role(use), _path_words(pack, use)) for use in uses)
    note = "Gross MW at the meter by quarter; the line is the grid limit of all sites."
    blocks = ((Box(0, 0, 1, 0.1), Keys(keys)), (Box(0, 0.11, 1, 0.89), gross_chart(pack)))
    return Slide("megawatts", megawatts_title(pack), blocks, note)


def gross_chart(pack: Pack) -> Chart:
    """Gross MW by use, stacked up to the grid limit of all sites."""
    uses = list(uses_there(pack.plan))
    series = tuple(Series(pack.use_words(use), _path(pack, use), pack.role(use)) for use in uses)
    limit = Series("Grid limit of all sites", pack.source.limits(pack.quarters), "level")
    alt = "Gross MW by use and quarter, up to the grid limit of all sites"
    return pack.over_time("megawatts", "stacked columns", series, alt, "gross MW", limit=limit, gap=25, units="gross")


def megawatts_section(pack: Pack) -> Section:
    """MW by use and quarter, all sites together, at the meter and at the servers."""
    series = [(use, it_path(pack, use)) for use in (*pack.products, BUILDING)]
    shown = tuple(Series(pack.use_words(use), path, pack.role(use)) for use, path in series if _any(path))
    it: Chart | Texts = Texts((Paragraph("No AI capacity is in service or under construction.", units="it"),))
    if shown:
        alt = "IT MW of conversions by use and quarter"
        it = pack.over_time("mw-it", "stacked columns", shown, alt, "IT MW", units="it")
    note = "IT MW are those of conversions, measured at the servers; machines that mine are metered gross."
    paths = "; ".join(_path_words(pack, use) for use in uses_there(pack.plan))
    said = Texts((Paragraph(f"Gross MW of {paths}."),))
    blocks = (said, gross_chart(pack), it, *_sold(pack), Texts((Paragraph(note, quiet=True),)))
    return Section("megawatts", "Megawatts by use", megawatts_title(pack), blocks)


def _any(path: tuple[Figure, ...]) -> bool:
    return max(figure.value for figure in path) > 1e-6


def it_path(pack: Pack, use: str, site: str = "") -> tuple[Figure, ...]:
    """IT MW by quarter of a product in service; under construction, from hand-over to service."""
    where = {"site": site} if site else {}
    if use != BUILDING:
        return pack.source.by_quarter("capacity", "in_service_it_mw", {"product": use, **where}, pack.quarters)
    starts, path = pack.source.rows("starts", where), []
    for q in pack.quarters:
        bounds = (("handover_quarter<=", q), ("service_quarter>", q), *where.items())
        built = sum(float(row["it_mw"]) for row in starts if row["handover_quarter"] <= q < row["service_quarter"])
        path.append(Figure(Key("starts", "it_mw", bounds, plan=pack.source.run), built + 0.0))
    return tuple(path)


def _sold(pack: Pack) -> tuple[Table, ...]:
    """What becomes of the IT MW in service, by product."""
    rows = []
    for product in pack.products:
        for part in ("contracted", "market", "vacant"):
            path = pack.source.by_quarter("capacity", f"{part}_it_mw", {"product": product}, pack.quarters)
            if _any(path):
                words = f"{pack.use_words(product)}, {'sold at market' if part == 'market' else part}"
                rows.append((words, *map(pack.ledger.fixed, path)))
    caption = "IT MW in use, by product and quarter: contracted, sold at market, vacant"
    table = Table("table:sold", ("product",), tuple(rows), keys=pack.quarters, caption=caption, folded=True)
    return (table,) if rows else ()


def unused(pack: Pack) -> Slide | None:
    """What stands unused at last, by site and why; like sites share a line."""
    standing = standings(pack.plan)
    if not standing:
        return None
    rows = tuple((sites, mw, hall, machines) for sites, mw, hall, machines in _standing(pack, standing))
    head = ("Site", "Gross MW", "Why no hall", "Why no machines")
    table = Table("table:unused", head, rows, (0.24, 0.1, 0.4, 0.26), "lrll", largest=14)
    number, limits = pack.ledger.number, pack.source.limits(pack.quarters)
    note = (
        f"Unused is what no use takes of the grid limit; that limit is {number(limits[0])} gross MW at first and "
        f"{number(limits[-1])} at last, and what lies above it is not energised yet."
    )
    return Slide("unused", _unused_title(pack, standing), ((WHOLE, table),), note)


def _standing(pack: Pack, standing: tuple[Standing, ...]) -> list[tuple[str, str, str, str]]:
    """Sites with the quarter until which their power stands unused, how much, why no hall and why no machines."""
    word, source = pack.ledger.word, pack.source
    return [
        (
            listed([pack.site(site) for site in one.sites], 12) + _until(pack, one),
            pack.ledger.number(_unused_of(pack, one)),
            word(source.word("reason of no hall", one.reason.hall)),
            word(source.word("reason of no machines", one.reason.machines)),
        )
        for one in standing
    ]


def _standing_words(pack: Pack, standing: tuple[Standing, ...]) -> list[str]:
    rows = _standing(pack, standing)
    return [f"{mw} MW at {sites}: no hall: {hall}; no machines: {machines}" for sites, mw, hall, machines in rows]


def _until(pack: Pack, one: Standing) -> str:
    return "" if one.quarter == pack.plan.case.last else f", until {pack.quarter(one.quarter)}"


def _unused_of(pack: Pack, one: Standing) -> Figure:
    return pack.source.total("allocation", "gross_mw", {"use": UNUSED, "site": one.sites, "quarter": str(one.quarter)})


def _unused_title(pack: Pack, standing: tuple[Standing, ...]) -> str:
    number, most = pack.ledger.number, standing[0]
    sites = listed([pack.site(site) for site in most.sites], 3, "others")
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


def megawatts_title(pack: Pack) -> str:
    """How AI capacity grows, what that leaves to mining, and what stands unused."""
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
    title = where_title(pack)
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


def where_title(pack: Pack) -> str:
    ledger, source = pack.ledger, pack.source
    starts = source.rows("starts")
    if not starts:
        mining = {row["site"]: row for row in source.rows("allocation", {"use": MINING}) if row["gross_mw"] > 1e-9}
        told = ledger.whole(count(mining.values()))
        return f"{told} {'site mines' if len(mining) == 1 else 'sites mine'} and none converts"
    last = max(starts, key=lambda row: str(row["service_quarter"]))
    serves = ledger.word(last.word("service_quarter"))
    before = [row for row in starts if str(row["start_quarter"]) < pack.quarters[0]]
    coming = [row for row in starts if row not in before]
    started = f"{_named(pack, before)} {'was' if _one(before) else 'were'} started before; " if before else ""
    ends = f"the last hall is in service in {serves}"
    if not coming:
        return f"{started}{ends}"
    soonest = min(str(row["start_quarter"]) for row in coming)
    first = [row for row in coming if row["start_quarter"] == soonest]
    begins = ledger.word(first[0].word("start_quarter"))
    if len(starts) == 1:
        return f"{_named(pack, first)} starts in {begins} and is in service in {serves}"
    verb, then = "starts" if _one(first) else "start", "next" if before else "first"
    return f"{started}{_named(pack, first)} {verb} {then}, in {begins}; {ends}"


def _one(rows: list[Row]) -> bool:
    return len({row["site"] for row in rows}) == 1


def _named(pack: Pack, rows: list[Row]) -> str:
    """The sites of some starts by name, two at most."""
    sites = {row["site"]: row for row in rows}.values()
    return listed([pack.ledger.word(row.word("site")) for row in sites], 2, "others")


# ---- the section ----------------------------------------------------------------------------------------------------


def where_section(pack: Pack) -> Section:
    """Each site by quarter, what its power is used for; what stands unused at last and why."""
    highest = (
        ("gross", "Each strip is as high as its site's largest grid limit; the figure beside its name is that limit."),
        ("it", "Each strip is as high as the most that its site has; the figure beside its name is that most."),
    )
    note = [Paragraph(words, quiet=True, units=units) for units, words in highest]
    idle = [
        pack.ledger.word(row.word("site"))
        for row in pack.source.inputs("sites")
        if row["site"] not in _sites_in_order(pack)
    ]
    if idle:
        note.append(Paragraph(f"Without any use of power: {listed(idle, len(idle))}.", quiet=True))
    blocks = (*(_sites(pack, units) for units in ("gross", "it")), Texts(tuple(note)), *_reasons(pack))
    return Section("sites", "Where and when", where_title(pack), blocks)


def _sites(pack: Pack, units: str) -> Strips | Texts:
    """A strip for each site with power of a kind, and the table behind them."""
    drawn: list[tuple[str, str, tuple[tuple[str, tuple[Figure, ...]], ...]]] = []
    rows: list[tuple[str, ...]] = []
    groups: list[str] = []
    told: dict[str, str] = {}
    for site in (row.site for row in pack.plan.case.sites):
        paths = [(use, path) for use in pack.uses if _any(path := _site_path(pack, units, use, site))]
        if not paths:
            continue
        name, most = (
            pack.site(site),
            max(range(len(pack.quarters)), key=lambda i: sum(path[i].value for _, path in paths)),
        )
        whole = sum((path[most] for _, path in paths[1:]), paths[0][1][most])
        told |= {use: pack.use_words(use) for use, _ in paths}
        rows += [(f"{name}, {told[use]}", *map(pack.ledger.fixed, path)) for use, path in paths]
        groups += [f"g{len(drawn)}"] * len(paths)
        drawn.append((name, f"{pack.ledger.number(whole)} MW", tuple((pack.role(use), path) for use, path in paths)))
    if not drawn:
        return Texts((Paragraph("No site has AI capacity.", units=units),))
    caption = f"{'gross' if units == 'gross' else 'IT'} MW by site, use and quarter"
    table = Table("sites", ("site and use",), tuple(rows), keys=pack.quarters, caption=caption, folded=True,
                  units=units, groups=tuple(groups))  # fmt: skip
    legend = tuple((pack.role(use), told[use]) for use in pack.uses if use in told)
    return Strips(f"sites-{units}", tuple(drawn), legend, table)


def _site_path(pack: Pack, units: str, use: str, site: str) -> tuple[Figure, ...]:
    if units == "gross":
        return pack.source.by_quarter("allocation", "gross_mw", {"use": use, "site": site}, pack.quarters)
    return it_path(pack, use, site) if use in (*pack.products, BUILDING) else (NOTHING,)


def most_unused(pack: Pack) -> str:
    """Why most of the unused stands so at last; blank where none does."""
    told = _standing(pack, standings(pack.plan)[:1])
    return "".join(
        f"{mw} unused at {sites}: no hall: {hall}; no machines: {machines}" for sites, mw, hall, machines in told
    )


def _reasons(pack: Pack) -> tuple[Texts | Table, ...]:
    """What stands unused at last, by site and why; in a table, how the reasons change over the quarters."""
    standing = standings(pack.plan)
    if not standing:
        return ()
    head = Paragraph("Unused at last, by site and why", bold=True)
    told = _standing_words(pack, standing)
    word, source = pack.ledger.word, pack.source
    rows = tuple(
        (
            pack.site(one.site), f"{pack.quarter(one.first)} to {pack.quarter(one.last)}",
            pack.ledger.number(_site_path(pack, "gross", UNUSED, one.site)[pack.quarters.index(str(one.last))]),
            word(source.word("reason of no hall", one.hall)), word(source.word("reason of no machines", one.machines)),
        )
        for one in reasons_of(pack.plan)
    )  # fmt: skip
    heads = ("site", "quarters", "gross MW at their end", "why no hall", "why no machines")
    caption = "Why power stands unused, by site and quarter"
    table = Table("table:reasons", heads, rows, aligns="llrll", caption=caption, folded=True)
    return Texts((head, *(Paragraph(text, bullet=True) for text in told))), table
