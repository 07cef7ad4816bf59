"""Late delivery: damages from the deadline on, and how much of a contract may be missing how long."""

from __future__ import annotations

from decimal import Decimal

from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.terms.bill import Bill
from optimizer.ground.quarters import Quarter


def apply(bill: Bill) -> None:
    """Damages on the whole contract from the deadline to the quarter before first delivery."""
    row = bill.inputs.row("late_delivery", bill.offer.offer)
    if row is None:
        return
    for n in range(bill.delivery - row.deadline):
        bill.pay(row.deadline + n, "damages", -decimal(row.damages_musd_per_it_mw_quarter))


def may_be_missing(bill: Bill, quarter: Quarter) -> Decimal:
    """Most IT MW of the contract that may be missing in a quarter."""
    row = bill.inputs.row("late_delivery", bill.offer.offer)
    if row is None or not max(bill.delivery, row.deadline) <= quarter < row.deadline + row.walk_away_quarters:
        return ZERO
    return bill.held_mw(quarter)


def damages_musd(bill: Bill, missing_it_mw: Decimal) -> Decimal:
    """What a quarter of missing capacity pays."""
    row = bill.inputs.row("late_delivery", bill.offer.offer)
    return ZERO if row is None else -decimal(row.damages_musd_per_it_mw_quarter) * missing_it_mw
