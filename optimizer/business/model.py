"""The whole model on one page: what is decided, and what each future makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import fsum
from typing import Any

from pyomo.core import Block, ConcreteModel, Objective, Var, maximize

from optimizer.business.company.debt import add_debt
from optimizer.business.company.lenders import add_end, add_lenders
from optimizer.business.company.treasury import add_company, add_treasury, bring_in
from optimizer.business.ports import Linear, OutcomePorts, SharedPorts
from optimizer.business.ratchets import add_ratchets
from optimizer.business.rules import add_outcome_rules, add_shared_rules
from optimizer.business.ties import add_ties
from optimizer.business.uses import USES
from optimizer.business.variables import OF_CONFLICTS, VARIABLES
from optimizer.case.case import Case
from optimizer.ground.errors import HouseFault

LARGEST_MUSD = 1e6
"""Bound of money brought in from outside, where a conflict asks how much would be enough."""


def build_model(
    case: Case, scenarios: str | Mapping[str, float], *, decide: bool = True, adjustable: bool = False
) -> ConcreteModel:
    """The case as a Pyomo model that maximises value, $M at the start of the first quarter.

    `scenarios` is one scenario, or several with their probabilities, which sum to 1: what is decided here and now is
    then the same in all of them, and the value is the mean. With `decide` false the company takes no new decision (the
    do-nothing plan): no starts and no contracts beyond the commitments; rules that only a decision could keep (floors
    on products, customer shares, the minimum liquidity) are left out. With `adjustable` prices leave nothing out and
    running is a decision: same value, more columns, and numbers that follow prices in straight lines (for `sweeps`).

    The model carries the case and the shared ports as `m.case` and `m.ports`; `m.outcome[w]` is the block of a
    scenario, with its own ports as `b.ports`.
    """
    likely = {scenarios: 1.0} if isinstance(scenarios, str) else dict(scenarios)
    if abs(fsum(likely.values()) - 1) > PROBABLY or min(likely.values()) < 0:
        raise ValueError(f"probabilities of scenarios sum to 1, and none is negative: {likely}")
    m = build_rules(case, tuple(likely), decide=decide, adjustable=adjustable)
    add_ties(m)
    worth = m.ports.worth()
    for w, probability in likely.items():
        worth.extend(m.outcome[w].ports.worth(), probability)
    m.value = Objective(expr=worth.expression, sense=maximize)
    m.thrift = [term for w, probability in likely.items() for term in _thrift(m.outcome[w], probability)]
    return m


def _thrift(b: Any, probability: float) -> list[tuple[float, Any]]:
    """What is least among plans of equal value: interest, then what is drawn; BTC are kept as long as they can be."""
    interest = Linear()
    for stream in b.ports.streams:
        if stream.line == "interest":
            interest.add(-float(stream.amounts.sum()), stream.decision)
    lesser = [*((A_DRAW, x) for x in b.draw.values()), *((-A_COIN, x) for x in b.H.values())]
    return [(probability * coefficient, x) for coefficient, x in (*interest.terms, *lesser)]


A_DRAW, A_COIN = 1e-4, 1e-6
"""What a dollar drawn, and a BTC sold a quarter earlier, weigh beside a dollar of interest."""


PROBABLY = 1e-9
"""How far probabilities may be from a sum of 1."""


def build_rules(
    case: Case, scenarios: Iterable[str], *, decide: bool = True, adjustable: bool = False,
    released: Iterable[str] = (), money: bool = False,
) -> ConcreteModel:  # fmt: skip
    """Every rule of the case, without the objective and the tie-breaks: they make nothing impossible.

    Where a conflict is explained, `m.released[c]` is the share of a committed contract that is given up, and
    `m.money` $M of cash more at the start.
    """
    m = ConcreteModel(name=case.settings.name)
    m.case = case
    m.ports = SharedPorts(case, tuple(scenarios), decide=decide, adjustable=adjustable)
    m.released = Var(list(released), bounds=(0, 1))
    m.money = Var([0] if money else [], bounds=(0, LARGEST_MUSD))
    for use in USES:
        use.decide(m)
    add_company(m)
    for added in m.money.values():
        bring_in(m.ports, added)
    add_shared_rules(m)
    m.outcome = Block(m.ports.scenarios)
    for w, b in m.outcome.items():
        _happen(b, m, w)
    _refuse_unrecorded(m)
    return m


def _refuse_unrecorded(m: ConcreteModel) -> None:
    """A variable without a record would be decided, and neither held, nor followed, nor explained."""
    for variable in m.component_objects(Var):
        if variable.local_name not in VARIABLES and variable.local_name not in OF_CONFLICTS:
            raise HouseFault(f"The variable {variable.local_name!r} has no record in business/variables.py.")


def _happen(b: Any, m: ConcreteModel, scenario: str) -> None:
    """What one future makes of the decisions."""
    b.case = m.case
    b.ports = OutcomePorts(m.ports, scenario)
    for use in USES:
        use.happen(b)
    add_ratchets(b)
    add_debt(b)
    add_lenders(b)
    add_outcome_rules(b)
    add_treasury(b)
    add_end(b)


def component(m: ConcreteModel, name: str) -> Any:
    """A component of the model by its name, wherever it stands; None where there is none.

    What stands on the blocks of scenarios is found where there is only one.
    """
    found = m.component(name)
    if found is None and len(m.outcome) == 1:
        found = next(iter(m.outcome.values())).component(name)
    return found
