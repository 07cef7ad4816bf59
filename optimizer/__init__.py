"""How many megawatts of a bitcoin miner's sites keep mining, and how many become AI capacity, quarter by quarter.

import optimizer as opt
case = opt.load_case("data/bitfarms_2025")
plan = opt.solve(case)
plan.allocation

docs/api.md shows every public name with an example.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.auditors import audit as audit
    from optimizer.case.case import Case as Case
    from optimizer.case.folder import load_case as load_case
    from optimizer.case.saving import save_case as save_case
    from optimizer.ground.errors import Infeasible as Infeasible
    from optimizer.ground.errors import NoPlan as NoPlan
    from optimizer.ground.errors import PlanError as PlanError
    from optimizer.ground.findings import InputError as InputError
    from optimizer.plan.folder import load_plan as load_plan
    from optimizer.plan.folder import save_plan as save_plan
    from optimizer.plan.plan import Plan as Plan
    from optimizer.questions.compare import compare as compare
    from optimizer.questions.conflicts import explain as explain
    from optimizer.questions.planner import solve as solve
    from optimizer.questions.studies.regret import regret as regret

_PUBLIC = {
    "Case": "optimizer.case.case",
    "Infeasible": "optimizer.ground.errors",
    "InputError": "optimizer.ground.findings",
    "NoPlan": "optimizer.ground.errors",
    "Plan": "optimizer.plan.plan",
    "PlanError": "optimizer.ground.errors",
    "audit": "optimizer.auditors",
    "compare": "optimizer.questions.compare",
    "explain": "optimizer.questions.conflicts",
    "load_case": "optimizer.case.folder",
    "load_plan": "optimizer.plan.folder",
    "regret": "optimizer.questions.studies.regret",
    "save_case": "optimizer.case.saving",
    "save_plan": "optimizer.plan.folder",
    "solve": "optimizer.questions.planner",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `optimizer --help` needs neither pandas nor Pyomo."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """The public names alone, whatever has been imported from here since."""
    return sorted(__all__)
