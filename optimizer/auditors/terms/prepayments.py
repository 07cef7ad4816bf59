"""Rent paid ahead, credited back over the bills from a month of the contract on, in proportion to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.auditors.inputs import ONE, ZERO, decimal
from optimizer.auditors.terms.bill import Bill, Piece


def apply(bill: Bill) -> None:
    """The contract as it was signed; what is late of it is prepaid and credited by its own delivery instead."""
    row = bill.inputs.row("prepayments", bill.offer.offer)
    if row is None:
        return
    _prepay(bill, row, [bill.planned_rent(j) for j in range(bill.firm)], 0, ONE)
    for piece in bill.pieces:
        if piece.since != piece.after:
            on_time = piece._replace(since=piece.after)
            _prepay_alone(bill, row, on_time, 0, -piece.share)
            _prepay_alone(bill, row, piece, piece.since, piece.share)


def _prepay_alone(bill: Bill, row: Any, piece: Piece, since: int, share: Decimal) -> None:
    """Megawatts of one piece as if they were a contract: nothing is prepaid where no bill is left to credit it on."""
    rents = [bill.price[j] * bill.charged(piece, j) for j in range(bill.firm)]
    if any(rents[since + _begins(row) :]):
        _prepay(bill, row, rents, since, share)


def _prepay(bill: Bill, row: Any, rents: list[Decimal], since: int, share: Decimal) -> None:
    """A share of the firm term's rent, received before the contract's quarter `since`, credited some months after it.

    What was received before the horizon for the contract is not received again for a part of it that is late.
    """
    prepaid = decimal(row.rent_share) * sum(rents, ZERO)
    received_long_ago = bill.paid_ahead(row.paid_quarters_before) < bill.inputs.case.first
    if not received_long_ago or since == 0:
        bill.pay(bill.paid_ahead(row.paid_quarters_before, since), "prepayments", share * prepaid)
    begins = since + _begins(row)
    credited = sum(rents[begins:], ZERO)
    for j in range(begins, bill.firm):
        if credited:
            bill.pay(bill.delivery + j, "prepayments", -share * prepaid * rents[j] / credited)


def _begins(row: Any) -> int:
    """Quarters of delivery before the first credit."""
    return int(row.credited_after_month) // 3
