"""The audit: every number of a solved plan computed again, from its decisions and the case, by another hand.

Exact decimals, no solver, nothing of the program that made the plan. Each auditor below speaks of one use of power or
one part of the company: it records the money that the decisions move, and checks the rows of its rules.

Imports `ground`, `case` and what a plan is; never the model. Imported by `questions`, `telling` and `commands`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from optimizer.auditors import (
    company,
    contracts,
    coverage,
    debt,
    flows,
    forms,
    halls,
    identity,
    kpis,
    lenders,
    machines,
    mining,
    plausibility,
    policies,
    quality,
    sites,
    spot,
    treasury,
    value,
)
from optimizer.auditors.books import ZERO, Books, Inputs, exact
from optimizer.auditors.contributions import Contribution, rank_contributions
from optimizer.auditors.report import Breach, Check, Report, Tally
from optimizer.case.case import Case
from optimizer.plan.plan import Plan


class Auditor(Protocol):
    """A module of this package."""

    __name__: str

    def record(self, books: Books) -> None:
        """Compute the flows of the decisions again and append them to `books.flows`."""

    def checks(self, books: Books) -> Iterator[Check]:
        """One check for each rule; `books.flows` is complete by then."""


_AUDITORS: tuple[Auditor, ...] = (
    identity, forms, machines, mining, halls, contracts, spot, company, debt, treasury,
    lenders, coverage, sites, policies, flows, value, kpis, quality, plausibility,
)  # fmt: skip
"""In the order in which they record: tax needs the flows before it, the treasury needs all."""


def audit(case: Case, plan: Plan) -> Report:
    """Audit a plan of a case, and the plans beside it: doing nothing, mining on. Never raises for a plan that is wrong.

    Tables whose form does not hold are not computed again: the report then says what is wrong with form and papers.
    """
    with exact():
        inputs = Inputs(case, plan.scenario)
        books = Books.of(plan, case, inputs)
        nothing = None if plan.nothing is None else Books.of(plan, case, inputs, decide=False)
        mining_on = None if plan.mining_on is None else Books.of(plan, case, inputs, builds=False)
        form, form_of_nothing, form_of_mining = (_formed(one) for one in (books, nothing, mining_on))
        if not all(check.clean for check in (*form, *form_of_nothing, *form_of_mining)):
            return Report((*form, *_checks(identity, books)), form_of_nothing, mining_on=form_of_mining)
        books.nothing, books.mining_on = nothing, mining_on
        beside, without = _audited(nothing), _audited(mining_on)
        checks = _audited(books)
        contributions = rank_contributions(books.flows)
        return Report((*form, *checks), (*form_of_nothing, *beside), contributions, (*form_of_mining, *without))


def audit_folder(folder: str | Path) -> Report:
    """Audit a plan folder with the inputs that lie in it. Raises PlanError for a folder that cannot be read."""
    from optimizer.plan.folder import load_plan

    plan = load_plan(folder)
    return audit(plan.case, plan)


def _formed(books: Books | None) -> tuple[Check, ...]:
    return () if books is None else forms.well_formed(books)


def _audited(books: Books | None) -> tuple[Check, ...]:
    """All auditors record, then all check; one that stumbles over what the tables say reports that."""
    if books is None:
        return ()
    stumbled = [check for auditor in _AUDITORS for check in _record(auditor, books)]
    return (*stumbled, *(check for auditor in _AUDITORS for check in _checks(auditor, books)))


def _record(auditor: Auditor, books: Books) -> Iterator[Check]:
    try:
        auditor.record(books)
    except Exception as error:
        yield _stumble(auditor, error)


def _checks(auditor: Auditor, books: Books) -> Iterator[Check]:
    try:
        yield from auditor.checks(books)
    except Exception as error:
        yield _stumble(auditor, error)


def _stumble(auditor: Auditor, error: Exception) -> Check:
    """No audit ends in a traceback, and none passes where an auditor could not go on."""
    name = auditor.__name__.rpartition(".")[2]
    tally = Tally("identity", name, "What the tables say can be computed again.", "so or not", ZERO)
    tally.holds(f"{name} cannot go on: {type(error).__name__}: {error}", False)
    return tally.check()


__all__ = ["Books", "Breach", "Check", "Contribution", "Report", "Tally", "audit", "audit_folder"]
