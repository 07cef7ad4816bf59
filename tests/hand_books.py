"""Books over plans written down by hand: decisions as rows of tables, and what the audit's checks say of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from optimizer.auditors.books import Books
from optimizer.auditors.forms import COLUMNS
from optimizer.auditors.report import Check
from optimizer.case.case import Case
from optimizer.plan.plan import Plan

Row = dict[str, Any]


def written(case: Case, *, decide: bool = True, **tables: list[Row]) -> Books:
    """Books over a plan written by hand: some tables, the rest of them empty; or over its plan that decides nothing."""
    frames = {}
    for name, columns in COLUMNS.items():
        rows = [{"scenario": "base"} | row for row in tables.get(name, [])]
        frames[name] = pd.DataFrame(rows, columns=columns.split())
    plan = Plan(
        case=case, scenario="base", status="optimal", value_musd=0, objective_musd=0, bound_musd=0, proof={}, kpis={},
        tables=frames, nothing=frames, provenance={},
    )  # fmt: skip
    return Books.of(plan, case, decide=decide)


def broken(found: Iterable[Check]) -> set[str]:
    """Names of the checks that do not hold."""
    return {check.name for check in found if not check.clean}


def lines(books: Books) -> dict[str, dict[int, float]]:
    """Recorded flows by line and quarter of the horizon, without zeros."""
    found: dict[str, dict[int, float]] = {}
    for flow in books.flows:
        if flow.musd:
            by_quarter = found.setdefault(flow.line, {})
            t = flow.quarter - books.case.first
            by_quarter[t] = by_quarter.get(t, 0) + float(flow.musd)
    return found
