"""The mathematical program as matrices: what is built from Pyomo, refused if unsound, and handed to a solver."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optimizer.errors import Clash, Infeasible, SolverFault

LARGEST_COEFFICIENT = 1e9
SMALLEST_COEFFICIENT = 1e-9
"""Smaller entries a solver drops in silence."""

Floats = npt.NDArray[np.float64]


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
    starts: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int32]
    entries: Floats
    integers: npt.NDArray[np.bool_]
    row_names: npt.NDArray[np.str_]
    column_names: npt.NDArray[np.str_]

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

    def fixed(self, columns: npt.NDArray[np.int32], values: Floats) -> Program:
        """The same program with some columns held at values."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[columns] = upper[columns] = values
        return replace(self, lower=lower, upper=upper)

    def shuffled(self, seed: int) -> Program:
        """The same program with rows and columns in another order, so that a solver goes another way."""
        from scipy.sparse import csc_array

        rng = np.random.default_rng(seed)
        rows, columns = (rng.permutation(count) for count in self.size[:2])
        matrix = csc_array((self.entries, self.indices, self.starts), shape=self.size[:2])[rows][:, columns].tocsc()
        return Program(
            self.cost[columns], self.offset, self.lower[columns], self.upper[columns], self.row_lower[rows],
            self.row_upper[rows], matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
            self.integers[columns], self.row_names[rows], self.column_names[columns],
        )  # fmt: skip

    def breach(self, vector: Floats, room: float = 1e-6) -> str:
        """The first bound, row or integer that a vector breaks by more than `room`; nothing if it breaks none."""
        from scipy.sparse import csc_array

        rows = csc_array((self.entries, self.indices, self.starts), shape=self.size[:2]) @ vector
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
        from scipy.sparse import csc_array, vstack

        small = np.abs(self.cost) <= SMALLEST_COEFFICIENT
        value -= float(np.sum(np.maximum(self.cost * self.lower, self.cost * self.upper)[small]))
        matrix = csc_array((self.entries, self.indices, self.starts), shape=self.size[:2])
        taller = vstack([matrix, csc_array(np.where(small, 0.0, self.cost)[np.newaxis, :])]).tocsc()
        taller.eliminate_zeros()
        return Program(
            self.cost, self.offset, self.lower, self.upper,
            np.append(self.row_lower, value - float(self.offset[0])), np.append(self.row_upper, np.inf),
            taller.indptr.astype(np.int32), taller.indices.astype(np.int32), taller.data,
            self.integers, np.append(self.row_names, "worth_at_least"), self.column_names,
        )  # fmt: skip


def compile_model(model: Any) -> tuple[Program, list[Any], list[Any]]:
    """The program of a Pyomo model, with its rows and its variables in their order.

    Raises Infeasible where a rule between plain numbers fails, SolverFault where a number is not fit for a solver.
    """
    from pyomo.common.errors import InfeasibleConstraintException
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except InfeasibleConstraintException as error:
        raise Infeasible([_clash(model, str(error))]) from None
    kinds = np.array([row.bound_type for row in form.rows])
    rhs = np.asarray(form.rhs, dtype=float)
    rows, columns = [row.constraint for row in form.rows], list(form.columns)
    program = Program(
        cost=np.asarray(form.c.todense(), dtype=float).ravel(),
        offset=np.array([float(form.c_offset[0])]),
        lower=np.array([x.lb for x in columns], dtype=float),
        upper=np.array([x.ub for x in columns], dtype=float),
        row_lower=np.where(kinds <= 0, rhs, -np.inf),
        row_upper=np.where(kinds >= 0, rhs, np.inf),
        starts=form.A.indptr.astype(np.int32),
        indices=form.A.indices.astype(np.int32),
        entries=np.asarray(form.A.data, dtype=float),
        integers=np.array([x.is_integer() for x in columns], dtype=bool),
        row_names=np.array([_solver_name(row) for row in rows], dtype=np.str_),
        column_names=np.array([_solver_name(x) for x in columns], dtype=np.str_),
    )
    _refuse_unsound(program, rhs)
    return program, rows, columns


def _solver_name(component: Any) -> str:
    return str(component.name).replace(" ", "_")


def _refuse_unsound(program: Program, rhs: Floats) -> None:
    """HiGHS takes NaN in silence, drops rows with huge entries and entries that are tiny; none may reach it."""
    numbers = (program.entries, program.cost, program.offset, program.lower, program.upper, rhs)
    if not all(np.isfinite(part).all() for part in numbers):
        raise SolverFault("the model holds a number that is not finite")
    sizes = np.abs(program.entries)
    if len(sizes) and sizes.max() > LARGEST_COEFFICIENT:
        raise SolverFault(f"the model holds a coefficient above {LARGEST_COEFFICIENT:g}")
    if len(sizes) and sizes.min() <= SMALLEST_COEFFICIENT:
        raise SolverFault(f"the model holds a coefficient below {SMALLEST_COEFFICIENT:g}")


def _clash(model: Any, message: str) -> Clash:
    """The row that Pyomo's message says cannot hold; it names the row between its first and its last quote."""
    from pyomo.environ import Constraint

    name = message[message.find("'") + 1 : message.rfind("'")]
    for row in model.component_data_objects(Constraint, active=True):
        if row.name == name:
            return clash_of(row)
    return Clash(name.partition("[")[0], name, message)


def clash_of(row: Any) -> Clash:
    """What an infeasibility report says of a row."""
    rule = row.parent_component()
    return Clash(rule.name, row.name, rule.doc or "")
