"""What differs between plans: nothing against itself, signs that turn, intervals that hold, doubts said first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import Run, mining_case
from pairs import pair_of_plans, scaled

import optimizer as opt
from optimizer.case.schema import Settings
from optimizer.ground.errors import PlanError
from optimizer.questions.compare import Comparison
from optimizer.questions.compare.inputs import change_lines, input_changes


@pytest.fixture(scope="module")
def tight(case: opt.Case) -> opt.Plan:
    """The tiny case with dearer power, a smaller budget and lower prices in every quarter."""
    return opt.solve(
        case.replace(
            tariffs=scaled(case.tariffs, "energy_usd_per_mwh", 1.1),
            capex_budget_musd=0,
            minimum_cash_musd=1.5,
        )
    )


@pytest.mark.core
def test_a_plan_against_itself_is_empty(plan: opt.Plan) -> None:
    comparison = opt.compare(plan, plan)
    assert comparison.empty
    (pair,) = comparison.pairs
    assert (pair.value.change_musd, pair.value.low_musd, pair.value.high_musd) == (0.0, 0.0, 0.0)
    assert "Nothing differs" in comparison.summary()
    assert "the same plan" in comparison.summary()


@pytest.mark.parametrize("seed", range(3))
def test_the_other_way_round_every_change_turns(seed: int) -> None:
    a, b, _ = pair_of_plans(seed)
    (there,), (back,) = opt.compare(a, b).pairs, opt.compare(b, a).pairs
    assert there.value.change_musd == -back.value.change_musd
    assert (there.value.low_musd, there.value.high_musd) == (-back.value.high_musd, -back.value.low_musd)
    assert len(there.moved) == len(back.moved)
    for name, change in (("megawatts", "change_gross_mw"), ("money", "change_musd"), ("kpis", "change")):
        was, now = there.tables[name], back.tables[name]
        assert was[change].fillna(0).to_numpy() == pytest.approx(-now[change].fillna(0).to_numpy(), abs=1e-12)
    assert list(there.inputs["old"]) == list(back.inputs["new"]) or sorted(there.inputs["old"]) == sorted(
        back.inputs["new"]
    )


@pytest.mark.core
def test_figures_are_those_of_the_plans(plan: opt.Plan, tight: opt.Plan) -> None:
    (pair,) = opt.compare(plan, tight).pairs
    for quarter in plan.cash["quarter"]:
        rows = pair.money[(pair.money["quarter"] == quarter) & (pair.money["figure"] == "closing_cash")]
        cash = [float(p.cash.set_index("quarter").at[quarter, "closing_musd"]) for p in (plan, tight)]
        assert float(rows["change_musd"].sum()) == pytest.approx(cash[1] - cash[0])
    changes = pair.megawatts.groupby("quarter")["change_gross_mw"].sum()
    assert changes.to_numpy() == pytest.approx(0.0, abs=1e-9), "the uses of both add up to the same grid limit"


def test_intervals_hold_what_the_best_plans_differ_by() -> None:
    """Two loose plans: what they could be worth at best differs by something inside the interval."""
    a, b, _ = pair_of_plans(4)
    loose = [opt.solve(plan.case, plan.scenario, gap=0.9) for plan in (a, b)]
    span = opt.compare(*loose).pairs[0].value
    assert span.low_musd - 1e-9 <= b.value_musd - a.value_musd <= span.high_musd + 1e-9


def test_fault_124_a_difference_within_the_gaps_is_not_distinguishable(plan: opt.Plan, tight: opt.Plan) -> None:
    wide = replace(plan, bound_musd=plan.bound_musd + 1000), replace(tight, bound_musd=tight.bound_musd + 1000)
    comparison = opt.compare(*wide)
    assert not comparison.pairs[0].value.distinguishable
    assert "not distinguishable: between" in comparison.summary()
    assert opt.compare(plan, tight).pairs[0].value.distinguishable


# ---- inputs -------------------------------------------------------------------------------------------------------


def lines(a: opt.Case, b: opt.Case) -> list[str]:
    return [words for _, words in change_lines(input_changes(a, b, "base", "base"))]


def test_a_whole_path_scaled_is_one_line() -> None:
    case = mining_case()
    count = len(case.horizon)
    told = lines(case, case.replace(tariffs=scaled(case.tariffs, "energy_usd_per_mwh", 1.1)))
    assert told and all(f"energy_usd_per_mwh {count} quarters, {case.first} to {case.last}, " in line for line in told)
    table = opt.compare(
        *(opt.solve(c) for c in (case, case.replace(overheads=scaled(case.overheads, "g_and_a_musd", 2))))
    )
    assert len(table.pairs[0].inputs) == count
    assert set(table.pairs[0].inputs["column"]) == {"g_and_a_musd"}


def test_alike_shares_amounts_and_ranges() -> None:
    case = mining_case()
    rows = list(case.bitcoin)

    def told(prices: Sequence[float], new: Sequence[float]) -> str:
        old, other = (
            [row.model_copy(update={"btc_usd": price}) for row, price in zip(rows, values, strict=True)]
            for values in (prices, new)
        )
        (line,) = lines(case.replace(bitcoin=old), case.replace(bitcoin=other))
        return line

    steps = range(len(rows))
    prices = [50_000.0 + 1_000 * i for i in steps]
    assert "+10% each (50,000.." in told(prices, [1.1 * price for price in prices])
    assert "% to +" in told(prices, [price + 5_000 * (i + 1) for i, price in enumerate(prices)])
    one = told(prices, [*prices[:-1], 99_000.0])
    assert one == f"bitcoin: btc_usd {case.last}, {prices[-1]:,.6g} -> 99,000"


def test_settings_rows_of_one_case_and_key_columns() -> None:
    case = mining_case()
    other = case.replace(capex_level="high", cash_rate=0.02, fleet=case.fleet[1:], discount_rates={"corporate": 0.2})
    told = lines(case, other)
    gone = case.fleet[0]
    assert f"fleet {gone.site}, {gone.asic}: only in the first" in told
    settings = "; ".join(line for line in told if line.startswith("case.toml"))
    for part in ("capex_level base -> high", "cash_rate blank -> 0.02", "discount_rates.corporate"):
        assert part in settings


def test_names_in_any_script_and_with_marks_come_through(tmp_path: Path, run: Run, plan: opt.Plan) -> None:
    """Nothing in a name is taken for a colour or a command of the terminal."""
    title = "[bold]منجم[/bold] [link=x]{0}%s"
    folders = [opt.save_plan(p, tmp_path / name) for p, name in ((plan, "a"), (titled(title), "ب"))]
    code, out, _ = run("compare", *folders, "--csv", tmp_path / "tables")
    assert code == 0
    assert title in out
    assert title in (tmp_path / "tables" / "inputs.csv").read_text(encoding="utf-8")


def titled(title: str) -> opt.Plan:
    return opt.solve(mining_case().replace(title=title))


# ---- grounds ------------------------------------------------------------------------------------------------------


def test_fault_123_what_is_unlike_as_a_whole_is_said_first(plan: opt.Plan, tight: opt.Plan) -> None:
    rates = opt.solve(plan.case.replace(discount_rates={"corporate": 0.2}))
    edited = replace(tight, edited=("cash.csv was changed",))
    stale = replace(tight, provenance={**tight.provenance, "inputs_sha256": {}})
    for other, words in ((rates, "Discount rates: corporate"), (edited, "was edited"), (stale, "is stale")):
        assert any(words in sentence for sentence in opt.compare(plan, other).pairs[0].grounds)


def test_fault_123_other_money_is_refused(plan: opt.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {name: getattr(plan.case.settings, name) for name in Settings.model_fields}
    euros = Settings.model_construct(**values | {"currency": "EUR"})
    with pytest.raises(PlanError, match="currency of the plans is USD and EUR"):
        opt.compare(plan, replace(plan, case=replace(plan.case, settings=euros)))


# ---- as seen from outside -----------------------------------------------------------------------------------------


def test_three_plans_stand_side_by_side(plan: opt.Plan, tight: opt.Plan) -> None:
    third = opt.solve(plan.case.replace(minimum_cash_musd=0.75))
    comparison = opt.compare(plan, tight, third)
    assert isinstance(comparison, Comparison)
    assert len(comparison.pairs) == 2
    assert len(set(comparison.names)) == 3
    values = comparison.kpis.set_index("kpi").loc["value_musd"]
    assert list(values) == [p.kpis["value_musd"] for p in (plan, tight, third)]
    assert {"inputs", "inputs-3", "all_kpis"} <= set(comparison.tables)
    assert "All plans side by side" in comparison.summary()


def test_the_command_tells_writes_and_solves(tmp_path: Path, run: Run, plan: opt.Plan, tight: opt.Plan) -> None:
    folders = [opt.save_plan(p, tmp_path / name) for p, name in ((plan, "a"), (tight, "b"))]
    code, out, _ = run("compare", *folders)
    assert code == 0
    assert out.index("Decisions that moved") < out.index("Inputs that differ")
    assert "Where the difference in value comes from" not in out

    code, out, _ = run("compare", *folders, "--json", "--csv", tmp_path / "tables", "--bridge")
    record = json.loads(out)
    assert code == 0
    assert record["pairs"][0]["value"]["change_musd"] == pytest.approx(tight.value_musd - plan.value_musd)
    bridge = pd.read_csv(tmp_path / "tables" / "bridge.csv")
    assert bridge["line_musd"].sum() == pytest.approx(tight.value_musd - plan.value_musd)
    assert (folders[1] / "studies" / f"bridge-{plan.run_id}" / "study.json").exists()

    code, out, _ = run("compare", *folders)
    assert "Where the difference in value comes from" in out, "a bridge that is kept is told again"
    code, _, err = run("compare", *folders, "--csv", tmp_path / "tables")
    assert code != 0
    assert "name a new folder" in err
