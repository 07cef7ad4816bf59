"""What can go wrong with a solve, each with its sentence and its exit code."""

from __future__ import annotations

from collections.abc import Sequence


class OptimizerError(Exception):
    """Base of everything this program raises on purpose, beside InputError."""

    exit_code = 1


class Infeasible(OptimizerError):
    """No plan keeps every rule. `rows` names rows that cannot hold together, where the solver could tell."""

    exit_code = 3

    def __init__(self, rows: Sequence[str]):
        self.rows = tuple(rows)
        rules = list(dict.fromkeys(row.split("[")[0] for row in self.rows))
        clash = f" These cannot all hold: {', '.join(rules)}." if rules else " Only whole blocks make the rules clash."
        super().__init__("No plan keeps every rule of this case." + clash)


class NoPlan(OptimizerError):
    """The search ended before it found a first plan."""

    def __init__(self, interrupted: bool, time_limit: float | None, bound: float):
        self.exit_code = 130 if interrupted else 4
        self.bound = bound
        why = "The search was interrupted" if interrupted else f"The time limit of {time_limit:g} s came"
        known = f" What is known: no plan is worth more than ${bound:,.1f}M." if abs(bound) < 1e15 else ""
        super().__init__(f"{why} before a first plan was found.{known} Nothing was written.")


class SolverFault(OptimizerError):
    """The solver's answer cannot be trusted, so none is given."""

    exit_code = 6

    def __init__(self, why: str):
        super().__init__(f"The solver's answer is refused: {why}.")


class PlanError(OptimizerError):
    """A plan folder cannot be read or written."""

    exit_code = 7
