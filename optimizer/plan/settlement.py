"""From the solver's answer to the tables of a plan, one scenario at a time: what uses and treasury read out, tied."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import fsum
from typing import Any, TypeVar

import pandas as pd
from pandas.api.types import infer_dtype
from pyomo.core import ConcreteModel

from optimizer.business.company import coverage, debt, treasury
from optimizer.business.lines import CAPEX_LINES, LINES, VALUE_LINES, cash_lines
from optimizer.business.readout import DECIMALS, NOISE, Reading, Tables, frame
from optimizer.business.uses import USES
from optimizer.ground import power
from optimizer.ground.errors import HouseFault
from optimizer.ground.quarters import Quarter
from optimizer.plan.tables import NUMERIC, TABLES

FACTOR_DECIMALS = 15

COMPANY = (debt.read_out, coverage.read_out, treasury.read_out)
"""What the company's money reads out, beside the uses of power."""
NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
"""What pandas calls a column of numbers."""

Read = Callable[[Any], float]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Settled:
    """The decisions of an answer, cleaned of noise, and the tables that follow from them in one scenario."""

    tables: Tables
    value_musd: float


@dataclass(frozen=True)
class MiningOn:
    """The best plan that converts and signs nothing new and keeps every rule, with the treasury's whole freedom.

    Where there is none for lack of money: the quarter in which it breaks, and the $M at the start that would mend it.
    `found_out` is false where the search for it did not come to an end.
    """

    settled: Settled | None
    breaks: Quarter | None = None
    short_musd: float | None = None
    found_out: bool = True


def settle(m: ConcreteModel, read: Read, scenario: str | None = None) -> Settled:
    """Read every decision and derive the tables; `value_musd` is summed afresh from the streams.

    A model of several scenarios is settled in one of them, which must be named.
    """
    (only, *others) = m.ports.scenarios if scenario is None else (scenario,)
    if others:
        raise ValueError(f"the model has {len(others) + 1} scenarios; name the one to settle")
    r = Reading(m, only, read)
    r.flows = _flows(r)
    tidied = {name: tidy(table) for name, table in _read_out(r).items()}
    for name in ("cash_flow", "value_only", "after_horizon", "capex"):
        moved = tidied[name]["musd"] != 0
        if not moved.all():
            tidied[name] = tidied[name][moved].reset_index(drop=True)
    return Settled(tidied, round(fsum([*tidied["value"]["within_musd"], *tidied["value"]["after_musd"]]), DECIMALS))


def _read_out(r: Reading) -> Tables:
    """Every table of a plan, each from the one part of the model that reads it out. Raises HouseFault for another."""
    tables: Tables = {}
    for read_out in (_megawatts, _money, *(use.read_out for use in USES), *COMPANY):
        for name, table in read_out(r).items():
            told, columns = f"{read_out.__module__} reads out the table {name!r}", " ".join(table.columns)
            if name not in TABLES or columns != TABLES[name].columns:
                raise HouseFault(f"{told} with the columns {columns}, which plan/tables.py does not know.")
            if name in tables:
                raise HouseFault(f"{told}, and so does another part of the model.")
            tables[name] = table
    if unread := TABLES.keys() - tables.keys():
        raise HouseFault(f"Tables of plan/tables.py that no part of the model reads out: {', '.join(sorted(unread))}.")
    return tables


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Quarters as text, numbers as floats, noise rounded away, minus zero made zero."""
    return _tidied_table(table) if len(table) else _without_rows(tuple(table.columns)).copy()


@cache
def _without_rows(columns: tuple[str, ...]) -> pd.DataFrame:
    """Half of a small plan's tables hold nothing; they differ by their columns alone."""
    return _tidied_table(pd.DataFrame([], columns=list(columns), dtype=object))


def _tidied_table(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: _tidied(str(name), column) for name, column in table.items()})


