"""A mixed-integer program that keeps the books: what a decision pays, when, on which line, for which site.

Money is booked once; value, cash, taxable income, capex and AI margin are sums of the same bookings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import csr_array

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

FIXED = -1
SLACK = 1e-9
INFEASIBLE = 2
UNDECIDED = 4

AI_CAPEX = {"facility_capex", "gpu_capex", "mobilisation"}
CAPEX = AI_CAPEX | {"machine_purchases"}
AI_TRADE = {"rent", "market_sales", "ai_power", "ai_operating_cost"}
AI_MARGIN = AI_TRADE | {"backstop", "lease_cost", "damages", "expected_loss"}
CUSTOMERS_MONEY = {"prepayments", "tenant_capex", "tenant_credits"}
MINING = {"mining", "site_cost", "mining_moves", "ratchet"}
TAXED = AI_MARGIN | MINING | {"g_and_a", "asset_sale", "machine_sales", "gpu_sales"}
# What lenders test against their service, and what they lend on.
SERVES_DEBT = AI_MARGIN | {"tenant_credits"}
LENT_ON = AI_CAPEX | {"tenant_capex"}
# What moves cash alone, or value alone.
NO_VALUE = {"principal", "interest", "owed interest", "cash_interest", "btc_sales"}
NO_CASH = {"excess_interest"}
AT_COST_OF_DEBT = CUSTOMERS_MONEY | {"fee", "owed fee", "excess_interest"}
# What still comes and goes after the horizon, of which what is owed then must be paid.
AFTERWARDS = AI_MARGIN | CUSTOMERS_MONEY | CAPEX | {"gpu_sales", "tax"}
EVERYDAY = AI_TRADE | AI_CAPEX | NO_VALUE | {"mining", "site_cost", "g_and_a", "asset_sale", "owed fee"}
EVERYDAY -= {"cash_interest"}

Terms = Mapping[int, float]
Name = str | tuple[str, str]
"""A line, or a hall: the site and the product of some options."""


def total(parts: Iterable[Terms], factor: float = 1.0) -> dict[int, float]:
    """The sum of linear expressions (columns and their factors; FIXED is the constant), times a factor."""
    summed: dict[int, float] = {}
    for part in parts:
        for column, value in part.items():
            summed[column] = summed.get(column, 0.0) + factor * value
    return summed


def discount(rate: float, years: float) -> float:
    return float((1 + rate) ** -years)


@dataclass(frozen=True)
class Solution:
    """A value, the decisions behind it by column, and which features they make use of."""

    value_musd: float
    decisions: np.ndarray
    active: frozenset[str]


class Program:
    """Columns are decisions, rows are rules, bookings are money; the highest value is sought."""

    def __init__(self, case: Case):
        self.case = case
        self.low: list[float] = []
        self.high: list[float] = []
        self.whole: list[bool] = []
        self.words: list[str] = []
        self.now: list[int] = []
        self.worth: dict[int, float] = {FIXED: 0.0}
        self.sums: dict[tuple[str, Quarter], dict[Name, dict[int, float]]] = {}
        self.rows: list[tuple[Terms, float, float, str]] = []

    def copy(self) -> Program:
        twin = Program(self.case)
        for name in ("low", "high", "whole", "words", "now", "worth", "rows"):
            setattr(twin, name, getattr(self, name).copy())
        twin.sums = {key: {name: terms.copy() for name, terms in named.items()} for key, named in self.sums.items()}
        return twin

    # decisions and rules

    def column(self, low: float = 0.0, high: float = np.inf, *, whole: bool = False, word: str = "") -> int:
        """A decision; `word` names the features (one, or more with | between) that are active when it is not zero."""
        self.low.append(low)
        self.high.append(high)
        self.whole.append(whole)
        self.words.append(word)
        return len(self.low) - 1

    def yes_or_no(self) -> int:
        return self.column(0.0, 1.0, whole=True)

    def row(self, terms: Terms, low: float, high: float, word: str = "") -> None:
        """low <= terms <= high; `word` names the feature that is active when the row binds."""
        fixed = terms.get(FIXED, 0.0)
        self.rows.append((terms, low - fixed, high - fixed, word))

    def at_most(self, terms: Terms, high: float, word: str = "") -> None:
        self.row(terms, -np.inf, high, word)

    def at_least(self, terms: Terms, low: float, word: str = "") -> None:
        self.row(terms, low, np.inf, word)

    def equal(self, terms: Terms, value: float) -> None:
        self.row(terms, value, value)

    # money

    def rate(self, business: str) -> float:
        """The yearly rate of `mining`, of a product or of `debt`; the corporate one unless it has its own."""
        rates = self.case.settings.discount_rates
        return rates.get(business, rates["corporate"])

    def book(self, line: str, t: Quarter, amounts: Terms, business: str, site: str = "") -> None:
        """Money received (paid: negative) in a quarter by a business; before the horizon it is sunk."""
        if t < self.case.first:
            return
        inside = t <= self.case.last
        rate = self.rate("debt" if line in AT_COST_OF_DEBT else business)
        factor = 0.0 if line in NO_VALUE else discount(rate, (t - self.case.first + 0.5) / 4)
        afterwards = discount(self.rate("debt"), (t - self.case.last - 0.5) / 4)
        for column, musd in amounts.items():
            self.worth[column] = self.worth.get(column, 0.0) + musd * factor
            if line not in EVERYDAY:
                self.add("line", line, self.case.first, column, abs(musd))
            if line in TAXED:
                self.add("taxable", "", t, column, musd)
            if line in CAPEX:
                self.add("outlay", line, t, column, -musd)
            if not inside and line in AFTERWARDS:
                self.add("afterwards", "", t, column, musd * afterwards)
            if not inside:
                continue
            if line not in NO_CASH:
                self.add("cash", "", t, column, musd)
            if line in LENT_ON:
                self.add("cost", (site, business), t, column, -musd)
            if line in SERVES_DEBT:
                self.add("ai margin", (site, business), t, column, musd)

    def book_again(self, pattern: Program, column: int) -> None:
        """What another program has booked for its column 0, for a column of this one."""
        self.worth[column] = self.worth.get(column, 0.0) + pattern.worth.get(0, 0.0)
        for (kind, t), by_name in pattern.sums.items():
            for name, terms in by_name.items():
                self.add(kind, name, t, column, terms[0])

    def leave(self, t: Quarter, amounts: Terms, business: str) -> None:
        """What is worth something on the first day of a quarter after the horizon."""
        factor = discount(self.rate(business), (t - self.case.first) / 4)
        afterwards = discount(self.rate("debt"), (t - self.case.last - 1) / 4)
        for column, musd in amounts.items():
            self.worth[column] = self.worth.get(column, 0.0) + musd * factor
            self.add("afterwards", "", t, column, musd * afterwards)

    def add(self, kind: str, name: Name, t: Quarter, column: int, musd: float) -> None:
        terms = self.sums.setdefault((kind, t), {}).setdefault(name, {})
        terms[column] = terms.get(column, 0.0) + musd

    def summed(self, kind: str, quarters: Iterable[Quarter], names: Iterable[Name] | None = None) -> dict[int, float]:
        """What was booked under these names (None: all) in these quarters."""
        booked = (self.sums.get((kind, t), {}) for t in quarters)
        if names is None:
            return total(terms for by_name in booked for terms in by_name.values())
        wanted = list(names)
        return total(by_name[name] for by_name in booked for name in wanted if name in by_name)

    def quarters_of(self, kind: str) -> list[Quarter]:
        return sorted(t for k, t in self.sums if k == kind)

    # the best plan

    def best(self, beat: float = -np.inf) -> Solution | None:
        """The highest value; None when no plan keeps every row, or none is worth more than `beat`."""
        relaxed = self._solve(whole=False)
        if relaxed is None or self._value(relaxed) <= beat:
            return None
        if any(self.whole):
            rounded = self._solve(whole=True)
            if rounded is None:
                return None
            relaxed = self._polish(rounded)
            if self._value(relaxed) <= beat:
                return None
        return Solution(self._value(relaxed), relaxed, frozenset(self._active(relaxed)))

    def _value(self, x: np.ndarray) -> float:
        return float(self.worth[FIXED] + sum(worth * x[c] for c, worth in self.worth.items() if c != FIXED))

    def _solve(self, *, whole: bool) -> np.ndarray | None:
        return self._run(np.array(self.low), np.array(self.high), np.array(self.whole if whole else [False]))

    def _polish(self, x: np.ndarray) -> np.ndarray:
        """Solve again with the whole numbers fixed, so that their tolerance leaves no trace in the value."""
        whole, near = np.array(self.whole), np.round(x)
        polished = self._run(np.where(whole, near, self.low), np.where(whole, near, self.high), np.array([False]))
        return x if polished is None else polished

    def _run(self, low: np.ndarray, high: np.ndarray, whole: np.ndarray) -> np.ndarray | None:
        worth = np.zeros(len(self.low))
        for column, musd in self.worth.items():
            if column != FIXED:
                worth[column] = musd
        options = {"mip_rel_gap": 0.0, "presolve": True}
        integrality = np.broadcast_to(whole, len(self.low)).astype(int)
        arguments = {"integrality": integrality, "bounds": Bounds(low, high), "constraints": self._constraints()}
        solved: OptimizeResult = milp(-worth, **arguments, options=options)
        if solved.status == UNDECIDED:
            solved = milp(-worth, **arguments, options=options | {"presolve": False})
        if solved.status == INFEASIBLE:
            return None
        assert solved.success and solved.x is not None, solved.message
        return np.asarray(solved.x)

    def _constraints(self) -> list[LinearConstraint]:
        if not self.rows:
            return []
        starts, columns, factors = [0], [], []
        for terms, *_ in self.rows:
            columns += [c for c in terms if c != FIXED]
            factors += [value for c, value in terms.items() if c != FIXED]
            starts.append(len(columns))
        matrix = csr_array((factors, columns, starts), shape=(len(self.rows), len(self.low)))
        return [LinearConstraint(matrix, [low for _, low, _, _ in self.rows], [high for _, _, high, _ in self.rows])]

    def _active(self, x: np.ndarray) -> Iterator[str]:
        """Words of decisions that are taken, of rows that bind, and of lines that money moves on."""
        enough = 1e-5

        def at(terms: Terms) -> float:
            return sum(value * (1.0 if c == FIXED else x[c]) for c, value in terms.items())

        for words, value in zip(self.words, x, strict=True):
            if words and value > enough:
                yield from words.split("|")
        for terms, low, high, word in self.rows:
            fixed = terms.get(FIXED, 0.0)
            involved = any(
                c != FIXED and not self.whole[c] and abs(value * x[c]) > enough for c, value in terms.items()
            )
            if word and involved and min(abs(at(terms) - fixed - end) for end in (low, high)) < enough:
                yield word
        lines = self.sums.get(("line", self.case.first), {})
        yield from (line for line, terms in lines.items() if at(terms) > enough)
