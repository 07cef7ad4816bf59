"""Both plans of a bridge at one date and over one horizon, with what it took to bring them there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from optimizer.case.case import Case
from optimizer.ground.findings import InputError
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures.room import growth
from optimizer.plan.plan import Plan
from optimizer.questions.compare.aligning import CannotMove, moved_to
from optimizer.questions.compare.drafts import SCENARIO, Draft, reaching
from optimizer.questions.compare.remembered import Memory, key_of
from optimizer.questions.compare.stages import Worth, kept, worth_or_why
from optimizer.questions.compare.timing import common_date, taken_before
from optimizer.questions.sweeps.holding import Taken, taken_by
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.solver import SolverOptions


@dataclass
class Work:
    """Solves through an executor, all with the same options, none that is remembered; how many are begun and done."""

    executor: Executor
    options: SolverOptions
    progress: Callable[[int, int], None] | None = None
    memory: Memory = field(default_factory=Memory)
    begun: int = 0
    done: int = 0
    unsolved: list[str] = field(default_factory=list)
    """What came of solves that ended before they had found out what was asked."""
    counting: Lock = field(default_factory=Lock)

    def worth(self, case: Case) -> Future[Worth | str]:
        return self._begin(key_of(case, SCENARIO, self.options), worth_or_why, case, SCENARIO, self.options)

    def kept(self, case: Case, taken: Taken) -> Future[float | str]:
        key = key_of(case, SCENARIO, self.options, taken)
        return self._begin(key, kept, case, SCENARIO, taken, self.options)

    def _begin(self, key: str, function: Callable[..., Any], *args: Any) -> Future[Any]:
        self.begun += 1
        landed: Future[Any] = Future()
        known = self.memory.get(key)
        if known is not None:
            self._tell()
            landed.set_result(known)
            return landed

        def land(future: Future[Any]) -> None:
            """What is handed on is on the disk already; whatever goes wrong is handed on too, so that nobody waits."""
            try:
                result = future.result()
                self.memory.add(key, result)
                self._tell(result)
            except BaseException as error:
                landed.set_exception(error)
            else:
                landed.set_result(result)

        self.executor.submit(function, *args).add_done_callback(land)
        return landed

    def _tell(self, result: object = None) -> None:
        with self.counting:
            self.done += 1
            if isinstance(result, str) and unsolved_word(result):
                self.unsolved.append(result)
            if self.progress is not None:
                self.progress(self.done, self.begun)


@dataclass
class End:
    """A plan brought to the common date and horizon.

    `rest` is what the plan is worth at the date without what it took before it; `moved` its case solved again from the
    date on, `end` the same to the common end of the horizon. `why_not` says why there is no such case.
    """

    plan: Plan
    taken_musd: float
    rest: Worth
    draft: Draft | None = None
    moved: Worth | None = None
    end: Worth | None = None
    why_not: str = ""
    failed: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Future[Worth | str]] = field(default_factory=dict)

    @property
    def reached(self) -> Worth:
        """The last stage of the way that could be solved."""
        return self.end or self.moved or self.rest


def bring_together(first: Plan, second: Plan, work: Work) -> tuple[End, End]:
    """Both plans from the later start to the later end of the two horizons."""
    date, last = common_date(first, second), max(first.case.last, second.case.last)
    begin = min(first.case.first, second.case.first)
    ends = [_begin_end(plan, date, begin, last, work) for plan in (first, second)]
    for end in ends:
        _finish_end(end, last)
    return ends[0], ends[1]


def _begin_end(plan: Plan, date: Quarter, begin: Quarter, last: Quarter, work: Work) -> End:
    """Work out what stands at the date, and have it solved where it is not the plan itself."""
    taken, grown = taken_before(plan, date), growth(plan, date)
    rest = Worth(plan.value_musd * grown - taken, plan.bound_musd * grown - taken, taken_by(plan))
    end = End(plan, taken, rest)
    try:
        standing = moved_to(plan, date)
    except CannotMove as error:
        end.why_not = str(error)
        return end
    end.draft = reaching(standing, begin, last)
    if date == plan.case.first:
        end.moved = rest
    else:
        _solve("moved", standing, end, work)
    if last != plan.case.last:
        _solve("end", end.draft, end, work)
    return end


def _solve(name: str, draft: Draft, end: End, work: Work) -> None:
    try:
        end.jobs[name] = work.worth(draft.case())
    except InputError as error:
        end.failed[name] = reason(error)


def _finish_end(end: End, last: Quarter) -> None:
    """Take what was solved; the plan has no case at the common date and horizon where the last stage failed."""
    for name, job in end.jobs.items():
        result = job.result()
        if isinstance(result, Worth):
            setattr(end, name, result)
        else:
            end.failed[name] = result
    if last == end.plan.case.last:
        end.end = end.moved
    if end.end is None:
        end.draft = None
        end.why_not = end.why_not or next(reversed(end.failed.values()))


def reason(error: Exception) -> str:
    """Why there is no such case, in words."""
    if isinstance(error, InputError):
        return str(next(finding for finding in error.findings if finding.severity == "error")).rstrip(".")
    return str(error)
