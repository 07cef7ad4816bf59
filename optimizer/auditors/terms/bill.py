"""A signed contract as the accountant sees it: what one contracted IT MW holds, bills and draws, quarter by quarter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from optimizer.auditors.inputs import ONE, ZERO, Inputs, decimal
from optimizer.ground.quarters import Quarter

Shares = list[Decimal]
Missing = Mapping[int, Mapping[Quarter, Decimal]]
"""IT MW that are missing, by tranche and quarter."""


class Piece(NamedTuple):
    """A share of a contract that is due in its quarter `after` and delivered in its quarter `since`, later if late."""

    after: int
    since: int
    share: Decimal


@dataclass
class Bill:
    """A contract of `it_mw` at a site, first delivered in `delivery`; j counts quarters from there, from 0.

    `held[j]` binds capacity, `delivered[j]` of it is there, `billed[j]` pays rent, `drawn[j]` draws power, all as
    shares of the contracted IT MW; `planned[j]` would pay rent if nothing were late; `price[j]` is $M per billed IT MW
    and quarter. The series run through the firm term and the extensions taken. `items` are payments beside rent, power
    and operating cost, for the whole contract.
    """

    inputs: Inputs
    offer: Any
    site: str
    delivery: Quarter
    it_mw: Decimal
    committed: bool
    missing: Missing
    price: list[Decimal]
    pieces: list[Piece] = field(default_factory=lambda: [Piece(0, 0, ONE)])
    free: int = 0
    """Quarters without rent from first delivery on."""
    paid_share: Decimal = ONE
    taken_share: Decimal = ONE
    held: Shares = field(default_factory=list)
    delivered: Shares = field(default_factory=list)
    billed: Shares = field(default_factory=list)
    planned: Shares = field(default_factory=list)
    drawn: Shares = field(default_factory=list)
    items: list[tuple[Quarter, str, Decimal]] = field(default_factory=list)

    @classmethod
    def plain(
        cls,
        inputs: Inputs,
        offer: Any,
        site: str,
        delivery: Quarter,
        it_mw: Decimal,
        *,
        committed: bool,
        missing: Missing,
    ) -> Bill:
        """The contract without any term: one piece. Its prices are as many as all extensions could make it last."""
        options = inputs.rows_of("extensions", "offer", offer.offer)
        longest = offer.term_quarters + sum(row.quarters for row in options)
        bill = cls(inputs, offer, site, delivery, it_mw, committed, missing, price=[])
        bill.price = [bill.quoted(j) * bill.escalated(j) for j in range(longest)]
        return bill

    @property
    def firm(self) -> int:
        """Length of the firm term in quarters."""
        return int(self.offer.term_quarters)

    @property
    def quarters(self) -> int:
        """Length of the contract, extensions taken included."""
        return len(self.price)

    @property
    def end(self) -> Quarter:
        """The last quarter of the contract."""
        return self.delivery + self.quarters - 1

    def years(self, j: int) -> int:
        """Whole years from the quarter that the price is quoted for to the j-th of the contract."""
        return (self.delivery + j - (self.offer.price_base_quarter or self.delivery)) // 4

    def quoted(self, j: int) -> Decimal:
        """The price as offered, in $M per IT MW in the j-th quarter (prices by the hour follow the calendar)."""
        offered = self.inputs.row("offer_prices", self.inputs.scenario, self.offer.offer)
        price, basis = decimal(offered.price), offered.price_basis
        quarter = self.delivery + j
        return self.inputs.musd_per_quarter(price, basis, self.offer.product, self.offer.utilisation, quarter)

    def escalated(self, j: int) -> Decimal:
        """The offer's own yearly rise, taken every four quarters."""
        return (1 + decimal(self.offer.escalator)) ** self.years(j)

    # ---- what is late --------------------------------------------------------------------------------------------

    def ramped(self, piece: Piece, j: int) -> Decimal:
        """Share of a piece that its ramp has reached in the j-th quarter, from its own delivery on."""
        return self.inputs.ramped(self.offer.ramp, j - piece.since)

    def charged(self, piece: Piece, j: int) -> Decimal:
        """Share of a piece that is billed in the j-th quarter; late pieces keep their quarters without rent."""
        free = max(0, self.free - piece.after)
        return ZERO if j - piece.since < free else self.paid_share * self.ramped(piece, j)

    def fill(self, arrived: list[Piece]) -> None:
        """The contract's series, from its pieces as they are due and as they arrive."""
        whole = range(self.quarters)
        self.held = [sum((p.share for p in self.pieces if p.after <= j), ZERO) for j in whole]
        self.planned = [sum((p.share * self.charged(p, j) for p in self.pieces), ZERO) for j in whole]
        self.delivered = [sum((p.share for p in arrived if p.since <= j), ZERO) for j in whole]
        self.billed = [sum((p.share * self.charged(p, j) for p in arrived), ZERO) for j in whole]
        self.drawn = [sum((p.share * self.ramped(p, j) for p in arrived), ZERO) * self.taken_share for j in whole]
        self.pieces = arrived

    # ---- money ---------------------------------------------------------------------------------------------------

    def rent(self, j: int) -> Decimal:
        """$M billed for one contracted IT MW in the j-th quarter; what is missing bills nothing."""
        return self.price[j] * self.billed[j]

    def planned_rent(self, j: int) -> Decimal:
        """$M billed for one contracted IT MW in the j-th quarter, if nothing were late."""
        return self.price[j] * self.planned[j]

    def index(self, quarter: Quarter) -> int:
        """Which quarter of the contract this is, from 0."""
        return quarter - self.delivery

    def held_mw(self, quarter: Quarter) -> Decimal:
        """IT MW of capacity that the contract binds in a quarter, missing or not."""
        j = self.index(quarter)
        return self.held[j] * self.it_mw if 0 <= j < self.quarters else ZERO

    def drawn_mw(self, quarter: Quarter) -> Decimal:
        """IT MW that draw power in a quarter; what is missing draws none."""
        j = self.index(quarter)
        return self.drawn[j] * self.it_mw if 0 <= j < self.quarters else ZERO

    def pay(self, quarter: Quarter, line: str, musd_per_it_mw: Decimal) -> None:
        """Add a payment for each contracted IT MW, received positive."""
        self.items.append((quarter, line, musd_per_it_mw * self.it_mw))

    def paid_ahead(self, quarters_before: int, since: int = 0) -> Quarter:
        """When money due some quarters before a delivery comes: not before the first quarter, unless long signed."""
        quarter = self.delivery + since - quarters_before
        return quarter if self.committed else max(quarter, self.inputs.case.first)
