"""What the tests of reading, solving and telling share: where things are, a tiny case that mines, a solved plan."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import compiled  # noqa: F401 (before all that it is to keep)
import pytest
from shared import DATA, shipped, solved_once
from small_cases import tiny_case

import optimizer as opt
from optimizer.case.case import Case

ROOT = Path(__file__).parents[1]

Run = Callable[..., tuple[int, str, str]]


def mining_case(**changes: Any) -> Case:
    """`tiny_case` with machines that earn, overheads that cost, and a little market for capacity."""
    return tiny_case(
        overheads={"g_and_a_musd": 0.4},
        bitcoin={"hashprice_usd_per_ph_day": 60},
        product_markets={"depth_it_mw": 3},
        **changes,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Long runs begin where they are asked for by name: `-m core` leaves them out too."""
    asked = config.option.markexpr
    if asked and "campaign" not in asked:
        config.option.markexpr = f"({asked}) and not campaign"


def pytest_collection_finish() -> None:
    """What imports and collecting made stays to the end: looking through it for waste is a sixth of a solve's cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(scope="session")
def case() -> Case:
    return mining_case()


@pytest.fixture(scope="session")
def plan(case: Case) -> opt.Plan:
    """The tiny case solved; it mines at both sites, converts one and signs the lease."""
    return solved_once(case)


@pytest.fixture(scope="session")
def washington() -> Case:
    return shipped("washington_2025")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a shipped case folder, to be broken."""
    return Path(shutil.copytree(DATA / "washington_2025", tmp_path / "case"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: exit code, standard output and standard error."""
    from optimizer.cli import run as run_cli

    def command(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["optimizer", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run_cli()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command
