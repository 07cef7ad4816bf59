"""Inputs that differ between two cases: each cell, and long runs of alike changes in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Any

from optimizer.case.case import TABLE_NAMES, TABLE_TYPES
from optimizer.case.folder import cell_text
from optimizer.case.schema import Row, Settings, SiteLimit
from optimizer.ground.quarters import Quarter
from optimizer.questions.compare.groups import GROUP_OF_SETTING, GROUP_OF_TABLE, GROUPS, NAMING

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.case import Case

RUN_KEYS = ("quarter", "step", "from_quarter", "year")
"""Columns that count on within a series: alike changes along them are told in one line."""
PATHS = ("bitcoin", "tariffs", "product_markets", "overheads", "base_rates", "own_plants", "indices")
"""Tables with a row for each quarter of the horizon."""
ONLY_FIRST, ONLY_SECOND = "only in the first", "only in the second"
ALIKE = 1e-9
"""Relative room within which changes are the same change."""
NAMED_ROWS = 3


@dataclass(frozen=True)
class Change:
    """One cell, or one whole row, that is not the same: `column` is blank where the row is only in one case."""

    table: str
    series: tuple[str, ...]
    step: Any
    column: str
    old: Any
    new: Any

    @property
    def row(self) -> str:
        """The key of the row in words."""
        return ", ".join([*self.series, *([str(self.step)] if self.step is not None else [])])

    @property
    def group(self) -> str:
        if self.table == "case.toml":
            return GROUP_OF_SETTING[self.column.partition(".")[0]]
        return GROUP_OF_TABLE[self.table]


# ---- finding ------------------------------------------------------------------------------------------------------


def input_changes(a: Case, b: Case, scenario_a: str, scenario_b: str) -> list[Change]:
    """Every cell and row that differs between one scenario of each case; rows of other scenarios are left out.

    Where the cases begin in different quarters, the grid limits that hold in the later one are compared.
    """
    date = max(a.first, b.first)
    found = list(_setting_changes(a.settings, b.settings))
    if scenario_a != scenario_b:
        found.insert(0, Change("scenarios", ("plan's scenario",), None, "scenario", scenario_a, scenario_b))
    for name in TABLE_NAMES:
        if name != "scenarios":
            found += _table_changes(name, _rows(a, name, scenario_a, date), _rows(b, name, scenario_b, date))
    return found


def _setting_changes(a: Settings, b: Settings) -> Iterator[Change]:
    was, now = _flat(a), _flat(b)
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            yield Change("case.toml", (), None, name, was.get(name), now.get(name))


def _flat(settings: Settings) -> dict[str, Any]:
    """Settings by name, those of a section as `section.name`."""
    flat: dict[str, Any] = {}
    for name, value in settings.model_dump().items():
        flat |= {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _rows(case: Case, name: str, scenario: str, date: Quarter) -> dict[tuple[Any, ...], Row]:
    """Rows by their key without the scenario."""
    kind = TABLE_TYPES[name]
    key = [column for column in kind.key if column != "scenario"]
    rows = _limits_from(case, date) if name == "site_limits" else case.rows(name)
    mine = (row for row in rows if getattr(row, "scenario", scenario) == scenario)
    return {tuple(getattr(row, column) for column in key): row for row in mine}


def _limits_from(case: Case, date: Quarter) -> list[SiteLimit]:
    """Steps of grid limits from a quarter on; the step that holds in it begins with it."""
    steps = sorted(case.site_limits, key=lambda row: row.from_quarter)
    there = {row.site: row.model_copy(update={"from_quarter": date}) for row in steps if row.from_quarter <= date}
    return [*there.values(), *(row for row in steps if row.from_quarter > date)]


def _table_changes(name: str, was: Mapping[tuple[Any, ...], Row], now: Mapping[tuple[Any, ...], Row]) -> list[Change]:
    kind = TABLE_TYPES[name]
    key = [column for column in kind.key if column != "scenario"]
    told = [column for column in kind.model_fields if column not in kind.key]
    counted = next((column for column in RUN_KEYS if column in key), None)
    changes = []
    for identity in dict.fromkeys([*was, *now]):
        named = dict(zip(key, identity, strict=True))
        step = named.pop(counted) if counted else None
        place = (name, tuple(str(part) for part in named.values()), step)
        if identity not in was or identity not in now:
            there = (None, ONLY_SECOND) if identity not in was else (ONLY_FIRST, None)
            changes.append(Change(*place, "", *there))
            continue
        pairs = ((column, getattr(was[identity], column), getattr(now[identity], column)) for column in told)
        changes += [Change(*place, column, old, new) for column, old, new in pairs if old != new]
    return changes


def changes_table(changes: Iterable[Change]) -> pd.DataFrame:
    """Every change: group, table, row, column, old, new; cells as they stand in the files."""
    import pandas as pd

    rows = [(c.group, c.table, c.row, c.column, _file_text(c.old), _file_text(c.new)) for c in changes]
    return pd.DataFrame(rows, columns=["group", "table", "row", "column", "old", "new"], dtype=str)


def _file_text(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else cell_text(value)


# ---- telling ------------------------------------------------------------------------------------------------------


def in_both_horizons(changes: Iterable[Change], a: Case, b: Case) -> list[Change]:
    """Without the rows of quarters that the other case's horizon does not have: that is told once."""
    return [c for c in changes if c.column or c.table not in PATHS or (c.step in a.horizon and c.step in b.horizon)]


