"""Prerequisites: an offer that is only open once another one is being delivered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from optimizer.case.schema.base import Row
from optimizer.case.terms.deal import Term, leave
from optimizer.ground.cells import Name
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


class Prerequisite(Row):
    table = "prerequisites"
    key = ("offer", "requires")
    required = False
    about = "An offer that can be delivered no sooner than another one."
    offer: Annotated[Name, Field(description="an offer")]
    requires: Annotated[Name, Field(description="the offer that must have been delivered first, or with it")]


def check(case: Case) -> Iterator[Finding]:
    needs: dict[str, set[str]] = {}
    for row in case.rows("prerequisites"):
        needs.setdefault(row.offer, set()).add(row.requires)
    delivered = {row.offer: row.quarter for row in case.committed_contracts}
    for row in case.rows("prerequisites"):
        if row.offer in delivered and delivered.get(row.requires, delivered[row.offer] + 1) > delivered[row.offer]:
            why = f"is not committed by {delivered[row.offer]}, when {row.offer!r} is delivered"
            yield row.finding(why, "commit it too, or take the row away", "requires")
    for row in case.rows("prerequisites"):
        if row.offer in _all_needs(needs, row.requires):
            yield row.finding(f"needs {row.offer!r} in turn: neither could come first", "break the circle", "requires")


def _all_needs(needs: dict[str, set[str]], offer: str) -> set[str]:
    reached, waiting = set(), [offer]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += needs.get(name, ())
    return reached


TERM = Term((Prerequisite,), leave, check)
