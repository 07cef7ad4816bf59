"""The accountant's own sums, by hand: what a contract bills, what a hall costs, what a report says.

Nothing is solved in the first half: decisions are written down as tables and the flows that the audit makes of them
are those worked out here with plain numbers. The case is that of `hand_cases`: 2027Q1 is quarter 0, a hall of 8 IT MW
in the north costs $24M (30% in the start quarter, 70% in the next) and serves two quarters after its start, the lease
pays $200 per kW-month = $0.6M per IT MW and quarter, AI is discounted at 10%.
"""

from __future__ import annotations

import ast
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hand_books import broken, lines, written
from hand_cases import AI, Row, discount, hand_case, lease_case, own_power, q

import optimizer as opt
from optimizer.auditors import _AUDITORS, audit, plausibility
from optimizer.auditors.books import Books, Flow, exact
from optimizer.auditors.contracts import checks as contract_checks
from optimizer.auditors.contracts import record as record_contracts
from optimizer.auditors.contracts import sign_by
from optimizer.auditors.contributions import Contribution, rank_contributions
from optimizer.auditors.halls import Batch, checks, record
from optimizer.auditors.inputs import Inputs
from optimizer.auditors.report import Check, Report, Tally
from optimizer.auditors.terms import Bill, bill_of
from optimizer.auditors.terms.bill import Missing
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

pytestmark = pytest.mark.core

Q = Quarter.parse
ROOT = Path(__file__).parents[1]
SOLVERS = ("pyomo", "highspy", "pyscipopt", "numpy", "scipy")
PRICE = 0.6


def bill(
    case: Case, delivery: int = 2, it_mw: str = "8", *, committed: bool = False, missing: Missing | None = None
) -> Bill:
    """The lease as delivered in some quarter of the horizon, or before it."""
    where = "lease", "north", Q(q(delivery)), Decimal(it_mw)
    with exact():
        return bill_of(Inputs(case, "base"), *where, committed=committed, missing=missing)


def absent(by_quarter: dict[int, float], tranche: int = 0) -> Missing:
    """IT MW of one tranche that are missing, by quarter of the horizon."""
    return {tranche: {Q(q(t)): Decimal(str(it_mw)) for t, it_mw in by_quarter.items()}}


def numbers(series: list[Decimal]) -> list[float]:
    return [float(number) for number in series]


def paid(of: Bill, line: str) -> dict[int, float]:
    """Payments beside the rent, by quarter of the horizon, without zeros."""
    found: dict[int, float] = {}
    for quarter, name, musd in of.items:
        if name == line and musd:
            t = quarter - Q(q(0))
            found[t] = found.get(t, 0) + float(musd)
    return found


def near(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-13, abs=1e-13)


# ---- contracts ---------------------------------------------------------------------------------------------------


def test_a_plain_lease_holds_and_bills_all_of_itself_to_the_end_of_its_term() -> None:
    lease = bill(lease_case({"escalator": 0.03, "term_quarters": 6}))
    assert numbers(lease.held) == numbers(lease.billed) == numbers(lease.drawn) == [1] * 6
    assert numbers(lease.price) == near([PRICE] * 4 + [PRICE * 1.03] * 2)
    assert str(lease.end) == q(7)


def test_a_price_quoted_for_an_earlier_quarter_rises_from_there() -> None:
    lease = bill(lease_case({"escalator": 0.03, "term_quarters": 6, "price_base_quarter": q(0)}))
    assert numbers(lease.price) == near([PRICE] * 2 + [PRICE * 1.03] * 4)


def test_a_price_by_the_hour_follows_the_calendar() -> None:
    """200 $ are of $ per GPU-hour here: 100 GPUs an IT MW, 90% of the hours billed, 2,208 and 2,184 hours."""
    case = lease_case(
        {"term_quarters": 3, "utilisation": 0.9},
        offer_prices={"price": 2, "price_basis": "usd_per_gpu_hour"},
        products={"gpus_per_it_mw": 100, "utilisation": 0.8},
        product_markets={"price_basis": "usd_per_gpu_hour"},
    )
    assert numbers(bill(case).price) == near([2 * 100 * 0.9 * hours / 1e6 for hours in (2208, 2208, 2184)])


def indexed(**columns: Any) -> Case:
    index = [{"scenario": "base", "index": "cpi", "quarter": q(t), "yearly_rise": 0.03 if t else 0} for t in range(6)]
    for t, rise in ((4, 0.09), (5, -0.02)):
        index[t]["yearly_rise"] = rise
    escalator = {"offer": "lease", "index": "cpi", "floor": 0.01, "cap": 0.05} | columns
    return lease_case({"term_quarters": 14}, 0, 3, indices=index, index_escalators=[escalator])


@pytest.mark.parametrize(("delivery", "rises"), [(0, (1.05, 1.01, 1.01)), (1, (1.01, 1.01, 1.01)), (3, (1.01,) * 3)])
def test_an_index_rises_within_floor_and_cap_and_stays_after_the_horizon(
    delivery: int, rises: tuple[float, ...]
) -> None:
    """Delivered in 0, the first rise is that of quarter 4 (9%, capped at 5%), the next that of the last quarter."""
    prices = numbers(bill(indexed(), delivery).price)
    level, expected = PRICE, []
    for year in range(4):
        expected += [level] * 4
        level *= rises[min(year, 2)]
    assert prices == near(expected[:14])


