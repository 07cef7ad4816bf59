"""Machines: what is installed where, and what was bought, moved, sold and retired on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from optimizer.auditors.books import Books, Flow, Row
from optimizer.auditors.hashprice import hashprice_ahead, th_per_gross_mw
from optimizer.auditors.inputs import MILLION, ONE, QUARTERS, ZERO, Inputs, decimal, power
from optimizer.auditors.lines import MINING, RESIDUAL
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import A_FEW_DIGITS, WATT
from optimizer.ground.quarters import Quarter

Place = tuple[str, str, Quarter]
"""A site, a class of machines, a quarter."""
Installed = Mapping[Place, Decimal]

RUNNING, IDLE = "mining", "machines_idle"
BOUGHT, ARRIVED, MOVED = "bought_gross_mw", "arrived_gross_mw", "moved_away_gross_mw"
SOLD, RETIRED = "sold_gross_mw", "retired_gross_mw"
MOVEMENTS = (BOUGHT, ARRIVED, MOVED, SOLD, RETIRED)


# ---- what the plan says ------------------------------------------------------------------------------------


def installed(books: Books, uses: tuple[str, ...] = (RUNNING, IDLE)) -> dict[Place, Decimal]:
    """Gross MW of machines by site, class and quarter, as the plan allocates them."""
    megawatts: dict[Place, Decimal] = {}
    for row in books.table("allocation"):
        if row["use"] in uses:
            place = row["site"], row["detail"], row["quarter"]
            megawatts[place] = megawatts.get(place, ZERO) + row["gross_mw"]
    return megawatts


def movements(books: Books) -> dict[Place, Row]:
    """The rows of the plan's table of machines."""
    return {(row["site"], row["asic"], row["quarter"]): row for row in books.table("machines")}


# ---- what the case says ------------------------------------------------------------------------------------


def fit_until(asic: Any) -> Quarter | None:
    """The last quarter in which a class may run: the earlier of its retirement and the end of its life."""
    ends = [] if asic.retires_after is None else [asic.retires_after]
    if asic.bought is not None and asic.life_quarters is not None:
        ends.append(asic.bought + (asic.life_quarters - 1))
    return min(ends, default=None)


def fit(asic: Any, quarter: Quarter) -> bool:
    end = fit_until(asic)
    return end is None or quarter <= end


def opening_gross_mw(inputs: Inputs, site: str, asic: Any) -> Decimal:
    """Machines of a class at a site before the first quarter; units by their hash, efficiency and overhead."""
    row = inputs.row("fleet", site, asic.asic)
    if row is None:
        return ZERO
    if row.gross_mw is not None:
        return decimal(row.gross_mw)
    return decimal(row.units) * decimal(asic.th_per_unit) / th_per_gross_mw(asic)


def resale_musd(inputs: Inputs, asic: Any, quarter: Quarter) -> Decimal:
    """What a gross MW sells for: follows hashprice to come, loses value with age; nothing without a market."""
    market = inputs.row("machine_markets", asic.asic)
    if market is None:
        return ZERO
    age = Decimal(quarter - inputs.case.first) / QUARTERS
    decline = power(ONE - decimal(market.yearly_decline), age)
    return decimal(market.resale_usd_per_th) * decline * _price_of_hash(inputs, asic, quarter)


def purchase_musd(inputs: Inputs, asic: Any, quarter: Quarter) -> Decimal:
    """What a gross MW costs when ordered."""
    market = inputs.row("machine_markets", asic.asic)
    return decimal(market and market.purchase_usd_per_th) * _price_of_hash(inputs, asic, quarter)


def _price_of_hash(inputs: Inputs, asic: Any, quarter: Quarter) -> Decimal:
    """$M of a gross MW for each $ per TH at the reference hashprice; buyers know what hashprice is to come."""
    market = inputs.row("machine_markets", asic.asic)
    if market is None:
        return ZERO
    elasticity = decimal(market.elasticity)
    change = hashprice_ahead(inputs, quarter) / decimal(market.reference_hashprice_usd_per_ph_day)
    follows = ONE if elasticity == ZERO else power(change, elasticity)
    return th_per_gross_mw(asic) / MILLION * follows


