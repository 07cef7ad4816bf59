"""Contract terms solved by hand, one case for each term and one where it bites.

As in `test_hand_solved`, every expected value is worked out here with plain numbers. Unless a test says otherwise: no
machines, one lease of 8 IT MW in the north, delivered in quarter 2 (2027Q3) and no other, at $200 per kW-month =
$4.8M a quarter less 10% of operating cost, for 20 quarters; its hall costs $24M and serves two quarters after its
start. AI is discounted at 10%; customers' money at the corporate 8%, no cost of debt being named.
"""

from __future__ import annotations

from typing import Any

import pytest
from hand_cases import (
    AI,
    CORPORATE,
    Row,
    cash_line,
    check,
    every,
    hall,
    hand_case,
    lease_case,
    own_power,
    q,
    rents,
    solve,
    two_leases,
    worth,
)

from optimizer.business.lines import LINES
from optimizer.business.variables import VARIABLES
from optimizer.case.case import Case
from optimizer.case.checks import late_contracts_are_delivered_at_last, offers_can_still_be_accepted
from optimizer.ground.errors import Infeasible
from optimizer.ground.findings import InputError
from optimizer.plan.decisions import decisions_of
from optimizer.questions.conflicts.refusals import refusal

PROJECT = rents(4.8, 2, 20) - hall()
"""The lease as it stands: what a case is worth whose term does not matter."""


def ai(flows: dict[int, float]) -> float:
    return worth(AI, flows)


def lent(flows: dict[int, float]) -> float:
    """Present value of customers' money: what is prepaid, advanced and credited."""
    return worth(CORPORATE, flows)


def stepped(rent_by_quarter: list[float], first: int = 2) -> float:
    """Present value of rents quarter by quarter from `first` on, less operating cost."""
    return ai({first + j: 0.9 * rent for j, rent in enumerate(rent_by_quarter)})


CHEAP_HALL: Row = {"facility_low_musd_per_it_mw": 0.5, "facility_base_musd_per_it_mw": 1, "max_blocks": [1, 0]}
"""$8M in the north, for leases too short to pay $24M; none in the south."""


def market(price: float, depth: float = 0, quarters: int = 6) -> list[Row]:
    """What capacity sells for uncontracted, the same in all quarters."""
    row = {"scenario": "base", "product": "colo", "price": price, "price_basis": "usd_per_kw_month"}
    return [row | {"quarter": q(t), "depth_it_mw": depth} for t in range(quarters)]


@pytest.mark.core
def test_the_lease_as_it_stands() -> None:
    """What the other cases change: $4.32M of margin a quarter from quarter 2 on, less the hall."""
    check(lease_case(), ai(every(4.32, 2, 20)) - hall())


ALIKE: dict[str, Any] = dict(
    zip(("block_gross_mw", "max_blocks", "design_ratio", "pue"), (12, 1, 1.5, 1.2), strict=True)
)
"""A hall for the whole lease at both sites."""


@pytest.mark.parametrize(("accepted", "capex"), [(["north"], 24), (["north", "south"], 12)])
def test_a_lease_is_served_only_where_its_customer_accepts(accepted: list[str], capex: float) -> None:
    """The south's hall costs half of the north's; where the customer does not accept the south, that is of no use."""
    homes = [{"offer": "lease", "site": site} for site in accepted]
    options = ALIKE | {"facility_base_musd_per_it_mw": [3, 1.5], "facility_low_musd_per_it_mw": 1}
    check(lease_case(options=options, offer_sites=homes), rents(4.8, 2, 20) - hall(capex))


def test_a_customers_share_is_capped_from_its_quarter_on() -> None:
    """Ada pays from quarter 2 on, all of the rent until Bob comes in quarter 4 and 68% of it then. A cap of 70% from
    quarter 4 on lets both sign.

    Were it to hold up to quarter 4, Ada could not sign.
    """
    leases = two_leases(south={"window_first": q(4), "window_last": q(4)})
    capped = {"max_customer_share": 0.7, "max_customer_share_from": q(4)}
    bob = rents(150 * 5_000 * 3 / 1e6, 4, 20) - hall(15, 2)
    check(hand_case(fleet=[], **capped, **leases), PROJECT + bob)


def test_twins_leave_a_third_site_alone() -> None:
    """North and south are alike in everything, and the west's hall costs a third: the lease goes there.

    An order among the twins that counted the west's starts would forbid them.
    """
    homes = [{"offer": "lease", "site": site} for site in ("north", "south")]
    alike: dict[str, Any] = {
        "sites": {"tariff": "north", "mining_cost_musd_per_gross_mw_year": 0.05},
        "site_limits": {"limit_gross_mw": 30},
    }
    case = lease_case(options=ALIKE, offer_sites=homes, **alike)
    west = {"option": "west hall", "site": "west", "facility_base_musd_per_it_mw": 1, "facility_low_musd_per_it_mw": 1}
    more = {
        "sites": [case.site["north"].model_copy(update={"site": "west"})],
        "site_limits": [r.model_copy(update={"site": "west"}) for r in case.site_limits if r.site == "north"],
        "options": [case.option["north hall"].model_copy(update=west)],
        "offer_sites": [case.offer_sites[0].model_copy(update={"site": "west"})],
    }
    check(case.replace(**{name: [*case.rows(name), *rows] for name, rows in more.items()}), rents(4.8, 2, 20) - hall(8))


# ---- price -----------------------------------------------------------------------------------------

RISES = {4: 0.03, 6: 0.09, 7: -0.02}
"""The index by quarter; 0 in the others."""


def indexed(base: int | None, **columns: Any) -> dict[str, Any]:
    row = {"scenario": "base", "index": "cpi"}
    return {
        "quarters": 8,
        "offer": {"term_quarters": 12, "price_base_quarter": None if base is None else q(base)},
        "indices": [row | {"quarter": q(t), "yearly_rise": RISES.get(t, 0)} for t in range(8)],
        "index_escalators": [{"offer": "lease", "index": "cpi", "cap": 0.05, "floor": 0.01} | columns],
    }


def test_a_price_follows_its_index_between_floor_and_cap() -> None:
    """From first delivery (quarter 2): after four quarters the index rises 9%, capped at 5%; after eight, past the
    horizon, the last quarter's -2% holds, at least 1%.

    Without the cap the second year would pay 9% more, without the floor the third 2% less.
    """
    price = [4.8] * 4 + [4.8 * 1.05] * 4 + [4.8 * 1.05 * 1.01] * 4
    check(lease_case(**indexed(None)), stepped(price) - hall())


def test_an_index_counts_from_the_quarter_the_price_is_quoted_for() -> None:
    """Quoted for quarter 0: 3% in quarter 4, in full between floor and cap, then the floor's 1% in quarter 8 (past
    the horizon: the last quarter's -2%) and in quarter 12.

    Counted from delivery it would be the capped 9% of quarter 6; taking only one step past the horizon would leave
    out quarter 12's.
    """
    price = [4.8] * 2 + [4.8 * 1.03] * 4 + [4.8 * 1.03 * 1.01] * 4 + [4.8 * 1.03 * 1.01**2] * 2
    check(lease_case(**indexed(0)), stepped(price) - hall())


@pytest.mark.parametrize(("share", "site"), [(None, "south"), (1.5, "north"), (1.05, "south")])
def test_a_favoured_site_pays_more(share: float | None, site: str) -> None:
    """5 IT MW at $200 = $3M a quarter, in the north's hall of $24M or the south's of $15M: the south's is cheaper. A
    tenant who pays half as much again in the north goes there; 5% do not make up for the dearer hall.
    """
    south = rents(3, 2, 20) - hall(15)
    north = rents(3 * (share or 1), 2, 20) - hall(24)
    assert (north > south) == (site == "north")
    case = lease_case(
        {"min_it_mw": 5, "max_it_mw": 5},
        offer_sites=[{"offer": "lease", "site": "north"}, {"offer": "lease", "site": "south"}],
        site_prices=[{"offer": "lease", "site": "north", "price_share": share}] if share else [],
    )
    plan = check(case, max(north, south))
    assert plan.contracts["site"].tolist() == [site]


@pytest.mark.parametrize(("sold_at", "size"), [(90, 8), (130, 4)])
def test_the_whole_contract_pays_the_price_of_its_tier(sold_at: float, size: float) -> None:
    """$200 up to 4 IT MW, $160 for all of it above that. 8 MW pay 8 x 160 = 1,280; 4 MW pay 4 x 200 = 800 and leave 4
    to the market: at $90 that makes 1,160, at $130 1,320. The boundary size still pays the first tier's price.

    Tiers by slice would pay 8 MW 1,440; a boundary counted to the next tier would give up 160 at 4 MW.
    """
    case = lease_case(
        {"min_it_mw": 2, "max_it_mw": 8, "term_quarters": 6},
        quarters=8,
        options=CHEAP_HALL,
        product_markets=market(sold_at, depth=8, quarters=8),
        price_tiers=[
            {"offer": "lease", "up_to_it_mw": 4, "price_share": 1},
            {"offer": "lease", "up_to_it_mw": 8, "price_share": 0.8},
        ],
    )
    by_size = {8: 8 * 0.8 * 200, 4: 4 * 200 + 4 * sold_at}
    assert max(by_size, key=by_size.__getitem__) == size
    plan = check(case, rents(by_size[int(size)] * 3 * 1000 / 1e6, 2, 6) - hall(8))
    assert plan.contracts["it_mw"].tolist() == pytest.approx([size])


# ---- what is delivered, taken and for how long ----------------------------------------------------


