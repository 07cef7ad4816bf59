"""Contracts: offers that can be signed, the megawatts they bind and the rent they pay to their own end."""

from __future__ import annotations

import numpy as np
from pyomo.environ import Binary, ConcreteModel, NonNegativeReals, Var

from optimizer.case import Case
from optimizer.market import ai_power_per_it_mw_quarter, price_per_it_mw_quarter
from optimizer.ports import Amounts, Decision, Linear, Ports, steps
from optimizer.quarters import Quarter
from optimizer.rows import at_most, hold
from optimizer.schema import Offer


def add_contracts(m: ConcreteModel, ports: Ports) -> None:
    """`Y[c,s,t]`: offer c has been delivered at s by t; `Q[c,s,t]`: with that size, where the offer leaves it open.

    Their steps are the first deliveries `y[c,s,t]` and the sizes `q[c,s,t]` of contracts first delivered in t.
    """
    case = ports.case
    index = [(c.offer, s, t) for c in case.offers for s, t in _deliveries(ports, c)]
    flexible = [key for key in index if case.offer[key[0]].max_it_mw > case.offer[key[0]].min_it_mw]
    m.Y = Var(index, domain=Binary)
    m.Q = Var(flexible, domain=NonNegativeReals, bounds=lambda m, c, s, t: (0, case.offer[c].max_it_mw))
    m.y, m.q = steps(m.Y), steps(m.Q)
    for c, s, t in index:
        if (c, s, t) in m.q:
            _bind_and_bill(ports, case.offer[c], s, t, 1.0, m.q[c, s, t])
        else:
            _bind_and_bill(ports, case.offer[c], s, t, case.offer[c].min_it_mw, m.y[c, s, t])
    for row in case.committed_contracts:
        _bind_and_bill(ports, case.offer[row.offer], row.site, row.quarter, row.it_mw, 1)
    hold(m, deliveries_are_never_undone, index)
    hold(m, at_least_the_smallest_size, flexible)
    hold(m, at_most_the_largest_size, flexible)
    hold(m, signed_at_most_once, dict.fromkeys(c for c, _, _ in index))
    hold(m, exclusive_group, dict.fromkeys(o.exclusive_group for o in case.offers if o.exclusive_group))


def _deliveries(ports: Ports, offer: Offer) -> list[tuple[str, Quarter]]:
    """Sites and quarters where the offer can first be delivered: inside its window, with a hall in service."""
    case = ports.case
    committed = any(row.offer == offer.offer for row in case.committed_contracts)
    if committed or not ports.decide:
        return []
    window = [t for t in case.horizon if offer.window_first <= t <= offer.window_last]
    return [
        (s, t)
        for s in case.sites_of_offer[offer.offer]
        for t in window
        if ports.usable_it_mw.level((s, offer.product), t).range()[1] >= offer.min_it_mw
    ]


def _bind_and_bill(ports: Ports, offer: Offer, s: str, t: Quarter, size: float, decision: Decision) -> None:
    """`size x decision` is the contracted IT MW."""
    key = (s, offer.product)
    ports.signed_it_mw.step(key, t, size, decision)
    ports.signed_it_mw.step(key, t + offer.term_quarters, -size, decision)
    rent, power = size * rent_per_it_mw(ports, offer, t), size * power_per_it_mw(ports, offer, s, t)
    pay = (offer.product, s, offer.offer, decision, t)
    ports.pay("rent", *pay, rent)
    ports.pay("ai_operating_cost", *pay, -offer.operating_cost_share * rent)
    ports.pay("ai_power", *pay, -power)
    for i, musd in enumerate(rent):
        ports.rent[offer.customer, t + i].add(musd, decision)
    if t + offer.term_quarters > ports.case.last:
        worth = -size * ports.case.product[offer.product].residual_musd_per_it_mw
        ports.pay("residual", offer.product, s, offer.offer, decision, ports.case.last + 1, [worth])


