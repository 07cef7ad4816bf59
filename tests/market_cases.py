"""Three companies made of market numbers: a campus with project bonds, a GPU cloud, a flexible miner.

Each is small enough for a sheet by hand (`test_market_cases.py`, told in docs/three-cases.md). Numbers are those of the
market as docs/three-cases.md states them, each inside its range; nothing here is any company's.
"""

from __future__ import annotations

from typing import Any

from hand_cases import q
from small_cases import tiny_case

from optimizer.case.case import Case

Row = dict[str, Any]

ALL = [{"file": "*", "column": "*", "row": "*", "reason": "a case to reckon by hand"}]


def product(name: str, kind: str = "colocation", residual: float = 4.0, **columns: Any) -> Row:
    row = {"product": name, "kind": kind, "power_passed_through": True, "operating_cost_share": 0.15}
    row |= {"load_factor": 0.85, "gpus_per_it_mw": 380, "utilisation": 0.7, "residual_musd_per_it_mw": residual}
    return row | columns


def option(name: str, sold_as: str, capex: float, **columns: Any) -> Row:
    """A hall of 20 IT MW on 25 gross, five quarters of building by an S-curve, usable at once."""
    row = {"option": name, "site": "campus", "product": sold_as, "block_gross_mw": 25, "max_blocks": 1}
    row |= {"design_ratio": 1.25, "pue": 1.25, "rack_kw": 130, "lead_quarters": 5, "mining_stops_quarters": 0}
    row |= {"earliest": q(0), "gpu_musd_per_it_mw": 0, "mobilisation_musd": 0}
    row |= {f"facility_{level}_musd_per_it_mw": capex for level in ("low", "base", "high")}
    return row | {"facility_curve": "S-curve", "gpu_curve": "on delivery", "ramp": "at once"} | columns


def offer(name: str, sold_as: str, it_mw: float, term: int, **columns: Any) -> Row:
    row = {"offer": name, "customer": f"{name} tenant", "product": sold_as, "min_it_mw": it_mw, "max_it_mw": it_mw}
    row |= {"window_first": q(5), "window_last": q(5), "term_quarters": term, "escalator": 0.03}
    row |= {"price_base_quarter": None, "power_passed_through": True, "operating_cost_share": 0.15}
    return row | {"load_factor": 0.85, "ramp": "at once", "utilisation": None, "exclusive_group": None} | columns


S_CURVE = (0.10, 0.20, 0.30, 0.25, 0.15)
ON_DELIVERY = (0, 0, 0.05, 0.25, 0.70)
PROFILES = [
    {"profile": name, "step": i, "share": share}
    for name, shares in (("at once", (1,)), ("S-curve", S_CURVE), ("on delivery", ON_DELIVERY))
    for i, share in enumerate(shares)
]


def campus_base(**changes: Any) -> Case:
    """One site of 25 gross MW without machines, 16 quarters from 2027Q1, $2M of overhead a quarter."""
    tables: dict[str, Any] = {
        "sites": [
            {
                "site": "campus", "tariff": "grid", "mining_cost_musd_per_gross_mw_year": 0.06, "firm_power": True,
                "fibre": True, "max_rack_kw": 140, "mining_ends": None,
            }
        ],
        "site_limits": [{"site": "campus", "from_quarter": q(0), "limit_gross_mw": 25}],
        "tariffs": [
            {
                "scenario": "base", "tariff": "grid", "quarter": q(t), "energy_usd_per_mwh": 45,
                "demand_usd_per_kw_month": 5, "curtailed_hours": 0, "interruptible_usd_per_mw_year": 0,
            }
            for t in range(changes.get("quarters", 16))
        ],
        "fleet": [],
        "profiles": PROFILES,
        "quarters": 16,
        "overheads": {"g_and_a_musd": 2},
        "allow": ALL,
    }  # fmt: skip
    return tiny_case(**tables | changes)


# ---- a campus with project bonds -------------------------------------------------------------------

BOND = 0.061


def campus(bonds: bool = True, **changes: Any) -> Case:
    """20 IT MW at $11M each, let triple net for 15 years at $1.85M an IT MW-year: $220M of capex and $60M of cash.

    Project bonds of up to 80% of cost at 6.1%, half a percent up front, bullet after ten years.
    """
    bond = {
        "facility": "project bonds", "commitment_musd": 200, "drawn_musd": 0, "available_first": q(0),
        "available_last": q(5), "maturity": q(39), "base_rate": None, "margin": BOND, "upfront_fee": 0.005,
        "undrawn_fee": 0, "interest_every_quarters": 1, "loan_to_cost": 0.8, "minimum_cash_musd": None, "dscr": 1.2,
        "dscr_from": q(6), "prepayable": False, "requires_offer": "anchor", "refinances": None,
    }  # fmt: skip
    case = campus_base(
        products=[product("colo")],
        options=[option("hall", "colo", 11)],
        offers=[offer("anchor", "colo", 20, 60, operating_cost_share=0.03)],
        offer_prices=[{"scenario": "base", "offer": "anchor", "price": 1.85, "price_basis": "musd_per_it_mw_year"}],
        offer_sites=[{"offer": "anchor", "site": "campus"}],
        discount_rates={"corporate": 0.115, "mining": 0.19, "colo": 0.095, "debt": 0.08},
        opening_cash_musd=85,
        minimum_cash_musd=10,
    )
    secured = {"facilities": [bond], "collateral": [{"facility": "project bonds", "option": "hall"}]} if bonds else {}
    return case.replace(**secured | changes)


