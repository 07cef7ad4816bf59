"""Planted bugs: the program with one small mistake in its source, of the kinds that people make.

An edit replaces a few characters of one module. `edits()` lists every edit of every kind in the model and in its
settlement; `planted` imports the program with one of them. What is left out, because it cannot alter a plan or because
it is no part of the model, is said in `_Planter`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import optimizer

PACKAGE = Path(optimizer.__file__).parent


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MODULES: tuple[str, ...] = (
    *(
        f"{room}.{path.stem}"
        for room in ("business.uses", "case.terms")
        for path in sorted((PACKAGE / room.replace(".", "/")).glob("[!_]*.py"))
    ),
    *(f"business.company.{name}" for name in ("debt", "treasury", "tax")),
    *(f"business.{name}" for name in ("uses", "model", "rules", "ports", "lines", "ties", "rows")),
    *(f"business.{name}" for name in ("readout", "outlays")),
    *(f"case.{name}" for name in ("case", "terms", "market", "schema.machines")),
    "ground.units", "ground.quarters", "plan.settlement", "plan.kpis", "plan.returns",
)  # fmt: skip
"""Where bugs are planted: the model, its arithmetic, its settlement and its figures."""

ONLY: dict[str, frozenset[str]] = {
    "case.case": _set(
        "limit_gross_mw profile pue sites_of_offer site_price _escalated fleet_gross_mw eligible earliest_start "
        "it_mw_of_block facility_musd_per_it_mw mining_ends"
    ),
    "ground.quarters": _set("year start days hours span"),
}
"""Of these modules only the functions that the model calculates with."""

NOT_THE_MODEL = _set("check _all_needs finding statement megawatts")
"""What is wrong with inputs; views of a plan that are made from its tables."""
NOT_A_BUG = _set("NEGLIGIBLE LONGEST_VIEW DECIMALS FACTOR_DECIMALS NOISE TOLERANCE SHARE_TOLERANCE")
"""How finely numbers are kept; how far ahead a table of factors reaches."""

NEIGHBOURS: tuple[tuple[str, ...], ...] = (
    ("block_gross_mw", "design_ratio"),
    ("design_ratio", "pue"),
    ("facility_musd_per_it_mw", "it_mw_of_block"),
    ("facility_curve", "gpu_curve", "ramp"),
    ("lead_quarters", "mining_stops_quarters"),
    ("service_gross_mw", "service_it_mw"),
    ("usable_it_mw", "signed_it_mw", "service_it_mw"),
    ("building_blocks", "building_it_mw"),
    ("taken_gross_mw", "service_gross_mw"),
    ("window_first", "window_last"),
    ("available_first", "available_last"),
    ("commitment_musd", "drawn_musd"),
    ("upfront_fee", "undrawn_fee"),
    ("min_it_mw", "max_it_mw"),
    ("first", "last"),
    ("handover", "service"),
    ("opening_cash_musd", "minimum_cash_musd"),
    ("gross_mw", "it_mw"),
    ("min_mw", "max_mw"),
    ("firm", "length"),
    ("held", "billed", "drawn"),
    ("closing", "repaid", "scheduled", "interest"),
    ("revenue", "power", "site_cost", "interruptible"),
    ("uptime", "pool_fee", "overhead"),
    ("energy_usd_per_mwh", "demand_usd_per_kw_month"),
    ("energy", "demand"),
    ("resale_usd_per_th", "purchase_usd_per_th"),
    ("load_factor", "utilisation"),
    ("going", "coming", "buying"),
    ("usable", "signed"),
    ("within", "flows"),
    ("rent", "market_rent"),
    ("floor", "cap"),
    ("deadline", "delivery"),
    ("firm_power", "fibre"),
    ("facility", "gpus"),
    ("ai_capex", "ai_margin"),
    ("own", "grid"),
    ("profit", "loss", "offset"),
    ("n", "N"),
    ("y", "Y"),
    ("in_cash", "in_value"),
    ("CAPEX_LINES", "AI_MARGIN_LINES", "VALUE_LINES"),
    ("btc_held", "btc_liquidity_share"),
    ("tax_rate", "tax_loss_use"),
    ("opening", "closing"),
    ("drawn", "repaid"),
    ("price", "rent"),
    ("installed", "running"),
)
"""Names that are easily taken for one another; only those that the same function, or the same kind of thing, has."""

WORDS: tuple[tuple[str, ...], ...] = (
    ("gross_mw", "it_mw"),
    ("mining", "machines_idle", "unused"),
    ("committed", "new"),
    ("source", "use"),
    ("capex", "AI margin", "company"),
    ("triple_net", "gross", "modified_gross"),
    ("usd_per_kw_month", "musd_per_it_mw_year"),
    ("within_musd", "after_musd"),
    ("closing_musd", "opening_musd", "liquidity_musd"),
)

TIMES = _set(
    "t q start begins ends delivery handover service quarter by paid lead_quarters mining_stops_quarters "
    "delivery_quarters quarters_before paid_quarters_before term_quarters life_quarters walk_away_quarters deadline "
    "window_first window_last maturity available_first available_last dscr_from interest_every_quarters quarters "
    "quarters_after credited_after_month fit_until earliest lag max_customer_share_from last length"
)
"""Quarters and numbers of quarters: read a quarter too late or too early."""

SIGNS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}
FACTORS = {ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.Pow: ("**", "*")}
EDGES = {ast.LtE: ("<=", "<"), ast.Lt: ("<", "<="), ast.GtE: (">=", ">"), ast.Gt: (">", ">=")}
TURNED = {ast.LtE: ("<=", ">="), ast.Lt: ("<", ">"), ast.GtE: (">=", "<="), ast.Gt: (">", "<")}
DENIED = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
UNIT_FACTORS = {1e6: "1e3", 1e3: "1e6", 1e15: "1e12", 1e12: "1e15", 24: "23", 86_400: "3600", 2: "10"}


@dataclass(frozen=True)
class Edit:
    """Some characters of a module replaced. `lines` are those of the statement it stands in; none: it always runs."""

    module: str
    function: str
    kind: str
    start: int
    end: int
    old: str
    new: str
    lines: frozenset[int]
    count: int = 0

    @property
    def name(self) -> str:
        """The same for as long as the function is; several alike in one function are counted."""
        old, new = (re.sub(r"\s+", " ", text) for text in (self.old, self.new))
        return f"{self.module}:{self.function}: {self.kind}: {old} -> {new} #{self.count}"

    def source(self) -> bytes:
        text = source_of(self.module)
        return text[: self.start] + self.new.encode() + text[self.end :]


@cache
def file_of(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def source_of(module: str) -> bytes:
    return file_of(module).read_bytes()


@cache
def line_names() -> dict[str, str]:
    from optimizer.business.lines import LINES

    return {name: line.group for name, line in LINES.items()}


@cache
def edits() -> tuple[Edit, ...]:
    """Every edit of every kind, in the order of the source."""
    found: list[Edit] = []
    for module in MODULES:
        counts: dict[str, int] = defaultdict(int)
        for edit in _Planter(module).edits:
            found.append(Edit(**{**vars(edit), "count": counts[edit.name]}))
            counts[edit.name] += 1
    return tuple(found)


def sample(count: int, seed: int) -> list[Edit]:
    """Edits drawn by lot: one of each kind in each module that has it, the rest from all that are left."""
    rng = random.Random(f"mutants {seed}")
    groups: dict[tuple[str, str], list[Edit]] = defaultdict(list)
    for edit in edits():
        groups[edit.module, edit.kind].append(edit)
    chosen = [rng.choice(group) for group in groups.values()]
    names = {edit.name for edit in chosen}
    rest = [edit for edit in edits() if edit.name not in names]
    chosen += rng.sample(rest, max(0, count - len(chosen)))
    rng.shuffle(chosen)
    return chosen[:count]


class _Planter(ast.NodeVisitor):
    """Lists the edits of a module.

    Left out, by rule: docstrings, annotations, decorators and imports; messages (f-strings, `raise`, `assert`); checks
    of inputs and descriptions of input tables (class bodies); numbers that say how finely tables are kept (`NOT_A_BUG`
    and whatever is below a millionth).
    """

    def __init__(self, module: str):
        self.module, self.text = module, source_of(module)
        self.edits: list[Edit] = []
        self._names: list[str] = []
        self._lines: frozenset[int] = frozenset()
        self._starts = [0]
        for line in self.text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.visit(ast.parse(self.text))

    # where

    def _begin(self, node: ast.AST) -> int:
        return self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> int:
        return self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def _said(self, node: ast.AST) -> str:
        return self.text[self._begin(node) : self._end(node)].decode()

    def _edit(self, kind: str, start: int, end: int, new: str) -> None:
        old = self.text[start:end].decode()
        if old != new:
            function = ".".join(self._names) or "module"
            self.edits.append(Edit(self.module, function, kind, start, end, old, new, self._lines))

    def _replace(self, kind: str, node: ast.AST, new: str) -> None:
        self._edit(kind, self._begin(node), self._end(node), new)

    def _between(self, kind: str, left: ast.AST, right: ast.AST, old: str, new: str) -> None:
        """Replace an operator between two operands."""
        begin, gap = self._end(left), self.text[self._end(left) : self._begin(right)].decode()
        match = re.search(r"\s" + r"\s+".join(map(re.escape, old.split())) + r"\s", gap)
        if match:
            found = begin + len(gap[: match.start() + 1].encode())
            self._edit(kind, found, found + len(match.group()) - 2, new)

    # what is left out, and which lines must run

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._visit_statement(node)
        elif not isinstance(node, ast.JoinedStr | ast.arguments):
            super().visit(node)

    def _visit_statement(self, node: ast.stmt) -> None:
        ignored = (ast.Import, ast.ImportFrom, ast.Raise, ast.Assert, ast.Pass, ast.Global)
        if isinstance(node, ignored) or (isinstance(node, ast.If) and self._said(node.test) == "TYPE_CHECKING"):
            return
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            self._visit_definition(node)
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        assigned = [*getattr(node, "targets", ()), getattr(node, "target", None)]
        if any(isinstance(name, ast.Name) and name.id in NOT_A_BUG for name in assigned):
            return
        if not self._names and self.module in ONLY:
            return
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) else node.end_lineno
        outside, self._lines = self._lines, frozenset(range(node.lineno, max(node.lineno, last or 0) + 1))
        if not self._names:
            self._lines = frozenset()
        self._drop_statement(node)
        super().visit(node)
        self._lines = outside

    def _visit_definition(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        if node.name in NOT_THE_MODEL:
            return
        if self.module in ONLY and isinstance(node, ast.FunctionDef) and node.name not in ONLY[self.module]:
            return
        self._names.append(node.name)
        for statement in node.body:
            if isinstance(node, ast.FunctionDef) or isinstance(statement, ast.FunctionDef):
                self._visit_statement(statement)
        self._names.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    # statements

    def _drop_statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            self._replace("dropped rule" if name == "hold" else "dropped call", node, "pass")
        elif isinstance(node, ast.AugAssign):
            self._replace("dropped term", node, "pass")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        for table, kind in ((SIGNS, "+ for -"), (FACTORS, "* for /")):
            if type(node.op) in table:
                old, new = table[type(node.op)]
                self._between(kind, node.target, node.value, f"{old}=", f"{new}=")
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        self._branch(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._branch(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._replace("missing filter", test, "True")
            self._replace("missing branch", test, f"(not ({self._said(test)}))")
        self.generic_visit(node)

    def _branch(self, test: ast.expr) -> None:
        for new in (f"(not ({self._said(test)}))", "True", "False"):
            self._replace("missing branch", test, new)

    def visit_For(self, node: ast.For) -> None:
        self._drop_elements(node.iter)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not self._names:
            self._drop_elements(node.value)
        self.visit(node.value)

    def _drop_elements(self, node: ast.expr) -> None:
        """A member of a list that someone forgot."""
        if isinstance(node, ast.Tuple | ast.List):
            for i, element in enumerate(node.elts):
                if i + 1 < len(node.elts):
                    self._edit("forgotten member", self._begin(element), self._begin(node.elts[i + 1]), "")
                elif i:
                    follows = self.text[self._end(element) : self._end(element) + 1] == b","
                    self._edit("forgotten member", self._end(node.elts[i - 1]), self._end(element), "," * (not follows))

    # expressions

    def visit_BinOp(self, node: ast.BinOp) -> None:
        for table, kind in ((SIGNS, "+ for -"), (FACTORS, "* for /")):
            if type(node.op) in table:
                self._between(kind, node.left, node.right, *table[type(node.op)])
        if isinstance(node.op, ast.Add | ast.Sub):
            self._replace("dropped term", node, f"({self._said(node.left)})")
        elif isinstance(node.op, ast.Mult | ast.Div | ast.Pow):
            self._replace("dropped factor", node, f"({self._said(node.left)})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub):
            self._replace("flipped sign", node, f"({self._said(node.operand)})")
            if isinstance(node.operand, ast.Constant):
                return
        elif isinstance(node.op, ast.Not):
            self._replace("missing branch", node, f"bool({self._said(node.operand)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for (left, right), op in zip(pairwise(operands), node.ops, strict=True):
            for table, kind in ((EDGES, "<= for <"), (TURNED, "<= for >="), (DENIED, "== for !=")):
                if type(op) in table:
                    self._between(kind, left, right, *table[type(op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            self._between("and for or", left, right, old, new)
        for part in node.values:
            others = [f"({self._said(other)})" for other in node.values if other is not part]
            self._replace("missing condition", node, f"({f' {old} '.join(others)})")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in ("min", "max", "any", "all"):
            swapped = {"min": "max", "max": "min", "any": "all", "all": "any"}[node.func.id]
            self._replace("min for max", node.func, swapped)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("add", "extend"):
            if isinstance(node.func.value, ast.Call):
                self._replace("dropped term", node, self._said(node.func.value))
            if node.func.attr == "add" and isinstance(node.args[0], ast.Constant):
                self._replace("flipped sign", node.args[0], f"-{self._said(node.args[0])}")
        self._swap_arguments(node)
        self.generic_visit(node)

    def _swap_arguments(self, node: ast.Call) -> None:
        """Two arguments in each other's place."""
        for left, right in pairwise(node.args):
            if isinstance(left, ast.Name | ast.Attribute) and isinstance(right, ast.Name | ast.Attribute):
                pair = f"{self._said(right)}, {self._said(left)}"
                self._edit("swapped arguments", self._begin(left), self._end(right), pair)

    def visit_Name(self, node: ast.Name) -> None:
        self._neighbours(node, node.id, self._end(node) - len(node.id))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._neighbours(node, node.attr, self._end(node) - len(node.attr))
        if node.attr in ("hours", "days"):
            self._replace("another quarter's hours", node, f"({self._said(node.value)} + 1).{node.attr}")
        self.generic_visit(node)

    def _neighbours(self, node: ast.Name | ast.Attribute, name: str, begin: int) -> None:
        if not isinstance(node.ctx, ast.Load):
            return
        for names in NEIGHBOURS:
            if name in names and (isinstance(node, ast.Attribute) or self._local(names)):
                for other in names:
                    if other != name:
                        self._edit("wrong neighbour", begin, self._end(node), other)
        if name in TIMES:
            for shift in (" + 1", " - 1"):
                self._replace("off by a quarter", node, f"({self._said(node)}{shift})")

    def _local(self, names: Sequence[str]) -> bool:
        """Whether plain names of a group are all known where they would be swapped."""
        return all(re.search(rf"\b{name}\b\s*(=|,|:)", self.text.decode()) for name in names)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replace("wrong constant", node, str(not value))
        elif isinstance(value, str):
            self._words(node, value)
        elif isinstance(value, int | float):
            self._numbers(node, value)

    def _words(self, node: ast.Constant, value: str) -> None:
        lines = line_names()
        if value in lines and self.module != "lines":
            names = list(lines)
            same = [name for name in names if lines[name] == lines[value] and name != value]
            other = [name for name in names if lines[name] != lines[value]]
            for new in (*same[:1], other[names.index(value) % len(other)]):
                self._replace("wrong line", node, f'"{new}"')
        for words in WORDS:
            if value in words:
                for word in words:
                    if word != value:
                        self._replace("wrong word", node, f'"{word}"')

    def _numbers(self, node: ast.Constant, value: float) -> None:
        if 0 < abs(value) < 1e-6:
            return
        if value in UNIT_FACTORS:
            self._replace("unit factor", node, UNIT_FACTORS[value])
        if value in (3, 4):
            self._replace("4 for 3", node, str(7 - int(value)))
        if isinstance(value, int) and abs(value) < 100:
            self._replace("off by one", node, f"({value + 1})")
            self._replace("off by one", node, f"({value - 1})")
        elif value == 0.5:
            self._replace("a quarter late", node, "1.5")
            self._replace("half a quarter", node, "0.0")
        elif isinstance(value, float) and abs(value) < 100:
            self._replace("wrong constant", node, f"({value + 1})")


