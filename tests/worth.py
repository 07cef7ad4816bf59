"""What a case is worth, as an interval; what is claimed of two of them; and a case that was solved once for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

from other_solvers import Matrices, Outcome, matrices_of
from pyomo.environ import ConcreteModel, Constraint, Var
from variants import unbound_by_prices

from optimizer.business.model import build_model
from optimizer.business.ports import Linear, Step
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible
from optimizer.solver import Answer, SolverOptions
from optimizer.solver.models import solve_model

TOLERANCE = 1e-6
EXACTLY = SolverOptions(gap=0.0)


@dataclass(frozen=True)
class Worth:
    """The value of the plan found and its bound: the optimum lies between. No plan is worth minus infinity."""

    low: float
    high: float

    def __add__(self, musd: float) -> Worth:
        return Worth(self.low + musd, self.high + musd)

    def __mul__(self, k: float) -> Worth:
        return Worth(self.low * k, self.high * k)

    @property
    def slack(self) -> float:
        sizes = (abs(end) for end in (self.low, self.high) if abs(end) < inf)
        return TOLERANCE * max(1.0, *sizes, 0.0)


NOTHING = Worth(-inf, -inf)


@dataclass(frozen=True)
class Claim:
    """Something that must be so, and whether it is."""

    words: str
    holds: bool


def no_more(a: Worth, b: Worth, words: str, slack: float = 0.0) -> Claim:
    """The optimum of the first is not above that of the second; fails only where that is certain."""
    return Claim(f"{words}: {a} <= {b}", a.low <= b.high + max(slack, a.slack, b.slack))


def equal(a: Worth, b: Worth, words: str, slack: float = 0.0) -> Claim:
    """The same optimum; fails only where the intervals lie apart."""
    slack = max(slack, a.slack, b.slack)
    return Claim(f"{words}: {a} = {b}", a.low <= b.high + slack and b.low <= a.high + slack)


def so(words: str, holds: bool) -> Claim:
    return Claim(words, bool(holds))


def near(a: float, b: float, words: str, slack: float = 0.0) -> Claim:
    return equal(Worth(a, a), Worth(b, b), words, slack)


def solved(model: ConcreteModel) -> Worth:
    try:
        answer = solve_model(model, EXACTLY)
    except Infeasible:
        return NOTHING
    return Worth(answer.value, answer.bound)


def worth_of(case: Case, scenario: str) -> Worth:
    return solved(build_model(case, scenario))


def worth_of_outcome(outcome: Outcome) -> Worth:
    if outcome.value is None or outcome.bound is None:
        return NOTHING
    return Worth(outcome.value, outcome.bound)


class Base:
    """A case, its model and its best plan, solved when first asked for. Raises Infeasible where it has none."""

    def __init__(self, case: Case, scenario: str = "base"):
        self.case, self.scenario = case, scenario

    @cached_property
    def model(self) -> ConcreteModel:
        return build_model(self.case, self.scenario)

    @property
    def outcome(self) -> Any:
        """The block of the scenario."""
        return self.model.outcome[self.scenario]

    @cached_property
    def answer(self) -> Answer:
        return solve_model(self.model, EXACTLY)

    @cached_property
    def worth(self) -> Worth:
        return Worth(self.answer.value, self.answer.bound)

    @cached_property
    def matrices(self) -> Matrices:
        matrices = matrices_of(self.model)
        assert matrices is not None
        return matrices

    @cached_property
    def unbound(self) -> Base:
        """The same company where no rule hangs on a price; rich enough to have a plan if this one has."""
        return Base(unbound_by_prices(self.case), self.scenario)

    def of(self, decision: Any) -> float:
        """The value of a decision, a step or a sum of them in the best plan."""
        if isinstance(decision, Step):
            return self.of(decision.after) - self.of(decision.before)
        if isinstance(decision, Linear):
            return decision.constant + sum(c * self.answer(x) for c, x in decision.terms)
        return float(self.answer(decision))

    @property
    def spent_musd(self) -> float:
        return sum(self.of(paid) for paid in self.outcome.capex.values())

    @property
    def integers(self) -> list[Any]:
        """The whole-numbered variables that the solver saw."""
        columns = self.model.component_data_objects(Var)
        return [x for x in columns if x.is_integer() and id(x) in self.answer.values]

    def replaced(self, **changes: Any) -> Worth:
        return worth_of(self.case.replace(**changes), self.scenario)


@contextmanager
def with_row(model: ConcreteModel, expression: Any) -> Iterator[ConcreteModel]:
    """The model with one more row."""
    model.one_more = Constraint(expr=expression)
    try:
        yield model
    finally:
        model.del_component("one_more")


@contextmanager
def with_fixed(model: ConcreteModel, values: list[tuple[Any, float]]) -> Iterator[ConcreteModel]:
    """The model with some variables held by their bounds.

    Not by Pyomo's `fix`: rows that become plain numbers are then compared without any room, and 7.2 MW do not fit into
    three blocks of 2.4.
    """
    before = [(variable, variable.lb, variable.ub) for variable, _ in values]
    for variable, value in values:
        variable.setlb(value)
        variable.setub(value)
    try:
        yield model
    finally:
        for variable, low, high in before:
            variable.setlb(low)
            variable.setub(high)


@contextmanager
def only_rows(model: ConcreteModel, active: set[str]) -> Iterator[ConcreteModel]:
    """The model with no rows but those of these names."""
    off = [row for row in model.component_data_objects(Constraint, active=True) if row.local_name not in active]
    for row in off:
        row.deactivate()
    try:
        yield model
    finally:
        for row in off:
            row.activate()
