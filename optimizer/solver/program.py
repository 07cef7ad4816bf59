"""The mathematical program as matrices: refused if unsound, and handed to a solver. Knows no modelling language."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optimizer.ground.errors import Clash, SolverFault

LARGEST_COEFFICIENT = 1e9
SMALLEST_COEFFICIENT = 1e-9
"""Smaller entries a solver drops in silence."""

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Program:
    """Maximise `cost @ x + offset` over `row_lower <= A x <= row_upper`, `lower <= x <= upper`, some x whole.

    A is kept by columns (`starts`, `indices`, `entries`); rows may be endless on one side, columns never.
    """

    cost: Floats
    offset: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    starts: Places
    indices: Places
    entries: Floats
    integers: npt.NDArray[np.bool_]
    row_names: npt.NDArray[np.str_]
    column_names: npt.NDArray[np.str_]
    thrift: Floats = field(default_factory=lambda: np.zeros(0))
    """What is to be least once all that is worth something is decided, by column; empty where nothing is."""

    @property
    def size(self) -> tuple[int, int, int]:
        """Rows, columns and nonzeros."""
        return len(self.row_lower), len(self.cost), len(self.entries)

    def save(self, file: Path) -> None:
        np.savez(file, **{part.name: getattr(self, part.name) for part in fields(self)})

    @classmethod
    def load(cls, file: Path) -> Program:
        with np.load(file, allow_pickle=False) as parts:
            return cls(**{part.name: parts[part.name] for part in fields(cls)})

    def clash(self, row: int) -> Clash:
        """What an infeasibility report says of a row where its rule is not at hand."""
        name = str(self.row_names[row])
        return Clash(name.partition("[")[0], name, "")

    def fixed(self, columns: Places, values: Floats) -> Program:
        """The same program with some columns held at values."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[columns] = upper[columns] = values
        return replace(self, lower=lower, upper=upper)

    @property
    def _columns(self) -> npt.NDArray[np.intp]:
        """The column of each entry."""
        return np.repeat(np.arange(len(self.cost)), np.diff(self.starts))

    def shuffled(self, seed: int) -> Program:
        """The same program with rows and columns in another order, so that a solver goes another way."""
        rng = np.random.default_rng(seed)
        rows, columns = (rng.permutation(count) for count in self.size[:2])
        matrix = by_columns(
            np.argsort(rows)[self.indices], np.argsort(columns)[self._columns], self.entries, len(columns)
        )
        return Program(
            self.cost[columns], self.offset, self.lower[columns], self.upper[columns], self.row_lower[rows],
            self.row_upper[rows], *matrix, self.integers[columns], self.row_names[rows], self.column_names[columns],
            self.thrift[columns] if len(self.thrift) else self.thrift,
        )  # fmt: skip

    def breach(self, vector: Floats, room: float = 1e-6) -> str:
        """The first bound, row or integer that a vector breaks by more than `room`; nothing if it breaks none."""
        rows = np.bincount(self.indices, self.entries * vector[self._columns], minlength=len(self.row_lower))
        for names, low, found, high in (
            (self.column_names, self.lower, vector, self.upper),
            (self.row_names, self.row_lower, rows, self.row_upper),
        ):
            off = np.maximum(low - found, found - high)
            if len(off) and off.max() > room:
                return f"{names[off.argmax()]} by {off.max():.3g}"
        parts = np.abs(vector - np.round(vector)) * self.integers
        return f"{self.column_names[parts.argmax()]}, which is whole" if len(parts) and parts.max() > 0 else ""

    def worth_at_least(self, value: float) -> Program:
        """The program with one more row: the objective is at least `value`, $M.

        Costs that are too small for a row are left out of it, and the most that they could bring is granted.
        """
        told = np.abs(self.cost) > SMALLEST_COEFFICIENT
        value -= float(np.sum(np.maximum(self.cost * self.lower, self.cost * self.upper)[~told]))
        ends = self.starts[1:][told]
        return Program(
            self.cost, self.offset, self.lower, self.upper,
            np.append(self.row_lower, value - float(self.offset[0])), np.append(self.row_upper, np.inf),
            _starts(np.diff(self.starts) + told), np.insert(self.indices, ends, len(self.row_lower)),
            np.insert(self.entries, ends, self.cost[told]),
            self.integers, np.append(self.row_names, "worth_at_least"), self.column_names, self.thrift,
        )  # fmt: skip


def by_columns(
    rows: npt.NDArray[np.integer[Any]], columns: npt.NDArray[np.integer[Any]], entries: Floats, count: int
) -> tuple[Places, Places, Floats]:
    """Entries as a matrix of `count` columns: where each starts, the rows in it in the order given, the entries."""
    order = np.argsort(columns, kind="stable")
    return _starts(np.bincount(columns, minlength=count)), rows[order].astype(np.int32), entries[order]


def _starts(sizes: npt.NDArray[np.integer[Any]]) -> Places:
    """Where columns of some sizes start, and where the last ends."""
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)


def refuse_unsound(program: Program, rhs: Floats) -> None:
    """HiGHS takes NaN in silence, drops rows with huge entries and entries that are tiny; none may reach it."""
    numbers = (program.entries, program.cost, program.offset, program.lower, program.upper, rhs)
    if not all(np.isfinite(part).all() for part in numbers):
        raise SolverFault("the model holds a number that is not finite")
    sizes = np.abs(program.entries)
    if len(sizes) and sizes.max() > LARGEST_COEFFICIENT:
        raise SolverFault(f"the model holds a coefficient above {LARGEST_COEFFICIENT:g}")
    if len(sizes) and sizes.min() <= SMALLEST_COEFFICIENT:
        raise SolverFault(f"the model holds a coefficient below {SMALLEST_COEFFICIENT:g}")