def _tidied(name: str, column: pd.Series) -> Any:
    """One column without its index: a table put together of such columns costs a fifth of one mended in place."""
    if NUMERIC.fullmatch(name):
        return column.to_numpy(float).round(FACTOR_DECIMALS if name == "factor" else DECIMALS) + 0.0
    if name.endswith("quarter"):
        told = {t: str(Quarter(t)) for t in set(column)}
        return column.map(told.__getitem__).array
    if infer_dtype(column) in NUMBERS:
        raise HouseFault(f"The column {name!r} of a plan's table holds numbers, and plan/tables.py reads it as text.")
    return column.astype(str).array


# ---- megawatts ------------------------------------------------------------------------------------------------------


def _megawatts(r: Reading) -> Tables:
    """What all uses together make of the sites and the halls."""
    return {"allocation": _allocation(r), "capacity": _capacity(r)}


def _allocation(r: Reading) -> pd.DataFrame:
    """What each use takes of a site's grid limit, quarter by quarter, and what is left."""
    taken: dict[tuple[str, Quarter], list[tuple[str, str, float]]] = {
        (site.site, t): [] for site in r.case.sites for t in r.case.horizon
    }
    known = {*(use.name for use in power.USES), *r.case.product}
    for use in USES:
        for site, t, word, detail, mw in use.megawatts(r):
            if word not in known:
                raise HouseFault(f"{use.megawatts.__module__} takes power for {word!r}, which ground/power.py lacks.")
            taken[site, t].append((word, detail, mw))
    rows = []
    for (site, t), uses in taken.items():
        rest = r.case.limit_gross_mw[site, t] - fsum(mw for _, _, mw in uses)
        rest = 0.0 if abs(rest) < NOISE * (len(uses) + 1) else rest
        rows += [(r.scenario, site, t, *use) for use in uses if use[-1]]
        rows.append((r.scenario, site, t, power.UNUSED, "", rest))
    return frame(rows, "scenario site quarter use detail gross_mw")


def _capacity(r: Reading) -> pd.DataFrame:
    rows = []
    for s, p in r.ports.halls:
        for t in r.case.horizon:
            service = r.level(r.ports.shared.service_it_mw, (s, p), t)
            usable = r.level(r.ports.shared.usable_it_mw, (s, p), t)
            signed = r.level(r.ports.signed_it_mw, (s, p), t)
            market = r.sum_of(r.ports.market_it_mw[s, p, t])
            if max(service, signed) > NOISE:
                rows.append((r.scenario, s, p, t, service, usable, signed, market, usable - signed - market))
    columns = "in_service_it_mw usable_it_mw contracted_it_mw market_it_mw vacant_it_mw"
    return frame(rows, f"scenario site product quarter {columns}")


# ---- money ----------------------------------------------------------------------------------------------------------

FLOW = ["scenario", "quarter", "line", "business", "site", "source"]
"""What tells one cash line from another; the source is the contract, option, machine or facility behind it."""


def _flows(r: Reading) -> pd.DataFrame:
    """Every dollar of every stream, with its discount factor; principal of the horizon by its rounded balances."""
    order = {line: place for place, line in enumerate(LINES)}
    sums = _sums(_dollars(r))
    rows = [(*flow, musd, factor) for (*flow, factor), musd in sums.items()]
    rows.sort(key=lambda row: (row[1], order[row[2]], *row[3:6]))
    flows = pd.DataFrame(rows, columns=[*FLOW, "musd", "factor"])
    flows["musd"] = flows["musd"].round(DECIMALS)
    return flows


def _dollars(r: Reading) -> Iterator[tuple[tuple[Any, ...], float]]:
    """What each stream pays, $M, by all that tells one flow from another: `FLOW` and the discount factor."""
    yield from (((*flow, 1.0), musd) for *flow, musd in debt.principal_flows(r))
    for stream in r.ports.all_streams:
        units = r.of(stream.decision)
        balanced = stream.line == "principal" and stream.source in r.case.facility and stream.first <= r.case.last
        if abs(units) > NOISE and not balanced:
            place = (stream.line, stream.business, stream.site, stream.source)
            for i, (musd, factor) in enumerate(zip(stream.amounts, r.ports.discounts(stream), strict=True)):
                if musd:
                    yield (r.scenario, stream.first + i, *place, float(factor)), units * float(musd)


