"""One measurement at a time on a device: the system frees the lock when its holder dies."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from typing import Any, Iterator

from .failure import Failure

_PAUSE = 0.2


def default_path() -> str:
    """The file that every user of the device can lock."""
    return os.path.join(tempfile.gettempdir(), "edgeopt-device.lock")


@contextmanager
def alone(name: str, wait: float, path: str = "") -> Iterator[str]:
    """Hold the device's lock for the block.

    Args:
        name: Who holds it, for whoever finds it held.
        wait: Seconds to wait for it.
        path: The lock's file; :func:`default_path` if empty.

    Yields:
        Its file and what stands in it; empty where there is none.

    Raises:
        Failure: If another still holds it then; says who.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is shared that a board would share
        yield ""
        return
    path = path or default_path()
    with _open(path) as file:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= until:
                    raise Failure("busy", _held(file)) from None
                time.sleep(_PAUSE)
        file.seek(0)
        file.truncate()
        holder = "{} (process {})".format(name, os.getpid())
        file.write(holder)
        file.flush()
        yield "{}: {}".format(path, holder)


def _open(path: str) -> Any:
    # Left there when it is free: whoever removed it could remove one that another just locked.
    # Another user's is opened without O_CREAT, which Linux refuses in a folder of everybody's.
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        os.fchmod(handle, 0o666)  # whatever the umask
    except OSError as error:
        raise Failure("busy", "{}: {}".format(path, error.strerror)) from error
    return os.fdopen(handle, "r+", encoding="utf-8", errors="replace")


def _held(file: Any) -> str:
    file.seek(0)
    holder = file.read(200).strip()
    return "another measurement runs on this device: {}".format(holder or "its holder is unknown")
