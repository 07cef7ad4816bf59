"""Ties: rows that make like offers and like sites come in the order of their tables.

They cut no plan's value, only its mirror images, so that like inputs give one plan and the search sees each plan once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import pairwise

from pyomo.core import ConcreteModel

from optimizer.business.ports import Decision, Linear
from optimizer.business.rows import SKIP, at_most, hold
from optimizer.case import schema
from optimizer.case.case import TABLE_TYPES, Case


def add_ties(m: ConcreteModel) -> None:
    """Order twins, where new decisions may be taken."""
    if m.ports.decide:
        hold(m, twin_offers_in_order, _twins((c.offer, _offer_likeness(m.case, c)) for c in m.case.offers))
        hold(m, twin_sites_in_order, _twins((s.site, _site_likeness(m.case, s)) for s in m.case.sites))


def twin_offers_in_order(m: ConcreteModel, earlier: str, later: str) -> object:
    r"""Of two offers alike in everything, the first in the table is delivered no later than the second.

    Math: \sum_{s,t} (T - t) \, y_{c,s,t} \ge \sum_{s,t} (T - t) \, y_{c',s,t}
    Unit: none
    Source: a tie-break, so that like inputs give one plan
    Kind: physical
    """
    return _in_order(m, m.y, {earlier: 1.0, later: -1.0})


def twin_sites_in_order(m: ConcreteModel, earlier: str, later: str) -> object:
    r"""Of two sites alike in everything, the first in the table converts no less and no later than the second.

    Math: \sum_{o @ s, t} (T - t) \, n_{o,t} \ge \sum_{o @ s', t} (T - t) \, n_{o,t}
    Unit: none
    Source: a tie-break, so that like inputs give one plan
    Kind: physical
    """
    signs = {o.option: 1.0 if o.site == earlier else -1.0 for o in m.case.options if o.site in (earlier, later)}
    return _in_order(m, m.n, signs)


def _in_order(m: ConcreteModel, decisions: Mapping[tuple[str, ...], Decision], signs: Mapping[str, float]) -> object:
    balance = Linear()
    for key in decisions:
        if key[0] in signs:
            balance.add(signs[key[0]] * (int(m.case.last) + 1 - int(key[-1])), decisions[key])
    return SKIP if balance.is_constant else at_most(Linear().extend(balance, -1), 0)


def _twins(likenesses: Iterable[tuple[str, Hashable | None]]) -> list[tuple[str, str]]:
    """Neighbours, in table order, among names of the same likeness; None is like nothing."""
    families: dict[Hashable, list[str]] = defaultdict(list)
    for name, likeness in likenesses:
        if likeness is not None:
            families[likeness].append(name)
    return [pair for names in families.values() for pair in pairwise(names)]


def _terms(row: schema.Row, *without: str) -> Hashable:
    return tuple(str(value) for name, value in row.model_dump().items() if name not in without)


def _offer_likeness(case: Case, offer: schema.Offer) -> Hashable | None:
    if any(row.offer == offer.offer for row in case.committed_contracts):
        return None
    if any(row.requires == offer.offer for row in case.rows("prerequisites")):
        return None
    if any(row.requires_offer == offer.offer for row in case.facilities):
        return None
    return tuple(
        (name, tuple(sorted(map(str, (_terms(row, "offer") for row in case.of_offer(kind, offer.offer))))))
        for name, kind in TABLE_TYPES.items()
        if "offer" in kind.model_fields
    )


def _more_of_an_option(case: Case, name: str) -> Hashable:
    more: tuple[schema.Row, ...] = (*case.deposits, *case.gpu_lives)
    return tuple(_terms(row, "option") for row in more if getattr(row, "option", "") == name)


def _site_likeness(case: Case, site: schema.Site) -> Hashable | None:
    options = [o for o in case.options if o.site == site.site]
    names = {o.option for o in options}
    naming = ("use_limits", "committed_contracts", "own_plants", "site_prices", "ratchets", "grid_groups")
    singled_out = {row.site for name in naming for row in case.rows(name)}
    if site.site in singled_out or names & {
        *(row.option for row in case.committed_starts),
        *(row.option for row in case.collateral),
    }:
        return None
    limits = tuple(case.limit_gross_mw[site.site, t] for t in case.horizon)
    fleet = tuple(sorted((row.asic, case.fleet_gross_mw(row)) for row in case.fleet if row.site == site.site))
    ways = tuple((_terms(o, "option", "site"), _more_of_an_option(case, o.option)) for o in options)
    offers = tuple(c.offer for c in case.offers if site.site in case.sites_of_offer[c.offer])
    return _terms(site, "site"), limits, fleet, ways, offers
