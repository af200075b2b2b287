"""A convolution is its patches times its weights: ONNX Runtime says if they are the right ones."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgeopt.calibration.patches import Window, chosen_places
from edgeopt.core.ir import ir


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[dict[str, object], int, tuple[int, ...], int]:
    """Attributes of a Conv, its input channels, the input's sizes, and a seed."""
    axes = draw(st.sampled_from([1, 2, 3]))
    groups = draw(st.sampled_from([1, 2, 3]))
    each = draw(st.sampled_from([1, 2]))

    def numbers(low: int, high: int, count: int = axes) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    kernel = numbers(1, 3)
    attributes: dict[str, object] = {
        "kernel_shape": kernel,
        "strides": numbers(1, 3),
        "dilations": numbers(1, 2),
        "group": groups,
    }
    padding = draw(st.sampled_from(["pads", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if padding == "pads":
        attributes["pads"] = numbers(0, 2, 2 * axes)
    else:
        attributes["auto_pad"] = padding
        if padding != "VALID":  # ONNX Runtime takes no others there
            attributes["dilations"] = [1] * axes
    sizes = tuple(numbers(5, 8))
    return attributes, groups * each, sizes, draw(st.integers(0, 2**32 - 1))


@settings(max_examples=200)
@given(convolutions())
def test_patches_times_weights_are_the_convolution(
    drawn: tuple[dict[str, object], int, tuple[int, ...], int],
) -> None:
    attributes, channels, sizes, seed = drawn
    rng = np.random.default_rng(seed)
    groups = attributes["group"]
    kernel = attributes["kernel_shape"]
    assert isinstance(groups, int)
    assert isinstance(kernel, list)
    x = rng.standard_normal((2, channels, *sizes)).astype(np.float32)
    weight = rng.standard_normal((2 * groups, channels // groups, *kernel)).astype(np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
    y = convolved(node, x, weight)
    window = Window.of(ir.from_proto(node), weight.shape[2:])
    assert window.outputs(sizes) == y.shape[2:]
    places = np.arange(y[:, 0].size)
    patches = window.patches(x, places)  # (G, P, K)
    rows = weight.reshape(groups, 2, -1)
    found = np.einsum("gpk,gok->gop", patches, rows).reshape(2 * groups, -1)
    np.testing.assert_allclose(found, np.moveaxis(y, 1, 0).reshape(2 * groups, -1), atol=1e-4)
    some = rng.permutation(places)[:5]
    np.testing.assert_array_equal(window.patches(x, some), patches[:, some])


def convolved(node: object, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return np.asarray(ort.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0])


def test_few_places_are_all_taken() -> None:
    places = np.array([3, 5, 8])
    np.testing.assert_array_equal(chosen_places(places, 3, seed=1), places)


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 100))
def test_the_seed_alone_chooses(seed: int, count: int, most: int) -> None:
    places = np.arange(count) * 2
    found = chosen_places(places, most, seed)
    assert len(np.unique(found)) == len(found) == min(count, most)
    assert np.isin(found, places).all()
    np.testing.assert_array_equal(found, chosen_places(places, most, seed))


def test_every_place_is_chosen_as_often_as_any_other() -> None:
    counts = np.zeros(50)
    for seed in range(2000):
        counts[chosen_places(np.arange(50), 10, seed)] += 1
    assert counts.min() > 320
    assert counts.max() < 480


@pytest.mark.parametrize(("seed", "expected"), [(0, [2, 3, 11, 13, 15]), (1, [2, 4, 9, 12, 14])])
def test_the_stream_is_the_same_on_every_machine(seed: int, expected: list[int]) -> None:
    # A shard made elsewhere, or by another numpy, must have looked at the same places.
    assert chosen_places(np.arange(16), 5, seed).tolist() == expected
