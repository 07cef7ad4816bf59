"""Power solved by hand: price steps, curtailment, demand that is remembered, shared limits, and machines' prices ahead.

As in `test_hand_fleet`: north 30 gross MW, $40 per MWh, $2 per kW-month ($6,000 a MW-quarter) of demand; a machine is
20 J/TH with 4% of overhead, 48,077 TH per gross MW, so that a MWh earns hashprice x 48.077 / 24 x 0.98.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hand_cases import (
    HOURS,
    MINING,
    NO_OFFERS,
    NORTH_UPKEEP,
    SOUTH_UPKEEP,
    asic,
    cash_line,
    check,
    discount,
    every,
    hall,
    hand_case,
    lease_case,
    machine_market,
    mining_musd,
    q,
    rents,
    revenue_musd,
    run_hours,
    two_leases,
    worth,
)

import optimizer as opt
from optimizer.business.model import build_model, component
from optimizer.case.case import Case
from optimizer.case.market import mining_economics, resale_musd
from optimizer.ground.findings import InputError
from optimizer.ground.quarters import Quarter
from optimizer.plan.unused import reasons_of
from optimizer.questions.studies.limits import limits_of
from optimizer.questions.sweeps.drivers import driver_named
from optimizer.questions.sweeps.family import Family, compile_case
from optimizer.questions.sweeps.reading import mining_in
from optimizer.questions.sweeps.runner import Question, answer
from optimizer.solver import SolverOptions
from optimizer.solver.models import solve_model

TH_PER_MW = 1e6 / (20 * 1.04)
CHEAP, MIDDLE, DEAR = (0.6, 15), (0.3, 50), (0.1, 160)
STEPS = (CHEAP, MIDDLE, DEAR)
"""Shares of the hours and $/MWh: 9 + 15 + 16 = $40 on the mean, as the tariff says."""
PROJECT = rents(4.8, 2, 20) - hall()
FREE = {"mining_cost_musd_per_gross_mw_year": 0}
Row = dict[str, Any]


def usd_per_mwh(hashprice: float) -> float:
    return hashprice * TH_PER_MW / 1000 / 24 * 0.98


def step_rows(steps: tuple[tuple[float, float], ...] = STEPS, tariff: str = "north") -> list[Row]:
    return [
        {"scenario": "base", "tariff": tariff, "quarter": q(t), "step": i + 1, "hours_share": share,
         "energy_usd_per_mwh": price}
        for t in range(6) for i, (share, price) in enumerate(steps)
    ]  # fmt: skip


def tariff_columns(demand: float = 2, curtailed: float = 0, interruptible: float = 0) -> Row:
    return {"demand_usd_per_kw_month": demand, "curtailed_hours": curtailed,
            "interruptible_usd_per_mw_year": interruptible}  # fmt: skip


def miner_case(hashprice: float | list[float], mw: float = 20, **changes: Any) -> Case:
    fleet = [{"site": "north", "asic": "miner", "gross_mw": mw}]
    return hand_case(fleet=fleet, bitcoin={"hashprice_usd_per_ph_day": hashprice}, **(NO_OFFERS | changes))


def ratchet(share: float, quarters: int, before: float, site: str = "north") -> list[Row]:
    return [{"site": site, "ratchet_share": share, "ratchet_quarters": quarters, "highest_before_gross_mw": before}]


def running(plan: opt.Plan) -> list[float]:
    return [float(mw) for mw in plan.tables["mining"]["running_gross_mw"]]


def installed(plan: opt.Plan) -> list[float]:
    return [float(mw) for mw in plan.tables["mining"]["installed_gross_mw"]]


# ---- price steps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("demand", "interruptible", "runs"),
    [(9.0, 0, [1] * 6), (10.1, 0, [0, 0, 1, 1, 0, 0]), (10.1, 4000, [1] * 6)],
    ids=["worth its demand", "in long quarters", "tipped by interruptible income"],
)
def test_a_miner_runs_the_steps_that_pay_if_they_pay_the_demand_charge(
    demand: float, interruptible: float, runs: list[int]
) -> None:
    """At $20 per PH-day a MWh earns $39.26: the 60% of hours at $15 pay, those at $50 and $160 do not. A MW gains
    $24.26 in 0.6 x 0.95 of the hours: $29,872 in a quarter of 2,160, $30,204 of 2,184, $30,535 of 2,208. At $9 per
    kW-month it pays $27,000 for its demand and runs; at $10.10 $30,300, which only the quarters of 2,208 hours earn;
    with $4,000 a year for being interruptible ($1,000 a quarter) all do.

    At the mean price of $40 it would never run; run in all steps it would lose; demand charged for the hours that run
    would be 57% of it.
    """
    earned = usd_per_mwh(20)
    assert earned == pytest.approx(39.26, abs=0.01)
    quarters, btc, power = {}, [], {}
    for t in range(6):
        hours = 0.6 * 0.95 * HOURS[t]
        gain = hours * (earned - 15) + interruptible / 4 - demand * 3000
        assert (gain > 0) == runs[t]
        quarters[t] = 20 * max(gain, 0) / 1e6
        btc.append(20 * hours * earned / 100_000 * runs[t])
        power[t] = -20 * (hours * 15 + demand * 3000) / 1e6
    tariffs = tariff_columns(demand=demand, interruptible=interruptible)
    plan = check(miner_case(20, sites=FREE, tariffs=tariffs, price_steps=step_rows()), worth(MINING, quarters))
    assert running(plan) == pytest.approx([20.0 * on for on in runs])
    assert list(plan.tables["mining"]["btc_mined"]) == pytest.approx(btc)
    assert cash_line(plan, "mining_power") == pytest.approx({t: musd for t, musd in power.items() if runs[t]})


def test_curtailed_hours_are_taken_from_the_dearest_step() -> None:
    """300 hours are curtailed: all 0.1 x 0.95 of the quarter's at $160 (205.2 of 2,160) and the other 94.8 at $50. At
    $60 per PH-day a MWh earns $117.78: the steps at $15 and $50 run, the dearest would not have anyway.

    Taken from every step alike, or from the hours that run, 300 hours would be lost, not 94.8.
    """
    quarters, earned = {}, usd_per_mwh(60)
    for t in range(6):
        cheap, middle, dear = (share * 0.95 * HOURS[t] for share, _ in STEPS)
        middle -= 300 - dear
        quarters[t] = 20 * (cheap * (earned - 15) + middle * (earned - 50) - 6000) / 1e6
    case = miner_case(60, sites=FREE, tariffs=tariff_columns(curtailed=300), price_steps=step_rows())
    check(case, worth(MINING, quarters))


def test_a_class_for_which_no_step_pays_stands_ready_where_that_pays() -> None:
    """At $1 per PH-day a MWh earns $1.96 and no step pays. Being interruptible brings $40,000 a year, $10,000 a
    quarter, and demand costs $6,000: machines draw no power and earn the difference. They mine nothing.

    Run through, they would lose; idle, they would earn nothing.
    """
    case = miner_case(1, sites=FREE, tariffs=tariff_columns(interruptible=40_000), price_steps=step_rows())
    plan = check(case, worth(MINING, every(20 * 0.004, 0, 6)))
    assert list(plan.tables["mining"]["btc_mined"]) == pytest.approx([0.0] * 6)
    assert cash_line(plan, "mining_power") == pytest.approx(every(-20 * 0.006, 0, 6))


def test_a_flat_tariff_runs_the_whole_quarter_or_not_at_all() -> None:
    """The same $40,000 a year without steps: at $1 per PH-day the whole quarter would lose $38 a MWh, $77,000 a MW."""
    check(miner_case(1, sites=FREE, tariffs=tariff_columns(interruptible=40_000)), 0.0)


def test_an_escalator_raises_every_step() -> None:
    """Steps at $15, $38 and $196 ($40 on the mean), rising by 10% after four quarters: at a MWh of $39.26 the step
    at $38 pays in quarters 0 to 3, and at $41.80 no more; the step at $15 costs $16.50 then.

    Steps that do not rise with their tariff would run the second step to the end.
    """
    steps = ((0.6, 15), (0.3, 38), (0.1, 196))
    assert sum(share * price for share, price in steps) == pytest.approx(40)
    earned, quarters = usd_per_mwh(20), {}
    for t in range(6):
        rise = 1.1 if t >= 4 else 1.0
        gains = (share * max(earned - price * rise, 0) for share, price in steps)
        quarters[t] = 20 * (0.95 * HOURS[t] * sum(gains) - 6000) / 1e6
    rises = [{"tariff": "north", "from_quarter": q(0), "yearly_rise": 0.1}]
    case = miner_case(
        20, sites=FREE, tariffs=tariff_columns(), price_steps=step_rows(steps), power_escalators=rises
    )  # fmt: skip
    check(case, worth(MINING, quarters))


@pytest.mark.parametrize(
    ("steps", "why"),
    [(((0.6, 15), (0.3, 50), (0.1, 170)), "averages to 41"), (((0.6, 15), (0.3, 50)), "to 0.9 of the quarter")],
)
def test_steps_that_do_not_make_the_tariff_are_refused(steps: tuple[tuple[float, float], ...], why: str) -> None:
    """$41 on the mean is not the $40 at which AI load pays; nine tenths of the hours are not a quarter."""
    with pytest.raises(InputError, match=why):
        miner_case(20, price_steps=step_rows(steps))


def test_ai_load_pays_the_mean_of_all_steps() -> None:
    """8 IT MW that pay their power draw in every hour: 0.9 x 1.2 x hours x $40, and demand, whatever the steps."""
    pays: Row = {"power_passed_through": False}
    power = {t: (8 * 0.9 * 1.2 * HOURS[t] * 40 + 8 * 1.2 * 6000) / 1e6 for t in range(2, 22)}
    case = lease_case(pays, tariffs=tariff_columns(), price_steps=step_rows())
    check(case, PROJECT - worth(0.10, power))


# ---- a site's own plant ----------------------------------------------------------------------------------------------


def test_an_own_plant_runs_through_the_utilitys_curtailment() -> None:
    """900 hours are curtailed, at $45 per PH-day (a MWh of $88.34): 5 MW of machines on a plant of 6 MW at $30 run
    2,052 of 2,160 hours and earn $0.120M a MW; on the grid 1,152 hours would earn $0.050M after the demand charge.

    Curtailed on the plant too, they would mine for 1,152 hours: $0.067M.
    """
    plants = [
        {"scenario": "base", "site": "north", "quarter": q(t), "capacity_mw": 6, "cost_usd_per_mwh": 30}
        for t in range(6)
    ]  # fmt: skip
    earned = usd_per_mwh(45)
    quarters = {t: 5 * (0.95 * HOURS[t] * (earned - 30) / 1e6 - NORTH_UPKEEP) for t in range(6)}
    case = miner_case(45, 5, tariffs=tariff_columns(curtailed=900), own_plants=plants)
    plan = check(case, worth(MINING, quarters))
    mined = [5 * 0.95 * HOURS[t] * earned / 100_000 for t in range(6)]
    assert list(plan.tables["mining"]["btc_mined"]) == pytest.approx(mined)


# ---- demand that is remembered ---------------------------------------------------------------------------------------


def test_a_ratchet_bills_machines_that_have_left() -> None:
    """20 MW run in quarters 0 and 1 and retire; 80% of that demand is billed for three quarters more: 16 MW at $6,000
    in quarters 2 to 4.

    Without the memory the plan would be worth $0.25M more; with the quarter's own demand alone, nothing is billed.
    """
    machine = asic(retires_after=q(1))
    earned = {t: 20 * (mining_musd(t, 60, 40) - NORTH_UPKEEP) for t in (0, 1)}
    billed = every(-16 * 0.006, 2, 3)
    plan = check(miner_case(60, asics=[machine], ratchets=ratchet(0.8, 3, 0)), worth(MINING, earned | billed))
    assert {t: musd for t, musd in cash_line(plan, "mining_power").items() if t > 1} == pytest.approx(billed)


def test_a_quarter_that_pays_may_not_pay_for_its_memory() -> None:
    """At $20 per kW-month a MW gains $0.097M in quarter 0, $60,000 of demand paid, and then retires. 80% of it would be
    billed in four quarters more, $48,000 each: it does not run, and is given up at once.

    Run because its own quarter pays, it would lose $0.08M a MW.
    """
    gain = revenue_musd(0, 60) - (run_hours(0) * 40 + 60_000 - 1000) / 1e6
    assert 0 < gain * discount(MINING, 0) < worth(MINING, every(0.048, 1, 4))
    changes: Row = {"asics": [asic(retires_after=q(0))], "tariffs": {"demand_usd_per_kw_month": 20}}
    plan = check(miner_case(60, **changes, ratchets=ratchet(0.8, 4, 0)), 0.0)
    assert running(plan) == pytest.approx([0] * 6)
    assert check(miner_case(60, **changes), 20 * (gain - NORTH_UPKEEP) * discount(MINING, 0))


@pytest.mark.parametrize(("quarters", "last"), [(6, 5), (3, 2)])
def test_a_ratchet_remembers_demand_from_before_the_horizon(quarters: int, last: int) -> None:
    """90% of 30 MW is billed for as long as the quarters before the horizon are looked back at. At $20.50 per PH-day a
    MW earns $1,500 over its energy and not its demand of $6,000: it runs where that is billed anyway, and only where
    its own demand is never the one remembered, since 18 MW would be billed for it three quarters long.

    Run by the quarter's own margin, machines would stand idle; taken to be past any use, they would be gone; billed for
    20 MW and 27 MW both, demand would be paid twice.
    """
    earned = {t: 20 * (revenue_musd(t, 20.5) + (1000 - run_hours(t) * 40) / 1e6) for t in range(6)}
    assert all(0 < musd < 20 * 0.006 for musd in earned.values())
    runs = range(6) if quarters == 6 else range(0)
    value = worth(MINING, {t: earned[t] for t in runs}) - worth(MINING, every(27 * 0.006, 0, last + 1))
    case = miner_case(20.5, sites=FREE, ratchets=ratchet(0.9, quarters, 30))
    if quarters == 6:
        plan = check(case, value)
        assert running(plan) == pytest.approx([20] * 6)
    else:
        retiring = case.replace(asics=[asic(retires_after=q(2))])
        first_two = worth(MINING, {t: earned[t] for t in range(3)})
        remembered = worth(MINING, every(18 * 0.006, 3, 3))
        assert first_two < remembered
        check(retiring, value)


@pytest.mark.parametrize("at_market", [False, True])
def test_ai_load_is_demand_too(at_market: bool) -> None:
    """80% of 25 MW is billed in quarters 0 to 3. The lease draws 8 x 1.2 = 9.6 MW from quarter 2 on and passes its
    power through: of the 20 MW, 10.4 are left to us then. Sold at market instead, the same. From quarter 4 on 80% of
    9.6 is less than the 9.6 drawn.

    AI load left out, 20 MW would be ours throughout; without the PUE 12.
    """
    billed = {0: 20 * 0.006, 1: 20 * 0.006, 2: 10.4 * 0.006, 3: 10.4 * 0.006}
    if at_market:
        sold = dict.fromkeys(range(2, 6), 0.9 * 8 * 90 * 3000 / 1000000.0)
        paid = worth(0.10, sold) - hall(0.01 * 8)
        market = {"depth_it_mw": 8, "price": 90}
        cheap = {"facility_base_musd_per_it_mw": 0.01, "facility_low_musd_per_it_mw": 0.01}
        case = hand_case(fleet=[], product_markets=market, options=cheap | {"max_blocks": [1, 0]},
                         ratchets=ratchet(0.8, 4, 25), **NO_OFFERS)  # fmt: skip
        check(case, paid - worth(MINING, billed))
    else:
        check(lease_case(ratchets=ratchet(0.8, 4, 25)), PROJECT - worth(MINING, billed))


def test_a_lease_that_ends_is_remembered_on_the_mining_line() -> None:
    """A lease of two quarters draws 9.6 MW in quarters 2 and 3; half of it is billed in quarters 4 and 5, to us."""
    case = lease_case({"term_quarters": 2}, options={"facility_base_musd_per_it_mw": 0.01,
                      "facility_low_musd_per_it_mw": 0.01}, ratchets=ratchet(0.5, 2, 0))  # fmt: skip
    plan = check(case, rents(4.8, 2, 2) - hall(0.08) - worth(MINING, every(4.8 * 0.006, 4, 2)))
    assert cash_line(plan, "mining_power") == pytest.approx(every(-4.8 * 0.006, 4, 2))


# ---- a limit that sites share ----------------------------------------------------------------------------------------


def shared(*steps: tuple[int, float]) -> dict[str, list[Row]]:
    return {
        "grid_groups": [{"group": "feeder", "site": site} for site in ("north", "south")],
        "grid_group_limits": [
            {"group": "feeder", "from_quarter": q(t), "limit_gross_mw": limit} for t, limit in steps
        ],
    }  # fmt: skip


def test_sites_that_share_a_limit_draw_no_more_together() -> None:
    """North and south may draw 25 MW together, 20 from quarter 3 on. The hall takes 12 in the north from quarter 1 on;
    13 MW of machines are left room then, 8 from quarter 3. Power and upkeep are cheaper in the north: its 12 MW stay,
    later 8, and the south keeps 1 of its 13, later none.

    By their own limits of 30 and 20 MW all 25 MW would go on.
    """
    fleet = [{"site": site, "asic": "miner", "gross_mw": mw} for site, mw in (("north", 12), ("south", 13))]
    north = {t: mining_musd(t, 60, 40) - NORTH_UPKEEP for t in range(6)}
    south = {t: mining_musd(t, 60, 50) - SOUTH_UPKEEP for t in range(6)}
    mined = {t: (12 if t < 3 else 8) * north[t] for t in range(6)}
    also = {0: 13 * south[0], 1: south[1], 2: south[2]}
    case = lease_case(fleet=fleet, bitcoin={"hashprice_usd_per_ph_day": 60}, **shared((0, 25), (3, 20)))
    plan = check(case, PROJECT + worth(MINING, mined) + worth(MINING, also))
    assert installed(plan) == pytest.approx([25, 13, 13, 8, 8, 8])
    reasons = {reason.site: reason.words for reason in reasons_of(plan)}
    assert "shares with other sites is reached (feeder)" in reasons["south"]


def test_a_shared_limit_may_refuse_a_hall() -> None:
    """Of 18 MW shared the north's hall takes 12 and leaves 6 for the south's, which needs 7: one lease of the two is
    served, the dearer one. Apart, both would be.
    """
    leases = two_leases({"min_it_mw": 8}, {"min_it_mw": 5}, south_price=150)
    alone = hand_case(fleet=[], **leases)
    together = hand_case(fleet=[], **leases, **shared((0, 18)))
    assert opt.solve(alone).value_musd > opt.solve(together).value_musd + 1
    check(together, PROJECT)


# ---- machines' prices ahead ------------------------------------------------------------------------------------------


def known_halving(ahead: int) -> Case:
    """$60 per PH-day before a halving on the first day of quarter 3, which all know, and $30 after."""
    per_btc = 1e15 * 86_400 / (1e12 * 2**32) * 100_000
    market = {"hashprice_usd_per_ph_day": None, "difficulty_t": 3.125 * per_btc / 60, "fees_btc_per_block": 0}
    resale = machine_market(resale_usd_per_th=5, elasticity=1)
    case = miner_case(1, halvings=["2027-10-01"], machine_markets=[resale], market_looks_ahead_quarters=ahead)
    return case.replace(bitcoin=[row.model_copy(update=market) for row in case.bitcoin])


@pytest.mark.parametrize(
    ("ahead", "prices"),
    [(1, [6, 6, 6, 3, 3, 3]), (2, [6, 6, 4.5, 3, 3, 3]), (4, [5.25, 4.5, 3.75, 3, 3, 3])],
)
def test_a_halving_that_is_known_is_in_the_price_before_it_comes(ahead: int, prices: list[float]) -> None:
    """$5 per TH at the reference of $50. A buyer who looks four quarters ahead sees $52.50, 45, 37.50 and 30 on the
    mean; sold in the quarter before the halving or in that of it, machines differ by $0.75, not by $3. At one quarter
    ahead the price is the quarter's own and falls by half in a day.
    """
    case = known_halving(ahead)
    machine, market = case.asics[0], case.machine_markets[0]
    found = [resale_musd(case, "base", machine, market, t) * 1e6 / TH_PER_MW for t in case.horizon]
    assert found == pytest.approx(prices)
    hashprices = [60, 60, 60, 30, 30, 30]
    plans = []
    for sale in range(7):
        mined = {t: max(mining_musd(t, hashprices[t], 40), 0) - NORTH_UPKEEP for t in range(sale)}
        fetched = prices[sale] * TH_PER_MW / 1e6 * discount(MINING, sale) if sale < 6 else 0
        plans.append(worth(MINING, mined) + fetched)
    check(case, 20 * max(plans))


def test_quotes_after_the_horizon_price_no_machine() -> None:
    """The last quarter is priced at its own hashprice, whatever the table says of those that follow."""
    case = known_halving(8)
    more = [row.model_copy(update={"quarter": case.last + i, "difficulty_t": 1.0}) for i in (1, 2)
            for row in case.bitcoin[-1:]]  # fmt: skip
    longer = case.replace(bitcoin=[*case.bitcoin, *more])
    machine, market = case.asics[0], case.machine_markets[0]
    prices = [[resale_musd(c, "base", machine, market, t) for t in case.horizon] for c in (case, longer)]
    assert prices[0] == prices[1]


# ---- how many machines the market takes ------------------------------------------------------------------------------


@pytest.mark.parametrize(("resale", "sold", "scrapped"), [(1.0, [8, 8, 4], [0, 0, 0]), (0.5, [8, 8, 0], [4, 0, 0])])
def test_the_market_takes_only_so_many_machines_in_a_quarter(
    resale: float, sold: list[float], scrapped: list[float]
) -> None:
    """20 MW that earn nothing; the market takes 8 a quarter. At $1 per TH a MW fetches $0.048M and its upkeep is
    $0.0125M a quarter: it waits its turn. At $0.50, $0.024M is worth one quarter's wait and not two: the last 4 MW are
    scrapped at once.

    Without the cap all 20 would be sold at once; if nothing could be scrapped, the last 4 would wait at a loss.
    """
    per_mw = resale * TH_PER_MW / 1e6
    assert (per_mw * discount(MINING, 2) > worth(MINING, every(NORTH_UPKEEP, 0, 2))) == (resale == 1)
    kept = [20 - sum(sold[: t + 1]) - sum(scrapped[: t + 1]) for t in range(3)]
    flows = {t: sold[t] * per_mw - kept[t] * NORTH_UPKEEP for t in range(3)}
    market = machine_market(resale_usd_per_th=resale, max_sales_mw_per_quarter=8)
    plan = check(miner_case(1, machine_markets=[market]), worth(MINING, flows))
    table = plan.tables["machines"].set_index(plan.tables["machines"]["quarter"].astype(str))
    for column, amounts in (("sold_gross_mw", sold), ("retired_gross_mw", scrapped)):
        assert [float(table[column].get(q(t), 0.0)) for t in range(3)] == pytest.approx(amounts, abs=1e-9)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(plan.value_musd)


def test_scrapping_beyond_what_the_market_takes_makes_room_for_a_hall() -> None:
    """25 MW earn $0.14M a quarter each; the hall takes 12 of 30 MW from quarter 1 on, so 7 must go then. The market
    takes 2 at $0.50 per TH; the other 5 are scrapped.

    If what leaves had to be sold, five would go in quarters before quarter 1, or the hall would wait; sold beyond the
    cap, 7 would fetch $0.17M.
    """
    margin = {t: (25 if t == 0 else 18) * (mining_musd(t, 60, 40) - NORTH_UPKEEP) for t in range(6)}
    fetched = 2 * 0.5 * TH_PER_MW / 1e6 * discount(MINING, 1)
    case = lease_case(
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 25}],
        bitcoin={"hashprice_usd_per_ph_day": 60},
        machine_markets=[machine_market(max_sales_mw_per_quarter=2)],
    )
    plan = check(case, PROJECT + worth(MINING, margin) + fetched)
    row = plan.tables["machines"].iloc[0]
    assert (float(row["sold_gross_mw"]), float(row["retired_gross_mw"])) == pytest.approx((2, 5))


# ---- every rule bites ------------------------------------------------------------------------------------------------

EARNING: Row = {"bitcoin": {"hashprice_usd_per_ph_day": 60}}
BITES: Mapping[str, Callable[[], Case]] = {
    "grid_group_power": lambda: hand_case(**EARNING, **NO_OFFERS, fleet=[
        {"site": site, "asic": "miner", "gross_mw": 12} for site in ("north", "south")], **shared((0, 24), (1, 10))),
    "billed_demand": lambda: miner_case(60, ratchets=ratchet(0.9, 6, 30)),
    "machine_market_depth": lambda: miner_case(1, machine_markets=[machine_market(max_sales_mw_per_quarter=2)]),
}  # fmt: skip


@pytest.mark.parametrize("rule", BITES)
def test_each_rule_of_power_bites(rule: str) -> None:
    """Without it the case would be worth more."""
    case = BITES[rule]()
    model = build_model(case, "base")
    component(model, rule).deactivate()
    assert solve_model(model, SolverOptions(gap=1e-9)).value > opt.solve(case, "base", gap=1e-9).value_musd + 0.01


def test_a_step_runs_on_machines_that_draw_power() -> None:
    """Left to the solver, steps that ran on no machines would mine for no demand charge: $6,000 a MW and quarter."""
    values = []
    for held in (True, False):
        model = build_model(miner_case(24, tariffs=tariff_columns(), price_steps=step_rows()), "base", adjustable=True)
        if not held:
            component(model, "runs_in_a_step_of_its_quarter").deactivate()
        values.append(solve_model(model, SolverOptions(gap=1e-9)).value)
    assert values[1] > values[0] + 0.5


def test_limits_that_are_shared_and_depths_of_machine_markets_may_be_loosened() -> None:
    """A MW more of the shared limit, and a MW more of sales a quarter, are worth something and can be asked for."""
    case = hand_case(
        **EARNING, **NO_OFFERS, **shared((0, 25)), fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        machine_markets=[machine_market(max_sales_mw_per_quarter=2)],
    )  # fmt: skip
    found = {(limit.rule, limit.place): limit for limit in limits_of(case, "base")}
    more = found["grid_group_power", "feeder"].change(case, 3)
    assert {more.grid_group_limit["feeder", t] for t in case.horizon} == {28.0}
    deeper = found["machine_market_depth", "miner"].change(case, 1)
    assert deeper.machine_markets[0].max_sales_mw_per_quarter == 3


# ---- at other prices -------------------------------------------------------------------------------------------------

PLANT = [
    {"scenario": "base", "site": "north", "quarter": q(t), "capacity_mw": 4, "cost_usd_per_mwh": 30} for t in range(6)
]


def at_hashprices(*hashprices: float) -> Row:
    fleet = [{"site": "north", "asic": "miner", "gross_mw": 25}]
    return {"fleet": fleet, "bitcoin": {"hashprice_usd_per_ph_day": [*hashprices]}}


AT_OTHER_PRICES: Mapping[str, Callable[[], Case]] = {
    "steps": lambda: miner_case(22, tariffs=tariff_columns(3), price_steps=step_rows()),
    "steps and a plant": lambda: miner_case(
        24, tariffs=tariff_columns(3, 300), price_steps=step_rows(), own_plants=PLANT),
    "a ratchet": lambda: lease_case(**at_hashprices(30, 22, 24, 20, 24, 21), ratchets=ratchet(0.8, 3, 12)),
    "a ratchet and steps": lambda: lease_case(
        **at_hashprices(30, 12, 24, 10, 24, 21), tariffs=tariff_columns(6), price_steps=step_rows(),
        ratchets=ratchet(0.8, 3, 12)),
    "a cap on sales": lambda: miner_case([40, 30, 20, 20, 20, 20], machine_markets=[
        machine_market(resale_usd_per_th=4, elasticity=1, max_sales_mw_per_quarter=6)]),
}  # fmt: skip


@pytest.mark.parametrize("name", AT_OTHER_PRICES)
@pytest.mark.parametrize(("power", "hashprice"), [(1.0, 1.0), (0.85, 1.0), (1.0, 1.2), (1.15, 0.8)])
def test_prices_are_swapped_as_if_solved_from_scratch(name: str, power: float, hashprice: float) -> None:
    """Steps move with their tariff; running, left to the solver in each of them, comes to the value solved afresh."""
    case = AT_OTHER_PRICES[name]()
    drivers = [driver_named(case, "base", "power at north"), driver_named(case, "base", "hashprice")]
    family = Family(case, "base", drivers)
    point = {drivers[0].name: drivers[0].base * power, drivers[1].name: drivers[1].base * hashprice}
    swapped = family.at(point)
    landed = answer(Question(swapped.program, gap=0.0))
    variant = family.variant(point)
    afresh = compile_case(variant, "base", adjustable=False)
    solved = answer(Question(afresh.program, gap=0.0))
    assert landed.value_musd == pytest.approx(solved.value_musd, rel=1e-6, abs=1e-6)
    assert mining_in(variant, "base", swapped, landed.vector) == mining_in(variant, "base", afresh, solved.vector)


def test_a_driver_on_power_moves_the_steps_of_its_tariff() -> None:
    """Half the price at the north: its steps cost $7.50, 25 and 80; the mean is still the tariff's."""
    case = miner_case(20, tariffs=tariff_columns(), price_steps=step_rows())
    for name in ("power", "power at north"):
        driver = driver_named(case, "base", name)
        moved = driver.change(case, driver.base / 2)
        assert [price for _, price in moved.site_steps("base", "north", case.first)] == pytest.approx([7.5, 25, 80])
        machine = mining_economics(moved, "base", "north", case.asics[0], case.first)
        assert machine.run_hours == pytest.approx(0.9 * 0.95 * 2160)


def test_the_mean_hashprice_is_that_of_this_quarter_where_the_horizon_ends() -> None:
    case = known_halving(8)
    last: Quarter = case.last
    price = resale_musd(case, "base", case.asics[0], case.machine_markets[0], last)
    assert price * 1e6 / TH_PER_MW == pytest.approx(5 * 30 / 50)
