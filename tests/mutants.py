"""Which planted bugs are caught: the campaign of mutants.

`python tests/mutants.py FOLDER --count 500` plants bugs one after the other (`planted_bugs`), each in a process of its
own, solves cases with it and audits the plans. A bug is caught where the program refuses or breaks down, where the
audit objects, or where a value is not the known optimum: that of the program without the bug, which
`test_enumeration.py` and the cases solved by hand hold to other hands. Records are lines of JSON; a run that was killed
goes on where it ended.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import inspect
import json
import os
import resource
import select
import signal
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

import pytest
from planted_bugs import Edit, plant, sample, stale, traced
from records import Records, fingerprint

import optimizer as opt
from optimizer.quarters import Quarter

DATA = Path(__file__).parents[1] / "data"
TOLERANCE = 1e-6
HANG_S = 60
"""Processor seconds after which a planted bug counts as a hang; a whole run over all cases takes less."""
PATIENCE_S = 600
MORE_FOR_THE_AUDIT = 3
"""Cases tried after a value was found wrong, to see whether the audit alone would have objected."""

AT_FIRST = 24
"""Cases tried before the next bug has its turn; what survives them is tried on all the others at the end."""

SEEDS = (1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 14, 16, 19, 22, 26, 31, 37, 459)
"""Random cases, from those of `test_enumeration.py`."""
SOLVED_BY_HAND = (
    "gpu_hours_follow_the_calendar 0",
    "a_halving_inside_a_quarter_counts_by_days 0",
    "residuals_are_dated_at_the_end_of_the_horizon 0",
    "one_customer_pays_at_most_its_share_of_the_rent 0",
    "a_yearly_budget_is_checked_on_spending 0",
    "a_yearly_budget_is_checked_on_spending 1",
    "committed_work_before_the_horizon_is_sunk_but_served 0",
    "power_after_the_horizon_costs_the_last_tariff_and_calendar_hours 0",
    "work_begun_before_the_horizon_counts_as_under_construction 0",
    "a_plan_exists_though_doing_nothing_would_break_a_policy 0",
    "mobilisation_is_paid_once_in_the_first_start_quarter 0",
    "a_floor_on_a_product_counts_blocks_in_service 0",
    "half_a_hall_is_usable_in_its_first_quarter_and_half_a_lease_is_billed 0",
    "terms_work_on_each_other_in_their_order 0",
    "a_contract_may_be_short_while_its_hall_ramps 1",
    "late_delivery_pays_damages_on_all_megawatts_until_the_tenant_walks_away 0",
    "a_tenant_extends_while_its_price_is_no_higher_than_the_market 0",
    "a_tenant_extends_while_its_price_is_no_higher_than_the_market 1",
    "an_offer_may_require_another 1",
    "gpus_are_refreshed_where_that_pays 1",
    "gpus_are_refreshed_again_and_again 0",
    "gpus_in_service_before_the_horizon_age_from_their_service 0",
    "a_prepayment_is_received_early_and_credited_back 1",
    "a_tenants_money_lowers_capex_and_is_credited_on_its_rent 0",
    "the_three_kinds_of_lease_leave_different_costs_with_the_landlord 1",
    "the_three_kinds_of_lease_leave_different_costs_with_the_landlord 2",
    "deposits_are_paid_before_the_start_and_need_time 0",
    "a_price_follows_its_index_between_floor_and_cap 0",
    "budgets_count_capex_net_of_the_tenants_money 0",
    "the_whole_contract_pays_the_price_of_its_tier 1",
    "machines_are_bought_within_grid_budget_and_cash 1",
    "machines_move_in_place_of_weaker_ones_where_that_pays 0",
    "an_own_plant_feeds_machines_up_to_its_capacity 0",
    "units_of_machines_become_megawatts_at_the_wall 0",
    "machines_that_retire_fetch_nothing_so_the_last_fit_quarter_is_the_last_to_sell 0",
    "the_resale_price_follows_hashprice_and_declines_with_age 0",
    "cash_cost_per_btc_direct_and_total 0",
    "a_loan_is_drawn_as_far_as_the_project_lacks_cash 1",
    "interest_is_a_base_rate_and_a_spread_and_goes_on_after_the_horizon 0",
    "fees_are_paid_on_the_commitment_and_on_what_is_not_drawn 0",
    "interest_every_two_quarters_is_paid_for_both 0",
    "each_draw_is_repaid_by_the_shares_of_the_schedule 0",
    "a_loan_is_prepaid_from_all_free_cash 0",
    "a_prepayment_lowers_what_accrues_until_the_next_interest_date 0",
    "a_company_repays_what_it_owes_and_pays_for_what_it_left_undrawn 0",
    "a_loan_is_limited_to_a_share_of_the_cost 1",
    "loan_to_cost_is_net_of_the_tenants_money 0",
    "debt_service_cover_counts_scheduled_repayments 0",
    "a_ring_fenced_loan_is_covered_by_its_site_alone 0",
    "a_lender_may_ask_for_a_signed_lease 0",
    "a_dear_note_is_refinanced_at_once 0",
    "cash_earns_interest_on_what_the_quarter_opens_with 0",
    "bitcoin_may_count_as_liquidity 1",
    "mined_bitcoin_is_kept_where_the_policy_allows_and_the_price_rises 0",
    "tax_is_paid_on_income_less_depreciation_and_losses 0",
    "interest_overheads_and_sales_are_taxed_and_the_tenants_money_lowers_the_base 0",
    "mining_is_taxed_and_machines_are_written_off 0",
    "cash_covenants_hold_while_the_loan_is_outstanding 1",
)
"""Tests whose case is solved, with the number of their parameters."""

ParameterSet = type(pytest.param())
HAND = ("test_hand_solved", "test_hand_contracts", "test_hand_fleet", "test_hand_treasury")


# ---- the cases ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """A case in plain words, so that it can be made again by a program that was changed."""

    name: str
    scenario: str
    settings: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]


def trial(name: str, case: opt.Case, scenario: str) -> Trial:
    from optimizer.case import TABLE_NAMES

    tables = {table: [_plain(row.model_dump()) for row in case.rows(table)] for table in TABLE_NAMES}
    return Trial(name, scenario, _plain(case.settings.model_dump()), tables)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(cell) if isinstance(cell, Quarter) else cell for name, cell in row.items()}


class Harvested(Exception):
    """A test asked for a case to be solved; that is all we want of it."""

    def __init__(self, case: opt.Case, scenario: str):
        self.case, self.scenario = case, scenario


def by_hand() -> Iterator[Trial]:
    """The first case that each test with a sum done by hand solves."""

    def harvest(case: opt.Case, scenario: str | None = None, **_: Any) -> None:
        raise Harvested(case, scenario or case.rows("scenarios")[0].scenario)

    solve = opt.solve
    try:
        opt.solve = harvest  # type: ignore[assignment]
        for module in map(importlib.import_module, HAND):
            for name, test in inspect.getmembers(module, inspect.isfunction):
                if name.startswith("test_"):
                    yield from _harvest(name, test)
    finally:
        opt.solve = solve


def _harvest(name: str, test: Callable[..., None]) -> Iterator[Trial]:
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    choices = [[_arguments(mark.args[0], row) for row in mark.args[1]] for mark in marks]
    for i, chosen in enumerate(product(*choices)):
        arguments = {key: value for part in chosen for key, value in part.items()}
        if set(arguments) != set(inspect.signature(test).parameters):
            continue
        try:
            test(**arguments)
        except Harvested as found:
            yield trial(f"{name.removeprefix('test_')} {i}", found.case, found.scenario)


def _arguments(names: Any, row: Any) -> dict[str, Any]:
    """Arguments by name, from one row of a parametrised test."""
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    values = row.values if isinstance(row, ParameterSet) else row if len(names) > 1 else [row]
    return dict(zip(names, values, strict=True))


def trials() -> list[Trial]:
    """The fixed set of cases: random ones and those solved by hand in turn, and a shipped one."""
    from small_cases import scenario_of, small_case

    known = {made.name: made for made in by_hand()}
    seeds = [trial(f"small case {seed}", small_case(seed), scenario_of(seed)) for seed in SEEDS]
    shipped = opt.load_case(DATA / "washington_2025")
    others = [*(known[name] for name in SOLVED_BY_HAND), trial("washington_2025", shipped, "base")]
    return [made for pair in zip_longest(seeds, others) for made in pair if made is not None]


# ---- one process --------------------------------------------------------------------------------------------------


class Inside:
    """A solver's process that is none: its jobs carried out here, in a process that ends soon anyway."""

    def run(self, job: Any, *, tell: Any = None, time_limit: Any = None, stop: Any = lambda: False) -> Any:
        highs = importlib.import_module("optimizer.solver.highs")
        return highs._carry_out(job, tell or (lambda _: None), threading.Event())


