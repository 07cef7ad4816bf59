"""The sheets of evidence: the inputs as given, their sources, the audit, and the checks of this workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.case.case import TABLE_NAMES, TABLE_TYPES
from optimizer.case.columns import choices_of, column_kind
from optimizer.case.origins import HEADS, Origin
from optimizer.case.schema import Settings
from optimizer.telling.board.keys import Key, encoded
from optimizer.telling.board.workbook.book import HEAD_ROWS, Sheet, Workbook
from optimizer.telling.board.workbook.tables import span, write_frame

BY_QUARTER = ("tariffs", "own_plants", "bitcoin", "product_markets", "base_rates", "indices", "usage", "overheads")
"""Tables with a row for each quarter, which have a sheet of their own."""

# ---- inputs -------------------------------------------------------------------------------------------------------


def write_assumptions(desk: Workbook) -> None:
    """Settings and tables of the case, of this plan's scenario; the long ones by quarter on a sheet of their own."""
    sheet = desk.add("assumptions", "Assumptions: the inputs of this plan, as given in the case")
    row = _write_settings(sheet, HEAD_ROWS)
    _write_tables(sheet, row, [name for name in TABLE_NAMES if name not in BY_QUARTER])
    _set_widths(sheet)
    if any(desk.plan.case.rows(name) for name in BY_QUARTER):
        markets = desk.add("markets", "Markets and power by quarter: the inputs of this plan's scenario")
        _write_tables(markets, HEAD_ROWS, list(BY_QUARTER))
        _set_widths(markets)


def _set_widths(sheet: Sheet) -> None:
    sheet.at.set_column(0, 0, 34)
    sheet.at.set_column(1, 1, 18)
    sheet.at.set_column(2, 24, 13)
    sheet.at.freeze_panes(HEAD_ROWS, 0)


