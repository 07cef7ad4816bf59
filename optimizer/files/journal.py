"""A file of lines that is only added to, each on the disk before the next: work that is killed goes on from there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from optimizer.ground.errors import PlanError

VERSION = 2
"""Of what is kept by key. In lines without one an interrupt may stand for an answer, so that they are not read."""

Kept = TypeVar("Kept")


class Journal:
    """Lines of text in a file. A line that a kill cut short is ended, so that the next one stands by itself."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._cut = path.exists() and _last_byte(path) not in (b"", b"\n")

    def lines(self) -> Iterator[str]:
        """All lines, the one cut short among them: whoever reads must bear a line that makes no sense."""
        if self._path.exists():
            yield from self._path.read_text(encoding="utf-8", errors="replace").splitlines()

    def add(self, line: str) -> None:
        """Raises OSError; a part of the line may then be there, which the next line does not continue."""
        begin, self._cut = "\n" * self._cut, True
        with self._path.open("a", encoding="utf-8") as file:
            file.write(begin + line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._cut = False


class Answers:
    """Answers by key in the journal of a folder, or nowhere: each stands there once it was added."""

    def __init__(self, folder: Path | None, name: str = "answers.jsonl"):
        """Raises OSError where the folder cannot be made."""
        self._folder = folder
        self._journal = None if folder is None else Journal(folder / name)

    def read(self, of: Callable[[Any], Kept]) -> dict[str, Kept]:
        """All answers, each as `of` makes it of its record, without lines that make no sense."""
        known = {}
        for line in () if self._journal is None else self._journal.lines():
            try:
                kept = json.loads(line)
                if kept["version"] == VERSION:
                    known[str(kept["key"])] = of(kept["record"])
            except (ValueError, KeyError, TypeError):
                continue
        return known

    def add(self, key: str, record: object) -> None:
        """Raises PlanError where the disk does not take it."""
        if self._journal is None:
            return
        try:
            kept = {"version": VERSION, "key": key, "record": record}
            self._journal.add(json.dumps(kept, default=lambda number: number.item()))
        except OSError as error:
            why = f"{self._folder} cannot be written: {error.strerror}. What landed before is kept."
            raise PlanError(why) from None


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        return file.read(1)
