"""What two plans stand on: what would make their comparison false is refused or said first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.case.folder import input_hashes
from optimizer.ground.amounts import margin_musd
from optimizer.ground.errors import PlanError

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan


def refuse_other_money(a: Plan, b: Plan) -> None:
    """Raise PlanError where the two plans count in different money."""
    for name in ("currency", "money_basis"):
        was, now = getattr(a.case.settings, name), getattr(b.case.settings, name)
        if was != now:
            raise PlanError(f"{name.replace('_', ' ')} of the plans is {was} and {now}: they cannot be compared.")


def grounds(a: Plan, b: Plan) -> list[str]:
    """Sentences on what differs between the two plans as a whole; none where they stand on the same ground."""
    return [*_doubts(a, "first"), *_doubts(b, "second"), *_frames(a, b)]


def _doubts(plan: Plan, which: str) -> Iterator[str]:
    if plan.edited:
        more = f" and {len(plan.edited) - 1} more" if len(plan.edited) > 1 else ""
        yield f"The {which} plan was edited since it was solved: {plan.edited[0]}{more}. Its figures are not its own."
    elif stale := sorted(_stale(plan)):
        yield f"The {which} plan is stale: {', '.join(stale)} is not what it was solved from."
    if plan.status != "optimal":
        yield f"The {which} plan is {plan.word}: another may be worth up to {margin_musd(plan.gap_musd)} more than it."


def _stale(plan: Plan) -> set[str]:
    then, now = plan.provenance.get("inputs_sha256", {}), input_hashes(plan.case)
    return {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)}


def _frames(a: Plan, b: Plan) -> Iterator[str]:
    if a.scenario != b.scenario:
        yield f"Scenario: {a.scenario} in the first, {b.scenario} in the second."
    if (a.case.first, a.case.last) != (b.case.first, b.case.last):
        yield (
            f"Horizon: {a.case.first} to {a.case.last} in the first, {b.case.first} to {b.case.last} in the second; "
            "values are brought to one date, the later start."
        )
    was, now = a.case.settings.discount_rates, b.case.settings.discount_rates
    rates = [
        f"{line} {_percent(was.get(line))} -> {_percent(now.get(line))}"
        for line in dict.fromkeys([*was, *now])
        if was.get(line) != now.get(line)
    ]
    if rates:
        yield f"Discount rates: {', '.join(rates)}."
    versions = [plan.provenance.get("optimizer") for plan in (a, b)]
    if versions[0] != versions[1]:
        yield f"Solved by version {versions[0]} and {versions[1]} of this program."


def _percent(rate: float | None) -> str:
    return "none" if rate is None else f"{100 * rate:g}%"
