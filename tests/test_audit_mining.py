"""The accountant's sums about machines, by hand, and a plan of a fleet that breaks each of their rules.

`fleet_case` has everything that machines can do: a class that can be bought, moved and sold, one that only retires, a
plant beside the north, power that rises by the year, hashprice from the network with a halving on the way.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hand_books import broken as not_clean
from hand_books import written
from hand_cases import HOURS, NO_OFFERS, Row, asic, hand_case, machine_market, q, revenue_musd, run_hours

import optimizer as opt
from optimizer.auditors import audit, machines, mining, ratchets, sites
from optimizer.auditors.books import Books, exact
from optimizer.auditors.hashprice import hashprice, subsidy_btc
from optimizer.auditors.inputs import Inputs
from optimizer.auditors.machines import fit_until, opening_gross_mw, purchase_musd, resale_musd
from optimizer.auditors.mining import MiningQuarter, fleet, last_mining_quarter, per_mw, summed
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter
from optimizer.plan.plan import Plan

Q = Quarter.parse


def inputs(case: Case) -> Inputs:
    return Inputs(case, "base")


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


# ---- hash ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("halvings", "quarter", "expected"),
    [
        ([], 5, 3.125),
        (["2028-04-12"], 4, 3.125),
        (["2028-04-12"], 5, (11 * 3.125 + 80 * 3.125 / 2) / 91),
        (["2028-04-01"], 5, 3.125 / 2),
        (["2028-06-30"], 5, (90 * 3.125 + 3.125 / 2) / 91),
        (["2026-04-12", "2028-05-01"], 5, (30 * 3.125 / 2 + 61 * 3.125 / 4) / 91),
    ],
)
def test_the_subsidy_halves_on_its_day(halvings: list[str], quarter: int, expected: float) -> None:
    """2028Q2 has 91 days, 11 of them before April 12th; a quarter 5 of the horizon."""
    with exact():
        assert float(subsidy_btc(inputs(hand_case(halvings=halvings)), Q(q(quarter)))) == near(expected)


def test_hashprice_is_reward_over_difficulty() -> None:
    """A PH/s makes 10^15 hashes a second, a block takes difficulty x 2^32 of them; 3.125 + 0.1 BTC at $90,000."""
    network = {"hashprice_usd_per_ph_day": None, "difficulty_t": 120, "fees_btc_per_block": 0.1, "btc_usd": 90_000}
    expected = 1e15 * 86_400 / (120e12 * 2**32) * 3.225 * 90_000
    with exact():
        assert float(hashprice(inputs(hand_case(bitcoin=network)), Q(q(0)))) == near(expected)


@pytest.mark.parametrize(
    ("columns", "end"),
    [
        ({}, None),
        ({"retires_after": q(3)}, q(3)),
        ({"bought": q(1), "life_quarters": 2}, q(2)),
        ({"bought": q(1), "life_quarters": 2, "retires_after": q(1)}, q(1)),
    ],
)
def test_a_class_is_fit_to_the_earlier_of_two_ends(columns: Row, end: str | None) -> None:
    found = fit_until(hand_case(asics=[asic(**columns)]).asics[0])
    assert (None if found is None else str(found)) == end


def test_units_draw_what_their_hash_takes() -> None:
    """1,000 machines of 200 TH at 20 J/TH draw 4 MW, and 4% more at the meter."""
    units = [{"site": "north", "asic": "miner", "gross_mw": None, "units": 1000}]
    case = hand_case(asics=[asic(th_per_unit=200)], fleet=units)
    with exact():
        assert opening_gross_mw(inputs(case), "north", case.asics[0]) == Decimal("4.16")
        assert opening_gross_mw(inputs(case), "south", case.asics[0]) == 0


def test_prices_of_machines_follow_hashprice_and_age() -> None:
    """A quarter of the reference hashprice with elasticity 0.5: half the price; two quarters of 19% a year: x 0.9."""
    columns = {"resale_usd_per_th": 8, "purchase_usd_per_th": 13, "elasticity": 0.5, "yearly_decline": 0.19}
    market = machine_market(reference_hashprice_usd_per_ph_day=200, **columns)
    case = hand_case(machine_markets=[market], bitcoin={"hashprice_usd_per_ph_day": 50})
    th = 1e6 / (20 * 1.04)
    with exact():
        assert float(resale_musd(inputs(case), case.asics[0], Q(q(2)))) == near(8 * 0.5 * 0.9 * th / 1e6)
        assert float(purchase_musd(inputs(case), case.asics[0], Q(q(2)))) == near(13 * 0.5 * th / 1e6)
        assert resale_musd(inputs(hand_case()), case.asics[0], Q(q(2))) == 0


@pytest.mark.parametrize(
    ("ahead", "mean"), [(1, 40), (2, 50), (4, (40 + 60 + 80 + 80) / 4), (8, (40 + 60 + 6 * 80) / 8)]
)
def test_machines_are_priced_by_the_hashprice_to_come(ahead: int, mean: float) -> None:
    """Hashprice of 40 in quarter 3, 60 in 4, 80 in 5 and after: a buyer who looks ahead pays for what comes."""
    market = machine_market(resale_usd_per_th=8, purchase_usd_per_th=13, elasticity=1, yearly_decline=0.19)
    path = {"hashprice_usd_per_ph_day": [90, 90, 90, 40, 60, 80]}
    case = hand_case(machine_markets=[market], bitcoin=path, market_looks_ahead_quarters=ahead)
    th = 1e6 / (20 * 1.04) / 1e6
    with exact():
        assert float(purchase_musd(inputs(case), case.asics[0], Q(q(3)))) == near(13 * mean / 50 * th)
        assert float(resale_musd(inputs(case), case.asics[0], Q(q(3)))) == near(8 * 0.81**0.75 * mean / 50 * th)


def test_a_price_without_elasticity_ignores_a_hashprice_of_nothing() -> None:
    case = hand_case(machine_markets=[machine_market()], bitcoin={"hashprice_usd_per_ph_day": 0})
    with exact():
        assert float(resale_musd(inputs(case), case.asics[0], Q(q(0)))) == near(0.5 / (20 * 1.04))


def test_a_megawatt_earns_and_pays_by_the_hours_it_runs() -> None:
    """95% of 2,160 hours less 52, $60 a PH and day, $40 a MWh, $2 per kW-month, $4,000 a MW-year; a plant at $21.

    What the utility curtails stands still on the grid alone: on the plant a machine runs all 2,052 hours.
    """
    plant = [
        {"scenario": "base", "site": "north", "quarter": q(t), "capacity_mw": 3, "cost_usd_per_mwh": 21}
        for t in range(6)
    ]
    case = hand_case(bitcoin={"hashprice_usd_per_ph_day": 60}, own_plants=plant)
    with exact():
        found = per_mw(inputs(case), "north", "miner", Q(q(0)))
    assert float(found.grid_revenue) == near(revenue_musd(0, 60))
    assert float(found.grid_power) == near((run_hours(0) * 40 + 6000) / 1e6)
    assert float(found.plant_revenue) == near(revenue_musd(0, 60) * 2052 / run_hours(0))
    assert float(found.plant_power) == near(2052 * 21 / 1e6)
    assert float(found.interruptible) == near(0.001)
    assert float(found.site_cost) == near(0.0125)
    assert float(found.share_of_hours) == near(0.95)


def test_power_rises_by_the_year_after_its_quarter() -> None:
    rise = [{"tariff": "north", "from_quarter": q(0), "yearly_rise": 0.1}]
    with exact():
        there = inputs(hand_case(power_escalators=rise))
        prices = [float(there.energy_usd_per_mwh("north", Q(q(t)))) for t in (0, 3, 4, 5, 9)]
    assert prices == near([40, 40, 44, 44, 44])


def test_mining_ends_with_the_company_or_the_site() -> None:
    ends = {"mining_ends": [q(4), None]}
    case = inputs(hand_case(mining_ends=q(3), sites=ends))
    assert (last_mining_quarter(case, "north"), last_mining_quarter(case, "south")) == (Q(q(3)), Q(q(3)))
    assert last_mining_quarter(inputs(hand_case(sites=ends)), "north") == Q(q(4))
    assert last_mining_quarter(inputs(hand_case(sites=ends)), "south") is None


# ---- power by the hour -----------------------------------------------------------------------------------------


def steps(*rows: tuple[float, float]) -> list[Row]:
    """Shares of each quarter's hours in the north with their prices."""
    return [
        {"scenario": "base", "tariff": "north", "quarter": q(t), "step": step, "hours_share": share}
        | {"energy_usd_per_mwh": price}
        for t in range(6)
        for step, (share, price) in enumerate(rows, start=1)
    ]


