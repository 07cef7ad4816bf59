"""Bands in which numbers of the trade lie: a cell far outside one was written in another unit.

A band is wide enough for any real case and narrow enough for a factor of ten, mostly for one of three. Whoever means a
number outside it says so in `allow.csv`, with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optimizer.case.schema import Row, Settings
from optimizer.ground.findings import as_told

SETTINGS_FILE = "case.toml"
Mistakes = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Band:
    """Where a column's numbers lie. `mistakes` are units that they are often written in: (factor, words)."""

    low: float
    high: float
    unit: str
    why: str
    mistakes: Mistakes = ()
    zero: bool = True
    negative: bool = False

    def holds(self, value: float) -> bool:
        """Zero (where it means none) and, where they happen, negative numbers stand outside the question of units."""
        return self.low <= value <= self.high or (self.zero and value == 0) or (self.negative and value < 0)

    def guess(self, value: float) -> str:
        """What the number looks like, as an aside; empty where no usual mistake explains it."""
        for factor, words in self.mistakes:
            if self.low <= value / factor <= self.high:
                return f"; it looks like {words}, which would make {value / factor:.6g}"
        return ""


@dataclass(frozen=True)
class Oddity:
    """What cannot be as it stands: where it stands, what it is, why that is odd; `mend` unless its unit is in doubt."""

    file: str
    column: str
    row: str
    line: int | None
    value: str
    why: str
    guess: str = ""
    mend: str = "correct the unit"


MUSD: Mistakes = ((1e6, "dollars"), (1e3, "thousands of dollars"), (1e-3, "billions of dollars"))
MW: Mistakes = ((1e3, "kW"), (1e6, "W"), (1e-3, "GW"))
PERCENT: Mistakes = ((100, "a percentage"), (1e4, "basis points"))
MUSD_A_YEAR: Mistakes = (*MUSD, (0.25, "$M a quarter"), (1 / 12, "$M a month"), (4, "four years"))
PER_TH: Mistakes = (
    (1e3, "dollars per PH"), (200, "dollars per machine"), (100, "cents"), (1e-3, "thousands of dollars"),
)  # fmt: skip
POWER_PRICE: Mistakes = ((0.1, "c/kWh"), (1e-3, "$/kWh"), (10, "ten times the price"), (1e3, "$/GWh"))
QUARTERS: Mistakes = ((0.25, "years"), (3, "months"))

_CAPEX = "retrofits cost 3.6 $M per IT MW, new halls 8 to 16"
_MW = "the largest single site announced is to have 1,300 MW"
_POWER = "miners pay 2 to 14 c/kWh; a winter in PJM cost 137 $/MWh"
_LOAN = "nobody models a loan below $1M; the largest of the trade are a few $bn"
_YEARLY = "yearly rises of contracts, indices and tariffs"

