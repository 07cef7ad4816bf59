"""The ladder: this program, a textbook model and bare HiGHS, side by side on cases of growing size.

`python -m benchmarks.ladder --rungs W,B,M,L --seeds 3 --time-limit 300 --raw FILE.jsonl > table.md`

Every run has a process of its own; for each case the three contestants run one after the other, the first place going
round, so that a slow spell of the machine meets all of them. This process imports nothing heavy: a child's peak memory
would count its parent's.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Run = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]
WHO = ("ours", "textbook", "floor")
WORDS = {"ours": "this program", "textbook": "textbook model", "floor": "bare HiGHS"}
SHIPPED = {"W": "washington_2025", "B": "bitfarms_2025", "K": "keel_2026"}
MADE = {"S": (3, 12, 6), "M": (12, 32, 24), "L": (40, 40, 60), "E": (12, 32, 24)}
WHOLE = {"E"}
"""Made with the whole business: machine trade, terms of contracts, facilities."""
PATIENCE = 600
"""Seconds beyond the solver's limit after which a process is taken to hang."""


@dataclass(frozen=True)
class Rung:
    """One case with one seed: of the portfolio where it is made, of the solver everywhere."""

    name: str
    seed: int

    @property
    def label(self) -> str:
        return f"{self.name}{self.seed}"

    @property
    def who(self) -> tuple[str, ...]:
        """The textbook model knows the plain business only: no loans, no trade of machines, no terms of contracts."""
        return ("ours", "floor") if self.name in SHIPPED or self.name in WHOLE else WHO

    @property
    def folder(self) -> Path | None:
        return ROOT / "data" / SHIPPED[self.name] if self.name in SHIPPED else None


# ---- running ------------------------------------------------------------------------------------------------


def climb(rungs: list[Rung], gap: float, time_limit: float, raw: Path) -> list[Run]:
    """Run every rung, append each run to `raw` as it ends, and return them all."""
    runs = []
    with tempfile.TemporaryDirectory() as scratch, raw.open("a", encoding="utf-8") as lines:
        for place, rung in enumerate(rungs):
            for run in _race(rung, place, gap, time_limit, Path(scratch)):
                runs.append(run)
                lines.write(json.dumps(run) + "\n")
                lines.flush()
    return runs


def _race(rung: Rung, place: int, gap: float, time_limit: float, scratch: Path) -> Iterator[Run]:
    folder, mps = rung.folder or scratch / rung.label, scratch / f"{rung.label}.mps"
    common = [str(folder), "--mps", str(mps), "--seed", str(rung.seed)]
    made = [] if rung.folder else ["--make", *map(str, (*MADE[rung.name], rung.seed))]
    made += ["--whole"] if rung.name in WHOLE else []
    _tell(f"{rung.label}: preparing")
    prepared = _child(["prepare", *common, *made], PATIENCE)
    if "error" in prepared:
        _tell(f"{rung.label}: {prepared['error']}")
        return
    limits = ["--gap", str(gap), "--time-limit", str(time_limit)]
    for i in range(len(rung.who)):
        who = rung.who[(i + place) % len(rung.who)]
        run = {"rung": rung.name, "seed": rung.seed, "who": who, "target_gap": gap, "limit_s": time_limit}
        run |= {"load_before": os.getloadavg()[0], **_child([who, *common, *limits], time_limit + PATIENCE)}
        run |= {**_outcome(run), **prepared.get(who, {})}
        _tell(f"{rung.label} {who}: {_progress(run)}")
        yield run


def _child(arguments: list[str], patience: float) -> Run:
    """Run one contestant; its own figures, and what the system says of its process."""
    command = [sys.executable, "-m", "benchmarks.contestants", *arguments]
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=err, text=True)
        code, usage = _wait(process, begun + patience)
        system = {
            "whole_s": time.perf_counter() - begun,
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss / 1024,
        }
        out.seek(0)
        err.seek(0)
        said, complaints = out.read().strip().splitlines(), err.read().strip().splitlines()
    if code == 0 and said:
        return {**json.loads(said[-1]), **system}
    why = complaints[-1] if complaints else f"ended with code {code}"
    return {**system, "error": why[:200]}


