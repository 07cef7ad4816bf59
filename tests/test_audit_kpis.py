"""Key figures, value and proof: the accountant's own sums, and that no stated figure can be changed unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hand_cases import AI, CORPORATE, discount, every, facility, hall, lease_case, q, rents

import optimizer as opt
from optimizer.auditors import audit
from optimizer.auditors.books import Books, exact
from optimizer.auditors.kpis import LEVERED_TOO, UNLEVERED, _covers, _falls_once, _mining_on, _worth_at, gained
from optimizer.auditors.value import tie, worth, worth_after
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter
from optimizer.plan.plan import Plan


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def lease() -> tuple[Case, Plan]:
    """The lease of 8 IT MW from quarter 2, its hall begun in quarter 0, G&A of $0.2M a quarter, a note of $2M due."""
    note = {"quarter": q(3), "name": "note", "kind": "principal", "musd": 2}
    case = lease_case(overheads={"g_and_a_musd": 0.2}, obligations=[note], fleet=[], opening_cash_musd=60)
    return case, opt.solve(case)


def books_of(case: Case, plan: Plan) -> Books:
    """The plan's books with the flows of its own statement: what they are worth needs no auditor of a use."""
    return recorded(Books.of(plan, case))


def recorded(books: Books) -> Books:
    for row in (*books.table("cash_flow"), *books.table("after_horizon")):
        books.record(row["line"], row["quarter"], row["musd"], row["business"], row["site"])
    return books


def broken(case: Case, plan: Plan) -> set[str]:
    report = audit(case, plan)
    return {check.name for check in (*report.checks, *report.nothing, *report.mining_on) if not check.clean}


# ---- value -----------------------------------------------------------------------------------------------------


def test_value_leaves_principal_out_and_counts_what_lies_after(lease: tuple[Case, Plan]) -> None:
    """A hall of $24M, 20 quarters of rent at 90%, six of them... the last 16 after the horizon; G&A at 8%."""
    case, plan = lease
    overheads = sum(0.2 * discount(CORPORATE, t) for t in range(6))
    with exact():
        books = books_of(case, plan)
        assert float(worth(books)) == near(rents(4.8, 2, 20) - hall() - overheads)
        assert float(worth_after(books)) == near(rents(4.8, 6, 16))
        assert tie(books) == Decimal("1e-6")
    assert broken(case, plan) == set()


def test_a_tie_widens_with_what_is_summed(lease: tuple[Case, Plan]) -> None:
    with exact():
        books = Books.of(lease[1], lease[0])
        for musd in (5000, -5000):
            books.flows.append(_flow(musd))
        assert tie(books) == Decimal("1e-5")


def _flow(musd: int) -> Any:
    from optimizer.auditors.books import Flow

    return Flow(Quarter.parse(q(0)), "rent", "colo", "north", "lease", Decimal(musd), Decimal(1))


# ---- the programme ---------------------------------------------------------------------------------------------


def flows(**eighths: float) -> dict[int, Decimal]:
    return {int(when[1:]): Decimal(str(musd)) for when, musd in eighths.items()}


def test_what_falls_on_a_first_day_is_half_a_quarter_nearer() -> None:
    """110 on the first day of the fifth quarter: a year on; 121 in the middle of the eighth: 15 eighths."""
    with exact():
        assert float(_worth_at(flows(a0=-100, a8=110), Decimal("0.1"))) == near(0)
        assert float(_worth_at(flows(a15=121), Decimal("0.21"))) == near(121 / 1.21 ** (15 / 8))
        assert _worth_at({}, Decimal("0.1")) == 0


@pytest.mark.parametrize(
    ("programme", "told"),
    [
        (flows(a0=-100, a8=110), True),
        (flows(a0=100, a8=-110), False),
        (flows(a0=-100, a8=230, a16=-132), False),
        (flows(a0=100, a8=110), False),
        (flows(a0=-1, a8=500), False),
        ({}, False),
    ],
    ids=["invests, then earns", "takes, then pays", "two returns", "only earns", "above 1000%", "nothing"],
)
def test_a_return_is_one_fall_from_gain_to_loss(programme: Mapping[int, Decimal], told: bool) -> None:
    assert _falls_once(programme) is told


