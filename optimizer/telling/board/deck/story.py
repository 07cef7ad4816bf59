"""The story of a deck: its slides in the order in which a board reads them."""

from __future__ import annotations

from optimizer.telling.board.blocks import Slide
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.subjects.bridge import bridge
from optimizer.telling.board.subjects.capex import capex
from optimizer.telling.board.subjects.cash import cash
from optimizer.telling.board.subjects.comparison import comparison_slides
from optimizer.telling.board.subjects.contracts import contracts
from optimizer.telling.board.subjects.decision import decision
from optimizer.telling.board.subjects.figures import figures_slide
from optimizer.telling.board.subjects.inputs import assumptions
from optimizer.telling.board.subjects.lenders import lenders
from optimizer.telling.board.subjects.megawatts import megawatts, unused, where_and_when
from optimizer.telling.board.subjects.proof import audit_page, method
from optimizer.telling.board.subjects.risks import risks
from optimizer.telling.board.subjects.studies import study_slides


def tell(pack: Pack) -> tuple[Slide, ...]:
    """All slides; one that has nothing to say of this plan is left out."""
    slides = (
        decision(pack), megawatts(pack), unused(pack), *where_and_when(pack), contracts(pack), capex(pack), cash(pack),
        lenders(pack), bridge(pack),
        *study_slides(pack), *comparison_slides(pack), risks(pack), figures_slide(pack), *assumptions(pack),
        method(pack), audit_page(pack),
    )  # fmt: skip
    return tuple(slide for slide in slides if slide is not None)
