"""All that a deck is written from: the plan, plans to compare with, studies, the audit, sources of the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from optimizer.board.deck.figures import Figure, Source
from optimizer.board.deck.ledger import Ledger
from optimizer.board.deck.origins import Origin
from optimizer.schema import MINING
from optimizer.units import USD_PER_MUSD

if TYPE_CHECKING:
    from optimizer.audit import Report
    from optimizer.plan import Plan
    from optimizer.studies.study import Study

SHOWN_MUSD = 0.05
"""Amounts below it are told in dollars."""
MOST_LABELLED = 33
"""Quarters on an axis that have room for `Q1`; more have room for `1`."""

STUDY_COMMANDS = {
    "tornado": "optimizer tornado",
    "breakevens": "optimizer breakevens",
    "frontier": "optimizer frontier",
    "alternatives": "optimizer alternatives",
    "regret": "optimizer regret",
}
"""Studies that a deck tells, and the command that makes each from a plan folder."""


@dataclass(frozen=True)
class Pack:
    """What the slides are written from. `stamps` stand on every slide; `missing` are commands of studies left out."""

    source: Source
    ledger: Ledger
    audit: Report
    others: tuple[Source, ...] = ()
    studies: Mapping[str, Study] = field(default_factory=dict)
    bridges: Mapping[str, Study] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    stamps: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        return self.source.plan

    @property
    def quarters(self) -> tuple[str, ...]:
        return tuple(map(str, self.plan.case.horizon))

    @property
    def products(self) -> tuple[str, ...]:
        return tuple(row.product for row in self.plan.case.products)

    @property
    def named_studies(self) -> Mapping[str, Study]:
        """All studies by the names that keys call them: kinds, and for each bridge the other plan's run as well."""
        return {**self.studies, **{bridge_name(run): study for run, study in self.bridges.items()}}

    def role(self, use: str) -> str:
        """The colour role of a use of power, the same on every slide."""
        if use in (MINING, "machines_idle", "construction", "unused"):
            return use
        return f"product {min(self.products.index(use), 3)}"

    def use_words(self, use: str) -> str:
        """A use of power in words; a product is called what the case calls it."""
        words = {MINING: "Mining", "machines_idle": "Machines idle", "construction": "Handed over to construction"}
        return words.get(use) or self.ledger.word(self.source.word("inputs/products.product", use))

    def quarter(self, quarter: object) -> str:
        return self.ledger.word(self.source.word("quarter of the horizon", quarter))

    def most_more(self) -> str:
        """How much more than this plan any other could be worth: by its proof, or failing that by its bound."""
        most = self.source.field("gap_musd")
        if self.plan.word == "PROVEN":
            most = Figure("plan.json proof.margin_musd", float(self.plan.proof["margin_musd"]))
        if most.value >= SHOWN_MUSD:
            return self.ledger.money(most)
        return self.ledger.dollars(most.times(USD_PER_MUSD, "$ per $M"))

    def axis(self, quarters: Sequence[str], share: float = 1.0) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels of quarters for the axis of a chart that wide, and their years for its second level."""
        short = len(quarters) <= MOST_LABELLED * share
        word, source = self.ledger.word, self.source
        labels = tuple(word(source.word("quarter of the year", q[4:] if short else q[5:])) for q in quarters)
        return labels, tuple(word(source.word("calendar year", _year_label(q, quarters))) for q in quarters)


def _year_label(quarter: str, quarters: Sequence[str]) -> str:
    """The year of a quarter; `’26` where only one quarter of it stands on the axis."""
    year = quarter[:4]
    return f"’{year[2:]}" if sum(other[:4] == year for other in quarters) == 1 else year


def bridge_name(run_id: str) -> str:
    return f"bridge-{run_id}"
