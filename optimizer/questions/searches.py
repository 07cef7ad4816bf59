"""Searches: from a model to an answer that was doubted and whose flows bear it out; what doing nothing is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from math import fsum
from typing import Any

import pandas as pd
from pyomo.core import Objective, maximize

from optimizer.auditors import audit
from optimizer.auditors.report import Check, Report, Tally
from optimizer.business.company.treasury import btc_musd
from optimizer.business.model import build_model, build_rules
from optimizer.case.case import Case
from optimizer.case.schema import CommittedStart
from optimizer.ground.errors import Infeasible, NoPlan, SolverFault
from optimizer.ground.interrupts import stoppable, workspace
from optimizer.ground.quarters import Quarter
from optimizer.plan.plan import Plan
from optimizer.plan.settlement import MiningOn, Settled, settle
from optimizer.solver import Answer, Progress, SolverOptions, keep_evidence
from optimizer.solver.models import solve_model
from optimizer.solver.proof import BOARD_GAP, Proof, Second, prove

NOTHING_S = 60.0
A_DOLLAR = 1e-6
VALUE_TIE = 1e-9
"""How far the value summed from the plan's flows may lie from the solver's, as a share of all flows; at least $1."""


def search(model: Any, options: SolverOptions, progress: Callable[[Progress], None] | None = None) -> Answer:
    """The best plan of a model; where it is said that there is none, another search on another road must say so too.

    Raises Infeasible, NoPlan or SolverFault.
    """
    try:
        return solve_model(model, options, progress)
    except Infeasible:
        doubt(model, replace(options, seed=options.seed + 1, presolve="off", log=None))
        raise


def doubt(model: Any, options: SolverOptions) -> bool:
    """Ask again whether a model has no plan; False where a limit comes before an answer.

    Raises SolverFault for a plan, NoPlan for an interrupt.
    """
    try:
        solve_model(model, options)
    except Infeasible:
        return True
    except NoPlan as none:
        if none.interrupted:
            raise
        return False
    raise SolverFault(f"it says that no plan keeps every rule, and then finds one with seed {options.seed}")


@contextmanager
def evidence_of(answer: Answer, options: SolverOptions) -> Iterator[None]:
    """What is refused inside leaves its model, vector and log."""
    try:
        yield
    except SolverFault as fault:
        fault.evidence = fault.evidence or keep_evidence(answer.program, answer.vector, options.log)
        raise


def prove_again(answer: Answer, options: SolverOptions, second: Second | None) -> Proof | None:
    """The second search; none where none is asked for, or the first proved nothing."""
    return prove(answer, options, second) if second is not None and answer.status == "optimal" else None


def settle_tied(model: Any, answer: Answer, scenario: str | None = None) -> Settled:
    """The tables of an answer in a scenario, which must be named where the model has several.

    Raises SolverFault where its flows are not worth what the solver's objective says.
    """
    settled = settle(model, answer, scenario)
    objective = answer.value if scenario is None else worth_in(model, answer, scenario)
    flows = pd.concat([settled.tables["cash_flow"], settled.tables["after_horizon"]])
    tolerance = max(1e-6, VALUE_TIE * float(flows["musd"].abs().sum()))
    if abs(settled.value_musd - objective) > tolerance:
        raise SolverFault(
            f"the plan's flows are worth {settled.value_musd:.9g}, the solver's objective says {objective:.9g}"
        )
    return settled


def worth_in(model: Any, answer: Answer, scenario: str) -> float:
    """What the solver's objective holds of one scenario, $M."""
    worth = model.ports.worth().extend(model.outcome[scenario].ports.worth())
    return fsum([worth.constant, *(c * answer(x) for c, x in worth.terms)])


@dataclass(frozen=True)
class Nothing:
    """The plan that decides nothing, and whether a second search found nothing better either."""

    settled: Settled
    proven: bool


def do_nothing(case: Case, scenario: str, options: SolverOptions, second: Second | None) -> Nothing | None:
    """The plan without new decisions; None where its commitments and policies cannot be kept that way.

    It is what every plan is measured by, so it is solved to the board's gap, in at least a minute. Raises NoPlan where
    that was too short.
    """
    limit = None if options.time_limit is None else max(options.time_limit, NOTHING_S)
    options = replace(options, gap=BOARD_GAP, time_limit=limit, log=None)
    model = build_model(case, scenario, decide=False)
    try:
        answer = search(model, options)
    except Infeasible:
        return None
    if answer.status != "optimal":
        interrupted = answer.status == "interrupted"
        raise NoPlan(f"Doing nothing was not solved ({answer.ended})", float("inf"), interrupted=interrupted)
    with evidence_of(answer, options):
        proof = prove_again(answer, options, second)
        return Nothing(settle_tied(model, answer), proof is not None and proof.holds is True)


