"""Prices of the rules: what a little more of each limit is worth, by duals and by solving again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import TOLD_MUSD, Decisions
from optimizer.plan.plan import Plan
from optimizer.questions.studies.inquiry import (
    Inquiry,
    Prepared,
    Reply,
    ask,
    change_musd,
    footing,
    note_on_base,
    prepare,
    told_moves,
)
from optimizer.questions.studies.limits import Limit, limits_of
from optimizer.questions.studies.sentences import kind_of
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.family import compile_case
from optimizer.questions.sweeps.holding import at_values, whole_numbers
from optimizer.questions.sweeps.marginal import worth_to_first_order
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.questions.sweeps.runner import NAN, Sweep

if TYPE_CHECKING:
    import pandas as pd

NOISE_MUSD = 1e-7
"""A dual that is smaller, per unit, is none."""
NOTHING_MUSD = 5e-5
"""Less than this is told as nothing; $50."""
LITTLE = 10
"""Duals are read a tenth of a step beyond the limit."""
FINEST = 4
"""The first change of decisions is found to a quarter of a step."""


def prices(
    plan: Plan, limits: Sequence[Limit] | None = None, *, gap: float = 1e-4, sweep: Sweep | None = None
) -> Study:
    """What one unit more of each limit is worth while the plan's whole decisions stay, and what more is worth in truth.

    Tables: `duals`, $M for one unit more of the limit, by the quarter whose rule carries it, all conditional on the
    plan's whole decisions; `prices`, their sums for limits that move in all quarters at once, and beside them what a
    unit costs on the tighter side (NaN where the whole decisions have no plan there); `steps`, the interval of the
    change of value, $M, at a first step and at the first amount at which starts or contracts change, each solved again;
    for a limit that is worth nothing at its furthest amount, that amount alone. Where less is easier (a minimum) steps
    go down.
    """
    sweep = sweep or Sweep()
    asked = list(limits_of(plan.case, plan.scenario) if limits is None else limits)
    inquiry = Inquiry(plan, [], sweep, gap)
    ways = [_Way(limit) for limit in asked]
    _look_ahead(ways, inquiry)
    ways.sort(key=lambda way: _rank(way, inquiry.base))
    priced = list(zip([way.limit for way in ways], _price_all(ways, inquiry), strict=True))
    steps = [row for way in ways for row in _steps(way, inquiry.base)]
    sums = [_sum(limit, price) for limit, price in priced]
    study = Study(
        "prices",
        _title(ways, inquiry.base),
        (*note_on_base(plan, inquiry.base), *_words(ways, sums, inquiry.base)),
        {
            "duals": _frame([row for limit, price in priced for row in _dual_rows(limit, price)], DUALS),
            "prices": _frame(sums, PRICES),
            "steps": _frame(steps, STEPS),
        },
        footing(plan, gap, value_musd=inquiry.base.value_musd),
    )
    return as_far_as_solved(study, [words for way in ways for words in way.unsolved])


DUALS = ("rule", "place", "quarter", "words", "unit", "kind", "limit", "dual_musd_per_unit")
PRICES = ("rule", "place", "words", "unit", "kind", "limit", "dual_musd_per_unit", "tighter_musd_per_unit", "quarters")
STEPS = (
    "rule", "place", "words", "unit", "change", "value_change_low_musd", "value_change_high_musd", "moves",
    "what_moves",
)  # fmt: skip


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns))


def _rank(way: _Way, base: Reply) -> tuple[bool, bool, float]:
    """Limits that are worth anything first, the budget before the others, then by what the furthest amount adds."""
    if not way.gains(base):
        return True, False, 0.0
    return False, way.limit.rule != "capex_budget", -change_musd(base, way.replies[way.limit.reach])[0]


# ---- solving again --------------------------------------------------------------------------------------------------


@dataclass
class _Way:
    """A limit with the replies at the amounts tried so far, nearest first."""

    limit: Limit
    replies: dict[float, Reply] = field(default_factory=dict)
    unsolved: list[str] = field(default_factory=list)
    """Amounts that came to no answer."""

    def tried(self) -> list[tuple[float, Reply]]:
        return sorted(self.replies.items(), key=lambda one: abs(one[0]))

    def hear(self, amount: float, reply: Reply, how: str = "") -> None:
        """Take note of a reply that is none."""
        if reply.unsolved:
            place = f"{self.limit.words}, {_amount(self.limit, amount)}{how}"
            self.unsolved.append(f"{unsolved_word(reply.why)}: {place}")

    def gains(self, base: Reply) -> bool:
        """Whether the furthest amount is worth anything that the gaps do not hide, or decides otherwise."""
        far = self.replies[self.limit.reach]
        return far.has_plan and (change_musd(base, far)[0] > NOISE_MUSD or _turned(base, far))

    def first_turn(self, base: Reply) -> tuple[float, float] | None:
        """Neighbours among the amounts solved between which decisions change first."""
        before = 0.0
        for amount, reply in self.tried():
            if reply.has_plan and _turned(base, reply):
                return before, amount
            before = before if reply.unsolved else amount
        return None


def _look_ahead(ways: Sequence[_Way], inquiry: Inquiry) -> None:
    """Ask all limits at their furthest; where that is worth anything step by step; then halve to the first change."""
    _try([(way, way.limit.reach) for way in ways], inquiry)
    open_ways = [way for way in ways if way.gains(inquiry.base)]
    _try([(way, amount) for way in open_ways for amount in _doublings(way.limit)], inquiry)
    while middles := [(way, x) for way in open_ways for x in _middle(way, inquiry.base)]:
        _try(middles, inquiry)


def _try(asked: Iterable[tuple[_Way, float]], inquiry: Inquiry) -> None:
    new = [(way, amount) for way, amount in asked if amount not in way.replies]
    prepared = [_prepared(way.limit, amount, inquiry) for way, amount in new]
    for (way, amount), reply in zip(new, ask(prepared, inquiry.sweep, inquiry.gap, inquiry.base), strict=True):
        way.replies[amount] = reply
        way.hear(amount, reply)


def _prepared(limit: Limit, amount: float, inquiry: Inquiry) -> Prepared:
    plan = inquiry.plan
    return prepare(plan.case, plan.scenario, lambda: compile_case(limit.change(plan.case, amount), plan.scenario))


def _doublings(limit: Limit) -> list[float]:
    """One step, two, four, as far as there is reach."""
    amounts, amount = [], limit.step
    while abs(amount) < abs(limit.reach):
        amounts.append(amount)
        amount *= 2
    return amounts


def _middle(way: _Way, base: Reply) -> list[float]:
    turn = way.first_turn(base)
    if turn is None:
        return []
    near, far = turn
    finest = 1.0 if way.limit.whole else abs(way.limit.step) / FINEST
    if abs(far - near) <= finest * (1 + 1e-9):
        return []
    middle = float(round((near + far) / 2)) if way.limit.whole else (near + far) / 2
    return [] if middle in way.replies else [middle]


def _turned(base: Reply, other: Reply) -> bool:
    """Whether starts or contracts differ, sizes of contracts aside: these may follow a limit in small steps."""
    return _whole(base.decisions) != _whole(other.decisions)


def _whole(decisions: Decisions | None) -> set[tuple[Any, ...]]:
    assert decisions is not None
    starts = {(start.option, start.quarter, start.blocks) for start in decisions.starts}
    return {*starts, *((one.offer, one.site, one.delivery) for one in decisions.signed)}


def _steps(way: _Way, base: Reply) -> list[dict[str, Any]]:
    """The rows of a limit: its first step and the first change of decisions, or the furthest amount."""
    if not way.gains(base):
        return [_step(way.limit, way.limit.reach, way.replies[way.limit.reach], base)]
    first = way.tried()[0][0] if way.limit.step not in way.replies else way.limit.step
    turn = way.first_turn(base)
    amounts = {first: None} | ({turn[1]: None} if turn else {way.limit.reach: None})
    return [_step(way.limit, amount, way.replies[amount], base) for amount in amounts]


def _step(limit: Limit, amount: float, reply: Reply, base: Reply) -> dict[str, Any]:
    low, high = change_musd(base, reply)
    moves = "" if not reply.has_plan else "yes" if _turned(base, reply) else "no"
    assert base.decisions is not None
    return {
        "rule": limit.rule, "place": limit.place, "words": limit.words, "unit": limit.unit, "change": amount,
        "value_change_low_musd": max(0.0, low) if reply.has_plan else low, "value_change_high_musd": high,
        "moves": moves, "what_moves": told_moves(base.decisions, reply.decisions) or reply.why,
    }  # fmt: skip


# ---- duals ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Price:
    """What one unit more of a limit is worth while whole decisions stay, $M: by quarter, and what one unit less costs.

    At a corner, as where blocks fill a grid limit to the last megawatt, the two differ, and a dual may be either or
    anything between. So duals are read a little beyond the limit, on the side where it is easier.
    """

    by_quarter: dict[str, float]
    tighter: float


def _price_all(ways: Sequence[_Way], inquiry: Inquiry) -> list[_Price | None]:
    """The price of every limit; None where it has none, as a whole contract more."""
    base = inquiry.base
    assert base.compiled is not None and base.landed is not None
    moved = [
        None if way.limit.unit == "contracts" else _prepared(way.limit, _little(way.limit), inquiry) for way in ways
    ]
    found: list[_Price | None] = []
    for way, eased in zip(ways, moved, strict=True):
        if eased is None or eased.compiled is None:
            way.unsolved += [f"{word}: {way.limit.words}"] if eased and (word := unsolved_word(eased.why)) else []
            found.append(None)
            continue
        worth = worth_to_first_order(base.compiled, base.landed, eased.compiled)
        binds = abs(sum(worth.values())) > NOISE_MUSD * abs(_little(way.limit))
        found.append(_price(way, eased, inquiry) if binds else _Price({}, 0.0))
    return found


def _little(limit: Limit) -> float:
    """The amount by which a limit is eased, whole decisions kept."""
    return limit.step if limit.whole else limit.step / LITTLE


def _price(way: _Way, eased: Prepared, inquiry: Inquiry) -> _Price | None:
    """The limit eased a little and tightened as much, with whole decisions held; None where that was not solved."""
    base, amount = inquiry.base, _little(way.limit)
    sides = [_held(eased, base), _held(_prepared(way.limit, -amount, inquiry), base)]
    more, less = ask(sides, inquiry.sweep, inquiry.gap, base)
    for change, reply in ((amount, more), (-amount, less)):
        way.hear(change, reply, " while whole decisions stay")
    if more.unsolved:
        return None
    tighter = (base.value_musd - less.value_musd) / amount
    by_quarter: dict[str, float] = {}
    if more.compiled is not None and more.landed is not None and base.compiled is not None:
        for (_, index), worth in worth_to_first_order(more.compiled, more.landed, base.compiled).items():
            quarter = next((str(part) for part in index if isinstance(part, Quarter)), "")
            by_quarter[quarter] = by_quarter.get(quarter, 0.0) - worth / amount
    return _Price({q: dual for q, dual in sorted(by_quarter.items()) if abs(dual) > NOISE_MUSD}, tighter)


def _held(one: Prepared, base: Reply) -> Prepared:
    assert base.compiled is not None and base.landed is not None
    if one.compiled is None:
        return one
    held = at_values(one.compiled, whole_numbers(base.compiled, base.landed.vector))
    return replace(one, compiled=held, why="" if held else "the whole decisions cannot be kept")


def _dual_rows(limit: Limit, price: _Price | None) -> list[dict[str, Any]]:
    """A row for each quarter that carries a limit's price; one row of zero where it does not bind."""
    if price is None:
        return []
    by_quarter = price.by_quarter or {"": 0.0}
    return [_named(limit) | {"quarter": q, "dual_musd_per_unit": dual} for q, dual in by_quarter.items()]