EARNED = 60 * 1000 / (20 * 1.04) / 24 * 0.98
"""$ that a gross MW mines in an hour at $60 per PH and day: 117.788."""


def stepped(*rows: tuple[float, float], curtailed: float = 0, **changes: Any) -> Case:
    mean = sum(share * price for share, price in rows)
    tariffs = {"energy_usd_per_mwh": [mean] * 6 + [50] * 6, "curtailed_hours": curtailed}
    hash_ = {"hashprice_usd_per_ph_day": 60}
    return hand_case(price_steps=steps(*rows), tariffs=tariffs, bitcoin=hash_, **changes)


def test_a_class_runs_in_the_hours_that_pay_and_curtailment_takes_the_dearest_first() -> None:
    """2,052 hours wanted: a tenth at $300, half at $90, the rest at $20. 300 hours curtailed: all of the dear 205.2,
    and 94.8 of the 1,026 in the middle. A megawatt mines $117.8 an hour, so it would leave the dear ones anyway.
    """
    rows = ((0.5, 90), (0.1, 300), (0.4, 20))
    with exact():
        found = per_mw(inputs(stepped(*rows, curtailed=300)), "north", "miner", Q(q(0)))
        free = per_mw(inputs(stepped(*rows)), "north", "miner", Q(q(0)))
        part = per_mw(inputs(stepped(*rows, curtailed=100)), "north", "miner", Q(q(0)))
    middle, cheap = 1026 - 94.8, 820.8
    assert float(found.grid_revenue) == near((middle + cheap) * EARNED / 1e6)
    assert float(found.grid_power) == near((middle * 90 + cheap * 20 + 6000) / 1e6)
    assert float(free.grid_revenue) == float(part.grid_revenue) == near((1026 + cheap) * EARNED / 1e6)
    assert float(free.plant_revenue) == near(2052 * EARNED / 1e6)


