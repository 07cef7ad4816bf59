"""Relations of the measure of value: what treasury, lenders, horizon, credit and power may do to it, and may not.

As in `relations.py`, of which they are a part: a relation takes a solved case and a source of chance and returns
claims. Where the property is told of a single hall, the relation makes its own case of it (`hall_case`).
"""

from __future__ import annotations

import random
from typing import Any

from oracle_contracts import Contract, Deal
from oracle_future import Future
from small_cases import tiny_case
from variants import RICH_MUSD, Row, Rows, edited, records, without_offers
from worth import Base, Claim, Worth, equal, no_more, so, worth_of

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter, span

DOLLAR = 1e-6
"""$M."""


# ---- the treasury is fairly priced ------------------------------------------------------------------------------


def _rich(case: Case, **changes: Any) -> Case:
    """The case with so much cash that nothing hangs on it."""
    return case.replace(opening_cash_musd=case.settings.opening_cash_musd + RICH_MUSD, **changes)


def relation_41_interest_on_cash(base: Base, rng: random.Random) -> list[Claim]:
    """More of it never lowers the best value, unless the account begins overdrawn, which is charged the same rate; and
    with plenty of cash it is no value at all."""
    now = base.case.settings.cash_rate or 0.0
    rates = sorted(rng.uniform(0.0, 0.06) for _ in range(2))
    poor, rich = (worth_of(_rich(base.case, cash_rate=rate), base.scenario) for rate in rates)
    claims = [equal(poor, rich, f"cash at {rates}")]
    if base.case.settings.opening_cash_musd >= 0:
        claims.append(no_more(base.worth, base.replaced(cash_rate=now + rng.uniform(0.001, 0.05)), "cash earns more"))
    return claims


def relation_42_a_loans_rate(base: Base, rng: random.Random) -> list[Claim]:
    """A cheaper loan never lowers the best value; below the cost of debt its rate is no value, where no test of it
    can bind.
    """
    case = base.case
    if not case.facilities:
        return []
    share = rng.uniform(0.2, 0.9)
    cheaper = edited(case, "facilities", lambda row: {"margin": row["margin"] * share})
    untested: Row = {"dscr": None, "dscr_from": None}
    rates = case.settings.discount_rates | {"debt": 0.5}
    same = [
        worth_of(
            _rich(
                case,
                discount_rates=rates,
                facilities=edited(case, "facilities", lambda row: {"margin": row["margin"] * k} | untested),  # noqa: B023
            ),
            base.scenario,
        )
        for k in (1.0, share)
    ]
    return [
        no_more(base.worth, base.replaced(facilities=cheaper), "a cheaper loan"),
        equal(same[0], same[1], "a rate below the cost of debt"),
    ]


def relation_43_more_commitment(base: Base, rng: random.Random) -> list[Claim]:
    """Of a loan without fees, which are paid on the whole commitment."""
    case = base.case
    if not any(row.can_be_drawn for row in case.facilities):
        return []
    free: Row = {"upfront_fee": 0.0, "undrawn_fee": 0.0}
    k = rng.uniform(1.1, 3)
    now, more = (
        base.replaced(
            facilities=edited(case, "facilities", lambda row: free | {"commitment_musd": row["commitment_musd"] * k})  # noqa: B023
        )
        for k in (1.0, k)
    )
    return [no_more(now, more, "more commitment")]


