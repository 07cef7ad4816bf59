"""SCIP as the second opinion, in a process of its own like HiGHS; the only module that names it."""

from __future__ import annotations

import time
from math import inf, isfinite
from pathlib import Path
from typing import Any

import pyscipopt

from optimizer.solver.canaries import NONE, failure
from optimizer.solver.entry import Event, Live
from optimizer.solver.program import Program


def search(program: Program, options: dict[str, Any]) -> dict[str, Any]:
    """Maximise; the best value found (minus infinity if none) and the least bound."""
    model = pyscipopt.Model()
    model.hideOutput()
    model.setParams(
        {"limits/gap": options["gap"], "numerics/feastol": 1e-9, "randomization/randomseedshift": options["seed"]}
    )
    if options["time_limit"] is not None:
        model.setParam("limits/time", options["time_limit"])
    if not options.get("presolve", True):
        model.setParam("presolving/maxrounds", 0)
    columns = _build(model, program)
    began = time.monotonic()
    model.optimize()
    found = model.getNSols() > 0
    return {
        "status": model.getStatus(),
        "value": model.getObjVal() if found else float("-inf"),
        "bound": model.getDualbound(),
        "vector": [model.getVal(x) for x in columns] if found else [],
        "seconds": time.monotonic() - began,
        "version": f"{model.version()}",
    }


def _build(model: Any, program: Program) -> list[Any]:
    kinds = ["I" if whole else "C" for whole in program.integers]
    ranges = zip(program.lower.tolist(), program.upper.tolist(), kinds, strict=True)
    columns = [model.addVar(lb=_bound(low), ub=_bound(high), vtype=kind) for low, high, kind in ranges]
    rows: list[list[tuple[float, Any]]] = [[] for _ in program.row_lower]
    for j, x in enumerate(columns):
        for k in range(program.starts[j], program.starts[j + 1]):
            rows[program.indices[k]].append((float(program.entries[k]), x))
    for terms, low, high in zip(rows, program.row_lower.tolist(), program.row_upper.tolist(), strict=True):
        whole = pyscipopt.quicksum(c * x for c, x in terms)
        if low == high:
            model.addCons(whole == low)
            continue
        if low > -inf:
            model.addCons(whole >= low)
        if high < inf:
            model.addCons(whole <= high)
    worth = pyscipopt.quicksum(float(c) * x for c, x in zip(program.cost, columns, strict=True) if c)
    model.setObjective(worth + float(program.offset[0]), "maximize")
    return columns


def _bound(value: float) -> float | None:
    return value if isfinite(value) else None


def version() -> str:
    return str(pyscipopt.Model().version())


def unfit(live: Live) -> str | None:
    """Why the installed SCIP must not be used; None if it may."""
    return failure("SCIP", version(), Path(pyscipopt.scip.__file__), best_value, live)


def best_value(program: Program, presolve: bool) -> float | str:
    """What the best plan of a program is worth, or NONE, or the status that says why neither is known."""
    found = search(program, {"gap": 0.0, "seed": 0, "time_limit": None, "presolve": presolve})
    if found["status"] == "infeasible":
        return NONE
    return float(found["value"]) if found["status"] == "optimal" else str(found["status"])


def carry_out(job: Event, *_: Any) -> Event:
    return search(Program.load(Path(job["folder"]) / "program.npz"), job["options"])
