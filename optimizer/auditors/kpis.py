"""Key figures: each one that a plan tells, computed again from the flows and the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from itertools import pairwise
from math import comb
from typing import Any

from optimizer.auditors.books import Books
from optimizer.auditors.debt import Quartered, lives
from optimizer.auditors.hashprice import btc_usd
from optimizer.auditors.inputs import MILLION, ONE, ZERO, decimal
from optimizer.auditors.lines import CAPEX, EARNED, FEE, FINANCING, INTEREST, LEVERED, RESIDUAL
from optimizer.auditors.mining import MiningQuarter, btc_mined, compare_cost, fleet
from optimizer.auditors.ratchets import billed_above_musd
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import (
    FIGURE,
    NOTHING_GAINED,
    RATES_APART,
    SAME_EXTREME,
    SHARE_OF_FIGURE,
    TWO_LAST_DIGITS,
    YEARLY_RETURN,
)
from optimizer.auditors.value import worth, worth_after
from optimizer.ground.quarters import Quarter

LOWEST_RATE, HIGHEST_RATE = Decimal("-0.9"), Decimal(10)
"""Yearly returns between which the programme's is looked for."""
UNLEVERED, LEVERED_TOO = "unlevered", "levered"
"""The programme as a business, however it is paid for; and what is left of it for shareholders."""
PROGRAMME = tuple(f"{one}_{name}" for one in (UNLEVERED, LEVERED_TOO) for name in ("return", "payback_quarter"))
COVER = tuple(f"lowest_{one}" for one in ("dscr", "headroom_musd"))
COVERS = (*COVER, *(f"lowest_{one}_{name}" for one in ("dscr", "headroom") for name in ("facility", "quarter")))
MINING_ON_FALLS_SHORT = ("mining_on_breaks_quarter", "mining_on_short_musd")
COSTS_OF_BTC = ("direct_cash_cost_usd_per_btc", "cash_cost_usd_per_btc")
OVER_NOTHING, LATER_OVER_NOTHING = "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd"
SHARE = "terminal_share"

Figures = Mapping[str, Any]


def record(books: Books) -> None:
    """None: key figures move no money."""


def checks(books: Books) -> Iterator[Check]:
    if books.builds:
        yield _figures(books)
        yield _cost_of_btc(books)
        yield _quarters(books)
        yield from _covers(books)
        yield _mining_on(books)
        for one in (UNLEVERED, LEVERED_TOO):
            yield _return(books, one)
            yield _payback(books, one)


# ---- figures -----------------------------------------------------------------------------------------------


def _figures(books: Books) -> Check:
    tally = Tally(
        "value",
        "key_figures",
        "Each key figure is what the flows and tables computed again say.",
        "$M, MW, BTC",
        FIGURE,
    )
    beside = {**_over_nothing(books), **_over_mining_on(books)}
    wanted = {**_money(books), **_customers_money(books), **beside, **_megawatts(books), **_bitcoin(books)}
    stated: Figures = books.plan.kpis
    told_apart = {*PROGRAMME, *COSTS_OF_BTC, *COVERS, *MINING_ON_FALLS_SHORT, *_QUARTERS}
    for name in wanted.keys() | told_apart | stated.keys():
        tally.holds(f"{name} told", name in stated and (name in wanted or name in told_apart))
    for name, figure in wanted.items():
        value = stated.get(name)
        if name == SHARE and books.nothing is not None:
            _compare_share(tally, books, None if value is None else decimal(value))
        elif figure is None or value is None:
            tally.holds(f"{name}, none", figure is None and value is None)
        else:
            tally.equal(name, decimal(value), figure, FIGURE + SHARE_OF_FIGURE * abs(figure))
    return tally.check()


