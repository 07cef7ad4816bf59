"""From the value of doing nothing to the value of the plan, by what earns and what costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from markupsafe import Markup

from optimizer.business.lines import LINES, Group
from optimizer.telling.board.keys import encoded
from optimizer.telling.board.page.blocks import Bar, Bars, Rect, Section, Words
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.numbers import ROUNDED, Number, adds, words

TINY = 0.005
SPANS = {"within_musd": "", "after_musd": ", after the horizon"}


def bridge(book: Book) -> Section:
    """The bridge; where doing nothing cannot be done, what the plan's own value is made of."""
    ends = [_end(book, "Value of the plan", book.kpi("value_musd"))]
    if book.plan.nothing is not None:
        ends.insert(0, _end(book, "Value of doing nothing", book.kpi("do_nothing_value_musd")))
    parts = _parts(book)
    bars = _waterfall(ends, parts)
    caption = "Present value, $M: each bar starts where the one above it ends"
    blocks: list[object] = [Bars(caption, "part", ("$M",), bars)]
    start = ends[0][1] if len(ends) == 2 else Number(0.0, "")
    if not adds([start, *(number for _, number in parts)], ends[-1][1]):
        blocks.append(Words([ROUNDED], note=True))
    return Section("bridge", "Where the value comes from", _message(book, parts), tuple(blocks))


def _message(book: Book, parts: Sequence[tuple[str, Number]]) -> Markup:
    if book.plan.nothing is None:
        return words("The plan is worth {}, of which {} after the horizon.", book.kpi("value_musd"),
                     book.kpi("value_after_horizon_musd"))  # fmt: skip
    if not parts:
        return Markup("The plan earns and costs what doing nothing does.")
    after = book.kpi("terminal_value_over_do_nothing_musd")
    over = book.kpi("value_over_do_nothing_musd")
    within = book.kpi("within_over_do_nothing_musd")
    return words("Over doing nothing the plan adds {}: {} within the horizon and {} after it.", over, within, after)


def _end(book: Book, name: str, number: Number) -> tuple[str, Number]:
    return name, Number(number.value, number.key)


def _parts(book: Book) -> list[tuple[str, Number]]:
    """What each group of lines adds to doing nothing, within the horizon and after it."""
    parts = []
    for column, span in SPANS.items():
        for group in get_args(Group):
            lines = [name for name, line in LINES.items() if line.group == group]
            mine = book.plan.value
            amount = float(mine[mine["line"].isin(lines)][column].sum())
            place = f"value/{column}?group={encoded(group)}"
            told = f"{book.id}/{place}"
            if book.plan.nothing is not None:
                theirs = book.plan.nothing["value"]
                amount -= float(theirs[theirs["line"].isin(lines)][column].sum())
                told = f"{told} - {book.id}/nothing/{place}"
            if abs(amount) > TINY:
                parts.append((f"{group[0].upper()}{group[1:]}{span}", Number(amount, told)))
    return parts


def _waterfall(ends: Sequence[tuple[str, Number]], parts: Sequence[tuple[str, Number]]) -> list[Bar]:
    start = ends[0][1].value if len(ends) == 2 else 0.0
    levels = [start]
    for _, number in parts:
        levels.append(levels[-1] + number.value)
    low, high = min(0.0, ends[-1][1].value, *levels), max(0.0, ends[-1][1].value, *levels)
    span = (high - low) or 1.0

    def bar(a: float, b: float, look: str) -> list[Rect]:
        zero = Rect((0.0 - low) / span * 100, 0, 0.25, 100, "zero")
        return [zero, Rect((min(a, b) - low) / span * 100, 18, abs(b - a) / span * 100, 64, look)]

    rows = []
    if len(ends) == 2:
        rows.append(Bar(ends[0][0], bar(0.0, start, "total"), (ends[0][1],), total=True))
    for (name, number), a, b in zip(parts, levels, levels[1:], strict=False):
        rows.append(Bar(name, bar(a, b, "up" if number.value > 0 else "down"), (number,)))
    rows.append(Bar(ends[-1][0], bar(0.0, ends[-1][1].value, "total"), (ends[-1][1],), total=True))
    return rows
