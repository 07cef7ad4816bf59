"""Planted bugs and altered plan cells are caught. The campaigns' figures and survivors stand in `docs/mutants.md`."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from pathlib import Path

import altered_cells
import mutants
import pytest
from mutant_cases import trial, trials
from planted_bugs import Edit, edits, sample
from small_cases import scenario_of, small_case

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="each planted bug has a process of its own, by fork")
EXPLAINED = (Path(__file__).parents[1] / "docs" / "mutants.md").read_text(encoding="utf-8")
SEED = 19
"""A random case in which site power binds; GPUs, loans and machines to sell are in it too."""

WELL_KNOWN = (
    "business.rules:add_shared_rules: dropped rule: hold(m, site_power, ",
    "business.uses.mining:_running_flows: flipped sign: -economics.energy",
    "business.uses.halls:_take_and_supply: off by a quarter: option.lead_quarters -> (option.lead_quarters - 1)",
    "case.case:Case.it_mw_of_block: * for /",
    "business.lines:discount_factor: a quarter late",
    "ground.units:module: 4 for 3: 3 -> 4",
    "case.market:ai_power_per_it_mw_quarter: another quarter's hours",
    "business.company.treasury:_cash: + for -",
)
"""A dropped row, a flipped sign, a lead time off by one, gross for IT, a discount a quarter late, 4 for 3, ..."""


def the_edit(beginning: str) -> Edit:
    return next(edit for edit in edits() if edit.name.startswith(beginning))


@pytest.fixture(scope="module")
def base() -> mutants.Base:
    """A random case and what it is worth, solved in a process of its own."""
    made = trial("a small case", small_case(SEED), scenario_of(SEED))
    mutants.warm(made)
    record = mutants.base_of(made)
    lines = {module: frozenset(ran) for module, ran in record["lines"].items()}
    return mutants.Base(made, mutants.Outcome(record["value"], record["nothing"], tuple(record["breaches"])), lines)


@FORKS
@pytest.mark.parametrize("beginning", WELL_KNOWN)
def test_a_well_known_bug_is_caught(beginning: str, base: mutants.Base) -> None:
    record = mutants.run_mutant(the_edit(beginning), [base])
    assert record["verdict"] not in ("survived", "never run"), record


@FORKS
def test_the_program_without_a_bug_is_not_accused(base: mutants.Base) -> None:
    """The control: the same way through import, solve and audit, with nothing altered."""
    assert base.known.breaches == ()
    edit = the_edit("ground.units:module: 4 for 3: 3 -> 4")
    assert mutants.run_mutant(replace(edit, new=edit.old), [base])["verdict"] == "survived"


def test_every_edit_leaves_a_program() -> None:
    for edit in sample(60, seed=2):
        assert ast.dump(ast.parse(edit.source())) != ast.dump(ast.parse(replace(edit, new=edit.old).source())), (
            edit.name
        )


@pytest.mark.core
def test_edits_have_names_of_their_own_and_every_kind_is_drawn() -> None:
    assert len({edit.name for edit in edits()}) == len(edits())
    assert {edit.kind for edit in sample(600, seed=1)} == {edit.kind for edit in edits()}
    assert {edit.module for edit in sample(600, seed=1)} == {edit.module for edit in edits()}


def test_altered_cells_of_a_plan_are_found() -> None:
    import optimizer as opt

    plan = opt.solve(small_case(SEED), scenario_of(SEED), gap=1e-9)
    assert opt.audit(plan.case, plan).clean
    records = [altered_cells.judged(plan, number) for number in range(40)]
    missed = [r for r in records if not r["broken"] and r["kind"] not in altered_cells.BELOW_THE_AUDIT]
    assert missed == []


@pytest.mark.campaign
@FORKS
def test_99_of_100_planted_bugs_are_caught_and_each_survivor_is_explained(tmp_path: Path) -> None:
    folder = Path(os.environ.get("MUTANTS", tmp_path))
    records = mutants.campaign(sample(600, seed=1), mutants.bases(trials(), folder), folder)
    print(mutants.summary(records))
    left = [record["mutant"] for record in records if record["verdict"] in ("survived", "never run")]
    assert [name for name in left if name not in EXPLAINED] == []


@pytest.mark.campaign
def test_99_of_100_altered_cells_are_found_and_each_survivor_is_explained(tmp_path: Path) -> None:
    records = list(altered_cells.campaign(Path(os.environ.get("ALTERED_CELLS", tmp_path)), 1200))
    print(altered_cells.summary(records))
    must = [record for record in records if record["kind"] not in altered_cells.BELOW_THE_AUDIT]
    missed = [record for record in must if not record["broken"]]
    assert len(missed) <= len(must) / 100
    assert [record for record in missed if record["place"] not in EXPLAINED] == []
