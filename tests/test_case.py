"""A case is data: variants are checked again, files give it back, every cell counts in its hash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import DATA, ROOT
from test_checks import edited, full_case

import optimizer as opt
from optimizer.case import folder as case_files
from optimizer.case.case import TABLE_NAMES, TABLE_TYPES, TERM_NAMES, Case
from optimizer.case.folder import case_texts, input_hashes, write_case
from optimizer.case.schema import Settings

pytestmark = pytest.mark.core

SETTINGS = Settings.model_fields
OPTIONAL = [
    (table, column)
    for table, row_type in TABLE_TYPES.items()
    for column, info in row_type.model_fields.items()
    if not info.is_required()
]
SHIPPED = [DATA / name for name in ("bitfarms_2025", "keel_2026", "washington_2025")] + [ROOT / "optimizer" / "starter"]


def load_case(folder: Path) -> Case:
    """Of toy numbers, whose sizes fit no unit."""
    return case_files.load_case(folder, check_units=False)


@pytest.fixture(scope="session")
def full() -> Case:
    return full_case()


def test_a_variant_is_checked_again(case: Case) -> None:
    with pytest.raises(opt.InputError, match="capex_budget_musd '-5' must be at least 0"):
        case.replace(capex_budget_musd=-5)
    with pytest.raises(opt.InputError, match="is no asic of this case"):
        case.replace(fleet=edited(case, "fleet", asic="S99"))


def test_a_variant_leaves_its_origin_alone(case: Case) -> None:
    before = case_texts(case)
    variant = case.replace(capex_budget_musd=7, fleet=edited(case, "fleet", gross_mw=9))
    assert (variant.settings.capex_budget_musd, variant.fleet[0].gross_mw) == (7, 9)
    assert case_texts(case) == before


@pytest.mark.parametrize("name", ["capex_budget", "budget_musd", "warnings", "settings", "horizon"])
def test_a_variant_of_an_unknown_name_is_a_type_error(case: Case, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        case.replace(**{name: 1})


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_a_table_may_be_given_as_rows_dictionaries_or_a_frame(full: Case, name: str) -> None:
    rows = full.rows(name)
    for form in (rows, [row.model_dump() for row in rows], full.table(name)):
        again = full.replace(**{name: form})
        assert again.rows(name) == rows
        pd.testing.assert_frame_equal(again.table(name), full.table(name), check_exact=True)


def test_an_edited_frame_is_a_variant(case: Case) -> None:
    prices = case.table("offer_prices")
    prices["price"] *= 1.5
    assert case.replace(offer_prices=prices).offer_prices[0].price == 300
    prices["price"] = np.nan
    with pytest.raises(opt.InputError, match="price is blank"):
        case.replace(offer_prices=prices)


@pytest.mark.parametrize("number", [np.float64(5), np.int64(5), np.float32(5), 5, "5", "5.0"])
def test_numbers_of_numpy_and_text_are_numbers(case: Case, number: Any) -> None:
    assert case.replace(capex_budget_musd=number).settings.capex_budget_musd == 5


@pytest.mark.parametrize("number", [np.nan, np.bool_(True), True, None, [5], pd.NA, 10**400])
def test_what_is_no_number_is_refused(case: Case, number: Any) -> None:
    with pytest.raises(opt.InputError):
        case.replace(capex_budget_musd=number)


@pytest.mark.parametrize("folder", [*SHIPPED, None], ids=lambda folder: folder.name if folder else "full")
def test_writing_and_reading_give_the_case_back(folder: Path | None, tmp_path: Path) -> None:
    case = load_case(folder) if folder else full_case()
    write_case(case, tmp_path)
    again = load_case(tmp_path)
    assert again.settings == case.settings
    for name in TABLE_NAMES:
        assert again.rows(name) == case.rows(name)
        pd.testing.assert_frame_equal(again.table(name), case.table(name), check_exact=True)
    assert again.terms == case.terms
    assert input_hashes(again) == input_hashes(case)


def test_the_full_case_fills_every_table_and_every_column(full: Case, tmp_path: Path) -> None:
    for name, row_type in TABLE_TYPES.items():
        filled = {c for c in row_type.model_fields if any(getattr(row, c) is not None for row in full.rows(name))}
        assert filled == set(row_type.model_fields), name
    assert not [name for name in SETTINGS if getattr(full.settings, name) is None]
    write_case(full, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"case.toml", *(f"{name}.csv" for name in TABLE_NAMES)}


def test_a_case_that_uses_nothing_new_writes_nothing_new(case: Case) -> None:
    """Columns and settings that may be left out stay out of the files of a case without them, and so of its hashes."""
    texts = case_texts(case)
    for table, column in OPTIONAL:
        used = any(getattr(row, column) is not None for row in case.rows(table))
        assert f"{table}.csv" in texts or not used
        if f"{table}.csv" not in texts:
            continue
        assert (column in texts[f"{table}.csv"].partition("\n")[0].split(",")) == used
    assert not [
        name for name in SETTINGS if f"\n{name} =" in texts["case.toml"] and getattr(case.settings, name) is None
    ]
    assert not {f"{name}.csv" for name in TABLE_NAMES if not case.rows(name)} & set(texts)


@pytest.mark.parametrize(("table", "column"), OPTIONAL)
def test_an_optional_column_may_be_absent_or_blank(case: Case, tmp_path: Path, table: str, column: str) -> None:
    blank: dict[str, Any] = {column: None}
    case = case if case.rows(table) else full_case()
    if table == "gpu_lives":
        blank = {"relet_product": None, "refit_musd_per_it_mw": None}
    if column == "first_coupon":
        blank |= {"interest_every_quarters": 1}
    if (table, column) == ("fleet", "gross_mw"):
        blank |= {"units": 3000}
        case = case.replace(asics=edited(case, "asics", th_per_unit=200))
    case = case.replace(**{table: [row.model_dump() | blank for row in case.rows(table)]})
    write_case(case, tmp_path)
    file = tmp_path / f"{table}.csv"
    header, *rows = file.read_text().splitlines()
    assert column not in header.split(",")
    assert load_case(tmp_path).rows(table) == case.rows(table)
    file.write_text("\n".join([f"{header},{column}", *(f"{row}," for row in rows)]))
    assert input_hashes(load_case(tmp_path)) == input_hashes(case)


def test_an_optional_column_is_read_where_it_stands(full: Case, tmp_path: Path) -> None:
    write_case(full, tmp_path)
    again = load_case(tmp_path)
    machine, units = again.asics[0], again.fleet[1]
    assert (machine.th_per_unit, str(machine.bought), machine.life_quarters) == (200, "2025Q1", 17)
    assert (units.gross_mw, units.units) == (None, 2000)
    assert again.fleet_gross_mw(units) == pytest.approx(2000 * 200 * 20 * 1.04 / 1e6)


@pytest.mark.parametrize("held", [True, False])
def test_a_switch_of_the_settings_survives_writing_and_reading(case: Case, tmp_path: Path, held: bool) -> None:
    write_case(case.replace(allow_planned_lateness=held), tmp_path)
    assert load_case(tmp_path).settings.allow_planned_lateness is held


@pytest.mark.parametrize(
    "name", ["a, b", 'the "Lake"', "O'Brien", " trimmed ", "#1", "a\\b", "\u0645\u0648\u0642\u0639"]
)
def test_any_name_survives_writing_and_reading(case: Case, tmp_path: Path, name: str) -> None:
    variant = case.replace(
        title=name,
        scenarios=[{"scenario": "base", "description": name}],
        offers=edited(case, "offers", customer=name, exclusive_group=name),
    )
    write_case(variant, tmp_path)
    assert case_texts(load_case(tmp_path)) == case_texts(variant)


@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, 1e-7, 5e-324, 123456789.123456789, 1e13, 2**43 - 1.0])
def test_any_number_survives_writing_and_reading(case: Case, tmp_path: Path, number: float) -> None:
    variant = case.replace(opening_cash_musd=-number, overheads=edited(case, "overheads", g_and_a_musd=number))
    write_case(variant, tmp_path)
    again = load_case(tmp_path)
    assert (again.settings.opening_cash_musd, again.overheads[0].g_and_a_musd) == (-number, number)


def another(value: Any) -> Any:
    """Nearly the same value."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return value * 1.0000001 + 1e-9 if isinstance(value, float) else f"{value} x"


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_every_cell_counts_in_the_hash(full: Case, name: str) -> None:
    """Change each column of a row, past all checks, and see that file's hash, and no other, change."""
    rows = full.rows(name)
    plain = input_hashes(full)
    for column in TABLE_TYPES[name].model_fields:
        row = next(row for row in rows if getattr(row, column) is not None)
        other = {column: another(getattr(row, column))}
        changed = tuple(r.model_copy(update=other) if r is row else r for r in rows)
        variant = past_all_checks(full, name, changed)
        assert {f for f, h in input_hashes(variant).items() if h != plain[f]} == {f"{name}.csv"}, column


