"""What the accountant works from: the plan's tables, and every flow of money that the auditors compute again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from optimizer.auditors.inputs import ONE, ZERO, Inputs, decimal, hours, power
from optimizer.auditors.lines import CASH_ONLY, RESIDUAL
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter
from optimizer.plan.plan import Plan
from optimizer.plan.tables import NUMERIC

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 50

Row = Mapping[str, Any]
"""One row of a plan table: numbers as Decimal, quarters as Quarter, all else as text."""


@contextmanager
def exact() -> Iterator[None]:
    """Arithmetic of fifty digits; every sum and product of an audit is made inside."""
    with localcontext() as context:
        context.prec = DIGITS
        yield


@dataclass(frozen=True, slots=True)
class Flow:
    """Money of one line in one quarter, $M, received positive; `factor` discounts it to the start of the horizon.

    `business` is `mining`, a product or `corporate`; `site` is blank for the company as a whole; `source` is the
    option, offer, class of machines or facility that it comes from.
    """

    quarter: Quarter
    line: str
    business: str
    site: str
    source: str
    musd: Decimal
    factor: Decimal

    @property
    def worth_musd(self) -> Decimal:
        """Its present value; what moves cash only is worth nothing."""
        return ZERO if self.line in CASH_ONLY else self.musd * self.factor


@dataclass
class Books:
    """One scenario of a case beside the tables of a plan for it.

    `decide` is False for the plan that decides nothing, `builds` for that and for mining on: no new hall or contract.
    `plan` is there for what stands beside the tables (value, bound, KPIs); `nothing` and `mining_on` are the books of
    the two plans beside it, already recorded, where there are any.
    """

    case: Case
    scenario: str
    tables: Mapping[str, tuple[Row, ...]]
    columns: Mapping[str, tuple[str, ...]]
    plan: Plan
    inputs: Inputs
    decide: bool = True
    builds: bool = True
    nothing: Books | None = None
    mining_on: Books | None = None
    flows: list[Flow] = field(default_factory=list)
    """Every flow that the auditors have recomputed so far; each auditor adds its own."""

    _sums: dict[tuple[str, Quarter | None, str | None], Decimal] = field(default_factory=dict)
    _summed: int = 0

    @classmethod
    def of(
        cls, plan: Plan, case: Case, inputs: Inputs | None = None, *, decide: bool = True, builds: bool | None = None
    ) -> Books:
        builds = decide if builds is None else builds
        tables = plan.tables if builds else plan.mining_on if decide else plan.nothing
        if tables is None:
            raise ValueError("there is no such plan beside this plan")
        rows = {name: tuple(_rows(table)) for name, table in tables.items()}
        columns = {name: tuple(str(column) for column in table.columns) for name, table in tables.items()}
        return cls(case, plan.scenario, rows, columns, plan, inputs or Inputs(case, plan.scenario), decide, builds)

    def table(self, name: str) -> tuple[Row, ...]:
        return self.tables[name]

    def paid(self, lines: Iterable[str], quarter: Quarter | None = None, site: str | None = None) -> Decimal:
        """Sum of the recomputed flows of some lines, $M; of one quarter or all, of one site or all."""
        self._sum_new_flows()
        return sum((self._sums.get((line, quarter, site), ZERO) for line in set(lines)), ZERO)

    def _sum_new_flows(self) -> None:
        for flow in self.flows[self._summed :]:
            for quarter in (flow.quarter, None):
                for site in (flow.site, None):
                    key = flow.line, quarter, site
                    self._sums[key] = self._sums.get(key, ZERO) + flow.musd
        self._summed = len(self.flows)

    def rate(self, business: str) -> Decimal:
        """The yearly discount rate of a business line."""
        return self.inputs.rate(business)

    def factor(self, rate: Decimal, quarter: Quarter, *, at_start: bool = False) -> Decimal:
        """What a dollar in the middle of the quarter is worth at the start of the horizon; or on its first day."""
        return self.inputs.factor(rate, quarter, at_start=at_start)

    def record(
        self, line: str, quarter: Quarter, musd: Decimal, business: str, site: str = "", source: str = ""
    ) -> None:
        """Append a flow, discounted mid-quarter at its line's rate. What lies before the horizon is sunk."""
        if quarter >= self.case.first:
            factor = self.inputs.factor(self.inputs.rate_of(line, business), quarter)
            self.flows.append(Flow(quarter, line, business, site, source, musd, factor))

    def record_residual(
        self, musd: Decimal, business: str, site: str = "", source: str = "", quarter: Quarter | None = None
    ) -> None:
        """Append what stands free at the start of a quarter, by default the one after the horizon; dated then."""
        quarter = self.case.last + 1 if quarter is None else quarter
        factor = self.inputs.factor(self.inputs.rate(business), quarter, at_start=True)
        self.flows.append(Flow(quarter, RESIDUAL, business, site, source, musd, factor))


def _rows(table: pd.DataFrame) -> Iterator[Row]:
    readers = [(str(name), _reader(str(name))) for name in table.columns]
    columns = [column.tolist() for _, column in table.items()] if len(table) else []
    for values in zip(*columns, strict=True):
        yield {name: read(value) for (name, read), value in zip(readers, values, strict=True)}


def _reader(column: str) -> Any:
    if NUMERIC.fullmatch(column):
        return _number
    return _quarter if column.endswith("quarter") else str


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return str(value)


def _quarter(value: Any) -> Any:
    """A quarter; text that is none stays text, for the check of the tables' form to find."""
    try:
        return Quarter.parse(str(value))
    except ValueError:
        return str(value)


__all__ = ["DIGITS", "ONE", "ZERO", "Books", "Flow", "Inputs", "Row", "decimal", "exact", "hours", "power"]
