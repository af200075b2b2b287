"""Temporary folders and files, and the removal of those whose maker was killed.

A process that is killed with SIGKILL can't tidy up, so that whoever next makes something temporary
in the same place does. Each of them is held by a lock on a file, which the system frees when its
holder dies, however it dies: what can be locked belongs to nobody any more. ::

    edgeopt-1f2e-k3v9x0aq/         a folder; with a dot before its name where users look
    edgeopt-1f2e-k3v9x0aq.alive    the file that holds it: made before it, removed after it
    .edgeopt-1f2e-a81hz7cw.part    a file that is being written, which holds itself

The four digits stand for the machine: on a file system that several share, the locks may be each
one's own, so that what another left goes after a day. Where there are no locks (Windows), nothing
is removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgeopt.core.errors import OutputError
from edgeopt.core.refusals import OTHER, is_full, refused

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_ALIVE, _PART = ".alive", ".part"
_NAME = re.compile(r"\.?edgeopt-([0-9a-f]{4})-[a-z0-9_]{8}\.(alive|part)")
_FOREIGN_SECONDS = 24 * 3600.0

_held: set[str] = set()
"""This process's own: a lock that a network file system emulates is no bar to its own process."""


@contextmanager
def scratch_folder(
    parent: Path | None = None, *, finish: Callable[[Path], None] | None = None
) -> Iterator[Path]:
    """A temporary folder, gone at the end; what killed processes left beside it goes, too.

    Args:
        parent: Where it is made, hidden; the system's folder for temporary files if None.
        finish: Called with each folder that a killed process left, before that is removed.

    Raises:
        OutputError: If it can't be made, or its disk is full while it is used.
    """
    where = Path(tempfile.gettempdir()) if parent is None else parent
    other = OTHER if parent else "name a folder with more room in TMPDIR"
    with _reporting(where, other):
        sweep(where, (_ALIVE, _PART), finish)
        handle, alive = _hold(where, ".edgeopt-" if parent else "edgeopt-", _ALIVE)
        folder = alive.with_suffix("")
        try:
            folder.mkdir(0o700)
            with _reporting(where, other):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # Windows keeps a file that is still mapped
            _release(handle, alive, remove=not folder.exists())


@contextmanager
def _reporting(where: Path, other: str) -> Iterator[None]:
    """As ``reporting``, but of what the block does only that there is no space.

    Runtimes and other processes that fail for want of it say something else, or nothing.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and is_full(error):
            raise refused(error, where, other) from error
        if not isinstance(error, OutputError) and not _room(where):
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise refused(full, where, other) from error
        raise


def _room(where: Path) -> bool:
    try:
        return shutil.disk_usage(where).free > 0
    except OSError:
        return True


@contextmanager
def part_file(folder: Path) -> Iterator[tuple[int, Path]]:
    """A temporary file, hidden in ``folder``: a descriptor, which the block closes, and its path.

    It is removed at the end if it is still there under that name.

    Raises:
        OSError: If it can't be made.
    """
    sweep(folder, (_PART,))
    handle, path = _hold(folder, ".edgeopt-", _PART)
    # A second one keeps the lock until the file has its name. Windows renames no open file.
    holding = os.dup(handle) if fcntl is not None else None
    try:
        yield handle, path
    finally:
        _release(holding, path, remove=True)


def sweep(
    where: Path,
    suffixes: tuple[str, ...] = (_ALIVE, _PART),
    finish: Callable[[Path], None] | None = None,
) -> None:
    """Remove what killed processes left in a folder; nothing else, and no error is raised.

    Args:
        where: The folder.
        suffixes: ``.alive`` for folders, ``.part`` for files.
        finish: As for :func:`scratch_folder`.
    """
    if fcntl is None:
        return
    names: list[str] = []
    with contextlib.suppress(OSError), os.scandir(where) as entries:
        names = [e.name for e in entries if _NAME.fullmatch(e.name) and e.name.endswith(suffixes)]
    for name in names:
        with contextlib.suppress(OSError):
            _sweep_one(where / name, finish)


def _sweep_one(path: Path, finish: Callable[[Path], None] | None) -> None:
    if _key(path) in _held:
        return
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        status = os.fstat(handle)
        if status.st_uid != os.getuid() or not _is_stale(path, status.st_mtime):
            return
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError where somebody holds it
        if path.suffix == _ALIVE:
            _remove(path.with_suffix(""), finish)
        path.unlink()
    finally:
        os.close(handle)


def _remove(folder: Path, finish: Callable[[Path], None] | None) -> None:
    if finish is not None and folder.is_dir():
        finish(folder)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _is_stale(path: Path, changed: float) -> bool:
    """Whether a lock on it tells all: a machine doesn't always see another's."""
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return match[1] == _machine() or time.time() - changed > _FOREIGN_SECONDS


def _hold(where: Path, prefix: str, suffix: str) -> tuple[int, Path]:
    """Make a file and lock it."""
    while True:
        handle, name = tempfile.mkstemp(suffix, f"{prefix}{_machine()}-", where)
        path = where / Path(name).name
        _held.add(_key(path))
        if _locked(handle, path):
            return handle, path
        # A sweep came between the two, and took it for one that was left.
        _release(handle, path, remove=False)


def _locked(handle: int, path: Path) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: nothing there is ever removed
        return True
    return path.exists()


def _release(handle: int | None, path: Path, *, remove: bool) -> None:
    if remove and fcntl is not None:  # while it is still held
        path.unlink(missing_ok=True)
    if handle is not None:
        os.close(handle)
    if remove and fcntl is None:
        path.unlink(missing_ok=True)
    _held.discard(_key(path))


def _key(path: Path) -> str:
    return os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118


def _machine() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()) & 0xFFFF:04x}"
