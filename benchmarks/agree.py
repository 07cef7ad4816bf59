"""Two hands, one answer: the textbook model and this program on many small, odd cases.

`python -m benchmarks.agree --first 1 --count 50` makes small portfolios, twists each in a few seeded ways that real
cases take and generators forget, solves both to the last dollar and prints every disagreement.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from random import Random
from typing import Any

import optimizer as opt
from benchmarks import textbook
from benchmarks.portfolios import COLO, GPU, portfolio
from optimizer.case.case import Case
from optimizer.ground.findings import InputError

TIGHT = 1e-7
SECONDS = 120.0
Twist = Callable[[Case, Random], dict[str, Any]]
Record = dict[str, Any]


def _rows(case: Case, table: str) -> list[Record]:
    """A table as dictionaries whose cells stay typed."""
    return [{name: getattr(row, name) for name in type(row).model_fields} for row in getattr(case, table)]


# ---- twists -------------------------------------------------------------------------------------------------


def mining_ends(case: Case, random: Random) -> Record:
    return {"mining_ends": case.horizon[random.randrange(len(case.horizon))] - random.choice((0, 0, 12))}


def other_capex_level(case: Case, random: Random) -> Record:
    return {"capex_level": random.choice(("low", "high"))}


def one_customer_is_not_enough(case: Case, random: Random) -> Record:
    since = case.horizon[random.randrange(2, len(case.horizon))]
    return {"max_customer_share": random.choice((0.35, 0.6, 1.0)), "max_customer_share_from": since}


def few_crews(case: Case, random: Random) -> Record:
    return {"max_blocks_under_construction": random.choice((1, 2, 3)), "max_it_mw_under_construction": None}


def odd_policies(case: Case, random: Random) -> Record:
    site = random.choice(case.sites).site
    common = {"first": case.horizon[0] - 2, "last": case.horizon[-1] + 2}
    common |= {"site": site, "basis": "gross_mw", "min_mw": None}
    rows = [
        {**common, "policy": "some mining", "use": "mining", "max_mw": 9},
        {**common, "policy": "some colo", "use": COLO, "site": "*", "max_mw": 31},
        {**common, "policy": "little gpu", "use": GPU, "basis": "it_mw", "max_mw": 11},
        {**common, "policy": "a little colo", "use": COLO, "site": "*", "basis": "it_mw", "min_mw": 3, "max_mw": None,
         "first": case.horizon[-2]},
    ]  # fmt: skip
    return {"use_limits": _rows(case, "use_limits") + random.sample(rows, 2)}


def short_terms(case: Case, random: Random) -> Record:
    offers = _rows(case, "offers")
    for row in offers:
        row["term_quarters"] = random.choice((1, 2, 3, 4, 6, 30))
        row["escalator"] = random.choice((-0.05, 0.0, 0.04))
        row["ramp"] = random.choice(("at_once", "slow"))
        if row["price_base_quarter"] is not None:
            row["price_base_quarter"] = row["window_first"] - random.randrange(9)
    return {"offers": offers}


def twins(case: Case, random: Random) -> Record:
    """A second site like an existing one and a second offer like an existing one."""
    site, offer = random.choice(case.sites).site, random.choice(case.offers).offer
    tables: Record = {}
    for table in ("sites", "site_limits", "fleet", "options", "offer_sites"):
        rows = _rows(case, table)
        for row in [r for r in rows if r["site"] == site]:
            copy = row | {"site": "twin"}
            rows.append(copy | {"option": f"twin_{row['option']}"} if "option" in row else copy)
        tables[table] = rows
    for table in ("offers", "offer_prices", "offer_sites"):
        rows = tables.get(table) or _rows(case, table)
        rows += [row | {"offer": "twin_offer"} for row in rows if row["offer"] == offer]
        tables[table] = rows
    return tables


def two_ways_to_one_product(case: Case, random: Random) -> Record:
    options = _rows(case, "options")
    for row in [r for r in options if r["product"] == COLO]:
        other = {
            "option": f"{row['option']}_retrofit", "lead_quarters": 2, "mining_stops_quarters": 2,
            "block_gross_mw": 6.0, "max_blocks": 2, "facility_base_musd_per_it_mw": 6.5,
            "facility_low_musd_per_it_mw": 5.5, "facility_high_musd_per_it_mw": 13.0, "mobilisation_musd": 0.0,
            "facility_curve": "at_once", "gpu_curve": "at_once", "ramp": "slow",
        }  # fmt: skip
        options.append(row | other)
    return {"options": options}


def begun_before(case: Case, random: Random) -> Record:
    """Blocks and a contract from before the horizon, another start due within it."""
    option = next(o for o in case.options if case.eligible(o))
    earlier = case.first - option.lead_quarters - 1
    starts = [{"option": option.option, "quarter": earlier, "blocks": 1}]
    if option.max_blocks > 1:
        starts.append({"option": option.option, "quarter": case.first + 1, "blocks": 1})
    if option.max_blocks > 2:
        starts.append({"option": option.option, "quarter": case.first - 2, "blocks": 1})
    size = round(0.5 * case.it_mw_of_block(option), 2)
    offer = next(row for row in _rows(case, "offers")) | {
        "offer": "old", "customer": "old tenant", "product": option.product, "min_it_mw": 0.5 * size, "max_it_mw": size,
        "window_first": case.first - 1, "window_last": case.first - 1, "term_quarters": random.choice((3, 7, 40)),
        "price_base_quarter": random.choice((None, case.first - 6)), "utilisation": 0.9, "exclusive_group": None,
        "power_passed_through": False, "ramp": "slow",
    }  # fmt: skip
    prices = [
        {"scenario": w.scenario, "offer": "old", "price": 1.9, "price_basis": "musd_per_it_mw_year"}
        for w in case.scenarios
    ]
    contract = {"offer": "old", "site": option.site, "quarter": case.first - 1, "it_mw": size}
    return {
        "max_customer_share": None, "max_customer_share_from": None,
        "committed_starts": starts, "committed_contracts": [contract], "offers": [*_rows(case, "offers"), offer],
        "offer_prices": _rows(case, "offer_prices") + prices,
        "offer_sites": [*_rows(case, "offer_sites"), {"offer": "old", "site": option.site}],
    }  # fmt: skip


def wild_power(case: Case, random: Random) -> Record:
    rows = _rows(case, "tariffs")
    for row in rows:
        if random.random() < 0.2:
            row["energy_usd_per_mwh"] = random.choice((-20.0, 0.0, 300.0))
            row["curtailed_hours"] = random.choice((0.0, 2500.0))
            row["demand_usd_per_kw_month"] = random.choice((0.0, 25.0))
    return {"tariffs": rows}


def thin_years(case: Case, random: Random) -> Record:
    share = random.choice((0.05, 0.12, 0.2))
    years = sorted({t.year for t in case.horizon})
    budget = case.settings.capex_budget_musd
    return {"budget_years": [{"year": year, "capex_budget_musd": round(share * budget)} for year in years]}


def little_cash(case: Case, random: Random) -> Record:
    cash = case.settings.opening_cash_musd
    return {"opening_cash_musd": round(random.uniform(0.6, 0.9) * cash)}


def no_market(case: Case, random: Random) -> Record:
    rows = _rows(case, "product_markets")
    for row in rows:
        if random.random() < 0.5:
            row["depth_it_mw"], row["price"] = random.choice((0.0, 80.0)), random.choice((0.0, row["price"]))
    return {"product_markets": rows}


def receipts(case: Case, random: Random) -> Record:
    kinds = ("fee", "principal", "asset_sale", "interest")
    extra = [
        {
            "quarter": random.choice(case.horizon),
            "name": f"item {i}",
            "kind": kind,
            "musd": round(random.uniform(1, 9), 2),
        }
        for i, kind in enumerate(kinds)
    ]
    return {"obligations": _rows(case, "obligations") + extra}


def quick_halls(case: Case, random: Random) -> Record:
    options = _rows(case, "options")
    for row in options:
        row |= {
            "lead_quarters": 1, "mining_stops_quarters": random.choice((0, 1)), "facility_curve": "at_once",
            "gpu_curve": "at_once", "earliest": case.first - 3, "mobilisation_musd": random.choice((0.0, 15.0)),
        }  # fmt: skip
    return {"options": options}


def worth_at_the_end(case: Case, random: Random) -> Record:
    products = [row | {"residual_musd_per_it_mw": random.choice((0.0, 9.0))} for row in _rows(case, "products")]
    asics = _rows(case, "asics")
    for row in asics:
        row["residual_usd_per_th"] = random.choice((0.0, 20.0))
        row["retires_after"] = random.choice((None, case.horizon[3]))
    return {"products": products, "asics": asics}


TWISTS: tuple[Twist, ...] = (
    mining_ends, other_capex_level, one_customer_is_not_enough, few_crews, odd_policies, short_terms, twins,
    two_ways_to_one_product, begun_before, wild_power, thin_years, little_cash, no_market, receipts, quick_halls,
    worth_at_the_end,
)  # fmt: skip


def twisted(seed: int, always: str | None = None) -> tuple[Case, list[str]]:
    """A small portfolio, changed in up to four ways; a change that the case refuses is left out."""
    random = Random(seed)
    case = portfolio(random.choice((2, 3, 4)), random.choice((10, 12, 14)), random.choice((3, 5, 6)), seed)
    done = []
    asked = [twist for twist in TWISTS if twist.__name__ == always]
    for twist in asked + random.sample(TWISTS, random.randint(1, 4)):
        try:
            case = case.replace(**twist(case, random))
            done.append(twist.__name__)
        except InputError:
            continue
    return case, done


# ---- comparing ----------------------------------------------------------------------------------------------


def textbook_answer(case: Case, scenario: str) -> tuple[float, float]:
    """Value and bound; infinitely bad where no plan keeps every rule."""
    value, bound, _ = textbook.solve(textbook.build(case, scenario), TIGHT, SECONDS)
    return value, bound


def our_answer(case: Case, scenario: str) -> tuple[float, float]:
    try:
        plan = opt.solve(case, scenario, gap=TIGHT, time_limit=SECONDS)
    except opt.Infeasible:
        return -math.inf, -math.inf
    return plan.value_musd, plan.bound_musd


def compare(case: Case, scenario: str) -> tuple[str, str]:
    """`agree`, `open` (unproven, but the intervals meet), `DIFFER` or `FAULT`, and the figures."""
    one, one_bound = textbook_answer(case, scenario)
    try:
        two, two_bound = our_answer(case, scenario)
    except Exception as error:
        return "FAULT", f"textbook {one:.6f} (bound {one_bound:.6f}), ours {error!r:.300}"
    figures = f"textbook {one:.6f} (bound {one_bound:.6f}), ours {two:.6f} (bound {two_bound:.6f})"
    if one == two or abs(one - two) <= 2 * TIGHT * max(1.0, abs(one)) + 1e-5:
        return "agree", figures
    slack = 1e-5 * max(1.0, abs(one), abs(two))
    apart = not (one <= two_bound + slack and two <= one_bound + slack)
    return "DIFFER" if apart else "open", figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--twist", choices=[twist.__name__ for twist in TWISTS], help="have this twist in every case")
    given = parser.parse_args()
    tally: dict[str, int] = {}
    for seed in range(given.first, given.first + given.count):
        case, twists = twisted(seed, given.twist)
        for scenario in case.scenarios:
            verdict, figures = compare(case, scenario.scenario)
            tally[verdict] = tally.get(verdict, 0) + 1
            print(f"{seed} {scenario.scenario}: {verdict}; {figures}; {', '.join(twists)}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items())))


if __name__ == "__main__":
    main()
