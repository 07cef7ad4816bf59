"""The sheets that look beyond one plan: other plans beside it, and the studies kept with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optimizer.plan.figures import FIGURES, figures_of
from optimizer.plan.figures.room import AT
from optimizer.plan.power_uses import uses_of
from optimizer.questions.studies.study import NUMERIC, Study
from optimizer.telling.board.keys import Amount, Key, Reckoned, at, kpi
from optimizer.telling.board.receipts import input_hash
from optimizer.telling.board.workbook.book import COLOURS, HEAD_HEIGHT, HEAD_ROWS, Sheet, Workbook, about, is_missing
from optimizer.telling.board.workbook.charts import CHART_ROWS, Series, add_bars, add_curve
from optimizer.telling.board.workbook.deals import LOOKS
from optimizer.telling.board.workbook.tables import NONE, head_of, letters, look_of, span, write_grid

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan

SECTION_HIGH = 19
NUMBER_WIDE, TEXT_WIDE = 13, 44
"""Widths of columns of numbers, and at most of texts, in characters."""
_COMPARED = (
    "value_musd", "value_over_do_nothing_musd", "terminal_value_over_do_nothing_musd", "capex_musd",
    "capex_committed_musd", "lowest_liquidity_musd", "lowest_cash_musd", "highest_debt_musd", "debt_at_end_musd",
    "interest_and_fees_musd", "unlevered_return", "converted_gross_mw", "contracted_it_mw", "btc_mined",
    "btc_sold_musd", "machines_sold_gross_mw", "damages_musd",
)  # fmt: skip
"""Figures of the room, under the names that it has for them."""

# ---- comparison ---------------------------------------------------------------------------------------------------


def write_comparison(desk: Workbook, plans: Sequence[Plan], names: Sequence[str]) -> None:
    """The plans side by side: what they stand on, their figures, and what each differs from the first by."""
    if len(plans) < 2:
        return
    sheet = desk.add("comparison", "Comparison of plans; differences are from the first")
    row = _write_bases(sheet, HEAD_ROWS, plans, names)
    _write_figures(sheet, row + 1, plans, names)
    sheet.at.set_column(0, 0, 42)
    sheet.at.set_column(1, 3 * len(plans), 25)
    sheet.at.freeze_panes(HEAD_ROWS, 1)


def _write_bases(sheet: Sheet, row: int, plans: Sequence[Plan], names: Sequence[str]) -> int:
    """What the plans were solved from and how well; where they differ, their figures do not measure the same thing."""
    sheet.text(row, 0, "What the plans stand on", "section")
    for column, words in enumerate(["", *names, "Alike"]):
        sheet.text(row + 1, column, words, "head")
    told = (
        ("Case", [plan.case.settings.name for plan in plans]),
        ("Scenario", [plan.scenario for plan in plans]),
        ("As of", [str(plan.case.settings.as_of) for plan in plans]),
        ("First quarter", [str(plan.case.first) for plan in plans]),
        ("Values below are dated at the start of", [_date(plans) or str(plans[0].case.first)] * len(plans)),
        ("Last quarter of the horizon", [str(plan.case.last) for plan in plans]),
        ("Currency and basis", [f"{p.case.settings.currency}, {p.case.settings.money_basis}" for p in plans]),
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
    count = len(plans)
    sheet.text(row, 0, "Figures", "section")
    heads = ["", *names, *(f"{name}, less the first" for name in names[1:])]
    sheet.heads(row + 1, 0, heads, 1)
    for number, name in enumerate(_COMPARED, row + 2):
        known = FIGURES[name]
        sheet.text(number, 0, known.label)
        key = f"{name}{AT}{_date(plans)}" if known.dated and _date(plans) else name
        for column, plan in enumerate(plans, 1):
            if figures_of(plan).has(key):
                sheet.number(number, column, figures_of(plan).number(key), kpi(key, plan.run_id), LOOKS[known.unit])
            else:
                sheet.text(number, column, plan.missing(name), "note")
        for other, plan in enumerate(plans[1:], 1):
            _write_difference(sheet, (number, count + other), (other + 1, key, LOOKS[known.unit]), (plans[0], plan))
    end = row + 2 + len(_COMPARED)
    for offset, (words, side) in enumerate((("at least", "low"), ("at most", "high"))):
        sheet.text(end + offset, 0, f"Value, {words} (both gaps counted)", "note")
        for other, plan in enumerate(plans[1:], 1):
            if not _date(plans):
                edge = _edge(plans[0], plan, side)
                sheet.number(end + offset, count + other, sheet.desk.ledger.worth(edge), edge)
            else:
                sheet.text(end + offset, count + other, "begin apart", "note")


def _date(plans: Sequence[Plan]) -> str:
    """The quarter at whose start all plans are valued, the latest first quarter; blank where all begin together."""
    firsts = {plan.case.first for plan in plans}
    return str(max(firsts)) if len(firsts) > 1 else ""


def _write_difference(sheet: Sheet, place: tuple[int, int], of: tuple[int, str, str], pair: tuple[Plan, Plan]) -> None:
    (row, column), (source, name, look), (first, other) = place, of, pair
    if figures_of(first).has(name) and figures_of(other).has(name):
        key = Reckoned("less", (kpi(name, other.run_id), kpi(name, first.run_id)))
        formula = f"={letters(source)}{row + 1}-B{row + 1}"
        sheet.formula(row, column, formula, sheet.desk.ledger.worth(key), key, look)
    else:
        sheet.text(row, column, NONE, "note")


def _edge(first: Plan, other: Plan, side: str) -> Amount:
    """Least and largest difference that the two gaps allow: `[V2 - U1, U2 - V1]`."""
    mine, theirs = ("bound_musd", "value_musd") if side == "low" else ("value_musd", "bound_musd")
    return Reckoned("less", (Key("record", theirs, plan=other.run_id), Key("record", mine, plan=first.run_id)))


def write_other(desk: Workbook, plan: Plan, name: str) -> None:
    """Another plan on one sheet: its megawatts by use, its cash and its liquidity by quarter."""
    sheet = desk.add(name, f"Another plan: {name}")
    sheet.text(1, 0, about(plan), "case")
    sheet.text(2, 0, f"{plan.word}   run {plan.run_id}   inputs {input_hash(plan)}", "case")
    quarters, run = list(plan.cash["quarter"]), plan.run_id
    there = set(plan.allocation["use"])
    uses = [use for use in uses_of(plan) if use in there]
    sums = plan.allocation.groupby(["use", "quarter"])["gross_mw"].sum()
    held: dict[tuple[tuple[str, ...], str], float]
    held = {((str(use),), str(quarter)): float(value) for (use, quarter), value in sums.items()}
    sheet.text(HEAD_ROWS, 0, "Gross MW by use", "section")
    grid = write_grid(
        sheet, HEAD_ROWS + 1, [(use,) for use in uses], ["Use"], quarters, held,
        lambda label, quarter: at("allocation", "gross_mw", "sum", run, use=label[0], quarter=quarter), "mw",
    )  # fmt: skip
    sheet.text(grid.last + 1, 0, "All sites", "strong")
    for quarter, column in grid.columns.items():
        key = at("allocation", "gross_mw", "sum", run, quarter=quarter)
        value = desk.ledger.worth(key)
        sheet.formula(grid.last + 1, column, f"=SUM({span(column, grid.first, grid.last)})", value, key, "mw total")
        desk.tie(f"{name}: gross MW of {quarter}", sheet.cell(grid.last + 1, column), key)
    row = grid.last + 3
    sheet.text(row, 0, "Money, $M", "section")
    sheet.heads(row + 1, 0, ["", *quarters], 1)
    measures = (("capex_to_date", "capex_musd", "Capex"), ("cash", "closing_musd", "Closing cash"),
                ("cash", "liquidity_musd", "Liquidity"), ("cash", "minimum_musd", "Minimum"))  # fmt: skip
    for number, (room, column_name, words) in enumerate(measures, row + 2):
        sheet.text(number, 0, words)
        for column, quarter in enumerate(quarters, 1):
            key = at(room, column_name, "sum", run, quarter=quarter)
            sheet.number(number, column, desk.ledger.worth(key), key)
    sheet.at.set_column(0, 0, 30)
    sheet.at.set_column(1, len(quarters), 8)
    sheet.at.freeze_panes(HEAD_ROWS, 1)
    sheet.at.fit_to_pages(max(1, round(len(quarters) / 16)), 0)
    sheet.at.repeat_columns(0)


# ---- studies ------------------------------------------------------------------------------------------------------


def write_sensitivities(desk: Workbook, studies: Mapping[str, Study]) -> None:
    """What each study kept with the plan answers, in words and where one says more in a chart; its tables behind."""
    if not studies:
        return
    sheet = desk.add("sensitivities", "Sensitivities: what was asked of this plan and found by solving again")
    row = HEAD_ROWS
    for place, study in studies.items():
        sheet.text(row, 0, study.title, "section")
        behind = _write_tables(desk, place, study)
        for number, words in enumerate((*study.words, f"Its tables are on the sheet {behind.sheet.name}."), row + 1):
            sheet.text(number, 0, words, "note")
        sheet.at.set_row(row, SECTION_HIGH)
        row += len(study.words) + 3
        row += _add_chart_of(sheet, row, study, behind)
    sheet.at.set_column(0, 0, 34)
    sheet.at.set_column(1, 16, 17)
    sheet.at.freeze_panes(HEAD_ROWS, 0)


@dataclass(frozen=True)
class _Behind:
    """The sheet that holds a study's tables, and the row of each table's header."""

    sheet: Sheet
    heads: Mapping[str, int]


def _write_tables(desk: Workbook, place: str, study: Study) -> _Behind:
    """A study's tables on a sheet of their own, its columns as wide as their texts need."""
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
    return _Behind(sheet, heads)


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
                sheet.number(row + 1 + number, column, value, key, look_of(str(field)))
            else:
                sheet.text(row + 1 + number, column, str(value), "wrapped")
                lines = max(lines, -(-len(str(value)) // (widths[column] - 2)))
        sheet.at.set_row(row + 1 + number, 1 + 13.0 * min(25, lines))
    if len(table):
        sheet.table("_".join(of), row, row + len(table), heads, [c in numeric for c in table.columns])
    return row + len(table) + 2


def _add_chart_of(sheet: Sheet, row: int, study: Study, behind: _Behind) -> int:
    """The chart of a study at a row: rows that it takes, 0 where the study has none.

    It leaves out what has no number, at its table's beginning or end; with a hole between there is no chart.
    """
    drawn = {"tornado": ("drivers", _add_tornado), "frontier": ("points", _add_frontier)}
    name, draw = drawn.get(study.kind, ("", _add_tornado))
    if name not in study.tables:
        return 0
    return CHART_ROWS + 1 if draw(sheet, row, study, behind.sheet, behind.heads[name]) else 0


def _add_tornado(sheet: Sheet, row: int, study: Study, behind: Sheet, head: int) -> bool:
    ends, table = ("value_low_musd", "value_high_musd"), study.tables["drivers"]
    rows = _whole_rows(table, ends, head)
    if rows is None or "driver" not in table or "value_musd" not in study.about:
        return False
    at = list(table.columns).index
    bars = [
        Series(behind, rows, (at(end), at(end)), head, at(end), colour)
        for end, colour in zip(ends, (COLOURS[1], COLOURS[3]), strict=True)
    ]
    title = "Value at each driver's low and high, decided again, $M"
    categories = (behind, rows, (at("driver"), at("driver")))
    add_bars(sheet, row, 0, title, bars, categories, float(study.about["value_musd"]))
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