def test_the_programmes_return_and_payback_are_those_of_the_lease(lease: tuple[Case, Plan]) -> None:
    """$24M out in quarters 0 and 1, $4.32M a quarter from 2 on: paid back in the sixth of them, quarter 7."""
    case, plan = lease
    assert plan.nothing is not None
    with exact():
        books = books_of(case, plan)
        nothing = recorded(Books.of(plan, case, decide=False))
        programme = {when: float(musd) for when, musd in gained(books, nothing).items() if musd}
        rate = Decimal(str(plan.kpis["unlevered_return"]))
        assert abs(_worth_at(gained(books, nothing), rate)) < Decimal("1e-6")
    assert programme == near({1: -7.2, 3: -16.8} | {2 * t + 1: 4.32 for t in every(0, 2, 20)})
    assert plan.kpis["unlevered_payback_quarter"] == plan.kpis["levered_payback_quarter"] == q(7)
    assert rents(4.8, 2, 20) > hall() and float(rate) > AI


# ---- customers' and lenders' money -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def advanced() -> tuple[Case, Plan]:
    """The lease for a year and half a year more at nine tenths; its tenant advances $4M in quarter 1, at no interest.

    It is credited at 40% of four bills of $4.8M: 1.92, 1.92, 0.16.
    """
    funding = {"offer": "lease", "musd_per_it_mw": 0.5, "paid_quarters_before": 1, "credit_share": 0.4, "rate": 0}
    case = lease_case(
        {"term_quarters": 4},
        tenant_funding=[funding],
        extensions=[{"offer": "lease", "step": 1, "quarters": 4, "price_share": 0.9}],
        product_markets={"price": 200},
        discount_rates={"corporate": CORPORATE, "colo": AI, "debt": 0.05},
    )
    return case, opt.solve(case)


CREDITS = {2: -1.92, 3: -1.92, 4: -0.16}


def test_a_loan_from_a_tenant_is_no_business_but_its_shareholders_feel_it(advanced: tuple[Case, Plan]) -> None:
    case, plan = advanced
    rent = {2 * t + 1: 4.32 for t in every(0, 2, 4)} | {2 * t + 1: 4.32 * 0.9 for t in every(0, 6, 4)}
    business = {1: -7.2, 3: -16.8} | rent
    lent = {3: 4.0} | {2 * t + 1: musd for t, musd in CREDITS.items()}
    with exact():
        books, nothing = books_of(case, plan), recorded(Books.of(plan, case, decide=False))
        flows = [
            {when: float(musd) for when, musd in gained(books, nothing, one).items() if musd}
            for one in (UNLEVERED, LEVERED_TOO)
        ]
    assert flows == [near(business), near({when: musd + lent.get(when, 0) for when, musd in business.items()})]
    assert plan.kpis["levered_return"] > plan.kpis["unlevered_return"]
    assert broken(case, plan) == set()


def test_figures_of_tenants_money_and_of_their_options(advanced: tuple[Case, Plan]) -> None:
    """Capex of $24M, whatever the tenant advances; what is lent counts at 5%; its option adds quarters 6 to 9."""
    case, plan = advanced
    assert plan.kpis["capex_musd"] == near(24)
    assert (plan.kpis["tenant_advances_musd"], plan.kpis["advances_paid_back_musd"]) == (near(4), near(4))
    assert plan.kpis["value_after_firm_terms_musd"] == near(sum(4.32 * 0.9 * discount(AI, t) for t in range(6, 10)))
    lent = {1: 4.0} | CREDITS
    customers = plan.value[plan.value["line"].isin(["tenant_capex", "tenant_credits"])]
    at_debt = sum(musd * discount(0.05, t) for t, musd in lent.items())
    assert customers[["within_musd", "after_musd"]].to_numpy().sum() == near(at_debt)
    for name in ("tenant_advances_musd", "advances_paid_back_musd", "value_after_firm_terms_musd", "capex_musd"):
        assert "key_figures" in broken(case, with_figure(plan, name, plan.kpis[name] + 0.01)), name


