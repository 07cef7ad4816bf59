"""Stages: what a case is worth with its best decisions, and with given ones. No audit, no plan that decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

from optimizer.decisions import DECIMALS, Decisions, read_decisions
from optimizer.errors import Infeasible, NoPlan
from optimizer.interrupts import give_up, stoppable
from optimizer.model import build_model
from optimizer.quarters import Quarter
from optimizer.schema import MINING
from optimizer.settlement import settle
from optimizer.solver import Answer, SolverOptions
from optimizer.solver.models import solve_model
from optimizer.sweeps.outcomes import WORDS, Outcome, outcome_of

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case import Case

CLASHES = 2
"""Rules told at most of those that cannot hold together."""
ROOM = 1e-6
"""MW by which a kept decision may lie outside the bounds that a changed case sets it."""


@dataclass(frozen=True)
class Choices:
    """Here-and-now decisions by what they are about: blocks started, IT MW signed, gross MW of machines.

    `signed` is keyed by offer, site and first delivery; machines by class, site and quarter.
    """

    starts: Mapping[tuple[str, Quarter], int]
    signed: Mapping[tuple[str, str, Quarter], float]
    installed: Mapping[tuple[str, str, Quarter], float]
    going: Mapping[tuple[str, str, Quarter], float]
    coming: Mapping[tuple[str, str, Quarter], float]
    buying: Mapping[tuple[str, str, Quarter], float]


@dataclass(frozen=True)
class Worth:
    """What a case is worth: the best plan found, the bound on any, and what that plan decides.

    `whole` is whether the search came to its end, so that another run may take the answer over.
    """

    value_musd: float
    bound_musd: float
    choices: Choices = field(repr=False)
    decisions: Decisions = field(repr=False)
    whole: bool = field(default=True, compare=False)


def worth(case: Case, scenario: str, options: SolverOptions | None = None) -> Worth:
    """Solve a case in one scenario. Raises Infeasible, NoPlan and SolverFault."""
    with stoppable():
        model = build_model(case, scenario)
        answer = _solved(model, options)
    tables = settle(model, answer).tables
    whole = answer.status == "optimal"
    return Worth(answer.value, answer.bound, choices_of(tables), read_decisions(case, tables), whole)


def _solved(model: Any, options: SolverOptions | None) -> Answer:
    """The best plan of a model; an interrupt ends the work. Raises Infeasible, NoPlan and SolverFault."""
    answer = solve_model(model, options or SolverOptions())
    if answer.status == "interrupted":
        give_up()
    return answer


def worth_or_why(case: Case, scenario: str, options: SolverOptions | None = None) -> Worth | str:
    """The same, and in words why there is none where no plan keeps every rule or none is found in time."""
    try:
        return worth(case, scenario, options)
    except Infeasible as error:
        sentences = list(dict.fromkeys(clash.sentence.rstrip(".") for clash in error.clashes))[:CLASHES]
        return "no plan keeps every rule" + (f" ({'; '.join(sentences)})" if sentences else "")
    except NoPlan as error:
        return _too_early(outcome_of(error))


def kept(case: Case, scenario: str, choices: Choices, options: SolverOptions | None = None) -> float | str:
    """What given decisions are worth in a case, $M, all else decided anew; NaN where the case does not allow them.

    In words where the search ended before it had found that out.

    Starts, signings, sizes, machines installed, moved and bought stay. Machines that the case gives no quarter to stand
    in, since they could only cost there, are sold.
    """
    with stoppable():
        model = build_model(case, scenario)
        if not _hold(model, choices):
            return nan
        try:
            answer = _solved(model, options)
        except Infeasible:
            return nan
        except NoPlan as error:
            return _too_early(outcome_of(error))
    return answer.value if answer.status == "optimal" else _too_early("limit")


def _too_early(outcome: Outcome) -> str:
    return f"{WORDS[outcome]}: the search ended before it found a plan"


class InTurn(Executor):
    """Runs each task when it is submitted, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


# ---- reading decisions --------------------------------------------------------------------------------------------


