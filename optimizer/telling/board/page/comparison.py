"""Several plans side by side: their figures, and at which sites they decide otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from optimizer.plan.figures import FIGURES as ROOM
from optimizer.plan.figures.room import AT
from optimizer.plan.power_uses import UNUSED
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import Column, Line, Section, Table, Words
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.headline import fate
from optimizer.telling.board.page.numbers import Name, Number, Style, listed, words
from optimizer.telling.board.page.studies import study_table

FIGURES = (
    "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "value_musd", "do_nothing_value_musd",
    "capex_musd", "capex_committed_musd", "capex_budget_musd", "lowest_liquidity_musd", "highest_debt_musd",
    "btc_sold_musd", "machines_sold_gross_mw", "damages_musd", "converted_gross_mw", "converted_it_mw",
    "contracted_it_mw", "unlevered_return", "btc_mined",
)  # fmt: skip
"""Figures of the room, under the names that it has for them."""
_UNLIKE_DATES = "These plans begin at different times: values are brought to one date, other quarters lie behind each."


def label(book: Book, books: Sequence[Book]) -> str:
    """What tells a plan from the others: its scenario, with the case or the run where that is not enough."""
    same_case = all(one.plan.case.settings.name == book.plan.case.settings.name for one in books)
    name = book.plan.scenario if same_case else f"{book.plan.case.settings.name} · {book.plan.scenario}"
    twins = [
        one for one in books if (one.plan.case.settings.name, one.plan.scenario)
        == (book.plan.case.settings.name, book.plan.scenario)
    ]  # fmt: skip
    return f"{name} · {book.plan.run_id}" if len(twins) > 1 else name


def comparison(books: Sequence[Book]) -> Section:
    """The plans of the page side by side."""
    first, second = books[0], books[1]
    message = _message(first, second, books)
    blocks: list[object] = [_figures(books), *_certainty(books), *_bridges(books), *_sites(books)]
    return Section("comparison", "Comparison", message, tuple(blocks))


def _message(a: Book, b: Book, books: Sequence[Book]) -> Markup:
    names, date = [Name(label(book, books)) for book in (a, b)], books[0].date
    when = words(", at the start of {}", Name(date)) if date else ""
    if not (a.has("value_over_do_nothing_musd") and b.has("value_over_do_nothing_musd")):
        worth = [_figure(book, "value_musd", date) for book in (a, b)]
        return words("{} is worth {}, {} is worth {}{}.", names[0], worth[0], names[1], worth[1], when)
    adds = [_figure(book, "value_over_do_nothing_musd", date) for book in (a, b)]
    return words("Over doing nothing, {} adds {} and {} adds {}{}.", names[0], adds[0], names[1], adds[1], when)


def _figure(book: Book, key: str, date: str) -> Number | str:
    """A figure of a plan, a present value at the date of them all; words where the plan has none."""
    if not book.has(key):
        return book.plan.missing(key)
    known = ROOM[key]
    if known.unit == "a year":
        return book.kpi(key, "percent")
    style: Style = "musd" if known.unit == "$M" else "plain"
    dated = f"{key}{AT}{date}" if date and known.dated else key
    return book.kpi(dated, style, 0 if known.unit == "BTC" else 1)


def _figures(books: Sequence[Book]) -> Table:
    columns, date = [Column(Name(label(book, books))) for book in books], books[0].date
    rows = [Line(ROOM[key].label, "", [_figure(book, key, date) for book in books]) for key in FIGURES]
    rows.append(Line("Gross MW unused at last", "", [_unused(book) for book in books]))
    rows.append(Line("Status", "", [Name(book.plan.word) for book in books]))
    rows.append(Line("Run", "", [Name(book.plan.run_id) for book in books]))
    title: object = "The plans side by side"
    if date:
        title = words("The plans side by side; values at the start of {}, at each plan's corporate rate", Name(date))
    return Table(title, columns, rows, "figure")


def _unused(book: Book) -> Number:
    """What no use takes at the end of the horizon, all sites together."""
    table, last = book.plan.allocation, book.quarters[-1]
    mine = table[(table["use"] == UNUSED) & (table["quarter"].astype(str) == last)]
    return book.mw(float(mine["gross_mw"].sum()), at("allocation/gross_mw", use=UNUSED, quarter=last))


def _certainty(books: Sequence[Book]) -> tuple[Words, ...]:
    """How sure the difference of two rival plans is: it lies between what their gaps leave open."""
    a, b = books[0], books[1]
    if books[0].date:
        return (Words([_UNLIKE_DATES], note=True),)
    if (a.plan.scenario, a.plan.case.settings.name) != (b.plan.scenario, b.plan.case.settings.name):
        note = (
            "These plans are of different markets or companies: they show what each would lead to, they are not rivals."
        )
        return (Words([note], note=True),)
    plain = f"{b.id}/record/value_musd - {a.id}/record/value_musd"
    low = Number(b.plan.value_musd - a.plan.bound_musd, f"{b.id}/record/value_musd - {a.id}/record/bound_musd", "musd")
    high = Number(b.plan.bound_musd - a.plan.value_musd, f"{b.id}/record/bound_musd - {a.id}/record/value_musd", "musd")
    told = words("{} is worth {} more than {}; with the gaps of both, the best plans differ by {} to {}.",
                 Name(label(b, books)), Number(b.plan.value_musd - a.plan.value_musd, plain, "musd"),
                 Name(label(a, books)), low, high)  # fmt: skip
    return (Words([told]),)


def _bridges(books: Sequence[Book]) -> list[object]:
    """Why the value of a plan is another than the first's, where that was studied."""
    columns = {"words": "what differs", "line_musd": "$M", "low_musd": "at least", "high_musd": "at most",
               "repriced_musd": "old decisions, new inputs", "redecided_musd": "decided again"}  # fmt: skip
    kind = f"bridge-{books[0].plan.run_id}"
    shown: list[object] = []
    for book in books[1:]:
        if kind in book.studies:
            study = book.studies[kind]
            shown.append(Words([Name(study.title), *(Name(sentence) for sentence in study.words)]))
            shown += [
                table for table in [study_table(book, study, kind, "lines", columns, "By groups of inputs")] if table
            ]
    return shown


def _sites(books: Sequence[Book]) -> list[object]:
    """What each plan decides at the sites where they differ, and where they do not."""
    sites = list(dict.fromkeys(row.site for book in books for row in book.plan.case.sites))
    told = {site: [_fate(book, site) for book in books] for site in sites}
    same = [site for site, fates in told.items() if len({one.striptags() for one in fates}) == 1]
    rows = [Line(Name(site), "", fates) for site, fates in told.items() if site not in same]
    columns = [Column(Name(label(book, books)), number=False) for book in books]
    shown: list[object] = [Table("Sites at which the plans decide otherwise", columns, rows, "site")] if rows else []
    if same:
        shown.append(Words([words("Decided alike in each plan: {}.", listed(Name(site) for site in same))], note=True))
    return shown


def _fate(book: Book, site: str) -> Markup:
    return fate(book, site) if site in book.plan.case.site else Markup("not a site of this case")
