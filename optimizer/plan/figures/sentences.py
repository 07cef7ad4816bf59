"""What a plan sells and delivers late, in sentences that every report tells in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from optimizer.ground.amounts import TOLD_MUSD, musd
from optimizer.plan.figures.room import Room

Unit = Literal["$M", "MW", "BTC", "quarters", "text"]
Where = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Part:
    """A number or a text in a sentence: the sum of a column of one of the room's tables over some rows."""

    value: float | str
    unit: Unit
    table: str
    column: str
    where: Where = ()

    @property
    def text(self) -> str:
        """The part as a terminal tells it."""
        if isinstance(self.value, str):
            return self.value
        if self.unit == "$M":
            return musd(self.value)
        return f"{self.value:,.0f}" if self.unit in ("BTC", "quarters") else f"{self.value:,.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Sentence:
    """`verb` is what is done (`Sell`, `Deliver late:`); `words` have places for `parts` and no digit of their own."""

    verb: str
    words: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return self.words.format(*(part.text for part in self.parts))


def sales_and_delays(room: Room) -> tuple[Sentence, ...]:
    """BTC of the treasury, machines by class, contracts that are late: none where nothing is."""
    return (*_btc(room), *_machines(room), *delays(room))


def _btc(room: Room) -> Iterator[Sentence]:
    rows = room.tables["btc_sold"]
    if len(rows):
        span, quarters = _span("btc_sold", list(rows["quarter"]))
        amount = Part(float(rows["sold_btc"].sum()), "BTC", "btc_sold", "sold_btc")
        money = Part(float(rows["musd"].sum()), "$M", "btc_sold", "musd")
        known = ", which assumes that the price path is known" if room.plan.case.settings.btc_rule == "free" else ""
        yield Sentence("Sell", f"{{}} BTC of the treasury {span} for {{}}{known}", (amount, *quarters, money))


def _machines(room: Room) -> Iterator[Sentence]:
    table = room.tables["machines_sold"]
    if table.empty:
        return
    span, quarters = _span("machines_sold", list(table["quarter"]))
    mw = Part(float(table["sold_gross_mw"].sum()), "MW", "machines_sold", "sold_gross_mw")
    money = Part(float(table["musd"].sum()), "$M", "machines_sold", "musd")
    classes = [
        _of_class(str(asic), float(mw)) for asic, mw in table.groupby("asic", sort=False)["sold_gross_mw"].sum().items()
    ]
    words = f"{{}} gross MW of machines {span} for {{}} ({', '.join(['{} {}'] * len(classes))})"
    yield Sentence("Sell", words, (mw, *quarters, money, *(part for pair in classes for part in pair)))


def _of_class(asic: str, mw: float) -> tuple[Part, Part]:
    """Gross MW of a class of machines, and its name."""
    where = (("asic", asic),)
    number = Part(mw, "MW", "machines_sold", "sold_gross_mw", where)
    return number, Part(asic, "text", "machines_sold", "asic", where)


def delays(room: Room) -> Iterator[Sentence]:
    """Contracts that are planned to be late, in whole or in part."""
    for row in room.tables["late_contracts"].itertuples():
        where = (("offer", str(row.offer)),)
        span, quarters = _span("late_contracts", [row.first_quarter, row.last_quarter])
        who = Part(str(row.customer), "text", "late_contracts", "customer", where)
        offer = Part(str(row.offer), "text", "late_contracts", "offer", where)
        late = Part(float(row.quarters), "quarters", "late_contracts", "quarters", where)
        noun = "quarter" if row.quarters == 1 else "quarters"
        words, paid = f"{{}} ({{}}), for {{}} {noun} {span}, ", Part(float(row.damages_musd), "$M", "late_contracts",
                                                                    "damages_musd", where)  # fmt: skip
        if row.damages_musd < TOLD_MUSD:
            yield Sentence("Deliver late:", f"{words}at no damages", (who, offer, late, *quarters))
        else:
            yield Sentence("Deliver late:", f"{words}at {{}} of damages", (who, offer, late, *quarters, paid))


def _span(table: str, quarters: list[str]) -> tuple[str, tuple[Part, ...]]:
    """`in {}` or `from {} to {}`, with the quarters."""
    first, last = min(quarters), max(quarters)
    parts = tuple(Part(quarter, "text", table, "quarter") for quarter in dict.fromkeys((first, last)))
    return ("in {}" if first == last else "from {} to {}"), parts
