"""Tenants that may fail: the rent that is then lost, on average, until the capacity is let again."""

from __future__ import annotations

from decimal import Decimal

from optimizer.auditors.inputs import ONE, QUARTERS, ZERO, decimal
from optimizer.auditors.terms.bill import Bill


def apply(bill: Bill) -> None:
    """Of each bill the share that is lost on average; a contract that runs already is alive in the first quarter."""
    customer = bill.inputs.row("customers", bill.offer.customer)
    if customer is None:
        return
    backed = bill.inputs.row("backstops", bill.offer.offer)
    yearly = decimal((backed or customer).yearly_default)
    begins = max(0, bill.inputs.case.first - bill.delivery)
    unpaid = 1 - decimal(customer.recovered_share)
    lost = lost_shares(
        yearly, customer.relet_quarters, decimal(customer.relet_rent_share), max(0, bill.quarters - begins)
    )
    for j, share in enumerate(lost, start=begins):
        bill.pay(bill.delivery + j, "expected_loss", -bill.rent(j) * share * unpaid)


def lost_shares(yearly: Decimal, relet_quarters: int, relet_rent_share: Decimal, quarters: int) -> list[Decimal]:
    """Share of each quarter's rent that is lost on average.

    A tenant that fails in a quarter pays nothing from that quarter on; once `relet_quarters` have passed another one
    pays a share of the rent.
    """
    stays = (ONE - yearly) ** (ONE / QUARTERS)
    fails = [stays**k * (ONE - stays) for k in range(quarters)]
    failed = [sum(fails[: j + 1], ZERO) for j in range(quarters)]
    let_again = [failed[j - relet_quarters] if j >= relet_quarters else ZERO for j in range(quarters)]
    return [gone - relet_rent_share * again for gone, again in zip(failed, let_again, strict=True)]
