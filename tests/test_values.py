"""The values of the shipped cases are those of CHANGELOG.md: a change needs a line and a reason there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import optimizer as opt

ROOT = Path(__file__).parents[1]
LINE = re.compile(r"^\| `(\w+)` \| (\w+) \| (-?[\d.]+) \| (-?[\d.]+) \|", re.MULTILINE)
NEWEST_FIRST = LINE.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
NEWEST = {(case, scenario): (float(value), float(over)) for case, scenario, value, over in reversed(NEWEST_FIRST)}


@pytest.mark.core
@pytest.mark.parametrize(
    "case",
    [
        "washington_2025",
        pytest.param("bitfarms_2025", marks=pytest.mark.campaign),
        pytest.param("keel_2026", marks=pytest.mark.campaign),
    ],
)
def test_values_are_those_of_the_changelog(case: str) -> None:
    loaded = opt.load_case(ROOT / "data" / case)
    for row in loaded.scenarios:
        value, over = NEWEST[case, row.scenario]
        plan = opt.solve(loaded, row.scenario)
        assert plan.gap <= 1e-4
        assert plan.value_musd == pytest.approx(value, abs=5e-4 + plan.gap_musd)
        assert plan.kpis["value_over_do_nothing_musd"] == pytest.approx(over, abs=5e-4 + plan.gap_musd)


def test_long_tables_are_those_of_their_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generated tables of the shipped cases are what `data/build_cases.py` writes."""
    monkeypatch.syspath_prepend(str(ROOT / "data"))
    import build_cases

    monkeypatch.setattr(build_cases, "DATA", tmp_path)
    for folder in build_cases.FOLDERS:
        (tmp_path / folder.name).mkdir()
    build_cases.main()
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.csv"))
    assert len(written) == 16
    assert [path for path in written if (tmp_path / path).read_bytes() != (ROOT / "data" / path).read_bytes()] == []
