"""What the bitcoin protocol fixes: the subsidy of a block, and when it halves.

Every 210,000 blocks the subsidy halves; at 144 blocks a day that takes about 1,458 days. Halvings gone by are facts,
those to come are expected: a case may move one by two quarters, and no further without a row of `allow`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain, count, takewhile
from typing import TYPE_CHECKING

from optimizer.case.checks.bands import Oddity, odd_setting
from optimizer.case.schema import Settings

if TYPE_CHECKING:
    from optimizer.case.case import Case

FIRST_SUBSIDY_BTC = 50.0
PAST = (date(2012, 11, 28), date(2016, 7, 9), date(2020, 5, 11), date(2024, 4, 20))
"""Days of blocks 210,000, 420,000, 630,000 and 840,000."""
NEXT = date(2028, 4, 12)
"""The day that block 1,050,000 is expected on."""
BETWEEN = timedelta(days=210_000 / 144)
SLACK = timedelta(days=184)
"""Two quarters: how far from its expected day a halving may be put."""


def odd_subsidy(settings: Settings, mined_until: date | None = None) -> Iterator[Oddity]:
    """A subsidy that is not paid at the start of the horizon, and halvings that the protocol does not have there.

    The first halving inside the horizon is always asked for, later ones only while mining can depend on them.
    """
    start = settings.first_quarter.start
    gone = halvings_behind(settings.subsidy_btc)
    days = halvings_until(start + SLACK)
    certain, possible = (sum(day <= start + way * _slack(day) for day in days) for way in (-1, 1))
    if gone is None or not certain <= gone <= possible:
        gone = sum(day <= start for day in days)
        mend = f"write subsidy_btc = {subsidy_after(gone):g}"
        yield odd_setting("subsidy_btc", settings.subsidy_btc, _other_subsidy(start, gone), mend=mend)
    yield from _odd_halvings(settings, gone, mined_until or start)


def mined_until(case: Case) -> date:
    """The day from which no machine can run any more, or hashprice is given and does not hang on the subsidy."""
    bought = {row.asic for row in case.machine_markets if row.purchase_usd_per_th is not None}
    classes = [row for row in case.asics if row.asic in bought or any(row.asic == held.asic for held in case.fleet)]
    fit = [row.fit_until or case.last for row in classes]
    ends = [case.mining_ends(row.site) or case.last for row in case.sites]
    runs = min(max(fit, default=case.first - 1), max(ends))
    derived = [row.quarter for row in case.bitcoin if row.hashprice_usd_per_ph_day is None and row.quarter <= runs]
    return (max(derived, default=case.first - 1) + 1).start


def halvings_until(end: date) -> list[date]:
    """The days of all halvings up to one: known, then expected."""
    ahead = (NEXT + step * BETWEEN for step in count())
    return list(takewhile(lambda day: day <= end, chain(PAST, ahead)))


def halvings_behind(subsidy_btc: float) -> int | None:
    """How often 50 BTC were halved to make this subsidy; None where no whole number of halvings does."""
    return next((times for times in range(33) if subsidy_after(times) == subsidy_btc), None)


def subsidy_after(times: int) -> float:
    return math.ldexp(FIRST_SUBSIDY_BTC, -times)


def _slack(day: date) -> timedelta:
    return timedelta(0) if day in PAST else SLACK


def _other_subsidy(start: date, gone: int) -> str:
    """What a block brings on a day, since when, and until when."""
    days = [date(2009, 1, 3), *halvings_until(start + 2 * BETWEEN)]
    since, until = days[gone], days[gone + 1]
    return (
        f"is not what a block brings on {start}: {subsidy_after(gone):g} BTC {_about(since)} on, "
        f"{subsidy_after(gone + 1):g} {_about(until)} on"
    )


def _about(day: date) -> str:
    return f"from {day}" if day <= PAST[-1] else f"from about {day}"


def _odd_halvings(settings: Settings, gone: int, until: date) -> Iterator[Oddity]:
    """Days that are no halving to come, and halvings that are not there."""
    start, end = settings.first_quarter.start, (settings.first_quarter + settings.quarters).start
    given = [day for day in settings.halvings if day > start]
    to_come = halvings_until(max([end, *given]) + 2 * BETWEEN)[gone:]
    left = list(to_come)
    ours: list[date] = []
    strange: list[date] = []
    for day in given:
        meant = next((known for known in left if abs(known - day) <= SLACK), None)
        (ours if meant else strange).append(day)
        left = [known for known in left if known != meant]
    missing = [day for day in left if day < end and (day == to_come[0] or day < until)]
    why = ", and ".join(filter(None, (_strange(strange), f"lacks {_listed(missing)}" if missing else "")))
    expected = f"the next are expected about {to_come[0]} and {to_come[1]}, 210,000 blocks at 144 a day apart"
    if why:
        mend = f"write halvings = [{_listed(sorted([*ours, *missing]))}]"
        yield odd_setting("halvings", _listed(strange or given) or "[]", f"{why} ({expected})", mend=mend)


def _strange(days: list[date]) -> str:
    if not days:
        return ""
    subject = "is no halving" if len(days) == 1 else "are no halvings"
    return f"{subject} of the protocol, give or take two quarters"


def _listed(days: list[date]) -> str:
    return ", ".join(map(str, days))
