"""A study in the terminal: the answer, the sentences, and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from optimizer.questions.studies.study import NUMERIC, Study

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 110
MOST_ROWS = 60

SHOWN: dict[tuple[str, str], tuple[str, ...]] = {
    ("tornado", "drivers"): (
        "driver", "unit", "low", "base", "high", "value_low_musd", "value_high_musd", "kept_low_musd",
        "kept_high_musd",
    ),
    ("breakevens", "breakevens"): (
        "subject", "question", "state", "unit", "base", "below", "above",
    ),
    ("frontier", "points"): (
        "budget_musd", "value_musd", "bound_musd", "marginal_musd", "capex_musd", "lowest_cash_musd", "decisions",
    ),
    ("frontier", "cash"): (
        "minimum_musd", "value_musd", "bound_musd", "marginal_musd", "capex_musd", "lowest_cash_musd", "decisions",
    ),
    ("prices", "duals"): (),
    ("prices", "prices"): (
        "words", "kind", "unit", "limit", "dual_musd_per_unit", "tighter_musd_per_unit", "quarters",
    ),
    ("prices", "steps"): (
        "words", "unit", "change", "value_change_low_musd", "value_change_high_musd", "moves", "what_moves",
    ),
    ("map", "points"): ("x", "y", "value_musd", "bound_musd", "region", "as_good", "decided", "words"),
    ("alternatives", "shares"): ("words", "plans", "otherwise_musd", "verdict"),
    ("regret", "regret"): ("plan", "scenario", "regret_musd"),
    ("regret", "decisions"): ("words", "scenarios", "verdict"),
}  # fmt: skip
"""Columns that the terminal shows where a table has more than fit on a line; the CSV has them all. None: not shown."""


def print_study(study: Study, console: Console) -> None:
    """Print the study; in a pipe it is the same words without trailing blanks."""
    with console.capture() as captured:
        console.print(Text(study.title, style="bold"))
        for words in study.words:
            console.print(Text(words))
        for name, table in study.tables.items():
            if len(table) and SHOWN.get((study.kind, name)) != ():
                console.print()
                console.print(_shown(study.kind, name, table))
        console.print()
        console.print(Text(source(study)))
    lines = captured.get().splitlines()
    console.file.write("\n".join(line.rstrip() for line in lines) + "\n")


def source(study: Study) -> str:
    """What the study stands on, in a line."""
    about = study.about
    gap = about.get("gap")
    gap_words = f", each answer to a gap of {gap:.4%}" if isinstance(gap, float) else ""
    return f"{about.get('case')}, scenario {about.get('scenario')}, run {about.get('run_id')}{gap_words}."


def _shown(kind: str, name: str, table: pd.DataFrame) -> Table:
    columns = [column for column in SHOWN.get((kind, name), tuple(table.columns)) if column in table.columns]
    told = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        right = NUMERIC.fullmatch(column) is not None
        told.add_column(_heading(column), justify="right" if right else "left", overflow="fold", no_wrap=right)
    for _, row in table.iloc[:MOST_ROWS].iterrows():
        told.add_row(*(Text(_cell(column, row[column])) for column in columns))
    if len(table) > MOST_ROWS:
        told.caption = f"{len(table) - MOST_ROWS} more rows in {name}.csv"
    return told


def _heading(column: str) -> str:
    """`value_low_musd` as `value low, $M`, on as many lines as it needs."""
    for ending, unit in (
        ("_musd_per_unit", "$M/unit"),
        ("_musd", "$M"),
        ("_gross_mw", "gross MW"),
        ("_it_mw", "IT MW"),
    ):
        if column.endswith(ending):
            return f"{column.removesuffix(ending).replace('_', chr(10))}\n{unit}"
    return column.replace("_", "\n")


def _cell(column: str, value: Any) -> str:
    if not isinstance(value, float | int):
        return str(value)
    if value != value:  # NaN: there is none
        return "-"
    if column.endswith("_musd"):
        return f"{value:,.1f}".replace("-0.0", "0.0") if abs(value) < 0.05 else f"{value:,.1f}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
