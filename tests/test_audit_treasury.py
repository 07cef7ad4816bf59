"""The accountant's sums about debt, tax and cash, by hand, and a plan of a treasury that breaks each of their rules.

`treasury_case` is the lease of `hand_cases` built with borrowed money: a project's loan with every covenant, notes
that fall due and are refinanced, interest on cash, BTC that may be kept, tax with losses carried forward.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hand_cases import Row, every, facility, lease_case, q

import optimizer as opt
from optimizer.auditors import audit
from optimizer.auditors.books import Books, exact
from optimizer.auditors.debt import life
from optimizer.auditors.tax import LossesCarried, depreciation, taxable_income, taxes_after
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter
from optimizer.plan.plan import Plan
from optimizer.plan.tables import TABLES

Q = Quarter.parse
COLUMNS = ["scenario", "facility", "quarter", "opening_musd", "draws_musd", "repayments_musd", "closing_musd"]


EMPTY = Plan(
    case=lease_case(),
    scenario="base",
    status="optimal",
    value_musd=0,
    objective_musd=0,
    bound_musd=0,
    proof={},
    kpis={},
    tables={},
    nothing=None,
    provenance={},
)


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


def books_of(case: Case, draws: dict[int, float] | None = None, paid: dict[int, float] | None = None) -> Books:
    """Books of a plan that draws and repays one facility; of its other decisions nothing is told."""
    quarters = sorted({*(draws or {}), *(paid or {})})
    name = case.facilities[0].facility if case.facilities else ""
    rows = [["base", name, q(t), 0.0, (draws or {}).get(t, 0.0), (paid or {}).get(t, 0.0), 0.0] for t in quarters]
    tables = {table: pd.DataFrame() for table in TABLES} | {"debt": pd.DataFrame(rows, columns=COLUMNS)}
    return Books.of(replace(EMPTY, case=case, tables=tables), case)


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    with exact():
        yield


# ---- a facility ------------------------------------------------------------------------------------------------


def column(books: Books, name: str) -> dict[int, float]:
    """A column of the first facility's life by quarter of the horizon, without zeros."""
    quarters = life(books, books.case.facilities[0])
    found = {quarter - books.case.first: float(getattr(now, name)) for quarter, now in quarters.items()}
    return {t: musd for t, musd in found.items() if musd}


def amortised(**shares: float) -> list[Row]:
    return [{"facility": "loan", "quarter": q(int(t[1:])), "share": share} for t, share in shares.items()]


def test_a_bullet_bears_interest_to_its_maturity_after_the_horizon() -> None:
    """$10M in quarter 0 and $20M in quarter 1 at 12%: 0.3, then 0.9 a quarter until it is repaid in quarter 6."""
    books = books_of(lease_case(facilities=[facility()]), {0: 10.0, 1: 20.0})
    assert column(books, "interest") == near({0: 0.3} | every(0.9, 1, 6))
    assert column(books, "repaid") == near({6: 30})
    assert column(books, "closing") == near({0: 10} | every(30, 1, 5))


def test_interest_is_paid_every_so_often_from_the_first_draw_that_can_be_and_at_maturity() -> None:
    """Available from quarter 1, paid every second quarter: 2, 4, and at maturity in 5 what one quarter brings."""
    loan = facility(available_first=q(1), available_last=q(2), maturity=q(5), interest_every_quarters=2)
    books = books_of(lease_case(facilities=[loan]), {1: 20.0}, {5: 20.0})
    assert column(books, "interest") == near({2: 1.2, 4: 1.2, 5: 0.6})


def test_a_floating_rate_stays_at_its_last_quarter_after_the_horizon() -> None:
    rates = [{"scenario": "base", "base_rate": "sofr", "quarter": q(t), "rate": 0.01 * t} for t in range(6)]
    loan = facility(base_rate="sofr", margin=0.04)
    books = books_of(lease_case(facilities=[loan], base_rates=rates), {0: 20.0})
    assert column(books, "interest") == near({t: 20 * (0.04 + 0.01 * min(t, 5)) / 4 for t in range(7)})


