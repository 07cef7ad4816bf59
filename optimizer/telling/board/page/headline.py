"""What a director reads first: what the plan is worth, what is decided at each site, and the figures behind it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from optimizer.case.schema import MINING
from optimizer.ground.amounts import TOLD_MUSD
from optimizer.plan.figures import sales_and_delays
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import Column, Line, Section, Table, Tile, Tiles, Words
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.numbers import Either, Name, Number, listed, words

_MOST_NAMED = 3


def headline(book: Book) -> Markup:
    """The new decisions in one sentence, with what they add to doing nothing."""
    if not book.has("value_over_do_nothing_musd"):
        return words("{} gives a plan worth {}; doing nothing keeps neither commitments nor policies.", _what(book),
                     book.kpi("value_musd"))  # fmt: skip
    gained = book.kpi("value_over_do_nothing_musd")
    if abs(gained.value) < TOLD_MUSD:
        return words("{} is worth what doing nothing is: {}.", _what(book), book.kpi("value_musd"))
    if gained.value > 0:
        return words("{} adds {} over doing nothing.", _what(book), gained)
    return words("{} comes to {} against doing nothing.", _what(book), gained)


def described(book: Book) -> Name | None:
    """What the case says of the plan's scenario, if it says anything."""
    said = next((row.description for row in book.plan.case.scenarios if row.scenario == book.plan.scenario), None)
    return Name(said) if said else None


def _what(book: Book) -> Markup:
    """What is newly converted: halls that were committed before are kept by doing nothing too."""
    new = book.plan.starts[book.plan.starts["decided"] == "new"]
    sites = list(dict.fromkeys(new["site"]))
    if not sites:
        mines = bool((book.plan.allocation["use"] == MINING).any())
        return Markup("Mining on without any new conversion" if mines else "Converting nothing new")
    where = listed(Name(site) for site in sites)
    if len(sites) > _MOST_NAMED:
        where = words("{} sites", book.number(len(sites), at("starts/site!distinct", decided="new"), decimals=0))
    return words("Converting {} gross MW at {}", book.kpi_mw("new_gross_mw"), where)


def tiles(book: Book) -> Tiles:
    """The figures a board asks for first."""
    shown = [
        _value(book),
        _capex(book),
        Tile(
            "Lowest liquidity",
            book.kpi("lowest_liquidity_musd"),
            words("end of {}; minimum {}", book.quarter("lowest_liquidity_quarter"), book.kpi("minimum_cash_musd")),
        ),
        Tile(
            "Becomes AI capacity",
            Either(
                words("{} MW", book.kpi_mw("converted_gross_mw")),
                words("{} MW", book.kpi_mw("converted_it_mw")),
            ),
            Either(
                words("gross{}; {} IT MW under contract", _committed_mw(book), book.kpi_mw("contracted_it_mw")),
                words("IT; {} of them under contract", book.kpi_mw("contracted_it_mw")),
            ),
        ),
        _return(book),
    ]
    return Tiles(shown)


def _value(book: Book) -> Tile:
    if not book.has("value_over_do_nothing_musd"):
        return Tile("Value of the plan", book.kpi("value_musd"), _doing_nothing(book))
    within, after = book.kpi("within_over_do_nothing_musd"), book.kpi("terminal_value_over_do_nothing_musd")
    parts = words("{} within the horizon and {} after it", within, after)
    return Tile("Value over doing nothing", book.kpi("value_over_do_nothing_musd"), parts)


def _capex(book: Book) -> Tile:
    new, budget = book.kpi("capex_new_musd"), book.kpi("capex_budget_musd")
    committed = book.kpi("capex_committed_musd")
    if committed.value <= TOLD_MUSD:
        return Tile("New capex", new, words("of a budget of {}", budget))
    told = words("with {} committed before, {} of a budget of {}", committed, book.kpi("capex_musd"), budget)
    return Tile("New capex", new, told)


def _committed_mw(book: Book) -> Markup:
    committed = book.kpi_mw("committed_gross_mw")
    return words(", {} of them committed before", committed) if committed.value > 0 else Markup("")


def _doing_nothing(book: Book) -> Markup:
    if not book.has("do_nothing_value_musd"):
        return Markup("doing nothing keeps neither commitments nor policies")
    return words("doing nothing: {}", book.kpi("do_nothing_value_musd"))


def _return(book: Book) -> Tile:
    paid = (
        words("paid back in {}", book.quarter("unlevered_payback_quarter"))
        if book.has("unlevered_payback_quarter")
        else Markup("not paid back")
    )
    if book.has("unlevered_return"):
        return Tile("Return of the AI programme", book.kpi("unlevered_return", "percent"), words("a year; {}", paid))
    why = "its flows have no single rate of return" if len(book.plan.starts) else "the plan has no such programme"
    return Tile("Return of the AI programme", book.plan.missing("unlevered_return"), why)


# ---- decisions ----------------------------------------------------------------------------------------------------


def decisions(book: Book) -> Section:
    """The decision by site, in words."""
    starts, sites = book.plan.starts, book.plan.case.sites
    if len(starts):
        message = words(
            "Work starts at {} of {}; {}.",
            book.number(starts["site"].nunique(), "starts/site!distinct", decimals=0),
            book.many(sites, "inputs/sites", "site"), offers_signed(book),
        )  # fmt: skip
    else:
        message = words("Of {}, none is converted.", book.many(sites, "inputs/sites", "site"))
    sentences = [words("{}: {}", Markup("<strong>{}</strong>").format(Name(row.site)), fate(book, row.site))
                 for row in sites]  # fmt: skip
    blocks = (Words(sentences, bullets=True), *_money_and_sales(book), *_asked(book), *_sold_tables(book))
    return Section("decision", "The decision by site", message, blocks)


