"""Names of cash lines and of what they belong to, as the accountant groups them."""

from __future__ import annotations

MINING, CORPORATE, DEBT = "mining", "corporate", "debt"
"""The two businesses that are no product; and the rate at which money lent to the company counts."""
BTC_HELD, CASH, TAX, G_AND_A = "BTC held", "cash", "tax", "G&A"
COMPANY = frozenset({BTC_HELD, CASH, TAX, G_AND_A})
"""Sources of money that comes from no contract, option, machine, facility or obligation."""

PRINCIPAL, INTEREST, FEE, EXCESS = "principal", "interest", "fee", "excess_interest"
RESIDUAL = "residual"
CASH_ONLY = frozenset({"btc_sales", INTEREST, "cash_interest", PRINCIPAL})
"""The treasury is priced fairly: what it moves is cash and no value."""
VALUE_ONLY = frozenset({EXCESS, RESIDUAL})
"""Value that is no cash: what stands free at the end, and interest above what borrowing normally costs."""

AI_CAPEX = ("facility_capex", "gpu_capex", "mobilisation", "tenant_capex")
"""What a lender lends against: the AI programme's capex, less what tenants pay."""
CAPEX = ("facility_capex", "gpu_capex", "mobilisation", "machine_purchases")
"""What budgets count: all that is spent, machines bought included, whatever tenants advance of it."""
EARNED = (
    "rent", "market_sales", "ai_power", "ai_operating_cost", "lease_cost", "damages", "backstop", "expected_loss",
)  # fmt: skip
"""The AI margin."""
CUSTOMERS = ("prepayments", "tenant_capex", "tenant_credits")
"""Customers' money: what they lend, and the rent that pays it back."""
AI_MARGIN = (*EARNED, "tenant_credits")
"""What serves debt: the AI margin, less the rent that tenants are credited."""
PAID_BY_CUSTOMERS = ("rent", "market_sales")
"""Of which no customer may pay too large a share."""

AT_DEBT = frozenset({*CUSTOMERS, FEE, EXCESS})
"""Lines of money lent: they are discounted at what borrowing normally costs."""
FINANCING = frozenset({*CASH_ONLY, *AT_DEBT})
"""Lines of lenders', customers' and shareholders' money; all others are business."""
LEVERED = frozenset({PRINCIPAL, INTEREST, *CUSTOMERS, FEE})
"""Of which these stand between the business and its shareholders."""

DEPRECIATED = {line: line for line in CAPEX}
"""Lines of capex, and whose life each is deducted over."""
UNTAXED = frozenset({*DEPRECIATED, *FINANCING, RESIDUAL, TAX})
"""Lines that are no income: capex is deducted over its life; hurdle rates hold the interest shield."""

LINES: dict[str, tuple[str, ...]] = {
    MINING: (
        "mining_revenue", "interruptible_income", "mining_power", "mining_site_cost", "mining_moves",
        "machine_purchases", "machine_sales", RESIDUAL,
    ),
    "product": (*EARNED, *CUSTOMERS, "facility_capex", "gpu_capex", "mobilisation", "gpu_sales", RESIDUAL),
    CORPORATE: ("g_and_a", TAX, "asset_sale", "btc_sales", FEE, INTEREST, EXCESS, "cash_interest", PRINCIPAL),
}  # fmt: skip
"""Lines of each kind of business."""
