"""A case is data: variants are checked again, files give it back, every cell counts in its hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import DATA, ROOT
from test_checks import POLICY, SIGNED, START, edited

import optimizer as opt
from optimizer.case import TABLE_NAMES, TABLE_TYPES, Case
from optimizer.case_files import case_texts, input_hashes, load_case, write_case

SHIPPED = [DATA / name for name in ("bitfarms_2025", "keel_2026", "washington_2025")] + [ROOT / "optimizer" / "starter"]


@pytest.fixture(scope="session")
def keel() -> Case:
    return load_case(DATA / "keel_2026")


@pytest.fixture(scope="session")
def rich(case: Case) -> Case:
    """A case in which every table has rows."""
    return case.replace(
        obligations=[{"quarter": "2027Q2", "name": "note", "kind": "interest", "musd": 2}],
        budget_years=[{"year": 2027, "capex_budget_musd": 70}],
        use_limits=[POLICY],
        committed_starts=[START],
        committed_contracts=[SIGNED],
    )


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
def test_a_table_may_be_given_as_rows_dictionaries_or_a_frame(keel: Case, name: str) -> None:
    rows = getattr(keel, name)
    for form in (rows, [row.model_dump() for row in rows], keel.table(name)):
        again = keel.replace(**{name: form}).table(name)
        pd.testing.assert_frame_equal(again, keel.table(name), check_exact=True)


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


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_writing_and_reading_give_the_case_back(folder: Path, tmp_path: Path) -> None:
    case = load_case(folder)
    write_case(case, tmp_path)
    again = load_case(tmp_path)
    assert again.settings == case.settings
    for name in TABLE_NAMES:
        pd.testing.assert_frame_equal(again.table(name), case.table(name), check_exact=True)
    assert input_hashes(again) == input_hashes(case)


@pytest.mark.parametrize(
    "name", ["a, b", 'the "Lake"', "O'Brien", " trimmed ", "#1", "a\\b", "\u0645\u0648\u0642\u0639"]
)
def test_any_name_survives_writing_and_reading(case: Case, tmp_path: Path, name: str) -> None:
    variant = case.replace(
        name=name,
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
def test_every_cell_counts_in_the_hash(rich: Case, name: str) -> None:
    """Change each column of a row, past all checks, and see that file's hash, and no other, change."""
    rows = getattr(rich, name)
    plain = input_hashes(rich)
    for column in TABLE_TYPES[name].model_fields:
        row = next((row for row in rows if getattr(row, column) is not None), None)
        if row is None:
            continue
        other = {column: another(getattr(row, column))}
        changed = tuple(r.model_copy(update=other) if r is row else r for r in rows)
        variant = Case(**{f: getattr(rich, f) for f in ("settings", *TABLE_NAMES)} | {name: changed})
        assert {f for f, h in input_hashes(variant).items() if h != plain[f]} == {f"{name}.csv"}, column


def test_every_setting_counts_in_the_hash(case: Case) -> None:
    changes: dict[str, Any] = {
        "name": "other", "title": "other", "as_of": "2026-10-02", "capex_level": "high", "capex_budget_musd": 901,
        "opening_cash_musd": 801, "minimum_cash_musd": 4, "subsidy_btc": 3, "halvings": ["2028-04-12"],
        "discount_rates": {"corporate": 0.08}, "mining_ends": "2028Q1", "max_blocks_under_construction": 2,
        "max_it_mw_under_construction": 9,
    }  # fmt: skip
    hashes = {input_hashes(case.replace(**{name: value}))["case.toml"] for name, value in changes.items()}
    assert len(hashes | {input_hashes(case)["case.toml"]}) == len(changes) + 1
