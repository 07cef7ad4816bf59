"""Regret: every plan's here-and-now decisions held under every scenario, and what can be committed to now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from optimizer.ground.findings import Finding, InputError
from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import DECIMALS, TOLD_MUSD, Decisions, decisions_of
from optimizer.plan.plan import Plan
from optimizer.questions.studies.sentences import told_clash
from optimizer.questions.studies.shared import COMMIT, WAIT, shared_decisions
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.family import Compiled, compile_case
from optimizer.questions.sweeps.holding import as_columns, hold, taken_by
from optimizer.questions.sweeps.outcomes import FAILURES, UNSOLVED, WORDS, Outcome, outcome_of
from optimizer.questions.sweeps.reading import decisions_in
from optimizer.questions.sweeps.runner import Landed, Question, Sweep
from optimizer.questions.sweeps.shortage import elastic, least_missing, missing_in, missing_no_more

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
EXACT = 1e-9
"""Gap at which the least that is missing is sought."""


@dataclass(frozen=True)
class Cell:
    """One plan under one scenario: value and bound with its decisions held, $M, and what is missing by quarter, $M.

    Without a value, `why` says why the plan cannot be kept; or, where `outcome` says so, why that is not known.
    """

    value_musd: float
    bound_musd: float
    missing: Mapping[Quarter, float] = field(default_factory=dict)
    why: str = ""
    outcome: Outcome = "infeasible"

    @property
    def unsolved(self) -> str:
        """`out of time` or `not solved`; nothing where it is known what becomes of the plan."""
        return WORDS[self.outcome] if self.why and self.outcome in UNSOLVED else ""

    @classmethod
    def without_value(cls, landed: Landed) -> Cell:
        return cls(NAN, NAN, why=told_clash(landed.why), outcome=landed.outcome)

    @property
    def short_musd(self) -> float:
        """Liquidity that is missing in the worst quarter; NaN where the plan cannot be kept at all."""
        return NAN if self.why else max(self.missing.values(), default=0.0)

    @property
    def words(self) -> str:
        if self.why:
            return f"{self.unsolved or 'cannot be kept'}: {self.why}"
        if not self.missing:
            return ""
        worst = max(self.missing, key=lambda t: (round(self.missing[t], DECIMALS), -t))
        return (
            f"${self.short_musd:,.1f}M of liquidity is missing in {worst}, and some in {len(self.missing)} quarters "
            f"from {min(self.missing)}; the value is what remains if it is found, free of charge"
        )


@dataclass(frozen=True)
class Best:
    """What is best in a scenario on its own: value and bound, $M, and what is decided; None where there is no plan.

    `unsolved` is the word where that is not known.
    """

    value_musd: float
    bound_musd: float
    decisions: Decisions | None
    unsolved: str = ""


def regret(
    plans: Sequence[Plan], scenarios: Sequence[str] | None = None, *, names: Sequence[str] | None = None,
    gap: float = 1e-4, sweep: Sweep | None = None,
) -> Study:  # fmt: skip
    """Hold every plan's here-and-now decisions under every scenario, decide the rest again, and compare.

    Scenarios are those of the first plan's case, all unless named; plans may be of its scenarios, or of variants of
    it, and are called by `names`, or by their scenarios. Held are starts, signings and their sizes, refreshes and
    machines; sales at market, debt, BTC and running are decided again. Where liquidity cannot be kept, the study says
    what is missing. Raises InputError for an unknown scenario or no plan.
    """
    table = Cross(plans, scenarios, gap, Sweep() if sweep is None else sweep, names)
    return _study(table)


@dataclass
class Cross:
    """The table of plans by scenarios, solved."""

    plans: Sequence[Plan]
    asked: Sequence[str] | None
    gap: float
    sweep: Sweep
    called: Sequence[str] | None = None
    names: list[str] = field(init=False)
    scenarios: list[str] = field(init=False)
    cells: dict[tuple[str, str], Cell] = field(init=False)
    best: dict[str, Best] = field(init=False)

    def __post_init__(self) -> None:
        if not self.plans:
            raise InputError([Finding("plans", "there is none", "name a plan or more")])
        self.case = self.plans[0].case
        known = [row.scenario for row in self.case.scenarios]
        self.scenarios = list(dict.fromkeys(known if self.asked is None else self.asked))
        if strange := [name for name in self.scenarios if name not in known]:
            raise InputError(
                [
                    Finding(
                        "scenarios.csv", "is no scenario of this case", f"one of {', '.join(known)}", value=strange[0]
                    )
                ]
            )
        self.names = _names(self.plans) if self.called is None else _numbered(self.called)
        self.cells, self.best = {}, {}
        for scenario in self.scenarios:
            self._solve(scenario)

    def _solve(self, scenario: str) -> None:
        """One scenario: its own best, and every plan held; where that cannot be, with what is missing."""
        try:
            compiled = compile_case(self.case, scenario)
        except FAILURES as error:
            cell = Cell(NAN, NAN, why=str(error).split("\n")[0], outcome=outcome_of(error))
            self.best[scenario] = Best(NAN, NAN, None, cell.unsolved)
            self.cells |= {(name, scenario): cell for name in self.names}
            return
        taken = {name: taken_by(plan) for name, plan in zip(self.names, self.plans, strict=True)}
        held = {name: hold(taken[name], compiled, self.case, scenario) for name in self.names}
        unfit = {name: why for name, why in held.items() if isinstance(why, str)}
        kept = {name: one for name, one in held.items() if not isinstance(one, str)}
        own = next((plan for plan in self.plans if plan.scenario == scenario and plan.case == self.case), None)
        first = [Question(one.program, self.gap) for one in kept.values()]
        best = self._best_question(compiled, scenario, own)
        landed = self.sweep.ask([*first, best])
        answers = dict(zip(kept, landed, strict=False))
        self.best[scenario] = self._best(compiled, scenario, landed[-1])
        for name in self.names:
            if unfit.get(name):
                cell = Cell(NAN, NAN, why=unfit[name])
            elif answers[name].has_plan:
                cell = Cell(answers[name].value_musd, answers[name].bound_musd)
            elif answers[name].unsolved:
                cell = Cell.without_value(answers[name])
            else:
                cell = self._short(kept[name])
            self.cells[name, scenario] = cell

    def _best_question(self, compiled: Compiled, scenario: str, own: Plan | None) -> Question:
        """A scenario on its own, begun from the plan that was made for it, if there is one."""
        if own is None:
            return Question(compiled.program, self.gap)
        start = np.where(compiled.program.integers, as_columns(taken_by(own), compiled, self.case), np.nan)
        return Question(compiled.program, self.gap, start=start)

    def _best(self, compiled: Compiled, scenario: str, landed: Landed) -> Best:
        """The better of the answer and the plan that was given for this scenario, which may be proven closer."""
        if not landed.has_plan:
            return Best(NAN, NAN, None, WORDS[landed.outcome] if landed.unsolved else "")
        value, bound = landed.value_musd, landed.bound_musd
        decisions = decisions_in(self.case, scenario, compiled, landed.vector)
        for plan in self.plans:
            if plan.scenario == scenario and plan.case == self.case:
                bound = min(bound, plan.bound_musd)
                if plan.value_musd >= value - self.gap * abs(value):
                    value, decisions = max(value, plan.value_musd), decisions_of(plan)
        return Best(value, max(value, bound), decisions)

    def _short(self, compiled: Compiled) -> Cell:
        """The least that is missing, all quarters together, and the best value with no more than that."""
        loose = elastic(compiled)
        [least] = self.sweep.ask([Question(least_missing(loose).program, EXACT, gap_musd=EXACT)])
        if not least.has_plan:
            return Cell.without_value(least)
        capped = missing_no_more(loose, -least.value_musd)
        [landed] = self.sweep.ask([Question(capped.program, self.gap)])
        if not landed.has_plan:
            return Cell.without_value(landed)
        return Cell(landed.value_musd, landed.bound_musd, missing_in(capped, landed.vector))

    def unsolved(self) -> Iterator[str]:
        """What of the table came to no answer."""
        for (name, scenario), cell in self.cells.items():
            if cell.unsolved:
                yield f"{cell.unsolved}: the plan for {name} in {scenario}"
        for scenario, best in self.best.items():
            if best.unsolved:
                yield f"{best.unsolved}: the best plan of {scenario}"

    def regret(self, name: str, scenario: str) -> tuple[float, float]:
        """At least and at most what a plan falls short of the scenario's own best, $M; NaN where it cannot be kept."""
        cell, best = self.cells[name, scenario], self.best[scenario]
        ends = best.value_musd - cell.bound_musd, best.bound_musd - cell.value_musd
        least, most = (NAN if isnan(end) else round(max(0.0, end), 6) for end in ends)
        return least, most


