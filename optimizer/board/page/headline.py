"""What a director reads first: what the plan is worth, what is decided at each site, and the figures behind it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from optimizer.board.page.blocks import Section, Tile, Tiles, Words
from optimizer.board.page.book import Book
from optimizer.board.page.keys import at
from optimizer.board.page.numbers import Either, Name, listed, words
from optimizer.schema import MINING

_MOST_NAMED = 3


def headline(book: Book) -> Markup:
    """The plan in one sentence, with its value over doing nothing."""
    sites = list(dict.fromkeys(book.plan.starts["site"]))
    if not book.has("value_over_do_nothing_musd"):
        return words("{} is worth {}; doing nothing keeps neither commitments nor policies.", _what(book, sites),
                     book.kpi("value_musd"))  # fmt: skip
    over = book.plan.kpis["value_over_do_nothing_musd"]
    gained = book.kpi("value_over_do_nothing_musd")
    if abs(over) < 0.05:
        return words("{} is worth what doing nothing is: {}.", _what(book, sites), book.kpi("value_musd"))
    if over > 0:
        return words("{} adds {} over doing nothing.", _what(book, sites), gained)
    return words("{} comes to {} against doing nothing.", _what(book, sites), gained)


def described(book: Book) -> Name | None:
    """What the case says of the plan's scenario, if it says anything."""
    said = next((row.description for row in book.plan.case.scenarios if row.scenario == book.plan.scenario), None)
    return Name(said) if said else None


def _what(book: Book, sites: list[str]) -> Markup:
    if not sites:
        mines = bool((book.plan.allocation["use"] == MINING).any())
        return Markup("Mining on without any conversion" if mines else "Converting nothing")
    if len(sites) <= _MOST_NAMED:
        return words("Converting {}", listed(Name(site) for site in sites))
    return words("Converting {} sites", book.number(len(sites), "starts/site!distinct", decimals=0))


def tiles(book: Book) -> Tiles:
    """The figures a board asks for first."""
    shown = [
        Tile("Value of the plan", book.kpi("value_musd"), _doing_nothing(book)),
        Tile("Capex", book.kpi("capex_musd"), words("of a budget of {}", book.kpi("capex_budget_musd"))),
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
                words("gross; {} IT MW under contract", book.kpi_mw("contracted_it_mw")),
                words("IT; {} of them under contract", book.kpi_mw("contracted_it_mw")),
            ),
        ),
        _return(book),
    ]
    return Tiles(shown)


def _doing_nothing(book: Book) -> Markup:
    if not book.has("do_nothing_value_musd"):
        return Markup("doing nothing keeps neither commitments nor policies")
    return words("doing nothing: {}", book.kpi("do_nothing_value_musd"))


def _return(book: Book) -> Tile:
    paid = (
        words("paid back in {}", book.quarter("ai_programme_payback_quarter"))
        if book.has("ai_programme_payback_quarter")
        else Markup("not paid back")
    )
    if book.has("ai_programme_irr"):
        return Tile("Return of the AI programme", book.kpi("ai_programme_irr", "percent"), words("a year; {}", paid))
    why = "its flows have no single rate of return" if len(book.plan.starts) else "the plan has no such programme"
    return Tile("Return of the AI programme", book.plan.missing("ai_programme_irr"), why)


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
    return Section("decision", "The decision by site", message, (Words(sentences, bullets=True), *_asked(book)))


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
