"""The README is true: its script runs, its printed result is what the program prints."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

import optimizer as opt
from optimizer.summary import WIDTH, print_summary

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
    assert printed(plan) == shown()


def printed(plan: opt.Plan) -> str:
    out = io.StringIO()
    print_summary(plan, Console(width=WIDTH, highlight=False, file=out))
    return out.getvalue().strip()


def shown() -> str:
    block = re.search(r"<!-- result -->\n```\n(.*?)```", README, re.DOTALL)
    assert block is not None
    return block[1].strip()