def test_sites_and_sizes_have_their_own_prices_and_an_edge_belongs_to_the_smaller_tier() -> None:
    tiers = [
        {"offer": "lease", "up_to_it_mw": size, "price_share": share} for size, share in ((5, 1), (7, 0.9), (8, 0.8))
    ]
    favoured = [{"offer": "lease", "site": "north", "price_share": 1.1}]
    case = lease_case({"min_it_mw": 4, "max_it_mw": 8}, price_tiers=tiers, site_prices=favoured)
    shares = {size: float(bill(case, it_mw=size).price[0]) / PRICE / 1.1 for size in ("4", "5", "5.1", "7", "7.5")}
    assert shares == near({"4": 1, "5": 1, "5.1": 0.9, "7": 0.9, "7.5": 0.8})


RAMP: list[Row] = [{"profile": "slow", "step": step, "share": share} for step, share in enumerate((0.25, 0.5, 1))]


def slow(offer: Row, **tables: Any) -> Case:
    """The lease with a ramp of 25%, 50%, 100%."""
    profiles = [row.model_dump() for row in lease_case().profiles] + RAMP
    return lease_case({"ramp": "slow"} | offer, profiles=profiles, **tables)


PARTS: list[Row] = [{"offer": "lease", "quarters_after": 0, "share": 0.4}]
PARTS += [{"offer": "lease", "quarters_after": 3, "share": 0.6}]


def test_each_part_of_a_contract_ramps_from_its_own_delivery() -> None:
    lease = bill(slow({"term_quarters": 6}, tranches=PARTS))
    assert numbers(lease.held) == [0.4, 0.4, 0.4, 1, 1, 1]
    assert numbers(lease.billed) == near([0.1, 0.2, 0.4, 0.4 + 0.15, 0.4 + 0.3, 1])
    assert lease.drawn == lease.billed


def market(price: float) -> list[Row]:
    row = {"scenario": "base", "product": "colo", "price": price, "price_basis": "usd_per_kw_month", "depth_it_mw": 0}
    return [row | {"quarter": q(t)} for t in range(6)]


STEPS: list[Row] = [{"offer": "lease", "step": 1, "quarters": 2, "price_share": 0.9}]
STEPS += [{"offer": "lease", "step": 2, "quarters": 3, "price_share": 0.8}]


@pytest.mark.parametrize(("quoted", "quarters"), [(179.9, 2), (180, 7), (164.7, 2), (164.9, 2), (185.4, 7)])
def test_a_tenant_extends_where_its_price_is_at_most_the_markets(quoted: float, quarters: int) -> None:
    """Option 1 costs 90% of $200 = $180; option 2 80% of $206: never dearer than that. Not taken, the next is lost."""
    case = lease_case({"term_quarters": 2, "escalator": 0.03}, extensions=STEPS, product_markets=market(quoted))
    lease = bill(case)
    assert lease.quarters == quarters
    prices = [200, 200, 180, 180, 164.8, 164.8, 164.8]
    assert numbers(lease.price) == near([price * 0.003 for price in prices[:quarters]])


def test_a_price_at_the_markets_is_the_markets_whatever_its_digits() -> None:
    """177.70 x 0.9 = 159.93 exactly, though not in binary; 0.01 less on the market and the tenant leaves."""
    price = [{"scenario": "base", "offer": "lease", "price": 177.7, "price_basis": "usd_per_kw_month"}]
    for quoted, quarters in ((159.93, 4), (159.92, 2)):
        tables = {"extensions": STEPS[:1], "offer_prices": price, "product_markets": market(quoted)}
        assert bill(lease_case({"term_quarters": 2}, **tables)).quarters == quarters


def test_rent_free_quarters_bill_nothing_and_draw_power() -> None:
    lease = bill(slow({"term_quarters": 4}, rent_free=[{"offer": "lease", "quarters": 2}]))
    assert numbers(lease.billed) == [0, 0, 1, 1]
    assert numbers(lease.drawn) == [0.25, 0.5, 1, 1]


@pytest.mark.parametrize(("floor", "billed"), [(0.9, 0.9), (0.5, 0.7), (None, 0.7)])
def test_a_tenant_pays_what_it_takes_or_the_floor(floor: float | None, billed: float) -> None:
    floors = [] if floor is None else [{"offer": "lease", "floor_share": floor}]
    usage = [{"scenario": "base", "offer": "lease", "taken_share": 0.7}]
    lease = bill(lease_case({"term_quarters": 2}, usage=usage, take_or_pay=floors))
    assert (numbers(lease.billed), numbers(lease.drawn)) == (near([billed] * 2), near([0.7] * 2))


PREPAID: list[Row] = [
    {"offer": "lease", "rent_share": 0.25, "paid_quarters_before": 3, "credited_after_month": 6}
]  # fmt: skip


def test_a_prepayment_comes_in_the_first_quarter_at_the_earliest_and_is_credited_in_proportion() -> None:
    """8 IT MW x 0.6 x (0.25 + 0.5 + 1 + 1) = 13.2; a quarter of it; credited on the last two bills alike."""
    flows = paid(bill(slow({"term_quarters": 4}, prepayments=PREPAID)), "prepayments")
    assert flows == near({0: 3.3, 4: -1.65, 5: -1.65})


def test_a_prepayment_of_a_signed_contract_came_when_it_came() -> None:
    flows = paid(bill(slow({"term_quarters": 4}, prepayments=PREPAID), committed=True), "prepayments")
    assert flows == near({-1: 3.3, 4: -1.65, 5: -1.65})