BANDS: Mapping[tuple[str, str], Band] = {
    ("case", "opening_cash_musd"): Band(0.05, 60_000, "$M", "cash of a listed miner", MUSD, negative=True),
    ("case", "minimum_cash_musd"): Band(0.05, 5_000, "$M", "a covenant of the trade asks 50 $M", MUSD),
    ("case", "capex_budget_musd"): Band(0.5, 60_000, "$M", "a whole campus costs a few $bn", MUSD),
    ("case", "btc_held"): Band(0.1, 1_000_000, "BTC", "the largest listed holder has 700,000", ((1e8, "satoshis"),)),
    ("case", "cash_rate"): Band(0.001, 0.2, "a year", "what banks pay", PERCENT, negative=True),
    ("case", "tax_rate"): Band(0.01, 0.6, "of profit", "21% federal, more with a state's", PERCENT),
    ("case", "tax_losses_musd"): Band(0.05, 20_000, "$M", "losses that listed miners carry", MUSD),
    ("case", "max_it_mw_under_construction"): Band(0.5, 5_000, "IT MW", _MW, MW),
    ("case", "max_customer_share"): Band(0.05, 1, "of rent", "a policy on one customer", PERCENT),
    ("case", "btc_liquidity_share"): Band(0.05, 1, "of value", "lenders count a half or so", PERCENT),
    ("sites", "mining_cost_musd_per_gross_mw_year"): Band(
        0.025, 0.19, "$M per gross MW and year", "sites cost 0.05 to 0.08 without power", MUSD_A_YEAR),
    ("sites", "max_rack_kw"): Band(2, 1_500, "kW", "racks draw 5 to 600 kW", ((1e3, "W"), (1e-3, "MW"))),
    ("site_limits", "limit_gross_mw"): Band(0.3, 2_500, "gross MW", _MW, MW),
    ("tariffs", "energy_usd_per_mwh"): Band(14, 220, "$/MWh", _POWER, POWER_PRICE, negative=True),
    ("tariffs", "demand_usd_per_kw_month"): Band(
        0.3, 32, "$ per kW-month", "demand charges of utilities are 3 to 20",
        ((12, "a price per kW-year"), (1e3, "a price per MW-month"), (1e-3, "thousands of dollars"))),
    ("tariffs", "curtailed_hours"): Band(0.5, 2_208, "hours", "a quarter has at most 2,208 hours"),
    ("tariffs", "interruptible_usd_per_mw_year"): Band(
        500, 250_000, "$ per MW-year", "demand response pays 30,000 to 100,000",
        ((1e-6, "$M"), (1e-3, "a price per kW-year"), (1e3, "a thousandfold"))),
    ("power_escalators", "yearly_rise"): Band(-0.1, 0.2, "a year", _YEARLY, PERCENT),
    ("own_plants", "capacity_mw"): Band(0.2, 2_500, "MW", _MW, MW),
    ("own_plants", "cost_usd_per_mwh"): Band(10, 220, "$/MWh", _POWER, POWER_PRICE, negative=True),
    ("asics", "joules_per_th"): Band(
        5, 100, "J/TH", "machines of 2016 need 98, those of 2026 need 9.5",
        ((1e-3, "J/GH"), (1e3, "J/PH or watts of a machine"))),
    ("asics", "uptime"): Band(0.5, 1, "of the hours", "machines run 90 to 98% of the hours", PERCENT),
    ("asics", "pool_fee"): Band(0.0005, 0.06, "of the reward", "pools keep 0.5 to 4%", PERCENT),
    ("asics", "overhead"): Band(0.002, 0.3, "per watt", "fans and transformers take 2 to 10%", PERCENT),
    ("asics", "residual_usd_per_th"): Band(0.01, 30, "$/TH", "new machines cost 8 to 22", PER_TH),
    ("asics", "th_per_unit"): Band(10, 1_500, "TH/s", "machines make 100 to 600", ((1e-3, "PH/s"), (1e3, "GH/s"))),
    ("asics", "life_quarters"): Band(6, 40, "quarters", "machines live 3 to 7 years", QUARTERS),
    ("fleet", "gross_mw"): Band(0.02, 2_500, "gross MW", _MW, MW),
    ("fleet", "units"): Band(5, 2e6, "machines", "a container holds 200", ((1e-3, "thousands"),)),
    ("machine_markets", "resale_usd_per_th"): Band(0.1, 30, "$/TH", "machines cost 2 used to 22 new", PER_TH),
    ("machine_markets", "purchase_usd_per_th"): Band(1, 60, "$/TH", "machines cost 2 used to 22 new", PER_TH),
    ("machine_markets", "reference_hashprice_usd_per_ph_day"): Band(
        8, 400, "$ per PH and day", "hashprice was 30 to 400 since 2020",
        ((1e-3, "a price per TH"), (1e3, "a price per EH"))),
    ("machine_markets", "moving_cost_musd_per_gross_mw"): Band(0.002, 0.4, "$M per gross MW", "moves cost 0.03", MUSD),
    ("bitcoin", "btc_usd"): Band(
        5_000, 3_000_000, "$", "BTC cost 16,000 to 126,000 since 2022", ((1e-3, "thousands of dollars"), (100, "cents"))
    ),
    ("bitcoin", "difficulty_t"): Band(
        15, 4_000, "trillions", "difficulty was 127 to 156 trillion in 2025 and 2026",
        ((1e12, "difficulty itself"), (1e-3, "quadrillions"), (1e3, "billions"))),
    ("bitcoin", "fees_btc_per_block"): Band(
        0.001, 0.7, "BTC a block", "fees are 1% of the reward, 20% in spikes",
        ((1e8, "satoshis"), (100, "a percentage"), (1e3, "mBTC"))),
    ("bitcoin", "hashprice_usd_per_ph_day"): Band(
        4, 500, "$ per PH and day", "hashprice was 30 to 400 since 2020, and halves with the subsidy",
        ((1e-3, "a price per TH"), (1e3, "a price per EH"))),
    ("products", "load_factor"): Band(0.15, 1, "of the IT MW", "AI load draws 50 to 95%", PERCENT),
    ("products", "operating_cost_share"): Band(0.005, 0.8, "of rent", "3% triple net to 20%", PERCENT),
    ("products", "utilisation"): Band(0.1, 1, "of GPU-hours", "GPUs are let 40 to 100% of the time", PERCENT),
    ("products", "gpus_per_it_mw"): Band(
        150, 1_300, "GPUs", "380 (GB300) to 780 (H100) stand behind an IT MW",
        ((1 / 8, "nodes of eight GPUs"), (1 / 72, "racks of 72 GPUs"), (1e-3, "GPUs per kW"))),
    ("products", "residual_musd_per_it_mw"): Band(0.05, 30, "$M per IT MW", _CAPEX, MUSD),
    ("product_markets", "depth_it_mw"): Band(0.05, 20_000, "IT MW", "the market of a continent in a year", MW),
    ("options", "block_gross_mw"): Band(0.2, 600, "gross MW", "halls are built in 1 to 100 MW", MW),
    ("options", "rack_kw"): Band(2, 1_500, "kW", "racks draw 5 to 600 kW", ((1e3, "W"), (1e-3, "MW"))),
    ("options", "lead_quarters"): Band(1, 11, "quarters", "halls take 4 to 8 quarters", ((3, "months"),)),
    **{("options", f"facility_{level}_musd_per_it_mw"): Band(1.5, 25, "$M per IT MW", _CAPEX, MUSD)
       for level in ("low", "base", "high")},
    ("options", "gpu_musd_per_it_mw"): Band(8, 60, "$M per IT MW", "GPUs cost 26.7 to 31", MUSD),
    ("options", "mobilisation_musd"): Band(0.02, 300, "$M", "a few per cent of a hall's capex", MUSD),
    ("gpu_lives", "life_quarters"): Band(8, 40, "quarters", "GPUs serve 5 years", QUARTERS),
    ("gpu_lives", "residual_share"): Band(0.01, 0.6, "of capex", "GPUs fetch 15 to 20% after 5 years", PERCENT),
    ("gpu_lives", "refresh_musd_per_it_mw"): Band(4, 60, "$M per IT MW", "GPUs cost 26.7 to 31", MUSD),
    ("offers", "min_it_mw"): Band(0.05, 2_000, "IT MW", _MW, MW),
    ("offers", "max_it_mw"): Band(0.05, 2_000, "IT MW", _MW, MW),
    ("offers", "escalator"): Band(-0.1, 0.12, "a year", _YEARLY, PERCENT),
    ("offers", "load_factor"): Band(0.15, 1, "of the IT MW", "AI load draws 50 to 95%", PERCENT),
    ("offers", "operating_cost_share"): Band(0.005, 0.8, "of rent", "3% triple net to 20%", PERCENT),
    ("offers", "utilisation"): Band(0.1, 1, "of GPU-hours", "GPUs are let 40 to 100% of the time", PERCENT),
    ("committed_contracts", "it_mw"): Band(0.05, 2_000, "IT MW", _MW, MW),
    ("indices", "yearly_rise"): Band(-0.1, 0.25, "a year", _YEARLY, PERCENT),
    ("index_escalators", "floor"): Band(-0.1, 0.12, "a year", _YEARLY, PERCENT),
    ("index_escalators", "cap"): Band(-0.1, 0.25, "a year", _YEARLY, PERCENT),
    ("base_rates", "rate"): Band(0.0005, 0.2, "a year", "policy rates", PERCENT, negative=True),
    ("facilities", "margin"): Band(0.001, 0.25, "a year", "debt of the trade costs 1 to 15%", PERCENT, negative=True),
    ("facilities", "upfront_fee"): Band(0.0005, 0.1, "of the loan", "fees are 1 to 3%", PERCENT),
    ("facilities", "undrawn_fee"): Band(0.0002, 0.05, "a year", "fees are 0.25 to 1%", PERCENT),
    ("facilities", "commitment_musd"): Band(1, 30_000, "$M", _LOAN, MUSD),
    ("facilities", "drawn_musd"): Band(0.05, 30_000, "$M", _LOAN, MUSD),
    ("facilities", "minimum_cash_musd"): Band(0.05, 5_000, "$M", "a covenant of the trade asks 50 $M", MUSD),
    ("facilities", "loan_to_cost"): Band(0.2, 1, "of cost", "lenders give 60 to 85%", PERCENT),
    ("facilities", "dscr"): Band(0.5, 4, "times", "lenders ask 1.05 to 2", PERCENT),
    ("obligations", "musd"): Band(0.01, 20_000, "$M", "payments too small to plan with, or beyond any miner", MUSD),
    ("overheads", "g_and_a_musd"): Band(0.02, 300, "$M a quarter", "a large listed miner pays 17", MUSD),
    ("prepayments", "rent_share"): Band(0.005, 0.6, "of rent", "20% is usual", PERCENT),
    ("late_delivery", "damages_musd_per_it_mw_quarter"): Band(
        0.005, 3, "$M per IT MW and quarter", "a quarter's rent is about 0.5", MUSD),
    ("backstops", "upfront_musd_per_it_mw"): Band(0.02, 25, "$M per IT MW", "warrants of 8 to 14% of the equity", MUSD),
    ("leases", "cost_musd_per_it_mw_year"): Band(
        0.004, 1, "$M per IT MW and year", "a building's cost is 0.05 or so", MUSD_A_YEAR),
    ("leases", "cost_growth"): Band(-0.1, 0.2, "a year", _YEARLY, PERCENT),
    ("tenant_funding", "musd_per_it_mw"): Band(0.2, 40, "$M per IT MW", _CAPEX, MUSD),
    ("tenant_funding", "rate"): Band(0.001, 0.3, "a year", "debt of the trade costs 1 to 15%", PERCENT),
}  # fmt: skip
"""By table (`case` for the settings) and column."""

