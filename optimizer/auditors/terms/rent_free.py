"""Quarters without rent at the start of a contract; capacity is held and power drawn as ever."""

from __future__ import annotations

from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    row = bill.inputs.row("rent_free", bill.offer.offer)
    if row is not None:
        bill.free = row.quarters
