"""Halls: construction starts and what they take, cost and serve; GPUs that age, die and are refreshed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oracle_future import Future, share_at
from oracle_program import FIXED, Program, total

from optimizer.case.case import Case
from optimizer.case.schema import Option, UseLimit
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True)
class Start:
    """Blocks of an option whose construction starts in a quarter, committed ones included."""

    option: str
    quarter: Quarter
    blocks: int


Starts = tuple[Start, ...]


def block_it_mw(option: Option) -> float:
    return option.block_gross_mw / option.design_ratio


def site_limit(case: Case, site: str, t: Quarter) -> float:
    steps = [row for row in case.site_limits if row.site == site and row.from_quarter <= t]
    return max(steps, key=lambda row: row.from_quarter).limit_gross_mw


def handed_over_gross_mw(case: Case, starts: Starts, site: str, t: Quarter) -> float:
    """Gross MW that blocks have taken from the site's limit."""
    taken = 0.0
    for start in starts:
        option = case.option[start.option]
        if option.site == site and start.quarter + option.mining_stops_quarters <= t:
            taken += start.blocks * option.block_gross_mw
    return taken


def under_construction(case: Case, starts: Starts, t: Quarter) -> tuple[int, float]:
    """Blocks and IT MW that are being built in a quarter, all sites together."""
    building = [s for s in starts if s.quarter <= t < s.quarter + case.option[s.option].lead_quarters]
    blocks = sum(start.blocks for start in building)
    return blocks, sum(start.blocks * block_it_mw(case.option[start.option]) for start in building)


# ---- money ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outlay:
    """$M of capex of an option in a quarter."""

    line: str
    option: Option
    quarter: Quarter
    musd: float


def outlays(case: Case, starts: Starts) -> Iterator[Outlay]:
    """Capex within the horizon, refreshes aside; what was spent before it is sunk."""
    for outlay in all_outlays(case, starts):
        if case.first <= outlay.quarter <= case.last:
            yield outlay


def all_outlays(case: Case, starts: Starts) -> Iterator[Outlay]:
    for start in starts:
        option = case.option[start.option]
        it_mw = start.blocks * block_it_mw(option)
        facility = it_mw * getattr(option, f"facility_{case.settings.capex_level}_musd_per_it_mw")
        left = 1.0
        for deposit in case.rows("deposits"):
            if deposit.option == start.option:
                yield Outlay(
                    "facility_capex", option, start.quarter - deposit.quarters_before, deposit.share * facility
                )
                left -= deposit.share
        for k, share in enumerate(case.profile[option.facility_curve]):
            yield Outlay("facility_capex", option, start.quarter + k, left * share * facility)
        for k, share in enumerate(case.profile[option.gpu_curve]):
            yield Outlay("gpu_capex", option, start.quarter + k, share * it_mw * option.gpu_musd_per_it_mw)
    for name in {start.option for start in starts}:
        first = min(start.quarter for start in starts if start.option == name)
        yield Outlay("mobilisation", case.option[name], first, case.option[name].mobilisation_musd)


def capex(case: Case, starts: Starts) -> dict[Quarter, float]:
    """$M by quarter, within the horizon."""
    spent: dict[Quarter, float] = {}
    for outlay in outlays(case, starts):
        spent[outlay.quarter] = spent.get(outlay.quarter, 0.0) + outlay.musd
    return spent


def deposit_quarters(case: Case, option: str) -> int:
    """How many quarters before a start its first deposit is due."""
    return max((row.quarters_before for row in case.rows("deposits") if row.option == option), default=0)


# ---- GPUs ----------------------------------------------------------------------------------------


def gpu_life(case: Case, option: str) -> Any | None:
    return next((row for row in case.rows("gpu_lives") if row.option == option), None)


@dataclass(frozen=True)
class Relet:
    """Blocks of a start that have no GPUs any more from a quarter on and are let as another product, as columns."""

    start: Start
    product: str
    since: Quarter
    blocks: dict[int, float]


