"""Where the inputs of a plan come from: the list of sources beside it."""

from __future__ import annotations

from pathlib import Path

from optimizer.case.origins import NAME, Origin, origin_of, origins_in
from optimizer.ground.errors import PlanError

__all__ = ["Origin", "find_sources", "origin_of", "read_origins"]


def read_origins(path: Path) -> tuple[Origin, ...]:
    """The rows of four cells below a head of four cells. Raises PlanError where the file cannot be read or has none."""
    try:
        origins = origins_in(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read as a list of sources: {error}.") from None
    if not origins:
        raise PlanError(f"{path} holds no table of four columns: inputs, value, origin, confidence.")
    return origins


def find_sources(plan: Path, named: Path | None) -> Path | None:
    """The file named, or the one that lies in the plan's folder or beside its inputs."""
    if named is not None:
        return named
    return next((path for path in (plan / NAME, plan / "inputs" / NAME) if path.is_file()), None)
