"""What lenders ask for, by hand: costs and margins written into books, and loans that ask for a little too much.

The case is that of `hand_cases`: 2027Q1 is quarter 0, the horizon ends with quarter 5, both sites have a hall for
`colo`. Loans bear 12% a year, 3% a quarter, and are bullets in quarter 6, unless a row says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hand_books import broken, written
from hand_cases import Row, every, facility, lease_case, q

from optimizer.auditors import coverage, lenders
from optimizer.auditors.books import Books, exact
from optimizer.auditors.collateral import Pledges
from optimizer.auditors.coverage import Coverage
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

pytestmark = pytest.mark.core

Q = Quarter.parse
NORTH, SOUTH = ["north hall"], ["south hall"]
BOTH = [*NORTH, *SOUTH]


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    with exact():
        yield


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-12, abs=1e-12)


def loans(facilities: list[Row], halls: dict[str, list[str]], **changes: Any) -> Case:
    pledged = [{"facility": name, "option": option} for name, options in halls.items() for option in options]
    return lease_case(facilities=facilities, collateral=pledged, **changes)


def books_of(case: Case, draws: dict[str, dict[int, float]], **tables: list[Row]) -> Books:
    """A plan that draws so much and, unless told otherwise, ends with cash enough for all it owes."""
    tables = {"cash": [{"quarter": q(5), "closing_musd": 999.0}]} | tables
    debt = [
        {"facility": name, "quarter": q(t), "opening_musd": 0.0, "draws_musd": musd, "repayments_musd": 0.0}
        | {"closing_musd": 0.0, "interest_musd": 0.0, "fees_musd": 0.0}
        for name, by_quarter in draws.items()
        for t, musd in by_quarter.items()
    ]
    return written(case, debt=debt, **tables)


def spend(books: Books, line: str, site: str, musd: dict[int, float], product: str = "colo") -> None:
    for t, amount in musd.items():
        books.record(line, Q(q(t)), Decimal(str(amount)), product, site, f"{site} hall")


# ---- a share of cost -------------------------------------------------------------------------------------------


def on_cost(a: float, b: float, halls: dict[str, list[str]]) -> set[str]:
    """Loans a (60% of cost) and b (50%) owe so much from quarter 1 on.

    The north cost $24M less $4M of its tenant's, the south $10M.
    """
    rows = [facility(name, loan_to_cost=share, commitment_musd=90) for name, share in (("a", 0.6), ("b", 0.5))]
    books = books_of(loans(rows, halls), {"a": {1: a}, "b": {1: b}})
    spend(books, "facility_capex", "north", {0: -7.2, 1: -16.8})
    spend(books, "tenant_capex", "north", {1: 4.0})
    spend(books, "facility_capex", "south", {1: -10.0, 2: -50.0})
    return broken(lenders.checks(books)) & {"loan_to_cost", "joint_loan_to_cost"}


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        (12, 8, set()),
        (12.01, 1, {"loan_to_cost"}),
        (11, 9.01, {"joint_loan_to_cost"}),
        (10, 10, set()),
    ],
)
def test_two_loans_on_one_hall_lend_no_more_than_it_cost(a: float, b: float, found: set[str]) -> None:
    """60% and 50% of $20M are $12M and $10M, but together $20M: a hall that is lent on twice is paid for once."""
    assert on_cost(a, b, {"a": NORTH, "b": NORTH}) == found


@pytest.mark.parametrize(("a", "b", "found"), [(11, 14, set()), (11, 14.01, {"joint_loan_to_cost"})])
def test_a_corporate_loan_lends_on_all_halls(a: float, b: float, found: set[str]) -> None:
    """b lends half of $30M = $15M alone; with a on the north: all of its $20M and half of the south's $10M, $25M."""
    assert on_cost(a, b, {"a": NORTH}) == found


def test_loans_on_halls_apart_do_not_bind_each_other() -> None:
    assert on_cost(12, 5, {"a": NORTH, "b": SOUTH}) == set()
    assert on_cost(12, 5.01, {"a": NORTH, "b": SOUTH}) == {"loan_to_cost"}


def test_tenants_money_ahead_of_cost_allows_no_debt_and_forbids_none_that_is_not_there() -> None:
    rows = [facility("a", loan_to_cost=0.6)]
    for drawn, found in ((0.0, set()), (0.1, {"loan_to_cost", "ring_fence"})):
        books = books_of(loans(rows, {"a": NORTH}), {"a": {0: drawn}} if drawn else {})
        spend(books, "tenant_capex", "north", {0: 4.0})
        assert broken(lenders.checks(books)) == found


