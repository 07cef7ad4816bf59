"""Megawatts over time: all sites together by use, and each site by quarter, in gross and in IT MW."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from markupsafe import Markup

from optimizer.case.schema import MINING
from optimizer.plan.power_uses import BUILDING, UNUSED, limits_of, reach_limit, uses_of
from optimizer.plan.unused import Facts, Standing, reasons_of, standings
from optimizer.telling.board.keys import encoded
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import (
    Chart,
    Column,
    Legend,
    Line,
    Rect,
    Section,
    Strip,
    Strips,
    Table,
    Words,
    composed,
)
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.charts import Axis, axis, looks, stacked, steps, years
from optimizer.telling.board.page.numbers import Either, Name, Number, listed, words

Units = Literal["gross", "it"]
Series = dict[tuple[str, str], list[float]]
"""MW by quarter, by site and use."""

SHOWN_MW = 0.05
"""Gross MW unused below which the message does not tell them."""
IT_PARTS = {"contracted_it_mw": "contracted", "market_it_mw": "sold at market", "vacant_it_mw": "vacant"}


# ---- reading ------------------------------------------------------------------------------------------------------


def gross_series(book: Book) -> Series:
    """Gross MW by site and use, the unused up to the grid limit among them, without what never happens."""
    quarters = {quarter: i for i, quarter in enumerate(book.quarters)}
    series: Series = {}
    for row in book.plan.allocation.itertuples():
        series.setdefault((row.site, row.use), [0.0] * len(quarters))[quarters[row.quarter]] += row.gross_mw
    return {place: values for place, values in series.items() if max(values) > 1e-6}


def it_series(book: Book) -> Series:
    """IT MW of conversions by site and product in service, and under construction from hand-over to service."""
    quarters = {quarter: i for i, quarter in enumerate(book.quarters)}
    series: Series = {}
    for row in book.plan.starts.itertuples():
        values = series.setdefault((row.site, BUILDING), [0.0] * len(quarters))
        for quarter, i in quarters.items():
            values[i] += row.it_mw if row.handover_quarter <= quarter < row.service_quarter else 0.0
    for row in book.plan.capacity.itertuples():
        values = series.setdefault((row.site, row.product), [0.0] * len(quarters))
        values[quarters[row.quarter]] += row.in_service_it_mw
    return {place: values for place, values in series.items() if max(values) > 1e-6}


def row_key(book: Book, units: Units, use: str, site: str | None = None) -> str:
    """The key of a row of MW by quarter; a cell adds its quarter in the place of `*`."""
    at = f"&site={encoded(site)}" if site is not None else ""
    if units == "gross":
        return f"{book.id}/allocation/gross_mw?use={encoded(use)}{at}&quarter=*"
    if use == BUILDING:
        return f"{book.id}/starts/it_mw?handover_quarter<=*&service_quarter>*{at}"
    return f"{book.id}/capacity/in_service_it_mw?product={encoded(use)}{at}&quarter=*"


def _ordered(book: Book, uses: set[str]) -> list[str]:
    return [use for use in uses_of(book.plan) if use in uses]


def _by_use(book: Book, series: Series) -> dict[str, list[float]]:
    uses = _ordered(book, {use for _, use in series})
    return {
        use: [sum(values) for values in zip(*(v for (_, u), v in series.items() if u == use), strict=True)]
        for use in uses
    }


def use_name(book: Book, use: str) -> object:
    """A use in our words, or under its own name."""
    told = uses_of(book.plan)[use]
    return Name(use) if told.named else told.words


def quarter_columns(book: Book) -> list[Column]:
    return [Column(Name(quarter), quarter) for quarter in book.quarters]


# ---- by use -------------------------------------------------------------------------------------------------------


def over_time(book: Book) -> Section:
    """MW by use and quarter, all sites together."""
    gross, it = _by_use(book, gross_series(book)), _by_use(book, it_series(book))
    note = Words(
        ["IT MW are those of conversions, measured at the servers; machines that mine are metered gross."], note=True
    )
    blocks = (_uses(book, gross, "gross"), _uses(book, it, "it"), *_sold(book), note)
    return Section("megawatts", "Megawatts by use", _message(book, gross), blocks)


def _message(book: Book, gross: Mapping[str, Sequence[float]]) -> Markup:
    mined = gross.get(MINING)
    if not mined:
        return words("No machine mines in this plan{}.", _unused_words(book, gross))
    first, last = (book.mw(mined[i], at("allocation/gross_mw", use=MINING, quarter=book.quarters[i])) for i in (0, -1))
    verb = "stays at" if first.text == last.text else ("falls" if last.value < first.value else "rises")
    told = words("{}", first) if first.text == last.text else words("from {} to {}", first, last)
    became = (
        words("; {} become AI capacity", book.kpi_mw("converted_gross_mw"))
        if len(book.plan.starts)
        else "; nothing is converted"
    )
    return words("Mining {} {} gross MW{}{}.", verb, told, became, _unused_words(book, gross))


def _unused_words(book: Book, gross: Mapping[str, Sequence[float]]) -> Markup:
    """How much of the grid limit stands unused at last; nothing where none does."""
    unused, last = gross.get(UNUSED, [0.0])[-1], book.quarters[-1]
    if unused < SHOWN_MW:
        return Markup("")
    stand = book.mw(unused, at("allocation/gross_mw", use=UNUSED, quarter=last))
    limit = book.mw(limits_of(book.plan)[-1], at("allocation/gross_mw", quarter=last))
    return words("; of {} at the grid, {} stand unused at last", limit, stand)


def _uses(book: Book, series: Mapping[str, Sequence[float]], units: Units) -> Chart | Words:
    if not series:
        said = "No AI capacity is in service or under construction." if units == "it" else "No power is used."
        return Words([Markup('<span class="{}">{}</span>').format(units, said)])
    look, limits = looks(book.plan), limits_of(book.plan) if units == "gross" else ()
    if units == "gross":
        reach_limit(book.quarters, series, limits)
    scale = axis([*limits, *(sum(values) for values in zip(*series.values(), strict=True))])
    rows = [Line(use_name(book, use), row_key(book, units, use), values) for use, values in series.items()]
    legend = [Legend(look[use], use_name(book, use)) for use in series]
    paths = []
    if limits:
        rows.append(Line("grid limit of all sites", f"{book.id}/allocation/gross_mw?quarter=*", limits, total=True))
        legend.append(Legend("line-grid", "grid limit of all sites"))
        paths.append(steps(limits, scale, "line-grid"))
    unit = "gross MW" if units == "gross" else "IT MW"
    table = Table(
        f"{unit} by use and quarter", quarter_columns(book), rows, "use", folded=True, units=units,
        id=f"{book.id}-mw-{units}-table",
    )  # fmt: skip
    return Chart(
        f"{book.id}-mw-{units}", unit, len(book.quarters), scale.ticks, years(book.quarters),
        legend, table, rects=stacked([(look[use], values) for use, values in series.items()], scale), paths=paths,
        zero=scale.at(0), units=units,
    )  # fmt: skip


def _sold(book: Book) -> tuple[Table, ...]:
    """What becomes of the IT MW in service, by product."""
    capacity = book.plan.capacity
    if capacity.empty:
        return ()
    rows = []
    for product in [row.product for row in book.plan.case.products if (capacity["product"] == row.product).any()]:
        mine = capacity[capacity["product"] == product].groupby("quarter")
        for column, told in IT_PARTS.items():
            by_quarter = mine[column].sum().to_dict()
            values = [float(by_quarter.get(quarter, 0.0)) for quarter in book.quarters]
            if max(values) > 1e-6:
                name = f"{book.id}/capacity/{column}?product={encoded(product)}&quarter=*"
                rows.append(Line(words("{}, {}", Name(product), told), name, values))
    return (
        Table("IT MW in use, by product and quarter: contracted, sold at market, vacant", quarter_columns(book), rows,
              "product", folded=True),
    )  # fmt: skip


# ---- by site ------------------------------------------------------------------------------------------------------


_STRIP_HEIGHTS = Either(
    Markup("Each strip is as high as its site's largest grid limit; the figure beside its name is that limit."),
    Markup("Each strip is as high as the most that its site has; the figure beside its name is that most."),
)


def where_and_when(book: Book) -> Section:
    """Each site by quarter: what its power is used for."""
    starts = book.plan.starts
    if len(starts):
        message = words(
            "The first work starts in {}; the last hall is in service in {}.",
            Name(min(starts["start_quarter"])), Name(max(starts["service_quarter"])),
        )  # fmt: skip
    else:
        message = Markup("No site changes its use for AI in this horizon.")
    strips = (_strips(book, gross_series(book), "gross"), _strips(book, it_series(book), "it"))
    told: list[object] = [_STRIP_HEIGHTS]
    used = {site for site, use in gross_series(book) if use != UNUSED}
    idle = [row.site for row in book.plan.case.sites if row.site not in used]
    if idle:
        told.append(words("Without any use of power: {}.", listed(Name(site) for site in idle)))
    return Section("sites", "Where and when", message, (*strips, Words(told, note=True), *_unused(book)))


def _unused(book: Book) -> tuple[Words | Table, ...]:
    """What stands unused at last, by site and why; in a table, how the reasons change over the quarters."""
    standing = [_standing_words(book, one) for one in standings(book.plan)]
    if not standing:
        return ()
    head = Words([Markup("<strong>Unused at last, by site and why</strong>")])
    return head, Words(standing, bullets=True), _reasons(book)


def _standing_words(book: Book, one: Standing) -> Markup:
    keys = " + ".join(at(f"{book.id}/allocation/gross_mw", use=UNUSED, site=site, quarter=one.quarter)
                      for site in one.sites)  # fmt: skip
    decimals = 0 if abs(one.gross_mw - round(one.gross_mw)) < 1e-6 else 1
    until = "" if one.quarter == book.plan.case.last else words(", until {}", Name(str(one.quarter)))
    return words(
        "{} MW at {}{}: no hall: {}; no machines: {}", Number(one.gross_mw, keys, decimals=decimals),
        listed(Name(site) for site in one.sites), until, Name(one.reason.hall), Name(one.reason.machines),
    )  # fmt: skip


def _reasons(book: Book) -> Table:
    told = Facts(book.plan).unused_mw
    rows = [
        Line(
            Name(reason.site), "",
            [words("{} to {}", Name(str(reason.first)), Name(str(reason.last))),
             book.mw(told[reason.site, str(reason.last)],
                     at("allocation/gross_mw", use=UNUSED, site=reason.site, quarter=reason.last)),
             Name(reason.hall), Name(reason.machines)],
        )
        for reason in reasons_of(book.plan)
    ]  # fmt: skip
    columns = [Column("quarters", number=False), Column("gross MW at their end"),
               Column("why no hall", number=False), Column("why no machines", number=False)]  # fmt: skip
    return Table("Why power stands unused, by site and quarter", columns, rows, "site", folded=True)


def _strips(book: Book, series: Series, units: Units) -> Strips | Words:
    if not series:
        return Words([Markup('<span class="{}">No site has AI capacity.</span>').format(units)])
    unit = "gross MW" if units == "gross" else "IT MW"
    look, uses = looks(book.plan), _ordered(book, {use for _, use in series})
    strips, rows = [], []
    for number, site in enumerate(row.site for row in book.plan.case.sites):
        mine = {use: series[site, use] for use in uses if (site, use) in series}
        if not mine:
            continue
        strips.append(_strip(book, site, mine, units, f"g{number}"))
        rows += [
            Line(words("{}, {}", Name(site), use_name(book, use)), row_key(book, units, use, site), cells, f"g{number}")
            for use, cells in mine.items()
        ]
    table = Table(f"{unit} by site, use and quarter", quarter_columns(book), rows, "site and use", folded=True,
                  units=units, id=f"{book.id}-sites-{units}-table")  # fmt: skip
    return Strips(
        f"{book.id}-sites-{units}", len(book.quarters), years(book.quarters),
        [Legend(look[use], use_name(book, use)) for use in uses], strips, table, units=units,
    )  # fmt: skip


def _strip(book: Book, site: str, uses: Mapping[str, Sequence[float]], units: Units, group: str) -> Strip:
    look = looks(book.plan)
    totals = [sum(values) for values in zip(*uses.values(), strict=True)]
    most = max(totals)
    rects = stacked([(look[use], values) for use, values in uses.items()], Axis(0.0, most, most), gap=0.0)
    quarter = book.quarters[totals.index(most)]
    keys = " + ".join(composed(row_key(book, units, use, site), quarter) for use in uses)
    decimals = 0 if abs(most - round(most)) < 1e-6 else 1
    return Strip(Name(site), words("{} MW", Number(most, keys, decimals=decimals)), _joined(rects), group)


def _joined(rects: Sequence[Rect]) -> list[Rect]:
    """Neighbours of one look and height as one rectangle."""
    joined: list[Rect] = []
    for rect in rects:
        last = joined[-1] if joined else None
        if last and (last.look, round(last.y, 6), round(last.height, 6)) == (
            rect.look, round(rect.y, 6), round(rect.height, 6),
        ) and abs(last.x + last.width - rect.x) < 1e-6:  # fmt: skip
            joined[-1] = Rect(last.x, last.y, last.width + rect.width, last.height, last.look)
        else:
            joined.append(rect)
    return joined
