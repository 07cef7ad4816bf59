"""Pairs of cases that differ in a few inputs, for what compares plans."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tiny_cases import tiny_case

import optimizer as opt
from optimizer.case.case import Case

Rows = list[Any]


def scaled(rows: Any, column: str, factor: float) -> Rows:
    """Rows with one column multiplied."""
    return [
        row if getattr(row, column) is None else row.model_copy(update={column: getattr(row, column) * factor})
        for row in rows
    ]


def _capex(case: Case, factor: float) -> dict[str, Any]:
    levels = [f"facility_{level}_musd_per_it_mw" for level in ("low", "base", "high")]
    options: Any = case.options
    for column in levels:
        options = scaled(options, column, factor)
    return {"options": options}


CHANGES: dict[str, Callable[[Case, float], dict[str, Any]]] = {
    "markets": lambda case, x: {"bitcoin": scaled(case.bitcoin, "btc_usd", x)},
    "capex": _capex,
    "offers": lambda case, x: {"offer_prices": scaled(case.offer_prices, "price", x)},
    "power": lambda case, x: {"tariffs": scaled(case.tariffs, "energy_usd_per_mwh", x)},
    "treasury": lambda case, x: {"opening_cash_musd": case.settings.opening_cash_musd + 10 * (x - 1)},
    "policy": lambda case, x: {"mining_ends": case.last - 1 if x > 1 else case.last - 2},
    "state": lambda case, x: {"fleet": scaled(scaled(case.fleet, "gross_mw", min(x, 1.0)), "units", min(x, 1.0))},
}
"""A change of each group of inputs, by a factor around 1."""


def changed(case: Case, rng: random.Random, groups: list[str]) -> Case:
    """The case with some groups of inputs changed."""
    changes: dict[str, Any] = {}
    for group in groups:
        changes |= CHANGES[group](case, rng.uniform(0.8, 1.25))
    return case.replace(**changes)


def solved(case: Case) -> opt.Plan | None:
    """The plan of a case; None where it has none."""
    try:
        return opt.solve(case, "base", gap=1e-6)
    except opt.Infeasible:
        return None


def pair_of_plans(seed: int) -> tuple[opt.Plan, opt.Plan, list[str]]:
    """Plans of a random case and of the same with two to four groups of inputs changed, and which those are."""
    rng = random.Random(f"pair {seed}")
    while True:
        case = tiny_case(rng.randrange(10_000))
        groups = rng.sample(list(CHANGES), rng.randint(2, 4))
        try:
            other = changed(case, rng, groups)
        except opt.InputError:
            continue
        plans = solved(case), solved(other)
        if plans[0] is not None and plans[1] is not None:
            return plans[0], plans[1], groups
