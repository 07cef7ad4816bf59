"""Credit: a customer of `customers.csv` may fail; the rent that is then lost on average is a cost of its contracts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from optimizer.case.schema import Customer
from optimizer.case.terms.backstops import Backstop
from optimizer.case.terms.deal import Amounts, Deal, Term
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


def shape(deal: Deal) -> None:
    """`loss_j = rent_j x lost share_j x (1 - recovered)`, to the contract's own end.

    A contract that is delivered already has outlived its past: its quarters count from the horizon's first one.
    """
    customer = deal.case.customer.get(deal.offer.customer)
    if customer is None:
        return
    outlived = min(max(0, deal.case.first - deal.delivery), deal.length) if deal.committed else 0
    lost = np.append(np.zeros(outlived), lost_shares(customer, _yearly_default(deal, customer), deal.length - outlived))
    deal.pay("expected_loss", -deal.rent * lost * (1 - customer.recovered_share))


def _yearly_default(deal: Deal, customer: Customer) -> float:
    """The chance that the rent fails within a year: the customer's, or what a backstop leaves of it."""
    backstop = deal.row(Backstop)
    return customer.yearly_default if backstop is None else backstop.yearly_default


def lost_shares(customer: Customer, yearly_default: float, quarters: int) -> Amounts:
    """Expected share of each quarter's rent that is not paid.

    The customer fails in quarter k with `(1 - h)^k x h`, h the chance of a quarter; what it leaves stands empty for
    the quarters of re-letting and pays the rent of the new tenant after them.
    """
    ages = np.arange(quarters)
    chance = 1 - (1 - yearly_default) ** 0.25
    failing = chance * (1 - chance) ** ages
    unpaid = np.where(ages >= customer.relet_quarters, 1 - customer.relet_rent_share, 1.0)
    return np.array([failing[: j + 1] @ unpaid[j::-1] for j in ages], dtype=float)


def check(case: Case) -> Iterator[Finding]:
    renting = {row.customer for row in case.offers}
    for row in case.customers:
        if row.customer not in renting:
            yield row.finding("is the customer of no offer", "take the row away", "customer", severity="warning")


TERM = Term((), shape, check)
