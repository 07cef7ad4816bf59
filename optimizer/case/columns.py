"""What the columns of a table hold: their kind, their choices, their notes; and rows that fit them."""

from __future__ import annotations

import types
import typing
from datetime import date
from typing import Any, Literal

from pydantic.fields import FieldInfo

from optimizer.case import schema
from optimizer.case.case import _nearest
from optimizer.files.tables import RawTable, meant_by, spelling
from optimizer.ground.findings import Finding
from optimizer.ground.quarters import Quarter

ColumnKind = Literal["text", "number", "quarter", "date", "yes or no"]
NOTE = "#"
"""How every cell of a row of notes begins."""


def column_kind(info: FieldInfo) -> ColumnKind:
    """What the cells of a column hold."""
    kinds: dict[Any, ColumnKind] = {
        float: "number", int: "number", bool: "yes or no", Quarter: "quarter", date: "date",
    }  # fmt: skip
    return kinds.get(_plain(info.annotation), "text")


def choices_of(info: FieldInfo) -> tuple[str, ...]:
    """The words that a column is confined to; none for a free one."""
    plain = _plain(info.annotation)
    if plain is bool:
        return ("yes", "no")
    return tuple(map(str, typing.get_args(plain))) if typing.get_origin(plain) is Literal else ()


def _plain(annotation: Any) -> Any:
    """The type of one value: without `None`, limits, and the list or table that holds it."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _plain(next(part for part in parts if part is not type(None)))
    if origin is typing.Annotated or origin is tuple:
        return _plain(parts[0])
    return _plain(parts[1]) if origin is dict else annotation


def column_note(info: FieldInfo) -> str:
    """What a column holds, as the row of notes says it."""
    nested = (item.description for item in info.metadata if getattr(item, "description", None))
    return f"{NOTE} {info.description or next(nested, '')}"


def fitting_rows(raw: RawTable, row_type: type[schema.Row], findings: list[Finding]) -> Any:
    """The rows of a table whose columns are those of its kind; what is missing or unknown becomes findings."""
    known = list(row_type.model_fields)
    needed = [name for name, info in row_type.model_fields.items() if info.is_required()]
    line, meant = raw.header_line, meant_by(filter(None, raw.columns), set(known) - set(raw.columns))
    absent = [c for c in needed if c not in (*raw.columns, *meant.values())] if raw.columns else []
    extra = [c for c in raw.columns if c and c not in (*known, *meant)]
    findings += [spelling(raw.file, meant, line)] if meant else []
    findings += [Finding(raw.file, "is a missing column", _hint(c, extra), line=line, column=c) for c in absent]
    findings += [Finding(raw.file, "is an unknown column", _nearest(c, known), line=line, column=c) for c in extra]
    if absent or extra or meant:
        findings += [finding for finding in raw.findings if finding.line == line]
        return ()
    findings += raw.findings
    return raw.rows


def _hint(name: str, candidates: list[str]) -> str:
    hint = _nearest(name, candidates)
    return f"add it, or {hint.replace('did you mean', 'rename')[:-1]} to it" if "mean" in hint else "add it"


def number_text(number: float) -> str:
    """The shortest decimal that reads back exactly."""
    return repr(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
