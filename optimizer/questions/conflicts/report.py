"""What is told of a conflict: the rules that clash, and the ways out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter, spans
from optimizer.questions.conflicts.levers import musd, number
from optimizer.questions.conflicts.rule import Kind


@dataclass(frozen=True)
class Member:
    """A rule of the set that cannot hold together, and the quarters of it that do the harm, where it has any."""

    rule: str
    of: str
    words: str
    kind: Kind
    quarters: tuple[Quarter, ...] = ()


@dataclass(frozen=True)
class Change:
    """By how much one rule gives way: the least amount that is enough, and the round one that was solved again."""

    rule: str
    of: str
    lever: str
    unit: str
    least: float
    amount: float
    words: str


@dataclass(frozen=True)
class WayOut:
    """Changes that together make the case possible, the changed case, and the best plan found for it."""

    changes: tuple[Change, ...]
    case: Case = field(repr=False)
    value_musd: float
    bound_musd: float

    @property
    def words(self) -> str:
        return ", and ".join(change.words for change in self.changes)

    def record(self) -> dict[str, Any]:
        """The same as plain values; the changed case itself is left out. A bound that is not known is None."""
        return {
            "words": self.words,
            "changes": [asdict(change) for change in self.changes],
            "value_musd": self.value_musd,
            "bound_musd": self.bound_musd if isfinite(self.bound_musd) else None,
        }


@dataclass(frozen=True)
class Conflict:
    """Why no plan keeps every rule of a case, and what could be done about it, best plan first.

    Members hold together once any one of them is dropped, if `irreducible`; `solves` is how many trials that took.
    """

    name: str
    scenario: str
    members: tuple[Member, ...]
    irreducible: bool
    ways: tuple[WayOut, ...]
    untried: tuple[str, ...] = ()
    solves: int = 0

    def report(self) -> str:
        """The conflict in plain words."""
        parts = [f"No plan keeps every rule of {self.name} (scenario {self.scenario})."]
        parts += [_what_clashes(self)]
        if self.ways:
            parts.append("Ways out, the one with the best plan first. Each was solved again and holds:")
            parts += [f"  {i}. {_way(way)}" for i, way in enumerate(self.ways, 1)]
            parts.append(ROUNDED)
        elif not self.untried:
            parts.append(
                "No way out was found: no change of budgets, policies, dates and commitments makes it possible."
            )
        if self.untried:
            parts.append("Not tried for want of time: " + "; ".join(self.untried) + ".")
        return "\n".join(parts)

    def record(self) -> dict[str, Any]:
        """The same as plain values: the rules that clash with their tags, and the ways out, best plan first."""
        return {
            "case": self.name,
            "scenario": self.scenario,
            "feasible": False,
            "rules": [
                asdict(member) | {"quarters": [str(quarter) for quarter in member.quarters]} for member in self.members
            ],
            "irreducible": self.irreducible,
            "ways_out": [way.record() for way in self.ways],
            "untried": list(self.untried),
            "solves": self.solves,
        }

    def to_json(self) -> str:
        return json.dumps(self.record(), indent=2, allow_nan=False) + "\n"

    def __str__(self) -> str:
        return self.report()


ROUNDED = (
    "Amounts are rounded up, to $0.1M, 0.01 MW, 0.1% of a share, 0.01 of a cover; the least that is enough stands in "
    "brackets."
)


def _what_clashes(conflict: Conflict) -> str:
    if not conflict.members:
        return (
            "No rule of the book is the cause: with every budget, policy, commitment and limit dropped it is still so."
        )
    lines = [f"  - {member.words}{_when(member.quarters)} [{member.kind}]" for member in conflict.members]
    if len(lines) == 1:
        why = OF_MONEY if conflict.members[0].rule in MONEY_RULES else OF_GROUND
        return "\n".join(["This cannot be kept, whatever other rule is given up:", *lines, why])
    proof = (
        "Without any one of them the others can be kept."
        if conflict.irreducible
        else "Whether all of them are needed for the clash was not settled in the time."
    )
    return "\n".join(["These cannot all hold:", *lines, proof])


MONEY_RULES = (
    "cash_never_negative", "minimum_liquidity", "minimum_cash_of_a_facility", "debt_service_cover", "loan_to_cost",
    "owed_at_the_end", "btc_sold_at_most",
)  # fmt: skip
OF_MONEY = "What the company has, earns and owes does not allow it."
OF_GROUND = "Sites, machines, blocks and lead times do not allow it."


def _when(quarters: Sequence[Quarter]) -> str:
    return f" (clashes in {spans(quarters)})" if quarters else ""


def _way(way: WayOut) -> str:
    words = way.words[:1].upper() + way.words[1:]
    least = [_amount(change) for change in way.changes if change.amount - change.least > 5e-7]
    worth = f"the value of the best plan is then {_worth(way)}"
    return f"{words} [{', '.join(least)}]; {worth}" if least else f"{words}; {worth}"


def _amount(change: Change) -> str:
    return musd(change.least) if change.unit == "$M" else f"{number(change.least)} {change.unit}".strip()


def _worth(way: WayOut) -> str:
    sign = "-" if way.value_musd < 0 else ""
    worth = f"{sign}${abs(way.value_musd):,.1f}M"
    gap = way.bound_musd - way.value_musd
    return worth if gap <= 0.005 * max(1.0, abs(way.value_musd)) else f"{worth} (or up to ${gap:,.1f}M more)"
