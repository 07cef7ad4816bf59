"""A family: one case compiled once, and its program at other values of a few drivers without compiling again.

The numbers of an adjustable model follow prices, costs and limits in straight lines, or in a few straight pieces. So
the program at any point is the base program plus, for each driver, what its own piece adds:

    P(x) = P(b) + sum_d (P_d(l_d) - P(b)) + (x_d - l_d) / (h_d - l_d) * (P_d(h_d) - P_d(l_d))

with `l_d` and `h_d` the ends of the piece that `x_d` lies in. Nothing is taken on trust: a piece is kept only if the
program compiled between its ends lies on its line, and all drivers together are compiled once at a corner. Where a
number bends (a price above which a tenant leaves, a cap on credits) the piece is halved a few times; what is left
between, and drivers that are no price (delays, rates), is compiled at each value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from optimizer.business.model import build_model
from optimizer.business.variables import SUMS, Name
from optimizer.case.case import Case
from optimizer.questions.sweeps.drivers import Driver
from optimizer.solver.models import compile_model
from optimizer.solver.program import SMALLEST_COEFFICIENT, Floats, Program

Point = Mapping[str, float]
"""Values of drivers by their names; those not named stay at their base."""

STRAIGHT = 1e-9
"""How far a number may lie from the straight line, relative to the largest of its kind."""
HALVINGS = 1
"""How often a piece with a bend in it is halved."""


@dataclass(frozen=True)
class Compiled:
    """A program with what its rows and columns mean."""

    program: Program
    columns: tuple[Name, ...]
    rows: tuple[Name, ...]

    @cached_property
    def place(self) -> Mapping[Name, int]:
        """Where each column stands."""
        return {name: i for i, name in enumerate(self.columns)}

    @cached_property
    def matrix(self) -> csc_array:
        p = self.program
        return csc_array((p.entries, p.indices, p.starts), shape=p.size[:2])

    def where(self, *components: str) -> npt.NDArray[np.int32]:
        """Places of the columns of some components."""
        return np.array([i for i, (name, _) in enumerate(self.columns) if name in components], dtype=np.int32)


def compile_case(case: Case, scenario: str, *, adjustable: bool = True) -> Compiled:
    """Build and compile a case. Raises Infeasible or SolverFault."""
    model = build_model(case, scenario, adjustable=adjustable)  # lives until the names are read: Pyomo's refer weakly
    program, rows, columns = compile_model(model)
    return Compiled(program, tuple(map(_name, columns)), tuple(map(_name, rows)))


def _name(component: Any) -> Name:
    index = component.index()
    return component.parent_component().local_name, index if isinstance(index, tuple) else (index,)


@dataclass
class Family:
    """Programs of one case in one scenario over a box of drivers; `compilations` counts the models built for it."""

    case: Case
    scenario: str
    drivers: Sequence[Driver]
    base: Compiled = field(init=False)
    compilations: int = field(init=False, default=0)
    _pieces: dict[str, list[_Piece]] = field(init=False, default_factory=dict)
    _apart: set[str] = field(init=False, default_factory=set)
    """Drivers whose pieces are not straight, and which leave those of the others as they are."""
    _compiled: dict[tuple[tuple[str, float], ...], Compiled] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.base = self._compile({})
        for driver in self.drivers:
            self._pieces[driver.name] = [] if driver.whole else list(self._learned(driver))
        self._doubt_sums()

    def driver(self, name: str) -> Driver:
        return next(driver for driver in self.drivers if driver.name == name)

    def at(self, point: Point) -> Compiled:
        """The program at a point. Raises Infeasible, InputError or SolverFault where it must be compiled and cannot."""
        moved = {name: x for name, x in point.items() if x != self.driver(name).base}
        added = {name: self._added(name, x) for name, x in moved.items()}
        bent = {name: x for name, x in moved.items() if added[name] is None}
        straight = [part for part in added.values() if part is not None]
        if straight and not bent.keys() <= self._apart:
            return self._compile(moved)
        return _sum(self._compile(bent), straight)

    def variant(self, point: Point) -> Case:
        """The case at a point."""
        case = self.case
        for driver in self.drivers:
            if driver.name in point and point[driver.name] != driver.base:
                case = driver.change(case, point[driver.name])
        return case

    def _added(self, name: str, x: float) -> _Difference | None:
        """What moving one driver adds to the base; None where that is not known without compiling."""
        for piece in self._pieces[name]:
            if piece.low <= x <= piece.high:
                return piece.start.plus(piece.slope, x - piece.low)
        return None

    def _compile(self, point: Point) -> Compiled:
        key = tuple(sorted(point.items()))
        if key not in self._compiled:
            self.compilations += 1
            self._compiled[key] = compile_case(self.variant(point), self.scenario)
        return self._compiled[key]

    def _learned(self, driver: Driver) -> Iterator[_Piece]:
        """The straight pieces of a driver's range."""
        low, base, high = driver.low, driver.base, driver.high
        if not low < high:
            return
        middle = base if low < base < high else (low + high) / 2
        yield from self._straightened(driver, low, middle, high, HALVINGS)

    def _straightened(self, driver: Driver, low: float, middle: float, high: float, more: int) -> Iterator[_Piece]:
        start, between, end = (self._compile(_off_base(driver, x)) for x in (low, middle, high))
        if not all(_alike(part, self.base) for part in (start, between, end)):
            return
        slope = _Difference.between(start, end).times(1 / (high - low))
        if _same(_sum(start, [slope.times(middle - low)]), between):
            yield _Piece(low, high, _Difference.between(self.base, start), slope)
        elif more:
            for a, b in ((low, middle), (middle, high)):
                yield from self._straightened(driver, a, (a + b) / 2, b, more - 1)

    def _doubt_sums(self) -> None:
        """Where straight drivers act on each other, none is taken to be straight; then what others do to their sum."""
        corner = {driver.name: self._far_end(driver) for driver in self.drivers if self._pieces[driver.name]}
        if len(corner) > 1 and not _same(self.at(corner), self._compile(corner)):
            self._pieces = {name: [] for name in self._pieces}
            return
        for driver in self.drivers:
            if corner and driver.name not in corner and not driver.whole:
                self._apart.add(driver.name)
                point = {driver.name: driver.high, **corner}
                start = self._compile({driver.name: driver.high})
                if not (_alike(start, self.base) and _same(self.at(point), self._compile(point))):
                    self._apart.remove(driver.name)

    def _far_end(self, driver: Driver) -> float:
        """The end of a driver's straight pieces that lies farthest from its base: where it is straight, not beyond."""
        ends = [end for piece in self._pieces[driver.name] for end in (piece.low, piece.high)]
        return max(ends, key=lambda end: abs(end - driver.base))


