"""What measures on a device, whatever reaches it: something is packed, started, and answers."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edgeopt.benchmarks.bundle import RUN, Bundle
from edgeopt.core.progress import Progress
from edgeopt.pipeline.results import MOST_BYTES
from edgeopt.targets.tethered import stopped
from edgeopt.targets.transport import Transport

RESULT = "result.json"


class Runner(Protocol):
    """Measures artifacts on a device."""

    def pack(self, folder: Path, progress: Progress) -> None:
        """Make, in the new folder ``folder``, what goes to the device.

        Raises:
            EdgeOptError: If it can't be made.
        """

    def measure(self, device: Transport, run: str, folder: Path, progress: Progress) -> bytes:
        """What ``import_results`` reads.

        Args:
            device: The device, connected.
            run: A folder there.
            folder: What ``pack`` made.
            progress: Told how far it is.

        Raises:
            MeasurementError: If the device can't measure; says why.
        """


class PythonBundle:
    """A bundle's own program, by the device's Python.

    Args:
        make: Makes the bundle in a folder.
    """

    def __init__(self, make: Callable[[Path], Bundle]) -> None:
        self._make = make
        self._content: Bundle | None = None

    def pack(self, folder: Path, progress: Progress) -> None:
        """Make the bundle."""
        del progress
        self._content = self._make(folder)

    def measure(self, device: Transport, run: str, folder: Path, progress: Progress) -> bytes:
        """What the program found."""
        progress(f"copying to {device.address}", 0, None)
        device.push(folder, run)
        progress(f"measuring on {device.address}", 0, None)
        command = ("python3", RUN, "--tethered", "--name", holder())
        code, words = device.start(run, command, self._patience())
        result = device.pull(run, RESULT, MOST_BYTES + 1)
        if not result:
            raise stopped(device.address, code, words)
        return result

    def _patience(self) -> float:
        assert self._content is not None
        plan, count = self._content.plan, len(self._content.artifacts)
        return (plan.processes + 2 * count) * plan.patience(count)


def holder() -> str:
    """Who measures, as the device's lock names them: ``user@machine``."""
    return re.sub(r"[^A-Za-z0-9@._-]", "_", f"{getpass.getuser()}@{platform.node()}")