def test_tenants_money_bears_interest_is_credited_up_to_a_share_of_rent_and_forgiven_at_the_end() -> None:
    """0.5 x 1.02 = 0.51, less 40% of 0.6 = 0.24: 0.27; x 1.02 - 0.24 = 0.0354; x 1.02 = 0.036108, all of it."""
    terms: Row = {"offer": "lease", "musd_per_it_mw": 0.5, "paid_quarters_before": 1, "credit_share": 0.4, "rate": 0.08}
    lease = bill(lease_case({"term_quarters": 5}, tenant_funding=[terms]))
    assert paid(lease, "tenant_capex") == near({1: 4.0})
    assert paid(lease, "tenant_credits") == near({2: -1.92, 3: -1.92, 4: -8 * 0.036108})
    short = bill(lease_case({"term_quarters": 1}, tenant_funding=[terms]))
    assert paid(short, "tenant_credits") == near({2: -1.92})


FAILS = 1 - 0.9**4
"""A yearly chance of default that is one in ten each quarter."""


def doubtful(**columns: Any) -> list[Row]:
    """The lease's customer fails once in ten quarters, pays a fifth of what it owes; half the rent again after two."""
    row: Row = {"customer": "Ada", "yearly_default": FAILS, "relet_quarters": 2, "relet_rent_share": 0.5}
    return [row | {"recovered_share": 0.2} | columns]


BACKED: Row = {"offer": "lease", "upfront_musd_per_it_mw": 0.2, "rent_share": 0.05, "yearly_default": 1 - 0.95**4}


def test_a_tenant_that_may_fail_costs_the_rent_that_is_then_lost() -> None:
    """One in ten, then 9 of 90, 8.1 of 81; who failed two quarters ago is replaced at half the rent; 80% is lost."""
    lost = (0.1, 0.19, 0.271 - 0.05, 0.3439 - 0.095)
    lease = bill(lease_case({"term_quarters": 4}, customers=doubtful()))
    assert paid(lease, "expected_loss") == near({2 + j: -4.8 * share * 0.8 for j, share in enumerate(lost)})
    assert paid(bill(lease_case({"term_quarters": 4})), "expected_loss") == {}


def test_a_tenant_that_rents_already_is_alive_in_the_first_quarter() -> None:
    lease = bill(lease_case({"term_quarters": 4}, customers=doubtful()), -2, committed=True)
    assert paid(lease, "expected_loss") == near({0: -4.8 * 0.1 * 0.8, 1: -4.8 * 0.19 * 0.8})


def test_a_tenant_replaced_at_once_at_the_same_rent_costs_nothing() -> None:
    lease = bill(lease_case(customers=doubtful(relet_quarters=0, relet_rent_share=1)))
    assert all(abs(musd) < 1e-40 for musd in paid(lease, "expected_loss").values())


def test_a_backstop_costs_warrants_and_a_fee_and_lowers_the_chance_of_default() -> None:
    """Both fail once in twenty quarters: 5%, then 5% of 95% more; what is let again is let as without a backstop."""
    lease = bill(lease_case({"term_quarters": 2}, backstops=[BACKED], customers=doubtful()))
    assert paid(lease, "backstop") == near({2: -1.6 - 0.24, 3: -0.24})
    assert paid(lease, "expected_loss") == near({2: -4.8 * 0.05 * 0.8, 3: -4.8 * 0.0975 * 0.8})


