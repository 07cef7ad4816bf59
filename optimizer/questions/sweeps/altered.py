"""Programs with something altered: more rows, more columns, another objective. What was there keeps its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array, hstack, vstack

from optimizer.business.variables import Name
from optimizer.questions.sweeps.family import Compiled
from optimizer.solver.program import Floats


@dataclass(frozen=True)
class NewRow:
    """A row to be added: `low <= sum of coefficients x columns <= high`, columns by their place."""

    name: Name
    terms: Mapping[int, float]
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class NewColumn:
    """A column to be added, with its coefficients in rows that are there, by their place."""

    name: Name
    high: float
    low: float = 0.0
    whole: bool = False
    terms: Mapping[int, float] = field(default_factory=dict)


def with_columns(compiled: Compiled, columns: Sequence[NewColumn]) -> Compiled:
    """The program with more columns, behind the others; none has a part in the objective."""
    p, names = compiled.program, [_written(column.name) for column in columns]
    cells = [(i, j, value) for j, column in enumerate(columns) for i, value in column.terms.items()]
    program = replace(
        p,
        cost=np.append(p.cost, np.zeros(len(columns))),
        lower=np.append(p.lower, [column.low for column in columns]),
        upper=np.append(p.upper, [column.high for column in columns]),
        integers=np.append(p.integers, np.array([column.whole for column in columns], dtype=bool)),
        column_names=np.append(p.column_names, np.array(names, dtype=np.str_)),
        thrift=np.append(p.thrift, np.zeros(len(columns))) if len(p.thrift) else p.thrift,
    )
    matrix = hstack([compiled.matrix, _filled(cells, (p.size[0], len(columns)))])
    return _with_matrix(Compiled(program, (*compiled.columns, *(c.name for c in columns)), compiled.rows), matrix)


def with_rows(compiled: Compiled, rows: Sequence[NewRow]) -> Compiled:
    """The program with more rows, below the others."""
    p, names = compiled.program, [_written(row.name) for row in rows]
    cells = [(i, j, value) for i, row in enumerate(rows) for j, value in row.terms.items()]
    program = replace(
        p,
        row_lower=np.append(p.row_lower, [row.low for row in rows]),
        row_upper=np.append(p.row_upper, [row.high for row in rows]),
        row_names=np.append(p.row_names, np.array(names, dtype=np.str_)),
    )
    matrix = vstack([compiled.matrix, _filled(cells, (len(rows), p.size[1]))])
    return _with_matrix(Compiled(program, compiled.columns, (*compiled.rows, *(row.name for row in rows))), matrix)


def maximising(compiled: Compiled, terms: Mapping[int, float], constant: float = 0.0) -> Compiled:
    """The program with another objective, beside which no money is saved."""
    cost, idle = np.zeros(compiled.program.size[1]), np.zeros(0)
    cost[list(terms)] = list(terms.values())
    return replace(compiled, program=replace(compiled.program, cost=cost, offset=np.array([constant]), thrift=idle))


def maximising_as(compiled: Compiled, before: Compiled) -> Compiled:
    """The program with the objective that it had before columns were added to it."""
    cost = np.zeros(compiled.program.size[1])
    cost[: len(before.program.cost)] = before.program.cost
    return replace(compiled, program=replace(compiled.program, cost=cost, offset=before.program.offset))


def at_least(compiled: Compiled, place: int, low: float) -> Compiled:
    """The program with one column no lower than so much."""
    lower = compiled.program.lower.copy()
    lower[place] = low
    return replace(compiled, program=replace(compiled.program, lower=lower))


def worth_at_least(compiled: Compiled, value_musd: float) -> Compiled:
    """The program with one more row: the objective as it is now is at least so much."""
    return replace(
        compiled,
        program=compiled.program.worth_at_least(value_musd),
        rows=(*compiled.rows, ("worth_at_least", (None,))),
    )


def bounded(compiled: Compiled, places: npt.NDArray[np.int32], values: Floats) -> Compiled:
    """The program with some columns held at values."""
    return replace(compiled, program=compiled.program.fixed(places, values))


def _filled(cells: Sequence[tuple[int, int, float]], shape: tuple[int, int]) -> coo_array:
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    return coo_array((np.array(values, dtype=float), (np.array(rows, int), np.array(columns, int))), shape=shape)


def _with_matrix(compiled: Compiled, matrix: coo_array) -> Compiled:
    by_columns = csc_array(matrix)
    by_columns.sort_indices()
    program = replace(
        compiled.program,
        starts=by_columns.indptr.astype(np.int32),
        indices=by_columns.indices.astype(np.int32),
        entries=by_columns.data,
    )
    return replace(compiled, program=program)


def _written(name: Name) -> str:
    return f"{name[0]}[{','.join(map(str, name[1]))}]".replace(" ", "_")
