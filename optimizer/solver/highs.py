"""HiGHS, and the only module that names it: a process of its own that takes programs and gives answers.

It is run by `entry`. A crash, a hang or a lack of memory ends this process and never
the one that asked; every improving plan is on disk as soon as it is known.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from optimizer.solver.canaries import failure
from optimizer.solver.entry import Event, Live, Tell
from optimizer.solver.program import SMALLEST_COEFFICIENT, Floats, Program

OLDEST_SOUND, UNTRIED = (1, 15, 1), (1, 17, 0)
"""1.14.0 gives wrong optima on programs of this shape; what came before has faults of its own, see `canaries`."""
IIS_IRREDUCIBLE = 4


class Refused(Exception):
    """HiGHS did not take what it was given, or is not fit to be used."""


def search(program: Program, options: dict[str, Any], folder: Path, tell: Tell, stop: threading.Event) -> Event:
    """Maximise; then round the integers and solve the rest again. Leaves `found.npy` and `clean.npy` in the folder."""
    highs = load(program, options)
    _begin(highs, program, folder / "start.npy", options)
    _watch(highs, program, folder, tell, stop)
    began = time.monotonic()
    highs.run()
    info = highs.getInfo()
    answer: dict[str, Any] = {
        "status": highs.getModelStatus().name,
        "has_plan": info.primal_solution_status == 2,
        "stopped": stop.is_set(),
        "objective": info.objective_function_value,
        "bound": info.mip_dual_bound if program.integers.any() else info.objective_function_value,
        "nodes": max(0, info.mip_node_count),
        "seconds": time.monotonic() - began,
    }
    tell({"event": "ended"} | answer)
    if answer["has_plan"]:
        found = np.array(highs.getSolution().col_value)
        np.save(folder / "found.npy", found)
        answer |= polish(program, found, options, folder)
    elif answer["status"] == "kInfeasible":
        answer["conflict"] = _conflict(highs)
    _sign_log(highs, options)
    return answer


def _begin(highs: highspy.Highs, program: Program, file: Path, options: dict[str, Any]) -> None:
    """Begin from a vector, if there is one; what is not a number in it is left to the solver.

    Of several, a row each, the one that is worth most once what they leave open is solved as an LP.
    """
    if not file.exists():
        return
    start = np.load(file)
    if start.ndim > 1:
        whole = [_completed(program, row, options) for row in start]
        best = max((vector for vector in whole if vector is not None), key=program.cost.dot, default=None)
        start = start[0] if best is None else best
    known = np.flatnonzero(np.isfinite(start)).astype(np.int32)
    highs.setSolution(len(known), known, start[known])


def _completed(program: Program, start: Floats, options: dict[str, Any]) -> Floats | None:
    """The best vector with the whole numbers of a start; None where there is none."""
    whole = np.flatnonzero(program.integers).astype(np.int32)
    highs = _with_whole_numbers(program, whole, np.round(start[whole]), options)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(highs.getSolution().col_value)


def _with_whole_numbers(
    program: Program, whole: npt.NDArray[np.int32], numbers: Floats, options: dict[str, Any]
) -> highspy.Highs:
    """A solver that holds the LP which is left when the whole numbers are given."""
    kept: dict[str, Any] = {name: options[name] for name in ("random_seed", "threads") if name in options}
    highs = load(program, kept)
    if len(whole):
        continuous = np.full(len(whole), int(highspy.HighsVarType.kContinuous), dtype=np.uint8)
        highs.changeColsIntegrality(len(whole), whole, continuous)
        highs.changeColsBounds(len(whole), whole, numbers, numbers)
    return highs


def polish(program: Program, found: Floats, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Fix the integers at whole numbers and solve what is left as an LP."""
    whole = np.flatnonzero(program.integers).astype(np.int32)
    rounded = np.round(found[whole])
    highs = _with_whole_numbers(program, whole, rounded, options)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return {"clean": False}
    clean, value = np.array(highs.getSolution().col_value), float(highs.getInfo().objective_function_value)
    clean[whole] = rounded
    np.save(folder / "row_duals.npy", np.array(highs.getSolution().row_dual))
    clean = _thriftiest(program, whole, clean, options)
    np.save(folder / "clean.npy", clean)
    return {"clean": True, "value": value}


def _thriftiest(program: Program, whole: npt.NDArray[np.int32], clean: Floats, options: dict[str, Any]) -> Floats:
    """The same vector with the least thrift: what is worth something stays, to the last bit, the rest is solved again.

    As it was where nothing is asked for, or the solver does not come to an end with it.
    """
    if not program.thrift.any():
        return clean
    kept = np.union1d(whole, np.flatnonzero(np.abs(program.cost) > SMALLEST_COEFFICIENT)).astype(np.int32)
    highs = _with_whole_numbers(replace(program, cost=-program.thrift), kept, clean[kept], options)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return clean
    vector = np.array(highs.getSolution().col_value)
    vector[kept] = clean[kept]
    return vector


