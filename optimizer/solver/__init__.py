"""A program in, a proven answer out. HiGHS does the work in a process of its own.

Matrices are handed over directly, so that every option is read back, every row is counted, a bound comes with every
answer, and neither a crash, a hang nor an interrupt loses the best plan found. How a Pyomo model becomes a program
stands in `models`, the one module here that loads Pyomo: a solver's process starts without. Imports `ground`; imported
by `questions` and `commands`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from optimizer.ground.errors import Clash, Infeasible, NoPlan, NoSolver, SolverFault
from optimizer.ground.interrupts import stoppable, workspace
from optimizer.solver.entry import Event
from optimizer.solver.process import Killed, physical_memory_gb, solver_process
from optimizer.solver.program import Floats, Program

Status = Literal["optimal", "limit", "interrupted"]

HIGHS, SCIP = "optimizer.solver.highs", "optimizer.solver.scip"
ALTERED = 1e-6
"""How much of its value an answer may lose when its integers are rounded, or gain above its bound; relative."""
MEMORY_SHARE = 0.8
POLISH_S = 60.0
_HEURISTICS = tuple(f"mip_heuristic_run_{name}" for name in ("feasibility_jump", "rins", "rens", "root_reduced_cost"))
_TOLERANCES = ("mip_feasibility_tolerance", "primal_feasibility_tolerance")


@dataclass(frozen=True)
class SolverOptions:
    """How hard to look: relative gap to stop at, seconds, seed, threads, GB of memory, presolve, and where to log."""

    gap: float = 1e-4
    time_limit: float | None = None
    seed: int = 0
    threads: int = 1
    memory_gb: float | None = None
    presolve: Literal["on", "off", "choose"] = "choose"
    restarts: bool = True
    """Whether the root may be presolved again. A search that begins from a good plan is quicker without."""
    heuristics: bool = True
    """Whether plans are looked for by searches of their own. Where a good one is known that is time lost."""
    gap_musd: float = 0.0
    """An absolute gap that is enough, too, $M: near a value of zero no relative one ever is."""
    log: Path | None = None

    def for_highs(self) -> dict[str, Any]:
        """The same by HiGHS's names."""
        named: dict[str, Any] = {
            "output_flag": self.log is not None,
            "threads": self.threads,
            "random_seed": self.seed,
            "mip_rel_gap": self.gap,
            "presolve": self.presolve,
            "mip_allow_restart": self.restarts,
            "log_file": "" if self.log is None else str(self.log),
        }
        if not self.heuristics:
            named |= dict.fromkeys(_HEURISTICS, False)
        if self.gap_musd:
            named["mip_abs_gap"] = float(self.gap_musd)
        return named if self.time_limit is None else named | {"time_limit": float(self.time_limit)}


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
class Found:
    """The best vector found for a program, its bound, and what it took.

    `row_duals` are those of the program with its whole numbers fixed: what one unit more of a row's limit is worth.
    """

    status: Status
    ended: str
    value: float
    bound: float
    vector: Floats = field(repr=False)
    row_duals: Floats = field(repr=False)
    nodes: int
    highs_seconds: float


@dataclass(frozen=True)
class Answer(Found):
    """The same for a Pyomo model. `values` are by the identity of the variable."""

    values: dict[int, float] = field(repr=False)
    program: Program = field(repr=False)

    def __call__(self, decision: Any) -> float:
        """The value of a decision, which may be a plain number."""
        return float(decision) if isinstance(decision, int | float) else self.values[id(decision)]


def relative_gap(value: float, bound: float) -> float:
    """`(bound - value) / |value|`, the measure that the gap option speaks of."""
    if not np.isfinite(value) or not np.isfinite(bound):
        return float("inf")
    return max(0.0, bound - value) / max(abs(value), 1e-9)


@cache
@cache
def solver_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # which takes a while; a solver's process does without

    try:
        return f"HiGHS {version('highspy')}"
    except PackageNotFoundError:
        return "HiGHS (not installed)"


def begin_solvers(options: SolverOptions, *, scip: bool = False) -> None:
    """Start what will solve before there is anything to be solved. Raises NoSolver where there is none to be used."""
    for module in (HIGHS, SCIP) if scip else (HIGHS,):
        with solver_process(module, _memory_gb(options)):
            pass


