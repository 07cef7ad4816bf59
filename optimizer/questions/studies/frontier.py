"""The frontier: value against the capex budget, and against the minimum of cash; each point a solved, audited plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from optimizer.case.case import Case
from optimizer.ground.amounts import musd
from optimizer.ground.findings import Finding, InputError
from optimizer.plan.decisions import decisions_of
from optimizer.plan.plan import Plan
from optimizer.questions.studies.inquiry import footing, refused, told_failure
from optimizer.questions.studies.plans import solve_each
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.questions.sweeps.runner import NAN, Sweep

if TYPE_CHECKING:
    import pandas as pd

Axis = Literal["budget_musd", "minimum_musd"]
BUDGETS = tuple(np.linspace(0.4, 1.6, 9).tolist())
"""Budgets as shares of the case's own."""
MINIMA = 6
"""Minima of cash from the plan's lowest liquidity up."""
SAFE = 4.0
"""The highest of them, times the plan's lowest liquidity, where doing nothing falls lower than that."""
FLAT_MUSD = 1e-6
ROOM_MUSD = 1e-5
"""So much less than doing nothing holds is the highest minimum: at the last digit roundings decide what can be done."""


def frontier(
    plan: Plan,
    budgets: Iterable[float] | None = None,
    *,
    minima: Iterable[float] | None = None,
    gap: float = 1e-4,
    sweep: Sweep | None = None,
) -> Study:
    """Plans over a range of capex budgets, $M, and over a range of minima of cash, $M, all else as it is.

    Budgets are nine from 40% to 160% of the case's own unless given (budgets of years move with it); minima are none,
    and some above the plan's lowest liquidity, as up to there its own plan stays the best; the case's own are always
    among them. Tables `points` (by budget) and `cash` (by minimum): value and bound, $M, over doing nothing, capex,
    lowest cash and decisions; `marginal_musd` is what each further $M of the limit adds since the point before. Points
    between two that are the same plan are left out. An empty `minima` leaves `cash` empty. Raises InputError for a
    limit that cannot be.
    """
    case, sweep = plan.case, sweep or Sweep()
    base = case.settings.capex_budget_musd
    asked = {
        "budget_musd": _levels("budgets", [share * base for share in BUDGETS] if budgets is None else budgets, base),
        "minimum_musd": _minima(plan, minima),
    }
    cases = {(axis, x): _variant(case, axis, x) for axis, levels in asked.items() for x in levels}
    possible = [(axis_x, variant) for axis_x, variant in cases.items() if isinstance(variant, Case)]
    records = solve_each([(v, plan.scenario) for _, v in possible], gap, sweep, tell=record_of, known=plan)
    solved = dict(zip([axis_x for axis_x, _ in possible], records, strict=True))
    points: dict[str, list[_Point]] = {axis: [] for axis in asked}
    for (axis, x), variant in cases.items():
        none = {"outcome": "infeasible", "why": variant}
        points[axis].append(_point(x, none if isinstance(variant, str) else solved[axis, x]))
    told = {axis: _thinned(found) for axis, found in points.items()}
    study = Study(
        "frontier",
        _title(told["budget_musd"], base),
        _words(told, plan),
        {"points": _table(told["budget_musd"], "budget_musd"), "cash": _table(told["minimum_musd"], "minimum_musd")},
        footing(plan, gap, budget_musd=base, minimum_musd=case.settings.minimum_cash_musd),
    )
    return as_far_as_solved(study, list(_unsolved(told)))


def limited(case: Case, axis: str, limit_musd: float) -> Case:
    """The case with another budget, the budgets of its years in proportion, or with another minimum of cash."""
    settings = case.settings
    if axis == "minimum_musd":
        return case if limit_musd == settings.minimum_cash_musd else case.replace(minimum_cash_musd=limit_musd)
    if limit_musd == settings.capex_budget_musd:
        return case
    base = settings.capex_budget_musd
    years = [
        row.model_copy(update={"capex_budget_musd": row.capex_budget_musd * (limit_musd / base if base else 1.0)})
        for row in case.budget_years
    ]
    return case.replace(capex_budget_musd=limit_musd, budget_years=years)


