"""Rent paid ahead, credited back over the bills from a month of the contract on, in proportion to them."""

from __future__ import annotations

from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    row = bill.inputs.row("prepayments", bill.offer.offer)
    if row is None:
        return
    rents = [bill.rent(j) for j in range(bill.firm)]
    prepaid = decimal(row.rent_share) * sum(rents, ZERO)
    bill.pay(bill.paid_ahead(row.paid_quarters_before), "prepayments", prepaid)
    begins = int(row.credited_after_month) // 3
    credited = sum(rents[begins:], ZERO)
    for j in range(begins, bill.firm):
        if credited:
            bill.pay(bill.delivery + j, "prepayments", -prepaid * rents[j] / credited)
