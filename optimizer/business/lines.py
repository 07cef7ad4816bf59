"""The lines of the cash-flow statement: which of them are value, which are cash, and when they are dated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.case.case import Case

CORPORATE, DEBT = "corporate", "debt"

Group = Literal["mining margin", "AI margin", "capex", "company", "customers' money", "financing", "residual"]


@dataclass(frozen=True)
class Line:
    """One line of the statement, in its reading order.

    `serves_debt`: lenders count it among what pays their interest. `lent`: it is money lent, or what lending costs
    beyond a fair price, and counts at the company's cost of borrowing, whatever business it belongs to.
    """

    group: Group
    words: str
    in_cash: bool = True
    in_value: bool = True
    serves_debt: bool = False
    lent: bool = False
    at_start: bool = False
    """Dated at the first day of its quarter, not in the middle."""


LINES: dict[str, Line] = {
    "mining_revenue": Line("mining margin", "Mining revenue"),
    "interruptible_income": Line("mining margin", "Income for interruptible load"),
    "mining_power": Line("mining margin", "Power for mining"),
    "mining_site_cost": Line("mining margin", "Site cost of machines"),
    "mining_moves": Line("mining margin", "Moving machines"),
    "rent": Line("AI margin", "Rent from contracts", serves_debt=True),
    "market_sales": Line("AI margin", "Market sales of AI capacity", serves_debt=True),
    "ai_power": Line("AI margin", "Power for AI", serves_debt=True),
    "ai_operating_cost": Line("AI margin", "Operating cost of AI", serves_debt=True),
    "lease_cost": Line("AI margin", "Cost of buildings let", serves_debt=True),
    "damages": Line("AI margin", "Damages for late delivery", serves_debt=True),
    "expected_loss": Line("AI margin", "Expected loss from tenants' defaults", serves_debt=True),
    "backstop": Line("AI margin", "Credit backstops", serves_debt=True),
    "facility_capex": Line("capex", "Facility capex"),
    "gpu_capex": Line("capex", "GPU capex"),
    "mobilisation": Line("capex", "Mobilisation and permits"),
    "machine_purchases": Line("capex", "Mining machines bought"),
    "g_and_a": Line("company", "G&A"),
    "tax": Line("company", "Tax"),
    "asset_sale": Line("company", "Asset sales"),
    "machine_sales": Line("company", "Mining machines sold"),
    "gpu_sales": Line("company", "Used GPUs sold"),
    "prepayments": Line("customers' money", "Prepayments less their credits", lent=True),
    "tenant_capex": Line("customers' money", "Capex that tenants advance", lent=True),
    "tenant_credits": Line("customers' money", "Rent credits for tenants' capex", serves_debt=True, lent=True),
    "fee": Line("financing", "Fees", lent=True),
    "interest": Line("financing", "Interest and coupons", in_value=False),
    "excess_interest": Line("financing", "Interest above the normal cost of debt", in_cash=False, lent=True),
    "cash_interest": Line("financing", "Interest on cash", in_value=False),
    "principal": Line("financing", "Debt drawn less repaid", in_value=False),
    "btc_sales": Line("financing", "BTC sold from the treasury, less BTC kept", in_value=False),
    "residual": Line("residual", "Residuals of halls and machines", in_cash=False, at_start=True),
}

VALUE_LINES = tuple(name for name, line in LINES.items() if line.in_value)
CAPEX_LINES = tuple(name for name, line in LINES.items() if line.group == "capex")
AI_CAPEX_LINES = (*(line for line in CAPEX_LINES if line != "machine_purchases"), "tenant_capex")
"""What lenders lend against: the halls' capex, less what tenants advance of it."""
AI_MARGIN_LINES = tuple(name for name, line in LINES.items() if line.serves_debt)
"""What lenders count as paying for debt."""
_FINANCING = ("customers' money", "financing")
BUSINESS_LINES = tuple(name for name in VALUE_LINES if LINES[name].group not in _FINANCING)
"""What megawatts, people and taxes bring and cost: value but for how it is paid for."""
LEVERED_LINES = (
    *BUSINESS_LINES, *(name for name, line in LINES.items() if line.group == "customers' money"),
    "fee", "interest", "principal",
)  # fmt: skip
"""What is left for shareholders: the business, its lenders' and its customers' money."""
UNTAXED_LINES = ("tax", "residual", *CAPEX_LINES, *(name for name, line in LINES.items() if line.group in _FINANCING))
"""Capex is deducted by depreciation; a stated residual is after tax; hurdle rates hold what interest saves in tax."""


def cash_lines() -> list[str]:
    """Lines that move cash."""
    return [name for name, line in LINES.items() if line.in_cash]


def discount_rate(case: Case, business: str) -> float:
    """The yearly rate of a business line, or the corporate rate where the line has none of its own."""
    rates = case.settings.discount_rates
    return rates.get(business, rates[CORPORATE])


def rate_of_line(case: Case, line: str, business: str) -> float:
    """The yearly rate at which a line of a business is discounted: money lent at what borrowing normally costs."""
    return cost_of_debt(case) if LINES[line].lent else discount_rate(case, business)


def cost_of_debt(case: Case) -> float:
    """What borrowing normally costs the company a year, or the corporate rate where the case does not say."""
    return discount_rate(case, DEBT)


def discount_factor(rate: float, quarter: int, *, at_start: bool = False) -> float:
    """`(1 + r) ** -((t + 0.5) / 4)`, t = 0 for the first quarter; with `at_start`, at the quarter's first day."""
    years = (quarter + (0.0 if at_start else 0.5)) / 4
    return float((1 + rate) ** -years)
