"""The bridge from one plan's value to another's: a line for each group of inputs, by staged re-solves.

Groups of inputs go over from the first plan's case to the second's one after another. Forward, the first groups come
from the second case already; backward, the last ones do. A group's line is the mean of what it changes in both orders,
so that the lines change sign when the plans are swapped, and add up to the whole difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from math import fsum, nan
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.case.case import Case
from optimizer.ground.amounts import musd
from optimizer.ground.errors import PlanError
from optimizer.ground.findings import InputError
from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import moved
from optimizer.plan.figures.room import growth
from optimizer.plan.plan import Plan
from optimizer.questions.compare.drafts import Draft, hybrid, unlike_groups
from optimizer.questions.compare.ends import End, Work, bring_together, reason
from optimizer.questions.compare.grounds import refuse_other_money
from optimizer.questions.compare.groups import Group
from optimizer.questions.compare.remembered import Memory
from optimizer.questions.compare.stages import InTurn, Worth
from optimizer.questions.compare.timing import common_date, taken_before
from optimizer.questions.studies.study import Study, as_far_as_solved, is_kept, load_study, save_study
from optimizer.solver import SolverOptions

GONE, TIME, HORIZON, SEARCH, REST = "quarters gone by", "time", "horizon", "search", "everything else"
TOLD_MUSD = 0.05
"""What is smaller is told as nothing."""
COLUMNS = (
    "group", "words", "line_musd", "low_musd", "high_musd", "repriced_musd", "redecided_musd", "gap_low_musd",
    "gap_high_musd",
)  # fmt: skip


@dataclass(frozen=True)
class Swap:
    """What one change of inputs does to the value: `kept_musd` is the new data's value of the old decisions."""

    before: Worth
    after: Worth
    kept_musd: float = nan

    @property
    def change_musd(self) -> float:
        return self.after.value_musd - self.before.value_musd


@dataclass(frozen=True)
class Line:
    """A line of the bridge: the mean of its swaps, and what the order of swapping makes of it."""

    group: str
    words: str
    swaps: tuple[Swap, ...]
    known_musd: float = 0.0

    def row(self) -> tuple[Any, ...]:
        """Its row in the table `lines`."""
        count = max(1, len(self.swaps))
        changes = [swap.change_musd for swap in self.swaps] or [0.0]
        line = self.known_musd + fsum(changes) / count
        repriced = fsum(swap.kept_musd - swap.before.value_musd for swap in self.swaps) / count if self.swaps else nan
        low = self.known_musd + fsum(s.after.value_musd - s.before.bound_musd for s in self.swaps) / count
        high = self.known_musd + fsum(s.after.bound_musd - s.before.value_musd for s in self.swaps) / count
        ends = self.known_musd + min(changes), self.known_musd + max(changes)
        return (self.group, self.words, line, *ends, repriced, line - repriced, low, high)


