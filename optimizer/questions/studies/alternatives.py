"""Near-best alternatives: plans worth almost as much that decide otherwise, and what all such plans share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from optimizer.ground.amounts import musd
from optimizer.plan.decisions import Decisions, decisions_of, moved
from optimizer.plan.plan import Plan
from optimizer.questions.planner import solve_held
from optimizer.questions.studies.choices import Choice, choices_of
from optimizer.questions.studies.distances import METRICS, SAME_MW, amounts, distance, farthest
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.altered import at_least, maximising_as, worth_at_least
from optimizer.questions.sweeps.family import Compiled, compile_case
from optimizer.questions.sweeps.holding import as_columns, taken_by
from optimizer.questions.sweeps.outcomes import WORDS
from optimizer.questions.sweeps.runner import Landed, Question, Sweep
from optimizer.solver.program import Floats

if TYPE_CHECKING:
    import pandas as pd

DISTANCE_GAP = 0.02
"""How much farther than the plan found another may be, relative, before the search for it ends."""
TRIVIAL = 0.05
"""Plans are told apart by more than so much of the gross MW that the plan converts."""
CLOSE = 0.05
"""How closely, as a share of what may be given up, the best plan that decides otherwise is sought at first."""
MOST_TOLD = 6
MOST_NAMED = 4


@dataclass(frozen=True)
class Alternative:
    """A whole plan, audited, that decides otherwise: by what it was sought, and MW to the nearest plan before it."""

    plan: Plan
    differs_by: str
    distance_mw: float


@dataclass(frozen=True)
class Verdict:
    """Whether a decision is in every near-best plan: the best plan that decides it the other way, value and bound."""

    choice: Choice
    words: str
    otherwise_musd: float
    otherwise_bound_musd: float


def alternatives(
    plan: Plan, within: float = 0.02, *, gap: float = 1e-4, time_limit: float | None = 120.0,
    sweep: Sweep | None = None,
) -> Study:  # fmt: skip
    """Plans within a share of the best that differ most by site, product, customer and in everything; what all share.

    `within` is a share of the value over doing nothing, or of the value where nothing can be done. Every plan shown is
    whole and audited; that all plans within the share take a decision, or none does, is proven by solving without it,
    or with it. `time_limit` is in seconds for each search of the farthest plan.
    """
    sweep = Sweep() if sweep is None else sweep
    near = NearBest(plan, within, gap, time_limit, sweep)
    found, misses = near.find()
    verdicts = near.judge(found)
    return _study(near, found, misses, verdicts)


@dataclass
class NearBest:
    """The programs of a case whose plans are worth at least `least_musd`."""

    plan: Plan
    within: float
    gap: float
    time_limit: float | None
    sweep: Sweep
    unsolved: list[str] = field(default_factory=list)
    """Searches, and decisions, that came to no answer."""

    def __post_init__(self) -> None:
        self.compiled: Compiled = compile_case(self.plan.case, self.plan.scenario)
        self.room_musd = self.within * _measure(self.plan)
        self.least_musd = self.plan.value_musd - self.room_musd

    @property
    def share(self) -> str:
        return f"{self.within * 100:.3g}%"

    def find(self) -> tuple[list[Alternative], list[str]]:
        """The plans, the given one first; and a sentence for each search that found none."""
        found, misses = [Alternative(self.plan, "", 0.0)], []
        for metric in METRICS:
            got = self._farthest(metric, [self._columns(one.plan) for one in found])
            if isinstance(got, str):
                misses.append(got)
            else:
                found.append(got)
        return found, misses

    def _farthest(self, metric: str, before: Sequence[Floats]) -> Alternative | str:
        """The plan that is farthest from those before, of all that are so far the best; or why there is none."""
        counted, of = amounts(self.plan.case, self.compiled, metric), METRICS[metric]
        if not counted:
            return f"Nothing is to be decided in {of}."
        program = farthest(worth_at_least(self.compiled, self.least_musd), counted, before)
        landed = self._ask(program, before[0], DISTANCE_GAP, near=False)
        if not landed.has_plan:
            self._hear(landed, f"the search for a plan that differs in {of}")
            return f"The search for a plan that differs in {of} found none ({WORDS[landed.outcome]}: {landed.why})."
        least = max(SAME_MW, TRIVIAL * self.plan.kpis["converted_gross_mw"])
        if landed.value_musd <= least:
            most = max(landed.value_musd, landed.bound_musd)
            more = f" by more than {most:.3g} MW" if most > SAME_MW else ""
            return f"No plan within {self.share} differs from those shown{more} in {of}."
        place = self.compiled.program.size[1]
        so_far = at_least(maximising_as(program, self.compiled), place, landed.value_musd * (1 - DISTANCE_GAP))
        better = self._ask(so_far, landed.vector, self.gap, near=True)
        self._hear(better, f"the best plan that differs as much in {of}")
        found = better if better.has_plan else landed
        apart = found.vector[place]
        return self._settled(metric, found, apart, lambda vector: min(distance(counted, vector, b) for b in before))

    def _hear(self, landed: Landed, place: str) -> None:
        """Take note of an answer that is none."""
        if landed.unsolved:
            self.unsolved.append(f"{WORDS[landed.outcome]}: {place}")

    def _columns(self, plan: Plan) -> Floats:
        """What a plan decides here and now, as columns."""
        return as_columns(taken_by(plan), self.compiled, self.plan.case)

    def _ask(self, compiled: Compiled, start: Floats, gap: float, *, near: bool) -> Landed:
        program = compiled.program
        begin = np.append(start, np.full(len(program.cost) - len(start), np.nan))
        begin[~program.integers] = np.nan
        [landed] = self.sweep.ask([Question(program, gap, self.time_limit, begin, near=near)])
        return landed

    def _settled(self, metric: str, landed: Landed, sought: float, apart: Callable[[Floats], float]) -> Alternative:
        """The best plan with an answer's starts and signings; with its sizes too where that would undo its distance."""
        for components in (("N", "Y"), ("N", "Y", "Q")):
            places = self.compiled.where(*components)
            held = {self.compiled.columns[i]: _clean(landed.vector[i], self.compiled, i) for i in places}
            words = f"its decisions were held: an alternative that differs by {metric}"
            plan = solve_held(self.plan, held, words=words)
            far = apart(self._columns(plan))
            if far >= sought * (1 - DISTANCE_GAP):
                break
        return Alternative(plan, metric, far)

    def judge(self, found: Sequence[Alternative]) -> list[Verdict]:
        """For each choice: whether all plans within the share take it, or none, or some."""
        best = decisions_of(self.plan)
        open_ones = [c for c in choices_of(self.plan.case) if not c.committed and c.open_in(self.compiled)]
        others = [self._otherwise(choice, found, self.room_musd * CLOSE) for choice in open_ones]
        asked = dict(zip(open_ones, self.sweep.ask(others), strict=True))
        unclear = [choice for choice in open_ones if self._unclear(asked[choice])]
        closer = [self._otherwise(choice, found, 0.0) for choice in unclear]
        asked |= dict(zip(unclear, self.sweep.ask(closer), strict=True))
        return [self._verdict(choice, best, asked.get(choice)) for choice in choices_of(self.plan.case)]

    def _otherwise(self, choice: Choice, found: Sequence[Alternative], gap_musd: float) -> Question:
        """The best plan that decides a choice the other way than the plan does."""
        taken = choice.taken(decisions_of(self.plan))
        other = choice.without(self.compiled) if taken else choice.forced(self.compiled)
        return Question(other.program, self.gap, start=self._start(choice, found), gap_musd=gap_musd)

    def _unclear(self, landed: Landed) -> bool:
        """Whether the share's edge lies between the value and the bound of an answer."""
        return landed.has_plan and landed.value_musd < self.least_musd <= landed.bound_musd

    def _start(self, choice: Choice, found: Sequence[Alternative]) -> Floats | None:
        """A plan found that decides a choice the other way, to begin from."""
        best = bool(choice.taken(decisions_of(self.plan)))
        for one in found:
            if bool(choice.taken(decisions_of(one.plan))) != best:
                vector = self._columns(one.plan)
                return np.where(self.compiled.program.integers, vector, np.nan)
        return None

    def _verdict(self, choice: Choice, best: Decisions, other: Landed | None) -> Verdict:
        nan = float("nan")
        if other is None:
            words = "in every plan: committed" if choice.committed else "in no plan: no quarter or hall is open to it"
            return Verdict(choice, words, nan, nan)
        taken = bool(choice.taken(best))
        every, opposite = ("every", "without it") if taken else ("no", "with it")
        within = f"within {self.share}"
        if other.outcome == "infeasible":
            return Verdict(choice, f"in {every} plan at all: {opposite} no plan keeps every rule", nan, nan)
        costs = self.plan.value_musd - other.value_musd
        if other.bound_musd < self.least_musd:
            less = self.plan.value_musd - other.bound_musd
            words = (
                f"in {every} plan {within}: {opposite} every plan is worth at least ${floor(less * 10) / 10:,.1f}M less"
            )
        elif other.has_plan and other.value_musd >= self.least_musd:
            words = f"not in {every} plan {within}: the best {opposite} is worth ${max(0.0, costs):,.1f}M less"
            words = (
                words
                if taken
                else f"in some plans {within}: the best {opposite} is worth ${max(0.0, costs):,.1f}M less"
            )
        else:
            self._hear(other, f"{choice.words}, the best {opposite}")
            words = f"not decided: the best {opposite} was not found out closely enough ({WORDS[other.outcome]})"
        return Verdict(choice, words, other.value_musd, other.bound_musd)


