"""The switching map: which decision wins over two inputs, as a table that reads as a picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import Cell, Column, Grid, GridRow, Line, Table, Words
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.charts import LOOKS
from optimizer.telling.board.page.numbers import Name, Number, words

if TYPE_CHECKING:
    from optimizer.questions.studies.study import Study


def switching_map(book: Book, study: Study) -> list[object]:
    """A grid of letters, x to the right and y upwards, then what each letter decides."""
    points = study.tables["points"].to_dict("records")
    xs, ys = (sorted({float(point[c]) for point in points}) for c in ("x", "y"))
    letters = list(dict.fromkeys(sorted(str(point["region"]) for point in points if point["region"])))
    look = {letter: f"p{n % LOOKS}" for n, letter in enumerate(letters)}
    at = {(float(point["x"]), float(point["y"])): (n, point) for n, point in enumerate(points)}
    head = [_number(book, points, "x", x, fine(xs)) for x in xs]
    rows = [
        GridRow(_number(book, points, "y", y, fine(ys)), [_cell(study, at.get((x, y)), look, x, y) for x in xs])
        for y in reversed(ys)
    ]
    about = study.about
    caption = words(
        "Across: {} ({}); up: {} ({})", Name(str(about.get("x_words", "x"))), Name(str(about.get("x_unit", ""))),
        Name(str(about.get("y_words", "y"))), Name(str(about.get("y_unit", ""))),
    )  # fmt: skip
    base = "The framed cell is nearest to the case as it is."
    return [Grid(caption, head, rows), Words([base], note=True), *_regions(book, study, look)]


def fine(values: list[float]) -> int:
    """The fewest decimals that tell the values of an axis apart, and show round ones whole."""
    apart = (d for d in range(7) if len({round(value, d) for value in values}) == len(values))
    least = next(apart, 6)
    whole = all(abs(value - round(value, least)) < 1e-9 for value in values)
    return least if whole else min(least + 1, 6)


def _number(book: Book, points: list[dict[str, Any]], axis: str, value: float, decimals: int) -> Number:
    row = next(n for n, point in enumerate(points) if float(point[axis]) == value)
    return book.number(value, at(f"studies/map/points/{axis}", row=row), decimals=decimals)


def _cell(study: Study, found: tuple[int, dict[str, Any]] | None, look: dict[str, str], x: float, y: float) -> Cell:
    if found is None or not str(found[1]["region"]):
        return Cell("none", "", False)
    letter = str(found[1]["region"])
    return Cell(Name(letter), look[letter], _is_base(study, x, "x") and _is_base(study, y, "y"))


def _is_base(study: Study, value: float, axis: str) -> bool:
    """Whether no other value of this axis is nearer to the case as it is."""
    base = study.about.get(f"base_{axis}")
    if not isinstance(base, int | float) or not math.isfinite(base):
        return False
    every = {float(point) for point in study.tables["points"][axis]}
    return value == min(sorted(every), key=lambda one: abs(one - base))


def _regions(book: Book, study: Study, look: dict[str, str]) -> list[Table]:
    rows = study.tables["regions"].to_dict("records")
    lines = [
        Line(
            Name(str(row["region"])), "",
            [Name(str(row["name"])), Name(str(row["decisions"])),
             book.number(float(row["plans"]), at("studies/map/regions/plans", row=n), decimals=0)],
            use=look.get(str(row["region"]), ""),
        )
        for n, row in enumerate(rows)
    ]  # fmt: skip
    columns = [Column("in short", number=False), Column("decisions", number=False), Column("points")]
    return [Table("What each letter decides", columns, lines, "letter")]
