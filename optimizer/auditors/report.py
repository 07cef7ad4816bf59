"""What an audit found: one check for each rule, with the rows checked, the worst breach and the least slack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from optimizer.auditors.contributions import Contribution
from optimizer.ground.quarters import Quarter, spans

if TYPE_CHECKING:
    import pandas as pd

Group = Literal["identity", "domain", "rules", "roll-forward", "cash", "value", "quality", "plausibility"]
MOST_TOLD = 5
"""Rows of a rule, or places where a limit binds, that the summary tells."""
INFINITE = Decimal("Infinity")


@dataclass(frozen=True)
class Breach:
    """One row that does not hold: where, and what stands against what."""

    where: str
    stated: Decimal
    allowed: Decimal
    by: Decimal


class Bound(NamedTuple):
    """A row of a limit that has no room left; `quarter` is None for one that speaks of no quarter."""

    where: str
    quarter: Quarter | None


@dataclass(frozen=True)
class Check:
    """One rule, recomputed. `worst` is the largest amount by which a row misses, `slack` the least room of a row.

    A rule of the case that speaks of no row of this plan has `rows` 0. `unit` is what `worst` is measured in.
    """

    group: Group
    name: str
    sentence: str
    unit: str
    rows: int
    worst: Decimal
    slack: Decimal | None
    tolerance: Decimal
    breaches: tuple[Breach, ...]
    binding: tuple[Bound, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.breaches

    @property
    def binds(self) -> dict[str, list[Quarter]]:
        """Where the limit binds, and in which quarters; none for what speaks of no quarter."""
        places: dict[str, list[Quarter]] = {}
        for where, quarter in self.binding:
            places.setdefault(where, []).extend(() if quarter is None else (quarter,))
        return places


@dataclass
class Tally:
    """Collects the rows of one rule; `check()` closes it.

    A limit's row may name its quarter apart from where it is, so that a report can tell when the limit binds.
    """

    group: Group
    name: str
    sentence: str
    unit: str
    tolerance: Decimal
    rows: int = 0
    worst: Decimal = Decimal(0)
    slack: Decimal | None = None
    breaches: list[Breach] = field(default_factory=list)
    binding: list[Bound] = field(default_factory=list)

    def at_most(self, where: str, stated: Decimal, allowed: Decimal, quarter: Quarter | None = None) -> None:
        """`stated <= allowed`."""
        if self._count(_when(where, quarter), stated, allowed, stated - allowed):
            self._leave(Bound(where, quarter), allowed - stated, allowed)

    def at_least(self, where: str, stated: Decimal, required: Decimal, quarter: Quarter | None = None) -> None:
        """`stated >= required`."""
        if self._count(_when(where, quarter), stated, required, required - stated):
            self._leave(Bound(where, quarter), stated - required, required)

    def _leave(self, row: Bound, room: Decimal, limit: Decimal) -> None:
        """A limit of nothing (no capacity, nothing negative) binds nobody."""
        self.slack = room if self.slack is None else min(self.slack, room)
        if limit and abs(room) <= self.tolerance:
            self.binding.append(row)

    def equal(self, where: str, stated: Decimal, recomputed: Decimal, tolerance: Decimal | None = None) -> None:
        """`stated == recomputed`; a row may bring a wider tolerance of its own."""
        self._count(where, stated, recomputed, abs(stated - recomputed), tolerance)

    def holds(self, where: str, truth: bool) -> None:
        """Something that is so or not; a breach counts as one."""
        self._count(where, Decimal(int(truth)), Decimal(1), Decimal(int(not truth)))

    def same(self, where: str, stated: object, recomputed: object) -> None:
        """Two things that are not numbers; a breach counts as one and says both."""
        said = where if stated == recomputed else f"{where}: {stated} is stated, {recomputed} is due"
        self.holds(said, stated == recomputed)

    def _count(
        self, where: str, stated: Decimal, allowed: Decimal, by: Decimal, tolerance: Decimal | None = None
    ) -> bool:
        """Count a row; False for one that holds something that is no number, which is a breach."""
        self.rows += 1
        if not by.is_finite():
            self.worst = INFINITE
            self.breaches.append(Breach(where, stated, allowed, INFINITE))
            return False
        self.worst = max(self.worst, by)
        if by > (self.tolerance if tolerance is None else tolerance):
            self.breaches.append(Breach(where, stated, allowed, by))
        return True

    def check(self) -> Check:
        return Check(
            self.group, self.name, self.sentence, self.unit, self.rows, self.worst, self.slack, self.tolerance,
            tuple(self.breaches), tuple(self.binding),
        )  # fmt: skip


def _when(where: str, quarter: Quarter | None) -> str:
    return where if quarter is None else f"{where} in {quarter}"


@dataclass(frozen=True)
class Report:
    """All checks of a plan; `nothing` and `mining_on` are the same checks of the plans beside it, where there are any.

    `contributions` are what the plan's value comes from most, largest first; none where the tables cannot be computed
    again.
    """

    checks: tuple[Check, ...]
    nothing: tuple[Check, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    mining_on: tuple[Check, ...] = ()

    @property
    def clean(self) -> bool:
        return all(check.clean for _, check in self._all())

    @property
    def rows(self) -> int:
        """Rows checked, all rules together."""
        return sum(check.rows for _, check in self._all())

    @property
    def every(self) -> tuple[Check, ...]:
        """The checks of the plan and of the plans beside it."""
        return tuple(check for _, check in self._all())

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each check, numbers as floats."""
        import pandas as pd

        return pd.DataFrame([_record(plan, check) for plan, check in self._all()]).drop(columns=["told", "binds"])

    def _all(self) -> Iterator[tuple[str, Check]]:
        yield from (("plan", check) for check in self.checks)
        yield from (("doing nothing", check) for check in self.nothing)
        yield from (("mining on", check) for check in self.mining_on)

    def summary(self) -> str:
        """What was checked and what does not hold, in words, the worst rows of each rule first."""
        rules = len({check.name for _, check in self._all()})
        told = f"{rules} rules, {self.rows:,} rows computed again"
        if self.clean:
            return "\n".join([f"Audit clean: {told}, none misses.", *self._contributions(), *self._limits()])
        broken = [(plan, check) for plan, check in self._all() if not check.clean]
        lines = [f"Audit NOT clean: {len(broken)} of {len([*self._all()])} checks fail ({told})."]
        for plan, check in broken:
            lines += _told(plan, check)
        return "\n".join(lines)

    def _contributions(self) -> Iterator[str]:
        """What the value comes from: the largest present values, received or paid."""
        if self.contributions:
            yield "What its value comes from most (present value; share of all that is received or paid):"
        for contribution in self.contributions:
            yield f"  {contribution.told:>12} {contribution.share:>6.1%}  {contribution.words}"

    def _limits(self) -> Iterator[str]:
        """The limits that bind in some row, where and when: what the plan leans on."""
        rules = [check for check in self.checks if check.group == "rules" and check.binding]
        if rules:
            yield "Limits without room, where and when:"
        for check in rules:
            places = [f"{where} ({spans(quarters)})" if quarters else where for where, quarters in check.binds.items()]
            more = [f"{len(places) - MOST_TOLD} more"] if len(places) > MOST_TOLD else []
            yield f"  {check.name.replace('_', ' ')}: {'; '.join([*places[:MOST_TOLD], *more])}"

    def to_json(self) -> str:
        """Every check, with its worst rows and the limits that bind, and what the value comes from most."""
        whole = {
            "clean": self.clean,
            "rows": self.rows,
            "contributions": [contribution.record() for contribution in self.contributions],
            "checks": [_record(plan, check) for plan, check in self._all()],
        }
        return json.dumps(whole, indent=2) + "\n"


