"""What moving from one program to another is worth to first order, by the duals of an answer: whole numbers stay."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array

from optimizer.business.variables import Name
from optimizer.questions.sweeps.family import Compiled
from optimizer.questions.sweeps.runner import Landed
from optimizer.solver.program import Floats

VALUE: Name = ("value", ())


def worth_to_first_order(base: Compiled, landed: Landed, other: Compiled) -> dict[Name, float]:
    """$M that each row, bound and cost of the other program adds to an answer of the base; only what is not zero.

    With y the duals and d = c - A'y what is left of the costs, the value moves by
    `y (b' - b) + d (bound' - bound) + (c' - c) x - y (A' - A) x`. Rows and columns are matched by name; what the other
    program has beside is not used. Whole columns are held, so their bounds are worth nothing.
    """
    p, q = base.program, other.program
    columns = [(i, other.place[name]) for i, name in enumerate(base.columns) if name in other.place]
    where = {name: i for i, name in enumerate(other.rows)}
    rows = [(i, where[name]) for i, name in enumerate(base.rows) if name in where]
    ci, cj = (np.array(part, dtype=np.int64) for part in zip(*columns, strict=True))
    ri, rj = (np.array(part, dtype=np.int64) for part in zip(*rows, strict=True))
    x, y = landed.vector[ci], landed.row_duals[ri]
    a, b = (csc_array(m.matrix.tocsr()[r][:, c]) for m, r, c in ((base, ri, ci), (other, rj, cj)))
    left = p.cost - base.matrix.T @ landed.row_duals
    by_row = _at_active_side(y, (p.row_lower[ri], p.row_upper[ri]), (q.row_lower[rj], q.row_upper[rj]))
    by_row -= y * ((b - a) @ x)
    free = ~p.integers[ci]
    by_column = _at_active_side(left[ci] * free, (p.lower[ci], p.upper[ci]), (q.lower[cj], q.upper[cj]))
    by_column += (q.cost[cj] - p.cost[ci]) * x
    worth = {VALUE: float(q.offset[0] - p.offset[0])}
    worth |= {base.rows[i]: float(amount) for i, amount in zip(ri, by_row, strict=True)}
    worth |= {base.columns[i]: float(amount) for i, amount in zip(ci, by_column, strict=True)}
    return {name: amount for name, amount in worth.items() if amount != 0}


def _at_active_side(price: Floats, before: tuple[Floats, Floats], after: tuple[Floats, Floats]) -> Floats:
    """Prices times the moves of the limits that they belong to: the upper one where positive, else the lower."""
    moves = []
    for old, new in zip(before, after, strict=True):
        ends = np.isfinite(old) & np.isfinite(new)
        moves.append(np.subtract(new, old, out=np.zeros_like(new), where=ends))
    return price * np.where(price > 0, moves[1], moves[0])
