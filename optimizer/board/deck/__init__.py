"""A board deck from a plan folder: native PowerPoint slides in which every number has its receipt."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.board.gate import Stamps, audited, refuse_stale
from optimizer.errors import PlanError

if TYPE_CHECKING:
    from optimizer.board.deck.pack import Pack
    from optimizer.case import Case
    from optimizer.plan import Plan
    from optimizer.studies.study import Study


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
    from optimizer.board.deck.layout import open_frame
    from optimizer.board.deck.reading import refuse_unknown
    from optimizer.board.deck.story import tell
    from optimizer.board.deck.writer import assemble

    output = Path(output)
    if output.suffix.lower() != ".pptx":
        raise PlanError(f"{output} is not written: a deck's name ends with .pptx.")
    pack = gather(
        Path(folder), [Path(other) for other in against], case, None if sources is None else Path(sources), force
    )
    slides = tell(pack)
    data = assemble(open_frame(None if template is None else Path(template)), pack, slides)
    refuse_unknown(data, pack, len(slides))
    _put(data, output)
    titles = tuple(pack.ledger.plain(slide.title) for slide in slides)
    numbers = sum(receipt.value is not None for receipt in pack.ledger.receipts)
    return Deck(output, titles, pack.missing, pack.stamps, numbers)


def gather(folder: Path, against: Sequence[Path], case: Case | None, sources: Path | None, force: bool) -> Pack:
    """Read and audit the plans, their studies and the list of sources."""
    from optimizer.board.deck.figures import Source
    from optimizer.board.deck.ledger import Ledger
    from optimizer.board.deck.origins import find_sources, read_origins
    from optimizer.board.deck.pack import Pack, names_of
    from optimizer.plan_files import load_plan

    stamps: Stamps = {}
    plans = [load_plan(path, inspect=force) for path in (folder, *against)]
    if len({plan.run_id for plan in plans}) < len(plans):
        raise PlanError("A plan is compared with itself: the folders given hold the same run.")
    reports = [audited(plan, force, stamps) for plan in plans]
    refuse_stale(plans[0], folder, case, force, stamps, "deck")
    studies, missing = _studies(folder, plans[0], force, stamps)
    bridges = _bridges(folder, against, plans, force, stamps)
    missing += [
        f"optimizer compare {folder.name} {path.name} --bridge"
        for path, plan in zip(against, plans[1:], strict=True)
        if plan.run_id not in bridges
    ]
    names = names_of(plans)
    listing = find_sources(folder, sources)
    return Pack(
        Source(plans[0], names[0] if against else ""), Ledger(), reports[0],
        tuple(Source(plan, name) for plan, name in zip(plans[1:], names[1:], strict=True)), studies, bridges,
        read_origins(listing) if listing else (), tuple(stamps), tuple(missing),
    )  # fmt: skip


def _studies(folder: Path, plan: Plan, force: bool, stamps: Stamps) -> tuple[dict[str, Study], list[str]]:
    """The plan's studies by kind, and the commands of those that were not made."""
    from optimizer.board.deck.pack import STUDY_COMMANDS, load_study_of

    studies, missing = {}, []
    for kind, command in STUDY_COMMANDS.items():
        found = load_study_of(folder / "studies" / kind, plan, force=force)
        if found is None:
            missing.append(f"{command} {folder.name}")
            continue
        studies[kind], stale = found
        if stale:
            stamps[f"STALE STUDY: {kind.upper()}"] = None
    return studies, missing


def _bridges(
    folder: Path, against: Sequence[Path], plans: Sequence[Plan], force: bool, stamps: Stamps
) -> dict[str, Study]:
    """The bridge between the plan and each other one, by the other's run id; kept in either folder."""
    from optimizer.board.deck.pack import load_study_of

    bridges: dict[str, Study] = {}
    for path, other in zip(against, plans[1:], strict=True):
        for place, of in ((path / "studies" / f"bridge-{plans[0].run_id}", other),
                          (folder / "studies" / f"bridge-{other.run_id}", plans[0])):  # fmt: skip
            found = load_study_of(place, of, force=force)
            if found is not None and other.run_id not in bridges:
                bridges[other.run_id], stale = found
                if stale:
                    stamps["STALE STUDY: BRIDGE"] = None
    return bridges


def _put(data: bytes, output: Path) -> None:
    """Write beside and change over, so that an earlier deck is there whole until the new one is."""
    beside = output.with_name(f".{output.name}.new-{secrets.token_hex(4)}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(data)
            os.replace(beside, output)  # noqa: PTH105
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise PlanError(f"{output} cannot be written: {error.strerror}. It may be open in another program.") from None
