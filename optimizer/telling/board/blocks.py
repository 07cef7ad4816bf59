"""What slides and sections are made of, before they are drawn: marked texts, charts, tables and bars.

One record serves every document: a slide draws a chart as PowerPoint's own, a page as shapes with the table behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from optimizer.plan.power_uses import reach_limit
from optimizer.telling.board.figures import Figure

if TYPE_CHECKING:
    from optimizer.telling.board.ledger import Ledger

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
    units: str = ""


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

    A line's `end_label` stands at its end, or at `label_at`: a point, and `above` or `below`; a slide tells lines so.
    A line goes on over a `GAP` among its values.
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
    """A chart; `name` is that of its shape, under which a template's own chart is found.

    `groups`, one for each category, make a second level of the axis: years below their quarters. `limit` is drawn as a
    line over stacked columns, which must reach it in every category. `keys` are the parts of the categories that stand
    in the keys of their numbers, quarters or years; a page heads the columns of its table by them. `unit` says what is
    shown, to so many `decimals` where it is written; `units` is `gross` or `it` where a page's switch chooses it.
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
    keys: tuple[str, ...] = ()
    unit: str = ""
    units: str = ""
    decimals: int = 1


@dataclass(frozen=True)
class Table:
    """Head and rows of marked texts. `widths` are shares, `aligns` has `l` or `r` a column, `strong` rows are bold.

    A page shows the `caption`, folds what is `folded` behind it, ties rows to the strip of a chart by their `groups`
    and marks them by their `looks`; `keys` and `units` are as in a chart.
    """

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()
    aligns: str = ""
    strong: frozenset[int] = frozenset()
    largest: float = 16
    caption: str = ""
    keys: tuple[str, ...] = ()
    units: str = ""
    folded: bool = False
    groups: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()


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
    """Bars over time: `steps` columns, of which `ticks` have a text; after `end` the horizon is over.

    A page has a `legend` of roles with their words, the `keys` of the steps, and a `table` behind it.
    """

    name: str
    steps: int
    ticks: tuple[tuple[int, str], ...]
    lanes: tuple[Lane, ...]
    label_share: float = 0.2
    end: int = 0
    keys: tuple[str, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Strips:
    """A row for each site: its name, what it comes to, and its uses over time, by their roles; the table behind it."""

    name: str
    rows: tuple[tuple[str, str, tuple[tuple[str, tuple[Figure, ...]], ...]], ...]
    legend: tuple[tuple[str, str], ...]
    table: Table


@dataclass(frozen=True)
class Bars:
    """A table whose rows have a bar from a line: words, stretches with their roles, marked cells; `strong` are sums."""

    name: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[float, float, str], ...], tuple[str, ...]], ...]
    line: float = 0.0
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Points:
    """Values over an axis of their own, with the table that holds them."""

    name: str
    points: tuple[tuple[float, float], ...]
    unit: str
    legend: str
    table: Table


@dataclass(frozen=True)
class Grid:
    """A map: heads across; rows of a head and cells, each a letter, its role, and whether it is now."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...]


Block = Texts | Cards | Keys | Chart | Table | Gantt


@dataclass(frozen=True)
class Slide:
    """One message: its title is the sentence, its blocks show it, its note says what must be known beside it."""

    name: str
    title: str
    blocks: tuple[tuple[Box, Block], ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a page: its topic, its message in a sentence, and what shows it."""

    name: str
    topic: str
    title: str
    blocks: tuple[object, ...] = ()


WHOLE = Box(0, 0, 1, 1)


def reach(chart: Chart, ledger: Ledger) -> None:
    """Refuse a stack that does not reach its limit in every quarter. Raises PlanError."""
    assert chart.limit is not None
    series = {ledger.plain(one.name): [figure.value for figure in one.values] for one in chart.series}
    reach_limit(chart.keys, series, [figure.value for figure in chart.limit.values])
