"""The rulebook: the rules of one case that can conflict, in its own names, megawatts, dollars and quarters.

A rule is here what somebody could point at: a budget, a policy, a clause, a commitment, a site's grid limit. Most are
rows of the model; commitments and the end of mining are data. What equipment and arithmetic make so (machines at hand,
blocks that fit, lead times) stands behind all of them and is never dropped. A chapter is a function from a case to
rules; `chapters/` has a module for each subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from optimizer.case.case import Case
from optimizer.questions.conflicts.chapters.board import budgets, construction_at_once, customers, use_limits, wind_down
from optimizer.questions.conflicts.chapters.commitments import commitments, offers, starts
from optimizer.questions.conflicts.chapters.ground import ground
from optimizer.questions.conflicts.chapters.money import bitcoin, liquidity, loans, the_end
from optimizer.questions.conflicts.rule import Rule

CHAPTERS: tuple[Callable[[Case], Iterator[Rule]], ...] = (
    budgets, construction_at_once, customers, use_limits, wind_down, liquidity, bitcoin, the_end, loans, offers,
    commitments, starts, ground,
)  # fmt: skip
"""What is policy first, then money and clauses, commitments, and the ground: the order in which rules are blamed."""


def rulebook(case: Case) -> tuple[Rule, ...]:
    """Every rule of the case that can conflict, chapter by chapter."""
    return tuple(rule for chapter in CHAPTERS for rule in chapter(case))
