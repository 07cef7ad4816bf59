"""The limits of a case that somebody could move: budgets, grid limits, minima of cash, depths, ceilings, sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from optimizer.case.case import Case
from optimizer.case.schema import ANY, Row

MONEY_STEP = 10.0
LEAST_REACH = 5
"""Steps that are looked ahead at least."""
REACH = 0.5
"""How far is looked ahead, as a share of the limit."""


@dataclass(frozen=True)
class Limit:
    """One limit: its rule and place, what it is, and the case in which it is `limit + amount`.

    `step` is the amount that is tried first, `reach` the furthest; both negative where less is easier.
    """

    rule: str
    place: str
    words: str
    unit: str
    limit: float
    step: float
    reach: float
    change: Callable[[Case, float], Case]

    @property
    def whole(self) -> bool:
        """Whether it moves by whole units only."""
        return self.unit in ("blocks", "contracts")


def limits_of(case: Case, scenario: str) -> list[Limit]:
    """Every limit of the case that its owner, its lenders, its utilities or its customers could move."""
    return [
        *_money(case), *_construction(case), *_use_limits(case), *_customers(case), *_sites(case),
        *_machine_markets(case), *_depths(case, scenario), *_offers(case), *_groups(case),
    ]  # fmt: skip


# ---- money ----------------------------------------------------------------------------------------------------------


def _money(case: Case) -> Iterator[Limit]:
    settings = case.settings
    yield _more("capex_budget", "", "capex budget", "$M", settings.capex_budget_musd, _setting("capex_budget_musd"))
    for row in case.budget_years:
        if row.year in {t.year for t in case.horizon}:
            change = _column("budget_years", row, "capex_budget_musd")
            yield _more(
                "capex_budget_of_a_year", str(row.year), f"capex budget of {row.year}", "$M", row.capex_budget_musd,
                change,
            )  # fmt: skip
    if settings.minimum_cash_musd > 0:
        change = _setting("minimum_cash_musd")
        yield _less("minimum_liquidity", "", "minimum cash", "$M", settings.minimum_cash_musd, change)
    for facility in case.facilities:
        if facility.minimum_cash_musd:
            change = _column("facilities", facility, "minimum_cash_musd")
            words = f"cash that the lender of {facility.facility} asks for"
            rule, asked = "minimum_cash_of_a_facility", facility.minimum_cash_musd
            yield _less(rule, facility.facility, words, "$M", asked, change)


def _more(rule: str, place: str, words: str, unit: str, limit: float, change: Callable[[Case, float], Case]) -> Limit:
    """A limit that is easier when it is higher."""
    step = _step(unit, limit)
    return Limit(rule, place, words, unit, limit, step, max(LEAST_REACH * step, _nice(REACH * limit)), change)


def _less(rule: str, place: str, words: str, unit: str, limit: float, change: Callable[[Case, float], Case]) -> Limit:
    """A limit that is easier when it is lower, down to nothing."""
    return Limit(rule, place, words, unit, limit, -min(limit, _step(unit, limit)), -limit, change)


def _step(unit: str, limit: float) -> float:
    if unit in ("blocks", "contracts"):
        return 1.0
    return MONEY_STEP if unit == "$M" and limit >= MONEY_STEP else _nice(limit / 10) or 1.0


def _nice(amount: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten that is not above it."""
    if amount <= 0:
        return 0.0
    power = 10.0 ** floor(log10(amount))
    return max(m for m in (1, 2, 5) if m * power <= amount * (1 + 1e-9)) * power


def _setting(name: str) -> Callable[[Case, float], Case]:
    return lambda case, amount: case.replace(**{name: _moved(getattr(case.settings, name), amount)})


def _column(table: str, row: Row, *columns: str) -> Callable[[Case, float], Case]:
    """The case with some columns of one row moved."""

    def change(case: Case, amount: float) -> Case:
        moved = {column: _moved(getattr(row, column), amount) for column in columns}
        rows = [
            other.model_copy(update=moved) if other.identity() == row.identity() else other
            for other in case.rows(table)
        ]
        return case.replace(**{table: rows})

    return change


def _moved(before: Any, amount: float) -> Any:
    return before + round(amount) if isinstance(before, int) else max(0.0, before + amount)


# ---- policies -------------------------------------------------------------------------------------------------------


def _construction(case: Case) -> Iterator[Limit]:
    for name, rule, unit in (
        ("max_blocks_under_construction", "blocks_under_construction", "blocks"),
        ("max_it_mw_under_construction", "it_mw_under_construction", "IT MW"),
    ):
        most = getattr(case.settings, name)
        if most is not None:
            yield _more(rule, "", f"{unit} under construction at once", unit, float(most), _setting(name))


