"""Value: every flow discounted, line by line, and tied to what the plan and the solver say it is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from optimizer.auditors.books import Books, Flow
from optimizer.auditors.inputs import ZERO, decimal
from optimizer.auditors.lines import CASH_ONLY
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import DOLLAR, LAST_DIGIT, SHARE_OF_VALUE


def record(books: Books) -> None:
    """None: value is a sum of flows."""


def discounted(flows: Iterable[Flow]) -> Iterator[Decimal]:
    """Present values of the flows that are value: what the treasury moves (loans, interest, BTC) is cash only."""
    return (flow.worth_musd for flow in flows)


def worth(books: Books) -> Decimal:
    """What the plan is worth at the start of its first quarter, $M."""
    return sum(discounted(books.flows), ZERO)


def worth_after(books: Books) -> Decimal:
    """The part of it that lies after the horizon."""
    return sum(discounted(flow for flow in books.flows if flow.quarter > books.case.last), ZERO)


def tie(books: Books) -> Decimal:
    """How far two sums of all flows may lie apart: a dollar, or a billionth of what was summed."""
    return max(DOLLAR, SHARE_OF_VALUE * sum((abs(musd) for musd in discounted(books.flows)), ZERO))


def checks(books: Books) -> Iterator[Check]:
    yield _table(books)
    if books.builds:
        yield _stated(books)


def _table(books: Books) -> Check:
    tally = Tally(
        "value",
        "value_table",
        "Each line's present value, within and after the horizon, is the sum of its discounted flows.",
        "$M",
        LAST_DIGIT,
    )
    sums: dict[tuple[str, str, bool], Decimal] = {}
    count: Counter[tuple[str, str, bool]] = Counter()
    for flow in books.flows:
        if flow.line not in CASH_ONLY:
            key = flow.line, flow.business, flow.quarter > books.case.last
            sums[key] = sums.get(key, ZERO) + flow.worth_musd
            count[key] += 1
    seen = Counter((row["line"], row["business"]) for row in books.table("value"))
    for row in books.table("value"):
        line, business = row["line"], row["business"]
        tally.holds(f"{line} of {business}, once", seen[line, business] == 1 and row["scenario"] == books.scenario)
        for after, column in ((False, "within_musd"), (True, "after_musd")):
            key = line, business, after
            tolerance = LAST_DIGIT * (count[key] + 50)
            tally.equal(f"{line} of {business}, {column}", row[column], sums.get(key, ZERO), tolerance)
    for (line, business, after), musd in sums.items():
        if (line, business) not in seen:
            side = "after_musd" if after else "within_musd"
            tally.equal(
                f"{line} of {business}, {side}, no row", ZERO, musd, LAST_DIGIT * (count[line, business, after] + 50)
            )
    return tally.check()


def _stated(books: Books) -> Check:
    tally = Tally(
        "value",
        "value_tie",
        "The flows computed again are worth what the plan says, and what the solver's objective says.",
        "$M",
        DOLLAR,
    )
    value = worth(books)
    tally.equal("the plan's value", decimal(books.plan.value_musd), value, tie(books))
    tally.equal("the solver's objective", decimal(books.plan.objective_musd), value, tie(books))
    by_line = sum((row["within_musd"] + row["after_musd"] for row in books.table("value")), ZERO)
    tally.equal("the table of value", by_line, decimal(books.plan.value_musd), tie(books))
    return tally.check()
