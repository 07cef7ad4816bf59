"""The worked pages on studies: their commands print what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run
from worked_pages import ROOT, masked, prepare, rerun


@pytest.mark.parametrize("name", ["tornado", "breakevens", "prices", "frontier", "map", "alternatives", "regret"])
def test_a_worked_page_is_true(name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)

    def printed(words: list[str]) -> str:
        code, out, err = run(*words)
        assert code == 0, err
        return out

    told = list(rerun(ROOT / "docs" / "studies" / f"{name}.md", printed))
    assert len(told) >= 2
    for shown, now in told:
        assert masked(shown.output) == now, shown.command
