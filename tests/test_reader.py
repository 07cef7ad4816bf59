"""Files that people really send: each fault is refused with its place and a mend, each harmless oddity is accepted.

The numbers in the test ids are those of the project's list of bad inputs.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DATA

import optimizer as opt
from optimizer.case.folder import input_hashes, write_case
from optimizer.files import tables
from optimizer.ground.findings import MOST_SHOWN, Finding

pytestmark = pytest.mark.core

Bytes = Callable[[bytes], bytes]


def findings(folder: Path) -> tuple[Finding, ...]:
    with pytest.raises(opt.InputError) as refused:
        opt.load_case(folder)
    return refused.value.findings


def errors(folder: Path) -> list[Finding]:
    return [finding for finding in findings(folder) if finding.severity == "error"]


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"{file} no longer holds {old!r}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def line_with(folder: Path, file: str, text: str) -> int:
    return (folder / file).read_text(encoding="utf-8").partition(text)[0].count("\n") + 1


def change_bytes(folder: Path, file: str, change: Bytes) -> None:
    (folder / file).write_bytes(change((folder / file).read_bytes()))


def rename_site(folder: Path, name: str) -> None:
    for path in folder.glob("*.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace("Moses Lake", name), encoding="utf-8")


# ---- one cell or one line -----------------------------------------------------------------------------------------

FLEET = ("fleet.csv", "Moses Lake,T21,6\n")
LIMIT = ("site_limits.csv", "Moses Lake,2026Q1,18\n")
TARIFF = ("tariffs.csv", "base,Grant PUD,2026Q2,36.15,5,0,6000\n")
OPTION = ("options.csv", "moses-lake-colocation,Moses Lake,colocation,3,6,1.25,1.25,190,5,0,2026Q1,8,8.5,11,0,5.6,")
BUDGET = ("case.toml", "capex_budget_musd = 128")


def number(identity: str, cell: str, words: str = "is not a number") -> pytest.ParameterSet:
    """A fleet row whose megawatts are written as `cell` (quoted where it holds a comma)."""
    written = f'"{cell}"' if "," in cell else cell
    place = ("fleet.csv", 2, "gross_mw", cell)
    return pytest.param(*FLEET, f"Moses Lake,T21,{written}\n", place, words, id=identity)


def fault(
    identity: str, where: tuple[str, str], new: str, place: tuple[int | None, str, str], words: str, told_at: str = ""
) -> pytest.ParameterSet:
    """One text of a file replaced by another; the finding stands in the same file unless `told_at` names another."""
    return pytest.param(*where, new, (told_at or where[0], *place), words, id=identity)


CELLS = [
    fault("05_row_with_too_many_cells", FLEET, "Moses Lake,T21,6,9\n", (2, "", ""), "4 cells where the header has 3"),
    fault("05_row_with_too_few_cells", FLEET, "Moses Lake,6\n", (2, "", ""), "2 cells where the header has 3"),
    number("07_decimal_comma", "6,5", "decimal comma"),
    fault("08_quote_never_closed", FLEET, '"Moses Lake,T21,6\n', (2, "", ""), "never closed"),
    fault("10_nul_in_a_name", FLEET, "Moses\0Lake,T21,6\n", (2, "site", "Moses\0Lake"), "U+0000"),
    fault("10_line_end_in_a_name", FLEET, '"Moses\nLake",T21,6\n', (2, "site", "Moses\nLake"), "U+000A"),
    fault("10_line_separator_in_a_name", FLEET, "Moses\u2028Lake,T21,6\n", (2, "site", "\u2028"), "U+2028"),
    number("11_thousands_separators", "1,200,000", "thousands separators"),
    number("11_space_between_thousands", "1\u00a0000"),
    number("11_currency_sign", "$6"),
    number("11_percent_sign", "6%", "percentage is written as a share"),
    number("11_brackets_for_minus", "(6)"),
    number("12_unicode_minus", "\u22126", "not ASCII"),
    number("12_arabic_digits", "\u0666", "not ASCII"),
    number("12_full_width_digits", "\uff16", "not ASCII"),
    number("13_underscore", "1_0"),
    number("13_hexadecimal", "0x10"),
    number("13_infinity", "Infinity"),
    number("13_nan", "nan"),
    number("13_infinite_by_exponent", "1e999", "finite number"),
    number("94_money_beyond_sense", "2e13", "finite number"),
    number("35_blank_cell", "", "blank"),
    fault("34_misspelt_setting", BUDGET, "capex_buget_musd = 128", (None, "capex_buget_musd", "128"), "unknown"),
    fault("35_missing_setting", BUDGET, "", (None, "capex_budget_musd", ""), "is missing"),
    fault("36_row_twice", FLEET, "Moses Lake,T21,6\n" * 2, (3, "site, asic", "T21"), "stands already in line 2"),
    fault("37_unknown_site", FLEET, "Mose Lake,T21,6\n", (2, "site", "Mose Lake"), "no site of this case"),
    fault("37_site_without_limit", LIMIT, "Elsewhere,2026Q1,18\n", (2, "site", "Elsewhere"), "no site of this case"),
    fault("41_bidi_override_in_a_name", FLEET, "Moses\u202eLake,T21,6\n", (2, "site", "\u202e"), "U+202E"),
    fault("41_zero_width_in_a_name", FLEET, "Moses\u200bLake,T21,6\n", (2, "site", "\u200b"), "U+200B"),
    fault("41_bidi_override_in_toml", ("case.toml", '"washington_2025"'), r'"a\u202eb"', (None, "name", "b"), "U+202E"),
    fault("42_endless_name", FLEET, f"{'M' * 10_000},T21,6\n", (2, "site", "MMM"), "longer than 100"),
    fault(
        "43_word_outside_its_list", ("products.csv", "gpuaas,gpu_service"), "gpuaas,GPUaaS", (3, "kind", "GPUaaS"),
        "'colocation' or 'gpu_service'",
    ),
    fault("43_true_for_yes", ("products.csv", "colocation,yes"), "colocation,TRUE",
          (2, "power_passed_through", "TRUE"), "neither yes nor no"),
    fault("44_broken_count", OPTION, OPTION[1].replace(",3,6,", ",3,2.5,"), (2, "max_blocks", "2.5"), "whole number"),
    fault("45_capex_in_dollars", OPTION, OPTION[1].replace(",8.5,", ",8500000,"),
          (2, "facility_base_musd_per_it_mw", "8500000"), "at most 100"),
    fault("46_kilowatts_for_megawatts", LIMIT, "Moses Lake,2026Q1,18000\n", (2, "limit_gross_mw", "18000"), "5000"),
    fault("47_pue_below_one", OPTION, OPTION[1].replace("1.25,1.25", "1.25,0.8"), (2, "pue", "0.8"), "at least 1"),
    fault("47_pue_above_reserved_power", OPTION, OPTION[1].replace("1.25,1.25", "1.25,1.3"), (2, "pue", "1.3"),
          "above the design ratio"),
    fault("48_rate_as_a_percentage", ("case.toml", "corporate = 0.115"), "corporate = 11.5",
          (None, "discount_rates.corporate", "11.5"), "at most 1"),
    fault("48_rate_with_percent_sign", ("case.toml", "corporate = 0.115"), 'corporate = "11.5%"',
          (None, "discount_rates.corporate", "11.5%"), "share"),
    fault("53_real_money", ("case.toml", '"nominal"'), '"real"', (None, "money_basis", "real"), "nominal"),
    fault("56_other_currency", ("case.toml", '"USD"'), '"EUR"', (None, "currency", "EUR"), "USD"),
    fault("59_uptime_as_a_percentage", ("asics.csv", "T21,19,0.95"), "T21,19,95", (2, "uptime", "95"), "at most 1"),
    fault("59_pue_as_a_percentage", OPTION, OPTION[1].replace("1.25,1.25", "1.25,30"), (2, "pue", "30"), "at most 2.5"),
    fault("61_quarter_missing", TARIFF, "", (None, "quarter", ""), "2026Q2"),
    fault("62_quarter_twice", TARIFF, TARIFF[1] * 2, (4, "scenario, tariff, quarter", "2026Q2"), "line 3"),
    *(
        fault(f"63_quarter_as_{form}", TARIFF, TARIFF[1].replace("2026Q2", form), (3, "quarter", form), "like 2027Q1")
        for form in ("Q2 2026", "2026-06-30", "03/04/2026", "2026q2", "2026Q5", "2026")
    ),
    fault("63_day_of_no_calendar", ("case.toml", "2025-11-13"), '"2025-02-30"', (None, "as_of", "2025-02-30"),
          "no day of the calendar"),
    fault("63_day_with_a_time", ("case.toml", "[2028-04-12]"), "[2028-04-12T00:00:00]", (None, "halvings", "2028"),
          "is not a date"),
    fault("65_horizon_within_lead_time", ("case.toml", "quarters = 28"), "quarters = 5", (None, "quarters", "5"),
          "longest lead time"),
    fault("74_more_machines_than_power", LIMIT, "Moses Lake,2026Q1,17.5\n", (2, "site", "Moses Lake"), "18 gross MW",
          told_at="sites.csv"),
    fault("77_contract_minimum_above_maximum", ("offers.csv", "colocation,7.2,7.2"), "colocation,7.3,7.2",
          (3, "min_it_mw", "7.3"), "above the largest size 7.2"),
    fault("39_no_quarters", ("case.toml", "quarters = 28"), "quarters = 0", (None, "quarters", "0"), "at least 1"),
    fault("27_boolean_for_a_number", BUDGET, "capex_budget_musd = true", (None, "capex_budget_musd", "True"), "number"),
    fault("27_nan_in_toml", BUDGET, "capex_budget_musd = nan", (None, "capex_budget_musd", "nan"), "finite"),
    fault("94_endless_number_in_toml", BUDGET, f"capex_budget_musd = {'9' * 400}", (None, "capex_budget_musd", "999"),
          "finite"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "place", "words"), CELLS)
def test_fault(
    folder: Path, file: str, old: str, new: str, place: tuple[str, int | None, str, str], words: str
) -> None:
    edit(folder, file, old, new)
    found = errors(folder)
    told_at, line, column, value = place
    if file == told_at == "case.toml" and new:
        line = line_with(folder, file, new)
    assert any(
        (f.file, f.line) == (told_at, line)
        and f.column.startswith(column)
        and value in f.value
        and words in f.why + f.mend
        and f.mend
        for f in found
    ), "\n".join(map(str, found))
    report = str(opt.InputError(found))
    assert len(report.split("\n")) == len(found) or "\n" in value, "one line for each finding"


# ---- whole files --------------------------------------------------------------------------------------------------

NO_ROWS = "site,asic,gross_mw\n"
FILES = [
    pytest.param("fleet.csv", lambda _: b"", None, "is empty", id="01_empty_file"),
    pytest.param("fleet.csv", lambda _: NO_ROWS.encode(), 1, "no data rows", id="01_header_only"),
    pytest.param("fleet.csv", lambda b: b.decode().encode("utf-16"), None, "looks like UTF-16", id="02_16"),
    pytest.param("fleet.csv", lambda b: b.replace(b"os", b"\xf6s"), 1, "byte 12, 0xF6; it looks like Latin",
                 id="02_1252"),
    pytest.param("fleet.csv", lambda b: b.replace(b"\n", b",\n"), 1, "empty header cell", id="06_trailing_commas"),
    pytest.param("fleet.csv", lambda b: b.replace(b",", b";"), 1, "semicolons", id="07_semicolons"),
    pytest.param("fleet.csv", lambda b: b.replace(b"asic", b"site"), 1, "twice in the header", id="09_column_twice"),
    pytest.param("fleet.csv", lambda b: b.replace(b"asic,", b"ASIC, site,"), 1, "twice", id="09_twice_but_space"),
    pytest.param("fleet.csv", lambda _: b"PK\x03\x04" + bytes(99), None, "workbook", id="16_workbook_named_csv"),
    pytest.param("case.toml", lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), None, "workbook", id="16_workbook_named_toml"),
    pytest.param("fleet.csv", lambda b: b"Our fleet\n" + b, 1, "header seems to be line 2", id="22_title_above_header"),
    pytest.param("case.toml", lambda b: b + b'mining = 0.2\n', 29, "a key is given twice", id="23_key_twice"),
    pytest.param("case.toml", lambda b: b"x = " + b"[" * 9000 + b"]" * 9000, None, "deep", id="26_endless_nesting"),
    pytest.param("case.toml", lambda b: b"x = " + b"9" * 9000, None, "not valid TOML", id="94_number_of_9000_digits"),
    pytest.param("sites.csv", lambda b: b.replace(b"fibre", b"fiber"), 1, "rename fiber to it", id="33_misspelt"),
    pytest.param("fleet.csv", lambda b: b.replace(b"asic", b"kind"), 1, "missing column", id="33_missing_column"),
    pytest.param("fleet.csv", lambda b: b.replace(b"gross_mw", b"gros_mw"), 1, "did you mean gross_mw?",
                 id="33_misspelt_optional_column"),
    pytest.param("sites.csv", lambda b: b.replace(b"fibre", "fibr\u0435".encode()), 1, "unknown column", id="38_twin"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "change", "line", "words"), FILES)
def test_fault_of_a_file(folder: Path, file: str, change: Bytes, line: int | None, words: str) -> None:
    change_bytes(folder, file, change)
    found = errors(folder)
    assert {f.file for f in found} == {file}, "\n".join(map(str, found))
    assert any(f.line == line and words in f.why + f.mend and f.mend for f in found), "\n".join(map(str, found))


def test_fault_22_title_above_the_header_is_not_buried_under_its_consequences(folder: Path) -> None:
    change_bytes(folder, "tariffs.csv", lambda b: b"Power prices\n\nof our utility,2026\n" + b)
    (found,) = errors(folder)
    assert (found.line, found.mend) == (1, "take away what stands above it")
    assert "its header seems to be line 4" in found.why


def test_fault_07_semicolons_are_one_finding(folder: Path) -> None:
    change_bytes(folder, "tariffs.csv", lambda b: b.replace(b",", b";"))
    assert len(errors(folder)) == 1


def test_fault_16_workbook_beside_the_tables_is_no_table(folder: Path) -> None:
    (folder / "sites.csv").rename(folder / "sites.xlsx")
    assert [(f.file, f.mend) for f in errors(folder)] == [
        ("sites.xlsx", "save each sheet as CSV UTF-8 (did you mean sites.csv?)"),
        ("sites.csv", "write the table sites (docs/case-format.md)"),
    ]  # fmt: skip


def test_fault_28_file_beyond_the_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 2**20)
    change_bytes(folder, "fleet.csv", lambda b: b + b"\n" * 2**20)
    assert [(f.file, f.why) for f in errors(folder)] == [("fleet.csv", "is larger than 1 MB")]


NOT_FILES = {
    "directory": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "broken_link": lambda path: path.symlink_to(path.parent / "nowhere"),
}


@pytest.mark.parametrize("kind", NOT_FILES)
@pytest.mark.parametrize("file", ["sites.csv", "fleet.csv", "case.toml"])
def test_fault_32_not_a_file(folder: Path, file: str, kind: str) -> None:
    (folder / file).unlink()
    NOT_FILES[kind](folder / file)
    kinds = {"directory": "a folder", "pipe": "a pipe", "device": "a device", "broken_link": "a broken link"}
    assert [(f.file, f.why) for f in errors(folder)] == [(file, f"is not a file but {kinds[kind]}")]


@pytest.mark.parametrize("method", ["open", "iterdir"])
def test_fault_32_no_permission(folder: Path, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def refuse(path: Path, mode: str = "") -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, refuse)
    assert all("cannot be read: Permission denied" in f.why for f in errors(folder))


def test_fault_32_case_is_not_a_folder(folder: Path) -> None:
    assert "is not a case folder" in errors(folder / "case.toml")[0].why
    assert "is not a case folder" in errors(folder / "nowhere")[0].why


def test_fault_34_stray_file(folder: Path) -> None:
    shutil.copy(folder / "fleet.csv", folder / "flet.csv")
    assert [(f.file, f.mend) for f in errors(folder)] == [("flet.csv", "did you mean fleet.csv?")]


@pytest.mark.parametrize("file", ["case.toml", "sites.csv", "tariffs.csv"])
def test_fault_39_required_file_missing(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert [f.file for f in errors(folder)] == [file]


@pytest.mark.parametrize("twin", ["moses lake", "Moses  Lake", "Mos\u0435s Lake", "\uff2doses Lake", "M\u03bfses Lake"])
def test_fault_38_names_that_look_alike(folder: Path, twin: str) -> None:
    edit(folder, "sites.csv", "Moses Lake,Grant PUD", f"{twin},Grant PUD,0.06,yes,yes,190,\nMoses Lake,Grant PUD")
    (found,) = errors(folder)
    assert (found.file, found.line, found.column, found.value) == ("sites.csv", 3, "site", "Moses Lake")
    assert repr(twin) in found.why


def test_fault_38_composed_and_decomposed_letters_are_one_name(folder: Path) -> None:
    rename_site(folder, "Montr\u00e9al")
    edit(folder, "fleet.csv", "Montr\u00e9al", "Montre\u0301al")
    case = opt.load_case(folder)
    assert {row.site for row in case.fleet} == {"Montr\u00e9al"}


# ---- tables that a case may lack ------------------------------------------------------------------------------------


def put(folder: Path, file: str, *lines: str) -> None:
    (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


SITE = "Moses Lake"
TABLES_AT_FAULT = [
    pytest.param("leases.csv", "offer,kind,cost_musd_per_it_mw_year,cost_growth", "{offer},net,0.1,0.02",
                 ("kind", "net"), "is not one of 'triple_net'", id="word_outside_its_list"),
    pytest.param("leases.csv", "offer,kind,cost_musd_per_it_mw_year,cost_growth", "Nobody,gross,0.1,0.02",
                 ("offer", "Nobody"), "is no offer of this case", id="unknown_offer"),
    pytest.param("take_or_pay.csv", "offer,floor_share", "{offer},90%", ("floor_share", "90%"),
                 "percentage is written as a share", id="percentage"),
    pytest.param("tenant_funding.csv", "offer,musd_per_it_mw,paid_quarters_before,credit_share,rate",
                 "{offer},1,2,0,0.08", ("credit_share", "0"), "would never be repaid", id="finding_of_a_term"),
    pytest.param("deposits.csv", "option,quarters_before,share", "moses-lake-colocation,2,1.2", ("share", "1.2"),
                 "must be at most 1", id="share_above_one"),
    pytest.param("machine_markets.csv",
                 "asic,resale_usd_per_th,purchase_usd_per_th,delivery_quarters,reference_hashprice_usd_per_ph_day,"
                 "elasticity,yearly_decline,moving_cost_musd_per_gross_mw", "T21,8.5,8,0,50,1,0.2,",
                 ("resale_usd_per_th", "8.5"), "above the purchase price of 8", id="finding_of_a_table"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "header", "row", "place", "words"), TABLES_AT_FAULT)
def test_fault_of_a_table_that_a_case_may_lack(
    folder: Path, file: str, header: str, row: str, place: tuple[str, str], words: str
) -> None:
    offer = opt.load_case(folder).offers[0].offer
    put(folder, file, header, row.format(offer=offer))
    (found,) = errors(folder)
    assert (found.file, found.line, found.column, found.value) == (file, 2, *place)
    assert words in found.why + found.mend
    assert found.mend


def test_fault_01_header_of_an_optional_table_alone(folder: Path) -> None:
    put(folder, "take_or_pay.csv", "offer,floor_share")
    assert [(f.file, f.why) for f in errors(folder)] == [("take_or_pay.csv", "has a header but no data rows")]


def test_fault_33_column_of_an_optional_table_missing(folder: Path) -> None:
    put(folder, "take_or_pay.csv", "offer,floor_shar", "any,1")
    assert [(f.column, f.why, f.mend) for f in errors(folder)] == [
        ("floor_share", "is a missing column", "add it, or rename floor_shar to it"),
        ("floor_shar", "is an unknown column", "did you mean floor_share?"),
    ]


def test_fault_34_misspelt_name_of_an_optional_table(folder: Path) -> None:
    put(folder, "take_and_pay.csv", "offer,floor_share", "any,1")
    assert [(f.file, f.mend) for f in errors(folder)] == [("take_and_pay.csv", "did you mean take_or_pay.csv?")]


def test_a_fleet_may_be_counted_in_machines(folder: Path) -> None:
    """6 gross MW of T21 are so many machines of 190 TH/s; the file then has no column of megawatts."""
    case = opt.load_case(folder)
    case = case.replace(asics=[row.model_dump() | {"th_per_unit": 190} for row in case.asics])
    write_case(case, folder)
    watts = case.asic["T21"].joules_per_th * 190 * (1 + case.asic["T21"].overhead)
    put(folder, "fleet.csv", "site,asic,units", f"{SITE},T21,{6e6 / watts!r}")
    counted = opt.load_case(folder)
    assert counted.fleet_gross_mw(counted.fleet[0]) == pytest.approx(6, rel=1e-12)
    put(folder, "fleet.csv", "site,asic", f"{SITE},T21")
    (found,) = errors(folder)
    assert (found.line, found.column, found.why) == (2, "gross_mw", "needs either gross_mw or units")


@pytest.mark.parametrize(("written", "read"), [("true", True), ("false", False), ('"yes"', True), ('"no"', False)])
def test_a_switch_in_the_settings(folder: Path, written: str, read: bool) -> None:
    edit(folder, "case.toml", BUDGET[1], f"{BUDGET[1]}\nallow_planned_lateness = {written}")
    assert opt.load_case(folder).settings.allow_planned_lateness is read


# ---- harmless oddities --------------------------------------------------------------------------------------------

ODDITIES: dict[str, Bytes] = {
    "03_byte_order_mark": lambda b: b"\xef\xbb\xbf" + b,
    "04_windows_line_ends": lambda b: b.replace(b"\n", b"\r\n"),
    "04_old_macintosh_line_ends": lambda b: b.replace(b"\n", b"\r"),
    "04_mixed_line_ends": lambda b: b.replace(b"\n", b"\r\n", 2),
    "04_no_last_line_end": lambda b: b.rstrip(b"\n"),
    "04_blank_lines": lambda b: b + b"\n\n",
}


@pytest.mark.parametrize("change", ODDITIES.values(), ids=ODDITIES)
def test_fault_accepted_with_equal_hashes(folder: Path, change: Bytes) -> None:
    plain = input_hashes(opt.load_case(folder))
    for path in folder.iterdir():
        change_bytes(folder, path.name, change)
    assert input_hashes(opt.load_case(folder)) == plain


@pytest.mark.parametrize(("old", "new"), [("3,6,", "3.0,6.0,"), ("3,6,", " 3 , 6e0,"), (",8,8.5,", ",8.00,+8.5,")])
def test_fault_44_same_number_written_otherwise_has_the_same_hash(folder: Path, old: str, new: str) -> None:
    plain = input_hashes(opt.load_case(folder))
    edit(folder, "options.csv", old, new)
    assert input_hashes(opt.load_case(folder)) == plain


@pytest.mark.parametrize("name", ["NA", "NULL", "None", "nan", "TRUE", "007", "1E5", "2026-01", "Inf", "#N/A"])
def test_fault_14_15_names_stay_text(folder: Path, name: str) -> None:
    rename_site(folder, name)
    case = opt.load_case(folder)
    assert [row.site for row in case.sites] == [name]
    assert case.table("fleet")["site"].tolist() == [name, name]


@pytest.mark.parametrize("name", ["A/B: [C]?", "\u0645\u0648\u0642\u0639", "Site \U0001f525", "O'Brien", 'the "Lake"'])
def test_fault_40_42_unusual_names_are_kept(folder: Path, name: str) -> None:
    rename_site(folder, '"' + name.replace('"', '""') + '"')
    assert [row.site for row in opt.load_case(folder).sites] == [name]


def test_fault_62_unsorted_quarters_are_accepted(folder: Path) -> None:
    header, *rows = (folder / "tariffs.csv").read_text().splitlines()
    plain = opt.load_case(folder)
    (folder / "tariffs.csv").write_text("\n".join([header, *reversed(rows)]))
    assert {k: v.model_dump() for k, v in opt.load_case(folder).tariff.items()} == {
        k: v.model_dump() for k, v in plain.tariff.items()
    }


def test_fault_68_quarters_beyond_the_horizon_are_noted(folder: Path) -> None:
    edit(folder, "case.toml", "quarters = 28", "quarters = 27")
    noted = {f.file: f.why for f in opt.load_case(folder).warnings}
    assert "has 3 rows outside the horizon" in noted["tariffs.csv"]


# ---- everything in one pass ---------------------------------------------------------------------------------------


def test_all_faults_of_all_files_come_in_one_pass(folder: Path) -> None:
    edit(folder, "fleet.csv", "T21,6", "T21,six")
    edit(folder, "fleet.csv", "S21,12", "S21,12,13")
    edit(folder, "sites.csv", "fibre", "fiber")
    edit(folder, "case.toml", "capex_budget_musd = 128", "capex_budget_musd = -1")
    edit(folder, "tariffs.csv", "2026Q3,36.15", "2026Q3,cheap")
    change_bytes(folder, "bitcoin.csv", lambda b: b.decode().encode("utf-16"))
    places = {(f.file, f.line, f.column) for f in errors(folder)}
    assert places == {
        ("fleet.csv", 2, "gross_mw"), ("fleet.csv", 3, ""), ("sites.csv", 1, "fibre"), ("sites.csv", 1, "fiber"),
        ("case.toml", line_with(folder, "case.toml", "capex_budget_musd"), "capex_budget_musd"),
        ("tariffs.csv", 4, "energy_usd_per_mwh"), ("bitcoin.csv", None, ""),
    }  # fmt: skip


def test_a_broken_settings_file_hides_no_fault_of_a_table(folder: Path) -> None:
    edit(folder, "case.toml", "format = 2", "format 2")
    edit(folder, "fleet.csv", "T21,6", "T21,six")
    assert {f.file for f in errors(folder)} == {"case.toml", "fleet.csv"}


def test_a_report_shows_fifty_findings_and_counts_the_rest(folder: Path) -> None:
    """As many of each kind as fit, and how many more there are of each."""
    change_bytes(folder, "tariffs.csv", lambda b: b.replace(b"36.15,", b"cheap,").replace(b",60", b",6o"))
    found = findings(folder)
    shown = str(opt.InputError(found)).splitlines()
    rest = [line for line in shown if line.startswith("... and ")]
    assert len(found) > MOST_SHOWN >= len(shown) - len(rest) > MOST_SHOWN / 2
    assert sum(int(line.split()[2].replace(",", "")) for line in rest) == len(found) - len(shown) + len(rest)
    assert all(" more like it in tariffs.csv " in line for line in rest)


def test_fault_144_a_thousand_findings_of_one_kind_hide_no_other(folder: Path) -> None:
    """1,247 cells that are no number come first in the file's order; a wrong name, a wrong setting and a wrong file
    are told all the same."""
    change_bytes(folder, "fleet.csv", lambda b: b + b"".join(b"Moses Lake,T%d,none\n" % n for n in range(1247)))
    edit(folder, "sites.csv", "Moses Lake,Grant PUD", "Moses Lake,Grant")
    edit(folder, "case.toml", "capex_budget_musd = 128", "capex_budget_musd = -1")
    (folder / "flet.csv").write_text("site\n")
    shown = str(opt.InputError(findings(folder))).splitlines()
    assert len(shown) <= MOST_SHOWN + 1
    assert any(re.fullmatch(r"\.\.\. and 1,2\d\d more like it in fleet\.csv gross_mw", line) for line in shown)
    for told in ("flet.csv: is no file", "case.toml:14: capex_budget_musd", "sites.csv:2: tariff 'Grant'"):
        assert any(line.startswith(told) for line in shown), told


# ---- rows of nothing, headers in capitals ----------------------------------------------------------------------------


def test_fault_143_rows_of_commas_and_blanks_are_no_rows(folder: Path) -> None:
    """As in a workbook: skipped wherever they stand, and the lines of what is wrong are still those of the file."""
    case = opt.load_case(folder)
    empty = b",,\n, ,\t\n\n\xc2\xa0,,\n,\n"
    change_bytes(folder, "fleet.csv", lambda b: empty + b.replace(b"\n", b"\n" + empty * 250))
    assert input_hashes(opt.load_case(folder)) == input_hashes(case)
    change_bytes(folder, "fleet.csv", lambda b: b.replace(b"S21,12", b"S21,twelve"))
    assert [(f.line, f.value) for f in errors(folder)] == [(2 * 5 * 250 + 8, "twelve")]


@pytest.mark.parametrize("text", [",,\n,,\n", "  , ,\n", "\n\n"])
def test_a_file_of_commas_alone_is_empty(folder: Path, text: str) -> None:
    (folder / "fleet.csv").write_text(text)
    assert [str(f) for f in errors(folder)] == ["fleet.csv: is empty. Mend: write a header and rows."]


def test_findings_about_a_header_below_blank_lines_name_its_line(folder: Path) -> None:
    change_bytes(folder, "fleet.csv", lambda b: b",,\n\n" + b.replace(b"asic", b"kind"))
    assert {f.line for f in errors(folder)} == {3}


HEADERS = {
    "SITE,ASIC,GROSS_MW": ("SITE, ASIC, GROSS_MW", "stands in capitals", "site, asic, gross_mw"),
    "Site,asic,Gross MW": ("Site, Gross MW", "is not spelt as in the case format", "site, gross_mw"),
    "site,ASIC,gross-mw": ("ASIC, gross-mw", "is not spelt as in the case format", "asic, gross_mw"),
    "site,asic,Gross (MW)": ("Gross (MW)", "is not spelt as in the case format", "gross_mw"),
    "site,asic,gross_mw [MW]": ("gross_mw [MW]", "is not spelt as in the case format", "gross_mw"),
    "site,asic,grossMW": ("grossMW", "is not spelt as in the case format", "gross_mw"),
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_spelt_otherwise_is_one_finding(folder: Path, header: str) -> None:
    value, why, names = HEADERS[header]
    change_bytes(folder, "fleet.csv", lambda b: b.replace(b"site,asic,gross_mw", header.encode()))
    assert [str(f) for f in errors(folder)] == [
        f"fleet.csv:1: {value!r} {why}. Mend: write it as the docs do: {names}."
    ]


def test_every_table_in_capitals_is_one_finding_each(folder: Path) -> None:
    """Whatever columns a table has; and so are the settings."""
    for path in folder.glob("*.csv"):
        head, rest = path.read_text("utf-8").split("\n", 1)
        path.write_text(f"{head.upper()}\n{rest}", "utf-8")
    change_bytes(folder, "case.toml", lambda b: re.sub(rb"(?m)^\w+(?= *=)", lambda name: name[0].upper(), b))
    found = errors(folder)
    assert Counter(f.file for f in found if "stands in capitals" in f.why) == Counter(
        {"case.toml": 1} | {path.name: 1 for path in folder.glob("*.csv")}
    )
    assert {f.file for f in found if "stands in capitals" not in f.why} <= {"case.toml"}


def test_a_known_column_beside_its_own_capitals_is_unknown(folder: Path) -> None:
    change_bytes(folder, "fleet.csv", lambda b: b.replace(b"site,asic,gross_mw", b"site,asic,gross_mw,SITE"))
    assert [(f.column, f.why) for f in errors(folder) if f.line == 1] == [("SITE", "is an unknown column")]


def test_a_table_of_a_script_in_capitals_is_told_so() -> None:
    case = opt.load_case(DATA / "washington_2025")
    with pytest.raises(opt.InputError, match=r"'SITE, ASIC, GROSS_MW, UNITS' stands in capitals"):
        case.replace(fleet=case.table("fleet").rename(columns=str.upper))


def test_a_title_above_a_header_in_capitals_is_seen(folder: Path) -> None:
    change_bytes(
        folder, "fleet.csv", lambda b: b"Our fleet\n" + b.replace(b"site,asic,gross_mw", b"SITE,ASIC,GROSS MW")
    )
    assert [f.why for f in errors(folder)] == ["begins with other lines; its header seems to be line 2"]
