"""Studies of every kind for a plan, with made-up numbers: what a page is given to show."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd

import optimizer as opt
from optimizer.questions.studies.study import Study

NAN = float("nan")


def made_studies(plan: opt.Plan, seed: int = 0, name: str = "") -> list[Study]:
    """One study of each kind; `name` stands in every text, so that hostile ones can be tried."""
    rng = random.Random(seed)
    makers = (_tornado, _breakevens, _map, _frontier, _alternatives, _regret, _prices)
    return [maker(plan, rng, name) for maker in makers]


def _study(
    plan: opt.Plan, kind: str, title: str, words: tuple[str, ...], tables: dict[str, list[dict[str, Any]]], **about: Any
) -> Study:
    stands = {"case": plan.case.settings.name, "scenario": plan.scenario, "run_id": plan.run_id, "gap": plan.gap}
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return Study(kind, title, words, frames, {**stands, **about})


def _tornado(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    value = plan.value_musd
    rows = [
        {"driver": f"driver-{i}", "words": f"{what}{name}", "unit": unit, "low": 0.8, "base": 1.0, "high": 1.2,
         "value_low_musd": NAN if i == 4 else value - rng.uniform(1, 90), "value_high_musd": value + rng.uniform(1, 90),
         "kept_low_musd": NAN if i == 1 else value - 95, "kept_high_musd": value + rng.uniform(0, 1),
         "bound_low_musd": value, "bound_high_musd": value + 91}
        for i, (what, unit) in enumerate([("Price of BTC", "times"), ("AI rents", "times"), ("Power", "times"),
                                          ("Facility capex", "times"), ("Delay of every hall", "quarters")])
    ]  # fmt: skip
    title = f"The price of BTC moves the value most, by $81.2M{name}"
    return _study(plan, "tornado", title, (f"Power is second.{name}",), {"drivers": rows}, value_musd=value)


def _breakevens(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    rows = [
        {"subject": f"Hall {i}{name}", "question": "is it still built", "driver": "AI rents", "unit": "times",
         "base": 1.0, "below": NAN if i == 2 else 0.87, "above": NAN if i == 2 else 0.88, "decision_below": "not built",
         "decision_above": "built", "value_below_musd": 101.2, "value_above_musd": 103.4,
         "found": "no" if i == 2 else "yes", "words": f"built as long as rents stay above {rng.uniform(70, 90):.0f}%"}
        for i in range(3)
    ]  # fmt: skip
    return _study(plan, "breakevens", f"Two halls stand as long as rents stay above 88% of today's{name}", (),
                  {"breakevens": rows})  # fmt: skip


def _map(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    points = [
        {"x": 40000.0 + 20000 * i, "y": 0.8 + 0.1 * j, "value_musd": 10.0 * i + j, "bound_musd": 10.0 * i + j + 1,
         "region": "ABC"[min(2, (i + j) // 3)]}
        for i in range(6) for j in range(5)
    ]  # fmt: skip
    regions = [
        {"region": letter, "name": f"{told}{name}", "decisions": f"{told} at every site",
         "plans": sum(point["region"] == letter for point in points)}
        for letter, told in zip("ABC", ("mine on", "convert one", "convert all"), strict=True)
    ]  # fmt: skip
    return _study(plan, "map", f"Above $80,000 a BTC nothing is converted{name}", (),
                  {"points": points, "regions": regions}, x_driver="btc", x_unit="$", x_words=f"price of BTC{name}",
                  y_driver="rents", y_unit="times", y_words="AI rents", base_x=78_000.0, base_y=1.0)  # fmt: skip


def _frontier(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    rows = [
        {"budget_musd": 100.0 * i, "value_musd": NAN if i == 0 else 40.0 * i ** 0.5 + 3.3, "bound_musd": 40.0 * i,
         "over_nothing_musd": NAN if i == 0 else 40.0 * i ** 0.5, "capex_musd": 99.5 * i, "lowest_cash_musd": 50.0,
         "decisions": f"{i} halls{name}"}
        for i in range(7)
    ]  # fmt: skip
    return _study(plan, "frontier", f"The next $100M of budget adds $7.3M{name}", (), {"points": rows})


def _alternatives(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    plans = [
        {"number": float(i + 1), "value_musd": plan.value_musd - i, "gives_up_musd": float(i),
         "differs_by": f"{i} halls", "words": f"one hall later{name}" if i else f"the plan{name}"}
        for i in range(3)
    ]  # fmt: skip
    decisions = [{"number": float(i + 1), "decision": "d", "words": f"hall {i}{name}"} for i in range(3)]
    shares = [{"decision": "d", "words": f"hall 1{name}", "plans": 3.0, "share": 1.0},
              {"decision": "e", "words": f"hall 2{name}", "plans": 2.0, "share": 0.667}]  # fmt: skip
    return _study(plan, "alternatives", f"Two plans are within 1% of the best{name}", (),
                  {"alternatives": plans, "decisions": decisions, "shares": shares})  # fmt: skip


def _regret(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    pairs = [(p, s) for p in ("base", f"up{name}") for s in ("base", f"up{name}")]
    values = [{"plan": p, "scenario": s, "value_musd": NAN if p != s else 100.0, "bound_musd": 101.0,
               "short_musd": 12.5 if p != s else 0.0, "words": "short of cash" if p != s else "its own"}
              for p, s in pairs]  # fmt: skip
    regret = [{"plan": p, "scenario": s, "regret_musd": NAN if p != s else 0.0} for p, s in pairs]
    plans = [{"plan": "base", "worst_regret_musd": 35.5, "worst_scenario": f"up{name}", "worst_value_musd": 64.1}]
    decisions = [{"decision": "d", "words": f"hall 1{name}", "scenarios": f"base,up{name}", "verdict": "commit now"}]
    return _study(plan, "regret", f"The base plan gives up at most $35.5M{name}", (),
                  {"values": values, "regret": regret, "plans": plans, "decisions": decisions})  # fmt: skip


def _prices(plan: opt.Plan, rng: random.Random, name: str) -> Study:
    duals = [{"rule": "capex_budget", "place": f"all sites{name}", "quarter": "", "words": "capex budget", "unit": "$M",
              "kind": "negotiable", "limit": 550.0, "dual_musd_per_unit": 0.2134}]  # fmt: skip
    steps = [{"rule": "capex_budget", "words": f"capex budget{name}", "unit": "$M", "change": 10.0,
              "value_change_low_musd": 1.9, "value_change_high_musd": 2.2, "moves": "no",
              "what_moves": ""}]  # fmt: skip
    return _study(plan, "prices", f"Ten more $M of budget are worth $1.9M to $2.2M{name}", (),
                  {"duals": duals, "steps": steps})  # fmt: skip
