"""Figures: one definition each, and words that cannot be misread."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import tiny_cases
from shared import solved_once
from small_cases import scenario_of, small_case
from told_cases import committed_case

import optimizer as opt
from optimizer.auditors import audit
from optimizer.business.lines import LINES, discount_factor, rate_of_line
from optimizer.ground.amounts import TIE_MUSD, highest, lowest, margin_musd, margin_words, share_words
from optimizer.ground.errors import Infeasible
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import FIGURES, figures_of, sales_and_delays
from optimizer.plan.figures.contracts import contracts_of
from optimizer.plan.figures.money import contract_flows, value_in_options
from optimizer.plan.folder import load_plan, save_plan

# ---- words of a margin --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("musd", "told"),
    [(1.2345, "$1.234M"), (0.05, "$0.050M"), (0.001602, "$1,602"), (1e-6, "$1"), (9e-7, "under $1"), (0.0, "under $1")],
)
def test_a_margin_is_never_told_as_nothing(musd: float, told: str) -> None:
    assert margin_musd(musd) == told


def test_a_share_is_never_told_as_nothing() -> None:
    assert [share_words(share) for share in (0.0123, 1e-6, 4e-7, 0.0)] == ["1.2300%", "0.0001%", *["under 0.0001%"] * 2]
    assert margin_words(0.0016023, -1602.3) == "$1,602 (0.0001%)"


def test_the_words_of_a_proof_cannot_be_taken_for_the_plans_value(case: opt.Case) -> None:
    """A margin is told with its share, as what no plan is worth more than this one."""
    proven = opt.solve(case, prove=True)
    assert re.search(r"no plan is worth \$[\d,]+ \(0\.0\d+%\) more than this one", proven.status_words)
    assert "for a plan worth" not in proven.status_words


@pytest.mark.parametrize("gap_musd", [0.0, 3e-7, 0.002, 3.5])
def test_a_gap_is_told_in_every_size(plan: opt.Plan, gap_musd: float) -> None:
    told = replace(plan, bound_musd=plan.value_musd + gap_musd)
    assert "$0" not in told.status_words.replace("$0.0", "").replace("$0.1", "")
    assert margin_musd(told.gap_musd) in told.word


def test_folders_of_before_are_read_though_a_gap_is_told_otherwise(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    assert json.loads((folder / "plan.json").read_text())["word"] == "GAP 0.0000% ($0.000M)"
    assert load_plan(folder).word == plan.word == "GAP under 0.0001% (under $1)"


# ---- the lowest quarter -------------------------------------------------------------------------------------------


def test_quarters_that_tie_are_one_figure_and_the_first_is_told() -> None:
    assert lowest([5.0, 3.0 + 1e-9, 4.0, 3.0]) == 1
    assert lowest([5.0, 3.0 + 2 * TIE_MUSD, 4.0, 3.0]) == 3
    assert highest([1.0, 7.0 - 1e-9, 7.0]) == 1
    assert lowest([2.0]) == 0


def test_noise_in_a_later_quarter_moves_no_lowest_quarter(plan: opt.Plan) -> None:
    """The audit asks for the first quarter that ties, and refuses one that does not and one that is not the first."""
    from optimizer.plan.kpis import _lowest_quarter

    cash = plan.cash.copy()
    cash["closing_musd"] = 9.0
    cash.loc[2, "closing_musd"], cash.loc[5, "closing_musd"] = 3.0 + 1e-9, 3.0
    assert _lowest_quarter(cash, "closing_musd") == cash["quarter"][2]


@pytest.mark.parametrize(("noise", "clean"), [(1e-9, True), (0.1, False)])
def test_the_audit_takes_ties_for_what_they_are(plan: opt.Plan, noise: float, clean: bool) -> None:
    liquidity = plan.cash["liquidity_musd"]
    first = int(liquidity.idxmin())
    assert first + 1 < len(plan.cash)
    cash = plan.cash.assign(liquidity_musd=liquidity.mask(plan.cash.index == first + 1, liquidity[first] - noise))
    tables = {**plan.tables, "cash": cash}
    kpis = {**plan.kpis, "lowest_liquidity_musd": float(liquidity[first] - noise)}
    report = audit(plan.case, replace(plan, tables=tables, kpis=kpis))
    [check] = [check for check in report.checks if check.name == "key_quarters"]
    assert check.clean == clean
    assert isinstance(tables["cash"], pd.DataFrame)


# ---- the room -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def told() -> opt.Plan:
    """A plan with commitments, sales, lateness, debt and tenants' money."""
    return opt.solve(committed_case())


