"""What an int8 model computes in floats between its layers and at its end, and the gain of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

import edgeopt
from edgeopt.core.manifest import Manifest
from edgeopt.core.tflite_file import read_tflite
from edgeopt.core.tflite_graph import TfliteFile

pytest.importorskip("ai_edge_litert")

Save = Callable[..., Path]
Convert = Callable[..., tuple[TfliteFile, Manifest, Manifest]]

WEIGHTS = {
    "w1": (16, 3, 3, 3), "w2": (16, 16, 1, 1), "w3": (16, 16, 1, 1), "gamma": (16,), "beta": (16,),
    "tiny": (16, 16, 1, 1), "head": (16, 10), "bias": (10,), "up": (16, 32), "down": (32, 10),
}  # fmt: skip
STEM = [
    helper.make_node("Conv", ["x", "w1"], ["c"], "stem"),
    helper.make_node("Relu", ["c"], ["r"], "relu"),
]
MEAN = [
    helper.make_node("GlobalAveragePool", ["r"], ["m"], "mean"),
    helper.make_node("Flatten", ["m"], ["f"], "flat"),
]
HEAD = helper.make_node("Gemm", ["f", "head", "bias"], ["y"], "head_")
SWISH = [
    helper.make_node("Conv", ["x", "w1"], ["c"], "stem"),
    helper.make_node("Sigmoid", ["c"], ["s"], "sigmoid"),
    helper.make_node("Mul", ["c", "s"], ["r"], "swish"),
]


@pytest.fixture
def converted(save_model: Save, tmp_path: Path, rng: np.random.Generator) -> Convert:
    """An image through nodes, as int8 ONNX and TFLite; the file's content and both manifests."""

    def run(
        nodes: Sequence[NodeProto], outputs: int | Sequence[Any] = 10, **options: Any
    ) -> tuple[TfliteFile, Manifest, Manifest]:
        used = {name for node in nodes for name in node.input}
        weights = {
            name: (rng.standard_normal(shape) * (1e-6 if name == "tiny" else 0.3)).astype("f")
            for name, shape in WEIGHTS.items()
            if name in used
        }
        shape = ["batch", *([outputs] if isinstance(outputs, int) else outputs)]
        path = save_model(
            list(nodes), [("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
            [("y", TensorProto.FLOAT, shape)], weights, opset=20,
        )  # fmt: skip
        data = tmp_path / "data.npz"
        np.savez(data, x=rng.standard_normal((32, 3, 8, 8)).astype(np.float32))
        made = edgeopt.convert(
            path, **{"to": "onnx,tflite", "precision": "int8", **options}, calibration=data,
            evaluation=data, output=tmp_path / "out", min_sqnr=-100,
        )  # fmt: skip
        return (
            read_tflite(Path(made.artifacts[-1].path)),
            made.artifacts[0].manifest,
            made.artifacts[-1].manifest,
        )

    return run


def computed(file: TfliteFile, code: str) -> set[str]:
    """The types that the operators of a kind give."""
    return {file.tensors[op.outputs[0]].spec.dtype for op in file.operators if op.code == code}


def decibels(manifest: Manifest) -> float:
    assert manifest.verification is not None
    found = manifest.verification.worst.sqnr_db
    assert found is not None
    return found


@pytest.mark.parametrize("last", ["gemm", "mean"])
@pytest.mark.parametrize("io", ["float", "int8"])
def test_the_mean_is_rounded_only_for_integer_ends(converted: Convert, last: str, io: str) -> None:
    ending = [*MEAN, HEAD] if last == "gemm" else [*MEAN[:1], flattened("m", "y")]
    file, onnx, tflite = converted([*STEM, *ending], 10 if last == "gemm" else 16, io=io)
    assert computed(file, "MEAN") == {"float32" if io == "float" else "int8"}
    if io == "float":
        assert decibels(tflite) > decibels(onnx) - 0.5


def flattened(value: str, output: str) -> NodeProto:
    return helper.make_node("Flatten", [value], [output], "flat")


def test_what_is_averaged_for_the_last_layer_is_not_rounded_before(converted: Convert) -> None:
    file, onnx, tflite = converted([*SWISH, *MEAN, HEAD])
    assert {code: computed(file, code) for code in ("LOGISTIC", "MUL", "MEAN")} == {
        "LOGISTIC": {"float32"}, "MUL": {"float32"}, "MEAN": {"float32"},
    }  # fmt: skip
    assert computed(file, "CONV_2D") == {"int8"}
    assert tflite.delegation is not None
    assert tflite.delegation.partitions == 1
    assert decibels(tflite) > decibels(onnx) - 0.5


def test_between_layers_a_sigmoid_is_integer(converted: Convert) -> None:
    second = helper.make_node("Conv", ["r", "w2"], ["y"], "second")
    file, _, _ = converted([*SWISH, second], [16, 6, 6])
    assert computed(file, "LOGISTIC") == computed(file, "MUL") == {"int8"}


def test_what_only_a_norm_reads_is_not_rounded(converted: Convert) -> None:
    norm = helper.make_node("LayerNormalization", ["f", "gamma", "beta"], ["n"], "norm")
    head = helper.make_node("Gemm", ["n", "head", "bias"], ["y"], "head_")
    file, onnx, tflite = converted([*STEM, *MEAN, norm, head])
    assert computed(file, "MEAN") == {"float32"}
    assert Counter(op.code for op in file.operators)["QUANTIZE"] == 1  # of the image
    assert decibels(tflite) > decibels(onnx) - 0.5


def test_a_product_that_rounds_at_run_time_takes_floats_as_they_are(converted: Convert) -> None:
    nodes = [
        *STEM, *MEAN,
        helper.make_node("LayerNormalization", ["f", "gamma", "beta"], ["n"], "norm"),
        helper.make_node("MatMul", ["n", "up"], ["u"], "up_"),
        helper.make_node("Gelu", ["u"], ["g"], "gelu"),
        helper.make_node("MatMul", ["g", "down"], ["y"], "down_"),
    ]  # fmt: skip
    file, _, tflite = converted(nodes)
    assert Counter(op.code for op in file.operators)["QUANTIZE"] == 1
    assert tflite.integer_layers == 3
    weights = [file.tensors[op.inputs[1]] for op in file.operators if op.code == "FULLY_CONNECTED"]
    assert [(w.spec.dtype, w.constant) for w in weights] == [("int8", True)] * 2


@pytest.mark.parametrize("precision", ["int8", "int16x8"])
@pytest.mark.parametrize("follows", [True, False])
def test_a_sigmoid_is_integer_only_at_its_kernels_scale(
    converted: Convert, precision: str, follows: bool
) -> None:
    """Behind a Softplus, which is float, nobody knows yet that its output will be integers."""
    softplus = [] if follows else [helper.make_node("Softplus", ["r"], ["p"], "softplus")]
    value = "r" if follows else "p"
    nodes = [
        *STEM, *softplus,
        helper.make_node("Sigmoid", [value], ["s"], "sigmoid"),
        helper.make_node("Conv", [value, "w2"], ["a"], "straight"),
        helper.make_node("Conv", ["s", "w3"], ["b"], "gated"),
        helper.make_node("Concat", ["a", "b"], ["y"], "join", axis=1),
    ]  # fmt: skip
    file, _, tflite = converted(nodes, [32, 6, 6], to="tflite", precision=precision)
    (sigmoid,) = [op for op in file.operators if op.code == "LOGISTIC"]
    given = file.tensors[sigmoid.outputs[0]].quantized
    assert (given is not None) == follows
    if given is not None:
        scale, zero = (1 / 256, -128) if precision == "int8" else (2.0**-15, 0)
        assert (given.scale, given.zero_point) == ((scale,), (zero,))
    assert decibels(tflite) > 30


@pytest.mark.parametrize(("weights", "integer"), [("w2", True), ("tiny", False)])
def test_a_sum_whose_part_is_next_to_nothing_stays_float(
    converted: Convert, weights: str, integer: bool
) -> None:
    """XNNPACK has no ADD of integers for it; what stands before it isn't a layer's output."""
    nodes = [
        *STEM,
        helper.make_node("Softplus", ["r"], ["p"], "softplus"),
        helper.make_node("Conv", ["p", weights], ["a"], "branch"),
        helper.make_node("Add", ["a", "p"], ["sum"], "residual"),
        helper.make_node("Conv", ["sum", "w3"], ["y"], "last"),
    ]  # fmt: skip
    file, _, tflite = converted(nodes, [16, 6, 6])
    assert ("int8" in computed(file, "ADD")) == integer
    assert tflite.delegation is not None
    assert tflite.delegation.partitions == 1
