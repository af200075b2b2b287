"""Ends this process when the one that started it is gone.

The starter holds the other end of standard input. When it dies, however it dies, or when a
connection is cut, the pipe closes. A thread that is blocked in a read costs the
measurement nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Callable

_GONE = 3
_CHUNK = 1 << 16


def _ignore(_data: bytes) -> None:
    """For a starter that writes nothing."""


def follow_standard_input(take: Callable[[bytes], None] = _ignore) -> None:
    """Exit at once, without a word, when standard input closes.

    Args:
        take: Gets what the starter writes, in a thread of its own.

    A process that leads a group, as what a connection starts does, takes its children with it: one
    of them may be stuck in a runtime that lets no other thread of Python's run.
    """
    threading.Thread(target=_wait, args=(take,), name="tether", daemon=True).start()


def _wait(take: Callable[[bytes], None]) -> None:
    # os.read and not sys.stdin: a daemon thread that holds the buffered reader's lock while the
    # interpreter shuts down is a fatal error.
    for data in iter(lambda: os.read(0, _CHUNK), b""):
        take(data)
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(_GONE)