def _names(plans: Sequence[Plan]) -> list[str]:
    """A name for each plan: its scenario, its case where these differ, a number where that is not enough."""
    cases = {plan.case.settings.name for plan in plans}
    names = [plan.scenario if len(cases) == 1 else f"{plan.case.settings.name} {plan.scenario}" for plan in plans]
    return _numbered(names)


def _numbered(names: Sequence[str]) -> list[str]:
    names = list(names)
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})" for i, name in enumerate(names)
    ]


# ---- told ---------------------------------------------------------------------------------------------------------


def _study(cross: Cross) -> Study:
    import pandas as pd

    values, regrets, worst = [], [], []
    for name in cross.names:
        for scenario in cross.scenarios:
            cell = cross.cells[name, scenario]
            values.append((name, scenario, cell.value_musd, cell.bound_musd, cell.short_musd, cell.words))
            least, most = cross.regret(name, scenario)
            regrets.append((name, scenario, most, least, most))
        worst.append(_worst(cross, name))
    own = {scenario: best.decisions for scenario, best in cross.best.items() if best.decisions is not None}
    all_known = not any(best.unsolved for best in cross.best.values())
    decisions = shared_decisions(own) if len(own) > 1 and all_known else []
    best = [(scenario, best.value_musd, best.bound_musd) for scenario, best in cross.best.items()]
    tables = {
        "values": pd.DataFrame(values, columns=["plan", "scenario", "value_musd", "bound_musd", "short_musd", "words"]),
        "regret": pd.DataFrame(regrets, columns=_REGRET),
        "plans": pd.DataFrame(worst, columns=_WORST),
        "best": pd.DataFrame(best, columns=["scenario", "value_musd", "bound_musd"]),
        "decisions": pd.DataFrame(decisions, columns=["decision", "words", "scenarios", "verdict"]),
    }
    first = cross.plans[0]
    about = {
        "case": first.case.settings.name, "scenario": first.scenario, "run_id": first.run_id, "gap": cross.gap,
        "run_ids": [plan.run_id for plan in cross.plans], "scenarios": cross.scenarios,
    }  # fmt: skip
    study = Study("regret", _title(cross, tables["plans"]), _words(cross, tables, own), tables, about)
    return as_far_as_solved(study, list(cross.unsolved()))


