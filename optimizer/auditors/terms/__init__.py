"""The terms of a contract, each in the file that mirrors its twin in `case/terms`; applied in this order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from optimizer.auditors.inputs import Inputs
from optimizer.auditors.terms import (
    backstops,
    escalation,
    extensions,
    favoured_sites,
    late_delivery,
    leases,
    prepayments,
    rent_free,
    size_tiers,
    take_or_pay,
    tenant_funding,
    tranches,
)
from optimizer.auditors.terms.bill import Bill
from optimizer.ground.quarters import Quarter

_TERMS: tuple[Callable[[Bill], None], ...] = (
    escalation.apply,
    favoured_sites.apply,
    size_tiers.apply,
    tranches.apply,
    extensions.apply,
    rent_free.apply,
    take_or_pay.apply,
    prepayments.apply,
    tenant_funding.apply,
    backstops.apply,
    leases.apply,
    late_delivery.apply,
)


def bill_of(inputs: Inputs, offer: str, site: str, delivery: Quarter, it_mw: Decimal, *, committed: bool) -> Bill:
    """A signed contract with all its terms."""
    bill = Bill.plain(inputs, inputs.row("offers", offer), site, delivery, it_mw, committed=committed)
    for apply in _TERMS:
        apply(bill)
    return bill


__all__ = ["Bill", "bill_of"]