@pytest.mark.parametrize(
    ("draws", "found"),
    [
        ((5, 2, 3), set()),
        ((7.21, 0, 0), {"ring_fence"}),
        ((5, 2.21, 0), {"joint_draws"}),
        ((5, 2, 3.21), {"joint_draws"}),
        ((0, 0, 3.1), set()),
    ],
)
def test_secured_loans_draw_together_what_their_halls_cost_in_the_quarter(
    draws: tuple[float, float, float], found: set[str]
) -> None:
    """a and b on the north's $7.2M, c on that and the south's $3M: all three at most $10.2M."""
    case = loans([facility(name) for name in "abc"], {"a": NORTH, "b": NORTH, "c": BOTH})
    books = books_of(case, {name: {1: musd} for name, musd in zip("abc", draws, strict=True)})
    spend(books, "facility_capex", "north", {0: -40.0, 1: -7.2})
    spend(books, "facility_capex", "south", {1: -3.0})
    assert broken(lenders.checks(books)) == found


def test_a_chain_of_halls_binds_together() -> None:
    """a on the north ($7.2M), c on the south ($3M), b on both: each pair fits, all three do not."""
    case = loans([facility(name) for name in "abc"], {"a": NORTH, "b": BOTH, "c": SOUTH})
    for b, found in ((3.2, set()), (3.21, {"joint_draws"})):
        books = books_of(case, {"a": {1: 5.0}, "b": {1: b}, "c": {1: 2.0}})
        spend(books, "facility_capex", "north", {1: -7.2})
        spend(books, "facility_capex", "south", {1: -3.0})
        assert broken(lenders.checks(books)) == found


def test_what_a_hall_is_let_as_without_its_gpus_secures_no_loan() -> None:
    """A loan on GPUs is repaid while they live: what is refitted for another product is no cost of its halls."""
    products = [row.model_dump() for row in lease_case().products]
    life = {"option": "north hall", "life_quarters": 2, "residual_share": 0.1, "refresh_musd_per_it_mw": None}
    tables: dict[str, Any] = {
        "products": [*products, products[0] | {"product": "racks"}],
        "product_markets": [
            row.model_dump() | {"product": name} for row in lease_case().product_markets for name in ("colo", "racks")
        ],
        "gpu_lives": [life | {"relet_product": "racks", "refit_musd_per_it_mw": 0.5}],
        "options": {"gpu_musd_per_it_mw": 2},
    }
    case = loans([facility("a", loan_to_cost=0.5)], {"a": NORTH}, **tables)
    for musd, found in ((5.0, set()), (5.1, {"loan_to_cost"})):
        books = books_of(case, {"a": {1: musd}})
        spend(books, "facility_capex", "north", {1: -10.0})
        spend(books, "facility_capex", "north", {1: -2.0}, "racks")
        assert broken(lenders.checks(books)) == found


# ---- contracts, cash, predecessors -----------------------------------------------------------------------------


def test_a_loan_against_a_contract_needs_it_in_a_hall_that_secures_it() -> None:
    contract: Row = {"offer": "lease", "customer": "Ada", "product": "colo", "site": "north"}
    for halls, signed, found in (
        ({"a": NORTH}, [contract], set()),
        ({"a": NORTH}, [], {"required_contract"}),
        ({"a": SOUTH}, [contract], {"required_contract"}),
        ({}, [contract], set()),
    ):
        books = books_of(loans([facility("a", requires_offer="lease")], halls), {"a": {1: 2.0}}, contracts=signed)
        for site in ("north", "south"):
            spend(books, "facility_capex", site, {1: -9.0})
        assert broken(lenders.checks(books)) == found


# ---- cover -----------------------------------------------------------------------------------------------------

MARGIN = 1.3


def covered(
    rows: list[Row], halls: dict[str, list[str]], draws: dict[str, dict[int, float]], margin: float = MARGIN
) -> Coverage:
    """The north's rent of $1.5M less what its tenant is credited, and no prepayment, from quarter 2 to 7."""
    books = books_of(loans(rows, halls), draws)
    spend(books, "rent", "north", every(margin + 0.2, 2, 6))
    spend(books, "tenant_credits", "north", every(-0.2, 2, 6))
    spend(books, "prepayments", "north", {2: 50.0})
    spend(books, "rent", "south", every(0.7, 2, 4))
    return Coverage(books)


