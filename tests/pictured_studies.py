"""Studies to draw: one of each kind as they come, and the nasty ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from optimizer.questions.studies.study import Study
from optimizer.telling.pictures.lettering import letters

ABOUT = {"case": "bitfarms_2025", "scenario": "base", "run_id": "0123456789ab", "gap": 0.0001}
NAN = float("nan")
NASTY = (
    "=1+1", "a $x_1$ and $y^2$ site", "منجم الشمال الكبير قرب النهر", "<b>&amp;</b> \"quoted\" 'site'", "日本の鉱山",
    "A site whose name is so long that no half of a slide could hold it on one line, nor on two, nor perhaps on three",
    "tab\tand\nline", r"back\slash_{x}", "",
)  # fmt: skip


def study(kind: str, title: str, tables: dict[str, pd.DataFrame], about: dict[str, Any] | None = None) -> Study:
    return Study(kind, title, (), tables, ABOUT | (about or {}))


def tornado(drivers: list[tuple[Any, ...]] | None = None, base: float = 115.0, title: str = "") -> Study:
    rows = drivers or [
        ("hashprice", "Hashprice", "$/PH/day", 35.0, 45.0, 58.0, 41.0, 229.0, 30.5, 215.0),
        ("rent", "Colocation rent of all offers", "%", 85.0, 100.0, 115.0, 58.0, 201.0, 12.0, 188.0),
        ("capex", "Capex of conversions", "%", 80.0, 100.0, 130.0, 180.0, 77.0, 170.0, NAN),
        ("power", "Power price of all sites", "$/MWh", 40.0, 48.0, 60.0, 160.0, 51.0, 158.0, 33.0),
        ("delay", "Delay of energisation", "quarters", 0.0, 0.0, 3.0, 115.0, 89.0, 115.0, 60.0),
        ("budget", "Capex budget", "$M", 400.0, 550.0, 700.0, 90.0, 121.0, NAN, 115.0),
        ("discount", "Discount rate", "%", 10.0, 12.0, 14.0, 135.0, 99.0, 135.0, 99.0),
        ("btc", "Price of BTC held", "$", 60_000.0, 95_000.0, 130_000.0, 112.0, 118.0, 112.0, 118.0),
    ]
    columns = ["driver", "words", "unit", "low", "base", "high", "value_low_musd", "value_high_musd",
               "kept_low_musd", "kept_high_musd"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table["bound_low_musd"] = table["value_low_musd"] + 0.5
    table["bound_high_musd"] = table["value_high_musd"] + 0.5
    title = title or "Hashprice moves the value most: between $41.0M and $229.0M, against $115.0M at the base."
    return study("tornado", title, {"drivers": table}, {"value_musd": base})


def switching_map(n: int = 22, regions: int = 5, holes: bool = True) -> Study:
    xs, ys = np.linspace(30.0, 70.0, n), np.linspace(110.0, 190.0, n) if n > 1 else np.array([150.0])
    names, rows = [letter for letter, _ in zip(letters(), range(regions), strict=False)], []
    for x in xs:
        for y in ys:
            score = 0.6 * (y - 110) / 80 - 0.5 * (x - 30) / 40 + 0.08 * np.sin(x / 3) + 0.5
            region = names[int(np.clip(score * regions, 0, regions - 1))]
            gone = holes and x > 62 and y < 122
            value = NAN if gone else 0.12 * (x - 30) ** 2 + 1.9 * (y - 110) - 30
            rows.append((x, y, value, value + 0.1, "" if gone else region))
    points = pd.DataFrame(rows, columns=["x", "y", "value_musd", "bound_musd", "region"])
    words = ["Moses Lake and both blocks of Panther Creek", "Moses Lake and one block of Panther Creek",
             "Moses Lake only",
             "Sharon to GPU service, the rest mines on", "Everything mines on"]  # fmt: skip
    table = pd.DataFrame(
        [(name, words[i % len(words)], words[i % len(words)], int((points["region"] == name).sum()))
         for i, name in enumerate(names)], columns=["region", "name", "decisions", "plans"],
    )  # fmt: skip
    about = {
        "x_driver": "hashprice", "x_unit": "$/PH/day", "x_words": "Hashprice", "y_driver": "rent",
        "y_unit": "$/kW-month", "y_words": "Colocation rent", "base_x": 45.0, "base_y": 160.0,
    }  # fmt: skip
    title = (
        "At the base both campuses convert; Panther Creek keeps mining once hashprice passes $52 at a rent under $140."
    )
    return study("map", title, {"points": points, "regions": table}, about)


def frontier(n: int = 12) -> Study:
    budgets = np.linspace(0.0, 660.0, n) if n > 1 else np.array([550.0])
    plans = [
        (0, "nothing converts"), (128, "Moses Lake 18 MW"), (356, "Moses Lake 18 MW, Panther Creek 30 MW"),
        (500, "Moses Lake 18 MW, Panther Creek 60 MW"),
    ]  # fmt: skip
    rows = []
    for i, budget in enumerate(budgets):
        capex, words = [(cost, words) for cost, words in plans if cost <= budget][-1]
        value = -11.5 + 0.4 * capex - 0.0003 * capex**2
        rows.append(
            (budget, value, value + (1.5 if i % 3 == 0 else 0.2), value + 11.5, capex, 50.0 + budget / 10, words)
        )
    columns = [
        "budget_musd",
        "value_musd",
        "bound_musd",
        "over_nothing_musd",
        "capex_musd",
        "lowest_cash_musd",
        "decisions",
    ]
    title = "The first $128M of budget is worth $0.36 a dollar, and nothing is gained beyond $500M."
    return study("frontier", title, {"points": pd.DataFrame(rows, columns=columns)}, {"budget_musd": 550.0})


def alternatives(plans: int = 7, decisions: int = 10) -> Study:
    base = [
        ("Moses Lake colocation", "Moses Lake: 18 MW to colocation"), ("offer g", "AI lab G signed at Moses Lake"),
        ("Panther Creek first", "Panther Creek: first 30 MW to colocation"),
        ("Panther Creek second", "Panther Creek: second 30 MW to colocation"),
        ("offer c", "Hyperscaler C signed at Panther Creek"), ("offer k", "AI lab K signed at Panther Creek"),
        ("Sharon gpuaas", "Sharon: 9.6 MW to GPU service"), ("Garlock", "Garlock: 12 MW to colocation"),
        ("refinancing", "Refinancing 2031 drawn"), ("buy", "20 MW of new machines for Baie-Comeau"),
    ]  # fmt: skip
    kinds = [base[i % 10] if i < 10 else (f"d{i}", f"Decision {i} of many") for i in range(decisions)]
    rng = np.random.default_rng(7)
    made, shares = [], []
    for i, (name, words) in enumerate(kinds):
        having = [n for n in range(1, plans + 1) if i < 2 or (n == 1 and i < 7) or rng.random() < 0.55]
        made += [(n, name, f"{words} from 2027Q{1 + (n % 2 if i in (2, 4) else 0)}") for n in having]
        shares.append((name, words, len(having), len(having) / plans))
    table = pd.DataFrame(
        [(n, 115.0 - 0.45 * (n - 1), 0.45 * (n - 1), n, f"plan {n}") for n in range(1, plans + 1)],
        columns=["number", "value_musd", "gives_up_musd", "differs_by", "words"],
    )
    tables = {
        "alternatives": table, "decisions": pd.DataFrame(made, columns=["number", "decision", "words"]),
        "shares": pd.DataFrame(shares, columns=["decision", "words", "plans", "share"]),
    }  # fmt: skip
    return study("alternatives", "Moses Lake converts in every plan within 2% of the best; Sharon in 3 of 7.", tables)


def regret(plans: int = 5, scenarios: int = 5) -> Study:
    names = ["base", "bear", "bull", "AI glut", "late power", *(f"scenario {i}" for i in range(6, 30))][:scenarios]
    of = [
        "Plan of base",
        "Plan of bear",
        "Plan of bull",
        "Mines on",
        "Everything converts",
        *(f"Plan {i}" for i in range(6, 40)),
    ]
    rng = np.random.default_rng(3)
    values, regrets, worst = [], [], []
    for i, plan in enumerate(of[:plans]):
        amounts = [0.0 if i == j else float(rng.uniform(2, 160)) for j in range(scenarios)]
        for j, (name, amount) in enumerate(zip(names, amounts, strict=True)):
            values.append((plan, name, 200 - amount, 201 - amount, 18.4 if (i, j) in ((2, 1), (4, 1)) else 0.0, ""))
            regrets.append((plan, name, NAN if (i, j) == (4, 3) else amount))
        worst.append((plan, max(amounts), names[int(np.argmax(amounts))], 200 - max(amounts)))
    decisions = [
        ("m", "Moses Lake 18 MW to colocation", ",".join(names), "commit now"),
        ("g", "AI lab G at Moses Lake", ",".join(names), "commit now"),
        ("p", "Panther Creek, second 30 MW", "bull", "wait"), ("s", "Sharon 9.6 MW to GPU service", "bull", "wait"),
    ]  # fmt: skip
    tables = {
        "values": pd.DataFrame(values, columns=["plan", "scenario", "value_musd", "bound_musd", "short_musd", "words"]),
        "regret": pd.DataFrame(regrets, columns=["plan", "scenario", "regret_musd"]),
        "plans": pd.DataFrame(worst, columns=["plan", "worst_regret_musd", "worst_scenario", "worst_value_musd"]),
        "decisions": pd.DataFrame(decisions, columns=["decision", "words", "scenarios", "verdict"]),
    }  # fmt: skip
    return study("regret", "The plan of the base scenario regrets least: at worst $92.1M, if AI rents glut.", tables)


def bridge(lines: list[tuple[Any, ...]] | None = None, ends: tuple[float, float] = (115.0, 231.6)) -> Study:
    rows = lines or [
        ("time", "A year gone by", 24.0, 20.0, 28.0, 24.0, 0.0),
        ("markets", "Hashprice, BTC and rents", -61.2, -75.0, -47.4, -80.0, 18.8),
        ("offers", "Contract offers", 138.5, 120.0, 157.0, 22.0, 116.5),
        ("capex", "Capex of conversions", -12.4, -14.0, -10.8, -16.0, 3.6),
        ("power", "Power prices", 6.1, 6.1, 6.1, 6.1, 0.0),
        ("treasury", "Opening cash and debt", 21.6, 18.0, 25.2, 15.0, 6.6),
        ("policy", "Budget and minimum cash", 0.0, 0.0, 0.0, 0.0, 0.0),
    ]
    columns = ["group", "words", "line_musd", "low_musd", "high_musd", "repriced_musd", "redecided_musd"]
    about = {
        "run_id": None, "from_run_id": "0123456789ab", "to_run_id": "fedcba987654", "from_value_musd": ends[0],
        "to_value_musd": ends[1],
    }  # fmt: skip
    title = "Keel 2026 is worth $116.6M more than Bitfarms 2025, most of it from new contract offers (+$138.5M)."
    return study("bridge", title, {"lines": pd.DataFrame(rows, columns=columns)}, about)


def breakevens(rows: list[tuple[Any, ...]] | None = None) -> Study:
    rows = rows or [
        ("Panther Creek", "At what hashprice does it keep mining?",
         "hashprice", "$/PH/day", 45.0, 52.1, 52.4, "converts", "mines", "yes", ""),
        ("Hyperscaler C", "What rent makes the offer worth signing?",
         "rent", "$/kW-month", 158.0, 131.0, 132.0, "refused", "signed", "yes", ""),
        ("Moses Lake", "Up to what capex does it convert?",
         "capex", "$M/IT MW", 8.5, 11.9, 12.1, "converts", "mines", "yes", ""),
        ("Sharon", "From what power price does it stop?",
         "power", "$/MWh", 48.0, 47.2, 47.5, "mines", "stops", "yes", ""),
        ("AI lab K", "How late may delivery be?", "delay", "quarters", 0.0, 2.0, 3.0, "signed", "refused", "yes", ""),
        ("Garlock", "At what rent does it convert?",
         "rent", "$/kW-month", 158.0, NAN, NAN, "mines", "mines", "no", "not up to $316 per kW-month"),
    ]  # fmt: skip
    columns = ["subject", "question", "driver", "unit", "base", "below", "above", "decision_below", "decision_above",
               "found", "words"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table["value_below_musd"] = table["value_above_musd"] = 115.0
    title = "Sharon's decision is the nearest to turn: it stops mining at $47.4 a MWh, 1.4% under the base."
    return study("breakevens", title, {"breakevens": table})


def prices(steps: list[tuple[Any, ...]] | None = None) -> Study:
    rows = steps or [
        ("capex_budget", "Capex budget", "$M", 10.0, 13.9, 14.5, "no", ""),
        ("capex_budget", "Capex budget", "$M", -50.0, -31.5, -30.1, "yes", "Panther Creek starts with one block"),
        ("site_power", "Grid limit of Panther Creek", "MW", 5.0, 4.8, 5.4, "yes", "a third block"),
        ("minimum_cash", "Minimum cash", "$M", -10.0, 2.2, 2.9, "no", ""),
        ("offer_limit", "Largest size of AI lab K", "IT MW", 2.0, 0.0, 0.3, "no", ""),
    ]
    step = pd.DataFrame(rows, columns=["rule", "words", "unit", "change", "value_change_low_musd",
                                       "value_change_high_musd", "moves", "what_moves"])  # fmt: skip
    dual = pd.DataFrame(
        [("grid", "Panther Creek", f"202{7 + i // 4}Q{1 + i % 4}", "Grid limit", "gross MW", "physical", 90.0,
          0.021 * (9 - i) / 9)
         for i in range(8)] + [("capex_budget", "", "", "Capex budget", "$M", "negotiable", 550.0, 0.0),
                               ("minimum_cash", "", "2032Q4", "Minimum cash", "$M", "negotiable", 50.0, -0.43)],
        columns=["rule", "place", "quarter", "words", "unit", "kind", "limit", "dual_musd_per_unit"],
    )  # fmt: skip
    title = "Ten million more of budget is worth $14.2M; the decision moves once $50M are taken away."
    return study("prices", title, {"steps": step, "duals": dual})


USUAL = {
    "prices": prices, "breakevens": breakevens, "map": switching_map, "tornado": tornado, "frontier": frontier,
    "alternatives": alternatives, "regret": regret, "bridge": bridge,
}  # fmt: skip
