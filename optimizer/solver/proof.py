"""The second proof: another search, on another road, finds that no plan is worth more."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from optimizer.ground.amounts import margin_words
from optimizer.ground.errors import NoPlan, NoSolver, SolverFault
from optimizer.ground.interrupts import workspace
from optimizer.solver import Answer, SolverOptions, run_scip, search
from optimizer.solver.process import Killed

Second = Literal["cut-off", "scip"]

BOARD_GAP = 1e-6
LEAST_MARGIN_MUSD = 1e-5
"""A second search cannot tell plans apart that differ by less than this; $10."""
TIGHT = 1e-9
"""Feasibility and integrality in the second search: a looser one may find a plan that is better only by its slack."""


SCIP_ENDS = ("optimal", "gaplimit")


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
    """Search again for a plan better than the answer's. Raises SolverFault if there is one, or if the searches differ.

    A second search that fails or comes to no end proves nothing, and spoils nothing.
    """
    margin = max(BOARD_GAP * abs(answer.value), LEAST_MARGIN_MUSD)
    if not len(answer.program.cost):
        return Proof(second, True, margin, 0.0, "nothing was to be decided")
    if broken := answer.program.breach(answer.vector):
        raise SolverFault(f"the plan breaks {broken}")
    seek = _cut_off if second == "cut-off" else _scip
    with workspace() as folder:
        return seek(answer, replace(options, log=None), margin, folder)


def _cut_off(answer: Answer, options: SolverOptions, margin: float, folder: Path) -> Proof:
    """`objective >= value + margin` has no solution, by rows and columns in another order and another seed.

    That the same program has one at `value - margin` shows that nothing else makes it infeasible.
    """
    options = replace(options, seed=options.seed + 1)
    seconds, found = 0.0, dict[str, Any]()
    for least in (answer.value - margin, answer.value + margin):
        program = answer.program.worth_at_least(least).shuffled(options.seed)
        only_one = replace(options, gap=1.0) if least < answer.value else options
        try:
            found = search(program, only_one, folder, tolerance=TIGHT)
        except (NoPlan, NoSolver, SolverFault) as error:
            return Proof("cut-off", None, margin, seconds, f"the second search came to no end: {error}")
        seconds += float(found["seconds"])
        if least < answer.value and not found["has_plan"]:
            return Proof("cut-off", None, margin, seconds, "the second search did not find the plan itself")
        for file in folder.iterdir():
            file.unlink()
    if found["status"] == "kInfeasible":
        words = f"a second search found that {no_better(margin, answer.value)}"
        return Proof("cut-off", True, margin, seconds, words)
    if found["has_plan"] and found.get("clean") and float(found["value"]) > answer.value + margin / 2:
        raise SolverFault(f"a second search found a plan worth {found['value']:.9g}, the first said {answer.value:.9g}")
    return Proof("cut-off", None, margin, seconds, "the second search came to no end")


def _scip(answer: Answer, options: SolverOptions, margin: float, folder: Path) -> Proof:
    """Another solver altogether says that nothing is worth more than `value + margin`, and no less."""
    try:
        found = run_scip(answer.program, options, folder)
    except NoSolver as error:
        return Proof("scip", None, margin, 0.0, f"the second search came to no end: {error}")
    if isinstance(found, Killed):
        return Proof("scip", None, margin, 0.0, f"the second search came to no end: {found.why}")
    value, bound, seconds = float(found["value"]), float(found["bound"]), float(found["seconds"])
    if value > answer.value + margin:
        raise SolverFault(f"SCIP found a plan worth {value:.9g}, HiGHS said {answer.value:.9g}")
    if bound < answer.value - margin:
        raise SolverFault(
            f"SCIP says that no plan is worth more than {bound:.9g}, HiGHS found one of {answer.value:.9g}"
        )
    if found["status"] not in SCIP_ENDS or bound > answer.value + margin:
        return Proof("scip", None, margin, seconds, f"SCIP came to no end ({found['status']})")
    words = f"SCIP {found['version']} says that {no_better(margin, answer.value)}"
    return Proof("scip", True, margin, seconds, words)


def no_better(margin_musd: float, value_musd: float) -> str:
    """`no plan is worth $1,602 (0.0001%) more than this one`: a margin, which nobody takes for the plan's value."""
    return f"no plan is worth {margin_words(margin_musd, value_musd)} more than this one"
