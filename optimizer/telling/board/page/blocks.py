"""What a section of the page is made of: sentences, tables and charts, as plain records that the template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from optimizer.telling.board.page.numbers import Number


@dataclass(frozen=True)
class Words:
    """Sentences under a message; a note is set smaller."""

    kind: ClassVar[str] = "words"
    sentences: Sequence[object]
    note: bool = False
    bullets: bool = False


@dataclass(frozen=True)
class Tile:
    """One figure with its name and a few words beside it."""

    name: str
    figure: object
    beside: object = ""


@dataclass(frozen=True)
class Tiles:
    kind: ClassVar[str] = "tiles"
    tiles: Sequence[Tile]


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading and its part of the keys; `number` sets it to the right."""

    heading: object
    key: str = ""
    number: bool = True


@dataclass(frozen=True)
class Line:
    """A row of a table: its heading, its part of the keys, and its cells; `group` ties rows to one strip of a chart."""

    heading: object
    key: str
    cells: Sequence[object]
    group: str = ""
    total: bool = False
    use: str = ""


@dataclass(frozen=True)
class Table:
    """A table. A plain number in a cell takes its key from the row and the column, and `decimals` from the table.

    `folded` hides it behind its name until somebody opens it or prints the page; `units` is `gross` or `it` where the
    switch of units chooses it.
    """

    kind: ClassVar[str] = "table"
    caption: object
    columns: Sequence[Column]
    rows: Sequence[Line]
    corner: object = ""
    decimals: int = 1
    folded: bool = False
    units: str = ""
    sortable: bool = False
    id: str = ""

    def told(self, row: Line, column: Column, cell: float) -> str:
        """A plain number of this table as it is shown."""
        return Number(cell, composed(row.key, column.key), decimals=self.decimals).text


def composed(row: str, column: str) -> str:
    """The key of a cell: its row's key with the column in the place of each `*`."""
    return row.replace("*", column)


# ---- charts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rect:
    """A rectangle in percent of the plot, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True)
class Path:
    """A line through points; x in columns, y in percent from the top."""

    points: Sequence[tuple[float, float]]
    look: str


@dataclass(frozen=True)
class Mark:
    """A point, in percent of the plot, with the words, numbers and names of its label."""

    x: float
    y: float
    label: Sequence[object] = ()
    anchor: str = "middle"


@dataclass(frozen=True)
class Tick:
    """A round value of an axis, at so many percent of it; `minor` ticks go where there is little room."""

    at: float
    value: float = 0.0
    text: str = ""
    minor: bool = False

    @property
    def label(self) -> str:
        return Number(self.value, "tick", decimals=0 if self.value == int(self.value) else 2).text


@dataclass(frozen=True)
class Legend:
    look: str
    name: object


@dataclass(frozen=True)
class Chart:
    """Columns and lines over quarters or years. Its table holds every number; hovering reads them from there."""

    kind: ClassVar[str] = "chart"
    id: str
    unit: str
    columns: int
    y_ticks: Sequence[Tick]
    x_ticks: Sequence[Tick]
    legend: Sequence[Legend]
    table: Table
    rects: Sequence[Rect] = ()
    paths: Sequence[Path] = ()
    marks: Sequence[Mark] = ()
    zero: float = 100.0
    units: str = ""


@dataclass(frozen=True)
class Strip:
    """One row of a chart of rows: its name, what it comes to, and its shapes over a common axis."""

    name: object
    beside: object
    rects: Sequence[Rect]
    group: str = ""
    marks: Sequence[Mark] = ()


@dataclass(frozen=True)
class Strips:
    """Rows over one axis of time: sites, or contracts."""

    kind: ClassVar[str] = "strips"
    id: str
    columns: int
    x_ticks: Sequence[Tick]
    legend: Sequence[Legend]
    strips: Sequence[Strip]
    table: Table
    units: str = ""
    tall: bool = False


@dataclass(frozen=True)
class Bars:
    """A table whose rows have a horizontal bar around a line: a bridge, a tornado."""

    kind: ClassVar[str] = "bars"
    caption: object
    corner: str
    headings: Sequence[object]
    rows: Sequence[Bar]


@dataclass(frozen=True)
class Bar:
    name: object
    rects: Sequence[Rect]
    cells: Sequence[object]
    total: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the story: its topic, its message in a full sentence with the number, and what shows it."""

    id: str
    topic: str
    message: Markup
    blocks: Sequence[object] = field(default_factory=tuple)


@dataclass(frozen=True)
class Cell:
    """A cell of a map: its letter, its look, and whether the case as it is lies there."""

    letter: object
    look: str
    base: bool


@dataclass(frozen=True)
class GridRow:
    heading: object
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Grid:
    """A map over two inputs as a table."""

    kind: ClassVar[str] = "grid"
    caption: object
    columns: Sequence[object]
    rows: Sequence[GridRow]
