"""Coverage: how far the halls that secure a facility pay for it, quarter by quarter, as the table of a plan.

It is read from the settled flows and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import nan

from optimizer.business.company.debt import balances, base_rate
from optimizer.business.company.lenders import is_tested, served_before
from optimizer.business.lines import AI_MARGIN_LINES
from optimizer.business.ports import Hall
from optimizer.business.readout import NOISE, Reading, Tables, frame
from optimizer.case.schema import Facility
from optimizer.ground.quarters import Quarter

Musd = Mapping[tuple[str, Quarter], float]
"""$M by facility and quarter."""


def read_out(r: Reading) -> Tables:
    """Margin, service and cover of each facility in each quarter in which it owes something."""
    standing = {(f.facility, t): opening + drawn for f, t, opening, drawn, *_ in balances(r)}
    service, margins = _service(r), _margin_by_hall(r)
    rows = [
        (r.scenario, facility.facility, t, *_covered(r, facility, t, standing, service, _of(r, facility, margins)))
        for facility in r.case.facilities
        for t in r.case.horizon
        if standing[facility.facility, t] > NOISE
    ]
    columns = "margin_musd service_musd required_musd headroom_musd dscr llcr plcr"
    return {"coverage": frame(rows, f"scenario facility quarter {columns}")}


def _covered(
    r: Reading, facility: Facility, t: Quarter, standing: Musd, service: Musd, margin: Mapping[Quarter, float]
) -> tuple[float, ...]:
    """Margin, service with that of all that rank equal or before it, what the lender asks, and the three covers."""
    counted = served_before(r.case, facility.facility)
    earned, served = margin.get(t, 0.0), sum(service.get((f, t), 0.0) for f in counted)
    asked = (facility.dscr or 0.0) * served if is_tested(facility, t) else 0.0
    owed = sum(standing[f, t] for f in counted)
    loan_life, project_life = (
        sum(_discounted(r, facility, margin, t, end)) / owed for end in (facility.maturity, max(margin, default=t))
    )
    cover = earned / served if served > NOISE else nan
    return earned, served, asked, earned - asked, cover, loan_life, project_life


def _discounted(
    r: Reading, facility: Facility, margin: Mapping[Quarter, float], t: Quarter, end: Quarter
) -> Iterator[float]:
    """The margin of each quarter from one to another, worth less by the facility's own interest of every quarter."""
    factor = 1.0
    for k in (t + i for i in range(end - t + 1)):
        factor /= 1 + (facility.margin + base_rate(r.case, r.scenario, facility, k)) / 4
        yield margin.get(k, 0.0) * factor


def _service(r: Reading) -> Musd:
    """Interest paid and scheduled repayments but for the balloon at maturity, in each quarter of the horizon."""
    service: dict[tuple[str, Quarter], float] = {}
    interest = r.within[r.within["line"] == "interest"].groupby(["source", "quarter"])["musd"].sum()
    for facility in r.case.facilities:
        for t in r.case.horizon:
            scheduled = r.b.accounts[facility.facility].scheduled[t] if t != facility.maturity else None
            repaid = 0.0 if scheduled is None else max(0.0, r.sum_of(scheduled))
            service[facility.facility, t] = repaid - float(interest.get((facility.facility, int(t)), 0.0))
    return service


def _margin_by_hall(r: Reading) -> dict[Hall, dict[Quarter, float]]:
    """AI margin by site, product and quarter, after the horizon too."""
    earned = r.flows[r.flows["line"].isin(AI_MARGIN_LINES)]
    margins: dict[Hall, dict[Quarter, float]] = {}
    for (site, product, t), musd in earned.groupby(["site", "business", "quarter"], sort=False)["musd"].sum().items():
        margins.setdefault((site, product), {})[Quarter(t)] = float(musd)
    return margins


def _of(r: Reading, facility: Facility, margins: Mapping[Hall, Mapping[Quarter, float]]) -> dict[Quarter, float]:
    """The margin of the halls that secure a facility, by quarter."""
    held, total = r.case.halls_of_facility[facility.facility], dict[Quarter, float]()
    for hall, earned in margins.items():
        for t, musd in earned.items() if not held or hall in held else ():
            total[t] = total.get(t, 0.0) + musd
    return total
