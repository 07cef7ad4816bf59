"""Studies of a plan, made up in the form that the studies have, so that decks can be tried without solving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import optimizer as opt
from optimizer.plan.decisions import decisions_of
from optimizer.questions.studies.study import Study, save_study

NAN = float("nan")
SHARES = ["decision", "words", "plans", "share", "otherwise_musd", "otherwise_bound_musd", "verdict"]
DRIVERS = (
    ("hashprice", "hashprice of every quarter", "x of the case", 0.7, 1.0, 1.3, -55.5, 88.0),
    ("rent colocation", "mean rent of colocation", "$/kW-month", 120.0, 154.0, 185.0, -92.25, 101.4),
    ("facility_capex", "Facility capex", "$M per IT MW", 8.0, 9.5, 11.0, 61.2, -74.9),
    ("discount", "Discount rate of colocation", "% a year", 9.0, 11.0, 13.0, 38.1, -29.7),
    ("power", "Price of power", "x of the case", 0.9, 1.0, 1.1, 9.6, -9.4),
    ("delay", "Delay of every hall", "quarters", 0.0, 0.0, 2.0, 0.0, -31.15),
    ("g_and_a", "G&A", "$M a quarter", 14.0, 17.0, 20.0, 22.0, -22.0),
    ("difficulty", "Growth of difficulty", "% a month", 1.4, 1.9, 2.2, 12.0, -4.6),
    ("residual", "Residual value of halls", "$M per IT MW", 0.0, 4.0, 6.0, NAN, 1.5),
)


def studies_of(plan: opt.Plan, scenarios: tuple[str, ...] = ("base", "low", "high")) -> dict[str, Study]:
    """A study of each kind that a deck tells, all of this plan's run."""
    about = {"case": plan.case.settings.name, "scenario": plan.scenario, "run_id": plan.run_id, "gap": plan.gap}
    made = (
        tornado(plan, about),
        breakevens(plan, about),
        frontier(plan, about),
        alternatives(plan, about),
        regret(plan, about, scenarios),
    )
    return {study.kind: study for study in made}


def save_studies(plan: opt.Plan, folder: Path) -> None:
    for kind, study in studies_of(plan).items():
        save_study(study, folder / "studies" / kind)


def tornado(plan: opt.Plan, about: dict[str, Any]) -> Study:
    value = plan.value_musd
    rows = [
        {
            "driver": name, "words": words, "unit": unit, "low": low, "base": base, "high": high,
            "value_low_musd": value + down, "value_high_musd": value + up,
            "kept_low_musd": value + down - 3, "kept_high_musd": value + up - 2,
            "bound_low_musd": value + down, "bound_high_musd": value + up,
        }
        for name, words, unit, low, base, high, down, up in DRIVERS
    ]  # fmt: skip
    title = "Rent of colocation moves the value most"
    return Study("tornado", title, (), {"drivers": pd.DataFrame(rows)}, {**about, "value_musd": value})


def breakevens(plan: opt.Plan, about: dict[str, Any]) -> Study:
    columns = [
        "subject", "question", "driver", "unit", "base", "below", "above", "decision_below", "decision_above",
        "value_below_musd", "value_above_musd", "found", "words",
    ]  # fmt: skip
    names = [site.site for site in plan.case.sites]
    rows = [
        (names[0], "price of rent at which it converts", "rent", "$/kW-month", 160.0, 142.5, 143.0, "mines on",
         "converts", plan.value_musd - 20, plan.value_musd - 19, "yes",
         f"Below $142.5 per kW-month {names[0]} mines on"),
        (names[-1], "hashprice at which it mines on", "hashprice", "$/PH/day", 39.1, 61.0, 62.0, "converts",
         "mines on", plan.value_musd + 9, plan.value_musd + 10, "yes",
         f"Above $62 per PH and day {names[-1]} mines on"),
        ("first offer", "facility capex at which it is refused", "capex", "$M per IT MW", 9.5, 10.8, 10.9, "signed",
         "refused", plan.value_musd - 50, plan.value_musd - 51, "yes", "Above $10.9M per IT MW it is refused"),
        ("every hall", "delay at which none is built", "delay", "quarters", 0.0, NAN, NAN, "", "", NAN, NAN, "no",
         "Up to 6 quarters of delay every hall is still built"),
    ]  # fmt: skip
    return Study("breakevens", "", (), {"breakevens": pd.DataFrame(rows, columns=columns)}, about)


