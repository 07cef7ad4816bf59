"""Planted conflicts: the smallest set is named, and the least way out is what sums or plain re-solves say it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

import pytest
from conftest import mining_case
from hand_cases import facility as loan
from pyomo.environ import Constraint, Objective, maximize
from small_cases import scenario_of, small_case, tiny_case

import optimizer as opt
from optimizer.business.model import build_model, build_rules
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible, NoPlan, SolverFault
from optimizer.ground.findings import InputError
from optimizer.questions.conflicts import Conflict, WayOut, explain, trials
from optimizer.questions.conflicts.rulebook import rulebook
from optimizer.questions.conflicts.search import Solve
from optimizer.solver import SolverOptions
from optimizer.solver.models import solve_model

TOLERANCE = 1e-6
WANTED = 200
SEEDS = range(20)


# ---- what is known without the module under test ----------------------------------------------------------------


def possible(case: Case | None, scenario: str = "base") -> bool:
    """Whether the whole model has a plan, plainly asked; a solver that cannot tell on the very edge says no."""
    if case is None:
        return False
    m = build_model(case, scenario)
    m.value.deactivate()
    m.anything = Objective(expr=0.0, sense=maximize)
    try:
        solve_model(m, SolverOptions())
    except (Infeasible, SolverFault):
        return False
    return True


def changed(case: Case, **changes: Any) -> Case | None:
    try:
        return case.replace(**changes)
    except InputError:
        return None


def edge(knob: Callable[[float], bool], good: float, bad: float, exact: float) -> float:
    """The last value, coming from `good`, at which something is still possible, by halving."""
    while abs(good - bad) > exact:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if knob(middle) else (good, middle)
    return good


def rows(case: Case, table: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(row.model_dump() for row in case.rows(table)), *more]


def without(case: Case, rule: str, of: str) -> Case | None:
    """The case with one rule taken out of its inputs; None for a rule that no input holds."""
    match rule:
        case "capex_budget":
            return case.replace(capex_budget_musd=90_000)
        case "capex_budget_of_a_year":
            return case.replace(budget_years=[row for row in case.budget_years if str(row.year) != of])
        case "blocks_under_construction":
            return case.replace(max_blocks_under_construction=None)
        case "it_mw_under_construction":
            return case.replace(max_it_mw_under_construction=None)
        case "use_floor" | "use_ceiling":
            kept = [row for row in rows(case, "use_limits") if row["policy"] != of]
            here = next(row for row in rows(case, "use_limits") if row["policy"] == of)
            other = {"use_floor": "max_mw", "use_ceiling": "min_mw"}[rule]
            gone = {"min_mw": None, "max_mw": None} | {other: here[other]}
            return case.replace(use_limits=[*kept, here | gone] if here[other] is not None else kept)
        case "minimum_liquidity":
            return case.replace(minimum_cash_musd=0)
        case "cash_never_negative":
            return case.replace(opening_cash_musd=case.settings.opening_cash_musd + 50_000)
        case "owed_at_the_end":
            return case.replace(end_coverage=1e6)
        case "btc_sold_at_most":
            return case.replace(max_btc_sales_per_quarter=None)
        case "customer_share":
            return case.replace(max_customer_share=None, max_customer_share_from=None)
        case "minimum_cash_of_a_facility" | "debt_service_cover":
            gone = {"minimum_cash_musd": None} if rule.startswith("min") else {"dscr": None, "dscr_from": None}
            return case.replace(
                facilities=[row | gone if row["facility"] == of else row for row in rows(case, "facilities")]
            )
        case "site_power":
            return case.replace(
                site_limits=[
                    row | {"limit_gross_mw": 5000.0} if row["site"] == of else row for row in rows(case, "site_limits")
                ]
            )
        case "grid_group_power":
            kept = [row for row in rows(case, "grid_groups") if row["group"] != of]
            limits = [row for row in rows(case, "grid_group_limits") if row["group"] != of]
            return case.replace(grid_groups=kept, grid_group_limits=limits)
        case "loan_to_cost":
            gone = {"loan_to_cost": None}
            return case.replace(
                facilities=[row | gone if row["facility"] == of else row for row in rows(case, "facilities")]
            )
        case "exclusive_group":
            return case.replace(
                offers=[
                    row | {"exclusive_group": None} if row["exclusive_group"] == of else row
                    for row in rows(case, "offers")
                ]
            )
        case "prerequisite":
            kept = [row for row in rows(case, "prerequisites") if f"{row['offer']} needs {row['requires']}" != of]
            return case.replace(prerequisites=kept)
        case "committed_start":
            left = [row for row in case.committed_starts if f"{row.option} in {row.quarter}" != of]
            return case.replace(committed_starts=left)
        case "wind_down":
            if not of:
                return case.replace(mining_ends=None)
            sites = [row | {"mining_ends": None} if row["site"] == of else row for row in rows(case, "sites")]
            return case.replace(sites=sites)
    return None


# ---- what is asked of every conflict ------------------------------------------------------------------------------


def solve(case: Case, scenario: str, seconds: float) -> opt.Plan:
    return opt.solve(case, scenario, gap=1e-3, time_limit=seconds)


@dataclass(frozen=True)
class Best:
    value_musd: float
    bound_musd: float


def best(case: Case, scenario: str, seconds: float) -> Best:
    """The same without do-nothing, tables and audit: quicker, for many."""
    answer = solve_model(build_model(case, scenario), SolverOptions(gap=1e-3, time_limit=seconds))
    return Best(answer.value, answer.bound)


def told(case: Case, scenario: str = "base", again: Solve = best) -> Conflict:
    conflict = explain(case, scenario, again, time_limit=600)
    assert conflict is not None
    return conflict


def named(conflict: Conflict) -> set[tuple[str, str]]:
    return {(member.rule, member.of) for member in conflict.members}


def by_lever(conflict: Conflict, lever: str, of: str = "") -> WayOut:
    """The way out in which only this lever is pulled."""
    ways = [w for w in conflict.ways if [c.lever for c in w.changes] == [lever] and of in (w.changes[0].of, "")]
    assert ways, conflict.report()
    return ways[0]


def least(conflict: Conflict, lever: str, of: str = "") -> float:
    return by_lever(conflict, lever, of).changes[0].least


def hold_up(conflict: Conflict, case: Case, scenario: str = "base") -> None:
    """The set is irreducible, as plain solves of changed inputs see it."""
    assert conflict.irreducible, conflict.report()
    assert not conflict.untried, conflict.report()
    assert not possible(case, scenario)
    alone = only(case, named(conflict))
    for member in conflict.members:
        freed = None if alone is None else without(alone, member.rule, member.of)
        if freed is not None:
            assert possible(freed, scenario), f"still impossible without {member.words}\n{conflict.report()}"


def only(case: Case, kept: set[tuple[str, str]]) -> Case | None:
    """The case with every rule but these taken out of its inputs; None where no input holds one of them."""
    for rule in rulebook(case):
        if rule.key not in kept and rule.name != "it_capacity":
            freed = without(case, *rule.key)
            if freed is None:
                return None
            case = freed
    return None if case.committed_contracts and not {rule for rule, _ in kept} & {"it_capacity"} else case


# ---- sums on the tiny case -------------------------------------------------------------------------------------------


def floor(mw: float, site: str = "north", first: str = "2027Q3", **more: Any) -> dict[str, Any]:
    row = {"policy": "AI floor", "use": "colo", "site": site, "first": first, "last": "2028Q2", "basis": "it_mw"}
    return row | {"min_mw": mw, "max_mw": None} | more


@pytest.mark.core
def test_a_budget_too_small_for_a_floor() -> None:
    """The north's block of 8 IT MW costs $24M. A model that counts gross MW would ask for $36M."""
    case = tiny_case(use_limits=[floor(8)], capex_budget_musd=20.37)
    conflict = told(case, "base", solve)
    assert named(conflict) == {("capex_budget", ""), ("use_floor", "AI floor")}
    assert least(conflict, "capex_budget_musd") == pytest.approx(24 - 20.37, abs=TOLERANCE)
    assert least(conflict, "use_limits.min_mw", "AI floor") == pytest.approx(8, abs=TOLERANCE)
    assert by_lever(conflict, "capex_budget_musd").case.settings.capex_budget_musd == pytest.approx(20.37 + 3.7)
    hold_up(conflict, case)