class Halls:
    """The IT MW that a set of starts can let, with a column for each refresh that may be bought."""

    def __init__(self, program: Program, future: Future, starts: Starts, *, decide: bool):
        self.program = program
        self.future = future
        self.case = future.case
        self.starts = starts
        self.refreshed: dict[tuple[Start, int], int] = {}
        self.relet: list[Relet] = []
        self._book_capex()
        for start in starts:
            self._add_gpus(start, decide=decide)

    def _book_capex(self) -> None:
        for outlay in outlays(self.case, self.starts):
            option = outlay.option
            self.program.book(outlay.line, outlay.quarter, {FIXED: -outlay.musd}, option.product, option.site)

    def _add_gpus(self, start: Start, *, decide: bool) -> None:
        """GPUs are sold at the end of their life; new ones may take their place if that lies in the horizon."""
        case, option, row = self.case, self.case.option[start.option], gpu_life(self.case, start.option)
        if row is None:
            return
        it_mw = block_it_mw(option)
        end = start.quarter + option.lead_quarters + row.life_quarters
        sold = row.residual_share * option.gpu_musd_per_it_mw * it_mw
        self.program.book("gpu_sales", end, {FIXED: sold * start.blocks}, option.product, option.site)
        before: dict[int, float] = {FIXED: float(start.blocks)}
        i = 1
        while row.refresh_musd_per_it_mw is not None and case.first <= end <= case.last:
            column = self.program.column(0, start.blocks, whole=True, word="gpus refreshed")
            self.program.now.append(column)
            self.refreshed[start, i] = column
            self.program.at_most({column: 1.0} | {c: -value for c, value in before.items()}, 0.0)
            cost = row.refresh_musd_per_it_mw * it_mw
            self.program.book("gpu_capex", end, {column: -cost}, option.product, option.site)
            self._relet(start, end, total([before, {column: -1.0}]))
            end = end + row.life_quarters
            self.program.book("gpu_sales", end, {column: row.residual_share * cost}, option.product, option.site)
            before = {column: 1.0}
            i += 1
        self._relet(start, end, before)

    def _relet(self, start: Start, t: Quarter, blocks: dict[int, float]) -> None:
        """Blocks without GPUs from a quarter on: refitted, and let as another product for good, if that is planned."""
        option, row = self.case.option[start.option], gpu_life(self.case, start.option)
        if row is None or row.relet_product is None:
            return
        it_mw = block_it_mw(option)
        refit = total([blocks], -row.refit_musd_per_it_mw * it_mw)
        self.program.book("facility_capex", t, refit, row.relet_product, option.site)
        self.program.add("line", "hall relet", self.case.first, FIXED, it_mw if t <= self.case.last else 0.0)
        self.relet.append(Relet(start, row.relet_product, t, blocks))

    def usable(self, site: str, product: str, t: Quarter) -> dict[int, float]:
        """IT MW that can be let: blocks in service times the hall ramp, while their GPUs live; halls without them."""
        here = [s for s in self.starts if (self.option(s).site, self.option(s).product) == (site, product)]
        without = [
            total([hall.blocks], block_it_mw(self.option(hall.start))) for hall in self.relet_to(site, product, t)
        ]
        return total([*(self._usable_of(start, t) for start in here), *without])

    def relet_to(self, site: str, product: str, t: Quarter) -> list[Relet]:
        """What has lost its GPUs by a quarter and is let as a product since, at a site or anywhere (`*`)."""
        return [
            hall
            for hall in self.relet
            if hall.product == product and site in ("*", self.option(hall.start).site) and hall.since <= t
        ]

    def in_service(self, limit: UseLimit, t: Quarter) -> dict[int, float]:
        """What a floor or ceiling on a product counts: full blocks in service as it, gross or IT MW."""

        def size(start: Start) -> float:
            option = self.option(start)
            return option.block_gross_mw if limit.basis == "gross_mw" else block_it_mw(option)

        parts = [total([hall.blocks], size(hall.start)) for hall in self.relet_to(limit.site, limit.use, t)]
        for start in self.starts:
            option = self.option(start)
            if option.product != limit.use or limit.site not in ("*", option.site):
                continue
            if start.quarter + option.lead_quarters <= t:
                parts.append({FIXED: start.blocks * size(start)})
                gone = [hall.blocks for hall in self.relet if hall.start == start and hall.since <= t]
                parts.append(total(gone, -size(start)))
        return total(parts)

    def option(self, start: Start) -> Option:
        return self.case.option[start.option]

    def settled_from(self) -> Quarter:
        """A quarter from which on nothing changes in what is usable."""
        ends = [self.case.last + 1]
        for start in self.starts:
            service = start.quarter + self.option(start).lead_quarters
            ends.append(service + len(self.case.profile[self.option(start).ramp]))
            row = gpu_life(self.case, start.option)
            if row is not None:
                lives = 1 + sum(1 for s, _ in self.refreshed if s == start)
                ends.append(service + lives * row.life_quarters)
        return max(ends)

    def _usable_of(self, start: Start, t: Quarter) -> dict[int, float]:
        generation, share = alive(self.case, start, t)
        it_mw = block_it_mw(self.case.option[start.option])
        if generation == 0:
            return {FIXED: start.blocks * it_mw * share}
        column = self.refreshed.get((start, generation))
        return {} if column is None else {column: it_mw * share}


def alive(case: Case, start: Start, t: Quarter) -> tuple[int, float]:
    """Which generation of GPUs would serve in a quarter (0: the first), and the usable share of the hall."""
    option, row = case.option[start.option], gpu_life(case, start.option)
    age = t - (start.quarter + option.lead_quarters)
    if row is None or age < row.life_quarters:
        return 0, share_at(case.profile[option.ramp], age)
    return age // row.life_quarters, 1.0


def most_usable_it_mw(case: Case, starts: Starts, site: str, product: str, t: Quarter) -> float:
    """IT MW that could be let if all GPUs were refreshed for ever, and all halls relet that can be."""
    most = 0.0
    for start in starts:
        option, row = case.option[start.option], gpu_life(case, start.option)
        it_mw = start.blocks * block_it_mw(option)
        generation, share = alive(case, start, t)
        if (option.site, option.product) == (site, product):
            most += it_mw * share
        elif row is not None and (option.site, row.relet_product) == (site, product) and generation > 0:
            most += it_mw
    return most
