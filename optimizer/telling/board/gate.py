"""What may go before a board: plans that pass their audit, are as they were solved, and of the case as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.ground.errors import AuditFault, PlanError

if TYPE_CHECKING:
    from optimizer.auditors.report import Report
    from optimizer.case.case import Case
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study

Stamps = dict[str, None]
"""Words that a forced document carries on every page, in the order in which they were found."""


@dataclass(frozen=True)
class Admitted:
    """A plan that may be shown: its folder, its audit, and the stamps that it must carry."""

    folder: Path
    plan: Plan
    report: Report
    stamps: Stamps


def admit(
    folders: Sequence[Path], today: Callable[[int, Plan], Case | None], force: bool, document: str
) -> list[Admitted]:
    """Read and audit plans; what is edited, fails its audit or is stale is refused, or stamped when forced.

    `today` gives the case as it is now that a plan, with its number, is held against; None for none. Raises PlanError,
    also for a run that is given twice, and AuditFault.
    """
    from optimizer.plan.folder import load_plan

    plans = [load_plan(folder, inspect=force) for folder in folders]
    runs = [plan.run_id for plan in plans]
    if len(set(runs)) < len(runs):
        twice = next(run for run in runs if runs.count(run) > 1)
        raise PlanError(f"Run {twice} was given twice, so that it would be compared with itself; give each plan once.")
    admitted = []
    for number, (folder, plan) in enumerate(zip(folders, plans, strict=True)):
        stamps: Stamps = {}
        admitted.append(Admitted(folder, plan, audited(plan, force, stamps), stamps))
        refuse_stale(plan, folder, today(number, plan), force, stamps, document)
    return admitted


def all_stamps(admitted: Sequence[Admitted]) -> Stamps:
    """The stamps of several plans, for a document that carries them together."""
    return {stamp: None for one in admitted for stamp in one.stamps}


def audited(plan: Plan, force: bool, stamps: Stamps) -> Report:
    """The audit of a plan; one that is edited or not clean is stamped when forced. Raises AuditFault."""
    from optimizer.questions.searches import audit_whole

    report = audit_whole(plan.case, plan)
    if plan.edited:
        stamps["EDITED SINCE IT WAS SOLVED"] = None
    if not report.clean:
        if not force:
            raise AuditFault(report.summary())
        stamps["FAILS ITS AUDIT"] = None
    return report


def refuse_stale(plan: Plan, folder: Path, case: Case | None, force: bool, stamps: Stamps, document: str) -> None:
    """Refuse, or stamp, a plan whose case has changed since. Raises PlanError."""
    from optimizer.plan.folder import stale_inputs

    changed = () if case is None else stale_inputs(plan, case)
    if changed and not force:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise PlanError(
            f"{folder} was solved from other inputs than the case holds now ({', '.join(changed[:3])}{more}). "
            f"Solve the case again, or have the {document} stamped with --force."
        )
    if changed:
        stamps["STALE: THE CASE HAS CHANGED"] = None


def kept_study(place: Path, plan: Plan, force: bool, stamps: Stamps, document: str) -> Study | None:
    """The study of a plan in a folder, None where there is none.

    One of another run, or with anything in it that came to no answer, is refused; it is stamped when forced. Raises
    PlanError.
    """
    from optimizer.questions.studies.study import is_kept, load_study

    if not is_kept(place):
        return None
    study = load_study(place)
    for stamp, why in faults_of(study, plan.run_id):
        if not force:
            raise PlanError(f"{place} {why}. Make it again, take it away, or have the {document} stamped with --force.")
        stamps[f"{stamp} STUDY: {_name(study, place)}"] = None
    return study


def faults_of(study: Study, run_id: str) -> Iterator[tuple[str, str]]:
    """Why a study may not be told beside a plan, as a stamp and in words; a bridge belongs to both of its plans."""
    of = study.about.get("run_id", study.about.get("to_run_id"))
    if run_id not in (of, study.about.get("from_run_id")):
        yield "STALE", f"is a study of run {of}, and the plan is run {run_id}"
    if study.unsolved:
        yield "UNFINISHED", f"is not whole ({unanswered(study)})"


def _name(study: Study, place: Path) -> str:
    return "BRIDGE" if study.kind == "bridge" else place.name.upper()


def unanswered(study: Study) -> str:
    """What a study came to no answer on, the first of it."""
    first, *others = study.unsolved
    return f"{first}; and {len(others)} more" if others else first


def names_of(plans: Sequence[Plan]) -> tuple[str, ...]:
    """A short name for each plan, told apart: by scenario, by case, by both, or by run id as well."""
    cases, scenarios = [plan.case.settings.name for plan in plans], [plan.scenario for plan in plans]
    both = [f"{case}, {scenario}" for case, scenario in zip(cases, scenarios, strict=True)]
    runs = [f"{name}, run {plan.run_id}" for name, plan in zip(both, plans, strict=True)]
    return tuple(next(names for names in (scenarios, cases, both, runs) if len(set(names)) == len(plans)))
