"""Cases solved by hand: one for each mistake that a careless version makes.

Every expected value is worked out here with plain numbers, as on a spreadsheet; nothing is taken from
the library. The case that `tiny_case` makes unless told otherwise: six quarters from 2027Q1. North, 30
gross MW, holds 25 MW of machines and room for a hall of 12 gross MW = 8 IT MW; south, 20 gross MW,
holds 16 MW and room for 7 gross = 5 IT. A hall costs $3M per IT MW, 30% when work starts and 70% a
quarter later, and serves two quarters after its start. One lease: 8 IT MW in the north, $200 per
kW-month, 20 quarters, 10% operating cost, power passed through. AI is discounted at 10%, mining at 15%,
the company at 8%. Hashprice is $1, so machines are retired unless a test mends it.
"""

from __future__ import annotations

from typing import Any

import oracle
import pytest
from small_cases import tiny_case

import optimizer as opt
from optimizer.case.case import Case


def check(case: Case, expected: float) -> opt.Plan:
    """The oracle and the optimiser both find the value worked out by hand."""
    assert oracle.best_value(case, "base") == pytest.approx(expected, rel=1e-9, abs=1e-9)
    plan = opt.solve(case, scenario="base", gap=1e-9, time_limit=60, seed=1)
    assert plan.value_musd == pytest.approx(expected, rel=1e-7, abs=1e-7)
    return plan


def discount(rate: float, quarter: float) -> float:
    """Mid-quarter; quarter 0 is the first."""
    return float((1 + rate) ** -((quarter + 0.5) / 4))


def ai(flows: dict[int, float]) -> float:
    """Present value of AI flows at 10%, by quarter of the horizon and beyond."""
    return sum(musd * discount(0.10, quarter) for quarter, musd in flows.items())


def rents(musd: float, first: int, count: int) -> float:
    """Present value of a rent of some $M a quarter, less 10% of operating cost."""
    return ai(dict.fromkeys(range(first, first + count), 0.9 * musd))


def hall(capex_musd: float, start: int = 0) -> float:
    """Present value of a hall's capex: 30% in the start quarter, 70% in the next."""
    return ai({start: 0.3 * capex_musd, start + 1: 0.7 * capex_musd})


def mining_musd(hours: int, hashprice: float, energy: float) -> float:
    """Margin of a running gross MW: 20 J/TH and 4% overhead, 95% uptime, 52 hours curtailed, 2% pool
    fee.
    """
    run_hours = hours * 0.95 - 52
    ph = 1_000_000 / (20 * 1000 * 1.04)
    revenue = hashprice * ph * run_hours / 24 * 0.98
    power = run_hours * energy + 2 * 1000 * 3
    interruptible = 4000 / 4
    return (revenue - power + interruptible) / 1e6


HOURS = [2160, 2184, 2208, 2208, 2184, 2184]
NORTH_UPKEEP = 0.05 / 4
SOUTH_UPKEEP = 0.07 / 4
NO_OFFERS: dict[str, Any] = {"offers": [], "offer_prices": [], "offer_sites": []}
LEASE_FROM_Q3 = {"window_first": "2027Q3", "window_last": "2027Q3"}


def with_south_lease(**columns: Any) -> dict[str, Any]:
    """The lease in the north and a second one in the south for its 5 IT MW, customer Bob."""
    lease = {
        "offer": "lease",
        "customer": "Ada",
        "product": "colo",
        "min_it_mw": 8,
        "max_it_mw": 8,
        "window_first": "2027Q3",
        "window_last": "2027Q3",
        "term_quarters": 20,
        "escalator": 0,
        "price_base_quarter": None,
        "power_passed_through": True,
        "operating_cost_share": 0.1,
        "load_factor": 0.9,
        "ramp": "at once",
        "utilisation": None,
        "exclusive_group": None,
    }
    south = lease | {"offer": "south lease", "customer": "Bob", "min_it_mw": 5, "max_it_mw": 5} | columns
    return {
        "offers": [lease, south],
        "offer_prices": [
            {"scenario": "base", "offer": "lease", "price": 200, "price_basis": "usd_per_kw_month"},
            {"scenario": "base", "offer": "south lease", "price": 150, "price_basis": "usd_per_kw_month"},
        ],
        "offer_sites": [{"offer": "lease", "site": "north"}, {"offer": "south lease", "site": "south"}],
    }


