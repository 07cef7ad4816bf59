"""The fleet solved by hand: what machines draw, age, fetch, cost to move and to buy, and what their power costs.

As in `test_hand_solved`, every expected value is worked out here with plain numbers. North: 30 gross MW, $40 per MWh,
$12,500 of upkeep per MW-quarter; south: 20 gross MW, $50, $17,500. A machine is 20 J/TH with 4% of overhead: 48,077
TH per gross MW. Mining is discounted at 15%.
"""

from __future__ import annotations

import pytest
from hand_cases import (
    MINING,
    NO_OFFERS,
    NORTH_UPKEEP,
    SOUTH_UPKEEP,
    asic,
    cash_line,
    check,
    discount,
    hall,
    hand_case,
    lease_case,
    machine_market,
    mining_musd,
    own_power,
    q,
    rents,
    revenue_musd,
    run_hours,
    worth,
)

import optimizer as opt

TH_PER_MW = 1e6 / (20 * 1.04)


def north_margin(quarter: int, hashprice: float, energy: float = 40) -> float:
    """$M of a gross MW in the north, running or idle, upkeep paid."""
    return max(mining_musd(quarter, hashprice, energy), 0) - NORTH_UPKEEP


def south_margin(quarter: int, hashprice: float) -> float:
    return max(mining_musd(quarter, hashprice, 50), 0) - SOUTH_UPKEEP


def installed(plan: opt.Plan) -> list[float]:
    return [float(mw) for mw in plan.tables["mining"]["installed_gross_mw"]]


def in_the_north(mw: float, first: int, last: int, hashprice: float) -> float:
    return mw * worth(MINING, {t: north_margin(t, hashprice) for t in range(first, last + 1)})


# ---- what a machine is -----------------------------------------------------------------------------


def test_units_of_machines_become_megawatts_at_the_wall() -> None:
    """5,000 units of 200 TH at 20 J/TH draw 4,000 W each, 4,160 W with the site's overhead: 20.8 gross MW.

    Without the overhead there would be 20 MW; the hashes are the same, so the power bill would be 4% short.
    """
    fleet = [{"site": "north", "asic": "miner", "units": 5_000, "gross_mw": None}]
    case = hand_case(asics=[asic(th_per_unit=200)], fleet=fleet, bitcoin={"hashprice_usd_per_ph_day": 60}, **NO_OFFERS)
    plan = check(case, in_the_north(20.8, 0, 5, 60))
    assert installed(plan) == pytest.approx([20.8] * 6)


@pytest.mark.parametrize(
    ("retires_after", "last"), [(None, 1), (q(0), 0), (q(3), 1)], ids=["life", "retired earlier", "life ends earlier"]
)
def test_a_machine_is_fit_for_its_life_or_until_it_retires(retires_after: str | None, last: int) -> None:
    """Bought in 2026Q3 with a life of four quarters: 2026Q3, Q4, 2027Q1 and Q2, the last quarter in which it runs.
    A retirement date counts where it is earlier.

    Counted from 2026Q4 on, or with the retirement date alone, machines would run a quarter or more too long.
    """
    old = asic(bought="2026Q3", life_quarters=4, retires_after=retires_after)
    case = hand_case(
        asics=[old],
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        **NO_OFFERS,
    )
    check(case, in_the_north(20, 0, last, 60))


# ---- sale ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("resale", "sold"), [(2, False), (4, True)])
def test_machines_that_retire_fetch_nothing_so_the_last_fit_quarter_is_the_last_to_sell(
    resale: float, sold: bool
) -> None:
    """Fit through quarter 1. A MW earns $0.140M there; at $2 per TH it fetches $0.096M and stays, at $4 it fetches
    $0.192M and is sold at the start of quarter 1, before it would run.

    Sold when unfit, in quarter 2, it would earn and be sold, for $1.8M or $2.5M more.
    """
    per_mw = resale * TH_PER_MW / 1e6
    assert (per_mw > north_margin(1, 60)) == sold
    case = hand_case(
        asics=[asic(retires_after=q(1))],
        machine_markets=[machine_market(resale_usd_per_th=resale)],
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        **NO_OFFERS,
    )
    expected = in_the_north(20, 0, 0, 60) + 20 * per_mw * discount(MINING, 1) if sold else in_the_north(20, 0, 1, 60)
    plan = check(case, expected)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(expected)


