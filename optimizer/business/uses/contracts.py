"""Contracts: offers that can be signed, the megawatts they bind and what their terms pay to their own end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from pyomo.core import Binary, Block, ConcreteModel, NonNegativeReals, Var

from optimizer.business.ports import Amounts, Decision, Linear, OutcomePorts, SharedPorts, Step, power_price, steps
from optimizer.business.readout import NOISE, Megawatts, Reading, Tables, frame
from optimizer.business.rows import SKIP, at_most, hold
from optimizer.case.market import ai_power_per_it_mw_quarter
from optimizer.case.schema import Offer
from optimizer.case.terms import committed_deal, delivered_later, make_deal
from optimizer.case.terms.deal import Deal
from optimizer.case.terms.late_delivery import damages, last_delivery, missing_quarters
from optimizer.case.terms.size_tiers import tiers_of
from optimizer.case.terms.tranches import tranches_of
from optimizer.ground.quarters import Quarter

EQUAL = 1e-12
"""Relative room within which megawatts are the same: three blocks of 2.4 are 7.2, though not in binary."""

Key = tuple[str, int, str, Quarter]
"""Offer, price tier, site, first delivery."""


def decide(m: ConcreteModel) -> None:
    """`Y[c,k,s,t]`: offer c has been delivered in price tier k at s by t; `Q[c,k,s,t]`: with that size, where open.

    Their steps are the first deliveries `y[c,k,s,t]` and the sizes `q[c,k,s,t]` of contracts first delivered in t.
    """
    case = m.case
    m.tiers = {(c.offer, k): tier for c in case.offers for k, tier in enumerate(tiers_of(case, c))}
    index = _openings(m.ports)
    flexible = [key for key in index if m.tiers[key[:2]][1] > m.tiers[key[:2]][0]]
    m.Y = Var(index, domain=Binary)
    m.Q = Var(flexible, domain=NonNegativeReals, bounds=lambda m, c, k, s, t: (0, m.tiers[c, k][1]))
    m.y, m.q = steps(m.Y), steps(m.Q)
    hold(m, deliveries_are_never_undone, index)
    hold(m, at_least_the_smallest_size, flexible)
    hold(m, at_most_the_largest_size, flexible)
    hold(m, signed_at_most_once, dict.fromkeys(c for c, *_ in index))
    hold(m, exclusive_group, dict.fromkeys(o.exclusive_group for o in case.offers if o.exclusive_group))
    needs = [(row.offer, row.requires) for row in case.rows("prerequisites")]
    hold(m, prerequisite, dict.fromkeys((c, need, t) for c, need in needs for o, _, _, t in index if o == c))


def happen(b: Block) -> None:
    """What signed contracts bind, bill and draw; a scenario's prices say how long the tenant stays.

    Where a conflict is being explained, `released[c]` is the share of a committed contract that is given up.
    """
    m, ports = b.model(), b.ports
    case, released = ports.case, getattr(m, "released", ())
    b.deals = {key: _open_deal(ports, *key) for key in m.Y}
    signed: dict[Key, tuple[Deal, float, Decision]] = {
        key: (deal, 1.0, m.q[key]) if key in m.q else (deal, m.tiers[key[:2]][0], m.y[key])
        for key, deal in b.deals.items()
    }
    for row in case.committed_contracts:
        committed = committed_deal(case, ports.scenario, row)
        kept = Step(1, m.released[row.offer]) if row.offer in released else 1
        signed[row.offer, committed.tier, row.site, row.quarter] = (committed, row.it_mw, kept)
    for contracted in signed.values():
        _bind_and_bill(ports, *contracted)
    _deliver_late(b, signed)


# ---- read out -------------------------------------------------------------------------------------------------------


def megawatts(r: Reading) -> Iterator[Megawatts]:
    """Contracts take capacity of halls, which take the megawatts."""
    return iter(())


def read_out(r: Reading) -> Tables:
    return {"contracts": _contracts(r), "late": _late(r)}


def _contracts(r: Reading) -> pd.DataFrame:
    signed = [(committed_deal(r.case, r.scenario, row), row.it_mw, "committed") for row in r.case.committed_contracts]
    for key, y in r.m.y.items():
        if r.of(y) > 0.5:
            size = r.of(r.m.q[key]) if key in r.m.q else r.m.tiers[key[:2]][0]
            signed.append((r.b.deals[key], size, "new"))
    worth = (r.flows["musd"] * r.flows["factor"]).groupby(r.flows["source"]).sum()
    rows = []
    for deal, size, kind in sorted(signed, key=lambda item: (item[0].delivery, item[0].offer.offer)):
        offer, t = deal.offer, deal.delivery
        quote = r.case.offer_price[r.scenario, offer.offer]
        price = quote.price * deal.price_factor
        place = (r.scenario, offer.offer, offer.customer, offer.product, deal.site, r.case.sign_by(offer))
        term = (t, t + (deal.length - 1), size, price, quote.price_basis)
        rows.append((*place, *term, float(worth.get(offer.offer, 0.0)), kind))
    columns = "sign_by_quarter delivery_quarter end_quarter it_mw price price_basis value_musd decided"
    return frame(rows, f"scenario offer customer product site {columns}")


def _late(r: Reading) -> pd.DataFrame:
    """What is delivered late, tranche by tranche and quarter by quarter."""
    rows = [(r.scenario, c, i, s, t, r.read(u)) for (c, _, s, _, i, t), u in r.b.u.items() if r.read(u) > NOISE]
    return frame(rows, "scenario offer tranche site quarter missing_it_mw")


# ---- deals ----------------------------------------------------------------------------------------------------------


def _openings(ports: SharedPorts) -> list[Key]:
    """Every delivery that can be signed: inside the offer's window, with a hall in service or leave to be late."""
    case = ports.case
    return [
        (offer.offer, k, s, t)
        for offer in _signable(ports)
        for k, (smallest, _, _) in enumerate(tiers_of(case, offer))
        for s in case.sites_of_offer[offer.offer]
        if (s, offer.product) in case.pue
        for t in case.horizon
        if offer.window_first <= t <= last_delivery(case, offer) and _can_begin(ports, offer.offer, k, s, t, smallest)
    ]


