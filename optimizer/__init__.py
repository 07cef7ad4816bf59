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
    from optimizer.audit import audit as audit
    from optimizer.case import Case as Case
    from optimizer.case_files import load_case as load_case
    from optimizer.case_saving import save_case as save_case
    from optimizer.compare import compare as compare
    from optimizer.conflicts import explain as explain
    from optimizer.errors import Infeasible as Infeasible
    from optimizer.errors import NoPlan as NoPlan
    from optimizer.errors import PlanError as PlanError
    from optimizer.findings import InputError as InputError
    from optimizer.plan import Plan as Plan
    from optimizer.plan_files import load_plan as load_plan
    from optimizer.plan_files import save_plan as save_plan
    from optimizer.planner import solve as solve
    from optimizer.studies.regret import regret as regret

_PUBLIC = {
    "Case": "optimizer.case",
    "Infeasible": "optimizer.errors",
    "InputError": "optimizer.findings",
    "NoPlan": "optimizer.errors",
    "Plan": "optimizer.plan",
    "PlanError": "optimizer.errors",
    "audit": "optimizer.audit",
    "compare": "optimizer.compare",
    "explain": "optimizer.conflicts",
    "load_case": "optimizer.case_files",
    "load_plan": "optimizer.plan_files",
    "regret": "optimizer.studies.regret",
    "save_case": "optimizer.case_saving",
    "save_plan": "optimizer.plan_files",
    "solve": "optimizer.planner",
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
