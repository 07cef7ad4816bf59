"""The same decisions kept: what was taken here and now, in one plan or answer, held in any program.

Everything that is decided before the future is known stays: starts, GPU refreshes, signings with their sizes and price
tiers, machines installed, moved and bought. The rest answers to what comes and is decided again. There is one meaning
and one function for it, whoever asks: regret, tornado, map, break-evens, alternatives and the bridge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer.business.variables import NOW, Name
from optimizer.case.case import Case
from optimizer.case.schema import MINING
from optimizer.case.terms import make_deal
from optimizer.case.terms.size_tiers import tiers_of
from optimizer.ground.errors import HouseFault
from optimizer.ground.power import IDLE
from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import Decisions, moved, read_decisions
from optimizer.plan.plan import Plan
from optimizer.questions.sweeps.altered import bounded
from optimizer.questions.sweeps.family import Compiled
from optimizer.questions.sweeps.reading import decisions_in, values_of
from optimizer.solver.program import Floats

if TYPE_CHECKING:
    import pandas as pd

BARELY = 1e-6
"""Gross MW and IT MW by which a decision, rounded in a table or a solver's, may lie outside a column's bounds."""

Machines = Mapping[tuple[str, str, Quarter], float]
"""Gross MW by class, site and quarter."""


@dataclass(frozen=True)
class Taken:
    """The here-and-now decisions, by what they are about, commitments among them.

    Blocks started by option and quarter; blocks refreshed by option, number of the refresh and quarter of the start; IT
    MW signed by offer, site and first delivery, and the price tier of those newly signed.
    """

    starts: Mapping[tuple[str, Quarter], int]
    refreshed: Mapping[tuple[str, int, Quarter], int]
    signed: Mapping[tuple[str, str, Quarter], float]
    tiers: Mapping[tuple[str, str, Quarter], int]
    installed: Machines
    going: Machines
    coming: Machines
    buying: Machines
    decisions: Decisions = field(repr=False)
    """The same in words."""


MACHINES = {"g": "installed", "going": "going", "coming": "coming", "buying": "buying"}
"""Columns of machines, and where their decisions stand."""


# ---- from a plan ----------------------------------------------------------------------------------------------------


def taken_by(plan: Plan) -> Taken:
    """The decisions of a plan."""
    return read_taken(plan.case, plan.scenario, plan.tables)


def read_taken(case: Case, scenario: str, tables: Mapping[str, pd.DataFrame]) -> Taken:
    """The decisions that the tables of a plan hold."""
    allocation, machines = tables["allocation"], tables["machines"]
    there = allocation[allocation["use"].isin([MINING, IDLE])].rename(columns={"detail": "asic"})
    by_machine = ["asic", "site", "quarter"]
    new = tables["contracts"][tables["contracts"]["decided"] == "new"]
    return Taken(
        starts={k: round(n) for k, n in _sums(tables["starts"], ["option", "start_quarter"], "blocks").items()},
        refreshed=dict(_refreshed(case, tables["refreshes"])),
        signed=_sums(tables["contracts"], ["offer", "site", "delivery_quarter"], "it_mw"),
        tiers={
            (row.offer, row.site, Quarter.parse(row.delivery_quarter)): _billed_tier(case, scenario, row)
            for row in new.itertuples()
        },
        installed=_sums(there, by_machine, "gross_mw"),
        going=_sums(machines, by_machine, "moved_away_gross_mw"),
        coming=_sums(machines, by_machine, "arrived_gross_mw"),
        buying=_sums(machines, by_machine, "bought_gross_mw"),
        decisions=read_decisions(case, tables),
    )


def _sums(table: pd.DataFrame, keys: list[str], column: str) -> dict[Any, float]:
    sums = table.groupby(keys, sort=False)[column].sum()
    return {(*key[:-1], Quarter.parse(key[-1])): float(value) for key, value in sums.items() if value > 0}


def _refreshed(case: Case, table: pd.DataFrame) -> Iterator[tuple[tuple[str, int, Quarter], int]]:
    for row in table.itertuples():
        start, renewed = Quarter.parse(row.start_quarter), Quarter.parse(row.refresh_quarter)
        lived = renewed - start - case.option[row.option].lead_quarters
        yield (row.option, lived // case.gpu_life[row.option].life_quarters, start), round(row.blocks)


def _billed_tier(case: Case, scenario: str, row: Any) -> int:
    """The tier of a contract's size; where two tiers meet, the one whose price is billed."""
    offer = case.offer[row.offer]
    fits = _tiers_of_size(case, row.offer, row.it_mw)
    quote, first = case.offer_price[scenario, row.offer].price, Quarter.parse(row.delivery_quarter)

    def off(k: int) -> float:
        deal = make_deal(case, scenario, offer, row.site, first, tier=k)
        return abs(quote * deal.price_factor - float(row.price))

    return min(fits, key=off, default=0)


