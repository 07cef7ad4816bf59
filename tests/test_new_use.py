"""A use of power that the house does not have, added by a test: worth what it pays, and refused half forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hand_cases import CORPORATE, every, worth
from pyomo.core import Block, ConcreteModel, NonNegativeReals, Var
from small_cases import tiny_case

from optimizer.auditors import forms
from optimizer.business import lines, model, ports, variables
from optimizer.business.model import build_model
from optimizer.business.readout import Megawatts, Reading, Tables, frame
from optimizer.business.uses import USES
from optimizer.business.uses.use import Use
from optimizer.ground import power
from optimizer.ground.errors import HouseFault
from optimizer.plan import settlement, tables
from optimizer.plan.settlement import settle
from optimizer.questions.planner import AuditFault, solve
from optimizer.questions.sweeps import holding
from optimizer.questions.sweeps.family import compile_case
from optimizer.solver import SolverOptions
from optimizer.solver.models import solve_model

SITE, MOST_MW, RENT_MUSD, QUARTERS = "south", 3.0, 0.2, 6


def decide(m: ConcreteModel) -> None:
    """`z[t]`: gross MW let to other miners."""
    m.z = Var(m.case.horizon if m.ports.decide else [], domain=NonNegativeReals, bounds=(0, MOST_MW))
    for t in m.z:
        m.ports.taken_gross_mw.step(SITE, t, 1.0, m.z[t])
        m.ports.taken_gross_mw.step(SITE, t + 1, -1.0, m.z[t])


def happen(b: Block) -> None:
    for t, let in b.model().z.items():
        b.ports.pay("hosting_rent", "hosting", SITE, "hosting", let, t, [RENT_MUSD])


def megawatts(r: Reading) -> Iterator[Megawatts]:
    for t, let in r.m.z.items():
        yield SITE, t, "hosting", "", r.read(let)


def read_out(r: Reading) -> Tables:
    return {"hosting": frame([(r.scenario, t, r.read(let)) for t, let in r.m.z.items()], "scenario quarter let_mw")}


HOSTING = Use(decide, happen, megawatts, read_out)


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put the use into the house, complete but for what a test leaves out or does otherwise."""

    def adding(*, without: str = "", first: bool = False, **otherwise: Any) -> None:
        use = replace(HOSTING, **otherwise)
        uses = (use, *USES) if first else (*USES, use)
        for room in (model, settlement):
            monkeypatch.setattr(room, "USES", uses)
        parts: dict[str, tuple[Any, Any]] = {
            "line": (lines.LINES, {"hosting_rent": lines.Line("mining margin", "Rent of hosted miners")}),
            "record": (variables.VARIABLES, {"z": variables.Variable("z", "megawatts let", "now", "level")}),
            "table": (tables.TABLES, {"hosting": tables.Table("megawatts let", "scenario quarter let_mw", "quarter")}),
        }
        for name, (known, more) in parts.items():
            for key, value in more.items() if name != without else ():
                monkeypatch.setitem(known, key, value)
        monkeypatch.setattr(settlement, "VALUE_LINES", (*lines.VALUE_LINES, "hosting_rent"))
        if without != "word":
            let = power.Use("hosting", "hosting other miners", "hosts", "other 0")
            monkeypatch.setattr(power, "USES", (*power.USES[:-1], let, power.USES[-1]))

    return adding


def settled() -> dict[str, pd.DataFrame]:
    """The tables of a plan in which nothing is decided."""
    return settle(build_model(tiny_case(), "base"), lambda _: 0.0).tables


def test_a_use_is_added_in_its_file_and_the_lists_it_stands_in(add: Callable[..., None]) -> None:
    """Letting 3 gross MW of the idle south at $0.2M a quarter adds $0.6M in each of six quarters, and nothing else."""
    before = solve_model(build_model(tiny_case(), "base"), SolverOptions(gap=0.0)).value
    add()
    m = build_model(tiny_case(), "base")
    answer = solve_model(m, SolverOptions(gap=0.0))
    assert answer.value - before == pytest.approx(worth(CORPORATE, every(MOST_MW * RENT_MUSD, 0, QUARTERS)))
    told = settle(m, answer).tables
    let = told["allocation"].query("use == 'hosting'")
    assert (set(let["site"]), set(let["gross_mw"]), len(let)) == ({SITE}, {MOST_MW}, QUARTERS)
    assert told["cash_flow"].query("line == 'hosting_rent'")["musd"].tolist() == pytest.approx([0.6] * QUARTERS)
    assert told["hosting"]["let_mw"].tolist() == [MOST_MW] * QUARTERS


