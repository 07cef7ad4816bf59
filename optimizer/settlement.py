"""From the solver's answer to the tables of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import fsum
from typing import Any

import pandas as pd
from pyomo.core import ConcreteModel

from optimizer.case import Case
from optimizer.lines import CAPEX_LINES, CORPORATE, VALUE_LINES
from optimizer.market import mining_economics
from optimizer.plan import NUMERIC
from optimizer.ports import Linear, Ports
from optimizer.quarters import Quarter
from optimizer.schema import ANY, Facility
from optimizer.terms import committed_deal
from optimizer.uses.mining import left_over

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
        "mining": book.mining(within),
        "machines": book.machines(),
        "btc": book.btc(),
        "debt": book.debt(within),
        "capex_to_date": book.capex_to_date(within),
        "sources_and_uses": book.sources_and_uses(within),
        "late": book.late(),
        "refreshes": book.refreshes(),
        "own_plants": book.own_plants(),
    }  # fmt: skip
    tidied = {name: tidy(table) for name, table in tables.items()}
    for name in ("cash_flow", "after_horizon", "capex"):
        tidied[name] = tidied[name][tidied[name]["musd"] != 0].reset_index(drop=True)
    return Settled(tidied, round(fsum([*tidied["value"]["within_musd"], *tidied["value"]["after_musd"]]), DECIMALS))


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
    return column.astype(str).array


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
                rest = 0.0 if abs(rest) < NOISE * (len(uses) + 1) else rest
                uses.append(("unused", "", rest))
                rows += [(self.w, site.site, t, use, detail, mw) for use, detail, mw in uses if mw or use == "unused"]
        return _frame(rows, "scenario site quarter use detail gross_mw")

    def _mining_mw(self, s: str, t: Quarter) -> list[tuple[str, str, float]]:
        uses = []
        for asic in self.case.asics:
            if (asic.asic, s, t) in self.m.g:
                installed = round(self.read(self.m.g[asic.asic, s, t]), DECIMALS)
                running = min(installed, round(self._running_mw(asic.asic, s, t), DECIMALS))
                uses += [("mining", asic.asic, running), ("machines_idle", asic.asic, installed - running)]
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
        for s, p in self.ports.halls:
            for t in self.case.horizon:
                service = self._level(self.ports.service_it_mw, (s, p), t)
                usable = self._level(self.ports.usable_it_mw, (s, p), t)
                signed = self._level(self.ports.signed_it_mw, (s, p), t)
                market = self.read(self.m.h[s, p, t, self.w]) if (s, p, t, self.w) in self.m.h else 0.0
                if max(service, signed) > NOISE:
                    rows.append((self.w, s, p, t, service, usable, signed, market, usable - signed - market))
        columns = "in_service_it_mw usable_it_mw contracted_it_mw market_it_mw vacant_it_mw"
        return _frame(rows, f"scenario site product quarter {columns}")

    def _level(self, stock: Any, key: object, t: Quarter) -> float:
        return self._value_of(stock.level(key, t))

    def _value_of(self, expression: Linear) -> float:
        return fsum([expression.constant, *(c * self.read(x) for c, x in expression.terms)])

    def starts(self) -> pd.DataFrame:
        rows = []
        for (name, t), blocks, kind in self._batches():
            option = self.case.option[name]
            gross, it_mw = blocks * option.block_gross_mw, blocks * self.case.it_mw_of_block(option)
            facility, gpus = (
                it_mw * self.case.facility_musd_per_it_mw(option),
                it_mw * option.gpu_musd_per_it_mw,
            )
            handover, service = t + option.mining_stops_quarters, t + option.lead_quarters
            place = (self.w, name, option.site, option.product, t)
            rows.append((*place, blocks, gross, it_mw, handover, service, facility, gpus, kind))
        columns = "blocks gross_mw it_mw handover_quarter service_quarter facility_capex_musd gpu_capex_musd decided"
        return _frame(rows, f"scenario option site product start_quarter {columns}")

    def _batches(self) -> Iterator[tuple[tuple[str, Quarter], int, str]]:
        """Starts in their order; blocks that were committed stand apart from those that join them."""
        committed = {(row.option, row.quarter): row.blocks for row in self.case.committed_starts}
        for key, blocks in sorted(self.started.items(), key=lambda item: (item[0][1], item[0][0])):
            decided = committed.get(key, 0)
            for part, kind in ((decided, "committed"), (blocks - decided, "new")):
                if part:
                    yield key, part, kind

    def contracts(self, flows: pd.DataFrame) -> pd.DataFrame:
        signed = [
            (committed_deal(self.case, self.w, row), row.it_mw, "committed") for row in self.case.committed_contracts
        ]
        for key, y in self.m.y.items():
            if self._of(y) > 0.5:
                size = self._of(self.m.q[key]) if key in self.m.q else self.m.tiers[key[:2]][0]
                signed.append((self.m.deals[key], size, "new"))
        worth = (flows["musd"] * flows["factor"]).groupby(flows["source"]).sum()
        rows = []
        for deal, size, kind in sorted(signed, key=lambda item: (item[0].delivery, item[0].offer.offer)):
            offer, t = deal.offer, deal.delivery
            quote = self.case.offer_price[self.w, offer.offer]
            price = quote.price * deal.price_factor
            place = (self.w, offer.offer, offer.customer, offer.product, deal.site, t, t + (deal.length - 1), size)
            rows.append((*place, price, quote.price_basis, float(worth.get(offer.offer, 0.0)), kind))
        columns = "delivery_quarter end_quarter it_mw price price_basis value_musd decided"
        return _frame(rows, f"scenario offer customer product site {columns}")

    def late(self) -> pd.DataFrame:
        """What is delivered late, quarter by quarter."""
        rows = [(self.w, c, s, t, self.read(u)) for (c, _, s, _, t), u in self.m.u.items() if self.read(u) > NOISE]
        return _frame(rows, "scenario offer site quarter missing_it_mw")

    def refreshes(self) -> pd.DataFrame:
        """GPUs replaced in halls that go on."""
        rows = []
        for (o, start, i), refreshed in self.m.r.items():
            blocks = round(self.read(refreshed))
            if blocks:
                option = self.case.option[o]
                renewed = start + option.lead_quarters + i * self.case.gpu_life[o].life_quarters
                it_mw = blocks * self.case.it_mw_of_block(option)
                rows.append((self.w, o, option.site, start, renewed, blocks, it_mw))
        return _frame(rows, "scenario option site start_quarter refresh_quarter blocks it_mw")

    # ---- machines and BTC ---------------------------------------------------------------------------------------

    def _running_mw(self, a: str, s: str, t: Quarter) -> float:
        """Gross MW of a class that run: all that are installed where the grid pays, else what the own plant feeds."""
        if mining_economics(self.case, self.w, s, self.case.asic[a], t).runs:
            return self.read(self.m.g[a, s, t])
        return self.read(self.m.b[a, s, t, self.w]) if (a, s, t, self.w) in self.m.b else 0.0

    def machines(self) -> pd.DataFrame:
        """What came to a site and what left it, by class and quarter, where anything did."""
        rows = []
        for a, s in dict.fromkeys([*self.m.opening, *((a, s) for a, s, _ in self.m.g)]):
            fit = self.case.asic[a].fit_until
            for t in self.case.horizon:
                traded = [self._traded(v, a, s, t) for v in (self.m.buying, self.m.coming, self.m.going)]
                left = fsum(c * self._of(x) for c, x in left_over(self.m, a, s, t))
                if max(*traded, left) > NOISE:
                    sold = left if a in self.case.machine_market and (fit is None or t <= fit) else 0.0
                    rows.append((self.w, t, s, a, *traded, sold, left - sold))
        columns = "bought_gross_mw arrived_gross_mw moved_away_gross_mw sold_gross_mw retired_gross_mw"
        return _frame(rows, f"scenario quarter site asic {columns}")

    def own_plants(self) -> pd.DataFrame:
        """Machines that run on a site's own plant."""
        rows = [(w, t, s, a, self.read(b)) for (a, s, t, w), b in self.m.b.items() if self.read(b) > NOISE]
        return _frame(rows, "scenario quarter site asic on_own_plant_gross_mw")

    def _traded(self, variable: Any, a: str, s: str, t: Quarter) -> float:
        return self.read(variable[a, s, t]) if (a, s, t) in variable else 0.0

    def mining(self, within: pd.DataFrame) -> pd.DataFrame:
        """Machines and BTC of each quarter, and what a BTC cost: direct (power), and in total (site cost and G&A)."""
        paid = within.groupby(["quarter", "line"])["musd"].sum()
        rows = []
        for t in self.case.horizon:
            here = [(a, s) for a, s, quarter in self.m.g if quarter == t]
            installed = fsum(self.read(self.m.g[a, s, t]) for a, s in here)
            running = fsum(self._running_mw(a, s, t) for a, s in here)
            own = fsum(self.read(b) for (_, _, q, _), b in self.m.b.items() if q == t)
            btc = self._value_of(self.ports.btc_mined[t])
            power, site, company = (
                -fsum(float(paid.get((int(t), line), 0.0)) for line in lines)
                for lines in (("mining_power", "interruptible_income"), ("mining_site_cost",), ("g_and_a",))
            )
            per_btc = 1e6 / btc if btc > NOISE else float("nan")
            costs = (power + site, power * per_btc, (power + site + company) * per_btc)
            rows.append((self.w, t, installed, running, own, btc, *costs))
        costs_per_btc = "direct_cash_cost_usd_per_btc total_cash_cost_usd_per_btc"
        columns = (
            f"installed_gross_mw running_gross_mw on_own_plant_gross_mw btc_mined mining_cash_cost_musd {costs_per_btc}"
        )
        return _frame(rows, f"scenario quarter {columns}")

    def btc(self) -> pd.DataFrame:
        """BTC held at the end of each quarter."""
        rows, held = [], self.case.settings.btc_held or 0.0
        for t, w in self.m.H:
            now, mined = self.read(self.m.H[t, w]), self._value_of(self.ports.btc_mined[t])
            price = self.case.bitcoin_market[w, t].btc_usd
            rows.append((w, t, held, mined, held + mined - now, now, now * price / 1e6))
            held = now
        return _frame(rows, "scenario quarter opening_btc mined_btc sold_btc closing_btc market_value_musd")

    def _counted_btc(self, t: Quarter) -> float:
        """$M of the BTC held at the end of a quarter that count as liquidity."""
        if (t, self.w) not in self.m.H:
            return 0.0
        share = self.case.settings.btc_liquidity_share or 0.0
        return share * self.read(self.m.H[t, self.w]) * self.case.bitcoin_market[self.w, t].btc_usd / 1e6

    # ---- debt -----------------------------------------------------------------------------------------------------

    def debt(self, within: pd.DataFrame) -> pd.DataFrame:
        """Roll-forward of each facility: opening + draws - repayments = closing."""
        paid = within.groupby(["source", "line", "quarter"])["musd"].sum()
        rows = []
        for facility, t, opening, drawn, repaid, closing in self._balances():
            f = facility.facility
            interest, fees = (-float(paid.get((f, line, int(t)), 0.0)) for line in ("interest", "fee"))
            if max(map(abs, (opening, drawn, repaid, interest, fees))) > NOISE:
                rows.append((self.w, f, t, opening, drawn, repaid, closing, interest, fees))
        columns = "opening_musd draws_musd repayments_musd closing_musd interest_musd fees_musd"
        return _frame(rows, f"scenario facility quarter {columns}")

    def _balances(self) -> Iterator[tuple[Facility, Quarter, float, float, float, float]]:
        """Opening, drawn, repaid and closing balance of each facility and quarter, rounded so that they tie."""
        for facility in self.case.facilities:
            f, opening = facility.facility, facility.drawn_musd
            for t in self.case.horizon:
                closing = round(max(0.0, self._value_of(self.m.accounts[f].closing[t])), DECIMALS)
                key = (f, t, self.w)
                drawn = round(self.read(self.m.draw[key]), DECIMALS) if key in self.m.draw else 0.0
                yield facility, t, opening, drawn, round(opening + drawn - closing, DECIMALS), closing
                opening = closing

    # ---- money ------------------------------------------------------------------------------------------------

    def flows(self) -> pd.DataFrame:
        """Every dollar of every stream, with its discount factor; a residual is dated one quarter past the horizon."""
        rows = []
        for facility, t, _, drawn, repaid, _ in self._balances():
            site = "" if facility.site == ANY else facility.site
            if drawn or repaid:
                rows.append((self.w, t, "principal", CORPORATE, site, facility.facility, drawn - repaid, 1.0))
        for stream in self.ports.streams:
            units = self._of(stream.decision)
            if abs(units) > NOISE and not (stream.line == "principal" and stream.source in self.case.facility):
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
                        rows.append((*key, round(units * float(musd), DECIMALS), float(factor)))
        return _frame(rows, "scenario quarter line business site source musd factor")

    def capex(self, within: pd.DataFrame) -> pd.DataFrame:
        spent = within[within["line"].isin(CAPEX_LINES)].sort_values(["quarter", "source", "line"], kind="stable")
        table = spent.assign(musd=-spent["musd"]).rename(columns={"business": "product"})
        return table[["scenario", "quarter", "site", "source", "product", "line", "musd"]]

    def capex_to_date(self, within: pd.DataFrame) -> pd.DataFrame:
        """Capex, net of what tenants pay, by quarter and since the first."""
        spent = -within[within["line"].isin(CAPEX_LINES)].groupby("quarter")["musd"].sum()
        rows, sofar = [], 0.0
        for t in self.case.horizon:
            now = round(float(spent.get(int(t), 0.0)), DECIMALS)
            sofar = round(sofar + now, DECIMALS)
            rows.append((self.w, t, now, sofar))
        return _frame(rows, "scenario quarter capex_musd to_date_musd")

    def sources_and_uses(self, within: pd.DataFrame) -> pd.DataFrame:
        """Where each quarter's money came from and where it went: by line, debt drawn and repaid, and cash."""
        lines = within[
            within["source"].map(lambda name: name not in self.case.facility) | (within["line"] != "principal")
        ]
        rows: list[tuple[Any, ...]] = []
        for (t, line), musd in lines.groupby(["quarter", "line"], sort=False)["musd"].sum().items():
            rows.append((Quarter(t), line, round(float(musd), DECIMALS)))
        for _, t, _, drawn, repaid, _ in self._balances():
            rows += [(t, "debt_drawn", drawn), (t, "debt_repaid", -repaid)]
        table = _frame(rows, "quarter item musd").groupby(["quarter", "item"], sort=False, as_index=False)["musd"].sum()
        change = -table.groupby("quarter")["musd"].sum().round(DECIMALS)
        cash = pd.DataFrame({"quarter": change.index, "item": "cash", "musd": change.to_numpy()})
        table = pd.concat([table, cash]).sort_values("quarter", kind="stable")
        table = table[table["musd"].abs() > NOISE]
        side = table["musd"].gt(0).map({True: "source", False: "use"})
        table = table.assign(scenario=self.w, side=side, musd=table["musd"].abs())
        return table[["scenario", "quarter", "side", "item", "musd"]]

    def cash(self, within: pd.DataFrame) -> pd.DataFrame:
        opening, rows = self.case.settings.opening_cash_musd, []
        net = within.groupby("quarter")["musd"].sum()
        for t in self.case.horizon:
            flow = round(float(net.get(int(t), 0.0)), DECIMALS)
            closing = round(opening + flow, DECIMALS)
            liquidity = closing + self._counted_btc(t)
            rows.append((self.w, t, opening, flow, closing, liquidity, self.case.settings.minimum_cash_musd))
            opening = closing
        return _frame(rows, "scenario quarter opening_musd net_musd closing_musd liquidity_musd minimum_musd")

    def value(self, flows: pd.DataFrame) -> pd.DataFrame:
        counted = flows[flows["line"].isin(VALUE_LINES)]
        present = counted["musd"] * counted["factor"]
        after = counted["quarter"] > int(self.case.last)
        table = counted[["scenario", "line", "business"]].assign(
            within_musd=present.where(~after, 0.0), after_musd=present.where(after, 0.0)
        )
        table = table.groupby(["scenario", "line", "business"], sort=False, as_index=False).sum()
        return table[(table["within_musd"].abs() + table["after_musd"].abs()) > NOISE]
