"""Sites at which an offer pays more, or less, than its price."""

from __future__ import annotations

from decimal import Decimal

from optimizer.auditors.inputs import ONE, decimal
from optimizer.auditors.terms.bill import Bill


def share(bill: Bill) -> Decimal:
    """Factor on the offer's price at the contract's site."""
    row = bill.inputs.row("site_prices", bill.offer.offer, bill.site)
    return ONE if row is None else decimal(row.price_share)


def apply(bill: Bill) -> None:
    bill.price = [price * share(bill) for price in bill.price]
