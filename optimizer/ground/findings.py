"""What is wrong with an input, said so that its owner can mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
MOST_SHOWN = 50


def as_told(value: object) -> str:
    """A cell as its owner wrote it: numbers without a needless point, blanks blank."""
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Finding:
    """One problem: where it stands, what stands there, why that cannot be, and how to mend it."""

    file: str
    why: str
    mend: str = ""
    line: int | None = None
    column: str = ""
    value: str = ""
    severity: Severity = "error"

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it has in common with others like it: all but its line, its cell and the values in its words."""
        file = re.sub(r", (cell|row) .*", "", self.file)
        return file, self.column, re.sub(r"'.*?'|\(.*\)|[\d.,]+", "", self.why)

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line is not None else "")
        cell = f" {self.column}" if self.column else ""
        value = f" {self.value!r}" if self.value else ""
        mend = f" Mend: {self.mend}{'' if self.mend.endswith('?') else '.'}" if self.mend else ""
        return f"{place}:{cell}{value} {self.why}.{mend}"


class InputError(Exception):
    """The case cannot be read; `findings` holds every problem found in one pass."""

    def __init__(self, findings: Iterable[Finding]):
        self.findings = tuple(findings)
        super().__init__(self.report())

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Finding, ...]]]:
        """From one process to another with its findings, not with its text alone."""
        return InputError, (self.findings,)

    def report(self) -> str:
        """All findings as text, one a line; of more than fifty the first of each kind, so that none hides another."""
        if len(self.findings) <= MOST_SHOWN:
            return "\n".join(map(str, self.findings))
        kinds: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self.findings:
            kinds.setdefault(finding.kind, []).append(finding)
        most = _shown_of_each(list(map(len, kinds.values())))
        return "\n".join(line for (file, column, _), kind in kinds.items() for line in _told(kind, most, file, column))


def _shown_of_each(counts: list[int]) -> int:
    """How many findings of every kind are shown: as many as make fifty in all, at least one."""
    return max([1, *(most for most in range(MOST_SHOWN + 1) if sum(min(n, most) for n in counts) <= MOST_SHOWN)])


def _told(kind: list[Finding], most: int, file: str, column: str) -> Iterator[str]:
    yield from map(str, kind[:most])
    if len(kind) > most:
        yield f"... and {len(kind) - most:,} more like it in {f'{file} {column}'.strip()}"
