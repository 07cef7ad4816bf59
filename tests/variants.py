"""Cases made from cases: scaled, renamed, shifted in time, copied side by side, with features taken away."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

from optimizer.case.case import TABLE_NAMES, Case
from optimizer.ground.quarters import Quarter

Row = dict[str, Any]
Rows = list[Row]
Cell = Callable[[str, Any], Any]
"""What becomes of a cell, by its column and its value."""

TERMS = (
    "index_escalators", "site_prices", "price_tiers", "tranches", "extensions", "usage", "take_or_pay", "rent_free",
    "prepayments", "tenant_funding", "backstops", "leases", "late_delivery", "prerequisites",
)  # fmt: skip
KIND_OF = {
    "facility_curve": "profile", "gpu_curve": "profile", "ramp": "profile", "requires": "offer",
    "requires_offer": "offer", "refinances": "facility", "use": "product", "name": "obligation",
    "relet_product": "product",
}  # fmt: skip
NAMED = {
    "site", "asic", "product", "option", "offer", "customer", "tariff", "facility", "profile", "exclusive_group",
    "policy", "index", "base_rate", "group", *KIND_OF,
}  # fmt: skip
RICH_MUSD = 1000.0
BUDGET_MUSD = 10_000.0
LEAP_CYCLE = 16
"""Quarters after which the calendar repeats itself, leap years and all."""


def records(case: Case, table: str, keep: Callable[[Row], bool] = lambda row: True) -> Rows:
    """The rows of a table as dictionaries, those that are kept."""
    return [record for row in case.rows(table) if keep(record := dict(row))]


def edited(case: Case, table: str, change: Callable[[Row], Row]) -> Rows:
    """The rows of a table with some columns changed."""
    return [record | change(record) for record in records(case, table)]


def mapped(case: Case, cell: Cell, *, without: Collection[str] = ()) -> Case:
    """Every cell of every table and every setting made anew."""
    tables = {
        name: [{column: cell(column, value) for column, value in row.items()} for row in records(case, name)]
        for name in TABLE_NAMES
        if name not in without
    }
    settings = {name: cell(name, value) for name, value in dict(case.settings).items()}
    return case.replace(**settings, **tables)


def _times(value: Any, k: float) -> Any:
    return value * k if isinstance(value, int | float) and not isinstance(value, bool) else value


def money_scaled(case: Case, k: float) -> Case:
    """Every price, cost and sum of money times k."""
    return mapped(case, lambda column, v: _times(v, k) if "usd" in column or column == "price" else v)


def counts_megawatts(column: str) -> bool:
    """Whether a column holds megawatts, machines or BTC: what scales with the company."""
    return (column.endswith("_mw") and "_per_" not in column) or column in (
        "units", "btc_held", "max_it_mw_under_construction", "minimum_btc", "max_btc_sales_per_quarter", "btc",
        "max_sales_mw_per_quarter",
    )  # fmt: skip


def counts_lumps(column: str) -> bool:
    """Whether a column holds a sum of money, not a price."""
    return (column.endswith("_musd") and "_per_" not in column) or column == "musd"


def size_scaled(case: Case, k: float) -> Case:
    """All megawatts, blocks and lump sums times k; prices as they are."""
    return mapped(case, lambda column, v: _times(v, k) if counts_megawatts(column) or counts_lumps(column) else v)


# ---- names, order, dates ----------------------------------------------------------------------------------------


def renamed(case: Case, rng: random.Random) -> Case:
    """Other names for everything, tables in another order."""
    names: dict[tuple[str, str], str] = {}

    def name(column: str, value: Any) -> Any:
        if column == "discount_rates":
            return {
                line if line in ("corporate", "mining", "debt") else name("product", line): r
                for line, r in value.items()
            }
        if column not in NAMED or value in (None, "*", "mining"):
            return value
        kind = KIND_OF.get(column, column)
        return names.setdefault((kind, value), f"{kind} {rng.randrange(100)} {len(names)}")

    settings = {"discount_rates": name("discount_rates", case.settings.discount_rates)}
    tables: dict[str, Rows] = {}
    for table in TABLE_NAMES:
        tables[table] = edited(case, table, lambda row: {c: name(c, v) for c, v in row.items()})
        if table != "scenarios":
            rng.shuffle(tables[table])
    return case.replace(**settings, **tables)


def shifted(case: Case, quarters: int = LEAP_CYCLE) -> Case:
    """All dates a number of quarters (whole years of them) later."""
    years = quarters // 4

    def later(column: str, value: Any) -> Any:
        if isinstance(value, Quarter):
            return value + quarters
        if isinstance(value, date):
            return value.replace(year=value.year + years)
        if isinstance(value, tuple) and value and isinstance(value[0], date):
            return tuple(day.replace(year=day.year + years) for day in value)
        return value + years if column == "year" else value

    return mapped(case, later)


# ---- without ----------------------------------------------------------------------------------------------------


NO_CAPS: Mapping[str, Any] = {
    "max_customer_share": None, "max_customer_share_from": None, "max_blocks_under_construction": None,
    "max_it_mw_under_construction": None,
}  # fmt: skip
NO_TREASURY: Mapping[str, Any] = {
    "tax_rate": None, "tax_losses_musd": None, "tax_loss_use": None, "depreciation": [], "facilities": [],
    "amortisation": [], "base_rates": [], "cash_rate": None, "btc_rule": "sell_mined", "btc_held": None,
    "btc_liquidity_share": None, "minimum_btc": None, "max_btc_sales_per_quarter": None, "collateral": [],
    "btc_schedule": [], "end_coverage": None,
}  # fmt: skip


def unbound_by_prices(case: Case) -> Case:
    """No rule left whose meaning hangs on a price: rich, no loans, no tax, no BTC kept, no customer share, no terms
    that follow the market or are capped by rent. What may be done then is the same at all prices.
    """
    return case.replace(
        opening_cash_musd=case.settings.opening_cash_musd + RICH_MUSD,
        minimum_cash_musd=0,
        max_customer_share=None,
        max_customer_share_from=None,
        extensions=[],
        tenant_funding=[],
        **NO_TREASURY,
    )


def plain(case: Case) -> Case:
    """Unbound by prices, and without anything that sees the end of the horizon: residuals, trade in machines, GPUs'
    lives, late delivery, tranches, indices, prepayments, policies, deposits.
    """
    bare = unbound_by_prices(case)
    gone = (
        "machine_markets", "gpu_lives", "late_delivery", "tranches", "index_escalators", "indices", "use_limits",
        "power_escalators", "prepayments", "deposits", "rent_free", "own_plants", "obligations",
        "price_steps", "ratchets", "grid_groups", "grid_group_limits",
    )  # fmt: skip
    last = bare.last
    return bare.replace(
        products=edited(bare, "products", lambda row: {"residual_musd_per_it_mw": 0.0}),
        asics=edited(bare, "asics", lambda row: {"residual_usd_per_th": 0.0}),
        sites=edited(bare, "sites", lambda row: {"mining_cost_musd_per_gross_mw_year": 0.0}),
        offers=edited(
            bare,
            "offers",
            lambda row: {
                "window_first": min(row["window_first"], last),
                "window_last": min(row["window_last"], last),
                "price_base_quarter": row["price_base_quarter"] and min(row["price_base_quarter"], last),
                "sign_by": row["sign_by"] and min(row["sign_by"], row["window_last"], last),
            },
        ),
        **{name: [] for name in gone},
    )


def without_offers(case: Case, offers: Collection[str]) -> dict[str, Rows]:
    """The tables of a case without some offers; nothing else may name them."""
    tables = ("offers", "offer_prices", "offer_sites", *TERMS)
    return {table: records(case, table, lambda row: row["offer"] not in offers) for table in tables}


def without_options(case: Case, options: Collection[str]) -> dict[str, Rows]:
    """The tables of a case without some options; nothing else may name them."""
    return {
        table: records(case, table, lambda row: row["option"] not in options)
        for table in ("options", "deposits", "gpu_lives", "collateral")
    }


def named_elsewhere(case: Case) -> set[str]:
    """Offers that are committed, or that a loan or another offer requires."""
    return {
        *(row.offer for row in case.committed_contracts),
        *(row.requires for row in case.rows("prerequisites")),
        *(row.requires_offer for row in case.facilities if row.requires_offer),
    }


# ---- more than once ---------------------------------------------------------------------------------------------


COPIED = {
    "sites", "site_limits", "ratchets", "grid_groups",
    "own_plants", "fleet", "options", "deposits", "gpu_lives", "committed_starts", "offers",
    "offer_prices", "offer_sites", "committed_contracts", *TERMS,
}  # fmt: skip
OF_ITS_OWN = {"asics", "machine_markets", "products", "product_markets", "grid_group_limits"}
COPIED_NAMES = {"site", "option", "offer", "requires", "exclusive_group"}


def copies(case: Case, sizes: Sequence[float], *, apart: bool) -> dict[str, Rows]:
    """Tables of a company made of copies of a case's, each with its size.

    `apart`: each copy has its own products, markets and classes of machines. Policies for one site are copied, those
    for all sites are not; nor are loans and settings.
    """
    names = COPIED_NAMES | ({"asic", "product", "relet_product", "use", "group"} if apart else set())
    tables: dict[str, Rows] = {}
    for table in sorted(COPIED | (OF_ITS_OWN if apart else set())):
        tables[table] = [
            copied(row, str(i), size, names) for i, size in enumerate(sizes) for row in records(case, table)
        ]
    tables["use_limits"] = [
        copied(row, str(i), size, names | {"policy"}) if row["site"] != "*" else row
        for row in records(case, "use_limits")
        for i, size in enumerate(sizes if row["site"] != "*" else [1.0])
    ]
    return tables


def copied(row: Row, word: str, size: float, names: Collection[str]) -> Row:
    """A row under another name, at another size."""

    def cell(column: str, value: Any) -> Any:
        if column in names and value not in (None, "*", "mining"):
            return f"{value} {word}"
        return _times(value, size) if counts_megawatts(column) or counts_lumps(column) else value

    return {column: cell(column, value) for column, value in row.items()}
