"""Cash, debt, BTC held and tax: recourse decisions on top of everything that was booked before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from oracle_contracts import Contracts
from oracle_future import Future
from oracle_program import FIXED, Program, total

from optimizer.ground.quarters import Quarter, span

# More than any balance, margin or cost of a small case, $M.
PLENTY = 500.0
Hall = tuple[str, str]


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
            program.book("cash_interest", t, total([self.opening_cash(t)], rate / 4), "corporate")

    def opening_cash(self, t: Quarter) -> dict[int, float]:
        return {self.cash[t - 1]: 1.0} if t > self.case.first else {FIXED: self.case.settings.opening_cash_musd}

    def close(self, program: Program, signed: Contracts) -> None:
        """Covenants, tax, and cash that adds up."""
        if self.decide:
            for loan in self.loans.values():
                loan.add_covenants(program, self.loans, self.cash, signed)
            self._share_halls(program)
        add_tax(program, self.future)
        for t, column in self.cash.items():
            program.equal(total([{column: -1.0}, self.opening_cash(t), program.summed("cash", [t])]), 0.0)
            if self.decide:
                program.at_least(self.liquid(t), self.case.settings.minimum_cash_musd, "liquidity tight")
        if self.decide:
            self._repay_afterwards(program)

    def liquid(self, t: Quarter) -> dict[int, float]:
        """Cash and the part of the BTC held that counts."""
        if not self.held:
            return {self.cash[t]: 1.0}
        share = self.case.settings.btc_liquidity_share or 0.0
        return {self.cash[t]: 1.0, self.held[t]: share * self.future.bitcoin[t].btc_usd / 1e6}

    def _repay_afterwards(self, program: Program) -> None:
        """Of a plan that borrows: what is owed at the end, less spare cash, is covered by what still comes."""
        draws = [column for loan in self.loans.values() for column in loan.draws.values()]
        if not draws:
            return
        borrows = program.yes_or_no()
        program.at_most(dict.fromkeys(draws, 1.0) | {borrows: -PLENTY}, 0.0)
        last, settings = self.case.last, self.case.settings
        cover = 1.0 if settings.end_coverage is None else settings.end_coverage
        owed = total(Loan.one(loan.owed, last) for loan in self.loans.values())
        spare = {self.cash[last]: -1.0, FIXED: settings.minimum_cash_musd}
        still = total([program.summed("afterwards", program.quarters_of("afterwards"))], -cover)
        waived = {borrows: PLENTY, FIXED: -PLENTY}
        program.at_most(total([owed, spare, still, waived]), 0.0, "owed at the end tight")

    def _share_halls(self, program: Program) -> None:
        """Loans that have halls in common lend no more together than these cost, by their shares of it."""
        for loans in _chained([loan for loan in self.loans.values() if loan.row.loan_to_cost is not None]):
            for t in self.case.horizon:
                owed = [loan.one(loan.owed, t) for loan in loans]
                within(program, owed, _lent_on(program, loans, t), "shared cost tight")
        for loans in _chained([loan for loan in self.loans.values() if loan.halls is not None]):
            halls = {hall for loan in loans for hall in loan.halls or ()}
            for t in self.case.horizon:
                drawn = [loan.one(loan.draws, t) for loan in loans]
                within(program, drawn, program.summed("cost", [t], halls), "shared draws tight")


def _chained(loans: list[Loan]) -> Iterator[list[Loan]]:
    """Sets of two loans or more, each of which hangs together by halls in common."""
    for size in range(2, len(loans) + 1):
        for chosen in combinations(loans, size):
            reached, left = [chosen[0]], list(chosen[1:])
            while more := [loan for loan in left if any(loan.meets(other) for other in reached)]:
                reached += more
                left = [loan for loan in left if loan not in more]
            if not left:
                yield list(chosen)


def _lent_on(program: Program, loans: list[Loan], t: Quarter) -> dict[int, float]:
    """What these loans may owe together: each hall's cost so far, at their shares of it, never more than whole."""
    so_far = [q for q in program.case.horizon if q <= t]
    halls = {hall for (kind, _), named in program.sums.items() if kind == "cost" for hall in named}
    parts = []
    for hall in halls:
        share = sum(loan.row.loan_to_cost for loan in loans if loan.halls is None or hall in loan.halls)
        parts.append(total([program.summed("cost", so_far, [hall])], min(1.0, share)))
    return total(parts)


