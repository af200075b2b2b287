"""An input's normalization becomes part of the first convolution: same answers, fewer nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgeopt.converters.input_scaling import absorb_input_scaling
from edgeopt.converters.simplify import simplify
from edgeopt.core.ir import ir

SIDE, OUTPUTS = 6, 6
Step = tuple[str, bool, float | Sequence[float]]
"""An operator, whether the constant comes first, and the constant: one, or one a channel."""

IMAGENET: tuple[Step, ...] = (
    ("Mul", False, 1 / 255),
    ("Sub", False, (0.485, 0.456, 0.406)),
    ("Div", False, (0.229, 0.224, 0.225)),
)


def net(
    steps: Sequence[Step], *, last: bool = False, group: int = 1, pads: int = 1
) -> onnx.ModelProto:
    """The steps and a convolution; with channels last, a transpose is between them."""
    rng = np.random.default_rng(0)
    shape = [2, SIDE, SIDE, 3] if last else [2, 3, SIDE, SIDE]
    constants, nodes, value = {}, [], "image"
    for number, (op, first, constant) in enumerate(steps):
        array = np.asarray(constant, np.float32)
        constants[f"c{number}"] = array if last or not array.ndim else array.reshape(-1, 1, 1)
        inputs = [f"c{number}", value] if first else [value, f"c{number}"]
        value = f"v{number}"
        nodes.append(helper.make_node(op, inputs, [value], value))
    if last:
        nodes.append(helper.make_node("Transpose", [value], ["turned"], perm=[0, 3, 1, 2]))
        value = "turned"
    weight = rng.standard_normal((OUTPUTS, 3 // group, 3, 3), dtype=np.float32)
    constants |= {"weight": weight, "bias": rng.standard_normal(OUTPUTS, dtype=np.float32)}
    spread = {"pads": [pads] * 4, "group": group}
    nodes.append(helper.make_node("Conv", [value, "weight", "bias"], ["y"], "conv", **spread))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(a, n) for n, a in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return onnx.shape_inference.infer_shapes(model)


def absorbed(model: onnx.ModelProto) -> onnx.ModelProto:
    found = ir.from_proto(model)
    absorb_input_scaling(found.graph)
    return ir.to_proto(found)


def answer(model: onnx.ModelProto) -> np.ndarray:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options)
    (spec,) = session.get_inputs()
    image = np.random.default_rng(1).uniform(0, 255, spec.shape).astype(np.float32)
    result: np.ndarray = session.run(None, {"image": image})[0]
    return result


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def assert_same(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    expected = answer(before)
    assert np.abs(answer(after) - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("last", [False, True])
def test_one_sum_is_left_of_a_normalization_and_the_border_stays(last: bool) -> None:
    before = net(IMAGENET, last=last)
    after = absorbed(before)
    assert operators(after) == ["Add", *["Transpose"] * last, "Conv"]
    assert_same(before, after)


def test_a_mean_that_all_channels_share_is_one_number() -> None:
    before = net([("Mul", False, 1 / 127.5), ("Add", False, (-1.0, -1.0, -1.0))], last=True)
    after = absorbed(before)
    assert operators(after) == ["Add", "Transpose", "Conv"]
    (mean,) = (a for a in after.graph.initializer if a.name in after.graph.node[0].input)
    assert list(mean.dims) == [1, 1, 1, 1]
    assert_same(before, after)


def test_nothing_is_left_without_a_mean() -> None:
    before = net([("Mul", False, 1 / 255), ("Add", False, (0.0, 0.0, 0.0)), ("Div", False, 2.0)])
    after = absorbed(before)
    assert operators(after) == ["Conv"]
    assert_same(before, after)


NUMBERS = st.floats(0.5, 1.0).map(lambda x: round(x, 3))
CONSTANTS = st.one_of(NUMBERS, st.tuples(NUMBERS, NUMBERS, NUMBERS).map(lambda t: tuple(t)))
STEPS = st.one_of(
    st.tuples(st.sampled_from(("Add", "Sub", "Mul")), st.booleans(), CONSTANTS),
    st.tuples(st.just("Div"), st.just(False), CONSTANTS),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=5), st.booleans(), st.sampled_from((1, 3)), st.integers(0, 2))
def test_any_chain_gives_the_same_answers(
    steps: list[Step], last: bool, group: int, pads: int
) -> None:
    before = net(steps, last=last, group=group, pads=pads)
    after = absorbed(before)
    assert len(operators(after)) <= len(operators(before))
    assert_same(before, after)


@pytest.mark.parametrize(
    "steps",
    [
        [("Add", False, 3.0)],  # nothing to gain
        [("Mul", False, (1.0, 1.5, 2.5)), ("Add", False, 1.0)],  # one scale would serve them badly
        [("Mul", False, 1 / 65535)],  # float16 weights would vanish
        [("Mul", False, 0.0)],
        [("Div", False, 0.0)],
        [("Div", True, 1.0)],  # not linear
        [("Pow", False, 2.0)],
        [("Mul", False, np.full((1, SIDE, 1), 0.5))],  # a factor for each row of pixels
    ],
)
def test_left_alone(steps: list[Step]) -> None:
    before = net([(op, first, constant) for op, first, constant in steps])
    after = absorbed(before)
    assert operators(after) == operators(before)
    assert operators(after)[-2] == steps[-1][0]
    weight = {i.name: i for i in after.graph.initializer}[after.graph.node[-1].input[1]]
    assert weight.name == "weight"


def test_it_is_part_of_every_simplification(tmp_path: Path) -> None:
    onnx.save(net(IMAGENET), tmp_path / "exported.onnx")
    graph = simplify(tmp_path / "exported.onnx", tmp_path / "float.onnx", "net")
    assert operators(onnx.load(graph.path)) == ["Add", "Conv"]