BESIDE = {"mining_on_value_musd", "value_over_mining_on_musd", "mining_on_breaks_quarter", "mining_on_short_musd"}


def test_every_figure_of_a_plan_has_one_definition(told: opt.Plan) -> None:
    room = figures_of(told)
    assert set(told.kpis) <= set(FIGURES)
    for key, definition in FIGURES.items():
        assert definition.key == key and definition.meaning.endswith(".") and definition.words
        assert definition.when in ("", *FIGURES)
        found = room[key]
        if found is None:  # where mining on is no plan it has no value, and where it is one it breaks nowhere
            assert key in BESIDE, key
            continue
        assert isinstance(found, str) == (definition.unit in ("quarter", "name")), key
        assert found == told.kpis.get(key, found)
    words = [definition.words for definition in FIGURES.values()]
    assert len(set(words)) == len(words)


def test_new_and_committed_capex_are_told_apart(told: opt.Plan) -> None:
    """Of 8 IT MW at $3M 0.7 are still to be paid; doing nothing spends that and nothing else."""
    room = figures_of(told)
    assert room["capex_committed_musd"] == pytest.approx(16.8) == pytest.approx(told.nothing["capex"]["musd"].sum())
    assert room["capex_new_musd"] == pytest.approx(5 * 3)
    assert room["capex_musd"] == pytest.approx(16.8 + 15)
    assert room["tenant_advances_musd"] == pytest.approx(2.0)
    assert (room["new_gross_mw"], room["committed_gross_mw"]) == (7.0, 12.0)


def test_a_customers_part_is_that_of_the_rule(told: opt.Plan) -> None:
    room = figures_of(told)
    rent = told.cash_flow[(told.cash_flow["line"] == "rent") & (told.cash_flow["quarter"] == "2028Q2")]["musd"].sum()
    assert (room["largest_customer"], room["largest_customer_quarter"]) == ("Ada", "2028Q2")
    assert room["largest_customer_share"] == pytest.approx(3.6 / rent)
    assert room["all_rent_musd"] == pytest.approx(rent)


def test_a_customer_that_is_at_the_cap_is_told_at_the_cap() -> None:
    capped = opt.solve(committed_case(max_customer_share=0.6, max_customer_share_from="2027Q4"))
    assert figures_of(capped).number("largest_customer_share") <= 0.6 + 1e-9


def test_what_is_sold_and_late_is_told(told: opt.Plan) -> None:
    assert [f"{one.verb} {one.text}" for one in sales_and_delays(figures_of(told))] == [
        "Sell 40 BTC of the treasury in 2027Q1 for $4.0M",
        "Sell 41 gross MW of machines from 2027Q1 to 2028Q2 for $6.4M (41 miner)",
        "Deliver late: Berta (anchor), for 1 quarter in 2027Q2, at $0.4M of damages",
    ]


def test_btc_sold_by_foresight_are_told_so(told: opt.Plan) -> None:
    """Where mined BTC may be kept for a better price, the sentence says what that assumes; elsewhere it does not."""
    free = replace(told, case=told.case.replace(btc_rule="free", btc_schedule=()))
    for plan, assumes in ((free, True), (told, False)):
        sold = sales_and_delays(figures_of(plan))[0]
        assert sold.text.endswith("which assumes that the price path is known") == assumes
        assert sold.text.startswith("40 BTC of the treasury in 2027Q1 for $4.0M")


def test_a_value_at_another_date_has_grown(told: opt.Plan) -> None:
    room = figures_of(told)
    assert room["value_musd@2028Q1"] == pytest.approx(told.value_musd * 1.08)
    assert room["lowest_liquidity_quarter@2028Q1"] == room["lowest_liquidity_quarter"]