def _measure(plan: Plan) -> float:
    """What a share is a share of, $M: the value over doing nothing; the value itself where that does not exist."""
    over = plan.kpis.get("value_over_do_nothing_musd")
    return float(over) if over is not None and over > SAME_MW else abs(plan.value_musd)


def _clean(value: float, compiled: Compiled, i: int) -> float:
    return float(round(value)) if compiled.program.integers[i] else float(value)


# ---- told ---------------------------------------------------------------------------------------------------------


def _study(near: NearBest, found: Sequence[Alternative], misses: Sequence[str], verdicts: Sequence[Verdict]) -> Study:
    plan = near.plan
    decided = [decisions_of(one.plan) for one in found]
    tables = {
        "alternatives": _alternatives(found, decided),
        "decisions": _decisions(decided, verdicts),
        "shares": _shares(decided, verdicts),
    }
    about = {
        "case": plan.case.settings.name, "scenario": plan.scenario, "run_id": plan.run_id, "gap": near.gap,
        "within": near.within, "within_musd": round(near.room_musd, 6), "least_musd": round(near.least_musd, 6),
        "distance_gap": DISTANCE_GAP,
    }  # fmt: skip
    study = Study("alternatives", _title(near, found, verdicts), _words(near, verdicts, misses), tables, about)
    return as_far_as_solved(study, near.unsolved)


