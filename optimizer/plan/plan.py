"""A plan: a solved case as plain tables, with its bound, its KPIs and where it came from. Knows no solver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from optimizer.ground.amounts import margin_musd, share_words
from optimizer.plan.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.case import Case

Status = Literal["optimal", "limit", "interrupted"]

SCHEMA = 4
"""Version of the plan folder's format."""


@dataclass(frozen=True, repr=False)
class Plan:
    """The solved plan of one scenario of a case.

    `tables` maps the names of `TABLES` to tidy DataFrames (each is an attribute too: `plan.allocation`); money is $M,
    power MW, and every table carries the scenario. `kpis` holds the figures a summary shows, `provenance` the versions,
    options and the hash of every input, `run` what differs from run to run (times). `nothing` holds the same tables
    for the plan that decides nothing; it is None where commitments and policies cannot be kept that way. `mining_on`
    holds them for the best plan without new halls and contracts that keeps every rule; None where there is none.
    `objective_musd` is the value by the solver's own sum. `proof` tells of the second search (empty in a draft), and
    `edited` what was changed in the folder since it was written.
    """

    case: Case
    scenario: str
    status: Status
    value_musd: float
    objective_musd: float
    bound_musd: float
    proof: Mapping[str, Any]
    kpis: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    nothing: Mapping[str, pd.DataFrame] | None
    provenance: Mapping[str, Any]
    mining_on: Mapping[str, pd.DataFrame] | None = None
    run: Mapping[str, Any] = field(default_factory=dict, compare=False)
    log: str = field(default="", compare=False)
    edited: tuple[str, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        return f"<Plan of {self.case.settings.name}, {self.scenario}: ${self.value_musd:,.1f}M, {self.word}>"

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name in TABLES:
            return self.tables[name]
        raise AttributeError(name)

    @property
    def gap_musd(self) -> float:
        """Most that any plan could be worth above this one, $M."""
        return max(0.0, self.bound_musd - self.value_musd)

    @property
    def gap(self) -> float:
        """`gap_musd` as a share of the plan's value."""
        return self.gap_musd / max(abs(self.value_musd), 1e-9)

    @property
    def word(self) -> str:
        """PROVEN (two proofs), GAP x% ($y) (one), or NOT PROVEN: every output repeats it."""
        if self.edited:
            return "EDITED SINCE IT WAS SOLVED"
        if self.status != "optimal":
            return "NOT PROVEN"
        return "PROVEN" if self._proven else f"GAP {self._gap_words}"

    @property
    def _gap_words(self) -> str:
        return f"{share_words(self.gap)} ({margin_musd(self.gap_musd)})"

    @property
    def _filed_word(self) -> str:
        """The word as folders of this format have always held it, however a gap next to none is told today."""
        return f"GAP {self.gap:.4%} (${self.gap_musd:,.3f}M)" if self.word.startswith("GAP") else self.word

    @property
    def _proven(self) -> bool:
        """Two searches agree, of this plan and of doing nothing: none is better by more than the proof's margin."""
        agreed = self.proof.get("holds") is True and self.proof.get("doing_nothing") is True
        return agreed and self.gap_musd <= float(self.proof["margin_musd"])

    @property
    def status_words(self) -> str:
        """The word with what stands behind it."""
        if self.edited:
            return f"{self.word}: {'; '.join(self.edited)}"
        gap = f"gap {self._gap_words}"
        if self.status != "optimal":
            return f"{self.word}: {self.provenance.get('ended', self.status)}, {gap}"
        if self._proven:
            return f"{self.word}: {gap}, and {self.proof['words']}"
        why = self.proof.get("words", "solved once, not proven twice")
        return f"{self.word}, a draft: {why}"

    @property
    def texts(self) -> dict[str, str]:
        """Every file of the plan folder that two equal solves share, by its path in the folder."""
        from optimizer.plan.texts import plan_texts

        return plan_texts(self.to_json(), self.case, self.tables, self.nothing, self.mining_on)

    @cached_property
    def run_id(self) -> str:
        """Short hash of everything but this run's times and log: equal plans have equal ids."""
        from optimizer.plan.texts import run_id

        return run_id(self.texts)

    @cached_property
    def statement(self) -> pd.DataFrame:
        """The cash-flow statement: lines by quarters, all sites together, with opening and closing cash."""
        import pandas as pd

        from optimizer.business.lines import LINES

        quarters = list(self.cash["quarter"])
        pivot = of_one_scenario(self.cash_flow).pivot_table(
            index="line", columns="quarter", values="musd", aggfunc="sum"
        )
        lines = [line for line in LINES if line in pivot.index]
        body = pivot.reindex(index=lines, columns=quarters).fillna(0.0)
        ends = self.cash.set_index("quarter")[["opening_musd", "closing_musd"]].T
        ends.index = pd.Index(["opening_cash", "closing_cash"], name="line")
        return pd.concat([ends.iloc[:1], body, ends.iloc[1:]])

    @cached_property
    def programme_rates(self) -> tuple[float, ...]:
        """Every yearly rate at which what the plan adds to doing nothing is worth nothing, lowest first.

        `kpis["unlevered_return"]` is the only one, where there is one and the worth falls there.
        """
        from optimizer.plan.returns import programme_rates

        if self.nothing is None:
            return ()
        return tuple(rate.yearly for rate in programme_rates(self.case, self.tables, self.nothing))

    @cached_property
    def levered_rates(self) -> tuple[float, ...]:
        """The same of what is left for shareholders, after lenders' and customers' money."""
        from optimizer.business.lines import LEVERED_LINES
        from optimizer.plan.returns import programme_rates

        if self.nothing is None:
            return ()
        return tuple(rate.yearly for rate in programme_rates(self.case, self.tables, self.nothing, LEVERED_LINES))

    def missing(self, kpi: str) -> str:
        """What is told in place of a KPI that the plan does not have: `several` returns, or `none`."""
        several = {"unlevered_return": self.programme_rates, "levered_return": self.levered_rates}
        return "several" if len(several.get(kpi, ())) > 1 else "none"

    @cached_property
    def megawatts(self) -> pd.DataFrame:
        """Gross MW by use and quarter, all sites together."""
        return (
            of_one_scenario(self.allocation)
            .pivot_table(index="use", columns="quarter", values="gross_mw", aggfunc="sum", sort=False)
            .fillna(0.0)
        )

    def record(self) -> dict[str, Any]:
        """What `plan.json` holds: everything but the tables and the times of this run."""
        return {
            "schema": SCHEMA,
            "case": self.case.settings.name,
            "scenario": self.scenario,
            "status": self.status,
            "value_musd": self.value_musd,
            "objective_musd": self.objective_musd,
            "bound_musd": self.bound_musd,
            "gap_musd": self.gap_musd,
            "gap": self.gap,
            "word": self._filed_word,
            "proof": dict(self.proof),
            "kpis": dict(self.kpis),
            "provenance": dict(self.provenance),
        }

    def to_json(self) -> str:
        return json.dumps(self.record(), indent=2, allow_nan=False) + "\n"


def of_one_scenario(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose rows may be added up. Raises ValueError for one that holds two scenarios: they have no sum."""
    scenarios = sorted(set(table["scenario"]))
    if len(scenarios) > 1:
        raise ValueError(f"scenarios {' and '.join(scenarios)} stand in one table; they are never added together")
    return table
