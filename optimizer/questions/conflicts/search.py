"""The search for a smallest set of rules that clash, and for the ways out of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible, NoPlan, SolverFault
from optimizer.ground.interrupts import give_up, nothing_to_keep
from optimizer.ground.quarters import Quarter
from optimizer.plan.plan import Plan
from optimizer.questions.conflicts.levers import Lever
from optimizer.questions.conflicts.report import Change, Conflict, Member, WayOut
from optimizer.questions.conflicts.rule import Rule, Ticket, quarter_of
from optimizer.questions.conflicts.trials import EXACT, OutOfTime, Trials, refuse_a_false_claim
from optimizer.questions.planner import solve as solve_case

MOST_TOGETHER = 3
"""Rules that give way together at most."""
PATIENCE_S = 300.0
GAP, A_WHILE_S, SHARE_OF_A_PLAN = 0.01, 20.0, 0.2
"""How near to the best a way out's plan must be, and the seconds and the share of what is left that it may take."""
SHARE_FOR_QUARTERS = 0.3
"""Of the time left after the rules are known, what naming their quarters may take."""

_Part = TypeVar("_Part")


class Solved(Protocol):
    """What is needed of a plan."""

    @property
    def value_musd(self) -> float: ...
    @property
    def bound_musd(self) -> float: ...


Solve = Callable[[Case, str, float], Solved]
"""Case, scenario and seconds: the best plan. Raises Infeasible or NoPlan."""


def explain(
    case: Case,
    scenario: str | None = None,
    solve: Solve | None = None,
    *,
    time_limit: float = PATIENCE_S,
    seed: int = 0,
    threads: int = 1,
) -> Conflict | None:
    """Why no plan keeps every rule of the case (in its first scenario, unless named), and the cheapest ways out.

    None where a plan keeps them all. `solve` finds the plan of most value of a changed case, to within 1% unless given.
    `time_limit` is in seconds, all told; what it left undone is said. Raises InputError for an unknown scenario,
    SolverFault where the solver's claim is false, NoPlan where the time is too short to tell.
    """
    scenario = case.scenario_named(scenario)
    solve = solve or _best
    deadline = time.monotonic() + time_limit
    trials = Trials(case, scenario, deadline, seed, threads)
    try:
        if trials.can_keep(trials.rules):
            return None
        refuse_a_false_claim(trials)
    except OutOfTime:
        raise NoPlan(f"The time limit of {time_limit:g} s came", float("inf")) from None
    members, irreducible = smallest_set(trials)
    quarters = _quarters_of(trials, members)
    menu = Menu(trials, solve)
    menu.fill(members)
    return Conflict(
        name=case.settings.name,
        scenario=scenario,
        members=tuple(Member(*rule.key, rule.words, rule.kind, quarters.get(rule.key, ())) for rule in members),
        irreducible=irreducible,
        ways=tuple(sorted(menu.ways, key=lambda way: -way.value_musd)),
        untried=tuple(menu.untried),
        solves=trials.solves,
    )


def _best(case: Case, scenario: str, seconds: float) -> Plan:
    """The best plan to be found in a share of the time that is left; a plan that is not proven shows by its bound."""
    return solve_case(case, scenario, gap=GAP, time_limit=min(seconds, max(A_WHILE_S, SHARE_OF_A_PLAN * seconds)))


# ---- the smallest set -----------------------------------------------------------------------------------------------


def smallest_set(trials: Trials, dropped: Sequence[Rule] = ()) -> tuple[list[Rule], bool]:
    """Rules, none of them dropped ones, that cannot all be kept; and whether each of them is needed for that.

    Empty where the rest can be kept, or where even nothing but the ground clashes.
    """
    gone = {rule.key for rule in dropped}
    candidates = [rule for rule in trials.rules if rule.key not in gone]
    try:
        if trials.can_keep(candidates) or not trials.can_keep([]):
            return [], True
    except OutOfTime:
        return candidates, False
    try:
        suspects = _suspects(trials, candidates)
        members = irreducible_part(suspects, lambda kept: not trials.can_keep(kept))
        ordered = [rule for rule in candidates if rule in members]
        return ordered, _each_is_needed(trials, ordered)
    except OutOfTime:
        return candidates, False


def _suspects(trials: Trials, candidates: list[Rule]) -> list[Rule]:
    """The rules that the solver's own rows point at, if they clash by themselves; else all."""
    trials.can_keep(candidates)
    named = {component for component, _ in trials.clashing_rows}
    suspects = [rule for rule in candidates if not rule.components or named & set(rule.components)]
    if named and len(suspects) < len(candidates) and not trials.can_keep(suspects):
        return suspects
    return candidates


def irreducible_part(parts: Sequence[_Part], clash: Callable[[list[_Part]], bool]) -> list[_Part]:
    """Parts that clash and none of which could be left out, of parts that clash (QuickXplain: Junker, AAAI 2004)."""

    def search(held: list[_Part], added: bool, open_parts: list[_Part]) -> list[_Part]:
        if added and clash(held):
            return []
        if len(open_parts) == 1:
            return open_parts
        half = len(open_parts) // 2
        first, second = open_parts[:half], open_parts[half:]
        of_second = search([*held, *first], True, second)
        of_first = search([*held, *of_second], bool(of_second), first)
        return of_first + of_second

    return search([], False, list(parts)) if parts else []


