"""One run of one contestant in its own process: `python -m benchmarks.contestants WHO FOLDER ...`.

The last line on stdout is a JSON object. Imports are inside the functions: what a contestant does not need must not
count in its time or its memory.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Result = dict[str, Any]


def prepare(given: argparse.Namespace) -> Result:
    """Not a contestant: write a made portfolio, if one is asked for, and the MPS of our model for the floor.

    Gives the textbook model's size, which would cost that contestant time to count.
    """
    from benchmarks import textbook as book
    from optimizer.business.model import build_model
    from optimizer.case.folder import load_case, write_case
    from optimizer.solver import highs
    from optimizer.solver.models import compile_model

    if given.make:
        from benchmarks.portfolios import portfolio

        sites, quarters, offers, seed = given.make
        made = portfolio(sites, quarters, offers, seed)
        if given.whole:
            from benchmarks.whole import with_the_whole_business

            made = with_the_whole_business(made, seed)
        write_case(made, given.folder)
    case = load_case(given.folder, check_units=False)
    model = build_model(case, given.scenario)
    highs.export(compile_model(model)[0], given.mps)
    return {} if case.facilities or case.machine_markets else {"textbook": book.size(book.build(case, given.scenario))}


def ours(given: argparse.Namespace) -> Result:
    """The whole program: read and check the case, build, solve, settle, do-nothing plan, write the plan folder."""
    import optimizer as opt

    begun = time.perf_counter()
    case = opt.load_case(given.folder, check_units=False)
    read = time.perf_counter() - begun
    plan = opt.solve(case, given.scenario, gap=given.gap, time_limit=given.time_limit, seed=given.seed, threads=1)
    with tempfile.TemporaryDirectory() as folder:
        saving = time.perf_counter()
        opt.save_plan(plan, Path(folder) / "plan")
        saved = time.perf_counter() - saving
    run, size = plan.run, plan.provenance["size"]
    times = {"read_s": read, "build_s": run["build_s"], "solve_s": run["solve_s"], "save_s": saved}
    return {
        **times, "highs_s": run["highs_s"], "settle_s": run["settle_and_audit_s"],
        "value": plan.value_musd, "bound": plan.bound_musd, "nodes": plan.provenance["nodes"], **size,
    }  # fmt: skip


def textbook(given: argparse.Namespace) -> Result:
    from benchmarks import textbook as book
    from optimizer.case.folder import load_case

    begun = time.perf_counter()
    case = load_case(given.folder, check_units=False)
    read = time.perf_counter()
    model = book.build(case, given.scenario)
    built = time.perf_counter()
    value, bound, seconds = book.solve(model, given.gap, given.time_limit)
    times = {"read_s": read - begun, "build_s": built - read, "solve_s": seconds}
    return {**times, "value": value, "bound": bound}


def floor(given: argparse.Namespace) -> Result:
    """HiGHS alone, with our options, on the MPS of our model."""
    import highspy

    highs = highspy.Highs()
    options = {
        "output_flag": False, "threads": 1, "random_seed": given.seed, "mip_rel_gap": given.gap, "mip_abs_gap": 0.0,
        "time_limit": given.time_limit,
    }  # fmt: skip
    for name, value in options.items():
        highs.setOptionValue(name, value)
    begun = time.perf_counter()
    highs.readModel(str(given.mps))
    read = time.perf_counter()
    highs.run()
    solved = time.perf_counter() - read
    info, lp = highs.getInfo(), highs.getLp()
    return {
        "read_s": read - begun, "build_s": 0.0, "solve_s": solved, "highs_s": solved,
        "value": info.objective_function_value, "bound": info.mip_dual_bound, "nodes": info.mip_node_count,
        "rows": lp.num_row_, "columns": lp.num_col_, "nonzeros": highs.getNumNz(),
    }  # fmt: skip


ROLES: dict[str, Callable[[argparse.Namespace], Result]] = {
    "prepare": prepare, "ours": ours, "textbook": textbook, "floor": floor,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("who", choices=ROLES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mps", type=Path)
    parser.add_argument("--scenario", default="base")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time-limit", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--make", type=int, nargs=4, metavar=("SITES", "QUARTERS", "OFFERS", "SEED"))
    parser.add_argument("--whole", action="store_true", help="make it with the whole business")
    given = parser.parse_args()
    print(json.dumps(ROLES[given.who](given)))


if __name__ == "__main__":
    main()
