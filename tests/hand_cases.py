"""What the cases solved by hand share: sums with plain numbers, rows to change, a check that ties the statements.

The case is that of `small_cases.tiny_case`: 2027Q1 is quarter 0; the north's hall costs $24M (30% in the start
quarter, 70% in the next), serves two quarters after its start, and a lease of its 8 IT MW pays $4.8M a quarter.
Nothing here is taken from the library: hours, discount factors and margins are worked out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import pytest
from small_cases import tiny_case

import optimizer as opt
from optimizer.case.case import Case

Flows = Mapping[int, float]
Row = dict[str, Any]

YEAR, LEAP_YEAR = [2160, 2184, 2208, 2208], [2184, 2184, 2208, 2208]
HOURS = YEAR + LEAP_YEAR + YEAR * 3 + LEAP_YEAR + YEAR * 3
"""Of each quarter from 2027Q1 on."""

CORPORATE, MINING, AI = 0.08, 0.15, 0.10
RENT, CAPEX = 4.8, 24.0
NORTH_UPKEEP, SOUTH_UPKEEP = 0.05 / 4, 0.07 / 4
NO_OFFERS: dict[str, Any] = {"offers": [], "offer_prices": [], "offer_sites": []}
NEW_SETTINGS = (
    "cash_rate",
    "btc_held",
    "btc_liquidity_share",
    "btc_rule",
    "end_coverage",
    "tax_rate",
    "tax_losses_musd",
    "tax_loss_use",
    "allow_planned_lateness",
    "minimum_btc",
    "max_btc_sales_per_quarter",
    "market_looks_ahead_quarters",
)


# ---- sums ------------------------------------------------------------------------------------------


def q(quarter: int) -> str:
    """Quarter 0 is 2027Q1."""
    return f"{2027 + quarter // 4}Q{quarter % 4 + 1}"


def discount(rate: float, quarter: float) -> float:
    """Mid-quarter; quarter 0 is the first."""
    return float((1 + rate) ** -((quarter + 0.5) / 4))


def worth(rate: float, flows: Flows) -> float:
    """Present value of flows by quarter of the horizon and beyond."""
    return sum(musd * discount(rate, quarter) for quarter, musd in flows.items())


def every(musd: float, first: int, count: int) -> dict[int, float]:
    """The same amount in `count` quarters from `first` on."""
    return dict.fromkeys(range(first, first + count), musd)


def rents(musd: float, first: int, count: int) -> float:
    """Present value of a rent of some $M a quarter, less 10% of operating cost."""
    return worth(AI, every(0.9 * musd, first, count))


def hall(capex_musd: float = CAPEX, start: int = 0) -> float:
    """Present value of a hall's capex: 30% in the start quarter, 70% in the next."""
    return worth(AI, {start: 0.3 * capex_musd, start + 1: 0.7 * capex_musd})


def own_power(quarter: int, it_mw: float = 8, energy: float = 40) -> float:
    """$M that AI load in the north pays: 0.9 load x 1.2 PUE, and $2 per kW-month of demand on 1.2 MW for each IT MW."""
    return (it_mw * 0.9 * 1.2 * HOURS[quarter] * energy + it_mw * 1.2 * 2 * 1000 * 3) / 1e6


def run_hours(quarter: int) -> float:
    """95% uptime, 52 hours curtailed."""
    return HOURS[quarter] * 0.95 - 52


def revenue_musd(quarter: int, hashprice: float, joules: float = 20, overhead: float = 0.04) -> float:
    """What a running gross MW mines in a quarter, less 2% of pool fee."""
    ph = 1_000_000 / (joules * 1000 * (1 + overhead))
    return hashprice * ph * run_hours(quarter) / 24 * 0.98 / 1e6


def mining_musd(quarter: int, hashprice: float, energy: float, joules: float = 20, overhead: float = 0.04) -> float:
    """Margin of a running gross MW before upkeep: $2 per kW-month of demand, $4,000 a year for being interruptible."""
    power = run_hours(quarter) * energy + 2 * 1000 * 3
    return revenue_musd(quarter, hashprice, joules, overhead) + (4000 / 4 - power) / 1e6