def relation_44_another_loan(base: Base, rng: random.Random) -> list[Claim]:
    """One more that may be drawn, or the same in two halves: never worth less."""
    case = base.case
    if not case.facilities:
        return []
    row: Row = dict(rng.choice(case.facilities))
    another = row | {
        "facility": "another", "drawn_musd": 0.0, "margin": rng.uniform(0.0, 0.15), "refinances": None,
        "requires_offer": None, "rank": rng.choice([1, 2, 9]),
    }  # fmt: skip
    if row["available_first"] is None:
        another |= {"available_first": case.first, "available_last": case.first, "maturity": case.last + 4}
    rows = {table: records(case, table) for table in ("facilities", "collateral", "amortisation")}
    own = {
        table: [r | {"facility": "another"} for r in rows[table] if r["facility"] == row["facility"]] for table in rows
    }
    added = {table: rows[table] + own[table] for table in rows} | {"facilities": [*rows["facilities"], another]}
    if row["available_first"] is None:
        added["amortisation"] = rows["amortisation"]
    claims = [no_more(base.worth, base.replaced(**added), "another loan")]
    if any(r["refinances"] == row["facility"] for r in rows["facilities"]):
        return claims
    added["amortisation"] = rows["amortisation"] + own["amortisation"]
    half = {name: row[name] / 2 for name in ("commitment_musd", "drawn_musd")}
    others = [r for r in rows["facilities"] if r["facility"] != row["facility"]]
    halves = added | {"facilities": [*others, row | half, row | half | {"facility": "another"}]}
    return [*claims, no_more(base.worth, base.replaced(**halves), "a loan in two halves")]


def relation_45_no_loan_makes_value(base: Base, rng: random.Random) -> list[Claim]:
    """With whatever it may borrow the company is worth no more than with plenty of cash and no loan at all."""
    unlevered = _rich(base.case, facilities=[], collateral=[], amortisation=[])
    return [no_more(base.worth, worth_of(unlevered, base.scenario), "with loans, and rich without")]


def relation_46_a_covenant_dropped(base: Base, rng: random.Random) -> list[Claim]:
    case = base.case
    drops: list[Row] = [{"dscr": None, "dscr_from": None}, {"loan_to_cost": None}, {"minimum_cash_musd": None}]
    drops = [drop for drop in drops if any(getattr(r, name) is not None for r in case.facilities for name in drop)]
    if not drops:
        return []
    drop = rng.choice(drops)
    freed = base.replaced(facilities=edited(case, "facilities", lambda _: drop))
    return [no_more(base.worth, freed, f"without {next(iter(drop))}")]


def relation_47_btc_are_no_value(base: Base, rng: random.Random) -> list[Claim]:
    """BTC held are worth nothing beyond the cash that they bring; leave to keep mined ones costs nothing."""
    case = base.case
    none: dict[str, Any] = {
        "btc_schedule": [], "minimum_btc": None, "max_btc_sales_per_quarter": None, "btc_liquidity_share": None,
        "btc_rule": "sell_mined",
    }  # fmt: skip
    without, held = (worth_of(_rich(case, **none, btc_held=btc), base.scenario) for btc in (None, rng.uniform(1, 200)))
    sold, kept = (base.replaced(**none | {"btc_rule": rule}) for rule in ("sell_mined", "free"))
    return [equal(without, held, "BTC beside plenty of cash"), no_more(sold, kept, "mined BTC may be kept")]


# ---- a single hall ----------------------------------------------------------------------------------------------


def hall_case(rng: random.Random, quarters: int = 6, term: int = 24, **changes: Any) -> Case:
    """A company without machines: a hall in the north that one lease of a given term fills, delivered in its only
    quarter, with what a lease may be: rising, ramping, free at first, ours to power, from a tenant that may fail.
    """
    first = Quarter.parse("2027Q1")
    lead, delivery = rng.randint(1, 3), rng.randint(3, 4)
    horizon = span(first, quarters)
    size = 12 / 1.5
    hall = {
        "lead_quarters": lead, "mining_stops_quarters": 0, "facility_curve": "at once", "earliest": first,
        "facility_low_musd_per_it_mw": 1.0, "facility_base_musd_per_it_mw": rng.uniform(1.5, 9),
        "facility_high_musd_per_it_mw": 10.0,
    }  # fmt: skip
    lease = {
        "term_quarters": term, "window_first": first + delivery, "window_last": first + delivery,
        "escalator": rng.choice([0.0, rng.uniform(0, 0.05)]), "min_it_mw": size, "max_it_mw": size,
        "power_passed_through": rng.random() < 0.6, "ramp": rng.choice(["at once", "half then full"]),
        "operating_cost_share": rng.uniform(0.02, 0.3), "load_factor": rng.uniform(0.5, 0.95),
    }  # fmt: skip
    base = tiny_case(quarters=quarters, fleet=[], opening_cash_musd=RICH_MUSD)
    tables: dict[str, Any] = {
        "options": [row | hall for row in records(base, "options") if row["option"] == "north hall"],
        "offers": [row | lease for row in records(base, "offers")],
        "offer_prices": edited(base, "offer_prices", lambda _: {"price": rng.uniform(90, 260)}),
        "products": edited(
            base,
            "products",
            lambda _: {
                "residual_musd_per_it_mw": rng.uniform(0.1, 1.4),
                "residual_life_quarters": rng.choice([None, rng.randint(10, 80)]),
            },
        ),
        "overheads": [{"quarter": t, "g_and_a_musd": 0.0} for t in horizon],
    }
    if rng.random() < 0.4:
        tables["rent_free"] = [{"offer": "lease", "quarters": rng.randint(1, 3)}]
    if rng.random() < 0.5:
        tables["customers"] = [
            {"customer": "Ada", "yearly_default": rng.uniform(0.01, 0.2), "relet_quarters": rng.randint(0, 6),
             "relet_rent_share": rng.uniform(0.3, 1), "recovered_share": rng.uniform(0, 0.6)}
        ]  # fmt: skip
    return base.replace(**tables, **changes)


