"""The treasury solved by hand: loans, fees, covenants, cash, bitcoin and tax.

As in `test_hand_solved`, every expected value is worked out here with plain numbers. Unless a test says otherwise:
eight quarters, no machines, and the project of `test_hand_contracts`: $7.2M of capex in quarter 0, $16.8M in quarter
1, and $4.32M of margin from quarter 2 on, 20 times. The company has $10M and must keep $3M, so it lacks $0.2M in
quarter 0 and $16.8M in quarter 1: without a loan nothing is built and the value is 0. The loan: $30M to be drawn in
quarters 0 and 1, 3% a quarter on what is drawn, paid each quarter, all of it repaid at the end of quarter 6.
Principal and interest are no value, however dear the loan, since no normal cost of debt is given: they bind cash, and
of plans of equal value the one is taken that pays least interest. Fees are discounted at 8%.
"""

from __future__ import annotations

from typing import Any

import pytest
from hand_cases import (
    CORPORATE,
    MINING,
    NO_OFFERS,
    NORTH_UPKEEP,
    Row,
    asic,
    cash_line,
    check,
    discount,
    every,
    facility,
    hall,
    hand_case,
    lease_case,
    machine_market,
    mining_musd,
    q,
    rents,
    revenue_musd,
    two_leases,
    worth,
)

import optimizer as opt
from optimizer.case.case import Case
from optimizer.ground.findings import InputError
from optimizer.ground.quarters import Quarter

MARGIN = 0.9 * 4.8
PROJECT = rents(4.8, 2, 20) - hall()

DEBT = 0.06
RATES = {"corporate": CORPORATE, "mining": 0.15, "colo": 0.10, "debt": DEBT}
"""Where a normal cost of debt is given."""

FIRST = 0.2 / 0.97
"""Drawn in quarter 0: what is lacking and its own interest, 10 - 7.2 + draw - 3% of it = 3."""
SECOND = (16.8 + 0.03 * FIRST) / 0.97
"""Drawn in quarter 1: 3 - 16.8 + draw - 3% of both draws = 3."""
LOAN = FIRST + SECOND


def corporate(flows: dict[int, float]) -> float:
    return worth(CORPORATE, flows)


def loan_case(*facilities: Row, opening: float = 10, **changes: Any) -> Case:
    return lease_case(**({"quarters": 8, "opening_cash_musd": opening, "facilities": [*facilities]} | changes))


def debt(plan: opt.Plan, column: str, name: str = "loan") -> list[float]:
    """A column of the debt table by quarter of the horizon; a quarter without a row is nothing."""
    table = plan.tables["debt"]
    rows = table[table["facility"] == name]
    by_quarter = dict(zip(rows["quarter"].astype(str), rows[column], strict=True))
    return [float(by_quarter.get(str(t), 0)) for t in plan.tables["cash"]["quarter"]]


def secured(**halls: str) -> list[Row]:
    """Loans by name, each with the site whose hall secures it; none where it is blank."""
    return [{"facility": name, "option": f"{site} hall"} for name, site in halls.items() if site]


def later(plan: opt.Plan, line: str) -> dict[int, float]:
    """A line after the horizon, by quarter from the first."""
    rows = plan.tables["after_horizon"]
    rows = rows[rows["line"] == line].groupby("quarter")["musd"].sum()
    first = min(plan.tables["cash"]["quarter"])
    return {int(Quarter.parse(t) - Quarter.parse(first)): float(musd) for t, musd in rows.items()}


def assert_interest(plan: opt.Plan, expected: dict[int, float]) -> None:
    """Interest of all loans, quarter by quarter, after the horizon too: no value, and so to be looked at by itself."""
    paid = cash_line(plan, "interest") | later(plan, "interest")
    assert {t: -musd for t, musd in paid.items()} == pytest.approx({t: musd for t, musd in expected.items() if musd})


def interest_on(loan: float, first: float = 0.0) -> dict[int, float]:
    """Quarterly interest of a bullet of 3%: on `first` in quarter 0, on `loan` in quarters 1 to 6."""
    return {0: 0.03 * first} | every(0.03 * loan, 1, 6)


def prepaid_loan(balance: float, opening: float = 3.0) -> tuple[dict[int, float], dict[int, float]]:
    """Balances opening quarters 2 to 6, where all cash above $3M prepays at the end of each, and the interest."""
    balances, interest, cash = {}, {}, opening
    for t in range(2, 7):
        balances[t], interest[t] = balance, 0.03 * balance
        free = cash - 3 + MARGIN - interest[t]
        repaid = min(balance, free)
        cash += MARGIN - interest[t] - repaid
        balance -= repaid
    return balances, interest


# ---- drawing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("commitment", "built"), [(None, False), (17.6, True), (17.5, False)])
def test_a_loan_is_drawn_as_far_as_the_project_lacks_cash(commitment: float | None, built: bool) -> None:
    """$0.206M and $17.326M are drawn, $17.53M in all, and 3% a quarter paid on it to quarter 6. $17.5M of commitment
    are not enough, though $17.0M would be if interest were forgotten.

    Draws counted as income would add $17M; repayments counted as cost would take away $15M, interest $2.9M.
    """
    loans = [facility(commitment_musd=commitment)] if commitment else []
    plan = check(loan_case(*loans), PROJECT if built else 0)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(0, abs=1e-9)
    if built:
        assert debt(plan, "draws_musd") == pytest.approx([FIRST, SECOND, *[0] * 6])
        assert debt(plan, "repayments_musd") == pytest.approx([*[0] * 6, LOAN, 0])
        assert_interest(plan, interest_on(LOAN, FIRST))
        assert plan.kpis["lowest_cash_musd"] == pytest.approx(3)


