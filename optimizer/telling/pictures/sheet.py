"""A sheet to draw on: half a slide, its title as a sentence on top, where it comes from at the foot; and saving it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from optimizer.files.folders import hand_out
from optimizer.telling.pictures.lettering import OWN_FAMILY, families, plain, width_in, wrap

WIDTH_IN, HEIGHT_IN, EDGE_IN = 6.0, 3.4, 0.1
SIZE, TITLE_SIZE = 8.0, 10.0
LINE_IN = 0.135
"""Height of a line of the small letters."""
DOTS_PER_INCH = 220

INK, SOFT, RULE, PAPER = "#161b22", "#4d5662", "#c9ced6", "#ffffff"
DARK, MIDDLE, PALE = "#1f3d63", "#7396bd", "#d5e0ec"
"""Three blues whose greys are as far apart as their colours."""
HATCH = "//////"

STYLE: dict[str, Any] = {
    "font.family": [OWN_FAMILY], "font.size": SIZE, "text.parse_math": False, "text.usetex": False,
    "text.color": INK, "axes.edgecolor": SOFT, "axes.labelcolor": SOFT, "xtick.color": SOFT, "ytick.color": SOFT,
    "axes.linewidth": 0.6, "hatch.linewidth": 0.7, "lines.solid_capstyle": "butt", "axes.unicode_minus": False,
    "svg.fonttype": "none", "svg.hashsalt": "mw-allocation-optimizer", "axes.formatter.useoffset": False,
}  # fmt: skip
MAKER = "mw-allocation-optimizer"


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the style of this program, whatever the user's matplotlibrc says; theirs is back afterwards."""
    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


@dataclass(frozen=True)
class Sheet:
    """A figure and, in inches from its lower left corner, the part of it that is still free."""

    figure: Figure
    left: float
    right: float
    bottom: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom

    def axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        """Axes with their plot area at so many inches, without frame at top and right."""
        size = (left / WIDTH_IN, bottom / HEIGHT_IN, width / WIDTH_IN, height / HEIGHT_IN)
        axes = self.figure.add_axes(size)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=2.5, width=0.6, pad=2, labelsize=SIZE)
        return axes

    def write(
        self, x: float, y: float, text: str, *, size: float = SIZE, bold: bool = False, color: str = INK,
        ha: str = "left", va: str = "center",
    ) -> None:  # fmt: skip
        """A line of text at a point in inches."""
        self.figure.text(
            x / WIDTH_IN, y / HEIGHT_IN, text, fontsize=size, fontweight="bold" if bold else "normal", color=color,
            ha=ha, va=va, family=families(text), parse_math=False,
        )  # fmt: skip

    def rule(self, x: tuple[float, float], y: tuple[float, float], **look: Any) -> None:
        """A straight line between two points in inches, faint where nothing else is said."""
        xs, ys = [one / WIDTH_IN for one in x], [one / HEIGHT_IN for one in y]
        whole: dict[str, Any] = {"color": RULE, "linewidth": 0.6} | look
        self.figure.add_artist(Line2D(xs, ys, **whole))

    def box(self, x: float, y: float, width: float, height: float, **look: Any) -> None:
        """A filled rectangle, its lower left corner and size in inches."""
        corner, size = (x / WIDTH_IN, y / HEIGHT_IN), (width / WIDTH_IN, height / HEIGHT_IN)
        self.figure.add_artist(Rectangle(corner, *size, transform=self.figure.transFigure, **look))


def open_sheet(title: str, source: str) -> Sheet:
    """A new sheet with its title, wrapped, and a line on where its numbers come from."""
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), facecolor=PAPER)
    sheet = Sheet(figure, EDGE_IN, WIDTH_IN - EDGE_IN, EDGE_IN, HEIGHT_IN - EDGE_IN)
    lines = wrap(title, sheet.width, 3, TITLE_SIZE, bold=True)
    step = TITLE_SIZE * 1.22 / 72
    for i, line in enumerate(lines):
        sheet.write(sheet.left, sheet.top - i * step, line, size=TITLE_SIZE, bold=True, va="top")
    foot = wrap(source, sheet.width, 1)[0]
    sheet.write(sheet.left, sheet.bottom - 0.04, foot, color=SOFT, va="bottom")
    figure.set_label(plain(title))
    return Sheet(figure, sheet.left, sheet.right, sheet.bottom + LINE_IN + 0.03, sheet.top - len(lines) * step - 0.07)


def finish(sheet: Sheet) -> Figure:
    """The figure, with no text in it that could be taken for a formula."""
    for text in sheet.figure.findobj(Text):
        text.set_parse_math(False)
    return sheet.figure


# ---- axes -----------------------------------------------------------------------------------------------------------


def value_axis(axis: Any, ticks: int = 5) -> None:
    """Round numbers with commas on an axis, and a faint line at each."""
    axis.set_major_locator(MaxNLocator(nbins=ticks))
    axis.set_major_formatter(FuncFormatter(lambda at, _: f"{at + 0.0:,.10g}"))
    axis.grid(True, color=RULE, linewidth=0.4)
    axis.axes.set_axisbelow(True)


def quarter_axis(axes: Any, quarters: Sequence[str], width: float) -> None:
    """Name the years where they begin, as many as there is room for; quarters, where there are few."""
    few = len(quarters) <= width / (width_in("2026Q1") + 0.12)
    starts = [i for i, quarter in enumerate(quarters) if few or quarter.endswith("Q1")] or [0]
    step = 1
    while len(starts[::step]) > width / (width_in("2026") + 0.15) and not few:
        step += 1
    names = [quarters[i] if few or not quarters[i].endswith("Q1") else quarters[i][:4] for i in starts]
    axes.set_xticks(starts[::step], names[::step])


