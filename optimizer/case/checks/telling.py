"""How a check tells what it found."""

from __future__ import annotations

from dataclasses import replace

from optimizer.case import schema
from optimizer.ground.findings import Finding, as_told

SHARE_TOLERANCE = 1e-9


def at(row: schema.Row, why: str, mend: str, column: str = "", value: object = "") -> Finding:
    return Finding(f"{row.table}.csv", why, mend, line=row.file_line, column=column, value=as_told(value))


def note(row: schema.Row, why: str, mend: str = "", column: str = "", value: object = "") -> Finding:
    return replace(at(row, why, mend, column, value), severity="warning")
