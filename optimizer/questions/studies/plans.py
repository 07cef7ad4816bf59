"""Whole plans of many cases: solved and audited through an executor, what a study tells of each kept as it lands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from optimizer.case.case import Case
from optimizer.case.folder import input_hashes
from optimizer.files.journal import Answers
from optimizer.ground.interrupts import give_up, nothing_to_keep
from optimizer.plan.plan import Plan
from optimizer.questions.sweeps.outcomes import FAILURES, lasts, outcome_of
from optimizer.questions.sweeps.runner import Sweep

Record = dict[str, Any]
Tell = Callable[[Plan], Record]


def solve_each(
    asked: Sequence[tuple[Case, str]], gap: float, sweep: Sweep, *, tell: Tell, known: Plan | None = None
) -> list[Record]:
    """Solve cases in scenarios, in parallel, nothing twice; what `tell` makes of each plan, or `why` there is none.

    Each record has its `outcome` and its `why`, which is empty where there is a plan. `tell` must be a function of a
    module, as workers call it. `known` is a plan that need not be solved again. Answers are kept in `plans.jsonl` of
    the sweep's folder: after a kill what is there is not solved again. Raises PlanError where the disk takes no more.
    """
    keys = [_key(case, scenario, gap, tell) for case, scenario in asked]
    kept = Answers(sweep.folder, "plans.jsonl")
    records = kept.read(dict[str, Any])
    if known is not None:
        records[_key(known.case, known.scenario, gap, tell)] = _told(known, tell)
    waiting = {key: one for key, one in zip(keys, asked, strict=True) if key not in records}
    total = len(set(keys))
    _count(sweep, total - len(waiting), total)
    for key, record in _landing(waiting, gap, sweep, tell):
        if lasts(record["outcome"]):
            kept.add(key, record)
        records[key] = record
        _count(sweep, sum(key in records for key in set(keys)), total)
    return [records[key] for key in keys]


def _solve(case: Case, scenario: str, gap: float, tell: Tell) -> Record:
    """The work of a worker."""
    from optimizer.questions.planner import solve

    try:
        with nothing_to_keep():
            plan = solve(case, scenario, gap=gap)
    except FAILURES as none:
        return {"outcome": outcome_of(none), "why": str(none)}
    if plan.status == "interrupted":  # Ctrl-C keeps the best plan of a solve, which is no answer here
        give_up()
    return _told(plan, tell)


def _told(plan: Plan, tell: Tell) -> Record:
    return tell(plan) | {"outcome": "optimal" if plan.status == "optimal" else "limit", "why": ""}


def _key(case: Case, scenario: str, gap: float, tell: Tell) -> str:
    what = [scenario, repr(gap), f"{tell.__module__}.{tell.__qualname__}", input_hashes(case)]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]


def _landing(
    waiting: dict[str, tuple[Case, str]], gap: float, sweep: Sweep, tell: Tell
) -> Iterator[tuple[str, Record]]:
    if sweep.executor is None:
        for key, (case, scenario) in waiting.items():
            yield key, _solve(case, scenario, gap, tell)
        return
    flying: dict[Future[Record], str] = {
        sweep.executor.submit(_solve, case, scenario, gap, tell): key for key, (case, scenario) in waiting.items()
    }
    try:
        while flying:
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                yield flying.pop(future), future.result()
    finally:
        for future in flying:
            future.cancel()


def _count(sweep: Sweep, done: int, of: int) -> None:
    if sweep.tell is not None:
        sweep.tell(done, of)
