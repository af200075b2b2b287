"""What goes wrong on a device, or on the way: each is said, and nothing is left there."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest

from edgeopt.benchmarks.device.lock import alone
from edgeopt.benchmarks.store import measurement_path
from edgeopt.core.errors import MeasurementError, ModelError, VerificationError
from edgeopt.pipeline.bundle import bundle
from edgeopt.pipeline.results import check_outputs
from edgeopt.targets.address import Address
from edgeopt.targets.ssh import FOLDER, SshDevice
from tests.board import descendants, soon

if TYPE_CHECKING:
    from tests.board import Board

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def failing(board: Board, artifact: Path, told: str) -> None:
    """It ends with code 3 and those words, and leaves nothing on either side."""
    with pytest.raises(MeasurementError, match=told) as raised:
        board.measure(artifact)
    assert raised.value.exit_code == 3
    assert not measurement_path(artifact, "arm64").exists()
    assert board.left() == []


def gone(process: int) -> bool:
    """Whether it ends; who should take note of that may be stopped."""

    def ended() -> bool:
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return soon(ended)


# What is not there


def test_python_that_is_missing(board: Board, conv_net: Path) -> None:
    board.python("echo 'sh: python3: not found' >&2; exit 127")
    failing(board, conv_net, "install python3 there")


def test_python_that_is_too_old(board: Board, conv_net: Path) -> None:
    older = (
        "import sys, runpy; sys.version_info = (3, 7, 9); del sys.argv[0]; "
        "sys.path.insert(0, sys.argv[0]); runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    board.python(f'exec {sys.executable} -c "{older}" "$@"')
    failing(board, conv_net, r"this is Python 3\.7, and 3\.8 or newer is needed")


def test_a_real_python_that_is_too_old(board: Board, conv_net: Path) -> None:
    found = sorted(Path.home().glob(".pyenv/versions/3.[67].*/bin/python"))
    if not found:
        pytest.skip("no Python 3.6 or 3.7 here")
    board.python(f'exec {found[-1]} "$@"')
    failing(board, conv_net, r"this is Python 3\.[67], and 3\.8 or newer is needed")


def test_numpy_that_is_missing(board: Board, conv_net: Path) -> None:
    board.lend(numpy="raise ImportError('no numpy')")
    failing(board, conv_net, r"numpy can't be imported \(no numpy\).*-m pip install numpy")


def test_a_runtime_that_is_missing(board: Board, conv_net: Path) -> None:
    board.lend(onnxruntime="raise ImportError('no such module')")
    failing(
        board, conv_net, r"onnxruntime is not installed.*there: python3 -m pip install onnxruntime"
    )


def test_a_runtime_that_is_too_old_for_the_artifact(board: Board, conv_net: Path) -> None:
    # An older one says so when it meets what it doesn't know, in words of its own.
    board.lend(
        onnxruntime="__version__ = '1.4.0'\nclass SessionOptions: pass\n"
        "def disable_telemetry_events(): pass\n"
        "class InferenceSession:\n"
        "    def __init__(self, *_, **__):\n"
        "        raise RuntimeError('Unsupported model IR version: 9, max supported is 7')\n",
    )
    with pytest.raises(ModelError, match=r"Unsupported model IR version: 9, max supported is 7"):
        board.measure(conv_net)
    assert board.left() == []


# Room


def test_a_disk_too_full_for_the_bundle(
    board: Board, conv_net: Path, small_home: Callable[[int], None]
) -> None:
    small_home(16)
    failing(board, conv_net, "free some space there")


def test_a_disk_that_is_full_before_the_result_is_written(
    board: Board, conv_net: Path, small_home: Callable[[int], None]
) -> None:
    small_home(1000)
    full = f"head -c 2000k /dev/zero > {board.home}/rest 2>/dev/null"
    board.python(f'{full}; exec {sys.executable} "$@"')
    failing(board, conv_net, "No space left on device.*free some space there")


# The link, and what runs there


def test_a_link_that_is_cut(board: Board, conv_net: Path) -> None:
    pid = board.home / FOLDER
    with ThreadPoolExecutor() as pool:
        measured = pool.submit(board.measure, conv_net, duration=30)
        assert soon(lambda: any(pid.glob("run-*/pid")))
        (note,) = pid.glob("run-*/pid")
        assert soon(lambda: note.read_text() != "")
        program = int(note.read_text())
        assert soon(lambda: any(descendants(program)))
        running = [program, *descendants(program)]
        # The server's own end would be noticed too; but who comes next must find it.
        board.cut()
        with pytest.raises(MeasurementError, match=r"check that you can log in|check the conn"):
            measured.result(timeout=60)
    assert all(map(gone, running))
    assert not measurement_path(conv_net, "arm64").exists()
    assert len(board.left()) <= 1
    assert board.measure(conv_net).measurements
    assert board.left() == []


@pytest.mark.slow
def test_a_link_that_falls_silent(board: Board, conv_net: Path) -> None:
    start = time.monotonic()
    with ThreadPoolExecutor() as pool:
        measured = pool.submit(board.measure, conv_net, duration=100)
        assert soon(lambda: any((board.home / FOLDER).glob("run-*/pid")))
        (note,) = (board.home / FOLDER).glob("run-*/pid")
        assert soon(lambda: note.read_text() != "")
        program = int(note.read_text())
        stopped = board.cut(signal.SIGSTOP)
        try:
            with pytest.raises(MeasurementError, match="kitchen: "):
                measured.result(timeout=120)
            # The server still holds the old connection; a new one has stopped what it ran.
            assert gone(program)
        finally:
            for session in stopped:
                os.kill(session, signal.SIGKILL)
    assert time.monotonic() - start < 90
    assert board.left() == []


STUCK = """
import ctypes
__version__ = "1.0"
class SessionOptions: pass
def disable_telemetry_events(): pass
def InferenceSession(*_, **__):
    open({noted!r}, "w").write(str(__import__("os").getpid()))
    ctypes.PyDLL(None).sleep(600)  # keeps every other thread of Python's from running