@pytest.mark.parametrize(("decline", "ahead", "sold"), [(0.2, 1, 1), (0.9, 1, 0), (0.2, 2, 1), (0.2, 8, 3)])
def test_the_resale_price_follows_hashprice_and_declines_with_age(decline: float, ahead: int, sold: int) -> None:
    """Hashprice $60, 60, 40, 15, ... against a reference of $50, $6 per TH, elasticity 1.5: $7.89 in quarter 0; with
    a decline of 20% a year $7.46 in quarter 1, $3.84 in quarter 2, then next to nothing. A quarter's mining brings
    $0.138M per MW, so it is best to mine one quarter and sell; with a decline of 90% a year to sell at once. Buyers
    who look two quarters ahead see $50 on the mean in quarter 1, and pay $5.67; those who look eight ahead (five of
    $15 after the last that is quoted) never pay more than $2.57, so that machines mine while that pays.

    Elasticity left out, or the decline taken every quarter, gives other numbers in each case. Doing nothing sells
    too.
    """
    hashprices = [60, 60, 40, 15, 15, 15]
    plans = []
    for sale in range(6):
        mean = sum(hashprices[min(sale + i, 5)] for i in range(ahead)) / ahead
        price = 6 * (mean / 50) ** 1.5 * (1 - decline) ** (sale / 4)
        mined = worth(MINING, {t: north_margin(t, hashprices[t]) for t in range(sale)})
        plans.append(mined + price * TH_PER_MW / 1e6 * discount(MINING, sale))
    assert plans.index(max(plans)) == sold
    market = machine_market(resale_usd_per_th=6, elasticity=1.5, yearly_decline=decline)
    case = hand_case(
        machine_markets=[market],
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 25}],
        bitcoin={"hashprice_usd_per_ph_day": hashprices},
        market_looks_ahead_quarters=ahead,
        **NO_OFFERS,
    )
    plan = check(case, 25 * plans[sold])
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(25 * plans[sold])
    assert installed(plan) == pytest.approx([25.0] * sold + [0.0] * (6 - sold), abs=1e-6)


# ---- moves -----------------------------------------------------------------------------------------

PROJECT = rents(4.8, 2, 20) - hall()


@pytest.mark.parametrize("movable", [True, False])
def test_machines_of_a_converted_hall_move_to_where_there_is_room(movable: bool) -> None:
    """The hall takes 12 of the north's 30 MW in quarter 1: of its 25 MW of machines 7 must go. The south has room for
    4: they leave in quarter 1 at $0.05M per MW, are off for that quarter and run in the south from quarter 2 on. The
    other 3 are sold at $0.50 per TH; without a moving cost in the table all 7 are.

    Arriving at once, the 4 MW would earn a quarter more; sold and moved at once, they would be in two places.
    """
    per_mw = 0.5 * TH_PER_MW / 1e6
    value = PROJECT + in_the_north(25, 0, 0, 50) + in_the_north(18, 1, 5, 50)
    value += 16 * worth(MINING, {t: south_margin(t, 50) for t in range(6)})
    moved = worth(MINING, {t: south_margin(t, 50) for t in range(2, 6)}) - 0.05 * discount(MINING, 1)
    assert moved > per_mw * discount(MINING, 1)
    value += 4 * moved + 3 * per_mw * discount(MINING, 1) if movable else 7 * per_mw * discount(MINING, 1)
    case = hand_case(
        machine_markets=[machine_market(moving_cost_musd_per_gross_mw=0.05 if movable else None)],
        bitcoin={"hashprice_usd_per_ph_day": 50},
        offers={"window_first": q(2), "window_last": q(2)},
    )
    plan = check(case, value)
    assert installed(plan) == pytest.approx([41, 34, *[38 if movable else 34] * 4])
    assert cash_line(plan, "mining_moves") == pytest.approx({1: -4 * 0.05} if movable else {})