def _signable(ports: SharedPorts) -> list[Offer]:
    """Offers that are not signed yet and can still be accepted."""
    case = ports.case
    committed = {row.offer for row in case.committed_contracts}
    return [o for o in case.offers if ports.decide and o.offer not in committed and case.sign_by(o) >= case.first]


def _can_begin(ports: SharedPorts, c: str, k: int, s: str, t: Quarter, smallest: float) -> bool:
    """Whether the first tranche could be there in t in any scenario, or may be late."""
    usable = ports.usable_it_mw.level((s, ports.case.offer[c].product), t).range()[1]
    deals = (make_deal(ports.case, w, ports.case.offer[c], s, t, tier=k) for w in ports.scenarios)
    return any(usable * (1 + EQUAL) >= smallest * deal.held[0] or t in missing_quarters(deal, 0) for deal in deals)


def _open_deal(ports: OutcomePorts, c: str, k: int, s: str, t: Quarter) -> Deal:
    return make_deal(ports.case, ports.scenario, ports.case.offer[c], s, t, tier=k)


def _bind_and_bill(ports: OutcomePorts, signed: Deal, size: float, decision: Decision) -> None:
    """`size x decision` is the contracted IT MW."""
    offer, s, t = signed.offer, signed.site, signed.delivery
    held = np.append(signed.held[: signed.length], 0.0)
    rises = [(t + j, size * float(rise)) for j, rise in enumerate(np.diff(held, prepend=0.0)) if rise]
    for quarter, rise in rises:
        ports.signed_it_mw.step((s, offer.product), quarter, rise, decision)
    ports.stand_free(offer.product, s, offer.offer, decision, [(quarter, -rise) for quarter, rise in rises])
    _settle(ports, signed, size, decision)