@pytest.mark.parametrize(
    ("first", "last", "built"), [(0, 0, True), (1, 1, False), (1, 3, False), (0, 5, True)], ids=str
)
def test_a_loan_can_only_be_drawn_in_its_window(first: int, last: int, built: bool) -> None:
    """Drawn in quarter 0 alone it must also cover quarter 1: 10 - 24 + draw - 2 x 3% of it = 3. From quarter 1 on is
    too late for the $0.2M of quarter 0. A longer window changes nothing.
    """
    interest = every(0.03 * 17 / 0.94, 0, 7) if last == 0 else interest_on(LOAN, FIRST)
    plan = check(loan_case(facility(available_first=q(first), available_last=q(last))), PROJECT if built else 0)
    assert_interest(plan, interest if built else {})


def test_the_cheaper_loan_is_drawn_first() -> None:
    """$10M at 8% and the rest at 12%. Quarter 0: 2.8 + 98% of the draw = 3; quarter 1: 3 - 16.8 + the rest of the ten
    + 97% of the dearer loan - 2% of ten = 3.
    """
    first = 0.2 / 0.98
    dear = (16.8 - (10 - first) + 0.02 * 10) / 0.97
    interest = {0: 0.02 * first} | every(0.02 * 10 + 0.03 * dear, 1, 6)
    plan = check(loan_case(facility(), facility("cheap", commitment_musd=10, margin=0.08)), PROJECT)
    assert_interest(plan, interest)
    assert debt(plan, "draws_musd", "cheap") == pytest.approx([first, 10 - first, *[0] * 6])


@pytest.mark.parametrize("terms", [{}, {"upfront_fee": 0.01, "undrawn_fee": 0.01}], ids=["free", "with fees"])
@pytest.mark.parametrize("cash_rate", [0, 0.015])
def test_a_rich_company_does_not_borrow_for_nothing(terms: Row, cash_rate: float) -> None:
    """$800M of cash and a facility at 2%, far below all discount rates: its value is what it is without the facility,
    and nothing is drawn, though cash earns 1.5%.

    Counting draws as income, discounting repayments, or interest on cash, makes cheap debt look like a gain.
    """
    project = {"quarters": 8, "opening_cash_musd": 800, "cash_rate": cash_rate}
    without = opt.solve(lease_case(**project), scenario="base", gap=1e-9, time_limit=60, seed=1)
    loan = facility(margin=0.02, **terms)
    plan = check(lease_case(**project, facilities=[loan]), without.value_musd)
    assert plan.value_musd == pytest.approx(without.value_musd, abs=1e-9, rel=0)
    for column in ("draws_musd", "closing_musd", "interest_musd", "fees_musd"):
        assert debt(plan, column) == pytest.approx([0] * 8, abs=1e-9)
    if not cash_rate:
        assert plan.value_musd == pytest.approx(PROJECT)


# ---- what a loan costs -----------------------------------------------------------------------------


def test_interest_is_a_base_rate_and_a_spread_and_goes_on_after_the_horizon() -> None:
    """6% over a base rate that rises from 4% to 6.5%. Half of each draw is repaid in quarter 5 and half in quarter 9,
    two quarters past the horizon: there the last base rate holds, and quarters 8 and 9 pay interest and the rest
    of the principal too.

    With the base rate of a quarter earlier each interest would be another.
    """
    base = [0.04, 0.045, 0.05, 0.05, 0.055, 0.06, 0.06, 0.065]
    rate = [(b + 0.06) / 4 for b in [*base, base[-1], base[-1]]]
    first = 0.2 / (1 - rate[0])
    second = (16.8 + rate[1] * first) / (1 - rate[1])
    loan = first + second
    interest = {0: rate[0] * first} | {t: rate[t] * (loan if t <= 5 else loan / 2) for t in range(1, 10)}
    case = loan_case(
        facility(base_rate="sofr", margin=0.06, maturity=q(9)),
        base_rates=[{"scenario": "base", "base_rate": "sofr", "quarter": q(t), "rate": b} for t, b in enumerate(base)],
        amortisation=[{"facility": "loan", "quarter": q(t), "share": 0.5} for t in (5, 9)],
    )
    plan = check(case, PROJECT)
    assert_interest(plan, interest)
    assert debt(plan, "closing_musd")[-1] == pytest.approx(loan / 2)
    assert later(plan, "principal") == pytest.approx({9: -loan / 2})


def test_fees_are_paid_on_the_commitment_and_on_what_is_not_drawn() -> None:
    """$20M for four quarters: 1% upfront in quarter 0, and 2% a year on what is not drawn yet, in each of the four.
    Both are paid out of the loan while cash is at its minimum. They are value at 6%, what borrowing normally costs, and
    so is half of the interest of 12%: no more is drawn than is needed to save the fee on it.

    At the corporate rate the fees would be worth less.

    Quarter 0: 10 - 7.2 - 0.2 - 0.5% (20 - d0) + 97% d0 = 3; quarter 1: -16.8 - 0.5% (20 - d0 - d1) + d1 - 3% (d0 +
    d1) = 0.
    """
    first = (0.4 + 0.1) / 0.975
    second = (16.9 + 0.025 * first) / 0.975
    loan = first + second
    assert loan < 20
    fees = {0: 0.2 + 0.005 * (20 - first)} | every(0.005 * (20 - loan), 1, 3)
    excess = {t: musd / 2 for t, musd in interest_on(loan, first).items()}
    loan_terms = facility(commitment_musd=20, available_last=q(3), upfront_fee=0.01, undrawn_fee=0.02)
    plan = check(loan_case(loan_terms, discount_rates=RATES), PROJECT - worth(DEBT, fees) - worth(DEBT, excess))
    assert_interest(plan, interest_on(loan, first))
    assert debt(plan, "fees_musd") == pytest.approx([fees.get(t, 0) for t in range(8)])


