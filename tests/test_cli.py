"""The command line: exit codes, words, and what a shell script can rely on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, ROOT, Run
from test_reader import change_bytes, edit

import optimizer as opt
from optimizer.case.case import Case
from optimizer.case.folder import write_case
from optimizer.files.manifest import MANIFEST, OF_THIS_RUN, manifest_text
from optimizer.plan.folder import load_plan, save_plan
from optimizer.plan.texts import run_id
from optimizer.questions import planner


@pytest.fixture
def tiny(case: Case, tmp_path: Path) -> Path:
    write_case(case, tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def saved(plan: opt.Plan, tmp_path: Path) -> Path:
    return save_plan(plan, tmp_path / "plan")


def python(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)


# ---- check ----------------------------------------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.parametrize("name", ["bitfarms_2025", "keel_2026", "washington_2025"])
def test_check_of_a_sound_case(run: Run, name: str) -> None:
    code, out, err = run("check", DATA / name)
    assert (code, err.count("Mend")) == (0, 0)
    assert out.startswith(f"{name}: ")
    assert out.endswith("No problem found.\n")


@pytest.mark.core
def test_check_of_a_broken_case_tells_every_finding(run: Run, folder: Path) -> None:
    edit(folder, "fleet.csv", "T21,6", "T21,six")
    edit(folder, "case.toml", "capex_budget_musd = 128", "capex_budget_musd = -1")
    change_bytes(folder, "bitcoin.csv", lambda _: b"")
    code, out, err = run("check", folder)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "bitcoin.csv: is empty. Mend: write a header and rows.",
        "case.toml:14: capex_budget_musd '-1' must be at least 0. Mend: check its unit.",
        "fleet.csv:2: gross_mw 'six' is not a number. Mend: write it plainly, like 1250 or 0.12.",
        "3 problems to mend; nothing was solved.",
    ]


def test_a_bad_cell_hides_no_other_problem(run: Run, folder: Path) -> None:
    """Names that nothing has and rows twice are told beside it; not names of a table that could not be read whole."""
    edit(folder, "fleet.csv", "Moses Lake,T21,6", "Moses lake,T21,6\nMoses Lake,S21,1")
    edit(folder, "case.toml", "capex_budget_musd = 128", "capex_budget_musd = -1")
    edit(folder, "asics.csv", "T21,", "T21,x")
    code, out, err = run("check", folder)
    told = err.splitlines()
    assert (code, out) == (2, "")
    assert "fleet.csv:2: site 'Moses lake' is no site of this case. Mend: did you mean Moses Lake?" in told
    assert "fleet.csv:4: site, asic 'Moses Lake, S21' stands already in line 3. Mend: keep one." in told
    assert any(line.startswith("case.toml:14: capex_budget_musd '-1'") for line in told)
    assert any(line.startswith("asics.csv:") for line in told)
    assert not any("is no asic" in line for line in told)


def test_a_number_in_quotes_is_refused(run: Run, folder: Path) -> None:
    edit(folder, "case.toml", "capex_budget_musd = 128", 'capex_budget_musd = "128"')
    code, _, err = run("check", folder)
    assert code == 2
    assert err.startswith("case.toml:14: capex_budget_musd '128' is a text. Mend: write the number without quotes.\n")


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ("capex_budget=60", "did you mean capex_budget_musd?"),
        ("discount_rates.corporate=0.2", "give all of it: --set 'discount_rates={name = value, ...}'"),
        ("nonsense=1", "see docs/case-format.md"),
    ],
)
def test_a_setting_that_there_is_not_is_told_with_what_may_be_meant(
    run: Run, tiny: Path, change: str, mend: str
) -> None:
    code, _, err = run("solve", tiny, "--set", change)
    assert code == 2
    assert f"is no setting of case.toml. Mend: {mend}" in err


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        ("[2024-04-20, 2028-04-12]", "halvings '2024-04-20' lies before 2026Q1, and subsidy_btc is the subsidy from"),
        ("[2028-04-12, 2028-04-12]", "halvings '2028-04-12' does not come after 2028-04-12"),
    ],
)
def test_a_halving_gone_by_would_halve_the_subsidy_again(run: Run, folder: Path, dates: str, words: str) -> None:
    edit(folder, "case.toml", "halvings = [2028-04-12]", f"halvings = {dates}")
    code, _, err = run("check", folder)
    assert (code, words in err) == (2, True), err


def test_check_notes_what_is_odd(run: Run, folder: Path) -> None:
    edit(folder, "case.toml", "quarters = 28", "quarters = 27")
    code, _, err = run("check", folder)
    assert code == 0
    assert "note: tariffs.csv: has 3 rows outside the horizon" in err


@pytest.mark.parametrize("command", ["check", "solve"])
def test_a_case_that_is_not_there(run: Run, tmp_path: Path, command: str) -> None:
    code, out, err = run(command, tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert "is not a case folder" in err


# ---- solve and show -------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_solve_tells_the_plan_and_writes_it(run: Run, tiny: Path, tmp_path: Path, plan: opt.Plan) -> None:
    code, out, err = run("solve", tiny, "-o", tmp_path / "out")
    assert (code, err) == (0, "")
    assert load_plan(tmp_path / "out").value_musd == plan.value_musd
    for words in (
        "Two sites to reckon by hand",
        "Scenario base. GAP under 0.0001% (under $1), a draft: solved once, not proven twice.",
        "Decision by site", "north", "south", "Signed offers", "lease", "Ada", "8.0 IT MW colo at north",
        "0 of 1 refused", "Money", "Value over doing nothing", f"${plan.value_musd:,.1f}M", "budget $900.0M",
        "Gross MW by quarter", "mining", "\u2588", f"Plan written to {tmp_path / 'out'}",
    ):  # fmt: skip
        assert words in out, words
    assert all(line == line.rstrip() for line in out.splitlines())
    assert max(map(len, out.splitlines()[:-1])) <= 110


@pytest.mark.core
def test_show_repeats_the_words_of_solve(run: Run, tiny: Path, tmp_path: Path) -> None:
    _, solved, _ = run("solve", tiny, "-o", tmp_path / "out")
    code, shown, err = run("show", tmp_path / "out")
    assert (code, err) == (0, "")
    assert solved == shown + f"Plan written to {tmp_path / 'out'}\n"


@pytest.mark.core
def test_json_is_the_plan_record_alone(run: Run, tiny: Path, tmp_path: Path) -> None:
    code, out, err = run("solve", tiny, "-o", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "out" / "plan.json").read_text())
    assert err == f"Plan written to {tmp_path / 'out'}\n"
    assert run("show", tmp_path / "out", "--json") == (0, out, "")


def test_options_reach_the_solve(run: Run, folder: Path, tmp_path: Path) -> None:
    options = ("--gap", 0.3, "--time-limit", 60, "--seed", 4, "--threads", 2, "--scenario", "gpu_up")
    code, out, _ = run("solve", folder, "-o", tmp_path / "out", *options, "--json")
    told = json.loads(out)
    assert (code, told["scenario"]) == (0, "gpu_up")
    assert told["provenance"]["options"] == {"gap": 0.3, "time_limit_s": 60, "seed": 4, "threads": 2}


def test_unless_named_the_plan_goes_to_results(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(tiny, "case.toml", 'name = "tiny"', 'name = "tiny case.1"')
    monkeypatch.chdir(tmp_path)
    assert run("solve", tiny)[0] == 0
    assert [p.name for p in (tmp_path / "results").iterdir()] == ["tiny case.1-base"]


@pytest.mark.core
def test_set_refuses_a_unit_mistaken(run: Run, folder: Path, tmp_path: Path) -> None:
    code, out, err = run("solve", folder, "-o", tmp_path / "out", "--set", "capex_budget_musd=128000000")
    assert (code, out) == (2, "")
    assert "capex_budget_musd '128000000'" in err


@pytest.mark.core
def test_prove_says_proven_everywhere(run: Run, tiny: Path, tmp_path: Path) -> None:
    code, out, _ = run("solve", tiny, "-o", tmp_path / "out", "--prove")
    assert code == 0
    assert "Scenario base. PROVEN: gap under 0.0001% (under $1), and a second search" in out
    record = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert (record["word"], record["proof"]["method"], record["proof"]["holds"]) == ("PROVEN", "cut-off", True)
    code, out, _ = run("audit", tmp_path / "out")
    assert code == 0
    assert out.startswith(f"PROVEN, run {load_plan(tmp_path / 'out').run_id}\nAudit clean")


@pytest.mark.core
def test_audit_refuses_a_plan_that_cannot_be(run: Run, tiny: Path, tmp_path: Path) -> None:
    run("solve", tiny, "-o", tmp_path / "out")
    edit(tmp_path / "out", "starts.csv", ",12.0,", ",13.0,")
    assert run("audit", tmp_path / "out")[0] == 7, "the folder was edited"
    code, out, _ = run("audit", tmp_path / "out", "--inspect")
    assert code == 6
    assert out.startswith("EDITED SINCE IT WAS SOLVED")
    assert "starts" in out


def test_a_plan_is_not_written_into_its_case(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny)
    code, out, err = run("solve", ".")
    assert (code, out) == (7, "")
    assert "would lie inside the case" in err


def test_audit_holds_a_plan_against_another_case(run: Run, tiny: Path, folder: Path, tmp_path: Path) -> None:
    run("solve", tiny, "-o", tmp_path / "out")
    assert run("audit", tmp_path / "out", "--case", tiny)[0] == 0
    edit(tiny, "overheads.csv", "0.4", "0.5")
    code, out, _ = run("audit", tmp_path / "out", "--case", tiny)
    assert code == 6
    assert "NOT clean" in out


def test_audit_misses_a_do_nothing_plan_that_was_taken_away(run: Run, saved: Path) -> None:
    """Its folder, its figures and its lines in the manifest are gone, and all hashes fit together again."""
    record = json.loads((saved / "plan.json").read_text())
    speak_of_it = ("do_nothing", "over_do_nothing", "terminal_share", "levered_return", "levered_payback")
    record["kpis"] = {k: None if any(word in k for word in speak_of_it) else v for k, v in record["kpis"].items()}
    assert sum(value is None for value in record["kpis"].values()) >= 8
    shutil.rmtree(saved / "do_nothing")
    forge(saved, record)
    code, out, _ = run("audit", saved)
    assert code == 6
    assert "no plan that decides nothing, and no word that there is none" in out
    record["provenance"]["do_nothing_possible"] = False
    forge(saved, record)
    code, out, _ = run("audit", saved)
    assert code == 6
    assert "doing nothing is possible, and worth $" in out


def forge(folder: Path, record: dict[str, Any]) -> None:
    """Another plan.json, and a manifest that vouches for the folder as it now is."""
    (folder / "plan.json").write_text(json.dumps(record, indent=2) + "\n")
    listed = json.loads((folder / MANIFEST).read_text())
    paths = [name for part in ("files", "files_of_this_run") for name in listed[part] if (folder / name).exists()]
    texts = {name: (folder / name).read_bytes().decode() for name in paths}
    told = {name: text for name, text in texts.items() if name not in OF_THIS_RUN}
    whole = manifest_text(texts, schema=listed["schema"], run_id=run_id(told), program=listed["program"])
    (folder / MANIFEST).write_text(whole)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_terminal_can_be_told_a_plan(tiny: Path, tmp_path: Path, encoding: str) -> None:
    command = [sys.executable, "-m", "optimizer", "solve", str(tiny), "-o", str(tmp_path / "out")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Plan written to" in done.stdout


def test_output_that_cannot_be_written_is_a_sentence(folder: Path) -> None:
    command = f"{sys.executable} -m optimizer check {folder} > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "The output cannot be written: No space left on device.\n")


def test_a_closed_output_is_no_traceback(folder: Path) -> None:
    command = f"{sys.executable} -m optimizer check {folder} >&-"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_odd_options_are_named(run: Run, tiny: Path, tmp_path: Path) -> None:
    code, _, err = run("solve", tiny, "-o", tmp_path / "out", "--time-limit", "inf", "--memory", "1e30")
    assert code == 2
    assert "time_limit 'inf' must be a number from 0 to 1e+09" in err
    assert "memory_gb '1e+30' must be" in err


@pytest.mark.core
def test_explain_tells_a_conflict_and_its_ways_out(run: Run, tiny: Path) -> None:
    code, out, _ = run("explain", tiny, "--set", "minimum_cash_musd=50000")
    assert code == 3
    assert "cash at the end of a quarter is at least $50,000M" in out
    assert "Ways out" in out
    code, out, _ = run("explain", tiny)
    assert (code, out) == (0, "A plan keeps every rule of this case: optimizer solve finds the best one.\n")


def test_explain_tells_another_program_the_same(run: Run, tiny: Path, case: Case) -> None:
    """The rules with their tags and quarters, and each way out with its exact amount; nothing else on the way."""
    code, out, _ = run("explain", tiny, "--json", "--set", "minimum_cash_musd=50000")
    told = json.loads(out)
    assert (code, told["feasible"], told["scenario"], told["irreducible"]) == (3, False, "base", True)
    (rule,) = told["rules"]
    assert (rule["rule"], rule["kind"]) == ("minimum_liquidity", "negotiable")
    assert rule["quarters"] and set(rule["quarters"]) <= {str(quarter) for quarter in case.horizon}
    lower = next(way for way in told["ways_out"] if way["changes"][0]["lever"] == "minimum_cash_musd")
    assert 0 < lower["changes"][0]["least"] <= lower["changes"][0]["amount"] < 50000
    assert lower["value_musd"] <= lower["bound_musd"]
    code, out, _ = run("explain", tiny, "--json")
    assert (code, json.loads(out)) == (0, {"case": case.settings.name, "scenario": "base", "feasible": True})


@pytest.mark.parametrize("words", ["capex_budget_musd=12.5", "capex_budget_musd = 12.5", "capex_budget_musd='12.5'"])
def test_set_changes_a_setting(run: Run, tiny: Path, tmp_path: Path, words: str) -> None:
    name, _, value = words.partition("=")
    code, out, _ = run("solve", tiny, "-o", tmp_path / "out", "--json", "--set", f"{name.strip()}={value}")
    assert code == 0
    assert json.loads(out)["kpis"]["capex_budget_musd"] == 12.5
    assert load_plan(tmp_path / "out").case.settings.capex_budget_musd == 12.5


def test_set_takes_text_dates_and_several(run: Run, tiny: Path, tmp_path: Path) -> None:
    sets = ("--set", "capex_level=high", "--set", "mining_ends=2028Q1", "--set", "halvings=[2027-08-01]")
    assert run("solve", tiny, "-o", tmp_path / "out", *sets)[0] == 0
    settings = load_plan(tmp_path / "out").case.settings
    assert (settings.capex_level, str(settings.mining_ends), str(settings.halvings[0])) == (
        "high",
        "2028Q1",
        "2027-08-01",
    )


# ---- ways to fail ---------------------------------------------------------------------------------------------------

FAILURES = {
    "unknown setting": (("--set", "capex_buget_musd=5"), 2, "'capex_buget_musd=5' is no setting of case.toml"),
    "set without a value": (("--set", "capex_budget_musd"), 2, "not of the form NAME=VALUE"),
    "set to nonsense": (("--set", "capex_budget_musd=much"), 2, "'much' is not a number"),
    "unknown scenario": (("--scenario", "bull"), 2, "'bull' is no scenario of this case"),
    "unknown option": (("--gapp", "1"), 2, "No such option"),
    "gap beyond one": (("--gap", "1.5"), 2, "Invalid value for '--gap'"),
    "negative limit": (("--time-limit", "-1"), 2, "Invalid value for '--time-limit'"),
    "infeasible": (("--set", "minimum_cash_musd=50000"), 3, "cash at the end of a quarter is at least $50,000M"),
    "limit without a plan": (("--time-limit", "0"), 4, "before a first plan was found"),
}


@pytest.mark.core
@pytest.mark.parametrize(("options", "expected", "words"), FAILURES.values(), ids=FAILURES)
def test_failure(run: Run, tiny: Path, tmp_path: Path, options: tuple[str, ...], expected: int, words: str) -> None:
    code, out, err = run("solve", tiny, "-o", tmp_path / "out", *options)
    assert (code, out) == (expected, "")
    assert words in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists(), "nothing that looks like a plan"


def test_an_output_that_cannot_be_written_is_refused_before_the_solve(
    run: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "solve", lambda *_, **__: pytest.fail("solved in vain"))
    (tmp_path / "notes.txt").write_text("mine")
    for output in (tmp_path / "notes.txt", tmp_path / "notes.txt" / "plan", tmp_path, "/proc/nowhere/plan"):
        code, out, err = run("solve", tiny, "-o", output)
        assert (code, out) == (7, "")
        assert str(output) in err
        assert "Traceback" not in err


@pytest.mark.parametrize(("status", "expected"), [("limit", 5), ("interrupted", 130)])
def test_a_plan_that_is_not_proven_is_written_and_its_code_says_so(
    run: Run, tiny: Path, tmp_path: Path, plan: opt.Plan, monkeypatch: pytest.MonkeyPatch, status: str, expected: int
) -> None:
    unproven = replace(plan, status=status, bound_musd=plan.value_musd * 1.5)
    monkeypatch.setattr(planner, "solve", lambda *_, **__: unproven)
    code, out, _ = run("solve", tiny, "-o", tmp_path / "out")
    assert code == expected
    assert "NOT PROVEN" in out
    assert load_plan(tmp_path / "out").status == status


def test_a_plan_for_a_case_and_a_case_for_a_plan_are_told(run: Run, tiny: Path, saved: Path) -> None:
    code, out, err = run("check", saved)
    assert (code, out.count("\n")) == (2, 0)
    assert err.splitlines()[0] == (
        f"{saved}: is a plan, not a case. Mend: name the case that it was solved from, or {saved / 'inputs'}."
    )
    assert run("check", saved / "inputs")[0] == 0
    for command in ("show", "audit", "tornado"):
        code, out, err = run(command, tiny)
        assert (code, out) == (7, "")
        assert err == f"{tiny} is a case, not a plan. Solve it (optimizer solve {tiny}) and name the plan's folder.\n"


def test_show_of_no_plan(run: Run, tmp_path: Path) -> None:
    code, out, err = run("show", tmp_path)
    assert (code, out) == (7, "")
    assert "is not a whole plan folder" in err


@pytest.fixture
def listening() -> Iterator[None]:
    """Ctrl-C as on a terminal; a shell that starts the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