def _variant(case: Case, axis: str, limit_musd: float) -> Case | str:
    """The case with another limit, or why that is no case."""
    try:
        return limited(case, axis, limit_musd)
    except InputError as error:
        return refused(error)


# ---- limits ---------------------------------------------------------------------------------------------------------


def _levels(name: str, given: Iterable[float], base: float) -> list[float]:
    """Limits in order, each once, the case's own among them."""
    levels = sorted({round(float(x), 6) for x in given} | {base})
    bad = [x for x in levels if not (np.isfinite(x) and x >= 0)]
    if bad:
        why = "cannot be a limit in $M"
        raise InputError([Finding("frontier", why, "give numbers from 0 on", column=name, value=f"{bad[0]:g}")])
    return levels


def _minima(plan: Plan, given: Iterable[float] | None) -> list[float]:
    if given is not None:
        levels = list(given)
        return _levels("minima", levels, plan.case.settings.minimum_cash_musd) if levels else []
    base = plan.case.settings.minimum_cash_musd
    lowest = max(base, float(plan.kpis["lowest_liquidity_musd"]))
    idle = lowest if plan.nothing is None else float(plan.nothing["cash"]["liquidity_musd"].min())
    most = idle - ROOM_MUSD if idle > lowest else SAFE * lowest
    start = max(
        base, floor(lowest * 10) / 10
    )  # below, as a limit that is the plan's own lowest to the last digit bites
    return _levels("minima", [0.0, *np.linspace(start, most, MINIMA).tolist()], base)


# ---- points ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Point:
    """One limit, $M, and its plan; without one NaN and why."""

    limit_musd: float
    value_musd: float = NAN
    bound_musd: float = NAN
    over_nothing_musd: float = NAN
    capex_musd: float = NAN
    lowest_cash_musd: float = NAN
    decisions: str = ""
    decided: str = ""
    why: str = ""

    @property
    def has_plan(self) -> bool:
        return not self.why

    @property
    def unsolved(self) -> str:
        return unsolved_word(self.why)

    def same_plan(self, other: _Point) -> bool:
        return self.decided == other.decided and abs(self.value_musd - other.value_musd) <= FLAT_MUSD


def _point(limit_musd: float, solved: dict[str, Any]) -> _Point:
    if solved["why"]:
        why = told_failure(solved["outcome"], solved["why"])
        return _Point(limit_musd, decisions=why, why=why)
    over = NAN if solved["over_nothing_musd"] is None else solved["over_nothing_musd"]
    return _Point(
        limit_musd, solved["value_musd"], solved["bound_musd"], over, solved["capex_musd"],
        solved["lowest_cash_musd"], solved["decisions"], solved["decided"],
    )  # fmt: skip


def record_of(plan: Plan) -> dict[str, Any]:
    """What a point tells of its plan."""
    decisions = decisions_of(plan)
    return {
        "value_musd": plan.value_musd, "bound_musd": plan.bound_musd,
        "over_nothing_musd": plan.kpis["value_over_do_nothing_musd"], "capex_musd": plan.kpis["capex_musd"],
        "lowest_cash_musd": plan.kpis["lowest_cash_musd"], "decisions": decisions.short(),
        "decided": "; ".join(decisions.words()),
    }  # fmt: skip


def _thinned(points: Sequence[_Point]) -> list[_Point]:
    """Without the points whose neighbours on both sides are the same plan."""
    last = len(points) - 1
    return [
        point
        for i, point in enumerate(points)
        if i in (0, last) or not (point.same_plan(points[i - 1]) and point.same_plan(points[i + 1]))
    ]


def _marginal(before: _Point | None, point: _Point) -> float:
    """What each further $M of the limit adds, $M."""
    if before is None:
        return NAN
    return (point.value_musd - before.value_musd) / (point.limit_musd - before.limit_musd)