@dataclass(frozen=True)
class Outcome:
    """What a case is worth, and doing nothing in it, in $M; None without a plan. `breaches` are the audit's words."""

    value: float | None
    nothing: float | None
    breaches: tuple[str, ...] = ()


def solve_and_audit(trial: Trial) -> Outcome:
    """With whatever program this process has. Raises what that program raises, but for a case that has no plan."""
    from optimizer import planner, solver
    from optimizer.audit import audit
    from optimizer.case import assemble
    from optimizer.errors import Infeasible

    solver.solver_process = lambda *_: nullcontext(Inside())  # type: ignore[assignment]
    planner._refuse_unsound = lambda *_: None
    rows = {name: [(None, dict(row)) for row in table] for name, table in trial.tables.items()}
    case = assemble(trial.settings, rows)
    try:
        plan = planner.solve(case, trial.scenario, gap=1e-9, seed=1, time_limit=30)
    except Infeasible:
        return Outcome(None, None)
    report = audit(case, plan)
    breaches = tuple(check.name for check in (*report.checks, *report.nothing) if not check.clean)
    return Outcome(plan.value_musd, plan.kpis["do_nothing_value_musd"], breaches)


def differs(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return not abs(one - other) <= TOLERANCE * max(1.0, abs(other))


def in_a_child(work: Callable[[Callable[[Any], None]], None], patience_s: float = PATIENCE_S) -> tuple[list[Any], str]:
    """What a function tells in a process of its own, and how that ended: "", "hang" or "died"."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _be_a_child(work, reader, writer)
    os.close(writer)
    said, deadline = b"", time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if select.select([reader], [], [], 1.0)[0]:
            block = os.read(reader, 1 << 16)
            said += block
            if not block:
                break
    else:
        os.kill(pid, signal.SIGKILL)
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    ending = "hang" if killed in (signal.SIGKILL, signal.SIGXCPU) else "died" if status else ""
    return [json.loads(line) for line in said.decode().splitlines(keepends=True) if line.endswith("\n")], ending


def _be_a_child(work: Callable[[Callable[[Any], None]], None], reader: int, writer: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.close(reader)
        resource.setrlimit(resource.RLIMIT_CPU, (HANG_S, HANG_S))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        warnings.simplefilter("ignore")
        work(lambda event: os.write(writer, (json.dumps(event) + "\n").encode()) and None)
        code = 0
    finally:
        os._exit(code)


# ---- the program without a bug ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """What the program without a bug makes of a trial, and which lines of which modules it runs."""

    trial: Trial
    known: Outcome
    lines: dict[str, frozenset[int]]

    def runs(self, edit: Edit) -> bool:
        return not edit.lines or not edit.lines.isdisjoint(self.lines.get(edit.module, ()))


def base_of(trial: Trial) -> dict[str, Any]:
    """The base of a trial as a record."""

    def work(tell: Callable[[Any], None]) -> None:
        known, lines = traced(lambda: solve_and_audit(trial))
        tell({"trial": trial.name, **vars(known), "lines": lines})

    told, ending = in_a_child(work)
    assert told, f"{trial.name}: {ending}"
    return told[0]


def bases(trials: Iterable[Trial], folder: Path) -> list[Base]:
    """Bases of trials, made once for each state of the program's source."""
    records = Records(folder / f"bases-{fingerprint()}")
    known = {record["trial"]: record for record in records.read()}
    made = []
    for trial in trials:
        if trial.name not in known:
            known[trial.name] = base_of(trial)
            records.add(known[trial.name])
        record = known[trial.name]
        outcome = Outcome(record["value"], record["nothing"], tuple(record["breaches"]))
        made.append(Base(trial, outcome, {module: frozenset(ran) for module, ran in record["lines"].items()}))
    return made


# ---- the program with a bug ---------------------------------------------------------------------------------------

CAUGHT_BY_ITSELF = ("refused", "broke down", "hang", "audit")
"""Verdicts that need no known optimum."""


def run_mutant(edit: Edit, among: Iterable[Base]) -> dict[str, Any]:
    """Plant a bug and solve the cases that run it until the audit objects; what came of it, as a record."""
    running = [base for base in among if base.runs(edit)]
    began = time.monotonic()

    def work(tell: Callable[[Any], None]) -> None:
        try:
            plant(edit)
        except Exception as error:
            tell({"verdict": "broke down", "case": "", "told": _words(error)})
            return
        _try_cases(running, tell)

    told, ending = in_a_child(work) if running else ([], "")
    if ending and not any(event["verdict"] in CAUGHT_BY_ITSELF for event in told):
        told.append({"verdict": "hang" if ending == "hang" else "broke down", "case": "", "told": ending})
    first = told[0] if told else {"verdict": "survived" if running else "never run", "case": "", "told": ""}
    alone = next((event for event in told if event["verdict"] in CAUGHT_BY_ITSELF), None)
    return {
        "mutant": edit.name,
        "kind": edit.kind,
        "module": edit.module,
        **first,
        "alone": None if alone is None else alone["verdict"],
        "cases": [base.trial.name for base in running] if first["verdict"] == "survived" else [],
        "seconds": round(time.monotonic() - began, 2),
    }


def _try_cases(running: list[Base], tell: Callable[[Any], None]) -> None:
    wrong = 0
    for base in running:
        event = judge(base)
        if event is not None:
            tell(event | {"case": base.trial.name})
            if event["verdict"] in CAUGHT_BY_ITSELF:
                return
        wrong += wrong > 0 or event is not None
        if wrong > MORE_FOR_THE_AUDIT:
            return


def judge(base: Base) -> dict[str, str] | None:
    """What gives a bug away in a case; None if nothing does."""
    known = base.known
    try:
        found = solve_and_audit(base.trial)
    except Exception as error:
        errors = importlib.import_module("optimizer.errors")
        ours = (getattr(errors, "PlanError", errors.SolverFault), errors.SolverFault, errors.NoPlan)
        refused = isinstance(error, ours) or type(error).__module__.startswith("optimizer.")
        return {"verdict": "refused" if refused else "broke down", "told": _words(error)}
    objections = [name for name in found.breaches if name not in known.breaches]
    if objections:
        return {"verdict": "audit", "told": "; ".join(objections[:4])}
    if differs(found.value, known.value) or differs(found.nothing, known.nothing):
        return {"verdict": "optimum", "told": f"{found.value}, {found.nothing} for {known.value}, {known.nothing}"}
    return None


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def warm(trial: Trial) -> None:
    """Import what every child needs."""
    from optimizer import planner
    from optimizer.audit import audit
    from optimizer.case import assemble
    from optimizer.solver.program import compile_model

    stale("model")
    case = assemble(trial.settings, {name: [(None, dict(row)) for row in rows] for name, rows in trial.tables.items()})
    compile_model(planner.build_model(case, trial.scenario))
    assert audit
    gc.collect()
    gc.freeze()


# ---- the campaign -------------------------------------------------------------------------------------------------


def campaign(chosen: list[Edit], among: list[Base], folder: Path) -> list[dict[str, Any]]:
    """Records of the planted bugs; those that lie in the folder are not made again."""
    records = Records(folder)
    done = {record["mutant"]: record for record in records.read()}
    kills = Counter(record["case"] for record in done.values())
    warm(among[0].trial)

    def run(edit: Edit, cases: list[Base], before: list[str]) -> None:
        record = run_mutant(edit, cases)
        done[edit.name] = record | {"cases": [*before, *record["cases"]]}
        kills[record["case"]] += 1
        records.add(done[edit.name])

    for edit in chosen:
        if edit.name not in done:
            running = sorted((base for base in among if base.runs(edit)), key=lambda base: -kills[base.trial.name])
            run(edit, running[:AT_FIRST], [])
    for edit in chosen:
        tried = done[edit.name]["cases"]
        rest = [base for base in among if base.runs(edit) and base.trial.name not in tried]
        if done[edit.name]["verdict"] == "survived" and rest:
            run(edit, rest, tried)
    return [done[edit.name] for edit in chosen]


def summary(records: list[dict[str, Any]]) -> str:
    """Figures of a campaign."""
    verdicts = Counter(record["verdict"] for record in records)
    alone = sum(record["alone"] is not None for record in records)
    caught = len(records) - verdicts["survived"] - verdicts["never run"]
    lines = [
        f"{len(records)} planted bugs: {caught} caught, {alone} of them without a known optimum",
        ", ".join(f"{name} {count}" for name, count in verdicts.most_common()),
    ]
    for what in ("module", "kind"):
        of = Counter(record[what] for record in records)
        left = Counter(record[what] for record in records if record["verdict"] in ("survived", "never run"))
        lines.append(", ".join(f"{name} {count - left[name]}/{count}" for name, count in of.most_common()))
    lines += [f"{r['verdict']}: {r['mutant']}" for r in records if r["verdict"] in ("survived", "never run")]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Plant bugs in the program and see which are caught.")
    parser.add_argument("folder", type=Path, help="where records are, or will be")
    parser.add_argument("--count", type=int, default=500, help="how many bugs; 500 unless said")
    parser.add_argument("--seed", type=int, default=1, help="which bugs are drawn; 1 unless said")
    told = parser.parse_args()
    among = bases(trials(), told.folder)
    print(summary(campaign(sample(told.count, told.seed), among, told.folder)))


if __name__ == "__main__":
    main()
