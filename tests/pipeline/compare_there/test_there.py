"""Comparing on a device: a real sshd on loopback, with this machine behind it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.benchmarks.gate.verdict import Comparison, Verdict
from edgeopt.core.errors import (
    DataError,
    MeasurementError,
    ModelError,
    UnsupportedError,
    UsageError,
)
from edgeopt.pipeline.baseline import Saved
from edgeopt.pipeline.first_run import compare_or_save
from tests.pipeline.compare_there.pairs import CLASSES, FEW, QUICK, THERE, Make, check

if TYPE_CHECKING:
    from tests.board import Board

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the board needs an sshd")


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
        ("stm32", UnsupportedError, "it runs TFLite Micro: time it in the firmware"),
        ("arm64", UsageError, "nothing says where target 'arm64' is"),
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
