"""Relations between a case and its variants that hold whatever the numbers are. None needs a second model or solver.

A relation takes a solved case and a source of chance and returns claims; none where the case does not lend itself.
Where the calendar, discounting or a rule of this model makes the general form untrue, its docstring says which form
holds here. The numbers are those of the project's list of 40. Not here: 32 (there are no months), 33 and 34 (one
scenario is solved at a time), 37 (there is nothing yet that compares plans).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Collection
from dataclasses import replace
from math import floor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import relations_of_value
from oracle import halls_of, residual_musd_per_it_mw
from oracle_contracts import Deal, contracts_of_sizes
from oracle_future import Future, hours
from oracle_program import Program
from other_solvers import Matrices, by_highs
from pyomo.environ import Constraint
from variants import (
    BUDGET_MUSD,
    NO_CAPS,
    Row,
    Rows,
    copied,
    copies,
    edited,
    money_scaled,
    named_elsewhere,
    plain,
    records,
    renamed,
    shifted,
    size_scaled,
    without_offers,
    without_options,
)
from worth import (
    EXACTLY,
    NOTHING,
    Base,
    Claim,
    Worth,
    equal,
    near,
    no_more,
    only_rows,
    so,
    solved,
    with_fixed,
    with_row,
    worth_of,
    worth_of_outcome,
)

from optimizer.business.model import build_model
from optimizer.business.model import component as component_of
from optimizer.case.case import TABLE_NAMES, Case
from optimizer.ground.errors import Infeasible
from optimizer.ground.quarters import Quarter
from optimizer.plan.folder import load_plan, save_plan
from optimizer.questions.planner import solve
from optimizer.solver.models import solve_model

Relation = Callable[[Base, random.Random], list[Claim]]

A_LITTLE = 1e-7
"""Room for the last digit of a limit that is set at what a plan uses."""
CUT = 1e-4
"""How much better, relative to value, a plan is asked for that cannot be."""
PROHIBITIVE_MUSD = 1e5
FAR_TOO_MUCH = 5000.0


# ---- the same case otherwise written ----------------------------------------------------------------------------


def relation_01_other_names_and_another_order(base: Base, rng: random.Random) -> list[Claim]:
    return [equal(worth_of(renamed(base.case, rng), base.scenario), base.worth, "renamed")]


def relation_02_all_money_scaled(base: Base, rng: random.Random) -> list[Claim]:
    k = rng.choice([0.5, 2.0, 0.8, 1.7])
    return [equal(worth_of(money_scaled(base.case, k), base.scenario), base.worth * k, f"money x {k}")]


def relation_03_other_trade_units(base: Base, rng: random.Random) -> list[Claim]:
    """Rents by month or year, spot prices by GPU-hour too; machines counted or in MW; hashprice told outright."""
    case, future = base.case, Future(base.case, base.scenario)
    other = case.replace(
        offer_prices=edited(case, "offer_prices", _other_rent),
        product_markets=edited(case, "product_markets", lambda row: _other_spot_price(case, row)),
        fleet=edited(case, "fleet", lambda row: _other_count(case, row)),
        bitcoin=[row | _hashprice_itself(future, row, base.scenario) for row in records(case, "bitcoin")],
    )
    return [equal(worth_of(other, base.scenario), base.worth, "other units")]


MONTHS_TO_MUSD_A_YEAR = 0.012
"""$M per MW and year of one dollar per kW and month."""


def _other_rent(row: Row) -> Row:
    if row["price_basis"] == "usd_per_kw_month":
        return {"price": row["price"] * MONTHS_TO_MUSD_A_YEAR, "price_basis": "musd_per_it_mw_year"}
    if row["price_basis"] == "musd_per_it_mw_year":
        return {"price": row["price"] / MONTHS_TO_MUSD_A_YEAR, "price_basis": "usd_per_kw_month"}
    return {}


def _other_spot_price(case: Case, row: Row) -> Row:
    terms = case.product[row["product"]]
    gpu_hours = (terms.gpus_per_it_mw or 0) * (terms.utilisation or 0) * hours(row["quarter"]) / 1e6
    if row["price_basis"] == "usd_per_gpu_hour":
        return {"price": row["price"] * gpu_hours / 0.003, "price_basis": "usd_per_kw_month"}
    if row["price_basis"] == "usd_per_kw_month" and gpu_hours:
        return {"price": row["price"] * 0.003 / gpu_hours, "price_basis": "usd_per_gpu_hour"}
    return _other_rent(row)


def _other_count(case: Case, row: Row) -> Row:
    asic = case.asic[row["asic"]]
    if asic.th_per_unit is None:
        return {}
    units_per_mw = 1e6 / (asic.th_per_unit * asic.joules_per_th * (1 + asic.overhead))
    if row["units"] is None:
        return {"units": row["gross_mw"] * units_per_mw, "gross_mw": None}
    return {"gross_mw": row["units"] / units_per_mw, "units": None}


def _hashprice_itself(future: Future, row: Row, scenario: str) -> Row:
    if row["scenario"] != scenario or row["hashprice_usd_per_ph_day"] is not None:
        return {}
    told = {"hashprice_usd_per_ph_day": future.hashprice(row["quarter"])}
    holds_btc = future.case.settings.btc_held or future.case.settings.btc_rule == "free"
    return {} if holds_btc else told | {"difficulty_t": None, "fees_btc_per_block": None}


def relation_04_all_megawatts_and_lump_sums_scaled(base: Base, rng: random.Random) -> list[Claim]:
    k = rng.choice([0.5, 2.0, 0.8, 1.7])
    return [equal(worth_of(size_scaled(base.case, k), base.scenario), base.worth * k, f"size x {k}")]


def relation_25_the_calendar_four_years_on(base: Base, rng: random.Random) -> list[Claim]:
    """Four years, after which quarters have the same hours again, leap days and halvings too."""
    return [equal(worth_of(shifted(base.case), base.scenario), base.worth, "16 quarters later")]


# ---- looser and tighter -----------------------------------------------------------------------------------------


def relation_05_more_budget(base: Base, rng: random.Random) -> list[Claim]:
    budget = base.case.settings.capex_budget_musd
    return [no_more(base.worth, base.replaced(capex_budget_musd=budget + rng.uniform(0, 30)), "more budget")]


def relation_06_less_budget(base: Base, rng: random.Random) -> list[Claim]:
    budget = base.case.settings.capex_budget_musd
    return [no_more(base.replaced(capex_budget_musd=budget * rng.uniform(0.3, 1)), base.worth, "less budget")]


def relation_07_budget_of_what_the_unlimited_plan_spends(base: Base, rng: random.Random) -> list[Claim]:
    free = Base(base.case.replace(capex_budget_musd=BUDGET_MUSD), base.scenario)
    enough = free.spent_musd * (1 + 1e-9) + A_LITTLE
    return [
        no_more(base.worth, free.worth, "no budget"),
        equal(free.replaced(capex_budget_musd=enough), free.worth, "budget at what is spent"),
    ]


def relation_08_a_rule_dropped_or_added(base: Base, rng: random.Random) -> list[Claim]:
    case = base.case
    drops: list[dict[str, Any]] = [{"minimum_cash_musd": 0}, {"prerequisites": []}]
    drops += [{table: []} for table in ("use_limits", "budget_years") if case.rows(table)]
    drops += [{"offers": edited(case, "offers", lambda row: {"exclusive_group": None})}]
    drops += [{"grid_groups": [], "grid_group_limits": []}, {"ratchets": []}]
    drops += [
        {"minimum_btc": None},
        {"max_btc_sales_per_quarter": None},
        {"offers": edited(case, "offers", lambda row: {"sign_by": None})},
    ]
    drops += [{"machine_markets": edited(case, "machine_markets", lambda row: {"max_sales_mw_per_quarter": None})}]
    drops += [{"max_customer_share": None, "max_customer_share_from": None}]
    drops += [{name: None} for name in ("max_blocks_under_construction", "max_it_mw_under_construction")]
    rules = [rule.local_name for rule in base.model.component_objects(Constraint) if len(rule)]
    added: list[dict[str, Any]] = [
        {"max_it_mw_under_construction": rng.uniform(1, 8)},
        {"minimum_cash_musd": case.settings.minimum_cash_musd + rng.uniform(0, 20)},
        {"max_customer_share": rng.uniform(0.4, 0.9), "max_customer_share_from": case.horizon[1]},
    ]
    added = [rule for rule in added if getattr(case.settings, next(iter(rule))) is None or "minimum_cash_musd" in rule]
    return [
        no_more(base.worth, base.replaced(**rng.choice(drops)), "a policy dropped"),
        no_more(base.worth, _without_rule(base, rng.choice(rules)), "a rule dropped"),
        no_more(base.replaced(**rng.choice(added)), base.worth, "a rule added"),
    ]


def _without_rule(base: Base, rule: str) -> Worth:
    component = component_of(base.model, rule)
    component.deactivate()
    try:
        return solved(base.model)
    finally:
        component.activate()


def relation_09_a_smaller_smallest_size(base: Base, rng: random.Random) -> list[Claim]:
    k = rng.uniform(0.2, 0.9)
    offers = edited(base.case, "offers", lambda row: {"min_it_mw": row["min_it_mw"] * k})
    return [no_more(base.worth, base.replaced(offers=offers), "smaller minimum")]


def relation_10_a_rule_that_the_plan_meets_already(base: Base, rng: random.Random) -> list[Claim]:
    """Limits set at what the plan uses: budget, construction at once, machines installed."""
    case, ports = base.case, base.model.ports
    blocks = max(base.of(ports.building_blocks.level("all", t)) for t in case.horizon)
    it_mw = max(base.of(ports.building_it_mw.level("all", t)) for t in case.horizon)
    machines = [sum(base.of(ports.installed_gross_mw[s.site, t]) for s in case.sites) for t in case.horizon]
    policy = {
        "policy": "as it is", "use": "mining", "site": "*", "basis": "gross_mw", "first": case.first,
        "last": case.last, "min_mw": max(0.0, min(machines) - A_LITTLE), "max_mw": max(machines) + A_LITTLE,
    }  # fmt: skip
    changes: list[dict[str, Any]] = [
        {"capex_budget_musd": base.spent_musd * (1 + 1e-9) + A_LITTLE},
        {"max_blocks_under_construction": round(blocks)},
        {"max_it_mw_under_construction": it_mw + A_LITTLE},
        {"use_limits": [*case.use_limits, policy]},
    ]
    change = rng.choice(changes)
    return [equal(base.replaced(**change), base.worth, f"{next(iter(change))} as the plan has it")]


def relation_35_what_cannot_be(base: Base, rng: random.Random) -> list[Claim]:
    """With a rule that nothing can keep there is no plan, nor with more rules; without the reported rules there is one,
    or without those reported then (too much cash breaks what is owed at the end too); and of the reported rows, which
    clash by themselves, none can be missed.
    """
    case, word = base.case, rng.choice(["cash", "machines"])
    floor_of_machines = {
        "policy": "far too much", "use": "mining", "site": "*", "basis": "gross_mw", "first": case.last,
        "last": case.last, "min_mw": FAR_TOO_MUCH, "max_mw": None,
    }  # fmt: skip
    impossible: dict[str, Any] = (
        {"minimum_cash_musd": PROHIBITIVE_MUSD}
        if word == "cash"
        else {"use_limits": [*case.use_limits, floor_of_machines]}
    )
    model = build_model(case.replace(**impossible), base.scenario)
    anyway, clashes = solved(model), _clashes(model)
    tighter = case.replace(**impossible, max_customer_share=0.1, max_customer_share_from=case.first)
    claims = [
        so("nothing keeps an impossible rule", anyway == NOTHING),
        so("nor one rule more", worth_of(tighter, base.scenario) == NOTHING),
    ]
    if not clashes:
        return claims
    return [*claims, so(f"without {clashes} and their like there is a plan", _planned_without(model, clashes)),
            *_minimal(model, clashes)]  # fmt: skip


MOST_CONFLICTS = 6


def _planned_without(model: Any, clashes: list[str]) -> bool:
    """Whether there is a plan without the rules of what clashes, and of what clashes then, and so on."""
    for _ in range(MOST_CONFLICTS):
        for rule in {name.partition("[")[0] for name in clashes}:
            component_of(model, rule).deactivate()
        if solved(model) != NOTHING:
            return True
        clashes = _clashes(model)
    return False


def _clashes(model: Any) -> list[str]:
    try:
        solve_model(model, EXACTLY)
    except Infeasible as error:
        return [clash.row for clash in error.clashes]
    return []


def _minimal(model: Any, rows: list[str]) -> list[Claim]:
    for rule in model.component_objects(Constraint):
        rule.activate()
    claims = []
    with only_rows(model, set(rows)):
        claims.append(so(f"{rows} clash by themselves", solved(model) == NOTHING))
    for row in rows:
        with only_rows(model, set(rows) - {row}):
            claims.append(so(f"{rows} do not clash without {row}", solved(model) != NOTHING))
    return claims


# ---- the plan itself --------------------------------------------------------------------------------------------


def relation_11_nothing_is_worth_more(base: Base, rng: random.Random) -> list[Claim]:
    more = base.answer.value + CUT * max(1.0, abs(base.answer.value))
    with with_row(base.model, base.model.value.expr >= more) as model:
        return [so(f"a plan of {more} cannot be", solved(model) == NOTHING)]


def relation_12_integers_fixed(base: Base, rng: random.Random) -> list[Claim]:
    if not base.integers:
        return []
    with with_fixed(base.model, [(x, round(base.of(x))) for x in base.integers]) as model:
        return [equal(solved(model), base.worth, "integers fixed")]


def relation_13_the_plans_own_flows(base: Base, rng: random.Random) -> list[Claim]:
    """The flows in a plan's tables, discounted here by line, are worth what the plan says."""
    plan = solve(base.case, base.scenario, gap=0.0)
    total = _discounted(base.case, plan)
    return [near(plan.value_musd, total, "flows discounted"), equal(Worth(total, total), base.worth, "flows and value")]


