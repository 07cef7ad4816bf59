"""The sheets beside the plan's own: other plans, studies, the inputs and their sources, the audit, the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from optimizer.case.case import TABLE_NAMES
from optimizer.case.origins import HEADS, Origin
from optimizer.plan.figures import FIGURES, figures_of
from optimizer.plan.figures.room import AT
from optimizer.plan.power_uses import uses_of
from optimizer.questions.studies.study import NUMERIC, Study
from optimizer.telling.board.keys import Amount, Key, Reckoned, at, kpi
from optimizer.telling.board.receipts import input_hash
from optimizer.telling.board.subjects.comparison import date_of
from optimizer.telling.board.subjects.figures import COMPARED
from optimizer.telling.board.tables import NONE, audit_table, head_of, input_table, look_of, provenance, settings_of
from optimizer.telling.board.workbook.charts import CHART_ROWS, Series, add_bars, add_curve
from optimizer.telling.board.workbook.plan_sheets import LOOKS
from optimizer.telling.board.workbook.sheets import COLOURS, HEAD_HEIGHT, HEAD_ROWS, Sheet, Workbook, about, is_missing
from optimizer.telling.board.workbook.tables import letters, section, span, write_grid, write_sums, write_table

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan

SECTION_HIGH = 19
NUMBER_WIDE, TEXT_WIDE = 13, 44
"""Widths of columns of numbers, and at most of texts, in characters."""
BY_QUARTER = ("tariffs", "own_plants", "bitcoin", "product_markets", "base_rates", "indices", "usage", "overheads")
"""Tables with a row for each quarter, which have a sheet of their own."""

# ---- comparison ---------------------------------------------------------------------------------------------------


def write_comparison(desk: Workbook, plans: Sequence[Plan], names: Sequence[str]) -> None:
    """The plans side by side: what they stand on, their figures, and what each differs from the first by."""
    if len(plans) < 2:
        return
    sheet = desk.add("comparison", "Comparison of plans; differences are from the first")
    _write_figures(sheet, _write_bases(sheet, HEAD_ROWS, plans, names) + 1, plans, names)
    sheet.widths(42, 25, last=3 * len(plans))
    sheet.at.freeze_panes(HEAD_ROWS, 1)


def _write_bases(sheet: Sheet, row: int, plans: Sequence[Plan], names: Sequence[str]) -> int:
    """What the plans were solved from and how well; where they differ, their figures do not measure the same thing."""
    sheet.text(row, 0, "What the plans stand on", "section")
    for column, words in enumerate(["", *names, "Alike"]):
        sheet.text(row + 1, column, words, "head")
    cases = [(plan, plan.case, plan.case.settings) for plan in plans]
    told = (
        ("Case", [settings.name for _, _, settings in cases]),
        ("Scenario", [plan.scenario for plan in plans]),
        ("As of", [str(settings.as_of) for _, _, settings in cases]),
        ("First quarter", [str(case.first) for _, case, _ in cases]),
        ("Values below are dated at the start of", [date_of(plans) or str(plans[0].case.first)] * len(plans)),
        ("Last quarter of the horizon", [str(case.last) for _, case, _ in cases]),
        ("Currency and basis", [f"{settings.currency}, {settings.money_basis}" for _, _, settings in cases]),
        ("Inputs", [input_hash(plan) for plan in plans]),
        ("Status", [plan.word for plan in plans]),
        ("Run", [plan.run_id for plan in plans]),
    )
    for number, (words, values) in enumerate(told, row + 2):
        sheet.text(number, 0, words)
        for column, value in enumerate(values, 1):
            sheet.text(number, column, value)
        sheet.text(number, 1 + len(plans), "yes" if len(set(values)) == 1 else "differs", "note")
    return row + 2 + len(told)


def _write_figures(sheet: Sheet, row: int, plans: Sequence[Plan], names: Sequence[str]) -> None:
    """Figures of each plan, and live differences; of the value, the interval that both gaps leave."""
    count, date, first = len(plans), date_of(plans), plans[0]
    sheet.text(row, 0, "Figures", "section")
    sheet.heads(row + 1, 0, ["", *names, *(f"{name}, less the first" for name in names[1:])], 1)
    for number, name in enumerate(COMPARED, row + 2):
        known, look = FIGURES[name], LOOKS[FIGURES[name].unit]
        key = f"{name}{AT}{date}" if known.dated and date else name
        has = [figures_of(plan).has(key) for plan in plans]
        sheet.text(number, 0, known.label)
        for column, plan in enumerate(plans, 1):
            if has[column - 1]:
                sheet.number(number, column, kpi(key, plan.run_id), look)
            else:
                sheet.text(number, column, plan.missing(name), "note")
            if column > 1 and has[0] and has[column - 1]:
                less = Reckoned("less", (kpi(key, plan.run_id), kpi(key, first.run_id)))
                formula = f"={letters(column)}{number + 1}-B{number + 1}"
                sheet.formula(number, count + column - 1, formula, less, look)
            elif column > 1:
                sheet.text(number, count + column - 1, NONE, "note")
    end = row + 2 + len(COMPARED)
    for offset, (words, theirs, mine) in enumerate((("at least", "value", "bound"), ("at most", "bound", "value"))):
        sheet.text(end + offset, 0, f"Value, {words} (both gaps counted)", "note")
        for other, plan in enumerate(plans[1:], 1):
            ends = (Key("record", f"{theirs}_musd", plan=plan.run_id), Key("record", f"{mine}_musd", plan=first.run_id))
            if date:
                sheet.text(end + offset, count + other, "begin apart", "note")
            else:
                sheet.number(end + offset, count + other, Reckoned("less", ends))


def write_other(desk: Workbook, plan: Plan, name: str) -> None:
    """Another plan on one sheet: its megawatts by use, its cash and its liquidity by quarter."""
    sheet = desk.add(name, f"Another plan: {name}")
    sheet.text(1, 0, about(plan), "case")
    sheet.text(2, 0, f"{plan.word}   run {plan.run_id}   inputs {input_hash(plan)}", "case")
    quarters, run, there = list(plan.cash["quarter"]), plan.run_id, set(plan.allocation["use"])

    def mw(quarter: str, **use: str) -> Amount:
        return at("allocation", "gross_mw", "sum", run, quarter=quarter, **use)

    sheet.text(HEAD_ROWS, 0, "Gross MW by use", "section")
    uses = [(use,) for use in uses_of(plan) if use in there]
    grid = write_grid(
        sheet, HEAD_ROWS + 1, uses, ["Use"], quarters, lambda label, quarter: mw(quarter, use=label[0]), "mw"
    )
    total = write_sums(sheet, grid, "All sites", mw, "mw total")
    for quarter, column in grid.columns.items():
        desk.tie(f"{name}: gross MW of {quarter}", sheet.cell(total, column), mw(quarter))
    sheet.text(total + 2, 0, "Money, $M", "section")
    measures = {"Capex": ("capex_to_date", "capex"), "Closing cash": ("cash", "closing"),
                "Liquidity": ("cash", "liquidity"), "Minimum": ("cash", "minimum")}  # fmt: skip

    def money(label: tuple[str, ...], quarter: str) -> Amount:
        room, column = measures[label[0]]
        return at(room, f"{column}_musd", "sum", run, quarter=quarter)

    write_grid(sheet, total + 3, [(words,) for words in measures], [""], quarters, money, "musd")
    sheet.widths(30, 8, last=len(quarters))
    sheet.wide(1)


# ---- studies ------------------------------------------------------------------------------------------------------


def write_sensitivities(desk: Workbook, studies: Mapping[str, Study]) -> None:
    """What each study kept with the plan answers, in words and where one says more in a chart; its tables behind."""
    if not studies:
        return
    sheet = desk.add("sensitivities", "Sensitivities: what was asked of this plan and found by solving again")
    row = HEAD_ROWS
    for place, study in studies.items():
        sheet.text(row, 0, study.title, "section")
        behind, heads = _write_tables(desk, place, study)
        for number, words in enumerate((*study.words, f"Its tables are on the sheet {behind.name}."), row + 1):
            sheet.text(number, 0, words, "note")
        sheet.at.set_row(row, SECTION_HIGH)
        row += len(study.words) + 3
        row += _add_chart_of(sheet, row, study, behind, heads)
    sheet.widths(34, 17, last=16)
    sheet.at.freeze_panes(HEAD_ROWS, 0)


def _write_tables(desk: Workbook, place: str, study: Study) -> tuple[Sheet, Mapping[str, int]]:
    """A study's tables on a sheet of their own, its columns as wide as their texts need; the rows of their headers."""
    sheet = desk.add(place, study.title or study.kind)
    tables = {name: table.reset_index(drop=True) for name, table in study.tables.items()}
    widths: dict[int, int] = {}
    for table in tables.values():
        for column, field in enumerate(table.columns):
            longest = max([len(head_of(str(field))), *(len(str(value)) for value in table[field])])
            need = NUMBER_WIDE if field in _numeric(table) else min(max(longest + 2, NUMBER_WIDE), TEXT_WIDE)
            widths[column] = max(widths.get(column, 0), need)
    for column, width in widths.items():
        sheet.at.set_column(column, column, width)
    heads, row = {}, HEAD_ROWS
    for name, table in tables.items():
        sheet.text(row, 0, name.replace("_", " ").capitalize(), "section")
        heads[name] = row + 1
        row = _write_study_table(sheet, row + 1, table, (place, name), widths)
    sheet.at.freeze_panes(HEAD_ROWS, 1)
    return sheet, heads


