"""The terms of contracts: every one that an offer can have, in the order in which they shape a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.case.schema import Offer, Row
from optimizer.case.terms import (
    backstops,
    credit,
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
from optimizer.case.terms.deal import Deal, Part, Term

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
    credit.TERM,
    leases.TERM,
    late_delivery.TERM,
    prerequisites.TERM,
)
"""Every term; a new one is a new file and a line here."""

TERM_TABLES: tuple[type[Row], ...] = tuple(table for term in TERMS for table in term.tables)


def make_deal(
    case: Case, scenario: str, offer: Offer, site: str, delivery: Quarter, *, tier: int = 0, committed: bool = False,
    part: Part | None = None,
) -> Deal:  # fmt: skip
    """The offer at a site, first delivered in a quarter, with all its terms; or one IT MW of it by itself."""
    shaped = Deal(case, scenario, offer, site, delivery, committed, tier, part)
    for term in TERMS:
        term.shape(shaped)
    return shaped


def committed_deal(case: Case, scenario: str, row: CommittedContract) -> Deal:
    """The deal of a contract that is signed already, in the tier of its size."""
    offer = case.offer[row.offer]
    tier = next(k for k, (_, largest, _) in enumerate(size_tiers.tiers_of(case, offer)) if row.it_mw <= largest)
    return make_deal(case, scenario, offer, row.site, row.quarter, tier=tier, committed=True)


def delivered_later(deal: Deal, due: int, quarter: Quarter) -> tuple[Deal, Deal]:
    """One IT MW of a tranche delivered in a quarter, and a quarter later: what changes while it is missing there.

    `due` is the tranche's delay after first delivery. What was due before the horizon was there in time, unless it is
    still missing in the first quarter.
    """
    arrival = due if quarter <= deal.case.first else quarter - deal.delivery
    return _part(deal, Part(due, arrival)), _part(deal, Part(due, quarter + 1 - deal.delivery))


def _part(deal: Deal, part: Part) -> Deal:
    return make_deal(
        deal.case, deal.scenario, deal.offer, deal.site, deal.delivery,
        tier=deal.tier, committed=deal.committed, part=part,
    )  # fmt: skip
