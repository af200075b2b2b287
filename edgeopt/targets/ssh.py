"""A device that the system's ssh and scp reach: the user's configuration, keys and agents hold."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from edgeopt.core.errors import MeasurementError
from edgeopt.core.scratch import scratch_folder
from edgeopt.targets.address import Address
from edgeopt.targets.conversation import Conversation
from edgeopt.targets.remote_folder import START, RemoteFolders
from edgeopt.targets.tethered import last_line, output_of, run_tethered, stopped

FOLDER = ".edgeopt"
"""In the user's home on the device; a run has a folder of its own in it."""

CONNECT_SECONDS = 15
_OWN_FAILURE = 255
"""ssh's exit code for what isn't the remote command's."""

_OPTIONS = (
    *("-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}"),
    # A link that is cut is noticed after half a minute.
    *("-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
    *("-o", "ControlMaster=auto", "-o", "ControlPersist=60"),
)

_HINTS = {
    "host key verification failed": "log in once by hand, compare the key, and accept it",
    "remote host identification has changed": "find out why, then ssh-keygen -R the host",
    "permission denied (password": "EdgeOpt never asks for a password: let sshd there take a key",
    "permission denied (keyboard": "EdgeOpt never asks for a password: let sshd there take a key",
    "permission denied": "put your public key there: ssh-copy-id",
    "too many authentication failures": "name the key: IdentityFile and IdentitiesOnly",
    "could not resolve": "check the name",
    "connection refused": "check the port, and that sshd runs there",
    "timed out": "check that the device is on and can be reached",
    "no route": "check that the device is on and can be reached",
    "no space left": "free some space there",
    "command not found": "install python3 there",
    "not found": "install python3 there",
}


class SshDevice(RemoteFolders):
    """A device, connected while it is used as a context; the connection is shared by its commands.

    Args:
        address: Where it is.
        config: An ssh configuration instead of the user's own.
    """

    base = FOLDER

    def __init__(self, address: Address, config: Path | None = None) -> None:
        self.address = address
        self._config = () if config is None else ("-F", str(config))
        self._held = ExitStack()
        self._sockets = ""

    def __enter__(self) -> SshDevice:
        if shutil.which("ssh") is None or shutil.which("scp") is None:
            raise MeasurementError("ssh and scp are not installed here", hint="install OpenSSH")
        self._sockets = str(self._held.enter_context(scratch_folder()))
        return self

    def __exit__(self, *_: object) -> None:
        command = ["ssh", *self._options, "-O", "exit", self.address.destination]
        with suppress(MeasurementError):
            output_of(self.address, command, CONNECT_SECONDS, 0)
        self._held.close()

    @property
    def _options(self) -> tuple[str, ...]:
        port = () if self.address.port is None else ("-o", f"Port={self.address.port}")
        return (*self._config, *_OPTIONS, "-o", f"ControlPath={self._sockets}/%C", *port)

    def push(self, folder: Path, run: str, timeout: float = 600) -> None:
        """Copy what is in ``folder`` into the folder ``run`` on the device.

        Raises:
            MeasurementError: If it can't be copied.
        """
        files = sorted(str(path) for path in folder.iterdir())
        there = f"{self.address.destination}:{FOLDER}/{run}/"
        try:
            self._checked(["scp", "-rq", *self._options, *files, there], timeout)
        except MeasurementError as error:
            raise self._full(folder) or error from error

    def _full(self, folder: Path) -> MeasurementError | None:
        """The reason, if the disk is: scp says of it that there was a failure."""
        needed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 10
        try:
            told = self._shell(f"df -Pk {FOLDER}", 1 << 12).decode(errors="replace")
            free = int(told.splitlines()[-1].split()[3])
        except (MeasurementError, ValueError, IndexError):
            return None
        if free > needed:
            return None
        return MeasurementError(
            f"{self.address}: no space left there: {free} kB are free, and {needed} kB needed",
            hint="free some space there",
        )

    def start(self, run: str, command: Sequence[str], timeout: float) -> tuple[int, str]:
        """Run a program in ``run``, with a standard input that closes when the connection does.

        Args:
            run: The folder.
            command: The program and its arguments; plain words.
            timeout: Seconds after which it is stopped.

        Returns:
            Its exit code, and the last line it wrote to standard error.
        """
        code, told = run_tethered(self.address, self._starting(run, command), timeout)
        if code in (_OWN_FAILURE, 127):
            raise self._failed(told)
        return code, last_line(told)

    def converse(self, run: str, command: Sequence[str]) -> Conversation:
        """Speak with a program in ``run``, which ends when the connection does.

        Args:
            run: The folder.
            command: The program and its arguments; plain words.
        """
        return Conversation(self.address, self._starting(run, command), self._ended)

    def _starting(self, run: str, command: Sequence[str]) -> list[str]:
        remote = START.format(base=FOLDER, run=run, command=" ".join(command))
        return ["ssh", "-T", *self._options, self.address.destination, remote]

    def _ended(self, code: int, words: str) -> MeasurementError:
        if code in (_OWN_FAILURE, 127):
            return self._failed(words)
        return stopped(self.address, code, last_line(words))

    def _shell(self, command: str, most: int = 0) -> bytes:
        whole = ["ssh", "-T", *self._options, self.address.destination, command]
        return self._checked(whole, 4 * CONNECT_SECONDS, most)

    def _checked(self, command: Sequence[str], timeout: float, most: int = 0) -> bytes:
        code, found, told = output_of(self.address, command, timeout, most)
        if code != 0:
            raise self._failed(told)
        return found

    def _failed(self, words: str) -> MeasurementError:
        lower = words.lower()
        hint = next((hint for told, hint in _HINTS.items() if told in lower), "")
        return MeasurementError(
            f"{self.address}: {last_line(words) or 'the connection was lost'}",
            hint=hint or "check that you can log in with ssh",
        )
