"""What can go wrong with a solve, each with its sentence and its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class OptimizerError(Exception):
    """Base of everything this program raises on purpose, beside InputError."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """From one process to another as it is: none of these could be made again out of its sentence."""
        return _as_it_was, (type(self), self.args, vars(self))


def _as_it_was(kind: type[OptimizerError], args: tuple[Any, ...], known: dict[str, Any]) -> OptimizerError:
    error = kind.__new__(kind, *args)
    vars(error).update(known)
    return error


@dataclass(frozen=True)
class Clash:
    """One row of a set that cannot hold together: its rule, its name and the rule's sentence."""

    rule: str
    row: str
    sentence: str


class Infeasible(OptimizerError):
    """No plan keeps every rule. `clashes` are rows that cannot hold together, where the solver could tell."""

    exit_code = 3

    def __init__(self, clashes: Sequence[Clash]):
        self.clashes = tuple(clashes)
        by_rule: dict[str, list[Clash]] = {}
        for clash in self.clashes:
            by_rule.setdefault(clash.rule, []).append(clash)
        if not by_rule:
            super().__init__("No plan keeps every rule of this case: they clash once blocks and contracts are whole.")
            return
        lines = [f"  {rows[0].sentence} ({_listed(rows)})" for rows in by_rule.values()]
        super().__init__("No plan keeps every rule of this case. These cannot all hold:\n" + "\n".join(lines))


def _listed(rows: Sequence[Clash]) -> str:
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return rows[0].row + more


class NoPlan(OptimizerError):
    """The search ended before it found a first plan; `why` begins the sentence that says so.

    It was `interrupted`, or a limit came: of time, unless `out_of_time` is false.
    """

    def __init__(self, why: str, bound: float, *, interrupted: bool = False, out_of_time: bool = True):
        self.exit_code = 130 if interrupted else 4
        self.interrupted, self.out_of_time = interrupted, out_of_time and not interrupted
        self.bound = bound
        known = f" What is known: no plan is worth more than ${bound:,.1f}M." if abs(bound) < 1e15 else ""
        super().__init__(f"{why} before a first plan was found.{known} Nothing was written.")


class SolverFault(OptimizerError):
    """The solver's answer cannot be trusted, so none is given; `evidence` is the folder with its model and vectors."""

    exit_code = 6

    def __init__(self, why: str):
        self.evidence: Path | None = None
        super().__init__(f"The solver's answer is refused: {why}.")


class NoSolver(OptimizerError):
    """A solver is not installed, is known to give wrong answers, or does not start; nothing was asked of it."""

    exit_code = 6

    def __str__(self) -> str:
        return f"The solver cannot be used: {self.args[0]}."


class AuditFault(OptimizerError):
    """The plan does not pass its audit, so it is not handed out; `evidence` is the folder with model and audit."""

    exit_code = 6

    def __init__(self, summary: str):
        self.evidence: Path | None = None
        super().__init__(f"The plan is refused: its audit finds what cannot be.\n{summary}")


class PlanError(OptimizerError):
    """A plan folder cannot be read or written."""

    exit_code = 7


class WorkerLost(OptimizerError):
    """A process of several that solve at a time ended before it had answered."""

    exit_code = 6


class HouseFault(OptimizerError):
    """Something was added to the program, and a place that must know of it was forgotten; the sentence names it."""

    exit_code = 6
