"""What the short commands cost, here and in another checkout, in turns: processor seconds, children counted.

`python -m benchmarks.startup ../0.4.0` runs each command with this checkout and with the other, turn by turn, with the
same Python and the same packages, and prints the medians as a table. Bytecode is written before anything is measured,
into a folder of its own. Processor seconds still move with what else the machine does: read the ratios, and the time
that Python takes to do nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

HERE = Path(__file__).parents[1]
Commands = dict[str, list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("baseline", type=Path, help="A checkout of the version to compare with.")
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        spent = {
            (what, checkout): list[float]() for what in commands(room / "0") for checkout in (HERE, given.baseline)
        }
        for turn in range(given.repeats + 1):
            for i, checkout in enumerate((given.baseline.resolve(), HERE)):
                folder = room / f"{turn}-{i}"
                folder.mkdir()
                for what, words in commands(folder).items():
                    seconds = processor_seconds(words, checkout, room / "bytecode", folder)
                    if turn:
                        spent[what, given.baseline if i == 0 else HERE].append(seconds)
    tell({what: (median(spent[what, given.baseline]), median(spent[what, HERE])) for what in commands(room)})


def commands(folder: Path) -> Commands:
    """What is run, in this order, in an empty folder."""
    run = ["-m", "optimizer"]
    case = str(HERE / "data" / "washington_2025")
    return {
        "python -c pass": ["-c", "pass"],
        "optimizer --help": [*run, "--help"],
        "optimizer solve --help": [*run, "solve", "--help"],
        "optimizer init mine": [*run, "init", str(folder / "mine")],
        "optimizer check mine": [*run, "check", str(folder / "mine")],
        "optimizer solve mine": [*run, "solve", str(folder / "mine"), "-o", str(folder / "plan")],
        "optimizer show plan": [*run, "show", str(folder / "plan")],
        "optimizer solve data/washington_2025": [*run, "solve", case, "-o", str(folder / "washington")],
        "optimizer show washington": [*run, "show", str(folder / "washington")],
    }


def processor_seconds(words: list[str], checkout: Path, bytecode: Path, folder: Path) -> float:
    """Of a process with all that it starts. Raises CalledProcessError where it does not end well."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPATH": str(checkout), "PYTHONPYCACHEPREFIX": str(bytecode)}
    process = subprocess.Popen(
        [sys.executable, *words], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return used.ru_utime + used.ru_stime


def tell(medians: dict[str, tuple[float, float]]) -> None:
    print("| command | before, cpu s | now, cpu s | ratio |\n| --- | ---: | ---: | ---: |")
    for what, (before, now) in medians.items():
        print(f"| `{what}` | {before:.3f} | {now:.3f} | {before / now:.1f} |")
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
