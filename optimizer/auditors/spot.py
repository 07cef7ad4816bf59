"""Capacity sold uncontracted at the market's price, up to the market's depth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.auditors.books import ZERO, Books, decimal
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import WATT


def record(books: Books) -> None:
    for row in books.table("capacity"):
        sold, site, quarter = row["market_it_mw"], row["site"], row["quarter"]
        if not sold:
            continue
        product = books.inputs.row("products", row["product"])
        name = product.product
        revenue = sold * books.inputs.market_musd_per_quarter(name, quarter)
        books.record("market_sales", quarter, revenue, name, site, name)
        cost = decimal(product.operating_cost_share) * revenue
        books.record("ai_operating_cost", quarter, -cost, name, site, name)
        if not product.power_passed_through:
            power = sold * books.inputs.ai_power_musd(site, name, product.load_factor, quarter)
            books.record("ai_power", quarter, -power, name, site, name)


def checks(books: Books) -> Iterator[Check]:
    tally = Tally(
        "rules", "market_depth", "All sites together sell no more at the market than it takes.", "IT MW", WATT
    )  # fmt: skip
    sold: dict[tuple[str, object], list[Decimal]] = {}
    for row in books.table("capacity"):
        sold.setdefault((row["product"], row["quarter"]), []).append(row["market_it_mw"])
    for quote in books.case.rows("product_markets"):
        if quote.scenario == books.scenario:
            total = sum(sold.get((quote.product, quote.quarter), ()), ZERO)
            tally.at_most(quote.product, total, decimal(quote.depth_it_mw), quote.quarter)
    yield tally.check()
