"""The only place where units are converted.

Inside the program money is millions of dollars of the day (`_musd`), power is megawatts (gross at the meter, IT at the
servers), energy is MWh. Inputs keep the unit that the trade quotes; each function below takes one of them in.
"""

from __future__ import annotations

from optimizer.ground.quarters import Quarter

USD_PER_MUSD = 1e6
KW_PER_MW = 1e3
MONTHS_PER_QUARTER = 3
QUARTERS_PER_YEAR = 4
HASHES_PER_DIFFICULTY = 2**32
SECONDS_PER_DAY = 86_400


def musd_from_usd(usd: float) -> float:
    return usd / USD_PER_MUSD


def musd_per_mw_quarter_from_kw_month(usd_per_kw_month: float) -> float:
    """A rent or demand charge per kW-month bills three months a quarter. $M per MW-quarter."""
    return usd_per_kw_month * KW_PER_MW * MONTHS_PER_QUARTER / USD_PER_MUSD


def musd_per_mw_quarter_from_mw_year(musd_per_mw_year: float) -> float:
    """A price per MW-year bills a quarter of it each quarter. $M per MW-quarter."""
    return musd_per_mw_year / QUARTERS_PER_YEAR


def musd_per_mw_quarter_from_usd_mw_year(usd_per_mw_year: float) -> float:
    return usd_per_mw_year / USD_PER_MUSD / QUARTERS_PER_YEAR


def musd_per_mw_quarter_from_gpu_hour(
    usd_per_gpu_hour: float, gpus_per_it_mw: float, utilisation: float, quarter: Quarter
) -> float:
    """A price per GPU-hour bills the calendar hours that the GPUs are let. $M per IT MW-quarter."""
    return usd_per_gpu_hour * gpus_per_it_mw * utilisation * quarter.hours / USD_PER_MUSD


def musd_per_mwh(usd_per_mwh: float) -> float:
    return usd_per_mwh / USD_PER_MUSD


def ph_per_gross_mw(joules_per_th: float, overhead: float) -> float:
    """Hashrate behind one gross MW: J/TH is W per TH/s; `overhead` is the site's own use per watt of machine. PH/s."""
    watts_per_ph = joules_per_th * 1e3 * (1 + overhead)
    return 1e6 / watts_per_ph


def th_per_gross_mw(joules_per_th: float, overhead: float) -> float:
    return ph_per_gross_mw(joules_per_th, overhead) * 1e3


def hashprice_usd_per_ph_day(
    btc_usd: float, difficulty_t: float, subsidy_btc: float, fees_btc_per_block: float
) -> float:
    """`(subsidy + fees) [BTC] x 1e15 x 86400 / (difficulty x 2^32) x BTC price`; difficulty in trillions. $/PH/day."""
    btc_per_ph_day = (
        (subsidy_btc + fees_btc_per_block) * 1e15 * SECONDS_PER_DAY / (difficulty_t * 1e12 * HASHES_PER_DIFFICULTY)
    )
    return btc_per_ph_day * btc_usd
