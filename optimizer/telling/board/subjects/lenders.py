"""Lenders: what secures each facility that owes something, and how far its halls pay for it, quarter by quarter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from optimizer.telling.board.blocks import Box, Chart, Paragraph, Section, Series, Slide, Table, Texts
from optimizer.telling.board.figures import GAP, Figure, Row, Source, count
from optimizer.telling.board.ledger import listed
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.tables import NONE, coverage_table, written

MOST_LINES, MOST_ROWS, MOST_ASKED = 4, 4, 2
MOST_HALLS = 4
MOST_DRAWN, TWICE = 10.0, 2.0
"""A cover of more times is far from any test, and would press the line of what is asked to the floor: it is drawn only
where the lowest covers are so high that it is no more than twice as much."""
ROLES = ("strong", "middle", "product 2", "product 3")
RANKS = ("senior", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
NOT_TESTED = "not tested"
HEADS = ("Facility", "Secured by", "Rank", "Owed at peak, $M", "At the end, $M", "DSCR asked", "Lowest DSCR",
         "Least headroom, $M", "LLCR at first service")  # fmt: skip
NOTE = (
    "DSCR: AI margin of the halls that secure a facility, of all where the company borrows, over the debt service of "
    "all that rank equal or before it there. LLCR: what that margin is worth to maturity over what is owed. Headroom: "
    "the margin above what the test asks."
)


@dataclass(frozen=True)
class Lender:
    """A facility with a balance: its input, its quarters in the table of coverage, and what is owed at peak and end."""

    facility: Row
    covered: tuple[Row, ...]
    peak: Figure
    end: Figure

    @property
    def name(self) -> str:
        return str(self.facility["facility"])

    @property
    def rank(self) -> int:
        return int(self.facility["rank"]) if self.facility.has("rank") else 1

    @property
    def rank_words(self) -> str:
        return RANKS[self.rank - 1]

    @property
    def first(self) -> Row | None:
        """The first quarter in which it is served."""
        return next(iter(self.served), None)

    @property
    def served(self) -> tuple[Row, ...]:
        """Its quarters with debt service, of which the cover is told."""
        return tuple(row for row in self.covered if row.has("dscr"))

    @property
    def tested(self) -> tuple[Row, ...]:
        """Those in which its lender asks for a cover."""
        return tuple(row for row in self.covered if row["required_musd"] > 0)

    @property
    def lowest(self) -> Row | None:
        """The quarter of the lowest cover, among those tested where there are any."""
        rows = tuple(row for row in self.tested if row.has("dscr")) or self.served
        return min(rows, key=lambda row: float(row["dscr"]), default=None)

    @property
    def least(self) -> Row | None:
        """The quarter of the least headroom; None where nothing is asked."""
        return min(self.tested, key=lambda row: float(row["headroom_musd"]), default=None)


def lenders_of(source: Source) -> tuple[Lender, ...]:
    """The facilities that owe something within the horizon, in the order of the case."""
    covered: dict[str, list[Row]] = {}
    for row in source.rows("coverage"):
        covered.setdefault(str(row["facility"]), []).append(row)
    facilities = [row for row in source.inputs("facilities") if row["facility"] in covered]
    return tuple(_lender(source, row, tuple(covered[str(row["facility"])])) for row in facilities)


def _lender(source: Source, facility: Row, covered: tuple[Row, ...]) -> Lender:
    where = {"facility": facility["facility"]}
    owed = [row.figure("opening_musd") + row.figure("draws_musd") for row in source.rows("debt", where)]
    last = {"quarter": str(source.plan.case.last), **where}
    return Lender(facility, covered, max(owed, key=lambda one: one.value), source.total("debt", "closing_musd", last))


def lenders(pack: Pack) -> Slide | None:
    """Cover by quarter against what is asked, and what secures each facility; None where nothing is owed."""
    every = lenders_of(pack.source)
    if not every:
        return None
    secured = [bool(pack.plan.case.halls_of_facility[one.name]) for one in every[:MOST_ROWS]]
    tall = 0.18 + sum(0.1 if halls else 0.065 for halls in secured)
    caption = Texts((Paragraph("DSCR by quarter", bold=True),), largest=14)
    drawn = (
        ((Box(0, 0, 1, 0.07), caption), (Box(0, 0.07, 1, 0.91 - tall), chart)) if (chart := _chart(pack, every)) else ()
    )
    blocks = (*drawn, (Box(0, 1 - tall, 1, tall), _table(pack, every[:MOST_ROWS], 1)))
    left = pack.ledger.whole(count(one.facility for one in every[MOST_ROWS:]))
    more = f" {left} more are not shown." if len(every) > MOST_ROWS else ""
    return Slide("lenders", _title(pack, every), blocks, f"{_note(every)}{more}")


def lenders_section(pack: Pack) -> Section | None:
    """The same, with the cover of every quarter; None where nothing is owed."""
    every = lenders_of(pack.source)
    if not every:
        return None
    chart = _chart(pack, every)
    blocks = (*((chart,) if chart else ()), _table(pack, every), written(pack, coverage_table(pack.plan)))
    return Section("lenders", "Lenders", _title(pack, every), (*blocks, Texts((Paragraph(_note(every), quiet=True),))))


def _title(pack: Pack, every: tuple[Lender, ...]) -> str:
    """The lowest cover and the least headroom that a lender tests."""
    ledger, least = pack.ledger, pack.source.kpi("lowest_dscr")
    if least is None:
        some = f"{ledger.whole(count(one.facility for one in every))} facilities owe"
        owe = "One facility owes" if len(every) == 1 else some
        return (
            f"{owe} at most {pack.money('highest_debt_musd')} together, and no lender tests the cover of debt service"
        )
    words = f"DSCR is lowest in {pack.when('lowest_dscr_quarter')}, {ledger.number(least, 2)}x for "
    room = pack.source.due("lowest_headroom_musd")
    head = f"the least headroom is {ledger.money(room)}, in {pack.when('lowest_headroom_quarter')}"
    return f"{words}{pack.when('lowest_dscr_facility')}; {head}"


def _note(every: tuple[Lender, ...]) -> str:
    high = any(row["dscr"] > _most(every) for one in every for row in one.served)
    return f"{NOTE} Covers that are far higher than the rest are not drawn." if high else NOTE


def _most(every: tuple[Lender, ...]) -> float:
    """The highest cover that is drawn."""
    return max([MOST_DRAWN, *(TWICE * float(one.lowest["dscr"]) for one in every if one.lowest is not None)])


# ---- by quarter -----------------------------------------------------------------------------------------------------


def _chart(pack: Pack, every: tuple[Lender, ...]) -> Chart | None:
    """A line for each facility, one for those with the same halls and rank, whose cover is the same; what is asked."""
    halls = pack.plan.case.halls_of_facility
    alike = sorted(every, key=lambda one: (not one.tested, sorted(halls[one.name]), one.rank))
    groups = [tuple(some) for _, some in groupby(alike, key=lambda one: (sorted(halls[one.name]), one.rank))]
    lines = [
        line for n, group in enumerate(groups[:MOST_LINES]) for line in _lines(pack, group, ROLES[n], _most(every))
    ]
    there = [i for i in range(len(pack.quarters)) if any(line.values[i] is not GAP for line in lines)]
    if not there:
        return None
    first, end = there[0], there[-1] + 1
    asked = [line.name for line in lines if line.role == "bad"]
    shown = [_cut(pack, line, first, end, asked.index(line.name) if line.name in asked else 0) for line in lines]
    alt, quarters = "DSCR by quarter, times", pack.quarters[first:end]
    return replace(
        pack.over_time("dscr", "lines", shown, alt, "times debt service", quarters=quarters),
        number_format="0.0", decimals=2,
    )  # fmt: skip


def _lines(pack: Pack, group: tuple[Lender, ...], role: str, most: float) -> Iterator[Series]:
    """The cover of facilities that share their halls, and each level that a lender among them asks."""
    cover = {str(row["quarter"]): row.figure("dscr") for one in group for row in one.served if row["dscr"] <= most}
    if cover:
        names = [pack.ledger.word(one.facility.word("facility")) for one in group]
        company = len(group) > 1 and not pack.plan.case.halls_of_facility[group[0].name]
        yield _line(pack, "Company" if company else listed(names, 1, "others"), cover, role)
    asked: dict[float, Lender] = {}
    for one in group:
        if one.tested:
            asked.setdefault(float(one.facility["dscr"]), one)
    for one in asked.values():
        level = one.facility.figure("dscr")
        name = f"{pack.ledger.word(one.facility.word('facility'))} asks"
        yield _line(pack, name, {str(row["quarter"]): level for row in one.tested}, "bad")


def _line(pack: Pack, name: str, values: dict[str, Figure], role: str) -> Series:
    """A line over all quarters, with gaps where it has no value."""
    path = tuple(values.get(quarter, GAP) for quarter in pack.quarters)
    return Series(name, path, role, dashed=role == "bad")


def _cut(pack: Pack, series: Series, first: int, end: int, before: int) -> Series:
    """The line within those quarters, told where it ends; of more that are asked the next where it begins."""
    path = series.values[first:end]
    there = [i for i, figure in enumerate(path) if figure is not GAP]
    last, side = there[-1], "below" if series.role == "bad" else "above"
    where = (there[0], side) if before else None if last == len(path) - 1 else (last, side)
    label = f"{series.name}\n{pack.ledger.number(path[last], 2)}x"
    return replace(series, values=path, end_label=label if before < MOST_ASKED else "", label_at=where)


# ---- by facility ----------------------------------------------------------------------------------------------------


def _table(pack: Pack, every: tuple[Lender, ...], most: int = MOST_HALLS) -> Table:
    rows = tuple(_row(pack, one, most) for one in every)
    widths = (0.15, 0.17, 0.06, 0.09, 0.08, 0.12, 0.11, 0.11, 0.11)
    return Table(
        "table:lenders", HEADS, rows, widths, "lll" + "r" * 6, largest=12, caption="Facilities that owe something"
    )


def _row(pack: Pack, one: Lender, most: int) -> tuple[str, ...]:
    ledger = pack.ledger
    asked = one.facility.has("dscr")
    since = ledger.word(one.facility.word("dscr_from")) if one.tested else ""
    return (
        ledger.word(one.facility.word("facility")), secured_words(pack, one, most), one.rank_words,
        ledger.fixed(one.peak), ledger.fixed(one.end),
        f"{ledger.number(one.facility.figure('dscr'), 2)}x{f' from {since}' if since else ''}" if asked else NONE,
        _dated(pack, one.lowest, "dscr"), _dated(pack, one.least, "headroom_musd") if asked else NOT_TESTED,
        _dated(pack, one.first, "llcr"),
    )  # fmt: skip


def _dated(pack: Pack, row: Row | None, column: str) -> str:
    """A cell and its quarter."""
    if row is None:
        return NONE
    ledger, figure = pack.ledger, row.figure(column)
    told = ledger.fixed(figure) if column.endswith("musd") else f"{ledger.fixed(figure, 2)}x"
    return f"{told}, {ledger.word(row.word('quarter'))}"


def secured_words(pack: Pack, one: Lender, most: int = MOST_HALLS) -> str:
    """The halls that secure a facility, by product and site."""
    halls = sorted(pack.plan.case.halls_of_facility[one.name])
    if not halls:
        return "the company"
    product = pack.source.word
    told = [f"{pack.ledger.word(product('inputs/options.product', hall))} at {pack.site(site)}" for site, hall in halls]
    return listed(told, most, "other halls")