# ---- money -------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    """Machines bought, moved and sold; those installed at the end are worth their residual on the day after."""
    inputs = books.inputs
    for (site, name, quarter), row in movements(books).items():
        asic = inputs.row("asics", name)
        market = inputs.row("machine_markets", name)
        if row[MOVED]:
            cost = decimal(market and market.moving_cost_musd_per_gross_mw)
            books.record("mining_moves", quarter, -cost * row[MOVED], MINING, site, name)
        if row[BOUGHT]:
            paid = purchase_musd(inputs, asic, quarter) * row[BOUGHT]
            books.record("machine_purchases", quarter, -paid, MINING, site, name)
        if row[SOLD]:
            books.record("machine_sales", quarter, resale_musd(inputs, asic, quarter) * row[SOLD], MINING, site, name)
    _record_residual(books)


def _record_residual(books: Books) -> None:
    after = books.case.last + 1
    factor = books.factor(books.rate(MINING), after, at_start=True)
    for (site, name, quarter), gross_mw in installed(books).items():
        if quarter == books.case.last:
            asic = books.inputs.row("asics", name)
            musd = decimal(asic.residual_usd_per_th) * th_per_gross_mw(asic) * gross_mw / MILLION
            if musd:
                books.flows.append(Flow(after, RESIDUAL, MINING, site, name, musd, factor))


# ---- rules -------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    yield _form(books)
    yield _roll_forward(books)
    yield _moves_arrive(books)
    yield _moves_allowed(books)
    yield _purchases_allowed(books)
    yield _leaving(books)
    yield _market_takes(books)
    yield _installed_fit(books)


def _form(books: Books) -> Check:
    tally = Tally(
        "domain",
        "machine_rows",
        "Each row of machines names a site, a class and a quarter of the case once; no movement is negative.",
        "rows",
        ZERO,
    )
    inputs, horizon = books.inputs, set(books.case.horizon)
    rows = books.table("machines")
    seen = Counter((row["site"], row["asic"], row["quarter"]) for row in rows)
    for (site, asic, quarter), times in seen.items():
        where = f"{asic} at {site} in {quarter}"
        known = inputs.row("sites", site) is not None and inputs.row("asics", asic) is not None and quarter in horizon
        tally.holds(where, known and times == 1)
    for row in rows:
        where = f"{row['asic']} at {row['site']} in {row['quarter']}"
        tally.holds(where, all(row[name] >= 0 for name in MOVEMENTS))
        tally.holds(f"{where}, scenario", row["scenario"] == books.scenario)
    return tally.check()


def _roll_forward(books: Books) -> Check:
    tally = Tally(
        "roll-forward",
        "machines_roll_forward",
        "Machines before, plus bought and delivered, plus arrived, less moved away, sold and retired, are those after.",
        "gross MW",
        A_FEW_DIGITS,
    )
    inputs, now, moved = books.inputs, installed(books), movements(books)
    for asic in books.case.rows("asics"):
        market = inputs.row("machine_markets", asic.asic)
        wait = 0 if market is None else market.delivery_quarters
        for site in books.case.rows("sites"):
            before = opening_gross_mw(inputs, site.site, asic)
            for quarter in books.case.horizon:
                row = moved.get((site.site, asic.asic, quarter))
                ordered = moved.get((site.site, asic.asic, quarter - wait))
                after = before + (ordered[BOUGHT] if ordered else ZERO)
                after += row[ARRIVED] - row[MOVED] - row[SOLD] - row[RETIRED] if row else ZERO
                stated = now.get((site.site, asic.asic, quarter), ZERO)
                tally.equal(f"{asic.asic} at {site.site} in {quarter}", stated, after)
                before = stated
    return tally.check()


