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
from hand_books import broken as not_clean
from hand_books import lines, written
from hand_cases import Row, discount, every, facility, lease_case, q

import optimizer as opt
from optimizer.auditors import audit, treasury
from optimizer.auditors.books import Books, exact
from optimizer.auditors.debt import life
from optimizer.auditors.debt import record as record_debt
from optimizer.auditors.tax import LossesCarried, depreciation, taxable_income
from optimizer.auditors.tax import record as record_tax
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


@pytest.mark.parametrize(
    ("coupon", "every_quarters", "paid"),
    [
        (q(3), 2, {1: 0.6, 3: 0.6, 5: 0.6}),
        (q(4), 2, {0: 0.6, 2: 0.6, 4: 0.6, 5: 0.3}),
        ("2031Q4", 2, {1: 0.6, 3: 0.6, 5: 0.6}),
        ("2019Q1", 2, {0: 0.6, 2: 0.6, 4: 0.6, 5: 0.3}),
        (q(2), 4, {2: 1.2, 5: 0.9}),
        (None, 1, every(0.3, 0, 6)),
    ],
)
def test_coupons_fall_in_their_months_and_pay_the_quarters_before_the_horizon(
    coupon: str | None, every_quarters: int, paid: dict[int, float]
) -> None:
    """$10M owed at first at 12%, 0.3 a quarter, to quarter 5. A coupon in quarter 0 pays that of the quarter before
    too; a yearly one in quarter 2 was last paid in the quarter before the last one of 2026.
    """
    owed = facility(drawn_musd=10, available_first=None, available_last=None, maturity=q(5), first_coupon=coupon)
    case = lease_case(facilities=[owed | {"interest_every_quarters": every_quarters}])
    assert column(books_of(case, paid={5: 10.0}), "interest") == near(paid)


def test_what_is_drawn_later_has_no_interest_before() -> None:
    """$20M drawn in quarter 1, with coupons in 1, 3 and 5: one quarter's interest, then two and two."""
    loan = facility(available_first=q(1), available_last=q(2), maturity=q(5), first_coupon=q(3))
    case = lease_case(facilities=[loan | {"interest_every_quarters": 2}])
    assert column(books_of(case, {1: 20.0}, {5: 20.0}), "interest") == near({1: 0.6, 3: 1.2, 5: 1.2})


RATES = {"corporate": 0.08, "mining": 0.15, "colo": 0.1}


def test_of_interest_only_what_exceeds_the_normal_cost_of_debt_is_value() -> None:
    """$20M owed; base rates of 0% to 5% and a spread of 4%, where debt costs 6%: 0, 0, 0, 1, 2, 3, 3 hundredths more.
    Coupons in 0, 2, 4 and at maturity in 6; the quarter before the horizon bears the first one's rate.
    """
    rates = [{"scenario": "base", "base_rate": "sofr", "quarter": q(t), "rate": 0.01 * t} for t in range(6)]
    loan = facility(drawn_musd=20, available_first=None, available_last=None, base_rate="sofr", margin=0.04)
    loan |= {"interest_every_quarters": 2, "first_coupon": q(0)}
    tables = {"facilities": [loan], "base_rates": rates}
    books = written(lease_case(**tables, discount_rates=RATES | {"debt": 0.06}))
    record_debt(books)
    paid = {0: 0.04 + 0.04, 2: 0.05 + 0.06, 4: 0.07 + 0.08, 6: 0.09 + 0.09}
    assert lines(books) == {
        "interest": near({t: -20 * share / 4 for t, share in paid.items()}),
        "excess_interest": near({4: -20 * 0.03 / 4, 6: -20 * 0.06 / 4}),
        "principal": near({6: -20}),
    }
    worth = sum(float(flow.worth_musd) for flow in books.flows)
    assert worth == near(-20 * (0.03 * discount(0.06, 4) + 0.06 * discount(0.06, 6)) / 4)
    without = written(lease_case(**tables, discount_rates=RATES))
    record_debt(without)
    assert "excess_interest" not in lines(without)


