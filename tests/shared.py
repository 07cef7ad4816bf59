"""What many tests look at and none alters, made once a session: shipped cases read, plans solved."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import optimizer as opt
from optimizer.case.case import Case
from optimizer.case.folder import case_texts

DATA = Path(__file__).parents[1] / "data"

_PLANS: dict[object, opt.Plan | opt.Infeasible] = {}


@cache
def shipped(name: str) -> Case:
    return opt.load_case(DATA / name)


def solved_once(case: Case, scenario: str | None = None, **options: Any) -> opt.Plan:
    """The plan that `opt.solve` gives, or raises that there is none: solved once for the same inputs and options."""
    scenario = case.scenario_named(scenario)
    asked = (tuple(case_texts(case).items()), scenario, tuple(sorted(options.items())))
    if asked not in _PLANS:
        try:
            _PLANS[asked] = opt.solve(case, scenario, **options)
        except opt.Infeasible as none:
            _PLANS[asked] = none
    found = _PLANS[asked]
    if isinstance(found, opt.Infeasible):
        raise found
    return found