@pytest.mark.parametrize(
    ("kind", "yearly"), [("triple_net", (0, 0)), ("modified_gross", (0.2, 0.2)), ("gross", (0.2, 0.21))]
)
def test_a_lease_says_who_pays_for_the_building(kind: str, yearly: tuple[float, float]) -> None:
    terms: Row = {"offer": "lease", "kind": kind, "cost_musd_per_it_mw_year": 0.2, "cost_growth": 0.05}
    lease = bill(lease_case({"term_quarters": 5}, tranches=[PARTS[0] | {"share": 0.4}, PARTS[1]], leases=[terms]))
    held = [0.4, 0.4, 0.4, 1, 1]
    costs = [yearly[j // 4] / 4 * held[j] * 8 for j in range(5)]
    assert paid(lease, "lease_cost") == near({2 + j: -cost for j, cost in enumerate(costs) if cost})


def lateness(deadline: int, walk_away: int) -> list[Row]:
    row: Row = {"offer": "lease", "deadline": q(deadline), "damages_musd_per_it_mw_quarter": 0.05}
    return [row | {"walk_away_quarters": walk_away}]


def test_late_delivery_pays_damages_from_the_deadline_to_delivery() -> None:
    case = lease_case({"window_first": q(1)}, 1, 4, late_delivery=lateness(1, 4), allow_planned_lateness=True)
    assert paid(bill(case, 3), "damages") == near({1: -0.4, 2: -0.4})
    assert paid(bill(case, 1), "damages") == {}


LATE = absent({2: 8, 3: 5, 4: 5})
"""Of 8 IT MW due in quarter 2 three come in 3 and five in 5."""


def mw(shares: list[Decimal]) -> list[float]:
    """Shares of the lease's 8 IT MW."""
    return [float(8 * share) for share in shares]


def test_what_is_late_ramps_and_is_free_of_rent_from_its_own_delivery() -> None:
    """Ramp 25%, 50%, 100%; the first quarter is free. On time 0, 4, 8, 8, 8, 8 would be billed."""
    terms = {"late_delivery": lateness(2, 3), "rent_free": [{"offer": "lease", "quarters": 1}]}
    late = bill(slow({"term_quarters": 6, "escalator": 0.03}, **terms), missing=LATE)
    assert mw(late.held) == [8] * 6
    assert mw(late.delivered) == near([0, 3, 3, 8, 8, 8])
    assert mw(late.drawn) == near([0, 0.75, 1.5, 3 + 1.25, 3 + 2.5, 8])
    assert mw(late.billed) == near([0, 0, 1.5, 3, 3 + 2.5, 8])
    assert mw(late.planned) == near([0, 4, 8, 8, 8, 8])
    assert numbers(late.price) == near([PRICE] * 4 + [PRICE * 1.03] * 2), "the price keeps the contract's own clock"
    assert paid(late, "damages") == near({2: -0.4, 3: -0.25, 4: -0.25})


def test_only_the_tranche_that_is_late_comes_later() -> None:
    """4.8 IT MW are due in quarter 3: three come in 4, the rest in 5; the first 3.2 ramp as they would."""
    window = {"window_first": q(0), "window_last": q(0)}
    case = slow({"term_quarters": 6} | window, tranches=PARTS, late_delivery=lateness(3, 2))
    late = bill(case, 0, missing=absent({3: 4.8, 4: 1.8}, tranche=1))
    assert mw(late.held) == near([3.2, 3.2, 3.2, 8, 8, 8])
    assert mw(late.delivered) == near([3.2, 3.2, 3.2, 3.2, 6.2, 8])
    assert mw(late.billed) == near([0.8, 1.6, 3.2, 3.2, 3.2 + 0.75, 3.2 + 1.5 + 0.45])


def test_what_is_missing_in_the_last_quarter_comes_the_quarter_after() -> None:
    """The horizon ends with quarter 5, the tenant's patience with 7: no delay is reckoned beyond the horizon."""
    late = bill(lease_case({"term_quarters": 4}, 4, 4, late_delivery=lateness(4, 4)), 4, missing=absent({4: 8, 5: 8}))
    assert mw(late.billed) == [0, 0, 8, 8]
    patient = bill(lease_case({"term_quarters": 4}, late_delivery=lateness(2, 1)), 2, missing=absent({2: 8}))
    assert mw(patient.billed) == [0, 8, 8, 8]


def test_a_contract_long_due_may_be_late_from_the_first_quarter_on() -> None:
    """Due a quarter ago: what is not missing in the first quarter came then, and has had a quarter of its ramp."""
    case = slow({"term_quarters": 5, "window_first": q(-1)}, late_delivery=lateness(-1, 3))
    late = bill(case, -1, committed=True, missing=absent({0: 5, 1: 2}))
    assert mw(late.billed) == near([0.75, 1.5, 3 + 0.75, 3 + 1.5 + 0.5, 3 + 3 + 1])


def test_a_prepayment_follows_what_is_delivered() -> None:
    """A quarter of each part's own rent, a quarter before it comes, credited on its bills from half a year on.

    Three IT MW from quarter 3: 0.6 x 3 x (0.5 + 1 + 1 + 1) = 6.3. Five from quarter 5: 0.6 x 5 x (0.5 + 1) = 4.5.
    """
    prepaid = [PREPAID[0] | {"paid_quarters_before": 1}]
    free = [{"offer": "lease", "quarters": 1}]
    case = slow({"term_quarters": 6}, late_delivery=lateness(2, 3), rent_free=free, prepayments=prepaid)
    flows = paid(bill(case, missing=LATE), "prepayments")
    first, second = 6.3 / 4, 4.5 / 4
    assert {t: musd for t, musd in flows.items() if abs(musd) > 1e-12} == near(
        {2: first, 4: second, 5: -first / 3, 6: -first / 3, 7: -first / 3 - second}
    )


def test_what_is_too_late_to_be_credited_is_not_prepaid() -> None:
    prepaid = [PREPAID[0] | {"paid_quarters_before": 1}]
    case = lease_case({"term_quarters": 4}, late_delivery=lateness(2, 3), prepayments=prepaid)
    flows = paid(bill(case, missing=absent({2: 8, 3: 8, 4: 8})), "prepayments")
    assert all(abs(musd) < 1e-40 for musd in flows.values())


def test_what_a_tenant_advances_stays_what_was_agreed() -> None:
    """Advances and credits are those of the contract as signed; the building's cost is that of what is there."""
    funding: Row = {"offer": "lease", "musd_per_it_mw": 0.5, "paid_quarters_before": 1, "credit_share": 0.4, "rate": 0}
    lease: Row = {"offer": "lease", "kind": "gross", "cost_musd_per_it_mw_year": 0.4, "cost_growth": 0}
    case = lease_case({"term_quarters": 4}, late_delivery=lateness(2, 3), tenant_funding=[funding], leases=[lease])
    late, on_time = bill(case, missing=absent({2: 8, 3: 4})), bill(case)
    for line in ("tenant_capex", "tenant_credits"):
        assert paid(late, line) == paid(on_time, line)
    assert paid(late, "lease_cost") == near({3: -0.4, 4: -0.8, 5: -0.8})


# ---- halls and books ---------------------------------------------------------------------------------------------


def start(option: str = "north hall", quarter: int = 0, blocks: float = 1, **columns: Any) -> Row:
    return {"option": option, "start_quarter": q(quarter), "blocks": blocks, "decided": "new"} | columns


def test_a_hall_is_paid_by_deposit_curve_and_mobilisation() -> None:
    """$24M: 20% a quarter ahead, then 30% and 70% of the rest; $1.5M when work starts; worth $2M per IT MW left."""
    case = lease_case(
        deposits=[{"option": "north hall", "quarters_before": 1, "share": 0.2}],
        options={"mobilisation_musd": 1.5},
        products={"residual_musd_per_it_mw": 2},
    )
    books = written(case, starts=[start(quarter=1)])
    with exact():
        record(books)
    assert lines(books) == {
        "facility_capex": near({0: -4.8, 1: -5.76, 2: -13.44}),
        "mobilisation": near({1: -1.5}),
        "residual": near({6: 16 * (1 - 6 / 120)}),
    }
    factors = {flow.quarter - case.first: float(flow.factor) for flow in books.flows}
    assert factors == near({t: discount(AI, t) for t in (0, 1, 2)} | {6: 1.1**-1.5})


def test_what_was_spent_before_the_horizon_is_sunk() -> None:
    books = written(lease_case(options={"mobilisation_musd": 1.5}), starts=[start(quarter=-1, decided="committed")])
    with exact():
        record(books)
    assert lines(books) == {"facility_capex": near({0: -16.8})}


def gpu_case() -> Case:
    """GPUs of $2M per IT MW that serve 2 quarters, fetch 10%, and cost $1.5M per IT MW to replace."""
    lives = {"option": "north hall", "life_quarters": 2, "residual_share": 0.1, "refresh_musd_per_it_mw": 1.5}
    return lease_case(gpu_lives=[lives], options={"gpu_musd_per_it_mw": 2, "max_blocks": 3})


def renewal(quarter: int, blocks: float) -> Row:
    return {"option": "north hall", "site": "north", "start_quarter": q(0), "refresh_quarter": q(quarter)} | {
        "blocks": blocks,
        "it_mw": blocks * 8,
    }


def test_gpus_die_are_sold_and_replaced() -> None:
    """Two halls of 8 IT MW: both serve in 2 and 3; one goes on in 4 and 5; nothing lives after that."""
    books = written(gpu_case(), starts=[start(blocks=2)], refreshes=[renewal(4, 1)])
    with exact():
        record(books)
    found = lines(books)
    assert found["gpu_capex"] == near({0: -32, 4: -12})
    assert found["gpu_sales"] == near({4: 3.2, 6: 1.2})
    batch = Batch(books.inputs, books.inputs.row("options", "north hall"), Q(q(0)), Decimal(2), {1: Decimal(1)})
    assert [float(batch.usable_it_mw(Q(q(t)), "colo")) for t in range(8)] == [0, 0, 16, 16, 8, 8, 0, 0]


def relet_case(life: int) -> Case:
    """GPUs end; the hall is then let as a shell for $0.5M per IT MW. A shell is worth $1M, and nothing in ten years."""
    hall: Row = {"option": "north hall", "life_quarters": life, "residual_share": 0, "refresh_musd_per_it_mw": 1.5}
    colo: Row = lease_case().products[0].model_dump() | {"residual_musd_per_it_mw": 2}
    shell = colo | {"product": "shell", "residual_musd_per_it_mw": 1, "residual_life_quarters": 40}
    markets = [row.model_dump() for row in lease_case().product_markets]
    return lease_case(
        gpu_lives=[hall | {"relet_product": "shell", "refit_musd_per_it_mw": 0.5}],
        options={"gpu_musd_per_it_mw": 2, "max_blocks": 3, "pue": [1.2, 1.3]},
        products=[colo, shell],
        product_markets=markets + [row | {"product": "shell"} for row in markets],
    )


def dated(books: Books, line: str) -> dict[tuple[str, int], float]:
    """Recorded flows of a line by business and quarter of the horizon, without zeros."""
    sums: dict[tuple[str, int], float] = {}
    for flow in books.flows:
        if flow.line == line and flow.musd:
            key = flow.business, flow.quarter - books.case.first
            sums[key] = sums.get(key, 0) + float(flow.musd)
    return sums


def test_a_hall_is_let_again_once_its_gpus_are_gone() -> None:
    """Two halls serve in 2 to 4; one gets new GPUs, the other is a shell from 5 on; after the horizon both are."""
    books = written(relet_case(3), starts=[start(blocks=2)], refreshes=[renewal(5, 1)])
    with exact():
        record(books)
    shells = {key: musd for key, musd in dated(books, "facility_capex").items() if key[0] == "shell"}
    assert shells == near({("shell", 5): -4, ("shell", 8): -4})
    batch = Batch(books.inputs, books.inputs.row("options", "north hall"), Q(q(0)), Decimal(2), {1: Decimal(1)})
    usable = [[float(batch.usable_it_mw(Q(q(t)), name)) for t in range(1, 10)] for name in ("colo", "shell")]
    assert usable == [[0, 16, 16, 16, 8, 8, 8, 0, 0], [0, 0, 0, 0, 8, 8, 8, 16, 16]]
    assert [batch.in_service(Q(q(t))) for t in (1, 4, 5, 8)] == [{}, {"colo": 2}, {"colo": 1, "shell": 1}, {"shell": 2}]
    assert float(books.inputs.pue("north", "shell")) == 1.2, "that of the halls which are let so"


def test_what_stands_free_after_the_horizon_is_worth_what_the_calendar_says() -> None:
    """Quarter 6 follows the horizon. GPUs that end with 6 take $2M per IT MW, aged 7 of 120, and leave shells."""
    books = written(relet_case(5), starts=[start(blocks=2)])
    with exact():
        record(books)
    residual = {("colo", 6): 32 * (1 - 6 / 120), ("colo", 7): -32 * (1 - 7 / 120), ("shell", 7): 16 * (1 - 7 / 40)}
    assert dated(books, "residual") == near(residual)
    assert dated(books, "facility_capex")["shell", 7] == near(-8)
    factors = {(f.business, f.quarter - books.case.first): float(f.factor) for f in books.flows if f.line == "residual"}
    corporate = 1.08
    assert factors == near({("colo", 6): 1.1**-1.5, ("colo", 7): 1.1**-1.75, ("shell", 7): corporate**-1.75})


def test_a_hall_that_still_ramps_is_worth_each_step_when_it_comes() -> None:
    """In service from quarter 5 at 25%, 50%, 100%: half of it stands free in quarter 6, the rest in 7."""
    profiles = [row.model_dump() for row in lease_case().profiles] + RAMP
    case = lease_case(profiles=profiles, options={"ramp": "slow"}, products={"residual_musd_per_it_mw": 2})
    books = written(case, starts=[start(quarter=3)])
    with exact():
        record(books)
    assert lines(books)["residual"] == near({6: 8 * (1 - 6 / 120), 7: 8 * (1 - 7 / 120)})


def signed(delivery: int = 2, **columns: Any) -> Row:
    row = {"offer": "lease", "site": "north", "delivery_quarter": q(delivery), "it_mw": 8.0, "decided": "new"}
    return row | columns


def test_a_contract_keeps_its_megawatts_from_standing_free_until_it_ends() -> None:
    """Delivered in 5 and 8, gone with 12: residuals of quarter 6 (3.2 IT MW), 8 (4.8 more) and 13 (all of it)."""
    case = lease_case({"term_quarters": 8}, 5, 5, tranches=PARTS, products={"residual_musd_per_it_mw": 2})
    books = written(case, contracts=[signed(5)])
    with exact():
        record_contracts(books)
    expected = {6: -6.4 * (1 - 6 / 120), 8: -9.6 * (1 - 8 / 120), 13: 16 * (1 - 13 / 120)}
    assert lines(books)["residual"] == near(expected)


def test_a_contract_that_ends_with_the_horizon_keeps_nothing() -> None:
    books = written(lease_case({"term_quarters": 4}, products={"residual_musd_per_it_mw": 2}), contracts=[signed()])
    with exact():
        record_contracts(books)
    assert "residual" not in lines(books)


def test_customers_money_counts_at_the_cost_of_debt_and_rent_at_the_rate_of_its_product() -> None:
    rates = {"corporate": 0.08, "mining": 0.15, "colo": AI, "debt": 0.05}
    funding: Row = {"offer": "lease", "musd_per_it_mw": 0.5, "paid_quarters_before": 1, "credit_share": 0.4, "rate": 0}
    case = lease_case(
        {"term_quarters": 4}, discount_rates=rates, tenant_funding=[funding], prepayments=PREPAID, customers=doubtful()
    )
    for given, debt in ((case, 0.05), (case.replace(discount_rates={"corporate": 0.08, "colo": AI}), 0.08)):
        books = written(given, contracts=[signed()])
        with exact():
            record_contracts(books)
        found = {(f.line, f.quarter - given.first): float(f.factor) for f in books.flows}
        lent = ("prepayments", "tenant_capex", "tenant_credits")
        assert {line for line, _ in found} == {*lent, "rent", "ai_operating_cost", "expected_loss"}
        assert found == near({(line, t): discount(debt if line in lent else AI, t) for line, t in found})


def test_what_the_treasury_moves_is_no_value() -> None:
    books = written(lease_case())
    for line in ("principal", "interest", "cash_interest", "btc_sales", "fee", "excess_interest"):
        books.record(line, Q(q(1)), Decimal(-1), "corporate")
    worths = {flow.line: float(flow.worth_musd) for flow in books.flows}
    assert worths == near(dict.fromkeys(worths, 0) | dict.fromkeys(("fee", "excess_interest"), -discount(0.08, 1)))


# ---- what contracts must keep ------------------------------------------------------------------------------------

CLAUSE = {"missing_capacity", "missing_falls", "planned_lateness", "late_table", "signed_in_time", "windows"}


def missing(by_quarter: dict[int, float], tranche: float = 0.0, **columns: Any) -> list[Row]:
    row: Row = {"offer": "lease", "site": "north", "tranche": tranche}
    return [row | {"quarter": q(t), "missing_it_mw": it_mw} | columns for t, it_mw in by_quarter.items()]


@pytest.mark.parametrize(
    ("late", "rules"),
    [
        (missing({3: 4.8, 4: 1.8}, 1), set()),
        (missing({3: 4.9}, 1), {"missing_capacity"}),
        (missing({2: 1.0}, 1), {"missing_capacity"}),
        (missing({5: 1.0}, 1), {"missing_capacity"}),
        (missing({3: 1.0, 4: 2.0}, 1), {"missing_falls"}),
        (missing({4: 2.0}, 1), {"missing_falls"}),
        (missing({3: 1.0}, 0), {"missing_capacity"}),
        (missing({3: 1.0}, 2), {"missing_capacity", "late_table"}),
        (missing({3: 1.0}, 1, site="south"), {"late_table"}),
        (missing({3: 1.0}, 1, offer="another"), {"late_table"}),
        (missing({3: -1.0}, 1), {"missing_capacity", "missing_falls"}),
    ],
)
def test_what_is_missing_belongs_to_a_late_tranche_and_falls(late: list[Row], rules: set[str]) -> None:
    """4.8 IT MW are due in quarter 3, at the deadline; the tenant waits for them in 3 and 4; 3.2 came in 0, in time."""
    case = lease_case({"term_quarters": 8}, 0, 0, tranches=PARTS, late_delivery=lateness(3, 2))
    case = case.replace(allow_planned_lateness=True)
    assert contracts_broken(case, contracts=[signed(0)], late=late) & CLAUSE == rules


def contracts_broken(case: Case, **tables: list[Row]) -> set[str]:
    """Rules of contracts that a plan written by hand breaks; it lacks all other tables, and breaks others too."""
    books = written(case, **tables)
    with exact():
        return broken(contract_checks(books))


def test_nobody_plans_to_be_late() -> None:
    """By the deadline, with nothing missing; unless the case allows it, or the contract was signed before."""
    case = lease_case({"term_quarters": 8}, 1, 4, late_delivery=lateness(2, 3))
    allowed = case.replace(allow_planned_lateness=True)
    for row, late, breaks in (
        (signed(2), [], False),
        (signed(3), [], True),
        (signed(2), missing({2: 1.0}), True),
        (signed(3, decided="committed"), missing({3: 1.0}), False),
    ):
        assert ("planned_lateness" in contracts_broken(case, contracts=[row], late=late)) is breaks
        assert "planned_lateness" not in contracts_broken(allowed, contracts=[row], late=late)


def test_an_offer_is_signed_while_it_can_be() -> None:
    """A lead time of two quarters before the window ends, but never before the first quarter; or what it says."""
    for told, column, breaks in ((None, 2, False), (q(1), 1, False), (q(-1), -1, True)):
        case = lease_case({"sign_by": told}, 2, 4) if told else lease_case(None, 2, 4)
        assert ("signed_in_time" in contracts_broken(case, contracts=[signed(3)])) is breaks
        assert "signed_in_time" not in contracts_broken(case, contracts=[signed(3, decided="committed")])
        inputs = Inputs(case, "base")
        assert sign_by(inputs, inputs.row("offers", "lease")) == Q(q(column))


def test_gpus_are_replaced_only_when_they_end_and_no_more_than_there_were() -> None:
    for quarter, blocks, rule in ((4, 1, None), (3, 1, "refresh_quarters"), (4, 3, "refreshes"), (6, 1, None)):
        books = written(gpu_case(), starts=[start(blocks=2)], refreshes=[renewal(quarter, blocks)])
        with exact():
            names = broken(checks(books)) - {"starts_table"}
        late = {"refresh_quarters", "refreshes"} if quarter == 6 else set()
        assert names == ({rule} if rule else late)


def test_a_kept_book_adds_up_by_line_quarter_and_site() -> None:
    books = written(lease_case())
    for t, site, musd in ((0, "north", 1), (0, "south", 2), (1, "north", 4)):
        books.record("rent", Q(q(t)), Decimal(musd), "colo", site)
    assert books.paid(["rent"]) == 7
    books.record("damages", Q(q(1)), Decimal(-8), "colo", "north")
    assert books.paid(["rent", "damages", "rent"], Q(q(1))) == -4
    assert books.paid(["rent"], Q(q(0)), "south") == 2
    assert books.paid(["rent"], site="north") == 5


def test_power_for_ai_rises_by_the_year_and_stays_after_the_horizon() -> None:
    """$40 a MWh from 2026Q1 on, 3% a year: twice risen in 2028Q1, and so from then on."""
    case = hand_case(power_escalators=[{"tariff": "north", "from_quarter": "2026Q1", "yearly_rise": 0.03}])
    inputs = Inputs(case, "base")
    with exact():
        for t, energy in ((0, 41.2), (3, 41.2), (4, 42.436), (5, 42.436), (7, 42.436)):
            power = 8 * float(inputs.ai_power_musd("north", "colo", 0.9, Q(q(t))))
            assert power == near(own_power(t, energy=energy))


def test_a_discount_factor_of_fifty_digits() -> None:
    """1.1 ** -(1/8) squared eight times over is 1.1 again, to the last digits."""
    with exact():
        factor = Inputs(lease_case(), "base").factor(Decimal("0.1"), Q(q(0)))
        assert abs(factor**-8 - Decimal("1.1")) < Decimal("1e-48")


# ---- the report --------------------------------------------------------------------------------------------------


def test_a_tally_tells_what_misses_what_binds_and_the_least_room() -> None:
    tally = Tally("rules", "power", "Nobody draws more than is there.", "MW", Decimal("1e-6"))
    tally.at_most("here", Decimal(7), Decimal(10))
    tally.at_most("full", Decimal("10.0000005"), Decimal(10))
    tally.at_most("over", Decimal("10.5"), Decimal(10))
    check = tally.check()
    assert (check.rows, check.binding, check.worst, check.clean) == (3, (("full", None),), Decimal("0.5"), False)
    assert [breach.where for breach in check.breaches] == ["over"]
    words = Report((check,)).summary()
    assert "over: 10.5 stands against 10, off by 0.5 MW" in words
    assert "Nobody draws more than is there." in words


def test_a_report_says_where_and_when_a_limit_binds() -> None:
    """Quarters that follow each other are one span; a limit of nothing binds nobody; a miss names its quarter."""
    tally = Tally("rules", "site_power", "Nobody draws more than is there.", "MW", Decimal("1e-6"))
    for t in (0, 1, 4):
        tally.at_most("north", Decimal(10), Decimal(10), Q(q(t)))
    tally.at_most("north", Decimal(9), Decimal(10), Q(q(2)))
    tally.at_most("south", Decimal(0), Decimal(0), Q(q(0)))
    tally.at_least("east", Decimal(4), Decimal(4))
    report = Report((tally.check(),))
    assert "site power: north (2027Q1 to 2027Q2, 2028Q1); east" in report.summary()
    told = json.loads(report.to_json())["checks"][0]
    north = {"where": "north", "quarters": ["2027Q1", "2027Q2", "2028Q1"]}
    assert (told["binding"], told["binds"]) == (4, [north, {"where": "east", "quarters": []}])
    tally.at_most("north", Decimal(11), Decimal(10), Q(q(3)))
    assert [breach.where for breach in tally.breaches] == ["north in 2027Q4"]


def test_contributions_are_the_largest_present_values_received_or_paid() -> None:
    """Rent of 2 x 10 less half, capex of 12, G&A of 1: of 23 in all, signs aside. Principal is none."""
    half = Decimal("0.5")

    def flow(line: str, business: str, site: str, musd: int, t: int = 0) -> Flow:
        return Flow(Q(q(t)), line, business, site, "whence", Decimal(musd), half)

    flows = [flow("rent", "colo", "north", 10, t) for t in (0, 1)]
    flows += [flow("facility_capex", "colo", "north", -24), flow("g_and_a", "corporate", "", -2)]
    flows += [
        flow("principal", "corporate", "", 1000),
        flow("tax", "corporate", "", 3),
        flow("tax", "corporate", "", -3),
    ]
    found = [(one.told, one.words, one.share) for one in rank_contributions(flows)]
    assert found == [
        ("-$12.0M", "facility capex, colo at north", Decimal(12) / 23),
        ("$10.0M", "rent, colo at north", Decimal(10) / 23),
        ("-$1.0M", "G&A, company", Decimal(1) / 23),
    ]
    assert rank_contributions(flows, most=1)[0].line == "facility_capex"
    assert rank_contributions([]) == ()


def test_the_contributions_of_a_plan_are_lines_of_its_value(plan: opt.Plan, case: Case) -> None:
    """Summed over its sites the largest lines are those of the plan's own table of value."""
    report = audit(case, plan)
    lines = plan.value.set_index(["line", "business"])[["within_musd", "after_musd"]].sum(axis=1)
    told = json.loads(report.to_json())["contributions"]
    everything = rank_contributions_of(case, plan)
    assert [one.record() for one in everything[:5]] == told
    sizes = [abs(one.present_value_musd) for one in everything]
    assert sizes == sorted(sizes, reverse=True)
    for (line, business), musd in lines.items():
        there = sum(float(d.present_value_musd) for d in everything if (d.line, d.business) == (line, business))
        assert there == pytest.approx(musd, abs=1e-6), line
    assert all(row["words"] in report.summary() for row in told)


def rank_contributions_of(case: Case, plan: opt.Plan) -> tuple[Contribution, ...]:
    """All of them, not the largest five."""
    with exact():
        books = Books.of(plan, case)
        for auditor in _AUDITORS:
            auditor.record(books)
        return rank_contributions(books.flows, most=10_000)


def test_what_is_no_number_is_a_breach() -> None:
    tally = Tally("cash", "sums", "Sums are sums.", "$M", Decimal(1))
    tally.equal("nowhere", Decimal("NaN"), Decimal(1))
    tally.at_most("endless", Decimal("-Infinity"), Decimal(1))
    report = Report((tally.check(),))
    assert len(report.checks[0].breaches) == 2
    assert "not a number" in report.summary()
    assert json.loads(report.to_json())["checks"][0]["worst"] is None


def test_a_report_is_text_json_and_a_frame(plan: opt.Plan, case: Case) -> None:
    report = audit(case, plan)
    assert report.clean, report.summary()
    assert report.summary().startswith("Audit clean: ")
    told = json.loads(report.to_json())
    assert (told["clean"], told["rows"]) == (True, report.rows)
    assert len(told["checks"]) == len(report.frame) == len(report.checks) + len(report.nothing) + len(report.mining_on)
    assert report.frame["rows"].sum() == report.rows
    assert {check.group for check in report.checks} == {
        "identity", "domain", "rules", "roll-forward", "cash", "value", "quality", "plausibility",
    }  # fmt: skip


def test_a_check_names_one_rule(plan: opt.Plan, case: Case) -> None:
    """Names are headings: unique, and each with a sentence."""
    report = audit(case, plan)
    names = [check.name for check in report.checks]
    assert len(names) == len(set(names))
    assert all(_sentence(check) for check in report.checks)


def _sentence(check: Check) -> bool:
    return check.sentence.endswith(".") and check.sentence[0].isupper()


def test_the_audit_never_met_the_model() -> None:
    """It imports the case, the plan's form and the calendar; pandas where tables are read, and no solver."""
    told = {"case.case", "case.folder", "case.schema", "plan.plan", "plan.tables", "plan.folder"}
    ground = {"ground.quarters", "ground.errors", "ground.findings", "ground.power"}
    allowed = {f"optimizer.{name}" for name in {"auditors", *told, *ground}}
    foreign = set()
    for path in (ROOT / "optimizer" / "auditors").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                room = name.split(".")
                ours = any(f"{name}.".startswith(f"{one}.") for one in allowed)
                known = ours if room[0] == "optimizer" else room[0] not in SOLVERS
                if not known:
                    foreign.add((path.name, name))
    assert foreign == set()


def test_a_contract_that_is_missing_all_its_life_earns_nothing_to_the_digits_of_its_tables() -> None:
    """A third of 8 IT MW is written as 2.666666667: what is left then is less than nothing by a digit, and no fault."""
    late = {"offer": "lease", "deadline": q(2), "damages_musd_per_it_mw_quarter": 0.05, "walk_away_quarters": 4}
    case = lease_case({"term_quarters": 2, "min_it_mw": 1}, late_delivery=[late], allow_planned_lateness=True)
    lease: Row = {"offer": "lease", "customer": "Ada", "product": "colo", "site": "north", "it_mw": 2.6666666666}
    lease |= {"delivery_quarter": q(2), "decided": "new"}
    for missing, found in ((2.666666667, set()), (2.7, {"implied_rent"})):
        row: Row = {"offer": "lease", "tranche": 0.0, "site": "north", "missing_it_mw": missing}
        rows = [row | {"quarter": q(t)} for t in (2, 3)]
        with exact():
            books = written(case, contracts=[lease], late=rows)
            assert broken(check for check in plausibility.checks(books) if check.name == "implied_rent") == found
