"""Receipts: every number put into a document, with the key of the plan it stands for, held against what was written.

A writer gives each number it shows to a `Ledger` with its place ("sheet cash, cell C7", "slide 3, table") and its key.
The written document is then read again, and `Ledger.check` says which numbers stand for nothing in the plan, which
differ from what the plan holds at the decimals shown, and which were lost.
"""

from __future__ import annotations

import hashlib
import math
import re
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
    """One number shown: `shown` is `scale` times what the key holds, to so many decimals."""

    place: str
    shown: float
    decimals: int
    key: Amount
    scale: float = 1.0


@dataclass
class Ledger:
    """Every number put into one document. `plans` are those it tells, by run id, the first one first."""

    plans: Mapping[str, Plan]
    studies: Mapping[str, Study] = field(default_factory=dict)
    audit: Report | None = None
    receipts: list[Receipt] = field(default_factory=list)

    @cached_property
    def _answers(self) -> Answers:
        return Answers({name: Told(plan, self.studies, self.audit) for name, plan in self.plans.items()})

    def put(self, place: str, shown: float | str, key: Amount, decimals: int, scale: float = 1.0) -> None:
        """Record a number as it is shown at a place; a text is read as a number. Raises PlanError for none."""
        number = number_of(shown)
        if not math.isfinite(number):
            raise PlanError(f"{place} would show {shown!r}, which is no number ({key}). Nothing was written.")
        self.receipts.append(Receipt(place, number, decimals, key, scale))

    def show(self, place: str, key: Amount, decimals: int, scale: float = 1.0) -> str:
        """The number of a key as text with its thousands separated, recorded. Raises PlanError where there is none."""
        text = f"{self.worth(key) * scale:,.{decimals}f}"
        text = text.lstrip("-") if not text.strip("-0.,") else text
        self.put(place, text, key, decimals, scale)
        return text

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
            held = self.worth(match.key) * match.scale
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


# ---- numbers in texts ---------------------------------------------------------------------------------------------

_NO_NUMBERS = re.compile(r"\b\d{4}Q[1-4]\b|\b\d{4}-\d{2}-\d{2}\b|\b\d+\.\d+\.\d+\b")
"""Quarters, dates and versions."""
_NUMBER = re.compile(r"(?<![\w.])([-\u2212]?)[$\u20ac]?(\d[\d,]*(?:\.\d+)?)")


def number_of(shown: float | str) -> float:
    """The number that a text shows: `-$1,234.5M` is -1234.5; nan where it shows none or several."""
    if not isinstance(shown, str):
        return float(shown)
    numbers = numbers_in(shown)
    return numbers[0] if len(numbers) == 1 else math.nan


def numbers_in(text: str, names: Iterable[str] = ()) -> list[float]:
    """The numbers that a text shows, without those in quarters, dates, versions and in the given names."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, " ") if name else text
    found = _NUMBER.findall(_NO_NUMBERS.sub(" ", text))
    return [float(digits.replace(",", "")) * (-1 if sign else 1) for sign, digits in found]
