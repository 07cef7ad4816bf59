"""A plan as a workbook: totals are live and tie, every number is the plan's, no text of a user comes alive."""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from conftest import DATA, Run, mining_case
from deck_studies import studies_of
from shared import shipped, solved_once
from sheet_formulas import Sheets
from small_cases import scenario_of, small_case

import optimizer as opt
from optimizer.auditors import audit
from optimizer.case.case import TABLE_NAMES
from optimizer.files import sheets
from optimizer.ground.errors import AuditFault, PlanError
from optimizer.plan.figures import figures_of
from optimizer.questions.studies.study import Study, save_study
from optimizer.telling.board import workbook as package
from optimizer.telling.board.receipts import Receipts, input_hash
from optimizer.telling.board.workbook import Pack, workbook_bytes, write_workbook
from optimizer.telling.board.workbook.reading import refuse_untrue
from optimizer.telling.board.workbook.sheets import Workbook, sheet_name

HOSTILE = (
    "=1+1", "=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=2",
    '=HYPERLINK("http://x.y/z","a")', '=WEBSERVICE("http://x.y")', "=DDE(\"a\";\"b\")", "http://x.y/z", "mailto:a@b.c",
    "internal:'checks'!A1", "external:c:\\x.xlsx", "file:///etc/passwd", "{=SUM(A1:A9)}", "#REF!", "1E5", "007", "TRUE",
    "<f>1+1</f>", "</t></si><f>1</f>", "&amp;=1", "]]>", "'=1+1", '"', "''", "شركة الشمال للطاقة", "\u202eabc",
    "Site 🏔 七", "x" * 5_000, "a\x01b", "_x0041_", "_x005F_", "[Red]0", "&L&8", "%s {0} {{npv}}", "＝1+1",
    "a:b/c\\d?*[e]",
)  # fmt: skip


def pack_of(plan: opt.Plan, **more: Any) -> Pack:
    return Pack((plan,), ("plan",), audit(plan.case, plan), **{"studies": {}, **more})


@cache
def tiny() -> opt.Plan:
    return solved_once(mining_case())


@cache
def washington() -> opt.Plan:
    return solved_once(shipped("washington_2025"))


@cache
def washington_file() -> bytes:
    return workbook_bytes(pack_of(washington()))[0]


@cache
def names_in(data: bytes) -> dict[str, str]:
    """Defined names and what they refer to."""
    return {
        name: str(defined.value) for name, defined in openpyxl.load_workbook(io.BytesIO(data)).defined_names.items()
    }


@cache
def book_of(data: bytes) -> sheets.Workbook:
    return sheets.read_workbook(data)


def parts_of(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith((".xml", ".rels"))}


def differing(data: bytes) -> list[str]:
    """Formulas that reckon to something else than what is saved with them."""
    book = book_of(data)
    sheets = Sheets(book, names_in(data))
    return [
        f"{sheet.name} {row},{column} ={cell.formula}: {cell.text} saved, {found!r} reckoned"
        for sheet in book.sheets
        for (row, column), cell in sheet.cells.items()
        if cell.formula is not None
        and not abs((found := sheets.value(sheet.name, row, column)) - float(cell.text)) <= 1e-6
    ]


def failing(book: sheets.Workbook, data: bytes, changed: dict[tuple[str, str], float]) -> float:
    """What the cell `checks` reckons to when some cells are changed."""
    names = names_in(data)
    return float(Sheets(book, names, changed).reckon(names["checks"], "checks"))


# ---- totals ---------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_formulas_reckon_to_what_is_saved_with_them() -> None:
    """Every total is live, and readers that do not calculate see the same."""
    assert not differing(washington_file())
    assert failing(book_of(washington_file()), washington_file(), {}) == 0


@pytest.mark.parametrize("seed", [2, 3, 8, 11])
def test_random_plans_tie(seed: int) -> None:
    plan = solved_once(small_case(seed), scenario_of(seed))
    data, (_, numbers, checks) = workbook_bytes(pack_of(plan))
    assert numbers > 1_000
    assert checks > 30
    assert not differing(data)


