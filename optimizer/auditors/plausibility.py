"""What the plan's figures imply, in the units of the trade, within bands that only a wrong unit leaves."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.auditors.books import ONE, ZERO, Books, decimal
from optimizer.auditors.contracts import contracts
from optimizer.auditors.halls import batches
from optimizer.auditors.inputs import KW, MILLION
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import A_FEW_DIGITS, SHARE_SOLD, WATT

CAPEX_MUSD_PER_IT_MW = Decimal(200)
"""Facility and GPUs at the case format's own ceilings."""
RENT_MUSD_PER_IT_MW_YEAR = Decimal(500)
POWER_USD_PER_MWH = Decimal(-60), Decimal(2000)
"""Energy between the case format's own limits, demand charges on top."""
PUE = ONE, Decimal("2.5")


def record(books: Books) -> None:
    """Nothing is moved by looking."""


def checks(books: Books) -> Iterator[Check]:
    yield _capex(books)
    yield _rent(books)
    yield _power(books)
    yield _use_of_capacity(books)


def _capex(books: Books) -> Check:
    tally = Tally(
        "plausibility", "implied_capex", "A built IT MW costs what an IT MW can cost.", "$M per IT MW", ZERO
    )  # fmt: skip
    for row in books.table("starts"):
        where, it_mw = f"{row['option']} in {row['start_quarter']}", row["it_mw"]
        cost = (row["facility_capex_musd"] + row["gpu_capex_musd"]) / it_mw if it_mw else ZERO
        tally.at_least(where, cost, ZERO)
        tally.at_most(where, cost, CAPEX_MUSD_PER_IT_MW)
        ratio = row["gross_mw"] / it_mw if it_mw else ZERO
        tally.at_least(f"{where}: gross per IT MW", ratio, PUE[0] - WATT)
        tally.at_most(f"{where}: gross per IT MW", ratio, PUE[1] + WATT)
    return tally.check()


def _rent(books: Books) -> Check:
    tally = Tally(
        "plausibility", "implied_rent", "An IT MW earns what an IT MW can earn.", "$M per IT MW and year", A_FEW_DIGITS
    )  # fmt: skip
    for contract in contracts(books):
        bill = contract.bill
        yearly = 4 * sum((bill.rent(j) for j in range(bill.quarters)), ZERO) / bill.quarters
        tally.at_least(contract.name, yearly, ZERO)
        tally.at_most(contract.name, yearly, RENT_MUSD_PER_IT_MW_YEAR)
    return tally.check()


def _power(books: Books) -> Check:
    """Power for AI that we pay: dollars by megawatt-hours at full load, where a quarter has any."""
    tally = Tally(
        "plausibility", "implied_power_price", "A MWh for AI costs what a MWh can cost.", "$ per MWh", ZERO
    )  # fmt: skip
    sold: dict[tuple[str, object], Decimal] = {}
    for row in books.table("capacity"):
        key = row["site"], row["quarter"]
        sold[key] = sold.get(key, ZERO) + row["usable_it_mw"]
    for row in books.table("cash_flow"):
        usable = sold.get((row["site"], row["quarter"]), ZERO)
        if row["line"] == "ai_power" and usable > WATT:
            mwh = usable * books.inputs.hours(row["quarter"])
            tally.at_most(f"{row['site']} in {row['quarter']}", -row["musd"] * MILLION / mwh, POWER_USD_PER_MWH[1])
    return tally.check()


def _use_of_capacity(books: Books) -> Check:
    tally = Tally(
        "plausibility", "utilisation",
        "Between nothing and all of the usable capacity is sold.", "share", SHARE_SOLD,
    )  # fmt: skip
    for row in books.table("capacity"):
        usable = row["usable_it_mw"]
        if usable > WATT * KW:
            share = (row["contracted_it_mw"] + row["market_it_mw"]) / usable
            tally.at_least(f"{row['product']} at {row['site']} in {row['quarter']}", share, ZERO)
            tally.at_most(f"{row['product']} at {row['site']} in {row['quarter']}", share, ONE)
    for option in (batch.option for batch in batches(books)):
        tally.at_most(
            f"{option.option}: PUE, at most its design ratio", decimal(option.pue), decimal(option.design_ratio)
        )
    return tally.check()
