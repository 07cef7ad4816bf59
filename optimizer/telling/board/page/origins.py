"""Where a case's numbers come from: the table of its SOURCES.md, as texts."""

from __future__ import annotations

import re
from pathlib import Path

from optimizer.ground.errors import PlanError
from optimizer.telling.board.page.book import Origins

_CELL = re.compile(r"(?<!\\)\|")


def read_origins(path: Path) -> Origins:
    """The rows of every table of a Markdown file that has a column called confidence; none where there is no file.

    The first row is the heading of the first such table. Raises PlanError for a file that cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read ({error}).") from None
    rows: list[tuple[str, ...]] = []
    inside = False
    for line in lines:
        cells = tuple(cell.strip().replace("`", "").replace("**", "") for cell in _CELL.split(line.strip())[1:-1])
        if not cells:
            inside = False
        elif inside and not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            rows.append(cells)
        elif not inside and "confidence" in (cell.lower() for cell in cells):
            inside = True
            rows += [] if rows else [cells]
    return tuple(row for row in rows if len(row) == len(rows[0]))