def within(program: Program, parts: list[dict[int, float]], limit: dict[int, float], word: str) -> None:
    """The parts together are within the limit, unless one of them is nothing."""
    beyond = total([*parts, total([limit], -1.0)])
    if not all(any(part.values()) for part in parts):
        return
    for part in parts if any(value < 0 for value in limit.values()) else ():
        used = program.yes_or_no()
        program.at_most(total([part, {used: -PLENTY}]), 0.0)
        beyond = total([beyond, {used: PLENTY, FIXED: -PLENTY}])
    program.at_most(beyond, 0.0, word)


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
        secured_by = [r.option for r in self.case.rows("collateral") if r.facility == self.row.facility]
        options = [self.case.option[name] for name in secured_by]
        self.halls: set[Hall] | None = {(o.site, o.product) for o in options} if options else None

    # whom it meets

    def meets(self, other: Loan) -> bool:
        """Whether both lend on a hall; the company's loans lend on all."""
        return self.halls is None or other.halls is None or bool(self.halls & other.halls)

    def stands_behind(self, other: Loan) -> bool:
        """Whether the other one is served from the same halls before this one, or with it; itself is."""
        if (other.row.rank or 1) > (self.row.rank or 1):
            return False
        return self.halls is None or (other.halls is not None and bool(self.halls & other.halls))

    # when

    def _available(self) -> list[Quarter]:
        """Quarters of the horizon in which it can be drawn, contract or no contract."""
        first, last = self.row.available_first, self.row.available_last
        return [] if first is None or last is None else [t for t in self.case.horizon if first <= t <= last]

    def may_be_drawn(self, signed: Contracts) -> bool:
        """Whether the contract that it needs is signed, in a hall of its own if it has any."""
        if self.row.requires_offer is None:
            return True
        where = {(c.site, self.case.offer[c.offer].product) for c in signed if c.offer == self.row.requires_offer}
        return bool(where) and (self.halls is None or bool(where & self.halls))

    def interest_paid_in(self, accrued: Quarter) -> Quarter:
        """The next coupon, or maturity if that comes first."""
        every, t = self.row.interest_every_quarters, accrued
        while every > 1 and t < self.row.maturity and (t - self.row.first_coupon) % every != 0:
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
        who = "drawn" if self.halls is None else "drawn against halls"
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
            program.book("principal", t, drawn, "corporate")
            program.book("principal", t, total([repaid], -1.0), "corporate")

    def _add_interest(self, program: Program) -> None:
        """Interest of each quarter until maturity, paid with its coupon, and what of it is above the cost of debt."""
        if not self.lifetime:
            return
        before = [self.case.first - k for k in range(1, self.row.interest_every_quarters)]
        for t in (t for t in before if self.interest_paid_in(t) >= self.case.first):
            self._accrue(program, t, {FIXED: self.row.drawn_musd})
        for t in span(self.case.first, self.row.maturity - self.case.first + 1):
            self._accrue(program, t, total([self.opening(t), self.one(self.draws, t)]))

    def _accrue(self, program: Program, t: Quarter, balance: dict[int, float]) -> None:
        rate = self.future.loan_rate(self.row.margin, self.row.base_rate, max(t, self.case.first))
        paid = self.interest_paid_in(t)
        self.interest[paid] = total([self.interest.get(paid, {}), total([balance], rate / 4)])
        program.book("interest", paid, total([balance], -rate / 4), "corporate")
        excess = self._excess(rate, t)
        if excess > 0:
            program.book("excess_interest", paid, total([balance], -excess / 4), "corporate")

    def _excess(self, rate: float, t: Quarter) -> float:
        """Yearly rate above the normal cost of debt; while it is open no less than what a draw saves in fees."""
        normal = self.case.settings.discount_rates.get("debt", rate)
        first, last = self.row.available_first, self.row.available_last
        saved = self.row.undrawn_fee if first is not None and last is not None and first <= t <= last else 0.0
        return float(max(rate - normal, saved, 0.0))

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
            program.book("fee", self.row.available_first, upfront, "corporate")
        else:
            return
        for t in self.open:
            so_far = {draw: -1.0 for q, draw in self.draws.items() if q <= t} | {FIXED: -self.row.drawn_musd}
            undrawn = total([used, so_far])
            program.book("fee", t, total([undrawn], -self.row.undrawn_fee / 4), "corporate")

    # covenants

    def add_covenants(
        self, program: Program, loans: dict[str, Loan], cash: dict[Quarter, int], signed: Contracts
    ) -> None:
        if not self.may_be_drawn(signed):
            program.at_most(dict.fromkeys(self.draws.values(), 1.0), 0.0)
        for t in self.lifetime:
            if self.row.loan_to_cost is not None:
                within(program, [self.one(self.owed, t)], _lent_on(program, [self], t), "loan to cost tight")
            if self.halls is not None and t in self.draws:
                within(program, [self.one(self.draws, t)], program.summed("cost", [t], self.halls), "ring fence tight")
            if self.row.refinances is not None and t in self.draws:
                repaid = loans[self.row.refinances].repaid(t) if t in loans[self.row.refinances].lifetime else {}
                program.at_most(total([self.one(self.draws, t), total([repaid], -1.0)]), 0.0, "refinancing tight")
            if t < self.row.maturity:
                self._keep_cash(program, t, cash[t])
                self._keep_cover(program, t, [loan for loan in loans.values() if self.stands_behind(loan)])

    def _keep_cash(self, program: Program, t: Quarter, cash: int) -> None:
        if self.row.minimum_cash_musd is None or not (self.row.drawn_musd > 0 or self.draws):
            return
        outstanding = program.yes_or_no()
        program.at_most({self.owed[t]: 1.0, outstanding: -self.row.commitment_musd}, 0.0)
        program.at_least({cash: 1.0, outstanding: -self.row.minimum_cash_musd}, 0.0, "loan keeps cash")

    def service(self, t: Quarter) -> dict[int, float]:
        """Interest paid and principal due in a quarter; the rest that falls due at maturity is no service."""
        return total([self.interest.get(t, {}), self.scheduled(t) if t < self.row.maturity else {}])

    def _keep_cover(self, program: Program, t: Quarter, served: list[Loan]) -> None:
        """AI margin of its halls covers what it and those before it are served, in a quarter in which it is owed."""
        if self.row.dscr is None or (self.row.dscr_from is not None and t < self.row.dscr_from):
            return
        owed = program.yes_or_no()
        balance = total([self.opening(t), self.one(self.draws, t), {owed: -self.row.commitment_musd}])
        program.at_most(balance, 0.0)
        service = total((loan.service(t) for loan in served), self.row.dscr)
        margin = program.summed("ai margin", [t], self.halls)
        program.at_most(total([service, total([margin], -1.0), {owed: PLENTY, FIXED: -PLENTY}]), 0.0, "cover tight")


