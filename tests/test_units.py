"""Numbers in a wrong unit are refused, realistic ones are not.

The campaign spoils every kind of number of the shipped and of drawn cases, one mistake at a time, and counts what is
refused; then it reads realistic cases and counts false refusals: `pytest -m campaign tests/test_units.py -s`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import DATA, ROOT
from realistic_cases import Cells, RawCase, realistic_case, shipped_case

import optimizer as opt
from optimizer.case.case import TABLE_TYPES
from optimizer.case.checks.bands import BANDS, Band
from optimizer.case.schema import Settings
from optimizer.ground.findings import Finding

Spoil = Callable[[RawCase], list[str]]
SHIPPED = [DATA / name for name in ("bitfarms_2025", "keel_2026", "washington_2025")]
FOLDERS = [*SHIPPED, ROOT / "optimizer" / "starter"]

KW = 1e3
USD, KUSD, BUSD = 1e6, 1e3, 1e-3
PERCENT, CENTS = 100.0, 0.1
NODE, KW_YEAR, MW_MONTH, MONTH_OF_HOURS = 8.0, 12.0, 1e3, 730.0


@dataclass(frozen=True)
class Mistake:
    """Numbers of some columns written in another unit; `basis` names the price basis that it happens in."""

    name: str
    factor: float
    columns: tuple[str, ...]
    basis: str = ""

    def hits(self, row: Cells, column: str) -> bool:
        value = row.get(column, "")
        return isinstance(value, float | int) and value != 0 and self.basis in ("", row.get("price_basis"))

    def spoil(self, raw: RawCase, rng: random.Random | None = None) -> list[str]:
        """Spoil every number that it touches, or one row's where a chance is given; the places spoilt."""
        places = []
        for place in self.columns:
            table, column = place.split(".")
            if table == "case":
                places += _spoil_setting(raw, column, self.factor)
                continue
            rows = [row for row in raw.tables.get(table, []) if self.hits(row, column)]
            for row in rng.sample(rows, 1) if rng and rows else rows:
                row[column] *= self.factor
            places += [place] if rows else []
        return places


def _spoil_setting(raw: RawCase, name: str, factor: float) -> list[str]:
    if name == "discount_rates":
        raw.settings[name] = {line: rate * factor for line, rate in raw.settings[name].items()}
        return [f"case.{name}"]
    value = raw.settings.get(name)
    if not isinstance(value, float | int) or value == 0:
        return []
    raw.settings[name] = value * factor
    return [f"case.{name}"]


FACILITY = tuple(f"options.facility_{level}_musd_per_it_mw" for level in ("low", "base", "high"))
MEGAWATTS = (
    ("site_limits.limit_gross_mw",), ("fleet.gross_mw",), ("options.block_gross_mw",),
    ("offers.min_it_mw", "offers.max_it_mw"), ("use_limits.min_mw", "use_limits.max_mw"), ("own_plants.capacity_mw",),
    ("product_markets.depth_it_mw",), ("case.max_it_mw_under_construction",),
    ("site_limits.limit_gross_mw", "fleet.gross_mw", "options.block_gross_mw", "offers.min_it_mw", "offers.max_it_mw"),
)  # fmt: skip
MONEY = (
    ("case.capex_budget_musd",), ("case.opening_cash_musd",), ("case.minimum_cash_musd",),
    ("sites.mining_cost_musd_per_gross_mw_year",), FACILITY, ("options.gpu_musd_per_it_mw",),
    ("options.mobilisation_musd",), ("overheads.g_and_a_musd",), ("budget_years.capex_budget_musd",),
    ("obligations.musd",), ("facilities.commitment_musd", "facilities.drawn_musd"),
    ("products.residual_musd_per_it_mw",), ("gpu_lives.refresh_musd_per_it_mw",),
    ("tenant_funding.musd_per_it_mw",), ("leases.cost_musd_per_it_mw_year",), ("backstops.upfront_musd_per_it_mw",),
    ("late_delivery.damages_musd_per_it_mw_quarter",), ("machine_markets.moving_cost_musd_per_gross_mw",),
)  # fmt: skip
SHARES = (
    "asics.uptime", "asics.pool_fee", "asics.overhead", "products.load_factor", "products.operating_cost_share",
    "products.utilisation", "offers.load_factor", "offers.operating_cost_share", "offers.escalator",
    "facilities.margin", "facilities.upfront_fee", "facilities.loan_to_cost", "gpu_lives.residual_share",
    "prepayments.rent_share", "power_escalators.yearly_rise", "indices.yearly_rise", "profiles.share",
    "options.pue", "options.design_ratio", "machine_markets.yearly_decline", "case.discount_rates", "case.cash_rate",
    "case.max_customer_share", "case.btc_liquidity_share",
)  # fmt: skip
RENTS = ("offer_prices.price",)
MARKETS = ("product_markets.price",)


