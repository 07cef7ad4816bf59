"""The sheets of money: the cash-flow statement, liquidity, capex, debt, and value by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimizer.business.lines import LINES
from optimizer.plan.figures import FIGURES
from optimizer.telling.board.keys import Key, Reckoned, at, kpi
from optimizer.telling.board.workbook.book import COLOURS, HEAD_ROWS, RED, Sheet, Workbook
from optimizer.telling.board.workbook.charts import Series, add_chart
from optimizer.telling.board.workbook.tables import letters, span, write_frame, write_grid

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
        return at("cash_flow", "musd", **which, **when)


def write_statement(desk: Workbook) -> None:
    """Lines by quarter with subtotals, opening and closing cash; above it the same by year, as sums of the quarters."""
    sheet = desk.add("cash flow", "Cash-flow statement: received positive, paid negative")
    quarters = list(desk.plan.cash["quarter"])
    rows = _statement_rows(desk)
    below = HEAD_ROWS + len(rows) + 3
    sheet.text(HEAD_ROWS, 0, "By year", "section")
    sheet.text(below, 0, "By quarter", "section")
    _write_quarters(sheet, below + 1, rows, quarters)
    _write_years(sheet, HEAD_ROWS + 1, below + 1, rows, quarters)
    sheet.at.set_column(0, 0, 36)
    sheet.at.set_column(1, len(quarters), 9)
    sheet.at.freeze_panes(HEAD_ROWS, 1)
    sheet.at.repeat_columns(0)
    sheet.at.fit_to_pages(max(1, round(len(quarters) / 16)), 0)


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
    ledger, last = sheet.desk.ledger, head + len(rows)
    groups = [head + 1 + number for number, row in enumerate(rows) if row.group]
    for column, quarter in enumerate(quarters, 1):
        sheet.text(head - 1, column, quarter[:4], "note")
        letter = letters(column)
        for number, row in enumerate(rows, head + 1):
            key = at("cash", f"{row.end}_musd", quarter=quarter) if row.end else row.key(quarter=quarter)
            if row.line or (row.end == "opening" and column == 1):
                sheet.number(number, column, ledger.worth(key), key, row.look)
                continue
            formula = {
                "": f"=SUM({span(column, number - row.size, number - 1)})",
                "opening": f"={letters(column - 1)}{last + 1}",
                "net": "=" + "+".join(f"{letter}{group + 1}" for group in groups),
                "closing": f"={letter}{head + 2}+{letter}{last}",
            }[row.end]
            sheet.formula(number, column, formula, ledger.worth(key), key)
        key = at("cash", "closing_musd", quarter=quarter)
        sheet.desk.tie(f"Closing cash of {quarter}", sheet.cell(last, column), key)
    for number, row in enumerate(rows, head + 1):
        sheet.text(number, 0, row.words, "text" if row.line else "strong")


def _write_years(sheet: Sheet, head: int, below: int, rows: list[_Row], quarters: Sequence[str]) -> None:
    """Each cell is a sum over the quarters of its year, or the first opening and the last closing."""
    years = list(dict.fromkeys(quarter[:4] for quarter in quarters))
    sheet.heads(head, 0, ["$M", *years, "All years"], 1)
    across = f"${letters(1)}${below}:${letters(len(quarters))}${below}"
    for number, row in enumerate(rows, 1):
        sheet.text(head + number, 0, row.words, "text" if row.line else "strong")
        source = below + number + 1
        for column, year in enumerate([*years, ""], 1):
            inside = [quarter for quarter in quarters if quarter.startswith(year)]
            when = {"year": year} if year else {}
            if row.end in ("opening", "closing"):
                edge = inside[0] if row.end == "opening" else inside[-1]
                key, formula = (
                    at("cash", f"{row.end}_musd", quarter=edge),
                    f"={letters(1 + quarters.index(edge))}{source}",
                )
            else:
                key = at("cash", "net_musd", **when) if row.end else row.key(**when)
                cells = f"${letters(1)}{source}:${letters(len(quarters))}{source}"
                formula = f'=SUMIF({across},"{year}",{cells})' if year else f"=SUM({cells})"
            sheet.formula(head + number, column, formula, sheet.desk.ledger.worth(key), key, row.look)


# ---- liquidity ----------------------------------------------------------------------------------------------------


def write_liquidity(desk: Workbook) -> None:
    """Cash and liquidity against their minimum, by quarter; the lowest quarter is marked."""
    sheet = desk.add("liquidity", "Liquidity at each quarter's end against its minimum")
    cash, ledger = desk.plan.cash, desk.ledger
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
    head = HEAD_ROWS
    sheet.heads(head, 0, heads, 1)
    for row, quarter in enumerate(cash["quarter"], head + 1):
        cell = [f"{letter}{row + 1}" for letter in "ABCDEFGH"]
        sheet.text(row, 0, quarter)
        keys = {name: at("cash", f"{name}_musd", quarter=quarter) for name in
                ("opening", "net", "closing", "liquidity", "minimum")}  # fmt: skip
        for column, name in ((1, "opening"), (2, "net"), (5, "liquidity"), (6, "minimum")):
            sheet.number(row, column, ledger.worth(keys[name]), keys[name])
        reckoned = (
            (3, f"={cell[1]}+{cell[2]}", keys["closing"]),
            (4, f"={cell[5]}-{cell[3]}", Reckoned("less", (keys["liquidity"], keys["closing"]))),
            (7, f"={cell[5]}-{cell[6]}", Reckoned("less", (keys["liquidity"], keys["minimum"]))),
        )
        for column, formula, key in reckoned:
            sheet.formula(row, column, formula, ledger.worth(key), key, "musd")
    last = head + len(cash)
    sheet.table("liquidity", head, last, heads, [False] + [True] * 7)
    sheet.text(last + 1, 0, "Lowest", "strong")
    for column in (1, 2, 4, 6, 7):
        sheet.text(last + 1, column, "", "strong")
    for column, name in ((3, "lowest_cash_musd"), (5, "lowest_liquidity_musd")):
        formula = f"=MIN({span(column, head + 1, last)})"
        sheet.formula(last + 1, column, formula, ledger.worth(kpi(name)), kpi(name))
        desk.tie(f"Lowest {'cash' if column == 3 else 'liquidity'}", sheet.cell(last + 1, column), kpi(name))
    low = desk.looks["low"]
    sheet.at.conditional_format(head + 1, 0, last, 7, {
        "type": "formula", "criteria": f"=$F{head + 2}=MIN($F${head + 2}:$F${last + 1})", "format": low,
    })  # fmt: skip
    sheet.at.set_column(0, 0, 18)
    sheet.at.set_column(1, 7, 12)
    sheet.freeze(head + 1, 1)
    add_liquidity_chart(sheet, sheet, head, 9)


def add_liquidity_chart(where: Sheet, liquidity: Sheet, row: int, column: int) -> None:
    """Cash and liquidity as lines against the minimum, from the sheet of liquidity."""
    first, last = HEAD_ROWS + 1, HEAD_ROWS + len(liquidity.desk.plan.cash)
    lines = [
        Series(liquidity, (first, last), (3, 3), HEAD_ROWS, 3, COLOURS[2]),
        Series(liquidity, (first, last), (5, 5), HEAD_ROWS, 5, COLOURS[3]),
        Series(liquidity, (first, last), (6, 6), HEAD_ROWS, 6, RED, dashed=True),
    ]
    add_chart(where, row, column, "Liquidity against its minimum, $M", [], lines, (liquidity, (first, last), (0, 0)))


# ---- capex --------------------------------------------------------------------------------------------------------


def write_capex(desk: Workbook) -> None:
    """Capex by source and line, its sum to date against the budget."""
    sheet = desk.add("capex", "Capex against the budget")
    plan, ledger = desk.plan, desk.ledger
    quarters = list(plan.cash["quarter"])
    labels = list(
        dict.fromkeys(plan.capex[["site", "source", "product", "line"]].astype(str).itertuples(index=False, name=None))
    )
    heads = ["Site", "Source", "Product", "Line", "Total"]
    head = HEAD_ROWS
    sheet.heads(head, 0, [*heads, *quarters], 4)
    first, left, right = head + 1, len(heads), len(heads) + len(quarters) - 1
    for row, (site, source, product, line) in enumerate(labels, first):
        which = {"site": site, "source": source, "product": product, "line": line}
        for column, words in enumerate((site, source, product, LINES[line].words)):
            sheet.text(row, column, words)
        for column, quarter in enumerate(quarters, left):
            key = at("capex", "musd", quarter=quarter, **which)
            sheet.number(row, column, ledger.worth(key), key)
        key = at("capex", "musd", **which)
        formula = f"=SUM({letters(left)}{row + 1}:{letters(right)}{row + 1})"
        sheet.formula(row, 4, formula, ledger.worth(key), key)
    total = first + len(labels)
    _write_capex_sums(sheet, (first, total), left, quarters)
    sheet.at.set_column(0, 0, 22)
    sheet.at.set_column(1, 1, 28)
    sheet.at.set_column(2, 3, 20)
    sheet.at.set_column(4, right, 9)
    sheet.freeze(head + 1, 1)
    sheet.at.repeat_columns(0, 1)
    sheet.at.fit_to_pages(max(1, round(len(quarters) / 16)), 0)
    desk.places["capex"] = total
    add_capex_chart(sheet, sheet, total + 5, 0)


def _write_capex_sums(sheet: Sheet, rows: tuple[int, int], left: int, quarters: Sequence[str]) -> None:
    """Below the lines: the sum of each quarter, to date, the budget and what is left of it."""
    ledger, (first, total) = sheet.desk.ledger, rows
    budget = Key("settings", "capex_budget_musd")
    for row, words in enumerate(("Capex of the quarter", "Capex to date", "Budget", "Left of the budget"), total):
        sheet.text(row, 0, words, "strong")
        for column in range(1, left):
            sheet.text(row, column, "", "strong")
    for column, quarter in enumerate(quarters, left):
        letter, spent = letters(column), at("capex_to_date", "capex_musd", quarter=quarter)
        to_date = at("capex_to_date", "to_date_musd", quarter=quarter)
        parts = f"=SUM({span(column, first, total - 1)})" if total > first else "=0"
        before = "" if column == left else f"{letters(column - 1)}{total + 2}+"
        rest = Reckoned("less", (budget, to_date))
        sheet.formula(total, column, parts, ledger.worth(spent), spent)
        sheet.formula(total + 1, column, f"={before}{letter}{total + 1}", ledger.worth(to_date), to_date)
        sheet.number(total + 2, column, ledger.worth(budget), budget, "musd total")
        sheet.formula(total + 3, column, f"={letter}{total + 3}-{letter}{total + 2}", ledger.worth(rest), rest)
        sheet.desk.tie(f"Capex to {quarter}", sheet.cell(total + 1, column), to_date)
    whole = f"=SUM({letters(left)}{total + 1}:{letters(left + len(quarters) - 1)}{total + 1})"
    sheet.formula(total, left - 1, whole, ledger.worth(kpi("capex_musd")), kpi("capex_musd"))
    sheet.desk.tie(FIGURES["capex_musd"].words, sheet.cell(total, left - 1), kpi("capex_musd"))


def add_capex_chart(where: Sheet, capex: Sheet, row: int, column: int) -> None:
    """Capex of each quarter as columns; to date and budget as lines."""
    total, left = capex.desk.places["capex"], 5
    across = (left, left + len(capex.desk.plan.cash) - 1)
    columns = [Series(capex, (total, total), across, total, 0, COLOURS[1])]
    lines = [
        Series(capex, (total + 1, total + 1), across, total + 1, 0, COLOURS[3]),
        Series(capex, (total + 2, total + 2), across, total + 2, 0, RED, dashed=True),
    ]
    add_chart(
        where, row, column, "Capex against the budget, $M", columns, lines, (capex, (HEAD_ROWS, HEAD_ROWS), across)
    )


# ---- debt and value -----------------------------------------------------------------------------------------------


def write_debt(desk: Workbook) -> None:
    """What is owed by facility and quarter, then each facility's roll-forward."""
    sheet = desk.add("debt", "Debt: what is owed, drawn, repaid and paid for")
    debt, ledger = desk.plan.debt, desk.ledger
    sheet.at.set_column(0, 0, 26)
    sheet.at.set_column(1, 60, 10)
    sheet.at.freeze_panes(HEAD_ROWS, 1)
    if debt.empty:
        sheet.text(HEAD_ROWS, 0, "This plan has no debt.")
        return
    quarters, names = list(desk.plan.cash["quarter"]), list(dict.fromkeys(debt["facility"]))
    held: dict[tuple[tuple[str, ...], str], float]
    held = {((str(row.facility),), str(row.quarter)): float(row.closing_musd) for row in debt.itertuples()}
    sheet.text(HEAD_ROWS, 0, "Owed at each quarter's end, $M", "section")
    owed = write_grid(
        sheet, HEAD_ROWS + 1, [(name,) for name in names], ["Facility"], quarters, held,
        lambda label, quarter: at("debt", "closing_musd", facility=label[0], quarter=quarter), "musd",
    )  # fmt: skip
    sheet.text(owed.last + 1, 0, "All facilities", "strong")
    for quarter, column in owed.columns.items():
        key = at("debt", "closing_musd", quarter=quarter)
        sheet.formula(owed.last + 1, column, f"=SUM({span(column, owed.first, owed.last)})", ledger.worth(key), key)
    top = owed.last + 3
    most = f"=MAX({letters(1)}{owed.last + 2}:{letters(len(quarters))}{owed.last + 2})"
    sheet.text(top, 0, "Most owed", "strong")
    sheet.formula(top, 1, most, ledger.worth(kpi("highest_debt_musd")), kpi("highest_debt_musd"))
    desk.tie("Most debt", sheet.cell(top, 1), kpi("highest_debt_musd"))
    _write_facilities(sheet, top + 2)
    sheet.at.fit_to_pages(max(1, round(len(quarters) / 16)), 0)
    sheet.at.repeat_columns(0)