def _numeric(table: pd.DataFrame) -> list[str]:
    return [c for c in table.columns if NUMERIC.fullmatch(str(c)) and table[c].dtype.kind in "fiu"]


def _write_study_table(
    sheet: Sheet, row: int, table: pd.DataFrame, of: tuple[str, str], widths: Mapping[int, int]
) -> int:
    """A table of a study; a number that does not exist says so, the study's own column `words` says why."""
    numeric = _numeric(table)
    sheet.at.set_row(row, HEAD_HEIGHT)
    heads = [head_of(str(words)) for words in table.columns]
    for column, words in enumerate(heads):
        sheet.text(row, column, words, "head right" if table.columns[column] in numeric else "head")
    for number, record in enumerate(table.to_dict("records")):
        lines = 1
        for column, (field, value) in enumerate(record.items()):
            if is_missing(value):
                sheet.text(row + 1 + number, column, NONE if field in numeric else "", "none")
            elif field in numeric:
                key = Key(f"studies/{of[0]}/{of[1]}", str(field), (("row", str(number)),))
                sheet.number(row + 1 + number, column, key, look_of(str(field)))
            else:
                sheet.text(row + 1 + number, column, str(value), "wrapped")
                lines = max(lines, -(-len(str(value)) // (widths[column] - 2)))
        sheet.at.set_row(row + 1 + number, 1 + 13.0 * min(25, lines))
    if len(table):
        sheet.table("_".join(of), row, row + len(table), heads, [c in numeric for c in table.columns])
    return row + len(table) + 2


def _add_chart_of(sheet: Sheet, row: int, study: Study, behind: Sheet, heads: Mapping[str, int]) -> int:
    """The chart of a study at a row: rows that it takes, 0 where the study has none.

    It leaves out what has no number, at its table's beginning or end; with a hole between there is no chart.
    """
    drawn = {"tornado": ("drivers", _add_tornado), "frontier": ("points", _add_frontier)}
    name, draw = drawn.get(study.kind, ("", _add_tornado))
    if name not in study.tables:
        return 0
    return CHART_ROWS + 1 if draw(sheet, row, study, behind, heads[name]) else 0


def _add_tornado(sheet: Sheet, row: int, study: Study, behind: Sheet, head: int) -> bool:
    """What each driver at its ends changes of the plan's value: live differences beside the table that they are of."""
    ends, table = ("value_low_musd", "value_high_musd"), study.tables["drivers"].reset_index(drop=True)
    rows = _whole_rows(table, ends, head)
    if rows is None or "driver" not in table or "value_musd" not in study.about:
        return False
    place = next(name for name, one in sheet.desk.ledger.studies.items() if one is study)
    base, left = Key(f"studies/{place}/about", "value_musd"), len(table.columns) + 1
    behind.heads(head, left, ["Plan's value, $M", "Change at low, $M", "Change at high, $M"], 0)
    for line in range(rows[0], rows[1] + 1):
        behind.number(line, left, base)
        for offset, end in enumerate(ends, 1):
            key = Key(f"studies/{place}/drivers", end, (("row", str(line - head - 1)),))
            formula = f"={letters(list(table.columns).index(end))}{line + 1}-{letters(left)}{line + 1}"
            behind.formula(line, left + offset, formula, Reckoned("less", (key, base)), "musd")
    behind.at.set_column(left, left + 2, NUMBER_WIDE)
    bars = [Series(behind, rows, (at_, at_), head, at_, colour)
            for at_, colour in ((left + 1, COLOURS[1]), (left + 2, COLOURS[3]))]  # fmt: skip
    driver = list(table.columns).index("driver")
    title = "Change of the plan's value with each driver low and high, decided again, $M"
    add_bars(sheet, row, 0, title, bars, (behind, rows, (driver, driver)))
    return True


def _add_frontier(sheet: Sheet, row: int, study: Study, behind: Sheet, head: int) -> bool:
    table = study.tables["points"]
    axis = str(table.columns[0])
    rows = _whole_rows(table, (axis, "value_musd"), head)
    if rows is None:
        return False
    value = list(table.columns).index("value_musd")
    curve = Series(behind, rows, (value, value), head, value, COLOURS[3])
    title = f"Value of the best plan, $M, by {head_of(axis)}"
    add_curve(sheet, row, 0, title, curve, (behind, rows, (0, 0)), head_of(axis))
    return True


def _whole_rows(table: pd.DataFrame, columns: Sequence[str], head: int) -> tuple[int, int] | None:
    """First and last row of the sheet between which all of a table's columns hold numbers; None for fewer than two."""
    if not {*columns} <= {*table.columns}:
        return None
    whole = table[list(columns)].notna().all(axis=1).tolist()
    if sum(whole) < 2:
        return None
    first, last = whole.index(True), len(whole) - 1 - whole[::-1].index(True)
    return (head + 1 + first, head + 1 + last) if all(whole[first : last + 1]) else None


# ---- inputs and sources -------------------------------------------------------------------------------------------


def write_assumptions(desk: Workbook) -> None:
    """Settings and tables of the case, of this plan's scenario; the long ones by quarter on a sheet of their own."""
    sheet = desk.add("assumptions", "Assumptions: the inputs of this plan, as given in the case")
    sheet.text(HEAD_ROWS, 0, "Settings (case.toml)", "section")
    for column, words in enumerate(("Setting", "Value", "What it is")):
        sheet.text(HEAD_ROWS + 1, column, words, "head")
    row = HEAD_ROWS + 1
    for name, value, key, what in settings_of(desk.plan):
        row += 1
        sheet.text(row, 0, name)
        if isinstance(value, str):
            sheet.text(row, 1, value)
        else:
            sheet.number(row, 1, Key("settings", key), "price")
        sheet.text(row, 2, what, "note")
    _write_inputs(sheet, row + 2, [name for name in TABLE_NAMES if name not in BY_QUARTER])
    if any(desk.plan.case.rows(name) for name in BY_QUARTER):
        markets = desk.add("markets", "Markets and power by quarter: the inputs of this plan's scenario")
        _write_inputs(markets, HEAD_ROWS, BY_QUARTER)


def _write_inputs(sheet: Sheet, row: int, names: Sequence[str]) -> None:
    for name in names:
        if (one := input_table(sheet.desk.plan, name)) is not None:
            sheet.text(row, 0, one.title, "section")
            row = write_table(sheet, row + 1, one).below
    sheet.widths(34, 18, 13)
    sheet.at.freeze_panes(HEAD_ROWS, 0)


def write_sources(desk: Workbook, origins: Sequence[Origin]) -> None:
    """The list of sources beside the case: inputs, value, origin and confidence, as its author wrote them."""
    if not origins:
        return
    sheet, widths = desk.add("sources", "Sources: where the inputs are from and how sure they are"), (42, 46, 80, 14)
    rows = (tuple(map(str.capitalize, HEADS)), *(origin.cells for origin in origins))
    for number, cells in enumerate(rows, HEAD_ROWS):
        sheet.at.set_row(
            number, 14.0 * max(1 + len(words) // width for words, width in zip(cells, widths, strict=False))
        )
        for column, words in enumerate(cells):
            sheet.text(number, column, words, "head" if number == HEAD_ROWS else "wrapped")
    sheet.widths(*widths, last=3)
    sheet.freeze(HEAD_ROWS + 1, 1)


# ---- audit and checks -----------------------------------------------------------------------------------------------


def write_audit(desk: Workbook) -> None:
    """Every rule that was computed again: rows checked, the worst miss, the tolerance; and what solved the plan."""
    sheet, report, row = (
        desk.add("audit", "Audit: every number computed again from inputs and decisions"),
        desk.ledger.audit,
        0,
    )
    assert report is not None
    for row, (words, told) in enumerate(provenance(desk.plan), HEAD_ROWS + 1):
        sheet.text(row - 1, 0, words)
        sheet.text(row - 1, 1, told)
    one = replace(audit_table(report, "rows", "worst", "tolerance", "breaches"), title=report.summary().splitlines()[0])
    section(sheet, row, one, "")
    sheet.widths(20, 28, 84, 14, 9, 9, 10, 10, 10, 10, last=9)
    sheet.at.freeze_panes(HEAD_ROWS, 0)
    sheet.at.repeat_rows(row + 1)


def write_checks(desk: Workbook) -> None:
    """Each total of the workbook against what the plan holds; the named cell `checks` counts those that differ."""
    sheet, head = desk.add("checks", "Checks: totals of this workbook against the plan"), HEAD_ROWS
    heads = ["Total", "In this workbook", "In the plan", "Difference", "Tolerance", "Fails"]
    sheet.heads(head, 0, heads, 1)
    for row, check in enumerate(desk.checks, head + 1):
        line = row + 1
        sheet.text(row, 0, check.words)
        sheet.formula(row, 1, f"={check.cell}", check.key, "price")
        sheet.number(row, 2, check.key, "price")
        sheet.zero(row, 3, f"=B{line}-C{line}", "tiny")
        sheet.at.write_number(row, 4, check.tolerance, desk.looks["tiny"])
        desk.tolerances.add(sheet.place(row, 4))
        sheet.zero(row, 5, f"=IF(ISNUMBER(D{line}),IF(ABS(D{line})>E{line},1,0),1)", "good")
    last = head + len(desk.checks)
    sheet.table("checks", head, last, heads, [False] + [True] * 5)
    sheet.fill(last + 1, "Checks that fail", range(1, 5))
    sheet.zero(last + 1, 5, f"=SUM({span(5, head + 1, last)})", "good")
    desk.book.define_name("checks", f"={sheet.cell(last + 1, 5)}")
    sheet.widths(46, 16, last=5)
    sheet.freeze(head + 1, 1)
