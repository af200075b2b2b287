"""Ctrl-C, or a killed parent, leaves no process and no temporary file behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX signals")

SCRIPT = """
import signal, sys
# A test run in the background ignores SIGINT, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from edgeopt.pipeline.benchmark import benchmark
benchmark([sys.argv[1]], duration=120, save=False)
"""


@contextmanager
def running(model: Path, temporary: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A benchmark in the middle of its timing: the process, and its child's id."""
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(model)],
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
    )
    try:
        yield process, wait_for(lambda: child_that_times(process.pid, temporary))
    finally:
        process.kill()
        process.communicate()


def child_that_times(parent: int, temporary: Path) -> int:
    if not any('"paired"' in p.read_text() for p in temporary.glob("*/request.json")):
        return 0
    listed = subprocess.run(
        ["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return next((pid for ppid, pid in pairs if ppid == parent), 0)


def wait_for(found: Callable[[], int]) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen within a minute")


def gone(pid: int) -> int:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return 1
    return 0


def test_an_interrupt_kills_the_child(make_model: Callable[..., Path], tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    with running(make_model(), temporary) as (process, child):
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
        assert gone(child)
    assert b"KeyboardInterrupt" in words
    assert list(temporary.iterdir()) == []


def test_the_child_of_a_killed_parent_ends_itself(
    make_model: Callable[..., Path], tmp_path: Path
) -> None:
    with running(make_model(), tmp_path / "temporary") as (process, child):
        process.kill()
        process.wait()
        wait_for(lambda: gone(child))
