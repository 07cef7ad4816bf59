"""The metamorphic campaign: every relation of `relations.py` on random cases.

    python tests/metamorphic.py FOLDER [--cases 500] [--shard 0/2] [--only 13,39]

Cases are those of `tiny_cases` that have a plan. Each relation is tried on case after case until it has made claims on
as many as asked for; a case to which it does not apply is counted, and so is one whose variant the program refuses as
input. Intervals of value and bound are compared, to 1e-6 of the value (or of $1M). FOLDER holds a line for each case;
the same command again goes on where the last one ended, and ends with a table of relations and every claim that failed.
Two processes share the cases with `--shard 0/2` and `--shard 1/2`.
"""

from __future__ import annotations

import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from records import Record, Records, fingerprint, told_by_command

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from relations import RELATIONS
from tiny_cases import tiny_case
from worth import Base

from optimizer.ground.errors import Infeasible
from optimizer.ground.findings import InputError

CASES = 500
MOST_SEEDS = 40
"""Seeds that are tried for each case asked for, before a relation that hardly ever applies is given up."""


def tried(base: Base, name: str, seed: int) -> Record:
    """One relation on one case: how many claims it made, and the words of those that failed."""
    try:
        claims = RELATIONS[name](base, random.Random(f"{name} {seed}"))
    except InputError as error:
        return {"claims": 0, "refused": str(error.findings[0])}
    except Exception:
        return {"claims": 1, "failed": [traceback.format_exc()]}
    failed = [claim.words for claim in claims if not claim.holds]
    return {"claims": len(claims)} | ({"failed": failed} if failed else {})


def tried_all(seed: int, names: Iterable[str]) -> Record:
    """A case, and what became of each relation on it; without a plan there is nothing to relate."""
    began, base = time.monotonic(), Base(tiny_case(seed))
    record: Record = {"seed": seed, "program": fingerprint(), "relations": {}}
    try:
        record["value"] = base.worth.low
    except Infeasible:
        return record
    for name in names:
        record["relations"][name] = tried(base, name, seed)
    return record | {"seconds": round(time.monotonic() - began, 3)}


def applied(records: Iterable[Record]) -> Counter[str]:
    """On how many cases each relation made a claim."""
    return Counter(name for record in records for name, what in record["relations"].items() if what["claims"])


def run(
    folder: Path, cases: int = CASES, shard: tuple[int, int] = (0, 1), names: Iterable[str] = RELATIONS
) -> list[Record]:
    """Try what is not yet recorded in the folder, until each relation has its cases; returns all records."""
    records, wanted = Records(folder, shard), list(names)
    done = {(record["seed"], name) for record in records.read() for name in record["relations"]}
    empty = {record["seed"] for record in records.read() if not record["relations"]}
    for seed in records.mine(iter(range(MOST_SEEDS * cases))):
        enough = applied(records.read())
        short = [name for name in wanted if enough[name] < cases]
        if not short:
            break
        still = [name for name in short if (seed, name) not in done]
        if still and seed not in empty:
            records.add(tried_all(seed, still))
    return records.read()


def failures(records: Iterable[Record]) -> list[tuple[int, str, str]]:
    """Seed, relation and words of every claim that failed."""
    return [
        (record["seed"], name, words)
        for record in records
        for name, what in record["relations"].items()
        for words in what.get("failed", [])
    ]


def table(records: list[Record]) -> str:
    """Cases by relation: with claims, not applicable, refused as input, failed; then every failure."""
    on = applied(records)
    told = [(name, what) for record in records for name, what in record["relations"].items()]
    refused = Counter(name for name, what in told if "refused" in what)
    passed_by = Counter(name for name, what in told if not what["claims"] and "refused" not in what)
    failed = Counter(name for name, what in told if "failed" in what)
    lines = [f"{'relation':<58}{'cases':>7}{'passed by':>11}{'refused':>9}{'failed':>8}"]
    lines += [f"{n:<58}{on[n]:>7}{passed_by[n]:>11}{refused[n]:>9}{failed[n]:>8}" for n in RELATIONS]
    seeds, without = {r["seed"] for r in records}, {r["seed"] for r in records if "value" not in r}
    lines.append(f"{len(seeds)} cases, {len(without)} of them without a plan; {len(failures(records))} claims failed")
    return "\n".join([*lines, *(f"seed {seed}, {name}: {words}" for seed, name, words in failures(records))])


if __name__ == "__main__":
    told = told_by_command(str(__doc__).splitlines()[0], CASES)
    numbers = tuple(f"relation_{int(number):02}_" for number in told.only.split(",")) if told.only else ("relation_",)
    print(table(run(told.folder, told.cases, told.shard, [name for name in RELATIONS if name.startswith(numbers)])))
