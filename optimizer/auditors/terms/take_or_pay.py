"""Tenants that take less than they signed for: they draw what they take and pay at least the agreed floor."""

from __future__ import annotations

from optimizer.auditors.inputs import ONE, ZERO, decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    usage = bill.inputs.row("usage", bill.inputs.scenario, bill.offer.offer)
    floor = bill.inputs.row("take_or_pay", bill.offer.offer)
    bill.taken_share = ONE if usage is None else decimal(usage.taken_share)
    bill.paid_share = max(bill.taken_share, ZERO if floor is None else decimal(floor.floor_share))
