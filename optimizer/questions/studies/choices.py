"""Yes-or-no decisions of a case: a site converts, an option is used, an offer is signed; and programs without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.case.case import Case
from optimizer.plan.decisions import Decisions
from optimizer.questions.studies.distances import last_states
from optimizer.questions.sweeps.altered import NewRow, bounded, with_rows
from optimizer.questions.sweeps.family import Compiled


@dataclass(frozen=True)
class Choice:
    """One decision that a plan takes or not, however it takes it. `subject` names options, or one offer."""

    key: str
    words: str
    options: tuple[str, ...] = ()
    offer: str = ""
    committed: bool = False

    def taken(self, decisions: Decisions) -> str:
        """How a plan takes it, in words; nothing where it does not."""
        starts = [start for start in decisions.starts if start.option in self.options]
        told = [f"{start.gross_mw:g} gross MW {start.product} from {start.quarter}" for start in starts]
        told += [one.contract for one in decisions.signed if one.offer == self.offer]
        return " and ".join(told)

    def open_in(self, compiled: Compiled) -> bool:
        """Whether a new decision can take it at all."""
        return any(self._is_of(compiled, i) for i in compiled.where("N", "Y"))

    def without(self, compiled: Compiled) -> Compiled:
        """The program that must not take it."""
        places = np.array([i for i in compiled.where("N", "Y") if self._is_of(compiled, i)], dtype=np.int32)
        return bounded(compiled, places, np.zeros(len(places)))

    def forced(self, compiled: Compiled) -> Compiled:
        """The program that must take it."""
        states = [*last_states(compiled, "N").values(), *last_states(compiled, "Y").values()]
        row = NewRow(("taken", (self.key,)), {i: 1.0 for i in states if self._is_of(compiled, i)}, low=1.0)
        return with_rows(compiled, [row])

    def _is_of(self, compiled: Compiled, i: int) -> bool:
        component, index = compiled.columns[i]
        return index[0] in self.options if component == "N" else index[0] == self.offer


def choices_of(case: Case) -> list[Choice]:
    """Every site with options, every option of a site that has several, every offer."""
    return [*_sites(case), *_options(case), *_offers(case)]


def _sites(case: Case) -> Iterator[Choice]:
    for site in case.sites:
        options = tuple(option.option for option in case.options if option.site == site.site)
        if options:
            yield Choice(f"convert {site.site}", f"{site.site} converts", options, committed=_begun(case, options))


def _options(case: Case) -> Iterator[Choice]:
    sites = [option.site for option in case.options]
    for option in case.options:
        if sites.count(option.site) > 1:
            name = option.option
            yield Choice(f"use {name}", f"option {name} is used", (name,), committed=_begun(case, (name,)))


def _offers(case: Case) -> Iterator[Choice]:
    committed = {row.offer for row in case.committed_contracts}
    for offer in case.offers:
        name = offer.offer
        yield Choice(f"sign {name}", f"offer {name} is signed", offer=name, committed=name in committed)


def _begun(case: Case, options: Sequence[str]) -> bool:
    return any(row.option in options for row in case.committed_starts)
