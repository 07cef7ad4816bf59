"""A small case that has all that reports tell: commitments, sales, lateness, debt, tenants' money and options."""

from __future__ import annotations

from typing import Any

from small_cases import tiny_case

from optimizer.case.case import Case

Row = dict[str, Any]


def committed_case(**changes: Any) -> Case:
    """A hall and its contract are committed; another hall, late for its tenant, and a third are worth deciding.

    BTC are sold by a schedule, machines have a market, the holders of notes test their cover once a year, and a tenant,
    who may default, pays towards its hall.
    """
    first = tiny_case()
    horizon = first.horizon
    q = [str(t) for t in horizon]
    north, south = (first.table("options").to_dict("records")[i] for i in (0, 1))
    base: Row = {
        "name": "told", "title": "Berta & Söhne: one hall under way, two to decide",
        "overheads": {"g_and_a_musd": 0.4},
        "bitcoin": {"hashprice_usd_per_ph_day": 60, "btc_usd": [100_000 - 4_000 * i for i in range(len(q))]},
        "opening_cash_musd": 60, "capex_budget_musd": 60, "allow_planned_lateness": True,
        "btc_held": 40, "btc_liquidity_share": 0.5, "btc_rule": "schedule",
        "max_customer_share": 0.7, "max_customer_share_from": q[5],
        "options": [north | {"max_blocks": 2, "earliest": "2026Q1"}, south | {"earliest": "2026Q1"}],
        "committed_starts": [{"option": "north hall", "quarter": "2026Q4", "blocks": 1}],
        "committed_contracts": [{"offer": "lease", "site": "north", "quarter": q[1], "it_mw": 8.0}],
        "offers": [_offer(first, "lease", "Ada", 8, q[0]), _offer(first, "second", "Ada", 8, q[3]),
                   _offer(first, "anchor", "Berta", 4, q[1])],
        "offer_prices": [_price("lease", 150), _price("second", 160), _price("anchor", 240)],
        "offer_sites": [{"offer": "lease", "site": "north"}, {"offer": "second", "site": "north"},
                        {"offer": "anchor", "site": "south"}],
        "extensions": [{"offer": "anchor", "step": 1, "quarters": 8, "price_share": 0.3}],
        "late_delivery": [{"offer": "anchor", "deadline": q[1], "damages_musd_per_it_mw_quarter": 0.1,
                           "walk_away_quarters": 5}],
        "tenant_funding": [{"offer": "anchor", "musd_per_it_mw": 0.5, "paid_quarters_before": 1, "credit_share": 0.2,
                            "rate": 0.05}],
        "machine_markets": [{
            "asic": "miner", "resale_usd_per_th": 4, "purchase_usd_per_th": None, "delivery_quarters": 0,
            "reference_hashprice_usd_per_ph_day": 60, "elasticity": 0.5, "yearly_decline": 0.2,
            "moving_cost_musd_per_gross_mw": None,
        }],
        "facilities": [_notes()],
        "btc_schedule": [{"quarter": q[0], "btc": 40}],
        "customers": [{"customer": "Berta", "yearly_default": 0.04, "relet_quarters": 2, "relet_rent_share": 0.9,
                       "recovered_share": 0.25}],
    }  # fmt: skip
    return tiny_case(**(base | changes))


def _offer(case: Case, name: str, customer: str, it_mw: float, begins: str) -> Row:
    row: Row = case.table("offers").to_dict("records")[0]
    return row | {
        "offer": name, "customer": customer, "min_it_mw": it_mw, "max_it_mw": it_mw, "window_first": begins,
        "utilisation": None, "exclusive_group": None, "price_base_quarter": None,
    }  # fmt: skip


def _price(offer: str, usd: float) -> Row:
    return {"scenario": "base", "offer": offer, "price": usd, "price_basis": "usd_per_kw_month"}


def _notes() -> Row:
    return {
        "facility": "notes", "commitment_musd": 20.0, "drawn_musd": 20.0, "available_first": None,
        "available_last": None, "maturity": "2031Q4", "base_rate": None, "margin": 0.06, "upfront_fee": 0.0,
        "undrawn_fee": 0.0, "interest_every_quarters": 4, "first_coupon": "2027Q4", "loan_to_cost": None,
        "minimum_cash_musd": None, "dscr": 1.5, "dscr_from": "2027Q4", "rank": None, "prepayable": False,
        "requires_offer": None, "refinances": None,
    }  # fmt: skip
