"""docs/value.md works the Moses Lake hall by hand: its numbers are reckoned here from the files, and by the plan."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from pathlib import Path

import pytest
from shared import DATA

import optimizer as opt

ROOT = Path(__file__).parents[1]
FOLDER = DATA / "washington_2025"
CASH = 85.0
NOTES = {
    "facility": "project notes", "commitment_musd": 102.4, "drawn_musd": 0, "available_first": "2026Q1",
    "available_last": "2027Q2", "maturity": "2036Q4", "base_rate": None, "margin": 0.08, "upfront_fee": 0,
    "undrawn_fee": 0, "interest_every_quarters": 1, "loan_to_cost": 0.8, "minimum_cash_musd": None, "dscr": 1.2,
    "dscr_from": "2028Q1", "prepayable": False, "requires_offer": None, "refinances": None,
}  # fmt: skip
SECURED = {"facility": "project notes", "option": "moses-lake-colocation"}


def row(table: str, **of: str) -> dict[str, str]:
    with (FOLDER / f"{table}.csv").open(newline="", encoding="utf-8") as opened:
        return next(r for r in csv.DictReader(opened) if all(r[name] == value for name, value in of.items()))


@cache
def sheet() -> dict[str, tuple[float, float]]:
    """Each line of the hall, undiscounted and as value, $M, with nothing but plain arithmetic."""
    rate = tomllib.loads((FOLDER / "case.toml").read_text("utf-8"))["discount_rates"]["colocation"]
    offer, tenant = row("offers", offer="ai-lab-a-whole-hall"), row("customers", customer="AI lab A")
    price = float(row("offer_prices", offer="ai-lab-a-whole-hall", scenario="base")["price"])
    option, sold_as = row("options", option="moses-lake-colocation"), row("products", product="colocation")
    mw = 18 / float(option["design_ratio"])

    def worth(flows: dict[int, float]) -> tuple[float, float]:
        return sum(flows.values()), sum(musd * (1 + rate) ** (-(t + 0.5) / 4) for t, musd in flows.items())

    capex = mw * float(option["facility_base_musd_per_it_mw"])
    hall = {t: -capex * share for t, share in enumerate((0.10, 0.20, 0.30, 0.25, 0.15))}
    rent = {}
    for j in range(int(offer["term_quarters"])):
        billed = (0.5, 0.75)[j] if j < 2 else 1.0
        rent[6 + j] = mw * price / 4 * (1 + float(offer["escalator"])) ** (j // 4) * billed
    failing = 1 - (1 - float(tenant["yearly_default"])) ** 0.25
    empty, again = int(tenant["relet_quarters"]), float(tenant["relet_rent_share"])
    loss = {}
    for j, t in enumerate(rent):
        lost = sum((1 - failing) ** k * failing * (1 - (again if j - k >= empty else 0.0)) for k in range(j + 1))
        loss[t] = -rent[t] * lost * (1 - float(tenant["recovered_share"]))
    left = mw * float(sold_as["residual_musd_per_it_mw"]) * (1 - 66 / float(sold_as["residual_life_quarters"]))
    lines = {
        "facility_capex": worth(hall),
        "mobilisation": worth({0: -float(option["mobilisation_musd"])}),
        "rent": worth(rent),
        "ai_operating_cost": worth({t: -float(offer["operating_cost_share"]) * musd for t, musd in rent.items()}),
        "expected_loss": worth(loss),
        "residual": (left, left * (1 + rate) ** (-66 / 4)),
    }
    total = tuple(sum(pair[i] for pair in lines.values()) for i in (0, 1))
    return {**lines, "hall": (total[0], total[1])}


@pytest.fixture(scope="module")
def plan() -> opt.Plan:
    return opt.solve(opt.load_case(FOLDER), "base")


@pytest.fixture(scope="module")
def financed() -> opt.Plan:
    case = opt.load_case(FOLDER).replace(opening_cash_musd=CASH, facilities=[NOTES], collateral=[SECURED])
    return opt.solve(case, "base")


def told(plan: opt.Plan, financed: opt.Plan) -> dict[str, str]:
    """What the page says of the two plans, in its words."""
    worth = plan.tables["value"].groupby("line")[["within_musd", "after_musd"]].sum().sum(axis=1)
    first = plan.cash_flow[(plan.cash_flow["line"] == "market_sales")]["musd"].sum()
    mining = plan.kpis["do_nothing_value_musd"] - worth["g_and_a"]
    return {
        "spot": f"${first:.2f}M",
        "machines": f"${worth['machine_sales']:.1f}M against ${mining:.1f}M",
        "over": f"${plan.kpis['value_over_do_nothing_musd']:.1f}M",
        "unlevered": f"{plan.kpis['unlevered_return']:.1%}",
        "payback": plan.kpis["unlevered_payback_quarter"],
        "drawn": f"${financed.debt['draws_musd'].sum():.1f}M",
        "levered": f"{financed.kpis['levered_return']:.1%}",
        "levered_payback": financed.kpis["levered_payback_quarter"],
        "cover": f"{financed.kpis['lowest_dscr']:.2f}",
    }


def test_the_sheet_is_the_plans(plan: opt.Plan) -> None:
    worth = plan.tables["value"].groupby("line")[["within_musd", "after_musd"]].sum().sum(axis=1)
    market = plan.cash_flow[plan.cash_flow["line"] == "market_sales"]
    assert list(market["quarter"]) == ["2027Q2"]
    of_market = -0.18 * float(market["musd"].iloc[0]) * (1 + 0.10) ** (-5.5 / 4)
    for line, (_, musd) in sheet().items():
        if line != "hall":
            assert worth[line] - (of_market if line == "ai_operating_cost" else 0.0) == pytest.approx(musd, abs=1e-6), (
                line
            )


def test_the_page_tells_the_sheet() -> None:
    page = (ROOT / "docs" / "value.md").read_text("utf-8")
    for line, (flat, musd) in sheet().items():
        assert f"| {flat:,.1f} | " in page and f"{musd:,.1f}" in page, line


def test_the_page_tells_the_plans(plan: opt.Plan, financed: opt.Plan) -> None:
    """A fair loan moves no value, and the shareholders' return."""
    page = (ROOT / "docs" / "value.md").read_text("utf-8")
    assert [words for words in told(plan, financed).values() if words not in page] == []
    assert financed.kpis["value_over_do_nothing_musd"] == pytest.approx(
        plan.kpis["value_over_do_nothing_musd"], abs=1e-6
    )
    assert financed.kpis["unlevered_return"] == pytest.approx(plan.kpis["unlevered_return"], abs=1e-6)
