"""Writes the pages of docs/ that follow from the code: `python docs/generate.py`; a test notices stale ones."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from api_page import api
from pydantic.fields import FieldInfo

from optimizer.business import machines, ratchets, rules, ties
from optimizer.business.company import debt, lenders, tax, treasury
from optimizer.business.uses import contracts, halls, mining, spot
from optimizer.case import schema
from optimizer.case.checks import bands, protocol, scale
from optimizer.case.terms import TERMS
from optimizer.case.terms.deal import Term
from optimizer.commands.root import help_page
from optimizer.files import tables
from optimizer.plan.figures import FIGURES
from optimizer.plan.tables import TABLES

HERE = Path(__file__).parent
ROOMS: tuple[tuple[str, ModuleType], ...] = (
    ("Sites and capacity, budgets and policies", rules),
    ("Machines", machines),
    ("Mining", mining),
    ("Ratchets", ratchets),
    ("Halls", halls),
    ("Contracts", contracts),
    ("Spot sales", spot),
    ("Debt", debt),
    ("Lenders", lenders),
    ("Treasury", treasury),
    ("Tax", tax),
    ("Ties", ties),
)
FIELD = re.compile(r"^(Math|Unit|Source|Kind): (.*)$", re.MULTILINE)


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {
        "formulation.md": formulation(),
        "case-format.md": case_format(),
        "plan-tables.md": plan_tables(),
        "faults.md": faults(),
        "units.md": unit_bands(),
        "figures.md": figures(),
        "api.md": api(),
        "../optimizer/help.txt": help_page(),
    }


def figures() -> str:
    """Every figure that reports tell: its key, the words it goes by, its unit and what it means."""
    rows = [f"| `{one.key}` | {one.words} | {one.unit} | {one.meaning} |" for one in FIGURES.values()]
    head = ["| key | in words | unit | what it means |", "|---|---|---|---|"]
    return "\n".join([FIGURES_INTRO, "", *head, *rows]) + "\n"


FIGURES_INTRO = """# Figures

Terminal, deck, page, workbook, pictures and comparison ask one room (`optimizer/plan/figures/`) for these figures, and
none reckons them itself. Those of `plan.json` are reckoned again by the audit. Where two quarters tie to a thousand
dollars, the first is told. Present values are dated at the start of a plan's first quarter; plans with different first
quarters are held against each other at one date, the later start.

