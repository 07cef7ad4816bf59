"""Which plans may be shown: whole, audited clean, of today's case; what fails is refused, or stamped when forced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.case.folder import load_case
from optimizer.case.origins import Origin, read_origins
from optimizer.ground.errors import PlanError
from optimizer.plan.folder import load_plan
from optimizer.questions.studies.study import Study, is_kept, load_study
from optimizer.telling.board.gate import Stamps, audited, refuse_stale, unanswered
from optimizer.telling.board.page.book import Book
from optimizer.telling.board.page.comparison import date_of
from optimizer.telling.board.page.studies import TOPICS

if TYPE_CHECKING:
    from optimizer.case.case import Case


def open_books(folders: Sequence[Path], *, force: bool = False, cases: Sequence[Path] = ()) -> list[Book]:
    """Read plans and their studies, and audit each.

    A plan that was edited, fails its audit, or is not of the inputs that a case of its name now has is refused; with
    `force` it is stamped. `cases` are folders; where the inputs come from is told from their SOURCES.md. Raises
    PlanError, AuditFault and InputError.
    """
    today = {}
    for place in cases:
        case = load_case(place)
        today[case.settings.name] = (case, read_origins(None, place))
    books = [_open(f"p{n}", folder, force, today) for n, folder in enumerate(folders, 1)]
    if date := date_of(books):
        books = [replace(book, date=date) for book in books]
    runs = [book.plan.run_id for book in books]
    if len(set(runs)) < len(runs):
        twice = next(run for run in runs if runs.count(run) > 1)
        raise PlanError(f"Run {twice} was given twice; give each plan once.")
    return books


def _open(id: str, folder: Path, force: bool, today: Mapping[str, tuple[Case, tuple[Origin, ...]]]) -> Book:
    plan = load_plan(folder, inspect=force)
    stamps: Stamps = {}
    report = audited(plan, force, stamps)
    case, origins = today.get(plan.case.settings.name, (None, ()))
    refuse_stale(plan, folder, case, force, stamps, "page")
    studies, left_out = _studies(folder, plan.run_id)
    return Book(id, plan, report, studies, left_out, tuple(stamps), origins)


def _studies(folder: Path, run_id: str) -> tuple[dict[str, Study], dict[str, str]]:
    """The studies of this run by kind, and why each other one is not shown."""
    found, left_out = {}, {}
    for kind in TOPICS:
        place = folder / "studies" / kind
        if not is_kept(place):
            left_out[kind] = "not made yet"
            continue
        study = load_study(place)
        if study.kind != kind or study.about.get("run_id") != run_id:
            left_out[kind] = "the one beside this plan is of another run"
        elif study.unsolved:
            left_out[kind] = f"the one beside this plan is not whole: {unanswered(study)}"
        else:
            found[kind] = study
    return found | _bridges(folder, run_id), left_out


def _bridges(folder: Path, run_id: str) -> dict[str, Study]:
    """Whole bridges from other plans to this one, by `bridge-` and the run id of the other."""
    loaded = [load_study(place) for place in sorted((folder / "studies").glob("bridge-*")) if is_kept(place)]
    return {
        f"bridge-{study.about.get('from_run_id')}": study
        for study in loaded
        if study.about.get("to_run_id") == run_id and not study.unsolved
    }
