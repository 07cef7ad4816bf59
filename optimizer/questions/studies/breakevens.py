"""Break-evens: the number at which one named decision turns, both sides of it solved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer.ground.findings import Finding, InputError
from optimizer.plan.decisions import decisions_of
from optimizer.plan.plan import Plan
from optimizer.questions.conflicts.refusals import refusal
from optimizer.questions.studies.inquiry import Inquiry, Prepared, Reply, ask, footing, note_on_base
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.drivers import Driver, driver_named
from optimizer.questions.sweeps.holding import at_values, hold, taken_in
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.questions.sweeps.reading import mining_in
from optimizer.questions.sweeps.runner import NAN, Sweep

if TYPE_CHECKING:
    import pandas as pd

WIND_DOWN = "mines to another quarter"
"""How a question on a site's last quarter of mining ends; it turns easily and weighs little."""
LONGEST_DELAY = 8.0
"""Quarters up to which a delay is tried."""
NO_PLAN, REFUSED, NOT_BUILT = "no plan", "refused", "not built"
RUNNING = ("x", "b")
"""Machines that run, on the grid and on a site's own plant."""
TIE_MUSD = 1e-6


@dataclass(frozen=True)
class Turn:
    """One decision, and the driver on which it may turn; `state` says how a reply decides it, in a few words.

    `recourse` names columns of the model that belong to the decision, beside all that is decided here and now.
    """

    subject: str
    question: str
    driver: Driver
    state: Callable[[Reply], str]
    recourse: tuple[str, ...] = ()
    never: str = ""
    """How the decision is told where it is not taken; what keeps it from being taken is then looked for."""


def turns_of(
    plan: Plan, *, sites: Iterable[str] = (), offers: Iterable[str] = (), options: Iterable[str] = ()
) -> list[Turn]:
    """The break-evens of some sites, offers and options; the main one of everything where none is named.

    Of a site: the hashprice and its power price at which it converts or not, and mines to another quarter. Of an offer:
    its rent. Of an option: its facility capex and the delay that it bears. The main ones are hashprice for what is
    converted, rent and capex. Raises InputError for a name that the case does not have.
    """
    case = plan.case
    sites, offers, options = list(sites), list(offers), list(options)
    _refuse_unknown("sites.csv", sites, case.site)
    _refuse_unknown("offers.csv", offers, case.offer)
    _refuse_unknown("options.csv", options, case.option)
    if sites or offers or options:
        return [
            *(turn for site in sites for turn in _site_turns(plan, site, ("hashprice", f"power at {site}"))),
            *(turn for offer in offers for turn in _offer_turns(plan, offer)),
            *(turn for option in options for turn in _option_turns(plan, option, ("capex of ", "delay of "))),
        ]
    return [
        *(turn for site in case.sites for turn in _site_turns(plan, site.site, ("hashprice",)) if not turn.recourse),
        *(turn for offer in case.offers for turn in _offer_turns(plan, offer.offer)),
        *(turn for option in case.options for turn in _option_turns(plan, option.option, ("capex of ",))),
    ]


def breakevens(
    plan: Plan, turns: Sequence[Turn] | None = None, *, tolerance: float = 0.01, grid: int = 9, gap: float = 1e-4,
    sweep: Sweep | None = None,
) -> Study:  # fmt: skip
    """Where each decision turns: a scan of `grid` numbers over the driver's range, then bisection on re-solves.

    A plan found at another number counts as another decision only if it is worth less at the base by more than the gap:
    what is as good there may be decided either way, and turns nothing. The two sides are at most `tolerance` of the
    base apart (a quarter for delays). Decisions need not turn once only: the turn nearest the base is told, and how
    many others the scan met. Where there is none in the range, `found` is no and `words` say so.
    """
    asked = turns_of(plan) if turns is None else list(turns)
    asked = [turn for turn in asked if turn.driver.low < turn.driver.high]
    scan = _Scan(plan, sweep or Sweep(), gap, tolerance, grid)
    scan.run(asked)
    rows = [scan.row(turn) for turn in asked]
    study = Study(
        "breakevens",
        _title(rows),
        (*(note_on_base(plan, scan.base) if scan.base else ()), *(f"{row['subject']}: {row['words']}" for row in rows)),
        {"breakevens": _table(rows)},
        footing(plan, gap, tolerance=tolerance, grid=grid),
    )
    return as_far_as_solved(study, scan.unsolved)


# ---- which decisions, on which numbers ------------------------------------------------------------------------------


def _refuse_unknown(file: str, names: Sequence[str], known: Any) -> None:
    findings = [
        Finding(file, "is not in this case", f"one of {', '.join(known)}", value=name)
        for name in names
        if name not in known
    ]
    if findings:
        raise InputError(findings)


