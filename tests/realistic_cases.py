"""Cases with the numbers of the trade: companies drawn from market ranges, and the shipped ones as raw tables.

A raw case is settings and rows as files hold them, so that a test can spoil a number before it is read.
"""

from __future__ import annotations

import copy
import csv
import random
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optimizer.case.case import TABLE_NAMES, Case, assemble
from optimizer.ground.quarters import Quarter, span

Cells = dict[str, Any]
BASE = "base"

MACHINES = (
    ("S19j Pro", 104, 29.5, 2.5), ("S19 XP", 141, 21.5, 4), ("T21", 190, 19, 4.5), ("S21", 200, 17.5, 7.5),
    ("S21 Pro", 234, 15, 10.3), ("S21 XP", 270, 13.5, 14), ("S23 Hyd", 580, 9.5, 22),
)  # fmt: skip
"""Name, TH/s, J/TH at the wall, $/TH new."""


HALVINGS = ["2028-04-12", "2032-04-09", "2036-04-06"]
"""As far as any drawn horizon reaches."""


@dataclass
class RawCase:
    """Settings and rows as they stand in files."""

    settings: Cells
    tables: dict[str, list[Cells]] = field(default_factory=dict)

    def copy(self) -> RawCase:
        return copy.deepcopy(self)

    def read(self) -> Case:
        """The case as `load_case` would read it, or InputError."""
        rows = {name: list(enumerate(self.tables.get(name, []), 2)) for name in TABLE_NAMES}
        return assemble(self.settings, rows, from_files=True)