def choices_of(tables: Mapping[str, pd.DataFrame]) -> Choices:
    """The here-and-now decisions that the tables of a plan hold."""
    machines = tables["machines"]
    allocation = tables["allocation"]
    there = allocation[allocation["use"].isin([MINING, "machines_idle"])].rename(columns={"detail": "asic"})
    return Choices(
        starts=_sums(tables["starts"], ["option", "start_quarter"], "blocks"),
        signed=_sums(tables["contracts"], ["offer", "site", "delivery_quarter"], "it_mw"),
        installed=_sums(there, ["asic", "site", "quarter"], "gross_mw"),
        going=_sums(machines, ["asic", "site", "quarter"], "moved_away_gross_mw"),
        coming=_sums(machines, ["asic", "site", "quarter"], "arrived_gross_mw"),
        buying=_sums(machines, ["asic", "site", "quarter"], "bought_gross_mw"),
    )


def _sums(table: pd.DataFrame, keys: list[str], column: str) -> dict[Any, Any]:
    sums = table.groupby(keys, sort=False)[column].sum()
    return {(*key[:-1], Quarter.parse(key[-1])): value for key, value in sums.items() if value > 0}


# ---- holding decisions --------------------------------------------------------------------------------------------


def _hold(m: Any, choices: Choices) -> bool:
    """Fix the here-and-now columns of a model by name; false where it lacks one, or its bounds forbid the decision."""
    return _hold_starts(m, choices) and _hold_contracts(m, choices) and _hold_machines(m, choices)


def _set(variable: Any, value: float) -> bool:
    if not variable.lb - ROOM <= value <= variable.ub + ROOM:
        return False
    value = min(max(value, variable.lb), variable.ub)
    variable.setlb(value)
    variable.setub(value)
    return True


def _hold_starts(m: Any, choices: Choices) -> bool:
    """`N[o,t]` counts the blocks started by t; what is committed before any could be decided must be the same."""
    decided = {(row.option, row.quarter): row.blocks for row in m.case.committed_starts}
    if any(key not in m.n for key in choices.starts):
        return False
    if any(choices.starts.get(key, 0) < blocks for key, blocks in decided.items()):
        return False
    if any(choices.starts[key] != decided.get(key, 0) for key in choices.starts if key not in m.N):
        return False
    sofar = {(o, t): sum(n for (name, q), n in choices.starts.items() if name == o and q <= t) for o, t in m.N}
    return all(_set(m.N[key], started) for key, started in sofar.items())


def _hold_contracts(m: Any, choices: Choices) -> bool:
    committed = {(row.offer, row.site, row.quarter): row.it_mw for row in m.case.committed_contracts}
    left = dict(choices.signed)
    for key, it_mw in committed.items():
        if abs(left.pop(key, 0.0) - it_mw) > ROOM:
            return False
    signed = {key: it_mw for key in m.y if (it_mw := _signed_in(m, key, left)) is not None}
    if len(signed) < len(left):
        return False
    for variable, of in ((m.Y, lambda it_mw: 1.0), (m.Q, lambda it_mw: it_mw)):
        for *place, t in variable:
            total = sum(of(mw) for (*there, q), mw in signed.items() if there == place and q <= t)
            if not _set(variable[(*place, t)], total):
                return False
    return True


def _signed_in(m: Any, key: tuple[str, int, str, Quarter], left: Mapping[Any, float]) -> float | None:
    """IT MW of a contract, if this is the price tier that its size falls in."""
    offer, tier, site, t = key
    it_mw = left.get((offer, site, t))
    if it_mw is None:
        return None
    low, high = m.tiers[offer, tier][:2]
    first = next((k for k in range(tier) if (offer, k) in m.tiers and it_mw <= m.tiers[offer, k][1] + ROOM), None)
    return it_mw if first is None and low - ROOM <= it_mw <= high + ROOM else None


def _hold_machines(m: Any, choices: Choices) -> bool:
    for variable, chosen, must in (
        (m.g, choices.installed, False), (m.going, choices.going, True), (m.coming, choices.coming, True),
        (m.buying, choices.buying, True),
    ):  # fmt: skip
        if must and any(mw > 10**-DECIMALS and key not in variable for key, mw in chosen.items()):
            return False
        if not all(_set(variable[key], chosen.get(key, 0.0)) for key in variable):
            return False
    return True
