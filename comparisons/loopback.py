"""An sshd of one's own on loopback, with this machine as the device behind it."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = "/usr/sbin/sshd"

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

_CLIENT = """
Host loopback
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
"""

_FORCE = """export HOME={folder}/home PATH={folder}/programs:/usr/bin:/bin
cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND"
"""


@contextmanager
def loopback() -> Iterator[Path]:
    """A server while it is used; gives the ssh configuration in which it is ``loopback``."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        (folder / "home").mkdir()
        (folder / "programs").mkdir()
        _program(folder / "programs" / "python3", f'exec {sys.executable} "$@"')
        for key in ("host", "key"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True)
        _program(folder / "force", _FORCE.format(folder=folder))
        (folder / "server").write_text(_SERVER.format(folder=folder, port=port))
        (folder / "config").write_text(_CLIENT.format(folder=folder, port=port))
        kind, key, *_ = (folder / "host.pub").read_text().split()
        (folder / "known").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
        Path("/run/sshd").mkdir(exist_ok=True)
        with subprocess.Popen([SSHD, "-D", "-f", str(folder / "server")]) as server:
            _until_it_listens(port)
            try:
                yield folder / "config"
            finally:
                server.terminate()


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_it_listens(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("sshd doesn't listen")
