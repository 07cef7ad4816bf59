"""Whether numbers are in the unit of their column, as far as their size can tell; and what is allowed all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from optimizer.case.checks.bands import Oddity, first_of_each, odd_cells
from optimizer.case.checks.protocol import mined_until, odd_subsidy
from optimizer.case.checks.scale import odd_scales
from optimizer.case.checks.telling import note
from optimizer.case.schema import Allow, Row, Settings
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case

MEANT = "or, if it is meant, allow it with a reason in allow.csv, row"


def check_units(case: Case) -> list[Finding]:
    """Every number whose size does not fit its unit, alone or beside others; and rows of `allow` that allow nothing.

    Only for a case whose names all refer to something and that lacks no row.
    """
    oddities = [*odd_cells(case.settings, rows_by_table(case)), *_odd_subsidy(case), *odd_scales(case)]
    return [*_refused(oddities, case.allow), *_idle(oddities, case.allow)]


def rows_by_table(case: Case) -> dict[str, tuple[Row, ...]]:
    return {rows[0].table: rows for rows in case.every_table if rows}


def check_cells(settings: Settings | None, rows: Mapping[str, Sequence[Row]]) -> list[Finding]:
    """The same for single cells only, of what could be read of a case."""
    allowed = [row for row in rows.get("allow", ()) if isinstance(row, Allow)]
    protocol = odd_subsidy(settings) if settings is not None else ()
    return list(_refused([*odd_cells(settings, rows), *protocol], allowed))


def check_subsidy(case: Case) -> list[Finding]:
    """Subsidy and halvings against the protocol, and what is allowed all the same: the same for files and scripts."""
    return list(_refused(_odd_subsidy(case), case.allow))


def _odd_subsidy(case: Case) -> Iterator[Oddity]:
    return odd_subsidy(case.settings, mined_until(case))


def _refused(oddities: Iterable[Oddity], allowed: Sequence[Allow]) -> Iterator[Finding]:
    left = [oddity for oddity in oddities if not any(covers(row, oddity) for row in allowed)]
    for oddity, count in first_of_each(left):
        more = f" (so are {count - 1} more)" if count > 1 else ""
        yield Finding(
            oddity.file, oddity.why + oddity.guess + more, f"{oddity.mend}; {MEANT} {oddity.row!r}",
            line=oddity.line, column=oddity.column, value=oddity.value,
        )  # fmt: skip


def _idle(oddities: Sequence[Oddity], allowed: Sequence[Allow]) -> Iterator[Finding]:
    for row in allowed:
        if not any(covers(row, oddity) for oddity in oddities):
            why = "allows nothing: no such number is outside its band"
            yield note(row, why, "take the row away", "row", row.row)


def covers(row: Allow, oddity: Oddity) -> bool:
    """Whether a row of `allow` speaks of this oddity; `*` in it stands for anything."""
    pairs = ((row.file, oddity.file), (row.column, oddity.column), (row.row, oddity.row))
    return all(
        said == "*" or re.fullmatch(re.escape(said).replace(r"\*", ".*"), told, re.DOTALL) for said, told in pairs
    )