def test_a_prepayment_lowers_what_falls_due_later_in_proportion() -> None:
    """Half, a quarter, a quarter of $20M: 10, 5, 5. After $4M ahead of time in quarter 2 the last two are 3 and 3."""
    loan = facility(maturity=q(5), prepayable=True)
    case = lease_case(facilities=[loan], amortisation=amortised(t2=0.5, t4=0.25, t5=0.25))
    books = books_of(case, {0: 20.0}, {2: 14.0, 4: 3.0, 5: 3.0})
    assert column(books, "scheduled") == near({2: 10, 4: 3, 5: 3})
    assert column(books, "prepaid") == near({2: 4})
    assert column(books, "closing") == near({0: 20, 1: 20, 2: 6, 3: 6, 4: 3})


def test_what_is_owed_already_falls_due_by_the_shares_that_are_left() -> None:
    """Three quarters of the schedule are behind: the last two shares, 0.1 and 0.15, are 40% and 60% of $6M."""
    old = facility(drawn_musd=6, commitment_musd=6, available_first=None, available_last=None, maturity=q(3))
    shares = [{"facility": "loan", "quarter": "2026Q4", "share": 0.75}, *amortised(t1=0.1, t3=0.15)]
    books = books_of(lease_case(facilities=[old], amortisation=shares), paid={1: 2.4, 3: 3.6})
    assert column(books, "scheduled") == near({1: 2.4, 3: 3.6})
    assert column(books, "interest") == near({0: 0.18, 1: 0.18, 2: 0.108, 3: 0.108})


@pytest.mark.parametrize(
    ("drawn", "draws", "fees"),
    [
        (0, {}, {}),
        (0, {1: 10.0}, {0: 0.3 + 0.15, 1: 0.1}),
        (5, {1: 10.0}, {0: 0.125, 1: 0.075}),
        (5, {}, {0: 0.125, 1: 0.125}),
    ],
)
def test_fees_are_paid_only_where_a_facility_is_used(
    drawn: float, draws: dict[int, float], fees: dict[int, float]
) -> None:
    """1% upfront on $30M unless something was drawn before; 2% a year on what is not drawn in quarters 0 and 1."""
    loan = facility(drawn_musd=drawn, upfront_fee=0.01, undrawn_fee=0.02)
    assert column(books_of(lease_case(facilities=[loan]), draws), "fees") == near(fees)


# ---- tax -------------------------------------------------------------------------------------------------------


def test_losses_are_carried_and_used_up_to_their_share_of_a_profit() -> None:
    """25% tax, $10M of losses, used against at most 60% of a profit; a loss of 3 is added to those left."""
    losses = LossesCarried(books_of(lease_case(tax_rate=0.25, tax_losses_musd=10, tax_loss_use=0.6)))
    taxes = [float(losses.tax(Decimal(profit))) for profit in (8, -3, 20, 1)]
    assert taxes == near([0.8, 0, 0.25 * (20 - 8.2), 0.25])


def test_all_of_a_profit_may_be_offset_where_nothing_is_said() -> None:
    losses = LossesCarried(books_of(lease_case(tax_rate=0.25, tax_losses_musd=10)))
    assert [float(losses.tax(Decimal(profit))) for profit in (8, 8)] == near([0, 0.25 * 6])


def test_capex_is_deducted_from_its_own_quarter_on_net_of_tenants_money() -> None:
    """$24M less $8M over four quarters; what is bought after the horizon is not deducted; GPUs have no life here."""
    lives = [{"line": "facility_capex", "quarters": 4}, {"line": "mobilisation", "quarters": 1}]
    books = books_of(lease_case(tax_rate=0.25, depreciation=lives))
    for line, t, musd in (
        ("facility_capex", 4, -24),
        ("tenant_capex", 4, 8),
        ("mobilisation", 5, -1),
        ("gpu_capex", 3, -7),
        ("rent", 5, 6),
        ("btc_sales", 5, 50),
        ("rent", 7, 9),
        ("residual", 6, 30),
    ):
        books.record(line, Q(q(t)), Decimal(musd), "colo")
    deducted = {quarter - books.case.first: float(musd) for quarter, musd in depreciation(books).items()}
    income = {quarter - books.case.first: float(musd) for quarter, musd in taxable_income(books).items()}
    assert deducted == near({4: 4, 5: 5, 6: 4, 7: 4})
    assert income == near({5: 6, 7: 9})
    taxes_after(books, taxable_income(books), depreciation(books))
    taxed = {flow.quarter - books.case.first: float(flow.musd) for flow in books.flows if flow.line == "tax"}
    assert taxed == near({6: 1, 7: -0.25 * 5})


