"""The differential campaign: the optimiser's value of random problems against SCIP's, and against trying everything.

    python tests/differential.py FOLDER [--cases 20000] [--shard 0/2] [--direct]

Three kinds of problems:

- `tiny`: cases of `tiny_cases`. The model is solved by the program's own solver, its matrices by SCIP, and the case
  is enumerated by the oracle, which reads the inputs and knows neither the model nor its matrices.
- `wide`: a tenth as many, of any number of combinations, against SCIP alone.
- `bare`: a fifth as many, no cases but programs of the model's shape, half of them with unbounded columns (which the
  program's own solver refuses, so it is HiGHS as it comes), against SCIP alone. This is the part that catches a
  solver: see the positive control in `test_differential.py`.

Values and infeasibility must agree to 1e-6 (of the value, where that is above $1M), and the bound must be no lower.
FOLDER holds a line for each case; the same command again goes on where the last one ended, and ends with a table. Two
processes share the work with `--shard 0/2` and `--shard 1/2`. `--direct` puts HiGHS as it comes, of whatever version is
installed, in the place of the program's own solver.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count, islice
from pathlib import Path

import oracle
from other_solvers import NO_PLAN, Matrices, Outcome, by_highs, by_scip, matrices_of
from records import Record, Records, fingerprint, told_by_command
from small_features import FEATURES, present
from tiny_cases import bare_program, tiny_case, wide_case

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from pyomo.environ import ConcreteModel

from optimizer.business.model import build_model
from optimizer.case.case import Case
from optimizer.ground.errors import Infeasible, SolverFault
from optimizer.solver import SolverOptions, solver_version
from optimizer.solver.models import solve_model

TOLERANCE = 1e-6
SCENARIO = "base"
CASES = 20_000
KINDS = {"tiny": 1.0, "wide": 0.1, "bare": 0.2}
"""Problems of each kind for one tiny case."""

Solver = Callable[[ConcreteModel, Matrices | None], Outcome]


def by_program(model: ConcreteModel, _: Matrices | None) -> Outcome:
    """The program's own path, with no gap left."""
    try:
        answer = solve_model(model, SolverOptions(gap=0.0))
    except Infeasible:
        return NO_PLAN
    return Outcome(answer.value, answer.bound)


def directly(_: ConcreteModel, matrices: Matrices | None) -> Outcome:
    return by_highs(matrices)


def alike(a: float | None, b: float | None) -> bool:
    """The same value within 1e-6, or none in both."""
    if a is None or b is None:
        return a is b
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def compared(kind: str, seed: int, solver: Solver) -> Record:
    """Solve one problem in every way there is for its kind; the record says what each found, and whether they agree."""
    began = time.monotonic()
    record: Record = {"kind": kind, "seed": seed}
    case = {"tiny": tiny_case, "wide": wide_case}[kind](seed) if kind != "bare" else None
    if case is None:
        matrices: Matrices | None = bare_program(seed)
        found = _found(lambda: by_highs(matrices))
    else:
        model = build_model(case, SCENARIO)
        matrices = matrices_of(model)
        found = _found(lambda: solver(model, matrices))
        record |= {"features": sorted(present(case))}
    record |= {"scip": by_scip(matrices).value} | found
    if kind == "tiny" and case is not None:
        record |= _enumerated(case)
    record["verdict"] = _verdict(record)
    return record | {"seconds": round(time.monotonic() - began, 3), "by": solver_version(), "program": fingerprint()}


def _found(solve: Callable[[], Outcome]) -> Record:
    try:
        found = solve()
    except (SolverFault, RuntimeError) as error:
        return {"value": None, "bound": None, "fault": str(error)}
    return {"value": found.value, "bound": found.bound}


def _enumerated(case: Case) -> Record:
    best = oracle.best_plan(case, SCENARIO)
    if best is None:
        return {"enumerated": None, "tried": None, "active": []}
    active = {"", *best.active}
    used = [name for name in present(case) if FEATURES[name][1] in active]
    return {"enumerated": best.value_musd, "tried": best.tried, "active": sorted(used)}


def _verdict(record: Record) -> str:
    value, bound = record["value"], record["bound"]
    if "fault" in record:
        return "fault"
    if not alike(value, record["scip"]) or not alike(value, record.get("enumerated", value)):
        return "disagree"
    if value is not None and bound < value - TOLERANCE * max(1.0, abs(value)):
        return "disagree"
    return "agree"


def run(folder: Path, cases: int = CASES, shard: tuple[int, int] = (0, 1), solver: Solver = by_program) -> list[Record]:
    """Compare what is not yet recorded in the folder, and return all that is."""
    records = Records(folder, shard)
    done = {(record["kind"], record["seed"]) for record in records.read()}
    for kind in ("bare", "tiny", "wide"):
        for seed in records.mine(islice(count(), int(cases * KINDS[kind]))):
            if (kind, seed) not in done:
                records.add(compared(kind, seed, solver))
    return records.read()


def disagreements(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record["verdict"] != "agree"]


def table(records: list[Record]) -> str:
    """What was compared, by kind, and how often each feature was there and active in the best plan."""
    lines = [f"{'kind':<8}{'cases':>8}{'no plan':>9}{'enumerated':>12}{'disagree':>10}"]
    for kind in KINDS:
        mine = [record for record in records if record["kind"] == kind]
        counts = (
            len(mine),
            sum(record["scip"] is None for record in mine),
            sum("enumerated" in record for record in mine),
            len(disagreements(mine)),
        )
        lines.append("{:<8}{:>8}{:>9}{:>12}{:>10}".format(kind, *counts))
    had = Counter(name for record in records for name in record.get("features", []))
    used = Counter(name for record in records for name in record.get("active", []))
    lines.append(f"\n{'feature':<24}{'present':>9}{'active':>9}")
    lines += [f"{name:<24}{had[name]:>9}{used[name]:>9}" for name in FEATURES]
    made = Counter((record["by"], record["program"]) for record in records)
    lines += ["", *(f"{number} cases by {by}, program {program}" for (by, program), number in made.items())]
    return "\n".join([*lines, *map(str, disagreements(records)[:20])])


if __name__ == "__main__":
    told = told_by_command(str(__doc__).splitlines()[0], CASES)
    print(table(run(told.folder, told.cases, told.shard, directly if told.direct else by_program)))
