"""Which picture belongs to which kind of study, and which a plan has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from optimizer.ground.errors import HouseFault, PlanError
from optimizer.questions.studies.study import KINDS
from optimizer.telling.pictures.changes import draw_breakevens, draw_bridge, draw_prices, draw_tornado
from optimizer.telling.pictures.choices import draw_alternatives, draw_frontier, draw_map, draw_regret
from optimizer.telling.pictures.lettering import wrap
from optimizer.telling.pictures.plans import draw_capex, draw_cash, draw_contracts, draw_megawatts
from optimizer.telling.pictures.sheet import LINE_IN, drawing, finish, open_sheet
from optimizer.telling.pictures.tables import source_of

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

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

if strays := KINDS.keys() ^ OF_STUDIES.keys():
    raise HouseFault(f"Kinds of study without a picture in {__name__}, or the other way: {', '.join(sorted(strays))}.")

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
        if all(table.empty for table in study.tables.values()) and study.tables:
            return _empty(study)
        return OF_STUDIES[study.kind](study)


def _empty(study: Study) -> Figure:
    """A study that found nothing: its title, and its further sentences instead of a chart."""
    sheet = open_sheet(study.title, source_of(study))
    lines = [line for words in study.words for line in wrap(words, sheet.width, 3)] or ["There is nothing to draw."]
    for i, line in enumerate(lines[: int(sheet.height / LINE_IN)]):
        sheet.write(sheet.left, sheet.top - (i + 0.5) * LINE_IN, line)
    return finish(sheet)


def pictures_of(plan: Plan) -> dict[str, Figure]:
    """The figures of a plan: `megawatts`, `cash`, `capex`, `contracts`."""
    with drawing():
        return {name: draw(plan) for name, draw in OF_PLANS.items()}
