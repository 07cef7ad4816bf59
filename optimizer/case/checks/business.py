"""What sites, machines, halls, offers and policies mean together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.telling import SHARE_TOLERANCE, at, note
from optimizer.case.terms import TERMS
from optimizer.ground.findings import Finding
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case

MW_TOLERANCE = 1e-9


def machines_fit_their_sites(case: Case) -> Iterator[Finding]:
    for site in case.sites:
        installed = sum(case.fleet_gross_mw(row) for row in case.fleet if row.site == site.site)
        limit = case.limit_gross_mw[site.site, case.first]
        if installed > limit + MW_TOLERANCE:
            why = f"has {installed:.9g} gross MW of machines and a grid limit of {limit:.9g} in {case.first}"
            yield at(site, why, "correct fleet.csv or site_limits.csv", "site", site.site)


def machine_markets_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.machine_markets:
        if row.purchase_usd_per_th is not None and row.resale_usd_per_th > row.purchase_usd_per_th:
            why = f"is above the purchase price of {row.purchase_usd_per_th:g}: buying to sell would make money"
            yield at(row, why, "swap them", "resale_usd_per_th", row.resale_usd_per_th)
    for asic in case.asics:
        if (asic.bought is None) != (asic.life_quarters is None):
            yield at(asic, "needs both bought and life_quarters", "fill both or neither", "bought", asic.bought)


def options_make_sense(case: Case) -> Iterator[Finding]:
    ratios: dict[tuple[str, str], schema.Option] = {}
    for row in case.options:
        if row.pue > row.design_ratio:
            why = f"is above the design ratio {row.design_ratio:g}: more energy than power was reserved for"
            yield at(row, why, "check which is which", "pue", row.pue)
        same = ratios.setdefault((row.site, row.product), row)
        if same.pue != row.pue:
            why = f"differs from {same.pue:g} of {same.option!r}, which serves the same product at the same site"
            yield at(row, why, "use one PUE, or name a second product", "pue", row.pue)
        if row.mining_stops_quarters > row.lead_quarters:
            why = f"is later than service, which begins {row.lead_quarters} quarters after start"
            yield at(row, why, "hand over by then", "mining_stops_quarters", row.mining_stops_quarters)
        levels = [
            row.facility_low_musd_per_it_mw,
            row.facility_base_musd_per_it_mw,
            row.facility_high_musd_per_it_mw,
        ]
        if levels != sorted(levels):
            yield at(
                row,
                "has low, base and high facility capex out of order",
                "order them",
                "facility_base_musd_per_it_mw",
            )
        if not case.eligible(row):
            why = "can never start: its site lacks firm power, fibre or rack density"
            yield note(row, why, column="option", value=row.option)
        elif case.earliest_start(row) + row.lead_quarters > case.last and not _committed(case, row.option):
            why = f"can never start: service after {row.lead_quarters} quarters of building lies past {case.last}"
            yield note(row, why, "lengthen the horizon", "option", row.option)


def deposits_make_sense(case: Case) -> Iterator[Finding]:
    shares: dict[str, float] = {}
    for row in case.deposits:
        shares[row.option] = shares.get(row.option, 0.0) + row.share
        if shares[row.option] > 1 + SHARE_TOLERANCE:
            why = f"brings the deposits of {row.option!r} to {shares[row.option]:g} of facility capex"
            yield at(row, why, "keep them within 1", "share", row.share)


def gpu_lives_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.gpu_lives:
        option = case.option[row.option]
        if (row.relet_product is None) != (row.refit_musd_per_it_mw is None):
            why = "needs both relet_product and refit_musd_per_it_mw"
            yield at(row, why, "fill both or neither", "relet_product", row.relet_product)
        elif row.relet_product == option.product:
            why = "is what the hall was sold as with its GPUs"
            yield at(row, why, "name another product, or refresh the GPUs", "relet_product", row.relet_product)
        if option.gpu_musd_per_it_mw == 0:
            why = "has no GPUs of ours (gpu_musd_per_it_mw is 0)"
            yield at(row, why, "take the row away, or give their capex in options.csv", "option", row.option)


def grid_groups_have_limits(case: Case) -> Iterator[Finding]:
    """A group without a limit at the start would share nothing; one whose machines exceed it could not begin."""
    for group in dict.fromkeys(row.group for row in case.grid_groups):
        steps = [row for row in case.grid_group_limits if row.group == group]
        if not any(row.from_quarter <= case.first for row in steps):
            row = next(row for row in case.grid_groups if row.group == group)
            yield at(row, f"has no limit in {case.first}", "add it to grid_group_limits.csv", "group", group)
            continue
        sites = {row.site for row in case.grid_groups if row.group == group}
        installed = sum(case.fleet_gross_mw(row) for row in case.fleet if row.site in sites)
        limit = case.grid_group_limit[group, case.first]
        if installed > limit + MW_TOLERANCE:
            why = f"has {installed:.9g} gross MW of machines and a shared limit of {limit:.9g} in {case.first}"
            yield at(steps[0], why, "correct fleet.csv or grid_group_limits.csv", "group", group)


def price_steps_are_whole(case: Case) -> Iterator[Finding]:
    """Steps of a quarter fill it, and average to what its tariff says, at which AI load pays."""
    quarters: dict[tuple[str, str, Quarter], list[schema.PriceStep]] = {}
    for row in case.price_steps:
        quarters.setdefault((row.scenario, row.tariff, row.quarter), []).append(row)
    for key, rows in quarters.items():
        shares = sum(row.hours_share for row in rows)
        if abs(shares - 1) > SHARE_TOLERANCE:
            why = f"brings the hours of {key[2]} to {shares:.10g} of the quarter, not 1"
            yield at(rows[-1], why, "correct the shares", "hours_share", rows[-1].hours_share)
            continue
        if key not in case.tariff:
            continue
        mean, price = sum(row.hours_share * row.energy_usd_per_mwh for row in rows), case.tariff[key].energy_usd_per_mwh
        if abs(mean - price) > max(0.01, 0.005 * abs(price)):
            why = f"averages to {mean:.6g} in {key[2]} with the other steps, where the tariff says {price:.6g}"
            yield at(rows[0], why, "correct one of them", "energy_usd_per_mwh", rows[0].energy_usd_per_mwh)


def dated_rows_lie_in_the_horizon(case: Case) -> Iterator[Finding]:
    for row in case.obligations:
        if row.quarter not in case.horizon:
            yield note(row, "lies outside the horizon and is not counted", column="quarter", value=row.quarter)
    years = {t.year for t in case.horizon}
    for budget in case.budget_years:
        if budget.year not in years:
            yield note(budget, "lies outside the horizon and is not counted", column="year", value=budget.year)


def horizon_is_long_enough(case: Case) -> Iterator[Finding]:
    longest = max((row.lead_quarters for row in case.options), default=0)
    if longest >= case.settings.quarters:
        yield Finding(
            "case.toml", f"is no longer than the longest lead time ({longest}): AI value would be zero by construction",
            "lengthen the horizon", column="quarters", value=str(case.settings.quarters),
        )  # fmt: skip


def _committed(case: Case, option: str) -> bool:
    return any(row.option == option for row in case.committed_starts)


def offers_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.offers:
        if row.min_it_mw > row.max_it_mw:
            yield at(row, f"is above the largest size {row.max_it_mw:g}", "swap them", "min_it_mw", row.min_it_mw)
        if row.window_first > row.window_last:
            yield at(
                row,
                f"is after the window's end {row.window_last}",
                "swap them",
                "window_first",
                row.window_first,
            )
        if row.sign_by is not None and row.sign_by > row.window_last:
            why = f"is after the last possible delivery {row.window_last}"
            yield at(row, why, "name a quarter before it, or leave it blank", "sign_by", row.sign_by)
        if row.price_base_quarter is not None and row.price_base_quarter > row.window_first:
            why = f"is after the first possible delivery {row.window_first}"
            yield at(
                row,
                why,
                "quote the price for a quarter before it",
                "price_base_quarter",
                row.price_base_quarter,
            )
        served = {o.site for o in case.options if o.product == row.product and case.eligible(o)}
        if not served & set(case.sites_of_offer[row.offer]):
            why = f"can never be signed: no site that it accepts can be converted to {row.product}"
            yield note(row, why, column="offer", value=row.offer)


def terms_make_sense(case: Case) -> Iterator[Finding]:
    for term in TERMS:
        yield from term.check(case)


def use_limits_make_sense(case: Case) -> Iterator[Finding]:
    for row in case.use_limits:
        if row.min_mw is None and row.max_mw is None:
            yield at(row, "sets neither floor nor ceiling", "fill min_mw or max_mw", "policy", row.policy)
        if row.min_mw is not None and row.max_mw is not None and row.min_mw > row.max_mw:
            yield at(row, f"is above the ceiling {row.max_mw:g}", "swap them", "min_mw", row.min_mw)
        if row.first > row.last:
            yield at(row, f"is after its last quarter {row.last}", "swap them", "first", row.first)
        if row.use == schema.MINING and row.basis != "gross_mw":
            yield at(
                row,
                "has no meaning for mining, which is measured at the meter",
                "write gross_mw",
                "basis",
                row.basis,
            )


def customer_share_is_whole(case: Case) -> Iterator[Finding]:
    share, since = case.settings.max_customer_share, case.settings.max_customer_share_from
    if (share is None) != (since is None):
        why = "needs both max_customer_share and max_customer_share_from"
        yield Finding("case.toml", why, "give both or neither", column="max_customer_share")


def commitments_are_possible(case: Case) -> Iterator[Finding]:
    blocks: dict[str, int] = {}
    for row in case.committed_starts:
        option = case.option[row.option]
        blocks[row.option] = blocks.get(row.option, 0) + row.blocks
        if not case.eligible(option):
            yield at(
                row,
                "is committed at a site that is not eligible for it",
                "correct sites.csv",
                "option",
                row.option,
            )
        if row.quarter + option.lead_quarters > case.last:
            why = f"would be in service only after the horizon ends in {case.last}"
            yield at(row, why, "lengthen the horizon", "quarter", row.quarter)
        if blocks[row.option] > option.max_blocks:
            why = f"makes {blocks[row.option]} blocks where the option has at most {option.max_blocks}"
            yield at(row, why, "raise max_blocks", "blocks", row.blocks)
    groups: dict[str, schema.CommittedContract] = {}
    for contract in case.committed_contracts:
        offer = case.offer[contract.offer]
        if offer.exclusive_group and groups.setdefault(offer.exclusive_group, contract) is not contract:
            why = f"is the second contract of the exclusive group {offer.exclusive_group!r}"
            yield at(contract, why, "commit one of the group", "offer", contract.offer)
        if not any((o.site, o.product) == (contract.site, offer.product) for o in case.options):
            why = f"has no option for {offer.product}, so nothing can ever serve this contract"
            yield at(contract, why, "add the hall to options.csv", "site", contract.site)
        if contract.site not in case.sites_of_offer[contract.offer]:
            yield at(contract, "does not accept this site", "add it to offer_sites.csv", "site", contract.site)
        if not offer.min_it_mw <= contract.it_mw <= offer.max_it_mw:
            why = f"is outside the offer's size of {offer.min_it_mw:g} to {offer.max_it_mw:g} IT MW"
            yield at(contract, why, "correct one of them", "it_mw", contract.it_mw)
        if not offer.window_first <= contract.quarter <= min(offer.window_last, case.last):
            why = f"is outside the offer's window {offer.window_first} to {offer.window_last} or the horizon"
            yield at(contract, why, "correct one of them", "quarter", contract.quarter)


def committed_spending_fits(case: Case) -> Iterator[Finding]:
    spent = 0.0
    for row in case.committed_starts:
        option = case.option[row.option]
        it_mw = row.blocks * option.block_gross_mw / option.design_ratio
        facility = it_mw * case.facility_musd_per_it_mw(option)
        ordered = [deposit for deposit in case.deposits if deposit.option == row.option]
        spent += sum(facility * d.share for d in ordered if row.quarter - d.quarters_before >= case.first)
        for curve, musd in (
            (option.facility_curve, facility * (1 - sum(d.share for d in ordered))),
            (option.gpu_curve, it_mw * option.gpu_musd_per_it_mw),
        ):
            spent += sum(musd * w for k, w in enumerate(case.profile[curve]) if row.quarter + k >= case.first)
    if spent > case.settings.capex_budget_musd + 1e-6:
        yield Finding(
            "case.toml", f"is below the ${spent:,.1f}M that commitments spend within the horizon",
            f"raise it by ${spent - case.settings.capex_budget_musd:,.1f}M or more",
            column="capex_budget_musd", value=f"{case.settings.capex_budget_musd:g}",
        )  # fmt: skip
