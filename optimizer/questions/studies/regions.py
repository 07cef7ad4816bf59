"""Regions of a map: points whose plans decide alike, told by as much as can be read on a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from optimizer.plan.decisions import Decisions

MOST_REGIONS = 9
"""More than these cannot be told apart on half a slide."""

Signs = frozenset[str]
"""What marks a family of decisions, a few words each."""


@dataclass(frozen=True)
class Grain:
    """How much of their decisions two points must share to be of one region."""

    words: str
    signs: Callable[[Decisions], Signs]


def _all(d: Decisions) -> Signs:
    starts = {f"{s.site} {s.gross_mw:g} MW {s.product} {s.quarter}" for s in d.starts}
    return frozenset(starts | {f"{s.offer} {s.it_mw:.3g} MW at {s.site} {s.delivery}" for s in d.signed})


def _megawatts(d: Decisions) -> Signs:
    built: Counter[tuple[str, str]] = Counter()
    for start in d.starts:
        built[start.site, start.product] += round(start.gross_mw * 1000)
    halls = {f"{site} {mw / 1000:g} MW {product}" for (site, product), mw in built.items()}
    return frozenset(halls | {f"signs {one.offer}" for one in d.signed})


def _offers(d: Decisions) -> Signs:
    return _products(d) | {f"signs {one.offer}" for one in d.signed}


def _products(d: Decisions) -> Signs:
    return frozenset(f"{start.site} to {start.product}" for start in d.starts)


GRAINS = (
    Grain("every start and every contract with its quarter and size", _all),
    Grain("the megawatts of each product at each site and which offers are signed, whatever the quarters", _megawatts),
    Grain("which sites become which product and which offers are signed, whatever the megawatts and quarters", _offers),
    Grain("which sites become which product, whatever the megawatts, quarters and offers", _products),
)
"""From the closest to the coarsest; the first that leaves a readable number of regions is taken."""


@dataclass(frozen=True)
class Region:
    """A family of decisions that wins somewhere: its letter, short name, and the points it wins at, by their place."""

    letter: str
    name: str
    points: tuple[int, ...]


def divide(decided: Sequence[Decisions | None], most: int = MOST_REGIONS) -> tuple[Grain, list[Region]]:
    """The regions of a map and how finely they are told apart; the largest first. Points without a plan are in none."""
    for grain in GRAINS:
        families: dict[Signs, list[int]] = {}
        for i, decisions in enumerate(decided):
            if decisions is not None:
                families.setdefault(grain.signs(decisions), []).append(i)
        if len(families) <= most:
            break
    ordered = sorted(families.items(), key=lambda item: (-len(item[1]), item[1]))
    shared = frozenset.intersection(*families) if families else frozenset()
    letters = _letters(len(ordered))
    return grain, [
        Region(letter, _name(signs, shared, alone=len(ordered) == 1), tuple(points))
        for letter, (signs, points) in zip(letters, ordered, strict=True)
    ]


def _name(signs: Signs, shared: Signs, *, alone: bool) -> str:
    """What sets a family apart from the others of the map."""
    own = sorted(signs if alone else signs - shared)
    if own:
        return "; ".join(own)
    return "nothing more than what all share" if shared and not alone else "no conversion, no contract"


def _letters(count: int) -> list[str]:
    """A to Z, then AA, AB and so on."""
    names = []
    for i in range(count):
        name, left = "", i + 1
        while left:
            left, digit = divmod(left - 1, 26)
            name = chr(65 + digit) + name
        names.append(name)
    return names
