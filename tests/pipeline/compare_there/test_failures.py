"""What goes wrong on a device while two artifacts are compared there."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import edgeopt
from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.device.lock import alone
from edgeopt.benchmarks.gate.verdict import Verdict
from edgeopt.core.errors import (
    DataError,
    MeasurementError,
    ModelError,
)
from tests.board import descendants, soon
from tests.pipeline.compare_there.pairs import FEW, THERE, Make, check

if TYPE_CHECKING:
    from tests.board import Board

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the board needs an sshd")


def failing(board: Board, artifact: Path, told: str, **options: Any) -> None:
    """It ends with code 3 and those words, and leaves nothing there."""
    with pytest.raises(MeasurementError, match=told) as raised:
        edgeopt.compare(artifact, artifact, **{**FEW, **options})
    assert raised.value.exit_code == 3
    assert str(raised.value).isprintable()
    assert board.left() == []


def test_another_measurement_is_named(ssh_knows: Board, make_net: Make) -> None:
    with alone("lea@laptop", 0, str(ssh_knows.home / "edgeopt-device.lock")):
        failing(ssh_knows, make_net("a.onnx"), "another measurement runs .* lea@laptop")


def test_its_lock_is_held_from_the_first_process_to_the_last(
    ssh_knows: Board, make_net: Make
) -> None:
    a, lock = make_net("a.onnx"), ssh_knows.home / "edgeopt-device.lock"
    held: list[bool] = []

    def look(step: str, done: int, total: int | None) -> None:
        if step == "timing" and lock.exists():
            try:
                with alone("tom", 0, str(lock)):
                    held.append(False)
            except Failure:
                held.append(True)

    edgeopt.compare(a, a, progress=look, **FEW)
    assert held == [True] * 3
    with alone("tom", 0, str(lock)):
        pass


def test_python_that_is_missing_or_too_old(ssh_knows: Board, make_net: Make) -> None:
    a = make_net("a.onnx")
    ssh_knows.python("echo 'sh: python3: not found' >&2; exit 127")
    failing(ssh_knows, a, "install python3 there")
    older = (
        "import sys, runpy; sys.version_info = (3, 7, 9); del sys.argv[0]; "
        "sys.path.insert(0, sys.argv[0]); runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    ssh_knows.python(f'exec {sys.executable} -c "{older}" "$@"')
    failing(ssh_knows, a, r"this is Python 3\.7, and 3\.8 or newer is needed")


def test_a_runtime_that_is_missing(ssh_knows: Board, make_net: Make) -> None:
    ssh_knows.lend(onnxruntime="raise ImportError('no such module')")
    failing(
        ssh_knows,
        make_net("a.onnx"),
        r"onnxruntime is not installed.*there: python3 -m pip install onnxruntime",
    )


def test_a_runtime_that_is_too_old(ssh_knows: Board, make_net: Make) -> None:
    code = "__version__ = '1.4.0'\nclass SessionOptions: pass\n"
    code += "def disable_telemetry_events(): pass\ndef InferenceSession(*_, **__):\n"
    code += "    raise RuntimeError('Unsupported model IR version: 9, max supported is 7')\n"
    ssh_knows.lend(onnxruntime=code)
    a = make_net("a.onnx")
    with pytest.raises(ModelError, match=r"a\.onnx: .*Unsupported model IR version: 9"):
        edgeopt.compare(a, a, **FEW)
    assert ssh_knows.left() == []


def test_a_device_that_vanishes_midway(ssh_knows: Board, make_net: Make) -> None:
    a = make_net("a.onnx")

    def pull_the_plug(step: str, done: int, total: int | None) -> None:
        if (step, done) == ("timing", 1):
            ssh_knows.cut()

    with pytest.raises(MeasurementError, match="kitchen: ") as raised:
        edgeopt.compare(a, a, progress=pull_the_plug, **FEW)
    assert raised.value.exit_code == 3
    assert len(ssh_knows.left()) <= 1
    # What the cut link left goes with the next one, and the lock is free.
    edgeopt.compare(a, a, **FEW)
    assert ssh_knows.left() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_gives_up_leaves_nothing_running_there(
    ssh_knows: Board, make_net: Make, tmp_path: Path, how: signal.Signals
) -> None:
    lock, a = ssh_knows.home / "edgeopt-device.lock", make_net("a.onnx")
    command = [sys.executable, "-m", "edgeopt", "compare", str(a), str(a), "--duration", "30"]
    with subprocess.Popen(
        [*command, "--target", THERE["target"], "--threads", "1"], stderr=subprocess.DEVNULL
    ) as client:
        assert soon(lambda: lock.exists() and "(process " in lock.read_text())
        assert soon(lambda: len(list(descendants(holder(lock)))) == 1)
        program = holder(lock)
        measuring = [program, *descendants(program)]
        client.send_signal(how)
        assert client.wait(60) == (143 if how is signal.SIGTERM else -how)
    assert soon(lambda: not any(map(running, measuring)))
    with alone("tom", 0, str(lock)):
        pass
    assert len(ssh_knows.left()) <= (how is signal.SIGKILL)


def holder(lock: Path) -> int:
    """The process that the lock names."""
    return int(lock.read_text().rpartition("(process ")[2].rstrip(")"))


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_disk_too_full_for_the_artifacts(
    ssh_knows: Board, make_net: Make, small_home: Callable[[int], None]
) -> None:
    small_home(72)  # enough for the program
    failing(ssh_knows, make_net("a.onnx"), "free some space there")


def test_a_disk_that_is_full_midway(
    ssh_knows: Board, make_net: Make, small_home: Callable[[int], None]
) -> None:
    small_home(1000)
    a, rest = make_net("a.onnx"), ssh_knows.home / "rest"

    def fill(step: str, done: int, total: int | None) -> None:
        if (step, done) == ("timing", 1):
            with suppress(OSError), rest.open("wb", buffering=0) as file:
                while file.write(bytes(1024)):
                    pass

    failing(ssh_knows, a, "[Nn]o space left on device.*free some space there", progress=fill)


def test_what_it_says_is_not_believed(ssh_knows: Board, make_net: Make) -> None:
    a = make_net("a.onnx")
    script = ssh_knows.folder / "answer.py"
    for said, told in {
        "{}": "is not valid",
        "\\x1b[2J": "is not valid",
        '{"failure": {"stage": "busy", "reason": "\\x1b[2Jno", "artifact": null}}': r"no",
        "[" * 10**5: "is not valid",
    }.items():
        script.write_text(f"print({said!r}, flush=True)")
        ssh_knows.python(f"exec {sys.executable} {script}")
        failing(ssh_knows, a, told)
    script.write_text("import sys\nsys.stderr.write('first\\nlast\\x1b[0m\\n')")
    failing(ssh_knows, a, r"kitchen: last\?\[0m")


def answering(board: Board, twist: str) -> None:
    """Have the device's processes change their answers ``m`` so, where they timed something."""
    code = "import json\ndump = json.dumps\ndef dumps(m, **k):\n"
    code += f"    if 'blocks' in m:\n        {twist}\n    return dump(m, **k)\njson.dumps = dumps\n"
    board.lend(sitecustomize=code)