def _money(books: Books) -> dict[str, Decimal | None]:
    settings, horizon = books.case.settings, books.case.horizon
    cash = [row["closing_musd"] for row in books.table("cash")]
    liquidity = [row["liquidity_musd"] for row in books.table("cash")]
    by_quarter = [-books.paid(CAPEX, quarter) for quarter in horizon]
    owed = debt_by_quarter(books)
    return {
        "value_musd": worth(books),
        "value_after_horizon_musd": worth_after(books),
        "value_after_firm_terms_musd": _after_firm_terms(books),
        "capex_musd": sum(by_quarter, ZERO),
        "capex_budget_musd": decimal(settings.capex_budget_musd),
        "peak_capex_musd": max(ZERO, *by_quarter),
        "interest_and_fees_musd": -sum((books.paid((INTEREST, FEE), quarter) for quarter in horizon), ZERO),
        "highest_debt_musd": max(owed.values()),
        "debt_at_end_musd": owed[books.case.last],
        "lowest_cash_musd": min(cash),
        "lowest_liquidity_musd": min(liquidity),
        "minimum_cash_musd": decimal(settings.minimum_cash_musd),
    }


def _after_firm_terms(books: Books) -> Decimal:
    """Present value of what contracts earn in the quarters that their tenants' options add."""
    begins = {
        row["offer"]: row["delivery_quarter"] + books.inputs.row("offers", row["offer"]).term_quarters
        for row in books.table("contracts")
    }
    earned = (flow for flow in books.flows if flow.line in EARNED and flow.source in begins)
    return sum((flow.worth_musd for flow in earned if flow.quarter >= begins[flow.source]), ZERO)


def _customers_money(books: Books) -> dict[str, Decimal | None]:
    """What tenants advance within the horizon, and the rent that pays it back, to the end of their contracts."""
    advanced = (books.paid(("tenant_capex",), quarter) for quarter in books.case.horizon)
    return {
        "tenant_advances_musd": sum(advanced, ZERO),
        "advances_paid_back_musd": -books.paid(("tenant_credits",)),
    }


def _over_mining_on(books: Books) -> dict[str, Decimal | None]:
    if books.mining_on is None:
        return {"mining_on_value_musd": None, "value_over_mining_on_musd": None}
    value = worth(books.mining_on)
    return {"mining_on_value_musd": value, "value_over_mining_on_musd": worth(books) - value}


def debt_by_quarter(books: Books) -> dict[Quarter, Decimal]:
    """What is owed on all facilities at each quarter's end."""
    owed = dict.fromkeys(books.case.horizon, ZERO)
    all_lives: Mapping[str, Mapping[Quarter, Quartered]] = lives(books)
    for quarters in all_lives.values():
        for quarter, now in quarters.items():
            if quarter in owed:
                owed[quarter] += now.closing
    return owed


def _over_nothing(books: Books) -> dict[str, Decimal | None]:
    names = (
        "do_nothing_value_musd",
        OVER_NOTHING,
        LATER_OVER_NOTHING,
        SHARE,
        "do_nothing_lowest_cash_musd",
    )
    nothing = books.nothing
    if nothing is None:
        return dict.fromkeys(names)
    lowest = min(row["closing_musd"] for row in nothing.table("cash"))
    return dict(zip(names, (worth(nothing), *_gain(books, nothing), None, lowest), strict=True))


def _gain(books: Books, nothing: Books) -> tuple[Decimal, Decimal]:
    """Value over doing nothing, and the part of it that lies after the horizon."""
    return worth(books) - worth(nothing), worth_after(books) - worth_after(nothing)


def _compare_share(tally: Tally, books: Books, stated: Decimal | None) -> None:
    """A share of a small gain hangs on the last digits of both values; of no gain at all there is none."""
    assert books.nothing is not None
    gain, later = _gain(books, books.nothing)
    digits = SHARE_OF_FIGURE * (len(books.flows) + len(books.nothing.flows))
    if abs(gain) <= digits:
        gain, later = (decimal(books.plan.kpis.get(name)) for name in (OVER_NOTHING, LATER_OVER_NOTHING))
        fits = stated is None or (gain != 0 and abs(stated - later / gain) < FIGURE)
        tally.holds(f"{SHARE} of next to nothing", fits)
        return
    if stated is None:
        tally.holds(f"{SHARE}, none", False)
        return
    share = later / gain
    tally.equal(SHARE, stated, share, SHARE_OF_FIGURE + digits * (ONE + abs(share)) / abs(gain))


