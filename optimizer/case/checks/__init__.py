"""What must hold between the rows of a case. Each check yields findings; none repairs anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from optimizer.case.checks.business import (
    commitments_are_possible,
    committed_spending_fits,
    customer_share_is_whole,
    dated_rows_lie_in_the_horizon,
    deposits_make_sense,
    gpu_lives_make_sense,
    grid_groups_have_limits,
    horizon_is_long_enough,
    machine_markets_make_sense,
    machines_fit_their_sites,
    offers_make_sense,
    options_make_sense,
    price_steps_are_whole,
    terms_make_sense,
    use_limits_make_sense,
)
from optimizer.case.checks.capacity import (
    blocks_fit_their_sites,
    committed_contracts_can_be_served,
    committed_halls_fit_their_sites,
    floors_can_be_reached,
    offers_fit_their_sites,
)
from optimizer.case.checks.completeness import (
    curves_sum_to_one,
    every_offer_has_a_price,
    every_quarter_is_there,
    every_site_has_a_limit,
    fleet_is_counted_once,
    gpu_hours_can_be_priced,
    halvings_lie_ahead,
    hashprice_can_be_known,
    profiles_are_whole,
    ramps_end_at_one,
)
from optimizer.case.checks.identity import (
    keys_are_unique,
    names_do_not_look_alike,
    one_name_is_one_thing,
    product_names_are_free,
    required_tables_have_rows,
)
from optimizer.case.checks.money import (
    amortisation_is_whole,
    collateral_is_whole,
    facilities_make_sense,
    treasury_settings_are_whole,
)
from optimizer.case.checks.oddities import (
    capacity_is_worth_something_at_the_end,
    late_contracts_are_delivered_at_last,
    mining_pays_at_some_time,
    negative_prices_are_counted,
    offers_can_still_be_accepted,
    the_past_is_past,
)
from optimizer.case.checks.references import (
    discount_rates_name_lines,
    names_are_used,
    references_exist,
    use_limits_name_uses,
)
from optimizer.case.checks.units import check_cells, check_units, rows_by_table
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case

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
    facilities_make_sense, collateral_is_whole, amortisation_is_whole, treasury_settings_are_whole,
    grid_groups_have_limits, price_steps_are_whole,
)  # fmt: skip
_FROM_FILES: tuple[_Check, ...] = (
    check_units, halvings_lie_ahead,
    committed_halls_fit_their_sites, committed_contracts_can_be_served, floors_can_be_reached, offers_fit_their_sites,
    blocks_fit_their_sites,
    the_past_is_past, capacity_is_worth_something_at_the_end, negative_prices_are_counted, mining_pays_at_some_time,
    late_contracts_are_delivered_at_last,
    offers_can_still_be_accepted,
)  # fmt: skip


def check_rows(case: Case, broken: Collection[str]) -> list[Finding]:
    """What can be said of the rows that could be read where others could not: names twice, names that nothing has."""
    return [*keys_are_unique(case), *names_do_not_look_alike(case), *references_exist(case, broken)]


def check_case(case: Case, *, from_files: bool = False) -> list[Finding]:
    """All findings about the case as a whole; later checks run only where the earlier ones left something to check.

    `from_files`: what people write is looked at harder than what scripts change on purpose. Sizes must fit the unit of
    their column, promises must be possible (a script meets `Infeasible` there), and what is odd is noted.
    """
    findings: list[Finding] = []
    for group in ((*_IDENTITY, *_REFERENCES), _COMPLETENESS, _BUSINESS):
        for check in group:
            findings += check(case)
        if any(finding.severity == "error" for finding in findings):
            break
    if from_files and group is not _BUSINESS:
        findings += check_cells(case.settings, rows_by_table(case))
    elif from_files:
        findings += [finding for check in _FROM_FILES for finding in check(case)]
    return findings
