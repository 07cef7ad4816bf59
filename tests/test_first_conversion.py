"""The economics of the first conversion (18 gross MW at Moses Lake, 14.4 IT MW) come out as they were published.

Published, rounded, a year: colocation $128M for about $26.6M of rent and $22.6M of net operating income; GPU service
$128M and about $418M of GPUs for about $140M of revenue and $112M of EBITDA; mining at 18 J/TH and 4.3 cents about
$10.5M of revenue, $6.5M of power and $3-4M of margin, at a hashprice of $32.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import optimizer as opt
from optimizer.business.machines import site_cost_musd
from optimizer.case.market import mining_economics

pytestmark = pytest.mark.core

CASE = opt.load_case(Path(__file__).parents[1] / "data/washington_2025")


def lines(plan: opt.Plan, quarters: list[str], *names: str) -> float:
    rows = plan.cash_flow[plan.cash_flow["quarter"].isin(quarters) & plan.cash_flow["line"].isin(names)]
    return float(rows["musd"].sum())


def test_colocation() -> None:
    plan = opt.solve(CASE)
    assert plan.kpis["converted_gross_mw"] == 18
    assert plan.kpis["converted_it_mw"] == pytest.approx(14.4)
    assert plan.kpis["capex_musd"] == pytest.approx(128.0, abs=0.05)
    assert min(plan.starts["service_quarter"]) > "2026Q4"
    at_full_rent = ["2028Q1", "2028Q2"]
    rent = 2 * lines(plan, at_full_rent, "rent")
    assert rent == pytest.approx(26.6, abs=0.05)
    assert rent + 2 * lines(plan, at_full_rent, "ai_operating_cost", "ai_power") == pytest.approx(22.6, abs=0.05)


def test_gpu_service() -> None:
    """Decided beforehand, since at market prices and without prepayment the optimum does not choose it."""
    case = CASE.replace(
        capex_budget_musd=600,
        committed_starts=[{"option": "moses-lake-gpuaas", "quarter": "2026Q1", "blocks": 6}],
        committed_contracts=[{"offer": "hyperscaler-d-gpu", "site": "Moses Lake", "quarter": "2027Q3", "it_mw": 14.4}],
    )
    plan = opt.solve(case)
    gpus = float(plan.capex.loc[plan.capex["line"] == "gpu_capex", "musd"].sum())
    assert gpus == pytest.approx(418, abs=1)
    year = ["2027Q3", "2027Q4", "2028Q1", "2028Q2"]
    revenue = lines(plan, year, "rent")
    assert revenue == pytest.approx(140, abs=1)
    assert revenue + lines(plan, year, "ai_operating_cost", "ai_power") == pytest.approx(112, abs=1)


def test_mining() -> None:
    flat = {"energy_usd_per_mwh": 43, "demand_usd_per_kw_month": 0, "curtailed_hours": 0}
    market = {"difficulty_t": None, "fees_btc_per_block": None, "hashprice_usd_per_ph_day": 32}
    case = CASE.replace(
        machine_markets=[],
        asics=[CASE.asics[0].model_dump() | {"joules_per_th": 18}],
        fleet=[{"site": "Moses Lake", "asic": "T21", "gross_mw": 18}],
        tariffs=[row.model_dump() | flat for row in CASE.tariffs],
        bitcoin=[row.model_dump() | market for row in CASE.bitcoin],
    )
    year = [mining_economics(case, "base", "Moses Lake", case.asics[0], t) for t in case.horizon[:4]]
    revenue = 18 * sum(quarter.revenue for quarter in year)
    power = 18 * sum(quarter.power for quarter in year)
    site = 18 * 4 * site_cost_musd(case, "Moses Lake")
    assert revenue == pytest.approx(10.5, abs=0.1)
    assert power == pytest.approx(6.5, abs=0.1)
    assert 2.9 <= revenue - power - site <= 4.0
