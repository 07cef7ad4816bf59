"""How a solve ends: with a plan, with the proof that there is none, or with neither.

That no plan keeps every rule is an answer, and lasts. That a search ran out of time, or that its answer cannot be
trusted, says nothing about the case: it is told as what it is and asked again another time. An interrupt is no outcome.
"""

from __future__ import annotations

from typing import Literal

from optimizer.ground.errors import AuditFault, Infeasible, NoPlan, SolverFault
from optimizer.ground.interrupts import give_up

Outcome = Literal["optimal", "infeasible", "limit", "fault"]

WORDS: dict[Outcome, str] = {
    "optimal": "solved",
    "infeasible": "no plan",
    "limit": "out of time",
    "fault": "not solved",
}
UNSOLVED: tuple[Outcome, ...] = ("limit", "fault")
FAILURES = (Infeasible, NoPlan, SolverFault, AuditFault)
"""What a solve may raise where it has no plan to give."""


def outcome_of(error: Exception) -> Outcome:
    """What an error of `FAILURES` comes to. An interrupt comes to nothing: it ends the work here and now."""
    if isinstance(error, Infeasible):
        return "infeasible"
    if isinstance(error, NoPlan) and error.interrupted:
        give_up()
    return "limit" if isinstance(error, NoPlan) and error.out_of_time else "fault"


def lasts(outcome: Outcome) -> bool:
    """Whether an outcome is an answer that another run may take over."""
    return outcome in ("optimal", "infeasible")


def unsolved_word(words: str) -> str:
    """`out of time` or `not solved`, where a cell of a table begins so; nothing where it tells anything else."""
    return next((WORDS[outcome] for outcome in UNSOLVED if words.startswith(WORDS[outcome])), "")