@pytest.mark.parametrize(("cost", "moved"), [(0.05, 7), (0.58, 4)])
def test_machines_move_in_place_of_weaker_ones_where_that_pays(cost: float, moved: int) -> None:
    """The south's 16 MW are of 35 J/TH: at $75 they earn $0.047M a MW-quarter, a machine from the north $0.176M. At
    $0.05M per MW all 7 move: 4 into room, 3 in place of old ones, which leave in the quarter of arrival, not before.
    At $0.58M a move into room still pays and a swap does not.
    """

    def old_margin(t: int) -> float:
        return mining_musd(t, 75, 50, joules=35) - SOUTH_UPKEEP

    into_room = worth(MINING, {t: south_margin(t, 75) for t in range(2, 6)}) - cost * discount(MINING, 1)
    swap = into_room - worth(MINING, {t: old_margin(t) for t in range(2, 6)})
    assert into_room > 0 and (swap > 0) == (moved == 7)
    value = PROJECT + in_the_north(25, 0, 0, 75) + in_the_north(18, 1, 5, 75)
    value += 16 * worth(MINING, {t: old_margin(t) for t in range(6)})
    value += 4 * into_room + (3 * swap if moved == 7 else 0)
    case = hand_case(
        asics=[asic(), asic("old", joules_per_th=35)],
        fleet=[
            {"site": "north", "asic": "miner", "gross_mw": 25},
            {"site": "south", "asic": "old", "gross_mw": 16},
        ],
        machine_markets=[machine_market(resale_usd_per_th=0, moving_cost_musd_per_gross_mw=cost)],
        bitcoin={"hashprice_usd_per_ph_day": 75},
        offers={"window_first": q(2), "window_last": q(2)},
    )
    plan = check(case, value)
    assert installed(plan) == pytest.approx([41, 34, 38, 38, 38, 38])


@pytest.mark.parametrize(("residual", "moved"), [(10, True), (1, False)])
def test_a_move_in_the_last_quarter_would_never_arrive(residual: float, moved: bool) -> None:
    """The north's grid falls to 18 MW in quarter 5, the last: 7 of 25 MW must be gone by then. What stands at the end
    is worth $10 per TH, so 4 MW leave for the south a quarter early, give up quarter 4 and pay $0.05M; at $1 that
    does not pay: they run in quarter 4 and are sold at $0.50. The other 3 MW run through quarter 4 in either case.

    Leaving in quarter 5 with the residual in hand would save quarter 4.
    """
    case = hand_case(
        asics=[asic(residual_usd_per_th=residual)],
        machine_markets=[machine_market(moving_cost_musd_per_gross_mw=0.05)],
        bitcoin={"hashprice_usd_per_ph_day": 50},
        site_limits=[
            {"site": "north", "from_quarter": q(0), "limit_gross_mw": 30},
            {"site": "north", "from_quarter": q(5), "limit_gross_mw": 18},
            {"site": "south", "from_quarter": q(0), "limit_gross_mw": 20},
        ],
        **NO_OFFERS,
    )
    at_the_end = residual * TH_PER_MW / 1e6 * 1.15**-1.5
    sale = 0.5 * TH_PER_MW / 1e6 * discount(MINING, 5)
    stay = north_margin(4, 50) * discount(MINING, 4) + sale
    move = -0.05 * discount(MINING, 4) + south_margin(5, 50) * discount(MINING, 5) + at_the_end
    assert (move > stay) == moved
    assert at_the_end + min(north_margin(5, 50), south_margin(5, 50)) * discount(MINING, 5) > sale
    value = in_the_north(25, 0, 3, 50) + in_the_north(18, 4, 5, 50)
    value += 16 * worth(MINING, {t: south_margin(t, 50) for t in range(6)})
    value += (18 + 16) * at_the_end + 4 * max(move, stay) + 3 * stay
    check(case, value)


# ---- purchases -------------------------------------------------------------------------------------

NEW_TH_PER_MW = 1e6 / 15


def new_margin(quarter: int, hashprice: float) -> float:
    """15 J/TH, no overhead, in the north."""
    return mining_musd(quarter, hashprice, 40, joules=15, overhead=0) - NORTH_UPKEEP


def buying_case(
    hashprice: float | list[float] = 50,
    retires_after: str | None = None,
    delivery_quarters: int = 2,
    moving_cost: float | None = None,
    **changes: object,
) -> opt.Case:
    """No fleet; new machines at $5 per TH, delivered after two quarters; the south has no grid."""
    market = {"resale_usd_per_th": 0, "purchase_usd_per_th": 5, "delivery_quarters": delivery_quarters}
    market |= {"elasticity": 1, "yearly_decline": 0.5, "moving_cost_musd_per_gross_mw": moving_cost}
    return hand_case(
        asics=[asic("new", joules_per_th=15, overhead=0, retires_after=retires_after)],
        machine_markets=[machine_market("new", **market)],
        fleet=[],
        site_limits={"limit_gross_mw": [30, 0]},
        bitcoin={"hashprice_usd_per_ph_day": hashprice},
        **(NO_OFFERS | changes),
    )


