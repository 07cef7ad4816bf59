"""The bridge from one plan's value to another's adds up, turns with its ends, and says what it could not split."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cache
from math import isnan
from multiprocessing import get_context
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from conftest import DATA, mining_case
from hand_cases import NO_OFFERS, hand_case
from hand_cases import facility as loan
from pairs import CHANGES, changed, pair_of_plans, scaled, solved
from tiny_cases import tiny_case

import optimizer as opt
from optimizer.case.case import TABLE_NAMES, Case
from optimizer.case.schema import Row, Settings
from optimizer.files.journal import Journal
from optimizer.ground.errors import PlanError
from optimizer.plan.figures.room import growth
from optimizer.questions.compare.aligning import CannotMove, moved_to
from optimizer.questions.compare.bridge import bridge, bridge_place, keep_bridge, kept_bridge
from optimizer.questions.compare.drafts import SCENARIO, draft_of, hybrid, reaching, unlike_groups
from optimizer.questions.compare.ends import Work
from optimizer.questions.compare.groups import GROUP_OF_SETTING, GROUP_OF_TABLE, GROUPS, NAMING
from optimizer.questions.compare.remembered import Memory
from optimizer.questions.compare.stages import InTurn, Worth, kept, worth, worth_or_why
from optimizer.questions.compare.timing import taken_before
from optimizer.questions.studies.study import Study
from optimizer.questions.sweeps.holding import taken_by
from optimizer.solver import SolverOptions

SEEDS = range(3)
"""Pairs of the quick run; the campaign has those from there on too."""
EVERY = range(5)
EXACT = SolverOptions(gap=0.0)


@cache
def pair(seed: int) -> tuple[opt.Plan, opt.Plan, list[str]]:
    return pair_of_plans(seed)


@cache
def both_ways(seed: int) -> tuple[Study, Study]:
    a, b, _ = pair(seed)
    return bridge(a, b, gap=1e-6), bridge(b, a, gap=1e-6)


@pytest.mark.core
def test_every_input_belongs_to_exactly_one_group() -> None:
    groups = (*GROUPS, NAMING)
    assert sorted(table for group in groups for table in group.tables) == sorted(TABLE_NAMES)
    assert sorted(name for group in groups for name in group.settings) == sorted(Settings.model_fields)
    assert len(GROUP_OF_TABLE) == len(TABLE_NAMES)
    assert len(GROUP_OF_SETTING) == len(Settings.model_fields)


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_add_up_and_turn_with_the_plans(seed: int) -> None:
    """Residual zero; every line, its range and its gaps change sign when the plans are swapped."""
    adds_up_and_turns(seed)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(len(SEEDS), 100))
def test_lines_add_up_by_the_hundred(seed: int) -> None:
    adds_up_and_turns(seed)


def adds_up_and_turns(seed: int) -> None:
    a, b, groups = pair(seed)
    there, back = (study.tables["lines"] for study in both_ways(seed))
    assert there["line_musd"].sum() == pytest.approx(b.value_musd - a.value_musd, abs=1e-9)
    assert list(there["group"]) == list(back["group"])
    for column, opposite in (
        ("line_musd", "line_musd"), ("low_musd", "high_musd"), ("gap_low_musd", "gap_high_musd"),
    ):  # fmt: skip
        assert there[column].to_numpy() == pytest.approx(-back[opposite].to_numpy(), abs=1e-9)
    assert (there["low_musd"] <= there["line_musd"]).all() and (there["line_musd"] <= there["high_musd"]).all()
    split = there.dropna(subset=["repriced_musd"])
    assert (split["repriced_musd"] + split["redecided_musd"]).to_numpy() == pytest.approx(split["line_musd"].to_numpy())
    assert (split["redecided_musd"] >= -1e-4).all()
    named = {name for group in there["group"] for name in group.replace(" and ", ", ").split(", ")}
    assert named <= set(groups)


def test_some_lines_of_the_pairs_are_split_and_some_merged() -> None:
    """The pairs above are of use: many groups stand alone with both parts, and not all bridges are of one line."""
    lines = [row for seed in SEEDS for row in both_ways(seed)[0].tables["lines"].itertuples()]
    assert sum(not isnan(row.repriced_musd) for row in lines) > len(lines) / 3
    assert sum(abs(row.line_musd) > 0.01 for row in lines) > len(lines) / 3
    assert any(row.high_musd - row.low_musd > 0.01 for row in lines)


def test_totals_are_additive() -> None:
    """From A to B and from B to C is from A to C."""
    a, b, _ = pair(1)
    third = next(plan for seed in range(20) if (plan := solved(_third(a.case, seed))) is not None)
    ab, bc, ac = (bridge(x, y).tables["lines"]["line_musd"].sum() for x, y in ((a, b), (b, third), (a, third)))
    assert ab + bc == pytest.approx(ac, abs=1e-9)


def _third(case: Case, seed: int) -> Case:
    return changed(case, random.Random(seed), ["markets", "treasury"])


@pytest.mark.parametrize("group", ["markets", "capex", "power"])
def test_one_changed_group_is_the_whole_difference(group: str) -> None:
    case = mining_case()
    a, b = opt.solve(case), opt.solve(case.replace(**CHANGES[group](case, 1.2)))
    (row,) = bridge(a, b).tables["lines"].itertuples()
    assert row.group == group
    assert row.line_musd == row.low_musd == row.high_musd == pytest.approx(b.value_musd - a.value_musd, abs=1e-9)


@pytest.mark.core
def test_no_bridge_between_a_plan_and_itself(plan: opt.Plan) -> None:
    assert bridge(plan, plan).tables["lines"].empty


def test_what_only_one_order_allows_is_one_line_with_its_reason() -> None:
    """A floor on mining that only the second fleet reaches: policy and state cannot be swapped one after the other."""
    case = mining_case()
    assert case.fleet and not case.machine_markets
    site = case.fleet[0].site
    floor = {"policy": "crews stay", "use": "mining", "site": site, "first": case.first, "last": case.first,
             "basis": "gross_mw", "min_mw": case.fleet_gross_mw(case.fleet[0]), "max_mw": None}  # fmt: skip
    fewer = scaled(case.fleet, "gross_mw", 0.5)
    a, b = opt.solve(case.replace(fleet=fewer)), opt.solve(case.replace(use_limits=[floor]))
    for first, second in ((a, b), (b, a)):
        study = bridge(first, second)
        assert list(study.tables["lines"]["group"]) == ["policy and state"]
        assert any(words.startswith("policy and state are told together") for words in study.words)
        assert study.tables["lines"]["line_musd"].sum() == pytest.approx(second.value_musd - first.value_musd, abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.campaign) for seed in (2, 3))])
def test_two_companies_that_share_nothing_still_add_up(seed: int) -> None:
    """Other sites, offers, quarters and horizons: what cannot be mixed is one line, and nothing is lost."""
    a, b = (next(p for s in range(seed, 99, 7) if (p := solved(tiny_case(100 * k + s)))) for k in (1, 2))
    there, back = bridge(a, b), bridge(b, a)
    difference = there.about["to_value_musd"] - there.about["from_value_musd"]
    assert there.tables["lines"]["line_musd"].sum() == pytest.approx(difference, abs=1e-6)
    assert sorted(there.tables["lines"]["line_musd"]) == pytest.approx(
        sorted(-back.tables["lines"]["line_musd"]), abs=1e-6
    )


# ---- stages -------------------------------------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.parametrize("seed", EVERY)
def test_a_plans_own_decisions_are_worth_its_value(seed: int) -> None:
    """One scenario on its own is worth what the plan is; its decisions kept are worth the same, others' never more."""
    a, b, _ = pair(seed)
    cases = [draft_of(plan.case, plan.scenario).case() for plan in (a, b)]
    assert worth(cases[0], SCENARIO, EXACT).value_musd == pytest.approx(a.value_musd, rel=1e-5, abs=1e-5)
    assert kept(cases[0], SCENARIO, taken_by(a), EXACT) == pytest.approx(a.value_musd, abs=1e-5)
    of_b = kept(cases[0], SCENARIO, taken_by(b), EXACT)
    assert isnan(of_b) or of_b <= a.bound_musd + 1e-5


