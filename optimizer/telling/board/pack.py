"""All that a deck or a page is written from: the plan, others beside it, studies, the audit, sources of the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.case.origins import Origin
from optimizer.ground.amounts import TOLD_SHARE, share_words
from optimizer.ground.units import USD_PER_MUSD
from optimizer.plan.figures import figures_of
from optimizer.plan.power_uses import Use, uses_of
from optimizer.questions.studies.study import KINDS
from optimizer.telling.board.blocks import Chart, ChartKind, Series
from optimizer.telling.board.figures import Figure, Row, Source, Word, about_figure, study_rows
from optimizer.telling.board.keys import Told, at
from optimizer.telling.board.ledger import Ledger

if TYPE_CHECKING:
    from optimizer.auditors import Report
    from optimizer.plan.figures import Part, Room, Sentence
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

SHOWN_MUSD = 0.05
"""Amounts below it are told in dollars."""
MOST_PRODUCTS, MOST_UNLISTED = 4, 2
"""Products, and uses that no list knows, that have a colour of their own."""
MOST_LABELLED = 33
"""Quarters on an axis that have room for `Q1`; more have room for `1`."""

STUDY_COMMANDS = {name: f"optimizer {name}" for name, kind in KINDS.items() if kind.in_deck}
"""Studies that a deck tells, and the command that makes each from a plan folder."""


@dataclass(frozen=True)
class Pack:
    """What is told of one plan. `stamps` stand on every slide; `missing` are commands of studies that were not made.

    On a page `left_out` says of each kind of study that is not shown why, and `date` is the quarter at whose start
    values are compared, where its plans begin at different times.
    """

    source: Source
    ledger: Ledger
    audit: Report
    others: tuple[Source, ...] = ()
    studies: Mapping[str, Study] = field(default_factory=dict)
    bridges: Mapping[str, Study] = field(default_factory=dict)
    origins: tuple[Origin, ...] = ()
    stamps: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    date: str = ""

    @property
    def plan(self) -> Plan:
        return self.source.plan

    @property
    def room(self) -> Room:
        """The room of the plan's figures."""
        return figures_of(self.source.plan)

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

    def told(self) -> Told:
        """What keys may ask of this plan."""
        return Told(self.plan, self.named_studies, self.audit)

    def study_rows(self, kind: str, table: str) -> list[Row]:
        return study_rows(self.named_studies[kind], table, kind, self.source.run)

    def study_about(self, kind: str, name: str) -> Figure:
        return about_figure(self.named_studies[kind], name, kind, self.source.run)

    def money(self, name: str) -> str:
        """A figure of the room in $M that every plan has."""
        return self.ledger.money(self.source.due(name))

    def mw(self, name: str) -> str:
        """A figure of the room in MW."""
        return self.ledger.number(self.source.due(name))

    def when(self, name: str) -> str:
        """A figure of the room that is a quarter or a name; blank where the plan has none."""
        word = self.source.kpi_word(name)
        return "" if word is None else self.ledger.word(word)

    def many(self, room: str, column: str, noun: str = "", **where: object) -> str:
        """`1 site`, `11 sites`: how many different cells a column has; without a noun the number alone."""
        cells = self.source.cells(room, column, where)
        told = self.ledger.whole(Figure(at(room, column, "distinct", self.source.run, **where), float(len(cells))))
        return f"{told} {noun}{'' if len(cells) == 1 else 's'}" if noun else told

    def site(self, site: str) -> str:
        return self.ledger.word(self.source.word("inputs/sites.site", site))

    @cached_property
    def uses(self) -> Mapping[str, Use]:
        """The uses of power of the plan, in the order of reading."""
        return uses_of(self.plan)

    def role(self, use: str) -> str:
        """The colour role of a use of power, the same on every slide; the last of a kind serves all that follow."""
        told = self.uses[use]
        if " " not in told.look:
            return told.look
        kind, last = ("product", MOST_PRODUCTS) if told.look.startswith("product") else ("unlisted", MOST_UNLISTED)
        return f"{kind} {min(told.number, last - 1)}"

    def use_words(self, use: str) -> str:
        """A use of power in words; a product, or a use that no list knows, is called what the plan calls it."""
        told = self.uses[use]
        if not told.named:
            return told.words.capitalize()
        return self.ledger.word(self.source.word("allocation.use", use))

    def quarter(self, quarter: object) -> str:
        return self.ledger.word(self.source.word("quarter of the horizon", quarter))

    def sentence(self, told: Sentence) -> str:
        """A sentence of the room of figures with its numbers and names marked."""
        return told.words.format(*map(self._part, told.parts))

    def _part(self, part: Part) -> str:
        if isinstance(part.value, str):
            return self.ledger.word(self.source.word(f"figures/{part.table}.{part.column}", part.value))
        figure = self.source.part(part)
        if part.unit == "$M":
            return self.ledger.money(figure)
        return self.ledger.whole(figure) if part.unit in ("BTC", "quarters") else self.ledger.number(figure)

    def most_more(self) -> str:
        """How much more than this plan any other could be worth, and its share: by its proof, else by its bound."""
        most = self.source.field("gap_musd")
        if self.plan.word == "PROVEN":
            most = self.source.field("proof/margin_musd")
        value = abs(self.source.field("value_musd"))
        if not value.value:
            return self._margin(most)
        share = most.per(value)
        small = self.ledger.word(Word(share.key, share_words(share.value)))
        told = small if share.value < TOLD_SHARE else self.ledger.percent(share, 4)
        return f"{self._margin(most)} ({told})"

    def _margin(self, most: Figure) -> str:
        if most.value >= SHOWN_MUSD:
            return self.ledger.money(most)
        if most.value * USD_PER_MUSD < 1:
            return self.ledger.word(Word(most.key, "$1"))
        return self.ledger.dollars(most.times(USD_PER_MUSD))

    def over_time(
        self, name: str, kind: ChartKind, series: Sequence[Series], alt: str, unit: str = "$M", *,
        quarters: Sequence[str] = (), share: float = 1.0, units: str = "", limit: Series | None = None, gap: int = 40,
    ) -> Chart:  # fmt: skip
        """A chart over quarters, those of the horizon where none are named, in that share of a slide's width."""
        quarters = tuple(quarters) or self.quarters
        labels, years = self.axis(quarters, share)
        return Chart(f"chart:{name}", kind, labels, tuple(series), years, limit, gap=gap, alt=alt, keys=tuple(quarters),
                     unit=unit, units=units)  # fmt: skip

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


def alone(plan: Plan) -> Pack:
    """A plan without its audit, without studies and others: what its pictures ask."""
    from optimizer.auditors.report import Report

    return Pack(Source(plan), Ledger(), Report((), ()))
