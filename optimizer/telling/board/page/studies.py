"""The studies that lie beside a plan: why this one, how sure, and what would change it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from optimizer.ground.errors import HouseFault
from optimizer.questions.studies.study import KINDS
from optimizer.telling.board.keys import place as at
from optimizer.telling.board.page.blocks import (
    Bar,
    Bars,
    Chart,
    Column,
    Legend,
    Line,
    Mark,
    Rect,
    Section,
    Table,
    Tick,
    Words,
)
from optimizer.telling.board.page.book import Book, is_number
from optimizer.telling.board.page.charts import axis
from optimizer.telling.board.page.grid import switching_map
from optimizer.telling.board.page.numbers import Name, Number, words

if TYPE_CHECKING:
    from optimizer.questions.studies.study import Study

TOPICS = {name: kind.heading for name, kind in KINDS.items() if kind.heading}
NO_NUMBER = "none"

Show = Callable[[Book, "Study"], list[object]]


def studies(book: Book) -> list[Section]:
    """A section for each study of this plan, and one that names what is left out."""
    found = [_section(book, kind, book.studies[kind]) for kind in TOPICS if kind in book.studies]
    return [*found, *_left_out(book)]


def _section(book: Book, kind: str, study: Study) -> Section:
    sentences = [Name(sentence) for sentence in study.words]
    blocks = [Words(sentences, bullets=len(sentences) > 2)] if sentences else []
    return Section(kind, TOPICS[kind], words("{}", Name(study.title)), (*blocks, *SHOWN[kind](book, study)))


def _left_out(book: Book) -> tuple[Section, ...]:
    if not book.left_out:
        return ()
    sentences = [
        words("{} ({}): {}. Make it with {}", TOPICS[kind], KINDS[kind].words, why,
              Markup("<code>optimizer {} PLAN</code>").format(kind))
        for kind, why in book.left_out.items()
    ]  # fmt: skip
    return (Section("left-out", "Not studied", Markup("These questions were not studied for this plan."),
                    (Words(sentences, bullets=True, note=True),)),)  # fmt: skip


# ---- tables -------------------------------------------------------------------------------------------------------


def cell(book: Book, kind: str, table: str, row: int, column: str, value: Any) -> object:
    """A cell of a study: a number with its key, words where there is none, or a text."""
    if is_number(value):
        if not math.isfinite(value):
            return NO_NUMBER
        if column == "share":
            return book.number(float(value), at(f"studies/{kind}/{table}/share", row=row), "percent", 0)
        decimals = 1 if column.endswith("musd") else _decimals(float(value))
        return book.number(float(value), at(f"studies/{kind}/{table}/{column}", row=row), decimals=decimals)
    return Name(str(value)) if str(value) else NO_NUMBER


def _decimals(value: float) -> int:
    """Decimals for a number of any size: three digits that say something, and no needless zeros."""
    if value == round(value, 0):
        return 0
    return max(1, min(8, 2 - math.floor(math.log10(abs(value)))))


def _table(
    book: Book, study: Study, table: str, columns: Mapping[str, str], caption: str, *, folded: bool = False
) -> Table | None:
    return study_table(book, study, study.kind, table, columns, caption, folded=folded)


def study_table(
    book: Book, study: Study, kind: str, table: str, columns: Mapping[str, str], caption: str, *, folded: bool = False
) -> Table | None:
    """Some columns of a table of a study, under their headings; columns it lacks are left out."""
    rows = study.tables.get(table)
    if rows is None or rows.empty:
        return None
    shown = {column: told for column, told in columns.items() if column in rows.columns}
    first, *rest = shown
    lines = [
        Line(cell(book, kind, table, n, first, row[first]), "",
             [cell(book, kind, table, n, column, row[column]) for column in rest])
        for n, row in enumerate(rows.to_dict("records"))
    ]  # fmt: skip
    numeric = {column: bool(rows[column].map(is_number).all()) for column in rest}
    headings = [Column(shown[column], number=numeric[column]) for column in rest]
    return Table(caption, headings, lines, shown[first], folded=folded, sortable=True)


def _tables(*tables: Table | None) -> list[object]:
    return [table for table in tables if table is not None]


def breakevens(book: Book, study: Study) -> list[object]:
    columns = {
        "subject": "decision", "driver": "driver", "unit": "unit", "base": "today",
        "below": "holds to", "above": "changes by", "decision_below": "before", "decision_above": "after",
        "question": "question", "words": "answer",
    }  # fmt: skip
    return _tables(_table(book, study, "breakevens", columns, "Where each decision changes", folded=bool(study.words)))


def alternatives(book: Book, study: Study) -> list[object]:
    plans = {"number": "plan", "value_musd": "value, $M", "gives_up_musd": "gives up, $M", "differs_by": "differs by",
             "words": "in words"}  # fmt: skip
    shares = {"words": "decision", "plans": "plans that take it", "share": "share of the plans"}
    return _tables(
        _table(book, study, "alternatives", plans, "Plans by value"),
        _table(book, study, "shares", shares, "How firm each decision is"),
    )


def regret(book: Book, study: Study) -> list[object]:
    plans = {
        "plan": "plan", "worst_regret_musd": "worst regret, $M", "worst_scenario": "in scenario",
        "worst_value_musd": "worst value, $M", "worst_short_musd": "liquidity missing, $M", "words": "in words",
    }  # fmt: skip
    values = {"plan": "plan", "scenario": "scenario", "value_musd": "value, $M", "short_musd": "liquidity missing, $M",
              "words": "in words"}  # fmt: skip
    each = {"plan": "plan", "scenario": "scenario", "regret_musd": "regret, $M"}
    decisions = {"words": "decision", "scenarios": "taken in", "verdict": "verdict"}
    return _tables(
        _table(book, study, "plans", plans, "The worst of each plan"),
        _table(book, study, "decisions", decisions, "What can be decided now"),
        _table(book, study, "regret", each, "What each plan gives up in each scenario", folded=True),
        _table(book, study, "values", values, "What each plan is worth in each scenario", folded=True),
    )


def prices(book: Book, study: Study) -> list[object]:
    steps = {"words": "one more of", "unit": "unit", "change": "change",
             "value_change_low_musd": "worth at least, $M", "value_change_high_musd": "at most, $M",
             "moves": "decisions move", "what_moves": "what moves"}  # fmt: skip
    duals = {"words": "rule", "place": "where", "quarter": "quarter", "unit": "unit", "kind": "kind", "limit": "limit",
             "dual_musd_per_unit": "$M per unit, decisions kept"}  # fmt: skip
    return _tables(
        _table(book, study, "steps", steps, "A little more of each limit, decided again"),
        _table(book, study, "duals", duals, "The last unit of each limit, decisions kept", folded=True),
    )


# ---- charts -------------------------------------------------------------------------------------------------------


def tornado(book: Book, study: Study) -> list[object]:
    """Bars from the value at the low to the value at the high of each driver, the widest first."""
    rows = study.tables["drivers"].to_dict("records")
    base = float(study.about.get("value_musd", math.nan))
    ends = [row[c] for row in rows for c in ("value_low_musd", "value_high_musd") if math.isfinite(row[c])]
    if not ends or not math.isfinite(base):
        return _tornado_table(book, study)
    low, high = min([base, *ends]), max([base, *ends])
    span = (high - low) or 1.0
    line = Rect((base - low) / span * 100, 0, 0.25, 100, "zero")
    bars = []
    for n, row in sorted(enumerate(rows), key=lambda one: -_width(one[1])):
        sides = [(row["value_low_musd"], "side-low"), (row["value_high_musd"], "side-high")]
        rects = [
            Rect((min(value, base) - low) / span * 100, 18, abs(value - base) / span * 100, 64, look)
            for value, look in sides if math.isfinite(value)
        ]  # fmt: skip
        cells = tuple(_change(book, n, column, row[column], base) for column in ("value_low_musd", "value_high_musd"))
        bars.append(Bar(_driver(book, n, row), [*rects, line], cells))
    told = words("The line is the plan's value, {}. Dotted: the driver at its low; full: at its high.",
                 book.number(base, "studies/tornado/about/value_musd", "musd"))  # fmt: skip
    return [
        Bars("Change of the plan's value with each driver low and high, decided again, $M", "driver",
             ("at low, $M", "at high, $M"), bars),
        Words([told], note=True), *_tornado_table(book, study),
    ]  # fmt: skip


def _change(book: Book, row: int, column: str, value: float, base: float) -> object:
    """What a driver at one end changes of the plan's value."""
    if not math.isfinite(value):
        return NO_NUMBER
    told = f"{book.id}/{at(f'studies/tornado/drivers/{column}', row=row)} - {book.id}/studies/tornado/about/value_musd"
    return Number(value - base, told)