@pytest.mark.parametrize(
    ("money", "mw"),
    [
        ({}, 30),
        ({"capex_budget_musd": 6}, 18),
        ({"budget_years": [{"year": 2027, "capex_budget_musd": 3}]}, 9),
        ({"opening_cash_musd": 4, "minimum_cash_musd": 3}, 3),
    ],
    ids=["grid", "budget", "yearly budget", "cash"],
)
def test_machines_are_bought_within_grid_budget_and_cash(money: dict[str, object], mw: float) -> None:
    """$5 per TH and 66,667 TH per MW: $0.333M per MW, paid in quarter 0, at work in quarters 2 to 5. The grid has
    room for 30 MW; $6M buy 18 MW, $3M in 2027 buy 9 (what is paid in 2028 comes too late), $1M of cash to spare 3.

    At work at once, a MW would earn two quarters more. Doing nothing buys nothing.
    """
    cost = 5 * NEW_TH_PER_MW / 1e6
    per_mw = worth(MINING, {t: new_margin(t, 50) for t in range(2, 6)}) - cost * discount(MINING, 0)
    assert per_mw > 0
    plan = check(buying_case(**money), mw * per_mw)
    assert cash_line(plan, "machine_purchases") == pytest.approx({0: -mw * cost})
    assert installed(plan) == pytest.approx([0, 0, mw, mw, mw, mw])
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(0)


def test_machines_in_stock_work_in_the_quarter_they_are_paid() -> None:
    """Delivered at once, 30 MW work in all six quarters."""
    cost = 5 * NEW_TH_PER_MW / 1e6
    per_mw = worth(MINING, {t: new_margin(t, 50) for t in range(6)}) - cost * discount(MINING, 0)
    plan = check(buying_case(delivery_quarters=0), 30 * per_mw)
    assert installed(plan) == pytest.approx([30] * 6)


def test_a_machine_bought_at_once_may_be_sent_on_at_once() -> None:
    """Hashprice $15 in quarter 0, $50 after: priced at their quarter's, machines cost $1.50 per TH then and would run
    at a loss. Bought and sent on in the same quarter for $0.001M per MW, they pay no upkeep ($0.0125M) and stand in
    the north from quarter 1 on.

    Were they to stand first, the plan would be worth $0.3M less.
    """
    assert north_margin(0, 15) == -NORTH_UPKEEP < -0.001
    cost = 1.5 * NEW_TH_PER_MW / 1e6
    per_mw = worth(MINING, {t: new_margin(t, 50) for t in range(1, 6)}) - (cost + 0.001) * discount(MINING, 0)
    case = buying_case([15, 50, 50, 50, 50, 50], delivery_quarters=0, moving_cost=0.001, market_looks_ahead_quarters=1)
    plan = check(case, 30 * per_mw)
    assert installed(plan) == pytest.approx([0, 30, 30, 30, 30, 30])


def test_the_purchase_price_follows_hashprice_but_does_not_decline() -> None:
    """Hashprice $100 in quarter 0 and the reference of $50 after: at their quarter's hashprice $10 per TH at first, $5
    in quarter 1. Machines are bought in quarter 1 and work from quarter 3 on.

    At a price that does not follow, they would be bought in quarter 0; with the yearly decline of resale prices (50%)
    the price would fall by 16% a quarter.
    """
    hashprices = [100, 50, 50, 50, 50, 50]
    per_mw = []
    for t in (0, 1, 2):
        cost = 5 * hashprices[t] / 50 * NEW_TH_PER_MW / 1e6
        per_mw.append(worth(MINING, {k: new_margin(k, 50) for k in range(t + 2, 6)}) - cost * discount(MINING, t))
    assert max(per_mw) == per_mw[1] > 0
    check(buying_case(hashprices, market_looks_ahead_quarters=1), 30 * per_mw[1])


@pytest.mark.parametrize(("retires_after", "quarters"), [(q(4), 3), (q(1), 0)])
def test_machines_arrive_only_while_their_class_is_fit(retires_after: str, quarters: int) -> None:
    """Fit through quarter 4, new machines work in quarters 2 to 4; fit through quarter 1, none is bought."""
    cost = 5 * NEW_TH_PER_MW / 1e6 * discount(MINING, 0)
    per_mw = worth(MINING, {t: new_margin(t, 50) for t in range(2, 2 + quarters)}) - cost if quarters else 0
    assert per_mw >= 0
    check(buying_case(retires_after=retires_after), 30 * per_mw)


