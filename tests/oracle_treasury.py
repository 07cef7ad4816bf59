"""Cash, debt, BTC held and tax: recourse decisions on top of everything that was booked before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oracle_contracts import Contracts
from oracle_future import Future
from oracle_program import FIXED, Program, total

from optimizer.ground.quarters import Quarter, span

# What loan-to-cost and ring fence ask of a facility that owes nothing. False: nothing. True: the rows stand as written,
# so that negative eligible capex (tenant money came first) breaks a loan that nobody has drawn.
UNUSED_DEBT_BINDS = False
# More than any balance, margin or eligible capex of a small case, $M.
PLENTY = 500.0
# More BTC than a small case ever holds.
MUCH_BTC = 5000.0


class Treasury:
    """Columns of cash, loans and BTC, the same whatever is built and signed; `close` adds what depends on that."""

    def __init__(
        self, program: Program, future: Future, mined: dict[Quarter, dict[int, float]], *, decide: bool
    ) -> None:
        self.future = future
        self.case = future.case
        self.decide = decide
        self.cash = {t: program.column(0.0 if decide else float("-inf")) for t in self.case.horizon}
        self.loans = {row.facility: Loan(future, row, decide=decide) for row in self.case.rows("facilities")}
        for loan in self.loans.values():
            loan.add_money(program)
        self.held = add_btc(program, future, mined)
        rate = self.case.settings.cash_rate or 0.0
        for t in self.case.horizon if rate else ():
            program.book("cash_interest", t, total([self.opening_cash(t)], rate / 4), future.corporate)

    def opening_cash(self, t: Quarter) -> dict[int, float]:
        return {self.cash[t - 1]: 1.0} if t > self.case.first else {FIXED: self.case.settings.opening_cash_musd}

    def close(self, program: Program, signed: Contracts) -> None:
        """Covenants, tax, and cash that adds up."""
        for loan in self.loans.values() if self.decide else ():
            loan.add_covenants(program, self.loans, self.cash, signed)
        add_tax(program, self.future)
        for t, column in self.cash.items():
            program.equal(total([{column: -1.0}, self.opening_cash(t), program.summed("cash", [t])]), 0.0)
            if self.decide:
                program.at_least(self.liquid(t), self.case.settings.minimum_cash_musd, "liquidity tight")
            elif self.held:
                self._sell_before_cash_is_short(program, t)

    def _sell_before_cash_is_short(self, program: Program, t: Quarter) -> None:
        """Doing nothing holds BTC only while there is the minimum of cash."""
        keeps = program.yes_or_no()
        program.at_most({self.held[t]: 1.0, keeps: -MUCH_BTC}, 0.0)
        least = total([{self.cash[t]: 1.0}, {keeps: -PLENTY, FIXED: PLENTY}])
        program.at_least(least, self.case.settings.minimum_cash_musd)

    def liquid(self, t: Quarter) -> dict[int, float]:
        """Cash and the part of the BTC held that counts."""
        if not self.held:
            return {self.cash[t]: 1.0}
        share = self.case.settings.btc_liquidity_share or 0.0
        return {self.cash[t]: 1.0, self.held[t]: share * self.future.bitcoin[t].btc_usd / 1e6}


# ---- debt ----------------------------------------------------------------------------------------


@dataclass
class Loan:
    """A facility: what is drawn, owed and repaid, as columns and sums of columns."""

    future: Future
    row: Any
    decide: bool
    draws: dict[Quarter, int] = field(default_factory=dict)
    prepaid: dict[Quarter, int] = field(default_factory=dict)
    owed: dict[Quarter, int] = field(default_factory=dict)
    interest: dict[Quarter, dict[int, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.case = self.future.case
        rows = {r.quarter: r.share for r in self.case.rows("amortisation") if r.facility == self.row.facility}
        self.shares: dict[Quarter, float] = rows or {self.row.maturity: 1.0}
        self.open = self._available()
        self.last = min(self.row.maturity, self.case.last)
        self.lifetime = [t for t in self.case.horizon if t <= self.last]

    # when

    def _available(self) -> list[Quarter]:
        """Quarters of the horizon in which it can be drawn, contract or no contract."""
        first, last = self.row.available_first, self.row.available_last
        return [] if first is None or last is None else [t for t in self.case.horizon if first <= t <= last]

    def may_be_drawn(self, signed: Contracts) -> bool:
        """Whether the contract that it needs is signed, at its own site if it has one."""
        if self.row.requires_offer is None:
            return True
        where = [c.site for c in signed if c.offer == self.row.requires_offer]
        return bool(where) and self.row.site in ("*", *where)

    @property
    def starts(self) -> Quarter:
        """From when interest periods are counted."""
        if self.row.drawn_musd > 0 or self.row.available_first is None:
            return self.case.first
        return self.row.available_first

    def interest_paid_in(self, accrued: Quarter) -> Quarter:
        every, t = self.row.interest_every_quarters, accrued
        while t < self.row.maturity and (t - self.starts) % every != every - 1:
            t = t + 1
        return min(t, self.row.maturity)

    def share_after(self, t: int) -> float:
        return sum(share for quarter, share in self.shares.items() if quarter > t)

    # money

    def add_money(self, program: Program) -> None:
        self._add_columns(program)
        self._add_balances(program)
        self._add_fees(program)
        self._add_interest(program)

    def _add_columns(self, program: Program) -> None:
        room = self.row.commitment_musd - self.row.drawn_musd
        if self.decide:
            self.draws = {t: program.column(word=self._kind()) for t in self.open}
            program.at_most(dict.fromkeys(self.draws.values(), 1.0), room, "commitment used up")
        if self.decide and self.row.prepayable:
            early = [t for t in self.lifetime if t < self.row.maturity]
            self.prepaid = {t: program.column(word="debt prepaid") for t in early}
        if self.row.drawn_musd > 0:
            program.add("line", "debt at the start", self.case.first, FIXED, self.row.drawn_musd)

    def _kind(self) -> str:
        """What a draw of it shows."""
        who = "drawn" if self.row.site == "*" else "drawn by a site"
        word = "drawn to refinance" if self.row.refinances is not None else who
        return word if self.row.requires_offer is None else f"{word}|drawn for an offer"

    def scheduled(self, t: Quarter) -> dict[int, float]:
        """What is repaid at the end of a quarter by schedule, net of earlier prepayments."""
        share = self.shares.get(t, 0.0)
        if share == 0:
            return {}
        terms = dict.fromkeys(self.draws.values(), share)
        terms[FIXED] = self.row.drawn_musd * share / self.share_after(self.case.first - 1)
        for paid, column in self.prepaid.items():
            if paid < t:
                terms[column] = -share / self.share_after(paid)
        return terms

    def repaid(self, t: Quarter) -> dict[int, float]:
        return total([self.scheduled(t), self.one(self.prepaid, t)])

    @staticmethod
    def one(columns: dict[Quarter, int], t: Quarter) -> dict[int, float]:
        return {columns[t]: 1.0} if t in columns else {}

    def opening(self, t: Quarter) -> dict[int, float]:
        """Balance at the start of a quarter; after the horizon what the schedule has left of the last one."""
        if t == self.case.first:
            return {FIXED: self.row.drawn_musd}
        if t <= self.case.last:
            return self.one(self.owed, t - 1)
        return {self.owed[self.case.last]: self.share_after(t - 1) / self.share_after(self.case.last)}

    def _add_balances(self, program: Program) -> None:
        for t in self.lifetime:
            drawn, repaid = self.one(self.draws, t), self.repaid(t)
            closing = self.owed[t] = program.column(word="repaid in parts" if len(self.shares) > 1 else "")
            moves = total([self.opening(t), drawn, total([repaid], -1.0)])
            program.equal(total([moves, {closing: -1.0}]), 0.0)
            program.book("principal", t, drawn, self.future.corporate)
            program.book("principal", t, total([repaid], -1.0), self.future.corporate)

    def _add_interest(self, program: Program) -> None:
        if not self.lifetime:
            return
        for t in span(self.case.first, self.row.maturity - self.case.first + 1):
            rate = self.future.loan_rate(self.row.margin, self.row.base_rate, t)
            accrued = total([self.opening(t), self.one(self.draws, t)], rate / 4)
            paid = self.interest_paid_in(t)
            self.interest[paid] = total([self.interest.get(paid, {}), accrued])
            program.book("interest", paid, total([accrued], -1.0), self.future.corporate)

    def _add_fees(self, program: Program) -> None:
        """Fees of a facility that is in use: drawn at the start, or taken up for them."""
        if not self.open or not (self.row.upfront_fee or self.row.undrawn_fee):
            return
        if self.row.drawn_musd > 0:
            used: dict[int, float] = {FIXED: self.row.commitment_musd}
        elif self.draws:
            column = program.yes_or_no()
            used = {column: self.row.commitment_musd}
            drawn = dict.fromkeys(self.draws.values(), 1.0)
            program.at_most(drawn | {column: -self.row.commitment_musd}, 0.0)
            upfront = total([used], -self.row.upfront_fee)
            program.book("fee", self.row.available_first, upfront, self.future.corporate)
        else:
            return
        for t in self.open:
            so_far = {draw: -1.0 for q, draw in self.draws.items() if q <= t} | {FIXED: -self.row.drawn_musd}
            undrawn = total([used, so_far])
            program.book("fee", t, total([undrawn], -self.row.undrawn_fee / 4), self.future.corporate)

    # covenants

    def add_covenants(
        self, program: Program, loans: dict[str, Loan], cash: dict[Quarter, int], signed: Contracts
    ) -> None:
        sites = None if self.row.site == "*" else [self.row.site]
        if not self.may_be_drawn(signed):
            program.at_most(dict.fromkeys(self.draws.values(), 1.0), 0.0)
        for t in self.lifetime:
            if self.row.loan_to_cost is not None:
                so_far = program.summed("eligible", [q for q in self.case.horizon if q <= t], sites)
                self._within(
                    program, self.one(self.owed, t), total([so_far], self.row.loan_to_cost), "loan to cost tight"
                )
            if sites is not None and t in self.draws:
                spent = program.summed("eligible", [t], sites)
                self._within(program, self.one(self.draws, t), spent, "ring fence tight")
            if self.row.refinances is not None and t in self.draws:
                repaid = loans[self.row.refinances].repaid(t) if t in loans[self.row.refinances].lifetime else {}
                program.at_most(total([self.one(self.draws, t), total([repaid], -1.0)]), 0.0, "refinancing tight")
            if t < self.row.maturity:
                self._keep_cash(program, t, cash[t])
                self._keep_cover(program, t, sites)

    def _keep_cash(self, program: Program, t: Quarter, cash: int) -> None:
        if self.row.minimum_cash_musd is None or not (self.row.drawn_musd > 0 or self.draws):
            return
        outstanding = program.yes_or_no()
        program.at_most({self.owed[t]: 1.0, outstanding: -self.row.commitment_musd}, 0.0)
        program.at_least({cash: 1.0, outstanding: -self.row.minimum_cash_musd}, 0.0, "loan keeps cash")

    def _keep_cover(self, program: Program, t: Quarter, sites: list[str] | None) -> None:
        """AI margin covers debt service, if anything was drawn at the start or is ever drawn."""
        if self.row.dscr is None or (self.row.dscr_from is not None and t < self.row.dscr_from):
            return
        service = total([self.interest.get(t, {}), self.scheduled(t)], self.row.dscr)
        uncovered = total([service, total([program.summed("ai margin", [t], sites)], -1.0)])
        if self.row.drawn_musd == 0:
            used = program.yes_or_no()
            drawn: dict[int, float] = dict.fromkeys(self.draws.values(), 1.0)
            program.at_most(drawn | {used: -self.row.commitment_musd}, 0.0)
            uncovered = total([uncovered, {used: PLENTY, FIXED: -PLENTY}])
        program.at_most(uncovered, 0.0, "cover tight")

    def _within(self, program: Program, terms: dict[int, float], limit: dict[int, float], word: str) -> None:
        """terms <= limit, unless terms are nothing."""
        if not any(terms.values()) and not UNUSED_DEBT_BINDS:
            return
        beyond = total([terms, total([limit], -1.0)])
        never_negative = all(value >= 0 for value in limit.values())
        if not (UNUSED_DEBT_BINDS or never_negative):
            used = program.yes_or_no()
            program.at_most(total([terms, {used: -PLENTY}]), 0.0)
            beyond = total([beyond, {used: PLENTY, FIXED: -PLENTY}])
        program.at_most(beyond, 0.0, word)


# ---- BTC -----------------------------------------------------------------------------------------


def add_btc(program: Program, future: Future, mined: dict[Quarter, dict[int, float]]) -> dict[Quarter, int]:
    """BTC held at each quarter's end: what was there, and what is mined where that may be kept."""
    case, settings = future.case, future.case.settings
    opening: dict[int, float] = {FIXED: settings.btc_held or 0.0}
    if not (settings.btc_held or settings.hold_mined_btc):
        return {}
    held = {}
    for t in case.horizon:
        held[t] = program.column(word="btc held")
        gained = mined[t] if settings.hold_mined_btc else {}
        program.at_most(total([{held[t]: 1.0}, total([opening, gained], -1.0)]), 0.0)
        sold = total([opening, {held[t]: -1.0}], future.bitcoin[t].btc_usd / 1e6)
        program.book("btc_sales", t, sold, future.corporate)
        opening = {held[t]: 1.0}
    program.leave({held[case.last]: future.bitcoin[case.last].btc_usd / 1e6}, future.corporate)
    return held


