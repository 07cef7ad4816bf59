"""Solving a case: build, solve, settle, and set beside it the plans that it is measured by."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from optimizer.auditors import audit
from optimizer.business.model import PROBABLY, build_model
from optimizer.case.case import Case
from optimizer.case.folder import input_hashes
from optimizer.ground.errors import AuditFault
from optimizer.ground.findings import Finding, InputError
from optimizer.ground.interrupts import give_up, hold, stoppable, workspace
from optimizer.ground.quarters import Quarter
from optimizer.plan.kpis import kpis
from optimizer.plan.outlook import Outlook
from optimizer.plan.plan import Plan
from optimizer.plan.settlement import MiningOn, Settled
from optimizer.questions.searches import (
    Nothing,
    do_nothing,
    evidence_of,
    mine_on,
    prove_again,
    search,
    settle_tied,
    worth_in,
)
from optimizer.solver import Answer, Progress, SolverOptions, begin_solvers, keep_evidence, solver_version
from optimizer.solver.proof import BOARD_GAP, Second

DISTRIBUTION = "mw-allocation-optimizer"


def solve(
    case: Case,
    scenario: str | None = None,
    *,
    gap: float = 1e-4,
    prove: bool = False,
    second: Second = "cut-off",
    time_limit: float | None = None,
    memory_gb: float | None = None,
    seed: int = 0,
    threads: int = 1,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Find the plan of most value in one scenario (the case's first, unless named), proven to within `gap`.

    `prove` is for the board: a gap of 1e-6 and a second search that must find nothing better, by cut-off or by SCIP.
    `time_limit` is in seconds for each search (a minute at least for doing nothing); `memory_gb` caps the solver's
    process, 80% of the machine's memory unless given. Same case, scenario, seed and threads: same plan. Every plan is
    audited before it is handed out.

    Raises InputError for an unknown scenario, Infeasible, NoSolver before anything is built if there is none to be
    used, NoPlan when a limit or Ctrl-C comes before the first plan, and SolverFault or AuditFault when the answer
    cannot be trusted; a limit or Ctrl-C after the first plan gives that plan, marked.
    """
    scenario = case.scenario_named(scenario)
    _refuse_odd_options(gap, time_limit, memory_gb, seed, threads, second)
    with workspace() as folder, stoppable():
        options = SolverOptions(
            gap=min(gap, BOARD_GAP) if prove else gap, time_limit=time_limit, seed=seed, threads=threads,
            memory_gb=memory_gb, log=folder / "solver.log",
        )  # fmt: skip
        begin_solvers(options, scip=prove and second == "scip")
        return _solve(case, scenario, options, second if prove else None, progress)


def _solve(
    case: Case,
    scenario: str,
    options: SolverOptions,
    second: Second | None,
    progress: Callable[[Progress], None] | None,
) -> Plan:
    """Doing nothing, mining on, and the plan: searched, proven if a second search is named, settled, audited."""
    clock = _Clock()
    nothing, mining_on = do_nothing(case, scenario, options, second), mine_on(case, scenario, options)
    clock.passes("yardsticks_s")
    model = build_model(case, scenario)
    clock.passes("build_s")
    hold()
    answer = search(model, options, progress)
    clock.passes("solve_s")
    clock.told["highs_s"] = round(answer.highs_seconds, 3)
    with evidence_of(answer, options):
        proof = prove_again(answer, options, second)
        clock.passes("proof_s")
        settled = settle_tied(model, answer)
    plan = Plan(
        case=case,
        scenario=scenario,
        status=answer.status,
        value_musd=settled.value_musd,
        objective_musd=answer.value,
        bound_musd=max(answer.bound, settled.value_musd),
        proof={} if proof is None else proof.record() | {"doing_nothing": nothing is None or nothing.proven},
        kpis=kpis(case, settled, None if nothing is None else nothing.settled, mining_on),
        tables=settled.tables,
        nothing=None if nothing is None else nothing.settled.tables,
        mining_on=None if mining_on.settled is None else mining_on.settled.tables,
        provenance=_provenance(case, answer, options) | _yardsticks(nothing, mining_on),
        run=clock.told,
        log=_text(options.log),
    )
    _refuse_unsound(plan, answer, options)
    clock.passes("settle_and_audit_s")
    return plan