def _driver(plan: Plan, name: str) -> Driver | None:
    """The driver of that name; None where the case has no such number to move."""
    try:
        return driver_named(plan.case, plan.scenario, name)
    except InputError:
        return None


def _site_turns(plan: Plan, site: str, names: Sequence[str]) -> Iterator[Turn]:
    for name in names:
        driver = _driver(plan, name)
        if driver is None:
            continue
        level = "hashprice" if name == "hashprice" else "power price"
        if any(option.site == site for option in plan.case.options):
            yield Turn(site, f"{level} at which it converts or not", driver, _site_converts(site))
        if plan.case.fleet or plan.case.machine_markets:
            yield Turn(site, f"{level} at which it {WIND_DOWN}", driver, _site_mines(plan, site), RUNNING)


def _offer_turns(plan: Plan, offer: str) -> Iterator[Turn]:
    committed = {row.offer for row in plan.case.committed_contracts}
    driver = _driver(plan, f"rent of {offer}")
    if driver is None or offer in committed:
        return
    signed = offer in set(plan.contracts["offer"])
    question = "rent below which it is dropped" if signed else "rent that makes it worth signing"
    yield Turn(offer, question, driver, _offer_signed(offer), never=REFUSED)


def _option_turns(plan: Plan, option: str, starts: Sequence[str]) -> Iterator[Turn]:
    built = option in set(plan.starts["option"])
    for start in starts:
        driver = _driver(plan, f"{start}{option}")
        if driver is None:
            continue
        if driver.whole:
            driver, question = driver.within(0.0, LONGEST_DELAY), "delay that it bears"
        else:
            question = f"{'highest ' if built else ''}facility capex at which it is built"
        yield Turn(option, question, driver, _option_built(option), never=NOT_BUILT)


def _offer_signed(offer: str) -> Callable[[Reply], str]:
    return lambda reply: "signed" if any(one.offer == offer for one in _decided(reply).signed) else REFUSED


def _option_built(option: str) -> Callable[[Reply], str]:
    return lambda reply: "built" if any(one.option == option for one in _decided(reply).starts) else NOT_BUILT


def _site_converts(site: str) -> Callable[[Reply], str]:
    return lambda reply: "converts" if any(one.site == site for one in _decided(reply).starts) else "does not convert"


def _site_mines(plan: Plan, site: str) -> Callable[[Reply], str]:
    def state(reply: Reply) -> str:
        assert reply.compiled is not None and reply.landed is not None
        last = mining_in(reply.case, plan.scenario, reply.compiled, reply.landed.vector).get(site)
        return "does not mine" if last is None else f"mines to {last}"

    return state


def _decided(reply: Reply) -> Any:
    return reply.decisions


# ---- the search -----------------------------------------------------------------------------------------------------


