"""Names of cash lines and of what they belong to, as the accountant groups them."""

from __future__ import annotations

MINING, CORPORATE = "mining", "corporate"
"""The two businesses that are no product."""
BTC_HELD, CASH, TAX, G_AND_A = "BTC held", "cash", "tax", "G&A"
COMPANY = frozenset({BTC_HELD, CASH, TAX, G_AND_A})
"""Sources of money that comes from no contract, option, machine, facility or obligation."""

NO_VALUE = "principal"
"""Loan principal moves cash only."""
RESIDUAL = "residual"
"""What is left at the end of the horizon is value, and no cash."""

AI_CAPEX = ("facility_capex", "gpu_capex", "mobilisation", "tenant_capex")
"""What a lender lends against: the AI programme's capex, less what tenants pay."""
CAPEX = (*AI_CAPEX, "machine_purchases")
"""What budgets count: capex net of what tenants pay, machines bought included."""
AI_MARGIN = (
    "rent", "market_sales", "ai_power", "ai_operating_cost", "lease_cost", "tenant_credits", "damages", "backstop",
)  # fmt: skip
"""What serves debt: all of the AI margin but prepayments."""
PAID_BY_CUSTOMERS = ("rent", "market_sales")
"""Of which no customer may pay too large a share."""

DEPRECIATED = {
    "facility_capex": "facility_capex",
    "tenant_capex": "facility_capex",
    "gpu_capex": "gpu_capex",
    "mobilisation": "mobilisation",
    "machine_purchases": "machine_purchases",
}
"""Lines of capex, and whose life each is deducted over: what tenants pay lowers what their hall cost."""
UNTAXED = frozenset({*DEPRECIATED, RESIDUAL, "btc_sales", NO_VALUE, "tax"})
"""Lines that are no income: capex is deducted over its life, the rest is taxed elsewhere or not at all."""

LINES: dict[str, tuple[str, ...]] = {
    MINING: (
        "mining_revenue", "interruptible_income", "mining_power", "mining_site_cost", "mining_moves",
        "machine_purchases", "machine_sales", RESIDUAL,
    ),
    "product": (*AI_MARGIN, "prepayments", *AI_CAPEX, "gpu_sales", RESIDUAL),
    CORPORATE: (
        "g_and_a", "tax", "asset_sale", "btc_sales", "fee", "interest", "cash_interest", NO_VALUE, RESIDUAL,
    ),
}  # fmt: skip
"""Lines of each kind of business."""
