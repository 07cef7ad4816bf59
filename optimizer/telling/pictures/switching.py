"""The switching map: over two inputs, which decisions win, and what the plan is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from optimizer.telling.pictures.lettering import cut, first_said, missing, musd, number, plain, width_in, wrap
from optimizer.telling.pictures.sheet import HATCH, INK, LINE_IN, PAPER, RULE, SOFT, Sheet, finish, label, open_sheet
from optimizer.telling.pictures.tables import source_of, table_of, why_none

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from optimizer.questions.studies.study import Study

    Grid = NDArray[Any]

KEY_IN = 2.2
Point = tuple[float, float]
SHADES = LinearSegmentedColormap.from_list("value", ["#f7f9fb", "#c3d3e4", "#8fb0d0", "#5d8ab8"])
"""Light enough at its dark end for black letters."""
HALO = [withStroke(linewidth=2.2, foreground=PAPER)]


def draw_map(study: Study) -> Figure:
    """Value as shade with contour lines; regions by outline and letter, named beside; the base case as a star."""
    points = table_of(study, "points", "x", "y", "value_musd", "region")
    regions = table_of(study, "regions", "region", "name", "plans")
    sheet = open_sheet(study.title, source_of(study))
    xs, ys = (np.unique(points[name].dropna().to_numpy(float)) for name in ("x", "y"))
    bottom = sheet.bottom + 0.32
    ticks = 0.3 + max((width_in(number(float(y))) for y in (*ys[:1], *ys[-1:])), default=0.1)
    width = sheet.width - KEY_IN - ticks - 0.14
    axes = sheet.axes(sheet.left + ticks, bottom, width, sheet.top - 0.04 - bottom)
    star = _mark_base(axes, study)
    if len(xs) and len(ys):
        values, names = _grids(points, xs, ys)
        numbers = _draw_values(axes, xs, ys, values)
        _outline(axes, edges(xs), edges(ys), names)
        _name_regions(axes, (xs, ys), names, star, numbers)
        _draw_scale(sheet, values)
    _name_axes(axes, study, xs, ys)
    _list_regions(sheet, regions, _holes(points))
    return finish(sheet)


def _holes(points: pd.DataFrame) -> str:
    """What stands behind the points without a value; nothing where there are none."""
    empty = points[points["value_musd"].isna()]
    if not len(empty):
        return ""
    told = sorted({why_none(words) for words in empty["words"]}) if "words" in empty.columns else []
    return " or ".join(told) if told and told != [why_none("")] else "no plan keeps every rule"


def _grids(points: pd.DataFrame, xs: Grid, ys: Grid) -> tuple[Grid, Grid]:
    """Values and region letters as ys by xs; NaN and an empty text where no point was solved."""
    values = np.full((len(ys), len(xs)), np.nan)
    names = np.full((len(ys), len(xs)), "", dtype=object)
    for x, y, value, region in zip(points["x"], points["y"], points["value_musd"], points["region"], strict=True):
        if not missing(x) and not missing(y):
            at = np.searchsorted(ys, y), np.searchsorted(xs, x)
            values[at], names[at] = value, "" if missing(region) else plain(region)
    names[np.isnan(values)] = ""
    return values, names


def edges(at: Grid) -> Grid:
    """Borders of the cells around points on an axis, half-way between neighbours."""
    if len(at) == 1:
        half = max(0.5, abs(at[0]) * 0.1)
        return np.array([at[0] - half, at[0] + half])
    between = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - between[0]], between, [2 * at[-1] - between[-1]]])


def _draw_values(axes: Any, xs: Grid, ys: Grid, values: Grid) -> list[Any]:
    """The shades and, over three points or more each way, contour lines; returns the contours' numbers."""
    ex, ey = edges(xs), edges(ys)
    axes.set_facecolor(PAPER)
    axes.patch.set(hatch=HATCH, edgecolor=RULE)
    axes.set_xlim(ex[0], ex[-1])
    axes.set_ylim(ey[0], ey[-1])
    known = values[~np.isnan(values)]
    if not len(known):
        label(axes, "no value at any point", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center")
        return []
    low, high = known.min(), known.max()
    top = high if high > low else low + 1
    look = {"cmap": SHADES, "edgecolors": "face", "linewidth": 0.4}  # edges, or viewers show paper between the cells
    axes.pcolormesh(ex, ey, np.ma.masked_invalid(values), vmin=low, vmax=top, **look)
    if min(values.shape) >= 3 and high - low > 1e-6 * max(1.0, abs(high)):
        lines = axes.contour(xs, ys, np.ma.masked_invalid(values), levels=5, colors=INK, linewidths=0.5, linestyles=":")
        texts = list(axes.clabel(lines, fontsize=8, fmt=lambda value: f"{value:,.5g}", inline_spacing=2))
        for text in texts:
            text.set(color=SOFT)
        return texts
    return []


def _outline(axes: Any, ex: Grid, ey: Grid, names: Grid) -> None:
    """A line wherever two neighbouring cells belong to different regions."""
    rows, columns = names.shape
    across = [((ex[j + 1], ey[i]), (ex[j + 1], ey[i + 1]))
              for i in range(rows) for j in range(columns - 1) if names[i, j] != names[i, j + 1]]  # fmt: skip
    upward = [((ex[j], ey[i + 1]), (ex[j + 1], ey[i + 1]))
              for i in range(rows - 1) for j in range(columns) if names[i, j] != names[i + 1, j]]  # fmt: skip
    axes.add_collection(LineCollection(across + upward, colors=INK, linewidths=1.1, capstyle="round"), autolim=False)


def _name_regions(axes: Any, at: tuple[Grid, Grid], names: Grid, star: list[Point], numbers: list[Any]) -> None:
    """Each region's letter once in each of its larger parts, deep inside, never on another letter or the star.

    Where a letter must stand on the number of a contour, the number goes.
    """
    from scipy import ndimage

    parts = []
    for name in sorted(set(names.ravel()) - {""}):
        marks, count = ndimage.label(names == name)
        sizes = [int((marks == part).sum()) for part in range(1, count + 1)]
        parts += [(size, name, marks == part) for part, size in enumerate(sizes, start=1)
                  if size == max(sizes) or size >= 0.02 * names.size]  # fmt: skip
    taken = [_inches(axes, point) for point in star]
    for _, name, part in sorted(parts, key=lambda one: (-one[0], one[1])):
        depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
        place = _free_place(axes, *at, depth, taken)
        if place is not None:
            label(axes, name, place, ha="center", va="center", fontsize=9, weight="bold", path_effects=HALO)
    for text in numbers:
        x, y = _inches(axes, text.get_position())
        if any(abs(x - one[0]) < 0.24 and abs(y - one[1]) < 0.2 for one in taken):
            text.remove()


def _inches(axes: Any, point: Point) -> Any:
    return axes.transData.transform(point) / axes.figure.dpi


def _free_place(axes: Any, xs: Grid, ys: Grid, depth: Grid, taken: list[Any]) -> Point | None:
    """The deepest point of a part, nearest to its middle, that is far enough from every letter placed before."""
    inside = np.argwhere(depth > 0)
    middle = inside.mean(axis=0)
    order = sorted(inside.tolist(), key=lambda cell: (-depth[tuple(cell)], float(((cell - middle) ** 2).sum())))
    for i, j in order:
        spot = _inches(axes, (xs[j], ys[i]))
        if all(abs(spot[0] - x) > 0.2 or abs(spot[1] - y) > 0.16 for x, y in taken):
            taken.append(spot)
            return float(xs[j]), float(ys[i])
    return None


def _mark_base(axes: Any, study: Study) -> list[Point]:
    """A star at the base case; returns its point, if the study says one."""
    x, y = study.about.get("base_x"), study.about.get("base_y")
    if x is None or y is None or missing(x) or missing(y):
        return []
    axes.plot([x], [y], marker="*", markersize=9, color=INK, markeredgecolor=PAPER, markeredgewidth=0.8, zorder=5)
    return [(float(x), float(y))]


def _name_axes(axes: Any, study: Study, xs: Grid, ys: Grid) -> None:
    for axis, name, at, room in ((axes.xaxis, "x", xs, 3.0), (axes.yaxis, "y", ys, 2.2)):
        axis.set_major_locator(MaxNLocator(nbins=5))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        words = first_said(study.about.get(f"{name}_words"), study.about.get(f"{name}_driver"), name)
        unit = plain(study.about.get(f"{name}_unit"))
        axis.set_label_text(cut(f"{words}, {unit}" if unit else words, room))
        axis.labelpad = 1
        if len(at) == 1:
            axis.set_ticks([float(at[0])])


def _draw_scale(sheet: Sheet, values: Grid) -> None:
    """The shades with the lowest and the highest value."""
    known = values[~np.isnan(values)]
    if not len(known):
        return
    left, y = sheet.right - KEY_IN + 0.15, sheet.bottom + 0.09
    words = musd(float(known.min())), musd(float(known.max()))
    sheet.write(left, y, words[0])
    x = left + width_in(words[0]) + 0.06
    wide = max(0.2, sheet.right - width_in(words[1]) - 0.06 - x)
    steps = 24
    for i in range(steps):
        shade = SHADES(i / (steps - 1))
        sheet.box(x + i * wide / steps, y - 0.05, wide / steps, 0.1, facecolor=shade, edgecolor=shade, linewidth=0.4)
    sheet.box(x, y - 0.05, wide, 0.1, facecolor="none", edgecolor=SOFT, linewidth=0.5)
    sheet.write(sheet.right, y, words[1], ha="right")
    sheet.write(left, y + LINE_IN, "value of the plan; star: base case", color=SOFT)


def _list_regions(sheet: Sheet, regions: pd.DataFrame, holes: str) -> None:
    """The regions with most points, in the order of their letters."""
    left, y, floor = sheet.right - KEY_IN + 0.15, sheet.top - 0.02, sheet.bottom + 0.3
    room = int((y - floor) / LINE_IN) - (1 if holes else 0)
    each = max(1, min(4, room // max(1, len(regions))))
    hidden = 0 if len(regions) <= room else len(regions) - room + 1
    largest = regions.sort_values("plans", ascending=False, kind="stable").index[: len(regions) - hidden]
    for _, row in regions.loc[sorted(largest)].iterrows():
        sheet.write(left, y - LINE_IN / 2, plain(row["region"]), bold=True)
        for line in wrap(row["name"], sheet.right - left - 0.24, each):
            sheet.write(left + 0.24, y - LINE_IN / 2, line)
            y -= LINE_IN
        y -= 0.03 if each > 1 else 0.0
    if hidden:
        sheet.write(left, y - LINE_IN / 2, f"and {hidden} smaller regions", color=SOFT)
        y -= LINE_IN
    if holes and y - LINE_IN > floor - 0.1:
        sheet.box(left, y - LINE_IN, 0.16, 0.1, facecolor=PAPER, edgecolor=RULE, hatch=HATCH, linewidth=0.5)
        sheet.write(left + 0.24, y - LINE_IN + 0.05, holes)