def test_purchases_and_halls_share_one_budget() -> None:
    """$26M: the hall takes $24M and $2M are left for 6 MW of new machines; 18 MW of grid are left beside the hall.

    With purchases outside the budget 18 MW would be bought.
    """
    cost = 5 * NEW_TH_PER_MW / 1e6
    per_mw = worth(MINING, {t: new_margin(t, 50) for t in range(2, 6)}) - cost * discount(MINING, 0)
    lease = {"offer": "lease", "customer": "Ada", "product": "colo", "min_it_mw": 8, "max_it_mw": 8}
    lease |= {"window_first": q(2), "window_last": q(2), "term_quarters": 20, "escalator": 0}
    lease |= {"price_base_quarter": None, "power_passed_through": True, "operating_cost_share": 0.1}
    lease |= {"load_factor": 0.9, "ramp": "at once", "utilisation": None, "exclusive_group": None}
    offers = {
        "offers": [lease],
        "offer_prices": [{"scenario": "base", "offer": "lease", "price": 200, "price_basis": "usd_per_kw_month"}],
        "offer_sites": [{"offer": "lease", "site": "north"}],
    }
    check(buying_case(capex_budget_musd=26, **offers), PROJECT + 6 * per_mw)


# ---- power -----------------------------------------------------------------------------------------


def plant_hours(quarter: int) -> float:
    """95% uptime; what the utility curtails does not bind a plant."""
    return run_hours(quarter) + 52


def plant_musd(quarter: int, hashprice: float, cost: float) -> float:
    """Margin of a gross MW on the plant before upkeep."""
    return (
        revenue_musd(quarter, hashprice) * plant_hours(quarter) / run_hours(quarter) - plant_hours(quarter) * cost / 1e6
    )


def plant_rows(cost: float, capacity: float = 5) -> list[dict[str, object]]:
    row = {"scenario": "base", "site": "north", "capacity_mw": capacity, "cost_usd_per_mwh": cost}
    return [row | {"quarter": q(t)} for t in range(6)]


@pytest.mark.parametrize("cost", [10, 60])
def test_an_own_plant_feeds_machines_up_to_its_capacity(cost: float) -> None:
    """5 MW of plant at $10 per MWh. A MW of machines draws power in 2,052 of 2,160 hours, the 52 curtailed ones among
    them, so the plant feeds 5.26 MW. They pay no grid energy and no demand charge and earn nothing for being
    interruptible. At a hashprice of $12 (quarter 1) the grid's machines stand still and the plant's run. At $60 per
    MWh the plant is of no use when the grid is cheaper.

    Capacity counted in installed MW would feed 5; the demand charge of $6,000 charged on, or the $1,000 paid on, are
    other numbers.
    """
    hashprices = [60, 12, 60, 60, 60, 60]
    value = 0.0
    for t, hashprice in enumerate(hashprices):
        grid = max(mining_musd(t, hashprice, 40), 0)
        plant, fed = plant_musd(t, hashprice, cost), 5 / 0.95
        assert (plant > grid) == (cost == 10)
        value += (20 * (grid - NORTH_UPKEEP) + fed * max(plant - grid, 0)) * discount(MINING, t)
    assert mining_musd(1, 12, 40) < 0
    case = hand_case(
        own_plants=plant_rows(cost),
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        bitcoin={"hashprice_usd_per_ph_day": hashprices},
        **NO_OFFERS,
    )
    check(case, value)


def test_a_plant_does_not_feed_machines_after_mining_has_ended() -> None:
    """Mining ends with quarter 2: 3 MW of machines on a plant of 5 MW at $10 run in quarters 0 to 2."""
    case = hand_case(
        own_plants=plant_rows(10),
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 3}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        mining_ends=q(2),
        **NO_OFFERS,
    )
    per_mw = {t: plant_musd(t, 60, 10) - NORTH_UPKEEP for t in range(3)}
    check(case, 3 * worth(MINING, per_mw))


