"""The whole model on one page: uses, rules, treasury, objective."""

from __future__ import annotations

from pyomo.core import ConcreteModel, Objective, maximize

from optimizer.case import Case
from optimizer.debt import add_debt
from optimizer.ports import Ports
from optimizer.rules import add_rules
from optimizer.ties import add_ties
from optimizer.treasury import add_company, add_treasury
from optimizer.uses import USES


def build_model(case: Case, scenario: str, *, decide: bool = True, adjustable: bool = False) -> ConcreteModel:
    """The case in one scenario as a Pyomo model that maximises value, $M at the start of the first quarter.

    With `decide` false the company takes no new decision (the do-nothing plan): no starts and no contracts beyond the
    commitments; rules that only a decision could keep (floors on products, customer shares, the minimum liquidity) are
    left out. With `adjustable` prices leave nothing out and running is a decision: same value, more columns, and
    numbers that follow prices in straight lines (for `sweeps`).
    The model carries the case and the ports it was built from as `m.case` and `m.ports`.
    """
    m = ConcreteModel(name=case.settings.name)
    m.case = case
    m.ports = Ports(case, scenario, decide, adjustable)
    for add_use in USES:
        add_use(m, m.ports)
    add_company(m, m.ports)
    add_debt(m, m.ports)
    add_rules(m)
    add_ties(m)
    add_treasury(m, m.ports)
    m.value = Objective(expr=m.ports.value().expression, sense=maximize)
    return m
