"""Programs that are started here for a device. What they say is another machine's, and bounded."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from edgeopt.core.errors import MeasurementError
from edgeopt.targets.address import Address

_MOST_WORDS = 1 << 16
_CHUNK = 1 << 14


def run_tethered(
    address: Address,
    command: Sequence[str],
    timeout: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a command to its end, with a standard input that stays open meanwhile.

    Args:
        address: Of the device, for whoever is told that it hangs.
        command: The program and its arguments.
        timeout: Seconds after which it is killed.
        folder: Where it runs; here if None.
        environment: Its variables; this process's if None.

    Returns:
        Its exit code, and the end of what it wrote to standard error.

    Raises:
        MeasurementError: If it had to be killed.
    """
    process = subprocess.Popen(  # noqa: S603 - a program of ours, and an address that was checked
        command, cwd=folder, env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,  # so that whatever it starts can be stopped with it
    )  # fmt: skip
    words = Words(process.stderr)
    try:
        # The standard input that stays open is the tether; communicate() would close it.
        code = process.wait(timeout)
    except subprocess.TimeoutExpired as expired:
        raise MeasurementError(
            f"{address}: no result after {timeout:g} s, and it was stopped",
            hint="the model may hang, or be very slow: try a smaller --duration",
        ) from expired
    finally:
        kill_all(process)
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
    return code, words.text()


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session, and whatever it started."""
    if not hasattr(os, "killpg"):
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def output_of(
    address: Address, command: Sequence[str], timeout: float, most: int
) -> tuple[int, bytes, str]:
    """Run a command that gets no input.

    Args:
        address: Of the device, for whoever is told that it doesn't answer.
        command: The program and its arguments.
        timeout: Seconds after which it is killed.
        most: Bytes of its output; it is killed when it writes more.

    Returns:
        Its exit code (0 if it wrote too much), its output, and the end of its standard error.

    Raises:
        MeasurementError: If it didn't end in time.
    """
    process = subprocess.Popen(  # noqa: S603 - ssh and the like, and an address that was checked
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    words, late = Words(process.stderr), threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    clock = threading.Timer(timeout, stop)
    clock.start()
    try:
        assert process.stdout is not None
        with process.stdout as output:
            found, more = output.read(most), bool(output.read(1))
        if more:
            process.kill()
        code = process.wait()
    finally:
        clock.cancel()
        process.kill()
        process.wait()
    if late.is_set():
        raise MeasurementError(
            f"{address}: no answer after {timeout:g} s", hint="check the connection"
        )
    return (0 if more else code), found, words.text()


class Words:
    """Reads what a process says for as long as it speaks, and remembers the end of it."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        assert stream is not None
        self._stream, self._kept = stream, b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                self._kept = (self._kept + chunk)[-_MOST_WORDS:]

    def text(self) -> str:
        """The end of it, once the process has ended."""
        # A process that ssh left in the background, to share its connection, holds the pipe open.
        self._reader.join(1)
        return self._kept.decode(errors="replace")


def last_line(words: str) -> str:
    """The last line of what another machine said, without what a terminal would obey."""
    lines = [re.sub(r"[^ -~]", "?", line.strip()) for line in words.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def stopped(address: Address, code: int, line: str) -> MeasurementError:
    """The error for a program that ended on a device without an answer.

    Args:
        address: Of the device.
        code: Its exit code.
        line: The last line that it wrote to standard error.
    """
    told = line.removeprefix("Error: ") or f"it ended with code {code}"
    return MeasurementError(f"{address}: {told}", hint=next_step(told))


def next_step(told: str) -> str:
    """What to do about what a device complains of."""
    if "no space left" in told.lower():
        return "free some space there"
    return "mend that on the device, and measure again"