def _megawatts(books: Books) -> dict[str, Decimal | None]:
    def total(table: str, column: str) -> Decimal:
        return sum((row[column] for row in books.table(table)), ZERO)

    return {
        "machines_sold_gross_mw": total("machines", "sold_gross_mw"),
        "converted_gross_mw": total("starts", "gross_mw"),
        "converted_it_mw": total("starts", "it_mw"),
        "contracted_it_mw": total("contracts", "it_mw"),
    }


def _bitcoin(books: Books) -> dict[str, Decimal | None]:
    held = [row["closing_btc"] for row in books.table("btc") if row["quarter"] == books.case.last]
    return {"btc_mined": sum(btc_mined(books).values(), ZERO), "btc_at_end": sum(held, ZERO)}


def _cost_of_btc(books: Books) -> Check:
    tally = Tally(
        "value",
        "key_cost_of_btc",
        "A BTC of the whole plan costs its power less interruptible income, and with that its sites; none without BTC. "
        "Demand that is billed though it has left is power too.",
        "$",
        SHARE_OF_FIGURE,
    )
    whole = MiningQuarter()
    for machines in fleet(books):
        whole.add(machines, btc_usd(books.inputs, machines.quarter) / MILLION)
    for musd in billed_above_musd(books).values():
        whole.pay(musd)
    for name, musd in zip(COSTS_OF_BTC, (whole.direct_musd, whole.cash_musd), strict=True):
        stated = books.plan.kpis.get(name)
        compare_cost(tally, name, Decimal("nan") if stated is None else decimal(stated), musd, whole)
    return tally.check()


# ---- quarters ----------------------------------------------------------------------------------------------

_QUARTERS = (
    "do_nothing_lowest_cash_quarter",
    "lowest_cash_quarter",
    "lowest_liquidity_quarter",
    "peak_capex_quarter",
)


def _quarters(books: Books) -> Check:
    """The quarter named is one that has the figure, a tie aside; where several have it, the first."""
    sentence = "A quarter told beside a figure is the first that has it, or ties with one that has."
    tally = Tally("value", "key_quarters", sentence, "$M", TWO_LAST_DIGITS)
    nothing = books.nothing
    cash, liquidity = _column(books, "closing_musd"), _column(books, "liquidity_musd")
    spent = {row["quarter"]: row["capex_musd"] for row in books.table("capex_to_date")}
    series = {
        "lowest_cash_quarter": {quarter: -musd for quarter, musd in cash.items()},
        "lowest_liquidity_quarter": {quarter: -musd for quarter, musd in liquidity.items()},
        "peak_capex_quarter": spent if max(spent.values()) > FIGURE else {},
        "do_nothing_lowest_cash_quarter": {}
        if nothing is None
        else {quarter: -musd for quarter, musd in _column(nothing, "closing_musd").items()},
    }
    for name, highest in series.items():
        stated = books.plan.kpis.get(name)
        if stated is None or not highest:
            tally.holds(f"{name}, none", stated is None and not highest)
            continue
        most = {str(quarter): musd for quarter, musd in highest.items()}
        tied = max(most.values()) - SAME_EXTREME
        tally.at_least(f"{name}, {stated}", most.get(stated, -max(most.values()) - MILLION), tied)
        earlier = [musd for quarter, musd in most.items() if quarter < stated]
        none_before = max(earlier, default=-MILLION * MILLION) < tied + TWO_LAST_DIGITS
        tally.holds(f"{name}, none before {stated}", none_before)
    return tally.check()


def _column(books: Books, column: str) -> dict[Quarter, Decimal]:
    return {row["quarter"]: row[column] for row in books.table("cash")}


# ---- beside it ---------------------------------------------------------------------------------------------


def _covers(books: Books) -> Iterator[Check]:
    """The least of the lenders' table where a lender asks for cover, and the first facility and quarter that has it."""
    rows = [row for row in books.tables.get("coverage", ()) if row["required_musd"] > 0]
    for figure, name, unit, column in (
        ("lowest_dscr", "lowest_dscr", "times", "dscr"),
        ("lowest_headroom_musd", "lowest_headroom", "$M", "headroom_musd"),
    ):
        yield _least(books, figure, name, unit, {(row["facility"], row["quarter"]): row[column] for row in rows})