def solve_together(case: Case, likely: Mapping[str, float], *, gap: float = 1e-4, seed: int = 0) -> Outlook:
    """The decisions of most value in the mean over scenarios, by name with their probabilities, and what they come to.

    What is decided here and now is the same in all of them; the rest answers to each. Every outcome is audited. Raises
    Infeasible, NoPlan, SolverFault and AuditFault as `solve` does, ValueError for probabilities that are none.
    """
    with workspace() as folder, stoppable():
        options = SolverOptions(gap=gap, seed=seed, log=folder / "solver.log")
        model = build_model(case, likely)
        answer = search(model, options)
        outcomes = {scenario: _outcome(model, answer, options, scenario, likely) for scenario in likely}
    return Outlook(dict(likely), outcomes, answer.status, answer.bound)


def _outcome(model: Any, answer: Answer, options: SolverOptions, scenario: str, likely: Mapping[str, float]) -> Plan:
    """What an answer comes to in one of its scenarios; its own bound is what the mean's leaves it, the others kept."""
    case = model.case
    with evidence_of(answer, options):
        settled = settle_tied(model, answer, scenario)
    nothing, mining_on = do_nothing(case, scenario, options, None), mine_on(case, scenario, options)
    above = (answer.bound - answer.value) / max(likely[scenario], PROBABLY)
    plan = Plan(
        case=case,
        scenario=scenario,
        status=answer.status,
        value_musd=settled.value_musd,
        objective_musd=worth_in(model, answer, scenario),
        bound_musd=settled.value_musd + max(0.0, above),
        proof={},
        kpis=kpis(case, settled, None if nothing is None else nothing.settled, mining_on),
        tables=settled.tables,
        nothing=None if nothing is None else nothing.settled.tables,
        mining_on=None if mining_on.settled is None else mining_on.settled.tables,
        provenance=_provenance(case, answer, options) | _yardsticks(nothing, mining_on) | {"decided_for": dict(likely)},
        log=_text(options.log),
    )
    _refuse_unsound(plan, answer, options)
    return plan


YARDSTICKS = ("do_nothing_possible", "mining_on_found_out")
Decision = tuple[str, tuple[Any, ...]]
"""A decision of the model: its component, and its index."""


def solve_held(plan: Plan, held: Mapping[Decision, float], *, gap: float = BOARD_GAP, words: str = "") -> Plan:
    """The best plan of the same case that takes some decisions as given: all else is decided again, and audited.

    Its bound is that of `plan`, above which nothing is worth more in this case whatever is decided; so its gap is what
    the held decisions may give up, and its status is never optimal. `words` says in its papers who held them.
    Raises Infeasible where the rest cannot be decided, InputError, NoPlan, SolverFault or AuditFault; an interrupt ends
    it without a plan.
    """
    clock = _Clock()
    with workspace() as folder, stoppable():
        options = SolverOptions(gap=gap, restarts=False, log=folder / "solver.log")
        model = build_model(plan.case, plan.scenario)
        for (component, index), number in held.items():
            decision = getattr(model, component)[index]
            decision.setlb(number)
            decision.setub(number)
        clock.passes("build_s")
        answer = search(model, options, None)
        if answer.status == "interrupted":
            give_up()
        clock.passes("solve_s")
        with evidence_of(answer, options):
            settled = settle_tied(model, answer)
        nothing = (
            None if plan.nothing is None else Settled(dict(plan.nothing), float(plan.kpis["do_nothing_value_musd"]))
        )
        kept = Plan(
            case=plan.case,
            scenario=plan.scenario,
            status="limit",
            value_musd=settled.value_musd,
            objective_musd=answer.value,
            bound_musd=max(plan.bound_musd, settled.value_musd),
            proof={},
            kpis=kpis(plan.case, settled, nothing, _mining_on_of(plan)),
            tables=settled.tables,
            nothing=plan.nothing,
            mining_on=plan.mining_on,
            provenance=_provenance(plan.case, answer, options)
            | {"ended": words or "some decisions were held"}
            | {name: plan.provenance[name] for name in YARDSTICKS if name in plan.provenance},
            run=clock.told,
            log=_text(options.log),
        )
        _refuse_unsound(kept, answer, options)
        clock.passes("settle_and_audit_s")
    return kept


