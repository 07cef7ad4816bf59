"""Which picture belongs to which kind of study, and which a plan has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from optimizer.errors import PlanError
from optimizer.pictures.alternatives import draw_alternatives
from optimizer.pictures.breakevens import draw_breakevens
from optimizer.pictures.bridge import draw_bridge
from optimizer.pictures.contracts import draw_contracts
from optimizer.pictures.frontier import draw_frontier
from optimizer.pictures.megawatts import draw_megawatts
from optimizer.pictures.money import draw_capex, draw_cash
from optimizer.pictures.prices import draw_prices
from optimizer.pictures.regret import draw_regret
from optimizer.pictures.sheet import drawing
from optimizer.pictures.switching import draw_map
from optimizer.pictures.tornado import draw_tornado

if TYPE_CHECKING:
    from optimizer.plan import Plan
    from optimizer.studies.study import Study

OF_STUDIES: dict[str, Callable[[Study], Figure]] = {
    "prices": draw_prices,
    "breakevens": draw_breakevens,
    "map": draw_map,
    "tornado": draw_tornado,
    "frontier": draw_frontier,
    "alternatives": draw_alternatives,
    "regret": draw_regret,
    "bridge": draw_bridge,
}

OF_PLANS: dict[str, Callable[[Plan], Figure]] = {
    "megawatts": draw_megawatts,
    "cash": draw_cash,
    "capex": draw_capex,
    "contracts": draw_contracts,
}


def picture_of(study: Study) -> Figure:
    """A study as a figure of 6 by 3.4 inches, its title on top. Raises PlanError where its tables are not whole."""
    if study.kind not in OF_STUDIES:
        raise PlanError(f"There is no picture of a study of kind {study.kind!r}; there are: {', '.join(OF_STUDIES)}.")
    with drawing():
        return OF_STUDIES[study.kind](study)


def pictures_of(plan: Plan) -> dict[str, Figure]:
    """The figures of a plan: `megawatts`, `cash`, `capex`, `contracts`."""
    with drawing():
        return {name: draw(plan) for name, draw in OF_PLANS.items()}
