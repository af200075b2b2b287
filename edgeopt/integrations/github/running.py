"""Running a command of EdgeOpt against the clock."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import IO

_GRACE = 10.0
"""Seconds in which a command that is stopped may remove its temporary files."""
_ERROR = "Error: "


@dataclass(frozen=True)
class Ran:
    """How a command ended.

    Args:
        code: Its exit code.
        error: What it said was wrong; empty if nothing.
        stopped: Whether time was up.
    """

    code: int
    error: str
    stopped: bool


def run(words: Sequence[str], seconds: float, stdout: Path | None = None) -> Ran:
    """Run ``edgeopt`` with these words; what it says on standard error stays visible.

    Args:
        words: A command and its arguments.
        seconds: Time after which it is stopped.
        stdout: Where its standard output goes; to this process's own if None.
    """
    shown = "".join(c if c.isprintable() else "?" for c in shlex.join(["edgeopt", *words]))
    print(shown, file=sys.stderr, flush=True)  # noqa: T201 - the log of a run
    # -P: nothing is imported from the folder that is checked out, unless the user names it.
    command = [sys.executable, "-P", "-m", "edgeopt", *words]
    with (
        _opened(stdout) as out,
        subprocess.Popen(  # noqa: S603 - this interpreter, and arguments that no shell sees
            command, stdout=out, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        ) as process,
        _limited(process, seconds) as stopped,
    ):
        assert process.stderr is not None
        error = _last_error(process.stderr)
    return Ran(process.returncode, error, stopped.is_set())


def _last_error(lines: IO[str]) -> str:
    error = ""
    for line in lines:
        sys.stderr.write(line)
        sys.stderr.flush()
        if line.startswith(_ERROR):
            error = line.removeprefix(_ERROR).strip()
    return error


@contextmanager
def _opened(path: Path | None) -> Iterator[IO[bytes] | None]:
    if path is None:
        sys.stdout.flush()
        yield None
        return
    with path.open("wb") as file:
        yield file


@contextmanager
def _limited(process: subprocess.Popen[str], seconds: float) -> Iterator[Event]:
    """Stop a process when time is up: with a request first, then without."""
    stopped = Event()

    def stop() -> None:
        stopped.set()
        process.terminate()

    timers = [Timer(seconds, stop), Timer(seconds + _GRACE, process.kill)]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield stopped
        process.wait()
    finally:
        for timer in timers:
            timer.cancel()