def _told(plan: str, check: Check) -> list[str]:
    whose = "" if plan == "plan" else f"{plan}: "
    more = f", {len(check.breaches) - MOST_TOLD} more" if len(check.breaches) > MOST_TOLD else ""
    lines = [f"  {whose}{check.name}: {check.sentence} {len(check.breaches)} of {check.rows} rows miss{more}."]
    worst = sorted(check.breaches, key=lambda breach: breach.by if breach.by.is_finite() else INFINITE, reverse=True)
    for breach in worst[:MOST_TOLD]:
        stated, allowed, by = (plainly(number) for number in (breach.stated, breach.allowed, breach.by))
        lines.append(f"    {breach.where}: {stated} stands against {allowed}, off by {by} {check.unit}")
    return lines


def plainly(number: Decimal) -> str:
    """A number as people read it: twelve digits, no exponent unless it is tiny."""
    return f"{float(number):,.12g}" if number.is_finite() else "not a number"


def _record(plan: str, check: Check) -> dict[str, Any]:
    return {
        "plan": plan,
        "group": check.group,
        "rule": check.name,
        "sentence": check.sentence,
        "clean": check.clean,
        "rows": check.rows,
        "unit": check.unit,
        "worst": plainly_or_none(check.worst),
        "slack": None if check.slack is None else plainly_or_none(check.slack),
        "tolerance": float(check.tolerance),
        "breaches": len(check.breaches),
        "binding": len(check.binding),
        "binds": [
            {"where": where, "quarters": [str(quarter) for quarter in quarters]}
            for where, quarters in check.binds.items()
        ],
        "told": [
            {"where": b.where, "stated": plainly(b.stated), "allowed": plainly(b.allowed), "by": plainly(b.by)}
            for b in check.breaches[:MOST_TOLD]
        ],
    }


def plainly_or_none(number: Decimal) -> float | None:
    return float(number) if number.is_finite() else None
