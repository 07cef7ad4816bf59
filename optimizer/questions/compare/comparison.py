"""A comparison: what differs between plans, each against the first, in sentences and tidy tables."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from optimizer.case.folder import cell_text
from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import decisions_of, moved
from optimizer.plan.figures.room import growth
from optimizer.plan.plan import Plan
from optimizer.questions.compare.figures import kpi_changes, kpi_table, megawatt_changes, money_changes
from optimizer.questions.compare.grounds import grounds, refuse_other_money
from optimizer.questions.compare.inputs import change_lines, changes_table, in_both_horizons, input_changes
from optimizer.questions.compare.timing import common_date
from optimizer.questions.studies.study import Study


@dataclass(frozen=True)
class Span:
    """A difference of values, $M: of the plans as they are, and between what the best plans could be worth."""

    first_musd: float
    second_musd: float
    low_musd: float
    high_musd: float

    @property
    def change_musd(self) -> float:
        return self.second_musd - self.first_musd

    @property
    def distinguishable(self) -> bool:
        """Whether the gaps of the two plans leave no doubt which is worth more."""
        return not self.low_musd <= 0.0 <= self.high_musd


@dataclass(frozen=True)
class Pair:
    """Two plans compared.

    `grounds` says first what makes them unlike as a whole; `inputs` has a row for each cell that differs and
    `input_lines` the same in (group, sentence); `moved` tells the decisions that differ. `megawatts`, `money` and
    `kpis` hold what differs by quarter and in all. `value` is at the start of `date`. `bridge` is there once solved.
    """

    first: Plan
    second: Plan
    date: Quarter
    value: Span
    grounds: tuple[str, ...]
    inputs: pd.DataFrame
    input_lines: tuple[tuple[str, str], ...]
    moved: tuple[str, ...]
    megawatts: pd.DataFrame
    money: pd.DataFrame
    kpis: pd.DataFrame
    bridge: Study | None = None

    @property
    def same(self) -> bool:
        """Whether the two are one and the same plan."""
        return self.first.run_id == self.second.run_id

    @property
    def empty(self) -> bool:
        """Whether nothing differs: no input, no decision, no figure."""
        tables = (self.inputs, self.megawatts, self.money, self.kpis)
        return not self.grounds and not self.moved and all(table.empty for table in tables)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        told = {
            "inputs": self.inputs,
            "moved": pd.DataFrame({"words": list(self.moved)}, dtype=str),
            "megawatts": self.megawatts, "money": self.money, "kpis": self.kpis,
        }  # fmt: skip
        if self.bridge is None:
            return told
        return told | {"bridge": self.bridge.tables["lines"], "bridge_moves": self.bridge.tables["moves"]}

    def record(self) -> dict[str, Any]:
        """The comparison as plain data, for JSON; missing numbers are null."""
        return {
            "first": _named(self.first),
            "second": _named(self.second),
            "value": {
                "date": str(self.date), "first_musd": self.value.first_musd, "second_musd": self.value.second_musd,
                "change_musd": self.value.change_musd, "low_musd": self.value.low_musd,
                "high_musd": self.value.high_musd, "distinguishable": self.value.distinguishable,
            },
            "grounds": list(self.grounds),
            "input_lines": [{"group": group, "words": words} for group, words in self.input_lines],
            "moved": list(self.moved),
            "tables": {name: _plain(table) for name, table in self.tables.items() if name != "moved"},
            "bridge": None if self.bridge is None else self.bridge.record(),
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class Comparison:
    """Plans compared, each against the first; `kpis` has a column for each plan, `names` tell them apart."""

    names: tuple[str, ...]
    pairs: tuple[Pair, ...]
    kpis: pd.DataFrame = field(repr=False)

    @property
    def empty(self) -> bool:
        return all(pair.empty for pair in self.pairs)

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every table by its name; from the third plan on with the plan's number: `inputs-3`."""
        tables: dict[str, pd.DataFrame] = {}
        for number, pair in enumerate(self.pairs, start=2):
            suffix = "" if number == 2 else f"-{number}"
            tables |= {f"{name}{suffix}": table for name, table in pair.tables.items()}
        return tables | {"all_kpis": self.kpis}

    def __repr__(self) -> str:
        return f"<Comparison of {'; '.join(self.names)}>"

    def summary(self) -> str:
        """The comparison in words, as the command line tells it."""
        from rich.console import Console

        from optimizer.questions.compare.telling import WIDTH, print_comparison

        console = Console(width=WIDTH, highlight=False, file=io.StringIO())
        print_comparison(self, console)
        text = console.file
        assert isinstance(text, io.StringIO)
        return text.getvalue()

    def record(self) -> dict[str, Any]:
        """The comparison as plain data, for JSON."""
        return {"pairs": [pair.record() for pair in self.pairs], "kpis": _plain(self.kpis)}


