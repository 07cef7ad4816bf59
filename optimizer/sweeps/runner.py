"""Running many programs: in parallel through an executor, each answer on disk as it lands, never asked twice.

A question is a program and nothing else, so a worker needs no case and no model; any `concurrent.futures.Executor`
will do, here or on other machines (`dask.distributed.Client.get_executor()`). Answers are kept by a hash of the whole
question in a file of the sweep's folder: after a kill the same sweep goes on with what is missing.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from optimizer.errors import Infeasible, NoPlan, PlanError, SolverFault
from optimizer.journal import Journal
from optimizer.solver import Found, SolverOptions, solve_program
from optimizer.solver.program import Floats, Program

NAN = float("nan")
MOST_WORKERS = 61 if sys.platform == "win32" else 1024
"""Processes that one pool may have; Windows waits for no more."""
Outcome = Literal["optimal", "limit", "infeasible", "fault"]
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
    """An answer. Without a plan `value_musd` is NaN, and `why` says what kept it away."""

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
        return self.outcome in ("optimal", "limit")

    def to_json(self) -> str:
        """A line that reads back exactly; of vectors only what is not zero."""
        plain = {name: getattr(self, name) for name in ("key", "outcome", "seconds", "why")}
        figures = {name: _written(getattr(self, name)) for name in ("value_musd", "bound_musd")}
        vectors = {name: _sparse(getattr(self, name)) for name in ("vector", "row_duals")}
        return json.dumps(plain | figures | vectors, allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> Landed:
        record = json.loads(line)
        figures = {name: _read(record[name]) for name in ("value_musd", "bound_musd")}
        vectors = {name: _dense(record[name]) for name in ("vector", "row_duals")}
        return cls(**(record | figures | vectors))


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
    """Solve one question; the work of a worker. What has no plan, or cannot be trusted, is an answer too."""
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
        return landed("fault", NAN, np.inf, str(error))
    return landed("optimal" if found.status == "optimal" else "limit", found.value, found.bound, found.ended, found)


class Answers:
    """The answers of a sweep, in memory and, given a folder, on disk as soon as they land."""

    def __init__(self, folder: Path | None = None):
        self._journal = None if folder is None else Journal(folder / "answers.jsonl")
        self._known = {landed.key: landed for landed in self._on_disk()}

    def __contains__(self, question: Question) -> bool:
        return question.key in self._known

    def __getitem__(self, question: Question) -> Landed:
        return self._known[question.key]

    def add(self, landed: Landed) -> None:
        if self._journal is not None:
            self._journal.add(landed.to_json())
        self._known[landed.key] = landed

    def _on_disk(self) -> Iterator[Landed]:
        """What is there, without a line cut short by a kill."""
        for line in () if self._journal is None else self._journal.lines():
            try:
                yield Landed.from_json(line)
            except (ValueError, KeyError, TypeError):
                continue


@contextmanager
def workers(count: int | None = None) -> Iterator[Executor]:
    """Processes on this machine, one for each core unless said; each keeps a solver of its own."""
    context = multiprocessing.get_context("spawn")
    count = min(count or os.cpu_count() or 1, MOST_WORKERS)
    with ProcessPoolExecutor(count, mp_context=context, initializer=_stay_with_parent) as pool:
        with _deaf():
            for _ in range(count):
                pool.submit(os.getpid)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that begin meanwhile do not hear Ctrl-C, which reaches all of a terminal: the parent ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stay_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever: it ends when the parent does."""
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
    answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        self.answers = Answers(self.folder)

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
            self._keep(landed)
            if landed.has_plan:
                done.append(i)
            self._told(len(questions) - len(waiting), len(questions))
        return [self.answers[question] for question in questions]

    def _keep(self, landed: Landed) -> None:
        try:
            self.answers.add(landed)
        except OSError as error:
            raise PlanError(f"{self.folder} cannot be written: {error.strerror}. What landed before is kept.") from None

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
