"""What loans, cash, BTC and tax mean together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.telling import SHARE_TOLERANCE, at, note
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case

LONGEST_MATURITY = 200
BTC_TOLERANCE = 1e-9


def facilities_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.facilities:
        if row.drawn_musd > row.commitment_musd:
            why = f"is above the commitment of {row.commitment_musd:g}"
            yield at(row, why, "correct one of them", "drawn_musd", row.drawn_musd)
        yield from _dates_of_a_facility(case, row)
        if (row.dscr is None) != (row.dscr_from is None):
            yield at(row, "needs both dscr and dscr_from", "fill both or neither", "dscr", row.dscr)
        if row.loan_to_cost is not None and row.drawn_musd > 0:
            why = "cannot be tested on a balance whose capex lies before the horizon"
            yield at(row, why, "leave it blank", "loan_to_cost", row.loan_to_cost)
        if row.interest_every_quarters > 1 and row.first_coupon is None:
            why = f"is paid every {row.interest_every_quarters} quarters, and no first_coupon says in which"
            yield at(row, why, "name one quarter with a coupon", "interest_every_quarters", row.interest_every_quarters)
        if row.refinances is not None and case.facility[row.refinances].refinances is not None:
            why = "is itself drawn only to refinance another"
            yield at(row, why, "name a facility that is drawn for something else", "refinances", row.refinances)


def _dates_of_a_facility(case: Case, row: schema.Facility) -> Iterator[Finding]:
    first, last = row.available_first, row.available_last
    if (first is None) != (last is None):
        why = "needs both available_first and available_last"
        yield at(row, why, "fill both, or neither where it cannot be drawn", "available_first", first)
    elif first is not None and last is not None and first > last:
        yield at(row, f"is after available_last {last}", "swap them", "available_first", first)
    if last is not None and row.maturity <= last:
        yield at(row, f"is not after the last draw in {last}", "correct one of them", "maturity", row.maturity)
    if row.maturity > case.last + LONGEST_MATURITY:
        why = f"lies more than {LONGEST_MATURITY} quarters after the horizon"
        yield at(row, why, "check the year", "maturity", row.maturity)
    if row.maturity < case.first:
        yield at(row, "lies before the horizon", "take the repaid facility away", "maturity", row.maturity)
    if first is None and row.drawn_musd == 0:
        yield note(row, "is neither drawn nor can it be", "fill available_first", "facility", row.facility)


def collateral_is_whole(case: Case) -> Iterator[Finding]:
    """A hall's margin is known by site and product: who holds part of the options of one holds what none can tell."""
    for facility in case.facilities:
        rows = [row for row in case.collateral if row.facility == facility.facility]
        held = {row.option for row in rows}
        for row in rows:
            hall = case.option[row.option]
            like = [o.option for o in case.options if (o.site, o.product) == (hall.site, hall.product)]
            others = [name for name in like if name not in held]
            if others:
                why = f"shares a site and product with {', '.join(map(repr, others))}, which secures it not"
                yield at(row, why, "add it too, or take this row away", "option", row.option)


def amortisation_is_whole(case: Case) -> Iterator[Finding]:
    for facility in case.facilities:
        rows = [row for row in case.amortisation if row.facility == facility.facility]
        if not rows:
            continue
        total = sum(row.share for row in rows)
        if abs(total - 1) > SHARE_TOLERANCE:
            why = f"is repaid by {total:.10g} in all, not 1"
            yield at(rows[0], why, "correct the shares", "facility", facility.facility)
        final = max((row.quarter for row in rows if row.share > 0), default=None)
        if final is not None and final != facility.maturity:
            why = f"is repaid for the last time in {final}, not at its maturity {facility.maturity}"
            yield at(rows[0], why, "correct one of them", "facility", facility.facility)
        for row in rows:
            if facility.available_last is not None and row.quarter <= facility.available_last and row.share > 0:
                why = f"is repaid while it can still be drawn, until {facility.available_last}"
                yield at(row, why, "start repaying after that", "quarter", row.quarter)


def _btc_settings(case: Case) -> Iterator[Finding]:
    settings, held = case.settings, case.settings.btc_held or 0.0
    if (settings.minimum_btc or 0.0) > held:
        why = f"is above the {held:g} BTC held at the start"
        yield Finding("case.toml", why, "lower it", column="minimum_btc", value=f"{settings.minimum_btc:g}")
    scheduled = settings.btc_rule == "schedule"
    if scheduled != bool(case.btc_schedule):
        why = "needs the table btc_schedule" if scheduled else "does not follow the table btc_schedule, which is there"
        mend = "write the table" if scheduled else 'write "schedule", or take the table away'
        yield Finding("case.toml", why, mend, column="btc_rule", value=settings.btc_rule)
    sold = 0.0
    for row in sorted(case.btc_schedule, key=lambda row: row.quarter):
        if row.quarter not in case.horizon:
            yield note(row, "lies outside the horizon and is not counted", column="quarter", value=row.quarter)
            continue
        sold += row.btc
        if sold > held - (settings.minimum_btc or 0.0) + BTC_TOLERANCE:
            why = f"brings BTC sold to {sold:g}, more than the {held:g} held leave above the minimum"
            yield at(row, why, "sell less", "btc", row.btc)
        if settings.max_btc_sales_per_quarter is not None and row.btc > settings.max_btc_sales_per_quarter:
            why = f"is above max_btc_sales_per_quarter of {settings.max_btc_sales_per_quarter:g}"
            yield at(row, why, "sell less, or raise it", "btc", row.btc)


def treasury_settings_are_whole(case: Case) -> Iterator[Finding]:
    settings = case.settings
    holds = bool(settings.btc_held or settings.btc_rule == "free")
    needs = {
        "btc_liquidity_share": ('btc_held or btc_rule = "free"', holds),
        "minimum_btc": ("btc_held", holds),
        "max_btc_sales_per_quarter": ("btc_held", holds),
        "tax_losses_musd": ("tax_rate", settings.tax_rate is not None),
        "tax_loss_use": ("tax_rate", settings.tax_rate is not None),
    }
    for name, (other, there) in needs.items():
        value = getattr(settings, name)
        if value is not None and not there:
            yield Finding(
                "case.toml", f"has no meaning without {other}", "add that, or take this away",
                column=name, value=f"{value:g}",
            )  # fmt: skip
    yield from _btc_settings(case)
    corporate = settings.discount_rates.get("corporate")
    if settings.tax_rate is not None and corporate is not None and corporate <= 0:
        why = "makes it all one when losses are set against profits, so that no plan's tax is determined"
        yield Finding(
            "case.toml", why, "give a rate above 0, or leave tax_rate out",
            column="discount_rates.corporate", value=f"{corporate:g}",
        )  # fmt: skip
    for row in case.depreciation:
        if settings.tax_rate is None:
            yield note(row, "has no effect: the case gives no tax_rate", column="line", value=row.line)
            break