def bridge(
    first: Plan,
    second: Plan,
    *,
    gap: float = 1e-4,
    seed: int = 0,
    threads: int = 1,
    time_limit: float | None = None,
    executor: Executor | None = None,
    folder: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Study:
    """Attribute the difference in value of two plans to groups of inputs, as a study of kind `bridge`.

    `gap` and the other options are those of each solve; `time_limit` is in seconds for each. Solves run one after the
    other unless an executor is given. With `folder`, that of the second plan, what is solved lands there at once and is
    not solved again. `progress` hears how many are done and begun. Raises PlanError for plans that were edited or count
    in different money, and where the folder cannot be written.
    """
    refuse_other_money(first, second)
    for plan in (first, second):
        if plan.edited:
            raise PlanError(f"A plan was edited since it was solved ({plan.edited[0]}): no bridge starts from it.")
    options = SolverOptions(gap=gap, seed=seed, threads=threads, time_limit=time_limit)
    try:
        memory = Memory(None if folder is None else bridge_place(first, folder))
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    work = Work(executor or InTurn(), options, progress, memory)
    a, b = bring_together(first, second, work)
    lines, words = _lines(a, b, work)
    return as_far_as_solved(_study(a, b, lines, words, work), work.unsolved)


def keep_bridge(study: Study, folder: str | Path) -> Path:
    """Write a bridge into the folder of the second plan. Raises PlanError."""
    return save_study(study, _place(folder, str(study.about["from_run_id"])))


def bridge_place(first: Plan, folder: str | Path) -> Path:
    """Where the second plan's folder keeps the bridge from the first one."""
    return _place(folder, first.run_id)


def kept_bridge(first: Plan, second: Plan, folder: str | Path) -> Study | None:
    """The bridge between these two plans that the second one's folder keeps, whole; None where there is none."""
    place = bridge_place(first, folder)
    if not is_kept(place):
        return None
    study = load_study(place)
    runs = study.about.get("from_run_id"), study.about.get("to_run_id")
    return study if runs == (first.run_id, second.run_id) and not study.unsolved else None


def _place(folder: str | Path, run_id: str) -> Path:
    return Path(folder) / "studies" / f"bridge-{run_id}"


# ---- lines --------------------------------------------------------------------------------------------------------


def _lines(a: End, b: End, work: Work) -> tuple[list[Line], list[str]]:
    """The lines of the bridge, and sentences on how they came about."""
    words = [_dating_words(end.plan, common_date(a.plan, b.plan)) for end in (a, b) if end.taken_musd]
    lines = [*_time_lines(a, forward=True), *_time_lines(b, forward=False)]
    if a.draft is None or b.draft is None or a.end is None or b.end is None:
        why = "; ".join(end.why_not for end in (a, b) if end.why_not)
        words.append(f"All inputs are one line: a plan cannot be told as a case of the common horizon ({why}).")
        return [*lines, Line(REST, "all inputs together", (Swap(a.reached, b.reached),))], words
    groups = unlike_groups(a.draft, b.draft)
    if not groups:
        same = Swap(a.end, b.end)
        return [
            *lines,
            *([Line(SEARCH, "the same inputs, searched again", (same,))] if same.change_musd else []),
        ], words
    group_lines, merged = _group_lines(a, b, groups, work)
    return [*lines, *group_lines], [*words, *merged]


def _time_lines(end: End, *, forward: bool) -> list[Line]:
    """What a plan took before the common date, and what standing there and looking as far as the other does to it."""
    lines, first = [], end.plan.case.first
    if end.taken_musd:
        gone = f"value that the plan of {first} took before the other began"
        lines.append(Line(GONE, gone, (), -end.taken_musd if forward else end.taken_musd))
    before = end.rest
    for group, words, after in (
        (TIME, f"the plan of {first} as it stands then, valued from there", end.moved),
        (HORIZON, "the shorter horizon made as long as the other, at its last numbers", end.end),
    ):
        if after is not None and after is not before:
            lines.append(Line(group, words, (Swap(before, after) if forward else Swap(after, before),)))
            before = after
    return lines


def _dating_words(plan: Plan, date: Quarter) -> str:
    rate, quarters = 100 * plan.case.settings.discount_rates["corporate"], date - plan.case.first
    then, taken = musd(plan.value_musd * growth(plan, date)), musd(taken_before(plan, date))
    return (
        f"The plan of {plan.case.first} is worth {musd(plan.value_musd)} at its own date; grown at {rate:g}% a year "
        f"over {quarters} quarters that is {then} in {date}, of which it takes {taken} before then."
    )


# ---- groups -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Boundary:
    """Between two neighbouring groups: the first ones from the second case (forward), or the last ones (backward)."""

    forward: Worth
    backward: Worth
    forward_case: Case
    backward_case: Case


def _group_lines(a: End, b: End, groups: Sequence[Group], work: Work) -> tuple[list[Line], list[str]]:
    """A line for each group, or for neighbours together where a mix of the two cases between them has no plan."""
    assert a.draft is not None and b.draft is not None and a.end is not None and b.end is not None
    boundaries, merged = _boundaries(a.draft, b.draft, groups, work)
    case_a, case_b = a.draft.case(), b.draft.case()
    known = {
        0: Boundary(a.end, b.end, case_a, case_b),
        **boundaries,
        len(groups): Boundary(b.end, a.end, case_b, case_a),
    }
    spans = list(zip(known, list(known)[1:], strict=False))
    jobs = [
        (
            work.kept(known[j].forward_case, known[i].forward.taken),
            work.kept(known[i].backward_case, known[j].backward.taken),
        )
        for i, j in spans
    ]
    lines = []
    swaps: tuple[Swap, ...]
    for (i, j), (forward, backward) in zip(spans, jobs, strict=True):
        swaps = (
            Swap(known[i].forward, known[j].forward, _number(forward.result())),
            Swap(known[j].backward, known[i].backward, _number(backward.result())),
        )
        inside = groups[i:j]
        swaps = swaps[:1] if len(inside) == len(groups) else swaps
        lines.append(Line(_joint(g.name for g in inside), "; ".join(g.words for g in inside), swaps))
    return lines, merged


def _boundaries(a: Draft, b: Draft, groups: Sequence[Group], work: Work) -> tuple[dict[int, Boundary], list[str]]:
    """The boundaries at which both mixes are cases that have a plan, by their number; and why the others are not."""
    names = [group.name for group in groups]
    begun: dict[int, tuple[list[Case], list[Future[Worth | str]]]] = {}
    failed: dict[int, str] = {}
    for k in range(1, len(groups)):
        try:
            cases = [hybrid(a, b, names[:k]).case(), hybrid(a, b, names[k:]).case()]
            begun[k] = cases, [work.worth(case) for case in cases]
        except InputError as error:
            failed[k] = reason(error)
    good: dict[int, Boundary] = {}
    for k, (cases, jobs) in begun.items():
        found = [job.result() for job in jobs]
        if isinstance(found[0], Worth) and isinstance(found[1], Worth):
            good[k] = Boundary(found[0], found[1], *cases)
        else:
            failed[k] = next(result for result in found if isinstance(result, str))
    return good, [
        f"{names[k - 1]} and {names[k]} are told together: with one from each plan, {why}."
        for k, why in sorted(failed.items())
    ]


def _number(found: float | str) -> float:
    return nan if isinstance(found, str) else found


def _joint(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


# ---- the study ----------------------------------------------------------------------------------------------------


def _study(a: End, b: End, lines: Sequence[Line], words: Sequence[str], work: Work) -> Study:
    first, second, options, unsolved = a.plan, b.plan, work.options, bool(work.unsolved)
    values = [plan.value_musd * growth(plan, common_date(first, second)) for plan in (first, second)]
    table = pd.DataFrame([line.row() for line in lines], columns=COLUMNS)
    residual = values[1] - values[0] - fsum(table["line_musd"])
    about = {
        "case": second.case.settings.name, "scenario": second.scenario, "run_id": second.run_id, "gap": options.gap,
        "seed": options.seed, "from_run_id": first.run_id, "to_run_id": second.run_id,
        "date": str(common_date(first, second)), "from_value_musd": values[0], "to_value_musd": values[1],
        "residual_musd": residual,
    }  # fmt: skip
    return Study(
        "bridge", _title(first, second, values, table), (*words, *_order_words(table, unsolved)),
        {"lines": table, "moves": _moves(lines)}, about,
    )  # fmt: skip


def _title(first: Plan, second: Plan, values: Sequence[float], table: pd.DataFrame) -> str:
    change = values[1] - values[0]
    names = [f"{plan.case.settings.name} ({plan.scenario})" for plan in (second, first)]
    verb = "more" if change >= 0 else "less"
    head = f"{names[0]} is worth {musd(abs(change))} {verb} than {names[1]}"
    if table.empty:
        return f"{head}: nothing differs."
    largest = table.loc[table["line_musd"].abs().idxmax()]
    return f"{head}; the largest line is {largest['group']}, {musd(float(largest['line_musd']))}."


def _order_words(table: pd.DataFrame, unsolved: bool) -> list[str]:
    """What the order of swapping leaves open, and which lines their gaps leave open."""
    words, rows = [], list(table.itertuples())
    turning = [row.group for row in rows if row.low_musd < -TOLD_MUSD and row.high_musd > TOLD_MUSD]
    if turning:
        words.append(f"The order in which inputs are swapped decides the sign of: {', '.join(turning)}.")
    unsure = [
        row.group for row in rows if row.gap_low_musd <= 0 <= row.gap_high_musd and abs(row.line_musd) > TOLD_MUSD
    ]
    if unsure:
        words.append(f"Not distinguishable from nothing by the gaps of their solves: {', '.join(unsure)}.")
    lost = [row.group for row in rows if row.group not in _UNSPLIT and pd.isna(row.repriced_musd)]
    if lost:
        why = "not all of it was solved" if unsolved else "the new inputs do not allow the old decisions"
        words.append(f"Without a split, since {why}: {', '.join(lost)}.")
    return words


_UNSPLIT = (GONE, TIME, HORIZON, SEARCH, REST)
"""Lines that no old decisions are kept for."""


def _moves(lines: Sequence[Line]) -> pd.DataFrame:
    """What is decided otherwise once a group comes from the second case, in both orders."""
    rows = [
        (line.group, order, sentence)
        for line in lines
        if line.group not in _UNSPLIT
        for order, swap in zip(("forward", "backward"), line.swaps, strict=False)
        for sentence in moved(swap.before.taken.decisions, swap.after.taken.decisions)
    ]
    return pd.DataFrame(rows, columns=["group", "order", "words"], dtype=str)
