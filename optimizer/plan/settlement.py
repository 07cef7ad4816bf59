"""From the solver's answer to the tables of a plan, one scenario at a time: what uses and treasury read out, tied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from typing import Any

import pandas as pd
from pyomo.core import ConcreteModel

from optimizer.business.company import coverage, debt, treasury
from optimizer.business.lines import CAPEX_LINES, CASH_LINES, LINES, VALUE_LINES
from optimizer.business.readout import DECIMALS, NOISE, Reading, Tables, frame
from optimizer.business.uses import USES
from optimizer.ground import power
from optimizer.ground.errors import HouseFault
from optimizer.ground.quarters import Quarter
from optimizer.plan.tables import NUMERIC, TABLES

FACTOR_DECIMALS = 15

COMPANY = (debt.read_out, coverage.read_out, treasury.read_out)
"""What the company's money reads out, beside the uses of power."""

Read = Callable[[Any], float]


@dataclass(frozen=True)
class Settled:
    """The decisions of an answer, cleaned of noise, and the tables that follow from them in one scenario."""

    tables: Tables
    value_musd: float


@dataclass(frozen=True)
class MiningOn:
    """The best plan that converts and signs nothing new and keeps every rule, with the treasury's whole freedom.

    Where there is none for lack of money: the quarter in which it breaks, and the $M at the start that would mend it.
    """

    settled: Settled | None
    breaks: Quarter | None = None
    short_musd: float | None = None


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
        tidied[name] = tidied[name][tidied[name]["musd"] != 0].reset_index(drop=True)
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
    return pd.DataFrame({name: _tidied(name, table[name]) for name in table.columns})


def _tidied(name: str, column: pd.Series) -> Any:
    """One column without its index: a table put together of such columns costs a fifth of one mended in place."""
    if NUMERIC.fullmatch(name):
        return column.to_numpy(float).round(FACTOR_DECIMALS if name == "factor" else DECIMALS) + 0.0
    if name.endswith("quarter"):
        told = {t: str(Quarter(t)) for t in set(column)}
        return column.map(told.__getitem__).array
    if column.dtype.kind in "iuf" and len(column):
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
    rows = [(*flow, 1.0) for flow in debt.principal_flows(r)]
    for stream in r.ports.all_streams:
        units = r.of(stream.decision)
        balanced = stream.line == "principal" and stream.source in r.case.facility and stream.first <= r.case.last
        if abs(units) > NOISE and not balanced:
            factors = r.ports.discounts(stream)
            place = (stream.line, stream.business, stream.site, stream.source)
            rows += [
                (r.scenario, stream.first + i, *place, units * float(musd), float(factor))
                for i, (musd, factor) in enumerate(zip(stream.amounts, factors, strict=True))
                if musd
            ]
    flows = frame(rows, f"{' '.join(FLOW)} musd factor")
    flows = flows.groupby([*FLOW, "factor"], sort=False, as_index=False)["musd"].sum()
    flows["musd"] = flows["musd"].round(DECIMALS)
    order = flows["line"].map(list(LINES).index)
    return (
        flows.assign(order=order)
        .sort_values(["quarter", "order", "business", "site", "source"], kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)[[*FLOW, "musd", "factor"]]
    )


def _money(r: Reading) -> Tables:
    """The tables that follow from the flows alone."""
    after = r.flows["quarter"] > int(r.case.last)
    return {
        "cash_flow": r.within.drop(columns="factor"),
        "value_only": r.flows[~after & ~r.flows["line"].isin(CASH_LINES)],
        "after_horizon": r.flows[after],
        "value": _value(r),
        "capex": _capex(r.within),
        "capex_to_date": _capex_to_date(r),
        "sources_and_uses": _sources_and_uses(r),
    }


def _capex(within: pd.DataFrame) -> pd.DataFrame:
    spent = within[within["line"].isin(CAPEX_LINES)].sort_values(["quarter", "source", "line"], kind="stable")
    table = spent.assign(musd=-spent["musd"]).rename(columns={"business": "product"})
    return table[["scenario", "quarter", "site", "source", "product", "line", "musd"]]


def _capex_to_date(r: Reading) -> pd.DataFrame:
    """Capex by quarter and since the first, gross, and what tenants advance of it."""
    spent, advanced = (
        r.within[r.within["line"].isin(lines)].groupby("quarter")["musd"].sum()
        for lines in (CAPEX_LINES, ["tenant_capex"])
    )
    rows, sofar = [], 0.0
    for t in r.case.horizon:
        now = round(-float(spent.get(int(t), 0.0)), DECIMALS)
        sofar = round(sofar + now, DECIMALS)
        rows.append((r.scenario, t, now, round(float(advanced.get(int(t), 0.0)), DECIMALS), sofar))
    return frame(rows, "scenario quarter capex_musd advanced_musd to_date_musd")


def _sources_and_uses(r: Reading) -> pd.DataFrame:
    """Where each quarter's money came from and where it went: by line, debt drawn and repaid, and cash."""
    of_a_facility = r.within["source"].isin(r.case.facility) & (r.within["line"] == "principal")
    lines = r.within[~of_a_facility]
    rows: list[tuple[Any, ...]] = []
    for (t, line), musd in lines.groupby(["quarter", "line"], sort=False)["musd"].sum().items():
        rows.append((Quarter(t), line, round(float(musd), DECIMALS)))
    for _, t, _, drawn, repaid, _ in debt.balances(r):
        rows += [(t, "debt_drawn", drawn), (t, "debt_repaid", -repaid)]
    table = frame(rows, "quarter item musd").groupby(["quarter", "item"], sort=False, as_index=False)["musd"].sum()
    change = -table.groupby("quarter")["musd"].sum().round(DECIMALS)
    cash = pd.DataFrame({"quarter": change.index, "item": "cash", "musd": change.to_numpy()})
    table = pd.concat([table, cash]).sort_values("quarter", kind="stable")
    table = table[table["musd"].abs() > NOISE]
    side = table["musd"].gt(0).map({True: "source", False: "use"})
    table = table.assign(scenario=r.scenario, side=side, musd=table["musd"].abs())
    return table[["scenario", "quarter", "side", "item", "musd"]]


def _value(r: Reading) -> pd.DataFrame:
    counted = r.flows[r.flows["line"].isin(VALUE_LINES)]
    present = counted["musd"] * counted["factor"]
    after = counted["quarter"] > int(r.case.last)
    table = counted[["scenario", "line", "business"]].assign(
        within_musd=present.where(~after, 0.0), after_musd=present.where(after, 0.0)
    )
    table = table.groupby(["scenario", "line", "business"], sort=False, as_index=False).sum()
    return table[(table["within_musd"].abs() + table["after_musd"].abs()) > NOISE]
