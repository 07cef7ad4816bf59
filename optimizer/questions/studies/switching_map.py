"""The switching map: over two inputs, which decisions win, and what the best plan is worth at each point."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import atan2
from typing import TYPE_CHECKING

import numpy as np

from optimizer.ground.amounts import musd
from optimizer.ground.errors import PlanError
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import Decisions, decisions_of
from optimizer.plan.plan import Plan
from optimizer.questions.studies.regions import Grain, Region, divide
from optimizer.questions.studies.sentences import told_clash
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.altered import bounded
from optimizer.questions.sweeps.drivers import Driver, driver_named, drivers_of
from optimizer.questions.sweeps.family import Compiled, Family
from optimizer.questions.sweeps.holding import as_columns, taken_by
from optimizer.questions.sweeps.outcomes import FAILURES, UNSOLVED, WORDS, Outcome, outcome_of, unsolved_word
from optimizer.questions.sweeps.reading import decisions_in
from optimizer.questions.sweeps.runner import Landed, Question, Sweep
from optimizer.solver.program import Floats

if TYPE_CHECKING:
    import pandas as pd

LEAST_MUSD = 1e-4
"""Room between value and bound below which no amount is told."""
NEAREST = 3
"""Plans of neighbours that a point is begun from, whichever is worth most there."""


def switching_map(
    plan: Plan, x: str | Driver | None = None, y: str | Driver | None = None, *, points: tuple[int, int] = (20, 20),
    gap: float = 1e-3, sweep: Sweep | None = None,
) -> Study:  # fmt: skip
    """Solve the plan's case at every point of a grid over two drivers; regions are points that decide alike.

    Hashprice and the mean rent of the main product unless named, each over the range of its driver. Every point has
    its own value and bound. `gap` is relative, to the point's value or to the plan's, whichever is larger. Raises
    InputError for an unknown driver, PlanError where a case has no two drivers.
    """
    drivers = _axes(plan, x, y)
    grid = _grid(drivers, points)
    chart = Chart(plan, drivers, grid, gap, Sweep() if sweep is None else sweep)
    return _study(chart)


def _axes(plan: Plan, x: str | Driver | None, y: str | Driver | None) -> tuple[Driver, Driver]:
    case, scenario = plan.case, plan.scenario
    usual = [driver for driver in drivers_of(case, scenario) if driver.low < driver.high]
    names = [name for name in ("hashprice", f"rent {_main_product(plan)}") if name in {d.name for d in usual}]
    names += [driver.name for driver in usual if driver.name not in names]
    chosen: list[Driver] = []
    for asked in (x, y):
        if asked is None:
            taken = {driver.name for driver in chosen} | {asked if isinstance(asked, str) else None for asked in (x, y)}
            free = [name for name in names if name not in taken]
            if not free:
                raise PlanError("This case has no two drivers with a range; name them with their ranges.")
            asked = free[0]
        chosen.append(driver_named(case, scenario, asked) if isinstance(asked, str) else asked)
    if chosen[0].name == chosen[1].name:
        raise PlanError(f"Both axes are {chosen[0].name}; name two drivers.")
    return chosen[0], chosen[1]


def _main_product(plan: Plan) -> str:
    """The product that most offers are for, of those sold as colocation where there are any."""
    case = plan.case
    lets = [p.product for p in case.products if p.kind == "colocation"] or [p.product for p in case.products]
    return max(lets, key=lambda product: sum(o.product == product for o in case.offers), default="")


def _grid(drivers: tuple[Driver, Driver], points: tuple[int, int]) -> list[tuple[float, float]]:
    """Every point, those nearest to the base first, in turns around it."""
    axes = [_ticks(driver, count) for driver, count in zip(drivers, points, strict=True)]
    centre = [float(np.interp(d.base, ticks, range(len(ticks)))) for d, ticks in zip(drivers, axes, strict=True)]
    places = [(i, j) for i in range(len(axes[0])) for j in range(len(axes[1]))]

    def outwards(place: tuple[int, int]) -> tuple[int, float]:
        di, dj = place[0] - centre[0], place[1] - centre[1]
        return int(max(abs(di), abs(dj))), atan2(dj, di)

    return [(axes[0][i], axes[1][j]) for i, j in sorted(places, key=outwards)]


def _ticks(driver: Driver, count: int) -> list[float]:
    if not driver.low < driver.high or count < 2:
        raise PlanError(f"The axis of {driver.name} needs two points or more between a low and a high end.")
    ticks = np.linspace(driver.low, driver.high, count)
    return [float(tick) for tick in (np.unique(np.round(ticks)) if driver.whole else ticks)]


@dataclass
class Chart:
    """The grid solved: programs, answers and decisions of every point, in the order in which they are asked."""

    plan: Plan
    drivers: tuple[Driver, Driver]
    grid: Sequence[tuple[float, float]]
    gap: float
    sweep: Sweep
    family: Family = field(init=False)
    compiled: list[Compiled | None] = field(init=False)
    missing: dict[int, str] = field(init=False, default_factory=dict)
    """Why there is no plan at a point, or after the word for it, why it is not known whether there is one."""
    unsolved: list[str] = field(init=False, default_factory=list)
    """Points, and what is as good there, that came to no answer."""
    landed: dict[int, Landed] = field(init=False)
    decided: list[Decisions | None] = field(init=False)

    def __post_init__(self) -> None:
        self.family = Family(self.plan.case, self.plan.scenario, list(self.drivers))
        self.compiled = [self._compiled(i) for i in range(len(self.grid))]
        self.landed = self._solved()
        for i, landed in self.landed.items():
            if not landed.has_plan:
                self.missing[i] = _told(landed.outcome, landed.why)
        self.unsolved += [f"{word}: {self.at(i)}" for i, why in self.missing.items() if (word := unsolved_word(why))]
        self.decided = [self._decisions(i) for i in range(len(self.grid))]

    @property
    def gap_musd(self) -> float:
        return self.gap * abs(self.plan.value_musd)

    def point(self, i: int) -> dict[str, float]:
        return dict(zip((driver.name for driver in self.drivers), self.grid[i], strict=True))

    def at(self, i: int) -> str:
        """`hashprice 35 $/PH/day, rent colocation 160 $/kW-month`."""
        return ", ".join(f"{d.name} {x:,.6g} {d.unit}" for d, x in zip(self.drivers, self.grid[i], strict=True))

    def _compiled(self, i: int) -> Compiled | None:
        try:
            return self.family.at(self.point(i))
        except FAILURES as error:
            self.missing[i] = _told(outcome_of(error), str(error))
        except InputError as error:
            self.missing[i] = str(error.findings[0])
        return None

    def _solved(self) -> dict[int, Landed]:
        """The first question is the base itself, from the plan's own decisions; it is not a point of the grid."""
        there = [i for i, compiled in enumerate(self.compiled) if compiled is not None]
        base = self.family.base.program
        decided = as_columns(taken_by(self.plan), self.family.base, self.plan.case)
        start = np.where(base.integers, decided, np.nan)
        programs = [base, *(self.compiled[i].program for i in there)]  # type: ignore[union-attr]
        questions = [Question(program, self.gap, gap_musd=self.gap_musd) for program in programs]
        questions[0] = Question(base, self.gap, start=start, gap_musd=self.gap_musd)
        at = [tuple(driver.base for driver in self.drivers), *(self.grid[i] for i in there)]

        def begin(i: int, done: Sequence[int]) -> list[int]:
            return sorted(done, key=lambda j: self._steps(at[i], at[j]))[:NEAREST]

        self.sweep.ask(questions[:1])
        answers = self.sweep.ask(questions, begin)
        return dict(zip(there, answers[1:], strict=True))

    def _steps(self, a: Sequence[float], b: Sequence[float]) -> float:
        """How far two points lie apart, each axis as long as the other."""
        return sum(abs(p - q) / (d.high - d.low) for d, p, q in zip(self.drivers, a, b, strict=True))

    def _decisions(self, i: int) -> Decisions | None:
        compiled, landed = self.compiled[i], self.landed.get(i)
        if compiled is None or landed is None or not landed.has_plan:
            return None
        return decisions_in(self.family.variant(self.point(i)), self.plan.scenario, compiled, landed.vector)

    # ---- near ties --------------------------------------------------------------------------------------------------

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """The points beside each point, up to four."""
        axes = [sorted({at[k] for at in self.grid}) for k in (0, 1)]
        place = {at: (axes[0].index(at[0]), axes[1].index(at[1])) for at in self.grid}
        named = {ij: i for i, ij in enumerate(place[at] for at in self.grid)}
        steps = ((-1, 0), (1, 0), (0, -1), (0, 1))
        return [
            [named[i + di, j + dj] for di, dj in steps if (i + di, j + dj) in named]
            for i, j in (place[at] for at in self.grid)
        ]

    def ties(self, letters: Sequence[str]) -> list[str]:
        """For each point, the regions beside it whose plan there is worth as much within the gap."""
        pairs: dict[tuple[int, str], int] = {}
        for i, beside in enumerate(self.neighbours):
            for j in beside:
                if letters[i] and letters[j] and letters[i] != letters[j]:
                    pairs.setdefault((i, letters[j]), j)
        asked = {key: self._kept(key[0], j) for key, j in pairs.items()}
        questions = {key: question for key, question in asked.items() if question is not None}
        answers = dict(zip(questions, self.sweep.ask(list(questions.values())), strict=True))
        tied: list[list[str]] = [[] for _ in self.grid]
        for (i, letter), other in answers.items():
            if other.unsolved:
                self.unsolved.append(f"{WORDS[other.outcome]}: whether {letter} is as good at {self.at(i)}")
            best = self.landed[i]
            room = max(self.gap * abs(best.value_musd), self.gap_musd)
            if other.has_plan and best.bound_musd - other.value_musd <= room:
                tied[i].append(letter)
        return [" ".join(sorted(set(names))) for names in tied]

    def _kept(self, i: int, j: int) -> Question | None:
        """At one point, the starts and signings of another."""
        here, there = self.compiled[i], self.compiled[j]
        if here is None or there is None or here.columns != there.columns:
            return None
        places = here.where("N", "Y")
        numbers: Floats = np.round(self.landed[j].vector[places])
        question = Question(bounded(here, places, numbers).program, self.gap, gap_musd=self.gap_musd)
        start = np.where(question.program.integers, self.landed[j].vector, np.nan)
        return Question(question.program, self.gap, start=start, gap_musd=self.gap_musd)


