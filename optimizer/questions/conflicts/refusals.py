"""Why one decision is never taken: the rules with which it clashes, each needed for that, and their quarters."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pyomo.core import ConcreteModel, Constraint, inequality

from optimizer.case.case import Case
from optimizer.case.terms.late_delivery import last_delivery
from optimizer.questions.conflicts.rule import Rule
from optimizer.questions.conflicts.search import _quarters_of, smallest_set
from optimizer.questions.conflicts.trials import OutOfTime, Trials

PATIENCE_S = 60.0
"""How long is looked for the reason of one refusal."""


@dataclass
class Forced(Trials):
    """Trials of a case in which an offer is signed, or an option begun, whatever else is decided."""

    offer: str = ""
    option: str = ""

    def of(self, case: Case) -> Trials:
        return Forced(case, self.scenario, self.deadline, self.seed, self.threads, offer=self.offer, option=self.option)

    def _model(self, dropped: Sequence[Rule], money: bool = False) -> ConcreteModel:
        m = super()._model(dropped, money)
        states, name = (m.Y, self.offer) if self.offer else (m.N, self.option)
        last = {key[:-1]: key for key in sorted(states, key=lambda key: key[-1]) if key[0] == name}
        taken = [states[key] for key in last.values()]
        m.taken = Constraint(expr=inequality(1, sum(taken)) if taken else Constraint.Infeasible)
        return m


def refusal(case: Case, scenario: str, *, offer: str = "", option: str = "", time_limit: float = PATIENCE_S) -> str:
    """Why no plan signs an offer, or begins an option: the smallest set of rules that it clashes with, in words.

    Empty where a plan that keeps every rule could, and it is left out for its worth. Each clash is solved, not guessed.
    """
    trials = Forced(case, scenario, time.monotonic() + time_limit, offer=offer, option=option)
    try:
        if trials.can_keep(trials.rules):
            return ""
        if not trials.can_keep([]):
            return f"It cannot be: {_ground(case, offer, option)}."
    except OutOfTime:
        return f"Whether it could be at all was not found out in {time_limit:g} s."
    members, irreducible = smallest_set(trials)
    if not irreducible:
        return f"It cannot be; which rule refuses it was not found out in {time_limit:g} s."
    quarters = _quarters_of(trials, members)
    told = [rule.words + _in_quarters(quarters.get(rule.key, ())) for rule in members]
    return f"It cannot be, since {'; and '.join(told)}."


def _in_quarters(quarters: Sequence[object]) -> str:
    more = f" and {len(quarters) - 1} more" if len(quarters) > 1 else ""
    return f" ({quarters[0]}{more})" if quarters else ""


def _ground(case: Case, offer: str, option: str) -> str:
    """What stands behind all rules and is never dropped."""
    if option:
        return f"no block of it can be in service by {case.last}, or its site cannot bear it"
    row, sites = case.offer[offer], case.sites_of_offer[offer]
    if case.sign_by(row) < case.first:
        return f"it could be accepted until {case.sign_by(row)}, before the first quarter"
    places = ", ".join(sites) or "any site"
    return f"no hall of {row.product} can serve it at {places} from {row.window_first} to {last_delivery(case, row)}"
