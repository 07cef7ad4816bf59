"""Money by quarter: capex against its budget, cash and its minimum, debt, and the statement."""

from __future__ import annotations

from markupsafe import Markup

from optimizer.business.lines import LINES
from optimizer.ground.amounts import TOLD_MUSD
from optimizer.telling.board.keys import encoded
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import Chart, Column, Legend, Line, Mark, Path, Section, Table, Words
from optimizer.telling.board.page.book import Book, finite
from optimizer.telling.board.page.charts import LOOKS, Axis, axis, line, stacked, steps, years
from optimizer.telling.board.page.megawatts import quarter_columns
from optimizer.telling.board.page.numbers import ROUNDED, Name, Number, adds, words

# ---- capex --------------------------------------------------------------------------------------------------------


def capex(book: Book) -> Section:
    """Capex by quarter and to date, against the budget."""
    budget, committed = book.kpi("capex_budget_musd"), book.kpi("capex_committed_musd")
    if book.kpi("capex_musd").value < TOLD_MUSD:
        return Section("capex", "Capex and budget", words("No capex is spent of a budget of {}.", budget))
    before = words(" (new {}, committed before {})", book.kpi("capex_new_musd"), committed)
    message = words(
        "Capex is {}{} of a budget of {}; the most in one quarter is {}, in {}.", book.kpi("capex_musd"),
        before if committed.value > TOLD_MUSD else "", budget, book.kpi("peak_capex_musd"),
        book.quarter("peak_capex_quarter"),
    )  # fmt: skip
    return Section("capex", "Capex and budget", message, (_capex_chart(book), *_capex_sites(book), *_yearly(book)))


def _capex_chart(book: Book) -> Chart:
    table = book.plan.capex_to_date
    quarterly, to_date = (finite(table[c], "capex_to_date") for c in ("capex_musd", "to_date_musd"))
    budget = float(book.plan.case.settings.capex_budget_musd)
    scale = axis([*quarterly, *to_date, budget])
    rows = [
        Line("in the quarter", f"{book.id}/capex_to_date/capex_musd?quarter=*", quarterly),
        Line("to date", f"{book.id}/capex_to_date/to_date_musd?quarter=*", to_date),
    ]
    name = f"{book.id}-capex"
    return Chart(
        name, "$M", len(book.quarters), scale.ticks, years(book.quarters),
        [Legend("capex", "in the quarter"), Legend("line-main", "to date"), Legend("line-limit", "budget")],
        Table("Capex by quarter, net of what tenants pay, $M", quarter_columns(book), rows, "capex", folded=True,
              id=f"{name}-table"),
        rects=stacked([("capex", quarterly)], scale),
        paths=[line(to_date, scale, "line-main"), steps([budget] * len(quarterly), scale, "line-limit")],
        zero=scale.at(0),
    )  # fmt: skip


def _capex_sites(book: Book) -> tuple[Table | Words, ...]:
    """Capex by site and line: the parts of the total."""
    table = book.plan.capex
    sites, lines = list(dict.fromkeys(table["site"])), [name for name in LINES if (table["line"] == name).any()]
    sums = table.groupby(["site", "line"])["musd"].sum().to_dict()
    rows = [
        Line(
            Name(site) if site else "company", f"{book.id}/capex/musd?site={encoded(site)}&*",
            [*(float(sums.get((site, name), 0.0)) for name in lines),
             float(table["musd"][table["site"] == site].sum())],
        )
        for site in sites
    ]  # fmt: skip
    totals = [float(table[table["line"] == name]["musd"].sum()) for name in lines]
    rows.append(Line("all sites", f"{book.id}/capex/musd?*", [*totals, float(table["musd"].sum())], total=True))
    columns = [*(Column(LINES[name].words, f"line={name}") for name in lines), Column("total")]
    shown = Table("Capex by site and line, $M", columns, rows, "site", sortable=True)
    return shown, *rounding(shown)


def rounding(table: Table) -> tuple[Words, ...]:
    """A note where rounded parts do not add to the rounded total of a row or of a column."""
    body = [[Number(float(cell), "") for cell in row.cells] for row in table.rows]  # type: ignore[arg-type]
    rows_add = all(adds(cells[:-1], cells[-1]) for cells in body)
    columns_add = all(adds(column[:-1], column[-1]) for column in zip(*body, strict=True))
    return () if rows_add and columns_add else (Words([ROUNDED], note=True),)


