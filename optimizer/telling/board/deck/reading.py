"""A written deck read again: every text, number, chart and workbook in it is held against ledger and plan."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from openpyxl import load_workbook
from pptx import Presentation
from pptx.oxml.ns import qn

from optimizer.ground.errors import PlanError
from optimizer.telling.board.figures import GAP, Figure
from optimizer.telling.board.keys import Answers, Told
from optimizer.telling.board.ledger import Ledger
from optimizer.telling.board.pack import Pack

_SUSPECT = re.compile(r"\d|\{\{|\}\}|lorem ipsum", re.IGNORECASE)
_LEFTOVER = re.compile(r"\{\{|\}\}|lorem ipsum", re.IGNORECASE)
MOST_TOLD = 8


def refuse_unknown(data: bytes, pack: Pack, slides: int) -> None:
    """Raise PlanError where the file holds a number that stands for nothing in the plan, or has lost one."""
    problems = [*find_problems(data, pack.ledger, slides), *find_wrong_keys(pack)]
    if problems:
        more = f"\n  and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else ""
        told = "\n".join(f"  {problem}" for problem in problems[:MOST_TOLD])
        raise PlanError(f"The deck is not written; read again, it does not say what the plan says:\n{told}{more}")


def find_wrong_keys(pack: Pack) -> Iterator[str]:
    """Every figure shown or plotted of which the plan, asked again by the key, gives another number."""
    plans = {source.plan.run_id: source.plan for source in (pack.source, *pack.others)}
    answers = Answers({run: Told(plan, pack.named_studies, pack.audit) for run, plan in plans.items()})
    shown = [r.figure for lines in pack.ledger.lines.values() for line in lines.values() for r in line.receipts]
    plotted = [
        f for charts in pack.ledger.plots.values() for some in charts.values() for _, figures in some for f in figures
    ]
    for figure in dict.fromkeys(figure for figure in (*shown, *plotted) if figure is not None):
        if figure.amount is None:
            continue
        held = answers.worth(figure.amount)
        if abs(held - figure.value) > 1e-9 * max(1.0, abs(held)):
            yield f"{figure.key} is told as {figure.value!r}, and the plan holds {held!r}"


def find_problems(data: bytes, ledger: Ledger, slides: int) -> Iterator[str]:
    """Every way in which the presentation differs from its ledger, a sentence each."""
    presentation = Presentation(io.BytesIO(data))
    pages = list(presentation.slides)
    if len(pages) != slides:
        yield f"it has {len(pages)} slides where {slides} were written"
    for number, page in enumerate(pages, 1):
        yield from _slide_problems(page, ledger, number)
    for layout in {page.slide_layout.part.partname: page.slide_layout for page in pages}.values():
        for text in _paragraphs(layout.part._element):
            if _LEFTOVER.search(text):
                yield f"layout {layout.name}: {text!r} is left over"


def _slide_problems(page: Any, ledger: Ledger, number: int) -> Iterator[str]:
    lines = ledger.lines.get(number, {})
    found = list(_paragraphs(page.part._element))
    if page.has_notes_slide:
        found += _paragraphs(page.notes_slide.part._element)
    plots = dict(ledger.plots.get(number, {}))
    for shape in _charts(page.shapes):
        texts, problems = _chart_problems(shape, plots.pop(shape.name, None))
        found += texts
        yield from (f"slide {number}, {shape.name}: {problem}" for problem in problems)
    yield from (f"slide {number}: {name} is lost" for name in plots)
    for text in dict.fromkeys(found):
        line = lines.get(text)
        if line is None and _SUSPECT.search(text):
            yield f"slide {number}: {text!r} stands for nothing in the plan"
        elif line is not None:
            yield from _wrong_numbers(line.receipts, number)
    yield from (f"slide {number}: {text!r} is lost" for text in lines if text and text not in found)


def _wrong_numbers(receipts: Any, number: int) -> Iterator[str]:
    for receipt in receipts:
        if not receipt.holds():
            yield f"slide {number}: {receipt.text} is not {receipt.key}, which is {receipt.value!r}"


def _paragraphs(element: Any) -> Iterator[str]:
    """The text of every paragraph below an element, of shapes, groups, tables and labels alike."""
    for paragraph in element.iter(qn("a:p")):
        text = "".join(
            "\n" if part.tag == qn("a:br") else part.text or "" for part in paragraph.iter(qn("a:t"), qn("a:br"))
        )
        if text.strip():
            yield text


def _charts(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if shape.shape_type == 6:
            yield from _charts(shape.shapes)
        elif getattr(shape, "has_chart", False):
            yield shape


# ---- charts ---------------------------------------------------------------------------------------------------------


def _chart_problems(shape: Any, plotted: list[tuple[str, tuple[Figure, ...]]] | None) -> tuple[list[str], list[str]]:
    """The texts of a chart, and where its series or its workbook differ from what was plotted."""
    space = shape.chart._chartSpace
    texts = list(_paragraphs(space))
    if plotted is None:
        return texts, ["is a chart that stands for nothing in the plan; take it off the template's slide"]
    problems: list[str] = []
    series = list(space.iter(qn("c:ser")))
    if len(series) != len(plotted):
        problems.append(f"has {len(series)} series where {len(plotted)} were plotted")
    for one, (name, figures) in zip(series, plotted, strict=False):
        if _first_text(one, "c:tx") != name:
            problems.append(f"series {name!r} has another name")
        if not _same(_values(one, "c:val"), figures):
            problems.append(f"series {name!r} has other values than the plan")
    texts += [line for one in series for text in _texts(one, "c:cat") for line in text.split("\n")]
    texts += [name for name, _ in plotted]
    return texts, problems + _workbook_problems(shape.chart, plotted)


def _texts(series: Any, tag: str) -> list[str]:
    part = series.find(qn(tag))
    return [] if part is None else [value.text or "" for value in part.iter(qn("c:v"))]


def _first_text(series: Any, tag: str) -> str:
    return next(iter(_texts(series, tag)), "")


def _values(series: Any, tag: str) -> list[float | None]:
    """The numbers of a series; None at each point that has none."""
    points = {int(point.get("idx")): float(point[0].text) for point in series.find(qn(tag)).iter(qn("c:pt"))}
    many = next(series.find(qn(tag)).iter(qn("c:ptCount")))
    return [points.get(i) for i in range(int(many.get("val")))]


def _same(values: list[float | None], figures: tuple[Figure, ...]) -> bool:
    return len(values) == len(figures) and all(
        value is None if figure is GAP else value is not None and _near(value, figure.value)
        for value, figure in zip(values, figures, strict=True)
    )


def _near(value: float, wanted: float) -> bool:
    return abs(value - wanted) <= 1e-8 * max(1.0, abs(wanted))


def _workbook_problems(chart: Any, plotted: list[tuple[str, tuple[Figure, ...]]]) -> list[str]:
    """The embedded workbook holds the plotted series and their categories, as numbers and texts, and nothing else."""
    book = load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
    if len(book.worksheets) != 1:
        return ["its workbook has more than one sheet"]
    columns = list(book.worksheets[0].iter_cols())
    if any(cell.data_type == "f" or cell.hyperlink for column in columns for cell in column):
        return ["its workbook holds a formula or a link"]
    numbers = [
        [None if cell.value is None else float(cell.value) for cell in column[1:]]
        for column in columns[-len(plotted) :]
    ]
    labels = [
        cell
        for column in columns[: -len(plotted)]
        for cell in column
        if cell.data_type == "n" and cell.value is not None
    ]
    same = all(_same(values, figures) for values, (_, figures) in zip(numbers, plotted, strict=True))
    return [] if same and not labels else ["its workbook holds other figures than were plotted"]
