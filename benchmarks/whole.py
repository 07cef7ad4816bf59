"""The whole business on a made portfolio: machines that trade, contracts with terms, a treasury that borrows.

`with_the_whole_business(case, seed)` adds to a portfolio what its plain form leaves out; figures follow the public
ones of late 2026. `python -m benchmarks.whole FOLDER --seed 1` writes one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.portfolios import GPU, portfolio
from optimizer.case.case import Case
from optimizer.case.folder import write_case

Records = list[dict[str, Any]]
RESALE = {"S19j_Pro": 2.0, "S19_XP": 3.0, "T21": 4.0, "S21": 5.0, "S21_Pro": 7.0, "S21_XP": 10.0}
"""$/TH at a hashprice of $39."""


def with_the_whole_business(case: Case, seed: int) -> Case:
    """The same portfolio with every part of the business in use."""
    random = Random(f"whole {seed}")
    return case.replace(
        cash_rate=0.03,
        btc_held=1500.0,
        btc_liquidity_share=0.5,
        machine_markets=_machine_markets(case),
        gpu_lives=[_gpu_life(o.option) for o in case.options if o.product == GPU],
        deposits=[
            {"option": o.option, "quarters_before": 2, "share": 0.1}
            for o in case.options
            if o.product != GPU and random.random() < 0.5
        ],
        facilities=_facilities(case),
        base_rates=[
            {"scenario": w.scenario, "base_rate": "SOFR", "quarter": t, "rate": 0.037}
            for w in case.scenarios
            for t in case.horizon
        ],
        **_terms(case, random),
    )


def _machine_markets(case: Case) -> Records:
    return [
        {
            "asic": a.asic, "resale_usd_per_th": RESALE[a.asic], "delivery_quarters": 1, "elasticity": 1,
            "purchase_usd_per_th": 14 if a.asic == "S21_XP" else None, "reference_hashprice_usd_per_ph_day": 39,
            "yearly_decline": 0.15, "moving_cost_musd_per_gross_mw": 0.03,
        }
        for a in case.asics
    ]  # fmt: skip


def _gpu_life(option: str) -> dict[str, Any]:
    return {"option": option, "life_quarters": 20, "residual_share": 0.18, "refresh_musd_per_it_mw": 22}


def _facilities(case: Case) -> Records:
    """A term loan, a note owed and its refinancing, and project notes at the two largest sites."""
    first, last = case.first, case.last
    blank = {
        "drawn_musd": 0, "base_rate": None, "upfront_fee": 0.01, "undrawn_fee": 0.005, "interest_every_quarters": 1,
        "loan_to_cost": None, "minimum_cash_musd": None, "dscr": None, "dscr_from": None, "prepayable": True,
        "requires_offer": None, "refinances": None, "available_first": first, "available_last": first + 10,
    }  # fmt: skip
    limit = {s.site: case.limit_gross_mw[s.site, last] for s in case.sites}
    largest = sorted(limit, key=lambda s: -limit[s])[:2]
    rows = [
        blank | {"facility": "term loan", "site": "*", "commitment_musd": 300, "maturity": first + 22,
                 "base_rate": "SOFR", "margin": 0.045, "minimum_cash_musd": 50, "loan_to_cost": 0.5},
        blank | {"facility": "note", "site": "*", "commitment_musd": 200, "drawn_musd": 200, "maturity": first + 16,
                 "margin": 0.02, "available_first": None, "available_last": None, "prepayable": False},
        blank | {"facility": "new note", "site": "*", "commitment_musd": 200, "maturity": first + 36, "margin": 0.085,
                 "available_first": first + 16, "available_last": first + 16, "refinances": "note"},
    ]  # fmt: skip
    for site in largest:
        rows.append(
            blank
            | {
                "facility": f"{site} notes", "site": site, "commitment_musd": 200, "maturity": first + 40,
                "margin": 0.0725, "loan_to_cost": 0.7, "dscr": 1.1, "dscr_from": first + 14, "prepayable": False,
            }
        )  # fmt: skip
    return rows


def _terms(case: Case, random: Random) -> dict[str, Records]:
    """A term or two for each offer, by turns."""
    terms: dict[str, Records] = {}
    for number, offer in enumerate(case.offers):
        name = {"offer": offer.offer}
        colo = offer.product != GPU
        kinds: list[tuple[str, Records]] = [
            ("prepayments", [name | {"rent_share": 0.15, "paid_quarters_before": 2, "credited_after_month": 24}]),
            ("late_delivery", [
                name | {"deadline": offer.window_last, "damages_musd_per_it_mw_quarter": 0.1, "walk_away_quarters": 2}
            ]),
            ("take_or_pay", [name | {"floor_share": 0.85}]),
            ("extensions", [name | {"step": i, "quarters": 20, "price_share": 0.9} for i in (1, 2)]),
            ("backstops", [
                name | {"upfront_musd_per_it_mw": 0.5, "rent_share": 0.01, "discount_rate": 0.09 if colo else None}
            ]),
            ("tenant_funding", [
                name | {"musd_per_it_mw": 2, "paid_quarters_before": 2, "credit_share": 0.4, "rate": 0.06}
            ]),
        ]  # fmt: skip
        chosen = sorted({number % len(kinds), random.randrange(len(kinds))})
        for table, rows in (kinds[i] for i in chosen):
            if table == "prepayments" and offer.term_quarters <= 12:
                continue
            terms.setdefault(table, []).extend(rows)
    return terms


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a made portfolio with the whole business as a case folder.")
    parser.add_argument("folder", type=Path)
    for name, default in (("sites", 12), ("quarters", 32), ("offers", 24), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    plain = portfolio(given.sites, given.quarters, given.offers, given.seed)
    write_case(with_the_whole_business(plain, given.seed), given.folder)


if __name__ == "__main__":
    main()
