"""Runs a program that ends when whoever started it is gone: ``python leashed.py PROGRAM ARG...``.

The starter holds the other end of standard input. When it dies, however it dies, the pipe closes.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading

_GONE = 3


def _wait() -> None:
    while os.read(0, 1 << 16):
        pass
    os._exit(_GONE)


if __name__ == "__main__":
    threading.Thread(target=_wait, name="leash", daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
