"""What two plans decide otherwise, in words."""

from __future__ import annotations

import random
from typing import Any

import pytest
from small_cases import small_case

import optimizer as opt
from optimizer.plan.decisions import Decisions, Signing, Start, decisions_of, moved

pytestmark = pytest.mark.core


def start(quarter: str, mw: float = 24.0, service: str = "2028Q1", site: str = "Sharon", **changes: Any) -> Start:
    given = {"product": "colocation", "blocks": 2, "it_mw": mw / 1.25, "committed": False} | changes
    return Start(site, f"{site} hall", given.pop("product"), quarter, service, mw, **given)


def signing(offer: str, it_mw: float = 12.0, site: str = "Sharon", delivery: str = "2028Q1") -> Signing:
    return Signing(offer, site, delivery, it_mw, "AI lab", "colocation", "2042Q4", False)


def test_a_start_that_slips_is_told_as_one_sentence() -> None:
    """Not as one start less and another one more; the megawatts that stay are not told."""
    was = Decisions((start("2026Q3", 24, "2027Q4"),), ())
    now = Decisions((start("2026Q3", 8, "2027Q4"), start("2027Q1", 16, "2028Q2")), ())
    assert moved(was, now) == ["Sharon: 16 gross MW colocation slips 2026Q3 -> 2027Q1 (in service 2027Q4 -> 2028Q2)"]
    assert moved(now, was) == [
        "Sharon: 16 gross MW colocation comes forward 2027Q1 -> 2026Q3 (in service 2028Q2 -> 2027Q4)"
    ]


def test_what_only_one_plan_starts_is_told_with_its_megawatts() -> None:
    was, now = Decisions((start("2026Q3", 10),), ()), Decisions((start("2027Q3", 25),), ())
    slip, more = moved(was, now)
    assert slip.startswith("Sharon: 10 gross MW colocation slips 2026Q3 -> 2027Q3")
    assert more == "Sharon: 15 gross MW colocation more, start 2027Q3, in service 2028Q1"
    assert moved(now, was)[1] == "Sharon: 15 gross MW colocation not started (was 2027Q3)"


def test_the_same_start_that_serves_later_is_no_slip() -> None:
    was, now = Decisions((start("2026Q3"),), ()), Decisions((start("2026Q3", service="2028Q3"),), ())
    assert moved(was, now) == ["Sharon: 24 gross MW colocation, start 2026Q3 as before, in service 2028Q1 -> 2028Q3"]


def test_offers_refused_signed_and_changed() -> None:
    was = Decisions((), (signing("=1+1"), signing("gone"), signing("kept", 12.0)), refused=("later",))
    now = Decisions((), (signing("later"), signing("kept", 10.0, "Magog"), signing("new")), refused=("=1+1",))
    assert moved(was, now) == [
        "offer =1+1 refused (was 12 IT MW colocation at Sharon from 2028Q1)",
        "offer gone no longer on the table (was 12 IT MW colocation at Sharon from 2028Q1)",
        "offer kept: at Magog instead of Sharon, 12 -> 10 IT MW",
        "offer later signed: 12 IT MW colocation at Sharon from 2028Q1",
        "offer new, not on the table before, signed: 12 IT MW colocation at Sharon from 2028Q1",
    ]


def test_wind_down_machines_and_debt() -> None:
    was = Decisions((), (), mining={"A": "2027Q4", "B": "2026Q4"}, drawn={"notes": 10.0, "loan": 5.0})
    now = Decisions(
        (), (), mining={"A": "2027Q1", "C": "2026Q4"}, machines={("S21", "sold"): 6.0}, drawn={"loan": 5.01}
    )
    assert moved(was, now) == [
        "A mines to 2027Q1 (was to 2027Q4)",
        "B does not mine (was to 2026Q4)",
        "C mines to 2026Q4 (did not mine)",
        "S21 machines: 6 gross MW sold (was 0)",
        "notes: $0.0M drawn (was $10.0M)",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_moved_megawatts_add_up(seed: int) -> None:
    """Over random starts of one hall: nothing moves against itself, and both ways tell equally many moves."""
    rng = random.Random(seed)

    def drawn() -> Decisions:
        quarters = rng.sample(["2026Q1", "2026Q4", "2027Q1", "2027Q3", "2028Q2"], rng.randint(0, 4))
        return Decisions(tuple(start(q, rng.choice([4.5, 9.0, 0.3, 12.1])) for q in sorted(quarters)), ())

    a, b = drawn(), drawn()
    assert moved(a, a) == []
    assert len(moved(a, b)) == len(moved(b, a))
    assert bool(moved(a, b)) == (a != b)
    assert (hash(a) == hash(b)) == (a == b)


def test_the_decisions_of_a_plan_are_those_of_its_tables() -> None:
    case = small_case(3)
    plan = opt.solve(case, "base")
    read = decisions_of(plan)
    assert sum(one.gross_mw for one in read.starts) == pytest.approx(plan.starts["gross_mw"].sum())
    assert [one.offer for one in read.signed] == sorted(plan.contracts["offer"])
    assert len(read.refused) + len(read.signed) == len(case.offers)
    assert set(read.mining) == set(plan.allocation[plan.allocation["use"] == "mining"]["site"])
    assert len(read.each()) == len(read.starts) + len(read.signed)
    assert moved(read, read) == []