def ranked(first: float, second: float) -> tuple[list[Row], dict[str, dict[int, float]]]:
    """A senior loan of $30M at 12% ($0.9M a quarter) and one behind it of $10M at 8% ($0.2M)."""
    senior = facility("senior", dscr=first, dscr_from=q(2))
    junior = facility("junior", dscr=second, dscr_from=q(2), margin=0.08, rank=2)
    return [senior, junior], {"senior": {0: 30.0}, "junior": {0: 10.0}}


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [(1.44, 1.18, []), (1.45, 1.18, ["senior"]), (1.44, 1.19, ["junior"]), (1.2, 6.5, ["junior"])],
)
def test_a_junior_loan_covers_the_senior_one_too(first: float, second: float, found: list[str]) -> None:
    """$1.3M over $0.9M is 1.444; over $1.1M 1.1818, though over the junior's own $0.2M it is 6.5."""
    rows, draws = ranked(first, second)
    cover = covered(rows, {"senior": NORTH, "junior": NORTH}, draws)
    checks = [check for check in coverage.checks(cover.books) if check.name == "debt_coverage"]
    assert [breach.where.split()[0] for check in checks for breach in check.breaches] == found * 4


def test_who_counts_with_whom() -> None:
    """Equal ranks count each other where they share a hall; the company's own counts all, and is counted by its own."""
    rows = [facility("a"), facility("b", rank=2), facility("c"), facility("d"), facility("e", rank=3)]
    pledges = Pledges(books_of(loans(rows, {"a": NORTH, "b": BOTH, "c": SOUTH}), {}))
    counted = {name: set(pledges.counted_with(pledges.facilities[name])) for name in "abcde"}
    assert counted == {"a": {"a"}, "b": set("abc"), "c": {"c"}, "d": set("acd"), "e": set("abcde")}


def test_only_the_margin_of_its_halls_covers_a_loan() -> None:
    rows = [facility("a"), facility("b"), facility("c")]
    cover = covered(rows, {"a": NORTH, "b": BOTH}, {"a": {0: 1.0}, "b": {0: 1.0}, "c": {0: 1.0}})
    margins = [float(cover.margin(cover.pledges.facilities[name], Q(q(3)))) for name in "abc"]
    assert margins == near([1.3, 2.0, 2.0])


def test_what_is_repaid_at_maturity_is_no_service_but_what_is_scheduled_before_is() -> None:
    """$10M, a tenth of it due in quarter 3 and the rest in 4: 0.3 + 1 in quarter 3, 0.27 of interest alone in 4."""
    due = [{"facility": "a", "quarter": q(t), "share": share} for t, share in ((3, 0.1), (4, 0.9))]
    case = loans([facility("a", maturity=q(4))], {"a": NORTH}, amortisation=due)
    paid: Row = {"facility": "a", "opening_musd": 0.0, "closing_musd": 0.0, "interest_musd": 0.0, "fees_musd": 0.0}
    debt = [
        paid | {"quarter": q(t), "draws_musd": d, "repayments_musd": r} for t, d, r in ((0, 10.0, 0.0), (3, 0, 1.0))
    ]
    cover = Coverage(written(case, debt=debt))
    assert [float(cover.service("a", Q(q(t)))) for t in (2, 3, 4, 5)] == near([0.3, 1.3, 0.27, 0])


def test_ratios_to_what_is_still_to_come() -> None:
    """At quarter 2: five quarters of $1.3M to maturity in 6, six to the last contract's end, at 3% a quarter, over
    $30M of the senior loan; the junior's at 2% over $40M of both."""
    rows, draws = ranked(1, 1)
    cover = covered(rows, {"senior": NORTH, "junior": NORTH}, draws)
    senior, junior = (cover.cover(cover.pledges.facilities[name], Q(q(2))) for name in ("senior", "junior"))
    assert float(senior.llcr) == near(MARGIN * sum(1.03**-i for i in range(1, 6)) / 30)
    assert float(senior.plcr) == near(MARGIN * sum(1.03**-i for i in range(1, 7)) / 30)
    assert float(junior.llcr) == near(MARGIN * sum(1.02**-i for i in range(1, 6)) / 40)
    assert (float(senior.dscr), float(junior.dscr)) == near((1.3 / 0.9, 1.3 / 1.1))
    assert (float(junior.required), float(junior.headroom)) == near((1.1, 0.2))


