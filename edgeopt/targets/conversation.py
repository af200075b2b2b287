"""A program on a device that is spoken with, a line for a line."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from edgeopt.core.errors import MeasurementError
from edgeopt.targets.address import Address
from edgeopt.targets.tethered import Words, kill_all

_MOST = 256 << 20
"""The longest line that is read: every call of a small model for a second is some megabytes."""

_PARTING = 5


class Conversation:
    """The program, running while this is used as a context; it ends when its standard input closes.

    Args:
        address: Of the device, for whoever is told that it doesn't answer.
        command: The program and its arguments.
        ended: Makes the error of an exit code and what the program wrote to standard error, where
            it ended though it was asked.
    """

    def __init__(
        self,
        address: Address,
        command: Sequence[str],
        ended: Callable[[int, str], MeasurementError],
    ) -> None:
        self.address, self._command, self._ended = address, command, ended

    def __enter__(self) -> Conversation:
        self._process = subprocess.Popen(  # noqa: S603 - ssh, and an address that was checked
            self._command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,  # so that whatever it starts can be stopped with it
        )  # fmt: skip
        self._words = Words(self._process.stderr)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_PARTING)
        kill_all(self._process)
        self._process.wait()
        self._process.stdout.close()

    def ask(self, line: bytes, timeout: float) -> bytes:
        """Say a line, and hear one.

        Raises:
            MeasurementError: If the device or the program is gone, or doesn't answer in time.
        """
        return self._within(timeout, line + b"\n")

    def hear(self, timeout: float) -> bytes:
        """The next line, unasked.

        Raises:
            MeasurementError: As :meth:`ask`.
        """
        return self._within(timeout, b"")

    def _within(self, timeout: float, said: bytes) -> bytes:
        late = threading.Event()

        def stop() -> None:
            late.set()
            kill_all(self._process)

        clock = threading.Timer(timeout, stop)
        clock.start()
        try:
            heard = self._exchange(said)
        finally:
            clock.cancel()
        if late.is_set():
            raise MeasurementError(
                f"{self.address}: no answer after {timeout:g} s", hint="check the connection"
            )
        if len(heard) > _MOST:
            raise MeasurementError(
                f"{self.address}: its answer has no end", hint="look after what runs there"
            )
        if not heard.endswith(b"\n"):
            raise self._ended(self._process.wait(), self._words.text())
        return heard

    def _exchange(self, said: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(said)
            self._process.stdin.flush()
            return self._process.stdout.readline(_MOST + 1)
        except OSError:  # a pipe without another end
            return b""
