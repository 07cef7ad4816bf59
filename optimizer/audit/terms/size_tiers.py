"""Price by size: the whole contract pays the price of the first tier that is large enough for it."""

from __future__ import annotations

from decimal import Decimal

from optimizer.audit.inputs import ONE, decimal
from optimizer.audit.terms.bill import Bill

EDGE = Decimal("1e-6")
"""IT MW by which a size may lie past a tier's edge and still be that edge: a watt."""


def share(bill: Bill) -> Decimal:
    """Factor on the offer's price for a contract of this size."""
    tiers = sorted(bill.inputs.rows_of("price_tiers", "offer", bill.offer.offer), key=lambda row: row.up_to_it_mw)
    if not tiers:
        return ONE
    large_enough = [tier for tier in tiers if bill.it_mw <= decimal(tier.up_to_it_mw) + EDGE]
    return decimal((large_enough or tiers[-1:])[0].price_share)


def apply(bill: Bill) -> None:
    tier = share(bill)
    bill.price = [price * tier for price in bill.price]
