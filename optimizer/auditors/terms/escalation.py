"""Prices that rise with an index: every fourth quarter by its yearly rise, within a floor and a cap."""

from __future__ import annotations

from optimizer.auditors.inputs import ONE, decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    row = bill.inputs.row("index_escalators", bill.offer.offer)
    if row is None:
        return
    base = bill.offer.price_base_quarter or bill.delivery
    level = [ONE]
    for year in range(1, bill.years(bill.quarters - 1) + 1):
        quarter = bill.inputs.within(base + 4 * year)
        rise = decimal(bill.inputs.row("indices", bill.inputs.scenario, row.index, quarter).yearly_rise)
        level.append(level[-1] * (1 + min(max(rise, decimal(row.floor)), decimal(row.cap))))
    bill.price = [bill.quoted(j) * level[max(0, bill.years(j))] for j in range(bill.quarters)]