def test_a_number_changed_in_the_workbook_shows_in_its_check() -> None:
    """Each stored number that a total stands on, altered one by one: the master check is no longer 0."""
    data = washington_file()
    book = book_of(data)
    draw = random.Random(5)
    for name in ("MW", "cash flow", "capex", "value"):
        sheet = next(sheet for sheet in book.sheets if sheet.name == name)
        first = next(
            row
            for (row, _), cell in sorted(sheet.cells.items())
            if cell.text in ("By site", "By quarter", "Total", "Line")
        )
        stored = [
            at for at, cell in sheet.cells.items() if cell.kind == "number" and cell.formula is None and at[0] > first
        ]
        if name == "MW":
            last = next(row for (row, _), cell in sorted(sheet.cells.items()) if cell.text == "AI capacity, IT MW")
            stored = [at for at in stored if at[0] < last]
        if name == "capex":
            budget = next(row for (row, _), cell in sheet.cells.items() if cell.text == "Budget")
            stored = [at for at in stored if at[0] < budget]
        for row, column in draw.sample(stored, min(6, len(stored))):
            from optimizer.files.sheets import column_letters

            where = (name, f"{column_letters(column)}{row}")
            assert failing(book, data, {where: float(sheet.cells[row, column].text) + 0.01}) > 0, where


def test_fault_139_every_sheet_says_that_it_shows_rounded_figures() -> None:
    for sheet in openpyxl.load_workbook(io.BytesIO(washington_file())):
        assert "shown rounded" in str(sheet["A2"].value)


def test_equal_plans_give_equal_bytes() -> None:
    assert workbook_bytes(pack_of(washington()))[0] == washington_file()


# ---- receipts -------------------------------------------------------------------------------------------------------


def written() -> tuple[bytes, Workbook]:
    plan = tiny()
    desk = Workbook(plan, Receipts({plan.run_id: plan}, {}, audit(plan.case, plan)), plan.word, (), input_hash(plan))
    package._write_sheets(desk, pack_of(plan))
    return desk.finish(), desk


def changed_part(data: bytes, part: str, old: str, new: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name)
            if name == part:
                assert re.search(old, text.decode(), re.DOTALL), old
                text = re.sub(old, new, text.decode(), count=1, flags=re.DOTALL).encode()
            target.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new", "words"),
    [
        ("xl/worksheets/sheet4.xml", r'(<c r="C8"[^>]*><v>)([^<]*)<', r"\g<1>12345.5<", "stands for nothing"),
        ("xl/worksheets/sheet4.xml", r'<c r="C8".*?</c>', "", "not found again"),
        ("xl/worksheets/sheet4.xml", r'<c r="D8"([^>]*)><f>[^<]*</f>', r'<c r="D8"\1>', "its formula is lost"),
        ("xl/worksheets/sheet4.xml", r'<c r="C8"([^>]*)><v>', r'<c r="C8"\1><f>1+1</f><v>', "not the program's"),
        ("xl/worksheets/sheet4.xml", r'(<c r="B4".*?<v>)0<', r"\g<1>3<", "a check does not hold"),
        ("xl/sharedStrings.xml", "Lowest</t>", "Highest</t>", "not put there"),
    ],
    ids=["number", "number_lost", "formula_lost", "formula_added", "check", "text"],
)
def test_fault_140_what_is_altered_in_the_file_is_refused(part: str, old: str, new: str, words: str) -> None:
    data, desk = written()
    refuse_untrue(data, desk)
    with pytest.raises(PlanError, match=words):
        refuse_untrue(changed_part(data, part, old, new), desk)


@pytest.mark.core
def test_fault_138_a_number_that_the_plan_lacks_is_refused() -> None:
    cash = tiny().cash.assign(liquidity_musd=float("nan"))
    with pytest.raises(PlanError, match="no number"):
        workbook_bytes(replace_tables(tiny(), cash=cash))


def replace_tables(plan: opt.Plan, **tables: pd.DataFrame) -> Pack:
    return replace(pack_of(plan), plans=(replace(plan, tables={**plan.tables, **tables}),))


# ---- hostile texts --------------------------------------------------------------------------------------------------


