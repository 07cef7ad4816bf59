"""How a rule becomes rows: one function is one rule is one name.

A rule is a function of the model and an index that returns a Pyomo relation (or `SKIP`). Its name is the name of its
rows; its docstring holds the business sentence and the fields `Math`, `Unit`, `Source` and `Kind`, from which
`docs/formulation.md` is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pyomo.core import ConcreteModel, Constraint

from optimizer.business.ports import Linear

SKIP = Constraint.Skip


def hold(m: ConcreteModel, rule: Callable[..., Any], index: Iterable[Any]) -> None:
    """Make the rule hold for every member of the index; the rows carry its sentence.

    A rule of nothing is left out: most rules of a small case are, and each would cost as much as ten rows.
    """
    members = list(index)
    if members:
        sentence = (rule.__doc__ or "").strip().partition("\n")[0]
        m.add_component(rule.__name__, Constraint(members, rule=rule, doc=sentence))


def member(variable: Any, key: Any, otherwise: Any) -> Any:
    """The variable's member at a key, or a number where it has none there; Pyomo's components lack `get`."""
    return variable[key] if key in variable else otherwise  # noqa: SIM401


def at_most(left: Linear, right: float) -> Any:
    """`left <= right`; between numbers alone it is left out where it holds, and impossible where not."""
    if left.is_constant and left.constant <= right + 1e-9:
        return SKIP
    return Constraint.Infeasible if left.is_constant else left.expression <= right
