"""int8-weight: a smaller file of the same float model, but for the weights' rounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeopt.pipeline.making import Artifact

Make = Callable[..., Artifact]
Outputs = Callable[..., list[np.ndarray]]
Save = Callable[..., Path]


def restored(artifact: Artifact, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of each stored weight, what its integers stand for by the manifest's encoding."""
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(artifact.path).graph.initializer}
    found = {}
    for encoding in artifact.manifest.encodings:
        integers = stored[f"{encoding.tensor}_quantized"]
        assert integers.dtype == np.int8
        shape = [1] * integers.ndim
        if encoding.axis is not None:
            shape[encoding.axis] = -1
        scale = np.array(encoding.scale, np.float32).reshape(shape)
        found[encoding.tensor] = integers.astype(np.float32) * scale
        np.testing.assert_allclose(
            found[encoding.tensor], weights[encoding.tensor], atol=0.51 * scale.max()
        )
    return found


def with_weights(model: Path, weights: dict[str, np.ndarray]) -> Path:
    proto = onnx.load(model)
    for tensor in proto.graph.initializer:
        if tensor.name in weights:
            tensor.CopyFrom(numpy_helper.from_array(weights[tensor.name], tensor.name))
    path = model.with_name("restored.onnx")
    onnx.save(proto, path)
    return path


@pytest.mark.parametrize("net", ["conv_net", "encoder"])
def test_it_is_the_float_model_with_rounded_weights(
    request: pytest.FixtureRequest, rng: np.random.Generator, make: Make, outputs: Outputs, net: str
) -> None:
    model: Path = request.getfixturevalue(net)
    artifact = make(model, "int8-weight")
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(model).graph.initializer}
    rounded = with_weights(model, restored(artifact, weights))
    x = {
        "conv_net": {"image": rng.standard_normal((4, 3, 8, 8)).astype(np.float32)},
        "encoder": {"ids": rng.integers(0, 600, (4, 12))},
    }[net]
    (found,), (expected,) = outputs(artifact.path, x), outputs(rounded, x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_every_kind_of_weight_is_stored(encoder: Path, make: Make) -> None:
    artifact = make(encoder, "int8-weight")
    axes = {e.tensor: (e.axis, len(e.scale)) for e in artifact.manifest.encodings}
    assert axes == {"w1": (1, 48), "w2": (1, 32), "w3": (0, 5), "table": (0, 600)}
    assert Path(artifact.path).stat().st_size < 0.5 * encoder.stat().st_size


def test_what_runs_is_the_float_model(
    conv_net: Path, make: Make, operators: Callable[[str], dict[str, str]]
) -> None:
    # Weights are made float when the model is loaded, not at each run.
    artifact = make(conv_net, "int8-weight")
    assert artifact.manifest.integer_layers is None
    fp32 = make(conv_net, "fp32")
    assert sorted(operators(artifact.path).values()) == sorted(operators(fp32.path).values())


@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
def test_recurrent_weights(
    save_model: Save, rng: np.random.Generator, make: Make, outputs: Outputs, op: str
) -> None:
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[op]
    weights = {
        name: rng.standard_normal((1, gates * 8, size)).astype(np.float32)
        for name, size in (("w", 6), ("r", 8))
    }
    path = save_model(
        [helper.make_node(op, ["x", "w", "r"], ["y"], "cell", hidden_size=8)],
        [("x", TensorProto.FLOAT, [5, 1, 6])],
        [("y", TensorProto.FLOAT, [5, 1, 1, 8])],
        weights,
    )
    artifact = make(path, "int8-weight")
    assert {e.tensor: (e.axis, len(e.scale)) for e in artifact.manifest.encodings} == {
        "w": (1, gates * 8),
        "r": (1, gates * 8),
    }
    x = {"x": rng.standard_normal((5, 1, 6)).astype(np.float32)}
    rounded = with_weights(path, restored(artifact, weights))
    np.testing.assert_allclose(outputs(artifact.path, x)[0], outputs(rounded, x)[0], atol=1e-5)


def test_transposed_convolutions_have_a_scale_an_output(
    save_model: Save, rng: np.random.Generator, make: Make
) -> None:
    weight = rng.standard_normal((3, 6, 2, 2)).astype(np.float32)
    weight[:, 4] *= 100
    path = save_model(
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], "up", strides=[2, 2])],
        [("x", TensorProto.FLOAT, ["n", 3, 4, 4])],
        [("y", TensorProto.FLOAT, ["n", 6, 8, 8])],
        {"w": weight},
    )
    (encoding,) = make(path, "int8-weight").manifest.encodings
    assert encoding.axis == 1
    np.testing.assert_allclose(encoding.scale, np.abs(weight).max((0, 2, 3)) / 127, rtol=1e-6)


def test_weights_that_two_layers_read_are_stored_once(
    save_model: Save, rng: np.random.Generator, make: Make
) -> None:
    path = save_model(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], "first"),
            helper.make_node("MatMul", ["h", "w"], ["y"], "second"),
        ],
        [("x", TensorProto.FLOAT, ["n", 32])],
        [("y", TensorProto.FLOAT, ["n", 32])],
        {"w": rng.standard_normal((32, 32)).astype(np.float32)},
    )
    stored = onnx.load(make(path, "int8-weight").path).graph.initializer
    assert sum(t.data_type == TensorProto.INT8 for t in stored) == 1


def test_layers_are_kept_float_as_asked(encoder: Path, make: Make) -> None:
    artifact = make(encoder, "int8-weight", keep_float="first,embed")
    assert {e.tensor for e in artifact.manifest.encodings} == {"w2", "w3"}
    assert {layer.node for layer in artifact.manifest.float_layers} == {"first", "embed"}