def frontier(plan: opt.Plan, about: dict[str, Any]) -> Study:
    budget, value = plan.kpis["capex_budget_musd"], plan.value_musd
    rows = [
        {"budget_musd": share * budget, "value_musd": value - loss, "bound_musd": value - loss,
         "over_nothing_musd": NAN, "capex_musd": 0.0, "lowest_cash_musd": 0.0, "decisions": ""}
        for share, loss in ((0.4, 30.1), (0.6, 12.0), (0.8, 4.4), (1.0, 0.0), (1.2, -3.25), (1.6, -3.5))
    ]  # fmt: skip
    return Study("frontier", "", (), {"points": pd.DataFrame(rows)}, {**about, "budget_musd": budget})


def alternatives(plan: opt.Plan, about: dict[str, Any]) -> Study:
    decided = list(decisions_of(plan).each().items()) or [("none", "nothing is started and nothing signed")]
    value = plan.value_musd
    rows = [
        (1, value, 0.0, "", "the plan"),
        (2, value - 1.13, 1.13, "start", f"without: {decided[0][1]}"),
        (3, value - 2.94, 2.94, "start", f"one quarter later: {decided[-1][1]}"),
        (4, value - 5.02, 5.02, "sign", "another tenant in the same hall, at the same size and a shorter term"),
    ]
    table = pd.DataFrame(rows, columns=["number", "value_musd", "gives_up_musd", "differs_by", "words"])
    each = [(number, key, words) for number in (1, 2, 3, 4) for key, words in decided]
    every = "in every plan within 2%: without it every plan is worth at least $5.1M less"
    some = "not in every plan within 2%: the best without it is worth $1.1M less"
    shares = [
        (key, words, 4 if i else 2, 1.0 if i else 0.5, value - (9.0 if i else 1.1), value - (9.0 if i else 1.1),
         every if i else some)
        for i, (key, words) in enumerate(decided)
    ]  # fmt: skip
    tables = {
        "alternatives": table,
        "decisions": pd.DataFrame(each, columns=["number", "decision", "words"]),
        "shares": pd.DataFrame(shares, columns=SHARES),
    }
    return Study("alternatives", "", (), tables, {**about, "within": 0.02, "within_musd": 5.1})


def regret(plan: opt.Plan, about: dict[str, Any], scenarios: tuple[str, ...]) -> Study:
    value = plan.value_musd
    values = [
        (of, under, value + 40 * j - 15 * abs(i - j), value + 40 * j, 12.5 if (i, j) == (2, 0) else 0.0, "")
        for i, of in enumerate(scenarios)
        for j, under in enumerate(scenarios)
    ]
    regrets = [(of, under, 15.0 * abs(i - j)) for i, of in enumerate(scenarios) for j, under in enumerate(scenarios)]
    plans = [(of, 15.0 * max(i, 2 - i), scenarios[-1 if i < 2 else 0], value - 30) for i, of in enumerate(scenarios)]
    decided = list(decisions_of(plan).each().items()) or [("none", "nothing is started and nothing signed")]
    verdicts = [
        (key, words, ",".join(scenarios if i else scenarios[:2]), "commit now" if i else "wait")
        for i, (key, words) in enumerate(decided)
    ]
    tables = {
        "values": pd.DataFrame(values, columns=["plan", "scenario", "value_musd", "bound_musd", "short_musd", "words"]),
        "regret": pd.DataFrame(regrets, columns=["plan", "scenario", "regret_musd"]),
        "plans": pd.DataFrame(plans, columns=["plan", "worst_regret_musd", "worst_scenario", "worst_value_musd"]),
        "decisions": pd.DataFrame(verdicts, columns=["decision", "words", "scenarios", "verdict"]),
    }
    runs = [plan.run_id, *(f"run of {of}" for of in scenarios[1:])]
    return Study("regret", "", (), tables, {**about, "run_ids": runs})


def bridge(a: opt.Plan, b: opt.Plan) -> Study:
    """A bridge from one plan's value to another's, in three made-up lines that add up."""
    difference = b.value_musd - a.value_musd
    parts = (("markets", "prices of the scenario", 0.7), ("offers", "other offers", 0.4), ("power", "tariffs", -0.1))
    rows = [
        {"group": group, "words": words, "line_musd": share * difference, "low_musd": share * difference,
         "high_musd": share * difference, "repriced_musd": share * difference, "redecided_musd": 0.0}
        for group, words, share in parts
    ]  # fmt: skip
    about = {
        "from_run_id": a.run_id,
        "to_run_id": b.run_id,
        "from_value_musd": a.value_musd,
        "to_value_musd": b.value_musd,
    }
    return Study("bridge", "", (), {"lines": pd.DataFrame(rows)}, about)
