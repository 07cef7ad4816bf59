"""Rates of return: every rate that flows have is found, by the program and, by another way, by its audit."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import optimizer as opt
from optimizer.auditors.kpis import _falls_once
from optimizer.plan.returns import HIGHEST, LOWEST, Rate, programme_rates, rates, the_return
from optimizer.telling.board.figures import Source
from optimizer.telling.board.ledger import Ledger
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.subjects.decision import return_cards
from optimizer.telling.summary import print_summary


def flows_with(yearly: Sequence[float], first: float = -1.0) -> np.ndarray:
    """Quarterly flows, $M, whose worth in x = (1 + rate)^(-1/4) is the product of (x - root) over the planted rates."""
    flows = np.array([1.0])
    for rate in yearly:
        flows = np.convolve(flows, [-((1 + rate) ** -0.25), 1.0])
    return flows * np.sign(first) / np.sign(flows[0]) * 1e3 / np.abs(flows).min()


def found(flows: np.ndarray) -> tuple[Rate, ...]:
    return rates(flows, (np.arange(len(flows)) + 0.5) / 4)


def by_audit(flows: np.ndarray) -> bool | None:
    return _falls_once({2 * t + 1: Decimal(float(musd)) for t, musd in enumerate(flows) if musd})


@pytest.mark.parametrize(
    "planted", [(0.3,), (0.1, 0.3), (0.101, 0.105, 0.3), (-0.5, -0.4, 0.02, 1.0), (0.1, 0.1001), (-0.89, 9.9), ()]
)
def test_planted_rates_are_all_found(planted: tuple[float, ...]) -> None:
    flows = flows_with(planted, 1.0)
    told = found(flows)
    assert [rate.yearly for rate in told] == pytest.approx(list(planted), abs=1e-6)
    turns = [rate.turn for rate in told]
    assert all(one != other for one, other in pairwise(turns)), "falls and rises take turns"
    assert by_audit(flows) is (turns == ["falls"])


def test_rates_of_ten_and_a_half_percent_beside_thirty_are_three() -> None:
    """Looked for in steps of two percent they were one: what changes sign twice within a step seemed not to."""
    flows = -flows_with((0.101, 0.105, 0.3), 1.0)
    assert [round(rate.yearly, 6) for rate in found(flows)] == [0.101, 0.105, 0.3]
    assert the_return(found(flows)) is None
    assert by_audit(flows) is False


APART = 0.004


def far_apart(yearly: list[float]) -> bool:
    return all(high - low > APART for low, high in pairwise(sorted(yearly)))


@settings(max_examples=60, deadline=None)
@given(
    planted=st.lists(st.floats(-0.6, 3.0), max_size=4).filter(far_apart),
    never=st.lists(st.tuples(st.floats(0.5, 1.2), st.floats(0.3, 3.0)), max_size=3),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_program_and_audit_find_the_planted_rates(
    planted: list[float], never: list[tuple[float, float]], sign: float
) -> None:
    """Beside the planted rates stand pairs of complex ones, which are no rates: (x - a)^2 + b^2."""
    flows = flows_with(planted, sign)
    for real, imaginary in never:
        flows = np.convolve(flows, [real**2 + imaginary**2, -2 * real, 1.0])
    flows = flows * 1e3 / np.abs(flows[flows != 0]).min()
    told = found(flows)
    assert [rate.yearly for rate in told] == pytest.approx(sorted(planted), abs=1e-4)
    assert by_audit(flows) is (the_return(told) is not None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=60))
def test_program_and_audit_agree_on_any_flows(whole: list[int]) -> None:
    flows = np.array(whole, dtype=float)
    told = the_return(found(flows)) is not None
    assert by_audit(flows) in (told, None)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=25))
def test_rates_are_the_roots_that_numpy_finds(whole: list[int]) -> None:
    flows = np.array(whole, dtype=float)
    assert [rate.yearly for rate in found(flows)] == pytest.approx(list(_roots(flows)), abs=1e-6)


def _roots(flows: np.ndarray) -> Iterator[float]:
    """Real roots of odd order, well inside the range and well apart from others; hypothesis drops the rest."""
    from hypothesis import assume

    roots = np.roots(flows[::-1])
    real = [root for root in roots if abs(root.imag) < 1e-9 and root.real > 0]
    assume(not any(1e-9 <= abs(root.imag) < 1e-3 for root in roots if root.real > 0))
    assume(all(min([abs(root - other) for other in roots if other is not root], default=1.0) > 1e-3 for root in real))
    yearly = sorted(float(root.real) ** -4 - 1 for root in real)
    assume(not any(abs(rate - end) < 1e-3 for rate in yearly for end in (LOWEST, HIGHEST)))
    yield from (rate for rate in yearly if LOWEST < rate < HIGHEST)


def test_a_rate_that_is_only_touched_is_a_rate() -> None:
    """(x - 3/4)^2 * (5/6 - x), whole numbers: worth nothing at 1.0736 and 2.1605 a year, and turns at the latter."""
    flows = np.convolve(np.convolve([-3.0, 4.0], [-3.0, 4.0]), [5.0, -6.0])
    told = found(flows)
    assert [(round(rate.yearly, 4), rate.turn) for rate in told] == [(1.0736, "rises"), (2.1605, "touches")]
    assert [rate.turn for rate in found(-flows)] == ["falls", "touches"]
    assert the_return(found(-flows)) is None
    assert by_audit(-flows) is None


def test_less_than_a_dollar_is_no_flow() -> None:
    """At -90% a year a thousandth of a cent in forty years would outweigh a plant today."""
    flows = np.zeros(161)
    flows[[0, 8, 160]] = -100, 110, -1e-7
    assert [round(rate.yearly, 6) for rate in found(flows)] == [round(1.1**0.5 - 1, 6)]
    flows[160] = -1e-3
    assert len(found(flows)) == 2


# ---- told ------------------------------------------------------------------------------------------------------


def with_programme(plan: opt.Plan, flows: np.ndarray) -> opt.Plan:
    """The plan, beside a do-nothing plan that lacks just these flows."""
    rows = [
        {"scenario": plan.scenario, "line": "rent", "business": "colocation", "site": "north",
         "quarter": str(plan.case.first + t), "musd": -musd}
        for t, musd in enumerate(flows)
    ]  # fmt: skip
    nothing = dict(plan.tables)
    nothing["cash_flow"] = pd.concat([plan.tables["cash_flow"], pd.DataFrame(rows)])
    return replace(plan, nothing=nothing, kpis={**plan.kpis, "unlevered_return": None})


def summary_of(plan: opt.Plan) -> str:
    out = io.StringIO()
    print_summary(plan, Console(width=200, file=out))
    return out.getvalue()


def test_several_rates_are_told_as_several(plan: opt.Plan) -> None:
    told = with_programme(plan, -flows_with((0.101, 0.105, 0.3), 1.0))
    assert the_return(programme_rates(told.case, told.tables, told.nothing)) is None
    line = next(line for line in summary_of(told).splitlines() if "Return of the programme" in line)
    assert " several " in line and "10.1%, 10.5% and 30.0%, none alone" in line
    pack = Pack(Source(told), Ledger(), opt.audit(told.case, plan))
    assert "several" in [big for big, _ in return_cards(pack)]
    assert told.missing("unlevered_return") == "several"
    assert told.missing("cash_cost_usd_per_btc") == "none"


def test_a_rate_at_which_money_came_first_is_none(plan: opt.Plan) -> None:
    told = with_programme(plan, flows_with((0.2,), 1.0))
    assert len(told.programme_rates) == 1
    assert told.missing("unlevered_return") == "none"