NO_VALUE = {"principal", "interest", "cash_interest", "btc_sales"}
AT_COST_OF_DEBT = {"fee", "excess_interest", "prepayments", "tenant_capex", "tenant_credits"}


def _discounted(case: Case, plan: Any) -> float:
    """The worth of all flows of a plan, $M today."""
    rates, total = case.settings.discount_rates, 0.0
    flows = [*plan.cash_flow.itertuples(), *plan.tables["value_only"].itertuples(), *plan.after_horizon.itertuples()]
    for row in flows:
        if row.line not in NO_VALUE:
            rate = rates.get("debt" if row.line in AT_COST_OF_DEBT else row.business, rates["corporate"])
            quarters = Quarter.parse(row.quarter) - case.first + (0.0 if row.line == "residual" else 0.5)
            total += row.musd * (1 + rate) ** (-quarters / 4)
    return total


def relation_14_between_simple_plans_and_the_relaxation(base: Base, rng: random.Random) -> list[Claim]:
    """Signing and starting nothing new, signing nothing, and the relaxed plan rounded down are worth no more."""
    m = base.model
    committed = {
        key: float(sum(r.blocks for r in base.case.committed_starts if r.option == key[0] and r.quarter <= key[1]))
        for key in m.N
    }
    no_starts = [(m.N[key], blocks) for key, blocks in committed.items()]
    no_deals = [(x, 0.0) for x in m.Y.values()]
    claims = []
    for words, fixed in (("nothing new", no_starts + no_deals), ("no new contract", no_deals), ("rounded", None)):
        with with_fixed(m, _rounded_down(base) if fixed is None else fixed) as model:
            claims.append(no_more(solved(model), base.worth, words))
    relaxed = by_highs(replace(base.matrices, whole=np.zeros_like(base.matrices.whole)))
    return [*claims, no_more(base.worth, worth_of_outcome(relaxed), "relaxed")]


