"""A plan's here-and-now decisions as columns of a program, read from its tables, so that they can be held there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from optimizer.decisions import Decisions, decisions_of, moved
from optimizer.plan import Plan
from optimizer.quarters import Quarter
from optimizer.solver.program import Floats
from optimizer.sweeps.altered import bounded
from optimizer.sweeps.family import Compiled, Name
from optimizer.sweeps.reading import decisions_in, kept_columns
from optimizer.terms import make_deal
from optimizer.terms.size_tiers import tiers_of

BARELY = 1e-7
"""Gross MW and IT MW by which tables, which are rounded, may lie outside a column's bounds."""


class Holding:
    """The here-and-now decisions of a plan, under the names of the columns that stand for them."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self._read: dict[str, Callable[..., float]] = {
            "N": self._blocks, "F": self._mobilised, "r": self._refreshed, "Y": self._delivered, "Q": self._size,
            "g": lambda *key: self._installed.get(key, 0.0),
            "going": lambda *key: self._traded["moved_away_gross_mw"].get(key, 0.0),
            "coming": lambda *key: self._traded["arrived_gross_mw"].get(key, 0.0),
            "buying": lambda *key: self._traded["bought_gross_mw"].get(key, 0.0),
        }  # fmt: skip

    def number(self, name: Name) -> float:
        """What the plan decides for one column of `HERE_AND_NOW`."""
        component, index = name
        return self._read[component](*index)

    def vector(self, compiled: Compiled) -> Floats:
        """The plan's decisions at their places in a program; NaN for everything else."""
        vector = np.full(len(compiled.columns), np.nan)
        for i in kept_columns(compiled):
            vector[i] = self.number(compiled.columns[i])
        return vector

    def fit(self, compiled: Compiled, scenario: str) -> str:
        """Why the plan's decisions cannot be taken in a program at all; nothing where they can."""
        vector, program = self.vector(compiled), compiled.program
        there = decisions_in(self.plan.case, scenario, compiled, np.nan_to_num(vector))
        mine = decisions_of(self.plan)
        if there != mine:
            taken = Decisions(mine.starts, mine.signed, mine.refused)
            return "; ".join(moved(taken, there)) or "other commitments"
        off = np.nan_to_num(np.maximum(program.lower - vector, vector - program.upper))
        if off.max(initial=0.0) > BARELY:
            return f"{program.column_names[off.argmax()]} cannot be {vector[off.argmax()]:g}"
        for component, traded in (("g", self._installed), *self._moves()):
            for key, mw in traded.items():
                if mw > BARELY and (component, key) not in compiled.place:
                    return f"{mw:g} gross MW of {key[0]} cannot be at {key[1]} in {key[2]}"
        return ""

    # ---- halls ----------------------------------------------------------------------------------------------------

    @cached_property
    def _starts(self) -> dict[tuple[str, Quarter], int]:
        return {
            (str(o), Quarter.parse(str(t))): round(blocks)
            for (o, t), blocks in self.plan.starts.groupby(["option", "start_quarter"])["blocks"].sum().items()
        }

    def _blocks(self, o: str, t: Quarter) -> float:
        return float(sum(blocks for (option, start), blocks in self._starts.items() if option == o and start <= t))

    def _mobilised(self, o: str, t: Quarter) -> float:
        return float(self._blocks(o, t) > 0)

    @cached_property
    def _renewed(self) -> dict[tuple[str, Quarter, Quarter], float]:
        keys = zip(
            self.plan.refreshes["option"],
            map(Quarter.parse, self.plan.refreshes["start_quarter"]),
            map(Quarter.parse, self.plan.refreshes["refresh_quarter"]),
            strict=True,
        )
        return dict(zip(keys, map(float, self.plan.refreshes["blocks"]), strict=True))

    def _refreshed(self, o: str, start: Quarter, i: int) -> float:
        case = self.plan.case
        renewed = start + case.option[o].lead_quarters + i * case.gpu_life[o].life_quarters
        return self._renewed.get((o, start, renewed), 0.0)

    # ---- contracts ------------------------------------------------------------------------------------------------

    @cached_property
    def _signed(self) -> dict[tuple[str, str], tuple[Quarter, float, int]]:
        """Offer and site of each newly signed contract -> first delivery, IT MW and price tier."""
        new = self.plan.contracts[self.plan.contracts["decided"] == "new"]
        return {
            (row.offer, row.site): (Quarter.parse(row.delivery_quarter), row.it_mw, self._tier(row))
            for row in new.itertuples()
        }

    def _tier(self, row: Any) -> int:
        """The tier of a size; where two tiers meet, the one whose price is billed."""
        case, offer = self.plan.case, self.plan.case.offer[row.offer]
        tiers = tiers_of(case, offer)
        fits = [k for k, (low, high, _) in enumerate(tiers) if low - BARELY <= row.it_mw <= high + BARELY]
        quote, first = case.offer_price[self.plan.scenario, row.offer].price, Quarter.parse(row.delivery_quarter)

        def off(k: int) -> float:
            deal = make_deal(case, self.plan.scenario, offer, row.site, first, tier=k)
            return abs(quote * deal.price_factor - float(row.price))

        return min(fits, key=off)

    def _delivered(self, c: str, k: int, s: str, t: Quarter) -> float:
        first, _, tier = self._signed.get((c, s), (t + 1, 0.0, k))
        return float(tier == k and first <= t)

    def _size(self, c: str, k: int, s: str, t: Quarter) -> float:
        return self._signed[c, s][1] if self._delivered(c, k, s, t) else 0.0

    # ---- machines -------------------------------------------------------------------------------------------------

    @cached_property
    def _installed(self) -> dict[tuple[Any, ...], float]:
        rows = self.plan.allocation[self.plan.allocation["use"].isin(["mining", "machines_idle"])]
        sums = rows.groupby(["detail", "site", "quarter"])["gross_mw"].sum()
        return {(str(a), str(s), Quarter.parse(str(t))): float(mw) for (a, s, t), mw in sums.items()}

    @cached_property
    def _traded(self) -> Mapping[str, dict[tuple[Any, ...], float]]:
        table = self.plan.machines
        keys = list(zip(table["asic"], table["site"], map(Quarter.parse, table["quarter"]), strict=True))
        columns = ("bought_gross_mw", "arrived_gross_mw", "moved_away_gross_mw")
        return {column: dict(zip(keys, map(float, table[column]), strict=True)) for column in columns}

    def _moves(self) -> list[tuple[str, dict[tuple[Any, ...], float]]]:
        columns = {"going": "moved_away_gross_mw", "coming": "arrived_gross_mw", "buying": "bought_gross_mw"}
        return [(component, self._traded[column]) for component, column in columns.items()]


def held(holding: Holding, compiled: Compiled) -> Compiled:
    """The program with a plan's here-and-now decisions held; what is rounded in its tables is brought within bounds."""
    places = kept_columns(compiled)
    numbers = holding.vector(compiled)[places]
    inside = np.clip(numbers, compiled.program.lower[places], compiled.program.upper[places])
    return bounded(compiled, places, inside)