From a script: `figures_of(plan)["capex_new_musd"]` (from `optimizer.plan.figures`)."""


def formulation() -> str:
    """The formulation: the prose of `formulation.in.md`, then every rule from its docstring."""
    parts = [(HERE / "formulation.in.md").read_text(encoding="utf-8").rstrip()]
    for title, module in ROOMS:
        parts.append(f"### {title}")
        parts += [_rule(function) for function in rules_of(module)]
    parts += ["## Terms of contracts", TERMS_INTRO, *(_term(term) for term in TERMS)]
    return "\n\n".join(parts) + "\n"


TERMS_INTRO = (
    "Each term is one file of `optimizer/case/terms/`: its table, what it does to a deal, what would be wrong with its "
    "rows. They shape a deal in this order."
)


def _term(term: Term) -> str:
    """A term in its own words: what it is, what it computes, and its tables."""
    module = inspect.getmodule(term.check)
    title, _, meaning = (inspect.getdoc(module) or "").partition(": ")
    formula = inspect.getdoc(term.shape) if term.shape.__module__ == term.check.__module__ else None
    tables = ", ".join(f"`{table.table}.csv`" for table in term.tables)
    told = f"#### {title}\n\n{' '.join([meaning[:1].upper() + meaning[1:], formula or '']).strip()}"
    return f"{told}\n\nIn {tables}." if tables else told


def rules_of(module: ModuleType) -> list[object]:
    """The rule functions of a module, in the order they are written: those whose docstring has a formula."""
    functions = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]
    functions.sort(key=lambda f: f.__code__.co_firstlineno)
    return [f for f in functions if FIELD.search(inspect.getdoc(f) or "")]


def _rule(function: object) -> str:
    text = inspect.getdoc(function) or ""
    fields = dict(FIELD.findall(text))
    sentence = FIELD.sub("", text).strip()
    name = function.__name__  # type: ignore[attr-defined]
    return (
        f"#### `{name}`\n\n{sentence}\n\n$${fields['Math']}$$\n\n"
        f"Unit: {fields['Unit']}. Source: {fields['Source']}. Kind: {fields['Kind']}."
    )


def case_format() -> str:
    """The case format: settings and tables, from the schema."""
    parts = [
        "# The case format",
        "A case is a folder: `case.toml`, one CSV file for each table below, and, for people, `SOURCES.md` and "
        "`README.md`. Text is UTF-8, cells are separated by commas, decimals have a point. Every column must be there, "
        "but those that may be left out; a cell may be blank only where its description says what a blank means. "
        f"Nothing is guessed and nothing is repaired: `optimizer check CASE` lists every problem with file, line, "
        f"column, value, reason and mend. A file may have {tables.MOST_BYTES // 2**20} MB "
        f"and {tables.MOST_LINES:,} lines. What goes wrong with files is listed in [faults](faults.md); numbers that "
        "do not fit their unit, in [units](units.md).",
        "A case may also be one Excel workbook (`optimizer init mycase --xlsx`, `optimizer convert CASE TARGET`): a "
        "sheet for each table, named like it, and the sheet `settings` (columns `setting`, `value`, `note`) for "
        "`case.toml`. Row 1 is the header; a row below it in which every cell begins with `#` holds notes. Text stays "
        "text, numbers are numbers, findings name sheet and cell. Sheets named `README` or `_...` are not read. Of a "
        "formula what a spreadsheet saved is read; a 0 that a program put there without calculating is refused.",
        "Rows without anything in them are skipped. Headers and settings are written as they stand here, small and "
        "with their underscores.",
        "`SOURCES.md` (the sheet `SOURCES`) has a table of four columns: inputs, value, origin, confidence. A line "
        "names a table or `case.toml`, and in backticks columns, settings or names of rows (`Notes ...`: all that "
        "begin so); `optimizer check` notes lines that speak of nothing in the case.",
        "Quarters are written `2027Q1`, dates `2028-04-12`, shares as decimals (`0.12`), yes and no as `yes` and `no`.",
        "## `case.toml`",
        _columns(schema.Settings.model_fields),
    ]
    for table in (*schema.TABLES, *(table for term in TERMS for table in term.tables)):
        need = "required" if table.required else "may be left out"
        key = ", ".join(f"`{name}`" for name in table.key)
        parts += [f"## `{table.table}.csv` ({need})", f"{table.about} Key: {key}.", _columns(table.model_fields)]
    return "\n\n".join(parts) + "\n"


def _columns(fields: dict[str, FieldInfo]) -> str:
    rows = ["| name | what it holds | limits |", "|---|---|---|"]
    for name, info in fields.items():
        rows.append(f"| `{name}` | {info.description or _nested(info)} | {_limits(info)} |")
    return "\n".join(rows)


def _nested(info: FieldInfo) -> str:
    return next((item.description for item in info.metadata if getattr(item, "description", None)), "")


def _limits(info: FieldInfo) -> str:
    words = {"gt": "above {}", "ge": "at least {}", "lt": "below {}", "le": "at most {}"}
    limits = [
        text.format(f"{getattr(item, key):g}")
        for item in info.metadata
        for key, text in words.items()
        if getattr(item, key, None) is not None
    ]
    choices = re.findall(r"'([^']+)'", str(info.annotation)) if "Literal" in str(info.annotation) else []
    optional = [] if info.is_required() else ["may be left out"]
    return ", ".join([*([" / ".join(f"`{c}`" for c in choices)] if choices else []), *limits, *optional])


def plan_tables() -> str:
    """What each table of a plan holds."""
    rows = ["# The tables of a plan", "", "Each is `plan.NAME` in a script and `NAME.csv` in a plan folder.", ""]
    rows += ["| table | what it holds |", "|---|---|"]
    rows += [f"| `{name}` | {table.about} |" for name, table in TABLES.items()]
    return "\n".join(rows) + "\n"


def faults() -> str:
    """What goes wrong and what is done about it, from `faults.toml`."""
    rows = tomllib.loads((HERE / "faults.toml").read_text(encoding="utf-8"))["fault"]
    count = Counter(row["verdict"] for row in rows)
    told = ", ".join(f"{count[verdict]} {verdict}" for verdict in ("refused", "warned", "handled", "no such input"))
    parts = [
        "# Faults",
        f"{len(rows)} things that go wrong with inputs, solvers and files: {told}. A refused input ends with exit code "
        "2 and nothing is solved; all findings of all files come in one pass. Each sentence is what the program prints "
        "(`...` stands for anything) and a test holds it there.",
        "| no. | fault | verdict | what it says or does | tests |\n|---|---|---|---|---|\n"
        + "\n".join(map(_fault, rows)),
    ]
    return "\n\n".join(parts) + "\n"


def _fault(row: dict[str, Any]) -> str:
    says = [row["says"]] if isinstance(row["says"], str) else row["says"]
    printed = "test" not in row or row["test"] == "tests/test_case_books.py"
    quote = "`" if row["verdict"] in ("refused", "warned") and printed else ""
    told = [f"{quote}{sentence}{quote}" for sentence in says] + [f"`{line}`" for line in row.get("workbook", ())]
    words = "<br>".join(told).replace("|", "\\|")
    file = "" if row["verdict"] == "no such input" else row.get("test", "tests/test_faults_input.py")
    files = [Path(file).name, *(["test_case_books.py"] if "workbook" in row else [])]
    return f"| {row['number']} | {row['fault']} | {row['verdict']} | {words} | {', '.join(files)} |"


def unit_bands() -> str:
    """The bands in which numbers of a case are expected, from the code."""
    parts = [
        "# Units and bands",
        "A number far outside its band was most likely written in another unit: kW for MW, dollars for $M, c/kWh for "
        "$/MWh, a yearly amount for a quarterly one. Such a number is refused, with the unit that it looks like. "
        "Whoever means it writes a row in `allow.csv`, with a reason; a row that allows nothing is noted. Zero, where "
        "it means none, and negative prices are never refused. Bands are looked at where a case is read from files, "
        "not where a script changes one; `optimizer.case.checks.units.check_units(case)` looks at any case.",
        "## Columns",
        "| column | low | high | unit | why |\n|---|---|---|---|---|\n"
        + "\n".join(_band(f"{table}.{column}", band) for (table, column), band in bands.BANDS.items())
        + "\n"
        + _band("case.discount_rates", bands.RATES),
        "## What only its neighbours show",
        "| number | low | high | unit | why |\n|---|---|---|---|---|\n"
        + "\n".join(_band(name, band) for name, band in DERIVED.items()),
        "Refused are, too: a budget above "
        f"{scale.MOST_CAPEX_PER_MW}, cash above {scale.MOST_CASH_PER_MW} and a loan above {scale.MOST_DEBT_PER_MW} $M "
        "for each gross MW of the company's grid limits; a budget, a cash or a minimum that looks like $bn; sizes far "
        "above the grid limit of their site; and a number that differs from the quarter before by more than a factor: "
        + ", ".join(f"`{table}.{column}` {most:g}" for (table, column), most in scale.JUMPS.items())
        + ".",
        "## What is known",
        "Subsidy and halvings follow the protocol: 50 BTC, halved every 210,000 blocks, about "
        f"{protocol.BETWEEN.days:,} days at 144 blocks a day. It was halved on {', '.join(map(str, protocol.PAST))}; "
        f"the next are expected about {', '.join(map(str, protocol.halvings_until(date(2037, 1, 1))[4:]))}. Refused "
        "are a subsidy that is not paid at the start of the horizon, a halving more than two quarters from its day, "
        "one too many, and none where the first quarter lies before an expected one and the horizon goes beyond it. A "
        "second one inside the horizon is asked for while machines may run and their hashprice follows from "
        "difficulty. This is looked at in scripts too, where they change `subsidy_btc`, `halvings`, `first_quarter` "
        "or `quarters`.",
        "Nothing is worth more used than it costs new: `products.residual_musd_per_it_mw` is at most what an IT MW of "
        "each of the product's options costs at the case's `capex_level`, its GPUs included where the option has no "
        "row in `gpu_lives`; `asics.residual_usd_per_th` and `machine_markets.resale_usd_per_th` are at most the "
        "purchase price. A tenant's `tenant_funding.musd_per_it_mw` is at most what the dearest of its halls costs. "
        "Whoever means it all the same writes a row in `allow.csv` (a resale above the purchase price is refused in "
        "any case: buying to sell would make money).",
    ]
    return "\n\n".join(parts) + "\n"


DERIVED = {
    "overheads.g_and_a_musd": scale.OVERHEAD,
    "rent of a colocation product": scale.RENTS["colocation"],
    "rent of a gpu_service product": scale.RENTS["gpu_service"],
    "price per GPU-hour": scale.GPU_HOUR,
    "options.gpu_musd_per_it_mw over products.gpus_per_it_mw": scale.GPU_PRICE,
    "offers.term_quarters of a colocation product": scale.TERMS["colocation"],
    "offers.term_quarters of a gpu_service product": scale.TERMS["gpu_service"],
    "hashprice and asics.joules_per_th in the first quarter": scale.REVENUE,
}


def _band(name: str, band: bands.Band) -> str:
    name = name.replace("case.", "case.toml: ")
    return f"| {name} | {band.low:,.10g} | {band.high:,.10g} | {band.unit} | {band.why} |"


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
