"""Every flow that follows from the decisions against every flow that the plan tells: equal, and none left over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from optimizer.auditors.books import ZERO, Books, Flow, Row
from optimizer.auditors.lines import CAPEX, VALUE_ONLY
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import FACTOR, SHARE_OF_FLOWS, TEN_CENTS

Key = tuple[object, ...]


PLACE = ("quarter", "line", "business", "site", "source")
"""What tells one flow from another; the source is the contract, option, machine or facility behind it."""


def _place(flow: Flow) -> Key:
    return flow.quarter, flow.line, flow.business, flow.site, flow.source


def record(books: Books) -> None:
    """Here is compared what the others recorded."""


def checks(books: Books) -> Iterator[Check]:
    within = [f for f in books.flows if f.quarter <= books.case.last and f.line not in VALUE_ONLY]
    beside = [f for f in books.flows if f.quarter <= books.case.last and f.line in VALUE_ONLY]
    after = [flow for flow in books.flows if flow.quarter > books.case.last]
    yield _compare(
        "cash_flow_table",
        "Every cash line of every quarter, business, site and source is the sum of its flows, computed again.",
        _sums(within, _place),
        _told(books.table("cash_flow"), PLACE),
    )
    yield _compare(
        "value_only_table",
        "What is value and no cash within the horizon follows from the loans, computed again.",
        _sums(beside, _place),
        _told(books.table("value_only"), PLACE),
    )
    yield _compare(
        "after_horizon_table",
        "Every flow after the horizon follows from a contract, a loan, a hall or a machine, computed again.",
        _sums(after, _place),
        _told(books.table("after_horizon"), PLACE),
    )
    yield _factors(books, "after_horizon", "Flows after the horizon", after)
    yield _factors(books, "value_only", "Flows that are value and no cash", beside)
    spent = [flow for flow in within if flow.line in CAPEX]
    yield _compare(
        "capex_table",
        "Capex is paid by deposits and curves, whatever tenants advance of it.",
        _sums(spent, _place, -1),
        _told(books.table("capex"), ("quarter", "line", "product", "site", "source")),
    )
    yield _capex_to_date(books)


def _sums(flows: Iterable[Flow], key: Callable[[Flow], Key], sign: int = 1) -> dict[Key, tuple[Decimal, Decimal]]:
    """Net and absolute sums of flows by key."""
    sums: dict[Key, tuple[Decimal, Decimal]] = {}
    for flow in flows:
        net, gross = sums.get(key(flow), (ZERO, ZERO))
        sums[key(flow)] = net + sign * flow.musd, gross + abs(flow.musd)
    return sums


def _told(rows: Iterable[Row], columns: tuple[str, ...]) -> dict[Key, Decimal]:
    told: dict[Key, Decimal] = {}
    for row in rows:
        key = tuple(row[column] for column in columns)
        told[key] = told.get(key, ZERO) + row["musd"]
    return told


def _compare(name: str, sentence: str, due: dict[Key, tuple[Decimal, Decimal]], told: dict[Key, Decimal]) -> Check:
    tally = Tally("cash", name, sentence, "$M", TEN_CENTS)
    for key in {**due, **told}:
        net, gross = due.get(key, (ZERO, ZERO))
        where = ", ".join(str(part) for part in key if str(part))
        tally.equal(where, told.get(key, ZERO), net, TEN_CENTS + SHARE_OF_FLOWS * gross)
    return tally.check()


def _factors(books: Books, table: str, which: str, flows: list[Flow]) -> Check:
    name = "discount_factors" if table == "after_horizon" else f"discount_factors_{table}"
    tally = Tally("value", name, f"{which} are discounted at the rate of their line.", "dollars for one", FACTOR)
    due: dict[Key, set[Decimal]] = {}
    for flow in flows:
        due.setdefault(_place(flow), set()).add(flow.factor)
    for row in books.table(table):
        key = tuple(row[column] for column in PLACE)
        usual = books.factor(books.inputs.rate_of(row["line"], row["business"]), row["quarter"])
        nearest = min(due.get(key, {usual}), key=lambda factor: abs(factor - row["factor"]))
        tally.equal(", ".join(str(part) for part in key if str(part)), row["factor"], nearest)
    return tally.check()


def _capex_to_date(books: Books) -> Check:
    tally = Tally(
        "roll-forward", "capex_to_date_table",
        "Capex to date is the capex of each quarter and all before it; beside it stands what tenants advance.",
        "$M", TEN_CENTS,
    )  # fmt: skip
    rows = books.table("capex_to_date")
    tally.same("quarters", [row["quarter"] for row in rows], list(books.case.horizon))
    to_date = ZERO
    for row in rows:
        spent = -books.paid(CAPEX, row["quarter"])
        to_date += spent
        tally.equal(f"{row['quarter']}", row["capex_musd"], spent)
        advanced = books.paid(("tenant_capex",), row["quarter"])
        tally.equal(f"advanced in {row['quarter']}", row["advanced_musd"], advanced)
        tally.equal(f"to date in {row['quarter']}", row["to_date_musd"], to_date)
    return tally.check()
