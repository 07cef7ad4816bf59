"""A plan folder holds the old plan or the new one, whatever happens to its writer: killed, out of disk, not alone."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from plan_writers import (
    NOTE,
    another,
    beside,
    ended,
    forked,
    killed_after,
    killed_at_step,
    release,
    standing,
    steps_of,
    swapping,
    texts_of,
    which,
    write_with_note,
)

import optimizer as opt
from optimizer.files.folders import restore
from optimizer.ground.errors import PlanError
from optimizer.plan import folder as plan_files
from optimizer.plan.folder import load_plan, save_plan

WAYS = ("exchange", "renames")

Texts = dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def old(plan: opt.Plan) -> opt.Plan:
    return plan


@pytest.fixture(scope="module")
def new(plan: opt.Plan) -> opt.Plan:
    return another(plan)


@pytest.fixture(scope="module")
def texts(old: opt.Plan, new: opt.Plan) -> Texts:
    return {"old": texts_of(old), "new": texts_of(new)}


def found_after(folder: Path, texts: Texts, way: str) -> str:
    """Which plan stands after a kill: as a person finds it, and as a reader does, who may put right two renames."""
    seen = which(folder, texts)
    assert seen in texts or (way, seen) == ("renames", "nothing"), "the folder itself is whole at every moment"
    restore(folder)
    read = which(folder, texts)
    assert read in texts
    assert (folder / "notes" / "board.txt").read_bytes() == NOTE, "what the user put there stays"
    return read


def record(**told: object) -> None:
    """A line for each run of a campaign, where a folder for them is named."""
    if folder := os.environ.get("CAMPAIGN_RECORDS"):
        with (Path(folder) / "plan_folders.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


# ---- killed ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk in memory, where there is one: a kill loses nothing that a busy disk would have to be waited for."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("way", WAYS)
def test_killed_at_any_step_of_a_write_the_folder_holds_one_whole_plan(
    old: opt.Plan, new: opt.Plan, texts: Texts, quick_disk: Path, way: str
) -> None:
    """Steps are touches of the file system: thirty spread over a whole write."""
    folder = quick_disk / "plan"
    write_with_note(old, folder)
    seen: Counter[str] = Counter()
    with swapping(way):
        steps = steps_of(lambda: save_plan(new, folder))
        for step in range(1, steps, steps // 30):
            if which(folder, texts) != "old":
                save_plan(old, folder)
            seen[_killed_at(step, new, folder, texts, way)] += 1
        save_plan(old, folder)
    assert beside(folder) == [], "the next writer clears what killed ones left"
    assert min(seen["old"], seen["new"]) >= 3, seen


def _killed_at(step: int, new: opt.Plan, folder: Path, texts: Texts, way: str) -> str:
    """Kill a writer of the new plan at one step; which plan stands, once a reader has put right two renames."""
    assert killed_at_step(lambda: save_plan(new, folder), step) == -signal.SIGKILL
    return found_after(folder, texts, way)


@pytest.mark.campaign
@pytest.mark.parametrize("way", WAYS)
def test_killed_at_every_step_of_a_write(
    old: opt.Plan, new: opt.Plan, texts: Texts, quick_disk: Path, way: str
) -> None:
    folder = quick_disk / "plan"
    write_with_note(old, folder)
    seen: Counter[str] = Counter()
    with swapping(way):
        steps = steps_of(lambda: save_plan(new, folder))
        for step in range(1, steps + 1):
            save_plan(old, folder)
            assert beside(folder) == [], "the next writer clears what the killed one left"
            found = _killed_at(step, new, folder, texts, way)
            assert load_plan(folder).value_musd == {"old": old, "new": new}[found].value_musd
            seen[found] += 1
            record(campaign="step", way=way, step=step, of=steps, found=found)
    print(f"\nkilled at each of {steps} steps, {way}: {dict(seen)}, 0 torn")
    assert set(seen) == {"old", "new"}


@pytest.mark.campaign
@pytest.mark.parametrize(("way", "kills"), [("exchange", 2000), ("renames", 1000)])
def test_killed_at_random_moments(
    old: opt.Plan,
    new: opt.Plan,
    texts: Texts,
    quick_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    kills: int,
) -> None:
    """Uniform over a tenth more than a write lasts; each run goes from the plan that stands to the other one.

    What is written is made ready before, so that every moment falls into the writing itself.
    """
    folder, plans, dice = quick_disk / "plan", {"old": old, "new": new}, random.Random(20261122)
    ready = {plan.value_musd: plan_files.folder_texts(plan) for plan in (old, new)}
    monkeypatch.setattr(plan_files, "folder_texts", lambda plan: ready[plan.value_musd])
    write_with_note(old, folder)
    seen, left = Counter[str](), 0
    with swapping(way):
        span = max(_duration(lambda plan=plan: save_plan(plan, folder)) for plan in (new, old) * 5)
        while seen["killed, old"] + seen["killed, new"] < kills:
            before = which(folder, texts)
            after = "new" if before == "old" else "old"
            moment = dice.uniform(0, 1.1 * span)
            code = killed_after(partial(save_plan, plans[after], folder), moment)
            found = found_after(folder, texts, way)
            assert code == -signal.SIGKILL or (code, found) == (0, after), "done means done"
            if seen.total() % 10 == 0:
                assert load_plan(folder).value_musd == plans[found].value_musd
            seen["done before" if code == 0 else "killed, new" if found == after else "killed, old"] += 1
            left += bool(beside(folder))
            record(campaign="kill", way=way, moment=moment, span=span, code=code, found=found == after)
    save_plan(old, folder)
    assert beside(folder) == []
    print(f"\n{kills} SIGKILLs over {span:.3f} s, {way}: {dict(seen)}, {left} with leftovers, 0 torn, lost or mixed")
    assert left > kills / 4


def _duration(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


# ---- out of disk ----------------------------------------------------------------------------------------------------


@pytest.mark.core
@pytest.mark.parametrize("file", ["allocation.csv", "do_nothing/cash.csv", "manifest.json"])
def test_a_disk_that_fills_up_at_one_file_leaves_the_earlier_plan(
    old: opt.Plan, new: opt.Plan, texts: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    folder = tmp_path / "plan"
    write_with_note(new, folder)
    write = plan_files.write_file

    def full(path: Path, data: bytes) -> None:
        write(path, data[:20])
        if path.as_posix().endswith(file):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(plan_files, "write_file", full)
        with pytest.raises(PlanError, match="cannot be written: No space left on device"):
            save_plan(old, folder)
    assert found_after(folder, texts, "exchange") == "new"
    assert beside(folder) == []


def test_a_disk_that_forgets_is_found_out_before_the_earlier_plan_is_touched(
    old: opt.Plan, new: opt.Plan, texts: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is read again: a share that drops bytes without an error gives no plan."""
    folder = tmp_path / "plan"
    write_with_note(old, folder)
    write = plan_files.write_file
    with monkeypatch.context() as patched:
        patched.setattr(plan_files, "write_file", lambda path, data: write(path, data[:4096]))
        with pytest.raises(PlanError, match="does not give back what was written"):
            save_plan(new, folder)
    assert found_after(folder, texts, "exchange") == "old"


