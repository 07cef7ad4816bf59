"""The terms of a contract, each in the file that mirrors its twin in `case/terms`; applied in this order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from optimizer.auditors.inputs import Inputs
from optimizer.auditors.terms import (
    backstops,
    credit,
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
from optimizer.auditors.terms.bill import Bill, Missing
from optimizer.ground.quarters import Quarter

_TERMS: tuple[Callable[[Bill], None], ...] = (
    escalation.apply,
    favoured_sites.apply,
    size_tiers.apply,
    tranches.apply,
    extensions.apply,
    rent_free.apply,
    take_or_pay.apply,
    late_delivery.deliver,
    prepayments.apply,
    tenant_funding.apply,
    backstops.apply,
    leases.apply,
    late_delivery.apply,
    credit.apply,
)


def bill_of(
    inputs: Inputs,
    offer: str,
    site: str,
    delivery: Quarter,
    it_mw: Decimal,
    *,
    committed: bool,
    missing: Missing | None = None,
) -> Bill:
    """A signed contract with all its terms."""
    row = inputs.row("offers", offer)
    bill = Bill.plain(inputs, row, site, delivery, it_mw, committed=committed, missing=missing or {})
    for apply in _TERMS:
        apply(bill)
    return bill


__all__ = ["Bill", "bill_of"]
