"""Tax on profits as if nothing were borrowed: income less straight-line depreciation, losses carried forward."""

from __future__ import annotations

from decimal import Decimal

from optimizer.auditors.books import Books
from optimizer.auditors.inputs import ONE, ZERO, decimal
from optimizer.auditors.lines import CORPORATE, DEPRECIATED, TAX, UNTAXED
from optimizer.ground.quarters import Quarter


def taxable_income(books: Books) -> dict[Quarter, Decimal]:
    """Income before depreciation of every quarter that has flows, of what is recorded so far.

    Interest and customers' money are left out: hurdle rates hold the tax that interest saves.
    """
    income: dict[Quarter, Decimal] = {}
    for flow in books.flows:
        if flow.line not in UNTAXED:
            income[flow.quarter] = income.get(flow.quarter, ZERO) + flow.musd
    return income


def depreciation(books: Books) -> dict[Quarter, Decimal]:
    """What is deducted in each quarter: gross capex in equal parts from its own quarter on, after the horizon too."""
    lives = {row.line: row.quarters for row in books.case.rows("depreciation")}
    spent: dict[tuple[Quarter, int], Decimal] = {}
    for flow in books.flows:
        quarters = lives.get(flow.line) if flow.line in DEPRECIATED else None
        if quarters is not None:
            spent[flow.quarter, quarters] = spent.get((flow.quarter, quarters), ZERO) - flow.musd
    deducted: dict[Quarter, Decimal] = {}
    for (first, quarters), musd in spent.items():
        for t in range(first, first + quarters):
            deducted[Quarter(t)] = deducted.get(Quarter(t), ZERO) + musd / quarters
    return deducted


class LossesCarried:
    """Losses carried forward, used against profits as early and as far as the case allows, and never paid out."""

    def __init__(self, books: Books):
        settings = books.case.settings
        self.rate = decimal(settings.tax_rate)
        self.use = ONE if settings.tax_loss_use is None else decimal(settings.tax_loss_use)
        self.losses = decimal(settings.tax_losses_musd)

    def tax(self, profit: Decimal) -> Decimal:
        """What a quarter pays on its profit; a loss is added to those carried."""
        if profit <= 0:
            self.losses -= profit
            return ZERO
        used = min(self.losses, self.use * profit)
        self.losses -= used
        return self.rate * (profit - used)


def record(books: Books) -> None:
    """The tax of every quarter in which anything is earned or deducted, after the horizon too."""
    if books.case.settings.tax_rate is None:
        return
    income, deducted, losses = taxable_income(books), depreciation(books), LossesCarried(books)
    for quarter in sorted(income.keys() | deducted.keys()):
        paid = losses.tax(income.get(quarter, ZERO) - deducted.get(quarter, ZERO))
        if paid:
            books.record("tax", quarter, -paid, CORPORATE, source=TAX)