# ---- importing the program with an edit ---------------------------------------------------------------------------


@cache
def importers() -> dict[str, frozenset[str]]:
    """Modules of the program by what they import when they are imported, directly."""
    users: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(["optimizer", *(parts[:-1] if parts[-1] == "__init__" else parts)])
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    users[alias.name].add(name)
            elif isinstance(node, ast.ImportFrom) and node.module:
                users[node.module].add(name)
                for alias in node.names:
                    users[f"{node.module}.{alias.name}"].add(name)
    return {name: frozenset(who) for name, who in users.items()}


def stale(module: str) -> set[str]:
    """The module and every module that would see a change of it."""
    reached: set[str] = set()
    waiting = [f"optimizer.{module}"]
    while waiting:
        name = waiting.pop()
        if name not in reached and name != "optimizer":
            reached.add(name)
            waiting += importers().get(name, ())
    return reached


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: bytes):
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, edit: Edit):
        self._name, self._edit = f"optimizer.{edit.module}", edit

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        file = str(file_of(self._edit.module))
        loader = _Loader(fullname, file, self._edit.source())
        return importlib.util.spec_from_file_location(fullname, file, loader=loader)


def plant(edit: Edit) -> None:
    """From now on this process has the program with the edit. For a child process."""
    forget(stale(edit.module))
    sys.meta_path.insert(0, _Finder(edit))
    importlib.import_module(f"optimizer.{edit.module}")


def forget(modules: set[str]) -> None:
    """Let modules be imported anew, with whatever they keep in caches."""
    for name in modules & set(sys.modules):
        del sys.modules[name]
        package, _, last = name.rpartition(".")
        if last in vars(sys.modules.get(package, sys)):
            delattr(sys.modules[package], last)


def every_module() -> set[str]:
    return {f"optimizer.{module}" for module in MODULES} | {name for m in MODULES for name in stale(m)}


def traced(watch: Callable[[], Any]) -> tuple[Any, dict[str, list[int]]]:
    """What a function returns, and the lines of the program's modules that it ran."""
    files = {str(file_of(module)): module for module in MODULES}
    ran: dict[str, set[int]] = defaultdict(set)

    def in_function(frame: Any, event: str, _: Any) -> Any:
        if event == "line":
            ran[files[frame.f_code.co_filename]].add(frame.f_lineno)
        return in_function

    def on_call(frame: Any, event: str, _: Any) -> Any:
        return in_function if frame.f_code.co_filename in files else None

    sys.settrace(on_call)
    try:
        result = watch()
    finally:
        sys.settrace(None)
    return result, {module: sorted(lines) for module, lines in ran.items()}