@pytest.mark.parametrize("seed", EVERY)
def test_hybrids_have_the_cases_at_their_ends(seed: int) -> None:
    """All groups from one side are that side's case; no mending changes a case that needs none."""
    a, b, _ = pair(seed)
    first, second = draft_of(a.case, a.scenario), draft_of(b.case, b.scenario)
    names = [group.name for group in GROUPS]
    assert not unlike_groups(hybrid(first, second, []), first)
    assert not unlike_groups(hybrid(first, second, names), second)


def called(rows: Iterable[Row], name: str) -> list[Row]:
    """Rows with the option of the hall under way called otherwise."""
    return [
        row.model_copy(update={"option": name}) if getattr(row, "option", "") == "moses-lake-colocation" else row
        for row in rows
    ]


def test_cases_that_share_few_names_mix_whatever_comes_from_where() -> None:
    """Sites, machines, products, ramps and halls under way that only one side knows bring their definition along."""
    keel, other = (opt.load_case(DATA / name) for name in ("keel_2026", "washington_2025"))
    a, b = (
        reaching(draft_of(case, "base").with_settings(first_quarter=keel.first), other.first, keel.last)
        for case in (keel, other)
    )
    tables = {name: called(a.tables[name], "hall under way") for name in ("options", "committed_starts", "deposits")}
    a = a.with_rows(**tables)
    names = [group.name for group in GROUPS]
    for chosen in [*([name] for name in names), *(names[:k] for k in range(len(names) + 1))]:
        for first, second in ((a, b), (b, a)):
            mixed = hybrid(first, second, chosen).case()
            assert {row.asic for row in mixed.fleet} <= set(mixed.asic)
            assert sum(row.blocks for row in mixed.committed_starts) <= sum(row.max_blocks for row in mixed.options)


