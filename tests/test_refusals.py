"""Why a decision is never taken: the rules it clashes with are those without which it could be."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import mining_case
from small_cases import scenario_of, small_case, tiny_case

import optimizer as opt
from optimizer.case.case import Case
from optimizer.questions.conflicts.refusals import refusal
from optimizer.questions.studies.breakevens import breakevens, turns_of

LEASE, HALL = "lease", "north hall"


def why(case: Case, offer: str = LEASE, **asked: Any) -> str:
    return refusal(case, case.scenarios[0].scenario, **({"offer": offer} | asked))


def test_what_could_be_signed_is_refused_by_no_rule() -> None:
    assert why(mining_case()) == ""
    assert why(mining_case(), offer="", option=HALL) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"capex_budget_musd": 1}, "capex within the horizon is at most $1M."),
        ({"budget_years": [{"year": y, "capex_budget_musd": 0.5} for y in range(2026, 2031)]}, "capex in 20"),
        ({"max_it_mw_under_construction": 1}, "IT MW"),
        ({"max_blocks_under_construction": 0}, "under construction"),
    ],
    ids=["budget", "budget of a year", "MW under construction", "blocks under construction"],
)
def test_the_rule_that_refuses_is_named(changes: dict[str, Any], said: str) -> None:
    case = mining_case().replace(**changes)
    assert said in why(case)
    assert said in why(case, offer="", option=HALL) or "budget_years" in changes


@pytest.mark.parametrize(
    ("cash", "said"),
    [(30, "It cannot be, since cash at the end of a quarter is at least $29M (202"),
     (20, "It cannot be, since the bank account is never overdrawn (202")],
)  # fmt: skip
def test_a_rule_on_cash_is_named_with_its_quarter(cash: float, said: str) -> None:
    """A hall of $24M, no loan, and $1M above the minimum; of the smaller cash not even the whole would do."""
    assert why(tiny_case(opening_cash_musd=cash, minimum_cash_musd=cash - 1)).startswith(said)


def test_a_window_before_any_hall_is_ready_is_told() -> None:
    case = mining_case()
    early = [row.model_dump() | {"window_first": case.first, "window_last": case.first} for row in case.offers]
    told = why(case.replace(offers=early))
    assert told == f"It cannot be: no hall of colo can serve it at north from {case.first} to {case.first}."


def test_breakevens_tell_what_refuses_an_offer_at_every_rent() -> None:
    plan = opt.solve(mining_case().replace(capex_budget_musd=1))
    [told] = [words for words in breakevens(plan, turns_of(plan, offers=[LEASE])).words if words.startswith(LEASE)]
    assert told.endswith("It cannot be, since capex within the horizon is at most $1M.")
    assert "refused at every rent" in told


def test_an_offer_that_is_only_worth_too_little_is_told_so() -> None:
    case = tiny_case(discount_rates={"corporate": 0.1})
    cheap = [row.model_dump() | {"price": 1.0} for row in case.offer_prices]
    plan = opt.solve(case.replace(offer_prices=cheap))
    [told] = [words for words in breakevens(plan, turns_of(plan, offers=[LEASE])).words if words.startswith(LEASE)]
    assert told.endswith("It could be, and is not worth it even there.")


@pytest.mark.parametrize("seed", range(8))
def test_what_some_plan_signs_is_refused_by_no_rule(seed: int) -> None:
    """And where a rule is named, it is one that the solver finds no plan without breaking: the offer is not signed."""
    case, scenario = small_case(seed), scenario_of(seed)
    try:
        signed = set(opt.solve(case, scenario).contracts["offer"])
    except opt.Infeasible:
        return
    signed -= {row.offer for row in case.committed_contracts}
    told = {offer: refusal(case, scenario, offer=offer) for offer in signed}
    assert not [name for name in signed if told[name]]
