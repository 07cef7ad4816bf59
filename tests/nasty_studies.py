"""Studies that are hard to draw: without numbers, without rows, with one row, with far too many, with hostile names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle

from pictured_studies import (
    NAN,
    NASTY,
    USUAL,
    alternatives,
    breakevens,
    bridge,
    frontier,
    prices,
    regret,
    switching_map,
    tornado,
)  # fmt: skip

from optimizer.questions.studies.study import NUMERIC, Study

KEPT = {"region", "found", "moves", "decision", "rule", "kind", "x", "y", "number"}
"""What holds a table together."""


def hostile(study: Study) -> Study:
    """The same study with every text of its tables, its title and its words replaced by something nasty."""
    texts = {
        name: [column for column in table.columns if not NUMERIC.fullmatch(column) and column not in KEPT]
        for name, table in study.tables.items()
    }
    every = dict.fromkeys(
        text for name, table in study.tables.items() for text in table[texts[name]].to_numpy().ravel()
    )
    named = {
        text: f"{nasty} {i}" if i >= len(NASTY) else nasty for i, (text, nasty) in enumerate(zip(every, cycle(NASTY)))
    }
    tables = {
        name: table.assign(**{column: table[column].map(named) for column in texts[name]})
        for name, table in study.tables.items()
    }
    about = {key: NASTY[5] if key.endswith("_words") else value for key, value in study.about.items()}
    return Study(study.kind, " ".join(NASTY), (), tables, about)


def blank(study: Study) -> Study:
    """The same study with no number in any table."""
    tables = {}
    for name, table in study.tables.items():
        numbers = [column for column in table.columns if NUMERIC.fullmatch(column) and column not in KEPT]
        tables[name] = table.assign(**dict.fromkeys(numbers, NAN))
    return Study(study.kind, study.title, (), tables, {})


def empty(study: Study) -> Study:
    return Study(study.kind, study.title, (), {name: table.iloc[:0] for name, table in study.tables.items()}, {})


def negative(study: Study) -> Study:
    """The same study with every amount of money turned round."""
    tables = {
        name: table.assign(**{c: -table[c] for c in table.columns if c.endswith("musd") and c != "budget_musd"})
        for name, table in study.tables.items()
    }
    about = {key: -value if key.endswith("value_musd") else value for key, value in study.about.items()}
    return Study(study.kind, study.title, (), tables, about)


def twisted(kind: str, turn: Callable[[Study], Study]) -> Study:
    return turn(USUAL[kind]())


FORTY = [
    (f"d{i}", f"Driver {i} of very many in this case", "%", 80.0, 100.0, 120.0, 100.0 - i, 100.0 + i, 99.0 - i, NAN)
    for i in range(40)
]
ONE_SIDED = [("a", "A", "%", 1.0, 2.0, 3.0, 120.0, 150.0, NAN, 140.0)]
HALF_SOLVED = [("a", "A", "%", 1.0, 2.0, 3.0, NAN, 150.0, NAN, NAN)]
GROUPS = [(f"g{i}", f"Group {i}", 1.0, 0.0, 2.0, 3.0, -2.0) for i in range(30)]
TURNS = [(f"S{i}", "Q?", "d", "%", 1.0, 2.0, 2.1, "a", "b", "yes", "") for i in range(30)]
RULES = [("r", f"Rule {i}", "$M", 1.0, -2.0 * i, 3.0 * i, "yes", "many a thing") for i in range(30)]

CASES: dict[str, Callable[[], Study]] = {
    **USUAL,
    **{f"{kind}, {turn.__name__}": partial(twisted, kind, turn)
       for kind in USUAL for turn in (hostile, blank, empty, negative)},
    "one driver": partial(tornado, FORTY[7:8]),
    "forty drivers": partial(tornado, FORTY),
    "drivers on one side": partial(tornado, ONE_SIDED),
    "no plan at one end": partial(tornado, HALF_SOLVED),
    "26 regions": partial(switching_map, 26, 26),
    "60 regions": partial(switching_map, 61, 60, holes=False),
    "map of one point": partial(switching_map, 1, 1, holes=False),
    "one budget": partial(frontier, 1),
    "forty budgets": partial(frontier, 40),
    "one plan": partial(alternatives, 1, 3),
    "many plans": partial(alternatives, 24, 60),
    "one by one": partial(regret, 1, 1),
    "many by many": partial(regret, 30, 20),
    "bridge of nothing": partial(bridge, [("a", "A", 0.0, 0.0, 0.0, 0.0, 0.0)], (115.0, 115.0)),
    "long bridge": partial(bridge, GROUPS, (5.0, 35.0)),
    "small steps": partial(bridge, [("a", "A", 1.0, 0.5, 1.5, 0.6, 0.4)], (9000.0, 9001.0)),
    "one break-even": partial(breakevens, TURNS[:1]),
    "many break-evens": partial(breakevens, TURNS),
    "many prices": partial(prices, RULES),
}  # fmt: skip
