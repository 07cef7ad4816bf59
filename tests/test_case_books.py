"""A case as a workbook: the same case as its folder, read as strictly, with findings by sheet and cell.

The faults 16 to 21, 29 to 31 and 40 of docs/faults.toml are made in a workbook here; each must be told in its words.
"""

from __future__ import annotations

import io
import re
import tomllib
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import DATA, ROOT, Run
from shared import shipped, solved_once
from small_cases import small_case

import optimizer as opt
from optimizer.case import layout as case_sheets
from optimizer.case.folder import case_texts, input_hashes, load_case, write_case
from optimizer.case.layout import case_workbook_bytes, write_case_workbook
from optimizer.files import tables
from optimizer.files.sheets import WorkbookError, read_workbook

SAYS = {
    fault["number"]: fault.get("workbook", fault["says"])
    for fault in tomllib.loads((ROOT / "docs/faults.toml").read_text("utf-8"))["fault"]
}


@cache
def washington() -> opt.Case:
    return shipped("washington_2025")


@cache
def washington_bytes() -> bytes:
    return case_workbook_bytes(washington(), {})


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "mycase.xlsx"
    path.write_bytes(washington_bytes())
    return path


def change(book: Path, edit: Callable[[Any], object]) -> None:
    """An edit of the workbook by a program that is not the writer's."""
    opened = openpyxl.load_workbook(book)
    edit(opened)
    opened.save(book)


def change_part(book: Path, part: str, edit: Callable[[str], str]) -> None:
    """An edit of the XML of one part, as it stands."""
    data = io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, edit(text.decode()).encode() if name == part else text)
    book.write_bytes(data.getvalue())


def said(book: Path) -> list[str]:
    """What is refused; an empty list for a case that is read."""
    try:
        load_case(book)
    except opt.InputError as error:
        return [str(finding) for finding in error.findings]
    return []


def part_of(book: Path, sheet: str) -> str:
    with zipfile.ZipFile(book) as parts:
        names = re.findall(r'<sheet [^>]*?name="([^"]*)"', parts.read("xl/workbook.xml").decode())
    return f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"


# ---- the same case ------------------------------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.parametrize("name", ["washington_2025", "bitfarms_2025", "keel_2026"])
def test_csv_to_workbook_to_csv_is_the_identity(name: str, tmp_path: Path) -> None:
    """Texts and hashes of every file are those of the folder, with and without another program saving the workbook."""
    case = opt.load_case(DATA / name)
    book = write_case_workbook(case, tmp_path / "a.xlsx")
    assert case_texts(load_case(book)) == case_texts(case)
    change(book, lambda opened: None)
    again = load_case(book)
    write_case(again, tmp_path / "folder")
    assert input_hashes(load_case(tmp_path / "folder")) == input_hashes(case) == input_hashes(again)


@pytest.mark.parametrize(
    "seed", [*range(24), *(pytest.param(seed, marks=pytest.mark.campaign) for seed in range(24, 60))]
)
def test_random_cases_come_back_whole(seed: int, tmp_path: Path) -> None:
    """Random numbers have 17 digits, of which a workbook keeps 16 in a cell that holds a number."""
    case = small_case(seed)
    assert case_texts(load_case(write_case_workbook(case, tmp_path / "a.xlsx"), check_units=False)) == case_texts(case)


