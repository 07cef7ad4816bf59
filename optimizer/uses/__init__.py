"""The uses of power. Each takes megawatts and returns dollars, and touches the rest only through its ports."""

from __future__ import annotations

from collections.abc import Callable

from pyomo.core import ConcreteModel

from optimizer.ports import Ports
from optimizer.uses.contracts import add_contracts
from optimizer.uses.halls import add_halls
from optimizer.uses.mining import add_mining
from optimizer.uses.spot import add_spot_sales

USES: tuple[Callable[[ConcreteModel, Ports], None], ...] = (
    add_mining,
    add_halls,
    add_contracts,
    add_spot_sales,
)
"""Every kind of use; a new kind is a new file and a line here."""
