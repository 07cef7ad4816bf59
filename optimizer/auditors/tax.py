"""Tax on profits: income less straight-line depreciation, losses carried forward."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from optimizer.auditors.books import Books
from optimizer.auditors.inputs import ONE, ZERO, decimal
from optimizer.auditors.lines import CORPORATE, DEPRECIATED, TAX, UNTAXED
from optimizer.ground.quarters import Quarter


def taxable_income(books: Books) -> dict[Quarter, Decimal]:
    """Income before depreciation of every quarter that has flows, of what is recorded so far."""
    income: dict[Quarter, Decimal] = {}
    for flow in books.flows:
        if flow.line not in UNTAXED:
            income[flow.quarter] = income.get(flow.quarter, ZERO) + flow.musd
    return income


def depreciation(books: Books) -> dict[Quarter, Decimal]:
    """What is deducted in each quarter: the horizon's capex in equal parts from its own quarter on."""
    lives = {row.line: row.quarters for row in books.case.rows("depreciation")}
    spent: dict[tuple[Quarter, int], Decimal] = {}
    for flow in books.flows:
        quarters = lives.get(DEPRECIATED.get(flow.line, ""))
        if quarters is not None and flow.quarter <= books.case.last:
            spent[flow.quarter, quarters] = spent.get((flow.quarter, quarters), ZERO) - flow.musd
    deducted: dict[Quarter, Decimal] = {}
    for (first, quarters), musd in spent.items():
        for t in range(first, first + quarters):
            deducted[Quarter(t)] = deducted.get(Quarter(t), ZERO) + musd / quarters
    return deducted


class LossesCarried:
    """Losses carried forward, used against profits as early and as far as the case allows."""

    def __init__(self, books: Books):
        settings = books.case.settings
        self.rate = decimal(settings.tax_rate)
        self.use = ONE if settings.tax_loss_use is None else decimal(settings.tax_loss_use)
        self.losses = decimal(settings.tax_losses_musd)

    def tax(self, profit: Decimal) -> Decimal:
        """What a quarter of the horizon pays on its profit; a loss is added to those carried."""
        if profit <= 0:
            self.losses -= profit
            return ZERO
        used = min(self.losses, self.use * profit)
        self.losses -= used
        return self.rate * (profit - used)


def taxes_after(books: Books, income: Mapping[Quarter, Decimal], deducted: Mapping[Quarter, Decimal]) -> None:
    """Record the tax of each quarter after the horizon: taxed by itself, a loss gives tax back."""
    rate = decimal(books.case.settings.tax_rate)
    for quarter in sorted(income.keys() | deducted.keys()):
        if quarter > books.case.last:
            musd = -rate * (income.get(quarter, ZERO) - deducted.get(quarter, ZERO))
            if musd:
                books.record("tax", quarter, musd, CORPORATE, source=TAX)
