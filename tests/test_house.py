"""The house rules: style, types, the direction of imports, generated pages, and who writes what where."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.core
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


@pytest.mark.core
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
    """Each kind of row in the solver has its heading in the formulation, those too that this case has no row of."""
    import optimizer as opt
    from optimizer.business.model import build_model

    documented = set(re.findall(r"^#### `(\w+)`", (ROOT / "docs/formulation.md").read_text("utf-8"), re.MULTILINE))
    from pyomo.environ import Constraint

    case = opt.load_case(ROOT / "data/bitfarms_2025")
    built = {c.local_name for c in build_model(case, "base").component_objects(Constraint)}
    told = "".join(module.read_text("utf-8") for module in (ROOT / "optimizer/business").rglob("*.py"))
    assert built <= set(re.findall(r"\bhold\(\s*\w+,\s*(\w+),", told)) == documented
    assert {"site_power", "it_capacity", "minimum_liquidity"} <= built


def test_every_variable_is_finitely_bounded() -> None:
    from pyomo.environ import Var

    import optimizer as opt
    from optimizer.business.model import build_model

    case = opt.load_case(ROOT / "data/keel_2026")
    for variable in build_model(case, "base").component_data_objects(Var):
        assert variable.lb is not None, variable.name
        assert variable.ub is not None, variable.name


def test_the_walk_of_a_rent_goes_up_and_every_stop_is_there() -> None:
    """docs/architecture.md leads a newcomer through files that exist, to functions that stand in them, never down."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    stops = re.findall(r"^\| \d+ \| `([\w/]+\.py)` \| (.+?) \|", page, re.MULTILINE)
    assert 5 < len(stops) <= 10
    for file, words in stops:
        tree = ast.parse((ROOT / "optimizer" / file).read_text("utf-8"))
        told = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert set(re.findall(r"`(\w+)`", words)) <= told, file
    floors = [room for layer in reversed(layers_of_imports()) for room in layer.split(" | ")]
    heights = [floors.index(f"optimizer.{file.partition('/')[0]}") for file, _ in stops]
    assert heights == sorted(heights)
    assert (floors[heights[0]], floors[heights[-1]]) == ("optimizer.files", "optimizer.telling")


def test_every_room_stands_in_the_picture_and_says_who_imports_it() -> None:
    picture = (ROOT / "docs/pictures/rooms.svg").read_text("utf-8")
    rooms = {path.parent for path in (ROOT / "optimizer").glob("*/__init__.py")}
    assert set(re.findall(r'class="room"[^>]*>(\w+)<', picture)) == {room.name for room in rooms}
    for room in rooms:
        told = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
        assert re.search(r"\bimport", told, re.IGNORECASE), room.name


def layers_of_imports() -> list[str]:
    """The rooms from the front door down, as the import contract has them; rooms of a floor with ` | ` between."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(one["layers"] for one in contracts if one["type"] == "layers")
    return layers


OWN_FOLDERS = ("optimizer", "tests", "docs", "benchmarks", "data")
TEXTS = {".py", ".md", ".toml", ".txt", ".csv", ".jinja", ".html", ".css", ".js"}


def own_texts() -> list[Path]:
    """The project's texts: what stands in its folders and at its top, not what a user keeps beside the code.

    A downloaded archive has no list of tracked files, so folders are walked.
    """
    found = [path for folder in OWN_FOLDERS for path in (ROOT / folder).rglob("*")]
    found += [path for path in ROOT.iterdir() if path.suffix in {".md", ".toml"} or path.name in {"LICENSE", "uv.lock"}]
    return [path for path in found if path.is_file() and (path.suffix in TEXTS or path.parent == ROOT)]


@pytest.mark.core
def test_nothing_reads_outside_the_project() -> None:
    outside = "../" + "shared"
    texts = own_texts()
    assert {ROOT / "README.md", ROOT / "optimizer" / "cli.py", Path(__file__)} <= set(texts)
    assert not [path for path in texts if outside in path.read_text("utf-8", errors="ignore")]


def test_style_is_asked_only_of_the_project(tmp_path: Path) -> None:
    """A script that a user keeps beside the code, in a folder of results or anywhere else, is theirs to write."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for folder in ("results", ".venv", "mine", "optimizer"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "untidy.py").write_text("import os\n", encoding="utf-8")
    (tmp_path / "script.py").write_text("import os\n", encoding="utf-8")
    run = [sys.executable, "-m", "ruff", "check", ".", "--no-cache", "--output-format", "concise"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert re.findall(r"^(\S+?):\d+:", done.stdout, re.MULTILINE) == [str(Path("optimizer") / "untidy.py")]