def test_a_device_on_its_battery_says_nothing_of_time(ssh_knows: Board, make_net: Make) -> None:
    answering(ssh_knows, "m['after']['battery'] = {'value': True, 'absent': None}")
    a = make_net("a.onnx")
    found = edgeopt.compare(a, make_net("b.onnx", 4), max_size="+0%", **FEW)
    assert check(found, "latency").verdict is Verdict.UNFIT
    assert found.notes == ("the machine ran on its battery, which slows processors down",)
    assert found.verdict is Verdict.REGRESSION  # its size is over, whatever the battery
    assert check(found, "size").verdict is Verdict.REGRESSION


TWISTED = {
    "no time at all": "m['blocks'][0]['ns'][0] = 0",
    "nothing of one": "m['blocks'] = [b for b in m['blocks'] if b['artifact'] != 1]",
    "an empty turn": "m['blocks'][0]['ns'] = []",
    "a turn too few": "del m['blocks'][0]",
    "one too many": "m['blocks'][0]['artifact'] = 3",
    "text": "m['blocks'][0]['ns'] = 'fast'",
}


@pytest.mark.parametrize("twist", TWISTED.values(), ids=TWISTED)
def test_times_that_cannot_be(ssh_knows: Board, make_net: Make, twist: str) -> None:
    answering(ssh_knows, twist)
    a = make_net("a.onnx")
    with pytest.raises((DataError, MeasurementError), match=r"what it answered can't|not valid"):
        edgeopt.compare(a, a, **FEW)
    assert ssh_knows.left() == []
