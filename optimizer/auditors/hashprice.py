"""What hash earns: the subsidy with its halvings, hashprice given or from the network, machines' hash per megawatt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from optimizer.auditors.inputs import KW, MILLION, ONE, QUARTERS, ZERO, Inputs, decimal
from optimizer.ground.quarters import Quarter

SECONDS_A_DAY = Decimal(86_400)
HASHES_PER_PH = Decimal(10) ** 15
HASHES_PER_DIFFICULTY = Decimal(2) ** 32
TRILLION = Decimal(10) ** 12
HOURS_A_DAY = Decimal(24)


def subsidy_btc(inputs: Inputs, quarter: Quarter) -> Decimal:
    """Mean block subsidy of a quarter's days; the day of a halving already has the halved one."""
    settings = inputs.case.settings
    first, after = _first_day(quarter), _first_day(quarter + 1)
    halvings = sorted(settings.halvings)
    full = decimal(settings.subsidy_btc)
    edges = [first, *(day for day in halvings if first < day < after), after]
    mean = ZERO
    for begins, ends in pairwise(edges):
        halved = sum(1 for day in halvings if day <= begins)
        mean += full / 2**halved * (ends - begins).days
    return mean / (after - first).days


def _first_day(quarter: Quarter) -> date:
    return date(int(quarter) // 4, 3 * (int(quarter) % 4) + 1, 1)


def hashprice(inputs: Inputs, quarter: Quarter) -> Decimal:
    """$ per PH/s and day: as given, or blocks that a PH/s finds in a day, times reward, times the price of BTC."""
    market = inputs.row("bitcoin", inputs.scenario, quarter)
    if market.hashprice_usd_per_ph_day is not None:
        return decimal(market.hashprice_usd_per_ph_day)
    blocks = HASHES_PER_PH * SECONDS_A_DAY / (decimal(market.difficulty_t) * TRILLION * HASHES_PER_DIFFICULTY)
    reward = subsidy_btc(inputs, quarter) + decimal(market.fees_btc_per_block)
    return blocks * reward * decimal(market.btc_usd)


def hashprice_ahead(inputs: Inputs, quarter: Quarter) -> Decimal:
    """Mean hashprice of the quarters that a buyer of machines looks ahead; the last one's holds from then on."""
    count = inputs.case.settings.market_looks_ahead_quarters
    ahead = (hashprice(inputs, inputs.within(Quarter(quarter + i))) for i in range(count))
    return sum(ahead, ZERO) / count


def btc_usd(inputs: Inputs, quarter: Quarter) -> Decimal:
    """Price of a BTC; after the horizon the last quarter's."""
    return decimal(inputs.row("bitcoin", inputs.scenario, inputs.within(quarter)).btc_usd)


def th_per_gross_mw(asic: Any) -> Decimal:
    """TH/s that a megawatt at the meter feeds: a joule a second is a watt, and the site's own use comes on top."""
    return MILLION / (decimal(asic.joules_per_th) * (ONE + decimal(asic.overhead)))


def earned_usd_per_mwh(inputs: Inputs, asic: Any, quarter: Quarter) -> Decimal:
    """What a running gross MW earns in an hour, the pool's share kept back."""
    ph = th_per_gross_mw(asic) / KW
    return hashprice(inputs, quarter) * ph / HOURS_A_DAY * (ONE - decimal(asic.pool_fee))


def wanted_hours(inputs: Inputs, asic: Any, quarter: Quarter) -> Decimal:
    """Hours of a quarter in which a machine runs that is fed all the time: its uptime."""
    return inputs.hours(quarter) * decimal(asic.uptime)


def grid_hours(inputs: Inputs, asic: Any, site: str, quarter: Quarter) -> list[tuple[Decimal, Decimal]]:
    """Hours and energy price of each step in which a machine on the grid runs, in $ per MWh.

    What the utility curtails it takes from the dearest steps first. At a flat price a machine that is wanted runs all
    hours that are left; where the price has steps, in those that pay.
    """
    wanted, earned = wanted_hours(inputs, asic, quarter), earned_usd_per_mwh(inputs, asic, quarter)
    steps = inputs.price_steps(site, quarter)
    flat = [(ONE, inputs.energy_usd_per_mwh(site, quarter))]
    curtailed, found = decimal(inputs.tariff(site, quarter).curtailed_hours), []
    for share, price in steps or flat:
        left = max(ZERO, wanted * share - curtailed)
        curtailed -= wanted * share - left
        if not steps or earned > price:
            found.append((left, price))
    return found


def interruptible_musd(inputs: Inputs, site: str, quarter: Quarter) -> Decimal:
    """What a running gross MW earns in a quarter for being interruptible."""
    return decimal(inputs.tariff(site, quarter).interruptible_usd_per_mw_year) / QUARTERS / MILLION
