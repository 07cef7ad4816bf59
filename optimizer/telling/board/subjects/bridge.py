"""From the value of doing nothing to the plan's, by what earns and what costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from optimizer.business.lines import Group
from optimizer.telling.board.blocks import WHOLE, Bars, Chart, Paragraph, Section, Series, Slide, Texts
from optimizer.telling.board.figures import NOTHING, Figure
from optimizer.telling.board.ledger import adds
from optimizer.telling.board.pack import Pack

CONTRACTS_AFTER, RESIDUALS_AFTER = "Contracts after the horizon", "Residuals at its end"
"""Rungs of a slide's bridge that together are the value after the horizon."""
FINANCING = "Financing is fees, and interest above the normal cost of debt; interest itself is no value."
GROUPS: tuple[str, ...] = get_args(Group)


@dataclass(frozen=True)
class Rung:
    """One bar of a bridge: a level (both ends count from zero) or a change."""

    words: str
    figure: Figure
    is_level: bool = False


def bridge(pack: Pack) -> Slide | None:
    """From the value of doing nothing to the plan's, by groups of lines; None where doing nothing is no choice."""
    if pack.source.kpi("value_over_do_nothing_musd") is None:
        return None
    changes = _changes(pack)
    rungs = (*_start(pack), *changes, _end(pack))
    first, last = pack.quarter(pack.quarters[0]), pack.quarter(pack.quarters[-1])
    told = f"Present values at the start of {first}, $M, of flows to {last} where nothing else is said."
    if {CONTRACTS_AFTER, RESIDUALS_AFTER} <= {rung.words for rung in changes}:
        told += f" What comes after {last} is the two steps before the last."
    if any(rung.words == _capital("financing") for rung in changes):
        told += f" {FINANCING}"
    note = f"{told} {adds([rung.figure for rung in rungs[:-1]], rungs[-1].figure)}"
    return Slide("bridge", _title(pack, changes), ((WHOLE, bridge_chart(pack, "chart:bridge", rungs)),), note.strip())


def bridge_section(pack: Pack) -> Section:
    """The bridge group by group, within the horizon and after it; without doing nothing, what the value is made of."""
    start, changes, end = _start(pack), _changes(pack, whole=False), _end(pack)
    rows, level = [], NOTHING
    for rung in (*start, *changes, end):
        before, level = (NOTHING, rung.figure) if rung.is_level else (level, level + rung.figure)
        role = "level" if rung.is_level else "good" if rung.figure.value > 0 else "bad"
        rows.append((rung.words, ((before.value, level.value, role),), (pack.ledger.fixed(rung.figure),)))
    strong = frozenset(i for i, rung in enumerate((*start, *changes, end)) if rung.is_level)
    caption = "Present value, $M: each bar starts where the one above it ends"
    unlike = adds([rung.figure for rung in (*start, *changes)], end.figure)
    said = tuple(Paragraph(words, quiet=True) for words in (FINANCING, unlike) if words)
    blocks = (Bars("bars:bridge", caption, ("part", "$M"), tuple(rows), strong=strong), Texts(said))
    return Section("bridge", "Where the value comes from", _title(pack, changes), blocks)


def _start(pack: Pack) -> tuple[Rung, ...]:
    nothing = pack.source.kpi("do_nothing_value_musd")
    return () if nothing is None else (Rung("Doing nothing", nothing, True),)


def _end(pack: Pack) -> Rung:
    return Rung("The plan", pack.source.due("value_musd"), True)


def _changes(pack: Pack, *, whole: bool = True) -> tuple[Rung, ...]:
    """What the plan adds to doing nothing, by group within the horizon; then what comes after it.

    That is by group as well, or as a `whole` what contracts run on for and what is left at their end.
    """
    rungs = [
        Rung(_capital(group), _difference(pack, "within_musd", (group,)))
        for group in GROUPS
        if group != "residual" or not whole
    ]
    running = tuple(group for group in GROUPS if group != "residual")
    after = {CONTRACTS_AFTER: running, RESIDUALS_AFTER: ("residual",)}
    if not whole:
        after = {f"{_capital(group)}, after the horizon": (group,) for group in GROUPS}
    rungs += [Rung(words, _difference(pack, "after_musd", groups)) for words, groups in after.items()]
    return tuple(rung for rung in rungs if abs(rung.figure.value) >= 0.005)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _difference(pack: Pack, column: str, groups: tuple[str, ...]) -> Figure:
    where = {"group": groups}
    mine = pack.source.total("value", column, where)
    return mine if pack.plan.nothing is None else mine - pack.source.total("value", column, where, nothing=True)


def bridge_chart(pack: Pack, name: str, rungs: Sequence[Rung]) -> Chart:
    """A waterfall of stacked columns: an unseen base, and what is seen above and below zero."""
    ends, level = [], NOTHING
    for rung in rungs:
        start = NOTHING if rung.is_level else level
        level = rung.figure if rung.is_level else level + rung.figure
        ends.append((min(start, level, key=_value), max(start, level, key=_value)))
    categories = tuple(f"{rung.words}\n{_amount(pack, rung)}" for rung in rungs)
    roles = tuple("level" if rung.is_level else "good" if rung.figure.value > 0 else "bad" for rung in rungs)
    base = [high if high.value < 0 else low if low.value > 0 else NOTHING for low, high in ends]
    above = [_above(high) - _above(low) for low, high in ends]
    below = [_below(low) - _below(high) for low, high in ends]
    series = (
        Series("Base", tuple(base), "none", hidden=True),
        Series("Above zero", tuple(above), "level", roles=roles),
        Series("Below zero", tuple(below), "level", roles=roles),
    )
    size = 14 if len(rungs) <= 8 else 12
    return Chart(name, "stacked columns", categories, series, gap=35, category_pt=size, alt="Bridge between two values")


def _value(figure: Figure) -> float:
    return figure.value


def _above(figure: Figure) -> Figure:
    return figure if figure.value > 0 else NOTHING


def _below(figure: Figure) -> Figure:
    return figure if figure.value < 0 else NOTHING


def _amount(pack: Pack, rung: Rung) -> str:
    return pack.ledger.money(rung.figure) if rung.is_level else pack.ledger.signed(rung.figure)


def _title(pack: Pack, changes: Sequence[Rung]) -> str:
    ledger, over = pack.ledger, pack.source.kpi("value_over_do_nothing_musd")
    if over is None:
        after = pack.money("value_after_horizon_musd")
        return f"The plan is worth {pack.money('value_musd')}, of which {after} after the horizon"
    if not changes:
        return f"The plan and doing nothing are worth the same, {pack.money('value_musd')}"
    verb = "gains" if over.value >= 0 else "loses"
    within, later = (pack.source.due(f"{part}_over_do_nothing_musd") for part in ("within", "terminal_value"))
    parts = f"{ledger.signed(within)} to {pack.quarter(pack.quarters[-1])} and {ledger.signed(later)} after it"
    return f"In present value the plan {verb} {ledger.money(abs(over))} over doing nothing: {parts}"
