"""Faults of files, of several writers and of versions, by number (docs/faults.md): what the program does instead."""

from __future__ import annotations

import ast
import csv
import getpass
import io
import json
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import DATA, ROOT, Run
from plan_writers import another, beside, ended, forked, release, standing, swapping, texts_of, which

import optimizer as opt
from optimizer.files import folders
from optimizer.files.folders import writing
from optimizer.files.manifest import MANIFEST
from optimizer.ground.errors import PlanError
from optimizer.plan.folder import load_plan, save_plan, stale_inputs
from optimizer.plan.places import default_folder, refuse_unwritable
from optimizer.plan.plan import SCHEMA
from optimizer.plan.tables import TABLES
from optimizer.plan.texts import table_text
from optimizer.questions import planner


@pytest.fixture
def saved(plan: opt.Plan, tmp_path: Path) -> Path:
    return save_plan(plan, tmp_path / "plan")


@pytest.fixture
def given() -> Path:
    """A case folder that is in order; where it matters, nothing of it is solved."""
    return DATA / "washington_2025"


@pytest.fixture
def unsolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is refused here is refused before the solve."""
    monkeypatch.setattr(planner, "solve", lambda *_, **__: pytest.fail("solved in vain"))


# ---- 116 to 118: killed, full, read-only ----------------------------------------------------------------


@pytest.mark.core
def test_fault_116_a_kill_between_two_renames_is_put_right_by_the_next_reader(
    saved: Path, plan: opt.Plan, tmp_path: Path
) -> None:
    """Where a disk cannot exchange folders; test_kill.py kills at every step of both ways."""
    fresh = tmp_path / ".plan.new-0123abcd"
    fresh.mkdir()
    (fresh / "plan.json").write_text("half")
    saved.rename(tmp_path / ".plan.old")
    assert load_plan(saved).record() == plan.record()
    assert beside(saved) == []


def test_fault_116_only_leftovers_of_this_plan_are_cleared(saved: Path, plan: opt.Plan, tmp_path: Path) -> None:
    """A plan beside may be called nearly the same, and be in the middle of its own write."""
    others = [".plan.new-0123abcd.new-89abcdef", ".plans.new-0123abcd", ".plan.new-notes", "plan.new-0123abcd"]
    for name in (*others, ".plan.new-0123abcd"):
        (tmp_path / name).mkdir()
    save_plan(plan, saved)
    assert beside(saved) == sorted(others)


def test_fault_117_a_full_disk_is_a_sentence_and_exit_code_7(
    run: Run, given: Path, saved: Path, plan: opt.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """test_kill.py fills real disks."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(planner, "solve", lambda *_, **__: another(plan))
    monkeypatch.setattr("optimizer.plan.folder.write_file", full)
    code, out, err = run("solve", given, "-o", saved)
    assert (code, out, err) == (7, "", f"{saved} cannot be written: No space left on device.\n")
    assert standing(saved) == texts_of(plan)