@pytest.mark.parametrize(
    ("debt", "excess"),
    [(None, {0: 0.02, 1: 0.02}), (0.11, every(0.02, 0, 2) | every(0.01, 2, 5)), (0.09, every(0.03, 0, 7))],
)
def test_what_is_drawn_costs_no_less_than_what_is_not(debt: float | None, excess: dict[int, float]) -> None:
    """$10M at 12%, 2% on what is undrawn in quarters 0 and 1: where debt costs 11% the fee is above what 12% exceeds.

    Else a loan would be drawn for nothing but to save its fee, since interest that is normal is no value.
    """
    rates = RATES if debt is None else RATES | {"debt": debt}
    books = books_of(lease_case(facilities=[facility(undrawn_fee=0.02)], discount_rates=rates), {0: 10.0})
    assert column(books, "excess") == near({t: 10 * share / 4 for t, share in excess.items()})


def test_a_fee_counts_at_the_cost_of_debt() -> None:
    """2% a year on $30M that are not drawn in quarters 0 and 1, at 6% where that is given, else at the corporate 8%."""
    loan = facility(drawn_musd=5, commitment_musd=35, undrawn_fee=0.02)
    for rates, rate in ((RATES | {"debt": 0.06}, 0.06), (RATES, 0.08)):
        books = written(lease_case(facilities=[loan], discount_rates=rates))
        record_debt(books)
        fees = sum(float(flow.worth_musd) for flow in books.flows if flow.line == "fee")
        assert fees == near(-0.15 * (discount(rate, 0) + discount(rate, 1)))


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


def test_tax_is_that_of_a_company_without_debt_and_its_losses_live_on_after_the_horizon() -> None:
    """$24M over four quarters from 4 on, whatever its tenant advances, $1M at once in 5, a refit of $8M from 7 on.

    Profits of -6, 6-7, -6, 9-8, 20-2, -2, -2 in quarters 4 to 10: losses of 13 meet 1 and 12 of 18, so that $6M are
    taxed in quarter 8, and the last 4 are worth nothing. A careless half taxes quarter 7 and pays back 6, 9 and 10.
    """
    lives = [{"line": "facility_capex", "quarters": 4}, {"line": "mobilisation", "quarters": 1}]
    books = written(lease_case(tax_rate=0.25, depreciation=lives))
    flows = [("facility_capex", 4, -24), ("tenant_capex", 4, 8), ("mobilisation", 5, -1), ("gpu_capex", 3, -7)]
    flows += [("rent", 5, 6), ("rent", 7, 9), ("rent", 8, 20), ("facility_capex", 7, -8), ("residual", 6, 30)]
    untaxed = ("btc_sales", "interest", "cash_interest", "fee", "excess_interest", "prepayments", "tenant_credits")
    flows += [(line, 4, 50) for line in untaxed]
    for line, t, musd in flows:
        books.record(line, Q(q(t)), Decimal(musd), "colo")
    deducted = {quarter - books.case.first: float(musd) for quarter, musd in depreciation(books).items()}
    income = {quarter - books.case.first: float(musd) for quarter, musd in taxable_income(books).items()}
    assert deducted == near({4: 6, 5: 7, 6: 6, 7: 6 + 2, 8: 2, 9: 2, 10: 2})
    assert income == near({5: 6, 7: 9, 8: 20})
    record_tax(books)
    assert lines(books)["tax"] == near({8: -1.5})


def test_losses_after_the_horizon_offset_their_share_of_a_profit() -> None:
    """60% of a profit of 10 in quarter 7 may be offset by the 8 lost in quarter 5: 4 are taxed, then 10 less 2."""
    books = written(lease_case(tax_rate=0.25, tax_loss_use=0.6))
    for t, musd in ((5, -8), (7, 10), (9, 10)):
        books.record("rent", Q(q(t)), Decimal(musd), "colo")
    record_tax(books)
    assert lines(books)["tax"] == near({7: -1, 9: -2})


# ---- BTC -------------------------------------------------------------------------------------------------------