def compare_plans(plans: Sequence[Plan], names: Sequence[str] = ()) -> Comparison:
    """Compare plans, each against the first; `names` tell them apart, case and scenario unless given.

    Raises PlanError for plans in different money.
    """
    first, *others = plans
    names = tuple(names) if len(set(names)) == len(plans) else _names(plans)
    return Comparison(names, tuple(_pair(first, other) for other in others), kpi_table(plans, names))


def with_bridges(comparison: Comparison, bridges: Sequence[Study | None]) -> Comparison:
    """The comparison with the bridge of each pair."""
    pairs = zip(comparison.pairs, bridges, strict=True)
    return replace(comparison, pairs=tuple(replace(pair, bridge=bridge) for pair, bridge in pairs))


def _pair(a: Plan, b: Plan) -> Pair:
    refuse_other_money(a, b)
    changes = input_changes(a.case, b.case, a.scenario, b.scenario)
    return Pair(
        first=a,
        second=b,
        date=common_date(a, b),
        value=value_span(a, b),
        grounds=tuple(grounds(a, b)),
        inputs=changes_table(changes),
        input_lines=tuple(change_lines(in_both_horizons(changes, a.case, b.case))),
        moved=tuple(moved(decisions_of(a), decisions_of(b))),
        megawatts=megawatt_changes(a, b),
        money=money_changes(a, b),
        kpis=kpi_changes(a, b),
    )


def value_span(a: Plan, b: Plan) -> Span:
    """The two values at the common date, and the interval `[V_B - U_A, U_B - V_A]` of their bounds."""
    date = common_date(a, b)
    (va, ua), (vb, ub) = (
        (plan.value_musd * growth(plan, date), plan.bound_musd * growth(plan, date)) for plan in (a, b)
    )
    if a.run_id == b.run_id:
        return Span(va, vb, 0.0, 0.0)
    return Span(va, vb, vb - ua, ub - va)


def _names(plans: Sequence[Plan]) -> tuple[str, ...]:
    """`case, scenario` for each plan; the run id too where that is not enough to tell them apart."""
    names = [f"{plan.case.settings.name}, {plan.scenario}" for plan in plans]
    names = [
        name if names.count(name) == 1 else f"{name}, run {plan.run_id}"
        for name, plan in zip(names, plans, strict=True)
    ]
    return tuple(name if names.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(names, start=1))


def _named(plan: Plan) -> dict[str, Any]:
    return {
        "case": plan.case.settings.name, "scenario": plan.scenario, "run_id": plan.run_id, "word": plan.word,
        "value_musd": plan.value_musd, "bound_musd": plan.bound_musd, "first_quarter": str(plan.case.first),
    }  # fmt: skip


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain data; missing numbers become None."""
    return [
        {
            name: None
            if value is None or value != value
            else value
            if isinstance(value, int | float)
            else cell_text(value)
            for name, value in row.items()
        }
        for row in table.to_dict("records")
    ]
