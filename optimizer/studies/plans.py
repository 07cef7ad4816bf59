"""Whole plans of many cases: solved and audited through an executor, what a study tells of each kept as it lands."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

from optimizer.case import Case
from optimizer.case_files import input_hashes
from optimizer.errors import AuditFault, Infeasible, NoPlan, SolverFault
from optimizer.plan import Plan
from optimizer.sweeps.runner import Sweep

Record = dict[str, Any]
Tell = Callable[[Plan], Record]


def solve_each(
    asked: Sequence[tuple[Case, str]], gap: float, sweep: Sweep, *, tell: Tell, known: Plan | None = None
) -> list[Record]:
    """Solve cases in scenarios, in parallel, nothing twice; what `tell` makes of each plan, or `why` there is none.

    `tell` must be a function of a module, as workers call it. `known` is a plan that need not be solved again. Records
    are kept in `plans.jsonl` of the sweep's folder: after a kill what is there is not solved again.
    """
    keys = [_key(case, scenario, gap, tell) for case, scenario in asked]
    file = None if sweep.folder is None else sweep.folder / "plans.jsonl"
    records = _on_disk(file)
    if known is not None:
        records[_key(known.case, known.scenario, gap, tell)] = tell(known)
    waiting = {key: one for key, one in zip(keys, asked, strict=True) if key not in records}
    total = len(set(keys))
    _told(sweep, total - len(waiting), total)
    for key, record in _landing(waiting, gap, sweep, tell):
        _keep(file, key, record)
        records[key] = record
        _told(sweep, sum(key in records for key in set(keys)), total)
    return [records[key] for key in keys]


def _solve(case: Case, scenario: str, gap: float, tell: Tell) -> Record:
    """The work of a worker."""
    from optimizer.planner import solve

    try:
        plan = solve(case, scenario, gap=gap)
        if plan.status == "interrupted":  # Ctrl-C keeps the best plan of a solve, which is no answer here
            raise KeyboardInterrupt
        return tell(plan)
    except (Infeasible, NoPlan, SolverFault, AuditFault) as none:
        return {"why": str(none)}


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


def _told(sweep: Sweep, done: int, of: int) -> None:
    if sweep.tell is not None:
        sweep.tell(done, of)


def _keep(file: Path | None, key: str, record: Record) -> None:
    if file is None:
        return
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"key": key, "record": record}) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def _on_disk(file: Path | None) -> dict[str, Record]:
    """What is there; a line cut short by a kill is dropped, and ended so that the next one stands by itself."""
    records: dict[str, Record] = {}
    if file is None or not file.exists():
        return records
    text = file.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        _append_newline(file)
    for line in text.splitlines():
        try:
            kept = json.loads(line)
            records[kept["key"]] = kept["record"]
        except (ValueError, KeyError, TypeError):
            continue
    return records


def _append_newline(file: Path) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write("\n")