def renamed(plan: opt.Plan, names: dict[str, str]) -> opt.Plan:
    """The plan and its case with names swapped everywhere, past all checks of input."""

    def rows(table: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            row.model_copy(update={k: names[v] for k, v in row.__dict__.items() if isinstance(v, str) and v in names})
            for row in table
        )

    case = plan.case
    fields = {name: rows(case.rows(name)) for name in TABLE_NAMES if name not in case.terms}
    terms = {name: rows(table) for name, table in case.terms.items()}
    settings = case.settings.model_copy(
        update={"title": next(iter(names.values())), "name": next(iter(names.values()))}
    )
    case = replace(case, settings=settings, terms=terms, **fields)
    tables = {name: table.replace(names) for name, table in plan.tables.items()}
    scenario = names.get(plan.scenario, plan.scenario)
    return replace(plan, case=case, scenario=scenario, tables=tables, nothing=None, kpis={**plan.kpis})


def hostile(seed: int, count: int) -> list[str]:
    """Distinct strings made to be taken for formulas, links or marks of the file format."""
    draw = random.Random(seed)
    found = dict.fromkeys(HOSTILE if seed == 0 else ())
    while len(found) < count:
        found[
            draw.choice(HOSTILE)[: draw.randint(1, 60)]
            + draw.choice(["", " ", "!A1", "(", "é", "ب"])
            + str(draw.random())
        ] = None
    return list(found)[:count]


NAMED = ("site", "offer", "option", "asic", "tariff", "profile", "product", "facility", "scenario", "customer")


def swapped(plan: opt.Plan, texts: list[str]) -> opt.Plan:
    """Hostile texts for the names of a plan, and offers that are refused for all that are left."""
    own = {
        str(getattr(r, f))
        for t in plan.case.every_table
        for r in t
        for f in NAMED
        if isinstance(getattr(r, f, None), str)
    }
    names = dict(zip(sorted(own - {"*"}), texts, strict=False))
    plan = renamed(plan, names)
    rest = texts[len(names) :]
    first = plan.case.offers[0]
    more = tuple(first.model_copy(update={"offer": text, "customer": text}) for text in rest)
    return replace(plan, case=replace(plan.case, offers=(*plan.case.offers, *more)))


@pytest.mark.parametrize("seed", range(4))
def test_no_text_of_a_user_comes_alive(seed: int) -> None:
    """A thousand hostile names: every live formula is the program's, no link, no text is lost or altered."""
    texts = hostile(seed, 250)
    plan = swapped(tiny(), texts)
    plan = replace(plan, tables={name: table.assign(scenario=plan.scenario) for name, table in plan.tables.items()})
    data, _ = workbook_bytes(replace(pack_of(tiny()), plans=(plan,)))
    parts = parts_of(data)
    formulas = re.findall(r"<f[^>]*>(.*?)</f>", "".join(t for n, t in parts.items() if n.startswith("xl/worksheets/")))
    grammar = re.compile(r"(SUM|SUMIF|MIN|MAX|IF|ISNUMBER|ABS|checks|\$?[A-Z]{1,3}\$?\d+|'[\w ]+'!|&quot;\d{4}&quot;|"
                         r'"\d{4}"|&gt;|[-+=(),:>]|\d)+')  # fmt: skip
    assert formulas
    assert not [formula for formula in formulas if not grammar.fullmatch(formula)]
    assert not [name for name, text in parts.items() if re.search(r"<hyperlink|ddeLink|externalLink|oleObject", text)]
    assert not [text for text in parts.values() if 'TargetMode="External"' in text]
    held = {cell.text for sheet in book_of(data).sheets for cell in sheet.cells.values()}
    assert not [text for text in texts if text not in held]
    openpyxl.load_workbook(io.BytesIO(data))