RATES = Band(0.04, 0.5, "a year", "9% for a backed lease to 20% for mining", (*PERCENT, (0.25, "a rate per quarter")))
"""Discount rates."""


def odd_cells(settings: Settings | None, rows: Mapping[str, Sequence[Row]]) -> Iterator[Oddity]:
    """Every cell outside the band of its column; settings that could not be read are None."""
    if settings is not None:
        yield from _odd_settings(settings)
    for (table, column), band in BANDS.items():
        for row in rows.get(table, ()):
            value = getattr(row, column)
            if value is not None and not band.holds(value):
                yield odd(row, column, out_of(band), band.guess(value))


def _odd_settings(settings: Settings) -> Iterator[Oddity]:
    for name, rate in settings.discount_rates.items():
        if not RATES.holds(rate):
            yield odd_setting(f"discount_rates.{name}", rate, out_of(RATES), RATES.guess(rate))
    for (table, name), band in BANDS.items():
        value = getattr(settings, name) if table == "case" else None
        if value is not None and not band.holds(value):
            yield odd_setting(name, value, out_of(band), band.guess(value))


def out_of(band: Band) -> str:
    return f"is outside {band.low:,.10g} to {band.high:,.10g} {band.unit} ({band.why})"


def odd(row: Row, column: str, why: str, guess: str = "", mend: str = Oddity.mend) -> Oddity:
    return Oddity(
        f"{row.table}.csv", column, row_key(row), row.file_line, as_told(getattr(row, column)), why, guess, mend
    )


