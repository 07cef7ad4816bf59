"""The sheets of money: the cash-flow statement, liquidity, capex, debt and its lenders, and value by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.business.lines import LINES
from optimizer.plan.figures import FIGURES
from optimizer.telling.board.figures import Figure
from optimizer.telling.board.keys import Amount, Key, Reckoned, at, kpi
from optimizer.telling.board.pack import alone
from optimizer.telling.board.subjects.lenders import NOTE, Lender, lenders_of, secured_words
from optimizer.telling.board.tables import NONE, Data, coverage_table
from optimizer.telling.board.workbook.charts import Series, add_chart
from optimizer.telling.board.workbook.sheets import COLOURS, HEAD_ROWS, RED, Sheet, Workbook
from optimizer.telling.board.workbook.tables import across, letters, section, span, write_grid, write_sums, write_table

BUDGET = Key("settings", "capex_budget_musd")

# ---- cash-flow statement ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """One row of the statement: a line, the sum of a group, or opening cash, net flow or closing cash."""

    words: str
    line: str = ""
    group: str = ""
    end: str = ""
    size: int = 0

    @property
    def look(self) -> str:
        return "musd" if self.line else "musd total"

    def key(self, **when: str) -> Key:
        """Its receipt in a quarter, a year or over all."""
        which = {"line": self.line} if self.line else {"group": self.group} if self.group else {}
        return at("cash", f"{self.end}_musd", **when) if self.end else at("cash_flow", "musd", **which, **when)


def write_statement(desk: Workbook) -> None:
    """Lines by quarter with subtotals, opening and closing cash; above it the same by year, as sums of the quarters."""
    sheet = desk.add("cash flow", "Cash-flow statement: received positive, paid negative")
    rows, quarters = _statement_rows(desk), desk.quarters
    below = HEAD_ROWS + len(rows) + 3
    sheet.text(HEAD_ROWS, 0, "By year", "section")
    sheet.text(below, 0, "By quarter", "section")
    for head in (HEAD_ROWS + 1, below + 1):
        for number, row in enumerate(rows, head + 1):
            sheet.text(number, 0, row.words, "text" if row.line else "strong")
    _write_quarters(sheet, below + 1, rows, quarters)
    _write_years(sheet, HEAD_ROWS + 1, below + 1, rows, quarters)
    sheet.widths(36, 9, last=len(quarters))
    sheet.wide(1)


def _statement_rows(desk: Workbook) -> list[_Row]:
    there = set(desk.plan.cash_flow["line"])
    lines = [line for line in LINES if line in there]
    rows = [_Row("Opening cash", end="opening")]
    for group in dict.fromkeys(LINES[line].group for line in lines):
        inside = [line for line in lines if LINES[line].group == group]
        rows += [_Row(LINES[line].words, line=line) for line in inside]
        rows.append(_Row(f"{group[:1].upper()}{group[1:]}", group=group, size=len(inside)))
    return [*rows, _Row("Net flow", end="net"), _Row("Closing cash", end="closing")]


def _write_quarters(sheet: Sheet, head: int, rows: list[_Row], quarters: Sequence[str]) -> None:
    sheet.heads(head, 0, ["$M", *quarters], 1)
    last, groups = head + len(rows), [head + 1 + number for number, row in enumerate(rows) if row.group]
    for column, quarter in enumerate(quarters, 1):
        sheet.text(head - 1, column, quarter[:4], "note")
        letter = letters(column)
        for number, row in enumerate(rows, head + 1):
            if row.line or (row.end == "opening" and column == 1):
                sheet.number(number, column, row.key(quarter=quarter), row.look)
                continue
            formula = {
                "": f"=SUM({span(column, number - row.size, number - 1)})",
                "opening": f"={letters(column - 1)}{last + 1}",
                "net": "=" + "+".join(f"{letter}{group + 1}" for group in groups),
                "closing": f"={letter}{head + 2}+{letter}{last}",
            }[row.end]
            sheet.formula(number, column, formula, row.key(quarter=quarter))
        sheet.desk.tie(f"Closing cash of {quarter}", sheet.cell(last, column), rows[-1].key(quarter=quarter))


def _write_years(sheet: Sheet, head: int, below: int, rows: list[_Row], quarters: Sequence[str]) -> None:
    """Each cell is a sum over the quarters of its year, or the first opening and the last closing."""
    years = list(dict.fromkeys(quarter[:4] for quarter in quarters))
    sheet.heads(head, 0, ["$M", *years, "All years"], 1)
    end = letters(len(quarters))
    for number, row in enumerate(rows, 1):
        line = below + number + 1
        for column, year in enumerate([*years, ""], 1):
            when = {"year": year} if year else {}
            formula = (
                f'=SUMIF($B${below}:${end}${below},"{year}",$B{line}:${end}{line})'
                if year
                else f"=SUM($B{line}:${end}{line})"
            )
            if row.end in ("opening", "closing"):
                edge = [quarter for quarter in quarters if quarter.startswith(year)][0 if row.end == "opening" else -1]
                when, formula = {"quarter": edge}, f"={letters(1 + quarters.index(edge))}{line}"
            sheet.formula(head + number, column, formula, row.key(**when), row.look)


# ---- liquidity ----------------------------------------------------------------------------------------------------


def write_liquidity(desk: Workbook) -> None:
    """Cash and liquidity against their minimum, by quarter; the lowest quarter is marked."""
    sheet, head = desk.add("liquidity", "Liquidity at each quarter's end against its minimum"), HEAD_ROWS
    heads = [
        "Quarter",
        "Opening cash",
        "Net flow",
        "Closing cash",
        "BTC that count",
        "Liquidity",
        "Minimum",
        "Headroom",
    ]
    sheet.heads(head, 0, heads, 1)
    for row, quarter in enumerate(desk.quarters, head + 1):
        line = row + 1
        sheet.text(row, 0, quarter)
        opening, net, closing, liquidity, minimum = (
            at("cash", f"{name}_musd", quarter=quarter)
            for name in ("opening", "net", "closing", "liquidity", "minimum")
        )
        for column, key in ((1, opening), (2, net), (5, liquidity), (6, minimum)):
            sheet.number(row, column, key)
        sheet.formula(row, 3, f"=B{line}+C{line}", closing, "musd")
        sheet.formula(row, 4, f"=F{line}-D{line}", Reckoned("less", (liquidity, closing)), "musd")
        sheet.formula(row, 7, f"=F{line}-G{line}", Reckoned("less", (liquidity, minimum)), "musd")
    last = head + len(desk.quarters)
    sheet.table("liquidity", head, last, heads, [False] + [True] * 7)
    sheet.fill(last + 1, "Lowest", (1, 2, 4, 6, 7))
    for column, words in ((3, "cash"), (5, "liquidity")):
        key = kpi(f"lowest_{words}_musd")
        sheet.formula(last + 1, column, f"=MIN({span(column, head + 1, last)})", key)
        desk.tie(f"Lowest {words}", sheet.cell(last + 1, column), key)
    lowest = f"=$F{head + 2}=MIN($F${head + 2}:$F${last + 1})"
    look = {"type": "formula", "criteria": lowest, "format": desk.looks["low"]}
    sheet.at.conditional_format(head + 1, 0, last, 7, look)
    sheet.widths(18, 12, last=7)
    sheet.freeze(head + 1, 1)
    add_liquidity_chart(sheet, sheet, head, 9)


def add_liquidity_chart(where: Sheet, liquidity: Sheet, row: int, column: int) -> None:
    """Cash and liquidity as lines against the minimum, from the sheet of liquidity."""
    rows = (HEAD_ROWS + 1, HEAD_ROWS + len(liquidity.desk.quarters))
    looks = ((3, COLOURS[2], False), (5, COLOURS[3], False), (6, RED, True))
    lines = [
        Series(liquidity, rows, (at_, at_), HEAD_ROWS, at_, colour, dashed=dashed) for at_, colour, dashed in looks
    ]
    add_chart(where, row, column, "Liquidity against its minimum, $M", [], lines, (liquidity, rows, (0, 0)))


# ---- capex --------------------------------------------------------------------------------------------------------


def write_capex(desk: Workbook) -> None:
    """Capex by source and line, its sum to date against the budget."""
    sheet, plan, quarters = desk.add("capex", "Capex against the budget"), desk.plan, desk.quarters
    names = ("site", "source", "product", "line")
    labels = list(dict.fromkeys(plan.capex[list(names)].astype(str).itertuples(index=False, name=None)))
    head, left, right = HEAD_ROWS, 5, 4 + len(quarters)
    sheet.heads(head, 0, ["Site", "Source", "Product", "Line", "Total", *quarters], 4)
    for row, label in enumerate(labels, head + 1):
        which = dict(zip(names, label, strict=True))
        for column, words in enumerate((*label[:3], LINES[label[3]].words)):
            sheet.text(row, column, words)
        for column, quarter in enumerate(quarters, left):
            sheet.number(row, column, at("capex", "musd", quarter=quarter, **which))
        sheet.formula(row, 4, f"=SUM({across(row, left, right)})", at("capex", "musd", **which))
    total = head + 1 + len(labels)
    for row, words in enumerate(("Capex of the quarter", "Capex to date", "Budget", "Left of the budget"), total):
        sheet.fill(row, words, range(1, left))
    for column, quarter in enumerate(quarters, left):
        letter, spent = letters(column), at("capex_to_date", "capex_musd", quarter=quarter)
        to_date = at("capex_to_date", "to_date_musd", quarter=quarter)
        parts = f"=SUM({span(column, head + 1, total - 1)})" if labels else "=0"
        before = "" if column == left else f"{letters(column - 1)}{total + 2}+"
        sheet.formula(total, column, parts, spent)
        sheet.formula(total + 1, column, f"={before}{letter}{total + 1}", to_date)
        sheet.number(total + 2, column, BUDGET, "musd total")
        sheet.formula(
            total + 3, column, f"={letter}{total + 3}-{letter}{total + 2}", Reckoned("less", (BUDGET, to_date))
        )
        desk.tie(f"Capex to {quarter}", sheet.cell(total + 1, column), to_date)
    sheet.formula(total, 4, f"=SUM({across(total, left, right)})", kpi("capex_musd"))
    desk.tie(FIGURES["capex_musd"].words, sheet.cell(total, 4), kpi("capex_musd"))
    sheet.widths(22, 28, 20, 20, 9, last=right)
    sheet.wide(2)
    sheet.freeze(head + 1, 1)
    desk.places["capex"] = total
    add_capex_chart(sheet, sheet, total + 5, 0)


def add_capex_chart(where: Sheet, capex: Sheet, row: int, column: int) -> None:
    """Capex of each quarter as columns; to date and budget as lines."""
    total = capex.desk.places["capex"]
    wide = (5, 4 + len(capex.desk.quarters))
    looks = ((total, COLOURS[1], False), (total + 1, COLOURS[3], False), (total + 2, RED, True))
    columns, *lines = [Series(capex, (at_, at_), wide, at_, 0, colour, dashed=dashed) for at_, colour, dashed in looks]
    heads = (capex, (HEAD_ROWS, HEAD_ROWS), wide)
    add_chart(where, row, column, "Capex against the budget, $M", [columns], lines, heads)


# ---- debt and value -----------------------------------------------------------------------------------------------


def write_debt(desk: Workbook) -> None:
    """What is owed by facility and quarter, then each facility's roll-forward."""
    sheet, debt = desk.add("debt", "Debt: what is owed, drawn, repaid and paid for"), desk.plan.debt
    sheet.widths(26, 10, last=60)
    sheet.wide(1)
    if debt.empty:
        sheet.text(HEAD_ROWS, 0, "This plan has no debt.")
        return
    sheet.text(HEAD_ROWS, 0, "Owed at each quarter's end, $M", "section")
    owed = write_grid(
        sheet, HEAD_ROWS + 1, [(name,) for name in dict.fromkeys(debt["facility"])], ["Facility"], desk.quarters,
        lambda label, quarter: at("debt", "closing_musd", facility=label[0], quarter=quarter), "musd",
    )  # fmt: skip
    total = write_sums(
        sheet, owed, "All facilities", lambda quarter: at("debt", "closing_musd", quarter=quarter), "musd total"
    )
    sheet.text(total + 2, 0, "Most owed", "strong")
    sheet.formula(total + 2, 1, f"=MAX({across(total, 1, len(desk.quarters))})", kpi("highest_debt_musd"))
    desk.tie("Most debt", sheet.cell(total + 2, 1), kpi("highest_debt_musd"))
    flows = ("opening_musd", "draws_musd", "repayments_musd", "closing_musd", "interest_musd", "fees_musd")
    title = "Roll-forward: opening + draws - repayments = closing"
    totals = dict.fromkeys(("draws_musd", "repayments_musd", "interest_musd", "fees_musd"), "")
    data = Data(title, "debt", debt, ("facility", "quarter"), flows, ("facility", "quarter", *flows), totals=totals)
    sheet.text(total + 4, 0, title, "section")
    rolled = write_table(sheet, total + 5, data, {
        "closing_musd": lambda line, at: (
            f"={at['opening_musd']}{line}+{at['draws_musd']}{line}-{at['repayments_musd']}{line}")
    })  # fmt: skip
    for name in ("draws", "repayments"):
        desk.tie(f"Debt: {name}", sheet.cell(rolled.last, rolled.columns[f"{name}_musd"]), at("debt", f"{name}_musd"))