def _gain(case: Case) -> float:
    """What the best plan is worth beyond doing nothing, which here is worth nothing."""
    return worth_of(case, "base").low


def relation_51_a_lower_hurdle_rate(base: Base, rng: random.Random) -> list[Claim]:
    """It never turns a yes into a no for a hall whose outlay comes before its income."""
    case = hall_case(rng)
    offers = edited(case, "offers", lambda _: {"power_passed_through": True})
    low, high = sorted(rng.uniform(0.03, 0.3) for _ in range(2))
    corporate = rng.uniform(0.05, 0.12)
    dear, cheap = (
        _gain(case.replace(offers=offers, discount_rates={"corporate": corporate, "colo": rate}))
        for rate in (high, low)
    )
    return [so(f"yes at {high} ({dear}), yes at {low} ({cheap})", dear <= DOLLAR or cheap > dear - DOLLAR)]


def relation_52_a_loan_to_a_hall(base: Base, rng: random.Random) -> list[Claim]:
    """A loan never turns a hall of negative value into a yes, nor adds to one of positive value, however poor the
    company and however cheap the loan; one that can be served is drawn for a hall of positive value.
    """
    rates = {"corporate": 0.08, "colo": rng.uniform(0.06, 0.25), "debt": 0.09}
    case = hall_case(rng, discount_rates=rates)
    rich = _gain(case)
    loan = {
        "facility": "project", "commitment_musd": 200.0, "drawn_musd": 0.0, "available_first": case.first,
        "available_last": case.last, "maturity": case.last + rng.randint(4, 30), "base_rate": None,
        "margin": rng.uniform(0.0, 0.09), "upfront_fee": 0.0, "undrawn_fee": 0.0, "interest_every_quarters": 1,
        "loan_to_cost": None, "minimum_cash_musd": None, "dscr": None, "dscr_from": None, "prepayable": True,
        "requires_offer": None, "refinances": None,
    }  # fmt: skip
    secured = [{"facility": "project", "option": "north hall"}]
    least = case.settings.minimum_cash_musd
    poor = case.replace(opening_cash_musd=least + rng.uniform(0, 20))
    backed = case.replace(opening_cash_musd=least + 20, end_coverage=50.0, facilities=[loan], collateral=secured)
    levered = poor.replace(facilities=[loan], collateral=secured)
    with_loan, without, fair = _gain(levered), _gain(poor), _gain(backed)
    rich_too = _gain(levered.replace(opening_cash_musd=RICH_MUSD))
    return [
        so(f"{with_loan} with a loan, {rich} rich", with_loan <= max(rich, 0.0) + DOLLAR),
        so(f"{without} poor, {with_loan} with a loan", without <= with_loan + DOLLAR),
        so(f"{rich_too} rich with a loan, {rich} without", abs(rich_too - rich) <= DOLLAR),
        so(f"{fair} with a loan that is served, {rich} rich", abs(fair - max(rich, 0.0)) <= DOLLAR),
    ]


