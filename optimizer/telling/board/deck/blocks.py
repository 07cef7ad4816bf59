"""What a slide is made of, before it is drawn: marked texts, charts, tables and bars, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.telling.board.deck.figures import Figure

ChartKind = Literal["stacked columns", "columns", "lines", "bars"]


@dataclass(frozen=True)
class Box:
    """A place in the body of a slide, as shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Paragraph:
    text: str
    bold: bool = False
    bullet: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Texts:
    """Paragraphs, as large as the place allows between `largest` and 12 points."""

    paragraphs: tuple[Paragraph, ...]
    largest: float = 18


@dataclass(frozen=True)
class Cards:
    """Figures set large, each with a caption below."""

    cards: tuple[tuple[str, str], ...]
    columns: int = 2


@dataclass(frozen=True)
class Keys:
    """Colour squares with their words, in a line: what a legend would say, with figures."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Series:
    """One series of a chart. `role` chooses its colour; `roles` colours points apart; `labels` are points' texts.

    A line's `end_label` stands at its end, or at `label_at`: a point, and `above` or `below`.
    """

    name: str
    values: tuple[Figure, ...]
    role: str
    dashed: bool = False
    hidden: bool = False
    roles: tuple[str, ...] = ()
    labels: tuple[tuple[int, str], ...] = ()
    labels_below: bool = False
    end_label: str = ""
    label_at: tuple[int, str] | None = None


@dataclass(frozen=True)
class Chart:
    """A native chart; `name` is that of its shape, under which a template's own chart is found.

    `groups`, one for each category, make a second level of the axis: years below their quarters. `limit` is drawn as a
    line over stacked columns, which must reach it in every category.
    """

    name: str
    kind: ChartKind
    categories: tuple[str, ...]
    series: tuple[Series, ...]
    groups: tuple[str, ...] = ()
    limit: Series | None = None
    number_format: str = "#,##0"
    value_labels: str = ""
    axis: bool = True
    gap: int = 40
    category_pt: float = 12
    alt: str = ""


@dataclass(frozen=True)
class Table:
    """Head and rows of marked texts. `widths` are shares, `aligns` has `l` or `r` a column, `strong` rows are bold."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    aligns: str
    strong: frozenset[int] = frozenset()
    largest: float = 16


@dataclass(frozen=True)
class Bar:
    """A bar from the start of one step to the end of another; of its texts the first that has room is told."""

    first: int
    last: int
    role: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Lane:
    """One line of bars; lanes with the same label belong together, and only the first shows it."""

    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Gantt:
    """Bars over time: `steps` columns, of which `ticks` have a text."""

    name: str
    steps: int
    ticks: tuple[tuple[int, str], ...]
    lanes: tuple[Lane, ...]
    label_share: float = 0.2


Block = Texts | Cards | Keys | Chart | Table | Gantt


@dataclass(frozen=True)
class Slide:
    """One message: its title is the sentence, its blocks show it, its note says what must be known beside it."""

    name: str
    title: str
    blocks: tuple[tuple[Box, Block], ...]
    note: str = ""


WHOLE = Box(0, 0, 1, 1)