def test_solves_run_through_the_executor_they_are_given() -> None:
    case = mining_case()
    a, b = opt.solve(case), opt.solve(case.replace(**CHANGES["markets"](case, 1.2)))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        study = bridge(a, b, executor=executor)
    assert study.tables["lines"].equals(bridge(a, b).tables["lines"])


# ---- going on -----------------------------------------------------------------------------------------------------


class Killed(InTurn):
    """Solves in turn and is killed before one solve; with `after` none it counts only."""

    def __init__(self, after: int | None = None):
        self.after, self.solved = after, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.solved == self.after:
            raise KeyboardInterrupt
        self.solved += 1
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("seed", [0, pytest.param(3, marks=pytest.mark.campaign)])
def test_a_bridge_that_was_killed_goes_on_with_what_is_missing(seed: int, tmp_path: Path) -> None:
    """Killed before its fourth solve, its last line cut short; then no stage is solved twice and nothing differs."""
    a, b, _ = pair(seed)
    whole, killed = Killed(), Killed(after=3)
    study = bridge(a, b, gap=1e-6, executor=whole)
    with pytest.raises(KeyboardInterrupt):
        bridge(a, b, gap=1e-6, executor=killed, folder=tmp_path)
    answers = bridge_place(a, tmp_path) / "answers.jsonl"
    assert len(answers.read_text().splitlines()) == 3
    assert kept_bridge(a, b, tmp_path) is None
    answers.write_text(answers.read_text()[:-20])
    for missing in (whole.solved - 2, 0):
        rest = Killed()
        again = bridge(a, b, gap=1e-6, executor=rest, folder=tmp_path)
        assert rest.solved == missing
        assert (again.title, again.words, again.about) == (study.title, study.words, study.about)
        assert all(again.tables[name].equals(table) for name, table in study.tables.items())
    other = Killed()
    bridge(a, b, gap=1e-5, executor=other, folder=tmp_path)
    assert other.solved == whole.solved, "other options are other questions"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_remembered_is_what_was_added(seed: int, tmp_path: Path) -> None:
    plan, results = pair(seed)[0], {"why": "no plan keeps every rule", "kept": -1.25}
    found = worth(plan.case, plan.scenario)
    told = replace(found.taken.decisions, refreshed={("hall", "2027Q1"): 2.0})
    found = replace(found, taken=replace(found.taken, decisions=told))
    memory = Memory(tmp_path)
    for key, result in (results | {"worth": found}).items():
        memory.add(key, result)
    memory.add("nothing", float("nan"))
    memory.add("too early", "out of time: the search ended before it found a plan")
    memory.add("as early", "not solved: the search ended before it found a plan")
    memory.add("found early", replace(found, whole=False))
    again = Memory(tmp_path)
    assert {key: again.get(key) for key in results} == results
    assert isnan(again.get("nothing"))
    assert [again.get(key) for key in ("other", "too early", "as early", "found early")] == [None] * 4
    assert asdict(again.get("worth")) == asdict(found)


def test_a_result_is_on_the_disk_before_it_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Journal.add

    def slowly(journal: Journal, line: str) -> None:
        sleep(0.3)
        add(journal, line)

    monkeypatch.setattr(Journal, "add", slowly)
    with ThreadPoolExecutor(1) as executor:
        work = Work(executor, SolverOptions(), memory=Memory(tmp_path))
        found = work.worth(draft_of(pair(0)[0].case, pair(0)[0].scenario).case()).result()
        assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 1
        assert isinstance(found, Worth)
        assert (work.begun, work.done) == (1, 1)


# ---- time ---------------------------------------------------------------------------------------------------------


def at_one_rate(case: Case) -> Case:
    """Without what a later start values otherwise: rates by line, tax, and interest paid in another rhythm."""
    loans = [row.model_copy(update={"interest_every_quarters": 1}) for row in case.facilities]
    rate = {"corporate": case.settings.discount_rates["corporate"] or 0.1}
    return case.replace(
        facilities=loans, discount_rates=rate, backstops=[], tax_rate=None, tax_losses_musd=None, tax_loss_use=None,
        depreciation=[],
    )  # fmt: skip


