"""Offers and commitments: groups and prerequisites, contracts that are signed, starts that are decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from optimizer.case.case import Case
from optimizer.case.schema import CommittedContract, CommittedStart
from optimizer.questions.conflicts import levers
from optimizer.questions.conflicts.levers import FURTHEST, MW, Lever, number, replaced, same
from optimizer.questions.conflicts.rule import Rule, kind_of


def offers(case: Case) -> Iterator[Rule]:
    for group in dict.fromkeys(o.exclusive_group for o in case.offers if o.exclusive_group):
        yield _exclusive(group)
    for row in case.rows("prerequisites"):
        yield _prerequisite(row)


def _exclusive(group: str) -> Rule:
    def waive(other: Case) -> Case:
        rows = [
            o.model_copy(update={"exclusive_group": None}) if o.exclusive_group == group else o for o in other.offers
        ]
        return other.replace(offers=rows)

    return Rule(
        "exclusive_group", group, f"of the offers of {group!r} at most one is signed", kind_of("exclusive_group"),
        ("exclusive_group",), lambda index: index[0] == group,
        levers=(levers.waiver(f"let more than one offer of {group!r} be signed", waive),),
    )  # fmt: skip


def _prerequisite(row: Any) -> Rule:
    words = f"{row.offer!r} is delivered no sooner than {row.requires!r}"
    waive = levers.waiver(
        f"let {row.offer!r} be delivered without {row.requires!r}",
        lambda other: replaced(other, "prerequisites", same(other, "prerequisites", row), None),
    )
    return Rule(
        "prerequisite", f"{row.offer} needs {row.requires}", words, kind_of("prerequisite"), ("prerequisite",),
        lambda index: index[:2] == (row.offer, row.requires), levers=(waive,),
    )  # fmt: skip


def commitments(case: Case) -> Iterator[Rule]:
    for row in case.committed_contracts:
        ways = [
            Lever(
                "committed_contracts.it_mw", "IT MW", "release", MW, row.it_mw, _release(row),
                _words_of_release(row),
            )
        ]  # fmt: skip
        if row.quarter >= case.first:
            ways.append(
                Lever(
                    "committed_contracts.quarter", "quarters", "steps", 1, min(FURTHEST, case.last - row.quarter),
                    _deliver_later(row), _words_of_delay(row),
                )
            )  # fmt: skip
        said = f"{row.offer!r} is signed: {number(row.it_mw)} IT MW at {row.site} from {row.quarter} on"
        yield Rule("committed_contract", row.offer, said, "negotiable", levers=tuple(ways), released=row.offer)


def _release(row: CommittedContract) -> Callable[[Case, float], Case]:
    def release(case: Case, amount: float) -> Case:
        left = row.it_mw - amount
        there = same(case, "committed_contracts", row)
        if left <= 1e-9:
            return replaced(case, "committed_contracts", there, None)
        offer = case.offer[row.offer]
        smaller = offer.model_copy(update={"min_it_mw": min(offer.min_it_mw, left)})
        contracts = [c.model_copy(update={"it_mw": left}) if c == there else c for c in case.committed_contracts]
        return case.replace(committed_contracts=contracts, offers=[smaller if o == offer else o for o in case.offers])

    return release


def _words_of_release(row: CommittedContract) -> Callable[[float], str]:
    def words(amount: float) -> str:
        left = number(row.it_mw - amount)
        return f"release {number(amount)} IT MW of {row.offer!r} at {row.site}, {left} instead of {number(row.it_mw)}"

    return words


def _deliver_later(row: CommittedContract) -> Callable[[Case, float], Case]:
    def deliver(case: Case, amount: float) -> Case:
        there, begins = same(case, "committed_contracts", row), row.quarter + int(amount)
        offer = case.offer[row.offer]
        longer = offer.model_copy(update={"window_last": max(offer.window_last, begins)})
        contracts = [c.model_copy(update={"quarter": begins}) if c == there else c for c in case.committed_contracts]
        return case.replace(committed_contracts=contracts, offers=[longer if o == offer else o for o in case.offers])

    return deliver


def _words_of_delay(row: CommittedContract) -> Callable[[float], str]:
    return lambda a: f"deliver {row.offer!r} from {row.quarter + int(a)} on, {levers.quarters(a)} later"


def starts(case: Case) -> Iterator[Rule]:
    """Starts that are decided and still ahead; what has begun is no rule any more."""
    for row in case.committed_starts:
        if row.quarter >= case.first:
            yield _start(case, row)


def _start(case: Case, row: CommittedStart) -> Rule:
    def leave_out(other: Case) -> Case:
        option = other.option[row.option]
        sooner = option.model_copy(update={"earliest": min(option.earliest, row.quarter)})
        freed = other.replace(options=[sooner if o == option else o for o in other.options])
        return replaced(freed, "committed_starts", same(freed, "committed_starts", row), None)

    def build_less(other: Case, amount: float) -> Case:
        left = row.blocks - int(amount)
        there = same(other, "committed_starts", row)
        return replaced(other, "committed_starts", there, {"blocks": left} if left else None)

    def begin_later(other: Case, amount: float) -> Case:
        there = same(other, "committed_starts", row)
        return replaced(other, "committed_starts", there, {"quarter": row.quarter + int(amount)})

    latest = case.last - case.option[row.option].lead_quarters
    plural = "block" if row.blocks == 1 else "blocks"
    return Rule(
        "committed_start", f"{row.option} in {row.quarter}",
        f"{row.blocks} {plural} of {row.option!r} start in {row.quarter}, as decided", "negotiable", loosen=leave_out,
        levers=(
            Lever(
                "committed_starts.blocks", "blocks", "steps", 1, row.blocks, build_less,
                lambda a: f"start {a:g} fewer of the {row.blocks} {plural} of {row.option!r} in {row.quarter}",
            ),
            Lever(
                "committed_starts.quarter", "quarters", "steps", 1, min(FURTHEST, latest - row.quarter), begin_later,
                lambda a: f"start {row.option!r} in {row.quarter + int(a)}, {levers.quarters(a)} later",
            ),
        ),
    )  # fmt: skip
