"""Where a plan may be written: its folder's name, place and present content, looked at before a solve."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optimizer.files.folders import writing
from optimizer.files.manifest import MANIFEST, entries, strays_among
from optimizer.ground.errors import PlanError
from optimizer.plan.tables import TABLES

OWN = frozenset({*(f"{name}.csv" for name in TABLES), "plan.json", "run.json", "solver.log", MANIFEST})
OWN_FOLDERS = frozenset({"inputs", "do_nothing", "mining_on"})
"""What stands at the top of a plan folder; anything else there is the user's and stays."""

LONGEST_PATH = 240
_PLAIN = re.compile(r"\w[\w .-]{0,78}[\w-]")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x00-\x1f]|[. ]$')
"""Names and characters that Windows does not allow, so that a plan folder can be handed to anybody."""


def default_folder(case: str, scenario: str) -> Path:
    """`results/CASE-SCENARIO`; cleaned and told apart by a hash where that is no plain name, so it stays in results."""
    name = f"{case}-{scenario}"
    if _PLAIN.fullmatch(name) and not _RESERVED.fullmatch(name):
        return Path("results") / name
    clean = re.sub(r"[^\w-]+", "_", name)[:60]
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return Path("results") / f"_{clean}-{mark}"


def refuse_unwritable(folder: str | Path) -> None:
    """Find out before a solve that its plan could not be written. Raises PlanError.

    What a killed writer left is put right on the way.
    """
    folder = plain_path(folder)
    try:
        if why := _unfit_name(folder) or _unfit_place(folder):
            raise PlanError(f"{folder} {why}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with writing(folder):
            if why := _unfit_content(folder):
                raise PlanError(f"{folder} {why}")
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None


def plain_path(folder: str | Path) -> Path:
    """The folder with a name of its own: `.` and `..` have none."""
    folder = Path(folder)
    return folder.resolve() if folder.name in ("", "..") else folder


def _unfit_name(folder: Path) -> str:
    length = len(f"{folder.absolute()}.new-12345678/") + max(len(f"{r}/{n}.csv") for r in OWN_FOLDERS for n in TABLES)
    if _RESERVED.fullmatch(folder.name) or _FORBIDDEN.search(folder.name):
        return "has a name that Windows does not allow; name another with -o."
    if length > LONGEST_PATH:
        return f"would hold paths of {length} characters; {LONGEST_PATH} is the most that Windows opens. Shorten it."
    return ""


def _unfit_place(folder: Path) -> str:
    if folder.is_symlink():
        return f"is a link to {folder.readlink()}; name that folder itself with -o."
    if folder.exists() and not folder.is_dir():
        return "is a file, not a folder; name another with -o."
    if os.path.ismount(folder):
        return "is a disk of its own, which cannot be replaced whole; name a folder in it with -o."
    if Path.cwd().is_relative_to(folder.resolve()):
        return "is the folder this program was started in; start it elsewhere, or name another with -o."
    return ""


def _unfit_content(folder: Path) -> str:
    others = (path.name for path in folder.parent.iterdir() if path.name != folder.name)
    twins = [name for name in others if _folded(name) == _folded(folder.name)]
    if twins:
        return f"differs from {twins[0]} only in case or accents: on many disks they are one. Name another with -o."
    if not folder.exists() or not any(folder.iterdir()):
        return ""
    if not ((folder / "plan.json").exists() or (folder / MANIFEST).exists()):
        return "holds something that is not a plan; name another with -o."
    if not os.access(folder, os.W_OK | os.X_OK):
        return "cannot be written: Permission denied."
    if strays := strays_among(folder, _listed_or_none(folder)):
        return f"holds {strays[0]}, which is not the plan's; move it elsewhere before it is lost."
    return ""


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _listed_or_none(folder: Path) -> Mapping[str, Any]:
    """What the manifest lists; without a manifest that can be read, everything found counts as the plan's."""
    try:
        return entries(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        found = (path for room in OWN_FOLDERS for path in (folder / room).glob("*"))
        return {path.relative_to(folder).as_posix(): {} for path in found}


def own_names(folder: Path) -> frozenset[str]:
    """Names at the top of a plan folder that are not the user's: what plans hold, and what its manifest lists."""
    return OWN | OWN_FOLDERS | {name.split("/")[0] for name in _listed_or_none(folder)}
