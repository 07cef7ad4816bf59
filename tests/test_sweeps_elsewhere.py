"""Sweeps on other processes and other machines: a Dask cluster started separately, and a kill at any moment."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from optimizer.case.case import Case
from optimizer.case.folder import load_case
from optimizer.questions.sweeps.drivers import driver_named
from optimizer.questions.sweeps.family import Family
from optimizer.questions.sweeps.runner import Landings, Question, Sweep

ROOT = Path(__file__).parents[1]
POINTS = 12


def questions(case: Case, count: int = POINTS) -> list[Question]:
    driver = driver_named(case, "base", "hashprice")
    family = Family(case, "base", [driver])
    return [Question(family.at({driver.name: float(x)}).program) for x in np.linspace(driver.low, driver.high, count)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own, started by Dask's own commands."""
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{_free_port()}"
    dask = [sys.executable, "-W", "ignore", "-m", "dask"]
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]
    started = [
        subprocess.Popen([*dask, *words], cwd=ROOT, stderr=subprocess.DEVNULL) for words in (scheduler, worker, worker)
    ]
    try:
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(timeout=30)


@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_answers_like_this_process(cluster: str, washington: Case) -> None:
    """The same sweep through `Client.get_executor()`: same values, from workers that this process did not start."""
    from distributed import Client

    asked = questions(washington)
    with Client(cluster, timeout=60) as client:
        client.wait_for_workers(2, timeout=60)
        there = Sweep(client.get_executor()).ask(asked)
    here = Sweep().ask(asked)
    assert [a.value_musd for a in there] == pytest.approx([a.value_musd for a in here], rel=1e-9)


SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from optimizer.questions.sweeps.runner import Sweep, workers
    from test_sweeps_elsewhere import questions, washington_case
    if __name__ == "__main__":
        asked = questions(washington_case())
        with workers(2) as pool:
            Sweep(pool, Path(sys.argv[2])).ask(asked)
    """
)


def washington_case() -> Case:
    return load_case(ROOT / "data" / "washington_2025")


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(20))
def test_a_killed_sweep_loses_and_repeats_nothing(seed: int, tmp_path: Path) -> None:
    """SIGKILL at a random moment, again and again until it ends: every answer is there once, whole, and right."""
    script = tmp_path / "sweep.py"
    script.write_text(SCRIPT, encoding="utf-8")
    folder, rng, kills = tmp_path / "sweep", random.Random(seed), 0
    while True:
        run = subprocess.Popen(
            [sys.executable, script, str(Path(__file__).parent), str(folder)], stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + (rng.uniform(1.5, 9.0) if kills < 4 else 300.0)
        while run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if run.poll() is not None:
            assert run.returncode == 0
            break
        run.send_signal(signal.SIGKILL)
        run.wait()
        kills += 1
    lines = [line for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    asked = questions(washington_case())
    answers = Landings(folder)
    assert all(question in answers for question in asked)
    assert len(lines) == len(asked)
    again = Sweep().ask(asked)
    assert [answers[q].value_musd for q in asked] == pytest.approx([a.value_musd for a in again], rel=1e-9)