def _wait(process: subprocess.Popen[str], deadline: float) -> tuple[int, Any]:
    """Wait for this very child and get its own resource usage; kill it once the deadline has passed."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        if time.perf_counter() > deadline:
            process.kill()
        time.sleep(0.01)


def _outcome(run: Run) -> Run:
    """The gap reached and whether that is the gap asked for."""
    value, bound = run.get("value"), run.get("bound")
    if value is None or bound is None or not (math.isfinite(value) and math.isfinite(bound)):
        return {"gap": None, "finished": False}
    gap = max(0.0, bound - value) / max(abs(value), 1e-9)
    return {"gap": gap, "finished": gap <= run["target_gap"] * (1 + 1e-6)}


def _progress(run: Run) -> str:
    if "error" in run:
        return run["error"]
    reached = "no plan" if run["gap"] is None else f"gap {run['gap']:.3%}"
    return f"whole {run['whole_s']:.1f} s, cpu {run['cpu_s']:.1f} s, {reached}, load {run['load_before']:.1f}"


def _tell(words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {words}", file=sys.stderr, flush=True)


# ---- tables -------------------------------------------------------------------------------------------------


def report(runs: list[Run], gap: float, time_limit: float) -> str:
    parts = [_heading(runs, gap, time_limit), _run_table(runs), _ratio_table(runs)]
    return "\n\n".join(parts) + "\n"


def _heading(runs: list[Run], gap: float, time_limit: float) -> str:
    load = max((run["load_before"] for run in runs), default=0.0)
    return (
        f"Gap asked for {gap:.2%}, at most {time_limit:g} s in the solver, one thread. {_machine()}; "
        f"{datetime.now(UTC):%Y-%m-%d}; highest load of the machine before a run {load:.1f}.\n"
        "Whole: from the start of the process to its end. Besides HiGHS: share of the whole not spent in the search.\n"
        "Cpu: processor time of the process, which a busy machine hardly lengthens."
    )


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{os.cpu_count()} x {model}, Python {platform.python_version()}"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", "---", *["---:"] * (len(header) - 2)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _run_table(runs: list[Run]) -> str:
    header = [
        "case", "who", "rows", "columns", "nonzeros", "build s", "solve s", "whole s", "cpu s", "peak MB",
        "besides HiGHS", "value $M", "gap",
    ]  # fmt: skip
    return _table(header, [_run_row(run) for run in sorted(runs, key=_order)])


def _order(run: Run) -> tuple[int, int, int]:
    return [*SHIPPED, *MADE].index(run["rung"]), run["seed"], WHO.index(run["who"])


def _run_row(run: Run) -> list[str]:
    label = f"{run['rung']}{run['seed']}"
    if "error" in run:
        return [label, WORDS[run["who"]], run["error"].replace("|", "/"), *[""] * 10]
    sizes = [f"{run[name]:,}" for name in ("rows", "columns", "nonzeros")]
    besides = f"{1 - run['highs_s'] / run['whole_s']:.0%}" if "highs_s" in run else ""
    value = f"{run['value']:,.2f}" if run["gap"] is not None else "none"
    gap = f"{run['gap']:.3%}" if run["gap"] is not None else "no plan"
    mark = "" if run["finished"] else " (limit)"
    times = [f"{run[name]:.2f}" for name in ("build_s", "solve_s", "whole_s", "cpu_s")]
    return [label, WORDS[run["who"]], *sizes, *times, f"{run['peak_mb']:.0f}", besides, value, gap + mark]


def _ratio_table(runs: list[Run]) -> str:
    """One line for each case, and the median of each rung."""
    by_case: dict[tuple[str, int], dict[str, Run]] = {}
    for run in sorted(runs, key=_order):
        by_case.setdefault((run["rung"], run["seed"]), {})[run["who"]] = run
    complete = {case: runs for case, runs in by_case.items() if {"ours", "floor"} <= set(runs)}
    rows = [[f"{name}{seed}", *_ratio_row(three)] for (name, seed), three in complete.items()]
    for name in dict.fromkeys(name for name, _ in complete):
        rung = [three for (rung, _), three in complete.items() if rung == name]
        rows.append([f"**{name}**", "median", _median(rung, "textbook", "ours"), _median(rung, "ours", "floor"), ""])
    header = ["case", "values agree", "textbook / ours", "ours / bare HiGHS", "gaps ours, textbook, bare"]
    return _table(header, rows)


def _ratio_row(three: dict[str, Run]) -> list[str]:
    ours, book, bare = (three.get(who) for who in ("ours", "textbook", "floor"))
    gaps = ", ".join("none" if not run or run["gap"] is None else f"{run['gap']:.2%}" for run in (ours, book, bare))
    other = book or bare
    assert ours is not None and bare is not None and other is not None
    return [_agree(ours, other), _ratio(book, ours) if book else "", _ratio(ours, bare), gaps]


def _agree(one: Run, other: Run) -> str:
    """Two answers agree if the intervals from value to bound overlap."""
    if one["gap"] is None or other["gap"] is None:
        return ""
    slack = 1e-6 * max(1.0, abs(one["value"]))
    apart = one["value"] > other["bound"] + slack or other["value"] > one["bound"] + slack
    return "NO" if apart else "yes"


def _ratio(slow: Run, fast: Run) -> str:
    """Whole seconds over whole seconds, with a sign where one of them only reached its limit."""
    if "error" in slow or "error" in fast or not (slow["finished"] or fast["finished"]):
        return "neither finished"
    sign = "" if slow["finished"] and fast["finished"] else ("> " if fast["finished"] else "< ")
    return f"{sign}{slow['whole_s'] / fast['whole_s']:.2g}"


def _median(rung: list[dict[str, Run]], slow: str, fast: str) -> str:
    """Median of the ratios; a lower bound where a slow run was cut off, nothing where a fast one was."""
    pairs = [(three[slow], three[fast]) for three in rung if slow in three and fast in three]
    if not pairs or any("error" in a or not b["finished"] for a, b in pairs):
        return ""
    ratios = [a["whole_s"] / b["whole_s"] for a, b in pairs]
    sign = "" if all(a["finished"] for a, _ in pairs) else "> "
    return f"{sign}{statistics.median(ratios):.2g}"


def _recorded(raw: Path) -> list[Run]:
    """The runs of a raw file; of runs of the same contestant on the same case the last counts."""
    runs = [json.loads(line) for line in raw.read_text(encoding="utf-8").splitlines()]
    return list({(run["rung"], run["seed"], run["who"]): run for run in runs}.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rungs", default="W,B,M,L", help=f"of {', '.join([*SHIPPED, *MADE])}")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each rung: solver seeds, made portfolios too")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--time-limit", type=float, default=300.0, help="seconds in the solver, each run")
    parser.add_argument("--raw", type=Path, required=True, help="JSON lines file to append every run to")
    parser.add_argument("--tables-only", action="store_true", help="run nothing; print the tables of the --raw file")
    given = parser.parse_args()
    if given.tables_only:
        print(report(_recorded(given.raw), given.gap, given.time_limit))
        return
    names = given.rungs.split(",")
    if unknown := sorted(set(names) - {*SHIPPED, *MADE}):
        parser.error(f"no such rung: {', '.join(unknown)}")
    rungs = [Rung(name, seed) for name in names for seed in range(1, given.seeds + 1)]
    runs = climb(rungs, given.gap, given.time_limit, given.raw)
    print(report(runs, given.gap, given.time_limit))


if __name__ == "__main__":
    main()
