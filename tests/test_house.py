"""The house rules: style, types, the direction of imports, generated pages, and who writes what where."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["importlinter"],
    ],
    ids=lambda command: " ".join(command),
)
def test_checker_is_content(command: list[str]) -> None:
    if command[0] == "importlinter":
        run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    else:
        run = [sys.executable, "-m", *command]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_generated_pages_are_fresh() -> None:
    """A change of a rule or of the schema shows in the docs; `python docs/generate.py` writes them."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from generate import pages
    finally:
        sys.path.pop(0)
    stale = [name for name, text in pages().items() if (ROOT / "docs" / name).read_text(encoding="utf-8") != text]
    assert not stale


def test_every_rule_of_the_model_is_documented() -> None:
    """Each kind of row in the solver has its heading in the formulation."""
    import optimizer as opt
    from optimizer.model import build_model

    documented = set(re.findall(r"^#### `(\w+)`", (ROOT / "docs/formulation.md").read_text("utf-8"), re.MULTILINE))
    from pyomo.environ import Constraint

    case = opt.load_case(ROOT / "data/bitfarms_2025")
    built = {c.name for c in build_model(case, "base").component_objects(Constraint)}
    assert built <= documented
    assert {"site_power", "it_capacity", "minimum_liquidity"} <= built


def test_every_variable_is_finitely_bounded() -> None:
    from pyomo.environ import Var

    import optimizer as opt
    from optimizer.model import build_model

    case = opt.load_case(ROOT / "data/keel_2026")
    for variable in build_model(case, "base").component_data_objects(Var):
        assert variable.lb is not None, variable.name
        assert variable.ub is not None, variable.name


def test_nothing_reads_outside_the_project() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    texts = {name: (ROOT / name).read_text("utf-8", errors="ignore") for name in tracked if (ROOT / name).is_file()}
    outside = "../" + "shared"
    assert not [name for name, text in texts.items() if outside in text]
