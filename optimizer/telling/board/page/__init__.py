"""One or more plans as one self-contained page: read, explored, printed, and every number held against its plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.telling.board.gate import admit, faults_of, unanswered

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.telling.board.pack import Pack


def open_plans(folders: Sequence[Path], *, force: bool = False, cases: Sequence[Path] = ()) -> list[Pack]:
    """Read plans and their studies, and audit each.

    A plan that was edited, fails its audit, or is not of the inputs that a case of its name now has is refused; with
    `force` it is stamped. `cases` are folders; where the inputs come from is told from their SOURCES.md. Raises
    PlanError, AuditFault and InputError.
    """
    from optimizer.case.folder import load_case
    from optimizer.case.origins import read_origins
    from optimizer.telling.board.figures import Source
    from optimizer.telling.board.ledger import Ledger
    from optimizer.telling.board.pack import Pack

    today, origins = {}, {}
    for place in cases:
        case = load_case(place)
        today[case.settings.name], origins[case.settings.name] = case, read_origins(None, place)
    admitted = admit(folders, lambda _, plan: today.get(plan.case.settings.name), force, "page")
    ledger, names, packs = Ledger(), labels([one.plan for one in admitted]), []
    for n, (one, name) in enumerate(zip(admitted, names, strict=True), 1):
        studies, bridges, left_out = _studies(one.folder, one.plan.run_id)
        source, sources = Source(one.plan, name, f"p{n}"), origins.get(one.plan.case.settings.name, ())
        packs.append(
            Pack(source, ledger, one.report, (), studies, bridges, sources, tuple(one.stamps), left_out=left_out)
        )
    return packs


def labels(plans: Sequence[Plan]) -> list[str]:
    """What tells each plan from the others: its scenario, with the case or the run where that is not enough."""
    several = len({plan.case.settings.name for plan in plans}) > 1
    names = [f"{plan.case.settings.name} · {plan.scenario}" if several else plan.scenario for plan in plans]
    each = zip(names, plans, strict=True)
    return [f"{name} · {plan.run_id}" if names.count(name) > 1 else name for name, plan in each]


def _studies(folder: Path, run_id: str) -> tuple[dict[str, Study], dict[str, Study], dict[str, str]]:
    """The studies of this run by kind, whole bridges to it by the other run, and why each other study is not shown."""
    from optimizer.questions.studies.study import is_kept, load_study
    from optimizer.telling.board.subjects.studies import TOPICS

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
    kept = [load_study(place) for place in sorted((folder / "studies").glob("bridge-*")) if is_kept(place)]
    whole = [study for study in kept if study.about.get("to_run_id") == run_id and not study.unsolved]
    return found, {str(study.about.get("from_run_id")): study for study in whole}, left_out