# ---- BTC -----------------------------------------------------------------------------------------


def add_btc(program: Program, future: Future, mined: dict[Quarter, dict[int, float]]) -> dict[Quarter, int]:
    """BTC held at each quarter's end: they only fall, or fall as scheduled, or what is mined may be kept too."""
    case, settings = future.case, future.case.settings
    free, most = settings.btc_rule == "free", settings.max_btc_sales_per_quarter
    opening: dict[int, float] = {FIXED: settings.btc_held or 0.0}
    if not (settings.btc_held or free):
        return {}
    scheduled = {row.quarter: row.btc for row in case.rows("btc_schedule")}
    held = {}
    for t in case.horizon:
        held[t] = program.column(settings.minimum_btc or 0.0, word="btc held")
        fall = total([opening, {held[t]: -1.0}])
        if settings.btc_rule == "schedule":
            program.equal(fall, scheduled.get(t, 0.0))
        else:
            program.at_least(total([fall, mined[t] if free else {}]), 0.0)
        if most is not None:
            program.at_most(fall, most)
        program.book("btc_sales", t, total([fall], future.bitcoin[t].btc_usd / 1e6), "corporate")
        opening = {held[t]: 1.0}
    return held


# ---- tax -----------------------------------------------------------------------------------------


def add_tax(program: Program, future: Future) -> None:
    """Tax on income over losses carried forward, as long as anything is taxed."""
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
        profit, loss = program.column(word="taxed profit"), program.column(word="tax loss")
        word = "tax loss used" if t <= case.last else "tax loss used|tax loss used afterwards"
        used, left = program.column(word=word), program.column()
        program.equal(total([income, {profit: -1.0, loss: 1.0}]), 0.0)
        program.at_most({used: 1.0, profit: -share}, 0.0)
        program.at_most(total([{used: 1.0}, total([losses], -1.0)]), 0.0)
        program.equal(total([losses, {loss: 1.0, used: -1.0, left: -1.0}]), 0.0)
        losses = {left: 1.0}
        program.book("tax", t, {profit: -settings.tax_rate, used: settings.tax_rate}, "corporate")


def depreciation(program: Program, future: Future) -> dict[Quarter, dict[int, float]]:
    """Capex, what is spent after the horizon too, deducted in equal parts from the quarter of payment on."""
    deducted: dict[Quarter, dict[int, float]] = {}
    for row in future.case.rows("depreciation"):
        for t in program.quarters_of("outlay"):
            part = program.summed("outlay", [t], [row.line])
            for k in range(row.quarters if part else 0):
                deducted[t + k] = total([deducted.get(t + k, {}), total([part], 1 / row.quarters)])
    return deducted