NAMES = (
    "007", "1E5", "NA", "None", "nan", "TRUE", "2026-01", "#1", "# a", "_x0041_", "x005F_y", "موقع الشمال",
    "Montréal 🏔", "a/b\\c:d*e?f[g]h", "it's \"so\" & <b>", "'quoted", "http://x.y/z", "M" * 100, "1/2",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_text(name: str, tmp_path: Path) -> None:
    """Nothing is guessed from how a name looks, nor is anything in it taken for a mark of the file format."""
    folder = tmp_path / "folder"
    write_case(washington(), folder)
    for path in folder.iterdir():
        quoted = '"' + name.replace('"', '""') + '"' if '"' in name else name
        path.write_text(path.read_text("utf-8").replace("Moses Lake", quoted), "utf-8") if path.suffix == ".csv" else ""
    case = load_case(folder)
    assert case.sites[0].site == name
    assert case_texts(load_case(write_case_workbook(case, tmp_path / "a.xlsx"))) == case_texts(case)


def test_equal_cases_give_equal_bytes() -> None:
    assert case_workbook_bytes(washington(), {}) == washington_bytes()


def test_number_with_more_digits_than_a_workbook_keeps(tmp_path: Path) -> None:
    cash = next(1000 + k / 7 for k in range(99) if float(f"{1000 + k / 7:.16G}") != 1000 + k / 7)
    case = washington().replace(opening_cash_musd=cash)
    assert case_texts(load_case(write_case_workbook(case, tmp_path / "a.xlsx"))) == case_texts(case)


# ---- what is refused ------------------------------------------------------------------------------------------------


def put(sheet: str, cell: str, value: Any) -> Callable[[Path], None]:
    def edit(opened: Any) -> None:
        opened[sheet][cell] = value

    return lambda book: change(book, edit)


def on(sheet: str, edit: Callable[[Any], object]) -> Callable[[Path], None]:
    return lambda book: change(book, lambda opened: edit(opened[sheet]))


def replaced(sheet: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return lambda book: change_part(book, part_of(book, sheet), edit)


def error_cell(book: Path) -> None:
    put("fleet", "C3", "=1/0")(book)
    change_part(
        book,
        part_of(book, "fleet"),
        lambda text: re.sub(r'<c r="C3"([^>]*)>.*?</c>', r'<c r="C3"\1 t="e"><f>B9</f><v>#REF!</v></c>', text, count=1),
    )


def bomb(book: Path) -> None:
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(30 * 2**20))


def wide_bomb(book: Path) -> None:
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(70):
            archive.writestr(f"xl/media/{number}.bin", bytes(2**20))


def entities(book: Path) -> None:
    doctype = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    change_part(book, "xl/workbook.xml", lambda text: text.replace("?>", f"?>{doctype}", 1))


def outside(book: Path) -> None:
    doctype = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    change_part(book, "xl/sharedStrings.xml", lambda text: text.replace("?>", f"?>{doctype}", 1))


def locked(name: str) -> Callable[[Path], None]:
    return lambda book: (book.parent / name).write_bytes(b"me") and None


def written_by_a_program(book: Path) -> None:
    """A formula with the 0 that programs put where they have calculated nothing."""
    saved_formula(book, "3+3", "0", asks=True)


def saved_formula(book: Path, formula: str, result: str, asks: bool, cell: str = "C3", sheet: str = "fleet") -> None:
    """A formula and its saved result; `asks` whether the file wants to be calculated when it is opened."""

    def formulas(text: str) -> str:
        place = rf'<c r="{cell}"([^>]*?)( t="\w+")?(/>|>.*?</c>)'
        return re.sub(place, rf'<c r="{cell}"\1><f>{formula}</f><v>{result}</v></c>', text, count=1)

    change_part(book, part_of(book, sheet), formulas)
    change_part(book, "xl/workbook.xml", lambda text: text if asks else text.replace(' fullCalcOnLoad="1"', ""))


def capitals(book: Path) -> None:
    def edit(opened: Any) -> None:
        for cell in opened["fleet"][1]:
            cell.value = cell.value.upper()

    change(book, edit)


FLEET = "mycase.xlsx, sheet fleet"
REFUSED = [
    pytest.param(16, lambda book: book.write_bytes(b"site,mw\nA,1\n"), id="016_csv_named_xlsx"),
    pytest.param(
        16, lambda book: book.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(99)), id="016_old_or_encrypted_workbook"
    ),
    pytest.param(17, put("fleet", "C3", "=3+3"), id="017_formula_without_saved_value"),
    pytest.param(142, written_by_a_program, id="142_dummy_result"),
    pytest.param(145, capitals, id="145_capitals"),
    pytest.param(18, error_cell, id="018_error_cell"),
    pytest.param(19, on("fleet", lambda s: setattr(s.row_dimensions[3], "hidden", True)), id="019_hidden_row"),
    pytest.param(19, on("fleet", lambda s: setattr(s.column_dimensions["C"], "hidden", True)), id="019_hidden_column"),
    pytest.param(19, on("fleet", lambda s: setattr(s, "sheet_state", "hidden")), id="019_hidden_sheet"),
    pytest.param(19, on("fleet", lambda s: setattr(s, "sheet_state", "veryHidden")), id="019_very_hidden_sheet"),
    pytest.param(19, on("fleet", lambda s: s.merge_cells("A3:A4")), id="019_merged_cells"),
    pytest.param(20, put("site_limits", "B3", datetime(2026, 1, 1)), id="020_date_for_a_quarter"),
    pytest.param(20, put("fleet", "C3", datetime(2026, 1, 6)), id="020_date_for_a_number"),
    pytest.param(20, put("settings", "B5", datetime(2025, 11, 13, 12, 30)), id="020_time_for_a_day"),
    pytest.param(21, put("sites", "A3", datetime(2026, 3, 1)), id="021_name_made_a_date"),
    pytest.param(21, put("sites", "A3", 7), id="021_name_made_a_number"),
    pytest.param(29, bomb, id="029_bomb_by_ratio"),
    pytest.param(29, wide_bomb, id="029_bomb_by_size"),
    pytest.param(30, entities, id="030_entities"),
    pytest.param(30, outside, id="030_entity_from_outside"),
    pytest.param(31, locked("~$mycase.xlsx"), id="031_open_in_excel"),
    pytest.param(31, locked(".~lock.mycase.xlsx#"), id="031_open_in_libreoffice"),
]


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """What is said of a workbook with one of the faults above, by the fault's id: made and read once."""
    spoils = {str(parameter.id): parameter.values[1] for parameter in REFUSED}

    @cache
    def of(fault: str) -> list[str]:
        book = tmp_path_factory.mktemp("fault") / "mycase.xlsx"
        book.write_bytes(washington_bytes())
        spoils[fault](book)  # type: ignore[operator]
        return said(book)

    return of


