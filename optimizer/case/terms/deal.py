"""A deal: what one contracted IT MW of an offer holds, draws and pays, quarter by quarter of its contract.

Terms change a deal one after the other. A deal knows no decision: the model multiplies it with the size that is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from optimizer.case.market import price_per_it_mw_quarter
from optimizer.case.schema import Offer, Row
from optimizer.ground.findings import Finding
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case

Amounts = npt.NDArray[np.float64]
_Row = TypeVar("_Row", bound=Row)


@dataclass(frozen=True)
class Payment:
    """A payment beside the rent: $M per contracted IT MW by quarter from `first` on, received positive."""

    line: str
    first: Quarter
    amounts: Amounts


@dataclass(frozen=True)
class Part:
    """One IT MW of a contract by itself: of a tranche due so many quarters after first delivery, and when it came."""

    due: int
    arrival: int


@dataclass
class Deal:
    """One offer at one site in one scenario, first delivered in `delivery`; arrays are by quarter of the contract.

    `held`, `billed` and `drawn` are shares of the contracted MW that bind capacity, are billed and draw power; `price`
    is $M per billed IT MW. The arrays reach past `length`, as far as extensions could carry the contract. With a `part`
    the deal is that of one IT MW of a tranche, by the contract's own clock, as far as its delivery moves the money.
    """

    case: Case
    scenario: str
    offer: Offer
    site: str
    delivery: Quarter
    committed: bool = False
    tier: int = 0
    part: Part | None = None
    length: int = field(init=False)
    held: Amounts = field(init=False)
    billed: Amounts = field(init=False)
    drawn: Amounts = field(init=False)
    price: Amounts = field(init=False)
    payments: list[Payment] = field(default_factory=list)
    price_factor: float = 1.0
    """What a site and a size make of the offer's price."""

    def __post_init__(self) -> None:
        self.length = self.offer.term_quarters
        reach = self.length + sum(row.quarters for row in self.case.rows("extensions") if row.offer == self.offer.offer)
        self.held = np.where(np.arange(reach) >= self.arrival, 1.0, 0.0)
        self.billed = self.ramp_from(self.arrival, reach)
        self.drawn = self.billed.copy()
        steps = [(t - self.base) // 4 for t in self.quarters(reach)]
        self.price = self.quoted(reach) * (1 + self.offer.escalator) ** np.array(steps)

    @property
    def firm(self) -> int:
        """Quarters of the contract without extensions."""
        return self.offer.term_quarters

    @property
    def base(self) -> Quarter:
        """The quarter that the price is quoted for."""
        return self.delivery if self.offer.price_base_quarter is None else self.offer.price_base_quarter

    @property
    def rent(self) -> Amounts:
        """$M billed per contracted IT MW in each quarter of the contract, extensions included."""
        rent: Amounts = (self.price * self.billed)[: self.length]
        return rent

    @property
    def due(self) -> int:
        """Quarters after first delivery in which this part is due."""
        return 0 if self.part is None else self.part.due

    @property
    def arrival(self) -> int:
        """Quarters after first delivery in which this part comes."""
        return 0 if self.part is None else self.part.arrival

    @property
    def put_off(self) -> int:
        """Quarters from first delivery from which a late part counts the months of its prepayment; 0 if in time."""
        return self.arrival if self.arrival > self.due else 0

    def quarters(self, count: int | None = None) -> list[Quarter]:
        return [self.delivery + j for j in range(self.length if count is None else count)]

    def ramp_from(self, start: int, reach: int) -> Amounts:
        """The offer's ramp, begun `start` quarters after first delivery."""
        ramp = self.case.profile[self.offer.ramp]
        return np.array([ramp[min(j - start, len(ramp) - 1)] if j >= start else 0.0 for j in range(reach)])

    def quoted(self, reach: int) -> Amounts:
        """The offer's price before any rise, $M per IT MW, in each quarter."""
        quote = self.case.offer_price[self.scenario, self.offer.offer]
        gpus = self.case.product[self.offer.product].gpus_per_it_mw
        return np.array(
            [
                price_per_it_mw_quarter(quote.price, quote.price_basis, t, gpus, self.offer.utilisation)
                for t in self.quarters(reach)
            ]
        )

    def rows(self, kind: type[_Row]) -> list[_Row]:
        """The offer's rows of a term's table, in this deal's scenario where the table has scenarios."""
        rows: list[_Row] = self.case.of_offer(kind, self.offer.offer)
        return [row for row in rows if getattr(row, "scenario", self.scenario) == self.scenario]

    def row(self, kind: type[_Row]) -> _Row | None:
        """The only row of a term's table, or None where the offer lacks the term."""
        return next(iter(self.rows(kind)), None)

    def receive(self, line: str, quarters_before: int, musd: float) -> None:
        """Money received ahead of delivery; for a new contract not before the first quarter.

        What a committed one has paid before the horizon it does not pay again because part of it is late.
        """
        planned = self.delivery - quarters_before
        paid = planned if planned < self.case.first else planned + self.put_off
        if not self.committed:
            paid = max(self.case.first, planned + self.put_off)
        self.payments.append(Payment(line, paid, np.array([musd])))

    def reprice(self, factor: float) -> None:
        self.price = self.price * factor
        self.price_factor *= factor

    def pay(self, line: str, amounts: Amounts) -> None:
        """Amounts by quarter of the contract, $M per contracted IT MW."""
        self.payments.append(Payment(line, self.delivery, amounts))


@dataclass(frozen=True)
class Term:
    """A term of contracts: its tables, what it does to a deal, and what would be wrong with its rows."""

    tables: tuple[type[Row], ...]
    shape: Callable[[Deal], None]
    check: Callable[[Case], Iterable[Finding]]


def leave(deal: Deal) -> None:
    """For terms that act on decisions, not on the deal itself."""
