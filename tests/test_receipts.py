"""Receipts: a number in a document must be the plan's, at the decimals shown, and none may be lost or added."""

from __future__ import annotations

import math
from functools import cache

import pytest
from shared import shipped, solved_once

import optimizer as opt
from optimizer.ground.errors import PlanError
from optimizer.telling.board.keys import Key, Reckoned, at, kpi
from optimizer.telling.board.receipts import Receipts, adds_up

pytestmark = pytest.mark.core


@cache
def plan() -> opt.Plan:
    return solved_once(shipped("washington_2025"))


def ledger() -> Receipts:
    return Receipts({plan().run_id: plan()})


def test_keys_reach_every_room_of_a_plan() -> None:
    """Sums over rows, figures, settings, inputs and the plan that decides nothing, each against pandas."""
    book, cash = ledger(), plan().cash
    assert book.worth(kpi("value_musd")) == plan().value_musd
    assert book.worth(at("cash", "closing_musd", quarter=cash["quarter"].iloc[3])) == cash["closing_musd"].iloc[3]
    assert book.worth(at("cash", "closing_musd", "min")) == cash["closing_musd"].min()
    assert book.worth(at("cash_flow", "musd", line="rent")) == pytest.approx(
        plan().cash_flow.query("line == 'rent'")["musd"].sum(), rel=1e-12
    )
    assert book.worth(Key("settings", "discount_rates/mining")) == plan().case.settings.discount_rates["mining"]
    assert book.worth(Key("settings", "first_quarter")) == int(plan().case.first)
    assert book.worth(at("inputs/sites", "site", "count")) == len(plan().case.sites)
    assert plan().nothing is not None
    assert book.worth(at("nothing/cash", "net_musd")) == pytest.approx(plan().nothing["cash"]["net_musd"].sum())
    over = Reckoned("less", (kpi("value_musd"), kpi("do_nothing_value_musd")))
    assert book.worth(over) == pytest.approx(plan().kpis["value_over_do_nothing_musd"], abs=1e-9)


def test_what_was_written_must_be_what_the_plan_holds() -> None:
    """A digit altered at the decimals shown, a number lost and a number added are each told; rounding is not."""
    book = ledger()
    book.put("slide 1", round(plan().value_musd, 1), kpi("value_musd"), 1)
    said = book.receipts[0].shown
    assert not book.check({"slide 1": [said]})
    assert any("stands for nothing" in wrong for wrong in book.check({"slide 1": [said + 0.1]}))
    assert any("not found again" in wrong for wrong in book.check({}))
    assert any("stands for nothing" in wrong for wrong in book.check({"slide 1": [said, 7.0]}))
    book.put("slide 2", plan().value_musd + 0.06, kpi("value_musd"), 1)
    wrong = book.check({"slide 1": [said], "slide 2": [plan().value_musd + 0.06]})
    assert len(wrong) == 1
    assert "where the plan holds" in wrong[0]


def test_a_number_that_is_missing_is_refused() -> None:
    book = ledger()
    with pytest.raises(PlanError, match="no number"):
        book.worth(kpi("cash_cost_usd_per_btc"))
    with pytest.raises(PlanError, match="no number"):
        book.put("slide 1", math.nan, kpi("value_musd"), 1)


def test_rounded_parts_that_do_not_add() -> None:
    assert adds_up([1.24, 2.24], 3.48, 2)
    assert not adds_up([1.24, 2.24], 3.48, 1)
