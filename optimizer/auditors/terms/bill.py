"""A signed contract as the accountant sees it: what one contracted IT MW holds, bills and draws, quarter by quarter."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from optimizer.auditors.inputs import ONE, ZERO, Inputs, decimal
from optimizer.ground.quarters import Quarter

Shares = list[Decimal]


@dataclass
class Bill:
    """A contract of `it_mw` at a site, first delivered in `delivery`; j counts quarters from there, from 0.

    `held[j]` binds capacity, `billed[j]` pays rent, `drawn[j]` draws power, all as shares of the contracted IT MW;
    `price[j]` is $M per billed IT MW and quarter. The series run through the firm term and the extensions taken.
    `items` are payments beside rent, power and operating cost, for the whole contract. `rate` is the yearly rate at
    which the contract is discounted.
    """

    inputs: Inputs
    offer: Any
    site: str
    delivery: Quarter
    it_mw: Decimal
    committed: bool
    held: Shares
    billed: Shares
    drawn: Shares
    price: list[Decimal]
    rate: Decimal
    items: list[tuple[Quarter, str, Decimal]] = field(default_factory=list)

    @classmethod
    def plain(
        cls, inputs: Inputs, offer: Any, site: str, delivery: Quarter, it_mw: Decimal, *, committed: bool
    ) -> Bill:
        """The contract without any term: it holds its whole size, bills and draws by its ramp.

        Its series are as long as all extensions could make it; `extensions.apply` cuts them.
        """
        options = inputs.rows_of("extensions", "offer", offer.offer)
        longest = offer.term_quarters + sum(row.quarters for row in options)
        ramp = [inputs.ramped(offer.ramp, j) for j in range(longest)]
        bill = cls(
            inputs, offer, site, delivery, it_mw, committed,
            held=[ONE] * longest, billed=ramp, drawn=list(ramp), price=[], rate=inputs.rate(offer.product),
        )  # fmt: skip
        bill.price = [bill.quoted(j) * bill.escalated(j) for j in range(longest)]
        return bill

    def cut(self, quarters: int) -> None:
        """End the contract after so many quarters."""
        for series in (self.held, self.billed, self.drawn, self.price):
            del series[quarters:]

    @property
    def firm(self) -> int:
        """Length of the firm term in quarters."""
        return int(self.offer.term_quarters)

    @property
    def quarters(self) -> int:
        """Length of the contract, extensions taken included."""
        return len(self.held)

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

    def rent(self, j: int) -> Decimal:
        """$M billed for one contracted IT MW in the j-th quarter, nothing missing."""
        return self.price[j] * self.billed[j]

    def index(self, quarter: Quarter) -> int:
        """Which quarter of the contract this is, from 0."""
        return quarter - self.delivery

    def held_mw(self, quarter: Quarter) -> Decimal:
        """IT MW of capacity that the contract binds in a quarter, missing or not."""
        j = self.index(quarter)
        return self.held[j] * self.it_mw if 0 <= j < self.quarters else ZERO

    def pay(self, quarter: Quarter, line: str, musd_per_it_mw: Decimal) -> None:
        """Add a payment for each contracted IT MW, received positive."""
        self.items.append((quarter, line, musd_per_it_mw * self.it_mw))

    def paid_ahead(self, quarters_before: int) -> Quarter:
        """When money due some quarters before delivery comes: not before the first quarter, unless long signed."""
        quarter = self.delivery - quarters_before
        return quarter if self.committed else max(quarter, self.inputs.case.first)