def test_a_budget_of_one_year() -> None:
    """70% of the block's $24M fall into the quarter after its start.

    A floor from 2027Q3 needs the start in 2027Q1, and so $24M in 2027; begun three quarters later, none.
    """
    case = tiny_case(use_limits=[floor(8)], budget_years=[{"year": 2027, "capex_budget_musd": 7.5}])
    conflict = told(case)
    assert named(conflict) == {("capex_budget_of_a_year", "2027"), ("use_floor", "AI floor")}
    assert least(conflict, "budget_years.capex_budget_musd", "2027") == pytest.approx(16.5, abs=TOLERANCE)
    assert least(conflict, "use_limits.first", "AI floor") == 3
    hold_up(conflict, case)


@pytest.mark.parametrize(("low", "high"), [(7.3, 7.9), (0.4, 2.2)])
def test_a_conflict_that_only_whole_blocks_make(low: float, high: float) -> None:
    """Blocks of 5 gross MW, a floor of 7.3 and a ceiling of 7.9: as an LP one and a half blocks would do."""
    limits = [floor(low, basis="gross_mw"), floor(0, policy="AI ceiling", basis="gross_mw", min_mw=None, max_mw=high)]
    case = tiny_case(use_limits=limits, options={"block_gross_mw": 5, "max_blocks": 3})
    conflict = told(case)
    blocks = low // 5
    assert named(conflict) == {("use_floor", "AI floor"), ("use_ceiling", "AI ceiling")}
    assert least(conflict, "use_limits.min_mw", "AI floor") == pytest.approx(low - 5 * blocks, abs=TOLERANCE)
    assert least(conflict, "use_limits.max_mw", "AI ceiling") == pytest.approx(5 * (blocks + 1) - high, abs=TOLERANCE)
    hold_up(conflict, case)