def _told(outcome: Outcome, words: str) -> str:
    return f"{WORDS[outcome]}: {told_clash(words)}" if outcome in UNSOLVED else told_clash(words)


# ---- told ---------------------------------------------------------------------------------------------------------


def _study(chart: Chart) -> Study:
    import pandas as pd

    plan, (x, y) = chart.plan, chart.drivers
    grain, regions = divide(chart.decided)
    letters = [""] * len(chart.grid)
    for region in regions:
        for i in region.points:
            letters[i] = region.letter
    keys = [_key(decisions) for decisions in chart.decided]
    points = pd.DataFrame(
        {
            "x": [at[0] for at in chart.grid],
            "y": [at[1] for at in chart.grid],
            "value_musd": [_figure(chart, i, "value_musd") for i in range(len(chart.grid))],
            "bound_musd": [_figure(chart, i, "bound_musd") for i in range(len(chart.grid))],
            "region": letters,
            "as_good": chart.ties(letters),
            "decided": keys,
            "words": [chart.missing.get(i, "") for i in range(len(chart.grid))],
        }
    ).sort_values(["y", "x"], ignore_index=True)
    tables = {"points": points, "regions": _regions(chart, regions), "decisions": _details(chart.decided, keys)}
    about = {
        "case": plan.case.settings.name, "scenario": plan.scenario, "run_id": plan.run_id, "gap": chart.gap,
        "gap_musd": chart.gap_musd, "rule": grain.words,
        "x_driver": x.name, "x_unit": x.unit, "x_words": x.name, "x_means": x.words, "base_x": x.base,
        "y_driver": y.name, "y_unit": y.unit, "y_words": y.name, "y_means": y.words, "base_y": y.base,
    }  # fmt: skip
    study = Study("map", _title(chart, grain, regions), _words(chart, grain, regions, points), tables, about)
    return as_far_as_solved(study, chart.unsolved)