@pytest.mark.parametrize("most", [100, 3000])
def test_a_limit_of_the_system_on_files_leaves_the_earlier_plan(
    old: opt.Plan, new: opt.Plan, texts: Texts, tmp_path: Path, most: int
) -> None:
    folder = tmp_path / "plan"
    write_with_note(old, folder)

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        save_plan(new, folder)

    child, pipe = forked(limited)
    release(pipe)
    assert ended(child) == 7
    assert found_after(folder, texts, "exchange") == "old"
    assert beside(folder) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte in memory; making one takes root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = "size=1m,nr_inodes=400"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("no right to mount a disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_leaves_the_earlier_plan(old: opt.Plan, new: opt.Plan, texts: Texts, small_disk: Path) -> None:
    seen = [_on_a_full_disk(old, new, texts, small_disk, slack) for slack in (4096, 100_000, 180_000, 900_000)]
    assert seen[0] == "old"
    assert seen[-1] == "new"


def _on_a_full_disk(old: opt.Plan, new: opt.Plan, texts: Texts, disk: Path, slack: int) -> str:
    """Write the new plan over the old one with so many bytes left; which of the two stands."""
    folder, ballast = disk / "plan", disk / "ballast"
    ballast.unlink(missing_ok=True)
    write_with_note(old, folder)
    free = os.statvfs(disk)
    ballast.write_bytes(b"\0" * max(0, free.f_bavail * free.f_bsize - slack))
    try:
        save_plan(new, folder)
        done = True
    except PlanError as error:
        assert "cannot be written: No space left on device." in str(error)
        done = False
    assert beside(folder) == ["ballast"]
    found = found_after(folder, texts, "exchange")
    assert found == ("new" if done else "old")
    return found


@pytest.mark.campaign
def test_full_disks(old: opt.Plan, new: opt.Plan, texts: Texts, small_disk: Path) -> None:
    """Each time with another number of bytes left, from none to more than a plan needs."""
    dice, seen, needs = random.Random(7), Counter[str](), sum(len(data) + 4096 for data in texts["new"].values())
    for run in range(300):
        slack = dice.randrange(0, int(1.2 * needs))
        found = _on_a_full_disk(old, new, texts, small_disk, slack)
        seen[found] += 1
        record(campaign="disk", run=run, slack=slack, found=found)
    print(f"\n300 disks filled at random: {dict(seen)}, 0 torn, lost or mixed, 0 leftovers")
    assert seen["old"] >= 200


# ---- not alone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_two_writers_and_a_reader_at_once(
    old: opt.Plan, new: opt.Plan, texts: Texts, quick_disk: Path, way: str
) -> None:
    folder = quick_disk / "plan"
    write_with_note(old, folder)
    with swapping(way):
        seen = Counter(_together(old, new, folder, texts) for _ in range(5))
    assert set(seen) <= {"old", "new"}