def test_a_contract_whose_hall_the_year_cannot_pay() -> None:
    """$8M for 2027 pay 30% of the north's block in its last quarter: the lease of 2027Q4 can be served from 2028Q2 on.

    The hall is whole: a part of the lease is no easier to serve than all of it.
    """
    case = tiny_case(
        budget_years=[{"year": 2027, "capex_budget_musd": 8}],
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2027Q4", "it_mw": 8}],
    )
    conflict = told(case)
    assert named(conflict) == {
        ("committed_contract", "lease"), ("it_capacity", "colo at north"), ("capex_budget_of_a_year", "2027"),
    }  # fmt: skip
    assert {member.rule: member.kind for member in conflict.members}["it_capacity"] == "physical"
    assert least(conflict, "committed_contracts.quarter", "lease") == 2
    assert least(conflict, "committed_contracts.it_mw", "lease") == pytest.approx(8, abs=TOLERANCE)
    assert least(conflict, "budget_years.capex_budget_musd", "2027") == pytest.approx(16, abs=TOLERANCE)
    hold_up(conflict, case)


def test_miners_who_stand_where_a_hall_was_decided() -> None:
    """30 MW of grid, 12 for the block from 2027Q3 on, 20 for miners: 2 MW too many. No way out changes the grid."""
    miners = floor(20, use="mining", basis="gross_mw", policy="keep miners", first="2027Q2", last="2027Q4")
    start = {"option": "north hall", "quarter": "2027Q2", "blocks": 1}
    case = tiny_case(committed_starts=[start], use_limits=[miners])
    conflict = told(case)
    assert named(conflict) == {
        ("site_power", "north"), ("committed_start", "north hall in 2027Q2"), ("use_floor", "keep miners"),
    }  # fmt: skip
    assert least(conflict, "use_limits.min_mw", "keep miners") == pytest.approx(2, abs=TOLERANCE)
    assert least(conflict, "committed_starts.quarter", "north hall in 2027Q2") == 2
    assert least(conflict, "committed_starts.blocks", "north hall in 2027Q2") == 1
    assert "Release 2 MW of miners at north" in conflict.report()
    assert "[physical]" in conflict.report() and not any(
        change.rule == "site_power" for way in conflict.ways for change in way.changes
    )
    assert all(member.quarters for member in conflict.members if member.rule != "committed_start")
    hold_up(conflict, case)


def test_miners_and_a_hall_that_share_a_limit() -> None:
    """North and south share 30 MW, 12 of them the north's block from 2027Q3 on and 20 miners anywhere: 2 too many."""
    miners = floor(20, use="mining", basis="gross_mw", policy="keep miners", first="2027Q2", last="2027Q4")
    start = {"option": "north hall", "quarter": "2027Q2", "blocks": 1}
    groups = [{"group": "feeder", "site": site} for site in ("north", "south")]
    limit = [{"group": "feeder", "from_quarter": "2027Q1", "limit_gross_mw": 30}]
    case = tiny_case(
        committed_starts=[start], use_limits=[miners | {"site": "*"}], grid_groups=groups, grid_group_limits=limit,
        fleet=[{"site": site, "asic": "miner", "gross_mw": mw} for site, mw in (("north", 18), ("south", 12))],
    )  # fmt: skip
    conflict = told(case)
    assert named(conflict) == {
        ("grid_group_power", "feeder"), ("committed_start", "north hall in 2027Q2"), ("use_floor", "keep miners"),
    }  # fmt: skip
    assert least(conflict, "use_limits.min_mw", "keep miners") == pytest.approx(2, abs=TOLERANCE)
    assert "north and south together draw no more than the 30 gross MW that they share (feeder)" in conflict.report()
    hold_up(conflict, case)


def test_cash_that_must_come_from_somewhere() -> None:
    """$20M of cash, a block decided for $24M, a minimum of $3M: $7M are missing, more than the minimum could give."""
    case = tiny_case(
        opening_cash_musd=20, sites={"mining_cost_musd_per_gross_mw_year": 0},
        offers=[], offer_prices=[], offer_sites=[],
        committed_starts=[{"option": "north hall", "quarter": "2027Q1", "blocks": 1}],
    )  # fmt: skip
    conflict = told(case)
    assert named(conflict) == {("cash_never_negative", ""), ("committed_start", "north hall in 2027Q1")}
    assert least(conflict, "opening_cash_musd") == pytest.approx(7, abs=TOLERANCE)
    hold_up(conflict, case)


