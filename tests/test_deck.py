"""Decks: every number traced, refusals and stamps, templates, names that mean harm, the file itself."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from conftest import ROOT, Run, mining_case
from deck_studies import bridge, save_studies
from defusedxml.ElementTree import fromstring
from pptx import Presentation
from pptx.util import Inches
from shared import solved_once
from small_cases import scenario_of, small_case

import optimizer as opt
from optimizer.case.origins import origin_of, read_origins
from optimizer.ground.errors import AuditFault, HouseFault, PlanError
from optimizer.plan.folder import save_plan
from optimizer.questions.studies.study import load_study, save_study
from optimizer.telling.board.blocks import WHOLE, Bar, Chart, Gantt, Lane, Paragraph, Series, Slide, Table, Texts
from optimizer.telling.board.deck import gather, write_deck
from optimizer.telling.board.deck.layout import open_frame
from optimizer.telling.board.deck.reading import find_problems, find_wrong_keys
from optimizer.telling.board.deck.story import tell
from optimizer.telling.board.deck.writer import assemble
from optimizer.telling.board.figures import Figure, Source, Word
from optimizer.telling.board.keys import kpi
from optimizer.telling.board.ledger import Ledger, Receipt, adds, plain_text
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.receipts import input_hash
from optimizer.telling.board.subjects.bridge import bridge as bridge_slide
from optimizer.telling.board.subjects.cash import ended
from optimizer.telling.board.subjects.megawatts import where_and_when

RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


@pytest.fixture(scope="module")
def folder(plan: opt.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny plan in its folder, with a study of each kind."""
    place = save_plan(plan, tmp_path_factory.mktemp("plans") / "tiny")
    save_studies(plan, place)
    return place


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan to compare with: a capex budget that builds nothing."""
    return save_plan(solved_once(mining_case(capex_budget_musd=0.0)), tmp_path_factory.mktemp("plans") / "poor")


@pytest.fixture(scope="module")
def written(folder: Path, other: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_deck(folder, tmp_path_factory.mktemp("decks") / "board.pptx", against=[other]).path


def pack_of(plan: opt.Plan) -> Pack:
    return Pack(Source(plan), Ledger(), opt.audit(plan.case, plan))


def texts_of(path: Path | io.BytesIO) -> list[str]:
    """The text of each slide, without its notes."""
    pages = Presentation(str(path) if isinstance(path, Path) else path).slides
    return ["\n".join(t.text or "" for t in page.part._element.iter("{*}t")) for page in pages]


# ---- the story ------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_titles_are_sentences_with_the_plans_numbers(plan: opt.Plan, written: Path) -> None:
    titles = [page.shapes.title.text_frame.text for page in Presentation(str(written)).slides]
    over, further = (f"${plan.kpis[f'value_over_{name}_musd']:,.1f}M" for name in ("do_nothing", "mining_on"))
    assert titles[0].startswith("Converting ")
    assert titles[0].endswith(f"adds {over} over doing nothing, {further} over mining on")
    assert len(set(titles)) == len(titles)
    assert all(re.search(r"\d", title) or "decides what" in title for title in titles)


@pytest.mark.core
def test_bridge_ties_to_the_value_over_doing_nothing(plan: opt.Plan) -> None:
    """A line left out of a group would leave the last bar away from the plan's value."""
    slide = bridge_slide(pack_of(plan))
    assert slide is not None
    (_, chart), *_ = slide.blocks
    assert isinstance(chart, Chart)
    base, above, below = (series.values for series in chart.series)
    ends = [
        b.value + a.value if b.value >= 0 and a.value > 0 else b.value + c.value
        for b, a, c in zip(base, above, below, strict=True)
    ]
    assert plan.value_musd == pytest.approx(ends[-1])
    changes = sum(_signed(chart, i) for i in range(1, len(ends) - 1))
    assert changes == pytest.approx(plan.kpis["value_over_do_nothing_musd"])


def _signed(chart: Chart, i: int) -> float:
    """A change is what is seen above and below zero, up where it is good."""
    seen = chart.series[1].values[i].value - chart.series[2].values[i].value
    return seen if chart.series[1].roles[i] == "good" else -seen


