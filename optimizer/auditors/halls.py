"""Conversions: blocks, their megawatts and quarters, GPUs and their successors, capex, what is left of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimizer.auditors.books import ONE, ZERO, Books, Row, decimal
from optimizer.auditors.inputs import Inputs
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import A_FEW_DIGITS
from optimizer.case.schema import Option
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True)
class Batch:
    """Blocks of one option that start in one quarter; `renewed[i]` of them get their i-th new GPUs."""

    inputs: Inputs
    option: Option
    start: Quarter
    blocks: Decimal
    renewed: dict[int, Decimal]

    @property
    def handover(self) -> Quarter:
        """The first quarter in which the blocks take their megawatts from mining."""
        return self.start + self.option.mining_stops_quarters

    @property
    def service(self) -> Quarter:
        return self.start + self.option.lead_quarters

    @property
    def gross_mw(self) -> Decimal:
        return self.blocks * decimal(self.option.block_gross_mw)

    @property
    def it_mw_per_block(self) -> Decimal:
        return decimal(self.option.block_gross_mw) / decimal(self.option.design_ratio)

    @property
    def it_mw(self) -> Decimal:
        return self.blocks * self.it_mw_per_block

    @property
    def facility_musd(self) -> Decimal:
        level = self.inputs.case.settings.capex_level
        return self.it_mw * decimal(getattr(self.option, f"facility_{level}_musd_per_it_mw"))

    @property
    def gpu_musd(self) -> Decimal:
        """Capex of the first GPUs."""
        return self.it_mw * decimal(self.option.gpu_musd_per_it_mw)

    @property
    def life(self) -> Any:
        """The row of `gpu_lives`, or None where GPUs serve for good."""
        return self.inputs.row("gpu_lives", self.option.option)

    def end_of_life(self, generation: int) -> Quarter:
        """The quarter in which the GPUs of a generation, counted from 1, are no longer there."""
        quarters: int = generation * self.life.life_quarters
        return self.service + quarters

    def serving(self, generation: int) -> Decimal:
        """Blocks that have GPUs of a generation, counted from 1."""
        return self.blocks if generation == 1 else self.renewed.get(generation - 1, ZERO)

    def generation(self, quarter: Quarter) -> int:
        """Which GPUs serve in a quarter of service, counted from 1."""
        return 1 if self.life is None else 1 + (quarter - self.service) // self.life.life_quarters

    def in_service(self, quarter: Quarter) -> dict[str, Decimal]:
        """Blocks in service by product: those whose GPUs are gone are let as another product, where there is one."""
        product = self.option.product
        if quarter < self.service:
            return {}
        if self.life is None or self.life.relet_product is None:
            return {product: self.blocks}
        alive = self.serving(self.generation(quarter))
        blocks = {product: alive}
        blocks[self.life.relet_product] = blocks.get(self.life.relet_product, ZERO) + self.blocks - alive
        return {name: count for name, count in blocks.items() if count}

    def usable_it_mw(self, quarter: Quarter, product: str) -> Decimal:
        """IT MW that can be sold as a product: by the hall's ramp while its GPUs live, all of it where it is relet."""
        if quarter < self.service:
            return ZERO
        alive, usable = self.serving(self.generation(quarter)), ZERO
        if product == self.option.product:
            first = self.generation(quarter) == 1
            ramp = self.inputs.ramped(self.option.ramp, quarter - self.service) if first else ONE
            usable += ramp * alive * self.it_mw_per_block
        if self.life is not None and product == self.life.relet_product:
            usable += (self.blocks - alive) * self.it_mw_per_block
        return usable

    @property
    def products(self) -> tuple[str, ...]:
        """What it is sold as, GPUs' end included."""
        relet = None if self.life is None else self.life.relet_product
        return tuple(dict.fromkeys(name for name in (self.option.product, relet) if name is not None))

    @property
    def settled(self) -> Quarter:
        """The first quarter from which on its usable capacity stays as it is."""
        ramped: Quarter = self.service + len(self.inputs.profile(self.option.ramp))
        return ramped if self.life is None else max(ramped, self.end_of_life(1 + max(self.renewed, default=0)))


def batches(books: Books) -> list[Batch]:
    """The plan's starts, those of the same option and quarter together."""
    blocks: dict[tuple[str, Quarter], Decimal] = {}
    for row in books.table("starts"):
        key = row["option"], row["start_quarter"]
        blocks[key] = blocks.get(key, ZERO) + row["blocks"]
    found = []
    for (name, start), count in blocks.items():
        option = books.inputs.row("options", name)
        found.append(Batch(books.inputs, option, start, count, _renewals(books, name, start)))
    return found