def test_a_cover_that_no_rent_reaches() -> None:
    """The lease leaves 0.9 x $4.8M a quarter, $50M of notes at 8% cost $1M: a cover of 4.32, where 5 is asked for."""
    notes = {
        "facility": "notes", "commitment_musd": 50, "drawn_musd": 50, "available_first": None,
        "available_last": None, "maturity": "2031Q1", "base_rate": None, "margin": 0.08, "upfront_fee": 0,
        "undrawn_fee": 0, "interest_every_quarters": 1, "loan_to_cost": None, "minimum_cash_musd": None, "dscr": 5,
        "dscr_from": "2027Q4", "prepayable": False, "requires_offer": None, "refinances": None,
    }  # fmt: skip
    case = tiny_case().replace(facilities=[notes])
    conflict = told(case)
    assert named(conflict) == {("debt_service_cover", "notes")}
    assert least(conflict, "facilities.dscr", "notes") == pytest.approx(5 - 4.32, abs=TOLERANCE)
    assert least(conflict, "facilities.dscr_from", "notes") == 3
    hold_up(conflict, case)


NORTH_DECIDED: dict[str, Any] = {
    "fleet": [],
    "committed_starts": [{"option": "north hall", "quarter": "2027Q1", "blocks": 1}],
    "committed_contracts": [{"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}],
}
"""$7.2M and $16.8M are spent, $4.32M a quarter come in from the third on."""


def test_more_is_owed_at_the_end_than_is_still_to_come() -> None:
    """$20M, $24M of capex, and $2.4M of interest a quarter on notes of $120M: $11.8M are lacking in quarter 1, which a
    loan at 12% would give, $12.2M with its interest. At the end $126M more would be owed than there is cash above
    $3M, and sixteen margins come after it, worth at 8% on the day after. With $11.8M at hand nothing need be drawn.
    """
    drawn = (3 - 20 + 24 + 4.8) / 0.97
    lacking = 120 + drawn - (20 - 24 + 4 * 4.32 - 6 * 2.4 + drawn - 5 * 0.03 * drawn - 3)
    comes = sum(4.32 * 1.08 ** (-(k + 0.5) / 4) for k in range(16))
    notes = loan("notes", commitment_musd=120, drawn_musd=120, margin=0.08, maturity="2031Q1")
    notes |= {"available_first": None, "available_last": None}
    case = tiny_case(**NORTH_DECIDED, opening_cash_musd=20).replace(facilities=[notes, loan(maturity="2031Q1")])
    conflict = told(case)
    assert named(conflict) >= {("owed_at_the_end", ""), ("committed_start", "north hall in 2027Q1")}
    assert least(conflict, "opening_cash_musd") == pytest.approx(11.8, abs=TOLERANCE)
    assert least(conflict, "end_coverage") == pytest.approx(lacking / comes - 1, abs=TOLERANCE)
    hold_up(conflict, case)


def test_two_lenders_of_one_hall_who_together_lend_too_little() -> None:
    """$3.5M and a block decided for $24M, of which two loans at 12% lend 60% each, together no more than $24M:
    $24.44M are lacking. A dollar at hand saves 1.06 of debt with its interest.
    """
    loans = [loan(name, loan_to_cost=0.6, maturity="2031Q1") for name in ("one", "two")]
    case = tiny_case(**NORTH_DECIDED, opening_cash_musd=3.5).replace(facilities=loans)
    conflict = told(case)
    lenders = {("loan_to_cost", "one"), ("loan_to_cost", "two")}
    assert named(conflict) >= {*lenders, ("committed_start", "north hall in 2027Q1")}
    first = (7.2 + 3 - 3.5) / 0.97
    lacking = first + (16.8 + 0.03 * first) / 0.97 - 24
    assert least(conflict, "opening_cash_musd") == pytest.approx(lacking * 0.97**2, abs=TOLERANCE)
    hold_up(conflict, case)


def test_a_customer_who_pays_too_much_of_the_rent() -> None:
    """The lease pays $4.8M, the south sells 3 IT MW at $90 a kW-month, $0.81M: 85.6% of all rent are Ada's, not 50%.

    Half of it would be paid for 1.35 IT MW.
    """
    case = tiny_case(
        product_markets={"depth_it_mw": 3}, max_customer_share=0.5, max_customer_share_from="2028Q1",
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}],
    )  # fmt: skip
    conflict = told(case)
    assert named(conflict) == {("customer_share", ""), ("committed_contract", "lease")}
    assert least(conflict, "max_customer_share") == pytest.approx(4.8 / 5.61 - 0.5, abs=TOLERANCE)
    assert least(conflict, "committed_contracts.it_mw", "lease") == pytest.approx(8 - 1.35, abs=TOLERANCE)
    hold_up(conflict, case)


