"""What studies share: points around a plan asked through a sweep, and the replies read as decisions and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from optimizer.case.case import Case
from optimizer.ground.amounts import musd
from optimizer.ground.errors import NoPlan, SolverFault
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import Decisions, decisions_of, moved
from optimizer.plan.plan import Plan
from optimizer.questions.studies.sentences import told_clash
from optimizer.questions.sweeps.drivers import Driver
from optimizer.questions.sweeps.family import Compiled, Family, Point
from optimizer.questions.sweeps.holding import hold, taken_in
from optimizer.questions.sweeps.outcomes import FAILURES, UNSOLVED, WORDS, Outcome, outcome_of, unsolved_word
from optimizer.questions.sweeps.reading import decisions_in
from optimizer.questions.sweeps.runner import NAN, Landed, Question, Sweep, replaced_start

MOST_TOLD = 240
"""Characters of the sentence that says why there is no plan."""


@dataclass(frozen=True)
class Reply:
    """What came back for one case: value and bound, $M, and what is decided; without a plan NaN, and why.

    `why` begins with `out of time` or `not solved` where it is not known whether there is one.
    """

    case: Case
    value_musd: float
    bound_musd: float
    decisions: Decisions | None
    why: str = ""
    landed: Landed | None = field(default=None, repr=False)
    compiled: Compiled | None = field(default=None, repr=False)

    @property
    def has_plan(self) -> bool:
        return self.decisions is not None

    @property
    def unsolved(self) -> bool:
        return unsolved_word(self.why) != ""


@dataclass
class Inquiry:
    """A plan, the family of programs around it, and the sweep that answers; `base` is the plan's case solved again.

    With `exact` every point is compiled for itself, which pays where each driver is asked at a point or two; otherwise
    the family learns straight pieces between the drivers' `low` and `high`.
    """

    plan: Plan
    drivers: Sequence[Driver]
    sweep: Sweep
    gap: float
    exact: bool = False
    family: Family = field(init=False)
    base: Reply = field(init=False)

    def __post_init__(self) -> None:
        narrow = [driver.within(driver.base, driver.base) for driver in self.drivers]
        self.family = Family(self.plan.case, self.plan.scenario, narrow if self.exact else list(self.drivers))
        [self.base] = ask([self.prepare({})], self.sweep, self.gap)
        if self.base.unsolved:
            raise NoPlan(f"The plan's own case, solved again, came to no end ({self.base.why})", float("inf"))
        if not self.base.has_plan:
            raise SolverFault(f"the plan's own case, solved again, gives no plan ({self.base.why})")

    def at(self, points: Sequence[Point], *, kept: bool = False) -> list[Reply]:
        """The best plan at each point; with `kept` the best that keeps the decisions of the base."""
        return ask([self.prepare(point, kept=kept) for point in points], self.sweep, self.gap, self.base)

    def prepare(self, point: Point, *, kept: bool = False) -> Prepared:
        """The program of a point, ready to be asked together with others."""
        scenario = self.plan.scenario
        try:
            case = self.family.variant(point)
        except InputError as error:
            return Prepared(self.plan.case, scenario, None, refused(error))
        return prepare(case, scenario, lambda: self._kept(point) if kept else self.family.at(point))

    def _kept(self, point: Point) -> Compiled | str:
        """The program with the base's here-and-now decisions held; why they cannot be."""
        base, scenario = self.base, self.plan.scenario
        assert base.compiled is not None and base.landed is not None
        taken = taken_in(base.case, scenario, base.compiled, base.landed.vector)
        held = hold(taken, self.family.at(point), self.family.variant(point), scenario)
        return "these decisions cannot be taken there" if isinstance(held, str) else held


@dataclass(frozen=True)
class Prepared:
    """A case with its program; without one, why there is none."""

    case: Case
    scenario: str
    compiled: Compiled | None
    why: str = ""


def prepare(case: Case, scenario: str, compiled: Callable[[], Compiled | str]) -> Prepared:
    """A case with the program that a function makes of it; or with the reason why it has none."""
    try:
        program = compiled()
    except FAILURES as error:
        return Prepared(case, scenario, None, told_failure(outcome_of(error), str(error)))
    except InputError as error:
        return Prepared(case, scenario, None, refused(error))
    if isinstance(program, str):
        return Prepared(case, scenario, None, program)
    return Prepared(case, scenario, program)


def ask(prepared: Sequence[Prepared], sweep: Sweep, gap: float, near: Reply | None = None) -> list[Reply]:
    """Ask what could be compiled, all at once and nothing twice, each beginning from the plan of a reply."""
    known = None if near is None else near.landed
    questions = [
        None if one.compiled is None else replaced_start(Question(one.compiled.program, gap), known) for one in prepared
    ]
    once = {question.key: question for question in questions if question is not None}
    landed = dict(zip(once, sweep.ask(list(once.values())), strict=True))
    return [
        _read(one, None if question is None else landed[question.key])
        for one, question in zip(prepared, questions, strict=True)
    ]


def _read(one: Prepared, landed: Landed | None) -> Reply:
    if landed is None or one.compiled is None:
        return Reply(one.case, NAN, NAN, None, one.why)
    if not landed.has_plan:
        return Reply(one.case, NAN, NAN, None, told_failure(landed.outcome, landed.why))
    decided = decisions_in(one.case, one.scenario, one.compiled, landed.vector)
    return Reply(one.case, landed.value_musd, landed.bound_musd, decided, "", landed, one.compiled)


def refused(error: InputError) -> str:
    """Why a case cannot be: its first error."""
    return short_why(str(next(finding for finding in error.findings if finding.severity == "error")))


def told_failure(outcome: Outcome, words: str) -> str:
    """Why there is no plan; or, after the word for it, why it is not known whether there is one."""
    return f"{WORDS[outcome]}: {short_why(words)}" if outcome in UNSOLVED else short_why(words)


def short_why(words: str) -> str:
    """Why there is no plan in one line, cut where it is long."""
    line = told_clash(words).rstrip(".")
    return line if len(line) <= MOST_TOLD else f"{line[: MOST_TOLD - 4].rsplit(' ', 1)[0]} ..."


def change_musd(base: Reply, other: Reply) -> tuple[float, float]:
    """The interval in which the difference of the best values lies, $M: from both values and both bounds."""
    if not other.has_plan:
        return NAN, NAN
    return other.value_musd - base.bound_musd, other.bound_musd - base.value_musd


def told_moves(a: Decisions, b: Decisions | None, most: int = 3) -> str:
    """What is decided otherwise in a line, the first few of it; nothing where nothing is."""
    moves = [] if b is None else moved(a, b)
    more = f"; and {len(moves) - most} more" if len(moves) > most else ""
    return "; ".join(moves[:most]) + more


def footing(plan: Plan, gap: float, **settings: Any) -> dict[str, Any]:
    """What a study's `about` says first: case, scenario, run id of the plan, gap; then the study's settings."""
    of = {"case": plan.case.settings.name, "scenario": plan.scenario, "run_id": plan.run_id, "gap": gap}
    return of | settings


def note_on_base(plan: Plan, base: Reply) -> tuple[str, ...]:
    """A sentence where the case solved again decides otherwise than the plan, as it may within the gap."""
    assert base.decisions is not None
    starts_and_contracts = Decisions(decisions_of(plan).starts, decisions_of(plan).signed, decisions_of(plan).refused)
    differs = told_moves(starts_and_contracts, base.decisions)
    if not differs:
        return ()
    return (
        f"The case solved again at this gap is worth {musd(base.value_musd)} and decides otherwise than the plan "
        f"({differs}); what is said here is measured from that answer.",
    )
