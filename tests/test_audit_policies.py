"""Budgets, floors and megawatts of halls that outlive their GPUs, by hand: decisions in tables, breaches told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hand_books import broken, written
from hand_cases import Row, lease_case, q

from optimizer.auditors import policies, sites
from optimizer.auditors.books import exact
from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

pytestmark = pytest.mark.core

Q = Quarter.parse


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    with exact():
        yield


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"capex_budget_musd": 27}, set()),
        ({"capex_budget_musd": 26.9}, {"capex_budget"}),
        ({"budget_years": [{"year": 2027, "capex_budget_musd": 25}, {"year": 2028, "capex_budget_musd": 2}]}, set()),
        ({"budget_years": [{"year": 2027, "capex_budget_musd": 24.9}]}, {"yearly_budgets"}),
        ({"budget_years": [{"year": 2028, "capex_budget_musd": 1.9}]}, {"yearly_budgets"}),
    ],
)
def test_budgets_count_what_is_spent_whatever_tenants_advance(changes: dict[str, Any], found: set[str]) -> None:
    """$24M for a hall and $1M of mobilisation in 2027, $2M of machines in 2028; the tenant advances $20M of it."""
    books = written(lease_case(**changes))
    spent = [("facility_capex", 1, -24), ("mobilisation", 0, -1), ("machine_purchases", 4, -2), ("tenant_capex", 1, 20)]
    for line, t, musd in [*spent, ("facility_capex", 6, -90), ("rent", 1, -90)]:
        books.record(line, Q(q(t)), Decimal(musd), "mining" if line == "machine_purchases" else "colo", "north")
    assert broken(policies.checks(books)) == found


def relet_case(**changes: Any) -> Case:
    """A GPU hall of 12 gross MW (8 IT MW) a block in the north, in service in 2; GPUs live two quarters, then racks."""
    first = lease_case()
    products = [row.model_dump() for row in first.products]
    markets = [row.model_dump() | {"product": p} for row in first.product_markets for p in ("colo", "racks")]
    life = {"option": "north hall", "life_quarters": 2, "residual_share": 0.1, "refresh_musd_per_it_mw": 1}
    tables: dict[str, Any] = {
        "products": [*products, products[0] | {"product": "racks"}],
        "product_markets": markets,
        "gpu_lives": [life | {"relet_product": "racks", "refit_musd_per_it_mw": 0.5}],
        "options": {"gpu_musd_per_it_mw": 2, "max_blocks": 3},
    }
    return lease_case(**tables, **changes)


STARTS: list[Row] = [{"option": "north hall", "start_quarter": q(0), "blocks": 3.0, "decided": "new"}]
RENEWED: list[Row] = [
    {"option": "north hall", "site": "north", "start_quarter": q(0), "refresh_quarter": q(4), "blocks": 1.0}
]


def allocation(case: Case, colo: list[float], racks: list[float]) -> list[Row]:
    """Megawatts of the north, of 40: three blocks under construction in 1, then as these two products."""
    block = float(case.options[0].block_gross_mw)
    rows = []
    for t in range(6):
        uses = [("construction", 3.0 if t == 1 else 0.0), ("colo", colo[t]), ("racks", racks[t])]
        taken = [{"use": use, "detail": "north hall", "gross_mw": blocks * block} for use, blocks in uses if blocks]
        unused = {"use": "unused", "detail": "", "gross_mw": 40 - 3 * block if t else 40.0}
        rows += [row | {"site": "north", "quarter": q(t)} for row in [*taken, unused]]
        rows.append({"site": "south", "quarter": q(t), "use": "unused", "detail": "", "gross_mw": 20.0})
    return rows


@pytest.mark.parametrize(
    ("colo", "racks", "found"),
    [
        ([0, 0, 3, 3, 1, 1], [0, 0, 0, 0, 2, 2], set()),
        ([0, 0, 3, 3, 3, 3], [0, 0, 0, 0, 0, 0], {"allocation_table"}),
        ([0, 0, 3, 1, 1, 1], [0, 0, 0, 2, 2, 2], {"allocation_table"}),
    ],
)
def test_blocks_without_gpus_stand_in_the_tables_as_what_they_are_let_as(
    colo: list[float], racks: list[float], found: set[str]
) -> None:
    """Three blocks; in quarter 4 one gets new GPUs and two become racks."""
    limits = [{"site": s, "from_quarter": q(0), "limit_gross_mw": mw} for s, mw in (("north", 40), ("south", 20))]
    case = relet_case(site_limits=limits)
    books = written(case, starts=STARTS, refreshes=RENEWED, allocation=allocation(case, colo, racks))
    assert broken(sites.checks(books)) == found


@pytest.mark.parametrize(
    ("use", "least", "most", "found"),
    [
        ("racks", 16, 16, set()),
        ("racks", 16.1, None, {"floors_and_ceilings"}),
        ("colo", 8, 8, set()),
        ("colo", None, 7.9, {"floors_and_ceilings"}),
    ],
)
def test_floors_and_ceilings_count_what_halls_are_let_as(
    use: str, least: float | None, most: float | None, found: set[str]
) -> None:
    """From quarter 4 on two blocks of 8 IT MW are racks and one has GPUs."""
    limit: Row = {"policy": "mix", "use": use, "site": "*", "first": q(4), "last": q(5), "basis": "it_mw"}
    case = relet_case(use_limits=[limit | {"min_mw": least, "max_mw": most}])
    assert broken(policies.checks(written(case, starts=STARTS, refreshes=RENEWED))) == found
