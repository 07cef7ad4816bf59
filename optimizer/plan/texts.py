"""The files of a plan that equal solves share, as texts, and the short hash that names them all."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from optimizer.case.folder import case_texts

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.case import Case

Tables = Mapping[str, "pd.DataFrame"]

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""How a cell begins that a spreadsheet would take for a formula, or that was quoted because of it (CWE-1236)."""


def plan_texts(
    record: str, case: Case, tables: Tables, nothing: Tables | None, mining_on: Tables | None
) -> dict[str, str]:
    """Path in the plan folder -> text: `plan.json`, a CSV for each table, the yardsticks' folders and `inputs/`."""
    texts = {"plan.json": record}
    texts |= {f"{name}.csv": table_text(table) for name, table in tables.items()}
    for folder, beside in (("do_nothing", nothing), ("mining_on", mining_on)):
        texts |= {f"{folder}/{name}.csv": table_text(table) for name, table in (beside or {}).items()}
    texts |= {f"inputs/{name}": text for name, text in case_texts(case).items()}
    return texts


def run_id(texts: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits over every name and text: equal plans, and only they, have equal ids."""
    whole = hashlib.sha256()
    for name, text in sorted(texts.items()):
        whole.update(f"{name} {hashlib.sha256(text.encode()).hexdigest()}\n".encode())
    return whole.hexdigest()[:12]


def table_text(table: pd.DataFrame) -> str:
    """A table as CSV: numbers as the shortest decimals that read back exactly, texts that no spreadsheet executes."""
    risky = [column for column, cells in table.items() if any(quoted(cell) is not cell for cell in set(cells))]
    safe = table.assign(**{column: table[column].map(quoted) for column in risky}) if risky else table
    text = str(safe.to_csv(index=False, lineterminator="\n"))
    if "\r" in text:  # which Python leaves bare, and every reader takes for the end of a line
        text = str(safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC))
    return text


def quoted(cell: Any) -> Any:
    """A text with `'` before it where a spreadsheet would take it for a formula; `unquoted` undoes it exactly."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