def _moves_arrive(books: Books) -> Check:
    tally = Tally(
        "roll-forward",
        "machines_on_their_way",
        "What leaves for other sites in a quarter arrives there in the next, all of it and nothing else.",
        "gross MW",
        A_FEW_DIGITS,
    )
    left: dict[tuple[str, Quarter], Decimal] = {}
    arrived: dict[tuple[str, Quarter], Decimal] = {}
    for (_, asic, quarter), row in movements(books).items():
        left[asic, quarter + 1] = left.get((asic, quarter + 1), ZERO) + row[MOVED]
        arrived[asic, quarter] = arrived.get((asic, quarter), ZERO) + row[ARRIVED]
    tolerance = A_FEW_DIGITS * len(books.case.rows("sites"))
    for asic, quarter in left.keys() | arrived.keys():
        there = arrived.get((asic, quarter), ZERO)
        tally.equal(f"{asic} arriving in {quarter}", there, left.get((asic, quarter), ZERO), tolerance)
    return tally.check()


def _moves_allowed(books: Books) -> Check:
    tally = Tally(
        "rules",
        "machine_moves",
        "Machines move only where moving has a price, only while they are fit, and in time to arrive.",
        "gross MW",
        ZERO,
    )
    inputs, last = books.inputs, books.case.last
    for (site, name, quarter), row in movements(books).items():
        asic, market = inputs.row("asics", name), inputs.row("machine_markets", name)
        priced = market is not None and market.moving_cost_musd_per_gross_mw is not None
        leaves = books.decide and priced and fit(asic, quarter) and fit(asic, quarter + 1) and quarter < last
        comes = books.decide and priced and fit(asic, quarter) and quarter > books.case.first
        tally.at_most(f"{name} from {site} in {quarter}", ZERO if leaves else row[MOVED], ZERO)
        tally.at_most(f"{name} to {site} in {quarter}", ZERO if comes else row[ARRIVED], ZERO)
    return tally.check()


def _purchases_allowed(books: Books) -> Check:
    tally = Tally(
        "rules",
        "machine_purchases",
        "Machines are bought only where they have a price, and delivered within the horizon while they are fit.",
        "gross MW",
        ZERO,
    )
    for (site, name, quarter), row in movements(books).items():
        asic, market = books.inputs.row("asics", name), books.inputs.row("machine_markets", name)
        sold_here = books.decide and market is not None and market.purchase_usd_per_th is not None
        delivered = quarter + market.delivery_quarters if market is not None else quarter
        allowed = sold_here and delivered <= books.case.last and fit(asic, delivered)
        tally.at_most(f"{name} at {site} in {quarter}", ZERO if allowed else row[BOUGHT], ZERO)
    return tally.check()


def _leaving(books: Books) -> Check:
    tally = Tally(
        "rules",
        "machine_sales",
        "Machines with a market are sold while fit, and scrapped only where it is limited; others leave for nothing.",
        "gross MW",
        ZERO,
    )
    for (site, name, quarter), row in movements(books).items():
        asic, market = books.inputs.row("asics", name), books.inputs.row("machine_markets", name)
        sells = market is not None and fit(asic, quarter)
        scraps = not sells or market.max_sales_mw_per_quarter is not None
        tally.at_most(f"{name} sold at {site} in {quarter}", ZERO if sells else row[SOLD], ZERO)
        tally.at_most(f"{name} retired at {site} in {quarter}", ZERO if scraps else row[RETIRED], ZERO)
    return tally.check()


def _market_takes(books: Books) -> Check:
    tally = Tally(
        "rules",
        "machine_sales_per_quarter",
        "All sites together sell no more machines of a class in a quarter than its market takes.",
        "gross MW",
        WATT,
    )
    sold: dict[tuple[str, Quarter], Decimal] = {}
    for (_, name, quarter), row in movements(books).items():
        sold[name, quarter] = sold.get((name, quarter), ZERO) + row[SOLD]
    for (name, quarter), gross_mw in sold.items():
        market = books.inputs.row("machine_markets", name)
        if market is not None and market.max_sales_mw_per_quarter is not None:
            tally.at_most(name, gross_mw, decimal(market.max_sales_mw_per_quarter), quarter)
    return tally.check()


def _installed_fit(books: Books) -> Check:
    tally = Tally(
        "rules",
        "machine_lives",
        "A machine past its last quarter is installed nowhere.",
        "gross MW",
        ZERO,
    )
    for (site, name, quarter), gross_mw in installed(books).items():
        asic = books.inputs.row("asics", name)
        tally.at_most(f"{name} at {site} in {quarter}", ZERO if fit(asic, quarter) else gross_mw, ZERO)
    return tally.check()