def _renewals(books: Books, option: str, start: Quarter) -> dict[int, Decimal]:
    """Blocks renewed by how often they have been; quarters at which no GPUs end are told by the checks."""
    life = books.inputs.row("gpu_lives", option)
    renewed: dict[int, Decimal] = {}
    for row in books.table("refreshes"):
        if life is not None and (row["option"], row["start_quarter"]) == (option, start):
            age = row["refresh_quarter"] - start - books.inputs.row("options", option).lead_quarters
            if age > 0 and age % life.life_quarters == 0:
                renewed[age // life.life_quarters] = row["blocks"]
    return renewed


def product_mw(found: list[Batch], site: str, product: str, quarter: Quarter) -> tuple[Decimal, Decimal]:
    """IT MW of a site and product that are in service, and that are usable, in a quarter."""
    here = [batch for batch in found if batch.option.site == site]
    service = sum((b.in_service(quarter).get(product, ZERO) * b.it_mw_per_block for b in here), ZERO)
    return service, sum((b.usable_it_mw(quarter, product) for b in here), ZERO)


# ---- money -------------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    """Capex as it is paid, GPUs bought again and sold, mobilisation, refits, and what usable capacity is worth."""
    found = batches(books)
    for batch in found:
        option = batch.option
        for quarter, line, musd in _spending(batch):
            books.record(line, quarter, musd, option.product, option.site, option.option)
        for quarter, musd in _refits(batch):
            books.record("facility_capex", quarter, musd, batch.life.relet_product, option.site, option.option)
        _record_residual(books, batch)
    for name in dict.fromkeys(batch.option.option for batch in found):
        option = books.inputs.row("options", name)
        first = min(batch.start for batch in found if batch.option.option == name)
        books.record("mobilisation", first, -decimal(option.mobilisation_musd), option.product, option.site, name)


def _spending(batch: Batch) -> Iterator[tuple[Quarter, str, Decimal]]:
    inputs, option = batch.inputs, batch.option
    deposits = inputs.rows_of("deposits", "option", option.option)
    later = 1 - sum((decimal(row.share) for row in deposits), ZERO)
    for row in deposits:
        yield batch.start - row.quarters_before, "facility_capex", -batch.facility_musd * decimal(row.share)
    for step, share in enumerate(inputs.profile(option.facility_curve)):
        yield batch.start + step, "facility_capex", -batch.facility_musd * later * share
    for step, share in enumerate(inputs.profile(option.gpu_curve)):
        yield batch.start + step, "gpu_capex", -batch.gpu_musd * share
    if batch.life is not None:
        yield from _generations(batch)


def _generations(batch: Batch) -> Iterator[tuple[Quarter, str, Decimal]]:
    """At each end of life the GPUs that served are sold, and those that follow are paid for."""
    life, option = batch.life, batch.option
    generation = 1
    while batch.serving(generation):
        quarter = batch.end_of_life(generation)
        cost = option.gpu_musd_per_it_mw if generation == 1 else life.refresh_musd_per_it_mw
        sold = batch.serving(generation) * batch.it_mw_per_block * decimal(cost)
        yield quarter, "gpu_sales", sold * decimal(life.residual_share)
        bought = batch.serving(generation + 1) * batch.it_mw_per_block * decimal(life.refresh_musd_per_it_mw)
        yield quarter, "gpu_capex", -bought
        generation += 1


def _refits(batch: Batch) -> Iterator[tuple[Quarter, Decimal]]:
    """What it costs to let halls as another product, in the first quarter without their GPUs."""
    generation = 1
    while batch.life is not None and batch.life.relet_product is not None and batch.serving(generation):
        emptied = batch.serving(generation) - batch.serving(generation + 1)
        cost = decimal(batch.life.refit_musd_per_it_mw)
        yield batch.end_of_life(generation), -emptied * batch.it_mw_per_block * cost
        generation += 1


def _record_residual(books: Books, batch: Batch) -> None:
    """Capacity usable in the quarter after the horizon, and each step of it up or down after that, at its residual.

    Contracts take back what they hold.
    """
    option, end = batch.option, books.case.last + 1
    for product in batch.products:
        before = ZERO
        for t in range(end, max(end, batch.settled) + 1):
            quarter = Quarter(t)
            step = batch.usable_it_mw(quarter, product) - before
            before += step
            if step:
                musd = step * books.inputs.residual_musd_per_it_mw(product, quarter)
                books.record_residual(musd, product, option.site, option.option, quarter)


# ---- rules -------------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    found = batches(books)
    yield _whole_blocks(books)
    yield _starts_follow(books)
    yield _most_blocks(books, found)
    yield from _new_starts(books)
    yield _committed(books)
    yield from _refreshes(books, found)


def _where(row: Row) -> str:
    return f"{row['option']} in {row['start_quarter']}"


def _whole_blocks(books: Books) -> Check:
    tally = Tally("domain", "whole_blocks", "Blocks are started and renewed whole, one or more.", "blocks", ZERO)
    for name in ("starts", "refreshes"):
        for row in books.table(name):
            blocks = row["blocks"]
            tally.equal(f"{name}: {_where(row)}", blocks, blocks.to_integral_value())
            tally.at_least(f"{name}: {_where(row)}", blocks, Decimal(1))
    return tally.check()


def _starts_follow(books: Books) -> Check:
    tally = Tally(
        "rules", "starts_table",
        "Megawatts, quarters and capex of a start follow from its blocks and its option.",
        "MW, quarters or $M", A_FEW_DIGITS,
    )  # fmt: skip
    for row in books.table("starts"):
        option = books.inputs.row("options", row["option"])
        batch = Batch(books.inputs, option, row["start_quarter"], row["blocks"], {})
        tally.holds(f"{_where(row)}: site {row['site']}", row["site"] == option.site)
        tally.holds(f"{_where(row)}: product {row['product']}", row["product"] == option.product)
        tally.same(f"{_where(row)}: hand-over", row["handover_quarter"], batch.handover)
        tally.same(f"{_where(row)}: service", row["service_quarter"], batch.service)
        tally.equal(f"{_where(row)}: gross MW", row["gross_mw"], batch.gross_mw)
        tally.equal(f"{_where(row)}: IT MW", row["it_mw"], batch.it_mw)
        tally.equal(f"{_where(row)}: facility capex", row["facility_capex_musd"], batch.facility_musd)
        tally.equal(f"{_where(row)}: GPU capex", row["gpu_capex_musd"], batch.gpu_musd)
    return tally.check()


def _most_blocks(books: Books, found: list[Batch]) -> Check:
    tally = Tally("rules", "blocks", "An option is used for no more blocks than it has.", "blocks", ZERO)
    for option in books.case.rows("options"):
        started = sum((b.blocks for b in found if b.option is option), ZERO)
        tally.at_most(option.option, started, Decimal(option.max_blocks))
    return tally.check()


def _new_starts(books: Books) -> Iterator[Check]:
    """What a start that is not committed must keep."""
    able = Tally(
        "rules", "eligible_sites",
        "Conversions stand where power is firm, fibre good and cooling dense enough.", "so or not", ZERO,
    )  # fmt: skip
    early = Tally("rules", "earliest_start", "No work starts before the option's earliest quarter.", "quarters", ZERO)
    ahead = Tally(
        "rules", "deposits_in_time",
        "What is ordered ahead of a new start is ordered within the horizon.", "quarters", ZERO,
    )  # fmt: skip
    late = Tally("rules", "service_in_horizon", "New capacity comes into service within the horizon.", "quarters", ZERO)
    for row in (row for row in books.table("starts") if row["decided"] == "new"):
        option = books.inputs.row("options", row["option"])
        site = books.inputs.row("sites", option.site)
        fit = site.firm_power and site.fibre and option.rack_kw <= site.max_rack_kw
        able.holds(_where(row), fit and books.builds)
        start = row["start_quarter"]
        early.at_least(option.option, Decimal(start), Decimal(max(option.earliest, books.case.first)), start)
        deposits = books.inputs.rows_of("deposits", "option", option.option)
        before = max((deposit.quarters_before for deposit in deposits), default=0)
        ahead.at_least(option.option, Decimal(start - before), Decimal(books.case.first), start)
        late.at_most(option.option, Decimal(start + option.lead_quarters), Decimal(books.case.last), start)
    for tally in (able, early, ahead, late):
        yield tally.check()


def _committed(books: Books) -> Check:
    tally = Tally(
        "rules", "committed_starts",
        "Conversions already decided are there, block for block, and no others.", "blocks", ZERO,
    )  # fmt: skip
    stated = {
        (row["option"], row["start_quarter"]): row["blocks"]
        for row in books.table("starts")
        if row["decided"] == "committed"
    }
    given = {(row.option, row.quarter): Decimal(row.blocks) for row in books.case.rows("committed_starts")}
    for key in {**given, **stated}:
        tally.equal(f"{key[0]} in {key[1]}", stated.get(key, ZERO), given.get(key, ZERO))
    return tally.check()


def _refreshes(books: Books, found: list[Batch]) -> Iterator[Check]:
    when = Tally(
        "rules", "refresh_quarters",
        "GPUs are replaced in the quarter in which the old ones end, within the horizon, where they can be.",
        "so or not", ZERO,
    )  # fmt: skip
    follow = Tally("rules", "refreshes_table", "Renewed IT MW follow from the blocks renewed.", "IT MW", A_FEW_DIGITS)
    by_start = {(batch.option.option, batch.start): batch for batch in found}
    for row in books.table("refreshes"):
        where = f"{row['option']} of {row['start_quarter']} in {row['refresh_quarter']}"
        batch = by_start.get((row["option"], row["start_quarter"]))
        when.holds(where, batch is not None and _may_be_renewed(books, batch, row["refresh_quarter"]))
        if batch is not None:
            follow.equal(where, row["it_mw"], row["blocks"] * batch.it_mw_per_block)
            when.holds(f"{where}: site {row['site']}", row["site"] == batch.option.site)
    yield when.check()
    yield follow.check()
    fewer = Tally("rules", "refreshes", "No more blocks get new GPUs than had GPUs until then.", "blocks", ZERO)
    for batch in found:
        for i, blocks in batch.renewed.items():
            fewer.at_most(f"{batch.option.option} of {batch.start}, {i} times", blocks, batch.serving(i))
    yield fewer.check()


def _may_be_renewed(books: Books, batch: Batch, quarter: Quarter) -> bool:
    life, age = batch.life, quarter - batch.service
    if life is None or life.refresh_musd_per_it_mw is None or not books.case.first <= quarter <= books.case.last:
        return False
    return bool(age > 0 and age % life.life_quarters == 0)