@pytest.mark.parametrize("ramp", ["at once", "half then full"])
def test_a_contract_taken_in_tranches_ends_as_one(ramp: str) -> None:
    """Half of 8 IT MW in quarter 2, half in quarter 4, eight quarters in all, 5% a year. Blocks of 4 IT MW, one under
    construction at a time, serve from quarters 2 and 4. All megawatts take the first rise in quarter 6 and end with
    quarter 9. With a ramp each tranche bills half of its own first quarter.

    A second tranche with a term and a price clock of its own would bill to quarter 11 and rise in quarter 8.
    """
    first = 0.5 if ramp == "half then full" else 1
    billed = [0.5 * first, 0.5, 0.5 + 0.5 * first, 1, 1, 1, 1, 1]
    case = lease_case(
        {"term_quarters": 8, "escalator": 0.05, "ramp": ramp},
        options={"block_gross_mw": 6, "max_blocks": [2, 0]},
        max_blocks_under_construction=1,
        tranches=[
            {"offer": "lease", "quarters_after": 0, "share": 0.5},
            {"offer": "lease", "quarters_after": 2, "share": 0.5},
        ],
    )
    price = [4.8] * 4 + [4.8 * 1.05] * 4
    halls = hall(12, 0) + hall(12, 2)
    expected = stepped([p * b for p, b in zip(price, billed, strict=True)]) - halls
    assert expected > 0
    check(case, expected)


def test_what_no_tranche_holds_at_the_end_has_a_residual() -> None:
    """The second half comes in quarter 7, after the horizon: of 8 IT MW 4 are held at its end, the other 4 are worth
    $2M x (1 - 6/120) each, until they are taken, and all 8 when the lease has ended with quarter 21.
    """
    per_it_mw = {t: 2 * (1 - t / 120) * 1.10 ** (-t / 4) for t in (6, 7, 22)}
    case = lease_case(
        products={"residual_musd_per_it_mw": 2},
        options={"max_blocks": [1, 0]},
        tranches=[
            {"offer": "lease", "quarters_after": 0, "share": 0.5},
            {"offer": "lease", "quarters_after": 5, "share": 0.5},
        ],
    )
    residuals = 4 * per_it_mw[6] - 4 * per_it_mw[7] + 8 * per_it_mw[22]
    check(case, stepped([2.4] * 5 + [4.8] * 15) - hall() + residuals)


def test_without_tranches_the_whole_contract_waits_for_all_blocks() -> None:
    """The same blocks and no tranches: 8 IT MW cannot be delivered in quarter 2, and nothing is built."""
    case = lease_case(
        {"term_quarters": 8, "escalator": 0.05},
        options={"block_gross_mw": 6, "max_blocks": [2, 0]},
        max_blocks_under_construction=1,
    )
    check(case, 0)


EXTENSIONS = [
    {"offer": "lease", "step": 1, "quarters": 4, "price_share": 0.9},
    {"offer": "lease", "step": 2, "quarters": 3, "price_share": 0.96},
    {"offer": "lease", "step": 3, "quarters": 2, "price_share": 0.5},
]


@pytest.mark.parametrize(("quoted", "steps"), [(170, 0), (190, 1), (205, 3)])
def test_a_tenant_extends_while_its_price_is_no_higher_than_the_market(quoted: float, steps: int) -> None:
    """Eight quarters, then 4 at 90%, 3 at 96%, 2 at 50% of the price: $180, $192 and $100. A market of $170 after the
    horizon makes the tenant leave at once; at $190 it takes the first step and not the second, and with that gives up
    the third; at $205 it takes all.

    An extension counted whenever we would like it (always), or step by step on its own, adds quarters.
    """
    price = [4.8] * 8 + ([4.8 * 0.9] * 4 + [4.8 * 0.96] * 3 + [4.8 * 0.5] * 2)[: [0, 4, 7, 9][steps]]
    case = lease_case({"term_quarters": 8}, product_markets=market(quoted), extensions=EXTENSIONS)
    expected = stepped(price) - hall()
    assert expected > 0
    check(case, expected)


def test_an_extension_follows_the_escalator_and_the_ramp_goes_on() -> None:
    """20% a year. Four quarters at $4.8M, then 4 at 90% of 5.76 and 4 at 96% of 6.912: $216 and $276 per kW-month,
    and the market quotes $280. The first quarter bills half.

    With the price frozen at the end of the firm term the extensions would pay $4.32M and $4.608M.
    """
    case = lease_case(
        {"term_quarters": 4, "escalator": 0.2, "ramp": "half then full"},
        product_markets=market(280),
        extensions=[EXTENSIONS[0], EXTENSIONS[1] | {"quarters": 4}],
    )
    price = [2.4] + [4.8] * 3 + [4.8 * 1.2 * 0.9] * 4 + [4.8 * 1.44 * 0.96] * 4
    check(case, stepped(price) - hall())


@pytest.mark.parametrize(("quoted", "extended"), [(150, False), (185, True)])
def test_a_contract_extended_within_the_horizon_keeps_its_capacity(quoted: float, extended: bool) -> None:
    """Quarters 2 and 3, then 4 quarters at $180. The market takes 8 IT MW: at $150 it has them in quarters 4 and 5;
    at $185 the tenant stays, and its $180 are all the hall earns, though the market would pay more.
    """
    case = lease_case(
        {"term_quarters": 2},
        options=CHEAP_HALL,
        product_markets=market(quoted, depth=8),
        extensions=EXTENSIONS[:1],
    )
    after = [4.8 * 0.9] * 4 if extended else [quoted * 8_000 * 3 / 1e6] * 2
    check(case, stepped([4.8, 4.8, *after]) - hall(8))


@pytest.mark.parametrize(("term", "extended"), [(6, False), (8, True)])
def test_a_market_quoted_per_gpu_hour_is_weighed_by_the_hours_of_the_quarter(term: int, extended: bool) -> None:
    """The market quotes $0.48 per GPU-hour: 640 GPUs per IT MW let 80% of the hours make $0.531M in 2029Q1 (2,160
    hours) and $0.543M in 2029Q3 (2,208), and 90% of the tenant's price is $0.54M. Asked in 2029Q1 it leaves, in
    2029Q3 it stays.

    By the hours of the last quarter of the horizon (2,184) it would leave in both, at full utilisation stay in both.
    """
    hours = {6: 2160, 8: 2208}[term]
    assert (0.48 * 640 * 0.8 * hours / 1e6 >= 0.9 * 0.6) == extended
    quotes = [row | {"price": 0.48, "price_basis": "usd_per_gpu_hour"} for row in market(0)]
    case = lease_case({"term_quarters": term}, product_markets=quotes, extensions=EXTENSIONS[:1], options=CHEAP_HALL)
    check(case, stepped([4.8] * term + [4.32] * (4 if extended else 0)) - hall(8))


@pytest.mark.parametrize(("share", "extended"), [(None, True), (1.1, False)])
def test_a_tenant_weighs_the_price_that_it_really_pays(share: float | None, extended: bool) -> None:
    """90% of $200 is below a market of $190; a tenant who pays 10% more for the site would pay $198, and leaves."""
    price = 4.8 * (share or 1)
    site = [{"offer": "lease", "site": "north", "price_share": share}] if share else []
    case = lease_case({"term_quarters": 8}, product_markets=market(190), extensions=EXTENSIONS[:1], site_prices=site)
    check(case, stepped([price] * 8 + [0.9 * price] * (4 if extended else 0)) - hall())


def test_credits_end_with_the_firm_term_and_costs_go_on() -> None:
    """Six quarters and four more at $180. The tenant's $8M are credited in the six only, the rest of a prepayment is
    none of the extension's either; the landlord's cost of $0.2M a quarter and the backstop's 2% go on.
    """
    balance, flows, money = 8.0, {}, {1: 8.0, 0: 0.1 * 6 * 4.8}
    for j in range(10):
        rent = 4.8 if j < 6 else 0.9 * 4.8
        flows[2 + j] = 0.9 * rent - 0.2 - 0.02 * rent
        if j < 6:
            money[2 + j] = -min(balance * 1.02, 0.2 * rent)
            balance = balance * 1.02 + money[2 + j]
        if 4 <= j < 6:
            money[2 + j] -= 0.1 * 6 * 4.8 / 2
    assert balance > 0.1
    case = lease_case(
        {"term_quarters": 6},
        options=CHEAP_HALL,
        product_markets=market(190),
        extensions=EXTENSIONS[:1],
        tenant_funding=[FUNDING],
        prepayments=[PREPAYMENT | {"rent_share": 0.1}],
        backstops=[BACKSTOP | {"rent_share": 0.02}],
        customers=[ADA | {"yearly_default": 0}],
        leases=[{"offer": "lease", "kind": "modified_gross", "cost_musd_per_it_mw_year": 0.1, "cost_growth": 0}],
    )
    check(case, ai(flows) + lent(money) - hall(8))


@pytest.mark.parametrize(
    ("taken", "floor", "billed"), [(0.6, 0.75, 0.75), (0.9, 0.75, 0.9), (0.6, None, 0.6), (None, 0.75, 1.0)]
)
def test_take_or_pay_bills_the_floor_and_draws_what_is_taken(
    taken: float | None, floor: float | None, billed: float
) -> None:
    """A tenant that pays no power bill takes 60% of its megawatts: with a floor of 75% it pays for 75% and draws 60%.
    Above the floor it pays what it takes; without take-or-pay also below; without a forecast of usage, all.

    Power drawn on the billed share would cost a quarter more in the first case.
    """
    case = lease_case(
        {"power_passed_through": False},
        usage=[{"scenario": "base", "offer": "lease", "taken_share": taken}] if taken else [],
        take_or_pay=[{"offer": "lease", "floor_share": floor}] if floor else [],
    )
    power = {t: (taken or 1) * own_power(t) for t in range(2, 22)}
    expected = rents(billed * 4.8, 2, 20) - ai(power) - hall()
    assert expected > 0
    check(case, expected)