def test_one_rule_alone_is_not_enough() -> None:
    """A budget of $10M and at most 3 IT MW under construction: both stand in the way of a block of 8 for $24M."""
    case = tiny_case(
        use_limits=[floor(8, min_mw=8)], capex_budget_musd=10, max_it_mw_under_construction=3,
        committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2028Q1", "it_mw": 8}],
    )  # fmt: skip
    conflict = told(case)
    assert conflict.ways and all(len(way.changes) == 2 for way in conflict.ways)
    together = {frozenset(change.lever for change in way.changes): way for way in conflict.ways}
    pair = together[frozenset({"capex_budget_musd", "max_it_mw_under_construction"})]
    assert {c.lever: c.least for c in pair.changes} == {
        "capex_budget_musd": pytest.approx(14, abs=TOLERANCE),
        "max_it_mw_under_construction": pytest.approx(5, abs=TOLERANCE),
    }
    hold_up(conflict, case)


@pytest.mark.core
def test_a_case_without_a_conflict_has_none() -> None:
    assert explain(mining_case(), "base", solve) is None


def test_fault_099_the_report_says_dollars_megawatts_dates_and_who_could_change_it() -> None:
    conflict = told(tiny_case(use_limits=[floor(8)], capex_budget_musd=20.37))
    report = conflict.report()
    for words in (
        "capex within the horizon is at most $20.37M [negotiable]",
        "'AI floor': at least 8 IT MW of colo at north, 2027Q3 to 2028Q2 (clashes in 2028Q2) [negotiable]",
        "Raise the capex budget by $3.7M, to $24.07M [$3.63M]; the value of the best plan is then ",
        "Without any one of them the others can be kept.",
    ):
        assert words.partition(" (clashes")[0] in report, report
    assert report.index("\n  1. ") < report.index("\n  2. ")


def test_ways_out_come_best_plan_first() -> None:
    values = [way.value_musd for way in told(tiny_case(use_limits=[floor(8)], capex_budget_musd=20.37)).ways]
    assert values == sorted(values, reverse=True) and len(values) > 1


# ---- false claims ---------------------------------------------------------------------------------------------------


