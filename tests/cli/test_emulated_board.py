"""``edgeopt benchmark`` on an ARM64 board that QEMU emulates, behind a real sshd on loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edgeopt.benchmarks.result import Kind, Measurement
from edgeopt.benchmarks.store import measurement_path, read_measurement
from edgeopt.targets import emulator

if TYPE_CHECKING:
    from tests.board import Board
    from tests.conftest import Emulators

Run = Callable[..., Any]

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

QUICK = ("--duration", "0.05", "--processes", "2", "--threads", "1")

BOARDS = {
    "cortex-a72": ("raspberry-pi-4", "implementer 0x41 part 0xd08", False),
    "cortex-a76": ("raspberry-pi-5", "implementer 0x41 part 0xd0b", True),
}
"""The profile that names the results, what the board says of its processor, and dot products."""


@pytest.fixture
def emulated(ssh_knows: Board, emulators: Emulators) -> Callable[[str], Board]:
    """The board behind ssh, whose ``python3`` is an emulated one's."""

    def become(cpu: str) -> Board:
        ssh_knows.python(f'exec {emulators[cpu].python} "$@"')
        return ssh_knows

    return become


@pytest.fixture
def artifacts(run: Run, example: Path, tmp_path: Path) -> list[Path]:
    """The example's net at int8: TFLite, ONNX with uint8 activations, ONNX with int8 ones."""
    options = ("--precision", "int8", "--effort", "fast", "-o", tmp_path)
    data = ("--calibration", example / "calibration.npz")
    for target, formats in {"x86-64-vnni": "onnx,tflite", "arm64": "onnx"}.items():
        made = run(
            "convert", example / "model.pt2", "--to", formats, "--target", target, *data, *options
        )
        assert made.code == 0, made.err
    names = ("model.int8.tflite", "model.int8.onnx", "model.int8.arm64.onnx")
    return [tmp_path / name for name in names]


def activations(artifact: Path) -> set[str]:
    """The types that an ONNX artifact's activations have between Quantize and Dequantize."""
    import onnx

    graph = onnx.load(artifact).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    zero_points = (n.input[2] for n in graph.node if n.op_type == "QuantizeLinear")
    return {onnx.TensorProto.DataType.Name(kinds[name]) for name in zero_points}


@pytest.mark.parametrize("cpu", BOARDS)
def test_artifacts_answer_there_as_they_do_here(
    run: Run, emulated: Callable[[str], Board], artifacts: list[Path], example: Path, cpu: str
) -> None:
    board, (target, processor, dot_product) = emulated(cpu), BOARDS[cpu]
    _, unsigned, signed = artifacts
    assert (activations(unsigned), activations(signed)) == ({"UINT8"}, {"INT8"})

    ran = run(
        "benchmark", *artifacts, "--evaluation", example / "test.npz",
        "--target", f"{target}@ssh://kitchen", *QUICK, "--json",
    )  # fmt: skip

    assert ran.code == 0, ran.err
    saved = [read_measurement(measurement_path(artifact, target)) for artifact in artifacts]
    assert [m["artifact"] for m in ran.json["measurements"]] == [str(a) for a in artifacts]
    assert [m.runtime.name for m in saved] == ["litert", "onnxruntime", "onnxruntime"]
    for measured in saved:
        assert measured.kind is Kind.EMULATED
        assert measured.machine.architecture == "aarch64"
        assert measured.machine.cpu.value == processor
        assert ("asimddp" in (measured.machine.isa.value or ())) is dot_product
        _hundred_alike(measured)
    assert board.left() == []


def _hundred_alike(measured: Measurement) -> None:
    """On the same 100 images at most one prediction differs from this machine's."""
    checked = measured.verification
    assert checked is not None
    assert checked.passed
    (output,) = checked.outputs
    used, stride = checked.data.used, checked.data.stride
    assert len(range(*used, stride)) == 100
    assert output.agreement is not None
    assert round((1 - output.agreement) * 100) <= 1
    assert measured.accuracy.values is not None
    assert measured.accuracy.values["top1"] > 0.8


def test_the_mark_in_the_root_is_what_makes_it_emulated(
    run: Run, ssh_knows: Board, emulators: Emulators, conv_net: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    shutil.copytree(emulators["cortex-a76"].root, root, symlinks=True, copy_function=_lend)
    ssh_knows.python(f'exec {root / emulator.START} "$@"')
    command = ("benchmark", conv_net, *QUICK, "--processes", "1", "--target")

    marked = run(*command, "raspberry-pi-5@ssh://kitchen")
    assert "no real device's" in marked.out
    assert _kind(conv_net, "raspberry-pi-5") is Kind.EMULATED

    (root / emulator.MARKER).unlink()
    unmarked = run(*command, "raspberry-pi-4@ssh://kitchen")
    assert "no real device's" not in unmarked.out
    assert _kind(conv_net, "raspberry-pi-4") is Kind.MEASURED


def _kind(artifact: Path, target: str) -> Kind:
    return read_measurement(measurement_path(artifact, target)).kind


def _lend(file: str, copy: str) -> None:
    try:
        os.link(file, copy)
    except OSError:  # another file system
        shutil.copy2(file, copy)


def test_nothing_is_compared_there(
    run: Run, emulated: Callable[[str], Board], conv_net: Path
) -> None:
    board = emulated("cortex-a76")
    ran = run("compare", conv_net, conv_net, "--target", "raspberry-pi-5@ssh://kitchen")
    assert (ran.code, ran.out) == (2, "")
    assert "ssh://kitchen: it is emulated, so its latencies say nothing" in ran.err
    assert board.left() == []


def test_a_bare_address_is_probed(
    run: Run, emulated: Callable[[str], Board], conv_net: Path
) -> None:
    board = emulated("cortex-a72")
    ran = run("benchmark", conv_net, "--target", "ssh://kitchen", *QUICK, "--processes", "1")
    assert ran.code == 0, ran.err
    assert _kind(conv_net, "cortex-a72-emulated") is Kind.EMULATED
    assert board.left() == []