# ---- a GPU cloud -----------------------------------------------------------------------------------


def gpu_cloud(price: float, **changes: Any) -> Case:
    """The same site as GPU service at some $M an IT MW-year for five years, or as colocation at $1.65M for fifteen.

    GPUs of $26.7M an IT MW last as long as their contract and fetch 20% then; a fifth of their rent is paid two
    quarters ahead and credited from month 25 on. Their hall of $12M is then refitted for $1M and let as colocation at
    the market, for $1.65M less 18%. A colocation hall costs $11M. Ten years are looked at.
    """
    quarters = 40
    markets = [
        {
            "scenario": "base", "product": name, "quarter": q(t), "price": 1.65, "price_basis": "musd_per_it_mw_year",
            "depth_it_mw": depth,
        }
        for name, depth in (("colo", 20), ("gpu", 0))
        for t in range(quarters)
    ]  # fmt: skip
    case = campus_base(
        quarters=quarters,
        opening_cash_musd=1500,
        products=[product("colo", operating_cost_share=0.18), product("gpu", "gpu_service")],
        product_markets=markets,
        options=[
            option("colo hall", "colo", 11),
            option("gpu hall", "gpu", 12, gpu_musd_per_it_mw=26.7),
        ],
        offers=[
            offer("tenant", "colo", 20, 60),
            offer("cloud", "gpu", 20, 20, escalator=0, power_passed_through=False, load_factor=0.9),
        ],
        offer_prices=[
            {"scenario": "base", "offer": "tenant", "price": 1.65, "price_basis": "musd_per_it_mw_year"},
            {"scenario": "base", "offer": "cloud", "price": price, "price_basis": "musd_per_it_mw_year"},
        ],
        offer_sites=[{"offer": name, "site": "campus"} for name in ("tenant", "cloud")],
        discount_rates={"corporate": 0.115, "mining": 0.19, "colo": 0.105, "gpu": 0.13, "debt": 0.08},
    )
    lives = {
        "option": "gpu hall", "life_quarters": 20, "residual_share": 0.2, "refresh_musd_per_it_mw": None,
        "relet_product": "colo", "refit_musd_per_it_mw": 1,
    }  # fmt: skip
    paid = {"offer": "cloud", "rent_share": 0.2, "paid_quarters_before": 2, "credited_after_month": 24}
    return case.replace(**{"gpu_lives": [lives], "prepayments": [paid]} | changes)


# ---- a flexible miner ------------------------------------------------------------------------------

FLAT = 45.0
STEPS = ((0.85, 28.0), (0.12, 70.0), (0.03, 12.8 / 0.03))
"""Share of a quarter's hours and $ per MWh; together they average to FLAT."""


def flexible_miner(stepped: bool = True, **changes: Any) -> Case:
    """100 gross MW of machines of 17.5 J/TH for two years at $36 per PH and day, on power that averages $45 a MWh.

    The utility takes 20 hours of each quarter, $60,000 a MW-year are paid for being interruptible, demand costs $2 a
    kW-month, keeping a MW installed $0.06M a year.
    """
    quarters = 8
    case = campus_base(
        quarters=quarters,
        site_limits=[{"site": "campus", "from_quarter": q(0), "limit_gross_mw": 100}],
        asics=[
            {
                "asic": "miner", "joules_per_th": 17.5, "uptime": 0.95, "pool_fee": 0.02, "overhead": 0.04,
                "retires_after": None, "residual_usd_per_th": 0,
            }
        ],
        fleet=[{"site": "campus", "asic": "miner", "gross_mw": 100}],
        bitcoin={"hashprice_usd_per_ph_day": 36},
        options=[],
        offers=[],
        offer_prices=[],
        offer_sites=[],
        tariffs=[
            {
                "scenario": "base", "tariff": "grid", "quarter": q(t), "energy_usd_per_mwh": FLAT,
                "demand_usd_per_kw_month": 2, "curtailed_hours": 20, "interruptible_usd_per_mw_year": 60_000,
            }
            for t in range(quarters)
        ],
    )  # fmt: skip
    steps = [
        {
            "scenario": "base", "tariff": "grid", "quarter": q(t), "step": i, "hours_share": share,
            "energy_usd_per_mwh": price,
        }
        for t in range(quarters)
        for i, (share, price) in enumerate(STEPS, start=1)
    ]  # fmt: skip
    return case.replace(**{"price_steps": steps if stepped else []} | changes)
