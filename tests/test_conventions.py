"""Conventions: every reading of docs/conventions.md has a test with its number; those that had none are here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import ROOT, mining_case
from hand_cases import cash_line, facility, lease_case, q
from small_cases import tiny_case

import optimizer as opt
from optimizer.business.lines import discount_factor
from optimizer.case.market import mining_economics, own_plant_economics
from optimizer.ground.quarters import Quarter

PAGE = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_convention_names_tests_that_there_are(heading: str) -> None:
    named = re.findall(r"`(test_\w+)\.py::(test_\w+)`", SECTIONS[heading])
    assert named, "no test holds its number"
    for file, name in named:
        assert f"\ndef {name}(" in (ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"), name


def test_hours_of_a_quarter() -> None:
    told = {"2027Q1": 2160, "2028Q1": 2184, "2027Q2": 2184, "2027Q3": 2208, "2027Q4": 2208}
    assert {name: Quarter.parse(name).hours for name in told} == told


def test_dating_of_value() -> None:
    """The same case known a year earlier is worth the same."""
    case = tiny_case()
    assert opt.solve(case).value_musd == opt.solve(case.replace(as_of="2025-10-01")).value_musd


def test_rates_of_interest_are_nominal_and_discount_rates_effective() -> None:
    """12%: a loan of $100M costs $3M a quarter; a dollar a year later is worth 1/1.12, a quarter later 1/1.0287."""
    note = facility("note", drawn_musd=100, commitment_musd=100, available_first=None, available_last=None, margin=0.12,
                    maturity=q(7), prepayable="no")  # fmt: skip
    plan = opt.solve(lease_case(quarters=8, opening_cash_musd=800, facilities=[note]))
    assert cash_line(plan, "interest")[0] == pytest.approx(-3)
    assert discount_factor(0.12, 4, at_start=True) == pytest.approx(1 / 1.12)
    assert discount_factor(0.12, 1, at_start=True) == pytest.approx(1 / 1.028737, rel=1e-6)


def test_curtailed_hours_bind_what_the_utility_feeds() -> None:
    """95% of 2,160 hours on the plant, less 900 on the grid."""
    row: dict[str, Any] = {"scenario": "base", "site": "north", "capacity_mw": 5, "cost_usd_per_mwh": 10}
    case = mining_case()
    plants = [row | {"quarter": t} for t in case.horizon]
    tariffs = [tariff.model_dump() | {"curtailed_hours": 900} for tariff in case.tariffs]
    case = case.replace(own_plants=plants, tariffs=tariffs)
    machine = case.asics[0]
    hours = 2160 * machine.uptime
    plant = own_plant_economics(case, "base", "north", machine, case.first)
    grid = mining_economics(case, "base", "north", machine, case.first)
    assert plant is not None
    assert (plant.run_hours, grid.run_hours) == (hours, hours - 900)
    assert plant.power == pytest.approx(hours * 10 / 1e6)
    assert plant.revenue / hours == pytest.approx(grid.revenue / (hours - 900))


def test_a_new_contracts_prepayment_falls_no_earlier_than_the_first_quarter() -> None:
    from optimizer.case.schema import Offer
    from optimizer.case.terms.deal import Deal

    case = lease_case(quarters=8)
    offer: Offer = case.offer["lease"]
    for committed, paid in ((False, case.first), (True, case.first - 3)):
        deal = Deal(case, "base", offer, "north", case.first + 2, committed=committed)
        deal.receive("prepayments", 5, 7.0)
        assert (deal.payments[-1].first, deal.payments[-1].amounts.tolist()) == (paid, [7.0])


def test_what_tenants_lend_is_not_taxed() -> None:
    from optimizer.business.lines import UNTAXED_LINES

    assert {"prepayments", "tenant_capex", "tenant_credits", "interest", "fee"} <= {*UNTAXED_LINES}


def test_a_facility_called_like_a_machine_is_refused() -> None:
    note = facility("miner", drawn_musd=10, available_first=None, available_last=None, maturity=q(5), prepayable="no")
    with pytest.raises(opt.InputError, match="'miner' is a name in asics"):
        mining_case(facilities=[note])
    site = mining_case().sites[0].site
    assert mining_case(facilities=[note | {"facility": site}]).facility[site].drawn_musd == 10


def test_a_loss_after_the_horizon_is_not_paid_out() -> None:
    """A hall of $24M written off over 40 quarters, the lease's last quarter is 21: in quarters 22 to 40 there is
    depreciation alone, and no tax, above or below nothing."""
    life = [{"line": "facility_capex", "quarters": 40}]
    plan = opt.solve(lease_case(quarters=8, opening_cash_musd=800, depreciation=life, tax_rate=0.21))
    after = plan.after_horizon[plan.after_horizon["line"] == "tax"].set_index("quarter")["musd"]
    assert after[q(21)] == pytest.approx(-0.21 * (0.9 * 4.8 - 24 / 40))
    assert max(after.index) == q(21)
