"""Whether what is promised can be had: halls under their grid limit, contracts under their halls.

Only what no plan could keep is refused; what merely cannot be chosen is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.telling import at, note
from optimizer.ground.findings import Finding
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case

MW_TOLERANCE = 1e-6


def committed_halls_fit_their_sites(case: Case) -> Iterator[Finding]:
    """Limits may fall, and sites close: what is being built must still have its power."""
    for site in case.sites:
        starts = [row for row in case.committed_starts if case.option[row.option].site == site.site]
        for t in case.horizon if starts else ():
            taken = sum(_gross_mw(case, row) for row in starts if t >= _handover(case, row))
            limit = case.limit_gross_mw[site.site, t]
            if taken > limit + MW_TOLERANCE:
                why = f"has {taken:g} gross MW of committed halls and a grid limit of {limit:g} in {t}"
                mend = "correct committed_starts.csv or site_limits.csv"
                yield at(site, why, mend, "site", site.site)
                break


def _gross_mw(case: Case, row: schema.CommittedStart) -> float:
    return row.blocks * case.option[row.option].block_gross_mw


def _handover(case: Case, row: schema.CommittedStart) -> Quarter:
    return row.quarter + case.option[row.option].mining_stops_quarters


def committed_contracts_can_be_served(case: Case) -> Iterator[Finding]:
    """In every quarter, by all blocks that could be there; contracts that may come in parts or late are left out."""
    loose = {row.offer for name in ("tranches", "late_delivery") for row in case.rows(name)}
    groups: dict[tuple[str, str], list[schema.CommittedContract]] = {}
    for row in case.committed_contracts:
        if row.offer not in loose:
            groups.setdefault((row.site, case.offer[row.offer].product), []).append(row)
    for (site, product), rows in groups.items():
        for t in case.horizon:
            due = [row for row in rows if row.quarter <= t < row.quarter + case.offer[row.offer].term_quarters]
            needed, there = sum(row.it_mw for row in due), _possible_it_mw(case, site, product, t)
            if needed > there + MW_TOLERANCE:
                names = ", ".join(row.offer for row in due)
                why = f"needs {needed:g} IT MW of {product} in {t}, where the site can have {there:.6g} ({names})"
                yield at(due[-1], why, "correct the contract, the halls or their dates", "site", site)
                break


def _possible_it_mw(case: Case, site: str, product: str, t: Quarter) -> float:
    """The most IT MW that halls of a site could have in service, were all of them begun as early as they may."""
    halls = [row for row in case.options if (row.site, row.product) == (site, product) and case.eligible(row)]
    built = sum(_blocks_by(case, hall, t) * case.it_mw_of_block(hall) for hall in halls)
    ratio = min((hall.design_ratio for hall in halls), default=1.0)
    return min(built, case.limit_gross_mw[site, t] / ratio)


def _blocks_by(case: Case, hall: schema.Option, t: Quarter) -> int:
    """Blocks that could be in service: all of them once a new one could, before that those committed."""
    if case.earliest_start(hall) + hall.lead_quarters <= t:
        return hall.max_blocks
    begun = [row for row in case.committed_starts if row.option == hall.option]
    return sum(row.blocks for row in begun if row.quarter + hall.lead_quarters <= t)


def floors_can_be_reached(case: Case) -> Iterator[Finding]:
    for row in case.use_limits:
        sites = [s.site for s in case.sites if row.site in (schema.ANY, s.site)]
        for t in case.horizon:
            if row.min_mw is None or not row.first <= t <= row.last:
                continue
            there = sum(case.limit_gross_mw[site, t] for site in sites)
            if row.min_mw > there + MW_TOLERANCE:
                why = f"is above the {there:g} gross MW that the grid gives in {t}"
                yield at(row, why, "lower the floor, or correct site_limits.csv", "min_mw", row.min_mw)
                break


def offers_fit_their_sites(case: Case) -> Iterator[Finding]:
    """An offer is a choice: one that no hall can serve is only useless."""
    for row in case.offers:
        sites = [site for site in case.sites_of_offer[row.offer] if (site, row.product) in case.pue]
        last = max(case.last, row.window_last)
        there = max((_possible_it_mw(case, site, row.product, min(last, case.last)) for site in sites), default=0.0)
        if 0 < there < row.min_it_mw - MW_TOLERANCE:
            why = f"can never be signed: no site that it accepts can have more than {there:.6g} IT MW of {row.product}"
            yield note(row, why, "check whether it counts IT MW", "min_it_mw", row.min_it_mw)


def blocks_fit_their_sites(case: Case) -> Iterator[Finding]:
    for row in case.options:
        most = max(case.limit_gross_mw[row.site, t] for t in case.horizon)
        if row.block_gross_mw > most + MW_TOLERANCE:
            why = f"can never be built: its site has at most {most:g} gross MW"
            yield note(row, why, "make the block smaller", "block_gross_mw", row.block_gross_mw)
