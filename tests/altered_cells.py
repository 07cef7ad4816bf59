"""Plans with one cell altered: what a slip of a hand, a bad merge or a wrong formula would do to a plan folder.

`python tests/altered_cells.py FOLDER --count 1200` solves cases, alters one thing in a plan at a time and lets the
audit judge it. Each alteration is drawn by lot from its number, so that any of them can be looked at again.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from mutant_cases import Trial, trials
from records import Records

import optimizer as opt
from optimizer.auditors import audit
from optimizer.case.case import assemble
from optimizer.plan.tables import NUMERIC

A_DOLLAR, TEN_CENTS, A_CENT = 1e-6, 1e-7, 1e-8
"""In $M. The audit allows for ten cents in a flow and for a dollar in a value; two dollars must be found anywhere."""

NUMBERS: dict[str, Callable[[float], float]] = {
    "a thousandth": lambda x: x * 1.001,
    "a unit": lambda x: x + 1,
    "tenfold": lambda x: x * 10,
    "sign": lambda x: -x,
    "two dollars": lambda x: x + 2 * A_DOLLAR,
    "a dollar": lambda x: x + A_DOLLAR,
    "ten cents": lambda x: x + TEN_CENTS,
    "a cent": lambda x: x - A_CENT,
}
MONEY_ONLY = ("two dollars", "a dollar", "ten cents", "a cent")
BELOW_THE_AUDIT = ("a dollar", "ten cents", "a cent")
ROWS = ("row gone", "row twice", "rows swapped")
STATED = ("value_musd", "objective_musd", "bound_musd")
PLANS = (
    "washington_2025", "small case 1", "small case 3", "small case 6", "small case 7", "small case 10",
    "terms_work_on_each_other_in_their_order 0",
    "machines_move_in_place_of_weaker_ones_where_that_pays 0",
    "an_own_plant_feeds_machines_up_to_its_capacity 0",
    "gpus_are_refreshed_again_and_again 0",
    "a_contract_may_be_short_while_its_hall_ramps 1",
    "a_loan_is_prepaid_from_all_free_cash 0",
    "interest_overheads_and_sales_are_taxed_and_the_tenants_money_lowers_the_base 0",
    "mined_bitcoin_is_kept_where_the_policy_allows_and_the_price_rises 0",
)  # fmt: skip


@dataclass(frozen=True)
class Altered:
    """A plan with one thing altered, and what was."""

    plan: opt.Plan
    kind: str
    place: str
    words: str


def altered(plan: opt.Plan, number: int) -> Altered:
    """The alteration of this number; drawn again where it would leave the plan as it is."""
    rng = random.Random(f"altered cell {number}")
    while True:
        made = _draw(plan, rng)
        if made is not None:
            return made


def _draw(plan: opt.Plan, rng: random.Random) -> Altered | None:
    if rng.random() < 0.15:
        return _alter_figure(plan, rng)
    whose = "nothing" if plan.nothing is not None and rng.random() < 0.25 else "tables"
    tables = getattr(plan, whose)
    name = rng.choice([name for name, table in tables.items() if len(table)])
    drawn = _alter_rows(tables[name], rng) if rng.random() < 0.2 else _alter_cell(tables[name], rng)
    if drawn is None:
        return None
    kind, column, words, table = drawn
    if _content(table) == _content(tables[name]):
        return None
    changed = replace(plan, **{whose: {**tables, name: table}})
    return Altered(changed, kind, f"{'' if whose == 'tables' else 'nothing/'}{name}.{column}", words)


def _content(table: pd.DataFrame) -> list[str]:
    """The rows of a table, whatever their order."""
    return sorted(map(str, table.itertuples(index=False, name=None)))


Drawn = tuple[str, str, str, pd.DataFrame]


def _alter_cell(table: pd.DataFrame, rng: random.Random) -> Drawn | None:
    table = table.copy()
    i, column = rng.randrange(len(table)), rng.choice(list(table.columns))
    before = table[column].iloc[i]
    if NUMERIC.fullmatch(column) or isinstance(before, float):
        kind, after = _other_number(float(before), "musd" in column, rng)
    else:
        kind, after = "text", _other_word(table[column], str(before), rng)
    if after is None:
        return None
    table.iloc[i, table.columns.get_loc(column)] = after
    return kind, column, f"row {i}: {before} -> {after}", table


def _other_number(before: float, money: bool, rng: random.Random) -> tuple[str, float | None]:
    kind = rng.choice([name for name in NUMBERS if money or name not in MONEY_ONLY])
    if before != before:
        return "blank filled", 1.0
    after = NUMBERS[kind](before)
    smallest = 0.0 if kind in MONEY_ONLY else A_DOLLAR
    return kind, after if abs(after - before) > smallest else None


def _other_word(column: pd.Series, before: str, rng: random.Random) -> str | None:
    others = sorted(set(map(str, column)) - {before})
    return rng.choice(others) if others else None


def _alter_rows(table: pd.DataFrame, rng: random.Random) -> Drawn | None:
    kind, i = rng.choice(ROWS), rng.randrange(len(table))
    if kind == "row gone":
        return kind, "*", f"row {i}", table.drop(index=table.index[i]).reset_index(drop=True)
    if kind == "row twice":
        return kind, "*", f"row {i}", pd.concat([table, table.iloc[[i]]], ignore_index=True)
    quarters = [name for name in table.columns if name.endswith("quarter")]
    if not quarters or len(table) < 2:
        return None
    j, column = rng.randrange(len(table)), rng.choice(quarters)
    table, where = table.copy(), table.columns.get_loc(column)
    table.iloc[i, where], table.iloc[j, where] = table.iloc[j, where], table.iloc[i, where]
    return kind, column, f"rows {i} and {j}", table


def _alter_figure(plan: opt.Plan, rng: random.Random) -> Altered | None:
    """A KPI, or what a plan states beside its tables."""
    if rng.random() < 0.3:
        name = rng.choice(STATED)
        kind, after = _other_number(getattr(plan, name), True, rng)
        return None if after is None else Altered(replace(plan, **{name: after}), kind, name, f"-> {after}")
    name = rng.choice(list(plan.kpis))
    before = plan.kpis[name]
    if before is None:
        kind, after = "blank filled", 1.0
    elif isinstance(before, str):
        kind, after = "text", rng.choice([str(t) for t in plan.case.horizon if str(t) != before])
    else:
        kind, after = _other_number(float(before), "musd" in name, rng)
    if after is None:
        return None
    changed = replace(plan, kpis={**plan.kpis, name: after})
    return Altered(changed, kind, f"kpis.{name}", f"{before} -> {after}")


# ---- the campaign -------------------------------------------------------------------------------------------------


@cache
def _trials() -> dict[str, Trial]:
    return {made.name: made for made in trials()}


@cache
def solved(name: str) -> opt.Plan:
    made = _trials()[name]
    case = assemble(made.settings, {table: [(None, row) for row in rows] for table, rows in made.tables.items()})
    return opt.solve(case, made.scenario, gap=1e-9, seed=1)


def judged(plan: opt.Plan, number: int) -> dict[str, Any]:
    """What the audit says to an alteration, as a record."""
    made = altered(plan, number)
    report = audit(plan.case, made.plan)
    broken = [check.name for check in (*report.checks, *report.nothing) if not check.clean]
    return {"number": number, "kind": made.kind, "place": made.place, "words": made.words, "broken": broken[:4]}


def campaign(folder: Path, count: int) -> Iterator[dict[str, Any]]:
    """Records of alterations; each plan takes its turn, and those that lie in the folder are not made again."""
    records = Records(folder)
    done = {record["number"]: record for record in records.read()}
    for number in range(count):
        if number not in done:
            name = PLANS[number % len(PLANS)]
            done[number] = {"plan": name} | judged(solved(name), number)
            records.add(done[number])
        yield done[number]


def summary(records: list[dict[str, Any]]) -> str:
    """Figures of a campaign, and what survived."""
    lines = []
    for what in ("kind", "plan"):
        of = Counter(record[what] for record in records)
        caught = Counter(record[what] for record in records if record["broken"])
        lines.append(", ".join(f"{name} {caught[name]}/{count}" for name, count in of.most_common()))
    must = [record for record in records if record["kind"] not in BELOW_THE_AUDIT]
    found = sum(bool(record["broken"]) for record in must)
    lines.append(f"{len(records)} alterations, {len(must)} above the audit's tolerances: {found} found")
    lines += [str(record) for record in records if not record["broken"]]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Alter cells of plans and let the audit judge.")
    parser.add_argument("folder", type=Path, help="where records are, or will be")
    parser.add_argument("--count", type=int, default=1200, help="how many; 1200 unless said")
    told = parser.parse_args()
    print(summary(list(campaign(told.folder, told.count))))


if __name__ == "__main__":
    main()
