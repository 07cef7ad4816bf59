"""Regret: every plan under every scenario, what it falls short of the best there, and which decisions can wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from optimizer.telling.pictures.lettering import cut, missing, plain, tenths, width_in, wrap
from optimizer.telling.pictures.rows import Rows, names_in, open_rows, rows_that_fit
from optimizer.telling.pictures.sheet import HATCH, LINE_IN, PAPER, SOFT, Sheet, finish, open_sheet
from optimizer.telling.pictures.tables import source_of, table_of, why_none

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.questions.studies.study import Study

WORST_IN, LEAST_IN = 0.6, 0.5
SHADES = LinearSegmentedColormap.from_list("regret", ["#ffffff", "#d5e0ec", "#9dbad7", "#7396bd"])


def draw_regret(study: Study) -> Figure:
    """A table of regrets, dark where they are large, hatched where liquidity is missing; the worst at the right."""
    regrets = table_of(study, "regret", "plan", "scenario", "regret_musd")
    values = table_of(study, "values", "plan", "scenario", "short_musd")
    plans = table_of(study, "plans", "plan", "worst_regret_musd").sort_values("worst_regret_musd", kind="stable")
    sheet = open_sheet(study.title, source_of(study))
    verdicts = _verdicts(study)
    floor = len(verdicts) * LINE_IN + (0.06 if verdicts else 0.0)
    names = names_in(plans["plan"], 0.8, 2.0)
    scenarios = list(dict.fromkeys(regrets["scenario"]))
    shown = scenarios[: max(1, int((sheet.width - names - WORST_IN) / LEAST_IN))]
    heads = _heads(shown, (sheet.width - names - WORST_IN) / max(1, len(shown)) - 0.06)
    head = (1 + max(map(len, heads), default=1)) * LINE_IN + 0.06
    fitting = rows_that_fit(sheet, head=head, floor=floor)
    rows = open_rows(sheet, min(fitting, len(plans)), head=head, floor=floor, most=0.38)
    cells = _Cells(rows, sheet.left + names, sheet.right - WORST_IN, shown)
    none = "no value" if study.unsolved else "no plan"
    _draw_heads(sheet, cells, heads, len(scenarios) * len(plans) - len(shown) * rows.count, none)
    for i, (_, plan) in enumerate(plans.iloc[: rows.count].iterrows()):
        rows.name(i, plan["plan"], names - 0.1)
        rows.cell(i, sheet.right, tenths(plan["worst_regret_musd"]), bold=i == 0)
    _fill(cells, list(plans["plan"].iloc[: rows.count]), regrets, values)
    for i, line in enumerate(verdicts):
        sheet.write(sheet.left, sheet.bottom + (len(verdicts) - i - 0.5) * LINE_IN, cut(line, sheet.width))
    return finish(sheet)


# ---- heads ----------------------------------------------------------------------------------------------------------


def _heads(scenarios: list[str], room: float) -> list[list[str]]:
    """The names of the scenarios, on one line each or, where one is too long, on two."""
    lines = 1 if all(width_in(plain(scenario)) <= room for scenario in scenarios) else 2
    return [wrap(scenario, room, lines) for scenario in scenarios]


def _draw_heads(sheet: Sheet, cells: _Cells, heads: list[list[str]], hidden: int, none: str) -> None:
    more = f"; {hidden} more in the table" if hidden > 0 else ""
    words = f"$M less than each scenario's best plan; hatched: liquidity is missing, or {none}{more}"
    sheet.write(sheet.left, sheet.top - LINE_IN / 2, cut(words, sheet.width), color=SOFT)
    low = cells.rows.top + 0.02 + LINE_IN / 2
    for j, lines in enumerate(heads):
        for k, line in enumerate(reversed(lines)):
            sheet.write(cells.left + (j + 0.5) * cells.each, low + k * LINE_IN, line, ha="center")
    sheet.write(sheet.right, low, "worst", ha="right", bold=True)


# ---- cells ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cells:
    """The cells of the table between two edges in inches, one column for each scenario."""

    rows: Rows
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
        shade = PAPER if missing(regret) or not top > 0 else SHADES(min(1.0, max(0.0, regret / top)))
        hatch = HATCH if dry or missing(regret) else None
        look = {"facecolor": shade, "edgecolor": SOFT if hatch else PAPER, "hatch": hatch, "linewidth": 0.6}
        sheet.box(x, y - tall / 2, self.each, tall, **look)
        words = [none if missing(regret) else tenths(regret)]
        if dry and tall >= 2 * LINE_IN + 0.02:
            words.append(f"short {short:,.0f}")
        for k, line in enumerate(words):
            self._write(x, y + (len(words) - 1) * LINE_IN / 2 - k * LINE_IN, line, hatch is not None)

    def _write(self, x: float, y: float, words: str, hatched: bool) -> None:
        room = width_in(words) + 0.06
        sheet, middle = self.rows.sheet, x + self.each / 2
        if hatched:
            sheet.box(middle - room / 2, y - 0.065, room, 0.13, facecolor=PAPER, linewidth=0)
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
