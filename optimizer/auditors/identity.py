"""Whether plan and case belong together: the same inputs, a scenario of the case, where the plan came from."""

from __future__ import annotations

import math
from collections.abc import Iterator

from optimizer.auditors.books import ZERO, Books
from optimizer.auditors.report import Check, Tally
from optimizer.case.case import TABLE_NAMES
from optimizer.case.folder import input_hashes

ORIGINS = ("optimizer", "solver", "options", "inputs_sha256")


def record(books: Books) -> None:
    """Papers move no money."""


def checks(books: Books) -> Iterator[Check]:
    """Once for a plan; the plan that decides nothing has the same papers."""
    if books.builds:
        yield _inputs(books)
        yield _papers(books)
        yield _beside(books)


def _inputs(books: Books) -> Check:
    """The plan's own copy of the case, row by row, and the hash of every input file."""
    tally = Tally("identity", "inputs", "The plan was solved from exactly this case.", "so or not", ZERO)
    case, own = books.case, books.plan.case
    tally.holds("case.toml: the settings are those of the case", own.settings == case.settings)
    for name in TABLE_NAMES:
        tally.holds(f"{name}: the rows are those of the case", own.rows(name) == case.rows(name))
    stated = books.plan.provenance.get("inputs_sha256", {})
    due = input_hashes(case)
    for file in {**due, **stated}:
        tally.same(f"hash of {file}", stated.get(file), due.get(file))
    return tally.check()


def _papers(books: Books) -> Check:
    tally = Tally(
        "identity", "papers", "A plan names its scenario, its solver and its options, and its figures are numbers.",
        "so or not", ZERO,
    )  # fmt: skip
    plan = books.plan
    scenarios = [row.scenario for row in books.case.rows("scenarios")]
    tally.holds(f"{plan.scenario} is a scenario of the case", plan.scenario in scenarios)
    tally.holds(f"status {plan.status}", plan.status in ("optimal", "limit", "interrupted"))
    for origin in ORIGINS:
        tally.holds(f"{origin} is told", bool(plan.provenance.get(origin)))
    for name in ("value_musd", "objective_musd", "bound_musd"):
        tally.holds(f"{name} is a number", math.isfinite(getattr(plan, name)))
    return tally.check()


def _beside(books: Books) -> Check:
    """Only whether plan and papers say the same: that a case cannot do nothing is for a solver to find."""
    tally = Tally(
        "identity", "beside",
        "The plan that decides nothing stands beside a plan, unless its papers say that there can be none.",
        "so or not", ZERO,
    )  # fmt: skip
    possible = books.plan.provenance.get("do_nothing_possible")
    if books.plan.nothing is None:
        tally.holds("no plan that decides nothing, and no word that there is none", possible is False)
    else:
        tally.holds("a plan that decides nothing, and a word that there is none", possible is not False)
    return tally.check()
