"""What is wrong with an input, said so that its owner can mend it."""

from __future__ import annotations

from collections.abc import Iterable
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

    def report(self) -> str:
        """All findings as text, one a line, at most fifty of them."""
        lines = [str(finding) for finding in self.findings[:MOST_SHOWN]]
        if len(self.findings) > MOST_SHOWN:
            lines.append(f"... and {len(self.findings) - MOST_SHOWN} more")
        return "\n".join(lines)