def test_a_plan_without_conversion_says_so(other: Path, tmp_path: Path) -> None:
    deck = write_deck(other, tmp_path / "poor.pptx")
    assert deck.titles[0].startswith("No conversion is proposed")
    assert any(title.startswith("No megawatt is converted") for title in deck.titles)
    assert len(deck.missing) == 5 and all(command.endswith(f" {other.name}") for command in deck.missing)
    assert all(command in texts_of(deck.path)[-1] for command in (re.sub(r"\s+", " ", c) for c in deck.missing))


def test_a_plan_that_does_nothing_at_all_is_told_in_words_and_without_an_empty_slide(tmp_path: Path) -> None:
    case = mining_case(capex_budget_musd=0.0)
    low = [row.model_copy(update={"hashprice_usd_per_ph_day": 1.0}) for row in case.bitcoin]
    idle = solved_once(case.replace(bitcoin=low))
    titles = write_deck(save_plan(idle, tmp_path / "idle"), tmp_path / "idle.pptx").titles
    assert "No megawatt is converted, and nothing mines" in titles
    assert any(re.fullmatch(r"Assumed: hashprice is \$1 per PH and day in \w+ and in \w+", title) for title in titles)
    assert not any(re.match(r"0 |.* 0 gross MW", title) for title in titles)
    assert "Start no hall; nothing mines in" in texts_of(tmp_path / "idle.pptx")[0]
    assert all("none converts" not in title for title in titles), "a chart without a bar"


@pytest.mark.parametrize(
    ("starts", "title"),
    [
        ([("north", "2027Q1", "2027Q3")], "north starts in 2027Q1 and is in service in 2027Q3"),
        (
            [("north", "2027Q1", "2027Q3"), ("north", "2027Q2", "2027Q4")],
            "north starts first, in 2027Q1; the last hall",
        ),
        ([("south", "2027Q1", "2027Q3"), ("north", "2027Q1", "2027Q4")], "south and north start first, in 2027Q1; the"),
        (
            [("north", "2026Q2", "2027Q3"), ("south", "2027Q2", "2027Q4")],
            "north was started before; south starts next, in 2027Q2; the last hall is in service in 2027Q4",
        ),
        ([("north", "2026Q2", "2027Q3")], "north was started before; the last hall is in service in 2027Q3"),
    ],
)
def test_sites_that_start_in_one_quarter_are_both_the_first(
    plan: opt.Plan, starts: list[tuple[str, str, str]], title: str
) -> None:
    rows = pd.concat([plan.starts.head(1)] * len(starts), ignore_index=True)
    rows[["site", "start_quarter", "service_quarter"]] = starts
    pack = pack_of(replace(plan, tables={**plan.tables, "starts": rows}))
    assert pack.ledger.plain(where_and_when(pack)[0].title).startswith(title)


@pytest.mark.parametrize("seed", [13, 46, 57])
def test_decks_of_random_cases_trace_every_number(seed: int, tmp_path: Path) -> None:
    """Among them: halls decided before, GPUs, loans, a lowest quarter that is the last, nothing converted."""
    _write_random(seed, tmp_path)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 160))
def test_decks_of_many_random_cases_trace_every_number(seed: int, tmp_path: Path) -> None:
    _write_random(seed, tmp_path)


def _write_random(seed: int, tmp_path: Path) -> None:
    try:
        plan = solved_once(small_case(seed), scenario_of(seed))
    except opt.Infeasible:
        pytest.skip("no plan keeps every rule")
    folder = save_plan(plan, tmp_path / "plan")
    save_studies(plan, folder)
    deck = write_deck(folder, tmp_path / "board.pptx")
    assert len(set(deck.titles)) == len(deck.titles) >= 12


def test_fault_139_rounding_that_does_not_add_is_noted() -> None:
    parts = [Figure(kpi("a"), 0.04), Figure(kpi("b"), 0.04)]
    assert adds(parts, Figure(kpi("total"), 0.08)) and not adds(parts, Figure(kpi("total"), 0.04))


# ---- receipts -------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_every_number_stands_in_the_notes_with_its_key(written: Path) -> None:
    page = Presentation(str(written)).slides[0]
    notes = page.notes_slide.notes_text_frame.text
    assert "figures/value_over_do_nothing_musd" in notes and "figures/capex_new_musd" in notes
    others = [page.notes_slide.notes_text_frame.text for page in Presentation(str(written)).slides]
    assert max(len(line) for text in others for line in text.split("\n")) < 1000


