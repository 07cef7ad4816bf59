"""The terms of contracts: every one that an offer can have, in the order in which they shape a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.case.schema import Offer, Row
from optimizer.case.terms import (
    backstops,
    escalation,
    extensions,
    favoured_sites,
    late_delivery,
    leases,
    prepayments,
    prerequisites,
    rent_free,
    size_tiers,
    take_or_pay,
    tenant_funding,
    tranches,
)
from optimizer.case.terms.deal import Deal, Term

if TYPE_CHECKING:
    from optimizer.case.case import Case
    from optimizer.case.schema import CommittedContract
    from optimizer.ground.quarters import Quarter

TERMS: tuple[Term, ...] = (
    escalation.TERM,
    favoured_sites.TERM,
    size_tiers.TERM,
    tranches.TERM,
    extensions.TERM,
    take_or_pay.TERM,
    rent_free.TERM,
    prepayments.TERM,
    tenant_funding.TERM,
    backstops.TERM,
    leases.TERM,
    late_delivery.TERM,
    prerequisites.TERM,
)
"""Every term; a new one is a new file and a line here."""

TERM_TABLES: tuple[type[Row], ...] = tuple(table for term in TERMS for table in term.tables)


def make_deal(
    case: Case, scenario: str, offer: Offer, site: str, delivery: Quarter, *, tier: int = 0, committed: bool = False
) -> Deal:
    """The offer at a site, first delivered in a quarter, with all its terms."""
    shaped = Deal(case, scenario, offer, site, delivery, committed, tier)
    for term in TERMS:
        term.shape(shaped)
    return shaped


def committed_deal(case: Case, scenario: str, row: CommittedContract) -> Deal:
    """The deal of a contract that is signed already, in the tier of its size."""
    offer = case.offer[row.offer]
    tier = next(k for k, (_, largest, _) in enumerate(size_tiers.tiers_of(case, offer)) if row.it_mw <= largest)
    return make_deal(case, scenario, offer, row.site, row.quarter, tier=tier, committed=True)