@pytest.mark.usefixtures("unsolved")
def test_fault_118_a_read_only_disk_is_refused_before_the_solve(run: Run, given: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "ro,size=100k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        disk.chmod(0o555)
        if os.access(disk, os.W_OK):
            pytest.skip("this user writes anywhere and mounts nothing")
    try:
        code, out, err = run("solve", given, "-o", disk / "plan")
    finally:
        subprocess.run(["umount", disk], capture_output=True, check=False)
    assert (code, out) == (7, "")
    assert err in {
        f"{disk / 'plan'} cannot be written: {why}.\n" for why in ("Read-only file system", "Permission denied")
    }


@pytest.mark.usefixtures("unsolved")
def test_fault_118_files_where_folders_should_be_are_refused_before_the_solve(
    run: Run, given: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes").write_text("mine")
    for place in (tmp_path / "notes", tmp_path / "notes" / "plan", Path("/proc/nowhere/plan")):
        code, out, err = run("solve", given, "-o", place)
        assert (code, out) == (7, "")
        assert err.startswith(str(place))
    assert (tmp_path / "notes").read_text() == "mine"


def test_fault_118_missing_folders_on_the_way_are_made(plan: opt.Plan, tmp_path: Path) -> None:
    assert load_plan(save_plan(plan, tmp_path / "a" / "b" / "plan")).value_musd == plan.value_musd


# ---- 119: two writers -----------------------------------------------------------------------------------


def _holding(folder: Path) -> tuple[int, Path]:
    """A process that writes the folder and does not come to an end; it says so by a file."""
    sign = folder.parent / "held"

    def hold() -> None:
        with writing(folder):
            sign.touch()
            time.sleep(60)

    child, pipe = forked(hold)
    release(pipe)
    while not sign.exists():
        time.sleep(0.005)
    return child, sign


def test_fault_119_the_second_writer_is_told_who_writes(
    saved: Path, plan: opt.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, _ = _holding(saved)
    try:
        monkeypatch.setattr(folders, "PATIENCE_S", 0.05)
        with pytest.raises(PlanError) as told:
            save_plan(another(plan), saved)
        words = rf"is being written by process {child} on {re.escape(socket.gethostname())} since 20\d\d-\d\d-\d\dT"
        assert re.search(words, str(told.value))
        assert load_plan(saved).record() == plan.record(), "readers need no lock"
    finally:
        os.kill(child, signal.SIGKILL)
        ended(child)


def test_fault_119_the_lock_of_a_dead_process_is_no_lock(saved: Path, plan: opt.Plan) -> None:
    child, sign = _holding(saved)
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL
    assert (saved.parent / ".plan.lock").exists()
    began = time.monotonic()
    save_plan(another(plan), saved)
    assert time.monotonic() - began < 10
    sign.unlink()
    assert beside(saved) == []


def test_fault_119_a_writer_waits_for_another_that_comes_to_an_end(saved: Path, plan: opt.Plan) -> None:
    def slowly() -> None:
        with writing(saved):
            (saved.parent / "held").touch()
            time.sleep(0.3)

    child, pipe = forked(slowly)
    release(pipe)
    while not (saved.parent / "held").exists():
        time.sleep(0.005)
    save_plan(another(plan), saved)
    assert ended(child) == 0
    assert which(saved, {"new": texts_of(another(plan))}) == "new"


# ---- 120 to 123: edited, older, newer, stale ------------------------------------------------------------

EDITS = {
    "one digit": ("cash.csv", lambda text: re.sub(r"(\d)(?=\n)", lambda m: str((int(m[1]) + 1) % 10), text, count=1)),
    "a row more": ("contracts.csv", lambda text: text + text.splitlines()[-1] + "\n"),
    "a row less": ("allocation.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1])),
    "line ends": ("value.csv", lambda text: text.replace("\n", "\r\n")),
    "the value": ("plan.json", lambda text: re.sub(r'"value_musd": \d', '"value_musd": 9', text, count=1)),
    "do-nothing plan": ("do_nothing/cash.csv", lambda text: text.replace(",", ", ", 1)),
    "the times": ("run.json", lambda text: text.replace("{", "{ ", 1)),
    "an input": ("inputs/case.toml", lambda text: text.replace("tiny", "teeny", 1)),
}


@pytest.mark.core
@pytest.mark.parametrize(("file", "edit"), EDITS.values(), ids=EDITS)
def test_fault_120_an_edited_plan_is_refused_and_shown_only_as_edited(
    run: Run, saved: Path, file: str, edit: object
) -> None:
    before = (saved / file).read_bytes()
    (saved / file).write_bytes(edit(before.decode()).encode())  # type: ignore[operator]
    assert (saved / file).read_bytes() != before
    code, out, err = run("show", saved)
    assert (code, out) == (7, "")
    assert err.startswith(f"{saved} is not as it was written: {file} was changed")
    assert "--inspect" in err
    code, out, err = run("show", saved, "--inspect")
    assert code == 0
    assert file in err
    assert "EDITED SINCE" in out


@pytest.mark.parametrize("stray", ["inputs/obligations.csv", "inputs/notes.txt", "do_nothing/more.csv"])
def test_fault_120_a_file_put_among_the_plans_own_is_named(saved: Path, plan: opt.Plan, stray: str) -> None:
    """A table put into inputs/ would make it another case; before a solve it is not thrown away either."""
    (saved / stray).write_text("quarter,name,kind,musd\n2027Q2,note,interest,5\n")
    with pytest.raises(PlanError, match=f"{stray} was put there by hand"):
        load_plan(saved)
    with pytest.raises(PlanError, match=f"holds {stray}, which is not the plan's"):
        save_plan(plan, saved)
    assert (saved / stray).exists()


def test_fault_120_an_edited_plan_is_not_written_as_a_sound_one(saved: Path, tmp_path: Path) -> None:
    (saved / "cash.csv").write_text((saved / "cash.csv").read_text().replace("base", "best"))
    inspected = load_plan(saved, inspect=True)
    assert inspected.cash["scenario"].unique() == ["best"]
    with pytest.raises(PlanError, match="is not written: the plan was read with changed files"):
        save_plan(inspected, tmp_path / "laundered")


def test_fault_121_a_plan_of_an_older_version_is_refused_in_words(run: Run, saved: Path) -> None:
    record = json.loads((saved / "plan.json").read_text()) | {"schema": 1}
    (saved / "plan.json").write_text(json.dumps(record))
    (saved / MANIFEST).unlink()
    code, out, err = run("show", saved)
    assert (code, out) == (7, "")
    assert f"was written by an older version of this program (plan format 1, now {SCHEMA})" in err
    assert f"Its inputs are in {saved / 'inputs'}: solve them again." in err


def test_fault_121_a_plan_of_a_newer_version_is_refused_in_words(run: Run, saved: Path) -> None:
    manifest = json.loads((saved / MANIFEST).read_text()) | {"schema": SCHEMA + 1, "program": "9.1.0"}
    (saved / MANIFEST).write_text(json.dumps(manifest))
    code, out, err = run("show", saved, "--inspect")
    assert (code, out) == (7, "")
    formats = f"plan format {SCHEMA + 1}; this one reads {SCHEMA}"
    assert f"was written by a newer version of this program (9.1.0, {formats}). Update" in err


def test_fault_121_a_plan_of_an_older_version_is_replaced_by_a_solve(saved: Path, plan: opt.Plan) -> None:
    (saved / MANIFEST).unlink()
    (saved / "notes.txt").write_text("mine")
    save_plan(another(plan), saved)
    assert which(saved, {"new": texts_of(another(plan))}) == "new"
    assert (saved / "notes.txt").read_text() == "mine"


def test_fault_122_inputs_changed_since_the_solve_are_named(saved: Path, plan: opt.Plan) -> None:
    loaded = load_plan(saved)
    assert stale_inputs(loaded, plan.case) == ()
    changed = plan.case.replace(capex_budget_musd=899, obligations=[])
    assert stale_inputs(loaded, changed) == ("case.toml",)


# ---- 125 to 127: held open, names, orphans --------------------------------------------------------------


@pytest.mark.parametrize("way", ["exchange", "renames"])
def test_fault_125_where_a_file_is_held_open_the_new_plan_is_kept_beside(
    saved: Path, plan: opt.Plan, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Windows renames no folder of which a file is open; a solve of an hour is not thrown away for that."""

    def held(source: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    if way == "exchange":
        monkeypatch.setattr(folders, "_exchange", held)
    else:
        real = Path.rename
        monkeypatch.setattr(Path, "rename", lambda s, t: held(s, t) if s == saved else real(s, t))
    with swapping("exchange" if way == "exchange" else way), pytest.raises(PlanError) as told:
        save_plan(another(plan), saved)
    assert str(told.value) == (
        f"{saved} cannot be replaced (Permission denied): a file in it may be open in another program. "
        f"It stays as it was; the new plan was written to {saved}-2."
    )
    assert standing(saved) == texts_of(plan)
    assert standing(saved.with_name("plan-2")) == texts_of(another(plan))
    assert beside(saved) == ["plan-2"]


NAMES = ["CON", "nul", "Com1.plan", "lpt9", "aux.2026", "plan.", "plan ", "a:b", "a?b", 'a"b', "a|b", "a\tb", "a\\b"]


@pytest.mark.usefixtures("unsolved")
@pytest.mark.parametrize("name", NAMES)
def test_fault_126_names_that_windows_does_not_allow_are_refused_before_the_solve(
    run: Run, given: Path, tmp_path: Path, name: str
) -> None:
    code, out, err = run("solve", given, "-o", tmp_path / name)
    assert (code, out) == (7, "")
    assert "has a name that Windows does not allow" in err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["console", "con-2026", "com10", "null", "plan.v2", "Été 2026", ".hidden"])
def test_fault_126_names_that_only_look_like_those_are_taken(tmp_path: Path, name: str) -> None:
    refuse_unwritable(tmp_path / name)


@pytest.mark.usefixtures("unsolved")
def test_fault_126_too_long_a_path_is_refused_before_the_solve(run: Run, given: Path, tmp_path: Path) -> None:
    code, _, err = run("solve", given, "-o", tmp_path / "deep" / ("x" * 120) / ("y" * 120))
    assert code == 7
    assert "240 is the most that Windows opens" in err
    assert not (tmp_path / "deep").exists()


@pytest.mark.usefixtures("unsolved")
@pytest.mark.parametrize("name", ["Plan", "PLAN", "ｐlan"])
def test_fault_126_a_name_that_differs_only_in_case_is_refused_before_the_solve(
    run: Run, given: Path, saved: Path, name: str
) -> None:
    code, _, err = run("solve", given, "-o", saved.with_name(name))
    assert code == 7
    assert "differs from plan only in case or accents" in err


def test_fault_127_the_run_id_ties_a_plan_to_what_is_made_of_it(saved: Path, plan: opt.Plan) -> None:
    """A report carries the id; after another solve it fits no plan any more, and is an orphan."""
    told = json.loads((saved / MANIFEST).read_text())["run_id"]
    assert told == plan.run_id == load_plan(saved).run_id
    save_plan(another(plan), saved)
    assert load_plan(saved).run_id not in (told, "")


# ---- 128 to 136: what others can do to us ---------------------------------------------------------------

FORMULAS = [
    "=cmd|'/C calc'!A0", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")", "=WEBSERVICE(A1)",
    "＝1+1", "＋1", "－1", "＠x", "'=1",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_fault_128_129_no_cell_of_a_plan_begins_a_formula(plan: opt.Plan, tmp_path: Path, text: str) -> None:
    """Names like these are refused at input; should one get into a table all the same, it is text there."""
    allocation = plan.allocation.assign(site=plan.allocation["site"].replace("north", text))
    spiked = replace(plan, tables={**plan.tables, "allocation": allocation})
    folder = save_plan(spiked, tmp_path / "plan")
    for name in TABLES:
        for row in csv.reader(io.StringIO((folder / f"{name}.csv").read_text(encoding="utf-8"), newline="")):
            assert not [cell for cell in row if re.match(r"[=+@\t\r＝＋－＠]|-[^\d.]|-\d+\+", cell)], name
    assert list(load_plan(folder).allocation["site"]) == list(allocation["site"])


def test_fault_128_numbers_stay_numbers(plan: opt.Plan) -> None:
    flows = table_text(plan.cash_flow)
    assert re.search(r",-\d", flows)
    assert "'" not in flows


@pytest.mark.parametrize(
    "name",
    ["../../etc/x", "/etc/x", "C:\\x", "a/b", "a\0b", "..", ".", "CON", "con.", "x" * 300, "a b ", "=x", "\u202ex", ""],
)
def test_fault_130_a_plan_without_a_named_folder_stays_in_results(name: str) -> None:
    folder = default_folder(name, "base")
    assert folder.parent == Path("results")
    assert re.fullmatch(r"[\w .-]{1,80}", folder.name)
    assert folder.name not in ("..", ".") and not folder.name.startswith(".")


def test_fault_130_two_names_never_become_one_folder() -> None:
    names = ["a/b", "a_b", "a\\b", "a:b", "a*b", "x" * 90 + "1", "x" * 90 + "2", "..a", ".a", "a"]
    assert len({default_folder(name, "base") for name in names}) == len(names)
    assert default_folder("bitfarms_2025", "base") == Path("results/bitfarms_2025-base")


@pytest.mark.usefixtures("unsolved")
def test_fault_130_a_link_is_not_followed_on_write(run: Run, given: Path, saved: Path, plan: opt.Plan) -> None:
    saved.with_name("link").symlink_to(saved)
    saved.with_name("broken").symlink_to(saved.with_name("nowhere"))
    for name in ("link", "broken"):
        code, _, err = run("solve", given, "-o", saved.with_name(name))
        assert code == 7
        assert "is a link to" in err
    assert standing(saved) == texts_of(plan)
    assert load_plan(saved.with_name("link")).value_musd == plan.value_musd, "reading through a link harms nobody"


@pytest.mark.usefixtures("unsolved")
def test_fault_130_the_folder_one_stands_in_is_not_replaced(
    run: Run, given: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(saved / "inputs")
    for name in (".", "..", saved):
        code, _, err = run("solve", given, "-o", name)
        assert code == 7
        assert "is the folder this program was started in" in err


def _called(tree: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {f.id if isinstance(f, ast.Name) else f.attr for f in calls if isinstance(f, ast.Name | ast.Attribute)}


def _imported(tree: ast.AST) -> set[str]:
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


BAD_MODULES = {"pickle", "marshal", "shelve", "joblib", "dill", "zipfile", "tarfile", "urllib", "requests", "http"}
OFFICE = ("files/sheets.py", "telling/board/deck/layout.py", "telling/board/deck/writer.py")
"""Modules that open workbooks and presentations, which are archives."""
BAD_CALLS = {"eval", "exec", "read_pickle", "unpack_archive", "extractall"}


def test_fault_131_132_133_134_nothing_is_unpacked_unpickled_fetched_or_evaluated() -> None:
    """No pickle, address or expression is ever read, and no archive but an office file, whose parts stay in memory."""
    for path in (ROOT / "optimizer").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        opens = {"zipfile"} if path.relative_to(ROOT / "optimizer").as_posix() in OFFICE else set()
        assert not _imported(tree) & (BAD_MODULES - opens), path
        assert not _called(tree) & BAD_CALLS, path
        assert "pandas" not in _imported(tree) or "query" not in _called(tree), path


def test_fault_136_no_file_of_a_plan_tells_who_solved_it_or_where(saved: Path, tmp_path: Path) -> None:
    private = {str(Path.home()), str(ROOT), str(tmp_path), socket.gethostname(), getpass.getuser()}
    for name, data in standing(saved).items():
        text = data.decode()
        assert not [word for word in private if len(word) > 4 and word in text], name
        assert not re.search(r"(/tmp/|/home/|/Users/|[A-Z]:\\)", text), name
