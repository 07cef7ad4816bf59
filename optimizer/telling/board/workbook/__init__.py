"""A plan as an Excel workbook: live totals that tie to the plan, native charts, every number with its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.files.folders import hand_out
from optimizer.ground.errors import PlanError
from optimizer.telling.board.gate import Stamps, admit, all_stamps, kept_study, names_of

if TYPE_CHECKING:
    from optimizer.auditors.report import Report
    from optimizer.case.case import Case
    from optimizer.case.origins import Origin
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.telling.board.workbook.sheets import Workbook


@dataclass(frozen=True)
class Pack:
    """What a workbook tells: plans with their short names, the first one's audit and studies, stamps, sources."""

    plans: tuple[Plan, ...]
    names: tuple[str, ...]
    audit: Report
    studies: dict[str, Study]
    stamps: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()


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
    output = Path(output)
    if output.suffix.lower() != ".xlsx":
        raise PlanError(f"{output} is not written: a workbook's name ends with .xlsx.")
    pack = gather([Path(folder) for folder in folders], case, None if sources is None else Path(sources), force)
    data, written = workbook_bytes(pack)
    return Written(hand_out(output, data), *written, pack.stamps)


def workbook_bytes(pack: Pack) -> tuple[bytes, tuple[tuple[str, ...], int, int]]:
    """The file, and its sheets, numbers and checks; equal packs give equal bytes. Raises PlanError."""
    from optimizer.telling.board.receipts import Receipts, input_hash
    from optimizer.telling.board.workbook.reading import refuse_untrue
    from optimizer.telling.board.workbook.sheets import Workbook

    plan = pack.plans[0]
    ledger = Receipts({plan.run_id: plan for plan in pack.plans}, pack.studies, pack.audit)
    desk = Workbook(plan, ledger, plan.word, pack.stamps, input_hash(plan))
    _write_sheets(desk, pack)
    data = desk.finish()
    refuse_untrue(data, desk)
    return data, (tuple(desk.sheets), len(ledger.receipts), len(desk.checks))


def _write_sheets(desk: Workbook, pack: Pack) -> None:
    from optimizer.telling.board.workbook import money_sheets as money
    from optimizer.telling.board.workbook import other_sheets as beside
    from optimizer.telling.board.workbook import plan_sheets as decided

    summary = decided.write_summary(desk)
    decided.write_megawatts(desk)
    for write in (money.write_statement, money.write_liquidity, money.write_capex, money.write_debt):
        write(desk)
    money.write_lenders(desk)
    money.write_value(desk)
    for write in (decided.write_contracts, decided.write_sold, decided.write_fleet):
        write(desk)
    beside.write_sensitivities(desk, pack.studies)
    beside.write_comparison(desk, pack.plans, pack.names)
    for plan, name in zip(pack.plans[1:], pack.names[1:], strict=True):
        beside.write_other(desk, plan, name)
    beside.write_assumptions(desk)
    beside.write_sources(desk, pack.origins)
    beside.write_audit(desk)
    beside.write_checks(desk)
    decided.add_summary_charts(summary)


# ---- what may be told ---------------------------------------------------------------------------------------------


def gather(folders: Sequence[Path], case: Case | None, sources: Path | None, force: bool) -> Pack:
    """Read and audit plans, and read the first one's studies and the list of sources. Raises PlanError, AuditFault."""
    from optimizer.case.origins import read_origins

    admitted = admit(folders, lambda number, _: None if number else case, force, "workbook")
    plans, stamps = [one.plan for one in admitted], all_stamps(admitted)
    studies = _studies(folders[0], plans[0], force, stamps)
    origins = read_origins(sources, folders[0], folders[0] / "inputs")
    return Pack(tuple(plans), names_of(plans), admitted[0].report, studies, tuple(stamps), origins)


def _studies(folder: Path, plan: Plan, force: bool, stamps: Stamps) -> dict[str, Study]:
    """The studies kept with a plan, by the name of their folder; one of another run is refused or stamped.

    What a killed write left beside them, under a name with a dot, is no study.
    """
    places = sorted((folder / "studies").glob("[!.]*"))
    found = {place.name: kept_study(place, plan, force, stamps, "workbook") for place in places}
    return {name: study for name, study in found.items() if study is not None}
