"""A device that the adb binary reaches: an Android phone, by USB or over the network."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeopt.core.errors import MeasurementError
from edgeopt.targets.address import Address
from edgeopt.targets.remote_folder import START, RemoteFolders
from edgeopt.targets.tethered import last_line, output_of, run_tethered

FOLDER = "/data/local/tmp/.edgeopt"
"""Where adb's shell may write and execute; a run has a folder of its own in it."""

_MOST_WORDS = 1 << 16
_SECONDS = 60
"""How long a device may take to answer; adb has no time-out of its own."""

_HINTS = {
    "unauthorized": "unlock the device and allow USB debugging from this machine",
    "authorizing": "unlock the device and allow USB debugging from this machine",
    "offline": "plug it in again, or: adb reconnect offline",
    "more than one": "name one, as `adb devices` lists them: PROFILE@adb://SERIAL",
    "no devices": "plug it in and switch USB debugging on; `adb devices` has to list it",
    "not found": "`adb devices` lists those that are here",
    "no permissions": "see https://developer.android.com/tools/device about udev rules",
    "no space left": "free some space in /data",
    "read-only": "free some space in /data, or start the device again",
    "daemon": "run `adb start-server` by hand and see what it says",
}
"""The next step, by what adb or the device says."""


class AdbDevice(RemoteFolders):
    """A device, found when it is used as a context.

    Its shell has to hand back exit codes, as Android 7 and later do.

    Args:
        address: Its serial number, or nothing if it is the only one.
    """

    base = FOLDER

    def __init__(self, address: Address) -> None:
        self.address = address
        self._adb = ["adb", *(("-s", address.host) if address.host else ())]

    def __enter__(self) -> AdbDevice:
        if shutil.which("adb") is None:
            raise MeasurementError(
                "adb is not installed here", hint="install Android's platform tools"
            )
        state = self._checked([*self._adb, "get-state"], _SECONDS).decode(errors="replace").strip()
        if state != "device":
            raise self._failed(f"the device is in the state {state!r}")
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing: adb's own server holds the connection."""

    def push(self, folder: Path, run: str, timeout: float = 600) -> None:
        """Copy what is in ``folder`` into the folder ``run`` on the device.

        Raises:
            MeasurementError: If it can't be copied.
        """
        files = sorted(str(path) for path in folder.iterdir())
        self._checked([*self._adb, "push", *files, f"{FOLDER}/{run}/"], timeout)

    def start(self, run: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a program in ``run``, with a standard input that closes when the connection does.

        Args:
            run: The folder.
            command: The program and its arguments; plain words.
            timeout: Seconds after which it is stopped.

        Returns:
            Its exit code, and the last line it wrote to standard error. Where the connection was
            lost the code is 1 and the line is adb's.
        """
        there = START.format(base=FOLDER, run=run, command=" ".join(command))
        code, told = run_tethered(self.address, [*self._adb, "shell", there], timeout)
        return code, last_line(told)

    def _shell(self, command: str, most: int = _MOST_WORDS) -> bytes:
        return self._checked([*self._adb, "shell", command], _SECONDS, most)

    def _checked(self, command: Sequence[str], timeout: float, most: int = _MOST_WORDS) -> bytes:
        code, found, told = output_of(self.address, command, timeout, most)
        if code != 0:
            # `adb push` tells on standard output what went wrong.
            raise self._failed(told.strip() or found.decode(errors="replace"))
        return found

    def _failed(self, words: str) -> MeasurementError:
        complaint = _complaint(words)
        lower = complaint.lower()
        hint = next((hint for told, hint in _HINTS.items() if told in lower), "")
        return MeasurementError(
            f"{self.address}: {complaint or 'the connection was lost'}",
            hint=hint or "check that `adb shell` reaches it",
        )


def _complaint(words: str) -> str:
    """What adb says: its first line of an error, since advice follows it, else the last line."""
    for line in words.splitlines():
        if line.startswith(("error: ", "adb: ")):
            return last_line(line.removeprefix("adb: ").removeprefix("error: "))
    return last_line(words)
