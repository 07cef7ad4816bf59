"""Contract terms solved by hand, one case for each term and one where it bites.

As in `test_hand_solved`, every expected value is worked out here with plain numbers. Unless a test says otherwise: no
machines, one lease of 8 IT MW in the north, delivered in quarter 2 (2027Q3) and no other, at $200 per kW-month =
$4.8M a quarter less 10% of operating cost, for 20 quarters; its hall costs $24M and serves two quarters after its
start. AI is discounted at 10%.
"""

from __future__ import annotations

from typing import Any

import pytest
from hand_cases import (
    AI,
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
    two_leases,
    worth,
)

from optimizer.case.case import Case
from optimizer.ground.findings import InputError

PROJECT = rents(4.8, 2, 20) - hall()
"""The lease as it stands: what a case is worth whose term does not matter."""


def ai(flows: dict[int, float]) -> float:
    return worth(AI, flows)


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
    """The second half comes in quarter 6, after the horizon: of 8 IT MW 4 are held at its end, the other 4 are worth
    $2M each.
    """
    case = lease_case(
        products={"residual_musd_per_it_mw": 2},
        options={"max_blocks": [1, 0]},
        tranches=[
            {"offer": "lease", "quarters_after": 0, "share": 0.5},
            {"offer": "lease", "quarters_after": 4, "share": 0.5},
        ],
    )
    check(case, stepped([2.4] * 4 + [4.8] * 16) - hall() + 4 * 2 * 1.10**-1.5)


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
    balance, flows = 8.0, {1: 8.0, 0: 0.1 * 6 * 4.8}
    for j in range(10):
        rent = 4.8 if j < 6 else 0.9 * 4.8
        flows[2 + j] = 0.9 * rent - 0.2 - 0.02 * rent
        if j < 6:
            credit = min(balance * 1.02, 0.2 * rent)
            balance = balance * 1.02 - credit
            flows[2 + j] -= credit
        if 4 <= j < 6:
            flows[2 + j] -= 0.1 * 6 * 4.8 / 2
    assert balance > 0.1
    case = lease_case(
        {"term_quarters": 6},
        options=CHEAP_HALL,
        product_markets=market(190),
        extensions=EXTENSIONS[:1],
        tenant_funding=[FUNDING],
        prepayments=[PREPAYMENT | {"rent_share": 0.1}],
        backstops=[{"offer": "lease", "upfront_musd_per_it_mw": 0, "rent_share": 0.02, "discount_rate": None}],
        leases=[{"offer": "lease", "kind": "modified_gross", "cost_musd_per_it_mw_year": 0.1, "cost_growth": 0}],
    )
    check(case, ai(flows) - hall(8))


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
    plan = check(case, rents(4.8, 2, 8) + ai({received: 9.6}) - ai(every(2.4, 6, 4)) - hall())
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
    check(case, stepped(bills) + ai({0: prepaid}) - ai(credits) - hall())


@pytest.mark.parametrize("prepaid", [True, False])
def test_a_prepayment_can_pay_for_the_hall(prepaid: bool) -> None:
    """$20M of cash, at least $3M to keep, and a hall of $24M: the $9.6M received in quarter 0 make it possible."""
    case = lease_case({"term_quarters": 8}, opening_cash_musd=20, prepayments=[PREPAYMENT] if prepaid else [])
    value = rents(4.8, 2, 8) + ai({0: 9.6}) - ai(every(2.4, 6, 4)) - hall()
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
    check(case, rents(4.8, 0, 6) - ai(every(2.4, 2, 4)))


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
    south = rents(2.25, 2, 20) - hall(15) + ai({1: prepaid}) - ai(every(prepaid / 10, 12, 10))
    check(case, PROJECT + south)


FUNDING = {"offer": "lease", "musd_per_it_mw": 1, "paid_quarters_before": 1, "credit_share": 0.2, "rate": 0.08}


