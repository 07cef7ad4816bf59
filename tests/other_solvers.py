"""A Pyomo model as plain matrices, and two ways to solve them that pass the program's own solver by: SCIP and HiGHS.

The matrices are Pyomo's own standard form, compiled here and not by the program, so that a fault in the program's
handing over of the model would show too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.environ import ConcreteModel
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from scipy.sparse import csr_array

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Matrices:
    """Maximise `offset + cost @ x` with `row_low <= rows @ x <= row_high`, `low <= x <= high`, some of x whole."""

    offset: float
    cost: Numbers
    low: Numbers
    high: Numbers
    whole: npt.NDArray[np.bool_]
    rows: csr_array
    row_low: Numbers
    row_high: Numbers
    columns: tuple[Any, ...] = ()
    """The Pyomo variable of each column, where there is a model."""


@dataclass(frozen=True)
class Outcome:
    """The best value and its bound, both None where no plan keeps every row."""

    value: float | None
    bound: float | None
    x: Numbers | None = None


NO_PLAN = Outcome(None, None)


def matrices_of(model: ConcreteModel) -> Matrices | None:
    """The model's standard form; None where Pyomo sees already that no plan keeps every row."""
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except InfeasibleConstraintException:
        return None
    kind, rhs = np.array([row.bound_type for row in form.rows]), np.asarray(form.rhs, dtype=float)
    return Matrices(
        offset=float(form.c_offset[0]),
        cost=np.asarray(form.c.todense(), dtype=float).ravel(),
        low=np.array([-np.inf if x.lb is None else x.lb for x in form.columns], dtype=float),
        high=np.array([np.inf if x.ub is None else x.ub for x in form.columns], dtype=float),
        whole=np.array([x.is_integer() or x.is_binary() for x in form.columns], dtype=bool),
        rows=csr_array(form.A),
        row_low=np.where(kind <= 0, rhs, -np.inf) if len(rhs) else rhs,
        row_high=np.where(kind >= 0, rhs, np.inf) if len(rhs) else rhs,
        columns=tuple(form.columns),
    )


def _finite(bound: float) -> float | None:
    return float(bound) if np.isfinite(bound) else None


def _terms(matrices: Matrices, i: int) -> list[tuple[int, float]]:
    begin, end = matrices.rows.indptr[i], matrices.rows.indptr[i + 1]
    columns, values = matrices.rows.indices[begin:end], matrices.rows.data[begin:end]
    return [(int(j), float(v)) for j, v in zip(columns, values, strict=True)]


def by_scip(matrices: Matrices | None) -> Outcome:
    """SCIP with no gap left, and rows and whole numbers kept to 1e-9. Raises RuntimeError for any other end."""
    if matrices is None:
        return NO_PLAN
    from pyscipopt import Model, quicksum

    scip = Model()
    scip.hideOutput()
    scip.setParam("numerics/feastol", 1e-9)
    x = [
        scip.addVar(lb=_finite(low), ub=_finite(high), obj=cost, vtype="I" if whole else "C")
        for low, high, cost, whole in zip(matrices.low, matrices.high, matrices.cost, matrices.whole, strict=True)
    ]
    for i, (low, high) in enumerate(zip(matrices.row_low, matrices.row_high, strict=True)):
        left = quicksum(value * x[j] for j, value in _terms(matrices, i))
        if low == high:
            scip.addCons(left == low)
            continue
        if np.isfinite(low):
            scip.addCons(left >= low)
        if np.isfinite(high):
            scip.addCons(left <= high)
    scip.setMaximize()
    scip.optimize()
    if scip.getStatus() == "infeasible":
        return NO_PLAN
    if scip.getStatus() != "optimal":
        raise RuntimeError(f"SCIP ended with {scip.getStatus()}")
    return Outcome(scip.getObjVal() + matrices.offset, scip.getDualbound() + matrices.offset)


def by_highs(
    matrices: Matrices | None, settings: Mapping[str, Any] | None = None, start: Numbers | None = None
) -> Outcome:
    """HiGHS as it comes, at gap 0 and with other settings where given; `start` is a plan to begin with.

    No canary, no polish: what the solver itself says, of any version. Raises RuntimeError for an end without an answer.
    """
    if matrices is None:
        return NO_PLAN
    import highspy

    highspy.Highs.resetGlobalScheduler(True)
    highs = highspy.Highs()
    wanted = {"output_flag": False, "mip_rel_gap": 0.0, "mip_abs_gap": 0.0} | dict(settings or {})
    for name, value in wanted.items():
        assert highs.setOptionValue(name, value) == highspy.HighsStatus.kOk, name
    highs.passModel(_highs_lp(highspy, matrices))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = list(start)
        highs.setSolution(solution)
    highs.run()
    status, info, kinds = highs.getModelStatus(), highs.getInfo(), highspy.HighsModelStatus
    if status == kinds.kInfeasible:
        return NO_PLAN
    if status != kinds.kOptimal:
        raise RuntimeError(f"HiGHS ended with {highs.modelStatusToString(status)}")
    bound = info.mip_dual_bound if matrices.whole.any() else info.objective_function_value
    return Outcome(info.objective_function_value, bound, np.array(highs.getSolution().col_value))


def _highs_lp(highspy: Any, matrices: Matrices) -> Any:
    lp = highspy.HighsLp()
    lp.sense_, lp.offset_ = highspy.ObjSense.kMaximize, matrices.offset
    lp.num_row_, lp.num_col_ = matrices.rows.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = matrices.cost, matrices.low, matrices.high
    lp.row_lower_, lp.row_upper_ = matrices.row_low, matrices.row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrices.rows.indptr, matrices.rows.indices
    lp.a_matrix_.value_ = matrices.rows.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in matrices.whole]
    return lp
