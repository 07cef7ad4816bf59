"""Several plans side by side: their figures, and at which sites they decide otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from optimizer.board.page.blocks import Column, Line, Section, Table, Words
from optimizer.board.page.book import Book
from optimizer.board.page.headline import fate
from optimizer.board.page.numbers import Name, Number, Style, listed, words
from optimizer.board.page.studies import study_table


@dataclass(frozen=True)
class _Figure:
    name: str
    told: str
    style: Style = "musd"
    decimals: int = 1


FIGURES = (
    _Figure("value_over_do_nothing_musd", "Value over doing nothing"),
    _Figure("value_musd", "Value of the plan"),
    _Figure("do_nothing_value_musd", "Value of doing nothing"),
    _Figure("capex_musd", "Capex"),
    _Figure("capex_budget_musd", "Budget"),
    _Figure("lowest_liquidity_musd", "Lowest liquidity"),
    _Figure("highest_debt_musd", "Most debt"),
    _Figure("converted_gross_mw", "Gross MW that become AI capacity", "plain"),
    _Figure("converted_it_mw", "The same in IT MW", "plain"),
    _Figure("contracted_it_mw", "IT MW under contract", "plain"),
    _Figure("ai_programme_irr", "Return of the AI programme, a year", "percent"),
    _Figure("btc_mined", "BTC mined", "plain", 0),
)
NONE = "none"


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
    names = [Name(label(book, books)) for book in (a, b)]
    if not (a.has("value_over_do_nothing_musd") and b.has("value_over_do_nothing_musd")):
        return words("{} is worth {}, {} is worth {}.", names[0], a.kpi("value_musd"), names[1], b.kpi("value_musd"))
    return words("Over doing nothing, {} adds {} and {} adds {}.", names[0], a.kpi("value_over_do_nothing_musd"),
                 names[1], b.kpi("value_over_do_nothing_musd"))  # fmt: skip


def _figures(books: Sequence[Book]) -> Table:
    columns = [Column(Name(label(book, books))) for book in books]
    rows = [
        Line(figure.told, "", [
            book.kpi(figure.name, figure.style, figure.decimals) if book.has(figure.name)
            else book.plan.missing(figure.name) for book in books
        ])
        for figure in FIGURES
    ]  # fmt: skip
    rows.append(Line("Status", "", [Name(book.plan.word) for book in books]))
    rows.append(Line("Run", "", [Name(book.plan.run_id) for book in books]))
    return Table("The plans side by side", columns, rows, "figure")


def _certainty(books: Sequence[Book]) -> tuple[Words, ...]:
    """How sure the difference of two rival plans is: it lies between what their gaps leave open."""
    a, b = books[0], books[1]
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
