"""Running many programs: in parallel through an executor, each answer on disk as it lands, never asked twice.

A question is a program and nothing else, so a worker needs no case and no model; any `concurrent.futures.Executor`
will do, here or on other machines (`dask.distributed.Client.get_executor()`). Answers are kept by a hash of the whole
question in a file of the sweep's folder: after a kill the same sweep goes on with what is missing. What ran out of time
or cannot be trusted is no answer, and is asked again by the next sweep.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.files import journal
from optimizer.ground.errors import Infeasible, NoPlan, SolverFault, WorkerLost
from optimizer.ground.interrupts import give_up, obey_parent
from optimizer.questions.sweeps.guard import refuse_unguarded_script
from optimizer.questions.sweeps.outcomes import UNSOLVED, Outcome, lasts, outcome_of
from optimizer.solver import Found, SolverOptions, solve_program
from optimizer.solver.program import Floats, Program

NAN = float("nan")
MOST_WORKERS = 61 if sys.platform == "win32" else 1024
"""Processes that one pool may have; Windows waits for no more."""
Tell = Callable[[int, int], None]
"""Hears how many answers of how many are there."""


@dataclass(frozen=True)
class Question:
    """A program to be maximised to a relative gap, or to an absolute one in $M, whichever comes first.

    `start` is a vector to begin from, or several as rows, of which the best is taken; no answer depends on it. `near`
    says that it may be about the best, so that nothing is spent on looking for a first plan.
    """

    program: Program = field(repr=False)
    gap: float = 1e-4
    time_limit: float | None = None
    start: Floats | None = field(default=None, repr=False, compare=False)
    gap_musd: float = 0.0
    near: bool = field(default=True, compare=False)

    @cached_property
    def key(self) -> str:
        """A hash of all that the answer follows from."""
        digest = hashlib.sha256(f"{self.gap!r} {self.gap_musd!r} {self.time_limit!r}".encode())
        for part in fields(self.program):
            if not part.name.endswith("_names"):
                digest.update(getattr(self.program, part.name).tobytes())
        return digest.hexdigest()[:24]


@dataclass(frozen=True)
class Landed:
    """What came of a question. Without a plan `value_musd` is NaN, and `why` says what kept it away."""

    key: str
    outcome: Outcome
    value_musd: float
    bound_musd: float
    vector: Floats = field(repr=False)
    row_duals: Floats = field(repr=False)
    seconds: float
    why: str = ""

    @property
    def has_plan(self) -> bool:
        return not np.isnan(self.value_musd)

    @property
    def unsolved(self) -> bool:
        """Whether neither a plan was found nor that there is none."""
        return not self.has_plan and self.outcome in UNSOLVED

    def record(self) -> dict[str, Any]:
        """Plain values that read back exactly; of vectors only what is not zero."""
        plain = {name: getattr(self, name) for name in ("key", "outcome", "seconds", "why")}
        figures = {name: _written(getattr(self, name)) for name in ("value_musd", "bound_musd")}
        vectors = {name: _sparse(getattr(self, name)) for name in ("vector", "row_duals")}
        return plain | figures | vectors

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Landed:
        figures = {name: _read(record[name]) for name in ("value_musd", "bound_musd")}
        vectors = {name: _dense(record[name]) for name in ("vector", "row_duals")}
        return cls(**({**record} | figures | vectors))


def _written(figure: float) -> float | str:
    return figure if np.isfinite(figure) else str(figure)


def _read(figure: float | str) -> float:
    return float(figure)


def _sparse(vector: Floats) -> dict[str, Any]:
    places = np.flatnonzero(vector)
    return {"length": len(vector), "places": places.tolist(), "values": vector[places].tolist()}


def _dense(record: Mapping[str, Any]) -> Floats:
    vector = np.zeros(int(record["length"]))
    vector[record["places"]] = record["values"]
    return vector


def answer(question: Question) -> Landed:
    """Solve one question; the work of a worker. Without a plan it says why; an interrupt ends it without a word."""
    began = time.monotonic()
    known = question.start is not None and question.near
    options = SolverOptions(
        gap=question.gap, gap_musd=question.gap_musd, time_limit=question.time_limit, restarts=False,
        heuristics=not known,
    )  # fmt: skip

    def landed(outcome: Outcome, value: float, bound: float, why: str, found: Found | None = None) -> Landed:
        vectors = (np.zeros(0), np.zeros(0)) if found is None else (found.vector, found.row_duals)
        return Landed(question.key, outcome, value, bound, *vectors, round(time.monotonic() - began, 3), why)

    try:
        found = solve_program(question.program, options, start=question.start)
    except Infeasible as none:
        return landed("infeasible", NAN, -np.inf, str(none))
    except (NoPlan, SolverFault) as error:
        return landed(outcome_of(error), NAN, getattr(error, "bound", np.inf), str(error))
    if found.status == "interrupted":
        give_up()
    return landed("optimal" if found.status == "optimal" else "limit", found.value, found.bound, found.ended, found)


class Landings:
    """What came of the questions of a sweep; given a folder, answers are on disk as soon as they land."""

    def __init__(self, folder: Path | None = None):
        self._kept = journal.Answers(folder)
        self._known = self._kept.read(Landed.of)

    def __contains__(self, question: Question) -> bool:
        return question.key in self._known

    def __getitem__(self, question: Question) -> Landed:
        return self._known[question.key]

    def add(self, landed: Landed) -> None:
        """Raises PlanError where the disk does not take it."""
        if lasts(landed.outcome):
            self._kept.add(landed.key, landed.record())
        self._known[landed.key] = landed


@contextmanager
def workers(count: int | None = None) -> Iterator[Executor]:
    """Processes on this machine, one for each core unless said; each keeps a solver of its own.

    Raises WorkerLost where one of them dies at its work, and in a script that each of them would run again.
    """
    refuse_unguarded_script()
    context = multiprocessing.get_context("spawn")
    count = min(count or os.cpu_count() or 1, MOST_WORKERS)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_serve_parent) as pool:
        try:
            with _deaf():
                for _ in range(count):
                    pool.submit(os.getpid)
            yield pool
        except BrokenProcessPool:
            _end(pool)
            raise WorkerLost(LOST) from None
        except BaseException:
            _end(pool)
            raise


LOST = (
    "A worker process ended before it had answered: something killed it, or memory ran out. What landed before is "
    "kept, and the same command goes on with it; fewer solves at a time (-j) take less memory."
)


def _end(pool: ProcessPoolExecutor) -> None:
    """Nothing is waited for: neither questions that wait, nor workers in the middle of one."""
    busy = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in busy:
        process.terminate()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that begin meanwhile do not hear Ctrl-C, which reaches all of a terminal: the parent ends them.

    The parent hears one that comes meanwhile when this is over, where the system can put a signal off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _put_off(signal.SIGINT):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _put_off(name: signal.Signals) -> Iterator[None]:
    """A signal that comes meanwhile comes afterwards; as ever on Windows, which has no way to."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which would let the signal through, were it begun by the first worker
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [name])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve_parent() -> None:
    """A worker heeds no Ctrl-C, and ends when its parent does, which would otherwise leave it waiting for ever."""
    obey_parent()
    parent = multiprocessing.parent_process()

    def leave() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=leave, daemon=True).start()


