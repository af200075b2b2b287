"""Options that give tensors more bits, and what becomes of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import edgeopt
from edgeopt.core.ir import ir
from edgeopt.pipeline.diagnosis.counterparts import quantized_values
from edgeopt.pipeline.diagnosis.keeping import keep_float, more_bits

Make = Callable[..., Path]
Save = Callable[..., Path]


def options(artifact: Path) -> dict[str, str]:
    values = quantized_values(ir.load(artifact).graph)
    found = {tensor: more_bits(value) for tensor, value in values.items()}
    return {tensor: keep.options for tensor, keep in found.items() if keep is not None}


def applied(model: Path, option: str, make: Make, **rest: object) -> dict[str, str]:
    """The types of the artifact's tensors, made with an option."""
    name, layers = shlex.split(option)
    made = make(model, **{name[2:].replace("-", "_"): layers.split(",")}, **rest)
    return {e.tensor: e.dtype for e in edgeopt.inspect(made).encodings if not e.constant}


def test_what_comes_out_of_integer_layers(artifact: Path) -> None:
    found = options(artifact)
    assert found["r1"] == "--keep-16bit conv1"
    assert found["c2"] == "--keep-16bit depthwise"
    assert found["sum"] == "--keep-16bit residual"


def test_an_input_of_a_convolution_is_left_alone_if_that_is_float(
    artifact: Path, conv_net: Path, make: Make
) -> None:
    assert options(artifact)["image"] == "--keep-float conv1"
    assert "image" not in applied(conv_net, "--keep-float conv1", make)


@pytest.mark.parametrize("tensor", ["r1", "sum"])
def test_16_bits_are_what_the_tensor_gets(
    artifact: Path, conv_net: Path, make: Make, tensor: str
) -> None:
    types = applied(conv_net, options(artifact)[tensor], make)
    assert types[tensor].endswith("int16")


def test_the_input_of_a_product(
    save_model: Save, make: Make, tmp_path: Path, rng: np.random.Generator
) -> None:
    model = save_model(
        [
            helper.make_node("Sigmoid", ["x"], ["s"], "curve"),
            helper.make_node("MatMul", ["s", "w"], ["y"], "product"),
        ],
        [("x", TensorProto.FLOAT, ["n", 6])],
        [("y", TensorProto.FLOAT, ["n", 5])],
        {"w": rng.standard_normal((6, 5), dtype=np.float32)},
    )
    data = tmp_path / "rows.npz"
    np.savez(data, x=rng.standard_normal((30, 6)).astype(np.float32))
    made = make(model, calibration=data)
    assert options(made) == {"s": "--keep-16bit product"}
    types = applied(model, "--keep-16bit product", make, calibration=data)
    assert types["s"].endswith("int16")


def test_names_that_a_shell_would_break_are_quoted() -> None:
    assert keep_float("a b", "c").options == "--keep-float 'a b,c'"