def billed_shares(case: Case, offer: Offer) -> Amounts:
    """Share of the contracted MW billed in each quarter of the term."""
    ramp = case.profile[offer.ramp]
    return np.array([ramp[min(j, len(ramp) - 1)] for j in range(offer.term_quarters)])


def rent_per_it_mw(ports: Ports, offer: Offer, delivery: Quarter) -> Amounts:
    """Rent of one contracted IT MW in each quarter of the term, $M: `p0 (1 + e)^(j // 4)` times the billed share.

    j counts from first delivery, or from the quarter that the price is quoted for where the offer names one.
    """
    case, quote = ports.case, ports.case.offer_price[ports.scenario, offer.offer]
    gpus = case.product[offer.product].gpus_per_it_mw
    base = delivery if offer.price_base_quarter is None else offer.price_base_quarter
    rent = [
        price_per_it_mw_quarter(quote.price, quote.price_basis, t, gpus, offer.utilisation)
        * (1 + offer.escalator) ** ((t - base) // 4)
        for t in (delivery + j for j in range(offer.term_quarters))
    ]
    return np.asarray(rent) * billed_shares(case, offer)


def power_per_it_mw(ports: Ports, offer: Offer, site: str, delivery: Quarter) -> Amounts:
    """Power that we pay for one contracted IT MW in each quarter of the term, $M; zero where it is passed through."""
    if offer.power_passed_through:
        return np.zeros(offer.term_quarters)
    paid = [
        ai_power_per_it_mw_quarter(ports.case, ports.scenario, site, offer.product, delivery + j, offer.load_factor)
        for j in range(offer.term_quarters)
    ]
    return np.array(paid) * billed_shares(ports.case, offer)


def at_least_the_smallest_size(m: ConcreteModel, c: str, s: str, t: Quarter) -> object:
    r"""A signed contract is no smaller than the offer's smallest size.

    Math: q_{c,s,t} \ge \underline{Q}_c \, y_{c,s,t}
    Unit: IT MW
    Source: the offer
    Kind: physical
    """
    return at_most(Linear().add(m.case.offer[c].min_it_mw, m.y[c, s, t]).add(-1, m.q[c, s, t]), 0)


def at_most_the_largest_size(m: ConcreteModel, c: str, s: str, t: Quarter) -> object:
    r"""A contract is no larger than the offer's largest size, and has no size unless it is signed.

    Math: q_{c,s,t} \le \overline{Q}_c \, y_{c,s,t}
    Unit: IT MW
    Source: the offer
    Kind: physical
    """
    return at_most(Linear().add(1, m.q[c, s, t]).add(-m.case.offer[c].max_it_mw, m.y[c, s, t]), 0)


def signed_at_most_once(m: ConcreteModel, c: str) -> object:
    r"""An offer is signed at most once, at one site.

    Math: \sum_{s,t} y_{c,s,t} \le 1
    Unit: none
    Source: the offer
    Kind: physical
    """
    return at_most(_signed(m, {c}), 1)


def exclusive_group(m: ConcreteModel, group: str) -> object:
    r"""Of the offers in an exclusive group at most one is signed.

    Math: \sum_{c \in E} \sum_{s,t} y_{c,s,t} \le 1
    Unit: none
    Source: the offers
    Kind: negotiable
    """
    members = {o.offer for o in m.case.offers if o.exclusive_group == group}
    committed = sum(row.offer in members for row in m.case.committed_contracts)
    return at_most(_signed(m, members), 1 - committed)


def _signed(m: ConcreteModel, offers: set[str]) -> Linear:
    """How many of the offers are signed."""
    signed = Linear()
    for key in m.y:
        if key[0] in offers:
            signed.add(1, m.y[key])
    return signed


def deliveries_are_never_undone(m: ConcreteModel, c: str, s: str, t: Quarter) -> object:
    r"""A contract once delivered stays delivered to the end of its term.

    Math: y_{c,s,t} = Y_{c,s,t} - Y_{c,s,t-1} \ge 0
    Unit: none
    Source: the offer
    Kind: physical
    """
    return at_most(Linear().add(-1, m.y[c, s, t]), 0)