@pytest.mark.parametrize(
    ("forgotten", "words"),
    [
        ("line", "'hosting_rent' before it stands in LINES"),
        ("record", "'z' has no record in business/variables.py"),
        ("table", "test_new_use reads out the table 'hosting'"),
        ("word", "test_new_use takes power for 'hosting', which ground/power.py lacks"),
    ],
)
def test_what_is_forgotten_is_refused_with_where_it_belongs(
    add: Callable[..., None], forgotten: str, words: str
) -> None:
    add(without=forgotten)
    with pytest.raises(HouseFault, match=words):
        settled()


def test_a_table_nobody_reads_out_is_refused(add: Callable[..., None]) -> None:
    add(read_out=lambda r: {})
    with pytest.raises(HouseFault, match="no part of the model reads out: hosting"):
        settled()


def test_a_table_read_out_twice_is_refused(add: Callable[..., None]) -> None:
    add(read_out=lambda r: read_out(r) | {"late": frame([], tables.TABLES["late"].columns)})
    with pytest.raises(HouseFault, match="'late', and so does another"):
        settled()


def test_other_columns_than_declared_are_refused(add: Callable[..., None]) -> None:
    add(read_out=lambda r: {"hosting": frame([], "scenario quarter let_gross")})
    with pytest.raises(HouseFault, match="with the columns scenario quarter let_gross, which"):
        settled()


def test_numbers_in_a_column_of_text_are_refused(add: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    add(read_out=lambda r: {"hosting": frame([("base", r.case.first, 1.5)], "scenario quarter let")})
    monkeypatch.setitem(tables.TABLES, "hosting", tables.Table("megawatts let", "scenario quarter let", "quarter"))
    with pytest.raises(HouseFault, match="column 'let' of a plan's table holds numbers"):
        settled()


def test_a_price_that_nobody_knows_is_refused(add: Callable[..., None]) -> None:
    def following(b: Block) -> None:
        for t, let in b.model().z.items():
            b.ports.pay("hosting_rent", "hosting", SITE, "hosting", let, t, [RENT_MUSD], follows=("hosting", SITE))

    add(happen=following)
    with pytest.raises(HouseFault, match="No amount follows the price"):
        build_model(tiny_case(), "base")


def _read_contracts(b: Block) -> None:
    b.ports.signed_it_mw.level(("north", "colo"), b.case.last)


def _read_rent(b: Block) -> None:
    customer = b.case.offers[0].customer
    for t in b.case.horizon:
        ports.Linear().extend(b.ports.rent[customer, t])


@pytest.mark.parametrize("read", [_read_contracts, _read_rent])
def test_a_use_before_the_one_it_reads_from_is_refused(add: Callable[..., None], read: Callable[[Block], None]) -> None:
    """It would find nothing there, and its rule would hold it to nothing, in silence."""

    def reading(b: Block) -> None:
        happen(b)
        read(b)

    add(happen=reading)
    build_model(tiny_case(), "base")
    add(happen=reading, first=True)
    with pytest.raises(HouseFault, match="read before all had been written"):
        build_model(tiny_case(), "base")


def test_a_decision_that_no_study_could_keep_is_refused(
    add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tiny_case()
    taken = holding.taken_by(solve(case))
    add()
    monkeypatch.setattr(holding, "NOW", (*holding.NOW, "z"))
    with pytest.raises(HouseFault, match="what a plan decided of z"):
        holding.hold(taken, compile_case(case, "base"), case, "base")


def test_a_use_without_its_twin_is_refused_by_the_audit(
    add: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add()
    monkeypatch.setitem(forms.COLUMNS, "hosting", tables.TABLES["hosting"].columns)
    with pytest.raises(AuditFault, match="hosting_rent"):
        solve(tiny_case())
