"""What may go before a board: plans that pass their audit, are as they were solved, and of the case as it is."""

from __future__ import annotations

from collections.abc import Sequence
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

    One of another run, or with anything in it that came to no answer, is refused; it is stamped when forced. A bridge
    belongs to both of its plans. Raises PlanError.
    """
    from optimizer.questions.studies.study import is_kept, load_study

    if not is_kept(place):
        return None
    study = load_study(place)
    of = study.about.get("run_id", study.about.get("to_run_id"))
    if plan.run_id not in (of, study.about.get("from_run_id")):
        if not force:
            raise PlanError(
                f"{place} is a study of run {of}, and the plan is run {plan.run_id}. Make it again, take it away, or "
                f"have the {document} stamped with --force."
            )
        stamps[f"STALE STUDY: {_name(study, place)}"] = None
    if study.unsolved:
        if not force:
            raise PlanError(
                f"{place} is not whole ({unanswered(study)}). Make it again, take it away, or have the {document} "
                "stamped with --force."
            )
        stamps[f"UNFINISHED STUDY: {_name(study, place)}"] = None
    return study


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