def test_steps_rise_as_their_tariff_does_and_others_pay_the_mean() -> None:
    """Prices 10% higher from quarter 4 on: $110 still pays and $121 does not. AI load pays $60, then $66."""
    rise = [{"tariff": "north", "from_quarter": q(0), "yearly_rise": 0.1}]
    case = stepped((0.5, 10), (0.5, 110), power_escalators=rise)
    with exact():
        there = inputs(case)
        hours = [float(per_mw(there, "north", "miner", Q(q(t))).grid_revenue) / EARNED * 1e6 for t in (3, 4)]
        ai = [float(there.energy_usd_per_mwh("north", Q(q(t)))) for t in (3, 4)]
    assert hours == near([0.95 * HOURS[3], 0.5 * 0.95 * HOURS[4]])
    assert ai == near([60, 66])


def runs(case: Case, running: float, **columns: Any) -> set[str]:
    """Rules broken by a quarter in which so much of 25 gross MW in the north runs."""
    place = {"site": "north", "quarter": q(0), "detail": "miner"}
    uses = [("mining", running), ("machines_idle", 25 - running)]
    rows = [place | {"use": use, "gross_mw": mw} for use, mw in uses if mw]
    rules = {"runs_where_it_pays", "wind_down", "own_plant_machines"}
    with exact():
        return not_clean(mining.checks(written(case, allocation=rows))) & rules


@pytest.mark.parametrize(
    ("rows", "pays"),
    [
        (((0.5, 90), (0.5, 20)), True),
        (((0.97, 500), (0.03, 20)), True),
        (((0.97, 500), (0.03, 40)), False),
        (((1, 114),), True),
        (((1, 116),), False),
    ],
)
def test_the_steps_that_pay_must_pay_the_demand_charge(rows: tuple[tuple[float, float], ...], pays: bool) -> None:
    """$6,000 of demand less $1,000 for being interruptible: 61.6 hours of $97.8 earn it, of $77.8 they do not; 2,052
    hours of $3.8 do, of $1.8 do not. The mean of 500 and 20 is far above what a megawatt mines.
    """
    case = stepped(*rows)
    assert runs(case, 25) == (set() if pays else {"runs_where_it_pays"})
    assert runs(case, 0) == (set() if not pays else {"runs_where_it_pays"})


# ---- demand that is remembered ---------------------------------------------------------------------------------


def ratchet(share: float = 0.8, quarters: int = 2, before: float = 10) -> list[Row]:
    row: Row = {"site": "north", "ratchet_share": share, "ratchet_quarters": quarters}
    return [row | {"highest_before_gross_mw": before}]


