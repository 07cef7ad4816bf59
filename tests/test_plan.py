"""A plan adds up, and its folder gives it back whole or not at all."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from math import fsum, isnan
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import DATA, ROOT
from rich.console import Console
from small_cases import tiny_case
from test_checks import START, full_case

import optimizer as opt
from optimizer.case.case import Case
from optimizer.case.folder import input_hashes
from optimizer.ground.quarters import Quarter
from optimizer.plan.folder import load_plan, save_plan
from optimizer.plan.plan import Status
from optimizer.plan.tables import TABLES
from optimizer.telling.summary import print_summary


@pytest.fixture(scope="session")
def committed(case: Case) -> opt.Plan:
    """A plan with a start before the horizon, debts, and a budget that binds."""
    return opt.solve(
        case.replace(
            committed_starts=[START],
            capex_budget_musd=17,
            obligations=[
                {"quarter": "2027Q2", "name": "note", "kind": "interest", "musd": 2.5},
                {"quarter": "2027Q4", "name": "note", "kind": "principal", "musd": 31},
                {"quarter": "2028Q1", "name": "land", "kind": "asset_sale", "musd": 7},
            ],
        )
    )


@pytest.fixture(scope="session")
def bought(washington: Case) -> opt.Plan:
    return opt.solve(washington, "headline", gap=0.02)


@pytest.fixture(scope="session")
def everything() -> opt.Plan:
    """A plan that borrows, refinances, buys and sells machines, keeps BTC and delivers late what pays well enough."""
    return opt.solve(eager_case(450, allow_planned_lateness=True), "base")


@pytest.fixture(scope="session")
def renewing() -> opt.Plan:
    """The same company with more cash, which builds its GPU hall so early that its GPUs are renewed."""
    return opt.solve(eager_case(330, opening_cash_musd=60), "base")


def eager_case(price: float, **changes: Any) -> Case:
    """The full case, whose phased offer pays so much, and whose GPUs bring more and leave no hall to let again."""
    case = full_case()
    prices, hours, lives, late = (
        case.table(name).to_dict("records")
        for name in ("offer_prices", "product_markets", "gpu_lives", "late_delivery")
    )
    return case.replace(
        offer_prices=[row | ({"price": price} if row["offer"] == "phases" else {}) for row in prices],
        product_markets=[row | ({"price": 4.5} if row["product"] == "gpu" else {}) for row in hours],
        gpu_lives=[row | {"relet_product": None, "refit_musd_per_it_mw": None} for row in lives],
        late_delivery=[row | {"deadline": "2027Q3"} for row in late],
        **changes,
    )


@pytest.fixture(scope="session")
def low() -> opt.Plan:
    """The same company in its other future."""
    return opt.solve(full_case(), "low")


@pytest.fixture(scope="session")
def bitfarms() -> opt.Plan:
    return opt.solve(opt.load_case(DATA / "bitfarms_2025"), gap=0.02, time_limit=600)


@pytest.fixture(scope="session")
def keel() -> opt.Plan:
    return opt.solve(opt.load_case(DATA / "keel_2026"), gap=0.02, time_limit=600)


SLOW = [pytest.param(name, marks=pytest.mark.campaign) for name in ("bitfarms", "keel")]


@pytest.fixture(params=["plan", "committed", "bought", "everything", "renewing", "low", *SLOW])
def any_plan(request: pytest.FixtureRequest) -> opt.Plan:
    solved: opt.Plan = request.getfixturevalue(request.param)
    return solved


def exactly(musd: float) -> object:
    """To a thousandth of a dollar, which is what tables are kept to."""
    return pytest.approx(musd, rel=0, abs=1e-9)


# ---- sums ---------------------------------------------------------------------------------------------------------


def test_the_plans_of_these_tests_do_something(
    plan: opt.Plan, committed: opt.Plan, bought: opt.Plan, everything: opt.Plan, renewing: opt.Plan
) -> None:
    assert all(len(p.starts) and len(p.contracts) and len(p.capex) for p in (plan, committed, bought))
    assert set(committed.starts["decided"]) == {"committed"}
    assert not [name for name in TABLES if everything.tables[name].empty and renewing.tables[name].empty]
    owing = pd.concat([everything.debt, renewing.debt])["facility"]
    assert set(owing) == {"note", "new note"}
    assert everything.btc["closing_btc"].max() > 0


@pytest.mark.core
def test_cash_flow_carries_opening_to_closing_cash_in_every_quarter(any_plan: opt.Plan) -> None:
    assert list(any_plan.cash["quarter"]) == [str(t) for t in any_plan.case.horizon]
    closing = any_plan.case.settings.opening_cash_musd
    for row in any_plan.cash.itertuples():
        flows = any_plan.cash_flow[any_plan.cash_flow["quarter"] == row.quarter]["musd"]
        assert row.opening_musd == exactly(closing)
        assert row.net_musd == exactly(fsum(flows))
        assert row.closing_musd == exactly(row.opening_musd + row.net_musd)
        closing = row.closing_musd
    assert any_plan.kpis["lowest_cash_musd"] == any_plan.cash["closing_musd"].min()


def test_cash_and_the_btc_that_count_never_fall_below_the_minimum(any_plan: opt.Plan) -> None:
    case = any_plan.case
    counted = case.settings.btc_liquidity_share or 0.0
    held = any_plan.btc.set_index("quarter")["market_value_musd"]
    for row in any_plan.cash.itertuples():
        liquid = row.closing_musd + counted * held.get(row.quarter, 0.0)
        assert liquid >= case.settings.minimum_cash_musd - 1e-6
    for line in any_plan.debt.itertuples():
        asked = case.facility[line.facility].minimum_cash_musd
        cash = any_plan.cash.set_index("quarter")["closing_musd"][line.quarter]
        assert asked is None or line.closing_musd <= 1e-6 or cash >= asked - 1e-6


def test_the_statement_adds_up_from_top_to_bottom(any_plan: opt.Plan) -> None:
    statement = any_plan.statement
    assert statement.drop(index="closing_cash").sum().to_numpy() == pytest.approx(
        statement.loc["closing_cash"].to_numpy(), abs=1e-6
    )


def test_every_facility_rolls_forward(any_plan: opt.Plan) -> None:
    """From what was drawn at first to nothing at maturity; a quarter without a row had nothing to tell."""
    for facility in any_plan.case.facilities:
        closing, drawn = facility.drawn_musd, facility.drawn_musd
        rows = any_plan.debt[any_plan.debt["facility"] == facility.facility]
        for row in rows.itertuples():
            assert row.opening_musd == exactly(closing)
            assert row.closing_musd == exactly(row.opening_musd + row.draws_musd - row.repayments_musd)
            assert min(row.closing_musd, row.draws_musd, row.repayments_musd) >= 0
            closing, drawn = row.closing_musd, drawn + row.draws_musd
        assert drawn <= facility.commitment_musd + 1e-6
        assert closing == exactly(0) or facility.maturity > any_plan.case.last
        assert rows["quarter"].is_monotonic_increasing


@pytest.mark.parametrize("line", ["principal", "interest", "fee"])
def test_lines_of_debt_are_what_facilities_and_obligations_pay(any_plan: opt.Plan, line: str) -> None:
    """In every quarter, at no site: what secures a facility may stand at several."""
    case, debt = any_plan.case, any_plan.debt
    musd = {
        "principal": debt["draws_musd"] - debt["repayments_musd"],
        "interest": -debt["interest_musd"],
        "fee": -debt["fees_musd"],
    }[line]
    flows = any_plan.cash_flow[any_plan.cash_flow["line"] == line]
    for t in case.horizon:
        paid = flows[flows["quarter"] == str(t)]
        assert set(paid["site"]) <= {""}
        owed = [o.musd for o in case.obligations if o.quarter == t and o.kind == line]
        assert fsum(paid["musd"]) == exactly(fsum(musd[debt["quarter"] == str(t)]) - fsum(owed))


def test_btc_held_rolls_forward(any_plan: opt.Plan) -> None:
    case, held = any_plan.case, any_plan.case.settings.btc_held or 0.0
    sales = any_plan.cash_flow[any_plan.cash_flow["line"] == "btc_sales"].groupby("quarter")["musd"].sum()
    mined = any_plan.mining.set_index("quarter")["btc_mined"]
    prices = {str(t): case.bitcoin_market[any_plan.scenario, t].btc_usd / 1e6 for t in case.horizon}
    for row in any_plan.btc.itertuples():
        assert row.opening_btc == exactly(held)
        assert row.mined_btc == exactly(mined[row.quarter])
        # four numbers, each rounded to the ninth decimal
        assert row.closing_btc == pytest.approx(row.opening_btc + row.mined_btc - row.sold_btc, rel=0, abs=2e-9)
        assert row.market_value_musd == exactly(row.closing_btc * prices[row.quarter])
        kept = row.closing_btc - row.opening_btc
        assert sales.get(row.quarter, 0.0) == pytest.approx(-kept * prices[row.quarter], abs=1e-8)
        held = row.closing_btc
    assert len(any_plan.btc) in (0, len(case.horizon))


def test_cost_of_a_btc_is_what_the_lines_say(any_plan: opt.Plan) -> None:
    paid = any_plan.cash_flow.pivot_table(index="quarter", columns="line", values="musd", aggfunc="sum").fillna(0.0)
    for row in any_plan.mining.itertuples():
        lines = paid.loc[row.quarter] if row.quarter in paid.index else {}
        power = -lines.get("mining_power", 0.0) - lines.get("interruptible_income", 0.0)
        site, company = -lines.get("mining_site_cost", 0.0), -lines.get("g_and_a", 0.0)
        assert row.mining_cash_cost_musd == pytest.approx(power + site, abs=1e-8)
        if row.btc_mined == 0:
            assert isnan(row.direct_cash_cost_usd_per_btc)
            assert isnan(row.total_cash_cost_usd_per_btc)
            continue
        assert row.direct_cash_cost_usd_per_btc * row.btc_mined == pytest.approx(power * 1e6, rel=1e-6, abs=1e-2)
        total = (power + site + company) * 1e6
        assert row.total_cash_cost_usd_per_btc * row.btc_mined == pytest.approx(total, rel=1e-6, abs=1e-2)


def test_machines_that_come_and_go_are_the_change_of_what_is_installed(any_plan: opt.Plan) -> None:
    case = any_plan.case
    mines = any_plan.allocation[any_plan.allocation["use"].isin(["mining", "machines_idle"])]
    installed = mines.groupby(["site", "detail", "quarter"])["gross_mw"].sum()
    moves = any_plan.machines.set_index(["site", "asic", "quarter"])
    for site in case.site:
        for asic in case.asic:
            market = case.machine_market.get(asic)
            before = fsum(case.fleet_gross_mw(row) for row in case.fleet if (row.site, row.asic) == (site, asic))
            for t in case.horizon:
                ordered = (site, asic, str(t - (market.delivery_quarters if market else 0)))
                delivered = moves["bought_gross_mw"].get(ordered, 0.0)
                came, left, sold, retired = (
                    moves[f"{what}_gross_mw"].get((site, asic, str(t)), 0.0)
                    for what in ("arrived", "moved_away", "sold", "retired")
                )
                now = installed.get((site, asic, str(t)), 0.0)
                assert now == pytest.approx(before + delivered + came - left - sold - retired, abs=1e-6)
                before = now
    away, arrived = any_plan.machines["moved_away_gross_mw"].sum(), any_plan.machines["arrived_gross_mw"].sum()
    assert away == pytest.approx(arrived, abs=1e-6)


def test_what_is_late_is_part_of_a_contract_that_may_be(any_plan: opt.Plan) -> None:
    sizes = any_plan.contracts.set_index("offer")
    limits = {row.offer: row.deadline + row.walk_away_quarters for row in any_plan.case.rows("late_delivery")}
    for row in any_plan.late.itertuples():
        signed = sizes.loc[row.offer]
        assert 0 < row.missing_it_mw <= signed["it_mw"] + 1e-6
        assert signed["delivery_quarter"] <= row.quarter < str(limits[row.offer])
        assert signed["site"] == row.site


def test_a_refresh_is_paid_when_a_life_of_gpus_ends(renewing: opt.Plan) -> None:
    """2 IT MW in service in the start's third quarter live four quarters; new GPUs cost $3M per IT MW."""
    (row,) = renewing.refreshes.itertuples()
    served = renewing.starts.set_index(["option", "start_quarter"])["service_quarter"]
    assert (row.option, row.blocks, row.it_mw) == ("gpu hall", 1, 2)
    assert Quarter.parse(row.refresh_quarter) == Quarter.parse(served[row.option, row.start_quarter]) + 4
    gpus = renewing.capex[renewing.capex["line"] == "gpu_capex"]
    assert fsum(gpus[gpus["quarter"] == row.refresh_quarter]["musd"]) == exactly(6)


