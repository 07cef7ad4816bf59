"""The README is true: its script runs, its printed result is what the program prints."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command

import optimizer as opt
from optimizer.case.case import TABLE_NAMES
from optimizer.commands.root import app
from optimizer.ground import errors
from optimizer.plan.tables import TABLES
from optimizer.telling.summary import WIDTH, print_summary

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_script_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    script = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert script is not None
    names: dict[str, object] = {}
    exec(compile(script[1], "README.md", "exec"), names)
    plan, tight = names["plan"], names["tight"]
    assert isinstance(plan, opt.Plan)
    assert isinstance(tight, opt.Plan)
    assert tight.value_musd < plan.value_musd
    assert "moses-lake" in capsys.readouterr().out
    assert without_gap(printed(plan)) == without_gap(shown())


def without_gap(told: str) -> str:
    """A search may end at another gap with another release of the solver; the plan and its figures are the same."""
    return re.sub(r"GAP [^)]*\)", "GAP", told)


def printed(plan: opt.Plan) -> str:
    out = io.StringIO()
    print_summary(plan, Console(width=WIDTH, highlight=False, file=out))
    return out.getvalue().strip()


def shown() -> str:
    block = re.search(r"<!-- result -->\n```\n(.*?)```", README, re.DOTALL)
    assert block is not None
    return block[1].strip()


# ---- what it names is there ----------------------------------------------------------------------------------------


def section(heading: str) -> str:
    return README.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_every_table_is_listed_and_no_other() -> None:
    case = set(re.findall(r"`([a-z_]+)`", section("The tables of a case")))
    plan = set(re.findall(r"`([a-z_]+)`", section("The tables of a plan")))
    assert case == set(TABLE_NAMES)
    assert plan == set(TABLES)


def test_every_command_and_option_is_there() -> None:
    """And every command of the program stands in the README."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    known = {option for command in commands.values() for one in command.params for option in one.opts}
    shown = section("From the command line")
    assert set(re.findall(r"`optimizer (\w+)", shown)) == set(commands)
    assert set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", shown)) <= known | {"--help"}
    solving = {option for one in commands["solve"].params for option in one.opts if option.startswith("-")}
    told = shown[shown.index("`solve` takes") : shown.index("On a terminal")]
    assert set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", told)) | {"--output"} == solving


def test_every_exit_code_is_told() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    kinds = [errors.OptimizerError, *errors.OptimizerError.__subclasses__()]
    raised = {kind.exit_code for kind in kinds[1:] if kind is not errors.NoPlan}
    from optimizer.commands import exits

    named = {value for name, value in vars(exits).items() if name.startswith("EXIT_")}
    assert told == raised | named | {0, errors.NoPlan("", 0.0).exit_code}


@pytest.mark.parametrize("page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_link_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (folder / link).exists()]
