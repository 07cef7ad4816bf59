"""A plan folder gives its plan back whole or not at all, and keeps what its user put there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_writers import another, beside, standing, swapping, texts_of

import optimizer as opt
from optimizer.files import folders
from optimizer.files.manifest import MANIFEST, OF_THIS_RUN
from optimizer.ground.errors import PlanError
from optimizer.plan.folder import load_plan, read_table, save_plan, stale_inputs
from optimizer.plan.plan import SCHEMA
from optimizer.plan.tables import TABLES
from optimizer.plan.texts import quoted, table_text, unquoted

pytestmark = pytest.mark.core

# ---- what a folder holds --------------------------------------------------------------------------------------------


def test_the_folder_holds_the_tables_and_nothing_that_cannot_be_read(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "deep" / "plan")
    assert {p.name for p in folder.iterdir()} == {
        *(f"{name}.csv" for name in TABLES),
        *("do_nothing", "mining_on", "inputs", "plan.json", "run.json", "solver.log", "manifest.json"),
    }
    record = json.loads((folder / "plan.json").read_text(), parse_constant=lambda word: pytest.fail(word))
    assert record["status"] == "optimal"
    assert beside(folder) == [], "neither a lock nor a temporary folder is left"


def test_the_manifest_lists_every_file_with_hash_size_and_rows(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    manifest = json.loads((folder / MANIFEST).read_text())
    listed = manifest["files"] | manifest["files_of_this_run"]
    assert set(listed) == set(standing(folder)) - {MANIFEST}
    assert set(manifest["files_of_this_run"]) == set(OF_THIS_RUN)
    assert listed["cash.csv"]["rows"] == len(plan.cash)
    assert listed["do_nothing/cash.csv"]["bytes"] == (folder / "do_nothing" / "cash.csv").stat().st_size
    assert (manifest["schema"], manifest["run_id"]) == (SCHEMA, plan.run_id)


def test_equal_plans_have_equal_ids_and_manifests_whenever_they_were_solved(plan: opt.Plan, tmp_path: Path) -> None:
    later = replace(plan, run={"started_utc": "2031-01-01T00:00:00+00:00"}, log="other times\n")
    one, two = (json.loads((save_plan(p, tmp_path / n) / MANIFEST).read_text()) for p, n in ((plan, "a"), (later, "b")))
    assert one.pop("files_of_this_run") != two.pop("files_of_this_run")
    assert one == two
    assert later.run_id == plan.run_id


@pytest.mark.parametrize("change", ["value", "table", "do-nothing plan", "input"])
def test_a_plan_that_differs_anywhere_has_another_id(plan: opt.Plan, change: str) -> None:
    cash = plan.cash.assign(net_musd=plan.cash["net_musd"] + 1e-9)
    assert plan.nothing is not None
    other = {
        "value": replace(plan, value_musd=plan.value_musd + 1e-9),
        "table": replace(plan, tables={**plan.tables, "cash": cash}),
        "do-nothing plan": replace(plan, nothing={**plan.nothing, "cash": cash}),
        "input": replace(plan, case=plan.case.replace(title="Other")),
    }[change]
    assert other.run_id != plan.run_id


def test_every_file_is_utf8_with_plain_line_ends(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(replace(plan, case=plan.case.replace(title="Montréal ملف")), tmp_path / "plan")
    for name, data in standing(folder).items():
        assert "\r" not in data.decode("utf-8"), name
    assert load_plan(folder).case.settings.title == "Montréal ملف"


# ---- replaced -------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_no_plan_is_refused_and_kept(plan: opt.Plan, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(PlanError, match="holds something that is not a plan"):
        save_plan(plan, tmp_path)
    with pytest.raises(PlanError, match="is a file, not a folder"):
        save_plan(plan, tmp_path / "notes.txt")
    with pytest.raises(PlanError, match="cannot be written"):
        save_plan(plan, tmp_path / "notes.txt" / "plan")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_empty_folder_is_taken(plan: opt.Plan, tmp_path: Path) -> None:
    assert load_plan(save_plan(plan, tmp_path / ".")).value_musd == plan.value_musd


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_an_earlier_plan_is_replaced_whole(plan: opt.Plan, tmp_path: Path, way: str) -> None:
    other = another(plan)
    with swapping(way):
        folder = save_plan(plan, tmp_path / "plan")
        save_plan(other, folder)
        assert standing(folder) == texts_of(other), "nothing of the earlier plan is left"
        save_plan(plan, folder)
    assert standing(folder) == texts_of(plan)
    assert beside(folder) == []


@pytest.mark.parametrize("way", ["exchange", "renames"])
@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_what_a_user_put_into_a_plan_folder_stays(
    plan: opt.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, links: bool
) -> None:
    """Files, folders in folders and links, also on disks that know no hard links; with their times and rights."""
    folder = save_plan(plan, tmp_path / "plan")
    (folder / "deck" / "old").mkdir(parents=True)
    (folder / "deck" / "old" / "board.pptx").write_bytes(b"slides")
    (folder / "notes.txt").write_text("mine")
    (folder / "notes.txt").chmod(0o640)
    (folder / "case").symlink_to(tmp_path)
    if not links:
        monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(1, "no hard links")))
    changed = (folder / "notes.txt").stat().st_mtime_ns
    with swapping(way):
        save_plan(another(plan), folder)
    assert load_plan(folder).case.settings.title == "Another"
    assert (folder / "deck" / "old" / "board.pptx").read_bytes() == b"slides"
    assert ((folder / "notes.txt").stat().st_mode & 0o777, (folder / "notes.txt").stat().st_mtime_ns) == (
        0o640,
        changed,
    )
    assert (folder / "case").readlink() == tmp_path
    assert beside(folder) == []


def test_a_note_saved_while_the_folder_is_replaced_stays(
    plan: opt.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    (folder / "notes.txt").write_text("first")
    real = folders._exchange

    def meanwhile(fresh: Path, old: Path) -> None:
        (old / "draft").write_text("second")
        (old / "draft").replace(old / "notes.txt")
        real(fresh, old)

    monkeypatch.setattr(folders, "_exchange", meanwhile)
    save_plan(another(plan), folder)
    assert (folder / "notes.txt").read_text() == "second"


def test_rights_of_a_plan_folder_stay(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    folder.chmod(0o750)
    assert save_plan(plan, folder).stat().st_mode & 0o777 == 0o750


# ---- damaged --------------------------------------------------------------------------------------------------------


def _edit(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "does not exist; name a plan's folder"),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "nothing vouches for it"),
    "cut manifest": (lambda folder: _edit(folder / MANIFEST, lambda data: data[:400]), "manifest.json cannot be read"),
    "other manifest": (lambda folder: (folder / MANIFEST).write_text("[]"), "does not say its format"),
    "empty manifest": (
        lambda folder: (folder / MANIFEST).write_text(json.dumps({"schema": SCHEMA})),
        "does not list the files",
    ),
    "binary manifest": (lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe"), "manifest.json cannot be read"),
    "no record": (lambda folder: (folder / "plan.json").unlink(), "plan.json is missing"),
    "cut record": (lambda folder: _edit(folder / "plan.json", lambda data: data[:40]), "plan.json was changed"),
    "no table": (lambda folder: (folder / "cash.csv").unlink(), "cash.csv is missing"),
    "empty table": (lambda folder: (folder / "cash.csv").write_text(""), "cash.csv was changed: it holds 0 rows"),
    "cut table": (lambda folder: _edit(folder / "cash.csv", lambda data: data[:-30]), "cash.csv was changed"),
    "table for a folder": (
        lambda folder: ((folder / "cash.csv").unlink(), (folder / "cash.csv").mkdir()),
        "cash.csv cannot be read",
    ),
    "no inputs": (lambda folder: shutil.rmtree(folder / "inputs"), "inputs/"),
    "changed input": (
        lambda folder: _edit(folder / "inputs" / "case.toml", lambda data: data + b"\n"),
        "inputs/case.toml was changed: it holds",
    ),
    "no log": (lambda folder: (folder / "solver.log").unlink(), "solver.log is missing"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_plan_is_refused_in_words(
    plan: opt.Plan, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    damage(folder)
    with pytest.raises(PlanError) as told:
        load_plan(folder)
    assert str(folder) in str(told.value)
    assert words in str(told.value)


@pytest.mark.parametrize("inspected", ["cut record", "no table", "empty table", "no inputs"])
def test_what_cannot_be_read_at_all_is_refused_even_for_a_look(plan: opt.Plan, tmp_path: Path, inspected: str) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    DAMAGE[inspected][0](folder)
    with pytest.raises((PlanError, opt.InputError)):
        load_plan(folder, inspect=True)


# ---- cells ----------------------------------------------------------------------------------------------------------


@given(st.text("='+-@\t\r\n＝ab,\" ", max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_back_from_a_cell_and_none_begins_a_formula(text: str) -> None:
    assert unquoted(quoted(text)) == text
    assert not quoted(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    table = pd.DataFrame({"site": [text, "north"], "net_musd": [-1.5, 2.0]})
    pd.testing.assert_frame_equal(read_table(table_text(table)), table, check_dtype=False)


def test_a_negative_number_is_no_text(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    assert plan.cash["net_musd"].min() < 0
    assert ",-" in (folder / "cash.csv").read_text()
    assert "'" not in (folder / "cash.csv").read_text()


def test_a_manifest_that_leaves_a_file_out_is_that_of_another_run(plan: opt.Plan, tmp_path: Path) -> None:
    """Taking `plan.json` off the list and then rewriting it is found out by the run id."""
    folder = save_plan(plan, tmp_path / "plan")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["plan.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    record = json.loads((folder / "plan.json").read_text())
    (folder / "plan.json").write_text(json.dumps(record | {"value_musd": record["value_musd"] + 1}))
    with pytest.raises(PlanError, match=r"manifest\.json is that of run .*, its files are run "):
        load_plan(folder)
    assert load_plan(folder, inspect=True).word == "EDITED SINCE IT WAS SOLVED"


def test_inputs_changed_since_a_plan_was_solved_are_named(plan: opt.Plan) -> None:
    assert stale_inputs(plan, plan.case) == ()
    changed = plan.case.replace(title="Other", capex_budget_musd=12)
    assert stale_inputs(plan, changed) == ("case.toml",)
    more = plan.case.replace(obligations=[{"quarter": "2027Q2", "name": "note", "kind": "interest", "musd": 2.5}])
    assert stale_inputs(plan, more) == ("obligations.csv",)


@pytest.mark.parametrize(
    "text",
    ["", "\n", "name,musd\nx\n", "name,musd\nx,1,2\n", "name,musd\nx,one\n"],
    ids=["empty", "blank", "short", "long", "word"],
)
def test_a_table_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_table(text)
