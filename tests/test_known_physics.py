"""What no case can make otherwise: the protocol's subsidy and halvings, and things worth at most what they cost.

Every statement is tried as files, as a workbook, as a setting of the command line and as a variant of a script.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA, Run
from small_cases import tiny_case
from test_reader import change_bytes, edit

import optimizer as opt
from optimizer.case.checks.protocol import NEXT, PAST, SLACK, halvings_until, odd_subsidy
from optimizer.case.checks.units import check_subsidy
from optimizer.case.layout import write_case_workbook
from optimizer.commands.common import changed

ALLOWED = {"file": "case.toml", "column": "halvings", "row": "halvings", "reason": "what if the date moves"}


@cache
def washington() -> opt.Case:
    return opt.load_case(DATA / "washington_2025")


def refused(**changes: Any) -> list[str]:
    """What a variant is refused for."""
    try:
        washington().replace(**changes)
    except opt.InputError as error:
        return [f"{finding.column} {finding.value!r} {finding.why}. {finding.mend}" for finding in error.findings]
    return []


# ---- the protocol ---------------------------------------------------------------------------------------------------


def test_halvings_come_every_210_000_blocks() -> None:
    """Known days, then one after about 1,458 days each, well into the longest horizon."""
    days = halvings_until(date(2053, 1, 1))
    assert days[:5] == [*PAST, NEXT]
    assert [str(day) for day in days[5:8]] == ["2032-04-09", "2036-04-06", "2040-04-04"]
    assert {(after - before).days for before, after in pairwise(days[4:])} == {1458, 1459}


SUBSIDIES = [
    # first quarter, subsidy, halvings, accepted
    ("2026Q1", 3.125, ["2028-04-12"], True),
    ("2026Q1", 6.25, ["2028-04-12"], False),
    ("2026Q1", 1.5625, ["2028-04-12"], False),
    ("2026Q1", 3, ["2028-04-12"], False),
    ("2024Q2", 6.25, ["2024-04-20", "2028-04-12"], True),
    ("2024Q2", 3.125, ["2028-04-12"], False),
    ("2024Q3", 3.125, ["2028-04-12"], True),
    ("2024Q3", 6.25, ["2024-08-01", "2028-04-12"], False),
    ("2021Q1", 6.25, ["2024-04-20"], True),
    ("2020Q2", 12.5, ["2020-05-11", "2024-04-20"], True),
    ("2028Q2", 3.125, ["2028-04-12", "2032-04-09"], True),
    ("2028Q2", 1.5625, ["2032-04-09"], True),
    ("2028Q3", 3.125, ["2028-08-01", "2032-04-09"], True),
    ("2028Q3", 3.125, ["2032-04-09"], False),
    ("2029Q1", 3.125, ["2032-04-09"], False),
    ("2029Q1", 1.5625, ["2032-04-09"], True),
    ("2033Q1", 0.78125, ["2036-04-06"], True),
]


@pytest.mark.parametrize(("first", "subsidy", "halvings", "accepted"), SUBSIDIES)
def test_subsidy_of_a_date(first: str, subsidy: float, halvings: list[str], accepted: bool) -> None:
    """Past halvings are facts; one to come may lie two quarters to either side."""
    case = tiny_case(first_quarter=first, quarters=16, subsidy_btc=subsidy, halvings=halvings)
    assert (list(odd_subsidy(case.settings)) == []) is accepted


HALVINGS = [
    ([], "'[]' lacks 2028-04-12 (", "[2028-04-12]"),
    (["2029-04-12"], "'2029-04-12' is no halving of the protocol, give or take two quarters, and lacks 2028-04-12 (",
     "[2028-04-12]"),
    (["2028-04-12", "2028-10-12"], "'2028-10-12' is no halving of the protocol, give or take two quarters (",
     "[2028-04-12]"),
    (["2027-01-01", "2028-05-01", "2030-04-12"], "'2027-01-01, 2030-04-12' are no halvings", "[2028-05-01]"),
    (["2028-04-12", "2029-09-20", "2031-02-28"], "'2029-09-20, 2031-02-28' are no halvings", "[2028-04-12]"),
    (["2032-04-09"], "'2032-04-09' lacks 2028-04-12 (", "[2028-04-12, 2032-04-09]"),
    ([NEXT + SLACK + timedelta(days=1)], "is no halving", "[2028-04-12]"),
    ([NEXT - SLACK - timedelta(days=1)], "is no halving", "[2028-04-12]"),
]  # fmt: skip


@pytest.mark.parametrize(("halvings", "words", "mend"), HALVINGS)
def test_other_halvings_are_refused_with_the_days_of_the_protocol(halvings: list[Any], words: str, mend: str) -> None:
    (told,) = refused(halvings=halvings)
    assert words in told
    assert "about 2028-04-12 and 2032-04-09, 210,000 blocks at 144 a day apart" in told
    assert f". write halvings = {mend}; or, if it is meant, allow it with a reason in allow.csv, row 'halvings'" in told


@pytest.mark.parametrize("days", [-184, -90, 0, 90, 184])
def test_a_halving_may_move_by_two_quarters(days: int) -> None:
    assert refused(halvings=[NEXT + timedelta(days=days)]) == []


def test_a_later_halving_is_asked_for_where_mining_can_depend_on_it() -> None:
    """In April 2032 the machines of the first conversion are retired; fit to the end they would feel it, unless
    hashprice is given, mining ends before, or the horizon does."""
    machines = [row.model_dump() | {"retires_after": None} for row in washington().asics]
    given = [
        row.model_dump() | {"hashprice_usd_per_ph_day": 20, "difficulty_t": None, "fees_btc_per_block": None}
        for row in washington().bitcoin
    ]
    lacking = washington().replace(asics=machines)
    assert [finding.why.partition(" (")[0] for finding in check_subsidy(lacking)] == ["lacks 2032-04-09"]
    for mended in ({"halvings": ["2028-04-12", "2032-04-09"]}, {"mining_ends": "2031Q4"}, {"bitcoin": given}):
        assert check_subsidy(lacking.replace(**mended)) == []


def test_a_variant_with_another_date_is_checked_with_what_it_allows() -> None:
    """As in files: by the row of `allow` that names setting and reason. What changes nothing of it is not looked at."""
    assert refused(halvings=[], allow=[ALLOWED]) == []
    assert refused(subsidy_btc=6.25, allow=[ALLOWED]) != []
    assert refused(halvings=[], subsidy_btc=6.25, allow=[ALLOWED | {"column": "*", "row": "*"}]) == []
    odd = washington().replace(halvings=[], allow=[ALLOWED])
    assert odd.replace(allow=[]).replace(opening_cash_musd=900).settings.halvings == ()


# ---- worth more than it costs ---------------------------------------------------------------------------------------


def files(folder: Path) -> list[str]:
    try:
        opt.load_case(folder)
    except opt.InputError as error:
        return [str(finding) for finding in error.findings if finding.severity == "error"]
    return []


HALL = (
    "products.csv:2: residual_musd_per_it_mw '{}' is more than the {} that an IT MW of 'moses-lake-colocation' costs "
    "to build at the {} level (options.csv). Mend: say what a used hall is worth; or, if it is meant, allow it with a "
    "reason in allow.csv, row 'colocation'."
)


@pytest.mark.parametrize(("residual", "level", "cost"), [(8.6, "base", 8.5), (8.1, "low", 8), (12, "high", 11)])
def test_a_hall_worth_more_than_it_costs(folder: Path, residual: float, level: str, cost: float) -> None:
    edit(folder, "products.csv", "0.85,,,4,120\n", f"0.85,,,{residual},120\n")
    edit(folder, "case.toml", 'capex_level = "base"', f'capex_level = "{level}"')
    assert files(folder) == [HALL.format(residual, cost, level)]
    change_bytes(folder, "allow.csv", lambda b: b + b"products.csv,*,colocation,with its land\n")
    assert files(folder) == []


def test_gpus_without_a_life_of_their_own_are_part_of_what_capacity_is_worth(folder: Path) -> None:
    """With a row in `gpu_lives` they are sold apart, and the residual is that of the hall alone."""
    edit(folder, "products.csv", "380,0.7,4,120\n", "380,0.7,20,120\n")
    assert "is more than the 8.5 that an IT MW of 'moses-lake-gpuaas'" in files(folder)[0]
    (folder / "gpu_lives.csv").unlink()
    assert files(folder) == []
    edit(folder, "products.csv", "380,0.7,20,120\n", "380,0.7,29.9,120\n")
    edit(folder, "options.csv", "8,8.5,11,29,2.4", "8,8.5,11,20,2.4")
    assert "is more than the 28.5 that an IT MW of 'moses-lake-gpuaas'" in files(folder)[0]


def test_a_machine_worth_more_than_a_new_one(folder: Path) -> None:
    edit(folder, "machine_markets.csv", "S21,3.75,,", "S21,3.75,7,")
    edit(folder, "asics.csv", "2031Q4,1,", "2031Q4,7.5,")
    assert [line.partition(". Mend")[0] for line in files(folder)] == [
        "asics.csv:3: residual_usd_per_th '7.5' is more than the 7 that such a machine costs new (machine_markets.csv)"
    ]


def test_a_tenant_that_pays_for_more_than_the_hall(folder: Path) -> None:
    (folder / "tenant_funding.csv").write_text(
        "offer,musd_per_it_mw,paid_quarters_before,credit_share,rate\nneocloud-b-half,9,1,0.5,0.08\n"
    )
    assert [line.partition(". Mend")[0] for line in files(folder)] == [
        "tenant_funding.csv:2: musd_per_it_mw '9' is more than the 8.5 that an IT MW of 'moses-lake-colocation', its "
        "dearest hall, costs to build"
    ]


# ---- from outside ---------------------------------------------------------------------------------------------------

EDITS: list[tuple[str, str, str, str]] = [
    ("case.toml", "subsidy_btc = 3.125", "subsidy_btc = 6.25", "subsidy_btc '6.25' is not what a block brings on "
     "2026-01-01: 3.125 BTC from 2024-04-20 on, 1.5625 from about 2028-04-12 on. Mend: write subsidy_btc = 3.125; or"),
    ("case.toml", "halvings = [2028-04-12]", "halvings = []", "halvings '[]' lacks 2028-04-12"),
    ("case.toml", "[2028-04-12]", "[2029-04-12]", "halvings '2029-04-12' is no halving of the protocol"),
    ("products.csv", "0.85,,,4,120\n", "0.85,,,12,120\n", "residual_musd_per_it_mw '12' is more than the 8.5"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "words"), EDITS)
@pytest.mark.parametrize("command", ["check", "solve", "explain"])
def test_one_line_edits_of_a_folder(
    run: Run, folder: Path, file: str, old: str, new: str, words: str, command: str
) -> None:
    edit(folder, file, old, new)
    code, out, err = run(command, folder)
    assert (code, out) == (2, "")
    assert words in err


@pytest.mark.parametrize(("change", "sheet", "words"), [
    ({"subsidy_btc": 6.25}, "settings", "subsidy_btc '6.25' is not what a block brings"),
    ({"halvings": ()}, "settings", "halvings '[]' lacks 2028-04-12"),
])  # fmt: skip
def test_the_same_in_a_workbook(run: Run, tmp_path: Path, change: dict[str, Any], sheet: str, words: str) -> None:
    odd = washington().replace(**change, allow=[ALLOWED | {"column": "*", "row": "*"}])
    book = write_case_workbook(odd.replace(allow=washington().allow), tmp_path / "mycase.xlsx")
    code, _, err = run("check", book)
    assert code == 2
    assert f"mycase.xlsx, sheet {sheet}, cell B" in err
    assert words in err


@pytest.mark.parametrize("change", ["halvings=[]", "subsidy_btc=6.25", "halvings=[2028-04-12, 2028-06-12]"])
def test_the_same_for_a_setting_of_the_command_line(run: Run, change: str) -> None:
    code, out, err = run("solve", DATA / "washington_2025", "--set", change)
    assert (code, out) == (2, "")
    assert "allow it with a reason" in err


def test_a_setting_of_the_command_line_may_move_a_halving() -> None:
    moved = changed(washington(), ["halvings=[2028-07-01]"])
    assert moved.settings.halvings == (date(2028, 7, 1),)