def _settle(ports: OutcomePorts, signed: Deal, it_mw: float, decision: Decision) -> None:
    """Rent, operating cost, power and all that the terms pay, of `it_mw x decision`."""
    offer, first, rent = signed.offer, signed.delivery, it_mw * signed.rent
    energy, demand = (it_mw * power for power in _power_per_it_mw(ports, signed))
    for line, amounts, follows in (
        ("rent", rent, None),
        ("ai_operating_cost", -offer.operating_cost_share * rent, None),
        ("ai_power", -energy, power_price(ports.case, signed.site)),
        ("ai_power", -demand, None),
    ):
        ports.pay(line, offer.product, signed.site, offer.offer, decision, first, amounts, follows)
    for payment in signed.payments:
        amounts = it_mw * payment.amounts
        ports.pay(payment.line, offer.product, signed.site, offer.offer, decision, payment.first, amounts)
    ports.meter(signed.site, offer.product, decision, first, it_mw * signed.drawn[: signed.length])
    for i, musd in enumerate(rent):
        ports.rent[offer.customer, first + i].add(float(musd), decision)


def _power_per_it_mw(ports: OutcomePorts, signed: Deal) -> tuple[Amounts, Amounts]:
    """Energy and demand that we pay for one contracted IT MW by quarter, $M; zero where power is passed through."""
    offer, drawn = signed.offer, signed.drawn[: signed.length]
    if offer.power_passed_through:
        return np.zeros(signed.length), np.zeros(signed.length)
    prices = np.array([
        ai_power_per_it_mw_quarter(ports.case, ports.scenario, signed.site, offer.product, t, offer.load_factor)
        for t in signed.quarters()
    ])  # fmt: skip
    return drawn * prices[:, 0], drawn * prices[:, 1]


# ---- late delivery ----------------------------------------------------------------------------------------------


def _deliver_late(b: Block, signed: dict[Key, tuple[Deal, float, Decision]]) -> None:
    """IT MW `u[c,k,s,d,i,t]` of tranche i of a contract first delivered in d that are still missing in t; recourse."""
    late = {
        (*key, i, t): (contract, due, share * size, decision)
        for key, (contract, size, decision) in signed.items()
        for i, (due, share) in enumerate(tranches_of(contract))
        for t in missing_quarters(contract, due)
    }
    b.due = {index: (it_mw, decision) for index, (_, _, it_mw, decision) in late.items()}
    largest = {c.offer: c.max_it_mw for c in b.ports.case.offers}
    b.u = Var(list(late), domain=NonNegativeReals, bounds=lambda b, c, *_: (0, largest[c]))
    for index, (contract, due, _, _) in late.items():
        _deliver_later(b.ports, contract, due, index[-1], b.u[index])
    hold(b, missing_at_most_the_tranche, (index for index in late if _before(index) not in late))
    hold(b, what_is_missing_never_rises, (index for index in late if _before(index) in late))


def _before(index: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*index[:-1], index[-1] - 1)


def _deliver_later(ports: OutcomePorts, contract: Deal, due: int, t: Quarter, missing: Decision) -> None:
    """What is missing in t frees its capacity there, pays damages, and is delivered in t + 1 instead of t."""
    offer, hall = contract.offer, (contract.site, contract.offer.product)
    ports.signed_it_mw.step(hall, t, -1, missing)
    ports.signed_it_mw.step(hall, t + 1, 1, missing)
    sooner, later = delivered_later(contract, due, t)
    _settle(ports, sooner, -1, missing)
    _settle(ports, later, 1, missing)
    ports.pay("damages", offer.product, contract.site, offer.offer, missing, t, [-damages(contract)])


def missing_at_most_the_tranche(b: Block, c: str, k: int, s: str, d: Quarter, i: int, t: Quarter) -> object:
    r"""No more of a tranche is delivered late than was to be delivered.

    Math: u_{c,k,s,d,i,t} \le \sigma_{c,i} \, q_{c,k,s,d}, \quad t = s_i = d + k_{c,i}
    Unit: IT MW
    Source: the offer's clause on late delivery
    Kind: physical
    """
    it_mw, decision = b.due[c, k, s, d, i, t]
    return at_most(Linear().add(1, b.u[c, k, s, d, i, t]).add(-it_mw, decision), 0)


