"""HiGHS, and the only module that names it: a Pyomo model in, a proven answer out.

The model is compiled to matrices by Pyomo and handed to highspy directly, so that every option is read back, every row
is counted, a bound comes with every answer and an interrupt keeps the best plan found.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import highspy
import numpy as np
import numpy.typing as npt
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.environ import ConcreteModel, Constraint
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from optimizer.errors import Clash, Infeasible, NoPlan, SolverFault

Status = Literal["optimal", "limit", "interrupted"]

LARGEST_COEFFICIENT = 1e9
IIS_IRREDUCIBLE = 4
ALTERED = 1e-6
"""Largest relative change of value that rounding the integers and re-solving may bring."""


@dataclass(frozen=True)
class SolverOptions:
    """How hard to look: relative gap to stop at, seconds, seed, threads, and where to write the log."""

    gap: float = 1e-4
    time_limit: float | None = None
    seed: int = 0
    threads: int = 1
    log: Path | None = None


@dataclass(frozen=True)
class Progress:
    """What is known during a solve; value and gap are infinite until a first plan is found."""

    seconds: float
    value_musd: float
    bound_musd: float

    @property
    def gap(self) -> float:
        return relative_gap(self.value_musd, self.bound_musd)


@dataclass(frozen=True)
class Answer:
    """The best plan found, its bound, and what it took. `values` are by the identity of the Pyomo variable."""

    status: Status
    value: float
    bound: float
    values: dict[int, float]
    rows: int
    columns: int
    nonzeros: int
    integers: int
    nodes: int
    highs_seconds: float

    def __call__(self, decision: Any) -> float:
        """The value of a decision, which may be a plain number."""
        return float(decision) if isinstance(decision, int | float) else self.values[id(decision)]


def relative_gap(value: float, bound: float) -> float:
    """`(bound - value) / |value|`, the measure that the gap option speaks of."""
    if not np.isfinite(value) or not np.isfinite(bound):
        return float("inf")
    return max(0.0, bound - value) / max(abs(value), 1e-9)


def solver_version() -> str:
    return f"HiGHS {highspy.Highs().version()}"


def solve_model(
    model: ConcreteModel, options: SolverOptions, progress: Callable[[Progress], None] | None = None
) -> Answer:
    """Maximise the model. Integers are rounded and the rest re-solved, so what is returned is a clean vertex.

    Raises Infeasible, NoPlan (a limit or an interrupt came before the first plan) or SolverFault.
    """
    program = _compile(model)
    if not program.columns:
        return _nothing_to_decide(program)
    started = time.monotonic()
    highs = _load(program, options)
    with _interruptible(highs) as interrupted:
        _report(highs, progress)
        highs.run()
    searched = time.monotonic() - started
    status = _status(highs, interrupted(), program, options)
    bound = highs.getInfo().mip_dual_bound if program.integers.any() else highs.getInfo().objective_function_value
    values, value = _polish(program, np.array(highs.getSolution().col_value), options)
    incumbent = highs.getInfo().objective_function_value
    if abs(value - incumbent) > ALTERED * max(1.0, abs(incumbent)):
        raise SolverFault(f"value changed from {incumbent:.9g} to {value:.9g} when its integers were rounded")
    return Answer(
        status=status,
        value=value,
        bound=max(value, bound),
        values=dict(zip(map(id, program.columns), values, strict=True)),
        rows=program.lp.num_row_,
        columns=program.lp.num_col_,
        nonzeros=int(program.lp.a_matrix_.start_[-1]),
        integers=int(program.integers.sum()),
        nodes=max(0, highs.getInfo().mip_node_count),
        highs_seconds=searched,
    )


def _nothing_to_decide(program: _Program) -> Answer:
    value = program.lp.offset_
    return Answer("optimal", value, value, {}, program.lp.num_row_, 0, 0, 0, 0, 0.0)


# ---- in -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Program:
    lp: highspy.HighsLp
    rows: list[Any]
    columns: list[Any]
    integers: npt.NDArray[np.bool_]


def _compile(model: ConcreteModel) -> _Program:
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except InfeasibleConstraintException as error:
        raise Infeasible([_clash(model, str(error))]) from None
    bound_type = np.array([row.bound_type for row in form.rows])
    lp = highspy.HighsLp()
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.offset_ = float(form.c_offset[0])
    lp.num_col_, lp.num_row_ = len(form.columns), len(form.rows)
    lp.col_cost_ = np.asarray(form.c.todense(), dtype=float).ravel()
    lp.col_lower_ = np.array([x.lb for x in form.columns], dtype=float)
    lp.col_upper_ = np.array([x.ub for x in form.columns], dtype=float)
    rhs = np.asarray(form.rhs, dtype=float)
    lp.row_lower_ = np.where(bound_type <= 0, rhs, -highspy.kHighsInf)
    lp.row_upper_ = np.where(bound_type >= 0, rhs, highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = form.A.indptr, form.A.indices, form.A.data
    lp.col_names_ = [_solver_name(x) for x in form.columns]
    lp.row_names_ = [_solver_name(row.constraint) for row in form.rows]
    integers = np.array([x.is_integer() for x in form.columns])
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in integers]
    _refuse_unsound(lp, form.A.data, rhs)
    return _Program(lp, [row.constraint for row in form.rows], list(form.columns), integers)


def _solver_name(component: Any) -> str:
    return str(component.name).replace(" ", "_")


def _refuse_unsound(lp: highspy.HighsLp, coefficients: npt.NDArray[np.float64], rhs: npt.NDArray[np.float64]) -> None:
    """HiGHS takes NaN in silence and drops rows with huge entries; neither may reach it."""
    bounds = np.concatenate([lp.col_lower_, lp.col_upper_, rhs])
    if not (np.isfinite(coefficients).all() and np.isfinite(lp.col_cost_).all() and np.isfinite(bounds).all()):
        raise SolverFault("the model holds a number that is not finite")
    if len(coefficients) and np.abs(coefficients).max() > LARGEST_COEFFICIENT:
        raise SolverFault(f"the model holds a coefficient above {LARGEST_COEFFICIENT:g}")


def _load(program: _Program, options: SolverOptions, **more: Any) -> highspy.Highs:
    highspy.Highs.resetGlobalScheduler(True)
    highs = highspy.Highs()
    wanted: dict[str, Any] = {
        "output_flag": options.log is not None,
        "log_to_console": False,
        "threads": options.threads,
        "random_seed": options.seed,
        "mip_rel_gap": options.gap,
        "mip_abs_gap": 0.0,
        "log_file": "" if options.log is None else str(options.log),
    }
    if options.time_limit is not None:
        wanted["time_limit"] = float(options.time_limit)
    for name, value in (wanted | more).items():
        highs.setOptionValue(name, value)
        if highs.getOptionValue(name)[1] != value:
            raise SolverFault(f"option {name} = {value!r} was not taken")
    highs.passModel(program.lp)
    got = (highs.getNumRow(), highs.getNumCol(), highs.getNumNz())
    if got != (program.lp.num_row_, program.lp.num_col_, int(program.lp.a_matrix_.start_[-1])):
        raise SolverFault(f"the solver holds {got} rows, columns and nonzeros, not what was built")
    return highs


# ---- during -----------------------------------------------------------------------------------------------------


@contextmanager
def _interruptible(highs: highspy.Highs) -> Iterator[Callable[[], bool]]:
    """Make Ctrl-C and SIGTERM stop the search and keep its best plan; pressed twice, quit.

    Outside the main thread signals are left alone.
    """
    stop = threading.Event()

    def interrupt(event: Any) -> None:
        if stop.is_set():
            event.interrupt()

    for callback in (highs.cbMipInterrupt, highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
        callback.subscribe(interrupt)
    if threading.current_thread() is not threading.main_thread():
        yield stop.is_set
        return

    def ask(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop.is_set
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _report(highs: highspy.Highs, progress: Callable[[Progress], None] | None) -> None:
    if progress is None:
        return
    started = time.monotonic()

    def tell(event: Any) -> None:
        data = event.data_out
        progress(Progress(time.monotonic() - started, data.mip_primal_bound, data.mip_dual_bound))

    highs.cbMipLogging.subscribe(tell)
    highs.cbMipImprovingSolution.subscribe(tell)


# ---- out --------------------------------------------------------------------------------------------------------


def _status(highs: highspy.Highs, interrupted: bool, program: _Program, options: SolverOptions) -> Status:
    """The status in this project's words; anything not on the list is a fault."""
    status, info = highs.getModelStatus(), highs.getInfo()
    kinds: Any = highspy.HighsModelStatus
    has_plan = info.primal_solution_status == 2
    if status == kinds.kOptimal and has_plan:
        return "optimal"
    if status == kinds.kInfeasible:
        raise Infeasible(_conflict(highs, program))
    if status in (kinds.kTimeLimit, kinds.kInterrupt, kinds.kHighsInterrupt):
        if has_plan:
            return "interrupted" if interrupted else "limit"
        raise NoPlan(interrupted, options.time_limit, info.mip_dual_bound)
    raise SolverFault(f"the solver ended with status {highs.modelStatusToString(status)!r}")


