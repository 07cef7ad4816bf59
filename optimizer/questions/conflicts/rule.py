"""One rule of a case that can conflict: what it says, who could change it, and which rows of the model it is."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pyomo.core import ConcreteModel

from optimizer.business import rules
from optimizer.business.company import lenders, treasury
from optimizer.business.model import component
from optimizer.business.uses import contracts
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter
from optimizer.questions.conflicts.levers import Lever

Kind = Literal["physical", "negotiable"]
Ticket = tuple[str, Any]
"""One row of the model: its component and its index."""
Which = Callable[[tuple[Any, ...]], bool]

ROOMS = (rules, contracts, lenders, treasury)
NO_LIMIT_MUSD, NO_LIMIT_MW = 1e6, 5000.0


def _as_it_is(case: Case) -> Case:
    return case


def _all(index: tuple[Any, ...]) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule of a case: what it says, who could change it, its rows, and what dropping it means.

    `loosen` makes the case without it, as far as its rows are not simply left out.
    """

    name: str
    of: str
    words: str
    kind: Kind
    components: tuple[str, ...] = ()
    which: Which = _all
    loosen: Callable[[Case], Case] = _as_it_is
    levers: tuple[Lever, ...] = ()
    released: str = ""
    shares_rows: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.of

    def rows(self, m: ConcreteModel) -> list[Ticket]:
        """Every row that the rule could have, whether or not it was left out as a matter of course."""
        found = []
        for name in self.components:
            rows = component(m, name)
            if rows is not None:
                found += [(name, index) for index in rows.index_set() if self.which(_tuple(index))]
        return found

    def relation(self, m: ConcreteModel, ticket: Ticket) -> Any:
        """The row as the rule's own function writes it for the model's present case."""
        name, index = ticket
        return _function(name)(component(m, name).parent_block(), *_tuple(index))


def _tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _function(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = next(getattr(room, name) for room in ROOMS if hasattr(room, name))
    return found


def kind_of(name: str) -> Kind:
    """Who could change a rule, as the rule's docstring says it."""
    found = re.search(r"^Kind: (physical|negotiable)$", inspect.getdoc(_function(name)) or "", re.MULTILINE)
    assert found is not None
    return "physical" if found[1] == "physical" else "negotiable"


def quarter_of(ticket: Ticket) -> Quarter | None:
    """The quarter that a row speaks of."""
    return next((part for part in _tuple(ticket[1]) if isinstance(part, Quarter)), None)
