"""What a bridge has solved already, by a hash of all that it follows from; on disk as it lands, given a folder."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from optimizer.case.case import Case
from optimizer.case.folder import input_hashes
from optimizer.files.journal import Answers
from optimizer.ground.errors import PlanError
from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import Decisions, Signing, Start
from optimizer.questions.compare.stages import Worth
from optimizer.questions.planner import optimizer_version
from optimizer.questions.sweeps.holding import Taken
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.solver import SolverOptions, solver_version

Result = Worth | str | float
"""What a stage is worth, why it has no plan, or what given decisions are worth in it."""


class Memory:
    """Results of stages by key, read back exactly as they were added; several threads may add.

    What the disk does not take is remembered while this lasts and no longer. That a search ended too early is not kept:
    another time, or another machine, may have more of either.
    """

    def __init__(self, folder: Path | None = None):
        self._kept = Answers(folder)
        self._known: dict[str, Result] = self._kept.read(_result)
        self._adding = threading.Lock()

    def get(self, key: str) -> Result | None:
        return self._known.get(key)

    def add(self, key: str, result: Result) -> None:
        """Keep a result, but for one that says only that a search ended too early."""
        if isinstance(result, str) and unsolved_word(result):
            return
        with self._adding:
            self._known[key] = result
            if not isinstance(result, Worth) or result.whole:
                with suppress(PlanError):
                    self._kept.add(key, _record(result))


def key_of(case: Case, scenario: str, options: SolverOptions, taken: Taken | None = None) -> str:
    """A hash of the inputs, the options, the decisions that are kept, and the versions of program and solver."""
    follows = [input_hashes(case), scenario, repr(options), optimizer_version(), solver_version()]
    text = json.dumps([*follows, None if taken is None else _of_taken(taken)], default=lambda n: n.item())
    return hashlib.sha256(text.encode()).hexdigest()[:24]


# ---- as JSON ------------------------------------------------------------------------------------------------------

_BY_PAIRS = ("machines", "refreshed")
"""Columns of decisions whose keys are pairs of names."""


def _record(result: Result) -> dict[str, Any]:
    if isinstance(result, str):
        return {"why": result}
    if not isinstance(result, Worth):
        return {"kept": result}
    decisions = asdict(result.taken.decisions)
    pairs = {name: [[*key, value] for key, value in decisions[name].items()] for name in _BY_PAIRS}
    figures = {"value": result.value_musd, "bound": result.bound_musd}
    return figures | {"taken": _of_taken(result.taken), "decisions": decisions | pairs}


def _of_taken(taken: Taken) -> dict[str, Any]:
    """What is decided, without its words: rows of key and number."""
    return {
        name.name: [
            [*(str(part) if isinstance(part, Quarter) else part for part in key), number]
            for key, number in getattr(taken, name.name).items()
        ]
        for name in fields(Taken)
        if name.name != "decisions"
    }


def _result(record: Mapping[str, Any]) -> Result:
    if "why" in record:
        return str(record["why"])
    if "kept" in record:
        return float(record["kept"])
    taken = {
        name: {(*key, Quarter.parse(quarter)): value for *key, quarter, value in rows}
        for name, rows in record["taken"].items()
    }
    told = record["decisions"]
    pairs = {name: {(one, other): value for one, other, value in told[name]} for name in _BY_PAIRS}
    lists = {
        "starts": tuple(Start(**start) for start in told["starts"]),
        "signed": tuple(Signing(**signing) for signing in told["signed"]),
        "refused": tuple(told["refused"]),
    }
    decisions = Decisions(**(told | pairs | lists))
    return Worth(record["value"], record["bound"], Taken(**taken, decisions=decisions))