def write_lenders(desk: Workbook) -> None:
    """What secures each facility that owes something and its lowest cover; below, the cover of every quarter."""
    pack = alone(desk.plan)
    every = lenders_of(pack.source)
    if not every:
        return
    sheet = desk.add("lenders", "Lenders: what secures them, and how far it pays for its debt")
    sheet.text(HEAD_ROWS, 0, "Facilities that owe something", "section")
    heads = ["Facility", "Secured by", "Rank", "Owed at peak", "At the end", "DSCR asked", "Lowest DSCR", "Quarter",
             "Least headroom", "Quarter", "LLCR at first service", "Quarter"]  # fmt: skip
    sheet.heads(HEAD_ROWS + 1, 0, heads, 3)
    for row, one in enumerate(every, HEAD_ROWS + 2):
        for column, words in enumerate((one.name, pack.ledger.plain(secured_words(pack, one)), one.rank_words)):
            sheet.text(row, column, words)
        _write_lender(sheet, row, one)
    data = coverage_table(desk.plan)
    row = section(sheet, HEAD_ROWS + 3 + len(every), data, "", {
        "headroom_musd": lambda line, at: f"={at['margin_musd']}{line}-{at['required_musd']}{line}"
    })  # fmt: skip
    sheet.text(row, 0, NOTE, "note")
    sheet.widths(28, 30, 13, last=11)
    sheet.at.freeze_panes(HEAD_ROWS, 1)


