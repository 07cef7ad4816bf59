"""Market arithmetic: from quoted prices to $M per MW and quarter. No decisions here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING

from optimizer.case.schema import Asic, MachineMarket, PriceBasis
from optimizer.ground import units
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case


def subsidy_btc(case: Case, quarter: Quarter) -> float:
    """Block subsidy of a quarter in BTC; halvings inside it weigh by days, the halving day as new."""
    return _mean_subsidy(case.settings.subsidy_btc, tuple(case.settings.halvings), quarter)


@cache
def _mean_subsidy(subsidy: float, halvings: tuple[date, ...], quarter: Quarter) -> float:
    start, end = quarter.start, (quarter + 1).start
    edges = [start, *sorted(day for day in halvings if start < day < end), end]
    level = subsidy * 0.5 ** sum(day <= start for day in halvings)
    spans = [(after - before).days for before, after in pairwise(edges)]
    return sum(level * 0.5**i * days for i, days in enumerate(spans)) / quarter.days


def hashprice_usd_per_ph_day(case: Case, scenario: str, quarter: Quarter) -> float:
    """Hashprice as given, or from BTC price, difficulty, subsidy and fees. $/PH/day."""
    row = case.bitcoin_market[scenario, quarter]
    if row.hashprice_usd_per_ph_day is not None:
        return row.hashprice_usd_per_ph_day
    assert row.difficulty_t is not None and row.fees_btc_per_block is not None
    return units.hashprice_usd_per_ph_day(
        row.btc_usd, row.difficulty_t, subsidy_btc(case, quarter), row.fees_btc_per_block
    )


def mean_hashprice_ahead(case: Case, scenario: str, quarter: Quarter) -> float:
    """The mean hashprice of a quarter and those after it, as far as buyers of machines look ahead. $/PH/day.

    Quarters after the horizon have its last quarter's.
    """
    ahead = [min(quarter + i, case.last) for i in range(case.settings.market_looks_ahead_quarters)]
    return fmean(hashprice_usd_per_ph_day(case, scenario, t) for t in ahead)


@dataclass(frozen=True)
class MiningEconomics:
    """What one gross MW of a class that runs returns in a quarter, $M, and whether it runs on the grid."""

    revenue: float
    energy: float
    demand: float
    interruptible: float
    btc: float
    run_hours: float
    runs: bool

    @property
    def power(self) -> float:
        """What it pays for power: energy and demand."""
        return self.energy + self.demand

    @property
    def margin(self) -> float:
        """What running earns, site cost aside."""
        return self.revenue + self.interruptible - self.power

    @property
    def margin_beside_demand(self) -> float:
        """What running earns where its demand is billed either way, site cost aside."""
        return self.margin + self.demand


def mining_economics(case: Case, scenario: str, site: str, asic: Asic, quarter: Quarter) -> MiningEconomics:
    """Economics of one gross MW on grid power, run where running beats idling and a machine may still run.

    Idling is a free option and, but for demand that a ratchet remembers, nothing else hangs on it. So the best response
    is known before the solve: a machine runs in the price steps of a quarter whose energy costs less than it mines, and
    its quarter pays exactly when what these steps gain and the interruptible income exceed the demand charge. Where a
    tariff has no steps, the quarter is one, run in whole or not at all.
    """
    steps = steps_of_running(case, scenario, site, asic, quarter)
    if case.site_steps(scenario, site, quarter):
        steps = [step for step in steps if step.revenue > step.energy]
    tariff = case.site_price(scenario, site, quarter)
    demand = units.musd_per_mw_quarter_from_kw_month(tariff.demand_usd_per_kw_month)
    interruptible = units.musd_per_mw_quarter_from_usd_mw_year(tariff.interruptible_usd_per_mw_year)
    revenue, energy = fsum(step.revenue for step in steps), fsum(step.energy for step in steps)
    runs = revenue + interruptible > energy + demand and not mining_has_ended(case, site, quarter)
    btc, run_hours = fsum(step.btc for step in steps), fsum(step.run_hours for step in steps)
    return MiningEconomics(revenue, energy, demand, interruptible, btc, run_hours, runs)


@dataclass(frozen=True)
class RunStep:
    """What one gross MW of a class returns by running in one price step of a quarter, $M."""

    revenue: float
    energy: float
    btc: float
    run_hours: float


def steps_of_running(case: Case, scenario: str, site: str, asic: Asic, quarter: Quarter) -> list[RunStep]:
    """The price steps of a quarter, the dearest first: the utility's curtailed hours are taken from these.

    A tariff without price steps has one, the whole quarter.
    """
    tariff = case.site_price(scenario, site, quarter)
    prices = case.site_steps(scenario, site, quarter) or [(1.0, tariff.energy_usd_per_mwh)]
    curtailed, steps = tariff.curtailed_hours, []
    for share, usd_per_mwh in sorted(prices, key=lambda step: -step[1]):
        hours = share * quarter.hours * asic.uptime
        lost = min(hours, curtailed)
        curtailed -= lost
        steps.append(_run_step(case, scenario, asic, quarter, hours - lost, usd_per_mwh))
    return steps


def own_plant_economics(case: Case, scenario: str, site: str, asic: Asic, quarter: Quarter) -> MiningEconomics | None:
    """Economics of one gross MW run on the site's own plant: no demand charge, no interruptible income.

    What the utility curtails does not bind it. None where the site has no plant or mining has ended there.
    """
    plant = case.own_plant.get((scenario, site, quarter))
    if plant is None or mining_has_ended(case, site, quarter):
        return None
    run = _run_step(case, scenario, asic, quarter, quarter.hours * asic.uptime, plant.cost_usd_per_mwh)
    runs = run.revenue > run.energy
    return MiningEconomics(run.revenue, run.energy, 0.0, 0.0, run.btc, run.run_hours, runs)


def mining_has_ended(case: Case, site: str, quarter: Quarter) -> bool:
    end = case.mining_ends(site)
    return end is not None and quarter > end


def _run_step(case: Case, scenario: str, asic: Asic, quarter: Quarter, run_hours: float, usd_per_mwh: float) -> RunStep:
    hashprice = hashprice_usd_per_ph_day(case, scenario, quarter)
    ph = units.ph_per_gross_mw(asic.joules_per_th, asic.overhead)
    revenue = units.musd_from_usd(hashprice * ph * run_hours / 24 * (1 - asic.pool_fee))
    btc = revenue / units.musd_from_usd(case.bitcoin_market[scenario, quarter].btc_usd)
    return RunStep(revenue, run_hours * units.musd_per_mwh(usd_per_mwh), btc, run_hours)


def resale_musd(case: Case, scenario: str, asic: Asic, market: MachineMarket, quarter: Quarter) -> float:
    """`resale x (mean ahead / reference) ** elasticity x (1 - decline) ** years`, $M per gross MW of machines."""
    aged: float = (1 - market.yearly_decline) ** ((quarter - case.first) / 4)
    return market.resale_usd_per_th * aged * _machine_price(case, scenario, asic, market, quarter)


def purchase_musd(case: Case, scenario: str, asic: Asic, market: MachineMarket, quarter: Quarter) -> float:
    """What a gross MW of new machines costs, $M: `purchase x (mean ahead / reference) ** elasticity`."""
    assert market.purchase_usd_per_th is not None
    return market.purchase_usd_per_th * _machine_price(case, scenario, asic, market, quarter)


def _machine_price(case: Case, scenario: str, asic: Asic, market: MachineMarket, quarter: Quarter) -> float:
    """$M per gross MW for each $/TH at the reference hashprice."""
    hashprice = mean_hashprice_ahead(case, scenario, quarter)
    level: float = (hashprice / market.reference_hashprice_usd_per_ph_day) ** market.elasticity
    return units.musd_from_usd(units.th_per_gross_mw(asic.joules_per_th, asic.overhead)) * level


def price_per_it_mw_quarter(
    price: float, basis: PriceBasis, quarter: Quarter, gpus_per_it_mw: float | None, utilisation: float | None
) -> float:
    """A quoted price as $M per IT MW billed in a quarter."""
    match basis:
        case "usd_per_kw_month":
            return units.musd_per_mw_quarter_from_kw_month(price)
        case "musd_per_it_mw_year":
            return units.musd_per_mw_quarter_from_mw_year(price)
        case "usd_per_gpu_hour":
            assert gpus_per_it_mw is not None and utilisation is not None
            return units.musd_per_mw_quarter_from_gpu_hour(price, gpus_per_it_mw, utilisation, quarter)


def market_price_per_it_mw_quarter(case: Case, scenario: str, product: str, quarter: Quarter) -> float:
    """What the market pays for one IT MW of uncontracted capacity; outside the horizon by its nearest quote. $M."""
    quote = case.product_market[scenario, product, min(max(quarter, case.first), case.last)]
    sold_as = case.product[product]
    return price_per_it_mw_quarter(quote.price, quote.price_basis, quarter, sold_as.gpus_per_it_mw, sold_as.utilisation)


def ai_power_per_it_mw_quarter(
    case: Case, scenario: str, site: str, product: str, quarter: Quarter, load_factor: float
) -> tuple[float, float]:
    """Energy and demand that we pay for one IT MW in use, $M.

    `PUE x load factor x hours x energy price`, and `PUE x demand charge`.
    """
    tariff, pue = case.site_price(scenario, site, quarter), case.pue[site, product]
    energy = load_factor * quarter.hours * units.musd_per_mwh(tariff.energy_usd_per_mwh)
    return pue * energy, pue * units.musd_per_mw_quarter_from_kw_month(tariff.demand_usd_per_kw_month)
