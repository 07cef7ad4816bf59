"""The rules that bind the uses of power together: site power, capacity, budgets and policies."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum

from pyomo.core import Block, ConcreteModel, Var

from optimizer.business.lines import CAPEX_LINES
from optimizer.business.ports import Linear, Stock
from optimizer.business.rows import SKIP, at_most, hold
from optimizer.case.schema import ANY, MINING
from optimizer.ground.quarters import Quarter


def add_shared_rules(m: ConcreteModel) -> None:
    """Every rule that spans more than one use and holds in every future alike."""
    case = m.case
    hold(m, site_power, ((s.site, t) for s in case.sites for t in case.horizon))
    hold(m, grid_group_power, case.grid_group_limit)
    hold(m, blocks_under_construction, case.horizon)
    hold(m, it_mw_under_construction, case.horizon)
    bounded = [(row.policy, t) for row in case.use_limits for t in case.horizon if row.first <= t <= row.last]
    hold(m, use_floor, bounded)
    hold(m, use_ceiling, bounded)


def add_outcome_rules(b: Block) -> None:
    """Every rule that spans more than one use and hangs on what one future bills and charges."""
    case = b.case
    hold(b, it_capacity, ((*key, t) for key in b.ports.halls for t in _capacity_quarters(b, key)))
    b.capex = capex_by_quarter(b)
    hold(b, capex_budget, ["total"])
    hold(b, capex_budget_of_a_year, (row.year for row in case.budget_years))
    _cap_customers(b)


def capex_by_quarter(b: Block) -> dict[Quarter, Linear]:
    """Capex spent in each quarter of the horizon, $M, positive."""
    return {t: Linear().extend(paid, -1) for t, paid in b.ports.flow(CAPEX_LINES).items()}


def _capacity_quarters(b: Block, key: tuple[str, str]) -> list[Quarter]:
    """The horizon; and past it the quarters in which capacity or contracts change, where that can make them clash.

    They cannot unless GPUs die, a tranche follows, or what was delivered late must be there at last.
    """
    case, ports = b.case, b.ports
    mortal = any((o.site, o.product) == key and o.option in case.gpu_life for o in case.options)
    growing = {row.offer for name in ("tranches", "late_delivery") for row in case.rows(name)}
    if not mortal and not any(case.offer[offer].product == key[1] for offer in growing):
        return list(case.horizon)
    changes = {*ports.shared.usable_it_mw.steps_after_horizon(key), *ports.signed_it_mw.steps_after_horizon(key)}
    return [*case.horizon, *sorted(changes | {case.last + 1})]


def _total(parts: Iterable[Linear]) -> Linear:
    total = Linear()
    for part in parts:
        total.extend(part)
    return total


def _drawn(m: ConcreteModel, s: str, t: Quarter) -> Linear:
    """What the uses of a site take of its grid, gross MW."""
    return _total([m.ports.installed_gross_mw[s, t], m.ports.taken_gross_mw.level(s, t)])


def site_power(m: ConcreteModel, s: str, t: Quarter) -> object:
    r"""The uses of a site never draw more than its grid limit.

    Math: \sum_a g_{a,s,t} + \sum_{o @ s} G_o \sum_{k \le t - h_o} n_{o,k} \le L_{s,t}
    Unit: gross MW
    Source: the site's interconnection agreement
    Kind: physical
    """
    return at_most(_drawn(m, s, t), m.case.limit_gross_mw[s, t])


def grid_group_power(m: ConcreteModel, group: str, t: Quarter) -> object:
    r"""The uses of sites that share a limit of the grid never draw more than it together.

    Math: \sum_{s \in E} \left( \sum_a g_{a,s,t} + \sum_{o @ s,\, k \le t - h_o} G_o \, n_{o,k} \right) \le L_{E,t}
    Unit: gross MW
    Source: the grid operator
    Kind: physical
    """
    sites = [row.site for row in m.case.grid_groups if row.group == group]
    drawn = _total(
        part for s in sites for part in (m.ports.installed_gross_mw[s, t], m.ports.taken_gross_mw.level(s, t))
    )
    return at_most(drawn, m.case.grid_group_limit[group, t])


def it_capacity(b: Block, s: str, p: str, t: Quarter) -> object:
    r"""Signed and market megawatts never exceed the capacity that is in service, after the horizon too.

    Math: \sum_{c,k} (\eta_{c,t-k} q_{c,s,k} - u_{c,s,k,t}) + h_{s,p,t,w} \le \sum_{o,k} I_o \, \rho_{o,t-k} n_{o,k}
    Unit: IT MW
    Source: the halls and their ramps
    Kind: physical
    """
    sold = _total([b.ports.signed_it_mw.level((s, p), t), b.ports.market_it_mw[s, p, t]])
    sold.extend(b.ports.shared.usable_it_mw.level((s, p), t), -1)
    return at_most(sold, 0)


def capex_budget(b: Block, _: str) -> object:
    r"""Capex spent within the horizon never exceeds the budget.

    Math: \sum_t \mathrm{capex}_t \le K
    Unit: $M
    Source: the board's budget
    Kind: negotiable
    """
    return at_most(_total(b.capex.values()), b.case.settings.capex_budget_musd)


def capex_budget_of_a_year(b: Block, year: int) -> object:
    r"""Capex spent in a calendar year never exceeds that year's budget.

    Math: \sum_{t \in \mathrm{year}} \mathrm{capex}_t \le K_{\mathrm{year}}
    Unit: $M
    Source: the board's budget
    Kind: negotiable
    """
    budget = next(row.capex_budget_musd for row in b.case.budget_years if row.year == year)
    return at_most(_total(spent for t, spent in b.capex.items() if t.year == year), budget)


def blocks_under_construction(m: ConcreteModel, t: Quarter) -> object:
    r"""No more blocks are under construction at once than the company can manage.

    Math: \sum_o \sum_{t - \lambda_o < k \le t} n_{o,k} \le B
    Unit: blocks
    Source: policy
    Kind: negotiable
    """
    most = m.case.settings.max_blocks_under_construction
    return SKIP if most is None else at_most(m.ports.building_blocks.level("all", t), most)


def it_mw_under_construction(m: ConcreteModel, t: Quarter) -> object:
    r"""No more IT megawatts are under construction at once than the company can manage.

    Math: \sum_o I_o \sum_{t - \lambda_o < k \le t} n_{o,k} \le B^{IT}
    Unit: IT MW
    Source: policy
    Kind: negotiable
    """
    most = m.case.settings.max_it_mw_under_construction
    return SKIP if most is None else at_most(m.ports.building_it_mw.level("all", t), most)


def _cap_customers(b: Block) -> None:
    """Rent `R[k,t]` of each customer, where a policy caps its share and decisions can still change it."""
    case, since = b.case, b.case.settings.max_customer_share_from if b.ports.shared.decide else None
    index = [key for key in b.ports.rent if since is not None and max(since, case.first) <= key[1] <= case.last]
    ranges = {key: b.ports.rent[key].range() for key in index}
    b.R = Var(index, bounds=lambda b, k, t: ranges[k, t])
    hold(b, rent_of_a_customer, index)
    hold(b, customer_share, index)


def rent_of_a_customer(b: Block, k: str, t: Quarter) -> object:
    r"""A customer's rent is what its contracts pay in a quarter.

    Math: R_{k,t} = \sum_{c \in k} \mathrm{rent}_{c,t}
    Unit: $M
    Source: the contracts
    Kind: physical
    """
    return b.R[k, t] == b.ports.rent[k, t].expression


def customer_share(b: Block, k: str, t: Quarter) -> object:
    r"""From a given quarter on, no customer pays more than the stated share of all rent.

    Math: R_{k,t} \le \sigma \left( \sum_{k'} R_{k',t} + \mathrm{market}_{t} \right)
    Unit: $M
    Source: policy
    Kind: negotiable
    """
    share = b.case.settings.max_customer_share
    balance = Linear().add(1, b.R[k, t]).extend(b.ports.market_rent[t], -share)
    for payer, quarter in b.R:
        if quarter == t:
            balance.add(-share, b.R[payer, quarter])
    return at_most(balance, 0)


def use_floor(m: ConcreteModel, policy: str, t: Quarter) -> object:
    r"""A use keeps at least the megawatts that a policy asks for.

    Math: \mathrm{MW}_{u,s,t} \ge \underline{M}
    Unit: MW of the policy's basis
    Source: policy
    Kind: negotiable
    """
    row = next(row for row in m.case.use_limits if row.policy == policy)
    if row.min_mw is None or (row.use != MINING and not m.ports.decide):
        return SKIP
    used = _use_mw(m, row.use, row.site, row.basis, t)
    least = row.min_mw if m.ports.decide else min(row.min_mw, _still_there(m, row.site, t))
    return at_most(Linear(least).extend(used, -1), 0)


def _still_there(m: ConcreteModel, site: str, t: Quarter) -> float:
    """Gross MW of the opening fleet that are fit to run: what a company that only goes on can keep for a floor."""
    fit = [(a, s) for a, s in m.opening if site in (ANY, s) and (m.case.asic[a].fit_until or t) >= t]
    return fsum(m.opening[key] for key in fit)


def use_ceiling(m: ConcreteModel, policy: str, t: Quarter) -> object:
    r"""A use has at most the megawatts that a policy allows.

    Math: \mathrm{MW}_{u,s,t} \le \overline{M}
    Unit: MW of the policy's basis
    Source: policy
    Kind: negotiable
    """
    row = next(row for row in m.case.use_limits if row.policy == policy)
    return SKIP if row.max_mw is None else at_most(_use_mw(m, row.use, row.site, row.basis, t), row.max_mw)


def _use_mw(m: ConcreteModel, use: str, site: str, basis: str, t: Quarter) -> Linear:
    sites = [s.site for s in m.case.sites if site in (ANY, s.site)]
    if use == MINING:
        return _total(m.ports.installed_gross_mw[s, t] for s in sites)
    stock: Stock = m.ports.service_gross_mw if basis == "gross_mw" else m.ports.service_it_mw
    return _total(stock.level((s, use), t) for s in sites)