class _Scan:
    """Every number tried so far of every driver, with its reply; turns on the same driver share them."""

    def __init__(self, plan: Plan, sweep: Sweep, gap: float, tolerance: float, grid: int):
        self.plan, self.sweep, self.gap, self.tolerance, self.grid = plan, sweep, gap, tolerance, grid
        self.inquiries: dict[str, Inquiry] = {}
        self.replies: dict[str, dict[float, Reply]] = {}
        self.as_good: dict[tuple[str, float, tuple[str, ...]], bool] = {}
        self.base: Reply | None = None
        self.unsolved: list[str] = []
        """Numbers, and plans held at the base, that came to no answer."""

    def run(self, turns: Sequence[Turn]) -> None:
        """Scan every driver's range, then halve the crossing nearest the base of every turn, all turns together."""
        wanted = [(turn.driver, x) for turn in turns for x in _grid(turn.driver, self.grid)]
        while wanted:
            self._ask(wanted)
            self._doubt(turns)
            wanted = [(turn.driver, x) for turn in turns for x in self._middle(turn)]

    def _ask(self, wanted: Sequence[tuple[Driver, float]]) -> None:
        new = dict.fromkeys((d.name, x) for d, x in wanted if x not in self.replies.get(d.name, {}))
        drivers = {driver.name: driver for driver, _ in wanted}
        prepared = [self._inquiry(drivers[name]).prepare({name: x}) for name, x in new]
        for (name, x), reply in zip(new, ask(prepared, self.sweep, self.gap, self.base), strict=True):
            self.replies.setdefault(name, {})[x] = reply
            if reply.unsolved:
                self.unsolved.append(f"{unsolved_word(reply.why)}: {name} {x:,.6g}")

    def _inquiry(self, driver: Driver) -> Inquiry:
        if driver.name not in self.inquiries:
            self.inquiries[driver.name] = Inquiry(self.plan, [driver], self.sweep, self.gap)
            self.base = self.inquiries[driver.name].base
        return self.inquiries[driver.name]

    def _doubt(self, turns: Sequence[Turn]) -> None:
        """Hold what is decided otherwise at other numbers at the base, to see whether it is as good there."""
        doubted = {
            (turn.driver.name, x, turn.recourse): reply
            for turn in turns
            for x, reply in self.replies[turn.driver.name].items()
            if reply.has_plan and _state(turn, reply) != _state(turn, self.replies[turn.driver.name][turn.driver.base])
        }
        new = {key: reply for key, reply in doubted.items() if key not in self.as_good}
        held = [self._held_at_base(reply, recourse) for (_, _, recourse), reply in new.items()]
        for key, reply in zip(new, ask(held, self.sweep, self.gap, self.base), strict=True):
            assert self.base is not None
            room = self.gap * abs(self.base.value_musd) + TIE_MUSD
            self.as_good[key] = reply.has_plan and reply.value_musd >= self.base.value_musd - room
            if reply.unsolved:
                doubt = f"what is decided at {key[0]} {key[1]:,.6g}, held at the base"
                self.unsolved.append(f"{unsolved_word(reply.why)}: {doubt}")

    def _held_at_base(self, reply: Reply, recourse: tuple[str, ...]) -> Prepared:
        assert self.base is not None and self.base.compiled is not None
        assert reply.compiled is not None and reply.landed is not None
        taken = taken_in(reply.case, self.plan.scenario, reply.compiled, reply.landed.vector)
        held = hold(taken, self.base.compiled, self.base.case, self.plan.scenario)
        answers = {reply.compiled.columns[i]: float(reply.landed.vector[i]) for i in reply.compiled.where(*recourse)}
        program = None if isinstance(held, str) else at_values(held, answers)
        return Prepared(self.base.case, self.plan.scenario, program, "" if program else "cannot be taken there")

    def _turned(self, turn: Turn, x: float) -> str:
        """How the decision is taken at a number; as at the base where that is as good at the base.

        What the plan itself decides is as good there, whatever else is decided at the number.
        """
        name, replies = turn.driver.name, self.replies[turn.driver.name]
        state = _state(turn, replies[x])
        tie = self.as_good.get((name, x, turn.recourse), False) or state == _own_state(turn, self.plan)
        return _state(turn, replies[turn.driver.base]) if tie else state

    def crossings(self, turn: Turn) -> list[tuple[float, float]]:
        """Neighbours among the numbers solved between which the decision turns, the pair nearest the base first."""
        replies = self.replies[turn.driver.name]
        states = {x: self._turned(turn, x) for x in sorted(replies) if not replies[x].unsolved}
        xs, base = list(states), turn.driver.base
        pairs = [(a, b) for a, b in pairwise(xs) if states[a] != states[b]]
        return sorted(pairs, key=lambda pair: min(abs(x - base) for x in pair))

    def _middle(self, turn: Turn) -> list[float]:
        """The next number to try; none once both sides are near enough, it was in vain, or the decision never turns."""
        for a, b in self.crossings(turn)[:1]:
            if b - a > _width(turn.driver, self.tolerance) * (1 + 1e-9):
                middle = float(round((a + b) / 2)) if turn.driver.whole else (a + b) / 2
                return [] if middle in self.replies[turn.driver.name] else [middle]
        return []

    def row(self, turn: Turn) -> dict[str, Any]:
        driver, replies = turn.driver, self.replies[turn.driver.name]
        row: dict[str, Any] = {
            "subject": turn.subject, "question": turn.question, "driver": driver.name, "unit": driver.unit,
            "base": driver.base, "state": _state(turn, replies[driver.base]),
        }  # fmt: skip
        crossings, own = self.crossings(turn), _said_by_plan(turn, self.plan, row["state"])
        if not crossings:
            span = f"from {driver.low:,.6g} to {driver.high:,.6g} {driver.unit}"
            ties = any(self.as_good.get((driver.name, x, turn.recourse)) for x in replies)
            or_else = ", or otherwise where that is as good at the base" if ties else ""
            words = (
                f"{row['state']} at every {driver.name} tried {span}{or_else}.{own}{self._refusal(turn, row['state'])}"
            )
            return row | _NONE | {"words": words}
        below, above = crossings[0]
        sides = {"below": (below, replies[below]), "above": (above, replies[above])}
        for side, (x, reply) in sides.items():
            row[side], row[f"decision_{side}"] = x, self._turned(turn, x)
            row[f"value_{side}_musd"], row[f"bound_{side}_musd"] = reply.value_musd, reply.bound_musd
        why = next((reply.why for _, reply in sides.values() if not reply.has_plan), "")
        return row | {"found": "yes", "words": _words(turn, row, why, crossings[1:]) + own}

    def _refusal(self, turn: Turn, state: str) -> str:
        """A sentence on what keeps a decision from being taken even at the end of the range that speaks most for it."""
        if not turn.never or state != turn.never:
            return ""
        of_offer, replies = turn.never == REFUSED, self.replies[turn.driver.name]
        best = replies[turn.driver.high if of_offer else turn.driver.low].case
        offer, option = (turn.subject, "") if of_offer else ("", turn.subject)
        why = refusal(best, self.plan.scenario, offer=offer, option=option)
        return f" {why or 'It could be, and is not worth it even there.'}"


