"""Contracts delivered in parts: each is held from its own first quarter on and ramps from there; all end together."""

from __future__ import annotations

from decimal import Decimal

from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    if bill.inputs.rows_of("tranches", "offer", bill.offer.offer):
        bill.held = [delivered(bill, j) for j in range(bill.quarters)]
        bill.billed = [ramped(bill, j) for j in range(bill.quarters)]
        bill.drawn = list(bill.billed)


def parts(bill: Bill) -> list[tuple[int, Decimal]]:
    """Quarters after first delivery, and share of the contract; the whole of it at once without the term."""
    rows = bill.inputs.rows_of("tranches", "offer", bill.offer.offer)
    return [(row.quarters_after, decimal(row.share)) for row in rows] or [(0, Decimal(1))]


def delivered(bill: Bill, j: int) -> Decimal:
    return sum((share for after, share in parts(bill) if after <= j), ZERO)


def ramped(bill: Bill, j: int) -> Decimal:
    """Share of the contract billed in its j-th quarter by ramps alone."""
    return sum((share * bill.inputs.ramped(bill.offer.ramp, j - after) for after, share in parts(bill)), ZERO)
