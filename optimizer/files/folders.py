"""A folder replaced whole: one writer at a time, and a kill at any moment leaves the old folder or the new one.

The new content is written beside, as `.NAME.new-xxxxxxxx`, and then changes places with NAME in one system call (Linux,
macOS). Where the file system cannot do that, NAME becomes `.NAME.old` for the moment between two renames; whoever looks
next puts it back. Files that the program did not write are carried over. docs/decisions/0008-plan-folders.md says why.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import re
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from optimizer.ground.errors import PlanError
from optimizer.ground.interrupts import now_written

PATIENCE_S = 20.0
"""How long a writer waits for another; a write takes some hundredths of a second."""

Own = Callable[[str], bool]
"""Whether a name at the top of a folder is the program's own; all others are the user's."""


# ---- one writer at a time -----------------------------------------------------------------------------------------


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only writer of a folder; first put right what a killed writer left. Raises PlanError and OSError.

    The lock is the kernel's, on the file `.NAME.lock`, so the lock of a dead process is no lock. Readers need none.
    """
    path = folder.parent / f".{folder.name}.lock"
    handle = _lock(path, folder)
    try:
        _put_right(folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _lock(path: Path, folder: Path) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        if _try_lock(handle) and _is_still(path, handle):
            _sign(handle)
            return handle
        holder = os.read(handle, 1000)
        os.close(handle)
        if time.monotonic() >= deadline:
            raise PlanError(f"{folder} is being written by {_holder_words(holder)}. Wait for it, or name another.")
        time.sleep(0.02)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, 1 << 20, os.SEEK_SET)  # far behind the signature, which others must be able to read
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _is_still(path: Path, handle: int) -> bool:
    """Whether the locked file is the one that stands there: the holder before may have taken it away."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(handle, 0)
    with contextlib.suppress(OSError):  # a full disk must not hide behind a lock that is held all the same
        os.write(handle, json.dumps(holder).encode())


def _holder_words(signature: bytes) -> str:
    try:
        holder = json.loads(signature)
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


# ---- what a killed writer left --------------------------------------------------------------------------------------


def restore(folder: Path) -> None:
    """Finish what was killed between the two renames, where there had to be two. Raises PlanError and OSError."""
    if not os.path.lexists(folder) and _aside(folder).exists():
        with writing(folder):
            pass


def _put_right(folder: Path) -> None:
    aside = _aside(folder)
    if aside.exists():
        if os.path.lexists(folder):
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.rename(folder)
    leftover = re.compile(rf"\.{re.escape(folder.name)}\.new-[0-9a-f]{{8}}")
    for path in list(folder.parent.iterdir()):
        if leftover.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.old"


# ---- writing and changing places ------------------------------------------------------------------------------------


def fresh_folder(folder: Path) -> Path:
    """An empty folder beside, to be filled and put in place."""
    fresh = folder.parent / f".{folder.name}.new-{secrets.token_hex(4)}"
    fresh.mkdir()
    return fresh


def write_file(path: Path, data: bytes) -> None:
    """Write a new file; `sync_all` has it on the disk, not only on its way there."""
    with path.open("xb") as file:
        file.write(data)


def put_file(path: Path, data: bytes) -> Path:
    """Write one file whole or not at all, in place of an earlier one; where it stands then. Raises OSError.

    Where the earlier one is held open by another program (Windows), the new one is put beside it.
    """
    fresh = path.with_name(f".{path.name}.new-{secrets.token_hex(4)}")
    try:
        write_file(fresh, data)
        _sync(fresh)
        if fresh.read_bytes() != data:
            raise OSError(errno.EIO, f"the disk does not give back what was written ({path.name})")
        try:
            fresh.replace(path)
        except PermissionError:
            taken = (path.with_stem(f"{path.stem}-{number}") for number in range(2, 10_000))
            path = next(beside for beside in taken if not beside.exists())
            fresh.rename(path)
        now_written(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def hand_out(path: Path, data: bytes) -> Path:
    """`put_file` for what a user asked for, its folder made where there is none. Raises PlanError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return put_file(path, data)
    except (FileExistsError, NotADirectoryError):
        file = next(one for one in path.parents if one.exists() and not one.is_dir())
        raise PlanError(f"{path} cannot be written: {file} is no folder.") from None
    except OSError as error:
        raise PlanError(f"{path} cannot be written: {error.strerror}.") from None


def sync_all(paths: Iterable[Path]) -> None:
    """Have files, and the names in folders, on the disk. All at once: the disk then waits about once, not for each."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(_sync, paths))


def _sync(path: Path) -> None:
    if path.is_dir() and sys.platform == "win32":  # which does this by itself
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_in_place(fresh: Path, folder: Path, own: Own) -> None:
    """Make the fresh folder NAME; an earlier one ends up at the fresh folder's name. Raises OSError."""
    if os.path.lexists(folder):
        fresh.chmod(folder.stat().st_mode & 0o7777)
        _carry(folder, fresh, own, _link)
        _sync(fresh)
        _change_places(fresh, folder)
        now_written(folder)
        _carry(fresh, folder, own, os.replace)  # what the user saved in the meantime
    else:
        fresh.rename(folder)
        now_written(folder)
    _sync(folder.parent)


def _carry(source: Path, target: Path, own: Own, carry: Callable[[Path, Path], object]) -> None:
    """Carry the user's files over: links and files one by one, folders as deep as they go."""
    for path in list(source.iterdir()):
        if own(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            (target / path.name).mkdir(exist_ok=True)
            _carry(path, target / path.name, lambda _: False, carry)
        else:
            carry(path, target / path.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def _change_places(fresh: Path, folder: Path) -> None:
    try:
        _exchange(fresh, folder)
    except NotImplementedError:
        aside = _aside(folder)
        folder.rename(aside)
        try:
            fresh.rename(folder)
        except OSError:
            aside.rename(folder)
            raise
        aside.rename(fresh)


def _exchange(one: Path, other: Path) -> None:
    """Two names change places in one step. Raises NotImplementedError where the system or the disk cannot."""
    here, swap = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of <linux/fs.h>; RENAME_SWAP of macOS is 2 too
    names = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = system.renamex_np(*names, swap)
        else:
            failed = system.renameat2(here, names[0], here, names[1], swap)
    except (TypeError, OSError, AttributeError):
        raise NotImplementedError("no such call on this system") from None
    if failed:
        code = ctypes.get_errno()
        if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise NotImplementedError("not on this disk")
        raise OSError(code, os.strerror(code), str(other))
