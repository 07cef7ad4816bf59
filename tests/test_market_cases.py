"""Three companies made of market numbers, each against a sheet reckoned here line by line (docs/three-cases.md).

Hours, discount factors, curves and margins are worked out again with plain numbers, as in other cases solved by hand.
"""

from __future__ import annotations

import pytest
from hand_cases import check, every, q, solve, worth
from market_cases import ON_DELIVERY, S_CURVE, campus, flexible_miner, gpu_cloud

CORPORATE, DEBT = 0.115, 0.08
MW = 20


def spent(musd: float, curve: tuple[float, ...]) -> dict[int, float]:
    """A hall started in quarter 0."""
    return {t: -musd * share for t, share in enumerate(curve)}


def rent(per_mw_year: float, quarters: int, rise: float, keeps: float) -> dict[int, float]:
    """What 20 IT MW bring from quarter 5 on, less operating cost."""
    return {5 + j: MW * per_mw_year / 4 * (1 + rise) ** (j // 4) * keeps for j in range(quarters)}


def on_first_day(rate: float, quarter: int) -> float:
    return float((1 + rate) ** (-quarter / 4))


def free(quarter: int, rate: float) -> float:
    """20 IT MW that stand free: $4M each on the first day, falling over 120 quarters."""
    return MW * 4 * (1 - quarter / 120) * on_first_day(rate, quarter)


def overheads(quarters: int) -> float:
    return -worth(CORPORATE, every(2, 0, quarters))


# ---- a campus with project bonds -------------------------------------------------------------------


def test_a_campus_is_built_with_bonds_and_worth_what_its_halls_are() -> None:
    """$220M of capex at $11M an IT MW, $35.9M of net rent in the first year, fifteen years, all at 9.5%; half a percent
    of $200M up front at 8%. The bonds' 6.1% is below what debt normally costs and is no value: taken off at 9.5% their
    coupons would cost $58M, half of what the campus is worth.
    """
    hall = worth(0.095, spent(220, S_CURVE)) + worth(0.095, rent(1.85, 60, 0.03, 0.97)) + free(65, 0.095)
    fee = -0.005 * 200 * (1 + DEBT) ** (-0.5 / 4)
    plan = check(campus(), hall + fee + overheads(16))
    assert plan.kpis["value_over_do_nothing_musd"] == pytest.approx(hall + fee)
    assert list(plan.starts["start_quarter"]) == [q(0)]


def test_without_bonds_the_campus_cannot_be_paid() -> None:
    plan = check(campus(bonds=False), overheads(16))
    assert len(plan.starts) == 0


def test_the_campus_earns_shareholders_more_than_its_halls_earn() -> None:
    """The return of halls does not know the bonds; that of shareholders has draws, coupons and repayment in it."""
    plan = solve(campus())
    halls = {**spent(220, S_CURVE), **rent(1.85, 60, 0.03, 0.97)}
    unlevered = plan.kpis["unlevered_return"]
    assert worth(unlevered, halls) + free(65, unlevered) == pytest.approx(0, abs=1e-5)
    assert unlevered == pytest.approx(0.169, abs=0.001)
    debt = plan.debt.set_index("quarter")
    drawn = {t: float(debt["draws_musd"].get(q(t), 0.0)) for t in range(16)}
    owed = sum(drawn.values())
    lent = {t: drawn[t] - 0.061 / 4 * sum(drawn[k] for k in range(t + 1)) for t in range(16)}
    lent |= every(-0.061 / 4 * owed, 16, 23) | {39: -(1 + 0.061 / 4) * owed}
    left = {t: halls.get(t, 0.0) + lent.get(t, 0.0) - (1.0 if t == 0 else 0.0) for t in range(66)}
    levered = plan.kpis["levered_return"]
    assert worth(levered, left) + free(65, levered) == pytest.approx(0, abs=1e-5)
    assert levered > 2 * unlevered
    assert float(debt["closing_musd"].max()) <= 0.8 * 220 + 1e-6


# ---- a GPU cloud -----------------------------------------------------------------------------------


def colocation() -> float:
    """$11M an IT MW, $1.65M a year with 3% of rise, 15% of operating cost, fifteen years, 10.5%."""
    built = worth(0.105, spent(11 * MW, S_CURVE))
    return built + worth(0.105, rent(1.65, 60, 0.03, 0.85)) + free(65, 0.105)


def gpu_service(price: float) -> float:
    """$12M of hall and $26.7M of GPUs an IT MW; five years of rent less 15% and power; a fifth of it paid ahead,
    credited over the last three years, at 8%; GPUs sold at 20%; refit, fifteen quarters at the market, and the residual
    at 10.5%.
    """
    built = worth(0.13, spent(12 * MW, S_CURVE)) + worth(0.13, spent(26.7 * MW, ON_DELIVERY))
    earned = worth(0.13, rent(price, 20, 0.0, 0.85))
    powered = {
        t: -MW * 1.25 * (0.9 * HOURS_FROM_2027[t] * 45 + 5 * 1000 * 3) / 1e6 for t in range(5, 25)
    }  # fmt: skip
    ahead = 0.2 * price * MW * 5
    lent = {3: ahead} | every(-ahead / 12, 13, 12)
    sold = worth(0.13, {25: 0.2 * 26.7 * MW})
    relet = dict.fromkeys(range(25, 40), MW * 1.65 / 4 * 0.82)
    relet[25] -= MW * 1.0
    business = built + earned + worth(0.13, powered) + sold
    return business + worth(DEBT, lent) + worth(0.105, relet) + free(40, 0.105)


def hours_of_quarters(count: int) -> list[int]:
    """By the calendar, from 2027Q1 on."""
    leap = {2028, 2032, 2036}
    return [24 * (90 + (2027 + t // 4 in leap) if t % 4 == 0 else (91, 92, 92)[t % 4 - 1]) for t in range(count)]


HOURS_FROM_2027 = hours_of_quarters(40)


@pytest.mark.parametrize(("price", "signed"), [(9.7, "tenant"), (11.3, "cloud")])
def test_gpu_service_pays_at_11_3_and_colocation_at_9_7(price: float, signed: str) -> None:
    """At $9.7M an IT MW-year the GPUs are not worth their price, and the site is let as colocation for $27M; at $11.3M
    they beat it, at $49M. Without the $54M that the hall earns after its GPUs colocation would win at both prices; with
    the prepayment discounted at the hall's own 13% GPU service would be told $22M too high.
    """
    best = {"tenant": colocation(), "cloud": gpu_service(price)}
    assert max(best, key=best.__getitem__) == signed
    plan = check(gpu_cloud(price), best[signed] + overheads(40))
    assert list(plan.contracts["offer"]) == [signed]


# ---- a flexible miner ------------------------------------------------------------------------------

PER_MWH = 36 * 1e6 / (17.5 * 1000 * 1.04) / 24 * 0.98
"""$80.77 that a MWh mines: 54.9 PH a gross MW at $36 a day, less 2% of pool fee."""


def mined(quarter: int, hours_and_prices: list[tuple[float, float]]) -> float:
    """$M of a quarter: what 100 MW earn in their hours over the price, less demand and upkeep, interruptible income."""
    hours = sum((PER_MWH - price) * run for run, price in hours_and_prices)
    return 100 * (hours + 60_000 / 4 - 2 * 1000 * 3) / 1e6 - 100 * 0.06 / 4


def test_a_flexible_miner_runs_in_the_hours_that_pay() -> None:
    """It runs at $28 and $70 a MWh and stands still in the 3% of hours at $427; the utility's 20 hours are among those.

    $72.1M over two years, where a flat $45 leaves $54.2M: a third more lies in standing still in the right hours.
    """
    hours = [HOURS_FROM_2027[t] * 0.95 for t in range(8)]
    flexible = {t: mined(t, [(0.85 * hours[t], 28.0), (0.12 * hours[t], 70.0)]) for t in range(8)}
    flat = {t: mined(t, [(hours[t] - 20, 45.0)]) for t in range(8)}
    plan = check(flexible_miner(), worth(0.15, flexible) + worth(0.08, every(-2, 0, 8)))
    check(flexible_miner(stepped=False), worth(0.15, flat) + worth(0.08, every(-2, 0, 8)))
    power = plan.cash_flow[plan.cash_flow["line"] == "mining_power"].set_index("quarter")["musd"]
    first = -100 * (hours[0] * (0.85 * 28 + 0.12 * 70) + 6000) / 1e6
    assert power[q(0)] == pytest.approx(first, abs=1e-8)
    btc = 100 * PER_MWH * hours[0] * 0.97 / 100_000
    assert plan.mining["btc_mined"].iloc[0] == pytest.approx(btc)
    assert sum(flexible.values()) / sum(flat.values()) == pytest.approx(1.329, abs=5e-4)


@pytest.mark.parametrize(("curtailed", "lost"), [(20, 0.0), (100, 1.0)])
def test_curtailment_takes_the_dearest_hours_first(curtailed: int, lost: float) -> None:
    """61.6 of the first quarter's hours cost $427: 20 of them are none that it runs in; 100 cost 38.4 hours at $70.

    Taken off every step alike they would cost 97 of the hours in which it runs.
    """
    case = flexible_miner()
    tariffs = [row.model_dump() | {"curtailed_hours": curtailed} for row in case.tariffs]
    hours = [HOURS_FROM_2027[t] * 0.95 for t in range(8)]
    left = {
        t: mined(t, [(0.85 * hours[t], 28.0), (0.12 * hours[t] - lost * (curtailed - 0.03 * hours[t]), 70.0)])
        for t in range(8)
    }
    check(case.replace(tariffs=tariffs), worth(0.15, left) + worth(0.08, every(-2, 0, 8)))
