"""A plan as a folder: `plan.json`, the tables as CSV, the inputs it was solved from, and the solver's log.

What differs from run to run (times) stands apart in `run.json`, so equal solves give equal files.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.case_files import load_case, write_case
from optimizer.errors import PlanError
from optimizer.plan import NUMERIC, SCHEMA, TABLES, Plan

if TYPE_CHECKING:
    import pandas as pd

_RECORD = ("scenario", "status", "value_musd", "objective_musd", "bound_musd", "kpis", "provenance")
"""What `plan.json` tells a plan beside its tables."""


def save_plan(plan: Plan, folder: str | Path) -> Path:
    """Write the plan as a folder, whole or not at all; an earlier plan there is replaced. Raises PlanError."""
    folder = Path(folder)
    refuse_unwritable(folder)
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    try:
        _write(plan, fresh)
        fresh.chmod(0o755)
        _put_in_place(fresh, folder)
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _write(plan: Plan, folder: Path) -> None:
    write_case(plan.case, folder / "inputs")
    _write_tables(plan.tables, folder)
    if plan.nothing is not None:
        (folder / "do_nothing").mkdir()
        _write_tables(plan.nothing, folder / "do_nothing")
    (folder / "run.json").write_text(json.dumps(dict(plan.run), indent=2) + "\n", encoding="utf-8")
    (folder / "solver.log").write_text(plan.log, encoding="utf-8")
    (folder / "plan.json").write_text(plan.to_json(), encoding="utf-8")


def _write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    for name in TABLES:
        tables[name].to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def _put_in_place(fresh: Path, folder: Path) -> None:
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    try:
        if folder.exists():
            folder.replace(old / "plan")
        try:
            fresh.replace(folder)
        except OSError:
            if (old / "plan").exists():
                (old / "plan").replace(folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def load_plan(folder: str | Path) -> Plan:
    """Read a plan folder back, without a solver. Raises PlanError."""
    folder = Path(folder)
    try:
        record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        log = (folder / "solver.log").read_text(encoding="utf-8")
        tables = _read_tables(folder)
        nothing = _read_tables(folder / "do_nothing") if (folder / "do_nothing").exists() else None
    except (OSError, ValueError) as error:
        raise PlanError(f"{folder} is not a whole plan folder: {error}.") from None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise PlanError(f"{folder} was written by another version of this program, or by another program.")
    if missing := [key for key in _RECORD if key not in record]:
        raise PlanError(f"{folder} is not a whole plan folder: plan.json lacks {', '.join(missing)}.")
    return Plan(
        case=load_case(folder / "inputs"),
        tables=tables,
        nothing=nothing,
        run=run,
        log=log,
        **{key: record[key] for key in _RECORD},
    )


def _read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: _read_table(folder / f"{name}.csv") for name in TABLES}


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    text = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    for column in text.columns:
        if NUMERIC.fullmatch(column):
            text[column] = text[column].where(text[column] != "", "nan").astype(float)
    return text


def refuse_unwritable(folder: Path) -> None:
    """Find out before a solve that its plan could not be written. Raises PlanError."""
    if folder.exists() and not folder.is_dir():
        raise PlanError(f"{folder} is a file, not a folder; name another with -o.")
    if folder.exists() and any(folder.iterdir()) and not (folder / "plan.json").exists():
        raise PlanError(f"{folder} holds something that is not a plan; name another with -o.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.parent):
            pass
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
