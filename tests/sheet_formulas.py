"""Reckons the formulas of a workbook again, as a spreadsheet would: the few functions that the program writes."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from optimizer.files.sheets import Cell, Workbook, column_number

_TOKEN = re.compile(
    r"(?:(?P<sheet>'(?:[^']|'')+')!)?(?P<first>\$?[A-Z]{1,3}\$?\d+)(?::(?P<last>\$?[A-Z]{1,3}\$?\d+))?(?![\w(])"
)
_FUNCTIONS = re.compile(r"\b(SUM|SUMIF|MIN|MAX|IF|ISNUMBER|ABS)\(")


class Sheets:
    """The cells of a workbook whose formulas are reckoned when they are asked for; stored values do not count."""

    def __init__(self, book: Workbook, names: dict[str, str], changed: dict[tuple[str, str], float] | None = None):
        self.cells = {
            (sheet.name, row, column): cell for sheet in book.sheets for (row, column), cell in sheet.cells.items()
        }
        self.names = names
        self.changed = {(sheet, *place(cell)): value for (sheet, cell), value in (changed or {}).items()}
        self.value = cache(self._value)

    def _value(self, sheet: str, row: int, column: int) -> Any:
        if (sheet, row, column) in self.changed:
            return self.changed[sheet, row, column]
        cell: Cell | None = self.cells.get((sheet, row, column))
        if cell is None:
            return None
        if cell.formula is None:
            return float(cell.text) if cell.kind == "number" else cell.text
        return self.reckon(cell.formula, sheet)

    def reckon(self, formula: str, sheet: str) -> Any:
        if formula in self.names:
            formula = self.names[formula]
        texts = re.findall(r'"[^"]*"', formula)
        bare = re.sub(r'"[^"]*"', "\0", formula)
        code = _FUNCTIONS.sub(lambda found: f"{found[1]}_(", bare)
        code = _TOKEN.sub(lambda found: self._reference(found, sheet), code).replace("<>", "!=")
        for text in texts:
            code = code.replace("\0", text, 1)
        return eval(code, {"__builtins__": {}}, {**_WORDS, "R": self._range, "V": self._single})

    def _reference(self, found: re.Match[str], sheet: str) -> str:
        where = found["sheet"][1:-1].replace("''", "'") if found["sheet"] else sheet
        first = place(found["first"])
        if found["last"]:
            return f"R({where!r},{first},{place(found['last'])})"
        return f"V({where!r},{first})"

    def _range(self, sheet: str, first: tuple[int, int], last: tuple[int, int]) -> list[Any]:
        return [
            self.value(sheet, row, column)
            for row in range(first[0], last[0] + 1)
            for column in range(first[1], last[1] + 1)
        ]

    def _single(self, sheet: str, at: tuple[int, int]) -> Any:
        value = self.value(sheet, *at)
        return 0.0 if value is None else value


def place(cell: str) -> tuple[int, int]:
    letters, digits = re.fullmatch(r"\$?([A-Z]+)\$?(\d+)", cell).groups()  # type: ignore[union-attr]
    return int(digits), column_number(letters)


def _numbers(*parts: Any) -> list[float]:
    flat = [item for part in parts for item in (part if isinstance(part, list) else [part])]
    return [item for item in flat if isinstance(item, float | int)]


_WORDS: dict[str, Any] = {
    "SUM_": lambda *parts: float(sum(_numbers(*parts))),
    "MIN_": lambda *parts: min(_numbers(*parts)),
    "MAX_": lambda *parts: max(_numbers(*parts)),
    "SUMIF_": lambda where, what, numbers: float(
        sum(number or 0.0 for word, number in zip(where, numbers, strict=True) if word == what)
    ),
    "IF_": lambda truth, yes, no: yes if truth else no,
    "ISNUMBER_": lambda value: isinstance(value, float | int),
    "ABS_": abs,
}