def _driver(book: Book, number: int, row: Mapping[str, Any]) -> Markup:
    """The short name of a driver with its low and high."""
    name = row["driver"] if len(str(row["driver"])) <= len(str(row["words"])) else row["words"]
    ends = [cell(book, "tornado", "drivers", number, column, row[column]) for column in ("low", "high")]
    return words("{} <small>{} to {} {}</small>", Name(str(name)), *ends, Name(str(row["unit"])))


def _width(row: Mapping[str, Any]) -> float:
    width = abs(row["value_high_musd"] - row["value_low_musd"])
    return float(width) if math.isfinite(width) else 0.0


def _tornado_table(book: Book, study: Study) -> list[object]:
    columns = {
        "words": "driver", "unit": "unit", "low": "low", "base": "today", "high": "high",
        "value_low_musd": "value at low, $M", "value_high_musd": "value at high, $M",
        "kept_low_musd": "at low, decisions kept, $M", "kept_high_musd": "at high, decisions kept, $M",
    }  # fmt: skip
    return _tables(_table(book, study, "drivers", columns, "Drivers low and high", folded=True))


def frontier(book: Book, study: Study) -> list[object]:
    """Value by budget as points over the budget's own axis, with its table."""
    columns = {"budget_musd": "budget, $M", "value_musd": "value, $M", "over_nothing_musd": "over doing nothing, $M",
               "capex_musd": "capex, $M", "lowest_cash_musd": "lowest cash, $M", "decisions": "decisions"}  # fmt: skip
    rows = study.tables["points"].to_dict("records")
    known = [row for row in rows if math.isfinite(row["value_musd"]) and math.isfinite(row["budget_musd"])]
    table = _table(book, study, "points", columns, "Value by budget")
    if table is None or len(known) < 2:
        return _tables(table)
    least = {"minimum_musd": "minimum of cash, $M", **{c: told for c, told in columns.items() if c != "budget_musd"}}
    return [
        _frontier_chart(book, known, table),
        *_tables(_table(book, study, "cash", least, "Value by minimum of cash")),
    ]


def _frontier_chart(book: Book, rows: Sequence[Mapping[str, Any]], table: Table) -> Chart:
    across, up = axis(float(row["budget_musd"]) for row in rows), axis(float(row["value_musd"]) for row in rows)
    marks = [
        Mark((row["budget_musd"] - across.low) / (across.high - across.low) * 100, up.at(row["value_musd"]))
        for row in rows
    ]
    ticks = [Tick(100 - tick.at, tick.value, minor=tick.minor) for tick in across.ticks]
    name = f"{book.id}-frontier"
    return Chart(
        name, "value, $M, by capex budget, $M", 0, up.ticks, ticks, [Legend("point", "a budget, decided again")],
        table, marks=marks, zero=up.at(0),
    )  # fmt: skip


SHOWN: Mapping[str, Show] = {
    "tornado": tornado, "breakevens": breakevens, "map": switching_map, "frontier": frontier,
    "alternatives": alternatives, "regret": regret, "prices": prices,
}  # fmt: skip
if strays := TOPICS.keys() ^ SHOWN.keys():
    raise HouseFault(f"Studies with a heading in KINDS and not in SHOWN of {__name__}, or the other way: {strays}.")
