"""What secures which facility: halls, and the cost and the margin that are booked on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from itertools import combinations
from typing import Any

from optimizer.auditors.books import Books
from optimizer.auditors.inputs import ZERO
from optimizer.auditors.lines import CORPORATE, MINING
from optimizer.ground.quarters import Quarter

Hall = tuple[str, str]
"""A site, and the product that its halls are let as."""


class Booked:
    """Money of some lines by hall and quarter, received positive, of what is recorded."""

    def __init__(self, books: Books, lines: Collection[str]):
        self._sums: dict[tuple[Hall, Quarter], Decimal] = {}
        self.last = books.case.first - 1
        for flow in books.flows:
            if flow.line in lines and flow.business not in (MINING, CORPORATE):
                key = (flow.site, flow.business), flow.quarter
                self._sums[key] = self._sums.get(key, ZERO) + flow.musd
                self.last = max(self.last, flow.quarter)
        self.halls = frozenset(hall for hall, _ in self._sums)

    def of(self, hall: Hall, quarter: Quarter) -> Decimal:
        return self._sums.get((hall, quarter), ZERO)

    def together(self, halls: Iterable[Hall], quarter: Quarter) -> Decimal:
        return sum((self.of(hall, quarter) for hall in halls), ZERO)


class Pledges:
    """Who holds what: a facility without collateral is the company's own and holds all halls."""

    def __init__(self, books: Books):
        self.books = books
        self.facilities = {row.facility: row for row in books.case.rows("facilities")}

    @cached_property
    def secured(self) -> dict[str, frozenset[Hall]]:
        """Halls of each facility that has collateral; what they are let as without their GPUs secures nothing."""
        held: dict[str, set[Hall]] = {}
        for row in self.books.case.rows("collateral"):
            option = self.books.inputs.row("options", row.option)
            held.setdefault(row.facility, set()).add((option.site, option.product))
        return {name: frozenset(halls) for name, halls in held.items()}

    def halls(self, name: str, booked: Booked) -> frozenset[Hall]:
        return self.secured.get(name, booked.halls)

    def share_a_hall(self, one: str, other: str) -> bool:
        """The company's own facilities share a hall with every other."""
        if one in self.secured and other in self.secured:
            return bool(self.secured[one] & self.secured[other])
        return True

    def counted_with(self, facility: Any) -> list[str]:
        """Facilities that rank equal or before one on a hall of it, itself included.

        The company's own holds all halls and counts all; one that has halls does not count the company's own.
        """
        name, rank = facility.facility, facility.rank or 1
        return [
            other.facility
            for other in self.facilities.values()
            if (other.rank or 1) <= rank
            and (name not in self.secured or other.facility in self.secured)
            and self.share_a_hall(name, other.facility)
        ]

    def chained(self, names: Collection[str]) -> Iterator[tuple[str, ...]]:
        """All sets of two or more of some facilities that hang together by halls in common."""
        for size in range(2, len(names) + 1):
            yield from (chosen for chosen in combinations(names, size) if self._hangs_together(chosen))

    def _hangs_together(self, names: tuple[str, ...]) -> bool:
        reached, left = {names[0]}, set(names[1:])
        while near := {name for name in left if any(self.share_a_hall(name, one) for one in reached)}:
            reached |= near
            left -= near
        return not left