@pytest.mark.parametrize(("term", "forgiven"), [(20, False), (6, True)])
def test_a_tenants_money_lowers_capex_and_is_credited_on_its_rent(term: int, forgiven: bool) -> None:
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
    expected = rents(4.8, 2, term) + ai({1: 8}) - ai(credits) - hall()
    assert expected > 0
    plan = check(case, expected)
    assert cash_line(plan, "tenant_capex") == pytest.approx({1: 8})
    within = {t: -musd for t, musd in credits.items() if t < 6}
    assert cash_line(plan, "tenant_credits") == pytest.approx(within)


def test_a_tenants_money_of_the_past_is_credited_on() -> None:
    """Delivered since 2026Q3 with the tenant's $8M: they are sunk, and what two quarters have left of them is
    credited from quarter 0 on: 8.16 - 0.96 = 7.2, then 7.344 - 0.96 = 6.384.
    """
    balance, flows = 6.384, {}
    for t in range(18):
        credit = min(balance * 1.02, 0.96)
        balance = balance * 1.02 - credit
        flows[t] = 4.32 - credit
    case = lease_case(
        {"window_first": "2026Q3"},
        committed_starts=[{"option": "north hall", "quarter": "2026Q1", "blocks": 1}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2026Q3", "it_mw": 8}],
        tenant_funding=[FUNDING],
    )
    check(case, ai(flows))


@pytest.mark.parametrize(("budget", "funded", "built"), [(16, True, True), (15.9, True, False), (16, False, False)])
@pytest.mark.parametrize("yearly", [True, False])
def test_budgets_count_capex_net_of_the_tenants_money(budget: float, funded: bool, built: bool, yearly: bool) -> None:
    """The hall's $24M less the tenant's $8M are $16M of the budget, in all and in 2027."""
    limit: Row = {"budget_years": [{"year": 2027, "capex_budget_musd": budget}]}
    case = lease_case(
        tenant_funding=[FUNDING] if funded else [], **(limit if yearly else {"capex_budget_musd": budget})
    )
    balance, credits = 8.0, {}
    for j in range(20):
        credits[2 + j] = min(balance * 1.02, 0.96)
        balance = balance * 1.02 - credits[2 + j]
    check(case, PROJECT + ai({1: 8}) - ai(credits) if built else 0)


@pytest.mark.parametrize("rate", [None, 0.06])
def test_a_backstop_costs_a_fee_and_a_share_of_rent_and_may_lower_the_rate(rate: float | None) -> None:
    """$0.2M per IT MW at first delivery and 2% of every bill. A guaranteed rent may be discounted at 6% in place of
    10%: rent, operating cost and the fees themselves; the hall stays at 10%.

    Discounting the hall at 6% too would make it $0.26M dearer.
    """
    flows = every(0.9 * 4.8 - 0.02 * 4.8, 2, 20)
    flows[2] -= 8 * 0.2
    backstop = {"offer": "lease", "upfront_musd_per_it_mw": 0.2, "rent_share": 0.02, "discount_rate": rate}
    check(lease_case(backstops=[backstop]), worth(rate or AI, flows) - hall())


def test_a_backstops_rate_discounts_damages_too() -> None:
    """Due in quarter 1 and delivered in quarter 3: damages of $4M in quarters 1 and 2, and the rents, all at 6%."""
    case = lease_case(
        first=1,
        last=3,
        options={"earliest": q(1)},
        late_delivery=late(1, 2),
        backstops=[{"offer": "lease", "upfront_musd_per_it_mw": 0, "rent_share": 0, "discount_rate": 0.06}],
    )
    check(case, worth(0.06, {1: -4, 2: -4} | every(4.32, 3, 20)) - hall(start=1))


def test_a_lease_with_too_dear_a_backstop_is_refused() -> None:
    """The lease is worth $42.2M; a backstop of $6M per IT MW costs $48M in quarter 2."""
    backstop = {"offer": "lease", "upfront_musd_per_it_mw": 6, "rent_share": 0, "discount_rate": None}
    assert ai({2: 48}) > PROJECT
    check(lease_case(backstops=[backstop]), 0)


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
    case = lease_case(first=1, last=last, options={"earliest": q(1)}, late_delivery=late(1, walk_away))
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
    case = lease_case(last=last, options={"ramp": "half then full"}, **({"late_delivery": terms} if terms else {}))
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
    case = lease_case(options={"max_blocks": [1, 0]}, product_markets=sales, late_delivery=late(2, 1))
    check(case, rents(4.8, 3, 19) + ai({2: 0.9 * 12 - 4}) - hall())


def test_a_contract_past_the_tenants_patience_may_not_be_short() -> None:
    """Due in quarter 2 with no patience: quarter 2 must be served in full, and the hall serves half. Nothing is
    built.
    """
    check(lease_case(options={"ramp": "half then full"}, late_delivery=late(2, 0)), 0)


def test_short_megawatts_draw_no_power_and_cost_no_operating() -> None:
    """The lease pays its own power; of the 8 IT MW due in quarter 2 4 are served: half of rent, operating cost and
    power, and damages of $0.5M on the other 4. A lease cost of $0.4M a quarter falls on all 8.
    """
    case = lease_case(
        {"power_passed_through": False},
        options={"ramp": "half then full"},
        late_delivery=late(2, 1),
        leases=[{"offer": "lease", "kind": "modified_gross", "cost_musd_per_it_mw_year": 0.2, "cost_growth": 0}],
    )
    power = {t: own_power(t) for t in range(3, 22)} | {2: own_power(2, it_mw=4)}
    expected = stepped([2.4] + [4.8] * 19) - ai(power) - ai({2: 2}) - ai(every(0.4, 2, 20)) - hall()
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


@pytest.mark.parametrize(("refresh", "residual", "worth_it"), [(0.5, 0, True), (3, 0, False), (3, 0.8, True)])
@pytest.mark.parametrize("committed", [True, False])
def test_gpus_are_refreshed_where_that_pays(refresh: float, residual: float, worth_it: bool, committed: bool) -> None:
    """The market takes 8 IT MW at $800: $17.28M of margin a quarter. The GPUs serve quarters 2 to 4; in quarter 5,
    the last, they fetch 20% of $16M. A refresh at $0.5M per IT MW brings quarter 5 and in quarter 8, after the
    horizon, 20% of its own cost. At $3M it does not pay, unless what is usable at the end is worth $0.8M per IT MW
    more.

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
    again = ai({5: 17.28 - 8 * refresh, 8: 0.2 * 8 * refresh}) + 8 * residual * 1.10**-1.5
    assert (again > 0) == worth_it
    at_once = ai(every(17.28, 2, 3)) + ai({5: 3.2}) - hall() - ai({0: 16}) + max(again, 0)
    later = ai(every(17.28, 3, 3)) + ai({6: 3.2}) - hall(start=1) - ai({1: 16}) + 8 * residual * 1.10**-1.5
    if not committed and residual:
        assert later > at_once
        check(case, later)
        return
    assert at_once > later or committed
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
    floor of 70%, a prepayment, tenant funding, a backstop and a gross lease. Rent in quarter j: 7.2 x index x 1.1 x
    0.9 x 0.8 x tranche; prepayment, credits and fees follow that rent; the lease's cost follows the megawatts held.
    """
    held = [0.5, 0.5] + [1.0] * 6
    rent = [7.2 * (1 if j < 4 else 1.05) * 1.1 * 0.9 * 0.8 * held[j] for j in range(8)]
    prepaid = 0.1 * sum(rent)
    balance, flows = 8.0, {0: prepaid, 1: 8.0}
    for j in range(8):
        balance *= 1.02
        credit = min(balance, 0.2 * rent[j])
        balance -= credit
        bill = 0.9 * rent[j] - credit - 0.02 * rent[j] - 0.1 * held[j] * 1.1 ** (j // 4)
        if j >= 4:
            bill -= prepaid * rent[j] / sum(rent[4:])
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
        backstops=[{"offer": "lease", "upfront_musd_per_it_mw": 0.1, "rent_share": 0.02, "discount_rate": 0.07}],
        leases=[{"offer": "lease", "kind": "gross", "cost_musd_per_it_mw_year": 0.05, "cost_growth": 0.1}],
    )
    expected = worth(0.07, flows) - hall()
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