def mine_on(case: Case, scenario: str, options: SolverOptions) -> MiningOn:
    """The best plan without any start or signing that keeps every rule; where there is none, when it breaks.

    Neither is told where no sum of money would mend it (a policy asks for halls, say), nor what is not found out in a
    minute. Raises NoPlan for an interrupt.
    """
    options = replace(options, gap=BOARD_GAP, time_limit=NOTHING_S, log=None)
    model = build_model(case, scenario)
    _hold_back(model)
    try:
        answer = _twice_asked(model, options)
    except Infeasible:
        return _short_of_money(case, scenario, options)
    except NoPlan as none:
        if none.interrupted:
            raise
        return MiningOn(None, found_out=False)
    if answer.status == "interrupted":
        raise NoPlan("Mining on was not solved (interrupted)", float("inf"), interrupted=True)
    return MiningOn(settle_tied(model, answer)) if answer.status == "optimal" else MiningOn(None, found_out=False)


def _twice_asked(model: Any, options: SolverOptions) -> Answer:
    """The best plan of a model; that there is none is believed when another search, on another road, says so too.

    The plan that the second finds is as good: it is settled and audited like every other.
    """
    try:
        return solve_model(model, options)
    except Infeasible:
        return solve_model(model, replace(options, seed=options.seed + 1, presolve="off"))


def _hold_back(model: Any) -> None:
    """Let nothing start and nothing be signed beyond what is committed."""
    committed: dict[str, list[CommittedStart]] = {}
    for row in model.case.committed_starts:
        committed.setdefault(row.option, []).append(row)
    for (option, t), state in model.N.items():
        begun = sum(
            row.blocks for row in committed.get(option, ()) if (option, row.quarter) in model.N and row.quarter <= t
        )
        before = sum(row.blocks for row in committed.get(option, ()) if (option, row.quarter) not in model.N)
        state.setub(begun + before)
    for signing in (*model.Y.values(), *model.Q.values()):
        signing.setub(0)


def _short_of_money(case: Case, scenario: str, options: SolverOptions) -> MiningOn:
    """How much more cash at the start would let the company mine on, and the quarter that asks for it."""
    model = build_rules(case, (scenario,), money=True)
    _hold_back(model)
    model.value = Objective(expr=-model.money[0], sense=maximize)
    try:
        answer = solve_model(model, options)
    except Infeasible:
        return MiningOn(None)
    except NoPlan as none:
        if none.interrupted:
            raise
        return MiningOn(None, found_out=False)
    return MiningOn(None, _first_below(model, scenario, answer), answer(model.money[0]))


def _first_below(model: Any, scenario: str, answer: Answer) -> Quarter:
    """The first quarter at whose end liquidity would be below the minimum without the money that was brought in."""
    settings, b = model.case.settings, model.outcome[scenario]
    brought, growth = answer(model.money[0]), 1 + (settings.cash_rate or 0.0) / 4
    for i, (t, cash) in enumerate(b.closing_cash.items()):
        liquidity = fsum([cash.constant, *(c * answer(x) for c, x in cash.terms)]) - brought * growth ** (i + 1)
        if (t, scenario) in b.H:
            liquidity += (settings.btc_liquidity_share or 0.0) * btc_musd(b.ports, t) * answer(b.H[t, scenario])
        if liquidity < settings.minimum_cash_musd - A_DOLLAR:
            return Quarter(t)
    return Quarter(model.case.last)


def audit_whole(case: Case, plan: Plan) -> Report:
    """The audit of a plan, and where it says that doing nothing is impossible, a search that must say so too."""
    report = audit(case, plan)
    if plan.nothing is not None or not report.clean:
        return report
    return replace(report, checks=(*report.checks, check_absence(case, plan.scenario)))


def check_absence(case: Case, scenario: str) -> Check:
    """Whether a case really cannot do nothing, as a plan says that has no such plan beside it: searched for again.

    Raises NoPlan for an interrupt; a search that comes to no end confirms nothing.
    """
    tally = Tally(
        "quality", "no_doing_nothing",
        "Where no plan that decides nothing stands beside a plan, a search finds none either.", "so or not", Decimal(0),
    )  # fmt: skip
    found = ""
    try:
        with workspace(), stoppable():
            nothing = do_nothing(case, scenario, SolverOptions(time_limit=NOTHING_S), None)
        if nothing is not None:
            found = f"doing nothing is possible, and worth ${nothing.settled.value_musd:,.3f}M"
    except NoPlan as none:
        if none.interrupted:
            raise
        found = f"whether doing nothing is possible was not found out in {NOTHING_S:g} s"
    tally.holds(found or "doing nothing", not found)
    return tally.check()