def _rounded_down(base: Base) -> list[tuple[Any, float]]:
    relaxed = by_highs(replace(base.matrices, whole=np.zeros_like(base.matrices.whole)))
    assert relaxed.x is not None
    states = {*map(id, base.model.N.values()), *map(id, base.model.Y.values())}
    columns = zip(base.matrices.columns, relaxed.x, strict=True)
    return [(column, float(floor(value + 1e-9))) for column, value in columns if id(column) in states]


def relation_31_no_discounting(base: Base, rng: random.Random) -> list[Claim]:
    """At rates of 0 a plan is worth the plain sum of its flows."""
    case = base.case
    free = case.replace(discount_rates=dict.fromkeys(case.settings.discount_rates, 0.0))
    plan = solve(free, base.scenario, gap=0.0)
    tables = (plan.cash_flow, plan.tables["value_only"], plan.after_horizon)
    total = sum(float(table.loc[~table["line"].isin(NO_VALUE), "musd"].sum()) for table in tables)
    return [near(plan.value_musd, total, "sum of flows")]


def relation_38_saved_and_loaded(base: Base, rng: random.Random) -> list[Claim]:
    plan, case = solve(base.case, base.scenario, gap=0.0), base.case
    with tempfile.TemporaryDirectory() as folder:
        again = load_plan(save_plan(plan, Path(folder) / "plan"))
    altered = [name for name, table in plan.tables.items() if not _same(table, again.tables[name])]
    altered += [name for name in TABLE_NAMES if case.rows(name) != again.case.rows(name)]
    return [
        so(f"everything comes back, but {altered}", not altered and again.case.settings == case.settings),
        near(again.value_musd, plan.value_musd, "value"),
        equal(worth_of(again.case, base.scenario), base.worth, "the loaded case"),
    ]