@pytest.mark.core
def test_a_rent_per_kw_month_bills_three_months_a_quarter() -> None:
    """$200 x 8,000 kW x 3 months = $4.8M a quarter, 90% of it margin, from the third quarter for 20
    quarters.

    Billed by days, 90 days of a month of 30.4 give 1.4% less rent; by weeks, 13 weeks of 4.33 a month
    give 0.08% more. Either moves the value far beyond the tolerance.
    """
    rent = 200 * 8_000 * 3 / 1e6
    assert rent == 4.8
    leases = rents(rent, 2, 20)
    check(tiny_case(), leases - hall(24))


def test_capex_is_per_it_mw_not_gross() -> None:
    """8 IT MW x $3M = $24M. On the 12 gross MW it would be $36M, and $11.7M of value would be missing.

    The high level makes it $4M per IT MW; the GPUs, $1.5M per IT MW, are paid at the start quarter by
    their own curve.
    """
    case = tiny_case(capex_level="high", options={"gpu_musd_per_it_mw": 1.5})
    lease = rents(4.8, 2, 20)
    check(case, lease - hall(8 * 4) - ai({0: 8 * 1.5}))


@pytest.mark.parametrize(("budget", "built"), [(39.0, "both"), (38.9, "north only"), (23.9, "south only")])
def test_budgets_are_in_millions_and_halls_cost_what_they_cost(budget: float, built: str) -> None:
    """The halls cost $24M and $15M. A budget of $39M buys both, $38.9M the better one, $23.9M the
    cheaper one.

    Misread by a factor of 100 or a million, every budget would buy both or none.
    """
    north = rents(4.8, 2, 20) - hall(24)
    south = rents(150 * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    assert north > south > 0
    expected = {"both": north + south, "north only": north, "south only": south}[built]
    check(tiny_case(capex_budget_musd=budget, **with_south_lease()), expected)


@pytest.mark.core
def test_service_begins_exactly_lead_quarters_after_start() -> None:
    """No lease; the market takes 10 IT MW at $400 per kW-month. Work begins at once and the north's
    hall sells its 8 IT MW in quarters 2 to 5. The south's, $15M for the 2 that the market still
    takes, does not pay.

    Off by one, the hall would sell in three quarters and not be built, or in five and be worth $8.3M
    more.
    """
    sales = {"price": 400, "depth_it_mw": 10}
    case = tiny_case(product_markets=sales, **NO_OFFERS)
    north = rents(400 * 8_000 * 3 / 1e6, 2, 4) - hall(24)
    south = rents(400 * 2_000 * 3 / 1e6, 2, 4) - hall(15)
    assert north > 0 > south
    check(case, north)


@pytest.mark.parametrize(("earliest", "start"), [("2027Q4", 3), ("2028Q1", None)])
def test_no_start_whose_service_lies_past_the_horizon(earliest: str, start: int | None) -> None:
    """Six quarters and a lead of two: quarter 3 is the last that can start. A quarter later nothing is
    built, worth 0.

    A model that allowed it would take the lease's cash after the horizon, and save capex that falls
    there.
    """
    case = tiny_case(options={"earliest": earliest})
    if start is None:
        check(case, 0)
    else:
        lease = rents(4.8, start + 2, 20)
        check(case, lease - hall(24, start))


def test_a_contract_runs_on_after_the_horizon() -> None:
    """Four of the 20 rent quarters lie in the horizon. Cut off there, the hall would lose money and not
    be built.

    What lies after the horizon is part of the value, but it is no cash: closing cash knows four
    quarters of rent.
    """
    inside = rents(4.8, 2, 4)
    after = rents(4.8, 6, 16)
    assert inside < hall(24)
    plan = check(tiny_case(), inside + after - hall(24))
    assert plan.cash["closing_musd"].iloc[-1] == pytest.approx(800 - 24 + 4 * 0.9 * 4.8)
    assert plan.kpis["value_after_horizon_musd"] == pytest.approx(after)


@pytest.mark.core
def test_power_after_the_horizon_costs_the_last_tariff_and_calendar_hours() -> None:
    """5 IT MW in the south pay their own power: 0.9 load x 1.25 PUE, demand charge on 1.25 without the
    load factor.

    A tariff of $50 that steps to $80 in the last quarter stays at $80; the hours follow the calendar to
    2032Q2. Energy charged on gross MW reserved (7) or on bare IT MW (5) would be 12% too much or 20%
    too little.
    """
    case = tiny_case(
        **with_south_lease(power_passed_through=False),
        tariffs={"energy_usd_per_mwh": [40] * 6 + [50] * 5 + [80]},
        sites={"firm_power": [False, True]},
    )
    year, leap_year = [2160, 2184, 2208, 2208], [2184, 2184, 2208, 2208]
    hours = year + leap_year + year * 3 + leap_year
    flows = {}
    for quarter in range(2, 22):
        energy_price = 50 if quarter < 5 else 80
        energy = 5 * 0.9 * 1.25 * hours[quarter] * energy_price / 1e6
        demand = 5 * 1.25 * 2 * 1000 * 3 / 1e6
        flows[quarter] = 0.9 * 150 * 5_000 * 3 / 1e6 - energy - demand
    expected = ai(flows) - hall(15)
    assert expected > 0
    check(case, expected)


def test_power_passed_through_costs_nothing() -> None:
    """Two leases: the north's power is passed through, so its tariff of $400 does not matter; the south
    pays $50.

    Charging both would cost the north $7.7M a quarter, more than its rent; charging none gains $0.66M
    in the south.
    """
    case = tiny_case(
        **with_south_lease(power_passed_through=False, term_quarters=4),
        tariffs={"energy_usd_per_mwh": [400] * 6 + [50] * 6},
        options={"facility_base_musd_per_it_mw": [3, 0.5], "facility_low_musd_per_it_mw": 0.4},
    )
    north = rents(4.8, 2, 20) - hall(24)
    flows = {}
    for quarter in range(2, 6):
        energy = 5 * 0.9 * 1.25 * HOURS[quarter] * 50 / 1e6
        demand = 5 * 1.25 * 2 * 1000 * 3 / 1e6
        flows[quarter] = 0.9 * 150 * 5_000 * 3 / 1e6 - energy - demand
    south = ai(flows) - hall(2.5)
    assert south > 0
    check(case, north + south)


def test_mining_idles_rather_than_runs_at_a_loss() -> None:
    """Hashprice $60, 10, 10, 60, 60, 60: running in quarters 1 and 2 would lose money, so machines
    stand still and pay $12,500 (north) or $17,500 (south) of upkeep per MW, as the later quarters
    repay it.

    Forced to run, a MW in the north would lose about $46,000 more a quarter.
    """
    hashprices = [60, 10, 10, 60, 60, 60]
    case = tiny_case(bitcoin={"hashprice_usd_per_ph_day": hashprices}, **NO_OFFERS)
    value = 0.0
    for quarter in range(6):
        north = mining_musd(HOURS[quarter], hashprices[quarter], 40)
        south = mining_musd(HOURS[quarter], hashprices[quarter], 50)
        assert (north > 0) == (south > 0) == (quarter not in (1, 2))
        earned = 25 * (max(north, 0) - NORTH_UPKEEP) + 16 * (max(south, 0) - SOUTH_UPKEEP)
        value += earned * discount(0.15, quarter)
    check(case, value)


@pytest.mark.core
def test_machines_retire_for_good_when_the_rest_does_not_repay_their_upkeep() -> None:
    """Hashprice $60, 60, 10, 10, 10, 30: the north's machines would earn again in the last quarter, but
    less than four quarters of upkeep would have cost; all are retired after quarter 1.

    Machines that could come back for one quarter, or upkeep on running machines alone, would be worth
    more.
    """
    hashprices = [60, 60, 10, 10, 10, 30]
    case = tiny_case(bitcoin={"hashprice_usd_per_ph_day": hashprices}, **NO_OFFERS)
    last = mining_musd(HOURS[5], 30, 40)
    upkeep = NORTH_UPKEEP * sum(discount(0.15, quarter) for quarter in range(2, 6))
    assert last > NORTH_UPKEEP and last * discount(0.15, 5) < upkeep
    value = 0.0
    for quarter in (0, 1):
        north = mining_musd(HOURS[quarter], 60, 40) - NORTH_UPKEEP
        south = mining_musd(HOURS[quarter], 60, 50) - SOUTH_UPKEEP
        value += (25 * north + 16 * south) * discount(0.15, quarter)
    check(case, value)


def test_a_halving_inside_a_quarter_counts_by_days() -> None:
    """A halving on 2028-04-12: 11 of the 91 days of 2028Q2 at 3.125 BTC, 80 at 1.5625, then 1.5625 for
    good.

    Halving all of 2028Q2 would understate it by $13,700 per MW, halving none of it overstate it by
    $99,800.
    """
    case = tiny_case(
        first_quarter="2028Q1",
        quarters=3,
        halvings=["2028-04-12"],
        bitcoin={"hashprice_usd_per_ph_day": None, "difficulty_t": 110, "fees_btc_per_block": 0.15},
        **NO_OFFERS,
    )
    second = (11 * 3.125 + 80 * 1.5625) / 91
    value = 0.0
    for quarter, (hours, subsidy) in enumerate([(2184, 3.125), (2184, second), (2208, 1.5625)]):
        btc_per_ph_day = (subsidy + 0.15) * 1e15 * 86_400 / (110e12 * 2**32)
        hashprice = btc_per_ph_day * 100_000
        north = mining_musd(hours, hashprice, 40)
        south = mining_musd(hours, hashprice, 50)
        earned = 25 * max(north - NORTH_UPKEEP, 0) + 16 * max(south - SOUTH_UPKEEP, 0)
        value += earned * discount(0.15, quarter)
    check(case, value)


@pytest.mark.parametrize(("years", "start"), [({2027: 8, 2028: 17}, 3), ({2027: 7.1, 2028: 24}, None)])
def test_a_yearly_budget_is_checked_on_spending(years: dict[int, float], start: int | None) -> None:
    """$7.2M in the start quarter and $16.8M in the next. With $8M in 2027 and $17M in 2028 the hall can
    start in 2027Q4 alone; with $7.1M it cannot start in 2027 at all, and 2028Q1 would be too late
    for the horizon.

    Checked on starts, the whole $24M would fall into 2027 and nothing could be built in either case.
    """
    rows = [{"year": year, "capex_budget_musd": musd} for year, musd in years.items()]
    case = tiny_case(budget_years=rows, offers={"window_last": "2028Q2"})
    if start is None:
        check(case, 0)
        return
    lease = rents(4.8, start + 2, 20)
    check(case, lease - hall(24, start))


@pytest.mark.core
@pytest.mark.parametrize("stops", [0, 1, 2])
def test_a_hall_takes_its_gross_megawatts_from_mining_when_handed_over(stops: int) -> None:
    """North: 30 gross MW, 25 of machines. The hall reserves 12 gross MW from hand-over on, so 18 keep
    mining.

    Counting its 8 IT MW would leave 22; mining and building on the same MW would leave 25. The 7 MW
    that give way retire: south has 4 MW of room, and a model that put them there would gain $0.3M a
    quarter.
    """
    case = tiny_case(
        bitcoin={"hashprice_usd_per_ph_day": 50},
        offers=LEASE_FROM_Q3,
        options={"mining_stops_quarters": stops},
    )
    value = rents(4.8, 2, 20) - hall(24)
    for quarter, hours in enumerate(HOURS):
        north_mw = 25 if quarter < stops else 30 - 12
        north = north_mw * (mining_musd(hours, 50, 40) - NORTH_UPKEEP)
        south = 16 * (mining_musd(hours, 50, 50) - SOUTH_UPKEEP)
        value += (north + south) * discount(0.15, quarter)
    check(case, value)


def test_minimum_cash_holds_in_every_quarter() -> None:
    """Opening cash of $26.9M and a minimum of $3M: the $24M hall would leave $2.9M in quarter 1, the
    $15M one fits.

    By quarter 5 the better hall's rent would have brought cash back above the minimum: checking the end
    alone, or zero in place of the minimum, builds it. With $27M it is built, and the other, $15M more,
    is not.
    """
    north = rents(4.8, 2, 20) - hall(24)
    south = rents(150 * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    assert 26.9 - 24 + 4 * 0.9 * 4.8 > 3
    check(tiny_case(opening_cash_musd=26.9, **with_south_lease()), south)
    check(tiny_case(opening_cash_musd=27, **with_south_lease()), north)


def test_the_price_rises_every_four_quarters_of_delivery() -> None:
    """Escalator 6%: the four first delivery quarters at $200, the next four at $212, and so on.

    Counted from the horizon's start the first rise would come after two quarters; compounded each
    quarter the price would have risen by 4.5% before its first step.
    """
    rents = {2 + j: 0.9 * 200 * 1.06 ** (j // 4) * 8_000 * 3 / 1e6 for j in range(20)}
    check(tiny_case(offers=LEASE_FROM_Q3 | {"escalator": 0.06}), ai(rents) - hall(24))


@pytest.mark.core
def test_a_price_quoted_for_an_earlier_quarter_has_risen_by_the_first_delivery() -> None:
    """The $200 are quoted for 2026Q2, five quarters before delivery in 2027Q3: one rise has passed, the
    next comes after three quarters, in 2028Q2. Counted from delivery the lease would be worth 6%
    less for most of its life.
    """
    case = tiny_case(offers=LEASE_FROM_Q3 | {"escalator": 0.06, "price_base_quarter": "2026Q2"})
    rises = [1] * 3 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [6]
    rents = {2 + j: 0.9 * 200 * 1.06**rise * 8_000 * 3 / 1e6 for j, rise in enumerate(rises)}
    check(case, ai(rents) - hall(24))


def test_gpu_hours_follow_the_calendar() -> None:
    """$2.10 per GPU-hour x 640 GPUs x 70% x the quarter's hours: 2,208 in 2027Q3 and Q4, 2,184 in
    2028Q1 (a leap year), 2,184 in 2028Q2, and 2,160 in 2029Q1. A quarter of 8,760 would be 2,190
    hours in all of them.
    """
    price = {"price": 2.10, "price_basis": "usd_per_gpu_hour"}
    offer = LEASE_FROM_Q3 | {"utilisation": 0.7, "term_quarters": 7}
    hours = [2208, 2208, 2184, 2184, 2208, 2208, 2160]
    rents = {2 + j: 0.9 * 2.10 * 640 * 0.7 * 8 * hours[j] / 1e6 for j in range(7)}
    expected = ai(rents) - hall(24)
    assert expected > 0
    check(tiny_case(offers=offer, offer_prices=price), expected)


def test_a_price_per_mw_year_bills_a_quarter_of_it() -> None:
    """$2M per IT MW-year on 8 IT MW: $4M a quarter whatever its days."""
    case = tiny_case(offer_prices={"price": 2, "price_basis": "musd_per_it_mw_year"})
    check(case, rents(4.0, 2, 20) - hall(24))


@pytest.mark.core
def test_mobilisation_is_paid_once_in_the_first_start_quarter() -> None:
    """Two blocks of 6 gross MW in the north, at most one under construction: starts in quarters 0 and
    2.

    The $2.5M of mobilisation falls in quarter 0 alone. Paid per block or per start, $2.4M would be
    missing; paid in the first quarter of service, 5% of it saved. The lease of 8 IT MW waits until both
    blocks serve, in quarter 4.
    """
    case = tiny_case(
        max_blocks_under_construction=1,
        options={"block_gross_mw": 6, "max_blocks": [2, 0], "mobilisation_musd": 2.5},
        offers={"window_first": "2028Q1", "window_last": "2028Q1"},
    )
    lease = rents(4.8, 4, 20)
    check(case, lease - hall(12, 0) - hall(12, 2) - ai({0: 2.5}))


def test_each_line_is_discounted_at_its_own_rate_in_mid_quarter() -> None:
    """G&A of $1.5M a quarter, $2M of fees and a $9M sale at 8%; $4M of interest and $10M of principal move cash and
    are no value; one MW-quarter of mining at 15%.

    At the quarter's start in place of its middle the cost of G&A would be $0.08M more.
    """
    case = tiny_case(
        overheads={"g_and_a_musd": 1.5},
        obligations=[
            {"quarter": "2027Q2", "name": "note", "kind": "interest", "musd": 4},
            {"quarter": "2027Q3", "name": "note", "kind": "fee", "musd": 2},
            {"quarter": "2027Q4", "name": "note", "kind": "principal", "musd": 10},
            {"quarter": "2028Q1", "name": "plant", "kind": "asset_sale", "musd": 9},
        ],
        mining_ends="2027Q1",
        bitcoin={"hashprice_usd_per_ph_day": 60},
        **NO_OFFERS,
    )
    company = {0: -1.5, 1: -1.5, 2: -1.5 - 2, 3: -1.5, 4: -1.5 + 9, 5: -1.5}
    north = 25 * (mining_musd(2160, 60, 40) - NORTH_UPKEEP)
    south = 16 * (mining_musd(2160, 60, 50) - SOUTH_UPKEEP)
    value = sum(musd * discount(0.08, quarter) for quarter, musd in company.items())
    check(case, value + (north + south) * 1.15 ** -(0.5 / 4))


def test_residuals_are_dated_at_the_end_of_the_horizon() -> None:
    """18 MW of machines in the north and 13 in the south at $3 per TH, and the south hall's 5 IT MW, sold at market, at
    $2M less 6 of 120 quarters; the north's 8 IT MW are let to quarter 21 and worth $2M less 22 of 120 from then on.

    Dated at the last mid-quarter machines and the south would be worth 1.2% or 1.8% more; a residual on let capacity at
    the horizon's end, beside the lease, adds $5.4M.
    """
    case = tiny_case(
        bitcoin={"hashprice_usd_per_ph_day": 50},
        asics={"residual_usd_per_th": 3},
        products={"residual_musd_per_it_mw": 2},
        product_markets={"price": 300, "depth_it_mw": 6},
        offers=LEASE_FROM_Q3,
        options={"mining_stops_quarters": 0},
    )
    machine_residual = 3 * 1e9 / (20 * 1000 * 1.04) / 1e6
    value = rents(4.8, 2, 20) - hall(24)
    value += rents(300 * 5_000 * 3 / 1e6, 2, 4) - hall(15)
    value += 5 * 2 * (1 - 6 / 120) * 1.10**-1.5 + 8 * 2 * (1 - 22 / 120) * 1.10**-5.5
    for quarter, hours in enumerate(HOURS):
        north = 18 * (mining_musd(hours, 50, 40) - NORTH_UPKEEP)
        south = 13 * (mining_musd(hours, 50, 50) - SOUTH_UPKEEP)
        value += (north + south) * discount(0.15, quarter)
    value += (18 + 13) * machine_residual * 1.15**-1.5
    check(case, value)


@pytest.mark.core
def test_half_a_hall_is_usable_in_its_first_quarter_and_half_a_lease_is_billed() -> None:
    """Halls serve half their IT MW in the first quarter of service, so a lease of 8 IT MW cannot begin
    before quarter 3; it too bills half at first. In quarter 2 the north's 4 usable IT MW go to the
    market.

    Contracted megawatts are held in full while they ramp: nothing of the unbilled half can be sold. The
    south's hall would sell 1 IT MW, then the 5 that the market takes, and is not worth its $15M.
    """
    case = tiny_case(
        product_markets={"price": 150, "depth_it_mw": 5},
        offers={"window_first": "2027Q3", "window_last": "2027Q4", "ramp": "half then full"},
        options={"ramp": "half then full"},
    )
    rents = {3: 0.5 * 0.9 * 4.8} | dict.fromkeys(range(4, 23), 0.9 * 4.8)
    sold = {2: 0.9 * 150 * 4_000 * 3 / 1e6}
    south_sales = {2: 1_000, 3: 5_000, 4: 5_000, 5: 5_000}
    south = ai({quarter: 0.9 * 150 * kw * 3 / 1e6 for quarter, kw in south_sales.items()})
    assert south < hall(15)
    check(case, ai(rents) + ai(sold) - hall(24))


def test_committed_work_before_the_horizon_is_sunk_but_served() -> None:
    """The north's block started in 2026Q4: $7.2M and the mobilisation are sunk, $16.8M falls in quarter
    0, and service begins in quarter 1, as does the lease, already signed at 8 IT MW.

    Counting the sunk money would cost $9.7M; losing the last 70% would gain $16.6M.
    """
    case = tiny_case(
        options={"mobilisation_musd": 2.5},
        committed_starts=[{"option": "north hall", "quarter": "2026Q4", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2027Q2", "it_mw": 8}],
    )
    lease = rents(4.8, 1, 20)
    check(case, lease - ai({0: 16.8}))


@pytest.mark.parametrize(("budget", "built"), [(31.8, True), (31.7, False)])
def test_budgets_do_not_count_what_was_spent_before_the_horizon(budget: float, built: bool) -> None:
    """The north's block started in 2026Q4: of its $24M and $2.5M of mobilisation only $16.8M are still to be spent.
    The south's hall needs $15M more and no mobilisation, so $31.8M in all and in 2027 pays for both.

    Counting the sunk $7.2M or the sunk mobilisation would keep the south from being built.
    """
    case = tiny_case(
        capex_budget_musd=budget,
        budget_years=[{"year": 2027, "capex_budget_musd": budget}],
        options={"mobilisation_musd": [2.5, 0]},
        committed_starts=[{"option": "north hall", "quarter": "2026Q4", "blocks": 1}],
        **with_south_lease(),
    )
    north = rents(4.8, 2, 20) - ai({0: 16.8})
    south = rents(150 * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    check(case, north + south if built else north)


@pytest.mark.core
def test_one_customer_pays_at_most_its_share_of_the_rent() -> None:
    """Ada pays $4.8M and Bob $2.25M a quarter: 68% and 32%. A cap of 70% lets both sign, 65% neither:
    whoever signs alone pays all of the rent, and there is no market to balance it.

    A cap on megawatts (62% and 38%) would allow both at 65%.
    """
    north = rents(4.8, 2, 20) - hall(24)
    south = rents(150 * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    capped = {"max_customer_share_from": "2027Q1", **with_south_lease()}
    check(tiny_case(max_customer_share=0.70, **capped), north + south)
    check(tiny_case(max_customer_share=0.65, **capped), 0)


def test_a_floor_on_a_product_counts_blocks_in_service() -> None:
    """A policy wants 5 IT MW of colocation in service from 2028Q1 on, and nobody rents it: the cheaper hall,
    $15M in the south, is built as late as that allows, from 2027Q3.

    Counting blocks from their start would put the work off by two quarters and save $0.7M.
    """
    floor: dict[str, Any] = {"policy": "be there", "use": "colo", "site": "*", "first": "2028Q1", "last": "2028Q2"}
    floor |= {"basis": "it_mw", "min_mw": 5, "max_mw": None}
    check(tiny_case(use_limits=[floor], **NO_OFFERS), -hall(15, 2))


def test_a_ceiling_on_mining_counts_installed_machines_of_all_sites() -> None:
    """At most 20 gross MW of machines in 2027Q3 and Q4, all sites together: 20 in the north, where power is
    cheaper, stay; the 5 and the south's 16 retire, and do not come back when the policy ends.

    Counted by site, all of the south's would stay; counted when running, they would idle and run again in 2028.
    """
    ceiling: dict[str, Any] = {"policy": "less", "use": "mining", "site": "*", "first": "2027Q3", "last": "2027Q4"}
    ceiling |= {"basis": "gross_mw", "min_mw": None, "max_mw": 20}
    case = tiny_case(bitcoin={"hashprice_usd_per_ph_day": 60}, use_limits=[ceiling], **NO_OFFERS)
    value = 0.0
    for quarter, hours in enumerate(HOURS):
        north = mining_musd(hours, 60, 40) - NORTH_UPKEEP
        south = mining_musd(hours, 60, 50) - SOUTH_UPKEEP
        earned = 25 * north + 16 * south if quarter < 2 else 20 * north
        value += earned * discount(0.15, quarter)
    check(case, value)


@pytest.mark.core
def test_work_begun_before_the_horizon_counts_as_under_construction() -> None:
    """At most one block under construction. The north's, started in 2026Q4, is under way in 2027Q1 too, so the
    south's lease waits for a start in 2027Q2.

    Overlooking the committed block would start the south a quarter earlier, for $0.4M more.
    """
    case = tiny_case(
        max_blocks_under_construction=1,
        committed_starts=[{"option": "north hall", "quarter": "2026Q4", "blocks": 1}],
        **with_south_lease(window_last="2027Q4"),
    )
    north = rents(4.8, 2, 20) - ai({0: 16.8})
    south = rents(150 * 5_000 * 3 / 1e6, 3, 20) - hall(15, 1)
    check(case, north + south)


def test_a_committed_start_may_lie_before_the_earliest_quarter_of_new_ones() -> None:
    """The north's block is committed for 2027Q1, though new work may start from 2027Q3 only. It is built and let
    from 2027Q3, and pays its mobilisation of $2.5M when it starts. The south, with no lease, is not built.
    """
    case = tiny_case(
        options={"earliest": "2027Q3", "mobilisation_musd": 2.5},
        committed_starts=[{"option": "north hall", "quarter": "2027Q1", "blocks": 1}],
    )
    check(case, rents(4.8, 2, 20) - hall(24) - ai({0: 2.5}))


@pytest.mark.parametrize("passed_through", [True, False])
def test_a_contract_delivered_before_the_horizon_runs_to_its_own_end(passed_through: bool) -> None:
    """Delivered since 2026Q3 with a rise of 6% every four quarters and 20 quarters in all: 18 are left, two at the
    first price, then four at each later one. What was billed before the horizon is no value of this plan.
    """
    case = tiny_case(
        offers={"window_first": "2026Q3", "escalator": 0.06, "power_passed_through": passed_through},
        committed_starts=[{"option": "north hall", "quarter": "2026Q1", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2026Q3", "it_mw": 8}],
    )
    year, leap_year = [2160, 2184, 2208, 2208], [2184, 2184, 2208, 2208]
    hours = year + leap_year + year * 3
    rises = [0] * 2 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    flows = {}
    for quarter, rise in enumerate(rises):
        energy = 8 * 0.9 * 1.2 * hours[quarter] * 40 / 1e6
        demand = 8 * 1.2 * 2 * 1000 * 3 / 1e6
        power = 0.0 if passed_through else energy + demand
        flows[quarter] = 0.9 * 4.8 * 1.06**rise - power
    check(case, ai(flows))


@pytest.mark.core
def test_a_plan_exists_though_doing_nothing_would_break_a_policy() -> None:
    """Ada's lease is committed; alone she would pay all of the rent, and a cap of 70% is kept only by signing Bob.

    A model that needs "do nothing" to keep every policy calls this case infeasible.
    """
    case = tiny_case(
        max_customer_share=0.70,
        max_customer_share_from="2027Q1",
        committed_starts=[{"option": "north hall", "quarter": "2027Q1", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}],
        **with_south_lease(),
    )
    north = rents(4.8, 2, 20) - hall(24)
    south = rents(150 * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    check(case, north + south)


def test_value_over_doing_nothing_is_over_mining_at_its_best() -> None:
    """Doing nothing mines 25 and 16 MW at $50 per PH-day; the plan gives 7 MW up from 2027Q2 on for the lease.

    Do-nothing measured with the plan's own machines, or at zero, would flatter the plan by $3M or by $20M.
    """
    case = tiny_case(bitcoin={"hashprice_usd_per_ph_day": 50}, offers=LEASE_FROM_Q3)
    kept, given_up = 0.0, 0.0
    for quarter, hours in enumerate(HOURS):
        north = (mining_musd(hours, 50, 40) - NORTH_UPKEEP) * discount(0.15, quarter)
        south = (mining_musd(hours, 50, 50) - SOUTH_UPKEEP) * discount(0.15, quarter)
        kept += 25 * north + 16 * south
        given_up += 7 * north if quarter > 0 else 0.0
    assert oracle.do_nothing_value(case, "base") == pytest.approx(kept)
    lease = rents(4.8, 2, 20) - hall(24)
    plan = check(case, kept - given_up + lease)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(kept)
    assert plan.kpis["value_over_do_nothing_musd"] == pytest.approx(lease - given_up)


def test_a_plan_states_its_bound_and_its_gap() -> None:
    """A solved plan is optimal within the gap asked for, and says so: value, bound and gap agree."""
    plan = check(tiny_case(), rents(4.8, 2, 20) - hall(24))
    assert plan.status == "optimal"
    assert plan.bound_musd >= plan.value_musd - 1e-9
    assert plan.gap_musd == pytest.approx(plan.bound_musd - plan.value_musd, abs=1e-9)
    assert plan.gap <= 1e-9
