"""From the solver's answer to the tables of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import fsum
from typing import Any

import pandas as pd
from pyomo.environ import ConcreteModel

from optimizer.case import Case
from optimizer.lines import CAPEX_LINES, VALUE_LINES
from optimizer.market import mining_economics
from optimizer.plan import NUMERIC
from optimizer.ports import Ports
from optimizer.quarters import Quarter

DECIMALS = 9
"""Tables are kept to a thousandth of a dollar and a milliwatt; what is smaller is the solver's noise."""

FACTOR_DECIMALS = 15
NOISE = 1e-9

Read = Callable[[Any], float]


@dataclass(frozen=True)
class Settled:
    """The decisions of an answer, cleaned of noise, and the tables that follow from them."""

    tables: dict[str, pd.DataFrame]
    value_musd: float


def settle(m: ConcreteModel, read: Read) -> Settled:
    """Read every decision and derive the tables; `value_musd` is summed afresh from the streams."""
    book = _Book(m, read)
    flows = book.flows()
    within = flows[flows["quarter"] <= int(m.case.last)]
    tables = {
        "allocation": book.allocation(),
        "capacity": book.capacity(),
        "starts": book.starts(),
        "contracts": book.contracts(flows),
        "capex": book.capex(within),
        "cash_flow": within.drop(columns=["source", "factor"]).groupby(
            ["scenario", "quarter", "line", "business", "site"], sort=False, as_index=False
        )["musd"].sum(),
        "cash": book.cash(within),
        "value": book.value(flows),
        "after_horizon": flows[flows["quarter"] > int(m.case.last)].reset_index(drop=True),
        "mining": book.mining(),
    }  # fmt: skip
    counted = flows[flows["line"].isin(VALUE_LINES)]
    value = fsum(counted["musd"] * counted["factor"])
    return Settled({name: tidy(table) for name, table in tables.items()}, value)


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Quarters as text, numbers as floats, noise rounded away, minus zero made zero."""
    table = table.copy()
    for column in table.columns:
        if NUMERIC.fullmatch(column):
            decimals = FACTOR_DECIMALS if column == "factor" else DECIMALS
            table[column] = table[column].astype(float).round(decimals) + 0.0
        elif column.endswith("quarter"):
            table[column] = table[column].map(lambda t: str(Quarter(t)))
        else:
            table[column] = table[column].astype(str)
    return table.reset_index(drop=True)


def _frame(rows: Iterable[tuple[Any, ...]], columns: str) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


class _Book:
    """Reads the answer once and answers for each table."""

    def __init__(self, m: ConcreteModel, read: Read):
        self.case: Case = m.case
        self.ports: Ports = m.ports
        self.w: str = m.ports.scenario
        self.m = m
        self.read = read
        self.started = {key: round(self._of(n)) for key, n in m.n.items()}
        self.started = {key: blocks for key, blocks in self.started.items() if blocks}

    def _of(self, decision: Any) -> float:
        if isinstance(decision, int | float):
            return float(decision)
        if hasattr(decision, "after"):
            return self._of(decision.after) - self._of(decision.before)
        return self.read(decision)

    # ---- megawatts --------------------------------------------------------------------------------------------

    def allocation(self) -> pd.DataFrame:
        rows = []
        for site in self.case.sites:
            for t in self.case.horizon:
                uses = [*self._mining_mw(site.site, t), *self._hall_mw(site.site, t)]
                rest = self.case.limit_gross_mw[site.site, t] - fsum(mw for _, _, mw in uses)
                uses.append(("unused", "", rest))
                rows += [(self.w, site.site, t, use, detail, mw) for use, detail, mw in uses if mw or use == "unused"]
        return _frame(rows, "scenario site quarter use detail gross_mw")

    def _mining_mw(self, s: str, t: Quarter) -> list[tuple[str, str, float]]:
        uses = []
        for row in self.case.fleet:
            if row.site == s and (row.asic, s, t) in self.m.g:
                mw = round(self.read(self.m.g[row.asic, s, t]), DECIMALS)
                runs = mining_economics(self.case, self.w, s, self.case.asic[row.asic], t).runs
                uses.append(("mining" if runs else "machines_idle", row.asic, mw))
        return uses

    def _hall_mw(self, s: str, t: Quarter) -> list[tuple[str, str, float]]:
        taken: dict[tuple[str, str], float] = {}
        for (name, start), blocks in self.started.items():
            option = self.case.option[name]
            if option.site == s and t >= start + option.mining_stops_quarters:
                use = option.product if t >= start + option.lead_quarters else "construction"
                taken[use, name] = taken.get((use, name), 0.0) + blocks * option.block_gross_mw
        return [(use, name, mw) for (use, name), mw in taken.items()]

    def capacity(self) -> pd.DataFrame:
        rows = []
        for s, p in self.ports.usable_it_mw.keys:
            for t in self.case.horizon:
                service = self._level(self.ports.service_it_mw, (s, p), t)
                usable = self._level(self.ports.usable_it_mw, (s, p), t)
                signed = self._level(self.ports.signed_it_mw, (s, p), t)
                market = self.read(self.m.h[s, p, t, self.w]) if (s, p, t, self.w) in self.m.h else 0.0
                if service or signed:
                    rows.append((self.w, s, p, t, service, usable, signed, market, usable - signed - market))
        columns = "in_service_it_mw usable_it_mw contracted_it_mw market_it_mw vacant_it_mw"
        return _frame(rows, f"scenario site product quarter {columns}")

    def _level(self, stock: Any, key: object, t: Quarter) -> float:
        level = stock.level(key, t)
        return fsum([level.constant, *(c * self.read(x) for c, x in level.terms)])

    def starts(self) -> pd.DataFrame:
        committed = {(row.option, row.quarter) for row in self.case.committed_starts}
        rows = []
        for (name, t), blocks in sorted(self.started.items(), key=lambda item: (item[0][1], item[0][0])):
            option = self.case.option[name]
            gross, it_mw = blocks * option.block_gross_mw, blocks * self.case.it_mw_of_block(option)
            facility, gpus = (
                it_mw * self.case.facility_musd_per_it_mw(option),
                it_mw * option.gpu_musd_per_it_mw,
            )
            handover, service = t + option.mining_stops_quarters, t + option.lead_quarters
            kind = "committed" if (name, t) in committed else "new"
            place = (self.w, name, option.site, option.product, t)
            rows.append((*place, blocks, gross, it_mw, handover, service, facility, gpus, kind))
        columns = "blocks gross_mw it_mw handover_quarter service_quarter facility_capex_musd gpu_capex_musd decided"
        return _frame(rows, f"scenario option site product start_quarter {columns}")

    def contracts(self, flows: pd.DataFrame) -> pd.DataFrame:
        sizes = {(row.offer, row.site, row.quarter): (row.it_mw, "committed") for row in self.case.committed_contracts}
        for (c, s, t), y in self.m.y.items():
            if self._of(y) > 0.5:
                size = self._of(self.m.q[c, s, t]) if (c, s, t) in self.m.q else self.case.offer[c].min_it_mw
                sizes[c, s, t] = (size, "new")
        worth = (flows["musd"] * flows["factor"]).groupby(flows["source"]).sum()
        rows = []
        for (c, s, t), (size, kind) in sorted(sizes.items(), key=lambda item: (item[0][2], item[0][0])):
            offer = self.case.offer[c]
            quote = self.case.offer_price[self.w, c]
            end = t + (offer.term_quarters - 1)
            signed = (self.w, c, offer.customer, offer.product, s, t, end, size)
            rows.append((*signed, quote.price, quote.price_basis, float(worth.get(c, 0.0)), kind))
        columns = "delivery_quarter end_quarter it_mw price price_basis value_musd decided"
        return _frame(rows, f"scenario offer customer product site {columns}")

    def mining(self) -> pd.DataFrame:
        rows = []
        for t in self.case.horizon:
            installed = running = btc = cost = 0.0
            for a, s, quarter in self.m.g:
                if quarter == t:
                    mw = round(self.read(self.m.g[a, s, t]), DECIMALS)
                    one = mining_economics(self.case, self.w, s, self.case.asic[a], t)
                    installed += mw
                    running += mw * one.runs
                    btc += mw * one.runs * one.btc
                    cost += mw * (one.runs * (one.power - one.interruptible) + one.site_cost)
            per_btc = cost / btc * 1e6 if btc > 0 else None
            rows.append((self.w, t, installed, running, btc, cost, per_btc))
        columns = "installed_gross_mw running_gross_mw btc_mined mining_cash_cost_musd cash_cost_usd_per_btc"
        return _frame(rows, f"scenario quarter {columns}")

    # ---- money ------------------------------------------------------------------------------------------------

    def flows(self) -> pd.DataFrame:
        """Every dollar of every stream, with its discount factor; a residual is dated one quarter past the horizon."""
        rows = []
        for stream in self.ports.streams:
            units = self._of(stream.decision)
            if abs(units) > NOISE:
                factors = self.ports.discounts(stream)
                for i, (musd, factor) in enumerate(zip(stream.amounts, factors, strict=True)):
                    if musd:
                        key = (
                            self.w,
                            stream.first + i,
                            stream.line,
                            stream.business,
                            stream.site,
                            stream.source,
                        )
                        rows.append((*key, units * float(musd), float(factor)))
        return _frame(rows, "scenario quarter line business site source musd factor")

    def capex(self, within: pd.DataFrame) -> pd.DataFrame:
        spent = within[within["line"].isin(CAPEX_LINES)].sort_values(["quarter", "source", "line"], kind="stable")
        table = spent.assign(musd=-spent["musd"]).rename(columns={"source": "option", "business": "product"})
        return table[["scenario", "quarter", "site", "option", "product", "line", "musd"]]

    def cash(self, within: pd.DataFrame) -> pd.DataFrame:
        opening, rows = self.case.settings.opening_cash_musd, []
        net = within.groupby("quarter")["musd"].sum()
        for t in self.case.horizon:
            flow = float(net.get(t, 0.0))
            rows.append((self.w, t, opening, flow, opening + flow, self.case.settings.minimum_cash_musd))
            opening += flow
        return _frame(rows, "scenario quarter opening_musd net_musd closing_musd minimum_musd")

    def value(self, flows: pd.DataFrame) -> pd.DataFrame:
        counted = flows[flows["line"].isin(VALUE_LINES)]
        present = counted["musd"] * counted["factor"]
        after = counted["quarter"] > int(self.case.last)
        table = counted[["scenario", "line", "business"]].assign(
            within_musd=present.where(~after, 0.0), after_musd=present.where(after, 0.0)
        )
        table = table.groupby(["scenario", "line", "business"], sort=False, as_index=False).sum()
        return table[(table["within_musd"].abs() + table["after_musd"].abs()) > NOISE]


def value_flows(case: Case, tables: dict[str, pd.DataFrame]) -> pd.Series:
    """Undiscounted value flow of each quarter, within and after the horizon, $M, indexed by quarter."""
    both = pd.concat([tables["cash_flow"], tables["after_horizon"]])
    counted = both[both["line"].isin(VALUE_LINES)]
    return counted.groupby("quarter")["musd"].sum().sort_index()