def _least(books: Books, figure: str, name: str, unit: str, cover: Mapping[tuple[str, Quarter], Decimal]) -> Check:
    tally = Tally(
        "value",
        f"key_{name}",
        "The least cover told is that of the lenders' table, of a facility and a quarter that has it.",
        unit,
        FIGURE,
    )
    told = [books.plan.kpis.get(key) for key in (figure, f"{name}_facility", f"{name}_quarter")]
    if not cover or None in told:
        tally.holds("none", not cover and told == [None] * 3)
        return tally.check()
    least = min(cover.values())
    tally.equal(figure, decimal(told[0]), least, FIGURE + SHARE_OF_FIGURE * abs(least))
    there = {(facility, str(quarter)): musd for (facility, quarter), musd in cover.items()}
    where = str(told[1]), str(told[2])
    tally.at_most(f"{name} of {where[0]} in {where[1]}", there.get(where, least + MILLION), least + SAME_EXTREME)
    earlier = [musd for (_, quarter), musd in there.items() if quarter < where[1]]
    tally.holds(f"{name}, none before {where[1]}", min(earlier, default=least + MILLION) > least + TWO_LAST_DIGITS)
    return tally.check()


def _mining_on(books: Books) -> Check:
    tally = Tally(
        "value",
        "key_mining_on",
        "Where no plan keeps every rule without new halls, it is told when it falls short and by how much, or neither.",
        "so or not",
        ZERO,
    )
    when, short = (books.plan.kpis.get(name) for name in MINING_ON_FALLS_SHORT)
    if books.mining_on is not None:
        tally.holds("mining on falls short nowhere", when is None and short is None)
        return tally.check()
    tally.holds("when and by how much", (when is None) == (short is None))
    if when is not None:
        quarters = [str(quarter) for quarter in books.case.horizon]
        tally.holds(f"falls short by {short} in {when}", when in quarters and short is not None and short > 0)
    return tally.check()


# ---- the AI programme --------------------------------------------------------------------------------------


def gained(books: Books, nothing: Books, one: str = UNLEVERED) -> dict[int, Decimal]:
    """What the plan's flows are above those of doing nothing, undiscounted: the business's, or with financing.

    Keyed by eighths of a year from the first day on: flows fall in the middle of their quarter, a residual on its
    first day. Interest on cash and sales of BTC are the treasury's own in either.
    """
    left_out = FINANCING if one == UNLEVERED else FINANCING - LEVERED
    flows: dict[int, Decimal] = {}
    for sign, side in ((1, books), (-1, nothing)):
        for flow in side.flows:
            if flow.line not in left_out:
                eighths = 2 * (flow.quarter - books.case.first) + (0 if flow.line == RESIDUAL else 1)
                flows[eighths] = flows.get(eighths, ZERO) + sign * flow.musd
    return dict(sorted(flows.items()))


_WHOSE = {UNLEVERED: "business", LEVERED_TOO: "business, with lenders' and customers' money,"}


def _return(books: Books, one: str) -> Check:
    tally = Tally(
        "value",
        f"{one}_return",
        f"At the return that the plan tells, and at no other, what its {_WHOSE[one]} gains over doing nothing is "
        "worth nothing.",
        "a year",
        ZERO,
    )
    stated, nothing = books.plan.kpis.get(f"{one}_return"), books.nothing
    if nothing is None:
        tally.holds("none without doing nothing", stated is None)
        return tally.check()
    flows = {when: musd for when, musd in gained(books, nothing, one).items() if abs(musd) > NOTHING_GAINED}
    falls = _falls_once(flows)
    if stated is None:
        tally.holds("none", falls is not True)
        return tally.check()
    rate, hidden = decimal(stated), SHARE_OF_FIGURE * 3 * len(books.flows)
    near = YEARLY_RETURN * max(ONE, abs(rate))
    there = _worth_at(flows, rate - near) >= 0 >= _worth_at(flows, rate + near) or abs(_worth_at(flows, rate)) <= hidden
    tally.holds(f"{stated}", falls is not False and LOWEST_RATE <= rate <= HIGHEST_RATE and there)
    return tally.check()