def cover(case: Case, plan: Plan, kpis: Mapping[str, Any]) -> set[str]:
    """What is wrong with figures of cover: 1.3 times and $2M of room in quarters 1 and 3, more elsewhere."""
    columns = ("dscr", "headroom_musd", "required_musd")
    rows = [
        {"facility": name, "quarter": Quarter.parse(q(t))} | dict(zip(columns, map(Decimal, numbers), strict=True))
        for name, t, *numbers in (
            ("loan", 0, "NaN", "1", "0"),
            ("loan", 1, "1.3", "2", "4"),
            ("loan", 2, "1.4", "3", "4"),
            ("loan", 3, "1.3", "2", "4"),
            ("bond", 1, "0.9", "0", "0"),
        )
    ]
    told = dict.fromkeys(["lowest_dscr_facility", "lowest_dscr_quarter", "lowest_headroom_quarter"]) | dict(kpis)
    books = Books.of(replace(plan, kpis=told), case)
    with exact():
        found = _covers(replace(books, tables={**books.tables, "coverage": tuple(rows)}))
        return {check.name for check in found if not check.clean}


def test_the_least_cover_is_that_of_a_quarter_in_which_it_is_asked_for(advanced: tuple[Case, Plan]) -> None:
    """Nobody asks anything of the bond, though it has the lowest cover and no room. The loan is tested from 1 on."""
    case, plan = advanced
    dscr = {"lowest_dscr": 1.3, "lowest_dscr_facility": "loan", "lowest_dscr_quarter": q(1)}
    room = {"lowest_headroom_musd": 2.0, "lowest_headroom_facility": "loan", "lowest_headroom_quarter": q(1)}
    assert cover(case, plan, dscr | room) == set()
    for changed in (
        {"lowest_dscr": 0.9, "lowest_dscr_facility": "bond"},
        {"lowest_dscr_facility": "bond"},
        {"lowest_dscr_quarter": q(2)},
        {"lowest_dscr": None},
    ):
        assert cover(case, plan, dscr | room | changed) == {"key_lowest_dscr"}, changed
    for changed in (
        {"lowest_headroom_musd": 1.0, "lowest_headroom_quarter": q(0)},
        {"lowest_headroom_quarter": q(3)},
        {"lowest_headroom_musd": 0.0, "lowest_headroom_facility": "bond"},
        {"lowest_headroom_musd": None},
    ):
        assert cover(case, plan, dscr | room | changed) == {"key_lowest_headroom"}, changed


def test_where_mining_on_is_not_possible_its_quarter_and_sum_stand_together(lease: tuple[Case, Plan]) -> None:
    case, plan = lease
    when, short = "mining_on_breaks_quarter", "mining_on_short_musd"
    for there, kpis, holds in (
        (True, {}, True),
        (True, {when: q(1), short: 2.0}, False),
        (False, {}, True),
        (False, {when: q(1), short: 2.0}, True),
        (False, {when: q(1)}, False),
        (False, {when: q(9), short: 2.0}, False),
        (False, {when: q(1), short: -2.0}, False),
    ):
        books = Books.of(replace(plan, kpis={**plan.kpis, **kpis}), case)
        books.mining_on = books if there else None
        assert _mining_on(books).clean is holds, (there, kpis)


