"""Comparing on a device: a real sshd on loopback, with this machine behind it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import edgeopt
from edgeopt.benchmarks.device.failure import Failure
from edgeopt.benchmarks.device.lock import alone
from edgeopt.benchmarks.gate.verdict import Check, Comparison, Verdict
from edgeopt.core.errors import (
    DataError,
    MeasurementError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.pipeline.baseline import Saved
from edgeopt.pipeline.first_run import compare_or_save
from tests.board import descendants, soon

if TYPE_CHECKING:
    from tests.board import Board

Make = Callable[..., Path]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the board needs an sshd")

THERE: dict[str, Any] = {"target": "arm64@ssh://kitchen", "threads": 1}
FEW: dict[str, Any] = {**THERE, "duration": 0.02, "max_processes": 2}
"""Where it is not about latency."""
QUICK: dict[str, Any] = {**THERE, "duration": 0.05, "max_processes": 5}
SIZE, CLASSES = 64, 10


@pytest.fixture
def make_net(tmp_path: Path) -> Make:
    """A classifier of vectors; ``turns`` products of the same size, one after another."""
    rng = np.random.default_rng(7)
    square = np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0].astype(np.float32)
    last = rng.standard_normal((SIZE, CLASSES)).astype(np.float32)

    def make(name: str, turns: int = 2, batch: int = 1, classes: int = CLASSES) -> Path:
        nodes = [
            helper.make_node("MatMul", [f"a{turn}" if turn else "x", "square"], [f"a{turn + 1}"])
            for turn in range(turns)
        ]
        nodes.append(helper.make_node("MatMul", [f"a{turns}", "last"], ["scores"]))
        graph = helper.make_graph(
            nodes, "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, SIZE])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, classes])],
            [numpy_helper.from_array(square, "square"),
             numpy_helper.from_array(last[:, :classes].copy(), "last")],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        onnx.save(model, path)
        return path

    return make


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path, rng = tmp_path / "data.npz", np.random.default_rng(0)
    x = rng.standard_normal((21, SIZE)).astype(np.float32)
    np.savez(path, x=x, labels=rng.integers(0, CLASSES, 21))
    return path


def check(found: Comparison, name: str) -> Check:
    (one,) = [c for c in found.checks if c.name == name]
    return one


# Verdicts


@pytest.mark.timing
def test_what_is_much_slower_there_is_a_regression(ssh_knows: Board, make_net: Make) -> None:
    # Of one name, in two folders.
    found = edgeopt.compare(make_net("a/net.onnx", 80), make_net("b/net.onnx", 160), **QUICK)
    assert found.verdict is Verdict.REGRESSION
    assert found.ratio.low > 1.03
    assert found.processes == 5
    assert ssh_knows.left() == []


@pytest.mark.timing
def test_what_is_much_faster_there_passes(ssh_knows: Board, make_net: Make) -> None:
    found = edgeopt.compare(make_net("a.onnx", 160), make_net("b.onnx", 80), **QUICK)
    assert found.verdict is Verdict.PASS


def test_the_device_and_its_lock_are_recorded_and_all_budgets_judged_there(
    ssh_knows: Board, make_net: Make, labelled: Path
) -> None:
    a = make_net("a.onnx")
    found = edgeopt.compare(
        a, make_net("b.onnx", 3), evaluation=labelled, max_drop="100pp", min_sqnr=100.0,
        min_agreement="99%", max_memory="2GB", max_load="60s", max_size="+90%", max_latency="10s",
        max_tail="p90:900%", **FEW,
    )  # fmt: skip
    names = ["latency", "p90", "median", "accuracy", "sqnr", "agreement", "size", "memory", "load"]
    assert [c.name for c in found.checks] == names
    assert check(found, "sqnr").verdict is Verdict.REGRESSION
    assert check(found, "memory").verdict is Verdict.PASS
    assert found.target == "arm64"
    assert found.device is not None
    assert found.device.address == "ssh://kitchen"
    assert found.device.lock.startswith(str(ssh_knows.home / "edgeopt-device.lock"))
    assert "(process " in found.device.lock
    assert len(found.ratios) == found.processes == 2
    assert ssh_knows.left() == []


def test_answers_there_are_those_here(ssh_knows: Board, make_net: Make, labelled: Path) -> None:
    asked: dict[str, Any] = {"evaluation": labelled, "max_drop": "100pp", "min_sqnr": 1.0}
    few: dict[str, Any] = {"duration": 0.02, "max_processes": 2}
    a, b = make_net("a.onnx", batch=4), make_net("b.onnx", 3, batch=4)
    there = edgeopt.compare(a, b, **asked, **THERE, **few)
    here = edgeopt.compare(a, b, **asked, **few)
    for name in ("accuracy", "sqnr"):
        one, other = check(there, name), check(here, name)
        assert (one.baseline, one.change) == (other.baseline, other.change)
        assert one.candidate == pytest.approx(other.candidate)


def test_the_target_says_how_many_threads(ssh_knows: Board, make_net: Make, tmp_path: Path) -> None:
    profile = tmp_path / "board.toml"
    profile.write_text(
        'name = "board"\ndescription = "mine"\nlike = ["arm64"]\naddress = "ssh://kitchen"\n'
        "threads = 4096\n"
    )
    a = make_net("a.onnx")
    few: dict[str, Any] = {"duration": 0.02, "max_processes": 2}
    with pytest.raises(MeasurementError, match="4096 threads on"):
        edgeopt.compare(a, a, target=str(profile), **few)
    found = edgeopt.compare(a, a, target=str(profile), threads=1, **few)
    assert (found.target, found.threads) == ("board", 1)


def test_formats_can_be_mixed_there(
    ssh_knows: Board, conv_net: Path, tflite_net: Path, tmp_path: Path
) -> None:
    made = edgeopt.convert(conv_net, to="onnx,tflite", precision="fp32", output=tmp_path / "out")
    onnx_file, tflite = (artifact.path for artifact in made.artifacts)
    found = edgeopt.compare(onnx_file, tflite, min_sqnr=80.0, **FEW)
    assert check(found, "sqnr").verdict is Verdict.PASS
    assert {found.baseline.runtime.name, found.candidate.runtime.name} == {"onnxruntime", "litert"}


# What is refused


def pretending(board: Board) -> None:
    """Have the board find the mark that every emulated one has in its root."""
    mark = "import os\nfound = os.path.exists\n"
    mark += "os.path.exists = lambda p: str(p).endswith('edgeopt-emulated') or found(p)\n"
    board.lend(sitecustomize=mark)


def test_a_device_that_is_emulated_is_refused(ssh_knows: Board, make_net: Make) -> None:
    pretending(ssh_knows)
    a = make_net("a.onnx")
    with pytest.raises(UsageError, match="ssh://kitchen: it is emulated") as raised:
        edgeopt.compare(a, a, **FEW)
    assert raised.value.exit_code == 2
    assert ssh_knows.left() == []


@pytest.mark.parametrize(
    ("target", "kind", "told"),
    [
        ("emulated://cortex-a72", UsageError, "emulated://cortex-a72: it is emulated"),
        ("arm64@emulated://cortex-a76", UsageError, "it is emulated"),
        ("pixel@adb://R58M", UnsupportedError, "adb's devices don't have"),
        ("arm64", UsageError, "where target 'arm64' is isn't known"),
        ("rasberry-pi-5@ssh://kitchen", UsageError, "did you mean raspberry-pi-5"),
        ("ssh://", UsageError, "not the address"),
    ],
)
def test_a_target_that_is_none(
    make_net: Make, target: str, kind: type[Exception], told: str
) -> None:
    a = make_net("a.onnx")
    with pytest.raises(kind, match=told):
        edgeopt.compare(a, a, target=target)


def test_native_programs_cannot_pair(make_net: Make, tmp_path: Path) -> None:
    profile = tmp_path / "board.toml"
    profile.write_text(
        'name = "board"\ndescription = "mine"\nlike = ["arm64"]\naddress = "ssh://kitchen"\n'
        'binaries = { onnx = "perf_test" }\n'
    )
    a = make_net("a.onnx")
    with pytest.raises(UnsupportedError, match="measures onnx by a native program"):
        edgeopt.compare(a, a, target=str(profile))


def test_artifacts_that_do_not_fit_each_other(
    ssh_knows: Board, make_net: Make, labelled: Path
) -> None:
    a = make_net("a.onnx")
    told = r"b\.onnx: it gives scores\[1, 9\], and the baseline gives scores\[1, 10\]"
    with pytest.raises(ModelError, match=told):
        edgeopt.compare(a, make_net("b.onnx", classes=9), **FEW)
    c = make_net("c.onnx", classes=2)
    with pytest.raises(DataError, match=r"data\.npz: a label is \d, but the model has classes 0"):
        edgeopt.compare(c, c, evaluation=labelled, max_drop="1pp", **FEW)
    assert ssh_knows.left() == []


def test_outputs_that_are_no_numbers_are_named(ssh_knows: Board, make_net: Make) -> None:
    model = onnx.load(net := make_net("net.onnx"))
    model.graph.node.append(helper.make_node("SequenceConstruct", ["scores"] * 2, ["pair"]))
    del model.graph.output[:]
    ends = helper.make_tensor_sequence_value_info("pair", TensorProto.FLOAT, [1, CLASSES])
    model.graph.output.append(ends)
    onnx.save(model, net)
    told = r"net\.onnx: output 'pair' is not a tensor of numbers: cut the graph"
    with pytest.raises(UnsupportedError, match=told):
        edgeopt.compare(net, net, **FEW)
    assert ssh_knows.left() == []


# What goes wrong there


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


# Baselines


def test_the_first_run_of_a_gate_runs_the_candidate_there(
    ssh_knows: Board, make_net: Make, tmp_path: Path
) -> None:
    a, store = make_net("a.onnx"), tmp_path / "store"
    saved = compare_or_save("@main", a, store=store, **FEW)
    assert isinstance(saved, Saved)
    found = compare_or_save("@main", a, store=store, **FEW)
    assert isinstance(found, Comparison)
    assert found.baseline.artifact == "@main"
    ssh_knows.lend(onnxruntime="raise ImportError('no such module')")
    with pytest.raises(MeasurementError, match="onnxruntime is not installed"):
        compare_or_save("@other", a, store=store, **FEW)
    pretend = tmp_path / "store" / "names" / "other.json"
    assert not pretend.exists()