def _use_limits(case: Case) -> Iterator[Limit]:
    for row in case.use_limits:
        unit = "IT MW" if row.basis == "it_mw" else "gross MW"
        where = "" if row.site == ANY else f" at {row.site}"
        if row.max_mw is not None:
            change = _column("use_limits", row, "max_mw")
            yield _more("use_ceiling", row.policy, f"most {row.use}{where} ({row.policy})", unit, row.max_mw, change)
        if row.min_mw:
            change = _column("use_limits", row, "min_mw")
            yield _less("use_floor", row.policy, f"least {row.use}{where} ({row.policy})", unit, row.min_mw, change)


def _customers(case: Case) -> Iterator[Limit]:
    share = case.settings.max_customer_share
    if share is None or case.settings.max_customer_share_from is None or share >= 1:
        return
    change = _setting("max_customer_share")
    words, left = "largest customer's share of rent", 1 - share
    yield Limit("customer_share", "", words, "share", share, min(0.05, left), left, change)


# ---- sites, markets and offers --------------------------------------------------------------------------------------


def _sites(case: Case) -> Iterator[Limit]:
    for site in case.sites:
        most = max(case.limit_gross_mw[site.site, t] for t in case.horizon)
        rows = [row for row in case.site_limits if row.site == site.site]
        if most > 0:
            change = _all_rows("site_limits", "limit_gross_mw", {row.identity() for row in rows})
            yield _more("site_power", site.site, f"grid limit of {site.site}", "gross MW", most, change)
    for group in dict.fromkeys(row.group for row in case.grid_groups):
        most = max(case.grid_group_limit[group, t] for t in case.horizon)
        steps = [row for row in case.grid_group_limits if row.group == group]
        if most > 0:
            change = _all_rows("grid_group_limits", "limit_gross_mw", {row.identity() for row in steps})
            yield _more("grid_group_power", group, f"grid limit shared by {group}", "gross MW", most, change)


def _machine_markets(case: Case) -> Iterator[Limit]:
    """How many machines of a class the market takes in a quarter."""
    for row in case.machine_markets:
        if row.max_sales_mw_per_quarter is not None:
            change = _column("machine_markets", row, "max_sales_mw_per_quarter")
            words, most = f"machines of {row.asic} sold in a quarter", row.max_sales_mw_per_quarter
            yield _more("machine_market_depth", row.asic, words, "gross MW", most, change)


def _all_rows(table: str, column: str, identities: set[Any]) -> Callable[[Case, float], Case]:
    """The case with one column of several rows moved by as much."""

    def change(case: Case, amount: float) -> Case:
        rows = [
            row.model_copy(update={column: _moved(getattr(row, column), amount)})
            if row.identity() in identities
            else row
            for row in case.rows(table)
        ]
        return case.replace(**{table: rows})

    return change


def _depths(case: Case, scenario: str) -> Iterator[Limit]:
    for product in {option.product: None for option in case.options}:
        rows = [row for row in case.product_markets if (row.scenario, row.product) == (scenario, product)]
        most = max((row.depth_it_mw for row in rows), default=0.0)
        if most > 0:
            change = _all_rows("product_markets", "depth_it_mw", {row.identity() for row in rows})
            yield _more("market_depth", product, f"depth of the market for {product}", "IT MW", most, change)


def _offers(case: Case) -> Iterator[Limit]:
    """The largest size of each offer; offers with price tiers end where their tiers do, and are left out."""
    tiered = {row.offer for row in case.rows("price_tiers")}
    committed = {row.offer for row in case.committed_contracts}
    for offer in case.offers:
        if offer.offer not in tiered | committed:
            change = _column("offers", offer, "max_it_mw")
            words = f"largest size of {offer.offer}"
            yield _more("at_most_the_largest_size", offer.offer, words, "IT MW", offer.max_it_mw, change)


def _groups(case: Case) -> Iterator[Limit]:
    for group in dict.fromkeys(offer.exclusive_group for offer in case.offers if offer.exclusive_group):
        yield Limit("exclusive_group", group, f"exclusive group {group}, waived", "contracts", 1.0, 1.0, 1.0,
                    _waived(group))  # fmt: skip


def _waived(group: str) -> Callable[[Case, float], Case]:
    def change(case: Case, _: float) -> Case:
        rows = [
            offer.model_copy(update={"exclusive_group": None}) if offer.exclusive_group == group else offer
            for offer in case.offers
        ]
        return case.replace(offers=rows)

    return change