def mistakes() -> Iterator[Mistake]:
    for columns in MEGAWATTS:
        yield Mistake("kW for MW", KW, columns)
    for columns in MONEY:
        yield Mistake("$ for $M", USD, columns)
        yield Mistake("k$ for $M", KUSD, columns)
    yield from (Mistake("$bn for $M", BUSD, (f"case.{name}_musd",)) for name in ("capex_budget", "opening_cash"))
    yield from (Mistake("percent for share", PERCENT, (place,)) for place in SHARES)
    for place in ("tariffs.energy_usd_per_mwh", "own_plants.cost_usd_per_mwh"):
        yield Mistake("c/kWh for $/MWh", CENTS, (place,))
        yield Mistake("$/kWh for $/MWh", 1e-3, (place,))
        yield Mistake("ten times the power price", 10, (place,))
    yield Mistake("kW-year for kW-month", KW_YEAR, ("tariffs.demand_usd_per_kw_month",))
    yield Mistake("MW-month for kW-month", MW_MONTH, ("tariffs.demand_usd_per_kw_month",))
    yield Mistake("kW-year for MW-year", 1e-3, ("tariffs.interruptible_usd_per_mw_year",))
    yield Mistake("$/TH/day for $/PH/day", 1e-3, ("bitcoin.hashprice_usd_per_ph_day",))
    yield Mistake("$/TH/day for $/PH/day", 1e-3, ("machine_markets.reference_hashprice_usd_per_ph_day",))
    yield Mistake("k$ for $", 1e-3, ("bitcoin.btc_usd",))
    yield Mistake("difficulty for trillions", 1e12, ("bitcoin.difficulty_t",))
    yield Mistake("satoshis for BTC", 1e8, ("bitcoin.fees_btc_per_block",))
    yield Mistake("satoshis for BTC", 1e8, ("case.subsidy_btc",))
    yield Mistake("satoshis for BTC", 1e8, ("case.btc_held",))
    for places in (RENTS, MARKETS):
        yield Mistake("kW-year for kW-month", KW_YEAR, places, "usd_per_kw_month")
        yield Mistake("MW-month for kW-month", MW_MONTH, places, "usd_per_kw_month")
        yield Mistake("per node for per GPU", NODE, places, "usd_per_gpu_hour")
        yield Mistake("per month for per hour", MONTH_OF_HOURS, places, "usd_per_gpu_hour")
    yield Mistake("quarterly for annual rent", 1 / 4, RENTS, "musd_per_it_mw_year")
    yield Mistake("four years for one", 4, RENTS, "musd_per_it_mw_year")
    yield Mistake("k$ for $M", KUSD, RENTS, "musd_per_it_mw_year")
    yield Mistake("annual for quarterly", 4, ("overheads.g_and_a_musd",))
    yield Mistake("monthly for quarterly", 1 / 3, ("overheads.g_and_a_musd",))
    yield Mistake("twelvefold", 12, ("overheads.g_and_a_musd",))
    yield Mistake("monthly for annual", 1 / 12, ("sites.mining_cost_musd_per_gross_mw_year",))
    yield Mistake("quarterly for annual", 1 / 4, ("sites.mining_cost_musd_per_gross_mw_year",))
    yield Mistake("quarterly for annual rate", 1 / 4, ("case.discount_rates",))
    yield Mistake("kJ for J", 1e-3, ("asics.joules_per_th",))
    yield Mistake("watts of a machine for J/TH", 190, ("asics.joules_per_th",))
    yield Mistake("PH/s for TH/s", 1e-3, ("asics.th_per_unit",))
    yield Mistake("per machine for per TH", 190, ("machine_markets.resale_usd_per_th",))
    yield Mistake("per machine for per TH", 190, ("machine_markets.purchase_usd_per_th",))
    yield Mistake("per machine for per TH", 190, ("asics.residual_usd_per_th",))
    yield Mistake("nodes for GPUs", 1 / NODE, ("products.gpus_per_it_mw",))
    yield Mistake("W for kW", 1e3, ("options.rack_kw",))
    yield Mistake("W for kW", 1e3, ("sites.max_rack_kw",))
    yield Mistake("years for quarters", 1 / 4, ("offers.term_quarters",))
    yield Mistake("years for quarters", 1 / 4, ("gpu_lives.life_quarters",))
    yield Mistake("months for quarters", 3, ("options.lead_quarters",))