# ---- a treasury ------------------------------------------------------------------------------------------------


def loans(**project: Any) -> list[Row]:
    row = {"site": "north", "commitment_musd": 20, "maturity": q(9), "interest_every_quarters": 2, "margin": 0.05}
    row |= {"upfront_fee": 0.01, "undrawn_fee": 0.01, "loan_to_cost": 0.7, "dscr": 1.05, "dscr_from": q(3)}
    row |= {"prepayable": True, "requires_offer": "lease", "base_rate": "sofr"}
    owed = {"commitment_musd": 6, "drawn_musd": 6, "available_first": None, "available_last": None, "maturity": q(2)}
    new = {"commitment_musd": 6, "available_first": q(2), "available_last": q(2), "maturity": q(5), "margin": 0.1}
    return [
        facility("project", **(row | project)),
        facility("notes", minimum_cash_musd=2, margin=0.03, **owed),
        facility("new notes", refinances="notes", prepayable=True, **new),
    ]


OLD_COUPON: Row = {"quarter": q(4), "name": "old coupon", "kind": "interest", "musd": 0.11}


def treasury_case(**changes: Any) -> Case:
    schedule = [{"facility": "project", "quarter": q(t), "share": 0.25} for t in (4, 5, 7, 9)]
    rates = [{"scenario": "base", "base_rate": "sofr", "quarter": q(t), "rate": 0.03 + 0.001 * t} for t in range(6)]
    money = {"opening_cash_musd": 8.5, "minimum_cash_musd": 1, "cash_rate": 0.02, "tax_rate": 0.25}
    money |= {"tax_losses_musd": 1, "tax_loss_use": 0.6, "btc_held": 40, "btc_liquidity_share": 0.5}
    tables: dict[str, Any] = {
        "facilities": loans(),
        "amortisation": schedule,
        "base_rates": rates,
        "depreciation": [{"line": "facility_capex", "quarters": 8}],
        "fleet": [{"site": "south", "asic": "miner", "gross_mw": 4}],
        "bitcoin": {"hashprice_usd_per_ph_day": 60, "btc_usd": [100_000 + 9000 * t for t in range(6)]},
        "obligations": [OLD_COUPON],
        "overheads": {"g_and_a_musd": 0.01},
    }
    return lease_case(hold_mined_btc=True, **(money | tables | changes))


@pytest.fixture(scope="module")
def borrowed() -> tuple[Case, Plan]:
    case = treasury_case()
    return case, opt.solve(case)


def broken(case: Case, plan: Plan) -> set[str]:
    report = audit(case, plan)
    return {check.name for check in (*report.checks, *report.nothing) if not check.clean}


def altered(plan: Plan, table: str, row: int = 0, **columns: Any) -> Plan:
    changed = plan.tables[table].reset_index(drop=True).astype(object)
    for column, value in columns.items():
        changed.loc[row, column] = value
    return replace(plan, tables={**plan.tables, table: changed})


def test_the_treasurys_plan_uses_all_it_has_and_passes(borrowed: tuple[Case, Plan]) -> None:
    case, plan = borrowed
    assert broken(case, plan) == set()
    assert {*plan.debt.loc[plan.debt["draws_musd"] > 0, "facility"]} == {"project", "new notes"}
    told = {*plan.cash_flow["line"]}
    assert told > {"tax", "cash_interest", "interest", "fee", "principal", "btc_sales"}
    assert {*plan.after_horizon["line"]} >= {"tax", "rent"}, "what is repaid early bears no interest there"
    assert (plan.btc["closing_btc"] > 0).any() and (plan.btc["sold_btc"] > 0).any()


