"""The uses of a site's power in one table: their order, their words and their looks, which all charts and tables ask.

A use that stands in no list here is shown under its own name and with a look of its own, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from optimizer.case.schema import MINING
from optimizer.ground.errors import PlanError

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

IDLE, BUILDING, UNUSED = "machines_idle", "construction", "unused"
NOISE_MW = 1e-6
"""Gross MW below which a use is none."""
ROOM_MW = 1e-4
"""Gross MW by which a chart may miss the grid limit: the rounding of all its parts."""


@dataclass(frozen=True)
class Use:
    """One use of power: its name in `allocation`, what it is called, what a bar of it says, and its look.

    `look` is `mining`, `idle`, `building`, `product 0`, `product 1`, ... by the order of the case's products,
    `unlisted 0`, ... for a use that no list knows, and `unused`. Products and unlisted uses go by their own names.
    """

    name: str
    words: str
    verb: str
    look: str

    @property
    def named(self) -> bool:
        """Whether it goes by a name of the plan rather than by words of ours."""
        return self.look.startswith(("product", "unlisted"))

    @property
    def number(self) -> int:
        """Which of the products, or of the unlisted uses, it is."""
        return int(self.look.split()[1]) if self.named else 0


_BEFORE = (
    Use(MINING, "mining", "mines", "mining"),
    Use(IDLE, "machines idle", "idle", "idle"),
    Use(BUILDING, "under construction", "handed over", "building"),
)
_AFTER = Use(UNUSED, "unused", "unused", "unused")


def uses_of(plan: Plan) -> dict[str, Use]:
    """All uses by name, in the order of reading: mining, building, products, what no list knows, and the unused."""
    products = [row.product for row in plan.case.products]
    known = {MINING, IDLE, BUILDING, UNUSED, *products}
    unlisted = sorted({str(use) for use in plan.allocation["use"]} - known)
    named = [
        *(Use(name, name, name, f"product {n}") for n, name in enumerate(products)),
        *(Use(name, name, name, f"unlisted {n}") for n, name in enumerate(unlisted)),
    ]
    return {use.name: use for use in (*_BEFORE, *named, _AFTER)}


def uses_there(plan: Plan) -> dict[str, Use]:
    """The uses that take power in some quarter, in the order of reading; what is unused is told even where none is."""
    most = plan.allocation.groupby("use")["gross_mw"].max()
    there = {str(use) for use in most.index if most[use] > NOISE_MW or use == UNUSED}
    return {name: use for name, use in uses_of(plan).items() if name in there}


def limits_of(plan: Plan) -> tuple[float, ...]:
    """Grid limit of all sites together in each quarter of the horizon, gross MW."""
    case = plan.case
    return tuple(fsum(case.limit_gross_mw[site.site, t] for site in case.sites) for t in case.horizon)


def reach_limit(quarters: Sequence[object], series: Mapping[str, Sequence[float]], limits: Sequence[float]) -> None:
    """Hold what a stacked chart shows, use by use, against the grid limit. Raises PlanError where it falls short."""
    for i, (quarter, limit) in enumerate(zip(quarters, limits, strict=True)):
        shown = fsum(values[i] for values in series.values())
        if abs(shown - limit) > ROOM_MW:
            raise PlanError(
                f"The chart of megawatts is not drawn: in {quarter} what it shows ({', '.join(series)}) adds up to "
                f"{shown:,.3f} gross MW, and the grid limit is {limit:,.3f}."
            )
