"""Ends this process when the one that started it is gone.

The starter holds the other end of standard input and writes nothing. When it dies, however it dies,
or when a connection is cut, the pipe closes. A thread that is blocked in a read costs the
measurement nothing.
"""

from __future__ import annotations

import os
import signal
import threading

_GONE = 3


def follow_standard_input() -> None:
    """Exit at once, without a word, when standard input closes.

    A process that leads a group, as what a connection starts does, takes its children with it: one
    of them may be stuck in a runtime that lets no other thread of Python's run.
    """
    threading.Thread(target=_wait, name="tether", daemon=True).start()


def _wait() -> None:
    # os.read and not sys.stdin: a daemon thread that holds the buffered reader's lock while the
    # interpreter shuts down is a fatal error.
    while os.read(0, 1):
        pass
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(_GONE)