def test_btc_kept_to_the_end_are_worth_the_last_price() -> None:
    """At a corporate rate below nothing BTC are never sold: 3 BTC at $90,000 on the first day after the horizon."""
    rates = {"corporate": -0.02, "mining": 0.15, "colo": 0.1}
    case = lease_case(btc_held=3, bitcoin={"btc_usd": 90_000}, discount_rates=rates)
    plan = opt.solve(case)
    assert broken(case, plan) == set()
    left = plan.after_horizon[
        (plan.after_horizon["line"] == "residual") & (plan.after_horizon["business"] == "corporate")
    ]
    assert float((left["musd"] * left["factor"]).sum()) == near(0.27 * 0.98 ** (-6 / 4))


STRICTER: dict[str, dict[str, Any]] = {
    "minimum_liquidity": {"minimum_cash_musd": 50},
    "capex_budget": {"capex_budget_musd": 23.9},
    "yearly_budgets": {"budget_years": [{"year": 2027, "capex_budget_musd": 23.9}]},
    "construction_at_once": {"max_blocks_under_construction": 0},
    "customer_share": {"max_customer_share": 0.9, "max_customer_share_from": q(2)},
    "floors_and_ceilings": {
        "use_limits": [
            {"policy": "crews", "use": "mining", "site": "*", "first": q(1), "last": q(1), "basis": "gross_mw"}
            | {"min_mw": 4.01, "max_mw": None}
        ]
    },
    "debt_draws": {"facilities": loans(commitment_musd=14)},
    "debt_repayments": {"facilities": loans(prepayable=False)},
    "loan_to_cost": {"facilities": loans(loan_to_cost=0.69)},
    "ring_fence": {"facilities": loans(site="south", requires_offer=None)},
    "required_contract": {"facilities": loans(site="south")},
    "debt_coverage": {"facilities": loans(dscr=9)},
    "lenders_cash": {"facilities": loans(minimum_cash_musd=2.1)},
    "refinancing": {"facilities": [*loans()[:2], loans()[2] | {"refinances": "project"}]},
    "interest_and_fees": {"facilities": loans(margin=0.0501)},
    "net_cash": {"tax_rate": 0.26},
    "cash_roll_forward": {"opening_cash_musd": 8.6},
    "value_tie": {"cash_rate": 0.019},
    "sources_and_uses": {"obligations": [OLD_COUPON | {"musd": 0.2}]},
}


@pytest.mark.parametrize("rule", STRICTER)
def test_a_treasury_that_breaks_a_rule_is_told_which(borrowed: tuple[Case, Plan], rule: str) -> None:
    """The plan of one case against another one whose rule it does not keep."""
    assert rule in broken(treasury_case(**STRICTER[rule]), borrowed[1])


@pytest.mark.parametrize(
    ("table", "column", "rule"),
    [
        ("cash", "opening_musd", "cash_roll_forward"),
        ("cash", "net_musd", "net_cash"),
        ("cash", "closing_musd", "cash_roll_forward"),
        ("cash", "liquidity_musd", "cash_roll_forward"),
        ("cash", "minimum_musd", "cash_roll_forward"),
        ("debt", "opening_musd", "debt_roll_forward"),
        ("debt", "draws_musd", "debt_roll_forward"),
        ("debt", "repayments_musd", "debt_roll_forward"),
        ("debt", "closing_musd", "debt_roll_forward"),
        ("debt", "interest_musd", "interest_and_fees"),
        ("debt", "fees_musd", "interest_and_fees"),
        ("sources_and_uses", "musd", "sources_and_uses"),
        ("sources_and_uses", "musd", "sources_are_uses"),
        ("btc", "opening_btc", "btc_roll_forward"),
        ("btc", "mined_btc", "btc_roll_forward"),
        ("value", "within_musd", "value_table"),
        ("value", "after_musd", "value_table"),
    ],
)
def test_every_number_of_the_treasury_is_computed_again(
    borrowed: tuple[Case, Plan], table: str, column: str, rule: str
) -> None:
    """The largest of its column, a ten-thousandth up."""
    case, plan = borrowed
    numbers = plan.tables[table][column].reset_index(drop=True)
    row = int(numbers.abs().idxmax())
    assert numbers[row] and rule in broken(case, altered(plan, table, row, **{column: numbers[row] * 1.0001}))
