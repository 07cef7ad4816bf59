"""The tornado: its ends are true optima, keeping decisions is never better than deciding again, and the command."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pandas as pd
import pytest
from conftest import Run
from shared import solved_once
from test_sweeps import solvable

import optimizer as opt
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible
from optimizer.ground.findings import InputError
from optimizer.questions.studies import study as kept
from optimizer.questions.studies.tornado import drivers_given, tornado
from optimizer.questions.sweeps.drivers import driver_named, drivers_of

EXACT = 1e-6


@pytest.fixture(scope="module")
def solved(washington: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opt.save_plan(solved_once(washington), tmp_path_factory.mktemp("tornado") / "plan")


def value_of(case: Case) -> float:
    try:
        return opt.solve(case, gap=0.0).value_musd
    except Infeasible:
        return float("nan")


@pytest.mark.parametrize("count", [3, pytest.param(5, marks=pytest.mark.campaign)])
def test_every_end_is_the_value_of_the_case_with_that_number(count: int) -> None:
    """On random cases, whatever the driver does to the program; and keeping is worth no more than deciding again."""
    for seed, case, plan in solvable(count):
        asked = random.Random(seed).sample(drivers_of(case, "base"), 3)
        table = tornado(plan, asked, gap=0.0).tables["drivers"].set_index("driver")
        for driver in asked:
            row = table.loc[driver.name]
            for end in ("low", "high"):
                try:
                    true = value_of(driver.change(case, getattr(driver, end)))
                except InputError:
                    true = float("nan")
                found = pytest.approx(true, rel=EXACT, abs=EXACT, nan_ok=True)
                assert row[f"value_{end}_musd"] == found, (seed, driver.name, end)
                assert not row[f"kept_{end}_musd"] > row[f"bound_{end}_musd"] + EXACT, (seed, driver.name, end)


def test_at_its_base_a_driver_changes_nothing(washington: Case) -> None:
    """Decisions kept where nothing moved are worth what they were: keeping loses nothing by itself."""
    plan = solved_once(washington)
    driver = driver_named(washington, "base", "hashprice")
    row = tornado(plan, [driver.within(driver.base, driver.base * 1.3)]).tables["drivers"].iloc[0]
    assert [row["kept_low_musd"], row["value_low_musd"]] == pytest.approx([plan.value_musd] * 2, rel=EXACT)
    assert row["moves_at_low"] == "nothing"
    assert row["kept_high_musd"] < row["value_high_musd"]  # at this hashprice the conversion waits


def test_decisions_that_cannot_be_kept_say_why(washington: Case) -> None:
    """A budget below what the plan spends; a delivery that comes before the delayed hall."""
    plan = solved_once(washington)
    asked = [driver_named(washington, "base", name) for name in ("capex budget", "delay")]
    study = tornado(plan, asked)
    table = study.tables["drivers"].set_index("driver")
    assert pd.isna(table.loc["capex budget", "kept_low_musd"])
    assert "capex spent within the horizon" in table.loc["capex budget", "kept_at_low"]
    assert pd.isna(table.loc["delay", "kept_high_musd"])
    assert any("cannot be kept at delay 4 quarters" in words for words in study.words)


def test_a_range_is_read_and_an_odd_one_refused(washington: Case) -> None:
    plan = solved_once(washington)
    [driver] = drivers_given(plan, ["rent of ai-lab-a-whole-hall=1.5:2.5"])
    assert (driver.low, driver.high) == (1.5, 2.5)
    for text, words in (
        ("hashprice=50", "names no range"), ("hashprice=50:40", "names no range"), ("no such=1:2", "is no driver"),
        ("rent of ai-lab-a-whole-hall=120:180", "another unit"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            drivers_given(plan, [text])


@pytest.mark.core
def test_the_command_keeps_tables_pictures_and_answers(run: Run, solved: Path) -> None:
    """Told twice it solves once; the table reads back as it was; the JSON is the study."""
    command = ("tornado", solved, "--driver", "hashprice", "--driver", "power=20:40", "-j", "1")
    code, out, _ = run(*command)
    assert code == 0
    assert re.match(r"\w+ moves the value of \$[\d.]+M most: [+-]\$[\d.]+M at [\d.]+ and [+-]\$[\d.]+M at ", out)
    place = solved / "studies" / "tornado"
    answers = (place / "answers.jsonl").read_text(encoding="utf-8")
    assert {path.name for path in place.iterdir()} == {
        "answers.jsonl", "drivers.csv", "study.json", "tornado.svg", "tornado.png",
    }  # fmt: skip
    code, out, _ = run(*command, "--json")
    assert (place / "answers.jsonl").read_text(encoding="utf-8") == answers
    read, told = kept.load_study(place), json.loads(out)
    assert told["title"] == read.title
    assert told["about"]["run_id"] == opt.load_plan(solved).run_id
    assert [row["driver"] for row in told["tables"]["drivers"]] == list(read.tables["drivers"]["driver"])
    assert read.tables["drivers"]["value_low_musd"].dtype == float