# ---- the horizon does not decide --------------------------------------------------------------------------------


def longer(case: Case, quarters: int) -> Case:
    """The same case over more quarters, each of which has the prices of the last; nothing is paid in them."""
    extra = [case.last + k for k in range(1, quarters + 1)]

    def more(table: str) -> Rows:
        rows = records(case, table)
        return rows + [row | {"quarter": t} for t in extra for row in rows if row["quarter"] == case.last]

    tables = ("tariffs", "bitcoin", "product_markets", "indices", "price_steps")
    overheads = [*case.overheads, *({"quarter": t, "g_and_a_musd": 0.0} for t in extra)]
    return case.replace(
        quarters=len(case.horizon) + quarters, overheads=overheads, **{table: more(table) for table in tables}
    )


def relation_53_a_longer_horizon(base: Base, rng: random.Random) -> list[Claim]:
    """Quarters in which nothing can be decided, nothing stands free and no machine is left keep the value to $1.

    A hall that one lease fills to beyond both horizons, with tax, tenants' money and all that a lease may be.
    """
    more = rng.randint(1, 7)
    changes: dict[str, Any] = {}
    if rng.random() < 0.5:
        changes |= {"tax_rate": rng.uniform(0.1, 0.35), "tax_losses_musd": rng.choice([None, rng.uniform(1, 20)])}
        changes["tax_loss_use"] = rng.choice([None, rng.uniform(0.4, 1)])
        changes["depreciation"] = [{"line": "facility_capex", "quarters": rng.randint(1, 40)}]
    if rng.random() < 0.5:
        columns = {"rent_share": rng.uniform(0.02, 0.2), "paid_quarters_before": rng.randint(0, 3)}
        changes["prepayments"] = [{"offer": "lease", "credited_after_month": 12} | columns]
    if rng.random() < 0.5:
        columns = {"musd_per_it_mw": rng.uniform(0.2, 2), "paid_quarters_before": rng.randint(0, 3)}
        changes["tenant_funding"] = [{"offer": "lease", "credit_share": 0.3, "rate": 0.08} | columns]
    if rng.random() < 0.5:
        changes["extensions"] = [
            {"offer": "lease", "step": 1, "quarters": rng.randint(1, 12), "price_share": rng.uniform(0.2, 1.2)}
        ]
    changes["discount_rates"] = {"corporate": 0.08, "colo": rng.uniform(0.07, 0.15), "debt": rng.uniform(0.03, 0.1)}
    case = hall_case(rng, term=rng.randint(14, 60), **changes)
    short, long = worth_of(case, "base"), worth_of(longer(case, more), "base")
    return [equal(short, long, f"{more} quarters more", slack=DOLLAR)]


def relation_54_a_lease_a_quarter_longer(base: Base, rng: random.Random) -> list[Claim]:
    """Its value moves by no more than that quarter's margin, wherever its end lies beside the horizon's: the hall
    comes free a quarter later, and is worth a little less then.
    """
    seed, horizon = rng.random(), rng.randint(8, 12)
    cheap = {"facility_base_musd_per_it_mw": 1.5}

    def lasting(quarters: int) -> Case:
        case = hall_case(random.Random(seed), quarters=horizon, term=quarters)
        return case.replace(options=edited(case, "options", lambda _: cheap))

    left = lasting(horizon).last + 1 - lasting(horizon).offer["lease"].window_first
    term = max(4, left + rng.choice([-1, 0, 0, 1, 5]))
    short, long = Base(lasting(term)), Base(lasting(term + 1))
    margin, carry = _margin(long.case, term), _carry(short.case, term)
    return [
        no_more(long.worth, short.worth + max(margin, 0.0), f"a quarter's margin of {margin}", slack=DOLLAR),
        no_more(short.worth, long.worth + (carry + max(0.0, -margin)), f"a quarter's carry of {carry}", slack=DOLLAR),
    ]


