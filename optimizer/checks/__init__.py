"""What must hold between the rows of a case. Each check yields findings; none repairs anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from optimizer.checks.business import (
    commitments_are_possible,
    committed_spending_fits,
    customer_share_is_whole,
    dated_rows_lie_in_the_horizon,
    deposits_make_sense,
    gpu_lives_make_sense,
    horizon_is_long_enough,
    machine_markets_make_sense,
    machines_fit_their_sites,
    offers_make_sense,
    options_make_sense,
    terms_make_sense,
    use_limits_make_sense,
)
from optimizer.checks.completeness import (
    curves_sum_to_one,
    every_offer_has_a_price,
    every_quarter_is_there,
    every_site_has_a_limit,
    fleet_is_counted_once,
    gpu_hours_can_be_priced,
    hashprice_can_be_known,
    profiles_are_whole,
    ramps_end_at_one,
)
from optimizer.checks.identity import (
    keys_are_unique,
    names_do_not_look_alike,
    one_name_is_one_thing,
    product_names_are_free,
    required_tables_have_rows,
)
from optimizer.checks.money import (
    amortisation_is_whole,
    borrowing_is_never_idle_income,
    facilities_make_sense,
    treasury_settings_are_whole,
)
from optimizer.checks.references import (
    discount_rates_name_lines,
    names_are_used,
    references_exist,
    use_limits_name_uses,
)
from optimizer.findings import Finding

if TYPE_CHECKING:
    from optimizer.case import Case

_Check = Callable[["Case"], Iterable[Finding]]
_IDENTITY: tuple[_Check, ...] = (
    required_tables_have_rows, keys_are_unique, names_do_not_look_alike, product_names_are_free,
    one_name_is_one_thing,
)  # fmt: skip
_REFERENCES: tuple[_Check, ...] = (
    references_exist, use_limits_name_uses, discount_rates_name_lines, names_are_used,
)  # fmt: skip
_COMPLETENESS: tuple[_Check, ...] = (
    every_site_has_a_limit, every_quarter_is_there, every_offer_has_a_price, hashprice_can_be_known,
    profiles_are_whole, curves_sum_to_one, ramps_end_at_one, gpu_hours_can_be_priced, fleet_is_counted_once,
)  # fmt: skip
_BUSINESS: tuple[_Check, ...] = (
    machines_fit_their_sites, options_make_sense, dated_rows_lie_in_the_horizon, horizon_is_long_enough,
    offers_make_sense, use_limits_make_sense, customer_share_is_whole, commitments_are_possible,
    committed_spending_fits, terms_make_sense, machine_markets_make_sense, deposits_make_sense, gpu_lives_make_sense,
    facilities_make_sense, amortisation_is_whole, borrowing_is_never_idle_income, treasury_settings_are_whole,
)  # fmt: skip


def check_case(case: Case) -> list[Finding]:
    """All findings about the case as a whole; later checks run only where the earlier ones left something to check."""
    findings: list[Finding] = []
    for group in (_IDENTITY, _REFERENCES, _COMPLETENESS, _BUSINESS):
        for check in group:
            findings += check(case)
        if any(finding.severity == "error" for finding in findings):
            break
    return findings