def machines_at(*megawatts: float, site: str = "north") -> list[Row]:
    row: Row = {"site": site, "use": "mining", "detail": "miner"}
    return [row | {"quarter": q(t), "gross_mw": mw} for t, mw in enumerate(megawatts)]


def test_demand_is_billed_on_a_share_of_the_highest_of_the_quarters_before() -> None:
    """80% of the highest of the two quarters before: of 10 before the horizon 8, then of 10 again, of 20 in quarter 2
    for two quarters, then of 6. Each MW of demand costs $6,000 a quarter; a careless memory keeps 20 for good.
    """
    case = hand_case(ratchets=ratchet())
    drawn = [5, 20, 6, 6, 0, 0]
    above = [8 - 5, 0, 16 - 6, 16 - 6, 4.8, 4.8]
    books = written(case, allocation=machines_at(*drawn))
    with exact():
        found = {t - case.first: float(musd) for (_, t), musd in ratchets.billed_above_musd(books).items()}
        mining.record(books)
    assert found == near({t: mw * 0.006 for t, mw in enumerate(above) if mw})
    billed = {f.quarter - case.first: float(f.musd) for f in books.flows if f.source == "north"}
    assert billed == near({t: -mw * 0.006 for t, mw in enumerate(above) if mw})
    assert {(f.line, f.business, f.site) for f in books.flows if f.source == "north"} == {
        ("mining_power", "mining", "north")
    }
    with exact():
        direct = summed(books, fleet(books))[Q(q(4))].direct_musd
    assert float(direct) == near(4.8 * 0.006)


def test_ai_load_and_the_grid_count_for_demand_a_plant_does_not() -> None:
    """10 MW of machines, 4 of them on the plant, and 5 IT MW sold at a PUE of 1.2: 12 MW at the meter."""
    case = hand_case(ratchets=ratchet(before=0))
    plant: list[Row] = [{"site": "north", "asic": "miner", "quarter": q(1), "on_own_plant_gross_mw": 4.0}]
    sold: list[Row] = [{"site": "north", "product": "colo", "quarter": q(1), "market_it_mw": 5.0}]
    books = written(case, allocation=machines_at(0, 10), own_plants=plant, capacity=sold)
    with exact():
        assert float(ratchets.metered_mw(books)["north", Q(q(1))]) == near(6 + 6)
        above = {t - case.first: float(musd) for (_, t), musd in ratchets.billed_above_musd(books).items()}
    assert above == near({2: 9.6 * 0.006, 3: 9.6 * 0.006})


def test_a_contract_counts_for_demand_whoever_pays_for_its_power() -> None:
    """8 IT MW from quarter 2 at a PUE of 1.2, its power passed through: 9.6 MW to the horizon's end."""
    case = hand_case(ratchets=ratchet(before=0))
    lease: Row = {"offer": "lease", "customer": "Ada", "product": "colo", "site": "north", "it_mw": 8.0}
    lease |= {"delivery_quarter": q(2), "decided": "new"}
    with exact():
        drawn = ratchets.metered_mw(written(case, contracts=[lease]))
    assert {t - case.first: float(mw) for (_, t), mw in drawn.items() if mw} == near(dict.fromkeys(range(2, 6), 9.6))


def test_running_is_a_decision_where_demand_is_remembered() -> None:
    """Machines that pay may stand, and machines that do not may run, but never past the end of mining."""
    for price, pays in ((20, True), (200, False)):
        case = stepped((1, price))
        assert runs(case, 10) == {"runs_where_it_pays"}
        assert runs(case, 25 if pays else 0) == set()
        assert runs(case.replace(ratchets=ratchet()), 10) == set()
    assert "wind_down" in runs(case.replace(ratchets=ratchet(), mining_ends="2026Q4"), 10)


# ---- shared limits ---------------------------------------------------------------------------------------------


def test_sites_of_a_group_never_draw_more_than_their_limit_together() -> None:
    """45 gross MW of machines in both; the feeder carries 45 and from quarter 3 on 44.9."""
    limits = [{"group": "feeder", "from_quarter": q(t), "limit_gross_mw": mw} for t, mw in ((0, 45), (3, 44.9))]
    groups = [{"group": "feeder", "site": site} for site in ("north", "south")]
    case = hand_case(grid_groups=groups, grid_group_limits=limits)
    allocation = [*machines_at(*[27.0] * 6), *machines_at(*[18.0] * 6, site="south")]
    with exact():
        found = {check.name: check for check in sites.checks(written(case, allocation=allocation))}
    assert [breach.where for breach in found["grid_groups"].breaches] == [f"feeder in {q(t)}" for t in (3, 4, 5)]
    assert found["grid_groups"].binds == {"feeder": [Q(q(t)) for t in range(3)]}


