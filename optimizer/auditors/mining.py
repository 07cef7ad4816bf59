"""Mining: machines run where that pays, on the grid or on a site's own plant; what they earn, burn and mine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from optimizer.auditors import ratchets
from optimizer.auditors.books import Books, Row
from optimizer.auditors.hashprice import btc_usd, earned_usd_per_mwh, grid_hours, interruptible_musd, wanted_hours
from optimizer.auditors.inputs import MILLION, QUARTERS, ZERO, Inputs, decimal
from optimizer.auditors.lines import MINING
from optimizer.auditors.machines import RUNNING, Place, fit, installed
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import A_FEW_DIGITS, EVEN, LAST_DIGIT, WATT
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True, slots=True)
class PerMw:
    """What one gross MW of a class earns and pays at a site in a quarter, $M, on the grid and on the site's plant."""

    grid_revenue: Decimal
    interruptible: Decimal
    grid_power: Decimal
    plant_revenue: Decimal
    plant_power: Decimal
    site_cost: Decimal
    share_of_hours: Decimal
    may_run: bool

    @property
    def margin(self) -> Decimal:
        """Of running on the grid; site cost goes on either way."""
        return self.grid_revenue + self.interruptible - self.grid_power


@dataclass(frozen=True, slots=True)
class Machines:
    """Machines of a class at a site in a quarter: gross MW installed, running, and of these on the site's own plant."""

    site: str
    asic: str
    quarter: Quarter
    installed: Decimal
    running: Decimal
    on_plant: Decimal
    per_mw: PerMw

    @property
    def on_grid(self) -> Decimal:
        return self.running - self.on_plant

    @property
    def revenue(self) -> Decimal:
        return self.on_grid * self.per_mw.grid_revenue + self.on_plant * self.per_mw.plant_revenue

    @property
    def power(self) -> Decimal:
        return self.on_grid * self.per_mw.grid_power + self.on_plant * self.per_mw.plant_power


def last_mining_quarter(inputs: Inputs, site: str) -> Quarter | None:
    """The earlier of the company's and the site's last quarter of mining; None where neither ends."""
    ends = (inputs.case.settings.mining_ends, inputs.row("sites", site).mining_ends)
    return min((end for end in ends if end is not None), default=None)


def per_mw(inputs: Inputs, site: str, asic_name: str, quarter: Quarter) -> PerMw:
    """On the grid it runs the hours that the utility feeds and that pay, on the plant all that it is wanted."""
    asic = inputs.row("asics", asic_name)
    end = last_mining_quarter(inputs, site)
    earned, wanted = earned_usd_per_mwh(inputs, asic, quarter), wanted_hours(inputs, asic, quarter)
    steps = grid_hours(inputs, asic, site, quarter)
    energy = sum((hours * price for hours, price in steps), ZERO) / MILLION
    plant = inputs.row("own_plants", inputs.scenario, site, quarter)
    return PerMw(
        grid_revenue=earned * sum((hours for hours, _ in steps), ZERO) / MILLION,
        interruptible=interruptible_musd(inputs, site, quarter),
        grid_power=energy + inputs.demand_musd_per_mw(site, quarter),
        plant_revenue=earned * wanted / MILLION,
        plant_power=ZERO if plant is None else wanted * decimal(plant.cost_usd_per_mwh) / MILLION,
        site_cost=decimal(inputs.row("sites", site).mining_cost_musd_per_gross_mw_year) / QUARTERS,
        share_of_hours=wanted / inputs.hours(quarter),
        may_run=fit(asic, quarter) and (end is None or quarter <= end),
    )


def on_own_plants(books: Books) -> dict[Place, Decimal]:
    """Gross MW on own plants by site, class and quarter, as the plan says."""
    return {
        (row["site"], row["asic"], row["quarter"]): row["on_own_plant_gross_mw"] for row in books.table("own_plants")
    }


def fleet(books: Books) -> Iterator[Machines]:
    """All machines of the plan, place by place, as its allocation and its own plants tell them."""
    all_, running, fed = installed(books), installed(books, (RUNNING,)), on_own_plants(books)
    for place, gross_mw in all_.items():
        yield Machines(*place, gross_mw, running.get(place, ZERO), fed.get(place, ZERO), per_mw(books.inputs, *place))


# ---- money -------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    """Revenue of what runs, power from grid and plant, income for being interruptible, site cost of what stands."""
    for machines in fleet(books):
        lines = {
            "mining_revenue": machines.revenue,
            "mining_power": -machines.power,
            "interruptible_income": machines.on_grid * machines.per_mw.interruptible,
            "mining_site_cost": -machines.installed * machines.per_mw.site_cost,
        }
        for line, musd in lines.items():
            if musd:
                books.record(line, machines.quarter, musd, MINING, machines.site, machines.asic)
    for (site, quarter), musd in ratchets.billed_above_musd(books).items():
        tariff = books.inputs.row("sites", site).tariff
        books.record("mining_power", quarter, -musd, MINING, site, tariff)


