"""The start-up programs of `optimizer/solver/canaries.py`: their answers, what is remembered of them, who fails them.

Positive control, in an environment of its own with the packages of this project and an older highspy:

    python tests/test_canaries.py

tells which of the programs the installed release gets wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from math import inf
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from optimizer.solver import canaries, highs
from optimizer.solver.canaries import CANARIES, NONE, PART, Canary
from optimizer.solver.process import SolverProcess

FAR = 10**4
"""A bound for endless columns; a best corner that touches it would not count."""

Rows = list[tuple[list[Fraction], Fraction]]
"""Left sides and right sides of `left @ x <= right`."""


def exact(number: float) -> Fraction:
    """The decimal that is written, not the binary fraction next to it."""
    return Fraction(str(number))


def half_spaces(canary: Canary) -> Rows:
    """Every row and bound of a canary as `left @ x <= right`."""
    n = len(canary.columns)
    units = [({j: 1}, low, high) for j, (_, low, high, _) in enumerate(canary.columns)]
    spaces: Rows = []
    for terms, low, high in [*((t, lo, hi) for lo, t, hi in canary.rows), *units]:
        left = [exact(terms.get(j, 0)) for j in range(n)]
        bound = [low, high] if len(terms) > 1 or (terms, low, high) not in units else [max(low, -FAR), min(high, FAR)]
        if bound[1] < inf:
            spaces.append((left, exact(bound[1])))
        if bound[0] > -inf:
            spaces.append(([-x for x in left], -exact(bound[0])))
    return spaces


def whole_choices(canary: Canary) -> Iterator[dict[int, int]]:
    """Every choice of the whole columns within their bounds; endless ones up to 30."""
    columns = [(j, low, high) for j, (_, low, high, whole) in enumerate(canary.columns) if whole]
    ranges = [range(int(max(low, -30)), int(min(high, 30)) + 1) for _, low, high in columns]
    for choice in product(*ranges):
        yield {j: value for (j, _, _), value in zip(columns, choice, strict=True)}


def fixed(spaces: Rows, choice: dict[int, int]) -> Rows | None:
    """What the choice leaves of the half-spaces; None where it breaks one that has no other column."""
    left_over: Rows = []
    for left, right in spaces:
        right -= sum((left[j] * value for j, value in choice.items()), Fraction(0))
        rest = [a for j, a in enumerate(left) if j not in choice]
        if any(rest):
            left_over.append((rest, right))
        elif right < 0:
            return None
    return left_over


def solved(square: Rows) -> list[Fraction] | None:
    """The one point where as many equations as unknowns hold; None where they are not independent."""
    rows = [[*left, right] for left, right in square]
    n = len(rows)
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def corners(spaces: Rows, n: int) -> Iterator[list[Fraction]]:
    """Every vertex of a polytope in n dimensions."""
    if n == 0:
        yield []
        return
    for square in combinations(spaces, n):
        point = solved(list(square))
        if point is not None and all(sum(a * x for a, x in zip(left, point, strict=True)) <= r for left, r in spaces):
            yield point


def best(canary: Canary) -> Fraction | None:
    """The most that a canary is worth, by every whole number and every corner of what is left; None for nothing."""
    spaces, found = half_spaces(canary), []
    parts = [j for j, column in enumerate(canary.columns) if column[3] is PART]
    for choice in whole_choices(canary):
        left_over = fixed(spaces, choice)
        for corner in corners(left_over, len(parts)) if left_over is not None else ():
            x = choice | dict(zip(parts, corner, strict=True))
            value = sum((exact(column[0]) * x[j] for j, column in enumerate(canary.columns)), Fraction(0))
            found.append((value, -max(map(abs, corner), default=Fraction(0))))
    if not found:
        return None
    value, furthest = max(found)
    assert -furthest < FAR, "an endless column ends nowhere"
    return value


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.kind)
def test_answers_are_those_of_every_whole_number_and_every_corner(canary: Canary) -> None:
    value = best(canary)
    assert canary.answer == (NONE if value is None else pytest.approx(float(value), abs=1e-6))


def test_there_are_enough_of_them_small_and_of_different_kinds() -> None:
    assert len({canary.kind for canary in CANARIES}) == len(CANARIES) >= 10
    assert all(2 <= len(canary.columns) <= 15 for canary in CANARIES)


def test_the_installed_highs_passes_but_for_what_is_known() -> None:
    wrong = [canary.kind for canary in CANARIES for said in answers(highs, canary) if said != near(canary)]
    assert set(wrong) <= {canaries.SPARED.get(("HiGHS", highs.version()))}


def test_scip_passes() -> None:
    scip = pytest.importorskip("optimizer.solver.scip", reason="SCIP is not installed")
    assert [canary.kind for canary in CANARIES for said in answers(scip, canary) if said != near(canary)] == []


def answers(solver: Any, canary: Canary) -> list[float | str]:
    return [solver.best_value(canary.program(), presolve) for presolve in (True, False)]


def near(canary: Canary) -> Any:
    return canary.answer if isinstance(canary.answer, str) else pytest.approx(canary.answer, rel=1e-4, abs=1e-4)


# ---- what is refused, and what is remembered ------------------------------------------------------------------------


@dataclass
class Solver:
    """A solver that gives every canary its answer, or one that is wrong; how often it was asked."""

    folder: Path
    wrong: str = ""
    version: str = "9.9"
    asked: int = 0

    def failure(self) -> str | None:
        library = self.folder / "library"
        library.touch()
        os.utime(library, (1, 1))
        right = iter([canary for canary in CANARIES for _ in range(2)])

        def solve(*_: Any) -> float | str:
            self.asked += 1
            canary = next(right)
            return 12345.0 if canary.kind == self.wrong else canary.answer

        return canaries.failure("HiGHS", self.version, library, solve, lambda: None)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Solver:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Solver(tmp_path)


ALL = 2 * len(CANARIES)


def test_what_has_passed_is_asked_only_once(installed: Solver) -> None:
    assert [installed.failure(), installed.failure(), installed.asked] == [None, None, ALL]


def test_another_version_another_file_and_other_programs_are_asked_again(
    installed: Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed.failure()
    installed.version = "9.10"
    installed.failure()
    assert installed.asked == 2 * ALL
    monkeypatch.setattr(os, "utime", lambda *_: None)
    (installed.folder / "library").write_text("another", encoding="utf-8")
    installed.failure()
    assert installed.asked == 3 * ALL
    copy = installed.folder / "canaries.py"
    copy.write_text(Path(canaries.__file__).read_text(encoding="utf-8") + "# one more", encoding="utf-8")
    monkeypatch.setattr(canaries, "__file__", str(copy))
    installed.failure()
    assert installed.asked == 4 * ALL


@pytest.mark.parametrize("kept", [b"", b"{}", b"\xff\x00", b"true"])
def test_a_record_that_is_damaged_is_none(kept: bytes, installed: Solver) -> None:
    installed.failure()
    (record,) = canaries.cache_folder().iterdir()
    record.write_bytes(kept)
    assert installed.failure() is None
    assert installed.asked == 2 * ALL
    assert installed.failure() is None
    assert installed.asked == 2 * ALL


def test_where_nothing_can_be_kept_they_are_asked_every_time(installed: Solver) -> None:
    (installed.folder / "cache").write_text("a file where the folder should be", encoding="utf-8")
    assert [installed.failure(), installed.failure(), installed.asked] == [None, None, 2 * ALL]


def test_a_user_without_a_home_has_no_cache(installed: Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*_: Any) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", homeless)
    assert [installed.failure(), installed.failure(), installed.asked] == [None, None, 2 * ALL]


def test_who_fails_is_named_with_the_program_and_asked_again(installed: Solver) -> None:
    installed.wrong = CANARIES[0].kind
    told = "HiGHS 9.9 says 12345 where -24.6 is right (a cheap singleton beside a whole number)"
    assert [installed.failure(), installed.failure(), installed.asked] == [told, told, 2]


def test_only_the_release_that_is_known_for_it_is_spared(installed: Solver) -> None:
    ((_, version), kind), *_ = canaries.SPARED.items()
    installed.wrong, installed.version = kind, version
    assert installed.failure() is None
    installed.version = "1.16.0"
    assert kind in str(installed.failure())


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_CACHE_HOME", "given/mw-allocation-optimizer"),
        ("win32", "LOCALAPPDATA", "given/mw-allocation-optimizer"),
        ("darwin", "HOME", "given/Library/Caches/mw-allocation-optimizer"),
    ],
)
def test_the_cache_is_where_the_system_keeps_them(
    platform: str, variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path / "given"))
    assert canaries.cache_folder() == tmp_path / folder


def test_a_process_remembers_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    for _ in range(2):
        SolverProcess("optimizer.solver.highs", 4.0).kill()
        assert len(list(canaries.cache_folder().iterdir())) == 1


if __name__ == "__main__":
    print("HiGHS", highs.version())
    for canary in CANARIES:
        for presolve in (True, False):
            told = highs.best_value(canary.program(), presolve)
            if not canaries._right(told, canary.answer):
                print(f"  {canary.kind}, presolve {presolve}: {told} where {canary.answer} is right")
