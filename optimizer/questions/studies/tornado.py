"""The tornado: each driver low and high, one at a time, with deciding again and with the old decisions kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from optimizer.ground.amounts import musd, signed_musd
from optimizer.ground.findings import Finding, InputError
from optimizer.plan.decisions import TOLD_MUSD
from optimizer.plan.plan import Plan
from optimizer.questions.studies.inquiry import Inquiry, Reply, footing, note_on_base, told_moves
from optimizer.questions.studies.study import Study, as_far_as_solved
from optimizer.questions.sweeps.drivers import Driver, driver_named, drivers_of
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.questions.sweeps.runner import Sweep

if TYPE_CHECKING:
    import pandas as pd

ENDS = ("low", "high")
FAR_OFF = 20.0
"""A range that begins or ends so many times above or below the base is taken for a slip of unit."""


def tornado(
    plan: Plan, drivers: Sequence[Driver] | None = None, *, gap: float = 1e-4, sweep: Sweep | None = None
) -> Study:
    """Move each driver to its low and its high alone, and re-solve; those of the case as a whole unless given.

    Table `drivers`: value and bound at both ends, $M, with deciding again; `kept_*` with every here-and-now decision
    kept and only recourse (what runs, what is drawn, repaid, sold at market) chosen again, NaN where the decisions
    cannot be kept, and `words_*` say why; sorted by how far the value moves. Raises InputError for a driver that
    the case does not take.
    """
    asked = list(drivers_of(plan.case, plan.scenario) if drivers is None else drivers)
    inquiry = Inquiry(plan, asked, sweep or Sweep(), gap, exact=True)
    points = [{driver.name: getattr(driver, end)} for driver in asked for end in ENDS]
    replies = iter(zip(inquiry.at(points), inquiry.at(points, kept=True), strict=True))
    bars = [_Bar(driver, *next(replies), *next(replies)) for driver in asked]
    bars.sort(key=lambda bar: -bar.span(inquiry.base.value_musd))
    study = Study(
        "tornado",
        _title(bars, inquiry.base),
        (*note_on_base(plan, inquiry.base), *_words(bars, inquiry.base)),
        {"drivers": _table(bars, inquiry.base)},
        footing(plan, gap, value_musd=inquiry.base.value_musd, bound_musd=inquiry.base.bound_musd),
    )
    return as_far_as_solved(study, [words for bar in bars for words in bar.unsolved()])


def drivers_given(plan: Plan, texts: Iterable[str]) -> list[Driver]:
    """Drivers written as `NAME` or `NAME=LOW:HIGH`, such as `rent of OFFER=120:180`. Raises InputError."""
    return [_driver_given(plan, text) for text in texts]


def _driver_given(plan: Plan, text: str) -> Driver:
    name, equals, span = text.rpartition("=")
    if not equals:
        return driver_named(plan.case, plan.scenario, text)
    try:
        low, high = (float(part) for part in span.split(":"))
    except ValueError:
        low = high = float("nan")
    if not (isfinite(low) and isfinite(high) and low < high):
        why = "names no range, which is a low and a higher number with a colon between them"
        raise InputError([Finding("--driver", why, "write NAME=LOW:HIGH", value=text)])
    driver = driver_named(plan.case, plan.scenario, name)
    if driver.base > 0 and not driver.base / FAR_OFF <= max(low, high) <= driver.base * FAR_OFF:
        why = f"is far from the base of {driver.base:,.6g} {driver.unit}, as if in another unit"
        raise InputError([Finding("--driver", why, f"give both ends in {driver.unit}", value=text)])
    return driver.within(low, high)


@dataclass(frozen=True)
class _Bar:
    """One driver, its replies with deciding again and with decisions kept."""

    driver: Driver
    low: Reply
    kept_low: Reply
    high: Reply
    kept_high: Reply

    def level(self, end: str) -> str:
        """`rent colocation 136.2 $/kW-month`."""
        return f"{self.driver.name} {getattr(self.driver, end):,.6g} {self.driver.unit}"

    def span(self, base_musd: float) -> float:
        """How far the value moves, $M; an end without a plan counts as further than any, one not solved as none."""
        ends = [reply for reply in (self.low, self.high) if not reply.unsolved]
        if not all(reply.has_plan for reply in ends):
            return float("inf")
        values = [base_musd, *(reply.value_musd for reply in ends)]
        return max(values) - min(values)

    def unsolved(self) -> Iterator[str]:
        """What of it came to no answer."""
        for end in ENDS:
            for reply, how in ((getattr(self, end), "decided again"), (getattr(self, f"kept_{end}"), "decisions kept")):
                if reply.unsolved:
                    yield f"{unsolved_word(reply.why)}: {self.level(end)}, {how}"


def _table(bars: Sequence[_Bar], base: Reply) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "driver": bar.driver.name, "words": bar.driver.name, "means": bar.driver.words, "unit": bar.driver.unit,
            "low": bar.driver.low, "base": bar.driver.base, "high": bar.driver.high,
            "value_low_musd": bar.low.value_musd, "value_high_musd": bar.high.value_musd,
            "kept_low_musd": bar.kept_low.value_musd, "kept_high_musd": bar.kept_high.value_musd,
            "bound_low_musd": bar.low.bound_musd, "bound_high_musd": bar.high.bound_musd,
            "moves_at_low": _moves(base, bar.low), "moves_at_high": _moves(base, bar.high),
            "kept_at_low": bar.kept_low.why or "kept", "kept_at_high": bar.kept_high.why or "kept",
        }
        for bar in bars
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = (
    "driver", "words", "means", "unit", "low", "base", "high", "value_low_musd", "value_high_musd", "kept_low_musd",
    "kept_high_musd", "bound_low_musd", "bound_high_musd", "moves_at_low", "moves_at_high", "kept_at_low",
    "kept_at_high",
)  # fmt: skip


def _moves(base: Reply, reply: Reply) -> str:
    """What is decided otherwise at an end, or why nothing is."""
    assert base.decisions is not None
    return told_moves(base.decisions, reply.decisions) or reply.why or "nothing"


def _title(bars: Sequence[_Bar], base: Reply) -> str:
    if not bars:
        return f"No driver of this case can be moved; the plan is worth {musd(base.value_musd)}."
    widest = bars[0]
    if not (widest.low.has_plan and widest.high.has_plan):
        end = "high" if widest.low.has_plan else "low"
        return f"At {widest.level(end)} there is no plan: {getattr(widest, end).why}."
    low, high = (signed_musd(end.value_musd - base.value_musd) for end in (widest.low, widest.high))
    name = f"{widest.driver.name[:1].upper()}{widest.driver.name[1:]}"
    return (
        f"{name} moves the value of {musd(base.value_musd)} most: {low} at {widest.driver.low:,.6g} and {high} at "
        f"{widest.driver.high:,.6g} {widest.driver.unit}."
    )


def _words(bars: Sequence[_Bar], base: Reply) -> list[str]:
    """Which drivers move decisions, what deciding again is worth at most, and where decisions cannot be kept."""
    assert base.decisions is not None
    ends = [(bar, end, getattr(bar, end), getattr(bar, f"kept_{end}")) for bar in bars for end in ENDS]
    moved = dict.fromkeys(bar.driver.name for bar, _, again, _ in ends if told_moves(base.decisions, again.decisions))
    still = [bar.driver.name for bar in bars if bar.driver.name not in moved and bar.low.has_plan and bar.high.has_plan]
    words = []
    if moved:
        words.append(f"Starts or contracts change with {_listed(list(moved))}.")
    if still:
        words.append(f"They stay as they are over the whole range of {_listed(still)}.")
    pairs = [(bar, end, again, kept) for bar, end, again, kept in ends if again.has_plan and kept.has_plan]
    gains = [(again.value_musd - kept.bound_musd, bar, end) for bar, end, again, kept in pairs]
    gain, bar, end = max(gains, key=lambda one: one[0], default=(0.0, None, ""))
    if bar is not None and gain > TOLD_MUSD:
        words.append(f"Deciding again is worth most at {bar.level(end)}: {musd(gain)} more than staying the course.")
    for bar, end, _, kept in ends:
        if not kept.has_plan and not kept.unsolved:
            words.append(f"The plan's decisions cannot be kept at {bar.level(end)}: {kept.why}.")
    return words


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