def btc_mined(books: Books) -> dict[Quarter, Decimal]:
    """BTC that the company keeps of what its machines mine, by quarter of the horizon."""
    mined = dict.fromkeys(books.case.horizon, ZERO)
    for quarter in mined:
        mined[quarter] = books.paid(("mining_revenue",), quarter) * MILLION / btc_usd(books.inputs, quarter)
    return mined


@dataclass(slots=True)
class MiningQuarter:
    """All machines together in a quarter, or in several: what they mine, what it costs, and what rounding may hide."""

    places: int = 0
    installed: Decimal = ZERO
    running: Decimal = ZERO
    on_plant: Decimal = ZERO
    btc: Decimal = ZERO
    direct_musd: Decimal = ZERO
    cash_musd: Decimal = ZERO
    btc_rounding: Decimal = LAST_DIGIT
    musd_rounding: Decimal = LAST_DIGIT

    def add(self, machines: Machines, btc_price_musd: Decimal) -> None:
        rates = machines.per_mw
        direct = machines.power - machines.on_grid * rates.interruptible
        self.places += 1
        self.installed += machines.installed
        self.running += machines.running
        self.on_plant += machines.on_plant
        self.btc += machines.revenue / btc_price_musd
        self.direct_musd += direct
        self.cash_musd += direct + machines.installed * rates.site_cost
        self.btc_rounding += LAST_DIGIT * (rates.grid_revenue + rates.plant_revenue) / btc_price_musd
        costs = (rates.grid_power, rates.plant_power, rates.interruptible, rates.site_cost)
        self.musd_rounding += LAST_DIGIT * (len(costs) + sum((abs(rate) for rate in costs), ZERO))

    def pay(self, musd: Decimal) -> None:
        """Add what a site's demand costs beyond what it draws."""
        self.direct_musd += musd
        self.cash_musd += musd
        self.musd_rounding += A_FEW_DIGITS


def summed(books: Books, machines: Iterable[Machines]) -> dict[Quarter, MiningQuarter]:
    """Mining by quarter of the horizon."""
    quarters = {quarter: MiningQuarter() for quarter in books.case.horizon}
    for m in machines:
        quarters[m.quarter].add(m, btc_usd(books.inputs, m.quarter) / MILLION)
    for (_, quarter), musd in ratchets.billed_above_musd(books).items():
        quarters[quarter].pay(musd)
    return quarters


# ---- rules -------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    machines = tuple(fleet(books))
    yield _runs_where_it_pays(books, machines)
    yield _mining_ends(machines)
    yield _plants_form(books)
    yield from _plants(books, machines)
    yield from _table(books, machines)


def _runs_where_it_pays(books: Books, machines: tuple[Machines, ...]) -> Check:
    """Where demand is remembered running costs later quarters too, so there it is the plan's decision."""
    tally = Tally(
        "rules",
        "runs_where_it_pays",
        "A class runs on the grid, all of it, exactly when revenue and interruptible income exceed the power bill.",
        "gross MW",
        A_FEW_DIGITS,
    )
    for m in machines:
        margin = m.per_mw.margin if m.per_mw.may_run else -m.per_mw.grid_revenue - 1
        where = f"{m.asic} at {m.site} in {m.quarter}"
        if m.per_mw.may_run and books.inputs.row("ratchets", m.site) is not None:
            tally.at_least(where, m.on_grid, ZERO)
        elif abs(margin) > EVEN * m.per_mw.grid_revenue:
            tally.equal(where, m.running, m.installed if margin > 0 else m.on_plant)
    return tally.check()


def _mining_ends(machines: tuple[Machines, ...]) -> Check:
    tally = Tally(
        "rules",
        "wind_down",
        "No machine runs after the last quarter of mining, the company's or its site's, nor past its life.",
        "gross MW",
        ZERO,
    )
    for m in machines:
        if not m.per_mw.may_run:
            tally.at_most(f"{m.asic} at {m.site} in {m.quarter}", m.running, ZERO)
    return tally.check()


def _plants_form(books: Books) -> Check:
    tally = Tally(
        "domain",
        "own_plant_rows",
        "Each row of own plants names a place with a plant and machines in a quarter of the horizon once.",
        "rows",
        ZERO,
    )
    rows, there = books.table("own_plants"), installed(books)
    seen = Counter((row["site"], row["asic"], row["quarter"]) for row in rows)
    for row in rows:
        place = row["site"], row["asic"], row["quarter"]
        where = f"{row['asic']} at {row['site']} in {row['quarter']}"
        plant = books.inputs.row("own_plants", books.scenario, row["site"], row["quarter"])
        known = plant is not None and place in there and seen[place] == 1 and row["scenario"] == books.scenario
        tally.holds(where, known and row["on_own_plant_gross_mw"] >= 0)
    return tally.check()


