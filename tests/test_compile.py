"""The program's own compile against Pyomo's standard form, bit for bit: cases, and models of every odd shape."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from conftest import DATA
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.environ import (
    Binary,
    Block,
    ConcreteModel,
    Constraint,
    ConstraintList,
    Expression,
    Objective,
    Param,
    Var,
    inequality,
    maximize,
)
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csc_array
from tiny_cases import wide_case

import optimizer as opt
from optimizer.business.model import build_model
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible, SolverFault
from optimizer.solver.models import clash_of, compile_model
from optimizer.solver.program import Program


def assert_as_pyomo_compiles(model: ConcreteModel) -> None:
    """The same rows and columns in the same order, every number to the last bit; or the same row that cannot hold."""
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except InfeasibleConstraintException as error:
        with pytest.raises(Infeasible) as none:
            compile_model(model)
        assert f"{none.value.clashes[0].row}'" in str(error)
        return
    program, rows, columns = compile_model(model)
    assert list(map(id, columns)) == list(map(id, form.columns))
    assert list(map(id, rows)) == [id(row.constraint) for row in form.rows]
    kinds, limits = np.array([row.bound_type for row in form.rows], dtype=int), np.asarray(form.rhs, dtype=float)
    pairs = {
        "cost": (program.cost, form.c.toarray().ravel()),
        "offset": (program.offset, form.c_offset),
        "row_lower": (program.row_lower, np.where(kinds <= 0, limits, -np.inf)),
        "row_upper": (program.row_upper, np.where(kinds >= 0, limits, np.inf)),
        "starts": (program.starts, form.A.indptr),
        "indices": (program.indices, form.A.indices),
        "entries": (program.entries, form.A.data),
    }
    for name, (ours, theirs) in pairs.items():
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert program.starts.dtype == program.indices.dtype == np.int32
    assert [*program.row_names] == [row.local_name.replace(" ", "_") for row in rows]
    assert [*program.column_names] == [x.local_name.replace(" ", "_") for x in columns]


# ---- cases --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir() if (path / "case.toml").exists()))
def test_shipped_cases(name: str) -> None:
    case = opt.load_case(DATA / name)
    first, last = case.scenarios[0].scenario, case.scenarios[-1].scenario
    assert_as_pyomo_compiles(build_model(case, first))
    assert_as_pyomo_compiles(build_model(case, first, decide=False))
    assert_as_pyomo_compiles(build_model(case, last, adjustable=True))


@pytest.mark.parametrize("seed", range(20))
def test_random_cases(seed: int) -> None:
    case = wide_case(seed)
    for decide in (True, False):
        assert_as_pyomo_compiles(build_model(case, "base", decide=decide))


# ---- models -------------------------------------------------------------------------------------------------------


def odd_model(seed: int) -> ConcreteModel:
    """A random model with every kind of row, term and component that a model may hold, in an order of its own."""
    rng = random.Random(f"odd model {seed}")
    m = ConcreteModel()
    m.x = Var(range(4), bounds=(0, 3))
    m.idle = Var(range(2), bounds=(0, 1))
    m.y = Var([("a b", 1), ("c", 2)], domain=Binary)
    m.z = Var(bounds=(-2.5, 7))
    m.rate = Param(initialize=rng.uniform(0, 1), mutable=True)
    m.part = Expression(expr=rng.gauss(0, 1) * m.x[3] + rng.gauss(0, 1))
    members = [*m.x.values(), *m.y.values(), m.z, m.part]
    m.rows = ConstraintList()
    for _ in range(12):
        m.rows.add(_odd_row(rng, members, m))
    m.cut = Constraint(range(3), rule=lambda m, i: Constraint.Skip if i == 1 else m.x[i] + m.z <= 0.1 * i)
    m.off = Constraint(expr=m.idle[0] >= 0.5)
    m.off.deactivate()
    m.block = Block()
    m.block.inside = Constraint(expr=m.x[1] - 3 * m.z >= -40)
    m.value = Objective(expr=_odd_sum(rng, members, m) + 0 * m.idle[0], sense=maximize)
    return m


def _odd_sum(rng: random.Random, members: list[Any], m: ConcreteModel) -> Any:
    """Terms of every form: numbers and parameters before and after, negated, in brackets, twice, cancelled."""
    total = rng.choice([0, rng.gauss(0, 10)])
    for _ in range(rng.randint(1, 6)):
        x, y, c = rng.choice(members), rng.choice(members), rng.gauss(0, 2)
        total += rng.choice(
            [x, -x, c * x, x * c, x / 3, m.rate * x, c * (x - y * 0.1) + 1, -(m.rate * c * (x + y) - 2), x - x, 0 * y]
        )
    return total


def _odd_row(rng: random.Random, members: list[Any], m: ConcreteModel) -> Any:
    left, right, c = _odd_sum(rng, members, m) + m.z, _odd_sum(rng, members, m), rng.uniform(-50, 50)
    return rng.choice(
        [left <= right, left == right, left >= c, c >= left, left == c, inequality(c - 9, left, c + m.rate)]
    )


@pytest.mark.parametrize("seed", range(60))
def test_odd_models(seed: int) -> None:
    assert_as_pyomo_compiles(odd_model(seed))


def test_a_model_without_rows() -> None:
    m = ConcreteModel()
    m.x = Var(bounds=(0, 1))
    m.value = Objective(expr=3 * m.x + 2, sense=maximize)
    assert_as_pyomo_compiles(m)


def test_a_variable_that_is_fixed_is_a_number() -> None:
    m = ConcreteModel()
    m.x = Var([0, 1], bounds=(0, 9))
    m.x[1].fix(4)
    m.row = Constraint(expr=m.x[0] + 2 * m.x[1] <= 11)
    m.value = Objective(expr=m.x[0] - 3 * m.x[1], sense=maximize)
    assert_as_pyomo_compiles(m)
    program, _, columns = compile_model(m)
    assert (program.offset[0], program.row_upper[0], [x.name for x in columns]) == (-12, 3, ["x[0]"])


def test_a_row_between_numbers_is_left_out_where_it_holds_and_named_where_not() -> None:
    m = ConcreteModel()
    m.x = Var(bounds=(0, 1))
    m.fine = Constraint(expr=0 * m.x <= 1)
    m.wrong = Constraint([7], rule=lambda m, i: m.x - m.x >= i, doc="Seven is at most nothing.")
    m.value = Objective(expr=m.x, sense=maximize)
    with pytest.raises(Infeasible) as none:
        compile_model(m)
    assert none.value.clashes == (clash_of(m.wrong[7]),)
    m.wrong.deactivate()
    assert compile_model(m)[0].size == (0, 1, 0)


def test_what_is_not_linear_is_a_fault() -> None:
    m = ConcreteModel()
    m.x = Var(bounds=(0, 1))
    m.bent = Constraint(expr=m.x * m.x <= 1)
    m.value = Objective(expr=m.x, sense=maximize)
    with pytest.raises(SolverFault, match="bent is not linear"):
        compile_model(m)


# ---- the same program told otherwise --------------------------------------------------------------------------------


def matrix(program: Program) -> csc_array:
    return csc_array((program.entries, program.indices, program.starts), shape=program.size[:2])


def test_a_shuffled_program_is_the_same_in_another_order(washington: Case) -> None:
    program = compile_model(build_model(washington, "base"))[0]
    shuffled = program.shuffled(3)
    rows = {name: i for i, name in enumerate(shuffled.row_names.tolist())}
    columns = {name: j for j, name in enumerate(shuffled.column_names.tolist())}
    i, j = (
        [rows[name] for name in program.row_names.tolist()],
        [columns[name] for name in program.column_names.tolist()],
    )
    assert i != sorted(i)
    assert j != sorted(j)
    assert (matrix(shuffled)[i][:, j] != matrix(program)).nnz == 0
    for name in ("cost", "lower", "upper", "integers"):
        np.testing.assert_array_equal(getattr(shuffled, name)[j], getattr(program, name))
    for name in ("row_lower", "row_upper"):
        np.testing.assert_array_equal(getattr(shuffled, name)[i], getattr(program, name))


def test_one_more_row_says_that_the_objective_is_worth_so_much(washington: Case) -> None:
    program = compile_model(build_model(washington, "base"))[0]
    taller = program.worth_at_least(5.0)
    assert taller.size[0] == program.size[0] + 1
    assert (matrix(taller)[: program.size[0]] != matrix(program)).nnz == 0
    np.testing.assert_array_equal(matrix(taller)[[-1]].toarray().ravel(), program.cost)
    assert taller.row_lower[-1] == 5.0 - program.offset[0]


def test_a_breach_is_that_of_the_row_most_broken(washington: Case) -> None:
    program = compile_model(build_model(washington, "base"))[0]
    vector = program.lower + 0.25 * (program.upper - program.lower)
    rows = matrix(program) @ vector
    off = np.maximum(program.row_lower - rows, rows - program.row_upper)
    assert program.breach(vector) == f"{program.row_names[off.argmax()]} by {off.max():.3g}"