# ---- rows ------------------------------------------------------------------------------------------


def hand_case(**changes: Any) -> Case:
    """`tiny_case` that also takes the settings of the treasury."""
    later = {name: changes.pop(name) for name in [*changes] if name in NEW_SETTINGS}
    case = tiny_case(**changes)
    return case.replace(**later) if later else case


def lease_case(offer: Row | None = None, first: int = 2, last: int = 2, **changes: Any) -> Case:
    """No machines; the lease's first delivery lies in quarters `first` to `last`, `offer` sets its other columns."""
    window = {"window_first": q(first), "window_last": q(last)}
    return hand_case(**{"offers": window | (offer or {}), "fleet": [], **changes})


def asic(name: str = "miner", **columns: Any) -> Row:
    """The class of `tiny_case`: 20 J/TH, 4% overhead."""
    row = {"asic": name, "joules_per_th": 20, "uptime": 0.95, "pool_fee": 0.02, "overhead": 0.04}
    return row | {"retires_after": None, "residual_usd_per_th": 0} | columns


def machine_market(name: str = "miner", **columns: Any) -> Row:
    """Machines that fetch $0.50 per TH at any time and can neither be bought nor moved."""
    row = {"asic": name, "resale_usd_per_th": 0.5, "purchase_usd_per_th": None, "delivery_quarters": 0}
    row |= {"reference_hashprice_usd_per_ph_day": 50, "elasticity": 0, "yearly_decline": 0}
    return row | {"moving_cost_musd_per_gross_mw": None} | columns


def facility(name: str = "loan", **columns: Any) -> Row:
    """$30M to be drawn in quarters 0 and 1, 12% a year paid each quarter, a bullet in quarter 6, nothing else."""
    row = {"facility": name, "commitment_musd": 30, "drawn_musd": 0}
    row |= {"available_first": q(0), "available_last": q(1), "maturity": q(6), "base_rate": None, "margin": 0.12}
    row |= {"upfront_fee": 0, "undrawn_fee": 0, "interest_every_quarters": 1, "loan_to_cost": None}
    row |= {"minimum_cash_musd": None, "dscr": None, "dscr_from": None, "prepayable": False}
    return row | {"requires_offer": None, "refinances": None} | columns


def two_leases(north: Row | None = None, south: Row | None = None, south_price: float = 150) -> dict[str, Any]:
    """The lease in the north (Ada, 8 IT MW) and a second one in the south (Bob, 5 IT MW); both from quarter 2."""
    ada: Row = {"offer": "lease", "customer": "Ada", "product": "colo", "min_it_mw": 8, "max_it_mw": 8}
    ada |= {"window_first": q(2), "window_last": q(2), "term_quarters": 20, "escalator": 0, "price_base_quarter": None}
    ada |= {"power_passed_through": True, "operating_cost_share": 0.1, "load_factor": 0.9, "ramp": "at once"}
    ada |= {"utilisation": None, "exclusive_group": None}
    bob = ada | {"offer": "south lease", "customer": "Bob", "min_it_mw": 5, "max_it_mw": 5}
    return {
        "offers": [ada | (north or {}), bob | (south or {})],
        "offer_prices": [
            {"scenario": "base", "offer": "lease", "price": 200, "price_basis": "usd_per_kw_month"},
            {"scenario": "base", "offer": "south lease", "price": south_price, "price_basis": "usd_per_kw_month"},
        ],
        "offer_sites": [{"offer": "lease", "site": "north"}, {"offer": "south lease", "site": "south"}],
    }


# ---- the check -------------------------------------------------------------------------------------


def check(case: Case, expected: float) -> opt.Plan:
    """The optimiser finds the value worked out by hand, and the plan's statements tie."""
    plan = solve(case)
    assert plan.value_musd == pytest.approx(expected, rel=1e-7, abs=1e-7)
    return plan