def solve_program(
    program: Program,
    options: SolverOptions,
    progress: Callable[[Progress], None] | None = None,
    *,
    start: Floats | None = None,
    clash: Callable[[int], Clash] | None = None,
) -> Found:
    """Maximise a program. Integers are rounded and the rest re-solved, so what is returned is a clean vertex.

    `start` is a vector to begin from (NaN where nothing is known), feasible or not; `clash` says what an infeasibility
    tells of a row. Raises Infeasible, NoPlan (a limit or an interrupt came before the first plan), SolverFault or
    NoSolver.
    """
    if not len(program.cost):
        value = float(program.offset[0])
        return Found("optimal", "nothing was to be decided", value, value, np.zeros(0), np.zeros(0), 0, 0.0)
    with workspace() as folder:
        try:
            found = search(program, options, folder, progress, start=start)
            if found["status"] == "kInfeasible":
                raise Infeasible([(clash or program.clash)(i) for i in found["conflict"]])
            return _found(found, folder, options)
        except SolverFault as fault:
            fault.evidence = keep_evidence(program, _found_so_far(folder), options.log)
            raise


def _found_so_far(folder: Path) -> Floats | None:
    """The best vector that a solver has left; a crash may have cut it short."""
    for file in (folder / "clean.npy", folder / "found.npy"):
        with suppress(OSError, ValueError, EOFError):
            return np.asarray(np.load(file), dtype=float)
    return None


def search(
    program: Program,
    options: SolverOptions,
    folder: Path,
    progress: Callable[[Progress], None] | None = None,
    *,
    tolerance: float | None = None,
    start: Floats | None = None,
) -> Event:
    """Let HiGHS maximise a program; what it says when it ends, its vectors in the folder.

    `tolerance` is how far a row or an integer may be off, HiGHS's own 1e-6 and 1e-7 unless given.
    Where its process had to be ended, the last plan that it had found is polished by a new one.
    """
    _hand_over(program, folder, start)
    known = _Known()

    def tell(event: Event) -> None:
        known.hear(event)
        if progress is not None and event["event"] == "progress":
            progress(Progress(known.seconds, known.value, known.bound))

    tight = {} if tolerance is None else dict.fromkeys(_TOLERANCES, tolerance)
    job = {"task": "search", "folder": str(folder), "options": options.for_highs() | tight}
    with stoppable() as stop:
        found = _run(HIGHS, job, options, tell=tell, time_limit=options.time_limit, stop=stop)
    if isinstance(found, Killed):
        found = _salvage(found, known, program, options, folder)
    if "refused" in found:
        raise SolverFault(str(found["refused"]))
    return found


def _hand_over(program: Program, folder: Path, start: Floats | None = None) -> None:
    """Put what a solver is to read in its folder. Raises NoSolver where that cannot be written."""
    try:
        program.save(folder / "program.npz")
        if start is not None:
            np.save(folder / "start.npy", start)
    except OSError as error:
        raise NoSolver(f"what it is to read cannot be written in {folder}: {error.strerror}") from None


@dataclass
class _Known:
    """What a solver has told so far."""

    value: float = -np.inf
    bound: float = np.inf
    seconds: float = 0.0
    ended: Event | None = None

    def hear(self, event: Event) -> None:
        if event["event"] == "ended":
            self.ended = event
        else:
            self.value, self.bound, self.seconds = (float(event[name]) for name in ("value", "bound", "seconds"))


