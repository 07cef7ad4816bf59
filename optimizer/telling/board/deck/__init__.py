"""A board deck from a plan folder: native PowerPoint slides in which every number has its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.files.folders import hand_out
from optimizer.ground.errors import PlanError
from optimizer.telling.board.gate import Stamps, admit, all_stamps, kept_study, names_of

if TYPE_CHECKING:
    from optimizer.case.case import Case
    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study
    from optimizer.telling.board.pack import Pack


@dataclass(frozen=True)
class Deck:
    """A deck that was written: its file, the titles of its slides, and what had to be left out or stamped."""

    path: Path
    titles: tuple[str, ...]
    missing: tuple[str, ...]
    stamps: tuple[str, ...]
    numbers: int


def write_deck(
    folder: str | Path,
    output: str | Path,
    *,
    against: Sequence[str | Path] = (),
    template: str | Path | None = None,
    case: Case | None = None,
    sources: str | Path | None = None,
    force: bool = False,
) -> Deck:
    """Write the deck of a plan folder, compared with others; with `force` what would be refused is stamped.

    `case` is what the plan is held against for being stale. Raises PlanError for plans that were edited or are stale,
    for studies of other runs, for a template that cannot be used and for a number without its receipt; AuditFault for
    a plan that does not pass its audit.
    """
    from optimizer.telling.board.deck.layout import open_frame
    from optimizer.telling.board.deck.reading import refuse_unknown
    from optimizer.telling.board.deck.story import tell
    from optimizer.telling.board.deck.writer import assemble

    output = Path(output)
    if output.suffix.lower() != ".pptx":
        raise PlanError(f"{output} is not written: a deck's name ends with .pptx.")
    pack = gather(
        Path(folder), [Path(other) for other in against], case, None if sources is None else Path(sources), force
    )
    slides = tell(pack)
    data = assemble(open_frame(None if template is None else Path(template)), pack, slides)
    refuse_unknown(data, pack, len(slides))
    path = hand_out(output, data)
    titles = tuple(pack.ledger.plain(slide.title) for slide in slides)
    numbers = sum(receipt.value is not None for receipt in pack.ledger.receipts)
    return Deck(path, titles, pack.missing, pack.stamps, numbers)


def gather(folder: Path, against: Sequence[Path], case: Case | None, sources: Path | None, force: bool) -> Pack:
    """Read and audit the plans, their studies and the list of sources."""
    from optimizer.case.origins import read_origins
    from optimizer.telling.board.figures import Source
    from optimizer.telling.board.ledger import Ledger
    from optimizer.telling.board.pack import Pack

    admitted = admit([folder, *against], lambda number, _: None if number else case, force, "deck")
    plans, stamps = [one.plan for one in admitted], all_stamps(admitted)
    studies, missing = _studies(folder, plans[0], force, stamps)
    bridges = _bridges(folder, against, plans, force, stamps)
    missing += [
        f"optimizer compare {folder.name} {path.name} --bridge"
        for path, plan in zip(against, plans[1:], strict=True)
        if plan.run_id not in bridges
    ]
    names = names_of(plans)
    return Pack(
        Source(plans[0], names[0] if against else ""), Ledger(), admitted[0].report,
        tuple(Source(plan, name) for plan, name in zip(plans[1:], names[1:], strict=True)), studies, bridges,
        read_origins(sources, folder, folder / "inputs"), tuple(stamps), tuple(missing),
    )  # fmt: skip


def _studies(folder: Path, plan: Plan, force: bool, stamps: Stamps) -> tuple[dict[str, Study], list[str]]:
    """The plan's studies by kind, and the commands of those that were not made."""
    from optimizer.telling.board.pack import STUDY_COMMANDS

    found = {kind: kept_study(folder / "studies" / kind, plan, force, stamps, "deck") for kind in STUDY_COMMANDS}
    missing = [f"{STUDY_COMMANDS[kind]} {folder.name}" for kind, study in found.items() if study is None]
    return {kind: study for kind, study in found.items() if study is not None}, missing


def _bridges(
    folder: Path, against: Sequence[Path], plans: Sequence[Plan], force: bool, stamps: Stamps
) -> dict[str, Study]:
    """The bridge between the plan and each other one, by the other's run id; kept in either folder."""
    bridges: dict[str, Study] = {}
    for path, other in zip(against, plans[1:], strict=True):
        for place, of in ((path / "studies" / f"bridge-{plans[0].run_id}", other),
                          (folder / "studies" / f"bridge-{other.run_id}", plans[0])):  # fmt: skip
            study = kept_study(place, of, force, stamps, "deck")
            if study is not None:
                bridges.setdefault(other.run_id, study)
    return bridges
