"""What a contracted IT MW is paid and costs, quarter by quarter, with every term that an offer may have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from oracle_future import Future, share_at
from oracle_program import Program

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True)
class Contract:
    """A signed offer: where and when it is first delivered, the sizes it may have, the price tier they fall in."""

    offer: str
    site: str
    quarter: Quarter
    min_it_mw: float
    max_it_mw: float
    price_share: float = 1.0


Contracts = tuple[Contract, ...]
Flow = tuple[str, Quarter, float]


def contracts_of_sizes(case: Case, name: str, site: str, t: Quarter, least: float, most: float) -> list[Contract]:
    """A contract of between least and most IT MW, one for each price tier that the sizes touch."""
    tiers = sorted((row for row in case.rows("price_tiers") if row.offer == name), key=lambda row: row.up_to_it_mw)
    if not tiers:
        return [Contract(name, site, t, least, most)]
    if least == most:
        tiers = [next(tier for tier in tiers if most <= tier.up_to_it_mw)]
    found, above = [], 0.0
    for tier in tiers:
        low, high = max(least, above), min(most, tier.up_to_it_mw)
        if low < high or least == most:
            found.append(Contract(name, site, t, low if least < most else least, high, tier.price_share))
        above = tier.up_to_it_mw
    return found


class Deal:
    """A contract in one future, per IT MW. Lists run over its quarters j = 0, 1, ... from first delivery."""

    def __init__(self, future: Future, contract: Contract):
        self.future = future
        self.case = future.case
        self.contract = contract
        self.offer = future.case.offer[contract.offer]
        self.firm = self.offer.term_quarters
        self.begins = contract.quarter
        self.late = future.term("late_delivery", self.offer.offer)
        self.backstop = future.term("backstops", self.offer.offer)
        self.committed = any(row.offer == self.offer.offer for row in self.case.committed_contracts)

    # shape: what is held, billed and drawn

    @cached_property
    def quarters(self) -> range:
        return range(self.firm + sum(step_quarters for step_quarters, _ in self.taken_steps))

    @property
    def ends(self) -> Quarter:
        """The first quarter after it, extensions that the tenant takes included."""
        return self.begins + len(self.quarters)

    @cached_property
    def tranches(self) -> list[tuple[int, float]]:
        rows = self.future.terms("tranches", self.offer.offer)
        return [(row.quarters_after, row.share) for row in rows] or [(0, 1.0)]

    def held(self, t: Quarter) -> float:
        """Share of its IT MW that binds capacity."""
        if not self.begins <= t < self.ends:
            return 0.0
        return sum(share for after, share in self.tranches if self.begins + after <= t)

    def delivered(self, j: int) -> float:
        """Share that is delivered and ramped up, before usage."""
        ramp = self.case.profile[self.offer.ramp]
        return sum(share * share_at(ramp, j - after) for after, share in self.tranches)

    @cached_property
    def taken_share(self) -> float:
        usage = self.future.term("usage", self.offer.offer)
        return 1.0 if usage is None else usage.taken_share

    @cached_property
    def billed_share(self) -> float:
        floor = self.future.term("take_or_pay", self.offer.offer)
        return max(self.taken_share, 0.0 if floor is None else floor.floor_share)

    @cached_property
    def drawn(self) -> list[float]:
        return [self.delivered(j) * self.taken_share for j in self.quarters]

    # price

    @property
    def base_quarter(self) -> Quarter:
        return self.begins if self.offer.price_base_quarter is None else self.offer.price_base_quarter

    def escalation(self, t: Quarter) -> float:
        years = (t - self.base_quarter) // 4
        index = self.future.term("index_escalators", self.offer.offer)
        if index is None:
            return float((1 + self.offer.escalator) ** years)
        factor = 1.0
        for k in range(1, years + 1):
            rise = self.future.indices[index.index, min(self.base_quarter + 4 * k, self.case.last)]
            if index.cap is not None:
                rise = min(rise, index.cap)
            if index.floor is not None:
                rise = max(rise, index.floor)
            factor *= 1 + rise
        return factor

    def list_price(self, j: int) -> float:
        """Rent of an IT MW in full use in quarter j, extension prices aside."""
        t, quote = self.begins + j, self.future.offer_prices[self.offer.offer]
        rent = self.future.rent(quote.price, quote.price_basis, self.offer.product, self.offer.utilisation, t)
        sites = self.future.terms("site_prices", self.offer.offer)
        here = next((row.price_share for row in sites if row.site == self.contract.site), 1.0)
        return rent * self.escalation(t) * here * self.contract.price_share

    @cached_property
    def taken_steps(self) -> list[tuple[int, float]]:
        """Length and price share of the extensions that the tenant takes."""
        taken, j = [], self.firm
        for row in sorted(self.future.terms("extensions", self.offer.offer), key=lambda row: row.step):
            if row.price_share * self.list_price(j) > self.future.market_rent(self.offer.product, self.begins + j):
                break
            taken.append((row.quarters, row.price_share))
            j += row.quarters
        return taken

    @cached_property
    def price(self) -> list[float]:
        shares = [1.0] * self.firm
        for step_quarters, price_share in self.taken_steps:
            shares += [price_share] * step_quarters
        return [share * self.list_price(j) for j, share in enumerate(shares)]

    @property
    def free_quarters(self) -> int:
        """Quarters without rent, from first delivery on."""
        free = self.future.term("rent_free", self.offer.offer)
        return 0 if free is None else int(free.quarters)

    @cached_property
    def rent(self) -> list[float]:
        return [
            self.price[j] * self.delivered(j) * self.billed_share if j >= self.free_quarters else 0.0
            for j in self.quarters
        ]

    def rent_in(self, t: Quarter) -> float:
        return self.rent[t - self.begins] if self.begins <= t < self.ends else 0.0

    def drawn_in(self, t: Quarter) -> float:
        """Share of its IT MW that is drawn."""
        return self.drawn[t - self.begins] if self.begins <= t < self.ends else 0.0

    def power(self, t: Quarter) -> float:
        """Cost of the power of an IT MW in use; nothing where the customer pays it."""
        if self.offer.power_passed_through:
            return 0.0
        return self.future.ai_power(self.contract.site, self.offer.product, self.offer.load_factor, t)

    # credit

    @cached_property
    def lost_shares(self) -> list[float]:
        """Share of each quarter's rent that is lost in the mean, since the customer may have failed by then."""
        customer = self.future.customers.get(self.offer.customer)
        if customer is None:
            return [0.0 for _ in self.quarters]
        yearly = customer.yearly_default if self.backstop is None else self.backstop.yearly_default
        h = 1 - (1 - yearly) ** 0.25
        known_alive = max(0, self.case.first - self.begins)
        shares = []
        for j in range(len(self.quarters)):
            lost = 0.0
            for k in range(known_alive, j + 1):
                relet = customer.relet_rent_share if j - k >= customer.relet_quarters else 0.0
                lost += (1 - h) ** (k - known_alive) * h * (1 - relet)
            shares.append(lost * (1 - customer.recovered_share))
        return shares

    # money

    @cached_property
    def flows(self) -> list[Flow]:
        """Line, quarter and $M per IT MW, from the first quarter on."""
        parts: tuple[Callable[[], Iterator[Flow]], ...] = (
            self._operations,
            self._prepayment,
            self._tenant_funding,
            self._backstop,
            self._lease,
            self._damages,
            self._expected_loss,
        )
        booked = (flow for part in parts for flow in part())
        return [(line, t, musd) for line, t, musd in booked if t >= self.case.first and musd != 0]

    @cached_property
    def bookings(self) -> Program:
        """The flows of an IT MW in a program of its own, ready to be copied."""
        pattern = Program(self.case)
        for line, t, musd in self.flows:
            pattern.book(line, t, {0: musd}, self.offer.product, self.contract.site)
        return pattern

    def _expected_loss(self) -> Iterator[Flow]:
        for j, rent in enumerate(self.rent):
            yield "expected_loss", self.begins + j, -rent * self.lost_shares[j]

    def _operations(self) -> Iterator[Flow]:
        for j, rent in enumerate(self.rent):
            t = self.begins + j
            if t >= self.case.first:
                yield "rent", t, rent
                yield "ai_operating_cost", t, -self.offer.operating_cost_share * rent
                yield "ai_power", t, -self.power(t) * self.drawn[j]

    def _paid_ahead(self, quarters_before: int) -> Quarter:
        """When a payment ahead of delivery arrives: not before the horizon, unless it was signed then."""
        t = self.begins - quarters_before
        return t if self.committed else max(t, self.case.first)

    def _prepayment(self) -> Iterator[Flow]:
        row = self.future.term("prepayments", self.offer.offer)
        if row is None:
            return
        prepaid = row.rent_share * sum(self.rent[: self.firm])
        yield "prepayments", self._paid_ahead(row.paid_quarters_before), prepaid
        credited_from = row.credited_after_month // 3
        credited_rent = sum(self.rent[credited_from : self.firm])
        for j in range(credited_from, self.firm):
            yield "prepayments", self.begins + j, -prepaid * self.rent[j] / credited_rent

    def _tenant_funding(self) -> Iterator[Flow]:
        row = self.future.term("tenant_funding", self.offer.offer)
        if row is None:
            return
        yield "tenant_capex", self._paid_ahead(row.paid_quarters_before), row.musd_per_it_mw
        balance = row.musd_per_it_mw
        for j in range(self.firm):
            balance *= 1 + row.rate / 4
            credit = min(balance, row.credit_share * self.rent[j])
            balance -= credit
            yield "tenant_credits", self.begins + j, -credit

    def _backstop(self) -> Iterator[Flow]:
        if self.backstop is not None:
            yield "backstop", self.begins, -self.backstop.upfront_musd_per_it_mw
            for j, rent in enumerate(self.rent):
                yield "backstop", self.begins + j, -self.backstop.rent_share * rent

    def _lease(self) -> Iterator[Flow]:
        row = self.future.term("leases", self.offer.offer)
        if row is None or row.kind == "triple_net":
            return
        for j in self.quarters:
            yield "lease_cost", self.begins + j, -self.held(self.begins + j) * self.building_cost(j)

    def building_cost(self, j: int) -> float:
        """What the building of an IT MW costs the landlord in a quarter of the contract."""
        row = self.future.term("leases", self.offer.offer)
        if row is None or row.kind == "triple_net":
            return 0.0
        growth = (1 + row.cost_growth) ** (j // 4) if row.kind == "gross" else 1.0
        return float(row.cost_musd_per_it_mw_year / 4 * growth)

    def _damages(self) -> Iterator[Flow]:
        if self.late is not None:
            for ahead in range(self.begins - self.late.deadline):
                t = self.late.deadline + ahead
                yield "damages", t, -self.late.damages_musd_per_it_mw_quarter

    # late delivery

    def late_quarters(self, tranche: int) -> list[Quarter]:
        """Quarters in which MW of a tranche may be missing: it was due after the deadline, and the tenant waits."""
        due = self.begins + self.tranches[tranche][0]
        if self.late is None or not (self.committed or self.case.settings.allow_planned_lateness):
            return []
        limit = self.late.deadline + self.late.walk_away_quarters
        if not self.late.deadline <= due < limit:
            return []
        begin, end = max(self.case.first, due), min(limit, self.case.last + 1, self.ends)
        return [begin + k for k in range(end - begin)]

    def waiting(self, tranche: int, t: Quarter) -> list[Flow]:
        """What changes if an IT MW of a tranche that could be delivered in a quarter comes one quarter later."""
        due = self.begins + self.tranches[tranche][0]
        quarters = self.late_quarters(tranche)
        now = due if t == quarters[0] else t
        change: dict[tuple[str, Quarter], float] = {("damages", t): -self.late.damages_musd_per_it_mw_quarter}
        later = self.delivered_in(tranche, t + 1)
        for sign, flows in ((1.0, later), (-1.0, self.delivered_in(tranche, now))):
            for line, q, musd in flows:
                change[line, q] = change.get((line, q), 0.0) + sign * musd
        return [(line, q, musd) for (line, q), musd in change.items() if q >= self.case.first and musd != 0]

    def billed_after(self, tranche: int, a: Quarter) -> list[float]:
        """Rent of an IT MW of a tranche that is delivered in a quarter, by quarter of the contract."""
        free = max(0, self.free_quarters - self.tranches[tranche][0])
        ramp, since = self.case.profile[self.offer.ramp], a - self.begins
        return [
            self.price[j] * share_at(ramp, j - since) * self.billed_share if j >= since + free else 0.0
            for j in self.quarters
        ]

    def delivered_in(self, tranche: int, a: Quarter) -> list[Flow]:
        """The flows of an IT MW of a tranche that is delivered in a quarter."""
        ramp, since, flows = self.case.profile[self.offer.ramp], a - self.begins, []
        fee = 0.0 if self.backstop is None else self.backstop.rent_share
        rents = self.billed_after(tranche, a)
        for j, rent in enumerate(rents):
            t = self.begins + j
            flows.append(("rent", t, rent))
            flows.append(("ai_operating_cost", t, -self.offer.operating_cost_share * rent))
            flows.append(("backstop", t, -fee * rent))
            flows.append(("expected_loss", t, -rent * self.lost_shares[j]))
            if t >= self.case.first:
                drawn = share_at(ramp, j - since) * self.taken_share
                flows.append(("ai_power", t, -self.power(t) * drawn))
            if j >= since:
                flows.append(("lease_cost", t, -self.building_cost(j)))
        return [*flows, *self._prepaid_alone(tranche, a, rents)]

    def _prepaid_alone(self, tranche: int, a: Quarter, rents: list[float]) -> Iterator[Flow]:
        """The prepayment of an IT MW by itself: ahead of the contract's delivery, or ahead of its own if it is late."""
        row = self.future.term("prepayments", self.offer.offer)
        if row is None:
            return
        late = a > self.begins + self.tranches[tranche][0]
        counted = a if late else self.begins
        credited_from = counted - self.begins + row.credited_after_month // 3
        credited = sum(rents[credited_from : self.firm])
        if credited == 0:
            return
        prepaid = row.rent_share * sum(rents[: self.firm])
        received = counted - row.paid_quarters_before
        if not self.committed:
            received = max(received, self.case.first)
        in_the_bank = self.committed and self.begins - row.paid_quarters_before < self.case.first
        if not (late and in_the_bank):
            yield "prepayments", received, prepaid
        for j in range(credited_from, self.firm):
            yield "prepayments", self.begins + j, -prepaid * rents[j] / credited

    def draws_after(self, tranche: int, a: Quarter, t: Quarter) -> float:
        """Share of an IT MW delivered in a quarter that is drawn in another."""
        if t >= self.ends:
            return 0.0
        return share_at(self.case.profile[self.offer.ramp], t - a) * self.taken_share
