"""A plan as a folder: `plan.json`, the tables as CSV, the inputs it was solved from, the solver's log, and a manifest.

What differs from run to run (times) stands apart in `run.json` and `solver.log`, so equal solves give equal files.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.case.folder import input_hashes, load_case
from optimizer.files.folders import fresh_folder, put_in_place, restore, sync_all, write_file, writing
from optimizer.files.manifest import MANIFEST, changes, entries, manifest_text
from optimizer.ground.errors import PlanError
from optimizer.ground.findings import InputError
from optimizer.plan.places import default_folder as default_folder
from optimizer.plan.places import own_names, plain_path
from optimizer.plan.places import refuse_unwritable as refuse_unwritable
from optimizer.plan.plan import SCHEMA, Plan
from optimizer.plan.tables import NUMERIC, TABLES
from optimizer.plan.texts import run_id, unquoted

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.case import Case

_RECORD = ("scenario", "status", "value_musd", "objective_musd", "bound_musd", "proof", "kpis", "provenance")
"""What `plan.json` tells a plan beside its tables."""
_PROOF = ("method", "holds", "margin_musd", "words", "doing_nothing")

# ---- writing ------------------------------------------------------------------------------------------------------


def save_plan(plan: Plan, folder: str | Path) -> Path:
    """Write the plan as a folder, whole or not at all; an earlier plan there is replaced, the user's files stay.

    Killed at any moment it leaves the earlier plan or the new one. Raises PlanError.
    """
    folder = plain_path(folder)
    refuse_unwritable(folder)
    if plan.edited:
        raise PlanError(f"{folder} is not written: the plan was read with changed files ({plan.edited[0]}).")
    texts = folder_texts(plan)
    try:
        with writing(folder):
            fresh = fresh_folder(folder)
            try:
                _write(texts, fresh)
                _put(fresh, folder)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    return folder


def folder_texts(plan: Plan) -> dict[str, str]:
    """Every file of the folder: path -> text."""
    shared = plan.texts
    texts = {
        **shared,
        "run.json": json.dumps(dict(plan.run), indent=2, allow_nan=False) + "\n",
        "solver.log": plan.log,
    }
    program = str(plan.provenance.get("optimizer", ""))
    return {**texts, MANIFEST: manifest_text(texts, schema=SCHEMA, run_id=run_id(shared), program=program)}


def _write(texts: Mapping[str, str], fresh: Path) -> None:
    rooms = {(fresh / name).parent for name in texts}
    for room in rooms - {fresh}:
        room.mkdir()
    for name, text in texts.items():
        write_file(fresh / name, text.encode())
    sync_all([*(fresh / name for name in texts), *rooms])
    for name, text in texts.items():
        if (fresh / name).read_bytes() != text.encode():
            raise OSError(errno.EIO, f"the disk does not give back what was written ({name})")


def _put(fresh: Path, folder: Path) -> None:
    """Put the new plan in its place; where a file of the earlier one is held open (Windows), beside it."""
    try:
        put_in_place(fresh, folder, own_names(folder).__contains__)
    except PermissionError as error:
        beside = next(path for n in range(2, 10_000) if not (path := folder.with_name(f"{folder.name}-{n}")).exists())
        fresh.rename(beside)
        raise PlanError(
            f"{folder} cannot be replaced ({error.strerror}): a file in it may be open in another program. "
            f"It stays as it was; the new plan was written to {beside}."
        ) from None


# ---- reading ------------------------------------------------------------------------------------------------------


def load_plan(folder: str | Path, *, inspect: bool = False) -> Plan:
    """Read a plan folder back, without a solver. Raises PlanError where any file is not as it was written.

    With `inspect`, a plan whose files were changed is read all the same, and `plan.edited` says what was changed.
    A plan that is replaced meanwhile is read whole: the earlier one, or the new one.
    """
    folder = Path(folder)
    while True:
        try:
            restore(folder)
        except OSError as error:
            raise PlanError(f"{folder} cannot be read: {error.strerror}.") from None
        before = _identity(folder)
        try:
            plan = _read(folder, inspect)
        except (PlanError, InputError):
            if _identity(folder) == before:
                raise
            continue
        if _identity(folder) == before:
            return plan


def _identity(folder: Path) -> tuple[int, int, int] | None:
    """Which folder stands there: another one, once it was replaced."""
    try:
        stat = folder.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_mtime_ns


def _read(folder: Path, inspect: bool) -> Plan:
    listed, named = _listed(folder)
    edited = changes(folder, listed)
    if edited and not inspect:
        raise PlanError(_edited_words(folder, edited))
    plan, record = _plan_in(folder, edited)
    if not edited and plan.run_id != named:
        edited = (f"{MANIFEST} is that of run {named}, its files are run {plan.run_id}",)
    if not edited and json.loads(plan.to_json()) != record:
        edited = ("plan.json does not say what follows from its own figures",)
    if edited and not plan.edited:
        if not inspect:
            raise PlanError(_edited_words(folder, edited))
        return replace(plan, edited=edited)
    return plan


def _edited_words(folder: Path, edited: tuple[str, ...]) -> str:
    more = f" (and {len(edited) - 1} more)" if len(edited) > 1 else ""
    return (
        f"{folder} is not as it was written: {edited[0]}{more}. Solve the case again; "
        f"to look at it as it is, without trusting it: optimizer show --inspect."
    )


def _plan_in(folder: Path, edited: tuple[str, ...]) -> tuple[Plan, dict[str, Any]]:
    """The plan that a folder holds, and what its `plan.json` says."""
    try:
        record = _record((folder / "plan.json").read_text(encoding="utf-8"))
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        log = (folder / "solver.log").read_text(encoding="utf-8")
        tables = _read_tables(folder)
        nothing, mining_on = (
            _read_tables(folder / name) if (folder / name).exists() else None for name in ("do_nothing", "mining_on")
        )
        plan = Plan(
            case=load_case(folder / "inputs", check_units=False),
            tables=tables,
            nothing=nothing,
            mining_on=mining_on,
            run=run,
            log=log,
            edited=edited,
            **{key: record[key] for key in _RECORD},
        )
        return plan, record
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise PlanError(f"{folder} is not a whole plan folder: {_why(error)}.") from None


def _record(text: str) -> dict[str, Any]:
    """What `plan.json` says, each thing of its kind. Raises ValueError."""
    record = json.loads(text)
    if not isinstance(record, dict):
        raise ValueError("plan.json is no record of a plan")
    kinds = dict.fromkeys(("scenario", "status"), str) | dict.fromkeys(("proof", "kpis", "provenance"), dict)
    for name, kind in kinds.items():
        if not isinstance(record.get(name), kind):
            raise ValueError(f"plan.json says {record.get(name)!r} of {name}")
    figures = {name: record.get(name) for name in ("value_musd", "objective_musd", "bound_musd")}
    figures |= {name: figure for name, figure in record["kpis"].items() if figure is not None}
    for name, figure in figures.items():
        if not isinstance(figure, str if name.endswith(("quarter", "facility")) else int | float) or isinstance(
            figure, bool
        ):
            raise ValueError(f"plan.json says {figure!r} of {name}")
    missing = [name for name in _PROOF if record["proof"] and name not in record["proof"]]
    if missing:
        raise ValueError(f"the proof in plan.json lacks {', '.join(missing)}")
    return record


def _listed(folder: Path) -> tuple[dict[str, Any], str]:
    """The files that the manifest lists and the run id it names, of a format this program reads. Raises PlanError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PlanError(_without_manifest(folder)) from None
    except (OSError, ValueError) as error:
        raise PlanError(f"{folder} is not a whole plan folder: {MANIFEST} cannot be read ({_why(error)}).") from None
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        program = manifest.get("program", "unknown")
        raise PlanError(
            f"{folder} was written by a newer version of this program ({program}, plan format {schema}; this one reads "
            f"{SCHEMA}). Update this program, or solve the case again with it."
        )
    if isinstance(schema, int) and schema < SCHEMA:
        raise PlanError(
            f"{folder} was written by an older version of this program (plan format {schema}, now {SCHEMA}). "
            f"Its inputs are in {folder / 'inputs'}: solve them again."
        )
    if schema != SCHEMA:
        raise PlanError(f"{folder} is not a whole plan folder: {MANIFEST} does not say its format.")
    try:
        return entries(manifest), str(manifest.get("run_id"))
    except ValueError as error:
        raise PlanError(f"{folder} is not a whole plan folder: {MANIFEST} is damaged, {error}.") from None