def inverted(raw: RawCase) -> list[str]:
    """TH/J for J/TH."""
    for row in raw.tables["asics"]:
        row["joules_per_th"] = 1 / row["joules_per_th"]
    return ["asics.joules_per_th"]


def swapped(raw: RawCase) -> list[str]:
    """PUE and the reserve of power, the one in the other's column."""
    rows = [row for row in raw.tables.get("options", []) if row["pue"] != row["design_ratio"]]
    for row in rows:
        row["pue"], row["design_ratio"] = row["design_ratio"], row["pue"]
    return ["options.pue"] if rows else []


def it_over_gross(raw: RawCase) -> list[str]:
    """IT MW per gross MW, where gross per IT is asked for."""
    for row in raw.tables["options"]:
        row["design_ratio"] = 1 / row["design_ratio"]
    return ["options.design_ratio"]


def other_basis(raw: RawCase) -> list[str]:
    """Prices per kW-month declared as $M per MW-year and the reverse."""
    words = {"usd_per_kw_month": "musd_per_it_mw_year", "musd_per_it_mw_year": "usd_per_kw_month"}
    rows = [row for row in raw.tables.get("offer_prices", []) if row["price_basis"] in words]
    for row in rows:
        row["price_basis"] = words[row["price_basis"]]
    return ["offer_prices.price"] if rows else []


OTHERS = {
    "TH/J for J/TH": inverted, "PUE for design ratio": swapped, "IT/gross for gross/IT": it_over_gross,
    "the other price basis": other_basis,
}  # fmt: skip


def spoilt(raw: RawCase, seed: int) -> Iterator[tuple[str, RawCase, list[str]]]:
    """Every mistake in every column of a case: all the column's numbers, then one row's."""
    for mistake in mistakes():
        for rng in (None, random.Random(f"{seed} {mistake}")):
            copy = raw.copy()
            places = mistake.spoil(copy, rng)
            if places and not (rng and places[0].startswith("case.")):
                yield f"{mistake.name}, {'one row' if rng else 'column'}", copy, places
    for name, spoil in OTHERS.items():
        copy = raw.copy()
        if places := spoil(copy):
            yield f"{name}, column", copy, places


def refusal(raw: RawCase) -> list[Finding]:
    """The errors for which a case is refused; empty where it is read."""
    try:
        raw.read()
    except opt.InputError as error:
        return [finding for finding in error.findings if finding.severity == "error"]
    return []


def named(found: list[Finding], places: list[str]) -> bool:
    """Whether a finding stands at a spoilt column."""
    return any(f"{f.file.partition('.')[0]}.{f.column.partition('.')[0]}" in places for f in found)


