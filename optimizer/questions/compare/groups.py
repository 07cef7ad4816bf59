"""Groups of inputs: every table and every setting of a case belongs to exactly one, and is swapped with it."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.case.case import TABLE_NAMES
from optimizer.case.schema import Settings
from optimizer.case.terms import TERM_TABLES
from optimizer.ground.errors import HouseFault


@dataclass(frozen=True)
class Group:
    """Tables and settings that a bridge attributes value to together."""

    name: str
    words: str
    tables: tuple[str, ...]
    settings: tuple[str, ...] = ()


GROUPS: tuple[Group, ...] = (
    Group(
        "markets", "bitcoin, AI market prices, machine prices, indices",
        ("bitcoin", "products", "product_markets", "indices", "machine_markets"),
        ("subsidy_btc", "halvings", "market_looks_ahead_quarters"),
    ),
    Group("capex", "cost, lead time and choice of conversions", ("options", "profiles", "deposits", "gpu_lives"),
          ("capex_level",)),
    Group(
        "offers", "offers and their terms",
        ("offers", "offer_prices", "offer_sites", "customers",
         *(t.table for t in TERM_TABLES if "offer" in t.model_fields)),
    ),
    Group("power", "sites, grid limits, power prices",
          (
              "sites", "site_limits", "grid_groups", "grid_group_limits", "tariffs", "power_escalators", "price_steps",
              "ratchets", "own_plants",
          )),
    Group(
        "treasury", "cash, debt, budgets, G&A, tax",
        (
            "facilities", "collateral", "amortisation", "base_rates", "obligations", "overheads", "budget_years",
            "depreciation", "btc_schedule",
        ),
        (
            "capex_budget_musd", "opening_cash_musd", "minimum_cash_musd", "cash_rate", "btc_held",
            "btc_liquidity_share", "btc_rule", "minimum_btc", "max_btc_sales_per_quarter", "end_coverage", "tax_rate",
            "tax_losses_musd", "tax_loss_use",
        ),
    ),
    Group(
        "policy", "wind-down, floors and ceilings, limits on building and customers", ("use_limits",),
        (
            "mining_ends", "max_blocks_under_construction", "max_it_mw_under_construction", "max_customer_share",
            "max_customer_share_from", "allow_planned_lateness",
        ),
    ),
    Group("discounting", "discount rates", (), ("discount_rates",)),
    Group("state", "machines, halls and contracts that are there already, horizon",
          ("asics", "fleet", "committed_starts", "committed_contracts"), ("first_quarter", "quarters")),
)  # fmt: skip
"""In the order in which a bridge swaps them."""

NAMING = Group(
    "naming", "names and notes, which are worth nothing", ("scenarios", "allow"),
    ("format", "name", "title", "as_of", "currency", "money_basis"),
)  # fmt: skip

GROUP_OF_TABLE = {table: group.name for group in (*GROUPS, NAMING) for table in group.tables}
GROUP_OF_SETTING = {name: group.name for group in (*GROUPS, NAMING) for name in group.settings}

if strays := {*TABLE_NAMES, *Settings.model_fields} - {*GROUP_OF_TABLE, *GROUP_OF_SETTING}:
    raise HouseFault(f"Inputs in no group of {__name__}, which no bridge would swap: {', '.join(sorted(strays))}.")