def _conflict(highs: highspy.Highs, program: _Program) -> list[Clash]:
    """Rows that cannot hold together; empty where only the whole numbers make them clash."""
    highs.setOptionValue("iis_strategy", IIS_IRREDUCIBLE)
    _, iis = highs.getIis()
    return [_clash_of(program.rows[i]) for i in iis.row_index_] if iis.valid_ else []


def _clash(model: ConcreteModel, message: str) -> Clash:
    """The row that Pyomo's message says cannot hold; it names the row between its first and its last quote."""
    name = message[message.find("'") + 1 : message.rfind("'")]
    for row in model.component_data_objects(Constraint, active=True):
        if row.name == name:
            return _clash_of(row)
    return Clash(name.partition("[")[0], name, message)


def _clash_of(row: Any) -> Clash:
    rule = row.parent_component()
    return Clash(rule.name, row.name, rule.doc or "")


def _polish(
    program: _Program, values: npt.NDArray[np.float64], options: SolverOptions
) -> tuple[npt.NDArray[np.float64], float]:
    """Fix the integers at whole numbers and solve what is left as an LP."""
    whole = np.flatnonzero(program.integers).astype(np.int32)
    rounded = np.round(values[whole])
    highs = _load(program, SolverOptions(seed=options.seed, threads=options.threads))
    if len(whole):
        continuous = np.full(len(whole), int(highspy.HighsVarType.kContinuous), dtype=np.uint8)
        highs.changeColsIntegrality(len(whole), whole, continuous)
        highs.changeColsBounds(len(whole), whole, rounded, rounded)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise SolverFault("the plan does not survive rounding its integers to whole numbers")
    clean = np.array(highs.getSolution().col_value)
    clean[whole] = rounded
    return clean, float(highs.getInfo().objective_function_value)