def test_ctrl_c_while_reading_writes_nothing(run: Run, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.case.folder.load_case", lambda _: os.kill(os.getpid(), signal.SIGINT))
    code, out, err = run("check", tiny)
    assert (code, out) == (130, "")
    assert "Traceback" not in err


def test_ctrl_c_once_the_work_is_done_changes_nothing(tiny: Path) -> None:
    """Pressed while the process is being taken down, it leaves the exit code and says nothing."""
    press_late = (
        "import atexit, os, signal, sys; atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT));"
        "from optimizer.__main__ import main; main()"
    )
    done = python("-c", press_late, "check", tiny)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("No problem found.\n")


def test_the_version_is_that_of_the_project(run: Run) -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    code, out, err = run("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"optimizer {re.escape(told)}, HiGHS \d+\.\d+\.\d+\n", out)


# ---- beginning ------------------------------------------------------------------------------------------------------


def test_init_writes_a_case_that_can_be_checked(run: Run, tmp_path: Path) -> None:
    if not (ROOT / "optimizer" / "starter").exists():
        pytest.skip("no starter yet")
    code, out, _ = run("init", tmp_path / "mine")
    assert code == 0
    assert f"optimizer check {tmp_path / 'mine'}" in out
    code, out, err = run("check", tmp_path / "mine")
    assert (code, err) == (0, "")
    code, _, err = run("init", tmp_path / "mine")
    assert code == 7
    assert "exists already" in err
    assert run("init", tmp_path / "mine" / "case.toml" / "x")[0] == 7


@pytest.mark.core
def test_as_a_module_from_a_shell(folder: Path) -> None:
    """One run as a user makes it: the process ends with the code, and no warning or traceback leaks."""
    edit(folder, "fleet.csv", "T21,6", "T21,six")
    done = python("-W", "error", "-m", "optimizer", "check", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "1 problem to mend; nothing was solved."


def test_a_closed_pipe_is_no_crash(saved: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "optimizer", "show", str(saved)]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
