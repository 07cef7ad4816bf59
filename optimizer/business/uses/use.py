"""What a use of power is to the rest of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyomo.core import Block, ConcreteModel

from optimizer.business.readout import Megawatts, Reading, Tables


@dataclass(frozen=True)
class Use:
    """A use takes megawatts and returns dollars: decided, happening, and read out of an answer.

    `decide(m)` adds to the model what is decided here and now, and the rules that hold in every future; its megawatts
    and the dollars that no future changes go into `m.ports`. `happen(b)` adds to the block of one scenario what that
    future makes of the decisions: recourse, what depends on prices, and the dollars, which go into `b.ports`.
    `megawatts(r)` tells what it takes of each site's grid limit, `read_out(r)` its tables of a plan.
    """

    decide: Callable[[ConcreteModel], None]
    happen: Callable[[Block], None]
    megawatts: Callable[[Reading], Iterable[Megawatts]]
    read_out: Callable[[Reading], Tables]