def _plants(books: Books, machines: tuple[Machines, ...]) -> Iterator[Check]:
    machines_fed = Tally(
        "rules",
        "own_plant_machines",
        "A plant feeds only machines that are installed beside it and may run.",
        "gross MW",
        A_FEW_DIGITS,
    )
    capacity = Tally(
        "rules",
        "own_plant_capacity",
        "Machines draw no more from a plant, on average over the quarter, than it delivers.",
        "MW",
        WATT,
    )
    drawn: dict[tuple[str, Quarter], Decimal] = {}
    for m in machines:
        if m.on_plant:
            may_run = m.running if m.per_mw.may_run else ZERO
            machines_fed.at_most(f"{m.asic} at {m.site}", m.on_plant, may_run, m.quarter)
            drawn[m.site, m.quarter] = drawn.get((m.site, m.quarter), ZERO) + m.on_plant * m.per_mw.share_of_hours
    for row in books.case.rows("own_plants"):
        if row.scenario == books.scenario:
            used = drawn.get((row.site, row.quarter), ZERO)
            capacity.at_most(row.site, used, decimal(row.capacity_mw), row.quarter)
    yield machines_fed.check()
    yield capacity.check()


def _table(books: Books, machines: tuple[Machines, ...]) -> Iterator[Check]:
    """The table of mining, column by column."""
    rows = {row["quarter"]: row for row in books.table("mining") if row["scenario"] == books.scenario}
    quarters = summed(books, machines)
    yield _table_megawatts(books, rows, quarters)
    yield _table_money(rows, quarters)
    yield _table_costs(books, rows, quarters)


def _table_megawatts(books: Books, rows: Mapping[Quarter, Row], quarters: Mapping[Quarter, MiningQuarter]) -> Check:
    tally = Tally(
        "roll-forward",
        "mining_megawatts",
        "The table of mining has a row for each quarter, with the megawatts of all sites together.",
        "gross MW",
        A_FEW_DIGITS,
    )
    stated = tuple(row["quarter"] for row in books.table("mining"))
    tally.holds("one row for each quarter", stated == books.case.horizon == tuple(rows))
    for quarter, row in rows.items():
        now = quarters[quarter]
        tolerance = LAST_DIGIT * (now.places + 1)
        tally.equal(f"installed in {quarter}", row["installed_gross_mw"], now.installed, tolerance)
        tally.equal(f"running in {quarter}", row["running_gross_mw"], now.running, tolerance)
        tally.equal(f"on own plant in {quarter}", row["on_own_plant_gross_mw"], now.on_plant, tolerance)
    return tally.check()


def _table_money(rows: Mapping[Quarter, Row], quarters: Mapping[Quarter, MiningQuarter]) -> Check:
    tally = Tally(
        "cash",
        "btc_mined",
        "BTC mined are the revenue at BTC's price; cash cost is power less interruptible income, plus site cost.",
        "BTC, $M",
        LAST_DIGIT,
    )
    for quarter, row in rows.items():
        now = quarters[quarter]
        tally.equal(f"BTC in {quarter}", row["btc_mined"], now.btc, now.btc_rounding)
        tally.equal(f"cash cost in {quarter}", row["mining_cash_cost_musd"], now.cash_musd, now.musd_rounding)
    return tally.check()


def _table_costs(books: Books, rows: Mapping[Quarter, Row], quarters: Mapping[Quarter, MiningQuarter]) -> Check:
    tally = Tally(
        "cash",
        "cost_of_btc",
        "Direct cost of a BTC is power less interruptible income; the total adds site cost and G&A; none without BTC.",
        "$",
        LAST_DIGIT,
    )
    for quarter, row in rows.items():
        now = quarters[quarter]
        company = now.cash_musd - books.paid(("g_and_a",), quarter)
        compare_cost(tally, f"direct in {quarter}", row["direct_cash_cost_usd_per_btc"], now.direct_musd, now)
        compare_cost(tally, f"total in {quarter}", row["total_cash_cost_usd_per_btc"], company, now)
    return tally.check()


def compare_cost(tally: Tally, where: str, stated: Decimal, musd: Decimal, now: MiningQuarter) -> None:
    """A quotient of two numbers that may each be rounded; a blank where nothing is mined."""
    if now.btc <= now.btc_rounding:
        tally.holds(f"{where}, blank", now.btc > 0 or stated.is_nan())
    elif stated.is_nan():
        tally.holds(f"{where}, missing", False)
    else:
        per_btc = musd * MILLION / now.btc
        rounding = (now.musd_rounding * MILLION + abs(per_btc) * now.btc_rounding) / now.btc
        tally.equal(where, stated, per_btc, LAST_DIGIT + rounding)
