"""Trials: a case with some of its rules dropped or giving way, put to the solver."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

from pyomo.core import ConcreteModel, Constraint, ConstraintList, Objective, Var, maximize, value

from optimizer.business.model import build_rules, component
from optimizer.business.rows import SKIP
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible, NoPlan, SolverFault
from optimizer.ground.interrupts import give_up
from optimizer.questions.conflicts.levers import Lever
from optimizer.questions.conflicts.rule import Rule, Ticket
from optimizer.questions.conflicts.rulebook import rulebook
from optimizer.questions.searches import doubt
from optimizer.solver import Answer, SolverOptions
from optimizer.solver.models import solve_model

LARGEST = 1e6
"""Bound of an amount by which a rule may give way, in its own unit."""
EXACT = 1e-9
"""An amount that improves by less is the least."""


class OutOfTime(Exception):
    """The time for explaining is used up."""


@dataclass
class Trials:
    """One case in one scenario, its rules, and the time left to try what happens without some of them."""

    case: Case
    scenario: str
    deadline: float
    seed: int = 0
    threads: int = 1
    solves: int = 0
    rules: tuple[Rule, ...] = field(init=False)
    _known: dict[tuple[frozenset[Any], frozenset[Ticket]], tuple[bool, tuple[tuple[str, str], ...]]] = field(
        default_factory=dict
    )
    clashing_rows: tuple[tuple[str, str], ...] = ()
    """Component and name of the rows that the solver held to be the cause, the last time it found no plan."""

    def __post_init__(self) -> None:
        self.rules = rulebook(self.case)

    def of(self, case: Case) -> Trials:
        """The same with another case."""
        return Trials(case, self.scenario, self.deadline, self.seed, self.threads)

    def rule(self, key: tuple[str, ...]) -> Rule:
        return next(rule for rule in self.rules if rule.key == key)

    # ---- can it be kept? ------------------------------------------------------------------------------------

    def can_keep(self, kept: Iterable[Rule], without: Iterable[Ticket] = ()) -> bool:
        """Whether some plan keeps these rules; `without` are single rows of theirs that need not hold.

        Raises OutOfTime where the solver cannot tell in time.
        """
        keys, off = frozenset(rule.key for rule in kept), frozenset(without)
        if (keys, off) not in self._known:
            m = self._model([rule for rule in self.rules if rule.key not in keys])
            for ticket in off:
                _switch_off(m, ticket)
            m.aim = Objective(expr=0.0, sense=maximize)
            self.clashing_rows = ()
            self._known[keys, off] = (self._solve(m) is not None, self.clashing_rows)
        possible, self.clashing_rows = self._known[keys, off]
        return possible

    def can_do_nothing(self) -> bool:
        """Whether the plan without new decisions keeps every rule, those on liquidity and products too."""
        m = self._model([])
        b = m.outcome[self.scenario]
        for decisions in (m.Y, m.Q, b.draw, b.used, m.going, m.coming, m.buying):
            for decision in decisions.values():
                decision.setub(0)
        for (option, t), blocks in m.N.items():
            started = sum(row.blocks for row in self.case.committed_starts if row.option == option and row.quarter <= t)
            began = sum(
                row.blocks
                for row in self.case.committed_starts
                if row.option == option and (option, row.quarter) not in m.N
            )
            blocks.setub(max(started, began))
        m.aim = Objective(expr=0.0, sense=maximize)
        return self._solve(m) is not None

    def doubt(self) -> None:
        """Ask all rules again with another seed. Raises SolverFault for a plan, OutOfTime where no answer comes."""
        m = self._model([])
        m.aim = Objective(expr=0.0, sense=maximize)
        try:
            if not doubt(m, self._options(self.seed + 1)):
                raise OutOfTime
        except NoPlan:
            give_up()

    def rows_of(self, rule: Rule) -> list[Ticket]:
        """The rows of a rule that the model of the case has."""
        return [ticket for ticket in rule.rows(self._whole) if ticket[1] in component(self._whole, ticket[0])]

    def row_name(self, ticket: Ticket) -> str:
        """A row's name, as the solver tells it."""
        return str(component(self._whole, ticket[0])[ticket[1]].local_name)

    @cached_property
    def _whole(self) -> ConcreteModel:
        return self._model([])

    # ---- by how much must it give way? ------------------------------------------------------------------------

    def least(self, rule: Rule, lever: Lever, dropped: Sequence[Rule] = ()) -> float | None:
        """The least amount by which a rule must give way so that all the others but `dropped` can be kept.

        None where no amount is enough.
        """
        match lever.measure:
            case "steps":
                return self._least_steps(lever, dropped)
            case "release":
                return self._least_release(rule, lever, dropped)
            case "money":
                m = self._model(dropped, money=True)
                return self._minimise(m, m.money[0])
            case "rows":
                return self._least_of_rows(rule, lever, dropped)
        return self._least_factor(rule, lever, dropped)

    def _least_steps(self, lever: Lever, dropped: Sequence[Rule]) -> float | None:
        for step in range(1, int(lever.most) + 1):
            changed = lever.change(self.case, step)
            if changed is None:
                continue
            others = self.of(changed)
            keys = {rule.key for rule in dropped}
            if others.can_keep(rule for rule in others.rules if rule.key not in keys):
                return float(step)
        return None

    def _least_release(self, rule: Rule, lever: Lever, dropped: Sequence[Rule]) -> float | None:
        m = self._model([*dropped, rule])
        share = self._minimise(m, m.released[rule.released])
        return None if share is None else share * lever.most

    def _least_of_rows(self, rule: Rule, lever: Lever, dropped: Sequence[Rule]) -> float | None:
        """Rows whose right-hand side the amount moves: one solve."""
        m = self._model([*dropped, rule])
        m.amount = Var(bounds=(0, lever.most))
        m.giving_way = ConstraintList()
        least = 0.0
        _told(m, self.case)
        for ticket in rule.rows(m):
            relation = rule.relation(m, ticket)
            if relation is Constraint.Infeasible:
                least = max(least, self._least_of_a_number(m, rule, lever, ticket))
            elif relation is not SKIP:
                m.giving_way.add(relation.args[0] - m.amount <= relation.args[1])
        if least > lever.most:
            return None
        m.amount.setlb(least)
        return self._minimise(m, m.amount)

    def _least_of_a_number(self, m: ConcreteModel, rule: Rule, lever: Lever, ticket: Ticket) -> float:
        """The same for a row in which nothing is to be decided: bisected, no solve. Infinite where none is enough."""

        def holds(amount: float) -> bool:
            _told(m, lever.change(self.case, amount) or self.case)
            relation = rule.relation(m, ticket)
            _told(m, self.case)
            return relation is not Constraint.Infeasible

        low, high = 0.0, lever.most
        if not holds(high):
            return inf
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if holds(middle) else (middle, high)
        return high

    def _least_factor(self, rule: Rule, lever: Lever, dropped: Sequence[Rule]) -> float | None:
        """Rows in which the amount multiplies decisions: Newton's way, from above, each step a solve.

        At an amount that suffices, the plan with most to spare shows a smaller one that suffices too.
        """
        amount = lever.most
        for _ in range(30):
            spare = self._most_to_spare(rule, lever, dropped, amount)
            if spare is None:
                return None
            if amount - spare <= EXACT:
                return spare
            amount = spare
        return amount

    def _most_to_spare(self, rule: Rule, lever: Lever, dropped: Sequence[Rule], amount: float) -> float | None:
        """The least amount that suffices for the plan with most to spare at `amount`; None where none keeps it."""
        changed = lever.change(self.case, amount)
        if changed is None:
            return None
        m = self._model([*dropped, rule])
        m.short = Var(bounds=(-LARGEST, LARGEST))
        m.giving_way = ConstraintList()
        pairs = []
        for ticket in rule.rows(m):
            relations = []
            for case in (self.case, changed):
                _told(m, case)
                relations.append(rule.relation(m, ticket))
            if relations[1] is Constraint.Infeasible:
                return None
            if any(relation is SKIP or relation is Constraint.Infeasible for relation in relations):
                continue
            m.giving_way.add(relations[1].args[0] - m.short <= relations[1].args[1])
            pairs.append([relation.args[0] - relation.args[1] for relation in relations])
        m.aim = Objective(expr=-m.short, sense=maximize)
        answer = self._solve(m)
        if answer is None or answer(m.short) > 1e-7:
            return None
        for x in m.component_data_objects(Var):
            if id(x) in answer.values:
                x.set_value(answer.values[id(x)], skip_validation=True)
        needs = [0.0]
        for hard, soft in pairs:
            over, under = value(hard), value(soft)
            if over > 0 and over > under:
                needs.append(min(1.0, over / (over - under)) * amount)
        return max(needs)

    def _minimise(self, m: ConcreteModel, amount: Any) -> float | None:
        m.aim = Objective(expr=-amount, sense=maximize)
        answer = self._solve(m)
        if answer is not None and answer.status != "optimal":
            raise OutOfTime
        return None if answer is None else max(0.0, answer(amount))

    # ---- models -----------------------------------------------------------------------------------------------

    def _model(self, dropped: Sequence[Rule], money: bool = False) -> ConcreteModel:
        """The rules of the case without those that are dropped."""
        case = self.case
        for rule in dropped:
            case = rule.loosen(case)
        m = build_rules(
            case, (self.scenario,), released=[rule.released for rule in dropped if rule.released], money=money
        )
        keys = {rule.key for rule in dropped}
        held = {ticket for rule in self.rules if rule.key not in keys and rule.shares_rows for ticket in rule.rows(m)}
        for rule in dropped:
            for ticket in rule.rows(m):
                if ticket not in held:
                    _switch_off(m, ticket)
        return m

    def _options(self, seed: int) -> SolverOptions:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return SolverOptions(gap=0.0, time_limit=left, seed=seed, threads=self.threads)

    def _solve(self, m: ConcreteModel) -> Answer | None:
        """The solver's answer; None where no plan keeps the rows."""
        options = self._options(self.seed)
        self.solves += 1
        try:
            answer = solve_model(m, options)
        except Infeasible as error:
            self.clashing_rows = tuple((clash.rule, clash.row) for clash in error.clashes)
            return None
        except NoPlan as error:
            if error.interrupted:
                give_up()
            raise OutOfTime from None
        if answer.status == "interrupted":
            give_up()
        return answer


def _told(m: ConcreteModel, case: Case) -> None:
    """Let rules that are written from now on read this case's numbers."""
    for part in (m, *m.outcome.values()):
        part.case = case


def _switch_off(m: ConcreteModel, ticket: Ticket) -> None:
    name, index = ticket
    rows = component(m, name)
    if rows is not None and index in rows:
        rows[index].deactivate()


def refuse_a_false_claim(trials: Trials) -> None:
    """Raise SolverFault where the solver says that no plan keeps every rule, and one does."""
    if trials.can_do_nothing():
        raise SolverFault("it finds no plan that keeps every rule of this case, and doing nothing keeps them all")
    trials.doubt()
