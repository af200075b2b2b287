"""An ARM64 board that isn't there: QEMU runs its programs on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from edgeopt.core.errors import MeasurementError
from edgeopt.core.scratch import scratch_folder
from edgeopt.targets.address import Address
from edgeopt.targets.emulator import Emulator, find, qemu, usual_folder
from edgeopt.targets.tethered import last_line, run_tethered

_PASSED_ON = ("PATH", "LANG", "TERM")


class EmulatedDevice:
    """An emulated board, whose runs are in folders of this machine's.

    Args:
        address: The processor, and where the roots are.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._board: Emulator | None = None

    def __enter__(self) -> EmulatedDevice:
        qemu()
        folder = Path(self.address.path) if self.address.path else usual_folder()
        self._board = find(self.address.host, folder)
        if self._board is None:
            given = f" --root {quote(str(folder))}" if self.address.path else ""
            raise MeasurementError(
                f"{self.address}: its root has not been made yet",
                hint=f"edgeopt targets emulator --cpu {self.address.host}{given}",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._board = None

    @contextmanager
    def folder(self) -> Iterator[str]:
        """A new folder, gone at the end; its path on this machine."""
        with scratch_folder() as run:
            yield str(run)

    def push(self, folder: Path, run: str, timeout: float = 600) -> None:
        """Copy what is in ``folder`` into the folder ``run``."""
        shutil.copytree(folder, run, dirs_exist_ok=True)

    def start(self, run: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a program in ``run``: the board's ``python3``, or an ARM64 program there.

        Args:
            run: The folder.
            command: The program and its arguments.
            timeout: Seconds after which it is stopped.

        Returns:
            Its exit code, and the last line it wrote to standard error.
        """
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment.update(HOME=run, TMPDIR=run)
        whole = self._emulating(command)
        code, told = run_tethered(self.address, whole, timeout, Path(run), environment)
        return code, last_line(told)

    def pull(self, run: str, name: str, most: int) -> bytes:
        """A file's content in ``run``, cut off after ``most`` bytes; empty if none is there."""
        try:
            with Path(run, name).open("rb") as file:
                return file.read(most)
        except FileNotFoundError:
            return b""

    def _emulating(self, command: Sequence[str]) -> list[str]:
        assert self._board is not None
        program, *arguments = command
        if program == "python3":
            return [self._board.python, *arguments]
        return [qemu(), "-cpu", self._board.cpu, "-L", self._board.root, program, *arguments]