def fit(low: float, high: float, length_in: float, before_in: float, after_in: float) -> tuple[float, float]:
    """Limits of an axis so that low..high leaves so many inches free at each end for labels."""
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        low, high = low - max(0.5, abs(low) * 0.05), high + max(0.5, abs(high) * 0.05)
    per_in = (high - low) / max(0.3, length_in - before_in - after_in)
    return low - before_in * per_in, high + after_in * per_in


def label(axes: Any, text: str, at: tuple[float, float], away: tuple[float, float] = (0, 0), **look: Any) -> Any:
    """A text beside a point of the data, so many points away."""
    return axes.annotate(
        text,
        at,
        xytext=away,
        textcoords="offset points",
        family=families(text),
        parse_math=False,
        annotation_clip=False,
        **look,
    )


# ---- rows -----------------------------------------------------------------------------------------------------------

FLOOR_IN = 0.3
"""Room under the rows for the ticks of the axis and its unit."""


@dataclass(frozen=True)
class Rows:
    """So many rows of equal height, the first on top, between two heights of a sheet in inches."""

    sheet: Sheet
    count: int
    bottom: float
    top: float

    @property
    def each(self) -> float:
        return (self.top - self.bottom) / max(1, self.count)

    @property
    def lines(self) -> int:
        """How many lines of text a row holds."""
        return max(1, int((self.each - 0.04) / LINE_IN))

    def y(self, row: float) -> float:
        """Middle of a row, in inches."""
        return self.top - (row + 0.5) * self.each

    def axes(self, left: float, width: float) -> Any:
        """Axes whose y is the number of the row, downwards."""
        axes = self.sheet.axes(left, self.bottom, width, self.top - self.bottom)
        axes.set_ylim(max(1, self.count) - 0.5, -0.5)
        axes.set_yticks([])
        axes.spines[["left"]].set_visible(False)
        return axes

    def name(self, row: int, words: object, room: float, detail: object = "") -> None:
        """The name of a row, and under it fainter lines, where there is room for more than one."""
        told = bool(plain(detail)) and self.lines > 1
        named = wrap(words, room, 1 if told else min(2, self.lines))
        more = wrap(detail, room, self.lines - 1) if told else []
        lines = [(line, INK) for line in named] + [(line, SOFT) for line in more]
        for i, (line, color) in enumerate(lines):
            y = self.y(row) + (len(lines) - 1) * LINE_IN / 2 - i * LINE_IN
            self.sheet.write(self.sheet.left, y, line, color=color)

    def cell(self, row: float, x: float, text: str, *, bold: bool = False, color: str = INK) -> None:
        """A number in a column that ends at x."""
        self.sheet.write(x, self.y(row), text, ha="right", bold=bold, color=color)


def open_rows(sheet: Sheet, count: int, *, head: float = 0.0, floor: float = FLOOR_IN, most: float = 0.42) -> Rows:
    """Rows in the free part of a sheet, under a head of so many inches; few rows stay together at the top."""
    top = sheet.top - head
    bottom = sheet.bottom + floor
    return Rows(sheet, count, max(bottom, top - max(1, count) * most), top)


def rows_that_fit(sheet: Sheet, *, head: float = 0.0, floor: float = FLOOR_IN, least: float = LINE_IN + 0.02) -> int:
    """How many rows of the least height there is room for."""
    return max(1, int((sheet.height - head - floor) / least))


def names_in(names: Iterable[object], least: float, most: float) -> float:
    """How many inches to keep for names: what the longest needs, between two limits."""
    return min(most, max(least, 0.12 + max((width_in(plain(name)) for name in names), default=0.0)))


def key(sheet: Sheet, y: float, entries: list[tuple[str, dict[str, Any]]], left: float) -> None:
    """A line of samples with their words: (words, look of the box; a `height` makes it thin)."""
    for words, look in entries:
        height = look.get("height", 0.09)
        sheet.box(left, y - height / 2, 0.2, height, **{k: value for k, value in look.items() if k != "height"})
        sheet.write(left + 0.25, y, words)
        left += 0.25 + width_in(words, SIZE) + 0.15


# ---- saving ---------------------------------------------------------------------------------------------------------


def save_picture(figure: Figure, path: str | Path) -> tuple[Path, Path]:
    """Write a figure as `PATH.svg`, its texts as texts, and `PATH.png`; equal figures give equal bytes.

    `path` has no suffix. An earlier picture is replaced, each file whole or not at all. Raises PlanError.
    """
    path = Path(path)
    svg, png = (path.with_name(f"{path.name}.{kind}") for kind in ("svg", "png"))
    for target, data in [(svg, picture_bytes(figure, "svg")), (png, picture_bytes(figure, "png"))]:
        hand_out(target, data)
    return svg, png


def picture_bytes(figure: Figure, kind: str) -> bytes:
    """A figure as the bytes of an `svg` or a `png`, for a page or a deck that holds it."""
    words: dict[str, Any] = {"Date": None, "Creator": MAKER} if kind == "svg" else {"Software": MAKER}
    if figure.get_label():
        words["Title"] = figure.get_label()
    memory = io.BytesIO()
    with drawing():
        figure.savefig(memory, format=kind, dpi=DOTS_PER_INCH, metadata=words, facecolor=PAPER)
    return memory.getvalue()
