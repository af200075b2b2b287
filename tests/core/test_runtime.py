from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.core.runtime import open_session, saturates
from tests.haswell import Kernels

VNNI = {"avx512_vnni", "avx_vnni"}


@pytest.fixture
def product(save_model: Callable[..., Path]) -> Path:
    """A QDQ product of 64 values of 255 with weights of 127 steps: what 16 bits can't add."""
    return save_model(
        [
            helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "one", "zero"], ["d"]),
            helper.make_node("DequantizeLinear", ["w", "one", "wzero"], ["v"]),
            helper.make_node("MatMul", ["d", "v"], ["y"], "product"),
        ],
        [("x", TensorProto.FLOAT, [1, 64])],
        [("y", TensorProto.FLOAT, [1, 16])],
        {
            "one": np.array(1, np.float32),
            "zero": np.array(0, np.uint8),
            "wzero": np.array(0, np.int8),
            "w": np.full((64, 16), 127, np.int8),
        },
    )


def test_an_emulated_session_adds_exactly_on_every_machine(product: Path) -> None:
    (sums,) = open_session(product, emulated=True).run(
        None, {"x": np.full((1, 64), 255, np.float32)}
    )
    assert (sums == 255 * 127 * 64).all()


def test_whether_the_kernels_saturate_is_what_they_really_do(product: Path) -> None:
    (sums,) = open_session(product).run(None, {"x": np.full((1, 64), 255, np.float32)})
    assert saturates() == bool((sums != 255 * 127 * 64).any())


def test_a_cpu_with_vnni_does_not_saturate() -> None:
    listed = Path("/proc/cpuinfo")
    flags = set(listed.read_text().split()) if listed.is_file() else set()
    if flags & VNNI or platform.machine() in ("aarch64", "arm64"):
        assert not saturates()
    elif "avx2" in flags:
        assert saturates()


def test_a_cpu_without_vnni_does(kernels_without_vnni: Kernels) -> None:
    weight = np.full((64, 16), 127, np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [1, 16])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    sums = kernels_without_vnni(model.SerializeToString(), np.full((1, 64), 255, np.uint8))
    assert (sums == 32 * 32767).all()  # each of the 32 pairs as large as 16 bits can be


def test_telemetry_is_off_before_the_runtime_is_loaded() -> None:
    code = "import edgeopt.core.runtime, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "1"


@pytest.mark.parametrize("choosing", [True, False])
def test_where_there_is_an_if_nothing_is_folded(
    choosing: bool, save_model: Callable[..., Path], tmp_path: Path
) -> None:
    """The runtime loses track of Ifs in a branch that folding puts in place, and may die of it."""
    turned = helper.make_node("Transpose", ["w"], ["t"])
    product = helper.make_node("MatMul", ["x", "t"], ["product"])
    branches = [
        helper.make_graph(
            [helper.make_node(op, ["product"], ["y"])], op, [],
            [helper.make_empty_tensor_value_info("y")],
        )
        for op in ("Relu", "Neg")
    ]  # fmt: skip
    last = (
        helper.make_node("If", ["yes"], ["y"], then_branch=branches[0], else_branch=branches[1])
        if choosing
        else helper.make_node("Relu", ["product"], ["y"])
    )
    path = save_model(
        [turned, product, last],
        [("x", TensorProto.FLOAT, [1, 3])],
        [("y", TensorProto.FLOAT, [1, 2])],
        {"w": np.ones((2, 3), np.float32), "yes": np.array(True)},
    )
    optimized = tmp_path / "optimized.onnx"
    session = open_session(path, level="basic", optimized=optimized)
    kinds = [node.op_type for node in onnx.load(optimized).graph.node]
    assert kinds == (["Transpose", "MatMul", "If"] if choosing else ["MatMul", "Relu"])
    (found,) = session.run(None, {"x": np.ones((1, 3), np.float32)})
    assert found.tolist() == [[3, 3]]