def _tiers_of_size(case: Case, offer: str, it_mw: float) -> list[int]:
    tiers = tiers_of(case, case.offer[offer])
    return [k for k, (low, high, _) in enumerate(tiers) if low - BARELY <= it_mw <= high + BARELY]


# ---- from an answer -------------------------------------------------------------------------------------------------


def taken_in(case: Case, scenario: str, compiled: Compiled, vector: Floats) -> Taken:
    """The decisions of an answer to a program of the case."""
    decisions = decisions_in(case, scenario, compiled, vector)
    states = values_of(compiled, vector, "Y")
    new = [(c, s, t, k) for (c, k, s, t), state in states.items() if round(state - states.get((c, k, s, t - 1), 0.0))]
    machines = {name: _some(values_of(compiled, vector, column)) for column, name in MACHINES.items()}
    return Taken(
        starts=_added(((one.option, Quarter.parse(one.quarter)), one.blocks) for one in decisions.starts),
        refreshed={
            (o, i, start): round(blocks)
            for (o, start, i), blocks in values_of(compiled, vector, "r").items()
            if round(blocks)
        },
        signed={(one.offer, one.site, Quarter.parse(one.delivery)): one.it_mw for one in decisions.signed},
        tiers={(c, s, t): k for c, s, t, k in new},
        **machines,
        decisions=decisions,
    )


def _added(pairs: Iterator[tuple[Any, int]]) -> dict[Any, int]:
    total: dict[Any, int] = {}
    for key, number in pairs:
        total[key] = total.get(key, 0) + number
    return total


def _some(machines: Mapping[tuple[Any, ...], float]) -> dict[Any, float]:
    return {key: mw for key, mw in machines.items() if mw > 0}


# ---- held -----------------------------------------------------------------------------------------------------------


def hold(taken: Taken, compiled: Compiled, case: Case, scenario: str) -> Compiled | str:
    """The program of a case with these decisions held; why it cannot take them, in words."""
    vector = as_columns(taken, compiled, case)
    if why := _misfit(taken, vector, compiled, case, scenario):
        return why
    places = compiled.where(*NOW)
    inside = np.clip(vector[places], compiled.program.lower[places], compiled.program.upper[places])
    return bounded(compiled, places, inside + 0.0)  # no -0.0, which answers on disk do not keep


def as_columns(taken: Taken, compiled: Compiled, case: Case) -> Floats:
    """The decisions at their places in a program of the case; NaN for everything else."""
    numbers = _numbers(taken, case)
    if unread := set(NOW) - numbers.keys():
        raise HouseFault(f"Nothing in {__name__} says what a plan decided of {', '.join(sorted(unread))}.")
    vector = np.full(len(compiled.columns), np.nan)
    for place in compiled.where(*NOW):
        component, index = compiled.columns[place]
        vector[place] = numbers[component](*index)
    return vector