def worth_of(plan: opt.Plan, offer: str, group: str = "") -> float:
    """Present value of what a contract brings on all lines, or on those of a group: margin, lent money, residual."""
    after = plan.after_horizon[plan.after_horizon["source"] == offer]
    worth = [(row.line, row.musd * row.factor) for row in after.itertuples()]
    for row in plan.cash_flow[plan.cash_flow["source"] == offer].itertuples():
        rate = rate_of_line(plan.case, row.line, row.business)
        worth.append((row.line, row.musd * discount_factor(rate, Quarter.parse(row.quarter) - plan.case.first)))
    return sum(musd for line, musd in worth if LINES[line].in_value and group in ("", LINES[line].group))


def ties(plan: opt.Plan) -> None:
    """What the room reckons is what the plan's own tables hold."""
    room, flows = figures_of(plan), plan.cash_flow
    signed = contracts_of(plan)
    rent = flows[flows["line"] == "rent"].groupby("quarter")["musd"].sum()
    for t in plan.case.horizon:
        assert sum(one.rent(t) for one in signed) == pytest.approx(rent.get(str(t), 0.0), abs=1e-6)
    later = plan.after_horizon[plan.after_horizon["line"] == "rent"]
    for one in signed:
        for row in later[later["source"] == one.row.offer].itertuples():
            assert one.rent(Quarter.parse(row.quarter)) == pytest.approx(row.musd, abs=1e-6)
    worth = {name: dict.fromkeys(plan.contracts["offer"], 0.0) for name in ("cash_flow", "after_horizon")}
    for name, held in worth.items():
        for offer, _, musd in contract_flows(plan.case, plan.tables, name):
            held[offer] += musd
    for row in plan.contracts.itertuples():
        assert worth_of(plan, row.offer) == pytest.approx(row.value_musd, abs=1e-5)
        earned = worth_of(plan, row.offer, "AI margin")
        assert sum(held[row.offer] for held in worth.values()) == pytest.approx(earned, abs=1e-5)
    sums = flows.groupby("line")["musd"].sum()
    assert room["machines_sold_musd"] == pytest.approx(sums.get("machine_sales", 0.0), abs=1e-5)
    assert room["damages_musd"] == pytest.approx(-sums.get("damages", 0.0), abs=1e-6)
    assert room["machines_sold_gross_mw"] == pytest.approx(
        room.tables["machines_sold"]["sold_gross_mw"].sum(), abs=1e-5
    )
    share = plan.case.settings.max_customer_share
    if share is not None and room.has("largest_customer"):
        since = str(plan.case.settings.max_customer_share_from)
        if not plan.contracts.empty and (plan.contracts["decided"] == "new").all():
            assert room["largest_customer_quarter"] < since or room.number("largest_customer_share") <= share + 1e-6


def test_the_room_ties_to_the_plans_tables(told: opt.Plan) -> None:
    ties(told)


@pytest.mark.parametrize("seed", [4, 5, 6, 8])
def test_the_room_ties_to_the_tables_of_random_plans(seed: int) -> None:
    ties(opt.solve(tiny_cases.tiny_case(seed)))


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 400))
def test_the_room_ties_to_the_tables_of_many_random_plans(seed: int) -> None:
    try:
        plan = opt.solve(tiny_cases.tiny_case(seed))
    except Infeasible:
        pytest.skip("this case has no plan")
    ties(plan)


def test_options_used_within_the_horizon_are_told_apart() -> None:
    """What tenants' options add, before and after the last quarter, and the terms as signed are all of them."""
    plan = solved_once(small_case(53), scenario_of(53))
    told, room = value_in_options(plan.case, plan.tables), figures_of(plan)
    delivered = dict(zip(plan.contracts["offer"], map(Quarter.parse, plan.contracts["delivery_quarter"]), strict=True))
    signed = {offer: plan.case.term_end(offer, quarter) for offer, quarter in delivered.items()}
    flows = [flow for name in told for flow in contract_flows(plan.case, plan.tables, name)]
    as_signed = sum(worth for offer, quarter, worth in flows if quarter <= signed[offer])
    earned = sum(worth_of(plan, offer, "AI margin") for offer in plan.contracts["offer"])
    assert sum(told.values()) + as_signed == pytest.approx(earned, abs=1e-5)
    assert min(told.values()) > 1
    assert plan.nothing is not None
    without = value_in_options(plan.case, plan.nothing)
    for key, name in (("options_within_over_do_nothing_musd", "cash_flow"),
                      ("options_over_do_nothing_musd", "after_horizon")):  # fmt: skip
        assert room[key] == pytest.approx(told[name] - without[name], abs=1e-9)