def odd_setting(name: str, value: object, why: str, guess: str = "", mend: str = Oddity.mend) -> Oddity:
    return Oddity(SETTINGS_FILE, name, name, None, as_told(value), why, guess, mend)


def row_key(row: Row) -> str:
    """A row's key as `allow.csv` writes it."""
    return ", ".join(str(part) for part in row.identity())


def band_of(file: str, column: str) -> Band | None:
    """The band of a column or setting, if it has one."""
    if column.startswith("discount_rates."):
        return RATES
    return BANDS.get((file.partition(".")[0], column))


def guess_of(file: str, column: str, value: Any) -> str:
    """What a number that the schema refuses looks like."""
    band = band_of(file, column)
    try:
        return band.guess(float(value)) if band else ""
    except (TypeError, ValueError, OverflowError):
        return ""


def first_of_each(oddities: Iterable[Oddity]) -> Iterator[tuple[Oddity, int]]:
    """One oddity for each column and reason, with how many there are: a wrong unit is wrong all the way down."""
    cells: dict[tuple[str, str, str], Oddity] = {}
    for oddity in oddities:
        cells.setdefault((oddity.file, oddity.column, oddity.row), oddity)
    groups: dict[tuple[str, str, str], list[Oddity]] = {}
    for oddity in cells.values():
        kind = re.sub(r"[\d.,]+", "", oddity.why)
        groups.setdefault((oddity.file, oddity.column, kind), []).append(oddity)
    for group in groups.values():
        yield group[0], len(group)