def _money_and_sales(book: Book) -> tuple[Words, ...]:
    """What is spent, drawn and sold beside that, and what is delivered late."""
    sentences = []
    new, drawn = book.kpi("capex_new_musd"), book.kpi("debt_drawn_musd")
    if new.value > TOLD_MUSD:
        sentences.append(words("Spend {} of new capex.", new))
    if drawn.value > TOLD_MUSD:
        sentences.append(words("Draw {} of debt.", drawn))
    sentences += [words("{} {}.", one.verb, book.sentence(one)) for one in sales_and_delays(book.room)]
    return (Words(sentences, bullets=True),) if sentences else ()


def _sold_tables(book: Book) -> tuple[Table, ...]:
    """BTC and machines sold by quarter, contracts that are late: the sums of these rows are what is told above."""
    return tuple(table for table in (
        _table(book, "btc_sold", "BTC sold from the treasury, by quarter", ("quarter",), ("sold_btc", "musd")),
        _table(book, "machines_sold", "Mining machines sold, by class and quarter", ("asic", "quarter"),
               ("sold_gross_mw", "musd")),
        _table(book, "late_contracts", "Contracts delivered late",
               ("offer", "customer", "first_quarter", "last_quarter"), ("quarters", "damages_musd")),
    ) if table is not None)  # fmt: skip


_HEADS = {
    "quarter": "quarter", "sold_btc": "BTC", "musd": "$M", "asic": "machines", "sold_gross_mw": "gross MW",
    "offer": "offer", "customer": "customer", "first_quarter": "late from", "last_quarter": "late to",
    "quarters": "quarters late", "damages_musd": "damages, $M",
}  # fmt: skip


def _table(book: Book, name: str, caption: str, names: tuple[str, ...], numbers: tuple[str, ...]) -> Table | None:
    frame = book.room.tables[name]
    if frame.empty:
        return None
    first, *others = names
    rows = [
        Line(Name(str(row[first])), "", [
            *(Name(str(row[column])) for column in others), *(_cell(book, name, n, c, row[c]) for c in numbers),
        ])
        for n, row in enumerate(frame.to_dict("records"))
    ]  # fmt: skip
    heads = [*(Column(_HEADS[column], number=False) for column in others), *(Column(_HEADS[c]) for c in numbers)]
    return Table(caption, heads, rows, _HEADS[first], folded=True, sortable=True)


def _cell(book: Book, table: str, row: int, column: str, value: float) -> Number:
    place, decimals = at(f"figures/{table}/{column}", row=row), 0 if column == "quarters" else 1
    return book.number(value, place, decimals=decimals)


def offers_signed(book: Book) -> Markup:
    """How many of the offers are signed."""
    signed, offers = book.plan.contracts, book.plan.case.offers
    if not offers:
        return Markup("there is no offer to sign")
    verb = "is" if len(signed) == 1 else "are"
    told = book.count(signed, "contracts") if len(signed) else "none"
    return words("{} of {} {} signed", told, book.many(offers, "inputs/offers", "offer"), verb)


def _asked(book: Book) -> tuple[Words, ...]:
    """Offers refused by name, where that is short enough to read."""
    signed = set(book.plan.contracts["offer"])
    refused = [row.offer for row in book.plan.case.offers if row.offer not in signed]
    if not refused:
        return ()
    return (Words([words("Refused: {}.", listed(Name(offer) for offer in refused))], note=True),)


def fate(book: Book, site: str) -> Markup:
    """What a plan decides at a site, in words."""
    starts = book.plan.starts
    parts = [_start(book, row) for row in starts.itertuples() if row.site == site]
    mined = _mining(book, site)
    parts += [mined] if mined else []
    return Markup("; ").join(parts) + "." if parts else Markup("neither mines nor converts.")


def _start(book: Book, row: Any) -> Markup:
    return words(
        "{} gross MW ({} IT) become {}, start {}, in service {}{}",
        book.mw(row.gross_mw, at("starts/gross_mw", row=row.Index)),
        book.mw(row.it_mw, at("starts/it_mw", row=row.Index)),
        Name(row.product), Name(row.start_quarter), Name(row.service_quarter),
        " (committed)" if row.decided == "committed" else "",
    )  # fmt: skip


def _mining(book: Book, site: str) -> Markup | None:
    """From when to when a site mines, and how much at first and at last."""
    table = book.plan.allocation
    mined = table[(table["site"] == site) & (table["use"] == MINING) & (table["gross_mw"] > 1e-6)]
    if mined.empty:
        return None
    by_quarter = mined.groupby("quarter")["gross_mw"].sum()
    ends = by_quarter.index[0], by_quarter.index[-1]
    first, last = (
        book.mw(float(by_quarter[quarter]), at("allocation/gross_mw", site=site, use=MINING, quarter=quarter))
        for quarter in ends
    )
    if ends[1] == book.quarters[-1]:
        return words("mines to the end of the horizon ({} gross MW at first, {} at last)", first, last)
    return words("mines to {} ({} gross MW at first, {} at last)", Name(ends[1]), first, last)