def _yearly(book: Book) -> tuple[Table, ...]:
    """Capex of each year that has a budget of its own."""
    budgets = book.plan.case.budget_years
    if not budgets:
        return ()
    spent = book.plan.capex_to_date
    rows = [
        Line(
            Name(str(row.year)), "",
            [
                book.number(
                    float(spent[spent["quarter"].str[:4] == str(row.year)]["capex_musd"].sum()),
                    at("capex_to_date/capex_musd", year=row.year),
                ),
                book.number(float(row.capex_budget_musd), at("inputs/budget_years/capex_budget_musd", row=number)),
            ],
        )
        for number, row in enumerate(budgets)
        if any(quarter.startswith(str(row.year)) for quarter in book.quarters)
    ]  # fmt: skip
    return (Table("Capex by year against the budget of that year, $M",
                  [Column("spent"), Column("budget")], rows, "year"),)  # fmt: skip


# ---- cash ---------------------------------------------------------------------------------------------------------


def cash(book: Book) -> Section:
    """Cash and liquidity by quarter, against the minimum and against doing nothing."""
    message = words(
        "Liquidity is lowest at the end of {}: {}, against a minimum of {}.", book.quarter("lowest_liquidity_quarter"),
        book.kpi("lowest_liquidity_musd"), book.kpi("minimum_cash_musd"),
    )  # fmt: skip
    said = [_nothing_words(book)] if book.has("do_nothing_lowest_cash_musd") else []
    return Section("cash", "Cash and liquidity", message, (*([Words(said)] if said else []), _cash_chart(book)))


def _nothing_words(book: Book) -> Markup:
    lowest = words(
        "Doing nothing, cash is lowest at the end of {}: {}", book.quarter("do_nothing_lowest_cash_quarter"),
        book.kpi("do_nothing_lowest_cash_musd"),
    )  # fmt: skip
    table = (book.plan.nothing or {})["cash"]
    short = table[table["closing_musd"] < table["minimum_musd"] - 1e-6]
    if short.empty:
        return words("{}.", lowest)
    return words("{}; it is below the minimum from {}.", lowest, Name(short["quarter"].iloc[0]))


def _cash_chart(book: Book) -> Chart:
    table = book.plan.cash
    series = {
        "line-main": ("cash", "cash/closing_musd", finite(table["closing_musd"], "cash")),
        "line-second": ("liquidity", "cash/liquidity_musd", finite(table["liquidity_musd"], "cash")),
        "line-limit": ("minimum", "cash/minimum_musd", finite(table["minimum_musd"], "cash")),
    }
    if max(abs(a - b) for a, b in zip(series["line-main"][2], series["line-second"][2], strict=True)) < 0.05:
        del series["line-second"]
        series["line-main"] = ("cash (all of the liquidity)", *series["line-main"][1:])
    if book.plan.nothing is not None:
        nothing = finite(book.plan.nothing["cash"]["closing_musd"], "do_nothing/cash")
        series["line-nothing"] = ("cash, doing nothing", "nothing/cash/closing_musd", nothing)
    scale = axis(value for _, _, values in series.values() for value in values)
    name = f"{book.id}-cash"
    rows = [Line(told, f"{book.id}/{place}?quarter=*", values) for told, place, values in series.values()]
    return Chart(
        name, "$M at the end of the quarter", len(book.quarters), scale.ticks, years(book.quarters),
        [Legend(look, told) for look, (told, _, _) in series.items()],
        Table("Cash by quarter, $M", quarter_columns(book), rows, "at the end", folded=True, id=f"{name}-table"),
        paths=[_cash_line(look, values, scale) for look, (_, _, values) in series.items()],
        marks=[_lowest_mark(book, scale)], zero=scale.at(0),
    )  # fmt: skip


def _cash_line(look: str, values: list[float], scale: Axis) -> Path:
    return steps(values, scale, look) if look == "line-limit" else line(values, scale, look)


def _lowest_mark(book: Book, scale: Axis) -> Mark:
    quarter = book.room["lowest_liquidity_quarter"]
    assert isinstance(quarter, str)
    at = (book.quarters.index(quarter) + 0.5) / len(book.quarters) * 100
    anchor = "start" if at < 25 else "end" if at > 75 else "middle"
    label = ("lowest: ", book.kpi("lowest_liquidity_musd"), ", ", Name(quarter))
    return Mark(at, scale.at(book.room.number("lowest_liquidity_musd")), label, anchor)


# ---- debt ---------------------------------------------------------------------------------------------------------