def what_is_missing_never_rises(b: Block, c: str, k: int, s: str, d: Quarter, i: int, t: Quarter) -> object:
    r"""What has been delivered stays delivered, and nothing is missing once the tenant might leave.

    Math: u_{c,k,s,d,i,t} \le u_{c,k,s,d,i,t-1}, \quad D_c \le s_i < t < D_c + L_c
    Unit: IT MW
    Source: the offer's clause on late delivery
    Kind: physical
    """
    return at_most(Linear().add(1, b.u[c, k, s, d, i, t]).add(-1, b.u[c, k, s, d, i, t - 1]), 0)


# ---- signing ----------------------------------------------------------------------------------------------------


def at_least_the_smallest_size(m: ConcreteModel, c: str, k: int, s: str, t: Quarter) -> object:
    r"""A signed contract is no smaller than the offer's, or its price tier's, smallest size.

    Math: q_{c,k,s,t} \ge \underline{Q}_{c,k} \, y_{c,k,s,t}
    Unit: IT MW
    Source: the offer
    Kind: physical
    """
    return at_most(Linear().add(m.tiers[c, k][0], m.y[c, k, s, t]).add(-1, m.q[c, k, s, t]), 0)


def at_most_the_largest_size(m: ConcreteModel, c: str, k: int, s: str, t: Quarter) -> object:
    r"""A contract is no larger than the offer's, or its price tier's, largest size, and has none unless it is signed.

    Math: q_{c,k,s,t} \le \overline{Q}_{c,k} \, y_{c,k,s,t}
    Unit: IT MW
    Source: the offer
    Kind: physical
    """
    return at_most(Linear().add(1, m.q[c, k, s, t]).add(-m.tiers[c, k][1], m.y[c, k, s, t]), 0)


def signed_at_most_once(m: ConcreteModel, c: str) -> object:
    r"""An offer is signed at most once, at one site and in one price tier.

    Math: \sum_{k,s,t} y_{c,k,s,t} \le 1
    Unit: none
    Source: the offer
    Kind: physical
    """
    return at_most(signings(m, {c}), 1)


def exclusive_group(m: ConcreteModel, group: str) -> object:
    r"""Of the offers in an exclusive group at most one is signed.

    Math: \sum_{c \in E} \sum_{k,s,t} y_{c,k,s,t} \le 1
    Unit: none
    Source: the offers
    Kind: negotiable
    """
    members = {o.offer for o in m.case.offers if o.exclusive_group == group}
    committed = sum(row.offer in members for row in m.case.committed_contracts)
    return at_most(signings(m, members), 1 - committed)


def signings(m: ConcreteModel, offers: set[str], site: str | None = None, by: Quarter | None = None) -> Linear:
    """How many of the offers are signed by new decisions: at a site or anywhere, by a quarter or ever."""
    signed = Linear()
    for key in m.y:
        if key[0] in offers and site in (None, key[2]) and (by is None or key[-1] <= by):
            signed.add(1, m.y[key])
    return signed


def prerequisite(m: ConcreteModel, c: str, needed: str, t: Quarter) -> object:
    r"""An offer is delivered no sooner than the offer that it presupposes.

    Math: \sum_{k,s} Y_{c,k,s,t} \le \sum_{k,s} Y_{c',k,s,t}
    Unit: none
    Source: the offer
    Kind: negotiable
    """
    if any(row.offer == needed and row.quarter <= t for row in m.case.committed_contracts):
        return SKIP
    return at_most(signings(m, {c}, by=t).extend(signings(m, {needed}, by=t), -1), 0)


def deliveries_are_never_undone(m: ConcreteModel, c: str, k: int, s: str, t: Quarter) -> object:
    r"""A contract once delivered stays delivered to the end of its term.

    Math: y_{c,k,s,t} = Y_{c,k,s,t} - Y_{c,k,s,t-1} \ge 0
    Unit: none
    Source: the offer
    Kind: physical
    """
    return at_most(Linear().add(-1, m.y[c, k, s, t]), 0)