def test_rent_free_quarters_bill_nothing_and_the_price_runs_on() -> None:
    """Two quarters without rent, power paid all the same; the yearly rise of 10% still comes in quarter 6.

    A clock that starts with the first bill would raise the price two quarters late.
    """
    case = lease_case({"power_passed_through": False, "escalator": 0.1}, rent_free=[{"offer": "lease", "quarters": 2}])
    rent = {2 + j: 0.9 * 4.8 * 1.1 ** (j // 4) for j in range(2, 20)}
    expected = ai(rent) - ai({t: own_power(t) for t in range(2, 22)}) - hall()
    assert expected > 0
    check(case, expected)


# ---- money before and beside the rent --------------------------------------------------------------

PREPAYMENT = {"offer": "lease", "rent_share": 0.25, "paid_quarters_before": 2, "credited_after_month": 12}


@pytest.mark.parametrize(("before", "received"), [(1, 1), (2, 0), (5, 0)])
def test_a_prepayment_is_received_early_and_credited_back(before: int, received: int) -> None:
    """A quarter of eight quarters' rent, $9.6M, some quarters before first delivery but not before the first quarter;
    from month 12 on each of the last four bills, $4.8M, is credited half of it, $2.4M.

    It adds the interest on it and nothing else: taken as income it would add $9.5M. Operating cost stays 10% of
    $4.8M.
    """
    case = lease_case({"term_quarters": 8}, prepayments=[PREPAYMENT | {"paid_quarters_before": before}])
    plan = check(case, rents(4.8, 2, 8) + lent({received: 9.6}) - lent(every(2.4, 6, 4)) - hall())
    assert cash_line(plan, "prepayments") == pytest.approx({received: 9.6})


def test_credits_follow_the_bills() -> None:
    """8 quarters, 10% a year, half billed in the first quarter: 2.4, 3 x 4.8, 4 x 5.28 = $37.92M, of which 20% are
    prepaid and credited from month 9 on, in proportion to 4.8 and 4 x 5.28.

    Credited in equal parts, the first credit would be 8% too large.
    """
    bills = [2.4, 4.8, 4.8, 4.8, 5.28, 5.28, 5.28, 5.28]
    prepaid = 0.2 * 37.92
    assert sum(bills) == pytest.approx(37.92)
    credits = {2 + j: prepaid * bills[j] / (4.8 + 4 * 5.28) for j in range(3, 8)}
    case = lease_case(
        {"term_quarters": 8, "escalator": 0.1, "ramp": "half then full"},
        prepayments=[PREPAYMENT | {"rent_share": 0.2, "credited_after_month": 9}],
    )
    check(case, stepped(bills) + lent({0: prepaid}) - lent(credits) - hall())


@pytest.mark.parametrize("prepaid", [True, False])
def test_a_prepayment_can_pay_for_the_hall(prepaid: bool) -> None:
    """$20M of cash, at least $3M to keep, and a hall of $24M: the $9.6M received in quarter 0 make it possible."""
    case = lease_case({"term_quarters": 8}, opening_cash_musd=20, prepayments=[PREPAYMENT] if prepaid else [])
    value = rents(4.8, 2, 8) + lent({0: 9.6}) - lent(every(2.4, 6, 4)) - hall()
    plan = check(case, value if prepaid else 0)
    if prepaid:
        assert plan.kpis["lowest_cash_musd"] == pytest.approx(20 + 9.6 - 24)


def test_a_prepayment_received_before_the_horizon_is_sunk_and_still_credited() -> None:
    """Delivered since 2026Q3, prepaid a quarter before; of eight quarters six are left: the fifth to eighth, quarters
    2 to 5, are credited $2.4M each.
    """
    case = lease_case(
        {"term_quarters": 8, "window_first": "2026Q3"},
        committed_starts=[{"option": "north hall", "quarter": "2026Q1", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2026Q3", "it_mw": 8}],
        prepayments=[PREPAYMENT | {"paid_quarters_before": 1}],
    )
    check(case, rents(4.8, 0, 6) - lent(every(2.4, 2, 4)))


def test_a_customers_share_counts_bills_before_credits() -> None:
    """Ada pays $4.8M and Bob $2.25M: 68%, under a cap of 70%. Bob's prepayment of 20% is credited in his last ten
    quarters, two of them (12 and 13) in the horizon: net of credits Ada would pay 78% there and nothing could be
    signed.
    """
    prepaid = 0.2 * 20 * 2.25
    case = hand_case(
        quarters=14,
        fleet=[],
        max_customer_share=0.70,
        max_customer_share_from=q(0),
        prepayments=[
            {"offer": "south lease", "rent_share": 0.2, "paid_quarters_before": 1, "credited_after_month": 30}
        ],
        **two_leases(),
    )
    south = rents(2.25, 2, 20) - hall(15) + lent({1: prepaid}) - lent(every(prepaid / 10, 12, 10))
    check(case, PROJECT + south)


FUNDING = {"offer": "lease", "musd_per_it_mw": 1, "paid_quarters_before": 1, "credit_share": 0.2, "rate": 0.08}


@pytest.mark.parametrize(("term", "forgiven"), [(20, False), (6, True)])
def test_a_tenants_money_is_capex_all_the_same_and_is_credited_on_its_rent(term: int, forgiven: bool) -> None:
    """$8M in quarter 1. Each quarter the balance grows 2% and up to 30% of the rent, $1.44M, is credited: $8M are
    8.16 less 1.44 = 6.72 after the first, and gone in the seventh quarter; a lease of six leaves a rest that is
    forgiven.

    Credits that go on with the rent would cost $19M; without interest the balance would be gone a little earlier.
    """
    balance, credits = 8.0, {}
    for j in range(term):
        balance *= 1.02
        credits[2 + j] = min(balance, 0.2 * 4.8)
        balance -= credits[2 + j]
    assert (balance > 0.1) == forgiven
    case = lease_case({"term_quarters": term}, tenant_funding=[FUNDING])
    expected = rents(4.8, 2, term) + lent({1: 8}) - lent(credits) - hall()
    assert expected > 0
    plan = check(case, expected)
    assert cash_line(plan, "tenant_capex") == pytest.approx({1: 8})
    within = {t: -musd for t, musd in credits.items() if t < 6}
    assert cash_line(plan, "tenant_credits") == pytest.approx(within)


def test_a_tenants_money_of_the_past_is_credited_on() -> None:
    """Delivered since 2026Q3 with the tenant's $8M: they are sunk, and what two quarters have left of them is
    credited from quarter 0 on: 8.16 - 0.96 = 7.2, then 7.344 - 0.96 = 6.384.
    """
    balance, credits = 6.384, {}
    for t in range(18):
        credits[t] = min(balance * 1.02, 0.96)
        balance = balance * 1.02 - credits[t]
    case = lease_case(
        {"window_first": "2026Q3"},
        committed_starts=[{"option": "north hall", "quarter": "2026Q1", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2026Q3", "it_mw": 8}],
        tenant_funding=[FUNDING],
    )
    check(case, rents(4.8, 0, 18) - lent(credits))


@pytest.mark.parametrize(("budget", "funded", "built"), [(24, True, True), (23.9, True, False), (24, False, True)])
@pytest.mark.parametrize("yearly", [True, False])
def test_budgets_count_capex_whatever_tenants_pay_of_it(budget: float, funded: bool, built: bool, yearly: bool) -> None:
    """The hall's $24M are $24M of the budget, in all and in 2027, though the tenant advances $8M of them.

    Net of the tenant's money $16M would do.
    """
    limit: Row = {"budget_years": [{"year": 2027, "capex_budget_musd": budget}]}
    case = lease_case(
        tenant_funding=[FUNDING] if funded else [], **(limit if yearly else {"capex_budget_musd": budget})
    )
    balance, credits = 8.0, {}
    for j in range(20):
        credits[2 + j] = min(balance * 1.02, 0.96)
        balance = balance * 1.02 - credits[2 + j]
    money = lent({1: 8}) - lent(credits) if funded else 0
    check(case, PROJECT + money if built else 0)


# ---- credit ----------------------------------------------------------------------------------------

ADA: Row = {
    "customer": "Ada", "yearly_default": 0.05, "relet_quarters": 2, "relet_rent_share": 0.8, "recovered_share": 0.25,
}  # fmt: skip
"""She fails within a year with 5%; the hall is let again after two quarters, at 80% of her rent."""
BACKSTOP: Row = {"offer": "lease", "upfront_musd_per_it_mw": 0, "rent_share": 0, "yearly_default": 0}
HAZARD = 0.012741455098566
"""Of a quarter: 0.987258544901434 to the fourth is 0.95."""


def losses(rent_by_quarter: list[float], hazard: float = HAZARD) -> list[float]:
    """What Ada's failing costs on average: each quarter in which she may fail, and what every later bill lacks then."""
    lost = [0.0] * len(rent_by_quarter)
    standing = 1.0
    for failing in range(len(rent_by_quarter)):
        for j in range(failing, len(rent_by_quarter)):
            lost[j] += standing * hazard * (1.0 if j - failing < 2 else 0.2) * rent_by_quarter[j] * 0.75
        standing *= 1 - hazard
    return lost


def test_a_customers_default_costs_what_is_lost_on_average() -> None:
    """$4.8M a quarter, a chance of 1.2741% a quarter, nothing for two quarters, then 80%; 25% of the loss recovered.

    In the first quarter 0.75 x 4.8 x 0.012741 = $45,869.24, in the second 0.012741 + 0.987259 x 0.012741 of it =
    $91,154.04; in the third the first failure pays 80% again. All eight quarters have their loss, four of them after
    the horizon. Without re-letting the eighth would cost $351,000, not $137,723; without what is recovered all a third
    more; with 5% a quarter four times as much.
    """
    to_the_cent = [45_869.24, 91_154.04, 99_166.45, 107_076.77, 114_886.31, 122_596.33, 130_208.13, 137_722.93]
    told = losses([4.8] * 8)
    assert [1e6 * musd for musd in told] == pytest.approx(to_the_cent, abs=0.005)
    case = lease_case({"term_quarters": 8}, customers=[ADA])
    plan = check(case, rents(4.8, 2, 8) - hall() - ai({2 + j: musd for j, musd in enumerate(told)}))
    within = [-1e6 * musd for musd in cash_line(plan, "expected_loss").values()]
    assert within == pytest.approx(to_the_cent[:4], abs=0.006)
    after = plan.after_horizon[plan.after_horizon["line"] == "expected_loss"]
    assert [-1e6 * musd for musd in after["musd"]] == pytest.approx(to_the_cent[4:], abs=0.006)
    assert set(after["source"]) == {"lease"} and set(after["business"]) == {"colo"}


def test_who_has_paid_until_now_has_not_failed() -> None:
    """Delivered since 2026Q3, two of eight quarters are past: the six left cost what the first six of a new contract
    do, not the third to the eighth, which hold the failures of quarters in which Ada paid.
    """
    case = lease_case(
        {"term_quarters": 8, "window_first": "2026Q3"},
        committed_starts=[{"option": "north hall", "quarter": "2026Q1", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2026Q3", "it_mw": 8}],
        customers=[ADA],
    )
    lost = ai(dict(enumerate(losses([4.8] * 6))))
    assert ai(dict(enumerate(losses([4.8] * 8)[2:]))) > lost + 0.1
    plan = check(case, rents(4.8, 0, 6) - lost)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(plan.value_musd)


def test_a_committed_contract_of_the_future_may_fail_from_its_delivery_on() -> None:
    """Signed for quarter 2: its first bill is that of quarter 2, and so is the first in which Ada may fail.

    From the horizon's first quarter on, two quarters of failures would stand before the first bill.
    """
    case = lease_case(
        {"term_quarters": 8},
        committed_starts=[{"option": "north hall", "quarter": q(0), "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": q(2), "it_mw": 8}],
        customers=[ADA],
    )
    check(case, rents(4.8, 2, 8) - hall() - ai({2 + j: musd for j, musd in enumerate(losses([4.8] * 8))}))


@pytest.mark.parametrize(
    "customers",
    [
        [],
        [ADA | {"yearly_default": 0}],
        [ADA | {"recovered_share": 1}],
        [ADA | {"relet_quarters": 0, "relet_rent_share": 1}],
        [ADA | {"customer": "Bob"}],
    ],
    ids=["no row", "no chance", "all recovered", "let again at once", "another customer"],
)
def test_nothing_is_lost_where_none_fails_or_nothing_is_lost_by_it(customers: list[Row]) -> None:
    """Each of these is worth the lease as it stands."""
    plan = check(lease_case(customers=customers), PROJECT)
    assert cash_line(plan, "expected_loss") == {}


def test_what_is_not_billed_cannot_be_lost() -> None:
    """Two quarters are free of rent and Ada takes 60% of what she contracted, with a floor of 75%: 0.75 x 4.8 = $3.6M
    from the third quarter on are at stake, with the failures of the two before them.

    The contracted rent would lose a third more, and $0.14M in the two free quarters.
    """
    bills = [0.0] * 2 + [3.6] * 18
    case = lease_case(
        customers=[ADA],
        rent_free=[{"offer": "lease", "quarters": 2}],
        usage=[{"scenario": "base", "offer": "lease", "taken_share": 0.6}],
        take_or_pay=[{"offer": "lease", "floor_share": 0.75}],
    )
    expected = stepped(bills) - hall() - ai({2 + j: musd for j, musd in enumerate(losses(bills))})
    assert expected > 0
    plan = check(case, expected)
    assert sorted(cash_line(plan, "expected_loss")) == [4, 5]


def test_an_extension_is_lost_with_the_rest() -> None:
    """Eight quarters and four more at $180: the loss runs on, on the extension's rent."""
    bills = [4.8] * 8 + [0.9 * 4.8] * 4
    case = lease_case({"term_quarters": 8}, product_markets=market(190), extensions=EXTENSIONS[:1], customers=[ADA])
    check(case, stepped(bills) - hall() - ai({2 + j: musd for j, musd in enumerate(losses(bills))}))


def test_a_backstop_buys_the_chance_down_for_its_price() -> None:
    """$0.2M per IT MW at first delivery and 2% of every bill leave a chance of 0.4% a year: 0.10015% a quarter.

    Where the backstop took the default away altogether the lease would be worth $0.2M more, and where its price came
    without its credit $2M less.
    """
    hazard = 0.001001503509654
    assert (1 - hazard) ** 4 == pytest.approx(0.996, abs=1e-12)
    flows = every(0.9 * 4.8 - 0.02 * 4.8, 2, 20)
    flows[2] -= 8 * 0.2
    backstop = BACKSTOP | {"upfront_musd_per_it_mw": 0.2, "rent_share": 0.02, "yearly_default": 0.004}
    lost = ai({2 + j: musd for j, musd in enumerate(losses([4.8] * 20, hazard))})
    check(lease_case(backstops=[backstop], customers=[ADA]), ai(flows) - hall() - lost)


@pytest.mark.parametrize(("backed", "signed"), [(False, False), (True, True)])
def test_a_backstop_turns_a_refusal(backed: bool, signed: bool) -> None:
    """Ada fails within a year with 60%, and what she leaves is not let again for five years: the lease loses. A backer
    for 5% of the rent, with whom the chance is 1%, makes it worth signing.
    """
    frail = ADA | {"yearly_default": 0.6, "relet_quarters": 20}
    rows = [BACKSTOP | {"rent_share": 0.05, "yearly_default": 0.01}] if backed else []

    def lost(yearly: float) -> float:
        hazard = 1 - (1 - yearly) ** 0.25
        gone = [1 - (1 - hazard) ** (j + 1) for j in range(20)]
        return ai({2 + j: 0.75 * 4.8 * share for j, share in enumerate(gone)})

    bare, backed_up = PROJECT - lost(0.6), PROJECT - lost(0.01) - ai(every(0.05 * 4.8, 2, 20))
    assert bare < 0 < backed_up
    plan = check(lease_case(backstops=rows, customers=[frail]), backed_up if signed else 0)
    assert len(plan.contracts) == signed


def test_a_contract_has_no_rate_of_its_own() -> None:
    """A backstop that costs nothing, for a customer that never fails: the same contract at the same 10%.

    Rents guaranteed by a backer, discounted at 6%, would be worth $7.3M more.
    """
    sound = [ADA | {"yearly_default": 0}]
    backed = check(lease_case(customers=sound, backstops=[BACKSTOP]), PROJECT)
    bare = check(lease_case(customers=sound), PROJECT)
    assert set(backed.after_horizon["factor"]) == set(bare.after_horizon["factor"])
    assert worth(0.06, every(4.32, 2, 20)) - ai(every(4.32, 2, 20)) > 7.2


def test_a_lease_with_too_dear_a_backstop_is_refused() -> None:
    """The lease is worth $42.2M; a backstop of $6M per IT MW costs $48M in quarter 2."""
    assert ai({2: 48}) > PROJECT
    check(lease_case(customers=[ADA], backstops=[BACKSTOP | {"upfront_musd_per_it_mw": 6}]), 0)


def test_lenders_count_the_expected_loss() -> None:
    """It is part of what a hall earns, not of the company: $4.32M of margin a quarter less what is lost."""
    plan = check(
        lease_case(customers=[ADA]),
        PROJECT - ai({2 + j: musd for j, musd in enumerate(losses([4.8] * 20))}),
    )
    lines = plan.tables["value"].set_index("line")
    assert lines.loc["expected_loss", "business"] == "colo"
    assert LINES["expected_loss"].serves_debt and LINES["expected_loss"].group == "AI margin"


# ---- the kinds of lease ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["triple_net", "modified_gross", "gross"])
def test_the_three_kinds_of_lease_leave_different_costs_with_the_landlord(kind: str) -> None:
    """$0.6M per IT MW and year on 8 IT MW are $1.2M a quarter: none of it with a triple net lease, all of it with a
    modified gross one, and growing 10% each year of the lease with a gross one. It falls on the megawatts held, in
    full in the quarter that bills half.
    """
    growth = {"triple_net": 0.0, "modified_gross": 1.0, "gross": 1.1}[kind]
    costs = {2 + j: 1.2 * growth ** (j // 4) if growth else 0.0 for j in range(20)}
    case = lease_case(
        {"ramp": "half then full"},
        leases=[{"offer": "lease", "kind": kind, "cost_musd_per_it_mw_year": 0.6, "cost_growth": 0.1}],
    )
    check(case, stepped([2.4] + [4.8] * 19) - ai(costs) - hall())


# ---- late delivery ---------------------------------------------------------------------------------


def late(deadline: int, walk_away: int, damages: float = 0.5) -> list[Row]:
    row: Row = {"offer": "lease", "deadline": q(deadline), "walk_away_quarters": walk_away}
    return [row | {"damages_musd_per_it_mw_quarter": damages}]


@pytest.mark.parametrize(("last", "walk_away", "signed"), [(3, 2, True), (2, 1, False)])
def test_late_delivery_pays_damages_on_all_megawatts_until_the_tenant_walks_away(
    last: int, walk_away: int, signed: bool
) -> None:
    """Due in quarter 1, and work cannot start before quarter 1: delivery in quarter 3 costs 8 x $0.5M in quarters 1
    and 2. A tenant that waits for one quarter only has walked away by then, and nothing is built.
    """
    terms = late(1, walk_away)
    case = lease_case(first=1, last=last, options={"earliest": q(1)}, late_delivery=terms, allow_planned_lateness=True)
    value = rents(4.8, 3, 20) - ai({1: 4, 2: 4}) - hall(start=1)
    assert value > 0
    plan = check(case, value if signed else 0)
    assert cash_line(plan, "damages") == pytest.approx({1: -4, 2: -4} if signed else {})


@pytest.mark.parametrize(
    ("terms", "last", "damages"),
    [(late(2, 1), 3, 2), (late(3, 1), 3, None), (late(2, 1, 5), 3, 20), (None, 3, None)],
    ids=["short", "before the deadline", "dear", "no term"],
)
def test_a_contract_may_be_short_while_its_hall_ramps(
    terms: list[Row] | None, last: int, damages: float | None
) -> None:
    """The hall serves half of the 8 IT MW in quarter 2. Due in quarter 2 and a quarter of patience: delivered in
    quarter 2, 4 MW short, half the rent, and damages of $2M at $0.5M per MW-quarter or $20M at $5M; waiting for
    quarter 3 would cost damages on all 8. Due in quarter 3 it may not be short in quarter 2, before the
    deadline, when its price and ramp would run on while nothing is paid; without the term it is never short. Both
    wait for quarter 3.
    """
    rows = {"late_delivery": terms} if terms else {}
    case = lease_case(last=last, options={"ramp": "half then full"}, allow_planned_lateness=True, **rows)
    waiting = rents(4.8, 3, 20) - hall()
    if damages is None:
        check(case, waiting)
        return
    short = stepped([2.4] + [4.8] * 19) - ai({2: damages}) - hall()
    assert short > 0 and (last == 2 or short > waiting - ai({2: 2 * damages}))
    check(case, short)


def test_what_is_not_delivered_can_be_sold() -> None:
    """The market takes 8 IT MW at $500 in quarter 2 alone: leaving the tenant without all 8 loses 90% of $4.8M and
    costs $4M of damages, and the market pays 90% of $12M.

    Short megawatts that stay reserved would leave the market empty.
    """
    sales = market(500, depth=0)
    sales[2] = sales[2] | {"depth_it_mw": 8}
    assert 0.9 * 12 - 4 > 0.9 * 4.8
    case = lease_case(
        options={"max_blocks": [1, 0]}, product_markets=sales, late_delivery=late(2, 1), allow_planned_lateness=True
    )
    check(case, rents(4.8, 3, 19) + ai({2: 0.9 * 12 - 4}) - hall())


def test_a_contract_past_the_tenants_patience_may_not_be_short() -> None:
    """Due in quarter 2 with no patience: quarter 2 must be served in full, and the hall serves half. Nothing is
    built.
    """
    check(lease_case(options={"ramp": "half then full"}, late_delivery=late(2, 0), allow_planned_lateness=True), 0)


def test_short_megawatts_draw_no_power_and_cost_no_operating() -> None:
    """The lease pays its own power; of the 8 IT MW due in quarter 2 4 are served: half of rent, operating cost and
    power, damages of $0.5M on the other 4, and half of a lease cost of $0.4M a quarter.
    """
    case = lease_case(
        {"power_passed_through": False},
        options={"ramp": "half then full"},
        late_delivery=late(2, 1),
        allow_planned_lateness=True,
        leases=[{"offer": "lease", "kind": "modified_gross", "cost_musd_per_it_mw_year": 0.2, "cost_growth": 0}],
    )
    power = {t: own_power(t) for t in range(3, 22)} | {2: own_power(2, it_mw=4)}
    expected = stepped([2.4] + [4.8] * 19) - ai(power) - ai({2: 2.2}) - ai(every(0.4, 3, 19)) - hall()
    assert expected > 0
    check(case, expected)


@pytest.mark.parametrize(("since", "signed"), [(0, False), (3, True)])
def test_a_customers_share_is_net_of_what_is_not_delivered(since: int, signed: bool) -> None:
    """Ada pays $4.8M and Bob $2.25M, 68% under a cap of 70%. The south's hall serves half in quarter 2, so Bob pays
    half there and Ada's share is 81%: with the cap from the first quarter on neither is signed, from quarter 3 on
    both.
    """
    row: Row = {"offer": "south lease", "deadline": q(2), "walk_away_quarters": 1}
    case = hand_case(
        fleet=[],
        max_customer_share=0.70,
        max_customer_share_from=q(since),
        options={"ramp": ["at once", "half then full"]},
        late_delivery=[row | {"damages_musd_per_it_mw_quarter": 0.1}],
        allow_planned_lateness=True,
        **two_leases(),
    )
    south = stepped([1.125] + [2.25] * 19) - ai({2: 2.5 * 0.1}) - hall(15)
    check(case, PROJECT + south if signed else 0)


def test_a_signed_contract_too_may_be_short() -> None:
    """Both committed: work since 2026Q4, delivery due and signed for quarter 1, when the hall serves half. $2M of
    damages and half a rent in quarter 1; the rest of the capex, $16.8M, in quarter 0.
    """
    case = lease_case(
        {"window_first": q(1)},
        options={"ramp": "half then full"},
        committed_starts=[{"option": "north hall", "quarter": "2026Q4", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": q(1), "it_mw": 8}],
        late_delivery=late(1, 1),
    )
    expected = stepped([2.4] + [4.8] * 19, 1) - ai({1: 2}) - ai({0: 16.8})
    plan = check(case, expected)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(expected)


@pytest.mark.parametrize(("allowed", "signed"), [(True, True), (False, False)])
@pytest.mark.parametrize("way", ["after the deadline", "in part"])
def test_no_plan_counts_on_a_tenants_patience_unless_the_case_says_so(way: str, allowed: bool, signed: bool) -> None:
    """Due in quarter 1 and delivered in quarter 3, or due in quarter 2 with half of it missing there: either gains with
    its damages paid. Where planned lateness is not allowed, which is so unless a case says it, nothing is built.
    """
    if way == "in part":
        terms: dict[str, Any] = {"options": {"ramp": "half then full"}, "late_delivery": late(2, 1)}
        value = stepped([2.4] + [4.8] * 19) - ai({2: 2}) - hall()
    else:
        terms = {"first": 1, "last": 3, "options": {"earliest": q(1)}, "late_delivery": late(1, 2)}
        value = rents(4.8, 3, 20) - ai({1: 4, 2: 4}) - hall(start=1)
    assert value > 30
    check(lease_case(**terms, **({"allow_planned_lateness": True} if allowed else {})), value if signed else 0)


def test_delivery_in_the_quarter_of_the_deadline_is_in_time() -> None:
    """Due in quarter 2, delivered in quarter 2: no damages and no leave needed."""
    plan = check(lease_case(last=5, late_delivery=late(2, 3)), PROJECT)
    assert cash_line(plan, "damages") == {} and plan.late.empty


IN_TWO = [
    {"offer": "lease", "quarters_after": 0, "share": 0.5},
    {"offer": "lease", "quarters_after": 2, "share": 0.5},
]
"""Half of the lease in quarter 2, half in quarter 4."""


def late_half(late_by: int = 1, patience: int = 3, offer: Row | None = None, **changes: Any) -> Case:
    """The north's hall comes in two blocks of 4 IT MW; the second, begun in quarter 2 + `late_by`, serves from quarter
    4 + `late_by` on, where the lease's second half is due in quarter 4, at the deadline. Both are committed.
    """
    return lease_case(
        {"term_quarters": 8} | (offer or {}),
        **{
            "quarters": 8,
            "options": {"block_gross_mw": 6, "max_blocks": [2, 0]},
            "committed_starts": [
                {"option": "north hall", "quarter": q(0), "blocks": 1},
                {"option": "north hall", "quarter": q(2 + late_by), "blocks": 1},
            ],
            "committed_contracts": [{"offer": "lease", "site": "north", "quarter": q(2), "it_mw": 8}],
            "tranches": IN_TWO,
            "late_delivery": late(4, patience),
            **changes,
        },
    )


HALVES = {1: hall(12, 0) + hall(12, 3), 2: hall(12, 0) + hall(12, 4)}
"""The two blocks of $12M, the second one or two quarters late."""


def test_a_late_tranche_leaves_the_others_bill_whole() -> None:
    """4 IT MW bill $2.4M from quarter 2 on, whatever becomes of the other 4, which are a quarter late: $2.4M more from
    quarter 5 on, and $2M of damages in quarter 4.

    Where a missing megawatt were one of the whole contract, half of the first tranche's bill would be gone as well;
    with a second tranche that is late for as long from its own start, the contract would end a quarter later.
    """
    case = late_half()
    plan = check(case, stepped([2.4] * 3 + [4.8] * 5) - ai({4: 2}) - HALVES[1])
    assert plan.late[["tranche", "quarter", "missing_it_mw"]].to_numpy().tolist() == [[1, q(4), 4]]
    assert cash_line(plan, "rent") == pytest.approx({2: 2.4, 3: 2.4, 4: 2.4, 5: 4.8, 6: 4.8, 7: 4.8})


def test_a_tranche_due_before_the_deadline_is_never_late() -> None:
    """Deadline in quarter 5: the half due in quarter 4 may not be missing in quarter 5, and the case has no plan."""
    with pytest.raises(Infeasible):
        solve(late_half(late_by=2, late_delivery=late(5, 2)))


@pytest.mark.parametrize("ramp", ["at once", "half then full"])
def test_what_comes_late_ramps_from_its_own_delivery(ramp: str) -> None:
    """The second half comes in quarter 6 instead of 4, 5% a year: with a ramp it bills half of its rent there, at the
    price that the contract has by then, raised in quarter 6, and ends with the contract.

    A ramp that ran from quarter 4 on would be over by then, and a price of its own would rise in quarter 10.
    """
    first = 0.5 if ramp == "half then full" else 1.0
    billed = [0.5 * first, 0.5, 0.5, 0.5, 0.5 + 0.5 * first, 1, 1, 1]
    price = [4.8] * 4 + [4.8 * 1.05] * 4
    case = late_half(late_by=2, offer={"escalator": 0.05, "ramp": ramp})
    check(case, stepped([p * b for p, b in zip(price, billed, strict=True)]) - ai({4: 2, 5: 2}) - HALVES[2])


def test_what_comes_late_has_its_rent_free_quarters_from_its_delivery() -> None:
    """Three quarters are free of rent: quarters 2 to 4, so that the half due in quarter 4 has one left. A quarter late
    it has that one in quarter 5.

    Lost to the landlord's delay it would pay from quarter 5 on, with three of its own from quarter 8 on.
    """
    bills = [0, 0, 0, 2.4, 4.8, 4.8, 4.8, 4.8]
    case = late_half(rent_free=[{"offer": "lease", "quarters": 3}])
    check(case, stepped(bills) - ai({4: 2}) - HALVES[1])


def test_a_whole_contract_that_comes_late_has_its_rent_free_quarters_from_then() -> None:
    """The committed lease is due in quarter 2 and half of its hall comes in quarter 3. Rent is free for two quarters:
    for the half in time in quarters 2 and 3, for the other in 3 and 4.
    """
    case = lease_case(
        {"term_quarters": 8},
        options={"ramp": "half then full"},
        committed_starts=[{"option": "north hall", "quarter": q(0), "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": q(2), "it_mw": 8}],
        rent_free=[{"offer": "lease", "quarters": 2}],
        late_delivery=late(2, 2),
    )
    check(case, stepped([0, 0, 2.4] + [4.8] * 5) - ai({2: 2}) - hall())


@pytest.mark.parametrize(("before", "in_time", "late_half_paid"), [(1, 2, 3), (0, 3, 4)])
def test_a_prepayment_is_that_of_what_is_delivered(before: int, in_time: int, late_half_paid: int) -> None:
    """Due in quarter 3, when half of the hall is there; the other half comes in quarter 4. Eight quarters of 4 IT MW
    prepay a quarter of 8 x 2.4 = $4.8M, the seven of the late half of 7 x 2.4 = $4.2M, each so many quarters before it
    is there; from month 12 of each on, the last four and the last three bills are credited.

    The whole contract's $9.6M at once would be $0.6M too much and a quarter too early for half of it.
    """
    case = lease_case(
        {"term_quarters": 8},
        first=3,
        last=3,
        quarters=8,
        options={"ramp": "half then full"},
        committed_starts=[{"option": "north hall", "quarter": q(1), "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": q(3), "it_mw": 8}],
        prepayments=[PREPAYMENT | {"paid_quarters_before": before}],
        late_delivery=late(3, 1),
    )
    received = {in_time: 4.8, late_half_paid: 4.2}
    credits = every(4.8 / 4, 7, 4)
    for t in (8, 9, 10):
        credits[t] += 4.2 / 3
    bills = stepped([2.4] + [4.8] * 7, 3)
    plan = check(case, bills + lent(received) - lent(credits) - ai({3: 2}) - hall(start=1))
    assert cash_line(plan, "prepayments") == pytest.approx(received | {7: -1.2})


def test_a_late_tranche_takes_its_prepayment_with_it() -> None:
    """8 IT MW in two halves prepay 25% of 8 x 2.4 + 6 x 2.4 = $8.4M a quarter before first delivery; from month 12 on
    the last four bills are credited $2.1M each. The second half comes a quarter late: its 25% of 6 x 2.4 = $3.6M and
    its four credits of $0.9M are gone from that, and 25% of 5 x 2.4 = $3M come a quarter before quarter 5, credited in
    full on the one bill (of quarter 9) that is left after its twelve months.
    """
    case = late_half(prepayments=[PREPAYMENT | {"paid_quarters_before": 1}])
    money = {1: 8.4 - 3.6, 4: 3.0} | every(-(2.1 - 0.9), 6, 4)
    money[9] -= 3.0
    plan = check(case, stepped([2.4] * 3 + [4.8] * 5) + lent(money) - ai({4: 2}) - HALVES[1])
    assert cash_line(plan, "prepayments") == pytest.approx({1: 4.8, 4: 3.0, 6: -1.2, 7: -1.2})


def test_who_has_prepaid_does_not_pay_again_for_what_is_late() -> None:
    """Committed for quarter 1, $9.6M prepaid in 2026Q4; half of the hall comes in quarter 2. What is late is credited
    as before, from its own twelfth month on, and brings no second prepayment.

    With 25% of 7 x 2.4 once more, two quarters before quarter 2, the landlord would gain $4.2M by being late.
    """
    case = lease_case(
        {"term_quarters": 8, "window_first": q(1)},
        quarters=8,
        options={"ramp": "half then full"},
        committed_starts=[{"option": "north hall", "quarter": "2026Q4", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": q(1), "it_mw": 8}],
        prepayments=[PREPAYMENT | {"paid_quarters_before": 2}],
        late_delivery=late(1, 1),
    )
    credits = every(1.2, 5, 4)
    for t in (6, 7, 8):
        credits[t] += 4.2 / 3
    plan = check(case, stepped([2.4] + [4.8] * 7, 1) - lent(credits) - ai({1: 2}) - ai({0: 16.8}))
    assert min(cash_line(plan, "prepayments")) == 5


def test_a_tenants_money_and_its_credits_are_those_of_the_contract_as_planned() -> None:
    """$8M a quarter before first delivery, credited with 20% of the bills as they were planned: $0.48M on the first
    two, $0.96M on each of the others; the second half is a quarter late all the same.

    A tenant that credits its bills as they come would be repaid $0.48M later.
    """
    balance, money = 8.0, {1: 8.0}
    for j, rent in enumerate([2.4] * 2 + [4.8] * 6):
        money[2 + j] = -min(balance * 1.02, 0.2 * rent)
        balance = balance * 1.02 + money[2 + j]
    check(late_half(tenant_funding=[FUNDING]), stepped([2.4] * 3 + [4.8] * 5) + lent(money) - ai({4: 2}) - HALVES[1])


def test_what_is_late_pays_no_fee_for_a_backstop_and_is_not_lost() -> None:
    """2% of every bill, and Ada's default on every bill: on half of the first one, the other half being late.

    Failures count by the contract's own quarters: the late half meets the second quarter's, not the first's.
    """
    case = lease_case(
        options={"ramp": "half then full"},
        late_delivery=late(2, 1),
        allow_planned_lateness=True,
        backstops=[BACKSTOP | {"upfront_musd_per_it_mw": 0.1, "rent_share": 0.02, "yearly_default": 0.05}],
        customers=[ADA],
    )
    bills = [2.4] + [4.8] * 19
    fees = ai({2 + j: 0.02 * rent for j, rent in enumerate(bills)}) + ai({2: 0.8})
    lost = ai({2 + j: musd for j, musd in enumerate(losses(bills))})
    check(case, stepped(bills) - fees - lost - ai({2: 2}) - hall())


@pytest.mark.parametrize(("price", "withheld"), [(300, False), (1100, True)])
def test_what_has_been_delivered_stays_delivered(price: float, withheld: bool) -> None:
    """Due in quarter 2 with two quarters of patience. The market takes 8 IT MW in quarter 3 alone: at $300 they are
    worth 90% of $7.2M there, more than the tenant's 90% of $4.8M; but to have them in quarter 3 the tenant must wait
    from quarter 2 on, which costs another $4.32M. At $1,100 it waits, and so does the hall.

    Were megawatts taken back from the tenant for a quarter, $300 would be enough.
    """
    sales = market(price, depth=0)
    sales[3] = sales[3] | {"depth_it_mw": 8}
    gain = 0.9 * price * 8 * 3 / 1000 - 4.32
    assert gain > 0
    case = lease_case(
        options={"max_blocks": [1, 0]},
        product_markets=sales,
        late_delivery=late(2, 2, damages=0),
        allow_planned_lateness=True,
    )
    waiting = ai({3: gain}) - ai({2: 4.32}) + hall() - hall(start=1)
    assert (waiting > 0) == withheld
    check(case, PROJECT + max(waiting, 0))


def test_no_more_is_missing_than_the_late_tranche() -> None:
    """The lease's second half is due in quarter 4, when the market takes 8 IT MW at $500: keeping 4 from the tenant
    loses 90% of $2.4M and costs $2M of damages, and they bring 90% of $6M. The first half stays the tenant's.

    Were the whole 8 IT MW free to be withheld for the second tranche's sake, twice of that would be gained.
    """
    sales = market(500, depth=0, quarters=8)
    sales[4] = sales[4] | {"depth_it_mw": 8}
    case = lease_case(
        {"term_quarters": 8},
        quarters=8,
        options={"max_blocks": [1, 0]},
        product_markets=sales,
        tranches=IN_TWO,
        late_delivery=late(4, 1),
        allow_planned_lateness=True,
    )
    check(case, stepped([2.4] * 3 + [4.8] * 5) + ai({4: 0.9 * 6 - 2}) - hall())


def test_damages_are_due_for_every_missing_megawatt_and_quarter() -> None:
    """The second half is two quarters late: 4 x $0.5M in quarters 4 and 5."""
    plan = check(late_half(late_by=2), stepped([2.4] * 4 + [4.8] * 4) - ai({4: 2, 5: 2}) - HALVES[2])
    assert cash_line(plan, "damages") == pytest.approx({4: -2, 5: -2})
    assert plan.late["missing_it_mw"].tolist() == [4, 4]


def test_what_was_missing_before_the_horizon_bills_from_its_delivery() -> None:
    """Due since 2026Q4 with three quarters of patience, and the hall is there in full from quarter 1 on: half of it is
    missing in quarter 0. With a ramp of half, then full, the half in time bills in full by then, and the other half of
    itself in quarter 1.

    As if the late half had ramped since 2026Q4, quarter 1 would bill $4.8M.
    """
    case = lease_case(
        {"term_quarters": 8, "window_first": "2026Q4", "ramp": "half then full"},
        options={"block_gross_mw": 6, "max_blocks": [2, 0]},
        committed_starts=[
            {"option": "north hall", "quarter": "2026Q2", "blocks": 1},
            {"option": "north hall", "quarter": "2026Q3", "blocks": 1},
        ],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2026Q4", "it_mw": 8}],
        late_delivery=[late(0, 3)[0] | {"deadline": "2026Q4"}],
    )
    late_case = case.replace(
        committed_starts=[
            case.committed_starts[0],
            case.committed_starts[1].model_copy(update={"quarter": case.first - 1}),
        ]
    )
    rest = {0: 0.7 * 12}
    check(case, stepped([4.8] * 7, 0))
    check(late_case, stepped([2.4, 3.6] + [4.8] * 5, 0) - ai({0: 2}) - ai(rest))


# ---- signing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sign_by", "signed"), [("2026Q4", False), (q(0), True), (q(2), True), (None, True)])
def test_an_offer_is_signed_while_it_stands(sign_by: str | None, signed: bool) -> None:
    """Delivered in quarter 2: it may be accepted in quarter 0 and later, but not where its last day lies before it."""
    case = lease_case({"sign_by": sign_by})
    plan = check(case, PROJECT if signed else 0)
    assert len(plan.contracts) == signed
    assert [note.column for note in offers_can_still_be_accepted(case)] == ([] if signed else ["sign_by"])
    if not signed:
        assert refusal(case, "base", offer="lease") == (
            "It cannot be: it could be accepted until 2026Q4, before the first quarter."
        )


def test_a_signed_contract_does_not_ask_when_it_could_be_signed() -> None:
    """Its offer ended before the horizon, which is why it was signed in time."""
    case = lease_case(
        {"sign_by": "2026Q2"},
        committed_starts=[{"option": "north hall", "quarter": q(0), "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": q(2), "it_mw": 8}],
    )
    check(case, PROJECT)


@pytest.mark.parametrize(
    ("last", "sign_by", "told"), [(2, None, q(0)), (5, None, q(3)), (5, q(1), q(1)), (1, None, q(0))]
)
def test_a_plan_tells_by_when_its_offers_are_signed(last: int, sign_by: str | None, told: str) -> None:
    """Unless it says so, an offer stands until the shortest lead time, two quarters, before its window ends, and at
    least through the first quarter. What a plan decides says it too.
    """
    case = lease_case({"sign_by": sign_by, "window_first": q(0)}, last=last)
    assert str(case.sign_by(case.offer["lease"])) == told
    if last > 1:
        plan = solve(case)
        assert plan.contracts["sign_by_quarter"].tolist() == [told]
        (signing,) = decisions_of(plan).signed
        assert signing.words.endswith(f", sign by {told}")


def test_an_offer_is_decided_before_it_ends_and_before_it_is_delivered() -> None:
    """It stands until quarter 3: for a delivery in quarter 2 it is decided by then, for one in quarter 5 in quarter 3;
    and what ended before the horizon in the first quarter.
    """
    case = lease_case({"sign_by": q(3)}, last=5)
    due = VARIABLES["Y"].due
    assert due is not None
    by = {t: due(case, ("lease", 0, "north", case.first + t)) - case.first for t in (2, 5)}
    assert by == {2: 2, 5: 3}
    past = lease_case({"sign_by": "2026Q1"}, last=5)
    assert due(past, ("lease", 0, "north", past.first + 5)) == past.first


@pytest.mark.parametrize(
    ("allowed", "committed", "noted"), [(True, False, True), (False, False, False), (False, True, True)]
)
@pytest.mark.parametrize(("patience", "long"), [(4, True), (3, False)])
def test_a_contract_that_may_end_undelivered_is_noted(
    allowed: bool, committed: bool, noted: bool, patience: int, long: bool
) -> None:
    """Four quarters from quarter 2 on, due in quarter 2, and a tenant that waits as long: it could be signed for its
    money alone, and never served; but not where no plan may be late on purpose, unless it is signed already.
    """
    signed = {
        "committed_starts": [{"option": "north hall", "quarter": q(0), "blocks": 1}],
        "committed_contracts": [{"offer": "lease", "site": "north", "quarter": q(2), "it_mw": 8}],
    }
    case = lease_case(
        {"term_quarters": 4},
        late_delivery=late(2, patience),
        allow_planned_lateness=allowed,
        **(signed if committed else {}),
    )
    assert len(list(late_contracts_are_delivered_at_last(case))) == (noted and long)


@pytest.mark.parametrize(("patience", "funded"), [(2, True), (2, False), (1, True)])
def test_a_tranche_that_may_never_be_delivered_is_noted_with_the_advances_kept(patience: int, funded: bool) -> None:
    """Delivery may begin in quarter 2; its second part, two quarters after, is due at the deadline in quarter 4.

    The contract of four quarters ends with quarter 5: a limit of two quarters after the deadline lets that part be
    missing to the end.
    """
    halves = [{"offer": "lease", "quarters_after": after, "share": 0.5} for after in (0, 2)]
    case = lease_case(
        {"term_quarters": 4, "window_first": q(2)},
        tranches=halves,
        tenant_funding=[FUNDING] if funded else [],
        late_delivery=late(4, patience),
        allow_planned_lateness=True,
    )
    told = [finding.why for finding in late_contracts_are_delivered_at_last(case)]
    kept = ", its tenant's advances kept" if funded else ""
    wanted = f"outlasts the contract of 4 quarters: a tranche of it may be signed and never delivered{kept}"
    assert told == ([wanted] if patience == 2 else [])


# ---- one contract and another ----------------------------------------------------------------------


@pytest.mark.parametrize(("required", "south_price", "signed"), [(False, 60, 1), (True, 60, 2), (True, 1, 2)])
def test_an_offer_may_require_another(required: bool, south_price: float, signed: int) -> None:
    """The south's lease loses money: at $60 its rent is $0.9M a quarter for a hall of $15M. Where the north's
    requires it, both are signed, as the sum still gains.
    """
    south = rents(south_price * 5_000 * 3 / 1e6, 2, 20) - hall(15)
    assert south < 0 < PROJECT + south
    rule = {"prerequisites": [{"offer": "lease", "requires": "south lease"}]} if required else {}
    plan = check(
        hand_case(fleet=[], **two_leases(south_price=south_price), **rule), PROJECT + (south if required else 0)
    )
    assert len(plan.contracts) == signed


@pytest.mark.parametrize(("committed", "delivered"), [(False, 3), (True, 2)])
def test_what_is_required_comes_first(committed: bool, delivered: int) -> None:
    """The south's lease can only begin in quarter 3, so the north's, which requires it, waits for quarter 3 as well.
    Where the south's is committed for quarter 2 the north's begins then.
    """
    windows = {"window_first": q(2), "window_last": q(4)}
    south: Row = {"window_first": q(2 if committed else 3), "window_last": q(2 if committed else 3)}
    signed = {
        "committed_starts": [{"option": "south hall", "quarter": q(0), "blocks": 1}],
        "committed_contracts": [{"offer": "south lease", "site": "south", "quarter": q(2), "it_mw": 5}],
    }
    case = hand_case(
        fleet=[],
        prerequisites=[{"offer": "lease", "requires": "south lease"}],
        **two_leases(north=windows, south=south),
        **(signed if committed else {}),
    )
    north_value = rents(4.8, delivered, 20) - hall(24, delivered - 2)
    south_value = rents(2.25, delivered, 20) - hall(15, delivered - 2)
    check(case, north_value + south_value)


# ---- GPUs ------------------------------------------------------------------------------------------


def gpu_case(refresh: float, blocks: Row | None = None, **changes: Any) -> Case:
    """The north's hall with $16M of GPUs that live three quarters (2 to 4); $3.2M of salvage after that."""
    gpus: Row = {"option": "north hall", "life_quarters": 3, "residual_share": 0.2}
    return lease_case(
        options={"gpu_musd_per_it_mw": 2, "max_blocks": [1, 0]} | (blocks or {}),
        gpu_lives=[gpus | {"refresh_musd_per_it_mw": refresh}],
        **changes,
    )


@pytest.mark.parametrize(("refresh", "residual", "worth_it"), [(0.5, 0, True), (3, 0, False), (3, 6, True)])
@pytest.mark.parametrize("committed", [True, False])
def test_gpus_are_refreshed_where_that_pays(refresh: float, residual: float, worth_it: bool, committed: bool) -> None:
    """The market takes 8 IT MW at $800: $17.28M of margin a quarter. The GPUs serve quarters 2 to 4; in quarter 5,
    the last, they fetch 20% of $16M. A refresh at $0.5M per IT MW brings quarter 5 and in quarter 8, after the
    horizon, 20% of its own cost. At $3M it does not pay, unless what is usable at the end is worth $6M per IT MW, less
    6/120 of it, of which the GPUs' death two quarters later takes $6M less 8/120.

    GPUs that live on, or a refresh that ramps or comes a quarter late, lose or gain the whole of quarter 5.
    """
    case = gpu_case(
        refresh,
        offers=[],
        offer_prices=[],
        offer_sites=[],
        product_markets=market(800, depth=8),
        products={"residual_musd_per_it_mw": residual},
        committed_starts=[{"option": "north hall", "quarter": q(0), "blocks": 1}] if committed else [],
    )
    usable = 8 * residual * ((1 - 6 / 120) * 1.10**-1.5 - (1 - 8 / 120) * 1.10**-2)
    again = ai({5: 17.28 - 8 * refresh, 8: 0.2 * 8 * refresh}) + usable
    assert (again > 0) == worth_it
    at_once = ai(every(17.28, 2, 3)) + ai({5: 3.2}) - hall() - ai({0: 16}) + max(again, 0)
    assert at_once > ai(every(17.28, 3, 3)) + ai({6: 3.2}) - hall(start=1) - ai({1: 16})
    plan = check(case, at_once)
    assert cash_line(plan, "gpu_sales") == pytest.approx({5: 3.2})
    assert cash_line(plan, "gpu_capex") == pytest.approx({0: -16} | ({5: -8 * refresh} if worth_it else {}))


@pytest.mark.parametrize(("term", "refreshed"), [(3, 0), (4, 1), (6, 1), (7, None)])
def test_a_contract_that_outlives_its_gpus_is_refused(term: int, refreshed: int | None) -> None:
    """Rent of $19.2M a quarter from quarter 2. Three quarters fit the first GPUs; four to six need the refresh of
    quarter 5 ($4M), whose GPUs live to quarter 7; a seventh would need another in quarter 8, past the horizon:
    refused.

    Checked within the horizon only, a lease of 20 quarters would be signed on GPUs that die after six.
    """
    price = [{"scenario": "base", "offer": "lease", "price": 800, "price_basis": "usd_per_kw_month"}]
    case = gpu_case(0.5, offer={"term_quarters": term}, offer_prices=price)
    value = rents(19.2, 2, term) + ai({5: 3.2}) - hall() - ai({0: 16})
    if refreshed:
        value += ai({5: -4, 8: 0.8})
    assert value > 0
    check(case, 0 if refreshed is None else value)


def test_gpus_are_refreshed_again_and_again() -> None:
    """Eight quarters and a life of two: refreshed in quarters 4 and 6, each time at $4M, sold for $3.2M, 0.8 and 0.8
    in quarters 4, 6 and 8.

    A second refresh without the first would save $4M and lose two quarters of $17.28M.
    """
    case = lease_case(
        quarters=8,
        offers=[],
        offer_prices=[],
        offer_sites=[],
        options={"gpu_musd_per_it_mw": 2, "max_blocks": [1, 0]},
        product_markets=market(800, depth=8, quarters=8),
        gpu_lives=[{"option": "north hall", "life_quarters": 2, "residual_share": 0.2, "refresh_musd_per_it_mw": 0.5}],
    )
    check(case, ai(every(17.28, 2, 6)) + ai({0: -16, 4: 3.2 - 4, 6: 0.8 - 4, 8: 0.8}) - hall())


def test_gpus_in_service_before_the_horizon_age_from_their_service() -> None:
    """Committed in 2026Q1, in service since 2026Q3, three quarters of life: they end with quarter 0. Refreshed in
    quarters 1 and 4 at $4M; sold for $3.2M in quarter 1, $0.8M in quarters 4 and 7. A company that only goes on
    renews the GPUs of a hall it has.
    """
    case = gpu_case(
        0.5,
        offers=[],
        offer_prices=[],
        offer_sites=[],
        product_markets=market(800, depth=8),
        committed_starts=[{"option": "north hall", "quarter": "2026Q1", "blocks": 1}],
    )
    value = ai(every(17.28, 0, 6)) + ai({1: 3.2 - 4, 4: 0.8 - 4, 7: 0.8})
    plan = check(case, value)
    assert plan.kpis["do_nothing_value_musd"] == pytest.approx(value)


def test_single_blocks_are_refreshed() -> None:
    """Two blocks of 4 IT MW. In quarter 5, when their GPUs end, the market takes only 4 IT MW: one block is refreshed
    for $2M and sells them for $8.64M, the other is not.

    All or nothing would cost $2M more, or lose quarter 5.
    """
    sales = market(800, depth=8)
    sales[5] = sales[5] | {"depth_it_mw": 4}
    case = gpu_case(
        0.5,
        offers=[],
        offer_prices=[],
        offer_sites=[],
        product_markets=sales,
        blocks={"block_gross_mw": 6, "max_blocks": [2, 0]},
    )
    expected = ai(every(17.28, 2, 3)) + ai({0: -16, 5: 3.2 + 8.64 - 2, 8: 0.2 * 2}) - hall()
    check(case, expected)


def test_a_refresh_is_part_of_the_budget() -> None:
    """$40M for hall and GPUs and $4M for the refresh: with $43.9M the refresh is left out."""
    sales = {"offers": [], "offer_prices": [], "offer_sites": [], "product_markets": market(800, depth=8)}
    first_life = ai(every(17.28, 2, 3)) + ai({5: 3.2}) - hall() - ai({0: 16})
    check(gpu_case(0.5, capex_budget_musd=44, **sales), first_life + ai({5: 17.28 - 4, 8: 0.8}))
    check(gpu_case(0.5, capex_budget_musd=43.9, **sales), first_life)


# ---- deposits --------------------------------------------------------------------------------------

DEPOSITS = [
    {"option": "north hall", "quarters_before": 2, "share": 0.1},
    {"option": "north hall", "quarters_before": 1, "share": 0.05},
]


def test_deposits_are_paid_before_the_start_and_need_time() -> None:
    """10% two quarters and 5% one quarter before the start; the spending curve carries the other 85%. Work cannot
    start before quarter 2, so the lease begins in quarter 4.

    Without the room for deposits it would begin in quarter 2; on top of the curve they would cost $3.6M more.
    """
    paid = {0: 2.4, 1: 1.2, 2: 0.85 * 7.2, 3: 0.85 * 16.8}
    plan = check(lease_case(last=4, deposits=DEPOSITS), rents(4.8, 4, 20) - ai(paid))
    assert cash_line(plan, "facility_capex") == pytest.approx({t: -musd for t, musd in paid.items()})


@pytest.mark.parametrize(("budget", "built"), [(3.6 + 20.4, True), (23.9, False)])
def test_deposits_are_part_of_the_budget(budget: float, built: bool) -> None:
    """They are capex like the rest: $24M in all, all of it in 2027."""
    paid = {0: 2.4, 1: 1.2, 2: 0.85 * 7.2, 3: 0.85 * 16.8}
    case = lease_case(last=4, deposits=DEPOSITS, budget_years=[{"year": 2027, "capex_budget_musd": budget}])
    check(case, rents(4.8, 4, 20) - ai(paid) if built else 0)


def test_deposits_paid_before_the_horizon_are_sunk() -> None:
    """A start committed for quarter 1: the 10% were paid in 2026Q4; 5% fall in quarter 0, the rest in quarters 1 and
    2.
    """
    case = lease_case(
        first=3,
        last=3,
        committed_starts=[{"option": "north hall", "quarter": q(1), "blocks": 1}],
        deposits=DEPOSITS,
    )
    check(case, rents(4.8, 3, 20) - ai({0: 1.2, 1: 0.85 * 7.2, 2: 0.85 * 16.8}))


# ---- together --------------------------------------------------------------------------------------


def test_terms_work_on_each_other_in_their_order() -> None:
    """One lease with an index (5% in quarter 6), a favoured site (110%), a tier (90%), tranches, usage of 80% with a
    floor of 70%, a prepayment, tenant funding, a backstop that leaves 1% of default a year, and a gross lease. Rent in
    quarter j: 7.2 x index x 1.1 x 0.9 x 0.8 x tranche; prepayment, credits, fees and losses follow that rent; the
    lease's cost follows the megawatts held.
    """
    held = [0.5, 0.5] + [1.0] * 6
    rent = [7.2 * (1 if j < 4 else 1.05) * 1.1 * 0.9 * 0.8 * held[j] for j in range(8)]
    prepaid = 0.1 * sum(rent)
    balance, flows, money = 8.0, {}, {0: prepaid, 1: 8.0}
    lost = losses(rent, 1 - 0.99**0.25)
    for j in range(8):
        balance *= 1.02
        money[2 + j] = -min(balance, 0.2 * rent[j])
        balance += money[2 + j]
        bill = 0.9 * rent[j] - lost[j] - 0.02 * rent[j] - 0.1 * held[j] * 1.1 ** (j // 4)
        if j >= 4:
            money[2 + j] -= prepaid * rent[j] / sum(rent[4:])
        flows[2 + j] = bill - (8 * 0.1 if j == 0 else 0)
    index = {"scenario": "base", "index": "cpi"}
    case = lease_case(
        {"term_quarters": 8, "min_it_mw": 4},
        quarters=8,
        offer_prices={"price": 300},
        indices=[index | {"quarter": q(t), "yearly_rise": 0.05} for t in range(8)],
        index_escalators=[{"offer": "lease", "index": "cpi", "cap": 0.06, "floor": 0}],
        site_prices=[{"offer": "lease", "site": "north", "price_share": 1.1}],
        price_tiers=[
            {"offer": "lease", "up_to_it_mw": 4.5, "price_share": 1},
            {"offer": "lease", "up_to_it_mw": 8, "price_share": 0.9},
        ],
        tranches=[
            {"offer": "lease", "quarters_after": 0, "share": 0.5},
            {"offer": "lease", "quarters_after": 2, "share": 0.5},
        ],
        usage=[{"scenario": "base", "offer": "lease", "taken_share": 0.8}],
        take_or_pay=[{"offer": "lease", "floor_share": 0.7}],
        prepayments=[PREPAYMENT | {"rent_share": 0.1}],
        tenant_funding=[FUNDING],
        customers=[ADA],
        backstops=[BACKSTOP | {"upfront_musd_per_it_mw": 0.1, "rent_share": 0.02, "yearly_default": 0.01}],
        leases=[{"offer": "lease", "kind": "gross", "cost_musd_per_it_mw_year": 0.05, "cost_growth": 0.1}],
    )
    expected = ai(flows) + lent(money) - hall()
    assert expected > 0
    check(case, expected)


# ---- what is refused -------------------------------------------------------------------------------

TIERS = [
    {"offer": "lease", "up_to_it_mw": 4, "price_share": 1},
    {"offer": "lease", "up_to_it_mw": 8, "price_share": 0.9},
]


@pytest.mark.parametrize(
    "changes",
    [
        indexed(None) | {"offer": {"escalator": 0.02}},
        indexed(0) | {"offer": {"price_base_quarter": "2026Q4"}},
        {"price_tiers": [TIERS[0], TIERS[1] | {"price_share": 1}], "offer": {"min_it_mw": 4}},
        {"price_tiers": TIERS, "offer": {"min_it_mw": 4, "max_it_mw": 9}},
        {"prepayments": [PREPAYMENT | {"rent_share": 0.51}], "offer": {"term_quarters": 8}},
        {"leases": [{"offer": "lease", "kind": "triple_net", "cost_musd_per_it_mw_year": 0.6, "cost_growth": 0.1}]}
        | {"offer": {"power_passed_through": False}},
        {"late_delivery": late(1, 1), "first": 1, "last": 3},
        {"tranches": [{"offer": "lease", "quarters_after": 0, "share": 0.5}]},
        {"deposits": [{"option": "north hall", "quarters_before": 0, "share": 0.5}]},
    ],
    ids=[
        "an escalator beside an index",
        "an index before the first quarter",
        "tiers that do not fall",
        "tiers that end below the largest size",
        "more prepaid than is left to credit",
        "a triple net lease that pays for power",
        "a window past the walk-away limit",
        "tranches that do not sum to 1",
        "a deposit at the start",
    ],
)
def test_terms_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    """Each of these is a finding of the case, not a case that happens to have a plan."""
    with pytest.raises(InputError):
        lease_case(**changes)