def rests(seed: int) -> list[tuple[float, float]]:
    """What a plan has not taken yet, one and two quarters later, and what its case is worth that stands there."""
    plan = solved(at_one_rate(tiny_case(seed)))
    found = []
    for date in () if plan is None else (plan.case.first + 1, plan.case.first + 2):
        assert plan is not None
        try:
            later = worth_or_why(moved_to(plan, date).case(), SCENARIO, EXACT)
        except (CannotMove, opt.InputError):
            continue
        assert isinstance(later, Worth), later
        found.append((plan.value_musd * growth(plan, date) - taken_before(plan, date), later.value_musd))
    return found


@pytest.mark.parametrize("seed", [7, 37, 88, 90, 97, 103])
def test_a_plan_that_stands_later_is_worth_the_rest_of_it(seed: int) -> None:
    """Solved again from a later quarter, with all it has begun, a plan is worth what it has not taken before.

    With one discount rate for all lines the best plan stays the best; halls, contracts, machines, loans, budgets or
    cash carried over wrongly would change its value.
    """
    for rest, later in rests(seed):
        assert later == pytest.approx(rest, abs=1e-4)


@pytest.mark.campaign
def test_plans_that_stand_later_by_the_hundred() -> None:
    found = [pair for seed in range(400) for pair in rests(seed)]
    assert len(found) > 200
    for rest, later in found:
        assert later == pytest.approx(rest, abs=1e-4, rel=1e-5)


def test_a_coupon_is_paid_once_wherever_a_plan_is_moved_to() -> None:
    """$10M at 12%, paid each third quarter: moved to 2028Q1, when a part of the coupon of 2028Q3 has accrued, that is
    $1.2M still. Owed as accrued beside what the balance pays for the quarters before, it would be $1.8M.
    """
    note = loan("note", drawn_musd=10, available_first=None, available_last=None, maturity="2029Q4")
    note |= {"interest_every_quarters": 4, "first_coupon": "2025Q3"}
    case = hand_case(fleet=[], facilities=[note], quarters=10, **NO_OFFERS)
    later = moved_to(opt.solve(case), case.first + 4).case()
    assert not later.obligations
    flows = opt.solve(later).cash_flow
    paid = flows[flows["line"] == "interest"].groupby("quarter")["musd"].sum()
    assert paid.to_dict() == pytest.approx({"2028Q3": -1.2})


def test_loans_of_halls_that_a_mixed_case_lacks_are_gone_and_others_hold_all_of_theirs() -> None:
    """A loan on the north's hall. With halls of a case that has none in the north it is gone; with those of one that
    has two options there for the same product, both secure it.
    """
    mine = hand_case(facilities=[loan()], collateral=[{"facility": "loan", "option": "north hall"}])
    north, south = mine.options
    twice = mine.replace(
        options=[north, south, north.model_copy(update={"option": "north annex"})], facilities=[], collateral=[]
    )
    without = mine.replace(options=[south], facilities=[], collateral=[], **NO_OFFERS)
    a = draft_of(mine, "base")
    mixed = hybrid(a, draft_of(twice, "base"), ["capex"]).case()
    assert {row.option for row in mixed.collateral} == {"north hall", "north annex"}
    mixed = hybrid(a, draft_of(without, "base"), ["capex", "offers"]).case()
    assert not mixed.facilities and not mixed.collateral


def test_quarters_gone_by_are_a_line_of_their_own() -> None:
    """The same case two quarters later: the bridge is what was taken, what standing there changes, and the horizon."""
    case = mining_case()
    a = opt.solve(case)
    later = moved_to(a, case.first + 2)
    b = opt.solve(later.case().replace(opening_cash_musd=case.settings.opening_cash_musd + 5))
    study = bridge(a, b)
    lines = study.tables["lines"].set_index("group")
    assert lines.at["quarters gone by", "line_musd"] == pytest.approx(-taken_before(a, case.first + 2))
    assert "treasury" in lines.index
    assert lines["line_musd"].sum() == pytest.approx(b.value_musd - a.value_musd * growth(a, b.case.first), abs=1e-9)
    assert "grown at" in study.words[0]


# ---- keeping ------------------------------------------------------------------------------------------------------


def test_a_bridge_is_kept_with_the_second_plan(tmp_path: Path) -> None:
    a, b, _ = pair(2)
    study = both_ways(2)[0]
    folder = opt.save_plan(b, tmp_path / "b")
    assert kept_bridge(a, b, folder) is None
    keep_bridge(study, folder)
    again = kept_bridge(a, b, folder)
    assert again is not None
    assert (again.title, again.words) == (study.title, study.words)
    assert again.tables["lines"]["line_musd"].to_numpy() == pytest.approx(study.tables["lines"]["line_musd"].to_numpy())
    assert opt.load_plan(folder).run_id == b.run_id
    assert kept_bridge(b, b, folder) is None


def test_no_bridge_starts_from_an_edited_plan(plan: opt.Plan) -> None:
    with pytest.raises(PlanError, match="edited"):
        bridge(replace(plan, edited=("cash.csv was changed",)), plan)