def _yardsticks(nothing: Nothing | None, mining_on: MiningOn) -> dict[str, Any]:
    """What the papers say of the plans beside a plan: whether they are possible, and found out at all."""
    return {"do_nothing_possible": nothing is not None, "mining_on_found_out": mining_on.found_out}


def _mining_on_of(plan: Plan) -> MiningOn:
    """What the plan's own papers say of mining on."""
    breaks, short = plan.kpis.get("mining_on_breaks_quarter"), plan.kpis.get("mining_on_short_musd")
    settled = None
    if plan.mining_on is not None:
        settled = Settled(dict(plan.mining_on), float(plan.kpis["mining_on_value_musd"]))
    return MiningOn(settled, None if breaks is None else Quarter.parse(breaks), short)


class _Clock:
    """When a solve began, and how long its stages took, in seconds."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {"started_utc": datetime.now(UTC).isoformat(timespec="seconds")}
        self._last = time.monotonic()

    def passes(self, stage: str) -> None:
        now = time.monotonic()
        self.told[stage], self._last = round(now - self._last, 3), now


def _refuse_unsound(plan: Plan, answer: Answer, options: SolverOptions) -> None:
    report = audit(plan.case, plan)
    if not report.clean:
        fault = AuditFault(report.summary())
        fault.evidence = keep_evidence(answer.program, answer.vector, options.log)
        if fault.evidence is not None:
            (fault.evidence / "audit.json").write_text(report.to_json(), encoding="utf-8")
        raise fault


def _text(log: Path | None) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log is not None and log.exists() else ""


def _refuse_odd_options(
    gap: float, time_limit: float | None, memory_gb: float | None, seed: int, threads: int, second: str
) -> None:
    """Raises InputError with every option that cannot be meant."""
    wanted = (
        ("gap", gap, 0.0, 1.0), ("time_limit", time_limit, 0.0, 1e9), ("memory_gb", memory_gb, 0.5, 1e6),
        ("seed", seed, 0, 2_147_483_647), ("threads", threads, 1, 64),
    )  # fmt: skip
    findings = [
        Finding("options", f"must be a number from {least:g} to {most:g}", "choose one", column=name, value=str(value))
        for name, value, least, most in wanted
        if value is not None and not (isinstance(value, int | float) and least <= value <= most)
    ]
    if second not in ("cut-off", "scip"):
        findings.append(Finding("options", "is no second search", "cut-off or scip", column="second", value=second))
    if findings:
        raise InputError(findings)


def _provenance(case: Case, answer: Answer, options: SolverOptions) -> dict[str, Any]:
    return {
        "optimizer": optimizer_version(),
        "solver": solver_version(),
        "python": platform.python_version(),
        "packages": dict(_packages()),
        "options": {
            "gap": options.gap,
            "time_limit_s": options.time_limit,
            "seed": options.seed,
            "threads": options.threads,
        },
        "size": {
            **dict(zip(("rows", "columns", "nonzeros"), answer.program.size, strict=True)),
            "integers": int(answer.program.integers.sum()),
        },
        "nodes": answer.nodes,
        "ended": answer.ended,
        "inputs_sha256": input_hashes(case),
    }


@cache
def _packages() -> dict[str, str]:
    """The versions of what a plan rests on; they are read from disk, which costs a millisecond each."""
    return {name: version(name) for name in ("pyomo", "highspy", "pandas", "numpy")}


@cache
def optimizer_version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"
