"""Which planted bugs are caught: the campaign of mutants.

`python tests/mutants.py FOLDER --count 500` plants bugs one after the other (`planted_bugs`), each in a process of its
own, solves cases with it and audits the plans. A bug is caught where the program refuses or breaks down, where the
audit objects, or where a value is not the known optimum: that of the program without the bug, which
`test_enumeration.py` and the cases solved by hand hold to other hands. Records are lines of JSON; a run that was killed
goes on where it ended.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import resource
import select
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutant_cases import Trial, trials
from planted_bugs import Edit, every_module, forget, plant, sample, stale, traced
from records import Records, fingerprint

TOLERANCE = 1e-6
HANG_S = 60
"""Processor seconds after which a planted bug counts as a hang; a whole run over all cases takes less."""
PATIENCE_S = 600
MORE_FOR_THE_AUDIT = 3
"""Cases tried after a value was found wrong, to see whether the audit alone would have objected."""

AT_FIRST = 24
"""Cases tried before the next bug has its turn; what survives them is tried on all the others at the end."""


# ---- one process --------------------------------------------------------------------------------------------------


class Inside:
    """A solver's process that is none: its jobs carried out here, in a process that ends soon anyway."""

    def run(self, job: Any, *, tell: Any = None, time_limit: Any = None, stop: Any = lambda: False) -> Any:
        highs = importlib.import_module("optimizer.solver.highs")
        return highs.carry_out(job, tell or (lambda _: None), threading.Event())


@dataclass(frozen=True)
class Outcome:
    """What a case is worth, and doing nothing in it, in $M; None without a plan. `breaches` are the audit's words."""

    value: float | None
    nothing: float | None
    breaches: tuple[str, ...] = ()


def solve_and_audit(trial: Trial) -> Outcome:
    """With whatever program this process has. Raises what that program raises, but for a case that has no plan."""
    from optimizer import solver
    from optimizer.auditors import audit
    from optimizer.case.case import assemble
    from optimizer.ground.errors import Infeasible
    from optimizer.questions import planner

    assert callable(solver.solver_process) and callable(planner._refuse_unsound)
    solver.solver_process = lambda *_: nullcontext(Inside())  # type: ignore[assignment]
    planner._refuse_unsound = lambda *_: None
    rows = {name: [(None, dict(row)) for row in table] for name, table in trial.tables.items()}
    case = assemble(trial.settings, rows)
    try:
        plan = planner.solve(case, trial.scenario, gap=1e-9, seed=1, time_limit=30)
    except Infeasible:
        return Outcome(None, None)
    report = audit(case, plan)
    breaches = tuple(check.name for check in (*report.checks, *report.nothing) if not check.clean)
    return Outcome(plan.value_musd, plan.kpis["do_nothing_value_musd"], breaches)