def _write_settings(sheet: Sheet, row: int) -> int:
    sheet.text(row, 0, "Settings (case.toml)", "section")
    for column, words in enumerate(("Setting", "Value", "What it is")):
        sheet.text(row + 1, column, words, "head")
    row += 2
    values = sheet.desk.plan.case.settings.model_dump()
    for name, info in Settings.model_fields.items():
        held = values[name]
        for part, value in held.items() if isinstance(held, dict) else [("", held)]:
            if value is None or value == ():
                continue
            sheet.text(row, 0, f"{name}.{part}" if part else name)
            if isinstance(value, int | float) and not isinstance(value, bool) and column_kind(info) == "number":
                sheet.number(row, 1, value, Key("settings", f"{name}/{encoded(part)}" if part else name), "price")
            else:
                sheet.text(row, 1, ", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
            sheet.text(row, 2, info.description or "", "note")
            row += 1
    return row + 1


def _write_tables(sheet: Sheet, row: int, names: Sequence[str]) -> None:
    plan = sheet.desk.plan
    for name in names:
        row_type, frame = TABLE_TYPES[name], plan.case.table(name)
        if "scenario" in frame and name != "scenarios":
            frame = frame[frame["scenario"] == plan.scenario]
        if frame.empty:
            continue
        fields = row_type.model_fields
        columns = [column for column in frame.columns if frame[column].notna().any()]
        numeric = [c for c in columns if column_kind(fields[c]) == "number" and not choices_of(fields[c])]
        sheet.text(row, 0, f"{name}: {row_type.about}", "section")
        keys = list(row_type.key)
        numeric = [column for column in numeric if column not in keys]
        shown = frame.assign(**{column: frame[column].map(_told) for column in columns if column not in numeric})
        shown = shown.assign(**{key: frame[key].astype(str) for key in keys})
        written = write_frame(
            sheet, row + 1, shown, f"inputs/{name}", keys, columns=columns, numeric=numeric, missing=numeric,
            heads={column: column for column in columns},
        )  # fmt: skip
        row = written.below


def _told(value: Any) -> str:
    """A cell that holds no number of its own, as text; a blank where nothing was given."""
    if value is None or value != value:
        return ""
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def write_sources(desk: Workbook, origins: Sequence[Origin]) -> None:
    """The list of sources beside the case: inputs, value, origin and confidence, as its author wrote them."""
    if not origins:
        return
    sheet = desk.add("sources", "Sources: where the inputs are from and how sure they are")
    widths = (42, 46, 80, 14)
    for number, cells in enumerate(
        (tuple(map(str.capitalize, HEADS)), *(origin.cells for origin in origins)), HEAD_ROWS
    ):
        lines = max(1 + len(words) // width for words, width in zip(cells, widths, strict=False))
        sheet.at.set_row(number, 14.0 * lines)
        for column, words in enumerate(cells):
            sheet.text(number, column, words, "head" if number == HEAD_ROWS else "wrapped")
    for column, width in enumerate(widths):
        sheet.at.set_column(column, column, width)
    sheet.freeze(HEAD_ROWS + 1, 1)


# ---- audit and checks -----------------------------------------------------------------------------------------------


def write_audit(desk: Workbook) -> None:
    """Every rule that was computed again: rows checked, the worst miss, the tolerance; and what solved the plan."""
    sheet = desk.add("audit", "Audit: every number computed again from inputs and decisions")
    report = desk.ledger.audit
    assert report is not None
    row = HEAD_ROWS
    for words, told in _provenance(desk):
        sheet.text(row, 0, words)
        sheet.text(row, 1, told)
        row += 1
    sheet.text(row, 0, report.summary().splitlines()[0], "section")
    frame = report.frame
    frame = frame.assign(clean=frame["clean"].map({True: "holds", False: "FAILS"}))
    numeric = ["rows", "worst", "tolerance", "breaches"]
    columns = ["group", "rule", "sentence", "plan", "clean", *numeric, "unit"]
    written = write_frame(
        sheet, row + 1, frame, "audit/checks", ["plan", "group", "rule"], columns=columns, numeric=numeric,
        missing=["worst"], totals=["rows", "breaches"],
    )  # fmt: skip
    desk.tie("Rows audited", sheet.cell(written.last, written.columns["rows"]), Key("audit", "rows"))
    for column, width in enumerate((20, 28, 84, 14, 9, 9, 10, 10, 10, 10)):
        sheet.at.set_column(column, column, width)
    sheet.at.freeze_panes(HEAD_ROWS, 0)
    sheet.at.repeat_rows(written.head)


def _provenance(desk: Workbook) -> list[tuple[str, str]]:
    plan, made = desk.plan, desk.plan.provenance
    options = ", ".join(f"{name} {value}" for name, value in dict(made.get("options", {})).items() if value is not None)
    packages = ", ".join(f"{name} {value}" for name, value in dict(made.get("packages", {})).items())
    return [
        ("Status", plan.status_words),
        ("Run id", plan.run_id),
        ("Input hash", desk.input_hash),
        ("Program and solver", f"optimizer {made.get('optimizer')}, {made.get('solver')}, Python {made.get('python')}"),
        ("Packages", packages),
        ("Options", options),
    ]


def write_checks(desk: Workbook) -> None:
    """Each total of the workbook against what the plan holds; the named cell `checks` counts those that differ."""
    sheet = desk.add("checks", "Checks: totals of this workbook against the plan")
    head, ledger = HEAD_ROWS, desk.ledger
    heads = ["Total", "In this workbook", "In the plan", "Difference", "Tolerance", "Fails"]
    sheet.heads(head, 0, heads, 1)
    for row, check in enumerate(desk.checks, head + 1):
        line = row + 1
        sheet.text(row, 0, check.words)
        value = ledger.worth(check.key)
        sheet.formula(row, 1, f"={check.cell}", value, check.key, "price")
        sheet.number(row, 2, value, check.key, "price")
        sheet.zero(row, 3, f"=B{line}-C{line}", "tiny")
        sheet.at.write_number(row, 4, check.tolerance, desk.looks["tiny"])
        desk.tolerances.add(sheet.place(row, 4))
        sheet.zero(row, 5, f"=IF(ISNUMBER(D{line}),IF(ABS(D{line})>E{line},1,0),1)", "good")
    last = head + len(desk.checks)
    sheet.table("checks", head, last, heads, [False] + [True] * 5)
    sheet.text(last + 1, 0, "Checks that fail", "strong")
    for column in range(1, 5):
        sheet.text(last + 1, column, "", "strong")
    sheet.zero(last + 1, 5, f"=SUM({span(5, head + 1, last)})", "good")
    desk.book.define_name("checks", f"={sheet.cell(last + 1, 5)}")
    sheet.at.set_column(0, 0, 46)
    sheet.at.set_column(1, 5, 16)
    sheet.freeze(head + 1, 1)