@pytest.mark.parametrize(("upfront", "opened"), [(0.1, True), (0.5, False)])
def test_a_facility_is_opened_only_where_it_is_worth_its_upfront_fee(upfront: float, opened: bool) -> None:
    """$90M to quarter 19. A fee of $9M is drawn too and paid in quarter 0, and leaves a gain; one of $45M is more
    than the project is worth.

    A fee on what is drawn, not on the commitment, would be less than a third of it.
    """
    fee = 90 * upfront
    value = PROJECT - corporate({0: fee})
    assert (value > 0) == opened
    case = loan_case(facility(commitment_musd=90, upfront_fee=upfront, maturity=q(19)), end_coverage=1)
    plan = check(case, max(value, 0))
    assert debt(plan, "fees_musd")[0] == pytest.approx(fee if opened else 0)


@pytest.mark.parametrize(("coupon", "opening"), [(q(1), 10), (q(4), 10.3), ("2026Q1", 10.3)])
def test_interest_every_two_quarters_is_paid_for_both(coupon: str, opening: float) -> None:
    """Coupons in quarters 1, 3 and 5 for two quarters each, and the rest at maturity in quarter 6 for one. With $10.3M
    nothing is needed in quarter 0; coupons in even quarters, whichever of them is named, are paid in quarters 2 (for
    both it stood), 4 and 6, none in quarter 1.

    Paid each quarter, the loan would be larger; counted from the first quarter or the first draw, the second is wrong.
    """
    if coupon == q(1):
        drawn = 0.2
        loan = drawn + (16.8 + 0.06 * drawn) / 0.97
        interest = {1: 0.03 * drawn + 0.03 * loan, 3: 0.06 * loan, 5: 0.06 * loan, 6: 0.03 * loan}
    else:
        loan = 3 - 10.3 + 24
        interest = {2: 0.06 * loan, 4: 0.06 * loan, 6: 0.06 * loan}
    plan = check(loan_case(facility(interest_every_quarters=2, first_coupon=coupon), opening=opening), PROJECT)
    assert_interest(plan, interest)


# ---- repayment -------------------------------------------------------------------------------------


def test_each_draw_is_repaid_by_the_shares_of_the_schedule() -> None:
    """25% in quarter 4, 25% in quarter 5, half in quarter 6; interest falls with the balance, a quarter later.

    A bullet would pay $0.39M more of interest.
    """
    shares = {4: 0.25, 5: 0.25, 6: 0.5}
    interest = {0: 0.03 * FIRST} | every(0.03 * LOAN, 1, 4) | {5: 0.03 * 0.75 * LOAN, 6: 0.03 * 0.5 * LOAN}
    rows = [{"facility": "loan", "quarter": q(t), "share": share} for t, share in shares.items()]
    plan = check(loan_case(facility(), amortisation=rows), PROJECT)
    assert_interest(plan, interest)
    assert debt(plan, "repayments_musd") == pytest.approx([shares.get(t, 0) * LOAN for t in range(8)])


def test_a_loan_is_prepaid_from_all_free_cash() -> None:
    """$4.32M less interest repay at the end of each quarter from 2 on, as interest costs and idle cash earns nothing;
    in quarter 6 the small rest.

    Prepaid at the start of the quarter it would save 3% of each payment more.
    """
    balances, interest = prepaid_loan(LOAN)
    flows = {0: 0.03 * FIRST, 1: 0.03 * LOAN} | interest
    plan = check(loan_case(facility(prepayable=True)), PROJECT)
    assert_interest(plan, flows)
    assert debt(plan, "opening_musd")[2:7] == pytest.approx(list(balances.values()))


def test_a_prepayment_lowers_what_accrues_until_the_next_interest_date() -> None:
    """Interest in quarters 1, 3 and 5 for two quarters, and in 6. Quarter 2 pays none, so all $4.32M prepay; quarter
    3 pays 3% of quarter 2's opening balance and 3% of its own, and so on.

    Interest on the balance of the paying quarter alone, twice, would leave out 3% of each prepayment.
    """
    drawn = 0.2
    balance = drawn + (16.8 + 0.06 * drawn) / 0.97
    interest, owed = {1: 0.03 * drawn + 0.03 * balance}, 0.0
    for t in range(2, 7):
        owed += 0.03 * balance
        if t in (3, 5, 6):
            interest[t], owed = owed, 0.0
        balance -= min(balance, MARGIN - interest.get(t, 0))
    assert balance == 0
    plan = check(loan_case(facility(interest_every_quarters=2, first_coupon=q(1), prepayable=True)), PROJECT)
    assert_interest(plan, interest)


@pytest.mark.parametrize("coupon", [1, 0, 6])
def test_a_company_repays_what_it_owes_and_pays_for_what_it_left_undrawn(coupon: int) -> None:
    """$10M drawn before the horizon, half of it due in quarter 1 and half in quarter 3. $6M more could be drawn until
    quarter 0 and cost 1% a year there; the upfront fee was paid long ago. Interest of 12% is paid every two quarters:
    in 1 and 3 for two quarters each; or in 0, for the quarter before the horizon too, in 2, and in 3 for one, whether
    the coupon of quarter 0 or that of quarter 6 is named. Half of it is above the normal 6%, and so value, the quarter
    before the horizon too. All of this happens in doing nothing too.

    With coupons counted from the first quarter, the second would be paid as the first is; without the quarter before
    the horizon, quarter 0 would pay $0.3M.
    """
    note = facility(
        "note",
        commitment_musd=16,
        drawn_musd=10,
        available_first="2026Q1",
        available_last=q(0),
        maturity=q(3),
        undrawn_fee=0.01,
        upfront_fee=0.05,
        interest_every_quarters=2,
        first_coupon=q(coupon),
    )
    rows = [{"facility": "note", "quarter": t, "share": share} for t, share in ((q(1), 0.5), (q(3), 0.5))]
    case = hand_case(fleet=[], facilities=[note], amortisation=rows, discount_rates=RATES, **NO_OFFERS)
    paid = {1: 0.6, 3: 0.3} if coupon == 1 else {0: 0.6, 2: 0.3 + 0.15, 3: 0.15}
    expected = -worth(DEBT, {0: 6 * 0.01 / 4}) - worth(DEBT, {t: musd / 2 for t, musd in paid.items()})
    plan = check(case, expected)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(expected)
    assert cash_line(plan, "principal") == pytest.approx({1: -5, 3: -5})
    assert cash_line(plan, "interest") == pytest.approx({t: -musd for t, musd in paid.items()})


