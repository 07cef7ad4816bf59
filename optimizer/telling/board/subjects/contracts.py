"""Contracts over time, what they are billed, and the rent that they bring year by year."""

from __future__ import annotations

from dataclasses import replace

from optimizer.ground.amounts import TOLD_MUSD
from optimizer.ground.quarters import Quarter
from optimizer.telling.board.blocks import Bar, Box, Chart, Gantt, Lane, Paragraph, Section, Series, Slide, Texts
from optimizer.telling.board.figures import Figure, Row, count
from optimizer.telling.board.keys import at
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.tables import signed_table, written

MOST_CONTRACTS = 9
PRICES = {
    "usd_per_kw_month": ("$", "/kW-month"), "musd_per_it_mw_year": ("$", "M/IT MW-year"),
    "usd_per_gpu_hour": ("$", "/GPU-hour"),
}  # fmt: skip


def contracts(pack: Pack) -> Slide | None:
    """Contracts from delivery to end, and the rent of each year below; None where nothing is signed."""
    rows = _signed(pack)
    if not rows:
        return None
    years, shown = _years(pack, rows), rows[:MOST_CONTRACTS]
    every = 1 if len(years) <= 10 else 2 if len(years) <= 20 else 4
    ticks = tuple(((year - years[0]) * 4, _year(pack, year)) for year in years if (year - years[0]) % every == 0)
    tall = min(0.56, 0.1 + 0.075 * len(shown))
    caption = Texts((Paragraph("Rent by calendar year, $M", quiet=True),), largest=12)
    blocks = (
        (Box(0, 0, 1, tall), replace(_timeline(pack, shown, years), ticks=ticks)),
        (Box(0, tall + 0.03, 1, 0.06), caption),
        (Box(0.24, tall + 0.09, 0.76, 0.91 - tall), _rent_chart(pack, years)),
    )
    return Slide("contracts", _title(pack, rows, years), blocks, _note(pack, rows, shown))


def contracts_section(pack: Pack) -> Section:
    """The signed offers as a timeline with all their terms, and the rent by year."""
    rows, topic = _signed(pack), "Contracts and rent"
    if not rows:
        return Section("contracts", topic, offers_signed(pack).capitalize())
    years = _years(pack, rows)
    table = written(pack, signed_table(pack.plan))
    last = years[-1] - years[0]
    keys = tuple(str(Quarter(4 * years[0] + i)) for i in range(4 * (last + 1)))
    legend = tuple({pack.role(p): pack.use_words(p) for p in (str(row["product"]) for row in rows)}.items())
    ends = (("horizon", "end of the horizon"),) if keys[-1] > pack.quarters[-1] else ()
    timeline = replace(_timeline(pack, rows, years), name="contracts", keys=keys, legend=(*legend, *ends), table=table)
    rent = Paragraph(_note(pack, rows, rows), quiet=True)
    return Section("contracts", topic, _title(pack, rows, years), (timeline, _rent_chart(pack, years), Texts((rent,))))


def offers_signed(pack: Pack) -> str:
    """How many of the offers are signed."""
    signed, offers = pack.source.rows("contracts"), pack.plan.case.offers
    if not offers:
        return "there is no offer to sign"
    told = pack.many("contracts", "offer") if signed else "none"
    return f"{told} of {pack.many('inputs/offers', 'offer', 'offer')} {'is' if len(signed) == 1 else 'are'} signed"


def _signed(pack: Pack) -> list[Row]:
    return sorted(pack.source.rows("contracts"), key=lambda row: (str(row["delivery_quarter"]), str(row["offer"])))


def _years(pack: Pack, rows: list[Row]) -> range:
    last = max(_end(row).year for row in rows)
    return range(Quarter.parse(pack.quarters[0]).year, max(last, Quarter.parse(pack.quarters[-1]).year) + 1)


def _year(pack: Pack, year: int, short: bool = False) -> str:
    """`2027`, or `’27` where many years stand side by side."""
    return pack.ledger.word(pack.source.word("calendar year", f"’{year % 100:02d}" if short else year))


# ---- over time ------------------------------------------------------------------------------------------------------


def _timeline(pack: Pack, rows: list[Row], years: range) -> Gantt:
    lanes = tuple(_lane(pack, row, years[0]) for row in rows)
    end = Quarter.parse(pack.quarters[-1]) - Quarter(4 * years[0]) + 1
    return Gantt("gantt:contracts", 4 * len(years), (), lanes, label_share=0.24, end=end)


