"""Measuring over ssh: a real sshd on loopback, with this machine as its device."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgeopt.benchmarks.device.lock import alone
from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.core.errors import EdgeOptError, MeasurementError, UsageError
from edgeopt.core.progress import silent
from edgeopt.pipeline.remote import benchmark_there
from edgeopt.targets.address import Address
from edgeopt.targets.ssh import FOLDER, SshDevice

SSHD = "/usr/sbin/sshd"
QUICK: dict[str, Any] = {"duration": 0.05, "processes": 2}

FORCE = """#!/bin/sh
export HOME={home} TMPDIR={home} PATH={programs}:/usr/bin:/bin
cd "$HOME" && exec sh -c "$SSH_ORIGINAL_COMMAND"
"""

SERVER = """
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

CLIENT = """
Host kitchen
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
"""


@dataclass
class Board:
    """The device: its folder holds its keys, its home and the programs on its PATH."""

    folder: Path
    server: subprocess.Popen[bytes]

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def python(self, script: str) -> None:
        """What ``python3`` does there."""
        program = self.folder / "programs" / "python3"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def left(self) -> list[str]:
        return [p.name for p in (self.home / FOLDER).glob("*")]

    def measure(self, *artifacts: Path, **options: Any) -> Any:
        return benchmark_there(
            artifacts, "arm64@ssh://kitchen", accuracy="top1", save=True, progress=silent,
            ssh_config=self.config, **{**QUICK, **options},
        )  # fmt: skip


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    if not Path(SSHD).exists() or shutil.which("ssh-keygen") is None:
        assert not os.environ.get("CI"), "openssh-server is not installed"
        pytest.skip("no sshd here")
    folder = tmp_path_factory.mktemp("board")
    for name in ("home", "programs"):
        (folder / name).mkdir()
    for key in ("host", "key"):
        _keygen(folder / key)
    port = _free_port()
    force = folder / "force"
    force.write_text(FORCE.format(home=folder / "home", programs=folder / "programs"))
    force.chmod(0o755)
    (folder / "server").write_text(SERVER.format(folder=folder, port=port))
    (folder / "config").write_text(CLIENT.format(folder=folder, port=port))
    kind, key, *_ = (folder / "host.pub").read_text().split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd wants to separate privileges
    with subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "server"], stderr=-3) as server:
        found = Board(folder, server)
        found.python(f'exec {sys.executable} "$@"')
        _until_it_listens(port)
        yield found
        server.terminate()


def _until_it_listens(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd doesn't listen")


def test_a_measurement_over_ssh_leaves_nothing_there(board: Board, conv_net: Path) -> None:
    report = board.measure(conv_net)
    assert read_measurement(measurement_path(conv_net, "arm64")) == report.measurements[0]
    assert report.measurements[0].verification is not None
    assert board.left() == []


def test_a_host_that_is_not_known(board: Board, conv_net: Path) -> None:
    (board.folder / "known").write_text("")
    with pytest.raises(MeasurementError, match=r"Host key verification failed.*log in once"):
        board.measure(conv_net)


def test_a_host_that_is_another_now(board: Board, conv_net: Path) -> None:
    _keygen(board.folder / "other")
    known = (board.folder / "known").read_text().split()
    other = (board.folder / "other.pub").read_text().split()
    (board.folder / "known").write_text(f"{known[0]} {other[0]} {other[1]}\n")
    with pytest.raises(MeasurementError, match="verification failed"):
        board.measure(conv_net)


def test_a_key_that_is_not_taken(board: Board, conv_net: Path) -> None:
    (board.folder / "key").unlink()
    (board.folder / "key.pub").rename(board.folder / "former.pub")
    _keygen(board.folder / "key")
    (board.folder / "key.pub").write_bytes((board.folder / "former.pub").read_bytes())
    with pytest.raises(MeasurementError, match=r"Permission denied.*ssh-copy-id"):
        board.measure(conv_net)


def test_python_that_is_missing(board: Board, conv_net: Path) -> None:
    board.python("echo 'sh: python3: not found' >&2; exit 127")
    with pytest.raises(MeasurementError, match="install python3 there"):
        board.measure(conv_net)
    assert board.left() == []


def test_numpy_that_is_missing(board: Board, conv_net: Path) -> None:
    (board.home / "numpy.py").write_text("raise ImportError('no numpy')")
    board.python(f'PYTHONPATH={board.home} exec {sys.executable} "$@"')
    with pytest.raises(MeasurementError, match=r"numpy can't be imported \(no numpy\)"):
        board.measure(conv_net)


def test_the_second_is_told_who_measures(board: Board, conv_net: Path) -> None:
    lock = str(board.home / "edgeopt-device.lock")
    with alone("lea@laptop", 0, lock), pytest.raises(MeasurementError, match="lea@laptop"):
        board.measure(conv_net)
    assert board.left() == []


def _hanging(board: Board) -> Path:
    """A program that writes down its process, and hangs until its connection ends."""
    noted = board.home / "hanging"
    script = "import os,sys; open(sys.argv[1],'w').write(str(os.getpid())); sys.stdin.read()"
    board.python(f'exec {sys.executable} -c "{script}" {noted}')
    return noted


def _gone(process: int) -> bool:
    for _ in range(100):
        if not Path(f"/proc/{process}").exists():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_hangs_is_stopped_there_too(board: Board) -> None:
    noted = _hanging(board)
    with SshDevice(Address("kitchen"), board.config) as device, device.folder() as run:
        with pytest.raises(MeasurementError, match="no result after 2 s"):
            device.start(run, ["python3"], timeout=2)
        assert _gone(int(noted.read_text()))
    assert board.left() == []


def test_what_a_cut_link_left_goes_at_the_next_connection(board: Board) -> None:
    left = board.home / FOLDER / "run-0123456789ab"
    left.mkdir(parents=True)
    (left / "pid").write_text("999999999\n")
    coming = board.home / FOLDER / "run-ba9876543210"
    coming.mkdir()
    with SshDevice(Address("kitchen"), board.config) as device, device.folder() as run:
        assert sorted(board.left()) == sorted([coming.name, run])


def test_nobody_is_there(board: Board, conv_net: Path) -> None:
    board.server.terminate()
    board.server.wait()
    with pytest.raises(MeasurementError, match=r"refused.*check the port"):
        board.measure(conv_net)
    assert not measurement_path(conv_net, "arm64").exists()


def test_a_target_without_an_address(conv_net: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"accuracy": "top1", "save": False, "progress": silent}
    with pytest.raises(UsageError, match=r"arm64@ssh://user@host"):
        benchmark_there([conv_net], "arm64", **options)
    board = tmp_path / "board.toml"
    board.write_text('name = "b"\ndescription = "d"\nlike = ["arm64"]\naddress = "kitchen"\n')
    with pytest.raises(EdgeOptError, match="not the address"):
        benchmark_there([conv_net], str(board), **options)


@pytest.mark.skipif(sys.platform != "linux", reason="the script needs flock and /proc")
def test_a_native_program_measures_over_ssh_too(board: Board, tflite_net: Path) -> None:
    # A stand-in, which really runs the file: see the program's first lines.
    standin = Path(__file__).with_name("standins") / "benchmark_model"
    program = board.folder / "benchmark_model"
    program.write_text(standin.read_text().replace("@PYTHON@", sys.executable))
    program.chmod(0o755)
    (found,) = board.measure(tflite_net, binary=program).measurements
    assert found.runtime.name == "benchmark_model"
    assert board.left() == []