def test_what_was_due_before_the_horizon_is_not_repaid_again() -> None:
    """$10M left of a loan with 20% due in 2026Q4 and 40% in quarters 1 and 3: the shares still to come are half each.

    By the table's shares $8M would be repaid and $2M never.
    """
    note = facility("note", drawn_musd=10, available_first=None, available_last=None, maturity=q(3))
    shares = (("2026Q4", 0.2), (q(1), 0.4), (q(3), 0.4))
    rows = [{"facility": "note", "quarter": t, "share": share} for t, share in shares]
    case = hand_case(fleet=[], facilities=[note], amortisation=rows, **NO_OFFERS)
    plan = check(case, 0)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(0, abs=1e-9)
    assert cash_line(plan, "principal") == pytest.approx({1: -5, 3: -5})
    assert cash_line(plan, "interest") == pytest.approx({0: -0.3, 1: -0.3, 2: -0.15, 3: -0.15})


# ---- limits and covenants --------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "built"), [(None, True), (0.7, True), (0.68, False)])
def test_a_loan_is_limited_to_a_share_of_the_cost(share: float | None, built: bool) -> None:
    """$11M of cash: nothing is lacking in quarter 0, and $16.49M must be drawn in quarter 1, 68.7% of $24M. A limit
    of 70% allows it, 68% does not.
    """
    loan = (3 - 11 + 24) / 0.97
    plan = check(loan_case(facility(loan_to_cost=share), opening=11), PROJECT if built else 0)
    assert_interest(plan, interest_on(loan) if built else {})


@pytest.mark.parametrize(("share", "built"), [(0.52, True), (0.5, False)])
def test_loan_to_cost_is_net_of_the_tenants_money(share: float, built: bool) -> None:
    """The tenant pays $8M of the hall in quarter 1: the company's cost is $16M and $8.25M must be drawn, 51.5% of it.

    Of $24M it would be a third, and 50% would allow it.
    """
    loan = (3 - 11 + 24 - 8) / 0.97
    balance, credits = 8.0, {}
    for j in range(20):
        credits[2 + j] = min(balance * 1.02, 0.3 * 4.8)
        balance = balance * 1.02 - credits[2 + j]
    funding = {"offer": "lease", "musd_per_it_mw": 1, "paid_quarters_before": 1, "credit_share": 0.3, "rate": 0.08}
    value = PROJECT + corporate({1: 8}) - corporate(credits)
    case = loan_case(facility(loan_to_cost=share), opening=11, tenant_funding=[funding])
    plan = check(case, value if built else 0)
    assert_interest(plan, interest_on(loan) if built else {})


@pytest.mark.parametrize(("share", "bought"), [(None, True), (0.9, False)])
def test_machines_are_no_cost_that_a_construction_loan_covers(share: float | None, bought: bool) -> None:
    """$3M of cash, all of it to be kept, and 30 MW of new machines at $5 per TH: $10M, delivered after two quarters.
    A loan pays for them and for its interest until they earn; one limited to a share of the cost of halls does not.
    """
    cost = 30 * 5 * 1e6 / 15 / 1e6
    first = cost / 0.97
    second = 0.03 * first / 0.97
    interest = {0: 0.03 * first} | every(0.03 * (first + second), 1, 5)
    earned = {t: 30 * (mining_musd(t, 50, 40, joules=15, overhead=0) - NORTH_UPKEEP) for t in range(2, 6)}
    value = worth(MINING, earned) - cost * discount(MINING, 0)
    assert value > 0
    market = {"resale_usd_per_th": 0, "purchase_usd_per_th": 5, "delivery_quarters": 2}
    case = hand_case(
        opening_cash_musd=3,
        asics=[asic("new", joules_per_th=15, overhead=0)],
        machine_markets=[machine_market("new", **market)],
        fleet=[],
        site_limits={"limit_gross_mw": [30, 0]},
        bitcoin={"hashprice_usd_per_ph_day": 50},
        facilities=[facility(loan_to_cost=share, maturity=q(5))],
        **NO_OFFERS,
    )
    plan = check(case, value if bought else 0)
    assert_interest(plan, interest if bought else {})


@pytest.mark.parametrize("minimum", [None, 5])
def test_cash_covenants_hold_while_the_loan_is_outstanding(minimum: float | None) -> None:
    """$10.3M: in quarter 0 nothing is drawn and $3.1M are left, which is allowed; from quarter 1 on $5M must be kept,
    so $2M more are drawn. After the repayment in quarter 6 $4.4M are left, and allowed.

    Held always, the covenant would force a draw in quarter 0 and forbid quarter 6.
    """
    loan = ((minimum or 3) - 10.3 + 24) / 0.97
    left = (minimum or 3) + 5 * MARGIN - 5 * 0.03 * loan - loan
    assert 3 < left < 5
    plan = check(loan_case(facility(minimum_cash_musd=minimum), opening=10.3), PROJECT)
    assert_interest(plan, interest_on(loan))
    closing = [float(musd) for musd in plan.tables["cash"]["closing_musd"]]
    assert closing[:2] == pytest.approx([3.1, minimum or 3])
    assert closing[6] == pytest.approx(left)


