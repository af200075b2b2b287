"""What an operating system's refusal to write means to the user."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeopt.core.errors import EdgeOptError, OutputError

_REFUSALS = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "make it writable",
    errno.EACCES: "make it writable",
    errno.EPERM: "make it writable",
    errno.ENOENT: "make the folder it is in",
    errno.ENAMETOOLONG: "shorten the name",
    errno.EINVAL: "use a name that this system allows",
}

_TAKEN = {errno.ENOTDIR, errno.EEXIST}
"""A file stands where a folder is wanted: only another place helps."""

OTHER = "choose another folder with -o"


@contextmanager
def reporting(path: Path, other: str = OTHER) -> Iterator[None]:
    """Turn an operating system's refusal to write below ``path`` into an :class:`OutputError`.

    Args:
        path: The file or folder that is written.
        other: How the user can choose another place.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REFUSALS and error.errno not in _TAKEN:
            raise
        raise refused(error, path, other) from error


_SURROUNDINGS = {
    errno.ENAMETOOLONG: "shorten the name",
    errno.ELOOP: "check its links",
    errno.EACCES: "check who may read and write it",
    errno.EPERM: "check who may read and write it",
    errno.EROFS: "make it writable",
    errno.ENOSPC: "free some space, there or where TMPDIR points",
    errno.EDQUOT: "free some space, there or where TMPDIR points",
    errno.EMFILE: "allow more open files: ulimit -n",
    errno.EIO: "check the disk",
}


def surroundings(error: OSError) -> EdgeOptError | None:
    """The error for what the system refuses wherever it is met; None for another."""
    step = _SURROUNDINGS.get(error.errno or 0)
    if step is None:
        return None
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return EdgeOptError(f"{where}{error.strerror}", hint=step)


def is_full(error: OSError) -> bool:
    """Whether it is for want of space."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def refused(error: OSError, path: Path, other: str = OTHER) -> OutputError:
    """The error that :func:`reporting` raises for one of the operating system's refusals."""
    number = error.errno or 0
    step = "a file has that name: " if number in _TAKEN else f"{_REFUSALS[number]}, or "
    return OutputError(f"{path}: cannot write: {error.strerror}", hint=f"{step}{other}")
