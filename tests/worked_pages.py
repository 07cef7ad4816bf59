"""Worked pages: commands with their output, run again and compared. `python tests/worked_pages.py PAGE` writes them.

A page's commands stand in blocks that begin with ```console; each line that begins with `$ ` is a command of this
program, what follows is what it prints. A comment <!-- first lines: 12 --> before a block cuts what is shown of it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"(?:<!-- first lines: (\d+) -->\n)?```console\n\$ (.*?)\n(.*?)```", re.DOTALL)
DECIMAL = re.compile(r"\d[\d,]*\.\d+")
RUN_ID = re.compile(r"run [0-9a-f]{12}")
CUT = "...\n"


@dataclass(frozen=True)
class Shown:
    """One command of a page, what it is said to print, and how much of it is shown."""

    command: str
    output: str
    lines: int | None

    def cut(self, printed: str) -> str:
        lines = printed.splitlines(keepends=True)
        text = printed if self.lines is None or len(lines) <= self.lines else "".join(lines[: self.lines]) + CUT
        return masked(text)


def masked(text: str) -> str:
    """Without what differs from one machine to another: run ids hold the versions of packages."""
    return RUN_ID.sub("run ............", text)


def alike(shown: str, now: str) -> bool:
    """Whether two outputs say the same, the last decimal of their numbers aside, and spaces and rules of tables."""
    texts, numbers = zip(*(_parts(text) for text in (shown, now)), strict=True)
    return texts[0] == texts[1] and all(
        abs(float(a.replace(",", "")) - float(b.replace(",", ""))) <= 1.1 * 10.0 ** -len(a.partition(".")[2])
        for a, b in zip(*numbers, strict=True)
    )


def _parts(text: str) -> tuple[list[str], list[str]]:
    """What stands between numbers with decimals, and these."""
    texts = [" ".join(re.sub("─+", "─", part).split()) for part in DECIMAL.split(text)]
    return texts, DECIMAL.findall(text)


def shown_on(page: Path) -> list[Shown]:
    blocks = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Shown(found[2], found[3], int(found[1]) if found[1] else None) for found in blocks]


def prepare(folder: Path) -> None:
    """A folder that looks like the project's, as far as the commands of a page need it."""
    (folder / "data").symlink_to(ROOT / "data", target_is_directory=True)


def rerun(page: Path, run: Callable[[list[str]], str]) -> Iterator[tuple[Shown, str]]:
    """Each command of a page with what it prints now; `run` takes its words, in the folder where pages are run."""
    for shown in shown_on(page):
        program, *words = shlex.split(shown.command)
        assert program == "optimizer", shown.command
        yield shown, shown.cut(run(words))


def rewrite(page: Path) -> None:
    """Put what the commands print now into the page."""
    from optimizer.cli import run as run_cli

    def run(words: list[str]) -> str:
        sys.argv = ["optimizer", *words]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            run_cli()
        return out.getvalue()

    page = page.resolve()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        os.chdir(folder)
        outputs = iter([output for _, output in rerun(page, run)])
    text = BLOCK.sub(lambda found: found[0][: found.start(3) - found.start(0)] + next(outputs) + "```",
                     page.read_text(encoding="utf-8"))  # fmt: skip
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        rewrite(Path(name))
