"""Run a model once in TFLite Micro's interpreter: ``python interpret.py MODEL``.

A program of its own, since that interpreter prints to standard error what it is asked for, and a
model that it doesn't take may end it.
"""

from __future__ import annotations

import sys
from pathlib import Path

LEAST = 64 << 20
"""An arena that is large enough for whatever goes into flash; untouched pages cost nothing."""


def main(path: str) -> None:
    """Let it tell on standard error what it allocated."""
    from tflite_micro import runtime

    content = Path(path).read_bytes()
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=LEAST + 10 * len(content))
    interpreter.invoke()
    interpreter.print_allocations()


if __name__ == "__main__":
    main(sys.argv[1])