def _falls_once(flows: Mapping[int, Decimal]) -> bool | None:
    """Whether the flows are worth nothing at one rate only, and less above it; None where that hangs on a hair.

    Else there is no return to tell: none, several, or that of money taken first and paid back later.

    What flows are worth is a polynomial in the discount of an eighth of a year. Written in Bernstein's basis on an
    interval it has no more zeros there than its coefficients change sign, and exactly one where they change it once.
    """
    if len(set(map(_gains, flows.values()))) < 2:
        return False
    with localcontext() as context:
        context.prec = 80 + max(flows)
        ends = [(ONE + rate) ** (-ONE / 8) for rate in (HIGHEST_RATE, LOWEST_RATE)]
        coefficients = _in_bernsteins_basis(flows, *ends)
        changes = _changes_apart(coefficients, ends[1] - ends[0])
    return None if changes is None else changes == 1 and _gains(coefficients[-1])


def _in_bernsteins_basis(flows: Mapping[int, Decimal], low: Decimal, high: Decimal) -> list[Decimal]:
    """The polynomial of the flows on an interval of discounts, the earliest flow taken at once."""
    first, degree = min(flows), max(flows) - min(flows)
    powers = [flows.get(first + power, ZERO) for power in range(degree + 1)]
    for done in range(degree):  # Horner's scheme moves the origin to the interval's low end
        for power in range(degree - 1, done - 1, -1):
            powers[power] += low * powers[power + 1]
    scaled = [musd * (high - low) ** power / comb(degree, power) for power, musd in enumerate(powers)]
    for done in range(degree):
        for place in range(degree, done, -1):
            scaled[place] += scaled[place - 1]
    return scaled


def _changes_apart(coefficients: list[Decimal], width: Decimal) -> int | None:
    """How often the polynomial changes sign, by halving the interval until each part does so once at most."""
    changes = sum(before != after for before, after in pairwise(_gains(value) for value in coefficients if value))
    if changes < 2:
        return changes
    if width < RATES_APART:
        return None
    low, high = _halved(coefficients)
    parts = _changes_apart(low, width / 2), _changes_apart(high, width / 2)
    return None if None in parts else sum(part for part in parts if part is not None)


def _halved(coefficients: list[Decimal]) -> tuple[list[Decimal], list[Decimal]]:
    """The polynomial on each half of its interval, by de Casteljau's means of neighbours."""
    low, high, row = [], [], coefficients
    while row:
        low.append(row[0])
        high.append(row[-1])
        row = [(before + after) / 2 for before, after in pairwise(row)]
    return low, high[::-1]


def _gains(musd: Decimal) -> bool:
    return musd > 0


def _worth_at(flows: Mapping[int, Decimal], rate: Decimal) -> Decimal:
    """Value of the flows on the first day at a yearly rate, the last flow discounted first."""
    an_eighth = (ONE + rate) ** (ONE / 8)
    steps: dict[int, Decimal] = {}
    total, later = ZERO, max(flows, default=0)
    for when, musd in sorted(flows.items(), reverse=True):
        gap = later - when
        if gap not in steps:
            steps[gap] = an_eighth**gap
        total, later = total / steps[gap] + musd, when
    return total / an_eighth**later


def _payback(books: Books, one: str) -> Check:
    tally = Tally(
        "value",
        f"{one}_payback",
        f"The plan is paid back in the quarter from which on what its {_WHOSE[one]} has gained over doing nothing "
        "stays positive.",
        "$M",
        FIGURE,
    )
    stated, nothing = books.plan.kpis.get(f"{one}_payback_quarter"), books.nothing
    if nothing is None:
        tally.holds("none without doing nothing", stated is None)
        return tally.check()
    total, sums = ZERO, {}
    for when, musd in gained(books, nothing, one).items():
        total += musd
        sums[str(books.case.first + when // 2)] = total
    before = [musd for quarter, musd in sums.items() if stated is None or quarter < stated]
    since = [musd for quarter, musd in sums.items() if stated is not None and quarter >= stated]
    if stated is None:
        paid_back = min(before, default=ZERO) < -FIGURE and before[-1] > FIGURE
        tally.holds("none", not paid_back)
        return tally.check()
    tally.holds(f"{stated}", stated in sums and bool(before))
    tally.at_least(f"{stated} and later", min(since, default=ZERO), ZERO)
    tally.at_most(f"before {stated}", before[-1] if before else ZERO, ZERO)
    return tally.check()