def debt(book: Book) -> Section:
    """What is owed by facility and quarter, and what it costs."""
    table = book.plan.debt
    if table.empty:
        return Section("debt", "Debt", Markup("The company has no debt and no facility to draw on."))
    message = words(
        "Debt is at most {}, and {} at the end of the horizon; interest and fees come to {}.",
        book.kpi("highest_debt_musd"), book.kpi("debt_at_end_musd"), book.kpi("interest_and_fees_musd"),
    )  # fmt: skip
    return Section("debt", "Debt", message, (_debt_chart(book), _facilities(book)))


def _debt_chart(book: Book) -> Chart:
    table = book.plan.debt
    series = {}
    for facility, rows in table.groupby("facility", sort=False):
        closing = rows.groupby("quarter")["closing_musd"].sum().to_dict()
        series[str(facility)] = finite((closing.get(quarter, 0.0) for quarter in book.quarters), "debt")
    series = {facility: values for facility, values in series.items() if max(values) > 1e-6}
    look = {facility: f"p{n % LOOKS}" for n, facility in enumerate(series)}
    scale = axis(sum(values) for values in zip(*series.values(), strict=True))
    name = f"{book.id}-debt"
    place = f"{book.id}/debt/closing_musd?facility="
    lines = [Line(Name(f), f"{place}{encoded(f)}&quarter=*", values) for f, values in series.items()]
    return Chart(
        name, "$M owed at the end of the quarter", len(book.quarters), scale.ticks, years(book.quarters),
        [Legend(look[facility], Name(facility)) for facility in series],
        Table("Debt by facility and quarter, $M", quarter_columns(book), lines, "facility", folded=True,
              id=f"{name}-table"),
        rects=stacked([(look[facility], values) for facility, values in series.items()], scale), zero=scale.at(0),
    )  # fmt: skip


def _facilities(book: Book) -> Table:
    table = book.plan.debt
    columns = {"draws_musd": "drawn", "repayments_musd": "repaid", "interest_musd": "interest", "fees_musd": "fees"}
    rows = [
        Line(Name(facility), f"{book.id}/debt/*?facility={encoded(facility)}",
             [float(mine[column].sum()) for column in columns])
        for facility, mine in table.groupby("facility", sort=False)
    ]  # fmt: skip
    rows.append(Line("all facilities", f"{book.id}/debt/*", [float(table[c].sum()) for c in columns], total=True))
    return Table("Debt over the horizon, $M", [Column(told, column) for column, told in columns.items()], rows,
                 "facility", sortable=True)  # fmt: skip


# ---- the statement ------------------------------------------------------------------------------------------------


def statement(book: Book) -> Section:
    """The cash-flow statement by year, and by quarter for those who want it."""
    last = book.plan.cash.iloc[-1]
    message = words(
        "Cash goes from {} to {} over the horizon.",
        book.number(book.plan.cash.iloc[0]["opening_musd"], at("cash/opening_musd", quarter=book.quarters[0]), "musd"),
        book.number(last["closing_musd"], at("cash/closing_musd", quarter=book.quarters[-1]), "musd"),
    )  # fmt: skip
    yearly = list(dict.fromkeys(quarter[:4] for quarter in book.quarters))
    tables = [_statement(book, yearly, "year"), _statement(book, book.quarters, "quarter")]
    return Section("statement", "Cash-flow statement", message, (*tables, *_statement_rounding(tables)))


def _statement(book: Book, spans: list[str], by: str) -> Table:
    """Lines by year or quarter, with the net flow, which is the change of cash."""
    whole = book.plan.statement
    of = [quarter[:4] if by == "year" else quarter for quarter in whole.columns]
    rows = []
    for name in whole.index[1:-1]:
        sums = whole.loc[name].groupby(of).sum()
        place = f"{book.id}/cash_flow/musd?line={name}&{by}=*"
        rows.append(Line(LINES[name].words, place, [float(sums[span]) for span in spans]))
    net = book.plan.cash.set_index("quarter")["net_musd"].groupby(of).sum()
    rows.append(Line("net", f"{book.id}/cash/net_musd?{by}=*", [float(net[span]) for span in spans], total=True))
    return Table(
        f"Cash flow by {by}, $M; received positive, paid negative", [Column(Name(span), span) for span in spans], rows,
        "line", folded=by == "quarter",
    )  # fmt: skip


def _statement_rounding(tables: list[Table]) -> tuple[Words, ...]:
    columns = (zip(*(row.cells for row in table.rows), strict=True) for table in tables)
    numbers = ([Number(float(cell), "") for cell in column] for table in columns for column in table)
    return () if all(adds(column[:-1], column[-1]) for column in numbers) else (Words([ROUNDED], note=True),)