@pytest.mark.parametrize(("number", "fault"), [(p.values[0], p.id) for p in REFUSED], ids=[p.id for p in REFUSED])
def test_fault_in_a_workbook(heard: Callable[[str], list[str]], number: int, fault: str) -> None:
    patterns = [re.escape(line).replace(r"\.\.\.", ".*") for line in SAYS[number]]
    found = heard(fault)
    assert any(re.fullmatch(pattern, line) for line in found for pattern in patterns), "\n".join(found)


@pytest.mark.parametrize("number", sorted({parameter.values[0] for parameter in REFUSED}))
def test_every_sentence_on_workbooks_is_said(number: int, heard: Callable[[str], list[str]]) -> None:
    """No sentence in the page of faults that the program does not print."""
    lines = {line for one in REFUSED if one.values[0] == number for line in heard(str(one.id))}
    for sentence in SAYS[number]:
        pattern = re.escape(sentence).replace(r"\.\.\.", ".*")
        assert any(re.fullmatch(pattern, line) for line in lines), "\n".join([sentence, "", *lines])


def test_file_that_changes_while_it_is_read(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 31: the spreadsheet is still saving."""
    monkeypatch.setattr(tables, "_bytes", lambda path: None)
    assert said(book) == [f"mycase.xlsx: {words}" for words in ["changed while it was read. Mend: save and close it "
                          "in the other program, then try again."]]  # fmt: skip


ODD = [
    pytest.param(put("sites", "B3", "nowhere"), f"{'mycase.xlsx'}, sheet sites, cell B3: tariff 'nowhere' is no tariff "
                 "of this case. Mend: add it to sheet tariffs.", id="finding_between_tables"),
    pytest.param(put("fleet", "C3", "6,5"), f"{FLEET}, cell C3: gross_mw '6,5' is not a number", id="decimal_comma"),
    pytest.param(put("fleet", "C3", True), f"{FLEET}, cell C3: gross_mw '1' is a switch", id="truth_for_a_number"),
    pytest.param(put("products", "C3", True), "sheet products, cell C3: power_passed_through '1' is a switch where "
                 "yes or no belongs", id="truth_for_yes"),
    pytest.param(put("settings", "B11", "plenty"), "sheet settings, cell B11: capex_budget_musd 'plenty' is not a "
                 "number", id="setting"),
    pytest.param(put("settings", "A11", "capex_buget_musd"), "cell B11: capex_buget_musd '128' is unknown here. Mend: "
                 "did you mean capex_budget_musd?", id="misspelt_setting"),
    pytest.param(put("settings", "A11", "capex_level"), "stands twice (row 11)", id="setting_twice"),
    pytest.param(put("settings", "B3", 5), "cell B3: name '5' is a number where text belongs", id="number_for_text"),
    pytest.param(put("fleet", "B1", "site"), f"{FLEET}, row 1: site stands twice in the header", id="column_twice"),
    pytest.param(put("fleet", "C1", "gros_mw"), f"{FLEET}, cell C1: gros_mw is an unknown column. Mend: did you mean "
                 "gross_mw?", id="misspelt_column"),
    pytest.param(put("fleet", "H3", "aside"), f"{FLEET}, row 3: 'aside' has a cell under no header (H3)", id="aside"),
    pytest.param(on("fleet", lambda s: s.insert_rows(1, 2)), f"{FLEET}, row 3: has its header below the first row",
                 id="blank_rows_above"),
    pytest.param(on("fleet", lambda s: (s.insert_rows(1), s.__setitem__("A1", "Our fleet"))), f"{FLEET}, row 1: begins "
                 "with other rows; its header seems to be row 2", id="title_above"),
    pytest.param(lambda book: change(book, lambda b: b.remove(b["sites"])), "mycase.xlsx, sheet sites: is missing",
                 id="sheet_missing"),
    pytest.param(lambda book: change(book, lambda b: b.remove(b["settings"])), "sheet settings: is missing",
                 id="settings_missing"),
    pytest.param(lambda book: change(book, lambda b: b.create_sheet("fleets").append(["site"])), "sheet fleets: is no "
                 "table of a case. Mend: did you mean fleet, or begin its name with _.", id="stray_sheet"),
    pytest.param(on("sites", lambda s: s.delete_rows(3, 50)), "sheet sites: has a header but no data rows",
                 id="no_rows"),
    pytest.param(lambda book: book.write_bytes(book.read_bytes()[:-400]), "mycase.xlsx: is damaged", id="cut_off"),
    pytest.param(replaced("fleet", "<sheetData>", "<sheetData><row>"), "mycase.xlsx: is damaged", id="broken_xml"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), ODD)
def test_what_is_wrong_is_told_by_sheet_and_cell(book: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(book)
    found = said(book)
    assert any(words in line for line in found), "\n".join(found)


# ---- what is read all the same ------------------------------------------------------------------------------------


def test_what_a_spreadsheet_saved_of_a_formula_is_read_and_noted(book: Path) -> None:
    put("fleet", "C3", "=3+3")(book)
    change_part(
        book, part_of(book, "fleet"), lambda text: text.replace("<v></v>", "<v>6</v>").replace("<v />", "<v>6</v>")
    )
    case = load_case(book)
    assert case_texts(case) == case_texts(washington())
    assert any("sheet fleet: holds a formula in C3" in str(note) for note in case.warnings)


ZERO = "result of a formula that no spreadsheet has calculated"
HOURS = {"cell": "F3", "sheet": "tariffs"}
"""Curtailed hours, of which there may be none: 24 in the first quarter of the case."""


def test_a_genuine_zero_of_a_formula_is_read(book: Path) -> None:
    """A spreadsheet saved it, whatever its only formula says; the note on formulas asks once more."""
    saved_formula(book, "MAX(0,3-5)", "0", asks=False, **HOURS)
    case = load_case(book)
    assert case.tariffs[0].curtailed_hours == 0
    assert any("sheet tariffs: holds a formula in F3; what the workbook saved of them is read, which is 0 throughout"
               in str(note) for note in case.warnings)  # fmt: skip


@pytest.mark.parametrize("formula", ["5-5", "C3-C3", "0*7.5", "1/3-1/3", "sites!C3-sites!C3", "-(2-2)", "0"])
def test_zeros_of_plain_arithmetic_that_are_right_are_read(book: Path, formula: str) -> None:
    saved_formula(book, formula, "0", asks=False, **HOURS)
    assert said(book) == []


@pytest.mark.parametrize("formula", ["3+3", "$D$3*1.02", "-D3/4", "sites!C3*100", "(2+1)*4", "30+6.149999999999999"])
def test_a_spreadsheet_that_hands_a_dummy_on_is_seen_through(book: Path, formula: str) -> None:
    """LibreOffice keeps the 0 that another program saved, and takes away that the file asked to be calculated."""
    saved_formula(book, formula, "0", asks=False, **HOURS)
    assert [line for line in said(book) if ZERO in line and "cell F3" in line]


@pytest.mark.parametrize("formula", ["A1^2", "SUM(D3:D9)", "IF(D3&gt;1,0,5)", "1/0", "9" * 600, "(" * 400, "Z99+1"])
def test_what_is_not_plain_arithmetic_is_left_open(book: Path, formula: str) -> None:
    saved_formula(book, formula, "0", asks=False, **HOURS)
    assert said(book) == []


@pytest.mark.parametrize(("cell", "sheet"), [("F3", "tariffs"), ("C3", "tariffs"), ("A3", "sites"), ("B11", "settings"),
                                              ("B5", "settings"), ("D3", "sites")])  # fmt: skip
def test_a_dummy_is_a_dummy_in_every_kind_of_cell(book: Path, cell: str, sheet: str) -> None:
    """Numbers, quarters, names, settings, days: never told as a number where text belongs."""
    saved_formula(book, "IF(TRUE,A1,B1)", "0", asks=True, cell=cell, sheet=sheet)
    assert [line for line in said(book) if ZERO in line and f"cell {cell}: " in line]


@pytest.mark.parametrize(("other", "refused"), [("0", True), ("0.0", True), ("12", False)])
def test_a_file_that_says_nothing_of_calculation(book: Path, other: str, refused: bool) -> None:
    """Trusted where some formula has a result, as programs that calculate on demand write it."""
    saved_formula(book, "SUM(9,9)", "0", asks=False, **HOURS)
    saved_formula(book, "SUM(6,6)", other, asks=False, cell="F4", sheet="tariffs")
    change_part(book, "xl/workbook.xml", lambda text: re.sub("<calcPr[^>]*/>", "", text))
    assert any(ZERO in line for line in said(book)) is refused


def test_results_that_a_program_did_write_are_read(book: Path) -> None:
    """A file that asks to be calculated may hold true results beside; only its zeros are in doubt."""
    saved_formula(book, "SUM(12,12)", "24", asks=True, **HOURS)
    assert case_texts(load_case(book)) == case_texts(washington())


def test_a_sheet_may_ask_for_itself(book: Path) -> None:
    saved_formula(book, "SUM(12,12)", "0", asks=False, **HOURS)
    asks = '<sheetCalcPr fullCalcOnLoad="1"/></worksheet>'
    change_part(book, part_of(book, "tariffs"), lambda text: text.replace("</worksheet>", asks))
    assert any(ZERO in line for line in said(book))


@pytest.mark.parametrize("from_1904", [False, True])
def test_days_are_told_by_the_calendar_of_the_workbook(book: Path, from_1904: bool) -> None:
    """Fault 20: the same serial is another day in the calendar of 1904."""

    def edit(opened: Any) -> None:
        opened.epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)
        opened["settings"]["B5"] = datetime(2025, 11, 13)

    change(book, edit)
    assert read_workbook(book.read_bytes()).from_1904 is from_1904
    assert load_case(book).settings.as_of == date(2025, 11, 13)


def test_own_sheets_blank_rows_and_filters_do_no_harm(book: Path) -> None:
    def edit(opened: Any) -> None:
        opened.create_sheet("_mine").append(["=1+1", "anything"])
        opened["fleet"].insert_rows(3)
        opened["fleet"].auto_filter.ref = "A1:C9"
        opened["sites"].column_dimensions["K"].hidden = True

    change(book, edit)
    assert case_texts(load_case(book)) == case_texts(washington())


def test_a_row_that_looks_like_notes_is_told(book: Path) -> None:
    put("offer_sites", "A2", "# mine")(book)
    assert any("sheet offer_sites, row 2: is read as a row of notes" in str(note) for note in load_case(book).warnings)


@pytest.mark.parametrize("seed", range(300))
def test_a_damaged_workbook_is_refused_in_a_sentence(seed: int) -> None:
    """Bytes changed at random places give a workbook or a WorkbookError, never another error."""
    import random

    draw = random.Random(seed)
    data = bytearray(washington_bytes())
    for _ in range(draw.randint(1, 20)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    try:
        read_workbook(bytes(data))
    except WorkbookError as error:
        assert error.why


# ---- from outside -------------------------------------------------------------------------------------------------


def test_commands_take_a_workbook(book: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """init, convert, check and solve; the plan is that of the folder, with the same run id."""
    monkeypatch.chdir(book.parent)
    assert run("init", "mine", "--xlsx")[0] == 0
    assert run("init", "mine.xlsx")[0] != 0
    code, told, _ = run("check", "mine.xlsx")
    assert code == 0
    assert "No problem found" in told
    assert run("convert", DATA / "washington_2025", "there.xlsx")[0] == 0
    assert run("convert", "there.xlsx", "back")[0] == 0
    assert Path("back/SOURCES.md").read_text("utf-8") == (DATA / "washington_2025/SOURCES.md").read_text("utf-8")
    assert case_texts(load_case("back")) == case_texts(washington())
    assert run("solve", "mycase.xlsx", "-o", "plan")[0] == 0
    assert opt.load_plan("plan").run_id == solved_once(washington()).run_id
    put("fleet", "C3", "many")(book)
    code, _, told = run("check", "mycase.xlsx")
    assert code == 2
    assert "mycase.xlsx, sheet fleet, cell C3: gross_mw 'many' is not a number" in told


def test_writer_offers_what_the_format_confines(book: Path) -> None:
    """Drop-downs of set words and of names of other tables; headers frozen; notes below them."""
    opened = openpyxl.load_workbook(book)
    offered = {
        (sheet.title, sheet.cell(1, next(iter(rule.sqref.ranges)).min_col).value): rule.formula1
        for sheet in opened
        for rule in sheet.data_validations.dataValidation
        if sheet.title != "settings"
    }
    assert offered["products", "kind"] == '"colocation,gpu_service"'
    assert offered["fleet", "site"] == f"'sites'!$A$3:$A${case_sheets.ROWS_OFFERED}"
    assert offered["sites", "firm_power"] == '"yes,no"'
    assert offered["sites", "tariff"].startswith("'_lists'!")
    assert opened["sites"].freeze_panes == "B3"
    assert str(opened["fleet"]["C2"].value).startswith("# ")
    assert opened["_lists"].sheet_state == "hidden"


def test_a_workbook_is_not_converted_into_a_workbook(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would become a folder with a workbook's name."""
    monkeypatch.chdir(tmp_path)
    assert run("convert", DATA / "washington_2025", "w.xlsx")[0] == 0
    code, out, err = run("convert", "w.xlsx", "w2.xlsx")
    assert (code, out) == (7, "")
    assert err == "w.xlsx is a workbook already; name the folder that it is to become.\n"
    assert not Path("w2.xlsx").exists()
