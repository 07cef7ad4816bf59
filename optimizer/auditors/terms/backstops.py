"""A backstop of the tenant's credit: warrants given at delivery, a fee on every bill."""

from __future__ import annotations

from optimizer.auditors.inputs import decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    row = bill.inputs.row("backstops", bill.offer.offer)
    if row is None:
        return
    bill.pay(bill.delivery, "backstop", -decimal(row.upfront_musd_per_it_mw))
    for j in range(bill.quarters):
        bill.pay(bill.delivery + j, "backstop", -decimal(row.rent_share) * bill.rent(j))
