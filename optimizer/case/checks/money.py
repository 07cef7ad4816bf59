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


def borrowing_is_never_idle_income(case: Case) -> Iterator[Finding]:
    """Cash that earns more than a loan costs would make the plan borrow for nothing."""
    earned = case.settings.cash_rate or 0.0
    for row in case.facilities:
        if not row.can_be_drawn or row.drawn_musd >= row.commitment_musd:
            continue
        floating = [r.rate for r in case.base_rates if r.base_rate == row.base_rate]
        cheapest = row.margin + min(floating, default=0.0)
        if earned >= cheapest and (earned > 0 or cheapest < 0):
            why = f"makes this loan cost {cheapest:.2%} a year where cash earns {earned:.2%}: idle debt would be income"
            yield at(row, why, "correct the rate, or cash_rate in case.toml", "margin", row.margin)


def treasury_settings_are_whole(case: Case) -> Iterator[Finding]:
    settings = case.settings
    holds = bool(settings.btc_held or settings.hold_mined_btc)
    needs = {
        "btc_liquidity_share": ("btc_held or hold_mined_btc", holds),
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