"""


def stuck(board: Board) -> Path:
    """A runtime that hangs, and lets nothing of its process run; where its number is noted."""
    noted = board.home / "stuck"
    board.lend(onnxruntime=STUCK.format(noted=str(noted)))
    return noted


def test_what_hangs_is_stopped_there_too(board: Board, conv_net: Path, tmp_path: Path) -> None:
    noted = stuck(board)
    bundle([conv_net], tmp_path / "bundle", duration=0.05, processes=1)
    with SshDevice(Address("kitchen"), board.config) as device, device.folder() as run:
        device.push(tmp_path / "bundle", run)
        with pytest.raises(MeasurementError, match="no result after 5 s"):
            device.start(run, ["python3", "run.pyz", "--tethered"], timeout=5)
        assert gone(int(noted.read_text()))
    assert board.left() == []


def test_what_hangs_goes_when_the_link_is_cut(board: Board, conv_net: Path) -> None:
    noted = stuck(board)
    with ThreadPoolExecutor() as pool:
        measured = pool.submit(board.measure, conv_net)
        assert soon(lambda: noted.exists() and noted.read_text() != "")
        board.cut()
        with pytest.raises(MeasurementError):
            measured.result(timeout=60)
    assert gone(int(noted.read_text()))


def test_the_second_is_told_who_measures(board: Board, conv_net: Path, tflite_net: Path) -> None:
    lock = board.home / "edgeopt-device.lock"
    with ThreadPoolExecutor() as pool:
        first = pool.submit(board.measure, conv_net, duration=4)
        assert soon(lambda: lock.exists() and getpass.getuser() in lock.read_text())
        with pytest.raises(MeasurementError, match=rf"{getpass.getuser()}@.*process \d+"):
            board.measure(tflite_net)
        assert first.result(timeout=60).measurements
    assert board.left() == []


def test_another_user_of_the_device_is_named(board: Board, conv_net: Path) -> None:
    lock = str(board.home / "edgeopt-device.lock")
    with alone("lea@laptop", 0, lock):
        failing(board, conv_net, "lea@laptop")


# Clocks


@pytest.mark.parametrize("years", ["-20y", "+20y"])
def test_a_clock_that_is_years_off(board: Board, conv_net: Path, years: str) -> None:
    if which("faketime") is None:
        assert not os.environ.get("CI"), "faketime is not installed"
        pytest.skip("no faketime here")
    board.python(f'exec faketime -f {years} {sys.executable} "$@"')
    (measured,) = board.measure(conv_net).measurements
    there, here = int(measured.before.at[:4]), time.gmtime().tm_year
    assert abs(there - here) in (19, 20, 21)
    assert 0 < measured.latency.p50 < 1000
    assert board.left() == []


def test_what_a_cut_link_left_goes_whatever_its_date(board: Board) -> None:
    base, now = board.home / FOLDER, time.time()
    for name, date in {"old": 86400.0, "future": now + 1e8, "ended": now, "new": now}.items():
        left = base / f"run-{name}"
        left.mkdir(parents=True)
        if name == "ended":
            (left / "pid").write_text("999999999\n")
        os.utime(left, (date, date))
    with SshDevice(Address("kitchen"), board.config) as device, device.folder() as run:
        # One that has no process yet may still be on its way.
        assert sorted(board.left()) == sorted(["run-new", run])


# Answers


SPOILT = """
import os, sys
sys.path.remove(os.path.dirname(__file__))
del sys.modules["onnxruntime"]
import onnxruntime
run = onnxruntime.InferenceSession.run
onnxruntime.InferenceSession.run = lambda *a: [each + 2.5 for each in run(*a)]
"""


def test_outputs_that_differ_are_named(board: Board, conv_net: Path) -> None:
    board.lend(onnxruntime=SPOILT)
    report = board.measure(conv_net)
    told = r"on arm64 its output 'scores' is -?[\d.]+ dB from .*floor 10 dB; at most 2\.5 off"
    with pytest.raises(VerificationError, match=told) as raised:
        check_outputs(report)
    assert raised.value.exit_code == 1
    assert board.left() == []
