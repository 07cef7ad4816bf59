"""What may go before a board: plans that pass their audit, are as they were solved, and of the case as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.errors import AuditFault, PlanError

if TYPE_CHECKING:
    from optimizer.audit.report import Report
    from optimizer.case import Case
    from optimizer.plan import Plan

Stamps = dict[str, None]
"""Words that a forced document carries on every page, in the order in which they were found."""


def audited(plan: Plan, force: bool, stamps: Stamps) -> Report:
    """The audit of a plan; one that is edited or not clean is stamped when forced. Raises AuditFault."""
    from optimizer.searches import audit_whole

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
    from optimizer.plan_files import stale_inputs

    changed = () if case is None else stale_inputs(plan, case)
    if changed and not force:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise PlanError(
            f"{folder} was solved from other inputs than the case holds now ({', '.join(changed[:3])}{more}). "
            f"Solve the case again, or have the {document} stamped with --force."
        )
    if changed:
        stamps["STALE: THE CASE HAS CHANGED"] = None