_REGRET = ["plan", "scenario", "regret_musd", "regret_low_musd", "regret_high_musd"]
_WORST = ["plan", "worst_regret_musd", "worst_scenario", "worst_value_musd", "worst_short_musd", "words"]


def _worst(cross: Cross, name: str) -> tuple[str, float, str, float, float, str]:
    """A plan's largest regret and where, its lowest value, the most that is missing; NaN where that is not known."""
    cells = {scenario: cross.cells[name, scenario] for scenario in cross.scenarios}
    unkept = [scenario for scenario, cell in cells.items() if cell.why]
    if unkept:
        return name, NAN, unkept[0], NAN, NAN, _unkept_words({scenario: cells[scenario] for scenario in unkept})
    unknown = {scenario: best.unsolved for scenario, best in cross.best.items() if best.unsolved}
    if unknown:
        words = "; ".join(f"{word}: the best plan of {scenario}" for scenario, word in unknown.items())
        return name, NAN, next(iter(unknown)), NAN, NAN, words
    there = [scenario for scenario in cross.scenarios if not np.isnan(cross.best[scenario].value_musd)]
    regrets = {scenario: cross.regret(name, scenario)[1] for scenario in there}
    most = max(regrets, key=lambda s: regrets[s], default="")
    short = {scenario: cell.short_musd for scenario, cell in cells.items() if cell.short_musd > 0}
    words = f"liquidity is missing in {', '.join(short)}" if short else ""
    lowest = min(cell.value_musd for cell in cells.values())
    return name, regrets.get(most, NAN), most, lowest, max(short.values(), default=0.0), words


def _unkept_words(cells: Mapping[str, Cell]) -> str:
    """`cannot be kept in bear; out of time in base`"""
    by_word: dict[str, list[str]] = defaultdict(list)
    for scenario, cell in cells.items():
        by_word[cell.unsolved or "cannot be kept"].append(scenario)
    return "; ".join(f"{word} in {', '.join(scenarios)}" for word, scenarios in by_word.items())


def _title(cross: Cross, plans: pd.DataFrame) -> str:
    sound = plans[(plans["words"] == "") & plans["worst_regret_musd"].notna()]
    over = f"{len(cross.scenarios)} scenario{'s' * (len(cross.scenarios) != 1)}"
    if not len(sound):
        return f"None of the plans can be kept in all of {over} with its liquidity"
    least = sound.loc[sound["worst_regret_musd"].idxmin()]
    most = least["worst_regret_musd"]
    regrets = f"at most ${most:,.1f}M, in {least['worst_scenario']}" if most >= TOLD_MUSD else "nothing anywhere"
    if len(plans) == 1:
        return f"Held in {over}, the plan for {least['plan']} regrets {regrets}"
    return (
        f"Of {len(plans)} plans held in {over}, that for {least['plan']} is never short of money and regrets "
        f"least: {regrets}"
    )


def _words(cross: Cross, tables: Mapping[str, pd.DataFrame], own: Mapping[str, Decisions]) -> tuple[str, ...]:
    told = [
        "Held are starts, signings with their sizes, GPU refreshes and machines; sales at market, debt, BTC and which "
        "machines run are decided again in each scenario. A regret is the most that the scenario's own best plan can "
        "be worth above the plan held."
    ]
    for row in tables["values"].itertuples():
        if row.words:
            told.append(f"The plan for {row.plan} in {row.scenario}: {row.words}.")
    alone = [name for name in cross.scenarios if name not in own and not cross.best[name].unsolved]
    told += [f"{name} has no plan of its own." for name in alone]
    by_verdict: dict[str, list[str]] = defaultdict(list)
    for row in tables["decisions"].itertuples():
        by_verdict[row.verdict].append(row.words)
    if len(own) > 1 and not any(best.unsolved for best in cross.best.values()):
        shared, others = by_verdict[COMMIT], by_verdict[WAIT]
        every = f"Every scenario's own best plan ({', '.join(own)})"
        told.append(
            f"{every} takes: {'; '.join(shared)}." if shared else f"{every} shares no decision with the others."
        )
        told.append(f"They differ in: {'; '.join(others)}." if others else "They differ in nothing.")
    return tuple(told)
