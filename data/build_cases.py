"""Write the long tables of the shipped cases: bitcoin, tariffs, product_markets, overheads, own_plants and indices.

It reads nothing and writes beside itself; run it after changing a number here. Origin and confidence of every
number stand in each case's SOURCES.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import exp
from pathlib import Path

DATA = Path(__file__).parent
HALVING = (2028, 2)
MONTHS = 3

Quarter = tuple[int, int]
Cells = tuple[object, ...]


@dataclass(frozen=True)
class Bitcoin:
    """Start levels and monthly log drifts; difficulty drops once after the halving, then has another drift."""

    btc_usd: float
    difficulty_t: float
    price_drift: float = 0.008
    difficulty_drift: float = 0.019
    drop_after_halving: float = 0.15
    drift_after_halving: float = 0.008
    fees_btc: float = 0.03


@dataclass(frozen=True)
class Tariff:
    """Prices of the first year, their yearly rise, and values for Q1 to Q4.

    An energy price that rises by a row of power_escalators.csv is flat here.
    """

    name: str
    energy: tuple[float, float, float, float]
    demand: float
    rise: float
    curtailed: tuple[float, float, float, float]
    interruptible: float
    escalator: bool = False


@dataclass(frozen=True)
class Plant:
    """A power plant of the site's own: MW, what a MWh costs in the first year, and its yearly rise."""

    site: str
    capacity_mw: float
    cost: float
    rise: float


@dataclass(frozen=True)
class Index:
    """A price index: its yearly rise in the first years of the horizon; the last one holds from then on."""

    name: str
    rises: tuple[float, ...]


