"""One or more plans as one self-contained page: read, explored, printed, and every number held against its plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.telling.board.gate import admit, faults_of, unanswered

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.telling.board.page.book import Book


def open_books(folders: Sequence[Path], *, force: bool = False, cases: Sequence[Path] = ()) -> list[Book]:
    """Read plans and their studies, and audit each.

    A plan that was edited, fails its audit, or is not of the inputs that a case of its name now has is refused; with
    `force` it is stamped. `cases` are folders; where the inputs come from is told from their SOURCES.md. Raises
    PlanError, AuditFault and InputError.
    """
    from optimizer.case.folder import load_case
    from optimizer.case.origins import read_origins
    from optimizer.telling.board.page.book import Book

    today, origins = {}, {}
    for place in cases:
        case = load_case(place)
        today[case.settings.name], origins[case.settings.name] = case, read_origins(None, place)
    admitted = admit(folders, lambda _, plan: today.get(plan.case.settings.name), force, "page")
    date = _date([one.plan for one in admitted])
    return [
        Book(f"p{n}", one.plan, one.report, *_studies(one.folder, one.plan.run_id), tuple(one.stamps),
             origins.get(one.plan.case.settings.name, ()), date)
        for n, one in enumerate(admitted, 1)
    ]  # fmt: skip


def _date(plans: Sequence[Plan]) -> str:
    """The quarter at whose start all plans are valued, the latest first quarter; blank where all begin together."""
    firsts = {plan.case.first for plan in plans}
    return str(max(firsts)) if len(firsts) > 1 else ""


def _studies(folder: Path, run_id: str) -> tuple[dict[str, Study], dict[str, str]]:
    """The studies of this run by kind, and why each other one is not shown."""
    from optimizer.questions.studies.study import is_kept, load_study
    from optimizer.telling.board.page.studies import TOPICS

    found, left_out = {}, {}
    for kind in TOPICS:
        place = folder / "studies" / kind
        if not is_kept(place):
            left_out[kind] = "not made yet"
            continue
        study = load_study(place)
        faults = [stamp for stamp, _ in faults_of(study, run_id)]
        if study.kind != kind or "STALE" in faults:
            left_out[kind] = "the one beside this plan is of another run"
        elif faults:
            left_out[kind] = f"the one beside this plan is not whole: {unanswered(study)}"
        else:
            found[kind] = study
    return found | _bridges(folder, run_id), left_out


def _bridges(folder: Path, run_id: str) -> dict[str, Study]:
    """Whole bridges from other plans to this one, by `bridge-` and the run id of the other."""
    from optimizer.questions.studies.study import is_kept, load_study

    loaded = [load_study(place) for place in sorted((folder / "studies").glob("bridge-*")) if is_kept(place)]
    return {
        f"bridge-{study.about.get('from_run_id')}": study
        for study in loaded
        if study.about.get("to_run_id") == run_id and not study.unsolved
    }
