"""Every variable of the model has its record, every record its variable, and a plan keeps what a record says."""

from __future__ import annotations

import pytest
from conftest import DATA
from pyomo.environ import Var
from small_cases import small_case

import optimizer as opt
from optimizer.auditors.forms import COLUMNS
from optimizer.business.model import build_model
from optimizer.business.variables import OF_CONFLICTS, VARIABLES
from optimizer.case.case import Case

CASES = {
    "washington_2025": lambda: opt.load_case(DATA / "washington_2025"),
    "small 1": lambda: small_case(1),
    "small 2": lambda: small_case(2),
}


def variables(case: Case, **how: bool) -> dict[str, str]:
    """The kinds of variables of a model, and where each stands."""
    scenario = case.scenarios[0].scenario
    m = build_model(case, scenario, **how)
    shared = {v.local_name: "now" for v in m.component_objects(Var, descend_into=False)}
    return shared | {v.local_name: "recourse" for v in m.outcome[scenario].component_objects(Var)}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", [{}, {"decide": False}, {"adjustable": True}], ids=str)
def test_variables_and_records_are_the_same(name: str, how: dict[str, bool]) -> None:
    found = {kind: stage for kind, stage in variables(CASES[name](), **how).items() if kind not in OF_CONFLICTS}
    assert found == {kind: one.stage for kind, one in VARIABLES.items()}


def test_what_a_plan_keeps_has_its_column() -> None:
    told = {f"{table}.{column}" for table, columns in COLUMNS.items() for column in columns.split()}
    assert {place for one in VARIABLES.values() for place in one.tables} <= told


def test_decisions_are_due_where_they_are_taken() -> None:
    case = small_case(1)
    m = build_model(case, case.scenarios[0].scenario)
    for kind, one in VARIABLES.items():
        if one.stage == "now":
            assert one.due is not None
            assert all(case.first <= one.due(case, key) <= case.last for key in m.component(kind))
        else:
            assert one.due is None