def _margin(case: Case, term: int) -> float:
    """What the lease earns in the quarter after so many, $M today."""
    offer = case.offer["lease"]
    contract = Contract("lease", "north", offer.window_first, offer.max_it_mw, offer.max_it_mw)
    deal = Deal(Future(case, "base"), contract)
    t = contract.quarter + term
    rate = case.settings.discount_rates["colo"]
    paid = sum(musd for _, q, musd in deal.flows if q == t)
    return float(offer.max_it_mw * paid * (1 + rate) ** -((t - case.first + 0.5) / 4))


def _carry(case: Case, term: int) -> float:
    """What a hall of the lease's size loses of its worth by coming free a quarter later, $M today."""
    offer, product = case.offer["lease"], case.product["colo"]
    rate = case.settings.discount_rates["colo"]

    def worth(t: Quarter) -> float:
        if t <= case.last:
            t = case.last + 1
        left = max(0.0, 1 - (t - case.first) / (product.residual_life_quarters or 120))
        return float(product.residual_musd_per_it_mw * left * (1 + rate) ** (-(t - case.first) / 4))

    free = offer.window_first + term
    return float(offer.max_it_mw) * (worth(free) - worth(free + 1))


# ---- credit, power, machines ------------------------------------------------------------------------------------


def relation_61_tenants_that_fail(base: Base, rng: random.Random) -> list[Claim]:
    """More often, empty for longer, let for less after it, less of it recovered: worth no more.

    A higher chance is compared where nothing is let again: a tenant that fails early in a rent-free time and is
    replaced at once may cost less than one that fails later.
    """
    case = base.case
    tenants = sorted({row.customer for row in case.offers})
    if not tenants:
        return []
    chance, share = rng.uniform(0.0, 0.2), rng.uniform(0.2, 0.9)

    def failing(**columns: Any) -> Worth:
        usual = {"yearly_default": chance, "relet_quarters": 2, "relet_rent_share": share, "recovered_share": 0.3}
        rows = [{"customer": name} | usual | columns for name in tenants]
        return base.replaced(customers=rows, backstops=[])

    never, usual = base.replaced(customers=[], backstops=[]), failing()
    alone = failing(relet_rent_share=0.0)
    return [
        no_more(usual, never, "tenants that may fail"),
        no_more(failing(relet_rent_share=0.0, yearly_default=chance + 0.1), alone, "a higher chance"),
        no_more(alone, usual, "never let again"),
        no_more(failing(relet_quarters=rng.randint(3, 9)), usual, "empty for longer"),
        no_more(failing(recovered_share=0.1), usual, "less recovered"),
    ]


def relation_62_a_shared_limit(base: Base, rng: random.Random) -> list[Claim]:
    """It never raises value; one of what the sites' own limits add up to changes nothing."""
    case = base.case
    if case.rows("grid_groups"):
        return [no_more(base.worth, base.replaced(grid_groups=[], grid_group_limits=[]), "no shared limit")]
    most = max(sum(case.limit_gross_mw[site.site, t] for site in case.sites) for t in case.horizon)
    group = [{"group": "feeder", "site": site.site} for site in case.sites]

    def shared(mw: float) -> Worth:
        limit = {"group": "feeder", "from_quarter": case.first, "limit_gross_mw": mw}
        return base.replaced(grid_groups=group, grid_group_limits=[limit])

    machines = sum(case.fleet_gross_mw(row) for row in case.fleet)
    tight = machines + rng.uniform(0.01, 1) * max(0.0, most - machines)
    return [no_more(shared(tight), base.worth, f"{tight} shared"), equal(shared(most + 1), base.worth, "all shared")]


def relation_63_a_ratchet(base: Base, rng: random.Random) -> list[Claim]:
    """It never raises value; one that remembers nothing changes none, a larger share is worth no more."""
    case, site = base.case, rng.choice(base.case.sites).site
    others = records(case, "ratchets", lambda row: row["site"] != site)
    shares = sorted(rng.uniform(0, 1) for _ in range(2))

    def remembering(share: float) -> Worth:
        row = {"site": site, "ratchet_share": share, "ratchet_quarters": 4, "highest_before_gross_mw": 8.0}
        return base.replaced(ratchets=[*others, row])

    free, low, high = base.replaced(ratchets=others), *(remembering(share) for share in shares)
    return [
        equal(remembering(0.0), free, "nothing remembered"),
        no_more(low, free, "a ratchet"),
        no_more(high, low, "a larger share"),
    ]