def _same(table: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Equal cell for cell; an empty table has no kinds of numbers."""
    return table.equals(other) or (len(table) == len(other) == 0 and list(table.columns) == list(other.columns))


def relation_39_sums_over_everything(base: Base, rng: random.Random) -> list[Claim]:
    """Uses add up to each site's limit, capacity to what is usable, flows to cash, discounted flows to value."""
    plan, case = solve(base.case, base.scenario, gap=0.0), base.case
    used = plan.allocation.groupby(["site", "quarter"])["gross_mw"].sum()
    limits = {(s, str(t)): mw for (s, t), mw in case.limit_gross_mw.items()}
    it_mw = plan.capacity[["contracted_it_mw", "market_it_mw", "vacant_it_mw"]].sum(axis=1)
    net = plan.cash_flow.groupby("quarter")["musd"].sum()
    by_site = plan.cash_flow.groupby(["site", "quarter"])["musd"].sum().groupby("quarter").sum()
    change = plan.cash.set_index("quarter").eval("closing_musd - opening_musd")
    worth = float(plan.tables["value"][["within_musd", "after_musd"]].to_numpy().sum())
    few = 1e-6
    return [
        so("uses add up to limits", all(abs(used[key] - mw) < few for key, mw in limits.items())),
        so("capacity adds up", bool(((it_mw - plan.capacity["usable_it_mw"]).abs() < few).all())),
        so("flows add up to cash", bool(((net - change).fillna(0.0).abs() < few).all())),
        so("sites add up", bool(((net - by_site).abs() < few).all())),
        near(worth, plan.value_musd, "value adds up"),
    ]


def relation_20_without_what_the_plan_leaves_unused(base: Base, rng: random.Random) -> list[Claim]:
    """Options not started and offers refused, unless something names them, or an offer is signed where they are, or
    halls become what they are.
    """
    case, m = base.case, base.model
    started = {o for (o, _), n in m.n.items() if base.of(n) > 0.5} | {row.option for row in case.committed_starts}
    started |= {row.option for row in case.rows("collateral")}
    signed = {key[0] for key, y in m.y.items() if base.of(y) > 0.5} | named_elsewhere(case)
    let = {(row.site, case.offer[row.offer].product) for row in case.committed_contracts}
    let |= {(key[2], case.offer[key[0]].product) for key, y in m.y.items() if base.of(y) > 0.5}
    let |= {(case.option[row.option].site, row.relet_product) for row in case.gpu_lives if row.option in started}
    refused = {row.offer for row in case.offers} - signed
    idle = {row.option for row in case.options if row.option not in started and (row.site, row.product) not in let}
    if not refused and not idle:
        return []
    return [equal(base.replaced(**without_offers(case, refused), **without_options(case, idle)), base.worth, "unused")]


# ---- prices -----------------------------------------------------------------------------------------------------


def relation_15_cheaper_halls(base: Base, rng: random.Random) -> list[Claim]:
    """Facility capex less a share: worth at least that share of the old plan's capex more, at most of the new plan's.

    Where no rule hangs on a price and no budget binds, so that either plan can be had at either price. Halls are not
    relet: that costs facility capex of another price.
    """
    share = rng.uniform(0.05, 0.4)
    unbound = base.unbound.case
    lives = edited(unbound, "gpu_lives", lambda _: {"relet_product": None, "refit_musd_per_it_mw": None})
    rich = unbound.replace(capex_budget_musd=BUDGET_MUSD, budget_years=[], gpu_lives=lives)
    before = Base(rich, base.scenario)
    levels = [f"facility_{level}_musd_per_it_mw" for level in ("low", "base", "high")]
    cheaper = edited(rich, "options", lambda row: {name: row[name] * (1 - share) for name in levels})
    after = Base(rich.replace(options=cheaper), base.scenario)
    old, new = _present_capex(before), _present_capex(after) / (1 - share)
    return [
        no_more(before.worth + share * old, after.worth, "the old plan, cheaper"),
        no_more(after.worth, before.worth + share * new, "the new plan, dearer"),
    ]


def _present_capex(base: Base) -> float:
    """Facility capex of the best plan, discounted mid-quarter here."""
    rates, total = base.case.settings.discount_rates, 0.0
    for stream in base.outcome.ports.all_streams:
        if stream.line == "facility_capex":
            rate = rates.get(stream.business, rates["corporate"])
            years = (stream.first - base.case.first + 0.5 + np.arange(len(stream.amounts))) / 4
            total -= base.of(stream.decision) * float(stream.amounts @ (1 + rate) ** -years)
    return total


def relation_16_a_dearer_market(base: Base, rng: random.Random) -> list[Claim]:
    """A product's spot price up in one quarter: worth what that makes on the old plan's sales at least, on the new
    plan's at most, and on the market's whole depth at the very most. Where no rule hangs on a price.
    """
    unbound, case = base.unbound, base.unbound.case
    rows = [row for row in case.product_markets if row.scenario == base.scenario and row.depth_it_mw > 0]
    if not rows:
        return []
    row, rise = rng.choice(rows), rng.uniform(1.02, 1.6)
    terms, t = case.product[row.product], row.quarter
    rent = Future(case, base.scenario).market_rent(row.product, t)
    rate = case.settings.discount_rates.get(row.product, case.settings.discount_rates["corporate"])
    each = rent * (rise - 1) * (1 - terms.operating_cost_share) * (1 + rate) ** (-(t - case.first + 0.5) / 4)
    markets = [r.model_copy(update={"price": r.price * rise}) if r is row else r for r in case.product_markets]
    after = Base(case.replace(product_markets=markets), base.scenario)
    old, new = _spot_sales(unbound, row.product, t), _spot_sales(after, row.product, t)
    return [
        no_more(unbound.worth + each * old, after.worth, "the old plan, dearer"),
        no_more(after.worth, unbound.worth + each * new, "the new plan, cheaper"),
        no_more(after.worth, unbound.worth + each * row.depth_it_mw, "the whole market"),
    ]


def _spot_sales(base: Base, product: str, t: Quarter) -> float:
    return sum(base.of(h) for (_, p, q, _), h in base.outcome.h.items() if (p, q) == (product, t))


def relation_17_convex_in_prices(base: Base, rng: random.Random) -> list[Claim]:
    """Rents, spot prices and energy prices each a share up or down: the mean of both is worth no less than the middle.

    Where no rule hangs on a price. Hashprice stays: prices of machines follow it by a power.
    """
    unbound = base.unbound
    swing = {column: rng.uniform(-0.4, 0.4) for column in ("offer", "product", "tariff")}
    up, down = (worth_of(_swung(unbound.case, swing, sign), base.scenario) for sign in (1, -1))
    mean = Worth((up.low + down.low) / 2, (up.high + down.high) / 2)
    return [no_more(unbound.worth, mean, f"convex along {swing}", slack=max(up.slack, down.slack))]


def _swung(case: Case, swing: dict[str, float], sign: int) -> Case:
    def dearer(column: str, key: str) -> Callable[[Row], Row]:
        return lambda row: {column: row[column] * (1 + sign * swing[key])}

    return case.replace(
        offer_prices=edited(case, "offer_prices", dearer("price", "offer")),
        product_markets=edited(case, "product_markets", dearer("price", "product")),
        tariffs=edited(case, "tariffs", dearer("energy_usd_per_mwh", "tariff")),
        price_steps=edited(case, "price_steps", dearer("energy_usd_per_mwh", "tariff")),
    )


def relation_18_dearer_power(base: Base, rng: random.Random) -> list[Claim]:
    tariff, rise = rng.choice(base.case.tariffs).tariff, rng.uniform(0.5, 30)
    dearer = {
        table: edited(
            base.case,
            table,
            lambda row: {"energy_usd_per_mwh": row["energy_usd_per_mwh"] + rise * (row["tariff"] == tariff)},
        )
        for table in ("tariffs", "price_steps")
    }
    return [no_more(base.replaced(**dearer), base.worth, "dearer power")]


def relation_29_damages(base: Base, rng: random.Random) -> list[Claim]:
    """Higher damages are worth no more, none no less; prohibitive ones are the same as no leave to be late."""
    case = base.case
    offers = [row for row in case.offers if row.offer not in {r.offer for r in case.committed_contracts}]
    if not offers:
        return []
    offer = rng.choice(offers)
    deadline = max(case.first, offer.window_first + rng.randint(0, 2))
    patience = max(0, offer.window_last - deadline) + rng.randint(0, 2)
    damages = rng.uniform(0.02, 0.4)

    def late(musd: float, quarters: int = patience) -> Rows:
        row = {"offer": offer.offer, "deadline": deadline, "damages_musd_per_it_mw_quarter": musd}
        others = records(case, "late_delivery", lambda row: row["offer"] != offer.offer)
        return [*others, row | {"walk_away_quarters": quarters}]

    planned = {"allow_planned_lateness": True}
    mild, dear, none, huge = (
        base.replaced(late_delivery=late(k * damages), **planned) for k in (1, 2, 0, PROHIBITIVE_MUSD)
    )
    last = min(offer.window_last, deadline)
    in_time = edited(case, "offers", lambda row: {"window_last": last} if row["offer"] == offer.offer else {})
    return [
        no_more(dear, mild, "higher damages"),
        no_more(mild, none, "no damages"),
        equal(
            huge,
            base.replaced(late_delivery=late(damages, 0), offers=in_time, **planned),
            "in time or not at all",
            1e-5,
        ),
        no_more(
            base.replaced(late_delivery=late(damages), allow_planned_lateness=False), mild, "lateness may be planned"
        ),
    ]


# ---- sites, halls, time -----------------------------------------------------------------------------------------


def _field(case: Case, limit_gross_mw: float) -> dict[str, Any]:
    """A further site that is good for anything, under the first site's tariff."""
    site = dict(case.sites[0]) | {
        "site": "field", "firm_power": True, "fibre": True, "max_rack_kw": 200.0, "mining_ends": None,
    }  # fmt: skip
    limit = {"site": "field", "from_quarter": case.first, "limit_gross_mw": limit_gross_mw}
    return {"sites": [*case.sites, site], "site_limits": [*case.site_limits, limit]}


def relation_19_a_further_site(base: Base, rng: random.Random) -> list[Claim]:
    """One without a megawatt changes nothing; one with a hall that customers accept makes nothing worse."""
    case = base.case
    hall = dict(rng.choice(case.options)) | {"option": "field hall", "site": "field"}
    homes = [*case.offer_sites, *({"offer": row.offer, "site": "field"} for row in case.offers)]
    return [
        equal(base.replaced(**_field(case, 0.0)), base.worth, "an empty site"),
        no_more(
            base.worth,
            base.replaced(**_field(case, 30.0), options=[*case.options, hall], offer_sites=homes),
            "a site with a hall",
        ),
    ]


def relation_21_everything_in_two_halves(base: Base, rng: random.Random) -> list[Claim]:
    """Each site, hall, machine and offer in two halves: no worse, as both halves can do what the whole did.

    Blocks under construction count double then. Loans of one site or against one offer are left out.
    """
    case = _without_loans_that_name_others(base.case)
    before = base if case is base.case else Base(case, base.scenario)
    most = case.settings.max_blocks_under_construction
    halves = copies(case, [0.5, 0.5], apart=False)
    doubled = None if most is None else 2 * most
    after = before.replaced(**halves, max_blocks_under_construction=doubled)
    return [no_more(before.worth, after, "in halves")]


LOAN_TABLES = ("facilities", "amortisation", "collateral")


def _without_loans_that_name_others(case: Case) -> Case:
    gone = {row.facility for row in case.facilities if row.requires_offer}
    gone |= {row.facility for row in case.rows("collateral")}
    gone |= {row.facility for row in case.facilities if row.refinances in gone}
    if not gone:
        return case
    kept = {t: records(case, t, lambda row: row["facility"] not in gone) for t in LOAN_TABLES}
    cash = case.settings.opening_cash_musd + 50
    return case.replace(**kept, opening_cash_musd=cash)


def relation_22_two_companies_that_share_nothing(base: Base, rng: random.Random) -> list[Claim]:
    """A company and a smaller copy, with markets and machines of their own and money enough: worth the sum."""
    k = rng.choice([0.5, 0.8, 1.0])
    alone = base.unbound.case.replace(capex_budget_musd=BUDGET_MUSD, budget_years=[], use_limits=[], **NO_CAPS)
    one = Base(alone, base.scenario)
    rates = alone.settings.discount_rates
    both = {f"{name} {i}": rate for name, rate in rates.items() for i in (0, 1)}
    lumps = {
        table: [copied(row, "", 1 + k, ()) for row in records(alone, table)] for table in ("overheads", "obligations")
    }
    pair = alone.replace(
        **copies(alone, [1.0, k], apart=True),
        **lumps,
        discount_rates={n: r for n, r in {**rates, **both}.items() if n in _lines_of_two(alone)},
    )
    return [equal(worth_of(pair, base.scenario), one.worth * (1 + k), "the sum")]


def _lines_of_two(case: Case) -> Collection[str]:
    return {"corporate", "mining", "debt", *(f"{row.product} {i}" for row in case.products for i in (0, 1))}


def relation_23_twins(base: Base, rng: random.Random) -> list[Claim]:
    """With a twin of a site and of an offer: the rows that order twins cut no value, and the tables' order is none."""
    case = base.case
    free = [row.offer for row in case.offers if row.offer not in named_elsewhere(case)]
    changes: dict[str, Rows] = _twin_site(case, case.sites[0].site)
    if free:
        changes |= _twin_offer(case, rng.choice(free), changes.get("offer_sites", records(case, "offer_sites")))
    twins = Base(case.replace(**changes), base.scenario)
    ties = [name for name in ("twin_sites_in_order", "twin_offers_in_order") if twins.model.component(name)]
    if not ties:
        return []
    swapped = twins.case.replace(sites=[*reversed(twins.case.sites)], offers=[*reversed(twins.case.offers)])
    for name in ties:
        getattr(twins.model, name).deactivate()
    return [
        equal(twins.worth, worth_of(swapped, base.scenario), "twins swapped"),
        equal(solved(twins.model), twins.worth, "twins in any order"),
    ]


TWIN_TABLES = (
    "sites", "site_limits", "ratchets", "grid_groups", "fleet", "options", "offer_sites", "deposits", "gpu_lives",
    "collateral",
)  # fmt: skip


def _twin_site(case: Case, site: str) -> dict[str, Rows]:
    tables = {}
    for table in TWIN_TABLES:
        rows = records(case, table)
        halls = {row.option for row in case.options if row.site == site}
        twins = [row for row in rows if row.get("site") == site or ("site" not in row and row.get("option") in halls)]
        tables[table] = rows + [copied(row, "twin", 1.0, {"site", "option"}) for row in twins]
    return tables


def _twin_offer(case: Case, offer: str, homes: Rows) -> dict[str, Rows]:
    tables = {"offer_sites": homes + [row | {"offer": "twin"} for row in homes if row["offer"] == offer]}
    for table in without_offers(case, ()):
        if table != "offer_sites":
            rows = records(case, table)
            tables[table] = rows + [row | {"offer": "twin"} for row in rows if row["offer"] == offer]
    return tables


def relation_24_an_empty_quarter(base: Base, rng: random.Random) -> list[Claim]:
    """After the horizon nothing changes; before it, all is worth a quarter's discounting less.

    In a plain case: nothing in it sees the horizon's end, and machines cost nothing while they stand. One rate for all
    lines. In an empty quarter there is no hashprice, no depth and no G&A, machines stand still (at negative prices they
    might earn by taking power), and nothing starts or is signed.
    """
    case = plain(base.case).replace(discount_rates={"corporate": rng.uniform(0.05, 0.15)})
    before = worth_of(case, base.scenario)
    claims = [equal(worth_of(_longer(case, case.last + 1), base.scenario), before, "a quarter after")]
    decided = [row.quarter for name in ("committed_starts", "committed_contracts") for row in case.rows(name)]
    if min(decided, default=case.first) < case.first:
        return claims
    factor = (1 + case.settings.discount_rates["corporate"]) ** -0.25
    return [*claims, equal(worth_of(_longer(case, case.first - 1), base.scenario), before * factor, "a quarter before")]


def _longer(case: Case, extra: Quarter) -> Case:
    """The case with an empty quarter at one end."""
    model = case.first if extra < case.first else case.last
    empty = {"hashprice_usd_per_ph_day": 0.0, "difficulty_t": None, "fees_btc_per_block": None}
    empty |= {"depth_it_mw": 0.0, "g_and_a_musd": 0.0, "quarter": extra}
    empty |= {"curtailed_hours": float(hours(extra)), "interruptible_usd_per_mw_year": 0.0}

    def more(table: str) -> Rows:
        rows = records(case, table)
        return rows + [
            row | {column: cell for column, cell in empty.items() if column in row}
            for row in rows
            if row["quarter"] == model
        ]

    first = min(case.first, extra)
    return case.replace(
        first_quarter=first,
        quarters=case.settings.quarters + 1,
        site_limits=edited(case, "site_limits", lambda row: {"from_quarter": _begun(row["from_quarter"], case, first)}),
        options=edited(case, "options", lambda row: {"earliest": max(row["earliest"], case.first)}),
        offers=edited(case, "offers", lambda row: _within(row, case)),
        **{table: more(table) for table in ("tariffs", "bitcoin", "product_markets", "overheads")},
    )


def _begun(from_quarter: Quarter, case: Case, first: Quarter) -> Quarter:
    return from_quarter if from_quarter > case.first else min(from_quarter, first)


def _within(row: Row, case: Case) -> Row:
    """An offer's window cut to the horizon; one that closed before it stays closed."""
    if row["window_last"] < case.first:
        shut = case.first - 2
        return {"window_first": shut, "window_last": shut, "price_base_quarter": None, "sign_by": None}
    still = None if row["sign_by"] is None else min(row["sign_by"], case.first - 2)
    closed = row["sign_by"] is not None and row["sign_by"] < case.first
    return {"window_first": max(row["window_first"], case.first), "sign_by": still if closed else None}


def relation_26_a_shorter_lead_time(base: Base, rng: random.Random) -> list[Claim]:
    """Spending and hand-over as they were. Not where a ceiling binds what is in service, nor with lives of GPUs."""
    ceilings = [row for row in base.case.use_limits if row.use != "mining"]
    if ceilings or all(row.lead_quarters < 2 for row in base.case.options):
        return []

    def quick(row: Row, sooner: int) -> Row:
        lead = max(1, row["lead_quarters"] - 1)
        stops = {"mining_stops_quarters": min(row["mining_stops_quarters"], lead)}
        return stops | {"facility_curve": "now", "gpu_curve": "now"} | ({"lead_quarters": lead} if sooner else {})

    now = {"profile": "now", "step": 0, "share": 1.0}
    case = base.case.replace(gpu_lives=[], profiles=[*base.case.profiles, now])
    slow, fast = (
        worth_of(case.replace(options=edited(case, "options", lambda row: quick(row, sooner))), base.scenario)  # noqa: B023
        for sooner in (0, 1)
    )
    return [no_more(slow, fast, "a quarter sooner")]


# ---- contracts --------------------------------------------------------------------------------------------------


def relation_27_a_contract_that_is_the_market(base: Base, rng: random.Random) -> list[Claim]:
    """A contract for a quarter at the market's price, from next to nothing to its depth, in the market's place.

    For a product that one site sells, before the last quarter, and
    without a limit on a customer's share (the market is no customer).
    """
    case = base.case
    places = {p.product: {site for site, name in halls_of(case) if name == p.product} for p in case.products}
    rows = [
        row
        for row in case.product_markets
        if row.scenario == base.scenario and row.depth_it_mw > 0 and len(places[row.product]) == 1
        and row.quarter < case.last
    ]  # fmt: skip
    if not rows:
        return []
    row = rng.choice(rows)
    terms, site = case.product[row.product], next(iter(places[row.product]))
    offer = {
        "offer": "as the market", "customer": "the market", "product": row.product, "min_it_mw": SMALLEST_MW,
        "max_it_mw": row.depth_it_mw, "window_first": row.quarter, "window_last": row.quarter, "term_quarters": 1,
        "escalator": 0.0, "price_base_quarter": None, "power_passed_through": terms.power_passed_through,
        "operating_cost_share": terms.operating_cost_share, "load_factor": terms.load_factor, "ramp": "whole",
        "utilisation": terms.utilisation, "exclusive_group": None,
    }  # fmt: skip
    prices = [
        {"scenario": s.scenario, "offer": "as the market", "price": row.price, "price_basis": row.price_basis}
        for s in case.scenarios
    ]
    shut = [r.model_copy(update={"depth_it_mw": 0.0}) if r is row else r for r in case.product_markets]
    free = {"max_customer_share": None, "max_customer_share_from": None}
    market = base.worth if case.settings.max_customer_share is None else base.replaced(**free)
    contract = base.replaced(
        **free,
        product_markets=shut,
        offers=[*case.offers, offer],
        offer_prices=[*case.offer_prices, *prices],
        offer_sites=[*case.offer_sites, {"offer": "as the market", "site": site}],
        profiles=[*case.profiles, {"profile": "whole", "step": 0, "share": 1.0}],
    )
    return [equal(contract, market, "as a contract", slack=10 * SMALLEST_MW)]


SMALLEST_MW = 1e-5


def relation_28_an_offer_is_signed_or_not(base: Base, rng: random.Random) -> list[Claim]:
    """The better of signing and refusing; refusing is as if the offer had not been made.

    Not where offers are twins: there the later may only be signed after the earlier.
    """
    m = base.model
    if m.component("twin_offers_in_order"):
        return []
    names = list(dict.fromkeys(key[0] for key in m.Y))
    if not names:
        return []
    name = rng.choice(names)
    last: dict[tuple[Any, ...], Any] = {key[:3]: m.Y[key] for key in m.Y if key[0] == name}
    signed = sum(last.values())
    with with_row(m, signed == 1) as model:
        with_it = solved(model)
    with with_row(m, signed == 0) as model:
        without = solved(model)
    best = with_it if with_it.low > without.low else without
    claims = [equal(best, base.worth, f"with {name} {with_it}, without {without}")]
    if name not in named_elsewhere(base.case):
        claims.append(equal(base.replaced(**without_offers(base.case, {name})), without, f"no offer {name}"))
    return claims


def relation_30_a_contract_a_quarter_longer(base: Base, rng: random.Random) -> list[Claim]:
    """A contract that outlives the horizon runs on to its own end: a quarter more is worth what it pays then.

    What it pays by MW, and what the hall is worth when it comes free, is reckoned by the oracle. At least on the old
    plan's contract, at most on the new plan's. Where no rule hangs on a price, and nothing at a contract's end can
    bind: no lives of GPUs, no prepayments.
    """
    case = base.unbound.case.replace(gpu_lives=[], prepayments=[])
    offers = [row for row in case.offers if row.offer not in {r.offer for r in case.committed_contracts}]
    if not offers:
        return []
    name = rng.choice(offers).offer
    term = len(case.horizon) + rng.randint(0, 20)

    def lasting(quarters: int) -> Case:
        offers = edited(case, "offers", lambda row: {"term_quarters": quarters} if row["offer"] == name else {})
        return case.replace(offers=offers)

    short, long = Base(lasting(term), base.scenario), Base(lasting(term + 1), base.scenario)
    return [
        no_more(short.worth + _gain(short, long, short, name), long.worth, "the old contract, longer"),
        no_more(long.worth, short.worth + _gain(short, long, long, name), "the new contract, shorter"),
    ]


def _gain(short: Base, long: Base, signed: Base, name: str) -> float:
    """What the longer term adds to the contract that a plan signs, $M today."""
    m, total = signed.model, 0.0
    for key, y in m.y.items():
        if key[0] == name and signed.of(y) > 0.5:
            size = signed.of(m.q[key]) if key in m.q else m.tiers[key[:2]][0]
            worths = [_worth_per_mw(base, name, key) for base in (short, long)]
            total += size * (worths[1] - worths[0])
    return total


def _worth_per_mw(base: Base, name: str, key: tuple[Any, ...]) -> float:
    _, tier, site, t = key
    offer = base.case.offer[name]
    contract = contracts_of_sizes(base.case, name, site, t, offer.min_it_mw, offer.max_it_mw)[tier]
    deal, case = Deal(Future(base.case, base.scenario), contract), base.case
    vacated, before = Program(case), 0.0
    for q in (case.last + k for k in range(1, max(1, deal.ends - case.last) + 1)):
        worth = residual_musd_per_it_mw(case, offer.product, q)
        vacated.leave(q, {0: -worth * (deal.held(q) - before)}, offer.product)
        before = deal.held(q)
    return deal.bookings.worth.get(0, 0.0) + vacated.worth.get(0, 0.0)


# ---- settings of the solver -------------------------------------------------------------------------------------


def relation_36_other_settings(base: Base, rng: random.Random) -> list[Claim]:
    """Presolve off, another seed, rows times powers of two, columns and rows in another order: intervals overlap."""
    seed = rng.randrange(1, 1000)
    runs = {
        "presolve off": by_highs(base.matrices, {"presolve": "off"}),
        "another seed": by_highs(base.matrices, {"random_seed": seed}),
        "rows scaled": by_highs(_rows_scaled(base.matrices, rng)),
        "reordered": by_highs(_reordered(base.matrices, rng)),
    }
    return [equal(worth_of_outcome(outcome), base.worth, words) for words, outcome in runs.items()]


def _rows_scaled(matrices: Matrices, rng: random.Random) -> Matrices:
    factors = np.array([2.0 ** rng.randint(-3, 3) for _ in matrices.row_low])
    scaled = (matrices.rows.T * factors).T.tocsr()
    return replace(matrices, rows=scaled, row_low=matrices.row_low * factors, row_high=matrices.row_high * factors)


def _reordered(matrices: Matrices, rng: random.Random) -> Matrices:
    i = np.array(rng.sample(range(len(matrices.row_low)), len(matrices.row_low)))
    j = np.array(rng.sample(range(len(matrices.cost)), len(matrices.cost)))
    return replace(
        matrices, cost=matrices.cost[j], low=matrices.low[j], high=matrices.high[j], whole=matrices.whole[j],
        columns=(), rows=matrices.rows[i][:, j].tocsr(), row_low=matrices.row_low[i], row_high=matrices.row_high[i],
    )  # fmt: skip


def relation_40_a_plan_to_begin_with(base: Base, rng: random.Random) -> list[Claim]:
    """Begun from the best plan or from nonsense, the search ends at the same value."""
    found = by_highs(base.matrices)
    assert found.x is not None
    nonsense = np.array(
        [rng.uniform(low, high) for low, high in zip(base.matrices.low, base.matrices.high, strict=True)]
    )
    nonsense = np.where(base.matrices.whole, np.round(nonsense), nonsense)
    return [
        equal(worth_of_outcome(by_highs(base.matrices, start=found.x)), base.worth, "begun from the best plan"),
        equal(worth_of_outcome(by_highs(base.matrices, start=nonsense)), base.worth, "begun from nonsense"),
    ]


RELATIONS: dict[str, Relation] = {
    name: relation
    for name, relation in sorted({**globals(), **vars(relations_of_value)}.items())
    if name.startswith("relation_")
}