def _write_facilities(sheet: Sheet, row: int) -> None:
    desk, debt = sheet.desk, sheet.desk.plan.debt
    flows = ["opening_musd", "draws_musd", "repayments_musd", "closing_musd", "interest_musd", "fees_musd"]
    sheet.text(row, 0, "Roll-forward: opening + draws - repayments = closing", "section")
    written = write_frame(
        sheet, row + 1, debt, "debt", ["facility", "quarter"], columns=["facility", "quarter", *flows], numeric=flows,
        totals=["draws_musd", "repayments_musd", "interest_musd", "fees_musd"], live={
            "closing_musd": lambda line, at: f"={at['opening_musd']}{line}+{at['draws_musd']}{line}"
            f"-{at['repayments_musd']}{line}",
        },
    )  # fmt: skip
    total = written.last
    for words in ("draws_musd", "repayments_musd"):
        desk.tie(f"Debt: {words.removesuffix('_musd')}", sheet.cell(total, written.columns[words]), at("debt", words))


def write_value(desk: Workbook) -> None:
    """Present value by line, within and after the horizon, beside that of doing nothing."""
    sheet = desk.add("value", "Value by line: present value of all flows, $M")
    ledger, plan = desk.ledger, desk.plan
    lines = [line for line in LINES if line in set(plan.value["line"])]
    nothing = plan.nothing
    if nothing is not None:
        lines = [line for line in LINES if line in {*plan.value["line"], *nothing["value"]["line"]}]
    heads = ["Line", "Within the horizon", "After it", "Value"]
    heads += ["Doing nothing", "Value over doing nothing"] if nothing is not None else []
    sheet.heads(HEAD_ROWS, 0, heads, 1)
    first = HEAD_ROWS + 1
    for row, line in enumerate([*lines, ""], first):
        which = {"line": line} if line else {}
        sheet.text(row, 0, LINES[line].words if line else "Total", "text" if line else "strong")
        look = "musd" if line else "musd total"
        parts = [at("value", "within_musd", **which), at("value", "after_musd", **which)]
        idle = Reckoned("sum", tuple(at("nothing/value", key.name, **which) for key in parts))
        whole = Reckoned("sum", tuple(parts))
        sums = [f"=SUM({span(column, first, row - 1)})" for column in range(6)]
        for column, key in enumerate(parts, 1):
            if line:
                sheet.number(row, column, ledger.worth(key), key, look)
            else:
                sheet.formula(row, column, sums[column], ledger.worth(key), key, look)
        sheet.formula(row, 3, f"=B{row + 1}+C{row + 1}", ledger.worth(whole), whole, look)
        if nothing is not None:
            over = Reckoned("less", (whole, idle))
            if line:
                sheet.number(row, 4, ledger.worth(idle), idle, look)
            else:
                sheet.formula(row, 4, sums[4], ledger.worth(idle), idle, look)
            sheet.formula(row, 5, f"=D{row + 1}-E{row + 1}", ledger.worth(over), over, look)
    last = first + len(lines)
    if lines:
        sheet.table("value", HEAD_ROWS, last - 1, heads, [False] + [True] * (len(heads) - 1))
    desk.tie(FIGURES["value_musd"].words, sheet.cell(last, 3), kpi("value_musd"))
    desk.tie(FIGURES["value_after_horizon_musd"].words, sheet.cell(last, 2), kpi("value_after_horizon_musd"))
    if nothing is not None:
        desk.tie("Value over doing nothing", sheet.cell(last, 5), kpi("value_over_do_nothing_musd"))
    sheet.at.set_column(0, 0, 40)
    sheet.at.set_column(1, 5, 15)
    sheet.freeze(HEAD_ROWS + 1, 1)