def differs(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return not abs(one - other) <= TOLERANCE * max(1.0, abs(other))


def in_a_child(work: Callable[[Callable[[Any], None]], None], patience_s: float = PATIENCE_S) -> tuple[list[Any], str]:
    """What a function tells in a process of its own, and how that ended: "", "hang" or "died"."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _be_a_child(work, reader, writer)
    os.close(writer)
    said, deadline = b"", time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if select.select([reader], [], [], 1.0)[0]:
            block = os.read(reader, 1 << 16)
            said += block
            if not block:
                break
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    ending = "hang" if killed in (signal.SIGKILL, signal.SIGXCPU) else "died" if status else ""
    return [json.loads(line) for line in said.decode().splitlines(keepends=True) if line.endswith("\n")], ending


def _be_a_child(work: Callable[[Callable[[Any], None]], None], reader: int, writer: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (HANG_S, HANG_S))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        warnings.simplefilter("ignore")
        work(lambda event: os.write(writer, (json.dumps(event) + "\n").encode()) and None)
        code = 0
    finally:
        os._exit(code)


# ---- the program without a bug ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """What the program without a bug makes of a trial, and which lines of which modules it runs."""

    trial: Trial
    known: Outcome
    lines: dict[str, frozenset[int]]

    def runs(self, edit: Edit) -> bool:
        return not edit.lines or not edit.lines.isdisjoint(self.lines.get(edit.module, ()))


def base_of(trial: Trial) -> dict[str, Any]:
    """The base of a trial as a record."""

    def work(tell: Callable[[Any], None]) -> None:
        forget(every_module())
        known, lines = traced(lambda: solve_and_audit(trial))
        tell({"trial": trial.name, **vars(known), "lines": lines})

    told, ending = in_a_child(work)
    assert told, f"{trial.name}: {ending}"
    return told[0]


def bases(trials: Iterable[Trial], folder: Path) -> list[Base]:
    """Bases of trials, made once for each state of the program's source."""
    records = Records(folder / f"bases-{fingerprint()}")
    known = {record["trial"]: record for record in records.read()}
    made = []
    for trial in trials:
        if trial.name not in known:
            known[trial.name] = base_of(trial)
            records.add(known[trial.name])
        record = known[trial.name]
        outcome = Outcome(record["value"], record["nothing"], tuple(record["breaches"]))
        made.append(Base(trial, outcome, {module: frozenset(ran) for module, ran in record["lines"].items()}))
    return made


# ---- the program with a bug ---------------------------------------------------------------------------------------

CAUGHT_BY_ITSELF = ("refused", "broke down", "hang", "audit")
"""Verdicts that need no known optimum."""


def run_mutant(edit: Edit, among: Iterable[Base]) -> dict[str, Any]:
    """Plant a bug and solve the cases that run it until the audit objects; what came of it, as a record."""
    running = [base for base in among if base.runs(edit)]
    began = time.monotonic()

    def work(tell: Callable[[Any], None]) -> None:
        try:
            plant(edit)
        except Exception as error:
            tell({"verdict": "broke down", "case": "", "told": _words(error)})
            return
        _try_cases(running, tell)

    told, ending = in_a_child(work) if running else ([], "")
    if ending and not any(event["verdict"] in CAUGHT_BY_ITSELF for event in told):
        told.append({"verdict": "hang" if ending == "hang" else "broke down", "case": "", "told": ending})
    first = told[0] if told else {"verdict": "survived" if running else "never run", "case": "", "told": ""}
    alone = next((event for event in told if event["verdict"] in CAUGHT_BY_ITSELF), None)
    return {
        "mutant": edit.name,
        "kind": edit.kind,
        "module": edit.module,
        **first,
        "alone": None if alone is None else alone["verdict"],
        "cases": [base.trial.name for base in running] if first["verdict"] == "survived" else [],
        "seconds": round(time.monotonic() - began, 2),
    }


def _try_cases(running: list[Base], tell: Callable[[Any], None]) -> None:
    wrong = 0
    for base in running:
        event = judge(base)
        if event is not None:
            tell(event | {"case": base.trial.name})
            if event["verdict"] in CAUGHT_BY_ITSELF:
                return
        wrong += wrong > 0 or event is not None
        if wrong > MORE_FOR_THE_AUDIT:
            return


def judge(base: Base) -> dict[str, str] | None:
    """What gives a bug away in a case; None if nothing does."""
    known = base.known
    try:
        found = solve_and_audit(base.trial)
    except Exception as error:
        errors = importlib.import_module("optimizer.ground.errors")
        ours = (getattr(errors, "PlanError", errors.SolverFault), errors.SolverFault, errors.NoPlan)
        refused = isinstance(error, ours) or type(error).__module__.startswith("optimizer.")
        return {"verdict": "refused" if refused else "broke down", "told": _words(error)}
    objections = [name for name in found.breaches if name not in known.breaches]
    if objections:
        return {"verdict": "audit", "told": "; ".join(objections[:4])}
    if differs(found.value, known.value) or differs(found.nothing, known.nothing):
        return {"verdict": "optimum", "told": f"{found.value}, {found.nothing} for {known.value}, {known.nothing}"}
    return None


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def warm(trial: Trial) -> None:
    """Import what every child needs."""
    from optimizer.auditors import audit
    from optimizer.case.case import assemble
    from optimizer.questions import planner
    from optimizer.solver.models import compile_model

    stale("model")
    case = assemble(trial.settings, {name: [(None, dict(row)) for row in rows] for name, rows in trial.tables.items()})
    compile_model(planner.build_model(case, trial.scenario))
    assert audit
    gc.collect()
    gc.freeze()


# ---- the campaign -------------------------------------------------------------------------------------------------


def campaign(chosen: list[Edit], among: list[Base], folder: Path) -> list[dict[str, Any]]:
    """Records of the planted bugs; those that lie in the folder are not made again."""
    records = Records(folder)
    done = {record["mutant"]: record for record in records.read()}
    kills = Counter(record["case"] for record in done.values())
    warm(among[0].trial)

    def run(edit: Edit, cases: list[Base], before: list[str]) -> None:
        record = run_mutant(edit, cases)
        done[edit.name] = record | {"cases": [*before, *record["cases"]]}
        kills[record["case"]] += 1
        records.add(done[edit.name])

    for edit in chosen:
        if edit.name not in done:
            running = sorted((base for base in among if base.runs(edit)), key=lambda base: -kills[base.trial.name])
            run(edit, running[:AT_FIRST], [])
    for edit in chosen:
        tried = done[edit.name]["cases"]
        rest = [base for base in among if base.runs(edit) and base.trial.name not in tried]
        if done[edit.name]["verdict"] == "survived" and rest:
            run(edit, rest, tried)
    return [done[edit.name] for edit in chosen]


def summary(records: list[dict[str, Any]]) -> str:
    """Figures of a campaign."""
    verdicts = Counter(record["verdict"] for record in records)
    alone = sum(record["alone"] is not None for record in records)
    caught = len(records) - verdicts["survived"] - verdicts["never run"]
    lines = [
        f"{len(records)} planted bugs: {caught} caught, {alone} of them without a known optimum",
        ", ".join(f"{name} {count}" for name, count in verdicts.most_common()),
    ]
    for what in ("module", "kind"):
        of = Counter(record[what] for record in records)
        left = Counter(record[what] for record in records if record["verdict"] in ("survived", "never run"))
        lines.append(", ".join(f"{name} {count - left[name]}/{count}" for name, count in of.most_common()))
    lines += [f"{r['verdict']}: {r['mutant']}" for r in records if r["verdict"] in ("survived", "never run")]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Plant bugs in the program and see which are caught.")
    parser.add_argument("folder", type=Path, help="where records are, or will be")
    parser.add_argument("--count", type=int, default=500, help="how many bugs; 500 unless said")
    parser.add_argument("--seed", type=int, default=1, help="which bugs are drawn; 1 unless said")
    told = parser.parse_args()
    among = bases(trials(), told.folder)
    print(summary(campaign(sample(told.count, told.seed), among, told.folder)))


if __name__ == "__main__":
    main()