_NONE = {
    "below": NAN, "above": NAN, "decision_below": "", "decision_above": "", "value_below_musd": NAN,
    "value_above_musd": NAN, "bound_below_musd": NAN, "bound_above_musd": NAN, "found": "no",
}  # fmt: skip


def _grid(driver: Driver, count: int) -> list[float]:
    """Numbers over the range of a driver, its base among them."""
    if driver.whole:
        return [float(x) for x in range(round(driver.low), round(driver.high) + 1)]
    low, high, base = driver.low, driver.high, driver.base
    if not low < base < high:
        return sorted({*np.linspace(low, high, count).tolist(), base})
    left = min(count - 2, max(1, round((count - 1) * (base - low) / (high - low))))
    return [*np.linspace(low, base, left + 1).tolist(), *np.linspace(base, high, count - left).tolist()[1:]]


def _width(driver: Driver, tolerance: float) -> float:
    """How far apart the two sides of a break-even may be."""
    return 1.0 if driver.whole else tolerance * (abs(driver.base) or driver.high - driver.low)


def _state(turn: Turn, reply: Reply) -> str:
    return turn.state(reply) if reply.has_plan else NO_PLAN


def _said_by_plan(turn: Turn, plan: Plan, state: str) -> str:
    """A sentence where the plan itself mines to another quarter than the case solved again, which is as good."""
    own = _own_state(turn, plan)
    return f" The plan itself {own}, as good within the gap." if own and own != state else ""


def _own_state(turn: Turn, plan: Plan) -> str:
    """To which quarter a site mines by the plan itself; nothing for other decisions, which are hardly ever ties."""
    if not turn.recourse:
        return ""
    last = decisions_of(plan).mining.get(turn.subject)
    return "does not mine" if last is None else f"mines to {last}"


# ---- telling --------------------------------------------------------------------------------------------------------


def _words(turn: Turn, row: dict[str, Any], why: str, others: Sequence[tuple[float, float]]) -> str:
    name, unit = turn.driver.name, turn.driver.unit
    sides = f"{row['decision_below']} at {name} {row['below']:,.6g}, {row['decision_above']} at {row['above']:,.6g}"
    words = f"{sides} {unit}; the base is {row['base']:,.6g}."
    words += f" No plan: {why}." if why else ""
    if not others:
        return words
    places = ", ".join(f"between {a:,.6g} and {b:,.6g}" for a, b in sorted(others))
    return f"{words} It turns again {places}."


def _title(rows: Sequence[dict[str, Any]]) -> str:
    found = [row for row in rows if row["found"] == "yes" and row["base"]]
    if not rows:
        return "There is no decision in this plan that a number could turn."
    if not found:
        turned = [f"{row['subject']}: {row['words']}" for row in rows if row["found"] == "yes"]
        return turned[0] if turned else "No decision that was asked about turns within the ranges tried."
    nearest = min(found, key=lambda row: (WIND_DOWN in row["question"], _distance(row)))
    side = "below" if nearest["below"] < nearest["base"] else "above"
    near = max(("below", "above"), key=lambda end: abs(nearest[end] - nearest["base"]))
    return (
        f"{nearest['subject']} is nearest to turning: {nearest[f'decision_{near}']} at {nearest['driver']} "
        f"{nearest[near]:,.4g} {nearest['unit']}, {_distance(nearest):.0%} {side} the base."
    )


def _distance(row: dict[str, Any]) -> float:
    return max(abs(float(row[side]) - float(row["base"])) for side in ("below", "above")) / abs(float(row["base"]))


def _table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = (
        "subject", "question", "driver", "unit", "base", "state", "below", "above", "decision_below",
        "decision_above", "value_below_musd", "value_above_musd", "bound_below_musd", "bound_above_musd", "found",
        "words",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