@pytest.mark.core
def test_a_digit_without_receipt_cannot_be_written() -> None:
    with pytest.raises(HouseFault, match="without receipt"):
        Ledger().set_down(1, "adds $412M")


def test_fault_138_a_number_that_is_none_is_refused() -> None:
    for told in (Ledger().money, Ledger().number, Ledger().percent):
        with pytest.raises(PlanError, match=r"figures/value_musd has no value"):
            told(Figure(kpi("value_musd"), float("nan")))
    with pytest.raises(PlanError, match="has no value"):
        Ledger().plot(1, "chart:x", "x", [Figure(kpi("cash"), float("inf"))])


@pytest.mark.parametrize(("text", "value", "decimals", "holds"), [
    ("−$11.5M", -11.51, 1, True), ("$11.5M", -11.51, 1, False), ("$1,652.7M", 1652.669, 1, True),
    ("$1,652.6M", 1652.669, 1, False), ("14.2%", 14.2459, 1, True), ("+$0.1M", 0.149, 1, True),
])  # fmt: skip
def test_a_receipt_holds_at_the_precision_shown(text: str, value: float, decimals: int, holds: bool) -> None:
    assert Receipt("key", text, value, decimals).holds() is holds


def changed(path: Path, part: str, old: str, new: str) -> bytes:
    """The file with a text replaced in the parts whose names match."""
    stream, hit = io.BytesIO(), False
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(stream, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if re.fullmatch(part, name) and old.encode() in data:
                data, hit = data.replace(old.encode(), new.encode(), 1), True
            target.writestr(name, data)
    assert hit, f"{old} is not in {part}"
    return stream.getvalue()


def test_fault_140_a_file_that_says_something_else_is_found_out(folder: Path, other: Path) -> None:
    """A number of a text, of a chart and of a note changed, a text added: each is told."""
    pack = gather(folder, [other], None, None, False)
    slides = tell(pack)
    data = assemble(open_frame(None), pack, slides)
    assert not list(find_problems(data, pack.ledger, len(slides)))
    path = folder / "board.pptx"
    path.write_bytes(data)
    value = f"{pack.plan.kpis['value_over_do_nothing_musd']:,.1f}"
    for part, old, new, told in (
        (r"ppt/slides/slide1\.xml", value, "999.9", "stands for nothing in the plan"),
        (r"ppt/slides/slide1\.xml", "The board is asked", "{{title}} is asked", "stands for nothing"),
        (r"ppt/charts/chart\d+\.xml", "<c:v>0.0</c:v>", "<c:v>1.5</c:v>", "other values than the plan"),
        (r"ppt/notesSlides/notesSlide1\.xml", value, "999.9", "stands for nothing"),
        (r"ppt/slideLayouts/.*\.xml", "Click to edit", "{{company}}", "left over"),
    ):
        problems = list(find_problems(changed(path, part, old, new), pack.ledger, len(slides)))
        assert any(told in problem for problem in problems), (part, problems)


def test_keys_are_asked_again_and_must_give_the_number_that_is_told(folder: Path, other: Path) -> None:
    """Every number of a full deck but those of its pages can be asked for; one with another's key is told."""
    pack = gather(folder, [other], None, None, False)
    assemble(open_frame(None), pack, tell(pack))
    assert not list(find_wrong_keys(pack))
    figures = [r.figure for lines in pack.ledger.lines.values() for line in lines.values() for r in line.receipts]
    plotted = [figure for charts in pack.ledger.plots.values() for some in charts.values() for _, told in some
               for figure in told]  # fmt: skip
    without = [figure for figure in (*figures, *plotted) if figure is not None and figure.amount is None]
    assert [figure.value for figure in without] == list(range(1, len(pack.ledger.lines) + 1))
    assert sum(figure is not None for figure in figures) > 200 and len(plotted) > 100
    wrong = Figure(kpi("capex_musd"), 1.0)
    pack.ledger.set_down(1, pack.ledger.money(wrong))
    assert any("figures/capex_musd is told as 1.0" in problem for problem in find_wrong_keys(pack))


# ---- refusals and stamps --------------------------------------------------------------------------------------------


def test_an_edited_plan_is_refused_or_stamped_on_every_slide(folder: Path, tmp_path: Path) -> None:
    place = shutil.copytree(folder, tmp_path / "edited")
    record = (place / "cash.csv").read_text("utf-8")
    (place / "cash.csv").write_text(record.replace("base", "base", 1) + "\n", "utf-8")
    with pytest.raises(PlanError, match="not as it was written"):
        write_deck(place, tmp_path / "board.pptx")
    assert not (tmp_path / "board.pptx").exists()
    deck = write_deck(place, tmp_path / "board.pptx", force=True)
    assert all("EDITED SINCE IT WAS SOLVED" in text for text in texts_of(deck.path))


def test_a_plan_that_fails_its_audit_is_refused_or_stamped(plan: opt.Plan, tmp_path: Path) -> None:
    wrong = replace(plan, kpis={**plan.kpis, "capex_musd": plan.kpis["capex_musd"] + 7})
    place = save_plan(wrong, tmp_path / "wrong")
    with pytest.raises(AuditFault):
        write_deck(place, tmp_path / "board.pptx")
    deck = write_deck(place, tmp_path / "board.pptx", force=True)
    assert all("FAILS ITS AUDIT" in text for text in texts_of(deck.path))


def test_fault_122_a_plan_that_its_case_has_moved_on_from_is_refused_or_stamped(
    folder: Path, plan: opt.Plan, tmp_path: Path
) -> None:
    moved_on = plan.case.replace(capex_budget_musd=plan.case.settings.capex_budget_musd + 1)
    with pytest.raises(PlanError, match=r"other inputs.*case\.toml"):
        write_deck(folder, tmp_path / "board.pptx", case=moved_on)
    assert write_deck(folder, tmp_path / "board.pptx", case=plan.case).stamps == ()
    deck = write_deck(folder, tmp_path / "board.pptx", case=moved_on, force=True)
    assert all("STALE" in text for text in texts_of(deck.path))


def test_a_study_of_another_run_is_refused_or_stamped(folder: Path, tmp_path: Path) -> None:
    place = shutil.copytree(folder, tmp_path / "stale")
    study = place / "studies" / "tornado" / "study.json"
    study.write_text(
        study.read_text("utf-8").replace(json.loads(study.read_text("utf-8"))["about"]["run_id"], "0" * 12)
    )
    with pytest.raises(PlanError, match="study of run 000000000000"):
        write_deck(place, tmp_path / "board.pptx")
    deck = write_deck(place, tmp_path / "board.pptx", force=True)
    assert all("STALE STUDY: TORNADO" in text for text in texts_of(deck.path))


def test_every_slide_has_run_inputs_word_and_page(plan: opt.Plan, written: Path) -> None:
    for number, text in enumerate(texts_of(written), 1):
        assert f"Run {plan.run_id}   inputs {input_hash(plan)}   {plan.word}" in text
        assert text.endswith(f"\n{number}") or f"\n{number}\n" in text


# ---- the file -------------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_the_package_is_well_formed_and_survives_a_round_trip(written: Path) -> None:
    with zipfile.ZipFile(written) as package:
        names = package.namelist()
        assert len(set(names)) == len(names)
        for name in names:
            if name.endswith((".xml", ".rels")):
                fromstring(package.read(name))
        assert not list(_dangling(package))
    presentation = Presentation(str(written))
    stream = io.BytesIO()
    presentation.save(stream)
    assert texts_of(stream) == texts_of(written)


def _dangling(package: zipfile.ZipFile) -> Iterator[str]:
    """Relationships that lead nowhere, or out of the file."""
    for name in package.namelist():
        if name.endswith(".rels"):
            room = Path(name).parent.parent
            for one in fromstring(package.read(name)).iter(RELATION):
                target = one.attrib["Target"]
                at = target.lstrip("/") if target.startswith("/") else _normal(room / target)
                if one.get("TargetMode") == "External" or at not in package.namelist():
                    yield f"{name}: {target}"


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def test_fault_135_a_charts_workbook_holds_what_is_plotted_and_nothing_else(written: Path) -> None:
    """Opened one by one: one sheet, whose cells are the chart's categories, names and values; no formula, no name."""
    charts = [shape.chart for page in Presentation(str(written)).slides for shape in page.shapes if shape.has_chart]
    assert len(charts) >= 6
    for chart in charts:
        plotted: list[object] = []
        for plot in chart.plots:
            plotted += [label for labels in plot.categories.flattened_labels for label in labels]
            for series in plot.series:
                plotted += [series.name, *series.values]
        book = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
        assert (len(book.worksheets), list(book.defined_names)) == (1, [])
        held = {cell.value for row in book.active.iter_rows() for cell in row if cell.value is not None}
        assert held <= {str(one) if isinstance(one, str) else one for one in plotted}
        assert not any(cell.data_type == "f" for row in book.active.iter_rows() for cell in row)


def test_fault_136_equal_plans_give_equal_bytes_and_no_ones_name(
    plan: opt.Plan, folder: Path, other: Path, written: Path, tmp_path: Path
) -> None:
    again = write_deck(folder, tmp_path / "again.pptx", against=[other]).path
    assert again.read_bytes() == written.read_bytes()
    core = Presentation(str(again)).core_properties
    assert core.author == core.last_modified_by == f"mw-allocation-optimizer {plan.provenance['optimizer']}"
    assert core.created == core.modified and core.created.date() == opt.load_plan(folder).case.settings.as_of
    with zipfile.ZipFile(again) as package:
        everything = b"".join(package.read(name) for name in package.namelist())
        assert not [name for name in package.namelist() if "thumbnail" in name or "printerSettings" in name]
    assert b"Canny" not in everything and b"PowerPoint Presentation" not in everything


def test_smallest_text_is_readable(written: Path) -> None:
    for page in Presentation(str(written)).slides:
        for shape in page.shapes:
            if shape.has_text_frame and shape.name not in ("footer", "page", "stamp"):
                sizes = [run.font.size for p in shape.text_frame.paragraphs for run in p.runs if run.font.size]
                assert all(size.pt >= 12 for size in sizes), shape.text_frame.text


# ---- names ----------------------------------------------------------------------------------------------------------

HARM = (
    '=HYPERLINK("http://x.invalid","{n}")', "=1+{n}", "+{n}", "-{n}", "@SUM(A{n})", "=cmd|'/C calc'!A{n}", "\t={n}",
    "http://x.invalid/{n}", "mailto:a@x.invalid?{n}", "{{{{name{n}}}}}", "<a:p>{n}</a:p>", "]]>&amp;{n}",
    "قطار {n} مركز",
    "\u202eevil{n}", "名前{n}", "'={n}", '"{n}"', "_x000D_{n}", "a\x0bb{n}", "$B${n}",
)  # fmt: skip


def test_a_thousand_hostile_names_are_texts() -> None:
    """In titles, texts, tables, bars, categories and series: as they are, never a formula and never a link."""
    names = [form.format(n=n) for n in range(1, 51) for form in HARM]
    assert len(names) == 1000
    pack = _pack_without_plan()
    slides = tuple(_slide_of(pack.ledger, names[i : i + 20]) for i in range(0, 1000, 20))
    data = _assembled(pack, slides)
    assert not list(find_problems(data, pack.ledger, len(slides)))
    found = "\n".join(texts_of(io.BytesIO(data)))
    assert all(plain_text(name) in found for name in names)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert not list(_dangling(package))
        assert not any(b"hlinkClick" in package.read(name) for name in package.namelist())
        books = [package.read(name) for name in package.namelist() if name.endswith(".xlsx")]
    assert len(books) == 50
    for book in books:
        cells = [cell for row in openpyxl.load_workbook(io.BytesIO(book)).active.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
        assert sum(cell.data_type == "s" for cell in cells) == 21


def _pack_without_plan() -> Pack:
    case = mining_case()
    plan = opt.Plan(
        case, "base", "optimal", 0.0, 0.0, 0.0, {}, {}, {}, None, {"inputs_sha256": {}, "optimizer": "0"},
    )  # fmt: skip
    return Pack(Source(plan), Ledger(), None)  # type: ignore[arg-type]


def _slide_of(ledger: Ledger, names: list[str]) -> Slide:
    told = [ledger.word(Word("name", name)) for name in names]
    values = tuple(Figure(kpi("value"), float(i)) for i in range(len(names)))
    chart = Chart("chart:names", "columns", tuple(told), (Series(told[0], values, "strong"),))
    table = Table("table:names", (told[0],), tuple((name,) for name in told), (1.0,), "l")
    gantt = Gantt("gantt", 10, ((0, told[1]),), tuple(Lane(name, (Bar(0, 9, "mining", (name,)),)) for name in told))
    texts = Texts(tuple(Paragraph(name) for name in told))
    return Slide("names", told[0], ((WHOLE, chart), (WHOLE, table), (WHOLE, gantt), (WHOLE, texts)))


def _assembled(pack: Pack, slides: tuple[Slide, ...]) -> bytes:
    return assemble(open_frame(None), pack, slides)


def test_names_in_arabic_stand_between_marks_of_direction() -> None:
    """So that the numbers beside them stay where they are written."""
    assert plain_text("مركز الشرق") == "\u200eمركز الشرق\u200e"
    assert plain_text("  a\n b\u202e ") == "a b"


def test_a_title_that_is_long_gets_smaller_until_it_has_two_lines() -> None:
    pack = _pack_without_plan()
    name = pack.ledger.word(Word("name", "The great northern campus of the creek and its substations " * 3))
    data = _assembled(pack, (Slide("long", f"Converting {name} adds nothing", ()), Slide("short", "Nothing", ())))
    long, short = (page.shapes.title.text_frame.paragraphs[0].runs[0] for page in Presentation(io.BytesIO(data)).slides)
    assert 18 <= long.font.size.pt < 26 and short.font.size is None
    assert long.text.endswith("adds nothing")


# ---- templates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def template(tmp_path: Path, folder: Path) -> Path:
    """A company's template: its colours, a 4:3 page, a slide of its own, and a chart of ours restyled in red."""
    from pptx.dml.color import RGBColor

    presentation = Presentation()
    for number in range(2):
        page = presentation.slides.add_slide(presentation.slide_layouts[5])
        page.shapes.title.text_frame.text = f"Sample slide {number + 7}"
    data = __import__("pptx.chart.data", fromlist=["x"]).CategoryChartData()
    data.categories = ["a", "b"]
    data.add_series("one", (1, 2))
    frame = page.shapes.add_chart(52, Inches(1), Inches(2), Inches(6), Inches(4), data)
    frame.name = "chart:megawatts"
    fill = frame.chart.plots[0].series[0].format.fill
    fill.solid()
    fill.fore_color.rgb = RGBColor(200, 0, 0)
    path = tmp_path / "company.pptx"
    presentation.save(str(path))
    return path


def test_a_template_keeps_its_page_and_its_charts_styling(
    folder: Path, template: Path, plan: opt.Plan, tmp_path: Path
) -> None:
    deck = write_deck(folder, tmp_path / "board.pptx", template=template)
    presentation = Presentation(str(deck.path))
    assert (presentation.slide_width, presentation.slide_height) == (9144000, 6858000)
    page = presentation.slides[1]
    chart = next(shape for shape in page.shapes if shape.name == "chart:megawatts").chart
    assert "C80000" in chart._chartSpace.xml
    mined = plan.megawatts.loc["mining"]
    assert list(chart.plots[0].series[0].values) == pytest.approx(list(mined))
    assert not any("Sample slide" in text for text in texts_of(deck.path))
    assert [page.slide_layout.name for page in presentation.slides] == ["Title Only"] * len(presentation.slides)


def test_what_a_templates_slide_says_is_refused_if_it_is_no_number_of_the_plan(
    folder: Path, template: Path, tmp_path: Path
) -> None:
    presentation = Presentation(str(template))
    box = presentation.slides[1].shapes.add_textbox(0, 0, Inches(2), Inches(1))
    box.text_frame.text = "NPV of 412 in {{case}}"
    presentation.save(str(template))
    with pytest.raises(PlanError, match=r"NPV of 412 in \{\{case\}\}.* stands for nothing"):
        write_deck(folder, tmp_path / "board.pptx", template=template)
    assert not (tmp_path / "board.pptx").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_template_is_refused_in_a_sentence(folder: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pptx").write_bytes(content)
    with pytest.raises(PlanError, match="cannot be used as a template"):
        write_deck(folder, tmp_path / "board.pptx", template=tmp_path / "bad.pptx")


# ---- comparison, sources, the command -------------------------------------------------------------------------------


def test_the_bridge_between_two_plans_is_told_where_it_was_made(folder: Path, other: Path, tmp_path: Path) -> None:
    first, second = opt.load_plan(folder), opt.load_plan(other)
    place = shutil.copytree(other, tmp_path / "poor")
    save_study(bridge(first, second), place / "studies" / f"bridge-{first.run_id}")
    deck = write_deck(folder, tmp_path / "board.pptx", against=[place])
    assert any(title.startswith("The largest step from") for title in deck.titles) and not deck.missing
    with pytest.raises(PlanError, match="compared with itself"):
        write_deck(folder, tmp_path / "board.pptx", against=[folder])


def test_sources_are_found_by_file_and_name() -> None:
    origins = read_origins(None, ROOT / "data" / "bitfarms_2025")
    budget = origin_of(origins, "case.toml", "capex_budget_musd")
    assert budget is not None and budget.confidence == "J" and budget.value == "550"
    refinancing = origin_of(origins, "facilities", "Refinancing 2031")
    offers = origin_of(origins, "offers", kind="colocation")
    assert refinancing is not None and "straight notes" in refinancing.value
    assert offers is not None and "(colocation)" in offers.inputs
    assert origin_of(origins, "facilities", "unheard of") is None


def test_a_list_of_sources_shows_in_the_assumptions(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "SOURCES.md").write_text(
        "| file | value | origin, date | confidence |\n|---|---|---|---|\n| case.toml `capex_budget_musd` | 9 | the "
        "board's paper of 3 May | H |\n", "utf-8",
    )  # fmt: skip
    deck = write_deck(folder, tmp_path / "board.pptx", sources=tmp_path / "SOURCES.md")
    assert any("the board's paper of 3 May" in text for text in texts_of(deck.path))
    with pytest.raises(PlanError, match="cannot be read as a list of sources"):
        write_deck(folder, tmp_path / "board.pptx", sources=tmp_path / "none.md")


def test_the_command_writes_tells_and_refuses(run: Run, folder: Path, other: Path, tmp_path: Path) -> None:
    code, out, err = run("deck", folder, "--against", other, "-o", tmp_path / "b.pptx")
    assert code == 0 and "numbers traced" in out and "Converting" in out and "--bridge" in err
    code, _, err = run("deck", folder, "-o", tmp_path / "b.ppt")
    assert code == 7 and "ends with .pptx" in err
    code, _, err = run("deck", tmp_path / "nowhere", "-o", tmp_path / "b.pptx")
    assert code == 7 and "Traceback" not in err


def test_a_study_with_texts_under_names_like_numbers_is_read(folder: Path) -> None:
    table = load_study(folder / "studies" / "breakevens").tables["breakevens"]
    assert table["decision_below"].iloc[0] == "mines on" and table["below"].dtype == float


def test_labels_of_lines_that_end_together_stand_on_no_line_and_apart() -> None:
    """Liquidity falls to the minimum of 50, cash below it to 0 and back: their labels stand below, in two places."""

    def line(name: str, *values: float) -> Series:
        return Series(name, tuple(Figure(kpi(name), value) for value in values), "strong")

    liquidity = line("liquidity", *range(700, 100, -50), *[100.0] * 8, *[50.0] * 12)
    cash = line("cash", *range(600, 0, -50), *[0.0] * 6, 0.0, 25.0, *[50.0] * 12)
    least, idle = line("minimum", *[50.0] * 32), line("idle", *[500.0] * 20, *range(40, -200, -20))
    for first in (cash, least):
        second = least if first is cash else cash
        one = ended(first, "one", [liquidity], [second, idle])
        other = ended(second, "other", [liquidity, one], [idle])
        told = {series.name: series.label_at for series in (one, other)}
        assert told["cash"] is not None and told["minimum"] is not None
        (at_cash, below_cash), (at_least, below_least) = told["cash"], told["minimum"]
        assert below_cash == "below" and 12 <= at_cash <= 18, "where cash is low, nothing is below it"
        assert below_least == "below" and (at_least <= 8 or at_least >= 20), "where cash is above or on the minimum"
        assert abs(at_cash - at_least) > len(cash.values) // 10
