"""The worked pages on studies: their commands print what they show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import Run
from worked_pages import ROOT, alike, masked, prepare, rerun

Made = dict[tuple[str, ...], tuple[str, Path]]


@pytest.fixture(scope="module")
def made() -> Made:
    """What `optimizer solve` printed and wrote, by its words."""
    return {}


def solved(words: list[str], made: Made, run: Run) -> str:
    """Every page begins with the same solve: it is run for the first of them, and its folder copied for the others."""
    target = Path(words[words.index("-o") + 1])
    if tuple(words) not in made:
        code, out, err = run(*words)
        assert code == 0, err
        made[tuple(words)] = out, target.absolute()
        return out
    out, kept = made[tuple(words)]
    shutil.copytree(kept, target, ignore=shutil.ignore_patterns("studies"))
    return out


@pytest.mark.parametrize("name", ["tornado", "breakevens", "prices", "frontier", "map", "alternatives", "regret"])
def test_a_worked_page_is_true(
    name: str, run: Run, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)

    def printed(words: list[str]) -> str:
        if words[0] == "solve":
            return solved(words, made, run)
        code, out, err = run(*words)
        assert code == 0, err
        return out

    told = list(rerun(ROOT / "docs" / "studies" / f"{name}.md", printed))
    assert len(told) >= 2
    for shown, now in told:
        if not alike(masked(shown.output), now):
            assert masked(shown.output) == now, shown.command


@pytest.mark.parametrize(
    ("shown", "now", "same"),
    [
        ("worth $50.9M less", "worth $50.8M  less", True), ("worth $50.9M less", "worth $50.7M less", False),
        ("worth $50.9M less", "worth $50.9M more", False), ("2027Q1, 18 MW", "2027Q2, 18 MW", False),
        ("3 plans", "4 plans", False), ("4.093 and 1,000.5", "4.094 and 1,000.4", True), ("0.18", "0.2", False),
    ],
)  # fmt: skip
def test_outputs_are_alike_but_for_the_last_decimal(shown: str, now: str, same: bool) -> None:
    """Another processor may end a search a little elsewhere."""
    assert alike(shown, now) is same
