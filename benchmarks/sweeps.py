"""A whole switching map against one whole solve, in the same run on the same machine.

`python -m benchmarks.sweeps FOLDER --case data/bitfarms_2025 --points 20 --jobs 2` solves the case from the command
line, case folder to plan folder, then the map of 20 by 20 points over hashprice and rent, and prints how many solves
the map takes. The target is 60 for 400 points on two cores. Answers lie in FOLDER, so a run that was cut off goes on;
the time of its parts is added up. Processor seconds count this process, its workers and their solvers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optimizer.plan.folder import load_plan
from optimizer.questions.studies.study import save_study
from optimizer.questions.studies.switching_map import switching_map
from optimizer.questions.sweeps.runner import Sweep, workers

TARGET = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", type=Path, default=Path("data/bitfarms_2025"))
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--gap", type=float, default=1e-3)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    parts = given.folder / "parts.jsonl"
    plan_folder = given.folder / "plan"
    if not plan_folder.exists():
        with timed(parts, "solve"):
            subprocess.run(
                [sys.executable, "-m", "optimizer", "solve", given.case, "-o", plan_folder],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
    with timed(parts, "map"):
        study = sweep_all(plan_folder, given.folder, given.points, given.jobs, given.gap)
    tell(parts, study, given.points**2)


def sweep_all(plan_folder: Path, folder: Path, points: int, jobs: int, gap: float) -> str:
    def told(done: int, of: int) -> None:
        print(f"\r{done} of {of}", end="", file=sys.stderr, flush=True)

    with workers(jobs) as pool:
        sweep = Sweep(pool, folder, told, at_once=2 * jobs)
        study = switching_map(load_plan(plan_folder), points=(points, points), gap=gap, sweep=sweep)
    save_study(study, folder / "map")
    return study.title


@contextmanager
def timed(file: Path, what: str) -> Iterator[None]:
    """Add a line with the seconds and processor seconds of what is done inside, whether it ends well or not."""
    began, used = time.monotonic(), processor_seconds()
    try:
        yield
    finally:
        spent = {"what": what, "s": time.monotonic() - began, "cpu_s": processor_seconds() - used}
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(spent) + "\n")


def processor_seconds() -> float:
    """Of this process and of all that it has started and seen end."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def tell(file: Path, title: str, points: int) -> None:
    parts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    solve, swept = (
        {name: sum(part[name] for part in parts if part["what"] == what) for name in ("s", "cpu_s")}
        for what in ("solve", "map")
    )
    print(f"\n{title}")
    print("| what | s | cpu s |\n| --- | ---: | ---: |")
    print(f"| one solve | {solve['s']:.1f} | {solve['cpu_s']:.1f} |")
    print(f"| map of {points} points | {swept['s']:.1f} | {swept['cpu_s']:.1f} |")
    ratio, cpu = swept["s"] / solve["s"], swept["cpu_s"] / solve["cpu_s"]
    print(f"| solves a map takes (target {TARGET} for 400 on 2 cores) | {ratio:.1f} | {cpu:.1f} |")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