def _each_is_needed(trials: Trials, members: list[Rule]) -> bool:
    return all(trials.can_keep(rule for rule in members if rule is not left_out) for left_out in members)


def _quarters_of(trials: Trials, members: list[Rule]) -> dict[tuple[str, str], tuple[Quarter, ...]]:
    """The quarters of each rule without which the set would not clash; empty where the time is too short."""
    timed = Trials(
        trials.case, trials.scenario,
        time.monotonic() + SHARE_FOR_QUARTERS * (trials.deadline - time.monotonic()), trials.seed, trials.threads,
    )  # fmt: skip
    rows = [(rule, ticket) for rule in members for ticket in timed.rows_of(rule) if quarter_of(ticket) is not None]
    harmful: list[tuple[Rule, Ticket]] = []
    try:
        harmful = irreducible_part(_pointed_at(timed, members, rows), lambda kept: _clash(timed, members, rows, kept))
    except OutOfTime:
        return {}
    finally:
        trials.solves += timed.solves
    found: dict[tuple[str, str], set[Quarter]] = {}
    for rule, ticket in harmful:
        quarter = quarter_of(ticket)
        assert quarter is not None
        found.setdefault(rule.key, set()).add(quarter)
    return {key: tuple(sorted(quarters)) for key, quarters in found.items()}


def _clash(
    trials: Trials, members: list[Rule], rows: Sequence[tuple[Rule, Ticket]], kept: Iterable[tuple[Rule, Ticket]]
) -> bool:
    held = {ticket for _, ticket in kept}
    return not trials.can_keep(members, [ticket for _, ticket in rows if ticket not in held])


def _pointed_at(trials: Trials, members: list[Rule], rows: list[tuple[Rule, Ticket]]) -> list[tuple[Rule, Ticket]]:
    """The rows that the solver names, if they clash by themselves; else all."""
    trials.can_keep(members)
    named = {name for _, name in trials.clashing_rows}
    found = [(rule, ticket) for rule, ticket in rows if trials.row_name(ticket) in named]
    return found if found and _clash(trials, members, rows, found) else rows


# ---- the menu -----------------------------------------------------------------------------------------------------


@dataclass
class Menu:
    """Ways out: one rule alone gives way as little as it can; where none is enough alone, two or three together."""

    trials: Trials
    solve: Solve
    ways: list[WayOut] = field(default_factory=list)
    untried: list[str] = field(default_factory=list)

    def fill(self, members: Sequence[Rule]) -> None:
        """Try every rule of the set that can give way, then with it the rules of what still clashes."""
        groups: list[tuple[Rule, ...]] = [(rule,) for rule in members if rule.levers]
        for _ in range(MOST_TOGETHER):
            for group in groups:
                self._try(group)
            if self.ways or not groups:
                return
            groups = self._joined(groups)

    def _joined(self, groups: Sequence[tuple[Rule, ...]]) -> list[tuple[Rule, ...]]:
        """Each group with one more rule: one of those that still clash when the group is dropped."""
        joined: dict[frozenset[tuple[str, str]], tuple[Rule, ...]] = {}
        for group in groups:
            clashing, _ = smallest_set(self.trials, group)
            for rule in clashing:
                if rule.levers:
                    joined.setdefault(frozenset(r.key for r in (*group, rule)), (*group, rule))
        return list(joined.values())

    def _try(self, group: tuple[Rule, ...]) -> None:
        """Every way of the first rule of a group, with the first way that does it of each other one."""
        for lever in group[0].levers:
            try:
                self._give_way(group, lever)
            except (OutOfTime, NoPlan) as early:
                if isinstance(early, NoPlan) and early.interrupted:
                    give_up()
                self.untried.append(f"changing {lever.name} ({' and '.join(rule.words for rule in group)})")

    def _give_way(self, group: tuple[Rule, ...], lever: Lever) -> None:
        trials, changes = self.trials, []
        first: Lever | None = lever
        for i, rule in enumerate(group):
            found = _first_enough(trials, rule.key, group[i + 1 :], first)
            if found is None:
                return
            changes.append(found[0])
            trials, first = found[1], None
        self._solve_again(tuple(changes), trials)

    def _solve_again(self, changes: tuple[Change, ...], trials: Trials) -> None:
        """Only what really is a way out, and has a plan to show, comes on the menu."""
        left = trials.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime
        try:
            with nothing_to_keep():
                plan = self.solve(trials.case, trials.scenario, left)
        except Infeasible:
            return
        if getattr(plan, "status", "") == "interrupted":
            give_up()
        self.ways.append(WayOut(changes, trials.case, plan.value_musd, plan.bound_musd))


def _first_enough(
    trials: Trials, key: tuple[str, str], others: Sequence[Rule], lever: Lever | None
) -> tuple[Change, Trials] | None:
    """The least change of a rule while the `others` are dropped, and the case with it; by the first lever that can."""
    rule = trials.rule(key)
    dropped = [trials.rule(other.key) for other in others]
    names = [lever.name] if lever is not None else [way.name for way in rule.levers]
    for way in rule.levers:
        if way.name not in names:
            continue
        least = trials.least(rule, way, dropped)
        if least is None:
            continue
        if least <= EXACT:
            raise SolverFault(f"{rule.words}: it clashes, and need not give way at all")
        amount = way.round_up(least)
        changed = way.change(trials.case, amount)
        if changed is not None:
            change = Change(*key, way.name, way.unit, least, amount, way.words(amount))
            return change, trials.of(changed)
    return None
