"""Relations that the model must keep, each on a few random cases; `metamorphic.py` is the campaign."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import metamorphic
import pytest
from relations import RELATIONS, Relation
from tiny_cases import tiny_case
from worth import Base, Worth, equal, no_more

from optimizer.business import ties
from optimizer.business.lines import LINES
from optimizer.business.ports import Streams
from optimizer.business.rows import SKIP
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible
from optimizer.ground.quarters import Quarter

slow = pytest.mark.campaign

FEWEST = 30
"""Relations of the list of 40 that are tried at least."""
QUICK = 2
TRIED = 60
"""Cases after which a relation that has made no claim is taken to have lost its meaning."""


def solvable(begin: int) -> Iterator[tuple[int, Base]]:
    """Cases that have a plan, by seed."""
    for seed in count(begin):
        base = Base(tiny_case(seed))
        try:
            assert base.worth.low <= base.worth.high + base.worth.slack
        except Infeasible:
            continue
        yield seed, base


SHARED: dict[int, Base] = {}


def shared_cases() -> Iterator[tuple[int, Base]]:
    """The same few cases for every relation, solved once; further ones where a relation does not apply."""
    yield from SHARED.items()
    for seed, base in solvable(max(SHARED, default=20_000) + 1):
        SHARED[seed] = base
        yield seed, base


@pytest.mark.parametrize("name", RELATIONS)
def test_relation_holds(name: str) -> None:
    made = 0
    for seed, base in islice(shared_cases(), TRIED):
        record = metamorphic.tried(base, name, seed)
        assert "failed" not in record, f"seed {seed}: {record['failed'][0]}"
        made += record["claims"] > 0
        if made == QUICK:
            return
    pytest.fail(f"of {TRIED} cases {made} can be asked this; the last one says {record.get('refused', 'nothing')}")


@pytest.mark.core
def test_thirty_of_the_relations_are_tried() -> None:
    assert len({name[:11] for name in RELATIONS}) == len(RELATIONS) >= FEWEST


@pytest.mark.core
def test_a_claim_fails_only_where_intervals_lie_apart() -> None:
    loose, tight = Worth(10.0, 12.0), Worth(11.0, 11.0)
    assert equal(loose, tight, "").holds
    assert no_more(loose, tight, "").holds and no_more(tight, loose, "").holds
    assert not equal(Worth(10.0, 10.9), tight, "").holds
    assert not no_more(Worth(11.1, 12.0), tight, "").holds


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("relation_11_nothing_is_worth_more", -0.5),
        ("relation_12_integers_fixed", 1e-5),
        ("relation_25_the_calendar_four_years_on", -1e-5),
        ("relation_36_other_settings", -1e-5),
    ],
)
def test_a_wrong_value_breaks_relations(name: str, wrong: float) -> None:
    """A solver that tells a value wrong by a little is caught without a second solver."""
    relation: Relation = RELATIONS[name]
    for seed, solved in solvable(30_000):
        value = solved.worth.low + wrong * max(1.0, abs(solved.worth.low))
        solved.answer = replace(solved.answer, value=value, bound=value)
        del solved.worth
        assert any(not claim.holds for claim in relation(solved, random.Random(seed)))
        return


def mobilisation_too_dear(patch: pytest.MonkeyPatch) -> None:
    """A sum of money that forgot its unit: $0.1M more each time, whatever the scale."""
    pay = Streams.pay

    def dearer(self: Streams, line: str, *rest: Any, **more: Any) -> None:
        *others, amounts = rest
        if line == "mobilisation":
            amounts = [musd - 0.1 for musd in amounts]
        pay(self, line, *others, amounts, **more)

    patch.setattr(Streams, "pay", dearer)


def discounted_from_the_quarters_start(patch: pytest.MonkeyPatch) -> None:
    """Discounting half a quarter too little."""
    discounts = Streams.discounts
    patch.setattr(Streams, "discounts", lambda self, stream: discounts(self, stream) * 1.01)


def twins_must_differ(patch: pytest.MonkeyPatch) -> None:
    """A tie-break that cuts plans: the first of two twins must be used, and used more."""
    in_order = ties._in_order

    def strictly(*told: Any) -> object:
        row = in_order(*told)
        return row if row is SKIP else row.args[0] + 1 <= row.args[1]  # type: ignore[attr-defined]

    patch.setattr(ties, "_in_order", strictly)


def interest_is_value(patch: pytest.MonkeyPatch) -> None:
    """Interest, on loans and on cash, taken off flows that are already discounted at a hurdle rate."""
    for name in ("interest", "cash_interest"):
        patch.setitem(LINES, name, replace(LINES[name], in_value=True))


def residual_counts_from_the_end(patch: pytest.MonkeyPatch) -> None:
    """A hall is worth the same whenever the horizon ends, and loses worth from there."""

    def from_the_end(self: Case, product: str, quarter: Quarter) -> float:
        left = 1 - (quarter - self.last - 1) / 120
        return self.product[product].residual_musd_per_it_mw * max(0.0, left)

    patch.setattr(Case, "residual_musd_per_it_mw", from_the_end)


def residual_for_what_is_free_on_the_last_day(patch: pytest.MonkeyPatch) -> None:
    """What a lease holds at the horizon's end is worth nothing, ever."""

    def on_the_last_day(self: Case, product: str, quarter: Quarter) -> float:
        return self.product[product].residual_musd_per_it_mw if quarter == self.last + 1 else 0.0

    patch.setattr(Case, "residual_musd_per_it_mw", on_the_last_day)


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (interest_is_value, "relation_41_interest_on_cash"),
        (residual_counts_from_the_end, "relation_53_a_longer_horizon"),
        (residual_for_what_is_free_on_the_last_day, "relation_54_a_lease_a_quarter_longer"),
        (mobilisation_too_dear, "relation_02_all_money_scaled"),
        (twins_must_differ, "relation_23_twins"),
        pytest.param(mobilisation_too_dear, "relation_04_all_megawatts_and_lump_sums_scaled", marks=slow),
        pytest.param(discounted_from_the_quarters_start, "relation_15_cheaper_halls", marks=slow),
    ],
)
def test_a_planted_fault_breaks_a_relation(
    plant: Callable[[pytest.MonkeyPatch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    for seed, base in islice(solvable(40_000), 25):
        if any(not claim.holds for claim in RELATIONS[name](base, random.Random(seed))):
            return
    pytest.fail(f"{name} does not see it")


@slow
def test_relations_hold_campaign(tmp_path: Path) -> None:
    """Each relation on 500 cases, in the folder that CAMPAIGN_RECORDS names, if it does."""
    folder = Path(os.environ.get("CAMPAIGN_RECORDS", tmp_path)) / "metamorphic"
    records = metamorphic.run(folder)
    assert metamorphic.failures(records) == []
    on = metamorphic.applied(records)
    assert [name for name in RELATIONS if on[name] < metamorphic.CASES] == []
