"""Pictures of studies that hold plans side by side: near-best plans, budgets, scenarios, and a map of decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from optimizer.telling.pictures import sheet as on
from optimizer.telling.pictures.lettering import (
    cut,
    first_said,
    letters,
    missing,
    musd,
    number,
    plain,
    tenths,
    width_in,
    wrap,
)
from optimizer.telling.pictures.tables import source_of, table_of, why_none

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from optimizer.questions.studies.study import Study

    Grid = NDArray[Any]

# ---- alternatives ----------------------------------------------------------------------------------------------------

SHARE_IN, CELL_IN, ALTERNATIVES_HEAD_IN = 0.55, 0.36, 3 * on.LINE_IN + 0.07
MADE = {"facecolor": on.DARK, "edgecolor": on.DARK, "linewidth": 0.6}
OTHERWISE = {"facecolor": on.PALE, "edgecolor": on.DARK, "linewidth": 0.6, "hatch": on.HATCH}
NOT_MADE = {"facecolor": on.PAPER, "edgecolor": on.RULE, "linewidth": 0.6}


@dataclass(frozen=True)
class _Columns:
    """The columns of the plans: their numbers, the left edge of the first, and the width of each, in inches."""

    numbers: list[float]
    left: float
    each: float


def draw_alternatives(study: Study) -> Figure:
    """Decisions by plans: full where made as in the plan, hatched where made otherwise, empty where not made."""
    plans = table_of(study, "alternatives", "number", "gives_up_musd").sort_values("number", kind="stable")
    made = table_of(study, "decisions", "number", "decision", "words")
    shares = table_of(study, "shares", "decision", "words", "share")
    shares = shares.sort_values("share", ascending=False, kind="stable")
    sheet = on.open_sheet(study.title, source_of(study))
    fitting = on.rows_that_fit(sheet, head=ALTERNATIVES_HEAD_IN, floor=0.02)
    hidden = max(0, len(shares) - fitting)
    shown = shares.iloc[: fitting - 1 if hidden else None]
    rows = on.open_rows(sheet, len(shown) + (1 if hidden else 0), head=ALTERNATIVES_HEAD_IN, floor=0.02, most=0.3)
    wide = max(2.0, sheet.width - SHARE_IN - len(plans) * CELL_IN)
    names = on.names_in((first_said(row["words"], row["decision"]) for _, row in shown.iterrows()), 1.0, wide)
    unseen = len(plans) - int((sheet.width - names - SHARE_IN) / CELL_IN + 1e-6)
    if unseen > 0:
        sheet.write(sheet.right, sheet.top - on.LINE_IN / 2, f"{unseen} more in the table", ha="right", color=on.SOFT)
        plans = plans.iloc[:-unseen]
    each = min(0.55, (sheet.width - names - SHARE_IN) / max(1, len(plans)))
    _alternatives_draw_heads(sheet, plans, sheet.left + names, each)
    _draw_cells(rows, shown, _Columns(list(plans["number"]), sheet.left + names, each), _words(made))
    if hidden:
        sheet.write(sheet.left, rows.y(len(shown)), f"and {hidden + 1} more decisions", color=on.SOFT)
    return on.finish(sheet)


def _words(made: pd.DataFrame) -> dict[tuple[float, str], str]:
    return {(row["number"], row["decision"]): str(row["words"]) for _, row in made.iterrows()}


def _alternatives_draw_heads(sheet: on.Sheet, plans: pd.DataFrame, left: float, each: float) -> None:
    y = sheet.top - on.LINE_IN / 2
    entries: list[tuple[str, dict[str, Any]]] = [
        ("as in plan 1", MADE), ("made otherwise", OTHERWISE), ("not made", NOT_MADE | {"edgecolor": on.SOFT}),
    ]  # fmt: skip
    on.key(sheet, y, entries, sheet.left)
    sheet.write(sheet.left, y - on.LINE_IN - 0.03, "plan", color=on.SOFT)
    sheet.write(sheet.left, y - 2 * on.LINE_IN - 0.03, "gives up, $M", color=on.SOFT)
    for j, (_, plan) in enumerate(plans.iterrows()):
        x = left + (j + 0.5) * each
        sheet.write(x, y - on.LINE_IN - 0.03, f"{plan['number']:.0f}", ha="center", bold=True)
        sheet.write(x, y - 2 * on.LINE_IN - 0.03, tenths(plan["gives_up_musd"]), ha="center")
    sheet.write(sheet.right, y - on.LINE_IN - 0.03, "share", ha="right", color=on.SOFT)
    sheet.write(sheet.right, y - 2 * on.LINE_IN - 0.03, "of plans", ha="right", color=on.SOFT)


def _draw_cells(rows: on.Rows, shown: pd.DataFrame, columns: _Columns, words: dict[tuple[float, str], str]) -> None:
    sheet = rows.sheet
    first = min(columns.numbers, default=1)
    tall = min(0.16, rows.each - 0.03)
    for i, (_, row) in enumerate(shown.iterrows()):
        decision = row["decision"]
        sheet.write(sheet.left, rows.y(i), cut(first_said(row["words"], decision), columns.left - sheet.left - 0.1))
        for j, each in enumerate(columns.numbers):
            mine = words.get((each, decision))
            look = NOT_MADE if mine is None else MADE if mine == words.get((first, decision)) else OTHERWISE
            x = columns.left + j * columns.each + 0.04
            sheet.box(x, rows.y(i) - tall / 2, columns.each - 0.08, tall, **look)
        share = row["share"]
        rows.cell(i, sheet.right, "" if missing(share) else f"{share:.0%}", bold=share == 1, color=on.INK)


# ---- frontier --------------------------------------------------------------------------------------------------------

FRONTIER_KEY_IN, TICKS_IN, LOWER_IN, GAP_IN, FRONTIER_HEAD_IN = 1.9, 0.42, 0.62, 0.1, 0.16


def draw_frontier(study: Study) -> Figure:
    """Value with its band up to the bound above, marginal value below; a letter where the decisions change."""
    points = table_of(study, "points", "budget_musd", "value_musd", "bound_musd", "decisions")
    points = points.sort_values("budget_musd", kind="stable").reset_index(drop=True)
    sheet = on.open_sheet(study.title, source_of(study))
    solved = points[points["value_musd"].notna()].reset_index(drop=True)
    width = sheet.width - FRONTIER_KEY_IN - TICKS_IN
    left, floor = sheet.left + TICKS_IN, sheet.bottom + 0.3
    lower = sheet.axes(left, floor, width, LOWER_IN)
    bottom = floor + LOWER_IN + GAP_IN + FRONTIER_HEAD_IN
    upper = sheet.axes(left, bottom, width, sheet.top - FRONTIER_HEAD_IN - bottom)
    points = points[points["budget_musd"].notna()]
    budgets = points["budget_musd"]
    limits = on.fit(float(budgets.min()), float(budgets.max()), width, 0.12, 0.12) if len(points) else (0.0, 1.0)
    for axes in (upper, lower):
        axes.set_xlim(*limits)
    sheet.write(sheet.left, sheet.top - 0.06, "value of the plan, $M; band: up to its bound", color=on.SOFT)
    sheet.write(sheet.left, floor + LOWER_IN + 0.08, "value that each further $ of budget adds, $", color=on.SOFT)
    _frontier_draw_values(upper, solved, sheet, study)
    _draw_marginal(lower, solved)
    _mark_unsolved(upper, points)
    return on.finish(sheet)


def _frontier_draw_values(axes: Any, points: pd.DataFrame, sheet: on.Sheet, study: Study) -> None:
    budgets, values = points["budget_musd"], points["value_musd"]
    bounds = points["bound_musd"].fillna(values)
    axes.fill_between(budgets, values, bounds, facecolor=on.PALE, edgecolor=on.MIDDLE, linewidth=0.5)
    axes.plot(budgets, values, color=on.DARK, linewidth=1.3, marker="o", markersize=2.6)
    changes = [i for i in points.index if i == 0 or points["decisions"][i] != points["decisions"][i - 1]]
    named = dict(zip(dict.fromkeys(points["decisions"]), letters(), strict=False))
    for i in changes:
        axes.plot(budgets[i], values[i], marker="o", color=on.INK, markerfacecolor=on.PAPER, markersize=4.5, zorder=3)
        at = budgets[i], values[i]
        falls = (i + 1 < len(points) and values[i + 1] < values[i]) or (i > 0 and values[i] < values[i - 1])
        away, ha = ((0, 4), "center") if i == 0 else ((2, 3), "left") if falls else ((-2, 3), "right")
        on.label(axes, named[points["decisions"][i]], at, away, ha=ha, va="bottom", weight="bold")
    axes.margins(y=0.16)
    on.value_axis(axes.yaxis, 4)
    on.value_axis(axes.xaxis, 5)
    axes.tick_params(labelbottom=False)
    asked = study.about.get("budget_musd")
    low, high = axes.get_xlim()
    if asked is not None and low <= asked <= high:
        axes.axvline(asked, color=on.SOFT, linewidth=0.8, linestyle=(0, (4, 2)))
        side, ha = (-2, "right") if asked > (low + high) / 2 else (2, "left")
        look = {"xycoords": axes.get_xaxis_transform(), "ha": ha, "color": on.SOFT}
        on.label(axes, "budget of the plan", (asked, 0), (side, 2), **look)
    _list_decisions(sheet, named)


def _list_decisions(sheet: on.Sheet, named: dict[str, str]) -> None:
    left, y = sheet.right - FRONTIER_KEY_IN + 0.12, sheet.top - 0.06
    sheet.write(left, y, "decisions", color=on.SOFT)
    room = int((y - sheet.bottom) / on.LINE_IN)
    each = max(1, min(4, room // max(1, len(named))))
    listed = list(named.items())
    if len(listed) > room:
        sheet.write(left, y - room * on.LINE_IN, f"and {len(listed) - room + 1} more", color=on.SOFT)
        listed = listed[: room - 1]
    for words, letter in listed:
        y -= 0.02 if each > 1 else 0.0
        sheet.write(left, y - on.LINE_IN, letter, bold=True)
        for line in wrap(first_said(words, "none"), sheet.right - left - 0.2, each):
            y -= on.LINE_IN
            sheet.write(left + 0.2, y, line)


def _draw_marginal(axes: Any, points: pd.DataFrame) -> None:
    """Between two budgets, the rise of the value over the rise of the budget."""
    budgets, values = points["budget_musd"].to_numpy(), points["value_musd"].to_numpy()
    steps = [
        (budgets[i], budgets[i + 1], (values[i + 1] - values[i]) / (budgets[i + 1] - budgets[i]))
        for i in range(len(points) - 1) if budgets[i + 1] > budgets[i]
    ]  # fmt: skip
    for low, high, slope in steps:
        axes.bar(low, slope, width=high - low, align="edge", facecolor=on.MIDDLE, edgecolor=on.PAPER, linewidth=0.5)
        if len(steps) <= 14 and abs(slope) >= 0.005:
            away, va = ((0, 1), "bottom") if slope > 0 else ((0, -1), "top")
            on.label(axes, f"{slope:.2f}", ((low + high) / 2, slope), away, ha="center", va=va)
    axes.axhline(0.0, color=on.INK, linewidth=0.6)
    if not steps:
        on.label(axes, "one budget only", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center", color=on.SOFT)
    slopes = [0.0, *(slope for *_, slope in steps)]
    axes.set_ylim(*on.fit(min(slopes), max(slopes), LOWER_IN, 0.15 if min(slopes) < 0 else 0.0, 0.15))
    on.value_axis(axes.yaxis, 2)
    on.value_axis(axes.xaxis, 5)
    axes.set_xlabel("capex budget, $M", labelpad=1)


def _mark_unsolved(axes: Any, points: pd.DataFrame) -> None:
    for _, row in points[points["value_musd"].isna()].iterrows():
        budget, words = row["budget_musd"], why_none(row["decisions"])
        on.label(
            axes, words, (budget, 0.02), xycoords=axes.get_xaxis_transform(), rotation=90, ha="center", color=on.SOFT
        )


# ---- regret ----------------------------------------------------------------------------------------------------------

WORST_IN, LEAST_IN = 0.6, 0.5
REGRET_SHADES = LinearSegmentedColormap.from_list("regret", ["#ffffff", "#d5e0ec", "#9dbad7", "#7396bd"])


def draw_regret(study: Study) -> Figure:
    """A table of regrets, dark where they are large, hatched where liquidity is missing; the worst at the right."""
    regrets = table_of(study, "regret", "plan", "scenario", "regret_musd")
    values = table_of(study, "values", "plan", "scenario", "short_musd")
    plans = table_of(study, "plans", "plan", "worst_regret_musd").sort_values("worst_regret_musd", kind="stable")
    sheet = on.open_sheet(study.title, source_of(study))
    verdicts = _verdicts(study)
    floor = len(verdicts) * on.LINE_IN + (0.06 if verdicts else 0.0)
    names = on.names_in(plans["plan"], 0.8, 2.0)
    scenarios = list(dict.fromkeys(regrets["scenario"]))
    shown = scenarios[: max(1, int((sheet.width - names - WORST_IN) / LEAST_IN))]
    heads = _heads(shown, (sheet.width - names - WORST_IN) / max(1, len(shown)) - 0.06)
    head = (1 + max(map(len, heads), default=1)) * on.LINE_IN + 0.06
    fitting = on.rows_that_fit(sheet, head=head, floor=floor)
    rows = on.open_rows(sheet, min(fitting, len(plans)), head=head, floor=floor, most=0.38)
    cells = _Cells(rows, sheet.left + names, sheet.right - WORST_IN, shown)
    none = "no value" if study.unsolved else "no plan"
    _regret_draw_heads(sheet, cells, heads, len(scenarios) * len(plans) - len(shown) * rows.count, none)
    for i, (_, plan) in enumerate(plans.iloc[: rows.count].iterrows()):
        rows.name(i, plan["plan"], names - 0.1)
        rows.cell(i, sheet.right, tenths(plan["worst_regret_musd"]), bold=i == 0)
    _fill(cells, list(plans["plan"].iloc[: rows.count]), regrets, values)
    for i, line in enumerate(verdicts):
        sheet.write(sheet.left, sheet.bottom + (len(verdicts) - i - 0.5) * on.LINE_IN, cut(line, sheet.width))
    return on.finish(sheet)


# ---- heads ----------------------------------------------------------------------------------------------------------


def _heads(scenarios: list[str], room: float) -> list[list[str]]:
    """The names of the scenarios, on one line each or, where one is too long, on two."""
    lines = 1 if all(width_in(plain(scenario)) <= room for scenario in scenarios) else 2
    return [wrap(scenario, room, lines) for scenario in scenarios]


def _regret_draw_heads(sheet: on.Sheet, cells: _Cells, heads: list[list[str]], hidden: int, none: str) -> None:
    more = f"; {hidden} more in the table" if hidden > 0 else ""
    words = f"$M less than each scenario's best plan; hatched: liquidity is missing, or {none}{more}"
    sheet.write(sheet.left, sheet.top - on.LINE_IN / 2, cut(words, sheet.width), color=on.SOFT)
    low = cells.rows.top + 0.02 + on.LINE_IN / 2
    for j, lines in enumerate(heads):
        for k, line in enumerate(reversed(lines)):
            sheet.write(cells.left + (j + 0.5) * cells.each, low + k * on.LINE_IN, line, ha="center")
    sheet.write(sheet.right, low, "worst", ha="right", bold=True)


# ---- cells ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cells:
    """The cells of the table between two edges in inches, one column for each scenario."""

    rows: on.Rows
    left: float
    right: float
    scenarios: list[str]

    @property
    def each(self) -> float:
        return (self.right - self.left) / max(1, len(self.scenarios))

    def fill(self, i: int, j: int, regret: Any, short: Any, top: float, none: str) -> None:
        """Shade and number of one cell; hatched where the plan runs out of liquidity there, or for `none` a number."""
        sheet, y = self.rows.sheet, self.rows.y(i)
        x, tall = self.left + j * self.each, self.rows.each
        dry = not missing(short) and short > 0.05
        shade = on.PAPER if missing(regret) or not top > 0 else REGRET_SHADES(min(1.0, max(0.0, regret / top)))
        hatch = on.HATCH if dry or missing(regret) else None
        look = {"facecolor": shade, "edgecolor": on.SOFT if hatch else on.PAPER, "hatch": hatch, "linewidth": 0.6}
        sheet.box(x, y - tall / 2, self.each, tall, **look)
        words = [none if missing(regret) else tenths(regret)]
        if dry and tall >= 2 * on.LINE_IN + 0.02:
            words.append(f"short {short:,.0f}")
        for k, line in enumerate(words):
            self._write(x, y + (len(words) - 1) * on.LINE_IN / 2 - k * on.LINE_IN, line, hatch is not None)

    def _write(self, x: float, y: float, words: str, hatched: bool) -> None:
        room = width_in(words) + 0.06
        sheet, middle = self.rows.sheet, x + self.each / 2
        if hatched:
            sheet.box(middle - room / 2, y - 0.065, room, 0.13, facecolor=on.PAPER, linewidth=0)
        sheet.write(middle, y, words, ha="center")


def _fill(cells: _Cells, plans: list[str], regrets: pd.DataFrame, values: pd.DataFrame) -> None:
    regret = {(row["plan"], row["scenario"]): row["regret_musd"] for _, row in regrets.iterrows()}
    short = {(row["plan"], row["scenario"]): row["short_musd"] for _, row in values.iterrows()}
    words = values["words"] if "words" in values.columns else [""] * len(values)
    none = {
        (plan, scenario): why_none(said) if missing(short) else "not known"
        for plan, scenario, short, said in zip(
            values["plan"], values["scenario"], values["short_musd"], words, strict=True
        )
    }
    top = regrets["regret_musd"].max()
    for i, plan in enumerate(plans):
        for j, scenario in enumerate(cells.scenarios):
            at = plan, scenario
            cells.fill(i, j, regret.get(at), short.get(at), top, none.get(at, why_none("")))


# ---- verdicts -------------------------------------------------------------------------------------------------------


def _verdicts(study: Study) -> list[str]:
    """One line for each verdict, with the decisions it falls on."""
    decisions: pd.DataFrame | None = study.tables.get("decisions")
    if decisions is None or not {"words", "verdict"} <= set(decisions.columns):
        return []
    lines = []
    for verdict, group in decisions.groupby("verdict", sort=True):
        named = [plain(words) for words in group["words"] if plain(words)]
        said = plain(verdict)
        lines.append(f"{said[:1].upper()}{said[1:]}: {'; '.join(named)}")
    return lines[:3]


# ---- switching -------------------------------------------------------------------------------------------------------

SWITCHING_KEY_IN = 2.2
Point = tuple[float, float]
SWITCHING_SHADES = LinearSegmentedColormap.from_list("value", ["#f7f9fb", "#c3d3e4", "#8fb0d0", "#5d8ab8"])
"""Light enough at its dark end for black letters."""
HALO = [withStroke(linewidth=2.2, foreground=on.PAPER)]


def draw_map(study: Study) -> Figure:
    """Value as shade with contour lines; regions by outline and letter, named beside; the base case as a star."""
    points = table_of(study, "points", "x", "y", "value_musd", "region")
    regions = table_of(study, "regions", "region", "name", "plans")
    sheet = on.open_sheet(study.title, source_of(study))
    xs, ys = (np.unique(points[name].dropna().to_numpy(float)) for name in ("x", "y"))
    bottom = sheet.bottom + 0.32
    ticks = 0.3 + max((width_in(number(float(y))) for y in (*ys[:1], *ys[-1:])), default=0.1)
    width = sheet.width - SWITCHING_KEY_IN - ticks - 0.14
    axes = sheet.axes(sheet.left + ticks, bottom, width, sheet.top - 0.04 - bottom)
    star = _mark_base(axes, study)
    if len(xs) and len(ys):
        values, names = _grids(points, xs, ys)
        numbers = _switching_draw_values(axes, xs, ys, values)
        _outline(axes, edges(xs), edges(ys), names)
        _name_regions(axes, (xs, ys), names, star, numbers)
        _draw_scale(sheet, values)
    _name_axes(axes, study, xs, ys)
    _list_regions(sheet, regions, _holes(points))
    return on.finish(sheet)


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


def _switching_draw_values(axes: Any, xs: Grid, ys: Grid, values: Grid) -> list[Any]:
    """The shades and, over three points or more each way, contour lines; returns the contours' numbers."""
    ex, ey = edges(xs), edges(ys)
    axes.set_facecolor(on.PAPER)
    axes.patch.set(hatch=on.HATCH, edgecolor=on.RULE)
    axes.set_xlim(ex[0], ex[-1])
    axes.set_ylim(ey[0], ey[-1])
    known = values[~np.isnan(values)]
    if not len(known):
        on.label(axes, "no value at any point", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center")
        return []
    low, high = known.min(), known.max()
    top = high if high > low else low + 1
    look = {
        "cmap": SWITCHING_SHADES,
        "edgecolors": "face",
        "linewidth": 0.4,
    }  # edges, or viewers show paper between the cells
    axes.pcolormesh(ex, ey, np.ma.masked_invalid(values), vmin=low, vmax=top, **look)
    if min(values.shape) >= 3 and high - low > 1e-6 * max(1.0, abs(high)):
        lines = axes.contour(
            xs, ys, np.ma.masked_invalid(values), levels=5, colors=on.INK, linewidths=0.5, linestyles=":"
        )
        texts = list(axes.clabel(lines, fontsize=8, fmt=lambda value: f"{value:,.5g}", inline_spacing=2))
        for text in texts:
            text.set(color=on.SOFT)
        return texts
    return []


def _outline(axes: Any, ex: Grid, ey: Grid, names: Grid) -> None:
    """A line wherever two neighbouring cells belong to different regions."""
    rows, columns = names.shape
    across = [((ex[j + 1], ey[i]), (ex[j + 1], ey[i + 1]))
              for i in range(rows) for j in range(columns - 1) if names[i, j] != names[i, j + 1]]  # fmt: skip
    upward = [((ex[j], ey[i + 1]), (ex[j + 1], ey[i + 1]))
              for i in range(rows - 1) for j in range(columns) if names[i, j] != names[i + 1, j]]  # fmt: skip
    axes.add_collection(LineCollection(across + upward, colors=on.INK, linewidths=1.1, capstyle="round"), autolim=False)


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
            on.label(axes, name, place, ha="center", va="center", fontsize=9, weight="bold", path_effects=HALO)
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
    axes.plot([x], [y], marker="*", markersize=9, color=on.INK, markeredgecolor=on.PAPER, markeredgewidth=0.8, zorder=5)
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


def _draw_scale(sheet: on.Sheet, values: Grid) -> None:
    """The shades with the lowest and the highest value."""
    known = values[~np.isnan(values)]
    if not len(known):
        return
    left, y = sheet.right - SWITCHING_KEY_IN + 0.15, sheet.bottom + 0.09
    words = musd(float(known.min())), musd(float(known.max()))
    sheet.write(left, y, words[0])
    x = left + width_in(words[0]) + 0.06
    wide = max(0.2, sheet.right - width_in(words[1]) - 0.06 - x)
    steps = 24
    for i in range(steps):
        shade = SWITCHING_SHADES(i / (steps - 1))
        sheet.box(x + i * wide / steps, y - 0.05, wide / steps, 0.1, facecolor=shade, edgecolor=shade, linewidth=0.4)
    sheet.box(x, y - 0.05, wide, 0.1, facecolor="none", edgecolor=on.SOFT, linewidth=0.5)
    sheet.write(sheet.right, y, words[1], ha="right")
    sheet.write(left, y + on.LINE_IN, "value of the plan; star: base case", color=on.SOFT)


def _list_regions(sheet: on.Sheet, regions: pd.DataFrame, holes: str) -> None:
    """The regions with most points, in the order of their letters."""
    left, y, floor = sheet.right - SWITCHING_KEY_IN + 0.15, sheet.top - 0.02, sheet.bottom + 0.3
    room = int((y - floor) / on.LINE_IN) - (1 if holes else 0)
    each = max(1, min(4, room // max(1, len(regions))))
    hidden = 0 if len(regions) <= room else len(regions) - room + 1
    largest = regions.sort_values("plans", ascending=False, kind="stable").index[: len(regions) - hidden]
    for _, row in regions.loc[sorted(largest)].iterrows():
        sheet.write(left, y - on.LINE_IN / 2, plain(row["region"]), bold=True)
        for line in wrap(row["name"], sheet.right - left - 0.24, each):
            sheet.write(left + 0.24, y - on.LINE_IN / 2, line)
            y -= on.LINE_IN
        y -= 0.03 if each > 1 else 0.0
    if hidden:
        sheet.write(left, y - on.LINE_IN / 2, f"and {hidden} smaller regions", color=on.SOFT)
        y -= on.LINE_IN
    if holes and y - on.LINE_IN > floor - 0.1:
        sheet.box(left, y - on.LINE_IN, 0.16, 0.1, facecolor=on.PAPER, edgecolor=on.RULE, hatch=on.HATCH, linewidth=0.5)
        sheet.write(left + 0.24, y - on.LINE_IN + 0.05, holes)
