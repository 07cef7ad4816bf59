"""The lines of the cash-flow statement: which of them are value, which are cash, and when they are dated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.case import Case
from optimizer.quarters import Quarter

CORPORATE = "corporate"

Group = Literal["mining margin", "AI margin", "capex", "company", "financing", "residual"]


@dataclass(frozen=True)
class Line:
    """One line of the statement, in its reading order."""

    group: Group
    words: str
    in_cash: bool = True
    in_value: bool = True


LINES: dict[str, Line] = {
    "mining_revenue": Line("mining margin", "Mining revenue"),
    "interruptible_income": Line("mining margin", "Income for interruptible load"),
    "mining_power": Line("mining margin", "Power for mining"),
    "mining_site_cost": Line("mining margin", "Site cost of machines"),
    "rent": Line("AI margin", "Rent from contracts"),
    "market_sales": Line("AI margin", "Market sales of AI capacity"),
    "ai_power": Line("AI margin", "Power for AI"),
    "ai_operating_cost": Line("AI margin", "Operating cost of AI"),
    "facility_capex": Line("capex", "Facility capex"),
    "gpu_capex": Line("capex", "GPU capex"),
    "mobilisation": Line("capex", "Mobilisation and permits"),
    "g_and_a": Line("company", "G&A"),
    "asset_sale": Line("company", "Asset sales"),
    "fee": Line("financing", "Fees"),
    "interest": Line("financing", "Interest and coupons"),
    "principal": Line("financing", "Principal", in_value=False),
    "residual": Line("residual", "Residual at the horizon's end", in_cash=False),
}

VALUE_LINES = tuple(name for name, line in LINES.items() if line.in_value)
CAPEX_LINES = tuple(name for name, line in LINES.items() if line.group == "capex")


def discount_factor(case: Case, business: str, quarter: Quarter, *, at_start: bool = False) -> float:
    """`(1 + r) ** -((t + 0.5) / 4)`, t = 0 for the first quarter; with `at_start`, at the quarter's first day.

    `r` is the yearly rate of the business line, or the corporate rate where the line has none of its own.
    """
    rates = case.settings.discount_rates
    rate = rates.get(business, rates[CORPORATE])
    years = (quarter - case.first + (0.0 if at_start else 0.5)) / 4
    return float((1 + rate) ** -years)
