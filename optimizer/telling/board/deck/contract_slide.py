"""The slide on contracts: when each runs, at which price, and the rent of each year."""

from __future__ import annotations

from optimizer.ground.quarters import Quarter
from optimizer.telling.board.deck.blocks import Bar, Box, Chart, Gantt, Lane, Paragraph, Series, Slide, Texts
from optimizer.telling.board.deck.figures import Figure, Row, count
from optimizer.telling.board.deck.pack import Pack

MOST_CONTRACTS = 9


def contracts(pack: Pack) -> Slide | None:
    """Contracts from delivery to end, and the rent of each year below; None where nothing is signed."""
    rows = sorted(pack.source.rows("contracts"), key=lambda row: (str(row["delivery_quarter"]), str(row["offer"])))
    if not rows:
        return None
    first = Quarter.parse(str(pack.quarters[0])).year
    last = max(Quarter.parse(str(row["end_quarter"])).year for row in rows)
    years = range(first, max(last, Quarter.parse(pack.quarters[-1]).year) + 1)
    shown = rows[:MOST_CONTRACTS]
    lanes = tuple(_contract_lane(pack, row, first) for row in shown)
    every = 1 if len(years) <= 10 else 2 if len(years) <= 20 else 4
    ticks = tuple(((year - first) * 4, _year(pack, year)) for year in years if (year - first) % every == 0)
    tall = min(0.56, 0.1 + 0.075 * len(lanes))
    gantt = Gantt("gantt:contracts", 4 * len(years), ticks, lanes, label_share=0.24)
    caption = Texts((Paragraph("Rent by calendar year, $M", quiet=True),), largest=12)
    blocks = (
        (Box(0, 0, 1, tall), gantt),
        (Box(0, tall + 0.03, 1, 0.06), caption),
        (Box(0.24, tall + 0.09, 0.76, 0.91 - tall), _rent_chart(pack, years)),
    )
    return Slide("contracts", _contracts_title(pack, rows, years), blocks, _contracts_note(pack, rows, shown))


def _year(pack: Pack, year: int) -> str:
    return pack.ledger.word(pack.source.word("calendar year", year))


def _short_year(pack: Pack, year: int) -> str:
    """`’27`: many years stand side by side."""
    return pack.ledger.word(pack.source.word("calendar year", f"’{year % 100:02d}"))


def _contract_lane(pack: Pack, row: Row, first_year: int) -> Lane:
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
    """A contract's price as the trade quotes it, and what it is a year."""
    price, basis = row.figure("price"), str(row["price_basis"])
    forms = {
        "usd_per_kw_month": ("$", "/kW-month"),
        "musd_per_it_mw_year": ("$", "M/IT MW-year"),
        "usd_per_gpu_hour": ("$", "/GPU-hour"),
    }
    before, after = forms[basis]
    return f"{before}{pack.ledger.number(price, 2)}{after}"


def _rent_of(pack: Pack, year: int) -> tuple[Figure, Figure]:
    """Rent of a calendar year within and after the horizon."""
    quarters = [str(Quarter(4 * year + i)) for i in range(4)]
    where = {"line": "rent", "quarter": quarters}
    return pack.source.total("cash_flow", "musd", where), pack.source.total("after_horizon", "musd", where)


def _rent_chart(pack: Pack, years: range) -> Chart:
    pairs = [_rent_of(pack, year) for year in years]
    last = pack.quarter(pack.quarters[-1])
    series = (
        Series(f"to {last}", tuple(within for within, _ in pairs), "product 0"),
        Series(f"after {last}", tuple(after for _, after in pairs), "product 0 later"),
    )
    labels = tuple(_year(pack, year) if len(years) <= 16 else _short_year(pack, year) for year in years)
    return Chart("chart:rent", "stacked columns", labels, series, gap=30, alt="Rent by calendar year")


def _contracts_title(pack: Pack, rows: list[Row], years: range) -> str:
    ledger = pack.ledger
    rents = [_rent_of(pack, year) for year in years]
    best = max(range(len(rents)), key=lambda i: rents[i][0].value)
    signed = "One contract brings" if len(rows) == 1 else f"{ledger.whole(count(rows))} contracts bring"
    last = max(rows, key=_end)
    brings = f"{signed} {ledger.money(rents[best][0])} of rent in {_year(pack, years[best])}"
    ends = f"{'it ends' if len(rows) == 1 else 'the last ends'} in {ledger.word(last.word('end_quarter'))}"
    extended = _end(last) > _term_end(pack, last)
    return f"{brings}; {ends}{', if the tenant uses its options' if extended else ''}"


def _contracts_note(pack: Pack, rows: list[Row], shown: list[Row]) -> str:
    ledger = pack.ledger
    offers = count(pack.source.inputs("offers"))
    refused = offers - count(rows)
    first = ledger.money(pack.source.due("first_year_rent_musd"))
    words = [
        f"In their first four quarters, each from its own delivery, they are billed {first} together.",
        f"{ledger.whole(refused)} of {ledger.whole(offers)} offers are refused.",
        f"Rent of quarters after {pack.quarter(pack.quarters[-1])}, where the horizon ends, is in the paler colour.",
    ]
    if len(rows) > len(shown):
        left = count(row for row in rows if row not in shown)
        words.append(f"{ledger.whole(left)} more are not shown.")
    return " ".join(words)
