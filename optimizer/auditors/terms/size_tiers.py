"""Price by size: the whole contract pays the price of the first tier that is large enough for it."""

from __future__ import annotations

from decimal import Decimal

from optimizer.auditors.inputs import ONE, decimal
from optimizer.auditors.terms.bill import Bill
from optimizer.auditors.tolerances import TIER_EDGE


def share(bill: Bill) -> Decimal:
    """Factor on the offer's price for a contract of this size."""
    tiers = sorted(bill.inputs.rows_of("price_tiers", "offer", bill.offer.offer), key=lambda row: row.up_to_it_mw)
    if not tiers:
        return ONE
    large_enough = [tier for tier in tiers if bill.it_mw <= decimal(tier.up_to_it_mw) + TIER_EDGE]
    return decimal((large_enough or tiers[-1:])[0].price_share)


def apply(bill: Bill) -> None:
    tier = share(bill)
    bill.price = [price * tier for price in bill.price]