def relation_64_prices_inside_a_quarter(base: Base, rng: random.Random) -> list[Claim]:
    """They are worth no less than their mean: machines choose their hours, AI load pays the mean."""
    case = base.case
    flat, spread = base.replaced(price_steps=[]), rng.uniform(1, 40)
    share = rng.uniform(0.1, 0.9)
    steps = [
        {"scenario": row.scenario, "tariff": row.tariff, "quarter": row.quarter, "step": step, "hours_share": part,
         "energy_usd_per_mwh": row.energy_usd_per_mwh + away}
        for row in case.tariffs
        for step, part, away in ((1, share, spread / share), (2, 1 - share, -spread / (1 - share)))
        if row.energy_usd_per_mwh > 0
    ]  # fmt: skip
    return [no_more(flat, base.replaced(price_steps=steps), "prices apart")]


def relation_65_machines_priced_ahead(base: Base, rng: random.Random) -> list[Claim]:
    """How far buyers look ahead is all one where hashprice stands still."""
    case = base.case
    if not case.machine_markets:
        return []
    still = {"hashprice_usd_per_ph_day": rng.uniform(30, 70), "difficulty_t": None, "fees_btc_per_block": None}
    bitcoin = edited(case, "bitcoin", lambda _: still)
    near, far = (base.replaced(bitcoin=bitcoin, market_looks_ahead_quarters=n) for n in (1, rng.randint(2, 12)))
    return [equal(near, far, "one quarter ahead or many")]


def relation_66_a_market_for_machines_that_takes_more(base: Base, rng: random.Random) -> list[Claim]:
    case = base.case
    if not case.machine_markets:
        return []
    few, many = sorted(rng.uniform(0, 10) for _ in range(2))
    some, more, all_ = (
        base.replaced(machine_markets=edited(case, "machine_markets", lambda _: {"max_sales_mw_per_quarter": mw}))  # noqa: B023
        for mw in (few, many, None)
    )
    return [no_more(some, more, "a larger market"), no_more(more, all_, "a market without end")]


def relation_67_a_hall_that_outlives_its_gpus(base: Base, rng: random.Random) -> list[Claim]:
    """Let as something else for no refit, it is worth no less than empty. Without policies on what is in service."""
    case = base.case
    lives = [row.option for row in case.gpu_lives]
    other = [row.product for row in case.products if row.product not in {case.option[name].product for name in lives}]
    if not lives or not other:
        return []

    def after(product: str | None, refit: float | None) -> Worth:
        rows = edited(case, "gpu_lives", lambda _: {"relet_product": product, "refit_musd_per_it_mw": refit})
        return base.replaced(gpu_lives=rows, use_limits=[])

    free = after(other[0], 0.0)
    return [
        no_more(after(None, None), free, "relet for nothing"),
        no_more(after(other[0], 0.3), free, "a dearer refit"),
    ]


def relation_68_a_later_last_day_to_sign(base: Base, rng: random.Random) -> list[Claim]:
    """An offer that has lapsed is as if it had not been made; one that has not is all one, whenever it lapses."""
    case = base.case
    kept = {row.offer for row in case.committed_contracts} | {row.requires for row in case.rows("prerequisites")}
    kept |= {row.requires_offer for row in case.facilities if row.requires_offer}
    free = [row for row in case.offers if row.offer not in kept and row.window_last >= case.first]
    if not free:
        return []
    name = rng.choice(free).offer

    def signed_by(change: Any) -> Worth:
        return base.replaced(offers=edited(case, "offers", lambda row: change(row) if row["offer"] == name else {}))

    still = signed_by(lambda row: {"sign_by": rng.choice([case.first, row["window_last"]])})
    lapsed = signed_by(lambda row: {"sign_by": case.first - 1})
    return [
        no_more(lapsed, still, "a lapsed offer"),
        equal(still, signed_by(lambda _: {"sign_by": None}), "a last day to come"),
        equal(lapsed, base.replaced(**without_offers(case, {name})), "lapsed, or never made"),
    ]
