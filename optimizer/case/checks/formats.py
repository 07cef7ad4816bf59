"""What words of an older case format mean today: nothing is read under its old meaning."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from optimizer.ground.findings import Finding

OLD = 1
"""The format of versions up to 0.5."""
TODAY = 2

CHANGED: tuple[tuple[str, str, str, str], ...] = (
    ("case.toml", "hold_mined_btc", "is gone", 'write btc_rule = "free" for yes, and take it away'),
    ("case.toml", "capex_budget_musd", "counts gross spending now, whatever tenants advance of it",
     "raise it by what tenants were to pay, if the old budget was net of that"),
    ("case.toml", "discount_rates", "apply to all flows of a hall; interest is no value; fees and customers' money "
     "count at a rate named debt", "add debt, what borrowing costs, and take premiums for default out of products"),
    ("products.csv", "residual_musd_per_it_mw", "is what an IT MW is worth on the first day of the case, falls to "
     "nothing over residual_life_quarters (120 if blank), and is paid when a contract leaves the hall",
     "state today's worth, and the life where it is another"),
    ("facilities.csv", "site", "is gone: what secures a loan stands in collateral.csv, option by option",
     "name the options of that site there, and take the column away"),
    ("facilities.csv", "loan_to_cost", "counts the halls of collateral.csv, together with all loans that share one",
     "check it against the loan agreement"),
    ("facilities.csv", "dscr", "counts the service of all loans that rank equal or before it on the same halls",
     "check it, and fill rank where a loan stands behind another"),
    ("facilities.csv", "interest_every_quarters", "counts from first_coupon, no longer from the horizon's start",
     "add the column first_coupon where it is above 1"),
    ("backstops.csv", "discount_rate", "is gone: a contract has no rate of its own",
     "write yearly_default, the chance of default with the backstop, and the customer's own in customers.csv"),
    ("late_delivery.csv", "deadline", "is kept by every plan unless allow_planned_lateness is yes",
     "set that where a plan may be late on purpose"),
    ("machine_markets.csv", "resale_usd_per_th", "follows the mean hashprice of market_looks_ahead_quarters from the "
     "sale on (8 if left out)", "write market_looks_ahead_quarters = 1 for the quarter's own"),
    ("tariffs.csv", "curtailed_hours", "bind what the utility feeds, no longer machines on a site's own plant",
     "lower capacity_mw in own_plants.csv where the plant stands still too"),
)  # fmt: skip
"""File, column or setting, what became of it, and what to do."""


def is_old(settings: Mapping[str, Any] | None) -> bool:
    return settings is not None and settings.get("format") == OLD


def old_words(settings: Mapping[str, Any], tables: Collection[str]) -> Iterator[Finding]:
    """One finding for each column or setting of an old case whose meaning has changed; `tables` are those it has."""
    yield Finding(
        "case.toml", f"is an older format than this version reads ({TODAY})",
        f"go through the words named below, then write format = {TODAY}", column="format", value=str(OLD),
    )  # fmt: skip
    for file, name, why, mend in CHANGED:
        if name in settings if file == "case.toml" else file.removesuffix(".csv") in tables:
            yield Finding(file, why, mend, column=name)
