"""The story of a deck: which slides there are, and in which order."""

from __future__ import annotations

from optimizer.telling.board.deck.appendix import assumptions, audit_page, method
from optimizer.telling.board.deck.blocks import Slide
from optimizer.telling.board.deck.comparison_slides import comparison_slides
from optimizer.telling.board.deck.contract_slide import contracts
from optimizer.telling.board.deck.money_slides import bridge, capex, cash
from optimizer.telling.board.deck.pack import Pack
from optimizer.telling.board.deck.plan_slides import decision, megawatts, unused, where_and_when
from optimizer.telling.board.deck.risks import risks
from optimizer.telling.board.deck.study_slides import study_slides


def tell(pack: Pack) -> tuple[Slide, ...]:
    """All slides; one that has nothing to say of this plan is left out."""
    slides = (
        decision(pack), megawatts(pack), unused(pack), *where_and_when(pack), contracts(pack), capex(pack), cash(pack),
        bridge(pack),
        *study_slides(pack), *comparison_slides(pack), risks(pack), *assumptions(pack), method(pack), audit_page(pack),
    )  # fmt: skip
    return tuple(slide for slide in slides if slide is not None)
