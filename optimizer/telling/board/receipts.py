"""Receipts of a workbook: every number put into a cell, with its key, held against what was written.

Each number goes to a `Receipts` with its place ("cash flow, cell C7") and its key. The written file is then read again,
and `check` says which numbers stand for nothing in the plan, which differ from what it holds, and which were lost.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.ground.errors import PlanError
from optimizer.telling.board.keys import Amount, Answers, Told

if TYPE_CHECKING:
    from optimizer.auditors.report import Report
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study


@dataclass(frozen=True)
class Receipt:
    """One number shown: what the key holds, to so many decimals."""

    place: str
    shown: float
    decimals: int
    key: Amount


@dataclass
class Receipts:
    """Every number put into one document. `plans` are those it tells, by run id, the first one first."""

    plans: Mapping[str, Plan]
    studies: Mapping[str, Study] = field(default_factory=dict)
    audit: Report | None = None
    receipts: list[Receipt] = field(default_factory=list)

    @cached_property
    def _answers(self) -> Answers:
        return Answers({name: Told(plan, self.studies, self.audit) for name, plan in self.plans.items()})

    def put(self, place: str, shown: float, key: Amount, decimals: int) -> None:
        """Record a number as it is shown at a place. Raises PlanError for what is none."""
        if not math.isfinite(shown):
            raise PlanError(f"{place} would show {shown!r}, which is no number ({key}). Nothing was written.")
        self.receipts.append(Receipt(place, shown, decimals, key))

    def worth(self, key: Amount) -> float:
        """What the plan holds under a key. Raises PlanError where it holds no number."""
        return self._answers.worth(key)

    # ---- what was written -----------------------------------------------------------------------------------------

    def check(self, read_back: Mapping[str, Iterable[float]]) -> list[str]:
        """What does not match, in sentences: place -> the numbers read there from the written document."""
        due: dict[str, list[Receipt]] = {}
        for receipt in self.receipts:
            due.setdefault(receipt.place, []).append(receipt)
        wrong: list[str] = []
        for place, numbers in read_back.items():
            wrong += self._held_against(place, list(numbers), due.pop(place, []))
        return wrong + [f"{r.place}: {r.shown:g} ({r.key}) was not found again" for rs in due.values() for r in rs]

    def _held_against(self, place: str, numbers: list[float], receipts: list[Receipt]) -> list[str]:
        left, wrong = list(receipts), []
        for number in numbers:
            match = next((r for r in left if agrees(number, r.shown, r.decimals)), None)
            if match is None:
                wrong.append(f"{place}: {number:g} stands for nothing in the plan")
                continue
            left.remove(match)
            held = self.worth(match.key)
            if not agrees(number, held, match.decimals):
                wrong.append(f"{place}: {number:g} is shown where the plan holds {held:.12g} ({match.key})")
        return wrong + [f"{place}: {r.shown:g} ({r.key}) was not found again" for r in left]


def input_hash(plan: Plan) -> str:
    """Twelve hexadecimal digits over the names and hashes of all inputs."""
    hashes: Mapping[str, str] = plan.provenance["inputs_sha256"]
    return hashlib.sha256("".join(f"{name} {hashes[name]}\n" for name in sorted(hashes)).encode()).hexdigest()[:12]


def agrees(shown: float, held: float, decimals: int) -> bool:
    """Whether a number rounded to so many decimals is what is held, with the room that a tie needs."""
    return abs(shown - held) <= 0.5 * 10.0**-decimals + 1e-9 * max(1.0, abs(held))


def adds_up(parts: Iterable[float], total: float, decimals: int) -> bool:
    """Whether rounded parts add to the rounded total; where not, a document says that figures may not add."""
    return abs(math.fsum(round(part, decimals) for part in parts) - round(total, decimals)) < 0.5 * 10.0**-decimals
