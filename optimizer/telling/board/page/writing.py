"""From plans to one file: what may be shown, the page drawn, read back and held against the plans, then written."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from optimizer.files.folders import hand_out
from optimizer.telling.board.keys import Answers
from optimizer.telling.board.page.assumptions import assumptions
from optimizer.telling.board.page.blocks import Section, Tiles
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.bridge import bridge
from optimizer.telling.board.page.comparison import comparison, label
from optimizer.telling.board.page.contracts import contracts
from optimizer.telling.board.page.headline import decisions, described, headline, tiles
from optimizer.telling.board.page.megawatts import over_time, where_and_when
from optimizer.telling.board.page.money import capex, cash, debt, statement
from optimizer.telling.board.page.numbers import Name
from optimizer.telling.board.page.proof import audit, method
from optimizer.telling.board.page.receipts import Receipts, check, page_numbers
from optimizer.telling.board.page.studies import studies

if TYPE_CHECKING:
    from jinja2 import Template

_TELLERS = (decisions, over_time, where_and_when, contracts, capex, cash, bridge, debt, statement)


PATTERNS = {
    "mining": "", "idle": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6", "building": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6",
    "unused": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6", "x0": "M0 2 H8 M2 0 V8", "x1": "M1 1 h3 M5 5 h3",
    "p0": "M1.5 2 h1.4 M5.5 6 h1.4", "p1": "M2 0 V8 M6 0 V8", "p2": "M0 2 H8 M0 6 H8",
    "p3": "M0 0 8 8 M-2 6 2 10 M6 -2 10 2", "p4": "M0 4 H8 M4 0 V8", "p5": "M0 0 8 8 M8 0 0 8",
    "after": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6", "side-low": "M1 2 h2 M5 6 h2", "down": "M-2 6 2 10 M0 0 8 8 M6 -2 10 2",
}  # fmt: skip
"""The strokes that tell looks apart without their colours."""


@dataclass(frozen=True)
class Choice:
    """A plan in the chooser."""

    id: str
    label: str


@dataclass(frozen=True)
class Told:
    """One plan as the template draws it."""

    book: Book
    label: str
    headline: Markup
    scenario: Name | None
    tiles: Tiles
    sections: Sequence[Section]


def page(books: Sequence[Book]) -> tuple[str, Receipts]:
    """The page of some plans, held against them, and how much was. Raises PlanError where anything does not hold."""
    answers = Answers({book.id: book.told() for book in books})
    drawn = _drawn(books)
    figures = [answers.read(key) for key in page_numbers(drawn)]
    data = {"plans": [_identity(book, books) for book in books], "numbers": figures}
    text = drawn.replace(_DATA, _json(data))
    texts = {text for book in books for text in book.texts()}
    return text, check(text, answers, texts | {label(book, books) for book in books})


def write_page(books: Sequence[Book], path: Path) -> Receipts:
    """Write the page, whole or not at all. Raises PlanError."""
    text, receipts = page(books)
    hand_out(path, text.encode())
    return receipts


# ---- drawing ------------------------------------------------------------------------------------------------------

_DATA = "@the data of this page@"


def _drawn(books: Sequence[Book]) -> str:
    """The page without its data."""
    css, js = _style(books), _file("page.js")
    text = _template().render(
        plans=[_told(book, books) for book in books],
        groups=_groups(books),
        shared=_shared(books),
        assumptions_of=_assumptions_of(books),
        title=_title(books),
        patterns=PATTERNS,
        css=Markup(css), js=Markup(js), data=Markup(_DATA), policy=_policy(css, js), Name=Name,
    )  # fmt: skip
    return _squeezed(text).lstrip()


def _squeezed(text: str) -> str:
    """Without blank lines."""
    return re.sub(r"\n\s*\n+", "\n", text)


def _title(books: Sequence[Book]) -> Name | str:
    titles = {book.plan.case.settings.title for book in books}
    return Name(titles.pop()) if len(titles) == 1 else "Plans for the board"


def _told(book: Book, books: Sequence[Book]) -> Told:
    sections = [teller(book) for teller in _TELLERS]
    return Told(
        book, label(book, books), headline(book), described(book), tiles(book), (*sections, *studies(book), audit(book))
    )


def _shared(books: Sequence[Book]) -> list[tuple[str, Section]]:
    """What is told once: the comparison, the assumptions of each set of inputs, the method; with ids."""
    told = [("comparison", comparison(books))] if len(books) > 1 else []
    ids = _assumptions_of(books)
    told += [(ids[book.id], assumptions(book)) for book in books if ids[book.id] == f"assumptions-{book.id}"]
    return [*told, ("method", method())]


def _assumptions_of(books: Sequence[Book]) -> dict[str, str]:
    """Where the assumptions of each plan stand: plans of the same inputs share them."""
    first: dict[str, str] = {}
    return {book.id: first.setdefault(book.input_hash, f"assumptions-{book.id}") for book in books}


def _groups(books: Sequence[Book]) -> list[dict[str, Any]]:
    """The plans of the chooser under the titles of their cases."""
    groups: dict[str, list[Choice]] = {}
    for book in books:
        groups.setdefault(book.plan.case.settings.title, []).append(Choice(book.id, label(book, books)))
    return [{"title": title, "plans": plans} for title, plans in groups.items()]


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("optimizer.telling.board", "page"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return made.get_template("page.html.jinja")


@cache
def _file(name: str) -> str:
    return _squeezed((files("optimizer.telling.board") / "page" / name).read_text(encoding="utf-8"))


def _style(books: Sequence[Book]) -> str:
    """The style sheet, with the foot of each plan's printed pages; only hashes and words of ours come into it."""
    feet = {book.id: f"run {book.plan.run_id}, inputs {book.input_hash}, {book.plan.word}" for book in books}
    heads = {book.id: "; ".join(stamp.partition(":")[0] for stamp in book.stamps) for book in books}
    rules = [_page_rule(book.id, feet[book.id], heads[book.id]) for book in books]
    rules += [f"#{book.id} {{ page: {book.id}; }}" for book in books]
    rules.append(_page_rule("shared", "; ".join(feet.values()), "; ".join(filter(None, heads.values()))))
    return _file("page.css") + "\n".join(rules) + "\n"


def _page_rule(name: str, foot: str, head: str) -> str:
    feet = f"@bottom-left {{ content: {_css_text(foot)}; }} @top-center {{ content: {_css_text(head)}; }}"
    return f"@page {name} {{ {feet} }}"


def _css_text(text: str) -> str:
    """A text as CSS holds it: every sign that is neither a letter nor a digit of ASCII by its number."""
    safe = "".join(sign if re.fullmatch(r"[A-Za-z0-9 ,.:;()$%-]", sign) else f"\\{ord(sign):06x} " for sign in text)
    return f'"{safe}"'


def _policy(css: str, js: str) -> str:
    """Nothing is fetched; only the style sheet and the script of this file are heeded."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, js))
    own = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _identity(book: Book, books: Sequence[Book]) -> dict[str, Any]:
    plan = book.plan
    return {
        "id": book.id, "case": plan.case.settings.name, "scenario": plan.scenario, "run": plan.run_id,
        "inputs": book.input_hash, "word": plan.word, "label": label(book, books),
    }  # fmt: skip


def _json(data: Any) -> str:
    """JSON that no text in it can end early: `<`, `>` and `&` by their numbers."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