def _together(old: opt.Plan, new: opt.Plan, folder: Path, texts: Texts) -> str:
    """Two processes write while a third one reads all the time; which plan stands at the end."""
    values = {old.value_musd, new.value_musd}

    def read() -> None:
        for _ in range(3):
            assert load_plan(folder).value_musd in values

    writers = [forked(lambda plan=plan: save_plan(plan, folder)) for plan in (old, new)]
    reader = forked(read)
    for _, pipe in (*writers, reader):
        release(pipe)
    assert [ended(child) for child, _ in (*writers, reader)] == [0, 0, 0]
    found = which(folder, texts)
    assert found in texts
    assert standing(folder)["notes/board.txt"] == NOTE
    assert beside(folder) == []
    return found


@pytest.mark.campaign
@pytest.mark.parametrize("way", WAYS)
def test_two_writers_often(old: opt.Plan, new: opt.Plan, texts: Texts, quick_disk: Path, way: str) -> None:
    folder = quick_disk / "plan"
    write_with_note(old, folder)
    seen: Counter[str] = Counter()
    with swapping(way):
        for run in range(250):
            found = _together(old, new, folder, texts)
            seen[found] += 1
            record(campaign="two writers", way=way, run=run, found=found)
    print(f"\n250 times two writers and a reader at once, {way}: {dict(seen)}, 0 mixed, 0 failed reads")
    assert min(seen["old"], seen["new"]) >= 10


@pytest.mark.campaign
def test_two_writers_of_whom_one_is_killed(old: opt.Plan, new: opt.Plan, texts: Texts, quick_disk: Path) -> None:
    """The one who lives always comes through, whatever the dead one held."""
    folder, dice = quick_disk / "plan", random.Random(3)
    write_with_note(new, folder)
    for run in range(250):
        dying, pipe = forked(lambda: save_plan(new, folder))
        living, other = forked(lambda: save_plan(old, folder))
        release(pipe)
        release(other)
        moment = dice.uniform(0, 0.12)
        time.sleep(moment)
        os.kill(dying, signal.SIGKILL)
        assert ended(living) == 0
        code = ended(dying)
        found = found_after(folder, texts, "exchange")
        record(campaign="one of two killed", run=run, moment=moment, code=code, found=found)
    save_plan(old, folder)
    assert beside(folder) == []
    print("\n250 times two writers, one killed: the other always done, 0 torn, lost or mixed")