def test_fault_040_sheet_names_are_safe_and_distinct() -> None:
    """Fault 40: 2,000 hostile and long names give 2,000 sheets that the writer takes, none longer than 31."""
    draw = random.Random(1)
    names = [draw.choice(HOSTILE) * draw.randint(1, 3) for _ in range(1_000)] + ["x" * 40] * 1_000
    book, taken = xlsxwriter.Workbook(io.BytesIO(), {"in_memory": True}), {}
    for name in [*names, "", "'", "History", "history", "🏔" * 40]:
        safe = sheet_name(name, taken)
        taken[safe] = book.add_worksheet(safe)
    assert len({name.casefold() for name in taken}) == len(names) + 5
    assert all(1 <= len(name.encode("utf-16-le")) // 2 <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in taken)
    book.close()


@pytest.mark.core
def test_fault_136_properties_tell_the_plan_and_nobody() -> None:
    """Fault 136: title, run and inputs on purpose; the program for an author, no clock of this machine."""
    properties = openpyxl.load_workbook(io.BytesIO(washington_file())).properties
    assert washington().case.settings.title in properties.title
    author = f"mw-allocation-optimizer {washington().provenance['optimizer']}"
    assert properties.creator == properties.lastModifiedBy == author
    assert str(properties.created.date()) == str(washington().case.settings.as_of) == str(properties.modified.date())


# ---- several plans, studies, refusals -----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return opt.save_plan(washington(), tmp_path / "plan")


def compared(path: Path) -> dict[Any, tuple[Any, ...]]:
    """The rows of the sheet of comparison by their names."""
    data = path.read_bytes()
    assert not differing(data)
    sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True)["comparison"]
    return {row[0]: row[1:] for row in sheet.iter_rows(values_only=True)}


def test_plans_side_by_side(folder: Path, tmp_path: Path) -> None:
    """Differences are live; the value's interval counts both gaps; with one that begins later, values have its date."""
    other = opt.solve(washington().case.replace(capex_budget_musd=60))
    opt.save_plan(other, tmp_path / "other")
    opt.save_plan(tiny(), tmp_path / "tiny")
    rows = compared(write_workbook([folder, tmp_path / "other"], tmp_path / "two.xlsx").path)
    assert rows["Value of the plan"][2] == pytest.approx(other.value_musd - washington().value_musd, abs=1e-6)
    assert rows["Value, at most (both gaps counted)"][2] == pytest.approx(other.bound_musd - washington().value_musd)
    rows = compared(write_workbook([folder, tmp_path / "other", tmp_path / "tiny"], tmp_path / "all.xlsx").path)
    assert str(tiny().case.first) in rows["Values below are dated at the start of"]
    dated = [figures_of(one)[f"value_musd@{tiny().case.first}"] for one in (washington(), other, tiny())]
    assert list(rows["Value of the plan"][:3]) == pytest.approx(dated)
    assert rows["Value of the plan"][4] == pytest.approx(dated[2] - dated[0])
    with pytest.raises(PlanError, match="compared with itself"):
        write_workbook([folder, folder], tmp_path / "twice.xlsx")


def study(run_id: str) -> Study:
    drivers = pd.DataFrame(
        {"driver": ["=1+1", "capex"], "words": ["a", "b"], "low": [1.0, 2.0], "value_low_musd": [3.5, float("nan")]}
    )
    return Study("tornado", "Capex moves the value most: $3.5M", ("Why.",), {"drivers": drivers}, {"run_id": run_id})