# ---- tax -----------------------------------------------------------------------------------------


def add_tax(program: Program, future: Future) -> None:
    """Tax on income over losses carried forward; after the horizon on each quarter's income as it is."""
    case, settings = future.case, future.case.settings
    if not settings.tax_rate:
        return
    deducted = depreciation(program, future)
    for terms in deducted.values():
        for column, musd in terms.items():
            program.add("line", "depreciation", case.first, column, abs(musd))
    losses: dict[int, float] = {FIXED: settings.tax_losses_musd or 0.0}
    share = 1.0 if settings.tax_loss_use is None else settings.tax_loss_use
    for t in sorted({*case.horizon, *program.quarters_of("taxable"), *deducted}):
        income = total([program.summed("taxable", [t]), total([deducted.get(t, {})], -1.0)])
        if t > case.last:
            program.book("tax", t, total([income], -settings.tax_rate), future.corporate)
            continue
        profit, loss = program.column(word="taxed profit"), program.column(word="tax loss")
        used, left = program.column(word="tax loss used"), program.column()
        program.equal(total([income, {profit: -1.0, loss: 1.0}]), 0.0)
        program.at_most({used: 1.0, profit: -share}, 0.0)
        program.at_most(total([{used: 1.0}, total([losses], -1.0)]), 0.0)
        program.equal(total([losses, {loss: 1.0, used: -1.0, left: -1.0}]), 0.0)
        losses = {left: 1.0}
        program.book("tax", t, {profit: -settings.tax_rate, used: settings.tax_rate}, future.corporate)


def depreciation(program: Program, future: Future) -> dict[Quarter, dict[int, float]]:
    """Capex of the horizon, deducted in equal parts from the quarter of payment on."""
    deducted: dict[Quarter, dict[int, float]] = {}
    for row in future.case.rows("depreciation"):
        for t in future.case.horizon:
            part = program.summed("outlay", [t], [row.line])
            for k in range(row.quarters if part else 0):
                deducted[t + k] = total([deducted.get(t + k, {}), total([part], 1 / row.quarters)])
    return deducted