@pytest.mark.core
def test_uses_of_a_site_add_up_to_its_limit_in_every_quarter(any_plan: opt.Plan) -> None:
    used = any_plan.allocation.groupby(["site", "quarter"])["gross_mw"].sum()
    limits = {(s, str(t)): mw for (s, t), mw in any_plan.case.limit_gross_mw.items()}
    assert used.to_dict() == pytest.approx(limits, abs=1e-6)
    assert any_plan.allocation["gross_mw"].min() >= 0


@pytest.mark.core
def test_value_is_the_sum_of_the_value_table(any_plan: opt.Plan) -> None:
    within, after = any_plan.value["within_musd"].sum(), any_plan.value["after_musd"].sum()
    assert within + after == pytest.approx(any_plan.value_musd, abs=1e-6)
    assert any_plan.kpis["value_musd"] == any_plan.value_musd
    assert any_plan.kpis["value_after_horizon_musd"] == pytest.approx(after, abs=1e-9)


def test_value_after_the_horizon_is_the_flows_after_it_discounted(any_plan: opt.Plan) -> None:
    later = any_plan.after_horizon
    assert (later["quarter"] > str(any_plan.case.last)).all()
    discounted = fsum(later["musd"] * later["factor"])
    assert discounted == pytest.approx(any_plan.kpis["value_after_horizon_musd"], abs=1e-6)


