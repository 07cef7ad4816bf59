"""Seeded portfolios of realistic size and shape, for benchmarks and for cross-checks.

`portfolio(sites, quarters, offers, seed)` makes a checked case; ranges follow the public figures of late 2026.
From a shell: `python -m benchmarks.portfolios FOLDER --sites 12 --quarters 32 --offers 24 --seed 1`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from optimizer.case.case import Case, assemble
from optimizer.case.folder import write_case
from optimizer.ground.quarters import Quarter, span

Record = dict[str, Any]
FIRST = Quarter.parse("2027Q1")
COLO, GPU = "colo", "gpu_cloud"
SCENARIOS = ("base", "low_btc")

CURVES = {
    "build_4": (0.15, 0.30, 0.35, 0.20),
    "build_5": (0.10, 0.20, 0.30, 0.25, 0.15),
    "build_6": (0.08, 0.14, 0.22, 0.26, 0.20, 0.10),
    "gpus_4": (0.0, 0.0, 0.3, 0.7),
    "gpus_5": (0.0, 0.0, 0.0, 0.3, 0.7),
    "gpus_6": (0.0, 0.0, 0.0, 0.0, 0.3, 0.7),
}
RAMPS = {"at_once": (1.0,), "half_first": (0.5, 1.0), "slow": (0.25, 0.5, 0.75, 1.0)}

# $M per IT MW-year of a price of 1 in each unit
MUSD_A_YEAR = {"usd_per_gpu_hour": 380 * 8766 / 1e6, "usd_per_kw_month": 0.012, "musd_per_it_mw_year": 1.0}

# name: J/TH at the wall, last quarter fit to run, resale at the horizon's end in $/TH
ASICS = {
    "S19j_Pro": (29.5, "2028Q4", 0.0),
    "S19_XP": (21.5, "2029Q4", 0.0),
    "T21": (19.0, "2031Q2", 0.3),
    "S21": (17.5, "2032Q4", 0.5),
    "S21_Pro": (15.0, "2033Q4", 0.8),
    "S21_XP": (13.5, None, 1.2),
}


@dataclass(frozen=True)
class Region:
    """A tariff: energy price by quarter of the year and its yearly growth, demand charge, curtailed hours."""

    energy: tuple[float, float, float, float]
    growth: float
    demand: float = 0.0
    curtailed: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    interruptible: float = 0.0


REGIONS = {
    "grant_pud": Region((43, 42, 43, 43), 0.06),
    "quebec": Region((31, 30, 30, 31), 0.02, demand=11.0, curtailed=(220, 0, 0, 80)),
    "pjm": Region((86, 64, 70, 72), 0.015, interruptible=55_000),
    "ercot": Region((46, 42, 58, 43), 0.02, curtailed=(20, 10, 60, 10), interruptible=70_000),
    "midwest": Region((50, 46, 52, 49), 0.02, demand=4.0),
    "paraguay": Region((44, 44, 44, 44), 0.01),
}


@dataclass
class _Draft:
    """The case while it grows: the random numbers, the horizon and the rows by table."""

    random: Random
    horizon: tuple[Quarter, ...]
    settings: Record = field(default_factory=dict)
    tables: dict[str, list[Record]] = field(default_factory=dict)

    def add(self, table: str, **row: Any) -> Record:
        self.tables.setdefault(table, []).append(row)
        return row

    def rows(self, table: str) -> list[Record]:
        return self.tables.get(table, [])

    def near(self, value: float, spread: float, digits: int = 4) -> float:
        return round(value * self.random.uniform(1 - spread, 1 + spread), digits)


def portfolio(sites: int, quarters: int, offers: int, seed: int) -> Case:
    """A portfolio in which money, power, time and customers are all scarce; the same arguments give the same case."""
    draft = _Draft(Random(f"{sites}/{quarters}/{offers}/{seed}"), span(FIRST, quarters))
    _add_markets(draft)
    for number in range(sites):
        _add_site(draft, number)
    for number in range(offers):
        _add_offer(draft, number, offers)
    _add_exclusive_groups(draft)
    if seed % 3 == 0:
        _add_commitments(draft)
    _add_policies(draft, seed)
    _add_money(draft, f"{sites}x{quarters}x{offers} seed {seed}")
    return _checked(draft)


def _checked(draft: _Draft) -> Case:
    return assemble(draft.settings, {name: [(None, r) for r in rows] for name, rows in draft.tables.items()})


# ---- markets ------------------------------------------------------------------------------------------


def _add_markets(draft: _Draft) -> None:
    draft.add("scenarios", scenario="base", description="difficulty follows price, one halving in 2028")
    draft.add("scenarios", scenario="low_btc", description="hashprice falls further, AI rents are a tenth lower")
    for name, shares in (CURVES | RAMPS).items():
        for step, share in enumerate(shares):
            draft.add("profiles", profile=name, step=step, share=share)
    _add_products(draft)
    _add_bitcoin(draft)
    for scenario in SCENARIOS:
        _add_rents(draft, scenario)


def _add_products(draft: _Draft) -> None:
    draft.add(
        "products", product=COLO, kind="colocation", power_passed_through=True, operating_cost_share=0.18,
        load_factor=0.8, gpus_per_it_mw=None, utilisation=None, residual_musd_per_it_mw=7.0,
    )  # fmt: skip
    draft.add(
        "products", product=GPU, kind="gpu_service", power_passed_through=False, operating_cost_share=0.14,
        load_factor=0.75, gpus_per_it_mw=380.0, utilisation=0.7, residual_musd_per_it_mw=8.0,
    )  # fmt: skip


def _add_bitcoin(draft: _Draft) -> None:
    price, difficulty, low = draft.near(70_000, 0.06, 0), draft.near(130, 0.04), draft.near(29, 0.05)
    for t in draft.horizon:
        draft.add(
            "bitcoin", scenario="base", quarter=t, btc_usd=round(price), difficulty_t=round(difficulty, 2),
            fees_btc_per_block=0.04, hashprice_usd_per_ph_day=None,
        )  # fmt: skip
        draft.add(
            "bitcoin", scenario="low_btc", quarter=t, btc_usd=round(0.8 * price), difficulty_t=None,
            fees_btc_per_block=None, hashprice_usd_per_ph_day=round(low, 3),
        )  # fmt: skip
        price *= 1 + draft.random.gauss(0.04, 0.05)
        halved = t == Quarter.parse("2028Q2")
        difficulty *= (0.88 if halved else 1.0) * (1 + draft.random.gauss(0.026, 0.02))
        low *= (0.7 if halved else 1.0) * (1 + draft.random.gauss(-0.004, 0.03))


def _add_rents(draft: _Draft, scenario: str) -> None:
    cut = 1.0 if scenario == "base" else 0.9
    rent, gpu_hour, scale = 140 * cut, 1.9 * cut, 1 + len(draft.horizon) / 40
    for i, t in enumerate(draft.horizon):
        draft.add(
            "product_markets", scenario=scenario, product=COLO, quarter=t, price=round(rent, 2),
            price_basis="usd_per_kw_month", depth_it_mw=round((24 + 2 * i) * scale, 1),
        )  # fmt: skip
        draft.add(
            "product_markets", scenario=scenario, product=GPU, quarter=t, price=round(gpu_hour, 4),
            price_basis="usd_per_gpu_hour", depth_it_mw=round((4 + 0.25 * i) * scale, 1),
        )  # fmt: skip
        rent, gpu_hour = rent * 1.005, gpu_hour * 0.985


def _add_tariff(draft: _Draft, name: str) -> None:
    region, level = REGIONS[name], draft.near(1.0, 0.05)
    for scenario in SCENARIOS:
        for i, t in enumerate(draft.horizon):
            season = int(t) % 4
            energy = region.energy[season] * level * (1 + region.growth) ** (i // 4)
            draft.add(
                "tariffs", scenario=scenario, tariff=name, quarter=t, energy_usd_per_mwh=round(energy, 2),
                demand_usd_per_kw_month=region.demand, curtailed_hours=region.curtailed[season],
                interruptible_usd_per_mw_year=region.interruptible,
            )  # fmt: skip


# ---- sites --------------------------------------------------------------------------------------------------


def _add_site(draft: _Draft, number: int) -> None:
    random, name = draft.random, f"site_{number + 1:02d}"
    tariff = random.choice(list(REGIONS))
    if not any(row["tariff"] == tariff for row in draft.rows("tariffs")):
        _add_tariff(draft, tariff)
    eligible = number % 5 in (0, 2, 4)
    lacking = None if eligible else random.choice(("firm_power", "fibre", "max_rack_kw"))
    draft.add(
        "sites", site=name, tariff=tariff, mining_cost_musd_per_gross_mw_year=draft.near(0.06, 0.25),
        firm_power=lacking != "firm_power", fibre=lacking != "fibre",
        max_rack_kw=40 if lacking == "max_rack_kw" else random.choice((140, 200)),
        mining_ends=draft.horizon[len(draft.horizon) // 2] if number % 7 == 6 else None,
    )  # fmt: skip
    size = float(round(min(300.0, max(15.0, random.lognormvariate(4.2, 0.75)))))
    largest = _add_limits(draft, name, size)
    _add_fleet(draft, name, size)
    _add_options(draft, name, largest, gpus=number % 4 in (0, 3) or not eligible)


def _add_limits(draft: _Draft, site: str, size: float) -> float:
    """Energisation in one to three steps; gives the last limit."""
    draft.add("site_limits", site=site, from_quarter=draft.horizon[0] - 4, limit_gross_mw=size)
    quarter = draft.horizon[0]
    for _ in range(draft.random.choice((0, 0, 1, 1, 2))):
        quarter = quarter + draft.random.randint(2, 6)
        size = float(round(min(400.0, size + draft.random.uniform(0.15, 0.6) * size)))
        draft.add("site_limits", site=site, from_quarter=quarter, limit_gross_mw=size)
    return size


def _add_fleet(draft: _Draft, site: str, size: float) -> None:
    classes = draft.random.sample(list(ASICS), draft.random.choice((1, 2, 2, 3)))
    cuts = sorted(draft.random.random() for _ in classes[1:])
    filled = size * draft.random.uniform(0.85, 1.0)
    for name, low, high in zip(classes, [0.0, *cuts], [*cuts, 1.0], strict=True):
        mw = round((high - low) * filled, 1)
        if mw > 0:
            draft.add("fleet", site=site, asic=name, gross_mw=mw)
            _add_asic(draft, name)


def _add_asic(draft: _Draft, name: str) -> None:
    if any(row["asic"] == name for row in draft.rows("asics")):
        return
    efficiency, last, resale = ASICS[name]
    draft.add(
        "asics", asic=name, joules_per_th=efficiency, uptime=draft.near(0.95, 0.01), pool_fee=0.02, overhead=0.04,
        retires_after=last, residual_usd_per_th=resale,
    )  # fmt: skip


def _add_options(draft: _Draft, site: str, largest: float, gpus: bool) -> None:
    random = draft.random
    lead = min(random.choice((4, 5, 5, 6)), len(draft.horizon) - 2)
    ratio = random.choice((1.25, 1.3, 1.43))
    block = min(float(random.choice((10, 12, 15, 18, 20, 25))), largest)
    common = {
        "site": site, "block_gross_mw": block, "design_ratio": ratio,
        "pue": round(ratio - random.uniform(0.03, 0.1), 2), "rack_kw": 130, "lead_quarters": lead,
        "mining_stops_quarters": random.choice((0, 0, 0, 1, 2, lead)),
        "earliest": draft.horizon[0] + random.randint(0, 3),
        "facility_curve": f"build_{lead}", "gpu_curve": f"gpus_{lead}",
        "ramp": random.choice(("at_once", "half_first", "half_first")),
    }  # fmt: skip
    blocks = random.uniform(0.5, 0.95) * largest / block
    money = _option_money(draft, draft.near(9.6, 0.15, 2), 0.0, blocks)
    draft.add("options", option=f"{site}_colo", product=COLO, **common, **money)
    if gpus:
        money = _option_money(draft, draft.near(13.0, 0.1, 2), draft.near(27.0, 0.08, 2), 0.5 * blocks)
        draft.add("options", option=f"{site}_gpu", product=GPU, **common, **money)


def _option_money(draft: _Draft, base: float, gpu: float, blocks: float) -> Record:
    return {
        "max_blocks": max(1, int(blocks)),
        "facility_low_musd_per_it_mw": round(0.85 * base, 2),
        "facility_base_musd_per_it_mw": base,
        "facility_high_musd_per_it_mw": round(1.16 * base, 2),
        "gpu_musd_per_it_mw": gpu,
        "mobilisation_musd": draft.near(6.0, 0.5, 1),
    }


# ---- offers -------------------------------------------------------------------------------------------------


def _convertible(draft: _Draft, product: str) -> list[str]:
    good = {r["site"] for r in draft.rows("sites") if r["firm_power"] and r["fibre"] and r["max_rack_kw"] >= 130}
    return [r["site"] for r in draft.rows("options") if r["product"] == product and r["site"] in good]


def _add_offer(draft: _Draft, number: int, count: int) -> None:
    random, name = draft.random, f"offer_{number + 1:02d}"
    product = GPU if number % 4 == 3 and _convertible(draft, GPU) else COLO
    homes = _convertible(draft, product)
    chosen = random.sample(homes, min(len(homes), random.randint(2, 4)))
    if random.random() < 0.2:
        chosen += random.sample([r["site"] for r in draft.rows("sites")], 1)
    for site in dict.fromkeys(chosen):
        draft.add("offer_sites", offer=name, site=site)
    smallest, largest = _offer_size(random, product)
    opens = random.randint(4, max(5, int(0.55 * len(draft.horizon))))
    opens = min(opens, len(draft.horizon) - 1)
    first = draft.horizon[opens]
    passed = product == COLO and random.random() < 0.85
    draft.add(
        "offers", offer=name, customer=f"customer_{random.randint(1, max(3, count // 2)):02d}", product=product,
        min_it_mw=smallest, max_it_mw=largest, window_first=first, window_last=first + random.randint(1, 4),
        term_quarters=random.choice((40, 48, 60)) if product == COLO else random.choice((20, 24, 28)),
        escalator=random.choice((0.02, 0.025, 0.03)) if product == COLO else 0.0,
        price_base_quarter=draft.horizon[0] if random.random() < 0.25 else None,
        power_passed_through=passed, operating_cost_share=round(random.uniform(0.05, 0.16), 3),
        load_factor=round(random.uniform(0.7, 0.95), 2),
        ramp=random.choice(("at_once", "at_once", "half_first", "slow")),
        utilisation=1.0 if product == GPU else None, exclusive_group=None,
    )  # fmt: skip
    _add_offer_price(draft, name, product, passed)


def _offer_size(random: Random, product: str) -> tuple[float, float]:
    size = random.lognormvariate(3.2, 0.7) if product == COLO else random.lognormvariate(2.5, 0.5)
    size = float(round(min(120.0, max(5.0, size))))
    return (size, size) if random.random() < 0.5 else (float(max(5, round(0.5 * size))), size)


def _add_offer_price(draft: _Draft, name: str, product: str, passed: bool) -> None:
    random = draft.random
    if product == GPU:
        yearly = random.uniform(9.6, 12.5)
        basis = random.choice(("usd_per_gpu_hour", "usd_per_gpu_hour", "musd_per_it_mw_year"))
    else:
        yearly = random.triangular(1.5, 2.25, 1.8) + (0.0 if passed else 0.45)
        basis = random.choice(("usd_per_kw_month", "musd_per_it_mw_year"))
    for scenario, level in zip(SCENARIOS, (1.0, 0.9), strict=True):
        price = round(level * yearly / MUSD_A_YEAR[basis], 3)
        draft.add("offer_prices", scenario=scenario, offer=name, price=price, price_basis=basis)


def _add_exclusive_groups(draft: _Draft) -> None:
    """A fifth of the offers, two or three of the same customer each, are one customer's alternatives."""
    offers = list(draft.rows("offers"))
    alternatives = draft.random.sample(offers, 2 * len(offers) // 5)
    group = 0
    while len(alternatives) >= 2:
        group += 1
        size = draft.random.choice((2, 3))
        members, alternatives = alternatives[:size], alternatives[size:]
        for row in members:
            row["exclusive_group"], row["customer"] = f"group_{group}", members[0]["customer"]


# ---- commitments, policies, money ---------------------------------------------------------------------------


def _add_commitments(draft: _Draft) -> None:
    """One block of the first convertible site is under construction, and its small first tenant has signed."""
    site = _convertible(draft, COLO)[0]
    option = next(row for row in draft.rows("options") if row["site"] == site and row["product"] == COLO)
    draft.add("committed_starts", option=option["option"], quarter=draft.horizon[0] - 1, blocks=1)
    delivery = draft.horizon[0] + option["lead_quarters"]
    size = round(0.4 * option["block_gross_mw"] / option["design_ratio"], 1)
    draft.add(
        "offers", offer="anchor", customer="customer_00", product=COLO, min_it_mw=size, max_it_mw=size,
        window_first=delivery, window_last=delivery, term_quarters=40, escalator=0.03, price_base_quarter=None,
        power_passed_through=True, operating_cost_share=0.12, load_factor=0.85, ramp="at_once", utilisation=None,
        exclusive_group=None,
    )  # fmt: skip
    draft.add("offer_sites", offer="anchor", site=site)
    _add_offer_price(draft, "anchor", COLO, passed=True)
    draft.add("committed_contracts", offer="anchor", site=site, quarter=delivery, it_mw=size)


def _option_it_mw(row: Record) -> float:
    return row["max_blocks"] * row["block_gross_mw"] / row["design_ratio"]


def _option_capex(row: Record) -> float:
    return _option_it_mw(row) * (row["facility_base_musd_per_it_mw"] + row["gpu_musd_per_it_mw"])


def _live_options(draft: _Draft, product: str) -> list[Record]:
    sites = set(_convertible(draft, product))
    return [row for row in draft.rows("options") if row["product"] == product and row["site"] in sites]


def _add_policies(draft: _Draft, seed: int) -> None:
    horizon, settings = draft.horizon, draft.settings
    fleet = sum(row["gross_mw"] for row in draft.rows("fleet"))
    it_mw = {p: sum(_option_it_mw(row) for row in _live_options(draft, p)) for p in (COLO, GPU)}
    settings["max_it_mw_under_construction"] = round(0.3 * it_mw[COLO] + 15)
    if seed % 2 == 0:
        settings["max_blocks_under_construction"] = 3 + sum(r["max_blocks"] for r in _live_options(draft, COLO)) // 3
    if seed % 3 != 0:
        settings["max_customer_share"] = 0.45
        settings["max_customer_share_from"] = horizon[int(0.6 * len(horizon))]
    draft.add(
        "use_limits", policy="keep_mining_at_first", use="mining", site="*", first=horizon[0], last=horizon[3],
        basis="gross_mw", min_mw=round(0.4 * fleet), max_mw=None,
    )  # fmt: skip
    if it_mw[GPU] > 0:
        draft.add(
            "use_limits", policy="gpu_cloud_at_most", use=GPU, site="*", first=horizon[0], last=horizon[-1],
            basis="it_mw", min_mw=None, max_mw=round(0.6 * it_mw[GPU] + 10),
        )  # fmt: skip


def _add_money(draft: _Draft, title: str) -> None:
    """Budget for about half of what could be built; cash for less than half of it, and the company's own cost."""
    live = [row for product in (COLO, GPU) for row in _live_options(draft, product)]
    capex = sum(_option_capex(row) * (1.0 if row["product"] == COLO else 0.15) for row in live)
    budget = round(0.5 * capex + 100)
    fleet = sum(row["gross_mw"] for row in draft.rows("fleet"))
    overhead, owed = _add_overheads(draft, fleet)
    committed = 0.0 if not draft.rows("committed_starts") else 15 * 25 * 1.2
    minimum = 30 + round(0.03 * fleet)
    opening = minimum + round(0.35 * overhead + owed + committed + 0.4 * budget)
    draft.settings |= {
        "format": 1, "name": "portfolio_" + title.replace(" ", "_"), "title": f"Made portfolio, {title}",
        "as_of": "2026-11-22", "currency": "USD", "money_basis": "nominal", "first_quarter": draft.horizon[0],
        "quarters": len(draft.horizon), "capex_level": "base", "capex_budget_musd": budget,
        "opening_cash_musd": opening, "minimum_cash_musd": minimum, "subsidy_btc": 3.125,
        "halvings": ["2028-04-12", "2032-04-10", "2036-04-06"],
        "discount_rates": {"corporate": 0.115, "mining": 0.19, COLO: 0.10, GPU: 0.13},
    }  # fmt: skip
    for year in sorted({t.year for t in draft.horizon})[:5]:
        draft.add("budget_years", year=year, capex_budget_musd=round(0.35 * budget))


def _add_overheads(draft: _Draft, fleet: float) -> tuple[float, float]:
    """G&A and what is owed; gives both sums in $M."""
    overhead = owed = 0.0
    for i, t in enumerate(draft.horizon):
        cost = draft.add("overheads", quarter=t, g_and_a_musd=round((2 + 0.004 * fleet) * 1.006**i, 3))
        overhead += cost["g_and_a_musd"]
        if i % 2 == 1 and i < 20:
            coupon = draft.add("obligations", quarter=t, name="notes", kind="interest", musd=round(0.01 * fleet, 2))
            owed += coupon["musd"]
    quarter = draft.horizon[min(19, len(draft.horizon) - 1)]
    owed += draft.add("obligations", quarter=quarter, name="notes", kind="principal", musd=round(0.3 * fleet))["musd"]
    return overhead, owed


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a made portfolio as a case folder.")
    parser.add_argument("folder", type=Path)
    for name, default in (("sites", 12), ("quarters", 32), ("offers", 24), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    case = portfolio(given.sites, given.quarters, given.offers, given.seed)
    write_case(case, given.folder)


if __name__ == "__main__":
    main()
