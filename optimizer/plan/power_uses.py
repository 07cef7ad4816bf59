"""The uses of a site's power in one table: their order, their words and their looks, which all charts and tables ask.

A use that stands in no list here is shown under its own name and with a look of its own, never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING

from optimizer.ground.errors import PlanError
from optimizer.ground.power import BUILDING, IDLE, UNUSED, USES, Use

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

NOISE_MW = 1e-6
"""Gross MW below which a use is none."""
ROOM_MW = 1e-4
"""Gross MW by which a chart may miss the grid limit: the rounding of all its parts."""


def uses_of(plan: Plan) -> dict[str, Use]:
    """All uses by name, in the order of reading: mining, building, products, what no list knows, and the unused."""
    *before, unused = USES
    products = [row.product for row in plan.case.products]
    strangers = sorted({str(use) for use in plan.allocation["use"]} - {*products, *(use.name for use in USES)})
    others = sum(use.look.startswith("other") for use in before)
    named = [
        *(Use(name, name, name, f"product {n}", named=True) for n, name in enumerate(products)),
        *(Use(name, name, name, f"other {n}", named=True) for n, name in enumerate(strangers, others)),
    ]
    return {use.name: use for use in (*before, *named, unused)}


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


__all__ = [
    "BUILDING", "IDLE", "NOISE_MW", "ROOM_MW", "UNUSED", "Use", "limits_of", "reach_limit", "uses_of", "uses_there",
]  # fmt: skip
