"""The model against what Bitfarms reported for a BTC in 2025; docs/cost-per-btc.md tells the inputs and sources."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import optimizer as opt
from optimizer.case.case import assemble

PAGE = Path(__file__).parents[1] / "docs/cost-per-btc.md"
WITHIN = 0.10

SITES = {"Quebec": (170, 47.5), "Moses Lake": (18, 43), "Pennsylvania": (153, 75), "Paso Pe": (70, 45)}
"""Energised gross MW and $/MWh."""

QUARTERS = {
    "2025Q2": {"btc_usd": 98_600, "difficulty_t": 121.6, "exahash": 17.7, "sites": tuple(SITES)},
    "2025Q3": {"btc_usd": 114_400, "difficulty_t": 130.5, "exahash": 13.8, "sites": tuple(SITES)[:3]},
}
JOULES_PER_TH = 18
REPORTED = {
    ("2025Q2", "btc_mined"): 718, ("2025Q2", "direct_cash_cost_usd_per_btc"): 48_200,
    ("2025Q2", "total_cash_cost_usd_per_btc"): 77_100, ("2025Q3", "btc_mined"): 520,
    ("2025Q3", "total_cash_cost_usd_per_btc"): 82_400,
}  # fmt: skip


@cache
def reported_quarter(quarter: str) -> opt.Plan:
    """The company as it was: machines spread over its energised sites, G&A, no AI."""
    given = QUARTERS[quarter]
    energised = sum(SITES[name][0] for name in given["sites"])
    filled = given["exahash"] * JOULES_PER_TH / energised
    tables = {
        "scenarios": [{"scenario": "base", "description": "as reported"}],
        "sites": [site_row(name) for name in given["sites"]],
        "site_limits": [
            {"site": name, "from_quarter": quarter, "limit_gross_mw": SITES[name][0]} for name in given["sites"]
        ],
        "tariffs": [tariff_row(name, quarter) for name in given["sites"]],
        "asics": [
            {
                "asic": "fleet", "joules_per_th": JOULES_PER_TH, "uptime": 0.845, "pool_fee": 0.002, "overhead": 0,
                "retires_after": None, "residual_usd_per_th": 0,
            }
        ],
        "fleet": [{"site": name, "asic": "fleet", "gross_mw": SITES[name][0] * filled} for name in given["sites"]],
        "bitcoin": [
            {
                "scenario": "base", "quarter": quarter, "btc_usd": given["btc_usd"],
                "difficulty_t": given["difficulty_t"], "fees_btc_per_block": 0.03125, "hashprice_usd_per_ph_day": None,
            }
        ],
        "products": [
            {
                "product": "colocation", "kind": "colocation", "power_passed_through": True, "load_factor": 1,
                "operating_cost_share": 0.15, "gpus_per_it_mw": None, "utilisation": None, "residual_musd_per_it_mw": 0,
            }
        ],
        "product_markets": [
            {
                "scenario": "base", "product": "colocation", "quarter": quarter, "price": 1,
                "price_basis": "musd_per_it_mw_year", "depth_it_mw": 0,
            }
        ],
        "profiles": [{"profile": "at once", "step": 0, "share": 1}],
        "overheads": [{"quarter": quarter, "g_and_a_musd": 17}],
    }  # fmt: skip
    return opt.solve(
        assemble(settings(quarter), {name: [(None, row) for row in rows] for name, rows in tables.items()})
    )


def site_row(name: str) -> dict[str, object]:
    flags = {"firm_power": True, "fibre": True, "max_rack_kw": 0, "mining_ends": None}
    return {"site": name, "tariff": name, "mining_cost_musd_per_gross_mw_year": 0.05} | flags


def tariff_row(name: str, quarter: str) -> dict[str, object]:
    """Demand response of $60,000 per MW-year in Pennsylvania, the middle of what PJM pays."""
    paid = 60_000 if name == "Pennsylvania" else 0
    row = {"scenario": "base", "tariff": name, "quarter": quarter, "energy_usd_per_mwh": SITES[name][1]}
    return row | {"demand_usd_per_kw_month": 0, "curtailed_hours": 0, "interruptible_usd_per_mw_year": paid}


def settings(quarter: str) -> dict[str, object]:
    return {
        "format": 2, "name": "reported", "title": "As reported", "as_of": "2025-11-13", "currency": "USD",
        "money_basis": "nominal", "first_quarter": quarter, "quarters": 1, "capex_level": "base",
        "capex_budget_musd": 0,
        "opening_cash_musd": 100, "minimum_cash_musd": 0, "subsidy_btc": 3.125, "halvings": [],
        "discount_rates": {"corporate": 0.1},
    }  # fmt: skip


@pytest.mark.parametrize(("quarter", "figure"), REPORTED)
def test_reported_figure_is_met_within_a_tenth(quarter: str, figure: str) -> None:
    ours = reported_quarter(quarter).mining[figure].iloc[0]
    assert ours == pytest.approx(REPORTED[quarter, figure], rel=WITHIN)


def test_the_page_shows_these_figures() -> None:
    """`| 2025Q2 | ... | our BTC | reported | our direct | reported | our total | reported |`"""
    shown = re.findall(r"^\| (2025Q\d) \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {quarter for quarter, _ in shown} == set(QUARTERS)
    for quarter, cells in shown:
        btc, direct, total = (float(cell.replace(",", "").strip(" $")) for cell in cells.split("|")[0:5:2])
        row = reported_quarter(quarter).mining.iloc[0]
        ours = (row["btc_mined"], row["direct_cash_cost_usd_per_btc"], row["total_cash_cost_usd_per_btc"])
        assert ours == pytest.approx((btc, direct, total), rel=0, abs=51)