def test_capex_adds_up_to_its_kpi_and_stays_within_budget(any_plan: opt.Plan) -> None:
    spent = fsum(any_plan.capex["musd"])
    assert spent == pytest.approx(any_plan.kpis["capex_musd"], abs=1e-6)
    assert 0 < spent <= any_plan.case.settings.capex_budget_musd + 1e-6
    paid = any_plan.cash_flow[any_plan.cash_flow["line"].isin(any_plan.capex["line"].unique())]["musd"]
    assert fsum(paid) == pytest.approx(-spent, abs=1e-6)


def test_new_starts_cost_what_their_capex_says(plan: opt.Plan) -> None:
    """Nothing was started before the horizon and the curves end in it: the starts' totals are the spending."""
    totals = plan.starts[["facility_capex_musd", "gpu_capex_musd"]].to_numpy().sum()
    assert totals == pytest.approx(plan.kpis["capex_musd"], abs=1e-6)


def test_it_capacity_is_contracted_sold_or_vacant(any_plan: opt.Plan) -> None:
    c = any_plan.capacity
    parts = c["contracted_it_mw"] + c["market_it_mw"] + c["vacant_it_mw"]
    assert parts.to_numpy() == pytest.approx(c["usable_it_mw"].to_numpy(), abs=1e-6)
    assert (c["usable_it_mw"] <= c["in_service_it_mw"] + 1e-9).all()
    assert c["vacant_it_mw"].min() >= -1e-9