def test_studies_of_the_plan_are_told_and_others_refused(folder: Path, tmp_path: Path) -> None:
    """A number that does not exist says none; a study of another run is refused, or stamped on every sheet."""
    (folder / "studies").mkdir()
    save_study(study(washington().run_id), folder / "studies" / "tornado")
    done = write_workbook([folder], tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(done.path)
    cells = [c.value for row in book["tornado"].iter_rows() for c in row]
    assert {3.5, "none", "=1+1"} <= set(cells)
    assert {"Why.", "Its tables are on the sheet tornado."} <= {row[0].value for row in book["sensitivities"]}
    shutil.rmtree(folder / "studies/tornado")
    save_study(study("another"), folder / "studies" / "tornado")
    with pytest.raises(PlanError, match="study of run another"):
        write_workbook([folder], tmp_path / "b.xlsx")
    done = write_workbook([folder], tmp_path / "b.xlsx", force=True)
    assert done.stamps == ("STALE STUDY: TORNADO",)
    assert all(sheet["D1"].value == "STALE STUDY: TORNADO" for sheet in openpyxl.load_workbook(done.path))


def frames(data: bytes) -> dict[str, tuple[str, list[str], list[object]]]:
    """Excel's tables: the sheet, the names of the columns, and what stands in the header's cells."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {
        table.name: (sheet.title, table.column_names, [cell.value for cell in sheet[table.ref][0]])
        for sheet in book
        for table in sheet.tables.values()
    }


def test_tables_are_excels_own() -> None:
    """Named apart, headed by what their header's cells say, each column by another: else Excel repairs the file."""
    plan = washington()
    studies = {f"{kind} =1+1 {'x' * 300}": study for kind, study in studies_of(plan).items()}
    found = frames(workbook_bytes(pack_of(plan, studies=studies))[0])
    names = {"table_liquidity", "table_contracts", "table_refused_offers", "table_inputs_offers", "table_checks"}
    assert names <= found.keys()
    assert {"tornado =1+1 " + "x" * 18, "assumptions", "markets", "fleet", "value"} <= {
        sheet for sheet, *_ in found.values()
    }
    assert len({name.casefold() for name in found}) == len(found) > 20
    for name, (_, columns, cells) in found.items():
        assert re.fullmatch(r"table_\w{1,200}(\.\d+)?", name, re.ASCII), name
        assert columns == cells, name
        assert len({column.casefold() for column in columns}) == len(columns), name


def test_heads_that_excel_would_refuse_are_refused() -> None:
    twice = Study("prices", "", (), {"t": pd.DataFrame({"a b": ["x"], "a_b": ["y"]})}, {"run_id": washington().run_id})
    with pytest.warns(UserWarning), pytest.raises(PlanError, match="cannot head a table"):
        workbook_bytes(pack_of(washington(), studies={"prices": twice}))


def chart_of_drivers(lows: list[float]) -> tuple[str, ...]:
    """Ranges that the chart of a tornado draws; nothing where there is none."""
    drivers = pd.DataFrame({"driver": [f"d{i}" for i in range(len(lows))], "value_low_musd": lows})
    about = {"run_id": washington().run_id, "value_musd": 40.0}
    told = Study("tornado", "", (), {"drivers": drivers.assign(value_high_musd=50.0)}, about)
    data = workbook_bytes(pack_of(washington(), studies={"tornado": told}))[0]
    book, shown = (openpyxl.load_workbook(io.BytesIO(data), data_only=only) for only in (False, True))
    charts: list[Any] = book["sensitivities"]._charts
    for chart in charts:
        assert (chart.x_axis.scaling.orientation, chart.y_axis.scaling.orientation) == ("maxMin", "minMax")
        assert (book["tornado"]["F10"].value, shown["tornado"]["F10"].value) == ("=B10-E10", -8.0)
        assert shown["tornado"]["G10"].value == 10.0, "what a driver changes of the plan's value, not what it comes to"
    return tuple(str(series.val.numRef.f) for chart in charts for series in chart.series)


def test_a_tornado_is_drawn_without_what_has_no_plan() -> None:
    """The table's header stands in row 7; a driver without a plan at an end comes first, and would be drawn as 0."""
    nan = float("nan")
    assert chart_of_drivers([30, 31, 32]) == ("tornado!$F$8:$F$10", "tornado!$G$8:$G$10")
    assert chart_of_drivers([nan, 31, 32]) == ("tornado!$F$9:$F$10", "tornado!$G$9:$G$10")
    assert chart_of_drivers([30, nan, 32]) == chart_of_drivers([nan, nan, 32]) == ()


def test_no_number_is_without_its_key() -> None:
    """Counted by another reader: each cell with a number has its receipt; beside them stand the checks alone."""
    data, (sheets_, numbers, checks) = workbook_bytes(pack_of(washington(), studies=studies_of(washington())))
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    cells = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    held = sum(isinstance(value, int | float) for value in cells)
    difference_tolerance_and_fails, failing = 3 * checks, 1 + len(sheets_)
    assert numbers > 1000
    assert held == numbers + difference_tolerance_and_fails + failing


def test_a_frontier_is_drawn_to_scale() -> None:
    """Points at their distance along the budget, the first six rows of its table."""
    told = {"frontier": studies_of(washington())["frontier"]}
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(pack_of(washington(), studies=told))[0]))
    charts: list[Any] = book["sensitivities"]._charts
    (curve,) = charts[0].series
    assert (curve.xVal.numRef.f, curve.yVal.numRef.f) == ("frontier!$A$8:$A$13", "frontier!$B$8:$B$13")


