"""What the commands share: arguments, and reading a case with its changes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from optimizer.case.case import Case

CaseFolder = Annotated[Path, typer.Argument(metavar="CASE", help="A case: a folder, or a workbook (.xlsx).")]
PlanFolder = Annotated[Path, typer.Argument(metavar="PLAN", help="A plan folder.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting of case.toml.")
]


def load(folder: Path) -> Case:
    from optimizer.case.folder import load_case

    loaded = load_case(folder)
    if loaded.warnings:
        notes = "1 note" if len(loaded.warnings) == 1 else f"{len(loaded.warnings)} notes"
        print(f"{notes} on this case: optimizer check {folder}", file=sys.stderr)
    return loaded


def _instead(name: str, known: list[str]) -> str:
    """What may have been meant by a setting that there is not."""
    import difflib

    whole, dot, _ = name.partition(".")
    if dot and whole in known:
        return f"give all of it: --set '{whole}={{name = value, ...}}'"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6) or [one for one in known if one.startswith(name)]
    return f"did you mean {close[0]}?" if close else "see docs/case-format.md"


def changed(case: Case, changes: list[str]) -> Case:
    """The case with `name=value` settings changed; a value is read as TOML, or as text where that fails."""
    import tomllib

    from optimizer.case.checks.units import check_units
    from optimizer.case.schema import Settings
    from optimizer.ground.findings import Finding, InputError

    values: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals or name not in Settings.model_fields:
            why = "is no setting of case.toml" if equals else "is not of the form NAME=VALUE"
            raise InputError([Finding("--set", why, _instead(name, list(Settings.model_fields)), value=change)])
        try:
            values[name] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            values[name] = text
    changed = case.replace(**values) if values else case
    if errors := [finding for finding in check_units(changed) if finding.severity == "error"]:
        raise InputError(errors)
    return changed
