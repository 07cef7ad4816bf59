"""Where the inputs come from: the tables of a SOURCES.md, row by row."""

from __future__ import annotations

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


def origins_of(origins: tuple[Origin, ...], file: str, column: str) -> Origin | None:
    """The line that speaks of a column of a file (`case.toml`, or a table's name without ending)."""
    for origin in origins:
        heads = origin.inputs.replace("`", " ").replace(",", " ").replace(";", " ").replace(":", " ").split()
        if file in heads and (column in heads or not column):
            return origin
    return None


def _cells(line: str) -> list[str]:
    """The cells of a row of a table, without marks of emphasis."""
    plain = line.strip().strip("|").replace("**", "").replace("\\|", "\ue000")
    return [" ".join(cell.replace("\ue000", "|").split()) for cell in plain.split("|")]
