"""Late delivery: which parts of a contract may be missing how long, when they arrive, and the damages meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from optimizer.auditors.inputs import ZERO, Inputs, decimal
from optimizer.auditors.terms.bill import Bill, Piece
from optimizer.auditors.terms.tranches import parts
from optimizer.ground.quarters import Quarter


def deliver(bill: Bill) -> None:
    """Split each tranche by the quarters in which its megawatts arrive, and fill the contract's series."""
    arrived: list[Piece] = []
    for tranche, piece in enumerate(bill.pieces):
        arrived += _arrivals(bill, piece, bill.missing.get(tranche, {}))
    bill.fill([piece for piece in arrived if piece.share])


def _arrivals(bill: Bill, piece: Piece, missing: Mapping[Quarter, Decimal]) -> Iterator[Piece]:
    """What is missing one quarter and no longer in the next arrives then; all of it once no more may be missing."""
    quarters = may_be_missing(bill.inputs, bill.offer.offer, bill.delivery + piece.after)
    if not missing or not quarters:
        yield piece
        return
    left = piece.share
    for quarter in quarters:
        still = missing.get(quarter, ZERO) / bill.it_mw
        since = piece.after if quarter == quarters[0] else bill.index(quarter)
        yield Piece(piece.after, since, left - still)
        left = still
    yield Piece(piece.after, bill.index(quarters[-1]) + 1, left)


def may_be_missing(inputs: Inputs, offer: str, due: Quarter) -> list[Quarter]:
    """Quarters of the horizon in which what is due in a quarter may be missing: from then on, to the walk-away.

    Only what is due at the deadline or after it is ever late.
    """
    row = inputs.row("late_delivery", offer)
    if row is None or due < row.deadline:
        return []
    return [quarter for quarter in inputs.case.horizon if due <= quarter < row.deadline + row.walk_away_quarters]


def most_missing(bill: Bill, tranche: int, quarter: Quarter) -> Decimal:
    """Most IT MW of a tranche that may be missing in a quarter."""
    tranches = parts(bill.inputs, bill.offer)
    if not 0 <= tranche < len(tranches):
        return ZERO
    after, share = tranches[tranche]
    quarters = may_be_missing(bill.inputs, bill.offer.offer, bill.delivery + after)
    return share * bill.it_mw if quarter in quarters else ZERO


def apply(bill: Bill) -> None:
    """Damages from the deadline on: on the whole contract until its first delivery, then on what is missing."""
    row = bill.inputs.row("late_delivery", bill.offer.offer)
    if row is None:
        return
    musd = decimal(row.damages_musd_per_it_mw_quarter)
    for n in range(bill.delivery - row.deadline):
        bill.pay(row.deadline + n, "damages", -musd)
    for by_quarter in bill.missing.values():
        for quarter, it_mw in by_quarter.items():
            bill.items.append((quarter, "damages", -musd * it_mw))