@dataclass
class Sweep:
    """Where and how questions are answered: the executor (this process without one), what is known, who is told."""

    executor: Executor | None = None
    folder: Path | None = None
    tell: Tell | None = None
    at_once: int = 2 * (os.cpu_count() or 1)
    """Questions handed to the executor before the first of them is answered; later ones can begin from its answer."""
    answers: Landings = field(init=False)

    def __post_init__(self) -> None:
        self.answers = Landings(self.folder)

    def ask(
        self,
        questions: Sequence[Question],
        begin: Callable[[int, Sequence[int]], int | Sequence[int] | None] | None = None,
    ) -> list[Landed]:
        """Answer all questions. `begin(i, done)` names, of those done, the plans from which question i may begin."""
        done = [i for i, question in enumerate(questions) if question in self.answers]
        waiting = [i for i in range(len(questions)) if i not in set(done)]
        done = [i for i in done if self.answers[questions[i]].has_plan]
        self._told(len(questions) - len(waiting), len(questions))

        def start(i: int) -> Question:
            near = begin(i, done) if begin is not None else None
            names = () if near is None else (near,) if isinstance(near, int) else near
            return replaced_start(questions[i], *(self.answers[questions[j]] for j in names))

        for i, landed in self._landing(waiting, start):
            self.answers.add(landed)
            if landed.has_plan:
                done.append(i)
            self._told(len(questions) - len(waiting), len(questions))
        return [self.answers[question] for question in questions]

    def _landing(self, waiting: list[int], start: Callable[[int], Question]) -> Iterator[tuple[int, Landed]]:
        """Hand out what waits, a few at once, and give each answer as it lands; `waiting` shrinks by what landed."""
        if self.executor is None:
            for i in list(waiting):
                landed = answer(start(i))
                waiting.remove(i)
                yield i, landed
            return
        flying: dict[Future[Landed], int] = {}
        queue = list(waiting)
        try:
            while queue or flying:
                while queue and len(flying) < self.at_once:
                    i = queue.pop(0)
                    flying[self.executor.submit(answer, start(i))] = i
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    i = flying.pop(future)
                    waiting.remove(i)
                    yield i, future.result()
        finally:
            for future in flying:
                future.cancel()

    def _told(self, done: int, of: int) -> None:
        if self.tell is not None:
            self.tell(done, of)


def replaced_start(question: Question, *known: Landed | None) -> Question:
    """The question beginning from the whole numbers of one or more answers that have a plan of the same shape."""
    program = question.program
    fit = [one.vector for one in known if one is not None and len(one.vector) == len(program.cost)]
    if not fit:
        return question
    starts = np.unique([vector[program.integers] for vector in fit], axis=0)
    start = np.full((len(starts), len(program.cost)), np.nan)
    start[:, program.integers] = starts
    return replace(question, start=start[0] if len(start) == 1 else start)