def _lane(pack: Pack, row: Row, first_year: int) -> Lane:
    word, number = pack.ledger.word, pack.ledger.number
    start, term, end = (
        quarter - Quarter(4 * first_year)
        for quarter in (Quarter.parse(str(row["delivery_quarter"])), _term_end(pack, row), _end(row))
    )
    size = f"{number(row.figure('it_mw'))} IT MW"
    text = f"{size} at {word(row.word('site'))}, {price_words(pack, row)}, {span_words(pack, row, options=False)}"
    role = pack.role(str(row["product"]))
    bars = [Bar(start, min(term, end), role, (text, f"{size}, {price_words(pack, row)}"))]
    if end > term:
        to = word(row.word("end_quarter"))
        bars.append(Bar(term + 1, end, f"{role} later", (f"tenant's options, to {to}", f"to {to}")))
    return Lane(word(row.word("customer")), tuple(bars))


def _end(row: Row) -> Quarter:
    return Quarter.parse(str(row["end_quarter"]))


def _term_end(pack: Pack, row: Row) -> Quarter:
    """The last quarter of the term as signed, without the tenant's options to extend it."""
    return pack.plan.case.term_end(str(row["offer"]), Quarter.parse(str(row["delivery_quarter"])))


def span_words(pack: Pack, row: Row, options: bool = True) -> str:
    """`2029Q1 to 2043Q4`, and how far the tenant's options, which the plan takes for used, would extend it."""
    word = pack.ledger.word
    begins, ends = word(row.word("delivery_quarter")), word(row.word("end_quarter"))
    if _end(row) <= _term_end(pack, row):
        return f"{begins} to {ends}"
    term = word(pack.source.word("inputs/offers.term_quarters", str(_term_end(pack, row))))
    return f"{begins} to {term}, by the tenant's options to {ends}" if options else f"{begins} to {term}"


def price_words(pack: Pack, row: Row) -> str:
    """A contract's price as the trade quotes it."""
    before, after = PRICES[str(row["price_basis"])]
    return f"{before}{pack.ledger.number(row.figure('price'), 2)}{after}"


# ---- rent -----------------------------------------------------------------------------------------------------------


def _rents(pack: Pack, years: range) -> list[tuple[Figure, ...]]:
    """Rent of each calendar year within and after the horizon."""
    keys = tuple(map(str, years))
    return [
        pack.source.by_quarter(table, "musd", {"line": "rent"}, keys, "year")
        for table in ("cash_flow", "after_horizon")
    ]


def _rent_chart(pack: Pack, years: range) -> Chart:
    last, (within, after) = pack.quarter(pack.quarters[-1]), _rents(pack, years)
    series = (Series(f"to {last}", within, "product 0"), Series(f"after {last}", after, "product 0 later"))
    labels = tuple(_year(pack, year, len(years) > 16) for year in years)
    return Chart("chart:rent", "stacked columns", labels, series, gap=30, alt="Rent by calendar year",
                 keys=tuple(map(str, years)), unit="rent, $M a year")  # fmt: skip


def _title(pack: Pack, rows: list[Row], years: range) -> str:
    ledger, rents = pack.ledger, _rents(pack, years)[0]
    best = max(range(len(rents)), key=lambda i: rents[i].value)
    many = ledger.whole(Figure(at("contracts", "offer", "count", pack.source.run), float(len(rows))))
    signed = "One contract brings" if len(rows) == 1 else f"{many} contracts bring"
    last = max(rows, key=_end)
    brings = f"{signed} {ledger.money(rents[best])} of rent in {_year(pack, years[best])}"
    ends = f"{'it ends' if len(rows) == 1 else 'the last ends'} in {ledger.word(last.word('end_quarter'))}"
    return f"{brings}; {ends}{', if the tenant uses its options' if _end(last) > _term_end(pack, last) else ''}"


def _expected_loss(pack: Pack) -> str:
    """What the customers' chance of default is expected to cost over their contracts, undiscounted."""
    line = {"line": "expected_loss"}
    loss = -(pack.source.total("cash_flow", "musd", line) + pack.source.total("after_horizon", "musd", line))
    if loss.value < TOLD_MUSD:
        return ""
    worth = -(pack.source.total("value", "within_musd", line) + pack.source.total("value", "after_musd", line))
    cost = f"{pack.ledger.money(loss)} over their contracts, {pack.ledger.money(worth)} in present value"
    return f"The customers' chance of default is expected to cost {cost}."


def _note(pack: Pack, rows: list[Row], shown: list[Row]) -> str:
    ledger, run = pack.ledger, pack.source.run
    offers = Figure(at("inputs/offers", "offer", "count", run), float(len(pack.plan.case.offers)))
    refused = offers - Figure(at("contracts", "offer", "count", run), float(len(rows)))
    first = pack.money("first_year_rent_musd")
    words = [
        f"In their first four quarters, each from its own delivery, they are billed {first} together.",
        f"{ledger.whole(refused)} of {ledger.whole(offers)} offers are refused.",
        f"Rent of quarters after {pack.quarter(pack.quarters[-1])}, where the horizon ends, is in the paler colour.",
    ]
    if loss := _expected_loss(pack):
        words.insert(1, loss)
    if len(rows) > len(shown):
        words.append(f"{ledger.whole(count(row for row in rows if row not in shown))} more are not shown.")
    return " ".join(words)
