"""Quality: how much better a plan could be, whether its status says so, and doing nothing as a plan beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from optimizer.auditors import coverage, debt, lenders, policies, treasury
from optimizer.auditors.books import Books
from optimizer.auditors.inputs import decimal
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import GAP, PROOF_MUSD, PROOF_SHARE, SOLVER
from optimizer.auditors.value import tie, worth
from optimizer.plan.plan import Plan

STATUSES = ("optimal", "limit", "interrupted")
METHODS = ("cut-off", "scip")


def record(books: Books) -> None:
    """None: nothing is paid for proof."""


def checks(books: Books) -> Iterator[Check]:
    if books.builds:
        yield _bound(books)
        yield _status(books)
        yield _nothing(books)
        yield _mining_on(books)


def _bound(books: Books) -> Check:
    tally = Tally(
        "quality",
        "bound",
        "No plan is worth more than the bound, this one included; the gap is the bound less the value.",
        "$M",
        Decimal(0),
    )
    plan = books.plan
    bound, value = decimal(plan.bound_musd), decimal(plan.value_musd)
    tally.at_least("the bound", bound, value)
    tally.equal("the bound against the recomputed value", max(bound, worth(books)), bound, tie(books))
    gap = bound - value
    tally.equal("the gap in dollars", decimal(plan.gap_musd), gap, GAP)
    share = gap / max(abs(value), GAP)
    tally.equal("the gap as a share", decimal(plan.gap), share, GAP * max(Decimal(1), share))
    return tally.check()


def _status(books: Books) -> Check:
    tally = Tally(
        "quality",
        "status",
        "A plan is called optimal only within the gap that was asked for, and proven only if a second search agrees.",
        "$M",
        SOLVER,
    )
    plan = books.plan
    tally.holds(f"the status, {plan.status}", plan.status in STATUSES)
    if plan.status == "optimal":
        asked = decimal(plan.provenance["options"]["gap"])
        value, bound = decimal(plan.value_musd), decimal(plan.bound_musd)
        tally.at_most("the gap", bound - value, asked * max(abs(value), abs(bound)))
    tally.holds(f"the word, {plan.word}", (plan.word == "PROVEN") == _proven_twice(plan))
    return tally.check()


def _proven_twice(plan: Plan) -> bool:
    """A gap within a millionth of the value, or $10, and a second search that found no more, of doing nothing too."""
    proof = plan.proof
    if plan.status != "optimal" or plan.edited or proof.get("method") not in METHODS:
        return False
    margin = max(PROOF_SHARE * abs(decimal(plan.value_musd)), PROOF_MUSD)
    narrow = decimal(plan.gap_musd) <= decimal(proof.get("margin_musd")) <= margin + PROOF_SHARE * margin
    return narrow and proof.get("holds") is True and proof.get("doing_nothing") is True


def _nothing(books: Books) -> Check:
    """Doing nothing is a plan as well, where it keeps every rule that a decided plan must keep."""
    tally = Tally(
        "quality",
        "doing_nothing",
        "Where doing nothing keeps every rule, neither the bound nor an optimal plan with its gap is worth less.",
        "$M",
        SOLVER,
    )
    nothing = books.nothing
    if nothing is None or not _keeps_every_rule(nothing):
        return tally.check()
    beside = worth(nothing)
    tally.at_least("the bound", decimal(books.plan.bound_musd), beside)
    if books.plan.status == "optimal":
        tally.at_least("the value and the gap", decimal(books.plan.value_musd) + decimal(books.plan.gap_musd), beside)
    return tally.check()


def _mining_on(books: Books) -> Check:
    """Mining on keeps every rule, so a plan is no less; it is the best of its kind, so doing nothing is no more."""
    tally = Tally(
        "quality",
        "mining_on",
        "Neither the bound nor an optimal plan with its gap is worth less than mining on, nor that less than nothing "
        "done, where nothing done keeps every rule.",
        "$M",
        SOLVER,
    )
    if books.mining_on is None and books.plan.provenance.get("mining_on_found_out") is False:
        tally.holds("mining on, which was not found out", True)
        return tally.check()
    if books.mining_on is None:
        tally.holds("without mining on, doing nothing breaks a rule", not _nothing_would_do(books))
        return tally.check()
    plan, beside = books.plan, worth(books.mining_on)
    tally.at_least("the bound", decimal(plan.bound_musd), beside)
    if plan.status == "optimal":
        tally.at_least("the value and the gap", decimal(plan.value_musd) + decimal(plan.gap_musd), beside)
    if books.nothing is not None and _nothing_would_do(books):
        asked = decimal(plan.provenance["options"]["gap"]) * max(abs(beside), Decimal(1))
        tally.at_least("mining on", beside + asked, worth(books.nothing))
    return tally.check()


def _nothing_would_do(books: Books) -> bool:
    return books.nothing is not None and _keeps_every_rule(books.nothing)


def _keeps_every_rule(nothing: Books) -> bool:
    """Whether the plan that decides nothing could have been decided: liquidity, lenders and policies."""
    decided = replace(nothing, decide=True)
    auditors = (treasury, debt, lenders, coverage, policies)
    return all(check.clean for auditor in auditors for check in auditor.checks(decided))