@pytest.mark.parametrize(("start", "steps"), [(q(1), [0, 0, 0, 0, 0, 1, 1, 1]), ("2026Q1", [1] * 4 + [2] * 4)])
def test_a_power_escalator_raises_energy_every_four_quarters(start: str, steps: list[int]) -> None:
    """10% a year from 2027Q2: $40 until 2028Q1, $44 from 2028Q2 on. From 2026Q1: $44 in 2027 and $48.40 in 2028.

    Raised in the first quarter already, or by a quarter's share each quarter, power would cost more; a demand charge
    that rises too would be $600 per MW-quarter more.
    """
    case = hand_case(
        quarters=8,
        power_escalators=[{"tariff": "north", "from_quarter": start, "yearly_rise": 0.1}],
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        **NO_OFFERS,
    )
    check(case, 20 * worth(MINING, {t: north_margin(t, 60, 40 * 1.1**step) for t, step in enumerate(steps)}))


def test_after_the_horizon_power_stays_at_the_last_escalated_price() -> None:
    """A lease that pays its own power, from quarter 2 for 12 quarters; 10% a year from 2027Q1: $40 to quarter 3, $44
    in quarters 4 and 5, and $44 in the eight quarters after the horizon, where a rise going on would cost $48.40.
    """
    case = lease_case(
        {"term_quarters": 12, "power_passed_through": False},
        power_escalators=[{"tariff": "north", "from_quarter": q(0), "yearly_rise": 0.1}],
    )
    power = {t: own_power(t, energy=40 if t < 4 else 44) for t in range(2, 14)}
    expected = rents(4.8, 2, 12) - hall() - worth(0.10, power)
    assert expected > 0
    check(case, expected)


def test_less_than_one_btc_has_its_cost_too() -> None:
    """0.05 MW at $60 per PH-day mine about half a BTC in six quarters."""
    fleet = [{"site": "north", "asic": "miner", "gross_mw": 0.05}]
    case = hand_case(fleet=fleet, bitcoin={"hashprice_usd_per_ph_day": 60}, **NO_OFFERS)
    btc = sum(0.05 * revenue_musd(t, 60) * 1e6 / 100_000 for t in range(6))
    direct = sum(0.05 * (run_hours(t) * 40 + 6000 - 1000) for t in range(6))
    plan = check(case, in_the_north(0.05, 0, 5, 60))
    assert 0.1 < btc < 1
    assert plan.kpis["direct_cash_cost_usd_per_btc"] == pytest.approx(direct / btc)


def test_steps_of_the_grid_count_by_their_quarters_not_by_their_rows() -> None:
    """The north's 30 MW fall to 10 in quarter 2; the later step stands first in the table."""
    steps = [("north", 2, 10), ("south", 0, 20), ("north", 0, 30)]
    case = hand_case(
        site_limits=[{"site": site, "from_quarter": q(t), "limit_gross_mw": mw} for site, t, mw in steps],
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 30}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        **NO_OFFERS,
    )
    check(case, in_the_north(30, 0, 1, 60) + in_the_north(10, 2, 5, 60))


def test_cash_cost_per_btc_direct_and_total() -> None:
    """20 MW at $60 per PH-day and BTC at $100,000, 5.26 of them on a plant of 5 MW at $10 per MWh, G&A of $0.4M.
    Direct: grid energy and demand, plant power, less interruptible income. Total: with upkeep and G&A. Both over the
    BTC mined, net of the pool.

    Leaving out the plant's power or adding the demand charge to the plant's machines gives other costs.
    """
    case = hand_case(
        own_plants=plant_rows(10),
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        overheads={"g_and_a_musd": 0.4},
        **NO_OFFERS,
    )
    value, costs = 0.0, []
    for t in range(6):
        fed = 5 / 0.95
        revenue = (20 - fed + fed * plant_hours(t) / run_hours(t)) * revenue_musd(t, 60)
        grid = (20 - fed) * (run_hours(t) * 40 + 6000 - 1000) / 1e6
        direct = grid + fed * plant_hours(t) * 10 / 1e6
        total = direct + 20 * NORTH_UPKEEP + 0.4
        btc = revenue * 1e6 / 100_000
        costs.append((btc, direct * 1e6 / btc, total * 1e6 / btc))
        value += (revenue - direct - 20 * NORTH_UPKEEP) * discount(MINING, t) - 0.4 * discount(0.08, t)
    plan = check(case, value)
    columns = ["btc_mined", "direct_cash_cost_usd_per_btc", "total_cash_cost_usd_per_btc"]
    found = plan.tables["mining"][columns].to_numpy().tolist()
    assert found == [pytest.approx(row) for row in costs]
