"""Contracts delivered in parts: each is held from its own first quarter on and ramps from there; all end together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.auditors.inputs import ONE, Inputs, decimal
from optimizer.auditors.terms.bill import Bill, Piece


def parts(inputs: Inputs, offer: Any) -> list[tuple[int, Decimal]]:
    """Quarters after first delivery, and share of the contract, by tranche; without the term all of it at once."""
    rows = inputs.rows_of("tranches", "offer", offer.offer)
    return sorted((row.quarters_after, decimal(row.share)) for row in rows) or [(0, ONE)]


def apply(bill: Bill) -> None:
    bill.pieces = [Piece(after, after, share) for after, share in parts(bill.inputs, bill.offer)]
