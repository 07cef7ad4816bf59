"""Who pays for the building let: the tenant, the landlord, or the landlord the first year's cost and no rise of it."""

from __future__ import annotations

from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    row = bill.inputs.row("leases", bill.offer.offer)
    if row is None:
        return
    growth = {"triple_net": None, "modified_gross": ZERO, "gross": decimal(row.cost_growth)}[row.kind]
    if growth is None:
        return
    for j in range(bill.quarters):
        cost = decimal(row.cost_musd_per_it_mw_year) / 4 * (1 + growth) ** (j // 4)
        bill.pay(bill.delivery + j, "lease_cost", -cost * bill.delivered[j])
