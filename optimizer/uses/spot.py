"""Spot sales: usable capacity without a contract, sold at the market's price up to its depth."""

from __future__ import annotations

from pyomo.core import ConcreteModel, NonNegativeReals, Var

from optimizer.market import ai_power_per_it_mw_quarter, price_per_it_mw_quarter
from optimizer.ports import Linear, Ports
from optimizer.quarters import Quarter
from optimizer.rows import hold


def add_spot_sales(m: ConcreteModel, ports: Ports) -> None:
    """IT MW `h[s,p,t,w]` sold uncontracted; recourse, so each scenario has its own."""
    case, w = ports.case, ports.scenario
    index = [
        (s, p, t, w)
        for s, p in ports.usable_it_mw.keys
        for t in case.horizon
        if _depth(ports, p, t) > 0 and ports.usable_it_mw.level((s, p), t).range()[1] > 0
    ]
    m.h = Var(index, domain=NonNegativeReals, bounds=lambda m, s, p, t, w: (0, _depth(ports, p, t)))
    for s, p, t, _ in index:
        ports.market_it_mw[s, p, t].add(1, m.h[s, p, t, w])
        _bill(ports, s, p, t, m.h[s, p, t, w])
    hold(m, market_depth, dict.fromkeys((p, t, w) for _, p, t, w in index))


def _depth(ports: Ports, p: str, t: Quarter) -> float:
    return ports.case.product_market[ports.scenario, p, t].depth_it_mw


def _bill(ports: Ports, s: str, p: str, t: Quarter, decision: object) -> None:
    case, product = ports.case, ports.case.product[p]
    quote = case.product_market[ports.scenario, p, t]
    rent = price_per_it_mw_quarter(quote.price, quote.price_basis, t, product.gpus_per_it_mw, product.utilisation)
    ports.pay("market_sales", p, s, p, decision, t, [rent])
    ports.pay("ai_operating_cost", p, s, p, decision, t, [-product.operating_cost_share * rent])
    if not product.power_passed_through:
        power = ai_power_per_it_mw_quarter(case, ports.scenario, s, p, t, product.load_factor)
        ports.pay("ai_power", p, s, p, decision, t, [-power])
    ports.market_rent[t].add(rent, decision)


def market_depth(m: ConcreteModel, p: str, t: Quarter, w: str) -> object:
    r"""The market takes no more uncontracted capacity of a product than its depth.

    Math: \sum_s h_{s,p,t,w} \le D_{p,t,w}
    Unit: IT MW
    Source: the market
    Kind: physical
    """
    sold = Linear()
    for s, product in m.ports.usable_it_mw.keys:
        if product == p and (s, p, t, w) in m.h:
            sold.add(1, m.h[s, p, t, w])
    return sold.expression <= m.case.product_market[w, p, t].depth_it_mw
