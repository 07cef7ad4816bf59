"""From a Pyomo model to a program, and from the vector that is found back to the model's decisions.

Pyomo walks the expressions; the matrix is put together here. Pyomo's own standard form is the same to the last bit,
but loads all of scipy, which takes longer than most solves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from pyomo.common.gc_manager import PauseGC
from pyomo.core import ConcreteModel, Constraint, Objective, SortComponents, value
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.util import VarRecorder

from optimizer.ground.errors import Clash, Infeasible, SolverFault
from optimizer.solver import Answer, Progress, SolverOptions, solve_program
from optimizer.solver.program import Floats, Places, Program, by_columns, refuse_unsound

Terms = Mapping[int, float]
"""Coefficients, none of them zero, by the identity of the variable."""


def solve_model(
    model: ConcreteModel, options: SolverOptions, progress: Callable[[Progress], None] | None = None
) -> Answer:
    """Maximise a model, as `solve_program` does. Raises Infeasible, NoPlan or SolverFault."""
    program, rows, columns = compile_model(model)
    found = solve_program(program, options, progress, clash=lambda i: clash_of(rows[i]))
    values = dict(zip(map(id, columns), found.vector.tolist(), strict=True))
    return Answer(**vars(found), values=values, program=program)


def compile_model(model: ConcreteModel) -> tuple[Program, list[Any], list[Any]]:
    """The program of a Pyomo model, with its rows and its variables in their order.

    Rows stand as they were declared, one with two ends twice; variables as the objective and then the rows first name
    them, all that were declared together in one go. A row between plain numbers that hold is left out.
    Raises Infeasible where they do not, SolverFault where a number is not fit for a solver.
    """
    with PauseGC():
        walk = _Walk()
        (objective,) = model.component_data_objects(Objective, active=True)
        offset, cost = walk.read(objective, objective.expr)
        sides = [
            (row, *side)
            for row in model.component_data_objects(Constraint, active=True, sort=SortComponents.ORDERED_INDICES)
            for side in walk.sides(row)
        ]
        rows = [row for row, *_ in sides]
        terms = [named for *_, named in sides]
        columns = walk.columns([cost, *terms])
    ends = np.array([end for _, end, _, _ in sides], dtype=int)
    limits = np.array([limit for _, _, limit, _ in sides], dtype=float)
    place = {id(x): j for j, x in enumerate(columns)}
    starts, indices, entries = _matrix(terms, place)
    program = Program(
        cost=np.array([cost.get(x, 0.0) for x in place], dtype=float),
        offset=np.array([offset], dtype=float),
        lower=np.array([x.lb for x in columns], dtype=float),
        upper=np.array([x.ub for x in columns], dtype=float),
        row_lower=np.where(ends <= 0, limits, -np.inf),
        row_upper=np.where(ends >= 0, limits, np.inf),
        starts=starts,
        indices=indices,
        entries=entries,
        integers=np.array([x.is_integer() for x in columns], dtype=bool),
        row_names=np.array([_solver_name(row) for row in rows], dtype=np.str_),
        column_names=np.array([_solver_name(x) for x in columns], dtype=np.str_),
        thrift=_thrift(model, place),
    )
    refuse_unsound(program, limits)
    return program, rows, columns


def _thrift(model: ConcreteModel, place: Mapping[int, int]) -> Floats:
    """What is to be least among plans of equal value, by column: `model.thrift`, where the model has one."""
    terms = getattr(model, "thrift", None)
    if not terms:
        return np.zeros(0)
    thrift = np.zeros(len(place))
    for coefficient, x in terms:
        if id(x) in place:
            thrift[place[id(x)]] += coefficient
    return thrift


class _Walk:
    """Reads linear expressions, and remembers the variables that they name."""

    def __init__(self) -> None:
        self._visitor = LinearRepnVisitor({}, var_recorder=VarRecorder({}, SortComponents.ORDERED_INDICES))

    def read(self, component: Any, expression: Any) -> tuple[float, Terms]:
        """The constant and the terms of an expression."""
        read = self._visitor.walk_expression(expression)
        if read.nonlinear is not None:
            raise SolverFault(f"{component.name} is not linear")
        return read.constant, read.linear

    def sides(self, row: Any) -> Iterator[tuple[int, float, Terms]]:
        """The ends of a row: an upper limit as 1, a lower one as -1, an equation as 0, each with limit and terms."""
        low, body, high = row.to_bounded_expression()
        low, high = (None if limit is None else value(limit) for limit in (low, high))
        constant, terms = self.read(row, body)
        if not terms:
            if not ((low is None or low <= constant) and (high is None or constant <= high)):
                raise Infeasible([clash_of(row)])
        elif low is not None and low == high:
            yield 0, high - constant, terms
        else:
            yield from ((end, limit - constant, terms) for end, limit in ((1, high), (-1, low)) if limit is not None)

    def columns(self, named: Sequence[Terms]) -> list[Any]:
        """The variables that have a coefficient somewhere."""
        used = set().union(*named)
        return [x for x in self._visitor.var_map.values() if id(x) in used]


def _matrix(rows: Sequence[Terms], place: Mapping[int, int]) -> tuple[Places, Places, Floats]:
    """The terms of some rows as a matrix by columns."""
    sizes = [len(terms) for terms in rows]
    columns = np.fromiter((place[x] for x in chain.from_iterable(rows)), np.int32, sum(sizes))
    entries = np.fromiter(chain.from_iterable(terms.values() for terms in rows), float, sum(sizes))
    return by_columns(np.repeat(np.arange(len(rows), dtype=np.int32), sizes), columns, entries, len(place))


def _solver_name(component: Any) -> str:
    return str(component.local_name).replace(" ", "_")


def clash_of(row: Any) -> Clash:
    """What an infeasibility report says of a row."""
    rule = row.parent_component()
    return Clash(rule.local_name, row.local_name, rule.doc or "")
