"""A device for tests: this machine, behind a real sshd on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SSHD = "/usr/sbin/sshd"

FORCE = """export HOME={home} TMPDIR={home} PATH={programs}:/usr/bin:/bin
cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND"
"""

_SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
UsePAM no
StrictModes no
PidFile none
Subsystem sftp /usr/lib/openssh/sftp-server
ForceCommand {folder}/force
"""

AS_ANYBODY = """for word; do
  shift
  case "$word" in pi@* | jetson@*) word=${{word#*@}} ;; esac
  set -- "$@" "$word"
done
exec {program} -F {config} "$@"
"""

CLIENT = """
Host kitchen bench
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
"""


@dataclass
class Board:
    """A device: its folder holds its keys, its home and the programs on its PATH."""

    folder: Path
    port: int
    server: subprocess.Popen[bytes]

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def python(self, script: str) -> None:
        """What ``python3`` does there."""
        program(self.folder / "programs" / "python3", script)

    def lend(self, **modules: str) -> None:
        """Give its Python modules of those names before any other."""
        folder = self.folder / "modules"
        folder.mkdir(exist_ok=True)
        for name, code in modules.items():
            (folder / f"{name}.py").write_text(code)
        self.python(f'PYTHONPATH={folder} exec {sys.executable} "$@"')

    def cut(self, how: signal.Signals = signal.SIGKILL) -> list[int]:
        """End or stop every session of the server's, and none of the programs they started."""
        sessions = [
            process
            for process in descendants(self.server.pid)
            if Path(f"/proc/{process}/comm").read_text().startswith("sshd")
        ]
        for session in sessions:
            os.kill(session, how)
        return sessions

    def left(self) -> list[str]:
        """What runs have left there."""
        return [p.name for p in (self.home / ".edgeopt").glob("*")]

    def serve(self, *lines: str) -> None:
        """Start the server, again if it runs, with more lines of configuration before its own."""
        if self.server.poll() is None:
            self.server.terminate()
            self.server.wait()
        own = _SERVER.format(folder=self.folder, port=self.port)
        (self.folder / "server").write_text("\n".join(lines) + own)
        self.server = subprocess.Popen([SSHD, "-D", "-e", "-f", self.folder / "server"], stderr=-3)
        until_it_listens(self.port)

    def measure(self, *artifacts: Path, **options: Any) -> Any:
        """Measure there, quickly, as ``edgeopt benchmark`` does."""
        from edgeopt.core.progress import silent
        from edgeopt.pipeline.remote import benchmark_there

        quick = {"target": "arm64@ssh://kitchen", "duration": 0.05, "processes": 2}
        return benchmark_there(
            artifacts, accuracy="top1", save=True, progress=silent, ssh_config=self.config,
            **{**quick, **options},
        )  # fmt: skip


def soon(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it becomes true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def descendants(process: int) -> Iterator[int]:
    """Whatever a process started, and whatever that started."""
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield int(child)
        yield from descendants(int(child))


def program(path: Path, script: str) -> None:
    """A shell script that can be started."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def keygen(path: Path) -> None:
    """A key without a passphrase, and ``.pub`` beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until_it_listens(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd doesn't listen")