def _off_base(driver: Driver, x: float) -> Point:
    return {} if x == driver.base else {driver.name: x}


# ---- differences of programs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Difference:
    """What is added to each number of a program."""

    matrix: csc_array
    vectors: Mapping[str, Floats]

    @classmethod
    def between(cls, start: Compiled, end: Compiled) -> _Difference:
        vectors = {}
        for name in VECTORS:
            a, b = getattr(start.program, name), getattr(end.program, name)
            vectors[name] = np.subtract(b, a, out=np.zeros_like(a), where=np.isfinite(a))
        return cls(csc_array(end.matrix - start.matrix), vectors)

    def times(self, factor: float) -> _Difference:
        return _Difference(self.matrix * factor, {name: part * factor for name, part in self.vectors.items()})

    def plus(self, other: _Difference, factor: float) -> _Difference:
        vectors = {name: part + factor * other.vectors[name] for name, part in self.vectors.items()}
        return _Difference(self.matrix + other.matrix * factor, vectors)


VECTORS = ("cost", "offset", "lower", "upper", "row_lower", "row_upper")


@dataclass(frozen=True)
class _Piece:
    """From `low` to `high` a driver adds `start` to the base, and `slope` for each unit above `low`."""

    low: float
    high: float
    start: _Difference
    slope: _Difference


def _sum(start: Compiled, added: Sequence[_Difference]) -> Compiled:
    """A program with differences added to it."""
    if not added:
        return start
    p, matrix = start.program, start.matrix
    vectors = {name: getattr(p, name) + sum(part.vectors[name] for part in added) for name in VECTORS}
    for part in added:
        matrix = matrix + part.matrix
    matrix = csc_array(matrix)
    matrix.data[np.abs(matrix.data) <= SMALLEST_COEFFICIENT] = 0.0
    matrix.eliminate_zeros()
    matrix.sort_indices()
    program = replace(
        p,
        **vectors,
        starts=matrix.indptr.astype(np.int32),
        indices=matrix.indices.astype(np.int32),
        entries=matrix.data,
    )
    return _rebounded(Compiled(program, start.columns, start.rows), matrix)


def _rebounded(compiled: Compiled, matrix: csc_array) -> Compiled:
    """Columns that are sums of others by an equation get the bounds that their parts allow at these numbers."""
    p, by_rows = compiled.program, matrix.tocsr()
    lower, upper = p.lower.copy(), p.upper.copy()
    equation = {name: i for i, name in enumerate(compiled.rows)}
    for component, rule in SUMS.items():
        for j in compiled.where(component):
            i = equation[rule, compiled.columns[j][1]]
            row = slice(by_rows.indptr[i], by_rows.indptr[i + 1])
            places, entries = by_rows.indices[row], by_rows.data[row]
            rest = places != j
            ends = np.array([entries[rest] * p.lower[places[rest]], entries[rest] * p.upper[places[rest]]])
            own = float(entries[~rest][0])
            reach = (p.row_lower[i] - np.array([ends.max(axis=0).sum(), ends.min(axis=0).sum()])) / own
            lower[j], upper[j] = reach.min(), reach.max()
    return replace(compiled, program=replace(p, lower=lower, upper=upper))


def _alike(a: Compiled, b: Compiled) -> bool:
    """The same rows and columns, endless and whole in the same places."""
    return (
        a.columns == b.columns
        and a.rows == b.rows
        and all(
            np.array_equal(np.isfinite(getattr(a.program, side)), np.isfinite(getattr(b.program, side)))
            for side in ("row_lower", "row_upper")
        )
    )


def _same(a: Compiled, b: Compiled) -> bool:
    """Equal in every number, but for the bounds of columns that are sums."""
    if not _alike(a, b):
        return False
    free = ~np.isin(np.arange(len(a.columns)), a.where(*SUMS))
    pairs = [(a.program.cost, b.program.cost), (a.program.offset, b.program.offset)]
    pairs += [(getattr(a.program, side)[free], getattr(b.program, side)[free]) for side in ("lower", "upper")]
    for side in ("row_lower", "row_upper"):
        ends = np.isfinite(getattr(a.program, side))
        pairs.append((getattr(a.program, side)[ends], getattr(b.program, side)[ends]))
    off = a.matrix - b.matrix
    return _near(np.abs(off.data), b.matrix.data) and all(_near(np.abs(x - y), y) for x, y in pairs)


def _near(off: Floats, sizes: Floats) -> bool:
    return bool(off.max(initial=0.0) <= STRAIGHT * max(1.0, float(np.abs(sizes).max(initial=0.0))))
