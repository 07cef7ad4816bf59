"""What one table names, another holds."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.telling import at
from optimizer.ground.findings import Finding

if TYPE_CHECKING:
    from optimizer.case.case import Case


_ALIASES = {
    "facility_curve": "profile", "gpu_curve": "profile", "ramp": "profile",
    "requires": "offer", "requires_offer": "offer", "refinances": "facility", "relet_product": "product",
}  # fmt: skip
_HOMES = {"bitcoin": "bitcoin", "index": "indices", "facility": "facilities", "group": "grid_groups"}


def kind_and_home(column: str) -> tuple[str, str]:
    """What the names in a column are, if they are anything's, and the table that lists them."""
    kind = _ALIASES.get(column, column)
    return kind, _HOMES.get(kind, f"{kind}s")


def references_exist(case: Case, broken: Collection[str] = ()) -> Iterator[Finding]:
    """Names that no row has; those of `broken` tables, which could not be read whole, are left alone."""
    known = {
        "scenario": {row.scenario for row in case.scenarios},
        "site": {row.site for row in case.sites},
        "tariff": {row.tariff for row in case.tariffs},
        "asic": {row.asic for row in case.asics},
        "product": {row.product for row in case.products},
        "option": {row.option for row in case.options},
        "offer": {row.offer for row in case.offers},
        "profile": {row.profile for row in case.profiles},
        "facility": {row.facility for row in case.facilities},
        "base_rate": {row.base_rate for row in case.base_rates},
        "index": {row.index for row in case.rows("indices")},
        "group": {row.group for row in case.grid_groups},
    }
    for rows in case.every_table:
        for row in rows:
            for column in type(row).model_fields:
                kind, home = kind_and_home(column)
                if kind not in known or home in broken or (row.table == home and column in row.key):
                    continue
                value = getattr(row, column)
                if value is not None and value not in known[kind] and value != schema.ANY:
                    mend = _like(value, known[kind]) or f"add it to {home}.csv"
                    yield at(row, f"is no {kind.replace('_', ' ')} of this case", mend, column, value)


def _like(name: str, known: Collection[str]) -> str:
    """The known name that a mistyped one comes near to, as a question; nothing where none does."""
    meant = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), meant, n=1, cutoff=0.8)
    return f"did you mean {meant[close[0]]}?" if close else ""


def use_limits_name_uses(case: Case) -> Iterator[Finding]:
    uses = {schema.MINING, *(row.product for row in case.products)}
    for row in case.use_limits:
        if row.use not in uses:
            yield at(row, "is neither mining nor a product", "name one of them", "use", row.use)


def discount_rates_name_lines(case: Case) -> Iterator[Finding]:
    lines = {"corporate", "debt", schema.MINING, *(row.product for row in case.products)}
    rates = case.settings.discount_rates
    if "corporate" not in rates:
        yield Finding("case.toml", "has no rate for `corporate`", "add it", column="discount_rates")
    for name in sorted(set(rates) - lines):
        yield Finding(
            "case.toml", "is no business line", f"use one of {', '.join(sorted(lines))}",
            column="discount_rates", value=name,
        )  # fmt: skip


def names_are_used(case: Case) -> Iterator[Finding]:
    used = {
        "tariffs": ({row.tariff for row in case.tariffs}, {row.tariff for row in case.sites}, "site"),
        "asics": (
            {row.asic for row in case.asics},
            {row.asic for row in case.fleet} | {r.asic for r in case.machine_markets if r.purchase_usd_per_th},
            "site's fleet",
        ),
        "offers": (
            {row.offer for row in case.offers},
            {row.offer for row in case.offer_sites},
            "site (offer_sites)",
        ),
    }
    for table, (names, users, what) in used.items():
        for name in sorted(names - users):
            yield Finding(f"{table}.csv", f"is used by no {what}", value=name, severity="warning")