def _sum(limit: Limit, price: _Price | None) -> dict[str, Any]:
    """What one unit more in all quarters is worth, and which quarters carry it."""
    if price is None:
        return _named(limit) | {"dual_musd_per_unit": NAN, "tighter_musd_per_unit": NAN, "quarters": ""}
    quarters = [quarter for quarter in price.by_quarter if quarter]
    span = quarters[0] if len(quarters) == 1 else f"{len(quarters)} in {quarters[0]}-{quarters[-1]}" if quarters else ""
    total = sum(price.by_quarter.values())
    return _named(limit) | {
        "dual_musd_per_unit": total, "tighter_musd_per_unit": price.tighter, "quarters": span,
    }  # fmt: skip


def _named(limit: Limit) -> dict[str, Any]:
    return {
        "rule": limit.rule, "place": limit.place, "words": limit.words, "unit": limit.unit, "kind": kind_of(limit.rule),
        "limit": limit.limit,
    }  # fmt: skip


# ---- telling --------------------------------------------------------------------------------------------------------


def _title(ways: Sequence[_Way], base: Reply) -> str:
    """The budget where it is worth anything, as boards ask for it first; else what is worth most."""
    open_ways = [way for way in ways if way.gains(base)]
    if not open_ways:
        return "No limit that was tried is worth anything to this plan, as far as was looked."
    return _way_words(open_ways[0], base)