@pytest.mark.parametrize(("opening", "btc", "sold"), [(29.4, 0, 0), (29.2, 0, None), (29.2, 10, 0.1)])
def test_cash_covenants_of_an_old_loan_count_cash_alone(opening: float, btc: float, sold: float | None) -> None:
    """A note of $5M at 12% to quarter 3 asks for $5M of cash. The project leaves the opening cash less $24.3M in
    quarter 1: $5.1M is enough, $4.9M is not, though the company's own minimum is $3M. Bitcoin counts for the
    company's minimum, not for the lender's: $0.1M of it is sold in quarter 1, and no more.
    """
    note = facility("note", drawn_musd=5, available_first=None, available_last=None, maturity=q(3), minimum_cash_musd=5)
    rows = bitcoin(0.05, quarters=8)
    settings: Row = {"btc_held": btc, "btc_liquidity_share": 1} if btc else {}
    case = loan_case(note, opening=opening, bitcoin=rows, **settings)
    plan = check(case, 0 if sold is None else PROJECT)
    assert cash_line(plan, "interest") == pytest.approx(dict.fromkeys(range(4), -0.15))
    assert cash_line(plan, "btc_sales") == pytest.approx({1: sold} if sold else {})


@pytest.mark.parametrize(
    ("dscr", "since", "built"), [(8, 2, True), (9, 2, False), (1, 1, False), (9, 6, True)], ids=str
)
def test_debt_service_cover_counts_interest_from_its_first_quarter_on(dscr: float, since: int, built: bool) -> None:
    """$4.32M of margin over $0.526M of interest is 8.2 in quarters 2 to 5. In quarter 1 there is no margin yet. The
    bullet of quarter 6 does not count: the covenant holds to the quarter before maturity.
    """
    case = loan_case(facility(dscr=dscr, dscr_from=q(since)))
    plan = check(case, PROJECT if built else 0)
    assert_interest(plan, interest_on(LOAN, FIRST) if built else {})


def fifths() -> list[Row]:
    return [{"facility": "loan", "quarter": q(t), "share": 0.2} for t in range(3, 8)]


@pytest.mark.parametrize(("dscr", "built"), [(1.07, True), (1.08, False)])
def test_debt_service_cover_counts_scheduled_repayments(dscr: float, built: bool) -> None:
    """A fifth in each of quarters 3 to 7: $3.51M and $0.53M of interest in quarter 3, covered 1.071 times."""
    interest = {0: 0.03 * FIRST} | {t: 0.03 * LOAN * min(1, (8 - t) / 5) for t in range(1, 8)}
    case = loan_case(facility(maturity=q(7), dscr=dscr, dscr_from=q(2)), amortisation=fifths())
    plan = check(case, PROJECT if built else 0)
    assert_interest(plan, interest if built else {})


def test_prepayments_lower_what_is_scheduled_later_and_do_not_count_as_service() -> None:
    """The same fifths, cover of 1.3 and a loan that may be prepaid: $3.79M in quarter 2 lower each later repayment by
    a fifth of it, so quarter 3 owes a fifth of $13.74M, 2.75 + 0.41, covered 1.37 times. All free cash repays, as
    before.

    With prepayments taken off the last repayment, or counted as debt service, the cover would be 1.1 or 1.0, and the
    project could not be built.
    """
    balances, interest = prepaid_loan(LOAN)
    assert MARGIN / (balances[3] / 5 + 0.03 * balances[3]) > 1.3
    assert balances[6] + 0.03 * balances[6] < MARGIN
    flows = {0: 0.03 * FIRST, 1: 0.03 * LOAN} | interest
    case = loan_case(facility(maturity=q(7), prepayable=True, dscr=1.3, dscr_from=q(2)), amortisation=fifths())
    plan = check(case, PROJECT)
    assert_interest(plan, flows)
    assert debt(plan, "opening_musd")[2:7] == pytest.approx(list(balances.values()))


def test_a_tenants_prepayment_is_no_margin() -> None:
    """Cover is asked from quarter 1 on, when a tenant's prepayment of $9.6M comes in and nothing else: not built."""
    prepayment = {"offer": "lease", "rent_share": 0.1, "paid_quarters_before": 1, "credited_after_month": 12}
    case = loan_case(facility(dscr=1, dscr_from=q(1)), prepayments=[prepayment])
    check(case, 0)