def test_obligations_reach_the_cash_once(committed: opt.Plan) -> None:
    flow = committed.cash_flow.groupby(["line", "quarter"])["musd"].sum()
    assert (flow["interest", "2027Q2"], flow["principal", "2027Q4"], flow["asset_sale", "2028Q1"]) == (-2.5, -31, 7)
    assert "principal" not in set(committed.value["line"])


def test_the_bound_is_not_below_the_value(any_plan: opt.Plan) -> None:
    assert any_plan.bound_musd >= any_plan.value_musd
    assert any_plan.gap_musd == any_plan.bound_musd - any_plan.value_musd
    assert any_plan.gap <= any_plan.provenance["options"]["gap"] + 1e-12


def test_doing_nothing_starts_and_signs_nothing(plan: opt.Plan) -> None:
    k = plan.kpis
    assert k["value_over_do_nothing_musd"] == pytest.approx(k["value_musd"] - k["do_nothing_value_musd"])
    assert plan.nothing is not None
    cash = plan.nothing["cash"]
    assert plan.nothing["starts"].empty and plan.nothing["contracts"].empty
    assert k["do_nothing_lowest_cash_musd"] == cash["closing_musd"].min()
    # machines only: 800 of opening cash and everything that comes in
    assert cash.iloc[-1]["closing_musd"] == pytest.approx(800 + fsum(plan.nothing["cash_flow"]["musd"]), abs=1e-6)