def solve(case: Case) -> opt.Plan:
    plan = opt.solve(case, scenario="base", gap=1e-9, time_limit=60, seed=1)
    assert_statements_tie(plan, case)
    return plan


def assert_statements_tie(plan: opt.Plan, case: Case) -> None:
    """Cash, cash flow, debt and value are one set of books, to 1e-9; each site's uses sum to its limit."""
    _assert_cash_ties(plan, case)
    _assert_debt_ties(plan, case)
    _assert_sites_tie(plan, case)
    by_line = plan.tables["value"]
    assert _same(by_line["within_musd"].sum() + by_line["after_musd"].sum(), plan.value_musd)


def _assert_cash_ties(plan: opt.Plan, case: Case) -> None:
    """Opening + net = closing, each opening is the closing before, and net is the sum of the lines."""
    opening, lines = case.settings.opening_cash_musd, plan.tables["cash_flow"]
    for row in plan.tables["cash"].itertuples():
        assert _same(row.opening_musd, opening)
        assert _same(row.closing_musd, row.opening_musd + row.net_musd)
        assert _same(row.net_musd, lines.loc[lines["quarter"] == row.quarter, "musd"].sum())
        opening = row.closing_musd


def _assert_debt_ties(plan: opt.Plan, case: Case) -> None:
    """Each facility's balance rolls on from what was drawn at first; the lines of cash hold its flows."""
    if not (facilities := getattr(case, "facilities", ())):
        return
    debt = plan.tables["debt"]
    for row in facilities:
        balance = row.drawn_musd
        for line in debt[debt["facility"] == row.facility].itertuples():
            assert _same(line.opening_musd, balance)
            assert _same(line.closing_musd, line.opening_musd + line.draws_musd - line.repayments_musd)
            assert line.closing_musd >= -1e-9
            balance = line.closing_musd
    within = debt[debt["quarter"].astype(str).isin({str(t) for t in case.horizon})]
    for quarter, rows in within.groupby(within["quarter"].astype(str)):
        principal = rows["draws_musd"].sum() - rows["repayments_musd"].sum()
        for name, musd in (
            ("principal", principal),
            ("interest", -rows["interest_musd"].sum()),
            ("fee", -rows["fees_musd"].sum()),
        ):
            owed = sum(o.musd for o in case.obligations if str(o.quarter) == quarter and o.kind == name)
            assert _same(line_musd(plan, name, [str(quarter)]), musd - owed)


def _assert_sites_tie(plan: opt.Plan, case: Case) -> None:
    """What is under way between two sites is in neither; all else, unused megawatts included, makes the limit."""
    table = plan.tables["allocation"]
    for site in case.sites:
        for t in case.horizon:
            steps = [row for row in case.site_limits if row.site == site.site and row.from_quarter <= t]
            limit = max(steps, key=lambda row: row.from_quarter).limit_gross_mw
            rows = table[(table["site"] == site.site) & (table["quarter"].astype(str) == str(t))]
            assert _same(rows["gross_mw"].sum(), limit)


def line_musd(plan: opt.Plan, name: str, quarters: Iterable[str] | None = None) -> float:
    """A line of the cash-flow statement, in all quarters or some."""
    lines = plan.tables["cash_flow"]
    wanted = lines["line"] == name
    if quarters is not None:
        wanted &= lines["quarter"].astype(str).isin({*quarters})
    return float(lines.loc[wanted, "musd"].sum())


def cash_line(plan: opt.Plan, name: str) -> dict[int, float]:
    """A line of the cash-flow statement by quarter of the horizon, without zeros."""
    lines: pd.DataFrame = plan.tables["cash_flow"]
    sums = lines[lines["line"] == name].groupby(lines["quarter"].astype(str))["musd"].sum()
    quarters = [str(t) for t in plan.tables["cash"]["quarter"]]
    return {quarters.index(str(t)): float(musd) for t, musd in sums.items() if abs(musd) > 1e-9}


def _same(one: float, other: float) -> bool:
    return bool(one == pytest.approx(other, rel=1e-9, abs=1e-9))