@pytest.mark.parametrize(("hall", "built"), [("", True), ("north", True), ("south", False)])
def test_a_secured_loan_pays_for_its_halls_alone(hall: str, built: bool) -> None:
    """Secured by the north's hall, no more may be drawn in quarter 1 than is spent there, $16.8M; interest takes
    $0.53M, so more is drawn in quarter 0: 10 - 24 + d0 + 16.8 - 3% d0 - 3% (d0 + 16.8) = 3. A loan for the south's
    hall pays for nothing here.
    """
    if not hall:
        first, loan = FIRST, LOAN
    else:
        first = (3 - 10 + 24 - 0.97 * 16.8) / 0.94
        loan = first + 16.8
    plan = check(loan_case(facility(), collateral=secured(loan=hall)), PROJECT if built else 0)
    assert_interest(plan, interest_on(loan, first) if built else {})
    assert debt(plan, "draws_musd")[:2] == pytest.approx([first, loan - first] if built else [0, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("covenant", "built"),
    [
        ({"loan_to_cost": 0.62}, True),
        ({"loan_to_cost": 0.61}, False),
        ({"dscr": 7, "dscr_from": q(2)}, True),
        ({"dscr": 8, "dscr_from": q(2)}, False),
    ],
    ids=["cost", "too little cost", "cover", "too little cover"],
)
def test_a_secured_loan_is_covered_by_its_halls_alone(covenant: Row, built: bool) -> None:
    """Both halls, $39M; $33M of cash leave $9M lacking in quarter 1. A loan on the south's hall draws $9.28M: 61.9%
    of the south's $15M, and its margin of $2.025M covers interest of $0.278M 7.3 times. Where the loan's covenant
    forbids it, the north alone is built.

    Measured on both halls the loan would be 24% of cost and covered 22.8 times.
    """
    loan = (3 - 33 + 39) / 0.97
    south = rents(2.25, 2, 20) - hall(15)
    assert south > 0
    case = hand_case(
        quarters=8, opening_cash_musd=33, fleet=[], facilities=[facility(**covenant)], collateral=secured(loan="south"),
        **two_leases(),
    )  # fmt: skip
    plan = check(case, PROJECT + (south if built else 0))
    assert_interest(plan, interest_on(loan) if built else {})


@pytest.mark.parametrize(
    ("required", "hall", "built"), [("lease", "", True), ("lease", "north", True), ("south lease", "north", False)]
)
def test_a_lender_may_ask_for_a_signed_lease(required: str, hall: str, built: bool) -> None:
    """The loan needs the north's lease signed, and it is; or it needs the south's, signed in the halls that secure it,
    which is impossible. South's lease pays $1 and is never signed for itself.
    """
    case = hand_case(
        quarters=8,
        opening_cash_musd=11,
        fleet=[],
        facilities=[facility(requires_offer=required)],
        collateral=secured(loan=hall),
        **two_leases(south_price=1),
    )
    check(case, PROJECT if built else 0)


def test_a_losing_lease_is_signed_where_the_loan_asks_for_it() -> None:
    """The south's lease at $60 loses money: $0.81M of margin for a hall of $15M. The loan asks for it, so both halls
    are built and $39M paid, of which the company has $7M. The loan runs to quarter 12, past the horizon.
    """
    south = rents(60 * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    assert south < 0
    expected = PROJECT + south
    assert expected > 0
    case = hand_case(
        quarters=8,
        opening_cash_musd=10,
        fleet=[],
        facilities=[facility(commitment_musd=60, maturity=q(12), requires_offer="south lease")],
        **two_leases(south_price=60),
    )
    check(case, expected)


def test_a_dear_note_is_refinanced_at_once() -> None:
    """A note of $10M at 12%, due in quarter 3, and $8M of cash of which $5M may go. A new loan at 4% that may only
    replace the note: quarter 0 repays all $10M, 8 + draw - 10 - 0.3 - 1% of the draw = 3. From quarter 1 on $1.2M a
    quarter comes in and prepays it, all of it by quarter 5.

    Without refinancing the note could not be repaid: the company would break its minimum in quarter 3. All of it is
    worth nothing but the money that comes in; refinanced later, it would cost more interest.
    """
    drawn = 5.3 / 0.99
    balance, interest = drawn, {0: 0.3 + 0.01 * drawn}
    for t in range(1, 6):
        interest[t] = 0.01 * balance
        balance -= min(balance, 1.2 - interest[t])
    assert balance == 0
    note = facility("note", drawn_musd=10, available_first=None, available_last=None, maturity=q(3), prepayable=True)
    new = facility(available_last=q(3), maturity=q(8), margin=0.04, prepayable=True, refinances="note")
    case = hand_case(
        fleet=[],
        opening_cash_musd=8,
        facilities=[note, new],
        obligations=[{"quarter": q(t), "name": "plant", "kind": "asset_sale", "musd": 1.2} for t in range(1, 6)],
        **NO_OFFERS,
    )
    plan = check(case, corporate(every(1.2, 1, 5)))
    assert_interest(plan, interest)
    assert debt(plan, "draws_musd") == pytest.approx([drawn, *[0] * 5])
    assert debt(plan, "repayments_musd", "note") == pytest.approx([10, *[0] * 5])


@pytest.mark.parametrize("refinances", [True, False])
def test_a_loan_that_refinances_pays_for_nothing_else(refinances: bool) -> None:
    """$12M of cash and a note of $2M at 12%, due in quarter 1. The project lacks 12 - 26 - 0.12 - 3 = $17.1M; a loan
    that may only replace the note gives $2M at most, and nothing is built.
    """
    note = facility("note", drawn_musd=2, available_first=None, available_last=None, maturity=q(1))
    new = facility(refinances="note" if refinances else None)
    check(loan_case(note, new, opening=12), 0 if refinances else PROJECT)


# ---- cash and bitcoin ------------------------------------------------------------------------------


def test_cash_earns_interest_on_what_the_quarter_opens_with() -> None:
    """$20M at 4% a year, $1M of G&A each quarter: 1% of 20, of 19.2, of 18.392, ... within the horizon. It is no value.

    Earned on closing cash it would be 1% of each G&A less.
    """
    cash, earned = 20.0, {}
    for t in range(6):
        earned[t] = 0.01 * cash
        cash += earned[t] - 1
    case = hand_case(fleet=[], opening_cash_musd=20, overheads={"g_and_a_musd": 1}, cash_rate=0.04, **NO_OFFERS)
    plan = check(case, -corporate(every(1, 0, 6)))
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(-corporate(every(1, 0, 6)))
    assert plan.tables["cash"]["closing_musd"].iloc[-1] == pytest.approx(cash)
    assert cash_line(plan, "cash_interest") == pytest.approx(earned)


def bitcoin(growth: float, quarters: int = 6, hashprice: float = 1) -> list[Row]:
    """BTC at $100,000 in quarter 0, growing each quarter."""
    row: Row = {"scenario": "base", "difficulty_t": None, "fees_btc_per_block": None}
    row |= {"hashprice_usd_per_ph_day": hashprice}
    return [row | {"quarter": q(t), "btc_usd": 100_000 * (1 + growth) ** t} for t in range(quarters)]


@pytest.mark.parametrize("growth", [0, 0.05, -0.05])
def test_bitcoin_is_no_value_and_is_kept_whatever_its_price_does(growth: float) -> None:
    """100 BTC that nothing needs: none is sold by the plan or by doing nothing, and they are worth nothing to either.

    Valued at market they would be $10M at once, or 26.6 of them with a price that rises 5% a quarter.
    """
    plan = check(hand_case(fleet=[], bitcoin=bitcoin(growth), btc_held=100, **NO_OFFERS), 0)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(0, abs=1e-9)
    assert plan.nothing is not None
    for tables in (plan.tables, plan.nothing):
        assert list(tables["btc"]["closing_btc"]) == pytest.approx([100] * 6)
        assert list(tables["cash"]["closing_musd"]) == pytest.approx([800] * 6)


@pytest.mark.parametrize("growth", [0.05, -0.05])
def test_bitcoin_is_sold_where_the_project_lacks_cash(growth: float) -> None:
    """300 BTC: 2 are sold at $100,000 for the $0.2M that quarter 0 lacks, 160 at $105,000 (or 176.8 at $95,000) for
    the $16.8M of quarter 1, and the others are kept, with a price that falls too.

    Without selling nothing could be built; sold at once, all would be gone in quarter 0.
    """
    case = lease_case(opening_cash_musd=10, bitcoin=bitcoin(growth), btc_held=300)
    plan = check(case, PROJECT)
    assert cash_line(plan, "btc_sales") == pytest.approx({0: 0.2, 1: 16.8})
    assert plan.kpis["btc_at_end"] == pytest.approx(298 - 168 / (1 + growth))


@pytest.mark.parametrize(("share", "sold"), [(None, 1), (0.01, 0.685 / 0.99), (0.5, 0)])
def test_bitcoin_may_count_as_liquidity(share: float | None, sold: float) -> None:
    """$29M and a minimum of $6M: quarter 1 leaves $5M. 300 BTC are worth $31.5M then: $1M of them is sold; where 1%
    of what is held counts, 5 + sold + 1% of (31.5 - sold) = 6; where half counts, none.
    """
    case = lease_case(
        opening_cash_musd=29,
        minimum_cash_musd=6,
        bitcoin=bitcoin(0.05),
        btc_held=300,
        **({"btc_liquidity_share": share} if share else {}),
    )
    plan = check(case, PROJECT)
    assert cash_line(plan, "btc_sales") == pytest.approx({1: sold} if sold else {})


def test_bitcoin_that_counts_as_liquidity_pays_no_bill() -> None:
    """$10M and 300 BTC of which 90% count: liquidity would allow quarter 1 to end $14M in the red. The bank does not:
    $14M are sold, and cash ends at nothing.
    """
    assert 10 - 24 + 0.9 * 31.5 > 3
    case = lease_case(opening_cash_musd=10, bitcoin=bitcoin(0.05), btc_held=300, btc_liquidity_share=0.9)
    plan = check(case, PROJECT)
    assert plan.kpis["lowest_cash_musd"] == pytest.approx(0, abs=1e-6)
    assert cash_line(plan, "btc_sales") == pytest.approx({1: 14})


@pytest.mark.parametrize("rule", ["free", "sell_mined"])
def test_mined_bitcoin_is_kept_where_the_policy_allows(rule: str) -> None:
    """20 MW at a hashprice of $60 mine about $4.8M of BTC a quarter, revenue of mining when mined, sold or kept. Where
    they may be kept they all are, since the $800M at hand need none of them, and the value is the same.

    Bought back at the corporate rate and sold at the end, as if a price path were known, it would be another.
    """
    prices = [0.1 * 1.05**t for t in range(6)]
    mined = [20 * revenue_musd(t, 60) for t in range(6)]
    value = 20 * worth(MINING, {t: mining_musd(t, 60, 40) - NORTH_UPKEEP for t in range(6)})
    case = hand_case(
        fleet=[{"site": "north", "asic": "miner", "gross_mw": 20}],
        bitcoin=bitcoin(0.05, hashprice=60),
        btc_rule=rule,
        **NO_OFFERS,
    )
    plan = check(case, value)
    kept = sum(musd / price for musd, price in zip(mined, prices, strict=True)) if rule == "free" else 0
    assert plan.kpis["btc_at_end"] == pytest.approx(kept)
    assert cash_line(plan, "btc_sales") == pytest.approx({t: -mined[t] for t in range(6)} if kept else {})


# ---- tax -------------------------------------------------------------------------------------------


def taxed(income: dict[int, float], losses: float, use: float, rate: float) -> dict[int, float]:
    """Tax by quarter: on profit less losses brought forward, at most `use` of it, to the last quarter of income."""
    tax = {}
    for t, musd in income.items():
        profit, loss = max(musd, 0), max(-musd, 0)
        used = min(losses, use * profit)
        losses += loss - used
        tax[t] = rate * (profit - used)
    return tax


def depreciation(life: int, spent: dict[int, float]) -> dict[int, float]:
    """Each quarter's spending in equal parts from that quarter on."""
    total = dict.fromkeys(range(22), 0.0)
    for t, musd in spent.items():
        for k in range(t, t + life):
            total[k] += musd / life
    return total


@pytest.mark.parametrize("life", [4, 12, None])
def test_tax_is_paid_on_income_less_depreciation_and_losses(life: int | None) -> None:
    """21% on $4.32M of margin less depreciation of the hall; $5M of old losses and the new ones are used against at
    most 80% of a quarter's profit. With a life of 4 quarters the hall is written off in the horizon, with 12 four
    quarters past it, where losses go on being carried forward; a hall without a row is never deducted.

    Losses used in full, or a hall written off when paid for, or from service on, give other taxes.
    """
    written_off = depreciation(life, {0: 7.2, 1: 16.8}) if life else dict.fromkeys(range(22), 0.0)
    income = {t: (MARGIN if t >= 2 else 0) - written_off[t] for t in range(22)}
    tax = taxed(income, losses=5, use=0.8, rate=0.21)
    case = lease_case(
        quarters=8,
        depreciation=[{"line": "facility_capex", "quarters": life}] if life else [],
        tax_rate=0.21,
        tax_losses_musd=5,
        tax_loss_use=0.8,
    )
    plan = check(case, PROJECT - corporate(tax))
    within = {t: -musd for t, musd in tax.items() if t < 8 and musd > 1e-9}
    assert cash_line(plan, "tax") == pytest.approx(within)


def test_tax_is_on_the_business_and_not_on_how_it_is_paid_for() -> None:
    """The hall's base is what it costs, $7.2M in quarter 0 and $16.8M in quarter 1, whatever of it the tenant pays.
    Income is the lease's margin, G&A of $0.5M, $9M for a plant in quarter 3. The tenant's $8M and its credits, and 12%
    on a note of $10M to quarter 9, are neither taxed nor deducted.

    Less its interest and the credits, income would be up to $1.7M lower in a quarter.
    """
    balance, credits = 8.0, dict.fromkeys(range(22), 0.0)
    for t in range(2, 22):
        credits[t] = min(balance * 1.02, 0.3 * 4.8)
        balance = balance * 1.02 - credits[t]
    written_off = depreciation(6, {0: 7.2, 1: 16.8})
    overheads = every(0.5, 0, 8)
    income = {
        t: (MARGIN if t >= 2 else 0) - overheads.get(t, 0) + (9 if t == 3 else 0) - written_off[t] for t in range(22)
    }
    tax = taxed(income, losses=0, use=0.5, rate=0.25)
    note = facility("note", drawn_musd=10, available_first=None, available_last=None, maturity=q(9))
    funding = {"offer": "lease", "musd_per_it_mw": 1, "paid_quarters_before": 1, "credit_share": 0.3, "rate": 0.08}
    case = lease_case(
        quarters=8,
        facilities=[note],
        tenant_funding=[funding],
        overheads={"g_and_a_musd": 0.5},
        obligations=[{"quarter": q(3), "name": "plant", "kind": "asset_sale", "musd": 9}],
        depreciation=[{"line": "facility_capex", "quarters": 6}],
        tax_rate=0.25,
        tax_loss_use=0.5,
    )
    value = PROJECT + corporate({1: 8}) - corporate(credits)
    value += corporate({3: 9}) - corporate(overheads) - corporate(tax)
    check(case, value)


def test_mining_is_taxed_and_machines_are_written_off() -> None:
    """30 MW of new machines at $5 per TH, $10M in quarter 0, written off over three quarters, earn from quarter 2 on.
    30% of tax on their margin less the last third and the losses of the first two quarters, half a quarter's profit
    at most; what they fetch at the end is not taxed. Tax is discounted at the company's 8%, mining at 15%.
    """
    cost = 30 * 5 * 1e6 / 15 / 1e6
    earned = {t: 30 * (mining_musd(t, 50, 40, joules=15, overhead=0) - NORTH_UPKEEP) for t in range(2, 6)}
    income = {t: earned.get(t, 0) - (cost / 3 if t < 3 else 0) for t in range(6)}
    tax = taxed(income, losses=0, use=0.5, rate=0.3)
    at_the_end = 30 * 1 * 1e6 / 15 / 1e6 * 1.15**-1.5
    value = worth(MINING, earned) - cost * discount(MINING, 0) + at_the_end - corporate(tax)
    assert value > 0
    market = {"resale_usd_per_th": 0, "purchase_usd_per_th": 5, "delivery_quarters": 2}
    case = hand_case(
        asics=[asic("new", joules_per_th=15, overhead=0, residual_usd_per_th=1)],
        machine_markets=[machine_market("new", **market)],
        fleet=[],
        site_limits={"limit_gross_mw": [30, 0]},
        bitcoin={"hashprice_usd_per_ph_day": 50},
        depreciation=[{"line": "machine_purchases", "quarters": 3}],
        tax_rate=0.3,
        tax_loss_use=0.5,
        **NO_OFFERS,
    )
    check(case, value)


def test_bitcoin_sales_are_not_taxed() -> None:
    """Of 100 BTC those are sold that a bill of $5M in quarter 1 needs, with $3M at hand that must stay; no income and
    so no tax: $5M bring $5M.
    """
    bill = {"quarter": q(1), "name": "bill", "kind": "principal", "musd": 5}
    case = hand_case(
        fleet=[], opening_cash_musd=3, bitcoin=bitcoin(0), btc_held=100, tax_rate=0.3, tax_loss_use=1,
        obligations=[bill], **NO_OFFERS,
    )  # fmt: skip
    plan = check(case, 0)
    assert cash_line(plan, "btc_sales") == pytest.approx({1: 5})
    assert cash_line(plan, "tax") == {}


@pytest.mark.parametrize(
    ("facilities", "settings"),
    [
        ([facility(drawn_musd=5, loan_to_cost=0.7)], {}),
        ([facility(drawn_musd=31)], {}),
        ([facility(refinances="nobody")], {}),
    ],
    ids=["loan to cost of old work", "more than committed", "no such loan"],
)
def test_facilities_that_make_no_sense_are_refused(facilities: list[Row], settings: dict[str, Any]) -> None:
    """Each of these is a finding of the case."""
    with pytest.raises(InputError):
        loan_case(*facilities, **settings)