def _table(points: Sequence[_Point], axis: Axis) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            axis: point.limit_musd, "value_musd": point.value_musd, "bound_musd": point.bound_musd,
            "over_nothing_musd": point.over_nothing_musd, "marginal_musd": _marginal(before, point),
            "capex_musd": point.capex_musd, "lowest_cash_musd": point.lowest_cash_musd, "decisions": point.decisions,
            "decided": point.decided or point.why,
        }
        for before, point in zip([None, *points], points, strict=False)
    ]  # fmt: skip
    columns = (
        axis, "value_musd", "bound_musd", "over_nothing_musd", "marginal_musd", "capex_musd", "lowest_cash_musd",
        "decisions", "decided",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


# ---- telling --------------------------------------------------------------------------------------------------------


def _title(points: Sequence[_Point], base: float) -> str:
    """What less and more budget is worth, and from where on more adds nothing."""
    solved = [point for point in points if point.has_plan]
    if not solved:
        return "There is no plan at any of these budgets."
    own = next((point for point in solved if point.limit_musd == base), solved[-1])
    full = next(point for point in solved if point.value_musd >= solved[-1].value_musd - FLAT_MUSD)
    if full.limit_musd <= own.limit_musd:
        end = f"a budget above {musd(full.limit_musd)} adds nothing up to {musd(solved[-1].limit_musd)}"
        return f"{end[:1].upper()}{end[1:]}; the plan is worth {musd(own.value_musd)}."
    gain = full.value_musd - own.value_musd
    return (
        f"A budget of {musd(full.limit_musd)} instead of {musd(own.limit_musd)} adds {musd(gain)} of value, "
        f"${gain / (full.limit_musd - own.limit_musd):,.2f} a dollar."
    )


def _words(told: dict[str, list[_Point]], plan: Plan) -> tuple[str, ...]:
    words = [*_less(told["budget_musd"], plan.case.settings.capex_budget_musd)]
    for axis, name in (("budget_musd", "budget"), ("minimum_musd", "minimum of cash")):
        none = [point for point in told[axis] if not point.has_plan and not point.unsolved]
        if none:
            levels = ", ".join(musd(point.limit_musd) for point in none)
            words.append(f"There is no plan at a {name} of {levels}: {none[0].why}.")
        pairs = pairwise(point for point in told[axis] if point.has_plan)
        steps = [(a, b) for a, b in pairs if a.decided != b.decided]
        if steps:
            places = ", ".join(f"{musd(a.limit_musd)} and {musd(b.limit_musd)}" for a, b in steps)
            words.append(f"Decisions change between a {name} of {places}.")
    cash = [point for point in told["minimum_musd"] if point.has_plan]
    if cash and cash[0].value_musd - cash[-1].value_musd > FLAT_MUSD:
        lost = cash[0].value_musd - cash[-1].value_musd
        words.append(
            f"Keeping {musd(cash[-1].limit_musd)} of cash instead of {musd(cash[0].limit_musd)} costs {musd(lost)}."
        )
    elif cash:
        words.append(f"No minimum of cash up to {musd(cash[-1].limit_musd)} costs anything.")
    return tuple(words)


def _unsolved(told: dict[str, list[_Point]]) -> Iterator[str]:
    """The points that came to no answer."""
    for axis, name in (("budget_musd", "budget"), ("minimum_musd", "minimum of cash")):
        for point in told[axis]:
            if point.unsolved:
                yield f"{point.unsolved}: a {name} of {musd(point.limit_musd)}"


def _less(points: Sequence[_Point], base: float) -> list[str]:
    """What the next lower budget costs."""
    for before, own in pairwise(points):
        if own.limit_musd == base and before.has_plan and own.has_plan:
            lost = musd(own.value_musd - before.value_musd)
            return [f"A budget of {musd(before.limit_musd)} instead of {musd(base)} costs {lost}."]
    return []