def btc_found(closing: list[float], *, decide: bool = True, cash: float = 5, **settings: Any) -> set[str]:
    """Rules of BTC that a treasury breaks which opens with 10 BTC and holds so many after each quarter."""
    table = [{"quarter": q(t), "closing_btc": btc} for t, btc in enumerate(closing)]
    row = {"closing_musd": cash, "liquidity_musd": cash, "minimum_musd": 3.0}
    money = [row | {"quarter": q(t)} for t in range(len(closing))]
    rules = {"minimum_btc", "btc_sales_per_quarter", "btc_schedule", "minimum_liquidity", "btc_kept_until_needed"}
    case = lease_case(btc_held=10).replace(**settings)
    return not_clean(treasury.checks(written(case, decide=decide, btc=table, cash=money))) & rules


@pytest.mark.parametrize(
    ("closing", "settings", "found"),
    [
        ([10, 6, 6, 4, 4, 4], {"minimum_btc": 4, "max_btc_sales_per_quarter": 4}, set()),
        ([10, 6, 6, 3.9, 4, 4], {"minimum_btc": 4}, {"minimum_btc"}),
        ([10, 6, 6, 1.9, 0, 0], {"max_btc_sales_per_quarter": 4}, {"btc_sales_per_quarter"}),
        ([5.9, 5, 5, 5, 5, 5], {"max_btc_sales_per_quarter": 4}, {"btc_sales_per_quarter"}),
    ],
)
def test_the_treasury_keeps_its_policies_of_btc(closing: list[float], settings: Row, found: set[str]) -> None:
    assert btc_found(closing, **settings) == found


@pytest.mark.parametrize(
    ("closing", "found"),
    [
        ([10, 7, 7, 5, 5, 5], set()),
        ([10, 7, 7, 7, 7, 7], {"btc_schedule"}),
        ([10, 7, 7, 5, 5, 4], {"btc_schedule"}),
        ([7, 7, 7, 5, 5, 5], {"btc_schedule"}),
    ],
)
@pytest.mark.parametrize("decide", [True, False])
def test_btc_are_sold_by_their_schedule(closing: list[float], found: set[str], decide: bool) -> None:
    """Three in quarter 1 and two in quarter 3, no more, no fewer and not before; also where nothing is decided."""
    schedule = [{"quarter": q(1), "btc": 3.0}, {"quarter": q(3), "btc": 2.0}]
    assert btc_found(closing, decide=decide, btc_rule="schedule", btc_schedule=schedule) == found


@pytest.mark.parametrize(
    ("closing", "settings", "found"),
    [
        ([8] * 6, {}, {"minimum_liquidity"}),
        ([0] * 6, {}, set()),
        ([8] * 6, {"minimum_btc": 8}, set()),
        ([8, 6, 4, 2, 0, 0], {"max_btc_sales_per_quarter": 2}, set()),
        ([8, 6, 5, 3, 1, 0], {"max_btc_sales_per_quarter": 2}, {"minimum_liquidity"}),
    ],
)
def test_a_company_that_only_goes_on_sells_the_btc_that_it_may_before_it_falls_short(
    closing: list[float], settings: Row, found: set[str]
) -> None:
    """Cash of $2M where three are to be kept: it may keep only BTC that its own policies hold back."""
    assert btc_found(closing, decide=False, cash=2, **settings) == found


def test_a_company_that_only_goes_on_keeps_its_btc_until_it_needs_them() -> None:
    """With $5M where three are to be kept it sells none; a plan that decides may sell."""
    assert btc_found([10, 9, 9, 9, 9, 9], decide=False) == {"btc_kept_until_needed"}
    assert btc_found([10, 9, 9, 9, 9, 9], decide=False, cash=3) == set()
    assert btc_found([10, 9, 9, 9, 9, 9]) == set()


# ---- a treasury ------------------------------------------------------------------------------------------------


