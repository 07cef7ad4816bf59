"""Where the inputs come from: the tables of a SOURCES.md, row by row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from optimizer.errors import PlanError

NAME = "SOURCES.md"


@dataclass(frozen=True)
class Origin:
    """One line of a SOURCES.md: which inputs it speaks of, their value in words, origin and confidence."""

    place: str
    inputs: str
    value: str
    origin: str
    confidence: str


def read_origins(path: Path) -> tuple[Origin, ...]:
    """The rows of four cells below a head of four cells. Raises PlanError where the file cannot be read or has none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a list of sources: {error}.") from None
    rows = [(n, _cells(line)) for n, line in enumerate(lines, 1) if line.lstrip().startswith("|")]
    four = [(n, cells) for n, cells in rows if len(cells) == 4 and not set("".join(cells)) <= set("-: ")]
    if len(four) < 2:
        raise PlanError(f"{path} holds no table of four columns: inputs, value, origin, confidence.")
    return tuple(Origin(f"{path.name} line {n}", *cells) for n, cells in four[1:])


def find_sources(plan: Path, named: Path | None) -> Path | None:
    """The file named, or the one that lies in the plan's folder or beside its inputs."""
    if named is not None:
        return named
    return next((path for path in (plan / NAME, plan / "inputs" / NAME) if path.is_file()), None)


def origin_of(origins: tuple[Origin, ...], file: str, name: str = "", kind: str = "") -> Origin | None:
    """The line that speaks of a column or a row of a file; failing that, one that speaks of the whole file.

    `file` is `case.toml` or a table's name. Names stand in backticks, and `Notes ...` means every name that begins so.
    Of several lines on a whole file one that speaks of the `kind` is taken.
    """
    about = [origin for origin in origins if file in _heads(origin)]
    for origin in about:
        if name and any(_means(quoted, name) for quoted in _quoted(origin)):
            return origin
    whole = [origin for origin in about if not _quoted(origin)]
    return next((origin for origin in whole if kind and kind in origin.inputs.lower()), next(iter(whole), None))


def _heads(origin: Origin) -> list[str]:
    return re.sub(r"`[^`]*`|[,;:()]", " ", origin.inputs).split()


def _quoted(origin: Origin) -> list[str]:
    return re.findall(r"`([^`]*)`", origin.inputs)


def _means(quoted: str, name: str) -> bool:
    return quoted == name or (quoted.endswith("...") and name.startswith(quoted[:-3].strip()))


def _cells(line: str) -> list[str]:
    """The cells of a row of a table, without marks of emphasis."""
    plain = line.strip().strip("|").replace("**", "").replace("\\|", "\ue000")
    return [" ".join(cell.replace("\ue000", "|").split()) for cell in plain.split("|")]