def past_all_checks(case: Case, name: str, rows: tuple[Any, ...]) -> Case:
    if name in TERM_NAMES:
        return replace(case, terms={**case.terms, name: rows})
    return replace(case, **{name: rows})


def test_every_setting_counts_in_the_hash(full: Case) -> None:
    changes: dict[str, Any] = {
        "name": "other", "title": "other", "as_of": "2026-10-02", "capex_level": "low", "capex_budget_musd": 201,
        "opening_cash_musd": 27, "minimum_cash_musd": 4, "subsidy_btc": 3, "halvings": ["2028-04-12"],
        "discount_rates": {"corporate": 0.09}, "mining_ends": "2028Q1", "max_blocks_under_construction": 2,
        "max_it_mw_under_construction": 29, "max_customer_share": 0.9, "max_customer_share_from": "2028Q4",
        "cash_rate": 0.021, "btc_held": 21, "btc_liquidity_share": 0.6, "btc_rule": "sell_mined", "tax_rate": 0.22,
        "tax_losses_musd": 5, "tax_loss_use": 0.7, "minimum_btc": 3, "max_btc_sales_per_quarter": 40, "end_coverage": 3,
        "market_looks_ahead_quarters": 5, "allow_planned_lateness": False,
    }  # fmt: skip
    fixed = {"format", "currency", "money_basis", "first_quarter", "quarters"}
    assert set(changes) | fixed == set(SETTINGS)
    without = {"btc_rule": {"btc_schedule": []}}
    hashes = {
        input_hashes(full.replace(**{name: value}, **without.get(name, {})))["case.toml"]
        for name, value in changes.items()
    }
    assert len(hashes | {input_hashes(full)["case.toml"]}) == len(changes) + 1


def test_the_very_same_row_twice_is_refused_too(case: Case) -> None:
    """A script that appends a row of the case itself would pay its G&A twice."""
    with pytest.raises(opt.InputError, match="stands twice"):
        case.replace(overheads=[*case.overheads, case.overheads[0]])
