"""Solving a case: build, solve, settle, and set beside it the plan that decides nothing."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.case import Case
from optimizer.case_files import input_hashes
from optimizer.errors import Infeasible, SolverFault
from optimizer.findings import Finding, InputError
from optimizer.kpis import kpis
from optimizer.model import build_model
from optimizer.plan import Plan
from optimizer.settlement import Settled, settle
from optimizer.solver import Answer, Progress, SolverOptions, solve_model, solver_version

DISTRIBUTION = "mw-allocation-optimizer"
VALUE_TIE = 1e-9
"""How far the value summed from the plan's flows may lie from the solver's, as a share of all flows; at least $1."""


def solve(
    case: Case,
    scenario: str | None = None,
    *,
    gap: float = 1e-4,
    time_limit: float | None = None,
    seed: int = 0,
    threads: int = 1,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Find the plan of most value in one scenario (the case's first, unless named), proven to within `gap`.

    `time_limit` is in seconds. Same case, scenario, seed and threads: same plan. Raises InputError for an unknown
    scenario, Infeasible, NoPlan when a limit or Ctrl-C comes before the first plan, and SolverFault when the answer
    cannot be trusted; a limit or Ctrl-C after the first plan gives that plan, marked.
    """
    began = time.monotonic()
    started = datetime.now(UTC)
    scenario = _scenario(case, scenario)
    model = build_model(case, scenario)
    built = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "solver.log"
        options = SolverOptions(gap=gap, time_limit=time_limit, seed=seed, threads=threads, log=log)
        answer = solve_model(model, options, progress)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    solved = time.monotonic()
    settled = _settle(model, answer)
    nothing = _do_nothing(case, scenario, SolverOptions(seed=seed, threads=threads))
    return Plan(
        case=case,
        scenario=scenario,
        status=answer.status,
        value_musd=settled.value_musd,
        objective_musd=answer.value,
        bound_musd=max(answer.bound, settled.value_musd),
        kpis=kpis(case, settled, nothing),
        tables=settled.tables,
        nothing=None if nothing is None else nothing.tables,
        provenance=_provenance(case, answer, options),
        run={
            "started_utc": started.isoformat(timespec="seconds"),
            "build_s": round(built - began, 3),
            "solve_s": round(solved - built, 3),
            "highs_s": round(answer.highs_seconds, 3),
            "whole_s": round(time.monotonic() - began, 3),
        },
        log=text,
    )


def _scenario(case: Case, name: str | None) -> str:
    names = [row.scenario for row in case.scenarios]
    if name is None:
        return names[0]
    if name not in names:
        why = "is no scenario of this case"
        raise InputError([Finding("scenarios.csv", why, f"choose one of {', '.join(names)}", value=name)])
    return name


def _settle(model: Any, answer: Answer) -> Settled:
    settled = settle(model, answer)
    flows = pd.concat([settled.tables["cash_flow"], settled.tables["after_horizon"]])
    tolerance = max(1e-6, VALUE_TIE * float(flows["musd"].abs().sum()))
    if abs(settled.value_musd - answer.value) > tolerance:
        raise SolverFault(
            f"the plan's flows are worth {settled.value_musd:.9g}, the solver's objective says {answer.value:.9g}"
        )
    return settled


def _do_nothing(case: Case, scenario: str, options: SolverOptions) -> Settled | None:
    """The plan without new decisions; None where its commitments and policies cannot be kept that way."""
    model = build_model(case, scenario, decide=False)
    try:
        return _settle(model, solve_model(model, options))
    except Infeasible:
        return None


def _provenance(case: Case, answer: Answer, options: SolverOptions) -> dict[str, Any]:
    return {
        "optimizer": optimizer_version(),
        "solver": solver_version(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("pyomo", "highspy", "pandas", "numpy")},
        "options": {
            "gap": options.gap,
            "time_limit_s": options.time_limit,
            "seed": options.seed,
            "threads": options.threads,
        },
        "size": {
            "rows": answer.rows,
            "columns": answer.columns,
            "nonzeros": answer.nonzeros,
            "integers": answer.integers,
        },
        "nodes": answer.nodes,
        "inputs_sha256": input_hashes(case),
    }


def optimizer_version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"
