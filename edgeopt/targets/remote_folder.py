"""A run's folder on a device that has a shell: made, read from, and tidied up.

The shell's lines are POSIX, for those of Debian, BusyBox and Android alike.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

from edgeopt.core.errors import MeasurementError

# Leftovers of runs whose program is gone go first; one without a process may still be on its way,
# if it is less than an hour old and not from the future, as all of them are when a clock was set.
PREPARE = (
    "umask 077; mkdir -p {base} && cd {base} && for old in run-*; do "
    'if [ -f "$old/pid" ]; then kill -0 "$(cat "$old/pid")" 2>/dev/null || rm -rf "$old"; '
    'elif [ -d "$old" ]; then find "$old" -maxdepth 0 \\( -mmin +60 -o -mmin -0 \\) '
    "-exec rm -rf {{}} + ; fi; done; "
    "mkdir {run}"
)
"""Make the folder ``run`` in ``base``."""

START = "cd {base}/{run} && echo $$ > pid && exec {command}"
"""Become ``command`` in that folder; its process's number says whether the run is over."""

REMOVE = "rm -rf {base}/{run}"
"""Remove the folder of a run that is over."""

# What a connection starts leads a group of its own.
STOP = (
    "p=$(cat {base}/{run}/pid 2>/dev/null) && "
    '{{ kill -9 -- "-$p" || kill -9 "-$p" || kill -9 "$p"; }} 2>/dev/null; ' + REMOVE
)
"""Stop whatever still runs of a run, and remove its folder."""


class RemoteFolders(ABC):
    """A device whose shell can be asked; what makes folders there, and reads files of theirs."""

    base: ClassVar[str]
    """The folder that runs' folders are in."""

    @abstractmethod
    def _shell(self, command: str, most: int = 0) -> bytes:
        """What a command writes to standard output, cut off after ``most`` bytes.

        Raises:
            MeasurementError: If it fails, or the device can't be reached.
        """

    @contextmanager
    def folder(self) -> Iterator[str]:
        """A new folder on the device, gone at the end; its name in :attr:`base`.

        Raises:
            MeasurementError: If the device can't be reached.
        """
        run = f"run-{secrets.token_hex(6)}"
        self._shell(PREPARE.format(base=self.base, run=run))
        tidy = STOP  # whatever goes wrong, nothing is left running
        try:
            yield run
            tidy = REMOVE
        finally:
            # Where the link is gone, the next connection removes it.
            with suppress(MeasurementError):
                self._shell(tidy.format(base=self.base, run=run))

    def pull(self, run: str, name: str, most: int) -> bytes:
        """The content of a file in ``run``, cut off after ``most`` bytes; empty if there is none.

        Raises:
            MeasurementError: If the device can't be reached.
        """
        return self._shell(f"head -c {most} {self.base}/{run}/{name} 2>/dev/null || true", most)
