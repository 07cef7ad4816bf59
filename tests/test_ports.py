"""What paths need of the model: a stream says which price it follows, a stock is shifted by an option's delay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from small_cases import scenario_of, small_case, tiny_case

from optimizer.business.model import build_model
from optimizer.business.ports import Price
from optimizer.case.case import Case
from optimizer.case.schema import Option
from optimizer.ground.findings import InputError
from optimizer.ground.power import IDLE, MINING
from optimizer.ground.quarters import Quarter
from optimizer.plan.settlement import settle

SEEDS = range(8)
FACTORS = (1.0, 1.3, 0.8, 1.1)


def factor_of(case: Case, t: Quarter) -> float:
    """Another factor in every quarter; after the horizon that of its last."""
    return FACTORS[(min(t, case.last) - case.first) % len(FACTORS)]


def dollars(case: Case, scenario: str) -> dict[tuple[Any, ...], float]:
    """$M of one unit by line, source, decision, price followed and quarter."""
    m = build_model(case, scenario, adjustable=True)
    sums: dict[tuple[Any, ...], float] = defaultdict(float)
    for stream in m.outcome[scenario].ports.all_streams:
        for i, musd in enumerate(stream.amounts):
            key = (stream.line, stream.site, stream.source, _name(stream.decision), stream.follows, stream.first + i)
            sums[key] += float(musd)
    return sums


def _name(decision: Any) -> str:
    if hasattr(decision, "after"):
        return f"{_name(decision.after)} - {_name(decision.before)}"
    return str(decision)


def _scaled(case: Case, tables: str, scenario: str, columns: tuple[str, ...], of: Callable[[Any], bool]) -> Case:
    """The case with prices of some tables multiplied, quarter by quarter."""
    changed: dict[str, list[Any]] = {}
    for table in tables.split():
        for row in case.rows(table):
            named = {name: getattr(row, name) for name in columns if getattr(row, name) is not None}
            moved = {name: x * factor_of(case, row.quarter) for name, x in named.items()}
            ours = row.scenario == scenario and of(row)
            changed.setdefault(table, []).append(row.model_copy(update=moved) if ours else row)
    return case.replace(**changed)


def moved_price(case: Case, scenario: str, price: Price) -> Case | None:
    """The case in which that price alone is another; None for prices that the case has in another form."""
    match price:
        case ("power", tariff):
            energy = ("energy_usd_per_mwh",)
            return _scaled(case, "tariffs price_steps", scenario, energy, lambda row: row.tariff == tariff)
        case ("market", product):
            return _scaled(case, "product_markets", scenario, ("price",), lambda row: row.product == product)
        case ("hashprice",):
            given = all(row.hashprice_usd_per_ph_day is not None for row in case.rows("bitcoin"))
            columns = ("hashprice_usd_per_ph_day", "btc_usd")
            return _scaled(case, "bitcoin", scenario, columns, lambda row: True) if given else None
        case ("base_rate", name):
            return _scaled(case, "base_rates", scenario, ("rate",), lambda row: row.base_rate == name)
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_moves_with_the_price_it_follows_and_with_no_other(seed: int) -> None:
    """A price multiplied quarter by quarter multiplies the streams that follow it, and leaves all others alone."""
    case, scenario = small_case(seed).replace(btc_rule="sell_mined"), scenario_of(seed)
    before = dollars(case, scenario)
    for price in {key[4] for key in before if key[4] is not None}:
        other = moved_price(case, scenario, price)
        if other is None:
            continue
        after = dollars(other, scenario)
        for key in before.keys() | after.keys():
            if not _moves_otherwise(case, key, price):
                factor = factor_of(case, key[-1]) if key[4] == price else 1.0
                assert after.get(key, 0.0) == pytest.approx(before.get(key, 0.0) * factor, rel=1e-9, abs=1e-12), key


def _moves_otherwise(case: Case, key: tuple[Any, ...], price: Price) -> bool:
    """Whether a price moves an amount in a way of its own.

    Tax follows what is taxed; BTC and machines go their own way with hashprice; a tenant extends by the market's price;
    interest is paid some quarters later than it is earned.
    """
    line, _, source, _, follows, _ = key
    kind = "" if follows is None else follows[0]
    extended = {row.offer for row in case.rows("extensions")}
    return (
        line in ("tax", "excess_interest")
        or (price[0] == "hashprice" and kind in ("btc", "machines"))
        or (price[0] == "market" and source in extended)
        or (price[0] == kind == "base_rate")
    )


def test_every_price_of_a_case_is_followed() -> None:
    """Over some cases, each kind of price has streams that follow it."""
    kinds = {key[4][0] for seed in SEEDS for key in dollars(small_case(seed), scenario_of(seed)) if key[4] is not None}
    assert {"power", "market", "hashprice", "machines", "btc"} <= kinds


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stock_shifted_is_the_stock_of_a_slower_build(seed: int) -> None:
    """Halls of one option a quarter late: the same megawatts, later, as with a lead time a quarter longer."""
    case, scenario = small_case(seed).replace(committed_starts=[], gpu_lives=[]), scenario_of(seed)
    for late in (option for option in case.options if case.eligible(option)):
        try:
            slower = case.replace(options=[_slower(row) if row == late else row for row in case.options])
        except InputError:  # the horizon ends before it could serve
            continue
        here, there = build_model(case, scenario), build_model(slower, scenario)
        for name in ("usable_it_mw", "service_gross_mw", "service_it_mw"):
            shifted = getattr(here.ports, name).delayed({late.option: 1})
            for key in shifted.keys:
                for t in case.horizon:
                    mine, theirs = shifted.level(key, t), getattr(there.ports, name).level(key, t)
                    in_time = {str(x): c for c, x in mine.terms if _starts_in_time(x, slower)}
                    assert in_time == pytest.approx({str(x): c for c, x in theirs.terms}), (name, key, t)


def _slower(option: Option) -> Option:
    return option.model_copy(update={"lead_quarters": option.lead_quarters + 1})


def _starts_in_time(state: Any, slower: Case) -> bool:
    option, start = state.index()
    return bool(start + slower.option[option].lead_quarters <= slower.last)


def test_machines_that_may_choose_are_read_out_as_they_chose() -> None:
    """Of 2 gross MW installed half a megawatt runs: where running is a decision, no price says it again."""
    told = {"g": 2.0, "x": 0.5}
    m = build_model(tiny_case(), "base", adjustable=True)
    allocation = settle(m, lambda one: told.get(one.parent_component().local_name, 0.0)).tables["allocation"]
    for use, mw in ((MINING, 0.5), (IDLE, 1.5)):
        rows = allocation[allocation["use"] == use]
        chosen = {(s, str(t), a) for a, s, t, _ in m.outcome["base"].x}
        of = [mw for s, t, a, mw in rows[["site", "quarter", "detail", "gross_mw"]].values if (s, t, a) in chosen]
        assert len(of) == len(chosen) > 0
        assert set(of) == {mw}