def _run(
    module: str,
    job: Event,
    options: SolverOptions,
    *,
    tell: Callable[[Event], None] | None = None,
    time_limit: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Event | Killed:
    with solver_process(module, _memory_gb(options)) as process:
        return process.run(job, tell=tell, time_limit=time_limit, stop=stop)


def _memory_gb(options: SolverOptions) -> float:
    return options.memory_gb or MEMORY_SHARE * physical_memory_gb()


def _salvage(killed: Killed, known: _Known, program: Program, options: SolverOptions, folder: Path) -> Event:
    """What a solver that is no more had found; nothing is kept of one that crashed."""
    if killed.how == "fault":
        raise SolverFault(killed.why)
    found = known.ended or {
        "status": "kInterrupt" if killed.how == "stopped" else "kTimeLimit",
        "has_plan": (folder / "improving.npy").exists(),
        "stopped": killed.how == "stopped",
        "ended": killed.why,
        "objective": known.value,
        "bound": known.bound,
        "nodes": 0,
        "seconds": known.seconds,
    }
    if not found["has_plan"]:
        if killed.how == "memory" and known.ended is None:
            raise NoPlan(_memory_words(killed, program), known.bound, out_of_time=False)
        return found | {"conflict": []}
    if not (folder / "found.npy").exists():
        shutil.copyfile(folder / "improving.npy", folder / "found.npy")
    job = {"task": "polish", "folder": str(folder), "options": options.for_highs()}
    polished = _run(HIGHS, job, options, time_limit=POLISH_S)
    if isinstance(polished, Killed):
        raise SolverFault(f"its best plan could not be polished: {polished.why}")
    return found | polished


def _memory_words(killed: Killed, program: Program) -> str:
    rows, columns, nonzeros = program.size
    why = killed.why[:1].upper() + killed.why[1:]
    return f"{why}, with {rows:,} rows, {columns:,} columns and {nonzeros:,} nonzeros,"


def run_scip(program: Program, options: SolverOptions, folder: Path) -> Event | Killed:
    """Let SCIP (extra `scip`) maximise a program: status, value, bound, vector."""
    _hand_over(program, folder)
    asked = {"gap": options.gap, "seed": options.seed, "time_limit": options.time_limit}
    job = {"task": "search", "folder": str(folder), "options": asked}
    with stoppable() as stop:
        return _run(SCIP, job, options, time_limit=options.time_limit, stop=stop)


def _found(found: Event, folder: Path, options: SolverOptions) -> Found:
    status, ended = _status(found, options)
    if not found["clean"]:
        raise SolverFault("the plan does not survive rounding its integers to whole numbers")
    value, incumbent = float(found["value"]), float(found["objective"])
    bound, tolerance = float(found["bound"]), ALTERED * max(1.0, abs(incumbent))
    if not incumbent - tolerance <= value <= bound + tolerance:
        changed = f"value went from {incumbent:.9g} to {value:.9g} when its integers were rounded"
        raise SolverFault(f"{changed}, the bound being {bound:.9g}")
    return Found(
        status=status,
        ended=ended,
        value=value,
        bound=max(value, bound),
        vector=np.load(folder / "clean.npy"),
        row_duals=np.load(folder / "row_duals.npy"),
        nodes=int(found["nodes"]),
        highs_seconds=float(found["seconds"]),
    )


def _status(found: Event, options: SolverOptions) -> tuple[Status, str]:
    """The status in this project's words, and why the search ended; anything not on the list is a fault."""
    status = found["status"]
    if status == "kOptimal" and found["has_plan"]:
        return "optimal", "the gap was reached"
    if status not in ("kTimeLimit", "kInterrupt", "kHighsInterrupt", "kMemoryLimit"):
        raise SolverFault(f"the solver ended with status {status!r}")
    if found["has_plan"]:
        if found["stopped"]:
            return "interrupted", "interrupted"
        return "limit", found.get("ended", "the time limit came first")
    if found["stopped"]:
        raise NoPlan("The search was interrupted", float(found["bound"]), interrupted=True)
    limit = "" if options.time_limit is None else f" of {options.time_limit:g} s"
    raise NoPlan(f"The time limit{limit} came", float(found["bound"]))


def keep_evidence(program: Program, vector: Floats | None, log: Path | None) -> Path | None:
    """Model (as MPS and as arrays), vector and log of an answer that is refused, in a new folder; for a bug report.

    None where it cannot be kept: that must not hide why the answer is refused.
    """
    try:
        kept = Path(tempfile.mkdtemp(prefix="optimizer-fault-"))
        program.save(kept / "program.npz")
        if vector is not None:
            np.save(kept / "vector.npy", vector)
        if log is not None and log.exists():
            shutil.copyfile(log, kept / "solver.log")
    except OSError:
        return None
    try:
        _run(HIGHS, {"task": "export", "folder": str(kept), "options": {}}, SolverOptions(), time_limit=POLISH_S)
    except (SolverFault, NoSolver):
        (kept / "model.mps").unlink(missing_ok=True)
    return kept