def change_lines(changes: Iterable[Change]) -> list[tuple[str, str]]:
    """The changes as (group, sentence), group by group; alike changes of a series, and rows alike, are one line."""
    series = _gathered(changes, lambda c: (c.group, c.table, c.series, c.column, c.old if not c.column else None))
    cells: dict[tuple[str, str, str, str], list[str]] = {}
    for (group, table, name, column, _), run in series.items():
        cells.setdefault((group, table, column, _run_words(run)), []).append(", ".join(name))
    rows: dict[tuple[str, str, str], list[str]] = {}
    for (group, table, column, words), names in cells.items():
        told = f"{column} {words}" if column else words
        rows.setdefault((group, table, _listed(names)), []).append(told)
    order = [group.name for group in (*GROUPS, NAMING)]
    lines = [
        (group, f"{table} {names}".rstrip() + f": {'; '.join(told)}") for (group, table, names), told in rows.items()
    ]
    return sorted(lines, key=lambda line: order.index(line[0]))


def _gathered(changes: Iterable[Change], key: Callable[[Change], Any]) -> dict[Any, list[Change]]:
    gathered: dict[Any, list[Change]] = {}
    for change in changes:
        gathered.setdefault(key(change), []).append(change)
    return gathered


def _listed(names: list[str]) -> str:
    if not any(names):
        return ""
    more = f" and {len(names) - NAMED_ROWS} more" if len(names) > NAMED_ROWS else ""
    return "; ".join(names[:NAMED_ROWS]) + more


def _run_words(run: list[Change]) -> str:
    """One line for the changes of a series: a single one in full, many by what they have in common."""
    where = _span(run)
    if not run[0].column:
        there = run[0].old or run[0].new
        return f"{where}, {there}" if where else str(there)
    words = _pair(run[0].old, run[0].new) if len({(str(c.old), str(c.new)) for c in run}) == 1 else _alike(run)
    return f"{where}, {words}" if where else words


def _span(run: list[Change]) -> str:
    steps = [change.step for change in run if change.step is not None]
    if not steps:
        return ""
    if len(steps) == 1:
        return str(steps[0])
    what = "quarters" if isinstance(steps[0], Quarter) else "rows"
    return f"{len(steps)} {what}, {min(steps)} to {max(steps)}"


def _alike(run: list[Change]) -> str:
    """Many changes: the same share, the same amount, or from range to range."""
    pairs = [(c.old, c.new) for c in run]
    if not all(_is_number(x) for pair in pairs for x in pair):
        return f"{len(pairs)} changes, the first {_pair(*pairs[0])}"
    ranges = f"{_range(old for old, _ in pairs)} -> {_range(new for _, new in pairs)}"
    if all(old for old, _ in pairs):
        shares = [100 * (new / old - 1) for old, new in pairs]
        if _same(100 + share for share in shares):
            return f"{shares[0]:+.4g}% each ({ranges})"
        low, high = f"{min(shares):+.3g}%", f"{max(shares):+.3g}%"
        return f"{ranges} ({f'about {low} each' if low == high else f'{low} to {high}'})"
    differences = [new - old for old, new in pairs]
    return f"{differences[0]:+.6g} each ({ranges})" if _same(differences) else ranges


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _same(numbers: Iterable[float]) -> bool:
    first, *rest = numbers
    return all(isclose(number, first, rel_tol=ALIKE, abs_tol=ALIKE) for number in rest)


def _range(numbers: Iterable[float]) -> str:
    known = list(numbers)
    low, high = _number(min(known)), _number(max(known))
    return low if low == high else f"{low}..{high}"


def _pair(old: Any, new: Any) -> str:
    return f"{_cell(old)} -> {_cell(new)}"


def _cell(value: Any) -> str:
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(value) if _is_number(value) else str(value)


def _number(value: float) -> str:
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