@pytest.mark.parametrize("status", ["limit", "interrupted"])
def test_a_plan_that_is_not_proven_says_so(plan: opt.Plan, status: Status) -> None:
    unproven = replace(plan, status=status, bound_musd=plan.value_musd + 1)
    assert unproven.status_words.startswith("NOT PROVEN")
    assert "$1.000M" in unproven.status_words
    assert "NOT PROVEN" not in plan.status_words


# ---- the folder ---------------------------------------------------------------------------------------------------


@pytest.mark.core
def test_a_saved_plan_loads_exactly(any_plan: opt.Plan, tmp_path: Path) -> None:
    again = load_plan(save_plan(any_plan, tmp_path / "plan"))
    assert set(again.tables) == set(any_plan.tables) == set(TABLES)
    for name, table in any_plan.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, check_exact=True, check_dtype=len(table) > 0)
    assert again.record() == any_plan.record()
    assert (again.run, again.log) == (any_plan.run, any_plan.log)
    assert input_hashes(again.case) == input_hashes(any_plan.case) == again.provenance["inputs_sha256"]


@pytest.mark.parametrize("name", ["mining", "machines", "btc", "debt", "late", "refreshes"])
def test_numbers_of_a_saved_table_are_numbers_again(
    everything: opt.Plan, renewing: opt.Plan, tmp_path: Path, name: str
) -> None:
    """A cost per BTC without BTC is blank in the file, and no number again."""
    plan = renewing if name == "refreshes" else everything
    folder = save_plan(plan, tmp_path / "plan")
    table, again = plan.tables[name], load_plan(folder).tables[name]
    assert len(table)
    for column in table.columns:
        words = column in WORDS or column.endswith("quarter")
        assert (pd.api.types.is_float_dtype(again[column])) != words, column
    pd.testing.assert_frame_equal(again, table, check_exact=True)
    if name == "mining":
        assert everything.mining.iloc[-1]["btc_mined"] == 0
        assert again["direct_cash_cost_usd_per_btc"].isna().tolist() == [False] * 9 + [True]
        assert (folder / "mining.csv").read_text().splitlines()[-1].endswith(",,")


WORDS = ("scenario", "site", "asic", "facility", "offer", "option")


def test_a_plan_loads_without_a_solver(plan: opt.Plan, tmp_path: Path) -> None:
    folder = save_plan(plan, tmp_path / "plan")
    code = (
        "import sys, optimizer as opt\n"
        "plan = opt.load_plan(sys.argv[1])\n"
        "plan.statement, plan.megawatts, plan.to_json()\n"
        "print([m for m in ('highspy', 'pyomo', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_plan_without_a_do_nothing_plan_beside_it(tmp_path: Path) -> None:
    """A lease is signed and no hall begun: doing nothing cannot keep it, so nothing is compared with that."""
    plan = opt.solve(
        tiny_case(committed_contracts=[{"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}])
    )
    assert plan.starts["it_mw"].sum() >= 8
    assert plan.kpis["do_nothing_value_musd"] is plan.kpis["value_over_do_nothing_musd"] is None
    assert plan.kpis["unlevered_return"] is None
    assert plan.nothing is None
    opt.save_plan(plan, tmp_path / "plan")
    again = opt.load_plan(tmp_path / "plan")
    assert again.nothing is None
    out = io.StringIO()
    print_summary(again, Console(width=110, file=out))
    assert "doing nothing keeps neither commitments nor policies" in out.getvalue()