def test_a_false_claim_is_caught_by_doing_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that calls everything infeasible the first time is refused: doing nothing keeps every rule."""
    asked: list[int] = []

    def lies_once(*arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            raise Infeasible([])
        return solve_model(*arguments)

    monkeypatch.setattr(trials, "solve_model", lies_once)
    with pytest.raises(SolverFault, match="doing nothing keeps them all"):
        explain(mining_case(), "base", solve)


def test_a_false_claim_is_caught_by_another_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where doing nothing keeps no floor, the same question with another seed finds the plan that was denied."""
    asked: list[int] = []

    def lies_once(*arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            raise Infeasible([])
        return solve_model(*arguments)

    monkeypatch.setattr(trials, "solve_model", lies_once)
    with pytest.raises(SolverFault, match="finds one with seed 1"):
        explain(tiny_case(use_limits=[floor(8)]), "base", solve)
    assert len(asked) == 2


def test_the_trials_hold_the_same_rows_as_the_model() -> None:
    """All but the objective and the tie-breaks, which can make nothing impossible."""
    for seed in (2, 5, 9):
        case, scenario = small_case(seed), scenario_of(seed)
        whole, rules = build_model(case, scenario), build_rules(case, (scenario,))
        names = {row.local_name for row in whole.component_data_objects(Constraint)}
        ties = {name for name in names if name.startswith("twin_")}
        assert {row.local_name for row in rules.component_data_objects(Constraint)} == names - ties


def test_what_time_left_undone_is_said() -> None:
    case = tiny_case(use_limits=[floor(8)], capex_budget_musd=20.37)

    def late(changed: Case, scenario: str, seconds: float) -> opt.Plan:
        raise NoPlan(f"The time limit of {seconds:g} s came", float("inf"))

    conflict = explain(case, "base", late)
    assert conflict is not None and conflict.untried
    assert "Not tried for want of time: " in conflict.report()


# ---- planted in random cases ----------------------------------------------------------------------------------------


Turn = Callable[[float], "Case | None"]


@dataclass(frozen=True)
class Plant:
    """A conflict whose cause is known before the module under test sees it.

    `turn(value)` is the case with the planted input at another value; it was turned there from a `good` one.
    """

    kind: str
    scenario: str
    rule: tuple[str, str]
    lever: str
    turn: Turn
    value: float
    good: float

    @property
    def rules(self) -> set[tuple[str, str]]:
        """The rule that was planted; cash that is missing may break any rule on cash."""
        if self.lever != "opening_cash_musd":
            return {self.rule}
        lenders = {("minimum_cash_of_a_facility", row.facility) for row in self.case.facilities}
        return {("minimum_liquidity", ""), ("cash_never_negative", ""), *lenders}

    @property
    def case(self) -> Case:
        case = self.turn(self.value)
        assert case is not None
        return case


def planted(seed: int) -> Iterator[Plant]:
    """Whatever can be planted in a random case: an input is turned so far that nothing is possible any more."""
    rng, scenario = Random(f"plant {seed}"), scenario_of(seed)
    yield from whole_blocks(rng)
    try:
        case = small_case(seed)
    except InputError:
        return
    if not possible(case, scenario):
        return
    forced = forced_case(case, scenario, rng)
    for kind, rule, lever, turn, good, bad in knobs(case if forced is None else forced, rng):
        turned = good + (bad - good) * rng.choice([0.1, 0.5, 0.9])
        for value in (turned, bad):
            if turn(value) is not None and not possible(turn(value), scenario):
                if possible(turn(good), scenario):
                    yield Plant(kind, scenario, rule, lever, turn, value, good)
                break


def forced_case(case: Case, scenario: str, rng: Random) -> Case | None:
    """The case with a floor on a product that it can just keep: something must be built."""
    options = [o for o in case.options if case.eligible(o)]
    if not options:
        return None
    option = rng.choice(options)
    late = max(case.first, case.last - 1)
    row = {
        "policy": "planted floor", "use": option.product, "site": option.site, "first": late, "last": case.last,
        "basis": "it_mw", "max_mw": None,
    }  # fmt: skip

    def turn(mw: float) -> Case | None:
        return changed(case, use_limits=rows(case, "use_limits", row | {"min_mw": mw}))

    if possible(turn(100), scenario):
        return None
    most = edge(lambda mw: possible(turn(mw), scenario), 0.0, 100.0, 0.05)
    return turn(round(most * rng.uniform(0.5, 0.98), 4)) if most > 0.1 else None


def knobs(case: Case, rng: Random) -> Iterator[tuple[str, tuple[str, str], str, Turn, float, float]]:
    """Kind, rule, lever, how to turn it, a value that is good and one that should be bad."""
    budget = case.settings.capex_budget_musd
    yield (
        "budget", ("capex_budget", ""), "capex_budget_musd",
        lambda v: changed(case, capex_budget_musd=v), budget, 0.0,
    )  # fmt: skip
    year = rng.choice(sorted({t.year for t in case.horizon}))
    others = [row for row in rows(case, "budget_years") if row["year"] != year]
    yield (
        "budget of a year", ("capex_budget_of_a_year", str(year)), "budget_years.capex_budget_musd",
        lambda v: changed(case, budget_years=[*others, {"year": year, "capex_budget_musd": v}]), 900.0, 0.0,
    )  # fmt: skip
    yield (
        "minimum cash", ("minimum_liquidity", ""), "minimum_cash_musd",
        lambda v: changed(case, minimum_cash_musd=v), case.settings.minimum_cash_musd, 900.0,
    )  # fmt: skip
    yield (
        "new money", ("minimum_liquidity", ""), "opening_cash_musd",
        lambda v: changed(case, opening_cash_musd=v), case.settings.opening_cash_musd, -200.0,
    )  # fmt: skip
    yield (
        "IT MW under construction", ("it_mw_under_construction", ""), "max_it_mw_under_construction",
        lambda v: changed(case, max_it_mw_under_construction=v),
        90.0 if case.settings.max_it_mw_under_construction is None else case.settings.max_it_mw_under_construction, 0.0,
    )  # fmt: skip
    yield from _limits(case, rng)
    yield from _contracts(case)
    yield from _lenders(case)
    if case.settings.max_customer_share is not None:
        yield (
            "customer share", ("customer_share", ""), "max_customer_share",
            lambda v: changed(case, max_customer_share=v), case.settings.max_customer_share, 0.0,
        )  # fmt: skip


def _limits(case: Case, rng: Random) -> Iterator[tuple[str, tuple[str, str], str, Turn, float, float]]:
    begins = rng.choice(case.horizon)
    product = rng.choice([option.product for option in case.options])
    for kind, use, basis, good, bad in (
        ("mining floor", "mining", "gross_mw", 0.0, 300.0),
        ("product floor", product, rng.choice(["gross_mw", "it_mw"]), 0.0, 300.0),
        ("ceiling", product, "it_mw", 300.0, 0.0),
    ):
        name = f"planted {kind} limit"
        column, rule = ("max_mw", "use_ceiling") if kind == "ceiling" else ("min_mw", "use_floor")
        row = {
            "policy": name, "use": use, "site": "*", "first": begins, "last": case.last, "basis": basis,
            "min_mw": None, "max_mw": None,
        }  # fmt: skip
        yield (
            kind, (rule, name), f"use_limits.{column}",
            lambda v, row=row, column=column: changed(case, use_limits=rows(case, "use_limits", row | {column: v})),
            good, bad,
        )  # fmt: skip


def _contracts(case: Case) -> Iterator[tuple[str, tuple[str, str], str, Turn, float, float]]:
    tiered = {row.offer for row in case.rows("price_tiers")}
    for contract in case.committed_contracts:
        if contract.offer in tiered:
            continue

        def larger(mw: float, contract: Any = contract) -> Case | None:
            offers = [
                row | {"min_it_mw": min(row["min_it_mw"], mw), "max_it_mw": max(row["max_it_mw"], mw)}
                if row["offer"] == contract.offer
                else row
                for row in rows(case, "offers")
            ]
            signed = [
                row | {"it_mw": mw} if row["offer"] == contract.offer else row
                for row in rows(case, "committed_contracts")
            ]
            return changed(case, offers=offers, committed_contracts=signed)

        rule = ("committed_contract", contract.offer)
        yield "contract", rule, "committed_contracts.it_mw", larger, contract.it_mw, 300.0


def _lenders(case: Case) -> Iterator[tuple[str, tuple[str, str], str, Turn, float, float]]:
    for facility in case.facilities:
        if facility.drawn_musd == 0:
            continue

        def clause(value: float, name: str, facility: Any = facility) -> Case | None:
            since = {"dscr_from": max(case.first, facility.maturity + -2)} if name == "dscr" else {}
            return changed(
                case,
                facilities=[
                    row | {name: value} | since if row["facility"] == facility.facility else row
                    for row in rows(case, "facilities")
                ],
            )

        yield (
            "lender's cash", ("minimum_cash_of_a_facility", facility.facility), "facilities.minimum_cash_musd",
            lambda v, clause=clause: clause(v, "minimum_cash_musd"), facility.minimum_cash_musd or 1e-3, 900.0,
        )  # fmt: skip
        yield (
            "cover", ("debt_service_cover", facility.facility), "facilities.dscr",
            lambda v, clause=clause: clause(v, "dscr"), facility.dscr or 1e-3, 60.0,
        )  # fmt: skip


def whole_blocks(rng: Random) -> Iterator[Plant]:
    """A floor and a ceiling on one option's product between two numbers of whole blocks, on an open field.

    The last quarter only; the ceiling's least relief is what the next whole block needs.
    """
    for _ in range(3):
        block, blocks = round(rng.uniform(3, 9), 3), rng.randint(0, 1)
        low = round(block * (blocks + rng.uniform(0.1, 0.5)), 3)
        high = round(low + (block * (blocks + 1) - low) * rng.uniform(0.1, 0.9), 3)

        def turn(top: float, low: float = low, block: float = block) -> Case | None:
            limits = [
                floor(low, basis="gross_mw", first="2028Q2"),
                floor(0, policy="AI ceiling", basis="gross_mw", first="2028Q2", min_mw=None, max_mw=top),
            ]
            return tiny_case(use_limits=limits, options={"block_gross_mw": block, "max_blocks": 2})

        yield Plant("whole blocks", "base", ("use_ceiling", "AI ceiling"), "use_limits.max_mw", turn, high, 90.0)


def examine(plant: Plant) -> float:
    """The set holds the planted rule, and the least relief lies between a bit less and a bit more, plainly solved."""
    conflict = told(plant.case, plant.scenario)
    assert named(conflict) & plant.rules, conflict.report()
    hold_up(conflict, plant.case, plant.scenario)
    relief = least(conflict, plant.lever, "" if plant.lever == "opening_cash_musd" else plant.rule[1])
    beside, turned = TOLERANCE * max(1.0, relief), abs(plant.good - plant.value)
    back = 1 if plant.good > plant.value else -1
    for amount, enough in ((relief - beside, False), (min(relief + beside, turned), True)):
        there = possible(plant.turn(plant.value + back * amount), plant.scenario)
        assert there == enough, f"{amount!r} of {plant.value!r}, least {relief!r}\n{conflict.report()}"
    return relief


# ---- planted by sums -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sum:
    """A conflict with its whole set and its least reliefs, reckoned by hand in plain numbers."""

    kind: str
    case: Case
    members: set[tuple[str, str]]
    reliefs: dict[str, float]


FLOOR, START = ("use_floor", "AI floor"), ("committed_start", "north hall in 2027Q2")


def sums(seed: int) -> Iterator[Sum]:
    """Blocks of some gross MW in the north at some $M per IT MW; 30% are spent in the start quarter, 70% in the next.

    A floor from 2027Q3 on needs its blocks started in 2027Q1, two quarters before.
    """
    rng = Random(f"sums {seed}")
    block, rate = round(rng.uniform(6, 12), 3), round(rng.uniform(2, 5), 3)
    it_mw, cost = block / 1.5, block / 1.5 * rate
    hall = {
        "block_gross_mw": block, "max_blocks": 2, "facility_low_musd_per_it_mw": rate * 0.9,
        "facility_base_musd_per_it_mw": rate, "facility_high_musd_per_it_mw": rate * 1.2,
    }  # fmt: skip
    blocks = rng.randint(1, 2)
    asked = it_mw * (blocks - rng.uniform(0.05, 0.9))
    less = asked - (blocks - 1) * it_mw
    budget = cost * (blocks - rng.uniform(0.05, 0.95))
    yield Sum(
        "sum: budget",
        tiny_case(options=hall, use_limits=[floor(asked)], capex_budget_musd=budget),
        {("capex_budget", ""), FLOOR},
        {"capex_budget_musd": blocks * cost - budget, "use_limits.min_mw": less},
    )
    yield Sum(
        "sum: budget of a year",
        tiny_case(
            options=hall, use_limits=[floor(asked)], budget_years=[{"year": 2027, "capex_budget_musd": budget}]
        ),
        {("capex_budget_of_a_year", "2027"), FLOOR},
        {"budget_years.capex_budget_musd": blocks * cost - budget, "use_limits.min_mw": less},
    )  # fmt: skip
    most = blocks * it_mw - it_mw * rng.uniform(0.05, 0.95)
    yield Sum(
        "sum: IT MW under construction",
        tiny_case(options=hall, use_limits=[floor(asked)], max_it_mw_under_construction=most),
        {("it_mw_under_construction", ""), FLOOR},
        {"max_it_mw_under_construction": blocks * it_mw - most, "use_limits.min_mw": less},
    )
    twice = it_mw * rng.uniform(1.05, 1.95)
    yield Sum(
        "sum: blocks under construction",
        tiny_case(options=hall, use_limits=[floor(twice)], max_blocks_under_construction=1),
        {("blocks_under_construction", ""), FLOOR},
        {"max_blocks_under_construction": 1, "use_limits.min_mw": twice - it_mw, "use_limits.first": 2},
    )
    yield from _sums_of_commitments(rng, hall, block, cost)


def _sums_of_commitments(rng: Random, hall: dict[str, Any], block: float, cost: float) -> Iterator[Sum]:
    start = {"option": "north hall", "quarter": "2027Q2", "blocks": 1}
    kept = round(30 - block + rng.uniform(0.1, block - 5.1), 3)
    miners = floor(kept, use="mining", basis="gross_mw", policy="AI floor", first="2027Q2", last="2027Q4")
    yield Sum(
        "sum: miners, grid and a start",
        tiny_case(options=hall, committed_starts=[start], use_limits=[miners]),
        {("site_power", "north"), START, FLOOR},
        {"use_limits.min_mw": kept + block - 30, "committed_starts.blocks": 1, "committed_starts.quarter": 2},
    )
    least_cash, cash = rng.uniform(3, min(20, cost)), cost + rng.uniform(0.1, 2.5)
    yield Sum(
        "sum: minimum cash",
        tiny_case(options=hall, committed_starts=[start], opening_cash_musd=cash, minimum_cash_musd=least_cash),
        {("minimum_liquidity", ""), START},
        {"minimum_cash_musd": cost + least_cash - cash, "opening_cash_musd": cost + least_cash - cash},
    )
    budget = cost * rng.uniform(0.32, 0.95)
    size = block / 1.5
    yield Sum(
        "sum: contract and a year",
        tiny_case(
            options=hall, offers={"min_it_mw": size, "max_it_mw": size},
            budget_years=[{"year": 2027, "capex_budget_musd": budget}],
            committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2027Q4", "it_mw": size}],
        ),
        {("capex_budget_of_a_year", "2027"), ("committed_contract", "lease"), ("it_capacity", "colo at north")},
        {
            "budget_years.capex_budget_musd": cost - budget, "committed_contracts.it_mw": size,
            "committed_contracts.quarter": 2,
        },
    )  # fmt: skip


def tally(sum_: Sum) -> None:
    """The very set, and every least relief to 1e-6."""
    conflict = told(sum_.case)
    assert named(conflict) == sum_.members, conflict.report()
    assert conflict.irreducible and not conflict.untried
    for lever, relief in sum_.reliefs.items():
        assert least(conflict, lever) == pytest.approx(relief, rel=TOLERANCE, abs=TOLERANCE), conflict.report()


def test_planted_conflicts() -> None:
    for plant in islice(whole_blocks(Random(7)), 1):
        assert examine(plant) > 0


def test_planted_sums() -> None:
    for sum_ in islice(sums(0), 5, 7):
        tally(sum_)


@pytest.mark.campaign
def test_planted_conflicts_campaign(capsys: pytest.CaptureFixture[str]) -> None:
    """At least 200 of them, by sums and in random cases; prints how many of which kind."""
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in SEEDS:
        for plant in (*sums(seed), *planted(seed)):
            seen[plant.kind] += 1
            try:
                if isinstance(plant, Sum):
                    tally(plant)
                else:
                    examine(plant)
            except Exception as error:
                wrong.append(f"seed {seed}, {plant.kind}: {error!r}"[:3000])
        with capsys.disabled():
            print(f"\nseed {seed}: {seen.total()} planted, {len(wrong)} wrong", flush=True)
    with capsys.disabled():
        print("\n".join([*wrong, *(f"{kind:<32}{count:>5}" for kind, count in seen.most_common())]))
    assert not wrong
    assert seen.total() >= WANTED