def shipped_case(folder: Path) -> RawCase:
    """A case folder with numbers as numbers, wherever they stand."""
    raw = RawCase(tomllib.loads((folder / "case.toml").read_text(encoding="utf-8")))
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            raw.tables[path.stem] = [{k: _number(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return raw


def _number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def realistic_case(seed: int) -> RawCase:
    """A company of the trade; the same seed gives the same one."""
    return Draw(random.Random(f"realistic case {seed}")).case()


class Draw:
    """One company in the making, table by table, from the ranges in which the market lies."""

    def __init__(self, rng: random.Random, sites: int | None = None, quarters: int | None = None):
        self.rng = rng
        self.sites = sites or rng.randint(1, 8)
        self.first = Quarter(4 * 2026 + rng.randrange(8))
        self.horizon = span(self.first, quarters or rng.randint(16, 40))
        self.tables: dict[str, list[Cells]] = {}

    def between(self, low: float, high: float) -> float:
        """Four digits, evenly on the scale of factors: halves are as likely as doubles."""
        return float(f"{low * (high / low) ** self.rng.random():.4g}")

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def case(self) -> RawCase:
        self.tables["scenarios"] = [{"scenario": BASE, "description": "as drawn"}]
        self.draw_sites()
        self.draw_machines()
        self.draw_bitcoin()
        self.draw_products()
        self.draw_halls()
        self.draw_offers()
        self.draw_money()
        return RawCase(self.settings(), self.tables)

    def draw_sites(self) -> None:
        names = [f"Site {number:03d}" for number in range(1, self.sites + 1)]
        self.megawatts = {name: round(self.between(10, 150), 1) for name in names}
        self.tables["sites"] = [
            {"site": name, "tariff": f"{name} utility",
             "mining_cost_musd_per_gross_mw_year": self.between(0.05, 0.08),
             "firm_power": "yes", "fibre": "yes", "max_rack_kw": self.rng.choice([40, 60, 140, 190]), "mining_ends": ""}
            for name in names
        ]  # fmt: skip
        limits = self.tables["site_limits"] = []
        for name in names:
            limits.append({"site": name, "from_quarter": self.first, "limit_gross_mw": self.megawatts[name]})
            if self.chance(0.4):
                more = round(self.megawatts[name] * self.between(1.3, 4), 1)
                limits.append({"site": name, "from_quarter": self.first + 5, "limit_gross_mw": more})
        self.tables["tariffs"] = [row for name in names for row in self.tariff(f"{name} utility")]

    def tariff(self, name: str) -> list[Cells]:
        energy, demand, rise = self.between(28, 90), self.between(3, 14), self.rng.uniform(0.01, 0.05)
        season = [self.rng.uniform(0.85, 1.25) for _ in range(4)]
        paid = self.rng.choice([0, self.between(6_000, 90_000)])
        return [
            {"scenario": BASE, "tariff": name, "quarter": t,
             "energy_usd_per_mwh": round(energy * season[t % 4] * (1 + rise) ** (i // 4), 2),
             "demand_usd_per_kw_month": round(demand * (1 + rise) ** (i // 4), 2),
             "curtailed_hours": self.rng.choice([0, 6, 12, 24, 100]), "interruptible_usd_per_mw_year": paid}
            for i, t in enumerate(self.horizon)
        ]  # fmt: skip

    def draw_machines(self) -> None:
        owned = self.rng.sample(MACHINES[:6], self.rng.randint(1, 3))
        self.tables["asics"] = [
            {"asic": name, "joules_per_th": joules, "uptime": round(self.rng.uniform(0.9, 0.98), 3),
             "pool_fee": round(self.rng.uniform(0.005, 0.03), 4), "overhead": round(self.rng.uniform(0.02, 0.08), 3),
             "retires_after": "", "residual_usd_per_th": round(0.1 * price, 2), "th_per_unit": th}
            for name, th, joules, price in owned
        ]  # fmt: skip
        self.tables["fleet"] = [
            {"site": site, "asic": name, "gross_mw": round(mw * 0.9 / len(owned), 2)}
            for site, mw in self.megawatts.items()
            for name, *_ in owned
        ]
        self.tables["machine_markets"] = [
            {"asic": name, "resale_usd_per_th": round(0.5 * price, 2), "purchase_usd_per_th": price,
             "delivery_quarters": 1, "reference_hashprice_usd_per_ph_day": 32, "elasticity": 1, "yearly_decline": 0.15,
             "moving_cost_musd_per_gross_mw": 0.03}
            for name, _, _, price in owned
        ]  # fmt: skip

    def draw_bitcoin(self) -> None:
        price, difficulty = self.between(55_000, 140_000), self.between(120, 190)
        drift, growth = self.rng.uniform(-0.02, 0.05), self.rng.uniform(0.0, 0.06)
        direct, hashprice = self.chance(0.5), self.between(28, 60)
        self.tables["bitcoin"] = [
            {"scenario": BASE, "quarter": t, "btc_usd": round(price * (1 + drift) ** i),
             "difficulty_t": "" if direct else round(difficulty * (1 + growth) ** i, 2),
             "fees_btc_per_block": "" if direct else 0.03,
             "hashprice_usd_per_ph_day": round(hashprice * 0.985**i, 2) if direct else ""}
            for i, t in enumerate(self.horizon)
        ]  # fmt: skip

    def draw_products(self) -> None:
        self.gpus = self.rng.choice([380, 545, 780])
        self.tables["products"] = [
            {"product": "colocation", "kind": "colocation", "power_passed_through": "yes",
             "operating_cost_share": self.between(0.03, 0.2), "load_factor": 0.85, "gpus_per_it_mw": "",
             "utilisation": "", "residual_musd_per_it_mw": self.between(2, 7)},
            {"product": "gpuaas", "kind": "gpu_service", "power_passed_through": "no",
             "operating_cost_share": self.between(0.12, 0.2), "load_factor": 0.85, "gpus_per_it_mw": self.gpus,
             "utilisation": 0.7, "residual_musd_per_it_mw": self.between(2, 8)},
        ]  # fmt: skip
        rent, hour = self.between(95, 180), self.between(1.7, 3.2)
        self.tables["product_markets"] = [
            {"scenario": BASE, "product": product, "quarter": t, "price": round(price * growth ** (i / 4), 4),
             "price_basis": basis, "depth_it_mw": round(min(20, sum(self.megawatts.values()) / 6), 1)}
            for product, price, basis, growth in (
                ("colocation", rent, "usd_per_kw_month", 1.02), ("gpuaas", hour, "usd_per_gpu_hour", 0.9))
            for i, t in enumerate(self.horizon)
        ]  # fmt: skip

    def draw_halls(self) -> None:
        curves = {"build": (0.1, 0.2, 0.3, 0.25, 0.15), "ramp": (0.5, 1.0), "at once": (1.0,)}
        self.tables["profiles"] = [
            {"profile": name, "step": k, "share": share}
            for name, shares in curves.items()
            for k, share in enumerate(shares)
        ]
        self.sold: dict[str, list[str]] = {"colocation": [], "gpuaas": []}
        self.tables["options"] = []
        for site, mw in self.megawatts.items():
            for product in self.rng.sample(["colocation", "gpuaas"], self.rng.randint(1, 2)):
                self.sold[product].append(site)
                self.tables["options"].append(self.hall(site, product, mw))

    def hall(self, site: str, product: str, mw: float) -> Cells:
        ratio = round(self.rng.uniform(1.25, 1.5), 2)
        base = self.between(8.5, 13)
        gpus = self.between(26.7, 31) if product == "gpuaas" else 0
        return {
            "option": f"{site} {product}", "site": site, "product": product,
            "block_gross_mw": round(mw / self.rng.randint(1, 5), 2), "max_blocks": self.rng.randint(1, 4),
            "design_ratio": ratio, "pue": round(ratio - self.rng.uniform(0.0, 0.07), 2), "rack_kw": 40,
            "lead_quarters": self.rng.randint(5, 7), "mining_stops_quarters": self.rng.randint(0, 4),
            "earliest": self.first, "facility_low_musd_per_it_mw": round(base * 0.85, 2),
            "facility_base_musd_per_it_mw": base, "facility_high_musd_per_it_mw": round(base * 1.2, 2),
            "gpu_musd_per_it_mw": gpus, "mobilisation_musd": self.between(2, 12) if mw > 30 else self.between(1, 4),
            "facility_curve": "build", "gpu_curve": "at once", "ramp": "ramp",
        }  # fmt: skip

    def draw_offers(self) -> None:
        self.tables["offers"], self.tables["offer_prices"], self.tables["offer_sites"] = [], [], []
        for product, sites in self.sold.items():
            for number in range(self.rng.randint(1, 4) if sites else 0):
                name = f"{product} {number + 1}"
                self.tables["offers"].append(self.offer(name, product, max(self.megawatts[site] for site in sites)))
                price, basis = self.price(product)
                self.tables["offer_prices"].append(
                    {"scenario": BASE, "offer": name, "price": price, "price_basis": basis}
                )
                self.tables["offer_sites"] += [{"offer": name, "site": site} for site in sites]

    def offer(self, name: str, product: str, mw: float) -> Cells:
        hosting = product == "colocation"
        size = round(mw / 1.4 * self.rng.uniform(0.2, 0.7), 1)
        return {
            "offer": name, "customer": f"Customer of {name}", "product": product, "min_it_mw": size,
            "max_it_mw": round(size * self.rng.choice([1, 1.4]), 1), "window_first": self.first + 6,
            "window_last": self.first + 10, "term_quarters": self.rng.choice([20, 40, 60] if hosting else [12, 20]),
            "escalator": self.rng.choice([0.0, 0.02, 0.025, 0.03]), "price_base_quarter": "",
            "power_passed_through": "yes" if hosting else "no", "operating_cost_share": self.between(0.03, 0.18),
            "load_factor": 0.85, "ramp": "at once", "utilisation": "" if hosting else 0.95, "exclusive_group": "",
        }  # fmt: skip

    def price(self, product: str) -> tuple[float, str]:
        if product == "colocation":
            yearly = self.between(1.44, 2.37)
            return self.rng.choice(
                [(yearly, "musd_per_it_mw_year"), (round(yearly * 1000 / 12, 1), "usd_per_kw_month")]
            )
        return self.rng.choice(
            [(self.between(9.7, 11.3), "musd_per_it_mw_year"), (self.between(2.3, 4.5), "usd_per_gpu_hour")]
        )

    def draw_money(self) -> None:
        mw = sum(self.megawatts.values())
        overhead = float(f"{mw * self.between(0.028, 0.065):.3g}")
        self.tables["overheads"] = [{"quarter": t, "g_and_a_musd": overhead} for t in self.horizon]
        self.cash = round(mw * self.between(0.6, 8), 1)
        self.budget = round(max(mw * self.between(1, 8), 40), 1)
        self.least = round(self.cash * self.rng.uniform(0.03, 0.15), 1)
        self.tables["budget_years"] = [
            {"year": self.first.year + 1, "capex_budget_musd": round(self.budget * self.rng.uniform(0.3, 0.8), 1)}
        ]
        self.tables["obligations"] = [
            {"quarter": self.first + 2, "name": "Notes", "kind": "principal", "musd": round(self.cash * 0.1, 2)}
        ]
        self.tables["facilities"] = [
            {"facility": "Project notes", "commitment_musd": round(self.budget * 0.5, 1), "drawn_musd": 0,
             "available_first": self.first + 1, "available_last": self.first + 8, "maturity": self.first + 30,
             "base_rate": "", "margin": self.between(0.061, 0.12), "upfront_fee": 0.02, "undrawn_fee": 0.005,
             "interest_every_quarters": 2, "first_coupon": self.first + 2, "loan_to_cost": 0.8,
             "minimum_cash_musd": "", "dscr": "", "dscr_from": "",
             "prepayable": "yes", "requires_offer": "", "refinances": ""}
        ]  # fmt: skip

    def settings(self) -> Cells:
        return {
            "format": 2, "name": "drawn", "title": "A company drawn from market ranges", "as_of": "2026-01-01",
            "currency": "USD", "money_basis": "nominal", "first_quarter": self.first, "quarters": len(self.horizon),
            "capex_level": "base", "capex_budget_musd": self.budget, "opening_cash_musd": self.cash,
            "minimum_cash_musd": self.least, "subsidy_btc": 3.125, "halvings": HALVINGS, "cash_rate": 0.035,
            "max_it_mw_under_construction": round(sum(self.megawatts.values()) / 3, 1),
            "discount_rates": {"corporate": 0.115, "mining": 0.19, "colocation": 0.11, "gpuaas": 0.14},
        }  # fmt: skip