def rows_of(cover: Coverage) -> list[Row]:
    """The table of coverage of a loan of $30M at 12%, worked out with plain numbers."""
    found = []
    for t in range(6):
        margin, tested = (MARGIN if t >= 2 else 0.0), (1.4 * 0.9 if t >= 2 else 0.0)
        to_come = [sum(MARGIN * 1.03 ** -(k - t + 1) for k in range(max(t, 2), end)) / 30 for end in (7, 8)]
        row: Row = {"scenario": "base", "facility": "a", "quarter": Q(q(t)), "margin_musd": margin}
        row |= {"service_musd": 0.9, "required_musd": tested, "headroom_musd": margin - tested}
        found.append(row | {"dscr": margin / 0.9, "llcr": to_come[0], "plcr": to_come[1]})
    return found


def table_found(cover: Coverage, rows: list[Row]) -> set[str]:
    numbers = [{key: Decimal(str(v)) if isinstance(v, float) else v for key, v in row.items()} for row in rows]
    cover.books.tables = {**cover.books.tables, "coverage": tuple(numbers)}
    return broken(coverage.checks(cover.books))


def test_the_table_of_coverage_is_computed_again() -> None:
    cover = covered([facility("a", dscr=1.4, dscr_from=q(2))], {"a": NORTH}, {"a": {0: 30.0}})
    rows = rows_of(cover)
    assert table_found(cover, rows) == set()
    for column in ("margin_musd", "service_musd", "required_musd", "headroom_musd", "dscr", "llcr", "plcr"):
        rule = "coverage_table" if column.endswith("musd") else "coverage_ratios"
        forged = [*rows[:3], rows[3] | {column: rows[3][column] * 1.0001}, *rows[4:]]
        assert table_found(cover, forged) == {rule}, column
    assert table_found(cover, rows[1:]) == {"coverage_table"}
    assert table_found(cover, [*rows, rows[5] | {"quarter": Q(q(6))}]) == {"coverage_table"}
    assert table_found(cover, [*rows[:3], rows[3] | {"dscr": float("nan")}, *rows[4:]]) == {"coverage_ratios"}


# ---- the end ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, set()),
        ({"end_coverage": 0.87}, set()),
        ({"end_coverage": 0.86}, {"owed_at_the_end"}),
        ({"minimum_cash_musd": 9}, {"owed_at_the_end"}),
        ({"end_coverage": 0.87, "discount_rates": {"corporate": 0.08, "debt": 0.2}}, {"owed_at_the_end"}),
    ],
)
def test_what_is_owed_at_the_end_is_covered_by_what_comes_after(changes: dict[str, Any], found: set[str]) -> None:
    """$30M owed, $12M of cash, $5M to be kept: $23M. To come: rent of 20, tax of 3, rent of 0.1 not (it came before),
    and a residual of 10 a quarter later: 17 x 1.06^-0.125 + 10 x 1.06^-0.25 = 26.73; 87% of it 23.25, 86% 22.99.
    At 20% a year 87% of it is 22.77.
    """
    rates = {"corporate": 0.08, "colo": 0.1, "debt": 0.06}
    settings = {"minimum_cash_musd": 5, "discount_rates": rates} | changes
    cash: list[Row] = [{"quarter": q(5), "closing_musd": 12.0}]
    books = books_of(loans([facility("a")], {}, **settings), {"a": {0: 30.0}}, cash=cash)
    spend(books, "rent", "north", {5: 0.1, 6: 20.0})
    books.record("tax", Q(q(6)), Decimal(-3), "corporate", source="tax")
    books.record("interest", Q(q(6)), Decimal(-9), "corporate", source="a")
    books.record_residual(Decimal(10), "colo", "north", "north hall", Q(q(7)))
    assert broken(lenders.checks(books)) == found


def test_nothing_is_asked_of_a_company_that_can_borrow_nothing() -> None:
    owed = facility("a", drawn_musd=30, available_first=None, available_last=None)
    for decide, rows in ((True, [owed]), (False, [facility("b"), owed])):
        books = written(loans(rows, {}), decide=decide, cash=[{"quarter": q(5), "closing_musd": 0.0}])
        assert broken(lenders.checks(books)) == set()
