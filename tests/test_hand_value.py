"""The measure of value solved by hand: capital counted once, a horizon that does not decide, returns, yardsticks.

As in `test_hand_solved`, every expected value is worked out here with plain numbers. The project is that of
`test_hand_contracts`: $7.2M of capex in quarter 0, $16.8M in quarter 1, and $4.32M of margin from quarter 2 on, 20
times; its hall and its rent are discounted at 10%, company lines at 8%.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hand_cases import (
    AI,
    CORPORATE,
    Row,
    check,
    discount,
    every,
    facility,
    hall,
    lease_case,
    q,
    rents,
    solve,
    worth,
)
from small_cases import scenario_of, small_case

import optimizer as opt
from optimizer.case.case import Case

MARGIN = 0.9 * 4.8
PROJECT = rents(4.8, 2, 20) - hall()
DEBT = 0.06


def on_first_day(rate: float, quarter: int) -> float:
    """What a dollar on the first day of a quarter is worth."""
    return float((1 + rate) ** (-quarter / 4))


def residual(quarter: int, stated: float = 2.0, life: int = 40, it_mw: float = 8) -> float:
    """What 8 IT MW are worth that stand free from a quarter on: $2M each on the first day, nothing after ten years."""
    return stated * max(0.0, 1 - quarter / life) * it_mw * on_first_day(AI, quarter)


PRODUCTS: list[Row] = [
    {
        "product": "colo", "kind": "colocation", "power_passed_through": True, "operating_cost_share": 0.1,
        "load_factor": 0.9, "gpus_per_it_mw": 640, "utilisation": 0.8, "residual_musd_per_it_mw": 0,
    }
]  # fmt: skip


def with_residual(term: int = 20, quarters: int = 8) -> Case:
    products = [PRODUCTS[0] | {"residual_musd_per_it_mw": 2, "residual_life_quarters": 40}]
    return lease_case({"term_quarters": term}, quarters=quarters, products=products)


# ---- the end of the horizon ------------------------------------------------------------------------


def test_a_hall_is_worth_its_residual_when_its_contract_leaves() -> None:
    """The lease ends with quarter 21, fourteen quarters after the horizon: the hall is free from quarter 22 on, and by
    then worth $2M x (1 - 22/40) for each IT MW, $7.2M, dated on the first day of that quarter.

    Nothing of it (as where only what stands free at the horizon's end counts) would be $4.3M less; the stated $16M at
    the horizon's end $8.9M more.
    """
    check(with_residual(), PROJECT + residual(22))


@pytest.mark.parametrize("quarters", [8, 11, 16, 21, 22])
def test_a_longer_horizon_in_which_nothing_stands_free_changes_nothing(quarters: int) -> None:
    """Whether the horizon ends before the lease or with it: same decision, same value."""
    plan = check(with_residual(quarters=quarters), PROJECT + residual(22))
    assert list(plan.contracts["delivery_quarter"]) == [q(2)]


@pytest.mark.parametrize("term", [5, 6, 7, 9])
def test_a_contract_that_ends_at_the_horizons_end_is_like_its_neighbours(term: int) -> None:
    """Of eight quarters the lease takes 5, 6, 7 or 9 from quarter 2 on. What is free by the first day of quarter 8
    is worth the residual of that day, a contract that ends with quarter 7 included; one that runs on, of its own.
    """
    free = max(8, 2 + term)
    check(with_residual(term), max(0.0, rents(4.8, 2, term) - hall() + residual(free)))


def test_no_jump_by_the_length_of_the_term() -> None:
    """A quarter more of the lease adds its margin and puts the residual off: no step is larger than that margin, and
    none is a fall. A residual for the last quarter alone would fall by $10M between terms of 5 and 7.
    """
    values = [solve(with_residual(term)).value_musd for term in range(6, 11)]
    for term, (shorter, longer) in enumerate(pairwise(values), start=6):
        assert 0 < longer - shorter < discount(AI, 2 + term) * MARGIN


@pytest.mark.parametrize(("life", "left"), [(40, True), (8, False)])
def test_a_residual_falls_to_nothing_and_not_below(life: int, left: bool) -> None:
    """With a life of eight quarters nothing is left at the horizon's end nor after it."""
    products = [row | {"residual_musd_per_it_mw": 2, "residual_life_quarters": life} for row in PRODUCTS]
    check(lease_case(quarters=8, products=products), PROJECT + (residual(22) if left else 0.0))


def test_a_blank_life_is_thirty_years() -> None:
    products = [row | {"residual_musd_per_it_mw": 2} for row in PRODUCTS]
    check(lease_case(quarters=8, products=products), PROJECT + residual(22, life=120))


# ---- a hall outlives its GPUs ----------------------------------------------------------------------

GPU = 0.12


def gpu_case(**life: Any) -> Case:
    """The north's hall with GPUs of $1M an IT MW that last four quarters, let for just these; afterwards colocation
    may be sold at the market: $90 a kW-month for up to 8 IT MW, 10% of it operating cost."""
    colo = PRODUCTS[0] | {"residual_musd_per_it_mw": 1.2, "residual_life_quarters": 48}
    case = lease_case({"term_quarters": 4}, quarters=8)
    halls = {"north hall": {"product": "gpu", "gpu_musd_per_it_mw": 1}, "south hall": {"max_blocks": 0}}
    markets = [row.model_dump() | {"depth_it_mw": 8} for row in case.product_markets]
    return case.replace(
        products=[colo, PRODUCTS[0] | {"product": "gpu", "kind": "gpu_service"}],
        options=[row.model_dump() | halls[row.option] for row in case.options],
        product_markets=[*markets, *(row | {"product": "gpu", "depth_it_mw": 0} for row in markets)],
        offers=[row.model_dump() | {"product": "gpu"} for row in case.offers],
        offer_prices=[row.model_dump() | {"price": 400} for row in case.offer_prices],
        discount_rates={"corporate": CORPORATE, "mining": 0.15, "colo": AI, "gpu": GPU},
        gpu_lives=[
            {"option": "north hall", "life_quarters": 4, "residual_share": 0.2, "refresh_musd_per_it_mw": None} | life
        ],
    )


def with_gpus() -> float:
    """$24M of hall and $8M of GPUs in quarter 0, $8.64M of margin a quarter for four, $1.6M for the used GPUs."""
    flows = {0: -0.3 * 24 - 8, 1: -0.7 * 24} | every(0.9 * 9.6, 2, 4)
    return worth(GPU, flows | {6: 1.6})


@pytest.mark.parametrize("relet", [False, True])
def test_a_hall_without_gpus_is_let_as_another_product(relet: bool) -> None:
    """From quarter 6 on the 8 IT MW are colocation: refitted for $0.5M each, sold at the market for $1.944M a quarter,
    and worth $1.2M x (1 - 8/48) each at the horizon's end. Without a product to let it as, the hall is worth nothing.
    """
    life = {"relet_product": "colo", "refit_musd_per_it_mw": 0.5} if relet else {}
    market = 8 * 90 * 3 / 1000 * 0.9
    after = worth(AI, {6: market - 4, 7: market}) + 8 * 1.2 * (1 - 8 / 48) * on_first_day(AI, 8)
    plan = check(gpu_case(**life), with_gpus() + (after if relet else 0.0))
    used = plan.allocation[(plan.allocation["site"] == "north") & (plan.allocation["quarter"] == q(6))]
    assert used.set_index("use")["gross_mw"].to_dict() == {"colo" if relet else "gpu": 12, "unused": 18}
    assert plan.kpis["capex_musd"] == pytest.approx(36 if relet else 32)


def test_gpus_are_refreshed_where_that_beats_letting_the_hall_as_another_product() -> None:
    """New GPUs at $0.1M with a second lease of four quarters: the hall is refitted by nobody within the horizon, and
    after it, in quarter 10, stands free as colocation."""
    case = gpu_case(relet_product="colo", refit_musd_per_it_mw=0.5, refresh_musd_per_it_mw=0.1)
    again = case.offers[0].model_dump() | {"offer": "again", "window_first": q(6), "window_last": q(6)}
    case = case.replace(
        offers=[case.offers[0], again],
        offer_prices=[*case.offer_prices, case.offer_prices[0].model_dump() | {"offer": "again"}],
        offer_sites=[*case.offer_sites, case.offer_sites[0].model_dump() | {"offer": "again"}],
    )
    second = worth(GPU, {6: 0.9 * 9.6 - 0.8, **every(0.9 * 9.6, 7, 3), 10: 0.2 * 0.8})
    left = 8 * 1.2 * (1 - 10 / 48) * on_first_day(AI, 10) - 4 * discount(AI, 10)
    check(case, with_gpus() + second + left)


# ---- customers' money ------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [True, False])
def test_customers_money_is_a_loan_at_the_cost_of_debt(stated: bool) -> None:
    """A fifth of $96M of rent is paid with the first delivery and credited over the last sixteen of twenty quarters,
    $1.2M each. It counts at `debt`, or the corporate rate where that is not given, not at the hall's 10%: the
    difference is what free money is worth.
    """
    rates = {"corporate": CORPORATE, "mining": 0.15, "colo": AI} | ({"debt": DEBT} if stated else {})
    case = lease_case(quarters=8, discount_rates=rates)
    paid = {"offer": "lease", "rent_share": 0.2, "paid_quarters_before": 0, "credited_after_month": 12}
    rate = DEBT if stated else CORPORATE
    lent = 19.2 * discount(rate, 2) - worth(rate, every(1.2, 6, 16))
    check(case.replace(prepayments=[paid]), PROJECT + lent)


@pytest.mark.parametrize(("budget", "built"), [(24.0, True), (23.9, False)])
def test_the_budget_is_gross_of_what_tenants_advance(budget: float, built: bool) -> None:
    """The tenant advances $1M for each of 8 IT MW: the hall still spends $24M, and the budget must hold all of it."""
    case = lease_case(quarters=8, capex_budget_musd=budget)
    advance = {
        "offer": "lease", "musd_per_it_mw": 1, "paid_quarters_before": 1, "credit_share": 0.5, "rate": 0.08,
    }  # fmt: skip
    plan = solve(case.replace(tenant_funding=[advance]))
    assert len(plan.starts) == built
    if built:
        assert plan.kpis["capex_musd"] == pytest.approx(24)
        assert plan.kpis["tenant_advances_musd"] == pytest.approx(8)


# ---- tax -------------------------------------------------------------------------------------------


def test_losses_are_carried_to_the_last_contracts_end() -> None:
    """Horizon of four quarters, a lease of eight, the hall deducted over four quarters from each payment.

    Income: -1.8, -6, -1.68, -1.68 within the horizon; 0.12 in quarter 4, then 4.32 five times. $11.16M of losses offset
    quarters 4 to 6 and $2.4M of quarter 7. Taxed: 1.92 in quarter 7, 4.32 in 8 and 9. Losses that vanish with the
    horizon would be taxed from quarter 4 on, $1.9M earlier and more.
    """
    taxed = {7: 1.92, 8: 4.32, 9: 4.32}
    case = lease_case({"term_quarters": 8}, quarters=4, tax_rate=0.25)
    case = case.replace(
        depreciation=[{"line": "facility_capex", "quarters": 4}],
        offer_prices=[{"scenario": "base", "offer": "lease", "price": 200, "price_basis": "usd_per_kw_month"}],
    )
    check(case, rents(4.8, 2, 8) - hall() - worth(CORPORATE, {t: 0.25 * musd for t, musd in taxed.items()}))


def test_interest_saves_no_tax() -> None:
    """A loan of $17.5M pays 3% a quarter; taxed is the margin all the same, since hurdle rates hold what that saves."""
    taxed = dict.fromkeys(range(2, 22), 0.25 * MARGIN)
    loan = facility(maturity=q(7))
    plan = check(
        lease_case(quarters=9, opening_cash_musd=11.5, tax_rate=0.25, facilities=[loan], discount_rates=RATES),
        PROJECT - worth(CORPORATE, taxed),
    )
    assert plan.debt["interest_musd"].sum() > 1


RATES = {"corporate": CORPORATE, "mining": 0.15, "colo": AI}

# ---- interest --------------------------------------------------------------------------------------


@pytest.mark.parametrize("margin", [0.01, 0.05, 0.12])
@pytest.mark.parametrize("cash_rate", [None, 0.02, 0.14])
def test_neither_a_loans_rate_nor_interest_on_cash_moves_the_value(margin: float, cash_rate: float | None) -> None:
    """Without `debt` every loan's rate is normal, and cash that earns more than a loan costs is an ordinary case:
    nothing idle is drawn for it."""
    loan = facility(margin=margin, commitment_musd=60)
    plan = check(lease_case(quarters=9, opening_cash_musd=12, cash_rate=cash_rate, facilities=[loan]), PROJECT)
    needed = 17.5
    assert plan.debt["draws_musd"].sum() < needed


# ---- returns ---------------------------------------------------------------------------------------


def test_two_returns() -> None:
    """Unlevered: -7.2, -16.8 and 4.32 twenty times. Levered: the loan's $15M or so is drawn beside it, pays 3% a
    quarter and is repaid in quarter 6; shareholders lay out less and earn more.

    At each return the flows are worth nothing; a return that took draws for income would be the levered one twice.
    """
    loan = facility()
    plan = solve(lease_case(quarters=8, opening_cash_musd=12, facilities=[loan]))
    flows = {0: -7.2, 1: -16.8} | every(MARGIN, 2, 20)
    unlevered, levered = plan.kpis["unlevered_return"], plan.kpis["levered_return"]
    assert worth(unlevered, flows) == pytest.approx(0, abs=1e-6)
    debt = {int(i): row for i, row in enumerate(plan.debt.itertuples())}
    of_lenders = {t: row.draws_musd - row.repayments_musd - row.interest_musd for t, row in debt.items()}
    first = [str(t) for t in plan.cash["quarter"]].index(str(plan.debt["quarter"].iloc[0]))
    left = {t: flows.get(t, 0.0) + of_lenders.get(t - first, 0.0) for t in range(22)}
    assert worth(levered, left) == pytest.approx(0, abs=1e-6)
    assert levered > unlevered + 0.05
    assert plan.kpis["unlevered_payback_quarter"] == q(7)


def test_value_after_firm_terms_is_the_tenants_options() -> None:
    """The tenant extends by four quarters at its own price, the market being no cheaper: they are told apart."""
    case = lease_case(quarters=8)
    markets = [row.model_dump() | {"price": 300} for row in case.product_markets]
    extension = {"offer": "lease", "step": 1, "quarters": 4, "price_share": 1}
    plan = check(case.replace(product_markets=markets, extensions=[extension]), rents(4.8, 2, 24) - hall())
    assert plan.kpis["value_after_firm_terms_musd"] == pytest.approx(rents(4.8, 22, 4))


# ---- yardsticks ------------------------------------------------------------------------------------


def test_mining_on_keeps_the_minimum_that_doing_nothing_breaks() -> None:
    """$4M of overhead a quarter for eleven quarters and $36M of cash, of which $3M must stay. The hall and its lease
    leave $4M in quarter 1 and bring $0.32M more than the overhead from then on. Doing nothing ends at -$8M; mining on
    is no plan: it breaks in quarter 8, with nothing left, and lacks $11M in all.
    """
    case = lease_case(quarters=11, opening_cash_musd=36, overheads={"g_and_a_musd": 4})
    plan = check(case, PROJECT - worth(CORPORATE, every(4, 0, 11)))
    assert plan.kpis["do_nothing_lowest_cash_musd"] == pytest.approx(-8)
    assert (plan.kpis["mining_on_value_musd"], plan.kpis["value_over_mining_on_musd"], plan.mining_on) == (None,) * 3
    assert plan.kpis["mining_on_breaks_quarter"] == q(8)
    assert plan.kpis["mining_on_short_musd"] == pytest.approx(11)


def test_mining_on_borrows_what_it_lacks() -> None:
    """The same, where a plant is sold for $15M in the last quarter and a loan of $30M falls due then: mining on draws
    what it lacks until then and is worth what doing nothing is worth, since a loan repaid is no value.
    """
    loan = facility(commitment_musd=30, available_last=q(9), maturity=q(10))
    sale = {"quarter": q(10), "name": "plant", "kind": "asset_sale", "musd": 15}
    overheads = {"g_and_a_musd": 4}
    plan = solve(
        lease_case(quarters=11, opening_cash_musd=36, overheads=overheads, facilities=[loan], obligations=[sale])
    )
    worth_of_it = worth(CORPORATE, {10: 15}) - worth(CORPORATE, every(4, 0, 11))
    assert plan.kpis["mining_on_value_musd"] == pytest.approx(worth_of_it)
    assert plan.kpis["value_over_mining_on_musd"] == pytest.approx(plan.kpis["value_over_do_nothing_musd"])
    assert plan.mining_on is not None and plan.mining_on["cash"]["closing_musd"].min() == pytest.approx(3)


def test_mining_on_borrows_nothing_that_nothing_is_left_to_repay() -> None:
    """Without the plant, and due nine quarters after the horizon: nobody lends what no hall and no contract repays."""
    loan = facility(commitment_musd=30, available_last=q(10), maturity=q(20))
    plan = solve(lease_case(quarters=11, opening_cash_musd=36, overheads={"g_and_a_musd": 4}, facilities=[loan]))
    assert plan.mining_on is None and plan.kpis["mining_on_value_musd"] is None


def test_that_there_is_no_mining_on_is_asked_twice() -> None:
    """One search says of this random case that no plan without halls keeps every rule, and is wrong: there is one."""
    plan = opt.solve(small_case(64), scenario_of(64))
    assert plan.mining_on is not None
    assert plan.kpis["value_over_mining_on_musd"] >= -1e-6
