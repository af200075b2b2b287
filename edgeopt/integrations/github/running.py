"""Running a command of EdgeOpt against the clock."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread, Timer
from typing import IO, TextIO

_GRACE = 10.0
"""Seconds in which a command that is stopped may remove its temporary files."""
_ERROR = b"Error: "
_COMMAND = re.compile(rb"(^|\r)\s*(?:::|##\[)+")
"""What a workflow command begins with; a runner ends lines at carriage returns, too."""
_OURS = re.compile(rb"::(?:error|warning|notice) title=")


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
    """Run ``edgeopt`` with these words, for everybody to see.

    Args:
        words: A command and its arguments.
        seconds: Time after which it is stopped.
        stdout: Where its standard output goes instead.
    """
    shown = "".join(c if c.isprintable() else "?" for c in shlex.join(["edgeopt", *words]))
    print(shown, flush=True)  # noqa: T201 - the log of a run
    # -P: nothing is imported from the folder that is checked out, unless the user names it.
    command = [sys.executable, "-P", "-m", "edgeopt", *words]
    with (
        subprocess.Popen(  # noqa: S603 - this interpreter, and arguments that no shell sees
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        _limited(process, seconds) as stopped,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        keeping = Thread(target=_keep, args=(process.stdout, stdout))
        keeping.start()
        error = _last_error(process.stderr)
        keeping.join()
    return Ran(process.returncode, error, stopped.is_set())


def _keep(stream: IO[bytes], path: Path | None) -> None:
    if path is None:
        for line in stream:
            _show(harmless(line), sys.stdout)
    else:
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)


def _last_error(stream: IO[bytes]) -> str:
    """Show what is said on standard error, where annotations are; give the last error."""
    error = ""
    for line in stream:
        _show(harmless(line, annotates=True), sys.stderr)
        if line.startswith(_ERROR):
            error = line.removeprefix(_ERROR).decode("utf-8", "replace").strip()
    return error


def harmless(line: bytes, *, annotates: bool = False) -> bytes:
    r"""A line without workflow commands: names of files may hold some.

    >>> harmless(b"a.onnx\r::stop-commands::x"), harmless(b" ::add-mask::x")
    (b'a.onnx\rstop-commands::x', b'add-mask::x')

    Args:
        line: The line.
        annotates: Whether an annotation may be in it, as EdgeOpt writes them.
    """
    kept = b"::" if annotates and _OURS.match(line) else b""
    return kept + _COMMAND.sub(rb"\1", line[len(kept) :])


def _show(line: bytes, stream: TextIO) -> None:
    stream.write(line.decode("utf-8", "replace"))
    stream.flush()


@contextmanager
def _limited(process: subprocess.Popen[bytes], seconds: float) -> Iterator[Event]:
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