def shaken(raw: RawCase, seed: int) -> RawCase:
    """The case with every number of a banded column moved by up to 30% to either side."""
    rng = random.Random(f"shaken {seed}")
    copy = raw.copy()
    for table, column in [*BANDS, ("offer_prices", "price"), ("product_markets", "price"),
                          ("budget_years", "capex_budget_musd")]:  # fmt: skip
        for row in [copy.settings] if table == "case" else copy.tables.get(table, []):
            if isinstance(row.get(column), float) or (table == "case" and isinstance(row.get(column), int)):
                value = row[column] * rng.uniform(0.7, 1.3)
                row[column] = min(value, 1.0) if row[column] <= 1 else value
                if "quarters" in column:
                    row[column] = max(1, round(row[column]))
    return copy


def oddities(raw: RawCase) -> list[Finding]:
    """What is refused for its size; shaken cases break other rules (more machines than power, say)."""
    return [finding for finding in refusal(raw) if "allow it with a reason" in finding.mend]


# ---- quick --------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_the_shipped_cases_and_the_starter_stand_within_every_band() -> None:
    for folder in FOLDERS:
        assert oddities(shipped_case(folder)) == [], folder.name


def test_nearly_every_wrong_unit_in_the_first_conversion_is_refused() -> None:
    cases = list(spoilt(shipped_case(DATA / "washington_2025"), 0))
    missed = [(kind, places) for kind, raw, places in cases if not named(refusal(raw), places)]
    assert len(cases) > 150
    assert len(missed) < 0.05 * len(cases), missed


@pytest.mark.parametrize("seed", range(8))
def test_a_realistic_case_is_not_refused(seed: int) -> None:
    assert refusal(realistic_case(seed)) == []


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_case_with_every_number_moved_by_a_third_is_not_refused(folder: Path) -> None:
    assert oddities(shaken(shipped_case(folder), 1)) == []


@pytest.mark.core
def test_a_finding_says_band_likely_unit_and_way_out() -> None:
    raw = shipped_case(DATA / "washington_2025")
    Mistake("c/kWh", CENTS, ("tariffs.energy_usd_per_mwh",)).spoil(raw)
    (found,) = refusal(raw)
    assert str(found) == (
        "tariffs.csv:2: energy_usd_per_mwh '3.615' is outside 14 to 220 $/MWh (miners pay 2 to 14 c/kWh; a winter in "
        "PJM cost 137 $/MWh); it looks like c/kWh, which would make 36.15 (so are 83 more). Mend: correct the unit; "
        "or, if it is meant, allow it with a reason in allow.csv, row 'base, Grant PUD, 2026Q1'."
    )


def allowing(**cells: str) -> RawCase:
    """The first conversion with power prices in c/kWh, and a row that allows them."""
    raw = shipped_case(DATA / "washington_2025")
    Mistake("c/kWh", CENTS, ("tariffs.energy_usd_per_mwh",)).spoil(raw)
    meant = {"file": "tariffs.csv", "column": "energy_usd_per_mwh", "row": "*", "reason": "own hydro dam"}
    raw.tables["allow"].append(meant | cells)
    return raw


@pytest.mark.parametrize("cells", [{}, {"file": "*"}, {"column": "*"}, {"row": "*, Grant PUD, *"}])
def test_what_is_allowed_with_a_reason_is_read(cells: dict[str, str]) -> None:
    assert allowing(**cells).read().tariffs[0].energy_usd_per_mwh == pytest.approx(3.615)


@pytest.mark.parametrize(
    "cells", [{"file": "tariff.csv"}, {"column": "energy"}, {"row": "base, Grant PUD, 2026Q1"}, {"row": "base"}]
)
def test_a_row_allows_only_what_it_names(cells: dict[str, str]) -> None:
    assert refusal(allowing(**cells))


def test_allowing_needs_a_reason() -> None:
    (found, *_) = refusal(allowing(reason=""))
    assert (found.file, found.column) == ("allow.csv", "reason")
    assert "is blank" in found.why


