"""Records of a campaign: a line of JSON for each case, so that a run that was killed goes on where it ended.

Several processes may write into one folder, each its own file; what any of them has recorded is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

Record = dict[str, Any]
PACKAGE = Path(__file__).parents[1] / "optimizer"


class Records:
    """The records of one campaign in a folder; `shard` says which cases this process takes, as (number, of)."""

    def __init__(self, folder: Path, shard: tuple[int, int] = (0, 1)):
        self.folder, self.shard = folder, shard
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{shard[0]}of{shard[1]}.jsonl"
        if self.file.exists() and not self.file.read_bytes().endswith(b"\n"):
            with self.file.open("a", encoding="utf-8") as file:
                file.write("\n")

    def read(self) -> list[Record]:
        """All that was recorded, by any process; a line cut short by a kill does not count."""
        records = []
        for path in sorted(self.folder.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    records.append(json.loads(line))
                except json.JSONDecodeError:
                    continue
        return records

    def add(self, record: Record) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def mine(self, seeds: Iterator[int]) -> Iterator[int]:
        """The seeds that fall to this process."""
        return (seed for seed in seeds if seed % self.shard[1] == self.shard[0])


@cache
def fingerprint() -> str:
    """Eight letters that change with the program's source, so that a record says what it was made with."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def told_by_command(about: str, cases: int) -> argparse.Namespace:
    """The command line that campaigns share: `folder`, `--cases` and `--shard`."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path, help="where records are, or will be")
    parser.add_argument("--cases", type=int, default=cases, help=f"how many; {cases} unless said")
    parser.add_argument("--shard", default="0/1", help="which part this process takes, such as 0/2 and 1/2")
    parser.add_argument("--only", default="", help="numbers of relations, such as 13,39; all unless said")
    parser.add_argument("--direct", action="store_true", help="HiGHS as it comes, past the program's own solver")
    told = parser.parse_args()
    number, of = told.shard.split("/")
    told.shard = (int(number), int(of))
    return told
