"""Capex that the tenant advances: a loan that bears interest and is repaid by credits on the firm term's rent."""

from __future__ import annotations

from optimizer.auditors.inputs import decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    row = bill.inputs.row("tenant_funding", bill.offer.offer)
    if row is None:
        return
    owed = decimal(row.musd_per_it_mw)
    bill.pay(bill.paid_ahead(row.paid_quarters_before), "tenant_capex", owed)
    for j in range(bill.firm):
        owed *= 1 + decimal(row.rate) / 4
        credit = min(owed, decimal(row.credit_share) * bill.planned_rent(j))
        owed -= credit
        bill.pay(bill.delivery + j, "tenant_credits", -credit)
