"""Levers: how a rule of a case can give way, as a change of the inputs.

Each is an amount in its own unit, from nothing to a finite most, and a case for each amount.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from optimizer.case.case import Case
from optimizer.case.schema import Row
from optimizer.ground.findings import InputError
from optimizer.ground.quarters import Quarter

Measure = Literal["rows", "factor", "release", "money", "steps"]
"""How the least amount is found: as a row's right-hand side, as a factor in rows, as a share of a contract, as cash at
the start, or by trying one step after another."""

NOISE = 1e-7
"""An amount that exceeds a round figure by less is that figure."""
FURTHEST = 8
"""Quarters by which a date is moved at most."""
MUSD, MW, SHARE, COVER = 0.1, 0.01, 0.001, 0.01
"""To which amounts are rounded up."""


@dataclass(frozen=True)
class Lever:
    """One way for a rule to give way. `apply(case, amount)` is the changed case, `words(amount)` says the change."""

    name: str
    unit: str
    measure: Measure
    step: float
    most: float
    apply: Callable[[Case, float], Case]
    words: Callable[[float], str]

    def change(self, case: Case, amount: float) -> Case | None:
        """The changed case; None where no such case can be written."""
        try:
            return self.apply(case, amount)
        except InputError:
            return None

    def round_up(self, amount: float) -> float:
        """The next amount that one would write down, never above the most that there is."""
        return min(self.most, round(max(1, ceil((amount - NOISE) / self.step)) * self.step, 9))


def musd(amount: float) -> str:
    """`$1,234.5M`, with as many decimals as it needs."""
    return f"${amount:,.4f}".rstrip("0").rstrip(".") + "M"


def number(amount: float) -> str:
    return f"{amount:,.6f}".rstrip("0").rstrip(".")


def quarters(count: float) -> str:
    return "a quarter" if count == 1 else f"{count:g} quarters"


def replaced(case: Case, table: str, row: Row, by: dict[str, Any] | None) -> Case:
    """The case with some columns of a row changed, or without the row."""
    rows = [_changed(other, by) if other == row else other for other in case.rows(table)]
    return case.replace(**{table: [other for other in rows if other is not None]})


def _changed(row: Row, by: dict[str, Any] | None) -> Any:
    return None if by is None else row.model_copy(update=by)


def same(case: Case, table: str, row: Row) -> Row:
    """The row of a changed case that has the identity of a given one."""
    found: Row = next(other for other in case.rows(table) if other.identity() == row.identity())
    return found


def setting(name: str, sign: int, unit: str, most: float, step: float, measure: Measure, words: Callable[[float], str],
) -> Lever:  # fmt: skip
    """Raise (sign 1) or lower (-1) a setting of `case.toml`."""

    def apply(case: Case, amount: float) -> Case:
        moved = getattr(case.settings, name) + sign * amount
        return case.replace(**{name: round(moved) if step == 1 else moved})

    return Lever(name, unit, measure, step, most, apply, words)


def column(
    table: str, row: Row, name: str, sign: int, unit: str, most: float, step: float, measure: Measure,
    words: Callable[[float], str],
) -> Lever:  # fmt: skip
    """Raise or lower a column of one row; a column of quarters moves by whole quarters."""

    def apply(case: Case, amount: float) -> Case:
        there = same(case, table, row)
        before = getattr(there, name)
        moved = before + sign * int(amount) if isinstance(before, Quarter) else before + sign * amount
        return replaced(case, table, there, {name: moved})

    return Lever(f"{table}.{name}", unit, measure, step, most, apply, words)


def waiver(words: str, apply: Callable[[Case], Case]) -> Lever:
    """A rule that gives way as a whole or not at all."""
    return Lever("waived", "", "steps", 1, 1, lambda case, _: apply(case), lambda _: words)


def new_money(case: Case) -> Lever:
    """More cash at the start: equity raised, something sold."""

    def words(amount: float) -> str:
        return f"bring in {musd(amount)} of new money before {case.first}"

    return setting("opening_cash_musd", 1, "$M", 1e6, MUSD, "money", words)