def _without_manifest(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} does not exist; name a plan's folder."
    if (folder / "case.toml").is_file():
        return f"{folder} is a case, not a plan. Solve it (optimizer solve {folder}) and name the plan's folder."
    try:
        record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        schema = record["schema"]
    except (OSError, ValueError, TypeError, KeyError):
        return f"{folder} is not a whole plan folder: {MANIFEST} is missing."
    if isinstance(schema, int) and schema < SCHEMA:
        return (
            f"{folder} was written by an older version of this program (plan format {schema}, now {SCHEMA}). "
            f"Its inputs are in {folder / 'inputs'}: solve them again."
        )
    return (
        f"{folder} is not a whole plan folder: {MANIFEST} is missing, so nothing vouches for it. Solve the case again."
    )


def _why(error: Exception) -> str:
    return str(error.strerror if isinstance(error, OSError) else error)


def _read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: read_table((folder / f"{name}.csv").read_bytes().decode()) for name in TABLES}


def read_table(text: str) -> pd.DataFrame:
    """A table of a plan from its CSV, exactly as it was written. Raises ValueError."""
    import pandas as pd

    lines = [cells for cells in csv.reader(io.StringIO(text, newline="")) if cells]
    if not lines:
        raise ValueError("a table is empty")
    header, *rows = lines
    if odd := next((cells for cells in rows if len(cells) != len(header)), None):
        raise ValueError(f"a row of {len(header)} columns has {len(odd)} cells, {','.join(odd)[:60]}")
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return pd.DataFrame({name: _column(name, cells) for name, cells in zip(header, columns, strict=True)})


def _column(name: str, cells: Sequence[str]) -> pd.Series:
    """Numbers of a column that holds such, nothing being not a number; else texts."""
    import pandas as pd

    if NUMERIC.fullmatch(name):
        return pd.Series([float(cell) if cell else nan for cell in cells], dtype=float)
    return pd.Series([unquoted(cell) for cell in cells], dtype=str)


def stale_inputs(plan: Plan, case: Case) -> tuple[str, ...]:
    """Files of the case that differ from those the plan was solved from; none: the plan is of this case."""
    then, now = input_hashes(plan.case), input_hashes(case)
    return tuple(sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name)))