def _sums(amounts: Iterable[tuple[Key, float]]) -> dict[Key, float]:
    """What amounts come to by their key, keys in the order in which they come."""
    gathered: dict[Key, list[float]] = {}
    for key, amount in amounts:
        gathered.setdefault(key, []).append(amount)
    return {key: fsum(parts) for key, parts in gathered.items()}


def _money(r: Reading) -> Tables:
    """The tables that follow from the flows alone."""
    after = r.flows["quarter"] > int(r.case.last)
    flows, within = (list(table.itertuples(index=False)) for table in (r.flows, r.within))
    return {
        "cash_flow": r.within.drop(columns="factor"),
        "value_only": r.flows[~after & ~r.flows["line"].isin(cash_lines())],
        "after_horizon": r.flows[after],
        "value": _value(r, flows),
        "capex": _capex(within),
        "capex_to_date": _capex_to_date(r, within),
        "sources_and_uses": _sources_and_uses(r, within),
    }


def _capex(within: list[Any]) -> pd.DataFrame:
    spent = [flow for flow in within if flow.line in CAPEX_LINES]
    spent.sort(key=lambda flow: (flow.quarter, flow.source, flow.line))
    rows = [(f.scenario, f.quarter, f.site, f.source, f.business, f.line, -f.musd) for f in spent]
    return frame(rows, "scenario quarter site source product line musd")


def _capex_to_date(r: Reading, within: list[Any]) -> pd.DataFrame:
    """Capex by quarter and since the first, gross, and what tenants advance of it."""
    spent = _sums((flow.quarter, -flow.musd) for flow in within if flow.line in CAPEX_LINES)
    advanced = _sums((flow.quarter, flow.musd) for flow in within if flow.line == "tenant_capex")
    rows, sofar = [], 0.0
    for t in r.case.horizon:
        now = round(spent.get(t, 0.0), DECIMALS)
        sofar = round(sofar + now, DECIMALS)
        rows.append((r.scenario, t, now, round(advanced.get(t, 0.0), DECIMALS), sofar))
    return frame(rows, "scenario quarter capex_musd advanced_musd to_date_musd")


def _sources_and_uses(r: Reading, within: list[Any]) -> pd.DataFrame:
    """Where each quarter's money came from and where it went: by line, debt drawn and repaid, and cash."""
    of_lines = _sums(
        ((int(flow.quarter), flow.line), flow.musd)
        for flow in within
        if not (flow.line == "principal" and flow.source in r.case.facility)
    )
    items = [(key, round(musd, DECIMALS)) for key, musd in of_lines.items()]
    for _, t, _, drawn, repaid, _ in debt.balances(r):
        items += [((int(t), "debt_drawn"), drawn), ((int(t), "debt_repaid"), -repaid)]
    change = _sums((t, -musd) for (t, _), musd in items)
    moved = [*_sums(items).items(), *(((t, "cash"), round(musd, DECIMALS)) for t, musd in change.items())]
    moved.sort(key=lambda row: row[0][0])
    rows = [
        (r.scenario, t, "source" if musd > 0 else "use", item, abs(musd))
        for (t, item), musd in moved
        if abs(musd) > NOISE
    ]
    return frame(rows, "scenario quarter side item musd")


def _value(r: Reading, flows: list[Any]) -> pd.DataFrame:
    worth = _sums(
        ((flow.line, flow.business, flow.quarter > r.case.last), flow.musd * flow.factor)
        for flow in flows
        if flow.line in VALUE_LINES
    )
    places = dict.fromkeys(key[:2] for key in worth)
    rows = [(r.scenario, *place, worth.get((*place, False), 0.0), worth.get((*place, True), 0.0)) for place in places]
    return frame(
        [row for row in rows if abs(row[3]) + abs(row[4]) > NOISE], "scenario line business within_musd after_musd"
    )
