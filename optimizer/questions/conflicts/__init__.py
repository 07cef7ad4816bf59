"""Conflicts: why no plan keeps every rule of a case, in dollars and dates, and the cheapest ways out.

Everything said is tried: a set of rules clashes because the solver finds no plan with it, each member belongs to it
because without it there is one, and each way out was solved again as a changed case.
"""

from __future__ import annotations

from optimizer.questions.conflicts.report import Change, Conflict, Member, WayOut
from optimizer.questions.conflicts.search import explain
from optimizer.questions.conflicts.trials import Trials, refuse_a_false_claim

__all__ = ["Change", "Conflict", "Member", "Trials", "WayOut", "explain", "refuse_a_false_claim"]
