"""The accountant's sums about machines, by hand, and a plan of a fleet that breaks each of their rules.

`fleet_case` has everything that machines can do: a class that can be bought, moved and sold, one that only retires, a
plant beside the north, power that rises by the year, hashprice from the network with a halving on the way.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hand_cases import HOURS, NO_OFFERS, Row, asic, hand_case, machine_market, q, revenue_musd, run_hours

import optimizer as opt
from optimizer.auditors import audit
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
