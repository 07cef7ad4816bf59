"""What may be meant and is worth a word: notes that refuse nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.case.checks.telling import note
from optimizer.case.market import mining_economics, own_plant_economics
from optimizer.case.terms.tenant_funding import TenantFunding
from optimizer.case.terms.tranches import Tranche
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


def the_past_is_past(case: Case) -> Iterator[Finding]:
    settings = case.settings
    if case.first.start < settings.as_of and settings.as_of >= (case.first + 1).start:
        why = f"lies before as_of, {settings.as_of}: the plan decides what is past"
        yield Finding(
            "case.toml", why, "begin the horizon later", column="first_quarter", value=str(case.first),
            severity="warning",
        )  # fmt: skip
    for row in case.asics:
        if row.bought is not None and row.bought > case.first:
            why = "lies after the first quarter, in which the machines are installed"
            yield note(row, why, "check the date", "bought", row.bought)


def capacity_is_worth_something_at_the_end(case: Case) -> Iterator[Finding]:
    """Contracts carry value past the horizon; a product that nobody signs for has none there."""
    signable = {offer.product for offer in case.offers}
    for row in case.products:
        halls = [hall for hall in case.options if hall.product == row.product]
        if halls and row.product not in signable and row.residual_musd_per_it_mw == 0:
            dearest = max(case.facility_musd_per_it_mw(hall) + hall.gpu_musd_per_it_mw for hall in halls)
            why = f"counts ${dearest:g}M of capex per IT MW and nothing after {case.last}"
            yield note(row, why, "say what it is worth", "residual_musd_per_it_mw", "0")


def late_contracts_are_delivered_at_last(case: Case) -> Iterator[Finding]:
    """Where the tenant's patience outlasts the contract, it may be signed and never delivered, for damages alone.

    So it may be with what is signed already, and with a new contract where a plan may be late on purpose, from the
    first delivery whose last tranche is due at the deadline. What the tenant advances is paid all the same.
    """
    signed = {row.offer: row.quarter for row in case.committed_contracts}
    for row in case.rows("late_delivery"):
        offer = case.offer[row.offer]
        last = max([0, *(part.quarters_after for part in case.of_offer(Tranche, row.offer))])
        begins = signed.get(row.offer, max(row.deadline - last, offer.window_first))
        if row.offer not in signed and not case.settings.allow_planned_lateness:
            continue
        if row.deadline + row.walk_away_quarters >= begins + offer.term_quarters:
            what = "it" if begins >= row.deadline else "a tranche of it"
            kept = ", its tenant's advances kept" if case.of_offer(TenantFunding, row.offer) else ""
            outlasts = f"outlasts the contract of {offer.term_quarters} quarters"
            why = f"{outlasts}: {what} may be signed and never delivered{kept}"
            yield note(row, why, "shorten the limit or lengthen the term", "walk_away_quarters", row.walk_away_quarters)


def offers_can_still_be_accepted(case: Case) -> Iterator[Finding]:
    signed = {row.offer for row in case.committed_contracts}
    for row in case.offers:
        if row.offer not in signed and case.sign_by(row) < case.first:
            why = f"is before the first quarter, {case.first}: it can no longer be signed"
            yield note(row, why, "take the offer away, or commit it", "sign_by", row.sign_by)


def negative_prices_are_counted(case: Case) -> Iterator[Finding]:
    for rows, column in ((case.tariffs, "energy_usd_per_mwh"), (case.own_plants, "cost_usd_per_mwh")):
        below = [row for row in rows if getattr(row, column) < 0]
        if below:
            more = f" (so are {len(below) - 1} more)" if len(below) > 1 else ""
            why = f"is negative{more}: machines are paid to run"
            yield note(below[0], why, "check the sign", column, getattr(below[0], column))


def mining_pays_at_some_time(case: Case) -> Iterator[Finding]:
    """Told for the base scenario: where no machine ever earns its power, all of them stand still."""
    base = case.scenarios[0].scenario
    fleet = [(row.site, case.asic[row.asic]) for row in case.fleet]
    if not fleet:
        return
    for site, asic in fleet:
        for t in case.horizon:
            if mining_economics(case, base, site, asic, t).runs:
                return
            plant = own_plant_economics(case, base, site, asic, t)
            if plant is not None and plant.margin > 0:
                return
    why = f"has no machine that earns its power in any quarter of {base!r}: mining is idle throughout"
    yield Finding("fleet.csv", why, "check tariffs.csv, bitcoin.csv and mining_ends", severity="warning")
