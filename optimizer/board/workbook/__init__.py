"""A plan as an Excel workbook: live totals that tie to the plan, native charts, every number with its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.board.gate import Stamps, audited, refuse_stale
from optimizer.errors import PlanError

if TYPE_CHECKING:
    from optimizer.audit.report import Report
    from optimizer.board.workbook.book import Workbook
    from optimizer.case import Case
    from optimizer.plan import Plan
    from optimizer.studies.study import Study


@dataclass(frozen=True)
class Pack:
    """What a workbook tells: plans with their short names, the first one's audit and studies, stamps, sources."""

    plans: tuple[Plan, ...]
    names: tuple[str, ...]
    audit: Report
    studies: dict[str, Study]
    stamps: tuple[str, ...] = ()
    sources: Path | None = None


@dataclass(frozen=True)
class Written:
    """A workbook that was written: its file, its sheets, how many numbers and checks it holds, and its stamps."""

    path: Path
    sheets: tuple[str, ...]
    numbers: int
    checks: int
    stamps: tuple[str, ...]


def write_workbook(
    folders: Sequence[str | Path],
    output: str | Path,
    *,
    case: Case | None = None,
    sources: str | Path | None = None,
    force: bool = False,
) -> Written:
    """Write the workbook of a plan folder, compared with others; with `force` what would be refused is stamped.

    `case` is what the plan is held against for being stale. Raises PlanError for plans that were edited or are stale,
    for studies of other runs and for a number without its receipt; AuditFault for a plan that fails its audit.
    """
    from optimizer.folders import put_file

    output = Path(output)
    if output.suffix.lower() != ".xlsx":
        raise PlanError(f"{output} is not written: a workbook's name ends with .xlsx.")
    pack = gather([Path(folder) for folder in folders], case, None if sources is None else Path(sources), force)
    data, written = workbook_bytes(pack)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        path = put_file(output, data)
    except OSError as error:
        raise PlanError(f"{output} cannot be written: {error.strerror}.") from None
    return Written(path, *written, pack.stamps)


def workbook_bytes(pack: Pack) -> tuple[bytes, tuple[tuple[str, ...], int, int]]:
    """The file, and its sheets, numbers and checks; equal packs give equal bytes. Raises PlanError."""
    from optimizer.board.receipts import Ledger, input_hash
    from optimizer.board.workbook.book import Workbook
    from optimizer.board.workbook.reading import refuse_untrue

    plan = pack.plans[0]
    ledger = Ledger({plan.run_id: plan for plan in pack.plans}, pack.studies, pack.audit)
    desk = Workbook(plan, ledger, plan.word, pack.stamps, input_hash(plan))
    _write_sheets(desk, pack)
    data = desk.finish()
    refuse_untrue(data, desk)
    return data, (tuple(desk.sheets), len(ledger.receipts), len(desk.checks))


def _write_sheets(desk: Workbook, pack: Pack) -> None:
    from optimizer.board.workbook import deals, evidence, money, others, power

    summary = deals.write_summary(desk)
    power.write_megawatts(desk)
    money.write_statement(desk)
    money.write_liquidity(desk)
    money.write_capex(desk)
    money.write_debt(desk)
    money.write_value(desk)
    deals.write_contracts(desk)
    power.write_fleet(desk)
    others.write_sensitivities(desk, pack.studies)
    others.write_comparison(desk, pack.plans, pack.names)
    for plan, name in zip(pack.plans[1:], pack.names[1:], strict=True):
        others.write_other(desk, plan, name)
    evidence.write_assumptions(desk)
    evidence.write_sources(desk, pack.sources)
    evidence.write_audit(desk)
    evidence.write_checks(desk)
    deals.add_summary_charts(summary)


# ---- what may be told ---------------------------------------------------------------------------------------------


def gather(folders: Sequence[Path], case: Case | None, sources: Path | None, force: bool) -> Pack:
    """Read and audit plans, and read the first one's studies and the list of sources. Raises PlanError, AuditFault."""
    from optimizer.plan_files import load_plan

    stamps: Stamps = {}
    plans = [load_plan(folder, inspect=force) for folder in folders]
    if len({plan.run_id for plan in plans}) < len(plans):
        raise PlanError("A plan is compared with itself: the folders given hold the same run.")
    reports = [audited(plan, force, stamps) for plan in plans]
    refuse_stale(plans[0], folders[0], case, force, stamps, "workbook")
    studies = _studies(folders[0], plans[0], force, stamps)
    beside = folders[0] / "SOURCES.md"
    listing = sources or (beside if beside.is_file() else None)
    if listing is not None and not listing.is_file():
        raise PlanError(f"{listing} is not a file; name a list of sources like SOURCES.md.")
    return Pack(tuple(plans), _names(plans), reports[0], studies, tuple(stamps), listing)


def _studies(folder: Path, plan: Plan, force: bool, stamps: Stamps) -> dict[str, Study]:
    """The studies kept with a plan, by the name of their folder; one of another run is refused or stamped."""
    from optimizer.studies.study import is_kept, load_study

    studies = {}
    for place in sorted((folder / "studies").glob("*")):
        if not is_kept(place):
            continue
        study = load_study(place)
        of = study.about.get("run_id", study.about.get("to_run_id"))
        if of != plan.run_id and not force:
            raise PlanError(
                f"{place} is a study of run {of}, and the plan is run {plan.run_id}. Make it again, take it away, or "
                f"have the workbook stamped with --force."
            )
        if of != plan.run_id:
            stamps[f"STALE STUDY: {place.name.upper()}"] = None
        studies[place.name] = study
    return studies


def _names(plans: Sequence[Plan]) -> tuple[str, ...]:
    """A short name for each plan, told apart: by scenario, by case, by both, or by run id as well."""
    cases, scenarios = [plan.case.settings.name for plan in plans], [plan.scenario for plan in plans]
    both = [f"{case}, {scenario}" for case, scenario in zip(cases, scenarios, strict=True)]
    runs = [f"{name}, run {plan.run_id}" for name, plan in zip(both, plans, strict=True)]
    return tuple(next(names for names in (scenarios, cases, both, runs) if len(set(names)) == len(plans)))
