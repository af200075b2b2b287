"""How a device is reached: push, execute and pull, whatever runs there and over whatever wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, Self

from edgeopt.targets.adb import AdbDevice
from edgeopt.targets.address import Address
from edgeopt.targets.emulated import EmulatedDevice
from edgeopt.targets.ssh import SshDevice


class Transport(Protocol):
    """A device, connected while it is used as a context.

    Every method raises MeasurementError where the device can't be reached or refuses, with the next
    step as its hint.
    """

    @property
    def address(self) -> Address:
        """Where it is."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def folder(self) -> AbstractContextManager[str]:
        """A new folder on the device, gone at the end; gives its name.

        What runs left there whose link was cut is removed first.
        """

    def push(self, folder: Path, run: str, timeout: float = 600) -> None:
        """Copy what is in ``folder`` here into the folder ``run`` there, within ``timeout`` s."""

    def start(self, run: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a program in ``run`` and wait for its end.

        Its standard input stays open as long as the connection does, and says nothing: a program
        that ends when it closes leaves nothing running on a device whose link was cut.

        Args:
            run: The folder.
            command: The program and its arguments; plain words.
            timeout: Seconds after which it is stopped, on the device too.

        Returns:
            Its exit code, and the last line it wrote to standard error.
        """

    def pull(self, run: str, name: str, most: int) -> bytes:
        """A file's content in ``run``, cut off after ``most`` bytes; empty if none is there."""


def reach(address: Address, ssh_config: Path | None = None) -> Transport:
    """The transport that an address's scheme names.

    Args:
        address: Where the device is.
        ssh_config: For ssh, a configuration instead of the user's own.
    """
    transports: dict[str, Callable[[], Transport]] = {
        "adb": lambda: AdbDevice(address),
        "ssh": lambda: SshDevice(address, ssh_config),
        "emulated": lambda: EmulatedDevice(address),
    }
    return transports[address.scheme]()
