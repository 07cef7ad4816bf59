"""Where the inputs come from: the table of a SOURCES.md, row by row, and the rows of it that speak of nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from optimizer.case.case import TABLE_NAMES, Case
from optimizer.case.schema import Row, Settings
from optimizer.ground.errors import PlanError
from optimizer.ground.findings import Finding

NAME = "SOURCES.md"
SETTINGS = "case.toml"
HEADS = ("inputs", "value", "origin", "confidence")
COLUMNS = len(HEADS)


@dataclass(frozen=True)
class Origin:
    """One line of a SOURCES.md: which inputs it speaks of, their value in words, origin and confidence."""

    place: str
    inputs: str
    value: str
    origin: str
    confidence: str
    line: int = field(default=0, kw_only=True)

    @property
    def cells(self) -> tuple[str, ...]:
        """What the line says, cell by cell as people read it, without the backticks of its names."""
        return tuple(cell.replace("`", "") for cell in (self.inputs, self.value, self.origin, self.confidence))

    @property
    def heads(self) -> list[str]:
        """The words outside backticks, among them the tables that it speaks of; `sites.csv` is the table `sites`."""
        words = re.sub(r"`[^`]*`|[,;:()]", " ", self.inputs).split()
        return [word.removesuffix(".csv") for word in words]

    @property
    def quoted(self) -> list[str]:
        """The names in backticks: columns, settings, names of rows."""
        return re.findall(r"`([^`]*)`", self.inputs)


def read_origins(named: Path | None, *folders: Path) -> tuple[Origin, ...]:
    """The lines of the file named, or of the first SOURCES.md that lies in one of the folders; none where none does.

    Raises PlanError where a file cannot be read, or the one named holds no table of four columns.
    """
    beside = (folder / NAME for folder in folders if (folder / NAME).is_file())
    path = named or next(beside, None)
    if path is None:
        return ()
    try:
        origins = origins_in(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a list of sources: {error}.") from None
    if named and not origins:
        raise PlanError(f"{path} holds no table of four columns: {', '.join(HEADS)}.")
    return origins


def origins_in(text: str, name: str = NAME) -> tuple[Origin, ...]:
    """The rows of four cells below a head of four cells; none where the text holds no such table."""
    four = [(line, cells) for line, cells in _rows(text) if len(cells) == COLUMNS]
    return tuple(Origin(f"{name} line {line}", *cells, line=line) for line, cells in four[1:])


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows of all tables, without the rules below their heads."""
    rows = [(n, _cells(line)) for n, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith("|")]
    return [(n, cells) for n, cells in rows if not set("".join(cells)) <= set("-: ")]


def _cells(line: str) -> list[str]:
    """The cells of a row of a table, without marks of emphasis."""
    plain = line.strip().strip("|").replace("**", "").replace("\\|", "\ue000")
    return [" ".join(cell.replace("\ue000", "|").split()) for cell in plain.split("|")]


def origin_of(origins: tuple[Origin, ...], file: str, name: str = "", kind: str = "") -> Origin | None:
    """The line that speaks of a column or a row of a file; failing that, one that speaks of the whole file.

    `file` is `case.toml` or a table's name. Names stand in backticks, and `Notes ...` means every name that begins so.
    Of several lines on a whole file one that speaks of the `kind` is taken.
    """
    about = [origin for origin in origins if file in origin.heads]
    for origin in about:
        if name and any(means(quoted, name) for quoted in origin.quoted):
            return origin
    whole = [origin for origin in about if not origin.quoted]
    return next((origin for origin in whole if kind and kind in origin.inputs.lower()), next(iter(whole), None))


def means(quoted: str, name: str) -> bool:
    """Whether a name in backticks is this one; `...` or `*` at its beginning or end stands for anything."""
    pattern = re.escape(quoted).replace(r"\.\.\.", ".*").replace(r"\*", ".*").replace(r"\ .*", ".*")
    return re.fullmatch(pattern, name) is not None


# ---- rows that speak of nothing -------------------------------------------------------------------------------------


def idle_origins(case: Case, text: str) -> Iterator[Finding]:
    """Notes on rows of a SOURCES.md whose table or name the case does not have, or that are not read at all."""
    rows = _rows(text)
    for line, cells in rows if any(len(cells) == COLUMNS for _, cells in rows) else ():
        if len(cells) == COLUMNS - 1 or len(cells) == COLUMNS + 1:
            yield _note(line, f"has {len(cells)} cells and is not read", "write inputs, value, origin, confidence")
    for origin in origins_in(text):
        yield from _idle(case, origin)


def _idle(case: Case, origin: Origin) -> Iterator[Finding]:
    tables = {name: case.rows(name) for name in TABLE_NAMES}
    spoken = [head for head in dict.fromkeys(origin.heads) if head in tables or head == SETTINGS]
    if not spoken:
        known = [SETTINGS, *tables]
        like = difflib.get_close_matches(next(iter(origin.heads), ""), known, n=1, cutoff=0.6)
        yield _note(origin.line, "speaks of no table of the case format and not of case.toml",
                    f"did you mean {like[0]}?" if like else "begin it with a table's name", origin.inputs)  # fmt: skip
    for table in spoken:
        if table != SETTINGS and not tables[table]:
            yield _note(origin.line, f"speaks of {table}, which has no rows in this case", "take it away", table)
    names = {name for table in spoken for name in _names(table, tables.get(table, ()))}
    names |= {f"discount_rates.{line}" for line in case.settings.discount_rates} if SETTINGS in spoken else set()
    for quoted in origin.quoted if spoken else ():
        if not any(means(quoted, name) for name in names):
            like = difflib.get_close_matches(quoted, names, n=1, cutoff=0.6)
            mend = f"did you mean {like[0]}?" if like else "take it away"
            yield _note(origin.line, f"is no column and no name of a row of {', '.join(spoken)}", mend, quoted)


def _names(table: str, rows: Iterable[Row]) -> Iterator[str]:
    """What a row on this table may name: its columns and the names in its rows' keys; settings for `case.toml`."""
    if table == SETTINGS:
        yield from Settings.model_fields
    for row in rows:
        yield from type(row).model_fields
        yield from map(str, row.identity())


def _note(line: int, why: str, mend: str, value: str = "") -> Finding:
    return Finding(NAME, why, mend, line=line, value=value, severity="warning")
