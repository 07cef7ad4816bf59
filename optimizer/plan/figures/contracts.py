"""Figures of the contracts: what each is billed, which part of the rent a customer pays, what is delivered late."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from optimizer.case.terms import committed_deal, delivered_later, make_deal
from optimizer.case.terms.late_delivery import LateDelivery, damages
from optimizer.case.terms.size_tiers import tiers_of
from optimizer.case.terms.tranches import tranches_of
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.terms.deal import Amounts, Deal
    from optimizer.plan.plan import Plan

FIRST_YEAR = 4
SAME_PRICE = 1e-9


class Contract:
    """One signed contract with its deal: its rent by quarter, less what is delivered late, and its lateness."""

    def __init__(self, plan: Plan, row: Any):
        self.row = row
        self.delivery = Quarter.parse(row.delivery_quarter)
        self.deal = deal_of(plan, row)
        late = plan.late[plan.late["offer"] == row.offer].itertuples()
        self._late = [(int(one.tranche), Quarter.parse(one.quarter), float(one.missing_it_mw)) for one in late]
        self.missing: dict[Quarter, float] = {}
        for _, quarter, it_mw in self._late:
            self.missing[quarter] = self.missing.get(quarter, 0.0) + it_mw
        self._first = plan.case.first

    def rent(self, quarter: Quarter) -> float:
        """$M billed in a quarter."""
        j = quarter - self.delivery
        if not 0 <= j < self.deal.length:
            return 0.0
        moved = sum(it_mw * float(rents[j]) for it_mw, rents in self._moved)
        return float(self.row.it_mw) * float(self.deal.rent[j]) + moved

    @cached_property
    def _moved(self) -> list[tuple[float, Amounts]]:
        """IT MW that come a quarter later, and what that changes of the rent of one of them, by quarter."""
        moved = []
        for tranche, quarter, it_mw in self._late:
            sooner, later = delivered_later(self.deal, tranches_of(self.deal)[tranche][0], quarter)
            moved.append((it_mw, later.rent - sooner.rent))
        return moved

    @property
    def first_year_rent(self) -> float:
        """$M billed in the first four quarters from delivery."""
        return sum(self.rent(self.delivery + j) for j in range(FIRST_YEAR))

    @property
    def late_quarters(self) -> list[Quarter]:
        """Quarters from the deadline on in which the contract, or a part of it, is not there."""
        term = self.deal.row(LateDelivery)
        whole = range(term.deadline, self.delivery) if term is not None else range(0)
        return sorted({*(Quarter(t) for t in whole if t >= self._first), *self.missing})

    @property
    def damages(self) -> float:
        """$M paid for that lateness from the first quarter on."""
        whole = sum(
            float(musd) * float(self.row.it_mw)
            for payment in self.deal.payments
            if payment.line == "damages"
            for i, musd in enumerate(payment.amounts)
            if payment.first + i >= self._first
        )
        return damages(self.deal) * sum(self.missing.values()) - whole


def deal_of(plan: Plan, row: Any) -> Deal:
    """The deal behind a row of the plan's contracts: in the tier that has its size and its price."""
    case, delivery = plan.case, Quarter.parse(row.delivery_quarter)
    if row.decided == "committed":
        signed = next(one for one in case.committed_contracts if one.offer == row.offer)
        return committed_deal(case, plan.scenario, signed)
    offer = case.offer[row.offer]
    deals = [
        make_deal(case, plan.scenario, offer, row.site, delivery, tier=k) for k, _ in enumerate(tiers_of(case, offer))
    ]
    quoted = case.offer_price[plan.scenario, row.offer].price
    return min(deals, key=lambda deal: abs(quoted * deal.price_factor - row.price))


def contracts_of(plan: Plan) -> list[Contract]:
    """The signed contracts in the order of the plan's table."""
    return [Contract(plan, row) for row in plan.contracts.itertuples()]


def rents(contracts: list[Contract]) -> pd.DataFrame:
    """What each contract is billed in its first year, $M: offer, customer, site, decided, first_year_rent_musd."""
    import pandas as pd

    rows = [(c.row.offer, c.row.customer, c.row.site, c.row.decided, c.first_year_rent) for c in contracts]
    return pd.DataFrame(rows, columns=["offer", "customer", "site", "decided", "first_year_rent_musd"])


def customer_rents(plan: Plan, contracts: list[Contract]) -> pd.DataFrame:
    """Rent of each customer by quarter of the horizon, and its part of all rent, as the rule on customers has it."""
    import pandas as pd

    sales = plan.cash_flow[plan.cash_flow["line"] == "market_sales"].groupby("quarter")["musd"].sum()
    rents = plan.cash_flow[plan.cash_flow["line"] == "rent"].groupby(["source", "quarter"])["musd"].sum().to_dict()
    rows = []
    for t in plan.case.horizon:
        billed: dict[str, float] = {}
        for one in contracts:
            rent = float(rents.get((one.row.offer, str(t)), 0.0))
            billed[one.row.customer] = billed.get(one.row.customer, 0.0) + rent
        whole = sum(billed.values()) + float(sales.get(str(t), 0.0))
        rows += [(k, str(t), musd, whole, musd / whole) for k, musd in billed.items() if musd > 0 and whole > 0]
    return pd.DataFrame(rows, columns=["customer", "quarter", "rent_musd", "all_rent_musd", "share"])


def late_contracts(contracts: list[Contract]) -> pd.DataFrame:
    """Contracts that are planned to be late: from when to when, how many quarters, and the damages, $M."""
    import pandas as pd

    columns = ["offer", "customer", "first_quarter", "last_quarter", "quarters", "damages_musd"]
    return pd.DataFrame(list(_late_rows(contracts)), columns=columns)


def _late_rows(contracts: list[Contract]) -> Iterator[tuple[object, ...]]:
    for one in contracts:
        if late := one.late_quarters:
            yield one.row.offer, one.row.customer, str(late[0]), str(late[-1]), float(len(late)), one.damages
