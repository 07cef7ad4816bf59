"""The second proof: another search, on another road, finds that no plan is worth more."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from optimizer.errors import NoPlan, SolverFault
from optimizer.solver import Answer, SolverOptions, search

Second = Literal["cut-off", "scip"]

BOARD_GAP = 1e-6
LEAST_MARGIN_MUSD = 1e-5
"""A second search cannot tell plans apart that differ by less than this; $10."""
TIGHT = 1e-9
"""Feasibility and integrality in the second search: a looser one may find a plan that is better only by its slack."""


@dataclass(frozen=True)
class Proof:
    """How the second search ended. `holds` is None where it came to no end.

    `margin_musd` is how much better a plan would have to be for the search to find it.
    """

    method: Second
    holds: bool | None
    margin_musd: float
    seconds: float
    words: str

    def record(self) -> dict[str, Any]:
        """Everything but the time it took, which differs from run to run."""
        told = asdict(self)
        del told["seconds"]
        return told


def prove(answer: Answer, options: SolverOptions, second: Second = "cut-off") -> Proof:
    """Search again for a plan better than the answer's. Raises SolverFault if there is one."""
    margin = max(BOARD_GAP * abs(answer.value), LEAST_MARGIN_MUSD)
    if not len(answer.program.cost):
        return Proof(second, True, margin, 0.0, "nothing was to be decided")
    with tempfile.TemporaryDirectory(prefix="optimizer-proof-") as folder:
        seek = _cut_off if second == "cut-off" else _scip
        return seek(answer, replace(options, log=None), margin, Path(folder))


def _cut_off(answer: Answer, options: SolverOptions, margin: float, folder: Path) -> Proof:
    """`objective >= value + margin` has no solution, by rows and columns in another order and another seed."""
    program = answer.program.worth_at_least(answer.value + margin).shuffled(options.seed + 1)
    try:
        found = search(program, replace(options, seed=options.seed + 1), folder, tolerance=TIGHT)
    except NoPlan:
        found = {"status": "kTimeLimit", "has_plan": False, "seconds": options.time_limit or 0.0}
    seconds = float(found["seconds"])
    if found["status"] == "kInfeasible":
        words = f"a second search, for a plan worth ${margin:.3g}M more, found that there is none"
        return Proof("cut-off", True, margin, seconds, words)
    if found["has_plan"] and found.get("clean") and float(found["value"]) > answer.value + margin / 2:
        raise SolverFault(f"a second search found a plan worth {found['value']:.9g}, the first said {answer.value:.9g}")
    return Proof("cut-off", None, margin, seconds, "the second search came to no end")


def _scip(answer: Answer, options: SolverOptions, margin: float, folder: Path) -> Proof:
    """Another solver altogether says that nothing is worth more than `value + margin`."""
    from optimizer.solver import run_scip

    found = run_scip(answer.program, options, folder)
    bound = float(found["bound"])
    if float(found["value"]) > answer.value + margin:
        raise SolverFault(f"SCIP found a plan worth {found['value']:.9g}, HiGHS said {answer.value:.9g}")
    holds = True if bound <= answer.value + margin else None
    words = f"SCIP {found['version']} says that no plan is worth more than ${bound:.9g}M"
    return Proof("scip", holds, margin, float(found["seconds"]), words)