def test_stale_edited_or_failing_plans_are_refused_or_stamped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults 120, 122: what must not be believed is not handed out as if it could be."""
    stale = washington().case.replace(capex_budget_musd=60)
    with pytest.raises(PlanError, match="other inputs"):
        write_workbook([folder], tmp_path / "a.xlsx", case=stale)
    assert write_workbook([folder], tmp_path / "a.xlsx", case=stale, force=True).stamps
    text = (folder / "cash.csv").read_text("utf-8")
    cell = re.search(r",(\d+\.\d+)\n", text)
    assert cell
    (folder / "cash.csv").write_text(text.replace(cell[1], "51.5", 1), "utf-8")
    with pytest.raises(PlanError, match="not as it was written"):
        write_workbook([folder], tmp_path / "b.xlsx")
    assert not (tmp_path / "b.xlsx").exists()


def test_a_plan_that_fails_its_audit_is_stamped_only_when_forced(folder: Path, tmp_path: Path) -> None:
    spoilt = replace(washington(), bound_musd=washington().bound_musd - 5)
    opt.save_plan(spoilt, tmp_path / "spoilt")
    with pytest.raises(AuditFault):
        write_workbook([tmp_path / "spoilt"], tmp_path / "a.xlsx")
    done = write_workbook([tmp_path / "spoilt"], tmp_path / "a.xlsx", force=True)
    assert done.stamps == ("FAILS ITS AUDIT",)


def test_plans_without_conversion_debt_or_doing_nothing() -> None:
    """Sheets say in words that there is nothing, and charts do not fail."""
    plan = opt.solve(mining_case().replace(capex_budget_musd=0))
    assert plan.starts.empty
    data, _ = workbook_bytes(pack_of(replace(plan, nothing=None, kpis={**plan.kpis, "do_nothing_value_musd": None})))
    said = {cell.text for sheet in book_of(data).sheets for cell in sheet.cells.values()}
    assert {"Nothing is built.", "No offer is signed."} <= said
    assert not differing(data)


def test_the_command_writes_a_workbook(folder: Path, tmp_path: Path, run: Run) -> None:
    code, told, _ = run("workbook", folder, "-o", tmp_path / "plan.xlsx", "--case", DATA / "washington_2025")
    assert code == 0
    assert "none fails" in told
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    assert {"summary", "MW", "cash flow", "capex", "debt", "contracts", "fleet", "assumptions", "sources", "audit",
            "checks"} <= set(book.sheetnames)  # fmt: skip
    assert sum(len(sheet._charts) for sheet in book) >= 3
    for sheet in book:
        assert sheet.freeze_panes
        assert sheet.page_setup.orientation == "landscape"
        assert washington().run_id in str(sheet.oddFooter.left.text)
    code, _, told = run("workbook", folder, "-o", tmp_path / "plan.csv")
    assert code != 0
    assert "ends with .xlsx" in told


# ---- a spreadsheet --------------------------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_reckons_the_same(tmp_path: Path) -> None:
    """The saved values are spoilt first, so that only formulas that are reckoned again can give them back."""
    settings = (
        '<?xml version="1.0"?><oor:items xmlns:oor="http://openoffice.org/2001/registry"><item '
        'oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">'
        "<value>0</value></prop></item></oor:items>"
    )
    (tmp_path / "home/user").mkdir(parents=True)
    (tmp_path / "home/user/registrymodifications.xcu").write_text(settings, "utf-8")
    data, spoilt = washington_file(), tmp_path / "a.xlsx"
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(spoilt, "w") as target:
        for name in source.namelist():
            target.writestr(name, re.sub(rb"(</f><v>)[^<]*", rb"\g<1>777", source.read(name)))
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to",
         "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "out"), str(spoilt)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    reckoned = {sheet.name: sheet for sheet in sheets.read_workbook((tmp_path / "out/a.xlsx").read_bytes()).sheets}
    for sheet in book_of(data).sheets:
        for at, cell in sheet.cells.items():
            if cell.formula is not None:
                assert float(reckoned[sheet.name].cells[at].text) == pytest.approx(float(cell.text), abs=1e-6)
