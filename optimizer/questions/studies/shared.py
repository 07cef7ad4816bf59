"""What the best plans of several scenarios share, which can be committed to now, and what differs, which can wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from optimizer.plan.decisions import DECIMALS, Decisions, Start

COMMIT, WAIT = "commit now", "wait"


def shared_decisions(best: Mapping[str, Decisions]) -> list[tuple[str, str, str, str]]:
    """Each decision of any scenario's best plan: key, words, the scenarios that take it, `commit now` or `wait`.

    Of a start that some take larger than others, the part that all take is shared.
    """
    rows: list[tuple[str, str, str, str]] = []
    places = sorted({(s.quarter, s.option) for decisions in best.values() for s in decisions.starts})
    for quarter, option in places:
        sizes = {name: _start_of(decisions, quarter, option) for name, decisions in best.items()}
        rows += _steps_of(sizes, len(best))
    signings = {one.key: one for decisions in best.values() for one in decisions.signed}
    for key, one in sorted(signings.items(), key=lambda item: (item[1].delivery, item[0])):
        takers = [name for name, decisions in best.items() if key in decisions.each()]
        ways = {other.key for other in signings.values() if other.offer == one.offer}
        signers = [name for name, d in best.items() if any(other.offer == one.offer for other in d.signed)]
        note = ""
        if len(ways) > 1 and len(signers) == len(best):
            note = " (every scenario signs this offer, each in its own way)"
        rows.append(_verdict(key, one.words + note, takers, len(best)))
    return sorted(rows, key=lambda row: row[3] != COMMIT)


def _start_of(decisions: Decisions, quarter: str, option: str) -> Start | None:
    return next((s for s in decisions.starts if (s.quarter, s.option) == (quarter, option)), None)


def _steps_of(sizes: Mapping[str, Start | None], scenarios: int) -> Iterable[tuple[str, str, str, str]]:
    """The parts of one start, each as large as it is shared by the same scenarios."""
    there = {name: start for name, start in sizes.items() if start is not None}
    levels = sorted({start.gross_mw for start in there.values()})
    for below, level in pairwise([0.0, *levels]):
        takers = [name for name, start in there.items() if start.gross_mw >= level]
        start = there[takers[0]]
        more = "further " if below else ""
        words = (
            f"{start.site}: {more}{round(level - below, DECIMALS):g} gross MW become {start.product}, "
            f"start {start.quarter}, in service {start.service_quarter}{' (committed)' if start.committed else ''}"
        )
        yield _verdict(f"start {start.option} {start.quarter} {below:g} to {level:g}", words, takers, scenarios)


def _verdict(key: str, words: str, takers: Sequence[str], scenarios: int) -> tuple[str, str, str, str]:
    return key, words, ", ".join(takers), COMMIT if len(takers) == scenarios else WAIT