def sold_and_scrapped(most: float | None, north: float, south: float, scrapped: float) -> set[str]:
    row: Row = {"asic": "miner", "quarter": q(1), "bought_gross_mw": 0.0, "arrived_gross_mw": 0.0}
    row |= {"moved_away_gross_mw": 0.0}
    rows = [
        row | {"site": "north", "sold_gross_mw": north, "retired_gross_mw": scrapped},
        row | {"site": "south", "sold_gross_mw": south, "retired_gross_mw": 0.0},
    ]
    case = hand_case(machine_markets=[machine_market(max_sales_mw_per_quarter=most)])
    with exact():
        found = not_clean(machines.checks(written(case, machines=rows)))
    return found & {"machine_sales", "machine_sales_per_quarter"}


def test_a_market_takes_so_many_machines_in_a_quarter_and_the_rest_may_be_scrapped() -> None:
    assert sold_and_scrapped(7, 4, 3, 2) == set()
    assert sold_and_scrapped(7, 4, 3.1, 0) == {"machine_sales_per_quarter"}
    assert sold_and_scrapped(None, 4, 3.1, 0) == set()
    assert sold_and_scrapped(None, 4, 3, 2) == {"machine_sales"}


# ---- a fleet ---------------------------------------------------------------------------------------------------


def plants(capacity_mw: float = 6) -> list[Row]:
    row = {"scenario": "base", "site": "north", "capacity_mw": capacity_mw, "cost_usd_per_mwh": 20}
    return [row | {"quarter": q(t)} for t in range(6)]


def markets(**columns: Any) -> list[Row]:
    row = machine_market(purchase_usd_per_th=4, moving_cost_musd_per_gross_mw=0.01, delivery_quarters=1, elasticity=0.3)
    return [row | columns]


def fleet_case(**changes: Any) -> Case:
    machines = [{"site": "north", "asic": "miner", "gross_mw": 9}, {"site": "north", "asic": "old", "gross_mw": 5.5}]
    network = {"hashprice_usd_per_ph_day": None, "difficulty_t": 100, "fees_btc_per_block": 0.1}
    tables: dict[str, Any] = NO_OFFERS | {
        "asics": [asic(residual_usd_per_th=3), asic("old", joules_per_th=34, retires_after=q(3))],
        "fleet": machines,
        "machine_markets": markets(),
        "own_plants": plants(),
        "bitcoin": network,
        "power_escalators": [{"tariff": "south", "from_quarter": q(0), "yearly_rise": 0.07}],
        "tariffs": {"energy_usd_per_mwh": [70] * 6 + [30] * 6},
        "overheads": {"g_and_a_musd": 0.3},
        "site_limits": [
            {"site": site, "from_quarter": q(t), "limit_gross_mw": mw}
            for site, t, mw in (("north", 0, 30), ("north", 2, 7), ("north", 4, 6.8), ("south", 0, 6), ("south", 2, 9))
        ],
        "btc_held": 7,
    }
    return hand_case(halvings=["2028-02-10"], capex_budget_musd=1.5, btc_rule="free", **(tables | changes))


@pytest.fixture(scope="module")
def mined() -> tuple[Case, Plan]:
    case = fleet_case()
    return case, opt.solve(case)


def broken(case: Case, plan: Plan) -> set[str]:
    report = audit(case, plan)
    return {check.name for check in (*report.checks, *report.nothing) if not check.clean}


def altered(plan: Plan, table: str, **columns: Any) -> Plan:
    """The plan with some cells of a table's first row changed."""
    changed = plan.tables[table].astype(object)
    for column, value in columns.items():
        changed.loc[changed.index[0], column] = value
    return replace(plan, tables={**plan.tables, table: changed})


def test_the_fleet_plan_buys_moves_sells_retires_and_passes(mined: tuple[Case, Plan]) -> None:
    case, plan = mined
    assert broken(case, plan) == set()
    moved = plan.machines.filter(like="gross_mw").sum()
    assert (moved > 0).all(), moved.to_dict()
    assert len(plan.own_plants) and {"mining", "machines_idle"} <= {
        *plan.nothing["allocation"]["use"],
        *plan.allocation["use"],
    }