def test_doing_nothing_that_breaks_a_lenders_rule_is_no_plan_without_halls() -> None:
    """A lender asks for $12.5M of cash while its $5M are owed; overheads of $1M a quarter leave less, unless a hall
    pays for them. Doing nothing is held to no lender's rule, mining on to all."""
    note = facility("note", drawn_musd=5, available_first=None, available_last=None, maturity=q(12))
    note |= {"minimum_cash_musd": 12.5}
    loan = facility(maturity=q(12), loan_to_cost=1)
    case = lease_case(overheads={"g_and_a_musd": 1}, opening_cash_musd=16, facilities=[note, loan])
    plan = opt.solve(case)
    assert (plan.mining_on, plan.nothing is None, plan.kpis["converted_it_mw"]) == (None, False, 8)


def test_mining_on_that_is_worth_more_than_the_plan_is_seen(lease: tuple[Case, Plan]) -> None:
    """The plan's own tables as those of mining on: with halls in them, and worth more than the plan sold for."""
    case, plan = lease
    swapped = replace(plan, tables=plan.mining_on, mining_on=plan.tables, value_musd=-9.0, bound_musd=-9.0)
    assert {"mining_on", "eligible_sites", "windows"} <= broken(case, swapped)
    assert "mining_on" in broken(case, replace(plan, mining_on=None))


# ---- figures ---------------------------------------------------------------------------------------------------


def with_figure(plan: Plan, name: str, figure: Any) -> Plan:
    return replace(plan, kpis={**plan.kpis, name: figure})


@pytest.mark.core
def test_every_key_figure_is_computed_again(lease: tuple[Case, Plan]) -> None:
    """A number by a millionth and five dollars, a quarter by one, a figure where there is none, none where there is."""
    case, plan = lease
    for name, figure in plan.kpis.items():
        if isinstance(figure, str):
            others: list[Any] = [str(Quarter.parse(figure) + 1), str(Quarter.parse(figure) - 1), None]
        elif figure is None:
            others = [0.5]
        else:
            others = [figure * 1.000001 + 5e-6, None]
        for other in others:
            assert broken(case, with_figure(plan, name, other)), f"{name}: {figure} told as {other}"


def test_no_figure_may_be_missing_or_invented(lease: tuple[Case, Plan]) -> None:
    case, plan = lease
    fewer = {name: figure for name, figure in plan.kpis.items() if name != "lowest_cash_musd"}
    assert "key_figures" in broken(case, replace(plan, kpis=fewer))
    assert "key_figures" in broken(case, with_figure(plan, "megawatts_of_joy", 3.0))


def test_a_tie_of_quarters_names_the_first(lease: tuple[Case, Plan]) -> None:
    """Lowest cash is told once; a later quarter with the same cash is not the one."""
    case, plan = lease
    table = plan.tables["cash"].copy()
    table.loc[5, "closing_musd"] = table["closing_musd"].min()
    forged = replace(plan, tables={**plan.tables, "cash": table})
    assert "key_quarters" not in broken(case, forged)
    assert "key_quarters" in broken(case, with_figure(forged, "lowest_cash_quarter", q(5)))


# ---- proof -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"bound_musd": -1e3}, "bound"),
        ({"bound_musd": 1e3}, "status"),
        ({"status": "best ever"}, "status"),
        ({"value_musd": 1.0}, "value_tie"),
        ({"objective_musd": 1.0}, "value_tie"),
    ],
)
def test_a_claim_that_does_not_hold_is_seen(lease: tuple[Case, Plan], changes: dict[str, Any], rule: str) -> None:
    case, plan = lease
    assert rule in broken(case, replace(plan, **changes))


def test_a_plan_worth_less_than_nothing_done_is_not_optimal(lease: tuple[Case, Plan]) -> None:
    """The plan that decides nothing, sold as the optimum of a case in which its neighbour's books gain more."""
    case, plan = lease
    assert plan.nothing is not None
    poor = replace(plan, tables=plan.nothing, nothing=plan.tables, value_musd=-9.0, bound_musd=-9.0)
    assert "doing_nothing" in broken(case, poor)
