"""Tenants' options to extend: taken one after the other, each if its price is then at most the market's."""

from __future__ import annotations

from optimizer.auditors.inputs import decimal
from optimizer.auditors.terms.bill import Bill
from optimizer.auditors.tolerances import SAME_PRICE


def apply(bill: Bill) -> None:
    steps = sorted(bill.inputs.rows_of("extensions", "offer", bill.offer.offer), key=lambda row: row.step)
    begins = bill.firm
    for row in steps:
        share = decimal(row.price_share)
        market = bill.inputs.market_musd_per_quarter(bill.offer.product, bill.delivery + begins)
        if share * bill.price[begins] > market * (1 + SAME_PRICE):
            break
        for j in range(begins, begins + row.quarters):
            bill.price[j] *= share
        begins += row.quarters
    del bill.price[begins:]