def test_the_quarters_add_up_their_machines(mined: tuple[Case, Plan]) -> None:
    """What the table of mining tells of a quarter, from the statement's own lines."""
    case, plan = mined
    with exact():
        books = Books.of(plan, case)
        quarters = summed(books, fleet(books))
    lines = plan.cash_flow.pivot_table(index="quarter", columns="line", values="musd", aggfunc="sum").fillna(0)
    for quarter, now in quarters.items():
        row = lines.loc[str(quarter)]
        direct = -row["mining_power"] - row["interruptible_income"]
        assert float(now.direct_musd) == pytest.approx(direct, abs=1e-8)
        assert float(now.cash_musd) == pytest.approx(direct - row["mining_site_cost"], abs=1e-8)
        assert float(now.btc) == pytest.approx(row["mining_revenue"] / 0.1, abs=1e-7)


def test_a_quarter_without_machines_has_no_cost_of_a_btc() -> None:
    assert MiningQuarter().btc == 0 < MiningQuarter().btc_rounding


STRICTER: dict[str, dict[str, Any]] = {
    "wind_down": {"mining_ends": q(0)},
    "machine_lives": {"asics": [asic(residual_usd_per_th=3, retires_after=q(0)), asic("old", joules_per_th=34)]},
    "machine_moves": {"machine_markets": markets(moving_cost_musd_per_gross_mw=None)},
    "machine_purchases": {"machine_markets": markets(purchase_usd_per_th=None)},
    "machine_sales": {"machine_markets": [machine_market("old")]},
    "machines_roll_forward": {"machine_markets": markets(delivery_quarters=2)},
    "own_plant_capacity": {"own_plants": plants(5.9)},
    "runs_where_it_pays": {"tariffs": {"energy_usd_per_mwh": [10] * 6 + [300] * 6}},
    "btc_mined": {"sites": {"mining_cost_musd_per_gross_mw_year": 0.06}},
    "cost_of_btc": {"overheads": {"g_and_a_musd": 0.301}},
    "btc_roll_forward": {"btc_held": 7.1},
    "cash_flow_table": {"bitcoin": {"hashprice_usd_per_ph_day": None, "difficulty_t": 101, "fees_btc_per_block": 0.1}},
}


@pytest.mark.parametrize("rule", STRICTER)
def test_a_fleet_that_breaks_a_rule_is_told_which(mined: tuple[Case, Plan], rule: str) -> None:
    """The plan of one case against another one whose rule it does not keep."""
    assert rule in broken(fleet_case(**STRICTER[rule]), mined[1])


@pytest.mark.parametrize(
    ("rule", "table", "columns"),
    [
        ("machine_rows", "machines", {"sold_gross_mw": -1.0}),
        ("machines_roll_forward", "machines", {"sold_gross_mw": 0.01}),
        ("machines_on_their_way", "machines", {"arrived_gross_mw": 1.0}),
        ("own_plant_rows", "own_plants", {"site": "south"}),
        ("own_plant_machines", "own_plants", {"on_own_plant_gross_mw": 99.0}),
        ("own_plant_capacity", "own_plants", {"on_own_plant_gross_mw": 9.0}),
        ("mining_megawatts", "mining", {"installed_gross_mw": 1.0}),
        ("mining_megawatts", "mining", {"running_gross_mw": 1.0}),
        ("mining_megawatts", "mining", {"on_own_plant_gross_mw": 1.0}),
        ("btc_mined", "mining", {"btc_mined": 1.0}),
        ("btc_mined", "mining", {"mining_cash_cost_musd": 1.0}),
        ("cost_of_btc", "mining", {"direct_cash_cost_usd_per_btc": 50_000.0}),
        ("cost_of_btc", "mining", {"total_cash_cost_usd_per_btc": float("nan")}),
        ("btc_roll_forward", "btc", {"sold_btc": 1.0}),
        ("btc_market_value", "btc", {"market_value_musd": 1.0}),
    ],
)
def test_a_forged_number_of_mining_is_seen(
    mined: tuple[Case, Plan], rule: str, table: str, columns: dict[str, Any]
) -> None:
    case, plan = mined
    assert rule in broken(case, altered(plan, table, **columns))