def _words(ways: Sequence[_Way], sums: Sequence[dict[str, Any]], base: Reply) -> list[str]:
    title = _title(ways, base)
    words = [said for way in ways if way.gains(base) and (said := _way_words(way, base)) != title]
    free = [way.limit.words for way in ways if way.replies[way.limit.reach].has_plan and not way.gains(base)]
    if free:
        words.append(f"Worth nothing as far as was looked: {', '.join(free)}.")
    lost = [way for way in ways if not way.replies[way.limit.reach].has_plan]
    words += [f"{way.limit.words}, {_amount(way.limit, way.limit.reach)}: {way.replies[way.limit.reach].why}."
              for way in lost]  # fmt: skip
    binding = [row for row in sums if abs(row["dual_musd_per_unit"]) > NOISE_MUSD]
    told = "; ".join(f"{row['words']} {_signed(row['dual_musd_per_unit'])} for {_unit(row['unit'])}" for row in binding)
    stays = "While every whole decision of the plan stays,"
    if told or not any(way.unsolved for way in ways):
        words.append(f"{stays} by the duals: {told}." if told else f"{stays} no limit is worth anything.")
    return words


def _way_words(way: _Way, base: Reply) -> str:
    """`Capex budget, +10 $M: +$14.2M of value; the decision moves at +37 $M, worth +$50.1M.`"""
    limit, turn = way.limit, way.first_turn(base)
    if limit.unit == "contracts":
        return f"{limit.words[:1].upper()}{limit.words[1:]}: {_change(base, way.replies[limit.reach])} of value."
    said = partial(_amount, limit)
    amounts = [amount for amount, _ in way.tried() if abs(amount) >= abs(limit.step)]
    first = min(amounts, key=abs)
    words = f"{limit.words[:1].upper()}{limit.words[1:]}, {said(first)}: {_change(base, way.replies[first])}"
    if turn is None:
        far = _change(base, way.replies[limit.reach])
        more = "" if first == limit.reach else f", {far} at {said(limit.reach)}"
        return f"{words}{more}; starts and contracts stay."
    near, at = turn
    between = f" (not yet at {said(near)})" if near else ""
    return f"{words}; decisions move at {said(at)}{between}, worth {_change(base, way.replies[at])}."


def _amount(limit: Limit, amount: float) -> str:
    if limit.unit == "$M":
        return f"{'-' if amount < 0 else '+'}${abs(amount):,.6g}M"
    return f"{amount:+,.6g} {limit.unit}"


def _unit(unit: str) -> str:
    return "$1M more" if unit == "$M" else f"1 {unit} more"


def _change(base: Reply, other: Reply) -> str:
    """The change of value; the interval where the gaps leave more than a little open."""
    low, high = change_musd(base, other)
    low = max(0.0, low)
    if low == 0 and high <= TOLD_MUSD:
        return "nothing"
    if high - low <= 2 * TOLD_MUSD:
        return _signed((low + high) / 2)
    return f"{_signed(low)} to {_signed(high)}"


def _signed(amount: float) -> str:
    """`+$14.2M`, with more decimals for less than a million; nothing has no sign."""
    if abs(amount) < NOTHING_MUSD:
        return "$0.0M"
    decimals = 1 if abs(amount) >= 0.95 or amount == 0 else 2 if abs(amount) >= 0.095 else 4
    return f"{'-' if amount < 0 else '+'}${abs(amount):,.{decimals}f}M"