def _figure(chart: Chart, i: int, name: str) -> float:
    landed = chart.landed.get(i)
    return float(getattr(landed, name)) if landed is not None and landed.has_plan else float("nan")


def _key(decisions: Decisions | None) -> str:
    """A short name for all that is decided, the same wherever it is."""
    return "" if decisions is None else hashlib.sha256("\n".join(sorted(decisions.each())).encode()).hexdigest()[:8]


def _regions(chart: Chart, regions: Sequence[Region]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for region in regions:
        typical = _typical(chart, region)
        rows.append((region.letter, region.name, "; ".join(typical.words()), len(region.points)))
    return pd.DataFrame(rows, columns=["region", "name", "decisions", "plans"])


def _typical(chart: Chart, region: Region) -> Decisions:
    """The decisions of a region that win at most of its points, the first of them where several do."""
    decided = [decisions for i in region.points if (decisions := chart.decided[i]) is not None]
    return max(decided, key=decided.count)


def _details(decided: Sequence[Decisions | None], keys: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    found = {key: decisions for key, decisions in zip(keys, decided, strict=True) if decisions is not None}
    rows = [(key, keys.count(key), "; ".join(decisions.words())) for key, decisions in found.items()]
    rows.sort(key=lambda row: (-row[1], row[0]))
    return pd.DataFrame(rows, columns=["decided", "plans", "words"])


def _title(chart: Chart, grain: Grain, regions: Sequence[Region]) -> str:
    x, y = chart.drivers
    count, over = len(chart.grid), f"over {x.name} and {y.name}"
    if not regions:
        return f"No plan keeps every rule at any of {count} points {over}"
    own = grain.signs(decisions_of(chart.plan))
    mine = next((one for one in regions if grain.signs(_typical(chart, one)) == own), None)
    if mine is None:
        return f"None of {len(regions)} decisions that win {over} is the plan's own"
    if len(regions) == 1:
        return f"The plan's decisions win wherever there is a plan {over}"
    share = len(mine.points) / count
    return f"{len(regions)} decisions win {over}: the plan's own ({mine.letter}) at {share:.0%} of {count} points"


def _apart(points: pd.DataFrame) -> str:
    most = float((points["bound_musd"] - points["value_musd"]).max())
    return f"at most ${most:,.3g}M above" if most >= LEAST_MUSD else f"less than ${LEAST_MUSD:g}M above"


def _words(chart: Chart, grain: Grain, regions: Sequence[Region], points: pd.DataFrame) -> tuple[str, ...]:
    details = len(set(points["decided"]) - {""})
    win = "1 decision wins" if details == 1 else f"{details} different decisions win"
    told = [
        f"Points are of one region when they agree in {grain.words}; counted by every start and contract with its "
        f"quarter and size, {win}.",
        f"Every point has a value and a bound: no plan is worth more than the bound there, {_apart(points)} the value."
        if regions else "",
    ]  # fmt: skip
    for region in regions:
        told.append(f"{region.letter}, {region.name}: {_extent(chart, region)}.")
    tied = int((points["as_good"] != "").sum())
    if tied:
        told.append(f"At {tied} points beside a border the decisions across it are as good within the gap (as_good).")
    none = [why for why in chart.missing.values() if not unsolved_word(why)]
    if none:
        why = none[0].split("\n")[0]
        told.append(f"At {len(none)} points there is no plan, as at the first of them: {why}")
    return tuple(sentence for sentence in told if sentence)


def _extent(chart: Chart, region: Region) -> str:
    """Where a region lies, and what is earned there."""
    parts = []
    for k, driver in enumerate(chart.drivers):
        along = [chart.grid[i][k] for i in region.points]
        parts.append(f"{driver.name} {min(along):.4g} to {max(along):.4g} {driver.unit}")
    values = [chart.landed[i].value_musd for i in region.points]
    count = f"{len(region.points)} point{'s' * (len(region.points) != 1)}"
    return f"{count}, {', '.join(parts)}, worth {musd(min(values))} to {musd(max(values))}"
