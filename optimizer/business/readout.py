"""Reading an answer out: what the solver decided in one scenario, as numbers and as rows of a plan's tables.

Each part of the model reads itself out; `settlement` only ties what they hand over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import fsum
from typing import Any

import pandas as pd
from pyomo.core import ConcreteModel

from optimizer.business.lines import cash_lines
from optimizer.business.ports import Decision, Linear, OutcomePorts, Step, Stock
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

DECIMALS = 9
"""Tables are kept to a thousandth of a dollar and a milliwatt; what is smaller is the solver's noise."""
NOISE = 1e-9

Tables = dict[str, pd.DataFrame]
Megawatts = tuple[str, Quarter, str, str, float]
"""Site, quarter, use, detail (a class of machines, an option) and gross MW."""


@dataclass
class Reading:
    """An answer read in one scenario: `read` gives the number that the solver found for a variable."""

    m: ConcreteModel
    scenario: str
    read: Callable[[Any], float]
    flows: pd.DataFrame = field(init=False)
    """Every dollar, with its source and its discount factor; there before the tables are read."""

    @cached_property
    def b(self) -> Any:
        """The block of the scenario."""
        return self.m.outcome[self.scenario]

    @property
    def case(self) -> Case:
        case: Case = self.m.case
        return case

    @property
    def ports(self) -> OutcomePorts:
        ports: OutcomePorts = self.b.ports
        return ports

    @cached_property
    def within(self) -> pd.DataFrame:
        """The cash flows of the horizon, once there are any."""
        return self.flows[(self.flows["quarter"] <= int(self.case.last)) & self.flows["line"].isin(cash_lines())]

    def of(self, decision: Decision) -> float:
        """What a decision, a step or a number comes to."""
        if isinstance(decision, int | float):
            return float(decision)
        if isinstance(decision, Step):
            return self.of(decision.after) - self.of(decision.before)
        return self.read(decision)

    def at(self, variable: Any, *key: Any) -> float:
        """A variable's number at a key; nothing where it has no member there."""
        return self.read(variable[key]) if key in variable else 0.0

    def sum_of(self, expression: Linear) -> float:
        return fsum([expression.constant, *(c * self.read(x) for c, x in expression.terms)])

    def level(self, stock: Stock, key: object, t: Quarter) -> float:
        return self.sum_of(stock.level(key, t))

    @cached_property
    def started(self) -> dict[tuple[str, Quarter], int]:
        """Blocks by option and quarter of their start, where any start."""
        blocks = {key: round(self.of(n)) for key, n in self.m.n.items()}
        return {key: number for key, number in blocks.items() if number}


def frame(rows: Iterable[tuple[Any, ...]], columns: str) -> pd.DataFrame:
    """Rows as a table; `columns` are its names with spaces between. `settlement` gives them their types, once."""
    return pd.DataFrame(list(rows), columns=columns.split(), dtype=object)