def _numbers(taken: Taken, case: Case) -> Mapping[str, Callable[..., float]]:
    """What each kind of column holds at an index."""
    tiers = {key: _tier_of(taken, case, key) for key in taken.tiers}

    def blocks(o: str, t: Quarter) -> float:
        return float(sum(n for (option, start), n in taken.starts.items() if option == o and start <= t))

    def size(c: str, k: int, s: str, t: Quarter) -> float:
        return sum(taken.signed[key] for key, tier in tiers.items() if key[:2] == (c, s) and tier == k and key[2] <= t)

    def machines(name: str) -> Callable[..., float]:
        chosen: Machines = getattr(taken, name)
        return lambda *key: chosen.get(key, 0.0)

    return {
        "N": blocks,
        "F": lambda o, t: float(blocks(o, t) > 0),
        "r": lambda o, start, i: float(taken.refreshed.get((o, i, start), 0)),
        "Y": lambda *key: float(size(*key) > 0),
        "Q": size,
        **{column: machines(name) for column, name in MACHINES.items()},
    }


def _tier_of(taken: Taken, case: Case, key: tuple[str, str, Quarter]) -> int:
    """The tier of a contract; in a case whose tiers are others, the first that its size falls in."""
    if key[0] not in case.offer:
        return taken.tiers[key]
    fits = _tiers_of_size(case, key[0], taken.signed[key])
    return taken.tiers[key] if taken.tiers[key] in fits or not fits else fits[0]


def _misfit(taken: Taken, vector: Floats, compiled: Compiled, case: Case, scenario: str) -> str:
    """Why decisions cannot be taken in a program at all; nothing where they can."""
    there = taken_in(case, scenario, compiled, np.nan_to_num(vector))
    if not (_same(there.starts, taken.starts) and _same(there.signed, taken.signed)):
        mine = taken.decisions
        plainly = Decisions(mine.starts, mine.signed, mine.refused)
        return "; ".join(moved(plainly, there.decisions)) or "other commitments"
    program = compiled.program
    off = np.nan_to_num(np.maximum(program.lower - vector, vector - program.upper))
    if off.max(initial=0.0) > BARELY:
        return f"{program.column_names[off.argmax()]} cannot be {vector[off.argmax()]:g}"
    for o, i, start in taken.refreshed:
        if ("r", (o, start, i)) not in compiled.place:
            return f"the GPUs of {o} started in {start} cannot be renewed a {i}. time"
    for column, name in MACHINES.items():
        for key, mw in getattr(taken, name).items():
            if mw > BARELY and (column, key) not in compiled.place:
                return f"{mw:g} gross MW of {key[0]} cannot be at {key[1]} in {key[2]}"
    return ""


def _same(a: Mapping[Any, float], b: Mapping[Any, float]) -> bool:
    return a.keys() == b.keys() and all(abs(a[key] - b[key]) <= BARELY for key in a)


def at_values(compiled: Compiled, values: Mapping[Name, float]) -> Compiled | None:
    """The program with columns held at values, by name; None where one is missing, or its bounds forbid it.

    For numbers that are no plan's decisions: whole numbers held for a price, or what a search had found.
    """
    if any(name not in compiled.place for name, value in values.items() if abs(value) > BARELY):
        return None
    there = {compiled.place[name]: value for name, value in values.items() if name in compiled.place}
    places, numbers = np.array([*there], dtype=np.int32), np.array([*there.values()], dtype=float)
    low, high = compiled.program.lower[places], compiled.program.upper[places]
    if np.any(numbers > high + BARELY) or np.any(numbers < low - BARELY):
        return None
    return bounded(compiled, places, np.clip(numbers, low, high) + 0.0)


def whole_numbers(compiled: Compiled, vector: Floats) -> Mapping[Name, float]:
    """The whole numbers of an answer, by name."""
    return {compiled.columns[i]: round(vector[i]) + 0.0 for i in np.flatnonzero(compiled.program.integers)}