def _title(near: NearBest, found: Sequence[Alternative], verdicts: Sequence[Verdict]) -> str:
    room = f"within {near.share} (${near.room_musd:,.1f}M) of the best"
    always = [v.choice.words for v in verdicts if v.words.startswith("in every") and not v.choice.committed]
    if len(always) > MOST_NAMED:
        always = [*always[: MOST_NAMED - 1], f"{len(always) - MOST_NAMED + 1} more decisions are taken"]
    shared = f"{_listed(always)} in every plan {room}" if always else f"no single decision is in every plan {room}"
    others = len(found) - 1
    shown = f"{others} of them, as different as can be, {'is' if others == 1 else 'are'} shown"
    return f"{shared[0].upper()}{shared[1:]}; {shown if others else 'no other plan was found'}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _words(near: NearBest, verdicts: Sequence[Verdict], misses: Sequence[str]) -> tuple[str, ...]:
    over = near.plan.kpis.get("value_over_do_nothing_musd")
    by_nothing = over is not None and over > SAME_MW
    measure = "the value over doing nothing" if by_nothing else "the value (doing nothing is no measure here)"
    return (
        f"The {near.share} are a share of {measure}: plans worth at least {musd(near.least_musd)}.",
        *(f"{verdict.choice.words}: {verdict.words}." for verdict in verdicts),
        *misses,
    )


def _alternatives(found: Sequence[Alternative], decided: Sequence[Decisions]) -> pd.DataFrame:
    import pandas as pd

    best = found[0].plan.value_musd
    rows = [
        (
            i + 1, one.plan.value_musd, round(best - one.plan.value_musd, 9) + 0.0, one.differs_by,
            round(one.distance_mw, 6), _difference(decided[0], decided[i]) if i else "the plan",
        )
        for i, one in enumerate(found)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["number", "value_musd", "gives_up_musd", "differs_by", "distance_mw", "words"])


def _difference(best: Decisions, other: Decisions) -> str:
    told = moved(best, other)
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return "; ".join([*told[:MOST_TOLD], *more])


def _decisions(decided: Sequence[Decisions], verdicts: Sequence[Verdict]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        (i + 1, verdict.choice.key, how)
        for i, decisions in enumerate(decided)
        for verdict in verdicts
        if (how := verdict.choice.taken(decisions))
    ]
    return pd.DataFrame(rows, columns=["number", "decision", "words"])


def _shares(decided: Sequence[Decisions], verdicts: Sequence[Verdict]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for verdict in verdicts:
        plans = sum(bool(verdict.choice.taken(decisions)) for decisions in decided)
        choice = verdict.choice
        figures = (verdict.otherwise_musd, verdict.otherwise_bound_musd)
        rows.append((choice.key, choice.words, plans, plans / len(decided), *figures, verdict.words))
    columns = ["decision", "words", "plans", "share", "otherwise_musd", "otherwise_bound_musd", "verdict"]
    return pd.DataFrame(rows, columns=columns)
