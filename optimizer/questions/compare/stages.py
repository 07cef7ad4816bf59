"""Stages: what a case is worth with its best decisions, and with given ones. No audit, no plan that decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

from optimizer.business.model import build_model
from optimizer.ground.errors import Infeasible, NoPlan
from optimizer.ground.interrupts import give_up, stoppable
from optimizer.plan.settlement import settle
from optimizer.questions.sweeps.family import compile_case
from optimizer.questions.sweeps.holding import Taken, hold, read_taken
from optimizer.questions.sweeps.outcomes import WORDS, Outcome, outcome_of
from optimizer.solver import Answer, SolverOptions, solve_program
from optimizer.solver.models import solve_model

if TYPE_CHECKING:
    from optimizer.case.case import Case

CLASHES = 2
"""Rules told at most of those that cannot hold together."""


@dataclass(frozen=True)
class Worth:
    """What a case is worth: the best plan found, the bound on any, and what that plan decides.

    `whole` is whether the search came to its end, so that another run may take the answer over.
    """

    value_musd: float
    bound_musd: float
    taken: Taken = field(repr=False)
    whole: bool = field(default=True, compare=False)


def worth(case: Case, scenario: str, options: SolverOptions | None = None) -> Worth:
    """Solve a case in one scenario. Raises Infeasible, NoPlan and SolverFault."""
    with stoppable():
        model = build_model(case, scenario)
        answer = _solved(model, options)
    tables = settle(model, answer).tables
    whole = answer.status == "optimal"
    return Worth(answer.value, answer.bound, read_taken(case, scenario, tables), whole)


def _solved(model: Any, options: SolverOptions | None) -> Answer:
    """The best plan of a model; an interrupt ends the work. Raises Infeasible, NoPlan and SolverFault."""
    answer = solve_model(model, options or SolverOptions())
    if answer.status == "interrupted":
        give_up()
    return answer


def worth_or_why(case: Case, scenario: str, options: SolverOptions | None = None) -> Worth | str:
    """The same, and in words why there is none where no plan keeps every rule or none is found in time."""
    try:
        return worth(case, scenario, options)
    except Infeasible as error:
        sentences = list(dict.fromkeys(clash.sentence.rstrip(".") for clash in error.clashes))[:CLASHES]
        return "no plan keeps every rule" + (f" ({'; '.join(sentences)})" if sentences else "")
    except NoPlan as error:
        return _too_early(outcome_of(error))


def kept(case: Case, scenario: str, taken: Taken, options: SolverOptions | None = None) -> float | str:
    """What given decisions are worth in a case, $M, all else decided anew; NaN where the case does not allow them.

    In words where the search ended before it had found that out.
    """
    with stoppable():
        try:
            held = hold(taken, compile_case(case, scenario), case, scenario)
            if isinstance(held, str):
                return nan
            answer = solve_program(held.program, options or SolverOptions())
        except Infeasible:
            return nan
        except NoPlan as error:
            return _too_early(outcome_of(error))
        if answer.status == "interrupted":
            give_up()
    return answer.value if answer.status == "optimal" else _too_early("limit")


def _too_early(outcome: Outcome) -> str:
    return f"{WORDS[outcome]}: the search ended before it found a plan"


class InTurn(Executor):
    """Runs each task when it is submitted, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
