"""Signed contracts on their own time, which runs beyond the horizon, with the rent that they bring by year."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from optimizer.ground.quarters import Quarter
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
    Tick,
    Words,
)
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.charts import axis, looks, stacked
from optimizer.telling.board.page.headline import offers_signed
from optimizer.telling.board.page.numbers import Name, Style, words

BASES: dict[str, tuple[Style, str]] = {
    "usd_per_kw_month": ("usd", " a kW-month"),
    "musd_per_it_mw_year": ("musd", " an IT MW-year"),
    "usd_per_gpu_hour": ("usd", " a GPU-hour"),
}


def contracts(book: Book) -> Section:
    """The signed offers as a timeline, and the rent by year."""
    signed, offers = book.plan.contracts, book.plan.case.offers
    if signed.empty:
        message = Markup("There is no offer to sign.")
        if offers:
            message = words("None of {} is signed.", book.many(offers, "inputs/offers", "offer"))
        return Section("contracts", "Contracts and rent", message)
    message = words("{}, for {} IT MW.", offers_signed(book), book.kpi_mw("contracted_it_mw"))
    return Section("contracts", "Contracts and rent", message, (_timeline(book), *_rent(book)))


def price(book: Book, row: Any) -> Markup:
    """The price of a signed offer in the unit of its contract, as exact as it is held."""
    style, unit = BASES[row.price_basis]
    digits = f"{row.price:.6f}".rstrip("0").partition(".")[2]
    shown = book.number(row.price, at("contracts/price", row=row.Index), style, len(digits))
    return words("{}{}", shown, unit)


def _timeline(book: Book) -> Strips:
    signed = book.plan.contracts
    first = Quarter.parse(min([book.quarters[0], *signed["delivery_quarter"]]))
    last = Quarter.parse(max([book.quarters[-1], *signed["end_quarter"]]))
    look = looks(book.plan)
    strips = [_strip(book, row, first, last - first + 1, look[row.product]) for row in signed.itertuples()]
    products = list(dict.fromkeys(signed["product"]))
    end = Quarter.parse(book.quarters[-1]) - first + 1
    ticks = _year_ticks(first, last)
    legend = [Legend(look[product], Name(product)) for product in products]
    if end <= last - first:
        legend.append(Legend("horizon", "end of the horizon"))
        mark = Rect(end / (last - first + 1) * 100, 0, 0.3, 100, "horizon")
        strips = [Strip(strip.name, strip.beside, [*strip.rects, mark], strip.group) for strip in strips]
    return Strips(f"{book.id}-contracts", last - first + 1, ticks, legend, strips, _list(book), tall=True)


def _strip(book: Book, row: Any, first: Quarter, quarters: int, look: str) -> Strip:
    start, end = Quarter.parse(row.delivery_quarter) - first, Quarter.parse(row.end_quarter) - first + 1
    bar = Rect(start / quarters * 100, 12, (end - start) / quarters * 100, 76, look)
    told = words(
        "{} IT MW {} at {}, {}, {}", book.mw(row.it_mw, at("contracts/it_mw", row=row.Index)), Name(row.product),
        Name(row.site), _span(book, row), price(book, row),
    )  # fmt: skip
    return Strip(words("{}", Name(row.customer)), told, [bar])


def _span(book: Book, row: Any) -> Markup:
    """From delivery to the term's end, and how far the tenant's options, which the plan takes for used, extend it."""
    begins, ends = Name(row.delivery_quarter), Name(row.end_quarter)
    term = book.plan.case.term_end(str(row.offer), Quarter.parse(row.delivery_quarter))
    if Quarter.parse(row.end_quarter) <= term:
        return words("{} to {}", begins, ends)
    return words("{} to {}, by the tenant's options to {}", begins, Name(str(term)), ends)


def _year_ticks(first: Quarter, last: Quarter) -> tuple[Tick, ...]:
    count = last - first + 1
    starts = [i for i in range(count) if i == 0 or str(first + i).endswith("Q1")]
    few = len(starts) // 9 + 1
    return tuple(
        Tick(i / count * 100, text=str(first + i)[:4], minor=bool(n % (2 * few)))
        for n, i in enumerate(starts)
        if n % few == 0 and (i + 2 < count or i == 0)
    )


def _list(book: Book) -> Table:
    """Every term of the signed offers that the plan holds."""
    columns = [
        Column("customer", number=False), Column("product", number=False), Column("site", number=False),
        Column("delivery", number=False), Column("term ends", number=False),
        Column("ends, options used", number=False), Column("IT MW"), Column("price"),
        Column("value, $M"), Column("decided", number=False),
    ]  # fmt: skip
    rows = [
        Line(
            Name(row.offer), "",
            [
                Name(row.customer), Name(row.product), Name(row.site), Name(row.delivery_quarter),
                Name(str(book.plan.case.term_end(str(row.offer), Quarter.parse(row.delivery_quarter)))),
                Name(row.end_quarter), book.number(row.it_mw, at("contracts/it_mw", row=row.Index)), price(book, row),
                book.number(row.value_musd, at("contracts/value_musd", row=row.Index)), row.decided,
            ],
        )
        for row in book.plan.contracts.itertuples()
    ]  # fmt: skip
    return Table("Signed offers; value is today's, of rent less what serving it costs", columns, rows, "offer",
                 folded=True, sortable=True, id=f"{book.id}-contracts-table")  # fmt: skip


def _rent(book: Book) -> tuple[Chart | Words, ...]:
    """Rent received by year, within the horizon and after it."""
    parts = {"cash_flow": ("within", "within the horizon"), "after_horizon": ("after", "after the horizon")}
    flows = {}
    for name in parts:
        rows = book.plan.tables[name]
        rent = rows[rows["line"] == "rent"]
        flows[name] = rent.groupby(rent["quarter"].str[:4])["musd"].sum().to_dict()
    years = sorted({year for flow in flows.values() for year in flow})
    if not years:
        return (Words(["No rent is paid within the horizon or after it."]),)
    years = [str(year) for year in range(int(min(years[0], book.quarters[0][:4])), int(years[-1]) + 1)]
    series = {t: [float(flow.get(year, 0.0)) for year in years] for t, flow in flows.items() if flow}
    scale = axis(sum(values) for values in zip(*series.values(), strict=True))
    rows = [Line(parts[t][1], f"{book.id}/{t}/musd?line=rent&year=*", values) for t, values in series.items()]
    columns = [Column(Name(year), year) for year in years]
    table = Table("Rent by year, $M", columns, rows, "rent", folded=True, id=f"{book.id}-rent-table")
    every = len(years) // 9 + 1
    ticks = [Tick(i / len(years) * 100, text=year, minor=bool(i % (2 * every))) for i, year in enumerate(years)
             if i % every == 0 and (i + 1 < len(years) or i == 0)]  # fmt: skip
    return (
        Chart(
            f"{book.id}-rent", "rent, $M a year", len(years), scale.ticks, ticks,
            [Legend(parts[t][0], parts[t][1]) for t in series], table,
            rects=stacked([(parts[t][0], values) for t, values in series.items()], scale), zero=scale.at(0),
        ),
    )  # fmt: skip
