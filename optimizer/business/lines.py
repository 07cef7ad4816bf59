"""The lines of the cash-flow statement: which of them are value, which are cash, and when they are dated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.case.case import Case

CORPORATE = "corporate"

Group = Literal["mining margin", "AI margin", "capex", "company", "financing", "residual"]


@dataclass(frozen=True)
class Line:
    """One line of the statement, in its reading order."""

    group: Group
    words: str
    in_cash: bool = True
    in_value: bool = True
    serves_debt: bool = True


LINES: dict[str, Line] = {
    "mining_revenue": Line("mining margin", "Mining revenue"),
    "interruptible_income": Line("mining margin", "Income for interruptible load"),
    "mining_power": Line("mining margin", "Power for mining"),
    "mining_site_cost": Line("mining margin", "Site cost of machines"),
    "mining_moves": Line("mining margin", "Moving machines"),
    "rent": Line("AI margin", "Rent from contracts"),
    "market_sales": Line("AI margin", "Market sales of AI capacity"),
    "ai_power": Line("AI margin", "Power for AI"),
    "ai_operating_cost": Line("AI margin", "Operating cost of AI"),
    "lease_cost": Line("AI margin", "Cost of buildings let"),
    "tenant_credits": Line("AI margin", "Rent credits for tenants' capex"),
    "damages": Line("AI margin", "Damages for late delivery"),
    "backstop": Line("AI margin", "Credit backstops"),
    "prepayments": Line("AI margin", "Prepayments less their credits", serves_debt=False),
    "facility_capex": Line("capex", "Facility capex"),
    "gpu_capex": Line("capex", "GPU capex"),
    "mobilisation": Line("capex", "Mobilisation and permits"),
    "tenant_capex": Line("capex", "Capex that tenants pay"),
    "machine_purchases": Line("capex", "Mining machines bought"),
    "g_and_a": Line("company", "G&A"),
    "tax": Line("company", "Tax"),
    "asset_sale": Line("company", "Asset sales"),
    "machine_sales": Line("company", "Mining machines sold"),
    "gpu_sales": Line("company", "Used GPUs sold"),
    "btc_sales": Line("company", "BTC sold from the treasury, less BTC kept"),
    "fee": Line("financing", "Fees"),
    "interest": Line("financing", "Interest and coupons"),
    "cash_interest": Line("financing", "Interest on cash"),
    "principal": Line("financing", "Debt drawn less repaid", in_value=False),
    "residual": Line("residual", "Residual at the horizon's end", in_cash=False),
}

VALUE_LINES = tuple(name for name, line in LINES.items() if line.in_value)
CAPEX_LINES = tuple(name for name, line in LINES.items() if line.group == "capex")
AI_MARGIN_LINES = tuple(name for name, line in LINES.items() if line.group == "AI margin" and line.serves_debt)
UNTAXED_LINES = ("tax", "btc_sales", "principal", "residual", *CAPEX_LINES)
"""Capex is deducted by depreciation; a stated residual is after tax; BTC has its own basis, which no case knows."""


def discount_rate(case: Case, business: str) -> float:
    """The yearly rate of a business line, or the corporate rate where the line has none of its own."""
    rates = case.settings.discount_rates
    return rates.get(business, rates[CORPORATE])


def discount_factor(rate: float, quarter: int, *, at_start: bool = False) -> float:
    """`(1 + r) ** -((t + 0.5) / 4)`, t = 0 for the first quarter; with `at_start`, at the quarter's first day."""
    years = (quarter + (0.0 if at_start else 0.5)) / 4
    return float((1 + rate) ** -years)