def loans(**project: Any) -> list[Row]:
    row = {"first_coupon": q(1), "commitment_musd": 20, "maturity": q(9), "interest_every_quarters": 2, "margin": 0.05}
    row |= {"upfront_fee": 0.01, "undrawn_fee": 0.01, "loan_to_cost": 0.7, "dscr": 1.05, "dscr_from": q(3)}
    row |= {"prepayable": True, "requires_offer": "lease", "base_rate": "sofr"}
    owed = {"commitment_musd": 6, "drawn_musd": 6, "available_first": None, "available_last": None, "maturity": q(2)}
    new = {"commitment_musd": 6, "available_first": q(2), "available_last": q(2), "maturity": q(5), "margin": 0.1}
    return [
        facility("project", **(row | project)),
        facility("notes", minimum_cash_musd=2, margin=0.03, **owed),
        facility("new notes", refinances="notes", prepayable=True, **new),
    ]


NORTH: list[Row] = [{"facility": "project", "option": "north hall"}]
SOUTH: list[Row] = [{"facility": "project", "option": "south hall"}]
OLD_COUPON: Row = {"quarter": q(4), "name": "old coupon", "kind": "interest", "musd": 0.11}


def treasury_case(**changes: Any) -> Case:
    schedule = [{"facility": "project", "quarter": q(t), "share": 0.25} for t in (4, 5, 7, 9)]
    rates = [{"scenario": "base", "base_rate": "sofr", "quarter": q(t), "rate": 0.03 + 0.001 * t} for t in range(6)]
    money = {"opening_cash_musd": 5, "minimum_cash_musd": 1, "cash_rate": 0.02, "tax_rate": 0.25}
    money |= {"tax_losses_musd": 1, "tax_loss_use": 0.6, "btc_held": 40, "btc_liquidity_share": 0.5}
    tables: dict[str, Any] = {
        "facilities": loans(),
        "amortisation": schedule,
        "base_rates": rates,
        "depreciation": [{"line": "facility_capex", "quarters": 8}],
        "fleet": [{"site": "south", "asic": "miner", "gross_mw": 4}],
        "bitcoin": {"hashprice_usd_per_ph_day": 60, "btc_usd": [100_000 + 9000 * t for t in range(6)]},
        "obligations": [OLD_COUPON],
        "collateral": NORTH,
        "overheads": {"g_and_a_musd": 0.01},
    }
    return lease_case(btc_rule="free", **(money | tables | changes))


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


def test_btc_are_no_value_kept_or_sold() -> None:
    """BTC that double each quarter: kept by a treasury that may, they move cash and neither value nor residual."""
    prices = {"btc_usd": [90_000 * 2**t for t in range(6)]}
    schedule = {"btc_rule": "schedule", "btc_schedule": [{"quarter": q(1), "btc": 3}]}
    without, kept, sold = (
        opt.solve(lease_case(btc_held=btc, bitcoin=prices).replace(**settings))
        for btc, settings in ((0, {}), (3, {}), (3, schedule))
    )
    assert kept.value_musd == sold.value_musd == near(without.value_musd)
    assert [float(plan.btc["closing_btc"].iloc[-1]) for plan in (kept, sold)] == [3, 0]
    assert not (kept.after_horizon["source"] == "BTC held").any()
    assert float(sold.cash["closing_musd"].iloc[-1] - kept.cash["closing_musd"].iloc[-1]) == near(3 * 0.18)


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
    "loan_to_cost": {"facilities": loans(loan_to_cost=0.6)},
    "ring_fence": {"collateral": SOUTH, "facilities": loans(requires_offer=None)},
    "required_contract": {"collateral": SOUTH},
    "debt_coverage": {"facilities": loans(dscr=9)},
    "lenders_cash": {"facilities": loans(minimum_cash_musd=2.1)},
    "refinancing": {"facilities": [*loans()[:2], loans()[2] | {"refinances": "project"}]},
    "interest_and_fees": {"facilities": loans(margin=0.0501)},
    "net_cash": {"tax_rate": 0.26},
    "cash_roll_forward": {"opening_cash_musd": 8.6},
    "value_tie": {"discount_rates": RATES | {"colo": 0.101}},
    "cash_flow_table": {"cash_rate": 0.019},
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
