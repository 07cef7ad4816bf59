"""The uses of power. Each takes megawatts and returns dollars, and touches the rest only through its ports."""

from __future__ import annotations

from optimizer.business.uses import contracts, halls, mining, spot
from optimizer.business.uses.use import Use

USES = (
    Use(mining.decide, mining.happen, mining.megawatts, mining.read_out),
    Use(halls.decide, halls.happen, halls.megawatts, halls.read_out),
    Use(contracts.decide, contracts.happen, contracts.megawatts, contracts.read_out),
    Use(spot.decide, spot.happen, spot.megawatts, spot.read_out),
)
"""Every kind of use; a new kind is a new file and a name here."""
