"""docs/compare.md is true: its script runs, and what it shows is what the program prints."""

from __future__ import annotations

import re

import pytest
from conftest import DATA, ROOT

import optimizer as opt
from optimizer.questions.compare.bridge import bridge
from optimizer.questions.compare.comparison import compare_plans, with_bridges

PAGE = (ROOT / "docs/compare.md").read_text(encoding="utf-8")


def shown(mark: str) -> str:
    block = re.search(rf"<!-- {mark} -->\n```\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    return block[1].strip()


def told(a: opt.Plan, b: opt.Plan, *names: str) -> str:
    comparison = with_bridges(compare_plans((a, b), names), [bridge(a, b)])
    return comparison.summary().strip()


def test_the_script_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    script = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert script is not None
    exec(compile(script[1], "docs/compare.md", "exec"), {})
    assert "capex" in capsys.readouterr().out


def test_the_worked_example_is_what_the_program_prints() -> None:
    case = opt.load_case(DATA / "washington_2025")
    before = opt.solve(case)
    after = opt.solve(case.replace(capex_level="high", capex_budget_musd=400), "gpu_up")
    assert told(before, after, "before", "after") == shown("result")


@pytest.mark.campaign
def test_the_year_is_what_the_program_prints() -> None:
    plans = [opt.solve(opt.load_case(DATA / name)) for name in ("bitfarms_2025", "keel_2026")]
    assert told(*plans, "bitfarms_2025-base", "keel_2026-base").startswith(shown("year"))


def test_the_page_names_every_input_in_its_group() -> None:
    from optimizer.questions.compare.groups import GROUPS

    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", PAGE, re.MULTILINE))
    for group in GROUPS:
        listed = set(re.findall(r"`(\w+)`", rows[group.name]))
        assert listed <= set(group.tables)
        assert listed == set(group.tables) or group.name == "offers"
