"""A file of lines that is only added to, each on the disk before the next: work that is killed goes on from there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


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


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        return file.read(1)