def load(program: Program, options: dict[str, Any]) -> highspy.Highs:
    """A solver that holds the program and every option, both read back. Raises Refused."""
    highspy.Highs.resetGlobalScheduler(True)
    highs = highspy.Highs()
    for name, value in ({"output_flag": False, "log_to_console": False, "mip_abs_gap": 0.0} | options).items():
        highs.setOptionValue(name, value)
        if highs.getOptionValue(name)[1] != value:
            raise Refused(f"option {name} = {value!r} was not taken")
    highs.passModel(matrices(program))
    got = (highs.getNumRow(), highs.getNumCol(), highs.getNumNz())
    if got != program.size:
        raise Refused(f"the solver holds {got} rows, columns and nonzeros, not what was built")
    return highs


def matrices(program: Program) -> highspy.HighsLp:
    """The program as HiGHS keeps it."""
    lp = highspy.HighsLp()
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.offset_ = float(program.offset[0])
    lp.num_row_, lp.num_col_, _ = program.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = program.starts, program.indices
    lp.a_matrix_.value_ = program.entries
    lp.col_names_, lp.row_names_ = program.column_names.tolist(), program.row_names.tolist()
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in program.integers]
    return lp


def _watch(highs: highspy.Highs, program: Program, folder: Path, tell: Tell, stop: threading.Event) -> None:
    """Keep every improving plan on disk, tell how far the search is, and stop it when asked to."""
    began = time.monotonic()

    def interrupt(event: Any) -> None:
        if stop.is_set():
            event.interrupt()

    def progress(event: Any) -> None:
        data = event.data_out
        known = {"value": data.mip_primal_bound, "bound": data.mip_dual_bound}
        tell({"event": "progress", "seconds": time.monotonic() - began} | known)

    def keep(event: Any) -> None:
        vector = np.array(event.data_out.mip_solution)
        if len(vector) == len(program.cost):
            np.save(folder / "improving.npy.new.npy", vector)
            (folder / "improving.npy.new.npy").replace(folder / "improving.npy")
        progress(event)

    for callback in (highs.cbMipInterrupt, highs.cbSimplexInterrupt, highs.cbIpmInterrupt):
        callback.subscribe(interrupt)
    highs.cbMipLogging.subscribe(progress)
    highs.cbMipImprovingSolution.subscribe(keep)


def _sign_log(highs: highspy.Highs, options: dict[str, Any]) -> None:
    """See to it that the log says which HiGHS wrote it: from 1.16 on, its first line goes to the console alone."""
    log = Path(options.get("log_file", ""))
    highs.setOptionValue("log_file", "")
    name = f"HiGHS {highs.version()}"
    if log.is_file() and name not in (told := log.read_text(encoding="utf-8", errors="replace")):
        log.write_text(f"{name}\n{told}", encoding="utf-8")


def _conflict(highs: highspy.Highs) -> list[int]:
    """Rows that cannot hold together; none where only the whole numbers make them clash."""
    highs.setOptionValue("iis_strategy", IIS_IRREDUCIBLE)
    _, iis = highs.getIis()
    return [int(row) for row in iis.row_index_] if iis.valid_ else []


def export(program: Program, file: Path) -> None:
    """Write the program as an MPS file, for a bug report."""
    load(program, {}).writeModel(str(file))


# ---- fit to be used ---------------------------------------------------------------------------------------------


def version() -> str:
    return str(highspy.Highs().version())


def unfit(live: Live) -> str | None:
    """Why the installed HiGHS must not be used; None if it may. `live` is called between the tests."""
    highs = highspy.Highs()
    found = (highs.versionMajor(), highs.versionMinor(), highs.versionPatch())
    if found < OLDEST_SOUND:
        return f"HiGHS {highs.version()} gives wrong answers"
    if found >= UNTRIED:
        return f"HiGHS {highs.version()} is newer than what this program was tried with"
    return failure("HiGHS", highs.version(), Path(highspy._core.__file__), best_value, live)


def best_value(program: Program, presolve: bool) -> float | str:
    """What the best plan of a program is worth, or the status that says why there is none."""
    highs = load(program, {"mip_rel_gap": 0.0, "threads": 1, "presolve": "choose" if presolve else "off"})
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return str(highs.getModelStatus().name)
    return float(highs.getInfo().objective_function_value)


# ---- jobs ---


def carry_out(job: Event, tell: Tell, stop: threading.Event) -> Event:
    folder = Path(job["folder"])
    program = Program.load(folder / "program.npz")
    try:
        if job["task"] == "search":
            return search(program, job["options"], folder, tell, stop)
        if job["task"] == "polish":
            return polish(program, np.load(folder / "improving.npy"), job["options"], folder)
        export(program, folder / "model.mps")
    except Refused as refusal:
        return {"refused": str(refusal)}
    return {}