def _write_lender(sheet: Sheet, row: int, one: Lender) -> None:
    """What is owed, what is asked, and the quarters of lowest cover, least headroom and first service."""
    sheet.number(row, 3, _amount(one.peak))
    sheet.number(row, 4, _amount(one.end))
    if one.facility.has("dscr"):
        sheet.number(row, 5, one.facility.amount("dscr"), "times")
    else:
        sheet.text(row, 5, NONE, "none")
    parts = (
        (6, one.lowest, "dscr", "times"),
        (8, one.least, "headroom_musd", "musd"),
        (10, one.first, "llcr", "times"),
    )
    for column, found, name, look in parts:
        if found is None:
            sheet.text(row, column, NONE, "none")
        else:
            sheet.number(row, column, found.amount(name), look)
            sheet.text(row, column + 1, str(found["quarter"]))


def _amount(figure: Figure) -> Amount:
    assert figure.amount is not None
    return figure.amount


def write_value(desk: Workbook) -> None:
    """Present value by line, within and after the horizon, beside that of doing nothing."""
    sheet, plan = desk.add("value", "Value by line: present value of all flows, $M"), desk.plan
    nothing = [] if plan.nothing is None else ["Doing nothing", "Value over doing nothing"]
    told = {*plan.value["line"], *(() if plan.nothing is None else plan.nothing["value"]["line"])}
    lines = [line for line in LINES if line in told]
    heads = ["Line", "Within the horizon", "After it", "Value", *nothing]
    sheet.heads(HEAD_ROWS, 0, heads, 1)
    first, last = HEAD_ROWS + 1, HEAD_ROWS + 1 + len(lines)
    for row, line in enumerate([*lines, ""], first):
        which, look = ({"line": line}, "musd") if line else ({}, "musd total")
        sheet.text(row, 0, LINES[line].words if line else "Total", "text" if line else "strong")
        parts = tuple(at("value", f"{name}_musd", **which) for name in ("within", "after"))
        whole = Reckoned("sum", parts)
        idle = Reckoned("sum", tuple(at("nothing/value", key.name, **which) for key in parts))
        for column, key in ((1, parts[0]), (2, parts[1]), *(((4, idle),) if nothing else ())):
            if line:
                sheet.number(row, column, key, look)
            else:
                sheet.formula(row, column, f"=SUM({span(column, first, row - 1)})", key, look)
        sheet.formula(row, 3, f"=B{row + 1}+C{row + 1}", whole, look)
        if nothing:
            sheet.formula(row, 5, f"=D{row + 1}-E{row + 1}", Reckoned("less", (whole, idle)), look)
    if lines:
        sheet.table("value", HEAD_ROWS, last - 1, heads, [False] + [True] * (len(heads) - 1))
    for column, name in ((3, "value_musd"), (2, "value_after_horizon_musd"), (5, "value_over_do_nothing_musd")):
        if column < len(heads):
            desk.tie(FIGURES[name].words, sheet.cell(last, column), kpi(name))
    sheet.widths(40, 15, last=5)
    sheet.freeze(HEAD_ROWS + 1, 1)