@dataclass(frozen=True)
class Market:
    """The price of uncontracted capacity in the first quarter, its factor by scenario, its change, and the depth."""

    product: str
    price: float
    basis: str
    yearly_change: float
    depth_it_mw: float
    depth_rise: float
    decimals: int
    scenarios: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Folder:
    name: str
    first: Quarter
    quarters: int
    bitcoin: dict[str, Bitcoin]
    tariffs: tuple[Tariff, ...]
    markets: tuple[Market, ...]
    g_and_a_musd: float
    plants: tuple[Plant, ...] = ()
    indices: tuple[Index, ...] = ()

    @property
    def horizon(self) -> list[Quarter]:
        start = self.first[0] * 4 + self.first[1] - 1
        return [(n // 4, n % 4 + 1) for n in range(start, start + self.quarters)]


def label(quarter: Quarter) -> str:
    return f"{quarter[0]}Q{quarter[1]}"


def bitcoin_rows(folder: Folder) -> Iterator[Cells]:
    """Price and difficulty grow by their monthly drifts; hashprice follows from them."""
    horizon = folder.horizon
    for scenario, path in folder.bitcoin.items():
        for i, quarter in enumerate(horizon):
            price = path.btc_usd * exp(path.price_drift * MONTHS * i)
            difficulty = path.difficulty_t * difficulty_factor(path, i, horizon.index(HALVING))
            yield scenario, label(quarter), round(price), round(difficulty, 2), path.fees_btc, ""


def difficulty_factor(path: Bitcoin, i: int, halving: int) -> float:
    before = exp(path.difficulty_drift * MONTHS * min(i, halving))
    if i <= halving:
        return before
    return before * (1 - path.drop_after_halving) * exp(path.drift_after_halving * MONTHS * (i - halving))


def tariff_rows(folder: Folder) -> Iterator[Cells]:
    """Energy and demand charges rise once a year, on 1 January; the interruptible income stays."""
    for scenario in folder.bitcoin:
        for tariff in folder.tariffs:
            for year, q in folder.horizon:
                rise = (1 + tariff.rise) ** (year - folder.first[0])
                energy = round(tariff.energy[q - 1] * (1 if tariff.escalator else rise), 2)
                demand = round(tariff.demand * rise, 2)
                hours = tariff.curtailed[q - 1]
                yield scenario, tariff.name, label((year, q)), energy, demand, hours, tariff.interruptible


def market_rows(folder: Folder) -> Iterator[Cells]:
    """Prices change every quarter by the fourth root of the yearly change; depth rises once a year."""
    for scenario in folder.bitcoin:
        for market in folder.markets:
            level = market.price * market.scenarios.get(scenario, 1.0)
            for i, quarter in enumerate(folder.horizon):
                price = round(level * (1 + market.yearly_change) ** (i / 4), market.decimals)
                depth = market.depth_it_mw + market.depth_rise * (i // 4)
                yield scenario, market.product, label(quarter), price, market.basis, depth


def overhead_rows(folder: Folder) -> Iterator[Cells]:
    for quarter in folder.horizon:
        yield label(quarter), folder.g_and_a_musd


def plant_rows(folder: Folder) -> Iterator[Cells]:
    """The cost of a plant's own MWh rises once a year, on 1 January."""
    for scenario in folder.bitcoin:
        for plant in folder.plants:
            for quarter in folder.horizon:
                cost = round(plant.cost * (1 + plant.rise) ** (quarter[0] - folder.first[0]), 2)
                yield scenario, plant.site, label(quarter), plant.capacity_mw, cost


def index_rows(folder: Folder) -> Iterator[Cells]:
    for scenario in folder.bitcoin:
        for index in folder.indices:
            for quarter in folder.horizon:
                year = min(quarter[0] - folder.first[0], len(index.rises) - 1)
                yield scenario, index.name, label(quarter), index.rises[year]


def write(path: Path, columns: str, rows: Iterable[Cells]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns.split())
        writer.writerows([f"{c:.10g}" if isinstance(c, float) else c for c in row] for row in rows)


def write_folder(folder: Folder) -> None:
    here = DATA / folder.name
    bitcoin = "scenario quarter btc_usd difficulty_t fees_btc_per_block hashprice_usd_per_ph_day"
    tariffs = (
        "scenario tariff quarter energy_usd_per_mwh demand_usd_per_kw_month curtailed_hours "
        "interruptible_usd_per_mw_year"
    )
    markets = "scenario product quarter price price_basis depth_it_mw"
    write(here / "bitcoin.csv", bitcoin, bitcoin_rows(folder))
    write(here / "tariffs.csv", tariffs, tariff_rows(folder))
    write(here / "product_markets.csv", markets, market_rows(folder))
    write(here / "overheads.csv", "quarter g_and_a_musd", overhead_rows(folder))
    if folder.plants:
        write(here / "own_plants.csv", "scenario site quarter capacity_mw cost_usd_per_mwh", plant_rows(folder))
    if folder.indices:
        write(here / "indices.csv", "scenario index quarter yearly_rise", index_rows(folder))


def four_futures(base: Bitcoin) -> dict[str, Bitcoin]:
    return {
        "base": base,
        "headline": base,
        "hashprice_up": replace(base, price_drift=0.020, difficulty_drift=0.022, drift_after_halving=0.014),
        "hashprice_down": replace(base, price_drift=-0.005, difficulty_drift=0.014, drift_after_halving=0.0),
    }


NOVEMBER_2025 = Bitcoin(btc_usd=96_000, difficulty_t=156)
AUGUST_2026 = Bitcoin(btc_usd=64_000, difficulty_t=127)

GRANT = Tariff("Grant PUD", (36.15,) * 4, 5.0, 0.095, (24, 0, 0, 12), 6_000, escalator=True)
QUEBEC = Tariff("Hydro-Quebec", (40.0,) * 4, 5.5, 0.025, (180, 0, 0, 120), 12_000)
PJM = Tariff("PJM", (74.0, 58.0, 63.0, 60.0), 10.01, 0.03, (30, 6, 18, 6), 60_000)

COLOCATION_2025 = Market("colocation", 110.0, "usd_per_kw_month", 0.02, 4, 1, 2)
GPU_2025 = Market("gpuaas", 2.40, "usd_per_gpu_hour", -0.12, 4, 1, 4)

PLANTS_2025 = (Plant("Panther Creek", 80, 75.0, 0.025), Plant("Scrubgrass", 85, 75.0, 0.025))
PLANTS_2026 = tuple(replace(plant, cost=78.0) for plant in PLANTS_2025)
CONSUMER_PRICES = Index("US consumer prices", (0.028, 0.025, 0.023))

FOLDERS = (
    Folder(
        name="washington_2025",
        first=(2026, 1),
        quarters=28,
        bitcoin={"base": NOVEMBER_2025, "headline": NOVEMBER_2025, "gpu_up": NOVEMBER_2025},
        tariffs=(GRANT,),
        markets=(
            replace(COLOCATION_2025, depth_it_mw=1.5, depth_rise=0.25),
            replace(GPU_2025, depth_it_mw=1.0, depth_rise=0.25, scenarios={"gpu_up": 1.4}),
        ),
        g_and_a_musd=0.9,
    ),
    Folder(
        name="bitfarms_2025",
        first=(2026, 1),
        quarters=32,
        bitcoin=four_futures(NOVEMBER_2025),
        tariffs=(GRANT, PJM, QUEBEC),
        markets=(COLOCATION_2025, GPU_2025),
        g_and_a_musd=17.0,
        plants=PLANTS_2025,
        indices=(CONSUMER_PRICES,),
    ),
    Folder(
        name="keel_2026",
        first=(2026, 4),
        quarters=32,
        bitcoin=four_futures(AUGUST_2026),
        tariffs=(
            GRANT,
            replace(PJM, energy=(84.0, 63.0, 69.0, 66.0)),
            replace(QUEBEC, energy=(41.0,) * 4),
        ),
        markets=(
            replace(COLOCATION_2025, price=120.0, depth_it_mw=6),
            replace(GPU_2025, price=2.65, depth_it_mw=5),
        ),
        g_and_a_musd=17.0,
        plants=PLANTS_2026,
        indices=(CONSUMER_PRICES,),
    ),
)


def main() -> None:
    for folder in FOLDERS:
        write_folder(folder)


if __name__ == "__main__":
    main()
