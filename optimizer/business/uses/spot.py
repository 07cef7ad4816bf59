"""Spot sales: usable capacity without a contract, sold at the market's price up to its depth."""

from __future__ import annotations

from collections.abc import Iterator

from pyomo.core import Block, ConcreteModel, NonNegativeReals, Var

from optimizer.business.ports import Linear, OutcomePorts, Price, power_price
from optimizer.business.readout import Megawatts, Reading, Tables
from optimizer.business.rows import hold
from optimizer.case.market import ai_power_per_it_mw_quarter, price_per_it_mw_quarter
from optimizer.ground.quarters import Quarter


def decide(m: ConcreteModel) -> None:
    """Nothing is decided ahead: what stands free is sold as it comes."""


def happen(b: Block) -> None:
    """IT MW `h[s,p,t,w]` sold uncontracted; recourse, so each scenario has its own."""
    ports = b.ports
    case, w, usable = ports.case, ports.scenario, ports.shared.usable_it_mw
    index = [
        (s, p, t, w)
        for s, p in usable.keys
        for t in case.horizon
        if _depth(ports, p, t) > 0 and usable.level((s, p), t).range()[1] > 0
    ]
    b.h = Var(index, domain=NonNegativeReals, bounds=lambda b, s, p, t, w: (0, _depth(ports, p, t)))
    for s, p, t, _ in index:
        ports.market_it_mw[s, p, t].add(1, b.h[s, p, t, w])
        _bill(ports, s, p, t, b.h[s, p, t, w])
    hold(b, market_depth, dict.fromkeys((p, t, w) for _, p, t, w in index))


def megawatts(r: Reading) -> Iterator[Megawatts]:
    """Spot sales take capacity of halls, which take the megawatts."""
    return iter(())


def read_out(r: Reading) -> Tables:
    """What is sold stands in the table of capacity, which ties all that is sold of it."""
    return {}


def _depth(ports: OutcomePorts, p: str, t: Quarter) -> float:
    return ports.case.product_market[ports.scenario, p, t].depth_it_mw


def _bill(ports: OutcomePorts, s: str, p: str, t: Quarter, decision: object) -> None:
    case, product = ports.case, ports.case.product[p]
    quote = case.product_market[ports.scenario, p, t]
    rent = price_per_it_mw_quarter(quote.price, quote.price_basis, t, product.gpus_per_it_mw, product.utilisation)
    at_market: Price = ("market", p)
    ports.pay("market_sales", p, s, p, decision, t, [rent], follows=at_market)
    ports.pay("ai_operating_cost", p, s, p, decision, t, [-product.operating_cost_share * rent], follows=at_market)
    if not product.power_passed_through:
        energy, demand = ai_power_per_it_mw_quarter(case, ports.scenario, s, p, t, product.load_factor)
        ports.pay("ai_power", p, s, p, decision, t, [-energy], follows=power_price(case, s))
        ports.pay("ai_power", p, s, p, decision, t, [-demand])
    ports.market_rent[t].add(rent, decision)
    ports.meter(s, p, decision, t, [1.0])


def market_depth(b: Block, p: str, t: Quarter, w: str) -> object:
    r"""The market takes no more uncontracted capacity of a product than its depth.

    Math: \sum_s h_{s,p,t,w} \le D_{p,t,w}
    Unit: IT MW
    Source: the market
    Kind: physical
    """
    sold = Linear()
    for s, product in b.ports.shared.usable_it_mw.keys:
        if product == p and (s, p, t, w) in b.h:
            sold.add(1, b.h[s, p, t, w])
    return sold.expression <= b.case.product_market[w, p, t].depth_it_mw
