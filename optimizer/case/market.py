"""Market arithmetic: from quoted prices to $M per MW and quarter. No decisions here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from optimizer.case.schema import Asic, MachineMarket, PriceBasis
from optimizer.ground import units
from optimizer.ground.quarters import Quarter

if TYPE_CHECKING:
    from optimizer.case.case import Case


def subsidy_btc(case: Case, quarter: Quarter) -> float:
    """Block subsidy of a quarter in BTC; halvings inside it weigh by days, the halving day as new."""
    start, end = quarter.start, (quarter + 1).start
    edges = [start, *sorted(day for day in case.settings.halvings if start < day < end), end]
    level = case.settings.subsidy_btc * 0.5 ** sum(day <= start for day in case.settings.halvings)
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


def mining_economics(case: Case, scenario: str, site: str, asic: Asic, quarter: Quarter) -> MiningEconomics:
    """Economics of one gross MW on grid power, run where running beats idling and a machine may still run.

    Idling is a free option and nothing else hangs on it, so the best response is known before the solve: a machine
    runs exactly when `hashprice x PH x run hours / 24 x (1 - pool fee) + interruptible income > power + demand charge`.
    """
    tariff = case.site_price(scenario, site, quarter)
    run_hours = max(0.0, quarter.hours * asic.uptime - tariff.curtailed_hours)
    revenue = _mining_revenue(case, scenario, asic, quarter, run_hours)
    energy = run_hours * units.musd_per_mwh(tariff.energy_usd_per_mwh)
    demand = units.musd_per_mw_quarter_from_kw_month(tariff.demand_usd_per_kw_month)
    interruptible = units.musd_per_mw_quarter_from_usd_mw_year(tariff.interruptible_usd_per_mw_year)
    runs = revenue + interruptible > energy + demand and not mining_has_ended(case, site, quarter)
    btc = revenue / units.musd_from_usd(case.bitcoin_market[scenario, quarter].btc_usd)
    return MiningEconomics(revenue, energy, demand, interruptible, btc, run_hours, runs)


def own_plant_economics(case: Case, scenario: str, site: str, asic: Asic, quarter: Quarter) -> MiningEconomics | None:
    """Economics of one gross MW run on the site's own plant: no demand charge, no interruptible income.

    None where the site has no plant or mining has ended there.
    """
    plant = case.own_plant.get((scenario, site, quarter))
    if plant is None or mining_has_ended(case, site, quarter):
        return None
    grid = mining_economics(case, scenario, site, asic, quarter)
    energy = grid.run_hours * units.musd_per_mwh(plant.cost_usd_per_mwh)
    return replace(grid, energy=energy, demand=0.0, interruptible=0.0)


def mining_has_ended(case: Case, site: str, quarter: Quarter) -> bool:
    end = case.mining_ends(site)
    return end is not None and quarter > end


def _mining_revenue(case: Case, scenario: str, asic: Asic, quarter: Quarter, run_hours: float) -> float:
    hashprice = hashprice_usd_per_ph_day(case, scenario, quarter)
    ph = units.ph_per_gross_mw(asic.joules_per_th, asic.overhead)
    return units.musd_from_usd(hashprice * ph * run_hours / 24 * (1 - asic.pool_fee))


def resale_musd(case: Case, scenario: str, asic: Asic, market: MachineMarket, quarter: Quarter) -> float:
    """`resale x (hashprice / reference) ** elasticity x (1 - decline) ** years`, $M per gross MW of machines."""
    aged: float = (1 - market.yearly_decline) ** ((quarter - case.first) / 4)
    return market.resale_usd_per_th * aged * _machine_price(case, scenario, asic, market, quarter)


def purchase_musd(case: Case, scenario: str, asic: Asic, market: MachineMarket, quarter: Quarter) -> float:
    """What a gross MW of new machines costs, $M: `purchase x (hashprice / reference) ** elasticity`."""
    assert market.purchase_usd_per_th is not None
    return market.purchase_usd_per_th * _machine_price(case, scenario, asic, market, quarter)


def _machine_price(case: Case, scenario: str, asic: Asic, market: MachineMarket, quarter: Quarter) -> float:
    """$M per gross MW for each $/TH at the reference hashprice."""
    hashprice = hashprice_usd_per_ph_day(case, scenario, quarter)
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
