"""What a process loads: the solver's, and those of the commands that answer at once. Told by modules, not a clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DATA, ROOT

import optimizer as opt
from optimizer import solver
from optimizer.commands.root import help_page
from optimizer.plan.folder import save_plan
from optimizer.solver import entry

SOLVING = {"pyomo", "highspy", "scipy"}


def loaded_by(*words: object) -> set[str]:
    """What the process of a command has loaded when it ends well, by the names of top packages."""
    code = (
        "import sys\n"
        f"sys.argv = {['optimizer', *map(str, words)]!r}\n"
        "from optimizer.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print('ended', end.code, *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    ended, code, *packages = done.stdout.splitlines()[-1].split()
    assert (ended, code) == ("ended", "0"), done.stdout + done.stderr
    return set(packages)


@pytest.mark.core
def test_a_solvers_process_starts_without_what_models_and_plans_are_made_with() -> None:
    """What the process itself says it imports, from its first line to the end of its jobs."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-P", entry.__file__, solver.HIGHS, "4.0"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.rpartition(entry.MARK.decode())[2])["event"] == "ready"
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    packages = {name.partition(".")[0] for name in imported}
    assert {"numpy", "highspy", "optimizer"} <= packages
    assert not packages & {"pyomo", "pandas", "scipy", "pydantic", "typer", "rich"}
    assert not imported & {"importlib.metadata", "optimizer.solver.models"}


def test_a_model_is_built_and_compiled_without_scipy() -> None:
    code = (
        "import sys, optimizer as opt\n"
        "from optimizer.business.model import build_model\n"
        "from optimizer.solver.models import compile_model\n"
        "case = opt.load_case(sys.argv[1])\n"
        "assert compile_model(build_model(case, 'base'))[0].size[0] > 100\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, DATA / "washington_2025"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert SOLVING & set(done.stdout.split()) == {"pyomo"}


def test_a_whole_solve_loads_no_scipy(tmp_path: Path) -> None:
    packages = loaded_by("solve", ROOT / "optimizer" / "starter", "-o", tmp_path / "plan")
    assert SOLVING & packages == {"pyomo"}  # HiGHS runs in a process of its own


@pytest.mark.core
def test_help_loads_nothing_but_its_page() -> None:
    assert not loaded_by("--help") & {*SOLVING, "pandas", "numpy", "pydantic", "typer", "rich"}


@pytest.mark.core
def test_the_page_of_help_says_what_the_commands_say() -> None:
    """It is written beforehand; `python docs/generate.py` writes it anew."""
    assert (ROOT / "optimizer" / "help.txt").read_text(encoding="utf-8") == help_page()


@pytest.mark.parametrize("words", [["check", "--help"], ["solve", "--help"], ["regret", "--help"]], ids=" ".join)
def test_the_help_of_a_command_loads_nothing_heavy(words: list[str]) -> None:
    assert not loaded_by(*words) & {*SOLVING, "pandas", "numpy", "rich"}


@pytest.mark.parametrize("case", [ROOT / "optimizer" / "starter", DATA / "washington_2025"], ids=lambda case: case.name)
def test_check_loads_neither_pandas_nor_a_solver(case: Path) -> None:
    assert not loaded_by("check", case) & {*SOLVING, "pandas", "matplotlib", "openpyxl"}


@pytest.mark.parametrize("form", [[], ["--json"]], ids=str)
def test_show_loads_no_solver(plan: opt.Plan, tmp_path: Path, form: list[str]) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    assert not loaded_by("show", folder, *form) & {*SOLVING, "matplotlib", "openpyxl"}