def test_a_row_that_allows_nothing_is_noted() -> None:
    raw = shipped_case(DATA / "washington_2025")
    raw.tables["allow"].append({"file": "tariffs.csv", "column": "*", "row": "*", "reason": "cheap power"})
    (noted,) = raw.read().warnings
    assert (noted.file, noted.line, noted.severity) == ("allow.csv", 3, "warning")
    assert "allows nothing" in noted.why


def test_a_script_may_go_past_the_bands_and_ask_about_them() -> None:
    from optimizer.case.checks.units import check_units

    case = opt.load_case(DATA / "washington_2025").replace(capex_budget_musd=1e6)
    (found,) = [finding for finding in check_units(case) if finding.severity == "error"]
    assert found.column == "capex_budget_musd"


def test_wrong_units_are_told_together_with_other_faults() -> None:
    raw = shipped_case(DATA / "washington_2025")
    raw.tables["fleet"][0]["gross_mw"] = "six"
    raw.tables["tariffs"][3]["energy_usd_per_mwh"] = 3.6
    assert {(f.file, f.line) for f in refusal(raw)} == {("fleet.csv", 2), ("tariffs.csv", 5)}


@pytest.mark.parametrize(("table", "column"), BANDS)
def test_a_band_names_a_column_that_there_is(table: str, column: str) -> None:
    assert column in (Settings if table == "case" else TABLE_TYPES[table]).model_fields


@pytest.mark.parametrize("band", BANDS.values(), ids=[".".join(key) for key in BANDS])
def test_a_band_holds_both_its_ends_and_a_guess_lies_within(band: Band) -> None:
    assert band.low < band.high
    assert band.holds(band.low)
    assert band.holds(band.high)
    assert not band.holds(band.high * 1.01)
    middle = (band.low * band.high) ** 0.5 if band.low > 0 else band.high / 2
    for factor, words in band.mistakes:
        if not band.holds(middle * factor):
            assert "looks like" in band.guess(middle * factor), words


# ---- the campaign ---------------------------------------------------------------------------------------------------

DRAWN, SHAKEN, READ = 8, 34, 400


@pytest.mark.campaign
def test_campaign_of_wrong_units(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [shipped_case(folder) for folder in FOLDERS] + [realistic_case(1000 + seed) for seed in range(DRAWN)]
    injected, refused, in_place = Counter[str](), Counter[str](), 0
    missed = Counter[str]()
    for seed, raw in enumerate(cases):
        assert refusal(raw) == []
        for kind, wrong, places in spoilt(raw, seed):
            extent = kind.rpartition(", ")[2]
            found = refusal(wrong)
            injected[extent] += 1
            refused[extent] += bool(found)
            in_place += named(found, places)
            missed[f"{kind}: {places[0]}"] += not found
    with capsys.disabled():
        print(f"\nwrong units: {injected.total()} injected, {refused.total()} refused "
              f"({refused.total() / injected.total():.1%}), {in_place} at the very column")  # fmt: skip
        for extent in injected:
            print(f"  {extent}: {refused[extent]} of {injected[extent]}")
        for what, count in missed.most_common():
            if count:
                print(f"  missed {count}: {what}")
    assert injected.total() >= 400
    assert refused.total() >= 0.95 * injected.total()


@pytest.mark.campaign
def test_campaign_of_realistic_cases(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = [refusal(realistic_case(seed)) for seed in range(2000, 2000 + READ)]
    moved = [oddities(shaken(shipped_case(folder), seed)) for folder in SHIPPED for seed in range(SHAKEN)]
    false = [sum(map(bool, found)) for found in (drawn, moved)]
    with capsys.disabled():
        print(f"\nrealistic cases: {false[0]} of {len(drawn)} drawn and {false[1]} of {len(moved)} moved refused")
        for found in filter(None, [*drawn, *moved]):
            print(f"  {found[0]}")
    assert false[0] <= len(drawn) / 100
    assert false[1] <= len(moved) / 100
