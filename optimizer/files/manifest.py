"""The manifest of a plan folder: what every file held when it was written, so that a change of any byte is seen."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
OF_THIS_RUN = ("run.json", "solver.log")
"""Files that hold times: listed apart, and no part of the run id."""

Entry = dict[str, Any]
"""`sha256` and `bytes` of a file; `rows` below the header too, of a table."""


def manifest_text(texts: Mapping[str, str], *, schema: int, run_id: str, program: str) -> str:
    """The manifest of a folder that holds these texts: path in the folder -> text."""
    entries = {name: _entry(name, text.encode()) for name, text in sorted(texts.items())}
    manifest = {
        "schema": schema,
        "run_id": run_id,
        "program": program,
        "files": {name: entry for name, entry in entries.items() if name not in OF_THIS_RUN},
        "files_of_this_run": {name: entry for name, entry in entries.items() if name in OF_THIS_RUN},
    }
    return json.dumps(manifest, indent=1) + "\n"


def _entry(name: str, data: bytes) -> Entry:
    entry: Entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    if name.endswith(".csv"):
        entry["rows"] = _rows(data)
    return entry


def _rows(data: bytes) -> int:
    text = io.StringIO(data.decode("utf-8", errors="replace"), newline="")
    return max(0, sum(bool(cells) for cells in csv.reader(text)) - 1)


def entries(manifest: Mapping[str, Any]) -> dict[str, Entry]:
    """Every file listed. Raises ValueError for a manifest that is not of this form."""
    listed = [manifest.get("files"), manifest.get("files_of_this_run")]
    whole: dict[str, Entry] = {}
    for files in listed:
        if not isinstance(files, dict):
            raise ValueError("it does not list the files")
        whole |= files
    if not all(isinstance(entry, dict) and {"sha256", "bytes"} <= set(entry) for entry in whole.values()):
        raise ValueError("it does not say what the files held")
    return whole


def changes(folder: Path, listed: Mapping[str, Entry]) -> tuple[str, ...]:
    """A sentence for every file that is not as it was written, or that was put among the program's own."""
    told = [_change(folder, name, entry) for name, entry in listed.items()]
    strays = [f"{name} was put there by hand" for name in strays_among(folder, listed)]
    return tuple(sentence for sentence in [*told, *strays] if sentence)


def strays_among(folder: Path, listed: Mapping[str, Entry]) -> list[str]:
    """Files in the program's own subfolders that the manifest does not list; at the top, a user may keep anything."""
    rooms = sorted({name.split("/")[0] for name in listed if "/" in name} | {"inputs", "do_nothing"})
    found = [path for room in rooms for path in sorted((folder / room).glob("*")) if not path.name.startswith(".")]
    names = [path.relative_to(folder).as_posix() for path in found]
    return [name for name in names if name not in listed]


def _change(folder: Path, name: str, entry: Entry) -> str:
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        return f"{name} is missing"
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})"
    if hashlib.sha256(data).hexdigest() == entry["sha256"]:
        return ""
    rows, written = (_rows(data), entry.get("rows")) if name.endswith(".csv") else (0, 0)
    if rows != written:
        return f"{name} was changed: it holds {rows:,} rows, and was written with {written:,}"
    if len(data) != entry["bytes"]:
        return f"{name} was changed: it holds {len(data):,} bytes, and was written with {entry['bytes']:,}"
    return f"{name} was changed"
